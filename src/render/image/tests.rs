//! Pictures written and read, and damaged files.

use super::super::testing::{canvas, random_ink, random_layers};
use super::*;
use crate::render::raster::rasterize;

/// A PNG of these parts, with correct checksums.
fn png(header: &[u8; 13], chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    let all = std::iter::once((b"IHDR", &header[..])).chain(chunks.iter().copied());
    for (name, data) in all.chain([(b"IEND", &[][..])]) {
        out.extend((data.len() as u32).to_be_bytes());
        let from = out.len();
        out.extend(name);
        out.extend(data);
        let crc = out[from..].iter().fold(!0u32, |crc, b| {
            (0..8).fold(crc ^ u32::from(*b), |c, _| {
                (c >> 1) ^ (0xedb8_8320 & (c & 1).wrapping_neg())
            })
        });
        out.extend((!crc).to_be_bytes());
    }
    out
}

fn header(width: u32, height: u32, depth: u8, color: u8) -> [u8; 13] {
    let mut out = [0; 13];
    out[..4].copy_from_slice(&width.to_be_bytes());
    out[4..8].copy_from_slice(&height.to_be_bytes());
    out[8] = depth;
    out[9] = color;
    out
}

fn encode(
    width: u32,
    height: u32,
    color: png::ColorType,
    depth: png::BitDepth,
    bytes: &[u8],
) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width, height);
    encoder.set_color(color);
    encoder.set_depth(depth);
    if color == png::ColorType::Indexed {
        encoder.set_palette(vec![0, 0, 0, 255, 0, 0]);
        encoder.set_trns(vec![255, 0]);
    }
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(bytes).unwrap();
    writer.finish().unwrap();
    out
}

#[test]
fn what_is_written_is_read_back() {
    for seed in 0..20 {
        let ink = rasterize(&random_ink(seed, true)).unwrap();
        let target = read_target(&encode_png(&ink), &canvas(CanvasMode::Ink)).unwrap();
        assert_eq!(target.picture, ink);
        let colors = rasterize(&random_layers(seed)).unwrap();
        let mode = CanvasMode::Rgb {
            background: [9, 9, 9],
        };
        let target = read_target(&encode_png(&colors), &canvas(mode)).unwrap();
        assert_eq!(target.picture, colors);
        assert!(target.fit.is_identity());
    }
}

#[test]
fn every_kind_of_png_is_read() {
    use png::{BitDepth, ColorType};
    let read =
        |color, depth, bytes: &[u8]| decode_png(&encode(2, 1, color, depth, bytes)).unwrap().data;
    let (dark, light) = ([0, 0, 0, 255], [255, 255, 255, 255]);
    let both = [dark, light].concat();
    assert_eq!(
        read(ColorType::Grayscale, BitDepth::One, &[0b0100_0000]),
        both
    );
    assert_eq!(
        read(ColorType::Grayscale, BitDepth::Two, &[0b0011_0000]),
        both
    );
    assert_eq!(read(ColorType::Grayscale, BitDepth::Four, &[0x0f]), both);
    assert_eq!(read(ColorType::Grayscale, BitDepth::Eight, &[0, 255]), both);
    assert_eq!(
        read(ColorType::Grayscale, BitDepth::Sixteen, &[0, 9, 255, 9]),
        both
    );
    assert_eq!(
        read(ColorType::GrayscaleAlpha, BitDepth::Eight, &[7, 8, 9, 10]),
        [7, 7, 7, 8, 9, 9, 9, 10]
    );
    assert_eq!(
        read(
            ColorType::Rgb,
            BitDepth::Sixteen,
            &[1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0]
        ),
        [1, 2, 3, 255, 4, 5, 6, 255]
    );
    assert_eq!(
        read(ColorType::Rgba, BitDepth::Eight, &[1, 2, 3, 4, 5, 6, 7, 8]),
        [1, 2, 3, 4, 5, 6, 7, 8]
    );
    assert_eq!(
        read(ColorType::Indexed, BitDepth::One, &[0b0100_0000]),
        [0, 0, 0, 255, 255, 0, 0, 0]
    );
}

#[test]
fn promises_of_too_many_pixels_are_refused() {
    let huge = png(&header(100_000, 100_000, 8, 2), &[(b"IDAT", &[])]);
    assert_eq!(
        decode_png(&huge),
        Err(ImageError::TooLarge(100_000, 100_000))
    );
    let most = png(&header(u32::MAX >> 1, u32::MAX >> 1, 16, 6), &[]);
    assert!(decode_png(&most).is_err());
    let wide = png(&header(1 << 25, 1, 16, 6), &[]);
    assert!(matches!(decode_png(&wide), Err(ImageError::Broken(_))));
}

#[test]
fn a_bomb_does_not_go_off() {
    // 4 MiB of zeros shrink to a few KiB; here they stand for one row of one pixel.
    let zeros = vec![0u8; 4 << 20];
    let packed = encode(
        2048,
        2048,
        png::ColorType::Grayscale,
        png::BitDepth::Eight,
        &zeros,
    );
    let at = packed.windows(4).position(|w| w == b"IDAT").unwrap();
    let length = u32::from_be_bytes(packed[at - 4..at].try_into().unwrap()) as usize;
    let data = &packed[at + 4..at + 4 + length];
    let bomb = png(&header(1, 1, 8, 0), &[(b"IDAT", data)]);
    assert_eq!(decode_png(&bomb).unwrap().data, [0, 0, 0, 255]);
    let hidden = png(&header(1, 1, 8, 0), &[(b"zTXt", data), (b"iCCP", data)]);
    assert!(decode_png(&hidden).is_err());
}

