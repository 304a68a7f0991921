//! Attention among rows of items of different lengths, one item behind the other.
//!
//! In: queries `(rows, channels)`, keys and values `(others, 2 * channels)` beside each other, and where each item
//! ends among both. Out: `(rows, channels)`: for each query what [`super::cross_attention`] gives it among the keys of
//! its own item, 0 where there are none. Afterwards nothing was reckoned for padding, because there is none.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::attention::{Attend, Keys, Part, Rows, Scratch, Sizes, lay};
use super::{Real, floats, stored, tracked};

/// Items, one behind the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Segments {
    /// Where the queries of each item end; they begin where those of the one before end.
    pub queries: Vec<u32>,
    /// Where its keys end, likewise.
    pub keys: Vec<u32>,
    /// Whether a query sees only keys that are not behind it; the last one of an item is level with its last key.
    pub causal: bool,
}

impl Segments {
    /// Items whose queries and keys are the same rows.
    pub fn own(ends: impl Into<Vec<u32>>, causal: bool) -> Segments {
        let ends = ends.into();
        Segments {
            queries: ends.clone(),
            keys: ends,
            causal,
        }
    }
}

/// Attention, as the module says.
///
/// # Errors
///
/// When the channels are not those of so many heads, or the items do not fit the rows.
pub fn ragged_attention(
    q: &Tensor,
    kv: &Tensor,
    heads: usize,
    segments: impl Into<Arc<Segments>>,
) -> Result<Tensor> {
    let segments: Arc<Segments> = segments.into();
    let keys = Keys {
        causal: segments.causal,
        lengths: None,
    };
    let op = Ragged {
        attend: Attend { heads, keys },
        segments,
    };
    q.contiguous()?.apply_op2(&kv.contiguous()?, op)
}

#[derive(Clone)]
struct Ragged {
    attend: Attend,
    segments: Arc<Segments>,
}

impl Ragged {
    /// Channels, and the sizes of all items.
    fn sizes(&self, q: &Layout, kv: &Layout) -> Result<(usize, Vec<Sizes>)> {
        let (rows, channels) = q.shape().dims2()?;
        let (others, two) = kv.shape().dims2()?;
        let Segments { queries, keys, .. } = &*self.segments;
        let fits = |ends: &[u32], rows: usize| {
            ends.is_sorted() && ends.last().map_or(0, |end| *end as usize) == rows
        };
        if two != 2 * channels
            || queries.len() != keys.len()
            || !fits(queries, rows)
            || !fits(keys, others)
        {
            bail!(
                "attention: {:?} to {:?} in {} items of queries and {} of keys",
                q.dims(),
                kv.dims(),
                queries.len(),
                keys.len()
            );
        }
        let mut from = (0, 0);
        let mut sizes = Vec::with_capacity(keys.len());
        for (query, key) in queries.iter().zip(keys) {
            let count = |end: u32, from: u32| (end - from) as usize;
            let (queries, keys) = (count(*query, from.0), count(*key, from.1));
            sizes.push(self.attend.sizes(1, queries, keys, channels)?);
            from = (*query, *key);
        }
        Ok((channels, sizes))
    }
}

/// The parts of items, each so many elements long.
fn cut<T>(mut all: &[T], lengths: impl Iterator<Item = usize>) -> Vec<&[T]> {
    let part = |length| {
        let (part, others) = all.split_at(length);
        all = others;
        part
    };
    lengths.map(part).collect()
}

/// [`cut`], to be written to.
fn cut_mut<T>(mut all: &mut [T], lengths: impl Iterator<Item = usize>) -> Vec<&mut [T]> {
    let part = |length| {
        let (part, others) = std::mem::take(&mut all).split_at_mut(length);
        all = others;
        part
    };
    lengths.map(part).collect()
}

impl CustomOp2 for Ragged {
    fn name(&self) -> &'static str {
        "ragged-attention"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (c, sizes) = self.sizes(l1, l2)?;
        let narrow = || sizes.iter().map(|s| s.queries * c);
        let wide = || sizes.iter().map(|s| s.keys * 2 * c);
        let out = floats!("ragged-attention", [s1 @ l1 => q, s2 @ l2 => kv], T => {
            let mut out = vec![T::ZERO; q.len()];
            let items = cut_mut(&mut out, narrow()).into_par_iter();
            let items = items.zip(cut(q, narrow())).zip(cut(kv, wide())).zip(&sizes);
            items.try_for_each_init(Vec::new, |scratch, (((out, q), kv), s)| {
                if s.keys == 0 {
                    return Ok(());
                }
                let rows = Rows::other(q, kv, c);
                self.attend.forward::<T>(*s, 0, rows, scratch, out)
            })?;
            stored(out)
        });
        Ok((out, l1.shape().clone()))
    }

    fn bwd(
        &self,
        q: &Tensor,
        kv: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        // Both gradients come from the same scores, so they are one result, cut in two.
        let both = q.apply_op3_no_bwd(kv, &grad.contiguous()?, &Back(self.clone()))?;
        let (first, last) = (q.elem_count(), kv.elem_count());
        let dq = both.narrow(0, 0, first)?.reshape(q.shape())?;
        let dkv = both.narrow(0, first, last)?.reshape(kv.shape())?;
        Ok((tracked(q).then_some(dq), tracked(kv).then_some(dkv)))
    }
}

