//! Shapes as runs of pixels: the pixels whose centres are inside.
//!
//! In: a shape and the map that places it, or a line along its edge. Out: [`Runs`], row by row, about
//! a place of whole pixels. tiny-skia fills the very path that the anti-aliased engine fills, only
//! without anti-aliasing, so there is one set of rules for where a shape is. A shape is filled once for
//! all places that differ by whole pixels: a language on a grid has few such shapes however
//! many places they have. What is kept depends on its key alone, never on what was kept before.

// Only looked up by key, never walked through: order does not matter.
#[allow(clippy::disallowed_types)]
use std::collections::HashMap;
use std::hash::{Hash, Hasher};

use rustc_hash::FxBuildHasher;
use tiny_skia::{FillRule, Mask, Path, PathStroker, Stroke, Transform};

use super::super::paths::{self, Area};
use super::super::place::{Affine, Form, Placed, Primitive, place};
use super::layout::{Rows, STEP};
use super::spans::Spans;
use crate::scene::Shape;

/// Parts of a pixel that places are told apart by; what is written has as many.
const FINE: f64 = 1000.0;

/// The pixels of a shape: in each row, runs from a column up to another.
#[derive(Debug, Default)]
pub(super) struct Runs {
    /// The box around them, right and bottom excluded.
    pub(super) area: Bounds,
    /// The first run of each row. Most shapes have no other: it is at hand without a detour.
    first: Stratum,
    /// The second runs of rows that have two, and so on: a ring has one stratum here.
    more: Vec<Stratum>,
}

/// A box of whole pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) left: i32,
    pub(super) top: i32,
    pub(super) right: i32,
    pub(super) bottom: i32,
}

/// At most one run in each row.
#[derive(Debug, Default)]
pub(super) struct Stratum {
    /// The row of the first run.
    pub(super) top: i32,
    rows: u32,
    /// Where runs begin, counted from the left of the area, and then where they end. Before, between
    /// and behind stand as many empty runs as rows that are taken at once may overhang.
    columns: Box<[u16]>,
}

/// Bytes of shapes up to which those that are looked at in passing are kept.
const PASSING: usize = 8 << 20;

/// Empty runs on either side of others.
const MARGIN: usize = STEP as usize;

impl Stratum {
    fn new(top: i32, from: &[u16], to: &[u16]) -> Stratum {
        let margin = [0; MARGIN];
        Stratum {
            top,
            rows: from.len() as u32,
            columns: [&margin, from, &margin, to, &margin].concat().into(),
        }
    }

    /// Number of rows from the first run to the last.
    pub(super) fn rows(&self) -> i32 {
        self.rows as i32
    }

    /// Where runs begin and where they end in rows counted from the top, which may overhang by
    /// less than a step.
    #[inline(always)]
    pub(super) fn runs(&self, rows: Rows) -> (&[u16], &[u16]) {
        let margin = MARGIN as i32;
        let from = (rows.0 + margin) as usize..(rows.1 + margin) as usize;
        let on = self.rows as usize + MARGIN;
        let to = from.start + on..from.end + on;
        (&self.columns[from], &self.columns[to])
    }

    fn bytes(&self) -> usize {
        self.columns.len() * 2 + size_of::<Stratum>()
    }
}

/// Strata that are still being filled.
#[derive(Default)]
struct Unfinished {
    top: i32,
    from: Vec<u16>,
    to: Vec<u16>,
}

