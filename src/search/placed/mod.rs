//! Pictures as placed parts: a row of parts, each somewhere on the canvas, without the productions that
//! put them there.
//!
//! In: a compiled language whose programs lay drawings out, and a target. Out: parts and places whose
//! picture is near the target. Afterwards a program is still to be found that puts them there (see
//! `assemble`).
//!
//! Where a language arranges drawings by their bounds, a change of one part moves all others, and a
//! search on programs has to find everything at once. Parts that are placed freely can be found one
//! by one (research on TinySVG found all of 640 tasks so, most of them in milliseconds).

mod parts;
mod retouch;
mod run;
mod steps;

pub(super) use parts::Gallery;
pub use parts::{Kinds, Look, Part};
pub use run::{Flat, Options, Placed, Placer};

#[cfg(test)]
pub(super) mod testing;
