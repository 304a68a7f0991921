//! Types of draw arms, functions and constants.
//!
//! In: `ast::Expr` and a [`Scope`] of what it may name. Out: [`FnDef`], [`DrawArm`] and
//! [`Value`]s. Afterwards every name is a slot or an id, every operation fits its operands, every
//! `match` covers its type, and evaluation cannot fail. Diagnostics: E06xx.
//!
//! Order of use: add functions' signatures ([`signature`]) and enumerations to a scope, then
//! check bodies in any order ([`check_fn`], [`check_arm`]); functions may not call themselves,
//! which the caller sees from [`calls`]; with callees before callers in `Grammar::fns`,
//! [`check_nesting`] bounds the depth of evaluation; constants ([`check_const`]) may use finished
//! functions.

mod scope;

pub use scope::{Cases, Function, Scope, Target};

use crate::diag::Sink;
use crate::grammar::expr::{DrawArm, Expr, FnDef, Type, Value};
use crate::grammar::ids::FnId;
use crate::meta::ast;
use crate::source::Span;

/// The type that is written there: `Num`, `Bool`, `Color`, `Point`, `Region`, `Drawing`, `Text`,
/// the name of an enumeration of the scope, `[T]`, `T?`. What is unknown is reported and gives
/// [`Type::Error`], which fits everywhere.
pub fn ty(written: &ast::Type, scope: &Scope, sink: &mut Sink) -> Type {
    let _ = (written, scope, sink);
    Type::Error
}

/// A function with a body as its callers see it; it will be `Grammar::fns[id]`. For
/// `builtin fn` the intrinsic of that name and these types is looked up, and `id` is not used;
/// `None` when there is no such intrinsic (reported).
pub fn signature(written: &ast::Fn, id: FnId, scope: &Scope, sink: &mut Sink) -> Option<Function> {
    let _ = (written, id, scope, sink);
    None
}

/// Checks a function's body against its signature. `docs` are the item's. `None` for a builtin, or
/// when a diagnostic was reported.
pub fn check_fn(
    written: &ast::Fn,
    docs: &[String],
    scope: &Scope,
    sink: &mut Sink,
) -> Option<FnDef> {
    let _ = (written, docs, scope, sink);
    None
}

/// Checks a draw arm: `fields` are the production's fields in order with the types an arm sees
/// (a token's type, the sort's draw type, `List`, `Optional`, or `Enum`), `expected` what the
/// `draw` block promises. Field i is slot i of the result. `None` when a diagnostic was reported.
pub fn check_arm(
    fields: &[(String, Type)],
    body: &ast::Expr,
    expected: &Type,
    scope: &Scope,
    sink: &mut Sink,
) -> Option<DrawArm> {
    let _ = (fields, body, expected, scope, sink);
    None
}

/// Checks an expression over `fields` whose type is not known beforehand, as the `where`
/// computations of rewrite rules have; the type is the result's `body.ty`.
pub fn check_expr(
    fields: &[(String, Type)],
    body: &ast::Expr,
    scope: &Scope,
    sink: &mut Sink,
) -> Option<DrawArm> {
    let _ = (fields, body, scope, sink);
    None
}

/// A constant: a finite token's value, a canvas's background. `fns` is `Grammar::fns` as far as it
/// is built; `expected` is the type it must have. `None` when a diagnostic was reported.
pub fn check_const(
    written: &ast::Expr,
    expected: Option<&Type>,
    scope: &Scope,
    fns: &[FnDef],
    sink: &mut Sink,
) -> Option<Value> {
    let _ = (written, expected, scope, fns, sink);
    None
}

/// The functions an expression calls, each once, in order of first use.
pub fn calls(body: &Expr) -> Vec<FnId> {
    let _ = body;
    Vec::new()
}

/// Reports functions whose calls nest so deep that evaluating them could exhaust the stack.
/// `fns` is the finished `Grammar::fns`, callees before callers; `spans[i]` is where `fns[i]` is
/// declared.
pub fn check_nesting(fns: &[FnDef], spans: &[Span], sink: &mut Sink) {
    let _ = (fns, spans, sink);
}
