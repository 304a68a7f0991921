//! Pixels that count more than others: the few that a small drawing has.
//!
//! In: the planes of a target. Out: [`Heavy`]. Afterwards a target of one pixel is as far from the empty canvas
//! as one of many, so that search has something to go by: a shape around the pixel is better than nothing, and
//! one that covers less beside it is better still. Where each pixel counted once, nothing but the pixel itself
//! would be better than the empty canvas.

use super::Layout;

/// Most that they may count in all: sums over a row of the longest canvas have 16 bits.
const MOST: u64 = 10_000;

/// Pixels that count several times.
#[derive(Clone, Debug, Default)]
pub(super) struct Heavy {
    /// Numbers of words of a plane that have some, and which.
    words: Vec<(usize, u64)>,
    /// How often each counts beside the once that all do.
    more: u64,
}

impl Heavy {
    /// The pixels that are set in any of a picture's planes, each as often as it takes for all of them to
    /// count as `least`, about; at most as [`MOST`].
    pub(super) fn new(planes: &[u64], layout: &Layout, least: u64) -> Heavy {
        let any = |word: usize| {
            let planes = planes.iter().skip(word).step_by(layout.plane.max(1));
            planes.fold(0, |any, plane| any | plane)
        };
        let words = (0..layout.plane).map(|word| (word, any(word)));
        let words: Vec<(usize, u64)> = words.filter(|(_, mask)| *mask != 0).collect();
        let count: u64 = words.iter().map(|(_, m)| u64::from(m.count_ones())).sum();
        match least.min(MOST).checked_div(count) {
            Some(times) if times > 1 => Heavy {
                words,
                more: times - 1,
            },
            _ => Heavy::default(),
        }
    }

    /// How often each of them counts.
    #[cfg(test)]
    pub(super) fn times(&self) -> u64 {
        1 + self.more
    }

    /// What wrong pixels count beside their number; `wrong` has those of a word.
    pub(super) fn more(&self, wrong: impl Fn(usize) -> u64) -> u64 {
        let counts = self.words.iter().map(|(word, mask)| wrong(*word) & mask);
        self.more
            * counts
                .map(|wrong| u64::from(wrong.count_ones()))
                .sum::<u64>()
    }

    /// What pixels of a plane are worth beside the number of those in `plus` less that of those in `minus`.
    pub(super) fn worth(&self, of: &[u64], plus: &[u64], minus: &[u64]) -> i64 {
        let [plus, minus] = [plus, minus].map(|words| self.more(|word| of[word] & words[word]));
        plus.cast_signed() - minus.cast_signed()
    }

    /// Adds them to sums over the rows of a canvas (see `loops::prefix_sums`).
    pub(super) fn add(&self, plus: &[u64], minus: &[u64], layout: &Layout, before: &mut [i16]) {
        let width = layout.width.unsigned_abs() as usize;
        let more = i16::try_from(self.more).unwrap_or_default();
        for (word, mask) in &self.words {
            let (column, y) = (word / layout.column(), word % layout.column());
            let row = &mut before[y * (width + 1)..][..width + 1];
            for bit in (0..64).filter(|bit| mask >> bit & 1 == 1) {
                let by = more
                    * (i16::from(plus[*word] >> bit & 1 == 1)
                        - i16::from(minus[*word] >> bit & 1 == 1));
                row[64 * column + bit + 1..]
                    .iter_mut()
                    .for_each(|sum| *sum += by);
            }
        }
    }
}
