//! What the typed view costs, against the dynamic API in the same run, and how long a grammar takes
//! from text to Rust.
//!
//!     cargo bench --bench generated
//!
//! Each comparison runs both sides in turns, so that a machine that slows down slows both; what is
//! printed is the median over the turns, and the median of the ratio within a turn. Nothing is
//! checked here: timing never decides a test.

// Benchmarks print.
#![allow(clippy::print_stdout)]

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use tdc::codegen::rust::{RustOptions, rust};
use tdc::mutate::Mutator;
use tdc::sample::{Sampler, seeded};
use tdc::{Compiled, pipeline};

#[allow(dead_code, missing_docs)]
mod arith {
    include!("../snapshots/generated/arith.rs");
}
#[allow(dead_code, missing_docs)]
mod csg2d {
    include!("../snapshots/generated/csg2d.rs");
}
#[allow(dead_code, missing_docs)]
mod csg2d_sketch {
    include!("../snapshots/generated/csg2d_sketch.rs");
}
#[allow(dead_code, missing_docs)]
mod imp {
    include!("../snapshots/generated/imp.rs");
}
#[allow(dead_code, missing_docs)]
mod json {
    include!("../snapshots/generated/json.rs");
}
#[allow(dead_code, missing_docs)]
mod mandala {
    include!("../snapshots/generated/mandala.rs");
}
#[allow(dead_code, missing_docs)]
mod rainbow {
    include!("../snapshots/generated/rainbow.rs");
}
#[allow(dead_code, missing_docs)]
mod street {
    include!("../snapshots/generated/street.rs");
}
#[allow(dead_code, missing_docs)]
mod tinysvg {
    include!("../snapshots/generated/tinysvg.rs");
}

/// Turns of a comparison.
const TURNS: usize = 15;
/// How long one side runs in a turn.
const SLICE: Duration = Duration::from_millis(40);

fn main() {
    println!(
        "{:36} {:>12} {:>12} {:>6}",
        "per second", "dynamic", "typed", "cost"
    );
    macro_rules! language {
        ($name:literal, $root:ty, $module:ident) => {{
            let compiled = $module::LANGUAGE.compiled().expect("its own image");
            operators::<$root>($name, compiled);
        }};
    }
    language!("csg2d", csg2d::Shape, csg2d);
    language!("tinysvg", tinysvg::Object, tinysvg);
    language!("json", json::Value, json);
    language!("csg2d_sketch", csg2d_sketch::Shape, csg2d_sketch);
    language!("rainbow", rainbow::Object, rainbow);
    language!("arith", arith::Expr, arith);
    language!("imp", imp::Program, imp);
    language!("street", street::Street, street);
    language!("mandala", mandala::Mandala, mandala);

    println!(
        "\n{:36} {:>12} {:>12} {:>12}",
        "milliseconds", "check", "generate", "together"
    );
    for name in ["csg2d", "tinysvg", "json", "imp", "mandala"] {
        end_to_end(name);
    }
}

/// Sampling, mutating and printing, both ways.
fn operators<T: tdc::typed::Tree + Clone + std::fmt::Display>(
    name: &str,
    compiled: &'static Compiled,
) {
    let sampler = Sampler::new(compiled, compiled.grammar.sample).expect("its own settings");
    let mutator = Mutator::new(compiled, compiled.grammar.mutate).expect("its own settings");
    let (mut one, mut two) = (seeded(1), seeded(1));
    compare(
        &format!("{name}: sample"),
        || drop(black_box(sampler.sample(&mut one))),
        || drop(black_box(T::random(&mut two))),
    );

    // Chains of mutations, begun again before programs have grown far from random ones.
    let source = sampler.sample(&mut seeded(2));
    let typed_source = T::from_program(&source).expect("a shallow program");
    let (mut one, mut two) = (seeded(3), seeded(3));
    let (mut program, mut value) = (source.clone(), typed_source.clone());
    let (mut steps, mut typed_steps) = (0, 0);
    compare(
        &format!("{name}: mutate"),
        || {
            if steps % 16 == 0 {
                program = source.clone();
            }
            steps += 1;
            if let Some(edit) = mutator.propose(&program, &mut one) {
                // The quickest that the dynamic API has: with the mutator's own layout.
                let layout = mutator.sampler().layout();
                let inverse = layout.extract(&program, edit.position);
                layout.apply(&mut program, &edit);
                black_box((&program, inverse));
            }
        },
        || {
            if typed_steps % 16 == 0 {
                value = typed_source.clone();
            }
            typed_steps += 1;
            drop(black_box(value.mutate(&mut two)));
        },
    );

    compare(
        &format!("{name}: print"),
        || drop(black_box(compiled.print(&source))),
        || drop(black_box(typed_source.to_string())),
    );
    let text = compiled.print(&source);
    let mut parser = compiled.parser();
    compare(
        &format!("{name}: parse"),
        || drop(black_box(parser.parse(&text))),
        || drop(black_box(T::parse(&text))),
    );
}

fn compare(what: &str, mut dynamic: impl FnMut(), mut typed: impl FnMut()) {
    let mut turns: Vec<(f64, f64)> = Vec::new();
    for turn in 0..=TURNS {
        let pair = (rate(&mut dynamic), rate(&mut typed));
        // The first turn fills caches.
        if turn > 0 {
            turns.push(pair);
        }
    }
    let dynamic = median(turns.iter().map(|(d, _)| *d));
    let typed = median(turns.iter().map(|(_, t)| *t));
    let cost = median(turns.iter().map(|(d, t)| d / t));
    println!("{what:36} {dynamic:>12.0} {typed:>12.0} {cost:>5.2}x");
}

/// Calls per second, over one slice.
fn rate(call: &mut impl FnMut()) -> f64 {
    let start = Instant::now();
    let mut calls = 0u32;
    while start.elapsed() < SLICE {
        for _ in 0..64 {
            call();
        }
        calls += 64;
    }
    f64::from(calls) / start.elapsed().as_secs_f64()
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// From the file on disk to the text of its module.
fn end_to_end(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("grammars")
        .join(name);
    let path = path.with_extension("tdg");
    let mut turns = Vec::new();
    for _ in 0..=TURNS {
        let start = Instant::now();
        let outcome = pipeline::compile_path(&path);
        let checked = start.elapsed();
        let compiled = outcome.compiled.as_ref().expect("a shipped grammar");
        let text = rust(compiled, &outcome.sources, &RustOptions::default());
        black_box(text.expect("Rust"));
        turns.push((checked, start.elapsed()));
    }
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let check = median(turns.iter().skip(1).map(|(c, _)| ms(*c)));
    let whole = median(turns.iter().skip(1).map(|(_, w)| ms(*w)));
    println!(
        "{name:36} {check:>12.2} {:>12.2} {whole:>12.2}",
        whole - check
    );
}
