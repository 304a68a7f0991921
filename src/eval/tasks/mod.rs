//! The paper's test sets, for any picture language (section 4, appendix D).
//!
//! In: a compiled picture language, [`Options`]. Out: [`TaskSet`]. Afterwards every task's program
//! draws its picture, no picture or target is blank, no two tasks share a picture, and the same options give the
//! same set on every machine of 64 bits (on others LZ4 packs differently).
//!
//! An *ordinary* set is made of random programs as they come. A *hard* one takes those whose pictures
//! are at the 95th percentile or above in incompressibility: a picture's complexity is the number of
//! bytes that LZ4 makes of its pixels (a byte each for ink, three for colour), and the percentile is
//! taken over a pool of [`POOL`] drawings a task. Languages with `observe` are seen through it: then
//! the observed picture is the task, and the true one is kept beside it.

pub mod files;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use crate::compiled::Compiled;
use crate::compiled::fingerprint::Fingerprint;
use crate::grammar::inside::SizeError;
use crate::render::coverage::Engine;
use crate::render::sketch::{SketchOptions, sketch};
use crate::render::{Picture, RenderError, raster};
use crate::sample::{Sampler, stream};
use crate::scene::eval::{Workspace, lower_in};
use crate::tree::Program;

/// Drawings in the pool of a hard set for each of its tasks: a twentieth is at or above the 95th
/// percentile.
pub const POOL: usize = 20;
/// Drawings in the pool of a hard set at least: the percentile of a few is chance.
pub const LEAST_POOL: usize = 4096;
/// Share of the pool below the threshold.
pub const PERCENTILE: f64 = 0.95;
/// Most tasks of a set.
pub const MOST: usize = 1_000_000;
/// Programs are drawn so many times as often as needed before there is said to be no more.
const PATIENCE: usize = 50;
/// Sketches have random numbers of their own: this is mixed into the seed.
const SKETCH: u64 = 0x736b_6574_6368_6573;

/// Which pictures a set takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// As they come.
    Ordinary,
    /// The hardest twentieth.
    Hard,
}

/// What a set is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Which pictures.
    pub kind: Kind,
    /// How many tasks.
    pub count: usize,
    /// Seed of everything random.
    pub seed: u64,
    /// Sizes of programs, least and greatest, instead of the language's own window.
    pub window: Option<(u32, u32)>,
}

/// Why there is no set.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TaskError {
    /// Programs that draw nothing.
    #[error("the grammar has no `canvas` and no `draw`: its programs have no pictures to solve")]
    NoCanvas,
    /// The window has no program.
    #[error(transparent)]
    Size(#[from] SizeError),
    /// More than [`MOST`], or none.
    #[error("a set has 1 to {MOST} tasks, not {0}")]
    Count(usize),
    /// The language has too few pictures.
    #[error(
        "only {found} of {wanted} tasks after {drawn} random programs: the others had no picture, \
         a blank one, or one that was there already"
    )]
    TooFew {
        /// Tasks that were found.
        found: usize,
        /// Tasks that were asked for.
        wanted: usize,
        /// Programs that were drawn.
        drawn: u64,
    },
    /// A picture that could not be drawn after all.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// Ctrl-C.
    #[error("stopped")]
    Stopped,
}

/// A picture, and a program that draws it.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Its number in the run of random programs.
    pub draw: u64,
    /// The program.
    pub program: Program,
    /// What it draws: the reference picture.
    pub picture: Picture,
    /// What a solver sees of it, where the language has `observe`.
    pub observed: Option<Picture>,
    /// Bytes that LZ4 makes of the picture.
    pub lz4_bytes: usize,
}

impl Task {
    /// What a solver is given.
    pub fn target(&self) -> &Picture {
        self.observed.as_ref().unwrap_or(&self.picture)
    }
}

/// A set of tasks.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskSet {
    /// The tasks, in the order in which they were drawn.
    pub tasks: Vec<Task>,
    /// What was asked for.
    pub options: Options,
    /// Sizes of programs, least and greatest.
    pub window: (u32, u32),
    /// Drawings in the pool; 0 for an ordinary set.
    pub pool: usize,
    /// Least LZ4 bytes of a task; 0 for an ordinary set.
    pub threshold: usize,
    /// Of programs, pictures, goal: names the set.
    pub fingerprint: String,
}

