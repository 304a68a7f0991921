//! Bit planes: pictures of one bit a pixel and plane, for search.
//!
//! In: scenes, and a [`Target`]. Out: the number of pixels in which they differ; for a sketch, how far
//! outlines are from its strokes. A pixel is inside a shape
//! when its centre is; ink takes one plane, a palette of `n` colours as many as tell `n` apart.
//! Unions and differences of whole pictures are a few vector instructions, and so is an error.
//! Over a [`Live`] program only what an edit changes is drawn. What search accepts is to be
//! confirmed on the anti-aliased picture, on which goals are defined. [`Glimpses`] are what a model sees of
//! each node.
//!
//! Everything that can be drawn can be drawn here. Afterwards memory that is kept stays within a
//! budget; what exceeds it is drawn anew, with the same bits.

mod compose;
mod formulas;
mod glimpses;
mod heavy;
mod layout;
mod loops;
mod palette;
mod places;
mod runs;
mod spans;
mod sprite;
mod strokes;
mod target;
mod weights;

#[cfg(test)]
mod tests;

pub use glimpses::{GLIMPSE, GLIMPSE_PLANES, GLIMPSE_SIDE, GlimpseError, Glimpses, Seen};
pub use palette::Palette;
pub use places::{Steps, Worths};
pub use sprite::{Extent, Ground, Scan, Sprite, WHOLE};
pub use strokes::Lean;
pub use target::Target;
pub use weights::Weights;

use layout::{Block, Layout};
use loops::{Join, Operand};
use runs::{Found, Store};

use super::coverage::check_canvas;
use super::paths::Area;
use super::place::{Affine, IDENTITY, compose};
use super::plan::MAX_SHAPES;
use super::{Picture, RenderError, contour, outline, plan};
use crate::scene::{Content, Layer, Live, Paint, Region, RegionId, Scene};

/// Bytes that are kept from one drawing to the next unless said otherwise.
pub const BUDGET: usize = 256 << 20;

/// The pixels of a region.
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
enum Value {
    Empty,
    /// A plane; the pixels are in the block.
    Plane {
        plane: u32,
        block: Block,
    },
    /// The same of a plane that goes to whoever takes the value.
    Given {
        plane: u32,
        block: Block,
    },
}

/// The plane without pixels.
const BLANK: u32 = 0;

/// The plane of all pixels.
const FULL: u32 = 1;

/// The map over a region: whole pixels, or the number of a map.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Under {
    Shift(i32, i32),
    Map(u32),
}

/// What is known of a region.
#[derive(Clone, Copy, Debug)]
struct Slot {
    version: u64,
    under: (i32, i32),
    /// The drawing in which it was last asked for.
    asked: u64,
    value: Value,
    /// A plane of its own, whether in use or not.
    own: Option<u32>,
}

const FRESH: Slot = Slot {
    version: 0,
    under: (0, 0),
    asked: 0,
    value: Value::Empty,
    own: None,
};

/// What is known of a line along a region's edge.
#[derive(Clone, Copy, Debug)]
struct Edge {
    version: u64,
    width: f64,
    /// Where it was drawn, when it is not the same everywhere.
    offset: Option<(i32, i32)>,
    found: Found,
}

const NO_EDGE: Edge = Edge {
    version: 0,
    width: 0.0,
    offset: None,
    found: Found::Nothing,
};

#[derive(Clone, Copy, Debug)]
enum Task {
    Enter(RegionId, Under),
    Leave(RegionId, Under, Join),
}

/// What is kept of one program's picture, while the engine draws others; see [`Bits::lend`].
#[derive(Debug)]
pub struct Planes {
    slots: Vec<Slot>,
    edges: Vec<Edge>,
    planes: Vec<u64>,
    used: Vec<Block>,
    free: Vec<u32>,
    ink: Value,
    epoch: u64,
}

impl Default for Planes {
    /// Nothing.
    fn default() -> Planes {
        Planes {
            slots: Vec::new(),
            edges: Vec::new(),
            planes: Vec::new(),
            used: Vec::new(),
            free: Vec::new(),
            ink: Value::Empty,
            // Of no engine.
            epoch: u64::MAX,
        }
    }
}

