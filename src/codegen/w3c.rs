//! Words in the notation of the W3C's XML recommendation, section 6.
//!
//! In: a token or a quoted word. Out: the right side of its rule. Afterwards the rule describes
//! exactly the texts that are read as this word, or a note says what else they must be.
//!
//! The notation has no escapes: a character that cannot stand in quotes or in a class is written
//! by its code point, as in `#x22`.

use std::fmt::Write;

use super::re::{Re, alt, cat, complement, repeat};
use crate::Compiled;
use crate::grammar::ids::{LiteralId, TokenId};
use crate::grammar::ir::Domain;
use crate::grammar::syntax::lexer::number_pattern;

/// Most values of a range with steps that are written one by one.
const MOST_VALUES: u32 = 128;
/// Most parts of a regular expression with its counted repetitions written out.
const MOST_PARTS: usize = 2_000;

/// A word's rule.
pub(crate) struct Word {
    /// The right side.
    pub text: String,
    /// What the notation cannot say, if anything; or what the right side amounts to.
    pub note: String,
}

/// A quoted word.
pub(crate) fn quote(text: &str) -> String {
    pieces(text).join(" ")
}

/// A quoted word in as many pieces as the notation needs.
pub(crate) fn pieces(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if !is_plain(first) {
            out.push(format!("#x{:X}", u32::from(first)));
            rest = &rest[first.len_utf8()..];
            continue;
        }
        // As far as one kind of quotes reaches.
        let reach = |mark: char| {
            let end = rest.find(|c: char| c == mark || !is_plain(c));
            end.unwrap_or(rest.len())
        };
        let (double, single) = (reach('"'), reach('\''));
        let (mark, end) = if double >= single {
            ('"', double)
        } else {
            ('\'', single)
        };
        out.push(format!("{mark}{}{mark}", &rest[..end]));
        rest = &rest[end..];
    }
    out
}

/// Whether a character can be read where it stands.
fn is_plain(c: char) -> bool {
    !c.is_control() && (c == ' ' || !c.is_whitespace()) && c != '\u{feff}'
}

/// The rule of a token that is not finite.
pub(crate) fn word(compiled: &Compiled, id: TokenId) -> Word {
    let grammar = &compiled.grammar;
    let token = grammar.token(id);
    let domain = &token.domain;
    let pattern = |real: bool| number_pattern(grammar, real);
    let signed = pattern(false).starts_with('-');
    match domain {
        Domain::Int { lo, hi, step } => {
            let values = domain.count().filter(|count| *count <= MOST_VALUES);
            let re = if *step == 1 {
                Some(whole(signed, *lo, *hi, ranges))
            } else {
                values.map(|_| {
                    whole(signed, *lo, *hi, |from, to| {
                        one_by_one(*lo, *step, from, to)
                    })
                })
            };
            match re {
                Some(re) => Word {
                    text: notation(&re),
                    note: domain.text(),
                },
                None => Word {
                    text: shape(pattern(false)),
                    note: format!("only {}", domain.text()),
                },
            }
        }
        Domain::Real { .. } => Word {
            text: shape(pattern(true)),
            note: format!("only {}", domain.text().trim_start_matches("real ")),
        },
        Domain::Finite(values) => Word {
            text: values
                .iter()
                .map(|value| quote(&value.text))
                .collect::<Vec<_>>()
                .join(" | "),
            note: String::new(),
        },
        Domain::Text { pattern, .. } => text(compiled, id, pattern),
    }
}

fn text(compiled: &Compiled, id: TokenId, pattern: &str) -> Word {
    let re = Re::parse(pattern).unwrap_or_else(Re::nothing);
    let (re, note) = if re.weight() <= MOST_PARTS {
        (re, String::new())
    } else {
        (uncounted(&re), format!("only /{pattern}/"))
    };
    let reserved: Vec<String> = reserved(compiled, id)
        .iter()
        .map(|word| quote(word))
        .collect();
    let text = if reserved.is_empty() {
        notation(&re)
    } else {
        format!("({}) - ({})", notation(&re), reserved.join(" | "))
    };
    Word { text, note }
}

/// The quoted words that a text token would match, were they not reserved.
pub(crate) fn reserved(compiled: &Compiled, id: TokenId) -> Vec<String> {
    let (grammar, syntax) = (&compiled.grammar, &compiled.syntax);
    let term = syntax.token_term(id);
    (0..grammar.literals.len())
        .map(LiteralId::from_index)
        .filter(|literal| {
            let literal = syntax.literal_term(*literal);
            syntax.lexer.reserved(literal).contains(&term)
        })
        .map(|literal| grammar.literal(literal).to_owned())
        .collect()
}

/// Without upper ends of counted repetitions.
fn uncounted(re: &Re) -> Re {
    match re {
        Re::Chars(_) => re.clone(),
        Re::Cat(parts) => cat(parts.iter().map(uncounted).collect()),
        Re::Alt(parts) => alt(parts.iter().map(uncounted).collect()),
        Re::Repeat { of, min, max } => match (min, max) {
            (0, Some(1)) => repeat(uncounted(of), 0, Some(1)),
            (0, _) => repeat(uncounted(of), 0, None),
            _ => repeat(uncounted(of), 1, None),
        },
    }
}

