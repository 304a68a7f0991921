//! `tdc solve --target PICTURE`: one picture.

use std::io::Read;
use std::path::Path;
use std::sync::Mutex;

use serde_json::json;
use tdc::eval::attempt::{self, Attempt, AttemptError, Known, Record, Settings};
use tdc::eval::{folder, front};
use tdc::grammar::ir::CanvasMode;
use tdc::render::Picture;
use tdc::render::image::intake::{self, Intake};
use tdc::render::svg::{Onto, SvgOptions};
use tdc::search::StopReason;
use tdc::search::anneal::Status;
use tdc::search::beam::Options;

use super::super::Outcome;
use super::super::failure::Failure;
use super::super::input::Language;
use super::super::output::{Folder, Out};
use super::super::progress::Progress;
use super::super::shell::{self, Shell};
use super::{Args, Model, SECONDS, guide};

pub fn run(
    shell: &Shell,
    args: &Args,
    language: &Language,
    path: &Path,
    model: Option<&Model<'_>>,
) -> Outcome {
    let target = target(language, args, path)?;
    for note in &target.notes {
        shell.say(&format!("note: {note}"));
    }
    // Made before the search, so that a folder that cannot be written is known at once.
    let folder = args.output.as_deref().map(Folder::create).transpose()?;
    let settings = args.settings(language, SECONDS);
    let found = search(shell, language, &target.picture, &settings, model)?;
    let name = path.display().to_string();
    let known = Known {
        name: &name,
        ..Known::default()
    };
    let mut record = Record::new(&language.compiled, &target.picture, &known, &found);
    record.notes.clone_from(&target.notes);
    let json = report(language, args, model, &settings, &record, &found, &target);
    if let Some(folder) = folder {
        write(language, args, &target, &name, &found, &json, &folder)?;
        folder.finish()?;
    }
    let mut out = Out::open(None)?;
    if shell.json() {
        out.json(&json)?;
    } else if settings.pareto {
        out.text(&front::table(&found.front))?;
        shell.say(&remark(args, &record, &found));
    } else {
        out.line(record.program.as_deref().unwrap_or_default())?;
        shell.say(&remark(args, &record, &found));
    }
    out.finish()?;
    match record.solved || found.report.solved {
        true => Ok(()),
        false => Err(Failure::Unsolved),
    }
}

/// The bytes of a picture's file.
pub fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |e: std::io::Error| Failure::file(path, "read", &e);
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    let mut limited = file.take(intake::MAX_BYTES + 1);
    limited.read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > intake::MAX_BYTES {
        let (path, most) = (path.display(), intake::MAX_BYTES >> 20);
        return Err(Failure::input(format!("{path} is longer than {most} MiB")));
    }
    Ok(bytes)
}

/// A picture's file as a target.
pub fn target(language: &Language, args: &Args, path: &Path) -> Result<Intake, Failure> {
    let grammar = &language.compiled.grammar;
    intake::intake(&bytes(path)?, grammar, &args.intake())
        .map_err(|e| Failure::input(format!("{}: {e}", path.display())))
}

fn search(
    shell: &Shell,
    language: &Language,
    picture: &Picture,
    settings: &Settings,
    model: Option<&Model<'_>>,
) -> Result<Attempt, Failure> {
    // Progress by whatever limit comes first, in thousandths.
    let progress = Mutex::new(Progress::new(shell, "solving", 1000));
    let tell = |status: Status| {
        let part =
            |done: f64, limit: Option<f64>| limit.map_or(0.0, |limit| done / limit.max(1e-9));
        let done = part(status.elapsed.as_secs_f64(), settings.time).max(part(
            status.evaluations as f64,
            settings.evaluations.map(|n| n as f64),
        ));
        let done = done.max(part(
            status.expansions as f64,
            settings.expansions.map(|n| n as f64),
        ));
        if let Ok(mut progress) = progress.lock() {
            let remark = format!("best {:.1}, {} tried", status.best, status.evaluations);
            progress.set((done * 1000.0) as u64, &remark);
        }
    };
    let stop = shell::stop_flag();
    attempt::attempt(
        &language.compiled,
        picture,
        settings,
        guide(model),
        stop,
        &tell,
    )
    .map_err(failed)
}

