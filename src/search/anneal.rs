//! Parallel tempering over a policy's edits: the training-free search.
//!
//! In: a policy, a value, limits. Out: a [`Report`]. Afterwards the best program is there
//! whatever stopped the search, and with a limit on evaluations alone the report (but for its
//! seconds) is the same for every number of threads.
//!
//! A *run* holds a few replicas at temperatures from cold to hot. A step asks the policy for a
//! group of edits of one replica's program, scores all of them, and goes on from one of them or
//! from where it is, each as likely as `exp(-energy / temperature)` says: for the values of one
//! number this is Gibbs sampling, for a single edit Barker's rule. After each round neighbouring
//! replicas may change places, by Metropolis's rule. The energy is the score plus a price per
//! unit of size. The search is a row of such runs, each with its own seed and its own share of the
//! evaluations; threads take runs from the row, and a run that meets the goal ends the row
//! behind it.

use std::sync::atomic::AtomicBool;

use rand::SeedableRng;

use crate::sample::Rng;
use crate::search::chance::{boltzmann, metropolis};
use crate::search::front::Cycle;
pub use crate::search::runs::Status;
use crate::search::runs::{self, Best, Plan, Run, Track};
use crate::search::{Limits, Policy, Report, StopReason, Value};
use crate::tree::{Edit, Layout, Program};

/// How the search goes about it. Temperatures and price are in the units of the score.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Seed of everything random.
    pub seed: u64,
    /// Threads that work on runs.
    pub threads: usize,
    /// Replicas in a run.
    pub replicas: usize,
    /// Coldest temperature.
    pub cold: f64,
    /// Hottest temperature.
    pub hot: f64,
    /// Price of a unit of size.
    pub price: f64,
    /// Whether the front of size against error is wanted, and at which prices: then the search goes
    /// on when the goal is met.
    pub pareto: Option<Cycle>,
    /// Most edits scored in one step.
    pub width: usize,
    /// Steps of each replica between exchanges.
    pub steps: u32,
    /// Programs drawn at random for each replica to start from the best of.
    pub starts: usize,
    /// Greatest size of a program.
    pub max_size: u32,
    /// Evaluations of a run when time is the only limit.
    pub run: u64,
}

impl Options {
    /// Options for a target of which `weight` pixels differ from the empty canvas.
    pub fn for_weight(weight: f64, max_size: u32) -> Options {
        let weight = weight.max(64.0);
        Options {
            seed: 0,
            threads: 1,
            replicas: 6,
            cold: (weight / 4000.0).clamp(0.05, 1.0),
            hot: weight * 0.03,
            price: weight / 1000.0,
            pareto: None,
            width: 16,
            steps: 12,
            starts: 32,
            max_size,
            run: 400_000,
        }
    }
}

/// What a search is made of: each run makes its own.
pub trait Setup: Sync {
    /// The policy.
    fn policy(&self) -> Box<dyn Policy + '_>;
    /// The value.
    fn value(&self) -> Box<dyn Value + '_>;
    /// A random program to start from.
    fn start(&self, rng: &mut Rng) -> Option<Program>;
    /// Edits that make a program smaller.
    fn simpler(&self, program: &Program) -> Vec<Edit>;
    /// The grammar's layout.
    fn layout(&self) -> &Layout;
}

/// Searches. `interrupt` stops it from outside; `tell` hears how it goes, now and then, from
/// any thread. `None` when there is no program to start from.
pub fn search(
    setup: &dyn Setup,
    limits: &Limits,
    options: &Options,
    interrupt: &AtomicBool,
    tell: &(dyn Fn(Status) + Sync),
) -> Option<Report> {
    let plan = Plan {
        threads: options.threads,
        team: 1,
        run: options.run,
        least: LEAST_RUN,
    };
    runs::search(plan, limits, interrupt, tell, &|track, _| {
        Runner::new(setup, options, track).run()
    })
}

/// A run of fewer evaluations hardly gets warm.
const LEAST_RUN: u64 = 100_000;

/// A program at a temperature.
struct Replica {
    program: Program,
    score: f64,
    energy: f64,
    temperature: f64,
}

/// A run under way.
struct Runner<'a> {
    setup: &'a dyn Setup,
    options: &'a Options,
    policy: Box<dyn Policy + 'a>,
    value: Box<dyn Value + 'a>,
    rng: Rng,
    track: Track<'a>,
    /// The price of a unit of size now.
    price: f64,
}

