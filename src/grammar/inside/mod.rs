//! Inside weights: how much all programs of a size weigh together (ENGINE, "Sampling").
//!
//! In: a resolved [`Grammar`]. Out: [`Inside`], a table over nonterminals and sizes. Afterwards the
//! exact sampler, the mutators and the edit paths know which sizes exist and how likely each
//! production is at each size. Every sum is finite; when one is not, a diagnostic shows the cycle.
//!
//! **Classes.** The tables are indexed by a *class* rather than a size, so that sums and depths go
//! through one sampler. For the additive sizes (primitives, nodes) class `s` holds the trees of size
//! `s`. For depth, class `2d` holds the trees of depth at most `d` and class `2d + 1` those of depth
//! exactly `d`. A production's node consumes its cost, which leaves a *state* for its children from
//! left to right: `options` lists what child `i` may take and what state that leaves to the others.

mod build;
mod report;
pub(crate) mod zero;

use std::ops::RangeInclusive;

use super::ids::{NtId, ProdId};
use super::ir::{Grammar, SizeMetric};
use super::mass::Mass;
use crate::diag::Sink;

pub use report::{least_small, ranges};

/// The greatest size tables are grown to.
pub const MAX_SIZE: u32 = 4096;

/// Inside weights up to a size.
#[derive(Clone, Debug)]
pub struct Inside {
    metric: SizeMetric,
    max: u32,
    /// `[nonterminal][class]`
    nts: Vec<Vec<Mass>>,
    /// `[production][class]`
    productions: Vec<Vec<Mass>>,
    /// `[production][child][state]`: that child and those after it.
    rests: Vec<Vec<Vec<Mass>>>,
    least_nt: Vec<Option<u32>>,
    least_production: Vec<Option<u32>>,
}

/// Why a window of sizes cannot be sampled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SizeError {
    /// Nothing has such a size.
    #[error("no {what} has a size in {}..={}; sizes that exist: {exist}", wanted.start(), wanted.end())]
    Missing {
        /// What was to be sampled.
        what: String,
        /// The window.
        wanted: RangeInclusive<u32>,
        /// The sizes there are, as ranges.
        exist: String,
    },
    /// Past [`MAX_SIZE`].
    #[error("size {0} is past {MAX_SIZE}, the greatest that can be sampled")]
    TooLarge(u32),
    /// Depth lets the number of programs grow so fast that they cannot be sampled any more.
    #[error("programs of depth {0} have millions of nodes; choose a smaller size")]
    TooDeep(u32),
    /// At this depth the weights of a list have no finite sum.
    #[error("the weights of programs of depth {0} have no finite sum")]
    Infinite(u32),
}

impl Inside {
    /// The tables for a grammar's own window and sigma_small. Reports weights whose sum is infinite,
    /// a window without programs, and a sigma_small below what mutation needs; `None` after an error.
    pub fn build(grammar: &Grammar, sink: &mut Sink) -> Option<Inside> {
        report::build(grammar, sink)
    }

    /// The tables up to a greater size.
    pub fn grown(grammar: &Grammar, max: u32) -> Result<Inside, SizeError> {
        if max > MAX_SIZE {
            return Err(SizeError::TooLarge(max));
        }
        build::compute(grammar, max).map_err(|stop| match stop {
            build::Stop::Infinite(trouble) => SizeError::Infinite(trouble.size),
            build::Stop::TooDeep(depth) => SizeError::TooDeep(depth),
        })
    }

    /// The greatest size in the tables.
    pub fn max(&self) -> u32 {
        self.max
    }

    /// What size means.
    pub fn metric(&self) -> SizeMetric {
        self.metric
    }

    /// Total weight of the trees of a nonterminal and a size. 0 past [`Inside::max`].
    pub fn weight(&self, nt: NtId, size: u32) -> Mass {
        self.nt(nt, self.class(size))
    }

    /// Total weight of the trees whose root is a production, by size.
    pub fn production_weight(&self, production: ProdId, size: u32) -> Mass {
        self.production(production, self.class(size))
    }

    /// The least size of a nonterminal's trees, `None` when it has none.
    pub fn least(&self, nt: NtId) -> Option<u32> {
        self.least_nt[nt.index()]
    }

