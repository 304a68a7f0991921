//! What is done to words of 64 pixels, compiled for several processors and chosen as the program
//! starts.
//!
//! In: planes, runs of shapes. Out: planes, or a count of pixels. Each function is plain Rust that
//! the compiler turns into vector instructions; the attribute makes a copy for AVX-512 with its
//! own count of bits, one for AVX2, and one for any processor. All give the same words. A function does
//! a whole join or picture, so that choosing it costs nothing beside it.
//!
//! Rows are taken in whole [`STEP`]s, and outside their block planes are 0: so a loop has no
//! beginning, end or side that is different, and the processor no branch to guess. That is worth
//! more than the words that are done in vain.

use multiversion::multiversion;

use super::layout::{Block, Layout, Rows, STEP, down, up};
use super::runs::{Runs, Stratum};
use super::spans::Spans;

/// How two regions are joined.
#[derive(Clone, Copy, Debug)]
pub(super) enum Join {
    Union,
    Difference,
    Intersection,
}

/// The pixels of a region: a plane that is 0 outside a block.
#[derive(Clone, Copy)]
pub(super) struct Operand<'a> {
    pub(super) words: &'a [u64],
    pub(super) block: Block,
}

/// The lowest `n` bits, of 0 to 64.
#[inline(always)]
pub(super) fn low(n: i32) -> u64 {
    // 1 shifted out is 0, less 1 is all.
    1u64.unbounded_shl(n as u32).wrapping_sub(1)
}

/// How columns that runs count become bits of a word: less `back`, more `on`, of which one is 0, in
/// numbers that stop at both ends; of the word only some bits are pixels.
#[derive(Clone, Copy)]
struct Window {
    back: u16,
    on: u16,
    pixels: u64,
}

impl Window {
    /// Of the word whose first pixel is in column `left` of the runs, and which holds `width`.
    #[inline(always)]
    fn new(left: i32, width: i32) -> Window {
        let most = |n: i32| n.clamp(0, i32::from(u16::MAX)) as u16;
        Window {
            back: most(left),
            on: most(left.saturating_neg()),
            pixels: low(width),
        }
    }

    /// The pixels of a run.
    #[inline(always)]
    fn of(self, from: u16, to: u16) -> u64 {
        // Shifted by 64 or more, nothing is left: a run that ends beyond the word fills it.
        let at = |x: u16| u32::from(x.saturating_sub(self.back).saturating_add(self.on));
        let (from, to) = (at(from), at(to));
        (u64::MAX.unbounded_shl(from) ^ u64::MAX.unbounded_shl(to)) & self.pixels
    }
}

/// Whole steps of something that has a length of whole steps: says so to the compiler.
#[inline(always)]
fn steps<T>(of: &[T]) -> &[T] {
    &of[..of.len() & !(STEP as usize - 1)]
}

/// The same of what is written.
#[inline(always)]
fn steps_mut<T>(of: &mut [T]) -> &mut [T] {
    let len = of.len() & !(STEP as usize - 1);
    &mut of[..len]
}

/// Writes a shape into a plane that is 0 outside the block `stale`, and afterwards outside
/// `block`.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vpopcntdq+avx512vbmi2+bmi1+bmi2+popcnt",
    "x86_64+avx2+bmi1+bmi2+popcnt"
))]
pub(super) fn stamp(
    out: &mut [u64],
    runs: &Runs,
    (dx, dy): (i32, i32),
    block: Block,
    stale: Block,
    layout: &Layout,
) {
    clear_around(out, block, stale, layout);
    for number in block.columns.0..block.columns.1 {
        let column = &mut out[layout.rows(number, (0, layout.stack))];
        // Columns as the runs count them.
        let left = 64 * number as i32 - dx - runs.area.left;
        let window = Window::new(left, layout.across(number));
        let mut first = true;
        for stratum in runs.strata() {
            let (rows, from, to) = rows_of(stratum, dy, layout);
            let words = steps_mut(&mut column[rows.0 as usize..rows.1 as usize]);
            let each = words.iter_mut().zip(from).zip(to);
            // The first has a run in all rows that have one.
            if first {
                each.for_each(|((word, from), to)| *word = window.of(*from, *to));
            } else {
                each.for_each(|((word, from), to)| *word |= window.of(*from, *to));
            }
            first = false;
        }
        if block.rows.1 > layout.height {
            column[layout.height as usize..].fill(0);
        }
    }
}

