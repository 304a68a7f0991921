//! From programs to text.
//!
//! In: [`Program`]s or subtrees. Out: text with one space between words, but for `~`, brackets and
//! commas (`grammar::syntax::spacing`). Afterwards `tree::parse` reads it back as the same program.

use std::ops::Range;

use super::program::{Node, Program};
use crate::compiled::Compiled;
use crate::grammar::ids::{LiteralId, ProdId};
use crate::grammar::ir::{Domain, Grammar, ProductionKind, SyntaxItem};
use crate::grammar::syntax::values::write_value;
use crate::grammar::syntax::{Syntax, Term};

/// The text of a program or of a subtree on its own.
pub fn print(grammar: &Grammar, syntax: &Syntax, program: &Program) -> String {
    let mut text = String::new();
    print_into(grammar, syntax, program, &mut text);
    text
}

impl Compiled {
    /// The text of a program, or of a subtree on its own.
    pub fn print(&self, program: &Program) -> String {
        print(&self.grammar, &self.syntax, program)
    }

    /// A printer for many programs, which is faster than [`Compiled::print`] for short ones.
    pub fn printer(&self) -> Printer<'_> {
        Printer::new(&self.grammar, &self.syntax)
    }
}

/// Appends the text of a program; faster than [`print`] when the buffer is used again.
pub fn print_into(grammar: &Grammar, syntax: &Syntax, program: &Program, text: &mut String) {
    Printer::new(grammar, syntax).print_into(program, text);
}

/// Prints programs one after another with the same buffers.
#[derive(Debug)]
pub struct Printer<'a> {
    grammar: &'a Grammar,
    syntax: &'a Syntax,
    open: Vec<Open>,
}

impl<'a> Printer<'a> {
    /// A printer of the grammar's programs.
    pub fn new(grammar: &'a Grammar, syntax: &'a Syntax) -> Printer<'a> {
        Printer {
            grammar,
            syntax,
            open: Vec::new(),
        }
    }

    /// Appends the text of a program or of a subtree on its own: no allocation once the buffers
    /// have grown.
    pub fn print_into(&mut self, program: &Program, text: &mut String) {
        let mut writer = Writer::new(self.grammar, self.syntax, program, text);
        writer.run::<false>(&program.nodes, &mut self.open);
    }
}

/// The text of a program with the bytes that each node takes in it. Nodes without text (empty
/// lists and options) have an empty range at their place.
pub fn print_spans(
    grammar: &Grammar,
    syntax: &Syntax,
    program: &Program,
) -> (String, Vec<Range<usize>>) {
    let Spans { text, nodes, .. } = print_gaps(grammar, syntax, program);
    (text, nodes)
}

/// A program's text and what is where in it.
pub(super) struct Spans {
    pub(super) text: String,
    /// The bytes of each node.
    pub(super) nodes: Vec<Range<usize>>,
    /// The spaces between words.
    pub(super) gaps: Vec<usize>,
}

/// [`print_spans`], and where words may be further apart.
pub(super) fn print_gaps(grammar: &Grammar, syntax: &Syntax, program: &Program) -> Spans {
    let mut text = String::new();
    let mut writer = Writer::new(grammar, syntax, program, &mut text);
    writer.run::<true>(&program.nodes, &mut Vec::new());
    let (nodes, gaps) = (writer.spans, writer.gaps);
    Spans { text, nodes, gaps }
}

/// A node whose text is not finished.
#[derive(Clone, Copy, Debug)]
struct Open {
    production: ProdId,
    /// Next part of its syntax; for hidden nodes next child.
    part: u16,
    /// Whether it is a list's node behind the first.
    tail: bool,
    node: u32,
    /// Where its text begins, before a separating space.
    start: usize,
}

struct Writer<'a> {
    grammar: &'a Grammar,
    syntax: &'a Syntax,
    program: &'a Program,
    text: &'a mut String,
    last: Option<Term>,
    glued: bool,
    spans: Vec<Range<usize>>,
    gaps: Vec<usize>,
}

