//! Shapes as paths of the rasteriser, with the very numbers that resvg would get from our SVG.
//!
//! In: a [`Primitive`]. Out: a `tiny_skia` path, its transform, and the pixels it may touch.
//! Numbers pass through the same roundings as in usvg (double to single precision attribute by
//! attribute, arcs by kurbo at the same tolerance), so that both ways give the same pixels.

use tiny_skia::{LineCap, LineJoin, Path, PathBuilder, Rect, Stroke, Transform};

use super::place::{Affine, Form, Placed, Primitive, apply};

/// Tolerance of arcs, as usvg has it.
const ARC_TOLERANCE: f64 = 0.1;

/// The path of a form before it is placed; a line's is not filled but stroked.
pub(crate) fn path(form: &Form) -> Option<Path> {
    let mut out = PathBuilder::new();
    match *form {
        Form::Ellipse { cx, cy, rx, ry } => {
            let [cx, cy, rx, ry] = [cx as f32, cy as f32, rx as f32, ry as f32];
            out.move_to(cx + rx, cy);
            arc_to(&mut out, rx, ry, cx, cy + ry);
            arc_to(&mut out, rx, ry, cx - rx, cy);
            arc_to(&mut out, rx, ry, cx, cy - ry);
            arc_to(&mut out, rx, ry, cx + rx, cy);
            out.close();
        }
        Form::Rect { x, y, w, h, rx, ry } => {
            let [x, y, w, h] = [x as f32, y as f32, w as f32, h as f32];
            let (rx, ry) = ((rx as f32).min(w / 2.0), (ry as f32).min(h / 2.0));
            if rx == 0.0 {
                return Rect::from_xywh(x, y, w, h).map(PathBuilder::from_rect);
            }
            out.move_to(x + rx, y);
            out.line_to(x + w - rx, y);
            arc_to(&mut out, rx, ry, x + w, y + ry);
            out.line_to(x + w, y + h - ry);
            arc_to(&mut out, rx, ry, x + w - rx, y + h);
            out.line_to(x + rx, y + h);
            arc_to(&mut out, rx, ry, x, y + h - ry);
            out.line_to(x, y + ry);
            arc_to(&mut out, rx, ry, x + rx, y);
            out.close();
        }
        Form::Polygon(ref points) => {
            line_through(&mut out, points);
            out.close();
        }
        Form::Polyline { ref points, .. } => line_through(&mut out, points),
    }
    out.finish()
}

fn line_through(out: &mut PathBuilder, points: &[(f64, f64)]) {
    for (x, y) in points {
        if out.is_empty() {
            out.move_to(*x as f32, *y as f32);
        } else {
            out.line_to(*x as f32, *y as f32);
        }
    }
}

/// A quarter of an ellipse, clockwise on screen.
fn arc_to(out: &mut PathBuilder, rx: f32, ry: f32, x: f32, y: f32) {
    let Some(from) = out.last_point() else {
        return;
    };
    let arc = kurbo::SvgArc {
        from: (f64::from(from.x), f64::from(from.y)).into(),
        to: (f64::from(x), f64::from(y)).into(),
        radii: (f64::from(rx), f64::from(ry)).into(),
        x_rotation: 0.0,
        large_arc: false,
        sweep: true,
    };
    match kurbo::Arc::from_svg_arc(&arc) {
        Some(arc) => arc.to_cubic_beziers(ARC_TOLERANCE, |a, b, c| {
            out.cubic_to(
                a.x as f32, a.y as f32, b.x as f32, b.y as f32, c.x as f32, c.y as f32,
            );
        }),
        None => out.line_to(x, y),
    }
}

/// The transform attribute of a shape.
pub(crate) fn transform(placed: &Placed) -> Transform {
    let [a, b, c, d, e, f] = affine(placed).map(|x| x as f32);
    Transform::from_row(a, b, c, d, e, f)
}

/// How a line is drawn.
pub(crate) fn line_stroke(width: f64) -> Stroke {
    Stroke {
        width: width as f32,
        line_cap: LineCap::Round,
        line_join: LineJoin::Round,
        ..Stroke::default()
    }
}

/// The map of a placed shape.
pub(crate) fn affine(placed: &Placed) -> Affine {
    match *placed {
        Placed::Plain => super::place::IDENTITY,
        Placed::Turned { degrees, cx, cy } => {
            let (sin, cos) = libm::sincos(degrees.to_radians());
            // Summed in the order in which svgtypes multiplies translate, rotate, translate.
            let e = (cos * -cx - sin * -cy) + cx;
            let f = (sin * -cx + cos * -cy) + cy;
            [cos, sin, -sin, cos, e, f]
        }
        Placed::Skewed(m) => m,
    }
}

/// A rectangle of whole pixels, right and bottom excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Area {
    pub(crate) x0: i32,
    pub(crate) y0: i32,
    pub(crate) x1: i32,
    pub(crate) y1: i32,
}

