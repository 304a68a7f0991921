//! Values of the draw language while programs are drawn.
//!
//! In: constants, numbers of tokens, what draw arms build. Out: [`V`], small enough to be copied.

use super::parts::{BLANK, EMPTY, EVERYTHING, Painted, Raw};
use crate::grammar::expr::{Case, Value};
use crate::grammar::ids::ProdId;

/// A value of the draw language.
///
/// The tag takes a word, so that every part lies on a word of its own: values are copied all the
/// time, and a processor waits for what was written in other pieces than it is read in.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub(super) enum V {
    Num(f64),
    Bool(bool),
    Color([u8; 4]),
    Point(f64, f64),
    Region(Raw),
    Drawing(Painted),
    /// A node that only `match` looks into.
    Choice(ProdId, u32),
    /// A text, by its length in characters.
    Text(u32),
    /// A list by its first cell.
    List(u32),
    /// An optional value that is not there.
    Absent,
}

impl From<Value> for V {
    fn from(value: Value) -> V {
        match value {
            Value::Num(x) => V::Num(x),
            Value::Bool(x) => V::Bool(x),
            Value::Color(color) => V::Color(color),
            Value::Point(x, y) => V::Point(x, y),
        }
    }
}

impl V {
    pub(super) const EMPTY: V = V::Region(EMPTY);
    pub(super) const EVERYTHING: V = V::Region(EVERYTHING);
    pub(super) const BLANK: V = V::Drawing(BLANK);

    /// Whether an arm of `match` is for it.
    pub(super) fn matches(self, case: &Case) -> bool {
        match (case, self) {
            (Case::Any, _) => true,
            (Case::Production(wanted), V::Choice(production, _)) => *wanted == production,
            (Case::Index(wanted), V::Choice(_, index)) => *wanted == index,
            (Case::Num(wanted), V::Num(x)) => *wanted == x,
            (Case::Bool(wanted), V::Bool(x)) => *wanted == x,
            _ => false,
        }
    }

    // What is typed gives what is asked for; the other arms are for programs that were put
    // together by hand against their grammar.

    pub(super) fn num(self) -> f64 {
        match self {
            V::Num(x) => x,
            _ => 0.0,
        }
    }

    pub(super) fn point(self) -> (f64, f64) {
        match self {
            V::Point(x, y) => (x, y),
            _ => (0.0, 0.0),
        }
    }

    pub(super) fn color(self) -> [u8; 4] {
        match self {
            V::Color(color) => color,
            _ => [0; 4],
        }
    }

    pub(super) fn region(self) -> Raw {
        match self {
            V::Region(region) => region,
            _ => EMPTY,
        }
    }

    pub(super) fn drawing(self) -> Painted {
        match self {
            V::Drawing(drawing) => drawing,
            _ => BLANK,
        }
    }
}

pub(super) fn number(x: f64) -> V {
    V::Num(x)
}
