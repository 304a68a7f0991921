//! Edit paths: from one program to another by small edits (paper section 3.2.2, algorithm 1).
//!
//! In: a source, a target, sigma_small, and a source of random small trees. Out: edits, one at a
//! time. Afterwards: applied in order they lead from the source to the target; every intermediate is
//! a complete valid program; every replacement is of size sigma_small at most; in strict mode so is
//! every subtree that is replaced. A whole path takes time linear in the two programs: what the walk
//! has passed is the target's, so only what is left of the source is kept, the next node on top. In
//! strict mode a step may look through the subtree that is in its way.
//!
//! Both programs are walked from the front until a node differs. Up to there they agree, so that
//! node stands at the same position and for the same nonterminal in both. When the target's
//! subtree there is small, it is put in as a whole. When it is not, a small tree is put in that has
//! the target's root, and below it as much of the target as fits; what does not fit is filled with
//! random trees of least size. Either way the walk gets past this node, so a path has at most as many
//! steps as the target has nodes.
//!
//! This needs every production that has alternatives to fit into a replacement, which a checked
//! grammar makes sure of (`inside::least_small`).
//!
//! Strict mode first shrinks a large subtree of the source that is in the way. Some subtree of it
//! is small and not of its nonterminal's least size: if all small ones were, take a deepest
//! subtree that is not; its children are least, so it has the least size of its production, and its
//! nonterminal has a smaller production, so its own fits sigma_small: it is small after all. The
//! first such subtree is replaced by a tree of least size. No node is replaced like this twice, so
//! strict mode takes at most as many further steps as the source has nodes.
//!
//! A path need not begin at the first node that differs: [`Path::sites`] gives all places at which it
//! could, and [`Path::propose_at`] the edit of each.

mod sites;

pub use sites::Site;

use serde::{Deserialize, Serialize};

use crate::grammar::ids::NtId;
use crate::grammar::inside::{Inside, least_small};
use crate::grammar::ir::{Grammar, SizeMetric};

use super::edit::Edit;
use super::layout::Layout;
use super::program::{Node, Program};

/// Gives random trees.
pub trait Fill {
    /// A random tree of a nonterminal of exactly this size, which exists and is small.
    fn fill(&mut self, nt: NtId, size: u32, out: &mut Program);
}

/// What an edit path promises beyond arriving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum PathMode {
    /// Every replacement is small (algorithm 1).
    #[default]
    Plain,
    /// Every replaced subtree is small too.
    Strict,
}

/// There is no path by edits this small.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "edits of size {small} cannot lead to every program of this language; the least that can is {least}"
)]
pub struct PathError {
    /// What was asked for.
    pub small: u32,
    /// What is needed.
    pub least: u32,
}

/// A step of a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The position.
    pub position: usize,
    /// What stood there.
    pub old: Program,
    /// What stands there afterwards.
    pub new: Program,
}

/// A path under way.
#[derive(Clone, Debug)]
pub struct Path<'a> {
    layout: &'a Layout,
    inside: &'a Inside,
    small: u32,
    mode: PathMode,
    target: &'a Program,
    /// Nodes before this position agree.
    at: usize,
    buffers: PathScratch,
}

/// Buffers of a path, to be used for the next one.
#[derive(Clone, Debug, Default)]
pub struct PathScratch {
    /// What is left of the source: nodes and texts from the back, the next ones on top.
    rest: Vec<Node>,
    texts: Vec<Box<str>>,
    /// Nodes of `rest` that hold an edited one.
    above: Vec<usize>,
    /// What stands where the walk is and after it, the next on top.
    pending: Vec<NtId>,
    /// Nodes of the target still to be fitted in: position, nonterminal, size left (depth).
    fit: Vec<(usize, NtId, u32)>,
    /// Nodes of the source still to be looked at: nonterminal, size left (depth).
    shrink: Vec<(NtId, u32)>,
    /// Nodes of both programs still to be compared, the next on top.
    compare: Vec<NtId>,
    part: Program,
}

/// Whether edits of size `small` lead from every program to every other one.
///
/// # Errors
///
/// When they do not.
pub fn check_small(grammar: &Grammar, small: u32) -> Result<(), PathError> {
    let least = least_small(grammar);
    if small < least {
        return Err(PathError { small, least });
    }
    Ok(())
}

