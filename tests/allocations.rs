//! Operators allocate nothing once their buffers have grown.
//!
//! Every operator goes through the same items twice, with the same seeds; in the second turn no
//! memory may be asked for. What cannot do without says how much it may ask for: a text token is a
//! string of its own, a polygon and a line have points of their own.

#![allow(unsafe_code)] // an allocator cannot be written without

mod common;

use std::alloc::{GlobalAlloc, Layout as Memory, System};
use std::cell::Cell;

use common::shipped;
use tdc::Compiled;
use tdc::mutate::{self, Mutator};
use tdc::render::Picture;
use tdc::render::coverage::Engine;
use tdc::sample::{self, Filler, stream};
use tdc::scene::eval::{Workspace, lower, lower_into};
use tdc::scene::{Content, Paint, Region, Scene, Shape};
use tdc::train::{Example, Maker, Options};
use tdc::tree::diff::{Path, PathMode, PathScratch};
use tdc::tree::{Edit, Program};

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, counting by thread: what other tests do is not seen.
struct Counting;

fn count() {
    // A thread that is ending has no counter any more.
    let _ = COUNT.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: every call goes to the system's allocator as it is. Counting allocates nothing, because
// the counter needs neither a beginning nor an end.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, memory: Memory) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are the system's.
        unsafe { System.alloc(memory) }
    }

    unsafe fn alloc_zeroed(&self, memory: Memory) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(memory) }
    }

    unsafe fn realloc(&self, at: *mut u8, memory: Memory, size: usize) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.realloc(at, memory, size) }
    }

    unsafe fn dealloc(&self, at: *mut u8, memory: Memory) {
        // SAFETY: as above.
        unsafe { System.dealloc(at, memory) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Items of a turn.
const ITEMS: u64 = 400;

/// Allocations of the second turn through the items.
fn second_turn(mut operation: impl FnMut(u64)) -> u64 {
    (0..ITEMS).for_each(&mut operation);
    let before = COUNT.get();
    (0..ITEMS).for_each(&mut operation);
    COUNT.get() - before
}

fn programs(compiled: &Compiled) -> Vec<Program> {
    let mutator = mutator(compiled);
    (0..=ITEMS)
        .map(|item| mutator.sampler().sample(&mut stream(1, item)))
        .collect()
}

fn mutator(compiled: &Compiled) -> Mutator<'_> {
    Mutator::new(compiled, compiled.grammar.mutate).expect("a mutator")
}

/// Text tokens of programs, by which allocations are bounded.
fn texts<'p>(programs: impl IntoIterator<Item = &'p Program>) -> u64 {
    let counts = programs.into_iter().map(|program| program.texts().len());
    counts.sum::<usize>() as u64
}

#[test]
fn the_counter_counts() {
    assert_eq!(
        second_turn(|item| drop(std::hint::black_box(Box::new(item)))),
        ITEMS
    );
    let nothing = second_turn(|item| {
        std::hint::black_box(item);
    });
    assert_eq!(nothing, 0);
}

#[test]
fn sampling() {
    for (name, compiled) in shipped() {
        let mutator = mutator(&compiled);
        let (mut scratch, mut out) = (sample::Scratch::default(), Program::default());
        let mut drawn = 0;
        let count = second_turn(|item| {
            let mut rng = stream(1, item);
            mutator
                .sampler()
                .sample_into(&mut scratch, &mut rng, &mut out);
            drawn += out.texts().len() as u64;
        });
        assert!(count <= 8 * drawn, "{name}: {count} for {drawn} texts");
    }
}

#[test]
fn mutating() {
    for (name, compiled) in shipped() {
        let (mutator, programs) = (mutator(&compiled), programs(&compiled));
        let layout = mutator.sampler().layout();
        let (mut scratch, mut edit) = (mutate::Scratch::default(), Edit::default());
        let (mut program, mut drawn) = (Program::default(), 0);
        let count = second_turn(|item| {
            let mut rng = stream(2, item);
            program.clone_from(&programs[item as usize]);
            // So many that replacements are also drawn conditioned on being different.
            for _ in 0..20 {
                if mutator.propose_into(&program, &mut scratch, &mut rng, &mut edit) {
                    layout.apply(&mut program, &edit);
                    drawn += (program.texts().len() + edit.replacement.texts().len()) as u64;
                }
            }
        });
        assert!(count <= 8 * drawn, "{name}: {count} for {drawn} texts");
    }
}

