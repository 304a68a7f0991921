//! The search for placed parts: parallel tempering, each step in a hole between parts below and above.
//!
//! In: a target, options. Out: [`Flat`] pictures, better and better. Afterwards nothing is kept of
//! them but memory.

use std::rc::Rc;

use rand::RngExt;

use super::parts::{Gallery, Kinds, Look, Part};
use crate::Compiled;
use crate::render::Picture;
use crate::render::bits::{Bits, Ground, Target, WHOLE};
use crate::sample::Rng;
use crate::search::chance::{HOPELESS, boltzmann_in, metropolis};
use crate::search::moves::pick;

/// How it goes about it. Temperatures and price are in pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Replicas.
    pub replicas: usize,
    /// Coldest temperature.
    pub cold: f64,
    /// Hottest temperature.
    pub hot: f64,
    /// Price of a part.
    pub price: f64,
    /// Most parts.
    pub most: usize,
    /// Small changes that are tried in a hole.
    pub nudges: u32,
    /// Steps of each replica between exchanges.
    pub steps: u32,
}

impl Options {
    /// Options for a target of which `weight` pixels differ from the empty canvas.
    pub fn for_weight(weight: f64, most: usize) -> Options {
        let cold = (weight.max(64.0) / 2000.0).clamp(0.1, 8.0);
        Options {
            replicas: 8,
            cold,
            hot: cold * 60.0,
            price: 8.0,
            most,
            nudges: 40,
            steps: 4,
        }
    }
}

/// A part in a place.
#[derive(Clone, Debug)]
pub struct Placed {
    /// What it is.
    pub part: Part,
    /// Where its origin is.
    pub at: (i32, i32),
    /// What it looks like.
    pub look: Rc<Look>,
}

/// Parts in their places, each over those before it.
#[derive(Clone, Debug, Default)]
pub struct Flat {
    /// The parts.
    pub parts: Vec<Placed>,
    /// What the picture costs, in units of a [`Ground`].
    pub wrong: u32,
    /// For each part those that have to be painted before it, as bits.
    pub under: Vec<u32>,
}

/// A sweep that takes the best.
pub(super) const GREEDY: f64 = 1e-3;

impl Flat {
    pub(super) fn energy(&self, price: f64) -> f64 {
        f64::from(self.wrong) / f64::from(WHOLE) + price * self.parts.len() as f64
    }
}

/// A search under way.
pub struct Placer<'a> {
    pub(super) compiled: &'a Compiled,
    pub(super) gallery: Gallery<'a>,
    pub(super) ground: Ground,
    pub(super) options: Options,
    replicas: Vec<(Flat, f64)>,
    best: Flat,
    weights: Vec<f64>,
    errors: Vec<f64>,
    choices: Vec<(Part, (i32, i32))>,
    pub(super) evaluations: u64,
}

/// What a look at all places counts as.
const SCAN: u64 = 64;

