//! Choices by energy: what is better is likelier, by how much the temperature says.
//!
//! In: energies, a temperature above 0, in the same unit. Out: a choice. Afterwards nothing is kept.

use rand::RngExt;

use crate::sample::Rng;

/// One of the energies, each as likely as `exp(-energy / temperature)` says; `None` when none is
/// finite.
pub(super) fn boltzmann(energies: &[f64], temperature: f64, rng: &mut Rng) -> Option<usize> {
    let mut weights = Vec::new();
    boltzmann_in(energies.iter().copied(), temperature, &mut weights, rng)
}

/// The same, with memory to do it in.
pub(super) fn boltzmann_in(
    energies: impl Iterator<Item = f64> + Clone,
    temperature: f64,
    weights: &mut Vec<f64>,
    rng: &mut Rng,
) -> Option<usize> {
    let least = energies.clone().fold(f64::INFINITY, f64::min);
    if !least.is_finite() {
        return None;
    }
    // What is far worse than the best is not worth an exponential.
    weights.clear();
    weights.extend(energies.map(|energy| match (energy - least) / temperature {
        far if far < HOPELESS => libm::exp(-far),
        _ => 0.0,
    }));
    let total: f64 = weights.iter().sum();
    let mut left = rng.random_range(0.0..1.0) * total;
    let mut last = None;
    for (index, weight) in weights.iter().enumerate() {
        if *weight > 0.0 {
            last = Some(index);
            left -= weight;
            if left < 0.0 {
                break;
            }
        }
    }
    last
}

/// One of some items, each as likely as its weight says. There is at least one of some weight.
pub(super) fn weighted<T: Copy, const N: usize>(items: &[(T, u32); N], rng: &mut Rng) -> T {
    let total: u32 = items.iter().map(|(_, weight)| weight).sum();
    let mut pick = rng.random_range(0..total);
    for (item, weight) in items {
        if pick < *weight {
            return *item;
        }
        pick -= weight;
    }
    items[0].0
}

/// What is so many times the temperature worse than the best is not chosen.
pub(super) const HOPELESS: f64 = 16.0;

/// Whether to go on to an energy that is so much greater (Metropolis's rule).
pub(super) fn metropolis(worse: f64, temperature: f64, rng: &mut Rng) -> bool {
    worse <= 0.0
        || (worse < 40.0 * temperature
            && rng.random_range(0.0..1.0) < libm::exp(-worse / temperature))
}
