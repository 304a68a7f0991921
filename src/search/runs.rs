//! A row of runs: what searches by chance have in common.
//!
//! In: limits, and a function that makes one run. Out: a [`Report`]. Afterwards the best program is
//! there whatever stopped the search, and with a limit on evaluations alone the report (but for its
//! seconds) is the same for every number of threads: each run has its own number, which seeds it, and its
//! own share of the evaluations; threads take runs from the row, and a run that meets the goal
//! ends the row behind it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::search::beam::Merged;
use crate::search::front::Front;
use crate::search::{Improvement, Limits, Report, StopReason, Value};
use crate::tree::Program;

/// What the search tells while it goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Status {
    /// Programs scored so far, by all threads.
    pub evaluations: u64,
    /// Answers of the policy so far.
    pub expansions: u64,
    /// Since the search began.
    pub elapsed: Duration,
    /// The best score so far, by any thread.
    pub best: f64,
}

/// How the row is divided.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Plan {
    /// Threads in all.
    pub(super) threads: usize,
    /// Most threads that work on one run together.
    pub(super) team: usize,
    /// Evaluations of a run when time is the only limit.
    pub(super) run: u64,
    /// Fewer evaluations than this are no run.
    pub(super) least: u64,
}

impl Plan {
    /// Threads in each team: as few teams as may be, because several threads on one run find the same
    /// sooner, and several runs only make luck likelier.
    fn teams(&self) -> Vec<usize> {
        let threads = self.threads.max(1);
        let teams = threads.div_ceil(self.team.max(1));
        let more = threads % teams;
        (0..teams)
            .map(|team| threads / teams + usize::from(team < more))
            .collect()
    }
}

