//! `tdc minimise`: the smallest program for which a command still succeeds.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tdc::minimise::{Cost, Limits, MinimiseError, Minimised, Minimiser, Options, Status, Stop};
use tdc::tree::Program;

use super::Outcome;
use super::command::{Answer, Asked};
use super::failure::Failure;
use super::input::{self, Language, OutputArg};
use super::output::Out;
use super::progress::Progress;
use super::shell::{self, Shell};

/// Make a program small while a command still succeeds
///
/// For bug reports and tests: the command fails a tool, greps for a message, or looks at a picture, and
/// what is left of the program is what it takes. Parts are replaced by their own parts or by the
/// smallest of their sort, lists lose items, numbers move towards 0, and the grammar's rewrite
/// rules and small mutations have their turn. Every program that the command sees is valid.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The command is run by the shell (sh -c). It gets the program on standard input; {} stands for a \
file that holds it, and so does $TDC_PROGRAM. Exit code 0 means: still as wanted. Put ! in front \
to turn it round.

Examples:
  tdc minimise grammars/json.tdg crash.json --whole --check '! my-parser < {}'
  tdc minimise grammars/imp.tdg slow.imp --check 'my-compiler {} 2>&1 | grep -q \"internal error\"'
  tdc minimise grammars/csg2d.tdg big.txt --check 'grep -q Circle' --threads 4 --time 60

The result is the same for every number of threads, as long as neither --time nor ctrl-C ends \
it. The exit code is 0 also when a limit ended it: what is written always passes the check.

JSON, one object: program, size, nodes, length (bytes), before (size, nodes, length), checks, \
timeouts, seconds, stop (minimal: nothing smaller passes; checks, time, interrupted).")]
pub struct Args {
    /// The grammar file
    grammar: PathBuf,

    /// The program: text, a file, or -
    #[arg(value_name = "PROGRAM", allow_hyphen_values = true)]
    program: String,

    /// Take the whole file or standard input as the program, line ends included
    #[arg(long)]
    whole: bool,

    /// The command that must succeed
    #[arg(long, value_name = "COMMAND")]
    check: String,

    /// A check that takes longer than this has failed
    #[arg(long, default_value_t = 10.0, value_name = "SECONDS", value_parser = input::seconds)]
    timeout: f64,

    /// Checks at the same time
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: u16,

    /// Stop after so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = input::seconds)]
    time: Option<f64>,

    /// Stop after so many checks
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    checks: Option<u64>,

    /// Seed of the random parts that are tried
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,

    #[command(flatten)]
    output: OutputArg,
}

pub fn run(shell: &Shell, args: &Args) -> Outcome {
    let mut language = input::language(shell, &args.grammar)?;
    let sources = input::read_sources(&args.program, args.whole)?;
    let [source] = &sources[..] else {
        return Err(Failure::input(format!(
            "{} holds {} programs; --whole takes all of it as one",
            args.program,
            sources.len()
        )));
    };
    let program = language.parse(shell, source)?;
    // A file that cannot be written is told before the work begins.
    let mut out = Out::open(args.output.output.as_deref())?;
    let began = Instant::now();
    let timeouts = AtomicU64::new(0);
    let found = minimise(shell, &language, &program, args, &timeouts)?;
    let timeouts = timeouts.into_inner();
    let text = language.text(&found.program);
    if shell.json() {
        let of =
            |cost: &Cost| json!({ "size": cost.size, "nodes": cost.nodes, "length": cost.length });
        out.json(&json!({
            "program": text,
            "size": found.after.size,
            "nodes": found.after.nodes,
            "length": found.after.length,
            "before": of(&found.before),
            "checks": found.checks,
            "timeouts": timeouts,
            "seconds": began.elapsed().as_secs_f64(),
            "stop": found.stop,
        }))?;
    } else {
        out.line(&text)?;
        shell.say(&remark(&found, timeouts));
    }
    out.finish()?;
    match found.stop {
        Stop::Interrupted => Err(Failure::Stopped),
        _ => Ok(()),
    }
}

fn minimise(
    shell: &Shell,
    language: &Language,
    program: &Program,
    args: &Args,
    timeouts: &AtomicU64,
) -> Result<Minimised, Failure> {
    let minimiser =
        Minimiser::new(&language.compiled).map_err(|error| Failure::input(error.to_string()))?;
    let asked = Asked::new(&args.check, Duration::from_secs_f64(args.timeout));
    let stop = shell::stop_flag();
    // Why the check fails is only worth telling when the program itself fails it.
    let first = Mutex::new(None);
    let check = |_: &Program, text: &str| match asked.ask(text, stop) {
        Ok(Answer::Yes) => Ok(true),
        Ok(answer) => {
            if matches!(answer, Answer::Ended) && !stop.load(Ordering::Relaxed) {
                timeouts.fetch_add(1, Ordering::Relaxed);
            }
            if let Ok(mut first) = first.lock() {
                first.get_or_insert(answer);
            }
            Ok(false)
        }
        Err(error) => Err(Failure::input(format!("the check cannot be run: {error}"))),
    };
    let before = program.len();
    let mut progress = Progress::new(shell, "minimising", before as u64);
    let mut watch = |status: Status| {
        let gone = before.saturating_sub(status.cost.nodes);
        let left = format!(
            "{} of {before} nodes left, {} checks",
            status.cost.nodes, status.checks
        );
        progress.set(gone as u64, &left);
    };
    let options = Options {
        limits: Limits {
            checks: args.checks,
            time: args.time.map(Duration::from_secs_f64),
        },
        threads: usize::from(args.threads),
        seed: args.seed,
        stop,
    };
    let found = minimiser.minimise(program, &options, &check, &mut watch);
    found.map_err(|error| match error {
        MinimiseError::Check(failure) => failure,
        MinimiseError::Fails if shell::stopped() => Failure::Stopped,
        MinimiseError::Fails => Failure::input(why(args, first.into_inner().ok().flatten())),
    })
}

/// Why the program fails the check as it is.
fn why(args: &Args, answer: Option<Answer>) -> String {
    let how = match &answer {
        Some(Answer::No(status, _)) => match status.code() {
            Some(127) => "there is no such command (exit code 127)".to_owned(),
            Some(126) => "it cannot be run (exit code 126)".to_owned(),
            Some(code) => format!("it ended with exit code {code}"),
            None => format!("it was ended ({status})"),
        },
        _ => format!("it took longer than {} seconds (--timeout)", args.timeout),
    };
    let mut text = format!(
        "the check fails on the program as it is, so there is nothing to keep: {how}\n  command: {}",
        args.check
    );
    if let Some(Answer::No(_, written)) = &answer {
        for line in written.lines() {
            text.push_str(&format!("\n  | {line}"));
        }
    }
    text
}

fn remark(found: &Minimised, timeouts: u64) -> String {
    let end = match found.stop {
        Stop::Minimal => "nothing smaller passes",
        Stop::Checks => "stopped by --checks",
        Stop::Time => "stopped by --time",
        Stop::Interrupted => "stopped by ctrl-C",
    };
    let late = match timeouts {
        0 => String::new(),
        1 => ", 1 too slow".into(),
        n => format!(", {n} too slow"),
    };
    format!(
        "{} nodes of {} left, {} checked{late}: {end}",
        found.after.nodes, found.before.nodes, found.checks
    )
}
