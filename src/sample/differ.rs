//! Exact draws conditioned on being different from a given tree.
//!
//! Rejection does this too, but without a bound when the given tree has nearly all the weight. Here
//! the weight of everything but the given tree is summed up along that tree, without a subtraction
//! that could lose it: a different tree has another root production, or the same one and a first
//! child that differs. Following these cases from the root down draws one of them. Linear in the
//! given tree, times the options of its nodes.

use std::ops::RangeInclusive;

use super::exact::Scratch;
use super::{Rng, Sampler, unit};
use crate::grammar::ids::{NtId, ProdId, TokenId};
use crate::grammar::ir::ProductionKind;
use crate::grammar::mass::Mass;
use crate::tree::{Node, Program};

/// What a differing tree must be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Goal {
    /// A tree of this nonterminal,
    pub nt: NtId,
    /// with this production at its root, if one is asked for.
    pub root: Option<ProdId>,
}

/// Memory that is kept from one draw to the next.
#[derive(Clone, Debug, Default)]
pub(super) struct Buffers {
    rows: Rows,
    pending: Vec<NtId>,
    sizes: Vec<(u32, Mass)>,
    cases: Vec<(Case, Mass)>,
    /// Children of a node, as indices.
    children: Vec<usize>,
    /// Children after a differing one, outermost first: production, child, state.
    open: Vec<(ProdId, usize, u32)>,
}

/// The given tree with what stands beside it.
struct Beside<'p> {
    program: &'p Program,
    position: usize,
    nodes: &'p [Node],
    rows: Rows,
}

/// What is known of the given tree, node by node.
#[derive(Clone, Debug, Default)]
struct Rows {
    nts: Vec<NtId>,
    class: Vec<u32>,
    /// State of the parent before this child.
    state: Vec<u32>,
    /// Weight of the subtree itself.
    own: Vec<Mass>,
    /// Weight of other trees with the same root production, of its class.
    below: Vec<Mass>,
    /// Weight of all other trees of the nonterminal and class.
    other: Vec<Mass>,
    /// Weight of this child and its later siblings, all but what is given.
    rest: Vec<Mass>,
}

/// Where the first difference lies.
#[derive(Clone, Copy, Debug)]
enum Case {
    /// Another root production.
    Root(ProdId),
    /// Below the same one.
    Below,
    /// This child has another class.
    Class(u32),
    /// This child has the same class and differs.
    Child,
    /// A later sibling differs.
    Later,
}

impl Beside<'_> {
    /// The children of a node, as indices.
    fn children_into(&self, at: usize, out: &mut Vec<usize>) {
        let end = at + self.nodes[at].len as usize;
        out.clear();
        let mut child = at + 1;
        while child < end {
            out.push(child);
            child += self.nodes[child].len as usize;
        }
    }

    fn text(&self, at: usize) -> &str {
        let value = self.nodes[at].value as usize;
        self.program.texts.get(value).map_or("", |text| text)
    }
}

