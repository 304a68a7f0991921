//! Operators: which intrinsic an operator is, by the types of its operands.

use crate::diag::{Diagnostic, codes};
use crate::grammar::expr::{Builtin, Case, Expr, ExprKind, Type, Value};
use crate::meta::ast::{self, BinaryOp, UnaryOp};
use crate::source::Span;

use super::check::{Checker, Wanted, builtin, constant, fits, join, nothing};
use super::scope::Cases;
use super::show;

impl Checker<'_> {
    pub(super) fn unary(&mut self, op: UnaryOp, of: &ast::Expr, span: Span) -> Expr {
        match op {
            UnaryOp::Not => {
                let wanted = Wanted::new(Type::Bool, codes::E0607, "what follows `not`");
                let of = self.check(of, &wanted);
                builtin(Builtin::Not, vec![of], Type::Bool)
            }
            UnaryOp::Neg => {
                let typed = self.infer(of);
                match typed.ty.clone() {
                    ty @ (Type::Num | Type::Point) => builtin(Builtin::Neg, vec![typed], ty),
                    Type::Error => nothing(),
                    other => {
                        let mut diagnostic = Diagnostic::new(
                            codes::E0606,
                            span,
                            format!("`-` does not take {}", show::a_type(&other)),
                            format!("`-` before {}", show::a_type(&other)),
                        )
                        .note("`-` takes a Num or a Point");
                        if other == Type::Region {
                            diagnostic = diagnostic.help(
                                "cut it out of another region, `a - b`, or out of the plane, \
                                 `everything() - r`",
                            );
                        }
                        self.report(diagnostic);
                        nothing()
                    }
                }
            }
        }
    }

    pub(super) fn binary(&mut self, op: BinaryOp, left: &ast::Expr, right: &ast::Expr) -> Expr {
        match op {
            BinaryOp::And | BinaryOp::Or => self.logic(op, left, right),
            BinaryOp::Else => self.or_else(left, right),
            BinaryOp::Eq | BinaryOp::Ne => self.equality(op, left, right),
            _ => {
                let (a, b) = (self.infer(left), self.infer(right));
                if a.ty == Type::Error || b.ty == Type::Error {
                    return one_sided(op, &a.ty, &b.ty);
                }
                match arithmetic(op, &a.ty, &b.ty) {
                    // `over(a, b)` paints its first operand over the second.
                    Some((Builtin::Over, ty)) => builtin(Builtin::Over, vec![b, a], ty),
                    Some((which, ty)) => builtin(which, vec![a, b], ty),
                    None => {
                        self.no_operator(op, (left, &a.ty), (right, &b.ty));
                        one_sided(op, &Type::Error, &Type::Error)
                    }
                }
            }
        }
    }

    fn logic(&mut self, op: BinaryOp, left: &ast::Expr, right: &ast::Expr) -> Expr {
        let wanted = |side: &str| {
            let who = format!("the {side} of `{}`", symbol(op));
            Wanted::new(Type::Bool, codes::E0607, who)
        };
        let a = self.check(left, &wanted("left side"));
        let b = self.check(right, &wanted("right side"));
        let known = |value| Box::new(constant(Value::Bool(value)));
        let kind = match op {
            BinaryOp::And => ExprKind::If(Box::new(a), Box::new(b), known(false)),
            _ => ExprKind::If(Box::new(a), known(true), Box::new(b)),
        };
        Expr {
            kind,
            ty: Type::Bool,
        }
    }

    fn or_else(&mut self, left: &ast::Expr, right: &ast::Expr) -> Expr {
        let a = self.infer(left);
        let of = match &a.ty {
            Type::Optional(of) => (**of).clone(),
            Type::Error => {
                self.infer(right);
                return nothing();
            }
            other => {
                self.report(
                    Diagnostic::new(
                        codes::E0606,
                        left.span,
                        format!(
                            "the left side of `??` is always there: it is {}",
                            show::a_type(other)
                        ),
                        "never absent",
                    )
                    .note("`a ?? b` is `a`, or `b` when the optional `a` is absent")
                    .help("take `??` and its right side away"),
                );
                self.infer(right);
                return nothing();
            }
        };
        let mut wanted = Wanted::new(
            Type::Optional(Box::new(of.clone())),
            codes::E0608,
            "the right side of `??`",
        );
        wanted.place = Some((left.span, format!("this is {}", show::a_type(&a.ty))));
        let b = self.check(right, &wanted);
        let ty = join(&of, &b.ty).unwrap_or(of);
        Expr {
            kind: ExprKind::Else(Box::new(a), Box::new(b)),
            ty,
        }
    }

    fn equality(&mut self, op: BinaryOp, left: &ast::Expr, right: &ast::Expr) -> Expr {
        // A token's text is compared with a choice: `way == "h"`.
        for (choice, text) in [(left, right), (right, left)] {
            if let ast::ExprKind::Str(wanted) = &text.kind {
                let choice = self.infer(choice);
                return self.is_text(op, choice, wanted, text.span);
            }
        }
        let (a, b) = (self.infer(left), self.infer(right));
        let known = |ty: &Type| {
            matches!(
                ty,
                Type::Num | Type::Bool | Type::Color | Type::Point | Type::Error
            )
        };
        if !known(&a.ty) || !known(&b.ty) || !fits(&a.ty, &b.ty) {
            self.no_operator(op, (left, &a.ty), (right, &b.ty));
        }
        let which = match op {
            BinaryOp::Eq => Builtin::Eq,
            _ => Builtin::Ne,
        };
        builtin(which, vec![a, b], Type::Bool)
    }

    fn is_text(&mut self, op: BinaryOp, choice: Expr, text: &str, span: Span) -> Expr {
        let scope = self.scope;
        let texts: &[String] = match &choice.ty {
            Type::Error => {
                return Expr {
                    ty: Type::Bool,
                    ..nothing()
                };
            }
            Type::Enum(name) => match scope.cases(name) {
                Some(Cases::Token(texts)) => texts,
                _ => &[],
            },
            _ => &[],
        };
        let Some(index) = texts.iter().position(|known| known == text) else {
            let mut diagnostic = Diagnostic::new(
                codes::E0614,
                span,
                format!("{text:?} is never equal to {}", show::a_type(&choice.ty)),
                "no such value",
            );
            if texts.is_empty() {
                diagnostic = diagnostic.note(
                    "only a token whose values are texts without `->` can be compared with a text",
                );
            } else {
                let all: Vec<String> = texts.iter().map(|t| format!("{t:?}")).collect();
                diagnostic = diagnostic.note(format!("its values: {}", all.join(", ")));
                let near = crate::diag::nearest(text, texts.iter().map(String::as_str));
                if let Some(near) = near {
                    diagnostic = diagnostic
                        .help(format!("did you mean {near:?}?"))
                        .fix(span, format!("{near:?}"));
                }
            }
            self.report(diagnostic);
            return Expr {
                ty: Type::Bool,
                ..nothing()
            };
        };
        let is = op == BinaryOp::Eq;
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        let arms = vec![
            (Case::Index(index), constant(Value::Bool(is))),
            (Case::Any, constant(Value::Bool(!is))),
        ];
        Expr {
            kind: ExprKind::Match(Box::new(choice), arms),
            ty: Type::Bool,
        }
    }

    fn no_operator(
        &mut self,
        op: BinaryOp,
        (left, a): (&ast::Expr, &Type),
        (right, b): (&ast::Expr, &Type),
    ) {
        let sign = symbol(op);
        let mut diagnostic = Diagnostic::new(
            codes::E0606,
            left.span,
            format!(
                "`{sign}` does not take {} and {}",
                show::a_type(a),
                show::a_type(b)
            ),
            show::a_type(a),
        )
        .label(right.span, show::a_type(b))
        .note(format!("`{sign}` takes {}", operands(op)));
        let comparison = matches!(
            left.kind,
            ast::ExprKind::Binary(
                BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge,
                ..
            )
        );
        let help = match (op, a, b) {
            (BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge, Type::Bool, Type::Num)
                if comparison =>
            {
                Some("compare twice: `a < b and b < c`".to_string())
            }
            (BinaryOp::Mul, Type::Region | Type::Drawing, Type::Num)
            | (BinaryOp::Mul, Type::Num, Type::Region | Type::Drawing) => {
                Some("`scale(region, k, k)` of std.transform makes it larger".to_string())
            }
            (BinaryOp::Mul, Type::Region, Type::Region) => {
                Some("`a & b` is what both regions cover".to_string())
            }
            (
                BinaryOp::Add | BinaryOp::Sub,
                Type::Region | Type::Drawing,
                Type::Point | Type::Num,
            ) => Some("`shift(region, dx, dy)` of std.transform moves it".to_string()),
            (BinaryOp::Sub | BinaryOp::Meet, Type::Drawing, Type::Drawing) => {
                Some("cut the regions before painting them: `fill(a - b, color)`".to_string())
            }
            (BinaryOp::Eq | BinaryOp::Ne, Type::Enum(_), _) => {
                show::way_between(a, &Type::Bool, self.scope)
            }
            (BinaryOp::Add, a, b) => {
                show::way_between(a, b, self.scope).or_else(|| show::way_between(b, a, self.scope))
            }
            (_, a, Type::Num) => show::way_between(a, &Type::Num, self.scope),
            (_, Type::Num, b) => show::way_between(b, &Type::Num, self.scope),
            _ => None,
        };
        if let Some(help) = help {
            diagnostic = diagnostic.help(help);
        }
        self.report(diagnostic);
    }
}

