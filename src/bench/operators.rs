//! The operators on programs, each as it is used in a loop: buffers are kept from one call to the
//! next.
//!
//! In: a [`Pool`]. Out: [`Figures`]. Afterwards every thread has gone through the pool from a place of
//! its own.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use super::clock::{Percentiles, rate};
use super::pool::Pool;
use super::{Figures, pictures};
use crate::mutate;
use crate::rewrite::Simplifier;
use crate::sample::{self, Filler, seeded};
use crate::train::{Example, Maker, Options, Stream, StreamOptions};
use crate::tree::diff::{Path, PathMode, PathScratch};
use crate::tree::{Edit, Program};

/// Measures one operator after the other, until it is told to stop.
pub(super) struct Run<'p, 'c> {
    pool: &'p Pool<'c>,
    time: Duration,
    progress: &'p mut dyn FnMut(&'static str) -> bool,
    stopped: bool,
}

impl<'p, 'c> Run<'p, 'c> {
    pub(super) fn new(
        pool: &'p Pool<'c>,
        time: Duration,
        progress: &'p mut dyn FnMut(&'static str) -> bool,
    ) -> Run<'p, 'c> {
        Run {
            pool,
            time,
            progress,
            stopped: false,
        }
    }

    /// Whether it was told to stop: figures are of no account then.
    pub(super) fn stopped(&self) -> bool {
        self.stopped
    }

    fn goes_on(&mut self, name: &'static str) -> bool {
        self.stopped = self.stopped || !(self.progress)(name);
        !self.stopped
    }

    /// The sum of an operator's rates over so many threads; 0 once stopped.
    fn run(&mut self, name: &'static str, threads: usize, of: Operator) -> f64 {
        if !self.goes_on(name) {
            return 0.0;
        }
        let (pool, time) = (self.pool, self.time);
        on_threads(threads, &|from| of(pool, time, from))
    }

    /// Every operator on so many threads.
    pub(super) fn measure(&mut self, threads: usize) -> Figures {
        let draws = self.pool.compiled.grammar.canvas.is_some();
        let mut figures = Figures {
            sample_per_s: self.run("sample", threads, samples),
            mutate_per_s: self.run("mutate", threads, mutations),
            path_per_s: self.run("path", threads, paths),
            parse_per_s: self.run("parse", threads, parses),
            print_per_s: self.run("print", threads, prints),
            ..Figures::default()
        };
        if !self.pool.compiled.rules.is_empty() {
            figures.simplify_per_s = Some(self.run("simplify", threads, simplifications));
        }
        if draws {
            figures.scene_per_s = Some(self.run("scene", threads, pictures::scenes));
            figures.render_per_s = Some(self.run("render", threads, pictures::renders));
            let redraw = self.run("edit_render", threads, pictures::redraws);
            figures.edit_render_per_s = Some(redraw);
            let bits = self.run("bits_render", threads, pictures::bits_renders);
            figures.bits_render_per_s = Some(bits);
            let bits = self.run("bits_edit", threads, pictures::bits_edits);
            figures.bits_edit_per_s = Some(bits);
            figures.resvg_per_s = Some(self.run("resvg", threads, pictures::by_resvg));
        }
        if self.goes_on("example") {
            figures.example_per_s = match threads {
                1 => examples(self.pool, self.time, 0),
                _ => streamed(self.pool, self.time, threads),
            };
        }
        figures
    }

    /// The times of single redraws on one core.
    pub(super) fn edit_redraw(&mut self) -> Option<Percentiles> {
        let draws = self.pool.compiled.grammar.canvas.is_some();
        let goes_on = draws && self.goes_on("edit_render");
        goes_on.then(|| pictures::redraw_times(self.pool, self.time))?
    }
}

