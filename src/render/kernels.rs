//! The 8-bit arithmetic of coverage, over rectangles of bytes.
//!
//! In: rectangles, each a slice that begins at its first byte, and its stride. Out: rectangles
//! combined, or painted with a colour. Afterwards every byte is what the one-byte formulas below
//! say: rounding is that of the rasteriser's 16-bit pipeline. The loops go over arrays of a fixed
//! length, which the compiler turns into vector instructions, and stand in the binary for several
//! processors (`multiversion`).

use multiversion::multiversion;

/// How two coverages are combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Join {
    /// `a + b - ab`.
    Union,
    /// `a (1 - b)`.
    Difference,
    /// `ab`.
    Intersection,
}

/// `v / 255` of a product of two bytes, rounded as the rasteriser does.
#[inline(always)]
fn div255(v: u16) -> u16 {
    // A product is at most 65,025, so this fits.
    (v + 255) >> 8
}

#[inline(always)]
fn union(a: u8, b: u8) -> u8 {
    let rest = div255(u16::from(a) * u16::from(255 - b));
    b.saturating_add(rest as u8)
}

/// A mask lets `255 - ink` through where resvg takes the luminance of what is left of white: the
/// same but for a few values that it rounds up.
#[inline(always)]
fn difference(a: u8, b: u8) -> u8 {
    div255(u16::from(a) * u16::from(255 - b)) as u8
}

/// The luminance of white ink is the ink.
#[inline(always)]
fn intersection(a: u8, b: u8) -> u8 {
    div255(u16::from(a) * u16::from(b)) as u8
}

/// A rectangle to read.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) stride: usize,
}

/// A rectangle to write.
pub(crate) struct Sink<'a> {
    pub(crate) bytes: &'a mut [u8],
    pub(crate) stride: usize,
}

/// One chunk of `N` bytes from column `x` on, if all three rows hold so many.
#[inline(always)]
fn chunk<const N: usize>(
    (out, a, b): (&mut [u8], &[u8], &[u8]),
    x: usize,
    op: impl Fn(u8, u8) -> u8,
) {
    let (Some(out), Some(a), Some(b)) = (
        out.get_mut(x..).and_then(|r| r.first_chunk_mut::<N>()),
        a.get(x..).and_then(|r| r.first_chunk::<N>()),
        b.get(x..).and_then(|r| r.first_chunk::<N>()),
    ) else {
        return;
    };
    // By value: the compiler need not fear that they overlap.
    let (a, b) = (*a, *b);
    let mut made = [0; N];
    for i in 0..N {
        made[i] = op(a[i], b[i]);
    }
    *out = made;
}

/// A row in chunks of `N`; the last overlaps the one before it. The row has `N` bytes or more.
#[inline(always)]
fn chunks<const N: usize>(
    (out, a, b): (&mut [u8], &[u8], &[u8]),
    op: impl Fn(u8, u8) -> u8 + Copy,
) {
    let width = out.len();
    let mut x = 0;
    while x + N <= width {
        chunk::<N>((out, a, b), x, op);
        x += N;
    }
    if x < width {
        chunk::<N>((out, a, b), width - N, op);
    }
}

#[inline(always)]
fn each(
    out: Sink<'_>,
    a: Source<'_>,
    b: Source<'_>,
    (width, height): (usize, usize),
    op: impl Fn(u8, u8) -> u8 + Copy,
) {
    for y in 0..height {
        let (Some(out), Some(a), Some(b)) = (
            out.bytes.get_mut(y * out.stride..y * out.stride + width),
            a.bytes.get(y * a.stride..y * a.stride + width),
            b.bytes.get(y * b.stride..y * b.stride + width),
        ) else {
            return;
        };
        match width {
            32.. => chunks::<32>((out, a, b), op),
            16.. => chunks::<16>((out, a, b), op),
            8.. => chunks::<8>((out, a, b), op),
            _ => {
                for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
                    *out = op(*a, *b);
                }
            }
        }
    }
}

/// Combines two rectangles of one size into a third.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl+avx512dq", "x86_64+avx2"))]
pub(crate) fn join(how: Join, out: Sink<'_>, a: Source<'_>, b: Source<'_>, size: (usize, usize)) {
    match how {
        Join::Union => each(out, a, b, size, union),
        Join::Difference => each(out, a, b, size, difference),
        Join::Intersection => each(out, a, b, size, intersection),
    }
}

