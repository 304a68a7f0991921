//! Shapes with their transforms worked into their numbers, as far as SVG has numbers for it.
//!
//! In: a `Shape` and the affine map that places it. Out: a [`Primitive`], or nothing when nothing
//! of the shape is left. Afterwards every number is rounded as it is written, so that what is
//! drawn directly and what is read from the SVG are the same.

use crate::scene::Shape;

/// Coordinates beyond this many pixels are drawn as if they were this: every number then has
/// room in the fixed-point arithmetic of the rasteriser (from some 1e7 on it panics). Skewed
/// shapes, whose points are placed by the renderer, are left out when they reach further.
const FARTHEST: f64 = 1e5;

/// An affine map as in `Region::Shape`.
pub(crate) type Affine = [f64; 6];

/// The map that changes nothing.
pub(crate) const IDENTITY: Affine = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0];

/// First `inner`, then `outer`.
pub(crate) fn compose(outer: &Affine, inner: &Affine) -> Affine {
    let [a, b, c, d, e, f] = *outer;
    let [g, h, i, j, k, l] = *inner;
    [
        a * g + c * h,
        b * g + d * h,
        a * i + c * j,
        b * i + d * j,
        a * k + c * l + e,
        b * k + d * l + f,
    ]
}

/// Where the map puts a point.
pub(crate) fn apply(m: &Affine, (x, y): (f64, f64)) -> (f64, f64) {
    (m[0] * x + m[2] * y + m[4], m[1] * x + m[3] * y + m[5])
}

/// A shape with final numbers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Primitive {
    pub(crate) form: Form,
    pub(crate) placed: Placed,
}

/// A shape's numbers, in pixels; each is what the SVG says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Form {
    Ellipse {
        cx: f64,
        cy: f64,
        rx: f64,
        ry: f64,
    },
    Rect {
        x: f64,
        y: f64,
        w: f64,
        h: f64,
        rx: f64,
        ry: f64,
    },
    Polygon(Vec<(f64, f64)>),
    /// Two points at least, round ends and joins.
    Polyline {
        points: Vec<(f64, f64)>,
        width: f64,
    },
}

/// What is left of a shape's transform.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Placed {
    Plain,
    /// Turned about a point, degrees clockwise on screen.
    Turned {
        degrees: f64,
        cx: f64,
        cy: f64,
    },
    /// Skewed: only rounded boxes and lines ever need it.
    Skewed(Affine),
}

/// Rounds to a thousandth of a pixel, as numbers are written.
fn tidy(x: f64) -> f64 {
    if x.is_nan() {
        // Overflow on both sides of a sum.
        return 0.0;
    }
    let x = (x * 1e3).round() / 1e3;
    // Adding 0 turns -0 into 0.
    x.clamp(-FARTHEST, FARTHEST) + 0.0
}

fn tidy_point((x, y): (f64, f64)) -> (f64, f64) {
    (tidy(x), tidy(y))
}

/// A shape with its map worked into its numbers; `None` when nothing of it is left.
pub(crate) fn place(shape: &Shape, at: &Affine) -> Option<Primitive> {
    let [a, b, c, d, e, f] = *at;
    if !at.iter().all(|x| x.is_finite()) {
        return None;
    }
    let (across, down) = (libm::hypot(a, b), libm::hypot(c, d));
    let dot = a * c + b * d;
    let upright = dot.abs() <= 1e-9 * across * down;
    let even = upright && (across - down).abs() <= 1e-9 * across;
    if (a * d - b * c).abs() <= 1e-12 {
        return None;
    }
    let angle = libm::atan2(b, a).to_degrees();
    let plain = |form| {
        Some(Primitive {
            form,
            placed: Placed::Plain,
        })
    };
    match *shape {
        Shape::Ellipse { rx, ry } => {
            let (rx, ry, angle) = if upright {
                (rx * across, ry * down, angle)
            } else {
                stretch([a * rx, b * rx, c * ry, d * ry])
            };
            ellipse(e, f, rx, ry, angle)
        }
        Shape::Box { w, h, r } if upright => {
            let (mut w, mut h) = (tidy(w * across), tidy(h * down));
            let (mut rx, mut ry) = (tidy(r * across), tidy(r * down));
            let (angle, swapped) = reduce(angle);
            if swapped {
                std::mem::swap(&mut w, &mut h);
                std::mem::swap(&mut rx, &mut ry);
            }
            if w <= 0.0 || h <= 0.0 {
                return None;
            }
            let form = Form::Rect {
                x: tidy(e - w / 2.0),
                y: tidy(f - h / 2.0),
                w,
                h,
                rx: rx.min(w / 2.0),
                ry: ry.min(h / 2.0),
            };
            Some(Primitive {
                form,
                placed: turned(angle, e, f),
            })
        }
        Shape::Box { w, h, r } => {
            if w <= 0.0 || h <= 0.0 {
                return None;
            }
            let (x, y) = (w / 2.0, h / 2.0);
            if r <= 0.0 {
                let corners = [(-x, -y), (x, -y), (x, y), (-x, y)];
                return polygon(corners.iter().map(|p| apply(at, *p)));
            }
            let form = Form::Rect {
                x: tidy(-x),
                y: tidy(-y),
                w: tidy(w),
                h: tidy(h),
                rx: tidy(r),
                ry: tidy(r),
            };
            skewed(form, at)
        }
        Shape::Polygon(ref points) => polygon(points.iter().map(|p| apply(at, *p))),
        Shape::Polyline { ref points, width } => {
            if even {
                let width = tidy(width * across);
                let mut points: Vec<_> = points.iter().map(|p| tidy_point(apply(at, *p))).collect();
                points.dedup();
                if width <= 0.0 {
                    return None;
                }
                return match points.as_slice() {
                    [] => None,
                    // A line without length still has round ends: a dot.
                    [(x, y)] => ellipse(*x, *y, width / 2.0, width / 2.0, 0.0),
                    _ => plain(Form::Polyline { points, width }),
                };
            }
            let width = tidy(width);
            let mut points: Vec<_> = points.iter().map(|p| tidy_point(*p)).collect();
            points.dedup();
            if width <= 0.0 {
                return None;
            }
            match points.as_slice() {
                [] => None,
                [(x, y)] => {
                    let dot = Shape::Ellipse {
                        rx: width / 2.0,
                        ry: width / 2.0,
                    };
                    place(&dot, &compose(at, &[1.0, 0.0, 0.0, 1.0, *x, *y]))
                }
                _ => skewed(Form::Polyline { points, width }, at),
            }
        }
    }
}

