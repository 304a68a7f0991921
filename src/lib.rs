//! tdc: grammars in, languages out.

pub mod compiled;
pub mod diag;
pub mod grammar;
pub mod meta;
pub mod scene;
pub mod source;
pub mod tree;

pub use compiled::Compiled;
