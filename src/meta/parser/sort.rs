//! Sorts: productions, their symbols, operator tables.

use chumsky::prelude::*;

use super::base::*;
use super::fail::{FIELD_SORT, Fail};
use crate::diag::{Diagnostic, codes};
use crate::meta::ast::{
    Field, Fixity, Name, Number, Production, Repeat, Sort, SortMember, Symbol, Table,
};
use crate::meta::token::{Kind, Source, Token};
use crate::source::Span;

/// `sort NAME { ... }` without its first word.
pub(super) fn sort<'a>(source: Source<'a>) -> P<'a, Sort> {
    name(source, "a name")
        .then(block(source, member(source)))
        .map(|(name, members)| Sort { name, members })
        .boxed()
}

/// `{ member* }`
fn block<'a, O: 'a>(source: Source<'a>, member: P<'a, Option<O>>) -> P<'a, Vec<O>> {
    members(member, move |rest| starts_member(source, rest), |_| None)
        .map(|all| all.into_iter().flatten().collect())
        .delimited_by(tok(Kind::LBrace), tok(Kind::RBrace))
        .boxed()
}

fn member<'a>(source: Source<'a>) -> P<'a, Option<SortMember>> {
    choice((
        table(source).map(SortMember::Table).map(Some).boxed(),
        production(source)
            .map(SortMember::Production)
            .map(Some)
            .boxed(),
        separator().to(None).boxed(),
    ))
    .boxed()
}

/// `,` or `|` between productions, which are written without.
fn separator<'a>() -> P<'a, Token> {
    let either = accept(|token| matches!(token.kind, Kind::Comma | Kind::Bar).then_some(token))
        .labelled("a production");
    mistaken(either.boxed(), |token, place| {
        Diagnostic::new(
            codes::E0105,
            place,
            format!(
                "productions stand one after the other, without {}",
                token.kind.shown()
            ),
            "",
        )
        .help("leave it out")
        .fix(place, "")
    })
}

/// Whether a production or table may start here: its name is followed by `=`, or starts a line and
/// is not a field's.
fn starts_member(source: Source<'_>, rest: &[Token]) -> bool {
    let [token, next, ..] = rest else {
        return false;
    };
    match token.kind {
        Kind::At => true,
        Kind::Name if next.kind == Kind::Eq => true,
        Kind::Name if token.first => match next.kind {
            Kind::Name => next.first || ["infix", "prefix", "postfix"].contains(&source.of(*token)),
            Kind::RBrace | Kind::At | Kind::FatArrow | Kind::Arrow | Kind::LBrace => true,
            _ => false,
        },
        _ => false,
    }
}

fn table<'a>(source: Source<'a>) -> P<'a, Table> {
    let side = choice((
        word!(source, "left").to(Fixity::InfixLeft),
        word!(source, "right").to(Fixity::InfixRight),
        word!(source, "none").to(Fixity::InfixNone),
    ));
    let fixity = choice((
        word!(source, "infix").ignore_then(side).boxed(),
        word!(source, "prefix").to(Fixity::Prefix).boxed(),
        word!(source, "postfix").to(Fixity::Postfix).boxed(),
    ));
    let operators = choice((
        production(source).map(Some).boxed(),
        separator().to(None).boxed(),
    ))
    .boxed();
    fixity
        .labelled("a production")
        .then(block(source, operators))
        .map_with(|(fixity, productions), e| Table {
            fixity,
            productions,
            span: span(e),
        })
        .boxed()
}

#[derive(Clone)]
enum Attribute {
    Primitive(Span),
    Weight(Number, Span),
}

fn production<'a>(source: Source<'a>) -> P<'a, Production> {
    let attribute = tok(Kind::At).ignore_then(choice((
        word!(source, "primitive")
            .map_with(|_, e| Attribute::Primitive(span(e)))
            .boxed(),
        word!(source, "weight")
            .ignore_then(in_parens(number(source)))
            .map_with(|w, e| Attribute::Weight(w, span(e)))
            .boxed(),
    )));
    let symbols = equals().ignore_then(symbol(source).repeated().collect::<Vec<_>>());
    attribute
        .labelled("a production")
        .repeated()
        .collect::<Vec<_>>()
        .then(name(source, "a production"))
        .then(symbols.or_not())
        .validate(|((attributes, name), symbols), e, emitter| {
            let (mut primitive, mut weight) = (None, None);
            for attribute in attributes {
                let (twice, place, word) = match attribute {
                    Attribute::Primitive(place) => {
                        (primitive.replace(place).is_some(), place, "primitive")
                    }
                    Attribute::Weight(w, place) => (weight.replace(w).is_some(), place, "weight"),
                };
                if twice {
                    emitter.emit(Fail::from(said_twice(place, &format!("@{word}"))));
                }
            }
            Production {
                docs: Vec::new(),
                primitive,
                weight,
                name,
                symbols: symbols.unwrap_or_default(),
                span: span(e),
            }
        })
        .boxed()
}

