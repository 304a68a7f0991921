//! Filling: which part is best put into a hole.
//!
//! In: a program with a hole (see `holes`), drawn with nothing and with everything in it. Out: a part
//! for it, found by looking at thousands. Afterwards the program is as it was; whoever asked puts
//! the part in.

use rand::RngExt;

use crate::Compiled;
use crate::grammar::ids::NtId;
use crate::render::RenderError;
use crate::render::bits::{Bits, Planes, Weights};
use crate::sample::{Rng, Scratch};
use crate::scene::piece::Pieces;
use crate::scene::{Bounds, Live};
use crate::search::chance::{boltzmann, metropolis};
use crate::search::holes::Holes;
use crate::search::places::Places;
use crate::tree::{Edit, Program};

/// Values of a token that are all looked at in one sweep; of more, those nearest and some others.
const SWEEP: u32 = 32;

/// Pairs of values that are all looked at.
const PAIRS: u32 = 1024;

/// Atoms that are fitted to a blot, of those that are looked at.
const FITTED: u32 = 2;

/// How far a hole is widened.
const MOST_RAISES: usize = 8;

/// Looks for parts for one hole after another.
pub(super) struct Filler<'a> {
    pub(super) holes: &'a Holes<'a>,
    pub(super) pieces: Pieces<'a>,
    pub(super) weights: Weights,
    scratch: Scratch,
    /// The part that is in the hole.
    pub(super) piece: Program,
    /// Parts to choose from.
    drawn: Vec<Program>,
    pub(super) places: Places,
    pub(super) error: f64,
    /// Positions of tokens with values to choose.
    pub(super) tokens: Vec<usize>,
    pub(super) values: Vec<u32>,
    errors: Vec<f64>,
    /// Parts looked at.
    pub(super) looked: u64,
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
            drawn: Vec::new(),
            places: Places::default(),
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
                let layout = self.holes.layout();
                layout.extract_into(&edit.replacement, hole, &mut self.piece);
                self.atom = (atom - hole, edit.replacement.nodes()[atom].len as usize);
                return Ok(Some(hole));
            }
            if hole > 0 {
                hole = edit.replacement.ancestors(hole).last().unwrap_or(0);
            } else if edit.position > 0 {
                let program = live.program();
                let above = program.ancestors(edit.position).last().unwrap_or(0);
                let below = edit.position - above;
                let layout = self.holes.layout();
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
        let at = self.atom.0;
        self.drawn.resize_with(count as usize, Program::default);
        self.places.clear();
        // From small blots to all of the canvas, each size as likely.
        let reach = libm::exp2(rng.random_range(2.0..8.0)) as i32;
        let blot = self.weights.blot(reach, rng);
        let near = rng.random_range(0..2) == 0;
        for index in 0..count {
            if !self
                .holes
                .random(nt, &mut self.scratch, rng, &mut self.spare)
            {
                return false;
            }
            if at == 0 {
                std::mem::swap(&mut self.piece, &mut self.spare);
            } else {
                self.holes.layout().splice(&mut self.piece, at, &self.spare);
            }
            self.atom.1 = self.piece.nodes()[at].len as usize;
            if let Some(blot) = blot.filter(|_| index < FITTED) {
                self.find_tokens();
                self.fit(&blot, rng);
            }
            let axes = self.axes();
            self.consider(bits, axes, near, index, temperature, rng);
            self.drawn[index as usize].clone_from(&self.piece);
        }
        let found = self.choose(bits, temperature, rng, |filler, tag| {
            filler.piece.clone_from(&filler.drawn[tag as usize]);
            filler.axes()
        });
        self.atom.1 = self.piece.nodes()[at].len as usize;
        self.find_tokens();
        found
    }

    /// Fits the numbers of the atom such that the box around it is as near to another as can be, one
    /// number after the other; those that only move it get what the others leave to be done.
    fn fit(&mut self, to: &Bounds, rng: &mut Rng) {
        let axes = self.axes();
        self.move_to(axes, to);
        // The second time there is less to do.
        for longest in [2, 16] {
            for i in 0..self.tokens.len() {
                let other = rng.random_range(i..self.tokens.len());
                self.tokens.swap(i, other);
                if !axes.has(self.tokens[i]) {
                    self.fit_token(self.tokens[i], longest, to);
                }
            }
            self.move_to(axes, to);
        }
    }

    fn fit_token(&mut self, at: usize, longest: u32, to: &Bounds) {
        let node = self.piece.nodes()[at];
        let Some((count, true)) = self.holes.values_of(node.production) else {
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
            if self.holes.values_of(node.production).is_some() {
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
        self.list_values(at, rng);
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

    /// Values of a token that are looked at together.
    pub(super) fn list_values(&mut self, at: usize, rng: &mut Rng) {
        let node = self.piece.nodes()[at];
        self.values.clear();
        let Some((count, ordered)) = self.holes.values_of(node.production) else {
            return;
        };
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
            self.holes
                .values_of(production)
                .map_or(1, |(count, _)| count)
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
            let Some((count, ordered)) = self.holes.values_of(node.production) else {
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
    pub(super) fn look(&mut self, bits: &mut Bits) -> f64 {
        self.looked += 1;
        let (weights, pieces) = (&self.weights, &mut self.pieces);
        bits.filled_by_piece(weights, pieces, &self.piece, &mut self.planes)
            .map_or(f64::INFINITY, |error| error as f64)
    }
}
