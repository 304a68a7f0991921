//! Adam over one flat buffer of gradients.
//!
//! In: variables, their gradients one after another in a buffer. Out: the variables after a step. Afterwards
//! the buffer's norm has been bounded before the moments saw it; a buffer with a number that is none changes
//! nothing. Kingma and Ba 2014 (algorithm 1); with a decay, Loshchilov and Hutter 2019.

use std::cell::RefCell;

use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, InplaceOp1, Layout, Result, Var, bail};
use rayon::prelude::*;

/// Elements that a thread takes at once.
const PIECE: usize = 1 << 15;

/// The settings that stay the same from step to step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamOptions {
    /// How slowly the mean gradient and the mean square forget.
    pub betas: [f64; 2],
    /// What is added to the root of the mean square.
    pub eps: f64,
    /// Share of the rate by which weights shrink each step; 0 is plain Adam.
    pub decay: f64,
    /// Greatest Euclidean norm of all gradients together; larger ones are scaled down to it.
    pub clip: Option<f64>,
}

impl Default for AdamOptions {
    /// PyTorch's Adam, without clipping.
    fn default() -> AdamOptions {
        AdamOptions {
            betas: [0.9, 0.999],
            eps: 1e-8,
            decay: 0.0,
            clip: None,
        }
    }
}

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepReport {
    /// The norm of the gradients as they came.
    pub norm: f64,
    /// Whether it was a number, so that the step was taken.
    pub taken: bool,
}

/// The moments of all variables and the number of steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Adam {
    /// Its settings.
    pub options: AdamOptions,
    /// Steps taken.
    pub steps: u64,
    /// The mean gradient, all variables one after another.
    pub first: Vec<f32>,
    /// The mean square, likewise.
    pub second: Vec<f32>,
}

impl Adam {
    /// Before the first step, for so many weights.
    pub fn new(weights: usize, options: AdamOptions) -> Adam {
        Adam {
            options,
            steps: 0,
            first: vec![0.0; weights],
            second: vec![0.0; weights],
        }
    }

    /// Takes a step of this rate. `gradients` has all variables' one after another and is scaled in
    /// place when its norm is bounded.
    ///
    /// # Errors
    ///
    /// When the variables are not those the moments are for, or not `f32` on the CPU.
    pub fn step(&mut self, vars: &[Var], gradients: &mut [f32], rate: f64) -> Result<StepReport> {
        let weights: usize = vars.iter().map(|var| var.elem_count()).sum();
        if weights != self.first.len() || weights != gradients.len() {
            bail!(
                "Adam: {weights} weights, {} gradients, {} moments",
                gradients.len(),
                self.first.len()
            );
        }
        let norm = norm(gradients);
        if !norm.is_finite() {
            return Ok(StepReport { norm, taken: false });
        }
        let AdamOptions {
            betas: [b1, b2],
            eps,
            decay,
            clip,
        } = self.options;
        if let Some(most) = clip.filter(|most| norm > *most) {
            let factor = (most / norm) as f32;
            let pieces = gradients.par_chunks_mut(PIECE);
            pieces.for_each(|piece| piece.iter_mut().for_each(|value| *value *= factor));
        }
        self.steps += 1;
        let count = self.steps as f64;
        let (left1, left2) = (1.0 - libm::pow(b1, count), 1.0 - libm::pow(b2, count));
        let rates = Rates {
            b1: b1 as f32,
            b2: b2 as f32,
            step: (rate / left1) as f32,
            root: (1.0 / left2.sqrt()) as f32,
            eps: eps as f32,
            keep: (1.0 - rate * decay) as f32,
        };
        let (mut first, mut second) = (&mut self.first[..], &mut self.second[..]);
        let mut rest = &*gradients;
        for var in vars {
            let count = var.elem_count();
            let (own, after) = rest.split_at(count);
            let (one, first_after) = std::mem::take(&mut first).split_at_mut(count);
            let (two, second_after) = std::mem::take(&mut second).split_at_mut(count);
            (rest, first, second) = (after, first_after, second_after);
            let moments = RefCell::new((one, two));
            var.inplace_op1(&Update {
                rates,
                own,
                moments,
            })?;
        }
        Ok(StepReport { norm, taken: true })
    }
}

#[derive(Clone, Copy)]
struct Rates {
    b1: f32,
    b2: f32,
    step: f32,
    root: f32,
    eps: f32,
    keep: f32,
}

/// A step of one variable.
struct Update<'a> {
    rates: Rates,
    own: &'a [f32],
    moments: RefCell<(&'a mut [f32], &'a mut [f32])>,
}

