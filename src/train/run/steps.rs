//! The loop: batches to losses to gradients to steps, alone or with other workers.
//!
//! In: a [`Run`]. Out: its files, a [`Report`]. Afterwards all workers have taken the same steps, and the
//! checkpoint is that of the last one; or of an earlier one when something went wrong.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::feed::{Feed, held_out};
use super::folder::{self, Begun, METRICS, State};
use super::metrics::{self, HeldOut, Row};
use super::{Ending, Origin, Report, Run, RunError, Seen, plot};
use crate::model::checkpoint::write_whole;
use crate::model::learner::{Counts, Learner, Recipe, Share};
use crate::model::ops::{Adam, AllReduce, Alone, ReduceError, flatten, group, on_threads};
use crate::train::Maker;

/// Batches in a row without an example before a run gives up.
const EMPTY: u64 = 50;
/// Numbers that go with the gradients: weight, loss, six counts, left out, stop.
const TAIL: usize = 10;

pub(super) fn train<L: Learner>(
    run: &Run<'_, L>,
    stop: &AtomicBool,
    seen: &mut (dyn FnMut(&Seen) + Send),
) -> Result<Report, RunError> {
    run.plan.check()?;
    // What is wrong with the options is told before anything is written.
    Maker::new(&run.compiled, run.plan.examples.clone())?;
    let begun = folder::open(run)?;
    let workers = run.plan.workers;
    let threads = (run.how.threads / workers).max(1);
    let seen = Mutex::new(seen);
    let work = |reduce: &mut dyn AllReduce| {
        on_threads(threads, || {
            let mut worker = Task::new(run, begun.as_ref(), reduce, threads)?;
            worker.run(stop, &seen)
        })
        .map_err(|_| RunError::BrokenOff)?
    };
    if workers == 1 {
        return work(&mut Alone);
    }
    let results: Vec<_> = std::thread::scope(|scope| {
        let members = group(workers).into_iter();
        let work = &work;
        let handles: Vec<_> = members
            .map(|mut member| scope.spawn(move || work(&mut member)))
            .collect();
        let join = |handle: std::thread::ScopedJoinHandle<'_, _>| handle.join();
        handles.into_iter().map(join).collect()
    });
    let mut first = None;
    let mut left = None;
    for result in results {
        match result.unwrap_or(Err(RunError::BrokenOff)) {
            // Others leave because of one.
            Err(error @ RunError::Reduce(ReduceError::Left)) => left = Some(error),
            Err(error) => return Err(error),
            Ok(report) => first = first.or(Some(report)),
        }
    }
    match (left, first) {
        (Some(error), _) => Err(error),
        (None, Some(report)) => Ok(report),
        (None, None) => Err(RunError::BrokenOff),
    }
}

type Tell<'t> = Mutex<&'t mut (dyn FnMut(&Seen) + Send)>;
type BatchOf<L> = <<L as Learner>::Recipe as Recipe>::Batch;

/// One worker's part.
struct Task<'t, L: Learner> {
    run: &'t Run<'t, L>,
    reduce: &'t mut dyn AllReduce,
    learner: L,
    adam: Adam,
    state: State,
    feed: Feed<BatchOf<L>>,
    /// What the first worker keeps besides.
    keeper: Option<Keeper<L>>,
    gradients: Vec<f32>,
    saved: u64,
}

/// What only the first worker has.
struct Keeper<L: Learner> {
    held_out: Vec<BatchOf<L>>,
    rows: Vec<Row>,
    /// Seconds and steps at the last checkpoint.
    saved: (f64, u64),
}

/// What a step came to, over all workers.
struct Step {
    weight: f64,
    loss: f64,
    counts: Counts,
    left_out: u64,
    stop: bool,
}

