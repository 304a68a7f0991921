//! Which programs a snapshot shows.
//!
//! In: a language and a seed. Out: programs, and for a named mutator programs with an edit.
//! Afterwards each program depends on the language, the seed and its own number or the mutator's
//! name, and on nothing else: another count or another mutator leaves the rest as it was.

use crate::compiled::Compiled;
use crate::grammar::inside::SizeError;
use crate::grammar::ir::SampleSpec;
use crate::mutate::named::NamedMutator;
use crate::mutate::{Mutator, Scratch};
use crate::sample::{self, Rng, Sampler};
use crate::tree::{Edit, Program};

/// Programs of the smaller sizes that are tried for a mutator, then of all sizes, then of those
/// below the language's window too: what replaces whole programs needs one that is small.
const TRIED: [u64; 3] = [300, 1700, 1000];
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
    /// One for each of [`TRIED`]; `None` when no program has such a size.
    sources: [Option<Source<'c>>; 3],
}

impl<'c> Finder<'c> {
    pub(crate) fn new(compiled: &'c Compiled) -> Result<Finder<'c>, SizeError> {
        let spec = compiled.grammar.sample;
        let below = SampleSpec {
            min: 0,
            max: compiled.grammar.mutate.small.max(spec.min),
            ..spec
        };
        Ok(Finder {
            compiled,
            sources: [
                source(compiled, small_window(spec)).ok(),
                Some(source(compiled, spec)?),
                source(compiled, below).ok(),
            ],
        })
    }

    /// Program `index` of those that are tried.
    fn program(&self, index: u64, rng: &mut Rng) -> Option<Program> {
        let mut left = index;
        for (source, tried) in self.sources.iter().zip(TRIED) {
            match left.checked_sub(tried) {
                Some(rest) => left = rest,
                None => return Some(source.as_ref()?.sampler.sample(rng)),
            }
        }
        None
    }
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
        let Some(program) = finder.program(index, &mut rng) else {
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
