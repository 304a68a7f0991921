//! The syntax as railroad diagrams: one page that needs no network.
//!
//! In: a compiled language. Out: HTML with its style and diagrams inside. Afterwards every sort and
//! every token has a diagram, names lead to their diagrams, and the same language gives the same
//! bytes. A sort with operator tables has one diagram for all its binding strengths; a table below
//! it says which operators bind tighter.

mod nodes;
mod words;

use std::fmt::Write;

use self::nodes::{Dyn, choice, label, named, row};
use super::ebnf::{Part, part_source, production_parts};
use super::html::{counted, escape, inline, paragraphs};
use crate::Compiled;
use crate::grammar::expr::Value;
use crate::grammar::ids::{ProdId, SortId, TokenId};
use crate::grammar::ir::{Domain, Grammar, NonterminalKind, Sort, SyntaxItem, Token};

/// How the page is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The gallery page as this page names it, when there is one.
    pub gallery: Option<String>,
}

/// The page.
pub fn railroad(compiled: &Compiled, options: &Options) -> String {
    let grammar = &compiled.grammar;
    let title = escape(&grammar.name);
    let mut order: Vec<usize> = (0..grammar.sorts.len()).collect();
    if let NonterminalKind::Sort { sort, .. } = grammar.nonterminal(grammar.start).kind {
        // A stable sort: the start first, as in the EBNF.
        order.sort_by_key(|index| *index != sort.index());
    }
    let mut links = String::new();
    if let Some(gallery) = &options.gallery {
        let _ = write!(
            links,
            "<li><a href=\"{}\">Gallery</a></li>",
            escape(gallery)
        );
    }
    let mut main = String::new();
    for index in order {
        sort(grammar, SortId::from_index(index), &mut main);
        link(&grammar.sorts[index].name, "", &mut links);
    }
    for (index, own) in grammar.tokens.iter().enumerate() {
        token(compiled, TokenId::from_index(index), &mut main);
        link(&own.name, " class=\"tok\"", &mut links);
    }
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"generator\" content=\"tdc {version}\">\n<title>{title}: syntax</title>\n\
         <style>\n{base}{own}</style>\n</head>\n<body>\n\
         <header>\n<h1>{title}</h1>\n<div class=\"docs\">{docs}</div>\n\
         <p class=\"legend\">{legend}</p>\n</header>\n\
         <nav aria-label=\"Diagrams\"><ul>{links}</ul></nav>\n<main>\n{main}</main>\n\
         <footer>Written by tdc {version}: {sorts} and {tokens}.</footer>\n</body>\n</html>\n",
        version = env!("CARGO_PKG_VERSION"),
        base = include_str!("../gallery.css"),
        own = include_str!("railroad.css"),
        docs = paragraphs(&grammar.docs),
        legend = "Follow a line from left to right, where it forks either way. \
                  <span class=\"key lit\">word</span> stands as it is written, \
                  <span class=\"key name\">Name</span> for what its own diagram shows, \
                  <span class=\"key tok\">Token</span> for one word of many. \
                  Between words white space is free.",
        sorts = counted(grammar.sorts.len(), "sort"),
        tokens = counted(grammar.tokens.len(), "token"),
    )
}

fn link(name: &str, class: &str, links: &mut String) {
    let name = escape(name);
    let _ = write!(links, "<li><a{class} href=\"#rule-{name}\">{name}</a></li>");
}

/// A diagram with its heading and documentation.
fn section(name: &str, kind: &str, docs: &str, diagram: Dyn, below: &str, out: &mut String) {
    let _ = write!(
        out,
        "<section id=\"rule-{name}\" class=\"{kind}\">\n<h2>{name}</h2>\n<div class=\"docs\">{}</div>\n\
         <div class=\"card\">\n<div class=\"rail\" tabindex=\"0\">{}</div>\n{below}</div>\n</section>\n",
        paragraphs(docs),
        nodes::svg(diagram, &format!("Diagram of {name}")),
        name = escape(name),
    );
}

