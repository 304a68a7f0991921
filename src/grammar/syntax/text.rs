//! Exact sampling of text tokens.
//!
//! In: the language's lexer and a text token. Out: [`TextSampler`]. Afterwards
//! [`TextSampler::sample`] draws a length uniformly among the lengths of the token's window that
//! exist, then a string uniformly among the printable ASCII ones of that length which the lexer
//! reads as this token (so never a quoted terminal).
//!
//! Strings are counted by dynamic programming over the lexer's automaton: row r holds, per state,
//! how many strings of r bytes lead to an end. Counts grow like 95^r, past any integer, and only
//! ratios within a row matter, so each row is stored as `f64` divided by its greatest count; which
//! strings exist at all is kept apart, exactly.

use rand::{Rng, RngExt};

use super::bits::Bits;
use super::bnf::Term;
use super::lexer::{DEAD, Lexer, START, State};

/// Most cells of the table: lengths times states.
const MAX_CELLS: usize = 1 << 22;

/// Draws strings of one text token.
#[derive(Clone, Debug)]
pub struct TextSampler {
    /// The lengths that exist, ascending.
    lengths: Vec<u32>,
    /// Per state its moves: target and bytes.
    moves: Vec<Vec<(u32, Vec<u8>)>>,
    /// `rows[r][state]`: strings of r bytes from the state to an end, divided by the row's
    /// greatest; above zero exactly when there is one.
    rows: Vec<Vec<f64>>,
}

/// Why there is no sampler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextError {
    /// No printable ASCII string of the window; the greatest length looked at, and the first
    /// length outside the window that exists, if any.
    Nothing { exists: Option<u32> },
    /// The greatest length is too large for the table; the most it may be.
    TooLong { most: u32 },
}

impl TextSampler {
    pub(crate) fn new(
        lexer: &Lexer,
        ends: &[Bits],
        term: Term,
        min_len: u32,
        max_len: u32,
    ) -> Result<TextSampler, TextError> {
        // The automaton restricted to printable bytes and states that can end, renumbered.
        let mut index: Vec<Option<u32>> = vec![None; lexer.states()];
        let mut states: Vec<State> = Vec::new();
        let mut moves: Vec<Vec<(u32, Vec<u8>)>> = Vec::new();
        if ends[START as usize].has(term.index()) {
            index[START as usize] = Some(0);
            states.push(START);
        }
        let mut at = 0;
        while at < states.len() {
            let mut row: Vec<(u32, Vec<u8>)> = Vec::new();
            for byte in b' '..=b'~' {
                let to = lexer.step(states[at], byte);
                if to == DEAD || !ends[to as usize].has(term.index()) {
                    continue;
                }
                let to = *index[to as usize].get_or_insert_with(|| {
                    states.push(to);
                    states.len() as u32 - 1
                });
                match row.iter_mut().find(|(target, _)| *target == to) {
                    Some((_, bytes)) => bytes.push(byte),
                    None => row.push((to, vec![byte])),
                }
            }
            moves.push(row);
            at += 1;
        }
        let most = (MAX_CELLS / states.len().max(1)).min(u32::MAX as usize) as u32;
        if max_len > most {
            return Err(TextError::TooLong { most });
        }
        // Lengths up to the number of states tell whether any string exists at all.
        let probe = max_len.max((states.len() as u32).min(most));
        let end: Vec<f64> = states
            .iter()
            .map(|s| f64::from(u8::from(lexer.accepts(*s).contains(&term))))
            .collect();
        let mut rows = vec![end];
        for _ in 0..probe {
            let last = &rows[rows.len() - 1];
            let mut row: Vec<f64> = moves
                .iter()
                .map(|row| {
                    row.iter()
                        .map(|(to, bytes)| last[*to as usize] * bytes.len() as f64)
                        .sum()
                })
                .collect();
            let top = row.iter().copied().fold(0.0, f64::max);
            if top > 0.0 {
                for (cell, of) in row.iter_mut().zip(&moves) {
                    let exists = of.iter().any(|(to, _)| last[*to as usize] > 0.0);
                    // A count too small beside the greatest must not become "none".
                    *cell = if exists {
                        (*cell / top).max(f64::MIN_POSITIVE)
                    } else {
                        0.0
                    };
                }
            }
            rows.push(row);
        }
        let exists = |len: u32| {
            rows.get(len as usize)
                .and_then(|row| row.first())
                .is_some_and(|count| *count > 0.0)
        };
        let lengths: Vec<u32> = (min_len..=max_len).filter(|len| exists(*len)).collect();
        if lengths.is_empty() {
            let exists = (0..=probe).find(|len| exists(*len));
            return Err(TextError::Nothing { exists });
        }
        rows.truncate(max_len as usize + 1);
        Ok(TextSampler {
            lengths,
            moves,
            rows,
        })
    }

