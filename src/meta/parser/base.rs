//! What every part of the parser is made of: single tokens, names, numbers, lists, and recovery.

use chumsky::input::{Checkpoint, Cursor, MapExtra};
use chumsky::inspector::Inspector;
use chumsky::prelude::*;

use super::fail::Fail;
use crate::diag::Diagnostic;
use crate::meta::ast::{Name, Number, Range, Text};
use crate::meta::brackets::{DEEPEST, too_deep};
use crate::meta::lexer::MOST_ERRORS;
use crate::meta::token::{Kind, Source, Token};
use crate::source::Span;

pub(super) type Tokens<'a> = &'a [Token];
pub(super) type Extra = extra::Full<Fail, State, ()>;
pub(super) type P<'a, O> = Boxed<'a, 'a, Tokens<'a>, O, Extra>;

/// What the parser remembers beside its position.
#[derive(Default)]
pub(super) struct State {
    /// How deeply the expression or type at hand is nested. Follows backtracking.
    depth: usize,
    /// How often reading resumed after a mistake.
    resumed: usize,
}

impl<'a> Inspector<'a, Tokens<'a>> for State {
    type Checkpoint = usize;

    fn on_token(&mut self, _: &Token) {}

    fn on_save<'parse>(&self, _: &Cursor<'a, 'parse, Tokens<'a>>) -> usize {
        self.depth
    }

    fn on_rewind<'parse>(&mut self, to: &Checkpoint<'a, 'parse, Tokens<'a>, usize>) {
        self.depth = *to.inspector();
    }
}

/// The span of what a parser has read.
pub(super) fn span<'a>(e: &mut MapExtra<'a, '_, Tokens<'a>, Extra>) -> Span {
    span_of(e.slice())
}

/// The span of tokens; `tokens` is never empty where this is used.
pub(super) fn span_of(tokens: &[Token]) -> Span {
    match tokens {
        [first, .., last] => first.span.to(last.span),
        [only] => only.span,
        [] => Span::new(crate::source::FileId(0), 0, 0),
    }
}

/// A token for which `read` gives something.
pub(super) fn accept<'a, O: 'a>(
    read: impl Fn(Token) -> Option<O> + Clone + 'a,
) -> impl Parser<'a, Tokens<'a>, O, Extra> + Clone + 'a {
    chumsky::primitive::select(move |token: Token, _| read(token))
}

/// A token for which `read` gives something, seeing also what comes after it.
pub(super) fn peeked<'a, O: 'a>(read: impl Fn(&[Token]) -> Option<O> + Clone + 'a) -> P<'a, O> {
    custom(move |inp: &mut Input<'a, '_>| {
        let here = inp.cursor();
        let rest: &[Token] = inp.slice_from(&here..);
        let found = read(rest).ok_or_else(|| Fail::at(*here.inner()))?;
        inp.skip();
        Ok(found)
    })
    .boxed()
}

/// A token of that kind.
pub(super) fn tok<'a>(kind: Kind) -> P<'a, Token> {
    accept(move |token| (token.kind == kind).then_some(token))
        .labelled(kind.shown())
        .boxed()
}

/// A word in its place as a keyword. `shown` is how messages speak of it.
pub(super) fn keyword<'a>(
    source: Source<'a>,
    word: &'static str,
    shown: &'static str,
) -> P<'a, Token> {
    accept(move |token| (token.kind == Kind::Name && source.of(token) == word).then_some(token))
        .labelled(shown)
        .boxed()
}

/// A keyword inside a declaration, which a word that starts the next one is not.
pub(super) fn inner_keyword<'a>(
    source: Source<'a>,
    word: &'static str,
    shown: &'static str,
) -> P<'a, Token> {
    accept(move |token| {
        (token.kind == Kind::Name && !token.item() && source.of(token) == word).then_some(token)
    })
    .labelled(shown)
    .boxed()
}

macro_rules! word {
    ($source:expr, $word:literal) => {
        $crate::meta::parser::base::inner_keyword($source, $word, concat!("`", $word, "`"))
    };
}
pub(super) use word;

/// A name. A word that starts a declaration is none: the name is missing then.
pub(super) fn name<'a>(source: Source<'a>, shown: &'static str) -> P<'a, Name> {
    accept(move |token| (token.kind == Kind::Name && !token.item()).then(|| named(source, token)))
        .labelled(shown)
        .boxed()
}

pub(super) fn named(source: Source<'_>, token: Token) -> Name {
    Name {
        text: source.of(token).to_string(),
        span: token.span,
    }
}

/// A string, quote or regular expression.
pub(super) fn text<'a>(source: Source<'a>, kind: Kind) -> P<'a, Text> {
    tok(kind).map(move |token| source.value(token)).boxed()
}

fn number_at(source: Source<'_>, token: Token, minus: Option<Token>) -> Number {
    let digits = source.of(token);
    let value = digits.parse().unwrap_or(0.0);
    match minus {
        None => Number {
            text: digits.to_string(),
            value,
            span: token.span,
        },
        Some(minus) => Number {
            text: format!("-{digits}"),
            value: -value,
            span: minus.span.to(token.span),
        },
    }
}