impl<'a> Placer<'a> {
    /// A search from nothing. `None` when the target is larger than a canvas may be.
    pub fn new(
        compiled: &'a Compiled,
        kinds: &'a Kinds,
        target: &Target,
        picture: &Picture,
        options: Options,
    ) -> Option<Placer<'a>> {
        let mut ground = Ground::new(target.palette(), picture)?;
        let wrong = ground.draw(std::iter::empty());
        let empty = Flat {
            parts: Vec::new(),
            wrong,
            under: Vec::new(),
        };
        let count = options.replicas.max(1);
        let ratio = (options.hot / options.cold).max(1.0);
        let replicas = (0..count).map(|index| {
            let part = index as f64 / (count.max(2) - 1) as f64;
            (empty.clone(), options.cold * libm::pow(ratio, part))
        });
        Some(Placer {
            compiled,
            gallery: Gallery::new(compiled, kinds, Bits::new(target.clone()).ok()?),
            ground,
            replicas: replicas.collect(),
            best: empty,
            options,
            weights: Vec::new(),
            errors: Vec::new(),
            choices: Vec::new(),
            evaluations: 0,
        })
    }

    /// The best so far.
    pub fn best(&self) -> &Flat {
        &self.best
    }

    /// Pictures that were looked at; all places of a part count as some.
    pub fn evaluations(&self) -> u64 {
        self.evaluations
    }

    /// Some steps of each replica, and exchanges.
    pub fn round(&mut self, rng: &mut Rng) {
        let mut replicas = std::mem::take(&mut self.replicas);
        for (flat, temperature) in &mut replicas {
            for _ in 0..self.options.steps {
                self.step(flat, *temperature, rng);
                let price = self.options.price;
                if flat.energy(price) < self.best.energy(price) {
                    self.best.clone_from(flat);
                }
            }
        }
        for index in 1..replicas.len() {
            let price = self.options.price;
            let (cold, hot) = (&replicas[index - 1], &replicas[index]);
            let gain = hot.0.energy(price) - cold.0.energy(price);
            let worse = gain * (1.0 / cold.1 - 1.0 / hot.1);
            if metropolis(worse, 1.0, rng) {
                let (left, right) = replicas.split_at_mut(index);
                std::mem::swap(&mut left[index - 1].0, &mut right[0].0);
            }
        }
        self.replicas = replicas;
    }

    pub(super) fn open(&mut self, flat: &Flat, below: usize, above: usize) {
        fn sprites(
            parts: &[Placed],
        ) -> impl Iterator<Item = (&crate::render::bits::Sprite, (i32, i32))> {
            parts.iter().map(|placed| (&placed.look.sprite, placed.at))
        }
        self.evaluations += 1;
        self.ground
            .open(sprites(&flat.parts[..below]), sprites(&flat.parts[above..]));
    }

    /// What the picture costs with something of this worth in the hole.
    pub(super) fn sum(&self, worth: f64) -> u32 {
        (f64::from(self.ground.wrong()) + worth * f64::from(WHOLE)) as u32
    }

    pub(super) fn worth(&mut self, look: &Look, at: (i32, i32)) -> f64 {
        self.evaluations += 1;
        f64::from(self.ground.worth(&look.sprite, at)) / f64::from(WHOLE)
    }

    /// Changes a part by little.
    pub(super) fn tune(&mut self, flat: &mut Flat, at: usize, temperature: f64, rng: &mut Rng) {
        self.open(flat, at, at + 1);
        let mut placed = flat.parts[at].clone();
        let mut worth = self.worth(&placed.look.clone(), placed.at);
        match rng.random_range(0..16) {
            0 => {
                let mut other = placed.clone();
                let error = self.restyle(&mut other, rng);
                if let Some(error) = error
                    && metropolis(error - worth, temperature, rng)
                {
                    (placed, worth) = (other, error);
                }
            }
            1..5 => worth = self.sweep(&mut placed, worth, temperature, rng),
            5..9 => {
                let (part, there) = (placed.part.clone(), placed.at);
                if let Some((at, least)) =
                    self.scan(&placed.look.clone(), (there, worth), temperature, rng)
                {
                    placed.part = part;
                    placed.at = at;
                    worth = least;
                }
            }
            _ => {}
        }
        worth = self.nudge(&mut placed, worth, temperature, self.options.nudges, rng);
        flat.wrong = self.sum(worth);
        flat.parts[at] = placed;
    }

    /// All values of some token, held at one side or the middle.
    pub(super) fn sweep(
        &mut self,
        placed: &mut Placed,
        worth: f64,
        temperature: f64,
        rng: &mut Rng,
    ) -> f64 {
        match self.gallery.kinds.of(&placed.part).tokens.len() {
            0 => worth,
            count => {
                let which = rng.random_range(0..count);
                self.sweep_of(placed, which, worth, temperature, rng)
            }
        }
    }

    /// Gives a token another value, whatever that costs, and then each of the others the best it can
    /// have.
    pub(super) fn restyle(&mut self, placed: &mut Placed, rng: &mut Rng) -> Option<f64> {
        let kinds = self.gallery.kinds;
        let tokens = &kinds.of(&placed.part).tokens;
        if tokens.is_empty() {
            return None;
        }
        let which = rng.random_range(0..tokens.len());
        let old = placed.look.sprite.extent();
        placed.part.values[which] = rng.random_range(0..tokens[which].count);
        placed.look = self.gallery.look(&placed.part);
        let new = placed.look.sprite.extent();
        let middle = |old: (i32, i32), new: (i32, i32)| anchors(old, new)[3];
        placed.at.0 += middle((old.left, old.right), (new.left, new.right));
        placed.at.1 += middle((old.top, old.bottom), (new.top, new.bottom));
        let mut worth = match placed.look.sprite.is_empty() {
            true => f64::INFINITY,
            false => self.worth(&placed.look.clone(), placed.at),
        };
        let first = rng.random_range(0..tokens.len());
        for turn in 0..2 * tokens.len() {
            let token = (first + turn) % tokens.len();
            if token != which {
                worth = self.sweep_of(placed, token, worth, GREEDY, rng);
            }
        }
        worth.is_finite().then_some(worth)
    }

    /// All values of one token, held at one side or the middle.
    fn sweep_of(
        &mut self,
        placed: &mut Placed,
        which: usize,
        worth: f64,
        temperature: f64,
        rng: &mut Rng,
    ) -> f64 {
        let kinds = self.gallery.kinds;
        let tokens = &kinds.of(&placed.part).tokens;
        let mut choices = std::mem::take(&mut self.choices);
        let mut errors = std::mem::take(&mut self.errors);
        choices.clear();
        errors.clear();
        choices.push((placed.part.clone(), placed.at));
        errors.push(worth);
        let old = placed.look.sprite.extent();
        let count = tokens[which].count.min(MOST_VALUES);
        let first = match tokens[which].count > count {
            true => rng.random_range(0..tokens[which].count - count),
            false => 0,
        };
        for value in first..first + count {
            if value == placed.part.values[which] {
                continue;
            }
            let mut part = placed.part.clone();
            part.values[which] = value;
            let look = self.gallery.look(&part);
            if look.sprite.is_empty() {
                continue;
            }
            let new = look.sprite.extent();
            let xs = anchors((old.left, old.right), (new.left, new.right));
            let ys = anchors((old.top, old.bottom), (new.top, new.bottom));
            for (i, dx) in xs.iter().enumerate() {
                if xs[..i].contains(dx) {
                    continue;
                }
                for (j, dy) in ys.iter().enumerate() {
                    if ys[..j].contains(dy) {
                        continue;
                    }
                    let at = (placed.at.0 + dx, placed.at.1 + dy);
                    let worth = self.worth(&look, at);
                    choices.push((part.clone(), at));
                    errors.push(worth);
                }
            }
        }
        let chosen = boltzmann_in(errors.iter().copied(), temperature, &mut self.weights, rng);
        let mut worth = worth;
        if let Some(chosen) = chosen {
            placed.part = choices[chosen].0.clone();
            placed.at = choices[chosen].1;
            placed.look = self.gallery.look(&placed.part);
            worth = errors[chosen];
        }
        self.choices = choices;
        self.errors = errors;
        worth
    }

    /// A place among all where a part can be seen and the one where it is.
    pub(super) fn scan(
        &mut self,
        look: &Look,
        (there, worth): ((i32, i32), f64),
        temperature: f64,
        rng: &mut Rng,
    ) -> Option<((i32, i32), f64)> {
        self.evaluations += SCAN;
        let scan = self.ground.scan(&look.sprite)?;
        let pixels = |value: i32| f64::from(value) / f64::from(WHOLE);
        let least = scan.values.iter().copied().min()?;
        let hopeless = pixels(least).min(worth) + HOPELESS * temperature;
        let most = (hopeless * f64::from(WHOLE)) as i32;
        // Most places are hopeless: those are not worth an exponential.
        self.errors.clear();
        let mut places: Vec<usize> = Vec::new();
        for (index, value) in scan.values.iter().enumerate() {
            if *value <= most {
                places.push(index);
                self.errors.push(pixels(*value));
            }
        }
        if worth.is_finite() {
            self.errors.push(worth);
        }
        let errors = self.errors.iter().copied();
        let chosen = boltzmann_in(errors, temperature, &mut self.weights, rng)?;
        Some(match places.get(chosen) {
            Some(index) => (scan.place(*index), self.errors[chosen]),
            None => (there, worth),
        })
    }

    /// Small changes of a part in the hole, by Metropolis's rule.
    pub(super) fn nudge(
        &mut self,
        placed: &mut Placed,
        mut worth: f64,
        temperature: f64,
        tries: u32,
        rng: &mut Rng,
    ) -> f64 {
        for _ in 0..tries {
            let Some((part, at)) = self.neighbour(placed, rng) else {
                continue;
            };
            let look = match part {
                Some(_) => None,
                None => Some(Rc::clone(&placed.look)),
            };
            let (part, at, look) = match (part, look) {
                (Some((part, look)), _) => (Some(part), at, look),
                (None, Some(look)) => (None, at, look),
                (None, None) => continue,
            };
            if look.sprite.is_empty() {
                continue;
            }
            let error = self.worth(&look, at);
            if metropolis(error - worth, temperature, rng) {
                worth = error;
                placed.at = at;
                placed.look = look;
                if let Some(part) = part {
                    placed.part = part;
                }
            }
        }
        worth
    }

    /// A part like another, in a place like its own.
    #[allow(clippy::type_complexity)]
    fn neighbour(
        &mut self,
        placed: &Placed,
        rng: &mut Rng,
    ) -> Option<(Option<(Part, Rc<Look>)>, (i32, i32))> {
        const STEPS: [i32; 8] = [1, 1, 1, 1, 2, 2, 3, 5];
        let step = |rng: &mut Rng| {
            let step = STEPS[rng.random_range(0..STEPS.len())];
            if rng.random_range(0..2) == 0 {
                step
            } else {
                -step
            }
        };
        let (x, y) = placed.at;
        let kinds = self.gallery.kinds;
        let kind = kinds.of(&placed.part);
        if kind.tokens.is_empty() || rng.random_range(0..3) == 0 {
            let at = match rng.random_range(0..3) {
                0 => (x + step(rng), y),
                1 => (x, y + step(rng)),
                _ => (x + step(rng), y + step(rng)),
            };
            return Some((None, at));
        }
        let mut part = placed.part.clone();
        if rng.random_range(0..16) == 0 {
            // Another kind with the same tokens.
            let alike = kinds.all.iter().enumerate().filter(|(index, other)| {
                *index != part.kind as usize && other.tokens == kind.tokens
            });
            part.kind = pick(alike.map(|(index, _)| index as u32), rng)?;
        } else {
            let changes = 1 + usize::from(rng.random_range(0..3) == 0);
            for _ in 0..changes {
                let which = rng.random_range(0..kind.tokens.len());
                let token = &kind.tokens[which];
                let old = part.values[which];
                part.values[which] = if token.ordered {
                    let by = step(rng).clamp(-3, 3);
                    let new = i64::from(old) + i64::from(by);
                    u32::try_from(new).ok().filter(|new| *new < token.count)?
                } else {
                    rng.random_range(0..token.count)
                };
            }
        }
        let look = self.gallery.look(&part);
        let (old, new) = (placed.look.sprite.extent(), look.sprite.extent());
        let dx = anchors((old.left, old.right), (new.left, new.right))[rng.random_range(0..4)];
        let dy = anchors((old.top, old.bottom), (new.top, new.bottom))[rng.random_range(0..4)];
        Some((Some((part, look)), (x + dx, y + dy)))
    }
}

/// Values of a token that are looked at in a sweep.
const MOST_VALUES: u32 = 32;
/// By how much a row of pixels is moved so that its beginning, its end, or its middle is where another's
/// was; and not at all.
fn anchors(old: (i32, i32), new: (i32, i32)) -> [i32; 4] {
    [
        0,
        old.0 - new.0,
        old.1 - new.1,
        (old.0 + old.1 - new.0 - new.1).div_euclid(2),
    ]
}
