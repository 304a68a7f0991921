//! The standard library, and the paper's languages against the geometry they promise.

use super::eval::lower;
use super::{Bounds, Content, Layer, Paint, Region, Scene, Shape, bounds};
use crate::Compiled;
use crate::grammar::colors;
use crate::tree::parse;

fn shipped(name: &str) -> Compiled {
    let path = format!("{}/grammars/{name}.tdg", env!("CARGO_MANIFEST_DIR"));
    match Compiled::load(&path) {
        Ok(compiled) => compiled,
        Err(error) => panic!("{error}"),
    }
}

fn drawn(compiled: &Compiled, program: &str) -> Scene {
    let program = parse::parse(&compiled.grammar, &compiled.syntax, program).expect("it parses");
    lower(&compiled.grammar, &program).expect("it is drawn")
}

fn layers(scene: &Scene) -> &[Layer] {
    match &scene.content {
        Content::Layers(layers) => layers,
        Content::Ink(_) => panic!("TinySVG has colours"),
    }
}

/// Where a layer is drawn.
fn place(scene: &Scene, layer: &Layer) -> Bounds {
    let (x, y) = layer.offset;
    bounds(scene, layer.region).shifted(f64::from(x), f64::from(y))
}

fn close(found: Bounds, wanted: [f64; 4]) {
    let found = [found.x0, found.y0, found.x1, found.y1];
    let near = found.iter().zip(&wanted).all(|(a, b)| (a - b).abs() < 1e-9);
    assert!(near, "{found:?} is not {wanted:?}");
}

#[test]
fn every_function_of_the_standard_library_is_what_it_says() {
    let mut modules: Vec<String> =
        std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/stdlib"))
            .expect("stdlib is there")
            .map(|entry| {
                let name = entry.expect("an entry").file_name();
                name.to_string_lossy().trim_end_matches(".tdg").to_string()
            })
            .collect();
    modules.sort();
    assert_eq!(
        modules,
        [
            "color",
            "cover",
            "layout",
            "math",
            "paint",
            "shape",
            "transform"
        ]
    );
    let uses: String = modules.iter().map(|m| format!("use std.{m}\n")).collect();
    let text = format!(
        "language all\n{uses}start One\ncanvas 9 x 9 rgb\nsample size 1..=1\n\
         sort One {{ @primitive X = \"x\" }}\n\
         fn a() -> Num = math.clamp(math.lerp(1, 3, 0.5), 0, 1) + math.sign(-3) + math.length(3, 4) + b()\n\
         fn b() -> Num = if cover.disc_covers_disc(2, 1, 1, 0) and not cover.discs_apart(2, 1, 1, 0) then 0 else 9\n\
         draw One -> Drawing {{ X => paint.fill(\n\
            shape.ring(a(), 2) |> transform.turn_about(math.polar(2, 90), 90), color.lighten(red, 0.5))\n\
            |> layout.beside(paint.blank(), a()) }}\n"
    );
    let compiled = match Compiled::from_text("all", &text) {
        Ok(compiled) => compiled,
        Err(error) => panic!("{error}"),
    };
    // clamp gives 1, sign -1, length 5; the ring turns about (0, 2).
    let scene = drawn(&compiled, "x");
    let layer = &layers(&scene)[0];
    close(place(&scene, layer), [-3.0, -3.0, 7.0, 7.0]);
    assert_eq!(layer.paint, Paint::Fill([255, 128, 128, 255]));
}

#[test]
fn every_colour_of_css_is_declared_in_the_library() {
    let text = include_str!("../../stdlib/color.tdg");
    for name in colors::names() {
        let line = format!("builtin fn {name}() -> Color");
        assert!(text.lines().any(|l| l == line), "{name} is missing");
    }
}

#[test]
fn csg2d_is_drawn_on_its_grid() {
    let compiled = shipped("csg2d");
    // A disc of radius 8 r about (8 x, 8 y).
    let circle = drawn(&compiled, "(Circle 3 4 5)");
    assert_eq!(
        circle.regions,
        [Region::Shape {
            shape: Shape::Ellipse { rx: 24.0, ry: 24.0 },
            at: [1.0, 0.0, 0.0, 1.0, 32.0, 40.0],
        }]
    );
    // A rectangle about (8 x, 8 y), turned about its centre.
    let quad = drawn(&compiled, "(Quad 10 6 4 2 45)");
    let root_half = 0.5f64.sqrt();
    let Region::Shape { shape, at } = &quad.regions[0] else {
        panic!("{:?}", quad.regions)
    };
    assert_eq!(
        *shape,
        Shape::Box {
            w: 32.0,
            h: 16.0,
            r: 0.0
        }
    );
    let wanted = [root_half, root_half, -root_half, root_half, 80.0, 48.0];
    assert!(
        at.iter().zip(&wanted).all(|(a, b)| (a - b).abs() < 1e-12),
        "{at:?}"
    );
    let upright = drawn(&compiled, "(Quad 10 6 4 2 90)");
    let Content::Ink(id) = upright.content else {
        panic!("ink")
    };
    close(bounds(&upright, id), [72.0, 32.0, 88.0, 64.0]);
    // (a - b) + (c - d), nested as it is written.
    let nested = drawn(
        &compiled,
        "(+ (- (Circle 6 8 8) (Circle 3 8 8)) (- (Quad 4 4 2 2 0) (Circle 0 1 1)))",
    );
    let shape = |i: usize| matches!(nested.regions[i], Region::Shape { .. });
    assert!(shape(0) && shape(1) && shape(3) && shape(4));
    let id = |i: u32| super::RegionId(i);
    assert_eq!(nested.regions[2], Region::Difference(id(0), id(1)));
    assert_eq!(nested.regions[5], Region::Difference(id(3), id(4)));
    assert_eq!(nested.regions[6], Region::Union(id(2), id(5)));
    assert_eq!(nested.content, Content::Ink(id(6)));
}