/// Draws scenes as bit planes and compares them with a target.
#[derive(Debug)]
pub struct Bits {
    target: Target,
    layout: Layout,
    budget: usize,
    store: Store,
    /// Planes of formulas that are looked at.
    formula: Vec<u64>,
    /// Memory for what is compared with strokes.
    scratch: strokes::Scratch,
    slots: Vec<Slot>,
    edges: Vec<Edge>,
    /// Planes of regions; first [`BLANK`] and [`FULL`].
    planes: Vec<u64>,
    /// For each of them the block outside of which it is 0.
    used: Vec<Block>,
    free: Vec<u32>,
    tasks: Vec<Task>,
    values: Vec<Value>,
    maps: Vec<Affine>,
    /// Number of the drawing.
    drawing: u64,
    /// Regions visited in this drawing.
    visits: usize,
    /// The picture of layers, and where it is not background.
    picture: Vec<u64>,
    painted: Block,
    /// What was drawn last, on a canvas for ink.
    ink: Value,
    /// How often the shapes that were kept have been forgotten.
    epoch: u64,
}

/// Longest side of a canvas: runs of shapes a few times as large have 16 bits for a column.
const LONGEST: u32 = 16_000;

/// Versions of scenes that have none.
const UNVERSIONED: u64 = 1 << 63;

impl Bits {
    /// An engine for programs that are compared with a target.
    ///
    /// # Errors
    ///
    /// A target of more pixels than a canvas may have, or a side of more than 16,000.
    pub fn new(target: Target) -> Result<Bits, RenderError> {
        let layout = target.layout;
        let (width, height) = (layout.width.unsigned_abs(), layout.height.unsigned_abs());
        if width.max(height) > LONGEST {
            return Err(RenderError::Canvas(width, height));
        }
        let canvas = check_canvas(&crate::grammar::ir::Canvas {
            width,
            height,
            mode: crate::grammar::ir::CanvasMode::Ink,
            centred: false,
        })?;
        let mut bits = Bits {
            budget: BUDGET,
            store: Store::new(canvas),
            formula: Vec::new(),
            scratch: strokes::Scratch::default(),
            slots: Vec::new(),
            edges: Vec::new(),
            planes: Vec::new(),
            used: Vec::new(),
            free: Vec::new(),
            tasks: Vec::new(),
            values: Vec::new(),
            maps: Vec::new(),
            drawing: 0,
            visits: 0,
            picture: vec![0; layout.plane * layout.planes],
            painted: Block::EMPTY,
            ink: Value::Empty,
            epoch: 0,
            layout,
            target,
        };
        bits.forget();
        Ok(bits)
    }

    /// Sets what is preferred of a sketch's picture and its negative.
    pub fn lean(&mut self, to: Lean) {
        self.scratch.lean = to;
    }

    /// Sets how many bytes may be kept from one drawing to the next.
    #[must_use]
    pub fn with_budget(mut self, bytes: usize) -> Bits {
        self.budget = bytes;
        self
    }

    /// Bytes that are kept.
    pub fn kept(&self) -> usize {
        self.planes.len() * 8 + self.store.bytes()
    }

    /// What is compared with.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Draws a scene, and counts the pixels in which it differs from the target.
    ///
    /// # Errors
    ///
    /// A scene of another canvas; one that shares regions so often that it has too many shapes.
    pub fn draw(&mut self, scene: &Scene) -> Result<u64, RenderError> {
        self.draw_with(scene, None)
    }

    /// Draws a program as it stands, with the edit that is proposed, and counts the pixels in
    /// which it differs from the target. Only what changed is drawn, whichever program was
    /// drawn before.
    ///
    /// # Errors
    ///
    /// As [`Bits::draw`].
    pub fn redraw(&mut self, live: &Live<'_>) -> Result<u64, RenderError> {
        self.draw_with(live.scene(), Some(live.versions()))
    }

    /// What was drawn last.
    pub fn picture(&self) -> Picture {
        if self.target.palette != Palette::ink() {
            return self.layout.picture(&self.picture, &self.target.palette);
        }
        let mut words = vec![0; self.layout.plane];
        if !matches!(self.ink, Value::Empty) {
            let ink = self.operand(self.ink);
            loops::paint(&mut words, 1, ink, &self.layout, 1);
        }
        self.layout.picture(&words, &self.target.palette)
    }