#[test]
fn damaged_files_are_errors() {
    let good = encode_png(&rasterize(&random_ink(1, true)).unwrap());
    for bytes in [&b""[..], b"hello", &good[..20], &good[..good.len() / 2]] {
        assert!(matches!(decode_png(bytes), Err(ImageError::Broken(_))));
    }
    // Any one byte changed: an error or a picture of the same size, never a panic.
    for i in 0..good.len() {
        let mut bad = good.clone();
        bad[i] ^= 0x55;
        if let Ok(image) = decode_png(&bad) {
            assert_eq!((image.width, image.height), (128, 128));
        }
    }
}

/// All of a picture in the middle of a canvas.
fn contained(image: &Rgba, width: u32, height: u32) -> (Rgba, Fit) {
    let canvas = Canvas {
        width,
        height,
        ..canvas(CanvasMode::Ink)
    };
    let size = [f64::from(image.width), f64::from(image.height)];
    let placed = Fit::new(size, &canvas, Mode::Contain, 0.0);
    (fit(image, &placed, width, height), placed)
}

#[test]
fn fitting_keeps_proportions_and_ink() {
    // A wide black picture on a square canvas: bands above and below stay empty.
    let black = Rgba {
        width: 300,
        height: 100,
        data: [0, 0, 0, 255].repeat(30_000),
    };
    let (fitted, placed) = contained(&black, 60, 60);
    let wanted = Fit {
        sx: 0.2,
        sy: 0.2,
        dx: 0.0,
        dy: 20.0,
    };
    assert_eq!(placed, wanted);
    assert_eq!(placed.inverse().inverse(), wanted);
    let ink = ink(&fitted, false);
    let full = ink.data.iter().filter(|b| **b == 255).count();
    assert_eq!(
        (full, ink.data.iter().filter(|b| **b == 0).count()),
        (1200, 2400)
    );
}

#[test]
fn shrinking_is_the_mean_of_areas() {
    // Columns of 0 and 240 over three pixels shrunk to two: 1.5 columns each.
    let row: Vec<u8> = [0u8, 240, 0]
        .iter()
        .flat_map(|v| [*v, *v, *v, 255])
        .collect();
    let image = Rgba {
        width: 3,
        height: 3,
        data: row.repeat(3),
    };
    let (small, _) = contained(&image, 2, 2);
    assert!(small.data.chunks_exact(4).all(|p| p == [80, 80, 80, 255]));
    // Enlarging repeats pixels, and does not invent any.
    let (large, _) = contained(&image, 6, 6);
    assert_eq!(&large.data[..8], [0, 0, 0, 255, 0, 0, 0, 255]);
    // Transparent pixels have no say in the colour.
    let row = [200, 0, 0, 255, 0, 0, 255, 0];
    let two = Rgba {
        width: 2,
        height: 2,
        data: row.repeat(2),
    };
    let (one, _) = contained(&two, 1, 1);
    assert_eq!(one.data, [200, 0, 0, 128]);
}

#[test]
fn ink_is_darkness_or_alpha() {
    let opaque = Rgba {
        width: 3,
        height: 1,
        data: vec![0, 0, 0, 255, 255, 255, 255, 255, 128, 128, 128, 255],
    };
    assert_eq!(ink(&opaque, opaque.is_cut_out()).data, [255, 0, 127]);
    let cut_out = Rgba {
        width: 2,
        height: 1,
        data: vec![255, 255, 255, 255, 0, 0, 0, 0],
    };
    assert!(cut_out.is_cut_out());
    assert_eq!(ink(&cut_out, true).data, [255, 0]);
}

#[test]
fn an_animation_holds_every_frame_and_shows_the_last() {
    let frames: Vec<Picture> = (0..5).map(|at| Picture::filled(6, 4, 3, 40 * at)).collect();
    let bytes = animation(&frames, (120, 2500)).unwrap();
    // What knows no animations sees the last.
    assert_eq!(decode_png(&bytes).unwrap().data[..3], [160; 3]);
    let mut reader = png::Decoder::new(Cursor::new(&bytes)).read_info().unwrap();
    let control = reader.info().animation_control.unwrap();
    assert_eq!((control.num_frames, control.num_plays), (5, 0));
    let mut buffer = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut buffer).unwrap();
    for (at, frame) in frames.iter().enumerate() {
        reader.next_frame(&mut buffer).unwrap();
        assert_eq!(buffer, frame.data);
        let delay = reader.info().frame_control.unwrap();
        let stays = if at == 4 { 2500 } else { 120 };
        assert_eq!((delay.delay_num, delay.delay_den), (stays, 1000));
    }
    let other = Picture::filled(6, 5, 3, 0);
    assert_eq!(animation(&[frames[0].clone(), other], (1, 1)), None);
    assert_eq!(animation(&[], (1, 1)), None);
}
