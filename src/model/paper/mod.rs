//! The paper's architecture as something that learns: an encoder of pictures with a transformer behind it, or
//! with a value head.
//!
//! In: [`About`], a seed or a file's weights; lessons. Out: [`Paper`], its batches, its losses. Afterwards it has
//! exactly the weights that what it predicts depends on, so that every one of them gets a gradient.

mod decode;
mod drafts;
mod scorer;
#[cfg(test)]
mod tests;
mod writer;

use std::sync::Arc;

use candle_core::{DType, Device, Result, Tensor};

use super::checkpoint::About;
use super::config::{Architecture, Config, ConfigError};
use super::decode::DecodeError;
use super::decoder::Decoder;
use super::encoder::Encoder;
use super::learner::{Collated, Collator, Counts, Learner, Lesson, Losses, Predicts, Recipe};
use super::net::NetError;
use super::ops::{Rows, cross_entropy};
use super::tokens::Vocabulary;
use super::tokens::batch::{Batch as Sequences, BatchError, Batcher, planes};
use super::tokens::mask::Bounds;
use super::value::Value;
use super::weights::{Builder, Stored, Weights};
use crate::compiled::Compiled;

pub use decode::PaperDecoder;
pub use scorer::Scorer;
pub use writer::{Writer, Written};

/// Planes for each channel of a picture: target, current one, difference.
const PLANES: usize = 3;

/// What stands behind the encoder.
#[derive(Clone, Debug)]
pub enum Head {
    /// The transformer, which writes edits or programs.
    Tokens(Decoder),
    /// A number of edits.
    Value(Value),
}

/// A model of the paper's architecture.
#[derive(Clone, Debug)]
pub struct Paper {
    /// What it is.
    pub about: About,
    /// From pictures to an embedding.
    pub encoder: Encoder,
    /// What it makes of it.
    pub head: Head,
    weights: Weights,
}

impl Paper {
    /// A fresh one.
    ///
    /// # Errors
    ///
    /// When the sizes make none.
    pub fn seeded(about: &About, seed: u64) -> std::result::Result<Paper, NetError> {
        Paper::build(about, Builder::seeded(seed, DType::F32))
    }

    /// One with the weights of a file.
    ///
    /// # Errors
    ///
    /// When the sizes make none, or the weights are not those of this model.
    pub fn stored(about: &About, stored: Stored) -> std::result::Result<Paper, NetError> {
        Paper::build(about, Builder::stored(stored, DType::F32))
    }

    /// One with the weights of a file that only answers: it has nothing to learn, and keeps nothing for a way back.
    ///
    /// # Errors
    ///
    /// As [`Paper::stored`].
    pub fn frozen(about: &About, stored: Stored) -> std::result::Result<Paper, NetError> {
        Paper::build(about, Builder::frozen(stored, DType::F32))
    }

    /// The tokens and bounds of what it writes in its language.
    fn tongue<'c>(
        &self,
        compiled: &'c Compiled,
        wanted: Predicts,
    ) -> std::result::Result<(Vocabulary<'c>, Bounds), DecodeError> {
        let about = &self.about;
        if about.predicts != wanted {
            let is = about.predicts;
            return Err(DecodeError::Purpose { is, wanted });
        }
        let vocabulary = Vocabulary::new(compiled, about.places);
        if vocabulary.fingerprint() != about.vocabulary_fingerprint {
            let (own, other) = (&about.language, &compiled.grammar.name);
            let why = format!("a model of {own} was asked for {other}, which has other tokens");
            return Err(BatchError::Language(why).into());
        }
        let bounds = Bounds::new(&vocabulary, about.size);
        Ok((vocabulary, bounds))
    }

    fn build(about: &About, mut b: Builder) -> std::result::Result<Paper, NetError> {
        about.config.check()?;
        let config = sizes(about)?;
        let image = config.encoder.outputs;
        let [_, _, channels] = about.canvas;
        let encoder = b.within("encoder", |b| {
            Encoder::new(b, &config.encoder, PLANES * channels)
        })?;
        let head = match about.predicts {
            Predicts::Policy | Predicts::Autoregressive => {
                let of = |b: &mut Builder| Decoder::new(b, &config.decoder, image, about.tokens);
                Head::Tokens(b.within("decoder", of)?)
            }
            Predicts::Value => {
                let of = |b: &mut Builder| Value::new(b, image, &config.value);
                Head::Value(b.within("value", of)?)
            }
        };
        Ok(Paper {
            about: about.clone(),
            encoder,
            head,
            weights: b.finish()?,
        })
    }
}

/// The paper's sizes.
fn sizes(about: &About) -> std::result::Result<&Config, ConfigError> {
    match &about.config {
        Architecture::Paper(config) => Ok(config),
        Architecture::Nodes(_) => Err(ConfigError::Other("paper")),
    }
}

/// A batch of the paper's models.
#[derive(Clone, Debug)]
pub struct PaperBatch {
    /// Pictures: `(batch, height, width, planes)`.
    pub planes: Tensor,
    /// What is written; empty for values.
    pub sequences: Sequences,
    /// Which lesson each scored row belongs to.
    pub lessons: Vec<u32>,
    /// The numbers of edits.
    pub distances: Vec<f32>,
    rows: Arc<Rows>,
}

impl Recipe for About {
    type Batch = PaperBatch;

    fn collator<'c>(
        &self,
        compiled: &'c Compiled,
    ) -> std::result::Result<Box<dyn Collator<Batch = PaperBatch> + 'c>, BatchError> {
        let vocabulary = Vocabulary::new(compiled, self.places);
        let bounds = Bounds::new(&vocabulary, self.size);
        Ok(Box::new(Maker {
            blank: self.blank(compiled),
            about: self.clone(),
            vocabulary,
            bounds,
        }))
    }
}

