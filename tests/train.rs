//! Training examples, as the book promises them: the same for every number of threads, with labels
//! that lead to the target, in the shares that were asked for.

mod common;

use std::sync::Arc;

use common::{chi_square, grammar, parallel, shipped};
use tdc::Compiled;
use tdc::render::coverage::Engine;
use tdc::rewrite::Simplifier;
use tdc::sample::{Filler, stream};
use tdc::scene::eval::lower;
use tdc::train::{Example, ExampleError, Labels, Maker, Options, Origin, Stream, StreamOptions};
use tdc::tree::diff::{Path, PathMode};
use tdc::tree::{Edit, edit};

fn without_pictures(compiled: &Compiled, seed: u64) -> Options {
    Options {
        seed,
        pictures: false,
        ..Options::of(compiled)
    }
}

#[test]
fn a_stream_gives_the_same_examples_for_any_number_of_threads() {
    for (name, pictures) in [("csg2d", true), ("rainbow", true), ("json", false)] {
        let compiled = Arc::new(grammar(name));
        let options = Options {
            seed: 5,
            ..Options::of(&compiled)
        };
        // Each by a maker that has made nothing else.
        let alone: Vec<Example> = (40..100)
            .map(|index| {
                let mut maker = Maker::new(&compiled, options.clone()).expect("a maker");
                maker.make(index).expect("an example")
            })
            .collect();
        assert!(
            alone
                .iter()
                .all(|e| (e.start_picture.pixels() > 0) == pictures)
        );
        for (threads, batch, ahead) in [(1, 7, 1), (2, 1, 4), (5, 13, 3)] {
            let how = StreamOptions {
                threads,
                batch,
                ahead,
                first: 40,
            };
            let mut stream =
                Stream::new(Arc::clone(&compiled), options.clone(), &how).expect("a stream");
            let mut wanted = alone.as_slice();
            while !wanted.is_empty() {
                let given = &stream.next().expect("a batch").examples;
                assert_eq!(given.len(), batch);
                let both = batch.min(wanted.len());
                assert_eq!(given[..both], wanted[..both], "{name} {threads}");
                wanted = &wanted[both..];
            }
        }
    }
}

/// Goes on from an example's start by its label, then by the first edits of new paths.
fn arrives(maker: &Maker<'_>, compiled: &Compiled, example: &Example) -> usize {
    let sampler = tdc::sample::Sampler::new(compiled, maker.options().sample).expect("a sampler");
    let layout = sampler.layout();
    let (small, mode) = (maker.options().mutate.small, maker.options().mode);
    let mut current = example.start.clone();
    let mut edit = example.edit.clone();
    for step in 1.. {
        let old = layout.extract(&current, edit.position);
        assert!(edit.replacement.size() <= small, "{edit:?}");
        assert!(mode == PathMode::Plain || old.size() <= small, "{edit:?}");
        assert_ne!(old, edit.replacement);
        current = edit::apply(&compiled.grammar, &current, &edit);
        assert!(current.is_valid(&compiled.grammar), "{edit:?}");
        if current == example.target {
            return step;
        }
        let mut rng = stream(8, step as u64);
        let target = &example.target;
        let mut path = Path::new(layout, sampler.inside(), small, mode, &current, target);
        let mut next = Edit::default();
        assert!(path.propose(&mut Filler::new(&sampler, &mut rng), &mut next));
        edit = next;
        assert!(step <= example.start.len() + example.target.len());
    }
    unreachable!()
}

#[test]
fn labels_lead_to_the_target() {
    for (name, compiled) in shipped() {
        for mode in [PathMode::Plain, PathMode::Strict] {
            let options = Options {
                mode,
                ..without_pictures(&compiled, 1)
            };
            let mut maker = Maker::new(&compiled, options).expect("a maker");
            let mut example = Example::default();
            for index in 0..150 {
                maker.make_into(index, &mut example).expect("an example");
                assert_eq!(example.index, index, "{name}");
                assert_ne!(example.start, example.target);
                assert!(example.target.is_valid(&compiled.grammar));
                let window = compiled.grammar.sample;
                assert!((window.min..=window.max).contains(&example.target.size()));
                assert!(example.distance >= 1);
                assert!(example.edit.position < example.tokens().len());
                let steps = arrives(&maker, &compiled, &example);
                // Only what is filled in at random may make another way longer or shorter; a way of
                // one edit fills in nothing.
                assert_eq!(example.distance == 1, steps == 1, "{name}: {example:?}");
            }
        }
    }
}

