//! Programs set in lines of a page, with carets under a part.
//!
//! In: a program, and the position of one of its nodes. Out: text. Afterwards no line ends in
//! space, a line is as wide as [`WIDTH`] says unless a label makes it wider, and the program can
//! be read back: a line break stands for one space, or for nothing behind a `\`. Lines break where
//! the program is least deep, so that what belongs together stays together.

use std::ops::Range;

use unicode_width::UnicodeWidthChar;

use crate::compiled::Compiled;
use crate::grammar::ir::ProductionKind;
use crate::tree::{Program, print_spans};

/// Columns of a page.
pub(crate) const WIDTH: usize = 100;
/// How much further a program's later lines begin.
const INDENT: usize = 2;
/// A part of fewer bytes is small: a line begins better with a larger one.
const LARGE: usize = 8;
/// A line that begins with a small part is as bad as one that ends so many nodes deeper.
const SMALL: u32 = 2;
/// No line is narrower than this, whatever stands before it.
const LEAST: usize = 20;

/// A program's text with what its lines need.
#[derive(Debug)]
pub(crate) struct Shown {
    text: String,
    /// The bytes of each node.
    spans: Vec<Range<usize>>,
    /// Spaces at which a line may end, and how bad that is: how many nodes they are inside of, and
    /// [`SMALL`] when no larger part begins there.
    breaks: Vec<(usize, u32)>,
}

/// A line: its bytes, and whether a word goes on behind it.
#[derive(Debug)]
struct Line {
    bytes: Range<usize>,
    cut: bool,
}

impl Shown {
    /// The text of a program.
    pub(crate) fn new(compiled: &Compiled, program: &Program) -> Shown {
        let Compiled {
            grammar, syntax, ..
        } = compiled;
        let (text, spans) = print_spans(grammar, syntax, program);
        let mut deeper = vec![0i32; text.len() + 2];
        let mut inside_word = vec![false; text.len()];
        let mut large = vec![false; text.len() + 1];
        for (node, span) in program.nodes().iter().zip(&spans) {
            let production = grammar.production(node.production);
            match production.kind {
                ProductionKind::Node(_) => {
                    deeper[span.start] += 1;
                    deeper[span.end] -= 1;
                    large[span.start] |= span.len() >= LARGE;
                }
                ProductionKind::Token(_) => inside_word[span.clone()].fill(true),
                _ => {}
            }
        }
        let mut depth = 0;
        let mut breaks = Vec::new();
        for (at, byte) in text.bytes().enumerate() {
            depth += deeper[at];
            if byte == b' ' && !inside_word[at] {
                let small = if large[at + 1] { 0 } else { SMALL };
                breaks.push((at, small + u32::try_from(depth).unwrap_or(0)));
            }
        }
        Shown {
            text,
            spans,
            breaks,
        }
    }

    /// The bytes of a node.
    fn span(&self, position: usize) -> Range<usize> {
        let end = self.text.len();
        self.spans.get(position).cloned().unwrap_or(end..end)
    }

    /// The program behind a margin.
    pub(crate) fn write(&self, margin: &str, out: &mut String) {
        self.set(margin, None, out);
    }

    /// The program behind a margin, and carets under one of its nodes, with a label after them.
    /// A node without text has its caret at its place.
    pub(crate) fn write_marked(
        &self,
        margin: &str,
        position: usize,
        label: &str,
        out: &mut String,
    ) {
        self.set(margin, Some((self.span(position), label)), out);
    }