fn sort(grammar: &Grammar, id: SortId, out: &mut String) {
    let sort = grammar.sort(id);
    let tables = sort.levels.len() - 1;
    let mut ways: Vec<Dyn> = Vec::new();
    let several = sort.productions.len() > 1;
    let mut rows = String::new();
    for id in &sort.productions {
        let production = grammar.production(*id);
        if usize::from(production.level) < tables {
            continue;
        }
        let way = parts(grammar, &production_parts(grammar, *id));
        ways.push(if several {
            named(way, &production.name, &anchor(sort, *id, grammar))
        } else {
            way
        });
    }
    for level in 0..tables {
        let table = Operators::new(grammar, id, level);
        ways.push(named(
            table.node(grammar, &sort.name),
            table.kind,
            &format!("#ops-{}", sort.name),
        ));
        rows.push_str(&table.row(grammar));
    }
    let mut below = forms(grammar, sort);
    if tables > 0 {
        let _ = write!(
            below,
            "<table class=\"operators\" id=\"ops-{}\"><caption>Operators, the loosest first</caption>\
             <thead><tr><th>Binds</th><th>Operators</th><th>Forms</th></tr></thead>\n<tbody>{rows}</tbody></table>\n",
            escape(&sort.name)
        );
    }
    section(&sort.name, "sort", &sort.docs, choice(ways), &below, out);
}

/// Where a production's documentation stands on the page.
fn anchor(sort: &Sort, id: ProdId, grammar: &Grammar) -> String {
    format!("#form-{}-{}", sort.name, grammar.production(id).name)
}

/// The productions of a sort with what is said of them; those of operator tables, which have a row
/// there, only when there is something to say.
fn forms(grammar: &Grammar, sort: &Sort) -> String {
    let tables = sort.levels.len() - 1;
    let mut rows = String::new();
    for id in &sort.productions {
        let production = grammar.production(*id);
        let docs: Vec<&str> = production.docs.lines().map(str::trim).collect();
        let mut facts = Vec::new();
        if production.weight != 1.0 {
            facts.push(format!("weight {}", production.weight));
        }
        if production.primitive {
            facts.push("primitive".to_owned());
        }
        let silent = docs.is_empty() && facts.is_empty();
        if silent && (sort.productions.len() == 1 || usize::from(production.level) < tables) {
            continue;
        }
        let _ = writeln!(
            rows,
            "<div id=\"{}\"><dt>{}</dt><dd>{} <span class=\"name\">{}</span></dd></div>",
            escape(&anchor(sort, *id, grammar)[1..]),
            escape(&production.name),
            inline(&docs.join(" ")),
            facts.join(" · ")
        );
    }
    if rows.is_empty() {
        return rows;
    }
    format!("<dl class=\"forms\">\n{rows}</dl>\n")
}

/// The productions of one operator table.
struct Operators {
    kind: &'static str,
    productions: Vec<ProdId>,
    /// Whether an operand stands before, and behind.
    sides: (bool, bool),
}

impl Operators {
    fn new(grammar: &Grammar, id: SortId, level: usize) -> Operators {
        let sort = grammar.sort(id);
        let productions: Vec<ProdId> = sort
            .productions
            .iter()
            .copied()
            .filter(|id| usize::from(grammar.production(*id).level) == level)
            .collect();
        // How tightly an operand at an end must bind; a table's productions agree.
        let strength = |item: Option<&SyntaxItem>, id: &ProdId| match item {
            Some(SyntaxItem::Child(index)) => {
                let child = grammar.production(*id).children.get(usize::from(*index))?;
                match grammar.nonterminal(child.nt).kind {
                    NonterminalKind::Sort { sort, level } if sort == self::own(id, grammar)? => {
                        Some(usize::from(level))
                    }
                    _ => None,
                }
            }
            _ => None,
        };
        let ends = productions.first().map(|id| {
            let syntax = &grammar.production(*id).syntax;
            (strength(syntax.first(), id), strength(syntax.last(), id))
        });
        let (before, behind) = ends.unwrap_or_default();
        let kind = match (before, behind) {
            (Some(a), Some(b)) if a == level && b > level => "infix left",
            (Some(a), Some(b)) if b == level && a > level => "infix right",
            (Some(_), Some(_)) => "infix none",
            (None, Some(_)) => "prefix",
            _ => "postfix",
        };
        Operators {
            kind,
            productions,
            sides: (before.is_some(), behind.is_some()),
        }
    }

