//! Expressions: names, literals, branches; calls and operators are in the modules beside.

use crate::diag::{Code, Diagnostic, Sink, codes, nearest};
use crate::grammar::colors;
use crate::grammar::expr::{Builtin, Case, Expr, ExprKind, Type, Value};
use crate::grammar::scalar;
use crate::meta::ast;
use crate::source::Span;

use super::scope::{Scope, Target};
use super::show;

/// Deepest nesting of one expression; the parser allows less.
const MAX_DEPTH: u32 = 256;

/// A name of the expression itself: a field, a parameter, a `let`.
struct Local {
    name: String,
    ty: Type,
    slot: u16,
    /// Where a `let` says it, to report those never used.
    declared: Option<Span>,
    used: bool,
}

/// Why a type is wanted, for the diagnostic when another one stands there.
#[derive(Clone)]
pub(super) struct Wanted {
    /// The type.
    pub(super) ty: Type,
    /// The code to report.
    pub(super) code: Code,
    /// Completes "... wants a `Num`": `the condition`, `argument \`dx\` of \`shift\``.
    pub(super) who: String,
    /// Another place that explains it.
    pub(super) place: Option<(Span, String)>,
    /// Further facts.
    pub(super) notes: Vec<String>,
    /// Other types that would do, each with ` or ` before it.
    pub(super) or: String,
}

impl Wanted {
    pub(super) fn new(ty: Type, code: Code, who: impl Into<String>) -> Wanted {
        Wanted {
            ty,
            code,
            who: who.into(),
            place: None,
            notes: Vec::new(),
            or: String::new(),
        }
    }
}

/// Types one expression.
pub(super) struct Checker<'a> {
    pub(super) scope: &'a Scope,
    sink: &'a mut Sink,
    locals: Vec<Local>,
    slots: u16,
    depth: u32,
    failed: bool,
}

/// What stands where a diagnostic was reported.
pub(super) fn nothing() -> Expr {
    Expr {
        kind: ExprKind::Const(Value::Num(0.0)),
        ty: Type::Error,
    }
}

pub(super) fn constant(value: Value) -> Expr {
    Expr {
        ty: value.ty(),
        kind: ExprKind::Const(value),
    }
}

/// A call of an intrinsic, computed at once when its operands are constants.
pub(super) fn builtin(which: Builtin, args: Vec<Expr>, ty: Type) -> Expr {
    let values: Option<Vec<Value>> = args
        .iter()
        .map(|arg| match (&arg.kind, &arg.ty) {
            (_, Type::Error) => None,
            (ExprKind::Const(value), _) => Some(*value),
            _ => None,
        })
        .collect();
    if let Some(value) = values.and_then(|values| scalar::apply(which, &values)) {
        return Expr {
            kind: ExprKind::Const(value),
            ty,
        };
    }
    Expr {
        kind: ExprKind::Builtin(which, args),
        ty,
    }
}

/// Whether a value of type `found` can stand where `wanted` is; an absent-able place takes a
/// value that is always there.
pub(super) fn fits(found: &Type, wanted: &Type) -> bool {
    match (found, wanted) {
        (Type::Error, _) | (_, Type::Error) => true,
        (Type::List(a), Type::List(b)) => fits(a, b),
        (Type::Optional(a), Type::Optional(b)) => fits(a, b),
        (a, Type::Optional(b)) => fits(a, b),
        (a, b) => a == b,
    }
}

/// The type that holds values of both.
pub(super) fn join(a: &Type, b: &Type) -> Option<Type> {
    if fits(a, b) {
        // A known type goes before one with a hole, such as that of `[]`.
        Some(if *b == Type::Error { a } else { b }.clone())
    } else if fits(b, a) {
        Some(a.clone())
    } else {
        None
    }
}

