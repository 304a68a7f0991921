//! What is done to words of 64 pixels, compiled for several processors and chosen as the program
//! starts.
//!
//! In: planes, runs of shapes. Out: planes, or a count of pixels. Each function is plain Rust that
//! the compiler turns into vector instructions; the attribute makes a copy for AVX-512 with its
//! own count of bits, one for AVX2, and one for any processor. All give the same words. A function does
//! a whole join or picture, so that choosing it costs nothing beside it.

use multiversion::multiversion;

use super::layout::{Block, Layout, Rows};
use super::runs::{MARGIN, PlacedRuns, Runs};

/// How two regions are joined.
#[derive(Clone, Copy, Debug)]
pub(super) enum Join {
    Union,
    Difference,
    Intersection,
}

/// The pixels of a region, none outside a block.
#[derive(Clone, Copy)]
pub(super) struct Operand<'a> {
    pub(super) block: Block,
    pixels: Pixels<'a>,
}

#[derive(Clone, Copy)]
enum Pixels<'a> {
    All,
    /// Of the plane only the block counts.
    Plane(&'a [u64]),
    Runs(&'a Runs, i32, i32),
}

impl<'a> Operand<'a> {
    pub(super) const EMPTY: Operand<'static> = Operand {
        block: Block::EMPTY,
        pixels: Pixels::All,
    };

    pub(super) fn all(layout: &Layout) -> Operand<'static> {
        Operand {
            block: Block::all(layout),
            pixels: Pixels::All,
        }
    }

    pub(super) fn plane(words: &'a [u64], block: Block) -> Operand<'a> {
        Operand {
            block,
            pixels: Pixels::Plane(words),
        }
    }

    pub(super) fn runs(runs: &'a Runs, placed: PlacedRuns, block: Block) -> Operand<'a> {
        Operand {
            block,
            pixels: Pixels::Runs(runs, placed.dx, placed.dy),
        }
    }
}

/// The lowest `n` bits, of 0 to 64.
#[inline(always)]
fn low(n: i32) -> u64 {
    // 1 shifted out is 0, less 1 is all.
    1u64.unbounded_shl(n as u32).wrapping_sub(1)
}

/// The pixels from a column up to another of a word that holds `width` pixels.
#[inline(always)]
fn between(from: i32, to: i32, width: i32) -> u64 {
    low(from.clamp(0, width)) ^ low(to.clamp(0, width))
}

/// Eight words one below the other: what vector instructions take in one go.
type Octet = [u64; 8];

/// The pixels of a region in one column of words, eight rows at a time.
trait Column {
    /// Rows from `y`, a multiple of eight; some of them are in the region's block. What is not
    /// there yet is made in `buffer`.
    fn octet<'a>(&'a self, y: i32, buffer: &'a mut Octet) -> &'a Octet;
}

const ZERO: Octet = [0; 8];

struct AllColumn(Octet);

impl Column for AllColumn {
    #[inline(always)]
    fn octet<'a>(&'a self, _: i32, _: &'a mut Octet) -> &'a Octet {
        &self.0
    }
}

struct PlaneColumn<'a>(&'a [u64]);

impl Column for PlaneColumn<'_> {
    #[inline(always)]
    fn octet<'a>(&'a self, y: i32, _: &'a mut Octet) -> &'a Octet {
        octet_of(self.0, y as usize)
    }
}

struct RunsColumn<'a> {
    runs: &'a Runs,
    /// The first pixel of the words as the runs count columns, and pixels across.
    left: i32,
    width: i32,
    /// Row 0 as the runs count rows.
    top: i32,
}

impl<'a> RunsColumn<'a> {
    #[inline(always)]
    fn new(runs: &'a Runs, (dx, dy): (i32, i32), number: u32, layout: &Layout) -> RunsColumn<'a> {
        RunsColumn {
            runs,
            left: 64 * number as i32 - dx - runs.area.left,
            width: layout.across(number),
            top: MARGIN as i32 - dy - runs.area.top,
        }
    }
}

impl Column for RunsColumn<'_> {
    #[inline(always)]
    fn octet<'a>(&'a self, y: i32, out: &'a mut Octet) -> &'a Octet {
        *out = ZERO;
        // Rows around the runs are there, and empty, up to the margin.
        let row = (y + self.top) as usize;
        for stratum in &self.runs.strata {
            let (Some(from), Some(to)) = (eight(&stratum.from, row), eight(&stratum.to, row))
            else {
                continue;
            };
            let (from, to, old) = (*from, *to, *out);
            *out = std::array::from_fn(|i| {
                let (from, to) = (i32::from(from[i]), i32::from(to[i]));
                old[i] | between(from - self.left, to - self.left, self.width)
            });
        }
        out
    }
}

