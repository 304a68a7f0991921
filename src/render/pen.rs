//! What a picture shows of a pen: which pixels are stroke, and how far the others are from one.
//!
//! In: pixels. Out: [`Pen`]; distances. Afterwards a stroke is a stroke however fine or faint the pen:
//! a line of a fifth of a pixel leaves a fifth of its ink.
//!
//! Distances are chamfer distances with weights 3 and 4 (Borgefors 1986), in thirds of a pixel.

use super::Picture;

/// A third of a pixel: the unit of distances.
pub(crate) const UNIT: u16 = 3;
/// Less ink than this is none.
const LEAST: u8 = 12;
/// Of ten pixels with ink, nine have at most as much as the pen's full one.
const FULL: f64 = 0.9;
/// Share of the pen's full ink from which a pixel counts as stroke.
const STROKE: f64 = 0.4;

/// Strokes.
#[derive(Clone, Debug)]
pub(crate) struct Pen {
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// Ink of each pixel of a stroke, 0 elsewhere.
    pub(crate) ink: Vec<u8>,
    /// How many pixels wide strokes are, on average.
    pub(crate) thickness: f64,
}

impl Pen {
    /// The strokes of a picture.
    pub(crate) fn new(picture: &Picture) -> Pen {
        let (width, height) = (picture.width as usize, picture.height as usize);
        let channels = usize::from(picture.channels.max(1));
        let mut ink: Vec<u8> = picture.data.chunks_exact(channels).map(|p| p[0]).collect();
        let mut some: Vec<u8> = ink.iter().copied().filter(|ink| *ink >= LEAST).collect();
        some.sort_unstable();
        let full = some.get((some.len() as f64 * FULL) as usize).copied();
        let least = (f64::from(full.unwrap_or(0)) * STROKE).max(f64::from(LEAST));
        for ink in &mut ink {
            if f64::from(*ink) < least {
                *ink = 0;
            }
        }
        let marks: Vec<bool> = ink.iter().map(|ink| *ink > 0).collect();
        Pen {
            thickness: thickness(width, height, &marks),
            width,
            height,
            ink,
        }
    }

    /// Which pixels are stroke.
    pub(crate) fn marks(&self) -> Vec<bool> {
        self.ink.iter().map(|ink| *ink > 0).collect()
    }

    /// About the length of the strokes in pixels: their pixels per pixel of width.
    pub(crate) fn length(&self) -> f64 {
        let count = self.ink.iter().filter(|ink| **ink > 0).count();
        count as f64 / self.thickness
    }
}

/// Distances to the nearest marked pixel, in thirds of a pixel, which end at `most`.
pub(crate) fn distances(w: usize, h: usize, marks: &[bool], most: u16, out: &mut Vec<u16>) {
    out.clear();
    out.extend(marks.iter().map(|mark| if *mark { 0 } else { most }));
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

    #[test]
    fn faint_strokes_are_strokes() {
        for ink in [20, 60, 255] {
            let mut picture = Picture::filled(32, 32, 1, 0);
            for x in 4..28 {
                picture.data[16 * 32 + x] = ink;
                picture.data[17 * 32 + x] = ink / 8;
            }
            let pen = Pen::new(&picture);
            assert_eq!(
                pen.marks().iter().filter(|mark| **mark).count(),
                24,
                "{ink}"
            );
            assert_eq!((pen.thickness, pen.length()), (2.0, 12.0), "{ink}");
        }
        let blank = Pen::new(&Picture::filled(8, 8, 1, 0));
        assert!(blank.marks().iter().all(|mark| !mark));
        assert_eq!(blank.length(), 0.0);
    }

    #[test]
    fn distances_are_those_of_the_plane_within_a_tenth() {
        let mut marks = vec![false; 25 * 25];
        marks[12 * 25 + 12] = true;
        let mut out = Vec::new();
        distances(25, 25, &marks, 14 * UNIT, &mut out);
        for y in 0..25i32 {
            for x in 0..25i32 {
                let true_distance = f64::from((x - 12).pow(2) + (y - 12).pow(2)).sqrt();
                let found = f64::from(out[(y * 25 + x) as usize]) / f64::from(UNIT);
                let wanted = true_distance.min(14.0);
                assert!((found - wanted).abs() <= 0.1 * wanted, "{x} {y}: {found}");
            }
        }
    }
}
