//! Programs of small grammars, drawn; the numbers are worked out by hand.

use super::eval::{NotDrawable, Workspace, lower, lower_in};
use super::{Bounds, Content, Layer, Paint, Region, RegionId, Scene, Shape, bounds};
use crate::Compiled;
use crate::tree::parse;

const BLACK: [u8; 4] = [0, 0, 0, 255];

/// A grammar whose only program, `x`, draws `body` on a canvas of 100 x 100.
fn language(canvas: &str, ty: &str, body: &str) -> String {
    format!(
        "language one\n\
         use std.shape.{{disc, ellipse, box, rounded_box, ring, polygon, regular, star, segment, polyline, empty, everything, union_of}}\n\
         use std.transform.{{shift, turn, scale, mirror_x, mirror_y}}\n\
         use std.paint.{{fill, stroke, blank, over, stack}}\n\
         use std.layout.{{beside, above, nudge, place, width, height}}\n\
         use std.math.{{count, sum}}\n\
         start One\n\
         canvas 100 x 100 {canvas}\n\
         sample size 1..=1\n\
         sort One {{ @primitive X = \"x\" }}\n\
         draw One -> {ty} {{ X => {body} }}\n"
    )
}

fn compile(text: &str) -> Compiled {
    match Compiled::from_text("one", text) {
        Ok(compiled) => compiled,
        Err(error) => panic!("{error}\n{text}"),
    }
}

fn drawn(text: &str, program: &str) -> Scene {
    let compiled = compile(text);
    let program = parse::parse(&compiled.grammar, &compiled.syntax, program).expect("it parses");
    lower(&compiled.grammar, &program).expect("the program is drawn")
}

/// The region that `body` draws.
fn region(body: &str) -> Region {
    let scene = drawn(&language("ink", "Region", body), "x");
    match scene.content {
        Content::Ink(id) => scene.regions[id.0 as usize].clone(),
        Content::Layers(_) => panic!("ink is a region"),
    }
}

fn region_bounds(body: &str) -> [f64; 4] {
    let scene = drawn(&language("ink", "Region", body), "x");
    match scene.content {
        Content::Ink(id) => sides(bounds(&scene, id)),
        Content::Layers(_) => panic!("ink is a region"),
    }
}

fn sides(b: Bounds) -> [f64; 4] {
    [b.x0, b.y0, b.x1, b.y1]
}

fn drawing(body: &str) -> (Scene, Vec<Layer>) {
    let scene = drawn(&language("rgb", "Drawing", body), "x");
    match scene.content.clone() {
        Content::Layers(layers) => (scene, layers),
        Content::Ink(_) => panic!("rgb has layers"),
    }
}

/// Where each layer is: the bounds of its region, moved by its offset.
fn places(body: &str) -> Vec<[f64; 4]> {
    let (scene, layers) = drawing(body);
    layers
        .iter()
        .map(|layer| {
            let (x, y) = layer.offset;
            sides(bounds(&scene, layer.region).shifted(f64::from(x), f64::from(y)))
        })
        .collect()
}

fn close(found: [f64; 4], wanted: [f64; 4]) {
    let near = found.iter().zip(&wanted).all(|(a, b)| (a - b).abs() < 1e-9);
    assert!(near, "{found:?} is not {wanted:?}");
}

#[test]
fn maps_are_carried_out_in_the_order_they_are_written() {
    // Turned by a quarter, (10, 0) is below the origin; then it is moved.
    let placed = region("disc(3) |> shift(10, 0) |> turn(90) |> shift(5, 7)");
    let disc = Shape::Ellipse { rx: 3.0, ry: 3.0 };
    assert_eq!(
        placed,
        Region::Shape {
            shape: disc,
            at: [0.0, 1.0, -1.0, 0.0, 5.0, 17.0]
        }
    );
    close(
        region_bounds("box(10, 4) |> scale(2, 3) |> mirror_x() |> shift(1, 0)"),
        [-9.0, -6.0, 11.0, 6.0],
    );
}

