//! A reader of EBNF in the notation of the W3C's XML recommendation, written from section 6 of it
//! alone, and a recogniser on top: words by automata, sentences by an outside Earley parser.

use std::rc::Rc;

use earlgrey::{EarleyParser, GrammarBuilder};
use regex_automata::dfa::{Automaton, dense};
use regex_automata::{Anchored, MatchKind};

#[derive(Clone, Debug)]
enum Expr {
    Alt(Vec<Expr>),
    Seq(Vec<Expr>),
    Diff(Box<Expr>, Box<Expr>),
    Repeat(Box<Expr>, char),
    Name(String),
    Text(String),
    /// A class, as one of Rust's.
    Class(String),
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn skip(&mut self) {
        loop {
            let rest = self.rest();
            let white = rest.len() - rest.trim_start().len();
            if white > 0 {
                self.at += white;
            } else if rest.starts_with("/*") {
                self.at += rest.find("*/").expect("an open comment") + 2;
            } else {
                return;
            }
        }
    }

    fn eat(&mut self, mark: &str) -> bool {
        self.skip();
        let found = self.rest().starts_with(mark);
        if found {
            self.at += mark.len();
        }
        found
    }

    fn name(&mut self) -> Option<String> {
        self.skip();
        let end = self
            .rest()
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(self.rest().len());
        let name = self.rest()[..end].to_owned();
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        self.at += end;
        Some(name)
    }

    /// A name that does not begin the next rule.
    fn reference(&mut self) -> Option<String> {
        let before = self.at;
        let name = self.name()?;
        self.skip();
        if self.rest().starts_with("::=") {
            self.at = before;
            return None;
        }
        Some(name)
    }

    fn rules(&mut self) -> Vec<(String, usize, Expr)> {
        let mut rules = Vec::new();
        loop {
            self.skip();
            let start = self.at;
            let Some(name) = self.name() else { break };
            assert!(self.eat("::="), "no rule at {}", self.rest());
            rules.push((name, start, self.alternatives()));
        }
        assert!(self.rest().is_empty(), "not read: {}", self.rest());
        rules
    }

    fn alternatives(&mut self) -> Expr {
        let mut ways = vec![self.sequence()];
        while self.eat("|") {
            ways.push(self.sequence());
        }
        if ways.len() == 1 {
            ways.remove(0)
        } else {
            Expr::Alt(ways)
        }
    }

    fn sequence(&mut self) -> Expr {
        let mut parts = Vec::new();
        while let Some(part) = self.difference() {
            parts.push(part);
        }
        assert!(!parts.is_empty(), "nothing at {}", self.rest());
        Expr::Seq(parts)
    }

    fn difference(&mut self) -> Option<Expr> {
        let part = self.repeated()?;
        if !self.eat("-") {
            return Some(part);
        }
        let less = self.repeated().expect("what is taken away");
        Some(Expr::Diff(Box::new(part), Box::new(less)))
    }

    fn repeated(&mut self) -> Option<Expr> {
        let part = self.part()?;
        let sign = self.rest().chars().next()?;
        if !['?', '*', '+'].contains(&sign) {
            return Some(part);
        }
        self.at += 1;
        Some(Expr::Repeat(Box::new(part), sign))
    }

    fn part(&mut self) -> Option<Expr> {
        if self.eat("(") {
            let inner = self.alternatives();
            assert!(self.eat(")"), "no end of brackets at {}", self.rest());
            return Some(inner);
        }
        if self.eat("[") {
            return Some(Expr::Class(self.class()));
        }
        if self.eat("#x") {
            self.at -= 2;
            return Some(Expr::Text(self.character().into()));
        }
        for mark in ["\"", "'"] {
            if self.eat(mark) {
                let end = self.rest().find(mark).expect("an open quote");
                let text = self.rest()[..end].to_owned();
                self.at += end + 1;
                return Some(Expr::Text(text));
            }
        }
        self.reference().map(Expr::Name)
    }

    fn character(&mut self) -> char {
        if let Some(code) = self.rest().strip_prefix("#x") {
            let end = code
                .find(|c: char| !c.is_ascii_hexdigit())
                .unwrap_or(code.len());
            let c = u32::from_str_radix(&code[..end], 16).expect("a number");
            self.at += 2 + end;
            return char::from_u32(c).expect("a character");
        }
        let c = self.rest().chars().next().expect("a character");
        self.at += c.len_utf8();
        c
    }

