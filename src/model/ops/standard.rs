//! Standardised weights of convolutions (Qiao et al. 2019; Brock et al. 2021), as timm's
//! `ScaledStdConv2d` has them.
//!
//! In: weights `(outputs, ..)`, a gain for each output, a scale. Out: weights of the same shape; those of
//! an output have mean 0 and variance `(gain * scale)^2`, but for `eps` beside the variance they had.
//! The scale is `gamma / sqrt(fan_in)`, so that a layer keeps the variance of what goes through it.

use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::norm::{moments, through};
use super::{Real, floats, stored, tracked};

/// Weights as the module says.
///
/// # Errors
///
/// When shapes or element types do not fit.
pub fn standardise(w: &Tensor, gain: &Tensor, scale: f64, eps: f64) -> Result<Tensor> {
    let op = Standard { scale, eps };
    w.contiguous()?.apply_op2(&gain.contiguous()?, op)
}

#[derive(Clone, Copy)]
struct Standard {
    scale: f64,
    eps: f64,
}

/// Elements of an output, when there is a gain for each output.
fn width(w: &Layout, gain: &Layout) -> Result<usize> {
    let outputs = w.dims().first().copied().unwrap_or(0);
    let n: usize = w.dims().iter().skip(1).product();
    if outputs == 0 || n == 0 || gain.dims() != [outputs] {
        bail!("standardise: {:?} with {:?}", w.dims(), gain.dims());
    }
    Ok(n)
}

impl CustomOp2 for Standard {
    fn name(&self) -> &'static str {
        "standardise"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let n = width(l1, l2)?;
        let out = floats!("standardise", [s1 @ l1 => w, s2 @ l2 => gain], T => {
            let mut out = vec![T::ZERO; w.len()];
            let rows = out.par_chunks_mut(n).zip(w.par_chunks(n)).zip(gain);
            rows.for_each(|((out, row), gain)| {
                let (mean, inverse) = moments::<T>(row, self.eps);
                let factor = inverse * *gain * T::of(self.scale);
                for (out, value) in out.iter_mut().zip(row) {
                    *out = (*value - mean) * factor;
                }
            });
            stored(out)
        });
        Ok((out, l1.shape().clone()))
    }

    fn bwd(
        &self,
        w: &Tensor,
        gain: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let dw = tracked(w).then(|| w.apply_op3_no_bwd(gain, &grad, &ToWeights(*self)));
        let dg = tracked(gain).then(|| w.apply_op2_no_bwd(&grad, &ToGain(*self)));
        Ok((dw.transpose()?, dg.transpose()?))
    }
}

struct ToWeights(Standard);

impl CustomOp3 for ToWeights {
    fn name(&self) -> &'static str {
        "standardise-to-weights"
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
        let name = "standardise-to-weights";
        let out = floats!(name, [s1 @ l1 => w, s2 @ l2 => gain, s3 @ l3 => grad], T => {
            let mut out = vec![T::ZERO; w.len()];
            let rows = out.par_chunks_mut(n).zip(w.par_chunks(n)).zip(grad.par_chunks(n));
            rows.zip(gain).for_each(|(((out, row), grad), gain)| {
                let (mean, inverse) = moments::<T>(row, self.0.eps);
                through(row, mean, inverse, grad, out);
                T::scale(out, *gain * T::of(self.0.scale));
            });
            stored(out)
        });
        Ok((out, l1.shape().clone()))
    }
}

struct ToGain(Standard);

impl CustomOp2 for ToGain {
    fn name(&self) -> &'static str {
        "standardise-to-gain"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let outputs = l1.dims().first().copied().unwrap_or(0);
        let n: usize = l1.dims().iter().skip(1).product();
        let out = floats!("standardise-to-gain", [s1 @ l1 => w, s2 @ l2 => grad], T => {
            let rows = w.par_chunks(n).zip(grad.par_chunks(n));
            let out = rows.map(|(row, grad)| {
                let (mean, inverse) = moments::<T>(row, self.0.eps);
                (T::dot(grad, row) - mean * T::sum(grad)) * inverse * T::of(self.0.scale)
            });
            stored(out.collect::<Vec<T>>())
        });
        Ok((out, outputs.into()))
    }
}
