//! Regions and drawings while they are built: values that are cheap to move, turn and join.
//!
//! In: what the draw arms make, bottom-up. Out: a [`Scene`]'s regions and layers. A map of a region
//! and an offset of a drawing are one node each, whatever the size of what they move; when the
//! scene is finished each map is worked into the shapes below it, and each offset into the layers.
//! Afterwards the scene holds only what is shown, and shares a region that is used twice in one
//! place (filled and stroked).

mod finish;
mod once;

use std::sync::atomic::{AtomicU64, Ordering};

use super::affine::{self, Affine, IDENTITY, compose, determinant};
use super::bounds::{Bounds, of_shape};
use super::eval::NotDrawable;
use super::slots::Slots;
use super::{Layer, Paint, Region, RegionId, Shape};

pub(super) use finish::Finish;
use finish::{Fold, Stacks};
use once::Mark;

/// Most regions, points and layers of a finished scene.
pub(super) const MAX_PARTS: usize = 1 << 20;

/// A region being built: an index into [`Parts`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Raw(u32);

impl Raw {
    pub(super) fn id(self) -> RegionId {
        RegionId(self.0)
    }
}

impl From<RegionId> for Raw {
    fn from(id: RegionId) -> Raw {
        Raw(id.0)
    }
}

/// Nothing.
pub(super) const EMPTY: Raw = Raw(0);
/// The whole plane.
pub(super) const EVERYTHING: Raw = Raw(1);

#[derive(Clone, Copy, Debug)]
enum Node {
    Empty,
    Everything,
    /// A shape of the list of shapes.
    Shape(u32, Affine),
    Join(Join, Raw, Raw, Mark),
    Map(Raw, Affine),
}

/// How two regions are combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Join {
    Union,
    Difference,
    Intersection,
}

/// What a region is when it is no formula.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Single<'a> {
    /// No region at all.
    Nothing,
    /// One shape, where the map puts it.
    Shape(&'a Shape, &'a Affine),
    /// A formula, or the whole plane.
    Other,
}

/// A drawing being built: its layers and its bounds, which may lie elsewhere.
#[derive(Clone, Copy, Debug)]
pub(super) struct Painted {
    /// Index into the pieces, `NO_LAYERS` for none.
    piece: u32,
    /// Index into the bounds.
    bounds: u32,
}

const NO_LAYERS: u32 = u32::MAX;

/// The drawing without layers and bounds.
pub(super) const BLANK: Painted = Painted {
    piece: NO_LAYERS,
    bounds: 0,
};

#[derive(Clone, Copy, Debug)]
enum Piece {
    Layer(Raw, Paint),
    /// The second over the first.
    Over(u32, u32),
    /// Moved by whole pixels.
    Move(u32, i32, i32),
    Map(u32, Affine),
}

/// A piece still to be visited: a point p of it is seen at map(p) + offset.
pub(super) type Visit = (u32, Affine, i32, i32);

/// Everything built so far.
///
/// What is no longer needed can be freed, one by one; its place is taken by what is built next.
#[derive(Debug, Default)]
pub(super) struct Parts {
    nodes: Slots<Node>,
    /// For each node a number that no other node has had; 0 for none.
    versions: Vec<u64>,
    last_version: u64,
    shapes: Slots<Shape>,
    pieces: Slots<Piece>,
    bounds: Slots<Bounds>,
    /// What was built since [`Parts::log`], when it is asked for.
    made: Vec<Made>,
    logs: bool,
    measuring: Stacks<Bounds>,
}

/// Something that was built, to be freed when the node of the program that built it goes: its kind
/// and its place, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Made(u64);

/// What can be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Node,
    Shape,
    Piece,
    Bounds,
    /// A cell of a list; the evaluator keeps them.
    Cell,
}

impl Made {
    pub(super) fn new(kind: Kind, at: u32) -> Made {
        Made((kind as u64) << 32 | u64::from(at))
    }

    pub(super) fn what(self) -> (Kind, u32) {
        let kind = match self.0 >> 32 {
            0 => Kind::Node,
            1 => Kind::Shape,
            2 => Kind::Piece,
            3 => Kind::Bounds,
            _ => Kind::Cell,
        };
        (kind, self.0 as u32)
    }
}

impl Parts {
    /// Forgets everything but the memory. With `logs`, what is built from now on is written down.
    pub(super) fn clear(&mut self, logs: bool) {
        self.nodes.clear();
        self.versions.clear();
        self.shapes.clear();
        self.pieces.clear();
        self.bounds.clear();
        self.made.clear();
        self.logs = false;
        self.node(Node::Empty);
        self.node(Node::Everything);
        self.bounds.put(Bounds::EMPTY);
        self.logs = logs;
    }

