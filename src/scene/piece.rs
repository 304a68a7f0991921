//! Parts of programs on their own: what a small subtree draws, many times a second.
//!
//! In: the nodes of a subtree whose value is a region. Out: the shape or the formula of shapes that it
//! is, where its own draw code puts it. Afterwards nothing is kept but memory and what is known of
//! the grammar.

use super::affine::Affine;
use super::code::Arms;
use super::eval::{NotDrawable, budget};
use super::interpret::{Evaluator, Memory};
use super::parts::{EMPTY, Finish, Raw, Single};
use super::value::V;
use super::{Bounds, Content, RegionId, Scene};
use crate::grammar::ir::Grammar;
use crate::tree::{Node, Program};

/// Evaluates subtrees.
#[derive(Debug)]
pub struct Pieces<'g> {
    grammar: &'g Grammar,
    arms: Arms,
    memory: Memory,
    stack: Vec<V>,
    /// The value of the subtree that was drawn last.
    last: Raw,
    finish: Finish,
    scene: Option<Scene>,
}

impl<'g> Pieces<'g> {
    /// For subtrees of programs of this grammar.
    pub fn new(grammar: &'g Grammar) -> Pieces<'g> {
        Pieces {
            grammar,
            arms: Arms::new(grammar),
            memory: Memory::default(),
            stack: Vec::new(),
            last: EMPTY,
            finish: Finish::default(),
            scene: grammar.canvas.as_ref().map(|canvas| Scene {
                canvas: canvas.clone(),
                regions: Vec::new(),
                content: Content::Ink(RegionId(0)),
            }),
        }
    }

    /// The shape that a subtree, as a program of its own, draws.
    ///
    /// # Errors
    ///
    /// [`NotDrawable::NoDraw`] when its value is no region; others as when a program is drawn.
    pub fn single(&mut self, piece: &Program) -> Result<Single<'_>, NotDrawable> {
        let value = self.value(piece.nodes(), piece.texts())?;
        match value {
            V::Region(region) => {
                self.last = region;
                Ok(self.memory.parts.single(region))
            }
            _ => Err(NotDrawable::NoDraw),
        }
    }

    /// The layers that a subtree draws about its own origin, and its bounds.
    ///
    /// # Errors
    ///
    /// [`NotDrawable::NoDraw`] when its value is no drawing; others as when a program is drawn.
    pub fn layers(&mut self, piece: &Program) -> Result<(&Scene, Bounds), NotDrawable> {
        let V::Drawing(drawing) = self.value(piece.nodes(), piece.texts())? else {
            return Err(NotDrawable::NoDraw);
        };
        let scene = self.scene.as_mut().ok_or(NotDrawable::NoCanvas)?;
        let mut layers = match std::mem::replace(&mut scene.content, Content::Ink(RegionId(0))) {
            Content::Layers(layers) => layers,
            Content::Ink(_) => Vec::new(),
        };
        std::mem::swap(&mut self.finish.regions, &mut scene.regions);
        self.finish.clear();
        let parts = &self.memory.parts;
        let done = parts.layers(drawing, (0, 0), &mut self.finish, &mut layers);
        std::mem::swap(&mut self.finish.regions, &mut scene.regions);
        scene.content = Content::Layers(layers);
        done?;
        Ok((scene, parts.bounds_of(drawing)))
    }

    /// The same subtree once more, as regions under an affine map: the scene's ink.
    ///
    /// # Errors
    ///
    /// As when a program is drawn.
    pub fn formula(&mut self, under: &Affine) -> Result<(&Scene, RegionId), NotDrawable> {
        let scene = self.scene.as_mut().ok_or(NotDrawable::NoCanvas)?;
        std::mem::swap(&mut self.finish.regions, &mut scene.regions);
        self.finish.clear();
        let root = self.memory.parts.finish(self.last, under, &mut self.finish);
        std::mem::swap(&mut self.finish.regions, &mut scene.regions);
        Ok((scene, root?))
    }

    /// The box around the same subtree under an affine map; about that, when it is a formula.
    ///
    /// # Errors
    ///
    /// As when a program is drawn.
    pub fn bounds(&mut self, under: &Affine) -> Result<Bounds, NotDrawable> {
        let parts = &mut self.memory.parts;
        let bounds = parts.region_bounds(self.last, &mut budget(1))?;
        Ok(bounds.mapped(under))
    }

    fn value(&mut self, nodes: &[Node], texts: &[Box<str>]) -> Result<V, NotDrawable> {
        self.memory.clear(false);
        self.stack.clear();
        let mut evaluator = Evaluator {
            grammar: self.grammar,
            texts,
            memory: &mut self.memory,
            steps: budget(nodes.len()),
            failed: None,
        };
        for node in nodes.iter().rev() {
            let value = evaluator.node_by(&self.arms, node, &mut self.stack)?;
            self.stack.push(value);
        }
        self.stack.pop().ok_or(NotDrawable::NoDraw)
    }
}
