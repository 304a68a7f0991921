//! Solving: the training-free search set up for a picture and a compiled language.
//!
//! In: a compiled picture language and a target of its canvas's size. Out: a [`Report`].
//! Afterwards the report's program is valid, at most as large as asked for, and `Solved` means
//! that its reference picture meets the language's goal (for sketches: that its outline and the
//! strokes agree, see [`SketchValue`]).

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Compiled;
use crate::grammar::inside::SizeError;
use crate::grammar::ir::Procedure;
use crate::mutate::Mutator;
use crate::render::Picture;
use crate::render::bits::{Bits, Target};
use crate::rewrite::{self, Simplifier};
use crate::sample::{Rng, Sampler};
use crate::search::anneal::{self, Options, Setup, Status};
use crate::search::beam;
use crate::search::front::{Cycle, Front, Point};
use crate::search::holes::Holes;
use crate::search::layouts::{Finder, Layouts};
use crate::search::moves::Moves;
use crate::search::rollouts;
use crate::search::runs::{self, Plan};
use crate::search::sketch::{self, Sketch};
use crate::search::target::{Judge, Pixels, SketchValue, weight};
use crate::search::temper::{self, Runner, World};
use crate::search::{Guide, Limits, Manner, Policy, Report, StopReason, Value};
use crate::tree::{Edit, Layout, Program};

/// Which search it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Tempering on bit planes ([`temper`]).
    #[default]
    Temper,
    /// Tempering of edits, by the traits of policy and value ([`anneal`]).
    Anneal,
    /// Beam search, by the same traits ([`beam`]).
    Beam,
    /// Edits one after the other, as the policy gives them ([`rollouts`]).
    Rollouts,
}

