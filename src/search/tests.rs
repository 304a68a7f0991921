//! Tests of the search: moves are valid, runs are the same everywhere, limits hold.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand::RngExt;

use super::anneal::{Options, Setup, search};
use super::front::Cycle;
use super::moves::Moves;
use super::solver::{Method, Solver};
use super::{Limits, Policy, Report, StopReason, Value};
use crate::Compiled;
use crate::mutate::Mutator;
use crate::render::coverage::Engine;
use crate::sample::{self, Rng, Sampler};
use crate::scene::eval;
use crate::tree::{Edit, Layout, Program};

fn shipped(name: &str) -> Compiled {
    let path = format!("{}/grammars/{name}.tdg", env!("CARGO_MANIFEST_DIR"));
    Compiled::load(&path).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn every_move_gives_a_valid_program_of_the_size_allowed() {
    for name in ["csg2d", "tinysvg", "street", "mandala", "imp", "json"] {
        let compiled = shipped(name);
        let grammar = &compiled.grammar;
        let sampler = Sampler::new(&compiled, grammar.sample).expect("programs");
        let mutator = Mutator::new(&compiled, grammar.mutate).expect("mutations");
        let max = grammar.sample.max;
        let mut moves = Moves::new(&compiled, &mutator, max);
        let layout = Layout::new(grammar);
        let mut rng = sample::seeded(3);
        let mut proposed = 0;
        for _ in 0..300 {
            let program = sampler.sample(&mut rng);
            let width = rng.random_range(1..=20);
            let answers = moves.propose(&[&program], width, &mut rng);
            assert_eq!(answers.len(), 1);
            assert!(answers[0].len() <= width);
            let simpler = moves.simpler(&program);
            for edit in answers[0].iter().map(|p| &p.edit).chain(&simpler) {
                proposed += 1;
                let mut edited = program.clone();
                layout.apply(&mut edited, edit);
                assert!(edited.is_valid(grammar), "{name}: {edit:?}");
                assert!(edited.size() <= max.max(program.size()), "{name}: {edit:?}");
            }
        }
        assert!(proposed > 300, "{name}: {proposed}");
    }
}

/// Strings of bits; the target is known, the score is the number of wrong bits.
pub(super) struct Bits<'a> {
    pub(super) mutator: Mutator<'a>,
    pub(super) compiled: &'a Compiled,
    pub(super) target: Program,
    pub(super) reachable: bool,
}

struct Wrong<'a>(&'a Bits<'a>, u64);

impl Value for Wrong<'_> {
    fn score(&mut self, states: &[&Program]) -> Vec<f64> {
        self.1 += states.len() as u64;
        let target = self.0.target.nodes();
        let wrong = |state: &&Program| {
            let nodes = state.nodes();
            let pairs = nodes.iter().zip(target);
            let differ = pairs.filter(|(a, b)| a.production != b.production).count();
            (differ + nodes.len().abs_diff(target.len())) as f64
        };
        states.iter().map(wrong).collect()
    }

    fn solved(&mut self, _: &Program, score: f64) -> bool {
        self.0.reachable && score == 0.0
    }

    fn renders(&self) -> u64 {
        self.1
    }
}

impl Setup for Bits<'_> {
    fn policy(&self) -> Box<dyn Policy + '_> {
        Box::new(Moves::new(self.compiled, &self.mutator, 12))
    }
    fn value(&self) -> Box<dyn Value + '_> {
        Box::new(Wrong(self, 0))
    }
    fn start(&self, rng: &mut Rng) -> Option<Program> {
        Some(self.mutator.sampler().sample(rng))
    }
    fn simpler(&self, program: &Program) -> Vec<Edit> {
        Moves::new(self.compiled, &self.mutator, 12).simpler(program)
    }
    fn layout(&self) -> &Layout {
        self.mutator.sampler().layout()
    }
}

