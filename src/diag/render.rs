//! Diagnostics as text, with the lines they are about. The only file that knows ariadne.
//!
//! In: diagnostics and the source map. Out: text, coloured on request. Afterwards nothing of a
//! source text that would steer a terminal is in it, and its length does not follow from the
//! length of the source's lines.

use std::fmt::Write;

use ariadne::{Color, Config, Label, Report, ReportKind, Source};

use super::{Diagnostic, Fix, Severity};
use crate::source::{FileId, SourceMap, Span};

/// Longest part of a file, in bytes, that is laid out with marks below its lines.
const MOST_SHOWN: usize = 1 << 14;
/// Longest line that is shown.
const LONGEST_LINE: usize = 500;

/// Many diagnostics, one after the other.
pub fn render_all(list: &[Diagnostic], sources: &SourceMap, color: bool) -> String {
    list.iter()
        .map(|diagnostic| render(diagnostic, sources, color))
        .collect()
}

/// One diagnostic: what is wrong, the lines with remarks, what to do, why.
pub fn render(diagnostic: &Diagnostic, sources: &SourceMap, color: bool) -> String {
    laid_out(diagnostic, sources, color).unwrap_or_else(|| plain(diagnostic, sources))
}

/// The part of a file that a diagnostic is about.
struct Excerpt {
    file: FileId,
    /// Byte where it starts, and its text there.
    start: usize,
    lines: Vec<String>,
    /// Number of lines of the file before it.
    skipped: usize,
    source: Source<String>,
}

type Place = (FileId, std::ops::Range<usize>);

impl Excerpt {
    /// The lines that hold `spans`, all of one file; none if that is too much to show.
    fn of(file: FileId, spans: &[Span], sources: &SourceMap) -> Option<Excerpt> {
        let text: &str = &sources.file(file).text;
        let first = spans
            .iter()
            .map(|s| s.start as usize)
            .min()?
            .min(text.len());
        let last = spans.iter().map(|s| s.end as usize).max()?.min(text.len());
        let bytes = text.as_bytes();
        let newline = |b: &u8| *b == b'\n';
        let start = bytes[..first]
            .iter()
            .rposition(newline)
            .map_or(0, |at| at + 1);
        let end = bytes[last..]
            .iter()
            .position(newline)
            .map_or(bytes.len(), |at| last + at);
        let shown = text
            .get(start..end)
            .filter(|shown| shown.len() <= MOST_SHOWN)?;
        let lines: Vec<String> = shown.split('\n').map(str::to_string).collect();
        if lines.iter().any(|line| line.len() > LONGEST_LINE) {
            return None;
        }
        let harmless: Vec<String> = lines.iter().map(|line| harmless(line)).collect();
        let skipped = bytes[..start].iter().filter(|b| newline(b)).count();
        Some(Excerpt {
            file,
            start,
            // Empty lines keep the count; ariadne's own line offset does not reach its margin.
            source: Source::from("\n".repeat(skipped) + &harmless.join("\n")),
            lines,
            skipped,
        })
    }

    /// Characters before a byte of the file in what ariadne is given.
    fn offset(&self, at: u32) -> usize {
        let mut left = (at as usize).saturating_sub(self.start);
        let mut chars = self.skipped;
        for line in &self.lines {
            if left <= line.len() {
                let mut cut = left;
                while !line.is_char_boundary(cut) {
                    cut -= 1;
                }
                return chars + harmless(&line[..cut]).chars().count();
            }
            left -= line.len() + 1;
            chars += harmless(line).chars().count() + 1;
        }
        chars.saturating_sub(1)
    }

    fn place(&self, span: Span) -> Place {
        let start = self.offset(span.start);
        (self.file, start..self.offset(span.end).max(start))
    }
}

struct Cache<'a> {
    excerpts: Vec<Excerpt>,
    sources: &'a SourceMap,
}

