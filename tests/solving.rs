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
    solve_as(compiled, target, evaluations, threads, &|_| {})
}

fn solve_as(
    compiled: &Compiled,
    target: &Picture,
    evaluations: u64,
    threads: usize,
    set: &dyn Fn(&mut Solver<'_>),
) -> Report {
    let limits = Limits {
        evaluations: Some(evaluations),
        ..Limits::default()
    };
    let mut solver = Solver::new(compiled, target, 8).expect("a solver");
    solver.options.threads = threads;
    set(&mut solver);
    let report = solver.search(&limits, &AtomicBool::new(false), &|_| {});
    report.expect("a report")
}

#[test]
fn pictures_in_flat_colours_are_solved() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/grammars/flat.tdg");
    let compiled = Compiled::load(path).expect("a language");
    for text in [
        "red (circle 30 at 64 50); blue (rect 60 x 24 at 64 96 turn 0)",
        "sky (rect 128 x 128 at 64 64 turn 0); red (circle 30 at 64 50); blue (rect 60 x 24 at 64 96 turn 0)",
        "red (mirror (circle 30 at 46 76)); brown (line 64 50 to 70 26 width 6); lime (ellipse 6 x 16 at 86 30 turn 60)",
    ] {
        let target = picture(&compiled, &compiled.parse(text).expect("a program"));
        let report = solve(&compiled, &target, 1_500_000, 1);
        assert_eq!(report.stop, StopReason::Solved, "{text}: {}", report.score);
        let goal = compiled.grammar.goal.as_ref().expect("a goal");
        let found = picture(&compiled, &report.program);
        let score = tdc::render::metric::goal_score(goal, &found, &target);
        assert!(score >= 0.99, "{text}: {score}");
    }
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

#[test]
fn the_front_has_the_best_program_of_each_size() {
    let compiled = common::grammar("csg2d");
    let text = "(- (+ (Circle 6 5 8) (Quad 11 8 4 7 0)) (Circle 2 5 8))";
    let program = compiled.parse(text).expect("a program");
    let target = picture(&compiled, &program);
    let told = |threads| {
        let pareto = |solver: &mut Solver<'_>| solver.set_pareto(None);
        let report = solve_as(&compiled, &target, 600_000, threads, &pareto);
        let told: Vec<(u32, String, String)> = report
            .front
            .iter()
            .map(|p| (p.size, p.score.to_string(), compiled.print(&p.program)))
            .collect();
        (report.program, report.evaluations, told, report.front)
    };
    let (program, evaluations, one, front) = told(1);
    // Meeting the goal does not end it.
    assert!(evaluations > 590_000, "{evaluations}");
    assert!(front.len() >= 3, "{one:?}");
    assert_eq!(front[0].size, 1, "{one:?}");
    for pair in front.windows(2) {
        assert!(
            pair[0].size < pair[1].size && pair[0].score > pair[1].score,
            "{one:?}"
        );
    }
    for point in &front {
        let drawn = picture(&compiled, &point.program);
        assert_eq!(point.program.size(), point.size);
        let wrong = tdc::search::target::difference(&drawn, &target);
        assert!(
            (wrong - point.score).abs() < 1.0 + 0.01 * wrong,
            "{wrong} {}",
            point.score
        );
        assert_eq!(
            point.solved,
            tdc::render::metric::iou(&drawn, &target) >= 0.99
        );
    }
    // The result is the smallest that meets the goal.
    let met = front
        .iter()
        .find(|point| point.solved)
        .expect("one that meets the goal");
    assert_eq!((met.size, &met.program), (3, &program));
    assert_eq!((program, evaluations, one), {
        let (program, evaluations, two, _) = told(2);
        (program, evaluations, two)
    });
}

#[test]
fn what_a_unit_of_size_costs_decides_on_the_size() {
    let compiled = common::grammar("icons");
    // Two dots are 300 pixels and 20.
    let text = "(+ (circle 10 at 40 40) (circle 2.5 at 90 90))";
    let target = picture(&compiled, &compiled.parse(text).expect("a program"));
    let size = |price: f64| {
        let report = solve_as(&compiled, &target, 60_000, 1, &|solver| {
            solver.set_price(price)
        });
        (report.program.size(), report.stop)
    };
    assert_eq!(size(0.5), (2, StopReason::Solved));
    // Nothing is worth that: the search cannot meet the goal.
    let (dear, stop) = size(50.0);
    assert_eq!((dear, stop), (1, StopReason::Evaluations));
}
