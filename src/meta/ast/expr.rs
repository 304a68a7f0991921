//! The syntax tree of expressions: draw arms, functions, values, rules' computations.
//!
//! In: nothing but what the parser saw. Out: [`Expr`]. Afterwards names are unresolved, and every
//! part has its place.

use serde::Serialize;

use super::Name;
use crate::source::Span;

/// An expression.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Expr {
    /// Which.
    pub kind: ExprKind,
    /// The place.
    pub span: Span,
}

/// The form of an expression.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum ExprKind {
    /// `8`
    Number(f64, String),
    /// `true`
    Bool(bool),
    /// `#rrggbb` or `#rrggbbaa`, as red, green, blue, alpha
    Color([u8; 4]),
    /// `"v"`: a value of a finite token that draws as itself
    Str(String),
    /// A field, parameter, `let`, colour or value without arguments; `m.name` through a module.
    Name(String),
    /// `f(a, b)`; `m.f(a)` through a module.
    Call(Name, Vec<Expr>),
    /// `a |> f(b)`: the same as `f(a, b)`, printed as written.
    Pipe(Box<Expr>, Name, Vec<Expr>),
    /// `p.x`
    Member(Box<Expr>, Name),
    /// `-a`, `not a`
    Unary(UnaryOp, Box<Expr>),
    /// `a + b`
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `if c then a else b`
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `match e { p => a, ... }`
    Match(Box<Expr>, Vec<MatchArm>),
    /// `let x = a in b`
    Let(Name, Box<Expr>, Box<Expr>),
    /// `(x, y)`
    Point(Box<Expr>, Box<Expr>),
    /// `[a, b]`
    List(Vec<Expr>),
    /// `(a)`
    Paren(Box<Expr>),
    /// Could not be read; a diagnostic says why.
    Error,
}

/// An arm of `match`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MatchArm {
    /// What it matches.
    pub pattern: Pattern,
    /// Its value.
    pub body: Expr,
}

/// A pattern.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pattern {
    /// Which.
    pub kind: PatternKind,
    /// The place.
    pub span: Span,
}

/// The form of a pattern.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum PatternKind {
    /// A production, or `true`, `false`.
    Name(String),
    /// A finite token's text.
    Str(String),
    /// A number.
    Number(f64, String),
    /// `_`
    Any,
}

/// Prefix operators of expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum UnaryOp {
    /// `-`
    Neg,
    /// `not`
    Not,
}

/// Infix operators of expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)] // named as what they are
pub enum BinaryOp {
    /// `??`: the left side's value, or the right side when there is none
    Else,
    Or,
    And,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    /// `+`: sum; of regions their union; of drawings the right one painted over the left
    Add,
    /// `-`: difference, also of regions
    Sub,
    /// `&`: intersection of regions
    Meet,
    Mul,
    Div,
    Mod,
    Pow,
}
