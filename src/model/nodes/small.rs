//! A network of nodes as something that learns edits.
//!
//! In: [`About`], a seed or a file's weights; lessons. Out: [`Small`], its batches, its losses. Afterwards a loss is how
//! much less likely than they could be the lessons' edits are: the negative logarithm of the probabilities of place
//! and replacement, less what no model could do better because several places are right.

use std::sync::Arc;

use candle_core::{DType, Result};

use super::desk::{Desk, Labels, Maker, NodesBatch};
use super::net::Net;
use super::rows::Rows;
use crate::compiled::Compiled;
use crate::model::checkpoint::About;
use crate::model::config::{Architecture, ConfigError, NodesConfig};
use crate::model::learner::{Collator, Counts, Learner, Losses, Recipe};
use crate::model::net::NetError;
use crate::model::ops::{choice, cross_entropy};
use crate::model::tokens::Vocabulary;
use crate::model::tokens::batch::BatchError;
use crate::model::weights::{Builder, Stored, Weights};

/// A policy that reads programs node by node.
#[derive(Clone, Debug)]
pub struct Small {
    /// What it is.
    pub about: About,
    /// Its sizes.
    pub config: NodesConfig,
    /// The network.
    pub net: Net,
    weights: Weights,
}

impl Small {
    /// A fresh one.
    ///
    /// # Errors
    ///
    /// When the sizes make none.
    pub fn seeded(
        about: &About,
        compiled: &Compiled,
        seed: u64,
    ) -> std::result::Result<Small, NetError> {
        Small::build(about, compiled, Builder::seeded(seed, DType::F32))
    }

    /// One with the weights of a file.
    ///
    /// # Errors
    ///
    /// When the sizes make none, or the weights are not those of this model.
    pub fn stored(
        about: &About,
        compiled: &Compiled,
        stored: Stored,
    ) -> std::result::Result<Small, NetError> {
        Small::build(about, compiled, Builder::stored(stored, DType::F32))
    }

    /// One with the weights of a file that only answers: it has nothing to learn, and keeps nothing for a way back.
    ///
    /// # Errors
    ///
    /// As [`Small::stored`].
    pub fn frozen(
        about: &About,
        compiled: &Compiled,
        stored: Stored,
    ) -> std::result::Result<Small, NetError> {
        Small::build(about, compiled, Builder::frozen(stored, DType::F32))
    }

    fn build(
        about: &About,
        compiled: &Compiled,
        mut b: Builder,
    ) -> std::result::Result<Small, NetError> {
        about.config.check()?;
        let Architecture::Nodes(config) = &about.config else {
            return Err(ConfigError::Other("nodes").into());
        };
        let vocabulary = Vocabulary::new(compiled, about.places);
        let rows = Rows::new(vocabulary, config.context, config.tokens);
        let net = Net::new(&mut b, config, about.canvas, rows.sizes())?;
        Ok(Small {
            about: about.clone(),
            config: config.clone(),
            net,
            weights: b.finish()?,
        })
    }

    /// Makes inputs for it.
    ///
    /// # Errors
    ///
    /// When the language is not its own.
    pub fn desk<'c>(&self, compiled: &'c Compiled) -> std::result::Result<Desk<'c>, BatchError> {
        Desk::new(&self.about, &self.config, compiled)
    }
}

/// All that batches of a [`Small`] are made from.
#[derive(Clone, Debug)]
pub struct NodesRecipe {
    about: About,
    config: NodesConfig,
}

impl Recipe for NodesRecipe {
    type Batch = NodesBatch;

    fn collator<'c>(
        &self,
        compiled: &'c Compiled,
    ) -> std::result::Result<Box<dyn Collator<Batch = NodesBatch> + 'c>, BatchError> {
        let maker = Maker::new(&self.about, &self.config, compiled)?;
        Ok(Box::new(maker))
    }
}

impl Learner for Small {
    type Recipe = NodesRecipe;

    fn recipe(&self) -> NodesRecipe {
        NodesRecipe {
            about: self.about.clone(),
            config: self.config.clone(),
        }
    }

    fn weights(&self) -> &Weights {
        &self.weights
    }

    fn loss(&self, batch: &NodesBatch) -> Result<Losses> {
        let NodesBatch { input, labels } = batch;
        let read = self.net.read(input)?;
        let places = self.net.places(&read, &labels.open)?;
        let tokens = self.net.tokens(&read, &labels.writing)?;
        let programs = input.ends.len().max(1) as f64;
        // A mean over tokens becomes one over programs.
        let rows: f64 = labels.targets.weights.iter().copied().map(f64::from).sum();
        let written = cross_entropy(&tokens, Arc::clone(&labels.targets))?;
        let written = (written * (rows / programs))?;
        let place = choice(&places, Arc::clone(&labels.options))?;
        let loss = ((place + written)? - labels.least / programs)?;
        let places: Vec<f32> = places.detach().to_vec1()?;
        let tokens: Vec<f32> = tokens.detach().flatten_all()?.to_vec1()?;
        Ok(Losses {
            loss,
            weight: programs,
            counts: counts(&places, &tokens, labels),
        })
    }
}

/// What would have been chosen: the best place, and at each labelled place the tokens one by one. A whole edit
/// is right when its place is, and all that is written there.
fn counts(places: &[f32], tokens: &[f32], labels: &Labels) -> Counts {
    let mut counts = Counts::default();
    let targets = &labels.targets;
    let rows = targets.targets.len();
    let words = tokens.len() / rows.max(1);
    let right = |row: usize| -> (bool, bool) {
        let scores = tokens.get(row * words..(row + 1) * words).unwrap_or(&[]);
        let legal = targets.legal.as_deref().unwrap_or(&[]);
        let legal = legal.get(row * words..(row + 1) * words).unwrap_or(&[]);
        let open = (0u32..).zip(scores.iter().zip(legal));
        let open = open.filter(|(_, (_, legal))| **legal);
        let best = open.clone().fold(
            (f32::NEG_INFINITY, u32::MAX),
            |best, (token, (score, _))| match *score > best.0 {
                true => (*score, token),
                false => best,
            },
        );
        let choices = open.count();
        let target = targets.targets.get(row).copied();
        (choices < 2 || Some(best.1) == target, choices > 1)
    };
    let (mut from, mut sequence, mut row) = (0, 0, 0);
    for (end, sequences) in labels.options.ends.iter().zip(&labels.sequences) {
        let end = *end as usize;
        let best = (from..end).max_by(|a, b| {
            let score = |at: usize| places.get(at).copied().unwrap_or(f32::NEG_INFINITY);
            // The first of equals.
            score(*a).total_cmp(&score(*b)).then(b.cmp(a))
        });
        let good = best.is_some_and(|at| labels.options.weights.get(at) > Some(&0.0));
        counts.positions.add(good);
        let chosen = best.and_then(|at| labels.open.get(at)).copied();
        let mut whole = false;
        for end in &labels.writing.ends[sequence..*sequences as usize] {
            let mut all = true;
            let at = labels.writing.at.get(row).copied();
            while row < *end as usize {
                let (right, counted) = right(row);
                all &= right;
                if counted {
                    counts.tokens.add(right);
                }
                row += 1;
            }
            whole |= all && at.is_some() && at == chosen;
        }
        counts.wholes.add(good && whole);
        (from, sequence) = (end, *sequences as usize);
    }
    counts
}
