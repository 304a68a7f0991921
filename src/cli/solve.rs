//! `tdc solve`: from a picture to a program.

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::json;
use tdc::render::{Picture, image, metric, panels, raster, svg};
use tdc::search::anneal::Status;
use tdc::search::solver::Solver;
use tdc::search::{Limits, Report, StopReason};

use super::Outcome;
use super::failure::Failure;
use super::input::{self, Language};
use super::output::{Folder, Out};
use super::progress::Progress;
use super::shell::{self, Shell};

/// Search time when neither --time nor --evaluations is given.
const SECONDS: f64 = 30.0;
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

With --evaluations and no --time the result is the same for every number of threads.

Files in the output folder: program.txt, result.svg, result.png, target.png (as fitted to the
canvas), side_by_side.png (target, result, difference), report.json. The exit code is 0 when the
goal is met and 3 otherwise; the best program is written either way.

JSON, one object, as in report.json: solved, stop (solved, time, evaluations, interrupted, ...),
program, size, nodes, score (wrong pixels; for a sketch a distance), goal, goal_score (null for a
sketch), iou, seed, threads, max_size, seconds, evaluations, expansions, renders, trajectory
(evaluations, seconds, score of each improvement), grammar, target.")]
pub struct Args {
    /// The grammar file
    grammar: PathBuf,

    /// The picture, a PNG
    #[arg(long, value_name = "PNG")]
    target: PathBuf,

    /// Write program, pictures and report into this folder, which is made
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,

    /// Stop after so many seconds; 30 unless --evaluations is given
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

    /// Greatest size of a program, instead of the sample window's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    max_size: Option<u32>,

    /// Leave the program as it was found, instead of simplifying it by the grammar's rules
    #[arg(long)]
    as_found: bool,

    /// The picture is light on dark: take its negative
    #[arg(long)]
    invert: bool,
}

pub fn run(shell: &Shell, args: &Args) -> Outcome {
    let language = input::language(shell, &args.grammar)?;
    let grammar = &language.compiled.grammar;
    let Some(canvas) = &grammar.canvas else {
        return Err(Failure::input(format!(
            "{} has no `canvas`: its programs draw nothing that a picture could be matched with",
            args.grammar.display()
        )));
    };
    let bytes = std::fs::read(&args.target).map_err(|e| Failure::file(&args.target, "read", &e))?;
    let target = image::read_target(&bytes, canvas)
        .map_err(|e| Failure::input(format!("{}: {e}", args.target.display())))?;
    if target.looks_inverted && !args.invert {
        shell.say("note: the picture's border is dark; if it is light on dark, add --invert");
    }
    let mut picture = target.picture;
    if args.invert {
        image::invert(&mut picture);
    }
    // Made before the search, so that a folder that cannot be written is known at once.
    let folder = args.output.as_deref().map(Folder::create).transpose()?;
    let report = search(shell, &language, &picture, args)?;
    let found = Found::new(&language, &picture, args, report)?;
    if let Some(folder) = folder {
        found.write(&folder, &picture)?;
        folder.finish()?;
    }
    let mut out = Out::open(None)?;
    if shell.json() {
        out.json(&found.json)?;
    } else {
        out.line(&found.program)?;
        shell.say(&found.remark(args));
    }
    out.finish()?;
    if found.report.stop == StopReason::Solved {
        Ok(())
    } else {
        Err(Failure::Unsolved)
    }
}

fn search(
    shell: &Shell,
    language: &Language,
    picture: &Picture,
    args: &Args,
) -> Result<Report, Failure> {
    let max_size = args
        .max_size
        .unwrap_or(language.compiled.grammar.sample.max);
    let mut solver = Solver::new(&language.compiled, picture, max_size)
        .map_err(|error| Failure::input(error.to_string()))?;
    solver.options.seed = args.seed;
    solver.simplify = !args.as_found;
    solver.options.threads = usize::from(args.threads);
    let time = match (args.time, args.evaluations) {
        (Some(seconds), _) => Some(seconds),
        (None, None) => Some(SECONDS),
        (None, Some(_)) => None,
    };
    let limits = Limits {
        time: time.map(Duration::from_secs_f64),
        evaluations: args.evaluations,
        ..Limits::default()
    };
    // Progress by whatever limit comes first, in thousandths.
    let progress = Mutex::new(Progress::new(shell, "solving", 1000));
    let tell = |status: Status| {
        let part =
            |done: f64, limit: Option<f64>| limit.map_or(0.0, |limit| done / limit.max(1e-9));
        let done = part(status.elapsed.as_secs_f64(), time).max(part(
            status.evaluations as f64,
            args.evaluations.map(|n| n as f64),
        ));
        if let Ok(mut progress) = progress.lock() {
            let remark = format!("best {:.1}, {} tried", status.best, status.evaluations);
            progress.set((done * 1000.0) as u64, &remark);
        }
    };
    solver
        .search(&limits, shell::stop_flag(), &tell)
        .ok_or_else(|| {
            Failure::input("stopped before anything was found: more time or evaluations are needed")
        })
}

