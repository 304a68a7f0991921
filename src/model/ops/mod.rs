//! Differentiable operators, each one a candle custom operator with a backward pass of its own.
//!
//! In: tensors of `f32` or `f64`. Out: tensors, in the same element type. Afterwards every operator has
//! the gradient that finite differences and PyTorch give (tests), and gives the same bytes for
//! every number of threads: work is cut by shape alone, and sums are taken in a fixed order.
//!
//! Pictures are `(batch, height, width, channels)`: a convolution is then one matrix product whose rows are
//! pixels, and its patches are copies of whole runs of channels. Matrices of weights are
//! `(outputs, inputs)`, as PyTorch has them.
//!
//! All of this runs on the CPU. candle gives a custom operator a second forward function for CUDA; these
//! have none yet, so on a CUDA tensor they answer with candle's error "no cuda implementation".
//! Backward passes are written in terms of operators, so they need no second version.

mod activation;
mod attention;
mod cached;
mod choice;
mod conv;
mod embed;
mod entropy;
mod linear;
mod norm;
mod optimiser;
mod patches;
mod pool;
mod product;
mod ragged;
mod real;
mod reduce;
mod standard;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use candle_core::{CpuStorage, Layout, Result, Tensor, bail};

pub use activation::{gelu, mix, relu};
pub use attention::{Keys, cross_attention, self_attention};
pub use cached::{Sight, cached_attention};
pub use choice::{Options, choice};
pub use conv::{Conv, conv2d};
pub use embed::{Bags, bag, embed};
pub use entropy::{Rows, cross_entropy};
pub use linear::linear;
pub use norm::layer_norm;
pub use optimiser::{Adam, AdamOptions, StepReport, flatten};
pub use pool::{Window, avg_pool, max_pool};
pub use ragged::{Segments, ragged_attention};
pub use reduce::{AllReduce, Alone, Member, ReduceError, group};
pub use standard::standardise;

pub(crate) use real::Real;

/// Stack of a thread that reckons: the way back through a network is found by recursion.
const STACK_BYTES: usize = 64 << 20;

/// Threads of operators that stay for many calls.
#[derive(Debug)]
pub struct Threads(rayon::ThreadPool);

impl Threads {
    /// So many, one at least.
    ///
    /// # Errors
    ///
    /// When no threads can be started.
    pub fn new(threads: usize) -> std::io::Result<Threads> {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads.max(1))
            .stack_size(STACK_BYTES)
            .build()
            .map(Threads)
            .map_err(std::io::Error::other)
    }

    /// Does something with them.
    pub fn work<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.0.install(work)
    }
}

/// Does something with so many threads for its operators, one at least.
///
/// # Errors
///
/// When no threads can be started.
pub fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> std::io::Result<T> {
    Ok(Threads::new(threads)?.work(work))
}

/// A forward function for both element types: `$body` sees slices of type `$T`.
macro_rules! floats {
    ($name:expr, [$($storage:ident @ $layout:ident => $slice:ident),+], $T:ident => $body:expr) => {{
        use candle_core::{CpuStorage, bail};
        match ($($storage),+ ,) {
            ($(floats!(@f32 $storage $slice)),+ ,) => {
                type $T = f32;
                $(let $slice = crate::model::ops::view($name, $slice, $layout)?;)+
                $body
            }
            ($(floats!(@f64 $storage $slice)),+ ,) => {
                type $T = f64;
                $(let $slice = crate::model::ops::view($name, $slice, $layout)?;)+
                $body
            }
            _ => bail!("{}: all arguments must be f32, or all f64", $name),
        }
    }};
    (@f32 $storage:ident $slice:ident) => { CpuStorage::F32($slice) };
    (@f64 $storage:ident $slice:ident) => { CpuStorage::F64($slice) };
}
pub(crate) use floats;

/// The elements of a contiguous tensor.
fn view<'a, T>(name: &str, all: &'a [T], layout: &Layout) -> Result<&'a [T]> {
    match layout.contiguous_offsets() {
        Some((from, to)) => Ok(&all[from..to]),
        None => bail!("{name}: the tensor is not contiguous"),
    }
}

/// A result's elements, as candle takes them.
fn stored<T: Real>(data: Vec<T>) -> CpuStorage {
    T::to_cpu_storage_owned(data)
}

/// Whether a gradient must be made for it.
fn tracked(tensor: &Tensor) -> bool {
    tensor.track_op()
}
