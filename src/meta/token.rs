//! Tokens of a `.tdg` file, and what their texts mean.
//!
//! In: the lexer's findings. Out: [`Lexed`]. Afterwards tokens stand in the order of the text, do
//! not overlap, and the last one is [`Kind::End`]; comments and documentation are beside them.

use std::ops::Range;

use serde::Serialize;

use super::ast;
use crate::source::{FileId, Span};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $shown:literal)*) => {
        /// What a token is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
        #[allow(missing_docs)] // named as what they are
        pub enum Kind { $($(#[$doc])* $name,)* }

        impl Kind {
            /// How a message speaks of it: `` `{` ``, `a name`.
            pub fn shown(self) -> &'static str {
                match self { $(Kind::$name => $shown,)* }
            }
        }
    };
}

kinds! {
    Name "a name"
    Number "a number"
    /// `"..."`
    Str "a string"
    /// `/.../`
    Regex "a regular expression"
    /// `` `...` ``
    Quote "a program in backticks"
    /// `#rrggbb`
    Color "a colour"
    /// `./mine`
    Path "a path"
    LParen "`(`"
    RParen "`)`"
    LBracket "`[`"
    RBracket "`]`"
    LBrace "`{`"
    RBrace "`}`"
    Comma "`,`"
    Dot "`.`"
    DotDot "`..`"
    DotDotEq "`..=`"
    Colon "`:`"
    Eq "`=`"
    EqEq "`==`"
    NotEq "`!=`"
    Lt "`<`"
    Le "`<=`"
    Gt "`>`"
    Ge "`>=`"
    FatArrow "`=>`"
    BothWays "`<=>`"
    Arrow "`->`"
    Bar "`|`"
    PipeTo "`|>`"
    Plus "`+`"
    Minus "`-`"
    Star "`*`"
    Slash "`/`"
    Caret "`^`"
    Amp "`&`"
    Question "`?`"
    Else "`??`"
    Tilde "`~`"
    At "`@`"
    /// `&&`, reported by the lexer and read as `and`.
    AndAnd "`&&`"
    /// `||`, reported by the lexer and read as `or`.
    OrOr "`||`"
    /// `!`, reported by the lexer and read as `not`.
    Bang "`!`"
    /// `%`, reported by the lexer and read as `mod`.
    Percent "`%`"
    /// After the last token.
    End "the end of the file"
}

impl Kind {
    /// The bracket that closes this one.
    pub(crate) fn closer(self) -> Option<Kind> {
        match self {
            Kind::LParen => Some(Kind::RParen),
            Kind::LBracket => Some(Kind::RBracket),
            Kind::LBrace => Some(Kind::RBrace),
            _ => None,
        }
    }

    /// Whether it closes a bracket.
    pub(crate) fn closes(self) -> bool {
        matches!(self, Kind::RParen | Kind::RBracket | Kind::RBrace)
    }
}

/// A token. An empty span means that the parser put it there to close a bracket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Token {
    /// Which.
    pub kind: Kind,
    /// Whether it is the first of its line.
    pub first: bool,
    /// What seems to start here; a name that leads something is not one that ends what was before.
    pub lead: Lead,
    /// The place.
    pub span: Span,
}

/// What seems to start at a token that is the first of its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Lead {
    /// Nothing in particular.
    Nothing,
    /// A declaration: its word with something fitting behind it.
    Item,
    /// Perhaps a declaration: its word at the very start of a line.
    Perhaps,
    /// An arm: a pattern and `=>`.
    Arm,
    /// A production or an operator table.
    Member,
    /// A rule: a name, `:` and a quote.
    Rule,
}

impl Token {
    /// Whether a declaration starts here.
    pub(crate) fn item(&self) -> bool {
        self.lead == Lead::Item
    }

    /// Whether the parser made it up.
    pub(crate) fn invented(&self) -> bool {
        self.kind != Kind::End && self.span.start == self.span.end
    }
}

/// A line of documentation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Doc {
    /// What follows the marker, without one space.
    pub text: String,
    /// The place, marker included.
    pub span: Span,
    /// `//!` rather than `///`.
    pub inner: bool,
    /// Whether nothing stands before it on its line.
    pub own_line: bool,
    /// Where the token after it starts.
    pub next: u32,
}

/// A file cut into tokens.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Lexed {
    /// The tokens; the last is [`Kind::End`].
    pub tokens: Vec<Token>,
    /// Lines of documentation, in order.
    pub docs: Vec<Doc>,
    /// Plain comments, in order.
    pub comments: Vec<ast::Comment>,
    /// Lines that hold an unclosed string: what stands there cannot be trusted.
    #[serde(skip)]
    pub(crate) garbled: Vec<Range<u32>>,
}

/// A source text with its file.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) file: FileId,
    pub(crate) text: &'a str,
}

