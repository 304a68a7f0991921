//! The lexer of a language: one automaton over all terminals.
//!
//! In: the terminals of a [`Bnf`]. Out: [`Lexer`]. Afterwards no terminal matches a
//! text that begins with white space, and [`Lexer::next`] gives the longest
//! lexeme at a place with every terminal it may be (literals beat texts: they are reserved).
//!
//! regex-automata determinises the patterns; its table is copied into a plain one whose states say
//! at once which terminals end there (theirs say so one byte later). The same automaton serves to
//! find overlapping terminals, unsafe neighbours and the strings of text tokens, so all of
//! these agree with what the lexer does.

use std::collections::{BTreeMap, VecDeque};

use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::primitives::StateID;
use regex_automata::util::syntax;
use regex_automata::{Anchored, MatchKind};

use super::bits::Bits;
use super::bnf::{Bnf, Term, Terminal};
use crate::diag::codes::{E0505, E0507};
use crate::diag::{Diagnostic, Sink};
use crate::grammar::ir::{Domain, Grammar};

/// Most bytes of regex-automata's table, and most bytes of work space to make it. A table this
/// large takes about a second to make.
const DFA_BYTES: usize = 8 << 20;
const WORK_BYTES: usize = 32 << 20;

/// How much further than the lexemes it finds a lexer may look altogether: this many times the text
/// and a fixed allowance. Keeps reading linear in the text even for patterns such as `/a*b/`
/// beside `"a"`.
const LOOK_AHEAD: usize = 64;
const LOOK_AHEAD_BASE: usize = 1 << 20;

/// A state of the automaton; 0 is dead.
pub(crate) type State = u32;

/// The state no text leads out of.
pub(crate) const DEAD: State = 0;

/// The state before the first byte.
pub(crate) const START: State = 1;

/// The lexer.
#[derive(Clone, Debug)]
pub(crate) struct Lexer {
    /// Bytes of one class lead to the same states.
    class: Box<[u8; 256]>,
    classes: usize,
    next: Vec<State>,
    /// Per state the index into `sets`, 0 when no terminal ends there.
    accept: Vec<u16>,
    /// Sets of terminals that share a text, literals first.
    sets: Vec<Vec<Term>>,
    /// Literals with the text terminals that would match them, were they not reserved.
    reserved: BTreeMap<Term, Vec<Term>>,
}

/// A lexeme.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lexeme<'a> {
    /// First byte and one past the last.
    pub start: usize,
    pub end: usize,
    /// The terminals it may be; never empty.
    pub terms: &'a [Term],
}

/// Why there is no next lexeme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LexError {
    /// No terminal begins like the text at this offset.
    Unknown(usize),
    /// The look-ahead allowance is used up.
    TooCostly(usize),
}

/// Shortest ways from the start to every state.
#[derive(Clone, Debug)]
pub(crate) struct Paths(Vec<(State, u8)>);

impl Paths {
    /// A shortest text to a state.
    pub fn to(&self, mut state: State) -> Vec<u8> {
        let mut text = Vec::new();
        while state != START && state != DEAD {
            let (from, byte) = self.0[state as usize];
            text.push(byte);
            state = from;
        }
        text.reverse();
        text
    }
}

/// What is left of a text's look-ahead allowance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget(usize);

impl Budget {
    pub fn of(text: &str) -> Budget {
        Budget(text.len().saturating_mul(LOOK_AHEAD) + LOOK_AHEAD_BASE)
    }
}

/// Whether a byte separates lexemes.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

