//! The shapes that intrinsics make.
//!
//! In: numbers and points as draw code computed them. Out: a [`Shape`], or nothing when it has
//! too few points. Lengths below 0 count as 0; coordinates are limited.

use std::f64::consts::PI;

use super::Shape;
use crate::grammar::scalar::limited;

/// Most corners of a regular polygon or a star.
const MAX_CORNERS: f64 = 1000.0;

fn length(x: f64) -> f64 {
    limited(x).max(0.0)
}

pub(super) fn ellipse(rx: f64, ry: f64) -> Shape {
    Shape::Ellipse {
        rx: length(rx),
        ry: length(ry),
    }
}

pub(super) fn rounded_box(w: f64, h: f64, r: f64) -> Shape {
    let (w, h) = (length(w), length(h));
    Shape::Box {
        w,
        h,
        r: length(r).min(w / 2.0).min(h / 2.0),
    }
}

pub(super) fn polygon(points: impl Iterator<Item = (f64, f64)>) -> Option<Shape> {
    let points: Vec<(f64, f64)> = points.map(|(x, y)| (limited(x), limited(y))).collect();
    (points.len() >= 3).then_some(Shape::Polygon(points))
}

/// Points on circles in turn, the first on top and clockwise from there.
fn around(corners: f64, radii: &[f64]) -> Option<Shape> {
    let corners = limited(corners).round().clamp(0.0, MAX_CORNERS);
    let points = corners as usize * radii.len();
    polygon((0..points).map(|i| {
        let angle = 2.0 * PI * i as f64 / points as f64;
        let r = length(radii[i % radii.len()]);
        (r * libm::sin(angle), 0.0 - r * libm::cos(angle))
    }))
}

pub(super) fn regular(corners: f64, r: f64) -> Option<Shape> {
    around(corners, &[r])
}

pub(super) fn star(points: f64, outer: f64, inner: f64) -> Option<Shape> {
    around(points, &[outer, inner])
}

/// A line through points; through one point only, or several at the same place, it is a dot.
pub(super) fn polyline(
    points: impl Iterator<Item = (f64, f64)>,
    width: f64,
) -> Option<(Shape, (f64, f64))> {
    let width = length(width);
    let mut points: Vec<(f64, f64)> = points.map(|(x, y)| (limited(x), limited(y))).collect();
    points.dedup();
    let first = *points.first().filter(|_| width > 0.0)?;
    Some(match points.len() {
        1 => (ellipse(width / 2.0, width / 2.0), first),
        _ => (Shape::Polyline { points, width }, (0.0, 0.0)),
    })
}
