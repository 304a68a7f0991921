//! Matching rules on an e-graph, operands of laws in any order.
//!
//! In: a clean e-graph and a [`Way`]. Out: [`Match`]es. Afterwards each says which class was
//! matched, what metavariables stand for there, and which operands beside the matched ones the
//! operator at the root has.
//!
//! Among operands, a metavariable that nothing else binds stands for one of them, and the last such
//! for all that are left: trying every subset would be exponential, and what is left can be taken
//! apart by the same rule again.

use std::rc::Rc;

use egg::{Id, Language};
use rustc_hash::FxHashSet;
use smallvec::SmallVec;

use super::graph::Graph;
use super::shape::{Piece, Way};
use super::tables::Tables;
use super::term::{Kids, Op, Term, without};

/// What a metavariable stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Bind {
    /// A class.
    One(Id),
    /// The operator of a law on these operands.
    Rest(u16, Rc<Kids>),
}

/// What metavariables stand for, by index.
pub(crate) type Binds = SmallVec<[Option<Bind>; 12]>;

/// The classes that a way's equations and condition look at.
pub(crate) type Key = SmallVec<[Id; 12]>;

/// The classes of these metavariables; those that stand for nothing yet are left out.
pub(crate) fn key(reads: &[u16], binds: &Binds) -> Key {
    let class = |meta: &u16| match binds.get(usize::from(*meta))? {
        Some(Bind::One(class)) => Some(*class),
        _ => None,
    };
    reads.iter().filter_map(class).collect()
}

/// A place where a way applies, as far as patterns can say.
#[derive(Clone, Debug)]
pub(crate) struct Match {
    /// The class.
    pub class: Id,
    /// What metavariables of the matched side stand for.
    pub binds: Binds,
    /// Further operands of the operator at the root.
    pub others: Kids,
    /// How it was found, when that is asked for.
    pub trail: Vec<Found>,
}

/// A part of how a match was found.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    /// This piece of the pattern is this node of the e-graph.
    Node(u16, Term),
    /// Of the operands of the first piece, these are the second one.
    Operands(u16, u16, Kids),
    /// Likewise, for a metavariable whose class holds the node of these operands.
    Through(u16, u16, Term),
}

/// Most steps of one search of one way; what would come later is not found then.
const MOST_STEPS: u32 = 50_000;

/// Finds all matches of a way but those that its equations and condition are known to refuse. Gives
/// whether these are all, not when it gave up, and how many steps it took.
pub(crate) fn search(
    graph: &Graph,
    way: &Way<'_>,
    refused: &FxHashSet<Key>,
    tracing: bool,
    out: &mut Vec<Match>,
) -> (bool, u32) {
    let Some(op) = way.left.root_op() else {
        return (true, 0);
    };
    let Some(classes) = graph.classes_for_op(&op) else {
        return (true, 0);
    };
    let mut run = Run {
        graph,
        tables: &graph.analysis.tables,
        way,
        refused,
        binds: SmallVec::from_elem(None, way.needs.len()),
        class: Id::from(0),
        others: Kids::new(),
        trail: Vec::new(),
        tracing,
        left: MOST_STEPS,
        out,
    };
    for class in classes {
        run.class = class;
        for node in graph[class].iter().filter(|node| node.op == op) {
            run.node(way.left.root(), node, None, None, true);
        }
    }
    (run.left > 0, MOST_STEPS - run.left)
}

/// Pieces to be matched with classes, one after another.
#[derive(Clone, Copy)]
struct Todo<'t> {
    pieces: &'t [u16],
    classes: &'t [Id],
    next: Option<&'t Todo<'t>>,
}

/// Pieces to be matched with operands, once everything else is.
#[derive(Clone, Copy)]
struct Late<'t> {
    of: u16,
    law: u16,
    pieces: &'t [u16],
    operands: &'t [Id],
    root: bool,
    next: Option<&'t Late<'t>>,
}