    fn class(&mut self) -> String {
        let hex = |c: char| format!("\\x{{{:X}}}", u32::from(c));
        let mut out = String::from("[");
        if self.rest().starts_with('^') {
            self.at += 1;
            out.push('^');
        }
        while !self.rest().starts_with(']') {
            out += &hex(self.character());
            if self.rest().starts_with('-') {
                self.at += 1;
                out += "-";
                out += &hex(self.character());
            }
        }
        self.at += 1;
        out + "]"
    }
}

/// A word: what it matches, less what it does not.
struct Word {
    matched: dense::DFA<Vec<u32>>,
    but: Option<dense::DFA<Vec<u32>>>,
    /// Whether a digit that follows belongs to it, so that it is another word.
    number: bool,
}

fn regex(expr: &Expr) -> String {
    match expr {
        Expr::Alt(ways) => {
            let ways: Vec<String> = ways.iter().map(regex).collect();
            format!("(?:{})", ways.join("|"))
        }
        Expr::Seq(parts) => parts.iter().map(regex).collect(),
        Expr::Repeat(part, sign) => format!("(?:{}){sign}", regex(part)),
        Expr::Text(text) => text
            .chars()
            .map(|c| format!("\\x{{{:X}}}", u32::from(c)))
            .collect(),
        Expr::Class(class) => class.clone(),
        Expr::Name(name) => panic!("{name} inside a word"),
        Expr::Diff(..) => panic!("a difference inside a word"),
    }
}

fn automaton(expr: &Expr) -> dense::DFA<Vec<u32>> {
    dense::Builder::new()
        .configure(dense::Config::new().match_kind(MatchKind::All))
        .build(&regex(expr))
        .expect("an automaton")
}

impl Word {
    fn new(expr: &Expr, number: bool) -> Word {
        let alone = match expr {
            Expr::Seq(parts) if parts.len() == 1 => &parts[0],
            other => other,
        };
        match alone {
            Expr::Diff(whole, less) => Word {
                matched: automaton(whole),
                but: Some(automaton(less)),
                number,
            },
            whole => Word {
                matched: automaton(whole),
                but: None,
                number,
            },
        }
    }

    /// Lengths of the texts at the beginning that match, the longest last.
    fn ends(dfa: &dense::DFA<Vec<u32>>, text: &str) -> Vec<usize> {
        let mut ends = Vec::new();
        let mut state = dfa
            .universal_start_state(Anchored::Yes)
            .expect("no looking around");
        for at in 0..=text.len() {
            if dfa.is_match_state(dfa.next_eoi_state(state)) {
                ends.push(at);
            }
            let Some(byte) = text.as_bytes().get(at) else {
                break;
            };
            state = dfa.next_state(state, *byte);
            if dfa.is_dead_state(state) {
                break;
            }
        }
        ends
    }

    fn longest(&self, text: &str) -> usize {
        let but = match &self.but {
            Some(but) => Word::ends(but, text),
            None => Vec::new(),
        };
        let mut ends = Word::ends(&self.matched, text);
        ends.retain(|end| {
            let digit = text[*end..].starts_with(|c: char| c.is_ascii_digit());
            let goes_on = self.number && digit;
            !goes_on && !but.contains(end)
        });
        ends.pop().unwrap_or(0)
    }
}

/// Tells the texts that an EBNF describes from others.
pub struct Recogniser {
    words: Vec<(String, Rc<Word>)>,
    parser: EarleyParser,
    /// Whether a comment says of some word that only some of its texts count.
    pub loose: bool,
}

