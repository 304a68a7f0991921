//! What canonical forms merge, and what they cost: `cargo bench --bench merging`.
//!
//! Training targets are drawn from the language's window; states are those that a beam search looks at:
//! mutations of 64 programs, which are mutations of one program. The table counts programs that
//! are different as they stand, and those that are still different in canonical form. A second table
//! has the time of single canonical forms, of programs of one size.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use tdc::Compiled;
use tdc::mutate::Mutator;
use tdc::rewrite::Simplifier;
use tdc::sample::{Sampler, stream};
use tdc::tree::{Program, edit};

/// Training targets.
const TARGETS: u64 = 4_000;
/// Programs that are timed one by one.
const SINGLE: u64 = 500;
/// Beams, programs in a beam, mutations of each.
const BEAMS: u64 = 4;
const BEAM: u64 = 64;
const WIDTH: u64 = 16;

fn main() {
    println!("| language | programs | number | different | canonical | microseconds each |");
    println!("|---|---|---:|---:|---:|---:|");
    for name in ["csg2d", "rainbow", "tinysvg"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("grammars/{name}.tdg"));
        let compiled = match Compiled::load(&path) {
            Ok(compiled) => compiled,
            Err(error) => {
                eprintln!("{error}");
                std::process::exit(1);
            }
        };
        let sampler = match Sampler::new(&compiled, compiled.grammar.sample) {
            Ok(sampler) => sampler,
            Err(error) => {
                eprintln!("{error}");
                std::process::exit(1);
            }
        };
        let targets: Vec<Program> = (0..TARGETS)
            .map(|item| sampler.sample(&mut stream(0, item)))
            .collect();
        row(&compiled, "training targets", &[targets]);
        let Ok(mutator) = Mutator::with_sampler(sampler, compiled.grammar.mutate) else {
            continue;
        };
        let mutated = |program: &Program, item: u64| {
            let change = mutator.propose(program, &mut stream(1, item))?;
            Some(edit::apply(&compiled.grammar, program, &change))
        };
        let beams: Vec<Vec<Program>> = (0..BEAMS)
            .map(|beam| {
                let root = mutator.sampler().sample(&mut stream(2, beam));
                let first = (0..BEAM).filter_map(|i| mutated(&root, beam * BEAM + i));
                first
                    .enumerate()
                    .flat_map(|(at, parent)| {
                        let from = (beam * BEAM + at as u64) * WIDTH;
                        (0..WIDTH)
                            .filter_map(|i| mutated(&parent, from + i))
                            .collect::<Vec<_>>()
                    })
                    .collect()
            })
            .collect();
        row(&compiled, "states of beams", &beams);
    }
    println!("\n| language | size | mean, milliseconds | median | 99 of 100 |");
    println!("|---|---:|---:|---:|---:|");
    for size in [2, 4, 8, 16] {
        for name in ["csg2d", "tinysvg"] {
            times(name, size);
        }
    }
}

/// The time of single canonical forms of random programs of a size.
fn times(name: &str, size: u32) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("grammars/{name}.tdg"));
    let Ok(compiled) = Compiled::load(&path) else {
        return;
    };
    let mut spec = compiled.grammar.sample;
    (spec.min, spec.max) = (size, size);
    let Ok(sampler) = Sampler::new(&compiled, spec) else {
        return;
    };
    let simplifier = Simplifier::new(&compiled);
    let mut times: Vec<f64> = (0..SINGLE)
        .map(|item| {
            let program = sampler.sample(&mut stream(3, item));
            let began = Instant::now();
            std::hint::black_box(simplifier.canonical(&program));
            1e3 * began.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[(share * (times.len() - 1) as f64) as usize];
    let mean = times.iter().sum::<f64>() / times.len() as f64;
    println!(
        "| {name} | {size} | {mean:.2} | {:.2} | {:.2} |",
        at(0.5),
        at(0.99)
    );
}

/// Programs are compared within each set.
fn row(compiled: &Compiled, what: &str, sets: &[Vec<Program>]) {
    let simplifier = Simplifier::new(compiled);
    let (mut number, mut different, mut canonical) = (0, 0, 0);
    let mut seconds = 0.0;
    for set in sets {
        number += set.len();
        let texts: BTreeSet<String> = set.iter().map(|p| compiled.print(p)).collect();
        different += texts.len();
        let began = Instant::now();
        let forms: Vec<Program> = set.iter().map(|p| simplifier.canonical(p)).collect();
        seconds += began.elapsed().as_secs_f64();
        let texts: BTreeSet<String> = forms.iter().map(|p| compiled.print(p)).collect();
        canonical += texts.len();
    }
    let each = 1e6 * seconds / number.max(1) as f64;
    println!(
        "| {} | {what} | {number} | {different} | {canonical} | {each:.0} |",
        compiled.grammar.name
    );
}
