//! What every pixel of a hole is worth.
//!
//! In: a program with a hole in it (see [`Live::fill`]), and the target. Out: [`Weights`]: the number
//! of wrong pixels with nothing in the hole, and for each pixel whether covering it makes one more
//! wrong, one less, or neither. Afterwards the error of any shape in the hole is a sum over its rows
//! of two numbers each, whatever else the program is made of.

use rand::RngExt;

use super::loops;
use super::places::Table;
use super::runs::{Found, PlacedRuns};
use super::{Bits, Palette, Planes, Value, place};
use crate::render::RenderError;
use crate::render::place::{Affine, IDENTITY, compose};
use crate::sample::Rng;
use crate::scene::live::{Filling, Place};
use crate::scene::piece::Pieces;
use crate::scene::{Bounds, Content, Live, RegionId, Scene, Shape, Single, shape_bounds};
use crate::tree::{Edit, Program};

/// The worth of pixels in a hole.
#[derive(Clone, Debug)]
pub struct Weights {
    /// For each row of the canvas and each column, and one past the last: the sum over the pixels
    /// before it.
    pub(super) before: Vec<i16>,
    /// The same, for shapes in many places.
    pub(super) table: Table,
    width: i32,
    height: i32,
    /// The map from the hole to the canvas.
    pub(super) under: Affine,
    /// Pixels that are wrong with nothing in the hole.
    nothing: u64,
    /// Whether the picture is the same whatever is in the hole.
    idle: bool,
    /// Planes of wrong pixels: with nothing in the hole, with everything. For a sketch, the pictures.
    empty: Vec<u64>,
    full: Vec<u64>,
    /// Of a sketch, strokes that the outline is not near, with nothing in the hole.
    missing: Option<Vec<u64>>,
    /// Memory for blots.
    gain: Vec<u64>,
    seeds: Vec<(i32, i32)>,
}

impl Default for Weights {
    fn default() -> Weights {
        Weights {
            before: Vec::new(),
            table: Table::default(),
            width: 0,
            height: 0,
            under: IDENTITY,
            nothing: 0,
            idle: true,
            empty: Vec::new(),
            full: Vec::new(),
            missing: None,
            gain: Vec::new(),
            seeds: Vec::new(),
        }
    }
}

impl Weights {
    /// The box around a blot of pixels that would be right if the hole covered them: those that hang
    /// together with one of them, as far as they are at most so far from it. Of a sketch, strokes that
    /// are missing. `None` when there are none.
    pub fn blot(&mut self, reach: i32, rng: &mut Rng) -> Option<Bounds> {
        let height = self.height as usize;
        if self.idle || height == 0 {
            return None;
        }
        self.gain.clear();
        match &self.missing {
            Some(missing) => self.gain.extend(missing),
            None => {
                let words = self.empty.iter().zip(&self.full);
                self.gain.extend(words.map(|(empty, full)| empty & !full));
            }
        }
        let count: u32 = self.gain.iter().map(|word| word.count_ones()).sum();
        if count == 0 {
            return None;
        }
        let mut left = rng.random_range(0..count);
        let at = self.gain.iter().position(|word| {
            let here = left < word.count_ones();
            if !here {
                left -= word.count_ones();
            }
            here
        })?;
        let mut word = self.gain[at];
        for _ in 0..left {
            word &= word - 1;
        }
        let stack = self.gain.len() / self.width.unsigned_abs().div_ceil(64).max(1) as usize;
        let x = (at / stack * 64) as i32 + word.trailing_zeros() as i32;
        let y = (at % stack) as i32;
        let across = ((x - reach).max(0), (x + reach + 1).min(self.width));
        let down = ((y - reach).max(0), (y + reach + 1).min(self.height));
        let mut found = (x, y, x + 1, y + 1);
        self.seeds.clear();
        self.seeds.push((x, y));
        // What was visited is taken out of the gain.
        let bit = |gain: &[u64], x: i32, y: i32| {
            gain[x as usize / 64 * stack + y as usize] >> (x % 64) & 1 == 1
        };
        while let Some((x, y)) = self.seeds.pop() {
            if !bit(&self.gain, x, y) {
                continue;
            }
            let (mut from, mut to) = (x, x + 1);
            while from > across.0 && bit(&self.gain, from - 1, y) {
                from -= 1;
            }
            while to < across.1 && bit(&self.gain, to, y) {
                to += 1;
            }
            for x in from..to {
                self.gain[x as usize / 64 * stack + y as usize] &= !(1 << (x % 64));
            }
            found = (
                found.0.min(from),
                found.1.min(y),
                found.2.max(to),
                found.3.max(y + 1),
            );
            for next in [y - 1, y + 1] {
                if next < down.0 || next >= down.1 {
                    continue;
                }
                let mut before = false;
                for x in from..to {
                    let here = bit(&self.gain, x, next);
                    if here && !before {
                        self.seeds.push((x, next));
                    }
                    before = here;
                }
            }
        }
        let [x0, y0, x1, y1] = [found.0, found.1, found.2, found.3].map(f64::from);
        Some(Bounds { x0, y0, x1, y1 })
    }

