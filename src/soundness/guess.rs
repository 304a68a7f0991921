//! What a rule's metavariables may stand for, at random.
//!
//! In: a rule, a number, a seeded generator. Out: [`Bindings`] of one side. Afterwards every token
//! has a value of its domain, every subtree is a program of its sort.
//!
//! Rules go wrong at the ends of domains, where two values or two subtrees are the same, or at one
//! value of many. So the k-th guess gives one metavariable a certain value: over enough guesses
//! every value of every small token comes up for sure. The others are drawn: ends of domains,
//! values used already and their neighbours more often than chance would have it.

use crate::compiled::Compiled;
use crate::grammar::ids::{NtId, TokenId};
use crate::grammar::ir::{Domain, Procedure, ProductionKind, SampleSpec};
use crate::grammar::pattern::{Pattern, PatternNode};
use crate::grammar::rules::Rule;
use crate::grammar::syntax::Stands;
use crate::rewrite::{Bindings, Bound};
use crate::sample::{Rng, Sampler, TextSource, below, unit};
use crate::tree::Program;

/// Draws bindings for the rules of a language.
#[derive(Debug)]
pub(super) struct Guesser<'c> {
    compiled: &'c Compiled,
    sampler: Option<Sampler<'c>>,
}

/// Sizes of subtrees: the first window in which there is a program is taken.
const WINDOWS: [u32; 5] = [1, 3, 8, 20, 60];

impl<'c> Guesser<'c> {
    pub(super) fn new(compiled: &'c Compiled) -> Guesser<'c> {
        let spec = SampleSpec {
            procedure: Procedure::Exact,
            ..compiled.grammar.sample
        };
        Guesser {
            compiled,
            sampler: Sampler::new(compiled, spec).ok(),
        }
    }

    /// The sampler, exact and of the language's own window.
    pub(super) fn sampler(&self) -> Option<&Sampler<'c>> {
        self.sampler.as_ref()
    }

    /// Bindings for the metavariables of a side, the `k`-th or any; `None` when a sort has no
    /// programs.
    pub(super) fn guess(
        &self,
        rule: &Rule,
        side: &Pattern,
        k: Option<usize>,
        rng: &mut Rng,
    ) -> Option<Bindings> {
        let mut places: Vec<(u16, NtId)> = Vec::new();
        for node in &side.nodes {
            if let PatternNode::Meta(index, nt) = node
                && !places.iter().any(|(known, _)| known == index)
            {
                places.push((*index, *nt));
            }
        }
        let certain =
            k.and_then(|k| Some((k.checked_rem(places.len())?, k.checked_div(places.len())?)));
        let mut bindings = Bindings::new(rule);
        for (at, (index, nt)) in places.iter().enumerate() {
            let bound = match rule.metas.get(usize::from(*index))?.stands? {
                Stands::Token(token) => match certain {
                    Some((chosen, value)) if chosen == at => self.certain(token, value),
                    _ => None,
                }
                .unwrap_or_else(|| self.token(rule, token, &bindings, rng)),
                Stands::Sort(sort) => {
                    let others = rule.metas.iter().zip(0u16..).filter_map(|(meta, i)| {
                        match (meta.stands == Some(Stands::Sort(sort)), bindings.get(i)) {
                            (true, Some(Bound::Tree(tree))) => Some(tree),
                            _ => None,
                        }
                    });
                    let others: Vec<&Program> = others.collect();
                    Bound::Tree(self.tree(*nt, &others, rng)?)
                }
            };
            bindings.set(*index, bound);
        }
        Some(bindings)
    }

    /// A certain value of a token.
    fn certain(&self, token: TokenId, value: usize) -> Option<Bound> {
        let count = self.compiled.grammar.token(token).domain.count()?;
        let value = u32::try_from(value).ok()?.checked_rem(count)?;
        Some(Bound::Value(value))
    }

