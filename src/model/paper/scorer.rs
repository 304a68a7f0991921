//! How many edits programs are from a target, by their pictures (paper section 3.3).
//!
//! In: a target, pictures of programs. Out: a number each, what training took for the number of edits. Afterwards the
//! same picture has the same number, whatever was asked beside it, to the last digits of its sums.

use indexmap::IndexSet;

use super::{Head, Paper};
use crate::compiled::Compiled;
use crate::model::decode::DecodeError;
use crate::model::learner::Predicts;
use crate::model::tokens::batch::{BatchError, planes};

/// Pictures that are looked at together: what is in between takes memory.
const AT_ONCE: usize = 32;

/// A [`Paper`] that predicts numbers of edits, and is asked for them.
#[derive(Clone, Debug)]
pub struct Scorer {
    model: Paper,
    /// The picture of an empty canvas, where it stands in for all others.
    blank: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
}

impl Scorer {
    /// One for this language.
    ///
    /// # Errors
    ///
    /// When the model predicts something else, or the language is not its own.
    pub fn new(model: Paper, compiled: &Compiled) -> Result<Scorer, DecodeError> {
        model.tongue(compiled, Predicts::Value)?;
        let about = &model.about;
        Ok(Scorer {
            blank: (!about.sees_current).then(|| about.blank(compiled)),
            model,
            target: None,
        })
    }

    /// Sets the target's picture: bytes, row after row, channels last.
    ///
    /// # Errors
    ///
    /// When it is not of the language's size.
    pub fn aim(&mut self, target: &[u8]) -> Result<(), DecodeError> {
        let wanted = self.model.about.canvas.iter().product();
        if target.len() != wanted {
            let is = target.len();
            return Err(BatchError::Picture { is, wanted }.into());
        }
        self.target = Some(target.to_vec());
        Ok(())
    }

    /// For each picture the number of edits from it to the target: as the network says it, so it may lie below 0.
    ///
    /// # Errors
    ///
    /// Without a target; when a picture has another size.
    pub fn score(&self, pictures: &[&[u8]]) -> Result<Vec<f64>, DecodeError> {
        let target = self.target.as_deref().ok_or(DecodeError::NoTarget)?;
        let mut different = IndexSet::new();
        let seen = pictures.iter().map(|picture| {
            let picture = self.blank.as_deref().unwrap_or(picture);
            different.insert_full(picture).0
        });
        let seen: Vec<usize> = seen.collect();
        let different: Vec<&[u8]> = different.into_iter().collect();
        let mut scores = Vec::with_capacity(different.len());
        if let Head::Value(value) = &self.model.head {
            for some in different.chunks(AT_ONCE) {
                let pairs = some.iter().map(|picture| (target, *picture));
                let planes = planes(self.model.about.canvas, pairs)?;
                let image = self.model.encoder.forward(&planes)?.detach();
                scores.extend(value.forward(&image)?.to_vec1::<f32>()?);
            }
        }
        let of = |at: usize| scores.get(at).copied().map(f64::from);
        Ok(seen.into_iter().filter_map(of).collect())
    }
}
