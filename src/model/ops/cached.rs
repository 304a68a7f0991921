//! Attention to keys and values that were reckoned before.
//!
//! In: queries, rows of keys and values, and which of these rows each query sees. Out: for each query what
//! [`super::self_attention`] gives it among these rows. Afterwards no row was moved or copied: sequences that have
//! their beginning in common share its rows. There is no way back through it: it is for decoding.

use std::ops::Range;

use candle_core::{Result, bail};
use rayon::prelude::*;

use super::Real;

/// The rows of keys and values that a query sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight<'a> {
    /// Rows one behind the other.
    pub first: Range<usize>,
    /// Rows anywhere.
    pub others: &'a [u32],
}

impl Sight<'_> {
    fn rows(&self) -> impl Iterator<Item = usize> {
        let others = self.others.iter().map(|row| *row as usize);
        self.first.clone().chain(others)
    }
}

/// Attention of `(queries, channels)` to some of the rows of `(rows, 2 * channels)`, keys and values one after the
/// other; gives the shape of the queries, 0 where a query sees nothing.
///
/// # Errors
///
/// When the channels are not those of so many heads, or a row is not there.
pub fn cached_attention(
    q: &[f32],
    kv: &[f32],
    channels: usize,
    heads: usize,
    sights: &[Sight<'_>],
) -> Result<Vec<f32>> {
    if heads == 0 || channels == 0 || !channels.is_multiple_of(heads) {
        bail!("attention: {channels} channels in {heads} heads");
    }
    let rows = kv.len() / (2 * channels);
    let there = |sight: &Sight<'_>| {
        sight.first.end <= rows && sight.others.iter().all(|row| (*row as usize) < rows)
    };
    if q.len() != sights.len() * channels || !sights.iter().all(there) {
        bail!(
            "attention: {} queries of {channels} channels to some of {rows} rows, but {} numbers",
            sights.len(),
            q.len()
        );
    }
    let head = channels / heads;
    let scale = 1.0 / (head as f32).sqrt();
    let mut out = vec![0.0; q.len()];
    let queries = out.par_chunks_mut(channels).zip(q.par_chunks(channels));
    let queries = queries.zip(sights);
    queries.for_each_init(Vec::new, |weights: &mut Vec<f32>, ((out, q), sight)| {
        let seen = sight.first.len() + sight.others.len();
        weights.clear();
        weights.resize(heads * seen, 0.0);
        for (at, row) in sight.rows().enumerate() {
            let keys = kv[row * 2 * channels..][..channels].chunks_exact(head);
            for (number, (q, k)) in q.chunks_exact(head).zip(keys).enumerate() {
                weights[number * seen + at] = f32::dot(q, k);
            }
        }
        for own in weights.chunks_exact_mut(seen.max(1)) {
            f32::scale(own, scale);
            let sum = f32::exp_sum(own, f32::greatest(own));
            f32::scale(own, 1.0 / sum);
        }
        for (at, row) in sight.rows().enumerate() {
            let values = kv[row * 2 * channels + channels..][..channels].chunks_exact(head);
            for (number, (out, v)) in out.chunks_exact_mut(head).zip(values).enumerate() {
                f32::add_scaled(out, v, weights[number * seen + at]);
            }
        }
    });
    Ok(out)
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Tensor};

    use super::super::testing::random;
    use super::super::{Keys, on_threads, self_attention};
    use super::*;

    fn numbers(t: &Tensor) -> Vec<f32> {
        let t = t.to_dtype(DType::F32).unwrap();
        t.flatten_all().unwrap().to_vec1().unwrap()
    }

    /// The last row of a sequence sees all of it, wherever the rows are.
    #[test]
    fn it_is_self_attention_row_by_row() {
        let (length, channels, heads) = (7, 6, 2);
        let qkv = random(1, &[1, length, 3 * channels]);
        let qkv = qkv.to_dtype(DType::F32).unwrap();
        let wanted = self_attention(&qkv, heads, Keys::causal()).unwrap();
        let rows: Vec<f32> = numbers(&qkv);
        let rows = rows.chunks_exact(3 * channels);
        let q: Vec<f32> = rows
            .clone()
            .flat_map(|row| &row[..channels])
            .copied()
            .collect();
        // The last rows stand before the first ones, the other way round.
        let of = |at: usize| if at < 4 { at + 3 } else { 6 - at };
        let mut kv = vec![0.0; length * 2 * channels];
        for (at, row) in rows.enumerate() {
            kv[of(at) * 2 * channels..][..2 * channels].copy_from_slice(&row[channels..]);
        }
        let others: Vec<u32> = (4..length).map(|at| of(at) as u32).collect();
        let sights: Vec<Sight<'_>> = (0..length)
            .map(|at| Sight {
                first: 3..3 + (at + 1).min(4),
                others: &others[..(at + 1).saturating_sub(4)],
            })
            .collect();
        let reckon = || cached_attention(&q, &kv, channels, heads, &sights).unwrap();
        let own = reckon();
        for (own, wanted) in own.iter().zip(numbers(&wanted)) {
            assert!((own - wanted).abs() < 1e-5, "{own} {wanted}");
        }
        for threads in [1, 2, 5] {
            assert_eq!(on_threads(threads, reckon).unwrap(), own);
        }
        let nothing = Sight {
            first: 2..2,
            others: &[],
        };
        let own = cached_attention(&q[..channels], &kv, channels, heads, &[nothing]).unwrap();
        assert_eq!(own, vec![0.0; channels]);
    }

    #[test]
    fn rows_that_are_not_there_are_refused() {
        let (q, kv) = ([0.0; 4], [0.0; 16]);
        let of = |first, others| [Sight { first, others }];
        assert!(cached_attention(&q, &kv, 4, 2, &of(0..2, &[1])).is_ok());
        assert!(cached_attention(&q, &kv, 4, 2, &of(0..3, &[])).is_err());
        assert!(cached_attention(&q, &kv, 4, 2, &of(0..1, &[2])).is_err());
        assert!(cached_attention(&q, &kv, 4, 3, &of(0..1, &[])).is_err());
        assert!(cached_attention(&q, &kv, 4, 2, &[]).is_err());
    }
}
