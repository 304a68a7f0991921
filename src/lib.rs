//! tdc: grammars in, languages out.

// Tests may do all of these.
#![cfg_attr(
    not(test),
    warn(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::todo,
        clippy::unimplemented,
        clippy::dbg_macro,
        clippy::print_stdout,
        clippy::print_stderr
    )
)]

pub mod codegen;
pub mod compiled;
pub mod diag;
pub mod grammar;
pub mod meta;
pub mod mutate;
pub mod pipeline;
pub mod render;
pub mod rewrite;
pub mod sample;
pub mod scene;
pub mod search;
pub mod source;
pub mod tree;

pub use compiled::Compiled;
