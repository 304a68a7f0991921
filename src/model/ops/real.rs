//! The two element types, and the loops that need vector instructions.
//!
//! In: slices. Out: slices. Afterwards `f32` loops have vector instructions of the processor at hand
//! (`multiversion`) and no fused multiply-adds, so they give the same bits with every one of them;
//! `f64`, which is for tests and for checking gradients, goes by `libm`, one element after another.
//!
//! The `f32` exponential and error function are polynomials without branches. Their relative and
//! absolute errors are below 2e-7 and 5e-7, which tests hold against `libm`.

use candle_core::WithDType;
use multiversion::multiversion;

/// Lanes of a sum; what is added to what does not depend on the processor.
const LANES: usize = 16;

/// An element type of operators.
pub(crate) trait Real:
    WithDType
    + Copy
    + Send
    + Sync
    + Default
    + std::ops::Neg<Output = Self>
    + std::ops::AddAssign
    + std::ops::MulAssign
{
    const ZERO: Self;
    const ONE: Self;
    const LOWEST: Self;

    fn of(value: f64) -> Self;
    fn wide(self) -> f64;
    fn sqrt(self) -> Self;
    /// The natural logarithm, by `libm`.
    fn log_e(self) -> Self;

    /// The sum, in a fixed order.
    fn sum(row: &[Self]) -> Self;
    /// The sum of products, in a fixed order.
    fn dot(a: &[Self], b: &[Self]) -> Self;
    /// The greatest, `LOWEST` of none. Numbers that are none are passed over.
    fn greatest(row: &[Self]) -> Self;
    /// Each element becomes `exp(element - shift)`; gives their sum.
    fn exp_sum(row: &mut [Self], shift: Self) -> Self;
    /// `out += factor * row`.
    fn add_scaled(out: &mut [Self], row: &[Self], factor: Self);
    /// `out *= factor`.
    fn scale(out: &mut [Self], factor: Self);
    /// The Gaussian error linear unit, `x (1 + erf(x / sqrt 2)) / 2`.
    fn gelu(x: &[Self], out: &mut [Self]);
    /// Its derivative times `grad`.
    fn gelu_back(x: &[Self], grad: &[Self], out: &mut [Self]);
}

impl Real for f32 {
    const ZERO: f32 = 0.0;
    const ONE: f32 = 1.0;
    const LOWEST: f32 = f32::NEG_INFINITY;

    fn of(value: f64) -> f32 {
        value as f32
    }
    fn wide(self) -> f64 {
        f64::from(self)
    }
    fn sqrt(self) -> f32 {
        f32::sqrt(self)
    }
    fn log_e(self) -> f32 {
        libm::logf(self)
    }
    fn sum(row: &[f32]) -> f32 {
        sum(row)
    }
    fn dot(a: &[f32], b: &[f32]) -> f32 {
        dot(a, b)
    }
    fn greatest(row: &[f32]) -> f32 {
        max(row)
    }
    fn exp_sum(row: &mut [f32], shift: f32) -> f32 {
        exp_all(row, shift);
        sum(row)
    }
    fn add_scaled(out: &mut [f32], row: &[f32], factor: f32) {
        add_scaled(out, row, factor);
    }
    fn scale(out: &mut [f32], factor: f32) {
        for value in out {
            *value *= factor;
        }
    }
    fn gelu(x: &[f32], out: &mut [f32]) {
        gelu(x, out);
    }
    fn gelu_back(x: &[f32], grad: &[f32], out: &mut [f32]) {
        gelu_back(x, grad, out);
    }
}

impl Real for f64 {
    const ZERO: f64 = 0.0;
    const ONE: f64 = 1.0;
    const LOWEST: f64 = f64::NEG_INFINITY;

    fn of(value: f64) -> f64 {
        value
    }
    fn wide(self) -> f64 {
        self
    }
    fn sqrt(self) -> f64 {
        f64::sqrt(self)
    }
    fn log_e(self) -> f64 {
        libm::log(self)
    }
    fn sum(row: &[f64]) -> f64 {
        row.iter().sum()
    }
    fn dot(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }
    fn greatest(row: &[f64]) -> f64 {
        row.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }
    fn exp_sum(row: &mut [f64], shift: f64) -> f64 {
        for value in &mut *row {
            *value = libm::exp(*value - shift);
        }
        row.iter().sum()
    }
    fn add_scaled(out: &mut [f64], row: &[f64], factor: f64) {
        for (out, value) in out.iter_mut().zip(row) {
            *out += factor * value;
        }
    }
    fn scale(out: &mut [f64], factor: f64) {
        for value in out {
            *value *= factor;
        }
    }
    fn gelu(x: &[f64], out: &mut [f64]) {
        for (out, x) in out.iter_mut().zip(x) {
            *out = x * 0.5 * (1.0 + libm::erf(x * std::f64::consts::FRAC_1_SQRT_2));
        }
    }
    fn gelu_back(x: &[f64], grad: &[f64], out: &mut [f64]) {
        let root = 0.5 * std::f64::consts::FRAC_2_SQRT_PI * std::f64::consts::FRAC_1_SQRT_2;
        for ((out, x), grad) in out.iter_mut().zip(x).zip(grad) {
            let below = 0.5 * (1.0 + libm::erf(x * std::f64::consts::FRAC_1_SQRT_2));
            *out = grad * (below + x * root * libm::exp(-0.5 * x * x));
        }
    }
}

