//! Edits: a position and what takes the place of the subtree there (ENGINE, "Programs").
//!
//! In: a program and an [`Edit`]. Out: the edited program. Afterwards lengths, sizes and text
//! numbers are right again, in the spliced part and in all its ancestors. A replacement of the
//! position's nonterminal gives a valid program.

use serde::Serialize;

use crate::grammar::ids::NtId;
use crate::grammar::ir::{Grammar, ProductionKind, SizeMetric};

use super::layout::Layout;
use super::program::{Node, Program};

/// The subtree at `position` is replaced.
#[derive(Debug, PartialEq, Eq, Hash, Serialize, Default)]
pub struct Edit {
    /// Index of a node.
    pub position: usize,
    /// What stands there afterwards: a program of the position's nonterminal.
    pub replacement: Program,
}

impl Clone for Edit {
    fn clone(&self) -> Edit {
        Edit {
            position: self.position,
            replacement: self.replacement.clone(),
        }
    }

    fn clone_from(&mut self, source: &Edit) {
        self.position = source.position;
        self.replacement.clone_from(&source.replacement);
    }
}

/// The program after an edit. A position past the end changes nothing.
pub fn apply(grammar: &Grammar, program: &Program, edit: &Edit) -> Program {
    let mut out = program.clone();
    Layout::new(grammar).apply(&mut out, edit);
    out
}

/// The edit that takes `edit` back: `program` is the one before it.
pub fn inverse(grammar: &Grammar, program: &Program, edit: &Edit) -> Edit {
    Edit {
        position: edit.position,
        replacement: Layout::new(grammar).extract(program, edit.position),
    }
}

/// The nonterminal at each position of a whole program.
pub fn positions(grammar: &Grammar, program: &Program) -> Vec<NtId> {
    Layout::new(grammar).positions(grammar.start, program)
}

impl Layout {
    /// Edits a program in place, reusing its buffers.
    pub fn apply(&self, program: &mut Program, edit: &Edit) {
        self.splice(program, edit.position, &edit.replacement);
    }

    /// Replaces the subtree at `position` by a whole program, reusing the buffers.
    pub fn splice(&self, program: &mut Program, position: usize, replacement: &Program) {
        if position >= program.nodes.len() {
            return;
        }
        let old = program.nodes[position];
        let end = position + old.len as usize;
        self.splice_texts(program, position, end, replacement);

        let grown = replacement.nodes.len() as i64 - i64::from(old.len);
        let heavier = i64::from(replacement.size()) - i64::from(old.size);
        replace(&mut program.nodes, position, end, &replacement.nodes);
        self.number_texts(program, position);

        // Ancestors: those before the position whose subtree reaches past it. Sums change by the
        // difference; a depth is measured again, innermost first. On the way down each of these
        // notes where it was come from, in place of the depth that is going to be measured.
        let nodes = &mut program.nodes;
        let depth = self.metric() == SizeMetric::Depth;
        let mut innermost = None;
        let mut at = 0;
        while at < position {
            let len = nodes[at].len as usize;
            if at + len > position {
                nodes[at].len = (i64::from(nodes[at].len) + grown) as u32;
                if depth {
                    nodes[at].size = innermost.unwrap_or(0);
                    innermost = Some(at as u32);
                } else {
                    nodes[at].size = (i64::from(nodes[at].size) + heavier) as u32;
                }
                at += 1;
            } else {
                at += len;
            }
        }
        while let Some(at) = innermost {
            let above = nodes[at as usize].size;
            self.resize(nodes, at as usize);
            // The root is nobody's child.
            innermost = (at > 0).then_some(above);
        }
    }

    fn splice_texts(&self, program: &mut Program, position: usize, end: usize, new: &Program) {
        if program.texts.is_empty() && new.texts.is_empty() {
            return;
        }
        let count = |nodes: &[Node]| {
            nodes
                .iter()
                .filter(|node| self.is_text(node.production))
                .count()
        };
        let first = count(&program.nodes[..position]);
        let last = first + count(&program.nodes[position..end]);
        program.texts.splice(first..last, new.texts.iter().cloned());
    }

