//! Drawing programs at random.
//!
//! In: a compiled language, a window of sizes, a seeded [`Rng`]. Out: programs. Afterwards every
//! program is complete and valid, and its size lies in the window. The exact sampler draws the size
//! uniformly among those that exist in the window (or by weight), then a program of that size with
//! a probability proportional to its weight. The reference's procedure is there for comparison.
//!
//! Same seed, same programs, on every machine and for every number of threads: program `i` of a run
//! is drawn from [`stream`]`(seed, i)`, which depends on nothing else.

pub(crate) mod alias;
mod differ;
mod exact;
mod frontier;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod values;

use std::borrow::Cow;
use std::ops::RangeInclusive;

use rand::SeedableRng;

use crate::compiled::Compiled;
use crate::grammar::ids::{NtId, ProdId, TokenId};
use crate::grammar::inside::{Inside, SizeError, ranges};
use crate::grammar::ir::{Grammar, Procedure, SampleSpec};
use crate::grammar::syntax::Syntax;
use crate::tree::diff::Fill;
use crate::tree::{Layout, Program};

use alias::Row;
pub(crate) use differ::Goal;
pub use exact::Scratch;
use exact::Tables;

/// The generator of all randomness in tdc.
pub type Rng = rand_xoshiro::Xoshiro256PlusPlus;

/// A generator for a seed.
pub fn seeded(seed: u64) -> Rng {
    Rng::seed_from_u64(seed)
}

/// The generator of item `i` of a run, such as program `i` of `tdc sample -n`. Different items of
/// one seed never share a generator.
pub fn stream(seed: u64, item: u64) -> Rng {
    // Both halves are bijections of 64 bits, so distinct items give distinct states.
    Rng::seed_from_u64(mix(seed) ^ mix(item.wrapping_add(0x9e37_79b9_7f4a_7c15)))
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014).
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Where strings for text tokens come from.
pub trait TextSource: std::fmt::Debug + Sync {
    /// Draws a string of a text token.
    fn text(&self, token: TokenId, rng: &mut Rng) -> String;
    /// The probability with which [`TextSource::text`] gives this string.
    fn probability(&self, token: TokenId, text: &str) -> f64;
    /// Whether the token has one string only.
    fn is_single(&self, token: TokenId) -> bool;
}

/// Draws programs of one language and window. Building one fills tables; drawing changes nothing
/// in it, so threads can share it.
#[derive(Debug)]
pub struct Sampler<'c> {
    grammar: &'c Grammar,
    inside: Cow<'c, Inside>,
    layout: Layout,
    tables: Tables,
    spec: SampleSpec,
    texts: &'c dyn TextSource,
    /// The choice of a class for a program of the window.
    window: Row,
}

impl<'c> Sampler<'c> {
    /// A sampler for a window; `compiled.grammar.sample` is the language's own.
    ///
    /// # Errors
    ///
    /// When no program has a size in the window, or the sizes are too large.
    pub fn new(compiled: &'c Compiled, spec: SampleSpec) -> Result<Sampler<'c>, SizeError> {
        Sampler::from_parts(&compiled.grammar, &compiled.inside, &compiled.syntax, spec)
    }

    /// [`Sampler::new`] from the parts it needs.
    pub fn from_parts(
        grammar: &'c Grammar,
        inside: &'c Inside,
        texts: &'c dyn TextSource,
        spec: SampleSpec,
    ) -> Result<Sampler<'c>, SizeError> {
        let inside = if spec.max > inside.max() {
            Cow::Owned(Inside::grown(grammar, spec.max)?)
        } else {
            Cow::Borrowed(inside)
        };
        let mut tables = Tables::new(grammar, &inside);
        let window = tables.window(&inside, grammar.start, spec.min..=spec.max, spec.by_weight);
        if window.is_empty() {
            let sizes: Vec<u32> = inside.sizes(grammar.start).collect();
            return Err(SizeError::Missing {
                what: format!("`{}`", grammar.nonterminal_name(grammar.start)),
                wanted: spec.min..=spec.max,
                exist: ranges(&sizes),
            });
        }
        Ok(Sampler {
            grammar,
            layout: Layout::new(grammar),
            inside,
            tables,
            spec,
            texts,
            window,
        })
    }

