//! Why a named mutator can never do anything, whatever the program.
//!
//! In: a mutator and a name. Out: an [`Obstacle`], or `None`. Afterwards `None` means that there is
//! a program of the mutator's root that it can change, and an obstacle that there is none; both
//! are exact. What a mutation may be, and so the answer, depends on sigma_small.

use super::Mutator;
use super::named::NamedMutator;
use crate::grammar::ids::NtId;
use crate::grammar::ir::{NonterminalKind, ProductionKind};

/// Why a mutator can never do anything.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// It would have to be larger than sigma_small.
    #[error("{what} has size {least} at least, and a mutation has {small} at most")]
    TooLarge {
        /// `a Block`, `a list of Stmt`.
        what: String,
        /// Its least size.
        least: u32,
        /// sigma_small.
        small: u32,
    },
    /// There is nothing else that it could be.
    #[error("there is only one {what} of size {small} or less")]
    Single {
        /// `Op`, `list of Stmt`.
        what: String,
        /// sigma_small.
        small: u32,
    },
    /// No program has a place for it.
    #[error("no program holds a {what}")]
    Unreachable {
        /// `Circle`, `Shape`.
        what: String,
    },
    /// The production has no such field.
    #[error("{what} has no such field")]
    NoField {
        /// The production's name.
        what: String,
    },
}

impl Mutator<'_> {
    /// Why a named mutator can change no program at all; `None` when it can change some.
    pub fn obstacle(&self, name: NamedMutator) -> Option<Obstacle> {
        let grammar = self.sampler().grammar();
        let small = self.spec().small;
        let reachable = self.reachable();
        let is_reachable = |nt: &NtId| reachable[nt.index()];
        match name {
            NamedMutator::Field { production, child } => {
                let owner = grammar.production(production);
                let Some(field) = owner.children.get(child) else {
                    return Some(Obstacle::NoField {
                        what: owner.name.clone(),
                    });
                };
                let holds = |nt: &NtId| grammar.nonterminal(*nt).productions.contains(&production);
                if !grammar
                    .nonterminal_ids()
                    .filter(is_reachable)
                    .any(|nt| holds(&nt))
                {
                    return Some(Obstacle::Unreachable {
                        what: owner.name.clone(),
                    });
                }
                // The rest of a list may be small where the list is not.
                let nts = [Some(field.nt), self.rest(field.nt)];
                if nts.into_iter().flatten().any(|nt| self.offers[nt.index()]) {
                    return None;
                }
                Some(self.too_few(field.nt))
            }
            NamedMutator::Replace { sort, production } => {
                let owner = grammar.sort(sort);
                let mut levels = owner
                    .levels
                    .iter()
                    .filter(|nt| grammar.nonterminal(**nt).productions.contains(&production))
                    .filter(|nt| is_reachable(nt))
                    .peekable();
                let name = &grammar.production(production).name;
                let Some(loosest) = levels.peek().copied() else {
                    return Some(Obstacle::Unreachable { what: name.clone() });
                };
                let least = self.sampler().inside().least_of(production);
                if let Some(least) = least.filter(|least| *least > small) {
                    let what = article(name);
                    return Some(Obstacle::TooLarge { what, least, small });
                }
                if levels.any(|nt| self.offers[nt.index()]) {
                    return None;
                }
                Some(self.too_few(*loosest))
            }
        }
    }

    /// Why a nonterminal has nothing to offer.
    fn too_few(&self, nt: NtId) -> Obstacle {
        let small = self.spec().small;
        let what = self.sampler().grammar().nonterminal_name(nt);
        match self.sampler().inside().least(nt) {
            Some(least) if least > small => Obstacle::TooLarge {
                what: article(&what),
                least,
                small,
            },
            _ => Obstacle::Single { what, small },
        }
    }

    /// What stands behind the first item of a list.
    fn rest(&self, list: NtId) -> Option<NtId> {
        let grammar = self.sampler().grammar();
        let NonterminalKind::List { .. } = grammar.nonterminal(list).kind else {
            return None;
        };
        let productions = grammar.nonterminal(list).productions.iter();
        let mut productions = productions.map(|id| grammar.production(*id));
        let cons = productions.find(|production| production.kind == ProductionKind::Cons)?;
        cons.children.get(1).map(|child| child.nt)
    }

    /// By nonterminal: whether a program of the root has a place for it.
    fn reachable(&self) -> Vec<bool> {
        let grammar = self.sampler().grammar();
        let mut seen = vec![false; grammar.nonterminals.len()];
        let mut pending = vec![self.root()];
        while let Some(nt) = pending.pop() {
            if std::mem::replace(&mut seen[nt.index()], true) {
                continue;
            }
            for id in &grammar.nonterminal(nt).productions {
                pending.extend(grammar.production(*id).children.iter().map(|c| c.nt));
            }
        }
        seen
    }
}

/// `a Block`, `an Else`.
fn article(name: &str) -> String {
    let vowel = name.starts_with(['A', 'E', 'I', 'O', 'U', 'a', 'e', 'i', 'o', 'u']);
    format!("{} {name}", if vowel { "an" } else { "a" })
}