impl<'a> Writer<'a> {
    fn new(
        grammar: &'a Grammar,
        syntax: &'a Syntax,
        program: &'a Program,
        text: &'a mut String,
    ) -> Writer<'a> {
        Writer {
            grammar,
            syntax,
            program,
            text,
            last: None,
            glued: false,
            spans: Vec::new(),
            gaps: Vec::new(),
        }
    }

    fn run<const SPANS: bool>(&mut self, nodes: &[Node], open: &mut Vec<Open>) {
        if SPANS {
            self.spans = vec![0..0; nodes.len()];
        }
        let mut next = 0usize;
        open.clear();
        let mut tail = false;
        'nodes: while let Some(node) = nodes.get(next) {
            let production = self.grammar.production(node.production);
            let start = self.text.len();
            if let ProductionKind::Token(token) = production.kind {
                self.token::<SPANS>(token, node.value);
                if SPANS {
                    self.spans[next] = self.trim(start);
                }
            } else {
                open.push(Open {
                    production: node.production,
                    part: 0,
                    tail,
                    node: next as u32,
                    start,
                });
            }
            tail = false;
            next += 1;
            while let Some(top) = open.last_mut() {
                let production = self.grammar.production(top.production);
                match production.kind {
                    ProductionKind::Node(_) => {
                        while let Some(part) = production.syntax.get(usize::from(top.part)) {
                            top.part += 1;
                            match part {
                                SyntaxItem::Literal(literal) => self.literal::<SPANS>(*literal),
                                SyntaxItem::Glue => self.glued = true,
                                SyntaxItem::Child(_) => continue 'nodes,
                            }
                        }
                    }
                    ProductionKind::Cons if top.part < 2 => {
                        if top.part == 0
                            && top.tail
                            && let Some(separator) = self.syntax.separator(top.production)
                        {
                            self.literal::<SPANS>(separator);
                        }
                        tail = top.part == 1;
                        top.part += 1;
                        continue 'nodes;
                    }
                    ProductionKind::Some if top.part == 0 => {
                        top.part = 1;
                        continue 'nodes;
                    }
                    _ => {}
                }
                if SPANS {
                    let (node, start) = (top.node as usize, top.start);
                    self.spans[node] = self.trim(start);
                }
                open.pop();
            }
            break;
        }
    }

    /// The range from `start` to here without the space that separates it from what was before.
    fn trim(&self, start: usize) -> Range<usize> {
        let end = self.text.len();
        let spaced = end > start && self.text.as_bytes().get(start) == Some(&b' ');
        start + usize::from(spaced)..end
    }

    fn token<const SPANS: bool>(&mut self, token: crate::grammar::ids::TokenId, value: u32) {
        let domain = &self.grammar.token(token).domain;
        match domain {
            Domain::Finite(values) => {
                if let Some(finite) = values.get(value as usize) {
                    self.literal::<SPANS>(finite.literal);
                }
            }
            Domain::Text { .. } => {
                self.space::<SPANS>(self.syntax.token_term(token));
                let program = self.program;
                let text = program.texts.get(value as usize).map_or("", |t| &**t);
                self.text.push_str(text);
            }
            _ => {
                self.space::<SPANS>(self.syntax.token_term(token));
                write_value(domain, value, self.text);
            }
        }
    }

    fn literal<const SPANS: bool>(&mut self, literal: LiteralId) {
        self.space::<SPANS>(self.syntax.literal_term(literal));
        let grammar = self.grammar;
        self.text.push_str(grammar.literal(literal));
    }

    /// The space before a word, if any.
    #[inline]
    fn space<const SPANS: bool>(&mut self, term: Term) {
        if let Some(last) = self.last
            && !self.glued
            && self.syntax.space(last, term)
        {
            if SPANS {
                self.gaps.push(self.text.len());
            }
            self.text.push(' ');
        }
        self.glued = false;
        self.last = Some(term);
    }
}
