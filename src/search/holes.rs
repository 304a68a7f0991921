//! Holes: which parts of a program can be taken out, and what is best put in their place.
//!
//! In: a compiled picture language, a target, programs that are drawn. Out: parts for a hole, found by
//! looking at thousands of them. Afterwards the program is as it was; whoever asked puts the part
//! in.
//!
//! An *atom* is a production that draws a region and has no region below it: a primitive with its
//! numbers. A *part* is a region with one atom in it: the atom, and whatever moves, turns or cuts it
//! alone. The rest of the program is drawn twice, once with nothing and once with everything in the
//! part's place; from then on any part there costs one sum over its rows (see [`Weights`]). This is the exact resampling of leaves that research on CSG2D found to pay
//! best, for any language whose draw code combines regions.

use rand::RngExt;

use crate::Compiled;
use crate::grammar::expr::Type;
use crate::grammar::ids::{NtId, ProdId};
use crate::grammar::ir::{Domain, NonterminalKind, ProductionKind, SizeMetric};
use crate::render::RenderError;
use crate::render::bits::{Bits, Planes, Weights};
use crate::sample::{Rng, Sampler, Scratch};
use crate::scene::piece::Pieces;
use crate::scene::{Bounds, Live};
use crate::search::chance::{boltzmann, gumbel, metropolis};
use crate::search::moves::pick;
use crate::tree::{Edit, Layout, Node, Program};

/// Values of a token that are all looked at in one sweep; of more, those nearest and some others.
const SWEEP: u32 = 32;

/// Pairs of values that are all looked at.
const PAIRS: u32 = 1024;

/// Atoms that are fitted to a blot, of those that are looked at.
const FITTED: u32 = 3;

/// How far a hole is widened.
const MOST_RAISES: usize = 8;

/// What is known of a grammar's atoms.
pub(super) struct Holes<'a> {
    layout: &'a Layout,
    sampler: &'a Sampler<'a>,
    /// For each production whether it is an atom.
    atoms: Vec<bool>,
    /// For each nonterminal whether it draws a region that may have an atom in it.
    regions: Vec<bool>,
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

/// Looks for parts for one hole after another.
pub(super) struct Filler<'a> {
    holes: &'a Holes<'a>,
    pieces: Pieces<'a>,
    weights: Weights,
    scratch: Scratch,
    /// The part that is in the hole, and what was tried.
    piece: Program,
    tried: Program,
    error: f64,
    /// Positions of tokens with values to choose.
    tokens: Vec<usize>,
    values: Vec<u32>,
    errors: Vec<f64>,
    /// Parts looked at.
    looked: u64,
    /// What is kept of pictures of parts that are more than a shape.
    planes: Planes,
    /// Where in the part the atom is that is changed, and how many nodes it has.
    atom: (usize, usize),
    spare: Program,
}

