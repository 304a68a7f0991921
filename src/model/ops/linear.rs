//! Linear layers.
//!
//! In: rows `(.., inputs)`, weights `(outputs, inputs)`, perhaps a bias `(outputs)`. Out: `(.., outputs)`.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::product::{Mat, Threads, product};
use super::{Real, floats, stored, tracked};

/// `x w^T`, plus a bias for each output.
///
/// # Errors
///
/// When shapes or element types do not fit.
pub fn linear(x: &Tensor, w: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let (outputs, inputs) = w.dims2()?;
    let mut shape = x.dims().to_vec();
    match shape.last_mut() {
        Some(last) if *last == inputs => *last = outputs,
        _ => bail!("linear: {:?} by {:?}", x.dims(), w.dims()),
    }
    let rows = x.contiguous()?.reshape(((), inputs))?;
    let out = rows.apply_op2(&w.contiguous()?, Linear)?;
    let out = match bias {
        Some(bias) => out.apply_op2(&bias.contiguous()?, Bias)?,
        None => out,
    };
    out.reshape(shape)
}

/// The sum of all rows of a matrix.
pub(super) fn row_sum(x: &Tensor) -> Result<Tensor> {
    x.apply_op1_no_bwd(&RowSum)
}

/// `a b`, with either transposed first.
struct Times {
    a_t: bool,
    b_t: bool,
}

impl CustomOp2 for Times {
    fn name(&self) -> &'static str {
        "times"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let ((p, q), (r, s)) = (l1.shape().dims2()?, l2.shape().dims2()?);
        let m = if self.a_t { q } else { p };
        let n = if self.b_t { r } else { s };
        let out = floats!("times", [s1 @ l1 => a, s2 @ l2 => b], T => {
            let (a, b) = (Mat::new(a, p, q), Mat::new(b, r, s));
            let a = if self.a_t { a.t() } else { a };
            let b = if self.b_t { b.t() } else { b };
            let mut out = vec![T::ZERO; m * n];
            product(&mut out, n, a, b, false, Threads::All)?;
            stored(out)
        });
        Ok((out, (m, n).into()))
    }
}

struct Linear;

impl CustomOp2 for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let of = Times {
            a_t: false,
            b_t: true,
        };
        of.cpu_fwd(s1, l1, s2, l2)
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let times = |a: &Tensor, b: &Tensor, a_t| a.apply_op2_no_bwd(b, &Times { a_t, b_t: false });
        let dx = tracked(x).then(|| times(&grad, w, false)).transpose()?;
        let dw = tracked(w).then(|| times(&grad, x, true)).transpose()?;
        Ok((dx, dw))
    }
}

struct Bias;

impl CustomOp2 for Bias {
    fn name(&self) -> &'static str {
        "bias"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (_, n) = l1.shape().dims2()?;
        if l2.shape().dims1()? != n {
            bail!("linear: a bias of {:?} for {n} outputs", l2.dims());
        }
        let out = floats!("bias", [s1 @ l1 => x, s2 @ l2 => bias], T => {
            let mut out = x.to_vec();
            if n > 0 {
                let rows = out.par_chunks_mut(n).with_min_len(64);
                rows.for_each(|row| T::add_scaled(row, bias, T::ONE));
            }
            stored(out)
        });
        Ok((out, l1.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let db = tracked(bias).then(|| row_sum(&grad)).transpose()?;
        Ok((tracked(x).then_some(grad), db))
    }
}

struct RowSum;

impl CustomOp1 for RowSum {
    fn name(&self) -> &'static str {
        "row-sum"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let dims = layout.dims();
        let n = dims.last().copied().unwrap_or(0);
        let out = floats!("row-sum", [storage @ layout => x], T => stored(sum_rows::<T>(x, n)));
        Ok((out, n.into()))
    }
}

/// Sums of columns: of a fixed number of parts first, then of the parts in order.
pub(super) fn sum_rows<T: Real>(x: &[T], n: usize) -> Vec<T> {
    const PARTS: usize = 16;
    let mut out = vec![T::ZERO; n];
    if n == 0 || x.is_empty() {
        return out;
    }
    let part = (x.len() / n).div_ceil(PARTS) * n;
    let sums: Vec<Vec<T>> = x
        .par_chunks(part)
        .map(|rows| {
            let mut sum = vec![T::ZERO; n];
            for row in rows.chunks(n) {
                T::add_scaled(&mut sum, row, T::ONE);
            }
            sum
        })
        .collect();
    for sum in sums {
        T::add_scaled(&mut out, &sum, T::ONE);
    }
    out
}