    /// What stands between the operands, or beside the one.
    fn middle(&self, grammar: &Grammar, id: ProdId) -> Vec<Part> {
        let mut parts = production_parts(grammar, id);
        if self.sides.1 {
            parts.pop();
        }
        if self.sides.0 && !parts.is_empty() {
            parts.remove(0);
        }
        parts
    }

    fn node(&self, grammar: &Grammar, sort: &str) -> Dyn {
        let operand = || nodes::link(label("rule", "", sort), sort);
        let ways = self.productions.iter();
        let ways = ways.map(|id| parts(grammar, &self.middle(grammar, *id)));
        let mut all: Vec<Dyn> = Vec::new();
        if self.sides.0 {
            all.push(operand());
        }
        all.push(choice(ways.collect()));
        if self.sides.1 {
            all.push(operand());
        }
        row(all)
    }

    fn row(&self, grammar: &Grammar) -> String {
        let (mut operators, mut names) = (Vec::new(), Vec::new());
        for id in &self.productions {
            let middle = self.middle(grammar, *id);
            let texts: Vec<String> = middle
                .iter()
                .map(|part| match part {
                    Part::Literal(text) => text.clone(),
                    other => part_source(other),
                })
                .collect();
            operators.push(format!(
                "<code class=\"lit\">{}</code>",
                escape(&texts.join(" "))
            ));
            names.push(escape(&grammar.production(*id).name));
        }
        format!(
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>\n",
            self.kind,
            operators.join(" "),
            names.join(", ")
        )
    }
}

/// The sort that a production belongs to.
fn own(id: &ProdId, grammar: &Grammar) -> Option<SortId> {
    match grammar.production(*id).kind {
        crate::grammar::ir::ProductionKind::Node(sort) => Some(sort),
        _ => None,
    }
}

fn parts(grammar: &Grammar, parts: &[Part]) -> Dyn {
    row(parts.iter().map(|part| one(grammar, part)).collect())
}

fn one(grammar: &Grammar, part: &Part) -> Dyn {
    match part {
        Part::Literal(text) => label("terminal", "", text),
        Part::Terminal(text) => label("words", "", text),
        Part::Rule { sort, field, .. } => {
            let token = grammar.tokens.iter().any(|token| token.name == *sort);
            let class = if token { "token" } else { "rule" };
            nodes::link(label(class, field, sort), sort)
        }
        Part::Repeat {
            item,
            separator,
            sign,
        } => {
            let item = one(grammar, item);
            let between = separator
                .as_ref()
                .map(|separator| label("terminal", "", separator));
            match sign {
                '?' => nodes::optional(item),
                '*' => nodes::optional(nodes::repeat(item, between)),
                _ => nodes::repeat(item, between),
            }
        }
    }
}

fn token(compiled: &Compiled, id: TokenId, out: &mut String) {
    let token = compiled.grammar.token(id);
    let (diagram, below) = match &token.domain {
        Domain::Finite(_) => words::finite(token),
        Domain::Text { pattern, .. } => (words::text(pattern), reserved(compiled, id)),
        domain => {
            let text = domain.text();
            let text = text.trim_start_matches("real ");
            (label("words", "", text), about(token))
        }
    };
    section(&token.name, "token", &token.docs, diagram, &below, out);
}

fn about(token: &Token) -> String {
    let what = match token.domain {
        Domain::Int { .. } => "whole number",
        _ => "number",
    };
    let count = token.domain.count().unwrap_or(0);
    format!(
        "<p class=\"remark\">{}.</p>\n",
        counted(count as usize, what)
    )
}

/// What a text token cannot be.
fn reserved(compiled: &Compiled, id: TokenId) -> String {
    let words = super::w3c::reserved(compiled, id);
    if words.is_empty() {
        return String::new();
    }
    let words: Vec<String> = words
        .iter()
        .map(|word| format!("<code class=\"lit\">{}</code>", escape(word)))
        .collect();
    format!("<p class=\"remark\">But not {}.</p>\n", words.join(" "))
}

/// A colour as CSS writes it.
fn css(value: Option<&Value>) -> Option<String> {
    match value {
        Some(Value::Color([r, g, b, a])) => Some(format!("#{r:02x}{g:02x}{b:02x}{a:02x}")),
        _ => None,
    }
}
