//! Convolutions of pictures.
//!
//! In: pictures `(batch, height, width, inputs)`, weights `(outputs, window height, window width,
//! inputs)`, a bias `(outputs)`. Out: `(batch, height, width, outputs)` of the smaller picture. Rows of patches are
//! gathered piece by piece next to the product that uses them, so that they stay in a cache.

use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::activation::gated;
use super::linear::row_sum;
use super::patches::Patches;
use super::product::{Mat, Threads, product};
use super::{Real, floats, stored, tracked};

/// How a window goes over pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv {
    /// Distance of places, down and across.
    pub stride: [usize; 2],
    /// Zeros around the picture: above and below, left and right.
    pub padding: [usize; 2],
    /// Whether negative results become 0.
    pub relu: bool,
}

impl Conv {
    /// A square window of this size, padded as "same" is in PyTorch's image models:
    /// `(stride - 1 + size - 1) / 2` on each side.
    pub fn square(size: usize, stride: usize) -> Conv {
        let padding = (stride + size).saturating_sub(2) / 2;
        Conv {
            stride: [stride; 2],
            padding: [padding; 2],
            relu: false,
        }
    }

    /// With rectified results.
    pub fn rectified(self) -> Conv {
        Conv { relu: true, ..self }
    }
}

/// The convolution of pictures, as the module says.
///
/// # Errors
///
/// When shapes or element types do not fit, or the window is larger than the padded picture.
pub fn conv2d(x: &Tensor, w: &Tensor, bias: &Tensor, conv: Conv) -> Result<Tensor> {
    x.contiguous()?
        .apply_op3(&w.contiguous()?, &bias.contiguous()?, Forward(conv))
}

fn sizes(conv: Conv, x: &Shape, w: &Shape) -> Result<(Patches, usize)> {
    let (outputs, height, width, inputs) = w.dims4()?;
    let dims = x.dims4()?;
    if dims.3 != inputs {
        bail!("conv2d: {:?} by {:?}", x.dims(), w.dims());
    }
    let patches = Patches::new(dims, [height, width], conv.stride, conv.padding, false)?;
    Ok((patches, outputs))
}

/// Rows of patches that a thread takes at once: about a megabyte of them, by shape alone.
fn piece(patches: &Patches) -> usize {
    let fitting = (1 << 18) / patches.depth().max(1);
    let shared = patches.rows().div_ceil(16);
    fitting.min(shared).next_multiple_of(16).max(64)
}

struct Forward(Conv);

impl CustomOp3 for Forward {
    fn name(&self) -> &'static str {
        "conv2d"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
        s3: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (patches, outputs) = sizes(self.0, l1.shape(), l2.shape())?;
        if l3.shape().dims1()? != outputs {
            bail!("conv2d: a bias of {:?} for {outputs} outputs", l3.dims());
        }
        let relu = self.0.relu;
        let out = floats!("conv2d", [s1 @ l1 => x, s2 @ l2 => w, s3 @ l3 => bias], T => {
            stored(forward::<T>(&patches, outputs, x, w, bias, relu)?)
        });
        let [height, width] = patches.out;
        Ok((out, (patches.batch, height, width, outputs).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        bias: &Tensor,
        out: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let grad = if self.0.relu {
            gated(out, &grad, 1.0)?
        } else {
            grad
        };
        let (conv, dims) = (self.0, x.shape().dims4()?);
        let dx = tracked(x).then(|| grad.apply_op2_no_bwd(w, &ToData { conv, dims }));
        let window = w.shape().dims4()?;
        let dw = tracked(w).then(|| grad.apply_op2_no_bwd(x, &ToWeights { conv, window }));
        let db = tracked(bias).then(|| row_sum(&grad));
        Ok((dx.transpose()?, dw.transpose()?, db.transpose()?))
    }
}

fn forward<T: Real>(
    patches: &Patches,
    outputs: usize,
    x: &[T],
    w: &[T],
    bias: &[T],
    relu: bool,
) -> Result<Vec<T>> {
    let depth = patches.depth();
    let mut out = vec![T::ZERO; patches.rows() * outputs];
    if out.is_empty() {
        return Ok(out);
    }
    let weights = Mat::new(w, outputs, depth).t();
    let piece = piece(patches);
    out.par_chunks_mut(piece * outputs)
        .enumerate()
        .try_for_each_init(Vec::new, |scratch, (number, out)| {
            let (first, rows) = (number * piece, out.len() / outputs);
            let seen = if patches.is_identity() {
                &x[first * depth..(first + rows) * depth]
            } else {
                scratch.resize(rows * depth, T::ZERO);
                patches.gather(x, first, scratch);
                &scratch[..]
            };
            for row in out.chunks_exact_mut(outputs) {
                row.copy_from_slice(bias);
            }
            product(
                out,
                outputs,
                Mat::new(seen, rows, depth),
                weights,
                true,
                Threads::One,
            )?;
            if relu {
                for value in out {
                    *value = if *value > T::ZERO { *value } else { T::ZERO };
                }
            }
            Ok::<(), candle_core::Error>(())
        })?;
    Ok(out)
}

/// From the result's gradient and the weights, the pictures' gradient.
struct ToData {
    conv: Conv,
    dims: (usize, usize, usize, usize),
}

impl CustomOp2 for ToData {
    fn name(&self) -> &'static str {
        "conv2d-to-data"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let shape = Shape::from(self.dims);
        let (patches, outputs) = sizes(self.conv, &shape, l2.shape())?;
        fits(&patches, outputs, l1)?;
        let out = floats!("conv2d-to-data", [s1 @ l1 => grad, s2 @ l2 => w], T => {
            stored(to_data::<T>(&patches, outputs, grad, w)?)
        });
        Ok((out, shape))
    }
}