impl<'t, L: Learner> Task<'t, L> {
    fn new(
        run: &'t Run<'t, L>,
        begun: Option<&Begun>,
        reduce: &'t mut dyn AllReduce,
        threads: usize,
    ) -> Result<Task<'t, L>, RunError> {
        let origin = match begun {
            Some(begun) => Origin::Stored(begun.stored.clone()),
            None => Origin::Seed(run.plan.seed),
        };
        let learner = (run.make)(&run.about, origin)?;
        let mut adam = Adam::new(learner.weights().count(), run.plan.adam());
        let mut state = State::new(&run.plan);
        if let Some(begun) = begun {
            state = begun.state.clone();
            adam.steps = state.updates;
            let fits = [&begun.first, &begun.second]
                .iter()
                .all(|m| m.len() == adam.first.len());
            if !fits {
                return Err(RunError::NoRun(folder::at(&run.folder, folder::LAST)));
            }
            adam.first.clone_from(&begun.first);
            adam.second.clone_from(&begun.second);
        }
        let recipe = learner.recipe();
        let keeper = match reduce.rank() {
            0 => Some(Keeper {
                held_out: held_out(&run.compiled, &run.plan, &recipe)?,
                rows: match begun {
                    Some(_) => metrics::cut(&folder::at(&run.folder, METRICS), state.step)?,
                    None => Vec::new(),
                },
                saved: (state.seconds, state.step),
            }),
            _ => None,
        };
        let rank = reduce.rank();
        let feed = Feed::new(&run.compiled, &run.plan, recipe, rank, state.step, threads)?;
        let mut task = Task {
            saved: state.step,
            run,
            reduce,
            learner,
            adam,
            state,
            feed,
            keeper,
            gradients: Vec::new(),
        };
        if begun.is_none() && task.keeper.is_some() {
            // From now on there is something to go on from.
            task.checkpoint()?;
        }
        Ok(task)
    }

    fn run(&mut self, stop: &AtomicBool, seen: &Tell<'_>) -> Result<Report, RunError> {
        let begun = (Instant::now(), self.state.seconds);
        let mut empty = 0;
        let mut ending = Ending::Steps;
        while self
            .run
            .plan
            .steps
            .is_none_or(|steps| self.state.step < steps)
        {
            let before = self.feed.waited;
            let time_is_up =
                |seconds: f64| self.run.how.seconds.is_some_and(|most| seconds >= most);
            // Others' clocks are not the first worker's, so it decides.
            let wanted = self.keeper.is_some()
                && (stop.load(Ordering::Relaxed) || time_is_up(self.state.seconds));
            if wanted {
                ending = match stop.load(Ordering::Relaxed) {
                    true => Ending::Stopped,
                    false => Ending::Time,
                };
                if self.reduce.workers() == 1 {
                    break;
                }
            }
            let step = self.step(wanted)?;
            let rate = self.run.plan.rate_at(self.state.step);
            let norm = self.update(&step, rate)?;
            empty = if step.weight > 0.0 { 0 } else { empty + 1 };
            if empty >= EMPTY {
                let context = self.run.about.config.context();
                return Err(RunError::Long(EMPTY * self.run.plan.batch as u64, context));
            }
            let seconds = begun.1 + begun.0.elapsed().as_secs_f64();
            let waited = (self.feed.waited - before).as_secs_f64();
            self.count(&step, norm, seconds, waited);
            let row = self.record(rate)?;
            if self.keeper.is_some()
                && let Ok(mut tell) = seen.lock()
            {
                tell(&Seen {
                    step: self.state.step,
                    seconds,
                    row,
                });
            }
            if step.stop {
                if ending == Ending::Steps {
                    ending = Ending::Stopped;
                }
                break;
            }
        }
        if self.keeper.is_some() && self.saved < self.state.step {
            self.save(self.run.plan.rate_at(self.state.step.saturating_sub(1)))?;
        }
        Ok(Report {
            ending,
            state: self.state.clone(),
            last: self.keeper.as_ref().and_then(|k| k.rows.last().copied()),
        })
    }

    /// The gradients of the next batch, summed over all workers and divided by its weight.
    fn step(&mut self, stop: bool) -> Result<Step, RunError> {
        let item = self.feed.next()?;
        let vars = self.learner.weights().vars();
        let mut weight = 0.0;
        let mut loss = 0.0;
        let mut counts = Counts::default();
        match &item.batch {
            Some(batch) => {
                let losses = self.learner.loss(batch)?;
                loss = f64::from(losses.loss.to_scalar::<f32>()?);
                weight = losses.weight;
                counts = losses.counts;
                flatten(vars, &losses.loss.backward()?, &mut self.gradients)?;
            }
            None => {
                self.gradients.clear();
                self.gradients.resize(self.adam.first.len(), 0.0);
            }
        }
        let left_out = item.left_out;
        if self.reduce.workers() == 1 {
            return Ok(Step {
                weight,
                loss,
                counts,
                left_out,
                stop,
            });
        }
        for value in &mut self.gradients {
            *value *= weight as f32;
        }
        let Counts {
            positions: p,
            tokens: t,
            wholes: w,
        } = counts;
        let numbers = [p.right, p.of, t.right, t.of, w.right, w.of, left_out];
        self.gradients
            .extend([weight as f32, (loss * weight) as f32]);
        self.gradients.extend(numbers.map(|n| n as f32));
        self.gradients.push(f32::from(u8::from(stop)));
        self.reduce.sum(&mut self.gradients)?;
        let tail = self.gradients.split_off(self.gradients.len() - TAIL);
        let at = |i: usize| f64::from(tail.get(i).copied().unwrap_or(0.0));
        let weight = at(0);
        if weight > 0.0 {
            let share = 1.0 / weight as f32;
            self.gradients.iter_mut().for_each(|value| *value *= share);
        }
        let share = |i: usize| Share {
            right: at(i) as u64,
            of: at(i + 1) as u64,
        };
        Ok(Step {
            weight,
            loss: if weight > 0.0 { at(1) / weight } else { at(1) },
            counts: Counts {
                positions: share(2),
                tokens: share(4),
                wholes: share(6),
            },
            left_out: at(8) as u64,
            stop: at(9) > 0.0,
        })
    }

    /// Takes the step; gives the gradients' norm.
    fn update(&mut self, step: &Step, rate: f64) -> Result<f64, RunError> {
        let no_number = |what, value| RunError::NoNumber {
            step: self.state.step + 1,
            what,
            value,
            checkpoint: self.saved,
            path: self.run.folder.clone(),
        };
        if !step.loss.is_finite() {
            return Err(no_number("loss", step.loss));
        }
        if step.weight <= 0.0 {
            return Ok(0.0);
        }
        let vars = self.learner.weights().vars();
        let report = self.adam.step(vars, &mut self.gradients, rate)?;
        match report.taken {
            true => Ok(report.norm),
            false => Err(no_number("gradient's norm", report.norm)),
        }
    }

    fn count(&mut self, step: &Step, norm: f64, seconds: f64, waited: f64) {
        let state = &mut self.state;
        let tally = &mut state.tally;
        let examples = (self.run.plan.batch as u64).saturating_sub(step.left_out);
        tally.steps += 1;
        tally.taken += u64::from(step.weight > 0.0);
        tally.examples += examples;
        tally.left_out += step.left_out;
        tally.seconds += seconds - state.seconds;
        tally.waited += waited;
        tally.loss += step.loss;
        tally.norm += norm;
        tally.counts.merge(step.counts);
        state.step += 1;
        state.updates = self.adam.steps;
        state.examples += examples;
        state.seconds = seconds;
        state.waited += waited;
        // Others' clocks are not this one's; what goes by time is the first worker's affair.
        self.saved = match &self.keeper {
            Some(keeper) => keeper.saved.1,
            None => self.saved,
        };
    }

    /// A row, a checkpoint, when it is time.
    fn record(&mut self, rate: f64) -> Result<Option<Row>, RunError> {
        let Some(keeper) = &self.keeper else {
            return Ok(None);
        };
        let (state, how) = (&self.state, &self.run.how);
        let (seconds, step) = keeper.saved;
        if how.save.is_due(state.step - step, state.seconds - seconds) {
            return self.save(rate).map(Some);
        }
        if !how.log.is_due(state.tally.steps, state.tally.seconds) {
            return Ok(None);
        }
        let row = self.row(rate, None)?;
        Ok(Some(row))
    }

    /// Writes a row and begins the next. When no step was taken since the last row, that one is written anew,
    /// with what has been measured.
    fn row(&mut self, rate: f64, held_out: Option<HeldOut>) -> Result<Row, RunError> {
        let state = &mut self.state;
        let tally = std::mem::take(&mut state.tally);
        let folder = &self.run.folder;
        let record = folder::at(folder, METRICS);
        let mut row = tally.row(state.step, state.examples, state.seconds, rate);
        if tally.steps == 0
            && let Some(keeper) = &mut self.keeper
            && let Some(last) = keeper.rows.pop_if(|last| last.step == state.step)
        {
            row = last;
            metrics::cut(&record, state.step.saturating_sub(1))?;
        }
        row.held_out = held_out;
        metrics::append(&record, &row)?;
        if let Some(keeper) = &mut self.keeper {
            keeper.rows.push(row);
            let title = title(&self.run.about.language, &self.run.about.preset);
            let svg = plot::svg(&title, &keeper.rows);
            write_whole(&folder::at(folder, "curve.svg"), svg.as_bytes())?;
        }
        Ok(row)
    }

    /// A row with what is measured on examples kept apart, then the checkpoint and the best weights.
    fn save(&mut self, rate: f64) -> Result<Row, RunError> {
        let measured = self.measure()?;
        let better = |(_, best): &(u64, HeldOut)| measured.is_some_and(|m| m.loss < best.loss);
        let best = measured.filter(|_| self.state.best.as_ref().is_none_or(better));
        let row = self.row(rate, measured)?;
        if let Some(best) = best {
            self.state.best = Some((self.state.step, best));
            let weights = self.learner.weights();
            self.all_finite()?;
            folder::save_best(&self.run.folder, &self.run.about, weights, &self.state)?;
        }
        self.checkpoint()?;
        if let Some(keeper) = &self.keeper
            && let Some(png) = plot::png(&keeper.rows)
        {
            write_whole(&folder::at(&self.run.folder, "curve.png"), &png)?;
        }
        Ok(row)
    }

    fn checkpoint(&mut self) -> Result<(), RunError> {
        self.all_finite()?;
        let (run, state) = (self.run, &self.state);
        let weights = self.learner.weights();
        folder::save(&run.folder, &run.about, weights, &self.adam, state)?;
        self.saved = state.step;
        if let Some(keeper) = &mut self.keeper {
            keeper.saved = (state.seconds, state.step);
        }
        Ok(())
    }

    /// Weights that are no numbers are never written over good ones.
    fn all_finite(&self) -> Result<(), RunError> {
        for var in self.learner.weights().vars() {
            let values: Vec<f32> = var.flatten_all()?.to_vec1()?;
            if let Some(value) = values.iter().find(|v| !v.is_finite()) {
                return Err(RunError::NoNumber {
                    step: self.state.step,
                    what: "weight",
                    value: f64::from(*value),
                    checkpoint: self.saved,
                    path: self.run.folder.clone(),
                });
            }
        }
        Ok(())
    }

    /// How the model does on examples kept apart.
    fn measure(&self) -> Result<Option<HeldOut>, RunError> {
        let Some(keeper) = &self.keeper else {
            return Ok(None);
        };
        let (mut loss, mut weight, mut counts) = (0.0, 0.0, Counts::default());
        for batch in &keeper.held_out {
            let losses = self.learner.loss(batch)?;
            loss += losses.weight * f64::from(losses.loss.to_scalar::<f32>()?);
            weight += losses.weight;
            counts.merge(losses.counts);
        }
        Ok((weight > 0.0).then(|| HeldOut::new(loss / weight, &counts)))
    }
}

fn title(language: &str, preset: &str) -> String {
    format!("{language}, {preset}")
}
