//! What is measured on: random programs, their texts, and chains of edits of them.
//!
//! In: a compiled language, a seed. Out: [`Pool`]. Afterwards every operator meets the same
//! programs, and chains are the edits that a mutator makes for real, one after another.

use crate::compiled::Compiled;
use crate::grammar::inside::SizeError;
use crate::grammar::ir::SampleSpec;
use crate::mutate::Mutator;
use crate::sample::{Sampler, stream};
use crate::tree::{Edit, Program};

/// Programs in the pool.
const POOL: u64 = 2048;
/// Chains of edits, which begin at the first programs of the pool.
const CHAINS: usize = 64;
/// Edits of a chain.
pub(super) const CHAIN: usize = 64;

/// Random programs, their texts, and edits of them.
pub(super) struct Pool<'c> {
    pub(super) compiled: &'c Compiled,
    pub(super) mutator: Mutator<'c>,
    pub(super) texts: Vec<String>,
    pub(super) seed: u64,
    programs: Vec<Program>,
    /// The index of a program, and edits.
    chains: Vec<(usize, Vec<Edit>)>,
}

impl<'c> Pool<'c> {
    /// Programs of the language's own window.
    pub(super) fn new(compiled: &'c Compiled, seed: u64) -> Result<Pool<'c>, SizeError> {
        let mutator = mutator(compiled, compiled.grammar.sample)?;
        let programs = (0..POOL)
            .map(|item| mutator.sampler().sample(&mut stream(seed, item)))
            .collect();
        Ok(Pool::of(compiled, mutator, programs, seed))
    }

    /// These programs, at least one.
    pub(super) fn of(
        compiled: &'c Compiled,
        mutator: Mutator<'c>,
        programs: Vec<Program>,
        seed: u64,
    ) -> Pool<'c> {
        let layout = mutator.sampler().layout();
        let mut chains = Vec::new();
        if compiled.grammar.canvas.is_some() {
            for (nth, program) in programs.iter().enumerate().take(CHAINS) {
                // Behind the streams of the pool's programs.
                let mut rng = stream(seed, POOL + nth as u64);
                let (mut program, mut chain) = (program.clone(), Vec::new());
                while chain.len() < CHAIN
                    && let Some(edit) = mutator.propose(&program, &mut rng)
                {
                    layout.apply(&mut program, &edit);
                    chain.push(edit);
                }
                // Where programs run out of mutations there are no chains.
                if chain.len() == CHAIN {
                    chains.push((nth, chain));
                }
            }
        }
        Pool {
            texts: programs.iter().map(|p| compiled.print(p)).collect(),
            compiled,
            mutator,
            programs,
            chains,
            seed,
        }
    }

    pub(super) fn mean(&self, of: impl Fn(&Program) -> usize) -> f64 {
        self.programs.iter().map(of).sum::<usize>() as f64 / self.programs.len() as f64
    }

    pub(super) fn sampler(&self) -> &Sampler<'c> {
        self.mutator.sampler()
    }

    pub(super) fn program(&self, at: usize) -> &Program {
        &self.programs[at % self.programs.len()]
    }

    pub(super) fn text(&self, at: usize) -> &str {
        &self.texts[at % self.texts.len()]
    }

    /// A program and edits of it, each of what the one before leaves; for languages with
    /// pictures.
    pub(super) fn chain(&self, at: usize) -> Option<(&Program, &[Edit])> {
        let (nth, edits) = self.chains.get(at % self.chains.len().max(1))?;
        Some((self.programs.get(*nth)?, edits))
    }
}

/// The language's mutator with a window of sizes.
pub(super) fn mutator(compiled: &Compiled, window: SampleSpec) -> Result<Mutator<'_>, SizeError> {
    Mutator::with_sampler(Sampler::new(compiled, window)?, compiled.grammar.mutate)
}
