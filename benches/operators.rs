//! Every operator on shipped languages and on one that only this benchmark has, for developers.
//!
//!     cargo bench --bench operators
//!     cargo bench --bench operators -- redraw
//!
//! One call of each is measured, on programs of the language's own window; `resvg` is the reference
//! for the same pictures in the same run. `tdc bench` measures the same for users.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path as File;
use std::sync::LazyLock;

use divan::Bencher;
use divan::counter::ItemsCount;
use tdc::Compiled;
use tdc::mutate::{self, Mutator};
use tdc::render::bits::{Bits, Target};
use tdc::render::coverage::Engine;
use tdc::render::{Picture, raster};
use tdc::sample::{self, Filler, seeded, stream};
use tdc::scene::eval::{Workspace, lower, lower_into};
use tdc::scene::{Live, Scene};
use tdc::train::{Example, Maker, Options};
use tdc::tree::diff::{Path, PathMode, PathScratch};
use tdc::tree::{Edit, Program};

fn main() {
    divan::main();
}

/// Languages with pictures.
const LANGUAGES: [&str; 6] = ["csg2d", "tinysvg", "rainbow", "mandala", "street", "plates"];
/// Programs of a language.
const PROGRAMS: usize = 256;
/// Edits of a program before the next one's turn.
const CHAIN: usize = 64;

/// A language and what is measured on.
struct Language {
    compiled: Compiled,
    programs: Vec<Program>,
    texts: Vec<String>,
    /// For some of the programs edits of them, one after another.
    chains: Vec<Vec<Edit>>,
}

static ALL: LazyLock<BTreeMap<&str, Language>> = LazyLock::new(|| {
    LANGUAGES
        .into_iter()
        .map(|name| (name, language(name)))
        .collect()
});

fn language(name: &str) -> Language {
    let root = File::new(env!("CARGO_MANIFEST_DIR"));
    let folder = if name == "plates" {
        "benches"
    } else {
        "grammars"
    };
    let path = root.join(folder).join(format!("{name}.tdg"));
    let compiled = Compiled::load(path).unwrap_or_else(|error| panic!("{error}"));
    let mutator = mutator(&compiled);
    let programs: Vec<Program> = (0..PROGRAMS as u64)
        .map(|item| mutator.sampler().sample(&mut stream(0, item)))
        .collect();
    let chains = programs.iter().take(32).zip(1u64..).map(|(program, seed)| {
        let (mut program, mut rng) = (program.clone(), seeded(seed));
        let mut edits = Vec::new();
        for _ in 0..CHAIN {
            let edit = mutator.propose(&program, &mut rng).expect("a mutation");
            mutator.sampler().layout().apply(&mut program, &edit);
            edits.push(edit);
        }
        edits
    });
    let chains = chains.collect();
    let texts = programs.iter().map(|p| compiled.print(p)).collect();
    drop(mutator);
    Language {
        compiled,
        programs,
        texts,
        chains,
    }
}

fn mutator(compiled: &Compiled) -> Mutator<'_> {
    Mutator::new(compiled, compiled.grammar.mutate).expect("a mutator")
}

/// Calls `operation` with 0, 1, 2 and so on.
fn count(bencher: Bencher<'_, '_>, mut operation: impl FnMut(usize)) {
    let mut at = 0;
    bencher.counter(ItemsCount::new(1usize)).bench_local(|| {
        operation(at);
        at += 1;
    });
}

#[divan::bench(args = LANGUAGES)]
fn sampling(bencher: Bencher<'_, '_>, name: &str) {
    let mutator = mutator(&ALL[name].compiled);
    let (mut scratch, mut out) = (sample::Scratch::default(), Program::default());
    let mut rng = seeded(1);
    count(bencher, |_| {
        mutator
            .sampler()
            .sample_into(&mut scratch, &mut rng, &mut out);
        black_box(&out);
    });
}

#[divan::bench(args = LANGUAGES)]
fn mutating(bencher: Bencher<'_, '_>, name: &str) {
    let language = &ALL[name];
    let mutator = mutator(&language.compiled);
    let (mut scratch, mut edit) = (mutate::Scratch::default(), Edit::default());
    let (mut rng, mut program) = (seeded(1), Program::default());
    count(bencher, |at| {
        if at % 8 == 0 {
            program.clone_from(&language.programs[at / 8 % PROGRAMS]);
        }
        if mutator.propose_into(&program, &mut scratch, &mut rng, &mut edit) {
            mutator.sampler().layout().apply(&mut program, &edit);
        }
        black_box(&program);
    });
}

#[divan::bench(args = LANGUAGES)]
fn paths(bencher: Bencher<'_, '_>, name: &str) {
    let language = &ALL[name];
    let mutator = mutator(&language.compiled);
    let sampler = mutator.sampler();
    let small = language.compiled.grammar.mutate.small;
    let (mut buffers, mut scratch) = (PathScratch::default(), sample::Scratch::default());
    let (mut rng, mut edit) = (seeded(1), Edit::default());
    count(bencher, |at| {
        let source = &language.programs[at % PROGRAMS];
        let target = &language.programs[(at + 1) % PROGRAMS];
        let mut path = Path::new_in(
            std::mem::take(&mut buffers),
            sampler.layout(),
            sampler.inside(),
            small,
            PathMode::Plain,
            source,
            target,
        );
        let mut fill = Filler::new_in(std::mem::take(&mut scratch), sampler, &mut rng);
        while path.propose(&mut fill, &mut edit) {
            path.apply(&edit);
        }
        scratch = fill.into_scratch();
        buffers = path.into_scratch();
    });
}

