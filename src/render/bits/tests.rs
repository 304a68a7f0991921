//! Bit planes against slower ways to draw the same.

use super::*;
use crate::Compiled;
use crate::grammar::ir::{Canvas, CanvasMode};
use crate::mutate::Mutator;
use crate::render::coverage::Engine;
use crate::render::testing::{Build, rng};
use crate::sample::{Sampler, stream};
use crate::scene::eval::lower;
use crate::scene::testing::pictures;
use crate::scene::{Content, Live, Shape};
use crate::tree::{Edit, Program};
use rand::RngExt as _;

fn sampler(compiled: &Compiled) -> Sampler<'_> {
    Sampler::new(compiled, compiled.grammar.sample).expect("samples")
}

fn scene_of(compiled: &Compiled, program: &Program) -> Scene {
    lower(&compiled.grammar, program).expect("drawable")
}

fn target(compiled: &Compiled, program: &Program) -> Target {
    let picture = Engine::new()
        .draw(&scene_of(compiled, program))
        .expect("it is drawn");
    Target::new(&compiled.grammar, &picture)
}

fn differing(a: &Picture, b: &Picture) -> u64 {
    let n = usize::from(a.channels);
    let pairs = a.data.chunks_exact(n).zip(b.data.chunks_exact(n));
    pairs.filter(|(a, b)| a != b).count() as u64
}

#[test]
fn edits_are_drawn_as_from_scratch_and_errors_are_the_pixels_that_differ() {
    for compiled in pictures() {
        let name = &compiled.grammar.name;
        let sampler = sampler(&compiled);
        let mutator = Mutator::new(&compiled, compiled.grammar.mutate).expect("mutates");
        let mut live = Live::new(&compiled.grammar).expect("has a canvas");
        for chain in 0..12 {
            let mut rng = stream(3, chain);
            let target = target(&compiled, &sampler.sample(&mut rng));
            let goal = target.picture();
            // One engine for all, one that may keep nothing, one for each drawing.
            let mut kept = Bits::new(target.clone()).expect("a canvas");
            let mut poor = Bits::new(target.clone()).expect("a canvas").with_budget(0);
            live.set(&sampler.sample(&mut rng)).expect("drawable");
            for step in 0..20 {
                let Some(edit) = mutator.propose(live.program(), &mut rng) else {
                    break;
                };
                live.propose(&edit).expect("drawable");
                let wrong = kept.redraw(&live).expect("drawn");
                let edited = crate::tree::edit::apply(&compiled.grammar, live.program(), &edit);
                let scene = scene_of(&compiled, &edited);
                let mut fresh = Bits::new(target.clone()).expect("a canvas");
                assert_eq!(fresh.draw(&scene).expect("drawn"), wrong, "{name}");
                assert_eq!(poor.redraw(&live).expect("drawn"), wrong, "{name}");
                let picture = kept.picture();
                assert_eq!(picture, fresh.picture(), "{name}");
                assert_eq!(picture, poor.picture(), "{name}");
                assert_eq!(differing(&picture, &goal), wrong, "{name}");
                if step % 3 == 0 {
                    live.reject();
                } else {
                    live.accept();
                }
            }
        }
    }
}

/// Pixels in which the bit planes and the anti-aliased picture, each pixel taken as the nearest colour,
/// are not the same.
#[test]
fn bit_planes_are_the_picture_but_for_edges() {
    for compiled in pictures() {
        let sampler = sampler(&compiled);
        let (mut apart, mut pixels) = (0, 0);
        for item in 0..100 {
            let program = sampler.sample(&mut stream(5, item));
            let target = target(&compiled, &program);
            pixels += target.pixels();
            let mut bits = Bits::new(target).expect("a canvas");
            apart += bits.draw(&scene_of(&compiled, &program)).expect("drawn");
        }
        let share = apart as f64 / pixels as f64;
        println!(
            "{}: {:.3} % of pixels differ",
            compiled.grammar.name,
            100.0 * share
        );
        // A see-through or thin shape is another thing without anti-aliasing.
        let most = match compiled.grammar.name.as_str() {
            "flags" => 0.2,
            _ => 0.02,
        };
        assert!(share < most, "{}: {share}", compiled.grammar.name);
    }
}

