//! Declarations.

use chumsky::prelude::*;

use super::base::*;
use super::expr::{arm_arrow, expr, starts_arm, ty};
use super::fail::{DOMAIN, Fail, ITEM};
use super::sort::sort;
use crate::diag::{Diagnostic, codes};
use crate::meta::ast::{
    Canvas, Domain, Draw, DrawArm, Example, Extends, FiniteValue, Fn, Goal, Item, ItemKind, Kernel,
    Mutate, Observe, Path, Range, Rewrite, Rule, Sample, Token as TokenItem, Use, UseWhat,
};
use crate::meta::token::{Kind, Lead, Source, Token};

/// All declarations of a file.
pub(super) fn items<'a>(source: Source<'a>) -> P<'a, Vec<Item>> {
    members(
        item(source),
        |rest| {
            matches!(
                rest.first().map(|token| token.lead),
                Some(Lead::Item | Lead::Perhaps)
            )
        },
        |span| {
            Some(Item {
                docs: Vec::new(),
                kind: ItemKind::Error,
                span,
            })
        },
    )
    .then_ignore(tok(Kind::End).labelled(ITEM))
    .boxed()
}

macro_rules! head {
    ($source:expr, $word:literal) => {
        keyword($source, $word, concat!("`", $word, "`"))
    };
}

fn item<'a>(source: Source<'a>) -> P<'a, Item> {
    let any_name = || name(source, "a name");
    choice((
        choice((
            head!(source, "language")
                .ignore_then(any_name())
                .map(ItemKind::Language)
                .boxed(),
            head!(source, "use")
                .ignore_then(import(source))
                .map(ItemKind::Use)
                .boxed(),
            head!(source, "extends")
                .ignore_then(extends(source))
                .map(ItemKind::Extends)
                .boxed(),
            head!(source, "start")
                .ignore_then(name(source, "a sort"))
                .map(ItemKind::Start)
                .boxed(),
            head!(source, "canvas")
                .ignore_then(canvas(source))
                .map(ItemKind::Canvas)
                .boxed(),
            head!(source, "goal")
                .ignore_then(goal(source))
                .map(ItemKind::Goal)
                .boxed(),
            head!(source, "sample")
                .ignore_then(sample(source))
                .map(ItemKind::Sample)
                .boxed(),
            head!(source, "mutate")
                .ignore_then(mutate(source))
                .map(ItemKind::Mutate)
                .boxed(),
            head!(source, "size")
                .ignore_then(size(source))
                .map(ItemKind::Size)
                .boxed(),
        ))
        .boxed(),
        choice((
            head!(source, "observe")
                .ignore_then(observe(source))
                .map(ItemKind::Observe)
                .boxed(),
            head!(source, "token")
                .ignore_then(token(source))
                .map(ItemKind::Token)
                .boxed(),
            head!(source, "sort")
                .ignore_then(sort(source))
                .map(ItemKind::Sort)
                .boxed(),
            head!(source, "draw")
                .ignore_then(draw(source))
                .map(ItemKind::Draw)
                .boxed(),
            function(source).map(ItemKind::Fn).boxed(),
            head!(source, "rewrite")
                .ignore_then(rewrite(source))
                .map(ItemKind::Rewrite)
                .boxed(),
            head!(source, "example")
                .ignore_then(example(source))
                .map(ItemKind::Example)
                .boxed(),
        ))
        .boxed(),
    ))
    .labelled(ITEM)
    .map_with(|kind, e| Item {
        docs: Vec::new(),
        kind,
        span: span(e),
    })
    .boxed()
}

/// `std.shape` or `./mine`; a single bare name is for the caller to judge.
fn path<'a>(source: Source<'a>) -> P<'a, Path> {
    let file = tok(Kind::Path).map(move |token| Path {
        // With its ending it has been reported.
        text: source.of(token).trim_end_matches(".tdg").to_string(),
        span: token.span,
    });
    let names = name(source, "a path")
        .separated_by(tok(Kind::Dot))
        .at_least(1)
        .collect::<Vec<_>>()
        .map_with(|names, e| Path {
            text: names
                .iter()
                .map(|name| name.text.as_str())
                .collect::<Vec<_>>()
                .join("."),
            span: span(e),
        });
    file.or(names).labelled("a path").boxed()
}