    /// Versions from here on are those of no other `Parts`: each has 2^40 of its own, more than
    /// are used up in days.
    pub(super) fn be_unique(&mut self) {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        self.last_version = NEXT.fetch_add(1, Ordering::Relaxed) << 40;
    }

    /// What was built since the last call, forgotten once it is taken.
    pub(super) fn log(&mut self) -> &mut Vec<Made> {
        &mut self.made
    }

    pub(super) fn made(&mut self, made: Made) {
        if self.logs {
            self.made.push(made);
        }
    }

    /// Gives up a part; whoever frees it knows that nothing refers to it any more.
    pub(super) fn free(&mut self, made: Made) {
        match made.what() {
            (Kind::Node, at) => self.nodes.free(at),
            (Kind::Shape, at) => self.shapes.free(at),
            (Kind::Piece, at) => self.pieces.free(at),
            (Kind::Bounds, at) => self.bounds.free(at),
            (Kind::Cell, _) => {}
        }
    }

    fn node(&mut self, node: Node) -> Raw {
        let at = self.nodes.put(node);
        self.last_version += 1;
        match self.versions.get_mut(at as usize) {
            Some(version) => *version = self.last_version,
            None => self.versions.push(self.last_version),
        }
        self.made(Made::new(Kind::Node, at));
        Raw(at)
    }

    pub(super) fn shape(&mut self, shape: Shape) -> Raw {
        let at = self.shapes.put(shape);
        self.made(Made::new(Kind::Shape, at));
        self.node(Node::Shape(at, IDENTITY))
    }

    /// Moves a region. A flat map leaves no area: what it maps is empty.
    pub(super) fn map(&mut self, of: Raw, by: &Affine) -> Raw {
        if *by == IDENTITY {
            return of;
        }
        let node = match self.nodes[of.0] {
            Node::Empty => return EMPTY,
            _ if determinant(by) == 0.0 => return EMPTY,
            Node::Everything => return EVERYTHING,
            Node::Shape(shape, at) => Node::Shape(shape, compose(by, &at)),
            Node::Map(inner, at) => Node::Map(inner, compose(by, &at)),
            Node::Join(..) => Node::Map(of, *by),
        };
        self.node(node)
    }

    /// [`Parts::map`] for a shape that was made just before and is nowhere else: it is mapped in
    /// its place.
    pub(super) fn map_made(&mut self, of: Raw, by: &Affine) -> Raw {
        match &mut self.nodes[of.0] {
            Node::Shape(_, at) if determinant(by) != 0.0 => {
                *at = compose(by, at);
                of
            }
            _ => self.map(of, by),
        }
    }

    fn drawing(&mut self, piece: u32, bounds: Bounds) -> Painted {
        let bounds = self.bounds.put(bounds);
        self.made(Made::new(Kind::Bounds, bounds));
        Painted { piece, bounds }
    }

    fn piece(&mut self, piece: Piece) -> u32 {
        let at = self.pieces.put(piece);
        self.made(Made::new(Kind::Piece, at));
        at
    }

    pub(super) fn bounds_of(&self, drawing: Painted) -> Bounds {
        self.bounds[drawing.bounds]
    }

    /// A painted region, of one layer, or of none when the paint cannot be seen; `steps` pays for
    /// measuring it. What reaches everywhere, such as a background, takes no part in layout: its
    /// bounds are empty.
    pub(super) fn paint(
        &mut self,
        region: Raw,
        paint: Option<Paint>,
        steps: &mut Steps,
    ) -> Result<Painted, NotDrawable> {
        let mut bounds = self.region_bounds(region, steps)?;
        if !bounds.is_finite() {
            bounds = Bounds::EMPTY;
        }
        let piece = match paint {
            Some(paint) if region != EMPTY => self.piece(Piece::Layer(region, paint)),
            _ => NO_LAYERS,
        };
        Ok(self.drawing(piece, bounds))
    }

    /// A drawing of these bounds and one layer, by whose region it is found again.
    pub(super) fn stand_in(&mut self, bounds: Bounds) -> (Raw, Painted) {
        let region = self.shape(Shape::Ellipse { rx: 1.0, ry: 1.0 });
        let piece = self.piece(Piece::Layer(region, Paint::Fill([0, 0, 0, 255])));
        (region, self.drawing(piece, bounds))
    }

    /// A drawing without its layers, of the same bounds.
    pub(super) fn unpainted(&self, drawing: Painted) -> Painted {
        Painted {
            piece: NO_LAYERS,
            ..drawing
        }
    }

