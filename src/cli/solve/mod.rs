//! `tdc solve`: from a picture to a program.

mod batch;
#[cfg(feature = "learn")]
mod guide;
mod many;
mod one;
mod tasks;

use std::path::PathBuf;

use tdc::eval::attempt::Settings;
use tdc::render::image::{Mode, intake};
use tdc::rewrite::Simplifier;
use tdc::search::Guide;
use tdc::search::solver::Method;

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
/// Works with any picture language and no trained model, by tempering random edits; with --model a
/// trained one proposes the edits instead. The picture is scaled to fit the canvas; ink is what is
/// dark, or opaque in a cut-out picture; result.svg lies over the original. Grammars with an
/// `observe` setting take the picture for a sketch and match outlines to its strokes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tdc solve grammars/csg2d.tdg --target icon.png -o out/icon
  tdc solve grammars/csg2d.tdg --target icon.png --threads 4 --max-size 16
  tdc solve grammars/csg2d.tdg --target icon.png --evaluations 200000 --seed 7
  tdc solve grammars/csg2d.tdg --target icon.png --pareto -o out/traded
  tdc solve grammars/csg2d.tdg --target icon.png --search beam --canonical
  tdc solve grammars/csg2d.tdg --target icons/ --time 5 --jobs 4 -o out/icons
  tdc solve grammars/csg2d.tdg --tasks out/hard --time 10 -o out/solved
  tdc solve my.tdg --target icon.png --model run/best.safetensors --search beam --expansions 1000

With --evaluations or --expansions and no --time the result is the same for every number of threads.

Files in the output folder: program.txt, result.svg, result.png, target.png (as fitted to the \
canvas), difference.png, triptych.png (target, difference, result), report.json, \
trajectory.jsonl (an object an improvement: evaluations, seconds, score, size, program), \
filmstrip.png and search.png (the search in pictures, and as an animation). The exit code is 0 \
when the goal is met and 3 otherwise; the best program is written either way.

With --pareto: pareto/, with size-N.txt, size-N.svg and size-N.png for each size, front.json, \
front.svg (a plot), sheet.png; the table on standard output has the size, wrong pixels, what the \
goal measures (a star where it is met) and the program.

With a folder as target: such a folder for each picture, results.jsonl (an object a picture, on \
disk as it comes), summary.json, index.html (a contact sheet), run.json; exit code 3 when one \
was not solved.

With --tasks: results.jsonl, summary.json, curve.svg, index.html, run.json; exit code 0 when all \
tasks were tried.

A run over many targets that was broken off goes on where it was when it is started again with \
the same settings.

JSON, one object, as in report.json: target, solved, stop_reason (solved, time, evaluations, \
expansions, interrupted, ...), metric (what the goal measures), iou, score (wrong pixels; for a sketch a \
distance), seconds (wall clock, until the goal was met), total_seconds, evaluations, primitives, \
true_primitives, size, nodes, program, goal, expansions, renders, seed, threads, max_size, \
price, time_limit, evaluations_limit, trajectory (the file), search, target_size, fit (sx, sy, \
dx, dy: from the picture to the canvas), notes, grammar. Lines of results.jsonl have the first \
of these, up to program.

With --pareto also front: an object a size with size, score, solved, metric, iou, primitives, \
nodes, program, file; the search goes on when the goal is met, and stop_reason says what ended \
it.

With --model also model (file, preset, and trained, what it learnt from) and \
expansions_per_second; with --expansions also expansions_limit.

With --search beam also beam (its width) and merged (structurally, canonically, forms, seconds: \
programs left out, canonical forms made, the time that took).

With --tasks the summary: targets, solved, share, clock, within_seconds, \
within_evaluations, within_expansions (with --model or --expansions), median_seconds, \
p90_seconds, median_evaluations, total_seconds, mean_metric, mean_iou, mean_primitives, \
mean_true_primitives, no_longer.")]
pub struct Args {
    /// The grammar file
    grammar: PathBuf,

    /// The picture, a PNG, JPEG or SVG of any size, or a folder of such files
    #[arg(long, value_name = "PATH", required_unless_present = "tasks")]
    target: Option<PathBuf>,

    /// Solve all tasks of a set that `tdc tasks` made
    #[arg(long, value_name = "DIR", conflicts_with_all = ["target", "invert", "threshold", "fit", "margin"], requires = "output")]
    tasks: Option<PathBuf>,

