//! Scores against a picture: how far what a program draws is from the target.
//!
//! In: a target picture of the canvas's size, and programs. Out: distances in pixels. Afterwards
//! a score is the same for the same program, whatever was scored before.

// Only looked up by program, never walked through: order does not matter.
#[allow(clippy::disallowed_types)]
use std::collections::HashMap;

use crate::Compiled;
use crate::render::coverage::Engine;
use crate::render::{Picture, metric};
use crate::scene::eval::{Workspace, lower_in};
use crate::search::Value;
use crate::search::sketch::{FAR, Match, Sketch};
use crate::tree::Program;

/// Most scores remembered: beyond this all are forgotten and drawn again.
const REMEMBERED: usize = 1 << 16;

/// Sum of pixel differences, in pixels: 1 is one pixel entirely wrong.
pub struct Pixels<'a> {
    compiled: &'a Compiled,
    target: metric::Target,
    workspace: Workspace,
    engine: Engine,
    /// What was drawn last.
    picture: Picture,
    #[allow(clippy::disallowed_types)]
    known: HashMap<Program, f64>,
    renders: u64,
}

impl<'a> Pixels<'a> {
    /// Scores against `target`, which has the canvas's size and channels.
    pub fn new(compiled: &'a Compiled, target: &'a Picture) -> Pixels<'a> {
        Pixels {
            compiled,
            target: metric::Target::new(target.clone()),
            workspace: Workspace::new(),
            engine: Engine::new(),
            picture: Picture::filled(0, 0, target.channels, 0),
            #[allow(clippy::disallowed_types)]
            known: HashMap::new(),
            renders: 0,
        }
    }

    /// What a program draws; `None` when it draws nothing that can be shown.
    fn draw(&mut self, program: &Program) -> Option<&Picture> {
        self.renders += 1;
        let scene = lower_in(&mut self.workspace, &self.compiled.grammar, program).ok()?;
        self.engine.draw_into(&scene, &mut self.picture).ok()?;
        Some(&self.picture)
    }

    /// The sum of pixel differences, in pixels, and whether the goal is met.
    fn judge(&mut self, program: &Program) -> (f64, bool) {
        let worst = (2.0 * self.target.picture().pixels() as f64, false);
        let grammar = &self.compiled.grammar;
        let Ok(scene) = lower_in(&mut self.workspace, grammar, program) else {
            return worst;
        };
        let (target, picture) = (&self.target, &mut self.picture);
        if self.engine.draw_into(&scene, picture).is_err() {
            return worst;
        }
        let Some(sum) = target.difference_within(picture, u64::MAX) else {
            return worst;
        };
        let score = in_pixels(sum, picture);
        let Some(goal) = grammar.goal else {
            return (score, sum == 0);
        };
        // The engine's picture first, then the picture the goal is defined on.
        let solved = target.meets(&goal, picture)
            && crate::render::raster::rasterize(&scene)
                .is_ok_and(|picture| target.meets(&goal, &picture));
        (score, solved)
    }

    fn distance(&mut self, program: &Program) -> f64 {
        if let Some(score) = self.known.get(program) {
            return *score;
        }
        let drawn = self.draw(program).is_some();
        let sum = match drawn {
            true => self.target.difference_within(&self.picture, u64::MAX),
            false => None,
        };
        let score = match sum {
            Some(sum) => in_pixels(sum, &self.picture),
            // Not drawable: worse than any picture.
            None => 2.0 * self.target.picture().pixels() as f64,
        };
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        self.known.insert(program.clone(), score);
        score
    }
}

impl Value for Pixels<'_> {
    fn score(&mut self, states: &[&Program]) -> Vec<f64> {
        states.iter().map(|state| self.distance(state)).collect()
    }

    fn solved(&mut self, state: &Program, _score: f64) -> bool {
        self.judge(state).1
    }

    fn renders(&self) -> u64 {
        self.renders
    }
}

