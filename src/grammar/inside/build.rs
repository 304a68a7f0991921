//! Fills the tables, size by size.
//!
//! At each size the nonterminals are taken in groups, what others need at the same size first. A
//! group that needs itself is a cycle that adds no size: its equations are linear (at size 0 of an
//! additive size polynomial), and `zero` solves them.

use super::zero::{self, Matrix, System, Term};
use super::{Inside, leave};
use crate::grammar::ids::{NtId, ProdId};
use crate::grammar::ir::{Grammar, SizeMetric};
use crate::grammar::mass::Mass;

/// Binary exponent past which a depth's programs have millions of nodes.
const MAX_EXPONENT: i64 = 1 << 22;

/// Why the tables end early.
#[derive(Clone, Debug)]
pub(super) enum Stop {
    /// A sum is infinite.
    Infinite(Box<Trouble>),
    /// Programs of this depth are too large to be made.
    TooDeep(u32),
}

/// A cycle whose sum is infinite.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    /// The nonterminals around the cycle.
    pub nts: Vec<NtId>,
    /// Their equations.
    pub system: System,
    /// Whether the equations must have a solution from 0 (size 0), rather than be linear.
    pub polynomial: bool,
    /// Where the sum was seen to be infinite.
    pub point: Vec<f64>,
    /// The size, or depth, at which that happened.
    pub size: u32,
}

impl Trouble {
    /// Whether the sum is finite with other weights: `scale` multiplies each production's.
    pub(super) fn finite(&self, scale: impl Fn(ProdId) -> f64) -> bool {
        let mut system = self.system.clone();
        for term in &mut system.terms {
            term.factor *= scale(term.production);
        }
        if self.polynomial {
            system.solve().is_ok()
        } else {
            zero::sum_of_powers(&system.derivative(&self.point)).is_some()
        }
    }
}

/// Nonterminals that need each other at the same size.
struct Group {
    nts: Vec<NtId>,
    cyclic: bool,
    /// `(I - M)^-1`, once known: for additive sizes it is the same at every size.
    inverse: Option<Matrix>,
}

/// The tables up to `max`.
pub(super) fn compute(grammar: &Grammar, max: u32) -> Result<Inside, Stop> {
    let (least_nt, least_production) = least(grammar);
    let classes = match grammar.size {
        SizeMetric::Depth => 2 * (max as usize + 1),
        _ => max as usize + 1,
    };
    let row = || vec![Mass::ZERO; classes];
    let inside = Inside {
        metric: grammar.size,
        max,
        nts: grammar.nonterminals.iter().map(|_| row()).collect(),
        productions: grammar.productions.iter().map(|_| row()).collect(),
        rests: grammar
            .productions
            .iter()
            .map(|p| p.children.iter().map(|_| row()).collect())
            .collect(),
        least_nt,
        least_production,
    };
    let groups = groups(grammar, &inside);
    let mut builder = Builder {
        grammar,
        costs: grammar
            .productions
            .iter()
            .map(|p| p.cost(grammar.size))
            .collect(),
        most: vec![0; grammar.nonterminals.len()],
        inside,
    };
    builder.run(groups)?;
    Ok(builder.inside)
}

/// The least sizes of nonterminals and productions, `None` for what has no finite tree.
pub(super) fn least(grammar: &Grammar) -> (Vec<Option<u32>>, Vec<Option<u32>>) {
    let mut nts: Vec<Option<u32>> = vec![None; grammar.nonterminals.len()];
    let mut productions: Vec<Option<u32>> = vec![None; grammar.productions.len()];
    let mut changed = true;
    while changed {
        changed = false;
        for (slot, production) in productions.iter_mut().zip(&grammar.productions) {
            let mut children = production
                .children
                .iter()
                .map(|child| nts[child.nt.index()]);
            let sum = match grammar.size {
                SizeMetric::Depth => children.try_fold(0, |a: u32, b| Some(a.max(b?))),
                _ => children.try_fold(0u32, |a, b| Some(a.saturating_add(b?))),
            };
            *slot = sum.map(|size| size.saturating_add(production.cost(grammar.size)));
        }
        for (slot, nt) in nts.iter_mut().zip(&grammar.nonterminals) {
            let best = nt
                .productions
                .iter()
                .filter_map(|p| productions[p.index()])
                .min();
            changed |= *slot != best;
            *slot = best;
        }
    }
    (nts, productions)
}

