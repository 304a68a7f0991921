//! How many edits apart two pictures are (paper section 3.3).
//!
//! In: embeddings `(batch, image)`. Out: a number each, `(batch)`.

use candle_core::{Result, Tensor};

use super::decoder::Affine;
use super::ops::relu;
use super::weights::{Builder, WeightsError};

/// Layers with rectified units, and one that ends in a number.
#[derive(Clone, Debug)]
pub struct Value {
    layers: Vec<Affine>,
}

impl Value {
    pub(super) fn new(
        b: &mut Builder,
        image: usize,
        units: &[usize],
    ) -> std::result::Result<Value, WeightsError> {
        let mut layers = Vec::new();
        let mut inputs = image;
        for (number, outputs) in units.iter().copied().chain([1]).enumerate() {
            let deviation = (2.0 / inputs as f64).sqrt();
            let name = number.to_string();
            layers.push(Affine::new(b, &name, [inputs, outputs], deviation)?);
            inputs = outputs;
        }
        Ok(Value { layers })
    }

    /// The numbers of edits.
    ///
    /// # Errors
    ///
    /// When the embeddings are not those it was made for.
    pub fn forward(&self, image: &Tensor) -> Result<Tensor> {
        let mut x = image.clone();
        for (number, layer) in self.layers.iter().enumerate() {
            if number > 0 {
                x = relu(&x, 1.0)?;
            }
            x = layer.forward(&x)?;
        }
        x.squeeze(1)
    }
}