/// Discs and turned rectangles by their formulas, joined pixel by pixel.
#[test]
fn pixels_are_inside_when_their_centres_are() {
    let canvas = |width, height| Canvas {
        width,
        height,
        mode: CanvasMode::Ink,
        centred: false,
    };
    let mut rng = rng(11);
    let (mut apart, mut pixels) = (0u64, 0u64);
    for round in 0..300 {
        let canvas = canvas([128, 96, 37][round % 3], [128, 50, 130][round % 3]);
        let mut build = Build::default();
        let mut root = build.add(Region::Empty);
        let mut inside: Vec<bool> = vec![false; (canvas.width * canvas.height) as usize];
        for _ in 0..rng.random_range(1..7u32) {
            let mut n = |most: u32| f64::from(rng.random_range(0..most)) * 0.5;
            let (x, y, w, h) = (n(300) - 10.0, n(300) - 10.0, n(160) + 1.0, n(160) + 1.0);
            let degrees = n(720);
            let disc = rng.random_bool(0.5);
            let shape = match disc {
                true => build.disc(w / 2.0, x, y),
                false => build.rect(w, h, x, y, degrees),
            };
            let how = rng.random_range(0..3u32);
            root = build.add(match how {
                0 => Region::Union(root, shape),
                1 => Region::Difference(root, shape),
                _ if rng.random_bool(0.3) => Region::Intersection(root, shape),
                _ => Region::Union(shape, root),
            });
            let intersects = matches!(build.0.last(), Some(Region::Intersection(..)));
            let (sin, cos) = libm::sincos(degrees.to_radians());
            for (at, pixel) in inside.iter_mut().enumerate() {
                let px = (at as u32 % canvas.width) as f64 + 0.5 - x;
                let py = (at as u32 / canvas.width) as f64 + 0.5 - y;
                let (u, v) = (cos * px + sin * py, cos * py - sin * px);
                let hit = match disc {
                    true => px * px + py * py <= w * w / 4.0,
                    false => u.abs() <= w / 2.0 && v.abs() <= h / 2.0,
                };
                *pixel = match how {
                    1 => *pixel && !hit,
                    2 if intersects => *pixel && hit,
                    _ => *pixel || hit,
                };
            }
        }
        let mut scene = build.ink(root);
        scene.canvas = canvas.clone();
        let wanted = Picture {
            width: canvas.width,
            height: canvas.height,
            channels: 1,
            data: inside.iter().map(|b| if *b { 255 } else { 0 }).collect(),
        };
        let target = target_of_ink(&wanted);
        pixels += target.pixels();
        apart += Bits::new(target)
            .expect("a canvas")
            .draw(&scene)
            .expect("drawn");
    }
    let share = apart as f64 / pixels as f64;
    println!("{:.4} % of pixels differ from the formulas", 100.0 * share);
    assert!(share < 0.001, "{share}");
}

fn target_of_ink(picture: &Picture) -> Target {
    let compiled = pictures().remove(0);
    Target::new(&compiled.grammar, picture)
}

#[test]
fn palettes_hold_what_can_be_painted() {
    let all = pictures();
    let of = |name: &str| {
        let compiled = all.iter().find(|c| c.grammar.name == name).expect("there");
        let program = sampler(compiled).sample(&mut stream(1, 1));
        target(compiled, &program).palette().clone()
    };
    assert_eq!((of("csg2d").len(), of("csg2d").planes()), (2, 1));
    // White is the background.
    assert_eq!((of("tinysvg").len(), of("tinysvg").planes()), (8, 3));
    assert_eq!(of("mandala").len(), 10);
    // Its colours are reckoned: the target's are told apart, and one for all others.
    assert!(of("flags").other.is_some());
}

