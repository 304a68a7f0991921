//! What counts as ink in a picture of greys, and what counts as which colour.
//!
//! In: pixels of any tones. Out: the same picture in tones that a canvas has, and a remark. Afterwards
//! edges that were smooth are smooth still: two tones are stretched, not cut, and only a picture
//! with many tones is cut at a threshold (Otsu 1979).

use super::Rgba;
use crate::render::bits::Palette;
use crate::render::raster::grey;

/// Tones this near to black and white are black and white.
const NEAR: u8 = 8;
/// Share of the pixels between two tones up to which they are edges.
const EDGES: f64 = 0.1;
/// Share of the pixels that may be off the palette.
const OFF: f64 = 0.1;
/// How far from a colour of the palette a pixel may be, in a channel.
const WITHIN: u8 = 12;

/// Makes an opaque picture one of ink (black) on paper (white). A `threshold` of 0 to 255 is the
/// lightness from which on there is no ink. The strokes of a `sketch` on white paper stay as they are:
/// how dark a thin one is tells its width.
pub(super) fn ink_and_paper(
    image: &mut Rgba,
    threshold: Option<f64>,
    sketch: bool,
) -> Option<String> {
    let mut counts = [0u64; 256];
    for pixel in image.data.chunks_exact(4).filter(|p| p[3] > 0) {
        counts[usize::from(lightness(pixel))] += 1;
    }
    let chosen = threshold.or_else(|| otsu(&counts))?;
    let cut = chosen.clamp(0.5, 254.5);
    let dark = median(&counts, |tone| f64::from(tone) < cut);
    let light = median(&counts, |tone| f64::from(tone) >= cut);
    let (Some(dark), Some(light)) = (dark, light) else {
        // One side is empty: by a threshold from outside all is ink, or nothing.
        if threshold.is_some() {
            put(image, |tone| if tone < cut { 0.0 } else { 255.0 });
        }
        return None;
    };
    let spread = f64::from(light - dark);
    let between = |tone: u8| {
        let at = (f64::from(tone) - f64::from(dark)) / spread;
        (0.2..0.8).contains(&at)
    };
    let all: u64 = counts.iter().sum();
    let edges: u64 = (0..=255u8)
        .filter(|t| between(*t))
        .map(|t| counts[usize::from(t)])
        .sum();
    let how = match threshold {
        Some(_) => "as asked for".to_owned(),
        None => "by Otsu's method; --threshold sets it".to_owned(),
    };
    let share = cut / 255.0;
    if edges as f64 <= EDGES * all as f64 {
        if (dark <= NEAR || sketch) && light >= 255 - NEAR && threshold.is_none() {
            return None;
        }
        // Through the threshold, so that what is cut there is cut in half.
        put(image, |tone| {
            let (from, to, low) = match tone < cut {
                true => (f64::from(dark), cut, 0.0),
                false => (cut, f64::from(light), 127.5),
            };
            low + 127.5 * (tone - from) / (to - from).max(1e-9)
        });
        return Some(format!(
            "lightness {dark} of 255 is taken as ink and {light} as paper (threshold {share:.2}, {how})"
        ));
    }
    put(image, |tone| if tone < cut { 0.0 } else { 255.0 });
    Some(format!(
        "the picture has many tones: what is darker than {share:.2} of white is taken as ink ({how})"
    ))
}

fn lightness(pixel: &[u8]) -> u8 {
    match pixel {
        [r, g, b, ..] => grey([*r, *g, *b]),
        _ => 255,
    }
}

fn put(image: &mut Rgba, tone: impl Fn(f64) -> f64) {
    let table: Vec<u8> = (0..256)
        .map(|t| tone(f64::from(t)).round().clamp(0.0, 255.0) as u8)
        .collect();
    for pixel in image.data.chunks_exact_mut(4) {
        let tone = table[usize::from(lightness(pixel))];
        pixel[..3].fill(tone);
    }
}

/// The threshold that parts the tones best: the middle of those that do, between two tones. `None` for
/// a picture of one tone.
fn otsu(counts: &[u64; 256]) -> Option<f64> {
    let total: f64 = counts.iter().map(|n| *n as f64).sum();
    let sum: f64 = (0..256).map(|t| t as f64 * counts[t] as f64).sum();
    let (mut below, mut sum_below) = (0.0, 0.0);
    let mut best = (0.0, 0, 0);
    for (tone, count) in counts.iter().enumerate().take(255) {
        below += *count as f64;
        sum_below += tone as f64 * *count as f64;
        let above = total - below;
        if below == 0.0 || above == 0.0 {
            continue;
        }
        let apart = sum_below / below - (sum - sum_below) / above;
        let variance = below * above * apart * apart;
        if variance > best.0 * (1.0 + 1e-12) {
            best = (variance, tone, tone);
        } else if variance >= best.0 * (1.0 - 1e-12) {
            best.2 = tone;
        }
    }
    let (variance, first, last) = best;
    (variance > 0.0).then(|| (first + last) as f64 / 2.0 + 0.5)
}

