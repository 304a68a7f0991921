//! How far the outline of a picture is from the strokes of a sketch.
//!
//! In: a sketch; pictures as bit planes. Out: a number of pixels, 0 where the outline runs under all
//! strokes and nowhere else. Afterwards nothing is kept but memory.
//!
//! The number is the sum of two: over the outline's pixels the distance to the nearest stroke, and over
//! the strokes' pixels, per pixel of their width, the distance to the nearest outline. An outline
//! is the pixels on both sides of it, so the first sum counts half; at the edge of the canvas there
//! is none. Distances to strokes are known beforehand, four bits a pixel. Those to the outline
//! are found by widening it in steps, by 1, 2, 4 and 8 pixels: strokes that are still outside pay
//! for the step. All is whole words at a time, and far is 15 or 16 pixels.

use multiversion::multiversion;

use super::layout::Layout;
use super::loops;
use crate::render::Picture;
use crate::render::pen::{Pen, UNIT, distances};

/// A sketch of a picture is one of its negative too. What is preferred: a canvas whose edge is free of
/// ink, or one with ink along its edge. Each pixel there that is otherwise costs a quarter of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lean {
    /// Neither.
    #[default]
    No,
    /// No ink along the edge.
    Free,
    /// Ink along the edge.
    Inked,
}

/// Bits of a distance.
const BITS: usize = 4;
/// Beyond this many pixels, far is far.
const FAR: u16 = 15;
/// Rows above and below a column that are there to be looked at only: as many as the widest step.
const PAD: usize = 8;
/// Strokes' pixels are counted in 64ths of their width.
const PARTS: f64 = 64.0;

/// Strokes to be matched.
#[derive(Clone, Debug)]
pub(super) struct Strokes {
    /// A bit of each pixel's distance to the nearest stroke, the lowest plane first.
    near: [Vec<u64>; BITS],
    /// Which pixels are stroke.
    marks: Vec<u64>,
    /// The pixels along the edge of the canvas.
    edge: Vec<u64>,
    /// What a pixel of a stroke counts, in parts.
    each: u64,
}

impl Strokes {
    /// The strokes of a picture.
    pub(super) fn new(picture: &Picture, layout: &Layout) -> Strokes {
        let pen = Pen::new(picture);
        let mut distance = Vec::new();
        distances(
            pen.width,
            pen.height,
            &pen.marks(),
            FAR * UNIT,
            &mut distance,
        );
        let mut near = std::array::from_fn(|_| vec![0; layout.plane]);
        let mut marks = vec![0; layout.plane];
        for (at, thirds) in distance.into_iter().enumerate() {
            let (x, y) = (at % pen.width, at / pen.width);
            let (word, bit) = (layout.word(x, y), x % 64);
            marks[word] |= u64::from(pen.ink[at] > 0) << bit;
            let pixels = (thirds + UNIT / 2) / UNIT;
            for (plane, words) in near.iter_mut().enumerate() {
                words[word] |= u64::from(pixels >> plane & 1) << bit;
            }
        }
        Strokes {
            near,
            marks,
            edge: edge(layout),
            each: (PARTS / pen.thickness) as u64,
        }
    }

    /// How far the outline of a picture is from the strokes.
    pub(super) fn score(&self, scratch: &mut Scratch, picture: &[u64], layout: &Layout) -> u64 {
        scratch.fit(layout);
        scratch.load(picture.iter().copied(), layout);
        self.of_loaded(scratch, layout)
    }

    /// The same of the picture that is one where a plane is set, and another elsewhere.
    pub(super) fn score_filled(
        &self,
        scratch: &mut Scratch,
        (empty, full): (&[u64], &[u64]),
        filling: &[u64],
        layout: &Layout,
    ) -> u64 {
        scratch.fit(layout);
        let words = empty.iter().zip(full).zip(filling);
        let words = words.map(|((empty, full), by)| (full & by) | (empty & !by));
        scratch.load(words, layout);
        self.of_loaded(scratch, layout)
    }

