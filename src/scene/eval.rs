//! From a program to its scene, by the grammar's draw arms.
//!
//! In: a checked grammar and a program of it. Out: [`Scene`]. Afterwards every number is finite
//! and of magnitude at most 1e6, and placements of drawings are whole pixels. The time is linear
//! in the program; nothing recurs on its depth.

use super::Scene;
use crate::grammar::ir::Grammar;
use crate::tree::Program;

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
pub struct Workspace {}

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
    let _ = (workspace, program);
    let _ = grammar.canvas.as_ref().ok_or(NotDrawable::NoCanvas)?;
    Err(NotDrawable::NoDraw)
}
