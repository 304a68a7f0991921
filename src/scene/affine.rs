//! Affine maps: `[a, b, c, d, e, f]` takes (x, y) to (a x + c y + e, b x + d y + f).
//!
//! In: numbers that may be anything. Out: maps whose entries are finite and of limited magnitude.

use crate::grammar::scalar::{cos_sin, limited};

/// A map of the plane.
pub(crate) type Affine = [f64; 6];

/// Leaves everything where it is.
pub(crate) const IDENTITY: Affine = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0];

pub(crate) fn shift(dx: f64, dy: f64) -> Affine {
    [1.0, 0.0, 0.0, 1.0, limited(dx), limited(dy)]
}

/// About the origin; clockwise on screen, where y grows downwards.
pub(crate) fn turn(degrees: f64) -> Affine {
    let (cos, sin) = cos_sin(degrees);
    [cos, sin, 0.0 - sin, cos, 0.0, 0.0]
}

pub(crate) fn scale(sx: f64, sy: f64) -> Affine {
    [limited(sx), 0.0, 0.0, limited(sy), 0.0, 0.0]
}

/// First `inner`, then `outer`.
pub(crate) fn compose(outer: &Affine, inner: &Affine) -> Affine {
    if *outer == IDENTITY {
        return *inner;
    }
    let [a, b, c, d, e, f] = *outer;
    let [p, q, r, s, t, u] = *inner;
    if [a, b, c, d] == IDENTITY[..4] {
        // What the sums below come to, entries being limited already.
        return [p, q, r, s, limited(t + e), limited(u + f)];
    }
    [
        a * p + c * q,
        b * p + d * q,
        a * r + c * s,
        b * r + d * s,
        a * t + c * u + e,
        b * t + d * u + f,
    ]
    .map(limited)
}

pub(crate) fn apply(map: &Affine, (x, y): (f64, f64)) -> (f64, f64) {
    let [a, b, c, d, e, f] = *map;
    (a * x + c * y + e, b * x + d * y + f)
}

/// By how much areas grow; negative when the map mirrors.
pub(crate) fn determinant(map: &Affine) -> f64 {
    map[0] * map[3] - map[1] * map[2]
}