struct Run<'g, 'w, 'c, 'o> {
    graph: &'g Graph,
    tables: &'g Tables,
    way: &'w Way<'c>,
    refused: &'w FxHashSet<Key>,
    binds: Binds,
    class: Id,
    others: Kids,
    trail: Vec<Found>,
    tracing: bool,
    left: u32,
    out: &'o mut Vec<Match>,
}

impl Run<'_, '_, '_, '_> {
    fn go(&mut self, todo: Option<&Todo<'_>>, late: Option<&Late<'_>>) {
        let Some(left) = self.left.checked_sub(1) else {
            return;
        };
        self.left = left;
        let Some(todo) = todo else {
            match late {
                Some(late) => self.operands(late),
                None => {
                    let refused = self.refused;
                    if refused.is_empty() || !refused.contains(&key(&self.way.reads, &self.binds)) {
                        self.out.push(Match {
                            class: self.class,
                            binds: self.binds.clone(),
                            others: self.others.clone(),
                            trail: self.trail.clone(),
                        });
                    }
                }
            }
            return;
        };
        let (Some((&piece, pieces)), Some((&class, classes))) =
            (todo.pieces.split_first(), todo.classes.split_first())
        else {
            return self.go(todo.next, late);
        };
        let rest = Todo {
            pieces,
            classes,
            next: todo.next,
        };
        match self.way.left.piece(piece) {
            Piece::Meta(meta) => {
                let meta = *meta;
                match &self.binds[usize::from(meta)] {
                    Some(Bind::One(known)) => {
                        if *known == class {
                            self.go(Some(&rest), late);
                        }
                    }
                    Some(Bind::Rest(law, operands)) => {
                        let node = Term::new(Op::Many(*law), (**operands).clone());
                        if self.graph.lookup(node) == Some(class) {
                            self.go(Some(&rest), late);
                        }
                    }
                    None => {
                        if self.fits(meta, class) {
                            self.binds[usize::from(meta)] = Some(Bind::One(class));
                            self.go(Some(&rest), late);
                            self.binds[usize::from(meta)] = None;
                        }
                    }
                }
            }
            Piece::Node(op, _) => {
                let graph = self.graph;
                for node in graph[class].iter().filter(|node| node.op == *op) {
                    self.node(piece, node, Some(&rest), late, false);
                }
            }
        }
    }

    /// Goes on with a piece that is this node.
    fn node(
        &mut self,
        piece: u16,
        node: &Term,
        todo: Option<&Todo<'_>>,
        late: Option<&Late<'_>>,
        root: bool,
    ) {
        let way = self.way;
        let Piece::Node(op, pieces) = way.left.piece(piece) else {
            return;
        };
        if self.tracing {
            self.trail.push(Found::Node(piece, node.clone()));
        }
        match *op {
            Op::Node(..) => {
                let own = Todo {
                    pieces,
                    classes: node.children(),
                    next: todo,
                };
                self.go(Some(&own), late);
            }
            Op::Many(law) => {
                let own = Late {
                    of: piece,
                    law,
                    pieces,
                    operands: node.children(),
                    root,
                    next: late,
                };
                self.go(todo, Some(&own));
            }
        }
        if self.tracing {
            self.trail.pop();
        }
    }

