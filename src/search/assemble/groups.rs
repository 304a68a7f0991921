//! Groups of parts, from single ones to all of them.
//!
//! In: placed parts, what a language can do with drawings, and how much effort to make. Out: programs.
//! Afterwards the groups are forgotten.
//!
//! For every set of parts the best few groups are kept, those with few pixels out of place first, then
//! those with few parts that cannot be seen. A set is put together from any two that make it up, as
//! long as what covers something is painted after it.

// Only looked up by key, never walked through: order does not matter.
#[allow(clippy::disallowed_types)]
use std::collections::HashMap;

use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;

use super::combos::{Combos, Slot, displacement};
use super::pads::{Padded, STEPS_ON};
use crate::Compiled;
use crate::grammar::ids::{NtId, ProdId};
use crate::scene::Bounds;
use crate::scene::probe::{Laid, Probe};
use crate::search::placed::{Flat, Kinds, Placed};
use crate::tree::Program;

/// How much effort to make.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effort {
    /// By how many pixels in all two groups may be out of place.
    pub tolerance: i32,
    /// Most parts that cannot be seen.
    pub spacers: u32,
    /// Most of those that are put beside one of two groups when they are put together.
    pub beside: u32,
    /// Groups that are kept of each set of parts.
    pub keep: usize,
    /// Probes after which no more is tried.
    pub probes: u64,
}

/// A program for some of the parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    /// Where its origin is on the canvas.
    pub(super) origin: (i32, i32),
    pub(super) bounds: Bounds,
    /// Pixels out of place.
    pub(super) off: u32,
    pub(super) spacers: u32,
    pub(super) nodes: u32,
    pub(super) tree: u32,
    pub(super) root: ProdId,
}

/// A box on the canvas in 64ths of a pixel.
pub(super) type Key = [i64; 4];

impl Group {
    pub(super) fn cost(&self) -> u32 {
        8 * self.off + 16 * self.spacers + self.nodes
    }

    pub(super) fn key(&self) -> Key {
        let (x, y) = (f64::from(self.origin.0), f64::from(self.origin.1));
        let Bounds { x0, y0, x1, y1 } = self.bounds;
        [x0 + x, y0 + y, x1 + x, y1 + y].map(|side| (side * 64.0).round() as i64)
    }
}

#[derive(Clone, Debug)]
pub(super) enum Tree {
    Part(usize),
    Spacer(usize),
    Node(u32, SmallVec<[u32; 2]>),
}

/// Most parts that are assembled: all sets of them are looked at.
pub const MOST_PARTS: usize = 11;

/// Puts parts together.
pub struct Assembler<'a> {
    compiled: &'a Compiled,
    pub(super) kinds: &'a Kinds,
    pub(super) combos: &'a Combos,
    probe: Probe<'a>,
    parts: Vec<Placed>,
    /// For each set of parts those that have to be painted before one of them.
    under: Vec<u32>,
    trees: Vec<Tree>,
    #[allow(clippy::disallowed_types)]
    pub(super) padded: HashMap<u32, Padded, FxBuildHasher>,
    pub(super) probes: u64,
    /// Probes after which no more is tried.
    pub(super) limit: u64,
    pub(super) effort: Effort,
}

