//! `tdc bench`: how fast a language's operators are on this machine.

mod growth;

use std::path::PathBuf;
use std::time::Duration;

use tdc::bench::{self, Figures, Options, Report};

use super::Outcome;
use super::failure::Failure;
use super::input;
use super::output::Out;
use super::progress::Progress;
use super::shell::{self, Shell};

/// Measure how fast a language's operators are
///
/// Every operator runs on random programs of the language's own window, first on one core, then
/// on all. Close what else uses the machine: nothing here can tell it apart.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tdc bench grammars/csg2d.tdg
  tdc bench grammars/json.tdg --threads 1 --time 2 --format json
  tdc bench grammars/csg2d.tdg --grow

JSON, one object: language, one_core and all_cores (operations a second: sample_per_s, ...), \
threads, edit_redraw_us (p50, p99), mean_size, mean_nodes, peak_memory (bytes). With --grow: \
language, sizes, canvases, threads (a row each, times in microseconds).")]
pub struct Args {
    /// The grammar file
    grammar: PathBuf,

    /// Measure how cost grows with programs, canvases and threads, as Markdown tables
    #[arg(long)]
    grow: bool,

    /// Seconds for each figure
    #[arg(long, default_value_t = 0.5, value_name = "SECONDS", value_parser = input::seconds)]
    time: f64,

    /// Threads of the second column; 1 leaves it out
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    threads: Option<u16>,

    /// Seed of the programs
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,
}

pub fn run(shell: &Shell, args: &Args) -> Outcome {
    let language = input::language(shell, &args.grammar)?;
    if args.grow {
        return growth::run(shell, args, &language.compiled);
    }
    let mut options = Options {
        time: Duration::from_secs_f64(args.time),
        seed: args.seed,
        ..Options::default()
    };
    if let Some(threads) = args.threads {
        options.threads = usize::from(threads);
    }
    let mut progress = Progress::new(
        shell,
        "measuring",
        bench::operators(&language.compiled, &options),
    );
    let mut done = 0;
    let report = bench::bench(&language.compiled, &options, |operator| {
        progress.set(done, operator);
        done += 1;
        !shell::stopped()
    });
    let report = report.map_err(|error| Failure::input(error.to_string()))?;
    drop(progress);
    let Some(report) = report else {
        return Err(Failure::Stopped);
    };
    let mut out = Out::open(None)?;
    if shell.json() {
        out.json(&report)?;
    } else {
        out.text(&text(shell, &report))?;
    }
    out.finish()
}

/// An operator: its name, and what it does.
type Row = (&'static str, &'static str, fn(&Figures) -> Option<f64>);

/// The operators of the table, in two parts.
const PROGRAMS: &[Row] = &[
    ("sample", "random programs", |f| Some(f.sample_per_s)),
    ("mutate", "mutations, applied", |f| Some(f.mutate_per_s)),
    ("path", "whole edit paths", |f| Some(f.path_per_s)),
    ("parse", "texts read", |f| Some(f.parse_per_s)),
    ("print", "texts written", |f| Some(f.print_per_s)),
    ("simplify", "canonical forms", |f| f.simplify_per_s),
];
const PICTURES: &[Row] = &[
    ("scene", "programs to shapes and paint", |f| f.scene_per_s),
    ("render", "pictures from scratch", |f| f.render_per_s),
    ("edit_render", "pictures after one edit", |f| {
        f.edit_render_per_s
    }),
    ("bits_render", "bit planes from scratch, compared", |f| {
        f.bits_render_per_s
    }),
    ("bits_edit", "bit planes after one edit, compared", |f| {
        f.bits_edit_per_s
    }),
    ("resvg", "pictures by way of SVG", |f| f.resvg_per_s),
];
const TRAINING: &[Row] = &[("example", "training examples", |f| Some(f.example_per_s))];

fn text(shell: &Shell, report: &Report) -> String {
    let mut lines = format!(
        "{}  programs of mean size {:.1}, {:.1} nodes\n\n",
        shell.bold(&report.language),
        report.mean_size,
        report.mean_nodes
    );
    let mut head = format!("  {:12} {:>12}", "a second", "one core");
    if report.all_cores.is_some() {
        let threads = format!("{} threads", report.threads);
        head.push_str(&format!(" {threads:>12}  gain"));
    }
    lines.push_str(&shell.dim(&head));
    lines.push('\n');
    for part in [PROGRAMS, PICTURES, TRAINING] {
        let mut any = false;
        for (name, what, rate) in part {
            let Some(one) = rate(&report.one_core) else {
                continue;
            };
            any = true;
            lines.push_str(&format!("  {name:12} {:>12}", grouped(one)));
            if let Some(many) = report.all_cores.as_ref().and_then(rate) {
                let gain = many / one.max(f64::MIN_POSITIVE);
                lines.push_str(&format!(" {:>12}  {gain:3.1}x", grouped(many)));
            }
            lines.push_str(&format!("  {}\n", shell.dim(what)));
        }
        if any {
            lines.push('\n');
        }
    }
    if let Some(time) = report.edit_redraw_us {
        lines.push_str(&format!(
            "  an edit redrawn: {:.1} us in the middle, {:.1} us for 99 of 100\n",
            time.p50, time.p99
        ));
    }
    if let Some(bytes) = report.peak_memory {
        let mib = bytes as f64 / f64::from(1 << 20);
        lines.push_str(&format!("  peak memory {mib:.0} MiB\n"));
    }
    lines
}

/// `1234567` as `1,234,567`.
fn grouped(rate: f64) -> String {
    let digits = format!("{rate:.0}");
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
