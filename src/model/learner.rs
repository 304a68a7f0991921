//! What a training loop knows of a model: how examples become batches, and what a batch costs.
//!
//! In: [`Lesson`]s. Out: a batch from a [`Collator`], [`Losses`] from a [`Learner`]. Afterwards the loop has
//! gradients for all of the model's weights, and knows nothing of its architecture.
//!
//! Collators are made where batches are made, one for each thread of data, from a [`Recipe`] that may go
//! anywhere. They keep buffers of their own; what they give depends on the lessons alone.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

use super::tokens::batch::BatchError;
use super::weights::Weights;
use crate::compiled::Compiled;
use crate::tree::{Edit, Program};

/// What a model predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Predicts {
    /// An edit of a program (paper section 3.2).
    Policy,
    /// A whole program, from the target's picture alone (the paper's baseline, appendix G).
    Autoregressive,
    /// How many edits lie between two pictures (section 3.3).
    Value,
}

impl Predicts {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Predicts::Policy => "policy",
            Predicts::Autoregressive => "autoregressive",
            Predicts::Value => "value",
        }
    }

    /// What that is, for messages.
    pub fn what(self) -> &'static str {
        match self {
            Predicts::Policy => "edits",
            Predicts::Autoregressive => "whole programs",
            Predicts::Value => "numbers of edits",
        }
    }
}

/// One example, as a model sees it.
#[derive(Clone, Copy, Debug)]
pub struct Lesson<'a> {
    /// Its number: the seed of whatever a collator draws.
    pub index: u64,
    /// The program that is looked for.
    pub target: &'a Program,
    /// The program that is to be edited.
    pub start: &'a Program,
    /// The edit to be learnt.
    pub edit: &'a Edit,
    /// Whether it is the first of an edit path, so that other first edits of the path are as good. Otherwise it
    /// is the one edit that is asked for.
    pub on_path: bool,
    /// How many edits it is to the target.
    pub distance: u32,
    /// The target's picture: bytes, row after row, channels last.
    pub target_picture: &'a [u8],
    /// The start's picture, likewise.
    pub start_picture: &'a [u8],
}

/// A batch, and what did not come into it.
#[derive(Clone, Debug)]
pub struct Collated<B> {
    /// What goes into the model; none when all lessons were left out.
    pub batch: Option<B>,
    /// Lessons that are too long for the model.
    pub left_out: usize,
}

/// Makes batches of lessons; a thread has its own.
pub trait Collator {
    /// What goes into the model.
    type Batch: Send + Sync + 'static;

    /// A batch of these lessons, without those that are too long for the model.
    ///
    /// # Errors
    ///
    /// When a lesson says what the model could never choose.
    fn collate(
        &mut self,
        lessons: &[Lesson<'_>],
    ) -> std::result::Result<Collated<Self::Batch>, BatchError>;
}

/// All that a collator is made from, but for the language.
pub trait Recipe: Clone + Send + Sync + 'static {
    /// What its collators make.
    type Batch: Send + Sync + 'static;

    /// A collator for this language, which must be the model's.
    ///
    /// # Errors
    ///
    /// When the language has not what the model needs.
    fn collator<'c>(
        &self,
        compiled: &'c Compiled,
    ) -> std::result::Result<Box<dyn Collator<Batch = Self::Batch> + 'c>, BatchError>;
}

/// How many were asked for, and how many came out right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Right ones.
    pub right: u64,
    /// All of them.
    pub of: u64,
}

impl Share {
    /// Counts one.
    pub fn add(&mut self, right: bool) {
        self.right += u64::from(right);
        self.of += 1;
    }

    /// Counts others.
    pub fn merge(&mut self, other: Share) {
        self.right += other.right;
        self.of += other.of;
    }

    /// Right ones of all; none when nothing was asked for.
    pub fn ratio(self) -> Option<f64> {
        (self.of > 0).then(|| self.right as f64 / self.of as f64)
    }
}

/// What the model would have chosen, given the label so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Places of edits.
    pub positions: Share,
    /// Tokens of replacements or programs, where there was a choice.
    pub tokens: Share,
    /// Whole labels: all of a label's choices, so greedy decoding writes it. Of values, those that round to the
    /// right number.
    pub wholes: Share,
}

impl Counts {
    /// Counts others.
    pub fn merge(&mut self, other: Counts) {
        self.positions.merge(other.positions);
        self.tokens.merge(other.tokens);
        self.wholes.merge(other.wholes);
    }
}

/// What a batch costs.
#[derive(Clone, Debug)]
pub struct Losses {
    /// The mean over the batch's lessons or choices: one number, with a way back to every weight.
    pub loss: Tensor,
    /// How many it is the mean of: batches of several workers are weighed by it.
    pub weight: f64,
    /// How much of it was right.
    pub counts: Counts,
}

/// A model that learns.
pub trait Learner: Send + Sync {
    /// What makes its batches.
    type Recipe: Recipe;

    /// What makes its batches.
    fn recipe(&self) -> Self::Recipe;

    /// Its weights, all of which every loss has a gradient for.
    fn weights(&self) -> &Weights;

    /// What a batch costs.
    ///
    /// # Errors
    ///
    /// When the batch is not one of this model's.
    fn loss(&self, batch: &<Self::Recipe as Recipe>::Batch) -> Result<Losses>;
}
