//! Sequences and pictures of several examples as the inputs of a model.
//!
//! In: programs, edits, pictures as bytes. Out: [`Batch`]. Afterwards sequences are padded to the longest, and
//! the rows that are scored are those before the tokens to be learnt.

use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::mask::{Bounds, Illegal, Walk};
use super::{EDIT, END, PAD, Unreadable, Vocabulary};
use crate::model::ops::Rows;
use crate::tree::{Edit, Program};

/// Why there is no batch.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// A program that has no tokens.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// More tokens than the model has places for.
    #[error("an example of {0} tokens: the model takes {1}")]
    Long(usize, usize),
    /// A label that decoding could never give.
    #[error("a label that is not a legal edit: {0}")]
    Illegal(#[from] Illegal),
    /// A picture of another size.
    #[error("a picture of {is} bytes where the others have {wanted}")]
    Picture {
        /// Its bytes.
        is: usize,
        /// Those of the first.
        wanted: usize,
    },
    /// A language that is not what the model needs.
    #[error("{0}")]
    Language(String),
    /// Something that candle says.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

/// Sequences of tokens, and what is to be learnt of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// Tokens, one sequence after another, each of `length`.
    pub tokens: Vec<u32>,
    /// Tokens of a sequence, padding among them.
    pub length: usize,
    /// The rows of the result that are scored, as [`Decoder::scores`](crate::model::decoder::Decoder::scores) takes
    /// them.
    pub rows: Vec<u32>,
    /// What each of these rows should choose.
    pub targets: Vec<u32>,
    /// Which of them should choose the place of a node.
    pub places: Vec<bool>,
    /// Row after row, which tokens may be chosen.
    pub legal: Vec<bool>,
}

impl Batch {
    /// As the loss takes them, each row of the same weight.
    pub fn rows(&self) -> Arc<Rows> {
        Arc::new(Rows {
            targets: self.targets.clone(),
            weights: vec![1.0; self.targets.len()],
            legal: Some(self.legal.clone()),
        })
    }
}

/// Makes batches of one language.
#[derive(Clone, Copy, Debug)]
pub struct Batcher<'w> {
    /// The language's tokens.
    pub vocabulary: &'w Vocabulary<'w>,
    /// What a label may be.
    pub bounds: &'w Bounds,
    /// Most tokens of a sequence.
    pub context: usize,
}

impl<'w> Batcher<'w> {
    /// Edits that are to be learnt, each with the program before it.
    ///
    /// # Errors
    ///
    /// When a sequence is too long, or a label is not legal.
    pub fn edits<'p>(
        &self,
        examples: impl IntoIterator<Item = (&'p Program, &'p Edit)>,
    ) -> Result<Batch, BatchError>
    where
        'p: 'w,
    {
        let mut sequences = Vec::new();
        for (program, edit) in examples {
            let mut tokens = Vec::new();
            let from = self.vocabulary.encode_edit(program, edit, &mut tokens)?;
            let room = self.context.saturating_sub(from);
            let walk = Walk::edit(self.vocabulary, self.bounds, program, room + 1);
            sequences.push((tokens, from, walk));
        }
        self.pad(sequences)
    }

    /// Whole programs that are to be learnt (the autoregressive baseline).
    ///
    /// # Errors
    ///
    /// As [`Batcher::edits`].
    pub fn programs<'p>(
        &self,
        programs: impl IntoIterator<Item = &'p Program>,
    ) -> Result<Batch, BatchError> {
        let mut sequences = Vec::new();
        for program in programs {
            let mut tokens = vec![EDIT];
            self.vocabulary.encode(program, &mut tokens);
            tokens.push(END);
            let walk = Walk::program(self.vocabulary, self.bounds, self.context + 1);
            sequences.push((tokens, 0, walk));
        }
        self.pad(sequences)
    }

    /// Sequences, where what is to be learnt begins in each, and the walk from there.
    fn pad(&self, sequences: Vec<(Vec<u32>, usize, Walk<'_>)>) -> Result<Batch, BatchError> {
        // The last token is chosen, never read.
        let longest = sequences.iter().map(|(tokens, ..)| tokens.len() - 1).max();
        let length = longest.unwrap_or(0);
        if length > self.context {
            return Err(BatchError::Long(length, self.context));
        }
        let mut out = Batch {
            length,
            ..Batch::default()
        };
        let mut row = vec![false; self.vocabulary.len()];
        for (item, (tokens, from, mut walk)) in sequences.into_iter().enumerate() {
            walk.push(tokens[from])?;
            for at in from..tokens.len() - 1 {
                out.rows.push((item * length + at) as u32);
                out.targets.push(tokens[at + 1]);
                out.places.push(self.vocabulary.is_place(tokens[at + 1]));
                walk.legal_row(&mut row);
                out.legal.extend_from_slice(&row);
                walk.push(tokens[at + 1])?;
            }
            let read = &tokens[..tokens.len() - 1];
            out.tokens.extend_from_slice(read);
            out.tokens
                .extend(std::iter::repeat_n(PAD, length - read.len()));
        }
        Ok(out)
    }
}

/// Planes of pictures of one size: target, current one, their difference, each channel from -1 to 1.
/// Pictures are bytes, pixel after pixel; gives `(batch, height, width, 3 * channels)`.
///
/// # Errors
///
/// When a picture has another size.
pub fn planes<'p>(
    [height, width, channels]: [usize; 3],
    pairs: impl IntoIterator<Item = (&'p [u8], &'p [u8])>,
) -> Result<Tensor, BatchError> {
    let wanted = height * width * channels;
    let mut data = Vec::new();
    let mut count = 0;
    for (target, current) in pairs {
        if let Some(other) = [target, current].into_iter().find(|p| p.len() != wanted) {
            return Err(BatchError::Picture {
                is: other.len(),
                wanted,
            });
        }
        let scaled = |byte: u8| f32::from(byte) / 127.5 - 1.0;
        let pixels = target
            .chunks(channels.max(1))
            .zip(current.chunks(channels.max(1)));
        for (target, current) in pixels {
            data.extend(target.iter().map(|byte| scaled(*byte)));
            data.extend(current.iter().map(|byte| scaled(*byte)));
            let both = target.iter().zip(current);
            data.extend(both.map(|(a, b)| scaled(a.abs_diff(*b))));
        }
        count += 1;
    }
    let shape = (count, height, width, 3 * channels);
    Ok(Tensor::from_vec(data, shape, &Device::Cpu)?)
}
