//! Facts about a grammar: least sizes, what reaches what, what recurs.
//!
//! In: a [`Grammar`]. Out: [`GrammarInfo`], by id. Afterwards, for a grammar that passed `check`,
//! every least size exists.

use serde::Serialize;

use super::ids::{NtId, ProdId, SortId};
use super::ir::{Grammar, NonterminalKind, Production, ProductionKind, SizeMetric};

/// Stands for "no program is finite".
pub const INFINITE: u32 = u32::MAX;

/// What is known about a nonterminal or a production.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Least {
    /// Least size under the grammar's metric; [`INFINITE`] when nothing is finite.
    pub size: u32,
    /// Least number of nodes, hidden ones included.
    pub nodes: u32,
    /// Least depth: the longest chain of nodes that are neither hidden nor tokens.
    pub depth: u32,
}

/// What is known about a nonterminal.
#[derive(Clone, Debug, Serialize)]
pub struct NonterminalInfo {
    /// Its least sizes.
    pub least: Least,
    /// Whether a program can hold it.
    pub reachable: bool,
    /// Whether it can hold itself.
    pub recursive: bool,
    /// Whether it has finitely many trees, texts counted as one.
    pub finite: bool,
    /// Its strongly connected component; the component's row of `reach` tells what it holds.
    component: u32,
}

/// Facts about a grammar, by id.
#[derive(Clone, Debug, Serialize)]
pub struct GrammarInfo {
    /// By [`NtId`].
    pub nonterminals: Vec<NonterminalInfo>,
    /// By [`ProdId`].
    pub productions: Vec<Least>,
    /// For each component a bit for each component it can hold below itself.
    #[serde(skip)]
    reach: Vec<Vec<u64>>,
}

/// A line of the summary of a grammar.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SortSummary {
    /// The sort's name.
    pub name: String,
    /// Number of its productions.
    pub productions: usize,
    /// Its least size.
    pub least: u32,
    /// Whether it can hold itself.
    pub recursive: bool,
    /// Whether it has finitely many trees.
    pub finite: bool,
    /// Sorts with a field of it, in the order of the file.
    pub used_by: Vec<String>,
}

impl GrammarInfo {
    /// Facts about a nonterminal.
    pub fn nonterminal(&self, id: NtId) -> &NonterminalInfo {
        &self.nonterminals[id.index()]
    }

    /// Least sizes of a production.
    pub fn production(&self, id: ProdId) -> Least {
        self.productions[id.index()]
    }

    /// Whether a tree of `a` can hold one of `b` below its root.
    pub fn reaches(&self, a: NtId, b: NtId) -> bool {
        let row = &self.reach[self.nonterminal(a).component as usize];
        let bit = self.nonterminal(b).component as usize;
        row[bit / 64] >> (bit % 64) & 1 == 1
    }
}

/// Gathers the facts.
pub fn info(grammar: &Grammar) -> GrammarInfo {
    let count = grammar.nonterminals.len();
    let edges: Vec<Vec<NtId>> = grammar
        .nonterminals
        .iter()
        .map(|nt| {
            let children = nt.productions.iter().flat_map(|id| {
                grammar
                    .production(*id)
                    .children
                    .iter()
                    .map(|child| child.nt)
            });
            let mut below: Vec<NtId> = children.collect();
            below.sort();
            below.dedup();
            below
        })
        .collect();
    let components = components(&edges);
    let rows = components.len();
    let mut component = vec![0u32; count];
    for (i, members) in components.iter().enumerate() {
        for nt in members {
            component[nt.index()] = i as u32;
        }
    }
    // Components come with what they hold first, so one pass is enough.
    let mut reach: Vec<Vec<u64>> = Vec::with_capacity(rows);
    let mut recursive = vec![false; rows];
    let mut finite = vec![true; rows];
    for (i, members) in components.iter().enumerate() {
        let mut row = vec![0u64; rows.div_ceil(64)];
        for below in members.iter().flat_map(|nt| &edges[nt.index()]) {
            let other = component[below.index()] as usize;
            let new = row[other / 64] >> (other % 64) & 1 == 0;
            row[other / 64] |= 1 << (other % 64);
            if other == i {
                recursive[i] = true;
            } else if new {
                finite[i] &= finite[other];
                for (word, more) in row.iter_mut().zip(&reach[other]) {
                    *word |= more;
                }
            }
        }
        finite[i] &= !recursive[i];
        reach.push(row);
    }
    let start = component
        .get(grammar.start.index())
        .map_or(0, |c| *c as usize);
    let (by_nt, productions) = least(grammar);
    let nonterminals = (0..count)
        .map(|i| {
            let own = component[i] as usize;
            NonterminalInfo {
                least: by_nt[i],
                reachable: own == start || reach[start][own / 64] >> (own % 64) & 1 == 1,
                recursive: recursive[own],
                finite: finite[own],
                component: component[i],
            }
        })
        .collect();
    GrammarInfo {
        nonterminals,
        productions,
        reach,
    }
}