    fn set(&self, margin: &str, mark: Option<(Range<usize>, &str)>, out: &mut String) {
        let blank = columns(margin);
        let lines = self.lines(WIDTH.saturating_sub(blank).max(LEAST));
        let mut marked = match &mark {
            Some((span, _)) => marks(&lines, span),
            None => Vec::new(),
        };
        let last = marked.iter().map(|(line, _)| *line).max();
        marked.reverse();
        for (index, line) in lines.iter().enumerate() {
            let mut column = blank;
            if index == 0 {
                out.push_str(margin);
            } else {
                column += INDENT;
                push_blank(column, out);
            }
            let mark_here = marked.pop_if(|(line, _)| *line == index);
            // Columns of the carets, from and to.
            let mut carets: Option<(usize, usize)> = None;
            for (at, c) in self.text[line.bytes.clone()].char_indices() {
                let at = line.bytes.start + at;
                let next = column + width(c);
                if let Some((_, part)) = &mark_here
                    && (part.contains(&at) || (part.is_empty() && part.start == at))
                {
                    carets = match (carets, part.is_empty()) {
                        (Some((from, _)), _) => Some((from, next)),
                        (None, false) => Some((column, next)),
                        (None, true) => Some((column, column + 1)),
                    };
                }
                column = next;
                push_char(c, out);
            }
            out.push_str(if line.cut { "\\\n" } else { "\n" });
            if mark_here.is_some() {
                // What has no character here stands behind the last.
                let (from, to) = carets.unwrap_or((column, column + 1));
                push_blank(from, out);
                out.extend(std::iter::repeat_n('^', to.saturating_sub(from).max(1)));
                if let Some((_, label)) = &mark
                    && Some(index) == last
                    && !label.is_empty()
                {
                    out.push(' ');
                    out.push_str(label);
                }
                out.push('\n');
            }
        }
    }

    /// The lines, the first of `room` columns, the others of less.
    fn lines(&self, room: usize) -> Vec<Line> {
        let mut lines = Vec::new();
        let (mut start, mut room) = (0, room);
        while let Some(over) = self.overflow(start, room) {
            let half = self.overflow(start, room / 2).unwrap_or(over);
            let from = self.breaks.partition_point(|(at, _)| *at <= start);
            let within = self.breaks[from..].iter().take_while(|(at, _)| *at <= over);
            // In the right half of the line the best break, the last of those; otherwise the last
            // one of the left half.
            let mut best: Option<(usize, u32)> = None;
            for (at, bad) in within.copied() {
                if best.is_none_or(|(before, least)| before < half || bad <= least) {
                    best = Some((at, bad));
                }
            }
            let (end, next) = best.map_or((over, over), |(at, _)| (at, at + 1));
            lines.push(Line {
                bytes: start..end,
                cut: best.is_none(),
            });
            start = next;
            if lines.len() == 1 {
                room = room.saturating_sub(INDENT).max(LEAST);
            }
        }
        lines.push(Line {
            bytes: start..self.text.len(),
            cut: false,
        });
        lines
    }

    /// The first byte that does not fit into `room` columns from `start` on; `None` when all does.
    /// At least one character fits, and room is left for a `\` when a word is cut.
    fn overflow(&self, start: usize, room: usize) -> Option<usize> {
        let mut column = 0;
        let mut over = None;
        for (at, c) in self.text[start..].char_indices() {
            column += width(c);
            // A space at the end of the line takes no room.
            if column >= room && over.is_none() && at > 0 {
                over = Some(start + at);
            }
            if column > room {
                return over;
            }
        }
        None
    }
}

/// The lines that show a part of a span, in order, and which part. The place of an empty span is on
/// one line.
fn marks(lines: &[Line], span: &Range<usize>) -> Vec<(usize, Range<usize>)> {
    if span.is_empty() {
        let line = lines.iter().position(|line| span.start <= line.bytes.end);
        return line
            .map(|line| vec![(line, span.clone())])
            .unwrap_or_default();
    }
    let parts = lines.iter().enumerate().map(|(index, line)| {
        let part = span.start.max(line.bytes.start)..span.end.min(line.bytes.end);
        (index, part)
    });
    parts.filter(|(_, part)| !part.is_empty()).collect()
}

fn push_blank(count: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', count));
}

/// A character as it is shown: line ends and the like as escapes.
fn push_char(c: char, out: &mut String) {
    if c.is_control() {
        out.extend(c.escape_default());
    } else {
        out.push(c);
    }
}

/// Columns of a character as it is shown.
fn width(c: char) -> usize {
    if c.is_control() {
        c.escape_default().count()
    } else {
        c.width().unwrap_or(0)
    }
}

/// Columns of a text.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().map(width).sum()
}
