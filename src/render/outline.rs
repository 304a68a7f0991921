//! Outlines: a finished region as one path, curves kept.
//!
//! In: a scene. Out: `kurbo` paths, and SVG that holds nothing but paths, for CAD programs and
//! plotters (`tdc render --outline`). Afterwards contours do not cross, holes run against their
//! surroundings, and filling by either rule gives the region. Boolean operations are linesweeper's
//! (a sweep over all curves at once, after Bentley and Ottmann): up to [`SWEEP`] shapes go into
//! one sweep with the whole formula as the inside test, so that no rounding piles up.

use std::fmt::Write;
use std::ops::{Add, AddAssign};

use kurbo::{BezPath, PathEl, Point, Rect, Shape as _};
use linesweeper::topology::{Topology, WindingNumber};

use super::contour::{path_data, tidy};
use super::place::{Form, Primitive, apply};
use super::plan::{self, Kind, List, NodeId, Plan};
use super::svg::{self, SvgOptions, number};
use super::{RenderError, paths};
use crate::scene::{Content, Layer, Paint, Scene};

/// Most shapes in one sweep; larger scenes are swept part by part.
const SWEEP: usize = 16;

/// How far a sweep may move a curve, in pixels.
const ACCURACY: f64 = 1e-5;

/// Where the whole plane ends when its outline is asked for: well off every canvas.
const HORIZON: f64 = 1e5;

/// The outline of what a scene shows: one path for ink, one for each layer's region.
pub fn outlines(scene: &Scene) -> Result<Vec<BezPath>, RenderError> {
    let plan = plan::lower(scene)?;
    let frame = Rect::new(
        0.0,
        0.0,
        f64::from(scene.canvas.width),
        f64::from(scene.canvas.height),
    );
    let layers = layers(scene);
    let roots = plan.roots.iter().enumerate();
    let outline = |(i, root): (usize, &Option<NodeId>)| match (root, layers.get(i)) {
        (None, _) => BezPath::new(),
        // Where the canvas ends is no edge to draw along.
        (Some(root), Some(layer)) if matches!(layer.paint, Paint::Stroke { .. }) => {
            of_node(&plan, *root)
        }
        (Some(root), _) => region(&plan, *root, frame),
    };
    Ok(roots.map(outline).collect())
}

/// What is one path in the SVG: ink, or layers of one colour that nothing of another lies between.
struct Sheet {
    paint: Option<Paint>,
    paths: Vec<BezPath>,
    bounds: Rect,
}

/// How far apart two regions are that certainly share no pixel.
const APART: f64 = 1.0;

/// The sheets of a scene from the bottom up. A layer of an opaque colour comes to the last one of its
/// colour, if it touches nothing that lies over that.
fn sheets(paths: Vec<BezPath>, layers: &[Layer]) -> Vec<Sheet> {
    let mut sheets: Vec<Sheet> = Vec::new();
    for (i, path) in paths.into_iter().enumerate() {
        if path.elements().is_empty() {
            continue;
        }
        let paint = layers.get(i).map(|layer| layer.paint);
        // Mitred corners of a stroke reach four half widths out at most.
        let out = match paint {
            Some(Paint::Stroke { width, .. }) => APART + 2.0 * width,
            _ => APART,
        };
        let bounds = path.control_box().inflate(out, out);
        let opaque = matches!(paint, Some(Paint::Fill([.., 255])));
        let same = opaque
            .then(|| {
                // From the top down to the first that is in the way.
                let free = |sheet: &&mut Sheet| !sheet.bounds.overlaps(bounds);
                let mut below = sheets.iter_mut().rev();
                below.find(|sheet| sheet.paint == paint || !free(sheet))
            })
            .flatten()
            .filter(|sheet| sheet.paint == paint);
        match same {
            Some(sheet) => {
                sheet.paths.push(path);
                sheet.bounds = sheet.bounds.union(bounds);
            }
            None => sheets.push(Sheet {
                paint,
                paths: vec![path],
                bounds,
            }),
        }
    }
    sheets
}