fn import<'a>(source: Source<'a>) -> P<'a, Use> {
    let one = name(source, "a name").then(
        word!(source, "as")
            .ignore_then(name(source, "a name"))
            .or_not(),
    );
    let names = tok(Kind::Dot)
        .ignore_then(commas(one.boxed()).delimited_by(tok(Kind::LBrace), tok(Kind::RBrace)))
        .map(UseWhat::Names);
    let module = word!(source, "as")
        .ignore_then(name(source, "a name"))
        .map(UseWhat::Module);
    path(source)
        .try_map(|path, _| match path.text.as_str() {
            "std" => Err(Fail::from(bare_path(&path, ""))),
            _ => Ok(path),
        })
        .validate(|mut path, _, emitter| {
            if !path.text.starts_with("std.") && !path.text.starts_with('.') {
                let mended = format!("./{}", path.text.replace('.', "/"));
                emitter.emit(Fail::from(bare_path(&path, &mended)));
                path.text = mended;
            }
            path
        })
        .then(names.boxed().or(module.boxed()).or_not())
        .map(|(path, what)| Use {
            path,
            what: what.unwrap_or(UseWhat::Plain),
        })
        .boxed()
}

fn bare_path(path: &Path, mended: &str) -> Diagnostic {
    let error = Diagnostic::new(
        codes::E0107,
        path.span,
        format!("expected a path after `use`, found `{}`", path.text),
        "this is neither in `std.` nor a file",
    );
    if path.text == "std" {
        return error.help("name a module of the standard library, such as `std.shape`");
    }
    error
        .help(format!("for a file beside this one write `{mended}`"))
        .fix(path.span, mended)
}

fn extends<'a>(source: Source<'a>) -> P<'a, Extends> {
    let without = word!(source, "without").ignore_then(
        name(source, "a production")
            .separated_by(tok(Kind::Comma))
            .at_least(1)
            .allow_trailing()
            .collect(),
    );
    path(source)
        .then(without.or_not())
        .map(|(base, without)| Extends {
            base,
            without: without.unwrap_or_default(),
        })
        .boxed()
}

fn canvas<'a>(source: Source<'a>) -> P<'a, Canvas> {
    let background = word!(source, "on").ignore_then(expr(source));
    let paint = choice((
        word!(source, "ink").to(None).boxed(),
        word!(source, "rgb")
            .ignore_then(background.or_not())
            .map(Some)
            .boxed(),
    ));
    let centred = tok(Kind::Comma).ignore_then(word!(source, "centred"));
    whole(source)
        .then_ignore(word!(source, "x"))
        .then(whole(source))
        .then(paint)
        .then(centred.or_not())
        .map(|(((width, height), rgb), centred)| Canvas {
            width,
            height,
            rgb,
            centred: centred.is_some(),
        })
        .boxed()
}

fn goal<'a>(source: Source<'a>) -> P<'a, Goal> {
    let iou = word!(source, "iou")
        .then(tok(Kind::Ge))
        .ignore_then(number(source))
        .map(Goal::Iou);
    let pixels = word!(source, "pixels")
        .then(word!(source, "within"))
        .ignore_then(number(source))
        .then_ignore(word!(source, "share"))
        .then(number(source))
        .map(|(within, share)| Goal::Pixels { within, share });
    iou.boxed().or(pixels.boxed()).boxed()
}

fn sample<'a>(source: Source<'a>) -> P<'a, Sample> {
    let frontier = word!(source, "frontier").map_with(|_, e| span(e));
    let window = word!(source, "size").ignore_then(range(source));
    let by_weight = word!(source, "by")
        .then(word!(source, "weight"))
        .map_with(|_, e| span(e));
    frontier
        .or_not()
        .then(window.or_not())
        .then(by_weight.or_not())
        .map(|((frontier, window), by_weight)| Sample {
            frontier,
            window,
            by_weight,
        })
        .boxed()
}

