//! Small mutations (paper section 3.1, appendix A).
//!
//! In: a program. Out: an [`Edit`]. Afterwards the edited program is valid and differs, and neither
//! what is replaced nor its replacement is larger than sigma_small. Candidates are the nodes that
//! are small and whose nonterminal has another small program to offer. The replacement is drawn
//! from the node's nonterminal within sigma_small, exactly conditioned on being different; a token
//! with a kernel moves by it.

pub mod named;
pub mod obstacle;
mod offers;

use std::sync::Arc;

use crate::compiled::Compiled;
use crate::grammar::ids::{NtId, ProdId};
use crate::grammar::inside::SizeError;
use crate::grammar::ir::{MutateSpec, NodeChoice, Procedure, ProductionKind};
use crate::sample::values::{kernel_steps, normal_other};
use crate::sample::{Filler, Goal, Rng, Sampler, Scratch as SampleScratch, below};
use crate::tree::diff::{self, Path, PathError, PathMode, Step};
use crate::tree::{Edit, Node, Program};

/// Draws that may equal the original before the exact conditional draw takes over.
const TRIES: usize = 8;

/// Buffers of a mutator.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    sample: SampleScratch,
    pending: Vec<NtId>,
    nts: Vec<NtId>,
    candidates: Vec<u32>,
    counts: Vec<u32>,
}

/// Proposes mutations for programs of one language. Drawing changes nothing in it, so threads can
/// share it. A clone shares the sampler.
#[derive(Clone, Debug)]
pub struct Mutator<'c> {
    sampler: Arc<Sampler<'c>>,
    spec: MutateSpec,
    root: NtId,
    /// By nonterminal: whether it has two programs within sigma_small.
    offers: Vec<bool>,
    /// By token: standard deviation in steps and number of values, for a normal kernel.
    kernels: Vec<Option<(f64, u32)>>,
}

impl<'c> Mutator<'c> {
    /// A mutator; `compiled.grammar.mutate` is the language's own spec. Replacements are drawn by
    /// the procedure of `compiled.grammar.sample`.
    ///
    /// # Errors
    ///
    /// When sigma_small is past the sizes that can be sampled.
    pub fn new(compiled: &'c Compiled, spec: MutateSpec) -> Result<Mutator<'c>, SizeError> {
        let sampler = Sampler::new(compiled, compiled.grammar.sample)?;
        Mutator::with_sampler(sampler, spec)
    }

    /// A mutator that draws replacements from this sampler, by its procedure. The sampler's
    /// tables must reach sigma_small.
    ///
    /// # Errors
    ///
    /// When they do not.
    pub fn with_sampler(
        sampler: impl Into<Arc<Sampler<'c>>>,
        spec: MutateSpec,
    ) -> Result<Mutator<'c>, SizeError> {
        let sampler: Arc<Sampler<'c>> = sampler.into();
        if spec.small > sampler.inside().max() {
            return Err(SizeError::TooLarge(spec.small));
        }
        let grammar = sampler.grammar();
        let varied = |token: usize| sampler.token_is_varied(token);
        Ok(Mutator {
            offers: offers::offers(grammar, spec.small, varied),
            kernels: (0..grammar.tokens.len())
                .map(|token| kernel_steps(grammar, crate::grammar::ids::TokenId::from_index(token)))
                .collect(),
            spec,
            root: grammar.start,
            sampler,
        })
    }