/// Looks at programs on the anti-aliased picture.
pub(super) enum Judge<'a> {
    /// Compares it with the target.
    Pixels(Box<Pixels<'a>>),
    /// Compares its outline with strokes.
    Strokes(Box<SketchValue<'a>>),
}

impl<'a> Judge<'a> {
    /// Judges by `target`, which has the canvas's size and channels.
    pub(super) fn new(compiled: &'a Compiled, target: &'a Picture) -> Judge<'a> {
        match compiled.grammar.observe {
            None => Judge::Pixels(Box::new(Pixels::new(compiled, target))),
            Some(_) => Judge::Strokes(Box::new(SketchValue::new(compiled, target))),
        }
    }

    /// The score, in pixels, and whether the goal is met.
    pub(super) fn judge(&mut self, program: &Program) -> (f64, bool) {
        match self {
            Judge::Pixels(pixels) => {
                pixels.renders += 1;
                pixels.judge(program)
            }
            Judge::Strokes(strokes) => strokes.judge(program),
        }
    }

    /// Programs looked at.
    pub(super) fn renders(&self) -> u64 {
        match self {
            Judge::Pixels(pixels) => pixels.renders,
            Judge::Strokes(strokes) => strokes.renders(),
        }
    }
}

/// The distance of an outline from the strokes of a sketch.
///
/// A sketch does not say what the picture is, so the goal cannot be tested on it. A program counts
/// as found when [`AGREE`] of its outline runs within [`NEAR`] pixels of a stroke, and as much of
/// the strokes' ink lies within as many pixels of its outline.
pub struct SketchValue<'a> {
    drawings: Pixels<'a>,
    sketch: Sketch,
}

impl Match {
    /// Whether outline and strokes agree.
    fn agrees(&self) -> bool {
        self.outline_near >= AGREE && self.strokes_near >= AGREE
    }
}

/// How far strokes stray from the outline they stand for, in pixels.
pub const NEAR: f64 = 3.0;
/// Share of outline and strokes that must be near each other.
pub const AGREE: f64 = 0.98;

impl<'a> SketchValue<'a> {
    /// Scores against the strokes of `target`, which has the canvas's size.
    pub fn new(compiled: &'a Compiled, target: &'a Picture) -> SketchValue<'a> {
        SketchValue {
            drawings: Pixels::new(compiled, target),
            sketch: Sketch::new(target),
        }
    }

    fn compare(&mut self, program: &Program) -> Option<Match> {
        let picture = self.drawings.draw(program)?;
        Some(self.sketch.compare(picture, NEAR))
    }

    /// The score, and whether outline and strokes agree.
    fn judge(&mut self, program: &Program) -> (f64, bool) {
        match self.compare(program) {
            Some(found) => (found.score, found.agrees()),
            // Not drawable: worse than any picture.
            None => {
                let pixels = self.drawings.target.picture().pixels() as f64;
                (2.0 * f64::from(FAR) * pixels, false)
            }
        }
    }
}

impl Value for SketchValue<'_> {
    fn score(&mut self, states: &[&Program]) -> Vec<f64> {
        states.iter().map(|state| self.judge(state).0).collect()
    }

    fn solved(&mut self, state: &Program, _score: f64) -> bool {
        self.judge(state).1
    }

    fn renders(&self) -> u64 {
        self.drawings.renders
    }
}

/// Sum of the differences of two pictures of the same shape, in pixels; the channels of a
/// pixel count a third each.
pub fn difference(a: &Picture, b: &Picture) -> f64 {
    in_pixels(metric::sum_of_differences(&a.data, &b.data), a)
}

/// A sum of differences of bytes in pixels.
pub(super) fn in_pixels(sum: u64, of: &Picture) -> f64 {
    sum as f64 / (255.0 * f64::from(of.channels))
}

/// How much of a target there is to get right, in pixels: its difference from the empty canvas.
pub fn weight(compiled: &Compiled, target: &Picture) -> f64 {
    match &compiled.grammar.canvas {
        Some(canvas) => difference(&Picture::blank(canvas), target),
        None => 0.0,
    }
}
