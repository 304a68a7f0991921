//! Whether two programs draw the same, but for what anti-aliasing does along edges.
//!
//! In: two programs. Out: [`Difference`]. Afterwards nothing of the programs is kept but memory.
//!
//! Two measures, because each is blind where the other sees:
//!
//! - *Without anti-aliasing* (`render::bits`) a pixel is in a shape or is not, so regions are combined
//!   exactly as sets are: `a + a` is `a`, and what is cut out of itself is nothing. Pixels that differ
//!   are counted. An edge that is off by a fraction of a pixel shows in that fraction of the pixels
//!   along it.
//! - *With anti-aliasing* (`render::coverage`) the ink of an edge pixel is a fraction, and fractions
//!   are combined as if edges were independent: `a + a` has more ink along its edge than `a`. Equal
//!   programs differ there, in lines one or two pixels wide. So what counts is a square of
//!   [`SOLID`] pixels in which every one differs: paint of another colour or opacity, which the first
//!   measure may take for the same.

use crate::compiled::Compiled;
use crate::grammar::ir::Grammar;
use crate::render::bits::{Bits, Target};
use crate::render::coverage::Engine;
use crate::render::{Picture, RenderError};
use crate::scene::eval::{NotDrawable, Workspace, lower_into};
use crate::scene::{Content, Scene};
use crate::tree::Program;

/// Pixels that may differ without anti-aliasing. Edges that pass through the very middle of pixels
/// may be rounded to either side, when the two programs reckon them in different ways.
pub const STRAY: u64 = 3;

/// Side of a square in which every pixel differs, for the difference to be one of paint.
pub const SOLID: usize = 5;

/// A channel of a pixel must differ by more than this, of 255.
pub const FAINT: u8 = 6;

/// What rounding makes of a channel, of 255.
const ROUNDED: u8 = 2;

/// How two pictures differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Pixels that differ without anti-aliasing.
    pub pixels: u64,
    /// Whether somewhere [`SOLID`] x [`SOLID`] pixels all differ with anti-aliasing.
    pub solid: bool,
    /// Greatest difference of a channel with anti-aliasing, of 255.
    pub worst: u8,
}

impl Difference {
    /// Whether it is more than anti-aliasing and rounding make.
    pub fn counts(&self) -> bool {
        self.pixels > STRAY || self.solid
    }
}

/// Why two programs could not be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPicture {
    /// A program has none.
    #[error(transparent)]
    Lower(#[from] NotDrawable),
    /// It could not be drawn.
    #[error(transparent)]
    Render(#[from] RenderError),
}

/// Compares programs of one language, keeping its buffers.
#[derive(Debug)]
pub struct Judge<'c> {
    grammar: &'c Grammar,
    workspace: Workspace,
    scenes: [Scene; 2],
    engine: Engine,
    bits: Option<Bits>,
    pictures: [Picture; 2],
}

/// Bytes that the engines may keep.
const KEPT: usize = 32 << 20;

