//! Shapes by formula against the definitions of the shapes.

use std::collections::BTreeSet;

use rand::RngExt as _;

use super::*;
use crate::sample::stream;

fn pixels(runs: &Runs) -> BTreeSet<(i32, i32)> {
    let mut out = BTreeSet::new();
    for stratum in runs.strata() {
        let (from, to) = stratum.runs((0, stratum.rows()));
        for ((from, to), y) in from.iter().zip(to).zip(stratum.top..) {
            let left = runs.area.left;
            out.extend((*from..*to).map(|x| (left + i32::from(x), y)));
        }
    }
    out
}

/// Whether a point is in a shape, by its definition.
fn inside(shape: &Shape, (x, y): (f64, f64)) -> bool {
    let near = |(cx, cy): (f64, f64), r: f64| libm::hypot(x - cx, y - cy) <= r;
    match shape {
        Shape::Ellipse { rx, ry } => libm::hypot(x / rx, y / ry) <= 1.0,
        Shape::Box { w, h, r } => {
            let (dx, dy) = (x.abs() - (w / 2.0 - r), y.abs() - (h / 2.0 - r));
            match dx > 0.0 && dy > 0.0 {
                true => libm::hypot(dx, dy) <= *r,
                false => dx <= *r && dy <= *r,
            }
        }
        Shape::Polygon(points) => {
            let sides = (0..points.len()).map(|i| {
                let (a, b) = (points[i], points[(i + 1) % points.len()]);
                (b.0 - a.0) * (y - a.1) - (b.1 - a.1) * (x - a.0)
            });
            sides.clone().all(|side| side >= 0.0) || sides.clone().all(|side| side <= 0.0)
        }
        Shape::Polyline { points, width } => {
            let (a, b) = (points[0], points[1]);
            let (dx, dy) = (b.0 - a.0, b.1 - a.1);
            let along = ((x - a.0) * dx + (y - a.1) * dy) / (dx * dx + dy * dy);
            let along = along.clamp(0.0, 1.0);
            near((a.0 + along * dx, a.1 + along * dy), width / 2.0)
        }
    }
}

#[test]
fn convex_shapes_by_formula_have_the_pixels_whose_centres_are_inside() {
    let canvas = Area {
        x0: 0,
        y0: 0,
        x1: 200,
        y1: 200,
    };
    let mut store = Store::new(canvas);
    let mut found = 0;
    for index in 0..600 {
        let mut rng = stream(3, index);
        let mut length = |most: f64| rng.random_range(0.0..most);
        let shape = match index % 5 {
            0 => Shape::Ellipse {
                rx: length(60.0),
                ry: length(60.0),
            },
            1 => Shape::Box {
                w: length(90.0),
                h: length(90.0),
                r: 0.0,
            },
            2 => Shape::Box {
                w: 20.0 + length(90.0),
                h: 20.0 + length(90.0),
                r: length(10.0),
            },
            3 => Shape::Polygon(vec![
                (length(90.0), length(90.0)),
                (length(90.0), length(90.0)),
                (length(90.0), length(90.0)),
            ]),
            _ => Shape::Polyline {
                points: vec![(length(60.0), length(60.0)), (length(60.0), length(60.0))],
                width: length(30.0),
            },
        };
        let (cos, sin) = {
            let angle = length(7.0);
            (libm::cos(angle), libm::sin(angle))
        };
        let at = [cos, sin, -sin, cos, length(20.0), length(20.0)];
        let runs = store.convex(&shape, &at).expect("a convex shape");
        let pixels = pixels(&runs);
        found += pixels.len();
        for y in -150..170 {
            for x in -150..170 {
                // Where the map comes from.
                let (px, py) = (f64::from(x) + 0.5 - at[4], f64::from(y) + 0.5 - at[5]);
                let (u, v) = (cos * px + sin * py, cos * py - sin * px);
                let about = |d: f64| inside(&shape, (u + d, v)) && inside(&shape, (u, v + d));
                let is = inside(&shape, (u, v));
                // On the very edge it may be rounded either way.
                if about(1e-6) == is && about(-1e-6) == is {
                    assert_eq!(
                        pixels.contains(&(x, y)),
                        is,
                        "{shape:?} at {at:?}: {x}, {y}"
                    );
                }
            }
        }
    }
    assert!(found > 500_000, "{found}");
}
