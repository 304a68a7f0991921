//! The command line: one file a subcommand, and the habits they share.
//!
//! In: parsed arguments. Out: text, JSON lines and files. Afterwards every file written is
//! whole (temporary name, then renamed), results went to standard output, and diagnostics and
//! progress to standard error. This is the only room that prints.

mod bench;
mod check;
mod command;
mod compile;
mod explain;
mod failure;
mod fmt;
mod input;
mod minimise;
mod mutate;
mod new;
mod output;
mod parse;
mod path;
mod print;
mod progress;
mod render;
mod sample;
mod shell;
mod simplify;
mod snap;
mod solve;
mod tasks;
#[cfg(feature = "learn")]
mod train;

use clap::{Parser, Subcommand};

use failure::Failure;
use shell::{Format, Shell};

/// Grammars in, languages out.
///
/// One .tdg file describes a small language: how its programs are written, what they draw,
/// how they are sampled and changed. tdc checks it and turns it into a parser, a printer, an
/// exact sampler, mutations, edit paths, an SVG renderer, and a solver that finds a program
/// for a picture.
#[derive(Debug, Parser)]
#[command(
    name = "tdc",
    version,
    propagate_version = true,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "\
Exit codes: 0 done, 1 the input is wrong, 2 the command line is wrong,
            3 not solved, below the bar or different, 130 stopped by ctrl-C.

Start here:
  tdc new icons                      write icons.tdg, a commented grammar that works
  tdc check icons.tdg                what the language is, or what is wrong with it
  tdc compile icons.tdg -o out/      its gallery page and grammar in other forms
  tdc sample icons.tdg -n 5          five random programs"
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,

    /// How results are written: text for people, json for programs (one object a line).
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT"
    )]
    format: Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    New(new::Args),
    Check(check::Args),
    Compile(compile::Args),
    Fmt(fmt::Args),
    Parse(parse::Args),
    Print(print::Args),
    Sample(sample::Args),
    Mutate(mutate::Args),
    Path(path::Args),
    Simplify(simplify::Args),
    Minimise(minimise::Args),
    Render(render::Args),
    Solve(solve::Args),
    Tasks(tasks::Args),
    #[cfg(feature = "learn")]
    Train(Box<train::Args>),
    Snap(snap::Args),
    Bench(bench::Args),
    Explain(explain::Args),
}

/// Does what the arguments say and returns the exit code.
pub fn run(cli: Cli) -> u8 {
    shell::catch_interrupt();
    let shell = Shell::new(cli.format);
    let outcome = match cli.command {
        Command::New(args) => new::run(&shell, &args),
        Command::Check(args) => check::run(&shell, &args),
        Command::Compile(args) => compile::run(&shell, &args),
        Command::Fmt(args) => fmt::run(&shell, &args),
        Command::Parse(args) => parse::run(&shell, &args),
        Command::Print(args) => print::run(&shell, &args),
        Command::Sample(args) => sample::run(&shell, &args),
        Command::Mutate(args) => mutate::run(&shell, &args),
        Command::Minimise(args) => minimise::run(&shell, &args),
        Command::Path(args) => path::run(&shell, &args),
        Command::Simplify(args) => simplify::run(&shell, &args),
        Command::Render(args) => render::run(&shell, &args),
        Command::Solve(args) => solve::run(&shell, &args),
        Command::Tasks(args) => tasks::run(&shell, &args),
        #[cfg(feature = "learn")]
        Command::Train(args) => train::run(&shell, &args),
        Command::Snap(args) => snap::run(&shell, &args),
        Command::Bench(args) => bench::run(&shell, &args),
        Command::Explain(args) => explain::run(&shell, &args),
    };
    match outcome {
        Ok(()) => 0,
        Err(failure) => {
            if let Some(message) = failure.message() {
                shell.error(&message);
            }
            failure.exit_code()
        }
    }
}

/// What every subcommand returns.
type Outcome = Result<(), Failure>;
