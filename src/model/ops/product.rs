//! Matrix products: the one place that calls `gemm`.
//!
//! In: matrices as slices with strides. Out: a row-major matrix, written or added to. Afterwards an
//! element is the same for every number of threads, because `gemm` cuts rows and columns among
//! threads and never the sum.

// `gemm` takes pointers. Every call goes through `product`, which checks all it reads and writes.
#![allow(unsafe_code)]

use std::any::TypeId;

use candle_core::{Result, bail};

use super::Real;

/// A matrix somewhere in a slice.
#[derive(Clone, Copy)]
pub(super) struct Mat<'a, T> {
    data: &'a [T],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a, T> Mat<'a, T> {
    /// Row-major, rows next to each other.
    pub(super) fn new(data: &'a [T], rows: usize, cols: usize) -> Mat<'a, T> {
        Mat::strided(data, rows, cols, cols)
    }

    /// Row-major, rows this far apart.
    pub(super) fn strided(data: &'a [T], rows: usize, cols: usize, stride: usize) -> Mat<'a, T> {
        Mat {
            data,
            rows,
            cols,
            row_stride: stride,
            col_stride: 1,
        }
    }

    /// The transpose, nothing moved.
    pub(super) fn t(self) -> Mat<'a, T> {
        Mat {
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
            ..self
        }
    }

    fn is_inside(&self) -> bool {
        self.rows == 0
            || self.cols == 0
            || (self.rows - 1) * self.row_stride + (self.cols - 1) * self.col_stride
                < self.data.len()
    }
}

/// Whether a product may use all threads, or only the one it is called on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Threads {
    /// The pool that is current.
    All,
    /// This one: the caller has cut the work already.
    One,
}

/// `out = a b`, or `out += a b` with `add`; `out` is row-major with rows `stride` apart.
///
/// # Errors
///
/// When shapes do not fit, or a matrix reaches past its slice.
pub(super) fn product<T: Real>(
    out: &mut [T],
    stride: usize,
    a: Mat<'_, T>,
    b: Mat<'_, T>,
    add: bool,
    threads: Threads,
) -> Result<()> {
    let (m, n, k) = (a.rows, b.cols, a.cols);
    if b.rows != k {
        bail!("product of {m} x {k} and {} x {n}", b.rows);
    }
    if m == 0 || n == 0 {
        return Ok(());
    }
    if stride < n || (m - 1) * stride + n > out.len() || !a.is_inside() || !b.is_inside() {
        bail!("product of {m} x {k} and {k} x {n}: a matrix reaches past its data");
    }
    // `gemm` looks at the type by its id and has kernels for these two alone.
    if TypeId::of::<T>() != TypeId::of::<f32>() && TypeId::of::<T>() != TypeId::of::<f64>() {
        bail!("products are of f32 or f64");
    }
    let parallelism = match threads {
        Threads::All => gemm::Parallelism::Rayon(0),
        Threads::One => gemm::Parallelism::None,
    };
    // SAFETY: with k == 0 nothing of `a` and `b` is read. Otherwise the greatest index read of `a`
    // and `b`, and written of `out`, has been compared with the length of its slice above; strides are
    // not negative. `out` is borrowed mutably, so it overlaps neither. The element type is one
    // that `gemm` knows.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            stride as isize,
            add,
            a.data.as_ptr(),
            a.col_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.col_stride as isize,
            b.row_stride as isize,
            if add { T::ONE } else { T::ZERO },
            T::ONE,
            false,
            false,
            false,
            parallelism,
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(a: Mat<'_, f64>, b: Mat<'_, f64>) -> Vec<f64> {
        let mut out = vec![0.0; a.rows * b.cols];
        for i in 0..a.rows {
            for j in 0..b.cols {
                for l in 0..a.cols {
                    out[i * b.cols + j] += a.data[i * a.row_stride + l * a.col_stride]
                        * b.data[l * b.row_stride + j * b.col_stride];
                }
            }
        }
        out
    }

    #[test]
    fn products_are_products() {
        let data: Vec<f64> = (0..4000).map(|i| f64::from(i * 7 % 23) - 11.0).collect();
        for (m, k, n) in [
            (1, 1, 1),
            (3, 5, 2),
            (17, 33, 40),
            (1, 50, 9),
            (8, 0, 8),
            (40, 2, 1),
        ] {
            let a = Mat::new(&data, m, k);
            let b = Mat::strided(&data[7..], n, k, k + 3).t();
            let want = naive(a, b);
            for add in [false, true] {
                let mut out = vec![1.0; m * n];
                product(&mut out, n, a, b, add, Threads::All).unwrap();
                for (got, want) in out.iter().zip(&want) {
                    let want = want + f64::from(u8::from(add));
                    assert!((got - want).abs() < 1e-9, "{m} {k} {n} {add}: {got} {want}");
                }
            }
        }
    }

    #[test]
    fn what_reaches_past_its_data_is_refused() {
        let data = [0f32; 12];
        let fits = Mat::new(&data, 3, 4);
        let mut out = [0f32; 9];
        assert!(product(&mut out, 3, fits, fits.t(), false, Threads::One).is_ok());
        assert!(product(&mut out, 3, fits, fits, false, Threads::One).is_err());
        assert!(product(&mut out[..8], 3, fits, fits.t(), false, Threads::One).is_err());
        assert!(product(&mut out, 2, fits, fits.t(), false, Threads::One).is_err());
        let over = Mat::strided(&data, 3, 4, 5);
        assert!(product(&mut out, 3, over, fits.t(), false, Threads::One).is_err());
    }

    #[test]
    fn threads_change_no_bit() {
        let data: Vec<f32> = (0..300_000)
            .map(|i| (i % 977) as f32 * 0.37 - 180.0)
            .collect();
        let of = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let mut out = vec![0f32; 300 * 300];
            let (a, b) = (Mat::new(&data, 300, 1000), Mat::new(&data, 1000, 300));
            let run = || product(&mut out, 300, a, b, false, Threads::All);
            pool.build().unwrap().install(run).unwrap();
            out
        };
        let one = of(1);
        assert!([2, 3, 8].into_iter().all(|threads| of(threads) == one));
    }
}
