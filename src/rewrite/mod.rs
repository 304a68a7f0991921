//! Rewrite rules at work.
//!
//! In: a language's rules, which are read and typed with the grammar (`grammar::rules`), and
//! programs. Out: simpler programs that the rules prove equal, and why. Afterwards whatever a
//! [`Simplifier`] gives prints and parses back as itself.
//!
//! [`instance`] puts programs and values in for metavariables, [`plan`] finds those that are
//! computed. [`Simplifier`] grows e-graphs by egg: `laws` reads off which operators are commutative
//! and associative, `term` is the egg language, `expr` turns programs into terms and back, `shape`
//! rules into patterns of terms; `find` matches them, `make` adds what they make, `saturate` does
//! both until nothing new comes, `extract` finds the least program, `proof` the steps to it.

mod expr;
mod extract;
mod find;
mod graph;
pub mod instance;
mod laws;
mod make;
pub mod plan;
mod proof;
mod saturate;
mod shape;
mod simplify;
mod tables;
mod term;
#[cfg(test)]
mod tests;
mod texts;

pub use crate::grammar::pattern::{Pattern, PatternNode};
pub use crate::grammar::rules::{Meta, Rule};
pub use instance::{Bindings, Bound, Direction, build, lay};
pub use plan::{Completed, Plan};
pub use saturate::{Limits, StopReason};
pub use simplify::{By, Growth, Simplified, Simplifier, Step};
pub use tables::Cost;
