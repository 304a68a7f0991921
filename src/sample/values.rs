//! Values of tokens: fresh ones, other ones, and neighbours by a kernel.

use super::alias::{Choices, Row};
use super::{Rng, TextSource, below, unit};
use crate::grammar::ids::TokenId;
use crate::grammar::ir::{Domain, Grammar, Kernel};

/// Draws after which an equal value counts as certain; its probability is at most 2^-64 then.
const TRIES: usize = 64;

/// How a token's values are drawn.
#[derive(Clone, Debug)]
pub(crate) enum Draw {
    /// Uniform below a count.
    Uniform(u32),
    /// By weight.
    Weighted {
        row: Row,
        /// Probabilities, summing to 1.
        shares: Vec<f64>,
    },
    /// A string.
    Text(TokenId),
}

impl Draw {
    pub(crate) fn new(grammar: &Grammar, token: TokenId, choices: &mut Choices) -> Draw {
        match &grammar.token(token).domain {
            Domain::Finite(values) => {
                let total: f64 = values.iter().map(|v| v.weight).sum();
                let shares: Vec<f64> = values.iter().map(|v| v.weight / total).collect();
                let options: Vec<(u32, f64)> = (0..).zip(shares.iter().copied()).collect();
                let row = choices.add(&options);
                Draw::Weighted { row, shares }
            }
            Domain::Text { .. } => Draw::Text(token),
            domain => Draw::Uniform(domain.count().unwrap_or(1)),
        }
    }

    /// A fresh value; a text is pushed and its number given.
    #[inline]
    pub(crate) fn fresh(
        &self,
        choices: &Choices,
        source: &dyn TextSource,
        rng: &mut Rng,
        texts: &mut Vec<Box<str>>,
    ) -> u32 {
        match self {
            Draw::Uniform(count) => below(rng, *count),
            Draw::Weighted { row, .. } => choices.pick(*row, rng),
            Draw::Text(token) => {
                texts.push(source.text(*token, rng).into_boxed_str());
                texts.len() as u32 - 1
            }
        }
    }

    /// The probability of a value; `text` is its string when it is a text.
    pub(crate) fn probability(&self, source: &dyn TextSource, value: u32, text: &str) -> f64 {
        match self {
            Draw::Uniform(count) => 1.0 / f64::from((*count).max(1)),
            Draw::Weighted { shares, .. } => shares.get(value as usize).copied().unwrap_or(0.0),
            Draw::Text(token) => source.probability(*token, text),
        }
    }

    /// The probability of all other values: not 1 minus the above, which would lose small ones.
    pub(crate) fn probability_other(&self, source: &dyn TextSource, value: u32, text: &str) -> f64 {
        match self {
            Draw::Uniform(count) => f64::from(count.saturating_sub(1)) / f64::from((*count).max(1)),
            Draw::Weighted { shares, .. } => (0..)
                .zip(shares)
                .filter(|(index, _)| *index != value)
                .map(|(_, share)| share)
                .sum(),
            Draw::Text(token) if source.is_single(*token) => 0.0,
            Draw::Text(token) => (1.0 - source.probability(*token, text)).max(0.0),
        }
    }

    /// Whether there is more than one value.
    pub(crate) fn is_varied(&self, source: &dyn TextSource) -> bool {
        match self {
            Draw::Uniform(count) => *count > 1,
            Draw::Weighted { shares, .. } => shares.len() > 1,
            Draw::Text(token) => !source.is_single(*token),
        }
    }

    /// A value other than this one, by the distribution conditioned on that; `None` when there
    /// is no other. A text is pushed.
    pub(crate) fn other(
        &self,
        source: &dyn TextSource,
        rng: &mut Rng,
        value: u32,
        text: &str,
        texts: &mut Vec<Box<str>>,
    ) -> Option<u32> {
        match self {
            Draw::Uniform(count) if *count > 1 => {
                let drawn = below(rng, count - 1);
                Some(drawn + u32::from(drawn >= value))
            }
            Draw::Uniform(_) => None,
            Draw::Weighted { shares, .. } => {
                let others = || (0u32..).zip(shares).filter(|(index, _)| *index != value);
                let mut left = unit(rng) * others().map(|(_, share)| share).sum::<f64>();
                let mut last = None;
                for (index, share) in others() {
                    last = Some(index);
                    if left < *share {
                        break;
                    }
                    left -= share;
                }
                last
            }
            Draw::Text(token) => {
                // A token with two strings at least gives each with at most one half.
                let drawn = (0..TRIES)
                    .map(|_| source.text(*token, rng))
                    .find(|drawn| drawn != text)?;
                texts.push(drawn.into_boxed_str());
                Some(texts.len() as u32 - 1)
            }
        }
    }
}

