//! How values of number tokens are written and read.
//!
//! In: a [`Domain`] and an index or a text. Out: the other. Afterwards reading what was written
//! gives the index back.

use std::fmt::Write;

use crate::grammar::ir::Domain;

/// Appends the text of the value at an index; nothing for text tokens.
pub(crate) fn write_value(domain: &Domain, value: u32, text: &mut String) {
    // Writing to a string cannot fail.
    let _ = match domain {
        Domain::Int { lo, step, .. } => {
            write!(
                text,
                "{}",
                lo.saturating_add(step.saturating_mul(i64::from(value)))
            )
        }
        Domain::Real { decimals, .. } => {
            let number = domain.number(value).unwrap_or(0.0);
            // No "-0".
            let number = if number == 0.0 { 0.0 } else { number };
            let start = text.len();
            let done = write!(text, "{number:.*}", usize::from(*decimals));
            if text[start..].contains('.') {
                let kept = text[start..].trim_end_matches('0').trim_end_matches('.');
                text.truncate(start + kept.len());
            }
            done
        }
        Domain::Finite(values) => match values.get(value as usize) {
            Some(finite) => text.write_str(&finite.text),
            None => Ok(()),
        },
        Domain::Text { .. } => Ok(()),
    };
}

/// The index of the number written so; `None` when it is outside the domain or off its grid.
pub(crate) fn value_index(domain: &Domain, lexeme: &str) -> Option<u32> {
    match *domain {
        Domain::Int { lo, hi, step } => {
            let value: i64 = lexeme.parse().ok()?;
            if value < lo || value > hi {
                return None;
            }
            let above = value.checked_sub(lo)?;
            (above.checked_rem(step)? == 0)
                .then(|| u32::try_from(above / step).ok())
                .flatten()
        }
        Domain::Real { .. } => real_index(domain, lexeme.parse().ok()?),
        _ => None,
    }
}

/// The index of a real number; `None` when it is outside the domain or off its grid.
pub(crate) fn real_index(domain: &Domain, value: f64) -> Option<u32> {
    let Domain::Real { lo, step, .. } = *domain else {
        return None;
    };
    let index = ((value - lo) / step).round();
    let count = f64::from(domain.count()?);
    if !(0.0..count).contains(&index) {
        return None;
    }
    let index = index as u32;
    // Far below a step, far above the rounding of decimal fractions.
    let off = (domain.number(index)? - value).abs();
    (off <= step * 1e-6).then_some(index)
}
