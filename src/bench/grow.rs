//! How the cost of the operators grows with programs, canvases and threads.
//!
//! In: a compiled language, [`GrowthOptions`]. Out: [`Growth`], the time of an operation at each size
//! of program, width of canvas and number of threads. Afterwards all programs of a row have the same
//! size and are as balanced as the grammar lets them be: a node with several large children gives
//! each of them an equal share.

use std::hint::black_box;
use std::time::Duration;

use serde::Serialize;

use super::clock::{rate, rate_of_rounds};
use super::pool::{CHAIN, Pool, mutator};
use super::{operators, pictures};
use crate::compiled::Compiled;
use crate::grammar::ids::{NtId, ProdId};
use crate::grammar::inside::SizeError;
use crate::grammar::ir::{SampleSpec, SizeMetric};
use crate::render::coverage::Engine;
use crate::render::{Picture, raster};
use crate::sample::{Rng, Sampler, Scratch, below, stream};
use crate::scene::eval::{Workspace, lower_in};
use crate::scene::{Content, Live, Paint, Region, Scene};
use crate::tree::{Node, Program};

/// What is measured.
#[derive(Clone, Debug, PartialEq)]
pub struct GrowthOptions {
    /// Time for each figure.
    pub time: Duration,
    /// Sizes of programs, in what the grammar counts; those that do not exist are left out.
    pub sizes: Vec<u32>,
    /// Widths of canvases in pixels.
    pub widths: Vec<u32>,
    /// Numbers of threads.
    pub threads: Vec<usize>,
    /// Seed of the programs.
    pub seed: u64,
}

impl Default for GrowthOptions {
    /// 2 to 2000 primitives, 32 to 1024 pixels, one thread to all.
    fn default() -> GrowthOptions {
        let most = std::thread::available_parallelism().map_or(1, |n| n.get());
        let doubled = std::iter::successors(Some(1), |n| Some(n * 2));
        let mut threads: Vec<usize> = doubled.take_while(|n| *n < most).collect();
        threads.push(most);
        GrowthOptions {
            time: Duration::from_millis(300),
            sizes: vec![2, 8, 32, 128, 512, 2000],
            widths: vec![32, 64, 128, 256, 512, 1024],
            threads,
            seed: 0,
        }
    }
}

/// How cost grows. Times are microseconds of one operation on one core.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Growth {
    /// The language's name.
    pub language: String,
    /// By size of program.
    pub sizes: Vec<SizeRow>,
    /// By width of canvas; empty without a canvas.
    pub canvases: Vec<CanvasRow>,
    /// By number of threads.
    pub threads: Vec<ThreadRow>,
}

/// Programs of one size.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SizeRow {
    /// What the grammar counts.
    pub size: u32,
    /// Mean number of nodes.
    pub nodes: f64,
    /// Mean number of nodes from the root to the deepest leaf.
    pub depth: f64,
    /// Operators by name, in the order of the table, with microseconds.
    pub times: Vec<(&'static str, f64)>,
}

/// Canvases of one width; the pictures are those of the language's own window, larger or smaller.
/// Scenes are made before the clock starts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CanvasRow {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// A picture from scratch.
    pub render: f64,
    /// A picture after one edit.
    pub edit_render: f64,
    /// A picture by way of SVG and resvg.
    pub resvg: f64,
}

/// Examples from so many threads.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ThreadRow {
    /// Their number.
    pub threads: usize,
    /// Training examples a second.
    pub example_per_s: f64,
}

/// Measures; `progress` hears of each row before it is begun and says whether to go on.
///
/// # Errors
///
/// When the language's own sizes cannot be sampled.
pub fn grow(
    compiled: &Compiled,
    options: &GrowthOptions,
    mut progress: impl FnMut(&str) -> bool,
) -> Result<Option<Growth>, SizeError> {
    let mut growth = Growth {
        language: compiled.grammar.name.clone(),
        ..Growth::default()
    };
    for size in &options.sizes {
        if !progress(&format!("size {size}")) {
            return Ok(None);
        }
        growth.sizes.extend(at_size(compiled, options, *size));
    }
    let own = Pool::new(compiled, options.seed)?;
    let draws = compiled.grammar.canvas.is_some();
    for width in options.widths.iter().filter(|_| draws) {
        if !progress(&format!("width {width}")) {
            return Ok(None);
        }
        growth.canvases.extend(at_width(&own, options.time, *width));
    }
    for threads in &options.threads {
        if !progress(&format!("{threads} threads")) {
            return Ok(None);
        }
        growth.threads.push(ThreadRow {
            threads: *threads,
            example_per_s: operators::streamed(&own, options.time, *threads),
        });
    }
    Ok(Some(growth))
}

/// Number of rows that [`grow`] goes through at most, for a progress bar.
pub fn rows(options: &GrowthOptions) -> u64 {
    (options.sizes.len() + options.widths.len() + options.threads.len()) as u64
}