/// One line for each sort.
pub fn summary(grammar: &Grammar, info: &GrammarInfo) -> Vec<SortSummary> {
    let mut used_by: Vec<Vec<SortId>> = vec![Vec::new(); grammar.sorts.len()];
    for production in &grammar.productions {
        let ProductionKind::Node(owner) = production.kind else {
            continue;
        };
        for child in &production.children {
            let mut nt = child.nt;
            loop {
                match grammar.nonterminal(nt).kind {
                    NonterminalKind::List { item, .. } | NonterminalKind::Optional { item } => {
                        nt = item;
                    }
                    NonterminalKind::Token(_) => break,
                    NonterminalKind::Sort { sort, .. } => {
                        let users = &mut used_by[sort.index()];
                        if !users.contains(&owner) {
                            users.push(owner);
                        }
                        break;
                    }
                }
            }
        }
    }
    let name = |id: &SortId| grammar.sort(*id).name.clone();
    let lines = grammar.sorts.iter().zip(used_by);
    lines
        .filter_map(|(sort, users)| {
            let facts = info.nonterminal(*sort.levels.first()?);
            Some(SortSummary {
                name: sort.name.clone(),
                productions: sort.productions.len(),
                least: facts.least.size,
                recursive: facts.recursive,
                finite: facts.finite,
                used_by: users.iter().map(name).collect(),
            })
        })
        .collect()
}

const NOTHING: Least = Least {
    size: INFINITE,
    nodes: INFINITE,
    depth: INFINITE,
};

/// Least sizes of nonterminals and productions. Rounds of relaxation until nothing gets less:
/// each round settles at least the next least one.
fn least(grammar: &Grammar) -> (Vec<Least>, Vec<Least>) {
    let mut nts = vec![NOTHING; grammar.nonterminals.len()];
    let mut productions = vec![NOTHING; grammar.productions.len()];
    loop {
        let mut changed = false;
        for (i, production) in grammar.productions.iter().enumerate() {
            productions[i] = least_of(grammar, production, &nts);
        }
        for (i, nt) in grammar.nonterminals.iter().enumerate() {
            let mut best = NOTHING;
            for id in &nt.productions {
                let one = productions[id.index()];
                best.size = best.size.min(one.size);
                best.nodes = best.nodes.min(one.nodes);
                best.depth = best.depth.min(one.depth);
            }
            changed |= best != nts[i];
            nts[i] = best;
        }
        if !changed {
            return (nts, productions);
        }
    }
}

/// Least sizes of a production when its children's are known. A finite sum stays below
/// [`INFINITE`].
fn least_of(grammar: &Grammar, production: &Production, nts: &[Least]) -> Least {
    let hidden = production.is_hidden();
    let inner = matches!(production.kind, ProductionKind::Node(_));
    let (mut sum, mut nodes, mut depth) = (0u32, 1u32, 0u32);
    for child in &production.children {
        let child = nts[child.nt.index()];
        if child.nodes == INFINITE {
            return NOTHING;
        }
        sum = sum.saturating_add(child.size).min(INFINITE - 1);
        nodes = nodes.saturating_add(child.nodes).min(INFINITE - 1);
        depth = depth.max(child.depth);
    }
    let depth = depth + u32::from(inner);
    let size = match grammar.size {
        SizeMetric::Primitives => sum.saturating_add(u32::from(production.primitive)),
        SizeMetric::Nodes => sum.saturating_add(u32::from(!hidden)),
        SizeMetric::Depth => depth,
    };
    Least {
        size: size.min(INFINITE - 1),
        nodes,
        depth,
    }
}

