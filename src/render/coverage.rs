//! The direct engine: a scene straight to pixels, for search and training.
//!
//! In: a [`Scene`]. Out: the [`Picture`] that resvg makes of our SVG, at most 2/255 off on
//! 99.9 % of the pixels (`tests/coverage.rs` holds it to that). Shapes are filled by tiny-skia,
//! the rasteriser inside resvg, into tiles no larger than their bounds; tiles are combined by the
//! same 8-bit formulas. An [`Engine`] keeps its buffers: use one for many scenes. Evaluation is
//! iterative and takes the deeper operand first, so a nesting of any depth needs few tiles.

use tiny_skia::{Stroke, Transform};

use super::paths::{self, Area, Bounds};
use super::place::{Form, Placed};
use super::plan::{self, Kind, List, NodeId, Plan};
use super::tiles::{
    Tile, blend, copy_ink, cut_through, draw_stroke, fill, keep_through, lay_over, luminance,
    whole_of,
};
use super::{Picture, RenderError, contour, outline};
use crate::grammar::ir::Canvas;
use crate::scene::{Content, Paint, Scene};

/// Most pixels of a canvas.
pub const MAX_PIXELS: u64 = 1 << 26;

/// Draws scenes, keeping its buffers between them.
#[derive(Debug)]
pub struct Engine {
    /// What a mask lets through, by the ink in it: as resvg turns luminance into a mask.
    through_cut: [u8; 256],
    through_keep: [u8; 256],
    tiles: Vec<Tile>,
    tasks: Vec<Task>,
    spare: Vec<Vec<u8>>,
    facts: Vec<Facts>,
    whole: Area,
}

impl Default for Engine {
    fn default() -> Engine {
        Engine::new()
    }
}

/// What is known of a node before it is drawn.
#[derive(Clone, Copy, Debug)]
struct Facts {
    /// The box around it; a product's is its base's, as in resvg.
    bounds: Bounds,
    /// How many tiles drawing it holds at once (Strahler's number).
    need: u32,
}

#[derive(Clone, Copy, Debug)]
enum Task {
    /// Pushes a node's tile, clipped.
    Draw(NodeId, Area),
    /// Pushes the tile of all in a list, clipped.
    DrawAny(List, Area),
    /// Pushes an empty tile.
    Begin(Area),
    /// Draws a shape into the top tile.
    Fill(u32),
    /// Swaps the two topmost tiles.
    Swap,
    /// Pops a tile and lays it over the next.
    Over,
    /// The top tile through the mask below it, which goes.
    Through { keep: bool },
}

impl Engine {
    /// An engine with empty buffers.
    pub fn new() -> Engine {
        let mut engine = Engine {
            through_cut: [0; 256],
            through_keep: [0; 256],
            tiles: Vec::new(),
            tasks: Vec::new(),
            spare: Vec::new(),
            facts: Vec::new(),
            whole: Area::EMPTY,
        };
        for ink in 0..=255u8 {
            engine.through_cut[usize::from(ink)] = luminance(255 - ink, 255);
            engine.through_keep[usize::from(ink)] = luminance(ink, ink);
        }
        engine
    }

    /// Draws a scene. Errors: too many shapes, a canvas of more than [`MAX_PIXELS`].
    pub fn draw(&mut self, scene: &Scene) -> Result<Picture, RenderError> {
        let plan = plan::lower(scene)?;
        self.draw_plan(scene, &plan)
    }

    pub(crate) fn draw_plan(&mut self, scene: &Scene, plan: &Plan) -> Result<Picture, RenderError> {
        let whole = check_canvas(&scene.canvas)?;
        self.whole = whole;
        self.learn(plan, whole);
        let mut picture = Picture::blank(&scene.canvas);
        match &scene.content {
            Content::Ink(_) => {
                if let Some(root) = plan.roots.first().copied().flatten() {
                    let tile = self.evaluate(plan, root, whole);
                    copy_ink(&tile, &mut picture);
                    self.spare.push(tile.bytes);
                }
            }
            Content::Layers(layers) => {
                for (layer, root) in layers.iter().zip(&plan.roots) {
                    let Some(root) = *root else { continue };
                    let (tile, color) = match layer.paint {
                        Paint::Fill(color) => (self.evaluate(plan, root, whole), color),
                        Paint::Stroke { color, width } => {
                            (self.outlined(plan, root, whole, width), color)
                        }
                    };
                    blend(&tile, color, &mut picture);
                    self.spare.push(tile.bytes);
                }
            }
        }
        Ok(picture)
    }

