//! A shape that stands twice in a region counts once.
//!
//! In: two regions that are to be combined. Out: a region that covers the same and holds each shape
//! once, where there is one. Afterwards an edge is not blended with itself: ink is combined as if
//! edges were independent, so `a + a` would have more of it along the edge than `a`, and `a - a` a
//! ring of it.
//!
//! A region in which a shape `s` stands several times is what it would be if `s` were everything,
//! inside `s`, and what it would be if `s` were nothing, outside. When one of the two is nothing, or
//! the first is everything, the region is a join of `s` and the other; `s` is not in that. So all
//! laws of sets that leave a shape once hold to the byte: `a + (a - b)` is `a`, `(a - c) + (b - c)`
//! is `(a + b) - c`. What is neither is left as it is, and so are regions of more than [`MOST`] shapes.

use super::{EMPTY, EVERYTHING, Join, Node, Parts, Raw};
use crate::scene::Shape;
use crate::scene::affine::Affine;

/// Most shapes of two regions that are looked at. It bounds the time, and how deeply functions here
/// call themselves.
const MOST: u32 = 128;

/// Farthest apart, in pixels, that two numbers of equal shapes may be.
const NEAR: f64 = 1e-6;

/// What a region holds, roughly.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    /// A bit for the place of each shape.
    places: u64,
    /// Number of shapes, up to a bit more than [`MOST`].
    count: u32,
}

impl Mark {
    /// One shape in this map; a region under a map counts as a shape.
    #[inline]
    fn of([.., e, f]: &Affine) -> Mark {
        // Added to this, a number of moderate size loses all but its thousandths.
        const CUT: f64 = (1u64 << 42) as f64;
        let (x, y) = ((e + CUT).to_bits(), (f + CUT).to_bits());
        let mixed = (x.rotate_left(32) ^ y).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Mark {
            places: 1 << (mixed >> 58),
            count: 1,
        }
    }

    #[inline]
    fn and(self, other: Mark) -> Mark {
        Mark {
            places: self.places | other.places,
            count: (self.count + other.count).min(MOST + 1),
        }
    }
}

/// What a region is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Nothing,
    Everything,
    Something,
}

impl Parts {
    #[inline]
    fn mark(&self, of: Raw) -> Mark {
        match &self.nodes[of.0] {
            Node::Empty | Node::Everything => Mark::default(),
            Node::Shape(_, map) | Node::Map(_, map) => Mark::of(map),
            Node::Join(_, _, _, mark) => *mark,
        }
    }

    /// Combines two regions. What is empty or everything is left out where that changes nothing, and
    /// a shape of both where it need not stand in both.
    #[inline]
    pub(in crate::scene) fn join(&mut self, how: Join, a: Raw, b: Raw) -> Raw {
        if let Some(plain) = self.folded(how, a, b) {
            return plain;
        }
        let (left, right) = (self.mark(a), self.mark(b));
        let mark = left.and(right);
        if left.places & right.places != 0
            && mark.count <= MOST
            && let Some(once) = self.once(how, a, b)
        {
            return once;
        }
        self.node(Node::Join(how, a, b, mark))
    }

    /// Combines two regions that have no shape in common.
    fn join_apart(&mut self, how: Join, a: Raw, b: Raw) -> Raw {
        if let Some(plain) = self.folded(how, a, b) {
            return plain;
        }
        let mark = self.mark(a).and(self.mark(b));
        self.node(Node::Join(how, a, b, mark))
    }