pub(super) fn bits() -> Compiled {
    let text = "language bits start Word sample size 1..=12 mutate small 2
        sort Word { Last = bit:Bit  More = bit:Bit rest:Word }
        sort Bit { @primitive Zero = \"0\"  @primitive One = \"1\" }";
    Compiled::from_text("bits", text).unwrap_or_else(|e| panic!("{e}"))
}

fn run(reachable: bool, limits: Limits, threads: usize, interrupt: &AtomicBool) -> Option<Report> {
    run_at(reachable, limits, threads, interrupt, None)
}

fn run_at(
    reachable: bool,
    limits: Limits,
    threads: usize,
    interrupt: &AtomicBool,
    pareto: Option<Cycle>,
) -> Option<Report> {
    let compiled = bits();
    let spec = compiled.grammar.mutate;
    let target = crate::tree::parse(&compiled.grammar, &compiled.syntax, "1 0 1 1 0 0 1 0 1 1");
    let setup = Bits {
        mutator: Mutator::new(&compiled, spec).expect("mutations"),
        compiled: &compiled,
        target: target.expect("a program"),
        reachable,
    };
    let options = Options {
        threads,
        cold: 0.2,
        hot: 3.0,
        price: 0.0,
        pareto,
        seed: 5,
        ..Options::for_weight(10.0, 12)
    };
    search(&setup, &limits, &options, interrupt, &|_| {})
}

pub(super) fn evaluations(count: u64) -> Limits {
    Limits {
        evaluations: Some(count),
        ..Limits::default()
    }
}

#[test]
fn a_reachable_target_is_found() {
    let report = run(true, evaluations(100_000), 1, &AtomicBool::new(false)).expect("a report");
    assert_eq!(report.stop, StopReason::Solved);
    assert_eq!(report.score, 0.0);
    let scores: Vec<f64> = report.trajectory.iter().map(|step| step.score).collect();
    assert!(
        scores.windows(2).all(|pair| pair[1] < pair[0]),
        "{scores:?}"
    );
}

#[test]
fn the_report_does_not_depend_on_the_number_of_threads() {
    for (reachable, count) in [(true, 200_000), (false, 100_000), (false, 7)] {
        let told = |threads| {
            let report = run(
                reachable,
                evaluations(count),
                threads,
                &AtomicBool::new(false),
            );
            let report = report.expect("a report");
            let trajectory: Vec<(u64, String)> = report
                .trajectory
                .iter()
                .map(|step| {
                    (
                        step.evaluations,
                        format!("{} {:?}", step.score, step.program),
                    )
                })
                .collect();
            (
                report.stop,
                report.program,
                report.evaluations,
                report.expansions,
                report.renders,
                trajectory,
            )
        };
        let one = told(1);
        assert!(one.2 <= count);
        assert_eq!(one, told(2));
        assert_eq!(one, told(5));
    }
}

#[test]
fn the_front_of_the_edits_alone_is_the_same_for_every_number_of_threads() {
    let cycle = Cycle {
        high: 3.0,
        low: 0.01,
        first: 5_000,
    };
    let told = |threads| {
        let never = AtomicBool::new(false);
        let report = run_at(true, evaluations(150_000), threads, &never, Some(cycle));
        report.expect("a report").front
    };
    let one = told(1);
    // The target has ten digits: a word of fewer is wrong by the digits that it lacks.
    let sizes: Vec<(u32, f64)> = one.iter().map(|point| (point.size, point.score)).collect();
    assert_eq!(sizes.last(), Some(&(10, 0.0)), "{sizes:?}");
    assert!(sizes.len() >= 8, "{sizes:?}");
    assert!(one.last().is_some_and(|point| point.solved));
    assert_eq!(one, told(3));
}

#[test]
fn each_limit_stops_the_search() {
    let never = AtomicBool::new(false);
    let stop = |limits| run(false, limits, 2, &never).expect("a report").stop;
    assert_eq!(stop(evaluations(5_000)), StopReason::Evaluations);
    let expansions = Limits {
        expansions: Some(50),
        ..Limits::default()
    };
    assert_eq!(stop(expansions), StopReason::Expansions);
    let time = Limits {
        time: Some(Duration::from_millis(50)),
        ..Limits::default()
    };
    assert_eq!(stop(time), StopReason::Time);
    // Interrupted from outside, after something was found.
    let interrupt = AtomicBool::new(false);
    let report = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(50));
            interrupt.store(true, Ordering::Relaxed);
        });
        run(false, Limits::default(), 2, &interrupt)
    });
    assert_eq!(report.expect("a report").stop, StopReason::Interrupted);
    // Before anything was found there is nothing to report.
    assert!(run(true, evaluations(0), 1, &never).is_none());
}

#[test]
fn sampled_pictures_are_solved() {
    let compiled = shipped("csg2d");
    for text in ["(Circle 4 6 9)", "(- (Circle 6 8 8) (Quad 8 8 4 3 0))"] {
        let program = crate::tree::parse(&compiled.grammar, &compiled.syntax, text).expect("one");
        let scene = eval::lower(&compiled.grammar, &program).expect("a scene");
        let target = Engine::new().draw(&scene).expect("a picture");
        let solver = Solver::new(&compiled, &target, 3).expect("a solver");
        let report = solver.search(&evaluations(150_000), &AtomicBool::new(false), &|_| {});
        let report = report.expect("a report");
        assert_eq!(report.stop, StopReason::Solved, "{text}: {}", report.score);
        assert!(report.program.size() <= 3);
    }
}

#[test]
fn pictures_are_solved_by_beams_too() {
    let compiled = shipped("csg2d");
    let text = "(- (Circle 6 8 8) (Circle 3 8 8))";
    let program = compiled.parse(text).expect("a program");
    let scene = eval::lower(&compiled.grammar, &program).expect("a scene");
    let target = Engine::new().draw(&scene).expect("a picture");
    let mut solver = Solver::new(&compiled, &target, 3).expect("a solver");
    solver.method = Method::Beam;
    solver.canonical = true;
    let report = solver.search(&evaluations(40_000), &AtomicBool::new(false), &|_| {});
    let report = report.expect("a report");
    assert_eq!(report.stop, StopReason::Solved, "{}", report.score);
    let merged = report.merged.expect("a beam's");
    assert!(
        merged.canonically > 0 && merged.forms > merged.canonically,
        "{merged:?}"
    );
}
