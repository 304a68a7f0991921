//! The transformer that reads a program and says what to put where.
//!
//! In: embeddings of pictures, tokens padded to one length. Out: what it makes of each token, and scores over the
//! vocabulary. Afterwards a token's result depends on the pictures and on tokens not behind it.
//!
//! Normalisation comes before each part, units are Gaussian, positions are learned, the head has weights of its
//! own. A few prefix tokens, a linear image of the pictures' embedding, stand in front (appendix G).

use std::ops::Range;

use candle_core::{Result, Tensor, bail};

use super::config::DecoderConfig;
use super::ops::{
    Keys, Sight, cached_attention, embed, gelu, layer_norm, linear, mix, self_attention,
};
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
        let qkv = self.ask(x)?;
        self.take_in(x, &self_attention(&qkv, self.heads, Keys::causal())?)
    }

    /// Queries, keys and values.
    fn ask(&self, x: &Tensor) -> Result<Tensor> {
        self.qkv.forward(&self.norms[0].forward(x)?)
    }

    /// What becomes of it with what attention saw.
    fn take_in(&self, x: &Tensor, seen: &Tensor) -> Result<Tensor> {
        let x = mix(&self.proj.forward(seen)?, 1.0, x)?;
        let wide = gelu(&self.up.forward(&self.norms[1].forward(&x)?)?)?;
        mix(&self.down.forward(&wide)?, 1.0, &x)
    }
}

/// What layers keep of tokens that were read: keys and values, row after row. Rows are never moved, so that
/// sequences can share them.
#[derive(Clone, Debug)]
pub struct Cache {
    width: usize,
    /// Rows of pictures before those of tokens.
    front: usize,
    length: usize,
    layers: Vec<Vec<f32>>,
}

impl Cache {
    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.layers
            .first()
            .map_or(0, |layer| layer.len() / (2 * self.width))
    }

    /// The rows of a sequence that was read at the beginning, with so many tokens of it.
    pub fn sequence(&self, number: usize, tokens: usize) -> Range<usize> {
        let first = number * (self.front + self.length);
        first..first + self.front + tokens
    }
}

/// Appends the keys and values of rows of queries, keys and values.
fn keep(kept: &mut Vec<f32>, qkv: &[f32], width: usize) {
    for row in qkv.chunks_exact(3 * width) {
        kept.extend_from_slice(&row[width..]);
    }
}

fn numbers(x: &Tensor) -> Result<Vec<f32>> {
    x.flatten_all()?.to_vec1()
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
        let mut x = self.lay(image, tokens, length)?;
        for layer in &self.layers {
            x = layer.forward(&x)?;
        }
        self.own(&x)
    }

    /// [`Decoder::forward`] that keeps what later tokens need.
    ///
    /// # Errors
    ///
    /// As [`Decoder::forward`].
    pub fn read(&self, image: &Tensor, tokens: &[u32], length: usize) -> Result<(Tensor, Cache)> {
        let mut x = self.lay(image, tokens, length)?;
        let mut cache = Cache {
            width: self.config.width,
            front: self.config.prefix,
            length,
            layers: Vec::new(),
        };
        for layer in &self.layers {
            let qkv = layer.ask(&x)?;
            let mut kept = Vec::new();
            keep(&mut kept, &numbers(&qkv)?, cache.width);
            cache.layers.push(kept);
            let seen = self_attention(&qkv, layer.heads, Keys::causal())?;
            x = layer.take_in(&x, &seen)?.detach();
        }
        Ok((self.own(&x)?, cache))
    }

    /// What it makes of more tokens, each at its place in its sequence. They become the last rows of the cache, in
    /// this order; `sights` says which rows each of them sees, itself among them. Gives `(tokens, width)`.
    ///
    /// # Errors
    ///
    /// When a place or a row is not there.
    pub fn go_on(
        &self,
        cache: &mut Cache,
        tokens: &[u32],
        places: &[usize],
        sights: &[Sight<'_>],
    ) -> Result<Tensor> {
        let width = self.config.width;
        let most = self.config.context;
        if let Some(place) = places.iter().find(|place| **place >= most) {
            bail!("a token at place {place}, but there are {most}");
        }
        let at = places
            .iter()
            .map(|place| (self.config.prefix + place) as u32);
        let at = embed(&self.positions, at.collect::<Vec<u32>>())?;
        let mut x = mix(&at, 1.0, &embed(&self.tokens, tokens)?)?;
        for (layer, kept) in self.layers.iter().zip(&mut cache.layers) {
            let qkv = numbers(&layer.ask(&x)?)?;
            keep(kept, &qkv, width);
            let q = qkv.chunks_exact(3 * width).flat_map(|row| &row[..width]);
            let q: Vec<f32> = q.copied().collect();
            let seen = cached_attention(&q, kept, width, layer.heads, sights)?;
            let seen = Tensor::from_vec(seen, (tokens.len(), width), x.device())?;
            x = layer.take_in(&x, &seen)?.detach();
        }
        Ok(x)
    }

    /// Pictures and tokens at their places: `(batch, prefix + length, width)`.
    fn lay(&self, image: &Tensor, tokens: &[u32], length: usize) -> Result<Tensor> {
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
        let at = embed(&self.positions, places)?.reshape((batch, all, width))?;
        mix(&at, 1.0, &x)
    }

    /// The rows of tokens, without those of pictures.
    fn own(&self, x: &Tensor) -> Result<Tensor> {
        let (batch, all, width) = x.dims3()?;
        let prefix = self.config.prefix;
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
