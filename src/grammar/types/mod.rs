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
//!
//! Values and functions have separate names: an arm may have a field `fill` and call `fill`.

mod call;
mod check;
mod operators;
mod patterns;
mod scope;
mod show;

#[cfg(test)]
mod tests;

pub use scope::{Cases, Function, Scope, Target};

use crate::diag::{Diagnostic, Sink, codes, nearest};
use crate::grammar::builtins;
use crate::grammar::constant;
use crate::grammar::expr::{DrawArm, Expr, ExprKind, FnDef, Type, Value};
use crate::grammar::ids::FnId;
use crate::meta::ast;
use crate::source::Span;

use check::{Checker, Wanted};

/// Deepest nesting of expressions through calls; a frame of evaluation is below 1 KiB.
const MAX_NESTING: usize = 1000;

/// The type that is written there: `Num`, `Bool`, `Color`, `Point`, `Region`, `Drawing`, `Text`,
/// the name of an enumeration of the scope, `[T]`, `T?`. What is unknown is reported and gives
/// [`Type::Error`], which fits everywhere.
pub fn ty(written: &ast::Type, scope: &Scope, sink: &mut Sink) -> Type {
    written_type(written, scope, sink, false)
}

fn written_type(written: &ast::Type, scope: &Scope, sink: &mut Sink, any: bool) -> Type {
    const NAMES: [&str; 7] = ["Num", "Bool", "Color", "Point", "Region", "Drawing", "Text"];
    match &written.kind {
        ast::TypeKind::List(of) => Type::List(Box::new(written_type(of, scope, sink, any))),
        ast::TypeKind::Optional(of) => match written_type(of, scope, sink, any) {
            Type::Optional(of) => {
                sink.push(
                    Diagnostic::new(
                        codes::E0601,
                        written.span,
                        format!("`{of}?` is optional already"),
                        "`?` twice",
                    )
                    .help("write `?` once"),
                );
                Type::Error
            }
            of => Type::Optional(Box::new(of)),
        },
        ast::TypeKind::Name(name) => match name.as_str() {
            "Num" => Type::Num,
            "Bool" => Type::Bool,
            "Color" => Type::Color,
            "Point" => Type::Point,
            "Region" => Type::Region,
            "Drawing" => Type::Drawing,
            "Text" => Type::Text,
            // Intrinsics alone take lists of whatever there is.
            "Any" if any => Type::Error,
            other if scope.cases(other).is_some() => Type::Enum(other.to_string()),
            other => {
                let mut diagnostic = Diagnostic::new(
                    codes::E0601,
                    written.span,
                    format!("there is no type `{other}`"),
                    "unknown type",
                );
                let near = match other {
                    "Number" | "Int" | "Float" | "Real" | "f64" => Some("Num"),
                    "String" | "str" => Some("Text"),
                    "Boolean" => Some("Bool"),
                    "Shape" => Some("Region"),
                    "Picture" | "Image" => Some("Drawing"),
                    _ => nearest(other, NAMES.into_iter().chain(scope.enum_names())),
                };
                diagnostic = match near {
                    Some(near) => diagnostic
                        .help(format!("did you mean `{near}`?"))
                        .fix(written.span, near),
                    None => diagnostic.note(format!(
                        "the types are {}, lists `[T]` and optional ones `T?`, and tokens and \
                         sorts that only `match` looks into",
                        NAMES.join(", ")
                    )),
                };
                sink.push(diagnostic);
                Type::Error
            }
        },
    }
}

/// A function as its callers see it; one with a body will be `Grammar::fns[id]`. For
/// `builtin fn` the intrinsic of that name and these types is looked up, and `id` is not used;
/// `None` when there is no such intrinsic (reported).
pub fn signature(written: &ast::Fn, id: FnId, scope: &Scope, sink: &mut Sink) -> Option<Function> {
    let any = written.builtin;
    let params: Vec<(String, Type)> = written
        .params
        .iter()
        .map(|(name, ty)| (name.text.clone(), written_type(ty, scope, sink, any)))
        .collect();
    let result = written_type(&written.result, scope, sink, any);
    let target = if written.builtin {
        let overloads = builtins::overloads(&written.name.text);
        let same = |o: &&builtins::Overload| {
            o.result == result && o.params.iter().eq(params.iter().map(|(_, ty)| ty))
        };
        match overloads.iter().find(same) {
            Some(overload) => overload.target.clone(),
            None => {
                sink.push(no_builtin(written, &overloads));
                return None;
            }
        }
    } else {
        Target::Fn(id)
    };
    Some(Function {
        params,
        result,
        target,
        span: Some(written.name.span),
    })
}

fn no_builtin(written: &ast::Fn, overloads: &[builtins::Overload]) -> Diagnostic {
    let name = &written.name.text;
    let mut diagnostic = Diagnostic::new(
        codes::E0617,
        written.name.span,
        format!("there is no intrinsic `{name}` of these types"),
        "`builtin` names what tdc itself computes",
    )
    .help("give the function a body, `= ...`, and take `builtin` away");
    for overload in overloads {
        let params: Vec<String> = overload.params.iter().map(Type::to_string).collect();
        diagnostic = diagnostic.note(format!(
            "there is {name}({}) -> {}",
            params.join(", "),
            overload.result
        ));
    }
    diagnostic
}

