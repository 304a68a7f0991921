//! The last touch: parts as they are on the anti-aliased picture.
//!
//! In: placed parts that are right on bit planes. Out: the same, or others like them, nearer to the
//! target on the picture that counts. Afterwards nothing is kept but memory.
//!
//! On bit planes a thin border, or a part that is a little smaller, often makes no difference. How
//! parts are laid out depends on their bounds, so it has to be found out which it is.

use rand::RngExt;

use super::run::{Flat, Placed, Placer};
use crate::render::bits::Extent;
use crate::render::coverage::Engine;
use crate::render::{Picture, metric};
use crate::sample::Rng;
use crate::scene::{Content, RegionId, Scene};
use crate::search::chance::metropolis;
use crate::search::target::in_pixels;

/// Temperatures, in pixels, of the walks on bit planes that come before a look at the picture.
const WALKS: [f64; 4] = [0.5, 2.0, 8.0, 30.0];

/// What is a pixel or less wrong in all is taken for right.
const RIGHT: f64 = 0.5;

/// The temperature of the walk on the anti-aliased picture, in pixels.
const WARM: f64 = 1.0;

/// Draws parts with anti-aliasing.
struct Exact {
    target: metric::Target,
    engine: Engine,
    picture: Picture,
    scene: Scene,
}

impl Exact {
    fn score<'p>(&mut self, parts: impl Iterator<Item = &'p Placed>) -> f64 {
        self.scene.regions.clear();
        let mut layers = match &mut self.scene.content {
            Content::Layers(layers) => std::mem::take(layers),
            Content::Ink(_) => Vec::new(),
        };
        layers.clear();
        for placed in parts {
            let first = self.scene.regions.len() as u32;
            // Regions of a sprite are single shapes: they refer to no others.
            self.scene.regions.extend_from_slice(&placed.look.regions);
            layers.extend(placed.look.layers.iter().cloned().map(|mut layer| {
                layer.region = RegionId(layer.region.0 + first);
                layer.offset.0 += placed.at.0;
                layer.offset.1 += placed.at.1;
                layer
            }));
        }
        self.scene.content = Content::Layers(layers);
        let drawn = self.engine.draw_into(&self.scene, &mut self.picture);
        let sum = match drawn {
            Ok(()) => self.target.difference_within(&self.picture, u64::MAX),
            Err(_) => None,
        };
        sum.map_or(f64::INFINITY, |sum| in_pixels(sum, &self.picture))
    }
}

