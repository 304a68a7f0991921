//! From text to syntax tree.
//!
//! In: the text of a file, any text at all. Out: an [`ast::File`], always, and diagnostics `E0101`
//! to `E0109` and `W0101`. Afterwards the tree holds every declaration, production, arm and rule
//! that could be read; a mistake costs the smallest of these that it stands in. Each independent
//! mistake is reported once. The time is linear in the text.

mod base;
mod expr;
mod fail;
mod item;
mod sort;
mod tree;

use chumsky::prelude::*;

use super::ast::{self, Comment, Item, ItemKind, SortMember};
use super::brackets;
use super::lexer::{MOST_ERRORS, lex};
use super::token::{Doc, Lexed, Source};
use crate::diag::{Diagnostic, Sink, codes};
use crate::source::{FileId, Span};

/// Reads a file.
pub fn parse(file: FileId, text: &str, sink: &mut Sink) -> ast::File {
    let source = Source { file, text };
    let mut own = Sink::new();
    let Lexed {
        tokens,
        docs,
        mut comments,
        garbled,
    } = lex(file, text, &mut own);

    let mut bracket_errors = Vec::new();
    let tokens = brackets::pair(source, tokens, &mut |error| {
        if bracket_errors.len() < MOST_ERRORS {
            bracket_errors.push(error);
        }
    });
    // An unclosed string may have swallowed the bracket.
    if garbled.is_empty() {
        bracket_errors.drain(..).for_each(|error| own.push(error));
    }

    let mut state = base::State::default();
    let result = item::items(source).parse_with_state(&tokens, &mut state);
    let (items, fails) = result.into_output_errors();
    for error in fails
        .into_iter()
        .filter_map(|fail| fail.tell(source, &tokens))
    {
        let start = error.primary.span.start;
        if !garbled.iter().any(|line| line.contains(&start)) {
            own.push(error);
        }
    }

    let mut items = items.unwrap_or_default();
    let first = tokens.first().map_or(0, |token| token.span.start);
    let file_docs = attach(&mut items, docs, first, &mut comments, &mut own);
    hand_over(own, sink);
    ast::File {
        docs: file_docs,
        items,
        comments,
        span: Span::new(file, 0, text.len()),
        lines: line_starts(text),
    }
}

fn line_starts(text: &str) -> Vec<u32> {
    let after = text.match_indices('\n').map(|(at, _)| at + 1);
    let starts = std::iter::once(0).chain(after);
    starts.filter_map(|at| u32::try_from(at).ok()).collect()
}

/// Passes on the first hundred diagnostics and says how many there are beyond.
fn hand_over(own: Sink, sink: &mut Sink) {
    let mut list = own.sorted();
    let more = list.len().saturating_sub(MOST_ERRORS);
    list.truncate(MOST_ERRORS);
    if let (Some(last), true) = (list.last_mut(), more > 0) {
        last.notes.push(format!(
            "{more} more mistakes are not shown; mend these first"
        ));
    }
    list.into_iter()
        .for_each(|diagnostic| sink.push(diagnostic));
}

/// Gives declarations, productions and rules the documentation that stands before them; gives back
/// the file's. What belongs to nothing is reported and kept among the comments.
fn attach(
    items: &mut [Item],
    docs: Vec<Doc>,
    first_token: u32,
    comments: &mut Vec<Comment>,
    sink: &mut Sink,
) -> Vec<String> {
    let mut all = Docs {
        used: vec![false; docs.len()],
        docs,
    };
    let mut file_docs = Vec::new();
    for at in 0..all.docs.len() {
        let doc = &all.docs[at];
        if doc.inner && doc.span.end <= first_token {
            file_docs.push(doc.text.clone());
            all.used[at] = true;
        }
    }
    for item in items {
        if matches!(item.kind, ItemKind::Error) {
            all.excuse(item.span);
            continue;
        }
        item.docs = all.take(item.span);
        match &mut item.kind {
            ItemKind::Sort(sort) => {
                for member in &mut sort.members {
                    match member {
                        SortMember::Production(p) => p.docs = all.take(p.span),
                        SortMember::Table(table) => {
                            for p in &mut table.productions {
                                p.docs = all.take(p.span);
                            }
                        }
                    }
                }
            }
            ItemKind::Rewrite(rewrite) => {
                for rule in &mut rewrite.rules {
                    rule.docs = all.take(rule.span);
                }
            }
            _ => {}
        }
    }
    let broken = sink.has_errors();
    for (doc, used) in all.docs.iter().zip(&all.used) {
        if *used {
            continue;
        }
        if !broken {
            sink.push(stray_doc(doc));
        }
        let mark = if doc.inner { "!" } else { "/" };
        let space = if doc.text.is_empty() { "" } else { " " };
        comments.push(Comment {
            text: format!("{mark}{space}{}", doc.text),
            span: doc.span,
            own_line: doc.own_line,
        });
    }
    comments.sort_by_key(|comment| comment.span.start);
    file_docs
}

fn stray_doc(doc: &Doc) -> Diagnostic {
    let error = Diagnostic::new(
        codes::W0101,
        doc.span,
        "this documentation belongs to nothing",
        "",
    );
    if doc.inner {
        error.help("`//!` documents the file and stands at its top; write `//` for a comment")
    } else {
        error.help(
            "`///` stands on the lines before a declaration, production or rule; write `//` for a comment",
        )
    }
}

struct Docs {
    docs: Vec<Doc>,
    used: Vec<bool>,
}

impl Docs {
    /// The documentation before what starts where `span` does.
    fn take(&mut self, span: Span) -> Vec<String> {
        let from = self.docs.partition_point(|doc| doc.next < span.start);
        let mut lines = Vec::new();
        for at in from..self.docs.len() {
            let doc = &self.docs[at];
            if doc.next != span.start {
                break;
            }
            if !doc.inner && doc.own_line && !self.used[at] {
                lines.push(doc.text.clone());
                self.used[at] = true;
            }
        }
        lines
    }

    /// What stands in or before something unreadable may well belong there.
    fn excuse(&mut self, span: Span) {
        for (doc, used) in self.docs.iter().zip(&mut self.used) {
            if doc.next >= span.start && doc.span.start < span.end {
                *used = true;
            }
        }
    }
}

#[cfg(test)]
mod tests;