/// The groups, in the order in which they can be solved.
fn groups(grammar: &Grammar, inside: &Inside) -> Vec<Group> {
    let edges: Vec<Vec<usize>> = grammar
        .nonterminals
        .iter()
        .map(|nt| {
            let mut out = Vec::new();
            for id in &nt.productions {
                let production = grammar.production(*id);
                if production.cost(grammar.size) > 0 {
                    continue;
                }
                for (index, child) in production.children.iter().enumerate() {
                    // A sum reaches the child at the same size only if the others can be empty.
                    let reaches = grammar.size == SizeMetric::Depth
                        || production
                            .children
                            .iter()
                            .enumerate()
                            .all(|(other, sibling)| {
                                other == index || inside.least(sibling.nt) == Some(0)
                            });
                    if reaches && !out.contains(&child.nt.index()) {
                        out.push(child.nt.index());
                    }
                }
            }
            out
        })
        .collect();
    zero::components(&edges)
        .into_iter()
        .map(|(members, cyclic)| Group {
            nts: members.into_iter().map(NtId::from_index).collect(),
            cyclic,
            inverse: None,
        })
        .collect()
}

struct Builder<'g> {
    grammar: &'g Grammar,
    inside: Inside,
    costs: Vec<u32>,
    /// The greatest size so far with weight, by nonterminal: bounds the convolutions.
    most: Vec<u32>,
}

