//! Rasters of single shapes, filled once and placed by whole pixels.
//!
//! In: a shape, its map, and the width of a pen when its outline is wanted. Out: its ink, trimmed,
//! about a place near the origin, and where that place is. Afterwards a raster is a function of its
//! key alone (the shape, the linear part of the map, thousandths of a pixel of its place, the pen),
//! so what is remembered and what is filled anew are the same bytes. Keys are compared whole; a
//! hash only finds them.
//!
//! What is remembered lives in two generations: when the young one has filled its half of the
//! budget it becomes the old one, and what was old is forgotten. A shape in use moves to the young
//! one when it is next asked for.

// Only looked up by key, never walked through.
#[allow(clippy::disallowed_types)]
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;

use rustc_hash::FxBuildHasher;

use super::paths::{self, Area};
use super::place::{Affine, Primitive, place};
use super::strokes;
use super::tiles::{Tile, draw_stroke, fill};
use crate::scene::{Region, RegionId, Shape};

/// Shapes whose place is farther out are not remembered: their numbers are limited, and then
/// depend on the whole place.
const FAR: f64 = 9e4;

/// Pixels between a hairline and a side that it does not feel.
const NEAR: i32 = 2;

/// Ink in a rectangle, none outside.
#[derive(Clone, Debug)]
pub(crate) struct Raster {
    pub(crate) bytes: Arc<Vec<u8>>,
    pub(crate) area: Area,
    /// It is a hairline, right only where no side of the canvas cuts it.
    pub(crate) thin: bool,
}

impl Raster {
    /// Its area where it is placed, unless a side of the canvas cuts or touches it and it is thin.
    pub(crate) fn placed(&self, by: (i32, i32), canvas: Area) -> Option<Area> {
        let area = self.area.shifted(by);
        let near = Area {
            x0: area.x0.saturating_sub(NEAR),
            y0: area.y0.saturating_sub(NEAR),
            x1: area.x1.saturating_add(NEAR),
            y1: area.y1.saturating_add(NEAR),
        };
        (!self.thin || canvas.holds(near)).then_some(area)
    }
}

/// What is known of a shape.
#[derive(Debug)]
pub(crate) enum Found {
    /// Nothing of it is left.
    Nothing,
    /// Its ink, and by how many whole pixels it is moved.
    Ink(Raster, (i32, i32)),
    /// It is too large or too far out to be remembered.
    Large,
}

#[derive(Clone, Debug)]
enum Kept {
    Nothing,
    /// The pixels that were filled, before trimming.
    Ink(Raster, u64),
    /// Would fill so many pixels.
    Large(u64),
}

#[derive(Debug)]
struct Entry {
    linear: [u64; 4],
    part: [u16; 2],
    pen: u64,
    shape: Shape,
    kept: Kept,
    /// The next with the same hash, from 1 on.
    next: u32,
}

#[derive(Debug, Default)]
#[allow(clippy::disallowed_types)]
struct Generation {
    first: HashMap<u64, u32, FxBuildHasher>,
    entries: Vec<Entry>,
    bytes: usize,
}

/// The rasters that are remembered.
#[derive(Debug)]
pub(crate) struct Rasters {
    young: Generation,
    old: Generation,
    budget: usize,
}

/// What finds an entry.
#[derive(Clone, Copy)]
struct Key<'a> {
    hash: u64,
    linear: [u64; 4],
    part: [u16; 2],
    pen: u64,
    shape: &'a Shape,
}

impl Key<'_> {
    fn is(&self, entry: &Entry) -> bool {
        self.linear == entry.linear
            && self.part == entry.part
            && self.pen == entry.pen
            && *self.shape == entry.shape
    }
}

fn hash(linear: &[u64; 4], part: [u16; 2], pen: u64, shape: &Shape) -> u64 {
    let mut state = FxBuildHasher.build_hasher();
    (linear, part, pen).hash(&mut state);
    let mut add = |x: f64| state.write_u64(x.to_bits());
    match shape {
        Shape::Ellipse { rx, ry } => {
            add(*rx);
            add(*ry);
        }
        Shape::Box { w, h, r } => {
            add(*w);
            add(*h);
            add(*r);
        }
        Shape::Polygon(points) => {
            for (x, y) in points {
                add(*x);
                add(*y);
            }
        }
        Shape::Polyline { points, width } => {
            add(*width);
            for (x, y) in points {
                add(*x);
                add(*y);
            }
        }
    }
    state.finish()
}

