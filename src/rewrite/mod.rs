//! Rewrite rules at work.
//!
//! The rules themselves are read and typed with the grammar (`grammar::rules`). [`instance`] puts
//! programs and values in for their metavariables, [`plan`] finds those that are computed.

pub mod instance;
pub mod plan;

pub use crate::grammar::pattern::{Pattern, PatternNode};
pub use crate::grammar::rules::{Meta, Rule};
pub use instance::{Bindings, Bound, Direction, build, lay};
pub use plan::{Completed, Plan};