#[test]
fn a_map_of_a_combination_reaches_its_shapes() {
    let scene = drawn(
        &language(
            "ink",
            "Region",
            "(disc(4) - box(2, 2) |> shift(3, 0)) |> scale(2, 2)",
        ),
        "x",
    );
    assert!(
        scene
            .regions
            .iter()
            .all(|r| !matches!(r, Region::Transform(..)))
    );
    close(
        region_bounds("((disc(4) - box(2, 2)) |> turn(45)) + disc(1)"),
        [-4.0, -4.0, 4.0, 4.0],
    );
    close(
        region_bounds("(box(6, 6) & (disc(2) |> shift(3, 0))) |> turn(90)"),
        [-2.0, 1.0, 2.0, 3.0],
    );
}

#[test]
fn what_is_empty_or_everything_is_left_out() {
    assert_eq!(region("disc(4) & empty()"), Region::Empty);
    assert_eq!(region("scale(disc(4), 0, 1)"), Region::Empty);
    assert_eq!(region("everything() |> turn(30)"), Region::Everything);
    assert_eq!(region("empty() - disc(1)"), Region::Empty);
    assert_eq!(region("union_of([])"), Region::Empty);
    assert_eq!(region("polygon([(0, 0), (1, 1)])"), Region::Empty);
    assert_eq!(region("regular(2, 5)"), Region::Empty);
    assert!(matches!(
        region("(disc(4) + empty()) & everything()"),
        Region::Shape { .. }
    ));
    let (_, layers) =
        drawing("fill(empty(), black) + fill(disc(2), none) + stroke(disc(2), 0, black)");
    assert_eq!(layers, []);
}

#[test]
fn numbers_out_of_bounds_are_tamed() {
    assert_eq!(
        region("box(1 / 0, 10 ^ 300)"),
        Region::Shape {
            shape: Shape::Box {
                w: 0.0,
                h: 1e6,
                r: 0.0
            },
            at: [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]
        }
    );
    let scene = drawn(
        &language(
            "ink",
            "Region",
            "disc(-3) |> scale(10 ^ 300, 10 ^ 300) |> scale(10 ^ 9, 1) |> shift(10 ^ 300, 0 / 0)",
        ),
        "x",
    );
    for region in &scene.regions {
        if let Region::Shape {
            shape: Shape::Ellipse { rx, ry },
            at,
        } = region
        {
            assert_eq!((*rx, *ry), (0.0, 0.0));
            assert!(at.iter().all(|x| x.abs() <= 1e6), "{at:?}");
        }
    }
    // A corner radius is at most half of the lesser side.
    assert!(matches!(
        region("rounded_box(10, 4, 9)"),
        Region::Shape {
            shape: Shape::Box { r: 2.0, .. },
            ..
        }
    ));
}

