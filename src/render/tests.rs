//! Both ways from a scene to pixels agree, and nothing is too deep.

use super::coverage::Engine;
use super::testing::{Build, left_nested, random_ink, random_layers, right_nested};
use super::{RenderError, metric, raster, svg};
use crate::scene::{Region, Scene, Shape};

fn agree(name: &str, scenes: impl Iterator<Item = (u64, Scene)>) {
    let mut engine = Engine::new();
    let (mut close, mut all, mut worst) = (0.0, 0.0, (1.0, 0));
    for (seed, scene) in scenes {
        let reference = raster::rasterize(&scene).unwrap();
        let direct = engine.draw(&scene).unwrap();
        let share = metric::share_within(&reference, &direct, 2.0 / 255.0);
        let pixels = reference.pixels() as f64;
        close += share * pixels;
        all += pixels;
        if share < worst.0 {
            worst = (share, seed);
        }
    }
    println!("{name}: {:.6} within 2/255; worst {worst:?}", close / all);
    assert!(close / all >= 0.999, "{name}: worst {worst:?}");
    assert!(worst.0 >= 0.99, "{name}: worst {worst:?}");
}

#[test]
fn coverage_agrees_with_resvg_on_grid_scenes() {
    agree("grid", (0..600).map(|s| (s, random_ink(s, false))));
}

#[test]
fn coverage_agrees_with_resvg_on_free_scenes() {
    agree("free", (0..600).map(|s| (s, random_ink(s, true))));
}

#[test]
fn coverage_agrees_with_resvg_on_layers() {
    agree("layers", (0..600).map(|s| (s, random_layers(s))));
}

#[test]
fn ten_thousand_levels_are_drawn() {
    for scene in [right_nested(10_000), left_nested(10_000)] {
        let picture = raster::rasterize(&scene).unwrap();
        let ink = picture.data.iter().filter(|b| **b == 255).count();
        assert!((100..16_000).contains(&ink), "{ink}");
        let text = svg::write(&scene, &svg::SvgOptions::default()).unwrap();
        assert!(text.len() < 4_000_000, "{}", text.len());
    }
}

#[test]
fn both_ways_agree_where_one_takes_over_from_the_other() {
    for n in [20, 30, 31, 32, 33, 40] {
        for scene in [right_nested(n), left_nested(n)] {
            let text = svg::write(&scene, &svg::SvgOptions::default()).unwrap();
            let reference = raster::svg_pixels(&text, &scene.canvas).unwrap();
            let picture = raster::rasterize(&scene).unwrap();
            // Every nested mask may round by 1/255 once more.
            let share = metric::share_within(&reference, &picture, 4.0 / 255.0);
            assert!(share >= 0.995, "{n}: {share}");
        }
    }
}

#[test]
fn shared_regions_that_double_at_each_level_are_refused() {
    let mut build = Build::default();
    let mut root = build.disc(4.0, 8.0, 8.0);
    for _ in 0..60 {
        let moved = build.add(Region::Transform(root, [1.0, 0.0, 0.0, 1.0, 2.0, 1.0]));
        root = build.add(Region::Union(root, moved));
    }
    let scene = build.ink(root);
    assert_eq!(raster::rasterize(&scene), Err(RenderError::TooManyShapes));
    assert_eq!(Engine::new().draw(&scene), Err(RenderError::TooManyShapes));
    let written = svg::write(&scene, &svg::SvgOptions::default());
    assert_eq!(written, Err(RenderError::TooManyShapes));
}

#[test]
fn numbers_of_any_size_are_drawn() {
    let extremes = [0.0, -0.0, 1e-300, 1e-4, 1e9, 1e300, f64::MAX, -1e300, 64.0];
    for a in extremes {
        for b in extremes {
            let mut build = Build::default();
            let (r, w) = (a.abs(), b.abs());
            let shapes = [
                Shape::Ellipse { rx: r, ry: w },
                Shape::Box {
                    w: r,
                    h: w,
                    r: r.min(w) / 2.0,
                },
                Shape::Polygon(vec![(a, b), (b, a), (64.0, 9.0)]),
                Shape::Polyline {
                    points: vec![(a, b), (0.0, 0.0), (b, b)],
                    width: w,
                },
            ];
            let mut root = build.add(Region::Empty);
            for shape in shapes {
                for at in [[1.0, 0.0, 0.0, 1.0, 64.0, 64.0], [a, 1.0, b, 0.5, b, a]] {
                    let shape = shape.clone();
                    let shape = build.add(Region::Shape { shape, at });
                    root = build.add(Region::Union(root, shape));
                }
            }
            let scene = build.ink(root);
            raster::rasterize(&scene).unwrap();
            Engine::new().draw(&scene).unwrap();
            super::outline::outline_svg(&scene, &svg::SvgOptions::default()).unwrap();
        }
    }
}

#[test]
fn an_engine_leaves_nothing_behind() {
    let mut engine = Engine::new();
    for seed in 0..100 {
        let (a, b) = (random_ink(seed, true), random_layers(seed));
        assert_eq!(engine.draw(&a), Engine::new().draw(&a));
        assert_eq!(engine.draw(&b), Engine::new().draw(&b));
    }
}

#[test]
fn outlines_have_one_path_a_colour_where_nothing_lies_between() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/grammars/flat.tdg");
    let compiled = crate::Compiled::load(path).unwrap_or_else(|e| panic!("{e}"));
    let cases = [
        // Two that overlap are one path, and so are two that are apart.
        ("red (circle 20 at 40 40); red (circle 20 at 60 40)", 1),
        ("red (circle 9 at 20 20); red (circle 9 at 90 90)", 1),
        // What is between does not touch the second.
        (
            "red (circle 9 at 20 20); blue (circle 9 at 20 28); red (circle 9 at 90 90)",
            2,
        ),
        // What is between does.
        (
            "red (circle 9 at 20 20); blue (circle 9 at 20 28); red (circle 9 at 20 36)",
            3,
        ),
        // It touches another sheet that cannot be passed either.
        (
            "red (circle 9 at 20 20); blue (circle 9 at 60 60); lime (circle 9 at 60 68); \
             blue (circle 9 at 60 76); red (circle 9 at 60 84)",
            5,
        ),
    ];
    for (text, count) in cases {
        let program = compiled
            .parse(text)
            .unwrap_or_else(|e| panic!("{text}: {e}"));
        let scene = crate::scene::eval::lower(&compiled.grammar, &program).unwrap();
        let written = super::outline::outline_svg(&scene, &svg::SvgOptions::default()).unwrap();
        // Besides the background.
        assert_eq!(
            written.matches("<path").count(),
            count + 1,
            "{text}: {written}"
        );
        let drawn = raster::rasterize(&scene).unwrap();
        let opened = raster::svg_pixels(&written, &scene.canvas).unwrap();
        let share = metric::share_within(&drawn, &opened, 8.0 / 255.0);
        assert!(share >= 0.998, "{text}: {share}");
    }
    let mut sum = 0.0;
    for seed in 0..200 {
        let scene = random_layers(seed);
        let written = super::outline::outline_svg(&scene, &svg::SvgOptions::default()).unwrap();
        let drawn = raster::rasterize(&scene).unwrap();
        let opened = raster::svg_pixels(&written, &scene.canvas).unwrap();
        // A stroke runs along the outline; the line of a polygon that crosses itself has more than that.
        let share = metric::share_within(&drawn, &opened, 64.0 / 255.0);
        assert!(share >= 0.98, "{seed}: {share}");
        sum += share;
    }
    assert!(sum >= 199.8, "{sum}");
}
