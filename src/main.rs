//! The `tdc` command: parse the arguments, dispatch, give the exit code.
//!
//! In: the command line. Out: results on standard output, everything else on standard error.
//! Afterwards the exit code says how it went: 0 done, 1 the input is wrong, 2 the command line
//! is wrong, 3 not solved or below the bar, 130 stopped by ctrl-C.

// This is where printing happens; the rest holds here as in the library.
#![cfg_attr(
    not(test),
    warn(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::todo,
        clippy::unimplemented,
        clippy::dbg_macro
    )
)]

mod cli;

use std::process::ExitCode;

use clap::Parser;

/// Stack of the thread that does the work. Programs are handled iteratively, but the libraries
/// beneath (SVG and grammar parsing) recurse; memory is only taken as it is used.
const STACK_BYTES: usize = 256 << 20;

fn main() -> ExitCode {
    let arguments = cli::Cli::parse();
    let work = std::thread::Builder::new()
        .name("tdc".into())
        .stack_size(STACK_BYTES)
        .spawn(move || cli::run(arguments));
    let code = match work.map(std::thread::JoinHandle::join) {
        Ok(Ok(code)) => code,
        // The panic's message is on standard error already.
        Ok(Err(_)) => 101,
        // Without a large stack ordinary input still works.
        Err(_) => cli::run(cli::Cli::parse()),
    };
    ExitCode::from(code)
}
