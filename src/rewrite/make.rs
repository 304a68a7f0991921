//! Making the other side of a match.
//!
//! In: a [`Match`]. Out: the class of each side that the rule's equations and condition allow.
//! Afterwards the e-graph holds it, and what was asked for is on record.

use std::ops::ControlFlow;

use egg::Id;

use super::find::{Bind, Binds, Match};
use super::graph::Graph;
use super::instance::{Bindings, Bound};
use super::plan::Completed;
use super::shape::{Piece, Way};
use super::term::{Kids, Op, Term};
use super::texts::Texts;
use crate::grammar::ids::ProdId;
use crate::grammar::ir::Grammar;
use crate::grammar::syntax::Stands;

/// What metavariables of both sides stand for, in every way the rule allows. False when its
/// arithmetic took too long to try all.
pub(crate) fn complete(
    grammar: &Grammar,
    graph: &mut Graph,
    texts: &mut Texts,
    way: &Way<'_>,
    found: &Match,
) -> (Vec<Binds>, bool) {
    if way.plan.is_free() {
        return (vec![found.binds.clone()], true);
    }
    let mut all = Vec::new();
    let mut whole = true;
    // Computations see the production at a subtree's root: a class may have several.
    let mut roots: Vec<Vec<ProdId>> = Vec::new();
    for meta in &way.looks_into {
        let bind = found.binds.get(usize::from(*meta)).and_then(Option::as_ref);
        roots.push(bind.map_or_else(Vec::new, |bind| productions(graph, bind)));
    }
    let mut choice = vec![0usize; roots.len()];
    loop {
        let mut bindings = Bindings::new(way.plan.rule());
        for (index, bind) in found.binds.iter().enumerate() {
            let Some(bind) = bind else { continue };
            let at = way.looks_into.iter().position(|m| usize::from(*m) == index);
            let root = at.and_then(|at| roots[at].get(choice[at]).copied());
            if let Some(bound) = bound(graph, texts, bind, index, root) {
                bindings.set(index as u16, bound);
            }
        }
        let completed = way.plan.complete(&mut bindings, |done| {
            let mut binds = found.binds.clone();
            for (index, place) in binds.iter_mut().enumerate() {
                if place.is_none()
                    && let Some(bound) = done.get(index as u16)
                {
                    *place = self::bind(grammar, graph, texts, way, found, index, bound);
                }
            }
            if !all.contains(&binds) {
                all.push(binds);
            }
            ControlFlow::Continue(())
        });
        whole &= completed != Completed::GaveUp;
        // The next choice of roots.
        let Some(at) = (0..choice.len()).find(|at| choice[*at] + 1 < roots[*at].len()) else {
            return (all, whole);
        };
        choice[at] += 1;
        choice[..at].fill(0);
    }
}

fn productions(graph: &Graph, bind: &Bind) -> Vec<ProdId> {
    let production = |op: Op| match op {
        Op::Node(production, _) => production,
        Op::Many(at) => graph.analysis.tables.operator(at).law.production,
    };
    let mut found: Vec<ProdId> = match bind {
        Bind::One(class) => graph[*class]
            .iter()
            .map(|node| production(node.op))
            .collect(),
        Bind::Rest(law, _) => vec![production(Op::Many(*law))],
    };
    found.sort_unstable();
    found.dedup();
    found
}

/// What computations see of a metavariable.
fn bound(
    graph: &Graph,
    texts: &Texts,
    bind: &Bind,
    index: usize,
    root: Option<ProdId>,
) -> Option<Bound> {
    let tables = &graph.analysis.tables;
    let (class, first) = match bind {
        Bind::One(class) => (usize::from(*class), graph[*class].iter().next()?.op),
        // A node that may not exist is told by the metavariable it is bound to.
        Bind::Rest(law, operands) => {
            let node = Term::new(Op::Many(*law), (**operands).clone());
            let known = graph.lookup(node).map(usize::from);
            let alone = (u32::MAX as usize).saturating_sub(index);
            (known.unwrap_or(alone), Op::Many(*law))
        }
    };
    let Op::Node(production, value) = first else {
        let Op::Many(law) = first else { return None };
        let own = tables.operator(law).law.production;
        return Some(Bound::Elsewhere {
            root: root.unwrap_or(own),
            id: class as u32,
        });
    };
    Some(if tables.is_text(production) {
        Bound::Text(texts.get(value).into())
    } else if tables.is_token(production) {
        Bound::Value(value)
    } else {
        Bound::Elsewhere {
            root: root.unwrap_or(production),
            id: class as u32,
        }
    })
}