fn mutate<'a>(source: Source<'a>) -> P<'a, Mutate> {
    let small = word!(source, "small").ignore_then(whole(source));
    let by = word!(source, "by").ignore_then(one_of_words(
        source,
        &["size", "rule", "node"],
        "`size`, `rule` or `node`",
    ));
    small
        .or_not()
        .then(by.or_not())
        .map(|(small, by)| Mutate { small, by })
        .boxed()
}

fn one_of_words<'a>(
    source: Source<'a>,
    words: &'static [&'static str],
    shown: &'static str,
) -> P<'a, crate::meta::ast::Name> {
    accept(move |token| {
        let fits = token.kind == Kind::Name && !token.item() && words.contains(&source.of(token));
        fits.then(|| named(source, token))
    })
    .labelled(shown)
    .boxed()
}

fn size<'a>(source: Source<'a>) -> P<'a, crate::meta::ast::Name> {
    one_of_words(
        source,
        &["primitives", "nodes", "depth"],
        "`primitives`, `nodes` or `depth`",
    )
}

fn observe<'a>(source: Source<'a>) -> P<'a, Observe> {
    let value = signed(source)
        .then(dots().then(signed(source)).or_not())
        .map_with(|(lo, rest), e| {
            let (inclusive, hi) = rest.unwrap_or_else(|| (true, lo.clone()));
            Range {
                lo,
                hi,
                inclusive,
                span: span(e),
            }
        });
    let setting = name(source, "a setting")
        .then_ignore(tok(Kind::Colon))
        .then(value);
    name(source, "an observation model")
        .then(in_parens(commas(setting.boxed())))
        .map(|(model, settings)| Observe { model, settings })
        .boxed()
}

fn token<'a>(source: Source<'a>) -> P<'a, TokenItem> {
    let numbers = number(source)
        .separated_by(tok(Kind::Comma))
        .allow_trailing()
        .collect::<Vec<_>>()
        .boxed();
    let kernel = tok(Kind::Tilde)
        .ignore_then(name(source, "a kernel"))
        .then(in_parens(numbers).or_not())
        .map(|(name, args)| Kernel {
            name,
            args: args.unwrap_or_default(),
        });
    name(source, "a name")
        .then_ignore(tok(Kind::Eq))
        .then(domain(source))
        .then(kernel.or_not())
        .map(|((name, domain), kernel)| TokenItem {
            name,
            domain,
            kernel,
        })
        .boxed()
}

fn domain<'a>(source: Source<'a>) -> P<'a, Domain> {
    let step = || word!(source, "step").ignore_then(number(source));
    let int = range(source)
        .then(step().or_not())
        .map(|(range, step)| Domain::Int { range, step });
    let real = word!(source, "real")
        .ignore_then(range(source))
        .then(step())
        .map(|(range, step)| Domain::Real { range, step });
    let value = text(source, Kind::Str)
        .then(tok(Kind::Arrow).ignore_then(expr(source)).or_not())
        .then(weight(source).or_not())
        .map(|((text, value), weight)| FiniteValue {
            text,
            value,
            weight,
        });
    let finite = value
        .separated_by(tok(Kind::Bar))
        .at_least(1)
        .collect::<Vec<_>>()
        .map(Domain::Finite);
    let pattern = text(source, Kind::Regex)
        .then(word!(source, "length").ignore_then(range(source)).or_not())
        .map(|(pattern, length)| Domain::Text { pattern, length });
    choice((int.boxed(), real.boxed(), finite.boxed(), pattern.boxed()))
        .labelled(DOMAIN)
        .boxed()
}