/// The rows of a canvas in which a stratum is, in whole steps, and its runs in them.
#[inline(always)]
fn rows_of<'a>(stratum: &'a Stratum, dy: i32, layout: &Layout) -> (Rows, &'a [u16], &'a [u16]) {
    let top = stratum.top + dy;
    let bottom = top + stratum.rows();
    let rows = (down(top.max(0)), up(bottom.min(layout.height)));
    if rows.0 >= rows.1 {
        return ((0, 0), &[], &[]);
    }
    let (from, to) = stratum.runs((rows.0 - top, rows.1 - top));
    (rows, steps(from), steps(to))
}

/// Sets all pixels of a plane.
pub(super) fn fill(out: &mut [u64], layout: &Layout) {
    for number in 0..layout.columns {
        out[layout.rows(number, (0, layout.height))].fill(low(layout.across(number)));
    }
}

/// Clears what of one block is not in another.
#[inline(always)]
fn clear_around(out: &mut [u64], block: Block, stale: Block, layout: &Layout) {
    for number in stale.columns.0..stale.columns.1 {
        let column = &mut out[layout.rows(number, (0, layout.stack))];
        let rows = block.rows_at(number);
        let (above, below) = match rows.0 < rows.1 {
            true => (
                (stale.rows.0, rows.0.min(stale.rows.1)),
                (rows.1.max(stale.rows.0), stale.rows.1),
            ),
            false => (stale.rows, (0, 0)),
        };
        for rest in [above, below] {
            if rest.0 < rest.1 {
                steps_mut(&mut column[rest.0 as usize..rest.1 as usize]).fill(0);
            }
        }
    }
}

/// Writes into a plane, which is 0 outside the block `stale`, what two regions are together.
/// Returns the block outside of which it is 0 afterwards.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vpopcntdq+avx512vbmi2+bmi1+bmi2+popcnt",
    "x86_64+avx2+bmi1+bmi2+popcnt"
))]
pub(super) fn join(
    out: &mut [u64],
    how: Join,
    a: Operand<'_>,
    b: Operand<'_>,
    stale: Block,
    layout: &Layout,
) -> Block {
    let block = match how {
        Join::Union => a.block.hull(b.block),
        Join::Difference => a.block,
        Join::Intersection => a.block.meet(b.block),
    };
    clear_around(out, block, stale, layout);
    for number in block.columns.0..block.columns.1 {
        let rows = layout.rows(number, block.rows);
        let out = steps_mut(&mut out[rows.clone()]);
        let (a, b) = (steps(&a.words[rows.clone()]), steps(&b.words[rows]));
        let words = out.iter_mut().zip(a).zip(b);
        match how {
            Join::Union => words.for_each(|((out, a), b)| *out = a | b),
            Join::Difference => words.for_each(|((out, a), b)| *out = a & !b),
            Join::Intersection => words.for_each(|((out, a), b)| *out = a & b),
        }
    }
    block
}

