//! Expressions, patterns and types.
//!
//! Operands and operators are read as a flat list, then put into a tree by precedence without
//! recursion; so a long chain costs no stack here, and one that would make a tree deeper than
//! [`DEEPEST`] is reported instead of built.

use chumsky::prelude::*;

use super::base::*;
use super::fail::{Fail, OPERATOR};
use crate::diag::{Diagnostic, codes};
use crate::meta::ast::{
    BinaryOp, Expr, ExprKind, MatchArm, Name, Pattern, PatternKind, Type, TypeKind, UnaryOp,
};
use crate::meta::brackets::{DEEPEST, too_deep};
use crate::meta::lexer::EXPR_WORDS;
use crate::meta::token::{Kind, Source, Token};
use crate::source::Span;

/// An expression with the height of its tree.
#[derive(Clone)]
pub(super) struct Deep {
    expr: Expr,
    height: usize,
}

impl Deep {
    fn new(kind: ExprKind, span: Span, inner: usize) -> Deep {
        Deep {
            expr: Expr { kind, span },
            height: inner + 1,
        }
    }

    fn boxed(self) -> Box<Expr> {
        Box::new(self.expr)
    }
}

fn split(all: Vec<Deep>) -> (Vec<Expr>, usize) {
    let height = all.iter().map(|deep| deep.height).max().unwrap_or(0);
    (all.into_iter().map(|deep| deep.expr).collect(), height)
}

/// Pieces of a chain that are kept; one that long is too deep in all likelihood, and is said to be.
const LONGEST_CHAIN: usize = 1 << 13;

/// A piece of a chain of operators.
#[derive(Clone)]
enum Piece {
    Prefix(UnaryOp, Span),
    Operand(Deep),
    Infix(BinaryOp),
    Pipe(Name, Vec<Expr>, usize, Span),
}

/// An expression.
pub(super) fn expr<'a>(source: Source<'a>) -> P<'a, Expr> {
    deep(source).map(|deep| deep.expr).boxed()
}

fn deep<'a>(source: Source<'a>) -> P<'a, Deep> {
    recursive(|inner| chain(source, deeper(inner.boxed()))).boxed()
}

fn chain<'a>(source: Source<'a>, inner: P<'a, Deep>) -> P<'a, Deep> {
    let prefix = accept(move |token| {
        let op = match token.kind {
            Kind::Minus => UnaryOp::Neg,
            Kind::Bang => UnaryOp::Not,
            Kind::Name if source.of(token) == "not" => UnaryOp::Not,
            _ => return None,
        };
        Some(Piece::Prefix(op, token.span))
    });
    let infix = accept(move |token| infix_op(token.kind, source.of(token)).map(Piece::Infix))
        .labelled(OPERATOR);
    let args = arguments(inner.clone());
    let pipe = tok(Kind::PipeTo)
        .labelled(OPERATOR)
        .ignore_then(dotted(source))
        .then(args.clone().or_not())
        .map_with(|(name, args), e| {
            let (args, height) = args.unwrap_or_default();
            Piece::Pipe(name, args, height, span(e))
        });
    let operand = prefix
        .repeated()
        .at_most(DEEPEST)
        .collect::<Vec<_>>()
        .then(operand(source, inner, args).map(Piece::Operand))
        .labelled("an expression")
        .map(|(mut pieces, operand)| {
            pieces.push(operand);
            pieces
        })
        .boxed();
    let more = choice((
        infix.then(operand.clone()).map(|(op, mut pieces)| {
            pieces.insert(0, op);
            pieces
        }),
        pipe.map(|pipe| vec![pipe]),
    ))
    .boxed();
    operand
        .foldl(more.repeated(), |mut all, pieces| {
            if all.len() < LONGEST_CHAIN {
                all.extend(pieces);
            }
            all
        })
        .validate(|pieces, e, emitter| {
            let whole = span(e);
            let built = if pieces.len() < LONGEST_CHAIN {
                tree(pieces)
            } else {
                Err(whole)
            };
            built.unwrap_or_else(|place| {
                emitter.emit(Fail::from(too_deep(place)));
                Deep::new(ExprKind::Error, whole, 0)
            })
        })
        .boxed()
}