    /// Write results into this folder, which is made
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,

    /// Stop after so many seconds; 30, or 10 for each of many, unless --evaluations or --expansions
    /// is given
    #[arg(long, value_name = "SECONDS", value_parser = input::seconds)]
    time: Option<f64>,

    /// Stop after so many scored programs
    #[arg(long, value_name = "N")]
    evaluations: Option<u64>,

    /// Stop after so many programs for which edits were proposed, the paper's node expansions; not
    /// for --search temper
    #[arg(long, value_name = "N")]
    expansions: Option<u64>,

    /// A trained policy that proposes edits, for --search beam or rollouts: a file that `tdc train`
    /// wrote, or `auto` for the file beside the grammar that has its name and the ending
    /// .small.safetensors
    #[cfg(feature = "learn")]
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,

    /// Seed of the search
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,

    /// Threads for a target: two at a time work on the same search, more make further ones
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: u16,

    /// Targets that are solved at the same time
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: u16,

    /// Greatest size of a program, instead of three times the sample window's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    max_size: Option<u32>,

    /// What a unit of size must be worth, in pixels; without it the price falls as the search goes on
    #[arg(long, value_name = "PIXELS", value_parser = pixels)]
    price: Option<f64>,

    /// Look for the best program of every size: the whole trade-off of size against error, in a table
    /// and in the folder's `pareto`; uses all of --time or --evaluations
    #[arg(long, conflicts_with = "tasks")]
    pareto: bool,

    /// How to search
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    search: SearchArg,

    /// Programs in a beam, with --search beam; 64 without it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    beam: Option<u32>,

    /// Tell the programs of a beam apart by what the grammar's rules make of them
    #[arg(long)]
    canonical: bool,

    /// Leave the program as it was found, instead of simplifying it by the grammar's rules
    #[arg(long)]
    as_found: bool,

    /// Write outline.svg too: a path a colour without overlap, for CAD and plotters
    #[arg(long, requires = "output", conflicts_with = "tasks")]
    outline: bool,

    /// How the picture is laid onto the canvas
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "HOW",
        help_heading = "The picture"
    )]
    fit: FitArg,

    /// Pixels of the canvas that stay free at each side
    #[arg(long, default_value_t = 0.0, value_name = "PIXELS", value_parser = pixels, help_heading = "The picture")]
    margin: f64,

    /// What is darker than this is ink, 0 black to 1 white; without it, found for each picture that
    /// is not black on white
    #[arg(long, value_name = "LIGHTNESS", value_parser = share, help_heading = "The picture")]
    threshold: Option<f64>,

    /// The picture is light on dark: take its negative
    #[arg(long, help_heading = "The picture")]
    invert: bool,
}

/// How to search.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum SearchArg {
    /// Tempering on bit planes, with parts in holes
    #[default]
    Temper,
    /// Tempering of edits that are scored one by one on the picture proper
    Anneal,
    /// Beam search over the same edits, or those of a model
    Beam,
    /// Edits of a model, one after the other, from random programs again and again
    Rollouts,
}

/// How a picture is laid onto the canvas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum FitArg {
    /// All of it is on the canvas, with bars at two sides
    #[default]
    Contain,
    /// It covers the canvas, and two sides are cut off
    Cover,
    /// Its sides become those of the canvas
    Stretch,
}

fn pixels(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(pixels) if (0.0..=1e6).contains(&pixels) => Ok(pixels),
        _ => Err("a number of pixels is needed, such as 4".to_owned()),
    }
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("a number from 0 to 1 is needed, such as 0.5".to_owned()),
    }
}

/// How targets were solved, in a sentence.
fn about(settings: &Settings, with_model: bool, jobs: u16, what: &str) -> String {
    let how = match with_model {
        true => "with a trained model",
        false => "without a trained model",
    };
    let time = settings.time.map(|s| format!(", at most {s} s each"));
    let tries = settings.evaluations;
    let tries = tries.map(|n| format!(", at most {n} programs each"));
    let expansions = settings.expansions;
    let expansions = expansions.map(|n| format!(", at most {n} expansions each"));
    let threads = match settings.threads {
        1 => "one thread".to_owned(),
        n => format!("{n} threads"),
    };
    let jobs = match jobs {
        1 => String::new(),
        n => format!(", {n} at the same time"),
    };
    format!(
        "Solved {how} by {threads} a {what}{jobs}{}{}{}; seed {}, wall-clock time.",
        time.unwrap_or_default(),
        tries.unwrap_or_default(),
        expansions.unwrap_or_default(),
        settings.seed
    )
}