impl InplaceOp1 for Update<'_> {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let CpuStorage::F32(all) = storage else {
            bail!("Adam: weights are f32");
        };
        let Some((from, to)) = layout.contiguous_offsets() else {
            bail!("Adam: weights that are not contiguous");
        };
        let mut moments = self.moments.borrow_mut();
        let (first, second) = &mut *moments;
        let r = self.rates;
        let pieces = all[from..to]
            .par_chunks_mut(PIECE)
            .zip(self.own.par_chunks(PIECE));
        let pieces = pieces.zip(first.par_chunks_mut(PIECE));
        let pieces = pieces.zip(second.par_chunks_mut(PIECE));
        pieces.for_each(|(((weights, own), first), second)| {
            let each = weights.iter_mut().zip(own).zip(first).zip(second);
            for (((weight, grad), first), second) in each {
                *first = r.b1 * *first + (1.0 - r.b1) * grad;
                *second = r.b2 * *second + (1.0 - r.b2) * grad * grad;
                *weight = r.keep * *weight - r.step * *first / (second.sqrt() * r.root + r.eps);
            }
        });
        Ok(())
    }
}

/// The Euclidean norm, summed in fixed pieces.
fn norm(values: &[f32]) -> f64 {
    let pieces: Vec<f64> = values
        .par_chunks(PIECE)
        .map(|piece| piece.iter().map(|v| f64::from(*v) * f64::from(*v)).sum())
        .collect();
    pieces.iter().sum::<f64>().sqrt()
}

/// Lays the gradients of these variables one after another.
///
/// # Errors
///
/// With the number of the first variable that has none: something cuts the way to it.
pub fn flatten(vars: &[Var], grads: &GradStore, out: &mut Vec<f32>) -> Result<()> {
    out.clear();
    for (number, var) in vars.iter().enumerate() {
        let Some(grad) = grads.get(var) else {
            bail!(
                "variable {number} of shape {:?} has no gradient",
                var.dims()
            );
        };
        let grad = grad.contiguous()?;
        let (storage, layout) = grad.storage_and_layout();
        let candle_core::Storage::Cpu(CpuStorage::F32(all)) = &*storage else {
            bail!("gradients are f32 on the CPU");
        };
        out.extend_from_slice(super::view("flatten", all, layout)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Tensor};

    fn vars() -> Vec<Var> {
        let of =
            |values: &[f32]| Var::from_tensor(&Tensor::new(values, &Device::Cpu).unwrap()).unwrap();
        vec![of(&[1.0, -2.0]), of(&[0.5])]
    }

    #[test]
    fn steps_are_those_of_the_paper() {
        let vars = vars();
        let mut adam = Adam::new(3, AdamOptions::default());
        let mut want = [1.0f64, -2.0, 0.5];
        let (mut m, mut v) = ([0f64; 3], [0f64; 3]);
        for step in 1..=20 {
            let mut gradients = [0.1f32 * step as f32, -0.3, 0.02];
            for i in 0..3 {
                let g = f64::from(gradients[i]);
                m[i] = 0.9 * m[i] + 0.1 * g;
                v[i] = 0.999 * v[i] + 0.001 * g * g;
                let (a, b) = (1.0 - 0.9f64.powi(step), 1.0 - 0.999f64.powi(step));
                want[i] -= 0.01 * (m[i] / a) / ((v[i] / b).sqrt() + 1e-8);
            }
            let report = adam.step(&vars, &mut gradients, 0.01).unwrap();
            assert!(report.taken);
        }
        let mut got = vars[0].to_vec1::<f32>().unwrap();
        got.extend(vars[1].to_vec1::<f32>().unwrap());
        for (got, want) in got.iter().zip(want) {
            assert!((f64::from(*got) - want).abs() < 1e-5, "{got} {want}");
        }
    }

    #[test]
    fn the_norm_is_bounded_and_what_is_no_number_changes_nothing() {
        let vars = vars();
        let options = AdamOptions {
            clip: Some(1.0),
            ..AdamOptions::default()
        };
        let mut adam = Adam::new(3, options);
        let mut gradients = [3.0, 0.0, 4.0];
        let report = adam.step(&vars, &mut gradients, 0.1).unwrap();
        assert_eq!(
            report,
            StepReport {
                norm: 5.0,
                taken: true
            }
        );
        assert!(
            gradients
                .iter()
                .zip([0.6, 0.0, 0.8])
                .all(|(a, b)| (a - b).abs() < 1e-6)
        );
        let (before, weights) = (adam.clone(), vars[0].to_vec1::<f32>().unwrap());
        let report = adam.step(&vars, &mut [1.0, f32::NAN, 0.0], 0.1).unwrap();
        assert!(!report.taken && report.norm.is_nan());
        assert_eq!((adam, vars[0].to_vec1::<f32>().unwrap()), (before, weights));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut adam = Adam::new(2, AdamOptions::default());
        assert!(adam.step(&vars(), &mut [0.0; 3], 0.1).is_err());
    }
}