impl ariadne::Cache<FileId> for Cache<'_> {
    type Storage = String;

    fn fetch(&mut self, id: &FileId) -> Result<&Source<String>, impl std::fmt::Debug> {
        let found = self.excerpts.iter().find(|excerpt| excerpt.file == *id);
        found.map(|excerpt| &excerpt.source).ok_or("not shown")
    }

    fn display<'b>(&self, id: &'b FileId) -> Option<impl std::fmt::Display + 'b> {
        Some(harmless(&self.sources.file(*id).name))
    }
}

fn laid_out(diagnostic: &Diagnostic, sources: &SourceMap, color: bool) -> Option<String> {
    let labels = std::iter::once(&diagnostic.primary).chain(&diagnostic.secondary);
    let mut spans: Vec<(FileId, Vec<Span>)> = Vec::new();
    for label in labels.clone() {
        match spans.iter_mut().find(|(file, _)| *file == label.span.file) {
            Some((_, of)) => of.push(label.span),
            None => spans.push((label.span.file, vec![label.span])),
        }
    }
    let excerpts = spans
        .iter()
        .map(|(file, spans)| Excerpt::of(*file, spans, sources))
        .collect::<Option<Vec<_>>>()?;
    let excerpt = |file: FileId| excerpts.iter().find(|excerpt| excerpt.file == file);

    let (kind, strong) = match diagnostic.severity() {
        Severity::Error => (ReportKind::Error, Color::Red),
        Severity::Warning => (ReportKind::Warning, Color::Yellow),
    };
    let primary = diagnostic.primary.span;
    let mut report = Report::build(kind, excerpt(primary.file)?.place(primary))
        .with_config(Config::default().with_color(color))
        .with_code(diagnostic.code)
        .with_message(harmless(&diagnostic.message));
    // ariadne would repeat the file for a label above the one before.
    let mut labels: Vec<_> = labels.enumerate().collect();
    labels.sort_by_key(|(_, label)| {
        let of = spans.iter().position(|(file, _)| *file == label.span.file);
        (of, label.span.end, label.span.start)
    });
    for (n, label) in labels {
        let mut shown =
            Label::new(excerpt(label.span.file)?.place(label.span)).with_color(match n {
                0 => strong,
                _ => Color::Blue,
            });
        if !label.message.is_empty() {
            shown = shown.with_message(harmless(&label.message));
        } else if n == 0 {
            shown = shown.with_message("here");
        }
        report.add_label(shown);
    }
    for help in advice(diagnostic, sources) {
        report.add_help(harmless(&help));
    }
    for note in &diagnostic.notes {
        report.add_note(harmless(note));
    }
    let mut out = Vec::new();
    let cache = Cache { excerpts, sources };
    report.finish().write(cache, &mut out).ok()?;
    let text = String::from_utf8(out).ok()?;
    let trimmed: String = text
        .lines()
        .flat_map(|line| [line.trim_end(), "\n"])
        .collect();
    Some(trimmed)
}

/// Without the source's lines, where these are too long to look at.
fn plain(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    let severity = match diagnostic.severity() {
        Severity::Error => "Error",
        Severity::Warning => "Warning",
    };
    let mut out = format!(
        "[{}] {severity}: {}\n",
        diagnostic.code,
        harmless(&diagnostic.message)
    );
    for label in std::iter::once(&diagnostic.primary).chain(&diagnostic.secondary) {
        let file = &sources.file(label.span.file).name;
        let (line, column) = sources.line_column(label.span.file, label.span.start);
        let _ = write!(out, "   at {}:{line}:{column}", harmless(file));
        let _ = match label.message.as_str() {
            "" => writeln!(out),
            message => writeln!(out, ": {}", harmless(message)),
        };
    }
    for help in advice(diagnostic, sources) {
        let _ = writeln!(out, "   Help: {}", harmless(&help));
    }
    for note in &diagnostic.notes {
        let _ = writeln!(out, "   Note: {}", harmless(note));
    }
    out
}