/// A search that is ready to start.
pub struct Solver<'a> {
    compiled: &'a Compiled,
    target: &'a Picture,
    mutator: Mutator<'a>,
    /// What there is to get right, in the units of the score.
    weight: f64,
    /// How the search goes about it; may be changed before it starts.
    pub options: Options,
    /// The same for the search on bit planes.
    pub tempering: temper::Options,
    /// Which search it is.
    pub method: Method,
    /// Programs in a beam.
    pub beam: usize,
    /// What proposes edits in beam search and rollouts, and where programs start then.
    guide: Option<(&'a dyn Guide, Sampler<'a>)>,
    /// Whether programs of a beam are told apart by their canonical forms.
    pub canonical: bool,
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
        let tempering = match compiled.grammar.observe {
            None => temper::Options::for_weight(weight, max_size),
            Some(_) => sketch::tempering(&Sketch::new(target), max_size),
        };
        let mut options = Options::for_weight(weight, max_size);
        if compiled.grammar.observe.is_some() {
            options.price = tempering.price;
        }
        Ok(Solver {
            compiled,
            target,
            mutator,
            weight,
            options,
            tempering,
            method: Method::default(),
            beam: beam::Options::default().width,
            guide: None,
            canonical: false,
            simplify: true,
        })
    }

    /// Lets a guide, such as a trained model, propose the edits of beam search and rollouts. They then start from
    /// programs of the language's own window, as models have learnt from.
    ///
    /// # Errors
    ///
    /// When no program of the window is as small as it has to be.
    pub fn set_guide(&mut self, guide: &'a dyn Guide) -> Result<(), SizeError> {
        let mut spec = self.compiled.grammar.sample;
        spec.max = spec.max.min(self.options.max_size);
        spec.min = spec.min.min(spec.max);
        self.guide = Some((guide, Sampler::new(self.compiled, spec)?));
        Ok(())
    }

    /// Lets a unit of size cost `price` from the start to the end, in the units of the score.
    pub fn set_price(&mut self, price: f64) {
        self.options.price = price;
        self.tempering.price = price;
        self.tempering.halves = u64::MAX;
    }

    /// Asks for the front of size against error: the search spends its limits on all sizes by turns and
    /// does not end when the goal is met. A unit of size has to be worth `price`, or without one a
    /// 4000th of the picture for the least program's size.
    pub fn set_pareto(&mut self, price: Option<f64>) {
        let mut cycle = Cycle::for_weight(self.weight, spec_least(self.compiled));
        if let Some(price) = price {
            cycle.low = price;
        }
        self.options.pareto = Some(cycle);
        self.tempering.pareto = Some(cycle);
    }

    /// Searches; see [`temper`], [`anneal::search`] and [`beam::search`]. What is found is then
    /// simplified by the language's rules, unless that makes it worse.
    pub fn search(
        &self,
        limits: &Limits,
        interrupt: &AtomicBool,
        tell: &(dyn Fn(Status) + Sync),
    ) -> Option<Report> {
        let drawn = match self.method {
            Method::Temper => self.target_bits(),
            Method::Anneal | Method::Beam | Method::Rollouts => None,
        };
        let mut report = match (self.method, drawn) {
            (_, Some(bits)) => self.temper(bits, limits, interrupt, tell)?,
            (Method::Beam, _) => self.search_beam(limits, interrupt, tell)?,
            (Method::Rollouts, _) => {
                let options = rollouts::Options {
                    seed: self.options.seed,
                    threads: self.run_threads(),
                    price: self.options.price,
                    pareto: self.options.pareto.is_some(),
                    max_size: self.options.max_size,
                    ..rollouts::Options::default()
                };
                rollouts::search(self, limits, &options, interrupt, tell)?
            }
            _ => anneal::search(self, limits, &self.options, interrupt, tell)?,
        };
        match self.options.pareto {
            Some(cycle) => self.choose(&mut report, cycle, limits),
            None if self.simplify => self.shorten(&mut report, limits),
            None => (),
        }
        Some(report)
    }

    /// The target as bit planes, or as strokes.
    fn target_bits(&self) -> Option<Target> {
        let grammar = &self.compiled.grammar;
        let target = match grammar.observe {
            None => Target::new(grammar, self.target).with_ink_of_at_least(temper::LEAST_WEIGHT),
            Some(_) => Target::sketch(grammar, self.target),
        };
        Bits::new(target.clone()).ok()?;
        Some(target)
    }

    /// Threads that work on runs: a guide has threads of its own.
    fn run_threads(&self) -> usize {
        match self.guide {
            Some(_) => 1,
            None => self.options.threads,
        }
    }

    /// Searches by beams.
    fn search_beam(
        &self,
        limits: &Limits,
        interrupt: &AtomicBool,
        tell: &(dyn Fn(Status) + Sync),
    ) -> Option<Report> {
        let options = beam::Options {
            seed: self.options.seed,
            threads: self.run_threads(),
            width: self.beam,
            price: self.options.price,
            pareto: self.options.pareto,
            max_size: self.options.max_size,
            ..beam::Options::default()
        };
        let simplifier = self.canonical.then(|| Simplifier::new(self.compiled));
        let canonical = simplifier.as_ref().filter(|s| s.has_rules());
        let form = |program: &Program| match canonical {
            Some(simplifier) => simplifier.canonical(program),
            None => program.clone(),
        };
        let form = canonical.is_some().then_some(&form as beam::Canonical<'_>);
        beam::search(self, limits, &options, form, interrupt, tell)
    }

    /// Searches on bit planes.
    fn temper(
        &self,
        target: Target,
        limits: &Limits,
        interrupt: &AtomicBool,
        tell: &(dyn Fn(Status) + Sync),
    ) -> Option<Report> {
        let layouts = Layouts::new(self.compiled, &target);
        let finder = layouts.as_ref().map(|layouts| Finder {
            compiled: self.compiled,
            layouts,
            layout: self.layout(),
            target: &target,
            picture: self.target,
            weight: self.weight,
            max_size: self.options.max_size,
        });
        let world = World {
            compiled: self.compiled,
            layout: self.layout(),
            holes: Holes::new(self.compiled, self.mutator.sampler()),
            options: &self.tempering,
            seed: self.options.seed,
            finder,
        };
        // What puts programs together is done by one thread.
        let team = match world.finder {
            Some(_) => 1,
            None => temper::most_threads(&self.tempering),
        };
        let plan = Plan {
            threads: self.options.threads,
            team,
            run: RUN,
            least: LEAST_RUN,
        };
        let tools = || {
            let bits = Bits::new(target.clone()).ok()?;
            let moves = self.moves().without(world.holes.atoms().to_vec());
            Some((bits, moves, Judge::new(self.compiled, self.target)))
        };
        runs::search(plan, limits, interrupt, tell, &|track, threads| {
            #[allow(clippy::redundant_closure)]
            // lent as it is, it would have to live as long as the world
            let runner = match Runner::new(&world, threads, || tools(), track) {
                Ok(runner) => runner,
                Err(track) => return track.end(StopReason::Exhausted, 0),
            };
            let mut run = runner.run(&|rng| self.start(rng));
            run.best = run.best.take().map(|best| {
                let mut value = self.value();
                anneal::tidy(self, self.options.price, &mut *value, best, run.stop)
            });
            run
        })
    }

    /// For what a search found. Large programs would take longer than the search did: so there is a limit
    /// on steps, and, where time is the search's limit, a tenth of its time for all programs.
    fn simplifier(&self, report: &Report, limits: &Limits) -> Simplifier<'a> {
        let programs = report.front.len().max(1) as f64;
        let tenth = Duration::from_secs_f64((0.1 * report.seconds / programs).max(LEAST_TIME));
        Simplifier::new(self.compiled).with_limits(rewrite::Limits {
            steps: STEPS,
            time: limits.time.map(|_| tenth),
            ..rewrite::Limits::default()
        })
    }

    /// Simplifies what was found. Rules are tested, not proved, so the picture has the last word.
    fn shorten(&self, report: &mut Report, limits: &Limits) {
        let simplifier = self.simplifier(report, limits);
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
        let holds = !report.solved || value.solved(&found.program, score);
        if score <= report.score && holds {
            report.program = found.program;
            report.score = score;
        }
        report.evaluations += 1;
        report.renders += value.renders();
    }

    /// Makes the programs of the front smaller where that is possible, and takes one of them for the
    /// result: the smallest that meets the goal, or else the one that is best at the price of size.
    fn choose(&self, report: &mut Report, cycle: Cycle, limits: &Limits) {
        let simplifier = self.simplify.then(|| self.simplifier(report, limits));
        let mut front = Front::of(std::mem::take(&mut report.front));
        let simplifier = simplifier.filter(Simplifier::has_rules);
        let mut value = self.value();
        report.evaluations += front.shorten(&mut *value, &|program| {
            let edits = self.simpler(program).into_iter().map(|edit| {
                let mut smaller = program.clone();
                self.layout().apply(&mut smaller, &edit);
                smaller
            });
            let mut programs: Vec<Program> = edits.collect();
            let found = simplifier.as_ref().map(|s| s.simplify(program));
            programs.extend(found.filter(|f| f.cost < f.before).map(|f| f.program));
            programs
        });
        report.renders += value.renders();
        report.front = front.points(cycle.low);
        let energy = |p: &Point| p.score + self.options.price * f64::from(p.size);
        let solved = report.front.iter().find(|point| point.solved);
        let least = || {
            let points = report.front.iter();
            points.min_by(|a, b| energy(a).total_cmp(&energy(b)))
        };
        if let Some(point) = solved.or_else(least) {
            report.solved = point.solved;
            report.program = point.program.clone();
            report.score = point.score;
        }
    }

    fn moves(&self) -> Moves<'_> {
        Moves::new(self.compiled, &self.mutator, self.options.max_size)
    }
}

