//! How fast a language's operators are.
//!
//! In: a compiled language. Out: [`Report`], operations a second of every operator, on one core and
//! on all. Afterwards the figures are medians over slices of time, on programs drawn with one seed,
//! so that two runs on one machine can be compared. Timing says nothing about right or wrong, and
//! no test asks for it.

mod clock;
mod grow;
mod operators;
mod pictures;
mod pool;

use std::time::Duration;

use serde::Serialize;

use crate::compiled::Compiled;
use crate::grammar::inside::SizeError;

pub use clock::Percentiles;
pub use grow::{CanvasRow, Growth, GrowthOptions, SizeRow, ThreadRow, grow, rows};

/// What is measured, and for how long.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Time for each operator.
    pub time: Duration,
    /// Threads of the second column; with 1 there is none.
    pub threads: usize,
    /// Seed of the programs.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            time: Duration::from_millis(500),
            threads: std::thread::available_parallelism().map_or(1, |n| n.get()),
            seed: 0,
        }
    }
}

/// What was measured of a language.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The language's name.
    pub language: String,
    /// Operations a second on one core, by operator.
    pub one_core: Figures,
    /// Operations a second on all threads together; `None` when only one was asked for.
    pub all_cores: Option<Figures>,
    /// Threads of `all_cores`.
    pub threads: usize,
    /// How long it takes on one core to draw a program again after one edit, its scene included;
    /// `None` without a canvas.
    pub edit_redraw_us: Option<Percentiles>,
    /// Mean size of the programs, in what the grammar counts.
    pub mean_size: f64,
    /// Mean number of nodes of the programs.
    pub mean_nodes: f64,
    /// Most memory the process has held so far, in bytes, where the system tells.
    pub peak_memory: Option<u64>,
}

/// Operations a second. Operators a language has not (pictures without a canvas) are left out.
///
/// Every operator keeps its buffers from one call to the next. Redrawing takes edits that are made
/// for real, one after another on one program, which is left for another one after 64 of them;
/// what makes the edits is not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Random programs.
    pub sample_per_s: f64,
    /// Mutations, applied.
    pub mutate_per_s: f64,
    /// Whole edit paths between random programs.
    pub path_per_s: f64,
    /// Programs read.
    pub parse_per_s: f64,
    /// Programs written.
    pub print_per_s: f64,
    /// Canonical forms by the language's rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub simplify_per_s: Option<f64>,
    /// Scenes of programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scene_per_s: Option<f64>,
    /// Pictures of programs, anti-aliased, from scratch, their scenes included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub render_per_s: Option<f64>,
    /// Pictures of programs drawn before, after one edit, scenes included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edit_render_per_s: Option<f64>,
    /// Programs drawn as bit planes from scratch and compared with a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bits_render_per_s: Option<f64>,
    /// The same after one edit of a program drawn before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bits_edit_per_s: Option<f64>,
    /// Pictures by way of SVG and resvg.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resvg_per_s: Option<f64>,
    /// Training examples: sample, noise, path, both pictures where there are any.
    pub example_per_s: f64,
}

/// Measures every operator; `progress` hears the name of each before it starts and says whether to
/// go on.
///
/// # Errors
///
/// When the language's own sizes cannot be sampled.
pub fn bench(
    compiled: &Compiled,
    options: &Options,
    mut progress: impl FnMut(&'static str) -> bool,
) -> Result<Option<Report>, SizeError> {
    let pool = pool::Pool::new(compiled, options.seed)?;
    let mut run = operators::Run::new(&pool, options.time, &mut progress);
    let one_core = run.measure(1);
    let edit_redraw_us = run.edit_redraw();
    let all_cores = (options.threads > 1).then(|| run.measure(options.threads));
    if run.stopped() {
        return Ok(None);
    }
    Ok(Some(Report {
        language: compiled.grammar.name.clone(),
        one_core,
        all_cores,
        threads: options.threads,
        edit_redraw_us,
        mean_size: pool.mean(|program| program.size() as usize),
        mean_nodes: pool.mean(|program| program.len()),
        peak_memory: clock::peak_memory(),
    }))
}

/// Number of operators that [`bench`] goes through, for a progress bar.
pub fn operators(compiled: &Compiled, options: &Options) -> u64 {
    let draws = compiled.grammar.canvas.is_some();
    let each = if draws { 12 } else { 6 } + u64::from(!compiled.rules.is_empty());
    let columns = if options.threads > 1 { 2 } else { 1 };
    each * columns + u64::from(draws)
}
