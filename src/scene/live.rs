//! A program that is drawn, edited and drawn again.
//!
//! In: a program, then edits of it. Out: its [`Scene`], kept up to date. Afterwards the scene shows
//! what [`lower`](super::eval::lower) makes of the edited program; an edit costs what the replacement
//! and its ancestors cost, not what the program costs (for drawings: and a walk over the layers).
//! Regions stay at their numbers: one whose [version](Live::versions) has not changed is the same
//! region, with all below it, so pixels drawn of it can be kept.
//!
//! An edit is first [proposed](Live::propose) and then [accepted](Live::accept) or
//! [rejected](Live::reject), as a search by chance wants it; [`Live::apply`] does both.

mod hole;

pub use hole::{Filling, Place};

use super::affine::{self, Affine, IDENTITY};
use super::code::Arms;
use super::eval::{NotDrawable, budget, centring};
use super::interpret::{Evaluator, Memory};
use super::parts::{EMPTY, Made, Raw, Visit};
use super::slots::Slots;
use super::value::V;
use super::{Content, Layer, Scene};
use crate::grammar::ir::{CanvasMode, Grammar};
use crate::tree::{Edit, Layout, Program};

/// A program, its scene, and what of it is known node by node.
#[derive(Debug)]
pub struct Live<'g> {
    grammar: &'g Grammar,
    layout: Layout,
    arms: Arms,
    /// Whether pictures depend on the bounds of their parts.
    measures: bool,
    program: Program,
    memory: Memory,
    /// The value of each node of the program.
    values: Vec<V>,
    /// What each node built, as chains of `links`.
    owned: Vec<u32>,
    /// What putting the root on the canvas built.
    placement: u32,
    links: Slots<Link>,
    scene: Scene,
    /// The versions of the regions as they stand in `scene`.
    written: Vec<u64>,
    proposal: Proposal,
    /// Children of a node while it is evaluated.
    stack: Vec<V>,
    roots: Vec<Raw>,
    visits: Vec<Visit>,
    /// Layers under a map: which, its region, the map.
    mapped: Vec<(usize, Raw, Affine)>,
}

/// Something that was built, and the next of the same chain.
#[derive(Clone, Copy, Debug)]
struct Link {
    made: Made,
    next: u32,
}

/// The end of a chain.
const END: u32 = u32::MAX;

/// What an edit would change.
#[derive(Debug, Default)]
struct Proposal {
    open: bool,
    /// Whether `root` is what was shown before.
    kept: bool,
    edit: Edit,
    /// Of the replacement's nodes.
    values: Vec<V>,
    owned: Vec<u32>,
    /// The ancestors, from the root down: where, value, what it built.
    path: Vec<(usize, V, u32)>,
    placement: u32,
    /// What was shown before; between proposals, memory to write into.
    root: Option<Content>,
}