struct Back(Ragged);

impl CustomOp3 for Back {
    fn name(&self) -> &'static str {
        "ragged-attention-back"
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
        let Back(of) = self;
        let (c, sizes) = of.sizes(l1, l2)?;
        let narrow = || sizes.iter().map(|s| s.queries * c);
        let wide = || sizes.iter().map(|s| s.keys * 2 * c);
        let name = "ragged-attention-back";
        let out = floats!(name, [s1 @ l1 => q, s2 @ l2 => kv, s3 @ l3 => grad], T => {
            let mut out = vec![T::ZERO; q.len() + kv.len()];
            let (dq, dkv) = out.split_at_mut(q.len());
            let items = cut_mut(dq, narrow()).into_par_iter().zip(cut_mut(dkv, wide()));
            let items = items.zip(cut(q, narrow())).zip(cut(kv, wide()));
            let items = items.zip(cut(grad, narrow())).zip(&sizes);
            items.try_for_each_init(Scratch::default, |scratch, item| {
                let (((((dq, dkv), q), kv), grad), s) = item;
                if s.queries == 0 || s.keys == 0 {
                    return Ok(());
                }
                let rows = Rows::other(q, kv, c);
                of.attend.backward::<T>(*s, 0, rows, grad, scratch, |part, column, rows| {
                    match part {
                        Part::Query => lay(dq, c, column, s.head, rows),
                        Part::Key => lay(dkv, 2 * c, column, s.head, rows),
                        Part::Value => lay(dkv, 2 * c, c + column, s.head, rows),
                    }
                })
            })?;
            stored(out)
        });
        Ok((
            out,
            (l1.shape().elem_count() + l2.shape().elem_count()).into(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::super::cross_attention;
    use super::super::testing::{hold, off, random};
    use super::*;

    fn segments(queries: &[u32], keys: &[u32], causal: bool) -> Segments {
        Segments {
            queries: queries.to_vec(),
            keys: keys.to_vec(),
            causal,
        }
    }

    #[test]
    fn gradients_are_those_of_differences() {
        for (queries, keys, causal) in [
            (&[3, 3, 10][..], &[4, 6, 7][..], false),
            (&[2, 5, 9], &[2, 5, 9], true),
            (&[1, 2], &[3, 3], false),
            // More than a block of queries.
            (&[70, 73], &[5, 9], false),
        ] {
            let count = |ends: &[u32]| *ends.last().unwrap() as usize;
            let args = [
                random(1, &[count(queries), 6]),
                random(2, &[count(keys), 12]),
            ];
            let of = segments(queries, keys, causal);
            hold(&args, |a| ragged_attention(&a[0], &a[1], 2, of.clone()));
        }
    }

    #[test]
    fn an_item_sees_itself_alone() {
        let (q, kv) = (random(3, &[5, 4]), random(4, &[7, 8]));
        let all = ragged_attention(&q, &kv, 2, segments(&[2, 5], &[4, 7], false)).unwrap();
        for (from, count, first, keys) in [(0, 2, 0, 4), (2, 3, 4, 3)] {
            let part = |t: &Tensor, from, count| t.narrow(0, from, count).unwrap();
            let own = part(&q, from, count).unsqueeze(0).unwrap();
            let others = part(&kv, first, keys).unsqueeze(0).unwrap();
            let alone = cross_attention(&own, &others, 2, Keys::all()).unwrap();
            let alone = alone.squeeze(0).unwrap();
            assert!(off(&part(&all, from, count), &alone) < 1e-12);
        }
    }

    #[test]
    fn items_that_do_not_fit_are_refused() {
        let (q, kv) = (random(5, &[5, 4]), random(6, &[7, 8]));
        for of in [
            segments(&[2, 4], &[4, 7], false),
            segments(&[2, 5], &[4, 8], false),
            segments(&[5], &[4, 7], false),
            segments(&[6, 5], &[4, 7], false),
            segments(&[5], &[7], false),
        ] {
            let heads = if of.queries == [5] && of.keys == [7] {
                3
            } else {
                2
            };
            assert!(ragged_attention(&q, &kv, heads, of).is_err());
        }
        assert!(ragged_attention(&q, &kv, 2, segments(&[3, 5], &[2, 7], true)).is_err());
    }
}