/// What a metavariable stands for that the rule computed.
fn bind(
    grammar: &Grammar,
    graph: &mut Graph,
    texts: &mut Texts,
    way: &Way<'_>,
    found: &Match,
    index: usize,
    bound: &Bound,
) -> Option<Bind> {
    let value = match bound {
        Bound::Value(value) => *value,
        Bound::Text(text) => texts.add(text),
        Bound::Elsewhere { id, .. } => {
            // One of those that were matched.
            let same = |bind: &&Bind| match self::bound(graph, texts, bind, 0, None) {
                Some(Bound::Elsewhere { id: other, .. }) => other == *id,
                _ => false,
            };
            return found.binds.iter().flatten().find(same).cloned();
        }
        Bound::Tree(_) => return None,
    };
    let Some(Stands::Token(token)) = way.plan.rule().metas.get(index)?.stands else {
        return None;
    };
    let op = Op::Node(grammar.token(token).production, value);
    Some(Bind::One(graph.add_uncanonical(Term::new(op, Kids::new()))))
}

/// A node that was made: what stands in it, for explanations.
#[derive(Clone, Debug)]
pub(crate) enum Made {
    /// What a metavariable stands for, or an operand that was there.
    Is(Id),
    /// A node, and its children in the order of the pattern; operands that stand together are
    /// taken up.
    Node(Id, Op, Vec<Made>),
}

impl Made {
    /// The node's id.
    pub fn id(&self) -> Id {
        match self {
            Made::Is(id) | Made::Node(id, ..) => *id,
        }
    }
}

/// Adds the made side with the other operands of the root. `None` when a metavariable stands for
/// nothing that may stand there.
pub(crate) fn make(graph: &mut Graph, way: &Way<'_>, binds: &Binds, others: &Kids) -> Option<Made> {
    for (bind, need) in binds.iter().zip(&way.needs) {
        if let Some(Bind::One(class)) = bind
            && graph[*class].data.is_none_or(|has| has < *need)
        {
            return None;
        }
    }
    let mut done: Vec<Option<Made>> = Vec::with_capacity(way.right.pieces.len());
    for piece in &way.right.pieces {
        let made = match piece {
            Piece::Meta(meta) => match binds.get(usize::from(*meta))?.as_ref()? {
                Bind::One(class) => Made::Is(*class),
                Bind::Rest(law, operands) => {
                    let parts = operands.iter().map(|id| Made::Is(*id)).collect();
                    add(graph, Op::Many(*law), parts)
                }
            },
            Piece::Node(op, kids) => {
                let mut parts = Vec::with_capacity(kids.len());
                for kid in kids {
                    parts.push(done.get_mut(usize::from(*kid))?.take()?);
                }
                add(graph, *op, parts)
            }
        };
        done.push(Some(made));
    }
    let made = done.pop()??;
    if others.is_empty() {
        return Some(made);
    }
    let law = way.left.root_op()?;
    let mut parts: Vec<Made> = others.iter().map(|id| Made::Is(*id)).collect();
    parts.push(made);
    Some(add(graph, law, parts))
}

/// Adds a node. Operands that were made for the same law are taken up.
fn add(graph: &mut Graph, op: Op, parts: Vec<Made>) -> Made {
    let mut list = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            Made::Node(_, inner, operands) if inner == op && matches!(op, Op::Many(_)) => {
                list.extend(operands);
            }
            part => list.push(part),
        }
    }
    let kids: Kids = list.iter().map(Made::id).collect();
    let id = graph.add_uncanonical(Term::new(op, kids));
    Made::Node(id, op, list)
}
