//! Simplifying shipped languages: pictures stay, programs get shorter, equal ones meet.
//!
//! `TDC_SIMPLIFY=10000 cargo test --release --test simplify -- --nocapture` looks at as many programs
//! as that and prints figures.

mod common;

use std::time::Instant;

use common::{grammar, parallel, shipped};
use tdc::Compiled;
use tdc::mutate::Mutator;
use tdc::render::coverage::Engine;
use tdc::render::metric;
use tdc::rewrite::{Limits, Simplifier};
use tdc::sample::{Sampler, stream};
use tdc::scene::eval::lower;
use tdc::tree::Program;

/// Programs to look at.
fn count(usual: u64) -> u64 {
    let asked = std::env::var("TDC_SIMPLIFY").ok();
    asked.map_or(usual, |n| n.parse().expect("a number"))
}

/// A random program of this size.
fn program(compiled: &Compiled, size: u32, index: u64) -> Program {
    let window = tdc::grammar::ir::SampleSpec {
        min: size,
        max: size,
        ..compiled.grammar.sample
    };
    let sampler = Sampler::new(compiled, window).expect("programs of this size");
    sampler.sample(&mut stream(11, index))
}

/// Pictures of 256 pixels of random programs of 8 primitives agree with those of their simplified
/// forms, and most of these are shorter.
#[test]
fn pictures_of_csg2d_stay_and_programs_get_shorter() {
    let compiled = grammar("csg2d");
    let n = count(200);
    let parts = parallel(n, |range| {
        let simplifier = Simplifier::new(&compiled).with_limits(Limits::canonical());
        let mut engine = Engine::new();
        let (mut shorter, mut before, mut after) = (0u64, 0u64, 0u64);
        let (mut worst, mut times) = (1.0f64, Vec::new());
        let mut changed: Vec<String> = Vec::new();
        for index in range {
            let given = program(&compiled, 8, index);
            let started = Instant::now();
            let done = simplifier.simplify(&given);
            times.push(started.elapsed().as_secs_f64() * 1e3);
            assert!(done.program.is_valid(&compiled.grammar));
            let text = compiled.print(&done.program);
            assert_eq!(compiled.parse(&text).expect("printed"), done.program);
            let mut draw = |program: &Program| {
                let scene = lower(&compiled.grammar, program)
                    .expect("a scene")
                    .scaled(2);
                engine.draw(&scene).expect("a picture")
            };
            let (a, b) = (draw(&given), draw(&done.program));
            assert_eq!((a.width, a.height), (256, 256));
            // Two empty pictures agree.
            let iou = metric::iou(&a, &b);
            worst = worst.min(iou);
            if iou < 0.999 {
                let given = compiled.print(&given);
                changed.push(format!("{iou}: {given} became {text}"));
            }
            let (old, new) = (done.before, done.cost);
            let less = (new.price, new.nodes) < (old.price, old.nodes);
            shorter += u64::from(less);
            before += old.price;
            after += new.price;
        }
        (shorter, before, after, worst, times, changed)
    });
    let shorter: u64 = parts.iter().map(|p| p.0).sum();
    let before: u64 = parts.iter().map(|p| p.1).sum();
    let after: u64 = parts.iter().map(|p| p.2).sum();
    let worst = parts.iter().map(|p| p.3).fold(1.0, f64::min);
    let changed: Vec<&String> = parts.iter().flat_map(|p| &p.5).collect();
    assert!(changed.is_empty(), "{changed:#?}");
    let mut times: Vec<f64> = parts.into_iter().flat_map(|p| p.4).collect();
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!(
        "{n} programs: {shorter} shorter, {before} primitives to {after}, least IoU {worst}; \
         {:.2} ms in the middle, {:.2} for 99 of 100, {:.2} at most",
        at(0.5),
        at(0.99),
        at(1.0)
    );
    assert!(shorter * 100 >= n * SHORTER, "{shorter} of {n}");
}

/// Percent of the programs that get shorter, at least.
const SHORTER: u64 = 85;

/// For every language with rules: what comes out is a program of it, and comes out of itself.
#[test]
fn every_language_with_rules_is_simplified() {
    let mut seen = 0;
    for (name, compiled) in shipped() {
        if compiled.rules.is_empty() {
            continue;
        }
        seen += 1;
        let simplifier = Simplifier::new(&compiled);
        let mutator = Mutator::new(&compiled, compiled.grammar.mutate).expect("a mutator");
        for index in 0..count(60) {
            let given = mutator.sampler().sample(&mut stream(12, index));
            let out = simplifier.canonical(&given);
            let text = compiled.print(&out);
            assert!(out.is_valid(&compiled.grammar), "{name}: {text}");
            assert_eq!(
                compiled.parse(&text).expect("printed"),
                out,
                "{name}: {text}"
            );
            assert_eq!(simplifier.canonical(&out), out, "{name}: {text}");
            assert_eq!(simplifier.canonical(&given), out, "{name}: {text}");
        }
    }
    assert!(seen >= 3);
}
