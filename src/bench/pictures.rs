//! The operators on pictures, each as it is used in a loop.
//!
//! In: a [`Pool`] of a language with a canvas. Out: calls a second. Afterwards every call has begun
//! with a program: its scene is part of what is measured.

use std::hint::black_box;
use std::time::Duration;

use super::clock::rate;
use super::pool::Pool;
use crate::render::coverage::Engine;
use crate::render::raster;
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
    let grammar = &pool.compiled.grammar;
    let Ok(mut scene) = lower_in(&mut workspace, grammar, pool.program(at)) else {
        return 0.0;
    };
    rate(time, &mut || {
        at += 1;
        if lower_into(&mut workspace, grammar, pool.program(at), &mut scene).is_ok() {
            drop(black_box(engine.draw(&scene)));
        }
    })
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
