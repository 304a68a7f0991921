//! What every pixel of a hole is worth.
//!
//! In: a program with a hole in it (see [`Live::fill`]), and the target. Out: [`Weights`]: the number
//! of wrong pixels with nothing in the hole, and for each pixel whether covering it makes one more
//! wrong, one less, or neither. Afterwards the error of any shape in the hole is a sum over its rows
//! of two numbers each, whatever else the program is made of.

use super::loops;
use super::runs::{Found, PlacedRuns};
use super::{Bits, Palette, place};
use crate::render::place::{Affine, IDENTITY, compose};
use crate::render::RenderError;
use crate::scene::live::{Filling, Place};
use crate::scene::{Content, Live, Shape, Single};
use crate::tree::Edit;

/// The worth of pixels in a hole.
#[derive(Clone, Debug)]
pub struct Weights {
    /// For each row of the canvas and each column, and one past the last: the sum over the pixels
    /// before it.
    before: Vec<i16>,
    width: i32,
    height: i32,
    /// The map from the hole to the canvas.
    under: Affine,
    /// Pixels that are wrong with nothing in the hole.
    nothing: u64,
    /// Whether the picture is the same whatever is in the hole.
    idle: bool,
    /// Planes of wrong pixels: with nothing in the hole, with everything.
    empty: Vec<u64>,
    full: Vec<u64>,
}

impl Default for Weights {
    fn default() -> Weights {
        Weights {
            before: Vec::new(),
            width: 0,
            height: 0,
            under: IDENTITY,
            nothing: 0,
            idle: true,
            empty: Vec::new(),
            full: Vec::new(),
        }
    }
}

impl Weights {
    /// Pixels that are wrong with nothing in the hole.
    pub fn nothing(&self) -> u64 {
        self.nothing
    }

    /// Whether what is in the hole can be seen at all.
    pub fn matters(&self) -> bool {
        !self.idle
    }
}

impl Bits {
    /// Weighs the pixels of a hole: a node of an edit's replacement, whose value is a region. Nothing
    /// is proposed afterwards. `false` when the picture depends on more of it than its pixels; then
    /// the weights are of no use.
    ///
    /// # Errors
    ///
    /// As [`Bits::draw`]; what [cannot be drawn](crate::scene::eval::NotDrawable) is as if it did
    /// not fit.
    pub fn weigh(
        &mut self,
        live: &mut Live<'_>,
        edit: &Edit,
        node: usize,
        weights: &mut Weights,
    ) -> Result<bool, RenderError> {
        let under = match live.hole(edit, node) {
            Ok(Place::Under(under)) => Some(under),
            Ok(Place::Nowhere) => None,
            Ok(Place::Unfit) | Err(_) => return Ok(false),
        };
        if live.fill(edit, node, Filling::Nothing).is_err() {
            return Ok(false);
        }
        let drawn = self.redraw(live);
        if let Ok(wrong) = drawn {
            weights.nothing = wrong;
            self.wrong_into(live, &mut weights.empty);
        }
        live.reject();
        drawn?;
        weights.idle = under.is_none();
        let Some(under) = under else {
            return Ok(true);
        };
        if live.fill(edit, node, Filling::Everything).is_err() {
            return Ok(false);
        }
        let drawn = self.redraw(live);
        if drawn.is_ok() {
            self.wrong_into(live, &mut weights.full);
        }
        live.reject();
        drawn?;
        weights.under = under;
        weights.width = self.layout.width;
        weights.height = self.layout.height;
        loops::prefix_sums(
            &weights.full,
            &weights.empty,
            &self.layout,
            &mut weights.before,
        );
        Ok(true)
    }

    /// How many pixels are wrong with what is there in the hole; `None` for what is more than a
    /// shape.
    pub fn filled(&mut self, weights: &Weights, with: Single<'_>) -> Option<u64> {
        if weights.idle {
            return Some(weights.nothing);
        }
        match with {
            Single::Nothing => Some(weights.nothing),
            Single::Shape(shape, at) => Some(self.filled_by(weights, shape, at)),
            Single::Other => None,
        }
    }

    fn filled_by(&mut self, weights: &Weights, shape: &Shape, at: &Affine) -> u64 {
        let at = compose(&weights.under, at);
        match self.store.shape(shape, &at, 0.0) {
            Found::Runs(PlacedRuns { runs, dx, dy }) => {
                let runs = self.store.runs(runs);
                let size = (weights.width, weights.height);
                let worth = loops::worth(&weights.before, size, runs, (dx, dy));
                weights.nothing.saturating_add_signed(worth)
            }
            Found::Nothing | Found::Indirect => weights.nothing,
        }
    }

    /// The pixels that are wrong in what was drawn last.
    fn wrong_into(&self, live: &Live<'_>, out: &mut Vec<u64>) {
        out.resize(self.layout.plane, 0);
        match live.scene().content {
            Content::Ink(_) if self.target.palette == Palette::ink() => {
                let len = self.layout.plane;
                let (plane, _) = place(self.ink);
                let words = &self.planes[plane as usize * len..][..len];
                loops::differ(out, words, &self.target.words, 1);
            }
            _ => loops::differ(
                out,
                &self.picture,
                &self.target.words,
                self.layout.planes,
            ),
        }
    }
}