fn to_data<T: Real>(p: &Patches, outputs: usize, grad: &[T], w: &[T]) -> Result<Vec<T>> {
    let depth = p.depth();
    let mut out = vec![T::ZERO; p.batch * p.picture()];
    if out.is_empty() {
        return Ok(out);
    }
    let weights = Mat::new(w, outputs, depth);
    if p.is_identity() {
        let piece = piece(p);
        let pieces = out.par_chunks_mut(piece * depth);
        pieces
            .zip(grad.par_chunks(piece * outputs))
            .try_for_each(|(out, grad)| {
                let grad = Mat::new(grad, out.len() / depth, outputs);
                product(out, depth, grad, weights, false, Threads::One)
            })?;
        return Ok(out);
    }
    // Rows of one picture overlap in it, so a thread takes whole pictures; several small ones.
    let places = p.places();
    let pictures = 64usize.div_ceil(places).min(p.batch);
    out.par_chunks_mut(pictures * p.picture())
        .zip(grad.par_chunks(pictures * places * outputs))
        .try_for_each_init(Vec::new, |scratch: &mut Vec<T>, (out, grad)| {
            let rows = grad.len() / outputs;
            scratch.resize(rows * depth, T::ZERO);
            let grad = Mat::new(grad, rows, outputs);
            product(scratch, depth, grad, weights, false, Threads::One)?;
            let each = scratch.chunks_exact(places * depth);
            for (rows, picture) in each.zip(out.chunks_exact_mut(p.picture())) {
                p.scatter(rows, picture);
            }
            Ok::<(), candle_core::Error>(())
        })?;
    Ok(out)
}

/// From the result's gradient and the pictures, the weights' gradient.
struct ToWeights {
    conv: Conv,
    window: (usize, usize, usize, usize),
}

impl CustomOp2 for ToWeights {
    fn name(&self) -> &'static str {
        "conv2d-to-weights"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let shape = Shape::from(self.window);
        let (patches, outputs) = sizes(self.conv, l2.shape(), &shape)?;
        fits(&patches, outputs, l1)?;
        let out = floats!("conv2d-to-weights", [s1 @ l1 => grad, s2 @ l2 => x], T => {
            stored(to_weights::<T>(&patches, outputs, grad, x)?)
        });
        Ok((out, shape))
    }
}

fn to_weights<T: Real>(p: &Patches, outputs: usize, grad: &[T], x: &[T]) -> Result<Vec<T>> {
    let (depth, rows) = (p.depth(), p.rows());
    let mut out = vec![T::ZERO; outputs * depth];
    if p.is_identity() {
        let grad = Mat::new(grad, rows, outputs).t();
        let seen = Mat::new(x, rows, depth);
        product(&mut out, depth, grad, seen, false, Threads::All)?;
        return Ok(out);
    }
    // The sum over all rows, a few thousand of them after another.
    let piece = ((1 << 21) / depth.max(1)).clamp(256, 8192).min(rows.max(1));
    let mut seen = vec![T::ZERO; piece * depth];
    for (number, grad) in grad.chunks(piece * outputs.max(1)).enumerate() {
        let (first, rows) = (number * piece, grad.len() / outputs);
        let seen = &mut seen[..rows * depth];
        seen.par_chunks_mut(64 * depth)
            .enumerate()
            .for_each(|(part, seen)| p.gather(x, first + part * 64, seen));
        let grad = Mat::new(grad, rows, outputs).t();
        product(
            &mut out,
            depth,
            grad,
            Mat::new(seen, rows, depth),
            true,
            Threads::All,
        )?;
    }
    Ok(out)
}

fn fits(patches: &Patches, outputs: usize, grad: &Layout) -> Result<()> {
    let [height, width] = patches.out;
    if grad.shape().dims4()? != (patches.batch, height, width, outputs) {
        bail!("conv2d: a gradient of {:?} for this result", grad.dims());
    }
    Ok(())
}