    fn number_texts(&self, program: &mut Program, position: usize) {
        if program.texts.is_empty() {
            return;
        }
        let (before, rest) = program.nodes.split_at_mut(position);
        let mut rank = before
            .iter()
            .filter(|node| self.is_text(node.production))
            .count() as u32;
        for node in rest {
            if self.is_text(node.production) {
                node.value = rank;
                rank += 1;
            }
        }
    }

    /// The subtree at a position as a program of its own; empty when the position is past the
    /// end.
    pub fn extract(&self, program: &Program, position: usize) -> Program {
        let mut out = Program::default();
        self.extract_into(program, position, &mut out);
        out
    }

    /// [`Layout::extract`] into a reused buffer.
    pub fn extract_into(&self, program: &Program, position: usize, out: &mut Program) {
        out.nodes.clear();
        out.texts.clear();
        self.append(program, position, out);
    }

    /// Copies the subtree at a position behind what `out` holds already. A position past the
    /// end copies nothing.
    pub(crate) fn append(&self, program: &Program, position: usize, out: &mut Program) {
        if position >= program.nodes.len() {
            return;
        }
        let from = out.nodes.len();
        out.nodes.extend_from_slice(program.subtree(position));
        if program.texts.is_empty() {
            return;
        }
        for node in &mut out.nodes[from..] {
            if self.is_text(node.production) {
                let text = program.texts.get(node.value as usize);
                node.value = out.texts.len() as u32;
                out.texts.extend(text.cloned());
            }
        }
    }

    /// Whether two subtrees are the same, texts compared as strings.
    pub fn same(&self, a: &Program, at_a: usize, b: &Program, at_b: usize) -> bool {
        let (left, right) = (a.subtree(at_a), b.subtree(at_b));
        left.len() == right.len()
            && left
                .iter()
                .zip(right)
                .all(|(x, y)| self.same_node(a, x, b, y))
    }

    /// Whether two nodes are the same, their subtrees left out.
    #[inline]
    pub fn same_node(&self, a: &Program, x: &Node, b: &Program, y: &Node) -> bool {
        x.production == y.production
            && if self.is_text(x.production) {
                a.texts.get(x.value as usize) == b.texts.get(y.value as usize)
            } else {
                x.value == y.value
            }
    }
}

/// Puts `new` in the place of the nodes from `from` to `to`.
fn replace(nodes: &mut Vec<Node>, from: usize, to: usize, new: &[Node]) {
    let (before, end) = (nodes.len(), from + new.len());
    if let Some(spare) = new.first()
        && end > to
    {
        nodes.resize(before + (end - to), *spare);
    }
    nodes.copy_within(to..before, end);
    nodes[from..end].copy_from_slice(new);
    nodes.truncate(before + end - to);
}

impl Program {
    /// Fills `len`, `size` and text numbers from the productions alone; false when the nodes are
    /// not exactly one complete tree. Loops take [`Layout::annotate`].
    pub fn annotate(&mut self, grammar: &Grammar) -> bool {
        Layout::new(grammar).annotate(self)
    }

    /// Whether this is a complete program of the grammar: every node of its position's
    /// nonterminal, every value in its token's domain, lengths, sizes and text numbers right.
    /// Whether a text matches its token's pattern is for the lexer to say.
    pub fn is_valid(&self, grammar: &Grammar) -> bool {
        self.is_valid_as(grammar, grammar.start)
    }

    /// [`Program::is_valid`] for a subtree that stands for `root`.
    pub fn is_valid_as(&self, grammar: &Grammar, root: NtId) -> bool {
        let mut pending = vec![root];
        for node in &self.nodes {
            let Some(nt) = pending.pop() else {
                return false;
            };
            let Some(production) = grammar.productions.get(node.production.index()) else {
                return false;
            };
            if !grammar
                .nonterminal(nt)
                .productions
                .contains(&node.production)
            {
                return false;
            }
            let in_domain = match production.kind {
                ProductionKind::Token(token) => match grammar.token(token).domain.count() {
                    Some(count) => node.value < count,
                    None => (node.value as usize) < self.texts.len(),
                },
                _ => node.value == 0,
            };
            if !in_domain {
                return false;
            }
            pending.extend(production.children.iter().rev().map(|child| child.nt));
        }
        let mut copy = self.clone();
        pending.is_empty() && copy.annotate(grammar) && copy == *self
    }
}
