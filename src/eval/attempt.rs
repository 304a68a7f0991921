//! One search for one picture, and what is written down of it.
//!
//! In: a compiled picture language, a target, [`Settings`]. Out: [`Attempt`], and from it [`Record`], one
//! JSON object. Afterwards a record's program is in the language, its pictures can be drawn again from
//! it, and `seconds` is the wall-clock time from the target in memory to the program, with all
//! preparation and simplification.

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::front::{self, Row};
use super::primitives;
use crate::compiled::Compiled;
use crate::grammar::inside::SizeError;
use crate::render::{Picture, RenderError, metric, raster};
use crate::scene::eval::{NotDrawable, lower};
use crate::search::anneal::Status;
use crate::search::solver::{Method, Solver};
use crate::search::{Guide, Limits, Report, StopReason};
use crate::tree::Program;

/// Least intersection over union with the true picture at which a program counts as recovered from
/// an observed one, which does not tell every pixel.
pub const RECOVERED: f64 = 0.9;

/// How to search: what two runs must share for their results to be comparable.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Seconds for a target.
    pub time: Option<f64>,
    /// Scored programs for a target.
    pub evaluations: Option<u64>,
    /// Answers of the policy for a target: the paper's node expansions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expansions: Option<u64>,
    /// Seed of the search.
    pub seed: u64,
    /// Searches at the same time for one target.
    pub threads: usize,
    /// Greatest size of a program.
    pub max_size: u32,
    /// Price of a unit of size in pixels, instead of the search's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<f64>,
    /// Whether the front of size against error is wanted.
    #[serde(default, skip_serializing_if = "is_default")]
    pub pareto: bool,
    /// Which search it is.
    #[serde(default, skip_serializing_if = "is_default")]
    pub search: Method,
    /// Programs in a beam.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beam: Option<usize>,
    /// Whether programs of a beam are told apart by their canonical forms.
    #[serde(default, skip_serializing_if = "is_default")]
    pub canonical: bool,
    /// Whether what is found is simplified by the language's rules.
    pub simplify: bool,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Settings {
    /// What the search may use.
    pub fn limits(&self) -> Limits {
        Limits {
            time: self.time.map(Duration::from_secs_f64),
            evaluations: self.evaluations,
            expansions: self.expansions,
            ..Limits::default()
        }
    }
}

/// What a search came to.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// What the search says.
    pub report: Report,
    /// What the program draws: the reference picture.
    pub picture: Picture,
    /// The front of size against error, when it was asked for.
    pub front: Vec<Row>,
    /// Wall-clock seconds until the goal was met for the first time, when it was.
    pub met: Option<f64>,
    /// Wall-clock seconds of all of it.
    pub seconds: f64,
}

