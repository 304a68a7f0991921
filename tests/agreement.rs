//! Both ways from a program to pixels agree: the coverage engine and resvg.
//!
//! 10,000 random programs of every shipped grammar that draws, and scenes made to be difficult:
//! shapes without size, off the canvas, exactly over each other, at every angle, far too large.
//! `cargo test --test agreement -- --nocapture` prints the figures.

mod common;

use tdc::Compiled;
use tdc::grammar::ir::{Canvas, CanvasMode};
use tdc::render::coverage::Engine;
use tdc::render::{Picture, metric, raster};
use tdc::sample::{Sampler, stream};
use tdc::scene::eval::{Workspace, lower_in};
use tdc::scene::{Content, Layer, Paint, Region, RegionId, Scene, Shape};

/// Programs of each grammar.
const PROGRAMS: u64 = 10_000;
/// What counts as the same, of 1.
const WITHIN: f64 = 2.0 / 255.0;

/// The shipped grammars that draw, with their names.
fn grammars() -> Vec<(String, Compiled)> {
    let mut all = common::shipped();
    all.retain(|(_, compiled)| compiled.grammar.canvas.is_some());
    all
}

/// How well two ways agree on many pictures.
#[derive(Clone, Copy, Default)]
struct Tally {
    close: f64,
    pixels: f64,
    /// Pixels of the worst picture that are not close, and which it is.
    worst: (u64, u64),
}

impl Tally {
    fn add(&mut self, which: u64, reference: &Picture, direct: &Picture) {
        let share = metric::share_within(reference, direct, WITHIN);
        let pixels = reference.pixels() as f64;
        let close = (share * pixels).round();
        self.close += close;
        self.pixels += pixels;
        let off = (pixels - close) as u64;
        if off > self.worst.0 {
            self.worst = (off, which);
        }
    }

    fn join(&mut self, other: Tally) {
        self.close += other.close;
        self.pixels += other.pixels;
        self.worst = self.worst.max(other.worst);
    }

    fn share(&self) -> f64 {
        self.close / self.pixels
    }
}

/// The programs of one stripe of a grammar's.
fn stripe(compiled: &Compiled, from: u64, step: usize) -> Tally {
    let sampler = Sampler::new(compiled, compiled.grammar.sample).expect("sizes to sample");
    let (mut engine, mut workspace) = (Engine::new(), Workspace::new());
    let (mut tally, mut direct) = (Tally::default(), Picture::filled(0, 0, 1, 0));
    for item in (from..PROGRAMS).step_by(step) {
        let program = sampler.sample(&mut stream(20_261_123, item));
        let scene = lower_in(&mut workspace, &compiled.grammar, &program).expect("it draws");
        engine.draw_into(&scene, &mut direct).expect("it is drawn");
        tally.add(
            item,
            &raster::rasterize(&scene).expect("it is drawn"),
            &direct,
        );
    }
    tally
}

#[test]
fn ten_thousand_programs_of_every_grammar_agree() {
    let threads = std::thread::available_parallelism()
        .map_or(1, |n| n.get())
        .min(8);
    for (name, compiled) in grammars() {
        let mut all = Tally::default();
        std::thread::scope(|scope| {
            let stripes: Vec<_> = (0..threads)
                .map(|i| {
                    scope.spawn({
                        let compiled = &compiled;
                        move || stripe(compiled, i as u64, threads)
                    })
                })
                .collect();
            for stripe in stripes {
                all.join(stripe.join().expect("a stripe"));
            }
        });
        let (off, item) = all.worst;
        println!(
            "{name}: {:.6} within 2/255; worst: {off} pixels of program {item}",
            all.share()
        );
        assert!(all.share() >= 0.999, "{name}: {}", all.share());
    }
}

/// Builds the regions of a scene.
#[derive(Default)]
struct Build(Vec<Region>);

impl Build {
    fn add(&mut self, region: Region) -> RegionId {
        self.0.push(region);
        RegionId(self.0.len() as u32 - 1)
    }

    fn shape(&mut self, shape: &Shape, at: [f64; 6]) -> RegionId {
        let shape = shape.clone();
        self.add(Region::Shape { shape, at })
    }

    fn ink(self, root: RegionId) -> Scene {
        scene(CanvasMode::Ink, self.0, Content::Ink(root))
    }
}

fn scene(mode: CanvasMode, regions: Vec<Region>, content: Content) -> Scene {
    Scene {
        canvas: Canvas {
            width: 128,
            height: 128,
            mode,
            centred: false,
        },
        regions,
        content,
    }
}

fn turned(degrees: f64, x: f64, y: f64) -> [f64; 6] {
    let (sin, cos) = libm::sincos(degrees.to_radians());
    [cos, sin, -sin, cos, x, y]
}

/// Shapes of all kinds about the origin, of about this size.
fn shapes(size: f64) -> Vec<Shape> {
    let (w, h) = (size, size * 0.6);
    vec![
        Shape::Ellipse {
            rx: w / 2.0,
            ry: h / 2.0,
        },
        Shape::Box { w, h, r: 0.0 },
        Shape::Box { w, h, r: h / 4.0 },
        Shape::Polygon(vec![(-w, -h), (w, 0.0), (0.0, h), (-w / 2.0, 0.0)]),
        Shape::Polyline {
            points: vec![(-w / 2.0, 0.0), (0.0, -h), (w / 2.0, h)],
            width: size / 8.0,
        },
    ]
}

