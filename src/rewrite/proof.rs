//! Why two programs of an e-graph are the same, step by step.
//!
//! In: what was recorded while rules were applied ([`Trace`]). Out: a chain of terms, each made from
//! the one before by one rule at one place, laws aside. Afterwards the chain leads from the first
//! program to the second, and no term stands in it twice.
//!
//! egg's own explanations take children of equal nodes in their order, which operands of a law do
//! not have. So the record is ours: egg says which nodes it joins and why (`Analysis::pre_union`),
//! and a chain follows the unions from one node to the other, as in Nieuwenhuis and Oliveras,
//! "Proof-producing congruence closure" (2005). Children that a union needs to be equal were so
//! before it, hence the recursion ends.

use std::collections::BTreeMap;

use egg::Id;
use rustc_hash::FxHashMap;

use super::expr::Arena;
use super::find::{Bind, Found, Match};
use super::graph::{Graph, Union, Why, pairs};
use super::instance::Direction;
use super::make::Made;
use super::shape::{Piece, Way};
use super::term::{Kids, Op, Term};
use super::texts::Texts;

/// How an instance of a side lies on nodes of the e-graph.
#[derive(Clone, Debug)]
pub(crate) enum Laid {
    /// It is the tree that this node was added as.
    Is(Id),
    /// It is this node, but for its children: each, as it was added, with what it is here.
    Node(Id, Vec<(Id, Laid)>, Vec<Through>),
}

/// Operands that together are what a metavariable stands for.
#[derive(Clone, Debug)]
pub(crate) struct Through {
    /// What it stands for.
    to: Id,
    /// A node of the same class, of the operands.
    node: Id,
    /// The operands as they were added, in pairs with those of the node.
    kids: Vec<(Id, Id)>,
}

impl Laid {
    fn id(&self) -> Id {
        match self {
            Laid::Is(id) | Laid::Node(id, ..) => *id,
        }
    }
}

/// An application of a rule, or of laws alone.
#[derive(Debug)]
struct Application {
    rule: Option<(usize, Direction)>,
    left: Laid,
    right: Laid,
}

/// What is recorded beside the unions.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    /// The node that a term, as it stands in a class, was added as.
    ids: FxHashMap<Term, Id>,
    applied: Vec<Application>,
}

impl Trace {
    /// Looks at a clean e-graph, in which matches are about to be found.
    pub fn look(&mut self, graph: &Graph) {
        self.ids.clear();
        for (index, node) in graph.nodes().iter().enumerate() {
            let node = Term::new(
                node.op,
                node.kids.iter().map(|kid| graph.find(*kid)).collect(),
            );
            self.ids.entry(node).or_insert(Id::from(index));
        }
    }

    /// Joins a match with what was made of it.
    pub fn apply(&mut self, graph: &mut Graph, way: &Way<'_>, found: &Match, made: &Made) {
        if graph.find(found.class) == graph.find(made.id()) {
            return;
        }
        let right = laid(graph, made);
        // Every matched node was seen by `look`.
        let Some(left) = self.matched(graph, way, found, way.left.root()) else {
            return;
        };
        let rule = Some((way.rule, way.direction));
        self.join(graph, rule, left, right);
    }

    /// Joins a node with the one in which the operands of an operand were taken up.
    pub fn flatten(
        &mut self,
        graph: &mut Graph,
        node: &Term,
        place: usize,
        inner: &Term,
        made: Id,
    ) {
        let (Some(&outer), Some(&below)) = (self.ids.get(node), self.ids.get(inner)) else {
            return;
        };
        let mut kids: Vec<(Id, Laid)> = Vec::new();
        let mut all = Kids::new();
        for (at, (own, class)) in pairs(graph, graph.id_to_node(outer), &node.kids)
            .into_iter()
            .enumerate()
        {
            debug_assert_eq!(graph.find(own), graph.find(class));
            if at == place {
                let operands = graph.id_to_node(below).kids.clone();
                let same = operands.iter().map(|id| (*id, Laid::Is(*id))).collect();
                all.extend(operands);
                kids.push((own, Laid::Node(below, same, Vec::new())));
            } else {
                all.push(own);
                kids.push((own, Laid::Is(own)));
            }
        }
        let right = pairs(graph, graph.id_to_node(made), &all);
        let right = right
            .into_iter()
            .map(|(own, is)| (own, Laid::Is(is)))
            .collect();
        let left = Laid::Node(outer, kids, Vec::new());
        self.join(graph, None, left, Laid::Node(made, right, Vec::new()));
    }

