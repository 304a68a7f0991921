//! How decoding chooses what comes next: the most probable, or by chance.
//!
//! In: drafts of one answer, and for each what could come next with the probability of all with it. Out: what does.
//! Afterwards the same draws give the same choices; of equals, the first is taken.

use super::tokens::END;
use crate::sample::{Rng, unit};

/// What could come next: behind which draft, which token, the natural logarithm of the probability with it.
pub(super) type Next = (usize, u32, f64);

/// How edits are chosen.
pub(super) enum Choice<'r> {
    /// A beam: the most probable ones.
    Best,
    /// Each by its probability.
    Sample(&'r mut Rng),
}

impl Choice<'_> {
    /// `k` of one row whose probabilities sum to 1.
    pub(super) fn out_of(&mut self, mut nexts: Vec<Next>, k: usize) -> Vec<Next> {
        match self {
            Choice::Best => {
                nexts.sort_by(|a, b| b.2.total_cmp(&a.2));
                nexts.truncate(k);
                nexts
            }
            Choice::Sample(rng) => (0..k)
                .filter_map(|_| draw(&nexts, 0.0, rng).copied())
                .collect(),
        }
    }

    /// What becomes of drafts: each its logarithm and whether it is done, and what could come next of it. A draft
    /// that is done goes on as it is, with [`END`]. Ordered by draft.
    pub(super) fn behind(
        &mut self,
        drafts: &[(f64, bool)],
        nexts: Vec<Vec<Next>>,
        k: usize,
    ) -> Vec<Next> {
        let stays =
            |(number, (log, done)): (usize, &(f64, bool))| done.then_some((number, END, *log));
        let done = drafts.iter().enumerate().filter_map(stays);
        let mut chosen: Vec<Next> = match self {
            Choice::Best => {
                let mut all: Vec<Next> = done.chain(nexts.into_iter().flatten()).collect();
                all.sort_by(|a, b| b.2.total_cmp(&a.2).then(a.0.cmp(&b.0)));
                all.truncate(k);
                all
            }
            Choice::Sample(rng) => {
                let pairs = drafts.iter().zip(&nexts);
                let drawn = pairs.filter_map(|((log, _), own)| draw(own, *log, rng).copied());
                done.chain(drawn).collect()
            }
        };
        chosen.sort_by_key(|(number, ..)| *number);
        chosen
    }

    /// Best first; what was drawn stays as it was drawn. Stable.
    pub(super) fn order<T>(&self, answers: &mut [(T, f64)]) {
        if let Choice::Best = self {
            answers.sort_by(|a, b| b.1.total_cmp(&a.1));
        }
    }
}

/// Logarithms of the softmax of scores, each plus `before`.
pub(super) fn logs(scores: &[f32], before: f64) -> Vec<f64> {
    let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let shifted = scores.iter().map(|score| f64::from(score - most));
    let sum: f64 = shifted.clone().map(libm::exp).sum();
    let log = libm::log(sum);
    shifted.map(|score| before + score - log).collect()
}

/// What comes behind a draft: each legal token with its logarithm among them.
pub(super) fn nexts(number: usize, legal: Vec<u32>, scores: &[f32], before: f64) -> Vec<Next> {
    let own: Vec<f32> = legal
        .iter()
        .map(|token| scores.get(*token as usize).copied().unwrap_or(f32::MIN))
        .collect();
    let pairs = legal.into_iter().zip(logs(&own, before));
    pairs.map(|(token, log)| (number, token, log)).collect()
}

/// One of several, by the probabilities whose logarithms are given less `before`.
fn draw<'n>(nexts: &'n [Next], before: f64, rng: &mut Rng) -> Option<&'n Next> {
    let mut left = unit(rng);
    let found = nexts.iter().find(|(.., log)| {
        left -= libm::exp(log - before);
        left < 0.0
    });
    found.or(nexts.last())
}
