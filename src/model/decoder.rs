//! The transformer that reads a program and says what to put where.
//!
//! In: embeddings of pictures, tokens padded to one length. Out: what it makes of each token, and scores over the
//! vocabulary. Afterwards a token's result depends on the pictures and on tokens not behind it.
//!
//! Normalisation comes before each part, units are Gaussian, positions are learned, the head has weights of its
//! own. A few prefix tokens, a linear image of the pictures' embedding, stand in front (appendix G).

use candle_core::{Result, Tensor, bail};

use super::config::DecoderConfig;
use super::ops::{Keys, embed, gelu, layer_norm, linear, mix, self_attention};
use super::weights::{Builder, Start, WeightsError};

/// Beside the variance of channels.
const EPS: f64 = 1e-5;
/// Deviation of fresh weights, as GPT-2 has it.
const DEVIATION: f64 = 0.02;

pub(super) type Built<T> = std::result::Result<T, WeightsError>;

/// A linear layer with its bias.
#[derive(Clone, Debug)]
pub(super) struct Affine {
    weight: Tensor,
    bias: Tensor,
}

impl Affine {
    pub(super) fn new(
        b: &mut Builder,
        name: &str,
        [inputs, outputs]: [usize; 2],
        deviation: f64,
    ) -> Built<Affine> {
        b.within(name, |b| {
            Ok(Affine {
                weight: b.var("weight", &[outputs, inputs], Start::Normal(deviation))?,
                bias: b.var("bias", &[outputs], Start::Constant(0.0))?,
            })
        })
    }

    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        linear(x, &self.weight, Some(&self.bias))
    }
}

/// Layer normalisation with its factor and shift.
#[derive(Clone, Debug)]
pub(super) struct Norm {
    weight: Tensor,
    bias: Tensor,
}

impl Norm {
    pub(super) fn new(b: &mut Builder, name: &str, width: usize) -> Built<Norm> {
        b.within(name, |b| {
            Ok(Norm {
                weight: b.var("weight", &[width], Start::Constant(1.0))?,
                bias: b.var("bias", &[width], Start::Constant(0.0))?,
            })
        })
    }

    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        layer_norm(x, &self.weight, &self.bias, EPS)
    }
}

#[derive(Clone, Debug)]
struct Layer {
    heads: usize,
    norms: [Norm; 2],
    qkv: Affine,
    proj: Affine,
    up: Affine,
    down: Affine,
}

impl Layer {
    fn new(b: &mut Builder, config: &DecoderConfig) -> Built<Layer> {
        let (width, heads) = (config.width, config.heads);
        // What goes into the sum along the layers begins smaller the more of them there are.
        let last = DEVIATION / (2.0 * config.layers as f64).sqrt();
        Ok(Layer {
            heads,
            norms: [Norm::new(b, "norm1", width)?, Norm::new(b, "norm2", width)?],
            qkv: Affine::new(b, "qkv", [width, 3 * width], DEVIATION)?,
            proj: Affine::new(b, "proj", [width, width], last)?,
            up: Affine::new(b, "up", [width, 4 * width], DEVIATION)?,
            down: Affine::new(b, "down", [4 * width, width], last)?,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let qkv = self.qkv.forward(&self.norms[0].forward(x)?)?;
        let seen = self_attention(&qkv, self.heads, Keys::causal())?;
        let x = mix(&self.proj.forward(&seen)?, 1.0, x)?;
        let wide = gelu(&self.up.forward(&self.norms[1].forward(&x)?)?)?;
        mix(&self.down.forward(&wide)?, 1.0, &x)
    }
}

/// The transformer.
#[derive(Clone, Debug)]
pub struct Decoder {
    config: DecoderConfig,
    prefix: Affine,
    tokens: Tensor,
    positions: Tensor,
    layers: Vec<Layer>,
    norm: Norm,
    head: Tensor,
}

impl Decoder {
    pub(super) fn new(
        b: &mut Builder,
        config: &DecoderConfig,
        image: usize,
        vocabulary: usize,
    ) -> Built<Decoder> {
        let width = config.width;
        let inside = 1.0 / (image as f64).sqrt();
        let length = config.prefix + config.context;
        let normal = Start::Normal(DEVIATION);
        let table = |b: &mut Builder, name: &str, rows| {
            b.within(name, |b| b.var("weight", &[rows, width], normal))
        };
        Ok(Decoder {
            prefix: Affine::new(b, "prefix", [image, config.prefix * width], inside)?,
            tokens: table(b, "tokens", vocabulary)?,
            positions: table(b, "positions", length)?,
            layers: (0..config.layers)
                .map(|layer| b.within(&format!("blocks.{layer}"), |b| Layer::new(b, config)))
                .collect::<Built<_>>()?,
            norm: Norm::new(b, "norm", width)?,
            head: table(b, "head", vocabulary)?,
            config: config.clone(),
        })
    }

    /// What it makes of each token: pictures `(batch, image)`, tokens of `batch` sequences of `length`,
    /// one after another; gives `(batch * length, width)`.
    ///
    /// # Errors
    ///
    /// When there are too many tokens, or tokens that the vocabulary does not have.
    pub fn forward(&self, image: &Tensor, tokens: &[u32], length: usize) -> Result<Tensor> {
        let (batch, _) = image.dims2()?;
        let (width, prefix) = (self.config.width, self.config.prefix);
        if length > self.config.context || tokens.len() != batch * length {
            bail!(
                "{} tokens for {batch} sequences of {length}, at most {}",
                tokens.len(),
                self.config.context
            );
        }
        let front = self
            .prefix
            .forward(image)?
            .reshape((batch, prefix, width))?;
        let own = embed(&self.tokens, tokens)?.reshape((batch, length, width))?;
        let x = Tensor::cat(&[&front, &own], 1)?;
        let all = prefix + length;
        let places: Vec<u32> = (0..batch).flat_map(|_| 0..all as u32).collect();
        let mut x = mix(
            &embed(&self.positions, places)?.reshape((batch, all, width))?,
            1.0,
            &x,
        )?;
        for layer in &self.layers {
            x = layer.forward(&x)?;
        }
        let rows = x.reshape((batch * all, width))?;
        let own = (0..batch).flat_map(|item| (prefix..all).map(move |at| (item * all + at) as u32));
        embed(&rows, own.collect::<Vec<u32>>())
    }

    /// Scores over the vocabulary of these rows of [`Decoder::forward`]: `(rows, vocabulary)`.
    ///
    /// # Errors
    ///
    /// When a row is not there.
    pub fn scores(&self, hidden: &Tensor, rows: Vec<u32>) -> Result<Tensor> {
        let rows = self.norm.forward(&embed(hidden, rows)?)?;
        linear(&rows, &self.head, None)
    }
}
