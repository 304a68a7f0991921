//! Rewrite rules at work.
//!
//! The rules themselves are read and typed with the grammar (`grammar::rules`); this room will
//! apply them.

pub use crate::grammar::pattern::{Pattern, PatternNode};
pub use crate::grammar::rules::{Meta, Rule};