/// What is not covered.
pub(crate) fn invert(out: Sink<'_>, a: Source<'_>, (width, height): (usize, usize)) {
    for y in 0..height {
        let rows = (
            out.bytes.get_mut(y * out.stride..y * out.stride + width),
            a.bytes.get(y * a.stride..y * a.stride + width),
        );
        if let (Some(out), Some(a)) = rows {
            for (out, a) in out.iter_mut().zip(a) {
                *out = 255 - *a;
            }
        }
    }
}

/// The same.
pub(crate) fn copy(out: Sink<'_>, a: Source<'_>, (width, height): (usize, usize)) {
    for y in 0..height {
        let rows = (
            out.bytes.get_mut(y * out.stride..y * out.stride + width),
            a.bytes.get(y * a.stride..y * a.stride + width),
        );
        if let (Some(out), Some(a)) = rows {
            out.copy_from_slice(a);
        }
    }
}

/// One value everywhere.
pub(crate) fn fill(out: Sink<'_>, value: u8, (width, height): (usize, usize)) {
    for y in 0..height {
        if let Some(out) = out.bytes.get_mut(y * out.stride..y * out.stride + width) {
            out.fill(value);
        }
    }
}

/// Pixels of a chunk of colour.
const PIXELS: usize = 32;
const CHANNELS: usize = 3 * PIXELS;

/// The ink of each pixel at each of its channels.
#[inline(always)]
fn spread(ink: &[u8; PIXELS]) -> [u8; CHANNELS] {
    let mut out = [0; CHANNELS];
    for (i, ink) in ink.iter().enumerate() {
        out[3 * i] = *ink;
        out[3 * i + 1] = *ink;
        out[3 * i + 2] = *ink;
    }
    out
}

/// `from (1 - t) + to t`.
#[inline(always)]
fn opaque(under: u8, top: u8, ink: u8) -> u8 {
    let (under, top) = (u16::from(under), u16::from(top));
    div255(under * u16::from(255 - ink) + top * u16::from(ink)) as u8
}

/// A colour multiplied with its alpha, over what is there.
#[inline(always)]
fn faint(under: u8, top: u8, ink: u8, alpha: u8) -> u8 {
    let ink = u16::from(ink);
    let left = 255 - div255(u16::from(alpha) * ink);
    let top = div255(u16::from(top) * ink) as u8;
    top.saturating_add(div255(u16::from(under) * left) as u8)
}

#[inline(always)]
fn paint_each(
    out: Sink<'_>,
    ink: Source<'_>,
    (width, height): (usize, usize),
    color: &[u8; CHANNELS],
    op: impl Fn(u8, u8, u8) -> u8 + Copy,
) {
    let dab = |pixels: &mut [u8; CHANNELS], ink: &[u8; PIXELS]| {
        let (ink, under) = (spread(ink), *pixels);
        let mut made = [0; CHANNELS];
        for i in 0..CHANNELS {
            made[i] = op(under[i], color[i], ink[i]);
        }
        *pixels = made;
    };
    for y in 0..height {
        let (Some(out), Some(ink)) = (
            out.bytes
                .get_mut(y * out.stride..y * out.stride + 3 * width),
            ink.bytes.get(y * ink.stride..y * ink.stride + width),
        ) else {
            return;
        };
        let (pixels, last_pixels) = out.as_chunks_mut::<CHANNELS>();
        let mut pixels = pixels.iter_mut();
        let (inks, last) = ink.as_chunks::<PIXELS>();
        for (pixels, ink) in pixels.by_ref().zip(inks) {
            if *ink != [0; PIXELS] {
                dab(pixels, ink);
            }
        }
        if last.iter().any(|ink| *ink != 0) {
            let (mut pixels, mut ink) = ([0; CHANNELS], [0; PIXELS]);
            ink[..last.len()].copy_from_slice(last);
            // Not all of the rest need be there: `out` has three bytes for each byte of ink.
            pixels[..last_pixels.len()].copy_from_slice(last_pixels);
            dab(&mut pixels, &ink);
            let len = last_pixels.len();
            last_pixels.copy_from_slice(&pixels[..len]);
        }
    }
}

