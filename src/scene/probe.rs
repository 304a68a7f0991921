//! Probes: where a production puts the drawings below it.
//!
//! In: a production, values for its tokens, and for each drawing below it the bounds it is laid out by.
//! Out: where each of them goes, and the bounds of the whole. Afterwards nothing is kept but memory.
//!
//! Draw code sees nothing of a drawing but its bounds. So a stand-in with these bounds goes wherever
//! any drawing with them goes, and nothing has to be known of the draw code to learn it.

use smallvec::SmallVec;

use super::Bounds;
use super::affine::IDENTITY;
use super::code::Arms;
use super::eval::{budget, centring};
use super::interpret::{Evaluator, Memory};
use super::parts::Visit;
use super::value::V;
use crate::grammar::ids::ProdId;
use crate::grammar::ir::Grammar;
use crate::tree::Node;

/// What is below a production.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Below {
    /// A token: its production and value.
    Token(ProdId, u32),
    /// A drawing of these bounds.
    Drawing(Bounds),
}

/// Where drawings went.
#[derive(Clone, Debug, PartialEq)]
pub struct Laid {
    /// The drawings in the order they are painted, by their number among those below, and how far each
    /// was moved, in pixels right and down.
    pub order: SmallVec<[(u32, (i32, i32)); 2]>,
    /// The bounds of the whole.
    pub bounds: Bounds,
}

/// Probes productions.
#[derive(Debug)]
pub struct Probe<'g> {
    grammar: &'g Grammar,
    arms: Arms,
    memory: Memory,
    stack: Vec<V>,
    visits: Vec<Visit>,
}

impl<'g> Probe<'g> {
    /// For productions of this grammar.
    pub fn new(grammar: &'g Grammar) -> Probe<'g> {
        Probe {
            grammar,
            arms: Arms::new(grammar),
            memory: Memory::default(),
            stack: Vec::new(),
            visits: Vec::new(),
        }
    }

    /// Where a production puts what is below it. `None` when it does more than put each drawing
    /// somewhere by whole pixels: shows one twice or not at all, turns it, adds something of its own.
    pub fn lay(&mut self, production: ProdId, below: &[Below]) -> Option<Laid> {
        self.memory.clear(false);
        self.stack.clear();
        let mut evaluator = Evaluator {
            grammar: self.grammar,
            texts: &[],
            memory: &mut self.memory,
            steps: budget(1),
            failed: None,
        };
        let mut marks: SmallVec<[_; 4]> = SmallVec::new();
        let node = |production, value, len| Node {
            production,
            value,
            len,
            size: 0,
        };
        // The first child on top.
        for child in below.iter().rev() {
            let value = match child {
                Below::Token(token, value) => {
                    let node = node(*token, *value, 1);
                    evaluator.node_by(&self.arms, &node, &mut self.stack).ok()?
                }
                Below::Drawing(bounds) => {
                    let (mark, drawing) = evaluator.memory.parts.stand_in(*bounds);
                    marks.push(mark);
                    V::Drawing(drawing)
                }
            };
            self.stack.push(value);
        }
        marks.reverse();
        let node = node(production, 0, below.len() as u32 + 1);
        let value = evaluator.node_by(&self.arms, &node, &mut self.stack).ok()?;
        let V::Drawing(drawing) = value else {
            return None;
        };
        let parts = &self.memory.parts;
        let mut order: SmallVec<[(u32, (i32, i32)); 2]> = SmallVec::new();
        let mut plain = true;
        let walked = parts.walk(drawing, (0, 0), &mut self.visits, |region, map, at, _| {
            match marks.iter().position(|mark| *mark == region) {
                Some(which) if *map == IDENTITY => order.push((which as u32, at)),
                _ => plain = false,
            }
            Ok(())
        });
        walked.ok()?;
        let once = (0..marks.len() as u32)
            .all(|which| order.iter().filter(|(other, _)| *other == which).count() == 1);
        (plain && once).then(|| Laid {
            order,
            bounds: parts.bounds_of(drawing),
        })
    }

    /// Where the canvas puts a finished drawing of these bounds.
    pub fn canvas(&self, bounds: Bounds) -> (i32, i32) {
        match &self.grammar.canvas {
            Some(canvas) => centring(canvas, bounds),
            None => (0, 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::testing;

    /// Stand-ins of the bounds of parts go where the parts go.
    #[test]
    fn stand_ins_go_where_drawings_go() {
        for name in ["rainbow", "tinysvg"] {
            let all = testing::pictures();
            let compiled = all.iter().find(|c| c.grammar.name == name).unwrap();
            let grammar = &compiled.grammar;
            let arrange = grammar
                .production_ids()
                .find(|id| grammar.production(*id).name == "Arrange")
                .unwrap();
            let text = "(Arrange h (Rectangle 4 9 blue none 0) (Ellipse 2 3 red none 0) 5)";
            let program = compiled.parse(text).unwrap();
            let scene = crate::scene::eval::lower(grammar, &program).unwrap();
            let crate::scene::Content::Layers(layers) = &scene.content else {
                panic!("no layers");
            };
            let child = |at: usize| {
                let node = program.nodes()[at];
                Below::Token(node.production, node.value)
            };
            let half = |w: f64, h: f64| Bounds {
                x0: -w * 24.0 / 14.0,
                y0: -h * 24.0 / 14.0,
                x1: w * 24.0 / 14.0,
                y1: h * 24.0 / 14.0,
            };
            let mut probe = Probe::new(grammar);
            let below = [
                child(1),
                Below::Drawing(half(4.0, 9.0)),
                Below::Drawing(half(2.0, 3.0)),
                child(program.len() - 1),
            ];
            let laid = probe.lay(arrange, &below).unwrap();
            let (dx, dy) = probe.canvas(laid.bounds);
            let places: Vec<_> = laid
                .order
                .iter()
                .map(|(_, (x, y))| (x + dx, y + dy))
                .collect();
            let offsets: Vec<_> = layers.iter().map(|layer| layer.offset).collect();
            assert_eq!(places, offsets);
        }
    }
}
