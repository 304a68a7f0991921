//! Layouts: programs for pictures whose parts are arranged by their bounds.
//!
//! In: a target, and a language whose programs lay out drawings. Out: programs near the target, or at it.
//! Afterwards nothing is kept but what is known of the language.
//!
//! First the parts are found, wherever they are (`placed`); then programs that put them there
//! (`assemble`), with more and more effort; then the numbers of the most promising are set one by one
//! on the anti-aliased picture, which tells more of thin borders than bit planes do.

use std::cell::OnceCell;

use crate::Compiled;
use crate::grammar::ids::ProdId;
use crate::render::Picture;
use crate::render::bits::{Bits, Target};
use crate::sample::Rng;
use crate::search::StopReason;
use crate::search::assemble::{Assembler, Combos, Effort, MOST_PARTS};
use crate::search::placed::{Flat, Kinds, Options, Placer};
use crate::search::runs::Track;
use crate::search::target::Judge;
use crate::tree::{Layout, Program};

/// What is known of a language that lays out drawings.
pub struct Layouts {
    kinds: Kinds,
    combos: Combos,
}

impl Layouts {
    /// Probes a language; `None` when its programs are not laid out from parts of their own.
    pub fn new(compiled: &Compiled, target: &Target) -> Option<Layouts> {
        let kinds = Kinds::new(compiled)?;
        let bits = Bits::new(target.clone()).ok()?;
        let combos = Combos::new(compiled, &kinds, bits)?;
        // What a program begins with must be among what was probed.
        let starts = &compiled
            .grammar
            .nonterminal(compiled.grammar.start)
            .productions;
        let known = |id: &ProdId| kinds.has(*id) || combos.has(*id);
        starts
            .iter()
            .any(known)
            .then_some(Layouts { kinds, combos })
    }
}

/// The search for parts ends when there was nothing better for as many evaluations as it took to find
/// the best, within these; or after so many in all.
const STALL: u64 = 10_000;
const LONGEST_STALL: u64 = 50_000;
const MOST: u64 = 400_000;
/// Looks at the anti-aliased picture for each part.
const LOOKS: u32 = 300;
/// Probes that count as one evaluation.
const PROBES: u64 = 8;

/// What is tried, from little effort to much.
pub const EFFORTS: [Effort; 6] = [
    effort(0, (0, 0), 4, 300_000),
    effort(2, (0, 0), 4, 300_000),
    effort(0, (1, 1), 6, 600_000),
    effort(0, (2, 1), 6, 1_000_000),
    effort(0, (5, 1), 4, 2_000_000),
    effort(0, (5, 2), 3, 2_000_000),
];

/// Parts next to each other, wherever that puts them: something to go on from, at once.
const ROUGH: Effort = effort(1000, (0, 0), 1, 300_000);

const fn effort(tolerance: i32, (spacers, beside): (u32, u32), keep: usize, probes: u64) -> Effort {
    Effort {
        tolerance,
        spacers,
        beside,
        keep,
        probes,
    }
}

/// Looks for programs.
pub(super) struct Finder<'a> {
    pub(super) compiled: &'a Compiled,
    pub(super) layouts: &'a Layouts,
    pub(super) layout: &'a Layout,
    pub(super) target: &'a Target,
    pub(super) picture: &'a Picture,
    /// What there is to get right, in pixels.
    pub(super) weight: f64,
    pub(super) max_size: u32,
}

impl Finder<'_> {
    /// One attempt: the best program that was found, if any.
    ///
    /// # Errors
    ///
    /// Why the run is to stop, when it is.
    pub(super) fn attempt(
        &self,
        track: &mut Track<'_>,
        judge: &mut Judge<'_>,
        rng: &mut Rng,
    ) -> Result<Option<Program>, StopReason> {
        let Some(flat) = self.place(track, rng)? else {
            return Ok(None);
        };
        let (kinds, combos) = (&self.layouts.kinds, &self.layouts.combos);
        let Some(mut assembler) = Assembler::new(self.compiled, kinds, combos, &flat) else {
            return Ok(None);
        };
        let mut rough = None;
        for effort in [ROUGH].into_iter().chain(EFFORTS) {
            let before = assembler.probes();
            let mut found = assembler.programs(effort, &mut || track.check().is_ok());
            track.spend((assembler.probes() - before) / PROBES)?;
            found.retain(|(_, program)| program.size() <= self.max_size);
            // What is out of place is only for when nothing else is found.
            let exact = found.iter().position(|(off, _)| *off == 0);
            if let Some(exact) = exact {
                let (_, program) = found.swap_remove(exact);
                return self.polish(program, track, judge).map(Some);
            }
            if rough.is_none()
                && let Some((_, program)) = found.into_iter().next()
            {
                let (score, _) = judge.judge(&program);
                track.offer(&program, score, score);
                rough = Some(program);
            }
        }
        match rough {
            Some(program) => self.polish(program, track, judge).map(Some),
            None => Ok(None),
        }
    }

    fn polish(
        &self,
        program: Program,
        track: &mut Track<'_>,
        judge: &mut Judge<'_>,
    ) -> Result<Program, StopReason> {
        let mut polish = Polish {
            layout: self.layout,
            values: OnceCell::new(),
            compiled: self.compiled,
            judge,
            track,
        };
        polish.polish(program)
    }

    /// The parts of the picture.
    fn place(&self, track: &mut Track<'_>, rng: &mut Rng) -> Result<Option<Flat>, StopReason> {
        let most = MOST_PARTS.min(self.max_size as usize).max(1);
        let options = Options::for_weight(self.weight, most);
        let placer = Placer::new(
            self.compiled,
            &self.layouts.kinds,
            self.target,
            self.picture,
            options,
        );
        let Some(mut placer) = placer else {
            return Ok(None);
        };
        let (mut least, mut improved) = (u32::MAX, 0);
        let flat = loop {
            let before = placer.evaluations();
            placer.round(rng);
            let now = placer.evaluations();
            track.spend(now - before)?;
            if placer.best().wrong < least {
                (least, improved) = (placer.best().wrong, now);
            }
            if now - improved > improved.clamp(STALL, LONGEST_STALL) || now > MOST {
                break placer.best().clone();
            }
        };
        let before = placer.evaluations();
        let go_on = &mut || track.check().is_ok();
        let (flat, _) = placer.retouch(flat, self.picture, LOOKS, rng, go_on);
        track.spend(placer.evaluations() - before)?;
        Ok(Some(flat))
    }
}

