//! Trained policies, ready to be asked: which edits come next, and how likely each is.
//!
//! In: a target's picture, states: programs with their pictures. Out: edits with their probabilities. Afterwards every
//! edit is legal: it can be applied, and its replacement is of the right sort, within its size, and another one than what stood
//! there. Whoever asks knows nothing of tokens and networks.

use super::learner::Predicts;
use super::tokens::batch::BatchError;
use crate::sample::Rng;
use crate::tree::{Edit, Program};

/// A program on the way, and what it shows.
#[derive(Clone, Copy, Debug)]
pub struct State<'a> {
    /// The program.
    pub program: &'a Program,
    /// Its picture: bytes, row after row, channels last.
    pub picture: &'a [u8],
}

/// Why there are no edits.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// No target yet.
    #[error("a policy was asked for edits before it was told a target")]
    NoTarget,
    /// States that the model cannot read.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// A model that predicts something else.
    #[error("this model predicts {}, and was asked for what a model of {} says", is.what(), wanted.what())]
    Purpose {
        /// What it predicts.
        is: Predicts,
        /// What was asked for.
        wanted: Predicts,
    },
    /// Something that candle says.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

/// Edits of a state, best first, each with the natural logarithm of its probability.
pub type Ranked = Vec<(Edit, f64)>;

/// A trained policy.
pub trait Decoder {
    /// Sets the target's picture: bytes, row after row, channels last.
    ///
    /// # Errors
    ///
    /// When it is not of the language's size.
    fn aim(&mut self, target: &[u8]) -> Result<(), DecodeError>;

    /// For each state up to `k` edits, best first. None of a state that is too long for the model, or that
    /// has no edit.
    ///
    /// # Errors
    ///
    /// Without a target; when a picture has another size.
    fn best(&mut self, states: &[State<'_>], k: usize) -> Result<Vec<Ranked>, DecodeError>;

    /// For each state `k` edits drawn by their probabilities, perhaps some of them several times; as many as
    /// [`Decoder::best`] gives where there are none.
    ///
    /// # Errors
    ///
    /// As [`Decoder::best`].
    fn sample(
        &mut self,
        states: &[State<'_>],
        k: usize,
        rng: &mut Rng,
    ) -> Result<Vec<Ranked>, DecodeError>;
}
