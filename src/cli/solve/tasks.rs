//! `tdc solve --tasks`: a whole test set, and the share solved over time.

use std::path::Path;

use serde_json::json;
use tdc::eval::attempt::{self, AttemptError, Known, Record, Settings};
use tdc::eval::plot;
use tdc::eval::sheet::{self, Card};
use tdc::eval::summary::{Summary, summary};
use tdc::eval::tasks::files::Loaded;

use super::super::Outcome;
use super::super::failure::Failure;
use super::super::input::Language;
use super::super::output::{self, Out};
use super::super::shell::{self, Shell};
use super::many::{self, Work};
use super::{Args, Model, about, guide};

/// Most tasks on the page, those that were not solved first.
const CARDS: usize = 600;

pub fn run(
    shell: &Shell,
    args: &Args,
    language: &Language,
    folder: &Path,
    model: Option<&Model<'_>>,
) -> Outcome {
    let compiled = &language.compiled;
    let settings = args.settings(language, super::TASK_SECONDS);
    let Some(to) = &args.output else {
        return Err(Failure::usage("--tasks needs a folder for results: -o DIR"));
    };
    let set = Loaded::read(folder, compiled).map_err(|e| Failure::input(e.to_string()))?;
    let fingerprint = compiled.fingerprint();
    if set.index.language_fingerprint != fingerprint {
        shell.say("note: the grammar has changed since the set was made");
    }
    let mut run = json!({
        "format": 1,
        "set": set.index.name,
        "set_fingerprint": set.index.fingerprint,
        "language_fingerprint": fingerprint,
        "settings": settings,
        "jobs": args.jobs,
        "tdc": env!("CARGO_PKG_VERSION"),
    });
    if let Some(model) = model {
        run["model"] = model.about.clone();
    }
    let one = |at: usize| solve(language, &set, model, &settings, at);
    let work = Work {
        run: &run.as_object().cloned().unwrap_or_default(),
        names: set.lines.iter().map(|line| line.name.clone()).collect(),
        jobs: usize::from(args.jobs),
        stands: &|_, _| true,
        one: &one,
    };
    let mut records = many::records(shell, to, &work)?;
    // A search that ctrl-C cut short says nothing about its task.
    records.retain(|record| !record.is_unfinished());
    let mut summary = summary(&records, settings.time);
    if model.is_some() || settings.expansions.is_some() {
        summary = summary.with_expansions(&records, settings.expansions);
    }
    let curve = plot::solved_over_time(&set.index.name, &records, settings.time);
    output::write_file(&to.join("curve.svg"), curve.as_bytes())?;
    let about = about(&settings, args.has_model(), args.jobs, "task");
    let page = page(language, &set, &records, &summary, &curve, &about)?;
    output::write_file(&to.join("index.html"), page.as_bytes())?;
    let text = serde_json::to_string_pretty(&summary).unwrap_or_default();
    output::write_file(&to.join("summary.json"), format!("{text}\n").as_bytes())?;
    let mut out = Out::open(None)?;
    if shell.json() {
        out.json(&summary)?;
    } else {
        out.text(&summary.table())?;
        shell.say(&format!("see {}", to.join("index.html").display()));
    }
    out.finish()?;
    match records.len() == set.lines.len() {
        true => Ok(()),
        false => Err(Failure::Stopped),
    }
}

fn solve(
    language: &Language,
    set: &Loaded,
    model: Option<&Model<'_>>,
    settings: &Settings,
    at: usize,
) -> Result<Record, String> {
    let compiled = &language.compiled;
    let task = set
        .task(compiled, &set.lines[at])
        .map_err(|e| e.to_string())?;
    let known = Known {
        name: &task.line.name,
        truth: Some(&task.truth),
        program: task.program.as_ref(),
        fingerprint: None,
    };
    let stop = shell::stop_flag();
    match attempt::attempt(
        compiled,
        &task.target,
        settings,
        guide(model),
        stop,
        &|_| {},
    ) {
        Ok(found) => Ok(Record::new(compiled, &task.target, &known, &found)),
        // Other tasks would fare no better.
        Err(error @ (AttemptError::Size(_) | AttemptError::Model(_))) => Err(error.to_string()),
        Err(error) => Ok(Record::failed(&known, &error.to_string())),
    }
}

/// The contact sheet.
fn page(
    language: &Language,
    set: &Loaded,
    records: &[Record],
    summary: &Summary,
    curve: &str,
    about: &str,
) -> Result<String, Failure> {
    let compiled = &language.compiled;
    let mut order: Vec<&Record> = records.iter().collect();
    order.sort_by_key(|record| record.solved);
    let mut cards = Vec::new();
    for record in order.into_iter().take(CARDS) {
        let Some(line) = set.lines.iter().find(|line| line.name == record.target) else {
            continue;
        };
        let task = set
            .task(compiled, line)
            .map_err(|e| Failure::input(e.to_string()))?;
        let program = record.program.as_ref();
        let program = program.and_then(|text| compiled.parse(text).ok());
        let result = program.and_then(|program| attempt::draw(compiled, &program).ok());
        let mut pictures = sheet::pictures(&task.truth, result.as_ref());
        if task.line.truth.is_some() {
            pictures.insert(0, ("seen", sheet::inside(&task.target)));
        }
        cards.push(Card {
            record: record.clone(),
            pictures,
            links: Vec::new(),
        });
    }
    Ok(sheet::sheet(&set.index.name, about, curve, summary, &cards))
}
