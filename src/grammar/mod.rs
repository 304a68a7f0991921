//! From syntax trees to a checked grammar.

mod builtins;
pub mod colors;
pub mod constant;
pub mod expr;
pub mod ids;
pub mod inside;
pub mod ir;
pub mod mass;
pub mod scalar;
pub mod syntax;
pub mod types;