impl Runs {
    /// All strata; none is empty but the first of runs without any.
    #[inline(always)]
    pub(super) fn strata(&self) -> Strata<'_> {
        Strata {
            next: Some(&self.first),
            more: &self.more,
        }
    }

    fn is_empty(&self) -> bool {
        self.first.rows == 0
    }

    fn bytes(&self) -> usize {
        self.strata().map(Stratum::bytes).sum::<usize>() + size_of::<Runs>()
    }

    /// The runs of what is not 0 in an area, which is at most 65,535 pixels wide.
    fn of_mask(bytes: &[u8], area: Area) -> Runs {
        let mut strata: Vec<Unfinished> = Vec::new();
        let mut found = Bounds::default();
        for (row, y) in bytes.chunks_exact(area.width().max(1)).zip(area.y0..) {
            let (mut x, mut depth) = (0, 0);
            while let Some(skip) = row[x..].iter().position(|b| *b != 0) {
                let from = x + skip;
                let len = row[from..].iter().take_while(|b| **b != 0).count();
                x = from + len;
                if strata.len() <= depth {
                    strata.push(Unfinished {
                        top: y,
                        ..Unfinished::default()
                    });
                }
                let stratum = &mut strata[depth];
                let rows = (y - stratum.top) as usize;
                stratum.from.resize(rows, 0);
                stratum.to.resize(rows, 0);
                stratum.from.push(from as u16);
                stratum.to.push(x as u16);
                found = found.around(y, area.x0 + from as i32, area.x0 + x as i32);
                depth += 1;
            }
        }
        // From here on columns are counted from the first that is used.
        let unused = (found.left - area.x0) as u16;
        let mut finished = strata.into_iter().map(|mut rows| {
            for x in rows.from.iter_mut().chain(&mut rows.to) {
                *x = x.saturating_sub(unused);
            }
            Stratum::new(rows.top, &rows.from, &rows.to)
        });
        Runs {
            area: found,
            first: finished.next().unwrap_or_default(),
            more: finished.collect(),
        }
    }
}

impl Runs {
    /// The runs of a convex shape; `None` when it is too wide.
    fn of_spans(spans: &Spans) -> Option<Runs> {
        let mut area = Bounds::default();
        let rows = spans.from.iter().zip(&spans.to).zip(spans.top..);
        for ((from, to), y) in rows.filter(|((from, to), _)| from < to) {
            area = area.around(y, *from, *to);
        }
        if area.width() == 0 {
            return Some(Runs::default());
        }
        if area.width() > LARGEST {
            return None;
        }
        let within = (area.top - spans.top) as usize..(area.bottom - spans.top) as usize;
        let mut from = Vec::with_capacity(within.len());
        let mut to = Vec::with_capacity(within.len());
        for (start, end) in spans.from[within.clone()].iter().zip(&spans.to[within]) {
            // A row without pixels ends where it begins, wherever that is.
            let cell = |x: i32| (x.clamp(area.left, area.right) - area.left) as u16;
            from.push(cell(*start));
            to.push(cell(*end).max(cell(*start)));
        }
        Some(Runs {
            area,
            first: Stratum::new(area.top, &from, &to),
            more: Vec::new(),
        })
    }
}

/// The strata of a shape, one by one.
pub(super) struct Strata<'a> {
    next: Option<&'a Stratum>,
    more: &'a [Stratum],
}

impl<'a> Iterator for Strata<'a> {
    type Item = &'a Stratum;

    #[inline(always)]
    fn next(&mut self) -> Option<&'a Stratum> {
        let next = self.next.take()?;
        if let Some((first, rest)) = self.more.split_first() {
            (self.next, self.more) = (Some(first), rest);
        }
        Some(next)
    }
}

impl Bounds {
    fn width(self) -> usize {
        self.right.saturating_sub(self.left).max(0) as usize
    }

    /// Around a run as well.
    fn around(self, y: i32, from: i32, to: i32) -> Bounds {
        if self.left >= self.right {
            return Bounds {
                left: from,
                top: y,
                right: to,
                bottom: y + 1,
            };
        }
        Bounds {
            left: self.left.min(from),
            top: self.top,
            right: self.right.max(to),
            bottom: y + 1,
        }
    }
}

/// The number of some kept runs, and where their origin is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PlacedRuns {
    pub(super) runs: u32,
    pub(super) dx: i32,
    pub(super) dy: i32,
}

/// What is known of a key.
#[derive(Clone, Copy, Debug)]
enum Kept {
    /// No pixels.
    Nothing,
    Runs(u32),
    /// An edge that is no path of the rasteriser: its outline has to be found first.
    Indirect,
}

impl Kept {
    fn at(self, dx: i32, dy: i32) -> Found {
        match self {
            Kept::Nothing => Found::Nothing,
            Kept::Runs(runs) => Found::Runs(PlacedRuns { runs, dx, dy }),
            Kept::Indirect => Found::Indirect,
        }
    }
}

