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

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng};

use crate::sample::Rng;
use crate::search::{Improvement, Limits, Policy, Report, StopReason, Value};
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
            width: 16,
            steps: 12,
            starts: 32,
            max_size,
            run: 400_000,
        }
    }
}

/// What the search tells while it goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Status {
    /// Programs scored so far, by all threads.
    pub evaluations: u64,
    /// Since the search began.
    pub elapsed: Duration,
    /// The best score so far, by any thread.
    pub best: f64,
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
    let shared = Shared {
        setup,
        limits,
        options,
        interrupt,
        tell,
        began: Instant::now(),
        shares: shares(limits, options),
        next: AtomicUsize::new(0),
        solved: AtomicUsize::new(usize::MAX),
        evaluations: AtomicU64::new(0),
        expansions: AtomicU64::new(0),
        best: Mutex::new(f64::INFINITY),
        runs: Mutex::new(Vec::new()),
    };
    std::thread::scope(|scope| {
        for _ in 1..options.threads.max(1) {
            scope.spawn(|| shared.work());
        }
        shared.work();
    });
    shared.report()
}

/// A run of fewer evaluations hardly gets warm.
const LEAST_RUN: u64 = 100_000;

/// How many evaluations each run has: a row without end when there is no limit on them.
fn shares(limits: &Limits, options: &Options) -> Shares {
    match limits.evaluations {
        None => Shares {
            each: options.run.max(1),
            total: u64::MAX,
        },
        // Few long runs find more than many short ones; some are needed for several threads.
        Some(total) => Shares {
            each: (total / 4).clamp(LEAST_RUN, options.run.max(LEAST_RUN)),
            total,
        },
    }
}

struct Shares {
    each: u64,
    total: u64,
}

impl Shares {
    /// Evaluations of the run at `index`, 0 past the end.
    fn of(&self, index: usize) -> u64 {
        let before = self.each.saturating_mul(index as u64);
        self.total.saturating_sub(before).min(self.each)
    }
}

struct Shared<'a> {
    setup: &'a dyn Setup,
    limits: &'a Limits,
    options: &'a Options,
    interrupt: &'a AtomicBool,
    tell: &'a (dyn Fn(Status) + Sync),
    began: Instant,
    shares: Shares,
    /// The next run to take.
    next: AtomicUsize,
    /// The first run that met the goal.
    solved: AtomicUsize,
    evaluations: AtomicU64,
    expansions: AtomicU64,
    best: Mutex<f64>,
    runs: Mutex<Vec<Run>>,
}

/// A finished run.
struct Run {
    index: usize,
    stop: StopReason,
    best: Option<Best>,
    trajectory: Vec<Improvement>,
    evaluations: u64,
    expansions: u64,
    renders: u64,
}

#[derive(Clone)]
struct Best {
    program: Program,
    score: f64,
    energy: f64,
}

impl Shared<'_> {
    fn work(&self) {
        loop {
            let index = self.next.fetch_add(1, Ordering::SeqCst);
            if self.shares.of(index) == 0 || self.cancelled(index).is_some() {
                return;
            }
            let run = Runner::new(self, index).run();
            if run.stop == StopReason::Solved {
                self.solved.fetch_min(index, Ordering::SeqCst);
            }
            let last = run.best.is_none();
            if let Ok(mut runs) = self.runs.lock() {
                runs.push(run);
            }
            if last {
                return;
            }
        }
    }

    /// Why the run at `index` should stop now, if it should.
    fn cancelled(&self, index: usize) -> Option<StopReason> {
        if self.interrupt.load(Ordering::Relaxed) {
            return Some(StopReason::Interrupted);
        }
        let solved = self.solved.load(Ordering::Relaxed);
        // Under a limit on evaluations earlier runs go on, so that the first solution of the row
        // wins however many threads there are.
        if solved < index || (solved != usize::MAX && self.limits.evaluations.is_none()) {
            return Some(StopReason::Solved);
        }
        if self
            .limits
            .time
            .is_some_and(|time| self.began.elapsed() >= time)
        {
            return Some(StopReason::Time);
        }
        if let Some(limit) = self.limits.expansions
            && self.expansions.load(Ordering::Relaxed) >= limit
        {
            return Some(StopReason::Expansions);
        }
        None
    }

    fn report(self) -> Option<Report> {
        let mut runs = self.runs.into_inner().ok()?;
        runs.sort_by_key(|run| run.index);
        let solved = self.solved.into_inner();
        if solved != usize::MAX && self.limits.evaluations.is_some() {
            // What later runs did depends on the threads.
            runs.retain(|run| run.index <= solved);
        }
        let sum = |of: fn(&Run) -> u64| runs.iter().map(of).sum::<u64>();
        let (evaluations, expansions, renders) = (
            sum(|run| run.evaluations),
            sum(|run| run.expansions),
            sum(|run| run.renders),
        );
        let stop = if solved != usize::MAX {
            StopReason::Solved
        } else {
            let reasons = runs.iter().map(|run| run.stop);
            reasons
                .clone()
                .find(|stop| *stop != StopReason::Evaluations)
                .unwrap_or(StopReason::Evaluations)
        };
        let winner = runs
            .into_iter()
            .filter(|run| run.best.is_some())
            .filter(|run| solved == usize::MAX || run.index == solved)
            .min_by(|a, b| {
                let energy = |run: &Run| run.best.as_ref().map_or(f64::INFINITY, |b| b.energy);
                energy(a).total_cmp(&energy(b)).then(a.index.cmp(&b.index))
            })?;
        let best = winner.best?;
        Some(Report {
            stop,
            program: best.program,
            score: best.score,
            trajectory: winner.trajectory,
            expansions,
            evaluations,
            renders,
            seconds: self.began.elapsed().as_secs_f64(),
        })
    }
}

