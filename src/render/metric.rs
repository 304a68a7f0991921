//! How alike two pictures are, and whether a goal is met.
//!
//! In: two [`Picture`]s. Out: numbers from 0 to 1. Pictures of different shape are not alike at
//! all. Ink is ink and colour is colour: no measure ever takes a picture for its negative.

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
    let (mut both, mut any) = (0u64, 0u64);
    let mut count = |a: bool, b: bool| {
        both += u64::from(a && b);
        any += u64::from(a || b);
    };
    if a.channels == 1 {
        for (a, b) in a.data.iter().zip(&b.data) {
            count(*a >= INK, *b >= INK);
        }
    } else {
        let dark = |pixel: &[u8]| match *pixel {
            [r, g, b] => 255 - super::raster::grey([r, g, b]) >= INK,
            _ => false,
        };
        for (a, b) in a.data.chunks_exact(3).zip(b.data.chunks_exact(3)) {
            count(dark(a), dark(b));
        }
    }
    if any == 0 {
        1.0
    } else {
        both as f64 / any as f64
    }
}

/// Share of the pixels that differ by at most `within` (of 1) in every channel.
pub fn share_within(a: &Picture, b: &Picture, within: f64) -> f64 {
    if !a.same_shape(b) {
        return 0.0;
    }
    if a.data.is_empty() {
        return 1.0;
    }
    let n = usize::from(a.channels).max(1);
    let close = |(a, b): (&[u8], &[u8])| {
        let mut channels = a.iter().zip(b);
        channels.all(|(a, b)| f64::from(a.abs_diff(*b)) <= within * 255.0)
    };
    let pairs = a.data.chunks_exact(n).zip(b.data.chunks_exact(n));
    let total = a.data.len() / n;
    pairs.filter(|pair| close(*pair)).count() as f64 / total as f64
}

/// Mean absolute difference of all channels, 0 to 1.
pub fn mean_difference(a: &Picture, b: &Picture) -> f64 {
    if !a.same_shape(b) {
        return 1.0;
    }
    if a.data.is_empty() {
        return 0.0;
    }
    let pairs = a.data.iter().zip(&b.data);
    let sum: u64 = pairs.map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / (255.0 * a.data.len() as f64)
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

    #[test]
    fn pictures_of_different_shape_are_not_alike() {
        let (a, b) = (Picture::filled(2, 3, 1, 0), Picture::filled(3, 2, 1, 0));
        assert_eq!(iou(&a, &b), 0.0);
        assert_eq!(share_within(&a, &b, 1.0), 0.0);
        assert_eq!(mean_difference(&a, &b), 1.0);
        assert!(!goal_met(&Goal::Iou(0.0), &a, &b));
    }
}
