//! Bounds: the least upright rectangle around a region.
//!
//! In: shapes and the maps that place them. Out: [`Bounds`]. Those of a shape are exact, of a
//! turned ellipse too; those of a union are the union's of its parts, of an intersection the
//! intersection's, of a difference those of its left side.

use serde::Serialize;

use super::affine::{Affine, apply};
use super::{Region, RegionId, Scene, Shape};

/// An upright rectangle in pixels, or nothing, or the whole plane.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bounds {
    /// Left.
    pub x0: f64,
    /// Top.
    pub y0: f64,
    /// Right.
    pub x1: f64,
    /// Bottom.
    pub y1: f64,
}

impl Bounds {
    /// Around nothing: neutral in unions.
    pub const EMPTY: Bounds = Bounds {
        x0: f64::INFINITY,
        y0: f64::INFINITY,
        x1: f64::NEG_INFINITY,
        y1: f64::NEG_INFINITY,
    };

    /// Around the whole plane: neutral in intersections.
    pub const EVERYTHING: Bounds = Bounds {
        x0: f64::NEG_INFINITY,
        y0: f64::NEG_INFINITY,
        x1: f64::INFINITY,
        y1: f64::INFINITY,
    };

    /// Whether there is nothing inside, not even a point.
    pub fn is_empty(&self) -> bool {
        self.x0 > self.x1 || self.y0 > self.y1
    }

    /// Whether it is a rectangle with four sides.
    pub fn is_finite(&self) -> bool {
        [self.x0, self.y0, self.x1, self.y1]
            .iter()
            .all(|side| side.is_finite())
    }

    /// From left to right; 0 when empty.
    pub fn width(&self) -> f64 {
        if self.is_empty() {
            0.0
        } else {
            self.x1 - self.x0
        }
    }

    /// From top to bottom; 0 when empty.
    pub fn height(&self) -> f64 {
        if self.is_empty() {
            0.0
        } else {
            self.y1 - self.y0
        }
    }

    /// The middle of a rectangle with four sides.
    pub fn center(&self) -> (f64, f64) {
        ((self.x0 + self.x1) / 2.0, (self.y0 + self.y1) / 2.0)
    }

    /// Around both.
    #[must_use]
    pub fn union(self, other: Bounds) -> Bounds {
        Bounds {
            x0: self.x0.min(other.x0),
            y0: self.y0.min(other.y0),
            x1: self.x1.max(other.x1),
            y1: self.y1.max(other.y1),
        }
    }

    /// Around what both hold.
    #[must_use]
    pub fn intersection(self, other: Bounds) -> Bounds {
        let both = Bounds {
            x0: self.x0.max(other.x0),
            y0: self.y0.max(other.y0),
            x1: self.x1.min(other.x1),
            y1: self.y1.min(other.y1),
        };
        if both.is_empty() { Bounds::EMPTY } else { both }
    }

    /// Moved.
    #[must_use]
    pub fn shifted(self, dx: f64, dy: f64) -> Bounds {
        Bounds {
            x0: self.x0 + dx,
            y0: self.y0 + dy,
            x1: self.x1 + dx,
            y1: self.y1 + dy,
        }
    }

    /// Around the rectangle after a map.
    #[must_use]
    pub(crate) fn mapped(self, map: &Affine) -> Bounds {
        if !self.is_finite() {
            return self;
        }
        let Bounds { x0, y0, x1, y1 } = self;
        around([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], map)
    }
}

fn around(points: impl IntoIterator<Item = (f64, f64)>, map: &Affine) -> Bounds {
    points.into_iter().fold(Bounds::EMPTY, |bounds, point| {
        let (x, y) = apply(map, point);
        bounds.union(Bounds {
            x0: x,
            y0: y,
            x1: x,
            y1: y,
        })
    })
}

/// Of a placed shape.
pub(crate) fn of_shape(shape: &Shape, at: &Affine) -> Bounds {
    let [a, b, c, d, e, f] = *at;
    // How far a circle of radius 1 reaches once it is mapped.
    let (disc_x, disc_y) = ((a * a + c * c).sqrt(), (b * b + d * d).sqrt());
    let about = |half_w: f64, half_h: f64| Bounds {
        x0: e - half_w,
        y0: f - half_h,
        x1: e + half_w,
        y1: f + half_h,
    };
    match shape {
        Shape::Ellipse { rx, ry } => about(
            ((a * rx).powi(2) + (c * ry).powi(2)).sqrt(),
            ((b * rx).powi(2) + (d * ry).powi(2)).sqrt(),
        ),
        Shape::Box { w, h, r } => {
            // The centres of the corners' circles, and a radius more.
            let (x, y) = (w / 2.0 - r, h / 2.0 - r);
            about(
                (a * x).abs() + (c * y).abs() + disc_x * r,
                (b * x).abs() + (d * y).abs() + disc_y * r,
            )
        }
        Shape::Polygon(points) => around(points.iter().copied(), at),
        Shape::Polyline { points, width } => {
            let line = around(points.iter().copied(), at);
            let (x, y) = (disc_x * width / 2.0, disc_y * width / 2.0);
            Bounds {
                x0: line.x0 - x,
                y0: line.y0 - y,
                x1: line.x1 + x,
                y1: line.y1 + y,
            }
        }
    }
}

