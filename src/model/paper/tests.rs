//! That decoding is what training taught, legal, and the same for every number of threads.

use std::path::Path;

use candle_core::Tensor;

use super::*;
use crate::model::config::{DecoderConfig, Preset};
use crate::model::decode::{Decoder as _, Ranked, State};
use crate::model::ops::{Sight, on_threads};
use crate::model::tokens::mask::Walk;
use crate::render::Picture;
use crate::render::coverage::Engine;
use crate::sample::{Sampler, stream};
use crate::scene::eval::lower;
use crate::tree::edit::apply;
use crate::tree::{Edit, Program};

fn grammar(name: &str) -> Compiled {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    Compiled::load(root.join("grammars").join(format!("{name}.tdg"))).unwrap()
}

fn dots() -> Compiled {
    let text = "language dots\nuse std.shape.{disc}\nuse std.transform.{shift}\nstart A\n\
        canvas 16 x 16 ink\nsample size 1..=2\nmutate small 2\ntoken N = 0..=2\n\
        sort A { @primitive Dot = \"dot\" n:N m:N  Both = \"(\" a:A \"+\" b:A \")\" }\n\
        draw A -> Region { Dot => disc(2) |> shift(4 * n, 4 * m)  Both => a + b }\n";
    Compiled::from_text("dots", text).unwrap_or_else(|e| panic!("{e}"))
}

fn picture(compiled: &Compiled, program: &Program) -> Picture {
    let scene = lower(&compiled.grammar, program).unwrap();
    Engine::new().draw(&scene).unwrap().clone()
}

/// A small one with opinions: fresh weights find everything about as probable as anything else.
fn model(compiled: &Compiled, predicts: Predicts, context: usize) -> Paper {
    let tiny = Preset::Tiny.config();
    let config = Config {
        decoder: DecoderConfig {
            context,
            ..tiny.decoder
        },
        ..tiny
    };
    let about = About::new(compiled, predicts, "tiny", config).unwrap();
    let model = Paper::seeded(&about, 3).unwrap();
    for (name, var) in model.weights.names().iter().zip(model.weights.vars()) {
        if name.starts_with("decoder.") && var.rank() == 2 {
            var.set(&(var.as_tensor() * 4.0).unwrap()).unwrap();
        }
    }
    model
}

fn scores(of: &Decoder, hidden: &Tensor, rows: Vec<u32>) -> Vec<Vec<f32>> {
    of.scores(hidden, rows).unwrap().to_vec2().unwrap()
}

/// Sequences of several lengths, read up to somewhere, then token by token, the one faster than the other.
#[test]
fn what_is_cached_gives_the_scores_of_the_whole() {
    let csg2d = grammar("csg2d");
    let model = model(&csg2d, Predicts::Policy, 96);
    let Head::Tokens(transformer) = &model.head else {
        unreachable!()
    };
    let count = model.about.tokens as u32;
    let (batch, length) = (3usize, 20usize);
    let tokens: Vec<u32> = (0..(batch * length) as u32)
        .map(|at| (at * at * 7 + 3 * at) % count)
        .collect();
    let image = Tensor::arange(0.0f32, (batch * 48) as f32, &Device::Cpu).unwrap();
    let image = image.sin().unwrap().reshape((batch, 48)).unwrap();
    let whole = transformer.forward(&image, &tokens, length).unwrap();
    let whole = scores(transformer, &whole, (0..tokens.len() as u32).collect());
    let begun = [5, 12, 9];
    let read = 12;
    let front: Vec<u32> = tokens
        .chunks(length)
        .flat_map(|own| own[..read].to_vec())
        .collect();
    let (hidden, mut cache) = transformer.read(&image, &front, read).unwrap();
    let near = |own: &[f32], wanted: &[f32]| {
        for (own, wanted) in own.iter().zip(wanted) {
            assert!(
                (own - wanted).abs() < 1e-5 * wanted.abs().max(1.0),
                "{own} {wanted}"
            );
        }
    };
    let own = scores(transformer, &hidden, (0..front.len() as u32).collect());
    for (at, own) in own.iter().enumerate() {
        near(own, &whole[at / read * length + at % read]);
    }
    assert!(whole.iter().flatten().any(|score| score.abs() > 0.5));
    let mut rows: Vec<Vec<u32>> = vec![Vec::new(); batch];
    for round in 1.. {
        let (mut fed, mut at, mut of) = (Vec::new(), Vec::new(), Vec::new());
        for item in 0..batch {
            // One token in the first round, then two.
            for _ in 0..round.min(2) {
                let place = begun[item] + rows[item].len();
                if place < length {
                    rows[item].push((cache.rows() + fed.len()) as u32);
                    fed.push(tokens[item * length + place]);
                    at.push(place);
                    of.push((item, rows[item].len()));
                }
            }
        }
        if fed.is_empty() {
            break;
        }
        let sights: Vec<Sight<'_>> = of
            .iter()
            .map(|(item, seen)| Sight {
                first: cache.sequence(*item, begun[*item]),
                others: &rows[*item][..*seen],
            })
            .collect();
        let hidden = transformer.go_on(&mut cache, &fed, &at, &sights).unwrap();
        let own = scores(transformer, &hidden, (0..fed.len() as u32).collect());
        for ((own, (item, _)), place) in own.iter().zip(&of).zip(&at) {
            near(own, &whole[item * length + place]);
        }
    }
    assert!(transformer.go_on(&mut cache, &[1], &[96], &[]).is_err());
}

