//! What is done to words of 64 pixels, compiled for several processors and chosen as the program
//! starts.
//!
//! In: planes, runs of shapes. Out: planes, or a count of pixels. Each function is plain Rust that
//! the compiler turns into vector instructions; the attribute makes a copy for AVX-512 with its
//! own count of bits, one for AVX2, and one for any processor. All give the same words. A function does
//! a whole join or picture, so that choosing it costs nothing beside it.

use multiversion::multiversion;

use super::layout::{Block, Layout, Rows};
use super::runs::{PlacedRuns, Runs};

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

/// Calls `each` with every word of some rows of a column that holds runs, and their pixels in it.
#[inline(always)]
fn each_run(
    column: &mut [u64],
    runs: &Runs,
    (dx, dy): (i32, i32),
    left: i32,
    width: i32,
    rows: Rows,
    each: impl Fn(&mut u64, u64),
) {
    // Columns as the runs count them.
    let left = left - dx - runs.area.left;
    for stratum in &runs.strata {
        let top = stratum.top + dy;
        let from = rows.0.max(top);
        let to = rows.1.min(top + stratum.from.len() as i32);
        if from >= to {
            continue;
        }
        let own = (from - top) as usize..(to - top) as usize;
        let words = &mut column[from as usize..to as usize];
        let (begin, end) = (&stratum.from[own.clone()], &stratum.to[own]);
        for ((word, begin), end) in words.iter_mut().zip(begin).zip(end) {
            each(
                word,
                between(i32::from(*begin) - left, i32::from(*end) - left, width),
            );
        }
    }
}

/// A column of words of a plane, and where it is.
struct Column<'a> {
    words: &'a mut [u64],
    number: u32,
    layout: &'a Layout,
}

impl Column<'_> {
    #[inline(always)]
    fn fill(&mut self, rows: Rows, with: u64) {
        if rows.0 < rows.1 {
            self.words[rows.0 as usize..rows.1 as usize].fill(with);
        }
    }

    #[inline(always)]
    fn stamp(&mut self, runs: &Runs, by: (i32, i32), rows: Rows, each: impl Fn(&mut u64, u64)) {
        let (left, width) = (64 * self.number as i32, self.layout.across(self.number));
        each_run(self.words, runs, by, left, width, rows, each);
    }

    /// Sets rows, which lie in the block, to the operand's.
    #[inline(always)]
    fn write(&mut self, of: &Operand<'_>, rows: Rows) {
        if rows.0 >= rows.1 {
            return;
        }
        match of.pixels {
            Pixels::All => self.fill(rows, low(self.layout.across(self.number))),
            Pixels::Plane(words) => {
                let from = &words[self.layout.rows(self.number, rows)];
                self.words[rows.0 as usize..rows.1 as usize].copy_from_slice(from);
            }
            Pixels::Runs(runs, dx, dy) => {
                self.fill(rows, 0);
                self.stamp(runs, (dx, dy), rows, |word, mask| *word |= mask);
            }
        }
    }

    /// Joins the operand to rows, which lie in its block.
    #[inline(always)]
    fn mix(&mut self, how: Join, of: &Operand<'_>, rows: Rows) {
        if rows.0 >= rows.1 {
            return;
        }
        match of.pixels {
            Pixels::All => match how {
                Join::Union => self.fill(rows, low(self.layout.across(self.number))),
                Join::Difference => self.fill(rows, 0),
                Join::Intersection => {}
            },
            Pixels::Plane(words) => {
                let other = &words[self.layout.rows(self.number, rows)];
                let out = &mut self.words[rows.0 as usize..rows.1 as usize];
                let pairs = out.iter_mut().zip(other);
                match how {
                    Join::Union => pairs.for_each(|(out, other)| *out |= other),
                    Join::Difference => pairs.for_each(|(out, other)| *out &= !other),
                    Join::Intersection => pairs.for_each(|(out, other)| *out &= other),
                }
            }
            Pixels::Runs(runs, dx, dy) => match how {
                Join::Union => self.stamp(runs, (dx, dy), rows, |word, mask| *word |= mask),
                Join::Difference => self.stamp(runs, (dx, dy), rows, |word, mask| *word &= !mask),
                Join::Intersection => self.keep(runs, (dx, dy), rows),
            },
        }
    }

    /// Clears all pixels of rows outside the runs.
    fn keep(&mut self, runs: &Runs, (dx, dy): (i32, i32), rows: Rows) {
        let left = 64 * self.number as i32 - dx - runs.area.left;
        let width = self.layout.across(self.number);
        for y in rows.0..rows.1 {
            let mut mask = 0;
            for stratum in &runs.strata {
                let row = usize::try_from(y - dy - stratum.top).unwrap_or(usize::MAX);
                if let (Some(from), Some(to)) = (stratum.from.get(row), stratum.to.get(row)) {
                    mask |= between(i32::from(*from) - left, i32::from(*to) - left, width);
                }
            }
            self.words[y as usize] &= mask;
        }
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
    let both = a.block.meet(b.block);
    let block = match (how, b.pixels) {
        (Join::Union, _) => a.block.hull(b.block),
        (Join::Difference, Pixels::All) if !b.block.is_empty() => Block::EMPTY,
        (Join::Difference, _) => a.block,
        (Join::Intersection, _) => both,
    };
    if let (Pixels::Plane(x), Pixels::Plane(y)) = (a.pixels, b.pixels) {
        for number in block.columns.0..block.columns.1 {
            let column = layout.rows(number, (0, layout.height));
            let (x, y) = (&x[column.clone()], &y[column.clone()]);
            let (of_x, of_y) = (a.block.rows_at(number), b.block.rows_at(number));
            join_columns(&mut out[column], how, (x, of_x), (y, of_y), block.rows);
        }
        return block;
    }
    let (top, bottom) = block.rows;
    for number in block.columns.0..block.columns.1 {
        let mut column = Column {
            words: &mut out[layout.rows(number, (0, layout.height))],
            number,
            layout,
        };
        match how {
            Join::Union => {
                let (a0, a1) = a.block.rows_at(number);
                let (b0, b1) = b.block.rows_at(number);
                if a0 >= a1 {
                    column.fill((top, b0.max(top)), 0);
                    column.write(b, (b0, b1));
                    column.fill((b1.max(top), bottom), 0);
                } else {
                    column.fill((top, a0), 0);
                    column.write(a, (a0, a1));
                    column.fill((a1, bottom), 0);
                    column.mix(how, b, (b0, b1));
                }
            }
            Join::Difference => {
                column.write(a, block.rows);
                column.mix(how, b, both.rows_at(number));
            }
            Join::Intersection => {
                // Runs are written, planes are combined in one go.
                let (first, second) = match a.pixels {
                    Pixels::Runs(..) => (a, b),
                    _ => (b, a),
                };
                column.write(first, block.rows);
                column.mix(how, second, block.rows);
            }
        }
    }
    block
}