/// A map without the noise of its arithmetic: maps that are composed in another order are equal.
/// Its numbers are rounded far below a thousandth of a pixel, to binary steps, because what is
/// written by people often ends in the middle of a decimal step.
pub(crate) fn settled(map: &Affine) -> Affine {
    let round = |x: f64, steps: f64| {
        // Beyond, numbers are in coarser steps already.
        if x.abs() < 1e6 {
            (x * steps).round() / steps + 0.0
        } else {
            x
        }
    };
    let linear = |x| round(x, f64::from(1u32 << 31));
    let place = |x| round(x, f64::from(1u32 << 20));
    let [a, b, c, d, e, f] = *map;
    [
        linear(a),
        linear(b),
        linear(c),
        linear(d),
        place(e),
        place(f),
    ]
}

/// A coordinate as whole pixels and thousandths, the same thousandths for places that are whole
/// pixels apart.
fn parted(x: f64) -> Option<(i32, u16)> {
    if x.is_nan() || x.abs() > FAR {
        return None;
    }
    let thousandths = (x * 1e3 + 0.5).floor() as i64;
    let whole = thousandths.div_euclid(1000) as i32;
    Some((whole, thousandths.rem_euclid(1000) as u16))
}

impl Generation {
    fn find(&self, key: &Key<'_>) -> Option<&Kept> {
        let mut at = *self.first.get(&key.hash)?;
        while let Some(entry) = (at as usize)
            .checked_sub(1)
            .and_then(|i| self.entries.get(i))
        {
            if key.is(entry) {
                return Some(&entry.kept);
            }
            at = entry.next;
        }
        None
    }

    fn add(&mut self, key: &Key<'_>, kept: Kept) {
        let at = u32::try_from(self.entries.len() + 1).unwrap_or(0);
        let next = self.first.insert(key.hash, at).unwrap_or(0);
        self.entries.push(Entry {
            linear: key.linear,
            part: key.part,
            pen: key.pen,
            shape: key.shape.clone(),
            kept,
            next,
        });
    }

    fn clear(&mut self) {
        self.first.clear();
        self.entries.clear();
        self.bytes = 0;
    }
}

impl Rasters {
    /// Holds rasters and what finds them, of at most so many bytes.
    pub(crate) fn new(budget: usize) -> Rasters {
        Rasters {
            young: Generation::default(),
            old: Generation::default(),
            budget,
        }
    }

    /// The bytes held.
    pub(crate) fn bytes(&self) -> usize {
        self.young.bytes + self.old.bytes
    }

    /// The ink of a shape in a [`settled`] map, or of a pen along its outline; `most` is the number of pixels up to
    /// which a shape is filled as a whole.
    pub(crate) fn find(
        &mut self,
        shape: &Shape,
        at: &Affine,
        pen: Option<f64>,
        most: u64,
    ) -> Found {
        let [a, b, c, d, e, f] = *at;
        let (Some((x, part_x)), Some((y, part_y))) = (parted(e), parted(f)) else {
            return Found::Large;
        };
        let linear = [a, b, c, d].map(f64::to_bits);
        let part = [part_x, part_y];
        // Widths are positive, so no width has the bits of -0.
        let pen_bits = pen.unwrap_or(-0.0).to_bits();
        let key = Key {
            hash: hash(&linear, part, pen_bits, shape),
            linear,
            part,
            pen: pen_bits,
            shape,
        };
        let found = |kept: &Kept| match kept {
            Kept::Nothing => Found::Nothing,
            Kept::Ink(raster, pixels) if *pixels <= most => Found::Ink(raster.clone(), (x, y)),
            _ => Found::Large,
        };
        // A shape too large for a smaller canvas may be filled for this one.
        let is_known = |kept: &Kept| !matches!(kept, Kept::Large(pixels) if *pixels <= most);
        if let Some(kept) = self.young.find(&key).filter(|kept| is_known(kept)) {
            return found(kept);
        }
        let kept = match self.old.find(&key).filter(|kept| is_known(kept)) {
            Some(kept) => kept.clone(),
            None => {
                let part = part.map(|part| f64::from(part) / 1e3);
                make(shape, &[a, b, c, d, part[0], part[1]], pen, most)
            }
        };
        let answer = found(&kept);
        self.remember(&key, kept);
        answer
    }