/// The type of branches that are as wanted. What is wanted may be wider: after a branch that is
/// always there one that may be absent would do, and the whole is optional only if one is.
fn narrowest<'e>(branches: impl IntoIterator<Item = &'e Expr>, wanted: &Wanted) -> Type {
    let joined = (branches.into_iter())
        .try_fold(Type::Error, |ty, branch| join(&ty, &branch.ty))
        .unwrap_or(Type::Error);
    match joined {
        Type::Error => wanted.ty.clone(),
        ty => ty,
    }
}

impl<'a> Checker<'a> {
    pub(super) fn new(
        scope: &'a Scope,
        sink: &'a mut Sink,
        fields: &[(String, Type)],
    ) -> Checker<'a> {
        let locals: Vec<Local> = fields
            .iter()
            .zip(0u16..)
            .map(|((name, ty), slot)| Local {
                name: name.clone(),
                ty: ty.clone(),
                slot,
                declared: None,
                used: false,
            })
            .collect();
        let slots = u16::try_from(locals.len()).unwrap_or(u16::MAX);
        Checker {
            scope,
            sink,
            locals,
            slots,
            depth: 0,
            failed: false,
        }
    }

    /// Number of slots the expression needs, or `None` when a mistake was reported.
    pub(super) fn finish(self) -> Option<u16> {
        (!self.failed).then_some(self.slots)
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.failed |= diagnostic.severity() == crate::diag::Severity::Error;
        self.sink.push(diagnostic);
    }

    /// Types an expression that must have a given type; branches are looked at one by one, so
    /// that a mistake is reported where it stands.
    pub(super) fn check(&mut self, written: &ast::Expr, wanted: &Wanted) -> Expr {
        let typed = self.nested(written.span, |this| match &written.kind {
            ast::ExprKind::Paren(inner) => this.check(inner, wanted),
            ast::ExprKind::If(condition, yes, no) => {
                let condition = this.condition(condition);
                let yes = this.check(yes, wanted);
                let no = this.check(no, wanted);
                let ty = narrowest([&yes, &no], wanted);
                Expr {
                    kind: ExprKind::If(Box::new(condition), Box::new(yes), Box::new(no)),
                    ty,
                }
            }
            ast::ExprKind::Match(on, arms) => this.match_on(written.span, on, arms, Some(wanted)),
            ast::ExprKind::Let(name, value, body) => {
                this.bind(name, value, |this| this.check(body, wanted))
            }
            _ => {
                let typed = this.infer_here(written);
                if !fits(&typed.ty, &wanted.ty) {
                    this.mismatch(written.span, &typed.ty, wanted);
                    return nothing();
                }
                typed
            }
        });
        typed.unwrap_or_else(nothing)
    }

    /// Types an expression of any type.
    pub(super) fn infer(&mut self, written: &ast::Expr) -> Expr {
        self.nested(written.span, |this| this.infer_here(written))
            .unwrap_or_else(nothing)
    }

    fn nested<T>(&mut self, span: Span, inside: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.depth >= MAX_DEPTH {
            self.report(
                Diagnostic::new(
                    codes::E0615,
                    span,
                    format!("this expression is nested more than {MAX_DEPTH} deep"),
                    "too deep from here on",
                )
                .help("give parts of it names, with `let` or as functions"),
            );
            return None;
        }
        self.depth += 1;
        let out = inside(self);
        self.depth -= 1;
        Some(out)
    }

    fn infer_here(&mut self, written: &ast::Expr) -> Expr {
        let span = written.span;
        match &written.kind {
            ast::ExprKind::Number(value, _) => constant(Value::Num(scalar::finite(*value))),
            ast::ExprKind::Bool(value) => constant(Value::Bool(*value)),
            ast::ExprKind::Color(value) => constant(Value::Color(*value)),
            ast::ExprKind::Str(text) => {
                self.report(
                    Diagnostic::new(
                        codes::E0614,
                        span,
                        format!("the text {text:?} is not a value"),
                        "text cannot be drawn or computed with",
                    )
                    .help(
                        "a token's text can be compared (`way == \"h\"`) or stand in a \
                         pattern of `match`",
                    ),
                );
                nothing()
            }
            ast::ExprKind::Name(name) => self.name(name, span),
            ast::ExprKind::Call(name, args) => {
                let args: Vec<&ast::Expr> = args.iter().collect();
                self.call(name, &args, span, false)
            }
            ast::ExprKind::Pipe(first, name, rest) => {
                let args: Vec<&ast::Expr> =
                    std::iter::once(first.as_ref()).chain(rest.iter()).collect();
                self.call(name, &args, span, true)
            }
            ast::ExprKind::Member(of, member) => self.member(of, member, span),
            ast::ExprKind::Unary(op, of) => self.unary(*op, of, span),
            ast::ExprKind::Binary(op, left, right) => self.binary(*op, left, right),
            ast::ExprKind::If(condition, yes, no) => {
                let condition = self.condition(condition);
                let yes_typed = self.infer(yes);
                let wanted = self.like_before(&yes_typed.ty, yes.span, "the `else` branch");
                let no = self.check(no, &wanted);
                let ty = join(&yes_typed.ty, &no.ty).unwrap_or(Type::Error);
                Expr {
                    kind: ExprKind::If(Box::new(condition), Box::new(yes_typed), Box::new(no)),
                    ty,
                }
            }
            ast::ExprKind::Match(on, arms) => self.match_on(span, on, arms, None),
            ast::ExprKind::Let(name, value, body) => {
                self.bind(name, value, |this| this.infer(body))
            }
            ast::ExprKind::Point(x, y) => {
                let of = |who| Wanted::new(Type::Num, codes::E0607, who);
                let x = self.check(x, &of("the x of a point"));
                let y = self.check(y, &of("the y of a point"));
                builtin(Builtin::Point, vec![x, y], Type::Point)
            }
            ast::ExprKind::List(items) => self.list(items),
            ast::ExprKind::Paren(inner) => self.infer(inner),
            ast::ExprKind::Error => {
                // The parser has said why.
                self.failed = true;
                nothing()
            }
        }
    }

    fn condition(&mut self, written: &ast::Expr) -> Expr {
        self.check(
            written,
            &Wanted::new(Type::Bool, codes::E0607, "the condition of `if`"),
        )
    }

    /// What a later branch must be like, after one of type `ty` at `span`. A branch that may be
    /// absent is as good as one that is always there, so either order is fine.
    pub(super) fn like_before(&self, ty: &Type, span: Span, who: &str) -> Wanted {
        let wide = match ty {
            Type::Error | Type::Optional(_) => ty.clone(),
            other => Type::Optional(Box::new(other.clone())),
        };
        let mut wanted = Wanted::new(wide, codes::E0608, who);
        wanted.place = Some((span, format!("this is {}", show::a_type(ty))));
        wanted
    }

    fn bind(
        &mut self,
        name: &ast::Name,
        value: &ast::Expr,
        body: impl FnOnce(&mut Self) -> Expr,
    ) -> Expr {
        let value = self.infer(value);
        // Fields and earlier names hold the slots below.
        let slot = self
            .locals
            .iter()
            .map(|l| l.slot.saturating_add(1))
            .max()
            .unwrap_or(0);
        self.slots = self.slots.max(slot.saturating_add(1));
        self.locals.push(Local {
            name: name.text.clone(),
            ty: value.ty.clone(),
            slot,
            declared: Some(name.span),
            used: false,
        });
        let body = body(self);
        if let Some(local) = self.locals.pop()
            && let (Some(span), false) = (local.declared, local.used || self.failed)
        {
            self.report(
                Diagnostic::new(
                    codes::W0602,
                    span,
                    format!("`{}` is never used", local.name),
                    "this name is not used after `in`",
                )
                .help("use it, or take the `let` away"),
            );
        }
        Expr {
            ty: body.ty.clone(),
            kind: ExprKind::Let(slot, Box::new(value), Box::new(body)),
        }
    }

    fn list(&mut self, items: &[ast::Expr]) -> Expr {
        let mut typed: Vec<Expr> = Vec::with_capacity(items.len());
        let mut of = Type::Error;
        let mut first = None;
        for item in items {
            let next = match first {
                None => self.infer(item),
                Some(span) => {
                    let mut wanted = Wanted::new(of.clone(), codes::E0608, "a later item");
                    wanted.place = Some((span, format!("the first is {}", show::a_type(&of))));
                    self.check(item, &wanted)
                }
            };
            if next.ty != Type::Error && first.is_none() {
                of = next.ty.clone();
                first = Some(item.span);
            }
            typed.push(next);
        }
        Expr {
            kind: ExprKind::List(typed),
            ty: Type::List(Box::new(of)),
        }
    }

    /// The innermost local of a name.
    fn local(&mut self, name: &str) -> Option<Expr> {
        let local = self.locals.iter_mut().rev().find(|l| l.name == name)?;
        local.used = true;
        Some(Expr {
            kind: ExprKind::Slot(local.slot),
            ty: local.ty.clone(),
        })
    }

    pub(super) fn is_local(&self, name: &str) -> bool {
        self.locals.iter().any(|local| local.name == name)
    }

    pub(super) fn local_names(&self) -> impl Iterator<Item = &str> {
        self.locals.iter().map(|local| local.name.as_str())
    }

    fn name(&mut self, name: &str, span: Span) -> Expr {
        if let Some(local) = self.local(name) {
            return local;
        }
        // `p.x` may have been read as a name of the module `p`.
        if let Some((of, member)) = name.rsplit_once('.')
            && let Some(point) = self.local(of)
        {
            return self.member_of(point, member, span);
        }
        let functions = self.scope.functions(name);
        if let Some(function) = functions.iter().find(|f| f.params.is_empty()) {
            self.scope.mark_used(name);
            return target(&function.target, Vec::new(), function.result.clone());
        }
        if !functions.is_empty() {
            self.scope.mark_used(name);
            let mut diagnostic = Diagnostic::new(
                codes::E0603,
                span,
                format!("`{name}` is a function and needs its arguments"),
                "called without arguments",
            )
            .help(format!("write `{name}(...)`"));
            for function in functions {
                diagnostic = diagnostic.note(show::signature(name, function));
            }
            self.report(diagnostic);
            return nothing();
        }
        if let Some(color) = colors::named(name) {
            return constant(Value::Color(color));
        }
        self.unknown_value(name, span);
        nothing()
    }

    fn unknown_value(&mut self, name: &str, span: Span) {
        let mut diagnostic = Diagnostic::new(
            codes::E0602,
            span,
            format!("there is no value called `{name}` here"),
            "not a field, parameter, `let` or colour",
        );
        let near = nearest(
            name,
            self.local_names()
                .chain(self.scope.function_names())
                .chain(colors::names().map(|name| -> &str { name })),
        )
        .map(str::to_string);
        if let Some(module) = self.scope.module_of(name) {
            diagnostic = diagnostic.help(format!("import it: `use {module}.{{{name}}}`"));
        } else if let Some(near) = near {
            diagnostic = diagnostic
                .help(format!("did you mean `{near}`?"))
                .fix(span, near);
        } else if self.locals.is_empty() {
            diagnostic = diagnostic.note("no fields or parameters are in reach here");
        } else {
            let names: Vec<String> = self.local_names().map(|n| format!("`{n}`")).collect();
            diagnostic = diagnostic.note(format!("in reach here: {}", names.join(", ")));
        }
        self.report(diagnostic);
    }

    fn member(&mut self, of: &ast::Expr, member: &ast::Name, span: Span) -> Expr {
        // `m.red` may have been read as the member `red` of a value `m`.
        if let ast::ExprKind::Name(module) = &of.kind {
            let dotted = format!("{module}.{}", member.text);
            if !self.is_local(module) && !self.scope.functions(&dotted).is_empty() {
                return self.name(&dotted, span);
            }
        }
        let of = self.infer(of);
        self.member_of(of, &member.text, member.span)
    }

    fn member_of(&mut self, of: Expr, member: &str, span: Span) -> Expr {
        match (&of.ty, member) {
            (Type::Error, _) => nothing(),
            (Type::Point, "x") => builtin(Builtin::PointX, vec![of], Type::Num),
            (Type::Point, "y") => builtin(Builtin::PointY, vec![of], Type::Num),
            (ty, _) => {
                let help = match (ty, member) {
                    (Type::Point, _) => "a point has `x` and `y`",
                    (Type::Drawing, "width" | "height") => {
                        "`width(d)` and `height(d)` of std.layout give a drawing's size"
                    }
                    _ => "only a Point has members, `x` and `y`",
                };
                let diagnostic = Diagnostic::new(
                    codes::E0613,
                    span,
                    format!("{} has no `{member}`", show::a_type(ty)),
                    "no such member",
                )
                .help(help);
                self.report(diagnostic);
                nothing()
            }
        }
    }

    /// Reports that a value has another type than the one wanted.
    pub(super) fn mismatch(&mut self, span: Span, found: &Type, wanted: &Wanted) {
        // An absent-able place takes a plain value: users think of the plain type.
        let plain = match &wanted.ty {
            Type::Optional(of) if wanted.code == codes::E0608 => of.as_ref(),
            other => other,
        };
        let right = format!("{}{}", show::a_type(plain), wanted.or);
        let wrong = show::a_type(found);
        let mut diagnostic = Diagnostic::new(
            wanted.code,
            span,
            format!("{} must be {right}, this is {wrong}", wanted.who),
            format!("{wrong}, not {right}"),
        );
        if let Some((place, remark)) = &wanted.place {
            diagnostic = diagnostic.label(*place, remark.clone());
        }
        for note in &wanted.notes {
            diagnostic = diagnostic.note(note.clone());
        }
        if let Some(help) = show::way_between(found, plain, self.scope) {
            diagnostic = diagnostic.help(help);
        }
        self.report(diagnostic);
    }

    fn match_on(
        &mut self,
        span: Span,
        on: &ast::Expr,
        arms: &[ast::MatchArm],
        wanted: Option<&Wanted>,
    ) -> Expr {
        let on_typed = self.infer(on);
        let cases = self.patterns(span, on.span, &on_typed.ty, arms);
        let mut typed: Vec<(Case, Expr)> = Vec::with_capacity(arms.len());
        let mut like: Option<(Type, Span)> = None;
        for (arm, case) in arms.iter().zip(cases) {
            let body = match (wanted, &like) {
                (Some(wanted), _) => self.check(&arm.body, wanted),
                (None, None) => self.infer(&arm.body),
                (None, Some((ty, place))) => {
                    let wanted = self.like_before(ty, *place, "this arm");
                    self.check(&arm.body, &wanted)
                }
            };
            if wanted.is_none() && body.ty != Type::Error {
                let ty = match &like {
                    Some((before, _)) => join(before, &body.ty).unwrap_or(Type::Error),
                    None => body.ty.clone(),
                };
                like = Some((ty, like.map_or(arm.body.span, |(_, place)| place)));
            }
            if let Some(case) = case {
                typed.push((case, body));
            }
        }
        let ty = match (wanted, like) {
            (Some(wanted), _) => narrowest(typed.iter().map(|(_, body)| body), wanted),
            (None, Some((ty, _))) => ty,
            (None, None) => Type::Error,
        };
        Expr {
            kind: ExprKind::Match(Box::new(on_typed), typed),
            ty,
        }
    }
}

/// A call of what a function's name stands for.
pub(super) fn target(of: &Target, args: Vec<Expr>, ty: Type) -> Expr {
    match of {
        Target::Const(value) => constant(*value),
        Target::Builtin(which) => builtin(*which, args, ty),
        Target::Fn(id) => Expr {
            kind: ExprKind::Call(*id, args),
            ty,
        },
    }
}
