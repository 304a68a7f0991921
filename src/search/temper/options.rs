//! What can be set of the search.
//!
//! In: how much of a target there is to get right. Out: temperatures, prices, numbers of tries.
//! Afterwards nothing is kept. The numbers were found by trying them on CSG2D's hard set and on icons.

use crate::search::front::Cycle;
use crate::search::rounds::Rounds;

/// Smaller drawings are searched for as if they had so many pixels.
pub(in crate::search) const LEAST_WEIGHT: u16 = 64;

/// How the search goes about it. Temperatures and price are in pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Replicas in a run. At most half as many threads share them out.
    pub replicas: usize,
    /// Coldest temperature.
    pub cold: f64,
    /// Hottest temperature.
    pub hot: f64,
    /// Price of a unit of size, at first.
    pub price: f64,
    /// After how many evaluations of a run the price is half of what it was: what is easily found
    /// is to be short, and what is not is to be found. It falls to a tenth.
    pub halves: u64,
    /// A run begins afresh when nothing better was found for as many evaluations as it took to find the
    /// best, and for at least so many.
    pub stall: u64,
    /// Once the goal is met, a shorter program is looked for with as many evaluations again, and at
    /// least so many.
    pub shorten: u64,
    /// Whether the front of size against error is wanted, and at which prices: then the search goes on
    /// when the goal is met.
    pub pareto: Option<Cycle>,
    /// Evaluations of each replica between exchanges, about.
    pub turn: u64,
    /// Random atoms that are looked at for a hole.
    pub draws: u32,
    /// Small changes of an atom that are tried at a time, after a sweep over some of its numbers.
    pub nudges: u32,
    /// Edits of one kind that are tried at a time.
    pub width: usize,
    /// Programs drawn at random for each replica to start from the best of.
    pub starts: usize,
    /// Greatest size of a program.
    pub max_size: u32,
    /// How it goes on when the goal is met.
    pub rounds: Rounds,
}

impl Options {
    /// Options for a target of which `weight` pixels differ from the empty canvas.
    pub fn for_weight(weight: f64, max_size: u32) -> Options {
        let weight = weight.max(f64::from(LEAST_WEIGHT));
        let cold = (weight / 16_000.0).clamp(0.02, 4.0);
        Options {
            replicas: 4,
            cold,
            hot: cold * 32.0,
            price: weight / 450.0,
            halves: 300_000,
            stall: 50_000,
            shorten: 36_000,
            pareto: None,
            turn: 80,
            draws: 8,
            nudges: 60,
            width: 6,
            starts: 16,
            max_size,
            rounds: Rounds::default(),
        }
    }
}
