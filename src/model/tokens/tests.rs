//! Tokens of every shipped language.

use super::batch::Batcher;
use super::mask::Bounds;
use super::*;
use crate::sample::{self, Rng, Sampler, below};
use crate::train::{Maker, Options};

/// Every grammar of the folder.
fn shipped() -> Vec<(String, Compiled)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/grammars");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "tdg"))
        .collect();
    paths.sort();
    let load = |path: std::path::PathBuf| {
        let compiled = Compiled::load(&path).unwrap();
        (compiled.grammar.name.clone(), compiled)
    };
    paths.into_iter().map(load).collect()
}

/// Legal tokens at random until the walk is done.
fn stroll(walk: &mut Walk<'_>, rng: &mut Rng) -> Option<Vec<u32>> {
    let mut tokens = Vec::new();
    while !walk.is_done() {
        let legal = walk.legal();
        if legal.is_empty() {
            assert!(tokens.is_empty(), "a walk that has begun can end");
            return None;
        }
        assert!(legal.is_sorted());
        let token = legal[below(rng, legal.len() as u32) as usize];
        walk.push(token).unwrap();
        tokens.push(token);
    }
    assert!(walk.legal().is_empty());
    Some(tokens)
}

#[test]
fn programs_come_back() {
    for (name, compiled) in shipped() {
        let v = Vocabulary::new(&compiled, 16);
        let sampler = Sampler::new(&compiled, compiled.grammar.sample).unwrap();
        for i in 0..300 {
            let program = sampler.sample(&mut sample::stream(1, i));
            let mut tokens = Vec::new();
            v.encode(&program, &mut tokens);
            assert!(
                tokens.iter().all(|token| (*token as usize) < v.len()),
                "{name}"
            );
            assert_eq!(v.decode(&tokens).as_ref(), Ok(&program), "{name}");
            assert!(v.decode(&tokens[..tokens.len() - 1]).is_err(), "{name}");
        }
    }
}

#[test]
fn tokens_have_one_meaning_each() {
    for (name, compiled) in shipped() {
        let v = Vocabulary::new(&compiled, 8);
        let said: std::collections::BTreeSet<String> =
            (0..v.len() as u32).map(|token| v.describe(token)).collect();
        assert!(!said.contains("?"), "{name}");
        assert_eq!(said.len(), v.len(), "{name}");
        assert_eq!(v.describe(v.len() as u32), "?");
        let other = Vocabulary::new(&compiled, 9);
        assert_ne!(v.fingerprint(), other.fingerprint());
    }
}

/// Whatever a walk is led to can be applied, is small enough, changes something, and reads back.
#[test]
fn walks_end_in_edits() {
    for (name, compiled) in shipped() {
        let grammar = &compiled.grammar;
        let v = Vocabulary::new(&compiled, 400);
        let sampler = Sampler::new(&compiled, grammar.sample).unwrap();
        let layout = Layout::new(grammar);
        let mut edits = 0;
        for small in [grammar.mutate.small, 4] {
            let bounds = Bounds::new(&v, small);
            for i in 0..200 {
                let mut rng = sample::stream(u64::from(small), i);
                let program = sampler.sample(&mut rng);
                let room = 4 + below(&mut rng, 60) as usize;
                let mut walk = Walk::edit(&v, &bounds, &program, room);
                let Some(tokens) = stroll(&mut walk, &mut rng) else {
                    continue;
                };
                assert!(tokens.len() <= room, "{name}: {} of {room}", tokens.len());
                let edit = walk.finish().unwrap();
                let positions = layout.positions(grammar.start, &program);
                let nt = positions[edit.position];
                assert!(edit.replacement.is_valid_as(grammar, nt), "{name}");
                assert!(edit.replacement.size() <= small, "{name}");
                let old = layout.extract(&program, edit.position);
                assert!(!layout.same(&old, 0, &edit.replacement, 0), "{name}");
                let mut after = program.clone();
                layout.apply(&mut after, &edit);
                assert!(after.is_valid(grammar), "{name}");
                let text = compiled.print(&after);
                assert_eq!(compiled.parse(&text).as_ref(), Ok(&after), "{name}: {text}");
                edits += 1;
            }
        }
        assert!(edits > 100, "{name}: {edits} edits");
    }
}

#[test]
fn walks_end_in_programs() {
    for (name, compiled) in shipped() {
        let grammar = &compiled.grammar;
        let v = Vocabulary::new(&compiled, 1);
        let bounds = Bounds::new(&v, grammar.sample.max);
        for i in 0..100 {
            let mut rng = sample::stream(3, i);
            let mut walk = Walk::program(&v, &bounds, 150);
            let tokens = stroll(&mut walk, &mut rng).unwrap();
            assert!(tokens.len() <= 150, "{name}");
            let edit = walk.finish().unwrap();
            assert_eq!(edit.position, 0);
            assert!(edit.replacement.is_valid(grammar), "{name}");
            assert!(edit.replacement.size() <= grammar.sample.max, "{name}");
        }
    }
}

