//! Edit paths over every shipped grammar: they arrive, by small valid steps.

mod common;

use common::{parallel, shipped};
use tdc::Compiled;
use tdc::mutate::Mutator;
use tdc::sample::{Filler, stream};
use tdc::tree::Edit;
use tdc::tree::Parser;
use tdc::tree::diff::{Path, PathMode};
use tdc::tree::print::print_into;

/// Random pairs per grammar and mode.
const PAIRS: u64 = 100_000;

/// Follows one path; gives its number of steps.
fn follow(
    name: &str,
    compiled: &Compiled,
    mutator: &Mutator<'_>,
    mode: PathMode,
    seed: u64,
    (parser, text): (&mut Parser<'_>, &mut String),
) -> usize {
    let (g, small) = (&compiled.grammar, compiled.grammar.mutate.small);
    let (sampler, layout) = (mutator.sampler(), mutator.sampler().layout());
    let mut rng = stream(1, seed);
    let (source, target) = (sampler.sample(&mut rng), sampler.sample(&mut rng));
    let mut path = Path::new(layout, sampler.inside(), small, mode, &source, &target);
    let mut fill = Filler::new(sampler, &mut rng);
    let mut edit = Edit::default();
    // What is read back as itself is a program, so that needs no other check; some paths get them.
    let reads_back = mode == PathMode::Plain || seed.is_multiple_of(16);
    let thorough = seed.is_multiple_of(64);
    let mut steps = 0;
    while path.propose(&mut fill, &mut edit) {
        steps += 1;
        let old = path.current().nodes()[edit.position];
        let new = &edit.replacement;
        assert!(new.size() <= small, "{name}: replacement {new:?}");
        assert!(
            mode == PathMode::Plain || old.size <= small,
            "{name}: {old:?}"
        );
        if thorough {
            let nt = layout.positions(g.start, &path.current())[edit.position];
            assert!(new.is_valid_as(g, nt), "{name}: {new:?}");
            assert_ne!(*new, layout.extract(&path.current(), edit.position));
        }
        path.apply(&edit);
        let current = path.current();
        if reads_back {
            text.clear();
            print_into(g, &compiled.syntax, &current, text);
            assert_eq!(parser.parse(text).as_ref(), Ok(&current), "{name}: {text}");
        }
        if thorough {
            assert!(current.is_valid(g), "{name}: {current:?}");
        }
        let bound = match mode {
            PathMode::Plain => target.len(),
            PathMode::Strict => target.len() + source.len(),
        };
        assert!(steps <= bound, "{name}: {steps} steps");
    }
    assert_eq!(path.current(), target, "{name}: the path does not arrive");
    steps
}

fn all(mode: PathMode) {
    for (name, compiled) in shipped() {
        let mutator = Mutator::new(&compiled, compiled.grammar.mutate).expect("its own settings");
        let counts = parallel(PAIRS, |range| {
            let (mut parser, mut text) = (compiled.parser(), String::new());
            let mut steps = 0;
            for seed in range {
                let buffers = (&mut parser, &mut text);
                steps += follow(&name, &compiled, &mutator, mode, seed, buffers);
            }
            steps
        });
        let steps: usize = counts.iter().sum();
        let mean = steps as f64 / PAIRS as f64;
        println!("{name} {mode:?}: {mean:.2} steps");
        assert!(mean > 1.0, "{name}: random programs differ");
    }
}

#[test]
fn every_path_arrives_by_small_replacements() {
    all(PathMode::Plain);
}

#[test]
fn strict_paths_also_replace_only_what_is_small() {
    all(PathMode::Strict);
}

#[test]
fn an_edit_and_its_inverse_leave_the_program_as_it_was() {
    for (name, compiled) in shipped() {
        let mutator = Mutator::new(&compiled, compiled.grammar.mutate).expect("its own settings");
        let layout = mutator.sampler().layout();
        for seed in 0..2_000 {
            let mut rng = stream(2, seed);
            let program = mutator.sampler().sample(&mut rng);
            let Some(edit) = mutator.propose(&program, &mut rng) else {
                panic!("{name}: no mutation of {program:?}");
            };
            let mut mutant = program.clone();
            layout.apply(&mut mutant, &edit);
            assert!(
                mutant != program && mutant.is_valid(&compiled.grammar),
                "{name}"
            );
            let back = tdc::tree::edit::inverse(&compiled.grammar, &program, &edit);
            layout.apply(&mut mutant, &back);
            assert_eq!(mutant, program, "{name}");
        }
    }
}

#[test]
fn deep_programs_are_no_trouble() {
    let compiled = common::grammar("csg2d");
    let mutator = Mutator::new(&compiled, compiled.grammar.mutate).expect("its own settings");
    let mut text = String::from("(Circle 1 2 3)");
    for _ in 0..2_000 {
        text = format!("(+ {text} (Circle 3 2 1))");
    }
    let deep = compiled.parse(&text).expect("a program");
    let flat = compiled.parse("(Circle 1 2 3)").expect("a program");
    for (source, target) in [(&deep, &flat), (&flat, &deep)] {
        for mode in [PathMode::Plain, PathMode::Strict] {
            let mut rng = stream(3, 0);
            let mut fill = Filler::new(mutator.sampler(), &mut rng);
            let (layout, inside) = (mutator.sampler().layout(), mutator.sampler().inside());
            let small = compiled.grammar.mutate.small;
            let mut path = Path::new(layout, inside, small, mode, source, target);
            let mut edit = Edit::default();
            let mut steps = 0;
            while path.propose(&mut fill, &mut edit) {
                path.apply(&edit);
                steps += 1;
            }
            assert_eq!(path.current(), *target);
            assert!(steps <= source.len() + target.len());
        }
    }
}
