//! The grammar as EBNF, as text and as parts that a page can link.
//!
//! In: a grammar. Out: rules in the notation of the W3C's XML recommendation (`::=`, `|`, `*`,
//! `+`, `?`, quoted terminals), in the order of the file. Afterwards the rules describe exactly
//! the texts the parser accepts, but for white space; binding strengths are spelled out as rules
//! `Expr`, `Expr_1`, ... of their own.

use std::fmt::Write;

use crate::grammar::ids::{NtId, ProdId, TokenId};
use crate::grammar::ir::{Domain, Grammar, NonterminalKind, Production, SyntaxItem};

/// A rule: what a name may stand for.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The name defined: `Shape`, `Expr_1`, `Coord`.
    pub name: String,
    /// Documentation of the sort or token; empty for further binding strengths.
    pub docs: String,
    /// Whether it is a token's rule.
    pub token: bool,
    /// What it may be.
    pub alternatives: Vec<Alternative>,
}

/// One of the things a rule's name may stand for.
#[derive(Clone, Debug, PartialEq)]
pub struct Alternative {
    /// The production, unless it only passes to the next binding strength or is a token's value.
    pub production: Option<ProdId>,
    /// Its parts, in order.
    pub parts: Vec<Part>,
}

/// A part of an alternative.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// A terminal.
    Literal(String),
    /// Another rule, by its name; the field it fills, if any.
    Rule {
        /// The rule's name.
        name: String,
        /// The field's name.
        field: String,
    },
    /// A terminal in words: a range, a pattern.
    Terminal(String),
    /// Repeated or optional.
    Repeat {
        /// What repeats.
        item: Box<Part>,
        /// What stands between.
        separator: Option<String>,
        /// `*`, `+` or `?`.
        sign: char,
    },
}

/// The rules of a grammar: its sorts' first, the start sort leading, then its tokens'.
pub fn rules(grammar: &Grammar) -> Vec<Rule> {
    let mut sorts: Vec<usize> = (0..grammar.sorts.len()).collect();
    if let NonterminalKind::Sort { sort, .. } = grammar.nonterminal(grammar.start).kind {
        // A stable sort: the start first, the others in the order of the file.
        sorts.sort_by_key(|index| *index != sort.index());
    }
    let mut rules = Vec::new();
    for index in sorts {
        let sort = &grammar.sorts[index];
        for (level, nt) in sort.levels.iter().enumerate() {
            let mut alternatives: Vec<Alternative> = grammar
                .nonterminal(*nt)
                .productions
                .iter()
                .filter(|id| usize::from(grammar.production(**id).level) == level)
                .map(|id| alternative(grammar, *id))
                .collect();
            if let Some(tighter) = sort.levels.get(level + 1) {
                alternatives.push(Alternative {
                    production: None,
                    parts: vec![reference(grammar, *tighter, "")],
                });
            }
            rules.push(Rule {
                name: name(grammar, *nt),
                docs: if level == 0 {
                    sort.docs.clone()
                } else {
                    String::new()
                },
                token: false,
                alternatives,
            });
        }
    }
    rules.extend((0..grammar.tokens.len()).map(|index| token(grammar, TokenId::from_index(index))));
    rules
}

/// The grammar as EBNF text.
pub fn ebnf(grammar: &Grammar) -> String {
    let rules = rules(grammar);
    let width = rules
        .iter()
        .map(|rule| rule.name.chars().count())
        .max()
        .unwrap_or(0);
    let mut out = format!("/* {} */\n", grammar.name);
    for rule in &rules {
        out.push('\n');
        for line in rule.docs.lines() {
            // `*/` would end the comment early.
            let _ = writeln!(out, "/* {} */", line.trim().replace("*/", "* /"));
        }
        for (index, alternative) in rule.alternatives.iter().enumerate() {
            let parts: Vec<String> = alternative.parts.iter().map(part_text).collect();
            let parts = if parts.is_empty() {
                "/* nothing */".to_owned()
            } else {
                parts.join(" ")
            };
            let _ = if index == 0 {
                write!(out, "{:width$} ::= {parts}", rule.name)
            } else {
                write!(out, "{:width$}   | {parts}", "")
            };
            if let Some(id) = alternative.production {
                let _ = write!(out, "  /* {} */", grammar.production(id).name);
            }
            out.push('\n');
        }
    }
    out
}

