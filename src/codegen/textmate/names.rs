//! Names of scopes, by the conventions that themes know.
//!
//! In: how a word is used in the grammar. Out: its scope, such as `keyword.operator.imp`.
//! Afterwards every word has one that begins as the TextMate manual lists it (keyword, constant,
//! string, variable, support, punctuation).

use super::super::re::Re;
use crate::grammar::expr::Type;
use crate::grammar::ids::LiteralId;
use crate::grammar::ir::{Domain, Grammar, NonterminalKind, SyntaxItem, Token};

/// How a quoted word is used.
#[derive(Clone, Default)]
struct Uses {
    /// The finite token it is a value of, by name, and whether that is a colour.
    value: Option<(String, bool)>,
    /// In an operator table.
    operator: bool,
    /// Between items of a list.
    separator: bool,
    /// A whole production.
    alone: bool,
    /// After an opening bracket that begins the production: `(` `Circle`.
    head: bool,
    /// Last of a production with other parts.
    last: bool,
}

/// The scopes of all quoted words.
pub(super) fn literals(grammar: &Grammar) -> Vec<String> {
    let mut uses = vec![Uses::default(); grammar.literals.len()];
    for token in &grammar.tokens {
        if let Domain::Finite(values) = &token.domain {
            for value in values {
                let colour = token.ty == Type::Color;
                uses[value.literal.index()].value = Some((small(&token.name), colour));
            }
        }
    }
    for nonterminal in &grammar.nonterminals {
        if let NonterminalKind::List {
            separator: Some(literal),
            ..
        } = nonterminal.kind
        {
            uses[literal.index()].separator = true;
        }
    }
    for sort in &grammar.sorts {
        for id in &sort.productions {
            let production = grammar.production(*id);
            let table = usize::from(production.level) + 1 < sort.levels.len();
            let items: Vec<SyntaxItem> = production
                .syntax
                .iter()
                .copied()
                .filter(|item| *item != SyntaxItem::Glue)
                .collect();
            for (at, item) in items.iter().enumerate() {
                let SyntaxItem::Literal(literal) = item else {
                    continue;
                };
                let own = &mut uses[literal.index()];
                own.operator |= table;
                own.alone |= items.len() == 1;
                own.last |= at + 1 == items.len() && at > 0;
                own.head |= at == 1 && opens(grammar, items[0]);
            }
        }
    }
    grammar
        .literals
        .iter()
        .zip(uses)
        .map(|(text, uses)| format!("{}.{}", literal(text, &uses), grammar.name))
        .collect()
}

fn opens(grammar: &Grammar, item: SyntaxItem) -> bool {
    let text = |literal: LiteralId| grammar.literal(literal);
    matches!(item, SyntaxItem::Literal(literal) if matches!(text(literal), "(" | "[" | "{"))
}

fn literal(text: &str, uses: &Uses) -> String {
    let is_word = text.starts_with(|c: char| c.is_alphabetic() || c == '_');
    if let (true, Some((token, colour))) = (is_word, &uses.value) {
        return if *colour {
            "support.constant.color".into()
        } else {
            format!("constant.language.{token}")
        };
    }
    if is_word {
        return match uses {
            Uses { operator: true, .. } => "keyword.operator.word",
            Uses { alone: true, .. } => "constant.language",
            Uses { head: true, .. } => "support.function",
            _ => "keyword.other",
        }
        .into();
    }
    let bracket = match text {
        "(" => Some("parens.begin"),
        ")" => Some("parens.end"),
        "[" => Some("brackets.begin"),
        "]" => Some("brackets.end"),
        "{" => Some("braces.begin"),
        "}" => Some("braces.end"),
        _ => None,
    };
    if let Some(bracket) = bracket {
        return format!("punctuation.section.{bracket}");
    }
    if uses.operator {
        return "keyword.operator".into();
    }
    if text == ";" && uses.last && !uses.separator {
        return "punctuation.terminator".into();
    }
    if uses.separator || matches!(text, "," | ";" | ":" | ".") {
        return "punctuation.separator".into();
    }
    "keyword.operator".into()
}

/// The scope of a number or a text.
pub(super) fn word(grammar: &Grammar, token: &Token, re: &Re) -> String {
    let kind = match &token.domain {
        Domain::Int { .. } => "constant.numeric.integer".to_owned(),
        // Also written without a point.
        Domain::Real { .. } => "constant.numeric".to_owned(),
        _ => text(&small(&token.name), re),
    };
    format!("{kind}.{}", grammar.name)
}

fn text(name: &str, re: &Re) -> String {
    let first = re.first();
    let only = |fits: fn(char) -> bool| {
        // Wide ranges are not of one kind.
        let narrow = first
            .iter()
            .all(|(lo, hi)| (*hi as u32) - (*lo as u32) < 0x400);
        narrow && first.iter().all(|(lo, hi)| (*lo..=*hi).all(fits))
    };
    if let [(c, same)] = first.as_slice()
        && c == same
    {
        match c {
            '"' => return "string.quoted.double".into(),
            '\'' => return "string.quoted.single".into(),
            '`' => return "string.quoted.other".into(),
            _ => {}
        }
    }
    if only(|c| c.is_ascii_digit() || "+-.".contains(c)) {
        return "constant.numeric".into();
    }
    if only(|c| c.is_alphabetic() || "_$@%".contains(c)) {
        return format!("variable.other.{name}");
    }
    if only(|c| c == '#') {
        return format!("constant.other.{name}");
    }
    format!("string.unquoted.{name}")
}

/// A name as scopes write it.
fn small(name: &str) -> String {
    name.to_lowercase().replace('_', "-")
}
