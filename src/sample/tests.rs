//! Samplers against enumeration.

use std::collections::BTreeMap;

use rand::Rng as _;

use super::testing::{CSG, Letters, MOVES, chi_square, enumerate, grammar, inside, sampler};
use super::*;
use crate::grammar::ir::SizeMetric;

const TEXTS: &str = "W~ | N:2 | S = *Name W / *Num N / Two S S / Tag@0.5 W S";

#[test]
fn streams_are_fixed_and_differ() {
    assert_eq!(stream(7, 3), stream(7, 3));
    let mut firsts: Vec<u64> = (0..1000).map(|i| stream(7, i).next_u64()).collect();
    firsts.extend((0..1000).map(|i| stream(8, i).next_u64()));
    firsts.sort_unstable();
    firsts.dedup();
    assert_eq!(firsts.len(), 2000);
    // The bytes are part of the contract: they may not change between versions or machines.
    assert_eq!(seeded(1).next_u64(), 0xcfc5_d07f_6f03_c29b);
}

/// Draws `n` trees and compares them with the enumeration of all with at most `nodes` nodes; what
/// has more nodes is one more cell. `bend` falsifies the expectation.
fn compare(text: &str, metric: SizeMetric, size: u32, nodes: usize, bend: f64) -> f64 {
    let grammar = grammar(text, metric, size.max(2));
    let inside = inside(&grammar);
    let sampler = sampler(&grammar, &inside);
    let trees = enumerate(&grammar, grammar.start, size, nodes);
    let whole = inside.weight(grammar.start, size).to_f64();
    let mut seen: BTreeMap<Vec<(u16, u32)>, usize> = BTreeMap::new();
    let mut texts: BTreeMap<(usize, Vec<Box<str>>), usize> = BTreeMap::new();
    let mut expected = Vec::new();
    let key = |p: &Program| -> Vec<(u16, u32)> {
        p.nodes()
            .iter()
            .map(|n| (n.production.0, n.value))
            .collect()
    };
    for (tree, weight) in &trees {
        let shape = seen.len();
        let shape = *seen.entry(key(tree)).or_insert(shape);
        texts.insert((shape, tree.texts().to_vec()), expected.len());
        expected.push(weight / whole);
    }
    let rest = 1.0 - expected.iter().sum::<f64>();
    assert!(
        rest > -1e-9,
        "{text} {metric:?} {size}: the tables miss {rest}"
    );
    expected.push(rest.max(0.0));
    expected[0] *= 1.0 + bend;
    let n = 200_000;
    let mut counts = vec![0.0; expected.len()];
    let mut rng = seeded(11);
    for _ in 0..n {
        let program = sampler
            .sample_nt(grammar.start, size..=size, &mut rng)
            .unwrap();
        assert!(program.is_valid(&grammar) && program.size() == size);
        let cell = seen
            .get(&key(&program))
            .and_then(|shape| texts.get(&(*shape, program.texts().to_vec())));
        counts[*cell.unwrap_or(&(expected.len() - 1))] += 1.0;
    }
    let expected: Vec<f64> = expected.iter().map(|p| p * f64::from(n)).collect();
    chi_square(&counts, &expected)
}

#[test]
fn samples_follow_the_weights_exactly() {
    use SizeMetric::{Depth, Nodes, Primitives};
    for (text, metric, size, nodes) in [
        (CSG, Primitives, 1, 4),
        (CSG, Primitives, 2, 9),
        (CSG, Nodes, 3, 3),
        (CSG, Nodes, 7, 7),
        (CSG, Depth, 2, 9),
        (MOVES, Primitives, 0, 7),
        (MOVES, Primitives, 1, 7),
        (MOVES, Primitives, 2, 8),
        (MOVES, Nodes, 4, 9),
        (TEXTS, Primitives, 1, 4),
        (TEXTS, Nodes, 5, 5),
    ] {
        let p = compare(text, metric, size, nodes, 0.0);
        assert!(p > 1e-4, "{text}, {metric:?} {size}: p = {p}");
    }
}

#[test]
fn a_wrong_distribution_is_noticed() {
    let p = compare(CSG, SizeMetric::Primitives, 1, 4, 0.1);
    assert!(p < 1e-6, "p = {p}");
}

