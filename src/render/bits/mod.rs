//! Bit planes: pictures of one bit a pixel and plane, for search.
//!
//! In: scenes, and a [`Target`]. Out: the number of pixels in which they differ. A pixel is inside a shape
//! when its centre is; ink takes one plane, a palette of `n` colours as many as tell `n` apart.
//! Unions and differences of whole pictures are a few vector instructions, and so is an error.
//! Over a [`Live`] program only what an edit changes is drawn. What search accepts is to be
//! confirmed on the anti-aliased picture, on which goals are defined.
//!
//! Everything that can be drawn can be drawn here. Afterwards memory that is kept stays within a
//! budget; what exceeds it is drawn anew, with the same bits.

mod palette;
mod runs;
mod target;
mod words;

#[cfg(test)]
mod tests;

pub use palette::Palette;
pub use target::Target;

use runs::{Found, PlacedRuns, Runs, Store};

use super::coverage::check_canvas;
use super::paths::Area;
use super::place::{Affine, IDENTITY, compose};
use super::plan::MAX_SHAPES;
use super::{Picture, RenderError, contour, outline, plan};
use crate::scene::{Content, Layer, Live, Paint, Region, RegionId, Scene};

/// Bytes that are kept from one drawing to the next unless said otherwise.
pub const BUDGET: usize = 256 << 20;

/// Where the pixels of a picture are: words of 64 pixels beside each other; words that stand one
/// below the other follow each other, column after column, plane after plane. So what is done to a
/// stack of rows is done to words in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Layout {
    width: i32,
    height: i32,
    /// Columns of words.
    columns: usize,
    /// Words of a plane.
    plane: usize,
    planes: usize,
}

impl Layout {
    /// Sides beyond what a canvas may have count as that.
    fn new(width: u32, height: u32, planes: usize) -> Layout {
        let side = |x: u32| i32::try_from(x).unwrap_or(i32::MAX);
        let columns = (width as usize).div_ceil(64);
        Layout {
            width: side(width),
            height: side(height),
            columns,
            plane: columns * height as usize,
            planes,
        }
    }

    /// Words of a column.
    fn column(&self) -> usize {
        self.height as usize
    }

    /// The word of a pixel within a plane.
    fn word(&self, x: usize, y: usize) -> usize {
        x / 64 * self.column() + y
    }

    /// Words of rows in a column.
    #[inline]
    fn rows(&self, column: usize, rows: Rows) -> std::ops::Range<usize> {
        let start = column * self.column();
        start + rows.0 as usize..start + rows.1 as usize
    }

    /// Pixels across in the words of a column.
    #[inline]
    fn across(&self, column: usize) -> i32 {
        (self.width - 64 * column as i32).min(64)
    }

    /// Planes as people see them.
    fn picture(&self, words: &[u64], palette: &Palette) -> Picture {
        let ink = self.planes == 1 && *palette == Palette::ink();
        let (width, height) = (self.width.unsigned_abs(), self.height.unsigned_abs());
        let mut picture = Picture::filled(width, height, if ink { 1 } else { 3 }, 0);
        let channels = usize::from(picture.channels);
        for (at, pixel) in picture.data.chunks_exact_mut(channels).enumerate() {
            let (x, y) = (at % width as usize, at / width as usize);
            let code = (0..self.planes).fold(0u8, |code, plane| {
                let word = words[plane * self.plane + self.word(x, y)];
                code | ((word >> (x % 64) & 1) as u8) << plane
            });
            match pixel {
                [only] => *only = 255 * code,
                _ => pixel.copy_from_slice(&palette.color(code)),
            }
        }
        picture
    }
}

/// Rows from one up to another.
type Rows = (i32, i32);

/// A box of words: columns of words from one up to another, and rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Block {
    columns: (usize, usize),
    rows: Rows,
}

impl Block {
    const EMPTY: Block = Block {
        columns: (0, 0),
        rows: (0, 0),
    };

    fn is_empty(self) -> bool {
        self.columns.0 >= self.columns.1 || self.rows.0 >= self.rows.1
    }

    /// Around both.
    fn hull(self, other: Block) -> Block {
        if self.is_empty() {
            return other;
        }
        if other.is_empty() {
            return self;
        }
        Block {
            columns: (
                self.columns.0.min(other.columns.0),
                self.columns.1.max(other.columns.1),
            ),
            rows: (self.rows.0.min(other.rows.0), self.rows.1.max(other.rows.1)),
        }
    }

