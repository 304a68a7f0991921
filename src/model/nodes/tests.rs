//! What a network of nodes reads, what it is taught, and that it learns.

use std::path::Path;

use super::desk::Maker as Batches;
use super::*;
use crate::compiled::Compiled;
use crate::model::checkpoint::About;
use crate::model::config::{Architecture, NodesConfig, Preset};
use crate::model::learner::{Collator, Learner, Lesson, Predicts};
use crate::model::ops::{Adam, AdamOptions, Bags, flatten};
use crate::model::tokens::Vocabulary;
use crate::render::Picture;
use crate::render::coverage::Engine;
use crate::sample::{Sampler, stream};
use crate::scene::eval::lower;
use crate::tree::diff::{Path as EditPath, PathMode};
use crate::tree::edit::apply;
use crate::tree::{Edit, Program};

pub(super) fn grammar(name: &str) -> Compiled {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    Compiled::load(root.join("grammars").join(format!("{name}.tdg"))).unwrap()
}

pub(super) fn picture(compiled: &Compiled, program: &Program) -> Picture {
    let scene = lower(&compiled.grammar, program).unwrap();
    Engine::new().draw(&scene).unwrap().clone()
}

pub(super) fn about(compiled: &Compiled) -> About {
    let config = Preset::Tiny.architecture(Predicts::Policy);
    About::new(compiled, Predicts::Policy, "tiny", config).unwrap()
}

fn config() -> NodesConfig {
    match Preset::Tiny.architecture(Predicts::Policy) {
        Architecture::Nodes(config) => config,
        Architecture::Paper(_) => unreachable!(),
    }
}

/// A target, a start, the first edit of a path, and both pictures.
struct Example {
    target: Program,
    start: Program,
    edit: Edit,
    pictures: [Picture; 2],
}

fn examples(compiled: &Compiled, count: usize) -> Vec<Example> {
    let sampler = Sampler::new(compiled, compiled.grammar.sample).unwrap();
    let small = compiled.grammar.mutate.small;
    let mut out = Vec::new();
    for number in 0.. {
        let mut rng = stream(11, number);
        let (target, start) = (sampler.sample(&mut rng), sampler.sample(&mut rng));
        let mut filler = crate::sample::Filler::new(&sampler, &mut rng);
        let mode = PathMode::Plain;
        let (layout, inside) = (sampler.layout(), sampler.inside());
        let mut path = EditPath::new(layout, inside, small, mode, &start, &target);
        // Not right from the beginning, so that there are several places.
        let mut edit = Edit::default();
        for _ in 0..number % 4 {
            if path.propose(&mut filler, &mut edit) {
                path.apply(&edit);
            }
        }
        let start = path.current();
        if !path.propose(&mut filler, &mut edit) {
            continue;
        }
        let pictures = [&target, &start].map(|program| picture(compiled, program));
        out.push(Example {
            target,
            start,
            edit,
            pictures,
        });
        if out.len() == count {
            break;
        }
    }
    out
}

fn lessons(examples: &[Example]) -> Vec<Lesson<'_>> {
    let of = examples.iter().enumerate();
    of.map(|(index, e)| Lesson {
        index: index as u64,
        target: &e.target,
        start: &e.start,
        edit: &e.edit,
        on_path: true,
        distance: 1,
        target_picture: &e.pictures[0].data,
        start_picture: &e.pictures[1].data,
    })
    .collect()
}

