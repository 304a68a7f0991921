//! Which programs a snapshot shows.
//!
//! In: a language and a seed. Out: programs, and for a named mutator programs with an edit.
//! Afterwards each program depends on the language, the seed and its own number or the mutator's
//! name, and on nothing else: another count or another mutator leaves the rest as it was.

use std::collections::VecDeque;

use crate::compiled::Compiled;
use crate::grammar::ids::{NtId, ProdId};
use crate::grammar::inside::SizeError;
use crate::grammar::ir::{Grammar, SampleSpec};
use crate::mutate::named::NamedMutator;
use crate::mutate::{Mutator, Scratch};
use crate::sample::{self, Rng, Sampler};
use crate::tree::{Edit, Program};

/// Programs of the smaller sizes that are tried for a mutator, then of all sizes, then those that
/// are put together around what it changes: a production may be too rare to be drawn, and what
/// replaces whole programs needs one that is small.
const TRIED: [u64; 3] = [300, 1200, 500];
/// Programs that are tried in all.
pub(crate) const TRIES: u64 = TRIED[0] + TRIED[1] + TRIED[2];
/// Of so many finds the one with the smallest program is shown.
const CHOICE: usize = 4;

/// Random programs by number.
#[derive(Debug)]
pub(crate) struct Source<'c> {
    sampler: Sampler<'c>,
}

/// Programs of a window.
pub(crate) fn source(compiled: &Compiled, spec: SampleSpec) -> Result<Source<'_>, SizeError> {
    Ok(Source {
        sampler: Sampler::new(compiled, spec)?,
    })
}

impl Source<'_> {
    /// Program `index` of a seed.
    pub(crate) fn program(&self, seed: u64, index: u64) -> Program {
        self.sampler.sample(&mut sample::stream(seed, index))
    }
}

/// The lower third of a window.
pub(crate) fn small_window(spec: SampleSpec) -> SampleSpec {
    let max = spec.min + spec.max.saturating_sub(spec.min).div_ceil(3);
    SampleSpec { max, ..spec }
}

/// Looks for programs in which a mutator has something to do.
#[derive(Debug)]
pub(crate) struct Finder<'c> {
    pub(crate) compiled: &'c Compiled,
    /// The smaller sizes; `None` when no program has one.
    small: Option<Source<'c>>,
    all: Source<'c>,
}

impl<'c> Finder<'c> {
    pub(crate) fn new(compiled: &'c Compiled) -> Result<Finder<'c>, SizeError> {
        let spec = compiled.grammar.sample;
        Ok(Finder {
            compiled,
            small: source(compiled, small_window(spec)).ok(),
            all: source(compiled, spec)?,
        })
    }

    /// Program `index` of those that are tried.
    fn program(&self, named: NamedMutator, index: u64, rng: &mut Rng) -> Option<Program> {
        let [small, all, _] = TRIED;
        if index < small {
            Some(self.small.as_ref()?.sampler.sample(rng))
        } else if index < small + all {
            Some(self.all.sampler.sample(rng))
        } else {
            self.around(named, index, rng)
        }
    }

    /// A program with a small place for what the mutator changes, and as little around it as
    /// there can be.
    fn around(&self, named: NamedMutator, index: u64, rng: &mut Rng) -> Option<Program> {
        let (grammar, sampler) = (&self.compiled.grammar, &self.all.sampler);
        let (way, mut inner) = match named {
            NamedMutator::Field { production, .. } => {
                let holds = |nt| grammar.nonterminal(nt).productions.contains(&production);
                let (way, _) = way(grammar, holds)?;
                (way, self.rooted(production, index % 4, rng)?)
            }
            NamedMutator::Replace { sort, production } => {
                // Of an operator's strengths only some may have something else to offer.
                let levels = &grammar.sort(sort).levels;
                let level = (index as usize).checked_rem(levels.len())?;
                let level = *levels.get(level)?;
                let (way, nt) = way(grammar, |nt| nt == level)?;
                let fits = grammar.nonterminal(nt).productions.contains(&production);
                let sizes = 0..=grammar.mutate.small;
                (way, fits.then(|| sampler.sample_nt(nt, sizes, rng))??)
            }
        };
        for (production, child) in way.into_iter().rev() {
            let mut outer = self.rooted(production, 0, rng)?;
            let mut position = 1;
            for _ in 0..child {
                position += outer.nodes().get(position)?.len as usize;
            }
            sampler.layout().splice(&mut outer, position, &inner);
            inner = outer;
        }
        Some(inner)
    }

    /// A tree with this production at its root, at most `more` larger than need be.
    fn rooted(&self, production: ProdId, more: u64, rng: &mut Rng) -> Option<Program> {
        let sampler = &self.all.sampler;
        let least = sampler.inside().least_of(production)?;
        let sizes = least..=least.saturating_add(more as u32);
        let mut out = Program::default();
        let mut scratch = sample::Scratch::default();
        sampler
            .sample_production_into(production, sizes, &mut scratch, rng, &mut out)
            .then_some(out)
    }
}

/// The shortest way from the start down to a nonterminal: which child of which production,
/// outermost first.
fn way(grammar: &Grammar, is_goal: impl Fn(NtId) -> bool) -> Option<(Vec<(ProdId, usize)>, NtId)> {
    // How each nonterminal was come to.
    let mut from: Vec<Option<(NtId, ProdId, usize)>> = vec![None; grammar.nonterminals.len()];
    let mut queue = VecDeque::from([grammar.start]);
    while let Some(nt) = queue.pop_front() {
        if is_goal(nt) {
            let mut way = Vec::new();
            let mut at = nt;
            while at != grammar.start {
                let (before, production, child) = from[at.index()]?;
                way.push((production, child));
                at = before;
            }
            way.reverse();
            return Some((way, nt));
        }
        for production in &grammar.nonterminal(nt).productions {
            for (index, child) in grammar.production(*production).children.iter().enumerate() {
                if child.nt != grammar.start && from[child.nt.index()].is_none() {
                    from[child.nt.index()] = Some((nt, *production, index));
                    queue.push_back(child.nt);
                }
            }
        }
    }
    None
}

/// `count` different changes by a named mutator, or as many as there are in [`TRIES`] programs.
pub(crate) fn found(
    finder: &Finder<'_>,
    mutator: &Mutator<'_>,
    named: NamedMutator,
    name: &str,
    seed: u64,
    count: u32,
) -> Vec<(Program, Edit)> {
    let own = seed ^ hash(name);
    let mut out: Vec<(Program, Edit)> = Vec::new();
    let (mut scratch, mut edit) = (Scratch::default(), Edit::default());
    let mut finds: Vec<(Program, Edit)> = Vec::new();
    let mut left = CHOICE;
    for index in 0..TRIES {
        let mut rng = sample::stream(own, index);
        let Some(program) = finder.program(named, index, &mut rng) else {
            continue;
        };
        if mutator.propose_named_into(named, &program, &mut scratch, &mut rng, &mut edit) {
            let find = (program, edit.clone());
            if !out.contains(&find) && !finds.contains(&find) {
                finds.push(find);
            }
            left = left.saturating_sub(1);
        }
        if left == 0 || index + 1 == TRIES {
            let smallest = finds
                .iter()
                .enumerate()
                .min_by_key(|(_, find)| find.0.len());
            if let Some((at, _)) = smallest {
                out.push(finds.swap_remove(at));
            }
            finds.clear();
            left = CHOICE;
        }
        if out.len() >= count as usize {
            break;
        }
    }
    out
}

/// FNV-1a of 64 bits (Fowler, Noll, Vo): the same everywhere, which std's hashes are not.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