/// A number without a sign.
pub(super) fn number<'a>(source: Source<'a>) -> P<'a, Number> {
    tok(Kind::Number)
        .map(move |token| number_at(source, token, None))
        .boxed()
}

/// A number that may have a minus sign.
pub(super) fn signed<'a>(source: Source<'a>) -> P<'a, Number> {
    tok(Kind::Minus)
        .or_not()
        .then(tok(Kind::Number))
        .map(move |(minus, token)| number_at(source, token, minus))
        .labelled("a number")
        .boxed()
}

/// A number of digits alone.
pub(super) fn whole<'a>(source: Source<'a>) -> P<'a, Number> {
    accept(move |token| {
        let digits = source.of(token).bytes().all(|b| b.is_ascii_digit());
        (token.kind == Kind::Number && digits).then(|| number_at(source, token, None))
    })
    .labelled("a whole number")
    .boxed()
}

/// `..=` (true) or `..`.
pub(super) fn dots<'a>() -> P<'a, bool> {
    accept(|token| match token.kind {
        Kind::DotDotEq => Some(true),
        Kind::DotDot => Some(false),
        _ => None,
    })
    .labelled("`..=`")
    .boxed()
}

/// `lo ..= hi` or `lo .. hi`.
pub(super) fn range<'a>(source: Source<'a>) -> P<'a, Range> {
    signed(source)
        .then(dots())
        .then(signed(source))
        .map_with(|((lo, inclusive), hi), e| Range {
            lo,
            hi,
            inclusive,
            span: span(e),
        })
        .boxed()
}

/// `@weight(w)`
pub(super) fn weight<'a>(source: Source<'a>) -> P<'a, Number> {
    tok(Kind::At)
        .then(word!(source, "weight"))
        .ignore_then(in_parens(number(source)))
        .boxed()
}

pub(super) fn in_parens<'a, O: 'a>(inner: P<'a, O>) -> P<'a, O> {
    inner
        .delimited_by(tok(Kind::LParen), tok(Kind::RParen))
        .boxed()
}

/// `inner, inner, ...` with a last comma allowed.
pub(super) fn commas<'a, O: 'a>(inner: P<'a, O>) -> P<'a, Vec<O>> {
    inner
        .separated_by(tok(Kind::Comma))
        .allow_trailing()
        .collect()
        .boxed()
}

/// Counts a level of nesting around `inner`; a level too many is a mistake.
pub(super) fn deeper<'a, O: 'a>(inner: P<'a, O>) -> P<'a, O> {
    any()
        .rewind()
        .try_map_with(
            |token: Token, e: &mut MapExtra<'a, '_, Tokens<'a>, Extra>| {
                e.state().depth += 1;
                if e.state().depth > DEEPEST {
                    return Err(Fail::from(too_deep(token.span)));
                }
                Ok(())
            },
        )
        .ignore_then(inner)
        .map_with(|out, e: &mut MapExtra<'a, '_, Tokens<'a>, Extra>| {
            e.state().depth -= 1;
            out
        })
        .boxed()
}

/// Reports a mistake in what `parser` reads and goes on as if it were right.
pub(super) fn mistaken<'a, O: 'a>(
    parser: P<'a, O>,
    say: impl Fn(&O, Span) -> Diagnostic + Clone + 'a,
) -> P<'a, O> {
    parser
        .validate(move |out, e, emitter| {
            emitter.emit(Fail::from(say(&out, span(e))));
            out
        })
        .boxed()
}

/// Reads `member` as often as it stands there. After a mistake reading resumes where `resumes`
/// says that the rest may start a member, or at the end of the block; `lost` stands for what was
/// passed over.
pub(super) fn members<'a, O: 'a>(
    member: P<'a, O>,
    resumes: impl Fn(&[Token]) -> bool + Clone + 'a,
    lost: impl Fn(Span) -> Option<O> + Clone + 'a,
) -> P<'a, Vec<O>> {
    let skip = custom(move |inp| pass_over(inp, &resumes)).map_with(move |(), e| lost(span(e)));
    member
        .map(Some)
        .recover_with(via_parser(skip))
        .repeated()
        .collect::<Vec<_>>()
        .map(|all| all.into_iter().flatten().collect())
        .boxed()
}

type Input<'a, 'parse> = chumsky::input::InputRef<'a, 'parse, Tokens<'a>, Extra>;

/// Passes over at least one token, or fails at the end of the block.
fn pass_over(inp: &mut Input<'_, '_>, resumes: &impl Fn(&[Token]) -> bool) -> Result<(), Fail> {
    let here = inp.cursor();
    let rest: &[Token] = inp.slice_from(&here..);
    let mut passed = 0;
    let mut depth = 0usize;
    while let Some(token) = rest.get(passed) {
        if depth == 0 {
            if token.kind == Kind::End || token.kind.closes() {
                break;
            }
            let worth_it = inp.state().resumed < MOST_ERRORS;
            if passed > 0 && worth_it && resumes(&rest[passed..]) {
                break;
            }
        }
        if token.kind.closer().is_some() {
            depth += 1;
        } else if token.kind.closes() {
            depth -= 1;
        }
        passed += 1;
    }
    if passed == 0 {
        return Err(Fail::default());
    }
    for _ in 0..passed {
        inp.skip();
    }
    inp.state().resumed += 1;
    Ok(())
}
