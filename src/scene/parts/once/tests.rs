//! Regions with shapes that stand in them several times, against truth tables.

use rand::RngExt;

use super::*;
use crate::sample::stream;
use crate::scene::affine::{IDENTITY, compose, shift, turn};

/// Different shapes.
const SHAPES: usize = 4;

/// A region as it was asked for.
#[derive(Clone, Debug)]
enum Asked {
    Shape(usize),
    Join(Join, Box<Asked>, Box<Asked>),
}

fn random(rng: &mut crate::sample::Rng, shapes: usize) -> Asked {
    if shapes == 1 {
        return Asked::Shape(rng.random_range(0..SHAPES));
    }
    let left = rng.random_range(1..shapes);
    let how = [Join::Union, Join::Difference, Join::Intersection][rng.random_range(0..3)];
    let (a, b) = (random(rng, left), random(rng, shapes - left));
    Asked::Join(how, Box::new(a), Box::new(b))
}

/// A shape of its own place.
fn shape(parts: &mut Parts, which: usize) -> Raw {
    let disc = parts.shape(Shape::Ellipse { rx: 3.0, ry: 3.0 });
    parts.map_made(disc, &shift(which as f64, 0.5))
}

fn build(parts: &mut Parts, asked: &Asked) -> Raw {
    match asked {
        Asked::Shape(which) => shape(parts, *which),
        Asked::Join(how, a, b) => {
            let (a, b) = (build(parts, a), build(parts, b));
            parts.join(*how, a, b)
        }
    }
}

fn join(how: Join, a: f64, b: f64) -> f64 {
    match how {
        Join::Union => a + b - a * b,
        Join::Difference => a * (1.0 - b),
        Join::Intersection => a * b,
    }
}

/// How much of a pixel is covered when its shapes cover this much of it.
fn asked_ink(asked: &Asked, ink: &[f64]) -> f64 {
    match asked {
        Asked::Shape(which) => ink[*which],
        Asked::Join(how, a, b) => join(*how, asked_ink(a, ink), asked_ink(b, ink)),
    }
}

fn built_ink(parts: &Parts, of: Raw, ink: &[f64]) -> f64 {
    match parts.nodes[of.0] {
        Node::Empty => 0.0,
        Node::Everything => 1.0,
        Node::Shape(_, map) | Node::Map(_, map) => ink[map[4] as usize],
        Node::Join(how, a, b, _) => join(how, built_ink(parts, a, ink), built_ink(parts, b, ink)),
    }
}

/// How often each shape stands in a region.
fn often(parts: &Parts, of: Raw) -> [usize; SHAPES] {
    let mut counts = [0; SHAPES];
    let mut pending = vec![of];
    while let Some(at) = pending.pop() {
        match parts.nodes[at.0] {
            Node::Shape(_, map) | Node::Map(_, map) => counts[map[4] as usize] += 1,
            Node::Join(_, a, b, _) => pending.extend([a, b]),
            _ => {}
        }
    }
    counts
}

/// Every way in which shapes can cover a point.
fn points() -> impl Iterator<Item = Vec<f64>> {
    (0..1usize << SHAPES).map(|set| {
        let inside = |shape| f64::from(u8::from(set >> shape & 1 == 1));
        (0..SHAPES).map(inside).collect()
    })
}

/// What is covered stays; where each shape is left once, its edges are what they are when equal
/// shapes are one: the mean over all points of a pixel.
#[test]
fn the_same_is_covered_by_shapes_that_stand_once() {
    let mut rng = stream(21, 0);
    let (mut once, mut fewer) = (0, 0);
    for _ in 0..20_000 {
        let shapes = rng.random_range(2..=7);
        let asked = random(&mut rng, shapes);
        let mut parts = Parts::default();
        parts.clear(false);
        let built = build(&mut parts, &asked);
        for point in points() {
            let (a, b) = (asked_ink(&asked, &point), built_ink(&parts, built, &point));
            assert_eq!(a, b, "{asked:?} at {point:?}");
        }
        let counts = often(&parts, built);
        fewer += usize::from(counts.iter().sum::<usize>() < shapes);
        if counts.iter().any(|count| *count > 1) {
            continue;
        }
        once += 1;
        let ink: Vec<f64> = (0..SHAPES).map(|_| rng.random_range(0.0..1.0)).collect();
        let mean: f64 = points()
            .map(|point| {
                let share = |(at, ink): (&f64, &f64)| if *at == 1.0 { *ink } else { 1.0 - ink };
                let likely: f64 = point.iter().zip(&ink).map(share).product();
                likely * asked_ink(&asked, &point)
            })
            .sum();
        let got = built_ink(&parts, built, &ink);
        assert!((mean - got).abs() < 1e-9, "{asked:?}: {mean} and {got}");
    }
    assert!(once > 12_000 && fewer > 12_000, "{once}, {fewer}");
}

