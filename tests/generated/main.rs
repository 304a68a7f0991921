//! Generated Rust, compiled and run: the modules of every shipped grammar, with the types of
//! `snapshots/generated/`, do what the dynamic API does.
//!
//! The modules are included as a build script's output would be. They stand under this crate's
//! lints: no unsafe code, documentation on everything public, and clippy's pedantic group.

#![forbid(unsafe_code)]
#![deny(warnings, clippy::pedantic)]

mod agree;
mod book;
mod hostile;
mod json_form;
mod tree;

/// Includes a generated module.
macro_rules! module {
    ($name:ident) => {
        #[doc = concat!("The language `", stringify!($name), "`.")]
        #[allow(dead_code, reason = "no test uses all of a language")]
        pub mod $name {
            include!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/snapshots/generated/",
                stringify!($name),
                ".rs"
            ));
        }
    };
}

module!(arith);
module!(csg2d);
module!(csg2d_sketch);
module!(hostile_names);
module!(hostile_names_serde);
module!(imp);
module!(json);
module!(json_serde);
module!(mandala);
module!(mandala_serde);
module!(rainbow);
module!(street);
module!(tinysvg);
