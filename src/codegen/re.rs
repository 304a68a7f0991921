//! Regular expressions as trees that can be taken apart and written in other notations.
//!
//! In: a token's pattern in the syntax of the regex crates, or a range of whole numbers. Out:
//! [`Re`]. Afterwards it matches the same texts; what the notation said of greediness is gone,
//! since a language's words are always as long as they can be. [`Re::after`] is Brzozowski's
//! derivative (1964): what may follow a text for the whole to match.

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind};

/// A regular expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Re {
    /// One character of these ranges, which are sorted and apart; without any nothing matches.
    Chars(Vec<(char, char)>),
    /// One after the other; without any the empty text matches.
    Cat(Vec<Re>),
    /// One of these, two or more.
    Alt(Vec<Re>),
    /// Repeated.
    Repeat {
        /// What is repeated.
        of: Box<Re>,
        /// Least number of times.
        min: u32,
        /// Greatest number of times.
        max: Option<u32>,
    },
}

impl Re {
    /// What matches nothing.
    pub fn nothing() -> Re {
        Re::Chars(Vec::new())
    }

    /// What matches the empty text.
    pub fn empty() -> Re {
        Re::Cat(Vec::new())
    }

    /// What matches this text.
    pub fn text(text: &str) -> Re {
        cat(text.chars().map(|c| Re::Chars(vec![(c, c)])).collect())
    }

    /// A pattern; `None` for what a token cannot have: mistakes and looks around.
    pub fn parse(pattern: &str) -> Option<Re> {
        from_hir(&regex_syntax::Parser::new().parse(pattern).ok()?)
    }

    /// Whether nothing matches.
    pub fn is_nothing(&self) -> bool {
        matches!(self, Re::Chars(ranges) if ranges.is_empty())
    }

    /// Number of parts, when counted repetitions are written out `times` times.
    pub fn weight(&self) -> usize {
        match self {
            Re::Chars(ranges) => ranges.len().max(1),
            Re::Cat(parts) | Re::Alt(parts) => {
                parts.iter().map(Re::weight).fold(0, usize::saturating_add)
            }
            Re::Repeat { of, min, max } => {
                let times = max.unwrap_or(0).max(*min).max(1) as usize;
                of.weight().saturating_mul(times)
            }
        }
    }
}

impl Re {
    /// Whether the empty text matches.
    pub fn is_nullable(&self) -> bool {
        match self {
            Re::Chars(_) => false,
            Re::Cat(parts) => parts.iter().all(Re::is_nullable),
            Re::Alt(parts) => parts.iter().any(Re::is_nullable),
            Re::Repeat { of, min, .. } => *min == 0 || of.is_nullable(),
        }
    }

    /// What may follow a text for the whole to match.
    pub fn after(&self, text: &str) -> Re {
        let mut re = self.clone();
        for c in text.chars() {
            re = re.after_char(c);
        }
        re
    }

    fn after_char(&self, c: char) -> Re {
        match self {
            Re::Chars(ranges) => {
                if ranges.iter().any(|(lo, hi)| (*lo..=*hi).contains(&c)) {
                    Re::empty()
                } else {
                    Re::nothing()
                }
            }
            Re::Cat(parts) => {
                let mut ways = Vec::new();
                for (index, part) in parts.iter().enumerate() {
                    let mut rest = vec![part.after_char(c)];
                    rest.extend_from_slice(&parts[index + 1..]);
                    ways.push(cat(rest));
                    if !part.is_nullable() {
                        break;
                    }
                }
                alt(ways)
            }
            Re::Alt(parts) => alt(parts.iter().map(|part| part.after_char(c)).collect()),
            Re::Repeat { of, min, max } => cat(vec![of.after_char(c), less(of, *min, *max)]),
        }
    }

