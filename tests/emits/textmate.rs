//! TextMate grammars in an outside engine: words get the scopes of what they are.

use std::collections::BTreeMap;

use rand::RngExt;
use serde_json::Value;
use syntaxmate::{GrammarRegistry, Tokenizer, TokenizerOptions};
use tdc::Compiled;
use tdc::codegen::ebnf::ebnf;
use tdc::codegen::textmate::textmate;
use tdc::grammar::ir::Domain;
use tdc::sample::{Sampler, seeded};

use crate::common::{grammar, shipped};
use crate::w3c::Recogniser;

/// First and last byte of a token, and its scopes from the outermost.
type Token = (usize, usize, Vec<String>);

struct Engine(Tokenizer);

impl Engine {
    fn new(grammar: &str) -> Engine {
        let mut registry = GrammarRegistry::new();
        let root = registry.add_json(grammar).expect("a TextMate grammar");
        registry.validate().expect("a sound grammar");
        registry.validate_regexes().expect("patterns that are read");
        let tokenizer = Tokenizer::new(&registry, root, TokenizerOptions::default());
        Engine(tokenizer.expect("a tokenizer"))
    }

    fn tokens(&mut self, text: &str) -> Vec<Token> {
        let document = self.0.tokenize(text).require_complete();
        let document = document.expect("no limit is met");
        let mut tokens = Vec::new();
        let mut start = 0;
        for (line, tokenized) in text.split_inclusive('\n').zip(document.lines()) {
            for token in tokenized.tokens() {
                let range = token.range();
                let scopes = token.scopes().map(str::to_owned).collect();
                tokens.push((start + range.start, start + range.end, scopes));
            }
            start += line.len();
        }
        tokens
    }
}

/// Every word of a text with its scopes; one scope beneath the root's, whatever is marked inside.
fn coloured<'a>(
    engine: &mut Engine,
    reader: &Recogniser,
    text: &'a str,
) -> Vec<(&'a str, Option<String>)> {
    let tokens = engine.tokens(text);
    let mut at = 0;
    let mut found = Vec::new();
    for word in reader.words(text).expect("words") {
        let start = word.as_ptr() as usize - text.as_ptr() as usize;
        let end = start + word.len();
        // Line ends have no token.
        let covering = |byte: usize| {
            let here = |(from, to, _): &&Token| (*from..*to).contains(&byte);
            tokens.iter().find(here).map(|token| token.2.as_slice())
        };
        for space in at..start {
            let plain = covering(space).is_none_or(|scopes| scopes.len() == 1);
            assert!(plain, "white space at {space} of {text}");
        }
        let scopes: Vec<Option<String>> = (start..end)
            .filter(|byte| text.as_bytes()[*byte] != b'\n')
            .map(|byte| covering(byte)?.get(1).cloned())
            .collect();
        assert!(scopes.iter().all(|s| *s == scopes[0]), "{word} in {text}");
        found.push((word, scopes[0].clone()));
        at = end;
    }
    found
}

fn check(name: &str, compiled: &Compiled, count: usize) {
    let mut engine = Engine::new(&textmate(compiled));
    let reader = Recogniser::new(&ebnf(compiled));
    let sampler = Sampler::new(compiled, compiled.grammar.sample).expect("a sampler");
    let mut rng = seeded(5);
    // What a scope belongs to: a quoted word, or a token.
    let mut scopes: BTreeMap<String, String> = BTreeMap::new();
    for _ in 0..count {
        let text = compiled.print(&sampler.sample(&mut rng));
        // Some over several lines.
        let text = if rng.random_range(0..3) == 0 {
            reader.words(&text).expect("words").join("\n")
        } else {
            text
        };
        for (word, scope) in coloured(&mut engine, &reader, &text) {
            let scope = scope.unwrap_or_else(|| panic!("{name}: {word} has no scope in {text}"));
            let literal = compiled.grammar.literals.iter().any(|l| l == word);
            let key = if literal {
                format!("\"{word}\"")
            } else {
                reader.kinds(word).first().expect("a rule").clone()
            };
            let token = compiled.grammar.tokens.iter().find(|t| t.name == key);
            let kinds: &[&str] = match token.map(|token| &token.domain) {
                None => &["keyword.", "constant.language", "support.", "punctuation."],
                Some(Domain::Int { .. } | Domain::Real { .. }) => &["constant.numeric."],
                Some(Domain::Text { .. }) => &["string.", "variable.", "constant."],
                Some(Domain::Finite(_)) => panic!("{key} is quoted words"),
            };
            assert!(
                kinds.iter().any(|kind| scope.starts_with(kind)),
                "{name}: {word} has {scope}"
            );
            assert!(
                scope.ends_with(&format!(".{}", compiled.grammar.name)),
                "{scope}"
            );
            // Whole and real numbers look alike.
            let key = if scope.starts_with("constant.numeric.") {
                "number".into()
            } else {
                key
            };
            let first = scopes.entry(key).or_insert_with(|| scope.clone());
            assert_eq!(*first, scope, "{name}: {word}");
        }
    }
    // Every word came up that is not of a token that no production has, as `extends` leaves them.
    let grammar = &compiled.grammar;
    for (index, literal) in grammar.literals.iter().enumerate() {
        let idle = grammar.tokens.iter().any(|token| {
            let own = match &token.domain {
                Domain::Finite(values) => values.iter().any(|v| v.literal.index() == index),
                _ => false,
            };
            let used = grammar.productions.iter().flat_map(|p| &p.children);
            own && !used
                .into_iter()
                .any(|child| grammar.nonterminal_name(child.nt) == token.name)
        });
        let seen = scopes.contains_key(&format!("\"{literal}\""));
        assert!(seen || idle, "{name}: {literal}");
    }
}

