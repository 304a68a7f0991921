//! Tree diffusion rollouts: a policy's edits, one after the other, without looking back.
//!
//! In: a policy, a value, limits. Out: a [`Report`]. Afterwards the best program is there
//! whatever stopped the search.
//!
//! As in section 4 of the paper, a *rollout* starts from a random program and takes whatever edit the policy gives,
//! until the goal is met or it has had so many edits; then another one starts. Many go on side by side, so that the
//! policy is asked about all of them at once. Scores decide nothing but which program is the best.

use std::sync::atomic::AtomicBool;

use rand::SeedableRng;

use crate::sample::Rng;
use crate::search::anneal::{self, Setup};
use crate::search::runs::{self, Plan, Run, Status, Track};
use crate::search::{Limits, Policy, Report, StopReason, Value};
use crate::tree::Program;

/// How the search goes about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Seed of everything random.
    pub seed: u64,
    /// Threads that work on runs.
    pub threads: usize,
    /// Rollouts side by side.
    pub width: usize,
    /// Edits of a rollout.
    pub length: u32,
    /// Price of a unit of size, when programs are compared.
    pub price: f64,
    /// Whether the front of size against error is wanted: then the search goes on when the goal is met.
    pub pareto: bool,
    /// Greatest size of a program.
    pub max_size: u32,
    /// Evaluations of a run when there is no limit on them.
    pub run: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            seed: 0,
            threads: 1,
            width: 32,
            length: 32,
            price: 0.0,
            pareto: false,
            max_size: u32::MAX,
            run: 400_000,
        }
    }
}

/// A run of fewer evaluations is not worth a seed of its own.
const LEAST_RUN: u64 = 100_000;

/// Searches. `interrupt` stops it from outside; `tell` hears how it goes, now and then, from any thread. A limit
/// on depth bounds the length of rollouts. `None` when there is no program to start from.
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
        let mut runner = Runner {
            setup,
            options,
            length: options.length.min(limits.depth.unwrap_or(u32::MAX)),
            policy: setup.policy(),
            value: setup.value(),
            rng: Rng::seed_from_u64(track.seed(options.seed)),
            track,
        };
        let stop = runner.roll();
        runner.end(stop)
    })
}

/// A rollout under way.
struct Rollout {
    program: Program,
    edits: u32,
}

/// A run under way.
struct Runner<'a> {
    setup: &'a dyn Setup,
    options: &'a Options,
    length: u32,
    policy: Box<dyn Policy + 'a>,
    value: Box<dyn Value + 'a>,
    rng: Rng,
    track: Track<'a>,
}