/// Every edit that walks lead to.
fn all_edits(model: &Paper, compiled: &Compiled, program: &Program) -> Vec<Edit> {
    let (vocabulary, bounds) = model.tongue(compiled, Predicts::Policy).unwrap();
    let mut open = vec![Walk::edit(&vocabulary, &bounds, program, 30)];
    let mut edits = Vec::new();
    while let Some(walk) = open.pop() {
        for token in walk.legal() {
            let mut next = walk.clone();
            next.push(token).unwrap();
            match next.is_done() {
                true => edits.push(next.finish().unwrap()),
                false => open.push(next),
            }
        }
    }
    edits
}

/// The logarithm of an edit's probability by the loss that training goes down.
fn trained(
    model: &Paper,
    compiled: &Compiled,
    state: &State<'_>,
    edit: &Edit,
    target: &[u8],
) -> f64 {
    let lesson = Lesson {
        index: 0,
        target: state.program,
        start: state.program,
        edit,
        on_path: false,
        distance: 1,
        target_picture: target,
        start_picture: state.picture,
    };
    paid(model, compiled, lesson)
}

/// The loss of one lesson, as the logarithm of its probability.
fn paid(model: &Paper, compiled: &Compiled, lesson: Lesson<'_>) -> f64 {
    let mut collator = model.about.collator(compiled).unwrap();
    let batch = collator.collate(&[lesson]).unwrap().batch.unwrap();
    let losses = model.loss(&batch).unwrap();
    -f64::from(losses.loss.to_scalar::<f32>().unwrap()) * losses.weight
}

