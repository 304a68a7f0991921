//! From raw pieces to tokens, comments and diagnostics.

use super::{MOST_ERRORS, Piece, Raw};
use crate::diag::{Diagnostic, Sink, codes};
use crate::meta::ast::Comment;
use crate::meta::token::{Doc, Kind, Lead, Lexed, Source, Token, unescape};
use crate::source::Span;

/// Makes tokens of what was read, and reports what is none.
pub(super) fn refine(source: Source<'_>, raw: &[Piece], sink: &mut Sink) -> Lexed {
    let mut refine = Refine {
        source,
        sink,
        errors: 0,
        out: Lexed {
            tokens: Vec::with_capacity(raw.len() + 1),
            docs: Vec::new(),
            comments: Vec::new(),
            garbled: Vec::new(),
        },
    };
    refine.run(raw);
    refine.out
}

struct Refine<'a> {
    source: Source<'a>,
    sink: &'a mut Sink,
    errors: usize,
    out: Lexed,
}

impl Refine<'_> {
    fn run(&mut self, raw: &[Piece]) {
        let mut end = 0;
        let mut after_newline = true;
        let mut at = 0;
        while let Some(&(piece, range)) = raw.get(at) {
            let between = self.source.text.get(end..range.start).unwrap_or("");
            after_newline |= between.contains('\n');
            end = range.end;
            at += 1;
            let span = Span::new(self.source.file, range.start, range.end);
            match piece {
                Raw::Comment => self.comment(span, after_newline),
                Raw::Token(kind) => {
                    let kind = self.check(kind, span);
                    if kind == Kind::Number {
                        at += self.after_number(span, raw.get(at), after_newline);
                    } else {
                        self.token(kind, span, after_newline);
                    }
                }
                Raw::Unclosed(kind) => {
                    self.unclosed(kind, span);
                    self.token(kind, span, after_newline);
                }
                Raw::ForeignString => {
                    let body = self.source.slice(span);
                    let inner = body.get(first_len(body)..body.len() - last_len(body));
                    let fix = format!("\"{}\"", inner.unwrap_or("").replace('"', "\\\""));
                    self.error(
                        Diagnostic::new(
                            codes::E0105,
                            span,
                            "strings stand between plain double quotes",
                            "these are other quotes",
                        )
                        .help(format!("write {fix}"))
                        .fix(span, fix),
                    );
                    self.token(Kind::Str, span, after_newline);
                }
                Raw::DotDotDot => {
                    self.error(
                        Diagnostic::new(codes::E0105, span, "`...` is not a range", "")
                            .help("write `..=` for a range that includes its last number")
                            .fix(span, "..="),
                    );
                    self.token(Kind::DotDotEq, span, after_newline);
                }
                Raw::Bad if self.first_char(span).is_alphabetic() => {
                    while let Some((Raw::Bad | Raw::Token(Kind::Name | Kind::Number), next)) =
                        raw.get(at)
                        && next.start == end
                    {
                        end = next.end;
                        at += 1;
                    }
                    let whole = Span::new(self.source.file, range.start, end);
                    self.foreign_name(whole, after_newline);
                }
                Raw::Bad => {
                    while let Some((Raw::Bad, next)) = raw.get(at)
                        && next.start == end
                    {
                        end = next.end;
                        at += 1;
                    }
                    self.bad(Span::new(self.source.file, range.start, end));
                    continue;
                }
            }
            after_newline = false;
        }
        let length = self.source.text.len();
        self.token(Kind::End, Span::new(self.source.file, length, length), true);
        self.place_docs();
    }

    fn token(&mut self, kind: Kind, span: Span, first: bool) {
        self.out.tokens.push(Token {
            kind,
            first,
            lead: Lead::Nothing,
            span,
        });
    }

    fn error(&mut self, diagnostic: Diagnostic) {
        self.errors += 1;
        if self.errors <= MOST_ERRORS {
            self.sink.push(diagnostic);
        }
    }

    fn comment(&mut self, span: Span, own_line: bool) {
        let text = self.source.slice(span).trim_end();
        let span = Span::new(
            span.file,
            span.start as usize,
            span.start as usize + text.len(),
        );
        let body = &text[2..];
        let doc = match body.as_bytes() {
            [b'!', ..] => Some(true),
            [b'/', b'/', ..] => None,
            [b'/', ..] => Some(false),
            _ => None,
        };
        match doc {
            Some(inner) => self.out.docs.push(Doc {
                text: body[1..]
                    .strip_prefix(' ')
                    .unwrap_or(&body[1..])
                    .to_string(),
                span,
                inner,
                own_line,
                next: 0,
            }),
            None => self.out.comments.push(Comment {
                text: body.to_string(),
                span,
                own_line,
            }),
        }
    }

    /// Tells each line of documentation which token comes after it.
    fn place_docs(&mut self) {
        let mut tokens = self.out.tokens.iter().peekable();
        for doc in &mut self.out.docs {
            while tokens
                .next_if(|token| token.span.start < doc.span.end && token.kind != Kind::End)
                .is_some()
            {}
            doc.next = tokens.peek().map_or(u32::MAX, |token| token.span.start);
        }
    }

    /// Reports what is wrong inside a token; gives the kind it is read as.
    fn check(&mut self, kind: Kind, span: Span) -> Kind {
        let text = self.source.slice(span);
        match kind {
            Kind::Str => self.escapes(span),
            Kind::Color if !matches!(text.len(), 7 | 9) || !hex(&text[1..]) => {
                let mut error = Diagnostic::new(
                    codes::E0104,
                    span,
                    format!("`{text}` is not a colour"),
                    "expected six or eight hexadecimal digits",
                )
                .help("a colour is written `#rrggbb`, or `#rrggbbaa` with its opacity");
                if text.len() == 4 && hex(&text[1..]) {
                    let long: String = text[1..].chars().flat_map(|c| [c, c]).collect();
                    error = error.fix(span, format!("#{long}"));
                }
                self.error(error);
            }
            Kind::Path if text.ends_with(".tdg") => {
                let bare = text.trim_end_matches(".tdg");
                self.error(
                    Diagnostic::new(codes::E0105, span, "a module is named without `.tdg`", "")
                        .help(format!("write `{bare}`"))
                        .fix(span, bare),
                );
            }
            Kind::AndAnd | Kind::OrOr | Kind::Bang | Kind::Percent => {
                let word = match kind {
                    Kind::AndAnd => "and",
                    Kind::OrOr => "or",
                    Kind::Bang => "not ",
                    _ => "mod",
                };
                let plain = word.trim_end();
                self.error(
                    Diagnostic::new(
                        codes::E0105,
                        span,
                        format!("`{text}` is written `{plain}` here"),
                        "",
                    )
                    .help(format!("write `{plain}`"))
                    .fix(span, word),
                );
            }
            _ => {}
        }
        kind
    }

    fn escapes(&mut self, span: Span) {
        let raw = self.source.slice(span);
        let body = raw.strip_prefix('"').unwrap_or(raw);
        let body = body.strip_suffix('"').unwrap_or(body);
        if !body.contains('\\') {
            return;
        }
        for (range, why) in unescape(body).1 {
            let from = span.start as usize + 1;
            let place = Span::new(span.file, from + range.start, from + range.end);
            self.error(
                Diagnostic::new(codes::E0103, place, "this escape cannot be read", why).help(
                    "the escapes are those of JSON: \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\uXXXX",
                ),
            );
        }
    }

    /// A number, and the letters that may follow it without a space. Gives the number of further
    /// pieces used.
    fn after_number(&mut self, span: Span, next: Option<&Piece>, first: bool) -> usize {
        let text = self.source.slice(span);
        self.token(Kind::Number, span, first);
        if !text.parse::<f64>().is_ok_and(f64::is_finite) {
            self.error(Diagnostic::new(
                codes::E0104,
                span,
                "this number is too large",
                "numbers are 64-bit floating point, at most about 1.8e308",
            ));
        }
        let Some(&(Raw::Token(Kind::Name), name)) = next else {
            return 0;
        };
        if name.start != span.end as usize {
            return 0;
        }
        let whole = Span::new(span.file, span.start as usize, name.end);
        let word = &self.source.text[name.start..name.end];
        let height = word.strip_prefix('x').filter(|rest| {
            !rest.is_empty() && text != "0" && rest.bytes().all(|b| b.is_ascii_digit())
        });
        let error = Diagnostic::new(
            codes::E0104,
            whole,
            "a number cannot be followed by letters",
            "put something between them",
        );
        if let Some(height) = height {
            let mended = format!("{text} x {height}");
            self.error(error.help(format!("write `{mended}`")).fix(whole, mended));
            let middle = name.start + 1;
            self.token(Kind::Name, Span::new(span.file, name.start, middle), false);
            self.token(Kind::Number, Span::new(span.file, middle, name.end), false);
        } else {
            self.error(error.help(format!(
                "for a product write `{text} * {word}`; a number has no unit"
            )));
        }
        1
    }

    fn unclosed(&mut self, kind: Kind, span: Span) {
        let mark = match kind {
            Kind::Str => "\"",
            Kind::Regex => "/",
            _ => "`",
        };
        let text = self.source.slice(span).trim_end();
        let shown = Span::new(
            span.file,
            span.start as usize,
            span.start as usize + text.len(),
        );
        let mut error = Diagnostic::new(
            codes::E0102,
            shown,
            format!("{} is not closed", kind.shown()),
            format!("no {mark} up to the end of the line"),
        );
        // The word after the mark is what was meant, most often.
        let word = text.len() - text[mark.len()..].len()
            + text[mark.len()..]
                .find(char::is_whitespace)
                .unwrap_or(text.len() - mark.len());
        if kind == Kind::Str && word > mark.len() {
            let end = Span::new(span.file, 0, span.start as usize + word).after();
            error = error
                .help(format!("put {mark} after `{}`", &text[mark.len()..word]))
                .fix(end, mark);
        } else {
            error = error.help(format!("close it with {mark}"));
        }
        let line_start = span.start - u32::try_from(self.source.column(span.start)).unwrap_or(0);
        self.out.garbled.push(line_start..span.end + 1);
        self.error(error);
    }

    fn first_char(&self, span: Span) -> char {
        self.source.slice(span).chars().next().unwrap_or(' ')
    }

    /// Letters that no name may have; they join the name that they touch.
    fn foreign_name(&mut self, span: Span, first: bool) {
        let whole = match self.out.tokens.last_mut() {
            Some(name) if name.kind == Kind::Name && name.span.end == span.start => {
                name.span = name.span.to(span);
                name.span
            }
            _ => {
                self.token(Kind::Name, span, first);
                span
            }
        };
        let letter = self.first_char(span);
        let word = self.source.slice(whole);
        self.error(
            Diagnostic::new(
                codes::E0101,
                whole,
                format!("`{word}` cannot be a name"),
                format!("`{letter}` is none of the letters of names"),
            )
            .help("names are written with a to z, A to Z, 0 to 9 and `_`"),
        );
    }

    fn bad(&mut self, span: Span) {
        let text = self.source.slice(span);
        let first = text.chars().next().unwrap_or(' ');
        if text.chars().all(|c| c == ';') {
            self.error(
                Diagnostic::new(
                    codes::E0105,
                    span,
                    "`;` is not used",
                    "nothing needs to be ended",
                )
                .help("leave it out")
                .fix(span, ""),
            );
            return;
        }
        let error = if first.is_whitespace()
            || first.is_control()
            || matches!(first, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
        {
            Diagnostic::new(
                codes::E0101,
                span,
                format!(
                    "the invisible character U+{:04X} has no meaning",
                    first as u32
                ),
                "delete it",
            )
            .fix(span, if first.is_whitespace() { " " } else { "" })
        } else {
            Diagnostic::new(
                codes::E0101,
                span,
                format!("the character `{first}` has no meaning here"),
                "",
            )
        };
        self.error(error);
    }
}

fn hex(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn first_len(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

fn last_len(text: &str) -> usize {
    text.chars().next_back().map_or(0, char::len_utf8)
}