fn infix_op(kind: Kind, text: &str) -> Option<BinaryOp> {
    Some(match kind {
        Kind::Else => BinaryOp::Else,
        Kind::EqEq => BinaryOp::Eq,
        Kind::NotEq => BinaryOp::Ne,
        Kind::Lt => BinaryOp::Lt,
        Kind::Le => BinaryOp::Le,
        Kind::Gt => BinaryOp::Gt,
        Kind::Ge => BinaryOp::Ge,
        Kind::Plus => BinaryOp::Add,
        Kind::Minus => BinaryOp::Sub,
        Kind::Amp => BinaryOp::Meet,
        Kind::Star => BinaryOp::Mul,
        Kind::Slash => BinaryOp::Div,
        Kind::Percent => BinaryOp::Mod,
        Kind::Caret => BinaryOp::Pow,
        Kind::AndAnd => BinaryOp::And,
        Kind::OrOr => BinaryOp::Or,
        Kind::Name => match text {
            "or" => BinaryOp::Or,
            "and" => BinaryOp::And,
            "mod" => BinaryOp::Mod,
            _ => return None,
        },
        _ => return None,
    })
}

const PIPE_POWER: u8 = 1;
const PREFIX_POWER: u8 = 8;

/// How strongly an operator binds, and whether it groups to the right.
fn power(op: BinaryOp) -> (u8, bool) {
    use BinaryOp::*;
    match op {
        Else => (2, true),
        Or => (3, false),
        And => (4, false),
        Eq | Ne | Lt | Le | Gt | Ge => (5, false),
        Add | Sub | Meet => (6, false),
        Mul | Div | Mod => (7, false),
        Pow => (9, true),
    }
}

enum Waiting {
    Prefix(UnaryOp, Span),
    Infix(BinaryOp),
}

/// Puts a chain into a tree; the place where it gets too deep otherwise.
fn tree(pieces: Vec<Piece>) -> Result<Deep, Span> {
    let mut operands: Vec<Deep> = Vec::new();
    let mut waiting: Vec<Waiting> = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Prefix(op, place) => waiting.push(Waiting::Prefix(op, place)),
            Piece::Operand(operand) => operands.push(operand),
            Piece::Infix(op) => {
                let (power, right) = power(op);
                reduce(&mut operands, &mut waiting, power, right)?;
                waiting.push(Waiting::Infix(op));
            }
            Piece::Pipe(name, args, height, place) => {
                reduce(&mut operands, &mut waiting, PIPE_POWER, false)?;
                if let Some(left) = operands.pop() {
                    let whole = left.expr.span.to(place);
                    let height = left.height.max(height);
                    let kind = ExprKind::Pipe(left.boxed(), name, args);
                    operands.push(checked(Deep::new(kind, whole, height), place)?);
                }
            }
        }
    }
    reduce(&mut operands, &mut waiting, 0, false)?;
    // A chain starts with an operand, so one is left.
    let nowhere = Span::new(crate::source::FileId(0), 0, 0);
    let whole = operands.pop().ok_or(nowhere)?;
    let place = whole.expr.span;
    checked(whole, place)
}

/// Applies the waiting operators that bind more strongly than the one that comes.
fn reduce(
    operands: &mut Vec<Deep>,
    waiting: &mut Vec<Waiting>,
    coming: u8,
    right: bool,
) -> Result<(), Span> {
    while let Some(last) = waiting.last() {
        let held = match last {
            Waiting::Prefix(..) => PREFIX_POWER,
            Waiting::Infix(op) => power(*op).0,
        };
        if held < coming || (held == coming && right) {
            break;
        }
        let (Some(op), Some(b)) = (waiting.pop(), operands.pop()) else {
            break;
        };
        let built = match op {
            Waiting::Prefix(op, place) => {
                let (whole, height) = (place.to(b.expr.span), b.height);
                (
                    Deep::new(ExprKind::Unary(op, b.boxed()), whole, height),
                    place,
                )
            }
            Waiting::Infix(op) => {
                let Some(a) = operands.pop() else { break };
                let whole = a.expr.span.to(b.expr.span);
                let (height, place) = (a.height.max(b.height), b.expr.span);
                let kind = ExprKind::Binary(op, a.boxed(), b.boxed());
                (Deep::new(kind, whole, height), place)
            }
        };
        operands.push(checked(built.0, built.1)?);
    }
    Ok(())
}

fn checked(deep: Deep, place: Span) -> Result<Deep, Span> {
    if deep.height > DEEPEST {
        return Err(place);
    }
    Ok(deep)
}

/// `(a, b)` after a function's name, with the height of the tallest.
fn arguments<'a>(inner: P<'a, Deep>) -> P<'a, (Vec<Expr>, usize)> {
    in_parens(commas(inner)).map(split).boxed()
}

fn plain_name<'a>(source: Source<'a>) -> P<'a, Name> {
    accept(move |token| {
        let plain =
            token.kind == Kind::Name && !token.item && !EXPR_WORDS.contains(&source.of(token));
        plain.then(|| named(source, token))
    })
    .labelled("a name")
    .boxed()
}

/// `f` or `m.f`
fn dotted<'a>(source: Source<'a>) -> P<'a, Name> {
    plain_name(source)
        .then(
            tok(Kind::Dot)
                .labelled(OPERATOR)
                .ignore_then(plain_name(source))
                .or_not(),
        )
        .map(|(first, second)| match second {
            Some(second) => join(first, &second),
            None => first,
        })
        .boxed()
}

