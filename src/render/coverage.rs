//! The direct engine: a scene straight to pixels, for search and training.
//!
//! In: a [`Scene`]. Out: the [`Picture`] that resvg makes of our SVG, at most 2/255 off on
//! 99.9 % of the pixels (`tests/agreement.rs` holds it to that). Shapes are filled by tiny-skia,
//! the rasteriser inside resvg, each once (`rasters`); regions are combined in
//! their tree by 8-bit formulas (`compose`, `value`, `kernels`).
//!
//! An [`Engine`] keeps its buffers and what it knows of shapes: use one for many scenes.
//! [`Engine::draw`] draws from scratch. [`Engine::redraw`] draws a scene that is edited from one
//! call to the next, and combines only what an edit has changed; its pictures are those of `draw`,
//! to the byte. What is kept stays within a budget of bytes; what is over it is drawn again.

use tiny_skia::Transform;

use super::compose::{Composer, Tools, most_pixels, moved};
use super::kernels::{self, Sink, Source};
use super::paths::{self, Area};
use super::place::{IDENTITY, compose, place};
use super::rasters::{Found, Rasters, settled};
use super::strokes::{self, Line};
use super::tiles::{Tile, draw_stroke, whole_of};
use super::value::{Offset, Pool, Value};
use super::{Picture, RenderError, contour};
use crate::grammar::ir::{Canvas, CanvasMode};
use crate::scene::{Content, Layer, Paint, Region, RegionId, Scene};

use super::redraw::Shown;

pub use super::redraw::Damage;

/// Most pixels of a canvas.
pub const MAX_PIXELS: u64 = 1 << 26;

/// Bytes that an engine keeps unless it is told otherwise.
pub const BUDGET: usize = 256 << 20;

/// Draws scenes, keeping its buffers between them.
#[derive(Debug)]
pub struct Engine {
    pub(super) rasters: Rasters,
    pub(super) pool: Pool,
    /// For scenes drawn from scratch.
    scratch: Composer,
    /// For the scene that is drawn again and again.
    pub(super) kept: Composer,
    pub(super) shown: Shown,
    /// Most bytes of lines along outlines that are kept for layers.
    pub(super) lines: usize,
    /// A row of full ink.
    pub(super) full: Vec<u8>,
}

impl Default for Engine {
    fn default() -> Engine {
        Engine::new()
    }
}

impl Engine {
    /// An engine that keeps at most [`BUDGET`] bytes.
    pub fn new() -> Engine {
        Engine::with_budget(BUDGET)
    }

    /// An engine that keeps at most so many bytes from one picture to the next: half of them for
    /// rasters of shapes, a quarter for the regions of a scene that is drawn again, an eighth for
    /// lines along their outlines, an eighth for buffers. Pictures, and what drawing one holds at
    /// once, come on top.
    pub fn with_budget(bytes: usize) -> Engine {
        Engine {
            rasters: Rasters::new(bytes / 2),
            pool: Pool::new(bytes / 8),
            scratch: Composer::new(0),
            kept: Composer::new(bytes / 4),
            shown: Shown::default(),
            lines: bytes / 8,
            full: Vec::new(),
        }
    }

    /// The bytes kept at present: rasters, regions, buffers.
    pub fn kept_bytes(&self) -> usize {
        self.rasters.bytes() + self.kept.bytes() + self.shown.bytes() + self.pool.bytes()
    }

    /// Draws a scene. Errors: too many shapes, a canvas of more than [`MAX_PIXELS`].
    pub fn draw(&mut self, scene: &Scene) -> Result<Picture, RenderError> {
        let mut picture = Picture::filled(0, 0, 1, 0);
        self.draw_into(scene, &mut picture)?;
        Ok(picture)
    }

