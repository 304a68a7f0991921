//! From a tree of regions to coverage, each region once.
//!
//! In: a scene's regions, one of them as root, and its place on a canvas. Out: the root's
//! [`Value`]. Afterwards what is remembered of a region holds as long as its version is the same:
//! with versions only regions whose version has changed are combined anew, without them all are.
//!
//! Nothing recurs: a survey from the root counts what a region is made of, how often each is used
//! and how many values combining it holds at once; then the deeper operand comes first, and a value
//! goes when its last user has it. Regions may be shared: each is combined once in each map that
//! is not merely a shift by whole pixels, and once for all such shifts.

// Only looked up by key, never walked through.
#[allow(clippy::disallowed_types)]
use std::collections::HashMap;
use std::sync::Arc;

use rustc_hash::FxBuildHasher;

use super::RenderError;
use super::kernels::Join;
use super::paths::{self, Area};
use super::place::{Affine, IDENTITY, compose, place};
use super::plan::{MAX_SHAPES, MAX_VISITS};
use super::rasters::{Found, Rasters, settled};
use super::tiles::{Tile, fill};
use super::value::{Offset, Pool, Value};
use crate::scene::{Region, RegionId, Shape};

/// Farthest that anything is moved, in pixels; beyond is out of sight.
const FARTHEST: i32 = 1 << 29;

/// What a scene is drawn on, and with.
pub(crate) struct Tools<'e> {
    pub(crate) rasters: &'e mut Rasters,
    pub(crate) pool: &'e mut Pool,
    pub(crate) canvas: Area,
}

/// What a composer holds of a region, or of one in a map.
#[derive(Debug, Default)]
struct Node {
    /// The version of its region; 0 for none.
    version: u64,
    /// How many regions and shapes it is, shared ones written out.
    visits: u32,
    shapes: u32,
    /// How many values combining it holds at once (Strahler's number).
    need: u32,
    /// The last survey that came by.
    seen: u64,
    state: State,
    /// Users that have not got its value yet.
    uses: u32,
    /// The last time that its value was of use.
    used: u64,
    value: Option<Value>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum State {
    #[default]
    New,
    Open,
    Done,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Enter(u32),
    Leave(u32),
}

#[derive(Clone, Copy, Debug)]
enum Task {
    /// Pushes a node's value, its frame at this place.
    Visit(u32, Offset),
    /// Pops the value of a transform's region, pushes it moved.
    Pass(u32, Offset),
    /// Pops two values, pushes them combined; whether the second was drawn first.
    Join(u32, Join, Offset, bool),
}

/// A region's operands as nodes.
#[derive(Clone, Copy, Debug)]
enum Made {
    Leaf,
    Moved(u32, Offset),
    Joined(Join, u32, u32),
}

/// Combines regions.
#[derive(Debug, Default)]
#[allow(clippy::disallowed_types)]
pub(crate) struct Composer {
    /// One for each region, then those of regions in maps.
    nodes: Vec<Node>,
    regions: usize,
    maps: Vec<(RegionId, Affine)>,
    mapped: HashMap<(RegionId, [u64; 6]), u32, FxBuildHasher>,
    steps: Vec<Step>,
    tasks: Vec<Task>,
    values: Vec<Value>,
    survey: u64,
    visits: u64,
    shapes: u64,
    /// Bytes of the values it remembers, and how many they may be; with 0 it remembers none.
    bytes: usize,
    budget: usize,
    /// Something was not remembered for want of room.
    full: bool,
    order: Vec<(u64, u32)>,
}

/// A map without the whole pixels of its place, which is then at least 0 and below 1; and these.
fn parted(map: &Affine) -> (Affine, Offset) {
    let [a, b, c, d, e, f] = *map;
    let (x, dx) = whole_and_rest(e);
    let (y, dy) = whole_and_rest(f);
    ([a, b, c, d, dx, dy], (x, y))
}

fn whole_and_rest(x: f64) -> (i32, f64) {
    if x.is_nan() || x.abs() > f64::from(FARTHEST) {
        return (0, x);
    }
    let whole = x.floor();
    let rest = x - whole;
    // Just below a whole pixel the rest may be rounded up to 1.
    if rest < 1.0 {
        (whole as i32, rest)
    } else {
        (whole as i32 + 1, 0.0)
    }
}

/// A place moved on, as far as anything is moved.
pub(crate) fn moved((x, y): Offset, (dx, dy): Offset) -> Offset {
    let add = |a: i32, b: i32| a.saturating_add(b).clamp(-FARTHEST, FARTHEST);
    (add(x, dx), add(y, dy))
}

impl Composer {
    /// Remembers values of at most so many bytes between one picture and the next.
    pub(crate) fn new(budget: usize) -> Composer {
        Composer {
            budget,
            ..Composer::default()
        }
    }