/// The pixels of a shape or its edge.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found {
    /// There are none.
    Nothing,
    Runs(PlacedRuns),
    /// An edge that is to be drawn by [`Store::outline`].
    Indirect,
}

/// Runs of shapes, kept by what they depend on.
#[derive(Debug)]
pub(super) struct Store {
    #[allow(clippy::disallowed_types)]
    known: HashMap<Box<[u64]>, Kept, FxBuildHasher>,
    /// The same for the shapes most languages are made of.
    #[allow(clippy::disallowed_types)]
    plain: HashMap<Plain, Kept, FxBuildHasher>,
    all: Vec<Runs>,
    bytes: usize,
    key: Vec<u64>,
    canvas: Area,
    spans: Spans,
}

impl Store {
    pub(super) fn new(canvas: Area) -> Store {
        Store {
            #[allow(clippy::disallowed_types)]
            known: HashMap::default(),
            #[allow(clippy::disallowed_types)]
            plain: HashMap::default(),
            all: Vec::new(),
            bytes: 0,
            key: Vec::new(),
            canvas,
            spans: Spans::default(),
        }
    }

    /// Bytes that are kept.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Forgets all runs: numbers given out before mean nothing any more.
    pub(super) fn clear(&mut self) {
        self.known.clear();
        self.plain.clear();
        self.all.clear();
        self.bytes = 0;
    }

    pub(super) fn runs(&self, number: u32) -> &Runs {
        &self.all[number as usize]
    }

    /// Whether a shape that is looked at in passing is to be kept.
    pub(super) fn keeps(&self, shape: &Shape, at: &Affine) -> bool {
        self.bytes <= PASSING && plain_key(shape, at, (0.0, 0.0), 0.0).is_some()
    }

    /// A convex shape by formula, in rows from one up to another.
    pub(super) fn spans(&mut self, shape: &Shape, at: &Affine, within: Rows) -> Option<&Spans> {
        self.spans.of(shape, at, within).then_some(&self.spans)
    }

    /// The pixels of a shape, or of a line along its edge when `stroke` is positive.
    pub(super) fn shape(&mut self, shape: &Shape, at: &Affine, stroke: f64) -> Found {
        let split = |x: f64| {
            let whole = x.floor();
            let part = ((x - whole) * FINE).round();
            if part >= FINE {
                (whole as i32 + 1, 0.0)
            } else {
                (whole as i32, part)
            }
        };
        let ((dx, fx), (dy, fy)) = (split(at[4]), split(at[5]));
        let plain = plain_key(shape, at, (fx, fy), stroke);
        if let Some(key) = plain {
            if let Some(known) = self.plain.get(&key) {
                return known.at(dx, dy);
            }
            let (found, whole) = self.any_shape(shape, at, ((dx, fx), (dy, fy)), stroke);
            if let Found::Runs(PlacedRuns { runs, .. }) = found
                && whole
            {
                self.bytes += 96;
                self.plain.insert(key, Kept::Runs(runs));
            }
            return found;
        }
        self.any_shape(shape, at, ((dx, fx), (dy, fy)), stroke).0
    }

    /// The same for any shape, and whether that holds wherever the shape is.
    fn any_shape(
        &mut self,
        shape: &Shape,
        at: &Affine,
        ((dx, fx), (dy, fy)): ((i32, f64), (i32, f64)),
        stroke: f64,
    ) -> (Found, bool) {
        self.write_key(shape, &at[..4], &[fx, fy, stroke]);
        if let Some(known) = self.known.get(&self.key[..]) {
            return (known.at(dx, dy), true);
        }
        let near = [at[0], at[1], at[2], at[3], fx / FINE, fy / FINE];
        if stroke == 0.0
            && let Some(runs) = self.convex(shape, &near)
        {
            return (self.keep_runs(runs).at(dx, dy), true);
        }
        let Some(primitive) = place(shape, &near) else {
            return (self.keep(Kept::Nothing).at(dx, dy), true);
        };
        if stroke > 0.0 && !has_edge(&primitive) {
            return (self.keep(Kept::Indirect).at(dx, dy), true);
        }
        let Some(drawn) = Drawn::new(&primitive, stroke) else {
            return (self.keep(Kept::Nothing).at(dx, dy), true);
        };
        if fits(drawn.area, &self.canvas) {
            let runs = drawn.runs(drawn.area);
            return (self.keep_runs(runs).at(dx, dy), true);
        }
        // Larger than what could ever be seen: only what is seen of it is drawn, at its own place.
        self.write_key(shape, &at[..], &[stroke, 1.0]);
        if let Some(known) = self.known.get(&self.key[..]) {
            return (known.at(0, 0), false);
        }
        let drawn = place(shape, at).and_then(|primitive| Drawn::new(&primitive, stroke));
        let kept = match drawn {
            Some(drawn) => self.keep_runs(drawn.runs(drawn.area.meet(self.canvas))),
            None => self.keep(Kept::Nothing),
        };
        (kept.at(0, 0), false)
    }