/// Paints a colour (red, green, blue, alpha) where there is ink; `out` has three bytes a pixel and
/// its stride counts bytes.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl+avx512dq", "x86_64+avx2"))]
pub(crate) fn paint(out: Sink<'_>, ink: Source<'_>, size: (usize, usize), color: [u8; 4]) {
    let [r, g, b, alpha] = color;
    let mut channels = [0; CHANNELS];
    for pixel in channels.chunks_exact_mut(3) {
        pixel.copy_from_slice(&[r, g, b]);
    }
    if alpha == 255 {
        paint_each(out, ink, size, &channels, opaque);
    } else {
        for c in &mut channels {
            *c = ((u32::from(*c) * u32::from(alpha) + 127) / 255) as u8;
        }
        paint_each(out, ink, size, &channels, |under, top, ink| {
            faint(under, top, ink, alpha)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Luminance of a premultiplied grey, as the rasteriser makes a mask of it.
    fn luminance(grey: u8, alpha: u8) -> u8 {
        if alpha == 0 {
            return 0;
        }
        let a = f32::from(alpha) / 255.0;
        let v = f32::from(grey) / 255.0 / a;
        let luma = v * 0.2126 + v * 0.7152 + v * 0.0722;
        (luma * a * 255.0).clamp(0.0, 255.0).ceil() as u8
    }

    #[test]
    fn masks_let_through_what_the_closed_forms_say() {
        let mut up = 0;
        for ink in 0..=255u8 {
            assert_eq!(luminance(ink, ink), ink);
            let cut = luminance(255 - ink, 255);
            assert!(cut == 255 - ink || cut == 256u16.wrapping_sub(ink.into()) as u8);
            up += u32::from(cut != 255 - ink);
        }
        assert_eq!(up, 23);
    }

    #[test]
    fn full_ink_and_none_are_exact() {
        for a in 0..=255u8 {
            assert_eq!(
                (union(a, 0), union(0, a), union(a, 255), union(255, a)),
                (a, a, 255, 255)
            );
            assert_eq!((difference(a, 0), difference(a, 255)), (a, 0));
            assert_eq!((difference(0, a), difference(255, a)), (0, 255 - a));
            assert_eq!((intersection(a, 255), intersection(255, a)), (a, a));
            assert_eq!((intersection(a, 0), intersection(0, a)), (0, 0));
            for b in 0..=255u8 {
                assert_eq!((opaque(a, b, 0), opaque(a, b, 255)), (a, b));
                assert_eq!(faint(a, b, 0, 77), a);
                assert!(union(a, b).abs_diff(union(b, a)) <= 1);
            }
        }
    }

    #[test]
    fn all_widths_and_offsets_are_as_byte_by_byte() {
        let bytes = |seed: usize| -> Vec<u8> {
            (0..4000usize)
                .map(|i| (i * i * 31 + i * seed + seed) as u8)
                .collect()
        };
        let (a, b) = (bytes(3), bytes(7));
        let op = |how, a, b| match how {
            Join::Union => union(a, b),
            Join::Difference => difference(a, b),
            Join::Intersection => intersection(a, b),
        };
        for width in 0..75 {
            for how in [Join::Union, Join::Difference, Join::Intersection] {
                let (from, to) = (width % 5, width % 3);
                let mut out = vec![9; 4000];
                let into = Sink {
                    bytes: &mut out[to..],
                    stride: 80,
                };
                let (a_at, b_at) = (
                    Source {
                        bytes: &a[from..],
                        stride: 77,
                    },
                    Source {
                        bytes: &b,
                        stride: 90,
                    },
                );
                join(how, into, a_at, b_at, (width, 4));
                for (i, found) in out.iter().enumerate() {
                    let inside = i >= to && (i - to) % 80 < width && (i - to) / 80 < 4;
                    let (x, y) = (i.wrapping_sub(to) % 80, i.wrapping_sub(to) / 80);
                    let wanted = if inside {
                        op(how, a[from + y * 77 + x], b[y * 90 + x])
                    } else {
                        9
                    };
                    assert_eq!(*found, wanted, "{how:?} {width} {x} {y}");
                }
            }
            for alpha in [255, 90] {
                let mut out: Vec<u8> = a.clone();
                let into = Sink {
                    bytes: &mut out,
                    stride: 240,
                };
                paint(
                    into,
                    Source {
                        bytes: &b,
                        stride: 90,
                    },
                    (width, 4),
                    [9, 200, 255, alpha],
                );
                for (i, found) in out.iter().enumerate() {
                    let (x, y, c) = (i % 240 / 3, i / 240, i % 3);
                    let full = [9u32, 200, 255][c];
                    let wanted = match (x < width && y < 4, alpha) {
                        (false, _) => a[i],
                        (true, 255) => opaque(a[i], full as u8, b[y * 90 + x]),
                        _ => faint(a[i], ((full * 90 + 127) / 255) as u8, b[y * 90 + x], 90),
                    };
                    assert_eq!(*found, wanted, "{alpha} {width} {x} {y} {c}");
                }
            }
        }
    }
}
