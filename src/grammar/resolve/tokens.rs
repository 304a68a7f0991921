//! Tokens: their values, what draw arms see of them, how they move.
//!
//! In: `ast::Token`. Out: [`Meaning`]. Afterwards ranges hold at least one value and end on one,
//! weights are positive, patterns match something but never nothing.

use super::numbers::{MAX_WHOLE, empty, weight, whole, whole_in, whole_range};
use crate::diag::codes::{E0201, E0304, E0308, E0309, E0312, E0313, W0305};
use crate::diag::nearest;
use crate::diag::{Diagnostic, Sink};
use crate::grammar::expr::{Type, Value};
use crate::grammar::ids::LiteralId;
use crate::grammar::ir::{Domain, FiniteValue, Kernel};
use crate::meta::ast::{self, Number, Range, Text};

/// Sampled lengths of texts when the token says none.
const LENGTHS: (u32, u32) = (1, 8);

/// Longest text in characters that is sampled.
const MAX_LENGTH: u32 = 1024;

/// Most places after the point of a real token's values: beyond them an `f64` near 1 no longer
/// tells neighbours apart safely.
const MAX_DECIMALS: u8 = 12;

/// What a token means.
pub(super) struct Meaning {
    pub(super) domain: Domain,
    pub(super) kernel: Kernel,
    pub(super) ty: Type,
}

/// What [`token`] asks of its caller.
pub(super) trait Surroundings {
    /// The id of a quoted terminal.
    fn literal(&mut self, text: &Text, sink: &mut Sink) -> LiteralId;
    /// The value of a constant of this type; of any, when it is not known yet.
    fn constant(
        &mut self,
        expr: &ast::Expr,
        expected: Option<&Type>,
        sink: &mut Sink,
    ) -> Option<Value>;
}

/// Resolves a token. Mistakes are reported, and then a stand-in is given back.
pub(super) fn token(
    token: &ast::Token,
    around: &mut impl Surroundings,
    sink: &mut Sink,
) -> Meaning {
    let (domain, ty) = match &token.domain {
        ast::Domain::Int { range, step } => (int(range, step.as_ref(), sink), Type::Num),
        ast::Domain::Real { range, step } => (real(range, step, sink), Type::Num),
        ast::Domain::Finite(values) => finite(&token.name.text, values, around, sink),
        ast::Domain::Text { pattern, length } => (text(pattern, length.as_ref(), sink), Type::Text),
        ast::Domain::Error => (None, Type::Error),
    };
    let kernel = token.kernel.as_ref().map(|k| kernel(k, token, sink));
    Meaning {
        domain: domain.unwrap_or(Domain::Int {
            lo: 0,
            hi: 0,
            step: 1,
        }),
        kernel: kernel.unwrap_or(Kernel::Uniform),
        ty,
    }
}

fn int(range: &Range, step: Option<&Number>, sink: &mut Sink) -> Option<Domain> {
    let written = step;
    let step = match step {
        Some(number) => {
            let step = whole(number, sink);
            if step.is_some_and(|step| step <= 0) {
                sink.push(not_positive(number));
                return None;
            }
            step
        }
        None => Some(1),
    };
    let (lo, hi) = whole_range(range, sink)?;
    let step = step?;
    // Both ends lie within ±2^53, so nothing overflows.
    let last = lo + (hi - lo) / step * step;
    if let Some(written) = written
        && last != hi
        && range.inclusive
    {
        sink.push(misses(range, written, &last.to_string()));
    }
    let domain = Domain::Int { lo, hi: last, step };
    if domain.count().is_none() {
        sink.push(too_many(range));
        return None;
    }
    Some(domain)
}