impl<'a> Source<'a> {
    /// The text under a span.
    pub(crate) fn slice(self, span: Span) -> &'a str {
        self.text.get(span.range()).unwrap_or("")
    }

    /// The text of a token.
    pub(crate) fn of(self, token: Token) -> &'a str {
        self.slice(token.span)
    }

    /// Characters before `at` on its line.
    pub(crate) fn column(self, at: u32) -> usize {
        let before = self.text.get(..at as usize).unwrap_or("");
        before.len() - before.rfind('\n').map_or(0, |newline| newline + 1)
    }

    /// The value of a string, quote or regular expression, escapes undone.
    pub(crate) fn value(self, token: Token) -> ast::Text {
        let raw = self.of(token);
        let body = enclosed(raw);
        let text = match token.kind {
            Kind::Str => unescape(body).0,
            Kind::Regex => unescape_slashes(body),
            _ => body.to_string(),
        };
        ast::Text {
            text,
            span: token.span,
        }
    }
}

/// What the delimiters enclose; the closing one may be missing.
fn enclosed(raw: &str) -> &str {
    let mut chars = raw.chars();
    let close = match chars.next() {
        Some('\u{201c}') => '\u{201d}',
        Some(c) => c,
        None => return "",
    };
    let body = chars.as_str();
    body.strip_suffix(close).unwrap_or(body)
}

/// An escape that is none: its place in the body, and why.
pub(crate) type BadEscape = (Range<usize>, &'static str);

/// Undoes the escapes of JSON.
pub(crate) fn unescape(body: &str) -> (String, Vec<BadEscape>) {
    let mut value = String::with_capacity(body.len());
    let mut bad = Vec::new();
    let mut rest = body;
    while let Some(at) = rest.find('\\') {
        value.push_str(&rest[..at]);
        let start = body.len() - rest.len() + at;
        let after = &rest[at + 1..];
        let Some(escape) = after.chars().next() else {
            bad.push((start..body.len(), "nothing follows the `\\`"));
            rest = "";
            break;
        };
        let mut length = escape.len_utf8();
        match escape {
            '"' | '\\' | '/' => value.push(escape),
            'b' => value.push('\u{8}'),
            'f' => value.push('\u{c}'),
            'n' => value.push('\n'),
            'r' => value.push('\r'),
            't' => value.push('\t'),
            'u' => {
                let (read, found) = unicode(&after[1..]);
                length += read;
                match found {
                    Ok(c) => value.push(c),
                    Err(why) => bad.push((start..start + 1 + length, why)),
                }
            }
            _ => bad.push((start..start + 1 + length, "this escape is not known")),
        }
        rest = &after[length..];
    }
    value.push_str(rest);
    (value, bad)
}

/// The character of `XXXX` or of a pair `XXXX\uXXXX`, and the number of bytes read.
fn unicode(text: &str) -> (usize, Result<char, &'static str>) {
    let four = |text: &str| {
        let digits = text.get(..4)?;
        let hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
        hex.then(|| u32::from_str_radix(digits, 16).ok()).flatten()
    };
    const LONE: &str = "half of a surrogate pair is not a character";
    let Some(high) = four(text) else {
        return (0, Err("`\\u` is followed by four hexadecimal digits"));
    };
    if !(0xd800..0xe000).contains(&high) {
        return (4, char::from_u32(high).ok_or(LONE));
    }
    let low = text[4..].strip_prefix("\\u").and_then(four);
    match low {
        Some(low) if high < 0xdc00 && (0xdc00..0xe000).contains(&low) => {
            let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
            (10, char::from_u32(code).ok_or(LONE))
        }
        _ => (4, Err(LONE)),
    }
}

/// A regular expression as the regex crate reads it: `\/` is a plain slash.
fn unescape_slashes(body: &str) -> String {
    let mut value = String::with_capacity(body.len());
    let mut chars = body.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            value.push(c);
            continue;
        }
        match chars.next() {
            Some('/') => value.push('/'),
            Some(other) => value.extend(['\\', other]),
            None => value.push('\\'),
        }
    }
    value
}

/// A string as written between quotes, the inverse of [`unescape`].
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if (c as u32) < 0x20 || c as u32 == 0x7f => {
                out.push_str(&format!("\\u{:04x}", c as u32));
            }
            c => out.push(c),
        }
    }
    out
}

/// A regular expression as written between slashes.
pub(crate) fn escape_slashes(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '/' => out.push_str("\\/"),
            '\\' => {
                out.push('\\');
                out.extend(chars.next());
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_and_put_back() {
        let (value, bad) = unescape(r#"a\"b\\c\/\n\u0041\ud83d\ude00"#);
        assert_eq!(value, "a\"b\\c/\nA\u{1f600}");
        assert!(bad.is_empty());
        assert_eq!(unescape(&escape(&value)).0, value);
    }

    #[test]
    fn bad_escapes_are_placed() {
        for (body, range) in [
            (r"a\qb", 1..3),
            (r"\ud800", 0..6),
            (r"\udc00x", 0..6),
            (r"\ud800A", 0..6),
            (r"\u12", 0..2),
            (r"x\", 1..2),
            (r"\é", 0..3),
        ] {
            let (_, bad) = unescape(body);
            assert_eq!(bad.len(), 1, "{body}");
            assert_eq!(bad[0].0, range, "{body}");
        }
    }

    #[test]
    fn slashes_of_a_regex_round_trip() {
        for text in [r"a/b", r"\\/", r"[^\d/]", r"\\\\"] {
            assert_eq!(unescape_slashes(&escape_slashes(text)), text);
        }
    }
}
