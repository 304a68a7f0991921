//! From text to tokens.
//!
//! In: the text of a file, any text at all. Out: [`Lexed`] and diagnostics `E0101` to `E0105`.
//! Afterwards what could not be read is left out of the tokens and has been reported, and numbers
//! are finite.

use chumsky::prelude::*;

use super::token::{Kind, Lexed, Source};
use crate::diag::Sink;
use crate::source::FileId;

mod leads;
mod refine;

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
    let mut lexed = refine::refine(source, &raw, sink);
    leads::mark(source, &mut lexed.tokens);
    lexed
}

/// Words that start an operator table.
pub(crate) const TABLE_WORDS: &[&str] = &["infix", "prefix", "postfix"];

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