    /// Bounds and needs of all nodes, upwards.
    fn learn(&mut self, plan: &Plan, whole: Area) {
        let canvas = Bounds {
            x0: 0.0,
            y0: 0.0,
            x1: f64::from(whole.x1),
            y1: f64::from(whole.y1),
        };
        self.facts.clear();
        for id in plan.ids() {
            let facts = match plan.kind(id) {
                Kind::All => Facts {
                    bounds: canvas,
                    need: 1,
                },
                Kind::Shape(index) => Facts {
                    bounds: plan
                        .shapes
                        .get(index as usize)
                        .map_or(Bounds::EMPTY, paths::bounds),
                    need: 1,
                },
                Kind::Union(list) => self.facts_of_any(plan, list),
                Kind::Product { base, keeps, cuts } => {
                    let base = self.facts[base.index()];
                    let mut needs = Needs::default();
                    needs.add(base.need);
                    for keep in plan.list(keeps) {
                        needs.add(self.facts[keep.index()].need);
                    }
                    if !cuts.is_empty() {
                        needs.add(self.facts_of_any(plan, cuts).need);
                    }
                    Facts {
                        bounds: base.bounds,
                        need: needs.total(),
                    }
                }
            };
            self.facts.push(facts);
        }
    }

    fn facts_of_any(&self, plan: &Plan, list: List) -> Facts {
        let mut bounds = Bounds::EMPTY;
        let mut needs = Needs::default();
        for node in plan.list(list) {
            let facts = self.facts[node.index()];
            bounds = bounds.join(facts.bounds);
            // Shapes go straight into the list's own tile.
            if !matches!(plan.kind(node), Kind::Shape(_)) {
                needs.add(facts.need);
            }
        }
        Facts {
            bounds,
            need: needs.total(),
        }
    }

    /// The pixels of the layer on which resvg draws a masked group: what is around it counts,
    /// because the rasteriser cuts curves where they leave the layer and rounds anew there.
    fn layer(&self, node: NodeId) -> Area {
        let Bounds { x0, y0, x1, y1 } = self.facts[node.index()].bounds;
        let (left, top) = (x0.floor() as i32 - 2, y0.floor() as i32 - 2);
        let layer = Area {
            x0: left,
            y0: top,
            x1: left.saturating_add((x1 - x0).ceil() as i32 + 4),
            y1: top.saturating_add((y1 - y0).ceil() as i32 + 4),
        };
        let (w, h) = (self.whole.x1, self.whole.y1);
        layer.meet(Area {
            x0: -2 * w,
            y0: -2 * h,
            x1: 3 * w,
            y1: 3 * h,
        })
    }

    /// The tile of a node.
    fn evaluate(&mut self, plan: &Plan, root: NodeId, clip: Area) -> Tile {
        self.tasks.clear();
        self.tasks.push(Task::Draw(root, clip));
        while let Some(task) = self.tasks.pop() {
            match task {
                Task::Draw(node, clip) => self.schedule(plan, node, clip),
                Task::DrawAny(list, clip) => self.schedule_any(plan, list, clip),
                Task::Begin(area) => {
                    let tile = self.tile(area, 0);
                    self.tiles.push(tile);
                }
                Task::Fill(index) => {
                    if let (Some(tile), Some(shape)) =
                        (self.tiles.last_mut(), plan.shapes.get(index as usize))
                    {
                        fill(tile, shape);
                    }
                }
                Task::Swap => {
                    let n = self.tiles.len();
                    if n >= 2 {
                        self.tiles.swap(n - 1, n - 2);
                    }
                }
                Task::Over => {
                    if let Some(top) = self.tiles.pop() {
                        if let Some(under) = self.tiles.last_mut() {
                            lay_over(under, &top);
                        }
                        self.spare.push(top.bytes);
                    }
                }
                Task::Through { keep } => {
                    if let (Some(mut tile), Some(mask)) = (self.tiles.pop(), self.tiles.pop()) {
                        if keep {
                            let table = &self.through_keep;
                            keep_through(&mut tile, &mask, table);
                        } else {
                            let table = &self.through_cut;
                            cut_through(&mut tile, &mask, table);
                        }
                        self.spare.push(mask.bytes);
                        self.tiles.push(tile);
                    }
                }
            }
        }
        let empty = || Tile {
            area: Area::EMPTY,
            bytes: Vec::new(),
        };
        self.tiles.pop().unwrap_or_else(empty)
    }

