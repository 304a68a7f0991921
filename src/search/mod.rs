//! Search: from a picture to a program that draws it.
//!
//! In: a compiled picture language, a [`Policy`] that proposes edits, a [`Value`] that says how
//! far a program is from the target, and [`Limits`]. Out: a [`Report`]. Afterwards the best
//! program found is in the report whatever stopped the search, and under a limit on evaluations
//! the report is the same for every number of threads.

pub mod anneal;
pub mod assemble;
pub mod beam;
mod chance;
mod fill;
pub mod front;
mod holes;
pub mod layouts;
pub mod moves;
#[cfg(feature = "learn")]
pub mod neural;
#[cfg(feature = "learn")]
pub mod neural_value;
pub mod placed;
mod places;
pub mod rollouts;
pub mod rounds;
mod runs;
pub mod sketch;
pub mod solver;
pub mod target;
mod team;
pub mod temper;

#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::Serialize;

use crate::render::Picture;
use crate::sample::Rng;
use crate::tree::{Edit, Program};

/// Proposes edits.
pub trait Policy {
    /// For each program up to `k` edits that are worth a try. The edits of one answer belong
    /// together: a search scores all of them and goes on from one.
    fn propose(&mut self, states: &[&Program], k: usize, rng: &mut Rng) -> Vec<Vec<Proposal>>;

    /// Why its answers are empty from now on, if that is so. The search then stops and says so.
    fn trouble(&self) -> Option<&str> {
        None
    }
}

/// Gives searches policies that know the target, such as trained ones.
pub trait Guide: Sync {
    /// A policy for a target of the canvas's size.
    fn policy<'p>(&'p self, target: &'p Picture, manner: Manner) -> Box<dyn Policy + 'p>;
}

/// Which of its edits a policy proposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// The best when it is asked of a program for the first time, afterwards drawn ones.
    Best,
    /// Drawn by their probabilities.
    Drawn,
}

/// An edit with the policy's opinion of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// The edit.
    pub edit: Edit,
    /// Natural logarithm of its probability, up to a constant of the answer it is part of.
    pub score: f64,
}

/// Scores programs against a target it knows.
pub trait Value {
    /// How far each program is from the target: 0 at the target, finite, lower is nearer.
    fn score(&mut self, states: &[&Program]) -> Vec<f64>;

    /// Whether a program with this score meets the goal. May be slow: searches ask when a
    /// score is the best so far.
    fn solved(&mut self, state: &Program, score: f64) -> bool;

    /// Programs drawn so far.
    fn renders(&self) -> u64;
}

/// What a search may use. `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// Answers of the policy.
    pub expansions: Option<u64>,
    /// Programs scored.
    pub evaluations: Option<u64>,
    /// Wall-clock time.
    pub time: Option<Duration>,
    /// Edits in a row from a start.
    pub depth: Option<u32>,
}

/// Why a search stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StopReason {
    /// The goal is met.
    Solved,
    /// [`Limits::expansions`].
    Expansions,
    /// [`Limits::evaluations`].
    Evaluations,
    /// [`Limits::time`].
    Time,
    /// [`Limits::depth`].
    Depth,
    /// There is nothing left, or nothing at all, to try.
    Exhausted,
    /// The caller asked for it.
    Interrupted,
    /// The policy cannot answer: [`Report::trouble`].
    Failed,
}

/// What a search did.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Why it stopped.
    pub stop: StopReason,
    /// Why the policy could not go on, when that is why it stopped.
    pub trouble: Option<String>,
    /// Whether the program meets the goal. A search for the front does not stop for that.
    pub solved: bool,
    /// The best program.
    pub program: Program,
    /// Its score.
    pub score: f64,
    /// Wall-clock seconds after which the goal was met for the first time, when it was: what is
    /// left of the search went into a shorter program.
    pub met: Option<f64>,
    /// The best program's history: every improvement of the run that found it.
    pub trajectory: Vec<Improvement>,
    /// Answers of the policy.
    pub expansions: u64,
    /// The best programs by size, when the front was asked for: each better than all smaller ones.
    pub front: Vec<front::Point>,
    /// What de-duplication did, in beam search.
    pub merged: Option<beam::Merged>,
    /// Programs scored.
    pub evaluations: u64,
    /// Programs drawn: fewer than scored when scores were remembered.
    pub renders: u64,
    /// Wall-clock seconds.
    pub seconds: f64,
}

/// A step of a trajectory.
#[derive(Clone, Debug, Serialize)]
pub struct Improvement {
    /// Programs scored by this run until then.
    pub evaluations: u64,
    /// Seconds since the search began.
    pub seconds: f64,
    /// The score.
    pub score: f64,
    /// The program.
    pub program: Program,
}
