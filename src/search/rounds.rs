//! Rounds: when a run that met the goal starts afresh, to find something better yet that meets it.
//!
//! In: how many rounds, how long they go on, how much a run has spent. Out: when a round ends. Afterwards
//! nothing is kept. Of several programs for one sketch the shortest is the likeliest, and the
//! first that is found rarely is it.

/// How a run starts afresh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rounds {
    /// How often, at least, when the goal is met.
    pub count: u32,
    /// Evaluations for which a round goes on when the goal is met, or as many as that took. One that
    /// does not meet it goes on for eight times as many, and each time twice as long. 0: there
    /// are no rounds by these rules, and none ends by itself.
    pub patience: u64,
}

/// See [`Rounds::patience`].
const LONGEST: u64 = 8;

/// A round, in numbers of evaluations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Round {
    pub(super) began: u64,
    pub(super) end: u64,
}

impl Rounds {
    /// The round of a number, when so much was spent.
    pub(super) fn round(&self, number: u32, spent: u64) -> Round {
        let most = match self.patience {
            0 => u64::MAX,
            patience => patience.saturating_mul(LONGEST << number.min(32)),
        };
        Round {
            began: spent,
            end: spent.saturating_add(most),
        }
    }

    /// What becomes of a round in which the goal is met. `None`: the run ends.
    pub(super) fn met(&self, round: Round, spent: u64) -> Option<Round> {
        let more = self.patience.max(spent.saturating_sub(round.began));
        (self.patience > 0).then_some(Round {
            began: round.began,
            end: round.end.min(spent.saturating_add(more)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_go_on_as_long_as_they_are_to() {
        let rounds = Rounds {
            count: 3,
            patience: 100,
        };
        let second = rounds.round(1, 1000);
        assert_eq!((second.began, second.end), (1000, 2600));
        // Met soon, met late, met again.
        assert_eq!(rounds.met(second, 1020).map(|r| r.end), Some(1120));
        let late = rounds.met(second, 1300).unwrap_or_default();
        assert_eq!(late.end, 1600);
        assert_eq!(rounds.met(late, 1500).map(|r| r.end), Some(1600));
        assert_eq!(rounds.round(u32::MAX, 5).end, 5 + 800 * (1 << 32));
        let none = Rounds::default();
        assert_eq!(none.round(0, 7).end, u64::MAX);
        assert_eq!(none.met(none.round(0, 7), 9), None);
    }
}
