//! Solving: the training-free search set up for a picture and a compiled language.
//!
//! In: a compiled picture language and a target of its canvas's size. Out: a [`Report`].
//! Afterwards the report's program is valid, at most as large as asked for, and `Solved` means
//! that its reference picture meets the language's goal (for sketches: that its outline and the
//! strokes agree, see [`SketchValue`]).

use std::sync::atomic::AtomicBool;

use crate::Compiled;
use crate::grammar::inside::SizeError;
use crate::grammar::ir::Procedure;
use crate::mutate::Mutator;
use crate::render::Picture;
use crate::rewrite::Simplifier;
use crate::sample::{Rng, Sampler};
use crate::search::anneal::{self, Options, Setup, Status};
use crate::search::moves::Moves;
use crate::search::sketch::Sketch;
use crate::search::target::{Pixels, SketchValue, weight};
use crate::search::{Limits, Policy, Report, StopReason, Value};
use crate::tree::{Edit, Layout, Program};

/// A search that is ready to start.
pub struct Solver<'a> {
    compiled: &'a Compiled,
    target: &'a Picture,
    mutator: Mutator<'a>,
    /// How the search goes about it; may be changed before it starts.
    pub options: Options,
    /// Whether what is found is simplified by the language's rules.
    pub simplify: bool,
}

impl<'a> Solver<'a> {
    /// A search for a program of at most `max_size` whose picture is `target`.
    ///
    /// # Errors
    ///
    /// When no program is that small.
    pub fn new(
        compiled: &'a Compiled,
        target: &'a Picture,
        max_size: u32,
    ) -> Result<Solver<'a>, SizeError> {
        let mut spec = compiled.grammar.sample;
        spec.procedure = Procedure::Exact;
        spec.by_weight = false;
        spec.min = 0;
        // Starts are small; what is needed grows.
        spec.max = max_size.min(compiled.grammar.mutate.small.max(spec_least(compiled)));
        let sampler = Sampler::new(compiled, spec)?;
        let mutator = Mutator::with_sampler(sampler, compiled.grammar.mutate)?;
        let weight = if compiled.grammar.observe.is_some() {
            // A sketch's score is per pixel of its length, up to FAR each.
            4.0 * Sketch::new(target).length()
        } else {
            weight(compiled, target)
        };
        Ok(Solver {
            compiled,
            target,
            mutator,
            options: Options::for_weight(weight, max_size),
            simplify: true,
        })
    }

    /// Searches; see [`anneal::search`]. What is found is then simplified by the language's rules,
    /// unless that makes it worse.
    pub fn search(
        &self,
        limits: &Limits,
        interrupt: &AtomicBool,
        tell: &(dyn Fn(Status) + Sync),
    ) -> Option<Report> {
        let mut report = anneal::search(self, limits, &self.options, interrupt, tell)?;
        if self.simplify {
            self.shorten(&mut report);
        }
        Some(report)
    }

    /// Simplifies what was found. Rules are tested, not proved, so the picture has the last word.
    fn shorten(&self, report: &mut Report) {
        let simplifier = Simplifier::new(self.compiled);
        if !simplifier.has_rules() {
            return;
        }
        let found = simplifier.simplify(&report.program);
        if found.cost >= found.before {
            return;
        }
        let mut value = self.value();
        let Some(score) = value.score(&[&found.program]).first().copied() else {
            return;
        };
        let solved = report.stop != StopReason::Solved || value.solved(&found.program, score);
        if score <= report.score && solved {
            report.program = found.program;
            report.score = score;
        }
        report.evaluations += 1;
        report.renders += value.renders();
    }

    fn moves(&self) -> Moves<'_> {
        Moves::new(self.compiled, &self.mutator, self.options.max_size)
    }
}

/// The least size of a program.
fn spec_least(compiled: &Compiled) -> u32 {
    compiled
        .inside
        .least(compiled.grammar.start)
        .unwrap_or(compiled.grammar.sample.min)
}

impl Setup for Solver<'_> {
    fn policy(&self) -> Box<dyn Policy + '_> {
        Box::new(self.moves())
    }

    fn value(&self) -> Box<dyn Value + '_> {
        if self.compiled.grammar.observe.is_some() {
            Box::new(SketchValue::new(self.compiled, self.target))
        } else {
            Box::new(Pixels::new(self.compiled, self.target))
        }
    }

    fn start(&self, rng: &mut Rng) -> Option<Program> {
        Some(self.mutator.sampler().sample(rng))
    }

    fn simpler(&self, program: &Program) -> Vec<Edit> {
        self.moves().simpler(program)
    }

    fn layout(&self) -> &Layout {
        self.mutator.sampler().layout()
    }
}
