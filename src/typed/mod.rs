//! What generated Rust stands on: typed trees as a view over the engine.
//!
//! In: trees of the types that `codegen::rust` writes for a grammar, and the grammar itself as data.
//! Out: what the engine does with programs, done with trees. Afterwards there is one semantics: every
//! operation goes through a [`Program`](crate::tree::Program), the same seed gives what the dynamic
//! API gives, and no `.tdg` file is read.
//!
//! A generated module has a type for each sort, production and token, and a static [`Language`].
//! Sorts are [`Tree`]s, whose methods the generated ones call; [`Node`] and [`Fields`] say how a
//! type is laid out as nodes, and the hidden macros of this module implement them.
//!
//! Typed trees are recursive Rust values, so they are kept shallow: reading and writing refuse what
//! is nested more than [`MAX_DEPTH`] deep ([`Error::TooDeep`]). The dynamic API has no such limit.

mod error;
mod language;
mod macros;
mod node;
mod token;
mod tree;

pub use self::error::Error;
pub use self::language::Language;
pub use self::node::{Children, Fields, Node, Place, Reader, Splice, Writer};
pub use self::token::{Grid, is_text, not_a_value, value_of};
pub use self::tree::{Mutation, Mutator, Tree};
pub use crate::sample::{Rng, seeded};
pub use crate::scene::Scene;
pub use crate::tree::{Edit, Program};
pub use crate::{
    __tdc_finite as finite, __tdc_int as int, __tdc_production as production, __tdc_real as real,
    __tdc_single as single, __tdc_sort as sort, __tdc_text as text, __tdc_tree as tree,
};

/// Greatest nesting of boxes and lists in a typed tree. A list counts once, however long it is.
pub const MAX_DEPTH: usize = 500;
