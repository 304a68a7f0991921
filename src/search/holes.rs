//! Holes: which parts of a program can be taken out, and what is best put in their place.
//!
//! In: a compiled picture language, a target, programs that are drawn. Out: parts for a hole, found by
//! looking at thousands of them. Afterwards the program is as it was; whoever asked puts the part
//! in.
//!
//! An *atom* is a production that draws a region and has no region below it: a primitive with its
//! numbers. The rest of the program is drawn twice, once with nothing and once with everything in the
//! atom's place; from then on any atom there costs one sum over its rows (see
//! [`Weights`]). This is the exact resampling of leaves that research on CSG2D found to pay
//! best, for any language whose draw code combines regions.

use rand::RngExt;

use crate::Compiled;
use crate::grammar::expr::Type;
use crate::grammar::ids::{NtId, ProdId};
use crate::grammar::ir::{Domain, NonterminalKind, ProductionKind};
use crate::render::RenderError;
use crate::render::bits::{Bits, Weights};
use crate::sample::{Rng, Sampler, Scratch};
use crate::scene::Live;
use crate::scene::piece::Pieces;
use crate::search::chance::{boltzmann, gumbel, metropolis};
use crate::tree::{Edit, Program};

/// Values of a token that are all looked at in one sweep; of more, those nearest and some others.
const SWEEP: u32 = 64;

/// What is known of a grammar's atoms.
pub(super) struct Holes<'a> {
    sampler: &'a Sampler<'a>,
    /// For each production whether it is an atom.
    atoms: Vec<bool>,
    /// For each nonterminal its atoms.
    of: Vec<Vec<ProdId>>,
    /// For each production that is a token: number of values, and whether neighbours are alike.
    values: Vec<Option<(u32, bool)>>,
    /// Greatest size of an atom.
    small: u32,
}

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
        let bare = |id: ProdId| {
            let production = grammar.production(id);
            matches!(production.kind, ProductionKind::Node(_))
                && production
                    .children
                    .iter()
                    .all(|child| !reach[child.nt.index()])
        };
        let mut atoms = vec![false; grammar.productions.len()];
        let mut of = Vec::new();
        for nt in 0..grammar.nonterminals.len() {
            let id = NtId::from_index(nt);
            let all = grammar.nonterminal(id).productions.iter().copied();
            let mine: Vec<ProdId> = match region(id) {
                true => all.filter(|id| bare(*id)).collect(),
                false => Vec::new(),
            };
            mine.iter().for_each(|id| atoms[id.index()] = true);
            of.push(mine);
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
            sampler,
            atoms,
            of,
            values,
            small: grammar.mutate.small.max(1),
        }
    }

    /// Whether the grammar has atoms.
    pub(super) fn any(&self) -> bool {
        self.atoms.contains(&true)
    }

    /// Whether a production is one.
    pub(super) fn is_atom(&self, id: ProdId) -> bool {
        self.atoms[id.index()]
    }

    /// Whether an atom may stand for a nonterminal.
    pub(super) fn has_atoms(&self, nt: NtId) -> bool {
        !self.of[nt.index()].is_empty()
    }

    /// A random atom for a nonterminal.
    pub(super) fn random(
        &self,
        nt: NtId,
        scratch: &mut Scratch,
        rng: &mut Rng,
        out: &mut Program,
    ) -> bool {
        let atoms = &self.of[nt.index()];
        if atoms.is_empty() {
            return false;
        }
        let id = atoms[rng.random_range(0..atoms.len())];
        self.sampler
            .sample_production_into(id, 0..=self.small, scratch, rng, out)
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
        }
    }

    /// Makes a hole of a node of an edit's replacement. False when it does not fit or is not seen.
    pub(super) fn open(
        &mut self,
        bits: &mut Bits,
        live: &mut Live<'_>,
        edit: &Edit,
        node: usize,
    ) -> Result<bool, RenderError> {
        self.looked = 2;
        self.error = f64::INFINITY;
        Ok(bits.weigh(live, edit, node, &mut self.weights)? && self.weights.matters())
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

    /// Puts a part in the hole.
    pub(super) fn put(&mut self, bits: &mut Bits, piece: &Program) {
        self.piece.clone_from(piece);
        self.error = self.look(bits);
        self.find_tokens();
    }

    /// Puts the best of some random atoms in the hole: each is as likely as its error says.
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
        for _ in 0..count {
            if !self
                .holes
                .random(nt, &mut self.scratch, rng, &mut self.piece)
            {
                return false;
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
        self.find_tokens();
        chosen.is_finite()
    }

    fn find_tokens(&mut self) {
        self.tokens.clear();
        for (at, node) in self.piece.nodes().iter().enumerate() {
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
            let mut stride = 1;
            let mut reach = 0u32;
            while ordered && self.values.len() < SWEEP as usize / 2 {
                reach = reach.saturating_add(stride);
                self.values.extend(node.value.checked_sub(reach));
                let up = node.value.saturating_add(reach);
                self.values.extend((up < count).then_some(up));
                if reach >= count {
                    break;
                }
                if reach >= 8 * stride {
                    stride *= 2;
                }
            }
            while self.values.len() < SWEEP as usize {
                self.values.push(rng.random_range(0..count));
            }
            self.values.push(node.value);
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
        let Ok(single) = self.pieces.single(&self.piece) else {
            return f64::INFINITY;
        };
        match bits.filled(&self.weights, single) {
            Some(error) => error as f64,
            None => f64::INFINITY,
        }
    }
}
