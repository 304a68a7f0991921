//! `tdc solve --target FOLDER`: every picture of a folder, and a contact sheet.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::json;
use tdc::compiled::fingerprint::Fingerprint;
use tdc::eval::attempt::{self, AttemptError, Known, Record, Settings};
use tdc::eval::sheet::{self, Card};
use tdc::eval::summary::{Summary, summary};

use super::super::Outcome;
use super::super::failure::Failure;
use super::super::input::Language;
use super::super::output::{self, Folder, Out};
use super::super::shell::{self, Shell};
use super::many::{self, Work};
use super::{Args, Model, about, guide, one};

/// Endings of the files that are taken.
const ENDINGS: [&str; 4] = ["png", "jpg", "jpeg", "svg"];

/// A picture of the folder.
struct Item {
    path: PathBuf,
    /// What it is called: the file's name.
    name: String,
    /// The folder of its results.
    folder: String,
    fingerprint: String,
}

pub fn run(
    shell: &Shell,
    args: &Args,
    language: &Language,
    from: &Path,
    model: Option<&Model<'_>>,
) -> Outcome {
    let Some(to) = &args.output else {
        return Err(Failure::usage(
            "a folder of pictures needs one for results: -o DIR",
        ));
    };
    let items = items(shell, from)?;
    let settings = args.settings(language, super::TASK_SECONDS);
    let mut run = json!({
        "format": 1,
        "language_fingerprint": language.compiled.fingerprint(),
        "settings": settings,
        "intake": args.intake(),
        "outline": args.outline,
        "tdc": env!("CARGO_PKG_VERSION"),
    });
    if let Some(model) = model {
        run["model"] = model.about.clone();
    }
    let stands = |at: usize, record: &Record| {
        let item = &items[at];
        record.fingerprint.as_ref() == Some(&item.fingerprint)
            && (record.error.is_some() || to.join(&item.folder).join("program.txt").is_file())
    };
    let work = Work {
        run: &run.as_object().cloned().unwrap_or_default(),
        names: items.iter().map(|item| item.name.clone()).collect(),
        jobs: usize::from(args.jobs),
        stands: &stands,
        one: &|at| solve(args, language, model, &settings, to, &items[at]),
    };
    let records = many::records(shell, to, &work)?;
    let summary = summary(&records, settings.time);
    let page = page(args, from, &settings, &items, &records, &summary);
    output::write_file(&to.join("index.html"), page.as_bytes())?;
    let text = serde_json::to_string_pretty(&summary).unwrap_or_default();
    output::write_file(&to.join("summary.json"), format!("{text}\n").as_bytes())?;
    let mut out = Out::open(None)?;
    for record in &records {
        match shell.json() {
            true => out.json(record)?,
            false => out.line(&line(record))?,
        }
    }
    out.finish()?;
    shell.say(&format!(
        "{} of {} solved; see {}",
        summary.solved,
        summary.targets,
        to.join("index.html").display()
    ));
    match records.iter().filter(|r| !r.is_unfinished()).count() {
        n if n < items.len() => Err(Failure::Stopped),
        _ if summary.solved < items.len() => Err(Failure::Unsolved),
        _ => Ok(()),
    }
}

/// The pictures of a folder, by name.
fn items(shell: &Shell, from: &Path) -> Result<Vec<Item>, Failure> {
    let failed = |e: std::io::Error| Failure::file(from, "read", &e);
    let mut paths = Vec::new();
    let mut others = 0;
    for entry in std::fs::read_dir(from).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        let is_taken = ending.is_some_and(|e| ENDINGS.contains(&e.as_str()));
        match name {
            Some(name) if is_taken && !name.starts_with('.') && path.is_file() => {
                paths.push((name, path));
            }
            _ => others += 1,
        }
    }
    paths.sort();
    if paths.is_empty() {
        let none = "holds no .png, .jpg, .jpeg or .svg file";
        return Err(Failure::input(format!("{} {none}", from.display())));
    }
    if others > 0 {
        shell.say(&format!(
            "note: {others} other things in {} are left out",
            from.display()
        ));
    }
    // Results are in a folder called as the file without its ending, where that is no other's.
    let stem = |path: &Path| {
        path.file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
    };
    let mut stems: BTreeMap<Option<String>, usize> = BTreeMap::new();
    for (_, path) in &paths {
        *stems.entry(stem(path)).or_default() += 1;
    }
    let items = paths.into_iter().map(|(name, path)| {
        let stem = stem(&path);
        let alone = stems.get(&stem) == Some(&1);
        let mut fingerprint = Fingerprint::new();
        // A file that cannot be read is told about when its turn comes.
        fingerprint.add(&one::bytes(&path).unwrap_or_default());
        Item {
            folder: stem.filter(|_| alone).unwrap_or_else(|| name.clone()),
            fingerprint: fingerprint.finish(),
            name,
            path,
        }
    });
    Ok(items.collect())
}

