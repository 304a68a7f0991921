//! The exact sampler: from the root down, each choice by the inside weights.
//!
//! A nonterminal and a class on the stack become a node and its children with their classes, in
//! preorder, straight into the program's array. Each choice is one look-up in an alias table; rows
//! for large states, of which there are many, are summed up when they are needed.

use std::ops::RangeInclusive;

use super::alias::{Choices, Row};
use super::differ::Buffers;
use super::values::Draw;
use super::{Rng, Sampler, unit};
use crate::grammar::ids::{NtId, ProdId};
use crate::grammar::inside::{Inside, leave};
use crate::grammar::ir::{Grammar, ProductionKind, SizeMetric};
use crate::grammar::mass::Mass;
use crate::tree::{Node, Program};

/// Greatest state of an additive size with a table of its own per child: their number grows with
/// the square of the size.
const DENSE: u32 = 64;
const VARIES: u32 = u32::MAX;

/// Buffers of a sampler.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    stack: Vec<(NtId, u32)>,
    pub(super) differ: Buffers,
}

/// What the sampler looks up.
#[derive(Clone, Debug)]
pub(super) struct Tables {
    pub(super) choices: Choices,
    metric: SizeMetric,
    classes: u32,
    /// `[nonterminal * classes + class]`: a production.
    productions: Vec<Row>,
    shapes: Vec<Shape>,
    children: Vec<ChildRow>,
    /// A child's rows by state: its class.
    splits: Vec<Row>,
    /// By token: its values.
    pub(super) draws: Vec<Draw>,
}

#[derive(Clone, Copy, Debug)]
struct Shape {
    first: u32,
    arity: u32,
    cost: u32,
    /// Index of its token, `VARIES` for none.
    token: u32,
}

#[derive(Clone, Copy, Debug)]
struct ChildRow {
    nt: NtId,
    /// The only class it ever has, or `VARIES`.
    fixed: u32,
    /// Its first row in `splits`.
    rows: u32,
    /// Number of rows: greater states are summed up.
    states: u32,
}

impl Tables {
    pub(super) fn new(grammar: &Grammar, inside: &Inside) -> Tables {
        let mut choices = Choices::default();
        let classes = inside.classes();
        let mut productions = Vec::new();
        for nt in grammar.nonterminal_ids() {
            for class in 0..classes {
                let whole: Mass = grammar
                    .nonterminal(nt)
                    .productions
                    .iter()
                    .map(|id| inside.production(*id, class))
                    .sum();
                let options: Vec<(u32, f64)> = grammar
                    .nonterminal(nt)
                    .productions
                    .iter()
                    .map(|id| (u32::from(id.0), inside.production(*id, class).share(whole)))
                    .collect();
                productions.push(choices.add(&options));
            }
        }
        let draws = (0..grammar.tokens.len())
            .map(|token| {
                let id = crate::grammar::ids::TokenId::from_index(token);
                Draw::new(grammar, id, &mut choices)
            })
            .collect();
        let mut tables = Tables {
            choices,
            metric: inside.metric(),
            classes,
            productions,
            shapes: Vec::new(),
            children: Vec::new(),
            splits: Vec::new(),
            draws,
        };
        for id in grammar.production_ids() {
            tables.add_production(grammar, inside, id);
        }
        tables
    }

    fn add_production(&mut self, grammar: &Grammar, inside: &Inside, id: ProdId) {
        let production = grammar.production(id);
        self.shapes.push(Shape {
            first: self.children.len() as u32,
            arity: production.children.len() as u32,
            cost: production.cost(grammar.size),
            token: match production.kind {
                ProductionKind::Token(token) => u32::from(token.0),
                _ => VARIES,
            },
        });
        let depth = self.metric == SizeMetric::Depth;
        for (index, child) in production.children.iter().enumerate() {
            let mut classes = (0..self.classes).filter(|c| !inside.nt(child.nt, *c).is_zero());
            let fixed = match (classes.next(), classes.next()) {
                (Some(only), None) if !depth => only,
                _ => VARIES,
            };
            let last = index + 1 == production.children.len();
            // The last child of a sum takes what is left; nothing to look up.
            let states = match depth {
                true => self.classes,
                false if fixed != VARIES || last => 0,
                false => self.classes.min(DENSE + 1),
            };
            self.children.push(ChildRow {
                nt: child.nt,
                fixed,
                rows: self.splits.len() as u32,
                states,
            });
            for state in 0..states {
                let mut options = Vec::new();
                let whole = inside.rest(id, index, state);
                inside.options(id, index, child.nt, state, |class, mass| {
                    options.push((class, mass.share(whole)));
                });
                let row = self.choices.add(&options);
                self.splits.push(row);
            }
        }
    }

