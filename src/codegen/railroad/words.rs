//! Diagrams of words: values of finite tokens, patterns of text tokens.

use super::css;
use super::nodes::{Dyn, choice, label, optional, repeat, row};
use crate::codegen::html::escape;
use crate::codegen::re::{Re, complement};
use crate::grammar::ir::{Domain, Token};

/// Most values that a diagram shows one by one.
const MOST_VALUES: usize = 12;
/// Most parts of a pattern that is drawn.
const MOST_PARTS: usize = 80;
/// Most copies of a part that is repeated a fixed number of times.
const MOST_COPIES: u32 = 4;

/// The values of a finite token, and a list of them when they are many or colours.
pub(super) fn finite(token: &Token) -> (Dyn, String) {
    let Domain::Finite(values) = &token.domain else {
        return (label("words", "", &token.domain.text()), String::new());
    };
    let many = values.len() > MOST_VALUES;
    let diagram = if many {
        label("words", "", &format!("one of {} words", values.len()))
    } else {
        let ways = values.iter().map(|v| label("terminal", "", &v.text));
        choice(ways.collect())
    };
    let colours = values.iter().any(|v| css(v.value.as_ref()).is_some());
    if !many && !colours {
        return (diagram, String::new());
    }
    let chips: String = values
        .iter()
        .map(|value| {
            let swatch = match css(value.value.as_ref()) {
                Some(colour) => format!("<i style=\"background:{colour}\"></i>"),
                None => String::new(),
            };
            format!("<li>{swatch}<code>{}</code></li>", escape(&value.text))
        })
        .collect();
    (diagram, format!("<ul class=\"chips\">{chips}</ul>\n"))
}

/// The texts of a pattern.
pub(super) fn text(pattern: &str) -> Dyn {
    match Re::parse(pattern) {
        Some(re) if parts(&re) <= MOST_PARTS => node(&re),
        _ => label("words", "", &format!("/{pattern}/")),
    }
}

fn parts(re: &Re) -> usize {
    match re {
        Re::Chars(_) => 1,
        Re::Cat(inner) | Re::Alt(inner) => inner.iter().map(parts).sum(),
        Re::Repeat { of, min, max } => {
            let copies = if Some(*min) == *max {
                (*min).min(MOST_COPIES)
            } else {
                1
            };
            parts(of) * copies.max(1) as usize
        }
    }
}

fn node(re: &Re) -> Dyn {
    match re {
        Re::Chars(ranges) => match ranges.as_slice() {
            [(lo, hi)] if lo == hi && lo.is_ascii_graphic() => {
                label("terminal", "", &lo.to_string())
            }
            ranges => label("words", "", &class(ranges)),
        },
        Re::Cat(inner) => {
            let mut row_parts: Vec<Dyn> = Vec::new();
            let mut text = String::new();
            for part in inner {
                match part {
                    Re::Chars(ranges) if matches!(ranges.as_slice(), [(lo, hi)] if lo == hi && lo.is_ascii_graphic()) =>
                    {
                        text.extend(ranges.first().map(|(c, _)| *c));
                    }
                    part => {
                        if !text.is_empty() {
                            row_parts.push(label("terminal", "", &std::mem::take(&mut text)));
                        }
                        row_parts.push(node(part));
                    }
                }
            }
            if !text.is_empty() {
                row_parts.push(label("terminal", "", &text));
            }
            row(row_parts)
        }
        Re::Alt(ways) => choice(ways.iter().map(node).collect()),
        Re::Repeat { of, min, max } => match (*min, *max) {
            (0, Some(1)) => optional(node(of)),
            (0, None) => optional(repeat(node(of), None)),
            (1, None) => repeat(node(of), None),
            (min, Some(max)) if max <= MOST_COPIES => {
                // Copies, and behind them those that may be there, each within the one before.
                let more = (min..max).fold(None, |inner: Option<Dyn>, _| {
                    let parts = [Some(node(of)), inner];
                    Some(optional(row(parts.into_iter().flatten().collect())))
                });
                row((0..min).map(|_| node(of)).chain(more).collect())
            }
            (min, max) => {
                let times = match max {
                    None => format!("{min} times or more"),
                    Some(max) if max == min => format!("{min} times"),
                    Some(max) => format!("{} to {max} times", min.max(1)),
                };
                let some = repeat(node(of), Some(label("note", "", &times)));
                if min == 0 { optional(some) } else { some }
            }
        },
    }
}

/// One character of these, in words.
fn class(ranges: &[(char, char)]) -> String {
    let all_but = ranges.last().is_some_and(|(_, hi)| *hi == char::MAX);
    let ranges = if all_but {
        complement(ranges)
    } else {
        ranges.to_vec()
    };
    let shown = |c: char| {
        if c.is_alphanumeric() || c.is_ascii_graphic() {
            c.to_string()
        } else {
            format!("U+{:02X}", u32::from(c))
        }
    };
    let texts: Vec<String> = ranges
        .iter()
        .map(|(lo, hi)| match u32::from(*hi) - u32::from(*lo) {
            0 => shown(*lo),
            1 => format!("{} {}", shown(*lo), shown(*hi)),
            _ => format!("{}\u{2013}{}", shown(*lo), shown(*hi)),
        })
        .collect();
    match (all_but, texts.is_empty()) {
        (true, true) => "any character".into(),
        (true, false) => format!("any but {}", texts.join(" ")),
        _ => texts.join(" "),
    }
}