#[test]
fn pictures_are_those_of_the_programs() {
    for name in ["csg2d", "tinysvg", "mandala"] {
        let compiled = grammar(name);
        let mut maker = Maker::new(&compiled, Options::of(&compiled)).expect("a maker");
        let mut example = Example::default();
        for index in 0..60 {
            maker.make_into(index, &mut example).expect("an example");
            for (program, picture) in [
                (&example.target, &example.target_picture),
                (&example.start, &example.start_picture),
            ] {
                let scene = lower(&compiled.grammar, program).expect("a scene");
                let drawn = Engine::new().draw(&scene).expect("a picture");
                assert!(*picture == drawn, "{name} {index}");
            }
        }
        let mut maker = Maker::new(&compiled, without_pictures(&compiled, 0)).expect("a maker");
        let bare = maker.make(59).expect("an example");
        assert_eq!(
            bare.start_picture.pixels() + bare.target_picture.pixels(),
            0
        );
        // Pictures take nothing from the random numbers.
        assert_eq!((&bare.start, &bare.edit), (&example.start, &example.edit));
    }
}

/// How many examples came from a fresh start, and from 2, 3 and 4 steps.
fn origins(compiled: &Compiled, n: u64) -> Vec<f64> {
    let rows = parallel(n, |range| {
        let options = Options {
            steps: 2..=4,
            ..without_pictures(compiled, 3)
        };
        let mut maker = Maker::new(compiled, options).expect("a maker");
        let (mut counts, mut example) = (vec![0.0; 4], Example::default());
        for index in range {
            maker.make_into(index, &mut example).expect("an example");
            counts[match example.origin {
                Origin::Fresh => 0,
                Origin::Noised(steps) => steps as usize - 1,
            }] += 1.0;
        }
        counts
    });
    (0..4)
        .map(|cell| rows.iter().map(|row| row[cell]).sum())
        .collect()
}

#[test]
fn origins_have_the_shares_asked_for() {
    // In the second language one draw in three leads back to the target, which must not show.
    let few = "language few\nstart A\nsample size 1..=2\nmutate small 1\n\
        token N = 0..=2\nsort A { @primitive One = n:N }\n";
    let few = Compiled::from_text("few", few).unwrap_or_else(|e| panic!("{e}"));
    for compiled in [&grammar("csg2d"), &few] {
        let n = 40_000;
        let counts = origins(compiled, n);
        let each = 0.8 / 3.0 * n as f64;
        let fair = [0.2 * n as f64, each, each, each];
        assert!(chi_square(&counts, &fair) > 1e-4, "{counts:?}");
        let bent = [0.22 * n as f64, each, each, each - 0.02 * n as f64];
        assert!(chi_square(&counts, &bent) < 1e-6, "{counts:?}");
    }
    let mut maker = Maker::new(&few, without_pictures(&few, 3)).expect("a maker");
    let redrawn: u32 = (0..1000)
        .map(|index| maker.make(index).expect("an example").redrawn)
        .sum();
    assert!(redrawn > 100, "{redrawn}");
}

#[test]
fn what_cannot_be_is_an_error() {
    let csg = grammar("csg2d");
    let wrong = |change: fn(&mut Options)| {
        let mut options = Options::of(&csg);
        change(&mut options);
        let one = Maker::new(&csg, options.clone()).map(|_| ());
        let other = Stream::new(
            Arc::new(grammar("csg2d")),
            options,
            &StreamOptions::default(),
        );
        let (one, other) = (one.expect_err("refused"), other.expect_err("refused"));
        assert_eq!(one.to_string(), other.to_string());
        one
    };
    assert_eq!(wrong(|o| o.rho = 1.5), ExampleError::Rho(1.5));
    assert!(matches!(wrong(|o| o.rho = f64::NAN), ExampleError::Rho(_)));
    assert_eq!(wrong(|o| o.steps = 0..=3), ExampleError::Steps(0, 3));
    #[allow(clippy::reversed_empty_ranges)]
    let empty = wrong(|o| o.steps = 3..=2);
    assert_eq!(empty, ExampleError::Steps(3, 2));
    assert!(matches!(
        wrong(|o| o.mutate.small = 0),
        ExampleError::Path(_)
    ));
    assert!(matches!(wrong(|o| o.sample.max = 0), ExampleError::Size(_)));

    // A language of one program has no pair of different ones.
    let lonely = "language lonely\nstart A\nsample size 1..=1\nmutate small 1\n\
        sort A { @primitive One = \"one\" }\n";
    let lonely = Arc::new(Compiled::from_text("lonely", lonely).unwrap_or_else(|e| panic!("{e}")));
    let options = Options::of(&lonely);
    let mut maker = Maker::new(&lonely, options.clone()).expect("a maker");
    assert_eq!(maker.make(0), Err(ExampleError::NoStart));
    let mut stream = Stream::new(Arc::clone(&lonely), options, &StreamOptions::default())
        .expect("the options are in order");
    for _ in 0..3 {
        assert_eq!(stream.next().map(|_| ()), Err(ExampleError::NoStart));
    }
}