    /// Pushes the tasks that draw a node, last first.
    fn schedule(&mut self, plan: &Plan, node: NodeId, clip: Area) {
        let area = self.facts[node.index()].bounds.area().meet(clip);
        if area.is_empty() {
            self.tasks.push(Task::Begin(Area::EMPTY));
            return;
        }
        match plan.kind(node) {
            Kind::All => {
                let tile = self.tile(area, 255);
                self.tiles.push(tile);
            }
            Kind::Shape(index) => {
                self.tasks.push(Task::Fill(index));
                self.tasks.push(Task::Begin(area));
            }
            Kind::Union(list) => self.schedule_any(plan, list, clip),
            Kind::Product { base, keeps, cuts } => {
                // Innermost first, as the SVG nests its masks: the cuts mask the last keep,
                // each keep the one before it, the first keep the base.
                let inner: Vec<NodeId> = plan.list(keeps).collect();
                let need_of_cuts = if cuts.is_empty() {
                    0
                } else {
                    self.facts_of_any(plan, cuts).need
                };
                let mut deepest = (need_of_cuts, None);
                for (i, factor) in std::iter::once(&base).chain(&inner).enumerate() {
                    let need = self.facts[factor.index()].need;
                    if need > deepest.0 {
                        deepest = (need, Some(i));
                    }
                }
                // A factor that is masked itself has its own layer; the innermost mask is drawn
                // on the layer of what it masks.
                let masks = inner.len() + usize::from(!cuts.is_empty());
                let layer = |i: usize| {
                    let masked = i.min(masks - 1);
                    self.layer(if masked == 0 { base } else { inner[masked - 1] })
                };
                let draw = |i: usize| {
                    if i > inner.len() {
                        return Task::DrawAny(cuts, layer(i));
                    }
                    Task::Draw(if i == 0 { base } else { inner[i - 1] }, layer(i))
                };
                let first = deepest.1.unwrap_or(inner.len() + 1);
                // What is drawn first waits under the rest until its turn.
                let mut tasks: Vec<Task> = vec![draw(first)];
                for i in (0..=masks).rev() {
                    if i != first {
                        tasks.push(draw(i));
                    } else if i != masks {
                        tasks.push(Task::Swap);
                    }
                    if i < masks {
                        // What lies on top is masked by what was drawn before.
                        let keep = i < inner.len();
                        tasks.push(Task::Through { keep });
                    }
                }
                self.tasks.extend(tasks.into_iter().rev());
            }
        }
    }

    fn schedule_any(&mut self, plan: &Plan, list: List, clip: Area) {
        let area = self.facts_of_any(plan, list).bounds.area().meet(clip);
        if area.is_empty() {
            self.tasks.push(Task::Begin(Area::EMPTY));
            return;
        }
        let mut deepest: Option<NodeId> = None;
        for node in plan.list(list) {
            let need = self.facts[node.index()].need;
            if !matches!(plan.kind(node), Kind::Shape(_))
                && deepest.is_none_or(|d| need > self.facts[d.index()].need)
            {
                deepest = Some(node);
            }
        }
        let from = self.tasks.len();
        if let Some(node) = deepest {
            self.tasks.push(Task::Draw(node, clip));
        }
        self.tasks.push(Task::Begin(area));
        for node in plan.list(list) {
            let own = self.facts[node.index()].bounds.area();
            if own.meet(area).is_empty() && deepest != Some(node) {
                continue;
            }
            match plan.kind(node) {
                Kind::Shape(index) => self.tasks.push(Task::Fill(index)),
                _ => {
                    let ready = deepest == Some(node);
                    self.tasks.push(if ready {
                        Task::Swap
                    } else {
                        Task::Draw(node, clip)
                    });
                    self.tasks.push(Task::Over);
                }
            }
        }
        self.tasks[from..].reverse();
    }

