//! `tdc check`: what is wrong with a grammar, or what its language is.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde_json::json;
use tdc::codegen::count::count_text;
use tdc::codegen::summary::{Summary, summary};
use tdc::diag::Severity;
use tdc::pipeline;

use super::failure::Failure;
use super::input;
use super::output::Out;
use super::shell::Shell;

/// Say what is wrong with a grammar, or what its language is
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tdc check icons.tdg
  tdc check grammars/*.tdg          all of them; exit 1 when one is wrong
  tdc check icons.tdg --format json

JSON, one object a file: file, ok, errors, warnings, diagnostics (each as `tdc explain` numbers
them: code, severity, message, ...), language (null when there is an error: language, docs, start,
canvas, goal, sample, mutate, size, observe, sorts, tokens, programs, rewrites, examples).")]
pub struct Args {
    /// Grammar files
    #[arg(value_name = "GRAMMAR", required = true)]
    files: Vec<PathBuf>,

    /// Only diagnostics
    #[arg(short, long)]
    quiet: bool,
}

pub fn run(shell: &Shell, args: &Args) -> super::Outcome {
    let mut out = Out::open(None)?;
    let mut wrong = false;
    for (index, path) in args.files.iter().enumerate() {
        let outcome = pipeline::compile_path(path);
        let diagnostics = &outcome.diagnostics;
        wrong |= outcome.compiled.is_none();
        let table = outcome.compiled.as_ref().map(summary);
        if shell.json() {
            let list: Vec<_> = diagnostics
                .iter()
                .map(|d| tdc::diag::json::to_json(d, &outcome.sources))
                .collect();
            out.json(&json!({
                "file": path.display().to_string(),
                "ok": table.is_some(),
                "errors": input::count(diagnostics, Severity::Error),
                "warnings": input::count(diagnostics, Severity::Warning),
                "diagnostics": list,
                "language": table,
            }))?;
            continue;
        }
        input::show(shell, &outcome.sources, diagnostics);
        if let (Some(table), false) = (table, args.quiet) {
            if index > 0 {
                out.line("")?;
            }
            out.text(&text(shell, path, &table))?;
        }
    }
    out.finish()?;
    if wrong {
        Err(Failure::Diagnosed)
    } else {
        Ok(())
    }
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
            let mark = if production.primitive {
                " @primitive"
            } else {
                ""
            };
            rows.push([
                if index == 0 {
                    shell.bold(&sort.name)
                } else {
                    String::new()
                },
                format!("{}{}", production.name, shell.dim(mark)),
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
        if !names.is_empty() {
            put(format!("  {} {}", shell.dim(what), names.join(", ")));
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