/// Number of pixels in which a region and a target of one plane differ. `above` says, column of
/// words by column, how many of the target's pixels are set above each row, and in all.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vpopcntdq+avx512vbmi2+bmi1+bmi2+popcnt",
    "x86_64+avx2+bmi1+bmi2+popcnt"
))]
pub(super) fn wrong(of: Operand<'_>, (target, above): (&[u64], &[u64]), layout: &Layout) -> u64 {
    let height = layout.column();
    let mut wrong = 0;
    for (number, above) in (0..layout.columns).zip(above.chunks_exact(height + 1)) {
        let (from, to) = of.block.rows_at(number);
        wrong += above[height] - (above[to as usize] - above[from as usize]);
        if from < to {
            let rows = layout.rows(number, (from, to));
            let (words, target) = (steps(&of.words[rows.clone()]), steps(&target[rows]));
            wrong += differing_in::<1>(words, target);
        }
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
    of: Operand<'_>,
    layout: &Layout,
    code: u8,
) {
    for bit in 0..planes {
        let plane = &mut picture[bit * layout.plane..][..layout.plane];
        for number in of.block.columns.0..of.block.columns.1 {
            let rows = layout.rows(number, of.block.rows);
            let out = steps_mut(&mut plane[rows.clone()]);
            let words = out.iter_mut().zip(steps(&of.words[rows]));
            match code >> bit & 1 {
                1 => words.for_each(|(out, word)| *out |= word),
                _ => words.for_each(|(out, word)| *out &= !word),
            }
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

/// Sets the pixels in which pictures differ in any of their planes.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vpopcntdq+avx512vbmi2+bmi1+bmi2+popcnt",
    "x86_64+avx2+bmi1+bmi2+popcnt"
))]
pub(super) fn differ(out: &mut [u64], a: &[u64], b: &[u64], planes: usize) {
    let len = out.len();
    for plane in 0..planes {
        let (a, b) = (&a[plane * len..][..len], &b[plane * len..][..len]);
        let words = out.iter_mut().zip(a).zip(b);
        match plane {
            0 => words.for_each(|((out, a), b)| *out = a ^ b),
            _ => words.for_each(|((out, a), b)| *out |= a ^ b),
        }
    }
}

/// For each byte, of which bit 0 is the leftmost pixel, how many pixels are set up to each: a byte
/// for each of them.
static SET_UP_TO: [u64; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut sum, mut sums, mut bit) = (0, 0, 0);
        while bit < 8 {
            sum += (byte as u64 >> bit) & 1;
            sums |= sum << (8 * bit);
            bit += 1;
        }
        table[byte] = sums;
        byte += 1;
    }
    table
};

/// Row by row, for each column and one past the last: how many pixels before it are set in `plus`,
/// less those set in `minus`. Rows are at most 32,767 pixels wide.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vpopcntdq+avx512vbmi2+bmi1+bmi2+popcnt",
    "x86_64+avx2+bmi1+bmi2+popcnt"
))]
pub(super) fn prefix_sums(plus: &[u64], minus: &[u64], layout: &Layout, out: &mut Vec<i16>) {
    const BIAS: u64 = 0x0808_0808_0808_0808;
    let (width, height) = (layout.width as usize, layout.height as usize);
    let stride = width + 1;
    // The last row is written in whole words: it needs room behind it.
    out.resize(height * stride + 64, 0);
    for y in 0..height {
        let row = &mut out[y * stride..][..stride + 63];
        row[0] = 0;
        let mut sum = 0i16;
        for column in 0..layout.columns as usize {
            let at = column * layout.column() + y;
            let (mut plus, mut minus) = (plus[at], minus[at]);
            for eight in row[1 + 64 * column..][..64].chunks_exact_mut(8) {
                let sums = SET_UP_TO[plus as usize & 255] + BIAS - SET_UP_TO[minus as usize & 255];
                for (out, byte) in eight.iter_mut().zip(sums.to_le_bytes()) {
                    *out = sum + i16::from(byte) - 8;
                }
                sum = eight[7];
                plus >>= 8;
                minus >>= 8;
            }
        }
    }
}

/// The sum over a shape's pixels on a canvas, from sums over the rows of [`prefix_sums`].
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vpopcntdq+avx512vbmi2+bmi1+bmi2+popcnt",
    "x86_64+avx2+bmi1+bmi2+popcnt"
))]
pub(super) fn worth(
    before: &[i16],
    (width, height): (i32, i32),
    runs: &Runs,
    (dx, dy): (i32, i32),
) -> i64 {
    let stride = width as usize + 1;
    let left = runs.area.left.saturating_add(dx);
    let column = |x: u16| left.saturating_add(i32::from(x)).clamp(0, width) as usize;
    let mut sum = 0i64;
    for stratum in runs.strata() {
        let top = stratum.top.saturating_add(dy);
        let bottom = top.saturating_add(stratum.rows());
        let (from, to) = (top.max(0), bottom.min(height));
        if from >= to {
            continue;
        }
        let (starts, ends) = stratum.runs((from - top, to - top));
        let rows = before[from as usize * stride..].chunks(stride);
        for ((row, start), end) in rows.zip(starts).zip(ends) {
            sum += i64::from(row[column(*end)]) - i64::from(row[column(*start)]);
        }
    }
    sum
}

