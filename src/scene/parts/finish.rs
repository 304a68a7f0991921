//! From the regions that were built to those of a scene: every map is worked into the shapes.
//!
//! In: [`Parts`] and a region of them. Out: the scene's regions, or whatever else a [`Fold`] makes of
//! the shapes and joins. Afterwards a region that is used twice under one map is there once.

use super::{Join, MAX_PARTS, Node, Parts, Raw, Visit};
use crate::scene::affine::{Affine, compose, determinant};
use crate::scene::eval::NotDrawable;
use crate::scene::{Region, RegionId, Shape};

/// What is still to be done with the regions of a tree, last first.
#[derive(Debug)]
enum Task {
    Enter(Raw, Affine),
    Leave(Raw, Affine, Join),
}

/// Memory of a fold.
#[derive(Debug)]
pub(super) struct Stacks<T> {
    tasks: Vec<Task>,
    done: Vec<T>,
}

impl<T> Default for Stacks<T> {
    fn default() -> Stacks<T> {
        Stacks {
            tasks: Vec::new(),
            done: Vec::new(),
        }
    }
}

/// What is done with the regions of a tree.
pub(super) trait Fold {
    type Out;
    /// Memory that it lends.
    fn stacks(&mut self) -> &mut Stacks<Self::Out>;
    /// A result from before.
    fn known(&mut self, raw: Raw, map: &Affine) -> Result<Option<Self::Out>, NotDrawable>;
    /// Remembers a result.
    fn learn(&mut self, raw: Raw, map: &Affine, out: &Self::Out);
    /// Everything, or nothing.
    fn all(&mut self, everything: bool) -> Self::Out;
    fn shape(&mut self, shape: &Shape, at: &Affine) -> Result<Self::Out, NotDrawable>;
    fn join(&mut self, how: Join, a: Self::Out, b: Self::Out) -> Self::Out;
}

impl Parts {
    /// Folds a region from its shapes up, each with the whole map that places it.
    pub(super) fn fold<F: Fold>(
        &self,
        region: Raw,
        map: &Affine,
        fold: &mut F,
    ) -> Result<F::Out, NotDrawable> {
        let mut stacks = std::mem::take(fold.stacks());
        let out = self.fold_in(region, map, fold, &mut stacks);
        *fold.stacks() = stacks;
        out
    }

    fn fold_in<F: Fold>(
        &self,
        region: Raw,
        map: &Affine,
        fold: &mut F,
        Stacks { tasks, done }: &mut Stacks<F::Out>,
    ) -> Result<F::Out, NotDrawable> {
        tasks.clear();
        done.clear();
        tasks.push(Task::Enter(region, *map));
        while let Some(task) = tasks.pop() {
            match task {
                Task::Enter(raw, map) => {
                    if let Some(out) = fold.known(raw, &map)? {
                        done.push(out);
                        continue;
                    }
                    match &self.nodes[raw.0] {
                        Node::Empty => done.push(fold.all(false)),
                        Node::Everything => done.push(fold.all(true)),
                        Node::Shape(shape, at) => {
                            let at = compose(&map, at);
                            let out = fold.shape(&self.shapes[*shape], &at)?;
                            fold.learn(raw, &map, &out);
                            done.push(out);
                        }
                        Node::Map(of, by) => tasks.push(Task::Enter(*of, compose(&map, by))),
                        Node::Join(how, a, b, _) => {
                            tasks.push(Task::Leave(raw, map, *how));
                            tasks.push(Task::Enter(*b, map));
                            tasks.push(Task::Enter(*a, map));
                        }
                    }
                }
                Task::Leave(raw, map, how) => {
                    let b = done.pop().unwrap_or_else(|| fold.all(false));
                    let a = done.pop().unwrap_or_else(|| fold.all(false));
                    let out = fold.join(how, a, b);
                    fold.learn(raw, &map, &out);
                    done.push(out);
                }
            }
        }
        Ok(done.pop().unwrap_or_else(|| fold.all(false)))
    }

    /// A region of the finished scene.
    pub(in crate::scene) fn finish(
        &self,
        region: Raw,
        map: &Affine,
        out: &mut Finish,
    ) -> Result<RegionId, NotDrawable> {
        if out.seen.len() < self.nodes.len() {
            out.seen.resize(self.nodes.len(), None);
        }
        self.fold(region, map, out)
    }
}

/// The regions of the scene that is being finished.
#[derive(Debug, Default)]
pub(in crate::scene) struct Finish {
    /// The scene's regions.
    pub(in crate::scene) regions: Vec<Region>,
    /// For each region built, the last map it was finished under, and as what.
    seen: Vec<Option<(Affine, RegionId)>>,
    parts: usize,
    stacks: Stacks<RegionId>,
    /// Memory for [`Parts::walk`].
    pub(super) visits: Vec<Visit>,
}

impl Finish {
    /// Forgets everything but the memory.
    pub(in crate::scene) fn clear(&mut self) {
        self.regions.clear();
        self.seen.clear();
        self.parts = 0;
    }

    pub(super) fn take(&mut self, parts: usize) -> Result<(), NotDrawable> {
        self.parts = self.parts.saturating_add(parts);
        if self.parts > MAX_PARTS {
            return Err(NotDrawable::TooManyParts(MAX_PARTS));
        }
        Ok(())
    }

    fn push(&mut self, region: Region) -> RegionId {
        self.regions.push(region);
        // A scene has at most MAX_PARTS.
        RegionId(self.regions.len() as u32 - 1)
    }
}

impl Fold for Finish {
    type Out = RegionId;

    fn stacks(&mut self) -> &mut Stacks<RegionId> {
        &mut self.stacks
    }

    fn known(&mut self, raw: Raw, map: &Affine) -> Result<Option<RegionId>, NotDrawable> {
        // Counted before it is built: sharing can make a scene far larger than its program.
        self.take(1)?;
        Ok(match self.seen.get(raw.0 as usize) {
            Some(Some((at, id))) if at == map => Some(*id),
            _ => None,
        })
    }

    fn learn(&mut self, raw: Raw, map: &Affine, id: &RegionId) {
        if let Some(seen) = self.seen.get_mut(raw.0 as usize) {
            *seen = Some((*map, *id));
        }
    }

    fn all(&mut self, everything: bool) -> RegionId {
        self.push(if everything {
            Region::Everything
        } else {
            Region::Empty
        })
    }

    fn shape(&mut self, shape: &Shape, at: &Affine) -> Result<RegionId, NotDrawable> {
        if let Shape::Polygon(points) | Shape::Polyline { points, .. } = shape {
            self.take(points.len())?;
        }
        let region = if determinant(at) == 0.0 {
            Region::Empty
        } else {
            Region::Shape {
                shape: shape.clone(),
                at: *at,
            }
        };
        Ok(self.push(region))
    }

    fn join(&mut self, how: Join, a: RegionId, b: RegionId) -> RegionId {
        self.push(match how {
            Join::Union => Region::Union(a, b),
            Join::Difference => Region::Difference(a, b),
            Join::Intersection => Region::Intersection(a, b),
        })
    }
}
