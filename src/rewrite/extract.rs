//! The least program of a class.
//!
//! In: a clean e-graph. Out: a term of an [`Arena`]. Afterwards no program of the class that can be
//! written costs less, and among those that cost as much none comes before it in the order of
//! terms: so it depends on the set of programs alone, not on how they were found.

use egg::{Id, Language};
use smallvec::SmallVec;

use super::expr::Arena;
use super::graph::Graph;
use super::tables::{Cost, Tables};
use super::term::{Kids, Op, Term};
use super::texts::Texts;

/// By binding strength: the least cost of a program that has it.
type Costs = SmallVec<[Option<Cost>; 1]>;

struct Extract<'a> {
    graph: &'a Graph,
    tables: &'a Tables,
    texts: &'a Texts,
    /// By id of a class, its row; classes below the root only.
    rows: Vec<u32>,
    classes: Vec<Id>,
    costs: Vec<Costs>,
}

/// The least term of a class that has this strength. `None` when no program of it can be written.
pub(crate) fn least(
    graph: &Graph,
    texts: &Texts,
    arena: &mut Arena,
    root: Id,
    need: u8,
) -> Option<Id> {
    let tables = &graph.analysis.tables;
    let mut all = Extract::new(graph, tables, texts, root);
    all.settle();
    // In the order of costs, parts come before what they are part of.
    let mut order: Vec<(Cost, usize, u8)> = Vec::new();
    for (row, costs) in all.costs.iter().enumerate() {
        for (strength, cost) in costs.iter().enumerate() {
            order.extend(cost.map(|cost| (cost, row, strength as u8)));
        }
    }
    order.sort_unstable();
    let mut chosen: Vec<SmallVec<[Option<Id>; 1]>> = all
        .costs
        .iter()
        .map(|c| SmallVec::from_elem(None, c.len()))
        .collect();
    let mut at_root = None;
    for (cost, row, strength) in order {
        let mut best: Option<Id> = None;
        for node in graph[all.classes[row]].iter() {
            if tables.strength(node.op) < strength || all.cost(node) != Some(cost) {
                continue;
            }
            let Some(term) = all.term(node, &chosen) else {
                continue;
            };
            let id = arena.add(tables, texts, term);
            if best.is_none_or(|best| arena.compare(tables, texts, id, best).is_lt()) {
                best = Some(id);
            }
        }
        chosen[row][usize::from(strength)] = best;
        if row == 0 && strength == need {
            at_root = best;
            break;
        }
    }
    at_root
}

impl<'a> Extract<'a> {
    /// The classes below a root, it first.
    fn new(graph: &'a Graph, tables: &'a Tables, texts: &'a Texts, root: Id) -> Extract<'a> {
        let mut rows = vec![u32::MAX; graph.nodes().len()];
        let root = graph.find(root);
        let mut classes = vec![root];
        rows[usize::from(root)] = 0;
        let mut at = 0;
        while let Some(&class) = classes.get(at) {
            at += 1;
            for node in graph[class].iter() {
                for kid in node.children() {
                    let row = &mut rows[usize::from(*kid)];
                    if *row == u32::MAX {
                        *row = classes.len() as u32;
                        classes.push(*kid);
                    }
                }
            }
        }
        let costs = classes.iter().map(|class| {
            let strengths = graph[*class].iter().map(|node| tables.strength(node.op));
            let most = strengths.max().unwrap_or(0);
            SmallVec::from_elem(None, usize::from(most) + 1)
        });
        Extract {
            graph,
            tables,
            texts,
            rows,
            costs: costs.collect(),
            classes,
        }
    }

    /// Lowers costs until none can be lower.
    fn settle(&mut self) {
        let mut changed = true;
        while changed {
            changed = false;
            for row in (0..self.classes.len()).rev() {
                for node in self.graph[self.classes[row]].iter() {
                    let Some(cost) = self.cost(node) else {
                        continue;
                    };
                    let strength = self.tables.strength(node.op);
                    for known in self.costs[row].iter_mut().take(usize::from(strength) + 1) {
                        if known.is_none_or(|known| cost < known) {
                            *known = Some(cost);
                            changed = true;
                        }
                    }
                }
            }
        }
    }

    fn best(&self, class: Id, need: u8) -> Option<Cost> {
        let row = self.rows[usize::from(class)] as usize;
        self.costs[row].get(usize::from(need)).copied().flatten()
    }

    /// What a node costs with the least children that fit.
    fn cost(&self, node: &Term) -> Option<Cost> {
        match node.op {
            Op::Node(production, _) => {
                let mut cost = self.tables.cost(node.op, self.texts);
                for (kid, need) in node.kids.iter().zip(self.tables.kids(production)) {
                    cost += self.best(*kid, *need)?;
                }
                Some(cost)
            }
            Op::Many(at) => {
                let operator = self.tables.operator(at);
                let (tight, loose) = operator.tight_and_loose();
                let mut cost = self.tables.cost_among(at, node.kids.len());
                let mut loosely = 0;
                for kid in &node.kids {
                    cost += match self.best(*kid, tight) {
                        Some(cost) => cost,
                        None => {
                            loosely += 1;
                            self.best(*kid, loose)?
                        }
                    };
                }
                (loosely <= operator.loose_places(node.kids.len())).then_some(cost)
            }
        }
    }

    /// The term of a node with the least children that fit.
    fn term(&self, node: &Term, chosen: &[SmallVec<[Option<Id>; 1]>]) -> Option<Term> {
        let get = |class: Id, need: u8| {
            let row = self.rows[usize::from(class)] as usize;
            chosen[row].get(usize::from(need)).copied().flatten()
        };
        let kids: Option<Kids> = match node.op {
            Op::Node(production, _) => {
                let needs = self.tables.kids(production).iter();
                node.kids
                    .iter()
                    .zip(needs)
                    .map(|(kid, need)| get(*kid, *need))
                    .collect()
            }
            Op::Many(at) => {
                let (tight, loose) = self.tables.operator(at).tight_and_loose();
                let get = |kid: &Id| get(*kid, tight).or_else(|| get(*kid, loose));
                node.kids.iter().map(get).collect()
            }
        };
        Some(Term {
            op: node.op,
            kids: kids?,
        })
    }
}
