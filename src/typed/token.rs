//! Values of tokens.
//!
//! In: numbers and texts. Out: the indices by which the engine knows values. Afterwards a value is
//! one of its token's.

use super::node::{Node, Reader};
use super::{Error, Language};
use crate::grammar::ids::{ProdId, TokenId};
use crate::grammar::ir::{Domain, ProductionKind};
use crate::grammar::syntax::values::{real_index, value_index};
use crate::tree::Program;
use crate::tree::error::describe_token;

/// The values of a real token: `lo`, `lo + step`, ..., `hi`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    /// Least.
    pub lo: f64,
    /// Greatest.
    pub hi: f64,
    /// Distance of neighbours, positive.
    pub step: f64,
    /// Places after the point that tell all values apart.
    pub decimals: u8,
}

impl Grid {
    fn domain(self) -> Domain {
        let Grid {
            lo,
            hi,
            step,
            decimals,
        } = self;
        Domain::Real {
            lo,
            hi,
            step,
            decimals,
        }
    }

    /// The number so many steps above the least.
    #[must_use]
    pub fn number(self, steps: u32) -> f64 {
        self.domain().number(steps).unwrap_or(self.lo)
    }

    /// How many steps above the least a number is; `None` when it is not on the grid.
    #[must_use]
    pub fn steps(self, number: f64) -> Option<u32> {
        real_index(&self.domain(), number)
    }
}

/// The token of a production.
fn token_of(language: &'static Language, production: u16) -> Result<Option<TokenId>, Error> {
    let grammar = &language.compiled()?.grammar;
    let known = grammar.productions.get(ProdId(production).index());
    Ok(match known.map(|production| production.kind) {
        Some(ProductionKind::Token(token)) => Some(token),
        _ => None,
    })
}

/// The value that a text stands for, by the token's production. Not for text tokens.
///
/// # Errors
///
/// When the text is not a value of the token.
pub fn value_of<T: Node>(
    language: &'static Language,
    production: u16,
    text: &str,
) -> Result<T, Error> {
    let compiled = language.compiled()?;
    let Some(token) = token_of(language, production)? else {
        return Err(refused(text, "a value of this language"));
    };
    let domain = &compiled.grammar.token(token).domain;
    let index = match domain {
        Domain::Finite(values) => {
            let found = values.iter().position(|value| value.text == text);
            found.and_then(|index| u32::try_from(index).ok())
        }
        Domain::Text { .. } => None,
        _ => Some(text)
            .filter(|text| compiled.syntax.reads_as(token, text))
            .and_then(|text| value_index(domain, text)),
    };
    let node = index.and_then(|index| {
        let kinds = [(ProdId(production), index)];
        Program::from_preorder(&compiled.grammar, kinds, Vec::new())
    });
    let value = match &node {
        Some(node) => Reader::new(language.engine()?, node).whole(),
        None => None,
    };
    value.unwrap_or_else(|| Err(refused(text, &describe_token(&compiled.grammar, token))))
}

/// The error for a number that is not a value of a token.
#[must_use]
pub fn not_a_value(
    language: &'static Language,
    production: u16,
    number: &dyn std::fmt::Display,
) -> Error {
    let expected = match (language.compiled(), token_of(language, production)) {
        (Ok(compiled), Ok(Some(token))) => describe_token(&compiled.grammar, token),
        (Err(error), _) => return error,
        _ => "a value of this language".to_owned(),
    };
    refused(&number.to_string(), &expected)
}

/// Whether a text is one of a text token, by the token's production: the whole text is one word of
/// the language, not a quoted one, and matches the token's pattern.
///
/// # Errors
///
/// When it is not.
pub fn is_text(language: &'static Language, production: u16, text: &str) -> Result<(), Error> {
    let compiled = language.compiled()?;
    match token_of(language, production)? {
        Some(token) if compiled.syntax.reads_as(token, text) => Ok(()),
        Some(token) => Err(refused(text, &describe_token(&compiled.grammar, token))),
        None => Err(refused(text, "a value of this language")),
    }
}

fn refused(found: &str, expected: &str) -> Error {
    const SHOWN: usize = 40;
    let mut shown: String = found.chars().take(SHOWN).collect();
    if shown.len() < found.len() {
        shown.push_str("...");
    }
    Error::Value {
        found: shown.into(),
        expected: expected.into(),
    }
}
