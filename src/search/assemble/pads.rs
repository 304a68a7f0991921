//! Groups with a part beside them that cannot be seen.
//!
//! In: a group, and a partner that is not in its place beside it by any combo. Out: groups of the two
//! in which it is, because what stands beside one of them has changed its bounds. Afterwards what was
//! found out of a group is kept with its tree.
//!
//! By how much nearer a partner is to its place depends on the group alone, but for rounding. So all that
//! a group can be like is found out once, and looked up for each partner.

// Only looked up by key, never walked through: order does not matter.
#[allow(clippy::disallowed_types)]
use std::collections::HashMap;

use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;

use super::combos::displacement;
use super::groups::{Assembler, Group, Key, Tree};
use crate::scene::Bounds;

/// A group with a part that cannot be seen beside it, in every way.
pub(super) struct Padded {
    pub(super) groups: Vec<Group>,
    /// For each of them, by class and role, how much nearer the group's partner is to its place.
    gains: Vec<SmallVec<[(i32, i32); 4]>>,
    /// By class and role in it, and by how much the group's partner is then nearer to its place.
    by: Gains,
}

/// Padded groups by class, role and gain.
#[allow(clippy::disallowed_types)]
type Gains = HashMap<(u32, u32, i32, i32), SmallVec<[u32; ALIKE]>, FxBuildHasher>;

/// Padded groups of the same gain that are kept.
const ALIKE: usize = 3;