    fn join(
        &mut self,
        graph: &mut Graph,
        rule: Option<(usize, Direction)>,
        left: Laid,
        right: Laid,
    ) {
        let (a, b) = (left.id(), right.id());
        if graph.find(a) == graph.find(b) {
            return;
        }
        if let Some(record) = &graph.analysis.record {
            record.borrow_mut().next = Some(Why::Rule(self.applied.len()));
        }
        self.applied.push(Application { rule, left, right });
        graph.union(a, b);
    }

    /// How a piece of the matched side lies on the nodes that it was found to be.
    fn matched(&self, graph: &Graph, way: &Way<'_>, found: &Match, piece: u16) -> Option<Laid> {
        let term = found.trail.iter().find_map(|part| match part {
            Found::Node(at, term) if *at == piece => Some(term),
            _ => None,
        })?;
        let Piece::Node(op, pieces) = way.left.piece(piece) else {
            return None;
        };
        let id = *self.ids.get(term)?;
        let own = graph.id_to_node(id);
        let part = |piece: u16, class: Id| match way.left.piece(piece) {
            Piece::Meta(_) => Some(Laid::Is(class)),
            Piece::Node(..) => self.matched(graph, way, found, piece),
        };
        if let Op::Node(..) = op {
            let mut kids = Vec::new();
            for ((own, class), piece) in own.kids.iter().zip(&term.kids).zip(pieces) {
                kids.push((*own, part(*piece, *class)?));
            }
            return Some(Laid::Node(id, kids, Vec::new()));
        }
        // Operands as they were added, by class, to be given out.
        let mut left: BTreeMap<Id, Vec<Id>> = BTreeMap::new();
        for own in &own.kids {
            left.entry(graph.find(*own)).or_default().push(*own);
        }
        let mut take = |class: Id| left.get_mut(&graph.find(class))?.pop();
        let (mut kids, mut throughs) = (Vec::new(), Vec::new());
        for found_part in &found.trail {
            match found_part {
                Found::Operands(of, at, operands) if *of == piece => {
                    for operand in operands {
                        kids.push((take(*operand)?, part(*at, *operand)?));
                    }
                }
                Found::Through(of, at, node) if *of == piece => {
                    let Piece::Meta(meta) = way.left.piece(*at) else {
                        return None;
                    };
                    let Some(Bind::One(to)) = found.binds.get(usize::from(*meta))? else {
                        return None;
                    };
                    let below = *self.ids.get(node)?;
                    let mut pairs = Vec::new();
                    for own in &graph.id_to_node(below).kids {
                        pairs.push((take(*own)?, *own));
                    }
                    throughs.push(Through {
                        to: *to,
                        node: below,
                        kids: pairs,
                    });
                }
                _ => {}
            }
        }
        if piece == way.left.root() {
            for other in &found.others {
                kids.push((take(*other)?, Laid::Is(*other)));
            }
        }
        Some(Laid::Node(id, kids, throughs))
    }
}

/// How what was made lies on the nodes that it was added as, or that were there.
fn laid(graph: &Graph, made: &Made) -> Laid {
    match made {
        Made::Is(id) => Laid::Is(*id),
        Made::Node(id, op, parts) => {
            let own = graph.id_to_node(*id);
            let mut parts: Vec<&Made> = parts.iter().collect();
            let mut kids = own.kids.clone();
            if matches!(op, Op::Many(_)) {
                kids.sort_by_key(|id| graph.find(*id));
                parts.sort_by_key(|part| graph.find(part.id()));
            }
            let parts = parts.into_iter().map(|part| laid(graph, part));
            Laid::Node(*id, kids.into_iter().zip(parts).collect(), Vec::new())
        }
    }
}

/// A term after an application of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// The rule's index and the direction.
    pub by: (usize, Direction),
    /// The term that came of it.
    pub term: Id,
}

/// Most links of a chain while it is put together.
const MOST_LINKS: usize = 20_000;
/// Most operands of a term on the way.
const MOST_OPERANDS: usize = 1_000;
/// Deepest nesting of reasons.
const MOST_NESTED: u32 = 300;