    /// The least size of a production's trees, `None` when it has none.
    pub fn least_of(&self, production: ProdId) -> Option<u32> {
        self.least_production[production.index()]
    }

    /// The sizes of a nonterminal's trees, rising, up to [`Inside::max`].
    pub fn sizes(&self, nt: NtId) -> impl Iterator<Item = u32> + '_ {
        (0..=self.max).filter(move |size| !self.weight(nt, *size).is_zero())
    }

    /// The class of the trees of a size.
    #[inline]
    pub(crate) fn class(&self, size: u32) -> u32 {
        match self.metric {
            SizeMetric::Depth => size.saturating_mul(2).saturating_add(1),
            _ => size,
        }
    }

    /// Number of classes.
    pub(crate) fn classes(&self) -> u32 {
        match self.metric {
            SizeMetric::Depth => 2 * (self.max + 1),
            _ => self.max + 1,
        }
    }

    /// Weight of a nonterminal's trees of a class.
    #[inline]
    pub(crate) fn nt(&self, nt: NtId, class: u32) -> Mass {
        at(&self.nts[nt.index()], class)
    }

    /// Weight of a production's trees of a class.
    #[inline]
    pub(crate) fn production(&self, production: ProdId, class: u32) -> Mass {
        at(&self.productions[production.index()], class)
    }

    /// Weight of the children from `child` on, together of a state.
    #[inline]
    pub(crate) fn rest(&self, production: ProdId, child: usize, state: u32) -> Mass {
        match self.rests[production.index()].get(child) {
            Some(row) => at(row, state),
            None if self.is_spent(state) => Mass::ONE,
            None => Mass::ZERO,
        }
    }

    /// Whether a state asks nothing of further children.
    fn is_spent(&self, state: u32) -> bool {
        match self.metric {
            SizeMetric::Depth => state.is_multiple_of(2) || state == 1,
            _ => state == 0,
        }
    }

    /// The state a node of this cost leaves to its children, `None` when the class is too small.
    #[inline]
    pub(crate) fn enter(&self, cost: u32, class: u32) -> Option<u32> {
        match self.metric {
            SizeMetric::Depth => class.checked_sub(2 * cost),
            _ => class.checked_sub(cost),
        }
    }

    /// The class that holds a child of this size, among the options in a state.
    pub(crate) fn class_in(&self, state: u32, size: u32) -> u32 {
        match self.metric {
            SizeMetric::Depth if state.is_multiple_of(2) || size == state / 2 => state,
            SizeMetric::Depth => state.saturating_sub(3),
            _ => size,
        }
    }

    /// The state left when a child takes a class.
    #[inline]
    pub(crate) fn leave(&self, state: u32, class: u32) -> u32 {
        leave(self.metric, state, class)
    }

    /// What child `child` may take in a state, with the weight of it and all children after it.
    /// Only what has weight is given.
    pub(crate) fn options(
        &self,
        production: ProdId,
        child: usize,
        nt: NtId,
        state: u32,
        mut give: impl FnMut(u32, Mass),
    ) {
        let mut offer = |class: u32| {
            let own = self.nt(nt, class);
            if !own.is_zero() {
                let mass = own * self.rest(production, child + 1, self.leave(state, class));
                if !mass.is_zero() {
                    give(class, mass);
                }
            }
        };
        match self.metric {
            // Exactly `d`: this child reaches it and the others need not, or it stays below and
            // one of the others must.
            SizeMetric::Depth if state % 2 == 1 => {
                offer(state);
                if state >= 3 {
                    offer(state - 3);
                }
            }
            SizeMetric::Depth => offer(state),
            _ => {
                for class in self.least_nt[nt.index()].unwrap_or(0)..=state {
                    offer(class);
                }
            }
        }
    }
}

/// [`Inside::leave`] for loops that hold the metric.
#[inline]
pub(crate) fn leave(metric: SizeMetric, state: u32, class: u32) -> u32 {
    match metric {
        SizeMetric::Depth if class == state => state & !1,
        SizeMetric::Depth => state,
        _ => state - class,
    }
}

#[inline]
fn at(row: &[Mass], class: u32) -> Mass {
    row.get(class as usize).copied().unwrap_or(Mass::ZERO)
}

#[cfg(test)]
mod tests;
