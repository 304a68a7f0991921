//! The folder of a run: what it holds, and what of it is true after a crash.
//!
//! In: a model's weights, an optimiser, [`State`]. Out: `last.safetensors`, one file with all of them, and the same
//! read again. Afterwards the file is that of one moment: it is written under another name, onto the disk, and
//! renamed. It is also a model file: what is no weight stands beside the weights.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::metrics::{HeldOut, Tally};
use super::plan::{Plan, differences};
use super::{Run, RunError};
use crate::model::checkpoint::{About, CheckpointError, write_whole};
use crate::model::ops::Adam;
use crate::model::weights::{Stored, Weights};

/// The run as it stands.
pub const LAST: &str = "last.safetensors";
/// The weights that did best on examples kept apart.
pub const BEST: &str = "best.safetensors";
/// The record.
pub const METRICS: &str = "metrics.jsonl";

/// The remark that holds the state.
const REMARK: &str = "run";
const FIRST: &str = "first_moments";
const SECOND: &str = "second_moments";

/// A run's counters and plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Its plan.
    pub plan: Plan,
    /// Steps taken, which is the number of the next batch.
    pub step: u64,
    /// Steps of the optimiser: those that had examples.
    pub updates: u64,
    /// Examples seen.
    pub examples: u64,
    /// Seconds of training, with what is measured and written on the way.
    pub seconds: f64,
    /// Seconds of them in which the model waited for examples.
    pub waited: f64,
    /// The best so far, and its step.
    pub best: Option<(u64, HeldOut)>,
    pub(super) tally: Tally,
}

impl State {
    pub(super) fn new(plan: &Plan) -> State {
        State {
            plan: plan.clone(),
            step: 0,
            updates: 0,
            examples: 0,
            seconds: 0.0,
            waited: 0.0,
            best: None,
            tally: Tally::default(),
        }
    }
}

/// What a run goes on from.
pub(super) struct Begun {
    pub(super) state: State,
    pub(super) stored: Stored,
    pub(super) first: Vec<f32>,
    pub(super) second: Vec<f32>,
}

pub(super) fn written(path: &Path, why: std::io::Error) -> RunError {
    RunError::File {
        path: path.to_owned(),
        why,
    }
}

/// Looks at the folder: a fresh one is made, a run that is there is read if it may go on.
pub(super) fn open<L>(run: &Run<'_, L>) -> Result<Option<Begun>, RunError> {
    let last = run.folder.join(LAST);
    if !run.resume {
        if last.exists() {
            let step = About::from_bytes(&last, &std::fs::read(&last).unwrap_or_default())
                .ok()
                .and_then(|(_, stored)| state(&stored))
                .map_or(0, |state| state.step);
            let path = run.folder.clone();
            return Err(RunError::Taken { path, step });
        }
        std::fs::create_dir_all(&run.folder).map_err(|why| written(&run.folder, why))?;
        // Of a run that did not come to its first checkpoint.
        let record = run.folder.join(METRICS);
        if record.exists() {
            std::fs::remove_file(&record).map_err(|why| written(&record, why))?;
        }
        return Ok(None);
    }
    if !last.exists() {
        return Err(RunError::Nothing(run.folder.clone()));
    }
    let (about, stored) = About::read(&last, &run.compiled)?;
    begun(run, &last, &about, stored).map(Some)
}

fn begun<L>(
    run: &Run<'_, L>,
    last: &Path,
    about: &About,
    mut stored: Stored,
) -> Result<Begun, RunError> {
    let moments = [FIRST, SECOND].map(|name| stored.beside.remove(name));
    let ([Some(first), Some(second)], Some(before)) = (moments, state(&stored)) else {
        return Err(RunError::NoRun(last.to_owned()));
    };
    let plain = |about: &About| {
        let trained = std::collections::BTreeMap::new();
        serde_json::to_value(About {
            trained,
            ..about.clone()
        })
        .unwrap_or_default()
    };
    let mut what = Vec::new();
    differences("model", &plain(about), &plain(&run.about), &mut what);
    what.extend(run.plan.differences(&before.plan));
    if !what.is_empty() {
        let path = run.folder.clone();
        return Err(RunError::Differs { path, what });
    }
    Ok(Begun {
        state: State {
            plan: run.plan.clone(),
            ..before
        },
        stored,
        first,
        second,
    })
}

fn state(stored: &Stored) -> Option<State> {
    serde_json::from_str(stored.remarks.get(REMARK)?).ok()
}

/// Writes the run as it stands.
pub(super) fn save(
    folder: &Path,
    about: &About,
    weights: &Weights,
    adam: &Adam,
    state: &State,
) -> Result<(), RunError> {
    let mut remarks = told(about, state).remarks();
    let text = serde_json::to_string(state).unwrap_or_default();
    remarks.insert(REMARK.to_owned(), text);
    let beside = [(FIRST, &adam.first[..]), (SECOND, &adam.second[..])];
    let bytes = weights.to_bytes_with(&remarks, &beside);
    write_whole(&folder.join(LAST), &bytes.map_err(CheckpointError::from)?)?;
    Ok(())
}

/// Writes the weights alone.
pub(super) fn save_best(
    folder: &Path,
    about: &About,
    weights: &Weights,
    state: &State,
) -> Result<(), RunError> {
    let bytes = told(about, state).to_bytes(weights);
    write_whole(&folder.join(BEST), &bytes.map_err(CheckpointError::from)?)?;
    Ok(())
}

/// With how it was trained.
fn told(about: &About, state: &State) -> About {
    let value = |value| serde_json::to_value(value).unwrap_or_default();
    let trained = [
        (
            "plan",
            serde_json::to_value(&state.plan).unwrap_or_default(),
        ),
        ("steps", value(state.step)),
        ("examples", value(state.examples)),
        ("seconds", state.seconds.into()),
        ("tdc", env!("CARGO_PKG_VERSION").into()),
    ];
    About {
        trained: trained.map(|(k, v)| (k.to_owned(), v)).into(),
        ..about.clone()
    }
}

/// The path of a file of the folder.
pub(super) fn at(folder: &Path, name: &str) -> PathBuf {
    folder.join(name)
}
