//! Programs: flat preorder arrays of nodes (ENGINE, "Programs").
//!
//! In: node kinds and values from the parser, the sampler or the decoder. Out: [`Program`].
//! Afterwards a subtree is a slice, an edit is a splice, and node i of the array is position i
//! for mutations, edit paths and models alike.

use serde::Serialize;

use crate::grammar::ids::ProdId;
use crate::grammar::ir::{Grammar, ProductionKind, SizeMetric};

/// A node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Node {
    /// Its kind.
    pub production: ProdId,
    /// For a token's node the value's index (`ir::Domain`), otherwise 0.
    pub value: u32,
    /// Number of nodes in its subtree, itself included.
    pub len: u32,
    /// sigma of its subtree under the grammar's size metric.
    pub size: u32,
}

/// A program, or a subtree on its own: complete, nodes in preorder. Equality and hashing are
/// structural.
#[derive(Debug, PartialEq, Eq, Hash, Serialize, Default)]
pub struct Program {
    /// Its nodes; node 0 is the root.
    pub(crate) nodes: Vec<Node>,
    /// The strings of its text tokens, in preorder: the k-th text node has value k.
    pub(crate) texts: Vec<Box<str>>,
}

// By hand, because a derived `clone_from` throws the buffers away.
impl Clone for Program {
    fn clone(&self) -> Program {
        Program {
            nodes: self.nodes.clone(),
            texts: self.texts.clone(),
        }
    }

    fn clone_from(&mut self, source: &Program) {
        self.nodes.clone_from(&source.nodes);
        self.texts.clone_from(&source.texts);
    }
}

impl Program {
    /// The program, or subtree, with these kinds and values in preorder and these texts.
    /// Lengths and sizes follow from the grammar. `None` unless the nodes form exactly one tree;
    /// whether each child may stand where it does is not looked at.
    pub fn from_preorder(
        grammar: &Grammar,
        kinds: impl IntoIterator<Item = (ProdId, u32)>,
        texts: Vec<Box<str>>,
    ) -> Option<Program> {
        let mut nodes: Vec<Node> = kinds
            .into_iter()
            .map(|(production, value)| Node {
                production,
                value,
                len: 1,
                size: 0,
            })
            .collect();
        // From the back, the roots of what has been read stand on the stack, the next one on top.
        let mut roots: Vec<usize> = Vec::new();
        for at in (0..nodes.len()).rev() {
            let production = grammar.production(nodes[at].production);
            let first = roots.len().checked_sub(production.children.len())?;
            let own = match grammar.size {
                SizeMetric::Primitives => production.primitive,
                SizeMetric::Nodes => !production.is_hidden(),
                SizeMetric::Depth => matches!(production.kind, ProductionKind::Node(_)),
            };
            let (mut len, mut size) = (1, 0u32);
            for child in roots.drain(first..) {
                len += nodes[child].len;
                size = match grammar.size {
                    SizeMetric::Depth => size.max(nodes[child].size),
                    _ => size.saturating_add(nodes[child].size),
                };
            }
            nodes[at].len = len;
            nodes[at].size = size.saturating_add(u32::from(own));
            roots.push(at);
        }
        (roots == [0]).then_some(Program { nodes, texts })
    }

    /// The nodes, in preorder.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether it has no node, which no complete program is.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// sigma of the whole.
    pub fn size(&self) -> u32 {
        self.nodes.first().map_or(0, |node| node.size)
    }

    /// The strings of text tokens, in preorder.
    pub fn texts(&self) -> &[Box<str>] {
        &self.texts
    }

    /// The nodes of the subtree at `position`.
    pub fn subtree(&self, position: usize) -> &[Node] {
        &self.nodes[position..position + self.nodes[position].len as usize]
    }

    /// The nodes above a position, from the root down; the last is its parent. The root has none, and
    /// neither has a position past the end.
    pub fn ancestors(&self, position: usize) -> impl Iterator<Item = usize> {
        let position = if position < self.nodes.len() {
            position
        } else {
            0
        };
        let mut at = 0;
        std::iter::from_fn(move || {
            if at >= position {
                return None;
            }
            let above = at;
            at += 1;
            // The child that holds the position.
            while at + self.nodes[at].len as usize <= position {
                at += self.nodes[at].len as usize;
            }
            Some(above)
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::Compiled;

    #[test]
    fn ancestors_are_the_nodes_that_hold_a_position() {
        let text = "language t start E sample size 1..=9
            sort E { @primitive A = \"a\"  B = \"(\" l:E m:E r:E \")\"  @primitive N = \"-\" of:E }";
        let compiled = Compiled::from_text("t", text).unwrap_or_else(|e| panic!("{e}"));
        let program = compiled.parse("(- (a a - a) - - a (a (a a a) - a))");
        let program = program.expect("a program");
        let mut deepest = 0;
        for position in 0..program.len() + 2 {
            let found: Vec<usize> = program.ancestors(position).collect();
            let holds = |at: &usize| (at + 1..at + program.subtree(*at).len()).contains(&position);
            let expected: Vec<usize> = (0..program.len()).filter(holds).collect();
            assert_eq!(found, expected, "of {position}");
            deepest = deepest.max(found.len());
        }
        assert_eq!(deepest, 4);
    }
}