/// Checks a function's body against its signature. `docs` are the item's. `None` for a builtin, or
/// when a diagnostic was reported.
pub fn check_fn(
    written: &ast::Fn,
    docs: &[String],
    scope: &Scope,
    sink: &mut Sink,
) -> Option<FnDef> {
    let body = written.body.as_ref()?;
    // `signature` has reported unknown types; here they fit everything.
    let mut known = Sink::new();
    let params: Vec<(String, Type)> = written
        .params
        .iter()
        .map(|(name, written)| (name.text.clone(), ty(written, scope, &mut known)))
        .collect();
    let result = ty(&written.result, scope, &mut known);
    let mut checker = Checker::new(scope, sink, &params);
    for (i, (name, _)) in written.params.iter().enumerate() {
        let same = |(other, _): &&(ast::Name, ast::Type)| other.text == name.text;
        if let Some((first, _)) = written.params[..i].iter().find(same) {
            checker.report(
                Diagnostic::new(
                    codes::E0616,
                    name.span,
                    format!("two parameters are called `{}`", name.text),
                    "the second",
                )
                .label(first.span, "the first"),
            );
        }
    }
    let mut wanted = Wanted::new(
        result.clone(),
        codes::E0607,
        format!("the body of `{}`", written.name.text),
    );
    wanted.place = Some((
        written.result.span,
        format!("the function says it gives {}", show::a_type(&result)),
    ));
    let body = checker.check(body, &wanted);
    let slots = checker.finish()?;
    (!known.has_errors()).then(|| FnDef {
        name: written.name.text.clone(),
        docs: docs.join("\n"),
        params: params.into_iter().map(|(_, ty)| ty).collect(),
        result,
        slots,
        body,
    })
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
    let wanted = Wanted::new(expected.clone(), codes::E0607, "what this arm draws");
    let mut checker = Checker::new(scope, sink, fields);
    let body = checker.check(body, &wanted);
    let slots = checker.finish()?;
    Some(DrawArm { slots, body })
}

/// Checks an expression over `fields` whose type is not known beforehand, as the `where`
/// computations of rewrite rules have; the type is the result's `body.ty`. `constant::evaluate`
/// computes it.
pub fn check_expr(
    fields: &[(String, Type)],
    body: &ast::Expr,
    scope: &Scope,
    sink: &mut Sink,
) -> Option<DrawArm> {
    let mut checker = Checker::new(scope, sink, fields);
    let body = checker.infer(body);
    let slots = checker.finish()?;
    Some(DrawArm { slots, body })
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
    let mut checker = Checker::new(scope, sink, &[]);
    let typed = match expected {
        Some(ty) => {
            let wanted = Wanted::new(ty.clone(), codes::E0607, "this constant");
            checker.check(written, &wanted)
        }
        None => checker.infer(written),
    };
    checker.finish()?;
    let value = constant::evaluate(&typed, &[], fns);
    if value.is_none() {
        sink.push(
            Diagnostic::new(
                codes::E0618,
                written.span,
                format!("this is not a constant: it is {}", show::a_type(&typed.ty)),
                "not a number, truth value, colour or point",
            )
            .help("give a Num, a Bool, a Color or a Point, and build regions in `draw`"),
        );
    }
    value
}

/// The functions an expression calls, each once, in order of first use.
pub fn calls(body: &Expr) -> Vec<FnId> {
    let mut found = Vec::new();
    walk(body, &mut |expr| {
        if let ExprKind::Call(id, _) = &expr.kind
            && !found.contains(id)
        {
            found.push(*id);
        }
    });
    found
}

fn walk(expr: &Expr, see: &mut impl FnMut(&Expr)) {
    see(expr);
    for part in parts(expr) {
        walk(part, see);
    }
}

fn parts(expr: &Expr) -> Vec<&Expr> {
    match &expr.kind {
        ExprKind::Const(_) | ExprKind::Slot(_) => Vec::new(),
        ExprKind::Call(_, args) | ExprKind::Builtin(_, args) | ExprKind::List(args) => {
            args.iter().collect()
        }
        ExprKind::If(a, b, c) => vec![a, b, c],
        ExprKind::Let(_, a, b) | ExprKind::Else(a, b) => vec![a, b],
        ExprKind::Match(on, arms) => std::iter::once(on.as_ref())
            .chain(arms.iter().map(|(_, body)| body))
            .collect(),
    }
}

/// Reports functions whose calls nest so deep that evaluating them could exhaust the stack.
/// `fns` is the finished `Grammar::fns`, callees before callers; `spans[i]` is where `fns[i]` is
/// declared.
pub fn check_nesting(fns: &[FnDef], spans: &[Span], sink: &mut Sink) {
    let mut depths: Vec<usize> = Vec::with_capacity(fns.len());
    for (def, span) in fns.iter().zip(spans) {
        let depth = nesting(&def.body, &depths);
        // A function that was reported counts as shallow, so that its callers are not reported too.
        depths.push(if depth > MAX_NESTING { 1 } else { depth });
        if depth > MAX_NESTING {
            sink.push(
                Diagnostic::new(
                    codes::E0615,
                    *span,
                    format!("the calls in `{}` are nested {depth} deep", def.name),
                    format!("expressions within expressions, more than {MAX_NESTING}"),
                )
                .help("call fewer functions through one another"),
            );
        }
    }
}

fn nesting(expr: &Expr, depths: &[usize]) -> usize {
    let inner = parts(expr)
        .into_iter()
        .map(|part| nesting(part, depths))
        .max()
        .unwrap_or(0);
    let called = match &expr.kind {
        ExprKind::Call(id, _) => depths.get(id.index()).copied().unwrap_or(0),
        _ => 0,
    };
    1 + inner.max(called)
}
