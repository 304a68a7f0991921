//! Expressions, patterns and types.
//!
//! Operands and operators are read as a flat list, then put into a tree by precedence without
//! recursion; so a long chain costs no stack here, and one that would make a tree deeper than
//! [`DEEPEST`] is reported instead of built.

use chumsky::prelude::*;

use super::base::*;
use super::fail::{Fail, OPERATOR};
use super::tree::{Deep, Piece, infix_op, split, tree};
use crate::diag::{Diagnostic, codes};
use crate::meta::ast::{
    Expr, ExprKind, MatchArm, Name, Pattern, PatternKind, Type, TypeKind, UnaryOp,
};
use crate::meta::brackets::{DEEPEST, too_deep};
use crate::meta::lexer::EXPR_WORDS;
use crate::meta::token::{Kind, Lead, Source, Token};

/// Pieces of a chain that are kept; one that long is too deep in all likelihood, and is said to be.
const LONGEST_CHAIN: usize = 1 << 13;

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
    // `-1 => ...` on a line of its own is the next arm, and `or: ...` the next rule.
    let infix = accept(move |token| {
        let op = infix_op(token.kind, source.of(token)).map(Piece::Infix);
        op.filter(|_| !matches!(token.lead, Lead::Arm | Lead::Rule))
    })
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

/// `(a, b)` after a function's name, with the height of the tallest.
fn arguments<'a>(inner: P<'a, Deep>) -> P<'a, (Vec<Expr>, usize)> {
    in_parens(commas(inner)).map(split).boxed()
}

fn plain_name<'a>(source: Source<'a>) -> P<'a, Name> {
    accept(move |token| {
        let plain =
            token.kind == Kind::Name && !token.item() && !EXPR_WORDS.contains(&source.of(token));
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
    // At the start of a line before `=>` and the like stands the next arm, not an operand.
    let operand_name = accept(move |token| {
        let plain = token.kind == Kind::Name
            && matches!(token.lead, Lead::Nothing | Lead::Perhaps)
            && !EXPR_WORDS.contains(&source.of(token));
        plain.then(|| named(source, token))
    });
    let name = operand_name
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
        .then(members(arm, starts_arm, |_| None).delimited_by(tok(Kind::LBrace), tok(Kind::RBrace)))
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
        Some(Kind::Name) if rest[0].first => {
            let mistaken = matches!(kind(1), Some(Kind::Eq | Kind::Arrow | Kind::Colon));
            arrow(1) || mistaken
        }
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
            .then(tok(Kind::Question).labelled(OPERATOR).or_not())
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
