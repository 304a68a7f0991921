//! Regular expressions as Oniguruma reads them, which TextMate engines use.
//!
//! In: [`Re`]. Out: its pattern. Afterwards Oniguruma, fancy-regex and the regex crates all read
//! the same expression: only groups, classes, counted repetitions and characters by their code are
//! used, classes are spelled out, and repetitions never stand on each other (`a{2}+` means another
//! thing in Oniguruma).

use std::fmt::Write;

use crate::codegen::re::{Re, complement};

/// The pattern.
pub(super) fn regex(re: &Re) -> String {
    written(re, Place::Whole)
}

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
            let inner: String = parts.iter().map(|p| written(p, Place::InCat)).collect();
            grouped(inner, place == Place::Item)
        }
        Re::Alt(parts) => {
            let ways: Vec<String> = parts.iter().map(|p| written(p, Place::InCat)).collect();
            grouped(ways.join("|"), place != Place::Whole)
        }
        Re::Repeat { of, min, max } => {
            let item = written(of, Place::Item);
            let text = match (min, max) {
                (0, Some(1)) => format!("{item}?"),
                (0, None) => format!("{item}*"),
                (1, None) => format!("{item}+"),
                (min, None) => format!("{item}{{{min},}}"),
                (min, Some(max)) if min == max => format!("{item}{{{min}}}"),
                (min, Some(max)) => format!("{item}{{{min},{max}}}"),
            };
            grouped(text, place == Place::Item)
        }
    }
}

fn grouped(text: String, group: bool) -> String {
    if group { format!("(?:{text})") } else { text }
}

fn class(ranges: &[(char, char)]) -> String {
    match ranges {
        // No character at all.
        [] => return "(?!)".into(),
        [(lo, hi)] if lo == hi => {
            let mut out = String::new();
            put(&mut out, *lo, ".*+?()[]{}^$|\\");
            return out;
        }
        _ => {}
    }
    let all_but = ranges.last().is_some_and(|(_, hi)| *hi == char::MAX);
    let (mark, ranges) = if all_but {
        ("^", complement(ranges))
    } else {
        ("", ranges.to_vec())
    };
    if ranges.is_empty() {
        // Any character. `.` leaves the line end out.
        return "[\\x00-\\x{10ffff}]".into();
    }
    let mut out = format!("[{mark}");
    for (lo, hi) in ranges {
        put(&mut out, lo, "[]^-\\&~#");
        match u32::from(hi) - u32::from(lo) {
            0 => {}
            gap => {
                if gap > 1 {
                    out.push('-');
                }
                put(&mut out, hi, "[]^-\\&~#");
            }
        }
    }
    out + "]"
}

/// A character as itself, escaped, or by its code.
fn put(out: &mut String, c: char, special: &str) {
    if special.contains(c) {
        out.push('\\');
        out.push(c);
    } else if c == ' ' || c.is_ascii_graphic() || c.is_alphanumeric() {
        out.push(c);
    } else if u32::from(c) < 0x80 {
        let _ = write!(out, "\\x{:02x}", u32::from(c));
    } else {
        let _ = write!(out, "\\x{{{:x}}}", u32::from(c));
    }
}
