//! tdc: grammars in, languages out.
//!
//! A `.tdg` file describes a language. [`pipeline`] takes it through every stage,
//!
//! ```text
//! text -> meta::ast::File -> grammar::ir::Grammar -> Compiled
//! ```
//!
//! and a [`Compiled`] language is all that the rest needs: [`tree`] parses and prints programs,
//! [`sample`] draws them at random, [`mutate`] changes them and finds edit paths, [`scene`] says
//! what they draw, [`render`] writes that as SVG and pixels, and [`search`] goes from a picture
//! back to a program; [`train`] makes examples for a model,
//! and [`eval`] makes test sets. The book in `book/` describes the language and what the words mean;
//! ARCHITECTURE.md describes the source.
//!
//! ```
//! use tdc::mutate::Mutator;
//! use tdc::render::svg::{self, SvgOptions};
//! use tdc::{Compiled, sample, scene, tree};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let csg2d = Compiled::load("grammars/csg2d.tdg")?;
//!
//! let donut = csg2d.parse("(- (Circle 6 8 8) (Circle 3 8 8))")?;
//! assert_eq!(csg2d.print(&donut), "(- (Circle 6 8 8) (Circle 3 8 8))");
//!
//! let mutator = Mutator::new(&csg2d, csg2d.grammar.mutate)?;
//! let mut rng = sample::seeded(7);
//! if let Some(edit) = mutator.propose(&donut, &mut rng) {
//!     let other = tree::edit::apply(&csg2d.grammar, &donut, &edit);
//!     assert_ne!(other, donut);
//! }
//!
//! let picture = scene::eval::lower(&csg2d.grammar, &donut)?;
//! assert!(svg::write(&picture, &SvgOptions::default())?.starts_with("<svg"));
//! # Ok(())
//! # }
//! ```

// Tests may do all of these.
#![cfg_attr(
    not(test),
    warn(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::todo,
        clippy::unimplemented,
        clippy::dbg_macro,
        clippy::print_stdout,
        clippy::print_stderr
    )
)]

pub mod bench;
#[cfg(feature = "codegen")]
pub mod build;
pub mod codegen;
pub mod compiled;
pub mod diag;
pub mod eval;
pub mod grammar;
pub mod meta;
pub mod minimise;
#[cfg(feature = "learn")]
pub mod model;
pub mod mutate;
pub mod pipeline;
pub mod render;
pub mod rewrite;
pub mod sample;
pub mod scene;
pub mod search;
pub mod soundness;
pub mod source;
pub mod testing;
pub mod train;
pub mod tree;
pub mod typed;

pub use compiled::Compiled;
