//! Why a grammar has no parser: ambiguities with two readings, look-ahead that does not suffice,
//! words that share a text.
//!
//! In: the [`Automaton`] with all its actions. Out: diagnostics. Afterwards, when there were none,
//! every cell has one action, and where a lexeme may be several terminals they act alike.
//!
//! For a conflict a witness is sought: from a shortest way to the state, both choices are followed
//! at once on two stacks, by whole symbols with their shortest texts, until both accept the same
//! sentence. What is found is confirmed by the chart parser, which also gives the two readings.

use std::collections::{BTreeMap, BTreeSet};

mod witness;

use super::bnf::{Action, Bnf, NtKind, Part, Rule, Symbol, Term};
use super::chart::item_of;
use super::lexer::Lexer;
use super::lr::{Act, Automaton, Firsts};
use crate::diag::codes::{E0501, E0502, E0503};
use crate::diag::{Diagnostic, Sink};

use crate::grammar::ir::Grammar;
use crate::source::Span;
use witness::{Texts, Witness, find_witness, ways};

/// Most conflicts explained; the rest is counted.
const MAX_REPORTS: usize = 6;
/// Most cells tried for a witness of one pair of productions.
const MAX_CELLS: usize = 6;

/// Reports every conflict; true when there is none.
pub(super) fn report(
    grammar: &Grammar,
    bnf: &Bnf,
    lexer: &Lexer,
    automaton: &Automaton,
    firsts: &Firsts,
    sink: &mut Sink,
) -> bool {
    let shared = report_shared(grammar, bnf, lexer, automaton, sink);
    let mut groups: BTreeMap<(Rule, Rule), Vec<Cell>> = BTreeMap::new();
    for state in 0..automaton.states.len() as u32 {
        for term in conflicting(automaton, state) {
            let acts = automaton.actions(state, term);
            for (i, &a) in acts.iter().enumerate() {
                for &b in &acts[i + 1..] {
                    let cell = Cell { state, term, a, b };
                    groups
                        .entry(cell.rules(bnf, automaton, firsts))
                        .or_default()
                        .push(cell);
                }
            }
        }
    }
    if groups.is_empty() {
        return !shared;
    }
    let texts = Texts::new(grammar, bnf, lexer);
    // One production that may end too early is told once, whatever else it could be part of.
    let mut told: BTreeSet<String> = BTreeSet::new();
    let mut more: BTreeSet<String> = BTreeSet::new();
    for ((first, second), cells) in &groups {
        let name = bnf.rule_name(grammar, *first);
        if told.contains(&name) {
            continue;
        }
        if told.len() >= MAX_REPORTS {
            more.insert(name);
            continue;
        }
        let witness = cells
            .iter()
            .take(MAX_CELLS)
            .find_map(|cell| find_witness(grammar, bnf, automaton, &texts, cell));
        let goes_on = matches!(cells[0].a, Act::Shift(_));
        let pair = Pair {
            first: *first,
            second: *second,
            goes_on,
        };
        sink.push(match witness {
            Some(witness) => ambiguous(grammar, bnf, &pair, &witness),
            None => undecided(grammar, bnf, automaton, &texts, &pair, &cells[0]),
        });
        told.insert(name);
    }
    if !more.is_empty() {
        let span = bnf.span(grammar, groups.keys().next().map_or(Rule(0), |k| k.0));
        let names: Vec<String> = more.iter().take(8).map(|n| format!("`{n}`")).collect();
        sink.push(
            Diagnostic::new(
                E0502,
                span,
                format!("{} more productions have conflicts", more.len()),
                "beside this one",
            )
            .note(format!("among them {}", names.join(", ")))
            .help("mend those explained first; the rest often has the same cause"),
        );
    }
    false
}

fn conflicting(automaton: &Automaton, state: u32) -> Vec<Term> {
    let set = &automaton.states[state as usize];
    if set.reduces.is_empty() {
        return Vec::new();
    }
    (0..automaton.terms)
        .map(|t| Term(t as u16))
        .filter(|term| {
            let shift = set.edges.contains_key(&Symbol::T(*term));
            let reduces = set.reduces.iter().filter(|(_, on)| on.has(term.index()));
            usize::from(shift) + reduces.count() > 1
        })
        .collect()
}

