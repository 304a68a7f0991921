//! What the paper's policy thinks should be edited, in order of probability or by chance.
//!
//! In: a target, states. Out: edits, each with its probability. Afterwards a probability is that which training's loss
//! is the negative logarithm of; those of all edits of a state sum to 1.
//!
//! The encoder sees target, current picture and their difference as planes of one input (appendix G), so nothing of a
//! target can be reckoned before there are states. Pictures that several states share go through it once.

use indexmap::IndexSet;

use super::drafts::{Root, write};
use super::{Head, Paper};
use crate::compiled::Compiled;
use crate::model::choose::Choice;
use crate::model::decode::{DecodeError, Decoder, Ranked, State};
use crate::model::learner::Predicts;
use crate::model::tokens::batch::{BatchError, planes};
use crate::model::tokens::mask::{Bounds, Walk};
use crate::model::tokens::{EDIT, Vocabulary};
use crate::sample::Rng;

/// States that are read at once: what is kept of them takes memory.
const AT_ONCE: usize = 32;

/// A [`Paper`] that predicts edits, and is asked for them.
#[derive(Debug)]
pub struct PaperDecoder<'c> {
    model: Paper,
    vocabulary: Vocabulary<'c>,
    bounds: Bounds,
    /// The picture of an empty canvas, where it stands in for all others.
    blank: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
}

impl<'c> PaperDecoder<'c> {
    /// A policy for this language.
    ///
    /// # Errors
    ///
    /// When it predicts something else, or the language is not the model's.
    pub fn new(model: Paper, compiled: &'c Compiled) -> Result<PaperDecoder<'c>, DecodeError> {
        let (vocabulary, bounds) = model.tongue(compiled, Predicts::Policy)?;
        let about = &model.about;
        Ok(PaperDecoder {
            blank: (!about.sees_current).then(|| about.blank(compiled)),
            vocabulary,
            bounds,
            model,
            target: None,
        })
    }

    fn edits(
        &self,
        states: &[State<'_>],
        k: usize,
        mut choice: Choice<'_>,
    ) -> Result<Vec<Ranked>, DecodeError> {
        let target = self.target.as_ref().ok_or(DecodeError::NoTarget)?;
        let mut out: Vec<Ranked> = states.iter().map(|_| Vec::new()).collect();
        for (states, out) in states.chunks(AT_ONCE).zip(out.chunks_mut(AT_ONCE)) {
            let (mut roots, mut of) = (Vec::new(), Vec::new());
            let mut pictures = IndexSet::new();
            for (number, state) in states.iter().enumerate() {
                let Some((walk, tokens)) = self.begin(state) else {
                    continue;
                };
                let picture = self.blank.as_deref().unwrap_or(state.picture);
                let (image, _) = pictures.insert_full(picture);
                let image = image as u32;
                roots.push(Root {
                    walk,
                    tokens,
                    image,
                });
                of.push(number);
            }
            if roots.is_empty() {
                continue;
            }
            let pairs = pictures.iter().map(|picture| (&target[..], *picture));
            let planes = planes(self.model.about.canvas, pairs)?;
            let images = self.model.encoder.forward(&planes)?.detach();
            let Head::Tokens(transformer) = &self.model.head else {
                continue;
            };
            let written = write(transformer, &images, &roots, k, &mut choice)?;
            for (number, own) in of.into_iter().zip(written) {
                if let Some(out) = out.get_mut(number) {
                    *out = own;
                }
            }
        }
        Ok(out)
    }

    /// A state's walk behind `EDIT`, and the tokens before what is written; none where there is no edit.
    fn begin<'s>(&'s self, state: &State<'s>) -> Option<(Walk<'s>, Vec<u32>)> {
        let mut tokens = Vec::new();
        self.vocabulary.encode(state.program, &mut tokens);
        let room = self
            .model
            .about
            .config
            .context()
            .checked_sub(tokens.len())?;
        // The last token is chosen, never read.
        let mut walk = Walk::edit(&self.vocabulary, &self.bounds, state.program, room + 1);
        walk.push(EDIT).ok()?;
        tokens.push(EDIT);
        Some((walk, tokens))
    }
}

impl Decoder for PaperDecoder<'_> {
    fn aim(&mut self, target: &[u8]) -> Result<(), DecodeError> {
        let wanted = self.model.about.canvas.iter().product();
        if target.len() != wanted {
            let is = target.len();
            return Err(BatchError::Picture { is, wanted }.into());
        }
        self.target = Some(target.to_vec());
        Ok(())
    }

    fn best(&mut self, states: &[State<'_>], k: usize) -> Result<Vec<Ranked>, DecodeError> {
        self.edits(states, k, Choice::Best)
    }

    fn sample(
        &mut self,
        states: &[State<'_>],
        k: usize,
        rng: &mut Rng,
    ) -> Result<Vec<Ranked>, DecodeError> {
        self.edits(states, k, Choice::Sample(rng))
    }
}
