//! Scores against a hand-drawn sketch: how far the outline of what a program draws is from the
//! strokes of the sketch.
//!
//! In: the sketch as ink, and pictures. Out: distances. Afterwards a picture whose outline runs
//! under all strokes, and nowhere else, has the least score; what is drawn inside the outline
//! does not matter, since a sketch does not show it.
//!
//! The score is the sum of two: over the outline's pixels the distance to the nearest stroke, and
//! over the strokes' pixels, by their ink and per pixel of stroke width, the distance to the
//! nearest outline. Distances are chamfer distances with weights 3 and 4 (Borgefors 1986), in
//! pixels, and end at [`FAR`].

use crate::render::Picture;

/// Beyond this many pixels, far is far.
pub const FAR: u16 = 14;
/// Ink from which a pixel counts as stroke.
const STROKE: u8 = 64;
/// Ink from which a pixel is inside a drawing.
const INSIDE: u8 = 128;
/// A third of a pixel: the unit of chamfer distances.
const UNIT: f64 = 3.0;

/// Strokes to be matched.
pub struct Sketch {
    width: usize,
    height: usize,
    /// Ink of each pixel, 0 where there is none to speak of.
    ink: Vec<u8>,
    /// Distance of each pixel to the nearest stroke, in thirds of a pixel.
    distance: Vec<u16>,
    /// How many pixels wide strokes are, on average.
    thickness: f64,
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
        let (width, height) = (picture.width as usize, picture.height as usize);
        let ink: Vec<u8> = picture
            .data
            .chunks_exact(usize::from(picture.channels.max(1)))
            .map(|pixel| pixel[0])
            .map(|ink| if ink >= STROKE { ink } else { 0 })
            .collect();
        let strokes: Vec<bool> = ink.iter().map(|ink| *ink > 0).collect();
        let mut distance = Vec::new();
        spread(width, height, &strokes, &mut distance);
        Sketch {
            thickness: thickness(width, height, &strokes),
            width,
            height,
            ink,
            distance,
            outline: Vec::new(),
            nearest: Vec::new(),
        }
    }

    /// Pixels of stroke, by their ink and per pixel of width: about the length of the strokes.
    pub fn length(&self) -> f64 {
        let sum: u64 = self.ink.iter().map(|ink| u64::from(*ink)).sum();
        sum as f64 / 255.0 / self.thickness
    }

    /// How well a picture's outline agrees with the strokes; `near` is in pixels.
    pub fn compare(&mut self, picture: &Picture, near: f64) -> Match {
        self.trace(picture);
        spread(self.width, self.height, &self.outline, &mut self.nearest);
        let near = (near * UNIT) as u16;
        let (mut there, mut there_near, mut outline) = (0u64, 0u64, 0u64);
        let (mut back, mut back_near, mut ink) = (0u64, 0u64, 0u64);
        for at in 0..self.outline.len() {
            if self.outline[at] {
                outline += 1;
                there += u64::from(self.distance[at]);
                there_near += u64::from(self.distance[at] <= near);
            }
            let weight = u64::from(self.ink[at]);
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
            score: there as f64 / UNIT + back as f64 / (255.0 * UNIT * self.thickness),
            outline_near: share(there_near, outline),
            strokes_near: share(back_near, ink),
        }
    }

    /// Marks the pixels on the inner side of a drawing's outline. Where a drawing meets the edge
    /// of the canvas there is no outline.
    fn trace(&mut self, picture: &Picture) {
        let (w, h) = (self.width, self.height);
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
                self.outline[y * w + x] = inside(x, y)
                    && !(inside(x.saturating_sub(1), y)
                        && inside((x + 1).min(w - 1), y)
                        && inside(x, y.saturating_sub(1))
                        && inside(x, (y + 1).min(h - 1)));
            }
        }
    }
}

/// Chamfer distances to the nearest marked pixel, in thirds of a pixel.
fn spread(w: usize, h: usize, marks: &[bool], out: &mut Vec<u16>) {
    const MOST: u16 = FAR * 3;
    out.clear();
    out.extend(marks.iter().map(|mark| if *mark { 0 } else { MOST }));
    for y in 0..h {
        for x in 0..w {
            let mut best = out[y * w + x];
            if x > 0 {
                best = best.min(out[y * w + x - 1] + 3);
            }
            if y > 0 {
                let above = &out[(y - 1) * w..y * w];
                best = best.min(above[x] + 3);
                if x > 0 {
                    best = best.min(above[x - 1] + 4);
                }
                if x + 1 < w {
                    best = best.min(above[x + 1] + 4);
                }
            }
            out[y * w + x] = best;
        }
    }
    for y in (0..h).rev() {
        for x in (0..w).rev() {
            let mut best = out[y * w + x];
            if x + 1 < w {
                best = best.min(out[y * w + x + 1] + 3);
            }
            if y + 1 < h {
                let below = &out[(y + 1) * w..(y + 2) * w];
                best = best.min(below[x] + 3);
                if x > 0 {
                    best = best.min(below[x - 1] + 4);
                }
                if x + 1 < w {
                    best = best.min(below[x + 1] + 4);
                }
            }
            out[y * w + x] = best;
        }
    }
}

/// Strokes' area over half their boundary: a line of width t and length l has area t l and about
/// 2 l boundary pixels.
fn thickness(w: usize, h: usize, marks: &[bool]) -> f64 {
    let (mut area, mut boundary) = (0u32, 0u32);
    for y in 0..h {
        for x in 0..w {
            if !marks[y * w + x] {
                continue;
            }
            area += 1;
            let covered = |x: Option<usize>, y: Option<usize>| match (x, y) {
                (Some(x), Some(y)) if x < w && y < h => marks[y * w + x],
                _ => true,
            };
            let inner = covered(x.checked_sub(1), Some(y))
                && covered(Some(x + 1), Some(y))
                && covered(Some(x), y.checked_sub(1))
                && covered(Some(x), Some(y + 1));
            boundary += u32::from(!inner);
        }
    }
    if boundary == 0 {
        return 1.0;
    }
    (2.0 * f64::from(area) / f64::from(boundary)).max(1.0)
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

    #[test]
    fn distances_are_those_of_the_plane_within_a_tenth() {
        let mut marks = vec![false; 25 * 25];
        marks[12 * 25 + 12] = true;
        let mut out = Vec::new();
        spread(25, 25, &marks, &mut out);
        for y in 0..25i32 {
            for x in 0..25i32 {
                let true_distance = f64::from((x - 12).pow(2) + (y - 12).pow(2)).sqrt();
                let found = f64::from(out[(y * 25 + x) as usize]) / UNIT;
                let wanted = true_distance.min(f64::from(FAR));
                assert!((found - wanted).abs() <= 0.1 * wanted, "{x} {y}: {found}");
            }
        }
    }
}
