//! Programs of a compiled language.

pub mod diff;
pub mod edit;
pub mod error;
pub(crate) mod examples;
pub mod json;
pub mod layout;
pub(crate) mod lines;
pub mod parse;
pub mod print;
pub mod program;

pub use edit::Edit;
pub use error::{ProgramError, ProgramErrorKind};
pub use layout::Layout;
pub use lines::print_lines;
pub use parse::{Parser, parse};
pub use print::{Printer, print, print_into, print_spans};
pub use program::{Node, Program};
