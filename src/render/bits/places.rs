//! One shape in many places at once.
//!
//! In: a convex shape, the weights of a hole, and a lattice of places. Out: what the pixels of the shape
//! are worth in each. Afterwards nothing is kept but memory.
//!
//! In a row of pixels a shape is worth the sum up to its end less the sum up to its beginning. For
//! places at equal distances in a row those are values at equal distances. They are laid out side
//! by side, so that a row of a shape in sixteen places is two loads and a subtraction.

use multiversion::multiversion;

use super::Bits;
use super::weights::Weights;
use crate::render::place::Affine;
use crate::scene::Shape;

/// Places at equal distances along an axis, in whole pixels; the first is where the shape is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Steps {
    /// From each to the next; at least 1.
    pub step: i32,
    /// How many there are; at least 1.
    pub count: usize,
}

impl Steps {
    fn last(self) -> i32 {
        self.step * (self.count as i32 - 1)
    }
}

/// Numbers of pixels, row by row of places.
#[derive(Clone, Debug, Default)]
pub struct Worths {
    values: Vec<i32>,
    stride: usize,
    across: usize,
    /// Where the rows of the shape begin and end in the table.
    ends: Vec<(u32, u32)>,
}

impl Worths {
    /// For each row of places from the top, those in it from the left.
    pub fn rows(&self) -> impl Iterator<Item = &[i32]> {
        let across = self.across;
        let rows = self.values.chunks_exact(self.stride.max(1));
        rows.map(move |row| &row[..across])
    }

    /// The least of all.
    pub fn least(&self) -> Option<i32> {
        self.rows().flatten().copied().min()
    }
}

/// Places that are reckoned at once.
const LANES: usize = 16;

/// Sums over the rows of the canvas, such that values at equal distances stand side by side.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    sums: Vec<i16>,
    /// The distance; 0 when there is no table.
    step: i32,
    /// For how many places there is room beside the canvas.
    lanes: usize,
    /// Values of a row at one remainder.
    len: usize,
}

impl Table {
    pub(super) fn forget(&mut self) {
        self.step = 0;
    }

    /// Lays out the sums of rows of `width` pixels, which have one value more.
    fn lay_out(&mut self, before: &[i16], width: i32, height: i32, step: i32, lanes: usize) {
        if self.step == step && self.lanes >= lanes {
            return;
        }
        let (width, every) = (width as usize, step as usize);
        self.step = step;
        self.lanes = lanes;
        self.len = lanes + width / every + 1 + lanes;
        let row = every * self.len;
        self.sums.resize(row * height as usize, 0);
        let rows = before
            .chunks(width + 1)
            .zip(self.sums.chunks_exact_mut(row));
        for (before, row) in rows {
            let all = before[width];
            for (remainder, out) in row.chunks_exact_mut(self.len).enumerate() {
                out[..lanes].fill(0);
                let mut end = lanes;
                if every == 1 {
                    out[end..][..=width].copy_from_slice(&before[..=width]);
                    end += width + 1;
                } else {
                    let values = before[..=width].iter().skip(remainder).step_by(every);
                    for (out, value) in out[lanes..].iter_mut().zip(values) {
                        *out = *value;
                        end += 1;
                    }
                }
                out[end..].fill(all);
            }
        }
    }

    /// Where the sum before a column is, which may be beside the canvas.
    fn at(&self, column: i32, width: i32) -> u32 {
        let room = self.lanes as i32 * self.step;
        let column = (column.clamp(-room, width) + room) as u32;
        let step = self.step as u32;
        column % step * self.len as u32 + column / step
    }
}

impl Bits {
    /// What the pixels of a shape, placed on the canvas, are worth at the crossings of columns and rows
    /// of places. False when the shape is not known to be convex, or the target is a sketch.
    pub fn worth_in_places(
        &mut self,
        weights: &mut Weights,
        shape: &Shape,
        at: &Affine,
        (across, down): (Steps, Steps),
        out: &mut Worths,
    ) -> bool {
        let (width, height) = (self.layout.width, self.layout.height);
        // What a pixel is worth to the outline depends on others.
        if self.target.strokes.is_some() {
            return false;
        }
        let within = (-down.last(), height);
        let Some(spans) = self.store.spans(shape, at, within) else {
            return false;
        };
        let lanes = across.count.next_multiple_of(LANES);
        let Weights { before, table, .. } = weights;
        table.lay_out(before, width, height, across.step, lanes);
        out.stride = lanes;
        out.across = across.count;
        out.ends.clear();
        let rows = spans.from.iter().zip(&spans.to);
        out.ends.extend(rows.map(|(from, to)| {
            let end = |column: i32| table.at(column, width);
            (end(*from), end(*to.max(from)))
        }));
        out.values.clear();
        out.values.resize(lanes * down.count, 0);
        let row = table.step as usize * table.len;
        let mut top = spans.top;
        for sums in out.values.chunks_exact_mut(lanes) {
            let from = top.clamp(0, height);
            let to = top.saturating_add(out.ends.len() as i32).clamp(0, height);
            if from < to {
                let ends = &out.ends[(from - top) as usize..(to - top) as usize];
                sum(&table.sums[from as usize * row..], row, ends, sums);
            }
            top += down.step;
        }
        true
    }
}

/// Sums of rows, in places side by side.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vpopcntdq+avx512vbmi2+bmi1+bmi2+popcnt",
    "x86_64+avx2+bmi1+bmi2+popcnt"
))]
fn sum(table: &[i16], row: usize, ends: &[(u32, u32)], out: &mut [i32]) {
    for (number, out) in out.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        let mut sums = [0i32; LANES];
        let first = number * LANES;
        for (row, (from, to)) in table.chunks(row).zip(ends) {
            let plus = row[*to as usize + first..].first_chunk::<LANES>();
            let minus = row[*from as usize + first..].first_chunk::<LANES>();
            if let (Some(plus), Some(minus)) = (plus, minus) {
                for ((sum, plus), minus) in sums.iter_mut().zip(plus).zip(minus) {
                    *sum += i32::from(*plus) - i32::from(*minus);
                }
            }
        }
        *out = sums;
    }
}