    /// The language.
    pub fn grammar(&self) -> &'c Grammar {
        self.grammar
    }

    /// The weights it draws by.
    pub fn inside(&self) -> &Inside {
        &self.inside
    }

    /// The packed rows of the grammar.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Its window and procedure.
    pub fn spec(&self) -> SampleSpec {
        self.spec
    }

    /// Whether a token, by its index, has more than one value.
    pub(crate) fn token_is_varied(&self, token: usize) -> bool {
        self.tables.draws[token].is_varied(self.texts)
    }

    /// A program of the window.
    pub fn sample(&self, rng: &mut Rng) -> Program {
        let mut out = Program::default();
        self.sample_into(&mut Scratch::default(), rng, &mut out);
        out
    }

    /// [`Sampler::sample`] into reused buffers: no allocation once they have grown.
    pub fn sample_into(&self, scratch: &mut Scratch, rng: &mut Rng, out: &mut Program) {
        match self.spec.procedure {
            Procedure::Exact => {
                let class = self.tables.choices.pick(self.window, rng);
                self.begin(out);
                self.expand(self.grammar.start, class, scratch, rng, out);
                self.layout.annotate(out);
            }
            Procedure::Frontier => {
                let window = self.spec.min..=self.spec.max;
                self.frontier(self.grammar.start, None, window, rng, out);
            }
        }
    }

    /// A tree of a nonterminal whose size is uniform among those that exist in `sizes`; `None`
    /// when none does. Sizes past the sampler's own greatest are not looked at.
    pub fn sample_nt(
        &self,
        nt: NtId,
        sizes: RangeInclusive<u32>,
        rng: &mut Rng,
    ) -> Option<Program> {
        let mut out = Program::default();
        self.sample_nt_into(nt, sizes, &mut Scratch::default(), rng, &mut out)
            .then_some(out)
    }

    /// [`Sampler::sample_nt`] into reused buffers; false when no size exists.
    pub fn sample_nt_into(
        &self,
        nt: NtId,
        sizes: RangeInclusive<u32>,
        scratch: &mut Scratch,
        rng: &mut Rng,
        out: &mut Program,
    ) -> bool {
        if self.spec.procedure == Procedure::Frontier {
            self.frontier(nt, None, sizes, rng, out);
            return true;
        }
        let exists = |size: &u32| !self.inside.weight(nt, *size).is_zero();
        let sizes = *sizes.start()..=(*sizes.end()).min(self.inside.max());
        let count = sizes.clone().filter(exists).count();
        let Some(size) = sizes.filter(exists).nth(below(rng, count as u32) as usize) else {
            return false;
        };
        self.begin(out);
        self.expand(nt, self.inside.class(size), scratch, rng, out);
        self.layout.annotate(out);
        true
    }

    /// A tree of a nonterminal of exactly this size, by weight, whatever the procedure; false when
    /// there is none.
    pub fn sample_size_into(
        &self,
        nt: NtId,
        size: u32,
        scratch: &mut Scratch,
        rng: &mut Rng,
        out: &mut Program,
    ) -> bool {
        if self.inside.weight(nt, size).is_zero() {
            return false;
        }
        self.begin(out);
        self.expand(nt, self.inside.class(size), scratch, rng, out);
        self.layout.annotate(out);
        true
    }

    /// A tree with this production at its root, its size uniform among those that exist in
    /// `sizes`; false when none does.
    pub fn sample_production_into(
        &self,
        production: ProdId,
        sizes: RangeInclusive<u32>,
        scratch: &mut Scratch,
        rng: &mut Rng,
        out: &mut Program,
    ) -> bool {
        if self.spec.procedure == Procedure::Frontier {
            self.frontier(self.grammar.start, Some(production), sizes, rng, out);
            return true;
        }
        let exists = |size: &u32| !self.inside.production_weight(production, *size).is_zero();
        let sizes = *sizes.start()..=(*sizes.end()).min(self.inside.max());
        let count = sizes.clone().filter(exists).count();
        let Some(size) = sizes.filter(exists).nth(below(rng, count as u32) as usize) else {
            return false;
        };
        self.begin(out);
        self.expand_production(production, self.inside.class(size), scratch, rng, out);
        self.layout.annotate(out);
        true
    }

    fn begin(&self, out: &mut Program) {
        out.nodes.clear();
        out.texts.clear();
    }
}

/// Random trees for edit paths.
#[derive(Debug)]
pub struct Filler<'a, 'c> {
    sampler: &'a Sampler<'c>,
    rng: &'a mut Rng,
    scratch: Scratch,
}

impl<'a, 'c> Filler<'a, 'c> {
    /// Trees by a sampler's weights.
    pub fn new(sampler: &'a Sampler<'c>, rng: &'a mut Rng) -> Filler<'a, 'c> {
        Filler {
            sampler,
            rng,
            scratch: Scratch::default(),
        }
    }

    /// [`Filler::new`] in the buffers of an earlier one.
    pub fn new_in(scratch: Scratch, sampler: &'a Sampler<'c>, rng: &'a mut Rng) -> Filler<'a, 'c> {
        Filler {
            sampler,
            rng,
            scratch,
        }
    }

    /// The buffers, for [`Filler::new_in`].
    pub fn into_scratch(self) -> Scratch {
        self.scratch
    }
}

impl Fill for Filler<'_, '_> {
    fn fill(&mut self, nt: NtId, size: u32, out: &mut Program) {
        self.sampler
            .sample_size_into(nt, size, &mut self.scratch, self.rng, out);
    }
}

/// A uniform number below `count`; 0 when `count` is 0.
#[inline]
pub(crate) fn below(rng: &mut Rng, count: u32) -> u32 {
    use rand::Rng as _;
    // The bias of this multiplication is below 2^-32, far below what any test can see.
    ((u128::from(rng.next_u64()) * u128::from(count)) >> 64) as u32
}

/// A uniform number in `0..1`, of 53 bits.
#[inline]
pub(crate) fn unit(rng: &mut Rng) -> f64 {
    use rand::Rng as _;
    (rng.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

impl TextSource for Syntax {
    fn text(&self, token: TokenId, rng: &mut Rng) -> String {
        self.sampler(token)
            .map_or_else(String::new, |sampler| sampler.sample(rng))
    }

    fn probability(&self, token: TokenId, text: &str) -> f64 {
        self.sampler(token)
            .map_or(0.0, |sampler| sampler.probability(text))
    }

    fn is_single(&self, token: TokenId) -> bool {
        self.sampler(token)
            .is_none_or(|sampler| sampler.is_single())
    }
}

#[cfg(test)]
mod tests;