/// The median of some of the tones.
fn median(counts: &[u64; 256], among: impl Fn(u8) -> bool) -> Option<u8> {
    let of = |tone: u8| {
        if among(tone) {
            counts[usize::from(tone)]
        } else {
            0
        }
    };
    let total: u64 = (0..=255).map(of).sum();
    let mut seen = 0;
    (0..=255u8).find(|tone| {
        seen += of(*tone);
        total > 0 && 2 * seen >= total
    })
}

/// Gives every pixel that is not clear one of the palette's colours when more than a few have none.
pub(super) fn onto_palette(image: &mut Rgba, palette: &Palette) -> Option<String> {
    if !palette.is_whole() {
        return None;
    }
    let colors = palette.colors();
    let (mut off, mut all) = (0u64, 0u64);
    let mut nearest = Nearest::new(colors);
    // What most of the pixels off the palette look like, by cubes of colours.
    let mut cubes = vec![0u64; SIDE * SIDE * SIDE];
    for pixel in image.data.chunks_exact(4).filter(|p| p[3] >= 128) {
        all += 1;
        let color = [pixel[0], pixel[1], pixel[2]];
        let near = nearest.of(color);
        let far = (0..3).map(|c| near[c].abs_diff(color[c])).max();
        if far > Some(WITHIN) {
            off += 1;
            cubes[cube(color)] += 1;
        }
    }
    if off as f64 <= OFF * all as f64 {
        return None;
    }
    for pixel in image.data.chunks_exact_mut(4) {
        let near = nearest.of([pixel[0], pixel[1], pixel[2]]);
        pixel[..3].copy_from_slice(&near);
    }
    let most = (0..cubes.len()).max_by_key(|at| (cubes[*at], usize::MAX - at))?;
    let (from, percent) = (middle(most), 100.0 * off as f64 / all as f64);
    let hex = |[r, g, b]: [u8; 3]| format!("#{r:02x}{g:02x}{b:02x}");
    Some(format!(
        "{percent:.0} % of the picture has colours that the grammar cannot paint: each is taken as the \
         nearest of its {}, colours about {} as {}",
        colors.len(),
        hex(from),
        hex(nearest.of(from)),
    ))
}

/// Steps of a channel that are looked up.
const SIDE: usize = 32;

fn cube([r, g, b]: [u8; 3]) -> usize {
    let at = |c: u8| usize::from(c) * SIDE / 256;
    (at(r) * SIDE + at(g)) * SIDE + at(b)
}

/// The colour in the middle of a cube.
fn middle(cube: usize) -> [u8; 3] {
    let at = |n: usize| ((n % SIDE) * 256 / SIDE + 128 / SIDE) as u8;
    [at(cube / SIDE / SIDE), at(cube / SIDE), at(cube)]
}

/// The nearest colours as people see them (OKLab, Ottosson 2020), a cube at a time but for the
/// palette's own.
struct Nearest<'p> {
    colors: &'p [[u8; 3]],
    labs: Vec<[f64; 3]>,
    known: Vec<Option<u8>>,
}

