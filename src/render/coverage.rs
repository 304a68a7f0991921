//! The direct engine: a scene straight to pixels, for search and training.
//!
//! In: a [`Scene`]. Out: the [`Picture`] that resvg makes of our SVG, at most 2/255 off on
//! 99.9 % of the pixels (`tests/coverage.rs` holds it to that). Shapes are filled by tiny-skia,
//! the rasteriser inside resvg, into tiles no larger than their bounds; tiles are combined by the
//! same 8-bit formulas. An [`Engine`] keeps its buffers: use one for many scenes. Evaluation is
//! iterative and takes the deeper operand first, so a nesting of any depth needs few tiles.

use tiny_skia::{
    FillRule, IntSize, Mask, Paint as SkiaPaint, Path, PathStroker, Pixmap, Stroke, Transform,
};

use super::paths::{self, Area, Bounds};
use super::plan::{self, Form, Kind, List, NodeId, Plan, Primitive};
use super::{Picture, RenderError, outline};
use crate::grammar::ir::Canvas;
use crate::scene::{Content, Paint, Scene};

/// Most pixels of a canvas.
pub const MAX_PIXELS: u64 = 1 << 26;

/// Below this width in pixels resvg draws a stroke as a faint hairline; some room is left for
/// its estimate of the width of a turned stroke.
const HAIRLINE: f32 = 1.6;

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