/// What was found, in all its forms.
struct Found {
    report: Report,
    program: String,
    svg: String,
    picture: Picture,
    goal_score: Option<f64>,
    json: serde_json::Value,
}

impl Found {
    fn new(
        language: &Language,
        target: &Picture,
        args: &Args,
        report: Report,
    ) -> Result<Found, Failure> {
        let grammar = &language.compiled.grammar;
        let failed = |error: tdc::render::RenderError| Failure::input(error.to_string());
        let scene = super::render::scene(language, &report.program)?;
        let program = language.text(&report.program);
        let options = svg::SvgOptions {
            transparent: false,
            title: Some(program.clone()),
        };
        let picture = raster::rasterize(&scene).map_err(failed)?;
        let sketch = grammar.observe.is_some();
        let goal_score = match &grammar.goal {
            Some(goal) if !sketch => Some(metric::goal_score(goal, &picture, target)),
            _ => None,
        };
        let trajectory: Vec<_> = report
            .trajectory
            .iter()
            .map(|step| {
                json!({
                    "evaluations": step.evaluations,
                    "seconds": step.seconds,
                    "score": step.score,
                })
            })
            .collect();
        let json = json!({
            "solved": report.stop == StopReason::Solved,
            "stop": report.stop,
            "program": program,
            "size": report.program.size(),
            "nodes": report.program.len(),
            "score": report.score,
            "goal": grammar.goal.as_ref().map(tdc::codegen::summary::goal_text),
            "goal_score": goal_score,
            "iou": if sketch { None } else { Some(metric::iou(&picture, target)) },
            "seed": args.seed,
            "threads": args.threads,
            "max_size": args.max_size.unwrap_or(grammar.sample.max),
            "seconds": report.seconds,
            "evaluations": report.evaluations,
            "expansions": report.expansions,
            "renders": report.renders,
            "trajectory": trajectory,
            "grammar": args.grammar.display().to_string(),
            "target": args.target.display().to_string(),
        });
        Ok(Found {
            svg: svg::write(&scene, &options).map_err(failed)?,
            report,
            program,
            picture,
            goal_score,
            json,
        })
    }

    fn write(&self, folder: &Folder, target: &Picture) -> Result<(), Failure> {
        folder.add("program.txt", format!("{}\n", self.program).as_bytes())?;
        folder.add("result.svg", self.svg.as_bytes())?;
        folder.add("result.png", &image::encode_png(&self.picture))?;
        folder.add("target.png", &image::encode_png(target))?;
        let difference = panels::difference(target, &self.picture);
        let beside = panels::side_by_side(&[
            ("target", target),
            ("result", &self.picture),
            ("difference", &difference),
        ]);
        folder.add("side_by_side.png", &image::encode_png(&beside))?;
        let report = serde_json::to_string_pretty(&self.json).unwrap_or_default();
        folder.add("report.json", format!("{report}\n").as_bytes())
    }

    /// How it went, in a line.
    fn remark(&self, args: &Args) -> String {
        let report = &self.report;
        let how = match report.stop {
            StopReason::Solved => "solved",
            StopReason::Time => "not solved in the time given",
            StopReason::Evaluations => "not solved in the evaluations given",
            StopReason::Interrupted => "stopped",
            _ => "not solved",
        };
        let goal = match self.goal_score {
            Some(score) => format!(", goal {score:.4}"),
            None => String::new(),
        };
        let place = match &args.output {
            Some(path) => format!("; see {}", path.display()),
            None => String::new(),
        };
        format!(
            "{how}: {:.1} pixels wrong{goal}, size {}, {:.1} s, {} programs tried{place}",
            report.score,
            report.program.size(),
            report.seconds,
            report.evaluations
        )
    }
}
