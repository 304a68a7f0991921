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

/// The given tree with what stands beside it, node by node.
struct Beside<'p> {
    program: &'p Program,
    position: usize,
    nodes: &'p [Node],
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
#[derive(Clone, Copy)]
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
    fn children(&self, at: usize) -> Vec<usize> {
        let end = at + self.nodes[at].len as usize;
        let mut out = Vec::new();
        let mut child = at + 1;
        while child < end {
            out.push(child);
            child += self.nodes[child].len as usize;
        }
        out
    }

    fn text(&self, at: usize) -> &str {
        let value = self.nodes[at].value as usize;
        self.program.texts.get(value).map_or("", |text| text)
    }
}

impl Sampler<'_> {
    /// Draws a tree that differs from the one at `position`, its size uniform among those that
    /// exist in `sizes`, all conditioned on differing. False when there is none.
    pub(crate) fn sample_other(
        &self,
        goal: Goal,
        program: &Program,
        position: usize,
        sizes: RangeInclusive<u32>,
        rng: &mut Rng,
        out: &mut Program,
    ) -> bool {
        let inside = self.inside();
        let given = program.subtree(position)[0];
        let beside = (given.size <= inside.max()).then(|| self.beside(goal.nt, program, position));
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
                    None => Mass::new(beside.other[0].share(whole)),
                    Some(root) if root == given.production => {
                        Mass::new(beside.below[0].share(whole))
                    }
                    Some(_) => Mass::ONE,
                },
                _ => Mass::ONE,
            }
        };
        let sizes = *sizes.start()..=(*sizes.end()).min(inside.max());
        let options: Vec<(u32, Mass)> = sizes.map(|size| (size, share(size))).collect();
        let Some(size) = choose(rng, &options) else {
            return false;
        };
        out.nodes.clear();
        out.texts.clear();
        let mut scratch = Scratch::default();
        let class = inside.class(size);
        let done = match (&beside, goal.root) {
            (Some(beside), root) if size == given.size => {
                self.follow(beside, root, &mut scratch, rng, out)
            }
            (_, None) => {
                self.expand(goal.nt, class, &mut scratch, rng, out);
                true
            }
            (_, Some(root)) => {
                self.expand_production(root, class, &mut scratch, rng, out);
                true
            }
        };
        done && self.layout().annotate(out)
    }

    /// Sums up what stands beside the tree at `position`.
    fn beside<'p>(&self, nt: NtId, program: &'p Program, position: usize) -> Beside<'p> {
        let (inside, layout) = (self.inside(), self.layout());
        let nodes = program.subtree(position);
        let n = nodes.len();
        let mut nts = Vec::with_capacity(n);
        layout.positions_into(nt, nodes, &mut Vec::new(), &mut nts);
        let mut beside = Beside {
            program,
            position,
            nodes,
            nts,
            class: vec![0; n],
            state: vec![0; n],
            own: vec![Mass::ZERO; n],
            below: vec![Mass::ZERO; n],
            other: vec![Mass::ZERO; n],
            rest: vec![Mass::ZERO; n],
        };
        beside.class[0] = inside.class(nodes[0].size);
        for at in 0..n {
            let cost = layout.cost(nodes[at].production);
            let mut state = inside.enter(cost, beside.class[at]).unwrap_or(0);
            for child in beside.children(at) {
                let class = inside.class_in(state, nodes[child].size);
                beside.class[child] = class;
                beside.state[child] = state;
                state = inside.leave(state, class);
            }
        }
        for at in (0..n).rev() {
            self.weigh(&mut beside, at);
        }
        beside
    }

    /// Fills the weights of a node; its children's are there.
    fn weigh(&self, beside: &mut Beside<'_>, at: usize) {
        let (grammar, inside) = (self.grammar(), self.inside());
        let id = beside.nodes[at].production;
        let production = grammar.production(id);
        let (mut same, mut differs) = match production.kind {
            ProductionKind::Token(token) => self.token_weights(beside, at, token),
            _ => (Mass::ONE, Mass::ZERO),
        };
        for (index, child) in beside.children(at).into_iter().enumerate().rev() {
            let (state, class) = (beside.state[child], beside.class[child]);
            let left = inside.leave(state, class);
            let mut sum = beside.other[child] * inside.rest(id, index + 1, left)
                + beside.own[child] * differs;
            inside.options(id, index, beside.nts[child], state, |option, mass| {
                if option != class {
                    sum += mass;
                }
            });
            same = same * beside.own[child];
            differs = sum;
            beside.rest[child] = sum;
        }
        let weight = Mass::new(production.weight);
        beside.own[at] = weight * same;
        beside.below[at] = weight * differs;
        let others: Mass = self.others(beside, at).map(|other| other.1).sum();
        beside.other[at] = beside.below[at] + others;
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
        let nt = self.grammar().nonterminal(beside.nts[at]);
        nt.productions
            .iter()
            .filter(move |id| **id != own)
            .map(move |id| (*id, self.inside().production(*id, beside.class[at])))
    }

    /// Draws one of the trees that `beside` counted, of the given tree's size, by its weight.
    fn follow(
        &self,
        beside: &Beside<'_>,
        mut root: Option<ProdId>,
        scratch: &mut Scratch,
        rng: &mut Rng,
        out: &mut Program,
    ) -> bool {
        let inside = self.inside();
        // Children after a differing one, outermost first: production, child, state.
        let mut open: Vec<(ProdId, usize, u32)> = Vec::new();
        let mut at = Some(0);
        while let Some(here) = at.take() {
            let id = beside.nodes[here].production;
            let mut options: Vec<(Case, Mass)> = self
                .others(beside, here)
                .filter(|(other, _)| root.is_none_or(|root| root == *other))
                .map(|(other, mass)| (Case::Root(other), mass))
                .collect();
            if root.is_none_or(|root| root == id) {
                options.push((Case::Below, beside.below[here]));
            }
            root = None;
            match choose(rng, &options) {
                Some(Case::Root(other)) => {
                    self.expand_production(other, beside.class[here], scratch, rng, out);
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
            let row = beside.children(here);
            for (index, child) in row.iter().copied().enumerate() {
                let (state, class) = (beside.state[child], beside.class[child]);
                let left = inside.leave(state, class);
                let later = row
                    .get(index + 1)
                    .map_or(Mass::ZERO, |next| beside.rest[*next]);
                let mut options = vec![
                    (Case::Later, beside.own[child] * later),
                    (
                        Case::Child,
                        beside.other[child] * inside.rest(id, index + 1, left),
                    ),
                ];
                inside.options(id, index, beside.nts[child], state, |option, mass| {
                    if option != class {
                        options.push((Case::Class(option), mass));
                    }
                });
                match choose(rng, &options) {
                    Some(Case::Later) => {
                        let from = beside.position + child;
                        self.layout().append(beside.program, from, out);
                    }
                    Some(Case::Class(option)) => {
                        open.push((id, index + 1, inside.leave(state, option)));
                        self.expand(beside.nts[child], option, scratch, rng, out);
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
