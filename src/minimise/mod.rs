//! Minimising: the smallest program for which something still holds.
//!
//! In: a program, and a check that it passes (a bug still shows, a picture still has its hole).
//! Out: [`Minimised`]. Afterwards the program passes the check, costs no more than the one before,
//! and unless a limit stopped it none of the [candidates](candidates) that are smaller passes.
//! Every candidate is a valid program of the language, so a check never has to deal with syntax errors.
//!
//! Trees are reduced as in Herfert et al., "Automatically Reducing Tree-Structured Test Inputs"
//! (ASE 2017), and Sun et al., "Perses: Syntax-Guided Program Reduction" (ICSE 2018): large parts
//! first, each replaced by the smallest part of its sort or by one of its own descendants; then
//! tokens, random small parts and the grammar's rewrite rules, until nothing helps any more.

mod candidates;
mod run;

#[cfg(test)]
mod tests;

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use serde::Serialize;

use crate::Compiled;
use crate::grammar::inside::SizeError;
use crate::grammar::ir::{Domain, ProductionKind};
use crate::rewrite::{Direction, Plan};
use crate::sample::Sampler;
use crate::tree::{Layout, Program};

/// What is made small, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Cost {
    /// Size under the grammar's metric.
    pub size: u32,
    /// Number of nodes.
    pub nodes: usize,
    /// Bytes of the printed program.
    pub length: usize,
    /// How far its leaves are from the plainest ones: for a number the steps from the value next to
    /// 0, for a word or a production without fields its place in the declaration; summed up.
    pub distance: u64,
}

/// What minimising may use. `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// Programs that are checked.
    pub checks: Option<u64>,
    /// Wall-clock time.
    pub time: Option<Duration>,
}

/// Why it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stop {
    /// No smaller candidate passes.
    Minimal,
    /// [`Limits::checks`].
    Checks,
    /// [`Limits::time`].
    Time,
    /// The flag was set.
    Interrupted,
}

/// A program that passes, as small as it got.
#[derive(Clone, Debug, PartialEq)]
pub struct Minimised {
    /// The program.
    pub program: Program,
    /// What the first program costs.
    pub before: Cost,
    /// What this one costs.
    pub after: Cost,
    /// Programs that were checked, the first included.
    pub checks: u64,
    /// Why it ended.
    pub stop: Stop,
}

/// Why nothing was minimised.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MinimiseError<E> {
    /// The program fails the check as it is.
    #[error("the program does not pass the check as it is")]
    Fails,
    /// The check could not be made.
    #[error(transparent)]
    Check(E),
}

/// How things stand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Status {
    /// What the best program so far costs.
    pub cost: Cost,
    /// Programs that were checked.
    pub checks: u64,
}

/// How to go about it.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// When to stop.
    pub limits: Limits,
    /// Checks at the same time; 0 counts as 1. The result is the same for every number.
    pub threads: usize,
    /// Seed of the random parts that are tried.
    pub seed: u64,
    /// Ends it when set.
    pub stop: &'a AtomicBool,
}

/// Makes programs of one language small.
#[derive(Debug)]
pub struct Minimiser<'c> {
    compiled: &'c Compiled,
    layout: Layout,
    sampler: Sampler<'c>,
    /// For each nonterminal its smallest part.
    least: Vec<Option<Program>>,
    /// For each production without children its place among those of its sort, else 0.
    places: Vec<u64>,
    plans: Vec<(Plan<'c>, Direction)>,
}

impl<'c> Minimiser<'c> {
    /// For programs of a language.
    ///
    /// # Errors
    ///
    /// When the language has no sampler, as [`Sampler::new`].
    pub fn new(compiled: &'c Compiled) -> Result<Minimiser<'c>, SizeError> {
        let grammar = &compiled.grammar;
        let sampler = Sampler::new(compiled, grammar.sample)?;
        let plans = compiled.rules.iter().flat_map(|rule| {
            Direction::of(rule)
                .iter()
                .map(|direction| (Plan::new(grammar, rule, *direction), *direction))
        });
        let layout = Layout::new(grammar);
        Ok(Minimiser {
            places: candidates::places(compiled),
            least: candidates::least(compiled, &layout),
            layout,
            plans: plans.collect(),
            sampler,
            compiled,
        })
    }

    /// Makes a program as small as the check allows. `check` is asked for programs with their
    /// texts, from several threads at once if so many are wanted; it should give the same answer
    /// for the same program. `watch` is told of every program that was checked.
    ///
    /// # Errors
    ///
    /// When the program itself fails the check, or the check cannot be made.
    pub fn minimise<E: Send>(
        &self,
        program: &Program,
        options: &Options<'_>,
        check: &(dyn Fn(&Program, &str) -> Result<bool, E> + Sync),
        watch: &mut dyn FnMut(Status),
    ) -> Result<Minimised, MinimiseError<E>> {
        run::minimise(self, program, options, check, watch)
    }

    /// What a program costs, given its text.
    pub fn cost(&self, program: &Program, text: &str) -> Cost {
        let grammar = &self.compiled.grammar;
        let nodes = program.nodes().iter();
        let distances = nodes.map(|node| match grammar.production(node.production).kind {
            ProductionKind::Token(token) => distance(&grammar.token(token).domain, node.value),
            _ => self.places[node.production.index()],
        });
        Cost {
            size: program.size(),
            nodes: program.len(),
            length: text.len(),
            distance: distances.fold(0, u64::saturating_add),
        }
    }
}

/// The value of a token that is plainest: the number nearest to 0, the first word.
fn plainest(domain: &Domain) -> u32 {
    let nearest = |lo: f64, step: f64| {
        let last = domain.count().map_or(0, |n| n.saturating_sub(1));
        // As a whole number it saturates.
        ((-lo / step).round() as u32).min(last)
    };
    match domain {
        Domain::Int { lo, step, .. } => nearest(*lo as f64, *step as f64),
        Domain::Real { lo, step, .. } => nearest(*lo, *step),
        Domain::Finite(_) | Domain::Text { .. } => 0,
    }
}

/// Steps from the plainest value. Texts have none: their length counts already.
fn distance(domain: &Domain, value: u32) -> u64 {
    match domain {
        Domain::Text { .. } => 0,
        _ => u64::from(plainest(domain).abs_diff(value)),
    }
}
