//! The solver from outside: languages it was not made for, the same result for every number of
//! threads.

mod common;

use std::sync::atomic::AtomicBool;

use tdc::Compiled;
use tdc::render::{Picture, raster};
use tdc::sample::{Sampler, stream};
use tdc::scene::eval;
use tdc::search::solver::Solver;
use tdc::search::{Limits, Report, StopReason};
use tdc::tree::Program;

fn picture(compiled: &Compiled, program: &Program) -> Picture {
    let scene = eval::lower(&compiled.grammar, program).expect("a scene");
    raster::rasterize(&scene).expect("a picture")
}

fn solve(compiled: &Compiled, target: &Picture, evaluations: u64, threads: usize) -> Report {
    let limits = Limits {
        evaluations: Some(evaluations),
        ..Limits::default()
    };
    let mut solver = Solver::new(compiled, target, 8).expect("a solver");
    solver.options.threads = threads;
    let report = solver.search(&limits, &AtomicBool::new(false), &|_| {});
    report.expect("a report")
}

#[test]
fn a_grammar_from_outside_is_solved() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/solving/stencils.tdg");
    let compiled = Compiled::load(path).expect("a language");
    let sampler = Sampler::new(&compiled, compiled.grammar.sample).expect("programs");
    let (mut tasks, mut solved) = (0, 0);
    for index in 0..12 {
        let program = sampler.sample(&mut stream(4, index));
        let target = picture(&compiled, &program);
        // A board on which nothing can be seen is no task.
        if target.data.iter().filter(|ink| **ink >= 128).count() < 100 {
            continue;
        }
        tasks += 1;
        let report = solve(&compiled, &target, 2_000_000, 1);
        assert!(report.program.is_valid(&compiled.grammar));
        assert!(report.evaluations <= 2_000_001, "{}", report.evaluations);
        if report.stop == StopReason::Solved {
            solved += 1;
            let found = picture(&compiled, &report.program);
            assert!(tdc::render::metric::iou(&found, &target) >= 0.99);
        } else {
            eprintln!(
                "not solved: {}\n     found: {}",
                compiled.print(&program),
                compiled.print(&report.program)
            );
        }
    }
    assert!(tasks >= 8, "{tasks}");
    assert!(solved + 1 >= tasks, "{solved} of {tasks}");
}

#[test]
fn what_is_found_does_not_depend_on_the_number_of_threads() {
    let compiled = common::grammar("icons");
    let text = "(- (mirror (+ (circle 30 at 38 46) (triangle 14 64 64 112 64 40))) (line 40 30 to 90 80 width 7))";
    let program = compiled.parse(text).expect("a program");
    let target = picture(&compiled, &program);
    let told = |threads| {
        let report = solve(&compiled, &target, 1_200_000, threads);
        let steps: Vec<(u64, String)> = report
            .trajectory
            .iter()
            .map(|step| (step.evaluations, compiled.print(&step.program)))
            .collect();
        (
            report.stop,
            compiled.print(&report.program),
            report.evaluations,
            report.renders,
            steps,
        )
    };
    let one = told(1);
    assert_eq!(one, told(2));
    assert_eq!(one, told(3));
}
