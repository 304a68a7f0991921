//! Examples of a grammar are programs of it.
//!
//! In: a [`Grammar`] with its [`Syntax`]. Out: diagnostics. Afterwards every example can be read.
//! Inherited examples that no longer fit the language are taken out silently.

use super::parse::Parser;
use crate::diag::Sink;
use crate::diag::codes::E0801;
use crate::grammar::ir::Grammar;
use crate::grammar::pattern::place;
use crate::grammar::syntax::Syntax;

/// Reads every example.
pub(crate) fn check(grammar: &mut Grammar, syntax: &Syntax, sink: &mut Sink) {
    let mut dropped: Vec<String> = Vec::new();
    let mut parser = Parser::new(grammar, syntax);
    for (name, example) in &grammar.examples {
        let Err(error) = parser.parse(&example.program.text) else {
            continue;
        };
        if example.droppable {
            dropped.push(name.clone());
            continue;
        }
        let mut diagnostic = error.diagnostic(example.program.span.file, 0);
        diagnostic.code = E0801;
        diagnostic.message = format!("example `{name}` is not a program: {}", diagnostic.message);
        diagnostic.primary.span = place(&example.program, error.start, error.end);
        if let Some(fix) = &mut diagnostic.fix {
            fix.span = diagnostic.primary.span;
        }
        sink.push(diagnostic);
    }
    grammar.examples.retain(|name, _| !dropped.contains(name));
}