#[test]
fn programs_that_cannot_be_drawn_give_way() {
    // `Wild` doubles its shapes until there are too many; no two of them are the same.
    let text = "language wild\nuse std.shape.{disc}\nuse std.transform.{scale, shift}\nstart A\ncanvas 16 x 16 ink\n\
        sample size 1..=1\nmutate small 1\n\
        fn two(r: Region) -> Region = r + (r |> scale(0.9, 1) |> shift(1, 0))\n\
        fn four(r: Region) -> Region = two(two(two(two(r))))\n\
        fn many(r: Region) -> Region = four(four(four(four(four(four(r))))))\n\
        token N = 0..=9\n\
        sort A { @primitive Tame = \"tame\" n:N  @primitive Wild = \"wild\" n:N }\n\
        draw A -> Region { Tame => disc(n)  Wild => many(disc(n)) }\n";
    let wild = Compiled::from_text("wild", text).unwrap_or_else(|e| panic!("{e}"));
    let mut maker = Maker::new(&wild, Options::of(&wild)).expect("a maker");
    let mut redrawn = 0;
    for index in 0..40 {
        let example = maker.make(index).expect("an example");
        redrawn += example.redrawn;
        for program in [&example.start, &example.target] {
            assert!(wild.print(program).starts_with("tame"));
        }
    }
    assert!(redrawn > 10, "{redrawn}");
}

#[test]
fn canonical_targets_are_fewer_and_still_targets() {
    let compiled = grammar("csg2d");
    let simplifier = Simplifier::new(&compiled);
    let options = Options {
        canonical: true,
        ..without_pictures(&compiled, 5)
    };
    let mut plain = Maker::new(&compiled, without_pictures(&compiled, 5)).expect("a maker");
    let mut maker = Maker::new(&compiled, options).expect("a maker");
    let mut changed = 0;
    for index in 0..40 {
        let example = maker.make(index).expect("an example");
        assert_eq!(simplifier.canonical(&example.target), example.target);
        let before = plain.make(index).expect("an example").target;
        changed += usize::from(before != example.target);
        // The label still leads to the target.
        let next = edit::apply(&compiled.grammar, &example.start, &example.edit);
        assert!(next.is_valid(&compiled.grammar));
        assert!(example.distance >= 1);
    }
    assert!(changed > 0);
}

#[test]
fn labels_can_undo_the_last_step() {
    let compiled = grammar("csg2d");
    let options = Options {
        labels: Labels::LastStep,
        steps: 1..=1,
        ..without_pictures(&compiled, 2)
    };
    let mut maker = Maker::new(&compiled, options).expect("a maker");
    let mut plain = Maker::new(&compiled, without_pictures(&compiled, 2)).expect("a maker");
    let mut fresh = 0;
    for index in 0..100 {
        let example = maker.make(index).expect("an example");
        let back = edit::apply(&compiled.grammar, &example.start, &example.edit);
        match example.origin {
            // One step was taken, so undoing it arrives.
            Origin::Noised(_) => assert_eq!(back, example.target),
            Origin::Fresh => {
                fresh += 1;
                assert_eq!(example, plain.make(index).expect("an example"));
            }
        }
    }
    assert!((1..100).contains(&fresh));
}

#[test]
fn targets_can_be_observed() {
    let compiled = grammar("csg2d_sketch");
    let options = |observed| Options {
        observed,
        ..Options::of(&compiled)
    };
    let mut seen = Maker::new(&compiled, options(true)).expect("a maker");
    let mut drawn = Maker::new(&compiled, options(false)).expect("a maker");
    let mut changed = 0;
    for index in 0..8 {
        let (seen, drawn) = (seen.make(index), drawn.make(index));
        let (seen, drawn) = (seen.expect("an example"), drawn.expect("an example"));
        changed += u32::from(seen.target_picture != drawn.target_picture);
        assert!(seen.target_picture.same_shape(&drawn.target_picture));
        let picture = drawn.target_picture.clone();
        assert_eq!(
            Example {
                target_picture: picture,
                ..seen
            },
            drawn
        );
    }
    // An empty picture has no outline.
    assert!(changed >= 6, "{changed}");
}