#[test]
fn edit_paths() {
    for (name, compiled) in shipped() {
        let (mutator, programs) = (mutator(&compiled), programs(&compiled));
        let sampler = mutator.sampler();
        let (layout, inside) = (sampler.layout(), sampler.inside());
        let small = compiled.grammar.mutate.small;
        let (mut buffers, mut scratch) = (PathScratch::default(), sample::Scratch::default());
        let (mut edit, mut steps) = (Edit::default(), 0);
        let mut reached = Program::default();
        let count = second_turn(|item| {
            for mode in [PathMode::Plain, PathMode::Strict] {
                let mut rng = stream(3, item);
                let (source, target) = (&programs[item as usize], &programs[item as usize + 1]);
                let lent = std::mem::take(&mut buffers);
                let mut path = Path::new_in(lent, layout, inside, small, mode, source, target);
                let mut fill = Filler::new_in(std::mem::take(&mut scratch), sampler, &mut rng);
                while path.propose(&mut fill, &mut edit) {
                    path.apply(&edit);
                    steps += 1;
                }
                path.current_into(&mut reached);
                assert_eq!(reached, *target);
                scratch = fill.into_scratch();
                buffers = path.into_scratch();
            }
        });
        // Each text of the replacement and of the program, at most, at each step.
        let most = texts(&programs) / ITEMS + 1;
        let most = if texts(&programs) > 0 {
            16 * most * steps
        } else {
            0
        };
        assert!(count <= most, "{name}: {count} in {steps} steps");
    }
}

#[test]
fn parsing() {
    for (name, compiled) in shipped() {
        let programs = programs(&compiled);
        let written: Vec<String> = programs.iter().map(|p| compiled.print(p)).collect();
        let (mut parser, mut out) = (compiled.parser(), Program::default());
        let count = second_turn(|item| {
            let done = parser.parse_into(&written[item as usize], &mut out);
            done.unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(out, programs[item as usize]);
        });
        assert_eq!(count, texts(&programs[..ITEMS as usize]), "{name}");
    }
}

#[test]
fn printing() {
    for (name, compiled) in shipped() {
        let programs = programs(&compiled);
        let (mut printer, mut text) = (compiled.printer(), String::new());
        let count = second_turn(|item| {
            text.clear();
            printer.print_into(&programs[item as usize], &mut text);
        });
        assert_eq!(count, 0, "{name}");
    }
}

/// Shapes with points of their own.
fn pointed(scene: &Scene) -> u64 {
    let count = scene.regions.iter().filter(|region| match region {
        Region::Shape { shape, .. } => matches!(shape, Shape::Polygon(_) | Shape::Polyline { .. }),
        _ => false,
    });
    count.count() as u64
}

#[test]
fn scenes() {
    let mut bare = 0;
    for (name, compiled) in shipped() {
        if compiled.grammar.canvas.is_none() {
            continue;
        }
        let programs = programs(&compiled);
        let mut workspace = Workspace::new();
        let mut scene = lower(&compiled.grammar, &programs[0]).expect("a scene");
        let mut shapes = 0;
        let count = second_turn(|item| {
            let program = &programs[item as usize];
            lower_into(&mut workspace, &compiled.grammar, program, &mut scene).expect("a scene");
            shapes += pointed(&scene);
        });
        bare += u32::from(shapes == 0);
        assert!(count <= 4 * shapes, "{name}: {count} for {shapes} shapes");
    }
    assert!(bare >= 4, "grammars without polygons are among them");
}

#[test]
fn pictures() {
    for (name, compiled) in shipped() {
        if compiled.grammar.canvas.is_none() {
            continue;
        }
        let scenes: Vec<Scene> = programs(&compiled)
            .iter()
            .map(|program| lower(&compiled.grammar, program).expect("a scene"))
            .collect();
        let (mut engine, mut picture) = (Engine::new(), Picture::default());
        // The path along the outline of what is stroked is made anew.
        let mut strokes = 0;
        let count = second_turn(|item| {
            let scene = &scenes[item as usize];
            if let Content::Layers(layers) = &scene.content {
                let stroke = |paint| matches!(paint, Paint::Stroke { .. });
                strokes += layers.iter().filter(|layer| stroke(layer.paint)).count() as u64;
            }
            engine.draw_into(scene, &mut picture).expect("a picture");
        });
        assert!(count <= strokes, "{name}: {count} for {strokes} strokes");
    }
}

#[test]
fn training_examples() {
    for (name, compiled) in shipped() {
        let options = Options {
            pictures: false,
            ..Options::of(&compiled)
        };
        let mut maker = Maker::new(&compiled, options).expect("a maker");
        let (mut example, mut drawn) = (Example::default(), 0);
        let count = second_turn(|item| {
            maker.make_into(item, &mut example).expect("an example");
            drawn += texts([&example.target, &example.start]) * u64::from(example.distance + 6);
        });
        assert!(count <= 16 * drawn, "{name}: {count} for {drawn} texts");
    }
}