    /// The combination, where it is there already.
    #[inline]
    fn folded(&self, how: Join, a: Raw, b: Raw) -> Option<Raw> {
        Some(match (how, a, b) {
            (Join::Union, EMPTY, other) | (Join::Union, other, EMPTY) => other,
            (Join::Union, EVERYTHING, _) | (Join::Union, _, EVERYTHING) => EVERYTHING,
            (Join::Difference, other, EMPTY) => other,
            (Join::Difference, EMPTY, _) | (Join::Difference, _, EVERYTHING) => EMPTY,
            (Join::Intersection, EVERYTHING, other) | (Join::Intersection, other, EVERYTHING) => {
                other
            }
            (Join::Intersection, EMPTY, _) | (Join::Intersection, _, EMPTY) => EMPTY,
            (Join::Difference, EVERYTHING, b) => match self.nodes[b.0] {
                Node::Join(Join::Difference, EVERYTHING, inner, _) => inner,
                _ => return None,
            },
            (Join::Difference, a, b) if a == b => EMPTY,
            (_, a, b) if a == b => a,
            _ => return None,
        })
    }

    /// The combination of two regions with a shape of both standing there once, if there is such a
    /// shape and such a combination.
    fn once(&mut self, how: Join, a: Raw, b: Raw) -> Option<Raw> {
        let (few, many) = match self.mark(a).count <= self.mark(b).count {
            true => (a, b),
            false => (b, a),
        };
        let (shape, outer) = self.find(few, many, &|shape| self.outer(how, a, b, shape))?;
        let place = self.mark(shape).places;
        let value = match outer {
            Join::Intersection => EVERYTHING,
            _ => EMPTY,
        };
        let a = self.with(a, shape, place, value);
        let b = self.with(b, shape, place, value);
        // Two shapes fewer each time.
        let rest = self.join(how, a, b);
        Some(match outer {
            Join::Difference => self.join_apart(outer, rest, shape),
            _ => self.join_apart(outer, shape, rest),
        })
    }

    /// The first shape of a region that is also in another and gets an answer.
    fn find<T>(&self, few: Raw, many: Raw, answer: &impl Fn(Raw) -> Option<T>) -> Option<(Raw, T)> {
        let place = self.mark(few).places;
        if place & self.mark(many).places == 0 {
            return None;
        }
        if let Node::Join(_, left, right, _) = self.nodes[few.0] {
            let found = self.find(left, many, answer);
            return found.or_else(|| self.find(right, many, answer));
        }
        let held = self.holds(many, few, place).then(|| answer(few));
        Some((few, held.flatten()?))
    }

    /// How a shape is joined to what two regions are without it.
    fn outer(&self, how: Join, a: Raw, b: Raw, shape: Raw) -> Option<Join> {
        let place = self.mark(shape).places;
        let when = |value| {
            let [a, b] = [a, b].map(|side| self.known(side, shape, place, value));
            joined(how, a, b)
        };
        match (when(Known::Everything), when(Known::Nothing)) {
            (Known::Everything, _) => Some(Join::Union),
            (Known::Nothing, _) => Some(Join::Difference),
            (_, Known::Nothing) => Some(Join::Intersection),
            _ => None,
        }
    }

    /// Whether a shape stands in a region. It has at most [`MOST`] shapes.
    fn holds(&self, region: Raw, shape: Raw, place: u64) -> bool {
        match self.nodes[region.0] {
            _ if self.mark(region).places & place == 0 => false,
            Node::Join(_, a, b, _) => self.holds(a, shape, place) || self.holds(b, shape, place),
            _ => self.same(region, shape),
        }
    }

    /// What a region is when a shape has this value. It has at most [`MOST`] shapes.
    fn known(&self, region: Raw, shape: Raw, place: u64, value: Known) -> Known {
        match self.nodes[region.0] {
            Node::Empty => Known::Nothing,
            Node::Everything => Known::Everything,
            _ if self.mark(region).places & place == 0 => Known::Something,
            Node::Join(how, a, b, _) => joined(
                how,
                self.known(a, shape, place, value),
                self.known(b, shape, place, value),
            ),
            _ if self.same(region, shape) => value,
            _ => Known::Something,
        }
    }

