//! `tdc sample`: random programs.

use std::path::PathBuf;

use serde_json::json;
use tdc::grammar::ir::Procedure;
use tdc::sample::{self, Sampler};

use super::Outcome;
use super::failure::Failure;
use super::input::{self, OutputArg, SizeRange};
use super::output::Out;
use super::progress::Progress;
use super::shell::{self, Shell};

/// Draw random programs
///
/// Programs are drawn exactly from the weighted grammar: a size from the window, each as likely
/// as any other, then a program of that size by its weight.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tdc sample grammars/csg2d.tdg -n 5 --seed 7
  tdc sample grammars/json.tdg -n 1000 --size 20..=40 -o programs.txt
  tdc sample grammars/csg2d.tdg --procedure frontier    the paper's released procedure

JSON, one object a program: program, size, nodes.")]
pub struct Args {
    /// The grammar file
    grammar: PathBuf,

    /// How many programs
    #[arg(short, default_value_t = 1, value_name = "N")]
    n: u64,

    /// Seed: the same seed gives the same programs everywhere
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,

    /// Sizes to draw from, instead of the grammar's window
    #[arg(long, value_name = "A..=B")]
    size: Option<SizeRange>,

    /// How programs are drawn, instead of what the grammar says
    #[arg(long, value_enum, value_name = "HOW")]
    procedure: Option<ProcedureArg>,

    #[command(flatten)]
    output: OutputArg,
}

/// How programs are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ProcedureArg {
    /// Exactly by weight
    Exact,
    /// The paper's released procedure, which is biased; for comparison
    Frontier,
}

pub fn run(shell: &Shell, args: &Args) -> Outcome {
    let language = input::language(shell, &args.grammar)?;
    let mut spec = language.compiled.grammar.sample;
    if let Some(size) = args.size {
        (spec.min, spec.max) = (size.min, size.max);
    }
    match args.procedure {
        Some(ProcedureArg::Exact) => spec.procedure = Procedure::Exact,
        Some(ProcedureArg::Frontier) => spec.procedure = Procedure::Frontier,
        None => {}
    }
    let sampler = Sampler::new(&language.compiled, spec)
        .map_err(|error| Failure::input(error.to_string()))?;
    let mut out = Out::open(args.output.output.as_deref())?;
    let mut progress = Progress::new(shell, "sampling", args.n);
    for index in 0..args.n {
        if shell::stopped() {
            out.finish()?;
            return Err(Failure::Stopped);
        }
        let program = sampler.sample(&mut sample::stream(args.seed, index));
        let text = language.text(&program);
        if shell.json() {
            out.json(&json!({
                "program": text,
                "size": program.size(),
                "nodes": program.len(),
            }))?;
        } else {
            out.line(&text)?;
        }
        progress.add(1);
    }
    out.finish()
}