/// One path for all of them.
fn together(mut paths: Vec<BezPath>) -> BezPath {
    match paths.len() {
        0 | 1 => paths.pop().unwrap_or_default(),
        _ => {
            let parts = paths.into_iter().map(Part::one);
            let part = union(parts.collect()).swept();
            tidy(&part.paths.into_iter().next().unwrap_or_default())
        }
    }
}

fn layers(scene: &Scene) -> &[Layer] {
    match &scene.content {
        Content::Ink(_) => &[],
        Content::Layers(layers) => layers,
    }
}

/// SVG made of paths only: one for ink, one for each colour, or more where another colour lies
/// between.
pub fn outline_svg(scene: &Scene, options: &SvgOptions) -> Result<String, RenderError> {
    let paths = outlines(scene)?;
    let mut out = svg::open(&scene.canvas, options);
    let (group, end) = options.group(&scene.canvas);
    out.push_str(&group);
    if let (crate::grammar::ir::CanvasMode::Rgb { background }, false) =
        (scene.canvas.mode, options.transparent)
    {
        let fill = svg::color(background);
        let (w, h) = (scene.canvas.width, scene.canvas.height);
        let _ = writeln!(out, r#"  <path d="M0 0H{w}V{h}H0Z" fill="{fill}"/>"#);
    }
    for sheet in sheets(paths, layers(scene)) {
        let paint = match sheet.paint {
            None => String::new(),
            Some(Paint::Fill([r, g, b, alpha])) => {
                let mut paint = format!(r#" fill="{}""#, svg::color([r, g, b]));
                if alpha < 255 {
                    let alpha = number(f64::from(alpha) / 255.0, 4);
                    let _ = write!(paint, r#" fill-opacity="{alpha}""#);
                }
                paint
            }
            Some(Paint::Stroke { color, width }) => {
                format!(r#" fill="none"{}"#, svg::stroke_attributes(color, width))
            }
        };
        let _ = writeln!(
            out,
            r#"  <path d="{}"{paint}/>"#,
            path_data(&together(sheet.paths))
        );
    }
    out.push_str(end);
    out.push_str("</svg>\n");
    Ok(out)
}

/// The outline of a node for a stroke along it: the edge of the plane is far away.
pub(crate) fn of_node(plan: &Plan, node: NodeId) -> BezPath {
    region(plan, node, Rect::new(-HORIZON, -HORIZON, HORIZON, HORIZON))
}

/// A formula over the operands of one sweep, in postfix order.
#[derive(Clone, Copy, Debug)]
enum Op {
    Operand(u8),
    Or(u8),
    And,
    AndNot,
}

/// A node's region, not swept yet: paths and the formula that combines them.
#[derive(Clone, Debug, Default)]
struct Part {
    paths: Vec<BezPath>,
    formula: Vec<Op>,
}

impl Part {
    fn one(path: BezPath) -> Part {
        Part {
            paths: vec![path],
            formula: vec![Op::Operand(0)],
        }
    }

    /// Appends another's paths and formula.
    fn take(&mut self, other: Part) {
        let shift = self.paths.len() as u8;
        self.paths.extend(other.paths);
        self.formula.extend(other.formula.iter().map(|op| match op {
            Op::Operand(i) => Op::Operand(i + shift),
            op => *op,
        }));
    }

    /// Carries the formula out, leaving one path.
    fn swept(self) -> Part {
        if self.paths.is_empty() {
            return self;
        }
        let path = sweep(&self.paths, &self.formula);
        if path.elements().is_empty() {
            Part::default()
        } else {
            Part::one(path)
        }
    }

    fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }
}

/// The outline of a node; `frame` stands for the whole plane.
pub(crate) fn region(plan: &Plan, root: NodeId, frame: Rect) -> BezPath {
    // Children come before what holds them, so one pass upwards does it; a node's part is moved
    // out when it is used, which happens once. Nodes left over from flattening are not in use.
    let used = plan.used(root);
    let mut parts: Vec<Option<Part>> = Vec::with_capacity(used.len());
    for (id, used) in plan.ids().zip(used) {
        if !used {
            parts.push(None);
            continue;
        }
        let part = match plan.kind(id) {
            Kind::All => Part::one(frame.to_path(0.1)),
            Kind::Shape(index) => {
                let shape = plan.shapes.get(index as usize);
                shape.map(|s| Part::one(shape_path(s))).unwrap_or_default()
            }
            Kind::Union(list) => any(plan, list, &mut parts),
            Kind::Product { base, keeps, cuts } => {
                let mut part = parts[base.index()].take().unwrap_or_default();
                for keep in plan.list(keeps) {
                    let keep = parts[keep.index()].take().unwrap_or_default();
                    part = if keep.is_empty() {
                        Part::default()
                    } else {
                        both(part, keep, Op::And)
                    };
                }
                if !cuts.is_empty() {
                    let cut = any(plan, cuts, &mut parts);
                    if !cut.is_empty() {
                        part = both(part, cut, Op::AndNot);
                    }
                }
                part
            }
        };
        parts.push(Some(part));
    }
    let part = parts.pop().flatten().unwrap_or_default().swept();
    let path = part.paths.into_iter().next().unwrap_or_default();
    tidy(&path)
}

/// Two parts under a common operator, swept beforehand where they are too many for one sweep.
fn both(mut a: Part, mut b: Part, op: Op) -> Part {
    if a.is_empty() {
        return a;
    }
    if a.paths.len() + b.paths.len() > SWEEP {
        if a.paths.len() >= b.paths.len() {
            a = a.swept();
        } else {
            b = b.swept();
        }
        if a.paths.len() + b.paths.len() > SWEEP {
            a = a.swept();
            b = b.swept();
        }
        if a.is_empty() || b.is_empty() {
            return match op {
                Op::And => Part::default(),
                _ => a,
            };
        }
    }
    a.take(b);
    a.formula.push(op);
    a
}

/// The union of a list.
fn any(plan: &Plan, list: List, parts: &mut [Option<Part>]) -> Part {
    let parts = plan
        .list(list)
        .filter_map(|node| parts.get_mut(node.index())?.take())
        .filter(|part| !part.is_empty());
    union(parts.collect())
}

/// The union of parts, by halves when there are many.
fn union(mut queue: Vec<Part>) -> Part {
    loop {
        let mut next: Vec<Part> = Vec::new();
        let mut group = Part::default();
        let mut members = 0u8;
        for part in queue {
            let part = if part.paths.len() > SWEEP / 2 {
                part.swept()
            } else {
                part
            };
            if part.is_empty() {
                continue;
            }
            if group.paths.len() + part.paths.len() > SWEEP {
                group.formula.push(Op::Or(members));
                next.push(std::mem::take(&mut group));
                members = 0;
            }
            group.take(part);
            members += 1;
        }
        if members > 0 {
            group.formula.push(Op::Or(members));
            next.push(group);
        }
        if next.len() <= 1 {
            return next.pop().unwrap_or_default();
        }
        queue = next.into_iter().map(Part::swept).collect();
    }
}

/// Winding numbers around each operand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Windings([i16; SWEEP]);

impl Add for Windings {
    type Output = Windings;

    fn add(mut self, other: Windings) -> Windings {
        self += other;
        self
    }
}

impl AddAssign for Windings {
    fn add_assign(&mut self, other: Windings) {
        for (a, b) in self.0.iter_mut().zip(other.0) {
            *a = a.wrapping_add(b);
        }
    }
}

impl WindingNumber for Windings {
    type Tag = u8;

    fn single(tag: u8, positive: bool) -> Windings {
        let mut windings = Windings::default();
        windings.0[usize::from(tag) % SWEEP] = if positive { 1 } else { -1 };
        windings
    }

    fn of_tag(&self, tag: u8) -> Windings {
        let mut windings = Windings::default();
        let i = usize::from(tag) % SWEEP;
        windings.0[i] = self.0[i];
        windings
    }
}

/// Whether the formula holds where these windings are.
fn inside(formula: &[Op], windings: &Windings) -> bool {
    // A stack of truth values in the bits of a word: there are at most `SWEEP` of them.
    let mut stack = 0u32;
    for op in formula {
        match *op {
            Op::Operand(i) => {
                let wound = windings.0[usize::from(i) % SWEEP] != 0;
                stack = stack << 1 | u32::from(wound);
            }
            Op::Or(n) => {
                let some = stack & ((1 << n) - 1) != 0;
                stack = (stack >> n) << 1 | u32::from(some);
            }
            Op::And => {
                let both = stack & 3 == 3;
                stack = (stack >> 2) << 1 | u32::from(both);
            }
            Op::AndNot => {
                let left = stack & 3 == 2;
                stack = (stack >> 2) << 1 | u32::from(left);
            }
        }
    }
    stack & 1 == 1
}

fn sweep(paths: &[BezPath], formula: &[Op]) -> BezPath {
    let tagged = paths.iter().zip(0u8..);
    let mut out = BezPath::new();
    if let Ok(topology) = Topology::<Windings>::from_paths(tagged, ACCURACY) {
        for contour in topology.contours(|w| inside(formula, w)).contours() {
            out.extend(contour.path.iter());
        }
    }
    out
}

/// A shape as a closed path.
fn shape_path(shape: &Primitive) -> BezPath {
    let at = paths::affine(&shape.placed);
    let mut path = BezPath::new();
    match &shape.form {
        Form::Ellipse { cx, cy, rx, ry } => rounded(&mut path, [*cx, *cy], [*rx, *ry], [*rx, *ry]),
        Form::Rect { x, y, w, h, rx, ry } => {
            let center = [x + w / 2.0, y + h / 2.0];
            rounded(&mut path, center, [w / 2.0, h / 2.0], [*rx, *ry]);
        }
        Form::Polygon(points) => {
            trace(&mut path, points);
            path.close_path();
        }
        Form::Polyline { points, width } => {
            // Round ends and joins: the union of a capsule for each piece. They all run the same
            // way around, so the nonzero rule unites them.
            for pair in points.windows(2) {
                capsule(&mut path, pair[0].into(), pair[1].into(), width / 2.0);
            }
        }
    }
    let mut out = BezPath::new();
    let p = |p: Point| {
        let (x, y) = apply(&at, (p.x, p.y));
        // A common grid, so that edges meant to coincide do.
        Point::new((x * 1e6).round() / 1e6, (y * 1e6).round() / 1e6)
    };
    for element in path.elements() {
        out.push(match *element {
            PathEl::MoveTo(a) => PathEl::MoveTo(p(a)),
            PathEl::LineTo(a) => PathEl::LineTo(p(a)),
            PathEl::QuadTo(a, b) => PathEl::QuadTo(p(a), p(b)),
            PathEl::CurveTo(a, b, c) => PathEl::CurveTo(p(a), p(b), p(c)),
            PathEl::ClosePath => PathEl::ClosePath,
        });
    }
    out
}

fn trace(path: &mut BezPath, points: &[(f64, f64)]) {
    for (i, point) in points.iter().enumerate() {
        if i == 0 {
            path.move_to(*point);
        } else {
            path.line_to(*point);
        }
    }
}

/// A quarter circle as a cubic: its control points are 4/3 (sqrt 2 - 1) of the way to the corner.
const KAPPA: f64 = 0.552_284_749_830_793_4;

/// All points within `r` of a line.
fn capsule(path: &mut BezPath, a: Point, b: Point, r: f64) {
    let along = (b - a).normalize() * r;
    let across = kurbo::Vec2::new(-along.y, along.x);
    path.move_to(a - across);
    path.line_to(b - across);
    for (center, along, across) in [(b, along, across), (a, -along, -across)] {
        if center == a {
            path.line_to(center - across);
        }
        for (from, to) in [(-across, along), (along, across)] {
            let (first, second) = (center + from + to * KAPPA, center + to + from * KAPPA);
            path.curve_to(first, second, center + to);
        }
    }
    path.close_path();
}

/// A box with elliptical corners; an ellipse is all corner.
fn rounded(path: &mut BezPath, [cx, cy]: [f64; 2], [w, h]: [f64; 2], [rx, ry]: [f64; 2]) {
    path.move_to((cx - w + rx, cy - h));
    let corners = [(1.0, -1.0), (1.0, 1.0), (-1.0, 1.0), (-1.0, -1.0)];
    for (i, (sx, sy)) in corners.into_iter().enumerate() {
        // Clockwise on screen: even corners are entered along x, odd ones along y.
        let along_x = i % 2 == 0;
        let corner = Point::new(cx + sx * w, cy + sy * h);
        let on_x = Point::new(cx + sx * (w - rx), corner.y);
        let on_y = Point::new(corner.x, cy + sy * (h - ry));
        let (from, end) = if along_x { (on_x, on_y) } else { (on_y, on_x) };
        if path.elements().last().and_then(PathEl::end_point) != Some(from) {
            path.line_to(from);
        }
        if from != end {
            let (a, b) = (from.lerp(corner, KAPPA), end.lerp(corner, KAPPA));
            path.curve_to(a, b, end);
        }
    }
    path.close_path();
}

#[cfg(test)]
mod tests {
    use super::super::contour::{contours, skia_path};
    use super::super::coverage::Engine;
    use super::super::testing::{Build, left_nested, random_ink, right_nested};
    use super::*;
    use crate::scene::Region;

    /// Share of the pixels where the filled outline is close to the picture.
    fn agreement(scene: &Scene) -> f64 {
        let path = outlines(scene).unwrap().remove(0);
        let direct = Engine::new().draw(scene).unwrap();
        let (w, h) = (scene.canvas.width, scene.canvas.height);
        let mut mask = tiny_skia::Mask::new(w, h).unwrap();
        if let Some(path) = skia_path(&path) {
            mask.fill_path(
                &path,
                tiny_skia::FillRule::Winding,
                true,
                tiny_skia::Transform::identity(),
            );
        }
        // Where edges coincide, products of coverages are not coverage: a third of a pixel.
        let far = mask.data().iter().zip(&direct.data);
        let far = far.filter(|(a, b)| a.abs_diff(**b) > 100).count();
        1.0 - far as f64 / f64::from(w * h)
    }

    #[test]
    fn filled_outlines_are_the_picture() {
        for (free, name) in [(false, "grid"), (true, "free")] {
            for seed in 0..1500 {
                let share = agreement(&random_ink(seed, free));
                assert!(share >= 0.998, "{name} {seed}: {share}");
            }
        }
    }

    #[test]
    fn outlines_of_deep_scenes_come_out() {
        for scene in [right_nested(300), left_nested(300)] {
            assert!(agreement(&scene) >= 0.99);
        }
    }

    fn only(scene: &Scene) -> BezPath {
        outlines(scene).unwrap().remove(0)
    }

    #[test]
    fn a_ring_is_two_contours_of_curves() {
        let mut build = Build::default();
        let (outer, inner) = (build.disc(40.0, 64.0, 64.0), build.disc(20.0, 64.0, 64.0));
        let ring = build.add(Region::Difference(outer, inner));
        let path = only(&build.ink(ring));
        assert_eq!(contours(&path).len(), 2);
        assert!(
            !path
                .elements()
                .iter()
                .any(|e| matches!(e, PathEl::LineTo(_)))
        );
        let area = std::f64::consts::PI * (1600.0 - 400.0);
        assert!(
            (path.area().abs() - area).abs() < 0.001 * area,
            "{}",
            path.area()
        );
    }

    #[test]
    fn coincident_edges_leave_no_seam() {
        let mut build = Build::default();
        let (a, b) = (
            build.rect(32.0, 32.0, 32.0, 64.0, 0.0),
            build.rect(32.0, 32.0, 64.0, 64.0, 0.0),
        );
        let both = build.add(Region::Union(a, b));
        assert_eq!(path_data(&only(&build.ink(both))), "M16 80V48H80V80Z");

        let mut build = Build::default();
        let (a, b) = (
            build.rect(32.0, 32.0, 64.0, 64.0, 45.0),
            build.rect(32.0, 32.0, 64.0, 64.0, 45.0),
        );
        let none = build.add(Region::Difference(a, b));
        assert_eq!(path_data(&only(&build.ink(none))), "");
    }

    #[test]
    fn a_circle_touched_from_outside_stays_whole() {
        let mut build = Build::default();
        let (a, b) = (build.disc(16.0, 40.0, 64.0), build.disc(16.0, 72.0, 64.0));
        let cut = build.add(Region::Difference(a, b));
        let path = only(&build.ink(cut));
        let area = std::f64::consts::PI * 256.0;
        assert!((path.area().abs() - area).abs() < 0.001 * area);
    }
}