    /// The runs of a convex shape that is not too large.
    fn convex(&mut self, shape: &Shape, at: &Affine) -> Option<Runs> {
        let most = i32::try_from(room(self.canvas.height()).min(LARGEST)).ok()?;
        self.spans(shape, at, (-most, most))?;
        let (top, bottom) = self.spans.rows();
        if top <= -most || bottom >= most {
            return None;
        }
        let runs = Runs::of_spans(&self.spans)?;
        (runs.area.width() <= room(self.canvas.width())).then_some(runs)
    }

    /// The pixels of a line along any path, as far as they are within `seen`.
    pub(super) fn outline(&mut self, path: Path, width: f64, seen: Area) -> Option<PlacedRuns> {
        let drawn = Drawn::stroked(path, Transform::identity(), width)?;
        let runs = drawn.runs(drawn.area.meet(seen));
        self.bytes += runs.bytes();
        self.all.push(runs);
        let runs = u32::try_from(self.all.len() - 1).ok()?;
        Some(PlacedRuns { runs, dx: 0, dy: 0 })
    }

    /// Keeps runs under the key that was written last.
    fn keep_runs(&mut self, runs: Runs) -> Kept {
        if runs.is_empty() {
            return self.keep(Kept::Nothing);
        }
        self.bytes += runs.bytes();
        self.all.push(runs);
        let number = u32::try_from(self.all.len() - 1);
        self.keep(number.map_or(Kept::Nothing, Kept::Runs))
    }

    fn keep(&mut self, kept: Kept) -> Kept {
        self.bytes += self.key.len() * 8 + 48;
        self.known.insert(self.key.as_slice().into(), kept);
        kept
    }

    fn write_key(&mut self, shape: &Shape, map: &[f64], more: &[f64]) {
        let key = &mut self.key;
        key.clear();
        match shape {
            Shape::Ellipse { rx, ry } => key.extend([0, rx.to_bits(), ry.to_bits()]),
            Shape::Box { w, h, r } => key.extend([1, w.to_bits(), h.to_bits(), r.to_bits()]),
            Shape::Polygon(points) => {
                key.push(2);
                key.extend(points.iter().flat_map(|p| [p.0.to_bits(), p.1.to_bits()]));
            }
            Shape::Polyline { points, width } => {
                key.extend([3, width.to_bits()]);
                key.extend(points.iter().flat_map(|p| [p.0.to_bits(), p.1.to_bits()]));
            }
        }
        // There is one more of them for a shape at its own place.
        key.extend(map.iter().chain(more).map(|x| x.to_bits()));
    }
}

/// The key of an ellipse or a box as one short row of numbers. It is looked up for every new shape
/// of every program: comparing is one vector instruction, hashing four chains side by side.
#[derive(Clone, Copy, Debug, Eq)]
struct Plain([u64; 8]);

impl PartialEq for Plain {
    #[inline]
    fn eq(&self, other: &Plain) -> bool {
        let pairs = self.0.iter().zip(&other.0);
        pairs.fold(0, |any, (a, b)| any | (a ^ b)) == 0
    }
}

