//! What productions do to the drawings below them, read off by probing them.
//!
//! In: a compiled language and its parts. Out: [`Combos`]: every way to put two drawings together, to
//! move one, and parts that cannot be seen. Afterwards nothing is kept.

// Only looked up by key, never walked through: order does not matter.
#[allow(clippy::disallowed_types)]
use std::collections::HashMap;

use rand::SeedableRng;
use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;

use crate::Compiled;
use crate::grammar::expr::Type;
use crate::grammar::ids::{NtId, ProdId};
use crate::grammar::ir::{NonterminalKind, ProductionKind};
use crate::render::bits::Bits;
use crate::sample::Rng;
use crate::scene::Bounds;
use crate::scene::probe::{Below, Laid, Probe};
use crate::search::placed::{Gallery, Kinds, Part};

/// A production with values for its tokens.
#[derive(Clone, Debug)]
pub(super) struct Combo {
    pub(super) production: ProdId,
    pub(super) below: SmallVec<[Slot; 6]>,
}

/// What stands below a combo.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Slot {
    Token(ProdId, u32),
    /// A drawing, and what may stand there.
    Drawing(NtId),
}

/// Combos that put two drawings together in the same way but for a shift of the second.
#[derive(Clone, Debug)]
pub(super) struct Class {
    /// Numbers of combos, and by how much the second drawing goes farther than with the first combo.
    pub(super) members: Vec<(u32, (i32, i32))>,
    /// Whether the second is painted over the first.
    pub(super) second_over: bool,
}

/// A part that cannot be seen and takes room.
#[derive(Clone, Debug)]
pub(super) struct Spacer {
    pub(super) part: Part,
    pub(super) bounds: Bounds,
}

/// What a language can do with drawings.
pub struct Combos {
    pub(super) all: Vec<Combo>,
    pub(super) pairs: Vec<Class>,
    /// Moves by one production, and by two: shifts, with the combos that do them.
    #[allow(clippy::disallowed_types)]
    pub(super) moves: HashMap<(i32, i32), SmallVec<[u32; 3]>, FxBuildHasher>,
    /// Moves by one production.
    pub(super) steps: Vec<((i32, i32), u32)>,
    pub(super) spacers: Vec<Spacer>,
}

/// Values of a production's tokens that are probed.
const MOST_COMBOS: u64 = 4096;
/// Random parts among which those are looked for that cannot be seen.
const SPACER_DRAWS: usize = 1500;
/// Parts that cannot be seen that are kept.
const MOST_SPACERS: usize = 400;

impl Combos {
    /// Probes a language. `None` when nothing in it puts two drawings together.
    pub fn new(compiled: &Compiled, kinds: &Kinds, bits: Bits) -> Option<Combos> {
        let grammar = &compiled.grammar;
        let draws = |nt: NtId| match grammar.nonterminal(nt).kind {
            NonterminalKind::Sort { sort, .. } => {
                grammar.sorts[sort.index()].draw == Some(Type::Drawing)
            }
            _ => false,
        };
        let mut probe = Probe::new(grammar);
        let mut combos = Combos {
            all: Vec::new(),
            pairs: Vec::new(),
            #[allow(clippy::disallowed_types)]
            moves: HashMap::default(),
            steps: Vec::new(),
            spacers: Vec::new(),
        };
        for id in grammar.production_ids() {
            let production = grammar.production(id);
            if !matches!(production.kind, ProductionKind::Node(_)) {
                continue;
            }
            let mut tokens = Vec::new();
            let mut drawings = 0;
            let known = production.children.iter().all(|child| {
                if draws(child.nt) {
                    drawings += 1;
                    return true;
                }
                let first = grammar.nonterminal(child.nt).productions.first();
                let token = first.and_then(|id| match grammar.production(*id).kind {
                    ProductionKind::Token(token) => grammar.token(token).domain.count(),
                    _ => None,
                });
                tokens.extend(token);
                token.is_some()
            });
            let count = tokens
                .iter()
                .try_fold(1u64, |all, count| all.checked_mul(u64::from(*count)));
            let Some(count) = count.filter(|count| known && *count > 0 && *count <= MOST_COMBOS)
            else {
                continue;
            };
            let mut found = Vec::new();
            for number in 0..count {
                let mut rest = number;
                let below = production.children.iter().map(|child| {
                    let nonterminal = grammar.nonterminal(child.nt);
                    match nonterminal.productions.first() {
                        Some(token) if !draws(child.nt) => {
                            let values = match grammar.production(*token).kind {
                                ProductionKind::Token(token) => {
                                    grammar.token(token).domain.count().unwrap_or(1)
                                }
                                _ => 1,
                            };
                            let value = (rest % u64::from(values)) as u32;
                            rest /= u64::from(values);
                            Slot::Token(*token, value)
                        }
                        _ => Slot::Drawing(child.nt),
                    }
                });
                found.push(Combo {
                    production: id,
                    below: below.collect(),
                });
            }
            match drawings {
                1 => combos.learn_moves(&mut probe, found),
                2 => combos.learn_pairs(&mut probe, found),
                _ => {}
            }
        }
        if combos.pairs.is_empty() {
            return None;
        }
        combos.chain_moves();
        combos.spacers = spacers(compiled, kinds, bits);
        Some(combos)
    }

