//! Mutations against enumeration.

use std::collections::BTreeMap;

use super::*;
use crate::grammar::ir::{Grammar, Kernel, SizeMetric};
use crate::sample::testing::{CSG, MOVES, chi_square, enumerate, grammar, inside, sampler};
use crate::sample::{seeded, stream};
use crate::tree::{Layout, edit};

/// Texts, lists and options in one.
const RICH: &str = "W~ | N:3 | S = *Name W / *Num N? / Two@0.1 S S / Tag@0.3 W S / Block@0.1 S*0.4 / Mark@0.1 N*0.5 | P = Pair S S S";
/// `P` is the start; its least size is past sigma_small, and it is its sort's only production.
const TRIPLE: &str = "N:3 | P = Triple S S S | S = *Dot N / Two S S";

/// All the grammars above, with every meaning of size that gives them finite sums.
fn cases() -> Vec<Grammar> {
    use SizeMetric::{Depth, Nodes, Primitives};
    let mut out = Vec::new();
    for text in [CSG, MOVES, RICH, TRIPLE] {
        out.push(grammar(text, Primitives, 6));
        out.push(grammar(text, Nodes, 12));
    }
    out.push(grammar(CSG, Depth, 4));
    out.push(grammar(TRIPLE, Depth, 4));
    out.push(grammar(
        "N:2 | S = Leaf / Row S*0.001 N*0.1 / Un S",
        Depth,
        3,
    ));
    for grammar in &mut out {
        grammar.sample.min = 0;
    }
    out
}

/// A valid program of any size up to the grammar's window.
fn draw(mutator: &Mutator<'_>, seed: u64) -> Program {
    mutator.sampler().sample(&mut stream(1, seed))
}

#[test]
fn mutations_are_small_valid_and_different() {
    for mut grammar in cases() {
        let inside = inside(&grammar);
        for choice in [NodeChoice::Size, NodeChoice::Rule, NodeChoice::Node] {
            grammar.mutate.choice = choice;
            let spec = grammar.mutate;
            let mutator = Mutator::with_sampler(sampler(&grammar, &inside), spec).unwrap();
            let layout = Layout::new(&grammar);
            for seed in 0..600 {
                let program = draw(&mutator, seed);
                let Some(edit) = mutator.propose(&program, &mut stream(2, seed)) else {
                    panic!("no mutation of {program:?}");
                };
                let old = layout.extract(&program, edit.position);
                assert!(old.size() <= spec.small && edit.replacement.size() <= spec.small);
                assert_ne!(old, edit.replacement);
                let mutant = edit::apply(&grammar, &program, &edit);
                assert!(mutant.is_valid(&grammar), "{program:?} {edit:?}");
                assert_ne!(mutant, program);
                let back = edit::inverse(&grammar, &program, &edit);
                assert_eq!(edit::apply(&grammar, &mutant, &back), program);
            }
        }
    }
}

#[test]
fn the_node_is_chosen_as_asked() {
    // `(Combine Add (Circle 0) (Quad 0 1))`: sizes 0 0 1 .. and productions are known.
    let mut grammar = grammar(CSG, SizeMetric::Primitives, 4);
    let inside = inside(&grammar);
    let program = enumerate(&grammar, grammar.start, 2, 7)
        .into_iter()
        .map(|(tree, _)| tree)
        .find(|tree| tree.len() == 7 && tree.nodes()[2].production.0 == 0)
        .unwrap();
    let n = 60_000u32;
    for (choice, key) in [
        (NodeChoice::Node, None),
        (NodeChoice::Size, Some(true)),
        (NodeChoice::Rule, Some(false)),
    ] {
        grammar.mutate.choice = choice;
        let mutator = Mutator::with_sampler(sampler(&grammar, &inside), grammar.mutate).unwrap();
        let mut counts = vec![0.0; program.len()];
        let mut rng = seeded(5);
        for _ in 0..n {
            counts[mutator.propose(&program, &mut rng).unwrap().position] += 1.0;
        }
        let class = |node: &Node| match key {
            None => 0,
            Some(true) => node.size,
            Some(false) => u32::from(node.production.0),
        };
        let mut classes: BTreeMap<u32, f64> = BTreeMap::new();
        for node in program.nodes() {
            *classes.entry(class(node)).or_default() += 1.0;
        }
        let expected: Vec<f64> = program
            .nodes()
            .iter()
            .map(|node| f64::from(n) / classes.len() as f64 / classes[&class(node)])
            .collect();
        assert!(
            chi_square(&counts, &expected) > 1e-4,
            "{choice:?} {counts:?}"
        );
    }
}