/// Any number, as the lexer reads it.
fn shape(pattern: &str) -> String {
    notation(&Re::parse(pattern).unwrap_or_else(Re::nothing))
}

/// Whole numbers from `lo` to `hi` with any number of zeros before them; `write` gives those
/// between two numbers of one sign by their digits.
fn whole(signed: bool, lo: i64, hi: i64, write: impl Fn(i64, i64) -> Vec<Re>) -> Re {
    let minus = || Re::text("-");
    let zeros = || repeat(Re::text("0"), 0, None);
    let mut ways = Vec::new();
    let positive = (hi >= 0).then(|| write(lo.max(0), hi));
    // `-0` is read as 0.
    let negative = (signed && lo <= 0).then(|| {
        let mut digits = if lo <= 0 && hi >= 0 && !write(0, 0).is_empty() {
            vec![Re::text("0")]
        } else {
            Vec::new()
        };
        if lo < 0 {
            digits.extend(write(lo, hi.min(-1)));
        }
        alt(digits)
    });
    match (positive.map(alt), negative) {
        (Some(positive), Some(negative)) if positive == negative => {
            ways.push(cat(vec![repeat(minus(), 0, Some(1)), zeros(), positive]));
        }
        (positive, negative) => {
            if let Some(digits) = negative {
                ways.push(cat(vec![minus(), zeros(), digits]));
            }
            if let Some(digits) = positive {
                ways.push(cat(vec![zeros(), digits]));
            }
        }
    }
    alt(ways)
}

/// The values from `from` to `to` of `lo, lo + step, ...`, one by one.
fn one_by_one(lo: i64, step: i64, from: i64, to: i64) -> Vec<Re> {
    let skipped = (from - lo + step - 1) / step;
    let first = lo + skipped * step;
    let values = (0..)
        .map(|k| first + k * step)
        .take_while(|value| *value <= to);
    let texts = values.map(|value| Re::text(&value.unsigned_abs().to_string()));
    texts.collect()
}

/// All numbers from `from` to `to`, both of one sign, by their digits.
fn ranges(from: i64, to: i64) -> Vec<Re> {
    let (mut least, most) = (
        from.unsigned_abs().min(to.unsigned_abs()),
        from.unsigned_abs().max(to.unsigned_abs()),
    );
    if from > to {
        return Vec::new();
    }
    let mut out = Vec::new();
    while least <= most {
        // The longest run from `least` whose last digits are all free.
        let mut tens = 1u64;
        while let Some(next) = tens.checked_mul(10)
            && least.is_multiple_of(next)
            && least.saturating_add(next - 1) <= most
            && least >= next
        {
            tens = next;
        }
        // As many of these as differ in one digit only.
        let head = least / tens;
        let digit = head % 10;
        let more = (9 - digit).min((most - least - (tens - 1)) / tens);
        let prefix = head / 10;
        let mut parts = Vec::new();
        if prefix > 0 {
            parts.push(Re::text(&prefix.to_string()));
        }
        let character = |digit: u64| char::from(b'0' + u8::try_from(digit).unwrap_or(0));
        parts.push(Re::Chars(vec![(character(digit), character(digit + more))]));
        let free = tens.ilog10();
        parts.extend((0..free).map(|_| Re::Chars(vec![('0', '9')])));
        out.push(cat(parts));
        match least.checked_add(tens.saturating_mul(more + 1)) {
            Some(next) => least = next,
            None => break,
        }
    }
    out
}

/// A regular expression in the notation.
pub(crate) fn notation(re: &Re) -> String {
    written(re, Place::Whole)
}

/// Where an expression stands: what needs brackets there.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Whole,
    InCat,
    Item,
}

fn written(re: &Re, place: Place) -> String {
    match re {
        Re::Chars(ranges) => class(ranges),
        Re::Cat(parts) => {
            let text = sequence(parts);
            let several = text.contains(' ') || parts.is_empty();
            bracketed(text, several && place == Place::Item)
        }
        Re::Alt(parts) => {
            let parts: Vec<String> = parts.iter().map(|p| written(p, Place::InCat)).collect();
            bracketed(parts.join(" | "), place != Place::Whole)
        }
        Re::Repeat { of, min, max } => {
            let item = written(of, Place::Item);
            let text = match (*min, *max) {
                (0, Some(1)) => format!("{item}?"),
                (0, None) => format!("{item}*"),
                (1, None) => format!("{item}+"),
                (min, max) => {
                    let mut parts = vec![item.clone(); min as usize];
                    match max {
                        None => {
                            if let Some(last) = parts.last_mut() {
                                last.push('+');
                            }
                        }
                        Some(max) => {
                            let more = max.saturating_sub(min) as usize;
                            parts.extend(std::iter::repeat_n(format!("{item}?"), more));
                        }
                    }
                    parts.join(" ")
                }
            };
            // `x?*` may not be read as it is meant.
            bracketed(text, place == Place::Item)
        }
    }
}

fn bracketed(text: String, brackets: bool) -> String {
    if brackets { format!("({text})") } else { text }
}

