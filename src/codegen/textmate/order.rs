//! Which match is the longest: what a lexer finds by itself and a backtracking engine must be led to.
//!
//! In: regular expressions. Out: the same in an order, of alternatives or of words, in which the
//! first match is the longest. Afterwards it is, if any of the orders tried does that; automata
//! decide it, not samples.

use std::collections::{BTreeSet, VecDeque};

use regex_automata::dfa::{Automaton, dense};
use regex_automata::util::primitives::StateID;
use regex_automata::{Anchored, MatchKind};

use super::Word;
use super::oniguruma::regex;
use crate::codegen::re::Re;

/// Most pairs of states that are looked at for one answer.
const MOST_PAIRS: usize = 50_000;

type Dfa = dense::DFA<Vec<u32>>;

fn automaton(re: &Re, kind: MatchKind) -> Option<Dfa> {
    let config = dense::Config::new()
        .match_kind(kind)
        .dfa_size_limit(Some(4 << 20))
        .determinize_size_limit(Some(16 << 20));
    dense::Builder::new()
        .configure(config)
        .build(&regex(re))
        .ok()
}

/// Goes through two automata at once, a byte at a time, and asks at every pair of states, with a
/// mark that `turn` carries along, whether it is what is looked for.
fn search(a: &Dfa, b: &Dfa, mut turn: impl FnMut(bool, bool, bool) -> (bool, bool)) -> bool {
    let (Some(from), Some(to)) = (
        a.universal_start_state(Anchored::Yes),
        b.universal_start_state(Anchored::Yes),
    ) else {
        return false;
    };
    let ends = |dfa: &Dfa, state: StateID| dfa.is_match_state(dfa.next_eoi_state(state));
    let mut seen = BTreeSet::from([(from, to, false)]);
    let mut todo = VecDeque::from([(from, to, false)]);
    while let Some((x, y, mark)) = todo.pop_front() {
        for byte in 0..=u8::MAX {
            let (x, y) = (a.next_state(x, byte), b.next_state(y, byte));
            if a.is_dead_state(x) {
                continue;
            }
            let (found, mark) = turn(ends(a, x), ends(b, y), mark);
            if found {
                return true;
            }
            if seen.insert((x, y, mark)) {
                todo.push_back((x, y, mark));
            }
        }
        if seen.len() > MOST_PAIRS {
            return false;
        }
    }
    false
}

/// Whether a match of `a` can go beyond the longest one of `b` at the same place.
fn outruns(a: &Re, b: &Re) -> bool {
    let (Some(a), Some(b)) = (automaton(a, MatchKind::All), automaton(b, MatchKind::All)) else {
        return false;
    };
    // The mark: `b` has matched before.
    search(&a, &b, |a, b, before| (a && !b && before, before || b))
}

/// Whether the first match that a backtracking engine finds can be shorter than another.
fn stops_early(re: &Re) -> bool {
    let (Some(all), Some(first)) = (
        automaton(re, MatchKind::All),
        automaton(re, MatchKind::LeftmostFirst),
    ) else {
        return false;
    };
    search(&all, &first, |all, first, mark| (all && !first, mark))
}

/// The expression with its alternatives in an order in which the first match is the longest.
pub(super) fn greedy(re: &Re) -> Re {
    let orders: [fn(&mut Vec<Re>); 3] = [
        |_| {},
        |ways| ways.reverse(),
        |ways| ways.sort_by_key(|way| std::cmp::Reverse(way.weight())),
    ];
    let mut tries = orders.iter().map(|order| reordered(re, order));
    tries
        .find(|re| !stops_early(re))
        .unwrap_or_else(|| re.clone())
}

fn reordered(re: &Re, order: &fn(&mut Vec<Re>)) -> Re {
    match re {
        Re::Chars(_) => re.clone(),
        Re::Cat(parts) => Re::Cat(parts.iter().map(|p| reordered(p, order)).collect()),
        Re::Alt(ways) => {
            let mut ways: Vec<Re> = ways.iter().map(|way| reordered(way, order)).collect();
            order(&mut ways);
            Re::Alt(ways)
        }
        Re::Repeat { of, min, max } => Re::Repeat {
            of: Box::new(reordered(of, order)),
            min: *min,
            max: *max,
        },
    }
}

/// The words, each before those it can outrun; where two can outrun each other, the first of the
/// grammar file is first.
pub(super) fn longest_first(words: &[Word]) -> Vec<&Word> {
    let mut left: Vec<&Word> = words.iter().collect();
    let mut order = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let free = left.iter().position(|word| {
            let others = left.iter().filter(|other| !std::ptr::eq(**other, *word));
            others
                .into_iter()
                .all(|other| !outruns(&other.re, &word.re) || outruns(&word.re, &other.re))
        });
        order.push(left.remove(free.unwrap_or(0)));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(pattern: &str) -> Re {
        Re::parse(pattern).expect("a pattern")
    }

    #[test]
    fn what_can_outrun_is_found() {
        let (whole, real) = (parsed("[0-9]+"), parsed(r"[0-9]+(\.[0-9]+)?"));
        assert!(outruns(&real, &whole) && !outruns(&whole, &real));
        let (name, hex) = (parsed("[a-z]+"), parsed("[a-f0-9]+"));
        assert!(outruns(&name, &hex) && outruns(&hex, &name));
        assert!(!outruns(&name, &parsed("[0-9]+")));
    }

    #[test]
    fn alternatives_are_put_in_order() {
        assert!(!stops_early(&parsed("[a-z]+|[0-9]{2}")));
        for pattern in ["a|ab", "x(a|ab)?", "(a|ab)(c|bcd)?"] {
            let re = parsed(pattern);
            // The parser may have mended it by itself.
            let mended = greedy(&re);
            assert!(!stops_early(&mended) || stops_early(&re), "{pattern}");
        }
        assert!(stops_early(&Re::Alt(vec![Re::text("a"), Re::text("ab")])));
        let mended = greedy(&Re::Alt(vec![Re::text("a"), Re::text("ab")]));
        assert_eq!(mended, Re::Alt(vec![Re::text("ab"), Re::text("a")]));
    }
}
