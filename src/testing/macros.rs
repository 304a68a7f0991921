//! The macros of `tdc::testing`.
//!
//! In: a language, a seed, a count. Out: a comparison with what the user has accepted. They expand
//! to `::insta` in the crate that uses them, so tdc does not depend on it. All take first, if one
//! is given, a name as a literal, and those of texts last an inline snapshot, `@"..."`; both as
//! insta's own macros do.

/// Compares random programs with a snapshot: [`testing::samples`](crate::testing::samples).
///
/// ```
/// # let mut settings = insta::Settings::clone_current();
/// # settings.set_snapshot_path("../snapshots/testing");
/// # settings.bind(|| {
/// let dice = tdc::Compiled::from_text("dice", r#"
///     language dice
///     start Dice
///     size  nodes
///     sample size 2..=7
///     token Eyes = 1..=6
///     sort Dice { One = eyes:Eyes  More = eyes:Eyes "and" rest:Dice }
/// "#).unwrap();
/// tdc::assert_samples!(&dice, seed = 1, count = 3, @r"
/// 1   1
/// 2   2
/// 3   1 and 5
/// ");
/// # });
/// ```
///
/// # Panics
///
/// When they differ, and when there is no snapshot yet, as insta does; when the count is out of
/// range.
#[macro_export]
macro_rules! assert_samples {
    ($($arguments:tt)*) => {
        $crate::__assert_text!("samples", (), samples, $($arguments)*)
    };
}

/// Compares small mutations with a snapshot: [`testing::mutations`](crate::testing::mutations), or
/// with `by = "Circle::mutate_r"` those of one named mutator,
/// [`testing::mutations_by`](crate::testing::mutations_by).
///
/// ```
/// # let mut settings = insta::Settings::clone_current();
/// # settings.set_snapshot_path("../snapshots/testing");
/// # settings.bind(|| {
/// let csg2d = tdc::Compiled::load("grammars/csg2d.tdg").unwrap();
/// tdc::assert_mutations!(&csg2d, by = "Circle::mutate_r", seed = 1, count = 1, @r"
/// Circle::mutate_r
///     (- (Circle 6 14 0) (Circle 11 1 15))
///                ^ node 3, Coord
///  => (- (Circle 14 14 0) (Circle 11 1 15))
///                ^^
/// ");
/// # });
/// ```
///
/// # Panics
///
/// When they differ, and when there is no snapshot yet, as insta does; when the count is out of
/// range or the language has no such mutator.
#[macro_export]
macro_rules! assert_mutations {
    ($name:literal, $compiled:expr, by = $by:expr, $($arguments:tt)*) => {
        $crate::__assert_text!("mutations", ($by), mutations_by, $name, $compiled, $($arguments)*)
    };
    ($compiled:expr, by = $by:expr, $($arguments:tt)*) => {
        $crate::__assert_text!("mutations", ($by), mutations_by, $compiled, $($arguments)*)
    };
    ($($arguments:tt)*) => {
        $crate::__assert_text!("mutations", (), mutations, $($arguments)*)
    };
}

/// Compares what each named mutator of a language does, `count` times each, with a snapshot:
/// [`testing::mutators`](crate::testing::mutators).
///
/// # Panics
///
/// When they differ, and when there is no snapshot yet, as insta does; when the count is out of
/// range.
#[macro_export]
macro_rules! assert_mutators {
    ($($arguments:tt)*) => {
        $crate::__assert_text!("of each mutator", (), mutators, $($arguments)*)
    };
}

/// Compares edit paths with a snapshot: [`testing::paths`](crate::testing::paths).
///
/// # Panics
///
/// When they differ, and when there is no snapshot yet, as insta does; when the count is out of
/// range.
#[macro_export]
macro_rules! assert_paths {
    ($($arguments:tt)*) => {
        $crate::__assert_text!("paths", (), paths, $($arguments)*)
    };
}

