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
pub(crate) fn luminance(grey: u8, alpha: u8) -> u8 {
    if alpha == 0 {
        return 0;
    }
    let a = f32::from(alpha) / 255.0;
    let v = f32::from(grey) / 255.0 / a;
    let luma = v * 0.2126 + v * 0.7152 + v * 0.0722;
    (luma * a * 255.0).clamp(0.0, 255.0).ceil() as u8
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
pub(crate) fn fill(tile: &mut Tile, shape: &Primitive) {
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
pub(crate) fn draw_stroke(tile: &mut Tile, path: &Path, stroke: &Stroke, at: Transform) {
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

pub(crate) fn lay_over(under: &mut Tile, top: &Tile) {
    for (a, b) in rows(under.area, top.area) {
        for (under, top) in under.bytes[a].iter_mut().zip(&top.bytes[b]) {
            *under = over(*under, *top);
        }
    }
}

pub(crate) fn cut_through(tile: &mut Tile, mask: &Tile, table: &[u8; 256]) {
    for (a, b) in rows(tile.area, mask.area) {
        for (ink, mask) in tile.bytes[a].iter_mut().zip(&mask.bytes[b]) {
            *ink = div255(u32::from(*ink) * u32::from(table[usize::from(*mask)]));
        }
    }
}

pub(crate) fn keep_through(tile: &mut Tile, mask: &Tile, table: &[u8; 256]) {
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

pub(crate) fn whole_of(picture: &Picture) -> Area {
    Area {
        x0: 0,
        y0: 0,
        x1: picture.width as i32,
        y1: picture.height as i32,
    }
}

pub(crate) fn copy_ink(tile: &Tile, picture: &mut Picture) {
    for (a, b) in rows(whole_of(picture), tile.area) {
        picture.data[a].copy_from_slice(&tile.bytes[b]);
    }
}

/// Paints a colour where the tile has ink.
pub(crate) fn blend(tile: &Tile, [r, g, b, alpha]: [u8; 4], picture: &mut Picture) {
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
