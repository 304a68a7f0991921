//! How long trained models take to answer: policies asked for edits of many states, the autoregressive model asked
//! for programs, the value asked for scores. On csg2d, on all threads.
//!
//!     cargo bench --bench decode -- [preset] [states] [edits of each]
//!
//! Weights are fresh, which takes as long as trained ones. Prints the milliseconds of the fastest of several calls, and what a
//! state costs.

use std::path::Path;
use std::time::Instant;

use tdc::Compiled;
use tdc::model::checkpoint::About;
use tdc::model::config::{Architecture, Preset};
use tdc::model::decode::{Decoder, State};
use tdc::model::learner::{Learner as _, Predicts};
use tdc::model::nodes::{NodesDecoder, Small};
use tdc::model::paper::{Paper, PaperDecoder, Scorer, Writer};
use tdc::render::Picture;
use tdc::render::coverage::Engine;
use tdc::sample::{Sampler, stream};
use tdc::scene::eval::lower;

const CALLS: usize = 5;

fn main() {
    // `cargo bench` adds flags of its own.
    let mut args = std::env::args().skip(1).filter(|arg| !arg.starts_with('-'));
    let preset = args.next().and_then(|name| Preset::named(&name));
    let preset = preset.unwrap_or(Preset::Small);
    let mut number = |or| args.next().and_then(|n| n.parse().ok()).unwrap_or(or);
    let (count, k): (usize, usize) = (number(16), number(8));

    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let csg2d = Compiled::load(root.join("grammars/csg2d.tdg")).expect("a language");
    let sampler = Sampler::new(&csg2d, csg2d.grammar.sample).expect("a window with programs");
    let mut rng = stream(1, 1);
    let programs: Vec<_> = (0..count).map(|_| sampler.sample(&mut rng)).collect();
    let draw = |program| -> Picture {
        let scene = lower(&csg2d.grammar, program).expect("a scene");
        Engine::new().draw(&scene).expect("a picture")
    };
    let pictures: Vec<Picture> = programs.iter().map(draw).collect();
    let target = draw(&sampler.sample(&mut rng)).data;
    let pairs = programs.iter().zip(&pictures);
    let states: Vec<State<'_>> = pairs
        .map(|(program, picture)| State {
            program,
            picture: &picture.data,
        })
        .collect();
    println!("{}: {count} states, {k} edits each", preset.name());

    if let Architecture::Nodes(config) = preset.architecture(Predicts::Policy) {
        let about = About::new(&csg2d, Predicts::Policy, preset.name(), config).expect("sizes");
        let small = Small::seeded(&about, &csg2d, 1).expect("a model");
        let mut decoder = NodesDecoder::new(small, &csg2d).expect("a policy");
        policy("nodes", &mut decoder, &target, &states, k);
    }
    // As files are opened: without a way back.
    let paper = |predicts| {
        let about = About::new(&csg2d, predicts, preset.name(), preset.config()).expect("sizes");
        let model = Paper::seeded(&about, 1).expect("a model");
        let bytes = about.to_bytes(model.weights()).expect("a file");
        let (about, stored) = About::from_bytes(Path::new("fresh"), &bytes).expect("a file");
        Paper::frozen(&about, stored).expect("a model")
    };
    let mut decoder = PaperDecoder::new(paper(Predicts::Policy), &csg2d).expect("a policy");
    policy("paper", &mut decoder, &target, &states, k);
    let mut writer = Writer::new(paper(Predicts::Autoregressive), &csg2d).expect("a writer");
    writer.aim(&target).expect("a target");
    let seconds = fastest(|| {
        writer.sample(count, &mut stream(3, 3)).expect("programs");
    });
    report("autoregressive, a program sampled", seconds, count);
    let mut scorer = Scorer::new(paper(Predicts::Value), &csg2d).expect("a value");
    scorer.aim(&target).expect("a target");
    let seen: Vec<&[u8]> = pictures.iter().map(|p| &p.data[..]).collect();
    let seconds = fastest(|| {
        scorer.score(&seen).expect("scores");
    });
    report("value, a score", seconds, count);
}

fn policy(name: &str, decoder: &mut dyn Decoder, target: &[u8], states: &[State<'_>], k: usize) {
    decoder.aim(target).expect("a target");
    let seconds = fastest(|| {
        decoder.best(states, k).expect("edits");
    });
    report(&format!("{name}, best"), seconds, states.len());
    let seconds = fastest(|| {
        decoder.sample(states, k, &mut stream(2, 2)).expect("edits");
    });
    report(&format!("{name}, sampled"), seconds, states.len());
}

fn fastest(mut call: impl FnMut()) -> f64 {
    let time = |_| {
        let start = Instant::now();
        call();
        start.elapsed().as_secs_f64()
    };
    (0..CALLS).map(time).fold(f64::INFINITY, f64::min)
}

fn report(what: &str, seconds: f64, count: usize) {
    let each = 1000.0 * seconds / count as f64;
    println!("{what}: {:.1} ms, {each:.2} ms a state", 1000.0 * seconds);
}
