//! What every type of a generated module needs, so that the modules themselves stay short.
//!
//! In: a type's name, its ids, its fields or variants. Out: `Node` or `Fields`, and the conversions
//! of the standard library. The macros are not for hand-written code: the ids have to be those of the
//! module's data.

/// A production with fields: `production!(Circle = 2 { r, x, y })`.
#[doc(hidden)]
#[macro_export]
macro_rules! __tdc_production {
    ($name:ident = $id:literal { $($field:ident),* $(,)? }) => {
        impl $crate::typed::Fields for $name {
            const PRODUCTION: u16 = $id;

            fn write_fields(
                &self,
                mut at: $crate::typed::Children<'_>,
                to: &mut $crate::typed::Writer<'_>,
            ) {
                $($crate::typed::Node::write(&self.$field, at.place(), to);)*
            }

            fn read_fields(
                from: &mut $crate::typed::Reader<'_>,
            ) -> ::core::option::Option<Self> {
                ::core::option::Option::Some($name {
                    $($field: $crate::typed::Node::read(from)?,)*
                })
            }

            fn splice_fields(&mut self, at: &mut $crate::typed::Splice<'_>) -> bool {
                false $(|| $crate::typed::Node::splice(&mut self.$field, at))*
            }
        }
    };
}

/// A sort of several productions: those with fields, then those without.
#[doc(hidden)]
#[macro_export]
macro_rules! __tdc_sort {
    (
        $language:ident, $family:ident, $name:ident = $nt:literal {
            $($variant:ident($of:ty) = $id:literal,)*
        } {
            $($unit:ident = $unit_id:literal,)*
        }
    ) => {
        impl $crate::typed::Node for $name {
            fn write(&self, at: $crate::typed::Place, to: &mut $crate::typed::Writer<'_>) {
                match self {
                    $($name::$variant(node) => to.node(node, at),)*
                    $($name::$unit => to.unit($unit_id, at),)*
                }
            }

            fn read(from: &mut $crate::typed::Reader<'_>) -> ::core::option::Option<Self> {
                match from.production()? {
                    $($id => from.fields($name::$variant),)*
                    $($unit_id => ::core::option::Option::Some($name::$unit),)*
                    _ => ::core::option::Option::None,
                }
            }

            fn splice(&mut self, at: &mut $crate::typed::Splice<'_>) -> bool {
                if at.is_here() {
                    return at.replace(self);
                }
                match self {
                    $($name::$variant(node) => $crate::typed::Fields::splice_fields(node, at),)*
                    $($name::$unit => false,)*
                }
            }
        }

        $(
            impl ::core::convert::From<$of> for $name {
                fn from(node: $of) -> $name {
                    $name::$variant(node)
                }
            }
        )*

        $crate::typed::tree!($language, $family, $name = $nt);
    };
}

/// A sort with one production of its own name, with fields or without.
#[doc(hidden)]
#[macro_export]
macro_rules! __tdc_single {
    ($language:ident, $family:ident, $name:ident = $nt:literal) => {
        impl $crate::typed::Node for $name {
            fn write(&self, at: $crate::typed::Place, to: &mut $crate::typed::Writer<'_>) {
                to.node(self, at);
            }

            fn read(from: &mut $crate::typed::Reader<'_>) -> ::core::option::Option<Self> {
                match from.production()? {
                    <$name as $crate::typed::Fields>::PRODUCTION => {
                        $crate::typed::Fields::read_fields(from)
                    }
                    _ => ::core::option::Option::None,
                }
            }

            fn splice(&mut self, at: &mut $crate::typed::Splice<'_>) -> bool {
                if at.is_here() {
                    return at.replace(self);
                }
                $crate::typed::Fields::splice_fields(self, at)
            }
        }

        $crate::typed::tree!($language, $family, $name = $nt);
    };
}

/// What all sorts have.
#[doc(hidden)]
#[macro_export]
macro_rules! __tdc_tree {
    ($language:ident, $family:ident, $name:ident = $nt:literal) => {
        impl $crate::typed::Tree for $name {
            const NONTERMINAL: u16 = $nt;

            fn language() -> &'static $crate::typed::Language {
                &$language
            }
        }

        impl $family for $name {}

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                $crate::typed::Tree::display(self, f)
            }
        }

        impl ::core::str::FromStr for $name {
            type Err = $crate::typed::Error;

            fn from_str(text: &str) -> ::core::result::Result<$name, $crate::typed::Error> {
                <$name as $crate::typed::Tree>::parse(text)
            }
        }

        impl ::core::convert::TryFrom<&$crate::typed::Program> for $name {
            type Error = $crate::typed::Error;

            fn try_from(
                program: &$crate::typed::Program,
            ) -> ::core::result::Result<$name, $crate::typed::Error> {
                $crate::typed::Tree::from_program(program)
            }
        }

        impl ::core::convert::TryFrom<&$name> for $crate::typed::Program {
            type Error = $crate::typed::Error;

            fn try_from(
                tree: &$name,
            ) -> ::core::result::Result<$crate::typed::Program, $crate::typed::Error> {
                $crate::typed::Tree::to_program(tree)
            }
        }
    };
}

