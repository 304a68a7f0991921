//! Tests of beam search: it finds, it merges, its limits hold, threads do not matter.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::*;
use crate::Compiled;
use crate::mutate::Mutator;
use crate::rewrite::Simplifier;
use crate::search::Proposal;
use crate::search::tests::{Bits, bits, evaluations};
use crate::tree::{Edit, Layout};

fn options() -> Options {
    Options {
        width: 8,
        max_size: 12,
        seed: 3,
        ..Options::default()
    }
}

fn run_as(
    reachable: bool,
    limits: Limits,
    options: &Options,
    interrupt: &AtomicBool,
) -> Option<Report> {
    let compiled = bits();
    let setup = Bits {
        mutator: Mutator::new(&compiled, compiled.grammar.mutate).expect("mutations"),
        target: compiled.parse("1 0 1 1 0 0 1 0 1 1").expect("a program"),
        compiled: &compiled,
        reachable,
    };
    search(&setup, &limits, options, None, interrupt, &|_| {})
}

#[test]
fn a_reachable_target_is_found() {
    let report = run_as(
        true,
        evaluations(50_000),
        &options(),
        &AtomicBool::new(false),
    );
    let report = report.expect("a report");
    assert_eq!((report.stop, report.score), (StopReason::Solved, 0.0));
    assert!(report.evaluations <= 50_000);
    // A beam does not score a program twice.
    assert!(report.merged.is_some_and(|merged| merged.structurally > 0));
}

#[test]
fn the_report_does_not_depend_on_the_number_of_threads() {
    for (reachable, count) in [(true, 300_000), (false, 250_000), (false, 50)] {
        let told = |threads| {
            let options = Options {
                threads,
                ..options()
            };
            let report = run_as(
                reachable,
                evaluations(count),
                &options,
                &AtomicBool::new(false),
            );
            let report = report.expect("a report");
            let merged = report.merged.expect("a beam's");
            let trajectory: Vec<(u64, Program)> = report
                .trajectory
                .into_iter()
                .map(|step| (step.evaluations, step.program))
                .collect();
            (
                (
                    report.stop,
                    report.program,
                    report.evaluations,
                    report.expansions,
                ),
                (merged.structurally, report.renders, trajectory),
            )
        };
        let one = told(1);
        assert!(one.0.2 <= count);
        assert_eq!(one, told(3));
    }
}

#[test]
fn each_limit_stops_the_search() {
    let never = AtomicBool::new(false);
    let limited = |limits| run_as(false, limits, &options(), &never).expect("a report");
    let report = limited(evaluations(7));
    assert_eq!(
        (report.stop, report.evaluations),
        (StopReason::Evaluations, 7)
    );
    let report = limited(Limits {
        expansions: Some(50),
        ..Limits::default()
    });
    assert_eq!(
        (report.stop, report.expansions),
        (StopReason::Expansions, 50)
    );
    let report = limited(Limits {
        depth: Some(3),
        ..Limits::default()
    });
    assert_eq!(report.stop, StopReason::Depth);
    assert!(report.expansions <= 3 * 8, "{}", report.expansions);
    // Interrupted while it goes on: by itself when it has something.
    let interrupt = AtomicBool::new(false);
    let told = |_: Status| interrupt.store(true, Ordering::Relaxed);
    let compiled = bits();
    let setup = Bits {
        mutator: Mutator::new(&compiled, compiled.grammar.mutate).expect("mutations"),
        target: compiled.parse("1 0 1").expect("a program"),
        compiled: &compiled,
        reachable: false,
    };
    let limits = Limits::default();
    let report = search(&setup, &limits, &options(), None, &interrupt, &told);
    assert_eq!(report.expect("a report").stop, StopReason::Interrupted);
    // Before anything was found there is nothing to report.
    assert!(run_as(true, evaluations(0), &options(), &never).is_none());
    assert!(run_as(true, evaluations(9), &options(), &AtomicBool::new(true)).is_none());
}

#[test]
fn meeting_the_goal_does_not_end_the_search_for_the_front() {
    let options = Options {
        pareto: Some(Cycle {
            high: 3.0,
            low: 0.01,
            first: 5_000,
        }),
        ..options()
    };
    let report = run_as(true, evaluations(60_000), &options, &AtomicBool::new(false));
    let report = report.expect("a report");
    assert_eq!(report.stop, StopReason::Evaluations);
    let sizes: Vec<u32> = report.front.iter().map(|point| point.size).collect();
    assert_eq!(sizes.last(), Some(&10), "{sizes:?}");
    assert!(report.front.last().is_some_and(|point| point.solved));
}

