//! Programs of a compiled language.

pub mod edit;
pub mod layout;
pub mod program;

pub use edit::Edit;
pub use layout::Layout;
pub use program::{Node, Program};