/// A value other than `value` from a normal distribution around it, of `sigma` grid steps, rounded
/// to the grid and folded back into `0..count`; `None` when there is no other.
pub(crate) fn normal_other(rng: &mut Rng, value: u32, count: u32, sigma: f64) -> Option<u32> {
    if count < 2 {
        return None;
    }
    for _ in 0..TRIES {
        let moved = fold(f64::from(value) + normal(rng) * sigma, count);
        if moved != value {
            return Some(moved);
        }
    }
    // Only a deviation of a fraction of a step comes here. Conditioned on moving at all it moves
    // by one step, upwards or downwards with equal probability.
    let up = below(rng, 2) == 1;
    Some(if (up && value + 1 < count) || value == 0 {
        value + 1
    } else {
        value - 1
    })
}

/// Rounds to the grid and mirrors at both ends, `-1` to `1`.
fn fold(at: f64, count: u32) -> u32 {
    let last = f64::from(count - 1);
    let period = 2.0 * last;
    let rest = at.round() - (at.round() / period).floor() * period;
    let folded = if rest > last { period - rest } else { rest };
    folded.clamp(0.0, last) as u32
}

/// The standard normal distribution, by Marsaglia's polar method; `libm` gives the same logarithm
/// on every machine.
pub(crate) fn normal(rng: &mut Rng) -> f64 {
    loop {
        let x = 2.0 * unit(rng) - 1.0;
        let y = 2.0 * unit(rng) - 1.0;
        let square = x * x + y * y;
        if square > 0.0 && square < 1.0 {
            return x * (-2.0 * libm::log(square) / square).sqrt();
        }
    }
}

/// A token's kernel in grid steps; `None` for a fresh value.
pub(crate) fn kernel_steps(grammar: &Grammar, token: TokenId) -> Option<(f64, u32)> {
    let token = grammar.token(token);
    let Kernel::Normal(deviation) = token.kernel else {
        return None;
    };
    let step = match token.domain {
        Domain::Int { step, .. } => step as f64,
        Domain::Real { step, .. } => step,
        _ => return None,
    };
    Some((deviation / step, token.domain.count()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::seeded;

    #[test]
    fn folding_mirrors_at_the_ends() {
        let folded: Vec<u32> = (-5..10).map(|at| fold(f64::from(at), 4)).collect();
        assert_eq!(folded, [1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1, 2, 3]);
        assert_eq!(fold(0.4, 2), 0);
        assert_eq!(fold(1e300, 7), fold(1e300, 7));
    }

    #[test]
    fn normal_steps_always_move_and_stay_inside() {
        let mut rng = seeded(2);
        for sigma in [1e-9, 0.1, 1.0, 40.0, 1e12] {
            for value in [0, 1, 5, 9] {
                for _ in 0..200 {
                    let moved = normal_other(&mut rng, value, 10, sigma).unwrap();
                    assert!(moved < 10 && moved != value);
                    if sigma < 0.05 {
                        assert_eq!(moved.abs_diff(value), 1);
                    }
                }
            }
        }
        assert_eq!(normal_other(&mut rng, 0, 1, 1.0), None);
    }

    #[test]
    fn normal_has_its_moments() {
        let mut rng = seeded(3);
        let n = 400_000;
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..n {
            let x = normal(&mut rng);
            sum += x;
            squares += x * x;
        }
        let (mean, square) = (sum / f64::from(n), squares / f64::from(n));
        assert!(
            mean.abs() < 0.008 && (square - 1.0).abs() < 0.012,
            "{mean} {square}"
        );
    }
}
