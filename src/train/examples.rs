//! One training example after the other (paper sections 3.2.1 and 3.2.2).
//!
//! In: a compiled language, [`Options`], the number of an example. Out: [`Example`]. Afterwards its
//! edit is the first of an edit path from `start` to `target` (algorithm 1), so it can be applied,
//! its replacement is small, and `distance` such edits arrive.
//!
//! A target is drawn from the language's window. With probability rho the start is another random
//! program; otherwise it is the target after some mutations, their number uniform in a range. The
//! paper trains on rho = 0.2 and 1 to 5 steps.
//!
//! Noise can lead back to the target. Such a pair has no first edit, and search never asks for one
//! there because it has arrived, so the noise is drawn again. How the start comes about (fresh, or
//! so many steps) is decided before and kept; so the shares of the kinds stay exactly as asked for. A
//! target that no noise leaves, or that cannot be drawn, gives way to another one;
//! [`Example::redrawn`] counts both.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::compiled::Compiled;
use crate::grammar::inside::SizeError;
use crate::grammar::ir::{Grammar, MutateSpec, Observe, SampleSpec};
use crate::mutate::{self, Mutator};
use crate::render::coverage::Engine;
use crate::render::sketch::{SketchOptions, sketch};
use crate::render::{Picture, RenderError};
use crate::rewrite::Simplifier;
use crate::sample::{self, Filler, Rng, below, stream, unit};
use crate::scene::Live;
use crate::scene::eval::{NotDrawable, lower};
use crate::tree::diff::{Path, PathError, PathMode, PathScratch, check_small};
use crate::tree::{Edit, Node, Program};

/// Noise that is tried on a target before it gives way.
const NOISE: u32 = 16;
/// Targets that are tried before there is said to be no example.
const TARGETS: u32 = 64;

/// Which edit of a start is learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Labels {
    /// The first of an edit path to the target.
    #[default]
    Path,
    /// The one that undoes the last mutation (the paper's ablation "no reverse path"). A start that is no
    /// noised target has none; there it is the first of a path.
    LastStep,
}

/// What examples are like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// Seed of everything random.
    pub seed: u64,
    /// How targets and fresh starts are drawn.
    pub sample: SampleSpec,
    /// How noise is drawn; its sigma_small bounds the edits too.
    pub mutate: MutateSpec,
    /// Probability of a start that has nothing to do with the target.
    pub rho: f64,
    /// How many mutations make the other starts; each number is equally likely.
    pub steps: RangeInclusive<u32>,
    /// Which edit is the label.
    pub labels: Labels,
    /// What the edit path promises.
    pub mode: PathMode,
    /// Whether both programs are drawn, where the language has a canvas.
    pub pictures: bool,
    /// Whether the target's picture is what the language's `observe` setting makes of it, a sketch say.
    /// Without such a setting it changes nothing.
    pub observed: bool,
    /// Whether targets are brought into the form that all programs share which the language's
    /// rules prove equal: a picture then has fewer programs to learn.
    pub canonical: bool,
}

impl Options {
    /// The paper's: rho = 0.2, 1 to 5 steps, the language's own window and sigma_small, with
    /// pictures.
    pub fn of(compiled: &Compiled) -> Options {
        Options {
            seed: 0,
            sample: compiled.grammar.sample,
            mutate: compiled.grammar.mutate,
            rho: 0.2,
            steps: 1..=5,
            labels: Labels::Path,
            mode: PathMode::Plain,
            pictures: true,
            observed: false,
            canonical: false,
        }
    }
}

/// How a start came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Origin {
    /// A random program of its own.
    #[default]
    Fresh,
    /// The target after so many mutations.
    Noised(u32),
}

/// What a model learns from. A default one is an empty buffer for [`Maker::make_into`].
///
/// The tokens of a program are its nodes: token `i` is node `i`, a production and, for tokens of the
/// language, the index of a value. A label is a position in the start and the nodes that stand
/// there afterwards.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Example {
    /// Its number.
    pub index: u64,
    /// How the start came about.
    pub origin: Origin,
    /// The program that is looked for (z0).
    pub target: Program,
    /// The program that is to be edited (zt).
    pub start: Program,
    /// The label: the first edit on the way from start to target.
    pub edit: Edit,
    /// How many edits the way has; at least one. What a value network learns.
    pub distance: u32,
    /// The target's picture (x0), or what is observed of it; without pixels when pictures are not asked for or the language
    /// has none.
    pub target_picture: Picture,
    /// The start's picture (xt); like the target's.
    pub start_picture: Picture,
    /// Draws thrown away: noise that led back to the target, targets without noise, programs
    /// that cannot be drawn.
    pub redrawn: u32,
}

impl Example {
    /// The start's tokens, which the label's position counts.
    pub fn tokens(&self) -> &[Node] {
        self.start.nodes()
    }
}