    fn draw_with(&mut self, scene: &Scene, versions: Option<&[u64]>) -> Result<u64, RenderError> {
        let (width, height) = (scene.canvas.width, scene.canvas.height);
        if (i64::from(width), i64::from(height))
            != (i64::from(self.layout.width), i64::from(self.layout.height))
        {
            return Err(RenderError::Canvas(width, height));
        }
        self.begin(scene);
        match &scene.content {
            Content::Ink(root) => {
                let value = self.region(scene, versions, *root, (0, 0))?;
                // A plane that is nobody's is free for the next drawing, not before.
                self.give_back(value);
                self.ink = value;
                if let Some(strokes) = &self.target.strokes {
                    let (plane, _) = place(value);
                    let words = &self.planes[plane as usize * self.layout.plane..];
                    let words = &words[..self.layout.plane];
                    return Ok(strokes.score(&mut self.scratch, words, &self.layout));
                }
                let target = (&self.target.words[..], &self.target.above[..]);
                let ink = self.operand(value);
                let wrong = |word: usize| ink.words[word] ^ self.target.words[word];
                Ok(loops::wrong(ink, target, &self.layout) + self.target.heavy.more(wrong))
            }
            Content::Layers(layers) => {
                self.blank();
                for layer in layers {
                    self.layer(scene, versions, layer)?;
                }
                let (picture, target) = (&self.picture, &self.target.words);
                let wrong = |word: usize| {
                    let planes =
                        (0..self.layout.planes).map(|plane| plane * self.layout.plane + word);
                    planes.fold(0, |any, at| any | (picture[at] ^ target[at]))
                };
                Ok(loops::differing(picture, target, self.layout.planes)
                    + self.target.heavy.more(wrong))
            }
        }
    }

    /// Puts what is kept of another program in the place of what is kept here, and the other way
    /// round: so an engine draws several programs in turn, with one store of shapes, and of each it
    /// draws only what changed. Without it each would be drawn anew, with the same bits.
    pub fn lend(&mut self, other: &mut Planes) {
        std::mem::swap(&mut self.slots, &mut other.slots);
        std::mem::swap(&mut self.edges, &mut other.edges);
        std::mem::swap(&mut self.planes, &mut other.planes);
        std::mem::swap(&mut self.used, &mut other.used);
        std::mem::swap(&mut self.free, &mut other.free);
        std::mem::swap(&mut self.ink, &mut other.ink);
        let epoch = std::mem::replace(&mut other.epoch, self.epoch);
        if epoch != self.epoch {
            self.forget_planes();
        }
    }

    /// Makes room for the regions of a scene.
    fn begin(&mut self, scene: &Scene) {
        if self.kept() > self.budget {
            self.forget();
        }
        self.drawing += 1;
        self.visits = 0;
        if self.slots.len() < scene.regions.len() {
            self.slots.resize(scene.regions.len(), FRESH);
        }
    }

    /// Forgets all that is kept.
    fn forget(&mut self) {
        self.store.clear();
        self.epoch += 1;
        self.forget_planes();
    }

    fn forget_planes(&mut self) {
        self.slots.clear();
        self.edges.clear();
        self.planes = Vec::new();
        self.used.clear();
        self.free.clear();
        self.ink = Value::Empty;
        let blank = self.grab();
        let full = self.grab();
        debug_assert_eq!((blank, full), (BLANK, FULL));
        let all = Block::all(&self.layout);
        self.used[FULL as usize] = all;
        let plane = &mut self.planes[FULL as usize * self.layout.plane..];
        loops::fill(plane, &self.layout);
    }