/// Laws of sets, with the shapes that are left.
#[test]
fn laws_of_sets_leave_each_shape_once() {
    use Join::{Difference, Intersection, Union};
    let s = |which| Asked::Shape(which);
    let j = |how, a: &Asked, b: &Asked| Asked::Join(how, Box::new(a.clone()), Box::new(b.clone()));
    let [a, b, c] = [s(0), s(1), s(2)];
    let cases = [
        (j(Union, &a, &a), [1, 0, 0]),
        (j(Difference, &a, &a), [0, 0, 0]),
        (j(Intersection, &a, &a), [1, 0, 0]),
        (j(Union, &j(Union, &a, &b), &j(Union, &c, &a)), [1, 1, 1]),
        (j(Union, &j(Difference, &a, &b), &a), [1, 0, 0]),
        (j(Union, &j(Difference, &b, &a), &a), [1, 1, 0]),
        (j(Difference, &j(Difference, &a, &b), &b), [1, 1, 0]),
        (j(Difference, &j(Union, &a, &b), &a), [1, 1, 0]),
        (j(Difference, &a, &j(Difference, &b, &a)), [1, 0, 0]),
        (j(Difference, &a, &j(Difference, &a, &b)), [1, 1, 0]),
        (
            j(Union, &j(Difference, &a, &c), &j(Difference, &b, &c)),
            [1, 1, 1],
        ),
        (
            j(Union, &j(Difference, &a, &b), &j(Difference, &a, &b)),
            [1, 1, 0],
        ),
    ];
    for (asked, left) in cases {
        let mut parts = Parts::default();
        parts.clear(false);
        let built = build(&mut parts, &asked);
        assert_eq!(often(&parts, built)[..3], left, "{asked:?}");
    }
}

/// Equal shapes are told however they were turned, and others are not taken for them.
#[test]
fn equal_shapes_are_told_by_where_they_reach() {
    let mut parts = Parts::default();
    parts.clear(false);
    let mut put = |shape: Shape, degrees: f64| {
        let raw = parts.shape(shape);
        parts.map(raw, &compose(&shift(20.0, 30.0), &turn(degrees)))
    };
    let ellipse = |rx, ry| Shape::Ellipse { rx, ry };
    let plank = |w, h| Shape::Box { w, h, r: 0.0 };
    let equal = [
        (put(ellipse(5.0, 5.0), 0.0), put(ellipse(5.0, 5.0), 45.0)),
        (put(ellipse(5.0, 3.0), 0.0), put(ellipse(3.0, 5.0), 90.0)),
        (put(plank(8.0, 2.0), 45.0), put(plank(2.0, 8.0), 135.0)),
        (put(plank(8.0, 2.0), 0.0), put(plank(8.0, 2.0), 180.0)),
    ];
    let different = [
        (put(ellipse(5.0, 3.0), 0.0), put(ellipse(5.0, 3.0), 90.0)),
        (put(ellipse(5.0, 3.0), 45.0), put(ellipse(5.0, 3.0), 135.0)),
        (put(plank(8.0, 2.0), 45.0), put(plank(8.0, 2.0), 135.0)),
        (put(plank(8.0, 8.0), 0.0), put(ellipse(4.0, 4.0), 0.0)),
    ];
    assert!(equal.iter().all(|(a, b)| parts.same(*a, *b)));
    assert!(!different.iter().any(|(a, b)| parts.same(*a, *b)));
    // Regions under maps are shapes as well.
    let moved = |parts: &mut Parts, by: f64| {
        let (a, b) = (shape(parts, 0), shape(parts, 1));
        let both = parts.join(Join::Union, a, b);
        parts.map(both, &shift(by, 0.0))
    };
    let (a, b, c) = (
        moved(&mut parts, 4.0),
        moved(&mut parts, 4.0),
        moved(&mut parts, 5.0),
    );
    assert_eq!(parts.join(Join::Union, a, b), a);
    assert_ne!(parts.join(Join::Union, a, c), a);
    assert_eq!(parts.map(a, &IDENTITY), a);
}

/// Chains as long as programs may make them take time in proportion, and regions with more shapes
/// than are looked at stay as they are.
#[test]
fn long_chains_are_left_alone() {
    let mut parts = Parts::default();
    parts.clear(false);
    let mut all = EMPTY;
    for _ in 0..50_000 {
        for which in 0..3 {
            let next = shape(&mut parts, which);
            all = parts.join(Join::Union, all, next);
        }
    }
    assert_eq!(often(&parts, all), [1, 1, 1, 0]);
    let mut many = EMPTY;
    for at in 0..50_000 {
        let disc = parts.shape(Shape::Ellipse { rx: 3.0, ry: 3.0 });
        let next = parts.map_made(disc, &shift(f64::from(at % 200), 0.0));
        many = parts.join(Join::Union, many, next);
    }
    assert!(parts.mark(many).count > MOST);
}