/// Why there is no example.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ExampleError {
    /// The window has no program, or sigma_small is too large for the tables.
    #[error(transparent)]
    Size(#[from] SizeError),
    /// Edits this small do not lead everywhere.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A probability that is none.
    #[error("rho is a probability, not {0}")]
    Rho(f64),
    /// No number of noise steps.
    #[error("{0} to {1} noise steps: the first must be 1 at least, the last not below it")]
    Steps(u32, u32),
    /// Programs without pictures; what the last of them lacked.
    #[error("no program of {TARGETS} could be drawn; of the last: {0}")]
    NotDrawable(#[from] NotDrawable),
    /// Scenes without pictures; what the last of them lacked.
    #[error("no program of {TARGETS} could be drawn; of the last: {0}")]
    Render(#[from] RenderError),
    /// The language has too few programs.
    #[error("no program of {TARGETS} had another one to start from")]
    NoStart,
    /// A thread could not be started.
    #[error("no thread to make examples on: {0}")]
    NoThread(String),
    /// A thread broke off, which is a defect of tdc.
    #[error("a thread that makes examples has broken off")]
    BrokenOff,
}

/// Makes examples, keeping its buffers between them.
#[derive(Debug)]
pub struct Maker<'c> {
    options: Options,
    mutator: Mutator<'c>,
    /// There when targets are to be canonical and the language has rules.
    simplifier: Option<Simplifier<'c>>,
    studio: Option<Studio<'c>>,
    sample: sample::Scratch,
    mutate: mutate::Scratch,
    path: PathScratch,
    edit: Edit,
    /// The noise on the target; those in front count, the others are buffers.
    noise: Vec<Edit>,
    /// What undoes the last of them.
    undo: Edit,
}

/// Of the seed of pens.
const PEN: u64 = 0x70656e;

/// Where pictures are drawn. A start is mostly its target with a few edits, so it is drawn as that.
#[derive(Debug)]
struct Studio<'c> {
    live: Live<'c>,
    engine: Engine,
    grammar: &'c Grammar,
    /// How targets are observed, when they are.
    observe: Option<&'c Observe>,
}

impl Studio<'_> {
    /// Draws a program as a whole.
    fn draw(&mut self, program: &Program, out: &mut Picture) -> Result<(), ExampleError> {
        self.live.set(program)?;
        self.show(out)
    }

    /// Draws a program that is the one before with some edits.
    fn redraw(
        &mut self,
        edits: &[Edit],
        program: &Program,
        out: &mut Picture,
    ) -> Result<(), ExampleError> {
        if edits.iter().all(|edit| self.live.apply(edit).is_ok()) {
            return self.show(out);
        }
        // A program on the way cannot be drawn; perhaps this one can.
        self.draw(program, out)
    }

    fn show(&mut self, out: &mut Picture) -> Result<(), ExampleError> {
        let shown = self
            .engine
            .redraw(self.live.scene(), self.live.versions())?;
        (out.width, out.height, out.channels) = (shown.width, shown.height, shown.channels);
        out.data.clone_from(&shown.data);
        Ok(())
    }
}

