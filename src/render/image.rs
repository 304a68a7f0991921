//! PNG in and out, and pictures read for a canvas.
//!
//! In: bytes from anyone. Out: [`Picture`]s and PNG bytes, or `E1001`, `E1002`. A header that
//! promises more than [`MAX_PIXELS`], or data that unpacks to more than it says, is refused
//! before memory is taken. What counts as ink is decided once, in [`ink`].

mod fit;
pub mod intake;
mod jpeg;
mod tone;

use std::io::Cursor;

pub use fit::{Fit, Mode, fit};

use super::Picture;
use super::raster::grey;
use crate::diag::{Code, Diagnostic, codes};
use crate::grammar::ir::{Canvas, CanvasMode};
use crate::source::Span;

/// Most pixels of a picture that is read.
pub const MAX_PIXELS: u64 = 1 << 25;

/// Most bytes the decoder may hold beside the pixels (chunks, palettes).
const MAX_DECODER_BYTES: usize = 32 << 20;

/// Why a file is not a picture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// No bytes at all.
    #[error("the file is empty")]
    Empty,
    /// Of a kind that is not read.
    #[error("{0}; PNG, JPEG and SVG are read")]
    Kind(&'static str),
    /// A broken JPEG.
    #[error("it is not a readable JPEG: {0}")]
    Jpeg(String),
    /// A broken SVG.
    #[error("it is not a readable SVG: {0}")]
    Svg(String),
    /// Not a PNG, or a broken one.
    #[error("it is not a readable PNG: {0}")]
    Broken(String),
    /// More pixels than [`MAX_PIXELS`].
    #[error("it has {0} x {1} pixels; at most {MAX_PIXELS} in all are read")]
    TooLarge(u32, u32),
}

impl ImageError {
    /// Its stable code.
    pub fn code(&self) -> Code {
        match self {
            ImageError::TooLarge(..) => codes::E1002,
            _ => codes::E1001,
        }
    }

    /// The diagnostic about the file called `name`.
    pub fn diagnostic(&self, span: Span, name: &str) -> Diagnostic {
        let message = match self {
            ImageError::TooLarge(..) => format!("{name} is too large a picture"),
            _ => format!("{name} cannot be read as a picture"),
        };
        let base = Diagnostic::new(self.code(), span, message, "").note(self.to_string());
        match self {
            ImageError::TooLarge(..) => base.help("scale the picture down first"),
            _ => base.help("give a PNG file; other formats can be converted"),
        }
    }
}

/// Red, green, blue and alpha, not premultiplied, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rgba {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Four bytes a pixel.
    pub data: Vec<u8>,
}

impl Rgba {
    /// Whether a pixel is more than half transparent: then alpha, not darkness, is ink.
    pub fn is_cut_out(&self) -> bool {
        self.data.chunks_exact(4).any(|p| p[3] < 128)
    }
}

/// Whether a PNG holds an animation.
fn is_animated(bytes: &[u8]) -> bool {
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let info = decoder.read_header_info().map(|_| ());
    let reader = info.and_then(|()| decoder.read_info());
    reader.is_ok_and(|reader| reader.info().animation_control.is_some())
}

/// Reads a PNG of any colour type and depth. Of an animation, the first picture.
pub fn decode_png(bytes: &[u8]) -> Result<Rgba, ImageError> {
    let broken = |error: png::DecodingError| ImageError::Broken(error.to_string());
    let limits = png::Limits {
        bytes: MAX_DECODER_BYTES,
    };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    // Palette, 1 to 4 bits and transparent colours become bytes; 16 bits lose the lower half.
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let (width, height) = {
        let info = decoder.read_header_info().map_err(broken)?;
        (info.width, info.height)
    };
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(ImageError::TooLarge(width, height));
    }
    // The decoder counts its row buffers against the limit too.
    decoder.set_limits(png::Limits {
        bytes: MAX_DECODER_BYTES + 8 * (width as usize + 16),
    });
    let mut reader = decoder.read_info().map_err(broken)?;
    let size = reader
        .output_buffer_size()
        .ok_or(ImageError::TooLarge(width, height))?;
    let mut buffer = vec![0; size];
    let frame = reader.next_frame(&mut buffer).map_err(broken)?;
    buffer.truncate(frame.buffer_size());
    let pixels = width as usize * height as usize;
    let mut data = Vec::with_capacity(pixels * 4);
    let samples = frame.color_type.samples();
    for pixel in buffer.chunks_exact(samples.max(1)) {
        data.extend_from_slice(&match *pixel {
            [v] => [v, v, v, 255],
            [v, a] => [v, v, v, a],
            [r, g, b] => [r, g, b, 255],
            [r, g, b, a] => [r, g, b, a],
            _ => return Err(ImageError::Broken("an unknown colour type".to_owned())),
        });
    }
    if (frame.width, frame.height) != (width, height) || data.len() != pixels * 4 {
        return Err(ImageError::Broken("its data does not fill it".to_owned()));
    }
    Ok(Rgba {
        width,
        height,
        data,
    })
}