/// Follows the record.
pub(crate) struct Prover<'a> {
    graph: &'a Graph,
    texts: &'a Texts,
    trace: &'a Trace,
    arena: &'a mut Arena,
    unions: Vec<Union>,
    /// By node: the union that leads to its parent, the parent, and the depth, in a forest.
    above: Vec<(Option<(usize, Id)>, u32)>,
    /// By node: the tree that it was added as.
    trees: Vec<Option<Id>>,
    links: usize,
    nested: u32,
}

impl<'a> Prover<'a> {
    /// Looks at what was recorded.
    pub fn new(
        graph: &'a Graph,
        texts: &'a Texts,
        trace: &'a Trace,
        arena: &'a mut Arena,
    ) -> Prover<'a> {
        let record = graph.analysis.record.as_ref();
        let unions = record.map_or_else(Vec::new, |record| record.borrow().unions.clone());
        let count = graph.nodes().len();
        let mut beside: Vec<Vec<(usize, Id)>> = vec![Vec::new(); count];
        for (index, union) in unions.iter().enumerate() {
            let [a, b] = union.ends;
            beside[usize::from(a)].push((index, b));
            beside[usize::from(b)].push((index, a));
        }
        let mut above = vec![(None, 0); count];
        let mut seen = vec![false; count];
        for root in 0..count {
            if std::mem::replace(&mut seen[root], true) {
                continue;
            }
            let mut pending = vec![root];
            while let Some(at) = pending.pop() {
                let depth = above[at].1 + 1;
                for (union, next) in &beside[at] {
                    let next = usize::from(*next);
                    if !std::mem::replace(&mut seen[next], true) {
                        above[next] = (Some((*union, Id::from(at))), depth);
                        pending.push(next);
                    }
                }
            }
        }
        Prover {
            graph,
            texts,
            trace,
            arena,
            unions,
            above,
            trees: vec![None; count],
            links: 0,
            nested: 0,
        }
    }

    /// The chain from a program that was added as a node to a term, which lies on nodes of the same
    /// class as `target`. `None` when it would be too long or too deep.
    pub fn chain(&mut self, from: Id, target: &Made) -> Option<Vec<Link>> {
        let start = self.tree(from)?;
        let target = laid(self.graph, target);
        let mut chain = self.between(from, target.id())?;
        let rest = self.lay(&target)?;
        chain.extend(rest);
        // What was come back to was left for nothing.
        let mut places: FxHashMap<Id, usize> = FxHashMap::default();
        let mut short: Vec<Link> = Vec::new();
        places.insert(start, 0);
        for link in chain {
            if let Some(&known) = places.get(&link.term) {
                for dropped in short.drain(known..) {
                    places.remove(&dropped.term);
                }
                places.insert(link.term, known);
            } else {
                short.push(link);
                places.insert(link.term, short.len());
            }
        }
        Some(short)
    }

    /// The tree that a node was added as.
    fn tree(&mut self, id: Id) -> Option<Id> {
        let mut pending = vec![id];
        while let Some(&at) = pending.last() {
            if self.trees[usize::from(at)].is_some() {
                pending.pop();
                continue;
            }
            let node = self.graph.id_to_node(at);
            let missing = |kid: &&Id| self.trees[usize::from(**kid)].is_none();
            let before = pending.len();
            pending.extend(node.kids.iter().filter(missing));
            if pending.len() > before {
                continue;
            }
            let kids = node
                .kids
                .iter()
                .filter_map(|kid| self.trees[usize::from(*kid)])
                .collect();
            let tree = self.add(node.op, kids)?;
            self.trees[usize::from(at)] = Some(tree);
            pending.pop();
        }
        self.trees[usize::from(id)]
    }

    fn add(&mut self, op: Op, kids: Kids) -> Option<Id> {
        let tables = &self.graph.analysis.tables;
        if matches!(op, Op::Many(_)) {
            let inner = |kid: &Id| match self.arena.term(*kid) {
                term if term.op == op => term.kids.len(),
                _ => 1,
            };
            if kids.iter().map(inner).sum::<usize>() > MOST_OPERANDS {
                return None;
            }
        }
        Some(self.arena.add(tables, self.texts, Term { op, kids }))
    }

    /// From the tree of a node to that of another one of its class.
    fn between(&mut self, from: Id, to: Id) -> Option<Vec<Link>> {
        if from == to {
            return Some(Vec::new());
        }
        self.nested += 1;
        if self.nested > MOST_NESTED {
            return None;
        }
        // Up from both ends until they meet.
        let (mut a, mut b) = (from, to);
        let (mut up, mut down) = (Vec::new(), Vec::new());
        while a != b {
            let (above_a, above_b) = (self.above[usize::from(a)], self.above[usize::from(b)]);
            if above_a.1 >= above_b.1 {
                let (union, next) = above_a.0?;
                up.push((union, a));
                a = next;
            } else {
                let (union, next) = above_b.0?;
                down.push((union, next));
                b = next;
            }
        }
        let mut links = Vec::new();
        for (union, at) in up.into_iter().chain(down.into_iter().rev()) {
            let forward = self.unions[union].ends[0] == at;
            let part = self.across(union)?;
            if forward {
                links.extend(part);
            } else {
                let start = self.tree(self.unions[union].ends[0])?;
                links.extend(reversed(start, part));
            }
        }
        self.nested -= 1;
        self.count(&links)?;
        Some(links)
    }

    fn count(&mut self, links: &[Link]) -> Option<()> {
        self.links += links.len();
        (self.links <= MOST_LINKS).then_some(())
    }

    /// From the tree of a union's first node to that of its second.
    fn across(&mut self, union: usize) -> Option<Vec<Link>> {
        let Union { ends, why } = self.unions.get(union)?.clone();
        match why {
            Why::Unknown => None,
            Why::Children(kids) => {
                let same = kids.into_iter().map(|(own, other)| (own, Laid::Is(other)));
                self.lay(&Laid::Node(ends[0], same.collect(), Vec::new()))
            }
            Why::Rule(index) => {
                let trace = self.trace;
                let Application { rule, left, right } = trace.applied.get(index)?;
                let mut links = self.lay(left)?;
                let back = self.lay(right)?;
                let start = self.tree(right.id())?;
                let made = back.last().map_or(start, |link| link.term);
                links.extend(rule.map(|by| Link { by, term: made }));
                links.extend(reversed(start, back));
                Some(links)
            }
        }
    }

    /// From the tree that a node was added as to the one that is laid on it.
    fn lay(&mut self, laid: &Laid) -> Option<Vec<Link>> {
        let Laid::Node(id, kids, throughs) = laid else {
            return Some(Vec::new());
        };
        self.nested += 1;
        if self.nested > MOST_NESTED {
            return None;
        }
        let op = self.graph.id_to_node(*id).op;
        let mut list = Kids::new();
        for (own, _) in kids {
            list.push(self.tree(*own)?);
        }
        for through in throughs {
            for (own, _) in &through.kids {
                list.push(self.tree(*own)?);
            }
        }
        let mut links = Vec::new();
        for (place, (own, is)) in kids.iter().enumerate() {
            let mut part = self.between(*own, is.id())?;
            part.extend(self.lay(is)?);
            self.lift(op, &mut list, place, part, &mut links)?;
        }
        let mut place = kids.len();
        for through in throughs {
            let from = place;
            for (own, is) in &through.kids {
                let part = self.between(*own, *is)?;
                self.lift(op, &mut list, place, part, &mut links)?;
                place += 1;
            }
            // Together they are the node; then what the metavariable stands for.
            let part = self.between(through.node, through.to)?;
            list.drain(from..place);
            list.insert(from, self.tree(through.node)?);
            self.lift(op, &mut list, from, part, &mut links)?;
            place = from + 1;
        }
        self.nested -= 1;
        self.count(&links)?;
        Some(links)
    }

    /// The steps of a child as steps of the whole.
    fn lift(
        &mut self,
        op: Op,
        list: &mut Kids,
        place: usize,
        part: Vec<Link>,
        links: &mut Vec<Link>,
    ) -> Option<()> {
        for link in part {
            *list.get_mut(place)? = link.term;
            let term = self.add(op, list.clone())?;
            links.push(Link { by: link.by, term });
        }
        Some(())
    }
}

/// A chain from its end to its start.
fn reversed(start: Id, links: Vec<Link>) -> Vec<Link> {
    let turned = |direction: Direction| match direction {
        Direction::Forward => Direction::Backward,
        Direction::Backward => Direction::Forward,
    };
    let mut out = Vec::with_capacity(links.len());
    for (at, link) in links.iter().enumerate().rev() {
        let before = match at {
            0 => start,
            at => links[at - 1].term,
        };
        let (rule, direction) = link.by;
        out.push(Link {
            by: (rule, turned(direction)),
            term: before,
        });
    }
    out
}