    /// The bytes of the values it remembers.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Begins a picture of so many regions.
    pub(crate) fn begin(&mut self, regions: usize) {
        self.survey += 1;
        (self.visits, self.shapes) = (0, 0);
        self.nodes.truncate(self.regions);
        if regions < self.regions {
            for node in &self.nodes[regions..] {
                self.bytes -= node.value.as_ref().map_or(0, Value::size);
            }
        }
        self.nodes.resize_with(regions, Node::default);
        self.regions = regions;
        self.maps.clear();
        self.mapped.clear();
    }

    /// Forgets all values.
    pub(crate) fn forget(&mut self, pool: &mut Pool) {
        for node in &mut self.nodes {
            node.version = 0;
            if let Some(value) = node.value.take() {
                pool.give(value);
            }
        }
        self.bytes = 0;
    }

    /// Ends a picture: what belongs to no region goes, and what is over the budget.
    pub(crate) fn end(&mut self, versions: &[u64], pool: &mut Pool) {
        for node in &mut self.nodes[self.regions..] {
            if let Some(value) = node.value.take() {
                pool.give(value);
            }
        }
        self.nodes.truncate(self.regions);
        if !std::mem::take(&mut self.full) {
            return;
        }
        // What is of no use any more first, then what was of use longest ago.
        let order = &mut self.order;
        order.clear();
        for ((id, node), version) in (0u32..).zip(&self.nodes).zip(versions) {
            if node.value.is_some() {
                let used = if node.version == *version {
                    node.used
                } else {
                    0
                };
                order.push((used, id));
            }
        }
        order.sort_unstable();
        for (_, id) in order.iter() {
            if self.bytes <= self.budget / 2 {
                break;
            }
            if let Some(value) = self.nodes[*id as usize].value.take() {
                self.bytes -= value.size();
                pool.give(value);
            }
        }
    }

    /// The node of a region in a map, and where its frame is in the map's.
    fn node(&mut self, region: RegionId, map: &Affine) -> (u32, Offset) {
        let (map, offset) = parted(map);
        if map == IDENTITY && (region.0 as usize) < self.regions {
            return (region.0, offset);
        }
        let key = (region, map.map(f64::to_bits));
        let next = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let id = *self.mapped.entry(key).or_insert(next);
        if id == next {
            self.nodes.push(Node::default());
            self.maps.push((region, map));
        }
        (id, offset)
    }

    fn made(&mut self, regions: &[Region], id: u32) -> Made {
        let (region, map) = self.at(id);
        match regions.get(region.0 as usize) {
            None | Some(Region::Empty | Region::Everything | Region::Shape { .. }) => Made::Leaf,
            Some(Region::Transform(inner, own)) => {
                let (inner, by) = self.node(*inner, &compose(&map, own));
                Made::Moved(inner, by)
            }
            Some(Region::Union(a, b)) => self.operands(Join::Union, *a, *b, &map),
            Some(Region::Difference(a, b)) => self.operands(Join::Difference, *a, *b, &map),
            Some(Region::Intersection(a, b)) => self.operands(Join::Intersection, *a, *b, &map),
        }
    }

    fn operands(&mut self, how: Join, a: RegionId, b: RegionId, map: &Affine) -> Made {
        // A map of a node has no whole pixels, so neither has its operands'.
        Made::Joined(how, self.node(a, map).0, self.node(b, map).0)
    }

    fn at(&self, id: u32) -> (RegionId, Affine) {
        match (id as usize).checked_sub(self.regions) {
            None => (RegionId(id), IDENTITY),
            Some(mapped) => self.maps[mapped],
        }
    }

    /// Counts what a root is made of; with all roots before it in the picture. To be called once
    /// for each time that its value is wanted, and with `used` false when it is only counted. Errors: too many shapes, also when regions hold themselves.
    pub(crate) fn survey(
        &mut self,
        regions: &[Region],
        versions: Option<&[u64]>,
        root: RegionId,
        used: bool,
    ) -> Result<(), RenderError> {
        let (root, _) = self.node(root, &IDENTITY);
        self.steps.clear();
        self.reach(root);
        while let Some(step) = self.steps.pop() {
            match step {
                Step::Enter(id) => self.enter(regions, versions, id)?,
                Step::Leave(id) => self.leave(regions, id),
            }
        }
        let node = &mut self.nodes[root as usize];
        node.uses -= u32::from(!used);
        self.visits += u64::from(node.visits);
        self.shapes += u64::from(node.shapes);
        if self.visits > MAX_VISITS as u64 || self.shapes > MAX_SHAPES as u64 {
            return Err(RenderError::TooManyShapes);
        }
        Ok(())
    }

