//! Convex shapes by formula: in each row of pixels, from where to where the shape is.
//!
//! In: a shape and the map that places it. Out: for each row of pixels the part of the line through their
//! middles that is inside. Afterwards the pixels whose middles are inside are those that a
//! rasteriser without anti-aliasing fills, but for its rounding along the edge. A rasteriser has to
//! be set up for each shape, and a search looks at very many of them once each.

use multiversion::multiversion;

use crate::render::place::{Affine, apply};
use crate::scene::Shape;

/// Rows of a shape.
#[derive(Clone, Debug, Default)]
pub(super) struct Spans {
    /// Rows that count, from one up to another.
    within: (i32, i32),
    /// The first row.
    pub(super) top: i32,
    /// In each row the first column whose middle is inside, and the first one after it whose middle
    /// is not; where there is nothing, the end is not after the beginning.
    pub(super) from: Vec<i32>,
    pub(super) to: Vec<i32>,
    /// Where the shape begins and ends in each row, in pixels.
    left: Vec<f64>,
    right: Vec<f64>,
    corners: Vec<(f64, f64)>,
}

impl Spans {
    /// Those of a shape's rows that are within some; false when it is not known to be convex.
    pub(super) fn of(&mut self, shape: &Shape, at: &Affine, within: (i32, i32)) -> bool {
        let known = self.find(shape, at, within);
        if known {
            self.from.resize(self.left.len(), 0);
            self.to.resize(self.left.len(), 0);
            columns(&self.left, &mut self.from);
            columns(&self.right, &mut self.to);
        }
        known
    }

    fn find(&mut self, shape: &Shape, at: &Affine, within: (i32, i32)) -> bool {
        self.within = within;
        self.corners.clear();
        match shape {
            Shape::Ellipse { rx, ry } => {
                let disc = Disc::new(at, (0.0, 0.0), (*rx, *ry));
                self.reset(disc.rows());
                self.disc(&disc);
            }
            Shape::Box { w, h, r } => {
                let (w, h, r) = (w / 2.0, h / 2.0, *r);
                if r <= 0.0 {
                    self.corners
                        .extend([(-w, -h), (w, -h), (w, h), (-w, h)].map(|p| apply(at, p)));
                    self.reset_to_corners();
                    self.polygon();
                    return true;
                }
                let (u, v) = (w - r, h - r);
                let points = [
                    (-u, -h),
                    (u, -h),
                    (w, -v),
                    (w, v),
                    (u, h),
                    (-u, h),
                    (-w, v),
                    (-w, -v),
                ];
                self.corners.extend(points.map(|p| apply(at, p)));
                self.reset_to_corners();
                self.polygon();
                let middles = [(-u, -v), (u, -v), (u, v), (-u, v)];
                self.discs(middles, at, r);
            }
            Shape::Polygon(points) => {
                self.corners.extend(points.iter().map(|p| apply(at, *p)));
                if !is_convex(&self.corners) {
                    return false;
                }
                self.reset_to_corners();
                self.polygon();
            }
            Shape::Polyline { points, width } => {
                let [a, b] = points[..] else {
                    return false;
                };
                let r = width / 2.0;
                let (dx, dy) = (b.0 - a.0, b.1 - a.1);
                let long = libm::hypot(dx, dy);
                let (nx, ny) = (-dy / long * r, dx / long * r);
                if !(nx.is_finite() && ny.is_finite()) {
                    return false;
                }
                let around = [
                    (a.0 + nx, a.1 + ny),
                    (b.0 + nx, b.1 + ny),
                    (b.0 - nx, b.1 - ny),
                    (a.0 - nx, a.1 - ny),
                ];
                self.corners.extend(around.map(|p| apply(at, p)));
                self.reset_to_corners();
                self.polygon();
                self.discs([a, b], at, r);
            }
        }
        true
    }

    /// The first row that counts and the end of those, cut off or not.
    pub(super) fn rows(&self) -> (i32, i32) {
        (self.top, self.top.saturating_add(self.left.len() as i32))
    }