impl Builder<'_> {
    fn run(&mut self, mut groups: Vec<Group>) -> Result<(), Stop> {
        let depth = self.inside.metric == SizeMetric::Depth;
        let mut done = vec![u32::MAX; self.grammar.productions.len()];
        for size in 0..=self.inside.max {
            if depth {
                // Until its group's turn, nothing reaches exactly this depth.
                for row in &mut self.inside.nts {
                    if let Some(below) = (2 * size as usize).checked_sub(2) {
                        row[below + 2] = row[below];
                    }
                }
            }
            for group in &mut groups {
                if group.cyclic {
                    self.solve(group, size)?;
                } else {
                    self.fill(&group.nts, size, &mut done);
                    self.collect(group.nts[0], size);
                }
            }
            if !depth {
                self.settle(size);
            }
            if depth {
                let far = |mass: &Mass| mass.exponent().abs() > MAX_EXPONENT;
                if self
                    .inside
                    .nts
                    .iter()
                    .any(|row| far(&row[2 * size as usize]))
                {
                    return Err(Stop::TooDeep(size));
                }
            }
        }
        Ok(())
    }

    /// Takes what later children have at this size into the rows, for greater sizes to use: a
    /// production whose first child is never empty may have been filled before its other
    /// children had theirs (the tail of a list is the list itself).
    fn settle(&mut self, size: u32) {
        let grammar = self.grammar;
        for id in grammar.production_ids() {
            if self.costs[id.index()] > 0 {
                continue;
            }
            let children = &grammar.production(id).children;
            for (index, child) in children.iter().enumerate().skip(1).rev() {
                let sum = self.convolve(id, index, child.nt, size);
                self.inside.rests[id.index()][index][size as usize] = sum;
            }
        }
    }

    /// Fills the productions of these nonterminals at a size, those not done yet.
    fn fill(&mut self, nts: &[NtId], size: u32, done: &mut [u32]) {
        let grammar = self.grammar;
        for nt in nts {
            for id in &grammar.nonterminal(*nt).productions {
                if done[id.index()] != size {
                    done[id.index()] = size;
                    self.fill_production(*id, size);
                }
            }
        }
    }

    /// A production's weight at a size, and its children's rows at the state that belongs to it.
    fn fill_production(&mut self, id: ProdId, size: u32) {
        let Some(left) = size.checked_sub(self.costs[id.index()]) else {
            return;
        };
        let grammar = self.grammar;
        let production = grammar.production(id);
        let weight = Mass::new(production.weight);
        let states: &[u32] = match self.inside.metric {
            SizeMetric::Depth => &[2 * left, 2 * left + 1],
            _ => &[left],
        };
        for &state in states {
            for (index, child) in production.children.iter().enumerate().rev() {
                let sum = match self.inside.metric {
                    SizeMetric::Depth => {
                        let mut sum = Mass::ZERO;
                        self.inside
                            .options(id, index, child.nt, state, |_, mass| sum += mass);
                        sum
                    }
                    _ => self.convolve(id, index, child.nt, state),
                };
                self.inside.rests[id.index()][index][state as usize] = sum;
            }
            let class = match self.inside.metric {
                SizeMetric::Depth => 2 * size + state % 2,
                _ => size,
            };
            self.inside.productions[id.index()][class as usize] =
                weight * self.inside.rest(id, 0, state);
        }
    }

    /// The weight of children from `index` on that have `state` together.
    fn convolve(&self, id: ProdId, index: usize, nt: NtId, state: u32) -> Mass {
        let own = &self.inside.nts[nt.index()];
        let lo = self.inside.least(nt).unwrap_or(0);
        let hi = self.most[nt.index()].min(state);
        let mut sum = Mass::ZERO;
        for class in lo..=hi {
            let mass = own[class as usize];
            if !mass.is_zero() {
                let left = leave(self.inside.metric, state, class);
                sum += mass * self.inside.rest(id, index + 1, left);
            }
        }
        sum
    }

    /// A nonterminal's weight at a size from its productions'.
    fn collect(&mut self, nt: NtId, size: u32) {
        let sum = self.sum(nt, size);
        self.set(nt, size, sum);
    }

    fn sum(&self, nt: NtId, size: u32) -> Mass {
        let class = self.inside.class(size);
        let productions = &self.grammar.nonterminal(nt).productions;
        productions
            .iter()
            .map(|id| self.inside.production(*id, class))
            .sum()
    }

    fn set(&mut self, nt: NtId, size: u32, mass: Mass) {
        let row = &mut self.inside.nts[nt.index()];
        if self.inside.metric == SizeMetric::Depth {
            let exact = 2 * size as usize + 1;
            row[exact] = mass;
            let below = exact.checked_sub(3).map_or(Mass::ZERO, |i| row[i]);
            row[exact - 1] = below + mass;
        } else {
            row[size as usize] = mass;
        }
        if !mass.is_zero() {
            self.most[nt.index()] = size;
        }
    }

    /// A cyclic group at a size.
    fn solve(&mut self, group: &mut Group, size: u32) -> Result<(), Stop> {
        let depth = self.inside.metric == SizeMetric::Depth;
        let n = group.nts.len();
        // What the productions give while the group itself has nothing at this size.
        let mut scratch = vec![u32::MAX; self.grammar.productions.len()];
        self.fill(&group.nts, size, &mut scratch);
        let base: Vec<Mass> = group.nts.iter().map(|nt| self.sum(*nt, size)).collect();

        let polynomial =
            !depth && size == 0 && group.nts.iter().any(|nt| self.inside.least(*nt) == Some(0));
        if !depth && size == 0 && !polynomial {
            // Nothing of size 0 here. The equations wait for size 1: only then are the weights of
            // size 0 of all other nonterminals known.
            return Ok(());
        }
        let mut values = None;
        if group.inverse.is_none() || depth {
            let system = self.system(&group.nts, size);
            let (point, inverse) = if polynomial {
                match system.solve() {
                    Ok((x, inverse)) => {
                        values = Some(x.iter().map(|v| Mass::new(*v)).collect::<Vec<_>>());
                        (x, Some(inverse))
                    }
                    Err(point) => (point, None),
                }
            } else {
                let point = vec![0.0; n];
                let inverse = zero::sum_of_powers(&system.derivative(&point));
                (point, inverse)
            };
            if inverse.is_none() {
                return Err(Stop::Infinite(Box::new(Trouble {
                    nts: group.nts.clone(),
                    system,
                    polynomial,
                    point,
                    size,
                })));
            }
            group.inverse = inverse;
        }
        let values = values.unwrap_or_else(|| {
            let inverse = group.inverse.as_deref().unwrap_or_default();
            let times = |row: &Vec<f64>| {
                let products = row.iter().zip(&base).map(|(m, b)| Mass::new(*m) * *b);
                products.sum()
            };
            inverse.iter().map(times).collect()
        });
        for (nt, value) in group.nts.iter().zip(&values) {
            self.set(*nt, size, *value);
        }
        scratch.fill(u32::MAX);
        self.fill(&group.nts, size, &mut scratch);
        Ok(())
    }

    /// The equations of a group at a size.
    fn system(&self, nts: &[NtId], size: u32) -> System {
        let class = match self.inside.metric {
            SizeMetric::Depth => 2 * size,
            _ => 0,
        };
        let mut terms = Vec::new();
        for (row, nt) in nts.iter().enumerate() {
            for id in &self.grammar.nonterminal(*nt).productions {
                if self.costs[id.index()] > 0 {
                    continue;
                }
                let production = self.grammar.production(*id);
                let mut factor = Mass::new(production.weight);
                let mut children = Vec::new();
                for child in &production.children {
                    match nts.binary_search(&child.nt) {
                        Ok(index) => children.push(index),
                        Err(_) => factor = factor * self.inside.nt(child.nt, class),
                    }
                }
                if !factor.is_zero() {
                    terms.push(Term {
                        row,
                        production: *id,
                        factor: factor.to_f64(),
                        children,
                    });
                }
            }
        }
        System {
            size: nts.len(),
            terms,
        }
    }
}
