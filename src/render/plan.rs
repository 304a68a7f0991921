//! What is drawn, in the fewest plain terms: the one place that turns regions into shapes with
//! numbers.
//!
//! In: a `Scene`. Out: a [`Plan`]: shapes whose numbers are final (transforms worked in, rounded
//! as they are written), under a tree of unions and products. Afterwards
//!
//! - chains are flat: `a + b + c` is one union, `a - b - c` one product;
//! - nothing empty is left, and the whole plane stands only where it shows;
//! - every node's id is greater than its children's, so one pass upwards sees children first.
//!
//! A product is `base * keeps * (1 - cuts)`, which covers differences and intersections of any
//! nesting; both are the same whatever their order.

use crate::render::RenderError;
use crate::scene::{Content, Layer, Region, RegionId, Scene, Shape};

/// Most shapes a drawing may have once shared regions are written out.
pub const MAX_SHAPES: usize = 250_000;

/// Coordinates beyond this many pixels are drawn as if they were this: every number then has
/// room in the rasteriser, and nothing that far out can be told apart on a canvas.
const FARTHEST: f64 = 1e7;

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

/// A node of a [`Plan`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NodeId(u32);

impl NodeId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// Siblings, linked through [`Node::next`], so that joining two lists costs nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct List {
    first: Option<NodeId>,
    last: Option<NodeId>,
}

impl List {
    const EMPTY: List = List {
        first: None,
        last: None,
    };

    fn one(node: NodeId) -> List {
        List {
            first: Some(node),
            last: Some(node),
        }
    }

    pub(crate) fn is_empty(self) -> bool {
        self.first.is_none()
    }
}

/// A node: coverage in the plane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    next: Option<NodeId>,
}

/// What a node covers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// The whole plane.
    All,
    /// A shape, index into [`Plan::shapes`].
    Shape(u32),
    /// Any of two or more; none of them a union.
    Union(List),
    /// The base inside every keep and outside every cut. The base and the keeps are never
    /// products; keeps are never the whole plane; cuts are never unions.
    Product {
        base: NodeId,
        keeps: List,
        cuts: List,
    },
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

/// A scene's shapes and how they combine.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) nodes: Vec<Node>,
    pub(crate) shapes: Vec<Primitive>,
    /// One for ink, one for each layer; `None` shows nothing.
    pub(crate) roots: Vec<Option<NodeId>>,
}

/// Lowers a scene.
pub(crate) fn lower(scene: &Scene) -> Result<Plan, RenderError> {
    let mut plan = Plan::default();
    let mut budget = 4 * MAX_SHAPES;
    match &scene.content {
        Content::Ink(region) => {
            let root = plan.region(&scene.regions, *region, IDENTITY, &mut budget)?;
            plan.roots.push(root);
        }
        Content::Layers(layers) => {
            for Layer { region, offset, .. } in layers {
                let (x, y) = *offset;
                let at = [1.0, 0.0, 0.0, 1.0, f64::from(x), f64::from(y)];
                let root = plan.region(&scene.regions, *region, at, &mut budget)?;
                plan.roots.push(root);
            }
        }
    }
    Ok(plan)
}

enum Task {
    Visit(RegionId, Affine),
    Union,
    Difference,
    Intersection,
}

impl Plan {
    /// The node.
    pub(crate) fn kind(&self, id: NodeId) -> Kind {
        self.nodes[id.index()].kind
    }

