//! Small formulas of convex shapes, looked at once.
//!
//! In: regions, operands before what uses them, and the weights of a hole. Out: what the pixels of
//! the last one are worth. Afterwards nothing is kept but memory.

use super::loops::{self, Join};
use super::{Bits, Weights};
use crate::scene::{Region, RegionId, Scene};

/// Most regions of a formula that is worth this: for each there is a plane.
const MOST: usize = 64;

impl Bits {
    /// What the pixels of a region are worth; `None` for what is no small formula of convex shapes.
    pub(super) fn worth_of_formula(
        &mut self,
        weights: &Weights,
        scene: &Scene,
        RegionId(root): RegionId,
    ) -> Option<i64> {
        let count = root as usize + 1;
        let regions = scene.regions.get(..count).filter(|_| count <= MOST)?;
        let len = self.layout.plane;
        let mut planes = std::mem::take(&mut self.formula);
        planes.resize(count * len, 0);
        let mut known = true;
        for (at, region) in regions.iter().enumerate() {
            let (before, rest) = planes.split_at_mut(at * len);
            let out = &mut rest[..len];
            let operand = |RegionId(of): RegionId| before.get(of as usize * len..)?.get(..len);
            let mut join = |how, a, b| match (operand(a), operand(b)) {
                (Some(a), Some(b)) => loops::join_planes(out, how, a, b),
                _ => known = false,
            };
            match region {
                Region::Empty => out.fill(0),
                Region::Everything => {
                    out.fill(0);
                    loops::fill(out, &self.layout);
                }
                Region::Shape { shape, at } => {
                    let within = (0, self.layout.height);
                    match self.store.spans(shape, at, within) {
                        Some(spans) => loops::stamp_spans(out, spans, &self.layout),
                        None => known = false,
                    }
                }
                Region::Union(a, b) => join(Join::Union, *a, *b),
                Region::Difference(a, b) => join(Join::Difference, *a, *b),
                Region::Intersection(a, b) => join(Join::Intersection, *a, *b),
                Region::Transform(..) => known = false,
            }
            if !known {
                break;
            }
        }
        let worth = planes
            .get((count - 1) * len..count * len)
            .filter(|_| known)
            .map(|of| self.worth_of(weights, of));
        self.formula = planes;
        worth
    }
}