    /// The box around a part in the hole, on the canvas; about that, for turned formulas. `None` when
    /// it cannot be drawn.
    pub fn extent(&self, pieces: &mut Pieces<'_>, piece: &Program) -> Option<Bounds> {
        match pieces.single(piece).ok()? {
            Single::Shape(shape, at) => Some(shape_bounds(shape, &compose(&self.under, at))),
            Single::Nothing => None,
            Single::Other => pieces.bounds(&self.under).ok(),
        }
    }

    /// Number of wrong pixels with nothing in the hole.
    pub fn nothing(&self) -> u64 {
        self.nothing
    }

    /// Whether each pixel has a worth of its own; not so for a sketch.
    pub fn by_pixel(&self) -> bool {
        self.missing.is_none()
    }

    /// A step in the hole as one on the canvas.
    pub fn mapped(&self, (dx, dy): (f64, f64)) -> (f64, f64) {
        let [a, b, c, d, ..] = self.under;
        (a * dx + c * dy, b * dx + d * dy)
    }

    /// Where on the canvas a map puts what is in the hole.
    pub fn on_canvas(&self, at: &Affine) -> Affine {
        compose(&self.under, at)
    }

    /// Whether what is in the hole can be seen at all.
    pub fn matters(&self) -> bool {
        !self.idle
    }
}

