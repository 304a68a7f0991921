//! `tdc solve --tasks`: a whole test set, and the share solved over time.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::Ordering;

use serde_json::{Map, Value, json};
use tdc::eval::attempt::{self, AttemptError, Known, Record, Settings};
use tdc::eval::sheet::{self, Card};
use tdc::eval::store::Store;
use tdc::eval::summary::{Summary, summary};
use tdc::eval::tasks::files::{Line, Loaded};
use tdc::eval::{parallel, plot};

use super::super::Outcome;
use super::super::failure::Failure;
use super::super::input::Language;
use super::super::output::{self, Out};
use super::super::progress::Progress;
use super::super::shell::{self, Shell};
use super::Args;

/// Most tasks on the page, those that were not solved first.
const CARDS: usize = 600;

pub fn run(shell: &Shell, args: &Args, language: &Language, folder: &Path) -> Outcome {
    let compiled = &language.compiled;
    let settings = args.settings(language, super::TASK_SECONDS);
    let Some(to) = &args.output else {
        return Err(Failure::usage("--tasks needs a folder for results: -o DIR"));
    };
    let set = Loaded::read(folder, compiled).map_err(|e| Failure::input(e.to_string()))?;
    if set.index.language_fingerprint != compiled.fingerprint() {
        shell.say("note: the grammar has changed since the set was made");
    }
    let run = json!({
        "format": 1,
        "set": set.index.name,
        "set_fingerprint": set.index.fingerprint,
        "language_fingerprint": compiled.fingerprint(),
        "settings": settings,
        "jobs": args.jobs,
        "tdc": env!("CARGO_PKG_VERSION"),
    });
    let run = run.as_object().cloned().unwrap_or_default();
    let records = solve(shell, args, language, &set, &settings, to, &run)?;
    let summary = summary(&records, settings.time);
    let title = &set.index.name;
    let curve = plot::solved_over_time(title, &records, settings.time);
    output::write_file(&to.join("curve.svg"), curve.as_bytes())?;
    let page = page(
        language,
        &set,
        &records,
        &summary,
        &curve,
        &about(args, &settings),
    )?;
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

/// Solves the tasks that have no result yet; the records of all that have one, in order.
fn solve(
    shell: &Shell,
    args: &Args,
    language: &Language,
    set: &Loaded,
    settings: &Settings,
    to: &Path,
    run: &Map<String, Value>,
) -> Result<Vec<Record>, Failure> {
    let compiled = &language.compiled;
    let failed = |error: tdc::eval::store::StoreError| Failure::input(error.to_string());
    let store = Store::open(to, run).map_err(failed)?;
    let is_done = |line: &&Line| {
        let mut records = store.records().iter();
        records.any(|record| record.target == line.name && !record.is_unfinished())
    };
    let (done, todo): (Vec<&Line>, Vec<&Line>) = set.lines.iter().partition(is_done);
    if !done.is_empty() {
        shell.say(&format!(
            "{} of {} were there already",
            done.len(),
            set.lines.len()
        ));
    }
    let stop = shell::stop_flag();
    let work = |at: usize| -> Result<Record, String> {
        let task = set.task(compiled, todo[at]).map_err(|e| e.to_string())?;
        let known = Known {
            name: &task.line.name,
            truth: Some(&task.truth),
            program: task.program.as_ref(),
            fingerprint: None,
        };
        match attempt::attempt(compiled, &task.target, settings, stop, &|_| {}) {
            Ok(found) => Ok(Record::new(compiled, &task.target, &known, &found)),
            Err(AttemptError::Size(error)) => Err(error.to_string()),
            Err(error) => Ok(Record::failed(&known, &error.to_string())),
        }
    };
    let mut progress = Progress::new(shell, "solving", set.lines.len() as u64);
    let mut solved = store.records().iter().filter(|r| r.solved).count();
    let store = Mutex::new(store);
    let mut count = done.len() as u64;
    let mut trouble = None;
    parallel::each(
        todo.len(),
        usize::from(args.jobs),
        stop,
        &work,
        &mut |_, result| {
            let added = result.map_err(Failure::input).and_then(|record| {
                // A search that ctrl-C cut short says nothing about its task.
                if record.is_unfinished() || (record.error.is_some() && stop.load(Ordering::SeqCst))
                {
                    return Ok(());
                }
                solved += usize::from(record.solved);
                count += 1;
                progress.set(count, &format!("{solved} of {count} solved"));
                let mut store = store.lock().map_err(|_| Failure::Stopped)?;
                store.add(record).map_err(failed)
            });
            match added {
                Ok(()) => true,
                Err(error) => {
                    trouble = Some(error);
                    false
                }
            }
        },
    );
    if let Some(trouble) = trouble {
        return Err(trouble);
    }
    let store = store.into_inner().map_err(|_| Failure::Stopped)?;
    let names = set.lines.iter().map(|line| line.name.as_str());
    store.finish(names).map_err(failed)
}

/// How it was solved, in a sentence.
fn about(args: &Args, settings: &Settings) -> String {
    let limit = |what: Option<String>| what.unwrap_or_default();
    let time = limit(settings.time.map(|s| format!(", at most {s} s each")));
    let tries = limit(
        settings
            .evaluations
            .map(|n| format!(", at most {n} programs each")),
    );
    let threads = match settings.threads {
        1 => "one thread".to_owned(),
        n => format!("{n} threads"),
    };
    let jobs = match args.jobs {
        1 => String::new(),
        n => format!(", {n} tasks at the same time"),
    };
    format!(
        "Solved without a trained model by {threads} a task{jobs}{time}{tries}; seed {}, wall-clock time.",
        settings.seed
    )
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
        let program = record
            .program
            .as_ref()
            .and_then(|text| compiled.parse(text).ok());
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
