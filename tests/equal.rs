//! Pairs of programs, written by hand, that draw the same picture.
//!
//! `tests/equal/GRAMMAR.txt` has a pair a line. Every pair must draw the same; those that do not
//! reach one canonical form are marked in the file, with the reason.

mod common;

use std::fs;

use tdc::Compiled;
use tdc::rewrite::Simplifier;
use tdc::soundness::Judge;
use tdc::tree::{Program, parse, print};

struct Pair {
    line: usize,
    /// Why the rules do not bring both sides to one form.
    apart: Option<String>,
    left: Program,
    right: Program,
}

fn pairs(name: &str, compiled: &Compiled) -> Vec<Pair> {
    let text = fs::read_to_string(format!("tests/equal/{name}.txt")).expect("the pairs");
    let program = |line: usize, text: &str| {
        parse(&compiled.grammar, &compiled.syntax, text.trim())
            .unwrap_or_else(|error| panic!("{name}:{line}: {text}: {error:?}"))
    };
    let mut pairs = Vec::new();
    for (index, text) in text.lines().enumerate() {
        let line = index + 1;
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let (apart, text) = match text.strip_prefix("? ") {
            Some(rest) => {
                let (reason, text) = rest.split_once(" | ").expect("a reason");
                (Some(reason.to_string()), text)
            }
            None => (None, text),
        };
        let (left, right) = text.split_once(" == ").expect("two programs");
        let (left, right) = (program(line, left), program(line, right));
        assert_ne!(left, right, "{name}:{line}: the same program twice");
        pairs.push(Pair {
            line,
            apart,
            left,
            right,
        });
    }
    assert!(pairs.len() >= 100, "{name}: {} pairs", pairs.len());
    pairs
}

#[test]
fn pairs_draw_the_same() {
    for name in ["csg2d", "tinysvg"] {
        let compiled = common::grammar(name);
        let mut judge = Judge::new(&compiled).expect("a canvas");
        let mut wrong = String::new();
        for pair in pairs(name, &compiled) {
            let difference = judge.compare(&pair.left, &pair.right).expect("pictures");
            if difference.counts() {
                wrong += &format!("{name}:{}: {difference:?}\n", pair.line);
            }
        }
        assert!(wrong.is_empty(), "\n{wrong}");
    }
}

#[test]
fn pairs_reach_one_form_or_say_why_not() {
    for name in ["csg2d", "tinysvg"] {
        let compiled = common::grammar(name);
        let simplifier = Simplifier::new(&compiled);
        let text = |program: &Program| print(&compiled.grammar, &compiled.syntax, program);
        let mut wrong = String::new();
        let mut apart = 0;
        for pair in pairs(name, &compiled) {
            let left = simplifier.canonical(&pair.left);
            let right = simplifier.canonical(&pair.right);
            apart += usize::from(pair.apart.is_some());
            if (left == right) != pair.apart.is_none() {
                let (left, right) = (text(&left), text(&right));
                wrong += &format!("{name}:{}:\n  {left}\n  {right}\n", pair.line);
            }
        }
        assert!(wrong.is_empty(), "\n{wrong}");
        assert!(apart <= 10, "{name}: {apart} pairs stay apart");
    }
}