    fn discs<const N: usize>(&mut self, middles: [(f64, f64); N], at: &Affine, r: f64) {
        for middle in middles {
            let disc = Disc::new(at, middle, (r, r));
            self.widen(disc.rows());
            self.disc(&disc);
        }
    }

    /// Empty rows.
    fn reset(&mut self, (from, to): (f64, f64)) {
        self.left.clear();
        self.right.clear();
        let (top, bottom) = self.clip(from, to);
        self.top = top;
        let rows = (bottom - top).max(0) as usize;
        self.left.resize(rows, f64::INFINITY);
        self.right.resize(rows, f64::NEG_INFINITY);
    }

    /// Adds empty rows around those that are there.
    fn widen(&mut self, (from, to): (f64, f64)) {
        let (top, bottom) = self.clip(from, to);
        if top >= bottom {
            return;
        }
        if self.left.is_empty() {
            self.top = top;
        }
        let above = (self.top - top).max(0) as usize;
        let end = self.top + self.left.len() as i32;
        let below = (bottom - end).max(0) as usize;
        self.top -= above as i32;
        for (rows, with) in [
            (&mut self.left, f64::INFINITY),
            (&mut self.right, f64::NEG_INFINITY),
        ] {
            rows.splice(0..0, std::iter::repeat_n(with, above));
            rows.extend(std::iter::repeat_n(with, below));
        }
    }

    /// Rows whose middles lie between.
    fn clip(&self, from: f64, to: f64) -> (i32, i32) {
        // Numbers out of range stop at the ends, what is no number is 0.
        let row = |y: f64| ((y - 0.5).ceil() as i32).clamp(self.within.0, self.within.1);
        (row(from), row(to))
    }

    fn reset_to_corners(&mut self) {
        let ys = self.corners.iter().map(|p| p.1);
        let from = ys.clone().fold(f64::INFINITY, f64::min);
        let to = ys.fold(f64::NEG_INFINITY, f64::max);
        self.reset((from, to));
    }

    fn polygon(&mut self) {
        for at in 0..self.corners.len() {
            let (mut a, mut b) = (
                self.corners[at],
                self.corners[(at + 1) % self.corners.len()],
            );
            if a.1 > b.1 {
                std::mem::swap(&mut a, &mut b);
            }
            let (from, to) = self.clip(a.1, b.1);
            let (from, to) = ((from - self.top) as usize, (to - self.top) as usize);
            if from >= to || to > self.left.len() {
                continue;
            }
            let slope = (b.0 - a.0) / (b.1 - a.1);
            let first = a.0 + (f64::from(self.top) + from as f64 + 0.5 - a.1) * slope;
            edge(
                &mut self.left[from..to],
                &mut self.right[from..to],
                first,
                slope,
            );
        }
    }

    fn disc(&mut self, disc: &Disc) {
        let (from, to) = disc.rows();
        let (from, to) = self.clip(from, to);
        let (from, to) = ((from - self.top) as usize, (to - self.top) as usize);
        if from < to && to <= self.left.len() {
            let first = f64::from(self.top) + from as f64 + 0.5 - disc.y;
            bulge(
                &mut self.left[from..to],
                &mut self.right[from..to],
                first,
                disc,
            );
        }
    }
}

/// An ellipse anywhere.
struct Disc {
    x: f64,
    y: f64,
    /// The square of how far it reaches up and down.
    reach: f64,
    /// How its middle moves from row to row.
    lean: f64,
    /// Half its width, by the root of what is left of the reach.
    half: f64,
}

impl Disc {
    fn new(at: &Affine, middle: (f64, f64), (rx, ry): (f64, f64)) -> Disc {
        let (x, y) = apply(at, middle);
        // The map takes the unit circle to it.
        let [a, b, c, d] = [at[0] * rx, at[1] * rx, at[2] * ry, at[3] * ry];
        let reach = b * b + d * d;
        Disc {
            x,
            y,
            reach,
            lean: (a * b + c * d) / reach,
            half: (a * d - b * c).abs() / reach,
        }
    }

    fn rows(&self) -> (f64, f64) {
        let reach = self.reach.sqrt();
        (self.y - reach, self.y + reach)
    }
}