/// A program at a temperature.
struct Replica {
    program: Program,
    energy: f64,
    temperature: f64,
}

/// A run under way.
struct Runner<'a> {
    shared: &'a Shared<'a>,
    policy: Box<dyn Policy + 'a>,
    value: Box<dyn Value + 'a>,
    rng: Rng,
    budget: u64,
    run: Run,
}

impl<'a> Runner<'a> {
    fn new(shared: &'a Shared<'a>, index: usize) -> Runner<'a> {
        // Neighbouring numbers as seeds would do as well; this keeps runs of neighbouring
        // seeds apart too.
        let seed = shared.options.seed ^ (index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Runner {
            shared,
            policy: shared.setup.policy(),
            value: shared.setup.value(),
            rng: Rng::seed_from_u64(seed),
            budget: shared.shares.of(index),
            run: Run {
                index,
                stop: StopReason::Evaluations,
                best: None,
                trajectory: Vec::new(),
                evaluations: 0,
                expansions: 0,
                renders: 0,
            },
        }
    }

    fn run(mut self) -> Run {
        self.run.stop = self.temper();
        self.tidy();
        self.run.renders = self.value.renders();
        self.run
    }

    fn temper(&mut self) -> StopReason {
        let mut replicas = match self.begin() {
            Ok(replicas) => replicas,
            Err(stop) => return stop,
        };
        loop {
            for replica in &mut replicas {
                for _ in 0..self.shared.options.steps {
                    if let Err(stop) = self.step(replica) {
                        return stop;
                    }
                }
            }
            self.exchange(&mut replicas);
        }
    }

    /// Each replica starts from the best of some random programs.
    fn begin(&mut self) -> Result<Vec<Replica>, StopReason> {
        let options = self.shared.options;
        let count = options.replicas.max(1);
        let ratio = (options.hot / options.cold).max(1.0);
        let mut replicas = Vec::new();
        for index in 0..count {
            let part = index as f64 / (count.max(2) - 1) as f64;
            let mut best: Option<(Program, f64)> = None;
            for _ in 0..options.starts.max(1) {
                let Some(program) = self.shared.setup.start(&mut self.rng) else {
                    continue;
                };
                let energy = self.score(&[&program])?[0];
                if best.as_ref().is_none_or(|(_, least)| energy < *least) {
                    best = Some((program, energy));
                }
            }
            let Some((program, energy)) = best else {
                return Err(StopReason::Exhausted);
            };
            replicas.push(Replica {
                program,
                energy,
                temperature: options.cold * libm::pow(ratio, part),
            });
        }
        Ok(replicas)
    }

