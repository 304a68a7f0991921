//! A whole model: encoder, transformer and value head with their weights.
//!
//! In: [`Config`], the number of planes and of tokens, a seed or a file's tensors. Out: [`Net`]. Afterwards its
//! weights have the names and the order that its parts gave them.

use candle_core::DType;

use super::config::{Config, ConfigError};
use super::decoder::Decoder;
use super::encoder::Encoder;
use super::value::Value;
use super::weights::{Builder, Stored, Weights, WeightsError};

/// Why there is no model.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// Sizes that make none.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Weights that are not its own.
    #[error(transparent)]
    Weights(#[from] WeightsError),
}

/// What a model is for: what goes in and what may come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purpose {
    /// Planes of a picture: those of the target, of the current one, and of their difference.
    pub planes: usize,
    /// Tokens of the vocabulary.
    pub vocabulary: usize,
}

/// A model.
#[derive(Clone, Debug)]
pub struct Net {
    /// Its sizes.
    pub config: Config,
    /// From pictures to an embedding.
    pub encoder: Encoder,
    /// From an embedding and tokens to scores.
    pub decoder: Decoder,
    /// From an embedding to a number of edits.
    pub value: Value,
    /// All of its weights.
    pub weights: Weights,
}

impl Net {
    /// A fresh one.
    ///
    /// # Errors
    ///
    /// When the sizes make none.
    pub fn seeded(config: &Config, purpose: Purpose, seed: u64) -> Result<Net, NetError> {
        Net::build(config, purpose, Builder::seeded(seed, DType::F32))
    }

    /// One with the weights of a file.
    ///
    /// # Errors
    ///
    /// When the sizes make none, or the weights are not those of this model.
    pub fn stored(config: &Config, purpose: Purpose, stored: Stored) -> Result<Net, NetError> {
        Net::build(config, purpose, Builder::stored(stored, DType::F32))
    }

    fn build(config: &Config, purpose: Purpose, mut b: Builder) -> Result<Net, NetError> {
        config.check()?;
        let image = config.encoder.outputs;
        let encoder = b.within("encoder", |b| {
            Encoder::new(b, &config.encoder, purpose.planes)
        })?;
        let decoder = b.within("decoder", |b| {
            Decoder::new(b, &config.decoder, image, purpose.vocabulary)
        })?;
        let value = b.within("value", |b| Value::new(b, image, &config.value))?;
        Ok(Net {
            config: config.clone(),
            encoder,
            decoder,
            value,
            weights: b.finish()?,
        })
    }
}
