//! Ink in rectangles of pixels, and the 8-bit arithmetic that combines it.
//!
//! In: shapes and strokes, filled by tiny-skia. Out: tiles, united, masked and painted with the
//! roundings of resvg's pipeline, bit for bit where that is simple and within 1/255 elsewhere.

use tiny_skia::{
    FillRule, IntSize, Mask, Paint as SkiaPaint, Path, PathStroker, Pixmap, Stroke, Transform,
};

use super::Picture;
use super::paths::{self, Area};
use super::place::{Form, Primitive};

/// Below this width in pixels resvg draws a stroke as a faint hairline; some room is left for
/// its estimate of the width of a turned stroke.
const HAIRLINE: f32 = 1.6;

/// Ink in a rectangle of pixels; none outside.
#[derive(Debug)]
pub(crate) struct Tile {
    pub(crate) area: Area,
    pub(crate) bytes: Vec<u8>,
}

impl Tile {
    /// Without ink.
    pub(crate) fn empty(area: Area) -> Tile {
        Tile {
            area,
            bytes: vec![0; area.width() * area.height()],
        }
    }
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

/// Unites a shape with a tile, and says whether it is a hairline.
pub(crate) fn fill(tile: &mut Tile, shape: &Primitive) -> bool {
    let Some(path) = paths::path(&shape.form) else {
        return false;
    };
    let at = paths::transform(&shape.placed);
    if let Form::Polyline { width, .. } = shape.form {
        draw_stroke(tile, &path, &paths::line_stroke(width), at)
    } else {
        with_mask(tile, |mask, shift| {
            mask.fill_path(&path, FillRule::Winding, true, shift.pre_concat(at));
        });
        false
    }
}

/// Unites a stroke with a tile, and says whether it is a hairline: these are cut at the sides of
/// the tile in coarse steps, so that what is seen depends on where the sides are.
pub(crate) fn draw_stroke(tile: &mut Tile, path: &Path, stroke: &Stroke, at: Transform) -> bool {
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
        return false;
    }
    let (w, h) = (tile.area.width() as u32, tile.area.height() as u32);
    let Some(mut pixmap) = Pixmap::new(w, h) else {
        return true;
    };
    let shift = Transform::from_translate(-tile.area.x0 as f32, -tile.area.y0 as f32);
    let mut paint = SkiaPaint::default();
    paint.set_color_rgba8(0, 0, 0, 255);
    pixmap.stroke_path(path, &paint, stroke, shift.pre_concat(at), None);
    for (under, top) in tile.bytes.iter_mut().zip(pixmap.pixels()) {
        *under = over(*under, top.alpha());
    }
    true
}

pub(crate) fn whole_of(picture: &Picture) -> Area {
    Area {
        x0: 0,
        y0: 0,
        x1: picture.width as i32,
        y1: picture.height as i32,
    }
}