fn draw<'a>(source: Source<'a>) -> P<'a, Draw> {
    let arm = name(source, "an arm")
        .then_ignore(arm_arrow())
        .then(expr(source))
        .then_ignore(tok(Kind::Comma).or_not())
        .map(|(production, body)| DrawArm { production, body });
    name(source, "a sort")
        .then_ignore(tok(Kind::Arrow))
        .then(ty(source))
        .then(
            members(arm.boxed(), starts_arm, |_| None)
                .delimited_by(tok(Kind::LBrace), tok(Kind::RBrace)),
        )
        .map(|((sort, ty), arms)| Draw { sort, ty, arms })
        .boxed()
}

fn function<'a>(source: Source<'a>) -> P<'a, Fn> {
    let parameter = name(source, "a parameter")
        .then_ignore(tok(Kind::Colon))
        .then(ty(source));
    let body = tok(Kind::Eq).ignore_then(expr(source));
    head!(source, "builtin")
        .or_not()
        .then_ignore(head!(source, "fn"))
        .then(name(source, "a name"))
        .then(in_parens(commas(parameter.boxed())))
        .then_ignore(tok(Kind::Arrow))
        .then(ty(source))
        .then(body.or_not())
        .map(|((((builtin, name), params), result), body)| Fn {
            builtin: builtin.is_some(),
            name,
            params,
            result,
            body,
        })
        .boxed()
}

fn rewrite<'a>(source: Source<'a>) -> P<'a, Rewrite> {
    name(source, "a sort")
        .then(
            members(rule(source), starts_rule, |_| None)
                .delimited_by(tok(Kind::LBrace), tok(Kind::RBrace)),
        )
        .map(|(sort, rules)| Rewrite { sort, rules })
        .boxed()
}

fn starts_rule(rest: &[Token]) -> bool {
    let kinds: Vec<Kind> = rest.iter().take(3).map(|token| token.kind).collect();
    let first = rest.first().is_some_and(|token| token.first);
    match kinds[..] {
        [Kind::Name, Kind::Colon, Kind::Quote] => true,
        [Kind::Name, Kind::Colon | Kind::Quote | Kind::Eq, ..] => first,
        _ => false,
    }
}

fn rule<'a>(source: Source<'a>) -> P<'a, Rule> {
    let both_ways = accept(|token| match token.kind {
        Kind::BothWays => Some(true),
        Kind::FatArrow => Some(false),
        _ => None,
    })
    .labelled("`=>` or `<=>`");
    let bound = accept(move |token| {
        let fits = token.kind == Kind::Name && !matches!(token.lead, Lead::Item | Lead::Rule);
        fits.then(|| named(source, token))
    })
    .labelled("a name");
    let binding = bound.then_ignore(tok(Kind::Eq)).then(expr(source));
    let bindings = word!(source, "where").ignore_then(
        binding
            .separated_by(tok(Kind::Comma))
            .at_least(1)
            .allow_trailing()
            .collect::<Vec<_>>(),
    );
    let condition = word!(source, "if").ignore_then(expr(source));
    // On the line of the rule before, only a colon tells a rule's name from a misspelt `where`.
    let rule_name = peeked(move |rest| match rest {
        [token, next, ..] if token.kind == Kind::Name => {
            let fits = token.first || next.kind == Kind::Colon;
            fits.then(|| named(source, *token))
        }
        _ => None,
    });
    rule_name
        .labelled("a rule")
        .then_ignore(tok(Kind::Colon))
        .then(text(source, Kind::Quote))
        .then(both_ways)
        .then(text(source, Kind::Quote))
        .then(bindings.or_not())
        .then(condition.or_not())
        .map_with(
            |(((((name, left), both_ways), right), lets), condition), e| Rule {
                docs: Vec::new(),
                name,
                left,
                both_ways,
                right,
                lets: lets.unwrap_or_default(),
                condition,
                span: span(e),
            },
        )
        .boxed()
}

fn example<'a>(source: Source<'a>) -> P<'a, Example> {
    name(source, "a name")
        .then_ignore(tok(Kind::Eq))
        .then(text(source, Kind::Quote))
        .map(|(name, program)| Example { name, program })
        .boxed()
}
