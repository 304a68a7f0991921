//! Edited programs against the same programs drawn from scratch.

use super::*;
use crate::mutate::Mutator;
use crate::sample::{Sampler, stream};
use crate::scene::eval::lower;
use crate::scene::{Paint, Region, RegionId, Shape};

/// A region without sharing, numbers and maps over composites: what a picture depends on.
#[derive(Debug, PartialEq)]
enum Plain {
    Empty,
    Everything,
    Shape(Shape, Affine),
    Both(&'static str, Box<Plain>, Box<Plain>),
}

fn plain(scene: &Scene, at: RegionId, map: &Affine) -> Plain {
    let both = |how, a, b| {
        let (a, b) = (plain(scene, a, map), plain(scene, b, map));
        Plain::Both(how, Box::new(a), Box::new(b))
    };
    match &scene.regions[at.0 as usize] {
        Region::Empty => Plain::Empty,
        Region::Everything => Plain::Everything,
        Region::Shape { shape, at } => Plain::Shape(shape.clone(), affine::compose(map, at)),
        Region::Transform(of, by) => plain(scene, *of, &affine::compose(map, by)),
        Region::Union(a, b) => both("union", *a, *b),
        Region::Difference(a, b) => both("difference", *a, *b),
        Region::Intersection(a, b) => both("intersection", *a, *b),
    }
}

fn shown(scene: &Scene) -> Vec<(Plain, (i32, i32), Option<Paint>)> {
    match &scene.content {
        Content::Ink(root) => vec![(plain(scene, *root, &IDENTITY), (0, 0), None)],
        Content::Layers(layers) => layers
            .iter()
            .map(|l| (plain(scene, l.region, &IDENTITY), l.offset, Some(l.paint)))
            .filter(|(region, ..)| *region != Plain::Empty)
            .collect(),
    }
}

/// Edits of programs of every shipped picture grammar, some taken back.
#[test]
fn an_edited_program_shows_what_it_would_from_scratch() {
    for compiled in crate::scene::testing::pictures() {
        let sampler = Sampler::new(&compiled, compiled.grammar.sample).expect("samples");
        let mutator = Mutator::new(&compiled, compiled.grammar.mutate).expect("mutates");
        let mut live = Live::new(&compiled.grammar).expect("has a canvas");
        let mut edits = 0;
        for chain in 0..40 {
            let mut rng = stream(7, chain);
            let mut program = sampler.sample(&mut rng);
            live.set(&program).expect("drawable");
            let mut versions: Vec<(Plain, u64)> = Vec::new();
            for step in 0..25 {
                let Some(edit) = mutator.propose(&program, &mut rng) else {
                    break;
                };
                let before = shown(live.scene());
                let edited = crate::tree::edit::apply(&compiled.grammar, &program, &edit);
                live.propose(&edit).expect("drawable");
                let fresh = lower(&compiled.grammar, &edited).expect("drawable");
                assert_eq!(
                    shown(live.scene()),
                    shown(&fresh),
                    "{}",
                    compiled.grammar.name
                );
                edits += 1;
                if step % 3 == 0 {
                    live.reject();
                    assert_eq!(shown(live.scene()), before);
                } else {
                    live.accept();
                    program = edited;
                }
                assert_eq!(*live.program(), program);
                // A version stands for one region only.
                if let Content::Ink(root) = live.scene().content {
                    let region = plain(live.scene(), root, &IDENTITY);
                    let version = live.versions()[root.0 as usize];
                    assert!(versions.iter().all(|(r, v)| *v != version || *r == region));
                    versions.push((region, version));
                }
            }
        }
        assert!(edits > 900, "{}: {edits}", compiled.grammar.name);
    }
}

/// What is given up is used again: long chains of edits need no more memory than short ones.
#[test]
fn memory_does_not_grow_with_edits() {
    for compiled in crate::scene::testing::pictures() {
        let sampler = Sampler::new(&compiled, compiled.grammar.sample).expect("samples");
        let mutator = Mutator::new(&compiled, compiled.grammar.mutate).expect("mutates");
        let mut live = Live::new(&compiled.grammar).expect("has a canvas");
        let mut rng = stream(8, 0);
        live.set(&sampler.sample(&mut rng)).expect("drawable");
        let mut most = 0;
        for step in 0..4000 {
            let Some(edit) = mutator.propose(live.program(), &mut rng) else {
                break;
            };
            // Programs that grow need more.
            if edit.replacement.len() + live.program().len() > 120 {
                continue;
            }
            live.propose(&edit).expect("drawable");
            if step % 2 == 0 {
                live.accept();
            }
            if step == 1000 {
                most = live.links.len() + live.versions().len();
            }
        }
        let now = live.links.len() + live.versions().len();
        assert!(
            now <= 4 * most + 4000,
            "{}: {most}, then {now}",
            compiled.grammar.name
        );
    }
}