    /// Goes on with the operands of a node.
    fn operands(&mut self, late: &Late<'_>) {
        let Some((&piece, pieces)) = late.pieces.split_first() else {
            if late.root {
                self.others = late.operands.into();
                self.go(None, late.next);
                self.others.clear();
            } else if late.operands.is_empty() {
                self.go(None, late.next);
            }
            return;
        };
        // Each operand is tried with a list of the others.
        let work = (late.operands.len() * late.operands.len() / 64) as u32;
        self.left = self.left.saturating_sub(work);
        if late.operands.is_empty() || self.left == 0 {
            return;
        }
        let way = self.way;
        let meta = match way.left.piece(piece) {
            Piece::Node(..) => {
                for (operand, rest) in each(late.operands) {
                    let one = Todo {
                        pieces: &[piece],
                        classes: &[operand],
                        next: None,
                    };
                    let rest = Late {
                        pieces,
                        operands: &rest,
                        ..*late
                    };
                    self.found(Found::Operands(late.of, piece, Kids::from_elem(operand, 1)));
                    self.go(Some(&one), Some(&rest));
                    self.unfound();
                }
                return;
            }
            Piece::Meta(meta) => *meta,
        };
        let go = |run: &mut Self, found: Found, rest: &[Id]| {
            let rest = Late {
                pieces,
                operands: rest,
                ..*late
            };
            run.found(found);
            run.go(None, Some(&rest));
            run.unfound();
        };
        match self.binds[usize::from(meta)].clone() {
            Some(Bind::One(class)) => {
                if let Some(rest) = without(late.operands, &[class]) {
                    let one = Kids::from_elem(class, 1);
                    go(self, Found::Operands(late.of, piece, one), &rest);
                }
                let graph = self.graph;
                let own = |node: &&Term| node.op == Op::Many(late.law);
                for node in graph[class].iter().filter(own) {
                    if let Some(rest) = without(late.operands, &node.kids) {
                        go(self, Found::Through(late.of, piece, node.clone()), &rest);
                    }
                }
            }
            Some(Bind::Rest(law, operands)) => {
                let found = if law == late.law {
                    (*operands).clone()
                } else {
                    let node = Term::new(Op::Many(law), (*operands).clone());
                    self.graph.lookup(node).into_iter().collect()
                };
                if !found.is_empty()
                    && let Some(rest) = without(late.operands, &found)
                {
                    go(self, Found::Operands(late.of, piece, found), &rest);
                }
            }
            None => {
                let last = pieces.is_empty();
                let count = late.operands.len();
                if last && count > 1 && self.fits_rest(meta, late.law, late.operands) {
                    let all: Kids = late.operands.into();
                    self.binds[usize::from(meta)] =
                        Some(Bind::Rest(late.law, Rc::new(all.clone())));
                    go(self, Found::Operands(late.of, piece, all), &[]);
                    self.binds[usize::from(meta)] = None;
                }
                if last && count > 1 && (!late.root || self.lone(meta)) {
                    return;
                }
                for (operand, rest) in each(late.operands) {
                    if !self.fits(meta, operand) {
                        continue;
                    }
                    self.binds[usize::from(meta)] = Some(Bind::One(operand));
                    let one = Kids::from_elem(operand, 1);
                    go(self, Found::Operands(late.of, piece, one), &rest);
                    self.binds[usize::from(meta)] = None;
                }
            }
        }
    }

    /// Whether a metavariable is all that is made: then one operand with others beside says no more
    /// than all of them.
    fn lone(&self, meta: u16) -> bool {
        matches!(self.way.right.pieces.as_slice(), [Piece::Meta(only)] if *only == meta)
    }

    fn fits(&self, meta: u16, class: Id) -> bool {
        let need = self.way.needs[usize::from(meta)];
        self.graph[class].data.is_some_and(|has| has >= need)
    }

    fn fits_rest(&self, meta: u16, law: u16, operands: &[Id]) -> bool {
        let need = self.way.needs[usize::from(meta)];
        let written = operands.iter().all(|id| self.graph[*id].data.is_some());
        written && self.tables.strength(Op::Many(law)) >= need
    }

    fn found(&mut self, found: Found) {
        if self.tracing {
            self.trail.push(found);
        }
    }

    fn unfound(&mut self) {
        if self.tracing {
            self.trail.pop();
        }
    }
}

/// Each different operand, and those that are left without it.
fn each(operands: &[Id]) -> impl Iterator<Item = (Id, Kids)> + '_ {
    let differs = |at: &usize| *at == 0 || operands[at - 1] != operands[*at];
    (0..operands.len()).filter(differs).map(|at| {
        let mut rest: Kids = operands.into();
        rest.remove(at);
        (operands[at], rest)
    })
}