impl<'p> Nearest<'p> {
    fn new(colors: &'p [[u8; 3]]) -> Nearest<'p> {
        Nearest {
            colors,
            labs: colors.iter().map(|c| oklab(*c)).collect(),
            known: vec![None; SIDE * SIDE * SIDE],
        }
    }

    fn of(&mut self, color: [u8; 3]) -> [u8; 3] {
        if self.colors.contains(&color) {
            return color;
        }
        let cube = cube(color);
        let at = match self.known[cube] {
            Some(at) => at,
            None => {
                let lab = oklab(middle(cube));
                let far = |a: &[f64; 3]| {
                    (0..3)
                        .map(|i| (a[i] - lab[i]) * (a[i] - lab[i]))
                        .sum::<f64>()
                };
                let all = self.labs.iter().enumerate();
                let best = all.min_by(|a, b| far(a.1).total_cmp(&far(b.1)));
                let at = best.map_or(0, |(at, _)| at as u8);
                self.known[cube] = Some(at);
                at
            }
        };
        self.colors.get(usize::from(at)).copied().unwrap_or(color)
    }
}

fn oklab(color: [u8; 3]) -> [f64; 3] {
    let [r, g, b] = color.map(|c| {
        let c = f64::from(c) / 255.0;
        match c <= 0.04045 {
            true => c / 12.92,
            false => libm::pow((c + 0.055) / 1.055, 2.4),
        }
    });
    let l = libm::cbrt(0.412_221_470_8 * r + 0.536_332_536_3 * g + 0.051_445_992_9 * b);
    let m = libm::cbrt(0.211_903_498_2 * r + 0.680_699_545_1 * g + 0.107_396_956_6 * b);
    let s = libm::cbrt(0.088_302_461_9 * r + 0.281_718_837_6 * g + 0.629_978_700_5 * b);
    [
        0.210_454_255_3 * l + 0.793_617_785 * m - 0.004_072_046_8 * s,
        1.977_998_495_1 * l - 2.428_592_205 * m + 0.450_593_709_9 * s,
        0.025_904_037_1 * l + 0.782_771_766_2 * m - 0.808_675_766 * s,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn greys(tones: &[u8]) -> Rgba {
        Rgba {
            width: tones.len() as u32,
            height: 1,
            data: tones.iter().flat_map(|t| [*t, *t, *t, 255]).collect(),
        }
    }

    fn tones(image: &Rgba) -> Vec<u8> {
        image.data.chunks_exact(4).map(|p| p[0]).collect()
    }

    #[test]
    fn two_greys_become_ink_and_paper_and_edges_stay_smooth() {
        let mut picture = greys(&[&[60; 40][..], &[145; 2], &[230; 58]].concat());
        let note = ink_and_paper(&mut picture, None, false).unwrap();
        assert!(note.contains("60 of 255") && note.contains("230"), "{note}");
        let out = tones(&picture);
        assert_eq!((out[0], out[99]), (0, 255));
        assert!(out[40] > 60 && out[40] < 195, "{}", out[40]);
    }

    #[test]
    fn black_on_white_is_left_alone() {
        for picture in [
            greys(&[0, 0, 0, 255, 255, 255, 255]),
            greys(&[255; 5]),
            greys(&[90; 5]),
        ] {
            let mut after = picture.clone();
            assert_eq!(ink_and_paper(&mut after, None, false), None);
            assert_eq!(after, picture);
        }
    }

    #[test]
    fn strokes_on_white_stay_as_thin_as_they_are() {
        let mut sketch = greys(&[&[48; 9][..], &[255; 91]].concat());
        let before = sketch.clone();
        assert_eq!(ink_and_paper(&mut sketch, None, true), None);
        assert_eq!(sketch, before);
        assert!(ink_and_paper(&mut sketch, None, false).is_some());
        // On grey paper they are made out first.
        let mut photo = greys(&[&[48; 9][..], &[190; 91]].concat());
        assert!(ink_and_paper(&mut photo, None, true).is_some());
    }

    #[test]
    fn many_tones_are_cut() {
        let mut picture = greys(&(0..=255).collect::<Vec<u8>>());
        let note = ink_and_paper(&mut picture, None, false).unwrap();
        assert!(note.contains("many tones"), "{note}");
        let out = tones(&picture);
        assert_eq!(out.iter().filter(|t| **t == 0).count(), 128);
        assert!(out.iter().all(|t| [0, 255].contains(t)));
        let mut picture = greys(&(0..=255).collect::<Vec<u8>>());
        ink_and_paper(&mut picture, Some(64.0), false).unwrap();
        assert_eq!(tones(&picture).iter().filter(|t| **t == 0).count(), 64);
    }

    #[test]
    fn a_threshold_is_obeyed_where_there_is_one_side_only() {
        for (threshold, tone) in [(10.0, 255), (200.0, 0)] {
            let mut picture = greys(&[90; 3]);
            ink_and_paper(&mut picture, Some(threshold), false);
            assert_eq!(tones(&picture), [tone; 3]);
        }
    }

    #[test]
    fn colours_are_near_as_people_see_them() {
        let colors = [[255, 255, 255], [255, 0, 0], [0, 128, 0], [0, 0, 0]];
        let mut nearest = Nearest::new(&colors);
        assert_eq!(nearest.of([200, 30, 60]), [255, 0, 0]);
        assert_eq!(nearest.of([60, 190, 80]), [0, 128, 0]);
        assert_eq!(nearest.of([20, 20, 40]), [0, 0, 0]);
        assert_eq!(nearest.of([240, 245, 230]), [255, 255, 255]);
    }
}