impl<'a> Runner<'a> {
    fn new(setup: &'a dyn Setup, options: &'a Options, track: Track<'a>) -> Runner<'a> {
        Runner {
            setup,
            options,
            policy: setup.policy(),
            value: setup.value(),
            rng: Rng::seed_from_u64(track.seed(options.seed)),
            track,
            price: options.pareto.map_or(options.price, |cycle| cycle.price(0)),
        }
    }

    fn run(mut self) -> Run {
        let stop = self.temper();
        let mut run = self.track.end(stop, 0);
        run.best = run
            .best
            .take()
            .map(|best| tidy(self.setup, self.options.price, &mut *self.value, best, stop));
        run.renders = self.value.renders();
        run
    }

    fn temper(&mut self) -> StopReason {
        let mut replicas = match self.begin() {
            Ok(replicas) => replicas,
            Err(stop) => return stop,
        };
        loop {
            for replica in &mut replicas {
                for _ in 0..self.options.steps {
                    if let Err(stop) = self.step(replica) {
                        return stop;
                    }
                }
            }
            self.exchange(&mut replicas);
            self.turn(&mut replicas);
        }
    }

    /// Each replica starts from the best of some random programs.
    fn begin(&mut self) -> Result<Vec<Replica>, StopReason> {
        let options = self.options;
        let count = options.replicas.max(1);
        let ratio = (options.hot / options.cold).max(1.0);
        let mut replicas = Vec::new();
        for index in 0..count {
            let part = index as f64 / (count.max(2) - 1) as f64;
            let mut best: Option<(Program, f64, f64)> = None;
            for _ in 0..options.starts.max(1) {
                let Some(program) = self.setup.start(&mut self.rng) else {
                    continue;
                };
                let (score, energy) = self.score(&[&program])?[0];
                if best.as_ref().is_none_or(|(_, _, least)| energy < *least) {
                    best = Some((program, score, energy));
                }
            }
            let Some((program, score, energy)) = best else {
                return Err(StopReason::Exhausted);
            };
            replicas.push(Replica {
                program,
                score,
                energy,
                temperature: options.cold * libm::pow(ratio, part),
            });
        }
        Ok(replicas)
    }

    /// Another price, when the front is wanted.
    fn turn(&mut self, replicas: &mut [Replica]) {
        let Some(cycle) = self.options.pareto else {
            return;
        };
        self.price = cycle.price(self.track.evaluations());
        for replica in replicas {
            replica.energy = replica.score + self.price * f64::from(replica.program.size());
        }
    }

    /// Scores and energies of programs, the best of which is remembered. The error says why to stop.
    fn score(&mut self, programs: &[&Program]) -> Result<Vec<(f64, f64)>, StopReason> {
        self.track.spend(programs.len() as u64)?;
        let scores = self.value.score(programs);
        let mut energies = Vec::with_capacity(scores.len());
        let mut solved = false;
        for (program, score) in programs.iter().zip(scores) {
            let size = f64::from(program.size());
            energies.push((score, score + self.price * size));
            let best = self
                .track
                .offer(program, score, score + self.options.price * size);
            if self.options.pareto.is_some() {
                if self.track.may_place(program, score) {
                    let solved = self.value.solved(program, score);
                    self.track.place(program, score, solved);
                }
            } else if best && self.value.solved(program, score) {
                solved = true;
                break;
            }
        }
        self.track.tell();
        if solved {
            return Err(StopReason::Solved);
        }
        Ok(energies)
    }

    fn step(&mut self, replica: &mut Replica) -> Result<(), StopReason> {
        let options = self.options;
        self.track.check()?;
        self.track.expand();
        let answers = self
            .policy
            .propose(&[&replica.program], options.width, &mut self.rng);
        let layout = self.setup.layout();
        let candidates: Vec<Program> = answers
            .into_iter()
            .flatten()
            .map(|proposal| {
                let mut program = replica.program.clone();
                layout.apply(&mut program, &proposal.edit);
                program
            })
            .filter(|program| program.size() <= options.max_size)
            .collect();
        if candidates.is_empty() {
            return self.track.check();
        }
        let scores = self.score(&candidates.iter().collect::<Vec<_>>())?;
        let mut energies: Vec<f64> = scores.iter().map(|(_, energy)| *energy).collect();
        // Past the last: to stay.
        energies.push(replica.energy);
        if let Some(index) = boltzmann(&energies, replica.temperature, &mut self.rng)
            && let Some(program) = candidates.into_iter().nth(index)
        {
            replica.program = program;
            (replica.score, replica.energy) = scores[index];
        }
        Ok(())
    }

    /// Neighbouring replicas change places by Metropolis's rule.
    fn exchange(&mut self, replicas: &mut [Replica]) {
        for index in 1..replicas.len() {
            let (left, right) = replicas.split_at_mut(index);
            let (Some(a), Some(b)) = (left.last_mut(), right.first_mut()) else {
                continue;
            };
            let gain = (a.energy - b.energy) * (1.0 / a.temperature - 1.0 / b.temperature);
            if metropolis(-gain, 1.0, &mut self.rng) {
                std::mem::swap(&mut a.program, &mut b.program);
                std::mem::swap(&mut a.score, &mut b.score);
                std::mem::swap(&mut a.energy, &mut b.energy);
            }
        }
    }
}

/// Removes from the best program what makes too little difference: whatever costs more by its size
/// than it is worth, as long as what was solved stays solved. Not counted against any limit: it is a few dozen programs.
pub(super) fn tidy(
    setup: &dyn Setup,
    price: f64,
    value: &mut dyn Value,
    mut best: Best,
    stop: StopReason,
) -> Best {
    let layout = setup.layout();
    let solved = stop == StopReason::Solved;
    'again: loop {
        for edit in setup.simpler(&best.program) {
            let mut program = best.program.clone();
            layout.apply(&mut program, &edit);
            let score = value.score(&[&program])[0];
            let energy = score + price * f64::from(program.size());
            if energy <= best.energy && (!solved || value.solved(&program, score)) {
                best = Best {
                    energy,
                    program,
                    score,
                };
                continue 'again;
            }
        }
        return best;
    }
}