impl<'a> Filler<'a> {
    pub(super) fn new(compiled: &'a Compiled, holes: &'a Holes<'a>) -> Filler<'a> {
        Filler {
            holes,
            pieces: Pieces::new(&compiled.grammar),
            weights: Weights::default(),
            scratch: Scratch::default(),
            piece: Program::default(),
            tried: Program::default(),
            error: f64::INFINITY,
            tokens: Vec::new(),
            values: Vec::new(),
            errors: Vec::new(),
            looked: 0,
            planes: Planes::default(),
            atom: (0, 0),
            spare: Program::default(),
        }
    }

    /// Makes a hole around an atom of an edit's replacement: as small as possible, but such that the
    /// picture depends on nothing but its pixels. The edit is made larger where that needs more of
    /// the program. False when there is no such hole, or what is in it is not seen.
    pub(super) fn open(
        &mut self,
        bits: &mut Bits,
        live: &mut Live<'_>,
        edit: &mut Edit,
        atom: usize,
    ) -> Result<Option<usize>, RenderError> {
        self.looked = 0;
        self.error = f64::INFINITY;
        let (mut hole, mut atom) = (atom, atom);
        for _ in 0..MOST_RAISES {
            self.looked += 2;
            if bits.weigh(live, edit, hole, &mut self.weights)? {
                if !self.weights.matters() {
                    return Ok(None);
                }
                let layout = self.holes.layout;
                layout.extract_into(&edit.replacement, hole, &mut self.piece);
                self.atom = (atom - hole, edit.replacement.nodes()[atom].len as usize);
                return Ok(Some(hole));
            }
            if hole > 0 {
                hole = parent(&edit.replacement, hole);
            } else if edit.position > 0 {
                let program = live.program();
                let above = parent(program, edit.position);
                let below = edit.position - above;
                let layout = self.holes.layout;
                layout.extract_into(program, above, &mut self.spare);
                layout.splice(&mut self.spare, below, &edit.replacement);
                std::mem::swap(&mut self.spare, &mut edit.replacement);
                edit.position = above;
                atom += below;
            } else {
                break;
            }
        }
        Ok(None)
    }

    /// Parts looked at since the hole was opened; drawing the rest of the program counts as two.
    pub(super) fn looked(&self) -> u64 {
        self.looked
    }

    /// The part in the hole.
    pub(super) fn piece(&self) -> &Program {
        &self.piece
    }

    /// Number of wrong pixels with the part in the hole.
    pub(super) fn error(&self) -> f64 {
        self.error
    }

    /// Leaves the part in the hole as it is.
    pub(super) fn keep(&mut self, bits: &mut Bits) {
        self.error = self.look(bits);
        self.find_tokens();
    }

    /// Puts the best of some random parts in the place of the one that is there: each is as likely as
    /// its error says. A few are first fitted to pixels that are wrong and hang together.
    pub(super) fn draw(
        &mut self,
        bits: &mut Bits,
        nt: NtId,
        count: u32,
        temperature: f64,
        rng: &mut Rng,
    ) -> bool {
        let mut chosen = f64::INFINITY;
        let mut noise = f64::NEG_INFINITY;
        let at = self.atom.0;
        self.tried.clone_from(&self.piece);
        // From small blots to all of the canvas, each size as likely.
        let reach = libm::exp2(rng.random_range(2.0..8.0)) as i32;
        let blot = self.weights.blot(reach, rng);
        for i in 0..count {
            if !self
                .holes
                .random(nt, &mut self.scratch, rng, &mut self.spare)
            {
                return false;
            }
            if at == 0 {
                std::mem::swap(&mut self.piece, &mut self.spare);
            } else {
                self.holes.layout.splice(&mut self.piece, at, &self.spare);
            }
            if let Some(blot) = blot.filter(|_| i < FITTED) {
                self.atom.1 = self.piece.nodes()[at].len as usize;
                self.find_tokens();
                self.fit(&blot, rng);
            }
            let error = self.look(bits);
            if !error.is_finite() {
                continue;
            }
            // The greatest of these is drawn by softmax, whatever the number (Gumbel).
            let key = gumbel(rng) - error / temperature;
            if key > noise {
                noise = key;
                chosen = error;
                std::mem::swap(&mut self.piece, &mut self.tried);
            }
        }
        std::mem::swap(&mut self.piece, &mut self.tried);
        self.error = chosen;
        self.atom.1 = self.piece.nodes()[at].len as usize;
        self.find_tokens();
        chosen.is_finite()
    }

    /// Fits the numbers of the atom such that the box around it is as near to another as can be, one
    /// number after the other.
    fn fit(&mut self, to: &Bounds, rng: &mut Rng) {
        // The second time there is less to do.
        for longest in [2, 16] {
            for i in 0..self.tokens.len() {
                let other = rng.random_range(i..self.tokens.len());
                self.tokens.swap(i, other);
                self.fit_token(self.tokens[i], longest, to);
            }
        }
    }

    fn fit_token(&mut self, at: usize, longest: u32, to: &Bounds) {
        let node = self.piece.nodes()[at];
        let Some((count, true)) = self.holes.values[node.production.index()] else {
            return;
        };
        let mut best = (self.distance(to), node.value);
        // By halves: as many steps as the number of values has digits, from wide to narrow.
        let mut stride = (count / longest).next_power_of_two();
        while stride > 0 {
            let here = best.1;
            let down = here.checked_sub(stride);
            let up = here.checked_add(stride).filter(|value| *value < count);
            for value in down.into_iter().chain(up) {
                self.piece.nodes[at].value = value;
                let distance = self.distance(to);
                if distance < best.0 {
                    best = (distance, value);
                }
            }
            stride /= 2;
        }
        self.piece.nodes[at].value = best.1;
    }

    /// How far the box around the part is from another, in pixels.
    fn distance(&mut self, to: &Bounds) -> f64 {
        let Some(found) = self.weights.extent(&mut self.pieces, &self.piece) else {
            return f64::INFINITY;
        };
        (found.x0 - to.x0).abs()
            + (found.y0 - to.y0).abs()
            + (found.x1 - to.x1).abs()
            + (found.y1 - to.y1).abs()
    }

    fn find_tokens(&mut self) {
        self.tokens.clear();
        let (first, len) = self.atom;
        for (at, node) in self.piece.nodes().iter().enumerate().skip(first).take(len) {
            if self.holes.values[node.production.index()].is_some() {
                self.tokens.push(at);
            }
        }
    }

    /// Gives each token of the part in turn, in random order, one of its values, each as likely as
    /// its error says (Gibbs sampling).
    pub(super) fn sweep(&mut self, bits: &mut Bits, temperature: f64, rng: &mut Rng) {
        for at in 0..self.tokens.len() {
            let other = rng.random_range(at..self.tokens.len());
            self.tokens.swap(at, other);
            self.sweep_token(bits, self.tokens[at], temperature, rng);
        }
    }

    fn sweep_token(&mut self, bits: &mut Bits, at: usize, temperature: f64, rng: &mut Rng) {
        let node = self.piece.nodes()[at];
        let Some((count, ordered)) = self.holes.values[node.production.index()] else {
            return;
        };
        self.values.clear();
        if count <= SWEEP {
            self.values.extend(0..count);
        } else {
            // Far ones thinner than near ones.
            self.values.push(node.value);
            let mut reach = 1u32;
            while ordered && reach < count {
                self.values.extend(node.value.checked_sub(reach));
                let up = node.value.checked_add(reach);
                self.values.extend(up.filter(|value| *value < count));
                reach += (reach / 2).max(1);
            }
            let others = if ordered { 4 } else { SWEEP };
            for _ in 0..others {
                self.values.push(rng.random_range(0..count));
            }
        }
        self.errors.clear();
        for i in 0..self.values.len() {
            let value = self.values[i];
            let error = if value == node.value {
                self.error
            } else {
                self.piece.nodes[at].value = value;
                self.look(bits)
            };
            self.errors.push(error);
        }
        let chosen = boltzmann(&self.errors, temperature, rng);
        let (value, error) = match chosen {
            Some(index) => (self.values[index], self.errors[index]),
            None => (node.value, self.error),
        };
        self.piece.nodes[at].value = value;
        self.error = error;
    }

    /// Gives two tokens of the part at once one of their pairs of values, each as likely as its error
    /// says: what has to change together does. Nothing happens where there are too many pairs.
    pub(super) fn sweep_pair(&mut self, bits: &mut Bits, temperature: f64, rng: &mut Rng) {
        if self.tokens.len() < 2 {
            return;
        }
        let first = rng.random_range(0..self.tokens.len());
        let second = (first + rng.random_range(1..self.tokens.len())) % self.tokens.len();
        let (a, b) = (self.tokens[first], self.tokens[second]);
        let [old_a, old_b] = [a, b].map(|at| self.piece.nodes()[at].value);
        let [count_a, count_b] = [a, b].map(|at| {
            let production = self.piece.nodes()[at].production;
            self.holes.values[production.index()].map_or(1, |(count, _)| count)
        });
        if count_a.saturating_mul(count_b) > PAIRS {
            return;
        }
        self.errors.clear();
        for pair in 0..count_a * count_b {
            self.piece.nodes[a].value = pair / count_b;
            self.piece.nodes[b].value = pair % count_b;
            let error = self.look(bits);
            self.errors.push(error);
        }
        let pair = boltzmann(&self.errors, temperature, rng);
        let (value_a, value_b, error) = match pair {
            Some(pair) => {
                let at = pair as u32;
                (at / count_b, at % count_b, self.errors[pair])
            }
            None => (old_a, old_b, self.error),
        };
        self.piece.nodes[a].value = value_a;
        self.piece.nodes[b].value = value_b;
        self.error = error;
    }

    /// Moves one to three numbers of the part by a little each; keeps it by Metropolis's rule.
    pub(super) fn nudge(&mut self, bits: &mut Bits, temperature: f64, rng: &mut Rng) {
        const STEPS: [u32; 8] = [1, 1, 1, 2, 2, 3, 4, 8];
        if self.tokens.is_empty() {
            return;
        }
        let mut old: [(usize, u32); 3] = [(0, 0); 3];
        let wanted = match rng.random_range(0..8) {
            0..3 => 1,
            3..7 => 2,
            _ => 3,
        };
        let mut changed = 0;
        for _ in 0..wanted.min(self.tokens.len()) {
            let at = self.tokens[rng.random_range(0..self.tokens.len())];
            if old[..changed].iter().any(|(other, _)| *other == at) {
                continue;
            }
            let node = self.piece.nodes()[at];
            let Some((count, ordered)) = self.holes.values[node.production.index()] else {
                continue;
            };
            let value = if ordered {
                let step = STEPS[rng.random_range(0..STEPS.len())].min(count - 1);
                match rng.random_range(0..2) {
                    0 => node.value.checked_sub(step),
                    _ => Some(node.value + step).filter(|value| *value < count),
                }
            } else {
                Some(rng.random_range(0..count))
            };
            let Some(value) = value.filter(|value| *value != node.value) else {
                continue;
            };
            old[changed] = (at, node.value);
            changed += 1;
            self.piece.nodes[at].value = value;
        }
        if changed == 0 {
            return;
        }
        let error = self.look(bits);
        if metropolis(error - self.error, temperature, rng) {
            self.error = error;
        } else {
            for (at, value) in &old[..changed] {
                self.piece.nodes[*at].value = *value;
            }
        }
    }

    /// The error with the part in the hole; infinite for what cannot be told.
    fn look(&mut self, bits: &mut Bits) -> f64 {
        self.looked += 1;
        let (weights, pieces) = (&self.weights, &mut self.pieces);
        bits.filled_by_piece(weights, pieces, &self.piece, &mut self.planes)
            .map_or(f64::INFINITY, |error| error as f64)
    }
}

/// The parent of a node that is not the root.
fn parent(program: &Program, node: usize) -> usize {
    let mut parent = 0;
    let mut at = 0;
    while at < node {
        if at + program.nodes()[at].len as usize > node {
            parent = at;
            at += 1;
        } else {
            at += program.nodes()[at].len as usize;
        }
    }
    parent
}
