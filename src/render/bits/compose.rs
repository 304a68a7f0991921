//! From a tree of regions to pixels.
//!
//! In: a scene, the versions of its regions if it has any, a region and where it is. Out: its
//! [`Value`]. Afterwards a region whose version is known is not drawn again; nothing recurs.

use std::cmp::Ordering;

use super::layout::Block;
use super::loops::{self, Join, Operand};
use super::runs::{Found, PlacedRuns};
use super::{Bits, Slot, Task, Under, Value};
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
            Region::Everything => Some(Value::All),
            Region::Shape { shape, at: own } => {
                let (found, dx, dy) = match under {
                    Under::Shift(dx, dy) => (self.store.shape(shape, own, 0.0), dx, dy),
                    Under::Map(map) => {
                        let whole = compose(&self.maps[map as usize], own);
                        (self.store.shape(shape, &whole, 0.0), 0, 0)
                    }
                };
                let value = match found {
                    Found::Runs(placed) => self.placed(placed, dx, dy),
                    Found::Nothing | Found::Indirect => Value::Empty,
                };
                if let Under::Shift(dx, dy) = under {
                    let slot = &mut self.slots[at];
                    slot.version = version;
                    slot.under = (dx, dy);
                    slot.value = value;
                    if let Some(plane) = slot.own.take() {
                        self.free.push(plane);
                    }
                }
                Some(value)
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

    /// Runs as far as they are on the canvas.
    pub(super) fn placed(&self, placed: PlacedRuns, dx: i32, dy: i32) -> Value {
        let (dx, dy) = (placed.dx.saturating_add(dx), placed.dy.saturating_add(dy));
        let area = self.store.runs(placed.runs).area;
        let left = area.left.saturating_add(dx).max(0);
        let right = area.right.saturating_add(dx).min(self.layout.width);
        let top = area.top.saturating_add(dy).max(0);
        let bottom = area.bottom.saturating_add(dy).min(self.layout.height);
        if left >= right || top >= bottom {
            return Value::Empty;
        }
        let block = Block {
            columns: (left as u32 / 64, (right as u32 - 1) / 64 + 1),
            rows: (top, bottom),
        };
        Value::Runs {
            placed: PlacedRuns { dx, dy, ..placed },
            block,
        }
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
        let shift = match under {
            Under::Shift(dx, dy) => Some((dx, dy)),
            Under::Map(_) => None,
        };
        // A region asked for before in this drawing, elsewhere, may still be waiting on the stack:
        // its plane is not to be touched. Over the budget nothing more is kept.
        let slot = &self.slots[at];
        let kept = shift.filter(|_| {
            slot.asked != self.drawing && (slot.own.is_some() || self.kept() <= self.budget)
        });
        let plane = match kept.and(slot.own) {
            Some(plane) => plane,
            None => self.grab(),
        };
        let block = self.join(how, a, b, plane);
        self.give_back(a);
        self.give_back(b);
        let value = match kept {
            _ if block.is_empty() => Value::Empty,
            Some(_) => Value::Plane { plane, block },
            None => Value::Given { plane, block },
        };
        match kept {
            Some(under) => {
                let version = self.version(versions, at);
                self.slots[at] = Slot {
                    version,
                    under,
                    asked: self.drawing,
                    value,
                    own: Some(plane),
                };
            }
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
        let operand = |value: Value| match value {
            Value::Empty => Operand::EMPTY,
            Value::All => Operand::all(&self.layout),
            Value::Runs { placed, block } => {
                Operand::runs(self.store.runs(placed.runs), placed, block)
            }
            Value::Plane { plane, block } | Value::Given { plane, block } => {
                let words = match plane.cmp(&out) {
                    Ordering::Less => &before[plane as usize * len..][..len],
                    Ordering::Greater => &after[(plane - out - 1) as usize * len..][..len],
                    Ordering::Equal => return Operand::EMPTY,
                };
                Operand::plane(words, block)
            }
        };
        loops::join(out_words, how, &operand(a), &operand(b), &self.layout)
    }
}