/// A token of integers: `int!(LANGUAGE, Coord = 5, 0, 1)` with its least value and step.
#[doc(hidden)]
#[macro_export]
macro_rules! __tdc_int {
    ($language:ident, $name:ident = $id:literal, $lo:literal, $step:literal) => {
        impl $crate::typed::Node for $name {
            fn write(&self, _: $crate::typed::Place, to: &mut $crate::typed::Writer<'_>) {
                // A value is in range, so its number of steps fits.
                to.token($id, (self.0.abs_diff($lo) / $step) as u32);
            }

            fn read(from: &mut $crate::typed::Reader<'_>) -> ::core::option::Option<Self> {
                let above = i64::wrapping_mul($step, i64::from(from.token($id)?));
                $name::new(i64::wrapping_add($lo, above))
            }

            fn splice(&mut self, at: &mut $crate::typed::Splice<'_>) -> bool {
                at.is_here() && at.replace(self)
            }
        }

        $crate::__tdc_number!($language, $name = $id, i64);
    };
}

/// A token of real numbers: `real!(LANGUAGE, Away = 9)`.
#[doc(hidden)]
#[macro_export]
macro_rules! __tdc_real {
    ($language:ident, $name:ident = $id:literal) => {
        impl $crate::typed::Node for $name {
            fn write(&self, _: $crate::typed::Place, to: &mut $crate::typed::Writer<'_>) {
                to.token($id, self.0);
            }

            fn read(from: &mut $crate::typed::Reader<'_>) -> ::core::option::Option<Self> {
                from.token($id).map($name)
            }

            fn splice(&mut self, at: &mut $crate::typed::Splice<'_>) -> bool {
                at.is_here() && at.replace(self)
            }
        }

        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.get()).finish()
            }
        }

        $crate::__tdc_number!($language, $name = $id, f64);
    };
}

/// What all tokens of numbers have.
#[doc(hidden)]
#[macro_export]
macro_rules! __tdc_number {
    ($language:ident, $name:ident = $id:literal, $number:ty) => {
        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Display::fmt(&self.get(), f)
            }
        }

        impl ::core::convert::From<$name> for $number {
            fn from(value: $name) -> $number {
                value.get()
            }
        }

        impl ::core::convert::TryFrom<$number> for $name {
            type Error = $crate::typed::Error;

            fn try_from(number: $number) -> ::core::result::Result<$name, $crate::typed::Error> {
                $name::new(number)
                    .ok_or_else(|| $crate::typed::not_a_value(&$language, $id, &number))
            }
        }

        impl ::core::str::FromStr for $name {
            type Err = $crate::typed::Error;

            fn from_str(text: &str) -> ::core::result::Result<$name, $crate::typed::Error> {
                $crate::typed::value_of(&$language, $id, text)
            }
        }
    };
}

/// A token of finitely many values: `finite!(LANGUAGE, Paint = 7)`.
#[doc(hidden)]
#[macro_export]
macro_rules! __tdc_finite {
    ($language:ident, $name:ident = $id:literal) => {
        impl $crate::typed::Node for $name {
            fn write(&self, _: $crate::typed::Place, to: &mut $crate::typed::Writer<'_>) {
                to.token($id, *self as u32);
            }

            fn read(from: &mut $crate::typed::Reader<'_>) -> ::core::option::Option<Self> {
                $name::ALL.get(from.token($id)? as usize).copied()
            }

            fn splice(&mut self, at: &mut $crate::typed::Splice<'_>) -> bool {
                at.is_here() && at.replace(self)
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::core::str::FromStr for $name {
            type Err = $crate::typed::Error;

            fn from_str(text: &str) -> ::core::result::Result<$name, $crate::typed::Error> {
                $crate::typed::value_of(&$language, $id, text)
            }
        }
    };
}

/// A token of texts: `text!(LANGUAGE, Name = 8)`.
#[doc(hidden)]
#[macro_export]
macro_rules! __tdc_text {
    ($language:ident, $name:ident = $id:literal) => {
        impl $crate::typed::Node for $name {
            fn write(&self, _: $crate::typed::Place, to: &mut $crate::typed::Writer<'_>) {
                to.text($id, &self.0);
            }

            fn read(from: &mut $crate::typed::Reader<'_>) -> ::core::option::Option<Self> {
                from.text($id).map(|text| $name(text.into()))
            }

            fn splice(&mut self, at: &mut $crate::typed::Splice<'_>) -> bool {
                at.is_here() && at.replace(self)
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::core::convert::AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl ::core::convert::From<$name> for ::std::string::String {
            fn from(text: $name) -> ::std::string::String {
                text.0.into()
            }
        }

        impl ::core::convert::TryFrom<::std::string::String> for $name {
            type Error = $crate::typed::Error;

            fn try_from(
                text: ::std::string::String,
            ) -> ::core::result::Result<$name, $crate::typed::Error> {
                $name::new(&text)
            }
        }

        impl ::core::convert::TryFrom<&str> for $name {
            type Error = $crate::typed::Error;

            fn try_from(text: &str) -> ::core::result::Result<$name, $crate::typed::Error> {
                $name::new(text)
            }
        }

        impl ::core::str::FromStr for $name {
            type Err = $crate::typed::Error;

            fn from_str(text: &str) -> ::core::result::Result<$name, $crate::typed::Error> {
                $name::new(text)
            }
        }
    };
}

/// Takes in the module that `tdc::build::compile` made in the crate's build script from a grammar,
/// named by the stem of its file:
///
/// ```ignore
/// mod csg2d {
///     tdc::include_grammar!("csg2d");
/// }
/// ```
#[macro_export]
macro_rules! include_grammar {
    ($name:literal) => {
        include!(concat!(env!("OUT_DIR"), "/", $name, ".rs"));
    };
}
