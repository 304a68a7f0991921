//! What a window sees at each place of a picture, as rows of a matrix, and back.
//!
//! In: pictures `(batch, height, width, channels)` and a window. Out: `(batch * out_height * out_width,
//! window height * window width * channels)`. Afterwards places beyond the edge are zeros.

use candle_core::{Result, bail};

use super::Real;

/// Sizes of a convolution, checked to fit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patches {
    pub(super) batch: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) channels: usize,
    pub(super) window: [usize; 2],
    pub(super) stride: [usize; 2],
    pub(super) padding: [usize; 2],
    pub(super) out: [usize; 2],
}

impl Patches {
    /// With `ceil` a last window may reach past the padding.
    pub(super) fn new(
        dims: (usize, usize, usize, usize),
        window: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
        ceil: bool,
    ) -> Result<Patches> {
        let (batch, height, width, channels) = dims;
        let mut out = [0; 2];
        for (axis, size) in [height, width].into_iter().enumerate() {
            let more = if ceil {
                stride[axis].saturating_sub(1)
            } else {
                0
            };
            let padded = size + 2 * padding[axis] + more;
            if window[axis] == 0 || stride[axis] == 0 || padded < window[axis] {
                bail!(
                    "a window of {window:?} with stride {stride:?} and padding {padding:?} does not fit \
                     {height} x {width} pixels"
                );
            }
            let last = (padded - window[axis]) / stride[axis];
            // The last window begins inside, or in the padding before it.
            let beyond = last > 0 && last * stride[axis] >= size + padding[axis];
            out[axis] = last + usize::from(!beyond);
        }
        Ok(Patches {
            batch,
            height,
            width,
            channels,
            window,
            stride,
            padding,
            out,
        })
    }

    /// Rows of a picture.
    pub(super) fn places(&self) -> usize {
        self.out[0] * self.out[1]
    }

    /// Rows of all pictures.
    pub(super) fn rows(&self) -> usize {
        self.batch * self.places()
    }

    /// Columns.
    pub(super) fn depth(&self) -> usize {
        self.window[0] * self.window[1] * self.channels
    }

    /// Elements of a picture.
    pub(super) fn picture(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Whether the matrix is the pictures as they are.
    pub(super) fn is_identity(&self) -> bool {
        self.window == [1, 1] && self.stride == [1, 1] && self.padding == [0, 0]
    }

    /// The runs of channels that a row is made of: where in the row, where among its picture's
    /// elements (`None`: beyond the edge), and how long.
    #[inline(always)]
    fn runs(&self, place: usize, mut each: impl FnMut(usize, Option<usize>, usize)) {
        let (y, x) = (place / self.out[1], place % self.out[1]);
        let c = self.channels;
        let left = (x * self.stride[1]) as isize - self.padding[1] as isize;
        // The part of the window's columns that lies inside.
        let from = (-left).clamp(0, self.window[1] as isize) as usize;
        let to =
            (self.width as isize - left).clamp(from as isize, self.window[1] as isize) as usize;
        for dy in 0..self.window[0] {
            let at = dy * self.window[1] * c;
            let line = (y * self.stride[0] + dy) as isize - self.padding[0] as isize;
            if line < 0 || line >= self.height as isize || from == to {
                each(at, None, self.window[1] * c);
                continue;
            }
            let first = (line as usize * self.width) as isize + left + from as isize;
            each(at, None, from * c);
            each(at + from * c, Some(first as usize * c), (to - from) * c);
            each(at + to * c, None, (self.window[1] - to) * c);
        }
    }

    /// Fills `out` with rows from `first` on, as many as it holds.
    pub(super) fn gather<T: Real>(&self, pictures: &[T], first: usize, out: &mut [T]) {
        let places = self.places();
        for (offset, row) in out.chunks_exact_mut(self.depth()).enumerate() {
            let at = first + offset;
            let picture = &pictures[at / places * self.picture()..][..self.picture()];
            self.runs(at % places, |to, from, length| match from {
                Some(from) => row[to..to + length].copy_from_slice(&picture[from..from + length]),
                None => row[to..to + length].fill(T::ZERO),
            });
        }
    }

    /// Adds the rows of one picture to it.
    pub(super) fn scatter<T: Real>(&self, rows: &[T], picture: &mut [T]) {
        for (place, row) in rows.chunks_exact(self.depth()).enumerate() {
            self.runs(place, |from, to, length| {
                if let Some(to) = to {
                    T::add_scaled(
                        &mut picture[to..to + length],
                        &row[from..from + length],
                        T::ONE,
                    );
                }
            });
        }
    }
}
