//! A picture from outside as the target of a language: PNG, JPEG or SVG, of any size and tone.
//!
//! In: bytes from anyone, a grammar, [`Options`]. Out: [`Intake`]: the target, where it lies on the canvas,
//! and remarks on what was done to it. Afterwards the target has the canvas's size and channels; what
//! the picture does not cover is paper, or the background; smooth edges and noise are as they were but
//! for the stretching of tones.

use serde::{Deserialize, Serialize};

use super::fit::{Fit, Mode, fit};
use super::{ImageError, Rgba, border_is_dark, decode_png, ink, is_animated, jpeg, over, tone};
use crate::grammar::ir::{CanvasMode, Grammar};
use crate::render::bits::Palette;
use crate::render::svg::number;
use crate::render::{Picture, raster};

/// Largest file that is read.
pub const MAX_BYTES: u64 = 256 << 20;
/// An SVG is drawn at so many times the canvas's size, and shrunk.
const FINER: u32 = 4;

/// How a picture becomes a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// How it is laid onto the canvas.
    pub fit: Mode,
    /// Pixels of the canvas that stay free at each side.
    pub margin: f64,
    /// Lightness, 0 to 1, from which on there is no ink; found when not given.
    pub threshold: Option<f64>,
    /// The picture is light on dark.
    pub invert: bool,
}

/// A target.
#[derive(Clone, Debug, PartialEq)]
pub struct Intake {
    /// On the canvas: ink, or colour over the background.
    pub picture: Picture,
    /// Width and height of the original, in its own pixels or units.
    pub size: [f64; 2],
    /// From the original to the canvas.
    pub fit: Fit,
    /// What was done, and what looks wrong.
    pub notes: Vec<String>,
}

/// Pixels of a file.
struct Source {
    image: Rgba,
    /// Width and height in the file's own units.
    size: [f64; 2],
    notes: Vec<String>,
}

/// Reads a picture as the target of a grammar's canvas.
///
/// # Errors
///
/// When it is empty, too large, of a kind that is not read, or broken.
pub fn intake(bytes: &[u8], grammar: &Grammar, options: &Options) -> Result<Intake, ImageError> {
    let Some(canvas) = &grammar.canvas else {
        return Err(ImageError::Kind("the grammar draws no pictures"));
    };
    let Source {
        mut image,
        size,
        mut notes,
    } = read(bytes, FINER * canvas.width.max(canvas.height))?;
    let cut_out = image.is_cut_out();
    if options.invert {
        invert(&mut image, cut_out && canvas.mode == CanvasMode::Ink);
    }
    match canvas.mode {
        CanvasMode::Ink if cut_out => {
            if options.threshold.is_some() {
                notes.push(
                    "ink is what is opaque, so there is no threshold of lightness".to_owned(),
                );
            }
        }
        CanvasMode::Ink => {
            if !options.invert && border_is_dark(&image) {
                let note = "the picture's border is dark; if it is light on dark, add --invert";
                notes.push(note.to_owned());
            }
            let threshold = options.threshold.map(|share| share * 255.0);
            let sketch = grammar.observe.is_some();
            notes.extend(tone::ink_and_paper(&mut image, threshold, sketch));
        }
        CanvasMode::Rgb { .. } => {
            if options.threshold.is_some() {
                notes.push("the canvas has colours, so there is no threshold".to_owned());
            }
            let palette = Palette::new(grammar, &Picture::blank(canvas));
            notes.extend(tone::onto_palette(&mut image, &palette));
        }
    }
    let pixels = [f64::from(image.width), f64::from(image.height)];
    let placed = Fit::new(pixels, canvas, options.fit, options.margin);
    let fitted = fit(&image, &placed, canvas.width, canvas.height);
    let picture = match canvas.mode {
        CanvasMode::Ink => ink(&fitted, cut_out),
        CanvasMode::Rgb { background } => over(&fitted, background),
    };
    let blank = Picture::blank(canvas);
    if picture == blank {
        notes.push("the target is blank: there is nothing on it to be drawn".to_owned());
    }
    let fit = placed.per(pixels[0] / size[0], pixels[1] / size[1]);
    if !fit.is_identity() {
        let by = match (fit.sx - fit.sy).abs() < 1e-9 {
            true => number(fit.sx, 4),
            false => format!(
                "{} across and {} down",
                number(fit.sx, 4),
                number(fit.sy, 4)
            ),
        };
        notes.push(format!(
            "{} x {} is scaled by {by} and moved by ({}, {}) onto the canvas of {} x {}",
            number(size[0], 2),
            number(size[1], 2),
            number(fit.dx, 2),
            number(fit.dy, 2),
            canvas.width,
            canvas.height
        ));
    }
    Ok(Intake {
        picture,
        size,
        fit,
        notes,
    })
}

/// The pixels of a file; an SVG is drawn so that its longer side has `across` pixels or more.
fn read(bytes: &[u8], across: u32) -> Result<Source, ImageError> {
    let of_pixels = |image: Rgba, notes: Vec<String>| Source {
        size: [f64::from(image.width), f64::from(image.height)],
        image,
        notes,
    };
    if bytes.is_empty() {
        return Err(ImageError::Empty);
    }
    if jpeg::is_jpeg(bytes) {
        let (image, note) = jpeg::decode(bytes)?;
        return Ok(of_pixels(image, note.into_iter().collect()));
    }
    if bytes.starts_with(b"\x89PNG") {
        let mut notes = Vec::new();
        if is_animated(bytes) {
            notes.push("an animation: its first picture is used".to_owned());
        }
        return Ok(of_pixels(decode_png(bytes)?, notes));
    }
    if let Some(kind) = other_kind(bytes) {
        return Err(ImageError::Kind(kind));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if text.contains("<svg") => {
            let raster::Drawn { image, size, notes } = raster::draw_svg(text, across)?;
            Ok(Source { image, size, notes })
        }
        _ => Err(ImageError::Kind("it is no picture that is known")),
    }
}

/// Kinds of files that people try.
fn other_kind(bytes: &[u8]) -> Option<&'static str> {
    let kinds: [(&[u8], &str); 8] = [
        (b"GIF8", "it is a GIF"),
        (b"BM", "it is a BMP"),
        (b"II*\0", "it is a TIFF"),
        (b"MM\0*", "it is a TIFF"),
        (b"%PDF", "it is a PDF"),
        (b"RIFF", "it is a WebP"),
        (b"\x1f\x8b", "it is compressed: unpack an .svgz first"),
        (b"\0\0\0", "it is an AVIF, a HEIC or an icon"),
    ];
    let mut kinds = kinds.into_iter();
    kinds
        .find(|(start, _)| bytes.starts_with(start))
        .map(|(_, kind)| kind)
}

/// The negative: of what is opaque, or of colours.
fn invert(image: &mut Rgba, of_alpha: bool) {
    for pixel in image.data.chunks_exact_mut(4) {
        let from = if of_alpha { 3..4 } else { 0..3 };
        pixel[from].iter_mut().for_each(|c| *c = 255 - *c);
    }
}

#[cfg(test)]
mod tests;