    /// A value as loops take it.
    fn operand(&self, value: Value) -> Operand<'_> {
        let (plane, block) = place(value);
        let len = self.layout.plane;
        let words = &self.planes[plane as usize * len..][..len];
        Operand { words, block }
    }

    /// Gives up the plane of a value that nobody takes.
    fn give_back(&mut self, value: Value) {
        if let Value::Given { plane, .. } = value {
            self.free.push(plane);
        }
    }

    /// Paints a layer.
    fn layer(
        &mut self,
        scene: &Scene,
        versions: Option<&[u64]>,
        layer: &Layer,
    ) -> Result<(), RenderError> {
        let (value, color) = match layer.paint {
            Paint::Fill(color) => (
                self.region(scene, versions, layer.region, layer.offset)?,
                color,
            ),
            Paint::Stroke { color, width } => (self.edge(scene, versions, layer, width)?, color),
        };
        if !matches!(value, Value::Empty) {
            let code = self.target.palette.code_of_paint(color);
            let mut picture = std::mem::take(&mut self.picture);
            let operand = self.operand(value);
            loops::paint(
                &mut picture,
                self.layout.planes,
                operand,
                &self.layout,
                code,
            );
            self.picture = picture;
            self.painted = self.painted.hull(place(value).1);
            self.give_back(value);
        }
        Ok(())
    }

    /// The pixels of a line along a region's edge.
    fn edge(
        &mut self,
        scene: &Scene,
        versions: Option<&[u64]>,
        layer: &Layer,
        width: f64,
    ) -> Result<Value, RenderError> {
        let at = layer.region.0 as usize;
        let version = self.version(versions, at);
        if self.edges.len() <= at {
            self.edges.resize(scene.regions.len().max(at + 1), NO_EDGE);
        }
        let edge = self.edges[at];
        let known = edge.version == version
            && edge.width == width
            && edge.offset.is_none_or(|offset| offset == layer.offset);
        let found = match known {
            true => edge.found,
            false => {
                let (found, offset) = self.draw_edge(scene, layer, width)?;
                self.edges[at] = Edge {
                    version,
                    width,
                    offset,
                    found,
                };
                found
            }
        };
        Ok(match found {
            Found::Runs(placed) => self.stamp(placed, layer.offset),
            Found::Nothing | Found::Indirect => Value::Empty,
        })
    }

    /// Draws a line along a region's edge, and says where it holds, if not everywhere.
    fn draw_edge(
        &mut self,
        scene: &Scene,
        layer: &Layer,
        width: f64,
    ) -> Result<(Found, Option<(i32, i32)>), RenderError> {
        // A shape under maps is that shape; what is left is a formula, of which the outline is
        // found first.
        let mut map = IDENTITY;
        let mut id = layer.region;
        loop {
            self.visit()?;
            match scene.regions.get(id.0 as usize) {
                Some(Region::Transform(inner, by)) => {
                    map = compose(&map, by);
                    id = *inner;
                }
                Some(Region::Shape { shape, at }) => {
                    match self.store.shape(shape, &compose(&map, at), width) {
                        Found::Indirect => break,
                        found => return Ok((found, None)),
                    }
                }
                None | Some(Region::Empty) => return Ok((Found::Nothing, None)),
                Some(_) => break,
            }
        }
        let (plan, root) = plan::lower_region(&scene.regions, layer.region, IDENTITY)?;
        let Some(root) = root else {
            return Ok((Found::Nothing, None));
        };
        let (dx, dy) = layer.offset;
        let seen = Area {
            x0: -dx,
            y0: -dy,
            x1: self.layout.width - dx,
            y1: self.layout.height - dy,
        };
        let path = contour::skia_path(&outline::of_node(&plan, root));
        let placed = path.and_then(|path| self.store.outline(path, width, seen));
        Ok((
            placed.map_or(Found::Nothing, Found::Runs),
            Some(layer.offset),
        ))
    }

    fn visit(&mut self) -> Result<(), RenderError> {
        self.visits += 1;
        if self.visits > 4 * MAX_SHAPES {
            return Err(RenderError::TooManyShapes);
        }
        Ok(())
    }

    fn version(&self, versions: Option<&[u64]>, at: usize) -> u64 {
        match versions {
            Some(versions) => versions.get(at).copied().unwrap_or(0),
            None => UNVERSIONED | self.drawing,
        }
    }

    /// A plane that nobody uses.
    fn grab(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            let number = self.planes.len() / self.layout.plane.max(1);
            self.planes.resize(self.planes.len() + self.layout.plane, 0);
            self.used.push(Block::EMPTY);
            number as u32
        })
    }

    /// Paints the background over what was painted before.
    fn blank(&mut self) {
        for plane in self.picture.chunks_exact_mut(self.layout.plane.max(1)) {
            for column in self.painted.columns.0..self.painted.columns.1 {
                plane[self.layout.rows(column, self.painted.rows)].fill(0);
            }
        }
        self.painted = Block::EMPTY;
    }
}

/// The plane of a value, and where its pixels are.
fn place(value: Value) -> (u32, Block) {
    match value {
        Value::Empty => (BLANK, Block::EMPTY),
        Value::Plane { plane, block } | Value::Given { plane, block } => (plane, block),
    }
}