fn skewed(form: Form, at: &Affine) -> Option<Primitive> {
    // Factors need more places than lengths: they multiply lengths.
    let fine = |x: f64| (x * 1e6).round() / 1e6 + 0.0;
    let [a, b, c, d, e, f] = *at;
    let m = [fine(a), fine(b), fine(c), fine(d), tidy(e), tidy(f)];
    let primitive = Primitive {
        form,
        placed: Placed::Skewed(m),
    };
    let b = super::paths::bounds(&primitive);
    let reach = [b.x0, b.y0, b.x1, b.y1];
    let near = reach.iter().all(|x| x.abs() <= 2.0 * FARTHEST);
    (near && m[0] * m[3] - m[1] * m[2] != 0.0).then_some(primitive)
}

fn polygon(points: impl Iterator<Item = (f64, f64)>) -> Option<Primitive> {
    let mut points: Vec<_> = points.map(tidy_point).collect();
    points.dedup();
    let spread = |get: fn(&(f64, f64)) -> f64| {
        let low = points.iter().map(get).fold(f64::INFINITY, f64::min);
        let high = points.iter().map(get).fold(f64::NEG_INFINITY, f64::max);
        high - low
    };
    (points.len() >= 3 && spread(|p| p.0) > 0.0 && spread(|p| p.1) > 0.0).then_some(Primitive {
        form: Form::Polygon(points),
        placed: Placed::Plain,
    })
}

fn ellipse(cx: f64, cy: f64, rx: f64, ry: f64, angle: f64) -> Option<Primitive> {
    let (mut rx, mut ry) = (tidy(rx), tidy(ry));
    if rx <= 0.0 || ry <= 0.0 {
        return None;
    }
    let (mut angle, swapped) = reduce(angle);
    if swapped {
        std::mem::swap(&mut rx, &mut ry);
    }
    if rx == ry {
        angle = 0.0;
    }
    let (cx, cy) = tidy_point((cx, cy));
    Some(Primitive {
        form: Form::Ellipse { cx, cy, rx, ry },
        placed: turned(angle, cx, cy),
    })
}

/// An angle as it is written, for a shape that looks the same turned by 180 degrees: within
/// -90 and 90, and whether a quarter turn was taken out of it.
fn reduce(degrees: f64) -> (f64, bool) {
    let mut angle = tidy(degrees) % 180.0;
    if angle > 90.0 {
        angle -= 180.0;
    } else if angle <= -90.0 {
        angle += 180.0;
    }
    if angle == 90.0 {
        (0.0, true)
    } else {
        (tidy(angle), false)
    }
}

fn turned(degrees: f64, cx: f64, cy: f64) -> Placed {
    if degrees == 0.0 {
        return Placed::Plain;
    }
    let (cx, cy) = tidy_point((cx, cy));
    Placed::Turned { degrees, cx, cy }
}

/// Half axes and angle of the ellipse that a linear map makes of the unit circle: the map's
/// singular values and its left rotation.
fn stretch([a, b, c, d]: [f64; 4]) -> (f64, f64, f64) {
    let (e, f) = ((a + d) / 2.0, (a - d) / 2.0);
    let (g, h) = ((b + c) / 2.0, (b - c) / 2.0);
    let (q, r) = (libm::hypot(e, h), libm::hypot(f, g));
    let angle = (libm::atan2(h, e) + libm::atan2(g, f)) / 2.0;
    (q + r, (q - r).abs(), angle.to_degrees())
}
