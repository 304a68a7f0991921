//! The operators, each as it is used in a loop: buffers are kept from one call to the next.
//!
//! In: a pool of random programs. Out: [`Figures`]. Afterwards every thread has gone through the
//! pool from a place of its own.

use std::hint::black_box;
use std::time::Duration;

use super::Figures;
use super::clock::rate;
use crate::compiled::Compiled;
use crate::grammar::inside::SizeError;
use crate::mutate::{self, Mutator};
use crate::render::coverage::Engine;
use crate::render::raster;
use crate::sample::{self, Filler, Sampler, seeded, stream};
use crate::scene::eval::{Workspace, lower_in};
use crate::tree::diff::{Path, PathMode};
use crate::tree::print::print_into;
use crate::tree::{Edit, Program};

/// Programs in the pool.
const POOL: u64 = 2048;

/// Random programs and their texts.
pub(super) struct Pool<'c> {
    compiled: &'c Compiled,
    sampler: Sampler<'c>,
    mutator: Mutator<'c>,
    programs: Vec<Program>,
    texts: Vec<String>,
    seed: u64,
}

impl<'c> Pool<'c> {
    pub(super) fn new(compiled: &'c Compiled, seed: u64) -> Result<Pool<'c>, SizeError> {
        let sampler = Sampler::new(compiled, compiled.grammar.sample)?;
        let mutator = Mutator::new(compiled, compiled.grammar.mutate)?;
        let programs: Vec<Program> = (0..POOL)
            .map(|item| sampler.sample(&mut stream(seed, item)))
            .collect();
        Ok(Pool {
            compiled,
            texts: programs.iter().map(|p| compiled.print(p)).collect(),
            sampler,
            mutator,
            programs,
            seed,
        })
    }

    pub(super) fn mean(&self, of: impl Fn(&Program) -> usize) -> f64 {
        self.programs.iter().map(of).sum::<usize>() as f64 / self.programs.len() as f64
    }

    fn program(&self, at: usize) -> &Program {
        &self.programs[at % self.programs.len()]
    }
}

/// Measures every operator on so many threads, unless `progress` says to stop.
pub(super) fn measure(
    pool: &Pool<'_>,
    time: Duration,
    threads: usize,
    progress: &mut dyn FnMut(&'static str) -> bool,
) -> Option<Figures> {
    let mut run = |name: &'static str, operation: &(dyn Fn(usize) -> f64 + Sync)| {
        progress(name).then(|| on_threads(threads, operation))
    };
    let mut figures = Figures {
        sample_per_s: run("sample", &|from| samples(pool, time, from))?,
        mutate_per_s: run("mutate", &|from| mutations(pool, time, from))?,
        path_per_s: run("path", &|from| paths(pool, time, from))?,
        parse_per_s: run("parse", &|from| parses(pool, time, from))?,
        print_per_s: run("print", &|from| prints(pool, time, from))?,
        ..Figures::default()
    };
    if pool.compiled.grammar.canvas.is_some() {
        figures.scene_per_s = Some(run("scene", &|from| scenes(pool, time, from))?);
        figures.render_per_s = Some(run("render", &|from| renders(pool, time, from))?);
        figures.resvg_per_s = Some(run("resvg", &|from| by_resvg(pool, time, from))?);
    }
    Some(figures)
}

/// The sum over threads, each from its own place in the pool.
fn on_threads(threads: usize, operation: &(dyn Fn(usize) -> f64 + Sync)) -> f64 {
    if threads == 1 {
        return operation(0);
    }
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(move || operation(thread * 97)))
            .collect();
        all.into_iter()
            .filter_map(|thread| thread.join().ok())
            .sum()
    })
}

fn samples(pool: &Pool<'_>, time: Duration, from: usize) -> f64 {
    let mut rng = seeded(pool.seed.wrapping_add(from as u64));
    let (mut scratch, mut out) = (sample::Scratch::default(), Program::default());
    rate(time, &mut || {
        pool.sampler.sample_into(&mut scratch, &mut rng, &mut out);
        black_box(&out);
    })
    .0
}

fn mutations(pool: &Pool<'_>, time: Duration, from: usize) -> f64 {
    let mut rng = seeded(pool.seed.wrapping_add(from as u64));
    let (mut scratch, mut edit) = (mutate::Scratch::default(), Edit::default());
    let (mut program, mut at) = (Program::default(), from);
    rate(time, &mut || {
        // Chains begin anew before programs have grown.
        if at % 8 == 0 {
            program.clone_from(pool.program(at / 8));
        }
        at += 1;
        if pool
            .mutator
            .propose_into(&program, &mut scratch, &mut rng, &mut edit)
        {
            pool.sampler.layout().apply(&mut program, &edit);
        }
        black_box(&program);
    })
    .0
}

fn paths(pool: &Pool<'_>, time: Duration, from: usize) -> f64 {
    let mut rng = seeded(pool.seed.wrapping_add(from as u64));
    let (layout, inside) = (pool.sampler.layout(), pool.sampler.inside());
    let small = pool.compiled.grammar.mutate.small;
    let mut edit = Edit::default();
    let mut at = from;
    rate(time, &mut || {
        let (source, target) = (pool.program(at), pool.program(at + 1));
        at += 1;
        let mut fill = Filler::new(&pool.sampler, &mut rng);
        let mut path = Path::new(layout, inside, small, PathMode::Plain, source, target);
        while path.propose(&mut fill, &mut edit) {
            path.apply(&edit);
        }
        black_box(path.current());
    })
    .0
}

fn parses(pool: &Pool<'_>, time: Duration, from: usize) -> f64 {
    let mut parser = pool.compiled.parser();
    let mut at = from;
    rate(time, &mut || {
        at += 1;
        drop(black_box(parser.parse(&pool.texts[at % pool.texts.len()])));
    })
    .0
}

fn prints(pool: &Pool<'_>, time: Duration, from: usize) -> f64 {
    let (grammar, syntax) = (&pool.compiled.grammar, &pool.compiled.syntax);
    let (mut at, mut text) = (from, String::new());
    rate(time, &mut || {
        at += 1;
        text.clear();
        print_into(grammar, syntax, pool.program(at), &mut text);
        black_box(&text);
    })
    .0
}

fn scenes(pool: &Pool<'_>, time: Duration, from: usize) -> f64 {
    let (mut at, mut workspace) = (from, Workspace::new());
    rate(time, &mut || {
        at += 1;
        let scene = lower_in(&mut workspace, &pool.compiled.grammar, pool.program(at));
        drop(black_box(scene));
    })
    .0
}

fn renders(pool: &Pool<'_>, time: Duration, from: usize) -> f64 {
    let (mut at, mut workspace, mut engine) = (from, Workspace::new(), Engine::new());
    rate(time, &mut || {
        at += 1;
        let scene = lower_in(&mut workspace, &pool.compiled.grammar, pool.program(at));
        if let Ok(scene) = scene {
            drop(black_box(engine.draw(&scene)));
        }
    })
    .0
}

fn by_resvg(pool: &Pool<'_>, time: Duration, from: usize) -> f64 {
    let (mut at, mut workspace) = (from, Workspace::new());
    rate(time, &mut || {
        at += 1;
        let scene = lower_in(&mut workspace, &pool.compiled.grammar, pool.program(at));
        if let Ok(scene) = scene {
            drop(black_box(raster::rasterize(&scene)));
        }
    })
    .0
}
