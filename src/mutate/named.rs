//! The mutators of a language, each with a name of its own.
//!
//! In: a grammar. Out: a [`NamedMutator`] for every way in which a small mutation can be asked for
//! by name: `Circle::mutate_r` changes the field `r` of a `Circle`, `Shape::replace_circle` puts a
//! small `Circle` where another small `Shape` stands. Afterwards generated Rust, snapshots and the
//! summary of a language speak of the same mutators, in the same order.

use super::{Mutator, Scratch};
use crate::grammar::ids::{NtId, ProdId, SortId};
use crate::grammar::ir::{Grammar, ProductionKind};
use crate::sample::Rng;
use crate::tree::{Edit, Program};

/// A mutator of one field, or towards one production.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NamedMutator {
    /// A field of a production changes: the child itself, or for a list or an option any of its
    /// hidden nodes, so that an item can come, go or change with the items behind it.
    Field {
        /// The production.
        production: ProdId,
        /// Which of its children.
        child: usize,
    },
    /// A node of a sort is replaced by a small tree with this production at its root.
    Replace {
        /// The sort.
        sort: SortId,
        /// The production.
        production: ProdId,
    },
}

impl NamedMutator {
    /// Every mutator of a grammar: sort by sort, first towards each production, then each field
    /// of each production. Which of them can do anything depends on sigma_small and the program.
    pub fn all(grammar: &Grammar) -> Vec<NamedMutator> {
        let mut all = Vec::new();
        for (index, sort) in grammar.sorts.iter().enumerate() {
            let sort_id = SortId::from_index(index);
            all.extend(sort.productions.iter().map(|id| NamedMutator::Replace {
                sort: sort_id,
                production: *id,
            }));
            for id in &sort.productions {
                let count = grammar.production(*id).children.len();
                all.extend((0..count).map(|child| NamedMutator::Field {
                    production: *id,
                    child,
                }));
            }
        }
        all
    }

    /// The mutator of this name, if the grammar has one.
    pub fn find(grammar: &Grammar, name: &str) -> Option<NamedMutator> {
        let mut all = NamedMutator::all(grammar).into_iter();
        all.find(|mutator| mutator.name(grammar) == name)
    }

    /// What it is called: `Circle::mutate_r`, `Shape::replace_circle`. A production that shares
    /// its name with one of another sort is told apart by its sort: `Expr::Add::mutate_left`.
    /// Productions of one sort whose names are the same in small letters keep them as written:
    /// `Node::replace_HTTPServer`. So no two mutators of a grammar share a name.
    pub fn name(&self, grammar: &Grammar) -> String {
        match *self {
            NamedMutator::Field { production, child } => {
                let owner = grammar.production(production);
                let field = owner.children.get(child).map_or("", |child| &child.name);
                let is_shared =
                    grammar
                        .sorts
                        .iter()
                        .flat_map(|sort| &sort.productions)
                        .any(|other| {
                            *other != production && grammar.production(*other).name == owner.name
                        });
                let sort = match owner.kind {
                    ProductionKind::Node(sort) if is_shared => {
                        format!("{}::", grammar.sort(sort).name)
                    }
                    _ => String::new(),
                };
                format!("{sort}{}::mutate_{field}", owner.name)
            }
            NamedMutator::Replace { sort, production } => {
                let sort = grammar.sort(sort);
                let written = &grammar.production(production).name;
                let mut name = snake_case(written);
                let collides = |other: &ProdId| {
                    *other != production && snake_case(&grammar.production(*other).name) == name
                };
                if sort.productions.iter().any(collides) {
                    name.clone_from(written);
                }
                format!("{}::replace_{name}", sort.name)
            }
        }
    }
}

/// `RoundedBox` as `rounded_box`. A capital begins a word unless one stands before it and no
/// small letter follows: `HTTPServer` is `http_server`.
pub fn snake_case(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::with_capacity(name.len() + 4);
    for (at, letter) in chars.iter().enumerate() {
        let after_small =
            at > 0 && (chars[at - 1].is_lowercase() || chars[at - 1].is_ascii_digit());
        let before_small = at > 0
            && chars[at - 1].is_uppercase()
            && chars.get(at + 1).is_some_and(|next| next.is_lowercase());
        if letter.is_uppercase() && (after_small || before_small) && !out.ends_with('_') {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
    }
    out
}

impl<'c> Mutator<'c> {
    /// The same mutator for programs that stand for another nonterminal than the start.
    #[must_use]
    pub fn with_root(mut self, root: NtId) -> Mutator<'c> {
        self.root = root;
        self
    }

    /// What its programs stand for.
    pub fn root(&self) -> NtId {
        self.root
    }

    /// A mutation by a named mutator; `None` when there is nothing it could change.
    pub fn propose_named(
        &self,
        name: NamedMutator,
        program: &Program,
        rng: &mut Rng,
    ) -> Option<Edit> {
        let (mut scratch, mut edit) = (Scratch::default(), Edit::default());
        self.propose_named_into(name, program, &mut scratch, rng, &mut edit)
            .then_some(edit)
    }

    /// [`Mutator::propose_named`] into reused buffers.
    pub fn propose_named_into(
        &self,
        name: NamedMutator,
        program: &Program,
        scratch: &mut Scratch,
        rng: &mut Rng,
        edit: &mut Edit,
    ) -> bool {
        match name {
            NamedMutator::Replace { production, .. } => {
                self.mutate_with(production, program, scratch, rng, edit)
            }
            NamedMutator::Field { production, child } => {
                self.mutate_field(production, child, program, scratch, rng, edit)
            }
        }
    }

    /// A mutation of one field of one of the nodes with this production.
    fn mutate_field(
        &self,
        production: ProdId,
        child: usize,
        program: &Program,
        scratch: &mut Scratch,
        rng: &mut Rng,
        edit: &mut Edit,
    ) -> bool {
        self.find_positions(program, scratch);
        scratch.candidates.clear();
        let (nodes, layout) = (program.nodes(), self.sampler.layout());
        for (at, node) in nodes.iter().enumerate() {
            // A field that the production does not have stands nowhere.
            if node.production != production || child >= layout.arity(production) {
                continue;
            }
            let mut field = at + 1;
            for _ in 0..child {
                field += nodes[field].len as usize;
            }
            // The field itself, then down the hidden nodes of a list.
            loop {
                let node = nodes[field];
                if self.is_candidate(field, &node, scratch) {
                    scratch.candidates.push(field as u32);
                }
                match self.sampler.grammar().production(node.production).kind {
                    ProductionKind::Cons => field += 1 + nodes[field + 1].len as usize,
                    _ => break,
                }
            }
        }
        match self.choose(program, scratch, rng) {
            Some(position) => self.replace(program, position, None, scratch, rng, edit),
            None => false,
        }
    }
}

#[cfg(test)]
mod tests;