impl<'a> Path<'a> {
    /// A path between two valid programs of the start nonterminal; `small` must pass
    /// [`check_small`].
    pub fn new(
        layout: &'a Layout,
        inside: &'a Inside,
        small: u32,
        mode: PathMode,
        source: &Program,
        target: &'a Program,
    ) -> Path<'a> {
        let buffers = PathScratch::default();
        Path::new_in(buffers, layout, inside, small, mode, source, target)
    }

    /// [`Path::new`] in the buffers of an earlier path: no allocation once they have grown.
    pub fn new_in(
        mut buffers: PathScratch,
        layout: &'a Layout,
        inside: &'a Inside,
        small: u32,
        mode: PathMode,
        source: &Program,
        target: &'a Program,
    ) -> Path<'a> {
        buffers.rest.clear();
        buffers.rest.extend(source.nodes.iter().rev());
        buffers.texts.clear();
        buffers.texts.extend(source.texts.iter().rev().cloned());
        buffers.pending.clear();
        buffers.pending.push(layout.start());
        Path {
            layout,
            inside,
            small,
            mode,
            target,
            at: 0,
            buffers,
        }
    }

    /// The buffers, for [`Path::new_in`].
    pub fn into_scratch(self) -> PathScratch {
        self.buffers
    }

    /// The two programs stand for another nonterminal than the start. To be said before the first
    /// step.
    pub fn stand_for(&mut self, root: NtId) {
        self.buffers.pending.clear();
        self.buffers.pending.push(root);
    }

    /// The program reached so far.
    pub fn current(&self) -> Program {
        let mut out = Program::default();
        self.current_into(&mut out);
        out
    }

    /// [`Path::current`] into a used program.
    pub fn current_into(&self, out: &mut Program) {
        let passed = &self.target.nodes[..self.at];
        out.nodes.clear();
        out.nodes.extend_from_slice(passed);
        out.nodes.extend(self.buffers.rest.iter().rev());
        let texts = self.texts_in(passed).min(self.target.texts.len());
        out.texts.clear();
        out.texts.extend_from_slice(&self.target.texts[..texts]);
        out.texts.extend(self.buffers.texts.iter().rev().cloned());
        self.layout.annotate(out);
    }

    /// The next edit, of [`Path::current`]; false at the target. [`Path::apply`] goes on.
    pub fn propose(&mut self, fill: &mut dyn Fill, edit: &mut Edit) -> bool {
        let Some(nt) = self.advance() else {
            return false;
        };
        let site = Site {
            source: self.at,
            target: self.at,
            nt,
        };
        self.propose_at(site, fill, edit)
    }

    /// The edit at one of the places that [`Path::sites`] gives for [`Path::current`]; false at a
    /// place that is none. [`Path::apply`] goes on from it.
    pub fn propose_at(&mut self, site: Site, fill: &mut dyn Fill, edit: &mut Edit) -> bool {
        let (Some(_), Some(wanted)) = (self.index(site.source), self.target.nodes.get(site.target))
        else {
            return false;
        };
        let target_size = wanted.size;
        edit.replacement.nodes.clear();
        edit.replacement.texts.clear();
        if self.mode == PathMode::Strict
            && let Some((position, nt)) = self.next_to_shrink(site)
        {
            edit.position = position;
            fill.fill(nt, self.least(nt), &mut edit.replacement);
            return true;
        }
        edit.position = site.source;
        if target_size <= self.small {
            self.layout
                .append(self.target, site.target, &mut edit.replacement);
        } else {
            self.fit(site, fill, &mut edit.replacement);
        }
        true
    }

    /// Applies an edit that [`Path::propose`] or [`Path::propose_at`] gave.
    pub fn apply(&mut self, edit: &Edit) {
        let Some(top) = self.index(edit.position) else {
            return;
        };
        let (old, new) = (self.buffers.rest[top], &edit.replacement);
        let from = top + 1 - old.len as usize;
        if !(self.buffers.texts.is_empty() && new.texts.is_empty()) {
            let texts = self.texts_of(from, top);
            let new = new.texts.iter().rev().cloned();
            self.buffers.texts.splice(texts, new);
        }
        let (grown, heavier) = (
            i64::from(new.len() as u32) - i64::from(old.len),
            i64::from(new.size()) - i64::from(old.size),
        );
        let rest = &mut self.buffers.rest;
        if top + 1 == rest.len() {
            rest.truncate(from);
            rest.extend(new.nodes.iter().rev());
            return;
        }
        // Strict mode edits below what is in the way.
        rest.splice(from..=top, new.nodes.iter().rev().copied());
        let moved = |index: usize| (index as i64 + grown) as usize;
        let depth = self.layout.metric() == SizeMetric::Depth;
        let above = &mut self.buffers.above;
        above.clear();
        let mut at = rest.len() - 1;
        while at > moved(top) {
            let len = rest[at].len as usize;
            // Its subtree, as long as it was, goes down to `at + 1 - len`.
            if (at as i64 - grown) + 1 - len as i64 <= top as i64 {
                rest[at].len = (i64::from(rest[at].len) + grown) as u32;
                if depth {
                    above.push(at);
                } else {
                    rest[at].size = (i64::from(rest[at].size) + heavier) as u32;
                }
                at -= 1;
            } else {
                at -= len;
            }
        }
        while let Some(at) = above.pop() {
            let mut child = at - 1;
            let mut size = 0;
            for _ in 0..self.layout.arity(rest[at].production) {
                size = size.max(rest[child].size);
                child = child.wrapping_sub(rest[child].len as usize);
            }
            rest[at].size = size + self.layout.cost(rest[at].production);
        }
    }

    /// The next step, applied; `None` at the target.
    pub fn step(&mut self, fill: &mut dyn Fill) -> Option<Step> {
        let mut edit = Edit::default();
        if !self.propose(fill, &mut edit) {
            return None;
        }
        let top = self.index(edit.position)?;
        let rest = &self.buffers.rest;
        let from = top + 1 - rest[top].len as usize;
        let texts = self.buffers.texts[self.texts_of(from, top)].iter();
        let mut old = Program {
            nodes: rest[from..=top].iter().rev().copied().collect(),
            texts: texts.rev().cloned().collect(),
        };
        self.layout.annotate(&mut old);
        self.apply(&edit);
        Some(Step {
            position: edit.position,
            old,
            new: edit.replacement,
        })
    }

    /// The place of a position in the rest; `None` when the walk has passed it, and past the end.
    fn index(&self, position: usize) -> Option<usize> {
        let behind = position.checked_sub(self.at)?;
        self.buffers.rest.len().checked_sub(1 + behind)
    }

    fn texts_in(&self, nodes: &[Node]) -> usize {
        let is_text = |node: &&Node| self.layout.is_text(node.production);
        nodes.iter().filter(is_text).count()
    }

    /// The texts of nodes of the rest, `from` to `top`.
    fn texts_of(&self, from: usize, top: usize) -> std::ops::Range<usize> {
        let rest = &self.buffers.rest;
        let end = self.buffers.texts.len() - self.texts_in(&rest[top + 1..]);
        end - self.texts_in(&rest[from..=top])..end
    }

    /// Walks to the first node that differs and gives its nonterminal.
    fn advance(&mut self) -> Option<NtId> {
        let PathScratch {
            rest,
            texts,
            pending,
            ..
        } = &mut self.buffers;
        loop {
            let (node, wanted) = (*rest.last()?, self.target.nodes.get(self.at)?);
            let is_text = self.layout.is_text(node.production);
            let same = node.production == wanted.production
                && if is_text {
                    texts.last() == self.target.texts.get(wanted.value as usize)
                } else {
                    node.value == wanted.value
                };
            if !same {
                return pending.last().copied();
            }
            rest.pop();
            if is_text {
                texts.pop();
            }
            pending.pop();
            let children = self.layout.children(node.production);
            pending.extend(children.iter().rev());
            self.at += 1;
        }
    }

    fn least(&self, nt: NtId) -> u32 {
        self.inside.least(nt).unwrap_or(0)
    }

    fn least_of(&self, node: &Node) -> u32 {
        self.inside.least_of(node.production).unwrap_or(0)
    }

    /// Builds a small tree that starts like the target's subtree at this place, which is not small.
    fn fit(&mut self, site: Site, fill: &mut dyn Fill, out: &mut Program) {
        let depth = self.layout.metric() == SizeMetric::Depth;
        let mut stack = std::mem::take(&mut self.buffers.fit);
        let mut part = std::mem::take(&mut self.buffers.part);
        // For sums: what is left when every open position takes its least size.
        let mut spare = self.small.saturating_sub(self.least(site.nt));
        stack.clear();
        stack.push((site.target, site.nt, self.small));
        while let Some((at, nt, left)) = stack.pop() {
            let node = self.target.nodes[at];
            let least = self.least(nt);
            let room = if depth { left } else { least + spare };
            let root = self.least_of(&node);
            if node.size <= room {
                spare = spare.saturating_sub(node.size - least);
                self.layout.append(self.target, at, out);
            } else if root <= room {
                spare = spare.saturating_sub(root - least);
                out.nodes.push(node);
                let from = stack.len();
                let mut child = at + 1;
                let below = left.saturating_sub(self.layout.cost(node.production));
                for nt in self.layout.children(node.production) {
                    stack.push((child, *nt, below));
                    child += self.target.nodes[child].len as usize;
                }
                stack[from..].reverse();
            } else {
                part.nodes.clear();
                part.texts.clear();
                fill.fill(nt, least, &mut part);
                self.layout.append(&part, 0, out);
            }
        }
        self.layout.annotate(out);
        self.buffers.fit = stack;
        self.buffers.part = part;
    }

    /// The first small subtree of the source's subtree at this place that can shrink, when the
    /// latter is not small.
    fn next_to_shrink(&mut self, site: Site) -> Option<(usize, NtId)> {
        let last = self.index(site.source)?;
        if self.buffers.rest[last].size <= self.small {
            return None;
        }
        let depth = self.layout.metric() == SizeMetric::Depth;
        let mut stack = std::mem::take(&mut self.buffers.shrink);
        stack.clear();
        stack.push((site.nt, self.small));
        // Counted from the place.
        let mut at = 0;
        let mut found = None;
        while let Some((nt, left)) = stack.pop() {
            let node = self.buffers.rest[last - at];
            // What has its least size stays; so does what is not deep enough to matter.
            if node.size == self.least(nt) || (depth && node.size <= left) {
                at += node.len as usize;
                continue;
            }
            if node.size <= self.small {
                found = Some((site.source + at, nt));
                break;
            }
            // A node that cannot get down to what is left for it must become small itself first.
            let left = match self.least_of(&node) <= left {
                true => left,
                false => self.small,
            };
            let below = left.saturating_sub(self.layout.cost(node.production));
            let children = self.layout.children(node.production);
            stack.extend(children.iter().rev().map(|nt| (*nt, below)));
            at += 1;
        }
        self.buffers.shrink = stack;
        found
    }
}
