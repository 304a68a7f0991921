//! The parser's mistakes, and how they are told.
//!
//! In: what chumsky expected at a token, or a whole diagnostic. Out: [`Diagnostic`]s `E0107`.
//! Afterwards a message says what was expected, after what, and what was found.

use chumsky::DefaultExpected;
use chumsky::error::{Error, LabelError};
use chumsky::prelude::*;
use chumsky::util::MaybeRef;

use super::base::Tokens;
use crate::diag::nearest::nearest;
use crate::diag::{Diagnostic, codes};
use crate::meta::lexer::ITEM_WORDS;
use crate::meta::token::{Kind, Source, Token};

/// A mistake at a token.
#[derive(Clone, Debug, Default)]
pub(super) struct Fail {
    /// Index of the token that did not fit.
    at: usize,
    /// What would have fitted.
    expected: Vec<&'static str>,
    /// Said instead of the above.
    said: Option<Box<Diagnostic>>,
}

impl Fail {
    /// A mistake at the token with that index.
    pub(super) fn at(at: usize) -> Fail {
        Fail {
            at,
            ..Fail::default()
        }
    }
}

impl From<Diagnostic> for Fail {
    fn from(diagnostic: Diagnostic) -> Fail {
        Fail {
            said: Some(Box::new(diagnostic)),
            ..Fail::default()
        }
    }
}

impl<'a> Error<'a, Tokens<'a>> for Fail {
    fn merge(mut self, other: Fail) -> Fail {
        for label in other.expected {
            if !self.expected.contains(&label) {
                self.expected.push(label);
            }
        }
        self.at = self.at.max(other.at);
        self.said = self.said.or(other.said);
        self
    }
}

impl<'a> LabelError<'a, Tokens<'a>, DefaultExpected<'a, Token>> for Fail {
    fn expected_found<E: IntoIterator<Item = DefaultExpected<'a, Token>>>(
        _: E,
        _: Option<MaybeRef<'a, Token>>,
        span: SimpleSpan,
    ) -> Fail {
        Fail {
            at: span.start,
            ..Fail::default()
        }
    }
}

impl<'a> LabelError<'a, Tokens<'a>, &'static str> for Fail {
    fn expected_found<E: IntoIterator<Item = &'static str>>(
        expected: E,
        _: Option<MaybeRef<'a, Token>>,
        span: SimpleSpan,
    ) -> Fail {
        Fail {
            at: span.start,
            expected: expected.into_iter().collect(),
            said: None,
        }
    }

    fn label_with(&mut self, label: &'static str) {
        self.expected = vec![label];
    }
}

/// Labels that only say how an expression could go on; left out where something else is expected.
pub(super) const OPERATOR: &str = "an operator";
pub(super) const ITEM: &str = "a declaration";
pub(super) const DOMAIN: &str = "a set of values";
pub(super) const FIELD_SORT: &str = "a sort or token";

impl Fail {
    /// The diagnostic, or none when the mistake has been told already: the token was made up to
    /// close a bracket.
    pub(super) fn tell(mut self, source: Source<'_>, tokens: &[Token]) -> Option<Diagnostic> {
        if let Some(said) = self.said {
            return Some(*said);
        }
        let found = *tokens.get(self.at).or(tokens.last())?;
        if found.invented() {
            return None;
        }
        let before = self.at.checked_sub(1).and_then(|at| tokens.get(at));
        if self.expected.iter().any(|label| *label != OPERATOR) {
            self.expected.retain(|label| *label != OPERATOR);
        }
        let expected = list(&self.expected);
        let mut message = format!("expected {expected}");
        if let Some(before) = before
            && self.expected != [ITEM]
        {
            message += &format!(" after {}", shown(source, *before));
        }
        message += &format!(", found {}", shown(source, found));
        // What is missing at the end of a line is missing there, not on the next one.
        let (place, label) = match before {
            Some(before) if found.first && self.expected != [ITEM] => {
                (before.span.after(), format!("{expected} is missing here"))
            }
            _ => (found.span, "not expected here".to_string()),
        };
        let error = Diagnostic::new(codes::E0107, place, message, label);
        Some(self.advise(error, source, tokens))
    }

    fn advise(&self, error: Diagnostic, source: Source<'_>, tokens: &[Token]) -> Diagnostic {
        let found = tokens.get(self.at);
        let expects = |label: &str| self.expected.contains(&label);
        let next = tokens.get(self.at + 1);
        if let (Some(found), Some(next)) = (found, next)
            && found.kind == Kind::Dot
            && next.kind == Kind::Number
            && next.span.start == found.span.end
        {
            let mended = format!("0.{}", source.of(*next));
            return error
                .help(format!("write `{mended}`"))
                .fix(found.span.to(next.span), mended);
        }
        if let Some(found) = found.filter(|found| found.kind == Kind::Name) {
            let words = self.expected.iter().map(|label| label.trim_matches('`'));
            let words = words.chain(ITEM_WORDS.iter().copied().filter(|_| expects(ITEM)));
            if let Some(word) = nearest(source.of(*found), words) {
                return error
                    .help(format!("did you mean `{word}`?"))
                    .fix(found.span, word);
            }
        }
        if self.expected == [ITEM] {
            let all = ITEM_WORDS.join(", ");
            return error.help(format!("a declaration starts with one of: {all}"));
        }
        if expects(DOMAIN) {
            return error.help(
                "such as `0..=15`, `0..=315 step 45`, `real 0..=1 step 0.01`, `\"red\" | \"blue\"` or `/[a-z]+/`",
            );
        }
        if expects("`..=`") {
            return error.help("a range is written `0..=15`, or `0..16` without its last number");
        }
        if expects(FIELD_SORT) {
            return error.help("a field is written `name:Sort`");
        }
        error
    }
}

/// How a message speaks of a token.
fn shown(source: Source<'_>, token: Token) -> String {
    match token.kind {
        Kind::End => token.kind.shown().to_string(),
        Kind::Quote => "a program in backticks".to_string(),
        _ => {
            let text = source.of(token);
            match text.char_indices().nth(24) {
                Some((cut, _)) => format!("`{}...`", &text[..cut]),
                None if text.is_empty() => token.kind.shown().to_string(),
                None => format!("`{text}`"),
            }
        }
    }
}

/// `a, b or c`
fn list(labels: &[&'static str]) -> String {
    match labels {
        [] => "something else".to_string(),
        [only] => (*only).to_string(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}
