//! Test sets, and how a solver does on them.
//!
//! In: a compiled picture language. Out: tasks (a picture, and a program that draws it). Afterwards
//! the same options give the same tasks on every machine, and a set's fingerprint says which it is.

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
