//! What the search does, and how often.
//!
//! In: chance. Out: a kind of step. Afterwards nothing is kept.

use crate::sample::Rng;
use crate::search::chance::weighted;
use crate::search::moves::Kind;

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Step {
    /// Another value for the numbers of an atom.
    Tune,
    /// Another atom.
    Replace,
    /// An atom more.
    Insert,
    /// Edits of the moves.
    Edit(Kind),
}

/// Steps by weight, for languages with holes.
const STEPS: [(Step, u32); 10] = [
    (Step::Tune, 60),
    (Step::Replace, 12),
    (Step::Insert, 25),
    (Step::Edit(Kind::Hoist), 12),
    (Step::Edit(Kind::Rearrange), 10),
    (Step::Edit(Kind::Mutate), 4),
    (Step::Edit(Kind::Sweep), 4),
    (Step::Edit(Kind::Step), 2),
    (Step::Edit(Kind::Redraw), 2),
    (Step::Edit(Kind::Wrap), 2),
];

impl Step {
    /// A step, by weight.
    pub(super) fn any(rng: &mut Rng) -> Step {
        weighted(&STEPS, rng)
    }
}
