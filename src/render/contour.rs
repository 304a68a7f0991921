//! Paths of closed contours: taken apart, tidied, written as path data, handed to the rasteriser.
//!
//! In: `kurbo` paths as a sweep leaves them. Out: the same outlines in as few commands as lines
//! allow, and their text with three decimals; what is drawn is rounded as what is written.

use std::fmt::Write;

use kurbo::{BezPath, ParamCurve as _, ParamCurveArclen as _, PathEl, Point, Shape as _};

use super::svg::number;

/// Path data with three decimals, upright and level lines in their short form.
pub(crate) fn path_data(path: &BezPath) -> String {
    let mut out = String::new();
    let num = |x: f64| number(x, 3);
    let pair = |p: Point| {
        let (x, y) = (num(p.x), num(p.y));
        let gap = if y.starts_with('-') { "" } else { " " };
        format!("{x}{gap}{y}")
    };
    let mut at = Point::ZERO;
    for element in path.elements() {
        match *element {
            PathEl::MoveTo(p) => {
                let _ = write!(out, "M{}", pair(p));
                at = p;
            }
            PathEl::LineTo(p) => {
                if num(p.y) == num(at.y) {
                    let _ = write!(out, "H{}", num(p.x));
                } else if num(p.x) == num(at.x) {
                    let _ = write!(out, "V{}", num(p.y));
                } else {
                    let _ = write!(out, "L{}", pair(p));
                }
                at = p;
            }
            PathEl::QuadTo(a, p) => {
                let _ = write!(out, "Q{} {}", pair(a), pair(p));
                at = p;
            }
            PathEl::CurveTo(a, b, p) => {
                let _ = write!(out, "C{} {} {}", pair(a), pair(b), pair(p));
                at = p;
            }
            PathEl::ClosePath => out.push('Z'),
        }
    }
    out
}

/// The same path for the rasteriser, rounded as it is written.
pub(crate) fn skia_path(path: &BezPath) -> Option<tiny_skia::Path> {
    let mut out = tiny_skia::PathBuilder::new();
    let p = |p: Point| {
        let round = |x: f64| ((x * 1e3).round() / 1e3) as f32;
        tiny_skia::Point::from_xy(round(p.x), round(p.y))
    };
    for element in path.elements() {
        match *element {
            PathEl::MoveTo(a) => out.move_to(p(a).x, p(a).y),
            PathEl::LineTo(a) => out.line_to(p(a).x, p(a).y),
            PathEl::QuadTo(a, b) => out.quad_to(p(a).x, p(a).y, p(b).x, p(b).y),
            PathEl::CurveTo(a, b, c) => {
                out.cubic_to(p(a).x, p(a).y, p(b).x, p(b).y, p(c).x, p(c).y);
            }
            PathEl::ClosePath => out.close(),
        }
    }
    out.finish()
}

/// Joins lines that go straight on and drops what is too small to see.
pub(crate) fn tidy(path: &BezPath) -> BezPath {
    const SMALL: f64 = 1e-3;
    let mut out = BezPath::new();
    for contour in contours(path) {
        if contour.area().abs() < SMALL {
            continue;
        }
        out.extend(straightened(&contour).iter());
    }
    out
}

/// The closed contours of a path, each by itself.
pub(crate) fn contours(path: &BezPath) -> Vec<BezPath> {
    let mut out: Vec<BezPath> = Vec::new();
    for element in path.elements() {
        if let (PathEl::MoveTo(_), _) | (_, true) = (element, out.is_empty()) {
            out.push(BezPath::new());
        }
        if let Some(last) = out.last_mut() {
            last.push(*element);
        }
    }
    out
}

/// A closed contour with neighbouring lines of one direction joined, begun at a corner.
fn straightened(contour: &BezPath) -> BezPath {
    const SMALL: f64 = 1e-3;
    let segments: Vec<kurbo::PathSeg> = contour
        .segments()
        .filter(|s| s.start().distance(s.end()) > SMALL || s.arclen(0.1) > SMALL)
        .collect();
    let straight = |a: &kurbo::PathSeg, b: &kurbo::PathSeg| match (a, b) {
        (kurbo::PathSeg::Line(a), kurbo::PathSeg::Line(b)) => {
            let (u, v) = (a.p1 - a.p0, b.p1 - b.p0);
            // The corner is closer than a thousandth of a pixel to the straight line.
            u.dot(v) > 0.0 && u.cross(v).abs() <= SMALL * (b.p1 - a.p0).hypot()
        }
        _ => false,
    };
    let n = segments.len();
    // Beginning where the direction changes keeps a line from being cut by the start.
    let start = (0..n)
        .find(|i| !straight(&segments[(i + n - 1) % n], &segments[*i]))
        .unwrap_or(0);
    let mut out: Vec<kurbo::PathSeg> = Vec::with_capacity(n);
    for i in 0..n {
        let segment = segments[(start + i) % n];
        match out.last_mut() {
            Some(kurbo::PathSeg::Line(line)) if straight(&(*line).into(), &segment) => {
                line.p1 = segment.end();
            }
            _ => out.push(segment),
        }
    }
    let mut path = BezPath::new();
    for (i, segment) in out.iter().enumerate() {
        if i == 0 {
            path.move_to(segment.start());
        }
        // The closing line is drawn by closing.
        if i + 1 == out.len() && matches!(segment, kurbo::PathSeg::Line(_)) {
            break;
        }
        path.push(segment.as_path_el());
    }
    path.close_path();
    path
}
