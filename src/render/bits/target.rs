//! The picture that is looked for, as bit planes.
//!
//! In: a picture and a palette. Out: [`Target`]. Afterwards every pixel has the number of the
//! palette's colour nearest to it; ink of at least half a pixel is ink. Of a sketch there are its
//! strokes instead: what is compared with them is the outline of what is drawn.

use std::sync::Arc;

use super::heavy::Heavy;
use super::strokes::Strokes;
use super::{Layout, Palette};
use crate::grammar::ir::Grammar;
use crate::render::Picture;
use crate::render::metric::INK;

/// A target, ready to be compared with.
#[derive(Clone, Debug)]
pub struct Target {
    pub(super) layout: Layout,
    pub(super) palette: Palette,
    /// Its planes, one behind the other.
    pub(super) words: Vec<u64>,
    /// Of the first plane, column of words by column: pixels set above each row, and in all.
    pub(super) above: Vec<u64>,
    /// Pixels that count several times.
    pub(super) heavy: Heavy,
    /// The strokes of a sketch.
    pub(super) strokes: Option<Arc<Strokes>>,
}

impl Target {
    /// A picture of the canvas's size and channels, for programs of the grammar.
    pub fn new(grammar: &Grammar, picture: &Picture) -> Target {
        let palette = match picture.channels {
            1 => Palette::ink(),
            _ => Palette::new(grammar, picture),
        };
        let layout = Layout::new(picture.width, picture.height, palette.planes());
        let mut words = vec![0; layout.plane * layout.planes];
        let codes = codes(picture, &palette);
        for (at, code) in codes.into_iter().enumerate() {
            let (x, y) = (at % layout.width as usize, at / layout.width as usize);
            for plane in 0..layout.planes {
                let word = plane * layout.plane + layout.word(x, y);
                words[word] |= u64::from(code >> plane & 1) << (x % 64);
            }
        }
        let mut above = Vec::new();
        for column in words[..layout.plane].chunks_exact(layout.column().max(1)) {
            let mut sum = 0;
            above.push(sum);
            for word in column {
                sum += u64::from(word.count_ones());
                above.push(sum);
            }
        }
        Target {
            layout,
            palette,
            words,
            above,
            heavy: Heavy::default(),
            strokes: None,
        }
    }

    /// A sketch of the canvas's size, for programs that draw ink. What differs from it is counted as
    /// pixels of outline or stroke times pixels of distance between them.
    pub fn sketch(grammar: &Grammar, picture: &Picture) -> Target {
        let blank = Picture::filled(picture.width, picture.height, 1, 0);
        let target = Target::new(grammar, &blank);
        let strokes = Strokes::new(picture, &target.layout);
        Target {
            strokes: Some(Arc::new(strokes)),
            ..target
        }
    }

    /// Lets the pixels that are not background count as much as `least` pixels, about, where there are fewer of
    /// them; at most as 10,000. What is counted as differing is then more than the number of pixels that do.
    #[must_use]
    pub fn with_ink_of_at_least(mut self, least: u16) -> Target {
        self.heavy = Heavy::new(&self.words, &self.layout, u64::from(least));
        self
    }

    /// The colours that are told apart.
    pub fn palette(&self) -> &Palette {
        &self.palette
    }

    /// Number of pixels.
    pub fn pixels(&self) -> u64 {
        u64::from(self.layout.width.unsigned_abs()) * u64::from(self.layout.height.unsigned_abs())
    }

    /// The target as the bit planes have it.
    pub fn picture(&self) -> Picture {
        self.layout.picture(&self.words, &self.palette)
    }
}

/// How far a pixel may be from a colour, in each channel, to be of that colour and no blend.
const PURE: u8 = 8;

/// The number of each pixel's colour. A pixel on an edge is a blend of the colours on both sides,
/// which may look like a third one: it counts as the nearer of those around it.
fn codes(picture: &Picture, palette: &Palette) -> Vec<u8> {
    if picture.channels == 1 {
        return picture.data.iter().map(|i| u8::from(*i >= INK)).collect();
    }
    let pixels: Vec<[u8; 3]> = picture
        .data
        .chunks_exact(3)
        .map(|p| [p[0], p[1], p[2]])
        .collect();
    let mut codes = Vec::with_capacity(pixels.len());
    let mut pure = Vec::with_capacity(pixels.len());
    for (at, color) in pixels.iter().enumerate() {
        // Neighbours are often alike.
        if at > 0 && pixels[at - 1] == *color {
            codes.push(codes[at - 1]);
            pure.push(pure[at - 1]);
            continue;
        }
        let (code, far) = palette.nearest(*color, |_| true);
        codes.push(code);
        pure.push(far <= PURE);
    }
    let (width, height) = (picture.width as usize, picture.height as usize);
    let mut out = codes.clone();
    for (at, color) in pixels.iter().enumerate().filter(|(at, _)| !pure[*at]) {
        let (x, y) = (at % width, at / width);
        let mut around = [false; 256];
        let mut any = false;
        for ny in y.saturating_sub(1)..(y + 2).min(height) {
            for nx in x.saturating_sub(1)..(x + 2).min(width) {
                let near = ny * width + nx;
                if pure[near] {
                    around[usize::from(codes[near])] = true;
                    any = true;
                }
            }
        }
        if any {
            out[at] = palette.nearest(*color, |code| around[usize::from(code)]).0;
        }
    }
    out
}