/// A part as EBNF text.
pub fn part_text(part: &Part) -> String {
    match part {
        Part::Literal(text) => quote(text),
        Part::Rule { name, .. } => name.clone(),
        Part::Terminal(text) => text.clone(),
        Part::Repeat {
            item,
            separator: None,
            sign,
        } => format!("{}{sign}", part_text(item)),
        Part::Repeat {
            item,
            separator: Some(separator),
            sign,
        } => {
            let (item, separator) = (part_text(item), quote(separator));
            let list = format!("{item} ({separator} {item})*");
            if *sign == '*' {
                format!("({list})?")
            } else {
                list
            }
        }
    }
}

/// A part as a `.tdg` file writes it, with its field: `r:Coord`, `items:Value* sep ","`.
pub fn part_source(part: &Part) -> String {
    match part {
        Part::Literal(text) => format!("{text:?}"),
        Part::Terminal(text) => text.clone(),
        Part::Rule { name, field } => {
            // Binding strengths follow from the tables and are not written.
            let sort = match name.rsplit_once('_') {
                Some((sort, level)) if level.chars().all(|c| c.is_ascii_digit()) => sort,
                _ => name,
            };
            format!("{field}:{sort}")
        }
        Part::Repeat {
            item,
            separator,
            sign,
        } => match separator {
            None => format!("{}{sign}", part_source(item)),
            Some(separator) => format!("{}{sign} sep {separator:?}", part_source(item)),
        },
    }
}

/// A terminal in quotes; EBNF has no escapes, so the kind of quote is chosen.
fn quote(text: &str) -> String {
    if text.contains('"') {
        format!("'{text}'")
    } else {
        format!("\"{text}\"")
    }
}

/// The concrete syntax of a sort's production.
pub fn production_parts(grammar: &Grammar, id: ProdId) -> Vec<Part> {
    let production = grammar.production(id);
    production
        .syntax
        .iter()
        .filter_map(|item| match item {
            SyntaxItem::Literal(literal) => {
                Some(Part::Literal(grammar.literal(*literal).to_owned()))
            }
            SyntaxItem::Child(index) => child(grammar, production, usize::from(*index)),
            SyntaxItem::Glue => None,
        })
        .collect()
}

fn alternative(grammar: &Grammar, id: ProdId) -> Alternative {
    Alternative {
        production: Some(id),
        parts: production_parts(grammar, id),
    }
}

fn child(grammar: &Grammar, production: &Production, index: usize) -> Option<Part> {
    let child = production.children.get(index)?;
    let repeat = |item: NtId, separator: Option<String>, sign: char| Part::Repeat {
        item: Box::new(reference(grammar, item, &child.name)),
        separator,
        sign,
    };
    Some(match grammar.nonterminal(child.nt).kind {
        NonterminalKind::Sort { .. } | NonterminalKind::Token(_) => {
            reference(grammar, child.nt, &child.name)
        }
        NonterminalKind::List {
            item,
            separator,
            min,
        } => repeat(
            item,
            separator.map(|literal| grammar.literal(literal).to_owned()),
            if min == 0 { '*' } else { '+' },
        ),
        NonterminalKind::Optional { item } => repeat(item, None, '?'),
    })
}

fn reference(grammar: &Grammar, nt: NtId, field: &str) -> Part {
    Part::Rule {
        name: name(grammar, nt),
        field: field.to_owned(),
    }
}

/// The name of a nonterminal's rule.
fn name(grammar: &Grammar, nt: NtId) -> String {
    match grammar.nonterminal(nt).kind {
        NonterminalKind::Sort { sort, level } if level > 0 => {
            format!("{}_{level}", grammar.sort(sort).name)
        }
        _ => grammar.nonterminal_name(nt),
    }
}

fn token(grammar: &Grammar, id: TokenId) -> Rule {
    let token = grammar.token(id);
    let terminal = |text: String| {
        vec![Alternative {
            production: None,
            parts: vec![Part::Terminal(text)],
        }]
    };
    let alternatives = match &token.domain {
        Domain::Finite(values) => values
            .iter()
            .map(|value| Alternative {
                production: None,
                parts: vec![Part::Literal(value.text.clone())],
            })
            .collect(),
        other => terminal(other.text()),
    };
    Rule {
        name: token.name.clone(),
        docs: token.docs.clone(),
        token: true,
        alternatives,
    }
}