impl Placer<'_> {
    /// Brings parts nearer to the target picture by so many looks at it for each, and says how far they
    /// still are, in pixels. It ends when `go_on` says no.
    pub fn retouch(
        &mut self,
        mut flat: Flat,
        target: &Picture,
        looks: u32,
        rng: &mut Rng,
        go_on: &mut dyn FnMut() -> bool,
    ) -> (Flat, f64) {
        let Some(canvas) = self.compiled.grammar.canvas.clone() else {
            return (flat, f64::INFINITY);
        };
        let mut exact = Exact {
            target: metric::Target::new(target.clone()),
            engine: Engine::new(),
            picture: Picture::filled(0, 0, target.channels, 0),
            scene: Scene {
                canvas,
                regions: Vec::new(),
                content: Content::Layers(Vec::new()),
            },
        };
        let mut score = exact.score(flat.parts.iter());
        prune(&mut exact, &mut flat, &mut score);
        (flat, score) = self.walk(&mut exact, flat, score, looks, rng);
        for _ in 0..MENDS {
            if score < RIGHT || !go_on() {
                break;
            }
            if self.mend(&mut exact, &mut flat, &mut score, rng) {
                (flat, score) = self.walk(&mut exact, flat, score, looks / 4, rng);
            }
        }
        prune(&mut exact, &mut flat, &mut score);
        flat.under = order(&mut exact, &flat, score);
        (flat, score)
    }

    /// Changes parts, mostly for the better; the best that there was.
    fn walk(
        &mut self,
        exact: &mut Exact,
        mut flat: Flat,
        mut score: f64,
        looks: u32,
        rng: &mut Rng,
    ) -> (Flat, f64) {
        let mut best = (flat.clone(), score);
        for _ in 0..looks * flat.parts.len() as u32 {
            if best.1 < RIGHT {
                break;
            }
            let at = rng.random_range(0..flat.parts.len());
            if rng.random_range(0..16) == 0 {
                let mut parts = flat.parts.clone();
                let placed = parts.remove(at);
                parts.insert(rng.random_range(0..=parts.len()), placed);
                let now = exact.score(parts.iter());
                self.evaluations += 1;
                if metropolis(now - score, WARM, rng) {
                    (flat.parts, score) = (parts, now);
                }
                continue;
            }
            self.open(&flat, at, at + 1);
            let mut placed = flat.parts[at].clone();
            let mut worth = self.worth(&placed.look.clone(), placed.at);
            let temperature = WALKS[rng.random_range(0..WALKS.len())];
            match rng.random_range(0..4) {
                0 => worth = self.sweep(&mut placed, worth, temperature, rng),
                1 => {
                    let Some(error) = self.restyle(&mut placed, rng) else {
                        continue;
                    };
                    worth = error;
                }
                _ => {}
            }
            let tries = (1 << rng.random_range(0..5)) - 1;
            worth = self.nudge(&mut placed, worth, temperature, tries, rng);
            if placed.part == flat.parts[at].part && placed.at == flat.parts[at].at {
                continue;
            }
            let parts = flat.parts.iter().enumerate();
            let parts = parts.map(|(index, p)| if index == at { &placed } else { p });
            let now = exact.score(parts);
            self.evaluations += 1;
            if metropolis(now - score, WARM, rng) {
                score = now;
                flat.wrong = self.sum(worth);
                flat.parts[at] = placed;
            }
            if score < best.1 {
                best = (flat.clone(), score);
            }
        }
        best
    }

    /// Puts a part where the anti-aliased picture is wrong, if that makes it better: bit planes do not
    /// see lines of less than half a pixel.
    fn mend(&mut self, exact: &mut Exact, flat: &mut Flat, score: &mut f64, rng: &mut Rng) -> bool {
        exact.score(flat.parts.iter());
        let Some(stain) = exact.stain(rng) else {
            return false;
        };
        let kinds = self.gallery.kinds;
        let mut fitting: Vec<(i64, Placed)> = Vec::new();
        for _ in 0..GUESSES {
            let part = kinds.random(rng);
            let look = self.gallery.look(&part);
            if !look.bounds.is_finite() || look.is_hidden() {
                continue;
            }
            // An edge that lies within a pixel stains all of it.
            let far = (look.bounds.width() + 1.0 - f64::from(stain.width())).abs()
                + (look.bounds.height() + 1.0 - f64::from(stain.height())).abs();
            let (x, y) = look.bounds.center();
            let middle =
                |from: i32, to: i32, of: f64| (f64::from(from + to) / 2.0 - of).round() as i32;
            let at = (
                middle(stain.left, stain.right, x),
                middle(stain.top, stain.bottom, y),
            );
            fitting.push(((far * 64.0) as i64, Placed { part, at, look }));
        }
        fitting.sort_by_key(|(far, _)| *far);
        fitting.dedup_by(|(_, a), (_, b)| {
            a.part.kind == b.part.kind && a.look.bounds == b.look.bounds
        });
        fitting.truncate(FITTING);
        for (_, mut placed) in fitting {
            let best = self.paint(exact, flat, &mut placed);
            if best + SLIGHT < *score {
                *score = best;
                flat.parts.push(placed);
                return true;
            }
        }
        false
    }

    /// Gives a part over all others the best values for its tokens, two at a time: colours and whatever
    /// else does not change its bounds. What the picture is like with it.
    fn paint(&mut self, exact: &mut Exact, flat: &Flat, placed: &mut Placed) -> f64 {
        let kinds = self.gallery.kinds;
        let tokens = &kinds.of(&placed.part).tokens;
        let count = |token: usize| tokens[token].count.min(MOST_TRIED);
        let same: Vec<usize> = (0..tokens.len())
            .filter(|token| {
                let mut others = (0..count(*token)).map(|value| placed.part.with(*token, value));
                others.all(|part| self.gallery.look(&part).bounds == placed.look.bounds)
            })
            .collect();
        let mut best = f64::INFINITY;
        for (index, b) in same.iter().enumerate() {
            for a in &same[..index] {
                let mut chosen = None;
                for pair in 0..count(*a) * count(*b) {
                    let part = placed.part.with(*a, pair % count(*a));
                    let part = part.with(*b, pair / count(*a));
                    let look = self.gallery.look(&part);
                    let at = placed.at;
                    let other = Placed { part, at, look };
                    let now = exact.score(flat.parts.iter().chain([&other]));
                    self.evaluations += 1;
                    if now < best {
                        (best, chosen) = (now, Some(other));
                    }
                }
                if let Some(chosen) = chosen {
                    *placed = chosen;
                }
            }
        }
        best
    }
}

