//! From a program to its scene, by the grammar's draw arms.
//!
//! In: a checked grammar and a program of it. Out: [`Scene`]. Afterwards every number is finite
//! and of magnitude at most 1e6, and placements of drawings are whole pixels, half a pixel rounded
//! away from zero. The time is linear in the program; nothing recurs on its depth. Drawing is a
//! catamorphism: a node's value depends on its subtree only.

use super::affine;
use super::interpret::{Evaluator, Memory};
use super::parts::{Finish, Steps};
use super::value::V;
use super::{Bounds, Content, RegionId, Scene};
use crate::grammar::ir::{Canvas, CanvasMode, Grammar};
use crate::grammar::scalar::whole;
use crate::tree::Program;

/// Operations allowed for a program, and for each of its nodes on top.
const MAX_STEPS: u64 = 50_000_000;
const STEPS_PER_NODE: u64 = 1000;

/// What drawing a program of so many nodes may cost.
pub(super) fn budget(nodes: usize) -> Steps {
    Steps::new(MAX_STEPS.saturating_add(STEPS_PER_NODE.saturating_mul(nodes as u64)))
}

/// Why a program has no picture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDrawable {
    /// The grammar has no `canvas`.
    #[error("the language has no `canvas`, so its programs are not pictures")]
    NoCanvas,
    /// The start sort has no `draw` arms, or not of the kind the canvas shows.
    #[error("the start sort does not draw what the canvas shows")]
    NoDraw,
    /// The draw code does too much: chains of functions that call others several times.
    #[error("drawing this program takes more than {0} steps")]
    TooMuchWork(u64),
    /// The picture has too many parts: drawings that hold others several times, nested.
    #[error("the picture has more than {0} parts")]
    TooManyParts(usize),
}

/// The scene of a program. For many programs keep a [`Workspace`] and use [`lower_in`].
pub fn lower(grammar: &Grammar, program: &Program) -> Result<Scene, NotDrawable> {
    lower_in(&mut Workspace::new(), grammar, program)
}

/// Memory that is kept from one program to the next.
#[derive(Debug, Default)]
pub struct Workspace {
    /// Values of the subtrees whose parent is still to come, the next in preorder on top.
    values: Vec<V>,
    memory: Memory,
    finish: Finish,
}

impl Workspace {
    /// An empty workspace.
    pub fn new() -> Workspace {
        Workspace::default()
    }
}

/// The scene of a program, reusing the workspace's memory. Programs of different grammars may
/// share one.
pub fn lower_in(
    workspace: &mut Workspace,
    grammar: &Grammar,
    program: &Program,
) -> Result<Scene, NotDrawable> {
    let canvas = grammar.canvas.as_ref().ok_or(NotDrawable::NoCanvas)?;
    let mut scene = Scene {
        canvas: canvas.clone(),
        regions: Vec::new(),
        content: match canvas.mode {
            CanvasMode::Ink => Content::Ink(RegionId(0)),
            CanvasMode::Rgb { .. } => Content::Layers(Vec::new()),
        },
    };
    lower_into(workspace, grammar, program, &mut scene)?;
    Ok(scene)
}

/// [`lower_in`] into a used scene, of any grammar: no allocation once the buffers have grown, but
/// for the points of polygons and lines.
///
/// # Errors
///
/// As [`lower_in`]. Then the scene holds nothing of use.
pub fn lower_into(
    workspace: &mut Workspace,
    grammar: &Grammar,
    program: &Program,
    scene: &mut Scene,
) -> Result<(), NotDrawable> {
    let canvas = grammar.canvas.as_ref().ok_or(NotDrawable::NoCanvas)?;
    workspace.values.clear();
    workspace.memory.clear(false);
    std::mem::swap(&mut workspace.finish.regions, &mut scene.regions);
    workspace.finish.clear();
    let nodes = program.nodes();
    let mut evaluator = Evaluator {
        grammar,
        texts: program.texts(),
        memory: &mut workspace.memory,
        steps: budget(nodes.len()),
        failed: None,
    };
    // Children come after their parent in preorder, so from the back they come first.
    for node in nodes.iter().rev() {
        let value = evaluator.node(node, &mut workspace.values)?;
        workspace.values.push(value);
    }
    let mut steps = evaluator.steps;
    let root = workspace.values.pop().ok_or(NotDrawable::NoDraw)?;

    let (parts, finish) = (&mut workspace.memory.parts, &mut workspace.finish);
    let bounds = match root {
        V::Region(region) if canvas.centred => parts.region_bounds(region, &mut steps)?,
        V::Drawing(drawing) => parts.bounds_of(drawing),
        _ => Bounds::EMPTY,
    };
    let offset = centring(canvas, bounds);
    match (root, canvas.mode) {
        (V::Region(region), CanvasMode::Ink) => {
            let by = affine::shift(f64::from(offset.0), f64::from(offset.1));
            scene.content = Content::Ink(parts.finish(region, &by, finish)?);
        }
        (V::Drawing(drawing), CanvasMode::Rgb { .. }) => {
            let mut layers = match &mut scene.content {
                Content::Layers(layers) => std::mem::take(layers),
                Content::Ink(_) => Vec::new(),
            };
            let done = parts.layers(drawing, offset, finish, &mut layers);
            scene.content = Content::Layers(layers);
            done?;
        }
        _ => return Err(NotDrawable::NoDraw),
    }
    scene.canvas.clone_from(canvas);
    std::mem::swap(&mut finish.regions, &mut scene.regions);
    Ok(())
}

/// By how many whole pixels a finished drawing of these bounds is moved to its place on the canvas.
pub(super) fn centring(canvas: &Canvas, bounds: Bounds) -> (i32, i32) {
    if !canvas.centred || !bounds.is_finite() {
        return (0, 0);
    }
    let (x, y) = bounds.center();
    (
        whole(f64::from(canvas.width) / 2.0 - x),
        whole(f64::from(canvas.height) / 2.0 - y),
    )
}