    /// `above` over `below`, bounds around both.
    pub(super) fn over(&mut self, below: Painted, above: Painted) -> Painted {
        let piece = match (below.piece, above.piece) {
            (NO_LAYERS, only) | (only, NO_LAYERS) => only,
            (below, above) => self.piece(Piece::Over(below, above)),
        };
        let bounds = self.bounds_of(below).union(self.bounds_of(above));
        self.drawing(piece, bounds)
    }

    /// Moves the layers by whole pixels; the bounds stay.
    pub(super) fn nudge(&mut self, drawing: Painted, dx: i32, dy: i32) -> Painted {
        if drawing.piece == NO_LAYERS || (dx, dy) == (0, 0) {
            return drawing;
        }
        let piece = match self.pieces[drawing.piece] {
            Piece::Move(of, x, y) => Piece::Move(of, add(x, dx), add(y, dy)),
            _ => Piece::Move(drawing.piece, dx, dy),
        };
        Painted {
            piece: self.piece(piece),
            ..drawing
        }
    }

    /// Moves layers and bounds by whole pixels.
    pub(super) fn place(&mut self, drawing: Painted, dx: i32, dy: i32) -> Painted {
        let moved = self.nudge(drawing, dx, dy);
        let bounds = self
            .bounds_of(drawing)
            .shifted(f64::from(dx), f64::from(dy));
        self.drawing(moved.piece, bounds)
    }

    /// Maps layers and bounds.
    pub(super) fn map_drawing(&mut self, drawing: Painted, by: &Affine) -> Painted {
        if *by == IDENTITY {
            return drawing;
        }
        let piece = match drawing.piece {
            NO_LAYERS => NO_LAYERS,
            _ if determinant(by) == 0.0 => NO_LAYERS,
            of => match self.pieces[of] {
                Piece::Map(inner, at) => self.piece(Piece::Map(inner, compose(by, &at))),
                _ => self.piece(Piece::Map(of, *by)),
            },
        };
        let bounds = self.bounds_of(drawing).mapped(by);
        self.drawing(piece, bounds)
    }

