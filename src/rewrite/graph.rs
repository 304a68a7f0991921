//! The e-graph of a language's programs.
//!
//! In: terms. Out: [`Graph`], egg's e-graph with what is known of each class. Afterwards a class
//! knows the tightest binding strength that one of its programs has; a class of which no program
//! can be written has none.

use std::cell::RefCell;
use std::sync::Arc;

use egg::{Analysis, DidMerge, EGraph, Id, Justification};

use super::tables::Tables;
use super::term::{Kids, Op, Term};

/// egg's e-graph over [`Term`]s.
pub(crate) type Graph = EGraph<Term, Known>;

/// What the e-graph keeps of each class, and the record of unions where one is asked for.
#[derive(Debug)]
pub(crate) struct Known {
    /// The grammar's rows.
    pub tables: Arc<Tables>,
    /// Every union that was made, in order; `None` when nobody will ask.
    pub record: Option<RefCell<Record>>,
}

/// Why two classes became one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// An application of a rule or of laws, by its number, from the first to the second node.
    Rule(usize),
    /// Nothing is known.
    Unknown,
    /// Same operator, and children that were the same class already, in pairs.
    Children(Vec<(Id, Id)>),
}

/// A union of the classes of two nodes.
#[derive(Clone, Debug)]
pub(crate) struct Union {
    /// The nodes, by the ids they got when they were added.
    pub ends: [Id; 2],
    /// The reason.
    pub why: Why,
}

/// Unions, in order.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// Those that joined two classes.
    pub unions: Vec<Union>,
    /// The reason of the next union that is not egg's own.
    pub next: Option<Why>,
}

impl Known {
    /// For an e-graph of this grammar.
    pub fn new(tables: Arc<Tables>, recording: bool) -> Known {
        Known {
            tables,
            record: recording.then(RefCell::default),
        }
    }
}

/// The strength a term has when its children can be written; `None` when one of them cannot stand
/// in its place.
fn strength(tables: &Tables, op: Op, kids: impl Iterator<Item = Option<u8>>) -> Option<u8> {
    match op {
        Op::Node(production, _) => {
            let mut needs = tables.kids(production).iter();
            for kid in kids {
                let need = needs.next()?;
                if kid? < *need {
                    return None;
                }
            }
        }
        Op::Many(at) => {
            let operator = tables.operator(at);
            let (tight, loose) = operator.tight_and_loose();
            let (mut count, mut loosely) = (0, 0);
            for kid in kids {
                let kid = kid?;
                if kid < loose {
                    return None;
                }
                count += 1;
                loosely += usize::from(kid < tight);
            }
            if loosely > operator.loose_places(count) {
                return None;
            }
        }
    }
    Some(tables.strength(op))
}

impl Analysis<Term> for Known {
    type Data = Option<u8>;

    fn make(egraph: &mut EGraph<Term, Self>, enode: &Term, _: Id) -> Option<u8> {
        let kids = enode.kids.iter().map(|kid| egraph[*kid].data);
        strength(&egraph.analysis.tables, enode.op, kids)
    }

    fn merge(&mut self, a: &mut Option<u8>, b: Option<u8>) -> DidMerge {
        egg::merge_max(a, b)
    }

    fn pre_union(egraph: &EGraph<Term, Self>, a: Id, b: Id, justification: &Option<Justification>) {
        let Some(record) = &egraph.analysis.record else {
            return;
        };
        if egraph.find(a) == egraph.find(b) {
            return;
        }
        let mut record = record.borrow_mut();
        let why = match justification {
            // A node that has become the same as another one, in egg's own upkeep.
            Some(Justification::Congruence) => Why::Children(pairs(
                egraph,
                egraph.id_to_node(a),
                &egraph.id_to_node(b).kids,
            )),
            _ => record.next.take().unwrap_or(Why::Unknown),
        };
        record.unions.push(Union { ends: [a, b], why });
    }
}

/// Children of a node with those of another that are of the same classes now, in pairs.
pub(crate) fn pairs(graph: &Graph, node: &Term, others: &[Id]) -> Vec<(Id, Id)> {
    let mut ours: Kids = node.kids.clone();
    let mut theirs: Kids = others.into();
    if matches!(node.op, Op::Many(_)) {
        ours.sort_by_key(|id| graph.find(*id));
        theirs.sort_by_key(|id| graph.find(*id));
    }
    ours.into_iter().zip(theirs).collect()
}
