//! The reference: SVG text to pixels by resvg. No other file knows resvg or usvg.
//!
//! In: a scene, or SVG that tdc wrote. Out: a [`Picture`]. Masks that nest deeper than resvg can
//! go are drawn by the coverage engine instead, which gives the same pixels.

use resvg::{tiny_skia, usvg};

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
        title: None,
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

/// Lightness of a colour (Rec. 709), 255 for white.
pub(crate) fn grey([r, g, b]: [u8; 3]) -> u8 {
    let sum = 2126 * u32::from(r) + 7152 * u32::from(g) + 722 * u32::from(b);
    ((sum + 5000) / 10_000) as u8
}
