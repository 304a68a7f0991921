//! Why something cannot be done with a typed tree.

use std::sync::Arc;

use super::MAX_DEPTH;
use crate::compiled::image::ImageError;
use crate::grammar::inside::SizeError;
use crate::render::RenderError;
use crate::scene::eval::NotDrawable;
use crate::tree::diff::PathError;
use crate::tree::error::ProgramError;

/// Why something cannot be done with a typed tree.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not a program.
    #[error("at byte {at}: {0}", at = .0.start)]
    Text(Box<ProgramError>),
    /// The text or number is not a value of its token.
    #[error("`{found}` is not {expected}")]
    Value {
        /// What was given, shortened.
        found: Box<str>,
        /// The token with its values.
        expected: Box<str>,
    },
    /// The tree's text would be read as another tree: an operator stands where its grammar needs
    /// brackets around it.
    #[error(
        "`{production}` cannot stand as {place} without brackets: its text would be read as another tree"
    )]
    Brackets {
        /// The operator.
        production: Box<str>,
        /// What it stands for: `an operand of Expr.Mul`.
        place: Box<str>,
    },
    /// A list of one item or more has none.
    #[error("a list of one {item} or more has none")]
    EmptyList {
        /// What it is to hold.
        item: Box<str>,
    },
    /// The tree is nested too deeply for a typed one.
    #[error(
        "nested more than {MAX_DEPTH} deep; typed trees are recursive, so use the dynamic API \
         (`tdc::Compiled` and `tdc::tree::Program`) for programs like this"
    )]
    TooDeep,
    /// The program is not one of this sort, or not of this language.
    #[error("the program is not a {sort} of this language")]
    OtherSort {
        /// The sort.
        sort: Box<str>,
    },
    /// The edit does not fit the tree.
    #[error("the edit does not fit: no {sort} can take its replacement at node {position}")]
    OtherPlace {
        /// The sort of the tree.
        sort: Box<str>,
        /// The edit's position.
        position: usize,
    },
    /// No node of the tree can change like this.
    #[error("no node of the tree can change like this by a small mutation")]
    NothingToChange,
    /// No tree has such a size.
    #[error("{0}")]
    Size(Box<SizeError>),
    /// Small edits do not lead everywhere in this language.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The tree draws nothing.
    #[error(transparent)]
    NotDrawable(#[from] NotDrawable),
    /// Its picture cannot be written.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// Texts of this sort on its own have two readings; only sorts that no program holds can be
    /// like that.
    #[error("a {sort} cannot be read on its own: the start sort never holds one")]
    Unreadable {
        /// The sort.
        sort: Box<str>,
    },
    /// The data in the generated module is not of this version of tdc.
    #[error(transparent)]
    Image(Arc<ImageError>),
}

impl From<ProgramError> for Error {
    fn from(error: ProgramError) -> Error {
        Error::Text(Box::new(error))
    }
}

impl From<SizeError> for Error {
    fn from(error: SizeError) -> Error {
        Error::Size(Box::new(error))
    }
}