#[test]
fn lines_and_corners() {
    close(
        region_bounds("segment((0, 0), (10, 0), 4)"),
        [-2.0, -2.0, 12.0, 2.0],
    );
    // A line through one place is a dot.
    assert_eq!(
        region("polyline([(3, 5), (3, 5)], 4)"),
        Region::Shape {
            shape: Shape::Ellipse { rx: 2.0, ry: 2.0 },
            at: [1.0, 0.0, 0.0, 1.0, 3.0, 5.0]
        }
    );
    let half = 10.0 * (3f64).sqrt() / 2.0;
    close(region_bounds("regular(3, 10)"), [-half, -10.0, half, 5.0]);
    match region("star(5, 10, 4)") {
        Region::Shape {
            shape: Shape::Polygon(points),
            ..
        } => {
            assert_eq!(points.len(), 10);
            assert_eq!(points[0], (0.0, -10.0));
            let (x, y) = points[1];
            assert!(((x * x + y * y).sqrt() - 4.0).abs() < 1e-12 && x > 0.0 && y < 0.0);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn layers_are_painted_in_order_and_share_their_region() {
    let (_, layers) = drawing("fill(disc(4), red) + stroke(disc(4), 2, black)");
    assert_eq!(layers[0].paint, Paint::Fill([255, 0, 0, 255]));
    assert_eq!(
        layers[1].paint,
        Paint::Stroke {
            color: BLACK,
            width: 2.0
        }
    );
    let shared = "let d = disc(4) + box(2, 9) in fill(d, red) + (stroke(d, 2, black) |> turn(30))";
    let (scene, layers) = drawing(shared);
    assert_eq!(layers[0].region, RegionId(2));
    // The turned stroke is another region; both are there once.
    assert_eq!(scene.regions.len(), 6);
    let (_, over) = drawing("over(fill(disc(1), red), fill(disc(2), black))");
    assert_eq!(over[0].paint, Paint::Fill(BLACK));
    let (scene, layers) =
        drawing("let d = disc(4) in (fill(d, red) + stroke(d, 2, black)) |> turn(30)");
    assert_eq!(
        (scene.regions.len(), layers[0].region),
        (1, layers[1].region)
    );
}

#[test]
fn neighbours_are_set_by_their_bounds_in_whole_pixels() {
    let beside = places("beside(fill(box(10, 10), red), fill(box(4, 20), red), 3)");
    assert_eq!(beside, [[-5.0, -5.0, 5.0, 5.0], [8.0, -10.0, 12.0, 10.0]]);
    let above = places("above(fill(box(10, 10), red), fill(box(4, 20), red), 3)");
    assert_eq!(above, [[-5.0, -5.0, 5.0, 5.0], [-2.0, 8.0, 2.0, 28.0]]);
    // 5 + 2 / 2 = 6 and 0.5 more rounds to 7; then the gap is half a pixel more.
    let half = places("beside(fill(box(10, 10), red), fill(box(2, 2), red), 0.5)");
    assert_eq!(half[1], [6.0, -1.0, 8.0, 1.0]);
    // A stroke does not change bounds.
    let stroked = places("beside(stroke(box(10, 10), 6, red), fill(box(2, 2), red), 0)");
    assert_eq!(stroked[1], [5.0, -1.0, 7.0, 1.0]);
    // A blank is no neighbour, and so is a background.
    assert_eq!(
        places("beside(blank(), fill(box(2, 2), red), 9)"),
        [[-1.0, -1.0, 1.0, 1.0]]
    );
    let background = places("beside(fill(everything(), blue), fill(box(2, 2), red), 9)");
    assert_eq!(background[1], [-1.0, -1.0, 1.0, 1.0]);
    // Something unpainted is one.
    let unpainted = places("beside(fill(box(10, 10), none), fill(box(2, 2), red), 0)");
    assert_eq!(unpainted, [[5.0, -1.0, 7.0, 1.0]]);
}

#[test]
fn a_nudge_moves_layers_and_a_place_moves_bounds_too() {
    let nudged = places("beside(nudge(fill(box(10, 10), red), 50.5, 1), fill(box(2, 2), red), 0)");
    assert_eq!(nudged, [[46.0, -4.0, 56.0, 6.0], [5.0, -1.0, 7.0, 1.0]]);
    let placed = places("beside(place(fill(box(10, 10), red), 50, 1), fill(box(2, 2), red), 0)");
    assert_eq!(placed, [[45.0, -4.0, 55.0, 6.0], [55.0, 0.0, 57.0, 2.0]]);
    let shifted = places("shift(fill(box(10, 10), red), -0.5, 0.4)");
    assert_eq!(shifted, [[-6.0, -5.0, 4.0, 5.0]]);
}

#[test]
fn drawings_are_turned_and_scaled_with_their_strokes_and_offsets() {
    let body =
        "scale(place(fill(box(4, 2), red) + stroke(box(4, 2), 3, black), 10, 0) |> turn(90), 2, 2)";
    let (scene, layers) = drawing(body);
    close(
        sides(bounds(&scene, layers[0].region)),
        [-2.0, 16.0, 2.0, 24.0],
    );
    assert_eq!(layers[0].offset, (0, 0));
    assert!(matches!(layers[1].paint, Paint::Stroke { width, .. } if (width - 6.0).abs() < 1e-12));
    assert_eq!(region_size(body), (4.0, 8.0));
}

/// Width and height of a drawing, as draw code sees them.
fn region_size(body: &str) -> (f64, f64) {
    let b = region_bounds(&format!("let d = {body} in box(width(d), height(d))"));
    (b[2] - b[0], b[3] - b[1])
}

#[test]
fn the_finished_drawing_is_centred_by_whole_pixels() {
    let scene = drawn(
        &language(
            "rgb on white, centred",
            "Drawing",
            "fill(box(11, 4) |> shift(7, 0), red)",
        ),
        "x",
    );
    let Content::Layers(layers) = &scene.content else {
        panic!("layers")
    };
    // From (7, 0) to (50, 50).
    assert_eq!(layers[0].offset, (43, 50));
    let ink = drawn(
        &language("ink, centred", "Region", "disc(5) |> shift(0.4, 0)"),
        "x",
    );
    let Content::Ink(id) = ink.content else {
        panic!("ink")
    };
    close(sides(bounds(&ink, id)), [45.4, 45.0, 55.4, 55.0]);
    let nothing = drawn(&language("ink, centred", "Region", "empty()"), "x");
    assert_eq!(nothing.regions, [Region::Empty]);
}

const LIST: &str = "language list
use std.shape.{disc, box, union_of, polyline}
use std.transform.{shift}
use std.math.{count, sum}
start Row
canvas 100 x 100 ink
sample size 1..=3
token N = 0..=9
token Word = /[a-z]+/ length 1..=4
token Kind = \"round\" | \"square\"
sort Row { Row = \"[\" first:N? \":\" numbers:N* @weight(0.1) \":\" dots:Dot* \":\" name:Word \"]\" }
sort Dot { @primitive Dot = kind:Kind x:N }
draw Dot -> Region {
    Dot => let r = if kind == \"round\" then 1 else 2 in disc(r) |> shift(10 * x, 0)
}
draw Row -> Region {
    Row => union_of(dots) + (box(sum(numbers), count(numbers)) |> shift(first ?? -50, 100 * count(dots) + count(name)))
}
";

#[test]
fn lists_options_texts_and_choices() {
    let compiled = compile(LIST);
    let find = |text: &str| {
        let program = parse::parse(&compiled.grammar, &compiled.syntax, text).expect("it parses");
        let scene = lower(&compiled.grammar, &program).expect("it is drawn");
        let Content::Ink(id) = scene.content else {
            panic!("ink")
        };
        (scene.clone(), sides(bounds(&scene, id)))
    };
    let (scene, whole) = find("[ : 1 2 3 : round 1 square 4 : abc ]");
    close(whole, [-53.0, -2.0, 42.0, 204.5]);
    assert_eq!(scene.regions.len(), 5);
    let (scene, whole) = find("[ 7 : : : ab ]");
    // No numbers: a box without width and height, at (7, 2).
    close(whole, [7.0, 2.0, 7.0, 2.0]);
    assert_eq!(scene.regions.len(), 1);
}

const NEST: &str = "language nest
use std.shape.{disc, box}
use std.transform.{shift, turn, scale}
use std.paint.{fill, stroke}
use std.layout.{nudge, beside}
start S
canvas 100 x 100 MODE
sample size 1..=3
sort S {
    @primitive Dot = \"o\"
    @weight(0.1) Shift = \"s\" of:S
    @weight(0.1) Turn = \"t\" of:S
    Pair = \"(\" a:S b:S \")\"
    Twice = \"2\" of:S @primitive
}
";

fn nest(ink: bool) -> Compiled {
    let text = NEST.replace(
        "Twice = \"2\" of:S @primitive",
        "@primitive Twice = \"2\" of:S",
    );
    let arms = if ink {
        "draw S -> Region { Dot => disc(1), Shift => shift(of, 1, 0), Turn => turn(of, 90), Pair => a + b, Twice => of + scale(shift(of, 1, 0), 0.9, 0.9) }"
    } else {
        "draw S -> Drawing { Dot => fill(disc(1), red), Shift => nudge(of, 1, 0), Turn => turn(of, 90), Pair => beside(a, b, 1), Twice => of + of }"
    };
    compile(&(text.replace("MODE", if ink { "ink" } else { "rgb" }) + arms))
}

fn lower_text(compiled: &Compiled, text: &str) -> Result<Scene, NotDrawable> {
    let program = parse::parse(&compiled.grammar, &compiled.syntax, text).expect("it parses");
    lower(&compiled.grammar, &program)
}

#[test]
fn deep_programs_are_drawn_in_linear_time() {
    let compiled = nest(true);
    // Each level adds a shape and moves all those below.
    let depth = 20_000;
    let text = "s ( o ".repeat(depth) + "o" + &")".repeat(depth);
    let start = std::time::Instant::now();
    let program = parse::parse(&compiled.grammar, &compiled.syntax, &text).expect("it parses");
    let scene = lower(&compiled.grammar, &program).expect("it is drawn");
    // The two shapes of the innermost level are one.
    assert_eq!(scene.regions.len(), 2 * depth - 1);
    let Content::Ink(id) = scene.content else {
        panic!("ink")
    };
    close(
        sides(bounds(&scene, id)),
        [0.0, -1.0, depth as f64 + 1.0, 1.0],
    );
    // Copying at each level would take 200,000,000 copies.
    assert!(start.elapsed().as_secs() < 20);

    let compiled = nest(false);
    let text = "s ( o ".repeat(depth) + "o" + &")".repeat(depth);
    let scene = lower_text(&compiled, &text).expect("it is drawn");
    let Content::Layers(layers) = &scene.content else {
        panic!("layers")
    };
    assert_eq!(layers.len(), depth + 1);
    assert_eq!(layers[1].offset.0, 2 + 3);
}

#[test]
fn pictures_that_double_at_each_level_are_refused() {
    let limit = NotDrawable::TooManyParts(1 << 20);
    for ink in [true, false] {
        let compiled = nest(ink);
        let few = "2 t ".repeat(5) + "o";
        assert!(lower_text(&compiled, &few).is_ok());
        let many = "2 t ".repeat(60) + "o";
        assert_eq!(lower_text(&compiled, &many).err(), Some(limit.clone()));
    }
}

#[test]
fn functions_that_call_others_over_and_over_are_refused() {
    let mut text = language("ink", "Region", "disc(f60(1))");
    text.push_str("fn f0(x: Num) -> Num = x + 1\n");
    for i in 1..=60 {
        text.push_str(&format!(
            "fn f{i}(x: Num) -> Num = f{0}(x) + f{0}(x)\n",
            i - 1
        ));
    }
    let compiled = compile(&text);
    let outcome = lower_text(&compiled, "x");
    assert!(
        matches!(outcome, Err(NotDrawable::TooMuchWork(_))),
        "{outcome:?}"
    );
}

#[test]
fn a_workspace_is_as_good_as_new_after_each_program() {
    let mut workspace = Workspace::new();
    let (ink, rgb) = (nest(true), nest(false));
    for text in ["( o t s o )", "t 2 2 o", "o"] {
        for compiled in [&ink, &rgb] {
            let program = parse::parse(&compiled.grammar, &compiled.syntax, text).expect("parses");
            let again = lower_in(&mut workspace, &compiled.grammar, &program);
            assert_eq!(again, lower(&compiled.grammar, &program));
            assert_eq!(again.err(), None);
        }
    }
    // Also after one that was refused.
    let many = "2 t ".repeat(60) + "o";
    let program = parse::parse(&ink.grammar, &ink.syntax, &many).expect("parses");
    assert!(lower_in(&mut workspace, &ink.grammar, &program).is_err());
    let program = parse::parse(&ink.grammar, &ink.syntax, "s o").expect("parses");
    let scene = lower_in(&mut workspace, &ink.grammar, &program);
    assert_eq!(scene, lower(&ink.grammar, &program));
}

#[test]
fn the_deepest_calls_that_check_fit_the_stack() {
    // 24 functions, each 40 deep, through one another: 960 of the 1000 that are allowed.
    let mut text = language("ink", "Region", "disc(f23(3))");
    for i in 0..24 {
        let inner = if i == 0 {
            "x".to_string()
        } else {
            format!("f{}(x)", i - 1)
        };
        let (open, close) = ("if x > 0 then 1 + (".repeat(20), ") else 0".repeat(20));
        text.push_str(&format!("fn f{i}(x: Num) -> Num = {open}{inner}{close}\n"));
    }
    let scene = drawn(&text, "x");
    // Each of the 24 functions adds 20.
    match &scene.regions[0] {
        Region::Shape { shape, .. } => assert_eq!(
            *shape,
            Shape::Ellipse {
                rx: 483.0,
                ry: 483.0
            }
        ),
        other => panic!("{other:?}"),
    }
}
