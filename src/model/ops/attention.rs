//! Attention that does not keep its scores.
//!
//! In: queries, keys and values, several heads side by side in their channels. Out: for each query the mean
//! of the values, weighted by the softmax of `query . key / sqrt(channels of a head)`. Afterwards no more than
//! a block of scores of a head and a picture has been in memory at once; the backward pass reckons them
//! again.

use std::sync::Arc;

use candle_core::{
    CpuStorage, CustomOp1, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, bail,
};
use rayon::prelude::*;

use super::product::{Mat, Threads, product};
use super::{Real, floats, stored, tracked};

/// Queries whose scores are in memory at once.
const BLOCK: usize = 64;

/// Which keys a query sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// Only keys that are not behind it; the last query is level with the last key.
    pub causal: bool,
    /// For each item of the batch, that many keys from the first; `None`: all. Where there are none,
    /// results are 0.
    pub lengths: Option<Arc<[u32]>>,
}

impl Keys {
    /// All of them.
    pub fn all() -> Keys {
        Keys::default()
    }

    /// Only those not behind the query.
    pub fn causal() -> Keys {
        Keys {
            causal: true,
            lengths: None,
        }
    }

    /// The first of each item; the others are padding.
    pub fn first(lengths: impl Into<Arc<[u32]>>) -> Keys {
        Keys {
            causal: false,
            lengths: Some(lengths.into()),
        }
    }
}

/// A sequence's attention to itself: `(batch, length, 3 * channels)` with queries, keys and values one
/// after the other; gives `(batch, length, channels)`.
///
/// # Errors
///
/// When the channels are not those of so many heads, or lengths do not fit the batch.
pub fn self_attention(qkv: &Tensor, heads: usize, keys: Keys) -> Result<Tensor> {
    qkv.contiguous()?.apply_op1(Own(Attend { heads, keys }))
}

/// Attention of `(batch, queries, channels)` to `(batch, keys, 2 * channels)`, keys and values one after
/// the other; gives the shape of the queries.
///
/// # Errors
///
/// As [`self_attention`].
pub fn cross_attention(q: &Tensor, kv: &Tensor, heads: usize, keys: Keys) -> Result<Tensor> {
    let op = Other(Attend { heads, keys });
    q.contiguous()?.apply_op2(&kv.contiguous()?, op)
}

#[derive(Clone)]
pub(super) struct Attend {
    pub(super) heads: usize,
    pub(super) keys: Keys,
}

/// Sizes, checked to fit.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    batch: usize,
    pub(super) queries: usize,
    pub(super) keys: usize,
    channels: usize,
    pub(super) head: usize,
}