/// Writes a convex shape into a plane, whatever is there.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vpopcntdq+avx512vbmi2+bmi1+bmi2+popcnt",
    "x86_64+avx2+bmi1+bmi2+popcnt"
))]
pub(super) fn stamp_spans(out: &mut [u64], spans: &Spans, layout: &Layout) {
    out.fill(0);
    for number in 0..layout.columns {
        let column = &mut out[layout.rows(number, (0, layout.height))];
        let left = 64 * number as i32;
        let pixels = layout.across(number);
        let bit = |x: i32| (x - left).clamp(0, pixels);
        let rows = column.iter_mut().skip(spans.top as usize);
        for ((word, from), to) in rows.zip(&spans.from).zip(&spans.to) {
            *word = low(bit(*to)) & !low(bit(*from));
        }
    }
}

/// Joins whole planes.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vpopcntdq+avx512vbmi2+bmi1+bmi2+popcnt",
    "x86_64+avx2+bmi1+bmi2+popcnt"
))]
pub(super) fn join_planes(out: &mut [u64], how: Join, a: &[u64], b: &[u64]) {
    let words = steps_mut(out).iter_mut().zip(steps(a)).zip(steps(b));
    match how {
        Join::Union => words.for_each(|((out, a), b)| *out = a | b),
        Join::Difference => words.for_each(|((out, a), b)| *out = a & !b),
        Join::Intersection => words.for_each(|((out, a), b)| *out = a & b),
    }
}

/// The same of a convex shape by formula.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vpopcntdq+avx512vbmi2+bmi1+bmi2+popcnt",
    "x86_64+avx2+bmi1+bmi2+popcnt"
))]
pub(super) fn worth_of_spans(before: &[i16], (width, _): (i32, i32), spans: &Spans) -> i64 {
    let stride = width as usize + 1;
    let column = |x: i32| x.clamp(0, width) as usize;
    let rows = before[spans.top as usize * stride..].chunks(stride);
    let mut sum = 0i64;
    for ((row, from), to) in rows.zip(&spans.from).zip(&spans.to) {
        let (from, to) = (column(*from), column(*to));
        if from < to {
            sum += i64::from(row[to]) - i64::from(row[from]);
        }
    }
    sum
}

/// Number of pixels of a plane that are set in `plus`, less those that are set in `minus`.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vpopcntdq+avx512vbmi2+bmi1+bmi2+popcnt",
    "x86_64+avx2+bmi1+bmi2+popcnt"
))]
pub(super) fn worth_of_plane(of: &[u64], plus: &[u64], minus: &[u64]) -> i64 {
    let mut sum = 0;
    for ((of, plus), minus) in steps(of).iter().zip(steps(plus)).zip(steps(minus)) {
        sum += i64::from((of & plus).count_ones()) - i64::from((of & minus).count_ones());
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_hold_the_pixels_between() {
        let lefts = [-300, -64, -7, 0, 5, 64, 130];
        let cases = [1, 17, 63, 64].map(|width| lefts.map(|left| (width, left)));
        for (width, left) in cases.into_iter().flatten() {
            let window = Window::new(left, width);
            for from in 0..200u16 {
                for to in from..200 {
                    let word = window.of(from, to);
                    for bit in 0..64 {
                        let column = left + bit;
                        let inside = (i32::from(from)..i32::from(to)).contains(&column);
                        let inside = bit < width && inside;
                        assert_eq!(word >> bit & 1 == 1, inside, "{from}..{to} from {left}");
                    }
                }
            }
        }
        // Far away on either side.
        for left in [-1_000_000, 1_000_000, i32::MIN, i32::MAX] {
            assert_eq!(Window::new(left, 64).of(0, u16::MAX), 0, "{left}");
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