    /// The lengths in characters that exist, ascending; never empty.
    pub fn lengths(&self) -> &[u32] {
        &self.lengths
    }

    /// Draws a string.
    pub fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> String {
        let length = self.lengths[rng.random_range(0..self.lengths.len())];
        self.sample_length(length, rng)
    }

    /// Draws a string of one of [`TextSampler::lengths`].
    pub fn sample_length<R: Rng + ?Sized>(&self, length: u32, rng: &mut R) -> String {
        let mut text = String::with_capacity(length as usize);
        let mut state = 0usize;
        for left in (0..length as usize).rev() {
            let row = &self.rows[left];
            let weigh = |of: &(u32, Vec<u8>)| row[of.0 as usize] * of.1.len() as f64;
            let total: f64 = self.moves[state].iter().map(weigh).sum();
            let mut pick = rng.random::<f64>() * total;
            let mut chosen = None;
            for of in &self.moves[state] {
                let weight = weigh(of);
                if weight > 0.0 {
                    chosen = Some(of);
                    if pick < weight {
                        break;
                    }
                    pick -= weight;
                }
            }
            let Some((to, bytes)) = chosen else {
                break;
            };
            text.push(char::from(bytes[rng.random_range(0..bytes.len())]));
            state = *to as usize;
        }
        text
    }

    /// The probability with which [`TextSampler::sample`] gives this string.
    pub fn probability(&self, text: &str) -> f64 {
        let known = u32::try_from(text.len()).is_ok_and(|n| self.lengths.binary_search(&n).is_ok());
        if !known {
            return 0.0;
        }
        let mut probability = 1.0 / self.lengths.len() as f64;
        let mut state = 0usize;
        for (byte, row) in text.bytes().zip(self.rows[..text.len()].iter().rev()) {
            let of = |of: &(u32, Vec<u8>)| row[of.0 as usize] * of.1.len() as f64;
            let total: f64 = self.moves[state].iter().map(of).sum();
            let mut moves = self.moves[state].iter();
            let Some((to, _)) = moves.find(|(_, bytes)| bytes.contains(&byte)) else {
                return 0.0;
            };
            probability *= row[*to as usize] / total;
            state = *to as usize;
        }
        probability
    }

    /// Where one more byte leads from a place in a string, 0 at its beginning; `None`: nowhere.
    #[cfg(feature = "learn")]
    pub(crate) fn step(&self, state: u32, byte: u8) -> Option<u32> {
        let moves = self.moves.get(state as usize)?;
        let mut moves = moves.iter();
        let (to, _) = moves.find(|(_, bytes)| bytes.contains(&byte))?;
        Some(*to)
    }

    /// The bytes that lead on from a place, with where they lead.
    #[cfg(feature = "learn")]
    pub(crate) fn steps(&self, state: u32) -> &[(u32, Vec<u8>)] {
        self.moves.get(state as usize).map_or(&[], Vec::as_slice)
    }

    /// The fewest bytes that end a string here, `used` of them being behind; `None`: it cannot end.
    #[cfg(feature = "learn")]
    pub(crate) fn least(&self, state: u32, used: u32) -> Option<u32> {
        let more = self.lengths.iter().filter_map(|n| n.checked_sub(used));
        let mut more = more.filter(|n| {
            let row = self.rows.get(*n as usize);
            row.is_some_and(|row| row.get(state as usize).is_some_and(|c| *c > 0.0))
        });
        more.next()
    }

    /// Whether there is one string only.
    pub fn is_single(&self) -> bool {
        match self.lengths.as_slice() {
            [length] => self.count(*length) < 1.5,
            _ => false,
        }
    }

    /// Number of strings of a length, as far as an `f64` can tell; for tests and reports.
    pub fn count(&self, length: u32) -> f64 {
        let mut counts: Vec<f64> = self.rows[0].clone();
        for _ in 0..length {
            counts = self
                .moves
                .iter()
                .map(|row| {
                    row.iter()
                        .map(|(to, bytes)| counts[*to as usize] * bytes.len() as f64)
                        .sum()
                })
                .collect();
        }
        counts.first().copied().unwrap_or(0.0)
    }
}