    fn of_loaded(&self, scratch: &mut Scratch, layout: &Layout) -> u64 {
        let Scratch {
            picture,
            a,
            b,
            lean,
        } = scratch;
        let (there, back) = apart(picture, a, b, self, layout);
        let along = match lean {
            Lean::No => 0,
            Lean::Free => along(picture, 0, &self.edge, layout),
            Lean::Inked => along(picture, u64::MAX, &self.edge, layout),
        };
        // In quarters of a pixel.
        (along + 2 * there + (back * self.each) / (PARTS as u64 / 4)) / 4
    }

    /// The strokes that are some way from the outline of a picture, a pixel wider than they are so that
    /// they hang together.
    pub(super) fn missing(
        &self,
        scratch: &mut Scratch,
        picture: &[u64],
        layout: &Layout,
        out: &mut Vec<u64>,
    ) {
        let _ = self.score(scratch, picture, layout);
        // The outline, four pixels wider on each side.
        let Scratch { picture, a, b, .. } = scratch;
        contour(picture, a, self, layout);
        widen(a, b, 1, layout);
        widen(b, a, 2, layout);
        out.clear();
        let inner = |column| Scratch::column(column, layout);
        for column in 0..layout.columns as usize {
            let marks = &self.marks[column * layout.column()..][..layout.column()];
            let near = &a[inner(column)];
            b[inner(column)].copy_from_slice(near);
            for (out, (mark, near)) in b[inner(column)].iter_mut().zip(marks.iter().zip(near)) {
                *out = mark & !near;
            }
        }
        widen(b, a, 1, layout);
        for column in 0..layout.columns {
            let words = &a[inner(column as usize)][..layout.height as usize];
            let all = loops::low(layout.across(column));
            out.extend(words.iter().map(|word| word & all));
            out.resize((column as usize + 1) * layout.column(), 0);
        }
    }
}

/// The pixels along the edge of a canvas.
fn edge(layout: &Layout) -> Vec<u64> {
    let mut words = vec![0; layout.plane];
    let (width, height) = (layout.width as usize, layout.height as usize);
    for y in 0..height {
        for x in 0..width {
            if x == 0 || y == 0 || x + 1 == width || y + 1 == height {
                words[layout.word(x, y)] |= 1 << (x % 64);
            }
        }
    }
    words
}

/// Number of pixels along the edge that are not as wanted.
fn along(picture: &[u64], wanted: u64, edge: &[u64], layout: &Layout) -> u64 {
    let mut sum = 0;
    for (column, edge) in edge.chunks_exact(layout.column().max(1)).enumerate() {
        let words = &picture[Scratch::column(column, layout)];
        for (word, edge) in words.iter().zip(edge) {
            sum += u64::from(((word ^ wanted) & edge).count_ones());
        }
    }
    sum
}

/// Memory for pictures with room around: [`PAD`] rows above and below each column of words, and a column
/// on either side.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    picture: Vec<u64>,
    a: Vec<u64>,
    b: Vec<u64>,
    /// What is preferred.
    pub(super) lean: Lean,
}

impl Scratch {
    fn stride(layout: &Layout) -> usize {
        layout.column() + 2 * PAD
    }

    /// Where the words of a column of the canvas are.
    fn column(column: usize, layout: &Layout) -> std::ops::Range<usize> {
        let first = (column + 1) * Scratch::stride(layout) + PAD;
        first..first + layout.column()
    }

    fn fit(&mut self, layout: &Layout) {
        let len = (layout.columns as usize + 2) * Scratch::stride(layout);
        for words in [&mut self.picture, &mut self.a, &mut self.b] {
            if words.len() != len {
                words.clear();
                words.resize(len, 0);
            }
        }
    }

