//! Whole programs for a picture, in order of probability or by chance (the paper's baseline, appendix G).
//!
//! In: a target. Out: programs, each with its probability. Afterwards every program is one of the language, no larger than
//! those the model was trained on; its probability is that which training's loss is the negative logarithm of, and
//! those of all programs that fit sum to 1.
//!
//! Nothing is drawn on the way: the model sees the target alone, which goes through the encoder once.

use candle_core::Tensor;

use super::drafts::{Root, write};
use super::{Head, Paper};
use crate::compiled::Compiled;
use crate::model::choose::Choice;
use crate::model::decode::DecodeError;
use crate::model::learner::Predicts;
use crate::model::tokens::batch::planes;
use crate::model::tokens::mask::{Bounds, Walk};
use crate::model::tokens::{EDIT, Vocabulary};
use crate::sample::Rng;
use crate::tree::Program;

/// Programs that are drawn at once: what is kept of them takes memory.
const AT_ONCE: usize = 128;

/// Programs, each with the natural logarithm of its probability.
pub type Written = Vec<(Program, f64)>;

/// A [`Paper`] that predicts whole programs, and is asked for them.
#[derive(Debug)]
pub struct Writer<'c> {
    model: Paper,
    vocabulary: Vocabulary<'c>,
    bounds: Bounds,
    /// The picture of an empty canvas.
    blank: Vec<u8>,
    /// The target's embedding.
    image: Option<Tensor>,
}

impl<'c> Writer<'c> {
    /// One for this language.
    ///
    /// # Errors
    ///
    /// When the model predicts something else, or the language is not its own.
    pub fn new(model: Paper, compiled: &'c Compiled) -> Result<Writer<'c>, DecodeError> {
        let (vocabulary, bounds) = model.tongue(compiled, Predicts::Autoregressive)?;
        Ok(Writer {
            blank: model.about.blank(compiled),
            vocabulary,
            bounds,
            model,
            image: None,
        })
    }

    /// Sets the target's picture: bytes, row after row, channels last.
    ///
    /// # Errors
    ///
    /// When it is not of the language's size.
    pub fn aim(&mut self, target: &[u8]) -> Result<(), DecodeError> {
        let pair = [(target, &self.blank[..])];
        let planes = planes(self.model.about.canvas, pair)?;
        self.image = Some(self.model.encoder.forward(&planes)?.detach());
        Ok(())
    }

    /// Up to `k` programs, best first, found by a beam as wide.
    ///
    /// # Errors
    ///
    /// Without a target.
    pub fn best(&self, k: usize) -> Result<Written, DecodeError> {
        self.write(k, Choice::Best)
    }

    /// `k` programs drawn by their probabilities, perhaps some of them several times. None when the shortest
    /// program is too long for the model.
    ///
    /// # Errors
    ///
    /// Without a target.
    pub fn sample(&self, k: usize, rng: &mut Rng) -> Result<Written, DecodeError> {
        let mut out = Vec::new();
        for first in (0..k).step_by(AT_ONCE) {
            let count = AT_ONCE.min(k - first);
            out.extend(self.write(count, Choice::Sample(rng))?);
        }
        Ok(out)
    }

    fn write(&self, k: usize, mut choice: Choice<'_>) -> Result<Written, DecodeError> {
        let images = self.image.as_ref().ok_or(DecodeError::NoTarget)?;
        let context = self.model.about.config.context();
        // The last token is chosen, never read.
        let mut walk = Walk::program(&self.vocabulary, &self.bounds, context + 1);
        let Head::Tokens(transformer) = &self.model.head else {
            return Ok(Vec::new());
        };
        if walk.push(EDIT).is_err() {
            return Ok(Vec::new());
        }
        let root = Root {
            walk,
            tokens: vec![EDIT],
            image: 0,
        };
        let written = write(transformer, images, &[root], k, &mut choice)?;
        let programs = written.into_iter().flatten();
        Ok(programs
            .map(|(edit, log)| (edit.replacement, log))
            .collect())
    }
}