/// A picture read for a canvas.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// On the canvas: ink, or colour over the canvas's background.
    pub picture: Picture,
    /// Where the file's pixels went.
    pub fit: Fit,
}

/// Reads a PNG as the target of a canvas, its tones as they are; [`intake`] reads pictures from outside.
pub fn read_target(bytes: &[u8], canvas: &Canvas) -> Result<Target, ImageError> {
    let image = decode_png(bytes)?;
    let size = [f64::from(image.width), f64::from(image.height)];
    let placed = Fit::new(size, canvas, Mode::Contain, 0.0);
    let fitted = fit(&image, &placed, canvas.width, canvas.height);
    let picture = match canvas.mode {
        CanvasMode::Ink => ink(&fitted, image.is_cut_out()),
        CanvasMode::Rgb { background } => over(&fitted, background),
    };
    Ok(Target {
        picture,
        fit: placed,
    })
}

/// The ink of a picture. The rule: in a picture with transparent parts (`cut_out`), alpha is
/// ink, whatever the colour; in an opaque one darkness is ink, black 255 and white 0.
pub fn ink(image: &Rgba, cut_out: bool) -> Picture {
    let data = image.data.chunks_exact(4).map(|p| {
        if cut_out {
            p[3]
        } else {
            let darkness = u32::from(255 - grey([p[0], p[1], p[2]]));
            ((darkness * u32::from(p[3]) + 127) / 255) as u8
        }
    });
    Picture {
        width: image.width,
        height: image.height,
        channels: 1,
        data: data.collect(),
    }
}

/// The colours of a picture over a background.
pub fn over(image: &Rgba, background: [u8; 3]) -> Picture {
    let mut data = Vec::with_capacity(image.data.len() / 4 * 3);
    for p in image.data.chunks_exact(4) {
        let alpha = u32::from(p[3]);
        for (top, under) in p[..3].iter().zip(background) {
            let sum = u32::from(*top) * alpha + u32::from(under) * (255 - alpha);
            data.push(((sum + 127) / 255) as u8);
        }
    }
    Picture {
        width: image.width,
        height: image.height,
        channels: 3,
        data,
    }
}

fn border_is_dark(image: &Rgba) -> bool {
    let (w, h) = (image.width as usize, image.height as usize);
    let darkness = |x: usize, y: usize| match image.data.get((y * w + x) * 4..) {
        Some([r, g, b, ..]) => u64::from(255 - grey([*r, *g, *b])),
        _ => 0,
    };
    let across = (0..w).flat_map(|x| [(x, 0), (x, h.saturating_sub(1))]);
    let down = (0..h).flat_map(|y| [(0, y), (w.saturating_sub(1), y)]);
    let (mut sum, mut count) = (0u64, 0u64);
    for (x, y) in across.chain(down) {
        sum += darkness(x, y);
        count += 1;
    }
    count > 0 && sum > 128 * count
}

/// A picture as PNG: ink as dark on white, colour as it is.
pub fn encode_png(picture: &Picture) -> Vec<u8> {
    encode(std::slice::from_ref(picture), None).unwrap_or_default()
}

/// Pictures of one shape as an animated PNG that runs for ever; each stays for so many
/// milliseconds, the last for as many as the second number says. `None` without pictures, or when
/// they differ in shape. A program that knows no animations shows the last one.
pub fn animation(frames: &[Picture], delay: (u16, u16)) -> Option<Vec<u8>> {
    encode(frames, Some(delay))
}

fn encode(frames: &[Picture], delay: Option<(u16, u16)>) -> Option<Vec<u8>> {
    let last = frames.last()?;
    if frames.iter().any(|frame| !frame.same_shape(last)) {
        return None;
    }
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, last.width, last.height);
    encoder.set_color(match last.channels {
        1 => png::ColorType::Grayscale,
        _ => png::ColorType::Rgb,
    });
    encoder.set_depth(png::BitDepth::Eight);
    if delay.is_some() {
        // The last one stands in front too, outside of the animation.
        encoder.set_animated(frames.len() as u32, 0).ok()?;
        encoder.set_sep_def_img(true).ok()?;
    }
    // Writing to memory fails only for a picture whose size its bytes belie; it has no PNG.
    let mut writer = encoder.write_header().ok()?;
    if let Some((each, at_last)) = delay {
        writer.write_image_data(&shown(last)).ok()?;
        for (at, frame) in frames.iter().enumerate() {
            let stays = if at + 1 == frames.len() {
                at_last
            } else {
                each
            };
            writer.set_frame_delay(stays, 1000).ok()?;
            writer.write_image_data(&shown(frame)).ok()?;
        }
    } else {
        writer.write_image_data(&shown(last)).ok()?;
    }
    writer.finish().ok()?;
    Some(out)
}

/// Bytes as people see them: ink is dark.
fn shown(picture: &Picture) -> std::borrow::Cow<'_, [u8]> {
    match picture.channels {
        1 => picture.data.iter().map(|b| 255 - b).collect(),
        _ => picture.data.as_slice().into(),
    }
}

#[cfg(test)]
mod tests;