/// Solves one picture and writes its folder.
fn solve(
    args: &Args,
    language: &Language,
    model: Option<&Model<'_>>,
    settings: &Settings,
    to: &Path,
    item: &Item,
) -> Result<Record, String> {
    let compiled = &language.compiled;
    let known = Known {
        name: &item.name,
        fingerprint: Some(&item.fingerprint),
        ..Known::default()
    };
    let target = match one::target(language, args, &item.path) {
        Ok(target) => target,
        Err(error) => {
            let message = error.message().unwrap_or_default();
            // The card and the line say which file it is.
            let path = format!("{}: ", item.path.display());
            let message = message.strip_prefix(&path).unwrap_or(&message);
            return Ok(Record::failed(&known, message));
        }
    };
    let stop = shell::stop_flag();
    let found = match attempt::attempt(
        compiled,
        &target.picture,
        settings,
        guide(model),
        stop,
        &|_| {},
    ) {
        Ok(found) => found,
        // Other pictures would fare no better.
        Err(error @ (AttemptError::Size(_) | AttemptError::Model(_))) => {
            return Err(error.to_string());
        }
        Err(error) => return Ok(Record::failed(&known, &error.to_string())),
    };
    let mut record = Record::new(compiled, &target.picture, &known, &found);
    record.notes.clone_from(&target.notes);
    let json = one::report(language, args, model, settings, &record, &found, &target);
    let write = || -> Result<(), Failure> {
        let folder = Folder::create(&to.join(&item.folder))?;
        one::write(language, args, &target, &item.name, &found, &json, &folder)?;
        folder.finish()
    };
    write().map_err(|error| error.message().unwrap_or_default())?;
    Ok(record)
}

/// A record for people.
fn line(record: &Record) -> String {
    let state = match (&record.error, record.solved) {
        (Some(error), _) => return format!("{}: {error}", record.target),
        (None, true) => "solved",
        (None, false) => "not solved",
    };
    let iou = record.iou.map(|iou| format!(", IoU {iou:.4}"));
    let primitives = record.primitives.unwrap_or(0);
    format!(
        "{}: {state}{}, {primitives} primitives, {:.2} s",
        record.target,
        iou.unwrap_or_default(),
        record.seconds
    )
}

/// The contact sheet.
fn page(
    args: &Args,
    from: &Path,
    settings: &Settings,
    items: &[Item],
    records: &[Record],
    summary: &Summary,
) -> String {
    let of = |record: &&Record| items.iter().find(|item| item.name == record.target);
    let cards = records.iter().filter_map(|record| {
        let item = of(&record)?;
        let file = |name: &'static str| sheet::beside(&[&item.folder, name]);
        let (mut pictures, mut links) = (Vec::new(), Vec::new());
        if record.program.is_some() {
            pictures = ["target", "difference", "result"]
                .into_iter()
                .zip(["target.png", "difference.png", "result.png"].map(file))
                .collect();
            links = vec![("SVG", file("result.svg"))];
            if args.outline {
                links.push(("outline", file("outline.svg")));
            }
            links.push(("program", file("program.txt")));
            if settings.pareto {
                links.push((
                    "front",
                    sheet::beside(&[&item.folder, "pareto", "front.svg"]),
                ));
            }
            links.push(("filmstrip", file("filmstrip.png")));
            links.push(("animation", file("search.png")));
            links.push(("report", file("report.json")));
        }
        Some(Card {
            record: record.clone(),
            pictures,
            links,
        })
    });
    let name = from.file_name().unwrap_or(from.as_os_str());
    sheet::sheet(
        &name.to_string_lossy(),
        &about(settings, args.has_model(), args.jobs, "picture"),
        "",
        summary,
        &cards.collect::<Vec<_>>(),
    )
}