    /// Takes a picture, and repeats its first and last row and column beyond its edge.
    #[inline(always)]
    fn load(&mut self, mut words: impl Iterator<Item = u64>, layout: &Layout) {
        let height = layout.height as usize;
        let last = layout.columns as usize;
        for column in 0..last {
            let range = Scratch::column(column, layout);
            let rows = &mut self.picture[range.start - 1..range.end + 1];
            for (row, word) in rows[1..=layout.column()].iter_mut().zip(&mut words) {
                *row = word;
            }
            if height == 0 {
                continue;
            }
            rows[0] = rows[1];
            rows[height + 1] = rows[height];
        }
        if last == 0 {
            return;
        }
        let (first_column, last_column) = (
            Scratch::column(0, layout).start,
            Scratch::column(last - 1, layout).start,
        );
        let stride = Scratch::stride(layout);
        let across = layout.across(layout.columns - 1);
        for row in 0..layout.column() {
            self.picture[first_column - stride + row] = self.picture[first_column + row] << 63;
            let word = self.picture[last_column + row];
            match across {
                64 => self.picture[last_column + stride + row] = word >> 63,
                _ => {
                    let beyond = (word >> (across - 1) & 1) << across;
                    self.picture[last_column + row] |= beyond;
                }
            }
        }
    }
}

/// A column of words and its neighbours: above, here, below, left, right, by a number of rows.
struct Around<'a> {
    above: &'a [u64],
    here: &'a [u64],
    below: &'a [u64],
    left: &'a [u64],
    right: &'a [u64],
}

