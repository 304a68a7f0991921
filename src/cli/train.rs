//! `tdc train`: a model that learns a language from random programs and noise on them.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;
use tdc::model::checkpoint::About;
use tdc::model::config::{Architecture, Preset};
use tdc::model::learner::{Learner, Predicts};
use tdc::model::net::NetError;
use tdc::model::nodes::Small;
use tdc::model::paper::Paper;
use tdc::train::run::{
    self, BEST, Ending, Every, How, LAST, METRICS, Origin, Plan, Report, Row, Run, Schedule, Seen,
};
use tdc::train::{Labels, Options};

use super::Outcome;
use super::failure::Failure;
use super::input::{self, SizeRange};
use super::output::Out;
use super::progress::Progress;
use super::shell::{self, Shell};

/// Train a model on a language: random programs, noise on them, the edits that lead back
///
/// A policy learns which edit brings a program a step nearer to a picture, a value how many edits
/// lie between two pictures, an autoregressive model whole programs from pictures. Examples are
/// made on the way, the same for every number of threads. The run goes on until it has its
/// --steps or its --time, or until ctrl-C; then, and every few minutes, a checkpoint is
/// written, and --resume goes on from there.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tdc train grammars/csg2d.tdg --time 3600 -o out/csg2d
  tdc train grammars/csg2d.tdg --resume --time 7200 -o out/csg2d
  tdc train grammars/csg2d.tdg --predict value --preset tiny --steps 500 -o out/value
  tdc train grammars/rainbow.tdg --preset paper --no-path --steps 20000 -o out/ablation

A run that was cut off, by ctrl-C or kill or a power cut, and goes on with --resume ends in the \
same weights as one that was not, if --steps, --lr, --schedule, --warm-up and --clip are the \
same. At most the time since the last checkpoint is lost.

Files in the folder: last.safetensors (the run as it stands: weights, what the optimiser \
remembers, counters, options), best.safetensors (the weights that did best on examples kept \
apart), metrics.jsonl, curve.svg and curve.png. Both safetensors files are models.

metrics.jsonl has an object a row: step, examples, seconds, loss, position_accuracy, \
token_accuracy, whole_accuracy, examples_per_second, waiting_share (of the time, waiting for \
examples), learning_rate, gradient_norm, left_out (examples too long for the model), held_out \
(loss, position_accuracy, token_accuracy, whole_accuracy; when a checkpoint was written).

