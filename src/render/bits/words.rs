//! Loops over words of 64 pixels, compiled for several processors and chosen as the program starts.
//!
//! In: slices of words. Out: slices of words, or a count of pixels. Each loop is plain Rust that the
//! compiler turns into vector instructions; the attribute makes a copy for AVX-512 with its own
//! count of bits, one for AVX2, and one for any processor. All give the same words.

use multiversion::multiversion;

/// `out | other`, in place.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vpopcntdq+avx512vbmi2+bmi1+bmi2+popcnt",
    "x86_64+avx2+bmi1+bmi2+popcnt"
))]
pub(super) fn or(out: &mut [u64], other: &[u64]) {
    for (out, other) in out.iter_mut().zip(other) {
        *out |= other;
    }
}

/// `out & other`, in place.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vpopcntdq+avx512vbmi2+bmi1+bmi2+popcnt",
    "x86_64+avx2+bmi1+bmi2+popcnt"
))]
pub(super) fn and(out: &mut [u64], other: &[u64]) {
    for (out, other) in out.iter_mut().zip(other) {
        *out &= other;
    }
}

/// `out & !other`, in place.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vpopcntdq+avx512vbmi2+bmi1+bmi2+popcnt",
    "x86_64+avx2+bmi1+bmi2+popcnt"
))]
pub(super) fn and_not(out: &mut [u64], other: &[u64]) {
    for (out, other) in out.iter_mut().zip(other) {
        *out &= !other;
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

/// The lowest `n` bits, of 0 to 64.
#[inline(always)]
pub(super) fn low(n: i32) -> u64 {
    // 1 shifted out is 0, less 1 is all.
    1u64.unbounded_shl(n as u32).wrapping_sub(1)
}

/// The pixels from a column up to another of a word that holds `width` pixels.
#[inline(always)]
fn between(from: i32, to: i32, width: i32) -> u64 {
    low(from.clamp(0, width)) ^ low(to.clamp(0, width))
}

/// Sets the pixels of runs in words that stand one below the other. Columns are counted from `left`.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vpopcntdq+avx512vbmi2+bmi1+bmi2+popcnt",
    "x86_64+avx2+bmi1+bmi2+popcnt"
))]
pub(super) fn set_runs(out: &mut [u64], from: &[i32], to: &[i32], left: i32, width: i32) {
    for ((out, from), to) in out.iter_mut().zip(from).zip(to) {
        *out |= between(from - left, to - left, width);
    }
}

/// Clears the pixels of runs.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vpopcntdq+avx512vbmi2+bmi1+bmi2+popcnt",
    "x86_64+avx2+bmi1+bmi2+popcnt"
))]
pub(super) fn clear_runs(out: &mut [u64], from: &[i32], to: &[i32], left: i32, width: i32) {
    for ((out, from), to) in out.iter_mut().zip(from).zip(to) {
        *out &= !between(from - left, to - left, width);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_hold_the_pixels_between() {
        for left in [-70, 0, 64, 128] {
            for width in [1, 17, 63, 64] {
                for from in -10..150 {
                    let from: Vec<i32> = vec![from; 12];
                    let to: Vec<i32> = (0..12).map(|i| from[0] + 13 * i).collect();
                    let mut words = vec![0x5555_5555_5555_5555u64; 12];
                    set_runs(&mut words, &from, &to, left, width);
                    for (row, word) in words.iter_mut().enumerate() {
                        for bit in 0..64 {
                            let inside =
                                bit < width && (from[row]..to[row]).contains(&(left + bit));
                            assert_eq!(*word >> bit & 1 == 1, inside || bit % 2 == 0);
                        }
                        *word = u64::MAX;
                    }
                    clear_runs(&mut words, &from, &to, left, width);
                    for (row, word) in words.iter().enumerate() {
                        for bit in 0..64 {
                            let inside =
                                bit < width && (from[row]..to[row]).contains(&(left + bit));
                            assert_eq!(*word >> bit & 1 == 0, inside);
                        }
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
