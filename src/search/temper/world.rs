//! What is the same for all runs of a search.
//!
//! In: what the search was set up with. Out: the same, for every run. Afterwards nothing has changed.

use crate::Compiled;
use crate::search::holes::Holes;
use crate::search::layouts::Finder;
use crate::search::temper::Options;
use crate::tree::Layout;

/// What is the same for all runs of a search.
pub(in crate::search) struct World<'a> {
    pub(in crate::search) compiled: &'a Compiled,
    pub(in crate::search) layout: &'a Layout,
    pub(in crate::search) holes: Holes<'a>,
    pub(in crate::search) options: &'a Options,
    pub(in crate::search) seed: u64,
    /// Looks for programs to start from.
    pub(in crate::search) finder: Option<Finder<'a>>,
}