    /// The same without the empty text.
    pub fn without_empty(&self) -> Re {
        match self {
            Re::Chars(_) => self.clone(),
            _ if !self.is_nullable() => self.clone(),
            Re::Cat(parts) => {
                // The first part that is not empty, and what follows it.
                let ways = (0..parts.len()).map(|index| {
                    let mut rest = vec![parts[index].without_empty()];
                    rest.extend_from_slice(&parts[index + 1..]);
                    cat(rest)
                });
                alt(ways.collect())
            }
            Re::Alt(parts) => alt(parts.iter().map(Re::without_empty).collect()),
            Re::Repeat { of, min, max } => cat(vec![of.without_empty(), less(of, *min, *max)]),
        }
    }

    /// The least that the text must begin with for some beginning of it to match: the same
    /// expression without what may be left out at its end.
    pub fn begun(&self) -> Re {
        match self {
            Re::Chars(_) => self.clone(),
            _ if self.is_nullable() => Re::empty(),
            Re::Cat(parts) => {
                let mut parts = parts.clone();
                while parts.last().is_some_and(Re::is_nullable) {
                    parts.pop();
                }
                if let Some(last) = parts.pop() {
                    parts.push(last.begun());
                }
                cat(parts)
            }
            Re::Alt(parts) => alt(parts.iter().map(Re::begun).collect()),
            Re::Repeat { of, min: 1, .. } => of.begun(),
            Re::Repeat { of, min, .. } => Re::Repeat {
                of: of.clone(),
                min: *min,
                max: Some(*min),
            },
        }
    }

    /// The characters a match can begin with.
    pub fn first(&self) -> Vec<(char, char)> {
        let mut ranges = Vec::new();
        self.add_first(&mut ranges);
        union(&ranges)
    }

    fn add_first(&self, ranges: &mut Vec<(char, char)>) {
        match self {
            Re::Chars(own) => ranges.extend_from_slice(own),
            Re::Cat(parts) => {
                for part in parts {
                    part.add_first(ranges);
                    if !part.is_nullable() {
                        break;
                    }
                }
            }
            Re::Alt(parts) => parts.iter().for_each(|part| part.add_first(ranges)),
            Re::Repeat { of, .. } => of.add_first(ranges),
        }
    }
}

/// What is left of a repetition after one of its items.
fn less(of: &Re, min: u32, max: Option<u32>) -> Re {
    repeat(
        of.clone(),
        min.saturating_sub(1),
        max.map(|max| max.saturating_sub(1)),
    )
}

/// One after the other.
pub(crate) fn cat(parts: Vec<Re>) -> Re {
    let mut flat = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            Re::Cat(inner) => flat.extend(inner),
            part if part.is_nothing() => return Re::nothing(),
            part => flat.push(part),
        }
    }
    if flat.len() == 1 {
        return flat.remove(0);
    }
    Re::Cat(flat)
}

/// One of these, each of them once; sets of characters become one.
pub(crate) fn alt(parts: Vec<Re>) -> Re {
    let mut flat: Vec<Re> = Vec::with_capacity(parts.len());
    for part in parts {
        let inner = match part {
            Re::Alt(inner) => inner,
            part => vec![part],
        };
        for part in inner {
            if part.is_nothing() || flat.contains(&part) {
                continue;
            }
            match (flat.last_mut(), &part) {
                (Some(Re::Chars(before)), Re::Chars(own)) => {
                    before.extend_from_slice(own);
                    *before = union(before);
                }
                _ => flat.push(part),
            }
        }
    }
    match flat.len() {
        0 => Re::nothing(),
        1 => flat.remove(0),
        _ => Re::Alt(flat),
    }
}

/// Repeated.
pub(crate) fn repeat(of: Re, min: u32, max: Option<u32>) -> Re {
    match (min, max) {
        (_, Some(0)) => Re::empty(),
        (1, Some(1)) => of,
        _ if of == Re::empty() => of,
        (0, _) if of.is_nothing() => Re::empty(),
        _ => Re::Repeat {
            of: Box::new(of),
            min,
            max,
        },
    }
}