impl Area {
    pub(crate) const EMPTY: Area = Area {
        x0: 0,
        y0: 0,
        x1: 0,
        y1: 0,
    };

    pub(crate) fn is_empty(self) -> bool {
        self.x0 >= self.x1 || self.y0 >= self.y1
    }

    pub(crate) fn meet(self, other: Area) -> Area {
        let area = Area {
            x0: self.x0.max(other.x0),
            y0: self.y0.max(other.y0),
            x1: self.x1.min(other.x1),
            y1: self.y1.min(other.y1),
        };
        if area.is_empty() { Area::EMPTY } else { area }
    }

    /// Around both.
    pub(crate) fn join(self, other: Area) -> Area {
        if self.is_empty() {
            return other;
        }
        if other.is_empty() {
            return self;
        }
        Area {
            x0: self.x0.min(other.x0),
            y0: self.y0.min(other.y0),
            x1: self.x1.max(other.x1),
            y1: self.y1.max(other.y1),
        }
    }

    /// Moved.
    pub(crate) fn shifted(self, (dx, dy): (i32, i32)) -> Area {
        Area {
            x0: self.x0.saturating_add(dx),
            y0: self.y0.saturating_add(dy),
            x1: self.x1.saturating_add(dx),
            y1: self.y1.saturating_add(dy),
        }
    }

    /// Whether all of the other lies inside.
    pub(crate) fn holds(self, other: Area) -> bool {
        other.is_empty() || self.meet(other) == other
    }

    pub(crate) fn pixels(self) -> u64 {
        self.width() as u64 * self.height() as u64
    }

    pub(crate) fn width(self) -> usize {
        (i64::from(self.x1) - i64::from(self.x0)).max(0) as usize
    }

    pub(crate) fn height(self) -> usize {
        (i64::from(self.y1) - i64::from(self.y0)).max(0) as usize
    }
}

/// A rectangle in the plane, sides not on whole pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bounds {
    pub(crate) x0: f64,
    pub(crate) y0: f64,
    pub(crate) x1: f64,
    pub(crate) y1: f64,
}

impl Bounds {
    /// Holds nothing; joining it changes nothing.
    pub(crate) const EMPTY: Bounds = Bounds {
        x0: f64::INFINITY,
        y0: f64::INFINITY,
        x1: f64::NEG_INFINITY,
        y1: f64::NEG_INFINITY,
    };

    pub(crate) fn join(self, other: Bounds) -> Bounds {
        Bounds {
            x0: self.x0.min(other.x0),
            y0: self.y0.min(other.y0),
            x1: self.x1.max(other.x1),
            y1: self.y1.max(other.y1),
        }
    }

    fn hold(self, (x, y): (f64, f64)) -> Bounds {
        self.join(Bounds {
            x0: x,
            y0: y,
            x1: x,
            y1: y,
        })
    }

    fn grown(self, by: f64) -> Bounds {
        Bounds {
            x0: self.x0 - by,
            y0: self.y0 - by,
            x1: self.x1 + by,
            y1: self.y1 + by,
        }
    }

    /// The pixels that what lies inside may touch, with one to spare for the rasteriser.
    pub(crate) fn area(self) -> Area {
        if self.x0 > self.x1 || self.y0 > self.y1 {
            return Area::EMPTY;
        }
        Area {
            x0: self.x0.floor() as i32 - 1,
            y0: self.y0.floor() as i32 - 1,
            x1: self.x1.ceil() as i32 + 1,
            y1: self.y1.ceil() as i32 + 1,
        }
    }
}

/// The box around a shape as usvg takes it: of its own upright box, placed. Lines with their width.
pub(crate) fn bounds(primitive: &Primitive) -> Bounds {
    let own = match &primitive.form {
        Form::Ellipse { cx, cy, rx, ry } => Bounds {
            x0: cx - rx,
            y0: cy - ry,
            x1: cx + rx,
            y1: cy + ry,
        },
        Form::Rect { x, y, w, h, .. } => Bounds {
            x0: *x,
            y0: *y,
            x1: x + w,
            y1: y + h,
        },
        Form::Polygon(points) => points.iter().fold(Bounds::EMPTY, |b, p| b.hold(*p)),
        Form::Polyline { points, width } => {
            let line = points.iter().fold(Bounds::EMPTY, |b, p| b.hold(*p));
            line.grown(width / 2.0)
        }
    };
    if primitive.placed == Placed::Plain {
        return own;
    }
    let at = affine(&primitive.placed);
    let corners = [
        (own.x0, own.y0),
        (own.x1, own.y0),
        (own.x1, own.y1),
        (own.x0, own.y1),
    ];
    let placed = corners.iter().map(|corner| apply(&at, *corner));
    placed.fold(Bounds::EMPTY, Bounds::hold)
}
