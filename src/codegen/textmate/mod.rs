//! A TextMate grammar: programs of the language in colours, in editors.
//!
//! In: a compiled language. Out: the JSON of a `.tmLanguage.json` file. Afterwards an engine that
//! takes the leftmost match, and of those the first in the file, finds the words that the lexer
//! finds: where a word could go on, a look ahead says that it does not.
//!
//! A TextMate grammar sees one line at a time and no syntax. So two tokens that share a text get
//! the scope of the first of them; and of two patterns that can each outrun the other the first
//! wins. Strings that may hold line ends are matched by their ends.

mod names;
mod oniguruma;
mod order;
mod texts;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use self::oniguruma::regex;
use super::re::{Re, alt};
use crate::Compiled;
use crate::grammar::ids::TokenId;
use crate::grammar::ir::{Domain, Grammar};
use crate::grammar::syntax::lexer::number_pattern;

/// The grammar as JSON text.
pub fn textmate(compiled: &Compiled) -> String {
    let grammar = &compiled.grammar;
    let words = words(grammar);
    let literals = literals(grammar, &words);
    let texts: Vec<Value> = order::longest_first(&words)
        .into_iter()
        .flat_map(|word| texts::rules(grammar, word))
        .collect();
    let value = json!({
        "name": grammar.name,
        "scopeName": format!("source.{}", grammar.name),
        "fileTypes": [grammar.name],
        "comment": concat!("Written by tdc ", env!("CARGO_PKG_VERSION"), "."),
        "patterns": [{ "include": "#literals" }, { "include": "#texts" }],
        "repository": {
            "literals": { "patterns": literals },
            "texts": { "patterns": texts },
        },
    });
    // Of a `Value` the writer makes text without fail.
    format!("{value:#}\n")
}

/// Words that are not quoted: numbers and texts.
struct Word {
    /// The token; the first of those that are written alike.
    token: TokenId,
    /// What it matches.
    re: Re,
}

/// One word for all whole numbers, one for all real ones, one for each pattern.
fn words(grammar: &Grammar) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    for (index, token) in grammar.tokens.iter().enumerate() {
        let re = match &token.domain {
            Domain::Finite(_) => continue,
            Domain::Int { .. } => Re::parse(number_pattern(grammar, false)),
            Domain::Real { .. } => Re::parse(number_pattern(grammar, true)),
            Domain::Text { pattern, .. } => Re::parse(pattern),
        };
        if let Some(re) = re
            && words.iter().all(|word| word.re != re)
        {
            let token = TokenId::from_index(index);
            words.push(Word { token, re });
        }
    }
    words
}

/// Quoted words: those of one scope and one way to go on share a pattern.
fn literals(grammar: &Grammar, words: &[Word]) -> Vec<Value> {
    let scopes = names::literals(grammar);
    let mut groups: BTreeMap<(String, String), Vec<&str>> = BTreeMap::new();
    for (literal, scope) in grammar.literals.iter().zip(scopes) {
        let longer = grammar.literals.iter().filter_map(|other| {
            let rest = other.strip_prefix(literal.as_str())?;
            (!rest.is_empty()).then(|| Re::text(rest))
        });
        let texts = words
            .iter()
            .map(|word| word.re.after(literal).without_empty().begun());
        let on = alt(texts.chain(longer).collect());
        let guard = if on.is_nothing() {
            String::new()
        } else {
            format!("(?!{})", regex(&on))
        };
        groups.entry((scope, guard)).or_default().push(literal);
    }
    groups
        .into_iter()
        .map(|((scope, guard), mut literals)| {
            // The longest first, or `<` would hide `<=`.
            literals.sort_by_key(|literal| std::cmp::Reverse(literal.len()));
            let ways: Vec<String> = literals.iter().map(|l| regex(&Re::text(l))).collect();
            let words = if ways.len() == 1 && guard.is_empty() {
                ways.concat()
            } else {
                format!("(?:{})", ways.join("|"))
            };
            json!({ "name": scope, "match": format!("{words}{guard}") })
        })
        .collect()
}