/// Sets numbers on the anti-aliased picture.
struct Polish<'p, 'a, 't> {
    layout: &'p Layout,
    compiled: &'p Compiled,
    values: OnceCell<Vec<u32>>,
    judge: &'p mut Judge<'a>,
    track: &'p mut Track<'t>,
}

/// Most values of a number, and pairs of values of two, that are all tried.
const MOST_VALUES: u32 = 64;
const MOST_PAIRS: u32 = 128;

impl Polish<'_, '_, '_> {
    /// For each production how many values its token has.
    fn count(&self, program: &Program, at: usize) -> u32 {
        let grammar = &self.compiled.grammar;
        let values = self.values.get_or_init(|| {
            let all = grammar
                .productions
                .iter()
                .map(|production| match production.kind {
                    crate::grammar::ir::ProductionKind::Token(token) => {
                        grammar.token(token).domain.count().unwrap_or(1)
                    }
                    _ => 1,
                });
            all.collect()
        });
        values[program.nodes()[at].production.index()]
    }

    /// A program at which no other value of one number, nor of two numbers of one part, is better, or
    /// that meets the goal.
    fn polish(&mut self, mut program: Program) -> Result<Program, StopReason> {
        self.track.spend(1)?;
        let (mut score, mut solved) = self.judge.judge(&program);
        let mut pairs = false;
        while !solved {
            let before = score;
            for at in 0..program.len() {
                let count = self.count(&program, at);
                if !(2..=MOST_VALUES).contains(&count) || solved {
                    continue;
                }
                let changes = (0..count).map(|value| [(at, value), (at, value)]);
                solved = self.best_of(&mut program, &mut score, changes)?;
            }
            if score < before || solved {
                continue;
            }
            if pairs {
                break;
            }
            pairs = true;
            for parent in 0..program.len() {
                let children = self.tokens(&program, parent);
                for (index, a) in children.iter().enumerate() {
                    for b in &children[..index] {
                        let (ca, cb) = (self.count(&program, *a), self.count(&program, *b));
                        if ca.saturating_mul(cb) > MOST_PAIRS || solved {
                            continue;
                        }
                        let changes = (0..ca * cb).map(|n| [(*a, n % ca), (*b, n / ca)]);
                        solved = self.best_of(&mut program, &mut score, changes)?;
                    }
                }
            }
        }
        Ok(program)
    }

    /// The tokens right below a node that has nothing else below it.
    fn tokens(&self, program: &Program, at: usize) -> Vec<usize> {
        let len = program.nodes()[at].len as usize;
        let arity = self.layout.arity(program.nodes()[at].production);
        match len == arity + 1 {
            true => (at + 1..at + len)
                .filter(|token| self.count(program, *token) > 1)
                .collect(),
            false => Vec::new(),
        }
    }

    /// Makes the change that is best, if any is better; whether the goal is met.
    fn best_of(
        &mut self,
        program: &mut Program,
        score: &mut f64,
        changes: impl Iterator<Item = [(usize, u32); 2]>,
    ) -> Result<bool, StopReason> {
        let mut best = None;
        let mut solved = false;
        for change in changes {
            let old = change.map(|(at, _)| (at, program.nodes()[at].value));
            if old == change {
                continue;
            }
            self.track.spend(1)?;
            let set = |program: &mut Program, to: [(usize, u32); 2]| {
                for (at, value) in to {
                    program.nodes[at].value = value;
                }
            };
            set(program, change);
            let (now, met) = self.judge.judge(program);
            set(program, old);
            if now < *score {
                (*score, solved) = (now, met);
                best = Some(change);
            }
        }
        for (at, value) in best.into_iter().flatten() {
            program.nodes[at].value = value;
        }
        Ok(solved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::testing;

    /// Only where every program can be put together from what was probed is that tried.
    #[test]
    fn languages_that_lay_out_their_own_parts_are_known() {
        let known = testing::pictures().into_iter().filter_map(|compiled| {
            let canvas = compiled.grammar.canvas.as_ref()?;
            let target = Target::new(&compiled.grammar, &Picture::blank(canvas));
            Layouts::new(&compiled, &target)?;
            Some(compiled.grammar.name.clone())
        });
        let known: Vec<String> = known.collect();
        assert!(known.iter().any(|name| name == "tinysvg"), "{known:?}");
        assert!(known.iter().any(|name| name == "rainbow"), "{known:?}");
        for name in ["street", "flat", "csg2d", "icons"] {
            assert!(!known.iter().any(|known| known == name), "{name}");
        }
    }
}