#[test]
fn large_and_shared_regions_are_refused_or_drawn_but_never_hang() {
    let grammar = pictures().remove(0);
    let blank = Picture::filled(128, 128, 1, 0);
    let mut build = Build::default();
    let mut root = build.disc(20.0, 30.0, 30.0);
    for _ in 0..64 {
        let turned = build.add(Region::Transform(root, [0.0, 1.0, -1.0, 0.5, 9.5, 3.0]));
        root = build.add(Region::Union(root, turned));
    }
    let scene = build.ink(root);
    let mut bits = Bits::new(Target::new(&grammar.grammar, &blank)).expect("a canvas");
    assert_eq!(bits.draw(&scene), Err(RenderError::TooManyShapes));

    let mut build = Build::default();
    let far = build.add(Region::Shape {
        shape: Shape::Ellipse { rx: 9e5, ry: 9e5 },
        at: [1.0, 0.0, 0.0, 1.0, -9e5, 64.0],
    });
    let scene = build.ink(far);
    let wrong = bits.draw(&scene).expect("drawn");
    assert!(wrong <= 128, "{wrong}");
    let Content::Ink(_) = scene.content else {
        panic!("ink");
    };
    // The engine goes on after an error, with what it kept.
    let scene = crate::render::testing::right_nested(20_000);
    assert!(bits.draw(&scene).is_ok());
    let scene = crate::render::testing::left_nested(20_000);
    assert!(bits.draw(&scene).is_ok());
}

#[test]
fn what_is_in_a_hole_costs_what_the_whole_picture_says() {
    for (name, least) in [("csg2d", 2000), ("icons", 2000), ("flat", 1000)] {
        let path = format!("{}/grammars/{name}.tdg", env!("CARGO_MANIFEST_DIR"));
        let compiled = Compiled::load(&path).expect("a language");
        let grammar = &compiled.grammar;
        let layout = crate::tree::Layout::new(grammar);
        let sampler = sampler(&compiled);
        let mut rng = stream(11, 0);
        let mut pieces = crate::scene::piece::Pieces::new(grammar);
        let (mut seen, mut off, mut heavy) = (0, 0, 0);
        for _ in 0..60 {
            let [wanted, program] = [(); 2].map(|()| sampler.sample(&mut rng));
            // By turns plain, and with ink that counts several times.
            let least = [0, 10_000][rng.random_range(0..2)];
            let wanted = target(&compiled, &wanted).with_ink_of_at_least(least);
            let times = wanted.heavy.times();
            heavy += u32::from(times > 1);
            let mut bits = Bits::new(wanted).expect("a target");
            let mut planes = Planes::default();
            let mut live = Live::new(grammar).expect("a canvas");
            live.set(&program).expect("a picture");
            let nts = layout.positions(layout.start(), &program);
            for (position, nt) in nts.iter().enumerate() {
                let mut edit = Edit {
                    position,
                    replacement: layout.extract(&program, position),
                };
                let mut weights = Weights::default();
                let fits = bits.weigh(&mut live, &edit, 0, &mut weights);
                if !fits.expect("drawn") {
                    continue;
                }
                for _ in 0..8 {
                    let Some(part) = sampler.sample_nt(*nt, 0..=3, &mut rng) else {
                        continue;
                    };
                    let told = bits.filled_by_piece(&weights, &mut pieces, &part, &mut planes);
                    let told = told.expect("told");
                    edit.replacement = part;
                    live.propose(&edit).expect("a picture");
                    let drawn = bits.redraw(&live).expect("drawn");
                    live.reject();
                    seen += 1;
                    // A pixel whose middle is on an edge may be rounded either way.
                    off += u32::from(told != drawn);
                    assert!(
                        told.abs_diff(drawn) <= 6 * times,
                        "{name}: {told} for {drawn}"
                    );
                }
            }
        }
        assert!(heavy > 0);
        assert!(seen >= least, "{name}: {seen}");
        assert!(off * 50 <= seen, "{name}: {off} of {seen}");
    }
}