/// Productions in each other's way.
struct Pair {
    /// May be complete.
    first: Rule,
    /// May go on, or be complete too.
    second: Rule,
    goes_on: bool,
}

impl Pair {
    /// The diagnostic's places.
    fn diagnostic(
        &self,
        grammar: &Grammar,
        bnf: &Bnf,
        code: crate::diag::Code,
        message: String,
    ) -> Diagnostic {
        let (one, other) = (
            bnf.rule_name(grammar, self.first),
            bnf.rule_name(grammar, self.second),
        );
        let (here, there) = (
            bnf.span(grammar, self.first),
            bnf.span(grammar, self.second),
        );
        let rest = if self.goes_on {
            "goes on"
        } else {
            "is complete"
        };
        if here == there {
            let label = format!("either `{one}` is complete, or it {rest}");
            return Diagnostic::new(code, here, message, label);
        }
        Diagnostic::new(code, here, message, format!("either `{one}` is complete"))
            .label(there, format!("or `{other}` {rest}"))
    }
}

/// Two actions of a state on a terminal.
struct Cell {
    state: u32,
    term: Term,
    a: Act,
    b: Act,
}

impl Cell {
    /// The rules in each other's way: one that is complete, and another that is or goes on.
    fn rules(&self, bnf: &Bnf, automaton: &Automaton, firsts: &Firsts) -> (Rule, Rule) {
        let rule = |act: Act| match act {
            Act::Reduce(rule) => rule,
            Act::Shift(_) => going_on(bnf, automaton, firsts, self.state, self.term),
        };
        // Shifts come first in a cell.
        (rule(self.b), rule(self.a))
    }
}

/// The rule of a kernel item that can go on with the terminal.
fn going_on(bnf: &Bnf, automaton: &Automaton, firsts: &Firsts, state: u32, term: Term) -> Rule {
    let kernel = &automaton.states[state as usize].kernel;
    let next = |of: fn(&Firsts, &Part, Term) -> bool| {
        kernel.iter().find(|item| {
            let rhs = &bnf.productions[item.rule.index()].rhs;
            rhs.get(usize::from(item.dot))
                .is_some_and(|part| of(firsts, part, term))
        })
    };
    next(|_, part, term| part.symbol == Symbol::T(term))
        .or_else(|| {
            next(|firsts, part, term| match part.symbol {
                Symbol::N(nt) => firsts.first[nt.index()].has(term.index()),
                Symbol::T(_) => false,
            })
        })
        .or(kernel.first())
        .map_or(Rule(0), |item| item.rule)
}

/// Reports lexemes whose terminals act differently in some state; whether there was one.
fn report_shared(
    grammar: &Grammar,
    bnf: &Bnf,
    lexer: &Lexer,
    automaton: &Automaton,
    sink: &mut Sink,
) -> bool {
    let mut told: BTreeSet<(Term, Term)> = BTreeSet::new();
    for (set, text) in lexer.overlaps() {
        for state in 0..automaton.states.len() as u32 {
            let mut acting: Vec<(Term, Vec<Act>)> = Vec::new();
            for &term in set {
                let acts = automaton.actions(state, term);
                if !acts.is_empty() {
                    acting.push((term, acts));
                }
            }
            let Some(((a, acts), rest)) = acting.split_first() else {
                continue;
            };
            let Some((b, _)) = rest.iter().find(|(_, other)| other != acts) else {
                continue;
            };
            if !told.insert((*a, *b)) {
                continue;
            }
            let (first, one) = standing(grammar, bnf, automaton, state, *a);
            let (second, other) = standing(grammar, bnf, automaton, state, *b);
            let diagnostic = Diagnostic::new(
                E0503,
                one,
                format!("`{text}` can be {first} or {second} at the same place"),
                format!("read as {first} here"),
            );
            let diagnostic = if one == other {
                diagnostic
            } else {
                diagnostic.label(other, format!("read as {second} here"))
            };
            sink.push(
                diagnostic
                    .note("a word's kind must follow from its text and from what stands before it")
                    .help("make the patterns differ, or put a quoted word before one of them"),
            );
        }
    }
    !told.is_empty()
}

