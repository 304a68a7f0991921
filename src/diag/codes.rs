//! The stable codes, each with its title and its page of the book.
//!
//! A code here, a page in `book/src/codes/`, and a case in `tests/compile/fail/` (or a
//! program or picture case, for `E09xx` and `E10xx`) belong together; a test holds the
//! three lists equal. Ranges: E00 files and modules, E01 lexing and parsing, E02 names,
//! E03 grammar structure, E04 sizes and weights, E05 concrete syntax, E06 draw and fn,
//! E07 settings (canvas, goal, observe, sample, mutate), E08 rewrite and example,
//! E09 programs, E10 pictures and search; `W` codes are warnings of the same ranges.

use serde::{Serialize, Serializer};

use super::Severity;

/// A stable code such as `E0107`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(&'static str);

impl Code {
    /// The text, `E0107`.
    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// The code of that text, in either case.
    pub fn find(text: &str) -> Option<Code> {
        TABLE
            .iter()
            .map(|entry| entry.code)
            .find(|code| code.0.eq_ignore_ascii_case(text))
    }

    /// Error for `E`, warning for `W`.
    pub fn severity(self) -> Severity {
        if self.0.starts_with('W') {
            Severity::Warning
        } else {
            Severity::Error
        }
    }

    /// Title and page.
    pub fn entry(self) -> &'static Entry {
        TABLE
            .iter()
            .find(|entry| entry.code == self)
            .unwrap_or(&TABLE[0])
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

/// A row of the table.
#[derive(Debug)]
pub struct Entry {
    /// The code.
    pub code: Code,
    /// A short title.
    pub title: &'static str,
    /// The page of the book, Markdown.
    pub page: &'static str,
}

macro_rules! codes {
    ($($name:ident $title:literal;)*) => {
        $(
            #[doc = $title]
            pub const $name: Code = Code(stringify!($name));
        )*
        /// Every code, in order.
        pub const TABLE: &[Entry] = &[$(Entry {
            code: $name,
            title: $title,
            page: include_str!(concat!("../../book/src/codes/", stringify!($name), ".md")),
        }),*];
    };
}

codes! {
    E0001 "a file cannot be read";
    E0002 "a module is not there";
    E0003 "imports go round in a circle";
    E0004 "a path leaves the project folder";
    E0005 "a grammar is too large";
    E0101 "a character without a meaning";
    E0102 "a string, program or regular expression is not closed";
    E0103 "an escape that cannot be read";
    E0104 "a number or colour that is not written right";
    E0105 "written as in another language";
    E0106 "brackets that do not pair";
    E0107 "something else was expected here";
    E0108 "nested too deeply";
    E0109 "said twice";
    E0201 "a name that is not known";
    E0202 "declared twice";
    E0203 "a name of the wrong kind";
    E0301 "a sort that can never finish";
    E0303 "a range without a number";
    E0304 "a number that does not fit";
    E0306 "a weight that is not positive";
    E0308 "a pattern that cannot be read";
    E0309 "a pattern that matches nothing, or the empty text";
    E0310 "not an operator of its table";
    E0311 "a quoted terminal that cannot be seen";
    E0312 "a kernel that does not fit";
    E0313 "values that do not go together";
    E0314 "a production without a draw arm";
    E0315 "a function that calls itself";
    E0316 "a smallest program that is too large";
    E0317 "a cost that does not fit";
    E0410 "the weights add up to infinity";
    E0411 "the sample window has no program";
    E0412 "the sizes are too large";
    E0413 "a production is too large for mutation";
    E0501 "the language is ambiguous";
    E0502 "the next word does not tell how to read on";
    E0503 "two kinds of word share a text at one place";
    E0504 "what is printed would be read differently";
    E0505 "a word can begin with white space";
    E0506 "a text token has nothing to sample";
    E0507 "the syntax is too large";
    E0601 "an unknown type";
    E0602 "an unknown name in an expression";
    E0603 "a function where a value is wanted, or the reverse";
    E0604 "a wrong number of arguments";
    E0605 "an argument of the wrong type";
    E0606 "an operator that does not take these types";
    E0607 "a value of the wrong type";
    E0608 "branches of different types";
    E0609 "match on something it cannot look into";
    E0610 "a pattern that never matches";
    E0611 "a match that leaves cases out";
    E0612 "an arm of match that is never reached";
    E0613 "a member that is not there";
    E0614 "text used as a value";
    E0615 "calls nested too deep";
    E0616 "two parameters of one name";
    E0617 "an unknown intrinsic";
    E0618 "not a constant";
    E0701 "no start";
    E0702 "a setting out of range";
    E0703 "a setting that needs a canvas";
    E0704 "a drawing that does not fit its canvas";
    E0705 "settings that contradict each other";
    E0801 "an example is not a program of the language";
    E0802 "a side of a rewrite rule cannot be read";
    E0803 "a metavariable stands for two different things";
    E0804 "a metavariable has no value";
    E0805 "a `where` or `if` of a rewrite rule does not fit";
    E0806 "a rewrite rule does not hold";
    E0901 "a program is not in the language";
    E0902 "a value is not one of its token's";
    E0903 "no word of the language begins so";
    E0904 "a program is too large to read";
    E1001 "a file is not a readable picture";
    E1002 "a picture is too large";
    E1003 "a scene has no picture";
    W0101 "documentation that belongs to nothing";
    W0204 "imported and never used";
    W0302 "declared and never used";
    W0305 "steps that miss the end";
    W0307 "a weight without effect";
    W0601 "a `_` that is never reached";
    W0602 "a let that is never used";
    W0806 "a rewrite rule that never applies";
}