fn said_twice(place: Span, what: &str) -> Diagnostic {
    Diagnostic::new(
        codes::E0109,
        place,
        format!("`{what}` is said twice"),
        "the second time",
    )
    .help("leave one out")
}

/// `=`; what other languages write in its place is reported and taken for it.
fn equals<'a>() -> P<'a, Token> {
    let wrong = choice((
        tok(Kind::Arrow).boxed(),
        tok(Kind::FatArrow).boxed(),
        tok(Kind::Colon)
            .then_ignore(tok(Kind::Colon).or_not())
            .then_ignore(tok(Kind::Eq).or_not())
            .boxed(),
    ));
    let wrong = mistaken(wrong.labelled("`=`").boxed(), |_, place| {
        Diagnostic::new(
            codes::E0105,
            place,
            "a production's syntax stands after `=`",
            "",
        )
        .help("write `=`")
        .fix(place, "=")
    });
    tok(Kind::Eq).or(wrong).boxed()
}

fn symbol<'a>(source: Source<'a>) -> P<'a, Symbol> {
    choice((
        text(source, Kind::Str).map(Symbol::Literal).boxed(),
        tok(Kind::Tilde)
            .map(|token| Symbol::Glue(token.span))
            .boxed(),
        field(source).map(Symbol::Field).boxed(),
    ))
    .boxed()
}

fn field<'a>(source: Source<'a>) -> P<'a, Field> {
    let lead = choice((colon_field(source), missing_colon(source)));
    lead.then(repeat(source).or_not())
        .map_with(|((name, of), repeat), e| Field {
            name,
            of,
            repeat: repeat.unwrap_or(Repeat::One),
            span: span(e),
        })
        .boxed()
}

/// `name:Sort`
fn colon_field<'a>(source: Source<'a>) -> P<'a, (Name, Name)> {
    // In `r: x:Coord` the sort of `r` is missing.
    let sort = custom(
        move |inp: &mut chumsky::input::InputRef<'a, '_, Tokens<'a>, Extra>| {
            let here = inp.cursor();
            let rest: &[Token] = inp.slice_from(&here..);
            match rest {
                [token, next, ..]
                    if token.kind == Kind::Name && !token.item && next.kind != Kind::Colon =>
                {
                    let found = named(source, *token);
                    inp.skip();
                    Ok(found)
                }
                _ => Err(Fail::at(*here.inner())),
            }
        },
    )
    .labelled(FIELD_SORT);
    name(source, "a field")
        .then_ignore(tok(Kind::Colon))
        .then(sort)
        .boxed()
}

/// `name Sort` followed by more of a production's syntax: its colon is missing.
fn missing_colon<'a>(source: Source<'a>) -> P<'a, (Name, Name)> {
    let looks_so = any()
        .repeated()
        .exactly(4)
        .collect::<Vec<Token>>()
        .rewind()
        .try_map(|next, _| {
            let kinds: Vec<Kind> = next.iter().map(|token| token.kind).collect();
            let same_line = next.get(1).is_some_and(|second| !second.first);
            let more = match kinds[..] {
                [
                    Kind::Name,
                    Kind::Name,
                    Kind::Str | Kind::Tilde | Kind::Star | Kind::Plus | Kind::Question,
                    _,
                ] => true,
                [Kind::Name, Kind::Name, Kind::Name, Kind::Colon] => true,
                _ => false,
            };
            if same_line && more {
                Ok(())
            } else {
                Err(Fail::default())
            }
        });
    looks_so
        .ignore_then(name(source, "a field").then(name(source, FIELD_SORT)))
        .validate(|(field, of), _, emitter| {
            let gap = Span {
                start: field.span.end,
                end: of.span.start,
                ..field.span
            };
            let mended = format!("{}:{}", field.text, of.text);
            emitter.emit(Fail::from(
                Diagnostic::new(
                    codes::E0107,
                    gap,
                    format!(
                        "expected `:` between the field `{}` and its sort",
                        field.text
                    ),
                    "",
                )
                .help(format!("write `{mended}`"))
                .fix(field.span.to(of.span), mended),
            ));
            (field, of)
        })
        .boxed()
}

fn repeat<'a>(source: Source<'a>) -> P<'a, Repeat> {
    let many = accept(|token| match token.kind {
        Kind::Star => Some(0u8),
        Kind::Plus => Some(1),
        _ => None,
    });
    let separator = word!(source, "sep").ignore_then(text(source, Kind::Str));
    // `@weight` of the next production is none of ours: that one stands on its own line.
    let weight = any()
        .filter(|token: &Token| !token.first)
        .rewind()
        .ignore_then(weight(source));
    let many = many
        .labelled("`*`")
        .then(separator.or_not())
        .then(weight.or_not())
        .map(|((min, separator), weight)| Repeat::Many {
            min,
            separator,
            weight,
        });
    let optional = tok(Kind::Question).to(Repeat::Optional);
    many.boxed().or(optional).boxed()
}