#[test]
fn the_best_are_those_of_brute_force_by_the_loss_of_training() {
    let dots = dots();
    let model = model(&dots, Predicts::Policy, 40);
    let programs = ["(dot 1 2 + dot 2 0)", "dot 2 2"].map(|text| dots.parse(text).unwrap());
    let target = dots.parse("(dot 1 1 + dot 2 0)").unwrap();
    let pictures = [&programs[0], &programs[1], &target].map(|p| picture(&dots, p));
    let states: Vec<State<'_>> = programs
        .iter()
        .zip(&pictures)
        .map(|(program, picture)| State {
            program,
            picture: &picture.data,
        })
        .collect();
    let mut decoder = PaperDecoder::new(model.clone(), &dots).unwrap();
    assert!(matches!(
        decoder.best(&states, 1),
        Err(DecodeError::NoTarget)
    ));
    assert!(decoder.aim(&[0; 3]).is_err());
    decoder.aim(&pictures[2].data).unwrap();
    let best = decoder.best(&states, 1000).unwrap();
    // There are 9 + 81 programs of two dots at most; a number has 2 others.
    assert_eq!([best[0].len(), best[1].len()], [3 * 89 + 4 * 2, 89 + 2 * 2]);
    for (own, state) in best.iter().zip(&states) {
        let of = |edit| trained(&model, &dots, state, &edit, &pictures[2].data);
        let edits = all_edits(&model, &dots, state.program);
        let wanted: indexmap::IndexMap<Edit, f64> = edits
            .into_iter()
            .map(|edit| (edit.clone(), of(edit)))
            .collect();
        assert_eq!(wanted.len(), own.len());
        assert!(own.is_sorted_by(|a, b| a.1 >= b.1));
        for (edit, log) in own {
            assert!((log - wanted[edit]).abs() < 1e-4, "{log} {}", wanted[edit]);
        }
        // Opinions differ, so that an order by them is one.
        assert!(own[0].1 - own[own.len() - 1].1 > 1.0);
        let sum: f64 = own.iter().map(|(_, log)| libm::exp(*log)).sum();
        assert!((sum - 1.0).abs() < 1e-5, "{sum}");
    }
    // Fewer, alone: what a beam of this width keeps is the beginning here.
    let few = decoder.best(&states[1..], 20).unwrap();
    for (few, all) in few[0].iter().zip(&best[1]).take(5) {
        assert_eq!(few.0, all.0);
        assert!((few.1 - all.1).abs() < 1e-5);
    }
    assert_eq!(decoder.best(&states, 0).unwrap(), [vec![], vec![]]);
    // Samples come as often as they are likely.
    let drawn = decoder
        .sample(&states[1..], 2000, &mut stream(1, 2))
        .unwrap();
    assert_eq!(drawn[0].len(), 2000);
    for (edit, log) in &best[1] {
        let of = drawn[0].iter().filter(|(own, _)| own == edit);
        let logs: Vec<f64> = of.map(|(_, log)| *log).collect();
        assert!(logs.iter().all(|own| (own - log).abs() < 1e-5));
        let (wanted, found) = (2000.0 * libm::exp(*log), logs.len() as f64);
        let off = (found - wanted).abs() / libm::sqrt(wanted.max(1.0));
        assert!(off < 5.0, "{found} times, {wanted} expected");
    }
}

#[test]
fn every_language_that_draws_is_edited_legally_by_any_number_of_threads() {
    for name in ["csg2d", "tinysvg", "icons", "csg2d_sketch", "mandala"] {
        let compiled = grammar(name);
        let model = model(&compiled, Predicts::Policy, 128);
        let sampler = Sampler::new(&compiled, compiled.grammar.sample).unwrap();
        let mut rng = stream(7, 1);
        let programs: Vec<_> = (0..3).map(|_| sampler.sample(&mut rng)).collect();
        let pictures: Vec<_> = programs.iter().map(|p| picture(&compiled, p)).collect();
        let pairs = programs.iter().zip(&pictures);
        let states: Vec<State<'_>> = pairs
            .map(|(program, picture)| State {
                program,
                picture: &picture.data,
            })
            .collect();
        let ask = || {
            let mut decoder = PaperDecoder::new(model.clone(), &compiled).unwrap();
            decoder.aim(&pictures[0].data).unwrap();
            let best = decoder.best(&states, 4).unwrap();
            let drawn = decoder.sample(&states, 4, &mut stream(8, 1)).unwrap();
            [best, drawn]
        };
        let answers: [Vec<Ranked>; 2] = ask();
        for threads in [1, 2, 5] {
            assert_eq!(on_threads(threads, ask).unwrap(), answers, "{name}");
        }
        for answer in &answers {
            assert_eq!(answer.len(), 3);
            for (edits, state) in answer.iter().zip(&states) {
                assert_eq!(edits.len(), 4, "{name}");
                for (edit, log) in edits {
                    assert!(*log < 0.0 && log.is_finite(), "{name}");
                    let next = apply(&compiled.grammar, state.program, edit);
                    assert!(next.is_valid(&compiled.grammar), "{name}");
                    assert_ne!(&next, state.program, "{name}");
                    let small = compiled.grammar.mutate.small;
                    assert!(edit.replacement.size() <= small, "{name}");
                    let wanted = trained(&model, &compiled, state, edit, &pictures[0].data);
                    assert!(
                        (log - wanted).abs() < 1e-4 * wanted.abs().max(1.0),
                        "{name}"
                    );
                }
            }
        }
    }
}

