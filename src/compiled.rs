//! A checked language with everything derived from it.

use crate::grammar::inside::Inside;
use crate::grammar::ir::Grammar;

/// A language that passed every check. Only `pipeline::compile` builds one; everything
/// downstream takes `&Compiled`.
#[derive(Debug)]
pub struct Compiled {
    /// The resolved grammar.
    pub grammar: Grammar,
    /// How much the programs of each size weigh.
    pub inside: Inside,
}
