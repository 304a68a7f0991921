//! The few numbers of a grammar that walks over programs need, packed.
//!
//! In: a [`Grammar`]. Out: [`Layout`], a row per production. Afterwards a program's lengths,
//! sizes and nonterminals are found in one pass over its array, without recursion.

use crate::grammar::ids::{NtId, ProdId};
use crate::grammar::ir::{Grammar, SizeMetric};

use super::program::{Node, Program};

/// Arity, cost and children of every production, packed.
#[derive(Clone, Debug)]
pub struct Layout {
    metric: SizeMetric,
    start: NtId,
    rows: Vec<Row>,
    children: Vec<NtId>,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    first: u32,
    arity: u32,
    cost: u32,
    text: bool,
}

impl Layout {
    /// The rows of a grammar.
    pub fn new(grammar: &Grammar) -> Layout {
        let mut children = Vec::new();
        let rows = grammar
            .production_ids()
            .map(|id| {
                let production = grammar.production(id);
                let first = children.len() as u32;
                children.extend(production.children.iter().map(|child| child.nt));
                Row {
                    first,
                    arity: production.children.len() as u32,
                    cost: production.cost(grammar.size),
                    text: grammar.is_text(id),
                }
            })
            .collect();
        Layout {
            metric: grammar.size,
            start: grammar.start,
            rows,
            children,
        }
    }

    /// What size means.
    pub fn metric(&self) -> SizeMetric {
        self.metric
    }

    /// What a program is.
    pub fn start(&self) -> NtId {
        self.start
    }

    /// The nonterminals of a production's children.
    pub fn children(&self, production: ProdId) -> &[NtId] {
        let row = self.rows[production.index()];
        &self.children[row.first as usize..(row.first + row.arity) as usize]
    }

    /// Number of children.
    pub fn arity(&self, production: ProdId) -> usize {
        self.rows[production.index()].arity as usize
    }

    /// What a node adds to the size.
    pub fn cost(&self, production: ProdId) -> u32 {
        self.rows[production.index()].cost
    }

    /// Whether nodes of this production carry a text.
    pub fn is_text(&self, production: ProdId) -> bool {
        self.rows[production.index()].text
    }

    /// A node on its own: its size from its children's, which stand behind it in `nodes` with
    /// their lengths and sizes known. Gives `(len, size)`; `None` when children are missing.
    #[inline]
    fn measure(&self, nodes: &[Node], at: usize) -> Option<(u32, u32)> {
        let row = self.rows.get(nodes[at].production.index())?;
        let mut next = at + 1;
        let mut size = 0u32;
        for _ in 0..row.arity {
            let child = nodes.get(next)?;
            size = match self.metric {
                SizeMetric::Depth => size.max(child.size),
                _ => size.saturating_add(child.size),
            };
            next += child.len as usize;
        }
        Some(((next - at) as u32, size.saturating_add(row.cost)))
    }

    /// Fills `len` and `size` of every node, and numbers the text nodes, from the productions
    /// alone. Gives whether the nodes are exactly one complete tree (children's nonterminals are
    /// not looked at); when not, the program is left half filled.
    pub fn annotate(&self, program: &mut Program) -> bool {
        let nodes = &mut program.nodes;
        for at in (0..nodes.len()).rev() {
            let Some((len, size)) = self.measure(nodes, at) else {
                return false;
            };
            nodes[at].len = len;
            nodes[at].size = size;
        }
        if nodes.first().map(|root| root.len as usize) != Some(nodes.len()) {
            return false;
        }
        if !program.texts.is_empty() {
            let mut rank = 0;
            for node in nodes.iter_mut() {
                if self.rows[node.production.index()].text {
                    node.value = rank;
                    rank += 1;
                }
            }
            return rank as usize == program.texts.len();
        }
        true
    }

    /// Recomputes `size` of the node at `at` from its children.
    pub(crate) fn resize(&self, nodes: &mut [Node], at: usize) {
        if let Some((_, size)) = self.measure(nodes, at) {
            nodes[at].size = size;
        }
    }

    /// The nonterminal at each position of a program whose root stands for `root`.
    pub fn positions(&self, root: NtId, program: &Program) -> Vec<NtId> {
        let mut out = Vec::with_capacity(program.len());
        let mut pending = Vec::new();
        self.positions_into(root, &program.nodes, &mut pending, &mut out);
        out
    }

    /// [`Layout::positions`] of a slice of nodes into reused buffers.
    pub(crate) fn positions_into(
        &self,
        root: NtId,
        nodes: &[Node],
        pending: &mut Vec<NtId>,
        out: &mut Vec<NtId>,
    ) {
        out.clear();
        pending.clear();
        pending.push(root);
        for node in nodes {
            let Some(nt) = pending.pop() else { break };
            out.push(nt);
            pending.extend(self.children(node.production).iter().rev());
        }
    }
}