#[test]
fn what_does_not_fit_has_no_edits_and_what_is_not_seen_changes_none() {
    let dots = dots();
    let programs = ["(dot 1 2 + dot 2 0)", "dot 2 2"].map(|text| dots.parse(text).unwrap());
    let pictures = [&programs[0], &programs[1]].map(|p| picture(&dots, p));
    let states: Vec<State<'_>> = (0..2)
        .map(|at| State {
            program: &programs[at],
            picture: &pictures[at].data,
        })
        .collect();
    // Seven tokens and EDIT, a place: one more is read, and a number is one that can be written.
    for (context, open) in [(2, 0), (8, 1), (10, 2)] {
        let mut own = model(&dots, Predicts::Policy, context);
        own.about.sees_current = false;
        let mut decoder = PaperDecoder::new(own, &dots).unwrap();
        decoder.aim(&pictures[1].data).unwrap();
        let best = decoder.best(&states, 3).unwrap();
        let full = best.iter().filter(|edits| !edits.is_empty()).count();
        assert_eq!(full, open, "{context}");
        let others = states.iter().map(|state| State {
            picture: &pictures[1].data,
            ..*state
        });
        let others: Vec<State<'_>> = others.collect();
        assert_eq!(decoder.best(&others, 3).unwrap(), best);
    }
    let value = model(&dots, Predicts::Value, 8);
    let error = PaperDecoder::new(value, &dots).unwrap_err().to_string();
    assert_eq!(
        error,
        "this model predicts numbers of edits, and was asked for what a model of edits says"
    );
    let policy = model(&dots, Predicts::Policy, 8);
    let error = PaperDecoder::new(policy, &grammar("csg2d"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("a model of dots was asked for csg2d"),
        "{error}"
    );
}

#[test]
fn a_frozen_model_answers_as_the_one_it_was() {
    let dots = dots();
    let model = model(&dots, Predicts::Policy, 40);
    let bytes = model.about.to_bytes(&model.weights).unwrap();
    let (about, stored) = About::from_bytes(Path::new("m"), &bytes).unwrap();
    let frozen = Paper::frozen(&about, stored).unwrap();
    assert_eq!(frozen.weights.count(), 0);
    let program = dots.parse("(dot 1 2 + dot 2 0)").unwrap();
    let picture = picture(&dots, &program);
    let state = [State {
        program: &program,
        picture: &picture.data,
    }];
    let [own, other] = [model, frozen].map(|model| {
        let mut decoder = PaperDecoder::new(model, &dots).unwrap();
        decoder.aim(&picture.data).unwrap();
        decoder.best(&state, 5).unwrap()
    });
    assert_eq!(own, other);
}

#[test]
fn whole_programs_are_written_with_the_probabilities_of_training() {
    let dots = dots();
    let model = model(&dots, Predicts::Autoregressive, 20);
    let target = dots.parse("(dot 1 1 + dot 2 0)").unwrap();
    let picture = picture(&dots, &target);
    let mut writer = Writer::new(model.clone(), &dots).unwrap();
    assert!(matches!(writer.best(1), Err(DecodeError::NoTarget)));
    assert!(writer.aim(&[0; 3]).is_err());
    writer.aim(&picture.data).unwrap();
    // All there are of two dots at most.
    let all = writer.best(1000).unwrap();
    assert_eq!(all.len(), 90);
    assert!(all.is_sorted_by(|a, b| a.1 >= b.1));
    let sum: f64 = all.iter().map(|(_, log)| libm::exp(*log)).sum();
    assert!((sum - 1.0).abs() < 1e-5, "{sum}");
    let nothing = Edit::default();
    for (program, log) in &all {
        assert!(program.is_valid(&dots.grammar));
        let lesson = Lesson {
            index: 0,
            target: program,
            start: program,
            edit: &nothing,
            on_path: false,
            distance: 1,
            target_picture: &picture.data,
            start_picture: &picture.data,
        };
        let wanted = paid(&model, &dots, lesson);
        assert!((log - wanted).abs() < 1e-4, "{log} {wanted}");
    }
    // More than are drawn at once, each as often as it is likely.
    let drawn = writer.sample(1000, &mut stream(3, 1)).unwrap();
    assert_eq!(drawn.len(), 1000);
    for (program, log) in &all {
        let found = drawn.iter().filter(|(own, _)| own == program).count() as f64;
        let wanted = 1000.0 * libm::exp(*log);
        let off = (found - wanted).abs() / libm::sqrt(wanted.max(1.0));
        assert!(off < 5.0, "{found} times, {wanted} expected");
    }
    let draw = || writer.sample(20, &mut stream(3, 2)).unwrap();
    let alone = draw();
    for threads in [1, 3] {
        assert_eq!(on_threads(threads, draw).unwrap(), alone);
    }
    // A model whose sequences end before any program does.
    let mut short = Writer::new(self::model(&dots, Predicts::Autoregressive, 3), &dots).unwrap();
    short.aim(&picture.data).unwrap();
    assert_eq!(short.sample(3, &mut stream(1, 1)).unwrap(), []);
    assert!(Writer::new(self::model(&dots, Predicts::Value, 8), &dots).is_err());
}

#[test]
fn programs_of_every_language_that_draws_can_be_written() {
    for name in ["csg2d", "tinysvg", "icons", "csg2d_sketch", "mandala"] {
        let compiled = grammar(name);
        let mut writer =
            Writer::new(model(&compiled, Predicts::Autoregressive, 96), &compiled).unwrap();
        let sampler = Sampler::new(&compiled, compiled.grammar.sample).unwrap();
        let target = sampler.sample(&mut stream(2, 1));
        writer.aim(&picture(&compiled, &target).data).unwrap();
        let best = writer.best(3).unwrap();
        let drawn = writer.sample(3, &mut stream(2, 2)).unwrap();
        assert_eq!([best.len(), drawn.len()], [3, 3], "{name}");
        for (program, log) in best.iter().chain(&drawn) {
            assert!(program.is_valid(&compiled.grammar), "{name}");
            assert!(program.size() <= compiled.grammar.sample.max, "{name}");
            assert!(*log < 0.0 && log.is_finite(), "{name}");
        }
    }
}

#[test]
fn scores_are_those_that_training_compares() {
    let csg2d = grammar("csg2d");
    let model = model(&csg2d, Predicts::Value, 96);
    let sampler = Sampler::new(&csg2d, csg2d.grammar.sample).unwrap();
    let programs: Vec<_> = (0..40)
        .map(|at| sampler.sample(&mut stream(5, at)))
        .collect();
    let pictures: Vec<_> = programs.iter().map(|p| picture(&csg2d, p)).collect();
    let target = &pictures[0].data[..];
    let mut scorer = Scorer::new(model.clone(), &csg2d).unwrap();
    // More than are looked at together, and one of them twice.
    let mut all: Vec<&[u8]> = pictures.iter().map(|p| &p.data[..]).collect();
    all.push(all[3]);
    assert!(matches!(scorer.score(&all), Err(DecodeError::NoTarget)));
    assert!(scorer.aim(&[0; 3]).is_err());
    scorer.aim(target).unwrap();
    let scores = scorer.score(&all).unwrap();
    assert_eq!(scores.len(), 41);
    assert_eq!(scores[40], scores[3]);
    let edit = Edit::default();
    for at in [0, 3, 35] {
        // The loss is the square of what lies between the score and the distance.
        for distance in [0u32, 5] {
            let lesson = Lesson {
                index: 0,
                target: &programs[0],
                start: &programs[at],
                edit: &edit,
                on_path: false,
                distance,
                target_picture: target,
                start_picture: all[at],
            };
            let off = scores[at] - f64::from(distance);
            assert!((off * off + paid(&model, &csg2d, lesson)).abs() < 1e-4);
        }
        let alone = scorer.score(&all[at..=at]).unwrap();
        assert!((alone[0] - scores[at]).abs() < 1e-5);
    }
    assert!(scorer.score(&[&[0; 3]]).is_err());
    assert!(scores.iter().any(|score| (score - scores[0]).abs() > 1e-3));
    assert_eq!(
        on_threads(2, || scorer.score(&all).unwrap()).unwrap(),
        scores
    );
    assert!(Scorer::new(self::model(&csg2d, Predicts::Policy, 8), &csg2d).is_err());
}