    /// In both.
    fn meet(self, other: Block) -> Block {
        let both = Block {
            columns: (
                self.columns.0.max(other.columns.0),
                self.columns.1.min(other.columns.1),
            ),
            rows: (self.rows.0.max(other.rows.0), self.rows.1.min(other.rows.1)),
        };
        if both.is_empty() { Block::EMPTY } else { both }
    }

    /// Its rows in a column.
    #[inline]
    fn rows_at(self, column: usize) -> Rows {
        if (self.columns.0..self.columns.1).contains(&column) {
            self.rows
        } else {
            (0, 0)
        }
    }
}

/// The pixels of a region.
#[derive(Clone, Copy, Debug)]
enum Value {
    Empty,
    All,
    /// What of the runs is on the canvas lies in the block.
    Runs {
        placed: PlacedRuns,
        block: Block,
    },
    /// A block of a plane; around it the plane holds anything.
    Plane {
        plane: u32,
        block: Block,
        /// Whether it goes to whoever takes the value.
        given: bool,
    },
}

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

#[derive(Clone, Copy, Debug)]
enum Join {
    Union,
    Difference,
    Intersection,
}

#[derive(Clone, Copy, Debug)]
enum Task {
    Enter(RegionId, Under),
    Leave(RegionId, Under, Join),
}

/// Draws scenes as bit planes and compares them with a target.
#[derive(Debug)]
pub struct Bits {
    target: Target,
    layout: Layout,
    budget: usize,
    store: Store,
    slots: Vec<Slot>,
    edges: Vec<Edge>,
    /// Planes of regions.
    planes: Vec<u64>,
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
    used: Block,
    /// What was drawn last, on a canvas for ink.
    ink: Value,
}

/// Versions of scenes that have none.
const UNVERSIONED: u64 = 1 << 63;