    /// A tile of one value.
    fn tile(&mut self, area: Area, value: u8) -> Tile {
        let mut bytes = self.spare.pop().unwrap_or_default();
        bytes.clear();
        bytes.resize(area.width() * area.height(), value);
        Tile { area, bytes }
    }

    /// The stroke along a node's outline.
    fn outlined(&mut self, plan: &Plan, root: NodeId, whole: Area, width: f64) -> Tile {
        let own = match plan.kind(root) {
            Kind::Shape(index) => plan
                .shapes
                .get(index as usize)
                .filter(|s| !matches!(s.form, Form::Polyline { .. }))
                .filter(|s| !matches!(s.placed, Placed::Skewed(_))),
            _ => None,
        };
        let (path, transform) = match own {
            Some(shape) => (paths::path(&shape.form), paths::transform(&shape.placed)),
            None => {
                let outline = outline::of_node(plan, root);
                (contour::skia_path(&outline), Transform::identity())
            }
        };
        // As the SVG says it: three decimals.
        let width = ((width * 1e3).round() / 1e3) as f32;
        let stroke = Stroke {
            width,
            ..Stroke::default()
        };
        let Some((path, bounds)) =
            path.and_then(|p| Some((p.clone(), p.transform(transform)?.bounds())))
        else {
            return self.tile(Area::EMPTY, 0);
        };
        // A mitred corner reaches four half widths out at most.
        let reach = width * 2.0 + 2.0;
        let area = Area {
            x0: (bounds.left() - reach).floor() as i32,
            y0: (bounds.top() - reach).floor() as i32,
            x1: (bounds.right() + reach).ceil() as i32,
            y1: (bounds.bottom() + reach).ceil() as i32,
        };
        let mut tile = self.tile(area.meet(whole), 0);
        if width > 0.0 {
            draw_stroke(&mut tile, &path, &stroke, transform);
        }
        tile
    }
}

/// Keeps the two greatest needs to tell how many tiles are held at once.
#[derive(Default)]
struct Needs {
    most: u32,
    next: u32,
}

impl Needs {
    fn add(&mut self, need: u32) {
        if need > self.most {
            self.next = self.most;
            self.most = need;
        } else {
            self.next = self.next.max(need);
        }
    }

    fn total(&self) -> u32 {
        self.most.max(self.next + 1).max(2)
    }
}

/// The canvas as an area, or why not.
pub(crate) fn check_canvas(canvas: &Canvas) -> Result<Area, RenderError> {
    let (w, h) = (canvas.width, canvas.height);
    if w == 0 || h == 0 || u64::from(w) * u64::from(h) > MAX_PIXELS {
        return Err(RenderError::Canvas(w, h));
    }
    Ok(Area {
        x0: 0,
        y0: 0,
        x1: w as i32,
        y1: h as i32,
    })
}

/// Strokes of a round pen on an empty canvas.
pub(crate) fn draw_pen(
    canvas: &Canvas,
    strokes: &[(kurbo::BezPath, [u8; 3])],
    width: f64,
) -> Picture {
    let mut picture = Picture::blank(canvas);
    let stroke = paths::line_stroke(width);
    let mut tile = Tile {
        area: whole_of(&picture),
        bytes: vec![0; picture.pixels()],
    };
    for (path, [r, g, b]) in strokes {
        if let Some(path) = contour::skia_path(path) {
            draw_stroke(&mut tile, &path, &stroke, Transform::identity());
        }
        if picture.channels == 3 {
            blend(&tile, [*r, *g, *b, 255], &mut picture);
            tile.bytes.fill(0);
        }
    }
    if picture.channels == 1 {
        copy_ink(&tile, &mut picture);
    }
    picture
}
