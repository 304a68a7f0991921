//! `tdc bench --grow`: how cost grows, as Markdown tables.

use std::time::Duration;

use tdc::Compiled;
use tdc::bench::{self, Growth, GrowthOptions, SizeRow};

use super::Args;
use crate::cli::Outcome;
use crate::cli::failure::Failure;
use crate::cli::output::Out;
use crate::cli::progress::Progress;
use crate::cli::shell::{self, Shell};

pub(super) fn run(shell: &Shell, args: &Args, compiled: &Compiled) -> Outcome {
    let mut options = GrowthOptions {
        time: Duration::from_secs_f64(args.time),
        seed: args.seed,
        ..GrowthOptions::default()
    };
    if let Some(most) = args.threads {
        options.threads.retain(|n| *n < usize::from(most));
        options.threads.push(usize::from(most));
    }
    let mut progress = Progress::new(shell, "measuring", bench::rows(&options));
    let mut done = 0;
    let growth = bench::grow(compiled, &options, |row| {
        progress.set(done, row);
        done += 1;
        !shell::stopped()
    });
    let growth = growth.map_err(|error| Failure::input(error.to_string()))?;
    drop(progress);
    let Some(growth) = growth else {
        return Err(Failure::Stopped);
    };
    let mut out = Out::open(None)?;
    if shell.json() {
        out.json(&growth)?;
    } else {
        out.text(&text(&growth))?;
    }
    out.finish()
}

fn text(growth: &Growth) -> String {
    let mut out = String::new();
    if let Some(first) = growth.sizes.first() {
        let names: Vec<&str> = first.times.iter().map(|time| time.0).collect();
        let head = ["size", "nodes", "depth"].into_iter().chain(names);
        let head: Vec<String> = head.map(str::to_owned).collect();
        out.push_str(&format!(
            "{}: microseconds of one operation, by size of program\n\n",
            growth.language
        ));
        let row = |row: &SizeRow| {
            let times = row.times.iter().map(|time| digits(time.1)).collect();
            cells(row, times)
        };
        out.push_str(&table(&head, growth.sizes.iter().map(row)));
        out.push_str("\nThe same in nanoseconds for each node of the program\n\n");
        let row = |row: &SizeRow| {
            let each = row.times.iter().map(|time| time.1 * 1e3 / row.nodes);
            cells(row, each.map(digits).collect())
        };
        out.push_str(&table(&head, growth.sizes.iter().map(row)));
    }
    if !growth.canvases.is_empty() {
        out.push_str("\nMicroseconds of one picture, by canvas, from a scene that is there\n\n");
        let head = ["canvas", "render", "edit_render", "resvg"].map(str::to_owned);
        let row = |row: &bench::CanvasRow| {
            let mut cells = vec![format!("{} x {}", row.width, row.height)];
            cells.extend([row.render, row.edit_render, row.resvg].map(digits));
            cells
        };
        out.push_str(&table(&head, growth.canvases.iter().map(row)));
    }
    if let Some(first) = growth.threads.first() {
        out.push_str("\nTraining examples a second, by threads\n\n");
        let head = ["threads", "examples", "gain"].map(str::to_owned);
        let row = |row: &bench::ThreadRow| {
            let gain = row.example_per_s / first.example_per_s.max(f64::MIN_POSITIVE);
            vec![
                row.threads.to_string(),
                super::grouped(row.example_per_s),
                format!("{gain:.2}x"),
            ]
        };
        out.push_str(&table(&head, growth.threads.iter().map(row)));
    }
    out
}

fn cells(row: &SizeRow, times: Vec<String>) -> Vec<String> {
    let mut cells = vec![
        row.size.to_string(),
        format!("{:.0}", row.nodes),
        format!("{:.0}", row.depth),
    ];
    cells.extend(times);
    cells
}

/// Three digits at least, no more decimals than they need.
fn digits(number: f64) -> String {
    match number {
        0.0..10.0 => format!("{number:.2}"),
        10.0..100.0 => format!("{number:.1}"),
        _ => format!("{number:.0}"),
    }
}

/// A Markdown table of numbers, columns in line.
fn table(head: &[String], rows: impl Iterator<Item = Vec<String>>) -> String {
    let rows: Vec<Vec<String>> = rows.collect();
    let all = || std::iter::once(head).chain(rows.iter().map(Vec::as_slice));
    let width = |column: usize| {
        let cells = all().filter_map(|row| row.get(column));
        cells.map(String::len).max().unwrap_or(0).max(3)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |row: &[String]| {
        let cells = row.iter().zip(&widths);
        let cells: Vec<String> = cells.map(|(cell, w)| format!("{cell:>w$}")).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let rules: Vec<String> = widths
        .iter()
        .map(|w| format!("{}:", "-".repeat(w - 1)))
        .collect();
    let mut out = line(head);
    out.push_str(&line(&rules));
    out.extend(rows.iter().map(|row| line(row)));
    out
}