JSON, one object: language, preset, predicts, weights, ending (steps, time or interrupted), step, \
examples, seconds, examples_per_second, waiting_share, last (the last row), best (step and \
held_out), model (the best one's file).")]
pub struct Args {
    /// The grammar file
    grammar: PathBuf,

    /// The folder of the run, which is made
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,

    /// Go on with the run in the folder
    #[arg(long)]
    resume: bool,

    /// What the model predicts
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    predict: PredictArg,

    /// The model's architecture and sizes
    #[arg(long, value_enum, default_value_t, value_name = "NAME")]
    preset: PresetArg,

    /// Steps in all
    #[arg(long, value_name = "N")]
    steps: Option<u64>,

    /// Seconds of training in all, of earlier parts of the run too
    #[arg(long, value_name = "SECONDS", value_parser = input::seconds)]
    time: Option<f64>,

    /// Examples a step
    #[arg(long, default_value_t = 32, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=65_536))]
    batch: u32,

    /// The learning rate; without it, what suits the preset
    #[arg(long, value_name = "RATE", value_parser = positive)]
    lr: Option<f64>,

    /// How the rate goes: cosine falls to a tenth by the last of --steps, and stays without them
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    schedule: ScheduleArg,

    /// Steps over which the rate rises from 0
    #[arg(long, default_value_t = 100, value_name = "N")]
    warm_up: u64,

    /// Greatest norm of a step's gradients; larger ones are scaled down
    #[arg(long, default_value_t = 1.0, value_name = "NORM", value_parser = positive)]
    clip: f64,

    /// Seed of weights and examples
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,

    /// Threads, all of the machine's unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,

    /// Workers that share each batch and the threads; their gradients are summed
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    workers: u16,

    /// Where the model is reckoned: auto, cpu, or cuda:0
    #[arg(long, default_value = "auto", value_name = "DEVICE")]
    device: String,

    /// Examples kept apart, to measure by
    #[arg(long, default_value_t = 128, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=65_536))]
    held_out: u32,

    /// How often a row is written: after so many steps (100) or so much time (10s, 5m, 1h)
    #[arg(long, default_value = "10s", value_name = "EVERY", value_parser = every)]
    log_every: Every,

    /// How often a checkpoint is written, likewise
    #[arg(long, default_value = "5m", value_name = "EVERY", value_parser = every)]
    save_every: Every,

    #[command(flatten)]
    examples: ExampleArgs,
}

/// What examples are like.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Examples")]
struct ExampleArgs {
    /// Sizes of the programs that are looked for, instead of the grammar's window
    #[arg(long, value_name = "A..=B")]
    size: Option<SizeRange>,

    /// Share of starts that are random programs of their own rather than noised targets
    #[arg(long, default_value_t = 0.2, value_name = "SHARE", value_parser = share)]
    rho: f64,

    /// Mutations that make the other starts
    #[arg(long, default_value = "1..=5", value_name = "A..=B")]
    noise_steps: SizeRange,

    /// Greatest size of what an edit takes out and puts in, instead of the grammar's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    sigma_small: Option<u32>,

    /// Look for programs in the form that all programs share which the grammar's rules prove equal
    #[arg(long)]
    canonical: bool,

    /// Show targets as they are drawn, though the grammar has an `observe` setting
    #[arg(long)]
    no_observe: bool,

    /// Ablation: learn to undo the last mutation instead of the first edit of a path to the target
    #[arg(long, conflicts_with = "no_noise")]
    no_path: bool,

    /// Ablation: do not show the model the picture of the program that it edits
    #[arg(long)]
    no_current_image: bool,

    /// Ablation: start from random programs only, never from noised targets
    #[arg(long, conflicts_with = "rho")]
    no_noise: bool,
}

/// What a model predicts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum PredictArg {
    /// The next edit of a program
    #[default]
    Policy,
    /// A whole program, from the target's picture alone
    Autoregressive,
    /// How many edits it is to the target
    Value,
}

/// Models that have a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum PresetArg {
    /// The paper's
    Paper,
    /// For two cores
    #[default]
    Small,
    /// For tests, in seconds
    Tiny,
}

impl PresetArg {
    fn preset(self) -> Preset {
        match self {
            PresetArg::Paper => Preset::Paper,
            PresetArg::Small => Preset::Small,
            PresetArg::Tiny => Preset::Tiny,
        }
    }

    /// The paper's rate is for its sizes.
    fn rate(self) -> f64 {
        match self {
            PresetArg::Paper => 3e-4,
            PresetArg::Small | PresetArg::Tiny => 1e-3,
        }
    }
}

/// How the rate goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum ScheduleArg {
    /// It stays
    Constant,
    /// Half a period of the cosine
    #[default]
    Cosine,
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value > 0.0 && value.is_finite() => Ok(value),
        _ => Err("a number above 0 is needed, such as 0.001 or 3e-4".to_owned()),
    }
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err("a number from 0 to 1 is needed".to_owned()),
    }
}

/// `100` steps, `10s`, `5m`, `1h`.
fn every(text: &str) -> Result<Every, String> {
    let units = [("s", 1.0), ("m", 60.0), ("h", 3600.0)];
    let unit = units
        .iter()
        .find_map(|(end, unit)| Some((text.strip_suffix(end)?, unit)));
    let wrong = || "a number of steps or a time is needed, such as 100, 30s, 5m or 1h".to_owned();
    match unit {
        Some((number, unit)) => {
            let number = input::seconds(number).map_err(|_| wrong())?;
            Ok(Every::Seconds(number * unit))
        }
        None => match text.parse() {
            Ok(steps) if steps > 0 => Ok(Every::Steps(steps)),
            _ => Err(wrong()),
        },
    }
}

/// Whether the device is there.
fn device(text: &str) -> Result<(), Failure> {
    let number = text.strip_prefix("cuda:").unwrap_or("none");
    match text {
        "auto" | "cpu" => Ok(()),
        "cuda" => device("cuda:0"),
        _ if number.parse::<u16>().is_err() => Err(Failure::usage(format!(
            "there is no device `{text}`: write auto, cpu or cuda:0"
        ))),
        _ if cfg!(feature = "cuda") => Err(Failure::input(format!(
            "{text}: models are reckoned on the CPU only so far; use --device cpu"
        ))),
        _ => Err(Failure::input(format!(
            "{text}: this tdc is built without CUDA; use --device cpu"
        ))),
    }
}