/// Compares pictures of random programs, as SVG, with a snapshot:
/// [`testing::pictures`](crate::testing::pictures).
///
/// # Panics
///
/// When they differ, and when there is no snapshot yet, as insta does; when the count is out of
/// range or the language draws nothing.
#[macro_export]
macro_rules! assert_pictures {
    ($($arguments:tt)*) => {
        $crate::__assert_text!("pictures", (), pictures, $($arguments)*)
    };
}

/// Compares pictures of random programs with PNG files, pixel by pixel
/// ([`testing::golden`](crate::testing::golden)) in insta's folder of snapshots: `snapshots/`
/// beside the source file, or as insta's settings say.
///
/// `TDC_UPDATE=1 cargo test` writes them. A picture that differs leaves expected, difference and
/// actual side by side in a file `.diff.png`, which the message names.
///
/// # Panics
///
/// When they differ or are not there; when the count is out of range or the language draws
/// nothing.
#[macro_export]
macro_rules! assert_pixels {
    ($name:literal, $compiled:expr, seed = $seed:expr, count = $count:expr $(,)?) => {
        $crate::__assert_pixels!($compiled, $seed, $count, ::std::option::Option::Some($name))
    };
    ($compiled:expr, seed = $seed:expr, count = $count:expr $(,)?) => {
        $crate::__assert_pixels!($compiled, $seed, $count, ::std::option::Option::None)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __assert_text {
    (
        $what:literal, ($($by:expr)?), $function:ident, $name:literal, $compiled:expr,
        seed = $seed:expr, count = $count:expr $(, @$inline:tt)? $(,)?
    ) => {{
        let (text, settings) =
            $crate::__text!($what, ($($by)?), $function, $compiled, $seed, $count);
        settings.bind(|| ::insta::assert_snapshot!($name, text $(, @$inline)?));
    }};
    (
        $what:literal, ($($by:expr)?), $function:ident, $compiled:expr,
        seed = $seed:expr, count = $count:expr $(, @$inline:tt)? $(,)?
    ) => {{
        let (text, settings) =
            $crate::__text!($what, ($($by)?), $function, $compiled, $seed, $count);
        settings.bind(|| ::insta::assert_snapshot!(text $(, @$inline)?));
    }};
}

#[doc(hidden)]
#[macro_export]
macro_rules! __text {
    ($what:literal, ($($by:expr)?), $function:ident, $compiled:expr, $seed:expr, $count:expr) => {{
        let compiled: &$crate::Compiled = $compiled;
        let (seed, count): (u64, u32) = ($seed, $count);
        match $crate::testing::$function(compiled, $($by,)? seed, count) {
            ::std::result::Result::Ok(text) => {
                let name = &compiled.grammar.name;
                let mut settings = ::insta::Settings::clone_current();
                settings.set_omit_expression(true);
                settings.set_description(::std::format!("{name}, seed {seed}: {count} {}", $what));
                (text, settings)
            }
            ::std::result::Result::Err(error) => ::std::panic!("{error}"),
        }
    }};
}

#[doc(hidden)]
#[macro_export]
macro_rules! __assert_pixels {
    ($compiled:expr, $seed:expr, $count:expr, $name:expr) => {{
        fn here() {}
        fn name_of<T>(_: T) -> &'static str {
            ::std::any::type_name::<T>()
        }
        let settings = ::insta::Settings::clone_current();
        let (folder, prefix) = $crate::testing::golden::place(
            ::std::env!("CARGO_MANIFEST_DIR"),
            ::std::file!(),
            name_of(here),
            $name,
            settings.snapshot_path(),
            settings.prepend_module_to_snapshot(),
        );
        let drawings = match $crate::testing::drawings($compiled, $seed, $count) {
            ::std::result::Result::Ok(drawings) => drawings,
            ::std::result::Result::Err(error) => ::std::panic!("{error}"),
        };
        if let ::std::result::Result::Err(error) =
            $crate::testing::golden::check(&folder, &prefix, &drawings)
        {
            ::std::panic!("{error}");
        }
    }};
}
