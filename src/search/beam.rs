//! Beam search over a policy's edits.
//!
//! In: a policy, a value, limits. Out: a [`Report`]. Afterwards the best program is there
//! whatever stopped the search, and with a limit on evaluations alone the report (but for its
//! seconds) is the same for every number of threads.
//!
//! As in section 3.4 of the paper, a *beam* is some programs at a time. A round asks the policy for edits
//! of all of them, scores what they make, and keeps the best of old and new. A program that this beam
//! has had is not scored again; with canonical forms, of programs that the rules prove equal only the
//! best is kept. Canonical forms take longer than most pictures, so they are made of those programs only that
//! would be kept. When the beam does not get better any more, another one starts from random programs. The
//! search is a row of runs, each a beam after the other (see `runs`).

#[cfg(test)]
mod tests;

// Only asked whether something is there: order does not matter.
#[allow(clippy::disallowed_types)]
use std::collections::HashSet;
use std::hash::BuildHasher;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use rand::SeedableRng;
use rustc_hash::FxBuildHasher;
use serde::Serialize;

use crate::sample::Rng;
use crate::search::anneal::{self, Setup};
use crate::search::front::Cycle;
pub use crate::search::runs::Status;
use crate::search::runs::{self, Plan, Run, Track};
use crate::search::{Limits, Policy, Report, StopReason, Value};
use crate::tree::Program;

/// How the search goes about it. The price is in the units of the score.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Seed of everything random.
    pub seed: u64,
    /// Threads that work on runs.
    pub threads: usize,
    /// Programs in a beam: 64 in the paper.
    pub width: usize,
    /// Most edits of each that are scored in a round.
    pub branch: usize,
    /// Price of a unit of size.
    pub price: f64,
    /// Whether the front of size against error is wanted, and at which prices: then the search goes
    /// on when the goal is met.
    pub pareto: Option<Cycle>,
    /// Greatest size of a program.
    pub max_size: u32,
    /// Rounds that do not make the beam better until another one starts.
    pub patience: u32,
    /// Evaluations of a run when time is the only limit.
    pub run: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            seed: 0,
            threads: 1,
            width: 64,
            branch: 16,
            price: 0.0,
            pareto: None,
            max_size: u32::MAX,
            patience: 12,
            run: 400_000,
        }
    }
}

/// Gives equal programs the same form.
pub type Canonical<'a> = &'a (dyn Fn(&Program) -> Program + Sync);

/// What de-duplication did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Merged {
    /// Programs that were left out because their beam had had them.
    pub structurally: u64,
    /// Programs that were left out because an equal one was better or earlier.
    pub canonically: u64,
    /// Canonical forms made.
    pub forms: u64,
    /// Seconds that took, over all threads.
    pub seconds: f64,
}

impl Merged {
    /// Both together.
    pub(super) fn plus(self, other: Merged) -> Merged {
        Merged {
            structurally: self.structurally + other.structurally,
            canonically: self.canonically + other.canonically,
            forms: self.forms + other.forms,
            seconds: self.seconds + other.seconds,
        }
    }
}

/// Searches. `canonical` is used to tell equal programs; `interrupt` stops it from outside; `tell` hears
/// how it goes, now and then, from any thread. A limit on depth is one on rounds, and the first beam
/// that reaches it is the last; one thread works then. `None` when there is no program to start from.
pub fn search(
    setup: &dyn Setup,
    limits: &Limits,
    options: &Options,
    canonical: Option<Canonical<'_>>,
    interrupt: &AtomicBool,
    tell: &(dyn Fn(Status) + Sync),
) -> Option<Report> {
    let plan = Plan {
        threads: match limits.depth {
            None => options.threads,
            Some(_) => 1,
        },
        team: 1,
        run: options.run,
        least: LEAST_RUN,
    };
    runs::search(plan, limits, interrupt, tell, &|track, _| {
        Runner {
            setup,
            options,
            canonical,
            depth: limits.depth.unwrap_or(u32::MAX),
            policy: setup.policy(),
            value: setup.value(),
            rng: Rng::seed_from_u64(track.seed(options.seed)),
            price: options.pareto.map_or(options.price, |cycle| cycle.price(0)),
            track,
            seen: Seen::default(),
            merged: Merged::default(),
        }
        .run()
    })
}

/// A run of fewer evaluations has hardly one beam.
const LEAST_RUN: u64 = 100_000;
/// Programs that are scored between looks at the limits.
const CHUNK: u64 = 256;
/// Programs that are remembered.
const REMEMBERED: usize = 1 << 20;

/// Hashes of programs.
#[allow(clippy::disallowed_types)]
type Seen = HashSet<u64, FxBuildHasher>;

/// A program in a beam.
struct State {
    program: Program,
    score: f64,
    /// The hash of its canonical form, once that was made.
    form: Option<u64>,
}

/// A run under way.
struct Runner<'a> {
    setup: &'a dyn Setup,
    options: &'a Options,
    canonical: Option<Canonical<'a>>,
    depth: u32,
    policy: Box<dyn Policy + 'a>,
    value: Box<dyn Value + 'a>,
    rng: Rng,
    /// The price of a unit of size now.
    price: f64,
    track: Track<'a>,
    /// What this beam has had.
    seen: Seen,
    merged: Merged,
}

