//! Layer normalisation.
//!
//! In: rows `(.., n)`, a factor and a shift for each of `n`. Out: the rows at mean 0 and variance 1 (the biased one,
//! plus `eps`), then scaled and shifted.

use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::linear::row_sum;
use super::{Real, floats, stored, tracked};

/// Elements that a thread takes at once, about.
const PIECE: usize = 1 << 14;

/// Layer normalisation over the last dimension.
///
/// # Errors
///
/// When shapes or element types do not fit.
pub fn layer_norm(x: &Tensor, factor: &Tensor, shift: &Tensor, eps: f64) -> Result<Tensor> {
    let x = x.contiguous()?;
    x.apply_op3(&factor.contiguous()?, &shift.contiguous()?, Norm(eps))
}

/// Mean and the inverse of the deviation, of a row.
pub(super) fn moments<T: Real>(row: &[T], eps: f64) -> (T, T) {
    let n = T::of(row.len() as f64);
    let mean = T::sum(row) / n;
    let mut squares = [T::ZERO; 16];
    // The same lanes as in sums.
    for chunk in row.chunks(16) {
        for (lane, value) in squares.iter_mut().zip(chunk) {
            let off = *value - mean;
            *lane += off * off;
        }
    }
    let variance = T::sum(&squares) / n;
    (mean, T::ONE / (variance + T::of(eps)).sqrt())
}

/// The gradient through `(row - mean) * inverse`, from that of the result; `own(i)` gives the latter.
pub(super) fn through<T: Real>(row: &[T], mean: T, inverse: T, grad: &[T], out: &mut [T]) {
    let n = T::of(row.len() as f64);
    let sum = T::sum(grad) / n;
    let along = (T::dot(grad, row) - mean * T::sum(grad)) * inverse / n;
    for ((out, grad), value) in out.iter_mut().zip(grad).zip(row) {
        *out = inverse * (*grad - sum - along * (*value - mean) * inverse);
    }
}

struct Norm(f64);

impl CustomOp3 for Norm {
    fn name(&self) -> &'static str {
        "layer-norm"
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
        let n = width(l1, l2)?;
        width(l1, l3)?;
        let name = "layer-norm";
        let out = floats!(name, [s1 @ l1 => x, s2 @ l2 => factor, s3 @ l3 => shift], T => {
            rows(x, n, |row, out| {
                let (mean, inverse) = moments::<T>(row, self.0);
                for (i, out) in out.iter_mut().enumerate() {
                    *out = (row[i] - mean) * inverse * factor[i] + shift[i];
                }
            })
        });
        Ok((out, l1.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        factor: &Tensor,
        shift: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let dx = tracked(x).then(|| x.apply_op3_no_bwd(factor, &grad, &ToData(self.0)));
        let df = tracked(factor).then(|| row_sum(&x.apply_op2_no_bwd(&grad, &ToFactor(self.0))?));
        let ds = tracked(shift).then(|| row_sum(&grad));
        Ok((dx.transpose()?, df.transpose()?, ds.transpose()?))
    }
}

/// The rows' gradient, from the rows, the factors and the result's gradient.
struct ToData(f64);

impl CustomOp3 for ToData {
    fn name(&self) -> &'static str {
        "layer-norm-to-data"
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
        let n = width(l1, l2)?;
        let name = "layer-norm-to-data";
        let out = floats!(name, [s1 @ l1 => x, s2 @ l2 => factor, s3 @ l3 => grad], T => {
            let mut out = vec![T::ZERO; x.len()];
            let piece = (PIECE / n).max(1) * n;
            let pieces = out.par_chunks_mut(piece).zip(x.par_chunks(piece));
            pieces.zip(grad.par_chunks(piece)).for_each(|((out, x), grad)| {
                let mut scaled = vec![T::ZERO; n];
                let each = out.chunks_exact_mut(n).zip(x.chunks_exact(n)).zip(grad.chunks_exact(n));
                for ((out, row), grad) in each {
                    for ((scaled, grad), factor) in scaled.iter_mut().zip(grad).zip(factor) {
                        *scaled = *grad * *factor;
                    }
                    let (mean, inverse) = moments::<T>(row, self.0);
                    through(row, mean, inverse, &scaled, out);
                }
            });
            stored(out)
        });
        Ok((out, l1.shape().clone()))
    }
}

/// What the rows of a factor's gradient sum to: the normalised rows times the result's gradient.
struct ToFactor(f64);

impl CustomOp2 for ToFactor {
    fn name(&self) -> &'static str {
        "layer-norm-to-factor"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let n = l1.dims().last().copied().unwrap_or(0);
        let name = "layer-norm-to-factor";
        let out = floats!(name, [s1 @ l1 => x, s2 @ l2 => grad], T => {
            let mut out = grad.to_vec();
            let piece = (PIECE / n).max(1) * n;
            out.par_chunks_mut(piece).zip(x.par_chunks(piece)).for_each(|(out, x)| {
                for (out, row) in out.chunks_exact_mut(n).zip(x.chunks_exact(n)) {
                    let (mean, inverse) = moments::<T>(row, self.0);
                    for (out, value) in out.iter_mut().zip(row) {
                        *out *= (*value - mean) * inverse;
                    }
                }
            });
            stored(out)
        });
        Ok((out, l1.shape().clone()))
    }
}

fn width(x: &Layout, each: &Layout) -> Result<usize> {
    match x.dims().last() {
        Some(n) if *n > 0 && each.dims() == [*n] => Ok(*n),
        _ => bail!("layer norm: {:?} with {:?}", x.dims(), each.dims()),
    }
}

fn rows<T: Real>(x: &[T], n: usize, of: impl Fn(&[T], &mut [T]) + Sync) -> CpuStorage {
    let mut out = vec![T::ZERO; x.len()];
    let piece = (PIECE / n).max(1) * n;
    let pieces = out.par_chunks_mut(piece).zip(x.par_chunks(piece));
    pieces.for_each(|(out, x)| {
        for (out, row) in out.chunks_exact_mut(n).zip(x.chunks_exact(n)) {
            of(row, out);
        }
    });
    stored(out)
}