    fn token(&self, rule: &Rule, token: TokenId, so_far: &Bindings, rng: &mut Rng) -> Bound {
        let used = |bound: &Bound| match bound {
            Bound::Value(_) | Bound::Text(_) => Some(bound.clone()),
            _ => None,
        };
        let same = |meta: &crate::grammar::rules::Meta| meta.stands == Some(Stands::Token(token));
        let before: Vec<Bound> = (rule.metas.iter().zip(0u16..))
            .filter(|(meta, _)| same(meta))
            .filter_map(|(_, i)| so_far.get(i).and_then(used))
            .collect();
        let chance = unit(rng);
        let again = match before.len() {
            0 => None,
            n => before.get(below(rng, n as u32) as usize),
        };
        let Some(count) = self.compiled.grammar.token(token).domain.count() else {
            return match again {
                Some(text) if chance < 0.3 => text.clone(),
                _ => Bound::Text(self.compiled.syntax.text(token, rng).into()),
            };
        };
        match again {
            Some(value) if chance < 0.2 => return value.clone(),
            Some(Bound::Value(value)) if chance < 0.4 => {
                let near = i64::from(*value) + i64::from(below(rng, 5)) - 2;
                return Bound::Value(near.clamp(0, i64::from(count) - 1) as u32);
            }
            _ => {}
        }
        Bound::Value(self.value(token, chance, count, rng))
    }

    /// A value of a token with so many; the greater the chance, the more often an end.
    fn value(&self, token: TokenId, chance: f64, count: u32, rng: &mut Rng) -> u32 {
        let words = matches!(self.compiled.grammar.token(token).domain, Domain::Finite(_));
        if words || chance < 0.75 {
            return below(rng, count);
        }
        let last = count.saturating_sub(1);
        [0, 0, 1, last, last.saturating_sub(1)][below(rng, 5) as usize].min(last)
    }

    /// A small subtree: often a single primitive, sometimes one of the others again or with one
    /// value changed.
    fn tree(&self, nt: NtId, others: &[&Program], rng: &mut Rng) -> Option<Program> {
        let chance = unit(rng);
        if !others.is_empty() && chance < 0.25 {
            let mut again = others[below(rng, others.len() as u32) as usize].clone();
            if chance < 0.15 {
                self.change_one(&mut again, rng);
            }
            return Some(again);
        }
        let sampler = self.sampler.as_ref()?;
        let first = usize::from(chance > 0.7);
        let mut windows = WINDOWS[first..]
            .iter()
            .copied()
            .chain([sampler.inside().max()]);
        let mut tree = windows.find_map(|most| sampler.sample_nt(nt, 0..=most, rng))?;
        // Ends of domains, which the sampler has no liking for.
        for at in 0..tree.len() {
            if unit(rng) < 0.1 {
                self.change(&mut tree, at, rng);
            }
        }
        Some(tree)
    }

    /// Changes one value of a tree that has any.
    pub(super) fn change_one(&self, tree: &mut Program, rng: &mut Rng) {
        let values: Vec<usize> = (0..tree.len())
            .filter(|at| self.token_at(tree, *at).is_some())
            .collect();
        if let Some(at) = values.get(below(rng, values.len() as u32) as usize) {
            self.change(tree, *at, rng);
        }
    }

    /// The token of a node with a counted domain.
    fn token_at(&self, tree: &Program, at: usize) -> Option<(TokenId, u32)> {
        let grammar = &self.compiled.grammar;
        let ProductionKind::Token(token) =
            grammar.production(tree.nodes().get(at)?.production).kind
        else {
            return None;
        };
        Some((token, grammar.token(token).domain.count()?))
    }

    fn change(&self, tree: &mut Program, at: usize, rng: &mut Rng) {
        if let Some((token, count)) = self.token_at(tree, at) {
            let value = self.value(token, 0.5 + unit(rng) / 2.0, count, rng);
            tree.nodes[at].value = value;
        }
    }
}
