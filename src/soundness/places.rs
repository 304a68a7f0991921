//! Real programs: where rules apply in them, and what they put around a rule's sides.
//!
//! In: a language. Out: programs of its own sampler and its examples, [`Place`]s in them. Afterwards a
//! subtree may be put at a place when its root is among the place's productions.

use std::ops::ControlFlow;

use super::guess::Guesser;
use crate::compiled::Compiled;
use crate::grammar::ids::SortId;
use crate::grammar::ir::{Grammar, NonterminalKind};
use crate::grammar::pattern::PatternNode;
use crate::rewrite::{Bindings, Direction, Plan, build, lay};
use crate::sample::stream;
use crate::tree::{Edit, Layout, Program, edit, parse};

/// Programs that are sampled.
pub(super) const SAMPLES: u64 = 300;

/// Programs of a language, and the positions that each sort has in them.
#[derive(Debug)]
pub(super) struct Places<'c> {
    grammar: &'c Grammar,
    layout: Layout,
    programs: Vec<Program>,
}

/// A position in a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Index of the program.
    program: usize,
    position: usize,
}

/// An instance that was found in a program.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) bindings: Bindings,
    pub(super) place: Place,
}

impl<'c> Places<'c> {
    pub(super) fn new(compiled: &'c Compiled, guesser: &Guesser<'c>, seed: u64) -> Places<'c> {
        let grammar = &compiled.grammar;
        let mut programs: Vec<Program> = Vec::new();
        for example in grammar.examples.values() {
            programs.extend(parse(grammar, &compiled.syntax, &example.program.text));
        }
        if let Some(sampler) = guesser.sampler() {
            programs.extend((0..SAMPLES).map(|i| sampler.sample(&mut stream(seed, i))));
        }
        Places {
            grammar,
            layout: Layout::new(grammar),
            programs,
        }
    }

    /// The places of a sort.
    pub(super) fn of(&self, sort: SortId) -> Vec<Place> {
        let mut found = Vec::new();
        for (program, tree) in self.programs.iter().enumerate() {
            let nts = self.layout.positions(self.grammar.start, tree);
            for (position, nt) in nts.into_iter().enumerate() {
                let kind = self.grammar.nonterminal(nt).kind;
                if matches!(kind, NonterminalKind::Sort { sort: own, .. } if own == sort) {
                    found.push(Place { program, position });
                }
            }
        }
        found
    }

    /// A program with something else at a place; `None` when that may not stand there.
    pub(super) fn put(&self, place: Place, subtree: &Program) -> Option<Program> {
        let program = self.programs.get(place.program)?;
        let root = subtree.nodes().first()?.production;
        let nts = self.layout.positions(self.grammar.start, program);
        let nt = nts.get(place.position)?;
        let fits = self.grammar.nonterminal(*nt).productions.contains(&root);
        fits.then(|| {
            let edit = Edit {
                position: place.position,
                replacement: subtree.clone(),
            };
            edit::apply(self.grammar, program, &edit)
        })
    }

    /// Whether a subtree is a whole program by itself.
    pub(super) fn is_whole(&self, subtree: &Program) -> bool {
        let start = self.grammar.nonterminal(self.grammar.start);
        let root = subtree.nodes().first();
        root.is_some_and(|root| start.productions.contains(&root.production))
    }

    /// The first `most` instances of a rule in the programs, and the number of programs that have
    /// one.
    pub(super) fn find(
        &self,
        plan: &Plan<'c>,
        direction: Direction,
        most: usize,
    ) -> (Vec<Found>, u32) {
        let rule = plan.rule();
        let (matched, made) = direction.sides(rule);
        let mut found = Vec::new();
        let mut programs = 0;
        let Some(PatternNode::Node(root, _)) = matched.nodes.first() else {
            return (found, programs);
        };
        let mut bindings = Bindings::new(rule);
        for (index, program) in self.programs.iter().enumerate() {
            let mut has = false;
            for (position, node) in program.nodes().iter().enumerate() {
                if node.production != *root || (has && found.len() >= most) {
                    continue;
                }
                bindings.clear();
                let laid = lay(
                    self.grammar,
                    &self.layout,
                    matched,
                    program,
                    position,
                    &mut bindings,
                );
                if !laid {
                    continue;
                }
                let place = Place {
                    program: index,
                    position,
                };
                plan.complete(&mut bindings, |way| {
                    let Some(other) = build(self.grammar, made, way) else {
                        return ControlFlow::Continue(());
                    };
                    if self.put(place, &other).is_none() {
                        return ControlFlow::Continue(());
                    }
                    has = true;
                    if found.len() < most {
                        found.push(Found {
                            bindings: way.clone(),
                            place,
                        });
                    }
                    ControlFlow::Break(())
                });
            }
            programs += u32::from(has);
        }
        (found, programs)
    }
}
