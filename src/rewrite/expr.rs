//! Programs as terms, and terms as programs.
//!
//! In: programs, or terms of an e-graph. Out: [`Arena`], terms that are kept once each; programs.
//! Afterwards two programs that differ only in the order and the brackets of operands that may
//! change places ([`super::laws`]) are the same term, and each term has one program.
//!
//! Programs can be deep: nothing here recurses.

use std::cmp::Ordering;

use egg::Id;
use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;

use super::tables::{Cost, Tables};
use super::term::{Kids, Op, Term};
use super::texts::Texts;
use crate::grammar::ids::ProdId;
use crate::grammar::ir::Grammar;
use crate::tree::Program;

/// Adds a program's terms from its leaves to its root by `add`, and gives the root's id. Operands
/// of one operator are added together. `None` when the nodes are not one tree.
pub(crate) fn fold(
    tables: &Tables,
    texts: &mut Texts,
    program: &Program,
    mut add: impl FnMut(Term) -> Id,
) -> Option<Id> {
    let nodes = program.nodes();
    // What has been read from the back, with the places where it begins. A term is added once it
    // is known what stands above: operands may have more of their operator there.
    let mut stack: Vec<(Term, usize)> = Vec::new();
    for (at, node) in nodes.iter().enumerate().rev() {
        let arity = tables.arity(node.production);
        let from = stack.len().checked_sub(arity)?;
        let is_fixed = |index: usize, kinds: &[(ProdId, u32)]| {
            // The first child was read last.
            let child = stack
                .len()
                .checked_sub(index + 1)
                .and_then(|i| stack.get(i));
            let start = child.map_or(usize::MAX, |(_, start)| *start);
            let part = nodes.get(start..start.saturating_add(kinds.len()));
            part.is_some_and(|part| {
                let mut both = part.iter().zip(kinds);
                both.all(|(node, kind)| (node.production, node.value) == *kind)
            })
        };
        let operator = tables.operators.iter().position(|operator| {
            let law = &operator.law;
            law.production == node.production
                && law
                    .fixed
                    .iter()
                    .all(|(index, kinds)| is_fixed(*index, kinds))
        });
        let children = stack.drain(from..).rev().map(|(term, _)| term);
        let mut kids = Kids::new();
        let op = if let Some(operator) = operator {
            let own = Op::Many(operator as u16);
            let holes = tables.operators[operator].law.holes;
            for (index, child) in children.enumerate() {
                if !holes.contains(&index) {
                } else if child.op == own {
                    kids.extend(child.kids);
                } else {
                    kids.push(add(child));
                }
            }
            own
        } else {
            kids.extend(children.map(&mut add));
            let value = if tables.is_text(node.production) {
                texts.add(program.texts().get(node.value as usize)?)
            } else {
                node.value
            };
            Op::Node(node.production, value)
        };
        stack.push((Term::new(op, kids), at));
    }
    let (root, _) = stack.pop()?;
    stack.is_empty().then(|| add(root))
}

/// Terms, each kept once; children are indices of terms before. Operands stand in the order of
/// [`Arena::compare`], and none of them is of the operator itself.
#[derive(Debug, Default)]
pub(crate) struct Arena {
    terms: IndexSet<Term, FxBuildHasher>,
    /// By term.
    costs: Vec<Cost>,
}

impl Arena {
    /// The term of an id.
    pub fn term(&self, id: Id) -> &Term {
        &self.terms[usize::from(id)]
    }

    /// What a term costs as a program.
    pub fn cost(&self, id: Id) -> Cost {
        self.costs[usize::from(id)]
    }

    /// The id of a term.
    pub fn add(&mut self, tables: &Tables, texts: &Texts, mut term: Term) -> Id {
        if let Op::Many(_) = term.op {
            let mut flat = Kids::new();
            for kid in &term.kids {
                let kid_term = self.term(*kid);
                match kid_term.op == term.op {
                    true => flat.extend_from_slice(&kid_term.kids),
                    false => flat.push(*kid),
                }
            }
            flat.sort_by(|a, b| self.compare(tables, texts, *a, *b));
            if let [only] = flat.as_slice() {
                return *only;
            }
            term.kids = flat;
        }
        if let Some(at) = self.terms.get_index_of(&term) {
            return Id::from(at);
        }
        let mut cost = match term.op {
            Op::Many(at) => tables.cost_among(at, term.kids.len()),
            op => tables.cost(op, texts),
        };
        for kid in &term.kids {
            cost += self.cost(*kid);
        }
        self.costs.push(cost);
        Id::from(self.terms.insert_full(term).0)
    }

    /// A program as a term.
    pub fn add_program(
        &mut self,
        tables: &Tables,
        texts: &mut Texts,
        program: &Program,
    ) -> Option<Id> {
        // Texts are numbered first: adding terms looks at them.
        for text in program.texts() {
            texts.add(text);
        }
        let known = texts.clone();
        fold(tables, texts, program, |term| {
            self.add(tables, &known, term)
        })
    }