/// Runs the row; `work` makes one run of it, by so many threads. `interrupt` stops it from outside;
/// `tell` hears how it goes, now and then, from any thread. `None` when no run found any program.
pub(super) fn search(
    plan: Plan,
    limits: &Limits,
    interrupt: &AtomicBool,
    tell: &(dyn Fn(Status) + Sync),
    work: &(dyn Fn(Track<'_>, usize) -> Run + Sync),
) -> Option<Report> {
    let row = Row {
        limits,
        interrupt,
        tell,
        began: Instant::now(),
        shares: Shares::new(limits, plan),
        next: AtomicUsize::new(0),
        solved: AtomicUsize::new(usize::MAX),
        evaluations: AtomicU64::new(0),
        expansions: AtomicU64::new(0),
        best: Mutex::new(f64::INFINITY),
        runs: Mutex::new(Vec::new()),
    };
    let teams = plan.teams();
    std::thread::scope(|scope| {
        for team in &teams[1..] {
            scope.spawn(|| row.work(*team, work));
        }
        row.work(teams[0], work);
    });
    row.report()
}

struct Shares {
    each: u64,
    total: u64,
}

impl Shares {
    /// How many evaluations each run has: a row without end when there is no limit on them.
    fn new(limits: &Limits, plan: Plan) -> Shares {
        match limits.evaluations {
            None => Shares {
                each: plan.run.max(1),
                total: u64::MAX,
            },
            // Few long runs find more than many short ones; some are needed for several threads.
            Some(total) => Shares {
                each: (total / 4).clamp(plan.least, plan.run.max(plan.least)),
                total,
            },
        }
    }

    /// Evaluations of the run at `index`, 0 past the end.
    fn of(&self, index: usize) -> u64 {
        let before = self.each.saturating_mul(index as u64);
        self.total.saturating_sub(before).min(self.each)
    }
}

struct Row<'a> {
    limits: &'a Limits,
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
pub(super) struct Run {
    index: usize,
    pub(super) stop: StopReason,
    /// Why the policy could not go on.
    pub(super) trouble: Option<String>,
    pub(super) best: Option<Best>,
    pub(super) front: Front,
    /// Seconds after which the goal was met for the first time.
    met: Option<f64>,
    pub(super) merged: Option<Merged>,
    trajectory: Vec<Improvement>,
    evaluations: u64,
    expansions: u64,
    pub(super) renders: u64,
}

/// The best program of a run.
#[derive(Clone)]
pub(super) struct Best {
    pub(super) program: Program,
    pub(super) score: f64,
    /// What the run goes by: the score and a price of size.
    pub(super) energy: f64,
}

impl Row<'_> {
    fn work(&self, team: usize, work: &(dyn Fn(Track<'_>, usize) -> Run + Sync)) {
        loop {
            let index = self.next.fetch_add(1, Ordering::SeqCst);
            let over = self.is_expanded() || self.cancelled(index).is_some();
            if self.shares.of(index) == 0 || over {
                return;
            }
            let run = work(Track::new(self, index), team);
            if run.stop == StopReason::Solved {
                self.solved.fetch_min(index, Ordering::SeqCst);
            }
            // A run that has gone as deep as it may does not do so again.
            let last =
                run.best.is_none() || matches!(run.stop, StopReason::Depth | StopReason::Failed);
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
        let another = solved != usize::MAX && solved != index;
        if solved < index || (another && self.limits.evaluations.is_none()) {
            // This run has not met the goal itself.
            return Some(StopReason::Interrupted);
        }
        if self
            .limits
            .time
            .is_some_and(|time| self.began.elapsed() >= time)
        {
            return Some(StopReason::Time);
        }
        None
    }

    /// Whether there are no answers of the policy left.
    fn is_expanded(&self) -> bool {
        let limit = self.limits.expansions;
        limit.is_some_and(|limit| self.expansions.load(Ordering::Relaxed) >= limit)
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
        let is_solved = solved != usize::MAX;
        let stop = if is_solved {
            StopReason::Solved
        } else {
            let reasons = runs.iter().map(|run| run.stop);
            reasons
                .clone()
                .find(|stop| *stop != StopReason::Evaluations)
                .unwrap_or(StopReason::Evaluations)
        };
        let merged = runs
            .iter()
            .filter_map(|run| run.merged)
            .reduce(Merged::plus);
        let trouble = runs.iter().find_map(|run| run.trouble.clone());
        let mut front = Front::default();
        for run in &runs {
            front.merge(&run.front);
        }
        let winner = runs
            .into_iter()
            .filter(|run| run.best.is_some())
            .filter(|run| !is_solved || run.index == solved)
            .min_by(|a, b| {
                let energy = |run: &Run| run.best.as_ref().map_or(f64::INFINITY, |b| b.energy);
                energy(a).total_cmp(&energy(b)).then(a.index.cmp(&b.index))
            })?;
        let best = winner.best?;
        Some(Report {
            stop,
            trouble,
            solved: is_solved,
            program: best.program,
            score: best.score,
            met: winner.met,
            trajectory: winner.trajectory,
            front: front.points(0.0),
            merged,
            expansions,
            evaluations,
            renders,
            seconds: self.began.elapsed().as_secs_f64(),
        })
    }
}

/// A run under way: what it has spent and found.
pub(super) struct Track<'a> {
    row: &'a Row<'a>,
    budget: u64,
    run: Run,
}

impl<'a> Track<'a> {
    fn new(row: &'a Row<'a>, index: usize) -> Track<'a> {
        Track {
            row,
            budget: row.shares.of(index),
            run: Run {
                index,
                stop: StopReason::Evaluations,
                trouble: None,
                best: None,
                front: Front::default(),
                met: None,
                merged: None,
                trajectory: Vec::new(),
                evaluations: 0,
                expansions: 0,
                renders: 0,
            },
        }
    }

    /// A seed for this run of a search with a seed.
    pub(super) fn seed(&self, seed: u64) -> u64 {
        // Neighbouring numbers as seeds would do as well; this keeps runs of neighbouring
        // seeds apart too.
        seed ^ (self.run.index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    /// Takes evaluations from the budget. What the last answers of the policy lead to may still be scored.
    ///
    /// # Errors
    ///
    /// Why the run is to stop, when it is.
    pub(super) fn spend(&mut self, count: u64) -> Result<(), StopReason> {
        self.row.cancelled(self.run.index).map_or(Ok(()), Err)?;
        if self.budget.saturating_sub(self.run.evaluations) < count {
            return Err(StopReason::Evaluations);
        }
        self.run.evaluations += count;
        self.row.evaluations.fetch_add(count, Ordering::Relaxed);
        Ok(())
    }

    /// Counts evaluations that were taken from the budget, and answers of the policy.
    pub(super) fn count(&mut self, evaluations: u64, expansions: u64) {
        self.run.evaluations += evaluations;
        self.run.expansions += expansions;
        let row = self.row;
        row.evaluations.fetch_add(evaluations, Ordering::Relaxed);
        row.expansions.fetch_add(expansions, Ordering::Relaxed);
    }

    /// Nothing to take, only whether to stop.
    pub(super) fn check(&self) -> Result<(), StopReason> {
        self.row.cancelled(self.run.index).map_or(Ok(()), Err)?;
        match self.row.is_expanded() {
            true => Err(StopReason::Expansions),
            false => Ok(()),
        }
    }

    /// What is left of the budget.
    pub(super) fn left(&self) -> u64 {
        self.budget.saturating_sub(self.run.evaluations)
    }

    /// Answers of the policy that are left to all runs together.
    pub(super) fn expansions_left(&self) -> u64 {
        let spent = self.row.expansions.load(Ordering::Relaxed);
        let limit = self.row.limits.expansions;
        limit.map_or(u64::MAX, |limit| limit.saturating_sub(spent))
    }

    /// Counts an answer of the policy.
    pub(super) fn expand(&mut self) {
        self.run.expansions += 1;
        self.row.expansions.fetch_add(1, Ordering::Relaxed);
    }

    /// What was taken from the budget.
    pub(super) fn evaluations(&self) -> u64 {
        self.run.evaluations
    }

    /// The best energy so far.
    pub(super) fn least(&self) -> f64 {
        self.run
            .best
            .as_ref()
            .map_or(f64::INFINITY, |best| best.energy)
    }

    /// Takes a program for the best if it is; says whether.
    pub(super) fn offer(&mut self, program: &Program, score: f64, energy: f64) -> bool {
        let better = energy < self.least();
        if better {
            self.take(program, score, energy);
        }
        better
    }

    /// Remembers a program if it is the best at this price of size, or, where the front is wanted, the best of
    /// its size.
    ///
    /// # Errors
    ///
    /// That it meets the goal.
    pub(super) fn look(
        &mut self,
        value: &mut dyn Value,
        (program, score): (&Program, f64),
        (price, front): (f64, bool),
    ) -> Result<(), StopReason> {
        let energy = score + price * f64::from(program.size());
        let best = self.offer(program, score, energy);
        if front {
            if self.may_place(program, score) {
                let solved = value.solved(program, score);
                self.place(program, score, solved);
            }
            return Ok(());
        }
        match best && value.solved(program, score) {
            true => Err(StopReason::Solved),
            false => Ok(()),
        }
    }

    /// Whether a program may belong to the front, by its score alone.
    pub(super) fn may_place(&self, program: &Program, score: f64) -> bool {
        self.run.front.may_take(program.size(), score)
    }

    /// Takes a program for the front if it belongs there.
    pub(super) fn place(&mut self, program: &Program, score: f64, solved: bool) {
        self.run.front.offer(program, score, solved);
    }

    /// Takes a program for the best, whatever its energy.
    pub(super) fn take(&mut self, program: &Program, score: f64, energy: f64) {
        self.run.best = Some(Best {
            program: program.clone(),
            score,
            energy,
        });
        self.run.trajectory.push(Improvement {
            evaluations: self.run.evaluations,
            seconds: self.row.began.elapsed().as_secs_f64(),
            score,
            program: program.clone(),
        });
    }

    /// The goal is met.
    pub(super) fn meet(&mut self) {
        let now = self.row.began.elapsed().as_secs_f64();
        self.run.met.get_or_insert(now);
    }

    /// Other runs need not go on, while this one may look for something better yet.
    pub(super) fn settle(&self) {
        self.row.solved.fetch_min(self.run.index, Ordering::SeqCst);
    }

    /// Tells how it goes.
    pub(super) fn tell(&self) {
        let row = self.row;
        let mine = self
            .run
            .best
            .as_ref()
            .map_or(f64::INFINITY, |best| best.score);
        if let Ok(mut best) = row.best.lock() {
            *best = best.min(mine);
            (row.tell)(Status {
                evaluations: row.evaluations.load(Ordering::Relaxed),
                expansions: row.expansions.load(Ordering::Relaxed),
                elapsed: row.began.elapsed(),
                best: *best,
            });
        }
    }

    /// Ends the run.
    pub(super) fn end(mut self, stop: StopReason, renders: u64) -> Run {
        self.run.stop = stop;
        if stop == StopReason::Solved && self.run.best.is_some() {
            self.meet();
        }
        self.run.renders = renders;
        self.run
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Compiled;

    #[test]
    fn threads_are_shared_out_among_few_teams() {
        let teams = |threads, team| {
            let plan = Plan {
                threads,
                team,
                run: 1,
                least: 1,
            };
            plan.teams()
        };
        assert_eq!(teams(0, 3), [1]);
        assert_eq!(teams(2, 3), [2]);
        assert_eq!(teams(3, 3), [3]);
        assert_eq!(teams(4, 3), [2, 2]);
        assert_eq!(teams(8, 3), [3, 3, 2]);
        assert_eq!(teams(3, 1), [1, 1, 1]);
    }

    #[test]
    fn a_run_that_another_one_ends_has_not_met_the_goal() {
        let text = "language t start E sample size 1..=2
            sort E { @primitive A = \"a\"  @primitive B = \"b\" }";
        let compiled = Compiled::from_text("t", text).unwrap_or_else(|e| panic!("{e}"));
        let [poor, good] = ["a", "b"].map(|text| compiled.parse(text).expect("a program"));
        let plan = Plan {
            threads: 2,
            team: 1,
            run: 1000,
            least: 1,
        };
        let hour = Limits {
            time: Some(Duration::from_secs(3600)),
            ..Limits::default()
        };
        let report = search(
            plan,
            &hour,
            &AtomicBool::new(false),
            &|_| {},
            &|mut track, _| {
                if track.run.index == 1 {
                    track.take(&good, 0.0, 0.0);
                    return track.end(StopReason::Solved, 0);
                }
                // The first run goes on until the second one ends it.
                track.take(&poor, 9.0, 9.0);
                loop {
                    if let Err(stop) = track.check() {
                        return track.end(stop, 0);
                    }
                    std::thread::yield_now();
                }
            },
        );
        let report = report.expect("a report");
        assert_eq!((report.stop, report.solved), (StopReason::Solved, true));
        assert_eq!(report.program, good);
        assert_eq!(report.score, 0.0);
    }
}
