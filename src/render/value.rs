//! The coverage of a region: ink in a rectangle, and one value outside it.
//!
//! In: rasters, and coverages to combine. Out: [`Value`]s, clipped to a window. Afterwards a
//! value's rectangle is no larger than the region it stands for: a union has that around both, a
//! difference that of its left side, an intersection where both meet. Values share their bytes:
//! moving one, or combining it with nothing, copies none. Bytes that nobody holds any more are
//! used again.

use std::sync::Arc;

use super::kernels::{self, Join, Sink, Source};
use super::paths::Area;

/// A place in whole pixels.
pub(crate) type Offset = (i32, i32);

/// Coverage in the plane, or in a window of it.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    /// Nothing when the rectangle is empty.
    bytes: Option<Arc<Vec<u8>>>,
    /// The rectangle of the bytes.
    pub(crate) area: Area,
    /// Full ink everywhere else, or none.
    pub(crate) outside: bool,
    /// Where all this holds; everywhere when there is none.
    within: Option<Area>,
    /// It holds only when its frame is at this place of the canvas: the rasteriser cut a large
    /// shape at the canvas's sides, and rounded there.
    tied: Option<Offset>,
}

/// Buffers that are used again, by the power of two that they hold.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    spare: [Vec<Arc<Vec<u8>>>; 32],
    bytes: usize,
    /// Most bytes that wait to be used.
    budget: usize,
}

/// Least size of a buffer, as a power of two.
const LEAST: u32 = 8;

impl Pool {
    /// With room for so many unused bytes.
    pub(crate) fn new(budget: usize) -> Pool {
        Pool {
            budget,
            ..Pool::default()
        }
    }

    /// The bytes that wait.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// A buffer of this length; what is in it is of no account.
    fn take(&mut self, len: usize) -> Arc<Vec<u8>> {
        let class = len.next_power_of_two().ilog2().max(LEAST);
        let spare = self.spare.get_mut(class as usize).and_then(Vec::pop);
        let mut buffer = match spare {
            Some(buffer) => {
                self.bytes -= buffer.capacity();
                buffer
            }
            None => Arc::new(Vec::with_capacity(1 << class)),
        };
        if let Some(bytes) = Arc::get_mut(&mut buffer) {
            // Only what was never used is cleared.
            bytes.resize(len, 0);
        }
        buffer
    }

    /// Takes a value's buffer back, if nobody else holds it.
    pub(crate) fn give(&mut self, value: Value) {
        let Some(mut bytes) = value.bytes else {
            return;
        };
        let Some(buffer) = Arc::get_mut(&mut bytes) else {
            return;
        };
        let capacity = buffer.capacity();
        if !capacity.is_power_of_two() || capacity.ilog2() < LEAST {
            // A raster that is no longer remembered.
            return;
        }
        if self.bytes + capacity <= self.budget
            && let Some(spare) = self.spare.get_mut(capacity.ilog2() as usize)
        {
            self.bytes += capacity;
            spare.push(bytes);
        }
    }
}

/// What a rectangle of a combination is made of.
#[derive(Clone, Copy)]
enum Part {
    Fill(u8),
    First,
    Second,
    NotSecond,
    Both,
}

impl Value {
    /// Nothing, or the whole plane.
    pub(crate) fn constant(outside: bool) -> Value {
        Value {
            bytes: None,
            area: Area::EMPTY,
            outside,
            within: None,
            tied: None,
        }
    }

    /// Ink in a rectangle.
    pub(crate) fn ink(bytes: Arc<Vec<u8>>, area: Area) -> Value {
        Value {
            bytes: Some(bytes),
            area,
            ..Value::constant(false)
        }
    }

    /// Holds only within a window, its frame at this place of the canvas.
    pub(crate) fn only(mut self, within: Area, at: Offset) -> Value {
        self.within = Some(within);
        self.tied = Some(at);
        self
    }

    /// Moved.
    pub(crate) fn shifted(mut self, by: Offset) -> Value {
        self.area = self.area.shifted(by);
        self.within = self.within.map(|within| within.shifted(by));
        self.tied = self.tied.map(|(x, y)| (x - by.0, y - by.1));
        self
    }

    /// Whether it holds in `needed` with its frame at this place.
    pub(crate) fn holds(&self, needed: Area, at: Offset) -> bool {
        self.within.is_none_or(|within| within.holds(needed))
            && self.tied.is_none_or(|tied| tied == at)
    }

    /// The bytes it keeps in memory.
    pub(crate) fn size(&self) -> usize {
        self.bytes.as_ref().map_or(0, |bytes| bytes.capacity())
    }