/// Where the rows of queries, keys and values stand in the data of an item.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a, T> {
    q: (&'a [T], usize),
    k: (&'a [T], usize),
    v: (&'a [T], usize),
}

impl<'a, T: Real> Rows<'a, T> {
    fn own(qkv: &'a [T], c: usize) -> Rows<'a, T> {
        Rows {
            q: (qkv, 3 * c),
            k: (&qkv[c..], 3 * c),
            v: (&qkv[2 * c..], 3 * c),
        }
    }

    pub(super) fn other(q: &'a [T], kv: &'a [T], c: usize) -> Rows<'a, T> {
        Rows {
            q: (q, c),
            k: (kv, 2 * c),
            v: (&kv[c..], 2 * c),
        }
    }
}

/// Rows from `first` on of a head's columns.
fn part<T>(of: (&[T], usize), first: usize, rows: usize, column: usize, cols: usize) -> Mat<'_, T> {
    Mat::strided(&of.0[first * of.1 + column..], rows, cols, of.1)
}

impl Attend {
    pub(super) fn sizes(
        &self,
        batch: usize,
        queries: usize,
        keys: usize,
        channels: usize,
    ) -> Result<Sizes> {
        let lengths = self.keys.lengths.as_ref();
        if self.heads == 0 || channels == 0 || !channels.is_multiple_of(self.heads) {
            bail!("attention: {channels} channels in {} heads", self.heads);
        }
        if lengths.is_some_and(|l| l.len() != batch || l.iter().any(|l| *l as usize > keys)) {
            bail!("attention: lengths {lengths:?} for {batch} items of {keys} keys");
        }
        if self.keys.causal && queries > keys {
            bail!("attention: {queries} queries but {keys} keys, and none is to look ahead");
        }
        Ok(Sizes {
            batch,
            queries,
            keys,
            channels,
            head: channels / self.heads,
        })
    }

    fn own_sizes(&self, layout: &Layout) -> Result<Sizes> {
        let (batch, length, three) = layout.shape().dims3()?;
        if three % 3 != 0 {
            bail!("attention: {three} channels are not three times any");
        }
        self.sizes(batch, length, length, three / 3)
    }

    fn other_sizes(&self, q: &Layout, kv: &Layout) -> Result<Sizes> {
        let (batch, queries, channels) = q.shape().dims3()?;
        let (other, keys, two) = kv.shape().dims3()?;
        if batch != other || two != 2 * channels {
            bail!("attention: {:?} to {:?}", q.dims(), kv.dims());
        }
        self.sizes(batch, queries, keys, channels)
    }

    /// How many keys a query of an item sees.
    fn limit(&self, s: Sizes, item: usize, query: usize) -> usize {
        let lengths = self.keys.lengths.as_ref();
        let length = lengths.map_or(s.keys, |lengths| lengths[item] as usize);
        if self.keys.causal {
            length.min(query + 1 + s.keys - s.queries)
        } else {
            length
        }
    }

    /// The weights of a block of queries of one head, into `weights`; gives how many keys its last
    /// query sees, which is the width of the rows.
    fn weigh<T: Real>(
        &self,
        s: Sizes,
        rows: Rows<'_, T>,
        (item, head, first, count): (usize, usize, usize, usize),
        weights: &mut [T],
    ) -> Result<usize> {
        let seen = self.limit(s, item, first + count - 1);
        let column = head * s.head;
        let q = part(rows.q, first, count, column, s.head);
        let k = part(rows.k, 0, seen, column, s.head).t();
        product(weights, seen, q, k, false, Threads::One)?;
        let scale = T::of(1.0 / (s.head as f64).sqrt());
        for (offset, row) in weights
            .chunks_exact_mut(seen.max(1))
            .take(count)
            .enumerate()
        {
            let (row, hidden) = row.split_at_mut(self.limit(s, item, first + offset));
            hidden.fill(T::ZERO);
            T::scale(row, scale);
            let sum = T::exp_sum(row, T::greatest(row));
            T::scale(row, T::ONE / sum);
        }
        Ok(seen)
    }

    pub(super) fn forward<T: Real>(
        &self,
        s: Sizes,
        item: usize,
        rows: Rows<'_, T>,
        weights: &mut Vec<T>,
        out: &mut [T],
    ) -> Result<()> {
        weights.resize(BLOCK * s.keys, T::ZERO);
        for head in 0..self.heads {
            let column = head * s.head;
            for first in (0..s.queries).step_by(BLOCK) {
                let count = BLOCK.min(s.queries - first);
                let seen = self.weigh(s, rows, (item, head, first, count), weights)?;
                if seen == 0 {
                    continue;
                }
                let p = Mat::new(weights, count, seen);
                let v = part(rows.v, 0, seen, column, s.head);
                let out = &mut out[first * s.channels + column..];
                product(out, s.channels, p, v, false, Threads::One)?;
            }
        }
        Ok(())
    }

    /// Adds the gradients of an item to those of queries, keys and values, each with its stride.
    pub(super) fn backward<T: Real>(
        &self,
        s: Sizes,
        item: usize,
        rows: Rows<'_, T>,
        grad: &[T],
        scratch: &mut Scratch<T>,
        mut put: impl FnMut(Part, usize, &[T]),
    ) -> Result<()> {
        scratch.resize(s);
        let scale = T::of(1.0 / (s.head as f64).sqrt());
        for head in 0..self.heads {
            let column = head * s.head;
            scratch.dk.fill(T::ZERO);
            scratch.dv.fill(T::ZERO);
            for first in (0..s.queries).step_by(BLOCK) {
                let count = BLOCK.min(s.queries - first);
                let at = (item, head, first, count);
                let seen = self.weigh(s, rows, at, &mut scratch.weights)?;
                if seen == 0 {
                    continue;
                }
                let p = Mat::new(&scratch.weights, count, seen);
                let d_out = part((grad, s.channels), first, count, column, s.head);
                let v = part(rows.v, 0, seen, column, s.head);
                product(&mut scratch.dv, s.head, p.t(), d_out, true, Threads::One)?;
                product(&mut scratch.slopes, seen, d_out, v.t(), false, Threads::One)?;
                let slopes = scratch.slopes.chunks_exact_mut(seen).take(count);
                for (slope, weight) in slopes.zip(scratch.weights.chunks_exact(seen)) {
                    let mean = T::dot(slope, weight);
                    for (slope, weight) in slope.iter_mut().zip(weight) {
                        *slope = (*slope - mean) * *weight * scale;
                    }
                }
                let d_score = Mat::new(&scratch.slopes, count, seen);
                let k = part(rows.k, 0, seen, column, s.head);
                let dq = &mut scratch.dq[first * s.head..];
                product(dq, s.head, d_score, k, false, Threads::One)?;
                let q = part(rows.q, first, count, column, s.head);
                product(&mut scratch.dk, s.head, d_score.t(), q, true, Threads::One)?;
            }
            put(Part::Query, column, &scratch.dq);
            put(Part::Key, column, &scratch.dk);
            put(Part::Value, column, &scratch.dv);
        }
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Query,
    Key,
    Value,
}

/// Buffers of a thread.
#[derive(Default)]
pub(super) struct Scratch<T> {
    weights: Vec<T>,
    slopes: Vec<T>,
    dq: Vec<T>,
    dk: Vec<T>,
    dv: Vec<T>,
}

impl<T: Real> Scratch<T> {
    fn resize(&mut self, s: Sizes) {
        self.weights.resize(BLOCK * s.keys, T::ZERO);
        self.slopes.resize(BLOCK * s.keys, T::ZERO);
        self.dq.clear();
        self.dq.resize(s.queries * s.head, T::ZERO);
        self.dk.resize(s.keys * s.head, T::ZERO);
        self.dv.resize(s.keys * s.head, T::ZERO);
    }
}

/// Lays a head's rows into the columns of wider rows.
pub(super) fn lay<T: Real>(out: &mut [T], stride: usize, column: usize, head: usize, rows: &[T]) {
    for (out, row) in out.chunks_exact_mut(stride).zip(rows.chunks_exact(head)) {
        out[column..column + head].copy_from_slice(row);
    }
}

struct Own(Attend);

impl CustomOp1 for Own {
    fn name(&self) -> &'static str {
        "self-attention"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let s = self.0.own_sizes(layout)?;
        let c = s.channels;
        let out = floats!("self-attention", [storage @ layout => qkv], T => {
            let mut out = vec![T::ZERO; s.batch * s.queries * c];
            let items = out.par_chunks_mut((s.queries * c).max(1));
            let items = items.zip(qkv.par_chunks((3 * s.queries * c).max(1))).enumerate();
            items.try_for_each_init(Vec::new, |scratch, (item, (out, qkv))| {
                self.0.forward::<T>(s, item, Rows::own(qkv, c), scratch, out)
            })?;
            stored(out)
        });
        Ok((out, (s.batch, s.queries, c).into()))
    }

    fn bwd(&self, qkv: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let back = OwnBack(self.0.clone());
        qkv.apply_op2_no_bwd(&grad.contiguous()?, &back).map(Some)
    }
}

struct OwnBack(Attend);

impl CustomOp2 for OwnBack {
    fn name(&self) -> &'static str {
        "self-attention-back"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let s = self.0.own_sizes(l1)?;
        let c = s.channels;
        let name = "self-attention-back";
        let out = floats!(name, [s1 @ l1 => qkv, s2 @ l2 => grad], T => {
            let mut out = vec![T::ZERO; qkv.len()];
            let wide = (3 * s.queries * c).max(1);
            let items = out.par_chunks_mut(wide).zip(qkv.par_chunks(wide));
            let items = items.zip(grad.par_chunks((s.queries * c).max(1))).enumerate();
            items.try_for_each_init(Scratch::default, |scratch, (item, ((out, qkv), grad))| {
                let rows = Rows::own(qkv, c);
                self.0.backward::<T>(s, item, rows, grad, scratch, |part, column, rows| {
                    let offset = match part {
                        Part::Query => 0,
                        Part::Key => c,
                        Part::Value => 2 * c,
                    };
                    lay(out, 3 * c, offset + column, s.head, rows);
                })
            })?;
            stored(out)
        });
        Ok((out, l1.shape().clone()))
    }
}