    /// Whether a production is one that puts drawings together, or moves one.
    pub(in crate::search) fn has(&self, production: ProdId) -> bool {
        self.all.iter().any(|combo| combo.production == production)
    }

    /// Where a combo puts drawings of these bounds.
    pub(super) fn lay(&self, probe: &mut Probe<'_>, combo: u32, bounds: &[Bounds]) -> Option<Laid> {
        lay(probe, &self.all[combo as usize], bounds)
    }

    /// Combos that move what is below them, whatever its bounds, which stay.
    fn learn_moves(&mut self, probe: &mut Probe<'_>, found: Vec<Combo>) {
        for combo in found {
            let mut shifts = SAMPLES.iter().map(|bounds| {
                let laid = lay(probe, &combo, &[*bounds])?;
                (laid.bounds == *bounds).then_some(laid.order[0].1)
            });
            let Some(Some(first)) = shifts.next() else {
                continue;
            };
            let known = first == (0, 0) || self.steps.iter().any(|(shift, _)| *shift == first);
            if !known && shifts.all(|shift| shift == Some(first)) {
                self.steps.push((first, self.all.len() as u32));
                self.all.push(combo);
            }
        }
    }

    /// Combos that put two drawings together, by class.
    fn learn_pairs(&mut self, probe: &mut Probe<'_>, found: Vec<Combo>) {
        let first = self.pairs.len();
        let mut seen: Vec<Vec<(i32, i32)>> = Vec::new();
        for combo in found {
            let laid = SAMPLES.iter().enumerate().map(|(index, a)| {
                let b = SAMPLES[(index + 1) % SAMPLES.len()];
                lay(probe, &combo, &[*a, b])
            });
            let Some(laid) = laid.collect::<Option<Vec<Laid>>>() else {
                continue;
            };
            let shifts: Vec<(i32, i32)> = laid.iter().map(displacement).collect();
            let second_over = laid[0].order[0].0 == 0;
            let number = self.all.len() as u32;
            self.all.push(combo);
            // Rounding may tell them apart by a pixel.
            let alike = |other: &Vec<(i32, i32)>| {
                let by = (shifts[0].0 - other[0].0, shifts[0].1 - other[0].1);
                let pairs = shifts.iter().zip(other);
                let far = pairs.map(|(a, b)| (a.0 - b.0 - by.0).abs() + (a.1 - b.1 - by.1).abs());
                far.max().unwrap_or(0) <= 1
            };
            let class = (0..seen.len()).find(|class| {
                alike(&seen[*class]) && self.pairs[first + class].second_over == second_over
            });
            match class {
                Some(class) => {
                    let base = seen[class][0];
                    let by = (shifts[0].0 - base.0, shifts[0].1 - base.1);
                    self.pairs[first + class].members.push((number, by));
                }
                None => {
                    seen.push(shifts);
                    self.pairs.push(Class {
                        members: vec![(number, (0, 0))],
                        second_over,
                    });
                }
            }
        }
    }

