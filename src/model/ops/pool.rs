//! Pooling: the greatest or the mean of a window.
//!
//! In: pictures `(batch, height, width, channels)` and a [`Window`]. Out: the smaller pictures. Afterwards a
//! maximum's gradient goes to the first place, row by row, that has it, as in PyTorch; places beyond the
//! edge never are the greatest, and do not count in a mean.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::patches::Patches;
use super::{Real, floats, stored};

/// A window that goes over pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its height and width.
    pub size: [usize; 2],
    /// Distance of places, down and across.
    pub stride: [usize; 2],
    /// Places beyond the edge: above and below, left and right; at most half the window.
    pub padding: [usize; 2],
    /// Whether a last window may reach past the edge where the stride does not divide the picture.
    pub ceil: bool,
}

impl Window {
    /// A square one.
    pub fn square(size: usize, stride: usize, padding: usize) -> Window {
        Window {
            size: [size; 2],
            stride: [stride; 2],
            padding: [padding; 2],
            ceil: false,
        }
    }

    /// With a last window that may reach past the edge.
    pub fn ceil(self) -> Window {
        Window { ceil: true, ..self }
    }

    fn patches(self, shape: &Shape) -> Result<Patches> {
        if (0..2).any(|axis| 2 * self.padding[axis] > self.size[axis]) {
            bail!(
                "a padding of {:?} is more than half of {:?}",
                self.padding,
                self.size
            );
        }
        Patches::new(
            shape.dims4()?,
            self.size,
            self.stride,
            self.padding,
            self.ceil,
        )
    }
}

/// The greatest of each window.
///
/// # Errors
///
/// When the window does not fit the pictures.
pub fn max_pool(x: &Tensor, window: Window) -> Result<Tensor> {
    x.contiguous()?.apply_op1(Pool(Kind::Max, window))
}

/// The mean of each window.
///
/// # Errors
///
/// As [`max_pool`].
pub fn avg_pool(x: &Tensor, window: Window) -> Result<Tensor> {
    x.contiguous()?.apply_op1(Pool(Kind::Mean, window))
}

#[derive(Clone, Copy)]
enum Kind {
    Max,
    Mean,
}

struct Pool(Kind, Window);

impl CustomOp1 for Pool {
    fn name(&self) -> &'static str {
        "pool"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let patches = self.1.patches(layout.shape())?;
        let out = floats!("pool", [storage @ layout => x], T => {
            stored(pool::<T>(self.0, &patches, x))
        });
        let [height, width] = patches.out;
        let shape = (patches.batch, height, width, patches.channels);
        Ok((out, shape.into()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let back = Back(self.0, self.1);
        x.apply_op2_no_bwd(&grad.contiguous()?, &back).map(Some)
    }
}

/// From the pictures and the result's gradient, the pictures' gradient.
struct Back(Kind, Window);

impl CustomOp2 for Back {
    fn name(&self) -> &'static str {
        "pool-back"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let patches = self.1.patches(l1.shape())?;
        let [height, width] = patches.out;
        if l2.shape().dims4()? != (patches.batch, height, width, patches.channels) {
            bail!("pool: a gradient of {:?} for this result", l2.dims());
        }
        let out = floats!("pool-back", [s1 @ l1 => x, s2 @ l2 => grad], T => {
            stored(back::<T>(self.0, &patches, x, grad))
        });
        Ok((out, l1.shape().clone()))
    }
}

/// The pixels of a picture that a place's window sees.
fn seen(p: &Patches, place: usize) -> impl Iterator<Item = usize> + use<'_> {
    let inside = |at: usize, axis: usize, size: usize| {
        let from = at * p.stride[axis];
        let first = from.saturating_sub(p.padding[axis]);
        let last = (from + p.window[axis]).saturating_sub(p.padding[axis]);
        first..last.min(size)
    };
    let rows = inside(place / p.out[1], 0, p.height);
    let columns = inside(place % p.out[1], 1, p.width);
    rows.flat_map(move |y| columns.clone().map(move |x| y * p.width + x))
}

fn pool<T: Real>(kind: Kind, p: &Patches, x: &[T]) -> Vec<T> {
    let c = p.channels;
    let mut out = vec![T::ZERO; p.rows() * c];
    if out.is_empty() {
        return out;
    }
    let pictures = out.par_chunks_mut(p.places() * c);
    pictures
        .zip(x.par_chunks(p.picture()))
        .for_each(|(out, x)| {
            for (place, out) in out.chunks_exact_mut(c).enumerate() {
                match kind {
                    Kind::Max => {
                        out.fill(T::LOWEST);
                        for pixel in seen(p, place) {
                            for (most, value) in out.iter_mut().zip(&x[pixel * c..][..c]) {
                                // What is not a number goes on.
                                *most = if *value <= *most { *most } else { *value };
                            }
                        }
                    }
                    Kind::Mean => {
                        let mut count = 0;
                        for pixel in seen(p, place) {
                            T::add_scaled(out, &x[pixel * c..][..c], T::ONE);
                            count += 1;
                        }
                        T::scale(out, T::of(1.0 / f64::from(count.max(1))));
                    }
                }
            }
        });
    out
}

fn back<T: Real>(kind: Kind, p: &Patches, x: &[T], grad: &[T]) -> Vec<T> {
    let c = p.channels;
    let mut out = vec![T::ZERO; x.len()];
    if grad.is_empty() {
        return out;
    }
    let pictures = out
        .par_chunks_mut(p.picture())
        .zip(x.par_chunks(p.picture()));
    let pictures = pictures.zip(grad.par_chunks(p.places() * c));
    pictures.for_each(|((out, x), grad)| {
        let (mut most, mut at) = (vec![T::LOWEST; c], vec![0; c]);
        for (place, grad) in grad.chunks_exact(c).enumerate() {
            match kind {
                Kind::Max => {
                    for (turn, pixel) in seen(p, place).enumerate() {
                        let values = &x[pixel * c..][..c];
                        for ((most, at), value) in most.iter_mut().zip(&mut at).zip(values) {
                            let same = turn > 0 && *value <= *most;
                            *most = if same { *most } else { *value };
                            *at = if same { *at } else { pixel };
                        }
                    }
                    for (channel, grad) in grad.iter().enumerate() {
                        out[at[channel] * c + channel] += *grad;
                    }
                }
                Kind::Mean => {
                    let factor = T::of(1.0 / seen(p, place).count().max(1) as f64);
                    for pixel in seen(p, place) {
                        T::add_scaled(&mut out[pixel * c..][..c], grad, factor);
                    }
                }
            }
        }
    });
    out
}