/// What to do: the help, and the fix where the help does not spell it out.
fn advice(diagnostic: &Diagnostic, sources: &SourceMap) -> Vec<String> {
    let mut all: Vec<String> = diagnostic.help.iter().cloned().collect();
    if let Some(fix) = &diagnostic.fix {
        let said = all.iter().any(|help| help.contains(fix.replacement.trim()));
        if !said {
            all.push(spelled_out(fix, sources));
        }
    }
    all
}

fn spelled_out(fix: &Fix, sources: &SourceMap) -> String {
    let old = sources.text(fix.span);
    let new = &fix.replacement;
    if old.is_empty() {
        let (line, column) = sources.line_column(fix.span.file, fix.span.start);
        format!("insert `{new}` at {line}:{column}")
    } else if new.is_empty() {
        format!("delete `{old}`")
    } else {
        format!("replace `{old}` with `{new}`")
    }
}

/// The text with everything replaced that would steer a terminal or hide what is there. One
/// character gives one character.
fn harmless(text: &str) -> String {
    let text = text.strip_suffix('\r').unwrap_or(text);
    let replace = |c: char| match c {
        '\n' | '\t' => c,
        c if c.is_control() => '\u{fffd}',
        '\u{2028}' | '\u{2029}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' => '\u{fffd}',
        '\u{2060}'..='\u{206f}' | '\u{feff}' => '\u{fffd}',
        c => c,
    };
    text.chars().map(replace).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::codes;
    use crate::source::Origin;

    fn map(texts: &[(&str, &str)]) -> SourceMap {
        let mut sources = SourceMap::new();
        for (name, text) in texts {
            sources.add(*name, *text, Origin::Memory);
        }
        sources
    }

    fn at(file: u32, start: usize, end: usize) -> Span {
        Span::new(FileId(file), start, end)
    }

    #[test]
    fn marks_stand_below_the_right_characters() {
        let sources = map(&[
            ("a.tdg", "// één\r\nünd x = 1;\r\n"),
            ("b.tdg", "sort X {}\n"),
        ]);
        let text = &sources.file(FileId(0)).text;
        let semi = text.find(';').unwrap();
        let diagnostic = Diagnostic::new(
            codes::E0105,
            at(0, semi, semi + 1),
            "`;` is not used",
            "this",
        )
        .label(at(1, 5, 6), "and that")
        .note("one")
        .fix(at(0, semi, semi + 1), "");
        let shown = render(&diagnostic, &sources, false);
        assert!(shown.contains("a.tdg:2:10"), "{shown}");
        assert!(shown.contains("b.tdg:1:6"), "{shown}");
        assert!(shown.contains("2 │ ünd x = 1;"), "{shown}");
        assert!(shown.contains("delete `;`"), "{shown}");
        assert!(
            !shown.contains('\u{1b}') && !shown.contains('\r'),
            "{shown}"
        );
        assert!(render(&diagnostic, &sources, true).contains('\u{1b}'));
    }

    #[test]
    fn every_span_of_every_text_can_be_shown() {
        for text in [
            "",
            "\n",
            "a",
            "é\n\nü",
            "x\r\ny\r\n",
            "\u{1b}[2J\u{2028}\u{202e}\u{b}z",
            "\t\ta\n\n\n",
        ] {
            let sources = map(&[("a", text)]);
            for start in 0..=text.len() + 1 {
                for end in start..=text.len() + 2 {
                    let diagnostic = Diagnostic::new(codes::E0101, at(0, start, end), "m", "l");
                    let shown = render(&diagnostic, &sources, false);
                    assert!(!shown.contains('\u{1b}'), "{text:?} {start}..{end}");
                }
            }
        }
    }

    #[test]
    fn long_lines_are_not_shown() {
        let long = "(".repeat(1 << 20);
        let sources = map(&[("a", &long)]);
        let diagnostic =
            Diagnostic::new(codes::E0108, at(0, 200, 201), "deep", "here").help("less");
        let shown = render(&diagnostic, &sources, false);
        assert_eq!(
            shown,
            "[E0108] Error: deep\n   at a:1:201: here\n   Help: less\n"
        );
    }
}
