//! Golden pictures: what the programs of every shipped picture grammar look like.
//!
//! The programs are the grammar's examples and those in `tests/pictures/<grammar>.txt`, one
//! `name: program` a line. Their SVG is kept as `snapshots/pictures/<grammar>-<name>.snap`
//! (`cargo insta review` accepts changes) and their pixels as the `.png` beside it
//! (`UPDATE_PICTURES=1 cargo test --test pictures` accepts). A picture that differs leaves
//! expected, difference and result side by side in `target/pictures/`, where the sheets
//! `all-of-<grammar>.png` show them all.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tdc::diag::render as show;
use tdc::grammar::ir::{Canvas, CanvasMode};
use tdc::render::sketch::{SketchOptions, sketch};
use tdc::render::svg::{self, SvgOptions};
use tdc::render::{Picture, coverage, image, metric, outline, panels, raster};
use tdc::scene::{Content, Region, RegionId, Scene, Shape, eval};
use tdc::source::{Origin, SourceMap, Span};
use tdc::{Compiled, sample};

const HOME: &str = "snapshots/pictures";

/// The shipped grammars that draw, with their names.
fn grammars() -> Vec<(String, Compiled)> {
    let mut all = common::shipped();
    all.retain(|(_, compiled)| compiled.grammar.canvas.is_some());
    all
}

/// The fixed programs of a grammar: names and scenes.
fn scenes(name: &str, compiled: &Compiled) -> Vec<(String, String, Scene)> {
    let mut texts: Vec<(String, String)> = compiled
        .grammar
        .examples
        .iter()
        .map(|(name, example)| (name.clone(), example.program.text.clone()))
        .collect();
    if let Ok(file) = fs::read_to_string(format!("tests/pictures/{name}.txt")) {
        for line in file.lines().filter(|line| !line.trim().is_empty()) {
            let (name, program) = line.split_once(": ").expect("`name: program`");
            texts.push((name.to_owned(), program.to_owned()));
        }
    }
    texts
        .into_iter()
        .map(|(case, text)| {
            let program = compiled
                .parse(&text)
                .unwrap_or_else(|e| panic!("{name} {case}: {e:?}"));
            let scene = eval::lower(&compiled.grammar, &program).expect("it draws");
            (format!("{name}-{case}"), text, scene)
        })
        .collect()
}

/// Pictures compared with those kept; collects what differs.
#[derive(Default)]
struct Golden {
    seen: BTreeSet<String>,
    changed: Vec<String>,
}

impl Golden {
    fn picture(&mut self, name: &str, picture: &Picture) {
        self.seen.insert(name.to_owned());
        let path = Path::new(HOME).join(format!("{name}.png"));
        if std::env::var_os("UPDATE_PICTURES").is_some() {
            fs::create_dir_all(HOME).expect("a folder");
            fs::write(&path, image::encode_png(picture)).expect("written");
            return;
        }
        let Ok(bytes) = fs::read(&path) else {
            self.changed.push(format!("{} is missing", path.display()));
            return;
        };
        let kept = image::decode_png(&bytes).expect("a PNG");
        let kept = match picture.channels {
            1 => image::ink(&kept, false),
            _ => image::over(&kept, [255; 3]),
        };
        // Other machines may round a sine otherwise.
        if metric::share_within(&kept, picture, 2.0 / 255.0) >= 0.999 {
            return;
        }
        let difference = panels::difference(&kept, picture);
        let triptych = panels::side_by_side(&[
            ("expected", &kept),
            ("difference", &difference),
            ("result", picture),
        ]);
        let out = Path::new("target/pictures").join(format!("{name}.png"));
        fs::create_dir_all("target/pictures").expect("a folder");
        fs::write(&out, image::encode_png(&triptych)).expect("written");
        self.changed.push(format!("see {}", out.display()));
    }

    fn text(&mut self, name: &str, text: &str) {
        self.seen.insert(name.to_owned());
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("../snapshots/pictures");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        let check = || settings.bind(|| insta::assert_snapshot!(name, text));
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(check)).is_err() {
            self.changed.push(format!("the text of {name}"));
        }
    }

    fn finish(self) {
        assert!(self.changed.is_empty(), "{:#?}", self.changed);
        let mut left = Vec::new();
        for entry in fs::read_dir(HOME).expect("the folder is there") {
            let path = entry.expect("readable").path();
            let kept = path.file_stem().expect("a name").to_string_lossy();
            let ours = path.extension().is_some_and(|e| e == "png" || e == "snap");
            if ours && !self.seen.contains(kept.as_ref()) {
                left.push(path.display().to_string());
            }
        }
        assert!(left.is_empty(), "pictures without a program: {left:?}");
    }
}