fn batch(compiled: &Compiled, lessons: &[Lesson<'_>]) -> NodesBatch {
    let mut maker = Batches::new(&about(compiled), &config(), compiled).unwrap();
    let collated = maker.collate(lessons).unwrap();
    assert_eq!(collated.left_out, 0);
    collated.batch.unwrap()
}

#[test]
fn rows_say_what_a_node_is_and_where() {
    let csg2d = grammar("csg2d");
    let rows = Rows::new(Vocabulary::new(&csg2d, 96), 96, 32);
    let program = csg2d.parse("(+ (Circle 3 4 5) (Circle 3 4 6))").unwrap();
    let mut bags = Bags::default();
    let slots = rows.nodes(&program, &mut bags);
    assert_eq!((slots.len(), bags.ends.len()), (10, 10));
    // The two discs are different children, their radii the same child of the same production.
    assert_eq!(slots[0], 0);
    assert_ne!(slots[2], slots[6]);
    assert_eq!(slots[3..6], slots[7..10]);
    assert_eq!(
        slots
            .iter()
            .collect::<std::collections::BTreeSet<_>>()
            .len(),
        7
    );
    let most = bags.rows.iter().max().unwrap();
    assert!((*most as usize) < rows.sizes().node_rows());
    // A replacement is written into the slots that its nodes then have.
    let circle = csg2d.parse("(Circle 3 4 5)").unwrap();
    let mut tokens = Vec::new();
    rows.vocabulary.encode(&circle, &mut tokens);
    let mut pen = rows.pen(slots[2]);
    let mut written = Bags::default();
    for token in &tokens {
        rows.token(&pen, &mut written);
        rows.write(&mut pen, *token);
    }
    let words = rows.vocabulary.words() as u32;
    let own: Vec<u32> = written.rows.chunks(3).map(|row| row[1] - words).collect();
    assert_eq!(own, slots[2..6]);
    assert_eq!(written.rows[3], tokens[0]);
}

/// Every labelled place leads on: the edits at all of them are legal, and together they are all of the first ones.
#[test]
fn labels_are_all_first_edits() {
    let csg2d = grammar("csg2d");
    let target = csg2d.parse("(+ (Circle 3 4 5) (Circle 6 7 8))").unwrap();
    let start = csg2d.parse("(+ (Circle 2 4 9) (Circle 6 1 8))").unwrap();
    let edit = Edit {
        position: 3,
        replacement: csg2d.parse("(+ (Circle 3 4 5) (Circle 6 7 8))").unwrap(),
    };
    let mut edit = edit;
    let sampler = Sampler::new(&csg2d, csg2d.grammar.sample).unwrap();
    edit.replacement = sampler.layout().extract(&target, 3);
    let pictures = [&target, &start].map(|program| picture(&csg2d, program));
    let lesson = |on_path| Lesson {
        index: 0,
        target: &target,
        start: &start,
        edit: &edit,
        on_path,
        distance: 3,
        target_picture: &pictures[0].data,
        start_picture: &pictures[1].data,
    };
    let labels = batch(&csg2d, &[lesson(true), lesson(false)]).labels;
    let chosen = |from: usize| -> Vec<u32> {
        let ends = &labels.options.ends;
        let first = from.checked_sub(1).map_or(0, |before| ends[before]);
        let part = first as usize..ends[from] as usize;
        let pairs = labels.open[part.clone()]
            .iter()
            .zip(&labels.options.weights[part]);
        let right = pairs.filter(|(_, weight)| **weight > 0.0);
        right.map(|(place, _)| place - 10 * from as u32).collect()
    };
    assert_eq!(chosen(0), [3, 5, 8]);
    assert_eq!(chosen(1), [3]);
    assert!((labels.least - libm::log(3.0)).abs() < 1e-9);
    assert_eq!(labels.writing.at, [3, 5, 8, 13]);
    assert_eq!(labels.sequences, [3, 4]);
    let vocabulary = Vocabulary::new(&csg2d, 96);
    let written = |row: usize| vocabulary.describe(labels.targets.targets[row]);
    assert_eq!(
        [written(0), written(1), written(2)],
        ["Coord 3", "Coord 5", "Coord 7"]
    );
    // What stands there already is no choice.
    let words = vocabulary.words();
    let legal = labels.targets.legal.as_ref().unwrap();
    let open = legal[..words].iter().filter(|legal| **legal).count();
    assert_eq!(open, 15);
}

#[test]
fn every_weight_gets_a_gradient_in_every_language_that_draws() {
    for name in [
        "csg2d",
        "tinysvg",
        "icons",
        "csg2d_sketch",
        "rainbow",
        "street",
    ] {
        let compiled = grammar(name);
        let examples = examples(&compiled, 4);
        let batch = batch(&compiled, &lessons(&examples));
        let small = Small::seeded(&about(&compiled), &compiled, 1).unwrap();
        let losses = small.loss(&batch).unwrap();
        assert_eq!(losses.weight, 4.0);
        assert_eq!(
            (losses.counts.positions.of, losses.counts.wholes.of),
            (4, 4)
        );
        let loss = losses.loss.to_scalar::<f32>().unwrap();
        assert!(loss.is_finite() && loss > 0.5, "{name}: {loss}");
        let grads = losses.loss.backward().unwrap();
        let weights = small.weights();
        for (weight, var) in weights.names().iter().zip(weights.vars()) {
            let grad = grads
                .get(var)
                .unwrap_or_else(|| panic!("{name}: {weight} has none"));
            let grad: Vec<f32> = grad.flatten_all().unwrap().to_vec1().unwrap();
            let most = grad.iter().fold(0f32, |most, value| most.max(value.abs()));
            // What should be 0 is not quite, in f32.
            assert!(most > 1e-7, "{name}: the gradient of {weight} is {most}");
        }
    }
}

/// Nothing of a program gets into another one, whatever their lengths.
#[test]
fn a_batch_costs_what_its_parts_cost() {
    let csg2d = grammar("csg2d");
    let examples = examples(&csg2d, 5);
    let lessons = lessons(&examples);
    let small = Small::seeded(&about(&csg2d), &csg2d, 2).unwrap();
    let cost = |lessons: &[Lesson<'_>]| {
        let losses = small.loss(&batch(&csg2d, lessons)).unwrap();
        f64::from(losses.loss.to_scalar::<f32>().unwrap()) * losses.weight
    };
    let parts: f64 = lessons.iter().map(|l| cost(std::slice::from_ref(l))).sum();
    let whole = cost(&lessons);
    assert!((whole - parts).abs() < 1e-3, "{whole} {parts}");
}

#[test]
fn a_tiny_model_learns_a_batch_by_heart() {
    let csg2d = grammar("csg2d");
    let examples = examples(&csg2d, 6);
    let batch = batch(&csg2d, &lessons(&examples));
    let small = Small::seeded(&about(&csg2d), &csg2d, 3).unwrap();
    let options = AdamOptions {
        clip: Some(1.0),
        ..AdamOptions::default()
    };
    let vars = small.weights().vars();
    let mut adam = Adam::new(small.weights().count(), options);
    let mut flat = Vec::new();
    let mut loss = f32::NAN;
    for _ in 0..400 {
        let losses = small.loss(&batch).unwrap();
        loss = losses.loss.to_scalar().unwrap();
        if loss < 0.01 {
            assert_eq!(losses.counts.wholes.ratio(), Some(1.0));
            assert_eq!(losses.counts.positions.ratio(), Some(1.0));
            return;
        }
        flatten(vars, &losses.loss.backward().unwrap(), &mut flat).unwrap();
        assert!(adam.step(vars, &mut flat, 2e-3).unwrap().taken);
    }
    panic!("{loss} after 400 steps");
}

#[test]
fn what_is_too_long_is_left_out() {
    let csg2d = grammar("csg2d");
    let examples = examples(&csg2d, 6);
    let short = NodesConfig {
        context: 20,
        ..config()
    };
    let mut about = about(&csg2d);
    about.config = short.clone().into();
    let mut maker = Batches::new(&about, &short, &csg2d).unwrap();
    let collated = maker.collate(&lessons(&examples)).unwrap();
    let long = examples.iter().filter(|e| e.start.len() > 20).count();
    assert!(long > 0 && long < 6);
    assert_eq!(collated.left_out, long);
    assert_eq!(collated.batch.unwrap().input.ends.len(), 6 - long);
}

#[test]
fn other_architectures_are_refused() {
    let csg2d = grammar("csg2d");
    let paper = Preset::Tiny.config();
    let about = About::new(&csg2d, Predicts::Policy, "tiny", paper).unwrap();
    let error = Small::seeded(&about, &csg2d, 1).unwrap_err().to_string();
    assert!(error.contains("`nodes`"), "{error}");
    let about = super::tests::about(&csg2d);
    let error = crate::model::paper::Paper::seeded(&about, 1).unwrap_err();
    assert!(error.to_string().contains("`paper`"), "{error}");
}

/// The examples are what they say they are.
#[test]
fn examples_lead_on() {
    let csg2d = grammar("csg2d");
    for example in examples(&csg2d, 6) {
        let next = apply(&csg2d.grammar, &example.start, &example.edit);
        assert!(next.is_valid(&csg2d.grammar) && next != example.start);
    }
}