/// Ranges sorted and joined.
fn union(ranges: &[(char, char)]) -> Vec<(char, char)> {
    let ranges = ranges
        .iter()
        .map(|(lo, hi)| ClassUnicodeRange::new(*lo, *hi));
    chars(&ClassUnicode::new(ranges))
}

/// The ranges that are not in these.
pub(crate) fn complement(ranges: &[(char, char)]) -> Vec<(char, char)> {
    let ranges = ranges
        .iter()
        .map(|(lo, hi)| ClassUnicodeRange::new(*lo, *hi));
    let mut class = ClassUnicode::new(ranges);
    class.negate();
    chars(&class)
}

fn chars(class: &ClassUnicode) -> Vec<(char, char)> {
    let ranges = class.ranges().iter();
    ranges.map(|range| (range.start(), range.end())).collect()
}

fn from_hir(hir: &Hir) -> Option<Re> {
    Some(match hir.kind() {
        HirKind::Empty => Re::empty(),
        HirKind::Literal(literal) => Re::text(std::str::from_utf8(&literal.0).ok()?),
        HirKind::Class(Class::Unicode(class)) => Re::Chars(chars(class)),
        HirKind::Class(Class::Bytes(class)) => {
            // Without Unicode only ASCII characters can stand in a class.
            Re::Chars(chars(&class.to_unicode_class()?))
        }
        HirKind::Look(_) => return None,
        HirKind::Repetition(repetition) => {
            repeat(from_hir(&repetition.sub)?, repetition.min, repetition.max)
        }
        HirKind::Capture(capture) => from_hir(&capture.sub)?,
        HirKind::Concat(parts) => cat(parts.iter().map(from_hir).collect::<Option<_>>()?),
        HirKind::Alternation(parts) => alt(parts.iter().map(from_hir).collect::<Option<_>>()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(pattern: &str) -> Re {
        Re::parse(pattern).expect("a pattern")
    }

    /// By derivatives.
    fn matches(re: &Re, text: &str) -> bool {
        re.after(text).is_nullable()
    }

    #[test]
    fn what_follows_is_what_completes_a_match() {
        for (pattern, yes, no) in [
            (
                "[a-z_][a-z0-9_]*",
                vec!["a", "if", "_0z"],
                vec!["", "0", "a-"],
            ),
            ("a{2,4}", vec!["aa", "aaa", "aaaa"], vec!["a", "aaaaa"]),
            ("(ab?)+", vec!["a", "ab", "aab"], vec!["b", "abb"]),
            ("x|(?i)y", vec!["x", "y", "Y"], vec!["X", ""]),
            ("é.", vec!["éa", "éé"], vec!["e", "é\n"]),
        ] {
            let re = parsed(pattern);
            for text in yes {
                assert!(matches(&re, text), "{pattern} {text}");
                assert!(matches(&re.without_empty(), text), "{pattern} {text}");
            }
            for text in no {
                assert!(!matches(&re, text), "{pattern} {text}");
            }
        }
        let maybe = parsed("(a?b*){0,3}");
        assert!(matches(&maybe, "") && !matches(&maybe.without_empty(), ""));
        assert!(matches(&maybe.without_empty(), "abbab"));
    }

    #[test]
    fn what_is_begun_needs_no_end() {
        let name = parsed("[a-z][a-z0-9]*").after("if");
        assert_eq!(
            name.without_empty().begun(),
            Re::Chars(vec![('0', '9'), ('a', 'z')])
        );
        assert_eq!(parsed("ab+").begun(), parsed("ab"));
        assert!(parsed("[0-9]+").after("x").is_nothing());
    }

    #[test]
    fn looks_around_are_no_tokens() {
        assert_eq!(Re::parse("a$"), None);
        assert_eq!(Re::parse("("), None);
    }
}
