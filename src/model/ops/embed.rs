//! Rows of a table, one by one and added up.
//!
//! In: a table `(rows, n)`, the numbers of rows. Out: these rows `(count, n)`, or of each [`Bags`] the weighted sum.
//! Afterwards the table's gradient is the sum over the places a row went to, in their order.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::{Real, floats, stored};

/// Rows that are added up, bag after bag.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bags {
    /// Where each bag ends among `rows`; it begins where the one before ends, and may be empty.
    pub ends: Vec<u32>,
    /// The numbers of rows.
    pub rows: Vec<u32>,
    /// How often each of them counts.
    pub weights: Vec<f32>,
}

/// The rows of these numbers, in this order.
///
/// # Errors
///
/// When a number is not below the rows of the table.
pub fn embed(table: &Tensor, ids: impl Into<Arc<[u32]>>) -> Result<Tensor> {
    let ids: Arc<[u32]> = ids.into();
    let bags = Bags {
        ends: (1..=ids.len() as u32).collect(),
        weights: vec![1.0; ids.len()],
        rows: ids.to_vec(),
    };
    bag(table, bags)
}

/// The weighted sum of each bag's rows, `(bags, n)`; 0 of none.
///
/// # Errors
///
/// When a number is not below the rows of the table, or ends and weights do not fit the numbers.
pub fn bag(table: &Tensor, bags: impl Into<Arc<Bags>>) -> Result<Tensor> {
    let bags = bags.into();
    let (rows, _) = table.dims2()?;
    if let Some(id) = bags.rows.iter().find(|id| **id as usize >= rows) {
        bail!("row {id} of a table with {rows}");
    }
    let last = bags.ends.last().map_or(0, |end| *end as usize);
    if !bags.ends.is_sorted() || last != bags.rows.len() || last != bags.weights.len() {
        bail!(
            "bags that end at {last}: {} rows, {} weights",
            bags.rows.len(),
            bags.weights.len()
        );
    }
    table.contiguous()?.apply_op1(Bag(bags))
}

impl Bags {
    /// The rows and weights of a bag.
    fn of(&self, bag: usize) -> impl Iterator<Item = (usize, f32)> + '_ {
        let from = bag.checked_sub(1).map_or(0, |before| self.ends[before]);
        let part = from as usize..self.ends[bag] as usize;
        let rows = self.rows[part.clone()].iter().map(|row| *row as usize);
        rows.zip(self.weights[part].iter().copied())
    }
}

struct Bag(Arc<Bags>);

impl CustomOp1 for Bag {
    fn name(&self) -> &'static str {
        "bag"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, n) = layout.shape().dims2()?;
        let count = self.0.ends.len();
        let out = floats!("bag", [storage @ layout => table], T => {
            let mut out = vec![T::ZERO; count * n];
            out.par_chunks_mut(n.max(1)).enumerate().for_each(|(bag, out)| {
                for (row, weight) in self.0.of(bag) {
                    T::add_scaled(out, &table[row * n..][..n], T::of(f64::from(weight)));
                }
            });
            stored(out)
        });
        Ok((out, (count, n).into()))
    }

    fn bwd(&self, table: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let rows = table.dims2()?.0;
        let back = Back(Arc::clone(&self.0), rows);
        grad.contiguous()?.apply_op1_no_bwd(&back).map(Some)
    }
}

struct Back(Arc<Bags>, usize);

impl CustomOp1 for Back {
    fn name(&self) -> &'static str {
        "bag-back"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, n) = layout.shape().dims2()?;
        let out = floats!("bag-back", [storage @ layout => grad], T => {
            let mut out = vec![T::ZERO; self.1 * n];
            for (bag, grad) in grad.chunks_exact(n.max(1)).enumerate() {
                for (row, weight) in self.0.of(bag) {
                    T::add_scaled(&mut out[row * n..][..n], grad, T::of(f64::from(weight)));
                }
            }
            stored(out)
        });
        Ok((out, (self.1, n).into()))
    }
}