/// Eight things of a row of them.
#[inline(always)]
fn eight<T>(all: &[T], at: usize) -> Option<&[T; 8]> {
    all.get(at..)?.first_chunk()
}

#[inline(always)]
fn octet_of(words: &[u64], at: usize) -> &Octet {
    eight(words, at).unwrap_or(&ZERO)
}

/// Calls a function with the operand's pixels in a column, as a type of their own.
macro_rules! with_column {
    ($of:expr, $number:expr, $layout:expr, |$column:ident| $body:expr) => {
        match $of.pixels {
            Pixels::All => {
                let $column = AllColumn([low($layout.across($number)); 8]);
                $body
            }
            Pixels::Plane(words) => {
                let $column = PlaneColumn(&words[$layout.column_at($number)]);
                $body
            }
            Pixels::Runs(runs, dx, dy) => {
                let $column = RunsColumn::new(runs, (dx, dy), $number, $layout);
                $body
            }
        }
    };
}

/// Writes a region into a plane, which holds anything around its block afterwards.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vpopcntdq+avx512vbmi2+bmi1+bmi2+popcnt",
    "x86_64+avx2+bmi1+bmi2+popcnt"
))]
pub(super) fn stamp(out: &mut [u64], of: &Operand<'_>, layout: &Layout) {
    let (from, to) = of.block.rows;
    for number in of.block.columns.0..of.block.columns.1 {
        let out = &mut out[layout.rows(number, (from, to))];
        with_column!(of, number, layout, |column| {
            let mut buffer = ZERO;
            let mut at = from;
            for out in out.as_chunks_mut::<8>().0 {
                *out = *column.octet(at, &mut buffer);
                at += 8;
            }
        });
    }
}

/// Writes into a plane what two regions are together. Returns where that can be; around it the
/// plane holds anything.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vpopcntdq+avx512vbmi2+bmi1+bmi2+popcnt",
    "x86_64+avx2+bmi1+bmi2+popcnt"
))]
pub(super) fn join(
    out: &mut [u64],
    how: Join,
    a: &Operand<'_>,
    b: &Operand<'_>,
    layout: &Layout,
) -> Block {
    let block = match (how, b.pixels) {
        (Join::Union, _) => a.block.hull(b.block),
        (Join::Difference, Pixels::All) if !b.block.is_empty() => Block::EMPTY,
        (Join::Difference, _) => a.block,
        (Join::Intersection, _) => a.block.meet(b.block),
    };
    for number in block.columns.0..block.columns.1 {
        let column = layout.column_at(number);
        let out = &mut out[column.clone()];
        let rows = (block.rows, a.block.rows_at(number), b.block.rows_at(number));
        if let (Pixels::Plane(x), Pixels::Plane(y)) = (a.pixels, b.pixels) {
            let (x, y) = (&x[column.clone()], &y[column]);
            match how {
                Join::Union => join_planes(out, x, y, rows, |x, y| x | y),
                Join::Difference => join_planes(out, x, y, rows, |x, y| x & !y),
                Join::Intersection => join_planes(out, x, y, rows, |x, y| x & y),
            }
            continue;
        }
        with_column!(a, number, layout, |x| with_column!(
            b,
            number,
            layout,
            |y| {
                join_columns(out, how, &x, &y, rows);
            }
        ));
    }
    block
}