fn failed(error: AttemptError) -> Failure {
    Failure::input(error.to_string())
}

/// The record, and how it was come by.
pub fn report(
    language: &Language,
    args: &Args,
    model: Option<&Model<'_>>,
    settings: &Settings,
    record: &Record,
    found: &Attempt,
    target: &Intake,
) -> serde_json::Value {
    let grammar = &language.compiled.grammar;
    let mut json = json!(record);
    let more = json!({
        "goal": grammar.goal.as_ref().map(tdc::codegen::summary::goal_text),
        "expansions": found.report.expansions,
        "renders": found.report.renders,
        "seed": settings.seed,
        "threads": settings.threads,
        "max_size": settings.max_size,
        "price": settings.price,
        "search": settings.search,
        "time_limit": settings.time,
        "evaluations_limit": settings.evaluations,
        "trajectory": args.output.as_ref().map(|_| "trajectory.jsonl"),
        "target_size": target.size,
        "fit": target.fit,
        "grammar": args.grammar.display().to_string(),
    });
    if let Some(merged) = &found.report.merged {
        json["beam"] = json!(settings.beam.unwrap_or(Options::default().width));
        json["merged"] = json!(merged);
    }
    if let Some(limit) = settings.expansions {
        json["expansions_limit"] = json!(limit);
    }
    if let Some(model) = model {
        json["model"] = model.about.clone();
        let seconds = found.report.seconds.max(1e-9);
        json["expansions_per_second"] = json!(found.report.expansions as f64 / seconds);
    }
    if settings.pareto {
        json["front"] = json!(found.front);
    }
    if let (Some(json), serde_json::Value::Object(more)) = (json.as_object_mut(), more) {
        json.extend(more);
    }
    json
}

/// Adds the files of a result to a folder.
pub fn write(
    language: &Language,
    args: &Args,
    target: &Intake,
    name: &str,
    found: &Attempt,
    json: &serde_json::Value,
    to: &Folder,
) -> Result<(), Failure> {
    let grammar = &language.compiled.grammar;
    let canvas = grammar.canvas.as_ref();
    let in_place = target.fit.is_identity()
        && canvas.is_some_and(|c| target.size == [f64::from(c.width), f64::from(c.height)]);
    let options = folder::Options {
        outline: args.outline,
        name,
        svg: match in_place {
            true => SvgOptions::default(),
            // It lies over the original, which paper would hide.
            false => SvgOptions {
                transparent: canvas.is_some_and(|c| c.mode == CanvasMode::Ink),
                onto: Some(Onto {
                    size: target.size,
                    fit: target.fit.inverse(),
                }),
                title: None,
            },
        },
    };
    let files =
        folder::files(&language.compiled, &target.picture, found, &options).map_err(failed)?;
    for (name, bytes) in files {
        to.add(&name, &bytes)?;
    }
    let report = serde_json::to_string_pretty(json).unwrap_or_default();
    to.add("report.json", format!("{report}\n").as_bytes())
}

/// How it went, in a line.
fn remark(args: &Args, record: &Record, found: &Attempt) -> String {
    let report = &found.report;
    let how = match report.stop {
        _ if report.solved => "solved",
        StopReason::Time => "not solved in the time given",
        StopReason::Evaluations => "not solved in the evaluations given",
        StopReason::Expansions => "not solved in the expansions given",
        StopReason::Interrupted => "stopped",
        _ => "not solved",
    };
    let goal = match record.metric {
        Some(score) => format!(", goal {score:.4}"),
        None => String::new(),
    };
    let merged = match &report.merged {
        Some(merged) if merged.forms > 0 => format!(
            ", {} merged as they stood and {} of {} by canonical form",
            merged.structurally, merged.canonically, merged.forms
        ),
        Some(merged) => format!(", {} merged as they stood", merged.structurally),
        None => String::new(),
    };
    let place = match &args.output {
        Some(path) => format!("; see {}", path.display()),
        None => String::new(),
    };
    let expanded = match args.has_model() {
        true => format!(", {} expansions", report.expansions),
        false => String::new(),
    };
    format!(
        "{how}: {:.1} pixels wrong{goal}, size {}, {:.1} s, {} programs tried{expanded}{merged}{place}",
        report.score,
        report.program.size(),
        found.seconds,
        report.evaluations
    )
}