impl Recogniser {
    /// Reads an EBNF; its first rule is what a text must be.
    pub fn new(ebnf: &str) -> Recogniser {
        let numbers = ebnf.find("/* Numbers: ").unwrap_or(ebnf.len());
        let others = ebnf.find("/* Words: ").unwrap_or(ebnf.len());
        let words_from = numbers.min(others);
        let rules = Reader { text: ebnf, at: 0 }.rules();
        assert!(!rules.is_empty());
        let mut words: Vec<(String, Rc<Word>)> = Vec::new();
        for (name, start, expr) in &rules {
            if *start > words_from {
                let number = *start < others;
                words.push((name.clone(), Rc::new(Word::new(expr, number))));
            }
        }
        let mut sentences = Sentences {
            builder: GrammarBuilder::default(),
            texts: Vec::new(),
            fresh: 0,
        };
        for (name, word) in &words {
            let word = Rc::clone(word);
            let whole = move |text: &str| word.longest(text) == text.len();
            sentences.builder.terminal_try(name, whole);
        }
        for (name, start, _) in &rules {
            if *start <= words_from {
                sentences.builder.nonterm_try(name);
            }
        }
        for (name, start, expr) in &rules {
            if *start <= words_from {
                sentences.rule(name, expr);
            }
        }
        for text in &sentences.texts {
            let word = Rc::new(Word::new(&Expr::Text(text.clone()), false));
            words.push((format!("\"{text}\""), word));
        }
        let start = &rules[0].0;
        let grammar = sentences.builder.into_grammar(start).expect("a grammar");
        Recogniser {
            words,
            parser: EarleyParser::new(grammar),
            loose: ebnf.contains("/* only "),
        }
    }

    /// The words of a text, or nothing when it has others.
    pub fn words<'a>(&self, mut text: &'a str) -> Option<Vec<&'a str>> {
        let mut found = Vec::new();
        loop {
            text = text.trim_start_matches([' ', '\t', '\n', '\r']);
            if text.is_empty() {
                return Some(found);
            }
            let lengths = self.words.iter().map(|(_, word)| word.longest(text));
            let end = lengths.max().filter(|end| *end > 0)?;
            found.push(&text[..end]);
            text = &text[end..];
        }
    }

    /// The rules, or the quoted word, that a word may be.
    pub fn kinds(&self, text: &str) -> Vec<String> {
        let words = self.words.iter();
        words
            .filter(|(_, word)| word.longest(text) == text.len())
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// Whether a text is described.
    pub fn accepts(&self, text: &str) -> bool {
        self.words(text)
            .is_some_and(|words| self.parser.parse(words.into_iter()).is_ok())
    }
}

/// EBNF written out as plain rules.
struct Sentences {
    builder: GrammarBuilder,
    texts: Vec<String>,
    fresh: usize,
}

impl Sentences {
    fn rule(&mut self, name: &str, expr: &Expr) {
        let ways = match expr {
            Expr::Alt(ways) => ways.as_slice(),
            one => std::slice::from_ref(one),
        };
        for way in ways {
            let symbols = self.symbols(way);
            let symbols: Vec<&str> = symbols.iter().map(String::as_str).collect();
            self.builder.rule_try(name, &symbols);
        }
    }

    fn symbols(&mut self, expr: &Expr) -> Vec<String> {
        match expr {
            Expr::Seq(parts) => parts.iter().flat_map(|part| self.symbols(part)).collect(),
            Expr::Name(name) => vec![name.clone()],
            Expr::Text(text) if text.is_empty() => Vec::new(),
            Expr::Text(text) => {
                let own = text.clone();
                let name = format!("\"{text}\"");
                self.builder.terminal_try(&name, move |word| word == own);
                if !self.texts.contains(text) {
                    self.texts.push(text.clone());
                }
                vec![name]
            }
            Expr::Alt(_) => {
                let name = self.nonterminal();
                self.rule(&name, expr);
                vec![name]
            }
            Expr::Repeat(part, sign) => {
                let name = self.nonterminal();
                let once = self.symbols(part);
                let once: Vec<&str> = once.iter().map(String::as_str).collect();
                let more: Vec<&str> = [name.as_str()].into_iter().chain(once.clone()).collect();
                if *sign == '+' {
                    self.builder.rule_try(&name, &once);
                } else {
                    self.builder.rule_try(&name, &[]);
                }
                self.builder
                    .rule_try(&name, if *sign == '?' { &once } else { &more });
                vec![name]
            }
            Expr::Diff(..) | Expr::Class(_) => panic!("{expr:?} outside of words"),
        }
    }

    fn nonterminal(&mut self) -> String {
        self.fresh += 1;
        // No rule of the EBNF has such a name.
        let name = format!("{}.", self.fresh);
        self.builder.nonterm_try(&name);
        name
    }
}