fn real(range: &Range, step: &Number, sink: &mut Sink) -> Option<Domain> {
    let (lo, hi, by) = (range.lo.value, range.hi.value, step.value);
    if by <= 0.0 {
        sink.push(not_positive(step));
        return None;
    }
    if lo > hi || (lo == hi && !range.inclusive) {
        sink.push(empty(range, lo > hi));
        return None;
    }
    for end in [&range.lo, &range.hi] {
        if end.value.abs() > MAX_WHOLE as f64 {
            sink.push(
                Diagnostic::new(E0304, end.span, format!("`{}` is too large", end.text), "")
                    .note("numbers go from -2^53 to 2^53"),
            );
            return None;
        }
    }
    let Some(decimals) = decimals(lo).and_then(|a| Some(a.max(decimals_of_step(by)?))) else {
        sink.push(
            Diagnostic::new(
                E0304,
                step.span,
                "the values have too many places after the point",
                "",
            )
            .note(format!("at most {MAX_DECIMALS} places are kept apart")),
        );
        return None;
    };
    let all = Domain::Real {
        lo,
        hi,
        step: by,
        decimals,
    };
    let Some(mut count) = all.count() else {
        sink.push(too_many(range));
        return None;
    };
    let mut last = all.number(count - 1).unwrap_or(hi);
    if !range.inclusive && last >= hi {
        if count == 1 {
            sink.push(empty(range, false));
            return None;
        }
        count -= 1;
        last = all.number(count - 1).unwrap_or(hi);
    }
    if range.inclusive && (hi - last).abs() > 1e-6 * by {
        sink.push(misses(range, step, &last.to_string()));
    }
    Some(Domain::Real {
        lo,
        hi: last,
        step: by,
        decimals,
    })
}

/// Places after the point that write the number exactly.
fn decimals(value: f64) -> Option<u8> {
    (0..=MAX_DECIMALS).find(|places| {
        let scaled = value * 10f64.powi(i32::from(*places));
        (scaled - scaled.round()).abs() <= 1e-9 * scaled.abs().max(1.0)
    })
}

/// The same of a step, which must not vanish in the rounding.
fn decimals_of_step(step: f64) -> Option<u8> {
    let places = (0..=MAX_DECIMALS).find(|places| {
        let scaled = step * 10f64.powi(i32::from(*places));
        scaled.round() >= 1.0 && (scaled - scaled.round()).abs() <= 1e-9 * scaled
    })?;
    Some(places)
}

fn not_positive(step: &Number) -> Diagnostic {
    Diagnostic::new(
        E0304,
        step.span,
        format!("a step must be positive, and this one is {}", step.text),
        "",
    )
}

fn misses(range: &Range, step: &Number, last: &str) -> Diagnostic {
    Diagnostic::new(
        W0305,
        range.span,
        format!(
            "steps of {} from {} do not reach {}",
            step.text, range.lo.text, range.hi.text
        ),
        format!("the last value is {last}"),
    )
    .help("end the range on a value")
    .fix(range.hi.span, last)
}

fn too_many(range: &Range) -> Diagnostic {
    Diagnostic::new(
        E0304,
        range.span,
        "the range has too many values",
        "more than 2^32 - 1 of them",
    )
    .help("take a larger step, or build the number from several tokens")
}

fn finite(
    name: &str,
    values: &[ast::FiniteValue],
    around: &mut impl Surroundings,
    sink: &mut Sink,
) -> (Option<Domain>, Type) {
    let mut result: Vec<FiniteValue> = Vec::with_capacity(values.len());
    let mut seen = std::collections::BTreeMap::new();
    let mut ty: Option<Type> = None;
    for value in values {
        if let Some(first) = seen.insert(value.text.text.as_str(), value.text.span) {
            let message = format!("`{name}` has the value \"{}\" twice", value.text.text);
            sink.push(
                Diagnostic::new(E0313, value.text.span, message, "the second time")
                    .label(first, "the first time"),
            );
            continue;
        }
        let constant = value.value.as_ref().and_then(|expr| {
            let constant = around.constant(expr, ty.as_ref(), sink)?;
            ty.get_or_insert(match constant {
                Value::Num(_) => Type::Num,
                Value::Bool(_) => Type::Bool,
                Value::Color(_) => Type::Color,
                Value::Point(..) => Type::Point,
            });
            Some(constant)
        });
        result.push(FiniteValue {
            text: value.text.text.clone(),
            literal: around.literal(&value.text, sink),
            weight: weight(value.weight.as_ref(), sink),
            value: constant,
        });
    }
    let with = values.iter().find(|v| v.value.is_some());
    let without = values.iter().find(|v| v.value.is_none());
    if let (Some(with), Some(without)) = (with, without) {
        sink.push(
            Diagnostic::new(
                E0313,
                without.text.span,
                format!(
                    "\"{}\" has no value, and others of `{name}` have",
                    without.text.text
                ),
                "what do draw arms see?",
            )
            .label(with.text.span, "this one has")
            .help("give every value one with `->`, or none"),
        );
    }
    if result.is_empty() {
        return (None, Type::Error);
    }
    let seen_as = match (with, ty) {
        (None, _) => Type::Enum(name.to_owned()),
        (Some(_), Some(ty)) => ty,
        (Some(_), None) => Type::Error,
    };
    (Some(Domain::Finite(result)), seen_as)
}

