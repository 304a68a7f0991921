//! EBNF against the parser: an outside reader accepts what tdc accepts, and nothing else.

use rand::RngExt;
use tdc::Compiled;
use tdc::codegen::ebnf::ebnf;
use tdc::sample::{Rng, Sampler, seeded};
use tdc::tree::ProgramErrorKind;

use crate::common::{grammar, shipped};
use crate::w3c::Recogniser;

/// A text changed a little: by words, by characters.
fn damaged(text: &str, words: &[&str], others: &[String], rng: &mut Rng) -> String {
    let mut words: Vec<&str> = words.to_vec();
    let at = rng.random_range(0..words.len());
    let other = rng.random_range(0..words.len());
    match rng.random_range(0..7) {
        0 => {
            words.remove(at);
        }
        1 => words.insert(at, words[other]),
        2 => words.swap(at, other),
        3 => words[at] = &others[rng.random_range(0..others.len())],
        4 => words.truncate(at + 1),
        // Within a word: digits and letters that come and go.
        kind => {
            let mut characters: Vec<char> = text.chars().collect();
            let place = rng.random_range(0..characters.len());
            if kind == 5 {
                characters.remove(place);
            } else {
                let all = b"0159-.az \"+(";
                let new = all[rng.random_range(0..all.len())];
                characters.insert(place, char::from(new));
            }
            return characters.into_iter().collect();
        }
    }
    words.join(" ")
}

#[derive(Debug, Default)]
struct Tally {
    accepted: usize,
    refused: usize,
    values: usize,
}

fn compare(name: &str, compiled: &Compiled, count: usize) -> Tally {
    let text = ebnf(compiled);
    let reader = Recogniser::new(&text);
    let sampler = Sampler::new(compiled, compiled.grammar.sample).expect("a sampler");
    let mut rng = seeded(11);
    let mut tally = Tally::default();
    let mut others: Vec<String> = Vec::new();
    for _ in 0..count {
        let program = sampler.sample(&mut rng);
        let text = compiled.print(&program);
        assert!(reader.accepts(&text), "{name} refuses {text}");
        let words = reader.words(&text).expect("words");
        others.extend(words.iter().map(|word| word.to_string()));
        let worse = damaged(&text, &words, &others, &mut rng);
        let drop = others.len().saturating_sub(500);
        others.drain(..drop);
        match compiled.parse(&worse) {
            Ok(_) => {
                assert!(reader.accepts(&worse), "{name} refuses {worse}");
                tally.accepted += 1;
            }
            Err(error) => {
                // What a comment says is not seen by the reader.
                let value = matches!(error.kind, ProgramErrorKind::Value { .. });
                if value && reader.loose {
                    tally.values += 1;
                    continue;
                }
                assert!(!reader.accepts(&worse), "{name} accepts {worse}: {error}");
                tally.refused += 1;
            }
        }
    }
    tally
}

#[test]
fn the_ebnf_of_every_shipped_grammar_is_its_language() {
    for (name, compiled) in shipped() {
        let tally = compare(&name, &compiled, 1_000);
        assert!(tally.accepted >= 20, "{name}: {tally:?}");
        assert!(tally.refused >= 300, "{name}: {tally:?}");
        eprintln!("{name}: {tally:?}");
    }
}

/// What the shipped grammars do not have.
#[test]
fn odd_words_are_written_so_that_they_are_read() {
    let compiled = Compiled::from_text(
        "odd",
        r##"language odd
start A
size nodes
sample size 1..=30
token Step = -90..=90 step 45
token Big = 0..=100000 step 5
token Half = real 0..=2 step 0.5
token Word = /[a-z]+|é{2,3}|[A-Z](x|yy?)*/ length 1..=6
token Flag = "'" | "\"" | "'\""
sort A {
    One   = "one" step:Step
    Two   = "two" big:Big "/*"
    Three = "three" half:Half "*/"
    Text  = "(" words:Word* ")" maybe:Flag?
    Many  = "[" items:A+ sep "|\"'" "]"
    infix right { Plus = "+" }
    infix none { Same = "=" }
    prefix { Minus = "minus" of:A }
}
sort A_1 { Only = "#" }
"##,
    )
    .unwrap_or_else(|error| panic!("{error}"));
    let tally = compare("odd", &compiled, 1_000);
    assert!(tally.accepted >= 20 && tally.refused >= 300, "{tally:?}");
    let reader = Recogniser::new(&ebnf(&compiled));
    for text in [
        "one -0",
        "one 000",
        "one -045",
        "( ifx éé one1 )",
        "two 7 /*",
        "three 00.50 */",
        "[one 0|\"'one 90]",
    ] {
        let tdc = compiled.parse(text);
        let value =
            |error: &tdc::tree::ProgramError| matches!(error.kind, ProgramErrorKind::Value { .. });
        if tdc.as_ref().err().is_some_and(value) {
            continue;
        }
        assert_eq!(reader.accepts(text), tdc.is_ok(), "{text}: {tdc:?}");
    }
    // The names of its rules differ from those of its sorts.
    assert!(ebnf(&compiled).contains("A_1_ "));
}

#[test]
fn a_reader_that_accepts_everything_would_be_noticed() {
    let reader = Recogniser::new(&ebnf(&grammar("arith")));
    for text in ["", "1 +", "1 2", "(1", "x ^ -", "1000", "w", "1 +/ 2", "--"] {
        assert!(!reader.accepts(text), "{text}");
    }
    for text in ["1", "007", "-x^2", "(1+2)*3", "x\n^\ty"] {
        assert!(reader.accepts(text), "{text}");
    }
}
