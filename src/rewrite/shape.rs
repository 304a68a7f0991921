//! Rules as e-graphs match and make them.
//!
//! In: the rules of a language. Out: [`Way`]s, one for each direction that is worth running.
//! Afterwards patterns are terms with metavariables, in which operands of a law stand together.

use crate::compiled::Compiled;
use crate::grammar::ids::ProdId;
use crate::grammar::ir::Grammar;
use crate::grammar::pattern::{Pattern, PatternNode};
use crate::grammar::syntax::Stands;

use super::instance::Direction;
use super::laws;
use super::plan::Plan;
use super::tables::Tables;
use super::term::Op;
use super::texts::Texts;

/// A node of a [`Shape`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A term with this operator and these pieces as children. For [`Op::Many`] metavariables come
    /// last: what is matched before says what some of them stand for.
    Node(Op, Vec<u16>),
    /// A metavariable.
    Meta(u16),
}

/// A side of a rule: children come before what holds them, the root last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Its nodes.
    pub pieces: Vec<Piece>,
}

impl Shape {
    /// The index of the root.
    pub fn root(&self) -> u16 {
        self.pieces.len().saturating_sub(1) as u16
    }

    /// A node.
    pub fn piece(&self, at: u16) -> &Piece {
        &self.pieces[usize::from(at)]
    }

    /// The operator at the root; `None` for a metavariable.
    pub fn root_op(&self) -> Option<Op> {
        match self.pieces.last()? {
            Piece::Node(op, _) => Some(*op),
            Piece::Meta(_) => None,
        }
    }

    /// Reads a pattern.
    pub fn new(grammar: &Grammar, tables: &Tables, texts: &mut Texts, pattern: &Pattern) -> Shape {
        // Operands of a law wait for what stands above: it may be of the same law.
        enum Done {
            Piece(u16),
            Operands(u16, Vec<u16>),
        }
        let mut shape = Shape::default();
        let mut stack: Vec<Done> = Vec::new();
        for (at, node) in pattern.nodes.iter().enumerate().rev() {
            let done = match node {
                PatternNode::Meta(index, _) => Done::Piece(shape.push(Piece::Meta(*index))),
                PatternNode::Node(production, value) => {
                    let from = stack.len().saturating_sub(tables.arity(*production));
                    let children = stack.drain(from..).rev().collect::<Vec<_>>();
                    if let Some(own) = operator(grammar, tables, pattern, at, *production) {
                        let holes = tables.operator(own).law.holes;
                        let mut operands = Vec::new();
                        for (index, child) in children.into_iter().enumerate() {
                            match child {
                                _ if !holes.contains(&index) => {}
                                Done::Operands(other, list) if other == own => {
                                    operands.extend(list);
                                }
                                Done::Operands(other, list) => {
                                    operands.push(shape.operands(other, list));
                                }
                                Done::Piece(piece) => operands.push(piece),
                            }
                        }
                        Done::Operands(own, operands)
                    } else {
                        let mut kids = Vec::with_capacity(children.len());
                        for child in children {
                            kids.push(match child {
                                Done::Piece(piece) => piece,
                                Done::Operands(other, list) => shape.operands(other, list),
                            });
                        }
                        let value = match pattern.texts.get(*value as usize) {
                            Some(text) if tables.is_text(*production) => texts.add(text),
                            _ => *value,
                        };
                        Done::Piece(shape.push(Piece::Node(Op::Node(*production, value), kids)))
                    }
                }
            };
            stack.push(done);
        }
        if let Some(Done::Operands(own, list)) = stack.pop() {
            shape.operands(own, list);
        }
        shape
    }

    fn push(&mut self, piece: Piece) -> u16 {
        self.pieces.push(piece);
        self.root()
    }

    fn operands(&mut self, own: u16, mut list: Vec<u16>) -> u16 {
        list.sort_by_key(|at| matches!(self.piece(*at), Piece::Meta(_)));
        self.push(Piece::Node(Op::Many(own), list))
    }
}

