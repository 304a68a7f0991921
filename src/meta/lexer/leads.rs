//! What seems to start at the first token of a line.
//!
//! The parser needs these marks only where something is missing: they keep a half-written line
//! from taking the next one for its rest, and say where reading resumes.

use super::{EXPR_WORDS, ITEM_WORDS, TABLE_WORDS};
use crate::meta::token::{Kind, Lead, Source, Token};

/// Marks the tokens at which something seems to start.
pub(super) fn mark(source: Source<'_>, tokens: &mut [Token]) {
    for at in 0..tokens.len() {
        if tokens[at].first {
            tokens[at].lead = lead(source, &tokens[at..]);
        }
    }
}

/// What the first of these tokens, which starts a line, leads.
fn lead(source: Source<'_>, rest: &[Token]) -> Lead {
    let kind = |at: usize| rest.get(at).map(|token| token.kind);
    match (kind(0), kind(1), kind(2)) {
        (Some(Kind::Name), Some(Kind::FatArrow), _) => return Lead::Arm,
        (Some(Kind::Minus), Some(Kind::Number), Some(Kind::FatArrow)) => return Lead::Arm,
        (Some(Kind::Name), Some(Kind::Eq), _) => return Lead::Member,
        (Some(Kind::Name), Some(Kind::Colon), Some(Kind::Quote)) => return Lead::Rule,
        (Some(Kind::Name), Some(_), _) => {}
        _ => return Lead::Nothing,
    }
    let (word, next) = (source.of(rest[0]), rest[1]);
    let text = source.of(next);
    if TABLE_WORDS.contains(&word) {
        let table = next.kind == Kind::LBrace || ["left", "right", "none"].contains(&text);
        return if table { Lead::Member } else { Lead::Nothing };
    }
    if !ITEM_WORDS.contains(&word) {
        return Lead::Nothing;
    }
    let item = !next.first
        && match (word, next.kind) {
            ("use" | "extends", Kind::Path) | ("canvas", Kind::Number) => true,
            ("sample", Kind::Name) => ["frontier", "size", "by"].contains(&text),
            ("mutate", Kind::Name) => ["small", "by"].contains(&text),
            ("builtin", Kind::Name) => text == "fn",
            ("canvas", _) => false,
            (_, Kind::Name) => !EXPR_WORDS.contains(&text),
            _ => false,
        };
    if item {
        Lead::Item
    } else if source.column(rest[0].span.start) == 0 {
        Lead::Perhaps
    } else {
        Lead::Nothing
    }
}
