//! Programs on several lines.
//!
//! In: a [`Program`], a width. Out: its text with line ends in the place of some of the spaces between
//! words. Afterwards the text is read back as the same program, and every line but the first is
//! indented, so that a file of programs can tell where the next one begins.
//!
//! A part that fits into what is left of its line stays there. Otherwise each of its parts that has
//! parts itself begins a line, indented by one step more than the line on which the whole begins;
//! bare words and numbers fill lines. A part that wraps one other part does not push it away.

use std::ops::Range;

use super::parse::parse;
use super::print::{Spans, print_gaps};
use super::program::Program;
use crate::compiled::Compiled;
use crate::grammar::ir::{Grammar, ProductionKind};
use crate::grammar::syntax::Syntax;

/// Columns of one step.
const STEP: usize = 2;

/// The text of a program, or of a subtree on its own, on lines of at most `width` columns where the
/// words allow it. What would not be read back so stays on one line: texts with line ends in them.
pub fn print_lines(grammar: &Grammar, syntax: &Syntax, program: &Program, width: usize) -> String {
    let printed = print_gaps(grammar, syntax, program);
    if printed.text.len() <= width || printed.text.contains(['\n', '\r']) {
        return printed.text;
    }
    let broken = broken(grammar, program, &printed, width);
    let flat = printed.text;
    // A word could go on over white space in a way that it does not over one space.
    let same = |text: &str| parse(grammar, syntax, text).is_ok_and(|again| again == *program);
    match same(&broken) || !same(&flat) {
        true => broken,
        false => flat,
    }
}

impl Compiled {
    /// The text of a program on lines of at most `width` columns, where its words allow it: see
    /// [`print_lines`].
    pub fn print_lines(&self, program: &Program, width: usize) -> String {
        print_lines(&self.grammar, &self.syntax, program, width)
    }
}

/// A part that is being written.
struct Open {
    end: usize,
    /// Whether it does not fit on its line.
    broken: bool,
    /// Whether but one of its parts has parts.
    wraps: bool,
    /// Indentation of the line on which it begins.
    indent: usize,
}

fn broken(grammar: &Grammar, program: &Program, printed: &Spans, width: usize) -> String {
    let parts = parts(grammar, program, &printed.nodes);
    let (flat, gaps) = (printed.text.as_str(), &printed.gaps);
    let columns = Columns::new(flat);
    let mut out = String::with_capacity(flat.len() + flat.len() / 4);
    let mut open: Vec<Open> = Vec::new();
    // Where the line begins in the flat text, and how far it is indented.
    let (mut line, mut indent) = (0, 0);
    let mut next = parts.iter().peekable();
    // The end of what stands without a space from some place on.
    let end_of = |index: usize| gaps.get(index).copied().unwrap_or(flat.len());
    let before = std::iter::once(None).chain(gaps.iter().copied().map(Some));
    for (index, gap) in before.enumerate() {
        let (word, end) = (gap.map_or(0, |gap| gap + 1), end_of(index));
        if let Some(gap) = gap {
            while open.last().is_some_and(|part| part.end <= gap) {
                open.pop();
            }
            let child = next.peek().is_some_and(|part| part.span.start == word);
            let breaks = open.last().is_some_and(|owner| {
                let full = indent + columns.between(line, end) > width;
                owner.broken && (full || (child && !owner.wraps))
            });
            if breaks {
                let owner = open.last().map_or(0, |owner| owner.indent);
                // Deep programs would be mostly spaces.
                indent = (owner + STEP).min((width / 2).max(STEP));
                line = word;
                out.push('\n');
                out.extend(std::iter::repeat_n(' ', indent));
            } else {
                out.push(' ');
            }
        }
        out.push_str(&flat[word..end]);
        while let Some(part) = next.next_if(|part| part.span.start < end) {
            // Something may follow without a space, such as brackets.
            let last = end_of(gaps.partition_point(|gap| *gap < part.span.end));
            open.push(Open {
                end: part.span.end,
                broken: indent + columns.between(line, last) > width,
                wraps: part.parts == 1,
                indent,
            });
        }
    }
    out
}

/// A node with parts of its own.
struct Part {
    span: Range<usize>,
    /// How many of its parts have parts.
    parts: usize,
}

/// All of them, in the order of their beginnings. Lists are no parts: their items are.
fn parts(grammar: &Grammar, program: &Program, spans: &[Range<usize>]) -> Vec<Part> {
    let mut list: Vec<Part> = Vec::new();
    // Those that the node is in: where they end among nodes, and where they stand in the list.
    let mut above: Vec<(usize, usize)> = Vec::new();
    for (at, node) in program.nodes().iter().enumerate() {
        while above.last().is_some_and(|(end, _)| *end <= at) {
            above.pop();
        }
        let kind = grammar.production(node.production).kind;
        if node.len == 1 || !matches!(kind, ProductionKind::Node(_)) || spans[at].is_empty() {
            continue;
        }
        if let Some((_, parent)) = above.last() {
            list[*parent].parts += 1;
        }
        above.push((at + node.len as usize, list.len()));
        list.push(Part {
            span: spans[at].clone(),
            parts: 0,
        });
    }
    list
}

/// Columns of parts of a text.
struct Columns {
    /// Characters before each byte, where they are not all of one byte.
    before: Option<Vec<u32>>,
}

impl Columns {
    fn new(text: &str) -> Columns {
        let before = (!text.is_ascii()).then(|| {
            let mut count = 0;
            let bytes = text.bytes().map(|byte| {
                let before = count;
                // All but bytes that go on with a character.
                count += u32::from(byte & 0xc0 != 0x80);
                before
            });
            let mut before: Vec<u32> = bytes.collect();
            before.push(count);
            before
        });
        Columns { before }
    }

    fn between(&self, from: usize, to: usize) -> usize {
        match &self.before {
            None => to - from,
            Some(before) => (before[to] - before[from]) as usize,
        }
    }
}

#[cfg(test)]
mod tests;