impl<'a> Around<'a> {
    #[inline(always)]
    fn new(words: &'a [u64], column: usize, by: usize, layout: &Layout) -> Around<'a> {
        let (stride, rows) = (Scratch::stride(layout), layout.column());
        let at = Scratch::column(column, layout).start;
        let from = |at: usize| &words[at..][..rows];
        Around {
            above: from(at - by),
            here: from(at),
            below: from(at + by),
            left: from(at - stride),
            right: from(at + stride),
        }
    }
}

/// Marks the pixels on both sides of a picture's outline in `out`. Returns the sums of their distances to
/// strokes.
#[inline(always)]
fn contour(picture: &[u64], out: &mut [u64], strokes: &Strokes, layout: &Layout) -> (u64, u64) {
    let (mut there, mut back) = (0, 0);
    let rows = layout.column();
    for column in 0..layout.columns as usize {
        let around = Around::new(picture, column, 1, layout);
        let all = loops::low(layout.across(column as u32));
        let words = column * rows..(column + 1) * rows;
        let marks = &strokes.marks[words.clone()];
        let [n0, n1, n2, n3] = &strokes.near;
        let (n0, n1, n2, n3) = (
            &n0[words.clone()],
            &n1[words.clone()],
            &n2[words.clone()],
            &n3[words],
        );
        let out = &mut out[Scratch::column(column, layout)];
        for row in 0..rows {
            let here = around.here[row];
            let (above, below) = (around.above[row], around.below[row]);
            let left = here << 1 | around.left[row] >> 63;
            let right = here >> 1 | around.right[row] << 63;
            let any = here | above | below | left | right;
            let every = here & above & below & left & right;
            let edge = any & !every & all;
            out[row] = edge;
            there += u64::from((edge & n0[row]).count_ones())
                + 2 * u64::from((edge & n1[row]).count_ones())
                + 4 * u64::from((edge & n2[row]).count_ones())
                + 8 * u64::from((edge & n3[row]).count_ones());
            back += u64::from((marks[row] & !edge).count_ones());
        }
        // Below the canvas there is nothing.
        out[layout.height as usize..].fill(0);
    }
    (there, back)
}

/// Widens what is set upwards, downwards, to the left and to the right.
#[inline(always)]
fn widen(of: &[u64], out: &mut [u64], by: usize, layout: &Layout) {
    let back = 64 - by;
    for column in 0..layout.columns as usize {
        let around = Around::new(of, column, by, layout);
        let out = &mut out[Scratch::column(column, layout)];
        for (row, out) in out.iter_mut().enumerate() {
            let here = around.here[row];
            let left = here << by | around.left[row] >> back;
            let right = here >> by | around.right[row] << back;
            *out = here | around.above[row] | around.below[row] | left | right;
        }
    }
}

/// Widens what is set to the left and to the right.
#[inline(always)]
fn widen_across(of: &[u64], out: &mut [u64], by: usize, layout: &Layout) {
    let back = 64 - by;
    for column in 0..layout.columns as usize {
        let around = Around::new(of, column, 0, layout);
        let out = &mut out[Scratch::column(column, layout)];
        for (row, out) in out.iter_mut().enumerate() {
            let here = around.here[row];
            let left = here << by | around.left[row] >> back;
            let right = here >> by | around.right[row] << back;
            *out = here | left | right;
        }
    }
}

/// Widens what is set upwards and downwards.
#[inline(always)]
fn widen_down(of: &[u64], out: &mut [u64], by: usize, layout: &Layout) {
    for column in 0..layout.columns as usize {
        let around = Around::new(of, column, by, layout);
        let out = &mut out[Scratch::column(column, layout)];
        for (row, out) in out.iter_mut().enumerate() {
            *out = around.here[row] | around.above[row] | around.below[row];
        }
    }
}

/// Pixels of strokes that are not set.
#[inline(always)]
fn outside(set: &[u64], marks: &[u64], layout: &Layout) -> u64 {
    let mut sum = 0;
    for (column, marks) in marks.chunks_exact(layout.column().max(1)).enumerate() {
        let set = &set[Scratch::column(column, layout)];
        for (mark, set) in marks.iter().zip(set) {
            sum += u64::from((mark & !set).count_ones());
        }
    }
    sum
}

/// Sums of distances: of a picture's outline to the strokes, and of the strokes to the outline.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vpopcntdq+avx512vbmi2+bmi1+bmi2+popcnt",
    "x86_64+avx2+bmi1+bmi2+popcnt"
))]
fn apart(
    picture: &[u64],
    a: &mut [u64],
    b: &mut [u64],
    strokes: &Strokes,
    layout: &Layout,
) -> (u64, u64) {
    let marks = &strokes.marks;
    let (there, mut back) = contour(picture, a, strokes, layout);
    // Diamonds and squares by turns make octagons. What is outside one and inside the next pays for
    // the mean of the distances between.
    widen(a, b, 1, layout);
    back += outside(b, marks, layout);
    widen_across(b, a, 2, layout);
    widen_down(a, b, 2, layout);
    back += 3 * outside(b, marks, layout);
    widen(b, a, 4, layout);
    back += 6 * outside(a, marks, layout);
    widen_across(a, b, 8, layout);
    widen_down(b, a, 8, layout);
    back += 5 * outside(a, marks, layout);
    (there, back)
}

#[cfg(test)]
mod tests {
    use rand::RngExt as _;

    use super::*;
    use crate::render::bits::Palette;
    use crate::sample::stream;

    /// A picture of a few boxes, and its planes.
    fn boxes(layout: &Layout, at: u64) -> (Vec<bool>, Vec<u64>) {
        let mut rng = stream(9, at);
        let (w, h) = (layout.width, layout.height);
        let mut inside = vec![false; (w * h) as usize];
        for _ in 0..3 {
            let (x, y) = (rng.random_range(-20..w), rng.random_range(-20..h));
            let (to_x, to_y) = (x + rng.random_range(3..60), y + rng.random_range(3..60));
            for y in y.max(0)..to_y.min(h) {
                for x in x.max(0)..to_x.min(w) {
                    let at = (y * w + x) as usize;
                    inside[at] = !inside[at];
                }
            }
        }
        let mut words = vec![0; layout.plane];
        for (at, inside) in inside.iter().enumerate() {
            let (x, y) = (at % w as usize, at / w as usize);
            words[layout.word(x, y)] |= u64::from(*inside) << (x % 64);
        }
        (inside, words)
    }