/// Columns of two planes, of which some rows count, joined into all rows of a third: what is of
/// both, of one, and of none is written without asking at each word.
#[inline(always)]
fn join_planes(
    out: &mut [u64],
    x: &[u64],
    y: &[u64],
    (rows, of_x, of_y): (Rows, Rows, Rows),
    how: impl Fn(u64, u64) -> u64 + Copy,
) {
    let mut at = rows.0;
    while at < rows.1 {
        let in_x = of_x.0 <= at && at < of_x.1;
        let in_y = of_y.0 <= at && at < of_y.1;
        // As far as nothing begins or ends.
        let sides = [of_x.0, of_x.1, of_y.0, of_y.1, rows.1];
        let end = sides.into_iter().filter(|side| *side > at).min();
        let end = end.unwrap_or(rows.1).min(rows.1);
        let range = at as usize..end as usize;
        at = end;
        let Some(out) = out.get_mut(range.clone()) else {
            return;
        };
        let out = out.as_chunks_mut::<8>().0;
        let x = x.get(range.clone()).unwrap_or(&[]).as_chunks::<8>().0;
        let y = y.get(range).unwrap_or(&[]).as_chunks::<8>().0;
        match (in_x, in_y) {
            (true, true) => {
                for ((out, x), y) in out.iter_mut().zip(x).zip(y) {
                    let (x, y) = (*x, *y);
                    *out = std::array::from_fn(|i| how(x[i], y[i]));
                }
            }
            (true, false) => {
                for (out, x) in out.iter_mut().zip(x) {
                    let x = *x;
                    *out = std::array::from_fn(|i| how(x[i], 0));
                }
            }
            (false, true) => {
                for (out, y) in out.iter_mut().zip(y) {
                    let y = *y;
                    *out = std::array::from_fn(|i| how(0, y[i]));
                }
            }
            (false, false) => out.fill(ZERO),
        }
    }
}

#[inline(always)]
fn join_columns(
    out: &mut [u64],
    how: Join,
    x: &impl Column,
    y: &impl Column,
    (rows, of_x, of_y): (Rows, Rows, Rows),
) {
    match how {
        Join::Union => join_rows(out, x, y, rows, of_x, of_y, |x, y| x | y),
        Join::Difference => join_rows(out, x, y, rows, of_x, of_y, |x, y| x & !y),
        Join::Intersection => join_rows(out, x, y, rows, of_x, of_y, |x, y| x & y),
    }
}

#[inline(always)]
fn join_rows(
    out: &mut [u64],
    x: &impl Column,
    y: &impl Column,
    rows: Rows,
    of_x: Rows,
    of_y: Rows,
    how: impl Fn(u64, u64) -> u64 + Copy,
) {
    let Some(out) = out.get_mut(rows.0 as usize..rows.1 as usize) else {
        return;
    };
    let (mut left, mut right) = (ZERO, ZERO);
    let mut at = rows.0;
    for out in out.as_chunks_mut::<8>().0 {
        let in_x = of_x.0 <= at && at < of_x.1;
        let in_y = of_y.0 <= at && at < of_y.1;
        let left = if in_x { x.octet(at, &mut left) } else { &ZERO };
        let right = if in_y { y.octet(at, &mut right) } else { &ZERO };
        // All is read before anything is written: only then is it one instruction.
        let (left, right) = (*left, *right);
        *out = std::array::from_fn(|i| how(left[i], right[i]));
        at += 8;
    }
}

/// Number of pixels in which a region and a target of one plane differ. `above` says, column of
/// words by column, how many of the target's pixels are set above each row, and in all.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vpopcntdq+avx512vbmi2+bmi1+bmi2+popcnt",
    "x86_64+avx2+bmi1+bmi2+popcnt"
))]
pub(super) fn wrong(of: &Operand<'_>, (target, above): (&[u64], &[u64]), layout: &Layout) -> u64 {
    let height = layout.column();
    let mut wrong = 0;
    for (number, above) in (0..layout.columns).zip(above.chunks_exact(height + 1)) {
        let (from, to) = of.block.rows_at(number);
        wrong += above[height] - (above[to as usize] - above[from as usize]);
        let target = &target[layout.rows(number, (from, to))];
        with_column!(of, number, layout, |column| {
            wrong += wrong_in(&column, target, from, layout.height);
        });
    }
    wrong
}

#[inline(always)]
fn wrong_in(column: &impl Column, target: &[u64], from: i32, height: i32) -> u64 {
    let mut sums = ZERO;
    let mut buffer = ZERO;
    let mut at = from;
    for target in target.as_chunks::<8>().0 {
        let octet = column.octet(at, &mut buffer);
        if at + 8 <= height {
            for i in 0..8 {
                sums[i] += u64::from((octet[i] ^ target[i]).count_ones());
            }
        } else {
            // Rows past the last of the canvas hold nothing that counts.
            for i in 0..(height - at).max(0) as usize {
                sums[i] += u64::from((octet[i] ^ target[i]).count_ones());
            }
        }
        at += 8;
    }
    sums.iter().sum()
}