/// A walk that has just enough tokens for its label takes it: the mask forbids nothing that is right.
#[test]
fn labels_are_legal() {
    for (name, compiled) in shipped() {
        let mut options = Options::of(&compiled);
        options.pictures = false;
        let v = Vocabulary::new(&compiled, 400);
        let bounds = Bounds::new(&v, options.mutate.small);
        let whole = Bounds::new(&v, compiled.grammar.sample.max);
        let mut maker = Maker::new(&compiled, options).unwrap();
        for i in 0..200 {
            let example = maker.make(i).unwrap();
            let mut tokens = Vec::new();
            let from = v
                .encode_edit(&example.start, &example.edit, &mut tokens)
                .unwrap();
            let label = &tokens[from..];
            let mut walk = Walk::edit(&v, &bounds, &example.start, label.len());
            for token in label {
                let at = show(&v, label);
                assert_eq!(
                    walk.push(*token),
                    Ok(()),
                    "{name}: {} in {at}",
                    v.describe(*token)
                );
            }
            assert_eq!(walk.finish().as_ref(), Some(&example.edit), "{name}");
            let mut tokens = vec![EDIT];
            v.encode(&example.target, &mut tokens);
            tokens.push(END);
            let mut walk = Walk::program(&v, &whole, tokens.len());
            assert!(
                tokens.iter().all(|token| walk.push(*token).is_ok()),
                "{name}"
            );
            assert_eq!(walk.finish().unwrap().replacement, example.target, "{name}");
        }
    }
}

/// Numbers with more values than have tokens of their own.
#[test]
fn large_ranges_are_written_by_digits() {
    let text = "language l\nstart S\nsample size 1..=3\nsize nodes\n\
                token Fine = real 0..=1000 step 0.01\ntoken Half = 0..=300\n\
                sort S { F = f:Fine  H = \"h\" ~ \" \" ~ h:Half }\n";
    let text = text.replace(" ~ \" \" ~", "");
    let compiled = Compiled::from_text("l", &text).unwrap();
    let v = Vocabulary::new(&compiled, 4);
    let bounds = Bounds::new(&v, 3);
    let sampler = Sampler::new(&compiled, compiled.grammar.sample).unwrap();
    let mut longest = 0;
    for i in 0..400 {
        let mut rng = sample::stream(5, i);
        let program = sampler.sample(&mut rng);
        let mut tokens = Vec::new();
        v.encode(&program, &mut tokens);
        longest = longest.max(tokens.len());
        assert_eq!(v.decode(&tokens), Ok(program.clone()));
        let mut walk = Walk::edit(&v, &bounds, &program, 9);
        stroll(&mut walk, &mut rng).unwrap();
        let after = crate::tree::edit::apply(&compiled.grammar, &program, &walk.finish().unwrap());
        assert!(after.is_valid(&compiled.grammar) && after != program);
    }
    // The production and three digits of 100,001 values.
    assert_eq!(longest, 4);
    assert!(v.len() < 1200, "{}", v.len());
}

#[test]
fn batches_are_padded_and_masked() {
    let compiled = Compiled::load("grammars/csg2d.tdg").unwrap();
    let v = Vocabulary::new(&compiled, 100);
    let bounds = Bounds::new(&v, compiled.grammar.mutate.small);
    let batcher = Batcher {
        vocabulary: &v,
        bounds: &bounds,
        context: 100,
    };
    let mut options = Options::of(&compiled);
    options.pictures = false;
    let mut maker = Maker::new(&compiled, options).unwrap();
    let examples: Vec<_> = (0..8).map(|i| maker.make(i).unwrap()).collect();
    let pairs = examples.iter().map(|e| (&e.start, &e.edit));
    let batch = batcher.edits(pairs.clone()).unwrap();
    assert_eq!(batch.tokens.len(), 8 * batch.length);
    assert_eq!(batch.legal.len(), batch.rows.len() * v.len());
    assert_eq!(batch.places.iter().filter(|place| **place).count(), 8);
    for (i, (row, target)) in batch.rows.iter().zip(&batch.targets).enumerate() {
        assert!(batch.legal[i * v.len() + *target as usize]);
        // What is to be chosen comes next, but for the last.
        let next = batch.tokens.get(*row as usize + 1);
        assert!(*target == END || next == Some(target));
    }
    let short = Batcher {
        context: batch.length - 1,
        ..batcher
    };
    assert!(short.edits(pairs).is_err());
    let whole = Bounds::new(&v, 8);
    let batcher = Batcher {
        bounds: &whole,
        ..batcher
    };
    let batch = batcher
        .programs(examples.iter().map(|e| &e.target))
        .unwrap();
    assert_eq!(batch.tokens[0], EDIT);
    assert!(!batch.places.contains(&true));
}

#[test]
fn planes_are_target_current_and_difference() {
    let (a, b) = ([255u8, 0], [0u8, 0]);
    let planes = super::batch::planes([1, 2, 1], [(&a[..], &b[..])]).unwrap();
    let values: Vec<f32> = planes.flatten_all().unwrap().to_vec1().unwrap();
    assert_eq!(values, [1.0, -1.0, 1.0, -1.0, -1.0, -1.0]);
    assert!(super::batch::planes([1, 2, 1], [(&a[..], &b[..1])]).is_err());
}