impl Bits {
    /// What the pixels of a plane are worth.
    pub(super) fn worth_of(&mut self, weights: &Weights, plane: &[u64]) -> i64 {
        match &self.target.strokes {
            None => {
                let (full, empty) = (&weights.full[..], &weights.empty[..]);
                let heavy = self.target.heavy.worth(plane, full, empty);
                loops::worth_of_plane(plane, full, empty) + heavy
            }
            Some(strokes) => {
                let around = (&weights.empty[..], &weights.full[..]);
                let score = strokes.score_filled(&mut self.scratch, around, plane, &self.layout);
                score.cast_signed() - weights.nothing.cast_signed()
            }
        }
    }

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
        weights.table.forget();
        weights.width = self.layout.width;
        weights.height = self.layout.height;
        if let Some(strokes) = &self.target.strokes {
            let missing = weights.missing.get_or_insert_default();
            strokes.missing(&mut self.scratch, &weights.empty, &self.layout, missing);
            return Ok(true);
        }
        loops::prefix_sums(
            &weights.full,
            &weights.empty,
            &self.layout,
            &mut weights.before,
        );
        let around = (&weights.full[..], &weights.empty[..]);
        let heavy = &self.target.heavy;
        heavy.add(around.0, around.1, &self.layout, &mut weights.before);
        Ok(true)
    }

    /// How many pixels are wrong with a part in the hole.
    ///
    /// # Errors
    ///
    /// As [`Bits::draw`].
    pub fn filled_by_piece(
        &mut self,
        weights: &Weights,
        pieces: &mut Pieces<'_>,
        piece: &Program,
        planes: &mut Planes,
    ) -> Option<u64> {
        let single = pieces.single(piece).ok()?;
        if let Some(wrong) = self.filled(weights, single) {
            return Some(wrong);
        }
        let (scene, root) = pieces.formula(&weights.under).ok()?;
        if let Some(worth) = self.worth_of_formula(weights, scene, root) {
            return Some(weights.nothing.saturating_add_signed(worth));
        }
        self.lend(planes);
        let wrong = self.filled_by_regions(weights, scene, root);
        self.lend(planes);
        wrong.ok()
    }

    fn filled_by_regions(
        &mut self,
        weights: &Weights,
        scene: &Scene,
        root: RegionId,
    ) -> Result<u64, RenderError> {
        self.begin(scene);
        let value = self.region(scene, None, root, (0, 0))?;
        self.give_back(value);
        let worth = self.worth_of_value(weights, value);
        Ok(weights.nothing.saturating_add_signed(worth))
    }

    /// How many pixels are wrong with what is there in the hole; `None` for what is more than a
    /// shape.
    fn filled(&mut self, weights: &Weights, with: Single<'_>) -> Option<u64> {
        if weights.idle {
            return Some(weights.nothing);
        }
        match with {
            Single::Nothing => Some(weights.nothing),
            Single::Shape(shape, at) => Some(self.filled_by(weights, shape, at)),
            Single::Other => None,
        }
    }

    fn worth_of_value(&mut self, weights: &Weights, value: Value) -> i64 {
        let (plane, _) = place(value);
        let planes = std::mem::take(&mut self.planes);
        let len = self.layout.plane;
        let worth = self.worth_of(weights, &planes[plane as usize * len..][..len]);
        self.planes = planes;
        worth
    }

    /// The outline of the picture with a shape in the hole against strokes.
    fn outlined(&mut self, weights: &Weights, shape: &Shape, at: &Affine) -> u64 {
        let mut plane = std::mem::take(&mut self.formula);
        plane.resize(plane.len().max(self.layout.plane), 0);
        let out = &mut plane[..self.layout.plane];
        let worth = match self.store.spans(shape, at, (0, weights.height)) {
            Some(spans) => {
                loops::stamp_spans(out, spans, &self.layout);
                self.worth_of(weights, out)
            }
            None => match self.store.shape(shape, at, 0.0) {
                Found::Runs(placed) => {
                    let value = self.stamp(placed, (0, 0));
                    self.give_back(value);
                    self.worth_of_value(weights, value)
                }
                Found::Nothing | Found::Indirect => 0,
            },
        };
        self.formula = plane;
        weights.nothing.saturating_add_signed(worth)
    }

    pub(super) fn filled_by(&mut self, weights: &Weights, shape: &Shape, at: &Affine) -> u64 {
        let at = compose(&weights.under, at);
        if self.target.strokes.is_some() {
            return self.outlined(weights, shape, &at);
        }
        let size = (weights.width, weights.height);
        // Few different shapes are best kept; of many most are never seen again.
        if !self.store.keeps(shape, &at)
            && let Some(spans) = self.store.spans(shape, &at, (0, weights.height))
        {
            let worth = loops::worth_of_spans(&weights.before, size, spans);
            return weights.nothing.saturating_add_signed(worth);
        }
        match self.store.shape(shape, &at, 0.0) {
            Found::Runs(PlacedRuns { runs, dx, dy }) => {
                let runs = self.store.runs(runs);
                let worth = loops::worth(&weights.before, size, runs, (dx, dy));
                weights.nothing.saturating_add_signed(worth)
            }
            Found::Nothing | Found::Indirect => weights.nothing,
        }
    }

    /// The pixels that are wrong in what was drawn last; for a sketch, what was drawn.
    fn wrong_into(&self, live: &Live<'_>, out: &mut Vec<u64>) {
        out.resize(self.layout.plane, 0);
        match live.scene().content {
            Content::Ink(_) if self.target.strokes.is_some() => {
                let len = self.layout.plane;
                let (plane, _) = place(self.ink);
                out.copy_from_slice(&self.planes[plane as usize * len..][..len]);
            }
            Content::Ink(_) if self.target.palette == Palette::ink() => {
                let len = self.layout.plane;
                let (plane, _) = place(self.ink);
                let words = &self.planes[plane as usize * len..][..len];
                loops::differ(out, words, &self.target.words, 1);
            }
            _ => loops::differ(out, &self.picture, &self.target.words, self.layout.planes),
        }
    }
}