impl Hash for Plain {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Odd numbers without a pattern: each word counts in its own way.
        const BY: [u64; 8] = [
            0x9e37_79b9_7f4a_7c15,
            0xbf58_476d_1ce4_e5b9,
            0x94d0_49bb_1331_11eb,
            0xd6e8_feb8_6659_fd93,
            0xa076_1d64_78bd_642f,
            0xe703_7ed1_a0b4_28db,
            0x8ebc_6af0_9c88_c6e3,
            0x5899_65cc_7537_4cc3,
        ];
        // The low bits of a number's bits are mostly 0.
        let parts = self.0.iter().zip(BY);
        let sum = parts.fold(0u64, |sum, (word, by)| {
            sum.wrapping_add((word ^ word >> 32).wrapping_mul(by))
        });
        state.write_u64(sum ^ sum >> 29);
    }
}

/// The key of an ellipse or a box; `None` for other shapes.
fn plain_key(shape: &Shape, at: &Affine, (fx, fy): (f64, f64), stroke: f64) -> Option<Plain> {
    let (kind, w, h) = match *shape {
        Shape::Ellipse { rx, ry } => (0, rx, ry),
        Shape::Box { w, h, r: 0.0 } => (1, w, h),
        _ => return None,
    };
    // Parts of a pixel are whole numbers below a thousand.
    let first = kind | (fx as u64) << 8 | (fy as u64) << 24;
    Some(Plain([
        first,
        w.to_bits(),
        h.to_bits(),
        at[0].to_bits(),
        at[1].to_bits(),
        at[2].to_bits(),
        at[3].to_bits(),
        stroke.to_bits(),
    ]))
}

/// Longest side of a shape that is drawn as a whole on a canvas of this side.
fn room(side: usize) -> usize {
    side.saturating_mul(3).saturating_add(64)
}

/// Longest run that its columns have bits for.
const LARGEST: usize = 65_000;

/// Whether a shape is worth drawing as a whole: no more than a few times what can be seen.
fn fits(area: Area, canvas: &Area) -> bool {
    area.width() <= room(canvas.width()) && area.height() <= room(canvas.height())
}

/// Whether the edge of a shape is a path that a line can be drawn along as it is.
fn has_edge(primitive: &Primitive) -> bool {
    !matches!(primitive.form, Form::Polyline { .. })
        && !matches!(primitive.placed, Placed::Skewed(_))
}

/// A path to be filled and the pixels it may touch.
struct Drawn {
    path: Path,
    at: Transform,
    area: Area,
}

impl Drawn {
    /// A shape, or a line along its edge when `stroke` is positive.
    fn new(primitive: &Primitive, stroke: f64) -> Option<Drawn> {
        let path = paths::path(&primitive.form)?;
        let at = paths::transform(&primitive.placed);
        if stroke > 0.0 {
            return Drawn::stroked(path.transform(at)?, Transform::identity(), stroke);
        }
        let path = match primitive.form {
            Form::Polyline { width, .. } => {
                let scale = PathStroker::compute_resolution_scale(&at);
                path.stroke(&paths::line_stroke(width), scale)?
            }
            _ => path,
        };
        let area = paths::bounds(primitive).area();
        Some(Drawn { path, at, area })
    }

    fn stroked(path: Path, at: Transform, width: f64) -> Option<Drawn> {
        // As the SVG says it: three decimals.
        let width = ((width * 1e3).round() / 1e3) as f32;
        let stroke = Stroke {
            width,
            ..Stroke::default()
        };
        let scale = PathStroker::compute_resolution_scale(&at);
        let path = path.stroke(&stroke, scale)?;
        let bounds = path.clone().transform(at)?.bounds();
        let area = Area {
            x0: bounds.left().floor() as i32 - 1,
            y0: bounds.top().floor() as i32 - 1,
            x1: bounds.right().ceil() as i32 + 1,
            y1: bounds.bottom().ceil() as i32 + 1,
        };
        Some(Drawn { path, at, area })
    }

    /// The runs within an area.
    fn runs(&self, area: Area) -> Runs {
        let (w, h) = (area.width() as u32, area.height() as u32);
        let Some(mut mask) = Mask::new(w, h) else {
            return Runs::default();
        };
        let shift = Transform::from_translate(-area.x0 as f32, -area.y0 as f32);
        let at = shift.pre_concat(self.at);
        mask.fill_path(&self.path, FillRule::Winding, false, at);
        Runs::of_mask(mask.data(), area)
    }
}

#[cfg(test)]
mod tests;
