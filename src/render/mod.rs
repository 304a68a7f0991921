//! Pictures: from a [`Scene`](crate::scene::Scene) to SVG, pixels, outlines and sketches; PNG
//! in and out; how alike two pictures are.
//!
//! In: scenes, PNG bytes. Out: SVG text, [`Picture`]s, diagnostics `E10xx`. What holds:
//!
//! - [`svg::write`] followed by [`raster::svg_pixels`] is the reference for what a scene looks like;
//! - [`coverage::Engine`] gives the same pixels without the detour through text, within 2/255 on
//!   99.9 % of them;
//! - [`bits`] gives pictures of one bit a pixel, for search, by the same paths without
//!   anti-aliasing;
//! - all take a shape's numbers from `place`: one place decides what they are;
//! - nothing here recurses over a scene, so its depth is no limit.

pub mod bits;
mod compose;
mod contour;
pub mod coverage;
pub mod image;
mod kernels;
pub mod metric;
pub mod outline;
pub mod panels;
mod paths;
pub(crate) mod pen;
mod picture;
mod place;
mod plan;
pub mod raster;
mod rasters;
mod redraw;
pub mod sketch;
mod strokes;
pub mod svg;
mod tiles;
mod value;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use picture::Picture;
pub use plan::MAX_SHAPES;

use crate::diag::{Code, Diagnostic, codes};
use crate::source::Span;

/// Why a scene has no picture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// A scene shares regions; written out it would be larger than anyone could draw.
    #[error("the drawing has more than {MAX_SHAPES} shapes")]
    TooManyShapes,
    /// No memory for its pixels.
    #[error("a canvas of {0} x {1} pixels is too large to draw")]
    Canvas(u32, u32),
    /// The SVG reader refuses the text: a defect of tdc.
    #[error("the written SVG cannot be read back: {0}")]
    Reference(String),
}

impl RenderError {
    /// Its stable code.
    pub fn code(&self) -> Code {
        codes::E1003
    }

    /// The diagnostic, at the place of the program.
    pub fn diagnostic(&self, span: Span) -> Diagnostic {
        let base = Diagnostic::new(self.code(), span, self.to_string(), "");
        match self {
            RenderError::TooManyShapes => base
                .note(
                    "a draw arm that uses a child's region twice doubles the shapes at each level",
                )
                .help("draw a smaller program, or use each child once"),
            RenderError::Canvas(..) => base.help("make the canvas smaller"),
            RenderError::Reference(_) => base,
        }
    }
}