impl<'c> Maker<'c> {
    /// A maker of a language's examples.
    ///
    /// # Errors
    ///
    /// When the options ask for what is not there.
    pub fn new(compiled: &'c Compiled, options: Options) -> Result<Maker<'c>, ExampleError> {
        if !(0.0..=1.0).contains(&options.rho) {
            return Err(ExampleError::Rho(options.rho));
        }
        let (first, last) = (*options.steps.start(), *options.steps.end());
        if first == 0 || last < first {
            return Err(ExampleError::Steps(first, last));
        }
        check_small(&compiled.grammar, options.mutate.small)?;
        let sampler = sample::Sampler::new(compiled, options.sample)?;
        let studio = if options.pictures && compiled.grammar.canvas.is_some() {
            Some(Studio {
                live: Live::new(&compiled.grammar)?,
                engine: Engine::new(),
                grammar: &compiled.grammar,
                observe: compiled
                    .grammar
                    .observe
                    .as_ref()
                    .filter(|_| options.observed),
            })
        } else {
            None
        };
        let simplifier = options.canonical.then(|| Simplifier::new(compiled));
        Ok(Maker {
            studio,
            simplifier: simplifier.filter(Simplifier::has_rules),
            mutator: Mutator::with_sampler(sampler, options.mutate)?,
            options,
            sample: sample::Scratch::default(),
            mutate: mutate::Scratch::default(),
            path: PathScratch::default(),
            edit: Edit::default(),
            noise: Vec::new(),
            undo: Edit::default(),
        })
    }

    /// The options.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Example `index` of the seed.
    ///
    /// # Errors
    ///
    /// As [`Maker::make_into`].
    pub fn make(&mut self, index: u64) -> Result<Example, ExampleError> {
        let mut out = Example::default();
        self.make_into(index, &mut out)?;
        Ok(out)
    }

    /// [`Maker::make`] into a used example: no allocation once its buffers have grown, unless
    /// targets are to be canonical.
    ///
    /// # Errors
    ///
    /// When many targets in a row have no other program to start from, or no picture. Then `out`
    /// holds nothing of use.
    pub fn make_into(&mut self, index: u64, out: &mut Example) -> Result<(), ExampleError> {
        let mut rng = stream(self.options.seed, index);
        out.index = index;
        out.redrawn = 0;
        out.origin = if unit(&mut rng) < self.options.rho {
            Origin::Fresh
        } else {
            let (first, last) = (*self.options.steps.start(), *self.options.steps.end());
            Origin::Noised(first + below(&mut rng, (last - first).saturating_add(1)))
        };
        let mut why = ExampleError::NoStart;
        for _ in 0..TARGETS {
            let sampler = self.mutator.sampler();
            sampler.sample_into(&mut self.sample, &mut rng, &mut out.target);
            if let Some(simplifier) = &self.simplifier {
                out.target = simplifier.canonical(&out.target);
            }
            if let Err(error) = self.draw_target(out) {
                why = error;
                out.redrawn += 1;
                continue;
            }
            for _ in 0..NOISE {
                if self.disturb(&mut rng, out) {
                    match self.draw_start(out) {
                        Ok(()) => {
                            self.label(&mut rng, out);
                            return Ok(());
                        }
                        Err(error) => why = error,
                    }
                }
                out.redrawn += 1;
            }
        }
        Err(why)
    }

    /// Makes the start; false when it is the target.
    fn disturb(&mut self, rng: &mut Rng, out: &mut Example) -> bool {
        let (sampler, layout) = (self.mutator.sampler(), self.mutator.sampler().layout());
        match out.origin {
            Origin::Fresh => sampler.sample_into(&mut self.sample, rng, &mut out.start),
            Origin::Noised(steps) => {
                out.start.clone_from(&out.target);
                let steps = steps as usize;
                if self.noise.len() < steps {
                    self.noise.resize_with(steps, Edit::default);
                }
                for edit in &mut self.noise[..steps] {
                    let scratch = &mut self.mutate;
                    if !self.mutator.propose_into(&out.start, scratch, rng, edit) {
                        return false;
                    }
                    if self.options.labels == Labels::LastStep {
                        self.undo.position = edit.position;
                        let old = &mut self.undo.replacement;
                        layout.extract_into(&out.start, edit.position, old);
                    }
                    layout.apply(&mut out.start, edit);
                }
            }
        }
        !layout.same(&out.start, 0, &out.target, 0)
    }

    fn draw_target(&mut self, out: &mut Example) -> Result<(), ExampleError> {
        let Some(studio) = &mut self.studio else {
            return Ok(());
        };
        studio.draw(&out.target, &mut out.target_picture)?;
        if let Some(observe) = studio.observe {
            // The generator is one of its own, so that the programs are those of plain pictures.
            let mut rng = stream(self.options.seed ^ PEN, out.index);
            let scene = lower(studio.grammar, &out.target)?;
            let pen = SketchOptions::draw(observe, &scene.canvas, &mut rng);
            out.target_picture = sketch(&scene, pen, &mut rng)?.picture();
        }
        Ok(())
    }

    /// Draws the start; the studio shows the target, and does so again after an error.
    fn draw_start(&mut self, out: &mut Example) -> Result<(), ExampleError> {
        let Some(studio) = &mut self.studio else {
            return Ok(());
        };
        let picture = &mut out.start_picture;
        let done = match out.origin {
            Origin::Fresh => studio.draw(&out.start, picture),
            Origin::Noised(steps) => {
                studio.redraw(&self.noise[..steps as usize], &out.start, picture)
            }
        };
        if done.is_err() {
            studio.live.set(&out.target)?;
        }
        done
    }

    /// Walks the path: its first edit and its length.
    fn label(&mut self, rng: &mut Rng, out: &mut Example) {
        let sampler = self.mutator.sampler();
        let mut path = Path::new_in(
            std::mem::take(&mut self.path),
            sampler.layout(),
            sampler.inside(),
            self.options.mutate.small,
            self.options.mode,
            &out.start,
            &out.target,
        );
        let mut fill = Filler::new_in(std::mem::take(&mut self.sample), sampler, rng);
        out.distance = 0;
        if path.propose(&mut fill, &mut out.edit) {
            out.distance = 1;
            path.apply(&out.edit);
        }
        while path.propose(&mut fill, &mut self.edit) {
            out.distance += 1;
            path.apply(&self.edit);
        }
        self.sample = fill.into_scratch();
        self.path = path.into_scratch();
        if self.options.labels == Labels::LastStep && out.origin != Origin::Fresh {
            out.edit.clone_from(&self.undo);
        }
    }
}
