//! Choices by energy: what is better is likelier, by how much the temperature says.
//!
//! In: energies, a temperature above 0, in the same unit. Out: a choice. Afterwards nothing is kept.

use rand::RngExt;

use crate::sample::Rng;

/// One of the energies, each as likely as `exp(-energy / temperature)` says; `None` when none is
/// finite.
pub(super) fn boltzmann(energies: &[f64], temperature: f64, rng: &mut Rng) -> Option<usize> {
    let least = energies.iter().copied().fold(f64::INFINITY, f64::min);
    if !least.is_finite() {
        return None;
    }
    // What is far worse than the best is not worth an exponential.
    let weight = |energy: &f64| match (energy - least) / temperature {
        far if far < 40.0 => libm::exp(-far),
        _ => 0.0,
    };
    let total: f64 = energies.iter().map(weight).sum();
    let mut left = rng.random_range(0.0..1.0) * total;
    let mut last = None;
    for (index, energy) in energies.iter().enumerate() {
        let weight = weight(energy);
        if weight > 0.0 {
            last = Some(index);
            left -= weight;
            if left < 0.0 {
                break;
            }
        }
    }
    last
}

/// Whether to go on to an energy that is so much greater (Metropolis's rule).
pub(super) fn metropolis(worse: f64, temperature: f64, rng: &mut Rng) -> bool {
    worse <= 0.0
        || (worse < 40.0 * temperature
            && rng.random_range(0.0..1.0) < libm::exp(-worse / temperature))
}

/// A number of the standard Gumbel distribution. The greatest of `-energy / temperature` and one of
/// these each is a choice as by [`boltzmann`].
pub(super) fn gumbel(rng: &mut Rng) -> f64 {
    let uniform: f64 = rng.random_range(f64::MIN_POSITIVE..1.0);
    -libm::log(-libm::log(uniform))
}
