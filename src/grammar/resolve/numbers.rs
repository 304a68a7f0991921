//! Numbers as written, made into numbers as meant.

use crate::diag::codes::{E0303, E0304, E0306, E0317};
use crate::diag::{Code, Diagnostic, Sink};
use crate::meta::ast::{Number, Production, Range};

/// Greatest whole number that a draw arm's `Num` (an `f64`) tells from its neighbours, 2^53.
pub(super) const MAX_WHOLE: i64 = 1 << 53;

/// A whole number within ±2^53.
pub(super) fn whole(number: &Number, sink: &mut Sink) -> Option<i64> {
    let value = match number.text.parse::<i64>() {
        Ok(value) => Some(value),
        Err(_) if number.value.fract() != 0.0 => {
            sink.push(Diagnostic::new(
                E0304,
                number.span,
                format!("`{}` is not a whole number", number.text),
                "a whole number is needed here",
            ));
            return None;
        }
        Err(_) if number.value.abs() <= MAX_WHOLE as f64 => Some(number.value as i64),
        Err(_) => None,
    };
    let value = value.filter(|value| value.unsigned_abs() <= MAX_WHOLE.unsigned_abs());
    if value.is_none() {
        sink.push(
            Diagnostic::new(
                E0304,
                number.span,
                format!("`{}` is too large", number.text),
                "",
            )
            .note("whole numbers go from -2^53 to 2^53"),
        );
    }
    value
}

/// A whole number of `lo..=hi`; `code` and `what` are for the diagnostic.
pub(super) fn whole_in(
    number: &Number,
    (lo, hi): (u32, u32),
    code: Code,
    what: &str,
    sink: &mut Sink,
) -> Option<u32> {
    let value = whole(number, sink)?;
    match u32::try_from(value) {
        Ok(value) if (lo..=hi).contains(&value) => Some(value),
        _ => {
            sink.push(Diagnostic::new(
                code,
                number.span,
                format!("{what} must be a whole number from {lo} to {hi}"),
                "",
            ));
            None
        }
    }
}

/// A range of whole numbers as its least and greatest.
pub(super) fn whole_range(range: &Range, sink: &mut Sink) -> Option<(i64, i64)> {
    let lo = whole(&range.lo, sink);
    let hi = whole(&range.hi, sink);
    let (lo, hi) = (lo?, hi?);
    let last = if range.inclusive { hi } else { hi - 1 };
    if lo > last {
        sink.push(empty(range, lo > hi));
        return None;
    }
    Some((lo, last))
}

/// The diagnostic of a range without a number in it; `swapped` when its ends are the wrong way
/// round.
pub(super) fn empty(range: &Range, swapped: bool) -> Diagnostic {
    let (lo, hi) = (&range.lo.text, &range.hi.text);
    let dots = if range.inclusive { "..=" } else { ".." };
    let diagnostic = Diagnostic::new(
        E0303,
        range.span,
        format!("the range {lo}{dots}{hi} is empty"),
        "no number is in it",
    );
    if swapped {
        diagnostic
            .help("the lesser end comes first")
            .fix(range.span, format!("{hi}{dots}{lo}"))
    } else {
        diagnostic
            .help("`..` leaves its end out; `..=` has it in")
            .fix(range.span, format!("{lo}..={hi}"))
    }
}

/// A weight, or 1 with a diagnostic.
pub(super) fn weight(number: Option<&Number>, sink: &mut Sink) -> f64 {
    let Some(number) = number else {
        return 1.0;
    };
    if number.value.is_finite() && number.value > 0.0 {
        return number.value;
    }
    let diagnostic = Diagnostic::new(
        E0306,
        number.span,
        format!("a weight must be positive, and this one is {}", number.text),
        "",
    );
    sink.push(if number.value == 0.0 {
        diagnostic.help("what shall never be drawn is better left out of the grammar")
    } else {
        diagnostic
    });
    1.0
}

/// Greatest `@cost`: a program of the greatest length costs less than 2^64.
const MAX_COST: u32 = 1_000_000;

/// What a node of a production costs, in whole numbers.
pub(super) fn price(production: &Production, sink: &mut Sink) -> u32 {
    let own = u32::from(production.primitive.is_some());
    let Some(number) = &production.cost else {
        return own;
    };
    whole_in(number, (0, MAX_COST), E0317, "a cost", sink).unwrap_or(own)
}
