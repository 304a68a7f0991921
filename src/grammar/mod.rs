//! From syntax trees to a checked grammar.

mod builtins;
pub(crate) mod check;
pub mod colors;
pub mod constant;
pub mod expr;
pub(crate) mod extend;
pub mod ids;
pub mod info;
pub mod inside;
pub mod ir;
pub(crate) mod load;
pub mod mass;
pub mod pattern;
pub(crate) mod resolve;
pub mod rules;
pub mod scalar;
pub(crate) mod stdlib;
pub mod syntax;
pub mod types;
