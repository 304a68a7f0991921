//! How alike two pictures are, and whether a goal is met.
//!
//! In: two [`Picture`]s, or a [`Target`] and many. Out: numbers from 0 to 1, or sums up to a bound. Pictures of different shape are not alike at
//! all. Ink is ink and colour is colour: no measure ever takes a picture for its negative.

use multiversion::multiversion;

use super::Picture;
use crate::grammar::ir::Goal;

/// Ink of at least half a pixel counts as ink (threshold 0.5).
pub const INK: u8 = 128;

/// Intersection over union of the ink at threshold 0.5; two pictures without ink: 1.
/// In colour pictures, ink is darkness.
pub fn iou(a: &Picture, b: &Picture) -> f64 {
    if !a.same_shape(b) {
        return 0.0;
    }
    if a.channels == 1 {
        return Counts::of_ink(&a.data, &b.data).iou();
    }
    Counts::of_ink(&darkness(a), &darkness(b)).iou()
}

/// The ink of a colour picture.
fn darkness(picture: &Picture) -> Vec<u8> {
    let (pixels, _) = picture.data.as_chunks::<3>();
    let dark = |pixel: &[u8; 3]| 255 - super::raster::grey(*pixel);
    pixels.iter().map(dark).collect()
}

/// Share of the pixels that differ by at most `within` (of 1) in every channel.
pub fn share_within(a: &Picture, b: &Picture, within: f64) -> f64 {
    if !a.same_shape(b) {
        return 0.0;
    }
    let total = a.data.len() / usize::from(a.channels).max(1);
    if total == 0 {
        return 1.0;
    }
    match steps_within(within) {
        Some(most) => (total as u64 - off(a, b, most)) as f64 / total as f64,
        None => 0.0,
    }
}

/// Mean absolute difference of all channels, 0 to 1.
pub fn mean_difference(a: &Picture, b: &Picture) -> f64 {
    if !a.same_shape(b) {
        return 1.0;
    }
    if a.data.is_empty() {
        return 0.0;
    }
    sum_of_differences(&a.data, &b.data) as f64 / (255.0 * a.data.len() as f64)
}

/// The greatest difference of two bytes that is at most `within` of 1; none when not even 0 is.
fn steps_within(within: f64) -> Option<u8> {
    // The comparison that defines it, asked of every byte.
    (0..=255)
        .rev()
        .find(|step| f64::from(*step) <= within * 255.0)
}

/// Number of pixels that differ by more than `most` in any channel.
fn off(a: &Picture, b: &Picture, most: u8) -> u64 {
    match a.channels {
        3 => off_in_color(&a.data, &b.data, most),
        _ => off_in_ink(&a.data, &b.data, most),
    }
}

/// Pixels with ink in both pictures, and in any of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    both: u64,
    any: u64,
}

impl Counts {
    fn of_ink(a: &[u8], b: &[u8]) -> Counts {
        let (both, any) = count_ink(a, b);
        Counts { both, any }
    }

    fn iou(self) -> f64 {
        if self.any == 0 {
            1.0
        } else {
            self.both as f64 / self.any as f64
        }
    }
}

/// Bytes that are summed before sums of a byte each could overflow; a multiple of 3.
const BLOCK: usize = 192;