    /// The bounds of a region.
    pub(super) fn region_bounds(
        &mut self,
        region: Raw,
        steps: &mut Steps,
    ) -> Result<Bounds, NotDrawable> {
        if let Node::Shape(shape, at) = &self.nodes[region.0] {
            return Ok(of_shape(&self.shapes[*shape], at));
        }
        struct Measure<'a>(&'a mut Steps, Stacks<Bounds>);
        impl Fold for Measure<'_> {
            type Out = Bounds;
            fn known(&mut self, _: Raw, _: &Affine) -> Result<Option<Bounds>, NotDrawable> {
                self.0.take(1)?;
                Ok(None)
            }
            fn stacks(&mut self) -> &mut Stacks<Bounds> {
                &mut self.1
            }
            fn all(&mut self, everything: bool) -> Bounds {
                if everything {
                    Bounds::EVERYTHING
                } else {
                    Bounds::EMPTY
                }
            }
            fn learn(&mut self, _: Raw, _: &Affine, _: &Bounds) {}
            fn shape(&mut self, shape: &Shape, at: &Affine) -> Result<Bounds, NotDrawable> {
                Ok(of_shape(shape, at))
            }
            fn join(&mut self, how: Join, a: Bounds, b: Bounds) -> Bounds {
                match how {
                    Join::Union => a.union(b),
                    Join::Difference => a,
                    Join::Intersection => a.intersection(b),
                }
            }
        }
        let mut measure = Measure(steps, std::mem::take(&mut self.measuring));
        let bounds = self.fold(region, &IDENTITY, &mut measure);
        self.measuring = measure.1;
        bounds
    }

    /// The layers of a drawing, in the order they are painted, moved by whole pixels.
    pub(super) fn layers(
        &self,
        drawing: Painted,
        offset: (i32, i32),
        out: &mut Finish,
        layers: &mut Vec<Layer>,
    ) -> Result<(), NotDrawable> {
        layers.clear();
        let mut visits = std::mem::take(&mut out.visits);
        let done = self.walk(
            drawing,
            offset,
            &mut visits,
            |region, map, offset, paint| {
                let region = self.finish(region, map, out)?;
                if matches!(out.regions.get(region.0 as usize), Some(Region::Empty)) {
                    return Ok(());
                }
                out.take(1)?;
                layers.push(Layer {
                    region,
                    offset,
                    paint,
                });
                Ok(())
            },
        );
        out.visits = visits;
        done
    }

    /// Visits the layers of a drawing in the order they are painted: region, the map over it, where
    /// it is placed, paint. `tasks` lends its memory.
    pub(super) fn walk(
        &self,
        drawing: Painted,
        (dx, dy): (i32, i32),
        tasks: &mut Vec<Visit>,
        mut visit: impl FnMut(Raw, &Affine, (i32, i32), Paint) -> Result<(), NotDrawable>,
    ) -> Result<(), NotDrawable> {
        tasks.clear();
        if drawing.piece != NO_LAYERS {
            tasks.push((drawing.piece, IDENTITY, dx, dy));
        }
        let mut visits = 0;
        while let Some((piece, map, x, y)) = tasks.pop() {
            match self.pieces[piece] {
                Piece::Layer(region, paint) => {
                    if let Some(paint) = paint_under(paint, &map) {
                        visit(region, &map, (x, y), paint)?;
                    }
                }
                Piece::Over(below, above) => {
                    tasks.push((above, map, x, y));
                    tasks.push((below, map, x, y));
                }
                Piece::Move(of, mx, my) if map == IDENTITY => {
                    tasks.push((of, map, add(x, mx), add(y, my)));
                }
                Piece::Move(of, mx, my) => {
                    let by = affine::shift(f64::from(mx), f64::from(my));
                    tasks.push((of, compose(&map, &by), x, y));
                }
                Piece::Map(of, by) => tasks.push((of, compose(&map, &by), x, y)),
            }
            // Drawings within drawings may hold nothing but others, many times over.
            visits += 1;
            if visits > 4 * MAX_PARTS {
                return Err(NotDrawable::TooManyParts(MAX_PARTS));
            }
        }
        Ok(())
    }

    /// The region numbers in `roots` and all below them, written into `out` at their own numbers
    /// where `written` says that they are not there yet. `roots` is empty afterwards.
    pub(super) fn mirror(
        &self,
        roots: &mut Vec<Raw>,
        out: &mut Vec<Region>,
        written: &mut Vec<u64>,
    ) {
        if out.len() < self.nodes.len() {
            out.resize(self.nodes.len(), Region::Empty);
            written.resize(self.nodes.len(), 0);
        }
        while let Some(Raw(at)) = roots.pop() {
            let version = self.versions[at as usize];
            if written[at as usize] == version {
                continue;
            }
            written[at as usize] = version;
            let to = &mut out[at as usize];
            match self.nodes[at] {
                Node::Empty => *to = Region::Empty,
                Node::Everything => *to = Region::Everything,
                Node::Shape(shape, map) => match (&self.shapes[shape], to) {
                    // Keeps the memory of points.
                    (
                        Shape::Polygon(from),
                        Region::Shape {
                            shape: Shape::Polygon(to),
                            at,
                        },
                    ) => {
                        to.clone_from(from);
                        *at = map;
                    }
                    (from, to) => {
                        *to = Region::Shape {
                            shape: from.clone(),
                            at: map,
                        };
                    }
                },
                Node::Map(of, map) => {
                    *to = Region::Transform(RegionId(of.0), map);
                    roots.push(of);
                }
                Node::Join(how, a, b, _) => {
                    let (left, right) = (RegionId(a.0), RegionId(b.0));
                    *to = match how {
                        Join::Union => Region::Union(left, right),
                        Join::Difference => Region::Difference(left, right),
                        Join::Intersection => Region::Intersection(left, right),
                    };
                    roots.push(a);
                    roots.push(b);
                }
            }
        }
    }

    /// The shape that a region is, if it is no more than that.
    pub(super) fn single(&self, region: Raw) -> Single<'_> {
        match &self.nodes[region.0] {
            Node::Empty => Single::Nothing,
            Node::Shape(shape, at) => Single::Shape(&self.shapes[*shape], at),
            Node::Everything | Node::Join(..) | Node::Map(..) => Single::Other,
        }
    }

    /// For each region number one of its own, until something else is built there.
    pub(super) fn versions(&self) -> &[u64] {
        &self.versions
    }
}

fn add(a: i32, b: i32) -> i32 {
    const MOST: i32 = 1_000_000;
    a.saturating_add(b).clamp(-MOST, MOST)
}

/// A stroke grows with what it is drawn along, as the root of the area does.
fn paint_under(paint: Paint, map: &Affine) -> Option<Paint> {
    match paint {
        Paint::Stroke { color, width } if *map != IDENTITY => {
            let width = crate::grammar::scalar::limited(width * determinant(map).abs().sqrt());
            (width > 0.0).then_some(Paint::Stroke { color, width })
        }
        other => Some(other),
    }
}

/// A budget of operations.
#[derive(Debug)]
pub(super) struct Steps {
    left: u64,
    all: u64,
}

impl Steps {
    pub(super) fn new(all: u64) -> Steps {
        Steps { left: all, all }
    }

    pub(super) fn take(&mut self, steps: u64) -> Result<(), NotDrawable> {
        match self.left.checked_sub(steps) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(NotDrawable::TooMuchWork(self.all)),
        }
    }
}
