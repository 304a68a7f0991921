//! Holes: what a program shows when one of its regions is nothing, or all of the plane.
//!
//! In: an edit, and a node of its replacement whose value is a region. Out: the scene in which that
//! region is another one, whatever the node says. Afterwards, drawn once with nothing and once with
//! everything in the hole, two pictures say for each pixel what the program shows there if the hole
//! covers it or not: with coverage of 0 or 1, unions, differences and intersections know no more
//! than that. So the picture of any region in the hole is known without the rest of the program.
//!
//! That does not hold where a picture depends on more than the region's pixels: where it is
//! stroked, where things are arranged by its bounds, or where it is seen in several places at once.
//! [`Live::hole`] says whether it does.

use super::super::parts::{EMPTY, EVERYTHING, Parts};
use super::super::value::V;
use super::super::{Content, Paint, Region, RegionId, Shape};
use super::{Affine, IDENTITY, Live, affine};
use crate::grammar::expr::{Builtin, Expr, ExprKind};
use crate::grammar::ir::Grammar;
use crate::scene::eval::NotDrawable;
use crate::tree::Edit;

/// What stands in a hole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filling {
    /// No region; or a drawing without its layers, which takes the room that it took.
    Nothing,
    /// The whole plane.
    Everything,
    /// A shape that no program has, to find it again.
    Mark,
}

/// Where what is in a hole can be seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place {
    /// Nowhere: whatever is in the hole, the picture is the same.
    Nowhere,
    /// Where this affine map puts it, `[a, b, c, d, e, f]`; maybe more than once.
    Under([f64; 6]),
    /// In several places, or in a way that depends on more than its pixels.
    Unfit,
}

/// The side of a mark. Lengths of that many places are not written in programs.
const MARK: f64 = 0.372_910_458_236_174_5;

/// The value with which a region is replaced.
pub(super) fn filled(value: V, filling: Filling, parts: &mut Parts) -> Result<V, NotDrawable> {
    match value {
        V::Region(_) => Ok(V::Region(match filling {
            Filling::Nothing => EMPTY,
            Filling::Everything => EVERYTHING,
            Filling::Mark => parts.shape(mark()),
        })),
        V::Drawing(drawing) if filling == Filling::Nothing => {
            Ok(V::Drawing(parts.unpainted(drawing)))
        }
        // A hole is made in regions only.
        _ => Err(NotDrawable::NoDraw),
    }
}

fn mark() -> Shape {
    Shape::Box {
        w: MARK,
        h: MARK,
        r: 0.0,
    }
}

impl Live<'_> {
    /// Whether pictures may depend on the bounds of regions: a region that becomes nothing then moves others.
    pub fn measures(&self) -> bool {
        self.measures
    }

    /// Shows what the program would draw after an edit if a node of its replacement had another
    /// value, until that is [rejected](Live::reject). It must not be accepted.
    ///
    /// # Errors
    ///
    /// As [`Live::propose`], and [`NotDrawable::NoDraw`] when the node's value is no region, nor a drawing
    /// that is to be nothing. Nothing is proposed then.
    pub fn fill(&mut self, edit: &Edit, node: usize, with: Filling) -> Result<(), NotDrawable> {
        self.propose_with(edit, Some((node, with)))
    }

    /// Where what is in a hole can be seen; nothing is proposed afterwards.
    ///
    /// # Errors
    ///
    /// As [`Live::fill`].
    pub fn hole(&mut self, edit: &Edit, node: usize) -> Result<Place, NotDrawable> {
        if self.measures {
            return Ok(Place::Unfit);
        }
        self.fill(edit, node, Filling::Mark)?;
        let place = self.marked();
        self.reject();
        Ok(place)
    }

    fn marked(&self) -> Place {
        let mut place = Place::Nowhere;
        let mut see = |map: &Affine| {
            place = match place {
                Place::Nowhere => Place::Under(*map),
                Place::Under(known) if known == *map => place,
                _ => Place::Unfit,
            };
        };
        match &self.scene.content {
            Content::Ink(root) => self.marks_below(*root, &IDENTITY, &mut see),
            Content::Layers(layers) => {
                for layer in layers {
                    let (dx, dy) = layer.offset;
                    let by = affine::shift(f64::from(dx), f64::from(dy));
                    match layer.paint {
                        Paint::Fill(_) => self.marks_below(layer.region, &by, &mut see),
                        Paint::Stroke { .. } => {
                            let mut stroked = false;
                            self.marks_below(layer.region, &by, &mut |_| stroked = true);
                            if stroked {
                                return Place::Unfit;
                            }
                        }
                    }
                }
            }
        }
        place
    }

    /// Visits the marks in a region. A region that is used twice is visited twice; what would take
    /// too long is seen in several places.
    fn marks_below(&self, root: RegionId, map: &Affine, see: &mut dyn FnMut(&Affine)) {
        let mut tasks: smallvec::SmallVec<[(RegionId, Affine); 16]> = smallvec::smallvec![];
        tasks.push((root, *map));
        let mut visits = 0;
        while let Some((id, map)) = tasks.pop() {
            visits += 1;
            if visits > MOST_VISITS {
                see(&[f64::NAN; 6]);
                see(&[f64::NAN; 6]);
                return;
            }
            match self.scene.regions.get(id.0 as usize) {
                Some(Region::Shape { shape, at }) if *shape == mark() => {
                    see(&affine::compose(&map, at));
                }
                Some(Region::Transform(inner, by)) => {
                    tasks.push((*inner, affine::compose(&map, by)));
                }
                Some(
                    Region::Union(a, b) | Region::Difference(a, b) | Region::Intersection(a, b),
                ) => {
                    tasks.push((*a, map));
                    tasks.push((*b, map));
                }
                _ => {}
            }
        }
    }
}

/// Regions visited in search of a mark.
const MOST_VISITS: usize = 4096;

/// Whether a picture may depend on the bounds of what is in it: the finished picture is centred, or
/// things are placed beside each other or measured.
pub(super) fn measures(grammar: &Grammar) -> bool {
    let arms = grammar.productions.iter().filter_map(|p| p.draw.as_ref());
    let functions = grammar.fns.iter().map(|function| &function.body);
    grammar.canvas.as_ref().is_some_and(|canvas| canvas.centred)
        || arms.map(|arm| &arm.body).chain(functions).any(measured)
}

fn measured(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Const(_) | ExprKind::Slot(_) => false,
        ExprKind::Builtin(builtin, args) => {
            matches!(
                builtin,
                Builtin::Beside | Builtin::Above | Builtin::Width | Builtin::Height
            ) || args.iter().any(measured)
        }
        ExprKind::Call(_, args) | ExprKind::List(args) => args.iter().any(measured),
        ExprKind::If(a, b, c) => [a, b, c].into_iter().any(|e| measured(e)),
        ExprKind::Match(on, arms) => measured(on) || arms.iter().any(|(_, e)| measured(e)),
        ExprKind::Let(_, a, b) | ExprKind::Else(a, b) => measured(a) || measured(b),
    }
}