#[test]
fn pictures_are_as_they_were() {
    let mut golden = Golden::default();
    let mut engine = coverage::Engine::new();
    for (name, compiled) in grammars() {
        let cases = scenes(&name, &compiled);
        assert!(
            !cases.is_empty() || compiled.grammar.observe.is_some(),
            "{name} has no pictures"
        );
        let mut pictures: Vec<(&str, Picture)> = Vec::new();
        // Pixels that the engine draws as resvg does, and all.
        let (mut close, mut pixels) = (0.0, 0.0);
        // With an observation model, what it shows is what the language adds.
        let plain = compiled.grammar.observe.is_none();
        for (case, text, scene) in cases.iter().filter(|_| plain) {
            let options = SvgOptions {
                title: Some(text.clone()),
                ..SvgOptions::default()
            };
            let written = svg::write(scene, &options).expect("it is written");
            golden.text(case, &written);
            // What a user opens is what the reference is.
            let picture = raster::rasterize(scene).expect("it is drawn");
            let opened = raster::svg_pixels(&written, &scene.canvas).expect("it is read");
            assert_eq!(
                metric::share_within(&picture, &opened, 1.0 / 255.0),
                1.0,
                "{case}"
            );
            // 99.9 % of all pixels, here and in `tests/agreement.rs`. A single picture may fall short:
            // resvg cuts curves where a mask ends and rounds anew there, which the engine does not.
            let direct = engine.draw(scene).expect("it is drawn");
            let share = metric::share_within(&picture, &direct, 2.0 / 255.0);
            assert!(share >= 0.998, "{case}: {share}");
            close += share * picture.pixels() as f64;
            pixels += picture.pixels() as f64;
            golden.picture(case, &picture);
            pictures.push((case, picture));
        }
        assert!(close >= 0.999 * pixels, "{name}: {close} of {pixels}");
        if name == "csg2d" {
            for (case, _, scene) in &cases {
                let written = outline::outline_svg(scene, &SvgOptions::default());
                golden.text(&format!("{case}-outline"), &written.expect("it is written"));
            }
        }
        if let Some(observe) = &compiled.grammar.observe {
            for (i, (case, _, scene)) in (0u64..).zip(&cases) {
                let mut rng = sample::seeded(i);
                let options = SketchOptions::draw(observe, &scene.canvas, &mut rng);
                let sketch = sketch(scene, options, &mut rng).expect("it is drawn");
                golden.text(
                    &format!("{case}-sketch"),
                    &sketch.svg(&SvgOptions::default()),
                );
                golden.picture(&format!("{case}-sketch"), &sketch.picture());
                pictures.push((case, sketch.picture()));
            }
        }
        // All of a grammar's pictures on one sheet, for people to look at.
        let panels: Vec<(&str, &Picture)> = pictures
            .iter()
            .map(|(case, picture)| (&case[name.len() + 1..], picture))
            .collect();
        let sheet = image::encode_png(&panels::sheet(&panels, 3));
        fs::create_dir_all("target/pictures").expect("a folder");
        fs::write(format!("target/pictures/all-of-{name}.png"), sheet).expect("written");
    }
    // What is said about files that are no pictures.
    let mut sources = SourceMap::new();
    let file = sources.add("target.png", "", Origin::Memory);
    let place = Span::new(file, 0, 0);
    // 8192 x 4097 pixels of one bit: a few kilobytes that would unpack to 128 MiB.
    let mut huge = Vec::new();
    let mut encoder = png::Encoder::new(&mut huge, 8192, 4097);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let mut writer = encoder.write_header().expect("a header");
    let rows = vec![0; 1024 * 4097];
    writer.write_image_data(&rows).expect("the pixels");
    writer.finish().expect("the end");
    for (name, bytes) in [("not-a-png", &b"GIF89a"[..]), ("too-large", &huge)] {
        let error = image::decode_png(bytes).expect_err("it is refused");
        let said = error.diagnostic(place, "target.png");
        golden.text(name, &show::render(&said, &sources, false));
    }
    let error = coverage::Engine::new()
        .draw(&doubled())
        .expect_err("it is refused");
    let said = error.diagnostic(place);
    golden.text("too-many-shapes", &show::render(&said, &sources, false));
    golden.finish();
}

/// A disc beside itself, that beside itself, and so on: a million shapes in forty regions.
fn doubled() -> Scene {
    let mut regions = vec![Region::Shape {
        shape: Shape::Ellipse { rx: 4.0, ry: 4.0 },
        at: [1.0, 0.0, 0.0, 1.0, 8.0, 8.0],
    }];
    for _ in 0..20 {
        let last = RegionId(regions.len() as u32 - 1);
        regions.push(Region::Transform(last, [1.0, 0.0, 0.0, 1.0, 2.0, 1.0]));
        regions.push(Region::Union(last, RegionId(last.0 + 1)));
    }
    let root = RegionId(regions.len() as u32 - 1);
    Scene {
        canvas: Canvas {
            width: 64,
            height: 64,
            mode: CanvasMode::Ink,
            centred: false,
        },
        regions,
        content: Content::Ink(root),
    }
}
