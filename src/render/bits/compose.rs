//! From a tree of regions to pixels.
//!
//! In: a scene, the versions of its regions if it has any, a region and where it is. Out: its
//! [`Value`]. Afterwards a region whose version is known is not drawn again; nothing recurs.

use std::cmp::Ordering;

use super::layout::{Block, down, up};
use super::loops::{self, Join, Operand};
use super::runs::{Found, PlacedRuns};
use super::{Bits, FULL, Slot, Task, Under, Value, place};
use crate::render::RenderError;
use crate::render::place::{Affine, IDENTITY, compose};
use crate::scene::{Region, RegionId, Scene};

impl Bits {
    /// The pixels of a region, moved by whole pixels.
    pub(super) fn region(
        &mut self,
        scene: &Scene,
        versions: Option<&[u64]>,
        root: RegionId,
        (dx, dy): (i32, i32),
    ) -> Result<Value, RenderError> {
        self.tasks.clear();
        self.values.clear();
        self.maps.clear();
        let under = Under::Shift(dx, dy);
        if let Some(value) = self.known(scene, versions, root, under) {
            return Ok(value);
        }
        self.tasks.push(Task::Enter(root, under));
        while let Some(task) = self.tasks.pop() {
            match task {
                Task::Enter(id, under) => self.enter(scene, versions, id, under)?,
                Task::Leave(id, under, how) => {
                    let b = self.values.pop().unwrap_or(Value::Empty);
                    let a = self.values.pop().unwrap_or(Value::Empty);
                    self.leave(versions, id, under, how, a, b);
                }
            }
        }
        Ok(self.values.pop().unwrap_or(Value::Empty))
    }

    /// The pixels of a region if they need no joining.
    #[inline]
    fn known(
        &mut self,
        scene: &Scene,
        versions: Option<&[u64]>,
        id: RegionId,
        under: Under,
    ) -> Option<Value> {
        let at = id.0 as usize;
        let Some(region) = scene.regions.get(at) else {
            return Some(Value::Empty);
        };
        let version = self.version(versions, at);
        if let Under::Shift(dx, dy) = under {
            let slot = &mut self.slots[at];
            if slot.version == version && slot.under == (dx, dy) {
                slot.asked = self.drawing;
                return Some(slot.value);
            }
        }
        match region {
            Region::Empty => Some(Value::Empty),
            Region::Everything => Some(Value::Plane {
                plane: FULL,
                block: Block::all(&self.layout),
            }),
            Region::Shape { shape, at: own } => {
                let (found, dx, dy) = match under {
                    Under::Shift(dx, dy) => (self.store.shape(shape, own, 0.0), dx, dy),
                    Under::Map(map) => {
                        let whole = compose(&self.maps[map as usize], own);
                        (self.store.shape(shape, &whole, 0.0), 0, 0)
                    }
                };
                let kept = self.kept_at(at, under);
                let stamped = match found {
                    Found::Runs(placed) => {
                        self.block(placed, (dx, dy)).map(|block| (placed, block))
                    }
                    Found::Nothing | Found::Indirect => None,
                };
                let Some((placed, block)) = stamped else {
                    if let Some(under) = kept {
                        let own = self.slots[at].own;
                        self.keep(versions, at, under, Value::Empty, own);
                    }
                    return Some(Value::Empty);
                };
                let plane = self.plane_for(at, kept);
                self.stamp_into(plane, placed, (dx, dy), block);
                Some(match kept {
                    Some(under) => {
                        let value = Value::Plane { plane, block };
                        self.keep(versions, at, under, value, Some(plane));
                        value
                    }
                    None => Value::Given { plane, block },
                })
            }
            _ => None,
        }
    }

    fn enter(
        &mut self,
        scene: &Scene,
        versions: Option<&[u64]>,
        id: RegionId,
        under: Under,
    ) -> Result<(), RenderError> {
        self.visit()?;
        if let Some(value) = self.known(scene, versions, id, under) {
            self.values.push(value);
            return Ok(());
        }
        let (how, a, b) = match &scene.regions[id.0 as usize] {
            Region::Union(a, b) => (Join::Union, *a, *b),
            Region::Difference(a, b) => (Join::Difference, *a, *b),
            Region::Intersection(a, b) => (Join::Intersection, *a, *b),
            Region::Transform(inner, by) => {
                let under = self.under(under, by);
                self.tasks.push(Task::Enter(*inner, under));
                return Ok(());
            }
            Region::Empty | Region::Everything | Region::Shape { .. } => return Ok(()),
        };
        // Most operands are known or shapes: no need to put them on the stack.
        let known = self.known(scene, versions, a, under);
        match (known, self.known(scene, versions, b, under)) {
            (Some(a), Some(b)) => self.leave(versions, id, under, how, a, b),
            (Some(a), None) => {
                self.values.push(a);
                self.tasks.push(Task::Leave(id, under, how));
                self.tasks.push(Task::Enter(b, under));
            }
            (None, _) => {
                self.tasks.push(Task::Leave(id, under, how));
                self.tasks.push(Task::Enter(b, under));
                self.tasks.push(Task::Enter(a, under));
            }
        }
        Ok(())
    }