/// Makes batches of the paper's models.
struct Maker<'c> {
    about: About,
    vocabulary: Vocabulary<'c>,
    bounds: Bounds,
    /// The picture of an empty canvas.
    blank: Vec<u8>,
}

impl Maker<'_> {
    /// Whether the model can take a lesson.
    fn fits(&self, lesson: &Lesson<'_>) -> bool {
        let mut tokens = Vec::new();
        let context = self.about.config.context();
        match self.about.predicts {
            Predicts::Value => true,
            Predicts::Policy => {
                let encoded = self
                    .vocabulary
                    .encode_edit(lesson.start, lesson.edit, &mut tokens);
                // The last token is chosen, never read.
                encoded.is_ok() && tokens.len() <= context + 1
            }
            Predicts::Autoregressive => {
                self.vocabulary.encode(lesson.target, &mut tokens);
                let size = lesson.target.nodes().first().map_or(0, |node| node.size);
                tokens.len() < context && size <= self.about.size
            }
        }
    }
}

impl Collator for Maker<'_> {
    type Batch = PaperBatch;

    fn collate(
        &mut self,
        lessons: &[Lesson<'_>],
    ) -> std::result::Result<Collated<PaperBatch>, BatchError> {
        let kept: Vec<Lesson<'_>> = lessons.iter().filter(|l| self.fits(l)).copied().collect();
        let left_out = lessons.len() - kept.len();
        if kept.is_empty() {
            return Ok(Collated {
                batch: None,
                left_out,
            });
        }
        let batcher = Batcher {
            vocabulary: &self.vocabulary,
            bounds: &self.bounds,
            context: self.about.config.context(),
        };
        let sequences = match self.about.predicts {
            Predicts::Policy => batcher.edits(kept.iter().map(|l| (l.start, l.edit)))?,
            Predicts::Autoregressive => batcher.programs(kept.iter().map(|l| l.target))?,
            Predicts::Value => Sequences::default(),
        };
        let length = sequences.length.max(1) as u32;
        let current = |l: &Lesson<'_>| match self.about.sees_current {
            true => l.start_picture.to_vec(),
            false => self.blank.clone(),
        };
        let currents: Vec<Vec<u8>> = kept.iter().map(current).collect();
        let pairs = kept.iter().zip(&currents);
        let pairs = pairs.map(|(l, current)| (l.target_picture, &current[..]));
        let batch = PaperBatch {
            planes: planes(self.about.canvas, pairs)?,
            lessons: sequences.rows.iter().map(|row| row / length).collect(),
            distances: kept.iter().map(|l| l.distance as f32).collect(),
            rows: sequences.rows(),
            sequences,
        };
        Ok(Collated {
            batch: Some(batch),
            left_out,
        })
    }
}

impl Learner for Paper {
    type Recipe = About;

    fn recipe(&self) -> About {
        self.about.clone()
    }

    fn weights(&self) -> &Weights {
        &self.weights
    }

    fn loss(&self, batch: &PaperBatch) -> Result<Losses> {
        let image = self.encoder.forward(&batch.planes)?;
        match &self.head {
            Head::Tokens(decoder) => {
                let s = &batch.sequences;
                let hidden = decoder.forward(&image, &s.tokens, s.length)?;
                let scores = decoder.scores(&hidden, s.rows.clone())?;
                Ok(Losses {
                    loss: cross_entropy(&scores, Arc::clone(&batch.rows))?,
                    weight: s.rows.len() as f64,
                    counts: counts(&scores, s, &batch.lessons)?,
                })
            }
            Head::Value(value) => {
                let wanted = Tensor::new(&batch.distances[..], &Device::Cpu)?;
                let own = value.forward(&image)?;
                let mut counts = Counts::default();
                for (own, wanted) in own.to_vec1::<f32>()?.iter().zip(&batch.distances) {
                    counts.wholes.add((own - wanted).abs() < 0.5);
                }
                Ok(Losses {
                    loss: (own - wanted)?.sqr()?.mean_all()?,
                    weight: batch.distances.len() as f64,
                    counts,
                })
            }
        }
    }
}

/// How many rows choose what they should; `lessons` says which lesson a row belongs to.
///
/// # Errors
///
/// When the scores cannot be read.
pub fn counts(scores: &Tensor, s: &Sequences, lessons: &[u32]) -> Result<Counts> {
    let (_, choices) = scores.dims2()?;
    let scores: Vec<f32> = scores.detach().flatten_all()?.to_vec1()?;
    let mut counts = Counts::default();
    let rows = scores
        .chunks(choices.max(1))
        .zip(s.legal.chunks(choices.max(1)));
    let rows = rows
        .zip(s.targets.iter().zip(&s.places))
        .zip(lessons.iter());
    let mut whole: Option<(u32, bool)> = None;
    for (((scores, legal), (target, place)), lesson) in rows {
        let mut open = 0;
        let mut best = (f32::NEG_INFINITY, u32::MAX);
        for (choice, (score, legal)) in (0..).zip(scores.iter().zip(legal)) {
            if *legal {
                open += 1;
                if *score > best.0 {
                    best = (*score, choice);
                }
            }
        }
        // Where there is one choice, nothing shows that anything was learnt.
        let right = open < 2 || best.1 == *target;
        if *place {
            counts.positions.add(right);
        } else if open > 1 {
            counts.tokens.add(right);
        }
        whole = Some(match whole {
            Some((own, so_far)) if own == *lesson => (own, so_far && right),
            before => {
                if let Some((_, all)) = before {
                    counts.wholes.add(all);
                }
                (*lesson, right)
            }
        });
    }
    if let Some((_, all)) = whole {
        counts.wholes.add(all);
    }
    Ok(counts)
}