struct Other(Attend);

impl CustomOp2 for Other {
    fn name(&self) -> &'static str {
        "cross-attention"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let s = self.0.other_sizes(l1, l2)?;
        let c = s.channels;
        let out = floats!("cross-attention", [s1 @ l1 => q, s2 @ l2 => kv], T => {
            let mut out = vec![T::ZERO; q.len()];
            let items = out.par_chunks_mut((s.queries * c).max(1));
            let items = items.enumerate();
            items.try_for_each_init(Vec::new, |scratch, (item, out)| {
                let q = &q[item * s.queries * c..][..s.queries * c];
                let kv = &kv[item * s.keys * 2 * c..][..s.keys * 2 * c];
                if s.keys == 0 {
                    return Ok(());
                }
                self.0.forward::<T>(s, item, Rows::other(q, kv, c), scratch, out)
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
        let back = OtherBack(self.0.clone());
        let both = q.apply_op3_no_bwd(kv, &grad.contiguous()?, &back)?;
        let (first, last) = (q.elem_count(), kv.elem_count());
        let dq = both.narrow(0, 0, first)?.reshape(q.shape())?;
        let dkv = both.narrow(0, first, last)?.reshape(kv.shape())?;
        Ok((tracked(q).then_some(dq), tracked(kv).then_some(dkv)))
    }
}

struct OtherBack(Attend);

impl CustomOp3 for OtherBack {
    fn name(&self) -> &'static str {
        "cross-attention-back"
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
        let s = self.0.other_sizes(l1, l2)?;
        let c = s.channels;
        let (narrow, wide) = (s.queries * c, s.keys * 2 * c);
        let name = "cross-attention-back";
        let out = floats!(name, [s1 @ l1 => q, s2 @ l2 => kv, s3 @ l3 => grad], T => {
            let mut out = vec![T::ZERO; q.len() + kv.len()];
            let (dq, dkv) = out.split_at_mut(q.len());
            if narrow > 0 && wide > 0 {
                let items = dq.par_chunks_mut(narrow).zip(dkv.par_chunks_mut(wide));
                let items = items.zip(grad.par_chunks(narrow)).enumerate();
                items.try_for_each_init(Scratch::default, |scratch, (item, ((dq, dkv), grad))| {
                    let (q, kv) = (&q[item * narrow..][..narrow], &kv[item * wide..][..wide]);
                    let rows = Rows::other(q, kv, c);
                    self.0.backward::<T>(s, item, rows, grad, scratch, |part, column, rows| {
                        match part {
                            Part::Query => lay(dq, c, column, s.head, rows),
                            Part::Key => lay(dkv, 2 * c, column, s.head, rows),
                            Part::Value => lay(dkv, 2 * c, c + column, s.head, rows),
                        }
                    })
                })?;
            }
            stored(out)
        });
        let both = l1.shape().elem_count() + l2.shape().elem_count();
        Ok((out, both.into()))
    }
}
