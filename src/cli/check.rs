//! `tdc check`: what is wrong with a grammar, or what its language is.

use std::fmt::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use serde_json::json;
use tdc::Compiled;
use tdc::codegen::count::count_text;
use tdc::codegen::summary::{Summary, summary};
use tdc::diag::Severity;
use tdc::pipeline;
use tdc::render::image::encode_png;
use tdc::soundness::{self, Report};
use tdc::tree::{Program, print};

use super::failure::Failure;
use super::input;
use super::output::{Folder, Out};
use super::progress::Progress;
use super::shell::{self, Shell};

/// Say what is wrong with a grammar, or what its language is
///
/// Rewrite rules are tested: both sides of random instances are drawn and compared.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tdc check icons.tdg
  tdc check icons.tdg --instances 10000 -o wrong/    test rules thoroughly, draw what they get wrong
  tdc check grammars/*.tdg          all of them; exit 1 when one is wrong
  tdc check icons.tdg --format json

JSON, one object a file: file, ok, errors, warnings, diagnostics (each as `tdc explain` numbers \
them: code, severity, message, ...), language (null when there is an error: language, docs, \
start, canvas, goal, sample, mutate, size, observe, sorts, tokens, programs, rewrites, \
examples), rules (null when there is an error before they are tested; each: name, instances, \
undrawn, differing, matched, edges, counterexample: null or bindings, left, right, programs, \
pixels).")]
pub struct Args {
    /// Grammar files
    #[arg(value_name = "GRAMMAR", required = true)]
    files: Vec<PathBuf>,

    /// Only diagnostics
    #[arg(short, long)]
    quiet: bool,

    /// Random instances of each rewrite rule that are drawn and compared; 0 for none. 100 unless
    /// said otherwise, fewer on a canvas of more than 512 x 512 pixels
    #[arg(long, value_name = "N")]
    instances: Option<u32>,

    /// Seed of the random instances
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,

    /// Write a picture for each rule that does not hold: both sides, and where they differ
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
}

pub fn run(shell: &Shell, args: &Args) -> super::Outcome {
    let mut out = Out::open(None)?;
    let folder = args.output.as_deref().map(Folder::create).transpose()?;
    let mut pictures = Vec::new();
    let mut wrong = false;
    for (index, path) in args.files.iter().enumerate() {
        let outcome = pipeline::compile_path(path);
        let mut diagnostics = outcome.diagnostics;
        let table = outcome.compiled.as_ref().map(summary);
        let report = outcome.compiled.as_ref().map(|c| tested(shell, args, c));
        if let (Some(compiled), Some(report)) = (&outcome.compiled, &report) {
            diagnostics.extend(report.diagnostics(compiled));
            if let Some(folder) = &folder {
                pictures.extend(draw(folder, compiled, report)?);
            }
        }
        let holds = report.as_ref().is_some_and(Report::holds);
        wrong |= !holds;
        if shell.json() {
            let list: Vec<_> = diagnostics
                .iter()
                .map(|d| tdc::diag::json::to_json(d, &outcome.sources))
                .collect();
            let rules = report.as_ref().zip(outcome.compiled.as_ref());
            out.json(&json!({
                "file": path.display().to_string(),
                "ok": holds,
                "errors": input::count(&diagnostics, Severity::Error),
                "warnings": input::count(&diagnostics, Severity::Warning),
                "diagnostics": list,
                "language": table.filter(|_| holds),
                "rules": rules.map(|(report, compiled)| rules_json(report, compiled)),
            }))?;
        } else {
            input::show(shell, &outcome.sources, &diagnostics);
            if let (Some(table), Some(report), true, false) = (table, report, holds, args.quiet) {
                if index > 0 {
                    out.line("")?;
                }
                out.text(&text(shell, path, &table))?;
                if let Some(line) = said(&report) {
                    out.line(&format!("  {} {line}", shell.dim("tested  ")))?;
                }
            }
        }
        if shell::stopped() {
            break;
        }
    }
    if let Some(folder) = folder {
        folder.finish()?;
    }
    for name in pictures {
        let path = args.output.as_deref().map(|folder| folder.join(&name));
        shell.say(&format!("wrote {}", path.unwrap_or(name.into()).display()));
    }
    out.finish()?;
    if shell::stopped() {
        Err(Failure::Stopped)
    } else if wrong {
        Err(Failure::Diagnosed)
    } else {
        Ok(())
    }
}

/// Tests the rewrite rules.
fn tested(shell: &Shell, args: &Args, compiled: &Compiled) -> Report {
    let usual = soundness::Options::of(&compiled.grammar);
    let options = soundness::Options {
        instances: args.instances.unwrap_or(usual.instances),
        seed: args.seed,
    };
    let all = u64::from(options.instances).saturating_mul(compiled.rules.len() as u64);
    let mut progress = Progress::new(shell, "rules", all);
    soundness::test(compiled, options, |done, _| {
        progress.set(done, "");
        match shell::stopped() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    })
}

/// What was tested, in a line.
fn said(report: &Report) -> Option<String> {
    let instances: u64 = report.rules.iter().map(|r| u64::from(r.instances)).sum();
    match (report.rules.is_empty(), report.draws) {
        (true, _) => None,
        (false, false) => Some("no rule: programs draw nothing".to_string()),
        (false, true) if instances == 0 => None,
        (false, true) => Some(format!("both sides of {instances} instances draw the same")),
    }
}

fn rules_json(report: &Report, compiled: &Compiled) -> serde_json::Value {
    let text = |program: &Program| print(&compiled.grammar, &compiled.syntax, program);
    let rules = report.rules.iter().map(|rule| {
        let counterexample = rule.counterexample.as_ref().map(|found| {
            let (left, right) = found.programs();
            let bindings: serde_json::Map<String, serde_json::Value> = (found.bindings.iter())
                .map(|(name, value)| (name.clone(), value.clone().into()))
                .collect();
            json!({
                "bindings": bindings,
                "left": text(&found.left),
                "right": text(&found.right),
                "programs": [text(left), text(right)],
                "pixels": found.difference.pixels,
            })
        });
        json!({
            "name": rule.name,
            "instances": rule.instances,
            "undrawn": rule.undrawn,
            "differing": rule.differing,
            "matched": rule.matched,
            "edges": rule.edges,
            "counterexample": counterexample,
        })
    });
    rules.collect()
}

/// Writes a picture for each counterexample; their names.
fn draw(folder: &Folder, compiled: &Compiled, report: &Report) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for rule in &report.rules {
        if let Some(found) = &rule.counterexample {
            let panels = (found.panels(compiled))
                .map_err(|why| Failure::input(format!("no picture of `{}`: {why}", rule.name)))?;
            let name = format!("{}.{}.png", compiled.grammar.name, rule.name);
            folder.add(&name, &encode_png(&panels))?;
            names.push(name);
        }
    }
    Ok(names)
}

/// The table of a language, for people.
pub fn text(shell: &Shell, path: &Path, table: &Summary) -> String {
    let mut out = String::new();
    let mut put = |line: String| {
        let _ = writeln!(out, "{}", line.trim_end());
    };
    let first = table.docs.lines().next().unwrap_or("").trim();
    let prefix = format!("{}: ", table.language);
    let about = match strip_prefix_ignoring_case(first, &prefix) {
        "" => path.display().to_string(),
        about => about.to_owned(),
    };
    put(format!("{}  {about}", shell.bold(&table.language)));
    put(String::new());
    let mut fact = |name: &str, value: &str| {
        if !value.is_empty() {
            put(format!("  {:9}{value}", shell_pad(shell, name, 9)));
        }
    };
    fact("start", &table.start);
    fact(
        "canvas",
        table
            .canvas
            .as_deref()
            .unwrap_or("none: programs are text only"),
    );
    fact("goal", table.goal.as_deref().unwrap_or(""));
    fact("observe", table.observe.as_deref().unwrap_or(""));
    fact(
        "sample",
        &format!("{}, counted in {}", table.sample, table.size),
    );
    fact("mutate", &table.mutate);
    put(String::new());

    let mut rows = vec![["sort", "production", "weight", "syntax"].map(|h| shell.dim(h))];
    for sort in &table.sorts {
        for (index, production) in sort.productions.iter().enumerate() {
            let mut mark = String::new();
            if production.primitive {
                mark += " @primitive";
            }
            if let Some(cost) = production.cost {
                mark += &format!(" @cost({cost})");
            }
            rows.push([
                if index == 0 {
                    shell.bold(&sort.name)
                } else {
                    String::new()
                },
                format!("{}{}", production.name, shell.dim(&mark)),
                production.weight.to_string(),
                production.syntax.clone(),
            ]);
        }
    }
    columns(&rows).into_iter().for_each(&mut put);
    put(String::new());

    if !table.tokens.is_empty() {
        let mut rows = vec![["token", "values", "which", "moves"].map(|h| shell.dim(h))];
        for token in &table.tokens {
            rows.push([
                shell.bold(&token.name),
                token.values.map_or("text".into(), |n| n.to_string()),
                clipped(&token.domain, 56),
                token.kernel.clone(),
            ]);
        }
        columns(&rows).into_iter().for_each(&mut put);
        put(String::new());
    }
    if !table.programs.is_empty() {
        // A long window is shown by its ends.
        let all = &table.programs;
        let shown: Vec<_> = if all.len() > 9 {
            all[..6].iter().chain(&all[all.len() - 2..]).collect()
        } else {
            all.iter().collect()
        };
        let mut rows = vec![["size", "programs"].map(|h| shell.dim(h))];
        for (index, row) in shown.iter().enumerate() {
            if index == 6 && all.len() > 9 {
                rows.push(["...".into(), String::new()]);
            }
            let count = row.programs.map_or("no end".into(), count_text);
            rows.push([row.size.to_string(), count]);
        }
        columns(&rows).into_iter().for_each(&mut put);
        put(String::new());
    }
    let mut names = |what: &str, names: Vec<&str>| {
        for (index, line) in wrapped(&names, WIDTH).into_iter().enumerate() {
            match index {
                0 => put(format!("  {} {line}", shell.dim(what))),
                _ => put(format!("  {:width$} {line}", "", width = what.len())),
            }
        }
    };
    names(
        "examples",
        table.examples.iter().map(|e| e.name.as_str()).collect(),
    );
    names(
        "rewrites",
        table.rewrites.iter().map(String::as_str).collect(),
    );
    out
}

/// Characters of a line of names.
const WIDTH: usize = 80;

/// Names with commas between them, in lines of about `width` characters.
fn wrapped(names: &[&str], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let comma = if index + 1 < names.len() { "," } else { "" };
        match lines.last_mut() {
            Some(line) if line.len() + name.len() < width => {
                let _ = write!(line, " {name}{comma}");
            }
            _ => lines.push(format!("{name}{comma}")),
        }
    }
    lines
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> &'a str {
    match text.get(..prefix.len()) {
        Some(start) if start.eq_ignore_ascii_case(prefix) => &text[prefix.len()..],
        _ => text,
    }
}

/// Rows as lines, each column as wide as its widest cell; the first cells are indented by two.
fn columns<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(visible(cell));
        }
    }
    let line = |row: &[String; N]| {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(row) {
            let pad = width.saturating_sub(visible(cell));
            let _ = write!(line, "  {cell}{}", " ".repeat(pad));
        }
        line
    };
    rows.iter().map(line).collect()
}

/// Characters a terminal shows: escape sequences take no room.
fn visible(text: &str) -> usize {
    let mut count = 0;
    let mut escape = false;
    for c in text.chars() {
        match c {
            '\x1b' => escape = true,
            'm' if escape => escape = false,
            _ if escape => {}
            _ => count += 1,
        }
    }
    count
}

fn shell_pad(shell: &Shell, name: &str, width: usize) -> String {
    let pad = width.saturating_sub(name.len());
    format!("{}{}", shell.dim(name), " ".repeat(pad))
}

/// A text in at most `width` characters.
fn clipped(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let start: String = text.chars().take(width.saturating_sub(4)).collect();
    format!("{start} ...")
}