/// Sums whose operands may change places; starts are given, nothing is proposed, all is as bad.
struct Sums<'a> {
    mutator: Mutator<'a>,
    starts: Vec<Program>,
    next: AtomicU64,
    /// What the policy was asked about at first.
    asked: Mutex<Vec<Program>>,
}

struct Silent<'a>(&'a Sums<'a>);

impl Policy for Silent<'_> {
    fn propose(&mut self, states: &[&Program], _: usize, _: &mut Rng) -> Vec<Vec<Proposal>> {
        let mut asked = self.0.asked.lock().expect("a lock");
        if asked.is_empty() {
            asked.extend(states.iter().map(|state| (*state).clone()));
        }
        vec![Vec::new(); states.len()]
    }
}

impl Value for Silent<'_> {
    fn score(&mut self, states: &[&Program]) -> Vec<f64> {
        vec![1.0; states.len()]
    }
    fn solved(&mut self, _: &Program, _: f64) -> bool {
        false
    }
    fn renders(&self) -> u64 {
        0
    }
}

impl Setup for Sums<'_> {
    fn policy(&self) -> Box<dyn Policy + '_> {
        Box::new(Silent(self))
    }
    fn value(&self) -> Box<dyn Value + '_> {
        Box::new(Silent(self))
    }
    fn start(&self, _: &mut Rng) -> Option<Program> {
        let next = self.next.fetch_add(1, Ordering::Relaxed) as usize;
        self.starts.get(next % self.starts.len().max(1)).cloned()
    }
    fn simpler(&self, _: &Program) -> Vec<Edit> {
        Vec::new()
    }
    fn layout(&self) -> &Layout {
        self.mutator.sampler().layout()
    }
}

#[test]
fn equal_programs_are_merged() {
    let compiled = Compiled::from_text(
        "sums",
        "language sums start S sample size 1..=3 token N = 0..=9
         sort S { @primitive Number = n:N   Sum = \"(\" a:S \"+\" b:S \")\" }
         rewrite S { swap: `(?a + ?b)` <=> `(?b + ?a)`   zero: `(?a + 0)` => `?a` }",
    );
    let compiled = compiled.unwrap_or_else(|e| panic!("{e}"));
    let starts = ["(1 + 2)", "(2 + 1)", "(3 + 4)", "(1 + 2)", "((0 + 2) + 1)"];
    let program = |text: &&str| compiled.parse(text).expect("a program");
    let simplifier = Simplifier::new(&compiled);
    let form = |program: &Program| simplifier.canonical(program);
    let told = |canonical: Option<Canonical<'_>>, starts: &[&str]| {
        let setup = Sums {
            mutator: Mutator::new(&compiled, compiled.grammar.mutate).expect("mutations"),
            starts: starts.iter().map(program).collect(),
            next: AtomicU64::new(0),
            asked: Mutex::new(Vec::new()),
        };
        let options = Options {
            width: 5,
            max_size: 5,
            ..Options::default()
        };
        let limits = Limits {
            depth: Some(1),
            ..Limits::default()
        };
        let never = AtomicBool::new(false);
        let report = search(&setup, &limits, &options, canonical, &never, &|_| {})?;
        let asked = setup.asked.into_inner().expect("a lock");
        let asked: Vec<String> = asked.iter().map(|state| compiled.print(state)).collect();
        let merged = report.merged?;
        Some((asked, merged.structurally, merged.canonically, merged.forms))
    };
    let (asked, structurally, canonically, forms) = told(None, &starts).expect("a report");
    assert_eq!(asked, ["(1 + 2)", "(2 + 1)", "(3 + 4)", "((0 + 2) + 1)"]);
    assert_eq!((structurally, canonically, forms), (1, 0, 0));
    let (asked, structurally, canonically, forms) = told(Some(&form), &starts).expect("a report");
    assert_eq!(asked, ["(1 + 2)", "(3 + 4)"]);
    assert_eq!((structurally, canonically, forms), (1, 2, 4));
    // Without a program to start from there is nothing.
    assert_eq!(told(None, &[]), None);
}