    /// The members of a list, in order.
    pub(crate) fn list(&self, list: List) -> impl Iterator<Item = NodeId> + '_ {
        let mut at = list.first;
        std::iter::from_fn(move || {
            let node = at?;
            at = if list.last == Some(node) {
                None
            } else {
                self.nodes[node.index()].next
            };
            Some(node)
        })
    }

    /// A list without its first member.
    pub(crate) fn rest(&self, list: List) -> List {
        match list.first {
            Some(first) if list.last != Some(first) => List {
                first: self.nodes[first.index()].next,
                last: list.last,
            },
            _ => List::EMPTY,
        }
    }

    /// The first member.
    pub(crate) fn first(&self, list: List) -> Option<NodeId> {
        list.first
    }

    /// All node ids, children before what holds them.
    pub(crate) fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len() as u32).map(NodeId)
    }

    /// Whether each node up to `root` is part of it; flattening leaves some behind.
    pub(crate) fn used(&self, root: NodeId) -> Vec<bool> {
        let mut used = vec![false; root.index() + 1];
        let mut stack = vec![root];
        while let Some(node) = stack.pop() {
            used[node.index()] = true;
            match self.kind(node) {
                Kind::All | Kind::Shape(_) => {}
                Kind::Union(list) => stack.extend(self.list(list)),
                Kind::Product { base, keeps, cuts } => {
                    stack.push(base);
                    stack.extend(self.list(keeps));
                    stack.extend(self.list(cuts));
                }
            }
        }
        used
    }

    /// How deeply a reader of the SVG has to nest for each node, masks included.
    pub(crate) fn depths(&self) -> Vec<u32> {
        let mut depths = vec![1u32; self.nodes.len()];
        for id in self.ids() {
            let deepest = |list: List| {
                let all = self.list(list).map(|n| depths[n.index()]);
                all.max().unwrap_or(0)
            };
            let depth = match self.kind(id) {
                Kind::All | Kind::Shape(_) => 1,
                Kind::Union(list) => deepest(list).saturating_add(1),
                Kind::Product { base, keeps, cuts } => {
                    let mut below = depths[base.index()];
                    let mut level = 1u32;
                    for keep in self.list(keeps) {
                        below = below.max(depths[keep.index()].saturating_add(level));
                        level = level.saturating_add(1);
                    }
                    below = below.max(deepest(cuts).saturating_add(level));
                    below.saturating_add(1)
                }
            };
            depths[id.index()] = depth;
        }
        depths
    }

    fn region(
        &mut self,
        regions: &[Region],
        root: RegionId,
        at: Affine,
        budget: &mut usize,
    ) -> Result<Option<NodeId>, RenderError> {
        let mut tasks = vec![Task::Visit(root, at)];
        let mut values: Vec<Option<NodeId>> = Vec::new();
        while let Some(task) = tasks.pop() {
            let value = match task {
                Task::Visit(id, at) => {
                    *budget = budget.checked_sub(1).ok_or(RenderError::TooManyShapes)?;
                    let region = regions.get(id.0 as usize).unwrap_or(&Region::Empty);
                    let (join, a, b) = match *region {
                        Region::Empty => {
                            values.push(None);
                            continue;
                        }
                        Region::Everything => {
                            let node = self.node(Kind::All);
                            values.push(Some(node));
                            continue;
                        }
                        Region::Shape { ref shape, at: own } => {
                            let node = self.shape(shape, &compose(&at, &own))?;
                            values.push(node);
                            continue;
                        }
                        Region::Transform(inner, own) => {
                            tasks.push(Task::Visit(inner, compose(&at, &own)));
                            continue;
                        }
                        Region::Union(a, b) => (Task::Union, a, b),
                        Region::Difference(a, b) => (Task::Difference, a, b),
                        Region::Intersection(a, b) => (Task::Intersection, a, b),
                    };
                    tasks.push(join);
                    tasks.push(Task::Visit(b, at));
                    tasks.push(Task::Visit(a, at));
                    continue;
                }
                // Operands were pushed left first.
                Task::Union => {
                    let (b, a) = (values.pop().flatten(), values.pop().flatten());
                    self.union(a, b)
                }
                Task::Difference => {
                    let (b, a) = (values.pop().flatten(), values.pop().flatten());
                    self.difference(a, b)
                }
                Task::Intersection => {
                    let (b, a) = (values.pop().flatten(), values.pop().flatten());
                    a.zip(b).map(|(a, b)| self.intersection(a, b))
                }
            };
            values.push(value);
        }
        Ok(values.pop().flatten())
    }

    fn node(&mut self, kind: Kind) -> NodeId {
        let id = NodeId(self.nodes.len() as u32);
        self.nodes.push(Node { kind, next: None });
        id
    }

    fn shape(&mut self, shape: &Shape, at: &Affine) -> Result<Option<NodeId>, RenderError> {
        if self.shapes.len() >= MAX_SHAPES {
            return Err(RenderError::TooManyShapes);
        }
        let Some(primitive) = place(shape, at) else {
            return Ok(None);
        };
        let index = self.shapes.len() as u32;
        self.shapes.push(primitive);
        Ok(Some(self.node(Kind::Shape(index))))
    }

    fn join(&mut self, a: List, b: List) -> List {
        match (a.last, b.first) {
            (Some(last), Some(first)) => {
                self.nodes[last.index()].next = Some(first);
                List {
                    first: a.first,
                    last: b.last,
                }
            }
            (Some(_), None) => a,
            _ => b,
        }
    }

    /// The members of a union, or the node alone.
    fn members(&self, node: NodeId) -> List {
        match self.kind(node) {
            Kind::Union(list) => list,
            _ => List::one(node),
        }
    }

    /// A node that covers what any of a list covers.
    fn any(&mut self, list: List) -> Option<NodeId> {
        if list.first == list.last {
            list.first
        } else {
            Some(self.node(Kind::Union(list)))
        }
    }

    fn union(&mut self, a: Option<NodeId>, b: Option<NodeId>) -> Option<NodeId> {
        let (Some(a), Some(b)) = (a, b) else {
            return a.or(b);
        };
        if matches!(self.kind(a), Kind::All) {
            return Some(a);
        }
        if matches!(self.kind(b), Kind::All) {
            return Some(b);
        }
        let (left, right) = (self.members(a), self.members(b));
        let list = self.join(left, right);
        Some(self.node(Kind::Union(list)))
    }

    /// A node as base, keeps and cuts.
    fn factors(&self, node: NodeId) -> (NodeId, List, List) {
        match self.kind(node) {
            Kind::Product { base, keeps, cuts } => (base, keeps, cuts),
            _ => (node, List::EMPTY, List::EMPTY),
        }
    }

    fn difference(&mut self, a: Option<NodeId>, b: Option<NodeId>) -> Option<NodeId> {
        let (a, Some(b)) = (a?, b) else {
            return a;
        };
        if matches!(self.kind(b), Kind::All) {
            return None;
        }
        // Taking away all but something keeps that something.
        let (other, keeps, cuts) = self.factors(b);
        if matches!(self.kind(other), Kind::All) && keeps.is_empty() {
            let kept = self.any(cuts)?;
            return Some(self.intersection(a, kept));
        }
        let (base, keeps, cuts) = self.factors(a);
        let members = self.members(b);
        let cuts = self.join(cuts, members);
        Some(self.node(Kind::Product { base, keeps, cuts }))
    }

    fn intersection(&mut self, a: NodeId, b: NodeId) -> NodeId {
        let (base_a, keeps_a, cuts_a) = self.factors(a);
        let (base_b, keeps_b, cuts_b) = self.factors(b);
        let a_is_all = matches!(self.kind(base_a), Kind::All);
        let b_is_all = matches!(self.kind(base_b), Kind::All);
        // A product whose base is the whole plane has no keeps: the first would be its base.
        let base = if a_is_all { base_b } else { base_a };
        let keeps = if a_is_all || b_is_all {
            self.join(keeps_a, keeps_b)
        } else {
            let more = self.join(List::one(base_b), keeps_b);
            self.join(keeps_a, more)
        };
        let cuts = self.join(cuts_a, cuts_b);
        if keeps.is_empty() && cuts.is_empty() {
            return base;
        }
        self.node(Kind::Product { base, keeps, cuts })
    }
}

