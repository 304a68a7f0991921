//! From pictures to an embedding: a normaliser-free residual network with bottlenecks, as timm's
//! `nf_resnet26` has it (Brock et al. 2021, "Characterizing signal propagation").
//!
//! In: planes `(batch, height, width, channels)`. Out: `(batch, outputs)`. Afterwards every convolution's weights
//! have been standardised with the factor for rectified units, and a block's gain of its last convolution begins
//! at 0, so that each block begins as its shortcut.
//!
//! Names of weights are timm's; their shapes are `(outputs, height, width, inputs)`.

use candle_core::{Result, Tensor};

use super::config::EncoderConfig;
use super::ops::{Conv, Window, avg_pool, conv2d, linear, max_pool, mix, relu, standardise};
use super::weights::{Builder, Start, WeightsError};

/// The inverse of the deviation that a rectified unit leaves of a normal distribution.
const GAMMA: f64 = 1.713_958_859_443_664_6;
/// What each block adds to the variance, of its root.
const ALPHA: f64 = 0.2;
/// Beside the variance of weights.
const EPS: f64 = 1e-5;

/// A convolution with standardised weights.
#[derive(Clone, Debug)]
struct Scaled {
    weight: Tensor,
    bias: Tensor,
    /// None when the weights are standardised already, as they do not change.
    gain: Option<Tensor>,
    scale: f64,
    conv: Conv,
}

impl Scaled {
    fn new(
        b: &mut Builder,
        name: &str,
        [inputs, outputs]: [usize; 2],
        [size, stride]: [usize; 2],
        gain: f64,
    ) -> std::result::Result<Scaled, WeightsError> {
        b.within(name, |b| {
            let fan = (size * size * inputs) as f64;
            let shape = [outputs, size, size, inputs];
            let scale = GAMMA / fan.sqrt();
            let weight = b.var("weight", &shape, Start::Normal(1.0 / fan.sqrt()))?;
            let bias = b.var("bias", &[outputs], Start::Constant(0.0))?;
            let gain = b.var("gain", &[outputs], Start::Constant(gain))?;
            let (weight, gain) = match b.learns() {
                true => (weight, Some(gain)),
                false => (standardise(&weight, &gain, scale, EPS)?, None),
            };
            Ok(Scaled {
                weight,
                bias,
                gain,
                scale,
                conv: Conv::square(size, stride),
            })
        })
    }

    fn rectified(mut self) -> Scaled {
        self.conv = self.conv.rectified();
        self
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        match &self.gain {
            None => conv2d(x, &self.weight, &self.bias, self.conv),
            Some(gain) => {
                let weight = standardise(&self.weight, gain, self.scale, EPS)?;
                conv2d(x, &weight, &self.bias, self.conv)
            }
        }
    }
}

#[derive(Clone, Debug)]
struct Block {
    /// What brings the variance before the block back to 1.
    beta: f64,
    shortcut: Option<(Scaled, bool)>,
    convs: [Scaled; 3],
}

impl Block {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let opened = relu(x, self.beta)?;
        let shortcut = match &self.shortcut {
            Some((conv, true)) => {
                conv.forward(&avg_pool(&opened, Window::square(2, 2, 0).ceil())?)?
            }
            Some((conv, false)) => conv.forward(&opened)?,
            None => x.clone(),
        };
        let [first, second, third] = &self.convs;
        let inner = third.forward(&second.forward(&first.forward(&opened)?)?)?;
        mix(&inner, ALPHA, &shortcut)
    }
}

/// The network.
#[derive(Clone, Debug)]
pub struct Encoder {
    shrink: usize,
    stem: Scaled,
    stages: Vec<Vec<Block>>,
    head: (Tensor, Tensor),
}

impl Encoder {
    pub(super) fn new(
        b: &mut Builder,
        config: &EncoderConfig,
        planes: usize,
    ) -> std::result::Result<Encoder, WeightsError> {
        let stem = b.within("stem", |b| {
            Scaled::new(b, "conv", [planes, config.stem], [7, 2], 1.0)
        })?;
        let (mut channels, mut variance) = (config.stem, 1.0f64);
        let mut stages = Vec::new();
        for (number, stage) in config.stages.iter().enumerate() {
            let mut blocks = Vec::new();
            for place in 0..stage.blocks {
                let first = place == 0;
                let stride = if first && number > 0 { 2 } else { 1 };
                let sizes = [channels, stage.channels];
                let name = format!("stages.{number}.{place}");
                let beta = 1.0 / variance.sqrt();
                let block = b.within(&name, |b| block(b, sizes, stride, first, beta))?;
                blocks.push(block);
                if first {
                    variance = 1.0;
                }
                variance += ALPHA * ALPHA;
                channels = stage.channels;
            }
            stages.push(blocks);
        }
        let head = b.within("head.fc", |b| -> std::result::Result<_, WeightsError> {
            let weight = b.var("weight", &[config.outputs, channels], Start::Normal(0.01))?;
            Ok((
                weight,
                b.var("bias", &[config.outputs], Start::Constant(0.0))?,
            ))
        })?;
        Ok(Encoder {
            shrink: config.shrink,
            stem,
            stages,
            head,
        })
    }

    /// The embeddings of pictures: `(batch, height, width, planes)` to `(batch, outputs)`.
    ///
    /// # Errors
    ///
    /// When the planes are not those it was made for.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.embed(&self.features(x, |_| ())?)
    }

    /// What the last stage gives; `each` sees what the stem and every stage give.
    pub fn features(&self, x: &Tensor, mut each: impl FnMut(&Tensor)) -> Result<Tensor> {
        let x = if self.shrink > 1 {
            avg_pool(x, Window::square(self.shrink, self.shrink, 0).ceil())?
        } else {
            x.clone()
        };
        let mut x = max_pool(&self.stem.forward(&x)?, Window::square(3, 2, 1))?;
        each(&x);
        for stage in &self.stages {
            for block in stage {
                x = block.forward(&x)?;
            }
            each(&x);
        }
        Ok(x)
    }

    /// The embedding of the last stage's result.
    fn embed(&self, features: &Tensor) -> Result<Tensor> {
        let (_, height, width, _) = features.dims4()?;
        let whole = Window {
            size: [height, width],
            ..Window::square(1, 1, 0)
        };
        let mean = avg_pool(&relu(features, 1.0)?, whole)?.flatten_from(1)?;
        linear(&mean, &self.head.0, Some(&self.head.1))
    }
}

fn block(
    b: &mut Builder,
    [inputs, outputs]: [usize; 2],
    stride: usize,
    first: bool,
    beta: f64,
) -> std::result::Result<Block, WeightsError> {
    let inner = outputs / 4;
    let shortcut = if first {
        let conv = b.within("downsample", |b| {
            Scaled::new(b, "conv", [inputs, outputs], [1, 1], 1.0)
        })?;
        Some((conv, stride > 1))
    } else {
        None
    };
    let convs = [
        Scaled::new(b, "conv1", [inputs, inner], [1, 1], 1.0)?.rectified(),
        Scaled::new(b, "conv2", [inner, inner], [3, stride], 1.0)?.rectified(),
        Scaled::new(b, "conv3", [inner, outputs], [1, 1], 0.0)?,
    ];
    Ok(Block {
        beta,
        shortcut,
        convs,
    })
}
