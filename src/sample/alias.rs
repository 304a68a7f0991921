//! Weighted choices in constant time: alias tables (Walker 1977, Vose 1991), all in one array.

use super::Rng;
use rand::Rng as _;

/// A finished choice: a range of entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    start: u32,
    len: u32,
}

impl Row {
    /// Whether there is nothing to choose from.
    pub(crate) fn is_empty(self) -> bool {
        self.len == 0
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Below it `own`, else `other`; a fraction of 2^64.
    threshold: u64,
    own: u32,
    other: u32,
}

/// All choices of a sampler.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choices {
    entries: Vec<Entry>,
}

impl Choices {
    /// Adds a choice between values with weights. What has no weight is never chosen.
    pub(crate) fn add(&mut self, options: &[(u32, f64)]) -> Row {
        let start = self.entries.len() as u32;
        let kept: Vec<(u32, f64)> = options.iter().copied().filter(|o| o.1 > 0.0).collect();
        let n = kept.len();
        let total: f64 = kept.iter().map(|o| o.1).sum();
        // Every entry holds 1/n of the probability; the poor ones are filled up by rich ones.
        let mut parts: Vec<f64> = kept.iter().map(|o| o.1 / total * n as f64).collect();
        let (mut poor, mut rich): (Vec<usize>, Vec<usize>) = (0..n).partition(|i| parts[*i] < 1.0);
        self.entries.extend(kept.iter().map(|(value, _)| Entry {
            threshold: u64::MAX,
            own: *value,
            other: *value,
        }));
        while let (Some(low), Some(high)) = (poor.pop(), rich.last().copied()) {
            let entry = &mut self.entries[start as usize + low];
            entry.threshold = (parts[low] * 18_446_744_073_709_551_616.0) as u64;
            entry.other = kept[high].0;
            parts[high] -= 1.0 - parts[low];
            if parts[high] < 1.0 {
                rich.pop();
                poor.push(high);
            }
        }
        Row {
            start,
            len: n as u32,
        }
    }

    /// Draws a value; a choice of one value takes nothing from the generator. An empty choice
    /// gives 0.
    #[inline]
    pub(crate) fn pick(&self, row: Row, rng: &mut Rng) -> u32 {
        if row.len <= 1 {
            return self.entries.get(row.start as usize).map_or(0, |e| e.own);
        }
        let product = u128::from(rng.next_u64()) * u128::from(row.len);
        let entry = &self.entries[row.start as usize + (product >> 64) as usize];
        if (product as u64) < entry.threshold {
            entry.own
        } else {
            entry.other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::seeded;

    #[test]
    fn shares_follow_the_weights() {
        let mut choices = Choices::default();
        choices.add(&[(9, 1.0)]);
        let weights = [(3, 1.0), (4, 0.0), (5, 2.0), (6, 5.0), (7, 0.001)];
        let row = choices.add(&weights);
        let total: f64 = weights.iter().map(|w| w.1).sum();
        let mut counts = [0u32; 10];
        let mut rng = seeded(5);
        let n = 1_000_000;
        for _ in 0..n {
            counts[choices.pick(row, &mut rng) as usize] += 1;
        }
        for (value, weight) in weights {
            let expected = weight / total * f64::from(n);
            let gap = f64::from(counts[value as usize]) - expected;
            assert!(gap.abs() < 5.0 * expected.sqrt().max(0.2), "{value}: {gap}");
        }
        assert_eq!(counts[4], 0);
    }

    #[test]
    fn one_value_takes_no_randomness() {
        let mut choices = Choices::default();
        let row = choices.add(&[(8, 0.5)]);
        let mut rng = seeded(1);
        let before = rng.clone();
        assert_eq!(choices.pick(row, &mut rng), 8);
        assert_eq!(rng, before);
    }
}
