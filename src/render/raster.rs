//! The reference: SVG text to pixels by resvg. No other file knows resvg or usvg.
//!
//! In: a scene, or SVG that tdc wrote. Out: a [`Picture`]. Masks that nest deeper than resvg can
//! go are drawn by the coverage engine instead, which gives the same pixels.

use resvg::{tiny_skia, usvg};

use super::image::{ImageError, Rgba};
use super::svg::{self, SvgOptions};
use super::{Picture, RenderError, coverage, plan};
use crate::grammar::ir::{Canvas, CanvasMode};
use crate::scene::Scene;

/// Deepest nesting of masks and groups that goes to resvg. It recurses, and holds layers for each
/// level: a stack of 512 KiB is enough for about 100 levels, one of 2 MiB for more than 200.
pub const MAX_DEPTH: u32 = 64;

/// Draws a scene by way of its SVG.
pub fn rasterize(scene: &Scene) -> Result<Picture, RenderError> {
    let plan = plan::lower(scene)?;
    coverage::check_canvas(&scene.canvas)?;
    if plan.depths().into_iter().max().unwrap_or(0) > MAX_DEPTH {
        return coverage::Engine::new().draw(scene);
    }
    let options = SvgOptions {
        // Ink is what covers; paper would only have to be taken away again.
        transparent: matches!(scene.canvas.mode, CanvasMode::Ink),
        ..SvgOptions::default()
    };
    let text = svg::write_plan(scene, &plan, &options)?;
    svg_pixels(&text, &scene.canvas)
}

/// Draws SVG text at its own size onto a canvas. On a canvas for ink, darkness over white paper
/// is ink. Errors: text that is not SVG, a canvas too large.
pub fn svg_pixels(text: &str, canvas: &Canvas) -> Result<Picture, RenderError> {
    let reference = |error: usvg::Error| RenderError::Reference(error.to_string());
    let tree = usvg::Tree::from_str(text, &usvg::Options::default()).map_err(reference)?;
    let mut pixmap = tiny_skia::Pixmap::new(canvas.width, canvas.height)
        .ok_or(RenderError::Canvas(canvas.width, canvas.height))?;
    if let CanvasMode::Rgb {
        background: [r, g, b],
    } = canvas.mode
    {
        pixmap.fill(tiny_skia::Color::from_rgba8(r, g, b, 255));
    }
    let still = tiny_skia::Transform::identity();
    resvg::render(&tree, still, &mut pixmap.as_mut());
    let mut picture = Picture::blank(canvas);
    let channels = usize::from(picture.channels);
    for (out, pixel) in picture.data.chunks_exact_mut(channels).zip(pixmap.pixels()) {
        // Premultiplied, so `255 - alpha` is what shines through of white paper.
        let paper = 255 - pixel.alpha();
        let seen = [pixel.red(), pixel.green(), pixel.blue()].map(|c| c.saturating_add(paper));
        match out {
            [ink] => *ink = 255 - grey(seen),
            _ => out.copy_from_slice(&seen),
        }
    }
    Ok(picture)
}

/// An SVG from anyone, drawn.
pub(crate) struct Drawn {
    pub(crate) image: Rgba,
    /// Its own width and height.
    pub(crate) size: [f64; 2],
    /// What of it was left out.
    pub(crate) notes: Vec<String>,
}

/// Longest text of an SVG in bytes.
const MAX_SVG: usize = 16 << 20;
/// Deepest nesting of its elements.
const MAX_NESTING: usize = 200;
/// Its stack: what elements stand for may nest deeper than they do.
const STACK: usize = 256 << 20;

/// Draws SVG text from anyone on a clear ground, its longer side `across` pixels. Nothing outside of the
/// text is read.
pub(crate) fn draw_svg(text: &str, across: u32) -> Result<Drawn, ImageError> {
    if text.len() > MAX_SVG {
        let most = MAX_SVG >> 20;
        return Err(ImageError::Svg(format!("it is longer than {most} MiB")));
    }
    let failed = |reason: &str| ImageError::Svg(reason.to_owned());
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK);
        let drawing = thread.spawn_scoped(scope, || draw_within(text, across));
        let drawing = drawing.map_err(|_| failed("there is no thread to draw it"))?;
        drawing.join().map_err(|_| failed("it cannot be drawn"))?
    })
}

fn draw_within(text: &str, across: u32) -> Result<Drawn, ImageError> {
    let broken = |error: &dyn std::fmt::Display| ImageError::Svg(error.to_string());
    let parsing = usvg::roxmltree::ParsingOptions {
        allow_dtd: true,
        ..usvg::roxmltree::ParsingOptions::default()
    };
    let document = usvg::roxmltree::Document::parse_with_options(text, parsing);
    let document = document.map_err(|e| broken(&e))?;
    let mut notes = Vec::new();
    let (mut words, mut bitmaps) = (0, 0);
    // The nesting of a node is its parent's and one; parents come first.
    let mut nesting = std::collections::BTreeMap::new();
    for node in document.descendants() {
        let parent = node
            .parent()
            .and_then(|parent| nesting.get(&parent.id().get()));
        let deep = parent.map_or(0, |deep: &usize| deep + 1);
        if deep > MAX_NESTING {
            let error = format!("its elements nest deeper than {MAX_NESTING}");
            return Err(ImageError::Svg(error));
        }
        nesting.insert(node.id().get(), deep);
        match node.tag_name().name() {
            "text" => words += 1,
            "image" => bitmaps += 1,
            _ => {}
        }
    }
    if words > 0 {
        notes.push("text is left out: no fonts are read. Turn it into paths first".to_owned());
    }
    if bitmaps > 0 {
        notes.push("bitmaps inside the SVG are left out".to_owned());
    }
    let options = usvg::Options {
        image_href_resolver: usvg::ImageHrefResolver {
            resolve_data: Box::new(|_, _, _| None),
            resolve_string: Box::new(|_, _| None),
        },
        ..usvg::Options::default()
    };
    let tree = usvg::Tree::from_xmltree(&document, &options).map_err(|e| broken(&e))?;
    let (width, height) = (
        f64::from(tree.size().width()),
        f64::from(tree.size().height()),
    );
    let scale = f64::from(across) / width.max(height);
    let side = |length: f64| (length * scale).round().clamp(1.0, f64::from(across)) as u32;
    let (w, h) = (side(width), side(height));
    let mut pixmap = tiny_skia::Pixmap::new(w, h).ok_or(ImageError::TooLarge(w, h))?;
    let (sx, sy) = (f64::from(w) / width, f64::from(h) / height);
    let transform = tiny_skia::Transform::from_scale(sx as f32, sy as f32);
    resvg::render(&tree, transform, &mut pixmap.as_mut());
    let pixels = pixmap.pixels().iter().flat_map(|pixel| {
        let color = pixel.demultiply();
        [color.red(), color.green(), color.blue(), color.alpha()]
    });
    Ok(Drawn {
        image: Rgba {
            width: w,
            height: h,
            data: pixels.collect(),
        },
        size: [width, height],
        notes,
    })
}

/// Lightness of a colour (Rec. 709), 255 for white.
pub(crate) fn grey([r, g, b]: [u8; 3]) -> u8 {
    let sum = 2126 * u32::from(r) + 7152 * u32::from(g) + 722 * u32::from(b);
    ((sum + 5000) / 10_000) as u8
}