    /// A region with nothing or everything in the places of a shape. It has at most [`MOST`] shapes.
    fn with(&mut self, region: Raw, shape: Raw, place: u64, value: Raw) -> Raw {
        match self.nodes[region.0] {
            _ if self.mark(region).places & place == 0 => region,
            Node::Join(how, a, b, _) => {
                let left = self.with(a, shape, place, value);
                let right = self.with(b, shape, place, value);
                if (left, right) == (a, b) {
                    return region;
                }
                self.join_apart(how, left, right)
            }
            _ if self.same(region, shape) => value,
            _ => region,
        }
    }

    /// Whether two regions are the same, made of the same shapes in the same way; `false` also when
    /// finding out takes long.
    fn same(&self, mut a: Raw, mut b: Raw) -> bool {
        let mut pending = Vec::new();
        for _ in 0..2 * MOST {
            let same = a == b
                || match (&self.nodes[a.0], &self.nodes[b.0]) {
                    (Node::Shape(s, at), Node::Shape(t, by)) => {
                        same_shape(&self.shapes[*s], at, &self.shapes[*t], by)
                    }
                    (Node::Map(a, at), Node::Map(b, by)) => {
                        pending.push((*a, *b));
                        near(at, by)
                    }
                    (Node::Join(how, a, c, _), Node::Join(other, b, d, _)) => {
                        pending.extend([(*c, *d), (*a, *b)]);
                        how == other
                    }
                    _ => false,
                };
            match (same, pending.pop()) {
                (false, _) => return false,
                (true, None) => return true,
                (true, Some(next)) => (a, b) = next,
            }
        }
        false
    }
}

/// What is known of a combination.
fn joined(how: Join, a: Known, b: Known) -> Known {
    use Known::{Everything, Nothing, Something};
    match (how, a, b) {
        (Join::Union, Everything, _) | (Join::Union, _, Everything) => Everything,
        (Join::Union, Nothing, other) | (Join::Union, other, Nothing) => other,
        (Join::Intersection, Nothing, _) | (Join::Intersection, _, Nothing) => Nothing,
        (Join::Intersection, Everything, other) | (Join::Intersection, other, Everything) => other,
        (Join::Difference, Nothing, _) | (Join::Difference, _, Everything) => Nothing,
        (Join::Difference, Everything, Nothing) => Everything,
        _ => Something,
    }
}

fn near(a: &[f64], b: &[f64]) -> bool {
    a.iter().zip(b).all(|(a, b)| (a - b).abs() <= NEAR)
}

/// Whether two shapes are the same set of points, in the ways in which they often are: a disc however
/// it is turned, a box turned by a quarter or a half.
fn same_shape(s: &Shape, at: &Affine, t: &Shape, by: &Affine) -> bool {
    if !near(&at[4..], &by[4..]) {
        return false;
    }
    // What a shape reaches along its own axes.
    let axes = |map: &Affine, x: f64, y: f64| {
        let [a, b, c, d, ..] = map;
        [[a * x, b * x], [c * y, d * y]]
    };
    match (s, t) {
        (Shape::Ellipse { rx, ry }, Shape::Ellipse { rx: px, ry: py }) => {
            // Turning the disc that is mapped to an ellipse changes the axes but not this.
            let spread = |[[a, b], [c, d]]: [[f64; 2]; 2]| {
                [
                    (a * a + c * c).sqrt(),
                    (b * b + d * d).sqrt(),
                    a * b + c * d,
                ]
            };
            let (one, other) = (spread(axes(at, *rx, *ry)), spread(axes(by, *px, *py)));
            near(&one, &other)
        }
        (Shape::Box { w, h, r: 0.0 }, Shape::Box { w: p, h: q, r: 0.0 }) => {
            let ([a, b], [c, d]) = (axes(at, *w, *h), axes(by, *p, *q));
            let along = |a: &[f64; 2], b: &[f64; 2]| near(a, b) || near(a, &[-b[0], -b[1]]);
            along(&a, &c) && along(&b, &d) || along(&a, &d) && along(&b, &c)
        }
        _ => s == t && near(at, by),
    }
}

#[cfg(test)]
mod tests;
