//! One egg language for every grammar.
//!
//! In: productions, values of tokens, laws. Out: [`Term`], an operator over ids of children.
//! Afterwards a program is a term whose operators are its productions and token values; operands of
//! an operator that is commutative and associative stand in one node, as a multiset.

use egg::{Id, Language};
use smallvec::SmallVec;

use crate::grammar::ids::ProdId;

/// Children of a term.
pub(crate) type Kids = SmallVec<[Id; 6]>;

/// The operator of a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Op {
    /// A node of this production; of a token also its value. A text's value is its index among the
    /// texts at hand ([`Texts`](super::texts::Texts)).
    Node(ProdId, u32),
    /// All operands that the law of this index lets change places.
    Many(u16),
}

/// A node of an e-graph or of an expression.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Term {
    /// Its operator.
    pub op: Op,
    /// Its children; those of [`Op::Many`] are kept in order, which order does not matter.
    pub kids: Kids,
}

impl Term {
    /// A node with these children. Those of [`Op::Many`] are sorted by their ids.
    pub fn new(op: Op, mut kids: Kids) -> Term {
        if matches!(op, Op::Many(_)) {
            kids.sort_unstable();
        }
        Term { op, kids }
    }
}

impl Language for Term {
    type Discriminant = Op;

    fn discriminant(&self) -> Op {
        self.op
    }

    fn matches(&self, other: &Term) -> bool {
        self.op == other.op && self.kids.len() == other.kids.len()
    }

    fn children(&self) -> &[Id] {
        &self.kids
    }

    fn children_mut(&mut self) -> &mut [Id] {
        &mut self.kids
    }

    // A multiset stays in order when its members are renamed: this is what makes nodes equal that
    // hold the same operands.
    fn update_children<F: FnMut(Id) -> Id>(&mut self, mut f: F) {
        for id in &mut self.kids {
            *id = f(*id);
        }
        if matches!(self.op, Op::Many(_)) {
            self.kids.sort_unstable();
        }
    }
}

/// Removes one of `wanted` after another from `from`, both sorted; `None` unless all are there.
pub(crate) fn without(from: &[Id], wanted: &[Id]) -> Option<Kids> {
    let mut left = Kids::new();
    let mut wanted = wanted.iter().peekable();
    for id in from {
        if wanted.peek() == Some(&id) {
            wanted.next();
        } else {
            left.push(*id);
        }
    }
    wanted.peek().is_none().then_some(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(list: &[usize]) -> Kids {
        list.iter().map(|i| Id::from(*i)).collect()
    }

    #[test]
    fn multisets_lose_what_is_taken() {
        assert_eq!(
            without(&ids(&[1, 2, 2, 5]), &ids(&[2, 5])),
            Some(ids(&[1, 2]))
        );
        assert_eq!(without(&ids(&[1, 2]), &ids(&[2, 2])), None);
        assert_eq!(without(&ids(&[1]), &ids(&[])), Some(ids(&[1])));
        assert_eq!(without(&ids(&[]), &ids(&[1])), None);
    }

    #[test]
    fn renamed_operands_stay_in_order() {
        let sum = Term::new(Op::Many(0), ids(&[3, 1, 2]));
        assert_eq!(sum.kids, ids(&[1, 2, 3]));
        let renamed = sum.map_children(|id| Id::from(9 - usize::from(id)));
        assert_eq!(renamed.kids, ids(&[6, 7, 8]));
        let plain = Term::new(Op::Node(ProdId(0), 0), ids(&[3, 1]));
        assert_eq!(plain.kids, ids(&[3, 1]));
    }
}