/// The loops below go over blocks whose counts fit small integers, so that they become vector
/// instructions.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl+avx512dq", "x86_64+avx2"))]
fn count_ink(a: &[u8], b: &[u8]) -> (u64, u64) {
    let (mut both, mut any) = (0u64, 0u64);
    for (a, b) in a.chunks(BLOCK).zip(b.chunks(BLOCK)) {
        let (mut b_both, mut b_any) = (0u8, 0u8);
        for (a, b) in a.iter().zip(b) {
            // Ink is the highest bit.
            b_both += (a & b) >> 7;
            b_any += (a | b) >> 7;
        }
        both += u64::from(b_both);
        any += u64::from(b_any);
    }
    (both, any)
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl+avx512dq", "x86_64+avx2"))]
fn off_in_ink(a: &[u8], b: &[u8], most: u8) -> u64 {
    let mut off = 0u64;
    for (a, b) in a.chunks(BLOCK).zip(b.chunks(BLOCK)) {
        let mut here = 0u8;
        for (a, b) in a.iter().zip(b) {
            here += u8::from(a.abs_diff(*b) > most);
        }
        off += u64::from(here);
    }
    off
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl+avx512dq", "x86_64+avx2"))]
fn off_in_color(a: &[u8], b: &[u8], most: u8) -> u64 {
    let mut off = 0u64;
    for (a, b) in a.chunks(BLOCK).zip(b.chunks(BLOCK)) {
        let mut far = [0u8; BLOCK];
        for ((far, a), b) in far.iter_mut().zip(a).zip(b) {
            *far = u8::from(a.abs_diff(*b) > most);
        }
        let mut here = 0u8;
        let (pixels, _) = far.as_chunks::<3>();
        for [r, g, b] in pixels {
            here += r | g | b;
        }
        off += u64::from(here);
    }
    off
}

/// The sum of the absolute differences of the bytes of two slices of one length.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl+avx512dq", "x86_64+avx2"))]
pub(crate) fn sum_of_differences(a: &[u8], b: &[u8]) -> u64 {
    let mut sum = 0u64;
    for (a, b) in a.chunks(BLOCK).zip(b.chunks(BLOCK)) {
        let mut here = 0u16;
        for (a, b) in a.iter().zip(b) {
            here += u16::from(a.abs_diff(*b));
        }
        sum += u64::from(here);
    }
    sum
}

/// A picture that many others are compared with.
///
/// What of it is needed again and again is computed once, and a comparison with a bound stops as
/// soon as the bound is out of reach; its answer is that of the whole comparison.
#[derive(Clone, Debug)]
pub struct Target {
    picture: Picture,
    /// The ink of a colour picture.
    dark: Option<Vec<u8>>,
    /// Pixels with ink from each row down to the last, and none after it.
    ink_from: Vec<u64>,
}

/// Bytes between two looks at a bound: large enough that looking costs nothing.
const STRETCH: usize = 8 * BLOCK;

impl Target {
    /// Prepares a picture.
    pub fn new(picture: Picture) -> Target {
        let dark = (picture.channels == 3).then(|| darkness(&picture));
        let mut ink_from = vec![0];
        for part in dark
            .as_ref()
            .unwrap_or(&picture.data)
            .rchunks_exact(STRETCH)
        {
            let ink = count_ink(part, part).0;
            ink_from.push(ink_from.last().copied().unwrap_or(0) + ink);
        }
        ink_from.reverse();
        Target {
            picture,
            dark,
            ink_from,
        }
    }

    /// The picture.
    pub fn picture(&self) -> &Picture {
        &self.picture
    }

    /// The sum of the absolute differences of all bytes, if it is at most `bound`; `None` for a
    /// picture of another shape.
    pub fn difference_within(&self, other: &Picture, bound: u64) -> Option<u64> {
        if !self.picture.same_shape(other) {
            return None;
        }
        let mut sum = 0;
        let stretches = self.picture.data.chunks(STRETCH);
        for (a, b) in stretches.zip(other.data.chunks(STRETCH)) {
            sum += sum_of_differences(a, b);
            if sum > bound {
                return None;
            }
        }
        Some(sum)
    }

    /// The differences of many pictures from this one, as [`Target::difference_within`] gives them.
    pub fn differences_within<'p>(
        &self,
        others: impl IntoIterator<Item = &'p Picture>,
        bound: u64,
    ) -> Vec<Option<u64>> {
        let others = others.into_iter();
        others
            .map(|other| self.difference_within(other, bound))
            .collect()
    }

    /// The closest of some pictures by the sum of differences, the first of equals: which, and its
    /// sum. None for no pictures of this one's shape. Those that cannot win are not looked through.
    pub fn closest<'p>(
        &self,
        others: impl IntoIterator<Item = &'p Picture>,
    ) -> Option<(usize, u64)> {
        let mut best: Option<(usize, u64)> = None;
        for (i, other) in others.into_iter().enumerate() {
            let bound = match best {
                None => u64::MAX,
                // Nothing is closer than equal.
                Some((_, 0)) => break,
                Some((_, least)) => least - 1,
            };
            if let Some(sum) = self.difference_within(other, bound) {
                best = Some((i, sum));
            }
        }
        best
    }

    /// Whether a picture meets a goal, as [`goal_met`] says.
    pub fn meets(&self, goal: &Goal, other: &Picture) -> bool {
        if !self.picture.same_shape(other) {
            return false;
        }
        match *goal {
            Goal::Iou(least) => self.has_iou(other, least),
            Goal::Pixels { within, share } => self.has_share(other, within, share),
        }
    }

    fn has_share(&self, other: &Picture, within: f64, share: f64) -> bool {
        let total = (self.picture.data.len() / usize::from(self.picture.channels).max(1)) as u64;
        let Some(most) = steps_within(within).filter(|_| total > 0) else {
            return share_within(&self.picture, other, within) >= share;
        };
        let mut off = 0;
        let stretches = self.picture.data.chunks(STRETCH);
        for (a, b) in stretches.zip(other.data.chunks(STRETCH)) {
            off += match self.picture.channels {
                3 => off_in_color(a, b, most),
                _ => off_in_ink(a, b, most),
            };
            // More pixels can only be off, and division keeps the order.
            if ((total - off) as f64 / total as f64) < share {
                return false;
            }
        }
        (total - off) as f64 / total as f64 >= share
    }

    fn has_iou(&self, other: &Picture, least: f64) -> bool {
        let theirs: Vec<u8>;
        let (a, b) = match &self.dark {
            None => (&self.picture.data, &other.data),
            Some(dark) => {
                theirs = darkness(other);
                (dark, &theirs)
            }
        };
        let mut counts = Counts::default();
        // What does not fill a stretch comes first, so that the rest is as it was prepared.
        let first = a.len() % STRETCH;
        let (Some((a, rest_a)), Some((b, rest_b))) =
            (a.split_at_checked(first), b.split_at_checked(first))
        else {
            return false;
        };
        let parts =
            std::iter::once((a, b)).chain(rest_a.chunks(STRETCH).zip(rest_b.chunks(STRETCH)));
        for ((a, b), ink_left) in parts.zip(&self.ink_from) {
            let (both, any) = count_ink(a, b);
            counts.both += both;
            counts.any += any;
            // At best the other has exactly the ink that is left of this one.
            let best = Counts {
                both: counts.both + ink_left,
                any: counts.any + ink_left,
            };
            if best.iou() < least {
                return false;
            }
        }
        counts.iou() >= least
    }
}

