//! The grammar as EBNF, as text and as parts that a page can link.
//!
//! In: a language. Out: rules in the notation of the W3C's XML recommendation, section 6 (`::=`,
//! `|`, `*`, `+`, `?`, `-`, quoted words, classes of characters), sorts first, then words, each in
//! the order of the file. Afterwards the rules describe exactly the texts the parser accepts, but
//! for white space, the rule of the longest word, and numbers of which a comment says `only`;
//! binding strengths are spelled out as rules `Expr`, `Expr_1`, ... of their own.

use std::fmt::Write;

use indexmap::IndexMap;

use super::w3c::{self, quote};
use crate::Compiled;
use crate::grammar::ids::{NtId, ProdId, TokenId};
use crate::grammar::ir::{Domain, Grammar, NonterminalKind, Production, SyntaxItem};

/// A rule: what a name may stand for.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The name defined: `Shape`, `Expr_1`, `Coord`.
    pub name: String,
    /// Documentation of the sort or token; empty for further binding strengths.
    pub docs: String,
    /// The token, when it is a token's rule.
    pub token: Option<TokenId>,
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
        /// The sort's or token's name, which all binding strengths share.
        sort: String,
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

/// The rules of a grammar: its sorts' first, the start sort leading, then its tokens', numbers
/// before others.
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
                token: None,
                alternatives,
            });
        }
    }
    let mut tokens: Vec<TokenId> = (0..grammar.tokens.len()).map(TokenId::from_index).collect();
    // Numbers first; stable again.
    tokens.sort_by_key(|id| {
        let domain = &grammar.token(*id).domain;
        !matches!(domain, Domain::Int { .. } | Domain::Real { .. })
    });
    rules.extend(tokens.into_iter().map(|id| token(grammar, id)));
    rules
}

/// The grammar as EBNF text.
pub fn ebnf(compiled: &Compiled) -> String {
    let grammar = &compiled.grammar;
    let rules = rules(grammar);
    let split = split_literals(grammar);
    let width = rules
        .iter()
        .map(|rule| rule.name.as_str())
        .chain(split.values().map(|(name, _)| name.as_str()))
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0);
    let mut out = format!(
        "/* {}: EBNF as in the W3C's XML recommendation. White space (spaces, tabs, line ends) may\n   \
         stand between words. A word is as long as it can be. */\n",
        grammar.name
    );
    let mut section = "";
    for rule in &rules {
        let heading = heading(rule.token.map(|id| &grammar.token(id).domain));
        if heading != section {
            section = heading;
            let _ = write!(out, "\n{}\n", comment(heading));
        }
        out.push('\n');
        for line in rule.docs.lines().filter(|line| !line.trim().is_empty()) {
            let _ = writeln!(out, "{}", comment(line));
        }
        let lines = match rule.token {
            Some(id) => vec![word_line(compiled, id)],
            None => rule
                .alternatives
                .iter()
                .map(|alternative| line(grammar, alternative, &split))
                .collect(),
        };
        for (index, line) in lines.iter().enumerate() {
            let _ = if index == 0 {
                writeln!(out, "{:width$} ::= {line}", rule.name)
            } else {
                writeln!(out, "{:width$}   | {line}", "")
            };
        }
    }
    if !split.is_empty() && section != WORDS {
        let _ = write!(out, "\n{}\n", comment(WORDS));
    }
    for (name, text) in split.values() {
        let _ = writeln!(out, "\n{name:width$} ::= {text}");
    }
    out
}

const NUMBERS: &str = "Numbers: words that take all digits that follow.";
const WORDS: &str = "Words: no white space is inside.";

/// Quoted words that the notation cannot hold in one piece, with names and rules of their own:
/// between pieces in a sort's rule white space could stand.
fn split_literals(grammar: &Grammar) -> IndexMap<&str, (String, String)> {
    let literals = grammar.literals.iter().enumerate();
    literals
        .filter_map(|(index, literal)| {
            let pieces = w3c::pieces(literal);
            let name = own_name(grammar, format!("Word_{index}"));
            (pieces.len() > 1).then(|| (literal.as_str(), (name, pieces.join(" "))))
        })
        .collect()
}

/// What holds of the rules from here on.
fn heading(token: Option<&Domain>) -> &'static str {
    match token {
        None => "",
        Some(Domain::Int { .. } | Domain::Real { .. }) => NUMBERS,
        Some(Domain::Finite(_) | Domain::Text { .. }) => WORDS,
    }
}

/// What is not read by machines; `*/` would end the comment early.
fn comment(text: &str) -> String {
    format!("/* {} */", text.trim().replace("*/", "* /"))
}

fn line(
    grammar: &Grammar,
    alternative: &Alternative,
    split: &IndexMap<&str, (String, String)>,
) -> String {
    let literal = |text: &str| match split.get(text) {
        Some((name, _)) => name.clone(),
        None => quote(text),
    };
    let parts = alternative.parts.iter();
    let parts: Vec<String> = parts.map(|part| written(part, &literal)).collect();
    let parts = if parts.is_empty() {
        // The notation's way to write nothing.
        "\"\"".to_owned()
    } else {
        parts.join(" ")
    };
    match alternative.production {
        Some(id) => format!("{parts}  {}", comment(&grammar.production(id).name)),
        None => parts,
    }
}

fn word_line(compiled: &Compiled, id: TokenId) -> String {
    let word = w3c::word(compiled, id);
    if word.note.is_empty() {
        word.text
    } else {
        format!("{}  {}", word.text, comment(&word.note))
    }
}

/// A part as EBNF text.
pub fn part_text(part: &Part) -> String {
    written(part, &quote)
}

fn written(part: &Part, literal: &dyn Fn(&str) -> String) -> String {
    match part {
        Part::Literal(text) => literal(text),
        Part::Rule { name, .. } => name.clone(),
        Part::Terminal(text) => text.clone(),
        Part::Repeat {
            item,
            separator: None,
            sign,
        } => format!("{}{sign}", written(item, literal)),
        Part::Repeat {
            item,
            separator: Some(separator),
            sign,
        } => {
            let (item, separator) = (written(item, literal), literal(separator));
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
        // Binding strengths follow from the tables and are not written.
        Part::Rule { sort, field, .. } => format!("{field}:{sort}"),
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
        sort: grammar.nonterminal_name(nt),
        field: field.to_owned(),
    }
}

/// The name of a nonterminal's rule, which no other sort or token has.
fn name(grammar: &Grammar, nt: NtId) -> String {
    match grammar.nonterminal(nt).kind {
        NonterminalKind::Sort { sort, level } if level > 0 => {
            own_name(grammar, format!("{}_{level}", grammar.sort(sort).name))
        }
        _ => grammar.nonterminal_name(nt),
    }
}

/// A name that no sort or token has.
fn own_name(grammar: &Grammar, mut name: String) -> String {
    while grammar.sorts.iter().any(|sort| sort.name == name)
        || grammar.tokens.iter().any(|token| token.name == name)
    {
        name.push('_');
    }
    name
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
        token: Some(id),
        alternatives,
    }
}