/// Takes the line of an edge into rows.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vpopcntdq+avx512vbmi2+bmi1+bmi2+popcnt",
    "x86_64+avx2+bmi1+bmi2+popcnt"
))]
fn edge(left: &mut [f64], right: &mut [f64], first: f64, slope: f64) {
    for (row, (left, right)) in left.iter_mut().zip(right).enumerate() {
        let x = first + row as f64 * slope;
        *left = if x < *left { x } else { *left };
        *right = if x > *right { x } else { *right };
    }
}

/// Takes an ellipse into rows.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vpopcntdq+avx512vbmi2+bmi1+bmi2+popcnt",
    "x86_64+avx2+bmi1+bmi2+popcnt"
))]
fn bulge(left: &mut [f64], right: &mut [f64], first: f64, disc: &Disc) {
    for (row, (left, right)) in left.iter_mut().zip(right).enumerate() {
        let dy = first + row as f64;
        let rest = disc.reach - dy * dy;
        let half = disc.half * if rest > 0.0 { rest } else { 0.0 }.sqrt();
        let middle = disc.x + disc.lean * dy;
        let (from, to) = (middle - half, middle + half);
        *left = if from < *left { from } else { *left };
        *right = if to > *right { to } else { *right };
    }
}

/// The first columns whose middles are not before some places.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vpopcntdq+avx512vbmi2+bmi1+bmi2+popcnt",
    "x86_64+avx2+bmi1+bmi2+popcnt"
))]
fn columns(places: &[f64], out: &mut [i32]) {
    for (place, out) in places.iter().zip(out) {
        // Far beyond any canvas, so that what is reckoned with columns stays in range.
        *out = (place - 0.5).ceil().clamp(-FAR, FAR) as i32;
    }
}

/// Columns further away are as good as this one.
const FAR: f64 = 1e6;

/// Whether a polygon is convex: it turns one way only, and once.
fn is_convex(points: &[(f64, f64)]) -> bool {
    let count = points.len();
    if count <= 3 {
        return true;
    }
    let (mut left, mut right, mut turns) = (false, false, 0);
    let mut down = None;
    for at in 0..count {
        let [a, b, c] = [at, at + 1, at + 2].map(|i| points[i % count]);
        let cross = (b.0 - a.0) * (c.1 - b.1) - (b.1 - a.1) * (c.0 - b.0);
        left |= cross > 0.0;
        right |= cross < 0.0;
        if b.1 != a.1 {
            let now = b.1 > a.1;
            turns += usize::from(down.is_some_and(|before| before != now));
            down = Some(now);
        }
    }
    !(left && right) && turns <= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(shape: &Shape, at: &Affine) -> Option<Vec<(i32, i32, i32)>> {
        let mut spans = Spans::default();
        spans.of(shape, at, (0, 100)).then(|| {
            let rows = spans.from.iter().zip(&spans.to).zip(spans.top..);
            rows.map(|((from, to), y)| (y, *from, *to))
                .filter(|(_, from, to)| from < to)
                .collect()
        })
    }

    #[test]
    fn rows_are_those_whose_middles_are_inside() {
        let square = Shape::Box {
            w: 4.0,
            h: 2.0,
            r: 0.0,
        };
        let at = [1.0, 0.0, 0.0, 1.0, 10.0, 20.0];
        let rows = vec![(19, 8, 12), (20, 8, 12)];
        assert_eq!(spans(&square, &at), Some(rows));
        let dented = Shape::Polygon(vec![
            (0.0, 0.0),
            (8.0, 0.0),
            (8.0, 8.0),
            (4.0, 2.0),
            (0.0, 8.0),
        ]);
        assert_eq!(spans(&dented, &at), None);
        let star: Vec<_> = (0..5)
            .map(|i| {
                let angle = f64::from(i) * 4.0 * std::f64::consts::PI / 5.0;
                (10.0 * libm::sin(angle), -10.0 * libm::cos(angle))
            })
            .collect();
        assert_eq!(spans(&Shape::Polygon(star), &at), None);
    }
}
