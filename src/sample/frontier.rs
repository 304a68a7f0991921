//! The reference's sampling procedure, for comparison (ENGINE, "frontier"; after Luke 2000).
//!
//! A size N is drawn uniformly from the window, whether or not it exists. A set holds what is not
//! expanded yet; one of it, picked uniformly, is expanded at a time. A production costs the sum of
//! its parts' least sizes. The potential is what is there already and the least sizes of all that
//! is not expanded. While it is below N, a production of greatest cost is taken, uniformly; afterwards
//! one of least cost. In the reference's grammars every production is a rule of its own, so a
//! nonterminal is expanded in two steps: it chooses its production, which goes back into the set
//! and puts its parts there when it is picked in turn. That is where the bias comes from: two of the
//! 42 shapes of six primitives take 43 %.
//!
//! Nothing bounds this procedure in general. After [`PATIENCE`] steps every nonterminal takes its
//! shortest production, so that it ends.

use std::ops::RangeInclusive;

use super::{Rng, Sampler, below};
use crate::grammar::ids::{NtId, ProdId};
use crate::grammar::ir::{Grammar, ProductionKind, SizeMetric};
use crate::tree::{Node, Program};

/// Steps after which the shortest production is taken.
const PATIENCE: usize = 20_000;

struct Item {
    nt: NtId,
    production: Option<ProdId>,
    /// Index of its first child, when they are there.
    first: usize,
    /// What its ancestors add to its depth.
    above: u32,
}

impl Sampler<'_> {
    /// Draws a tree of a nonterminal, or of a production, by the reference's procedure.
    pub(super) fn frontier(
        &self,
        nt: NtId,
        root: Option<ProdId>,
        sizes: RangeInclusive<u32>,
        rng: &mut Rng,
        out: &mut Program,
    ) {
        let span = sizes.end().saturating_sub(*sizes.start()).saturating_add(1);
        let target = sizes.start() + below(rng, span);
        let items = self.grow(nt, root, target, rng);
        self.begin(out);
        let mut stack = vec![0];
        while let Some(at) = stack.pop() {
            let item: &Item = &items[at];
            let Some(id) = item.production else { continue };
            let value = match self.grammar.production(id).kind {
                ProductionKind::Token(token) => self.tables.draws[token.index()].fresh(
                    &self.tables.choices,
                    self.texts,
                    rng,
                    &mut out.texts,
                ),
                _ => 0,
            };
            out.nodes.push(Node {
                production: id,
                value,
                len: 1,
                size: 0,
            });
            stack.extend((item.first..item.first + self.layout.arity(id)).rev());
        }
        self.layout.annotate(out);
    }

    fn grow(&self, nt: NtId, root: Option<ProdId>, target: u32, rng: &mut Rng) -> Vec<Item> {
        let least_of = |id: ProdId| self.inside.least_of(id).unwrap_or(0);
        let least = |nt: NtId| self.inside.least(nt).unwrap_or(0);
        let depth = self.layout.metric() == SizeMetric::Depth;
        let mut items = vec![Item {
            nt,
            production: root,
            first: 0,
            above: 0,
        }];
        let mut set = vec![0];
        let mut potential = root.map_or_else(|| least(nt), least_of);
        let mut shortest = None;
        let mut options = Vec::new();
        let mut steps = 0;
        while !set.is_empty() {
            steps += 1;
            let at = set.swap_remove(below(rng, set.len() as u32) as usize);
            let (nt, above) = (items[at].nt, items[at].above);
            if let Some(id) = items[at].production {
                let first = items.len();
                items[at].first = first;
                let above = above + self.layout.cost(id);
                for child in self.layout.children(id) {
                    set.push(items.len());
                    items.push(Item {
                        nt: *child,
                        production: None,
                        first: 0,
                        above,
                    });
                }
                continue;
            }
            let all = &self.grammar.nonterminal(nt).productions;
            let costs = all.iter().map(|id| least_of(*id));
            let wanted = match potential < target {
                true => costs.max().unwrap_or(0),
                false => costs.min().unwrap_or(0),
            };
            options.clear();
            options.extend(all.iter().copied().filter(|id| least_of(*id) == wanted));
            let id = if steps > PATIENCE {
                let table = shortest.get_or_insert_with(|| shortest_productions(self.grammar));
                table[nt.index()].unwrap_or(options[0])
            } else {
                options[below(rng, options.len() as u32) as usize]
            };
            if depth {
                potential = potential.max(above + least_of(id));
            } else {
                potential = potential - least(nt) + least_of(id);
            }
            items[at].production = Some(id);
            if self.layout.arity(id) > 0 {
                set.push(at);
            }
        }
        items
    }
}

/// By nonterminal, the production with the fewest nodes.
fn shortest_productions(grammar: &Grammar) -> Vec<Option<ProdId>> {
    let mut fewest: Vec<Option<(u64, ProdId)>> = vec![None; grammar.nonterminals.len()];
    let mut changed = true;
    while changed {
        changed = false;
        for nt in grammar.nonterminal_ids() {
            for id in &grammar.nonterminal(nt).productions {
                let children = &grammar.production(*id).children;
                let sum = children.iter().try_fold(1u64, |sum, child| {
                    Some(sum.saturating_add(fewest[child.nt.index()]?.0))
                });
                let Some(sum) = sum else { continue };
                if fewest[nt.index()].is_none_or(|(best, _)| sum < best) {
                    fewest[nt.index()] = Some((sum, *id));
                    changed = true;
                }
            }
        }
    }
    fewest.into_iter().map(|best| best.map(|b| b.1)).collect()
}