    fn reach(&mut self, id: u32) {
        let node = &mut self.nodes[id as usize];
        if node.seen != self.survey {
            node.seen = self.survey;
            node.state = State::New;
            node.uses = 0;
        }
        node.uses += 1;
        if node.state != State::Done {
            self.steps.push(Step::Enter(id));
        }
    }

    fn enter(
        &mut self,
        regions: &[Region],
        versions: Option<&[u64]>,
        id: u32,
    ) -> Result<(), RenderError> {
        let own = if (id as usize) < self.regions {
            versions
        } else {
            None
        };
        let version = own.and_then(|v| v.get(id as usize)).copied().unwrap_or(0);
        let node = &mut self.nodes[id as usize];
        match node.state {
            State::Done => return Ok(()),
            State::Open => return Err(RenderError::TooManyShapes),
            State::New => {}
        }
        if self.maps.len() > MAX_VISITS {
            return Err(RenderError::TooManyShapes);
        }
        if version == 0 || node.version != version {
            node.version = version;
            if let Some(value) = node.value.take() {
                self.bytes -= value.size();
            }
        } else if node.value.is_some() {
            node.state = State::Done;
            return Ok(());
        }
        node.state = State::Open;
        self.steps.push(Step::Leave(id));
        match self.made(regions, id) {
            Made::Leaf => {}
            Made::Moved(inner, _) => self.reach(inner),
            Made::Joined(_, a, b) => {
                self.reach(b);
                self.reach(a);
            }
        }
        Ok(())
    }

    fn leave(&mut self, regions: &[Region], id: u32) {
        let (visits, shapes, need) = match self.made(regions, id) {
            Made::Leaf => {
                let region = regions.get(self.at(id).0.0 as usize);
                let shape = matches!(region, Some(Region::Shape { .. }));
                (1, u32::from(shape), 0)
            }
            Made::Moved(inner, _) => {
                let inner = &self.nodes[inner as usize];
                (inner.visits.saturating_add(1), inner.shapes, inner.need)
            }
            Made::Joined(_, a, b) => {
                let (a, b) = (&self.nodes[a as usize], &self.nodes[b as usize]);
                (
                    a.visits.saturating_add(b.visits).saturating_add(1),
                    a.shapes.saturating_add(b.shapes),
                    a.need.max(b.need) + u32::from(a.need == b.need),
                )
            }
        };
        let node = &mut self.nodes[id as usize];
        (node.visits, node.shapes, node.need) = (visits, shapes, need);
        node.state = State::Done;
    }

    /// The value of a surveyed root whose frame is at this place of the canvas.
    pub(crate) fn value(
        &mut self,
        regions: &[Region],
        root: RegionId,
        place: Offset,
        tools: &mut Tools<'_>,
    ) -> Value {
        let place = moved(place, (0, 0));
        let (root, _) = self.node(root, &IDENTITY);
        self.tasks.clear();
        self.tasks.push(Task::Visit(root, place));
        while let Some(task) = self.tasks.pop() {
            match task {
                Task::Visit(id, place) => self.visit(regions, id, place, tools),
                Task::Pass(id, by) => {
                    if let Some(value) = self.values.pop() {
                        self.finish(id, value.shifted(by));
                    }
                }
                Task::Join(id, how, place, swapped) => {
                    let (Some(b), Some(a)) = (self.values.pop(), self.values.pop()) else {
                        continue;
                    };
                    let (a, b) = if swapped { (b, a) } else { (a, b) };
                    let clip = window(tools.canvas, place);
                    let value = Value::joined(how, &a, &b, clip, tools.pool);
                    tools.pool.give(a);
                    tools.pool.give(b);
                    self.finish(id, value);
                }
            }
        }
        self.values.pop().unwrap_or_else(|| Value::constant(false))
    }