impl<'c> Judge<'c> {
    /// A judge for a language; `None` when its programs draw nothing.
    pub fn new(compiled: &'c Compiled) -> Option<Judge<'c>> {
        let grammar = &compiled.grammar;
        let canvas = grammar.canvas.as_ref()?;
        let scene = Scene {
            canvas: canvas.clone(),
            regions: Vec::new(),
            content: Content::Layers(Vec::new()),
        };
        Some(Judge {
            grammar,
            workspace: Workspace::new(),
            scenes: [scene.clone(), scene],
            engine: Engine::with_budget(KEPT),
            bits: None,
            pictures: [Picture::default(), Picture::default()],
        })
    }

    /// How the pictures of two programs differ.
    ///
    /// # Errors
    ///
    /// When one of them cannot be drawn.
    pub fn compare(&mut self, left: &Program, right: &Program) -> Result<Difference, NoPicture> {
        for (program, scene) in [left, right].into_iter().zip(&mut self.scenes) {
            lower_into(&mut self.workspace, self.grammar, program, scene)?;
        }
        // Same shapes at the same places: nothing to draw.
        if self.scenes[0] == self.scenes[1] {
            return Ok(Difference::default());
        }
        for (scene, picture) in self.scenes.iter().zip(&mut self.pictures) {
            self.engine.draw_into(scene, picture)?;
        }
        let [a, b] = &self.pictures;
        let mut difference = Difference {
            pixels: 0,
            solid: solid(a, b),
            worst: worst(a, b),
        };
        // An edge that is not where it should be by more than a hundredth of a pixel is seen with
        // anti-aliasing, so that there is nothing to count here.
        if difference.worst <= ROUNDED {
            return Ok(difference);
        }
        // Where colours are reckoned, those of the palette are read off a picture.
        let kept = (self.bits.take()).filter(|bits| bits.target().palette().is_whole());
        let mut bits = match kept {
            Some(bits) => bits,
            None => Bits::new(Target::new(self.grammar, a))?.with_budget(KEPT),
        };
        bits.draw(&self.scenes[0])?;
        let left = bits.picture();
        bits.draw(&self.scenes[1])?;
        let right = bits.picture();
        difference.pixels = differing(&left, &right);
        self.bits = Some(bits);
        Ok(difference)
    }

    /// The pictures of two programs, anti-aliased.
    ///
    /// # Errors
    ///
    /// When one of them cannot be drawn.
    pub fn pictures(&mut self, left: &Program, right: &Program) -> Result<[Picture; 2], NoPicture> {
        for (program, scene) in [left, right].into_iter().zip(&mut self.scenes) {
            lower_into(&mut self.workspace, self.grammar, program, scene)?;
        }
        let [left, right] = &self.scenes;
        Ok([self.engine.draw(left)?, self.engine.draw(right)?])
    }
}

/// The pixels of a picture, each a slice of its channels.
fn pixels(picture: &Picture) -> std::slice::ChunksExact<'_, u8> {
    picture
        .data
        .chunks_exact(usize::from(picture.channels).max(1))
}

fn differing(a: &Picture, b: &Picture) -> u64 {
    let pairs = pixels(a).zip(pixels(b));
    pairs.filter(|(a, b)| a != b).count() as u64
}

fn apart(a: &[u8], b: &[u8]) -> u8 {
    let channels = a.iter().zip(b);
    channels.map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0)
}

fn worst(a: &Picture, b: &Picture) -> u8 {
    apart(&a.data, &b.data)
}

/// Whether all pixels of some square differ.
fn solid(a: &Picture, b: &Picture) -> bool {
    let width = a.width as usize;
    // Side of the greatest square of differing pixels whose last corner is in this column, in the
    // row before and in this one.
    let mut before = vec![0usize; width + 1];
    let mut here = vec![0usize; width + 1];
    for (at, (a, b)) in pixels(a).zip(pixels(b)).enumerate() {
        let x = at % width.max(1) + 1;
        here[x] = match apart(a, b) > FAINT {
            true => 1 + before[x - 1].min(before[x]).min(here[x - 1]),
            false => 0,
        };
        if here[x] >= SOLID {
            return true;
        }
        if x == width {
            std::mem::swap(&mut before, &mut here);
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ink(width: u32, height: u32, dark: impl Fn(u32, u32) -> bool) -> Picture {
        let mut picture = Picture::filled(width, height, 1, 0);
        for (at, value) in picture.data.iter_mut().enumerate() {
            let at = at as u32;
            *value = if dark(at % width, at / width) { 255 } else { 0 };
        }
        picture
    }

    #[test]
    fn squares_are_found_wherever_they_are() {
        let blank = ink(17, 13, |_, _| false);
        for (x0, y0) in [(0, 0), (12, 0), (0, 8), (12, 8), (5, 4)] {
            let within = |x, y, side| (x0..x0 + side).contains(&x) && (y0..y0 + side).contains(&y);
            let square = ink(17, 13, |x, y| within(x, y, 5));
            assert!(solid(&blank, &square) && solid(&square, &blank));
            let less = ink(17, 13, |x, y| within(x, y, 5) && (x, y) != (x0 + 2, y0 + 2));
            assert!(!solid(&blank, &less));
        }
        // A line of any length is no square, nor is one that goes around.
        assert!(!solid(&blank, &ink(17, 13, |_, y| (3..7).contains(&y))));
        assert!(!solid(&blank, &ink(17, 13, |x, _| !(2..15).contains(&x))));
        assert!(!solid(
            &Picture::filled(0, 0, 1, 0),
            &Picture::filled(0, 0, 1, 0)
        ));
    }
}