fn join(first: Name, second: &Name) -> Name {
    Name {
        text: format!("{}.{}", first.text, second.text),
        span: first.span.to(second.span),
    }
}

fn operand<'a>(
    source: Source<'a>,
    inner: P<'a, Deep>,
    args: P<'a, (Vec<Expr>, usize)>,
) -> P<'a, Deep> {
    let args = args.labelled(OPERATOR).boxed();
    let leaf = accept(move |token| {
        let kind = match token.kind {
            Kind::Number => {
                let text = source.of(token);
                ExprKind::Number(text.parse().unwrap_or(0.0), text.to_string())
            }
            Kind::Str => ExprKind::Str(source.value(token).text),
            Kind::Color => ExprKind::Color(color(source.of(token))),
            Kind::Name => match source.of(token) {
                "true" => ExprKind::Bool(true),
                "false" => ExprKind::Bool(false),
                _ => return None,
            },
            _ => return None,
        };
        Some(Deep::new(kind, token.span, 0))
    });
    let name =
        plain_name(source)
            .then(args.clone().or_not())
            .map_with(|(name, args), e| match args {
                Some((args, height)) => Deep::new(ExprKind::Call(name, args), span(e), height),
                None => Deep::new(ExprKind::Name(name.text), name.span, 0),
            });
    let round = inner
        .clone()
        .then(tok(Kind::Comma).ignore_then(inner.clone()).or_not())
        .delimited_by(tok(Kind::LParen), tok(Kind::RParen))
        .map_with(|(a, b), e| {
            let height = a.height.max(b.as_ref().map_or(0, |b| b.height));
            let kind = match b {
                Some(b) => ExprKind::Point(a.boxed(), b.boxed()),
                None => ExprKind::Paren(a.boxed()),
            };
            Deep::new(kind, span(e), height)
        });
    let list = commas(inner.clone())
        .delimited_by(tok(Kind::LBracket), tok(Kind::RBracket))
        .map_with(|all, e| {
            let (all, height) = split(all);
            Deep::new(ExprKind::List(all), span(e), height)
        });
    let atom = choice((
        leaf.boxed(),
        word!(source, "if")
            .ignore_then(conditional(source, inner.clone()))
            .map_with(respan)
            .boxed(),
        word!(source, "match")
            .ignore_then(matching(source, inner.clone()))
            .map_with(respan)
            .boxed(),
        word!(source, "let")
            .ignore_then(binding(source, inner))
            .map_with(respan)
            .boxed(),
        name.boxed(),
        round.boxed(),
        list.boxed(),
    ));
    let member = tok(Kind::Dot)
        .labelled(OPERATOR)
        .ignore_then(plain_name(source))
        .then(args.or_not())
        .map_with(|(name, args), e| (name, args, span(e)))
        .boxed();
    atom.boxed()
        .then(member.repeated().at_most(DEEPEST).collect::<Vec<_>>())
        .validate(|(mut base, members), _, emitter| {
            for (name, args, place) in members {
                let whole = base.expr.span.to(place);
                base = match (base.expr.kind, args) {
                    (ExprKind::Name(module), Some((args, height))) => {
                        let first = Name {
                            text: module,
                            span: base.expr.span,
                        };
                        Deep::new(ExprKind::Call(join(first, &name), args), whole, height)
                    }
                    (_, Some((args, height))) => {
                        emitter.emit(Fail::from(method(&name)));
                        Deep::new(ExprKind::Call(name, args), whole, height)
                    }
                    (kind, None) => {
                        let of = Expr {
                            kind,
                            span: base.expr.span,
                        };
                        Deep::new(ExprKind::Member(Box::new(of), name), whole, base.height)
                    }
                };
            }
            base
        })
        .boxed()
}

fn method(name: &Name) -> Diagnostic {
    Diagnostic::new(
        codes::E0105,
        name.span,
        format!("`{}` is called like a method", name.text),
        "only a module's function stands behind a point",
    )
    .help(format!(
        "write `x |> {}(...)` or `{}(x, ...)`",
        name.text, name.text
    ))
}

/// Gives an expression the span of all that was read for it.
fn respan<'a>(mut deep: Deep, e: &mut chumsky::input::MapExtra<'a, '_, Tokens<'a>, Extra>) -> Deep {
    deep.expr.span = span(e);
    deep
}

