//! From text to tokens.
//!
//! In: the text of a file, any text at all. Out: [`Lexed`] and diagnostics `E0101` to `E0105`.
//! Afterwards what could not be read is left out of the tokens and has been reported, and numbers
//! are finite.

use chumsky::prelude::*;

use super::ast::Comment;
use super::token::{Doc, Kind, Lexed, Source, Token, unescape};
use crate::diag::{Diagnostic, Sink, codes};
use crate::source::{FileId, Span};

/// At most so many mistakes of one file are kept; the rest is counted.
pub(crate) const MOST_ERRORS: usize = 100;

/// Words that start a declaration.
pub(crate) const ITEM_WORDS: &[&str] = &[
    "language", "use", "extends", "start", "canvas", "goal", "sample", "mutate", "size", "observe",
    "token", "sort", "draw", "fn", "builtin", "rewrite", "example",
];

/// Words that cannot be names in an expression.
pub(crate) const EXPR_WORDS: &[&str] = &[
    "if", "then", "else", "match", "let", "in", "not", "and", "or", "mod", "true", "false",
];

/// Cuts a file into tokens.
pub fn lex(file: FileId, text: &str, sink: &mut Sink) -> Lexed {
    let source = Source { file, text };
    let raw = raw_tokens()
        .parse_with_state(text, &mut extra::SimpleState(false))
        .into_output()
        .unwrap_or_default();
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
    refine.run(&raw);
    let mut lexed = refine.out;
    mark_items(source, &mut lexed.tokens);
    lexed
}

/// What the chumsky parser gives: a token, or something that becomes one or is reported.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Raw {
    Token(Kind),
    Comment,
    Unclosed(Kind),
    /// `'...'` or curly quotes.
    ForeignString,
    /// `...`
    DotDotDot,
    Bad,
}

type Piece = (Raw, SimpleSpan);
/// The state says whether the token before was `=`: only then does `/` start a regular expression.
type Extra = extra::Full<EmptyErr, extra::SimpleState<bool>, ()>;

fn raw_tokens<'a>() -> impl Parser<'a, &'a str, Vec<Piece>, Extra> {
    let digits = || one_of('0'..='9').repeated().at_least(1);
    let number = digits()
        .then(just('.').then(digits()).or_not())
        .then(
            one_of("eE")
                .then(one_of("+-").or_not())
                .then(digits())
                .or_not(),
        )
        .to(Raw::Token(Kind::Number));

    let letter = |c: &char| c.is_ascii_alphabetic() || *c == '_';
    let name = any()
        .filter(letter)
        .then(
            any()
                .filter(move |c| letter(c) || c.is_ascii_digit())
                .repeated(),
        )
        .to(Raw::Token(Kind::Name));

    let comment = just("//").then(none_of('\n').repeated()).to(Raw::Comment);

    let delimited = |kind: Kind, mark: char| {
        let escape = just('\\').then(none_of('\n').or_not()).ignored();
        let plain = none_of(['\\', '\n', mark]).ignored();
        just(mark)
            .ignore_then(choice((escape, plain)).repeated())
            .ignore_then(just(mark).or_not())
            .map(move |closed| match closed {
                Some(_) => Raw::Token(kind),
                None => Raw::Unclosed(kind),
            })
    };
    let string = delimited(Kind::Str, '"');
    let regex = empty()
        .try_map_with(|(), e: &mut _| {
            let state: &mut extra::SimpleState<bool> = chumsky::input::MapExtra::state(e);
            if state.0 {
                Ok(())
            } else {
                Err(EmptyErr::default())
            }
        })
        .ignore_then(delimited(Kind::Regex, '/'));
    let foreign = |open: char, close: char| {
        just(open)
            .then(none_of(['\n', close]).repeated())
            .then(just(close))
            .to(Raw::ForeignString)
    };

    let color = just('#')
        .then(any().filter(char::is_ascii_alphanumeric).repeated())
        .to(Raw::Token(Kind::Color));

    let path = just("./")
        .or(just("../"))
        .then(path_char().repeated())
        .to(Raw::Token(Kind::Path));

    let space = one_of(" \t\r\n\u{b}\u{c}\u{feff}").repeated();
    choice((
        name.boxed(),
        number.boxed(),
        comment.boxed(),
        string.boxed(),
        quote().boxed(),
        regex.boxed(),
        path.boxed(),
        punctuation().boxed(),
        color.boxed(),
        foreign('\'', '\'').boxed(),
        foreign('\u{201c}', '\u{201d}').boxed(),
        any().to(Raw::Bad).boxed(),
    ))
    .map_with(|raw, e| {
        if raw != Raw::Comment {
            e.state().0 = raw == Raw::Token(Kind::Eq);
        }
        (raw, e.span())
    })
    .padded_by(space)
    .repeated()
    .collect()
}

/// A character of a path; the `.` of `.{` is none.
fn path_char<'a>() -> impl Parser<'a, &'a str, (), Extra> + Clone {
    let plain = any().filter(|c: &char| c.is_alphanumeric() || "_-/".contains(*c));
    let dot = just('.').then_ignore(just('{').not());
    plain.or(dot).ignored()
}

