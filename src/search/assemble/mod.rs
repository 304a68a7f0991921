//! Assembly: from parts in their places to programs that put them there.
//!
//! In: placed parts, each over those before it (see `placed`). Out: programs, those without gaps first.
//! Afterwards nothing is kept but what is known of the grammar.
//!
//! Nothing is known of a language but what probes say (see [`Probe`]): where a production puts drawings
//! of given bounds. A *group* is a program for some of the parts in which they are where they belong,
//! each relative to the others; all that matters of it from then on is its bounds. Groups are made of
//! groups, from single parts to all of them, by every production that happens to put two of them in
//! their places. Where none does, a group is moved by productions that move what is below them and
//! nothing else, or a part that cannot be seen is put beside it, which changes its bounds.

mod combos;
mod groups;
mod pads;

pub use combos::Combos;
pub use groups::{Assembler, Effort, MOST_PARTS};

#[cfg(test)]
mod tests;