    /// The order of terms: that of their programs' nodes, one after another. It depends on nothing
    /// but the terms, and a term with a smaller part is smaller.
    pub fn compare(&self, tables: &Tables, texts: &Texts, a: Id, b: Id) -> Ordering {
        let mut pending = vec![(a, b)];
        while let Some((a, b)) = pending.pop() {
            if a == b {
                continue;
            }
            let (a, b) = (self.term(a), self.term(b));
            let order = compare_ops(tables, texts, a.op, b.op)
                .then_with(|| a.kids.len().cmp(&b.kids.len()));
            if order != Ordering::Equal {
                return order;
            }
            let pairs = a.kids.iter().copied().zip(b.kids.iter().copied());
            pending.extend(pairs.rev());
        }
        Ordering::Equal
    }

    /// The program of a term. `None` when its nodes are not one tree, which does not happen.
    pub fn program(
        &self,
        grammar: &Grammar,
        tables: &Tables,
        texts: &Texts,
        root: Id,
    ) -> Option<Program> {
        enum Part {
            Term(Id),
            /// Operands of an operator, from one place to another.
            Operands(u16, std::rc::Rc<[Id]>, usize, usize),
            Kind(ProdId, u32),
        }
        let mut kinds: Vec<(ProdId, u32)> = Vec::new();
        let mut strings: Vec<Box<str>> = Vec::new();
        let mut parts = vec![Part::Term(root)];
        while let Some(part) = parts.pop() {
            match part {
                Part::Kind(production, value) => kinds.push((production, value)),
                Part::Term(id) => {
                    let term = self.term(id);
                    match term.op {
                        Op::Node(production, value) if tables.is_text(production) => {
                            kinds.push((production, strings.len() as u32));
                            strings.push(texts.get(value).into());
                        }
                        Op::Node(production, value) => kinds.push((production, value)),
                        Op::Many(at) => {
                            let operands = self.arranged(tables, at, &term.kids);
                            let count = operands.len();
                            parts.push(Part::Operands(at, operands.into(), 0, count));
                            continue;
                        }
                    }
                    parts.extend(term.kids.iter().rev().map(|kid| Part::Term(*kid)));
                }
                Part::Operands(_, operands, from, to) if to <= from + 1 => {
                    parts.extend(operands.get(from).map(|only| Part::Term(*only)));
                }
                Part::Operands(at, operands, from, to) => {
                    let operator = tables.operator(at);
                    let law = &operator.law;
                    let [i, j] = law.holes;
                    let list = |from, to| Part::Operands(at, operands.clone(), from, to);
                    let middle = if operator.left { to - 1 } else { from + 1 };
                    kinds.push((law.production, 0));
                    for index in (0..tables.arity(law.production)).rev() {
                        if index == i {
                            parts.push(list(from, middle));
                        } else if index == j {
                            parts.push(list(middle, to));
                        } else {
                            let fixed = law.fixed.iter().find(|(at, _)| *at == index);
                            let fixed = fixed.map_or(&[][..], |(_, kinds)| kinds);
                            let kinds = fixed.iter().rev();
                            parts.extend(kinds.map(|(p, v)| Part::Kind(*p, *v)));
                        }
                    }
                }
            }
        }
        Program::from_preorder(grammar, kinds, strings)
    }

    /// Operands in the order in which they are written: those that bind loosely stand where they
    /// may.
    fn arranged(&self, tables: &Tables, at: u16, operands: &[Id]) -> Vec<Id> {
        let operator = tables.operator(at);
        let (tight, loose) = operator.tight_and_loose();
        if tight == loose {
            return operands.to_vec();
        }
        let is_loose = |id: &Id| tables.strength(self.term(*id).op) < tight;
        let (mut first, mut last): (Vec<Id>, Vec<Id>) =
            operands.iter().partition(|id| is_loose(id));
        // The first field's place comes first in either bracketing.
        if operator.needs[0] < operator.needs[1] {
            first.append(&mut last);
            first
        } else {
            last.append(&mut first);
            last
        }
    }
}

fn compare_ops(tables: &Tables, texts: &Texts, a: Op, b: Op) -> Ordering {
    // An operator stands where its production stands, before what else that makes.
    let rank = |op: Op| match op {
        Op::Node(production, value) => (production, 1, value),
        Op::Many(at) => (tables.operator(at).law.production, 0, u32::from(at)),
    };
    match (a, b) {
        (Op::Node(p, x), Op::Node(q, y)) if p == q && tables.is_text(p) => {
            texts.get(x).cmp(texts.get(y))
        }
        _ => rank(a).cmp(&rank(b)),
    }
}