#[test]
fn replacements_follow_the_conditioned_law() {
    // At the root of a shape of one primitive: size 1 or 2 with equal probability, then by weight,
    // all but the shape itself.
    let grammar = grammar(CSG, SizeMetric::Primitives, 4);
    let inside = inside(&grammar);
    let mutator = Mutator::with_sampler(sampler(&grammar, &inside), grammar.mutate).unwrap();
    let trees: Vec<Vec<(Program, f64)>> = [1, 2]
        .iter()
        .map(|size| enumerate(&grammar, grammar.start, *size, 9))
        .collect();
    let given = &trees[0][0].0;
    let mut law: BTreeMap<String, f64> = BTreeMap::new();
    for class in &trees {
        let whole: f64 = class.iter().map(|t| t.1).sum();
        for (tree, weight) in class {
            law.insert(format!("{tree:?}"), 0.5 * weight / whole);
        }
    }
    let taken = law.remove(&format!("{given:?}")).unwrap();
    let n = 100_000;
    let mut counts: BTreeMap<String, f64> = BTreeMap::new();
    let (mut scratch, mut edit, mut rng) = (Scratch::default(), Edit::default(), seeded(8));
    for _ in 0..n {
        assert!(mutator.propose_at(given, 0, &mut scratch, &mut rng, &mut edit));
        *counts.entry(format!("{:?}", edit.replacement)).or_default() += 1.0;
    }
    let expected: Vec<f64> = law
        .values()
        .map(|p| p / (1.0 - taken) * f64::from(n))
        .collect();
    let seen: Vec<f64> = law
        .keys()
        .map(|k| counts.get(k).copied().unwrap_or(0.0))
        .collect();
    assert!(chi_square(&seen, &expected) > 1e-4);
}

#[test]
fn nothing_to_offer_is_no_candidate() {
    let grammar = grammar(
        "N:1 | S = *Dot N / Two S S U | U = Unit N",
        SizeMetric::Primitives,
        6,
    );
    let inside = inside(&grammar);
    let mutator = Mutator::with_sampler(sampler(&grammar, &inside), grammar.mutate).unwrap();
    for seed in 0..500 {
        let program = draw(&mutator, seed);
        let edit = mutator.propose(&program, &mut stream(3, seed)).unwrap();
        assert!(program.nodes()[edit.position].production.0 <= 1);
    }
}

#[test]
fn a_program_without_alternatives_has_no_mutation() {
    let grammar = grammar("N:1 | S = *Dot N", SizeMetric::Primitives, 2);
    let inside = inside(&grammar);
    let mutator = Mutator::with_sampler(sampler(&grammar, &inside), grammar.mutate).unwrap();
    assert_eq!(mutator.propose(&draw(&mutator, 1), &mut seeded(1)), None);
}

#[test]
fn a_root_can_be_asked_for() {
    for grammar in cases() {
        let inside = inside(&grammar);
        let mutator = Mutator::with_sampler(sampler(&grammar, &inside), grammar.mutate).unwrap();
        let (mut scratch, mut edit) = (Scratch::default(), Edit::default());
        let mut found = vec![0; grammar.productions.len()];
        for seed in 0..60 {
            let program = draw(&mutator, seed);
            let mut rng = stream(4, seed);
            for id in grammar.production_ids() {
                if mutator.mutate_with(id, &program, &mut scratch, &mut rng, &mut edit) {
                    found[id.index()] += 1;
                    assert_eq!(edit.replacement.nodes()[0].production, id);
                    assert!(edit.replacement.size() <= grammar.mutate.small);
                    let mutant = edit::apply(&grammar, &program, &edit);
                    assert!(mutant.is_valid(&grammar) && mutant != program);
                }
            }
        }
        assert!(found.iter().filter(|n| **n > 0).count() >= 2, "{found:?}");
    }
}

#[test]
fn normal_kernels_move_near() {
    let mut grammar = grammar("N:100 | S = *Dot N", SizeMetric::Primitives, 1);
    grammar.tokens[0].kernel = Kernel::Normal(2.0);
    let inside = inside(&grammar);
    let mutator = Mutator::with_sampler(sampler(&grammar, &inside), grammar.mutate).unwrap();
    let program = draw(&mutator, 3);
    let value = program.nodes()[1].value;
    let (mut scratch, mut edit, mut rng) = (Scratch::default(), Edit::default(), seeded(8));
    let mut squares = 0.0;
    let n = 20_000;
    for _ in 0..n {
        assert!(mutator.propose_at(&program, 1, &mut scratch, &mut rng, &mut edit));
        let gap = f64::from(edit.replacement.nodes()[0].value.abs_diff(value));
        assert!((1.0..15.0).contains(&gap));
        squares += gap * gap;
    }
    // The variance 4, and 1/12 for rounding, without the fifth of draws that do not move.
    let mean = squares / f64::from(n);
    assert!((mean - 5.08).abs() < 0.25, "{mean}");
}