#[test]
fn four_primitives_have_five_equal_shapes() {
    let (exact, _) = shapes(4, Procedure::Exact);
    assert_eq!(exact.len(), 5);
    for share in exact {
        assert!((share - 0.2).abs() < 0.005, "{share}");
    }
}

/// Shares of the tree shapes, falling, and their number.
fn shapes(primitives: u32, procedure: Procedure) -> (Vec<f64>, usize) {
    let mut grammar = grammar(CSG, SizeMetric::Primitives, 8);
    grammar.sample.procedure = procedure;
    (grammar.sample.min, grammar.sample.max) = (primitives, primitives);
    let inside = inside(&grammar);
    let sampler = sampler(&grammar, &inside);
    let mut counts: BTreeMap<Vec<bool>, usize> = BTreeMap::new();
    let n = 100_000;
    let (mut scratch, mut program) = (Scratch::default(), Program::default());
    for i in 0..n {
        sampler.sample_into(&mut scratch, &mut stream(3, i), &mut program);
        assert_eq!(program.size(), primitives);
        let shape = |node: &crate::tree::Node| match node.production.0 {
            0 | 1 => Some(true),
            2 => Some(false),
            _ => None,
        };
        *counts
            .entry(program.nodes().iter().filter_map(shape).collect())
            .or_default() += 1;
    }
    let mut shares: Vec<f64> = counts.values().map(|c| *c as f64 / n as f64).collect();
    shares.sort_by(|a, b| b.total_cmp(a));
    let count = shares.len();
    (shares, count)
}

#[test]
fn frontier_has_the_bias_of_the_reference() {
    // ENGINE: two of 42 shapes take 43 % at six primitives; issue: one of five takes 65 % at four.
    let (four, _) = shapes(4, Procedure::Frontier);
    assert!((four[0] - 0.65).abs() < 0.03, "{four:?}");
    let (six, count) = shapes(6, Procedure::Frontier);
    assert_eq!(count, 42);
    assert!((six[0] + six[1] - 0.43).abs() < 0.03, "{six:?}");
}

#[test]
fn frontier_ends_on_zero_size_recursion() {
    for metric in [SizeMetric::Primitives, SizeMetric::Nodes] {
        let mut grammar = grammar(MOVES, metric, 8);
        grammar.sample.procedure = Procedure::Frontier;
        let inside = inside(&grammar);
        let sampler = sampler(&grammar, &inside);
        for i in 0..2000 {
            assert!(sampler.sample(&mut stream(1, i)).is_valid(&grammar));
        }
    }
}

#[test]
fn sizes_are_uniform_or_by_weight() {
    for by_weight in [false, true] {
        let mut grammar = grammar(CSG, SizeMetric::Primitives, 5);
        grammar.sample.by_weight = by_weight;
        let inside = inside(&grammar);
        let sampler = sampler(&grammar, &inside);
        let whole: f64 = (1..=5)
            .map(|s| inside.weight(grammar.start, s).to_f64())
            .sum();
        let n = 100_000;
        let mut counts = vec![0.0; 5];
        for i in 0..n {
            let size = sampler.sample(&mut stream(9, i)).size();
            counts[size as usize - 1] += 1.0;
        }
        let share = |s: u32| match by_weight {
            true => inside.weight(grammar.start, s).to_f64() / whole,
            false => 0.2,
        };
        let expected: Vec<f64> = (1..=5).map(|s| share(s) * n as f64).collect();
        assert!(chi_square(&counts, &expected) > 1e-4);
    }
}

#[test]
fn large_sizes_are_summed_up_alike() {
    // Past the dense tables choices are scanned: 200 primitives, and the same law of the left
    // branch's size at the root as the tables give.
    let mut grammar = grammar(CSG, SizeMetric::Primitives, 200);
    grammar.sample.min = 200;
    let inside = inside(&grammar);
    let sampler = sampler(&grammar, &inside);
    let z = |s: u32| inside.weight(grammar.start, s);
    let all: crate::grammar::mass::Mass = (1..200).map(|a| z(a) * z(200 - a)).sum();
    let n = 20_000;
    let mut counts = vec![0.0; 200];
    for i in 0..n {
        let program = sampler.sample(&mut stream(4, i));
        assert!(program.size() == 200);
        counts[program.nodes()[2].size as usize] += 1.0;
    }
    let expected: Vec<f64> = (0..200)
        .map(|a| match a {
            0 => 0.0,
            _ => (z(a) * z(200 - a)).share(all) * n as f64,
        })
        .collect();
    assert!(chi_square(&counts, &expected) > 1e-4);
}