fn small(compiled: &tdc::Compiled, about: &About, origin: Origin) -> Result<Small, NetError> {
    match origin {
        Origin::Seed(seed) => Small::seeded(about, compiled, seed),
        Origin::Stored(stored) => Small::stored(about, compiled, stored),
    }
}

fn paper(about: &About, origin: Origin) -> Result<Paper, NetError> {
    match origin {
        Origin::Seed(seed) => Paper::seeded(about, seed),
        Origin::Stored(stored) => Paper::stored(about, stored),
    }
}

impl Args {
    fn options(&self, compiled: &tdc::Compiled) -> Options {
        let of = Options::of(compiled);
        let args = &self.examples;
        let (mut sample, mut mutate) = (of.sample, of.mutate);
        if let Some(size) = args.size {
            (sample.min, sample.max) = (size.min, size.max);
        }
        mutate.small = args.sigma_small.unwrap_or(mutate.small);
        Options {
            seed: self.seed,
            sample,
            mutate,
            rho: if args.no_noise { 1.0 } else { args.rho },
            steps: args.noise_steps.min..=args.noise_steps.max,
            labels: match args.no_path {
                true => Labels::LastStep,
                false => Labels::Path,
            },
            observed: !args.no_observe && compiled.grammar.observe.is_some(),
            canonical: args.canonical,
            ..of
        }
    }

    fn plan(&self, examples: Options) -> Plan {
        Plan {
            seed: self.seed,
            batch: self.batch as usize,
            workers: usize::from(self.workers),
            rate: self.lr.unwrap_or(self.preset.rate()),
            schedule: match self.schedule {
                ScheduleArg::Constant => Schedule::Constant,
                ScheduleArg::Cosine => Schedule::Cosine,
            },
            warm_up: self.warm_up,
            steps: self.steps,
            clip: Some(self.clip),
            held_out: self.held_out as usize,
            ..Plan::new(examples)
        }
    }

    fn about(&self, compiled: &tdc::Compiled, examples: &Options) -> Result<About, Failure> {
        let preset = self.preset.preset();
        let predicts = match self.predict {
            PredictArg::Policy => Predicts::Policy,
            PredictArg::Autoregressive => Predicts::Autoregressive,
            PredictArg::Value => Predicts::Value,
        };
        let config = preset.architecture(predicts);
        let about = About::new(compiled, predicts, preset.name(), config);
        let mut about = about.map_err(|e| Failure::input(e.to_string()))?;
        about.size = match predicts {
            Predicts::Autoregressive => examples.sample.max,
            _ => examples.mutate.small,
        };
        if self.examples.no_current_image {
            if predicts == Predicts::Value {
                return Err(Failure::usage(
                    "--no-current-image leaves a value nothing to compare the target with",
                ));
            }
            about.sees_current = false;
        }
        Ok(about)
    }
}

pub fn run(shell: &Shell, args: &Args) -> Outcome {
    device(&args.device)?;
    let language = input::language(shell, &args.grammar)?;
    let compiled = Arc::new(language.compiled);
    let options = args.options(&compiled);
    let about = args.about(&compiled, &options)?;
    let how = How {
        seconds: args.time,
        log: args.log_every,
        save: args.save_every,
        ..How::default()
    };
    let how = How {
        threads: args.threads.map_or(how.threads, usize::from),
        ..how
    };
    let (folder, resume, plan) = (args.output.clone(), args.resume, args.plan(options));
    match &about.config {
        Architecture::Paper(_) => {
            let run = Run {
                make: &paper,
                plan,
                how,
                folder,
                resume,
                about,
                compiled,
            };
            learn(shell, args, &run)
        }
        Architecture::Nodes(_) => {
            let language = Arc::clone(&compiled);
            let make = |about: &About, origin: Origin| small(&language, about, origin);
            let run = Run {
                make: &make,
                plan,
                how,
                folder,
                resume,
                about,
                compiled,
            };
            learn(shell, args, &run)
        }
    }
}