/// `None` when no program has this size.
fn at_size(compiled: &Compiled, options: &GrowthOptions, size: u32) -> Option<SizeRow> {
    let window = SampleSpec {
        min: size,
        max: size,
        ..compiled.grammar.sample
    };
    let mutator = mutator(compiled, window).ok()?;
    // Fewer of the large ones, and always more than fit into the nearest memory.
    let count = u64::from((20_000 / size.max(1)).clamp(16, 512));
    let programs: Vec<Program> = (0..count)
        .map(|item| balanced(mutator.sampler(), size, &mut stream(options.seed, item)))
        .collect();
    let depths = programs
        .iter()
        .map(|program| depth(mutator.sampler(), program));
    let depth = depths.sum::<usize>() as f64 / count as f64;
    let pool = Pool::of(compiled, mutator, programs, options.seed);
    let mut all: Vec<(&'static str, operators::Operator)> = vec![
        ("sample", operators::samples),
        ("mutate", operators::mutations),
        ("path", operators::paths),
        ("parse", operators::parses),
        ("print", operators::prints),
    ];
    if compiled.grammar.canvas.is_some() {
        all.push(("scene", pictures::scenes));
        all.push(("render", pictures::renders));
        all.push(("edit_render", pictures::redraws));
        all.push(("bits_render", pictures::bits_renders));
        all.push(("bits_edit", pictures::bits_edits));
    }
    let times = all
        .into_iter()
        .map(|(name, of)| (name, micros(of(&pool, options.time, 0))))
        .collect();
    Some(SizeRow {
        size,
        nodes: pool.mean(Program::len),
        depth,
        times,
    })
}

fn micros(rate: f64) -> f64 {
    1e6 / rate.max(f64::MIN_POSITIVE)
}

/// Sizes up to here are left to the sampler.
const LEAF: u32 = 4;

/// A random program of a size that exists, its large subtrees of equal sizes where the grammar has
/// productions for that.
fn balanced(sampler: &Sampler<'_>, size: u32, rng: &mut Rng) -> Program {
    let layout = sampler.layout();
    let (mut out, mut part) = (Program::default(), Program::default());
    let mut scratch = Scratch::default();
    let mut todo = vec![(layout.start(), size)];
    while let Some((nt, size)) = todo.pop() {
        let options: Vec<(ProdId, Vec<(NtId, u32)>)> = if size <= LEAF {
            Vec::new()
        } else {
            let all = &sampler.grammar().nonterminal(nt).productions;
            let shares = |id: &ProdId| Some((*id, shares(sampler, *id, size)?));
            all.iter().filter_map(shares).collect()
        };
        match options.get(below(rng, options.len() as u32) as usize) {
            Some((production, children)) => {
                out.nodes.push(Node {
                    production: *production,
                    value: 0,
                    len: 1,
                    size: 0,
                });
                todo.extend(children.iter().rev());
            }
            None => {
                sampler.sample_size_into(nt, size, &mut scratch, rng, &mut part);
                layout.append(&part, 0, &mut out);
            }
        }
    }
    layout.annotate(&mut out);
    out
}

/// The sizes of a production's children when those that can be large share `size` equally; `None`
/// when fewer than two can.
fn shares(sampler: &Sampler<'_>, id: ProdId, size: u32) -> Option<Vec<(NtId, u32)>> {
    let (layout, inside) = (sampler.layout(), sampler.inside());
    if layout.metric() == SizeMetric::Depth {
        return None;
    }
    let children = layout.children(id);
    let exists = |nt: NtId, size: u32| !inside.weight(nt, size).is_zero();
    let large = |nt: &NtId| exists(*nt, size / children.len().max(1) as u32);
    let count = children.iter().filter(|nt| large(nt)).count() as u32;
    if count < 2 {
        return None;
    }
    let small = children.iter().filter(|nt| !large(nt));
    let taken: u32 = small.filter_map(|nt| inside.least(*nt)).sum();
    let left = size.checked_sub(layout.cost(id) + taken)?;
    let mut nth = 0;
    children
        .iter()
        .map(|nt| {
            let size = if large(nt) {
                nth += 1;
                left / count + u32::from(nth <= left % count)
            } else {
                inside.least(*nt)?
            };
            exists(*nt, size).then_some((*nt, size))
        })
        .collect()
}

/// Nodes from the root to the deepest leaf.
fn depth(sampler: &Sampler<'_>, program: &Program) -> usize {
    let mut open: Vec<usize> = Vec::new();
    let mut most = 0;
    for node in program.nodes() {
        while open.last() == Some(&0) {
            open.pop();
        }
        if let Some(left) = open.last_mut() {
            *left -= 1;
        }
        open.push(sampler.layout().arity(node.production));
        most = most.max(open.len());
    }
    most
}