fn arithmetic(op: BinaryOp, a: &Type, b: &Type) -> Option<(Builtin, Type)> {
    use Type::{Bool, Drawing, Num, Point, Region};
    Some(match (op, a, b) {
        (BinaryOp::Add, Num, Num) => (Builtin::Add, Num),
        (BinaryOp::Add, Point, Point) => (Builtin::Add, Point),
        (BinaryOp::Add, Region, Region) => (Builtin::Union, Region),
        (BinaryOp::Add, Drawing, Drawing) => (Builtin::Over, Drawing),
        (BinaryOp::Sub, Num, Num) => (Builtin::Sub, Num),
        (BinaryOp::Sub, Point, Point) => (Builtin::Sub, Point),
        (BinaryOp::Sub, Region, Region) => (Builtin::Difference, Region),
        (BinaryOp::Meet, Region, Region) => (Builtin::Intersection, Region),
        (BinaryOp::Mul, Num, Num) => (Builtin::Mul, Num),
        (BinaryOp::Mul, Num, Point) | (BinaryOp::Mul, Point, Num) => (Builtin::Mul, Point),
        (BinaryOp::Div, Num, Num) => (Builtin::Div, Num),
        (BinaryOp::Div, Point, Num) => (Builtin::Div, Point),
        (BinaryOp::Mod, Num, Num) => (Builtin::Mod, Num),
        (BinaryOp::Pow, Num, Num) => (Builtin::Pow, Num),
        (BinaryOp::Lt, Num, Num) => (Builtin::Lt, Bool),
        (BinaryOp::Le, Num, Num) => (Builtin::Le, Bool),
        (BinaryOp::Gt, Num, Num) => (Builtin::Gt, Bool),
        (BinaryOp::Ge, Num, Num) => (Builtin::Ge, Bool),
        _ => return None,
    })
}