impl Runner<'_> {
    fn run(mut self) -> Run {
        let stop = loop {
            if let Err(stop) = self.beam() {
                break stop;
            }
        };
        let mut run = self.track.end(stop, 0);
        run.merged = Some(self.merged);
        run.trouble = self.policy.trouble().map(str::to_owned);
        let price = self.options.price;
        run.best = run
            .best
            .take()
            .map(|best| anneal::tidy(self.setup, price, &mut *self.value, best, stop));
        run.renders = self.value.renders();
        run
    }

    /// One beam, until it does not get better any more. The error says why to stop.
    fn beam(&mut self) -> Result<(), StopReason> {
        let mut beam = self.begin()?;
        let (mut least, mut idle, mut depth) = (f64::INFINITY, 0, 0);
        while idle < self.options.patience.max(1) {
            let now = beam
                .first()
                .map_or(f64::INFINITY, |state| self.energy(state));
            idle = if now < least { 0 } else { idle + 1 };
            least = least.min(now);
            if depth >= self.depth {
                return Err(StopReason::Depth);
            }
            depth += 1;
            let children = self.expand(&beam)?;
            beam.extend(self.score(children)?);
            if let Some(cycle) = self.options.pareto {
                self.price = cycle.price(self.track.evaluations());
            }
            beam = self.select(beam)?;
            self.track.tell();
        }
        Ok(())
    }

    fn energy(&self, state: &State) -> f64 {
        state.score + self.price * f64::from(state.program.size())
    }

    /// Random programs.
    fn begin(&mut self) -> Result<Vec<State>, StopReason> {
        self.track.check()?;
        self.seen.clear();
        let mut programs = Vec::new();
        let mut any = false;
        for _ in 0..self.options.width.max(1) {
            if let Some(program) = self.setup.start(&mut self.rng) {
                any = true;
                self.add(program, &mut programs);
            }
        }
        if !any {
            return Err(StopReason::Exhausted);
        }
        let beam = self.score(programs)?;
        self.select(beam)
    }

    /// Takes a program that this beam has not had.
    fn add(&mut self, program: Program, to: &mut Vec<Program>) {
        if program.size() > self.options.max_size {
            return;
        }
        if self.seen.len() >= REMEMBERED {
            self.seen.clear();
        }
        match self.seen.insert(FxBuildHasher.hash_one(&program)) {
            true => to.push(program),
            false => self.merged.structurally += 1,
        }
    }

    /// What the policy's edits make of a beam.
    fn expand(&mut self, beam: &[State]) -> Result<Vec<Program>, StopReason> {
        self.track.check()?;
        let most = usize::try_from(self.track.expansions_left()).unwrap_or(usize::MAX);
        let states: Vec<&Program> = beam.iter().map(|state| &state.program).take(most).collect();
        let answers = self
            .policy
            .propose(&states, self.options.branch, &mut self.rng);
        if self.policy.trouble().is_some() {
            return Err(StopReason::Failed);
        }
        let mut children = Vec::new();
        for (state, answer) in states.iter().zip(answers) {
            self.track.expand();
            for proposal in answer {
                let mut program = (*state).clone();
                self.setup.layout().apply(&mut program, &proposal.edit);
                self.add(program, &mut children);
            }
        }
        Ok(children)
    }

    /// Scores programs and remembers the best. The error says why to stop.
    fn score(&mut self, programs: Vec<Program>) -> Result<Vec<State>, StopReason> {
        let mut states = Vec::with_capacity(programs.len());
        let mut programs = programs.into_iter();
        while !programs.as_slice().is_empty() {
            let room = usize::try_from(self.track.left().clamp(1, CHUNK)).unwrap_or(1);
            let chunk: Vec<Program> = programs.by_ref().take(room).collect();
            self.track.spend(chunk.len() as u64)?;
            let scores = self.value.score(&chunk.iter().collect::<Vec<_>>());
            for (program, score) in chunk.into_iter().zip(scores) {
                let how = (self.options.price, self.options.pareto.is_some());
                self.track.look(&mut *self.value, (&program, score), how)?;
                states.push(State {
                    program,
                    score,
                    form: None,
                });
            }
        }
        Ok(states)
    }

    /// The best of them, each of which means something else. Of equals the earlier is the better.
    fn select(&mut self, mut states: Vec<State>) -> Result<Vec<State>, StopReason> {
        states.sort_by(|a, b| self.energy(a).total_cmp(&self.energy(b)));
        let width = self.options.width.max(1);
        let Some(canonical) = self.canonical else {
            states.truncate(width);
            return Ok(states);
        };
        let mut forms = Seen::default();
        let mut beam = Vec::with_capacity(width);
        for mut state in states {
            if beam.len() == width {
                break;
            }
            let form = match state.form {
                Some(form) => form,
                None => {
                    self.track.check()?;
                    let began = Instant::now();
                    let form = FxBuildHasher.hash_one(canonical(&state.program));
                    self.merged.seconds += began.elapsed().as_secs_f64();
                    self.merged.forms += 1;
                    form
                }
            };
            state.form = Some(form);
            match forms.insert(form) {
                true => beam.push(state),
                false => self.merged.canonically += 1,
            }
        }
        Ok(beam)
    }
}
