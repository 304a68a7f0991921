//! Steps: what is done to a picture of parts at a time.
//!
//! In: placed parts and a temperature. Out: the same with one of them changed, taken out or put in, by
//! Metropolis's rule. Afterwards nothing is kept.

use std::rc::Rc;

use rand::RngExt;

use super::parts::{Look, Part};
use super::run::{Flat, Placed, Placer};
use crate::sample::Rng;
use crate::search::chance::metropolis;

impl Placer<'_> {
    pub(super) fn step(&mut self, flat: &mut Flat, temperature: f64, rng: &mut Rng) {
        let count = flat.parts.len();
        if count == 0 {
            return self.insert(flat, None, temperature, rng);
        }
        let at = rng.random_range(0..count);
        match rng.random_range(0..100) {
            0..50 => self.tune(flat, at, temperature, rng),
            50..60 => self.replace(flat, at, temperature, rng),
            60..75 => self.insert(flat, None, temperature, rng),
            75..85 => self.insert(flat, Some(at), temperature, rng),
            85..92 => self.delete(flat, at, temperature, rng),
            _ => self.reorder(flat, at, temperature, rng),
        }
    }

    /// A part of the colour and about as large as what is missing around a wrong pixel.
    fn guess(&mut self, rng: &mut Rng) -> Option<(Part, Rc<Look>)> {
        let (code, place) = self.ground.blot(|count| rng.random_range(0..count))?;
        let patch = self.ground.patch(code, place);
        let fitted = rng.random_range(0..4) > 0;
        let mut best: Option<(Part, Rc<Look>, i32)> = None;
        let mut seen = 0;
        for _ in 0..TRIES {
            let part = self.gallery.kinds.random(rng);
            let look = self.gallery.look(&part);
            if look.sprite.count(code) == 0 {
                continue;
            }
            let extent = look.sprite.extent();
            let far =
                (extent.width() - patch.width()).abs() + (extent.height() - patch.height()).abs();
            if best.as_ref().is_none_or(|(_, _, least)| far < *least) {
                best = Some((part, look, far));
            }
            seen += 1;
            if !fitted || seen >= FITTED {
                break;
            }
        }
        best.map(|(part, look, _)| (part, look))
    }

    /// Another part in the place of one.
    fn replace(&mut self, flat: &mut Flat, at: usize, temperature: f64, rng: &mut Rng) {
        self.open(flat, at, at + 1);
        let old = flat.parts[at].clone();
        let before = self.worth(&old.look, old.at);
        let Some((part, look)) = self.guess(rng) else {
            return;
        };
        let infinite = (old.at, f64::INFINITY);
        let Some((place, worth)) = self.scan(&look, infinite, temperature, rng) else {
            return;
        };
        let mut placed = Placed {
            part,
            at: place,
            look,
        };
        let worth = self.nudge(&mut placed, worth, temperature, self.options.nudges, rng);
        if metropolis(worth - before, temperature, rng) {
            flat.wrong = self.sum(worth);
            flat.parts[at] = placed;
        }
    }

    /// A new part; one is taken out for it if `out` says so.
    fn insert(&mut self, flat: &mut Flat, out: Option<usize>, temperature: f64, rng: &mut Rng) {
        if out.is_none() && flat.parts.len() >= self.options.most {
            return;
        }
        let mut next = flat.clone();
        if let Some(out) = out {
            next.parts.remove(out);
        }
        let level = match rng.random_range(0..2) {
            0 => next.parts.len(),
            _ => rng.random_range(0..=next.parts.len()),
        };
        self.open(&next, level, level);
        let Some((part, look)) = self.guess(rng) else {
            return;
        };
        let nowhere = ((0, 0), f64::INFINITY);
        let Some((place, worth)) = self.scan(&look, nowhere, temperature, rng) else {
            return;
        };
        let mut placed = Placed {
            part,
            at: place,
            look,
        };
        let worth = self.nudge(&mut placed, worth, temperature, self.options.nudges, rng);
        next.wrong = self.sum(worth);
        next.parts.insert(level, placed);
        self.accept(flat, next, temperature, rng);
    }

    fn delete(&mut self, flat: &mut Flat, at: usize, temperature: f64, rng: &mut Rng) {
        self.open(flat, at, at + 1);
        let mut next = flat.clone();
        next.parts.remove(at);
        next.wrong = self.ground.wrong();
        self.accept(flat, next, temperature, rng);
    }

    fn reorder(&mut self, flat: &mut Flat, at: usize, temperature: f64, rng: &mut Rng) {
        let to = rng.random_range(0..flat.parts.len());
        let extent = |placed: &Placed| placed.look.sprite.extent().shifted(placed.at);
        let between = &flat.parts[at.min(to)..=at.max(to)];
        let moved = extent(&flat.parts[at]);
        // What covers nothing between its levels looks the same.
        let touched = between.iter().filter(|p| extent(p).meets(moved)).count();
        if to == at || touched < 2 {
            return;
        }
        let mut next = flat.clone();
        let placed = next.parts.remove(at);
        next.parts.insert(to, placed);
        self.open(&next, next.parts.len(), next.parts.len());
        next.wrong = self.ground.wrong();
        self.accept(flat, next, temperature, rng);
    }

    fn accept(&mut self, flat: &mut Flat, next: Flat, temperature: f64, rng: &mut Rng) {
        let price = self.options.price;
        if metropolis(next.energy(price) - flat.energy(price), temperature, rng) {
            *flat = next;
        }
    }
}

/// Random parts that are drawn for a guess.
const TRIES: usize = 64;
/// Of those, parts of the right colour that are compared.
const FITTED: usize = 12;