#[divan::bench(args = LANGUAGES)]
fn parsing(bencher: Bencher<'_, '_>, name: &str) {
    let language = &ALL[name];
    let (mut parser, mut out) = (language.compiled.parser(), Program::default());
    count(bencher, |at| {
        let done = parser.parse_into(&language.texts[at % PROGRAMS], &mut out);
        done.expect("the printer wrote it");
    });
}

#[divan::bench(args = LANGUAGES)]
fn printing(bencher: Bencher<'_, '_>, name: &str) {
    let language = &ALL[name];
    let (mut printer, mut text) = (language.compiled.printer(), String::new());
    count(bencher, |at| {
        text.clear();
        printer.print_into(&language.programs[at % PROGRAMS], &mut text);
    });
}

#[divan::bench(args = LANGUAGES)]
fn lowering(bencher: Bencher<'_, '_>, name: &str) {
    let Language {
        compiled, programs, ..
    } = &ALL[name];
    let mut workspace = Workspace::new();
    let mut scene = lower(&compiled.grammar, &programs[0]).expect("a scene");
    count(bencher, |at| {
        let program = &programs[at % PROGRAMS];
        lower_into(&mut workspace, &compiled.grammar, program, &mut scene).expect("a scene");
    });
}

fn scenes(language: &Language) -> Vec<Scene> {
    let grammar = &language.compiled.grammar;
    let scenes = language.programs.iter();
    scenes
        .map(|p| lower(grammar, p).expect("a scene"))
        .collect()
}

#[divan::bench(args = LANGUAGES)]
fn drawing(bencher: Bencher<'_, '_>, name: &str) {
    let scenes = scenes(&ALL[name]);
    let (mut engine, mut picture) = (Engine::new(), Picture::default());
    count(bencher, |at| {
        let scene = &scenes[at % PROGRAMS];
        engine.draw_into(scene, &mut picture).expect("a picture");
    });
}

#[divan::bench(args = LANGUAGES)]
fn drawing_by_resvg(bencher: Bencher<'_, '_>, name: &str) {
    let scenes = scenes(&ALL[name]);
    count(bencher, |at| {
        black_box(raster::rasterize(&scenes[at % PROGRAMS]).expect("a picture"));
    });
}

/// An edit made and drawn; every 64th time a whole program first, which counts.
fn edits(bencher: Bencher<'_, '_>, language: &Language, mut draw: impl FnMut(&Live<'_>)) {
    let mut live = Live::new(&language.compiled.grammar).expect("a canvas");
    count(bencher, |at| {
        let chain = at / CHAIN % language.chains.len();
        if at % CHAIN == 0 {
            live.set(&language.programs[chain]).expect("a scene");
        }
        live.apply(&language.chains[chain][at % CHAIN])
            .expect("a scene");
        draw(&live);
    });
}

#[divan::bench(args = LANGUAGES)]
fn edit_lowering(bencher: Bencher<'_, '_>, name: &str) {
    edits(bencher, &ALL[name], |live| {
        black_box(live.scene());
    });
}

#[divan::bench(args = LANGUAGES)]
fn edit_drawing(bencher: Bencher<'_, '_>, name: &str) {
    let mut engine = Engine::new();
    edits(bencher, &ALL[name], |live| {
        let picture = engine.redraw(live.scene(), live.versions());
        black_box(picture.expect("a picture"));
    });
}

fn bits(language: &Language) -> Bits {
    let grammar = &language.compiled.grammar;
    let scene = lower(grammar, &language.programs[0]).expect("a scene");
    let picture = Engine::new().draw(&scene).expect("a picture");
    Bits::new(Target::new(grammar, &picture)).expect("a canvas of this size")
}

#[divan::bench(args = LANGUAGES)]
fn bits_drawing(bencher: Bencher<'_, '_>, name: &str) {
    let scenes = scenes(&ALL[name]);
    let mut bits = bits(&ALL[name]);
    count(bencher, |at| {
        black_box(bits.draw(&scenes[at % PROGRAMS]).expect("a picture"));
    });
}

#[divan::bench(args = LANGUAGES)]
fn bits_edit_drawing(bencher: Bencher<'_, '_>, name: &str) {
    let mut bits = bits(&ALL[name]);
    edits(bencher, &ALL[name], |live| {
        black_box(bits.redraw(live).expect("a picture"));
    });
}

#[divan::bench(args = LANGUAGES)]
fn examples(bencher: Bencher<'_, '_>, name: &str) {
    let compiled = &ALL[name].compiled;
    let mut maker = Maker::new(compiled, Options::of(compiled)).expect("a maker");
    let mut example = Example::default();
    count(bencher, |at| {
        maker
            .make_into(at as u64, &mut example)
            .expect("an example");
    });
}
