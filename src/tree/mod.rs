//! Programs of a compiled language.

pub mod program;

pub use program::{Node, Program};