    /// One map under another.
    fn under(&mut self, outer: Under, by: &Affine) -> Under {
        let map = match outer {
            Under::Shift(dx, dy) => {
                let shift = [1.0, 0.0, 0.0, 1.0, f64::from(dx), f64::from(dy)];
                compose(&shift, by)
            }
            Under::Map(map) => compose(&self.maps[map as usize], by),
        };
        let [a, b, c, d, e, f] = map;
        let whole = |x: f64| x == x.trunc() && x.abs() <= 1e6;
        if [a, b, c, d] == IDENTITY[..4] && whole(e) && whole(f) {
            return Under::Shift(e as i32, f as i32);
        }
        self.maps.push(map);
        Under::Map(self.maps.len() as u32 - 1)
    }

    /// Where what of runs is on the canvas is, if anything.
    fn block(&self, placed: PlacedRuns, (dx, dy): (i32, i32)) -> Option<Block> {
        let (dx, dy) = (placed.dx.saturating_add(dx), placed.dy.saturating_add(dy));
        let area = self.store.runs(placed.runs).area;
        let left = area.left.saturating_add(dx).max(0);
        let right = area.right.saturating_add(dx).min(self.layout.width);
        let top = area.top.saturating_add(dy).max(0);
        let bottom = area.bottom.saturating_add(dy).min(self.layout.height);
        (left < right && top < bottom).then(|| Block {
            columns: (left as u32 / 64, (right as u32 - 1) / 64 + 1),
            rows: (down(top), up(bottom)),
        })
    }

    /// Writes runs, which are on the canvas within the block, into a plane.
    fn stamp_into(&mut self, plane: u32, placed: PlacedRuns, (dx, dy): (i32, i32), block: Block) {
        let at = (placed.dx.saturating_add(dx), placed.dy.saturating_add(dy));
        let len = self.layout.plane;
        let out = &mut self.planes[plane as usize * len..][..len];
        let stale = std::mem::replace(&mut self.used[plane as usize], block);
        let runs = self.store.runs(placed.runs);
        loops::stamp(out, runs, at, block, stale, &self.layout);
    }

    /// Runs in a plane that is nobody's.
    pub(super) fn stamp(&mut self, placed: PlacedRuns, by: (i32, i32)) -> Value {
        match self.block(placed, by) {
            Some(block) => {
                let plane = self.grab();
                self.stamp_into(plane, placed, by, block);
                Value::Given { plane, block }
            }
            None => Value::Empty,
        }
    }

    /// Whether the pixels of a region can be kept, and then where it is. One that was asked for
    /// before in this drawing, elsewhere, may still be waiting on the stack: its plane is not to be
    /// touched. Over the budget nothing more is kept.
    fn kept_at(&self, at: usize, under: Under) -> Option<(i32, i32)> {
        let slot = &self.slots[at];
        match under {
            Under::Shift(dx, dy)
                if slot.asked != self.drawing
                    && (slot.own.is_some() || self.kept() <= self.budget) =>
            {
                Some((dx, dy))
            }
            _ => None,
        }
    }

    /// A plane to write a region into: its own if it is kept.
    fn plane_for(&mut self, at: usize, kept: Option<(i32, i32)>) -> u32 {
        match kept.and(self.slots[at].own) {
            Some(plane) => plane,
            None => self.grab(),
        }
    }

    /// Notes what is known of a region.
    fn keep(
        &mut self,
        versions: Option<&[u64]>,
        at: usize,
        under: (i32, i32),
        value: Value,
        own: Option<u32>,
    ) {
        self.slots[at] = Slot {
            version: self.version(versions, at),
            under,
            asked: self.drawing,
            value,
            own,
        };
    }

    /// Joins two regions and keeps the result where it can be kept.
    fn leave(
        &mut self,
        versions: Option<&[u64]>,
        id: RegionId,
        under: Under,
        how: Join,
        a: Value,
        b: Value,
    ) {
        let at = id.0 as usize;
        let kept = self.kept_at(at, under);
        let plane = self.plane_for(at, kept);
        let block = self.join(how, a, b, plane);
        self.give_back(a);
        self.give_back(b);
        let value = match kept {
            _ if block.is_empty() => Value::Empty,
            Some(_) => Value::Plane { plane, block },
            None => Value::Given { plane, block },
        };
        match kept {
            Some(under) => self.keep(versions, at, under, value, Some(plane)),
            None if block.is_empty() => self.free.push(plane),
            None => {}
        }
        self.values.push(value);
    }

    /// Writes what two regions are together into a plane, and says where it can be.
    fn join(&mut self, how: Join, a: Value, b: Value, out: u32) -> Block {
        let len = self.layout.plane;
        // The operands lie in other planes than the result: it is lent out of the row of planes.
        let (before, rest) = self.planes.split_at_mut(out as usize * len);
        let (out_words, after) = rest.split_at_mut(len);
        let operand = |value: Value| {
            let (plane, block) = place(value);
            let words = match plane.cmp(&out) {
                Ordering::Less => &before[plane as usize * len..][..len],
                Ordering::Greater => &after[(plane - out - 1) as usize * len..][..len],
                // No region is a part of itself.
                Ordering::Equal => &before[..len],
            };
            Operand { words, block }
        };
        let stale = self.used[out as usize];
        let (a, b) = (operand(a), operand(b));
        let block = loops::join(out_words, how, a, b, stale, &self.layout);
        self.used[out as usize] = block;
        block
    }
}