/// Why there is no attempt.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AttemptError {
    /// No program is that small.
    #[error(transparent)]
    Size(#[from] SizeError),
    /// Stopped too early.
    #[error("stopped before anything was found: more time or evaluations are needed")]
    Nothing,
    /// A trained model that broke off.
    #[error("the model failed, so the search has stopped: {0}")]
    Model(String),
    /// What was found has no scene.
    #[error("cannot draw what was found: {0}")]
    NotDrawable(#[from] NotDrawable),
    /// What was found has no picture.
    #[error(transparent)]
    Render(#[from] RenderError),
}

/// Searches for a program that draws `target`; a guide proposes the edits of beam search and rollouts. `tell` hears how it
/// goes, from any thread.
///
/// # Errors
///
/// When nothing was found, the guide failed, or no program is as small as asked for.
pub fn attempt(
    compiled: &Compiled,
    target: &Picture,
    settings: &Settings,
    guide: Option<&dyn Guide>,
    interrupt: &AtomicBool,
    tell: &(dyn Fn(Status) + Sync),
) -> Result<Attempt, AttemptError> {
    let began = Instant::now();
    let mut solver = Solver::new(compiled, target, settings.max_size)?;
    solver.options.seed = settings.seed;
    solver.options.threads = settings.threads;
    solver.simplify = settings.simplify;
    solver.method = settings.search;
    solver.beam = settings.beam.unwrap_or(solver.beam);
    solver.canonical = settings.canonical;
    if let Some(guide) = guide {
        solver.set_guide(guide)?;
    }
    if let Some(price) = settings.price {
        solver.set_price(price);
    }
    if settings.pareto {
        solver.set_pareto(settings.price);
    }
    let before = began.elapsed().as_secs_f64();
    let found = solver.search(&settings.limits(), interrupt, tell);
    let report = found.ok_or(AttemptError::Nothing)?;
    if let Some(trouble) = report.trouble {
        return Err(AttemptError::Model(trouble));
    }
    let seconds = began.elapsed().as_secs_f64();
    let met = report.met.map(|met| before + met);
    Ok(Attempt {
        picture: draw(compiled, &report.program)?,
        front: front::rows(compiled, target, &report)?,
        report,
        met,
        seconds,
    })
}

/// The reference picture of a program.
///
/// # Errors
///
/// When it has none.
pub fn draw(compiled: &Compiled, program: &Program) -> Result<Picture, AttemptError> {
    Ok(raster::rasterize(&lower(&compiled.grammar, program)?)?)
}

/// What is known of a target beside its pixels.
#[derive(Clone, Debug, Default)]
pub struct Known<'a> {
    /// What it is called.
    pub name: &'a str,
    /// The picture that the program is measured against, where that is not the target itself.
    pub truth: Option<&'a Picture>,
    /// A program that draws it.
    pub program: Option<&'a Program>,
    /// A fingerprint of its file.
    pub fingerprint: Option<&'a str>,
}

/// What was found for one target: a line of `results.jsonl`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// What the target is called.
    pub target: String,
    /// Whether the goal is met.
    pub solved: bool,
    /// Why the search stopped: `solved`, `time`, `evaluations`, `expansions`, `interrupted`; `error` when there was
    /// none. A search for the front goes on when the goal is met.
    pub stop_reason: String,
    /// What the goal measures; for an observed target the intersection over union with the true
    /// picture, `None` where that is not known.
    pub metric: Option<f64>,
    /// Intersection over union of the ink.
    pub iou: Option<f64>,
    /// The search's score: wrong pixels; for a sketch a distance.
    pub score: Option<f64>,
    /// Wall-clock seconds until the goal was met, or until the end when it was not. For an observed target that was recovered:
    /// until the last of the improvements that it took.
    pub seconds: f64,
    /// Wall-clock seconds of all of it, with the search for something shorter.
    pub total_seconds: f64,
    /// Programs scored.
    pub evaluations: u64,
    /// Answers of the policy until the end.
    #[serde(default)]
    pub expansions: u64,
    /// `@primitive` nodes of the program.
    pub primitives: Option<usize>,
    /// The same of the program that the target was made from.
    pub true_primitives: Option<usize>,
    /// Size of the program, as the grammar counts.
    pub size: Option<u32>,
    /// Nodes of the program.
    pub nodes: Option<usize>,
    /// The program.
    pub program: Option<String>,
    /// A fingerprint of the target's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// What is to be said about the target.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Why there is no program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Record {
    /// The record of an attempt at `target`.
    pub fn new(
        compiled: &Compiled,
        target: &Picture,
        known: &Known<'_>,
        attempt: &Attempt,
    ) -> Record {
        let grammar = &compiled.grammar;
        let report = &attempt.report;
        let observed = grammar.observe.is_some();
        let truth = match observed {
            true => known.truth,
            false => Some(known.truth.unwrap_or(target)),
        };
        let iou = truth.map(|truth| metric::iou(&attempt.picture, truth));
        let metric = match &grammar.goal {
            Some(goal) if !observed => {
                truth.map(|truth| metric::goal_score(goal, &attempt.picture, truth))
            }
            _ => iou,
        };
        let (solved, seconds) = match truth {
            Some(truth) if observed => match recovered(compiled, truth, attempt) {
                Some(seconds) => (true, seconds),
                None => (false, attempt.seconds),
            },
            _ => (report.solved, attempt.met.unwrap_or(attempt.seconds)),
        };
        Record {
            target: known.name.to_owned(),
            solved,
            stop_reason: stop_reason(report.stop),
            metric,
            iou,
            score: Some(report.score),
            seconds,
            total_seconds: attempt.seconds,
            evaluations: report.evaluations,
            expansions: report.expansions,
            primitives: Some(primitives(grammar, &report.program)),
            true_primitives: known.program.map(|program| primitives(grammar, program)),
            size: Some(report.program.size()),
            nodes: Some(report.program.len()),
            program: Some(compiled.print(&report.program)),
            fingerprint: known.fingerprint.map(str::to_owned),
            notes: Vec::new(),
            error: None,
        }
    }

    /// The record of a target that nothing was found for.
    pub fn failed(known: &Known<'_>, error: &str) -> Record {
        Record {
            target: known.name.to_owned(),
            stop_reason: "error".to_owned(),
            fingerprint: known.fingerprint.map(str::to_owned),
            error: Some(error.to_owned()),
            ..Record::default()
        }
    }

    /// Whether another run should try again: it was stopped from outside.
    pub fn is_unfinished(&self) -> bool {
        self.stop_reason == stop_reason(StopReason::Interrupted)
    }
}

/// When the search had the true picture for good: the time of the first improvement since when all
/// are [`RECOVERED`]; `None` when the last is not.
fn recovered(compiled: &Compiled, truth: &Picture, attempt: &Attempt) -> Option<f64> {
    let holds = |picture: &Picture| metric::iou(picture, truth) >= RECOVERED;
    if !holds(&attempt.picture) {
        return None;
    }
    let mut seconds = attempt.seconds;
    for step in attempt.report.trajectory.iter().rev() {
        match draw(compiled, &step.program) {
            Ok(picture) if holds(&picture) => seconds = step.seconds.min(seconds),
            _ => break,
        }
    }
    Some(seconds)
}

/// A reason in a word, as it is written in reports.
pub fn stop_reason(stop: StopReason) -> String {
    let value = serde_json::to_value(stop).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}
