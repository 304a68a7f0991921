//! A training run: examples in, a model that has learnt from them and a record of how out.
//!
//! In: a compiled language, a [`Plan`], a model that is a [`Learner`], a folder. Out: in the folder
//! `last.safetensors` (the run as it stands: weights, moments, counters), `best.safetensors` (the weights that
//! did best on examples kept apart), `metrics.jsonl`, `curve.svg` and `curve.png`. Afterwards a run that was
//! cut off, at any moment and by anything, goes on from `last.safetensors` and ends in the same weights, to the bit, as
//! one that was not; for every number of threads of one kind of processor.
//!
//! A batch is determined by its number, since examples are, and a step by the batch and what was there before
//! it. So the place in the data is a number, and there are no random numbers to keep. What is measured in
//! seconds (rows of the record, times of checkpoints) has no effect on weights.
//!
//! Several workers share each batch. They have models of their own, which stay the same: a step is taken with the
//! sum of all gradients, and the decision to stop travels with it.

mod feed;
mod folder;
mod metrics;
mod plan;
mod plot;
mod steps;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::compiled::Compiled;
use crate::model::checkpoint::{About, CheckpointError};
use crate::model::learner::Learner;
use crate::model::net::NetError;
use crate::model::ops::ReduceError;
use crate::model::weights::Stored;
use crate::train::ExampleError;

pub use folder::{BEST, LAST, METRICS, State};
pub use metrics::{HeldOut, Row, read as read_metrics};
pub use plan::{Every, How, Plan, Schedule};
pub use plot::{png, svg};

/// Where a model's weights come from: a seed, or a file.
#[derive(Clone, Debug)]
pub enum Origin {
    /// Fresh ones.
    Seed(u64),
    /// Those of a checkpoint.
    Stored(Stored),
}

/// What is to be trained, and where.
pub struct Run<'r, L> {
    /// The language.
    pub compiled: Arc<Compiled>,
    /// What the model is.
    pub about: About,
    /// What its weights depend on.
    pub plan: Plan,
    /// What they do not depend on.
    pub how: How,
    /// Where the files are.
    pub folder: PathBuf,
    /// Whether a run that is there goes on.
    pub resume: bool,
    /// Makes the model.
    pub make: &'r (dyn Fn(&About, Origin) -> Result<L, NetError> + Sync),
}

/// Where a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Seen {
    /// Steps taken.
    pub step: u64,
    /// Seconds of training so far, of earlier parts of the run too.
    pub seconds: f64,
    /// The row of the record that was written just now.
    pub row: Option<Row>,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It has its steps.
    Steps,
    /// It has its time.
    Time,
    /// It was asked to stop.
    Stopped,
}

/// A run that ended well.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Why it ended.
    pub ending: Ending,
    /// What it is at its end.
    pub state: State,
    /// The last row of its record.
    pub last: Option<Row>,
}

/// Why a run ended badly.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// There are no examples.
    #[error(transparent)]
    Examples(#[from] ExampleError),
    /// There is no such model.
    #[error(transparent)]
    Net(Box<NetError>),
    /// A checkpoint that cannot be read or written.
    #[error(transparent)]
    Checkpoint(Box<CheckpointError>),
    /// Another file that cannot be written.
    #[error("cannot write {}: {why}; the last checkpoint is as it was", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
    /// A folder that is taken.
    #[error(
        "{} holds a run already, at step {step}: go on with --resume, or name another folder",
        path.display()
    )]
    Taken {
        /// The folder.
        path: PathBuf,
        /// Where the run in it is.
        step: u64,
    },
    /// Nothing to go on with.
    #[error("{} holds no run to go on with: {LAST} is not there; leave --resume out to begin one", .0.display())]
    Nothing(PathBuf),
    /// A model without what a run needs to go on.
    #[error("{} is a model, not a run that could go on: it holds weights alone", .0.display())]
    NoRun(PathBuf),
    /// Another run.
    #[error(
        "the run in {} was begun otherwise than asked for now:\n  {}\nrepeat its options, or name \
         another folder; --steps, --time, --lr, --schedule, --warm-up, --clip and --threads may change",
        path.display(), what.join("\n  ")
    )]
    Differs {
        /// The folder.
        path: PathBuf,
        /// What differs, a line each.
        what: Vec<String>,
    },
    /// A loss or gradient without a value.
    #[error(
        "step {step}: the {what} is {value}, so training has stopped before that step\nthe last good \
         checkpoint is that of step {checkpoint}, in {}; go on from there with a lower --lr",
        path.display()
    )]
    NoNumber {
        /// The step that was not taken.
        step: u64,
        /// Loss, gradient or weight.
        what: &'static str,
        /// What it is.
        value: f64,
        /// The step of the last checkpoint.
        checkpoint: u64,
        /// The folder.
        path: PathBuf,
    },
    /// A model too short for its language.
    #[error(
        "none of {0} examples in a row fits into the model: programs are longer than its {1} tokens; take \
         a preset with more, or smaller programs (--size)"
    )]
    Long(u64, usize),
    /// A label that the model cannot learn.
    #[error("{0}")]
    Batch(String),
    /// A share of nothing.
    #[error("{workers} workers cannot share a batch of {batch}: each needs an example")]
    Workers {
        /// Workers.
        workers: usize,
        /// Examples in a batch.
        batch: usize,
    },
    /// Another worker ended first.
    #[error(transparent)]
    Reduce(#[from] ReduceError),
    /// A thread that broke off, which is a defect of tdc.
    #[error("a thread of the training run has broken off")]
    BrokenOff,
    /// Something that candle says.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

impl From<NetError> for RunError {
    fn from(error: NetError) -> RunError {
        RunError::Net(Box::new(error))
    }
}

impl From<CheckpointError> for RunError {
    fn from(error: CheckpointError) -> RunError {
        RunError::Checkpoint(Box::new(error))
    }
}

/// Trains until the run has its steps or its time, or `stop` is set; then its checkpoint is written. `seen` is
/// told of every step.
///
/// # Errors
///
/// When examples, model or files are not as they must be, or a loss is no number. The checkpoint before it
/// is then as it was.
pub fn train<L: Learner>(
    run: &Run<'_, L>,
    stop: &AtomicBool,
    seen: &mut (dyn FnMut(&Seen) + Send),
) -> Result<Report, RunError> {
    steps::train(run, stop, seen)
}

#[cfg(test)]
mod tests;
