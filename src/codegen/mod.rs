//! A compiled language in other forms: Rust, a table, EBNF, and the gallery page.
//!
//! In: `&Compiled`. Out: text. Afterwards nothing here is read back: these are views, and the
//! grammar stays the only source.

pub mod count;
pub mod ebnf;
pub mod gallery;
mod html;
#[cfg(feature = "codegen")]
pub mod rust;
pub mod summary;

pub use ebnf::ebnf;
