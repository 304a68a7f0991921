//! All places at which an edit path could begin.
//!
//! In: a path under way. Out: the topmost nodes in which the program reached so far differs from the target.
//! Afterwards no two of them hold each other, so the edits that lead on there can be made in any order,
//! and each leaves what stands at the others as it was. What has one answer for the walk from the front has
//! as many right ones for a model as there are places.

use super::{Path, PathScratch};
use crate::grammar::ids::NtId;

/// A place at which two programs differ: down to it they agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site {
    /// The position in [`Path::current`].
    pub source: usize,
    /// The position in the target.
    pub target: usize,
    /// The nonterminal that both stand for.
    pub nt: NtId,
}

impl Path<'_> {
    /// All places at which [`Path::current`] differs from the target, in their order; none at the
    /// target. The first is where [`Path::propose`] goes on. Takes time linear in the programs.
    pub fn sites(&mut self, out: &mut Vec<Site>) {
        out.clear();
        if self.advance().is_none() {
            return;
        }
        let PathScratch {
            rest,
            texts,
            pending,
            compare,
            ..
        } = &mut self.buffers;
        compare.clone_from(pending);
        // Nodes and texts of the source that have been passed, and nodes of the target.
        let (mut passed, mut read, mut target) = (0, 0, self.at);
        while let Some(nt) = compare.pop() {
            let top = rest.len().checked_sub(1 + passed);
            let node = top.and_then(|top| rest.get(top));
            let (Some(top), Some(node), Some(wanted)) = (top, node, self.target.nodes.get(target))
            else {
                return;
            };
            let is_text = self.layout.is_text(node.production);
            let same = node.production == wanted.production
                && if is_text {
                    texts.iter().rev().nth(read) == self.target.texts.get(wanted.value as usize)
                } else {
                    node.value == wanted.value
                };
            if same {
                read += usize::from(is_text);
                passed += 1;
                target += 1;
                let children = self.layout.children(node.production);
                compare.extend(children.iter().rev());
                continue;
            }
            out.push(Site {
                source: self.at + passed,
                target,
                nt,
            });
            let len = node.len as usize;
            let subtree = &rest[top + 1 - len..=top];
            let is_text = |node: &&super::Node| self.layout.is_text(node.production);
            read += subtree.iter().filter(is_text).count();
            passed += len;
            target += wanted.len as usize;
        }
    }
}