#[test]
fn every_word_of_every_shipped_grammar_gets_its_scope() {
    for (name, compiled) in shipped() {
        check(&name, &compiled, 500);
    }
}

fn scopes(compiled: &Compiled, text: &str) -> Vec<String> {
    let mut engine = Engine::new(&textmate(compiled));
    let reader = Recogniser::new(&ebnf(compiled));
    let end = format!(".{}", compiled.grammar.name);
    coloured(&mut engine, &reader, text)
        .into_iter()
        .map(|(word, scope)| {
            let scope = scope.unwrap_or_default();
            format!("{word} {}", scope.strip_suffix(&end).unwrap_or(&scope))
        })
        .collect()
}

#[test]
fn scopes_have_the_names_that_themes_know() {
    let imp = grammar("imp");
    assert_eq!(
        scopes(&imp, "while whilex<=7 { do f(); print \"a b\", not true; }"),
        [
            "while keyword.other",
            "whilex variable.other.name",
            "<= keyword.operator",
            "7 constant.numeric.integer",
            "{ punctuation.section.braces.begin",
            "do keyword.other",
            "f variable.other.name",
            "( punctuation.section.parens.begin",
            ") punctuation.section.parens.end",
            "; punctuation.terminator",
            "print keyword.other",
            "\"a b\" string.quoted.double",
            ", punctuation.separator",
            "not keyword.operator.word",
            "true constant.language",
            "; punctuation.terminator",
            "} punctuation.section.braces.end",
        ]
    );
    assert_eq!(
        scopes(&grammar("tinysvg"), "(Move (Ellipse 1 2 red none 0) +3 -4)")[1..5],
        [
            "Move support.function",
            "( punctuation.section.parens.begin",
            "Ellipse support.function",
            "1 constant.numeric.integer",
        ]
    );
}

/// Words that begin with others, patterns whose first match is not the longest, strings over lines.
#[test]
fn the_longest_word_wins() {
    let compiled = Compiled::from_text(
        "traps",
        r#"language traps
start A
size nodes
sample size 1..=30
token Name = /[a-z]([a-z-]*[a-z])?/ length 1..=4
token Hex = /0x[0-9A-F]+|0/ length 1..=4
token Word = /A|AB|ABC(DE)*/ length 1..=7
token Note = /#([^#]|##)*#/ length 2..=6
token Text = /'([^'\\]|\\.)*'/ length 2..=6
sort A {
    Less = "<" of:A  LessEqual = "<=" of:A  Shift = "<<=" of:A
    In = "in" of:A  Int = "int" of:A  Zero = "0b" hex:Hex
    One = "-" name:Name  Two = "--" name:Name
    Three = word:Word of:A  Four = note:Note of:A
    Text = text:Text  Star = "*" of:A "+"  Dot = "." "^" "$" "\\" of:A
}
"#,
    )
    .unwrap_or_else(|error| panic!("{error}"));
    check("traps", &compiled, 500);
    let found = scopes(&compiled, "ABCDE in int inta '\\'a\nb' ");
    let found: Vec<&str> = found.iter().map(String::as_str).collect();
    assert_eq!(
        found,
        [
            "ABCDE variable.other.word",
            "in keyword.other",
            "int keyword.other",
            "inta variable.other.name",
            "'\\'a\nb' string.quoted.single",
        ]
    );
}

/// Escapes are marked inside of strings.
#[test]
fn escapes_are_marked() {
    let mut engine = Engine::new(&textmate(&grammar("json")));
    let tokens = engine.tokens(r#"["a\nb\u00e4"]"#);
    let escapes: Vec<(usize, usize)> = tokens
        .iter()
        .filter(|(_, _, scopes)| scopes.iter().any(|s| s.starts_with("constant.character")))
        .map(|(from, to, _)| (*from, *to))
        .collect();
    assert_eq!(escapes, [(3, 5), (6, 12)]);
    // A string that does not end is none.
    let tokens = engine.tokens("[\"abc");
    assert!(
        tokens
            .iter()
            .all(|(_, _, s)| !s.iter().any(|s| s.starts_with("string")))
    );
}

#[test]
fn the_file_is_what_editors_expect() {
    for (name, compiled) in shipped() {
        let value: Value = serde_json::from_str(&textmate(&compiled)).expect("JSON");
        assert_eq!(
            value["scopeName"],
            format!("source.{}", compiled.grammar.name)
        );
        assert_eq!(value["fileTypes"][0], compiled.grammar.name.as_str());
        let repository = value["repository"].as_object().expect("a repository");
        for include in value["patterns"].as_array().expect("patterns") {
            let to = include["include"].as_str().expect("a name");
            assert!(repository.contains_key(&to[1..]), "{name}: {to}");
        }
    }
}
