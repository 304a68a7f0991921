//! Rows of a table.
//!
//! In: a table `(rows, n)`, the numbers of rows. Out: these rows `(count, n)`. Afterwards the table's gradient is
//! the sum over the places a row went to, in their order.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};

use super::{Real, floats, stored};

/// The rows of these numbers, in this order.
///
/// # Errors
///
/// When a number is not below the rows of the table.
pub fn embed(table: &Tensor, ids: impl Into<Arc<[u32]>>) -> Result<Tensor> {
    let ids = ids.into();
    let (rows, _) = table.dims2()?;
    if let Some(id) = ids.iter().find(|id| **id as usize >= rows) {
        bail!("row {id} of a table with {rows}");
    }
    table.contiguous()?.apply_op1(Embed(ids))
}

struct Embed(Arc<[u32]>);

impl CustomOp1 for Embed {
    fn name(&self) -> &'static str {
        "embed"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, n) = layout.shape().dims2()?;
        let out = floats!("embed", [storage @ layout => table], T => {
            let mut out: Vec<T> = Vec::with_capacity(self.0.len() * n);
            for id in self.0.iter() {
                out.extend_from_slice(&table[*id as usize * n..][..n]);
            }
            stored(out)
        });
        Ok((out, (self.0.len(), n).into()))
    }

    fn bwd(&self, table: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let rows = table.dims2()?.0;
        let back = Back(Arc::clone(&self.0), rows);
        grad.contiguous()?.apply_op1_no_bwd(&back).map(Some)
    }
}

struct Back(Arc<[u32]>, usize);

impl CustomOp1 for Back {
    fn name(&self) -> &'static str {
        "embed-back"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, n) = layout.shape().dims2()?;
        let out = floats!("embed-back", [storage @ layout => grad], T => {
            let mut out = vec![T::ZERO; self.1 * n];
            for (id, grad) in self.0.iter().zip(grad.chunks_exact(n.max(1))) {
                T::add_scaled(&mut out[*id as usize * n..][..n], grad, T::ONE);
            }
            stored(out)
        });
        Ok((out, (self.1, n).into()))
    }
}
