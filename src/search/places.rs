//! Places: the best place for a part, of all there are.
//!
//! In: the part that is in a hole. Out: a choice among parts, each in very many places. Afterwards
//! the part in the hole is the one that was chosen.
//!
//! Some numbers of a part do nothing but move it: which ones is found by drawing it. What it is
//! worth in all places along them costs about as much as a few looks (see
//! [`Bits::worth_in_places`]). So a sweep over another number can look at all places too, and what
//! is chosen is the exact heat bath over both.

use rand::RngExt;

use crate::grammar::ids::ProdId;
use crate::render::bits::{Bits, Steps, Worths};
use crate::sample::Rng;
use crate::scene::affine::Affine;
use crate::scene::{Bounds, Shape, Single};
use crate::search::chance::{HOPELESS, boltzmann_in};
use crate::search::fill::Filler;

/// Values along an axis that are looked at together.
const WINDOW: u32 = 32;

/// Kinds of parts that are remembered.
const MOST_KINDS: usize = 256;

/// A number that moves a part, and by how much per value.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Mover {
    token: usize,
    by: (f64, f64),
}

/// Numbers that move a part along the axes of the canvas.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Axes {
    across: Option<Mover>,
    down: Option<Mover>,
}

/// Values of a mover at equal distances: the first in the order of their places, how far it is to the
/// next, and how many there are.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Values {
    first: u32,
    stride: i32,
    steps: Steps,
}

/// A part in a place.
#[derive(Clone, Copy, Debug)]
struct Choice {
    worth: i32,
    /// What it is that is in this place.
    tag: u32,
    /// Values of the movers.
    across: u32,
    down: u32,
}

/// Memory.
#[derive(Default)]
pub(super) struct Places {
    kinds: Vec<(Vec<ProdId>, Vec<Mover>)>,
    worths: Worths,
    choices: Vec<Choice>,
    least: i32,
    weights: Vec<f64>,
}

impl Places {
    /// Begins a new choice.
    pub(super) fn clear(&mut self) {
        self.choices.clear();
        self.least = i32::MAX;
    }

    /// Takes in a part where it is.
    fn push(&mut self, worth: i32, tag: u32, (across, down): (u32, u32)) {
        self.least = self.least.min(worth);
        self.choices.push(Choice {
            worth,
            tag,
            across,
            down,
        });
    }

    /// Takes in a part in many places.
    fn push_all(&mut self, tag: u32, (across, down): (Values, Values), temperature: f64) {
        let Some(least) = self.worths.least() else {
            return;
        };
        self.least = self.least.min(least);
        let most = worst(self.least, temperature);
        if least > most {
            return;
        }
        let value =
            |of: Values, index: usize| of.first.wrapping_add_signed(of.stride * index as i32);
        for (y, row) in self.worths.rows().enumerate() {
            for (x, worth) in row.iter().enumerate() {
                if *worth <= most {
                    self.choices.push(Choice {
                        worth: *worth,
                        tag,
                        across: value(across, x),
                        down: value(down, y),
                    });
                }
            }
        }
    }

    fn choose(&mut self, temperature: f64, rng: &mut Rng) -> Option<Choice> {
        let most = worst(self.least, temperature);
        self.choices.retain(|choice| choice.worth <= most);
        let energies = self.choices.iter().map(|choice| f64::from(choice.worth));
        let chosen = boltzmann_in(energies, temperature, &mut self.weights, rng)?;
        self.choices.get(chosen).copied()
    }
}

fn worst(least: i32, temperature: f64) -> i32 {
    least.saturating_add((HOPELESS * temperature).min(1e9) as i32)
}

impl Axes {
    /// Whether a number moves the part.
    pub(super) fn has(&self, token: usize) -> bool {
        let mut all = self.across.iter().chain(&self.down);
        all.any(|mover| mover.token == token)
    }
}