    /// Draws a scene over a picture of any size, whose memory is used again. After an error the
    /// picture is of no account. Errors as for [`draw`](Engine::draw).
    pub fn draw_into(&mut self, scene: &Scene, picture: &mut Picture) -> Result<(), RenderError> {
        let canvas = check_canvas(&scene.canvas)?;
        let regions = scene.regions.as_slice();
        clear(&scene.canvas, picture);
        self.scratch.begin(regions.len());
        let (rasters, pool) = (&mut self.rasters, &mut self.pool);
        let mut tools = Tools {
            rasters,
            pool,
            canvas,
        };
        match &scene.content {
            Content::Ink(root) => {
                self.scratch.survey(regions, None, *root, true)?;
                let value = self.scratch.value(regions, *root, (0, 0), &mut tools);
                show_ink(&value, picture, canvas);
                tools.pool.give(value);
            }
            Content::Layers(layers) => {
                for layer in layers {
                    let filled = matches!(layer.paint, Paint::Fill(_));
                    self.scratch.survey(regions, None, layer.region, filled)?;
                }
                full_row(&mut self.full, canvas);
                for layer in layers {
                    let Layer {
                        region,
                        offset,
                        paint,
                    } = layer;
                    let value = match paint {
                        Paint::Fill(_) => {
                            let value = self.scratch.value(regions, *region, *offset, &mut tools);
                            value.shifted(moved(*offset, (0, 0)))
                        }
                        Paint::Stroke { width, .. } => {
                            let value = stroke(regions, *region, *offset, *width, &mut tools);
                            value.unwrap_or_else(|_| Value::constant(false))
                        }
                    };
                    lay(&value, color_of(paint), picture, canvas, &self.full);
                    tools.pool.give(value);
                }
            }
        }
        Ok(())
    }
}

/// The colour of a paint.
pub(super) fn color_of(paint: &Paint) -> [u8; 4] {
    match paint {
        Paint::Fill(color) | Paint::Stroke { color, .. } => *color,
    }
}

/// Makes a picture the empty one of a canvas.
pub(super) fn clear(canvas: &Canvas, picture: &mut Picture) {
    picture.width = canvas.width;
    picture.height = canvas.height;
    let pixels = canvas.width as usize * canvas.height as usize;
    match canvas.mode {
        CanvasMode::Ink => {
            picture.channels = 1;
            picture.data.clear();
            picture.data.resize(pixels, 0);
        }
        CanvasMode::Rgb { background } => {
            picture.channels = 3;
            picture.data.resize(3 * pixels, 0);
            wash(background, picture, whole_of(picture));
        }
    }
}

/// Paints one opaque colour over a rectangle of the picture.
pub(super) fn wash(color: [u8; 3], picture: &mut Picture, part: Area) {
    if part.is_empty() {
        return;
    }
    let stride = 3 * picture.width as usize;
    let (left, right) = (3 * part.x0 as usize, 3 * part.x1 as usize);
    let rows = picture.data.chunks_exact_mut(stride);
    let mut rows = rows.skip(part.y0 as usize).take(part.height());
    let Some(first) = rows.next().and_then(|row| row.get_mut(left..right)) else {
        return;
    };
    for pixel in first.chunks_exact_mut(3) {
        pixel.copy_from_slice(&color);
    }
    for row in rows {
        if let Some(row) = row.get_mut(left..right) {
            row.copy_from_slice(first);
        }
    }
}

pub(super) fn full_row(full: &mut Vec<u8>, canvas: Area) {
    if full.len() < canvas.width() {
        full.resize(canvas.width(), 255);
    }
}

/// Writes coverage into a part of an ink picture.
pub(super) fn show_ink(value: &Value, picture: &mut Picture, part: Area) {
    let stride = picture.width as usize;
    for (part, inside) in pieces(value.area, part) {
        let start = part.y0 as usize * stride + part.x0 as usize;
        let out = Sink {
            bytes: picture.data.get_mut(start..).unwrap_or_default(),
            stride,
        };
        let size = (part.width(), part.height());
        match inside {
            true => kernels::copy(out, value.from(part), size),
            false => kernels::fill(out, if value.outside { 255 } else { 0 }, size),
        }
    }
}