#[test]
fn a_small_drawing_counts_as_much_as_is_said() {
    let compiled = Compiled::load(concat!(env!("CARGO_MANIFEST_DIR"), "/grammars/flat.tdg"));
    let flat = compiled.expect("a language");
    let sampler = sampler(&flat);
    let mut rng = stream(13, 0);
    let mut heavy = 0;
    for _ in 0..40 {
        let [wanted, drawn] = [(); 2].map(|()| scene_of(&flat, &sampler.sample(&mut rng)));
        let picture = Engine::new().draw(&wanted).expect("it is drawn");
        let plain = Target::new(&flat.grammar, &picture);
        let goal = plain.picture();
        let blank = Picture::blank(flat.grammar.canvas.as_ref().expect("a canvas"));
        let ink = differing(&goal, &blank);
        // Three times as much as it has, less one that is too little for another time.
        let least = u16::try_from(3 * ink.min(1000)).expect("not so many") + 1;
        let times = (u64::from(least) / ink.max(1)).max(1);
        heavy += u32::from(times == 3);
        let mut bits = Bits::new(plain.with_ink_of_at_least(least)).expect("a canvas");
        let counted = bits.draw(&drawn).expect("drawn");
        let shown = bits.picture();
        let of = |at: usize, of: &Picture| [0, 1, 2].map(|c| of.data[3 * at + c]);
        let wrong = (0..goal.data.len() / 3).filter(|at| of(*at, &goal) != of(*at, &shown));
        let expected: u64 = wrong
            .map(|at| match of(at, &goal) == of(at, &blank) {
                true => 1,
                false => times,
            })
            .sum();
        assert_eq!(counted, expected);
    }
    assert!(heavy > 0);
}

#[test]
fn a_shape_is_worth_the_same_in_many_places_as_in_each() {
    let compiled = Compiled::load(concat!(env!("CARGO_MANIFEST_DIR"), "/grammars/csg2d.tdg"));
    let compiled = compiled.expect("a language");
    let grammar = &compiled.grammar;
    let sampler = sampler(&compiled);
    let mut rng = stream(12, 0);
    let mut worths = Worths::default();
    let mut seen = 0;
    for _ in 0..40 {
        let [wanted, program] = [(); 2].map(|()| sampler.sample(&mut rng));
        let mut bits = Bits::new(target(&compiled, &wanted)).expect("a target");
        let mut live = Live::new(grammar).expect("a canvas");
        live.set(&program).expect("a picture");
        let edit = Edit {
            position: 0,
            replacement: program.clone(),
        };
        let mut weights = Weights::default();
        assert!(
            bits.weigh(&mut live, &edit, 0, &mut weights)
                .expect("drawn")
        );
        for _ in 0..6 {
            let shape = match rng.random_range(0..3) {
                0 => Shape::Ellipse {
                    rx: rng.random_range(0.3..90.0),
                    ry: 7.0,
                },
                1 => Shape::Box {
                    w: rng.random_range(0.3..200.0),
                    h: 30.0,
                    r: 3.0,
                },
                _ => Shape::Polygon(vec![
                    (0.0, 0.0),
                    (40.0, 9.5),
                    (rng.random_range(0.0..9.0), 70.0),
                ]),
            };
            let [x, y] = [(); 2].map(|()| rng.random_range(-200.0..300.0));
            let at = compose(
                &[1.0, 0.0, 0.0, 1.0, x, y],
                &[0.8, 0.6, -0.6, 0.8, 0.0, 0.0],
            );
            let [across, down] = [(); 2].map(|()| Steps {
                step: rng.random_range(1..20),
                count: rng.random_range(1..40),
            });
            assert!(bits.worth_in_places(&mut weights, &shape, &at, (across, down), &mut worths));
            assert_eq!(worths.rows().count(), down.count);
            let rows: Vec<Vec<i32>> = worths.rows().map(<[i32]>::to_vec).collect();
            assert_eq!(worths.least(), rows.iter().flatten().copied().min());
            for (down_by, row) in rows.iter().enumerate() {
                assert_eq!(row.len(), across.count);
                for (across_by, worth) in row.iter().enumerate() {
                    let mut there = at;
                    there[4] += f64::from(across.step) * across_by as f64;
                    there[5] += f64::from(down.step) * down_by as f64;
                    let wrong = bits.filled_by(&weights, &shape, &there);
                    let told = weights.nothing().saturating_add_signed(i64::from(*worth));
                    // Sums are those of the same rows, but for a middle that is on an edge.
                    assert!(
                        told.abs_diff(wrong) <= 4,
                        "{shape:?} {there:?}: {told} for {wrong}"
                    );
                    seen += u32::from(*worth != 0);
                }
            }
        }
    }
    assert!(seen > 10_000, "{seen}");
}
