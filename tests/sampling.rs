//! The sampler and the mutators, as the book promises them: exact, inside the window, and with the
//! figures of the paper's appendix A where the reference's procedure is asked for.

mod common;

use std::collections::BTreeMap;

use common::{Kinds, chi_square, grammar, parallel, shipped, trees};
use tdc::Compiled;
use tdc::grammar::ir::{NodeChoice, Procedure, ProductionKind, SampleSpec, SyntaxItem};
use tdc::mutate::{self, Mutator};
use tdc::sample::{Sampler, Scratch, seeded, stream};
use tdc::tree::{Edit, Program};

fn window(compiled: &Compiled, min: u32, max: u32) -> SampleSpec {
    SampleSpec {
        min,
        max,
        ..compiled.grammar.sample
    }
}

/// Draws `n` programs of one size and compares them with all programs of that size with at most
/// `nodes` nodes; those with more are one further cell. `bend` falsifies the expectation.
fn compare(compiled: &Compiled, size: u32, nodes: usize, values: bool, n: u64, bend: f64) -> f64 {
    let g = &compiled.grammar;
    let all = trees(g, g.start, size, nodes, values);
    let whole = compiled.inside.weight(g.start, size).to_f64();
    let mut cells: BTreeMap<Kinds, usize> = BTreeMap::new();
    let mut shares = Vec::new();
    for (kinds, _, weight) in all.into_iter().filter(|tree| tree.1 == size) {
        assert!(cells.insert(kinds, shares.len()).is_none(), "listed twice");
        shares.push(weight / whole);
    }
    let missing = 1.0 - shares.iter().sum::<f64>();
    assert!(
        missing > -1e-9,
        "more programs than the tables know: {missing}"
    );
    shares.push(missing.max(0.0));
    // Half of the cells too large, half too small.
    for (index, share) in shares.iter_mut().enumerate() {
        *share *= if index % 2 == 0 {
            1.0 + bend
        } else {
            1.0 - bend
        };
    }
    let sampler = Sampler::new(compiled, window(compiled, size, size)).expect("a size that exists");
    let counts = parallel(n, |range| {
        let mut counts = vec![0.0; shares.len()];
        let (mut scratch, mut program) = (Scratch::default(), Program::default());
        for i in range {
            sampler.sample_into(&mut scratch, &mut stream(1, i), &mut program);
            let kinds: Kinds = program
                .nodes()
                .iter()
                .filter(|node| {
                    let kind = g.production(node.production).kind;
                    values || !matches!(kind, ProductionKind::Token(_))
                })
                .map(|node| (node.production, node.value))
                .collect();
            counts[*cells.get(&kinds).unwrap_or(&(shares.len() - 1))] += 1.0;
        }
        counts
    });
    let counts: Vec<f64> = (0..shares.len())
        .map(|cell| counts.iter().map(|row| row[cell]).sum())
        .collect();
    let total: f64 = shares.iter().sum();
    let expected: Vec<f64> = shares.iter().map(|p| p / total * n as f64).collect();
    chi_square(&counts, &expected)
}