/// What an operation gives when one of its operands is a mistake: known where all its results
/// are alike, or where the other operand decides.
fn one_sided(op: BinaryOp, a: &Type, b: &Type) -> Expr {
    let ty = match op {
        BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => Type::Bool,
        BinaryOp::Mod | BinaryOp::Pow => Type::Num,
        BinaryOp::Meet => Type::Region,
        BinaryOp::Add | BinaryOp::Sub if *a == Type::Error => b.clone(),
        BinaryOp::Add | BinaryOp::Sub => a.clone(),
        _ => Type::Error,
    };
    Expr { ty, ..nothing() }
}

fn operands(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Add => {
            "two Nums, two Points, two Regions (both) or two Drawings (the right one over the left)"
        }
        BinaryOp::Sub => "two Nums, two Points or two Regions (the left without the right)",
        BinaryOp::Meet => "two Regions",
        BinaryOp::Mul => "two Nums, or a Num and a Point",
        BinaryOp::Div => "two Nums, or a Point and a Num",
        BinaryOp::Eq | BinaryOp::Ne => {
            "two Nums, two Bools, two Colors or two Points, or a choice and a text"
        }
        BinaryOp::And | BinaryOp::Or => "two Bools",
        BinaryOp::Else => "an optional value and what stands in for it",
        _ => "two Nums",
    }
}

fn symbol(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Else => "??",
        BinaryOp::Or => "or",
        BinaryOp::And => "and",
        BinaryOp::Eq => "==",
        BinaryOp::Ne => "!=",
        BinaryOp::Lt => "<",
        BinaryOp::Le => "<=",
        BinaryOp::Gt => ">",
        BinaryOp::Ge => ">=",
        BinaryOp::Add => "+",
        BinaryOp::Sub => "-",
        BinaryOp::Meet => "&",
        BinaryOp::Mul => "*",
        BinaryOp::Div => "/",
        BinaryOp::Mod => "mod",
        BinaryOp::Pow => "^",
    }
}
