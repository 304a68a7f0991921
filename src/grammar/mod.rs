//! From syntax trees to a checked grammar.

pub mod expr;
pub mod ids;
pub mod ir;
pub mod types;