impl Assembler<'_> {
    /// The same with something beside one of the two, or more than one thing.
    pub(super) fn join_padded(
        &mut self,
        class: u32,
        rest: (i32, i32),
        (a, b): (&Group, &Group),
        found: &mut Vec<Group>,
    ) {
        let left = self.effort.spacers - a.spacers - b.spacers;
        if self.join_beside(class, rest, (a, b), found) || left.min(self.effort.beside) < 2 {
            return;
        }
        // One thing for one direction, another for the other.
        for role in 0..2 {
            let group = if role == 0 { a } else { b };
            for (nearer, rest) in self.nearest(class, role, rest, group) {
                let pair = if role == 0 {
                    (&nearer, b)
                } else {
                    (a, &nearer)
                };
                if self.probes < self.limit && self.join_beside(class, rest, pair, found) {
                    return;
                }
            }
        }
    }

    /// The group of two with one thing beside one of them; whether there is one.
    fn join_beside(
        &mut self,
        class: u32,
        rest: (i32, i32),
        (a, b): (&Group, &Group),
        found: &mut Vec<Group>,
    ) -> bool {
        let mut exact = false;
        for role in 0..2 {
            let group = if role == 0 { a } else { b };
            self.pad(group);
            let mut tries: SmallVec<[(u32, Group); 16]> = SmallVec::new();
            let Some(padded) = self.padded.get(&group.tree) else {
                continue;
            };
            for near in NEAR {
                for (combo, by) in &self.combos.pairs[class as usize].members {
                    let gain = (by.0 - rest.0 + near.0, by.1 - rest.1 + near.1);
                    let known = padded.by.get(&(class, role, gain.0, gain.1));
                    let known = known.into_iter().flatten();
                    tries.extend(known.map(|index| (*combo, padded.groups[*index as usize])));
                }
            }
            for (combo, other) in tries.iter().take(MOST_TRIES) {
                let pair = if role == 0 { (other, b) } else { (a, other) };
                exact |= self.join_by(*combo, pair, found);
            }
        }
        exact
    }

    /// The group with something beside it such that its partner is in place in one direction, and about
    /// as near as can be in the other: some of them, and how far the partner then still is.
    fn nearest(
        &mut self,
        class: u32,
        role: u32,
        rest: (i32, i32),
        group: &Group,
    ) -> SmallVec<[(Group, (i32, i32)); STEPS_ON]> {
        self.pad(group);
        let mut nearest = SmallVec::new();
        let mut fars: SmallVec<[i32; STEPS_ON]> = SmallVec::new();
        let Some(padded) = self.padded.get(&group.tree) else {
            return nearest;
        };
        for (other, gains) in padded.groups.iter().zip(&padded.gains) {
            let gain = gains[(2 * class + role) as usize];
            let rest = (rest.0 + gain.0, rest.1 + gain.1);
            let members = self.combos.pairs[class as usize].members.iter();
            let far = members.map(|(_, by)| {
                let (x, y) = ((rest.0 - by.0).abs(), (rest.1 - by.1).abs());
                // In place in one direction counts for more than near in both.
                x + y + if x.min(y) == 0 { 0 } else { 1000 }
            });
            let far = far.min().unwrap_or(i32::MAX);
            let place = fars.partition_point(|least| *least <= far);
            if place < STEPS_ON {
                fars.truncate(STEPS_ON - 1);
                nearest.truncate(STEPS_ON - 1);
                fars.insert(place, far);
                nearest.insert(place, (*other, rest));
            }
        }
        nearest
    }

    /// Finds out what a group is like with something beside it.
    pub(super) fn pad(&mut self, group: &Group) {
        if self.padded.contains_key(&group.tree) {
            return;
        }
        let combos = self.combos;
        #[allow(clippy::disallowed_types)]
        let mut known: HashMap<Key, (), FxBuildHasher> = HashMap::default();
        known.insert(group.key(), ());
        let mut groups: Vec<Group> = Vec::new();
        for class in &combos.pairs {
            for (combo, _) in &class.members {
                for (index, spacer) in combos.spacers.iter().enumerate() {
                    for first in [true, false] {
                        let (bounds, which) = match first {
                            true => ([group.bounds, spacer.bounds], 0),
                            false => ([spacer.bounds, group.bounds], 1),
                        };
                        let Some(laid) = self.lay(*combo, &bounds) else {
                            continue;
                        };
                        let at = laid.order.iter().find(|(other, _)| *other == which);
                        let at = at.map_or((0, 0), |(_, at)| *at);
                        let mut padded = Group {
                            origin: (group.origin.0 - at.0, group.origin.1 - at.1),
                            bounds: laid.bounds,
                            spacers: group.spacers + 1,
                            nodes: group.nodes + 2,
                            ..*group
                        };
                        if known.insert(padded.key(), ()).is_some() {
                            continue;
                        }
                        let spacer_root = self.kinds.production(&spacer.part);
                        let roots = match first {
                            true => [group.root, spacer_root],
                            false => [spacer_root, group.root],
                        };
                        if !self.fits(*combo, &roots) {
                            continue;
                        }
                        let beside = self.grow(Tree::Spacer(index));
                        let below = match first {
                            true => [group.tree, beside],
                            false => [beside, group.tree],
                        };
                        padded.tree = self.grow(Tree::Node(*combo, below.into()));
                        padded.root = combos.all[*combo as usize].production;
                        groups.push(padded);
                    }
                }
            }
        }
        let mut padded = Padded {
            gains: vec![SmallVec::new(); groups.len()],
            groups,
            by: Gains::default(),
        };
        for (number, class) in combos.pairs.iter().enumerate() {
            for role in 0..2 {
                let base = class.members.first().map_or(0, |(combo, _)| *combo);
                let before = self.stance(base, role, group).unwrap_or_default();
                for index in 0..padded.groups.len() {
                    let after = self.stance(base, role, &padded.groups[index]);
                    let after = after.unwrap_or(before);
                    let gain = (after.0 - before.0, after.1 - before.1);
                    padded.gains[index].push(gain);
                    let alike = padded.by.entry((number as u32, role, gain.0, gain.1));
                    let alike = alike.or_default();
                    if alike.len() < ALIKE {
                        alike.push(index as u32);
                    }
                }
            }
        }
        self.padded.insert(group.tree, padded);
    }

    /// How far off a fixed partner is from a group by a combo, up to a constant of the partner.
    fn stance(&mut self, combo: u32, role: u32, group: &Group) -> Option<(i32, i32)> {
        let bounds = match role {
            0 => [group.bounds, PARTNER],
            _ => [PARTNER, group.bounds],
        };
        let at = displacement(&self.lay(combo, &bounds)?);
        Some(match role {
            0 => (-group.origin.0 - at.0, -group.origin.1 - at.1),
            _ => (group.origin.0 - at.0, group.origin.1 - at.1),
        })
    }
}

/// Padded groups from which one goes on.
pub(super) const STEPS_ON: usize = 4;

/// Padded groups that are tried for one pair of groups, class and role.
const MOST_TRIES: usize = 24;

/// Whoever stands opposite when stances are compared.
const PARTNER: Bounds = Bounds {
    x0: -5.0,
    y0: -5.0,
    x1: 5.0,
    y1: 5.0,
};

/// Rounding may be off by a pixel: the nearest first.
const NEAR: [(i32, i32); 9] = [
    (0, 0),
    (1, 0),
    (-1, 0),
    (0, 1),
    (0, -1),
    (1, 1),
    (1, -1),
    (-1, 1),
    (-1, -1),
];