impl Filler<'_> {
    /// Moves the part so that the middle of the box around it is as near as can be to that of another.
    pub(super) fn move_to(&mut self, axes: Axes, to: &Bounds) {
        let Some(found) = self.weights.extent(&mut self.pieces, &self.piece) else {
            return;
        };
        let far = (
            (to.x0 + to.x1 - found.x0 - found.x1) / 2.0,
            (to.y0 + to.y1 - found.y0 - found.y1) / 2.0,
        );
        for mover in axes.across.iter().chain(&axes.down) {
            let node = self.piece.nodes()[mover.token];
            let Some((count, _)) = self.holes.values_of(node.production) else {
                continue;
            };
            // One of the two is nothing, in what is to be done or in what a value does.
            let square = mover.by.0 * mover.by.0 + mover.by.1 * mover.by.1;
            let values = (far.0 * mover.by.0 + far.1 * mover.by.1) / square;
            let value = (f64::from(node.value) + values).round();
            self.piece.nodes[mover.token].value = value.clamp(0.0, f64::from(count - 1)) as u32;
        }
    }

    /// The numbers that move the part in the hole over the canvas, and do nothing else.
    pub(super) fn axes(&mut self) -> Axes {
        let mut axes = Axes::default();
        if !self.weights.by_pixel() {
            return axes;
        }
        // Of what is more than a shape there are too many kinds to know.
        if !matches!(self.pieces.single(&self.piece), Ok(Single::Shape(..))) {
            return axes;
        }
        let nodes = self.piece.nodes();
        let same = |kind: &Vec<ProdId>| {
            kind.len() == nodes.len()
                && kind
                    .iter()
                    .zip(nodes)
                    .all(|(id, node)| *id == node.production)
        };
        let known = self.places.kinds.iter().position(|(kind, _)| same(kind));
        let known = match known {
            Some(known) => known,
            None => {
                let kind = nodes.iter().map(|node| node.production).collect();
                let movers = self.probe();
                if self.places.kinds.len() >= MOST_KINDS {
                    self.places.kinds.clear();
                }
                self.places.kinds.push((kind, movers));
                self.places.kinds.len() - 1
            }
        };
        for mover in &self.places.kinds[known].1 {
            let (dx, dy) = self.weights.mapped(mover.by);
            match (dx != 0.0, dy != 0.0) {
                (true, false) => {
                    axes.across = Some(Mover {
                        by: (dx, dy),
                        ..*mover
                    })
                }
                (false, true) => {
                    axes.down = Some(Mover {
                        by: (dx, dy),
                        ..*mover
                    })
                }
                _ => {}
            }
        }
        axes
    }

    /// Draws the part with other numbers, one at a time.
    fn probe(&mut self) -> Vec<Mover> {
        let mut movers = Vec::new();
        for at in 0..self.piece.len() {
            let node = self.piece.nodes()[at];
            let Some((count, true)) = self.holes.values_of(node.production) else {
                continue;
            };
            let values = [0, 1, count / 2, count - 1];
            let places = values.iter().map(|value| {
                self.piece.nodes[at].value = *value;
                self.place()
            });
            let places: Option<Vec<(Shape, Affine)>> = places.collect();
            self.piece.nodes[at].value = node.value;
            let Some(places) = places else {
                continue;
            };
            let (shape, start) = &places[0];
            let by = (places[1].1[4] - start[4], places[1].1[5] - start[5]);
            let moved = places.iter().zip(values).all(|((other, at), value)| {
                let near = |a: f64, b: f64| (a - b).abs() < 1e-6;
                let value = f64::from(value);
                // The shape must be the same each time.
                other == shape
                    && at[..4] == start[..4]
                    && near(at[4], start[4] + by.0 * value)
                    && near(at[5], start[5] + by.1 * value)
            });
            if moved && by != (0.0, 0.0) {
                movers.push(Mover { token: at, by });
            }
        }
        movers
    }

    fn place(&mut self) -> Option<(Shape, Affine)> {
        match self.pieces.single(&self.piece).ok()? {
            Single::Shape(shape, at) => Some((shape.clone(), *at)),
            Single::Nothing | Single::Other => None,
        }
    }

    /// Takes the part in the hole into the choice, in many places when it has movers and else where
    /// it is. `near` are places around where it is, else all over.
    pub(super) fn consider(
        &mut self,
        bits: &mut Bits,
        axes: Axes,
        near: bool,
        tag: u32,
        temperature: f64,
        rng: &mut Rng,
    ) {
        if axes == Axes::default() || !self.consider_all(bits, axes, near, tag, temperature, rng) {
            let error = self.look(bits);
            if error.is_finite() {
                let worth = (error - self.weights.nothing() as f64) as i32;
                let at = (self.value_of(axes.across), self.value_of(axes.down));
                self.places.push(worth, tag, at);
            }
        }
    }

    fn value_of(&self, mover: Option<Mover>) -> u32 {
        mover.map_or(0, |mover| self.piece.nodes()[mover.token].value)
    }

    fn consider_all(
        &mut self,
        bits: &mut Bits,
        axes: Axes,
        near: bool,
        tag: u32,
        temperature: f64,
        rng: &mut Rng,
    ) -> bool {
        let (Some(across), Some(down)) = (
            self.values_along(axes.across, near, rng),
            self.values_along(axes.down, near, rng),
        ) else {
            return false;
        };
        let Ok(Single::Shape(shape, at)) = self.pieces.single(&self.piece) else {
            return false;
        };
        let at = self.weights.on_canvas(at);
        let mut moved = at;
        for (mover, values) in [(axes.across, across), (axes.down, down)] {
            if let Some(mover) = mover {
                let from = self.piece.nodes()[mover.token].value;
                let values = f64::from(values.first) - f64::from(from);
                moved[4] += mover.by.0 * values;
                moved[5] += mover.by.1 * values;
            }
        }
        self.looked += 1;
        let (steps, worths) = ((across.steps, down.steps), &mut self.places.worths);
        if !bits.worth_in_places(&mut self.weights, shape, &moved, steps, worths) {
            return false;
        }
        self.places.push_all(tag, (across, down), temperature);
        true
    }

    /// Values of a mover whose places are whole pixels apart. `None` when there are none such.
    fn values_along(&self, mover: Option<Mover>, near: bool, rng: &mut Rng) -> Option<Values> {
        let Some(mover) = mover else {
            return Some(Values {
                first: 0,
                stride: 0,
                steps: Steps { step: 1, count: 1 },
            });
        };
        let node = self.piece.nodes()[mover.token];
        let (count, _) = self.holes.values_of(node.production)?;
        let by = mover.by.0 + mover.by.1;
        let whole = |values: u32| {
            let pixels = by * f64::from(values);
            (pixels - pixels.round()).abs() < 1e-6
        };
        let fine = (1..=4).find(|values| whole(*values))?;
        // Of those that differ by parts of a pixel some at a time.
        let (from, to, stride) = if count <= WINDOW {
            (0, count, fine)
        } else if near {
            let from = node.value.saturating_sub(WINDOW / 2);
            (from, (from + WINDOW).min(count), fine)
        } else {
            (0, count, count.div_ceil(WINDOW).next_multiple_of(fine))
        };
        let first = from + rng.random_range(0..stride.min(to - from));
        let step = (by * f64::from(stride)).round();
        if !(step.abs() >= 1.0 && step.abs() < 1e4) {
            return None;
        }
        let count = (to - first).div_ceil(stride);
        let steps = Steps {
            step: step.abs() as i32,
            count: count as usize,
        };
        let (first, stride) = if step > 0.0 {
            (first, stride as i32)
        } else {
            (first + stride * (count - 1), -(stride as i32))
        };
        Some(Values {
            first,
            stride,
            steps,
        })
    }

    /// Puts what the choice falls on into the hole: `put` says what a tag stands for. False when there
    /// was nothing to choose from; the part is as it was before then.
    pub(super) fn choose(
        &mut self,
        bits: &mut Bits,
        temperature: f64,
        rng: &mut Rng,
        put: impl FnOnce(&mut Filler<'_>, u32) -> Axes,
    ) -> bool {
        let Some(choice) = self.places.choose(temperature, rng) else {
            return false;
        };
        let axes = put(self, choice.tag);
        for (mover, value) in [(axes.across, choice.across), (axes.down, choice.down)] {
            if let Some(mover) = mover {
                self.piece.nodes[mover.token].value = value;
            }
        }
        self.error = self.look(bits);
        self.error.is_finite()
    }

    /// Whether all places can be looked at at once. With more, small steps find more in the same time.
    fn all_places(&self, axes: Axes) -> bool {
        let mut movers = axes.across.iter().chain(&axes.down);
        movers.all(|mover| {
            let node = self.piece.nodes()[mover.token];
            let values = self.holes.values_of(node.production);
            values.is_some_and(|(count, _)| count <= WINDOW)
        })
    }

    /// Gives the part another place and another value for one of its other numbers, each pair as likely
    /// as its error says. False when nothing moves the part, or to too many places.
    pub(super) fn resample(&mut self, bits: &mut Bits, temperature: f64, rng: &mut Rng) -> bool {
        let axes = self.axes();
        if axes == Axes::default() || !self.all_places(axes) {
            return false;
        }
        let others = self.tokens.iter().filter(|at| !axes.has(**at));
        let chosen = rng.random_range(0..=others.clone().count());
        let other = others.copied().nth(chosen);
        self.places.clear();
        let Some(at) = other else {
            self.consider(bits, axes, false, 0, temperature, rng);
            return self.choose(bits, temperature, rng, |_, _| axes);
        };
        let old = self.piece.nodes()[at].value;
        self.list_values(at, rng);
        for index in 0..self.values.len() {
            self.piece.nodes[at].value = self.values[index];
            self.consider(bits, axes, false, index as u32, temperature, rng);
        }
        let found = self.choose(bits, temperature, rng, |filler, tag| {
            filler.piece.nodes[at].value = filler.values[tag as usize];
            axes
        });
        if !found {
            self.piece.nodes[at].value = old;
        }
        true
    }
}