    /// Whether it has the same bytes at the same place.
    pub(crate) fn is_same(&self, other: &Value) -> bool {
        let same = match (&self.bytes, &other.bytes) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        };
        same && self.area == other.area && self.outside == other.outside
    }

    /// Its bytes from the corner of a rectangle inside its own.
    pub(crate) fn from(&self, corner: Area) -> Source<'_> {
        let stride = self.area.width();
        let (x, y) = (corner.x0 - self.area.x0, corner.y0 - self.area.y0);
        let start = y as usize * stride + x as usize;
        let bytes = self.bytes.as_ref().and_then(|bytes| bytes.get(start..));
        Source {
            bytes: bytes.unwrap_or_default(),
            stride,
        }
    }

    /// Nothing can be seen of it.
    fn is_nothing(&self) -> bool {
        self.area.is_empty() && !self.outside
    }

    /// Two values in one frame combined; what is outside `clip` is not needed.
    pub(crate) fn joined(how: Join, a: &Value, b: &Value, clip: Area, pool: &mut Pool) -> Value {
        let mut out = Value::constant(false);
        out.within = match (a.within, b.within) {
            (Some(a), Some(b)) => Some(a.meet(b)),
            (one, None) | (None, one) => one,
        };
        out.tied = a.tied.or(b.tied);
        if let Some(same) = unchanged(how, a, b) {
            return Value {
                within: out.within,
                tied: out.tied,
                ..same.clone()
            };
        }
        let (inside, outside) = match how {
            Join::Union => (
                match (a.outside, b.outside) {
                    (false, false) => a.area.join(b.area),
                    (true, false) => a.area,
                    (false, true) => b.area,
                    (true, true) => a.area.meet(b.area),
                },
                a.outside || b.outside,
            ),
            Join::Difference => (
                match (a.outside, b.outside) {
                    (false, false) => a.area,
                    (true, false) => a.area.join(b.area),
                    (false, true) => a.area.meet(b.area),
                    (true, true) => b.area,
                },
                a.outside && !b.outside,
            ),
            Join::Intersection => (
                match (a.outside, b.outside) {
                    (false, false) => a.area.meet(b.area),
                    (true, false) => b.area,
                    (false, true) => a.area,
                    (true, true) => a.area.join(b.area),
                },
                a.outside && b.outside,
            ),
        };
        out.outside = outside;
        out.area = inside.meet(clip);
        if out.area != inside {
            out.within = Some(out.within.map_or(clip, |within| within.meet(clip)));
        }
        if out.area.is_empty() {
            return out;
        }
        let mut bytes = pool.take(out.area.width() * out.area.height());
        if let Some(bytes) = Arc::get_mut(&mut bytes) {
            write(how, a, b, out.area, bytes);
        }
        out.bytes = Some(bytes);
        out
    }
}

/// The operand that the combination is equal to, when that is plain from their rectangles.
fn unchanged<'v>(how: Join, a: &'v Value, b: &'v Value) -> Option<&'v Value> {
    let finite = !a.outside && !b.outside;
    let apart = finite && a.area.meet(b.area).is_empty();
    match how {
        Join::Union if b.is_nothing() => Some(a),
        Join::Union if a.is_nothing() => Some(b),
        Join::Difference if b.is_nothing() || a.is_nothing() || apart => Some(a),
        Join::Intersection if a.is_nothing() || (b.area.is_empty() && b.outside) => Some(a),
        Join::Intersection if b.is_nothing() || (a.area.is_empty() && a.outside) => Some(b),
        _ => None,
    }
}

/// Writes a combination into `area`, rectangle by rectangle between the sides of both.
fn write(how: Join, a: &Value, b: &Value, area: Area, bytes: &mut [u8]) {
    let sorted = |mut cuts: [i32; 6], low: i32, high: i32| {
        cuts.iter_mut()
            .for_each(|cut| *cut = (*cut).clamp(low, high));
        cuts.sort_unstable();
        cuts
    };
    let (p, q) = (a.area, b.area);
    let xs = sorted([area.x0, area.x1, p.x0, p.x1, q.x0, q.x1], area.x0, area.x1);
    let ys = sorted([area.y0, area.y1, p.y0, p.y1, q.y0, q.y1], area.y0, area.y1);
    let stride = area.width();
    for y in ys.windows(2) {
        for x in xs.windows(2) {
            let part = Area {
                x0: x[0],
                y0: y[0],
                x1: x[1],
                y1: y[1],
            };
            if part.is_empty() {
                continue;
            }
            let start = (part.y0 - area.y0) as usize * stride + (part.x0 - area.x0) as usize;
            let out = Sink {
                bytes: bytes.get_mut(start..).unwrap_or_default(),
                stride,
            };
            let size = (part.width(), part.height());
            match made_of(how, a, b, part) {
                Part::Fill(value) => kernels::fill(out, value, size),
                Part::First => kernels::copy(out, a.from(part), size),
                Part::Second => kernels::copy(out, b.from(part), size),
                Part::NotSecond => kernels::invert(out, b.from(part), size),
                Part::Both => kernels::join(how, out, a.from(part), b.from(part), size),
            }
        }
    }
}

fn made_of(how: Join, a: &Value, b: &Value, part: Area) -> Part {
    let full = |yes: bool| Part::Fill(if yes { 255 } else { 0 });
    match (a.area.holds(part), b.area.holds(part)) {
        (true, true) => Part::Both,
        (true, false) => match (how, b.outside) {
            (Join::Union, true) => full(true),
            (Join::Difference, true) | (Join::Intersection, false) => full(false),
            _ => Part::First,
        },
        (false, true) => match (how, a.outside) {
            (Join::Union, true) => full(true),
            (Join::Difference | Join::Intersection, false) => full(false),
            (Join::Difference, true) => Part::NotSecond,
            _ => Part::Second,
        },
        (false, false) => full(match how {
            Join::Union => a.outside || b.outside,
            Join::Difference => a.outside && !b.outside,
            Join::Intersection => a.outside && b.outside,
        }),
    }
}