fn agree(name: &str, scenes: impl IntoIterator<Item = Scene>) {
    let (mut engine, mut tally) = (Engine::new(), Tally::default());
    for (which, scene) in (0..).zip(scenes) {
        let direct = engine.draw(&scene).expect("it is drawn");
        // What is remembered is what is filled anew.
        assert_eq!(
            Ok(&direct),
            Engine::with_budget(0).draw(&scene).as_ref(),
            "{name} {which}"
        );
        tally.add(
            which,
            &raster::rasterize(&scene).expect("it is drawn"),
            &direct,
        );
    }
    let (off, which) = tally.worst;
    println!(
        "{name}: {:.6} within 2/255; worst: {off} pixels of scene {which}",
        tally.share()
    );
    assert!(tally.share() >= 0.999, "{name}: {}", tally.share());
    assert!(
        off <= 128 * 128 / 100,
        "{name} {which}: {off} pixels are off"
    );
}

#[test]
fn shapes_at_every_angle_agree() {
    let scenes = (0..360).flat_map(|degrees| {
        let at = turned(f64::from(degrees), 64.25, 63.5);
        shapes(60.0).into_iter().map(move |shape| {
            let mut build = Build::default();
            let a = build.shape(&shape, at);
            let b = build.shape(&shape, turned(f64::from(degrees) * 2.0, 70.0, 60.0));
            let root = build.add(match degrees % 3 {
                0 => Region::Union(a, b),
                1 => Region::Difference(a, b),
                _ => Region::Intersection(a, b),
            });
            build.ink(root)
        })
    });
    agree("every angle", scenes);
}

#[test]
fn shapes_without_size_agree() {
    let mut scenes = Vec::new();
    for size in [0.0, -0.0, 1e-9, 1e-4, 0.01, 0.2, 0.5] {
        for shape in shapes(size) {
            for at in [
                turned(0.0, 64.0, 64.0),
                turned(30.0, 64.3, 64.7),
                [0.0; 6],
                [1.0, 1.0, 1.0, 1.0, 64.0, 64.0],
            ] {
                for cut in [false, true] {
                    let mut build = Build::default();
                    let small = build.shape(&shape, at);
                    let disc = build.shape(
                        &Shape::Ellipse { rx: 20.0, ry: 20.0 },
                        turned(0.0, 60.0, 60.0),
                    );
                    let root = build.add(if cut {
                        Region::Difference(disc, small)
                    } else {
                        Region::Union(small, disc)
                    });
                    scenes.push(build.ink(root));
                }
            }
        }
    }
    agree("without size", scenes);
}

#[test]
fn shapes_off_the_canvas_agree() {
    let mut scenes = Vec::new();
    for (x, y) in [
        (-20.0, 64.0),
        (64.0, -20.4),
        (150.3, 140.0),
        (-900.0, 3.0),
        (5e4, 5e4),
        (64.0, 2e5),
        (-29.5, -17.5),
    ] {
        for size in [40.0, 300.0, 3000.0, 2e5] {
            for shape in shapes(size) {
                for how in 0..3 {
                    let mut build = Build::default();
                    let off = build.shape(&shape, turned(20.0, x, y));
                    let rect = build.shape(
                        &Shape::Box {
                            w: 90.0,
                            h: 70.5,
                            r: 9.0,
                        },
                        turned(0.0, 64.0, 50.0),
                    );
                    let root = build.add(match how {
                        0 => Region::Union(rect, off),
                        1 => Region::Difference(rect, off),
                        _ => Region::Intersection(off, rect),
                    });
                    scenes.push(build.ink(root));
                }
            }
        }
    }
    agree("off the canvas", scenes);
}

#[test]
fn exact_overlaps_agree() {
    let mut scenes = Vec::new();
    for degrees in [0.0, 17.0, 45.0, 90.0] {
        for shape in shapes(60.0) {
            for (x, y) in [(64.0, 64.0), (64.5, 63.25)] {
                for how in 0..6 {
                    let mut build = Build::default();
                    let a = build.shape(&shape, turned(degrees, x, y));
                    let b = build.shape(&shape, turned(degrees, x, y));
                    let root = match how {
                        0 => build.add(Region::Union(a, b)),
                        1 => build.add(Region::Difference(a, b)),
                        2 => build.add(Region::Intersection(a, b)),
                        3 => build.add(Region::Difference(a, a)),
                        4 => {
                            let all = build.add(Region::Everything);
                            let not = build.add(Region::Difference(all, a));
                            build.add(Region::Intersection(not, b))
                        }
                        _ => {
                            let all = build.add(Region::Everything);
                            let not = build.add(Region::Difference(all, a));
                            build.add(Region::Union(not, b))
                        }
                    };
                    scenes.push(build.ink(root));
                }
            }
        }
    }
    agree("exact overlaps", scenes);
}

#[test]
fn painted_overlaps_agree() {
    let mut scenes = Vec::new();
    for degrees in [0.0, 31.0, 90.0] {
        for shape in shapes(60.0) {
            for alpha in [255, 128, 3] {
                for width in [0.0, 0.4, 1.0, 5.0] {
                    let mut build = Build::default();
                    let region = build.shape(&shape, turned(degrees, 60.5, 64.0));
                    let all = build.add(Region::Everything);
                    let layer = |region, offset, paint| Layer {
                        region,
                        offset,
                        paint,
                    };
                    let mut layers = vec![
                        layer(region, (0, 0), Paint::Fill([200, 30, 90, alpha])),
                        layer(region, (9, -40), Paint::Fill([20, 230, 90, alpha])),
                    ];
                    if width > 0.0 {
                        let color = [10, 10, 240, 255];
                        layers.push(layer(region, (0, 0), Paint::Stroke { color, width }));
                    } else {
                        layers.push(layer(all, (3, 3), Paint::Fill([9, 99, 199, 40])));
                    }
                    let mode = CanvasMode::Rgb {
                        background: [255, 250, 240],
                    };
                    scenes.push(scene(mode, build.0, Content::Layers(layers)));
                }
            }
        }
    }
    agree("painted overlaps", scenes);
}