/// What a terminal is in the production that a state reads it for, and where that is declared.
fn standing(
    grammar: &Grammar,
    bnf: &Bnf,
    automaton: &Automaton,
    state: u32,
    term: Term,
) -> (String, Span) {
    let set = &automaton.states[state as usize];
    let shifted = set.edges.get(&Symbol::T(term));
    if let Some(item) = shifted.and_then(|to| automaton.states[*to as usize].kernel.first()) {
        let rhs = &bnf.productions[item.rule.index()].rhs;
        let part = rhs.get(usize::from(item.dot) - 1);
        let name = match part.and_then(|p| p.child) {
            Some((_, nt)) => grammar.nonterminal_name(item_of(grammar, nt)),
            None => bnf.term_name(grammar, term),
        };
        return (name, bnf.span(grammar, item.rule));
    }
    let rule = set.reduces.iter().find(|(_, on)| on.has(term.index()));
    let rule = rule.map_or(Rule(0), |(rule, _)| *rule);
    (bnf.term_name(grammar, term), bnf.span(grammar, rule))
}

fn ambiguous(grammar: &Grammar, bnf: &Bnf, pair: &Pair, witness: &Witness) -> Diagnostic {
    let [a, b] = &witness.readings;
    let text = if witness.text.is_empty() {
        "the empty text has two readings".to_string()
    } else {
        format!("`{}` has two readings", witness.text)
    };
    let message = format!("the language is ambiguous: {text}");
    pair.diagnostic(grammar, bnf, E0501, message)
        .note(format!("one reading: {a}"))
        .note(format!("the other:   {b}"))
        .help(remedy(bnf, pair.first, pair.second))
}

/// What usually mends such an ambiguity.
fn remedy(bnf: &Bnf, first: Rule, second: Rule) -> &'static str {
    let production = &bnf.productions[first.index()];
    let symbols = |rule: Rule| bnf.productions[rule.index()].rhs.iter().map(|p| p.symbol);
    if first != second && symbols(first).eq(symbols(second)) {
        return "the two are written alike: write one differently, or leave it out";
    }
    let sort = |part: Option<&Part>| match part.map(|p| p.symbol) {
        Some(Symbol::N(nt)) => match bnf.nonterminals[nt.index()] {
            NtKind::Of(_) => Some(nt),
            _ => None,
        },
        _ => None,
    };
    let lhs = production.lhs;
    let ends_own = sort(production.rhs.last()) == Some(lhs);
    let begins_own = sort(bnf.productions[second.index()].rhs.first())
        == Some(bnf.productions[second.index()].lhs);
    if ends_own && begins_own {
        "put operators into `infix`, `prefix` or `postfix` tables, which say how tightly and to \
         which side they bind, or put brackets around one of the fields"
    } else if production.rhs.is_empty() || matches!(production.action, Action::More | Action::First)
    {
        "let what repeats or may be missing begin with a quoted word, or put one between the two"
    } else {
        "mark where one of them begins or ends by a quoted word, such as `end` or a bracket"
    }
}

fn undecided(
    grammar: &Grammar,
    bnf: &Bnf,
    automaton: &Automaton,
    texts: &Texts,
    pair: &Pair,
    cell: &Cell,
) -> Diagnostic {
    let prefix = ways(automaton, texts, cell.state)
        .into_iter()
        .next()
        .map(|(_, symbols)| {
            let words = symbols.into_iter().filter_map(|s| texts.of(s)).flatten();
            words
                .map(|t| texts.term[t.index()].clone())
                .collect::<Vec<_>>()
                .join(" ")
        })
        .unwrap_or_default();
    let next = bnf.term_name(grammar, cell.term);
    let after = if prefix.is_empty() {
        "at the beginning".to_string()
    } else {
        format!("after `{prefix}`")
    };
    let message = format!("{after}, {next} does not tell how to read on");
    pair.diagnostic(grammar, bnf, E0502, message)
        .note(
            "the parser decides by one word of look-ahead (LR(1)); no text with two readings was \
             found",
        )
        .help("let the two begin alike for longer, or put a quoted word where they part")
}