impl<'a> Assembler<'a> {
    /// For a picture of parts; `None` when it has none, or too many.
    pub fn new(
        compiled: &'a Compiled,
        kinds: &'a Kinds,
        combos: &'a Combos,
        flat: &Flat,
    ) -> Option<Assembler<'a>> {
        let parts = flat.parts.clone();
        if parts.is_empty() || parts.len() > MOST_PARTS {
            return None;
        }
        let each: Vec<u32> = (0..parts.len())
            .map(|index| flat.under.get(index).copied().unwrap_or(0))
            .collect();
        let under = (0..1u32 << parts.len()).map(|mask| {
            let members = each.iter().enumerate();
            let members = members.filter(|(index, _)| mask >> index & 1 == 1);
            members.fold(0, |all, (_, under)| all | under)
        });
        Some(Assembler {
            compiled,
            kinds,
            combos,
            probe: Probe::new(&compiled.grammar),
            under: under.collect(),
            parts,
            trees: Vec::new(),
            #[allow(clippy::disallowed_types)]
            padded: HashMap::default(),
            probes: 0,
            limit: 0,
            effort: Effort {
                tolerance: 0,
                spacers: 0,
                beside: 0,
                keep: 0,
                probes: 0,
            },
        })
    }

    /// Probes so far.
    pub fn probes(&self) -> u64 {
        self.probes
    }

    /// Programs with all parts, and how many pixels they are out of place, the best first. Nothing more is
    /// tried once `go_on` says no.
    pub fn programs(
        &mut self,
        effort: Effort,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Vec<(u32, Program)> {
        self.effort = effort;
        self.trees.clear();
        self.padded.clear();
        self.limit = self.probes.saturating_add(effort.probes);
        let all = (1usize << self.parts.len()) - 1;
        let mut sets: Vec<Vec<Group>> = vec![Vec::new(); all + 1];
        for index in 0..self.parts.len() {
            let placed = &self.parts[index];
            sets[1 << index].push(Group {
                origin: placed.at,
                bounds: placed.look.bounds,
                off: 0,
                spacers: 0,
                nodes: 1,
                tree: self.trees.len() as u32,
                root: self.kinds.production(&placed.part),
            });
            self.trees.push(Tree::Part(index));
        }
        // A part of a set is a lesser number.
        for set in 1..=all {
            if !go_on() {
                self.limit = self.probes;
                break;
            }
            let mut found = std::mem::take(&mut sets[set]);
            let mut first = (set - 1) & set;
            while first > 0 {
                let second = set & !first;
                // A look at the clock now and then.
                if self.probes >= self.limit {
                    break;
                }
                for a in &sets[first] {
                    for b in &sets[second] {
                        if self.probes < self.limit {
                            let masks = (first as u32, second as u32);
                            self.join((a, b), masks, &mut found);
                        }
                    }
                }
                first = (first - 1) & set;
            }
            sets[set] = found;
        }
        let mut finished = Vec::new();
        for group in std::mem::take(&mut sets[all]) {
            self.finish(group, &mut finished);
        }
        finished.sort_by_key(Group::cost);
        let programs = finished
            .iter()
            .filter_map(|group| Some((group.off, self.write(group)?)));
        programs.collect()
    }

    pub(super) fn lay(&mut self, combo: u32, bounds: &[Bounds]) -> Option<Laid> {
        self.probes += 1;
        self.combos.lay(&mut self.probe, combo, bounds)
    }

    /// Every group of two.
    fn join(&mut self, (a, b): (&Group, &Group), masks: (u32, u32), found: &mut Vec<Group>) {
        let need = (b.origin.0 - a.origin.0, b.origin.1 - a.origin.1);
        let combos = self.combos;
        let mut exact = false;
        let mut open: SmallVec<[(u32, (i32, i32)); 4]> = SmallVec::new();
        for (number, class) in combos.pairs.iter().enumerate() {
            // What lies below is painted first.
            let (first, second) = match class.second_over {
                true => masks,
                false => (masks.1, masks.0),
            };
            if self.under[first as usize] & second != 0 {
                continue;
            }
            let Some((base, _)) = class.members.first() else {
                continue;
            };
            let Some(laid) = self.lay(*base, &[a.bounds, b.bounds]) else {
                continue;
            };
            let at = displacement(&laid);
            let rest = (need.0 - at.0, need.1 - at.1);
            let mut best: Option<(u32, i64)> = None;
            for (combo, by) in &class.members {
                let far = (rest.0 - by.0, rest.1 - by.1);
                let pixels = far.0.abs() + far.1.abs();
                if pixels <= self.effort.tolerance + 1 {
                    exact |= self.join_by(*combo, (a, b), found);
                }
                // Otherwise moved, by as few moves as possible.
                if !combos.steps.is_empty() && pixels > 0 {
                    let cost = i64::from(combos.distance(far)) * 4096 + i64::from(pixels);
                    if best.is_none_or(|(_, least)| cost < least) {
                        best = Some((*combo, cost));
                    }
                }
            }
            if let Some((combo, _)) = best {
                exact |= self.join_moved(combo, (a, b), found);
            }
            open.push((number as u32, rest));
        }
        if !exact && self.effort.beside > 0 && a.spacers + b.spacers < self.effort.spacers {
            for (class, rest) in open {
                self.join_padded(class, rest, (a, b), found);
            }
        }
    }

    /// The group of two by a combo, if both are in their places; whether they are to the pixel.
    pub(super) fn join_by(
        &mut self,
        combo: u32,
        (a, b): (&Group, &Group),
        found: &mut Vec<Group>,
    ) -> bool {
        let need = (b.origin.0 - a.origin.0, b.origin.1 - a.origin.1);
        let Some(laid) = self.lay(combo, &[a.bounds, b.bounds]) else {
            return false;
        };
        let at = displacement(&laid);
        let off = (need.0 - at.0).abs() + (need.1 - at.1).abs();
        if off > self.effort.tolerance {
            return false;
        }
        self.put(combo, &laid, (a, b), off as u32, found);
        off == 0
    }

    /// The same with the second moved to its place.
    fn join_moved(&mut self, combo: u32, (a, b): (&Group, &Group), found: &mut Vec<Group>) -> bool {
        let need = (b.origin.0 - a.origin.0, b.origin.1 - a.origin.1);
        let Some(laid) = self.lay(combo, &[a.bounds, b.bounds]) else {
            return false;
        };
        let at = displacement(&laid);
        let by = (need.0 - at.0, need.1 - at.1);
        let Some(moved) = self.moved(b, by) else {
            return false;
        };
        self.put(combo, &laid, (a, &moved), 0, found);
        true
    }

    /// A group moved against its bounds: its parts are where they were, its origin is not.
    fn moved(&mut self, group: &Group, by: (i32, i32)) -> Option<Group> {
        let chain = self.combos.moving(by)?;
        let mut moved = *group;
        for combo in chain {
            let below = &self.combos.all[combo as usize].below;
            if !below.iter().all(|slot| self.accepts(slot, moved.root)) {
                return None;
            }
            moved.tree = self.grow(Tree::Node(combo, smallvec::smallvec![moved.tree]));
            moved.root = self.combos.all[combo as usize].production;
            moved.nodes += 1;
        }
        moved.origin = (group.origin.0 - by.0, group.origin.1 - by.1);
        Some(moved)
    }

    /// Keeps the group of two, if it is among the best.
    fn put(
        &mut self,
        combo: u32,
        laid: &Laid,
        (a, b): (&Group, &Group),
        off: u32,
        found: &mut Vec<Group>,
    ) {
        let first = laid.order.iter().find(|(which, _)| *which == 0);
        let at = first.map_or((0, 0), |(_, at)| *at);
        let mut group = Group {
            origin: (a.origin.0 - at.0, a.origin.1 - at.1),
            bounds: laid.bounds,
            off: a.off + b.off + off,
            spacers: a.spacers + b.spacers,
            nodes: a.nodes + b.nodes + 1,
            tree: 0,
            root: self.combos.all[combo as usize].production,
        };
        let (key, cost) = (group.key(), group.cost());
        if let Some(alike) = found.iter().position(|other| other.key() == key) {
            if found[alike].cost() <= cost {
                return;
            }
            found.remove(alike);
        } else if found.len() >= self.effort.keep
            && found.last().is_some_and(|last| last.cost() <= cost)
        {
            return;
        }
        if !self.fits(combo, &[a.root, b.root]) {
            return;
        }
        group.tree = self.grow(Tree::Node(combo, smallvec::smallvec![a.tree, b.tree]));
        let place = found.partition_point(|other| other.cost() <= cost);
        found.insert(place, group);
        found.truncate(self.effort.keep.max(1));
    }

    pub(super) fn grow(&mut self, tree: Tree) -> u32 {
        self.trees.push(tree);
        self.trees.len() as u32 - 1
    }

    fn accepts(&self, slot: &Slot, root: ProdId) -> bool {
        match slot {
            Slot::Token(..) => true,
            Slot::Drawing(nt) => self.allows(*nt, root),
        }
    }

    fn allows(&self, nt: NtId, root: ProdId) -> bool {
        let grammar = &self.compiled.grammar;
        grammar.nonterminal(nt).productions.contains(&root)
    }

    /// Whether these may stand below a combo.
    pub(super) fn fits(&self, combo: u32, roots: &[ProdId]) -> bool {
        let mut roots = roots.iter();
        let below = &self.combos.all[combo as usize].below;
        below.iter().all(|slot| match slot {
            Slot::Token(..) => true,
            Slot::Drawing(nt) => roots.next().is_some_and(|root| self.allows(*nt, *root)),
        })
    }

    /// Puts a group on the canvas, moved or with something beside it if that is needed.
    fn finish(&mut self, group: Group, finished: &mut Vec<Group>) {
        let off = |probe: &Probe<'_>, group: &Group| {
            let at = probe.canvas(group.bounds);
            (group.origin.0 - at.0, group.origin.1 - at.1)
        };
        let by = off(&self.probe, &group);
        if by == (0, 0) {
            finished.push(group);
            return;
        }
        if let Some(moved) = self.moved(&group, by) {
            finished.push(moved);
            return;
        }
        // Things beside it, one after the other, each such that it is nearer to its place.
        let mut from: Vec<Group> = vec![group];
        for _ in group.spacers..self.effort.spacers {
            let mut next: Vec<(i32, Group)> = Vec::new();
            for group in &from {
                self.pad(group);
                let padded = self.padded.get(&group.tree);
                for padded in padded.iter().flat_map(|padded| &padded.groups) {
                    let by = off(&self.probe, padded);
                    next.push((by.0.abs() + by.1.abs(), *padded));
                }
            }
            next.sort_by_key(|(far, group)| (*far, group.cost()));
            if let Some((0, best)) = next.first() {
                finished.push(*best);
                return;
            }
            next.truncate(STEPS_ON);
            from = next.into_iter().map(|(_, group)| group).collect();
        }
        let pixels = by.0.abs() + by.1.abs();
        let off = group.off + pixels.cast_unsigned();
        finished.push(Group { off, ..group });
    }

    fn write(&self, group: &Group) -> Option<Program> {
        let grammar = &self.compiled.grammar;
        if !self.allows(grammar.start, group.root) {
            return None;
        }
        let mut kinds: Vec<(ProdId, u32)> = Vec::new();
        let mut part = Program::default();
        enum Task {
            Tree(u32),
            Node(ProdId, u32),
        }
        let mut tasks = vec![Task::Tree(group.tree)];
        while let Some(task) = tasks.pop() {
            let tree = match task {
                Task::Node(production, value) => {
                    kinds.push((production, value));
                    continue;
                }
                Task::Tree(tree) => tree,
            };
            let written = match self.trees.get(tree as usize)? {
                Tree::Part(index) => &self.parts.get(*index)?.part,
                Tree::Spacer(index) => &self.combos.spacers.get(*index)?.part,
                Tree::Node(combo, below) => {
                    let combo = &self.combos.all[*combo as usize];
                    kinds.push((combo.production, 0));
                    let mut below = below.iter();
                    let mut next: SmallVec<[Task; 6]> = SmallVec::new();
                    for slot in &combo.below {
                        next.push(match slot {
                            Slot::Token(token, value) => Task::Node(*token, *value),
                            Slot::Drawing(_) => Task::Tree(*below.next()?),
                        });
                    }
                    tasks.extend(next.into_iter().rev());
                    continue;
                }
            };
            self.kinds.write(written, &mut part);
            kinds.extend(
                part.nodes()
                    .iter()
                    .map(|node| (node.production, node.value)),
            );
        }
        Program::from_preorder(grammar, kinds, Vec::new())
    }
}
