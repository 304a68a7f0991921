//! Strings of text tokens, as numbers.
//!
//! In: strings. Out: an index for each different one. Afterwards terms compare texts by a number.

use indexmap::IndexSet;

/// Strings of text tokens.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts(IndexSet<Box<str>>);

impl Texts {
    /// The index of a text, new if need be.
    pub fn add(&mut self, text: &str) -> u32 {
        let at = match self.0.get_index_of(text) {
            Some(at) => at,
            None => self.0.insert_full(text.into()).0,
        };
        u32::try_from(at).unwrap_or(u32::MAX)
    }

    /// The text of an index.
    pub fn get(&self, index: u32) -> &str {
        self.0.get_index(index as usize).map_or("", |text| text)
    }
}
