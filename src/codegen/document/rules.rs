//! Rewrite rules of the document.
//!
//! In: the checked rules of a language. Out: [`Rewrite`]s. Afterwards both sides stand there as
//! written and as trees, and computations are typed expressions over the metavariables.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::build::{nonterminal_ref, number, production_ref, sort_ref, token_ref};
use super::expr::{self, Body};
use super::{Ref, Type};
use crate::Compiled;
use crate::grammar::ir::{Domain, Grammar, ProductionKind};
use crate::grammar::syntax::values::write_value;
use crate::grammar::{pattern, rules, syntax};

/// A rewrite rule: programs that mean the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Rewrite {
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub docs: String,
    /// The sort of both sides.
    pub sort: Ref,
    /// Left side.
    pub left: Pattern,
    /// Right side.
    pub right: Pattern,
    /// Whether it also holds from right to left.
    pub both_ways: bool,
    /// Its metavariables; the i-th is slot i of the computations.
    pub metavariables: Vec<Metavariable>,
    /// Equations that also hold, in order.
    pub equations: Vec<Equation>,
    /// When it holds; `null`: always.
    pub condition: Option<Body>,
}

/// A program with metavariables.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Pattern {
    /// As the grammar file writes it.
    pub text: String,
    /// Its nodes in preorder: after a node come its children.
    pub nodes: Vec<PatternNode>,
}

/// A node of a pattern.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(test, derive(JsonSchema))]
pub enum PatternNode {
    /// A node of this production.
    Node {
        /// The production.
        production: Ref,
        /// A token's value as it is written; `null` for other nodes.
        text: Option<String>,
    },
    /// Any program, the same wherever the metavariable stands.
    Meta {
        /// The metavariable's place in the list of the rule.
        metavariable: u32,
        /// What may stand at this place.
        nonterminal: Ref,
    },
}

/// A metavariable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Metavariable {
    /// Its name, without `?`.
    pub name: String,
    /// What it stands for; `null` when it is computed and stands on neither side.
    pub stands: Option<Stands>,
    /// Its type in computations.
    #[serde(rename = "type")]
    pub ty: Type,
}

/// What a metavariable stands for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(test, derive(JsonSchema))]
pub enum Stands {
    /// A program of a sort.
    Sort {
        /// The sort.
        sort: Ref,
    },
    /// A value of a token.
    Token {
        /// The token.
        token: Ref,
    },
}

/// An equation of a rule: the metavariable has this value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Equation {
    /// The metavariable's place in the list of the rule.
    pub metavariable: u32,
    /// Its value, computed from metavariables.
    pub value: Body,
}

pub(super) fn rewrites(compiled: &Compiled) -> Vec<Rewrite> {
    let rules = compiled.rules.iter();
    rules.map(|rule| rewrite(&compiled.grammar, rule)).collect()
}

fn rewrite(grammar: &Grammar, rule: &rules::Rule) -> Rewrite {
    // A rule without its definition does not exist; its text would be empty.
    let def = grammar
        .rewrites
        .iter()
        .find(|def| def.name == rule.name && def.sort == rule.sort);
    let side = |pattern: &pattern::Pattern, text: Option<&String>| Pattern {
        text: text.cloned().unwrap_or_default(),
        nodes: nodes(grammar, pattern),
    };
    Rewrite {
        name: rule.name.clone(),
        docs: rule.docs.clone(),
        sort: sort_ref(grammar, rule.sort),
        left: side(&rule.left, def.map(|def| &def.left.text)),
        right: side(&rule.right, def.map(|def| &def.right.text)),
        both_ways: rule.both_ways,
        metavariables: rule
            .metas
            .iter()
            .map(|meta| Metavariable {
                name: meta.name.clone(),
                stands: meta.stands.map(|stands| match stands {
                    syntax::Stands::Sort(id) => Stands::Sort {
                        sort: sort_ref(grammar, id),
                    },
                    syntax::Stands::Token(id) => Stands::Token {
                        token: token_ref(grammar, id),
                    },
                }),
                ty: meta.ty.to_string(),
            })
            .collect(),
        equations: rule
            .lets
            .iter()
            .map(|(meta, value)| Equation {
                metavariable: (*meta).into(),
                value: expr::body(grammar, value),
            })
            .collect(),
        condition: rule.condition.as_ref().map(|arm| expr::body(grammar, arm)),
    }
}

fn nodes(grammar: &Grammar, pattern: &pattern::Pattern) -> Vec<PatternNode> {
    let nodes = pattern.nodes.iter();
    nodes
        .map(|node| match *node {
            pattern::PatternNode::Meta(meta, nt) => PatternNode::Meta {
                metavariable: number(meta.into()),
                nonterminal: nonterminal_ref(grammar, nt),
            },
            pattern::PatternNode::Node(id, value) => PatternNode::Node {
                production: production_ref(grammar, id),
                text: match grammar.production(id).kind {
                    ProductionKind::Token(token) => {
                        let domain = &grammar.token(token).domain;
                        let mut text = String::new();
                        match domain {
                            Domain::Text { .. } => {
                                let own = pattern.texts.get(value as usize);
                                text.push_str(own.map_or("", |own| own));
                            }
                            _ => write_value(domain, value, &mut text),
                        }
                        Some(text)
                    }
                    _ => None,
                },
            },
        })
        .collect()
}