/// A trained model that proposes edits.
struct Model<'g> {
    guide: &'g dyn Guide,
    /// What it is, for reports.
    about: serde_json::Value,
}

/// The guide of a search.
fn guide<'g>(model: Option<&Model<'g>>) -> Option<&'g dyn Guide> {
    model.map(|model| model.guide)
}

impl Args {
    /// Whether a trained model proposes edits.
    fn has_model(&self) -> bool {
        #[cfg(feature = "learn")]
        return self.model.is_some();
        #[cfg(not(feature = "learn"))]
        return false;
    }

    /// How pictures become targets.
    fn intake(&self) -> intake::Options {
        intake::Options {
            fit: match self.fit {
                FitArg::Contain => Mode::Contain,
                FitArg::Cover => Mode::Cover,
                FitArg::Stretch => Mode::Stretch,
            },
            margin: self.margin,
            threshold: self.threshold,
            invert: self.invert,
        }
    }

    /// How to search, with so many seconds when nothing is said.
    fn settings(&self, language: &Language, otherwise: f64) -> Settings {
        // Pictures that nobody drew with the language need more; and large programs are on the way to
        // short ones.
        let most = language.compiled.grammar.sample.max.saturating_mul(3);
        Settings {
            time: match (self.time, self.evaluations, self.expansions) {
                (None, None, None) => Some(otherwise),
                (time, ..) => time,
            },
            evaluations: self.evaluations,
            expansions: self.expansions,
            seed: self.seed,
            threads: usize::from(self.threads),
            max_size: self.max_size.unwrap_or(most),
            price: self.price,
            pareto: self.pareto,
            search: match self.search {
                SearchArg::Temper => Method::Temper,
                SearchArg::Anneal => Method::Anneal,
                SearchArg::Beam => Method::Beam,
                SearchArg::Rollouts => Method::Rollouts,
            },
            beam: self.beam.map(|width| width as usize),
            canonical: self.canonical,
            simplify: !self.as_found,
        }
    }
}

pub fn run(shell: &Shell, args: &Args) -> Outcome {
    let language = input::language(shell, &args.grammar)?;
    if language.compiled.grammar.canvas.is_none() {
        return Err(Failure::input(format!(
            "{} has no `canvas` and no `draw`: its programs draw nothing that a picture could be \
             matched with",
            args.grammar.display()
        )));
    }
    if args.search != SearchArg::Beam && (args.beam.is_some() || args.canonical) {
        let what = if args.canonical {
            "--canonical"
        } else {
            "--beam"
        };
        return Err(Failure::usage(format!("{what} needs --search beam")));
    }
    if args.canonical && !Simplifier::new(&language.compiled).has_rules() {
        shell.say("note: the grammar has no rules, so --canonical merges nothing");
    }
    if args.has_model() && !matches!(args.search, SearchArg::Beam | SearchArg::Rollouts) {
        return Err(Failure::usage(
            "--model needs --search beam or --search rollouts",
        ));
    }
    if args.search == SearchArg::Rollouts && !args.has_model() {
        return Err(Failure::usage(
            "--search rollouts needs a --model, whose edits it takes",
        ));
    }
    if args.expansions.is_some() && args.search == SearchArg::Temper {
        return Err(Failure::usage(
            "--expansions needs --search beam, rollouts or anneal: tempering asks no policy",
        ));
    }
    #[cfg(feature = "learn")]
    let opened = guide::open(args, &language)?;
    #[cfg(feature = "learn")]
    let model = opened.as_ref().map(guide::Opened::model);
    #[cfg(not(feature = "learn"))]
    let model = None;
    match (&args.tasks, &args.target) {
        (Some(folder), _) => tasks::run(shell, args, &language, folder, model.as_ref()),
        (None, Some(target)) if target.is_dir() => {
            batch::run(shell, args, &language, target, model.as_ref())
        }
        (None, Some(target)) => one::run(shell, args, &language, target, model.as_ref()),
        (None, None) => Err(Failure::usage("--target or --tasks is needed")),
    }
}
