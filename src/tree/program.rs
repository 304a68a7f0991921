//! Programs: flat preorder arrays of nodes (ENGINE, "Programs").
//!
//! In: node kinds and values from the parser, the sampler or the decoder. Out: [`Program`].
//! Afterwards a subtree is a slice, an edit is a splice, and node i of the array is position i
//! for mutations, edit paths and models alike.

use serde::Serialize;

use crate::grammar::ids::ProdId;

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
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Default)]
pub struct Program {
    /// Its nodes; node 0 is the root.
    pub(crate) nodes: Vec<Node>,
    /// The strings of its text tokens, in preorder: the k-th text node has value k.
    pub(crate) texts: Vec<Box<str>>,
}

impl Program {
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
}
