//! The `.tdg` language: from text to syntax tree and back.

pub mod ast;
