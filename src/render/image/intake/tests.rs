//! Pictures from outside: kinds, sizes, tones, and what is wrong with them.

use super::*;
use crate::Compiled;
use crate::render::image::{animation, encode_png};
use crate::render::svg::{self, Onto, SvgOptions};
use crate::scene::eval::lower;

/// 16 x 8 pixels, the left half black, as a camera would write them.
const JPEG: &[u8] = &[
    0xff, 0xd8, 0xff, 0xe0, 0x00, 0x10, 0x4a, 0x46, 0x49, 0x46, 0x00, 0x01, 0x01, 0x00, 0x00, 0x01,
    0x00, 0x01, 0x00, 0x00, 0xff, 0xdb, 0x00, 0x43, 0x00, 0x0d, 0x09, 0x0a, 0x0b, 0x0a, 0x08, 0x0d,
    0x0b, 0x0a, 0x0b, 0x0e, 0x0e, 0x0d, 0x0f, 0x13, 0x20, 0x15, 0x13, 0x12, 0x12, 0x13, 0x27, 0x1c,
    0x1e, 0x17, 0x20, 0x2e, 0x29, 0x31, 0x30, 0x2e, 0x29, 0x2d, 0x2c, 0x33, 0x3a, 0x4a, 0x3e, 0x33,
    0x36, 0x46, 0x37, 0x2c, 0x2d, 0x40, 0x57, 0x41, 0x46, 0x4c, 0x4e, 0x52, 0x53, 0x52, 0x32, 0x3e,
    0x5a, 0x61, 0x5a, 0x50, 0x60, 0x4a, 0x51, 0x52, 0x4f, 0xff, 0xc0, 0x00, 0x0b, 0x08, 0x00, 0x08,
    0x00, 0x10, 0x01, 0x01, 0x11, 0x00, 0xff, 0xc4, 0x00, 0x15, 0x00, 0x01, 0x01, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x07, 0x08, 0xff, 0xc4, 0x00,
    0x14, 0x10, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0xff, 0xda, 0x00, 0x08, 0x01, 0x01, 0x00, 0x00, 0x3f, 0x00, 0x30, 0x53, 0xaf,
    0xff, 0xd9,
];

fn csg2d() -> Compiled {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    Compiled::load(root.join("grammars/csg2d.tdg")).unwrap()
}

fn tinysvg() -> Compiled {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    Compiled::load(root.join("grammars/tinysvg.tdg")).unwrap()
}

fn taken(bytes: &[u8], options: &Options) -> Intake {
    intake(bytes, &csg2d().grammar, options).unwrap()
}

/// Ink in a rectangle, in pixels.
fn ink_in(picture: &Picture, [x0, y0, x1, y1]: [u32; 4]) -> f64 {
    let row = |y: u32| (y * picture.width + x0) as usize..(y * picture.width + x1) as usize;
    let sum: u64 = (y0..y1)
        .flat_map(|y| &picture.data[row(y)])
        .map(|b| u64::from(*b))
        .sum();
    sum as f64 / 255.0
}

#[test]
fn a_jpeg_is_read_and_scaled() {
    let target = taken(JPEG, &Options::default());
    assert_eq!(target.size, [16.0, 8.0]);
    // Eight times as large, in the middle.
    assert_eq!(
        (target.fit.sx, target.fit.dx, target.fit.dy),
        (8.0, 0.0, 32.0)
    );
    assert!(ink_in(&target.picture, [0, 32, 60, 96]) > 0.98 * 60.0 * 64.0);
    assert!(ink_in(&target.picture, [68, 0, 128, 128]) < 40.0);
    assert_eq!(ink_in(&target.picture, [0, 0, 128, 32]), 0.0);
    assert!(
        target
            .notes
            .iter()
            .any(|n| n.contains("16 x 8 is scaled by 8")),
        "{:?}",
        target.notes
    );
}