/// The law whose operator stands at a place of a pattern.
fn operator(
    grammar: &Grammar,
    tables: &Tables,
    pattern: &Pattern,
    at: usize,
    production: ProdId,
) -> Option<u16> {
    let mut starts = None;
    let found = tables.operators.iter().position(|operator| {
        let law = &operator.law;
        if law.production != production {
            return false;
        }
        let starts = starts.get_or_insert_with(|| laws::children(grammar, pattern, at));
        law.fixed.iter().all(|(index, kinds)| {
            starts.get(*index).is_some_and(|start| {
                let part = pattern.nodes.get(*start..start + kinds.len());
                part.is_some_and(|part| {
                    let mut both = part.iter().zip(kinds);
                    both.all(|(node, (p, v))| *node == PatternNode::Node(*p, *v))
                })
            })
        })
    });
    found.map(|at| at as u16)
}

/// A rule in one direction.
#[derive(Clone, Debug)]
pub(crate) struct Way<'c> {
    /// The index of the rule.
    pub rule: usize,
    /// Which side is matched.
    pub direction: Direction,
    /// What is matched.
    pub left: Shape,
    /// What is made.
    pub right: Shape,
    /// Its equations and condition.
    pub plan: Plan<'c>,
    /// What the places of metavariables need, on both sides: the tightest of each.
    pub needs: Vec<u8>,
    /// Metavariables of subtrees that equations or the condition look into.
    pub looks_into: Vec<u16>,
    /// What is matched of all that equations and the condition may look at, when that never changes:
    /// values of tokens.
    pub reads: Vec<u16>,
    /// Whether what equations and the condition allow depends on `reads` alone.
    pub settled: bool,
}

/// The ways of all rules but those that are laws. A way that would match everything is left out:
/// what it proves is proved the other way round.
pub(crate) fn ways<'c>(compiled: &'c Compiled, tables: &Tables, texts: &mut Texts) -> Vec<Way<'c>> {
    let grammar = &compiled.grammar;
    let mut ways = Vec::new();
    for (index, rule) in compiled.rules.iter().enumerate() {
        let mut laws = tables.operators.iter().map(|operator| &operator.law);
        if laws.any(|law| law.commute == index || law.associate == index) {
            continue;
        }
        for &direction in Direction::of(rule) {
            let (matched, made) = direction.sides(rule);
            let left = Shape::new(grammar, tables, texts, matched);
            let right = Shape::new(grammar, tables, texts, made);
            // Sides that laws alone make equal say nothing more.
            if left.root_op().is_none() {
                continue;
            }
            let mut needs = vec![0; rule.metas.len()];
            for node in matched.nodes.iter().chain(&made.nodes) {
                if let PatternNode::Meta(index, nt) = node
                    && let Some(need) = needs.get_mut(usize::from(*index))
                {
                    *need = tables.need(*nt).max(*need);
                }
            }
            let plan = Plan::new(grammar, rule, direction);
            let token = |index: &u16| {
                let meta = rule.metas.get(usize::from(*index));
                meta.is_some_and(|meta| matches!(meta.stands, Some(Stands::Token(_))))
            };
            let matched = matched.nodes.iter().filter_map(|node| match node {
                PatternNode::Meta(index, _) => Some(*index),
                PatternNode::Node(..) => None,
            });
            let mut reads: Vec<u16> = matched.filter(token).collect();
            reads.sort_unstable();
            reads.dedup();
            let looks_into = plan.looks_into();
            let settled = looks_into.is_empty()
                && rule.lets.iter().all(|(slot, _)| {
                    token(slot)
                        || rule
                            .metas
                            .get(usize::from(*slot))
                            .is_some_and(|m| m.stands.is_none())
                });
            ways.push(Way {
                rule: index,
                direction,
                left,
                right,
                looks_into,
                reads,
                settled: settled && !plan.is_free(),
                plan,
                needs,
            });
        }
    }
    ways
}
