//! Instances of a rewrite rule: what its metavariables stand for, and its sides with that put in.
//!
//! In: a pattern and a program it is laid on ([`lay`]), or [`Bindings`] from elsewhere. Out: the
//! sides as programs ([`build`]). Afterwards every value lies in its token's domain and every
//! subtree fits its places. What the other side has on top is found by a `Plan`.

use crate::grammar::ids::ProdId;
use crate::grammar::ir::{Grammar, ProductionKind, Token};
use crate::grammar::pattern::{Pattern, PatternNode};
use crate::grammar::rules::Rule;
use crate::tree::{Layout, Node, Program};

/// Which side is matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// The left; the right one is made.
    Forward,
    /// The right; the left one is made.
    Backward,
}

impl Direction {
    /// The side that is matched, and the one that is made.
    pub fn sides(self, rule: &Rule) -> (&Pattern, &Pattern) {
        match self {
            Direction::Forward => (&rule.left, &rule.right),
            Direction::Backward => (&rule.right, &rule.left),
        }
    }

    /// The directions a rule may be used in.
    pub fn of(rule: &Rule) -> &'static [Direction] {
        match rule.both_ways {
            true => &[Direction::Forward, Direction::Backward],
            false => &[Direction::Forward],
        }
    }
}

/// What a metavariable stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    /// A token's value, by its index in the domain.
    Value(u32),
    /// A text token's string.
    Text(Box<str>),
    /// A subtree.
    Tree(Program),
    /// A subtree that is kept elsewhere: the production at its root, which is all that
    /// computations see of it, and which one it is.
    Elsewhere {
        /// The production at its root.
        root: ProdId,
        /// The same for the same subtree.
        id: u32,
    },
}

/// What a rule's metavariables stand for, by their indices in `Rule::metas`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Bindings {
    pub(super) of: Vec<Option<Bound>>,
}

impl Bindings {
    /// None yet.
    pub fn new(rule: &Rule) -> Bindings {
        Bindings {
            of: vec![None; rule.metas.len()],
        }
    }

    /// What a metavariable stands for, if that is known.
    pub fn get(&self, index: u16) -> Option<&Bound> {
        self.of.get(usize::from(index))?.as_ref()
    }

    /// Says what a metavariable stands for. An index the rule does not have is ignored.
    pub fn set(&mut self, index: u16, bound: Bound) {
        if let Some(place) = self.of.get_mut(usize::from(index)) {
            *place = Some(bound);
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.of.fill(None);
    }
}

/// A side of a rule with its metavariables put in. `None` when one is not bound, or not to
/// something that may stand there: a subtree that binds too loosely, a value outside its domain, a
/// subtree that is kept elsewhere.
pub fn build(grammar: &Grammar, pattern: &Pattern, bindings: &Bindings) -> Option<Program> {
    let mut kinds: Vec<(ProdId, u32)> = Vec::with_capacity(pattern.nodes.len());
    let mut texts: Vec<Box<str>> = Vec::new();
    for node in &pattern.nodes {
        match node {
            PatternNode::Node(production, value) => {
                if grammar.is_text(*production) {
                    kinds.push((*production, texts.len() as u32));
                    texts.push(pattern.texts.get(*value as usize)?.clone());
                } else {
                    kinds.push((*production, *value));
                }
            }
            PatternNode::Meta(index, nt) => {
                let productions = &grammar.nonterminal(*nt).productions;
                match bindings.get(*index)? {
                    Bound::Tree(tree) => {
                        if !productions.contains(&tree.nodes().first()?.production) {
                            return None;
                        }
                        for node in tree.nodes() {
                            if grammar.is_text(node.production) {
                                kinds.push((node.production, texts.len() as u32));
                                texts.push(tree.texts().get(node.value as usize)?.clone());
                            } else {
                                kinds.push((node.production, node.value));
                            }
                        }
                    }
                    Bound::Value(value) => {
                        let token = token_of(grammar, productions)?;
                        if *value >= token.domain.count()? {
                            return None;
                        }
                        kinds.push((token.production, *value));
                    }
                    Bound::Text(text) => {
                        let token = token_of(grammar, productions)?;
                        if token.domain.count().is_some() {
                            return None;
                        }
                        kinds.push((token.production, texts.len() as u32));
                        texts.push(text.clone());
                    }
                    Bound::Elsewhere { .. } => return None,
                }
            }
        }
    }
    Program::from_preorder(grammar, kinds, texts)
}

/// The token these productions are of.
fn token_of<'g>(grammar: &'g Grammar, productions: &[ProdId]) -> Option<&'g Token> {
    match productions {
        [only] => match grammar.production(*only).kind {
            ProductionKind::Token(token) => Some(grammar.token(token)),
            _ => None,
        },
        _ => None,
    }
}

/// What a pattern's metavariables stand for when it is laid on the subtree at `position`. `None`
/// when it does not fit there; a metavariable with several places must find the same in all.
/// Values that `bindings` hold already are kept to. On failure they are left half filled.
pub fn lay(
    grammar: &Grammar,
    layout: &Layout,
    pattern: &Pattern,
    program: &Program,
    position: usize,
    bindings: &mut Bindings,
) -> bool {
    let mut at = position;
    for node in &pattern.nodes {
        let Some(found) = program.nodes().get(at) else {
            return false;
        };
        match node {
            PatternNode::Node(production, value) => {
                if found.production != *production {
                    return false;
                }
                let fits = match text_at(layout, program, found) {
                    Some(text) => {
                        pattern.texts.get(*value as usize).map(AsRef::as_ref) == Some(text)
                    }
                    None => found.value == *value,
                };
                if !fits {
                    return false;
                }
                at += 1;
            }
            PatternNode::Meta(index, nt) => {
                let fits = grammar
                    .nonterminal(*nt)
                    .productions
                    .contains(&found.production);
                if !fits || !lay_meta(grammar, layout, *index, program, at, bindings) {
                    return false;
                }
                at += found.len as usize;
            }
        }
    }
    true
}

fn lay_meta(
    grammar: &Grammar,
    layout: &Layout,
    index: u16,
    program: &Program,
    at: usize,
    bindings: &mut Bindings,
) -> bool {
    let Some(found) = program.nodes().get(at) else {
        return false;
    };
    let text = text_at(layout, program, found);
    match bindings.get(index) {
        Some(Bound::Tree(tree)) => !tree.is_empty() && layout.same(tree, 0, program, at),
        Some(Bound::Value(value)) => *value == found.value,
        Some(Bound::Text(known)) => text == Some(known.as_ref()),
        Some(Bound::Elsewhere { .. }) => false,
        None => {
            let bound = match text {
                Some(text) => Bound::Text(text.into()),
                None if token_of(grammar, &[found.production]).is_some() => {
                    Bound::Value(found.value)
                }
                None => Bound::Tree(layout.extract(program, at)),
            };
            bindings.set(index, bound);
            true
        }
    }
}

fn text_at<'p>(layout: &Layout, program: &'p Program, node: &Node) -> Option<&'p str> {
    let text = || program.texts().get(node.value as usize).map(AsRef::as_ref);
    layout.is_text(node.production).then(text).flatten()
}
