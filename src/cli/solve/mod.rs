//! `tdc solve`: from a picture to a program.

mod one;
mod tasks;

use std::path::PathBuf;

use tdc::eval::attempt::Settings;

use super::Outcome;
use super::failure::Failure;
use super::input::{self, Language};
use super::shell::Shell;

/// Search time when neither --time nor --evaluations is given.
const SECONDS: f64 = 30.0;
/// The same for each task of a set.
const TASK_SECONDS: f64 = 10.0;

/// Find a program that draws a picture
///
/// Works with any picture language and no trained model, by tempering random edits. The picture
/// is scaled to fit the canvas; ink is what is dark, or opaque in a cut-out picture. Grammars with an
/// `observe` setting take the picture for a sketch and match outlines to its strokes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tdc solve grammars/csg2d.tdg --target icon.png -o out/icon
  tdc solve grammars/csg2d.tdg --target icon.png --time 120 --threads 4 --max-size 16
  tdc solve grammars/csg2d.tdg --target icon.png --evaluations 200000 --seed 7
  tdc solve grammars/csg2d.tdg --tasks out/hard --time 10 -o out/solved

With --evaluations and no --time the result is the same for every number of threads.

Files in the output folder: program.txt, result.svg, result.png, target.png (as fitted to the
canvas), difference.png, triptych.png (target, difference, result), report.json, trajectory.jsonl (an
object an improvement: evaluations, seconds, score, size, program), filmstrip.png and search.png (the
search in pictures, and as an animation). The exit code is 0 when the goal is met and 3 otherwise; the
best program is written either way.

With --tasks: results.jsonl (an object a task, on disk as it comes), summary.json, curve.svg,
index.html, run.json. A run that was broken off goes on where it was when it is started again with the
same settings. The exit code is 0 when all tasks were tried.

JSON, one object, as in report.json: target, solved, stop_reason (solved, time, evaluations,
interrupted, ...), metric (what the goal measures), iou, score (wrong pixels; for a sketch a
distance), seconds (wall clock), evaluations, primitives, true_primitives, size, nodes, program, goal,
expansions, renders, seed, threads, max_size, time_limit, evaluations_limit, trajectory (the file),
grammar. Lines of results.jsonl have the first of these, up to program. With --tasks, the summary:
targets, solved, share, clock, within_seconds, within_evaluations, median_seconds, p90_seconds,
median_evaluations, total_seconds, mean_metric, mean_iou, mean_primitives, mean_true_primitives,
no_longer.")]
pub struct Args {
    /// The grammar file
    grammar: PathBuf,

    /// The picture, a PNG
    #[arg(long, value_name = "PNG", required_unless_present = "tasks")]
    target: Option<PathBuf>,

    /// Solve all tasks of a set that `tdc tasks` made
    #[arg(long, value_name = "DIR", conflicts_with_all = ["target", "invert"], requires = "output")]
    tasks: Option<PathBuf>,

    /// Write results into this folder, which is made
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,

    /// Stop after so many seconds; 30, or 10 a task, unless --evaluations is given
    #[arg(long, value_name = "SECONDS", value_parser = input::seconds)]
    time: Option<f64>,

    /// Stop after so many scored programs
    #[arg(long, value_name = "N")]
    evaluations: Option<u64>,

    /// Seed of the search
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,

    /// Independent searches at the same time
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: u16,

    /// Tasks that are solved at the same time
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: u16,

    /// Greatest size of a program, instead of the sample window's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    max_size: Option<u32>,

    /// Leave the program as it was found, instead of simplifying it by the grammar's rules
    #[arg(long)]
    as_found: bool,

    /// Write outline.svg too: a path a colour without overlap, for CAD and plotters
    #[arg(long, requires = "output", conflicts_with = "tasks")]
    outline: bool,

    /// The picture is light on dark: take its negative
    #[arg(long)]
    invert: bool,
}

impl Args {
    /// How to search, with so many seconds when nothing is said.
    fn settings(&self, language: &Language, otherwise: f64) -> Settings {
        let max_size = self.max_size;
        Settings {
            time: match (self.time, self.evaluations) {
                (None, None) => Some(otherwise),
                (time, _) => time,
            },
            evaluations: self.evaluations,
            seed: self.seed,
            threads: usize::from(self.threads),
            max_size: max_size.unwrap_or(language.compiled.grammar.sample.max),
            simplify: !self.as_found,
        }
    }
}

pub fn run(shell: &Shell, args: &Args) -> Outcome {
    let language = input::language(shell, &args.grammar)?;
    let Some(canvas) = &language.compiled.grammar.canvas else {
        return Err(Failure::input(format!(
            "{} has no `canvas` and no `draw`: its programs draw nothing that a picture could be \
             matched with",
            args.grammar.display()
        )));
    };
    match (&args.tasks, &args.target) {
        (Some(folder), _) => tasks::run(shell, args, &language, folder),
        (None, Some(target)) => one::run(shell, args, &language, canvas, target),
        (None, None) => Err(Failure::usage("--target or --tasks is needed")),
    }
}