/// An operator: calls a second, from a place in the pool.
pub(super) type Operator = fn(&Pool<'_>, Duration, usize) -> f64;

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

pub(super) fn samples(pool: &Pool<'_>, time: Duration, from: usize) -> f64 {
    let mut rng = seeded(pool.seed.wrapping_add(from as u64));
    let (mut scratch, mut out) = (sample::Scratch::default(), Program::default());
    let sampler = pool.sampler();
    rate(time, &mut || {
        sampler.sample_into(&mut scratch, &mut rng, &mut out);
        black_box(&out);
    })
}

pub(super) fn mutations(pool: &Pool<'_>, time: Duration, from: usize) -> f64 {
    let mut rng = seeded(pool.seed.wrapping_add(from as u64));
    let (mut scratch, mut edit) = (mutate::Scratch::default(), Edit::default());
    let (mut program, mut at) = (Program::default(), from);
    let layout = pool.sampler().layout();
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
            layout.apply(&mut program, &edit);
        }
        black_box(&program);
    })
}

pub(super) fn paths(pool: &Pool<'_>, time: Duration, from: usize) -> f64 {
    let mut rng = seeded(pool.seed.wrapping_add(from as u64));
    let (sampler, small) = (pool.sampler(), pool.compiled.grammar.mutate.small);
    let (layout, inside) = (sampler.layout(), sampler.inside());
    let (mut buffers, mut scratch) = (PathScratch::default(), sample::Scratch::default());
    let (mut edit, mut at) = (Edit::default(), from);
    rate(time, &mut || {
        let (source, target) = (pool.program(at), pool.program(at + 1));
        at += 1;
        let mode = PathMode::Plain;
        let lent = std::mem::take(&mut buffers);
        let mut path = Path::new_in(lent, layout, inside, small, mode, source, target);
        let mut fill = Filler::new_in(std::mem::take(&mut scratch), sampler, &mut rng);
        while path.propose(&mut fill, &mut edit) {
            path.apply(&edit);
        }
        black_box(&path);
        scratch = fill.into_scratch();
        buffers = path.into_scratch();
    })
}

pub(super) fn parses(pool: &Pool<'_>, time: Duration, from: usize) -> f64 {
    let mut parser = pool.compiled.parser();
    let (mut at, mut out) = (from, Program::default());
    rate(time, &mut || {
        at += 1;
        let done = parser.parse_into(pool.text(at), &mut out);
        debug_assert!(done.is_ok(), "the printer wrote it");
        black_box(&out);
    })
}

pub(super) fn prints(pool: &Pool<'_>, time: Duration, from: usize) -> f64 {
    let mut printer = pool.compiled.printer();
    let (mut at, mut text) = (from, String::new());
    rate(time, &mut || {
        at += 1;
        text.clear();
        printer.print_into(pool.program(at), &mut text);
        black_box(&text);
    })
}

pub(super) fn simplifications(pool: &Pool<'_>, time: Duration, from: usize) -> f64 {
    let simplifier = Simplifier::new(pool.compiled);
    let mut at = from;
    rate(time, &mut || {
        at += 1;
        black_box(simplifier.canonical(pool.program(at)));
    })
}

fn options(pool: &Pool<'_>) -> Options {
    Options {
        seed: pool.seed,
        sample: pool.sampler().spec(),
        ..Options::of(pool.compiled)
    }
}

/// Examples from a maker; 0 where the language has none.
pub(super) fn examples(pool: &Pool<'_>, time: Duration, from: usize) -> f64 {
    let Ok(mut maker) = Maker::new(pool.compiled, options(pool)) else {
        return 0.0;
    };
    let (mut example, mut index) = (Example::default(), from as u64);
    if maker.make_into(index, &mut example).is_err() {
        return 0.0;
    }
    rate(time, &mut || {
        index += 1;
        drop(black_box(maker.make_into(index, &mut example)));
        black_box(&example);
    })
}

/// Examples as a consumer gets them from so many threads.
pub(super) fn streamed(pool: &Pool<'_>, time: Duration, threads: usize) -> f64 {
    let how = StreamOptions {
        threads,
        ahead: 4 * threads,
        ..StreamOptions::default()
    };
    let compiled = Arc::new(pool.compiled.clone());
    let Ok(mut stream) = Stream::new(compiled, options(pool), &how) else {
        return 0.0;
    };
    if stream.next().is_err() {
        return 0.0;
    }
    let batches = rate(time, &mut || {
        black_box(stream.next().is_ok());
    });
    batches * how.batch as f64
}
