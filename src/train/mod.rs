//! What a model learns from: random programs with noise on them, and the edit that takes a step back.
//!
//! In: a compiled language, a seed. Out: [`Example`]s, one at a time from a [`Maker`] or in batches
//! from a [`Stream`] that fills them on other threads. Afterwards example `i` of a seed is the same
//! on every machine and for every number of threads, and once buffers have grown nothing is
//! allocated, but for the strings of text tokens. [`run`] trains a model on them.

mod ahead;
mod examples;
#[cfg(feature = "learn")]
pub mod run;
mod stream;

pub use examples::{Example, ExampleError, Labels, Maker, Options, Origin};
pub use stream::{Batch, Stream, StreamOptions};