    /// The sampler of replacements.
    pub fn sampler(&self) -> &Sampler<'c> {
        &self.sampler
    }

    /// sigma_small and the choice of the node.
    pub fn spec(&self) -> MutateSpec {
        self.spec
    }

    /// A mutation of a program of the mutator's root, which is the start nonterminal unless
    /// [`Mutator::with_root`] says otherwise; `None` when no node can be mutated.
    pub fn propose(&self, program: &Program, rng: &mut Rng) -> Option<Edit> {
        let mut edit = Edit::default();
        self.propose_into(program, &mut Scratch::default(), rng, &mut edit)
            .then_some(edit)
    }

    /// [`Mutator::propose`] into reused buffers.
    pub fn propose_into(
        &self,
        program: &Program,
        scratch: &mut Scratch,
        rng: &mut Rng,
        edit: &mut Edit,
    ) -> bool {
        self.propose_where(program, |_, _| true, scratch, rng, edit)
    }

    /// A mutation of one of the nodes that `keep` accepts, by position and node.
    pub fn propose_where(
        &self,
        program: &Program,
        keep: impl Fn(usize, &Node) -> bool,
        scratch: &mut Scratch,
        rng: &mut Rng,
        edit: &mut Edit,
    ) -> bool {
        self.find_positions(program, scratch);
        scratch.candidates.clear();
        for (at, (node, nt)) in program.nodes().iter().zip(&scratch.nts).enumerate() {
            if node.size <= self.spec.small && self.offers[nt.index()] && keep(at, node) {
                scratch.candidates.push(at as u32);
            }
        }
        match self.choose(program, scratch, rng) {
            Some(position) => self.replace(program, position, None, scratch, rng, edit),
            None => false,
        }
    }

    /// A mutation of the node at `position`, false when it is not a candidate.
    pub fn propose_at(
        &self,
        program: &Program,
        position: usize,
        scratch: &mut Scratch,
        rng: &mut Rng,
        edit: &mut Edit,
    ) -> bool {
        self.propose_where(program, |at, _| at == position, scratch, rng, edit)
    }

    /// A mutation whose replacement has this production at its root: `+` is put where another
    /// small shape stands, or another `+`.
    pub fn mutate_with(
        &self,
        production: ProdId,
        program: &Program,
        scratch: &mut Scratch,
        rng: &mut Rng,
        edit: &mut Edit,
    ) -> bool {
        let (grammar, small) = (self.sampler.grammar(), self.spec.small);
        if self
            .sampler
            .inside()
            .least_of(production)
            .is_none_or(|least| least > small)
        {
            return false;
        }
        self.find_positions(program, scratch);
        scratch.candidates.clear();
        for (at, (node, nt)) in program.nodes().iter().zip(&scratch.nts).enumerate() {
            let fits = node.size <= small
                && self.offers[nt.index()]
                && grammar.nonterminal(*nt).productions.contains(&production);
            if fits {
                scratch.candidates.push(at as u32);
            }
        }
        // A node that is the production's only small tree already has nothing to become. The
        // draw itself finds that out; then another node gets its turn.
        while let Some(position) = self.choose(program, scratch, rng) {
            if self.replace(program, position, Some(production), scratch, rng, edit) {
                return true;
            }
            scratch.candidates.retain(|at| *at as usize != position);
        }
        false
    }

    /// The edit path from `source` to `target` by edits of sigma_small, step by step. Both must be
    /// valid programs of the mutator's root.
    ///
    /// # Errors
    ///
    /// When sigma_small is too small to reach every program.
    pub fn path<'a>(
        &'a self,
        source: &Program,
        target: &'a Program,
        mode: PathMode,
        rng: &'a mut Rng,
    ) -> Result<impl Iterator<Item = Step> + use<'a, 'c>, PathError> {
        diff::check_small(self.sampler.grammar(), self.spec.small)?;
        let (layout, inside) = (self.sampler.layout(), self.sampler.inside());
        let mut path = Path::new(layout, inside, self.spec.small, mode, source, target);
        path.stand_for(self.root);
        let mut fill = Filler::new(&self.sampler, rng);
        Ok(std::iter::from_fn(move || path.step(&mut fill)))
    }

    fn find_positions(&self, program: &Program, scratch: &mut Scratch) {
        self.sampler.layout().positions_into(
            self.root,
            program.nodes(),
            &mut scratch.pending,
            &mut scratch.nts,
        );
    }

    /// Whether the node at a position is small and its nonterminal has another small program.
    fn is_candidate(&self, at: usize, node: &Node, scratch: &Scratch) -> bool {
        node.size <= self.spec.small && self.offers[scratch.nts[at].index()]
    }

    /// One of the candidates.
    fn choose(&self, program: &Program, scratch: &mut Scratch, rng: &mut Rng) -> Option<usize> {
        let Scratch {
            candidates, counts, ..
        } = scratch;
        let key = |at: u32| {
            let node = &program.nodes()[at as usize];
            match self.spec.choice {
                NodeChoice::Size => node.size as usize,
                NodeChoice::Rule => node.production.index(),
                NodeChoice::Node => 0,
            }
        };
        counts.clear();
        for at in candidates.iter() {
            let key = key(*at);
            if counts.len() <= key {
                counts.resize(key + 1, 0);
            }
            counts[key] += 1;
        }
        let kinds = counts.iter().filter(|count| **count > 0).count() as u32;
        let nth = below(rng, kinds) as usize;
        let mut present = counts.iter().enumerate().filter(|(_, count)| **count > 0);
        let (kind, count) = present.nth(nth)?;
        let nth = below(rng, *count) as usize;
        let mut members = candidates.iter().filter(|at| key(**at) == kind);
        members.nth(nth).map(|at| *at as usize)
    }

    /// Draws what takes the node's place.
    fn replace(
        &self,
        program: &Program,
        position: usize,
        root: Option<ProdId>,
        scratch: &mut Scratch,
        rng: &mut Rng,
        edit: &mut Edit,
    ) -> bool {
        let nt = scratch.nts[position];
        let node = program.nodes()[position];
        let (sampler, small) = (&self.sampler, self.spec.small);
        edit.position = position;
        let out = &mut edit.replacement;
        if let ProductionKind::Token(token) = sampler.grammar().production(node.production).kind
            && let Some((sigma, count)) = self.kernels[token.index()]
        {
            let Some(value) = normal_other(rng, node.value, count, sigma) else {
                return false;
            };
            out.nodes.clear();
            out.texts.clear();
            out.nodes.push(Node { value, ..node });
            return true;
        }
        // The first draws nearly always differ; where they do not, the conditional draw is exact
        // too, so stopping after any number of tries leaves the distribution as it is. The
        // reference's procedure has no exact form, so it gets more patience.
        let tries = match sampler.spec().procedure {
            Procedure::Exact => TRIES,
            Procedure::Frontier => 64 * TRIES,
        };
        for _ in 0..tries {
            let drawn = match root {
                None => sampler.sample_nt_into(nt, 0..=small, &mut scratch.sample, rng, out),
                Some(root) => {
                    let sizes = 0..=small;
                    sampler.sample_production_into(root, sizes, &mut scratch.sample, rng, out)
                }
            };
            // The reference's procedure can overshoot where productions jump in size.
            if drawn && out.size() <= small && !sampler.layout().same(out, 0, program, position) {
                return true;
            }
        }
        let (goal, scratch) = (Goal { nt, root }, &mut scratch.sample);
        sampler.sample_other(goal, program, position, 0..=small, scratch, rng, out)
    }
}

#[cfg(test)]
mod tests;