#[test]
fn a_window_past_the_tables_grows_them_and_an_empty_one_is_refused() {
    let grammar = grammar(
        "A:2 | S = Pair D D / Four D D D D | D = *Dot A",
        SizeMetric::Primitives,
        4,
    );
    let inside = inside(&grammar);
    let spec = |min, max| SampleSpec {
        min,
        max,
        ..grammar.sample
    };
    let error = Sampler::from_parts(&grammar, &inside, &Letters, spec(5, 9)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no `S` has a size in 5..=9; sizes that exist: 2, 4"
    );
    let grown = Sampler::from_parts(&grammar, &inside, &Letters, spec(0, 1000)).unwrap();
    assert_eq!(grown.inside().max(), 1000);
    let error = Sampler::from_parts(&grammar, &inside, &Letters, spec(0, 5000)).unwrap_err();
    assert_eq!(error, SizeError::TooLarge(5000));
}

#[test]
fn differing_draws_are_exactly_conditioned() {
    for (text, metric, small) in [
        (CSG, SizeMetric::Primitives, 2),
        (MOVES, SizeMetric::Primitives, 1),
        (CSG, SizeMetric::Depth, 2),
        (TEXTS, SizeMetric::Nodes, 3),
    ] {
        let grammar = grammar(text, metric, small.max(2));
        let inside = inside(&grammar);
        let sampler = sampler(&grammar, &inside);
        let sizes: Vec<u32> = inside
            .sizes(grammar.start)
            .filter(|s| *s <= small)
            .collect();
        // The law without the condition, up to trees of 8 nodes.
        let mut law: BTreeMap<String, f64> = BTreeMap::new();
        let key = |p: &Program| {
            let nodes: Vec<(u16, u32)> = p
                .nodes()
                .iter()
                .map(|n| (n.production.0, n.value))
                .collect();
            format!("{nodes:?}{:?}", p.texts())
        };
        let mut trees = Vec::new();
        for size in &sizes {
            let whole = inside.weight(grammar.start, *size).to_f64();
            for (tree, weight) in enumerate(&grammar, grammar.start, *size, 8) {
                law.insert(key(&tree), weight / whole / sizes.len() as f64);
                trees.push(tree);
            }
        }
        let mut rng = seeded(21);
        for _ in 0..4 {
            let given = &trees[below(&mut rng, trees.len() as u32) as usize];
            let taken = law[&key(given)];
            let n = 60_000;
            let mut counts: BTreeMap<String, f64> = BTreeMap::new();
            let mut out = Program::default();
            let goal = Goal {
                nt: grammar.start,
                root: None,
            };
            let mut scratch = Scratch::default();
            for _ in 0..n {
                assert!(sampler.sample_other(
                    goal,
                    given,
                    0,
                    0..=small,
                    &mut scratch,
                    &mut rng,
                    &mut out
                ));
                assert!(out.is_valid(&grammar) && out != *given && out.size() <= small);
                *counts.entry(key(&out)).or_default() += 1.0;
            }
            let mut expected: Vec<f64> = Vec::new();
            let mut seen: Vec<f64> = Vec::new();
            for (name, p) in &law {
                if *name != key(given) {
                    expected.push(p / (1.0 - taken) * f64::from(n));
                    seen.push(counts.get(name).copied().unwrap_or(0.0));
                }
            }
            expected.push((f64::from(n) - expected.iter().sum::<f64>()).max(0.0));
            seen.push(f64::from(n) - seen.iter().sum::<f64>());
            let p = chi_square(&seen, &expected);
            assert!(p > 1e-4, "{text} {metric:?} {}: p = {p}", key(given));
        }
    }
}