/// Rounds to a thousandth of a pixel, as numbers are written.
fn tidy(x: f64) -> f64 {
    let x = (x * 1e3).round() / 1e3;
    // Adding 0 turns -0 into 0.
    x.clamp(-FARTHEST, FARTHEST) + 0.0
}

fn tidy_point((x, y): (f64, f64)) -> (f64, f64) {
    (tidy(x), tidy(y))
}

/// A shape with its map worked into its numbers; `None` when nothing of it is left.
fn place(shape: &Shape, at: &Affine) -> Option<Primitive> {
    let [a, b, c, d, e, f] = *at;
    if !at.iter().all(|x| x.is_finite()) {
        return None;
    }
    let (across, down) = (a.hypot(b), c.hypot(d));
    let dot = a * c + b * d;
    let upright = dot.abs() <= 1e-9 * across * down;
    let even = upright && (across - down).abs() <= 1e-9 * across;
    if (a * d - b * c).abs() <= 1e-12 {
        return None;
    }
    let angle = b.atan2(a).to_degrees();
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
    (m[0] * m[3] - m[1] * m[2] != 0.0).then_some(Primitive {
        form,
        placed: Placed::Skewed(m),
    })
}

fn polygon(points: impl Iterator<Item = (f64, f64)>) -> Option<Primitive> {
    let mut points: Vec<_> = points.map(tidy_point).collect();
    points.dedup();
    let spread = |get: fn(&(f64, f64)) -> f64| {
        let low = points.iter().map(get).fold(f64::INFINITY, f64::min);
        let high = points.iter().map(get).fold(f64::NEG_INFINITY, f64::max);
        high - low
    };
    (points.len() >= 3 && spread(|p| p.0) > 0.0 && spread(|p| p.1) > 0.0).then(|| Primitive {
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
    let (q, r) = (e.hypot(h), f.hypot(g));
    let angle = (h.atan2(e) + g.atan2(f)) / 2.0;
    (q + r, (q - r).abs(), angle.to_degrees())
}