    /// Shifts by up to two moves.
    fn chain_moves(&mut self) {
        for (shift, combo) in &self.steps {
            self.moves.insert(*shift, smallvec::smallvec![*combo]);
        }
        for (a, first) in &self.steps {
            for (b, second) in &self.steps {
                let sum = (a.0 + b.0, a.1 + b.1);
                self.moves
                    .entry(sum)
                    .or_insert_with(|| smallvec::smallvec![*first, *second]);
            }
        }
    }

    /// The combos that move a drawing by so much: none for no distance, at most three.
    pub(super) fn moving(&self, by: (i32, i32)) -> Option<SmallVec<[u32; 3]>> {
        if by == (0, 0) {
            return Some(SmallVec::new());
        }
        if let Some(known) = self.moves.get(&by) {
            return Some(known.clone());
        }
        self.steps.iter().find_map(|(step, combo)| {
            let mut rest = self.moves.get(&(by.0 - step.0, by.1 - step.1))?.clone();
            rest.push(*combo);
            Some(rest)
        })
    }

    /// How many moves that takes, without looking for three.
    pub(super) fn distance(&self, by: (i32, i32)) -> u32 {
        match by {
            (0, 0) => 0,
            _ => self.moves.get(&by).map_or(3, |moves| moves.len() as u32),
        }
    }
}

/// How much farther the second drawing goes than the first.
pub(super) fn displacement(laid: &Laid) -> (i32, i32) {
    let at = |which: u32| {
        let found = laid.order.iter().find(|(other, _)| *other == which);
        found.map_or((0, 0), |(_, at)| *at)
    };
    let (a, b) = (at(0), at(1));
    (b.0 - a.0, b.1 - a.1)
}

fn lay(probe: &mut Probe<'_>, combo: &Combo, bounds: &[Bounds]) -> Option<Laid> {
    let mut bounds = bounds.iter();
    let below = combo.below.iter().map(|slot| match slot {
        Slot::Token(token, value) => Some(Below::Token(*token, *value)),
        Slot::Drawing(_) => bounds.next().map(|bounds| Below::Drawing(*bounds)),
    });
    let below = below.collect::<Option<SmallVec<[Below; 6]>>>()?;
    probe.lay(combo.production, &below)
}

/// Bounds to probe with, in pixels: of several sizes, on and off the origin.
const SAMPLES: [Bounds; 4] = [
    sample(-7.0, -5.0, 7.0, 5.0),
    sample(-3.3, -12.2, 3.3, 12.2),
    sample(-4.1, 2.7, 21.4, 9.9),
    sample(-30.0, -1.0, 11.0, 16.6),
];

const fn sample(x0: f64, y0: f64, x1: f64, y1: f64) -> Bounds {
    Bounds { x0, y0, x1, y1 }
}

/// Parts that cannot be seen, one for each pair of width and height that was found: random ones, and
/// then all that differ from one of them in one value.
fn spacers(compiled: &Compiled, kinds: &Kinds, bits: Bits) -> Vec<Spacer> {
    let mut gallery = Gallery::new(compiled, kinds, bits);
    let mut rng = Rng::seed_from_u64(0);
    let mut found: Vec<Spacer> = Vec::new();
    let mut look = |part: Part, found: &mut Vec<Spacer>| {
        let look = gallery.look(&part);
        let bounds = look.bounds;
        let hidden = look.is_hidden() && bounds.is_finite();
        if hidden && found.len() < MOST_SPACERS && found.iter().all(|s| s.bounds != bounds) {
            found.push(Spacer { part, bounds });
        }
    };
    for _ in 0..SPACER_DRAWS {
        let part = kinds.random(&mut rng);
        look(part, &mut found);
    }
    let mut next = 0;
    while next < found.len() {
        let part = found[next].part.clone();
        for (token, count) in kinds.counts(&part).into_iter().enumerate() {
            for value in 0..count.min(64) {
                look(part.with(token, value), &mut found);
            }
        }
        next += 1;
    }
    found
}
