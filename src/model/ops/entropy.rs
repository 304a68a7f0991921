//! Cross-entropy of a softmax, over the choices that are allowed.
//!
//! In: scores `(rows, choices)` and [`Rows`]. Out: one number, the weighted mean of the negative logarithms of the
//! targets' probabilities. Afterwards rows of weight 0 cost nothing and get no gradient, and neither
//! do choices that are not allowed.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::{Real, floats, stored};

/// What each row of scores should choose.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// The choice of each row.
    pub targets: Vec<u32>,
    /// How much each row counts, not below 0.
    pub weights: Vec<f32>,
    /// Row after row, whether each choice is allowed; `None`: all are.
    pub legal: Option<Vec<bool>>,
}

/// The weighted mean over rows; 0 when all weights are.
///
/// # Errors
///
/// When `rows` does not fit the scores; when a row that counts has a target that is not allowed.
pub fn cross_entropy(scores: &Tensor, rows: impl Into<Arc<Rows>>) -> Result<Tensor> {
    let rows = rows.into();
    let (n, choices) = scores.dims2()?;
    let legal = rows.legal.as_ref().map_or(n * choices, Vec::len);
    if rows.targets.len() != n || rows.weights.len() != n || legal != n * choices {
        bail!(
            "cross entropy of {n} x {choices} scores: {} targets, {} weights, {legal} choices",
            rows.targets.len(),
            rows.weights.len()
        );
    }
    let mut total = 0f64;
    for (row, (target, weight)) in rows.targets.iter().zip(&rows.weights).enumerate() {
        let at = *target as usize;
        let open = rows
            .legal
            .as_ref()
            .is_none_or(|l| at < choices && l[row * choices + at]);
        if *weight > 0.0 && (at >= choices || !open) {
            bail!("cross entropy: row {row} should choose {target}, which is not allowed");
        }
        if !(*weight >= 0.0 && weight.is_finite()) {
            bail!("cross entropy: row {row} has weight {weight}");
        }
        total += f64::from(*weight);
    }
    let share = if total > 0.0 { 1.0 / total } else { 0.0 };
    scores.contiguous()?.apply_op1(Entropy { rows, share })
}

struct Entropy {
    rows: Arc<Rows>,
    share: f64,
}

impl Entropy {
    /// The exponentials of a row's allowed scores less the greatest; the greatest; their sum.
    fn weigh<T: Real>(&self, row: usize, scores: &[T], out: &mut [T]) -> (T, T) {
        out.copy_from_slice(scores);
        if let Some(legal) = &self.rows.legal {
            let legal = &legal[row * scores.len()..][..scores.len()];
            for (out, open) in out.iter_mut().zip(legal) {
                if !open {
                    *out = T::LOWEST;
                }
            }
        }
        let most = T::greatest(out);
        (most, T::exp_sum(out, most))
    }
}

impl CustomOp1 for Entropy {
    fn name(&self) -> &'static str {
        "cross-entropy"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (n, choices) = layout.shape().dims2()?;
        let out = floats!("cross-entropy", [storage @ layout => scores], T => {
            let losses: Vec<f64> = (0..n)
                .into_par_iter()
                .map_init(|| vec![T::ZERO; choices], |scratch, row| {
                    let weight = f64::from(self.rows.weights[row]);
                    if weight == 0.0 {
                        return 0.0;
                    }
                    let scores = &scores[row * choices..][..choices];
                    let (most, sum) = self.weigh::<T>(row, scores, scratch);
                    let own = scores[self.rows.targets[row] as usize];
                    weight * (most + T::log_e(sum) - own).wide()
                })
                .collect();
            stored(vec![T::of(losses.iter().sum::<f64>() * self.share)])
        });
        Ok((out, Shape::from(())))
    }

    fn bwd(&self, scores: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let back = Back(Entropy {
            rows: Arc::clone(&self.rows),
            share: self.share,
        });
        scores
            .apply_op2_no_bwd(&grad.contiguous()?, &back)
            .map(Some)
    }
}

struct Back(Entropy);

impl CustomOp2 for Back {
    fn name(&self) -> &'static str {
        "cross-entropy-back"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (_, choices) = l1.shape().dims2()?;
        let Back(of) = self;
        let name = "cross-entropy-back";
        let out = floats!(name, [s1 @ l1 => scores, s2 @ l2 => grad], T => {
            let mut out = vec![T::ZERO; scores.len()];
            let whole = grad.first().map_or(0.0, |grad| grad.wide()) * of.share;
            let rows = out.par_chunks_mut(choices.max(1)).zip(scores.par_chunks(choices.max(1)));
            rows.enumerate().for_each(|(row, (out, scores))| {
                let weight = f64::from(of.rows.weights[row]) * whole;
                if of.rows.weights[row] == 0.0 {
                    return;
                }
                let (_, sum) = of.weigh::<T>(row, scores, out);
                T::scale(out, T::of(weight) / sum);
                out[of.rows.targets[row] as usize] += T::of(-weight);
            });
            stored(out)
        });
        Ok((out, l1.shape().clone()))
    }
}