/// Ink in a rectangle of pixels; none outside.
#[derive(Debug)]
struct Tile {
    area: Area,
    bytes: Vec<u8>,
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

/// `v / 255` of a product of two bytes, rounded as the rasteriser's 16-bit pipeline does.
fn div255(v: u32) -> u8 {
    ((v + 255) >> 8) as u8
}

/// `a + b - ab`.
fn over(under: u8, top: u8) -> u8 {
    let rest = div255(u32::from(under) * u32::from(255 - top));
    top.saturating_add(rest)
}

/// `from (1 - t) + to t`.
fn lerp(from: u8, to: u8, t: u8) -> u8 {
    let (from, to, t) = (u32::from(from), u32::from(to), u32::from(t));
    div255(from * (255 - t) + to * t)
}

/// Luminance of a premultiplied grey as `tiny_skia::Mask` computes it.
fn luminance(grey: u8, alpha: u8) -> u8 {
    if alpha == 0 {
        return 0;
    }
    let a = f32::from(alpha) / 255.0;
    let v = f32::from(grey) / 255.0 / a;
    let luma = v * 0.2126 + v * 0.7152 + v * 0.0722;
    (luma * a * 255.0).clamp(0.0, 255.0).ceil() as u8
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
                .filter(|s| !matches!(s.placed, plan::Placed::Skewed(_))),
            _ => None,
        };
        let (path, transform) = match own {
            Some(shape) => (paths::path(&shape.form), paths::transform(&shape.placed)),
            None => {
                let outline = outline::of_node(plan, root);
                (outline::skia_path(&outline), Transform::identity())
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

/// Lends a tile's bytes to the rasteriser.
fn with_mask(tile: &mut Tile, draw: impl FnOnce(&mut Mask, Transform)) {
    let (w, h) = (tile.area.width() as u32, tile.area.height() as u32);
    let Some(size) = IntSize::from_wh(w, h) else {
        return;
    };
    let shift = Transform::from_translate(-tile.area.x0 as f32, -tile.area.y0 as f32);
    if let Some(mut mask) = Mask::from_vec(std::mem::take(&mut tile.bytes), size) {
        draw(&mut mask, shift);
        tile.bytes = mask.take();
    }
}

/// Unites a shape with a tile.
fn fill(tile: &mut Tile, shape: &Primitive) {
    let Some(path) = paths::path(&shape.form) else {
        return;
    };
    let at = paths::transform(&shape.placed);
    if let Form::Polyline { width, .. } = shape.form {
        draw_stroke(tile, &path, &paths::line_stroke(width), at);
    } else {
        with_mask(tile, |mask, shift| {
            mask.fill_path(&path, FillRule::Winding, true, shift.pre_concat(at));
        });
    }
}

/// Unites a stroke with a tile.
fn draw_stroke(tile: &mut Tile, path: &Path, stroke: &Stroke, at: Transform) {
    let (sx, sy) = at.get_scale();
    let thin = stroke.width * sx.min(sy) <= HAIRLINE;
    if !thin {
        with_mask(tile, |mask, shift| {
            let at = shift.pre_concat(at);
            let scale = PathStroker::compute_resolution_scale(&at);
            if let Some(path) = path.stroke(stroke, scale) {
                mask.fill_path(&path, FillRule::Winding, true, at);
            }
        });
        return;
    }
    let (w, h) = (tile.area.width() as u32, tile.area.height() as u32);
    let Some(mut pixmap) = Pixmap::new(w, h) else {
        return;
    };
    let shift = Transform::from_translate(-tile.area.x0 as f32, -tile.area.y0 as f32);
    let mut paint = SkiaPaint::default();
    paint.set_color_rgba8(0, 0, 0, 255);
    pixmap.stroke_path(path, &paint, stroke, shift.pre_concat(at), None);
    for (under, top) in tile.bytes.iter_mut().zip(pixmap.pixels()) {
        *under = over(*under, top.alpha());
    }
}

/// The rows in which two areas meet: ranges into the bytes of one and of the other.
fn rows(
    a: Area,
    b: Area,
) -> impl Iterator<Item = (std::ops::Range<usize>, std::ops::Range<usize>)> {
    let both = a.meet(b);
    let range = move |area: Area, y: i32| {
        let start = (y - area.y0) as usize * area.width() + (both.x0 - area.x0) as usize;
        start..start + both.width()
    };
    (both.y0..both.y1).map(move |y| (range(a, y), range(b, y)))
}

fn lay_over(under: &mut Tile, top: &Tile) {
    for (a, b) in rows(under.area, top.area) {
        for (under, top) in under.bytes[a].iter_mut().zip(&top.bytes[b]) {
            *under = over(*under, *top);
        }
    }
}

fn cut_through(tile: &mut Tile, mask: &Tile, table: &[u8; 256]) {
    for (a, b) in rows(tile.area, mask.area) {
        for (ink, mask) in tile.bytes[a].iter_mut().zip(&mask.bytes[b]) {
            *ink = div255(u32::from(*ink) * u32::from(table[usize::from(*mask)]));
        }
    }
}

fn keep_through(tile: &mut Tile, mask: &Tile, table: &[u8; 256]) {
    cut_through(tile, mask, table);
    let both = tile.area.meet(mask.area);
    let width = tile.area.width();
    if width == 0 {
        return;
    }
    for (row, y) in tile.bytes.chunks_exact_mut(width).zip(tile.area.y0..) {
        if y < both.y0 || y >= both.y1 {
            row.fill(0);
        } else {
            row[..(both.x0 - tile.area.x0) as usize].fill(0);
            row[(both.x1 - tile.area.x0) as usize..].fill(0);
        }
    }
}

fn whole_of(picture: &Picture) -> Area {
    Area {
        x0: 0,
        y0: 0,
        x1: picture.width as i32,
        y1: picture.height as i32,
    }
}

fn copy_ink(tile: &Tile, picture: &mut Picture) {
    for (a, b) in rows(whole_of(picture), tile.area) {
        picture.data[a].copy_from_slice(&tile.bytes[b]);
    }
}

/// Paints a colour where the tile has ink.
fn blend(tile: &Tile, [r, g, b, alpha]: [u8; 4], picture: &mut Picture) {
    let color = [r, g, b];
    let faint = color.map(|c| ((u32::from(c) * u32::from(alpha) + 127) / 255) as u8);
    for (to, from) in rows(whole_of(picture), tile.area) {
        let pixels = picture.data[to.start * 3..to.end * 3].chunks_exact_mut(3);
        for (pixel, ink) in pixels.zip(&tile.bytes[from]) {
            match (*ink, alpha) {
                (0, _) => {}
                (255, 255) => pixel.copy_from_slice(&color),
                (ink, 255) => {
                    for (under, top) in pixel.iter_mut().zip(color) {
                        *under = lerp(*under, top, ink);
                    }
                }
                (ink, alpha) => {
                    let left = 255 - div255(u32::from(alpha) * u32::from(ink));
                    for (under, top) in pixel.iter_mut().zip(faint) {
                        let top = div255(u32::from(top) * u32::from(ink));
                        let rest = div255(u32::from(*under) * u32::from(left));
                        *under = top.saturating_add(rest);
                    }
                }
            }
        }
    }
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
        if let Some(path) = outline::skia_path(path) {
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