/// Parts in a row; single characters side by side become one quoted text.
fn sequence(parts: &[Re]) -> String {
    let mut out: Vec<String> = Vec::new();
    let mut text = String::new();
    for part in parts {
        match part {
            Re::Chars(ranges) if single(ranges).is_some() => text.extend(single(ranges)),
            part => {
                if !text.is_empty() {
                    out.push(quote(&std::mem::take(&mut text)));
                }
                out.push(written(part, Place::InCat));
            }
        }
    }
    if !text.is_empty() {
        out.push(quote(&text));
    }
    if out.is_empty() {
        // No text at all: an empty quoted word.
        out.push("\"\"".into());
    }
    out.join(" ")
}

fn single(ranges: &[(char, char)]) -> Option<char> {
    match ranges {
        [(lo, hi)] if lo == hi => Some(*lo),
        _ => None,
    }
}

fn class(ranges: &[(char, char)]) -> String {
    if let Some(c) = single(ranges) {
        return quote(&c.to_string());
    }
    let all_but = ranges.last().is_some_and(|(_, hi)| *hi == char::MAX);
    let (mark, ranges) = if all_but {
        ("^", complement(ranges))
    } else {
        ("", ranges.to_vec())
    };
    if ranges.is_empty() {
        // Any character; or, of a pattern that cannot be, none.
        return if all_but {
            "[#x0-#x10FFFF]"
        } else {
            "[^#x0-#x10FFFF]"
        }
        .into();
    }
    let mut out = format!("[{mark}");
    let mut coded = false;
    for (lo, hi) in ranges {
        coded = class_char(&mut out, lo, coded);
        match u32::from(hi) - u32::from(lo) {
            0 => {}
            1 => coded = class_char(&mut out, hi, coded),
            _ => {
                out.push('-');
                coded = class_char(&mut out, hi, false);
            }
        }
    }
    out + "]"
}

/// Adds a character of a class: as itself where every reader takes it as itself, which a
/// hexadecimal digit after a code point is not. Whether it was written as a code point.
fn class_char(out: &mut String, c: char, after_code: bool) -> bool {
    let special = matches!(c, '[' | ']' | '^' | '-' | '#' | '\\' | '"' | '\'');
    let itself = c.is_ascii_graphic() && !special && !(after_code && c.is_ascii_hexdigit());
    if itself {
        out.push(c);
    } else {
        let _ = write!(out, "#x{:X}", u32::from(c));
    }
    !itself
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_what_they_can() {
        assert_eq!(quote("a"), "\"a\"");
        assert_eq!(quote("\""), "'\"'");
        assert_eq!(quote("a'\"b"), "\"a'\" '\"b'");
        assert_eq!(quote("\u{7}x"), "#x7 \"x\"");
    }

    #[test]
    fn patterns_are_written_out() {
        for (pattern, wanted) in [
            ("[a-z_][a-z0-9_]*", "[_a-z] [0-9_a-z]*"),
            (r#""[^"\\\x00-\x1f]*""#, r#"'"' [^#x0-#x1F#x22#x5C]* '"'"#),
            ("a{2,3}", "\"a\" \"a\" \"a\"?"),
            ("a{2,}", "\"a\" \"a\"+"),
            ("(ab|c)?d", "(\"ab\" | \"c\")? \"d\""),
            ("(a+)?b", "(\"a\"+)? \"b\""),
            ("[^-]", "[^#x2D]"),
            (r"[\\bfz]", "[#x5C#x62#x66z]"),
        ] {
            let re = Re::parse(pattern).expect("a pattern");
            assert_eq!(notation(&re), wanted, "{pattern}");
        }
    }

    /// Every number of up to four digits, and some with zeros before them.
    #[test]
    fn ranges_hold_their_numbers_and_no_others() {
        for (lo, hi) in [
            (0, 15),
            (0, 0),
            (0, 9),
            (1, 16),
            (0, 999),
            (7, 7),
            (95, 1203),
            (100, 100),
            (-5, 12),
            (-120, -7),
            (-9, 9),
            (-1, 0),
        ] {
            let signed = lo < 0;
            let re = whole(signed, lo, hi, ranges);
            for value in -2000i64..2000 {
                let inside = (lo..=hi).contains(&value);
                for zeros in ["", "0", "000"] {
                    let sign = if value < 0 { "-" } else { "" };
                    let text = format!("{sign}{zeros}{}", value.unsigned_abs());
                    assert_eq!(re.after(&text).is_nullable(), inside, "{lo}..={hi}: {text}");
                }
            }
            let zero = signed && (lo..=hi).contains(&0);
            assert_eq!(re.after("-0").is_nullable(), zero, "{lo}..={hi}: -0");
            assert!(!re.after("").is_nullable());
        }
        let steps = |from, to| one_by_one(-90, 45, from, to);
        let re = whole(true, -90, 90, steps);
        let found: Vec<i64> = (-200..200)
            .filter(|value| re.after(&value.to_string()).is_nullable())
            .collect();
        assert_eq!(found, [-90, -45, 0, 45, 90]);
    }
}
