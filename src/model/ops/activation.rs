//! Element by element: rectified and Gaussian units, and the sum that closes a residual block.
//!
//! In: tensors of one shape. Out: a tensor of that shape. Afterwards the rectified unit's gradient at 0
//! is 0, as PyTorch has it (candle's own has 1).

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::{Real, floats, stored, tracked};

/// Elements that a thread takes at once.
const PIECE: usize = 1 << 14;

/// `max(x, 0) * scale`.
///
/// # Errors
///
/// When the element type is neither `f32` nor `f64`.
pub fn relu(x: &Tensor, scale: f64) -> Result<Tensor> {
    x.contiguous()?.apply_op1(Relu(scale))
}

/// The Gaussian error linear unit, the one with the error function.
///
/// # Errors
///
/// As [`relu`].
pub fn gelu(x: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op1(Gelu)
}

/// `factor * x + y`, of one shape.
///
/// # Errors
///
/// As [`relu`]; when the shapes differ.
pub fn mix(x: &Tensor, factor: f64, y: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op2(&y.contiguous()?, Mix(factor))
}

/// Where `gate` is positive, `grad * scale`; elsewhere 0.
pub(super) fn gated(gate: &Tensor, grad: &Tensor, scale: f64) -> Result<Tensor> {
    gate.apply_op2_no_bwd(&grad.contiguous()?, &Gate(scale))
}

struct Relu(f64);

impl CustomOp1 for Relu {
    fn name(&self) -> &'static str {
        "relu"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let out = floats!("relu", [storage @ layout => x], T => {
            let scale = T::of(self.0);
            each(x, |x, out| {
                for (out, x) in out.iter_mut().zip(x) {
                    *out = if *x > T::ZERO { *x * scale } else { T::ZERO };
                }
            })
        });
        Ok((out, layout.shape().clone()))
    }

    fn bwd(&self, _: &Tensor, out: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        // The output is positive where the input is, for a positive scale.
        gated(out, grad, self.0).map(Some)
    }
}

struct Gate(f64);

impl CustomOp2 for Gate {
    fn name(&self) -> &'static str {
        "gate"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let out = floats!("gate", [s1 @ l1 => gate, s2 @ l2 => grad], T => {
            let scale = T::of(self.0);
            pairs("gate", gate, grad, |gate, grad, out| {
                for ((out, gate), grad) in out.iter_mut().zip(gate).zip(grad) {
                    *out = if *gate > T::ZERO { *grad * scale } else { T::ZERO };
                }
            })?
        });
        Ok((out, l1.shape().clone()))
    }
}

struct Gelu;

impl CustomOp1 for Gelu {
    fn name(&self) -> &'static str {
        "gelu"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let out = floats!("gelu", [storage @ layout => x], T => each(x, T::gelu));
        Ok((out, layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        x.apply_op2_no_bwd(&grad.contiguous()?, &GeluBack).map(Some)
    }
}

struct GeluBack;

impl CustomOp2 for GeluBack {
    fn name(&self) -> &'static str {
        "gelu-back"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let out = floats!("gelu-back", [s1 @ l1 => x, s2 @ l2 => grad], T => {
            pairs("gelu-back", x, grad, T::gelu_back)?
        });
        Ok((out, l1.shape().clone()))
    }
}

struct Mix(f64);

impl CustomOp2 for Mix {
    fn name(&self) -> &'static str {
        "mix"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let out = floats!("mix", [s1 @ l1 => x, s2 @ l2 => y], T => {
            let factor = T::of(self.0);
            pairs("mix", x, y, |x, y, out| {
                for ((out, x), y) in out.iter_mut().zip(x).zip(y) {
                    *out = factor * *x + *y;
                }
            })?
        });
        Ok((out, l1.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        y: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let left = tracked(x).then(|| grad.affine(self.0, 0.0)).transpose()?;
        Ok((left, tracked(y).then(|| grad.clone())))
    }
}

fn each<T: Real>(x: &[T], of: impl Fn(&[T], &mut [T]) + Sync) -> CpuStorage {
    let mut out = vec![T::ZERO; x.len()];
    let pieces = out.par_chunks_mut(PIECE).zip(x.par_chunks(PIECE));
    pieces.for_each(|(out, x)| of(x, out));
    stored(out)
}

fn pairs<T: Real>(
    name: &str,
    x: &[T],
    y: &[T],
    of: impl Fn(&[T], &[T], &mut [T]) + Sync,
) -> Result<CpuStorage> {
    if x.len() != y.len() {
        candle_core::bail!("{name}: {} and {} elements", x.len(), y.len());
    }
    let mut out = vec![T::ZERO; x.len()];
    let pieces = out.par_chunks_mut(PIECE).zip(x.par_chunks(PIECE));
    let pieces = pieces.zip(y.par_chunks(PIECE));
    pieces.for_each(|((out, x), y)| of(x, y, out));
    Ok(stored(out))
}