/// Steps of the rules on a program that was found: some tenths of a second.
const STEPS: u64 = 3_000_000;
/// Seconds that the rules have at least.
const LEAST_TIME: f64 = 0.02;
/// Evaluations of a run when time is the only limit: a run that is stuck begins afresh by itself.
const RUN: u64 = 200_000_000;
/// A run of fewer evaluations hardly gets warm.
const LEAST_RUN: u64 = 200_000;

/// The least size of a program.
fn spec_least(compiled: &Compiled) -> u32 {
    compiled
        .inside
        .least(compiled.grammar.start)
        .unwrap_or(compiled.grammar.sample.min)
}

impl Setup for Solver<'_> {
    fn policy(&self) -> Box<dyn Policy + '_> {
        let manner = match self.method {
            Method::Rollouts => Manner::Drawn,
            _ => Manner::Best,
        };
        match (&self.guide, self.method) {
            (Some((guide, _)), Method::Beam | Method::Rollouts) => {
                guide.policy(self.target, manner)
            }
            _ => Box::new(self.moves()),
        }
    }

    fn value(&self) -> Box<dyn Value + '_> {
        if self.compiled.grammar.observe.is_some() {
            Box::new(SketchValue::new(self.compiled, self.target))
        } else {
            Box::new(Pixels::new(self.compiled, self.target))
        }
    }

    fn start(&self, rng: &mut Rng) -> Option<Program> {
        let sampler = match &self.guide {
            Some((_, sampler)) => sampler,
            None => self.mutator.sampler(),
        };
        Some(sampler.sample(rng))
    }

    fn simpler(&self, program: &Program) -> Vec<Edit> {
        self.moves().simpler(program)
    }

    fn layout(&self) -> &Layout {
        self.mutator.sampler().layout()
    }
}