#[test]
fn paths_arrive_by_small_steps() {
    for grammar in cases() {
        let inside = inside(&grammar);
        let mutator = Mutator::with_sampler(sampler(&grammar, &inside), grammar.mutate).unwrap();
        let small = grammar.mutate.small;
        let mut longest = 0;
        for seed in 0..400 {
            let (source, target) = (draw(&mutator, seed), draw(&mutator, seed + 10_000));
            for mode in [PathMode::Plain, PathMode::Strict] {
                let mut at = source.clone();
                let mut steps = 0;
                let mut rng = stream(6, seed);
                for step in mutator.path(&source, &target, mode, &mut rng).unwrap() {
                    steps += 1;
                    assert!(step.new.size() <= small, "{step:?}");
                    assert!(
                        mode == PathMode::Plain || step.old.size() <= small,
                        "{step:?}"
                    );
                    assert_ne!(step.old, step.new);
                    let edit = Edit {
                        position: step.position,
                        replacement: step.new,
                    };
                    assert_eq!(edit::inverse(&grammar, &at, &edit).replacement, step.old);
                    at = edit::apply(&grammar, &at, &edit);
                    assert!(at.is_valid(&grammar), "{at:?}");
                }
                assert_eq!(at, target);
                let bound = match mode {
                    PathMode::Plain => target.len(),
                    PathMode::Strict => target.len() + source.len(),
                };
                assert!(steps <= bound);
                longest = longest.max(steps);
            }
        }
        assert!(longest >= 2, "{:?} {longest}", grammar.size);
    }
}

#[test]
fn paths_can_begin_wherever_programs_differ() {
    let mut several = 0;
    for grammar in cases() {
        let inside = inside(&grammar);
        let mutator = Mutator::with_sampler(sampler(&grammar, &inside), grammar.mutate).unwrap();
        let (layout, small) = (mutator.sampler().layout(), grammar.mutate.small);
        let replace = |at: &Program, edit: &Edit| edit::apply(&grammar, at, edit);
        for seed in 0..150 {
            let (source, target) = (draw(&mutator, seed), draw(&mutator, seed + 10_000));
            for mode in [PathMode::Plain, PathMode::Strict] {
                let mut rng = stream(7, seed);
                let mut path = Path::new(layout, &inside, small, mode, &source, &target);
                let (mut at, mut edit, mut sites) = (source.clone(), Edit::default(), Vec::new());
                for steps in 0.. {
                    path.sites(&mut sites);
                    // The target's subtrees at all of them make the target.
                    let whole = sites.iter().rev().fold(at.clone(), |at, site| {
                        let replacement = layout.extract(&target, site.target);
                        assert_ne!(layout.extract(&at, site.source), replacement);
                        let position = site.source;
                        replace(
                            &at,
                            &Edit {
                                position,
                                replacement,
                            },
                        )
                    });
                    assert_eq!(whole, target);
                    if sites.is_empty() {
                        break;
                    }
                    several += usize::from(sites.len() > 1);
                    assert!(steps < source.len() + target.len());
                    let site = sites[below(&mut rng, sites.len() as u32) as usize];
                    let mut fill = Filler::new(mutator.sampler(), &mut rng);
                    assert!(path.propose_at(site, &mut fill, &mut edit));
                    let old = layout.extract(&at, edit.position);
                    assert_ne!(old, edit.replacement);
                    assert!(edit.replacement.size() <= small);
                    assert!(mode == PathMode::Plain || old.size() <= small);
                    path.apply(&edit);
                    at = replace(&at, &edit);
                    assert!(at.is_valid(&grammar), "{at:?}");
                    assert_eq!(path.current(), at);
                }
                assert_eq!(at, target);
                assert!(!path.propose(&mut Filler::new(mutator.sampler(), &mut rng), &mut edit));
            }
        }
    }
    assert!(several > 1_000, "{several}");
}

#[test]
fn the_same_program_needs_no_step_and_two_small_ones_need_one_at_their_root() {
    let grammar = grammar(CSG, SizeMetric::Primitives, 4);
    let inside = inside(&grammar);
    let mutator = Mutator::with_sampler(sampler(&grammar, &inside), grammar.mutate).unwrap();
    let mut rng = seeded(1);
    let one = |size, root: u16| {
        enumerate(&grammar, grammar.start, size, 9)
            .into_iter()
            .map(|(tree, _)| tree)
            .find(|tree| tree.nodes()[0].production.0 == root)
            .unwrap()
    };
    let (circle, pair) = (one(1, 0), one(2, 2));
    let same = mutator.path(&circle, &circle, PathMode::Strict, &mut rng);
    assert_eq!(same.unwrap().count(), 0);
    let steps: Vec<Step> = mutator
        .path(&circle, &pair, PathMode::Strict, &mut rng)
        .unwrap()
        .collect();
    assert_eq!(steps.len(), 1);
    assert_eq!((steps[0].position, &steps[0].new), (0, &pair));
}

#[test]
fn a_sigma_small_that_cannot_arrive_is_refused() {
    let text = "N:2 | S = *Dot N / Three S S S";
    let mut grammar = grammar(text, SizeMetric::Primitives, 6);
    let inside = inside(&grammar);
    grammar.mutate.small = 2;
    let mutator = Mutator::with_sampler(sampler(&grammar, &inside), grammar.mutate).unwrap();
    let program = draw(&mutator, 1);
    let mut rng = seeded(1);
    let error = mutator
        .path(&program, &program, PathMode::Plain, &mut rng)
        .err()
        .unwrap();
    assert_eq!(error, PathError { small: 2, least: 3 });
}
