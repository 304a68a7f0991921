//! The record of a run: a row every so often.
//!
//! In: what steps cost. Out: [`Row`]s, and `metrics.jsonl` with a JSON object a line. Afterwards the file has
//! whole lines only, in the order of steps, each step once: a run that goes on first drops rows that come after
//! its checkpoint.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::RunError;
use super::folder::written;
use crate::model::checkpoint::write_whole;
use crate::model::learner::Counts;

/// How the model does on examples that no training sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HeldOut {
    /// The mean loss.
    pub loss: f64,
    /// Share of places chosen right.
    pub position_accuracy: Option<f64>,
    /// Share of tokens chosen right, where there was a choice.
    pub token_accuracy: Option<f64>,
    /// Share of whole edits, programs or numbers that came out right.
    pub whole_accuracy: Option<f64>,
}

impl HeldOut {
    pub(super) fn new(loss: f64, counts: &Counts) -> HeldOut {
        HeldOut {
            loss,
            position_accuracy: counts.positions.ratio(),
            token_accuracy: counts.tokens.ratio(),
            whole_accuracy: counts.wholes.ratio(),
        }
    }
}

/// What happened since the row before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Steps taken in all.
    pub step: u64,
    /// Examples seen in all.
    pub examples: u64,
    /// Seconds of training in all.
    pub seconds: f64,
    /// The mean loss.
    pub loss: f64,
    /// Share of places chosen right.
    pub position_accuracy: Option<f64>,
    /// Share of tokens chosen right, where there was a choice.
    pub token_accuracy: Option<f64>,
    /// Share of whole edits, programs or numbers that came out right.
    pub whole_accuracy: Option<f64>,
    /// Examples in a second.
    pub examples_per_second: f64,
    /// Share of the time in which the model waited for examples.
    pub waiting_share: f64,
    /// The rate of the last step.
    pub learning_rate: f64,
    /// The mean norm of gradients, before it was bounded.
    pub gradient_norm: f64,
    /// Examples that were too long for the model.
    pub left_out: u64,
    /// How it does on examples kept apart; when a checkpoint was written.
    pub held_out: Option<HeldOut>,
}

/// Steps since the last row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Tally {
    pub(super) steps: u64,
    /// Those of them that had examples.
    pub(super) taken: u64,
    pub(super) examples: u64,
    pub(super) left_out: u64,
    pub(super) seconds: f64,
    pub(super) waited: f64,
    pub(super) loss: f64,
    pub(super) norm: f64,
    pub(super) counts: Counts,
}

impl Tally {
    /// A row at a step; `examples` are those seen in all.
    pub(super) fn row(&self, step: u64, examples: u64, seconds: f64, rate: f64) -> Row {
        let mean = |sum: f64| sum / self.taken.max(1) as f64;
        let share = |part: f64| {
            if self.seconds > 0.0 {
                part / self.seconds
            } else {
                0.0
            }
        };
        Row {
            step,
            examples,
            seconds: thousandths(seconds),
            loss: mean(self.loss),
            position_accuracy: self.counts.positions.ratio(),
            token_accuracy: self.counts.tokens.ratio(),
            whole_accuracy: self.counts.wholes.ratio(),
            examples_per_second: thousandths(share(self.examples as f64)),
            waiting_share: share(self.waited).min(1.0),
            learning_rate: rate,
            gradient_norm: mean(self.norm),
            left_out: self.left_out,
            held_out: None,
        }
    }
}

fn thousandths(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// Adds a row to the file.
pub(super) fn append(path: &Path, row: &Row) -> Result<(), RunError> {
    let mut line = serde_json::to_string(row).unwrap_or_default();
    line.push('\n');
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        file.write_all(line.as_bytes())
    };
    write().map_err(|why| written(path, why))
}

/// The rows of a file; what is no row, such as a line that was cut off, is left out.
///
/// # Errors
///
/// When the file cannot be read; one that is not there has no rows.
pub fn read(path: &Path) -> std::io::Result<Vec<Row>> {
    match std::fs::read(path) {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            let rows = text
                .lines()
                .filter_map(|line| serde_json::from_str(line).ok());
            Ok(rows.collect())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Drops rows after a step; gives those that stay.
pub(super) fn cut(path: &Path, step: u64) -> Result<Vec<Row>, RunError> {
    let mut rows = read(path).map_err(|why| written(path, why))?;
    rows.retain(|row| row.step <= step);
    let lines = rows
        .iter()
        .map(|row| serde_json::to_string(row).unwrap_or_default());
    let text: String = lines.map(|line| line + "\n").collect();
    write_whole(path, text.as_bytes())?;
    Ok(rows)
}