impl Runner<'_> {
    /// Goes on until something says to stop.
    fn roll(&mut self) -> StopReason {
        let mut rollouts = Vec::new();
        loop {
            if let Err(stop) = self.round(&mut rollouts) {
                return stop;
            }
            self.track.tell();
        }
    }

    /// An edit of each.
    fn round(&mut self, rollouts: &mut Vec<Rollout>) -> Result<(), StopReason> {
        self.track.check()?;
        self.begin(rollouts)?;
        let most = usize::try_from(self.track.expansions_left()).unwrap_or(usize::MAX);
        let states: Vec<&Program> = rollouts.iter().map(|r| &r.program).take(most).collect();
        let answers = self.policy.propose(&states, 1, &mut self.rng);
        if self.policy.trouble().is_some() {
            return Err(StopReason::Failed);
        }
        let mut going = Vec::with_capacity(rollouts.len());
        let mut answers = answers.into_iter();
        for mut rollout in rollouts.drain(..).take(most) {
            self.track.expand();
            let edit = answers.next().and_then(|answer| answer.into_iter().next());
            let Some(proposal) = edit else { continue };
            let layout = self.setup.layout();
            layout.apply(&mut rollout.program, &proposal.edit);
            rollout.edits += 1;
            if rollout.program.size() <= self.options.max_size {
                going.push(rollout);
            }
        }
        self.score(&going)?;
        going.retain(|rollout| rollout.edits < self.length);
        *rollouts = going;
        Ok(())
    }

    /// Fills up with random programs.
    fn begin(&mut self, rollouts: &mut Vec<Rollout>) -> Result<(), StopReason> {
        let mut fresh = Vec::new();
        for _ in rollouts.len()..self.options.width.max(1) {
            let program = self.setup.start(&mut self.rng);
            let program = program.ok_or(StopReason::Exhausted)?;
            fresh.push(Rollout { program, edits: 0 });
        }
        self.score(&fresh)?;
        rollouts.extend(fresh);
        Ok(())
    }

    /// Scores programs and remembers the best. The error says why to stop.
    fn score(&mut self, rollouts: &[Rollout]) -> Result<(), StopReason> {
        let room = usize::try_from(self.track.left().max(1)).unwrap_or(usize::MAX);
        for chunk in rollouts.chunks(room) {
            self.track.spend(chunk.len() as u64)?;
            let programs: Vec<&Program> = chunk.iter().map(|r| &r.program).collect();
            for (program, score) in programs.iter().zip(self.value.score(&programs)) {
                let how = (self.options.price, self.options.pareto);
                self.track.look(&mut *self.value, (program, score), how)?;
            }
        }
        Ok(())
    }

    fn end(mut self, stop: StopReason) -> Run {
        let mut run = self.track.end(stop, 0);
        run.trouble = self.policy.trouble().map(str::to_owned);
        let price = self.options.price;
        run.best = run
            .best
            .take()
            .map(|best| anneal::tidy(self.setup, price, &mut *self.value, best, stop));
        run.renders = self.value.renders();
        run
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::mutate::Mutator;
    use crate::search::Proposal;
    use crate::search::tests::{Bits, bits, evaluations};
    use crate::tree::{Edit, Layout};

    /// Random edits that are counted; a policy that breaks off after some answers.
    struct Noisy<'a> {
        bits: Bits<'a>,
        breaks: Option<usize>,
        /// How many states each call had.
        calls: Mutex<Vec<usize>>,
    }

    struct Random<'s, 'a> {
        of: &'s Noisy<'a>,
        broken: bool,
    }

    impl Policy for Random<'_, '_> {
        fn propose(&mut self, states: &[&Program], k: usize, rng: &mut Rng) -> Vec<Vec<Proposal>> {
            assert_eq!(k, 1);
            let mut calls = self.of.calls.lock().expect("a lock");
            calls.push(states.len());
            self.broken |= self.of.breaks.is_some_and(|most| calls.len() > most);
            let propose = |state: &&Program| {
                let edit = self.of.bits.mutator.propose(state, rng);
                let proposal = edit.map(|edit| Proposal { edit, score: 0.0 });
                proposal.into_iter().filter(|_| !self.broken).collect()
            };
            states.iter().map(propose).collect()
        }

        fn trouble(&self) -> Option<&str> {
            self.broken.then_some("it broke off")
        }
    }

    impl Setup for Noisy<'_> {
        fn policy(&self) -> Box<dyn Policy + '_> {
            Box::new(Random {
                of: self,
                broken: false,
            })
        }
        fn value(&self) -> Box<dyn Value + '_> {
            self.bits.value()
        }
        fn start(&self, rng: &mut Rng) -> Option<Program> {
            self.bits.start(rng)
        }
        fn simpler(&self, program: &Program) -> Vec<Edit> {
            self.bits.simpler(program)
        }
        fn layout(&self) -> &Layout {
            self.bits.layout()
        }
    }

    fn run(reachable: bool, breaks: Option<usize>, limits: Limits) -> (Report, Vec<usize>) {
        let compiled = bits();
        let setup = Noisy {
            bits: Bits {
                mutator: Mutator::new(&compiled, compiled.grammar.mutate).expect("mutations"),
                target: compiled.parse("1 0 1").expect("a program"),
                compiled: &compiled,
                reachable,
            },
            breaks,
            calls: Mutex::new(Vec::new()),
        };
        let options = Options {
            width: 4,
            length: 5,
            seed: 3,
            ..Options::default()
        };
        let never = AtomicBool::new(false);
        let report = search(&setup, &limits, &options, &never, &|_| {}).expect("a report");
        let calls = setup.calls.into_inner().expect("a lock");
        (report, calls)
    }

    #[test]
    fn what_random_edits_lead_to_is_found() {
        let (report, _) = run(true, None, evaluations(50_000));
        assert_eq!((report.stop, report.score), (StopReason::Solved, 0.0));
        assert_eq!(report.trouble, None);
    }

    #[test]
    fn limits_hold_to_the_number() {
        let limits = Limits {
            expansions: Some(10),
            ..Limits::default()
        };
        let (report, calls) = run(false, None, limits);
        assert_eq!(
            (report.stop, report.expansions),
            (StopReason::Expansions, 10)
        );
        assert_eq!(calls, [4, 4, 2]);
        let (report, _) = run(false, None, evaluations(7));
        assert_eq!(
            (report.stop, report.evaluations),
            (StopReason::Evaluations, 7)
        );
    }

    /// After five edits all four start afresh: starts are scored too.
    #[test]
    fn rollouts_have_their_length() {
        let limits = Limits {
            expansions: Some(40),
            ..Limits::default()
        };
        let (report, calls) = run(false, None, limits);
        assert_eq!(calls, [4; 10]);
        assert_eq!(report.evaluations, 40 + 2 * 4);
        let short = Limits {
            depth: Some(1),
            ..limits
        };
        assert_eq!(run(false, None, short).0.evaluations, 80);
    }

    #[test]
    fn trouble_of_the_policy_is_told_with_the_best_so_far() {
        let (report, calls) = run(false, Some(2), evaluations(50_000));
        assert_eq!(report.stop, StopReason::Failed);
        assert_eq!(report.trouble.as_deref(), Some("it broke off"));
        assert_eq!((calls.len(), report.expansions), (3, 8));
        assert!(report.score.is_finite());
    }
}