/// Pixels of the canvas in a step of 6 on a canvas of 224.
const STEP: f64 = 6.0 * 128.0 / 224.0;

#[test]
fn tinysvg_shapes_are_scaled_and_centred() {
    let compiled = shipped("tinysvg");
    let scene = drawn(&compiled, "(Rectangle 7 3 purple orange 4)");
    let both = layers(&scene);
    assert_eq!(both[0].paint, Paint::Fill([0x80, 0, 0x80, 255]));
    // border / 2, scaled.
    let Paint::Stroke { color, width } = both[1].paint else {
        panic!("{both:?}")
    };
    assert_eq!(color, [0xff, 0xa5, 0, 255]);
    assert!((width - 4.0 / 2.0 * 128.0 / 224.0).abs() < 1e-12);
    assert_eq!(both[0].region, both[1].region);
    // 24 wide, in the middle; the stroke does not matter.
    let (w, h) = (7.0 * STEP, 3.0 * STEP);
    let middle = [
        64.0 - w / 2.0,
        64.0 - h / 2.0,
        64.0 + w / 2.0,
        64.0 + h / 2.0,
    ];
    close(place(&scene, &both[0]), middle);
    let scene = drawn(&compiled, "(Ellipse 7 3 none black 1)");
    assert_eq!(layers(&scene).len(), 1);
    close(place(&scene, &layers(&scene)[0]), middle);
}

#[test]
fn tinysvg_arranges_by_bounds_and_moves_without_them() {
    let compiled = shipped("tinysvg");
    // Half widths 12 and 6.857..: the second's offset is 12 + 6.857 + 4 / 7 * 3 = 20.571 -> 21.
    let scene = drawn(
        &compiled,
        "(Arrange h (Rectangle 7 7 red none 0) (Rectangle 4 2 blue none 0) 3)",
    );
    let both = layers(&scene);
    let offset = (12.0 + 2.0 * STEP + 3.0 * 128.0 / 224.0f64).round() as i32;
    assert_eq!(offset, 21);
    assert_eq!(both[1].offset.0 - both[0].offset.0, offset);
    assert_eq!(both[1].offset.1, both[0].offset.1);
    // The whole, from -12 to 21 + 6.857, has its middle at 7.93; it moves to 64.
    assert_eq!(both[0].offset, (56, 64));
    // One below the other, without a gap: 12 + 3.43 = 15.43 -> 15.
    let scene = drawn(
        &compiled,
        "(Arrange v (Rectangle 7 7 red none 0) (Rectangle 4 2 blue none 0) 0)",
    );
    let both = layers(&scene);
    assert_eq!(both[1].offset.1 - both[0].offset.1, 15);
    // A moved drawing is drawn elsewhere, 7 steps or 24 pixels to the right and 2 steps or 6.86
    // up, but arranged and centred as if it had stayed.
    let still = drawn(
        &compiled,
        "(Arrange h (Rectangle 7 7 red none 0) (Rectangle 4 2 blue none 0) 3)",
    );
    let moved = drawn(
        &compiled,
        "(Arrange h (Move (Rectangle 7 7 red none 0) +7 -2) (Rectangle 4 2 blue none 0) 3)",
    );
    let (still, moved) = (layers(&still), layers(&moved));
    assert_eq!(moved[1], still[1]);
    assert_eq!(
        moved[0].offset,
        (still[0].offset.0 + 24, still[0].offset.1 - 7)
    );
}

#[test]
fn a_subtrees_picture_does_not_depend_on_where_it_lands() {
    let compiled = shipped("tinysvg");
    let part = "(Arrange v (Ellipse 5 3 red black 3) (Move (Rectangle 2 9 blue none 0) -3 +4) 5)";
    let alone = drawn(&compiled, part);
    let inside = drawn(
        &compiled,
        &format!("(Arrange h (Rectangle 3 3 green none 1) (Move {part} +1 -1) 7)"),
    );
    let (alone_layers, inside_layers) = (layers(&alone), &layers(&inside)[1..]);
    assert_eq!(alone_layers.len(), inside_layers.len());
    let by = (
        inside_layers[0].offset.0 - alone_layers[0].offset.0,
        inside_layers[0].offset.1 - alone_layers[0].offset.1,
    );
    for (a, b) in alone_layers.iter().zip(inside_layers) {
        assert_eq!((a.offset.0 + by.0, a.offset.1 + by.1), b.offset);
        assert_eq!(a.paint, b.paint);
        // The very same numbers, so the very same pixels.
        assert_eq!(
            alone.regions[a.region.0 as usize],
            inside.regions[b.region.0 as usize]
        );
    }
}
