//! Scores against a hand-drawn sketch: how far the outline of what a program draws is from the
//! strokes of the sketch.
//!
//! In: the sketch as ink, and pictures. Out: distances. Afterwards a picture whose outline runs
//! under all strokes, and nowhere else, has the least score; what is drawn inside the outline
//! does not matter, since a sketch does not show it.
//!
//! The score is the sum of two: over the outline's pixels the distance to the nearest stroke, and
//! over the strokes' pixels, per pixel of stroke width, the distance to the nearest outline. Distances
//! are in pixels and end at [`FAR`]. `render::pen` says which pixels are strokes, `render::bits`
//! has the same score a thousand times as fast, for search.

use crate::render::Picture;
use crate::render::pen::{Pen, UNIT, distances};
use crate::render::sketch::UNITS;
use crate::search::rounds::Rounds;
use crate::search::temper;

/// Beyond this many pixels, far is far.
pub const FAR: u16 = 14;
/// Ink from which a pixel is inside a drawing.
const INSIDE: u8 = 128;

/// Strokes to be matched.
pub struct Sketch {
    pen: Pen,
    /// Distance of each pixel to the nearest stroke.
    distance: Vec<u16>,
    outline: Vec<bool>,
    nearest: Vec<u16>,
}

/// How well an outline and strokes agree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Match {
    /// The score, in pixels of outline times pixels of distance.
    pub score: f64,
    /// Share of the outline within `near` of a stroke.
    pub outline_near: f64,
    /// Share of the strokes' ink within `near` of the outline.
    pub strokes_near: f64,
}

impl Sketch {
    /// The strokes of a picture.
    pub fn new(picture: &Picture) -> Sketch {
        let pen = Pen::new(picture);
        let mut distance = Vec::new();
        spread(&pen, &pen.marks(), &mut distance);
        Sketch {
            pen,
            distance,
            outline: Vec::new(),
            nearest: Vec::new(),
        }
    }

    /// About the length of the strokes in pixels.
    pub fn length(&self) -> f64 {
        self.pen.length()
    }

    /// The shorter side of the canvas in pixels.
    fn short_side(&self) -> f64 {
        self.pen.width.min(self.pen.height) as f64
    }

    /// How well a picture's outline agrees with the strokes; `near` is in pixels.
    pub fn compare(&mut self, picture: &Picture, near: f64) -> Match {
        self.trace(picture);
        spread(&self.pen, &self.outline, &mut self.nearest);
        let unit = f64::from(UNIT);
        let near = (near * unit) as u16;
        let (mut there, mut there_near, mut outline) = (0u64, 0u64, 0u64);
        let (mut back, mut back_near, mut ink) = (0u64, 0u64, 0u64);
        for at in 0..self.outline.len() {
            if self.outline[at] {
                outline += 1;
                there += u64::from(self.distance[at]);
                there_near += u64::from(self.distance[at] <= near);
            }
            let weight = u64::from(self.pen.ink[at] > 0);
            ink += weight;
            back += weight * u64::from(self.nearest[at]);
            back_near += weight * u64::from(self.nearest[at] <= near);
        }
        let share = |part: u64, whole: u64| {
            if whole == 0 {
                1.0
            } else {
                part as f64 / whole as f64
            }
        };
        Match {
            // The outline is two pixels wide.
            score: (there as f64 / 2.0 + back as f64 / self.pen.thickness) / unit,
            outline_near: share(there_near, outline),
            strokes_near: share(back_near, ink),
        }
    }

    /// Marks the pixels on both sides of a drawing's outline. Where a drawing meets the edge of the
    /// canvas there is no outline.
    fn trace(&mut self, picture: &Picture) {
        let (w, h) = (self.pen.width, self.pen.height);
        let channels = usize::from(picture.channels.max(1));
        let inside = |x: usize, y: usize| {
            picture
                .data
                .get((y * w + x) * channels)
                .is_some_and(|ink| *ink >= INSIDE)
        };
        self.outline.clear();
        self.outline.resize(w * h, false);
        for y in 0..h {
            for x in 0..w {
                let here = inside(x, y);
                self.outline[y * w + x] = here != inside(x.saturating_sub(1), y)
                    || here != inside((x + 1).min(w - 1), y)
                    || here != inside(x, y.saturating_sub(1))
                    || here != inside(x, (y + 1).min(h - 1));
            }
        }
    }
}

/// Distances to the nearest marked pixel, which end at [`FAR`].
fn spread(pen: &Pen, marks: &[bool], out: &mut Vec<u16>) {
    distances(pen.width, pen.height, marks, FAR * UNIT, out);
}

/// How to search for a sketch on bit planes. A score is in pixels of outline times pixels of distance,
/// so temperatures and prices are per pixel of the strokes' length.
pub(super) fn tempering(sketch: &Sketch, max_size: u32) -> temper::Options {
    let length = sketch.length().max(32.0);
    let cold = 0.02 * length;
    temper::Options {
        cold,
        hot: 30.0 * cold,
        // What a part that follows a tremor of the hand alone would gain: some stretches of pen, each
        // out of place by a pixel or two.
        price: 5.0 * (sketch.short_side() / UNITS).powi(2),
        rounds: Rounds {
            count: 4,
            patience: 300_000,
        },
        replicas: 6,
        halves: 600_000,
        // No part can be looked at in many places at once: more of them are, one by one.
        turn: 200,
        draws: 24,
        nudges: 8,
        width: 12,
        ..temper::Options::for_weight(length, max_size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disc(cx: f64, cy: f64, r: f64) -> Picture {
        let mut picture = Picture::filled(64, 64, 1, 0);
        for y in 0..64 {
            for x in 0..64 {
                let (dx, dy) = (f64::from(x) + 0.5 - cx, f64::from(y) + 0.5 - cy);
                if dx * dx + dy * dy <= r * r {
                    picture.data[(y * 64 + x) as usize] = 255;
                }
            }
        }
        picture
    }

    fn ring(cx: f64, cy: f64, r: f64) -> Picture {
        let (mut outer, inner) = (disc(cx, cy, r + 0.8), disc(cx, cy, r - 0.8));
        for (a, b) in outer.data.iter_mut().zip(&inner.data) {
            *a -= b;
        }
        outer
    }

    #[test]
    fn the_drawing_under_the_strokes_scores_best() {
        let mut sketch = Sketch::new(&ring(32.0, 32.0, 20.0));
        let exact = sketch.compare(&disc(32.0, 32.0, 20.0), 1.5);
        assert!(
            exact.outline_near > 0.99 && exact.strokes_near > 0.99,
            "{exact:?}"
        );
        let scores = [
            exact,
            sketch.compare(&disc(33.0, 32.0, 20.0), 1.5),
            sketch.compare(&disc(36.0, 32.0, 20.0), 1.5),
            sketch.compare(&disc(36.0, 32.0, 12.0), 1.5),
            sketch.compare(&Picture::filled(64, 64, 1, 0), 1.5),
        ];
        assert!(
            scores.windows(2).all(|pair| pair[0].score < pair[1].score),
            "{scores:?}"
        );
        // Nothing drawn: no stroke is near it.
        assert_eq!(scores[4].strokes_near, 0.0);
    }

    #[test]
    fn the_edge_of_the_canvas_is_no_outline() {
        let mut sketch = Sketch::new(&Picture::filled(16, 16, 1, 0));
        let full = sketch.compare(&Picture::filled(16, 16, 1, 255), 1.0);
        assert_eq!(full.score, 0.0);
    }
}
