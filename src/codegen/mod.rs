//! A compiled language in other forms: Rust, a table, JSON, EBNF, diagrams, colours for editors, and
//! the gallery page.
//!
//! In: `&Compiled`. Out: text. Afterwards nothing here is read back: these are views, and the
//! grammar stays the only source.

pub mod count;
pub mod document;
pub mod ebnf;
pub mod gallery;
pub(crate) mod html;
pub mod railroad;
mod re;
#[cfg(feature = "codegen")]
pub mod rust;
pub mod summary;
pub mod textmate;
mod w3c;

pub use ebnf::ebnf;