/// Strongly connected components, each after those it reaches (Tarjan's, with a stack of its
/// own: a chain of sorts may be longer than the machine's).
pub(crate) fn components(edges: &[Vec<NtId>]) -> Vec<Vec<NtId>> {
    const UNSEEN: usize = usize::MAX;
    let mut index = vec![UNSEEN; edges.len()];
    let mut low = vec![0; edges.len()];
    let mut waiting = vec![false; edges.len()];
    let mut open: Vec<usize> = Vec::new();
    let mut result = Vec::new();
    let mut next = 0;
    for root in 0..edges.len() {
        if index[root] != UNSEEN {
            continue;
        }
        let mut stack = vec![(root, 0)];
        while let Some((node, edge)) = stack.last_mut() {
            let node = *node;
            if *edge == 0 {
                index[node] = next;
                low[node] = next;
                next += 1;
                open.push(node);
                waiting[node] = true;
            }
            if let Some(below) = edges[node].get(*edge) {
                *edge += 1;
                let below = below.index();
                if index[below] == UNSEEN {
                    stack.push((below, 0));
                } else if waiting[below] {
                    low[node] = low[node].min(index[below]);
                }
                continue;
            }
            stack.pop();
            if let Some((parent, _)) = stack.last() {
                low[*parent] = low[*parent].min(low[node]);
            }
            if low[node] == index[node] {
                let mut members = Vec::new();
                while let Some(member) = open.pop() {
                    waiting[member] = false;
                    members.push(NtId::from_index(member));
                    if member == node {
                        break;
                    }
                }
                members.sort();
                result.push(members);
            }
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compiled::Compiled;

    /// The facts about a sort, and its nonterminal.
    fn facts<'a>(compiled: &'a Compiled, name: &str) -> (NtId, &'a NonterminalInfo) {
        let mut sorts = compiled.grammar.sorts.iter();
        let nt = sorts.find(|sort| sort.name == name).unwrap().levels[0];
        (nt, compiled.info.nonterminal(nt))
    }

    fn compile(size: &str) -> Compiled {
        let text = r#"
            language l
            start Top
            sample size 1..=3
            token Digit = 0..=9
            sort Top  { Top = "top" all:Tree+ @weight(0.01) }
            sort Tree { @primitive Leaf = "leaf" n:Digit  Fork = "(" a:Tree b:Tree flag:Flag? ")" }
            sort Flag { Flag = "flag" }
            sort Lone { Lone = "lone" of:Top }
        "#;
        let text = text.replace("start Top", &format!("start Top\nsize {size}"));
        Compiled::from_text("l", &text).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn least_sizes_under_every_metric() {
        // The least program is Top(Cons(Leaf(Digit), Nil)).
        let top = |size: &str| facts(&compile(size), "Top").1.least;
        let least = |size| Least {
            size,
            nodes: 5,
            depth: 2,
        };
        assert_eq!(top("primitives"), least(1));
        assert_eq!(top("nodes"), least(3));
        assert_eq!(top("depth"), least(2));
        let compiled = compile("nodes");
        let fork = compiled.grammar.sorts[1].productions[1];
        // Fork, twice Leaf(Digit), None.
        assert_eq!(compiled.info.production(fork).nodes, 6);
        assert_eq!(compiled.info.production(fork).size, 5);
    }

    #[test]
    fn what_reaches_what() {
        let compiled = compile("nodes");
        let (top, of_top) = facts(&compiled, "Top");
        let (tree, of_tree) = facts(&compiled, "Tree");
        let (flag, of_flag) = facts(&compiled, "Flag");
        let (lone, of_lone) = facts(&compiled, "Lone");
        let reaches = |a, b| compiled.info.reaches(a, b);
        assert!(reaches(top, tree) && reaches(top, flag) && reaches(tree, tree));
        assert!(!reaches(tree, top) && !reaches(top, top) && !reaches(flag, flag));
        assert!(reaches(lone, flag) && !reaches(top, lone));
        assert!(of_top.reachable && of_tree.reachable && of_flag.reachable);
        assert!(!of_lone.reachable);
        assert!(of_tree.recursive && !of_top.recursive);
        assert!(of_flag.finite && !of_top.finite && !of_tree.finite);
        let lines = summary(&compiled.grammar, &compiled.info);
        assert_eq!(lines[1].used_by, ["Top", "Tree"]);
        assert_eq!(lines[2].used_by, ["Tree"]);
    }

    #[test]
    fn components_come_after_what_they_reach() {
        let edges: Vec<Vec<NtId>> = [&[1][..], &[2], &[1, 3], &[], &[0, 4]]
            .iter()
            .map(|list| list.iter().map(|i| NtId(*i)).collect())
            .collect();
        let found = components(&edges);
        let found: Vec<Vec<u16>> = found
            .iter()
            .map(|group| group.iter().map(|nt| nt.0).collect())
            .collect();
        assert_eq!(found, [vec![3], vec![1, 2], vec![0], vec![4]]);
    }
}