/// A shipped grammar with smaller domains, so that its programs can be counted.
fn shrunk(name: &str, changes: &[(&str, &str)]) -> Compiled {
    let mut text = std::fs::read_to_string(format!("grammars/{name}.tdg")).expect("a grammar");
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    // Rules and examples speak of values that are gone.
    let text = text.split("\nrewrite ").next().expect("a first part");
    Compiled::from_text(name, text).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn csg2d_is_sampled_exactly() {
    // Every program, values included, where coordinates and angles have two values each.
    let small = shrunk(
        "csg2d",
        &[
            ("Coord = 0..=15", "Coord = 0..=1"),
            ("Angle = 0..=315 step 45", "Angle = 0..=45 step 45"),
        ],
    );
    for (size, nodes) in [(1, 6), (2, 14)] {
        let p = compare(&small, size, nodes, true, 200_000, 0.0);
        assert!(p > 1e-4, "csg2d, size {size}: p = {p}");
    }
    // Every shape with its operators and kinds, in the grammar as shipped.
    for size in 2..=4 {
        let p = compare(&grammar("csg2d"), size, 20, false, 200_000, 0.0);
        assert!(p > 1e-4, "csg2d, size {size}: p = {p}");
    }
}

#[test]
fn tinysvg_is_sampled_exactly_through_its_moves() {
    let small = shrunk("tinysvg", &[("Digit = 0..=9", "Digit = 0..=1")]);
    for (compiled, size) in [(&small, 1), (&small, 2), (&grammar("tinysvg"), 3)] {
        let p = compare(compiled, size, 9, false, 200_000, 0.0);
        assert!(p > 1e-4, "tinysvg, size {size}: p = {p}");
    }
}

#[test]
fn a_zero_size_recursion_is_sampled_exactly() {
    let text = "
        language moves
        start Shape
        sample size 1..=4
        token Step = 0..=2
        sort Shape {
            @primitive Dot = \"Dot\"
            @weight(0.1) Join = \"(\" \"Join\" a:Shape b:Shape \")\"
            @weight(0.3) Move = \"(\" \"Move\" of:Shape by:Step \")\"
            @weight(0.2) Swap = \"(\" \"Swap\" of:Frame \")\"
            @weight(0.05) Rest = \"(\" \"Rest\" steps:Step* @weight(0.5) \")\"
        }
        sort Frame { Thin = \"<\" of:Shape \">\"   Thick = \"<<\" of:Shape \">>\" }
    ";
    let moves = Compiled::from_text("moves", text).unwrap_or_else(|e| panic!("{e}"));
    for (size, nodes, values) in [(0, 8, true), (1, 7, false), (2, 7, false)] {
        let p = compare(&moves, size, nodes, values, 300_000, 0.0);
        assert!(p > 1e-4, "moves, size {size}: p = {p}");
    }
}

#[test]
fn a_wrong_distribution_is_noticed() {
    let csg2d = grammar("csg2d");
    assert!(compare(&csg2d, 3, 20, false, 200_000, 0.0) > 1e-4);
    assert!(compare(&csg2d, 3, 20, false, 200_000, 0.05) < 1e-6);
}

#[test]
fn four_primitives_have_five_shapes_of_20_percent() {
    let csg2d = grammar("csg2d");
    let g = &csg2d.grammar;
    let n = 200_000;
    let shares = |procedure| {
        let spec = SampleSpec {
            procedure,
            ..window(&csg2d, 4, 4)
        };
        let sampler = Sampler::new(&csg2d, spec).expect("a size that exists");
        let mut counts: BTreeMap<Vec<bool>, u64> = BTreeMap::new();
        for i in 0..n {
            let program = sampler.sample(&mut stream(2, i));
            let shape = program.nodes().iter().filter_map(|node| {
                let production = g.production(node.production);
                (production.primitive || production.children.len() == 3)
                    .then_some(production.primitive)
            });
            *counts.entry(shape.collect()).or_default() += 1;
        }
        let mut shares: Vec<f64> = counts.values().map(|c| *c as f64 / n as f64).collect();
        shares.sort_by(|a, b| b.total_cmp(a));
        shares
    };
    let exact = shares(Procedure::Exact);
    assert_eq!(exact.len(), 5);
    assert!(
        exact.iter().all(|share| (share - 0.2).abs() < 0.004),
        "{exact:?}"
    );
    // The reference gives one of them 65 %.
    let frontier = shares(Procedure::Frontier);
    assert!((frontier[0] - 0.65).abs() < 0.025, "{frontier:?}");
}

#[test]
fn the_window_is_never_left() {
    for (name, compiled) in shipped() {
        let spec = compiled.grammar.sample;
        let sampler = Sampler::new(&compiled, spec).expect("its own window");
        let n = if name == "csg2d" { 1_000_000 } else { 50_000 };
        parallel(n, |range| {
            let (mut scratch, mut program) = (Scratch::default(), Program::default());
            for i in range {
                sampler.sample_into(&mut scratch, &mut stream(3, i), &mut program);
                let size = program.size();
                assert!((spec.min..=spec.max).contains(&size), "{name}: {size}");
                // The size is measured again from the nodes alone.
                if i % 64 == 0 {
                    assert!(program.is_valid(&compiled.grammar), "{name}: {program:?}");
                    let text = compiled.print(&program);
                    assert_eq!(compiled.parse(&text).as_ref(), Ok(&program), "{text}");
                }
            }
        });
    }
}

#[test]
fn every_size_of_the_window_is_equally_likely() {
    for (name, compiled) in shipped() {
        let spec = compiled.grammar.sample;
        let sizes: Vec<u32> = compiled
            .inside
            .sizes(compiled.grammar.start)
            .filter(|size| (spec.min..=spec.max).contains(size))
            .collect();
        if sizes.len() < 2 {
            continue;
        }
        let sampler = Sampler::new(&compiled, spec).expect("its own window");
        let n = 20_000u64;
        let mut counts = vec![0.0; sizes.len()];
        let (mut scratch, mut program) = (Scratch::default(), Program::default());
        for i in 0..n {
            sampler.sample_into(&mut scratch, &mut stream(4, i), &mut program);
            let index = sizes
                .binary_search(&program.size())
                .expect("an existing size");
            counts[index] += 1.0;
        }
        let expected = vec![n as f64 / sizes.len() as f64; sizes.len()];
        let p = chi_square(&counts, &expected);
        assert!(p > 1e-4, "{name}: p = {p}");
    }
}

/// Number of words a program is printed as.
fn words(compiled: &Compiled, program: &Program) -> usize {
    let words = |node: &tdc::tree::Node| {
        let production = compiled.grammar.production(node.production);
        match production.kind {
            ProductionKind::Token(_) => 1,
            _ => production
                .syntax
                .iter()
                .filter(|item| matches!(item, SyntaxItem::Literal(_)))
                .count(),
        }
    };
    program.nodes().iter().map(words).sum()
}

/// Percentages of mutations that make a program shorter, leave its length, make it longer.
fn appendix_a(compiled: &Compiled, procedure: Procedure, choice: NodeChoice, n: u64) -> [f64; 3] {
    let spec = SampleSpec {
        procedure,
        ..compiled.grammar.sample
    };
    let sampler = Sampler::new(compiled, spec).expect("the grammar's own window");
    let mut mutate = compiled.grammar.mutate;
    mutate.choice = choice;
    let mutator = Mutator::with_sampler(sampler, mutate).expect("the grammar's own sigma_small");
    let mut counts = [0u64; 3];
    for i in 0..n {
        let mut rng = stream(5, i);
        let program = mutator.sampler().sample(&mut rng);
        let edit = mutator
            .propose(&program, &mut rng)
            .expect("something to mutate");
        let old = mutator.sampler().layout().extract(&program, edit.position);
        let (before, after) = (words(compiled, &old), words(compiled, &edit.replacement));
        counts[match after.cmp(&before) {
            std::cmp::Ordering::Less => 0,
            std::cmp::Ordering::Equal => 1,
            std::cmp::Ordering::Greater => 2,
        }] += 1;
    }
    counts.map(|count| 100.0 * count as f64 / n as f64)
}

#[test]
fn appendix_a_is_reproduced() {
    let csg2d = grammar("csg2d");
    let mut table = String::from("procedure  choice   shorter   equal  longer\n");
    for procedure in [Procedure::Frontier, Procedure::Exact] {
        for choice in [NodeChoice::Size, NodeChoice::Rule, NodeChoice::Node] {
            let [shorter, equal, longer] = appendix_a(&csg2d, procedure, choice, 10_000);
            let (procedure, choice) = (format!("{procedure:?}"), format!("by {choice:?}"));
            table +=
                &format!("{procedure:9}  {choice:7}  {shorter:6.1}  {equal:6.1}  {longer:6.1}\n");
        }
    }
    println!("{table}");
    let paper = [30.8, 49.2, 20.0];
    let found = appendix_a(&csg2d, Procedure::Frontier, NodeChoice::Size, 10_000);
    for (found, paper) in found.iter().zip(paper) {
        assert!(
            (found - paper).abs() < 1.5,
            "{found} for the paper's {paper}\n{table}"
        );
    }
}

#[test]
fn the_same_seed_gives_the_same_programs_on_every_thread() {
    for (name, compiled) in shipped() {
        let mutator = Mutator::new(&compiled, compiled.grammar.mutate).expect("its own settings");
        let run = |range: std::ops::Range<u64>| {
            let mut scratch = mutate::Scratch::default();
            let mut out = Vec::new();
            for i in range {
                let mut rng = stream(6, i);
                let program = mutator.sampler().sample(&mut rng);
                let mut edit = Edit::default();
                mutator.propose_into(&program, &mut scratch, &mut rng, &mut edit);
                out.push((program, edit));
            }
            out
        };
        let once = run(0..200);
        assert_eq!(once, parallel(200, run).concat(), "{name}");
        let other = mutator.sampler().sample(&mut seeded(7));
        assert!(once.iter().any(|(program, _)| *program != other), "{name}");
    }
}