/// Trains a model of whatever architecture, and says what came of it.
fn learn<L: Learner>(shell: &Shell, args: &Args, run: &Run<'_, L>) -> Outcome {
    let total = match (run.plan.steps, run.how.seconds) {
        (Some(steps), None) => steps,
        // Whichever is nearer to its end is shown, in thousandths.
        (_, Some(_)) => 1000,
        (None, None) => 0,
    };
    let mut progress = Progress::new(shell, "training", total);
    let mut last = None;
    let mut seen = |seen: &Seen| {
        last = seen.row.or(last);
        let part = |done: f64, all: f64| (1000.0 * done / all.max(1e-9)) as u64;
        let done = match (run.plan.steps, run.how.seconds) {
            (_, None) => seen.step,
            (steps, Some(seconds)) => {
                let steps = steps.map_or(0, |steps| part(seen.step as f64, steps as f64));
                part(seen.seconds, seconds).max(steps)
            }
        };
        progress.set(done, &remark(seen.step, last.as_ref()));
    };
    let result = run::train(run, shell::stop_flag(), &mut seen);
    drop(progress);
    let report = result.map_err(|error| Failure::input(error.to_string()))?;
    tell(shell, args, run, &report)?;
    match report.ending {
        Ending::Stopped => Err(Failure::Stopped),
        Ending::Steps | Ending::Time => Ok(()),
    }
}

/// What stands beside the bar.
fn remark(step: u64, row: Option<&Row>) -> String {
    let mut out = format!("step {step}");
    let Some(row) = row else { return out };
    out.push_str(&format!(", loss {:.4}", row.loss));
    let shares = [
        ("position", row.position_accuracy),
        ("token", row.token_accuracy),
        ("whole", row.whole_accuracy),
    ];
    for (name, share) in shares {
        if let Some(share) = share {
            out.push_str(&format!(", {name} {:.1} %", 100.0 * share));
        }
    }
    out.push_str(&format!(", {:.0} examples/s", row.examples_per_second));
    out
}

/// The result, on standard output.
fn tell<L: Learner>(shell: &Shell, args: &Args, run: &Run<'_, L>, report: &Report) -> Outcome {
    let state = &report.state;
    let best = state.best.as_ref();
    let file = args.output.join(if best.is_some() { BEST } else { LAST });
    let mut out = Out::open(None)?;
    if shell.json() {
        let ending = match report.ending {
            Ending::Steps => "steps",
            Ending::Time => "time",
            Ending::Stopped => "interrupted",
        };
        out.json(&json!({
            "language": run.about.language,
            "preset": run.about.preset,
            "predicts": run.about.predicts.name(),
            "ending": ending,
            "step": state.step,
            "examples": state.examples,
            "seconds": state.seconds,
            "examples_per_second": state.examples as f64 / state.seconds.max(1e-9),
            "waiting_share": state.waited / state.seconds.max(1e-9),
            "last": report.last,
            "best": best.map(|(step, held_out)| json!({ "step": step, "held_out": held_out })),
            "model": file,
        }))?;
    } else {
        out.line(&format!(
            "{} {} {}: {}, {} examples in {:.1} s",
            run.about.language,
            run.about.preset,
            run.about.predicts.name(),
            remark(state.step, report.last.as_ref()),
            state.examples,
            state.seconds
        ))?;
        if let Some((step, held_out)) = best {
            out.line(&format!(
                "best on examples kept apart: loss {:.4} at step {step}, in {}",
                held_out.loss,
                file.display()
            ))?;
        }
        let record = args.output.join(METRICS);
        shell.say(&format!("see {} and curve.svg", record.display()));
        if report.ending == Ending::Stopped {
            shell.say("stopped; the checkpoint is written: the same command with --resume goes on");
        }
    }
    out.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_steps_or_times() {
        assert_eq!(every("100"), Ok(Every::Steps(100)));
        assert_eq!(every("10s"), Ok(Every::Seconds(10.0)));
        assert_eq!(every("1.5m"), Ok(Every::Seconds(90.0)));
        assert_eq!(every("1h"), Ok(Every::Seconds(3600.0)));
        for wrong in ["", "0", "s", "-1s", "1d", "1e999h", "five"] {
            assert!(every(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn devices_are_told_apart() {
        assert!(device("auto").is_ok() && device("cpu").is_ok());
        for (name, code) in [("cuda:0", 1), ("cuda", 1), ("gpu", 2), ("cuda:x", 2)] {
            assert_eq!(device(name).unwrap_err().exit_code(), code, "{name}");
        }
    }
}