    /// The choice of a class for a nonterminal's trees with a size in the window.
    pub(super) fn window(
        &mut self,
        inside: &Inside,
        nt: NtId,
        sizes: RangeInclusive<u32>,
        by_weight: bool,
    ) -> Row {
        let sizes = *sizes.start()..=(*sizes.end()).min(inside.max());
        let whole: Mass = sizes.clone().map(|size| inside.weight(nt, size)).sum();
        let options: Vec<(u32, f64)> = sizes
            .filter(|size| !inside.weight(nt, *size).is_zero())
            .map(|size| {
                let share = match by_weight {
                    true => inside.weight(nt, size).share(whole),
                    false => 1.0,
                };
                (inside.class(size), share)
            })
            .collect();
        self.choices.add(&options)
    }
}

impl Sampler<'_> {
    /// Appends a tree of a nonterminal and class. Lengths and sizes are left to `annotate`.
    pub(super) fn expand(
        &self,
        nt: NtId,
        class: u32,
        scratch: &mut Scratch,
        rng: &mut Rng,
        out: &mut Program,
    ) {
        scratch.stack.clear();
        scratch.stack.push((nt, class));
        self.run(scratch, rng, out);
    }

    /// Appends a tree of a production and class.
    pub(super) fn expand_production(
        &self,
        production: ProdId,
        class: u32,
        scratch: &mut Scratch,
        rng: &mut Rng,
        out: &mut Program,
    ) {
        scratch.stack.clear();
        self.open(production, class, scratch, rng, out);
        self.run(scratch, rng, out);
    }

    /// Appends trees for a production's children from `from` on, which have `state` together.
    pub(super) fn expand_rest(
        &self,
        production: ProdId,
        from: usize,
        state: u32,
        scratch: &mut Scratch,
        rng: &mut Rng,
        out: &mut Program,
    ) {
        scratch.stack.clear();
        self.place(production, from, state, scratch, rng);
        self.run(scratch, rng, out);
    }

    fn run(&self, scratch: &mut Scratch, rng: &mut Rng, out: &mut Program) {
        let tables = &self.tables;
        while let Some((nt, class)) = scratch.stack.pop() {
            let row = tables.productions[nt.index() * tables.classes as usize + class as usize];
            let production = ProdId(tables.choices.pick(row, rng) as u16);
            self.open(production, class, scratch, rng, out);
        }
    }

    /// Writes a node and puts its children on the stack, the first on top.
    #[inline]
    fn open(
        &self,
        production: ProdId,
        class: u32,
        scratch: &mut Scratch,
        rng: &mut Rng,
        out: &mut Program,
    ) {
        let tables = &self.tables;
        let shape = tables.shapes[production.index()];
        let value = match shape.token {
            VARIES => 0,
            token => {
                tables.draws[token as usize].fresh(&tables.choices, self.texts, rng, &mut out.texts)
            }
        };
        out.nodes.push(Node {
            production,
            value,
            len: 1,
            size: 0,
        });
        if shape.arity == 0 {
            return;
        }
        let state = match tables.metric {
            SizeMetric::Depth => class - 2 * shape.cost,
            _ => class - shape.cost,
        };
        self.place(production, 0, state, scratch, rng);
    }

    /// Draws the classes of a production's children from `from` on, which have `state` together,
    /// and puts them on the stack, the first on top.
    fn place(
        &self,
        production: ProdId,
        from: usize,
        mut state: u32,
        scratch: &mut Scratch,
        rng: &mut Rng,
    ) {
        let tables = &self.tables;
        let shape = tables.shapes[production.index()];
        let arity = shape.arity as usize;
        let base = scratch.stack.len();
        scratch.stack.resize(base + arity - from, (NtId(0), 0));
        for index in from..arity {
            let child = tables.children[shape.first as usize + index];
            let class = if child.fixed != VARIES {
                child.fixed
            } else if state < child.states {
                let row = tables.splits[(child.rows + state) as usize];
                tables.choices.pick(row, rng)
            } else if index + 1 == arity {
                state
            } else {
                self.scan(production, index, child.nt, state, rng)
            };
            scratch.stack[base + arity - 1 - index] = (child.nt, class);
            state = leave(tables.metric, state, class);
        }
    }

    /// The class of a child whose state has no table. The classes are summed up from both ends in
    /// turns, until the sum is past a random share of the whole: so a choice costs what the
    /// smaller part of the split costs, and a program of size n costs n log n at most.
    fn scan(&self, production: ProdId, index: usize, nt: NtId, state: u32, rng: &mut Rng) -> u32 {
        let inside = &self.inside;
        let whole = inside.rest(production, index, state);
        let (mut low, mut high) = (inside.least(nt).unwrap_or(0), state);
        let (mut left, mut last) = (unit(rng), low);
        while low <= high {
            for class in [low, high] {
                let after = inside.rest(production, index + 1, inside.leave(state, class));
                let mass = inside.nt(nt, class) * after;
                if !mass.is_zero() {
                    last = class;
                    left -= mass.share(whole);
                    if left < 0.0 {
                        return class;
                    }
                }
                if low == high {
                    break;
                }
            }
            low += 1;
            high = high.saturating_sub(1);
        }
        last
    }
}