/// What the goal measures, as a number that reaches the goal's threshold when it is met.
pub fn goal_score(goal: &Goal, a: &Picture, b: &Picture) -> f64 {
    match *goal {
        Goal::Iou(_) => iou(a, b),
        Goal::Pixels { within, .. } => share_within(a, b, within),
    }
}

/// Whether `a` counts as `b`.
pub fn goal_met(goal: &Goal, a: &Picture, b: &Picture) -> bool {
    let least = match *goal {
        Goal::Iou(least) => least,
        Goal::Pixels { share, .. } => share,
    };
    a.same_shape(b) && goal_score(goal, a, b) >= least
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ink(bytes: &[u8]) -> Picture {
        Picture {
            width: bytes.len() as u32,
            height: 1,
            channels: 1,
            data: bytes.to_vec(),
        }
    }

    #[test]
    fn iou_counts_ink_of_half_a_pixel_and_more() {
        let a = ink(&[255, 128, 127, 0]);
        let b = ink(&[255, 0, 255, 0]);
        assert_eq!(iou(&a, &b), 1.0 / 3.0);
        assert_eq!(iou(&a, &a), 1.0);
        assert_eq!(iou(&ink(&[0, 127]), &ink(&[3, 0])), 1.0);
        assert_eq!(iou(&ink(&[0, 0]), &ink(&[255, 0])), 0.0);
    }

    #[test]
    fn differences_are_measured_in_each_channel() {
        let a = Picture::filled(2, 2, 3, 100);
        let mut b = a.clone();
        b.data[4] = 103;
        assert_eq!(share_within(&a, &b, 0.005), 0.75);
        assert_eq!(share_within(&a, &b, 3.0 / 255.0), 1.0);
        assert!((mean_difference(&a, &b) - 3.0 / 255.0 / 12.0).abs() < 1e-12);
    }

    #[test]
    fn a_negative_never_meets_a_goal() {
        let goals = [
            Goal::Iou(0.99),
            Goal::Pixels {
                within: 0.005,
                share: 0.99,
            },
        ];
        for channels in [1, 3] {
            let mut a = Picture::filled(16, 16, channels, 0);
            a.data[..200].fill(255);
            let mut negative = a.clone();
            negative.data.iter_mut().for_each(|b| *b = 255 - *b);
            for goal in &goals {
                assert!(goal_met(goal, &a, &a));
                assert!(!goal_met(goal, &a, &negative));
            }
        }
    }

    /// Pictures of all sizes: equal, nearly equal, different.
    fn pairs() -> Vec<(Picture, Picture)> {
        let mut state = 1u64;
        let mut random = move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) as u32
        };
        let mut pairs = Vec::new();
        for (w, h) in [
            (0, 0),
            (1, 1),
            (7, 3),
            (64, 3),
            (65, 47),
            (128, 128),
            (100, 91),
        ] {
            for channels in [1, 3] {
                for noise in [0, 2, 4, 40, 256] {
                    let mut a = Picture::filled(w, h, channels, 0);
                    a.data.iter_mut().for_each(|byte| *byte = random() as u8);
                    let mut b = a.clone();
                    for byte in &mut b.data {
                        let by = if noise == 0 || random() % 9 > 1 {
                            0
                        } else {
                            random() % noise
                        };
                        *byte = byte.saturating_add(by as u8);
                    }
                    pairs.push((a, b));
                }
            }
        }
        pairs
    }

    #[test]
    fn loops_count_as_one_byte_after_the_other() {
        for (a, b) in pairs() {
            let n = usize::from(a.channels);
            let bytes = || a.data.iter().zip(&b.data);
            let sum: u64 = bytes().map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
            assert_eq!(sum_of_differences(&a.data, &b.data), sum);
            for within in [-1.0, 0.0, 0.001, 1.0 / 255.0, 0.02, 0.5, 1.0] {
                let pixels = a.data.chunks_exact(n).zip(b.data.chunks_exact(n));
                let close = pixels.filter(|(a, b)| {
                    let mut channels = a.iter().zip(*b);
                    channels.all(|(a, b)| f64::from(a.abs_diff(*b)) <= within * 255.0)
                });
                let wanted = match a.pixels() {
                    0 => 1.0,
                    all => close.count() as f64 / all as f64,
                };
                assert_eq!(share_within(&a, &b, within), wanted);
            }
            let ink = |p: &Picture| if n == 1 { p.data.clone() } else { darkness(p) };
            let (x, y) = (ink(&a), ink(&b));
            let count = |f: &dyn Fn(bool, bool) -> bool| {
                x.iter()
                    .zip(&y)
                    .filter(|(x, y)| f(**x >= INK, **y >= INK))
                    .count() as f64
            };
            let (both, any) = (count(&|a, b| a && b), count(&|a, b| a || b));
            assert_eq!(iou(&a, &b), if any == 0.0 { 1.0 } else { both / any });
        }
    }

    #[test]
    fn a_target_answers_as_whole_comparisons_do() {
        for (a, b) in pairs() {
            let target = Target::new(a.clone());
            let sum = sum_of_differences(&a.data, &b.data);
            for bound in [0, sum / 2, sum.saturating_sub(1), sum, sum + 1, u64::MAX] {
                assert_eq!(
                    target.difference_within(&b, bound),
                    (sum <= bound).then_some(sum)
                );
            }
            let (like, share) = (iou(&a, &b), share_within(&a, &b, 0.01));
            for shift in [-0.1, -1e-9, 0.0, 1e-9, 0.1] {
                let goals = [
                    Goal::Iou(like + shift),
                    Goal::Pixels {
                        within: 0.01,
                        share: share + shift,
                    },
                ];
                for goal in goals {
                    assert_eq!(target.meets(&goal, &b), goal_met(&goal, &a, &b), "{goal:?}");
                }
            }
        }
    }

    #[test]
    fn the_closest_is_the_first_of_the_least() {
        for (a, b) in pairs() {
            let target = Target::new(a.clone());
            let mut c = b.clone();
            c.data.iter_mut().for_each(|byte| *byte ^= 1);
            let all = [&c, &b, &b, &a, &c, &a];
            let sums = target.differences_within(all, u64::MAX);
            let least = sums.iter().flatten().min().copied();
            let wanted = sums.iter().position(|sum| *sum == least).zip(least);
            assert_eq!(target.closest(all), wanted);
        }
        assert_eq!(Target::new(ink(&[1])).closest([&ink(&[1, 2])]), None);
    }

    #[test]
    fn pictures_of_different_shape_are_not_alike() {
        let (a, b) = (Picture::filled(2, 3, 1, 0), Picture::filled(3, 2, 1, 0));
        assert_eq!(iou(&a, &b), 0.0);
        assert_eq!(share_within(&a, &b, 1.0), 0.0);
        assert_eq!(mean_difference(&a, &b), 1.0);
        assert!(!goal_met(&Goal::Iou(0.0), &a, &b));
    }
}