    /// Energies of programs, the best of which is remembered. The error says why to stop.
    fn score(&mut self, programs: &[&Program]) -> Result<Vec<f64>, StopReason> {
        let shared = self.shared;
        if let Some(stop) = shared.cancelled(self.run.index) {
            return Err(stop);
        }
        let left = self.budget.saturating_sub(self.run.evaluations);
        if left < programs.len() as u64 {
            return Err(StopReason::Evaluations);
        }
        let count = programs.len() as u64;
        self.run.evaluations += count;
        let total = shared.evaluations.fetch_add(count, Ordering::Relaxed) + count;
        let scores = self.value.score(programs);
        let mut energies = Vec::with_capacity(scores.len());
        let mut solved = false;
        for (program, score) in programs.iter().zip(scores) {
            let energy = score + shared.options.price * f64::from(program.size());
            energies.push(energy);
            let least = self.run.best.as_ref().map_or(f64::INFINITY, |b| b.energy);
            if energy < least {
                self.run.best = Some(Best {
                    program: (*program).clone(),
                    score,
                    energy,
                });
                self.run.trajectory.push(Improvement {
                    evaluations: self.run.evaluations,
                    seconds: shared.began.elapsed().as_secs_f64(),
                    score,
                    program: (*program).clone(),
                });
                if self.value.solved(program, score) {
                    solved = true;
                    break;
                }
            }
        }
        let mine = self.run.best.as_ref().map_or(f64::INFINITY, |b| b.score);
        if let Ok(mut best) = shared.best.lock() {
            *best = best.min(mine);
            (shared.tell)(Status {
                evaluations: total,
                elapsed: shared.began.elapsed(),
                best: *best,
            });
        }
        if solved {
            return Err(StopReason::Solved);
        }
        Ok(energies)
    }

    fn step(&mut self, replica: &mut Replica) -> Result<(), StopReason> {
        let options = self.shared.options;
        self.run.expansions += 1;
        self.shared.expansions.fetch_add(1, Ordering::Relaxed);
        let answers = self
            .policy
            .propose(&[&replica.program], options.width, &mut self.rng);
        let layout = self.shared.setup.layout();
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
            return match self.shared.cancelled(self.run.index) {
                Some(stop) => Err(stop),
                None => Ok(()),
            };
        }
        let energies = self.score(&candidates.iter().collect::<Vec<_>>())?;
        if let Some(index) = self.choose(replica.energy, &energies, replica.temperature)
            && let Some(program) = candidates.into_iter().nth(index)
        {
            replica.program = program;
            replica.energy = energies[index];
        }
        Ok(())
    }

    /// One of the energies, or none for staying, by their Boltzmann weights.
    fn choose(&mut self, stay: f64, energies: &[f64], temperature: f64) -> Option<usize> {
        let least = energies.iter().copied().fold(stay, f64::min);
        let weight = |energy: f64| libm::exp((least - energy) / temperature);
        let total = weight(stay) + energies.iter().map(|e| weight(*e)).sum::<f64>();
        let mut left = self.rng.random_range(0.0..1.0) * total - weight(stay);
        if left < 0.0 {
            return None;
        }
        energies.iter().position(|energy| {
            left -= weight(*energy);
            left < 0.0
        })
    }

    /// Neighbouring replicas change places by Metropolis's rule.
    fn exchange(&mut self, replicas: &mut [Replica]) {
        for index in 1..replicas.len() {
            let (left, right) = replicas.split_at_mut(index);
            let (Some(a), Some(b)) = (left.last_mut(), right.first_mut()) else {
                continue;
            };
            let gain = (a.energy - b.energy) * (1.0 / a.temperature - 1.0 / b.temperature);
            if gain >= 0.0 || self.rng.random_range(0.0..1.0) < libm::exp(gain) {
                std::mem::swap(&mut a.program, &mut b.program);
                std::mem::swap(&mut a.energy, &mut b.energy);
            }
        }
    }

    /// Removes from the best program what makes no difference: whatever can be deleted without a
    /// worse score. Not counted against any limit: it is a few dozen programs.
    fn tidy(&mut self) {
        let Some(mut best) = self.run.best.take() else {
            return;
        };
        let layout = self.shared.setup.layout();
        let solved = self.run.stop == StopReason::Solved;
        'again: loop {
            for edit in self.shared.setup.simpler(&best.program) {
                let mut program = best.program.clone();
                layout.apply(&mut program, &edit);
                let score = self.value.score(&[&program])[0];
                if score <= best.score && (!solved || self.value.solved(&program, score)) {
                    let price = self.shared.options.price;
                    best = Best {
                        energy: score + price * f64::from(program.size()),
                        program,
                        score,
                    };
                    continue 'again;
                }
            }
            break;
        }
        self.run.best = Some(best);
    }
}
