//! Both ways from a scene to pixels agree, and nothing is too deep.

use super::coverage::Engine;
use super::testing::{left_nested, random_ink, random_layers, right_nested};
use super::{metric, raster, svg};
use crate::scene::Scene;

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