impl<'g> Live<'g> {
    /// Shows nothing until a program is [set](Live::set).
    ///
    /// # Errors
    ///
    /// When the grammar has no canvas.
    pub fn new(grammar: &'g Grammar) -> Result<Live<'g>, NotDrawable> {
        let canvas = grammar.canvas.clone().ok_or(NotDrawable::NoCanvas)?;
        let content = match canvas.mode {
            CanvasMode::Ink => Content::Ink(EMPTY.id()),
            CanvasMode::Rgb { .. } => Content::Layers(Vec::new()),
        };
        let mut live = Live {
            grammar,
            layout: Layout::new(grammar),
            arms: Arms::new(grammar),
            measures: hole::measures(grammar),
            program: Program::default(),
            memory: Memory::default(),
            values: Vec::new(),
            owned: Vec::new(),
            placement: END,
            links: Slots::default(),
            scene: Scene {
                canvas,
                regions: Vec::new(),
                content,
            },
            written: Vec::new(),
            proposal: Proposal::default(),
            stack: Vec::new(),
            roots: Vec::new(),
            visits: Vec::new(),
            mapped: Vec::new(),
        };
        live.memory.parts.be_unique();
        live.clear();
        Ok(live)
    }

    /// The program: while an edit is proposed, still the one before it.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// What the program shows, or would show with the proposed edit. Regions that the content does
    /// not reach are leftovers; operands may stand behind what uses them, and a composite region
    /// may be under a [`Region::Transform`](super::Region::Transform).
    pub fn scene(&self) -> &Scene {
        &self.scene
    }

    /// For each region of the scene a number that no other region has, of this `Live` or another,
    /// now or ever; never 0.
    pub fn versions(&self) -> &[u64] {
        self.memory.parts.versions()
    }

    /// Takes a program, valid for the grammar, as a whole.
    ///
    /// # Errors
    ///
    /// As [`lower`](super::eval::lower); the program is then empty and shows nothing.
    pub fn set(&mut self, program: &Program) -> Result<(), NotDrawable> {
        self.clear();
        self.program.clone_from(program);
        let done = self.evaluate_all().and_then(|root| self.place(root));
        if done.is_err() {
            self.clear();
        }
        done
    }

    /// Shows what the program would draw after an edit, until it is accepted or rejected. An edit
    /// proposed before is rejected. An edit past the end changes nothing.
    ///
    /// # Errors
    ///
    /// As [`lower`](super::eval::lower); nothing is proposed then.
    pub fn propose(&mut self, edit: &Edit) -> Result<(), NotDrawable> {
        self.propose_with(edit, None)
    }

    /// [`Live::propose`]; a node of the replacement may be said to have another value.
    fn propose_with(
        &mut self,
        edit: &Edit,
        instead: Option<(usize, Filling)>,
    ) -> Result<(), NotDrawable> {
        self.reject();
        self.proposal.open = true;
        self.proposal.placement = END;
        self.proposal.edit.position = edit.position;
        self.proposal.edit.replacement.clone_from(&edit.replacement);
        if edit.position >= self.program.len() {
            return Ok(());
        }
        let done = self.evaluate_edit(instead).and_then(|root| {
            self.keep_content();
            std::mem::swap(&mut self.placement, &mut self.proposal.placement);
            let done = self.place(root);
            std::mem::swap(&mut self.placement, &mut self.proposal.placement);
            done
        });
        if done.is_err() {
            self.reject();
        }
        done
    }

    /// Makes the proposed edit.
    pub fn accept(&mut self) {
        if !std::mem::take(&mut self.proposal.open) {
            return;
        }
        let position = self.proposal.edit.position;
        if position >= self.program.len() {
            return;
        }
        for i in 0..self.proposal.path.len() {
            let (at, value, made) = self.proposal.path[i];
            self.disown(self.owned[at]);
            self.owned[at] = made;
            self.values[at] = value;
        }
        let end = position + self.program.nodes()[position].len as usize;
        for at in position..end {
            self.disown(self.owned[at]);
        }
        self.disown(self.placement);
        self.placement = self.proposal.placement;
        splice(&mut self.values, position..end, &self.proposal.values);
        splice(&mut self.owned, position..end, &self.proposal.owned);
        self.layout.apply(&mut self.program, &self.proposal.edit);
        self.recycle();
    }

    /// Takes the proposed edit back.
    pub fn reject(&mut self) {
        if !std::mem::take(&mut self.proposal.open) {
            return;
        }
        if let Some(before) = self.proposal.root.take_if(|_| self.proposal.kept) {
            let tried = std::mem::replace(&mut self.scene.content, before);
            self.proposal.root = Some(tried);
        }
        let fresh = std::mem::take(&mut self.proposal.owned);
        for made in &fresh {
            self.disown(*made);
        }
        self.proposal.owned = fresh;
        for i in 0..self.proposal.path.len() {
            self.disown(self.proposal.path[i].2);
        }
        self.disown(self.proposal.placement);
        self.recycle();
    }

    /// Makes an edit.
    ///
    /// # Errors
    ///
    /// As [`lower`](super::eval::lower); the program is then as it was.
    pub fn apply(&mut self, edit: &Edit) -> Result<(), NotDrawable> {
        self.propose(edit)?;
        self.accept();
        Ok(())
    }

    /// Forgets everything but the memory.
    fn clear(&mut self) {
        self.memory.clear(true);
        self.links.clear();
        self.program.clone_from(&Program::default());
        self.values.clear();
        self.owned.clear();
        self.placement = END;
        self.proposal.open = false;
        self.proposal.kept = false;
        self.proposal.path.clear();
        self.proposal.values.clear();
        self.proposal.owned.clear();
        match &mut self.scene.content {
            Content::Ink(region) => *region = EMPTY.id(),
            Content::Layers(layers) => layers.clear(),
        }
        self.show();
    }

    /// The value of the root, all nodes evaluated from the back.
    fn evaluate_all(&mut self) -> Result<V, NotDrawable> {
        let count = self.program.len();
        self.values.resize(count, V::Absent);
        self.owned.resize(count, END);
        self.stack.clear();
        let mut evaluator = Evaluator {
            grammar: self.grammar,
            texts: self.program.texts(),
            memory: &mut self.memory,
            steps: budget(count),
            failed: None,
        };
        for (at, node) in self.program.nodes().iter().enumerate().rev() {
            let value = evaluator.node_by(&self.arms, node, &mut self.stack)?;
            self.stack.push(value);
            self.values[at] = value;
            self.owned[at] = chain(&mut self.links, evaluator.memory.parts.log());
        }
        self.stack.pop().ok_or(NotDrawable::NoDraw)
    }

    /// The value of the root after the proposed edit: the replacement's nodes are evaluated, then
    /// the ancestors.
    fn evaluate_edit(&mut self, instead: Option<(usize, Filling)>) -> Result<V, NotDrawable> {
        let Proposal {
            edit,
            values,
            owned,
            path,
            ..
        } = &mut self.proposal;
        let count = edit.replacement.len();
        values.resize(count, V::Absent);
        owned.resize(count, END);
        self.stack.clear();
        let mut evaluator = Evaluator {
            grammar: self.grammar,
            texts: edit.replacement.texts(),
            memory: &mut self.memory,
            steps: budget(self.program.len().saturating_add(count)),
            failed: None,
        };
        for (at, node) in edit.replacement.nodes().iter().enumerate().rev() {
            let mut value = evaluator.node_by(&self.arms, node, &mut self.stack)?;
            if let Some((hole, filling)) = instead
                && hole == at
            {
                value = hole::filled(value, filling, &mut evaluator.memory.parts)?;
            }
            self.stack.push(value);
            values[at] = value;
            owned[at] = chain(&mut self.links, evaluator.memory.parts.log());
        }
        let mut value = self.stack.pop().ok_or(NotDrawable::NoDraw)?;

        let nodes = self.program.nodes();
        let above = self.program.ancestors(edit.position);
        path.extend(above.map(|at| (at, V::Absent, END)));
        let mut child = edit.position;
        for (at, kept, made) in path.iter_mut().rev() {
            let end = *at + nodes[*at].len as usize;
            self.stack.clear();
            let mut next = *at + 1;
            while next < end {
                self.stack.push(if next == child {
                    value
                } else {
                    self.values[next]
                });
                next += nodes[next].len as usize;
            }
            // The first child on top.
            self.stack.reverse();
            value = evaluator.node_by(&self.arms, &nodes[*at], &mut self.stack)?;
            *kept = value;
            *made = chain(&mut self.links, evaluator.memory.parts.log());
            child = *at;
        }
        Ok(value)
    }

    /// Keeps what is shown, so that it can be shown again.
    fn keep_content(&mut self) {
        let fresh = match (&self.scene.content, self.proposal.root.take()) {
            (Content::Ink(region), _) => Content::Ink(*region),
            (Content::Layers(_), Some(Content::Layers(spare))) => Content::Layers(spare),
            (Content::Layers(_), _) => Content::Layers(Vec::new()),
        };
        self.proposal.root = Some(std::mem::replace(&mut self.scene.content, fresh));
        self.proposal.kept = true;
    }

    /// Puts the root's value on the canvas.
    fn place(&mut self, root: V) -> Result<(), NotDrawable> {
        let centred = self.scene.canvas.centred;
        let parts = &mut self.memory.parts;
        match (root, &mut self.scene.content) {
            (V::Region(region), Content::Ink(shown)) => {
                let mut region = region;
                if centred {
                    let mut steps = budget(self.program.len());
                    let bounds = parts.region_bounds(region, &mut steps)?;
                    let (dx, dy) = centring(&self.scene.canvas, bounds);
                    region = parts.map(region, &affine::shift(f64::from(dx), f64::from(dy)));
                }
                *shown = region.id();
            }
            (V::Drawing(drawing), Content::Layers(layers)) => {
                layers.clear();
                let offset = centring(&self.scene.canvas, parts.bounds_of(drawing));
                let mut mapped = std::mem::take(&mut self.mapped);
                mapped.clear();
                let walked = parts.walk(
                    drawing,
                    offset,
                    &mut self.visits,
                    |region, map, offset, paint| {
                        if *map != IDENTITY {
                            mapped.push((layers.len(), region, *map));
                        }
                        layers.push(Layer {
                            region: region.id(),
                            offset,
                            paint,
                        });
                        Ok(())
                    },
                );
                for (layer, region, map) in &mapped {
                    layers[*layer].region = parts.map(*region, map).id();
                }
                self.mapped = mapped;
                walked?;
                layers.retain(|layer| layer.region != EMPTY.id());
            }
            _ => return Err(NotDrawable::NoDraw),
        }
        self.placement = chain(&mut self.links, self.memory.parts.log());
        self.show();
        Ok(())
    }

    /// Writes the regions that are shown into the scene.
    fn show(&mut self) {
        self.roots.clear();
        match &self.scene.content {
            Content::Ink(region) => self.roots.push((*region).into()),
            Content::Layers(layers) => {
                self.roots
                    .extend(layers.iter().map(|layer| Raw::from(layer.region)));
            }
        }
        self.memory
            .parts
            .mirror(&mut self.roots, &mut self.scene.regions, &mut self.written);
    }

    /// Frees all of a chain.
    fn disown(&mut self, mut at: u32) {
        while at != END {
            let Link { made, next } = self.links[at];
            self.memory.free(made);
            self.links.free(at);
            at = next;
        }
    }

    /// Forgets the proposal but keeps its memory.
    fn recycle(&mut self) {
        self.proposal.kept = false;
        self.proposal.path.clear();
        self.proposal.values.clear();
        self.proposal.owned.clear();
        self.proposal.placement = END;
        // What was built before an error is in no chain yet.
        let log = chain(&mut self.links, self.memory.parts.log());
        self.disown(log);
    }
}

/// Makes a chain of what was built.
#[inline]
fn chain(links: &mut Slots<Link>, made: &mut Vec<Made>) -> u32 {
    let mut next = END;
    if made.is_empty() {
        return next;
    }
    for made in made.drain(..) {
        next = links.put(Link { made, next });
    }
    next
}

/// [`Vec::splice`], for things that are copied.
fn splice<T: Copy>(all: &mut Vec<T>, range: std::ops::Range<usize>, by: &[T]) {
    let (old, new) = (range.len(), by.len());
    if new > old {
        let tail = all.len();
        all.extend_from_slice(&by[..new - old]);
        all.copy_within(range.end..tail, range.end + new - old);
    } else {
        all.copy_within(range.end.., range.start + new);
        all.truncate(all.len() - (old - new));
    }
    all[range.start..range.start + new].copy_from_slice(by);
}

#[cfg(test)]
mod tests;