#[test]
fn an_svg_is_drawn_at_the_size_of_the_canvas() {
    let svg = r#"<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 48 48">
        <circle cx="24" cy="24" r="12"/></svg>"#;
    let target = taken(svg.as_bytes(), &Options::default());
    assert_eq!(target.size, [24.0, 24.0]);
    // A clear ground: what is opaque is ink, a disc of radius 32.
    let area = ink_in(&target.picture, [0, 0, 128, 128]);
    assert!((area - 3216.99).abs() < 8.0, "{area}");
    let words = svg.replace(
        "<circle",
        "<text>a</text><image href=\"/etc/hosts\"/><circle",
    );
    let target = taken(words.as_bytes(), &Options::default());
    assert!(
        target.notes.iter().any(|n| n.contains("fonts")),
        "{:?}",
        target.notes
    );
    assert!(target.notes.iter().any(|n| n.contains("bitmaps")));
}

#[test]
fn a_picture_can_be_laid_onto_the_canvas_in_three_ways() {
    // Twice as wide as high, its left half black.
    let fit = |fit: Mode, margin: f64| {
        let options = Options {
            fit,
            margin,
            ..Options::default()
        };
        taken(JPEG, &options)
    };
    let cover = fit(Mode::Cover, 0.0);
    assert_eq!(
        (cover.fit.sx, cover.fit.dx, cover.fit.dy),
        (16.0, -64.0, 0.0)
    );
    assert!((ink_in(&cover.picture, [0, 0, 128, 128]) - 8192.0).abs() < 200.0);
    let stretch = fit(Mode::Stretch, 0.0);
    assert_eq!((stretch.fit.sx, stretch.fit.sy), (8.0, 16.0));
    let margin = fit(Mode::Contain, 16.0);
    assert_eq!(
        (margin.fit.sx, margin.fit.dx, margin.fit.dy),
        (6.0, 16.0, 40.0)
    );
    assert_eq!(ink_in(&margin.picture, [0, 0, 16, 128]), 0.0);
    // A margin that leaves nothing leaves a pixel.
    assert!(fit(Mode::Contain, 1e6).fit.sx > 0.0);
}

#[test]
fn light_on_dark_is_said_and_inverted_without_the_bars() {
    let picture = Picture::filled(40, 20, 1, 255);
    let bytes = encode_png(&picture);
    let target = taken(&bytes, &Options::default());
    assert!(
        target.notes.iter().any(|n| n.contains("--invert")),
        "{:?}",
        target.notes
    );
    let options = Options {
        invert: true,
        ..Options::default()
    };
    let inverted = taken(&bytes, &options);
    // White where the picture was black, and paper stays paper beside it.
    assert_eq!(ink_in(&inverted.picture, [0, 0, 128, 128]), 0.0);
    assert!(inverted.notes.iter().any(|n| n.contains("blank")));
}

#[test]
fn animations_give_their_first_picture() {
    let frames = [0, 255].map(|ink| Picture::filled(128, 128, 1, ink));
    let bytes = animation(&frames, (10, 10)).unwrap();
    let target = taken(&bytes, &Options::default());
    assert!(
        target.notes.iter().any(|n| n.contains("animation")),
        "{:?}",
        target.notes
    );
}

#[test]
fn colours_that_cannot_be_painted_are_said() {
    let compiled = tinysvg();
    let take = |color: [u8; 3]| {
        let mut picture = Picture::filled(64, 64, 3, 255);
        for pixel in picture.data.chunks_exact_mut(3).take(64 * 20) {
            pixel.copy_from_slice(&color);
        }
        intake(
            &encode_png(&picture),
            &compiled.grammar,
            &Options::default(),
        )
        .unwrap()
    };
    let red = take([255, 0, 0]);
    assert!(
        !red.notes.iter().any(|n| n.contains("cannot paint")),
        "{:?}",
        red.notes
    );
    let other = take([180, 40, 50]);
    let note = other
        .notes
        .iter()
        .find(|n| n.contains("cannot paint"))
        .unwrap();
    assert!(
        note.contains("31 %") && note.contains("as #ff0000"),
        "{note}"
    );
    assert_eq!(other.picture, red.picture);
}

