//! Scenes for tests: random ones and deep ones.

use rand::{Rng, RngExt as _, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::grammar::ir::{Canvas, CanvasMode};
use crate::scene::{Content, Layer, Paint, Region, RegionId, Scene, Shape};

pub(crate) fn rng(seed: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed)
}

pub(crate) fn canvas(mode: CanvasMode) -> Canvas {
    Canvas {
        width: 128,
        height: 128,
        mode,
        centred: false,
    }
}

/// Builds a scene's regions.
#[derive(Default)]
pub(crate) struct Build(pub(crate) Vec<Region>);

impl Build {
    pub(crate) fn add(&mut self, region: Region) -> RegionId {
        self.0.push(region);
        RegionId(self.0.len() as u32 - 1)
    }

    pub(crate) fn at(&mut self, shape: Shape, x: f64, y: f64, degrees: f64) -> RegionId {
        let (sin, cos) = libm::sincos(degrees.to_radians());
        let at = [cos, sin, -sin, cos, x, y];
        self.add(Region::Shape { shape, at })
    }

    pub(crate) fn disc(&mut self, r: f64, x: f64, y: f64) -> RegionId {
        self.at(Shape::Ellipse { rx: r, ry: r }, x, y, 0.0)
    }

    pub(crate) fn rect(&mut self, w: f64, h: f64, x: f64, y: f64, degrees: f64) -> RegionId {
        self.at(Shape::Box { w, h, r: 0.0 }, x, y, degrees)
    }

    pub(crate) fn ink(self, root: RegionId) -> Scene {
        Scene {
            canvas: canvas(CanvasMode::Ink),
            regions: self.0,
            content: Content::Ink(root),
        }
    }
}

/// Shapes on the paper's grid of 8 pixels, quads turned by multiples of 45 degrees.
fn grid_shape(rng: &mut impl Rng, build: &mut Build) -> RegionId {
    let mut n = || f64::from(rng.random_range(0..16u32) * 8);
    let (a, b, c, d) = (n(), n(), n(), n());
    if rng.random_bool(0.5) {
        build.disc(a, b, c)
    } else {
        let turn = f64::from(rng.random_range(0..8u32) * 45);
        build.rect(a, b, c, d, turn)
    }
}

/// Any shape anywhere, turned, skewed, mirrored.
fn free_shape(rng: &mut impl Rng, build: &mut Build) -> RegionId {
    let mut f = |low: f64, high: f64| low + (high - low) * rng.random::<f64>();
    let (w, h) = (f(0.0, 70.0), f(0.0, 70.0));
    let (x, y) = (f(-10.0, 138.0), f(-10.0, 138.0));
    let at = [f(-1.2, 1.2), f(-1.2, 1.2), f(-1.2, 1.2), f(-1.2, 1.2), x, y];
    let turn = f(0.0, 360.0);
    let mut point = || (f(-40.0, 40.0), f(-40.0, 40.0));
    let points = [point(), point(), point(), point(), point()];
    let width = f(0.2, 9.0);
    let shape = match rng.random_range(0..5u32) {
        0 => Shape::Ellipse {
            rx: w / 2.0,
            ry: h / 2.0,
        },
        1 => Shape::Box { w, h, r: 0.0 },
        2 => Shape::Box {
            w,
            h,
            r: w.min(h) / 4.0,
        },
        3 => Shape::Polygon(points.to_vec()),
        _ => Shape::Polyline {
            points: points[..rng.random_range(1..5usize)].to_vec(),
            width,
        },
    };
    match rng.random_range(0..3u32) {
        0 => build.at(shape, x, y, 0.0),
        1 => build.at(shape, x, y, turn),
        _ => build.add(Region::Shape { shape, at }),
    }
}

/// A random formula over `leaves` shapes.
pub(crate) fn random_region(
    rng: &mut impl Rng,
    build: &mut Build,
    leaves: usize,
    free: bool,
) -> RegionId {
    if leaves <= 1 {
        return if free {
            match rng.random_range(0..30u32) {
                0 => build.add(Region::Everything),
                1 => build.add(Region::Empty),
                _ => free_shape(rng, build),
            }
        } else {
            grid_shape(rng, build)
        };
    }
    let left = rng.random_range(1..leaves);
    let a = random_region(rng, build, left, free);
    let b = random_region(rng, build, leaves - left, free);
    let both = match rng.random_range(0..if free { 4u32 } else { 2 }) {
        0 => Region::Union(a, b),
        1 => Region::Difference(a, b),
        2 => Region::Intersection(a, b),
        _ => {
            let moved = build.add(Region::Transform(a, [0.8, 0.3, -0.3, 0.8, 20.0, 4.0]));
            Region::Union(moved, b)
        }
    };
    build.add(both)
}

/// An ink scene.
pub(crate) fn random_ink(seed: u64, free: bool) -> Scene {
    let mut rng = rng(seed);
    let mut build = Build::default();
    let leaves = rng.random_range(1..9usize);
    let root = random_region(&mut rng, &mut build, leaves, free);
    build.ink(root)
}

/// A scene of painted layers, most of them single shapes.
pub(crate) fn random_layers(seed: u64) -> Scene {
    let mut rng = rng(seed);
    let mut build = Build::default();
    let mut layers: Vec<Layer> = Vec::new();
    for _ in 0..rng.random_range(1..7u32) {
        let leaves = if rng.random_bool(0.7) { 1 } else { 3 };
        let region = random_region(&mut rng, &mut build, leaves, true);
        let offset = (rng.random_range(-30..30), rng.random_range(-30..30));
        let mut color = || {
            let mut byte = || rng.random_range(0..=255u32) as u8;
            let (r, g, b, a) = (byte(), byte(), byte(), byte());
            [r, g, b, if a < 160 { 255 } else { a }]
        };
        let (fill, stroke) = (color(), color());
        let width = 0.3 + 8.0 * rng.random::<f64>();
        let which = rng.random_range(0..3u32);
        if which != 1 {
            let paint = Paint::Fill(fill);
            layers.push(Layer {
                region,
                offset,
                paint,
            });
        }
        if which != 0 {
            let paint = Paint::Stroke {
                color: stroke,
                width,
            };
            layers.push(Layer {
                region,
                offset,
                paint,
            });
        }
    }
    Scene {
        canvas: canvas(CanvasMode::Rgb {
            background: [255; 3],
        }),
        regions: build.0,
        content: Content::Layers(layers),
    }
}

/// `d1 - (d2 - (d3 - ...))`, `n` deep.
pub(crate) fn right_nested(n: usize) -> Scene {
    let mut build = Build::default();
    let mut root = build.disc(10.0, 64.0, 64.0);
    for i in 0..n {
        let disc = build.disc(10.0 + (i % 50) as f64, 40.0 + (i % 37) as f64, 64.0);
        root = build.add(Region::Difference(disc, root));
    }
    build.ink(root)
}

/// `((((d1 - d2) + d3) - d4) + ...`, `n` deep.
pub(crate) fn left_nested(n: usize) -> Scene {
    let mut build = Build::default();
    let mut root = build.disc(10.0, 64.0, 64.0);
    for i in 0..n {
        let disc = build.disc(3.0 + (i % 20) as f64, (i * 7 % 128) as f64, 64.0);
        root = build.add(if i % 2 == 0 {
            Region::Union(root, disc)
        } else {
            Region::Difference(root, disc)
        });
    }
    build.ink(root)
}
