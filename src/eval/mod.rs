//! Test sets, and how a solver does on them and on pictures of one's own.
//!
//! In: a compiled picture language. Out: tasks (a picture, and a program that draws it), records of
//! searches, what they come to, as a table, a plot and a page. Afterwards the same options give the same
//! tasks on every machine, a set's fingerprint says which it is, and results are on disk as they come.

pub mod attempt;
pub mod folder;
pub mod front;
pub mod parallel;
pub mod plot;
pub mod sheet;
pub mod store;
pub mod summary;
pub mod tasks;

use crate::grammar::ir::Grammar;
use crate::tree::Program;

/// How many nodes of a program are `@primitive`.
pub fn primitives(grammar: &Grammar, program: &Program) -> usize {
    let nodes = program.nodes().iter();
    nodes
        .filter(|node| grammar.production(node.production).primitive)
        .count()
}