#[test]
fn what_is_no_picture_is_refused_with_a_reason() {
    let grammar = csg2d().grammar;
    let refused = |bytes: &[u8]| {
        let error = intake(bytes, &grammar, &Options::default()).unwrap_err();
        error.to_string()
    };
    assert!(refused(b"").contains("empty"));
    assert!(refused(b"GIF89a").contains("GIF"));
    assert!(refused(b"hello").contains("PNG, JPEG and SVG"));
    assert!(refused(b"<svg").contains("SVG"));
    assert!(refused(&[0xff, 0xd8, 0xff, 0xe0]).contains("JPEG"));
    let deep = format!("<svg>{}{}</svg>", "<g>".repeat(900), "</g>".repeat(900));
    assert!(refused(deep.as_bytes()).contains("SVG"));
    let long = format!("<svg>{}</svg>", " ".repeat(17 << 20));
    assert!(refused(long.as_bytes()).contains("MiB"));
}

#[test]
fn damaged_files_of_every_kind_are_answered() {
    let grammar = csg2d().grammar;
    let png = encode_png(&Picture::filled(9, 9, 1, 99));
    let svg = br#"<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="4" height="4"/></svg>"#;
    let jpeg = Options::default();
    let mut read = 0;
    for whole in [JPEG, &png, svg] {
        for end in 0..whole.len() {
            read += usize::from(intake(&whole[..end], &grammar, &jpeg).is_ok());
            let mut spoiled = whole.to_vec();
            spoiled[end] ^= 0x55;
            read += usize::from(intake(&spoiled, &grammar, &jpeg).is_ok());
        }
    }
    assert!(read > 0, "some damage can be lived with");
}

#[test]
fn what_stands_for_too_much_ends() {
    // Each stands for ten of the one before.
    let mut uses = String::from(r#"<g id="a0"><rect width="1" height="1"/></g>"#);
    for level in 1..12 {
        let ten = format!(r##"<use href="#a{}"/>"##, level - 1).repeat(10);
        uses.push_str(&format!(r#"<g id="a{level}">{ten}</g>"#));
    }
    let entities: String = (1..12)
        .map(|n| format!("<!ENTITY e{n} \"{}\">", format!("&e{};", n - 1).repeat(10)))
        .collect();
    let bombs = [
        format!(r#"<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">{uses}</svg>"#),
        format!(
            r#"<!DOCTYPE svg [<!ENTITY e0 "<g/>">{entities}]><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">&e11;</svg>"#
        ),
    ];
    for bomb in bombs {
        // That it ends is what counts.
        let _ = intake(bomb.as_bytes(), &csg2d().grammar, &Options::default());
    }
}

#[test]
fn results_lie_over_the_original() {
    let compiled = csg2d();
    let program = compiled
        .parse("(- (Circle 4 8 8) (Quad 10 6 5 4 45))")
        .unwrap();
    let scene = lower(&compiled.grammar, &program).unwrap();
    let own = svg::write(&scene, &SvgOptions::default()).unwrap();
    // The canvas as an original of another size and proportion.
    for (size, fit) in [
        ([300.0, 200.0], Mode::Contain),
        ([50.0, 80.0], Mode::Cover),
        ([24.0, 75.0], Mode::Stretch),
    ] {
        let canvas = compiled.grammar.canvas.as_ref().unwrap();
        let onto = Onto {
            size,
            fit: Fit::new(size, canvas, fit, 3.0).inverse(),
        };
        let options = SvgOptions {
            onto: Some(onto),
            ..SvgOptions::default()
        };
        for over in [
            svg::write(&scene, &options).unwrap(),
            crate::render::outline::outline_svg(&scene, &options).unwrap(),
        ] {
            let options = Options {
                fit,
                margin: 3.0,
                ..Options::default()
            };
            // Read as a target, it is where the program draws it.
            let again = taken(over.as_bytes(), &options);
            assert_eq!(again.size, size);
            let direct = taken(own.as_bytes(), &Options::default());
            let iou = crate::render::metric::iou(&again.picture, &direct.picture);
            assert!(iou > 0.985, "{fit:?} {iou}\n{over}");
        }
    }
}
