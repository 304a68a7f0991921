//! The operators on pictures, each as it is used in a loop.
//!
//! In: a [`Pool`] of a language with a canvas. Out: calls a second. Afterwards every call has begun
//! with a program: its scene is part of what is measured.

use std::hint::black_box;
use std::time::Duration;

use super::clock::{Percentiles, rate, rate_of_rounds, single};
use super::pool::{CHAIN, Pool};
use crate::render::bits::{Bits, Target};
use crate::render::coverage::Engine;
use crate::render::{Picture, raster};
use crate::scene::Live;
use crate::scene::eval::{Workspace, lower_in, lower_into};

pub(super) fn scenes(pool: &Pool<'_>, time: Duration, from: usize) -> f64 {
    let (mut at, mut workspace) = (from, Workspace::new());
    let grammar = &pool.compiled.grammar;
    let Ok(mut scene) = lower_in(&mut workspace, grammar, pool.program(at)) else {
        return 0.0;
    };
    rate(time, &mut || {
        at += 1;
        let done = lower_into(&mut workspace, grammar, pool.program(at), &mut scene);
        drop(black_box(done));
        black_box(&scene);
    })
}

pub(super) fn renders(pool: &Pool<'_>, time: Duration, from: usize) -> f64 {
    let (mut at, mut workspace, mut engine) = (from, Workspace::new(), Engine::new());
    let mut picture = Picture::default();
    let grammar = &pool.compiled.grammar;
    let Ok(mut scene) = lower_in(&mut workspace, grammar, pool.program(at)) else {
        return 0.0;
    };
    rate(time, &mut || {
        at += 1;
        if lower_into(&mut workspace, grammar, pool.program(at), &mut scene).is_ok() {
            drop(black_box(engine.draw_into(&scene, &mut picture)));
            black_box(&picture);
        }
    })
}

/// A program that is drawn again after each of its chain's edits.
struct Redraw<'p, 'c> {
    pool: &'p Pool<'c>,
    at: usize,
    live: Live<'c>,
    engine: Engine,
}

impl<'p, 'c> Redraw<'p, 'c> {
    /// `None` where there are no chains, because programs run out of mutations.
    fn new(pool: &'p Pool<'c>, at: usize) -> Option<Redraw<'p, 'c>> {
        let live = Live::new(&pool.compiled.grammar).ok()?;
        let engine = Engine::new();
        pool.chain(at)?;
        Some(Redraw {
            pool,
            at,
            live,
            engine,
        })
    }

    /// The next chain's program, drawn.
    fn begin(&mut self) {
        self.at += 1;
        if let Some((program, _)) = self.pool.chain(self.at) {
            drop(black_box(self.live.set(program)));
            self.draw();
        }
    }

    /// Makes an edit and draws.
    fn edit(&mut self, nth: usize) {
        if let Some((_, edits)) = self.pool.chain(self.at) {
            drop(black_box(self.live.apply(&edits[nth % CHAIN])));
            self.draw();
        }
    }

    fn draw(&mut self) {
        let (scene, versions) = (self.live.scene(), self.live.versions());
        black_box(self.engine.redraw(scene, versions).is_ok());
    }
}

pub(super) fn redraws(pool: &Pool<'_>, time: Duration, from: usize) -> f64 {
    let Some(mut redraw) = Redraw::new(pool, from) else {
        return 0.0;
    };
    let round = |redraw: &mut Redraw<'_, '_>| (0..CHAIN).for_each(|nth| redraw.edit(nth));
    rate_of_rounds(time, CHAIN, &mut redraw, Redraw::begin, round)
}

/// The times of single redraws after an edit.
pub(super) fn redraw_times(pool: &Pool<'_>, time: Duration) -> Option<Percentiles> {
    let mut redraw = Redraw::new(pool, 0)?;
    let times = single(time, CHAIN, &mut redraw, Redraw::begin, Redraw::edit);
    Some(times)
}

/// Bit planes against the picture of the pool's first program.
fn bits(pool: &Pool<'_>) -> Option<Bits> {
    let grammar = &pool.compiled.grammar;
    let scene = lower_in(&mut Workspace::new(), grammar, pool.program(0)).ok()?;
    let picture = Engine::new().draw(&scene).ok()?;
    Bits::new(Target::new(grammar, &picture)).ok()
}

pub(super) fn bits_renders(pool: &Pool<'_>, time: Duration, from: usize) -> f64 {
    let mut at = from;
    let live = Live::new(&pool.compiled.grammar).ok();
    let (Some(mut live), Some(mut bits)) = (live, bits(pool)) else {
        return 0.0;
    };
    rate(time, &mut || {
        at += 1;
        if live.set(pool.program(at)).is_ok() {
            drop(black_box(bits.redraw(&live)));
        }
    })
}

pub(super) fn bits_edits(pool: &Pool<'_>, time: Duration, from: usize) -> f64 {
    let live = Live::new(&pool.compiled.grammar).ok();
    let (Some(live), Some(bits), Some(_)) = (live, bits(pool), pool.chain(from)) else {
        return 0.0;
    };
    let mut state = (live, bits, from);
    let prepare = |(live, bits, at): &mut (Live<'_>, Bits, usize)| {
        *at += 1;
        if let Some((program, _)) = pool.chain(*at) {
            drop(black_box(live.set(program)));
            drop(black_box(bits.redraw(live)));
        }
    };
    let round = |(live, bits, at): &mut (Live<'_>, Bits, usize)| {
        if let Some((_, edits)) = pool.chain(*at) {
            for edit in edits {
                drop(black_box(live.apply(edit)));
                drop(black_box(bits.redraw(live)));
            }
        }
    };
    rate_of_rounds(time, CHAIN, &mut state, prepare, round)
}

pub(super) fn by_resvg(pool: &Pool<'_>, time: Duration, from: usize) -> f64 {
    let (mut at, mut workspace) = (from, Workspace::new());
    let grammar = &pool.compiled.grammar;
    rate(time, &mut || {
        at += 1;
        if let Ok(scene) = lower_in(&mut workspace, grammar, pool.program(at)) {
            drop(black_box(raster::rasterize(&scene)));
        }
    })
}