/// Makes a set. `tell` hears how far it is, of 1000.
///
/// # Errors
///
/// When the language has no pictures, or too few; when `interrupt` was set.
pub fn make(
    compiled: &Compiled,
    options: Options,
    interrupt: &AtomicBool,
    tell: &mut dyn FnMut(u64),
) -> Result<TaskSet, TaskError> {
    let canvas = compiled.grammar.canvas.as_ref();
    let canvas = canvas.ok_or(TaskError::NoCanvas)?;
    if options.count == 0 || options.count > MOST {
        return Err(TaskError::Count(options.count));
    }
    let mut spec = compiled.grammar.sample;
    if let Some((min, max)) = options.window {
        (spec.min, spec.max) = (min, max);
    }
    let blank = Picture::blank(canvas);
    let mut maker = Maker {
        compiled,
        sampler: Sampler::new(compiled, spec)?,
        seed: options.seed,
        blank,
        workspace: Workspace::new(),
        engine: Engine::new(),
        picture: Picture::default(),
        interrupt,
    };
    let (mut pool, mut threshold) = (0, 0);
    let mut known = Vec::new();
    let wanted_pool = (options.count * POOL).max(LEAST_POOL);
    // A hard set spends most of its time on the pool.
    let mut from = 0;
    if options.kind == Kind::Hard {
        known = maker.pool(wanted_pool, &mut |done| tell(done * 9 / 10))?;
        from = 900;
        pool = known.len();
        threshold = percentile(&known);
    }
    let drawn_for_pool = known.last().map_or(0, |(draw, _)| draw + 1);
    let in_pool = known.iter().filter(|(_, bytes)| *bytes >= threshold);
    let most = (options.count.max(pool) * PATIENCE) as u64;
    let candidates = in_pool
        .map(|(draw, _)| *draw)
        .chain(drawn_for_pool..most.max(drawn_for_pool));
    let mut tasks: Vec<Task> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut drawn = 0;
    for draw in candidates {
        if tasks.len() == options.count {
            break;
        }
        maker.check()?;
        drawn = draw + 1;
        let Some((program, bytes)) = maker.draw(draw) else {
            continue;
        };
        if bytes < threshold || !seen.insert(maker.name_of_picture()) {
            continue;
        }
        let task = maker.task(draw, program, bytes)?;
        // An outline may lie outside the canvas altogether: then there is nothing to go by.
        if *task.target() == maker.blank {
            continue;
        }
        tasks.push(task);
        tell(from + (1000 - from) * tasks.len() as u64 / options.count as u64);
    }
    if tasks.len() < options.count {
        return Err(TaskError::TooFew {
            found: tasks.len(),
            wanted: options.count,
            drawn: drawn.max(most),
        });
    }
    Ok(TaskSet {
        fingerprint: fingerprint(compiled, &options, &tasks),
        tasks,
        options,
        window: (spec.min, spec.max),
        pool,
        threshold,
    })
}

/// The complexity that a share of [`PERCENTILE`] of the pool does not reach.
fn percentile(pool: &[(u64, usize)]) -> usize {
    let mut bytes: Vec<usize> = pool.iter().map(|(_, bytes)| *bytes).collect();
    bytes.sort_unstable();
    let at = (PERCENTILE * bytes.len() as f64).floor() as usize;
    bytes.get(at).copied().unwrap_or(0)
}

fn fingerprint(compiled: &Compiled, options: &Options, tasks: &[Task]) -> String {
    let grammar = &compiled.grammar;
    let mut fingerprint = Fingerprint::new();
    fingerprint.add(grammar.name.as_bytes());
    fingerprint.add(format!("{:?} {:?}", options.kind, grammar.goal).as_bytes());
    for task in tasks {
        fingerprint.add(compiled.print(&task.program).as_bytes());
        fingerprint.add(&task.picture.data);
        fingerprint.add(&task.target().data);
    }
    fingerprint.finish()
}

/// Draws the programs of a seed, one by one.
struct Maker<'c> {
    compiled: &'c Compiled,
    sampler: Sampler<'c>,
    seed: u64,
    blank: Picture,
    workspace: Workspace,
    engine: Engine,
    /// What was drawn last.
    picture: Picture,
    interrupt: &'c AtomicBool,
}

impl Maker<'_> {
    fn check(&self) -> Result<(), TaskError> {
        match self.interrupt.load(Ordering::Relaxed) {
            true => Err(TaskError::Stopped),
            false => Ok(()),
        }
    }

    /// The program of a number and the complexity of its picture; `None` when there is no picture
    /// or a blank one.
    fn draw(&mut self, draw: u64) -> Option<(Program, usize)> {
        let program = self.sampler.sample(&mut stream(self.seed, draw));
        let scene = lower_in(&mut self.workspace, &self.compiled.grammar, &program).ok()?;
        self.engine.draw_into(&scene, &mut self.picture).ok()?;
        if self.picture == self.blank {
            return None;
        }
        let bytes = lz4_flex::block::compress(&self.picture.data).len();
        Some((program, bytes))
    }

    /// Numbers and complexities of the first so many pictures that are not blank.
    fn pool(
        &mut self,
        count: usize,
        tell: &mut dyn FnMut(u64),
    ) -> Result<Vec<(u64, usize)>, TaskError> {
        let mut pool = Vec::new();
        let most = (count * PATIENCE) as u64;
        for draw in 0..most {
            self.check()?;
            if let Some((_, bytes)) = self.draw(draw) {
                pool.push((draw, bytes));
                tell(1000 * pool.len() as u64 / count as u64);
            }
            if pool.len() == count {
                return Ok(pool);
            }
        }
        Err(TaskError::TooFew {
            found: 0,
            wanted: count / POOL,
            drawn: most,
        })
    }

    /// Tells whether two pictures are the same one.
    fn name_of_picture(&self) -> String {
        let mut fingerprint = Fingerprint::new();
        fingerprint.add(&self.picture.data);
        fingerprint.finish()
    }

    fn task(&mut self, draw: u64, program: Program, lz4_bytes: usize) -> Result<Task, TaskError> {
        let grammar = &self.compiled.grammar;
        let lowered = lower_in(&mut self.workspace, grammar, &program);
        // It was drawn before, so it can be drawn.
        let scene = lowered.map_err(|error| RenderError::Reference(error.to_string()))?;
        let observed = match &grammar.observe {
            None => None,
            Some(observe) => {
                let rng = &mut stream(self.seed ^ SKETCH, draw);
                let pen = SketchOptions::draw(observe, &scene.canvas, rng);
                Some(sketch(&scene, pen, rng)?.picture())
            }
        };
        Ok(Task {
            draw,
            program,
            picture: raster::rasterize(&scene)?,
            observed,
            lz4_bytes,
        })
    }
}

#[cfg(test)]
mod tests;
