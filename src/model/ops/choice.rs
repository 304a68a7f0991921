//! Cross-entropy of softmaxes over sets of options of different sizes, of which several may be right.
//!
//! In: the scores of all options, set after set, and [`Options`]. Out: one number, the weighted mean of the
//! negative logarithms of the right options' probabilities. Afterwards a set without a right option costs
//! nothing and gets no gradient. What adds the same to all options of a set has no gradient either, so a
//! score needs no bias of its own.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::{Real, floats, stored};

/// Sets of options, one after the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// Where each set ends; it begins where the one before ends.
    pub ends: Vec<u32>,
    /// How much each option should be chosen, not below 0; 0 where it is wrong.
    pub weights: Vec<f32>,
}

/// The weighted mean over options of all sets; 0 when all weights are.
///
/// # Errors
///
/// When `options` does not fit the scores, which are of one dimension; when a weight is negative or not
/// finite.
pub fn choice(scores: &Tensor, options: impl Into<Arc<Options>>) -> Result<Tensor> {
    let options = options.into();
    let n = scores.dims1()?;
    let last = options.ends.last().map_or(0, |end| *end as usize);
    if last != n || options.weights.len() != n || !options.ends.is_sorted() {
        bail!(
            "choice among {n} scores: sets end at {last}, {} weights",
            options.weights.len()
        );
    }
    let bad = |weight: &&f32| !(**weight >= 0.0 && weight.is_finite());
    if let Some(weight) = options.weights.iter().find(bad) {
        bail!("choice: an option has weight {weight}");
    }
    let total: f64 = options.weights.iter().copied().map(f64::from).sum();
    let share = if total > 0.0 { 1.0 / total } else { 0.0 };
    scores.contiguous()?.apply_op1(Choice { options, share })
}

#[derive(Clone)]
struct Choice {
    options: Arc<Options>,
    share: f64,
}

impl Choice {
    /// Cuts what is one an option into sets.
    fn sets<'a, T>(&'a self, mut all: &'a [T]) -> Vec<&'a [T]> {
        let mut from = 0;
        let mut cut = |end: &u32| {
            let (set, others) = all.split_at(*end as usize - from);
            (from, all) = (*end as usize, others);
            set
        };
        self.options.ends.iter().map(&mut cut).collect()
    }
}

/// The sum of a set's weights.
fn total(weights: &[f32]) -> f64 {
    weights.iter().copied().map(f64::from).sum()
}

impl CustomOp1 for Choice {
    fn name(&self) -> &'static str {
        "choice"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let out = floats!("choice", [storage @ layout => scores], T => {
            let sets = self.sets(scores).into_par_iter();
            let losses: Vec<f64> = sets
                .zip(self.sets(&self.options.weights))
                .map_init(Vec::new, |scratch: &mut Vec<T>, (scores, weights)| {
                    let whole = total(weights);
                    if whole == 0.0 {
                        return 0.0;
                    }
                    scratch.clear();
                    scratch.extend_from_slice(scores);
                    let most = T::greatest(scores);
                    let log = (most + T::log_e(T::exp_sum(scratch, most))).wide();
                    let right = scores.iter().zip(weights).filter(|(_, weight)| **weight > 0.0);
                    let right = right.map(|(score, weight)| score.wide() * f64::from(*weight));
                    log * whole - right.sum::<f64>()
                })
                .collect();
            stored(vec![T::of(losses.iter().sum::<f64>() * self.share)])
        });
        Ok((out, Shape::from(())))
    }

    fn bwd(&self, scores: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let back = Back(self.clone());
        scores
            .apply_op2_no_bwd(&grad.contiguous()?, &back)
            .map(Some)
    }
}

struct Back(Choice);

impl CustomOp2 for Back {
    fn name(&self) -> &'static str {
        "choice-back"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let Back(of) = self;
        let name = "choice-back";
        let out = floats!(name, [s1 @ l1 => scores, s2 @ l2 => grad], T => {
            let mut out = scores.to_vec();
            let share = grad.first().map_or(0.0, |grad| grad.wide()) * of.share;
            let mut left = &mut out[..];
            for weights in of.sets(&of.options.weights) {
                let (set, others) = left.split_at_mut(weights.len());
                left = others;
                let whole = total(weights);
                if whole == 0.0 {
                    set.fill(T::ZERO);
                    continue;
                }
                let most = T::greatest(set);
                let sum = T::exp_sum(set, most);
                T::scale(set, T::of(whole * share) / sum);
                for (out, weight) in set.iter_mut().zip(weights) {
                    *out += T::of(-f64::from(*weight) * share);
                }
            }
            stored(out)
        });
        Ok((out, l1.shape().clone()))
    }
}
