//! Sorts: productions, their symbols, operator tables.

use chumsky::prelude::*;

use super::base::*;
use super::fail::{FIELD_SORT, Fail};
use crate::diag::{Diagnostic, codes};
use crate::meta::ast::{
    Field, Fixity, Name, Number, Production, Repeat, Sort, SortMember, Symbol, Table,
};
use crate::meta::lexer::TABLE_WORDS;
use crate::meta::token::{Kind, Lead, Source, Token};
use crate::source::Span;

/// `sort NAME { ... }` without its first word.
pub(super) fn sort<'a>(source: Source<'a>) -> P<'a, Sort> {
    name(source, "a name")
        .then(block(member(source)))
        .map(|(name, members)| Sort { name, members })
        .boxed()
}

/// `{ member* }`
fn block<'a, O: 'a>(member: P<'a, Option<O>>) -> P<'a, Vec<O>> {
    members(member, starts_member, |_| None)
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
fn starts_member(rest: &[Token]) -> bool {
    let [token, next, ..] = rest else {
        return false;
    };
    match token.kind {
        Kind::At => true,
        Kind::Name if next.kind == Kind::Eq || token.lead == Lead::Member => true,
        Kind::Name if token.first => match next.kind {
            Kind::Name => next.first,
            Kind::RBrace | Kind::At | Kind::FatArrow | Kind::Arrow | Kind::EqEq => true,
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
        .then(block(operators))
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
    Cost(Number, Span),
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
        word!(source, "cost")
            .ignore_then(in_parens(number(source)))
            .map_with(|n, e| Attribute::Cost(n, span(e)))
            .boxed(),
    )));
    let symbols = symbol(source).repeated().collect::<Vec<_>>().boxed();
    let mistaken = mistaken_equals(source).then(symbols.clone());
    let named = choice((
        mistaken.map(|(name, symbols)| (name, Some(symbols))),
        production_name(source).then(tok(Kind::Eq).ignore_then(symbols).or_not()),
    ));
    attribute
        .labelled("a production")
        .repeated()
        .collect::<Vec<_>>()
        .then(named)
        .validate(|(attributes, (name, symbols)), e, emitter| {
            let (mut primitive, mut weight, mut cost) = (None, None, None);
            for attribute in attributes {
                let (twice, place, word) = match attribute {
                    Attribute::Primitive(place) => {
                        (primitive.replace(place).is_some(), place, "primitive")
                    }
                    Attribute::Weight(w, place) => (weight.replace(w).is_some(), place, "weight"),
                    Attribute::Cost(n, place) => (cost.replace(n).is_some(), place, "cost"),
                };
                if twice {
                    emitter.emit(Fail::from(said_twice(place, &format!("@{word}"))));
                }
            }
            Production {
                docs: Vec::new(),
                primitive,
                weight,
                cost,
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

/// A word that starts a table names a production only before `=`.
fn production_name<'a>(source: Source<'a>) -> P<'a, Name> {
    peeked(move |rest| match rest {
        [token, next, ..] if token.kind == Kind::Name && !token.item() => {
            let table = TABLE_WORDS.contains(&source.of(*token));
            (!table || next.kind == Kind::Eq).then(|| named(source, *token))
        }
        _ => None,
    })
    .labelled("a production")
    .boxed()
}

/// A production's name at the start of a line, and what other languages write for `=`.
fn mistaken_equals<'a>(source: Source<'a>) -> P<'a, Name> {
    let first = accept(move |token| {
        let fits = token.kind == Kind::Name && token.first && !token.item();
        fits.then(|| named(source, token))
    });
    let colons = tok(Kind::Colon)
        .then_ignore(tok(Kind::Colon).or_not())
        .then_ignore(tok(Kind::Eq).or_not());
    let wrong = choice((
        tok(Kind::Arrow).boxed(),
        tok(Kind::FatArrow).boxed(),
        tok(Kind::EqEq).boxed(),
        colons.boxed(),
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
    first.labelled("a production").then_ignore(wrong).boxed()
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
    // In `r: x:Coord` the sort of `r` is missing, and so it is before the next production.
    let sort = peeked(move |rest| match rest {
        [token, next, ..] => {
            let fits = token.kind == Kind::Name
                && !matches!(token.lead, Lead::Item | Lead::Member)
                && !matches!(next.kind, Kind::Colon | Kind::Eq);
            fits.then(|| named(source, *token))
        }
        _ => None,
    });
    name(source, "a field")
        .then_ignore(tok(Kind::Colon))
        .then(sort.labelled(FIELD_SORT))
        .boxed()
}

/// `name Sort` followed by more of a production's syntax: its colon is missing.
fn missing_colon<'a>(source: Source<'a>) -> P<'a, (Name, Name)> {
    use Kind::{Colon, Name as Word, Plus, Question, Star, Str, Tilde};
    let field = peeked(move |rest| {
        let kinds: Vec<Kind> = rest.iter().take(4).map(|token| token.kind).collect();
        let more = matches!(
            kinds[..],
            [Word, Word, Str | Tilde | Star | Plus | Question, ..] | [Word, Word, Word, Colon]
        );
        let [first, second, ..] = rest else {
            return None;
        };
        let fits = more && !second.first && source.of(*first) != "sep";
        fits.then(|| named(source, *first))
    });
    field
        .then(name(source, FIELD_SORT))
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
    // A production called `sep` would stand before `=` or on its own line.
    let without = peeked(move |rest| match rest {
        [sep, next, ..] => {
            let fits = sep.kind == Kind::Name
                && source.of(*sep) == "sep"
                && !sep.first
                && next.kind != Kind::Eq;
            fits.then_some(*next)
        }
        _ => None,
    })
    .validate(move |next: Token, _, emitter| {
        let found = source.of(next);
        emitter.emit(Fail::from(
            Diagnostic::new(
                codes::E0107,
                next.span,
                format!("expected a string after `sep`, found `{found}`"),
                "not expected here",
            )
            .help("such as `sep \",\"`"),
        ));
    });
    let separator = word!(source, "sep").ignore_then(text(source, Kind::Str));
    let separator = separator.map(Some).or(without.to(None)).boxed();
    // `@weight` of the next production is none of ours: that one stands on its own line.
    let weight = accept(|token| (!token.first).then_some(()))
        .rewind()
        .ignore_then(weight(source));
    let many = many
        .labelled("`*`")
        .then(separator.or_not())
        .then(weight.or_not())
        .map(|((min, separator), weight)| Repeat::Many {
            min,
            separator: separator.flatten(),
            weight,
        });
    let optional = tok(Kind::Question).to(Repeat::Optional);
    many.boxed().or(optional).boxed()
}
