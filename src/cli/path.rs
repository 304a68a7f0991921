//! `tdc path`: small edits that lead from one program to another.

use std::path::PathBuf;

use serde_json::json;
use tdc::mutate::Mutator;
use tdc::sample;
use tdc::tree::diff::PathMode;
use tdc::tree::{Edit, edit};

use super::Outcome;
use super::failure::Failure;
use super::input::{self, OutputArg};
use super::mutate::{Change, carets};
use super::output::Out;
use super::shell::{self, Shell};

/// Lead from one program to another by small edits
///
/// Every program on the way is complete and valid, and every replacement is small (the grammar's
/// `mutate small`).
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tdc path grammars/csg2d.tdg '(Circle 3 4 5)' '(+ (Circle 3 4 7) (Circle 2 9 9))'
  tdc path grammars/csg2d.tdg a.txt b.txt --strict --format json

JSON, one object a step: step, position (the node replaced), old, new (the parts), program \
(after the step), old_span, new_span ([start, end) in bytes of the program before and after).")]
pub struct Args {
    /// The grammar file
    grammar: PathBuf,

    /// The program to start from: text, a file, or -
    #[arg(value_name = "FROM", allow_hyphen_values = true)]
    from: String,

    /// The program to end at: text or a file
    #[arg(value_name = "TO", allow_hyphen_values = true)]
    to: String,

    /// What is replaced must be small too, not only its replacement
    #[arg(long)]
    strict: bool,

    /// Greatest size of a replacement
    #[arg(long, value_name = "N")]
    small: Option<u32>,

    /// Seed for the small programs on the way to large ones
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,

    #[command(flatten)]
    output: OutputArg,
}

pub fn run(shell: &Shell, args: &Args) -> Outcome {
    if args.from == "-" && args.to == "-" {
        return Err(Failure::usage(
            "only one of the programs can be standard input",
        ));
    }
    let mut language = input::language(shell, &args.grammar)?;
    let from = language.parse_one(shell, &args.from)?;
    let to = language.parse_one(shell, &args.to)?;
    let mut spec = language.compiled.grammar.mutate;
    spec.small = args.small.unwrap_or(spec.small);
    let mode = if args.strict {
        PathMode::Strict
    } else {
        PathMode::Plain
    };
    let mutator = Mutator::new(&language.compiled, spec)
        .map_err(|error| Failure::input(error.to_string()))?;
    let mut rng = sample::seeded(args.seed);
    let steps = mutator
        .path(&from, &to, mode, &mut rng)
        .map_err(|error| Failure::input(error.to_string()))?;
    let mut out = Out::open(args.output.output.as_deref())?;
    if !shell.json() {
        out.line(&format!("{} {}", shell.dim("0"), language.text(&from)))?;
    }
    let mut program = from.clone();
    let mut arrived = true;
    for (index, step) in steps.enumerate() {
        arrived = false;
        if shell::stopped() {
            out.finish()?;
            return Err(Failure::Stopped);
        }
        let edit = Edit {
            position: step.position,
            replacement: step.new,
        };
        let after = edit::apply(&language.compiled.grammar, &program, &edit);
        let change = Change::new(&language, &program, &edit, &after);
        let number = index + 1;
        if shell.json() {
            out.json(&json!({
                "step": number,
                "position": step.position,
                "old": change.old(),
                "new": change.new_part(),
                "program": change.after,
                "old_span": [change.old_span.start, change.old_span.end],
                "new_span": [change.new_span.start, change.new_span.end],
            }))?;
        } else {
            let gutter = |n: usize| n.to_string().len() + 1;
            let indent = " ".repeat(gutter(index));
            let marks = carets(&change.before, &change.old_span);
            let place = format!("{indent}{marks} node {}", step.position);
            out.line(&shell.accent(&place))?;
            out.line(&format!(
                "{} {}",
                shell.dim(&number.to_string()),
                change.after_shown(shell)
            ))?;
        }
        program = after;
    }
    if arrived {
        shell.say("the programs are the same");
    }
    out.finish()
}