/// Of a region of a scene. A `Transform` gets the bounds of its region's mapped bounds, which may
/// be larger than need be; lowered scenes have none.
pub fn bounds(scene: &Scene, region: RegionId) -> Bounds {
    let mut known: Vec<Bounds> = Vec::new();
    for region in scene.regions.iter().take(region.0 as usize + 1) {
        // Operands stand before what uses them.
        let of = |id: RegionId| known.get(id.0 as usize).copied().unwrap_or(Bounds::EMPTY);
        let next = match region {
            Region::Empty => Bounds::EMPTY,
            Region::Everything => Bounds::EVERYTHING,
            Region::Shape { shape, at } => of_shape(shape, at),
            Region::Union(a, b) => of(*a).union(of(*b)),
            Region::Difference(a, _) => of(*a),
            Region::Intersection(a, b) => of(*a).intersection(of(*b)),
            Region::Transform(inner, by) => of(*inner).mapped(by),
        };
        known.push(next);
    }
    known.last().copied().unwrap_or(Bounds::EMPTY)
}

#[cfg(test)]
mod tests {
    use super::super::affine::{IDENTITY, compose, scale, shift, turn};
    use super::*;

    fn close(found: Bounds, wanted: [f64; 4]) {
        let found = [found.x0, found.y0, found.x1, found.y1];
        let near = found.iter().zip(&wanted).all(|(a, b)| (a - b).abs() < 1e-9);
        assert!(near, "{found:?} is not {wanted:?}");
    }

    #[test]
    fn a_turned_ellipse_is_measured_exactly() {
        let ellipse = Shape::Ellipse { rx: 10.0, ry: 4.0 };
        let at = compose(&shift(50.0, 20.0), &turn(30.0));
        // Sampled, against the formula.
        let outline = (0..36_000).map(|i| {
            let t = f64::from(i) * std::f64::consts::TAU / 36_000.0;
            (10.0 * libm::cos(t), 4.0 * libm::sin(t))
        });
        let seen = around(outline, &at);
        let said = of_shape(&ellipse, &at);
        assert!((said.x1 - seen.x1).abs() < 1e-6 && (said.y0 - seen.y0).abs() < 1e-6);
        close(of_shape(&ellipse, &turn(90.0)), [-4.0, -10.0, 4.0, 10.0]);
    }

    #[test]
    fn boxes_lines_and_polygons() {
        let plain = Shape::Box {
            w: 10.0,
            h: 6.0,
            r: 0.0,
        };
        close(of_shape(&plain, &IDENTITY), [-5.0, -3.0, 5.0, 3.0]);
        let half = 8.0 / 2f64.sqrt();
        close(of_shape(&plain, &turn(45.0)), [-half, -half, half, half]);
        // Rounded to a disc, a box turns without growing.
        let round = Shape::Box {
            w: 6.0,
            h: 6.0,
            r: 3.0,
        };
        close(of_shape(&round, &turn(45.0)), [-3.0, -3.0, 3.0, 3.0]);
        let line = Shape::Polyline {
            points: vec![(0.0, 0.0), (10.0, 0.0)],
            width: 4.0,
        };
        close(of_shape(&line, &scale(2.0, 3.0)), [-4.0, -6.0, 24.0, 6.0]);
        let triangle = Shape::Polygon(vec![(0.0, -3.0), (4.0, 3.0), (-4.0, 3.0)]);
        close(
            of_shape(&triangle, &scale(1.0, -1.0)),
            [-4.0, -3.0, 4.0, 3.0],
        );
    }

    #[test]
    fn empty_and_everything_are_neutral() {
        let some = Bounds {
            x0: 1.0,
            y0: 2.0,
            x1: 3.0,
            y1: 5.0,
        };
        assert_eq!(Bounds::EMPTY.union(some), some);
        assert_eq!(Bounds::EVERYTHING.intersection(some), some);
        assert!(Bounds::EMPTY.is_empty() && !Bounds::EVERYTHING.is_finite());
        let apart = some.shifted(10.0, 0.0);
        assert_eq!(some.intersection(apart), Bounds::EMPTY);
        assert_eq!((some.width(), some.height()), (2.0, 3.0));
    }
}