    /// The pixels on both sides of an outline, one by one.
    fn edges(inside: &[bool], w: usize, h: usize) -> Vec<bool> {
        let at = |x: usize, y: usize| inside[y * w + x];
        let differs = |i: usize| {
            let (x, y) = (i % w, i / w);
            at(x, y) != at(x.saturating_sub(1), y)
                || at(x, y) != at((x + 1).min(w - 1), y)
                || at(x, y) != at(x, y.saturating_sub(1))
                || at(x, y) != at(x, (y + 1).min(h - 1))
        };
        (0..w * h).map(differs).collect()
    }

    #[test]
    fn scores_are_sums_of_distances() {
        for (size, at) in [(128, 128), (64, 40), (70, 33), (200, 90)].iter().zip(0..) {
            let layout = Layout::new(size.0, size.1, Palette::ink().planes());
            let (w, h) = (size.0 as usize, size.1 as usize);
            let mut scratch = Scratch::default();
            for round in 0..20 {
                let (drawn, _) = boxes(&layout, 1000 * at + 2 * round);
                let marks = edges(&drawn, w, h);
                let mut sketch = Picture::filled(size.0, size.1, 1, 0);
                for (ink, mark) in sketch.data.iter_mut().zip(&marks) {
                    *ink = if *mark { 255 } else { 0 };
                }
                let strokes = Strokes::new(&sketch, &layout);
                let (inside, words) = boxes(&layout, 1000 * at + 2 * round + 1);
                let outline = edges(&inside, w, h);
                let found = strokes.score(&mut scratch, &words, &layout) as f64;
                let (mut to, mut from) = (Vec::new(), Vec::new());
                distances(w, h, &marks, FAR * UNIT, &mut to);
                distances(w, h, &outline, (FAR + 1) * UNIT, &mut from);
                let sum = |of: &[u16], over: &[bool]| {
                    let each = of.iter().zip(over).filter(|(_, over)| **over);
                    each.map(|(of, _)| f64::from(*of) / 3.0).sum::<f64>()
                };
                let thickness = Pen::new(&sketch).thickness;
                let exact = sum(&to, &outline) / 2.0 + sum(&from, &marks) / thickness;
                // Octagons are not circles, and steps are steps.
                let within = 0.12 * exact + 2.0;
                assert!((found - exact).abs() <= within, "{size:?} {found} {exact}");
            }
        }
    }

    #[test]
    fn what_is_under_the_strokes_scores_nothing_and_misses_nothing() {
        let layout = Layout::new(100, 75, 1);
        let mut scratch = Scratch::default();
        for round in 0..20 {
            let (inside, words) = boxes(&layout, round);
            let marks = edges(&inside, 100, 75);
            let mut sketch = Picture::filled(100, 75, 1, 0);
            for (ink, mark) in sketch.data.iter_mut().zip(&marks) {
                *ink = if *mark { 255 } else { 0 };
            }
            let strokes = Strokes::new(&sketch, &layout);
            assert_eq!(strokes.score(&mut scratch, &words, &layout), 0);
            // The picture with everything in a hole is the picture, with nothing the blank one.
            let (blank, full) = (vec![0; layout.plane], vec![u64::MAX; layout.plane]);
            let filled = (&blank[..], &full[..]);
            assert_eq!(
                strokes.score_filled(&mut scratch, filled, &words, &layout),
                0
            );
            let mut missing = Vec::new();
            strokes.missing(&mut scratch, &words, &layout, &mut missing);
            assert!(missing.iter().all(|word| *word == 0));
            strokes.missing(&mut scratch, &blank, &layout, &mut missing);
            let count: u32 = missing.iter().map(|word| word.count_ones()).sum();
            let all = marks.iter().filter(|mark| **mark).count();
            assert!(count as usize >= all && count as usize <= 3 * all + 4);
        }
    }
}
