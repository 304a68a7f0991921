//! Laying a picture onto a canvas.
//!
//! In: a picture, a canvas, a [`Mode`]. Out: [`Fit`], the map between both, and the picture on the
//! canvas. Afterwards every pixel is the mean of the area it covers, alpha weighs colour, and
//! what the picture does not cover is transparent.

use serde::{Deserialize, Serialize};

use super::Rgba;
use crate::grammar::ir::Canvas;

/// How a picture whose sides are in another proportion is laid onto a canvas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// All of it is on the canvas; bars at two sides stay free.
    #[default]
    Contain,
    /// It covers the canvas; two of its sides are cut off.
    Cover,
    /// Its sides become those of the canvas, whatever their proportion.
    Stretch,
}

/// Where a picture landed on a canvas: the point `(x, y)` of the picture is at
/// `(sx * x + dx, sy * y + dy)` of the canvas, all in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fit {
    /// Canvas pixels for a pixel of the picture, across.
    pub sx: f64,
    /// The same, down.
    pub sy: f64,
    /// Pixels from the left edge of the canvas.
    pub dx: f64,
    /// Pixels from its upper edge.
    pub dy: f64,
}

/// Where it was.
impl Default for Fit {
    fn default() -> Fit {
        Fit {
            sx: 1.0,
            sy: 1.0,
            dx: 0.0,
            dy: 0.0,
        }
    }
}

impl Fit {
    /// Where a picture of this width and height goes, in the middle of the canvas less `margin`
    /// pixels at each side.
    pub fn new(size: [f64; 2], canvas: &Canvas, mode: Mode, margin: f64) -> Fit {
        let room = [canvas.width, canvas.height].map(f64::from);
        // At least a pixel is left, whatever the margin.
        let least = room[0].min(room[1]);
        let margin = margin.clamp(0.0, ((least - 1.0) / 2.0).max(0.0));
        let scales = [0, 1].map(|side| (room[side] - 2.0 * margin) / size[side].max(1e-9));
        let [sx, sy] = match mode {
            Mode::Contain => [scales[0].min(scales[1]); 2],
            Mode::Cover => [scales[0].max(scales[1]); 2],
            Mode::Stretch => scales,
        };
        Fit {
            sx,
            sy,
            dx: (room[0] - sx * size[0]) / 2.0,
            dy: (room[1] - sy * size[1]) / 2.0,
        }
    }

    /// Whether it leaves everything where it is.
    pub fn is_identity(&self) -> bool {
        *self == Fit::default()
    }

    /// The way back: from the canvas to the picture.
    pub fn inverse(&self) -> Fit {
        let (sx, sy) = (1.0 / self.sx, 1.0 / self.sy);
        Fit {
            sx,
            sy,
            dx: -self.dx * sx,
            dy: -self.dy * sy,
        }
    }

    /// The same for a picture whose pixels are so many times as large.
    pub fn per(&self, across: f64, down: f64) -> Fit {
        Fit {
            sx: self.sx * across,
            sy: self.sy * down,
            ..*self
        }
    }
}

/// The picture as it lies on a canvas of `width` x `height` pixels.
pub fn fit(image: &Rgba, fit: &Fit, width: u32, height: u32) -> Rgba {
    if fit.is_identity() && (image.width, image.height) == (width, height) {
        return image.clone();
    }
    let columns = shares(width, image.width, fit.sx, fit.dx);
    let rows = shares(height, image.height, fit.sy, fit.dy);
    // Across first, then down; sums are premultiplied.
    let out_width = width as usize;
    let in_width = image.width as usize;
    let mut data = Vec::with_capacity(out_width * height as usize * 4);
    let squeeze = |y: usize| -> Vec<[f64; 4]> {
        let from = y * in_width * 4;
        let row = &image.data[from..from + in_width * 4];
        columns
            .iter()
            .map(|share| {
                let mut sum = [0.0; 4];
                for (x, weight) in share.iter() {
                    let p = &row[x * 4..x * 4 + 4];
                    let alpha = f64::from(p[3]) * weight;
                    sum[3] += alpha;
                    for (sum, c) in sum.iter_mut().zip(&p[..3]) {
                        *sum += f64::from(*c) * alpha;
                    }
                }
                sum
            })
            .collect()
    };
    // Neighbouring rows of the result share at most one row of the picture.
    let mut last: Option<(usize, Vec<[f64; 4]>)> = None;
    for share in &rows {
        let mut sums = vec![[0.0; 4]; out_width];
        for (y, weight) in share.iter() {
            let line = match last.take() {
                Some((at, line)) if at == y => line,
                _ => squeeze(y),
            };
            for (sum, part) in sums.iter_mut().zip(&line) {
                for (sum, part) in sum.iter_mut().zip(part) {
                    *sum += part * weight;
                }
            }
            last = Some((y, line));
        }
        for [r, g, b, alpha] in sums {
            let color = [r, g, b].map(|c| {
                if alpha > 0.0 {
                    (c / alpha).round() as u8
                } else {
                    0
                }
            });
            data.extend_from_slice(&color);
            data.push(alpha.round() as u8);
        }
    }
    Rgba {
        width,
        height,
        data,
    }
}

/// Which source pixels a pixel of the result covers, and what part of it each fills.
struct Share {
    first: usize,
    weights: Vec<f64>,
}

impl Share {
    fn iter(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        (self.first..).zip(self.weights.iter().copied())
    }
}

fn shares(out: u32, source: u32, scale: f64, shift: f64) -> Vec<Share> {
    let limit = f64::from(source);
    (0..out)
        .map(|i| {
            let from = ((f64::from(i) - shift) / scale).clamp(0.0, limit);
            let to = ((f64::from(i) + 1.0 - shift) / scale).clamp(0.0, limit);
            let first = from.floor() as usize;
            let weights = (first..(to.ceil() as usize).min(source as usize))
                .map(|k| {
                    let (a, b) = (k as f64, k as f64 + 1.0);
                    (to.min(b) - from.max(a)).max(0.0) * scale
                })
                .collect();
            Share { first, weights }
        })
        .collect()
}
