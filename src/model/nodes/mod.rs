//! A policy for two cores: a network that reads programs node by node.
//!
//! In: programs, their pictures, targets. Out: places and replacements, scored. Afterwards nothing of a language is
//! known here but its tokens and what its programs draw, so it works for every language that draws.

mod decode;
mod desk;
mod net;
mod rows;
mod small;

#[cfg(test)]
mod tests;

pub use decode::NodesDecoder;
pub use desk::{Desk, Labels, NodesBatch, Scenery};
pub use net::{Input, Net, Read, Writing};
pub use rows::{Pen, Rows, Sizes};
pub use small::{NodesRecipe, Small};
