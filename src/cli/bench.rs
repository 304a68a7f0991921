//! `tdc bench`: how fast a language's operators are on this machine.

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

JSON, one object: language, one_core and all_cores (operations a second: sample_per_s, ...),
threads, mean_size, mean_nodes, peak_memory (bytes).")]
pub struct Args {
    /// The grammar file
    grammar: PathBuf,

    /// Seconds for each operator
    #[arg(long, default_value_t = 0.5, value_name = "SECONDS", value_parser = seconds)]
    time: f64,

    /// Threads of the second column; 1 leaves it out
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    threads: Option<u16>,

    /// Seed of the programs
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,
}

fn seconds(text: &str) -> Result<f64, String> {
    let given: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    match given {
        0.01..=3600.0 => Ok(given),
        _ => Err("0.01 to 3600 seconds are possible".to_owned()),
    }
}

pub fn run(shell: &Shell, args: &Args) -> Outcome {
    let language = input::language(shell, &args.grammar)?;
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

fn text(shell: &Shell, report: &Report) -> String {
    let mut lines = format!(
        "{}  programs of mean size {:.1}, {:.1} nodes\n\n",
        shell.bold(&report.language),
        report.mean_size,
        report.mean_nodes
    );
    let threads = format!("{} threads", report.threads);
    let all = report.all_cores.is_some();
    let head = format!("  {:8} {:>12}", "a second", "one core");
    lines.push_str(&shell.dim(&head));
    if all {
        lines.push_str(&shell.dim(&format!(" {threads:>12}  gain")));
    }
    lines.push('\n');
    let (one, many) = (rows(&report.one_core), report.all_cores.as_ref().map(rows));
    for (at, (name, rate)) in one.iter().enumerate() {
        lines.push_str(&format!("  {name:8} {:>12}", grouped(*rate)));
        if let Some((_, together)) = many.as_ref().and_then(|many| many.get(at)) {
            let gain = together / rate.max(f64::MIN_POSITIVE);
            lines.push_str(&format!(" {:>12}  {gain:.1}x", grouped(*together)));
        }
        lines.push('\n');
    }
    if let Some(bytes) = report.peak_memory {
        let mib = bytes as f64 / f64::from(1 << 20);
        lines.push_str(&format!("\n  peak memory {mib:.0} MiB\n"));
    }
    lines
}

fn rows(figures: &Figures) -> Vec<(&'static str, f64)> {
    let always = [
        ("sample", Some(figures.sample_per_s)),
        ("mutate", Some(figures.mutate_per_s)),
        ("path", Some(figures.path_per_s)),
        ("parse", Some(figures.parse_per_s)),
        ("print", Some(figures.print_per_s)),
        ("scene", figures.scene_per_s),
        ("render", figures.render_per_s),
        ("resvg", figures.resvg_per_s),
    ];
    let there = always
        .into_iter()
        .filter_map(|(name, rate)| Some((name, rate?)));
    there.collect()
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