impl Lexer {
    /// The lexeme at or after `from`, white space skipped; `None` at the end of the text.
    #[inline]
    pub fn next(
        &self,
        text: &str,
        from: usize,
        budget: &mut Budget,
    ) -> Result<Option<Lexeme<'_>>, LexError> {
        let bytes = text.as_bytes();
        let mut start = from;
        while start < bytes.len() && is_space(bytes[start]) {
            start += 1;
        }
        if start >= bytes.len() {
            return Ok(None);
        }
        let (mut state, mut at) = (START, start);
        let (mut found, mut end) = (0, start);
        while let Some(&byte) = bytes.get(at) {
            state = self.step(state, byte);
            if state == DEAD {
                break;
            }
            at += 1;
            let set = self.accept[state as usize];
            if set != 0 {
                (found, end) = (set, at);
            }
        }
        let wasted = at - end;
        if wasted > 16 {
            match budget.0.checked_sub(wasted) {
                Some(left) => budget.0 = left,
                None => return Err(LexError::TooCostly(start)),
            }
        }
        if found == 0 {
            return Err(LexError::Unknown(start));
        }
        Ok(Some(Lexeme {
            start,
            end,
            terms: &self.sets[usize::from(found)],
        }))
    }

    /// The state after one more byte.
    #[inline]
    pub fn step(&self, state: State, byte: u8) -> State {
        self.next[state as usize * self.classes + usize::from(self.class[usize::from(byte)])]
    }

    /// The terminals that end at a state.
    pub fn accepts(&self, state: State) -> &[Term] {
        &self.sets[usize::from(self.accept[state as usize])]
    }

    /// The text terminals that would match a literal, were it not reserved.
    pub fn reserved(&self, literal: Term) -> &[Term] {
        self.reserved.get(&literal).map_or(&[], Vec::as_slice)
    }

    /// The sets of two or more terminals that share a text, each with a shortest such text.
    pub fn overlaps(&self) -> Vec<(&[Term], String)> {
        let paths = self.paths();
        let mut texts: Vec<Option<Vec<u8>>> = vec![None; self.sets.len()];
        for state in 1..self.states() as State {
            let set = usize::from(self.accept[state as usize]);
            if self.sets[set].len() > 1 {
                let text = paths.to(state);
                if texts[set].as_ref().is_none_or(|t| t.len() > text.len()) {
                    texts[set] = Some(text);
                }
            }
        }
        self.sets
            .iter()
            .zip(texts)
            .filter_map(|(set, text)| {
                let text = String::from_utf8_lossy(&text?).into_owned();
                Some((set.as_slice(), text))
            })
            .collect()
    }

    /// Number of states.
    pub fn states(&self) -> usize {
        self.accept.len()
    }

    /// One byte of each class, the most readable one.
    pub fn samples(&self) -> Vec<u8> {
        let mut sample: Vec<Option<u8>> = vec![None; self.classes];
        let readable = (b'a'..=b'z')
            .chain(b'A'..=b'Z')
            .chain(b'0'..=b'9')
            .chain(b'!'..=b'~')
            .chain(0..=255);
        for byte in readable {
            sample[usize::from(self.class[usize::from(byte)])].get_or_insert(byte);
        }
        sample.into_iter().flatten().collect()
    }

    /// For every state how a shortest text of the most readable bytes comes there.
    pub fn paths(&self) -> Paths {
        let samples = self.samples();
        let mut from = vec![(DEAD, 0); self.states()];
        let mut queue = VecDeque::from([START]);
        while let Some(state) = queue.pop_front() {
            for &byte in &samples {
                let to = self.step(state, byte);
                if to != DEAD && to != START && from[to as usize].0 == DEAD {
                    from[to as usize] = (state, byte);
                    queue.push_back(to);
                }
            }
        }
        Paths(from)
    }

    /// A shortest text from a state to one where `term` ends; `None` when there is none.
    pub fn finish(&self, state: State, term: Term) -> Option<Vec<u8>> {
        let samples = self.samples();
        let mut from: BTreeMap<State, (State, u8)> = BTreeMap::new();
        let mut queue = VecDeque::from([state]);
        while let Some(at) = queue.pop_front() {
            if self.accepts(at).contains(&term) {
                let mut text = Vec::new();
                let mut back = at;
                while back != state {
                    let (before, byte) = from[&back];
                    text.push(byte);
                    back = before;
                }
                text.reverse();
                return Some(text);
            }
            for &byte in &samples {
                let to = self.step(at, byte);
                if to != DEAD && to != state && !from.contains_key(&to) {
                    from.insert(to, (at, byte));
                    queue.push_back(to);
                }
            }
        }
        None
    }

    /// Which terminals can still end from each state (after no byte or more).
    pub fn ends(&self, terms: usize) -> Vec<Bits> {
        let before = self.predecessors();
        let mut ends: Vec<Bits> = (0..self.states() as State)
            .map(|state| {
                let mut bits = Bits::new(terms);
                for term in self.accepts(state) {
                    bits.insert(term.index());
                }
                bits
            })
            .collect();
        let mut todo: Vec<State> = (1..self.states() as State).collect();
        let mut waiting = vec![true; self.states()];
        while let Some(state) = todo.pop() {
            waiting[state as usize] = false;
            let row = ends[state as usize].clone();
            for &from in &before[state as usize] {
                let changed = ends[from as usize].union(&row);
                if changed && !std::mem::replace(&mut waiting[from as usize], true) {
                    todo.push(from);
                }
            }
        }
        ends
    }

    fn predecessors(&self) -> Vec<Vec<State>> {
        let mut before: Vec<Vec<State>> = vec![Vec::new(); self.states()];
        for state in 1..self.states() {
            let mut targets = self.next[state * self.classes..][..self.classes].to_vec();
            targets.sort_unstable();
            targets.dedup();
            for to in targets {
                if to != DEAD {
                    before[to as usize].push(state as State);
                }
            }
        }
        before
    }

    /// Builds the lexer, or says which terminals cannot be lexed.
    pub fn build(grammar: &Grammar, bnf: &Bnf, sink: &mut Sink) -> Option<Lexer> {
        let mut patterns = Vec::with_capacity(bnf.terminals.len());
        for terminal in &bnf.terminals {
            patterns.push(match terminal {
                Terminal::Literal(literal) => regex_syntax::escape(grammar.literal(*literal)),
                Terminal::Int => number_pattern(grammar, false).to_string(),
                Terminal::Real => number_pattern(grammar, true).to_string(),
                Terminal::Text(token) => {
                    let token = grammar.token(*token);
                    let Domain::Text { pattern, .. } = &token.domain else {
                        continue;
                    };
                    pattern.clone()
                }
            });
        }
        let built = dense::Builder::new()
            .configure(
                dense::Config::new()
                    .match_kind(MatchKind::All)
                    .start_kind(StartKind::Anchored)
                    .accelerate(false)
                    .dfa_size_limit(Some(DFA_BYTES))
                    .determinize_size_limit(Some(WORK_BYTES)),
            )
            .thompson(thompson::Config::new().nfa_size_limit(Some(WORK_BYTES)))
            .syntax(syntax::Config::new())
            .build_many(&patterns);
        let dfa = match built {
            Ok(dfa) => dfa,
            Err(_) => {
                sink.push(
                    Diagnostic::new(
                        E0507,
                        grammar.span,
                        "the language's words do not fit into a lexer of 8 MiB",
                        "in this language",
                    )
                    .help(
                        "shorten counted repetitions such as `{1,1000}`, and prefer ASCII \
                         classes such as `[a-z]` to Unicode ones such as `\\w`",
                    ),
                );
                return None;
            }
        };
        let lexer = Lexer::copy(&dfa, bnf);
        lexer.check(grammar, bnf, sink).then_some(lexer)
    }

    /// Copies the reachable part of regex-automata's table.
    fn copy(dfa: &dense::DFA<Vec<u32>>, bnf: &Bnf) -> Lexer {
        let classes = dfa.byte_classes();
        let mut class = Box::new([0u8; 256]);
        let mut sample: Vec<u8> = Vec::new();
        let mut index: BTreeMap<u8, u8> = BTreeMap::new();
        for byte in 0..=255u8 {
            let next = u8::try_from(index.len()).unwrap_or(u8::MAX);
            let own = *index.entry(classes.get(byte)).or_insert_with(|| {
                sample.push(byte);
                next
            });
            class[usize::from(byte)] = own;
        }
        let mut lexer = Lexer {
            class,
            classes: sample.len(),
            next: vec![DEAD; sample.len()],
            accept: vec![0],
            sets: vec![Vec::new()],
            reserved: BTreeMap::new(),
        };
        let Some(start) = dfa.universal_start_state(Anchored::Yes) else {
            // Only look-around makes the start depend on what stands before; it was refused.
            return lexer;
        };
        let mut known: BTreeMap<StateID, State> = BTreeMap::from([(start, START)]);
        let mut order = vec![start];
        let mut sets: BTreeMap<Vec<Term>, u16> = BTreeMap::new();
        let mut at = 0;
        while at < order.len() {
            let id = order[at];
            at += 1;
            for &byte in &sample {
                let to = dfa.next_state(id, byte);
                let to = if dfa.is_dead_state(to) || dfa.is_quit_state(to) {
                    DEAD
                } else {
                    let fresh = known.len() as State + 1;
                    *known.entry(to).or_insert_with(|| {
                        order.push(to);
                        fresh
                    })
                };
                lexer.next.push(to);
            }
            let end = dfa.next_eoi_state(id);
            let mut terms: Vec<Term> = if dfa.is_match_state(end) {
                (0..dfa.match_len(end))
                    .map(|i| Term(dfa.match_pattern(end, i).as_u32() as u16))
                    .collect()
            } else {
                Vec::new()
            };
            terms.sort_unstable();
            let literal = terms
                .iter()
                .copied()
                .find(|t| matches!(bnf.terminals[t.index()], Terminal::Literal(_)));
            if let Some(literal) = literal {
                let (texts, rest) = terms
                    .into_iter()
                    .partition(|t| matches!(bnf.terminals[t.index()], Terminal::Text(_)));
                terms = rest;
                lexer.reserved.insert(literal, texts);
            }
            let set = if terms.is_empty() {
                0
            } else {
                *sets.entry(terms).or_insert_with_key(|terms| {
                    lexer.sets.push(terms.clone());
                    u16::try_from(lexer.sets.len() - 1).unwrap_or(u16::MAX)
                })
            };
            lexer.accept.push(set);
        }
        lexer.drop_hopeless();
        lexer
    }

    /// Makes states from which nothing can end dead, so that the lexer stops early.
    fn drop_hopeless(&mut self) {
        let before = self.predecessors();
        let mut hope: Vec<bool> = self.accept.iter().map(|a| *a != 0).collect();
        let mut todo: Vec<usize> = (1..hope.len()).filter(|s| hope[*s]).collect();
        while let Some(state) = todo.pop() {
            for &from in &before[state] {
                if !std::mem::replace(&mut hope[from as usize], true) {
                    todo.push(from as usize);
                }
            }
        }
        for to in &mut self.next {
            if !hope[*to as usize] {
                *to = DEAD;
            }
        }
    }

    /// Reports tokens that begin with white space. (Empty words, and quoted ones with spaces,
    /// are refused by `resolve`.)
    fn check(&self, grammar: &Grammar, bnf: &Bnf, sink: &mut Sink) -> bool {
        let mut sound = true;
        for (index, terminal) in bnf.terminals.iter().enumerate() {
            let Terminal::Text(token) = terminal else {
                continue;
            };
            let spaced = [b' ', b'\t', b'\n', b'\r'].into_iter().any(|byte| {
                let to = self.step(START, byte);
                to != DEAD && self.finish(to, Term(index as u16)).is_some()
            });
            if spaced {
                sound = false;
                let token = grammar.token(*token);
                sink.push(
                    Diagnostic::new(
                        E0505,
                        token.span,
                        format!("a text of `{}` can begin with white space", token.name),
                        "declared here",
                    )
                    .note(
                        "white space between words is skipped before the next word is looked \
                         for, so such a text would lose its beginning",
                    )
                    .help("let the pattern begin with another character, such as a quote"),
                );
            }
        }
        sound
    }
}

/// How whole or real numbers are written. They have a sign only where some token of their kind has
/// a negative value, so that `a -1` stays a subtraction elsewhere.
pub(crate) fn number_pattern(grammar: &Grammar, real: bool) -> &'static str {
    let signed = grammar.tokens.iter().any(|token| match token.domain {
        Domain::Int { lo, .. } => !real && lo < 0,
        Domain::Real { lo, .. } => real && lo < 0.0,
        _ => false,
    });
    match (real, signed) {
        (false, false) => "[0-9]+",
        (false, true) => "-?[0-9]+",
        (true, false) => r"[0-9]+(\.[0-9]+)?",
        (true, true) => r"-?[0-9]+(\.[0-9]+)?",
    }
}