impl Sampler<'_> {
    /// Draws a tree that differs from the one at `position`, its size uniform among those that
    /// exist in `sizes`, all conditioned on differing. False when there is none.
    #[allow(clippy::too_many_arguments)] // what is drawn, and the three that every draw takes
    pub(crate) fn sample_other(
        &self,
        goal: Goal,
        program: &Program,
        position: usize,
        sizes: RangeInclusive<u32>,
        scratch: &mut Scratch,
        rng: &mut Rng,
        out: &mut Program,
    ) -> bool {
        let mut buffers = std::mem::take(&mut scratch.differ);
        let at = (program, position);
        let done = self.other(goal, at, sizes, scratch, &mut buffers, rng, out);
        scratch.differ = buffers;
        done
    }

    #[allow(clippy::too_many_arguments)] // as above, with the memory apart
    fn other(
        &self,
        goal: Goal,
        (program, position): (&Program, usize),
        sizes: RangeInclusive<u32>,
        scratch: &mut Scratch,
        buffers: &mut Buffers,
        rng: &mut Rng,
        out: &mut Program,
    ) -> bool {
        let inside = self.inside();
        let given = program.subtree(position)[0];
        let beside =
            (given.size <= inside.max()).then(|| self.beside(goal.nt, program, position, buffers));
        // Before the condition all sizes that exist are equally likely; the given tree takes its
        // share from its own size.
        let share = |size: u32| {
            let whole = match goal.root {
                None => inside.weight(goal.nt, size),
                Some(root) => inside.production_weight(root, size),
            };
            match (&beside, goal.root) {
                _ if whole.is_zero() => Mass::ZERO,
                (Some(beside), root) if size == given.size => match root {
                    None => Mass::new(beside.rows.other[0].share(whole)),
                    Some(root) if root == given.production => {
                        Mass::new(beside.rows.below[0].share(whole))
                    }
                    Some(_) => Mass::ONE,
                },
                _ => Mass::ONE,
            }
        };
        let sizes = *sizes.start()..=(*sizes.end()).min(inside.max());
        buffers.sizes.clear();
        buffers.sizes.extend(sizes.map(|size| (size, share(size))));
        let chosen = choose(rng, &buffers.sizes);
        out.nodes.clear();
        out.texts.clear();
        let done = match (&beside, goal.root, chosen) {
            (_, _, None) => false,
            (Some(beside), root, Some(size)) if size == given.size => {
                self.follow(beside, root, scratch, buffers, rng, out)
            }
            (_, None, Some(size)) => {
                self.expand(goal.nt, inside.class(size), scratch, rng, out);
                true
            }
            (_, Some(root), Some(size)) => {
                self.expand_production(root, inside.class(size), scratch, rng, out);
                true
            }
        };
        if let Some(beside) = beside {
            buffers.rows = beside.rows;
        }
        done && self.layout().annotate(out)
    }

    /// Sums up what stands beside the tree at `position`.
    fn beside<'p>(
        &self,
        nt: NtId,
        program: &'p Program,
        position: usize,
        buffers: &mut Buffers,
    ) -> Beside<'p> {
        let (inside, layout) = (self.inside(), self.layout());
        let nodes = program.subtree(position);
        let n = nodes.len();
        let mut rows = std::mem::take(&mut buffers.rows);
        layout.positions_into(nt, nodes, &mut buffers.pending, &mut rows.nts);
        for list in [&mut rows.class, &mut rows.state] {
            list.clear();
            list.resize(n, 0);
        }
        for list in [
            &mut rows.own,
            &mut rows.below,
            &mut rows.other,
            &mut rows.rest,
        ] {
            list.clear();
            list.resize(n, Mass::ZERO);
        }
        let mut beside = Beside {
            program,
            position,
            nodes,
            rows,
        };
        beside.rows.class[0] = inside.class(nodes[0].size);
        for at in 0..n {
            let cost = layout.cost(nodes[at].production);
            let mut state = inside.enter(cost, beside.rows.class[at]).unwrap_or(0);
            beside.children_into(at, &mut buffers.children);
            for child in buffers.children.iter().copied() {
                let class = inside.class_in(state, nodes[child].size);
                beside.rows.class[child] = class;
                beside.rows.state[child] = state;
                state = inside.leave(state, class);
            }
        }
        for at in (0..n).rev() {
            beside.children_into(at, &mut buffers.children);
            self.weigh(&mut beside, at, &buffers.children);
        }
        beside
    }

    /// Fills the weights of a node; its children's are there.
    fn weigh(&self, beside: &mut Beside<'_>, at: usize, children: &[usize]) {
        let (grammar, inside) = (self.grammar(), self.inside());
        let id = beside.nodes[at].production;
        let production = grammar.production(id);
        let (mut same, mut differs) = match production.kind {
            ProductionKind::Token(token) => self.token_weights(beside, at, token),
            _ => (Mass::ONE, Mass::ZERO),
        };
        for (index, child) in children.iter().copied().enumerate().rev() {
            let (state, class) = (beside.rows.state[child], beside.rows.class[child]);
            let left = inside.leave(state, class);
            let mut sum = beside.rows.other[child] * inside.rest(id, index + 1, left)
                + beside.rows.own[child] * differs;
            inside.options(id, index, beside.rows.nts[child], state, |option, mass| {
                if option != class {
                    sum += mass;
                }
            });
            same = same * beside.rows.own[child];
            differs = sum;
            beside.rows.rest[child] = sum;
        }
        let weight = Mass::new(production.weight);
        beside.rows.own[at] = weight * same;
        beside.rows.below[at] = weight * differs;
        let others: Mass = self.others(beside, at).map(|other| other.1).sum();
        beside.rows.other[at] = beside.rows.below[at] + others;
    }

    fn token_weights(&self, beside: &Beside<'_>, at: usize, token: TokenId) -> (Mass, Mass) {
        let draw = &self.tables.draws[token.index()];
        let (value, text) = (beside.nodes[at].value, beside.text(at));
        (
            Mass::new(draw.probability(self.texts, value, text)),
            Mass::new(draw.probability_other(self.texts, value, text)),
        )
    }

    /// The productions that may stand at a node instead of its own, with their weights.
    fn others<'a>(
        &'a self,
        beside: &'a Beside<'_>,
        at: usize,
    ) -> impl Iterator<Item = (ProdId, Mass)> + 'a {
        let own = beside.nodes[at].production;
        let nt = self.grammar().nonterminal(beside.rows.nts[at]);
        nt.productions
            .iter()
            .filter(move |id| **id != own)
            .map(move |id| (*id, self.inside().production(*id, beside.rows.class[at])))
    }

    /// Draws one of the trees that `beside` counted, of the given tree's size, by its weight.
    fn follow(
        &self,
        beside: &Beside<'_>,
        mut root: Option<ProdId>,
        scratch: &mut Scratch,
        buffers: &mut Buffers,
        rng: &mut Rng,
        out: &mut Program,
    ) -> bool {
        let inside = self.inside();
        let Buffers {
            cases,
            children: row,
            open,
            ..
        } = buffers;
        open.clear();
        let mut at = Some(0);
        while let Some(here) = at.take() {
            let id = beside.nodes[here].production;
            cases.clear();
            cases.extend(
                self.others(beside, here)
                    .filter(|(other, _)| root.is_none_or(|root| root == *other))
                    .map(|(other, mass)| (Case::Root(other), mass)),
            );
            if root.is_none_or(|root| root == id) {
                cases.push((Case::Below, beside.rows.below[here]));
            }
            root = None;
            match choose(rng, cases) {
                Some(Case::Root(other)) => {
                    self.expand_production(other, beside.rows.class[here], scratch, rng, out);
                    break;
                }
                Some(_) => {}
                None => return false,
            }
            let value = match self.grammar().production(id).kind {
                ProductionKind::Token(token) => {
                    let draw = &self.tables.draws[token.index()];
                    let (value, text) = (beside.nodes[here].value, beside.text(here));
                    match draw.other(self.texts, rng, value, text, &mut out.texts) {
                        Some(value) => value,
                        None => return false,
                    }
                }
                _ => 0,
            };
            out.nodes.push(Node {
                production: id,
                value,
                len: 1,
                size: 0,
            });
            beside.children_into(here, row);
            for (index, child) in row.iter().copied().enumerate() {
                let (state, class) = (beside.rows.state[child], beside.rows.class[child]);
                let left = inside.leave(state, class);
                let later = row
                    .get(index + 1)
                    .map_or(Mass::ZERO, |next| beside.rows.rest[*next]);
                cases.clear();
                cases.push((Case::Later, beside.rows.own[child] * later));
                let differs = beside.rows.other[child] * inside.rest(id, index + 1, left);
                cases.push((Case::Child, differs));
                inside.options(id, index, beside.rows.nts[child], state, |option, mass| {
                    if option != class {
                        cases.push((Case::Class(option), mass));
                    }
                });
                match choose(rng, cases) {
                    Some(Case::Later) => {
                        let from = beside.position + child;
                        self.layout().append(beside.program, from, out);
                    }
                    Some(Case::Class(option)) => {
                        open.push((id, index + 1, inside.leave(state, option)));
                        self.expand(beside.rows.nts[child], option, scratch, rng, out);
                        break;
                    }
                    Some(_) => {
                        open.push((id, index + 1, left));
                        at = Some(child);
                        break;
                    }
                    None => return false,
                }
            }
        }
        while let Some((id, from, state)) = open.pop() {
            self.expand_rest(id, from, state, scratch, rng, out);
        }
        true
    }
}

/// One of the options by its weight; `None` when none has any.
fn choose<T: Copy>(rng: &mut Rng, options: &[(T, Mass)]) -> Option<T> {
    let whole: Mass = options.iter().map(|option| option.1).sum();
    let mut left = unit(rng);
    let mut last = None;
    for (value, mass) in options.iter().filter(|option| !option.1.is_zero()) {
        last = Some(*value);
        let share = mass.share(whole);
        if left < share {
            break;
        }
        left -= share;
    }
    last
}