/// Paints a colour over a part of a picture where there is ink; `full` is a row of full ink.
pub(super) fn lay(value: &Value, color: [u8; 4], picture: &mut Picture, part: Area, full: &[u8]) {
    let stride = 3 * picture.width as usize;
    for (part, inside) in pieces(value.area, part) {
        if !inside && !value.outside {
            continue;
        }
        let start = part.y0 as usize * stride + 3 * part.x0 as usize;
        let out = Sink {
            bytes: picture.data.get_mut(start..).unwrap_or_default(),
            stride,
        };
        let ink = match inside {
            true => value.from(part),
            false => Source {
                bytes: full,
                stride: 0,
            },
        };
        kernels::paint(out, ink, (part.width(), part.height()), color);
    }
}

/// A rectangle of the canvas as what is inside another and what is not.
fn pieces(inner: Area, part: Area) -> impl Iterator<Item = (Area, bool)> {
    let both = inner.meet(part);
    let pieces = if both.is_empty() {
        let none = (Area::EMPTY, false);
        [(part, false), none, none, none, none]
    } else {
        let Area { x0, y0, x1, y1 } = both;
        let level = |y0, y1| Area { y0, y1, ..part };
        let beside = |x0, x1| Area { x0, x1, y0, y1 };
        [
            (both, true),
            (level(part.y0, y0), false),
            (level(y1, part.y1), false),
            (beside(part.x0, x0), false),
            (beside(x1, part.x1), false),
        ]
    };
    pieces.into_iter().filter(|(area, _)| !area.is_empty())
}

/// The ink of a pen along the outline of a region that is moved by whole pixels, in the canvas's
/// frame. Errors: too many shapes.
pub(super) fn stroke(
    regions: &[Region],
    region: RegionId,
    offset: Offset,
    width: f64,
    tools: &mut Tools<'_>,
) -> Result<Value, RenderError> {
    let (x, y) = (f64::from(offset.0), f64::from(offset.1));
    let offset = moved(offset, (0, 0));
    let line = match regions.get(region.0 as usize) {
        Some(Region::Shape { shape, at }) => {
            let at = &settled(at);
            match tools
                .rasters
                .find(shape, at, Some(width), most_pixels(tools.canvas))
            {
                Found::Nothing => return Ok(Value::constant(false)),
                Found::Ink(raster, by) => {
                    let place = moved(offset, by);
                    if let Some(area) = raster.placed(place, tools.canvas) {
                        return Ok(Value::ink(raster.bytes, area));
                    }
                }
                Found::Large => {}
            }
            let at = compose(&[1.0, 0.0, 0.0, 1.0, x, y], at);
            match place(shape, &at).filter(strokes::is_own) {
                Some(primitive) => strokes::own(&primitive, width),
                None => along(regions, region, (x, y), width)?,
            }
        }
        _ => along(regions, region, (x, y), width)?,
    };
    let Some(line) = line else {
        return Ok(Value::constant(false));
    };
    let mut tile = Tile::empty(line.area.meet(tools.canvas));
    draw_stroke(&mut tile, &line.path, &line.stroke, line.transform);
    Ok(Value::ink(tile.bytes.into(), tile.area))
}

fn along(
    regions: &[Region],
    region: RegionId,
    (x, y): (f64, f64),
    width: f64,
) -> Result<Option<Line>, RenderError> {
    let by = [1.0, 0.0, 0.0, 1.0, x, y];
    strokes::of_region(regions, region, compose(&by, &IDENTITY), width)
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
    let whole = whole_of(&picture);
    let mut tile = Tile::empty(whole);
    for (path, [r, g, b]) in strokes {
        if let Some(path) = contour::skia_path(path) {
            draw_stroke(&mut tile, &path, &stroke, Transform::identity());
        }
        if picture.channels == 3 {
            let value = Value::ink(tile.bytes.into(), whole);
            lay(&value, [*r, *g, *b, 255], &mut picture, whole, &[]);
            tile = Tile::empty(whole);
        }
    }
    if picture.channels == 1 {
        picture.data = tile.bytes;
    }
    picture
}
