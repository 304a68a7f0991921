//! A checked language with everything derived from it.

pub mod fingerprint;
pub mod image;

use crate::diag::render::render_all;
use crate::diag::{Diagnostic, Severity};
use crate::grammar::info::GrammarInfo;
use crate::grammar::inside::Inside;
use crate::grammar::ir::Grammar;
use crate::grammar::rules::Rule;
use crate::grammar::syntax::Syntax;
use crate::source::SourceMap;

/// A language that passed every check. Only `pipeline` builds one; everything downstream takes
/// `&Compiled`.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The resolved grammar.
    pub grammar: Grammar,
    /// Least sizes, reachability, recursion.
    pub info: GrammarInfo,
    /// How its programs are read and printed.
    pub syntax: Syntax,
    /// How much the programs of each size weigh.
    pub inside: Inside,
    /// Its rewrite rules.
    pub rules: Vec<Rule>,
}

/// What came of compiling a grammar.
#[derive(Debug)]
pub struct Outcome {
    /// Every text that was read; the diagnostics' spans point into it.
    pub sources: SourceMap,
    /// What is wrong or worth a remark, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// The language, when nothing is an error.
    pub compiled: Option<Compiled>,
}

impl Outcome {
    /// Whether an error is among the diagnostics.
    pub fn has_errors(&self) -> bool {
        let mut all = self.diagnostics.iter();
        all.any(|d| d.severity() == Severity::Error)
    }

    /// The language, or why there is none.
    ///
    /// # Errors
    ///
    /// When the grammar did not check; the error shows the diagnostics.
    pub fn into_result(mut self) -> Result<Compiled, CompileError> {
        self.compiled
            .take()
            .ok_or_else(|| CompileError(Box::new(self)))
    }
}

/// Why a grammar did not compile: displays its diagnostics.
#[derive(Debug)]
pub struct CompileError(pub Box<Outcome>);

impl std::fmt::Display for CompileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&render_all(&self.0.diagnostics, &self.0.sources, false))
    }
}

impl std::error::Error for CompileError {}