fn conditional<'a>(source: Source<'a>, inner: P<'a, Deep>) -> P<'a, Deep> {
    inner
        .clone()
        .then_ignore(word!(source, "then"))
        .then(inner.clone())
        .then_ignore(word!(source, "else"))
        .then(inner)
        .map(|((c, a), b)| {
            let height = c.height.max(a.height).max(b.height);
            let place = c.expr.span;
            Deep::new(ExprKind::If(c.boxed(), a.boxed(), b.boxed()), place, height)
        })
        .boxed()
}

fn binding<'a>(source: Source<'a>, inner: P<'a, Deep>) -> P<'a, Deep> {
    plain_name(source)
        .then_ignore(tok(Kind::Eq))
        .then(inner.clone())
        .then_ignore(word!(source, "in"))
        .then(inner)
        .map(|((name, a), b)| {
            let (height, place) = (a.height.max(b.height), name.span);
            Deep::new(ExprKind::Let(name, a.boxed(), b.boxed()), place, height)
        })
        .boxed()
}

fn matching<'a>(source: Source<'a>, inner: P<'a, Deep>) -> P<'a, Deep> {
    let arm = pattern(source)
        .then_ignore(arm_arrow())
        .then(inner.clone())
        .then_ignore(tok(Kind::Comma).or_not())
        .boxed();
    inner
        .then(
            members(arm, |rest| starts_arm(rest), |_| None)
                .delimited_by(tok(Kind::LBrace), tok(Kind::RBrace)),
        )
        .map(|(on, arms)| {
            let place = on.expr.span;
            let mut height = on.height;
            let arms = arms
                .into_iter()
                .map(|(pattern, body): (Pattern, Deep)| {
                    height = height.max(body.height);
                    MatchArm {
                        pattern,
                        body: body.expr,
                    }
                })
                .collect();
            Deep::new(ExprKind::Match(on.boxed(), arms), place, height)
        })
        .boxed()
}

/// `=>`; what other languages write in its place is reported and taken for it.
pub(super) fn arm_arrow<'a>() -> P<'a, Token> {
    let other = choice((tok(Kind::Eq), tok(Kind::Arrow), tok(Kind::Colon)))
        .validate(|token, _, emitter| {
            let shown = token.kind.shown();
            emitter.emit(Fail::from(
                Diagnostic::new(
                    codes::E0105,
                    token.span,
                    format!("an arm is written with `=>`, not {shown}"),
                    "",
                )
                .help("write `=>`")
                .fix(token.span, "=>"),
            ));
            token
        })
        .labelled("`=>`");
    tok(Kind::FatArrow).or(other).boxed()
}

/// Whether an arm may start here: a pattern, then `=>`.
pub(super) fn starts_arm(rest: &[Token]) -> bool {
    let kind = |at: usize| rest.get(at).map(|token| token.kind);
    let arrow = |at: usize| kind(at) == Some(Kind::FatArrow);
    match kind(0) {
        Some(Kind::Name | Kind::Str | Kind::Number) => arrow(1),
        Some(Kind::Minus) => kind(1) == Some(Kind::Number) && arrow(2),
        _ => false,
    }
}

fn pattern<'a>(source: Source<'a>) -> P<'a, Pattern> {
    let word = name(source, "a name").map(|name| {
        if name.text == "_" {
            PatternKind::Any
        } else {
            PatternKind::Name(name.text)
        }
    });
    let string = text(source, Kind::Str).map(|text| PatternKind::Str(text.text));
    let number = signed(source).map(|n| PatternKind::Number(n.value, n.text));
    choice((word, string, number))
        .labelled("a pattern")
        .map_with(|kind, e| Pattern {
            kind,
            span: span(e),
        })
        .boxed()
}

/// A type.
pub(super) fn ty<'a>(source: Source<'a>) -> P<'a, Type> {
    recursive(|inner| {
        let plain = name(source, "a type").map(|name| Type {
            kind: TypeKind::Name(name.text),
            span: name.span,
        });
        let list = deeper(inner.boxed())
            .delimited_by(tok(Kind::LBracket), tok(Kind::RBracket))
            .map_with(|inner, e| Type {
                kind: TypeKind::List(Box::new(inner)),
                span: span(e),
            });
        // `T??` is no type, so one mark is enough.
        choice((plain.boxed(), list.boxed()))
            .labelled("a type")
            .then(tok(Kind::Question).or_not())
            .map_with(|(inner, mark), e| match mark {
                None => inner,
                Some(_) => Type {
                    kind: TypeKind::Optional(Box::new(inner)),
                    span: span(e),
                },
            })
    })
    .boxed()
}

/// Red, green, blue and alpha of `#rrggbb` or `#rrggbbaa`; the lexer has checked the digits.
fn color(text: &str) -> [u8; 4] {
    let byte = |at: usize| {
        let digits = text.get(at..at + 2)?;
        u8::from_str_radix(digits, 16).ok()
    };
    [1, 3, 5, 7].map(|at| byte(at).unwrap_or(255))
}