/// Joins two columns of words, of which some rows count, into all rows of a third: each word is
/// read and written once.
#[inline(always)]
fn join_columns(
    out: &mut [u64],
    how: Join,
    (x, of_x): (&[u64], Rows),
    (y, of_y): (&[u64], Rows),
    rows: Rows,
) {
    let range = |(from, to): Rows| from.max(0) as usize..to.max(from).max(0) as usize;
    let both = (of_x.0.max(of_y.0), of_x.1.min(of_y.1));
    if both.0 >= both.1 {
        // Nowhere both: what there is of each, and nothing around it.
        out[range(rows)].fill(0);
        if !matches!(how, Join::Intersection) {
            out[range(of_x)].copy_from_slice(&x[range(of_x)]);
        }
        if matches!(how, Join::Union) {
            out[range(of_y)].copy_from_slice(&y[range(of_y)]);
        }
        return;
    }
    let (above, below) = ((rows.0, both.0), (both.1, rows.1));
    if !matches!(how, Join::Intersection) {
        // Above and below the rows of both are those of one, or of none.
        for rest in [above, below] {
            let inside = |of: Rows| of.0 <= rest.0 && rest.1 <= of.1;
            if rest.0 >= rest.1 {
            } else if inside(of_x) {
                out[range(rest)].copy_from_slice(&x[range(rest)]);
            } else if inside(of_y) && matches!(how, Join::Union) {
                out[range(rest)].copy_from_slice(&y[range(rest)]);
            } else {
                out[range(rest)].fill(0);
            }
        }
    }
    let (out, x, y) = (&mut out[range(both)], &x[range(both)], &y[range(both)]);
    let words = out.iter_mut().zip(x).zip(y);
    match how {
        Join::Union => words.for_each(|((out, x), y)| *out = x | y),
        Join::Difference => words.for_each(|((out, x), y)| *out = x & !y),
        Join::Intersection => words.for_each(|((out, x), y)| *out = x & y),
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
        if from >= to {
            continue;
        }
        let target = &target[layout.rows(number, (from, to))];
        wrong += match of.pixels {
            Pixels::Plane(words) => {
                differing_in::<1>(&words[layout.rows(number, (from, to))], target)
            }
            Pixels::All => {
                let all = low(layout.across(number));
                target
                    .iter()
                    .map(|t| u64::from((all ^ t).count_ones()))
                    .sum()
            }
            Pixels::Runs(runs, dx, dy) => {
                let mut sum = 0;
                // Of one row at a time: a shape alone is rare.
                for (y, target) in (from..to).zip(target) {
                    let mut word = 0;
                    for stratum in &runs.strata {
                        let row = usize::try_from(y - dy - stratum.top).unwrap_or(usize::MAX);
                        let run = stratum.from.get(row).zip(stratum.to.get(row));
                        if let Some((begin, end)) = run {
                            let left = 64 * number as i32 - dx - runs.area.left;
                            let (begin, end) = (i32::from(*begin), i32::from(*end));
                            word |= between(begin - left, end - left, layout.across(number));
                        }
                    }
                    sum += u64::from((word ^ target).count_ones());
                }
                sum
            }
        };
    }
    wrong
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
    for bit in 0..planes {
        let plane = &mut picture[bit * layout.plane..][..layout.plane];
        let how = match code >> bit & 1 {
            1 => Join::Union,
            _ => Join::Difference,
        };
        for number in of.block.columns.0..of.block.columns.1 {
            let mut column = Column {
                words: &mut plane[layout.rows(number, (0, layout.height))],
                number,
                layout,
            };
            column.mix(how, of, of.block.rows);
        }
    }
}

/// Number of pixels in which the pictures differ in any of their planes, which lie one behind the
/// other.
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
    if len == 0 {
        return 0;
    }
    let (mut left, mut right) = (a.chunks_exact(len), b.chunks_exact(len));
    let left: [&[u64]; N] = std::array::from_fn(|_| left.next().unwrap_or(&[]));
    let right: [&[u64]; N] = std::array::from_fn(|_| right.next().unwrap_or(&[]));
    // Slices of one known length: no checks in the loop.
    let (left, right) = (left.map(|x| &x[..len]), right.map(|x| &x[..len]));
    let mut sum = 0;
    for i in 0..len {
        let mut any = 0;
        for plane in 0..N {
            any |= left[plane][i] ^ right[plane][i];
        }
        sum += u64::from(any.count_ones());
    }
    sum
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
            let len = 240 / planes;
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
