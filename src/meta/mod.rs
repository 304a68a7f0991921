//! The `.tdg` language: from text to syntax tree and back.

pub mod ast;
pub(crate) mod brackets;
pub mod lexer;
pub mod parser;
pub mod printer;
pub mod token;