/// `None` when a program of the pool cannot be drawn.
fn at_width(pool: &Pool<'_>, time: Duration, width: u32) -> Option<CanvasRow> {
    let grammar = &pool.compiled.grammar;
    let factor = f64::from(width) / f64::from(grammar.canvas.as_ref()?.width);
    let mut workspace = Workspace::new();
    let scenes: Vec<Scene> = (0..128)
        .map(|at| {
            let scene = lower_in(&mut workspace, grammar, pool.program(at)).ok()?;
            Some(scaled(&scene, factor))
        })
        .collect::<Option<_>>()?;
    let (mut engine, mut picture, mut at) = (Engine::new(), Picture::default(), 0);
    let render = rate(time, &mut || {
        at += 1;
        black_box(
            engine
                .draw_into(&scenes[at % scenes.len()], &mut picture)
                .is_ok(),
        );
    });
    let resvg = rate(time, &mut || {
        at += 1;
        black_box(raster::rasterize(&scenes[at % scenes.len()]).is_ok());
    });
    Some(CanvasRow {
        width,
        height: scenes[0].canvas.height,
        render: micros(render),
        edit_render: micros(redraws(pool, time, factor)?),
        resvg: micros(resvg),
    })
}

/// Redraws of scenes that are scaled before the clock starts.
fn redraws(pool: &Pool<'_>, time: Duration, factor: f64) -> Option<f64> {
    struct State<'c> {
        live: Live<'c>,
        scene: Scene,
        engine: Engine,
        at: usize,
    }
    pool.chain(0)?;
    let live = Live::new(&pool.compiled.grammar).ok()?;
    let mut state = State {
        scene: live.scene().clone(),
        live,
        engine: Engine::new(),
        at: 0,
    };
    let draw = |state: &mut State<'_>| {
        black_box(
            state
                .engine
                .redraw(&state.scene, state.live.versions())
                .is_ok(),
        );
    };
    let prepare = |state: &mut State<'_>| {
        let (chain, nth) = (state.at / CHAIN, state.at % CHAIN);
        state.at += 1;
        let Some((program, edits)) = pool.chain(chain) else {
            return;
        };
        if nth == 0 {
            black_box(state.live.set(program).is_ok());
            state.scene = scaled(state.live.scene(), factor);
            draw(state);
        }
        black_box(state.live.apply(&edits[nth]).is_ok());
        state.scene = scaled(state.live.scene(), factor);
    };
    Some(rate_of_rounds(time, 1, &mut state, prepare, draw))
}

/// The same picture on a canvas that is `factor` times as wide and high.
fn scaled(scene: &Scene, factor: f64) -> Scene {
    let mut scene = scene.clone();
    let pixels = |length: u32| (f64::from(length) * factor).round().max(1.0) as u32;
    scene.canvas.width = pixels(scene.canvas.width);
    scene.canvas.height = pixels(scene.canvas.height);
    for region in &mut scene.regions {
        match region {
            Region::Shape { at, .. } => at.iter_mut().for_each(|x| *x *= factor),
            Region::Transform(_, at) => at[4..].iter_mut().for_each(|x| *x *= factor),
            _ => {}
        }
    }
    if let Content::Layers(layers) = &mut scene.content {
        let moved = |by: i32| (f64::from(by) * factor).round() as i32;
        for layer in layers {
            layer.offset = (moved(layer.offset.0), moved(layer.offset.1));
            if let Paint::Stroke { width, .. } = &mut layer.paint {
                *width *= factor;
            }
        }
    }
    scene
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::seeded;

    #[test]
    fn balanced_programs_have_their_size_and_are_shallow() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("grammars");
        for name in ["csg2d", "tinysvg", "json", "street"] {
            let compiled = Compiled::load(folder.join(format!("{name}.tdg"))).unwrap();
            for size in [4, 5, 64, 301] {
                let window = SampleSpec {
                    min: size,
                    max: size,
                    ..compiled.grammar.sample
                };
                let Ok(sampler) = Sampler::new(&compiled, window) else {
                    continue;
                };
                let program = balanced(&sampler, size, &mut seeded(3));
                assert_eq!(program.size(), size, "{name}");
                assert!(program.is_valid(&compiled.grammar), "{name}");
                if name == "csg2d" && size == 64 {
                    // 16 leaves of 4: four levels, in each at most three more, and a number.
                    assert!(depth(&sampler, &program) <= 4 + 4 + 1);
                }
            }
        }
    }

    #[test]
    fn scaling_by_whole_numbers_is_that_of_scenes() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("grammars");
        for name in ["csg2d", "street"] {
            let compiled = Compiled::load(folder.join(format!("{name}.tdg"))).unwrap();
            let pool = Pool::new(&compiled, 1).unwrap();
            let scene = crate::scene::eval::lower(&compiled.grammar, pool.program(0)).unwrap();
            assert_eq!(scaled(&scene, 3.0), scene.clone().scaled(3));
            assert_eq!(scaled(&scaled(&scene, 0.5), 2.0).canvas, scene.canvas);
        }
    }
}