/// Paints a region in a colour, of which each plane takes a bit.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vpopcntdq+avx512vbmi2+bmi1+bmi2+popcnt",
    "x86_64+avx2+bmi1+bmi2+popcnt"
))]
pub(super) fn paint(
    picture: &mut [u64],
    planes: usize,
    of: &Operand<'_>,
    layout: &Layout,
    code: u8,
) {
    for number in of.block.columns.0..of.block.columns.1 {
        with_column!(of, number, layout, |column| {
            paint_column(
                picture,
                planes,
                &column,
                of.block.rows,
                number,
                layout,
                code,
            );
        });
    }
}

#[inline(always)]
fn paint_column(
    picture: &mut [u64],
    planes: usize,
    column: &impl Column,
    rows: Rows,
    number: u32,
    layout: &Layout,
    code: u8,
) {
    let start = layout.rows(number, rows).start;
    let mut buffer = ZERO;
    for at in (rows.0..rows.1).step_by(8) {
        let octet = column.octet(at, &mut buffer);
        // Rows past the last of the canvas stay as they are.
        let inside = (layout.height - at).clamp(0, 8) as usize;
        for bit in 0..planes {
            let bits = if code >> bit & 1 == 1 { u64::MAX } else { 0 };
            let word = bit * layout.plane + start + (at - rows.0) as usize;
            let words = picture
                .get_mut(word..)
                .and_then(|rest| rest.first_chunk_mut::<8>());
            let Some(words) = words else {
                continue;
            };
            if inside == 8 {
                let (old, mask) = (*words, *octet);
                *words = std::array::from_fn(|i| old[i] & !mask[i] | mask[i] & bits);
            } else {
                for i in 0..inside {
                    words[i] = words[i] & !octet[i] | octet[i] & bits;
                }
            }
        }
    }
}

/// Number of pixels in which the pictures differ in any of their planes, which lie one behind the
/// other, each of a multiple of eight words.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vpopcntdq+avx512vbmi2+bmi1+bmi2+popcnt",
    "x86_64+avx2+bmi1+bmi2+popcnt"
))]
pub(super) fn differing(a: &[u64], b: &[u64], planes: usize) -> u64 {
    match planes {
        1 => differing_in::<1>(a, b),
        2 => differing_in::<2>(a, b),
        3 => differing_in::<3>(a, b),
        4 => differing_in::<4>(a, b),
        5 => differing_in::<5>(a, b),
        6 => differing_in::<6>(a, b),
        7 => differing_in::<7>(a, b),
        _ => differing_in::<8>(a, b),
    }
}

#[inline(always)]
fn differing_in<const N: usize>(a: &[u64], b: &[u64]) -> u64 {
    let len = a.len().min(b.len()) / N;
    let mut sums = [0u64; 8];
    let mut at = 0;
    while at < len {
        let mut any = [0; 8];
        for plane in 0..N {
            let (x, y) = (octet_of(a, plane * len + at), octet_of(b, plane * len + at));
            for i in 0..8 {
                any[i] |= x[i] ^ y[i];
            }
        }
        for i in 0..8 {
            sums[i] += u64::from(any[i].count_ones());
        }
        at += 8;
    }
    sums.into_iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_hold_the_pixels_between() {
        for width in [1, 17, 63, 64] {
            for from in -80..150 {
                for to in from..150 {
                    let word = between(from, to, width);
                    for bit in 0..64 {
                        let inside = bit < width && (from..to).contains(&bit);
                        assert_eq!(word >> bit & 1 == 1, inside, "{from}..{to} of {width}");
                    }
                }
            }
        }
    }

    #[test]
    fn pictures_differ_where_any_plane_does() {
        let a: Vec<u64> = (0..240u64)
            .map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15))
            .collect();
        let b: Vec<u64> = (0..240u64)
            .map(|i| i.wrapping_mul(0xd1b5_4a32_d192_ed03))
            .collect();
        for planes in 1..=8 {
            let len = 240 / planes / 8 * 8;
            let slow: u64 = (0..len)
                .map(|i| {
                    let any = (0..planes).fold(0, |any, p| any | (a[p * len + i] ^ b[p * len + i]));
                    u64::from(any.count_ones())
                })
                .sum();
            assert_eq!(
                differing(&a[..planes * len], &b[..planes * len], planes),
                slow
            );
        }
    }
}