impl Bits {
    /// An engine for programs that are compared with a target.
    ///
    /// # Errors
    ///
    /// A target of more pixels than a canvas may have.
    pub fn new(target: Target) -> Result<Bits, RenderError> {
        let layout = target.layout;
        let (width, height) = (layout.width.unsigned_abs(), layout.height.unsigned_abs());
        let canvas = check_canvas(&crate::grammar::ir::Canvas {
            width,
            height,
            mode: crate::grammar::ir::CanvasMode::Ink,
            centred: false,
        })?;
        Ok(Bits {
            budget: BUDGET,
            store: Store::new(canvas),
            slots: Vec::new(),
            edges: Vec::new(),
            planes: Vec::new(),
            free: Vec::new(),
            tasks: Vec::new(),
            values: Vec::new(),
            maps: Vec::new(),
            drawing: 0,
            visits: 0,
            picture: vec![0; layout.plane * layout.planes],
            used: Block::EMPTY,
            ink: Value::Empty,
            layout,
            target,
        })
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
    pub fn picture(&mut self) -> Picture {
        if self.target.palette == Palette::ink() && self.layout.planes == 1 {
            let value = self.ink;
            let plane = self.grab();
            let block = self.block(value);
            let mut words = vec![0; self.layout.plane];
            for column in block.columns.0..block.columns.1 {
                self.write(value, plane, column, block.rows);
                let rows = self.layout.rows(column, block.rows);
                words[rows.clone()].copy_from_slice(&self.plane(plane)[rows]);
            }
            self.free.push(plane);
            return self.layout.picture(&words, &self.target.palette);
        }
        self.layout.picture(&self.picture, &self.target.palette)
    }

    fn draw_with(&mut self, scene: &Scene, versions: Option<&[u64]>) -> Result<u64, RenderError> {
        let (width, height) = (scene.canvas.width, scene.canvas.height);
        if (i64::from(width), i64::from(height))
            != (i64::from(self.layout.width), i64::from(self.layout.height))
        {
            return Err(RenderError::Canvas(width, height));
        }
        if self.kept() > self.budget {
            self.forget();
        }
        self.drawing += 1;
        self.visits = 0;
        if self.slots.len() < scene.regions.len() {
            self.slots.resize(scene.regions.len(), FRESH);
        }
        match &scene.content {
            Content::Ink(root) => {
                let value = self.region(scene, versions, *root, (0, 0))?;
                // The plane, if it is nobody's, is free for the next drawing only.
                if let Value::Plane {
                    plane, given: true, ..
                } = value
                {
                    self.free.push(plane);
                }
                self.ink = value;
                Ok(self.wrong_ink(value))
            }
            Content::Layers(layers) => {
                self.blank();
                for layer in layers {
                    self.layer(scene, versions, layer)?;
                }
                Ok(words::differing(
                    &self.picture,
                    &self.target.words,
                    self.layout.planes,
                ))
            }
        }
    }

    /// Forgets all that is kept.
    fn forget(&mut self) {
        self.store.clear();
        self.slots.clear();
        self.edges.clear();
        self.planes = Vec::new();
        self.free.clear();
        self.ink = Value::Empty;
    }

    /// Where a value can be.
    #[inline]
    fn block(&self, value: Value) -> Block {
        match value {
            Value::Empty => Block::EMPTY,
            Value::All => Block {
                columns: (0, self.layout.columns),
                rows: (0, self.layout.height),
            },
            Value::Runs { block, .. } | Value::Plane { block, .. } => block,
        }
    }

    fn wrong_ink(&mut self, value: Value) -> u64 {
        let block = self.block(value);
        let plane = match value {
            Value::Plane { plane, .. } => plane,
            _ => {
                let plane = self.grab();
                for column in block.columns.0..block.columns.1 {
                    self.write(value, plane, column, block.rows);
                }
                self.free.push(plane);
                plane
            }
        };
        let above = &self.target.above;
        let height = self.layout.column();
        let mut wrong = 0;
        for column in 0..self.layout.columns {
            let sums = &above[column * (height + 1)..][..=height];
            let (from, to) = block.rows_at(column);
            wrong += sums[height] - (sums[to as usize] - sums[from as usize]);
            let rows = self.layout.rows(column, (from, to));
            let drawn = &self.plane(plane)[rows.clone()];
            wrong += words::differing(drawn, &self.target.words[rows], 1);
        }
        wrong
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
        let code = self.target.palette.code_of_paint(color);
        self.paint(value, code);
        if let Value::Plane {
            plane, given: true, ..
        } = value
        {
            self.free.push(plane);
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
        let known = self.edges.get(at).filter(|edge| {
            edge.version == version
                && edge.width == width
                && edge.offset.is_none_or(|offset| offset == layer.offset)
        });
        let found = match known {
            Some(edge) => edge.found,
            None => {
                let (found, offset) = self.draw_edge(scene, layer, width)?;
                if self.edges.len() <= at {
                    let none = Edge {
                        version: 0,
                        width: 0.0,
                        offset: None,
                        found: Found::Nothing,
                    };
                    self.edges.resize(scene.regions.len().max(at + 1), none);
                }
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
            Found::Runs(placed) => self.placed(placed, layer.offset.0, layer.offset.1),
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

    /// The pixels of a region, moved by whole pixels.
    fn region(
        &mut self,
        scene: &Scene,
        versions: Option<&[u64]>,
        root: RegionId,
        (dx, dy): (i32, i32),
    ) -> Result<Value, RenderError> {
        self.tasks.clear();
        self.values.clear();
        self.maps.clear();
        self.tasks.push(Task::Enter(root, Under::Shift(dx, dy)));
        while let Some(task) = self.tasks.pop() {
            match task {
                Task::Enter(id, under) => self.enter(scene, versions, id, under)?,
                Task::Leave(id, under, how) => {
                    let b = self.values.pop().unwrap_or(Value::Empty);
                    let a = self.values.pop().unwrap_or(Value::Empty);
                    self.leave(versions, id, under, how, a, b);
                }
            }
        }
        Ok(self.values.pop().unwrap_or(Value::Empty))
    }

    fn enter(
        &mut self,
        scene: &Scene,
        versions: Option<&[u64]>,
        id: RegionId,
        under: Under,
    ) -> Result<(), RenderError> {
        self.visit()?;
        let at = id.0 as usize;
        let Some(region) = scene.regions.get(at) else {
            self.values.push(Value::Empty);
            return Ok(());
        };
        if let Under::Shift(dx, dy) = under {
            let version = self.version(versions, at);
            let slot = &mut self.slots[at];
            if slot.version == version && slot.under == (dx, dy) {
                slot.asked = self.drawing;
                self.values.push(slot.value);
                return Ok(());
            }
        }
        let (how, a, b) = match region {
            Region::Empty => {
                self.values.push(Value::Empty);
                return Ok(());
            }
            Region::Everything => {
                self.values.push(Value::All);
                return Ok(());
            }
            Region::Shape { shape, at: own } => {
                let (found, dx, dy) = match under {
                    Under::Shift(dx, dy) => (self.store.shape(shape, own, 0.0), dx, dy),
                    Under::Map(map) => {
                        let whole = compose(&self.maps[map as usize], own);
                        (self.store.shape(shape, &whole, 0.0), 0, 0)
                    }
                };
                let value = match found {
                    Found::Runs(placed) => self.placed(placed, dx, dy),
                    Found::Nothing | Found::Indirect => Value::Empty,
                };
                if let Under::Shift(dx, dy) = under {
                    let version = self.version(versions, at);
                    let slot = &mut self.slots[at];
                    slot.version = version;
                    slot.under = (dx, dy);
                    slot.value = value;
                    if let Some(plane) = slot.own.take() {
                        self.free.push(plane);
                    }
                }
                self.values.push(value);
                return Ok(());
            }
            Region::Transform(inner, by) => {
                let under = self.under(under, by);
                self.tasks.push(Task::Enter(*inner, under));
                return Ok(());
            }
            Region::Union(a, b) => (Join::Union, *a, *b),
            Region::Difference(a, b) => (Join::Difference, *a, *b),
            Region::Intersection(a, b) => (Join::Intersection, *a, *b),
        };
        self.tasks.push(Task::Leave(id, under, how));
        self.tasks.push(Task::Enter(b, under));
        self.tasks.push(Task::Enter(a, under));
        Ok(())
    }

    /// One map under another.
    fn under(&mut self, outer: Under, by: &Affine) -> Under {
        let map = match outer {
            Under::Shift(dx, dy) => {
                let shift = [1.0, 0.0, 0.0, 1.0, f64::from(dx), f64::from(dy)];
                compose(&shift, by)
            }
            Under::Map(map) => compose(&self.maps[map as usize], by),
        };
        let [a, b, c, d, e, f] = map;
        let whole = |x: f64| x == x.trunc() && x.abs() <= 1e6;
        if [a, b, c, d] == IDENTITY[..4] && whole(e) && whole(f) {
            return Under::Shift(e as i32, f as i32);
        }
        self.maps.push(map);
        Under::Map(self.maps.len() as u32 - 1)
    }

    /// Runs as far as they are on the canvas.
    fn placed(&self, placed: PlacedRuns, dx: i32, dy: i32) -> Value {
        let (dx, dy) = (placed.dx.saturating_add(dx), placed.dy.saturating_add(dy));
        let area = self.store.runs(placed.runs).area;
        let left = area.left.saturating_add(dx).max(0);
        let right = area.right.saturating_add(dx).min(self.layout.width);
        let top = area.top.saturating_add(dy).max(0);
        let bottom = area.bottom.saturating_add(dy).min(self.layout.height);
        if left >= right || top >= bottom {
            return Value::Empty;
        }
        let block = Block {
            columns: (left as usize / 64, (right as usize - 1) / 64 + 1),
            rows: (top, bottom),
        };
        Value::Runs {
            placed: PlacedRuns { dx, dy, ..placed },
            block,
        }
    }

    /// Joins two regions and keeps the result where it can be kept.
    fn leave(
        &mut self,
        versions: Option<&[u64]>,
        id: RegionId,
        under: Under,
        how: Join,
        a: Value,
        b: Value,
    ) {
        let at = id.0 as usize;
        let shift = match under {
            Under::Shift(dx, dy) => Some((dx, dy)),
            Under::Map(_) => None,
        };
        // A region asked for before in this drawing, elsewhere, may still be waiting on the stack:
        // its plane is not to be touched. Over the budget nothing more is kept.
        let slot = &self.slots[at];
        let kept = shift.filter(|_| {
            slot.asked != self.drawing && (slot.own.is_some() || self.kept() <= self.budget)
        });
        let plane = match kept.and(slot.own) {
            Some(plane) => plane,
            None => self.grab(),
        };
        let block = self.join(how, a, b, plane);
        for value in [a, b] {
            if let Value::Plane {
                plane, given: true, ..
            } = value
            {
                self.free.push(plane);
            }
        }
        let value = if block.is_empty() {
            Value::Empty
        } else {
            Value::Plane {
                plane,
                block,
                given: kept.is_none(),
            }
        };
        match kept {
            Some(under) => {
                let version = self.version(versions, at);
                self.slots[at] = Slot {
                    version,
                    under,
                    asked: self.drawing,
                    value,
                    own: Some(plane),
                };
            }
            None if block.is_empty() => self.free.push(plane),
            None => {}
        }
        self.values.push(value);
    }

    /// Writes what two regions are together into a plane, and says where it can be.
    fn join(&mut self, how: Join, a: Value, b: Value, out: u32) -> Block {
        let (of_a, of_b) = (self.block(a), self.block(b));
        let block = match (how, b) {
            (Join::Union, _) => of_a.hull(of_b),
            (Join::Difference, Value::All) => Block::EMPTY,
            (Join::Difference, _) => of_a,
            (Join::Intersection, _) => of_a.meet(of_b),
        };
        for column in block.columns.0..block.columns.1 {
            match how {
                Join::Union => self.unite(a, b, out, column, block.rows),
                Join::Difference => {
                    self.write(a, out, column, block.rows);
                    self.mix(how, b, out, column, of_a.meet(of_b).rows_at(column));
                }
                Join::Intersection => {
                    // Runs are written, planes are combined in one go.
                    let (first, second) = match a {
                        Value::Runs { .. } => (a, b),
                        _ => (b, a),
                    };
                    self.write(first, out, column, block.rows);
                    self.mix(how, second, out, column, block.rows);
                }
            }
        }
        block
    }

    /// Writes what is in either into a column of a plane: all of the rows.
    fn unite(&mut self, a: Value, b: Value, out: u32, column: usize, (top, bottom): Rows) {
        let (a0, a1) = self.block(a).rows_at(column);
        let (b0, b1) = self.block(b).rows_at(column);
        if a0 >= a1 {
            self.clear(out, column, (top, b0.max(top)));
            self.write(b, out, column, (b0, b1));
            self.clear(out, column, (b1.max(top), bottom));
            return;
        }
        self.clear(out, column, (top, a0));
        self.write(a, out, column, (a0, a1));
        self.clear(out, column, (a1, bottom));
        self.mix(Join::Union, b, out, column, (b0, b1));
    }

    /// Sets rows of a column to a value, which may be nowhere but in its block.
    fn write(&mut self, value: Value, out: u32, column: usize, rows: Rows) {
        if rows.0 >= rows.1 {
            return;
        }
        let words = self.layout.rows(column, rows);
        match value {
            Value::Empty => self.clear(out, column, rows),
            Value::All => {
                let all = words::low(self.layout.across(column));
                self.plane_mut(out)[words].fill(all);
            }
            Value::Plane { plane, .. } => {
                let len = self.layout.plane;
                let (source, to) = (plane as usize * len, out as usize * len);
                self.planes
                    .copy_within(source + words.start..source + words.end, to + words.start);
            }
            Value::Runs { placed, .. } => {
                self.clear(out, column, rows);
                self.stamp(placed, out, column, rows, true);
            }
        }
    }

    /// Combines rows of a column with those of a value.
    fn mix(&mut self, how: Join, value: Value, out: u32, column: usize, rows: Rows) {
        if rows.0 >= rows.1 {
            return;
        }
        match (value, how) {
            (Value::Plane { plane, .. }, _) => {
                let (len, words) = (self.layout.plane, self.layout.rows(column, rows));
                let Some((out, other)) = two(&mut self.planes, len, out, plane) else {
                    return;
                };
                let (out, other) = (&mut out[words.clone()], &other[words]);
                match how {
                    Join::Union => words::or(out, other),
                    Join::Difference => words::and_not(out, other),
                    Join::Intersection => words::and(out, other),
                }
            }
            (Value::Runs { placed, .. }, Join::Union) => {
                self.stamp(placed, out, column, rows, true);
            }
            (Value::Runs { placed, .. }, Join::Difference) => {
                self.stamp(placed, out, column, rows, false);
            }
            (Value::Runs { block, .. }, Join::Intersection) => {
                let plane = self.grab();
                self.write(value, plane, column, rows);
                let value = Value::Plane {
                    plane,
                    block,
                    given: true,
                };
                self.mix(how, value, out, column, rows);
                self.free.push(plane);
            }
            (Value::All, Join::Union) => self.write(value, out, column, rows),
            (Value::All, Join::Difference) | (Value::Empty, Join::Intersection) => {
                self.clear(out, column, rows);
            }
            (Value::All, Join::Intersection) | (Value::Empty, _) => {}
        }
    }

    /// Sets or clears the pixels of runs in rows of a column.
    fn stamp(&mut self, placed: PlacedRuns, out: u32, column: usize, rows: Rows, set: bool) {
        let start = out as usize * self.layout.plane;
        let words = self.layout.rows(column, (0, self.layout.height));
        let words = &mut self.planes[start + words.start..start + words.end];
        let runs = self.store.runs(placed.runs);
        stamp(words, runs, placed, &self.layout, column, rows, set);
    }

    fn clear(&mut self, out: u32, column: usize, rows: Rows) {
        if rows.0 < rows.1 {
            let words = self.layout.rows(column, rows);
            self.plane_mut(out)[words].fill(0);
        }
    }

    /// A plane that nobody uses.
    fn grab(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            let number = self.planes.len() / self.layout.plane.max(1);
            self.planes.resize(self.planes.len() + self.layout.plane, 0);
            number as u32
        })
    }

    fn plane(&self, plane: u32) -> &[u64] {
        let len = self.layout.plane;
        &self.planes[plane as usize * len..][..len]
    }

    fn plane_mut(&mut self, plane: u32) -> &mut [u64] {
        let len = self.layout.plane;
        &mut self.planes[plane as usize * len..][..len]
    }

    /// Paints the background over what was painted before.
    fn blank(&mut self) {
        for plane in self.picture.chunks_exact_mut(self.layout.plane.max(1)) {
            for column in self.used.columns.0..self.used.columns.1 {
                plane[self.layout.rows(column, self.used.rows)].fill(0);
            }
        }
        self.used = Block::EMPTY;
    }

    /// Paints a region in a colour.
    fn paint(&mut self, value: Value, code: u8) {
        let block = self.block(value);
        if block.is_empty() {
            return;
        }
        self.used = self.used.hull(block);
        let (layout, len) = (self.layout, self.layout.plane);
        for (bit, picture) in self.picture.chunks_exact_mut(len.max(1)).enumerate() {
            let set = code >> bit & 1 == 1;
            for column in block.columns.0..block.columns.1 {
                let rows = layout.rows(column, block.rows);
                match value {
                    Value::Empty => {}
                    Value::All => {
                        let all = words::low(layout.across(column));
                        picture[rows].fill(if set { all } else { 0 });
                    }
                    Value::Plane { plane, .. } => {
                        let from = &self.planes[plane as usize * len..][rows.clone()];
                        if set {
                            words::or(&mut picture[rows], from);
                        } else {
                            words::and_not(&mut picture[rows], from);
                        }
                    }
                    Value::Runs { placed, .. } => {
                        let words = &mut picture[layout.rows(column, (0, layout.height))];
                        let runs = self.store.runs(placed.runs);
                        stamp(words, runs, placed, &layout, column, block.rows, set);
                    }
                }
            }
        }
    }
}

/// Sets or clears the pixels of placed runs in rows of a column of words.
fn stamp(
    words: &mut [u64],
    runs: &Runs,
    placed: PlacedRuns,
    layout: &Layout,
    column: usize,
    rows: Rows,
    set: bool,
) {
    // Columns as the runs count them.
    let left = 64 * column as i32 - placed.dx;
    let width = layout.across(column);
    for stratum in &runs.strata {
        let top = stratum.top + placed.dy;
        let from = rows.0.max(top);
        let to = rows.1.min(top + stratum.from.len() as i32);
        if from >= to {
            continue;
        }
        let own = (from - top) as usize..(to - top) as usize;
        let words = &mut words[from as usize..to as usize];
        let (begin, end) = (&stratum.from[own.clone()], &stratum.to[own]);
        if set {
            words::set_runs(words, begin, end, left, width);
        } else {
            words::clear_runs(words, begin, end, left, width);
        }
    }
}

/// Two planes, the first to be changed; `None` when they are one.
fn two(planes: &mut [u64], len: usize, a: u32, b: u32) -> Option<(&mut [u64], &[u64])> {
    let (a, b) = (a as usize * len, b as usize * len);
    if a < b {
        let (left, right) = planes.split_at_mut(b);
        Some((&mut left[a..a + len], &right[..len]))
    } else if b < a {
        let (left, right) = planes.split_at_mut(a);
        Some((&mut right[..len], &left[b..b + len]))
    } else {
        None
    }
}
