//! Lines of output, and the comments that go between them.
//!
//! Everything is written in the order of the source, each piece with the place it had there.
//! Comments that stood before a piece are written before it, whatever line break that takes; so no
//! comment is lost, and written and read again it stands at the same place.

use crate::meta::ast::{Comment, File};

/// No line is made longer than this if it can be broken.
pub(super) const WIDTH: usize = 100;
/// Spaces of a level of indentation.
pub(super) const STEP: usize = 4;

#[derive(Default)]
struct Line {
    text: String,
    comment: Option<String>,
}

pub(super) struct Writer<'a> {
    done: Vec<Line>,
    now: Line,
    /// Indentation of the line at hand, written with its first piece.
    indent: usize,
    comments: std::iter::Peekable<std::slice::Iter<'a, Comment>>,
    all_comments: &'a [Comment],
    starts: &'a [u32],
    /// Source line on which the last piece ended.
    last: usize,
    /// Whether an empty line must, or must not, come next.
    blank: Blank,
}

#[derive(Clone, Copy, PartialEq)]
enum Blank {
    AsInSource,
    Yes,
    No,
}

impl<'a> Writer<'a> {
    pub(super) fn new(file: &'a File) -> Writer<'a> {
        Writer {
            done: Vec::new(),
            now: Line::default(),
            indent: 0,
            comments: file.comments.iter().peekable(),
            all_comments: &file.comments,
            starts: &file.lines,
            last: 0,
            blank: Blank::No,
        }
    }

    /// Source line of a byte, from 0.
    pub(super) fn line_of(&self, at: u32) -> usize {
        self.starts
            .partition_point(|start| *start <= at)
            .saturating_sub(1)
    }

    /// Whether two places stand on one line of the source.
    pub(super) fn same_line(&self, a: u32, b: u32) -> bool {
        self.line_of(a) == self.line_of(b)
    }

    /// Whether a comment stands between two places of the source.
    pub(super) fn comment_within(&self, start: u32, end: u32) -> bool {
        let at = self.all_comments.partition_point(|c| c.span.start < start);
        self.all_comments
            .get(at)
            .is_some_and(|c| c.span.start < end)
    }

    /// Width of the line at hand.
    pub(super) fn column(&self) -> usize {
        if self.now.text.is_empty() {
            self.indent
        } else {
            self.now.text.chars().count()
        }
    }

    fn end_line(&mut self) {
        self.now.text.truncate(self.now.text.trim_end().len());
        self.done.push(std::mem::take(&mut self.now));
    }

    fn empty(&self) -> bool {
        self.now.text.is_empty() && self.now.comment.is_none()
    }

    /// Goes to a new line.
    pub(super) fn newline(&mut self, indent: usize) {
        if !self.empty() {
            self.end_line();
        }
        self.indent = indent;
    }

    /// Writes what is no piece of the source by itself: spaces, commas, docs.
    pub(super) fn push(&mut self, text: &str) {
        if self.now.text.is_empty() {
            let text = text.trim_start_matches(' ');
            if !text.is_empty() {
                self.now.text = " ".repeat(self.indent) + text;
            }
        } else {
            self.now.text.push_str(text);
        }
    }

    /// Writes a piece that stood at `at`, after the comments before it. Where these break the line
    /// it goes on at `hang`.
    pub(super) fn word(&mut self, text: &str, at: u32, hang: usize) {
        self.flush(at, hang, hang, false);
        self.push(text);
    }

    /// Starts a line for something at `at` that has `docs` lines before it.
    pub(super) fn begin(&mut self, at: u32, docs: usize, indent: usize) {
        self.flush(at, indent, indent, true);
        let line = self.line_of(at);
        self.start_line(line.saturating_sub(docs), indent);
        self.last = line;
    }

    /// Like [`Writer::begin`], but for a closing bracket: comments before it are still inside.
    pub(super) fn close(&mut self, at: u32, indent: usize) {
        self.flush(at, indent + STEP, indent + STEP, true);
        self.blank = Blank::No;
        self.newline(indent);
    }

    fn start_line(&mut self, line: usize, indent: usize) {
        self.newline(indent);
        let blank = match self.blank {
            Blank::AsInSource => line > self.last + 1,
            Blank::Yes => true,
            Blank::No => false,
        };
        if blank && !self.done.is_empty() {
            self.done.push(Line::default());
        }
        self.blank = Blank::AsInSource;
    }

    /// Says where the last piece ended in the source.
    pub(super) fn ended(&mut self, at: u32) {
        self.last = self.line_of(at.saturating_sub(1));
    }

    /// The documentation of the file took the lines up to this one.
    pub(super) fn documented(&mut self, line: usize) {
        self.last = line;
        self.blank = Blank::AsInSource;
    }

    /// After `{`: no empty line.
    pub(super) fn opened(&mut self) {
        self.blank = Blank::No;
    }

    /// An empty line comes before whatever is next.
    pub(super) fn blank_next(&mut self) {
        self.blank = Blank::Yes;
    }

    /// Whether a comment comes before `at`.
    pub(super) fn comment_due(&mut self, at: u32) -> bool {
        self.comments.peek().is_some_and(|c| c.span.start < at)
    }

    fn flush(&mut self, at: u32, indent: usize, hang: usize, between: bool) {
        while let Some(comment) = self.comments.next_if(|c| c.span.start < at) {
            let text = format!("//{}", comment.text.trim_end());
            let line = self.line_of(comment.span.start);
            if !comment.own_line && !self.now.text.is_empty() && self.now.comment.is_none() {
                self.now.comment = Some(text);
                self.newline(hang);
            } else if !comment.own_line && self.empty() && self.can_join() {
                if let Some(line) = self.done.last_mut() {
                    line.comment = Some(text);
                }
            } else {
                if between {
                    self.start_line(line, indent);
                } else {
                    self.newline(indent);
                }
                self.now.text = " ".repeat(indent) + &text;
                self.newline(hang);
            }
            self.last = line;
        }
    }

    fn can_join(&self) -> bool {
        let last = self.done.last();
        last.is_some_and(|line| {
            line.comment.is_none()
                && !line.text.is_empty()
                && !line.text.trim_start().starts_with("//")
        })
    }

    /// Everything written, comments behind lines in columns.
    pub(super) fn finish(mut self) -> String {
        self.flush(u32::MAX, 0, 0, true);
        if !self.empty() {
            self.end_line();
        }
        let mut out = String::new();
        let blocks = self
            .done
            .chunk_by(|a, b| !a.text.is_empty() && !b.text.is_empty());
        for block in blocks {
            let width = |line: &Line| line.text.chars().count();
            let commented = block.iter().filter(|line| line.comment.is_some());
            let column = commented.map(width).max().unwrap_or(0) + 2;
            for line in block {
                out.push_str(&line.text);
                if let Some(comment) = &line.comment {
                    out.extend(std::iter::repeat_n(' ', column - width(line)));
                    out.push_str(comment);
                }
                out.push('\n');
            }
        }
        out
    }
}