    fn remember(&mut self, key: &Key<'_>, kept: Kept) {
        let (size, most) = (size_of_entry(key, &kept), self.budget / 2);
        if size > most {
            return;
        }
        if self.young.bytes + size > most {
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        self.young.bytes += size;
        self.young.add(key, kept);
    }
}

/// The bytes that remembering a shape takes.
fn size_of_entry(key: &Key<'_>, kept: &Kept) -> usize {
    let points = match key.shape {
        Shape::Polygon(points) | Shape::Polyline { points, .. } => size_of_val(points.as_slice()),
        _ => 0,
    };
    let ink = match kept {
        Kept::Ink(raster, _) => raster.bytes.len(),
        _ => 0,
    };
    size_of::<Entry>() + 2 * size_of::<(u64, u32)>() + points + ink
}

/// Fills a shape, or draws a pen along its outline.
fn make(shape: &Shape, at: &Affine, pen: Option<f64>, most: u64) -> Kept {
    let Some(primitive) = place(shape, at) else {
        return Kept::Nothing;
    };
    let (tile, thin) = match pen {
        None => {
            let area = paths::bounds(&primitive).area();
            let pixels = area.pixels();
            if pixels > most {
                return Kept::Large(pixels);
            }
            let mut tile = Tile::empty(area);
            let thin = fill(&mut tile, &primitive);
            (tile, thin)
        }
        Some(width) => {
            let Some(line) = outlined(shape, at, &primitive, width) else {
                return Kept::Nothing;
            };
            let pixels = line.area.pixels();
            if pixels > most {
                return Kept::Large(pixels);
            }
            let mut tile = Tile::empty(line.area);
            let thin = draw_stroke(&mut tile, &line.path, &line.stroke, line.transform);
            (tile, thin)
        }
    };
    let pixels = tile.area.pixels();
    Kept::Ink(
        Raster {
            thin,
            ..trimmed(&tile)
        },
        pixels,
    )
}

/// The outline of one shape with a pen.
fn outlined(
    shape: &Shape,
    at: &Affine,
    primitive: &Primitive,
    width: f64,
) -> Option<strokes::Line> {
    if strokes::is_own(primitive) {
        return strokes::own(primitive, width);
    }
    let scene = [Region::Shape {
        shape: shape.clone(),
        at: *at,
    }];
    strokes::of_region(&scene, RegionId(0), super::place::IDENTITY, width)
        .ok()
        .flatten()
}

/// The rectangle that holds all ink.
fn trimmed(tile: &Tile) -> Raster {
    let width = tile.area.width().max(1);
    let rows = || tile.bytes.chunks_exact(width);
    let inked = |row: &[u8]| row.iter().any(|ink| *ink != 0);
    let top = rows().take_while(|row| !inked(row)).count();
    let height = rows().rev().take_while(|row| !inked(row)).count();
    let height = (tile.area.height() - height).saturating_sub(top);
    let (mut left, mut right) = (width, 0);
    for row in rows().skip(top).take(height) {
        left = left.min(row.iter().take_while(|ink| **ink == 0).count());
        right = right.max(width - row.iter().rev().take_while(|ink| **ink == 0).count());
    }
    if height == 0 || left >= right {
        return Raster {
            bytes: Arc::default(),
            area: Area::EMPTY,
            thin: false,
        };
    }
    let mut bytes = Vec::with_capacity(height * (right - left));
    for row in rows().skip(top).take(height) {
        bytes.extend_from_slice(&row[left..right]);
    }
    let (x0, y0) = (tile.area.x0 + left as i32, tile.area.y0 + top as i32);
    let area = Area {
        x0,
        y0,
        x1: x0 + (right - left) as i32,
        y1: y0 + height as i32,
    };
    Raster {
        bytes: Arc::new(bytes),
        area,
        thin: false,
    }
}
