//! Insertion: a part of a program becomes a child of a new node.
//!
//! In: a program, and productions with room for one of its parts. Out: edits. Afterwards the part is
//! still there, beside others that are new.

use rand::RngExt;

use super::{Map, Moves, pick};
use crate::grammar::ids::{NtId, ProdId};
use crate::sample::Rng;
use crate::tree::{Edit, Node, Program};

impl Moves<'_> {
    /// An edit that puts a part into a new node with room for another one, for which `wanted` says
    /// whether its nonterminal will do: the edit, where in its replacement the other part is,
    /// and its nonterminal.
    pub(in crate::search) fn insertion(
        &self,
        program: &Program,
        wanted: &dyn Fn(NtId) -> bool,
        rng: &mut Rng,
    ) -> Option<(Edit, usize, NtId)> {
        let map = self.map(program);
        let grammar = &self.compiled.grammar;
        let can = |at: &usize| !self.wraps[map.nts[*at].index()].is_empty();
        let position = pick((0..program.len()).filter(can), rng)?;
        let (id, slot) = self.wrap_of(program, &map, position, rng)?;
        let children = &grammar.production(id).children;
        let others = (0..children.len()).filter(|at| *at != slot && wanted(children[*at].nt));
        let hole = pick(others, rng)?;
        let (edit, starts) = self.wrapped(program, position, (id, slot), rng)?;
        Some((edit, *starts.get(hole)?, children[hole].nt))
    }

    /// A part becomes a child of a new node, whose other children are drawn.
    pub(super) fn wrap(&self, program: &Program, map: &Map, k: usize, rng: &mut Rng) -> Vec<Edit> {
        let can = |at: &usize| !self.wraps[map.nts[*at].index()].is_empty();
        let Some(position) = pick((0..program.len()).filter(can), rng) else {
            return Vec::new();
        };
        let Some(wrap) = self.wrap_of(program, map, position, rng) else {
            return Vec::new();
        };
        (0..k)
            .filter_map(|_| Some(self.wrapped(program, position, wrap, rng)?.0))
            .filter(|edit| self.fits(program, edit))
            .collect()
    }

    /// A production with room for the part at a position, and where in it.
    fn wrap_of(
        &self,
        program: &Program,
        map: &Map,
        position: usize,
        rng: &mut Rng,
    ) -> Option<(ProdId, usize)> {
        let grammar = &self.compiled.grammar;
        let room = |(id, index): &(ProdId, usize)| {
            let child = &grammar.production(*id).children[*index];
            let inner = &grammar.nonterminal(child.nt).productions;
            inner.contains(&program.nodes()[position].production)
        };
        let wraps = self.wraps[map.nts[position].index()].iter().copied();
        pick(wraps.filter(room), rng)
    }

    /// The part at a position in a new node, and where the node's children are.
    fn wrapped(
        &self,
        program: &Program,
        position: usize,
        (id, slot): (ProdId, usize),
        rng: &mut Rng,
    ) -> Option<(Edit, Vec<usize>)> {
        let grammar = &self.compiled.grammar;
        let small = grammar.mutate.small.max(1);
        let mut replacement = Program::default();
        let mut starts = Vec::new();
        replacement.nodes.push(Node {
            production: id,
            value: 0,
            len: 1,
            size: 0,
        });
        for (index, child) in grammar.production(id).children.iter().enumerate() {
            starts.push(replacement.len());
            if index == slot {
                self.layout.append(program, position, &mut replacement);
            } else {
                // Mostly one primitive: more are added one at a time.
                let cap = if rng.random_range(0..4) == 0 {
                    small
                } else {
                    1
                };
                let part = self
                    .random(child.nt, cap, rng)
                    .or_else(|| self.random(child.nt, small, rng))?;
                self.layout.append(&part, 0, &mut replacement);
            }
        }
        let mut edit = Edit {
            position,
            replacement,
        };
        self.layout
            .annotate(&mut edit.replacement)
            .then_some((edit, starts))
    }
}