/// e to the `x`, by a polynomial on half an octave; 0 below -87, finite above 88.
#[inline(always)]
fn exp(x: f32) -> f32 {
    // Adding and taking away 1.5 * 2^23 rounds to a whole number.
    const ROUND: f32 = 12_582_912.0;
    let held = x.clamp(-87.3, 88.3);
    let whole = (held * std::f32::consts::LOG2_E + ROUND) - ROUND;
    // ln 2 in two parts, so that the remainder keeps its bits.
    let rest = held - whole * 0.693_359_4 + whole * 2.121_944_4e-4;
    let mut value = 1.987_569_1e-4;
    value = value * rest + 1.398_2e-3;
    value = value * rest + 8.333_452e-3;
    value = value * rest + 4.166_579_6e-2;
    value = value * rest + 1.666_666_5e-1;
    value = value * rest + 0.5;
    value = value * rest * rest + rest + 1.0;
    let power = f32::from_bits(((whole as i32 + 127) << 23) as u32);
    if x < -87.3 { 0.0 } else { value * power }
}

/// The error function (Abramowitz and Stegun 7.1.26), given `exp(-x^2)`.
#[inline(always)]
fn erf(x: f32, gauss: f32) -> f32 {
    let t = 1.0 / (1.0 + 0.327_591_1 * x.abs());
    let mut tail = 1.061_405_4;
    tail = tail * t - 1.453_152;
    tail = tail * t + 1.421_413_8;
    tail = tail * t - 0.284_496_74;
    tail = tail * t + 0.254_829_6;
    (1.0 - tail * t * gauss).copysign(x)
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw+avx512dq", "x86_64+avx2"))]
fn sum(row: &[f32]) -> f32 {
    let mut lanes = [0f32; LANES];
    let chunks = row.chunks_exact(LANES);
    let rest: f32 = chunks.remainder().iter().sum();
    for chunk in chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += value;
        }
    }
    lanes.iter().sum::<f32>() + rest
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw+avx512dq", "x86_64+avx2"))]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0f32; LANES];
    let (left, right) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let ends = left.remainder().iter().zip(right.remainder());
    let rest: f32 = ends.map(|(a, b)| a * b).sum();
    for (a, b) in left.zip(right) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    lanes.iter().sum::<f32>() + rest
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw+avx512dq", "x86_64+avx2"))]
fn max(row: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let chunks = row.chunks_exact(LANES);
    let mut most = f32::NEG_INFINITY;
    for value in chunks.remainder() {
        most = if *value > most { *value } else { most };
    }
    for chunk in chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane = if *value > *lane { *value } else { *lane };
        }
    }
    lanes.iter().fold(most, |most, lane| most.max(*lane))
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw+avx512dq", "x86_64+avx2"))]
fn exp_all(row: &mut [f32], shift: f32) {
    for value in row {
        *value = exp(*value - shift);
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw+avx512dq", "x86_64+avx2"))]
fn add_scaled(out: &mut [f32], row: &[f32], factor: f32) {
    for (out, value) in out.iter_mut().zip(row) {
        *out += factor * value;
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw+avx512dq", "x86_64+avx2"))]
fn gelu(x: &[f32], out: &mut [f32]) {
    for (out, x) in out.iter_mut().zip(x) {
        let x = *x;
        let below = erf(x * std::f32::consts::FRAC_1_SQRT_2, exp(-0.5 * x * x));
        *out = 0.5 * x * (1.0 + below);
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw+avx512dq", "x86_64+avx2"))]
fn gelu_back(x: &[f32], grad: &[f32], out: &mut [f32]) {
    for ((out, x), grad) in out.iter_mut().zip(x).zip(grad) {
        let x = *x;
        let gauss = exp(-0.5 * x * x);
        let below = erf(x * std::f32::consts::FRAC_1_SQRT_2, gauss);
        // 1 / sqrt(2 pi).
        *out = grad * (0.5 * (1.0 + below) + 0.398_942_3 * x * gauss);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_near_libm() {
        let mut worst = 0f64;
        for i in -87_000..88_000 {
            let x = i as f32 / 1000.0 + 1.0e-4;
            let true_value = libm::exp(f64::from(x));
            worst = worst.max((f64::from(exp(x)) - true_value).abs() / true_value);
        }
        assert!(worst < 2.0e-7, "{worst}");
        assert_eq!(exp(-200.0), 0.0);
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert!(exp(1000.0).is_finite() && exp(f32::NAN).is_nan());
    }

    #[test]
    fn the_unit_and_its_derivative_are_near_libm() {
        let x: Vec<f32> = (-8000..8000).map(|i| i as f32 / 1000.0).collect();
        let wide: Vec<f64> = x.iter().map(|x| f64::from(*x)).collect();
        let (mut out, mut slope) = (x.clone(), x.clone());
        let (mut true_out, mut true_slope) = (wide.clone(), wide.clone());
        f32::gelu(&x, &mut out);
        f32::gelu_back(&x, &vec![1.0; x.len()], &mut slope);
        f64::gelu(&wide, &mut true_out);
        f64::gelu_back(&wide, &vec![1.0; x.len()], &mut true_slope);
        for i in 0..x.len() {
            assert!((f64::from(out[i]) - true_out[i]).abs() < 2.0e-6, "{}", x[i]);
            assert!((f64::from(slope[i]) - true_slope[i]).abs() < 1.0e-6);
        }
    }

    #[test]
    fn sums_are_sums() {
        for length in [0, 1, 15, 16, 17, 100] {
            let row: Vec<f32> = (0..length).map(|i| i as f32).collect();
            let sum_of: f32 = row.iter().sum();
            let squares: f32 = row.iter().map(|v| v * v).sum();
            assert_eq!(f32::sum(&row), sum_of);
            assert_eq!(f32::dot(&row, &row), squares);
            let most = if length == 0 {
                f32::NEG_INFINITY
            } else {
                length as f32 - 1.0
            };
            assert_eq!(max(&row), most);
        }
        assert_eq!(max(&[f32::NAN, 1.0]), 1.0);
    }
}