/// How often something is looked for that is missing.
const MENDS: u32 = 8;
/// Random parts from which those are taken that are about as large as a stain, and how many.
const GUESSES: u32 = 400;
const FITTING: usize = 4;
/// Values of a token that are tried.
const MOST_TRIED: u32 = 12;
/// From which difference on a channel is wrong.
const STAINED: u8 = 3;

impl Exact {
    /// The box around pixels that are wrong and hang together, loosely, in the picture that was drawn last.
    fn stain(&self, rng: &mut Rng) -> Option<Extent> {
        let target = self.target.picture();
        let width = target.width as usize;
        let pairs = self.picture.data.chunks_exact(3);
        let pairs = pairs.zip(target.data.chunks_exact(3));
        let mut wrong: Vec<bool> = pairs
            .map(|(a, b)| a.iter().zip(b).any(|(a, b)| a.abs_diff(*b) > STAINED))
            .collect();
        let count = wrong.iter().filter(|w| **w).count();
        if count == 0 {
            return None;
        }
        let wanted = rng.random_range(0..count);
        let (first, _) = wrong.iter().enumerate().filter(|(_, w)| **w).nth(wanted)?;
        let mut pending = vec![first];
        let mut extent = Extent {
            left: i32::MAX,
            top: i32::MAX,
            right: i32::MIN,
            bottom: i32::MIN,
        };
        while let Some(at) = pending.pop() {
            if !std::mem::take(&mut wrong[at]) {
                continue;
            }
            let (x, y) = ((at % width) as i32, (at / width) as i32);
            extent = extent.around(Extent {
                left: x,
                top: y,
                right: x + 1,
                bottom: y + 1,
            });
            for ny in (y - REACH).max(0)..=(y + REACH).min(target.height as i32 - 1) {
                for nx in (x - REACH).max(0)..=(x + REACH).min(width as i32 - 1) {
                    pending.push(ny as usize * width + nx as usize);
                }
            }
        }
        Some(extent)
    }
}

/// How far apart pixels may be that hang together.
const REACH: i32 = 2;

/// Takes out what hardly makes a difference.
fn prune(exact: &mut Exact, flat: &mut Flat, score: &mut f64) {
    let mut at = 0;
    while at < flat.parts.len() {
        let rest = flat.parts.iter().enumerate();
        let rest = rest.filter(|(index, _)| *index != at).map(|(_, p)| p);
        let now = exact.score(rest);
        if now <= *score + SLIGHT {
            flat.parts.remove(at);
            *score = now;
        } else {
            at += 1;
        }
    }
}

/// For each part those that have to be painted before it: what it covers, as far as that makes a
/// difference.
fn order(exact: &mut Exact, flat: &Flat, score: f64) -> Vec<u32> {
    let mut masks = Vec::with_capacity(flat.parts.len());
    for (over, b) in flat.parts.iter().enumerate() {
        let mut mask = 0;
        for (below, a) in flat.parts[..over].iter().enumerate() {
            if !a.look.sprite.overlaps(a.at, &b.look.sprite, b.at) {
                continue;
            }
            // Just under the other, above everything in between.
            let mut parts = flat.parts.clone();
            let placed = parts.remove(over);
            parts.insert(below, placed);
            if exact.score(parts.iter()) > score + SLIGHT {
                mask |= 1 << below;
            }
        }
        masks.push(mask);
    }
    masks
}

/// What makes less of a difference, in pixels, is taken for none.
const SLIGHT: f64 = 2.0;