fn text(pattern: &Text, length: Option<&Range>, sink: &mut Sink) -> Option<Domain> {
    let lengths = match length {
        Some(range) => lengths(range, sink),
        None => Some(LENGTHS),
    };
    check_pattern(pattern, sink)?;
    let (min_len, max_len) = lengths?;
    Some(Domain::Text {
        pattern: pattern.text.clone(),
        min_len,
        max_len,
    })
}

fn lengths(range: &Range, sink: &mut Sink) -> Option<(u32, u32)> {
    let whole =
        |number, sink: &mut Sink| whole_in(number, (0, MAX_LENGTH), E0304, "a length", sink);
    let lo = whole(&range.lo, sink);
    let hi = whole(&range.hi, sink);
    let (lo, mut hi) = (lo?, hi?);
    if lo > hi || (lo == hi && !range.inclusive) {
        sink.push(empty(range, lo > hi));
        return None;
    }
    if !range.inclusive {
        hi -= 1;
    }
    Some((lo, hi))
}

/// The pattern must parse, look at nothing but its own characters, and match something but never
/// the empty text.
fn check_pattern(pattern: &Text, sink: &mut Sink) -> Option<()> {
    let report = |code, message: String| Diagnostic::new(code, pattern.span, message, "");
    let hir = match regex_syntax::Parser::new().parse(&pattern.text) {
        Ok(hir) => hir,
        Err(error) => {
            let why = match &error {
                regex_syntax::Error::Parse(error) => error.kind().to_string(),
                regex_syntax::Error::Translate(error) => error.kind().to_string(),
                other => other.to_string(),
            };
            sink.push(report(E0308, format!("the pattern cannot be read: {why}")));
            return None;
        }
    };
    let facts = hir.properties();
    if !facts.look_set().is_empty() {
        sink.push(
            report(
                E0308,
                "the pattern looks at what is around it (`^`, `$`, `\\b`)".to_owned(),
            )
            .help("leave them out: a token is always matched as a whole"),
        );
        return None;
    }
    match facts.minimum_len() {
        None => {
            sink.push(report(
                E0309,
                "the pattern matches no text at all".to_owned(),
            ));
            None
        }
        Some(0) => {
            sink.push(
                report(E0309, "the pattern matches the empty text".to_owned())
                    .note("a token without characters cannot be seen in a program")
                    .help("use `+` rather than `*`, and make the field optional with `?`"),
            );
            None
        }
        Some(_) => Some(()),
    }
}

fn kernel(kernel: &ast::Kernel, token: &ast::Token, sink: &mut Sink) -> Kernel {
    let numeric = matches!(
        token.domain,
        ast::Domain::Int { .. } | ast::Domain::Real { .. } | ast::Domain::Error
    );
    let span = kernel.name.span;
    match (kernel.name.text.as_str(), kernel.args.as_slice()) {
        ("uniform", []) => return Kernel::Uniform,
        ("normal", _) if !numeric => sink.push(
            Diagnostic::new(
                E0312,
                span,
                format!(
                    "`{}` holds no numbers, so `normal` means nothing",
                    token.name.text
                ),
                "",
            )
            .help("leave it out: a new value is then drawn afresh"),
        ),
        ("normal", [sd]) if sd.value > 0.0 => return Kernel::Normal(sd.value),
        ("normal", [sd]) => sink.push(Diagnostic::new(
            E0312,
            sd.span,
            format!(
                "a standard deviation must be positive, and this one is {}",
                sd.text
            ),
            "",
        )),
        ("normal", args) => sink.push(
            Diagnostic::new(
                E0312,
                span,
                format!("`normal` takes one number, not {}", args.len()),
                "",
            )
            .help("`normal(0.05)`: the standard deviation, in the token's own units"),
        ),
        ("uniform", _) => sink.push(Diagnostic::new(
            E0312,
            span,
            "`uniform` takes no numbers",
            "",
        )),
        (name, _) => {
            let message = format!("there is no kernel `{name}`");
            let diagnostic = Diagnostic::new(E0201, span, message, "not known")
                .note("there are `uniform` and `normal`");
            sink.push(match nearest(name, ["uniform", "normal"]) {
                Some(near) => diagnostic
                    .help(format!("did you mean `{near}`?"))
                    .fix(span, near),
                None => diagnostic,
            });
        }
    }
    Kernel::Uniform
}
