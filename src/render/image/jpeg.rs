//! JPEG in: the only file that knows zune-jpeg.
//!
//! In: bytes from anyone. Out: pixels, turned as the camera says. Afterwards a file whose end is
//! missing has given what could be read, with a note.

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::{ImageError, MAX_PIXELS, Rgba};

/// Tag of the orientation in the camera's notes (Exif 2.3, 4.6.4).
const ORIENTATION: u16 = 0x0112;

/// Whether bytes begin as a JPEG does.
pub(super) fn is_jpeg(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xff, 0xd8, 0xff])
}

/// The pixels, and what is to be said about the file.
pub(super) fn decode(bytes: &[u8]) -> Result<(Rgba, Option<String>), ImageError> {
    match pixels(bytes, true) {
        Ok(image) => Ok((image, None)),
        Err(error @ ImageError::TooLarge(..)) => Err(error),
        Err(error) => {
            let image = pixels(bytes, false).map_err(|_| error)?;
            let note = "the file is damaged: what could be read of it is used";
            Ok((image, Some(note.to_owned())))
        }
    }
}

fn pixels(bytes: &[u8], strict: bool) -> Result<Rgba, ImageError> {
    let broken = |error: &dyn std::fmt::Debug| ImageError::Jpeg(format!("{error:?}"));
    let side = u16::MAX.into();
    let options = DecoderOptions::default()
        .jpeg_set_out_colorspace(ColorSpace::RGB)
        .set_max_width(side)
        .set_max_height(side)
        .set_strict_mode(strict);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(|e| broken(&e))?;
    let info = decoder.info().ok_or_else(|| broken(&"no header"))?;
    let (width, height) = (u32::from(info.width), u32::from(info.height));
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(ImageError::TooLarge(width, height));
    }
    let rgb = decoder.decode().map_err(|e| broken(&e))?;
    let turn = decoder.exif().and_then(|exif| orientation(exif));
    let count = width as usize * height as usize;
    if rgb.len() != 3 * count || count == 0 {
        return Err(ImageError::Jpeg("its data does not fill it".to_owned()));
    }
    let (pixels, _) = rgb.as_chunks::<3>();
    let data = pixels.iter().flat_map(|[r, g, b]| [*r, *g, *b, 255]);
    let image = Rgba {
        width,
        height,
        data: data.collect(),
    };
    Ok(match turn {
        Some(turn) => turned(&image, turn),
        None => image,
    })
}

/// The orientation in a camera's notes: 2 to 8 for a picture that is to be turned.
fn orientation(exif: &[u8]) -> Option<u16> {
    let exif = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
    let little = exif.starts_with(b"II");
    let short = |at: usize| {
        let bytes: [u8; 2] = exif.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(match little {
            true => u16::from_le_bytes(bytes),
            false => u16::from_be_bytes(bytes),
        })
    };
    let first = match little {
        true => u32::from_le_bytes(exif.get(4..8)?.try_into().ok()?),
        false => u32::from_be_bytes(exif.get(4..8)?.try_into().ok()?),
    } as usize;
    let count = usize::from(short(first)?);
    let entries = (0..count).map(|entry| first + 2 + 12 * entry);
    for at in entries {
        if short(at)? == ORIENTATION {
            return short(at + 8).filter(|turn| (2..=8).contains(turn));
        }
    }
    None
}

/// Turned and mirrored as an orientation says.
fn turned(image: &Rgba, turn: u16) -> Rgba {
    let (w, h) = (image.width as usize, image.height as usize);
    let sideways = turn >= 5;
    let (out_w, out_h) = if sideways { (h, w) } else { (w, h) };
    let mut data = Vec::with_capacity(image.data.len());
    for y in 0..out_h {
        for x in 0..out_w {
            let (from_x, from_y) = match turn {
                2 => (w - 1 - x, y),
                3 => (w - 1 - x, h - 1 - y),
                4 => (x, h - 1 - y),
                5 => (y, x),
                6 => (y, h - 1 - x),
                7 => (w - 1 - y, h - 1 - x),
                8 => (w - 1 - y, x),
                _ => (x, y),
            };
            let at = (from_y * w + from_x) * 4;
            data.extend_from_slice(&image.data[at..at + 4]);
        }
    }
    Rgba {
        width: out_w as u32,
        height: out_h as u32,
        data,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cameras_say_how_a_picture_is_turned() {
        let exif = |turn: u8| {
            let mut bytes = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
            bytes.extend([turn, 0, 0]);
            bytes
        };
        assert_eq!(orientation(&exif(6)), Some(6));
        assert_eq!(orientation(&exif(1)), None);
        let whole = exif(6);
        for end in 0..whole.len() - 3 {
            assert_eq!(orientation(&whole[..end]), None);
        }
    }

    #[test]
    fn turning_moves_every_pixel_to_its_place() {
        // Three across, two down, each pixel its number.
        let image = Rgba {
            width: 3,
            height: 2,
            data: (0..6).flat_map(|n| [n, 0, 0, 255]).collect(),
        };
        let numbers = |turn: u16| {
            let image = turned(&image, turn);
            let all = image.data.chunks_exact(4).map(|p| p[0]);
            (image.width, all.collect::<Vec<u8>>())
        };
        assert_eq!(numbers(3), (3, vec![5, 4, 3, 2, 1, 0]));
        assert_eq!(numbers(6), (2, vec![3, 0, 4, 1, 5, 2]));
        assert_eq!(numbers(8), (2, vec![2, 5, 1, 4, 0, 3]));
        assert_eq!(numbers(5), (2, vec![0, 3, 1, 4, 2, 5]));
        assert_eq!(numbers(7), (2, vec![5, 2, 4, 1, 3, 0]));
        assert_eq!(numbers(2), (3, vec![2, 1, 0, 5, 4, 3]));
        assert_eq!(numbers(4), (3, vec![3, 4, 5, 0, 1, 2]));
    }
}