/// `` `...` ``, which may span lines. A backtick that would close it on a later line but looks like
/// the start of another quote means that this one is not closed.
fn quote<'a>() -> impl Parser<'a, &'a str, Raw, Extra> {
    custom(|inp| {
        let start = inp.cursor();
        let rest: &str = inp.slice_from(&start..);
        let Some(body) = rest.strip_prefix('`') else {
            return Err(EmptyErr::default());
        };
        let (length, closed) = match quote_end(body) {
            Some(end) => (1 + end + 1, true),
            None => {
                let line = body.split('\n').next().unwrap_or(body);
                (1 + line.trim_end().len(), false)
            }
        };
        for _ in rest[..length].chars() {
            inp.skip();
        }
        Ok(if closed {
            Raw::Token(Kind::Quote)
        } else {
            Raw::Unclosed(Kind::Quote)
        })
    })
}

/// Where the closing backtick of a quote stands in what follows the opening one.
fn quote_end(body: &str) -> Option<usize> {
    // A program is written by hand; looking further would be quadratic in hostile files.
    const LONGEST: usize = 1 << 16;
    let mut at = 0;
    for (n, line) in body.split_inclusive('\n').enumerate() {
        let starts_item = || {
            let word = line.split([' ', '\t']).next().unwrap_or("");
            ITEM_WORDS.contains(&word)
        };
        if n > 0 && (at > LONGEST || starts_item()) {
            return None;
        }
        if let Some(found) = line.find('`') {
            let before = line[..found].trim_end();
            let opens = n > 0 && [":", "=", "=>"].iter().any(|end| before.ends_with(end));
            return (!opens).then_some(at + found);
        }
        at += line.len();
    }
    None
}

fn punctuation<'a>() -> impl Parser<'a, &'a str, Raw, Extra> {
    custom(|inp| {
        let start = inp.cursor();
        let rest: &str = inp.slice_from(&start..);
        let (length, raw) = symbol(rest.as_bytes()).ok_or_else(EmptyErr::default)?;
        for _ in 0..length {
            inp.skip();
        }
        Ok(raw)
    })
}

/// The longest symbol at the start of a text.
fn symbol(text: &[u8]) -> Option<(usize, Raw)> {
    use Kind::*;
    let found = match text {
        [b'.', b'.', b'.', ..] => return Some((3, Raw::DotDotDot)),
        [b'.', b'.', b'=', ..] => (3, DotDotEq),
        [b'<', b'=', b'>', ..] => (3, BothWays),
        [b'.', b'.', ..] => (2, DotDot),
        [b'=', b'=', ..] => (2, EqEq),
        [b'=', b'>', ..] => (2, FatArrow),
        [b'!', b'=', ..] => (2, NotEq),
        [b'<', b'=', ..] => (2, Le),
        [b'>', b'=', ..] => (2, Ge),
        [b'-', b'>', ..] => (2, Arrow),
        [b'|', b'>', ..] => (2, PipeTo),
        [b'|', b'|', ..] => (2, OrOr),
        [b'&', b'&', ..] => (2, AndAnd),
        [b'?', b'?', ..] => (2, Else),
        [c, ..] => {
            let kind = match c {
                b'(' => LParen,
                b')' => RParen,
                b'[' => LBracket,
                b']' => RBracket,
                b'{' => LBrace,
                b'}' => RBrace,
                b',' => Comma,
                b'.' => Dot,
                b':' => Colon,
                b'=' => Eq,
                b'<' => Lt,
                b'>' => Gt,
                b'|' => Bar,
                b'+' => Plus,
                b'-' => Minus,
                b'*' => Star,
                b'/' => Slash,
                b'^' => Caret,
                b'&' => Amp,
                b'?' => Question,
                b'~' => Tilde,
                b'@' => At,
                b'!' => Bang,
                b'%' => Percent,
                _ => return None,
            };
            (1, kind)
        }
        [] => return None,
    };
    Some((found.0, Raw::Token(found.1)))
}

/// Turns raw pieces into tokens, comments and diagnostics.
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
            item: false,
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
        let error = if first.is_alphabetic() {
            Diagnostic::new(
                codes::E0101,
                span,
                format!("`{first}` cannot stand in a name"),
                "",
            )
            .help("names are written with a to z, A to Z, 0 to 9 and `_`; other letters go in strings")
        } else if first.is_whitespace()
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

/// Marks the tokens at which a declaration seems to start: a word for it at the start of a line
/// with something fitting behind it on the same line.
fn mark_items(source: Source<'_>, tokens: &mut [Token]) {
    for at in 0..tokens.len() {
        let token = tokens[at];
        if !token.first || token.kind != Kind::Name {
            continue;
        }
        let word = source.of(token);
        if !ITEM_WORDS.contains(&word) {
            continue;
        }
        let Some(&next) = tokens.get(at + 1).filter(|next| !next.first) else {
            continue;
        };
        let text = source.of(next);
        tokens[at].item = match (word, next.kind) {
            ("use" | "extends", Kind::Path) | ("canvas", Kind::Number) => true,
            ("sample", Kind::Name) => ["frontier", "size", "by"].contains(&text),
            ("mutate", Kind::Name) => ["small", "by"].contains(&text),
            ("builtin", Kind::Name) => text == "fn",
            ("canvas", _) => false,
            (_, Kind::Name) => !EXPR_WORDS.contains(&text),
            _ => false,
        };
    }
}