    fn visit(&mut self, regions: &[Region], id: u32, place: Offset, tools: &mut Tools<'_>) {
        let needed = tools.canvas.shifted((-place.0, -place.1));
        let known = self.nodes[id as usize].value.as_ref();
        if known.is_some_and(|value| value.holds(needed, place)) {
            self.hand_out(id);
            return;
        }
        match self.made(regions, id) {
            Made::Leaf => {
                let (region, map) = self.at(id);
                let value = match regions.get(region.0 as usize) {
                    Some(Region::Shape { shape, at }) if map == IDENTITY => {
                        leaf(shape, at, place, tools)
                    }
                    Some(Region::Shape { shape, at }) => {
                        leaf(shape, &compose(&map, at), place, tools)
                    }
                    Some(Region::Everything) => Value::constant(true),
                    _ => Value::constant(false),
                };
                self.finish(id, value);
            }
            Made::Moved(inner, by) => {
                self.tasks.push(Task::Pass(id, by));
                self.tasks.push(Task::Visit(inner, moved(place, by)));
            }
            Made::Joined(how, a, b) => {
                let swapped = self.nodes[b as usize].need > self.nodes[a as usize].need;
                let (first, second) = if swapped { (b, a) } else { (a, b) };
                self.tasks.push(Task::Join(id, how, place, swapped));
                self.tasks.push(Task::Visit(second, place));
                self.tasks.push(Task::Visit(first, place));
            }
        }
    }

    /// Remembers a value and hands it to the one who asked for it.
    fn finish(&mut self, id: u32, value: Value) {
        let kept = (id as usize) < self.regions;
        let node = &mut self.nodes[id as usize];
        if kept {
            self.bytes += value.size();
            self.bytes -= node.value.as_ref().map_or(0, Value::size);
        }
        node.value = Some(value);
        self.hand_out(id);
    }

    /// Pushes a node's value. The last to ask for it gets it whole, unless it is remembered.
    fn hand_out(&mut self, id: u32) {
        let kept = (id as usize) < self.regions;
        let node = &mut self.nodes[id as usize];
        node.uses = node.uses.saturating_sub(1);
        node.used = self.survey;
        let size = node.value.as_ref().map_or(0, Value::size);
        let wanted = kept && node.version != 0;
        let lasting = wanted && self.bytes <= self.budget;
        self.full |= wanted && !lasting;
        let value = if node.uses == 0 && !lasting {
            if kept {
                self.bytes -= size;
            }
            node.value.take()
        } else {
            node.value.clone()
        };
        self.values.extend(value);
    }
}

/// What may be needed of a region whose frame is at this place. Frames that are moved get some
/// room: they will often be moved again, by a little.
fn window(canvas: Area, (x, y): Offset) -> Area {
    let needed = canvas.shifted((-x, -y));
    if (x, y) == (0, 0) {
        return needed;
    }
    let (dx, dy) = ((canvas.x1 - canvas.x0) / 2, (canvas.y1 - canvas.y0) / 2);
    Area {
        x0: needed.x0 - dx,
        y0: needed.y0 - dy,
        x1: needed.x1 + dx,
        y1: needed.y1 + dy,
    }
}

/// Most pixels of a shape that is filled as a whole.
pub(crate) fn most_pixels(canvas: Area) -> u64 {
    4 * canvas.pixels()
}

fn leaf(shape: &Shape, at: &Affine, (x, y): Offset, tools: &mut Tools<'_>) -> Value {
    let canvas = tools.canvas;
    let at = &settled(at);
    match tools.rasters.find(shape, at, None, most_pixels(canvas)) {
        Found::Nothing => return Value::constant(false),
        Found::Ink(raster, by) => {
            let place = moved((x, y), by);
            if let Some(area) = raster.placed(place, canvas) {
                let value = Value::ink(raster.bytes, area);
                // A hairline may be cut by a side when it is moved.
                let value = if raster.thin {
                    value.only(canvas, (0, 0))
                } else {
                    value
                };
                return value.shifted((-x, -y));
            }
        }
        Found::Large => {}
    }
    // Filled where it is seen.
    let [a, b, c, d, e, f] = *at;
    let at = [a, b, c, d, e + f64::from(x), f + f64::from(y)];
    let Some(primitive) = place(shape, &at) else {
        return Value::constant(false);
    };
    let area = paths::bounds(&primitive).area().meet(canvas);
    let mut tile = Tile::empty(area);
    if !area.is_empty() {
        fill(&mut tile, &primitive);
    }
    Value::ink(Arc::new(tile.bytes), area)
        .only(canvas, (0, 0))
        .shifted((-x, -y))
}
