//! Holes: which parts of a program can be taken out, and what may be put in their place.
//!
//! In: a compiled picture language, programs. Out: parts, and random ones to replace them (see `fill` for
//! which is best). Afterwards nothing is kept but what is known of the grammar.
//!
//! An *atom* is a production that draws a region and has no region below it: a primitive with its
//! numbers. A *part* is a region with one atom in it: the atom, and whatever moves, turns or cuts it
//! alone. The rest of the program is drawn twice, once with nothing and once with everything in the
//! part's place; from then on any part there costs one sum over its rows (see
//! [`Weights`](crate::render::bits::Weights)). This is the exact resampling of leaves that research on CSG2D
//! found to pay best, for any language whose draw code combines regions.

use rand::RngExt;

use crate::Compiled;
use crate::grammar::expr::Type;
use crate::grammar::ids::{NtId, ProdId};
use crate::grammar::ir::{Domain, NonterminalKind, ProductionKind, SizeMetric};
use crate::sample::{Rng, Sampler, Scratch};
use crate::search::moves::pick;
use crate::tree::{Layout, Node, Program};

/// What is known of a grammar's atoms.
pub(super) struct Holes<'a> {
    layout: &'a Layout,
    sampler: &'a Sampler<'a>,
    /// For each production whether it is an atom.
    atoms: Vec<bool>,
    /// For each nonterminal whether it draws a region that may have an atom in it.
    regions: Vec<bool>,
    /// For each nonterminal whether there may be such a region in what stands for it.
    reach: Vec<bool>,
    /// For each production that is a token: number of values, and whether neighbours are alike.
    values: Vec<Option<(u32, bool)>>,
    /// Greatest size of a new part.
    small: u32,
}

/// How often a part is drawn anew until it has one atom.
const REDRAWS: usize = 8;

impl<'a> Holes<'a> {
    pub(super) fn new(compiled: &'a Compiled, sampler: &'a Sampler<'a>) -> Holes<'a> {
        let grammar = &compiled.grammar;
        let region = |nt: NtId| match grammar.nonterminal(nt).kind {
            NonterminalKind::Sort { sort, .. } => {
                grammar.sorts[sort.index()].draw == Some(Type::Region)
            }
            _ => false,
        };
        // Nonterminals from which a region can be reached: grows until it is stable.
        let mut reach: Vec<bool> = (0..grammar.nonterminals.len())
            .map(|nt| region(NtId::from_index(nt)))
            .collect();
        loop {
            let before = reach.clone();
            for (nt, def) in grammar.nonterminals.iter().enumerate() {
                let below = |id: &ProdId| {
                    let children = &grammar.production(*id).children;
                    children.iter().any(|child| before[child.nt.index()])
                };
                reach[nt] = before[nt] || def.productions.iter().any(below);
            }
            if reach == before {
                break;
            }
        }
        let mut atoms = vec![false; grammar.productions.len()];
        let mut regions = vec![false; grammar.nonterminals.len()];
        for (at, nt) in grammar.nonterminals.iter().enumerate() {
            let id = NtId::from_index(at);
            if !region(id) {
                continue;
            }
            regions[at] = true;
            for id in &nt.productions {
                let production = grammar.production(*id);
                let mut children = production.children.iter();
                atoms[id.index()] |= matches!(production.kind, ProductionKind::Node(_))
                    && children.all(|child| !reach[child.nt.index()]);
            }
        }
        let values = grammar
            .productions
            .iter()
            .map(|production| match production.kind {
                ProductionKind::Token(token) => {
                    let domain = &grammar.token(token).domain;
                    let ordered = !matches!(domain, Domain::Finite(_));
                    domain
                        .count()
                        .filter(|count| *count > 1)
                        .map(|count| (count, ordered))
                }
                _ => None,
            })
            .collect();
        Holes {
            layout: sampler.layout(),
            sampler,
            atoms,
            regions,
            reach,
            values,
            small: match grammar.size {
                SizeMetric::Primitives => 1,
                _ => grammar.mutate.small.max(1),
            },
        }
    }

    /// Whether the grammar has atoms.
    pub(super) fn any(&self) -> bool {
        self.atoms.contains(&true)
    }

    /// For each production whether it is one.
    pub(super) fn atoms(&self) -> &[bool] {
        &self.atoms
    }

    /// Whether a production is one.
    pub(super) fn is_atom(&self, id: ProdId) -> bool {
        self.atoms[id.index()]
    }

    /// Whether a part may stand for a nonterminal.
    pub(super) fn has_parts(&self, nt: NtId) -> bool {
        self.regions[nt.index()]
    }

    /// Whether what stands for a nonterminal may have a part in it, such as a layer's shape.
    pub(super) fn may_hold_parts(&self, nt: NtId) -> bool {
        self.reach[nt.index()]
    }

    /// Where the first region is in the subtree at `at`, which stands for `nt`, and its nonterminal.
    pub(super) fn region_in(
        &self,
        program: &Program,
        at: usize,
        nt: NtId,
    ) -> Option<(usize, NtId)> {
        if self.has_parts(nt) {
            return Some((at, nt));
        }
        let (mut pending, mut nts) = (Vec::new(), Vec::new());
        let nodes = program.subtree(at);
        self.layout
            .positions_into(nt, nodes, &mut pending, &mut nts);
        let found = nts.iter().position(|nt| self.has_parts(*nt))?;
        Some((at + found, nts[found]))
    }

    /// For a production that is a token with values to choose from: how many there are, and whether
    /// neighbours are alike.
    pub(super) fn values_of(&self, id: ProdId) -> Option<(u32, bool)> {
        self.values[id.index()]
    }

    pub(super) fn layout(&self) -> &'a Layout {
        self.layout
    }

    /// Number of atoms in some nodes.
    fn count(&self, nodes: &[Node]) -> usize {
        nodes
            .iter()
            .filter(|node| self.is_atom(node.production))
            .count()
    }

    /// A random part that has one atom: the atom on its own, or with what is around it.
    pub(super) fn part(&self, program: &Program, nts: &[NtId], rng: &mut Rng) -> Option<usize> {
        let nodes = program.nodes();
        let is_atom = |at: &usize| self.is_atom(nodes[*at].production);
        let atom = pick((0..nodes.len()).filter(is_atom), rng)?;
        let around = |at: &usize| {
            self.has_parts(nts[*at])
                && *at + nodes[*at].len as usize > atom
                && self.count(program.subtree(*at)) == 1
        };
        // The greatest of them has all the numbers that say where the atom is.
        match rng.random_range(0..2) {
            0 => (0..=atom).find(around),
            _ => pick((0..=atom).filter(around), rng),
        }
    }

    /// A random part for a nonterminal.
    pub(super) fn random(
        &self,
        nt: NtId,
        scratch: &mut Scratch,
        rng: &mut Rng,
        out: &mut Program,
    ) -> bool {
        for _ in 0..REDRAWS {
            let drawn = self
                .sampler
                .sample_nt_into(nt, 0..=self.small, scratch, rng, out);
            if !drawn {
                return false;
            }
            if self.count(out.nodes()) == 1 {
                return true;
            }
        }
        false
    }
}
