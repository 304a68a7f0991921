//! Why a grammar has no parser: ambiguities with two readings, look-ahead that does not suffice,
//! words that share a text.
//!
//! In: the [`Automaton`] with all its actions. Out: diagnostics. Afterwards, when there were none,
//! every cell has one action, and where a lexeme may be several terminals they act alike.
//!
//! For a conflict a witness is sought: from a shortest way to the state, both choices are followed
//! at once on two stacks, by whole symbols with their shortest texts, until both accept the same
//! sentence. What is found is confirmed by the chart parser, which also gives the two readings.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use super::bnf::{Action, Bnf, Nt, NtKind, Part, Rule, Symbol, Term, Terminal};
use super::chart::{Chart, Node, Word, item_of};
use super::lexer::{Lexer, START, State};
use super::lr::{Act, Automaton, Firsts};
use crate::diag::codes::{E0501, E0502, E0503};
use crate::diag::{Diagnostic, Sink};
use crate::grammar::ids::{NtId, TokenId};
use crate::grammar::ir::{Domain, Grammar, NonterminalKind};
use crate::source::Span;

/// Most conflicts explained; the rest is counted.
const MAX_REPORTS: usize = 6;
/// Most cells tried for a witness of one pair of productions.
const MAX_CELLS: usize = 6;
/// Most ways to a state tried.
const MAX_WAYS: usize = 4;
/// Most pairs of stacks followed from one way.
const MAX_PAIRS: usize = 4_000;
/// Most stacks that reductions on one word may lead to.
const MAX_FORKS: usize = 64;
/// Longest witness in words.
const MAX_WORDS: usize = 200;
/// Most readings of a witness among which the two that show the conflict are sought.
const MAX_READINGS: usize = 12;
/// Most values looked at for one that two tokens share.
const MAX_VALUES: u32 = 100_000;

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

/// Shortest texts.
struct Texts {
    /// Per terminal a text that is lexed as it.
    term: Vec<String>,
    /// Per nonterminal a shortest sentence, `None` when it has none.
    nt: Vec<Option<Vec<Term>>>,
}

impl Texts {
    fn new(grammar: &Grammar, bnf: &Bnf, lexer: &Lexer) -> Texts {
        let paths = lexer.paths();
        let term = (0..bnf.terminals.len())
            .map(|index| {
                let term = Term(index as u16);
                if let Terminal::Literal(literal) = &bnf.terminals[index] {
                    return grammar.literal(*literal).to_string();
                }
                let best = (START..lexer.states() as State)
                    .filter(|s| lexer.accepts(*s).contains(&term))
                    .map(|s| paths.to(s))
                    .min_by_key(Vec::len);
                String::from_utf8_lossy(&best.unwrap_or_default()).into_owned()
            })
            .collect();
        let mut nt: Vec<Option<Vec<Term>>> = vec![None; bnf.nonterminals.len()];
        loop {
            let mut changed = false;
            for production in &bnf.productions {
                let mut sentence = Some(Vec::new());
                for part in &production.rhs {
                    match (part.symbol, &mut sentence) {
                        (Symbol::T(term), Some(words)) => words.push(term),
                        (Symbol::N(of), Some(words)) => match &nt[of.index()] {
                            Some(more) => words.extend(more),
                            None => sentence = None,
                        },
                        (_, None) => break,
                    }
                }
                let have = &mut nt[production.lhs.index()];
                if let Some(words) = sentence
                    && words.len() <= MAX_WORDS
                    && have.as_ref().is_none_or(|h| words.len() < h.len())
                {
                    *have = Some(words);
                    changed = true;
                }
            }
            if !changed {
                return Texts { term, nt };
            }
        }
    }

    fn of(&self, symbol: Symbol) -> Option<Vec<Term>> {
        match symbol {
            Symbol::T(term) => Some(vec![term]),
            Symbol::N(nt) => self.nt[nt.index()].clone(),
        }
    }
}

/// An ambiguous sentence.
struct Witness {
    text: String,
    readings: [String; 2],
}

/// Stacks that lead to a state, with the symbols on the way; shortest sentences first.
fn ways(automaton: &Automaton, texts: &Texts, target: u32) -> Vec<(Vec<u32>, Vec<Symbol>)> {
    let mut heap = BinaryHeap::from([Reverse((0usize, vec![0u32], Vec::<Symbol>::new()))]);
    let mut visits = vec![0usize; automaton.states.len()];
    let mut found = Vec::new();
    while let Some(Reverse((cost, stack, symbols))) = heap.pop() {
        let Some(&top) = stack.last() else { continue };
        visits[top as usize] += 1;
        if visits[top as usize] > MAX_WAYS {
            continue;
        }
        if top == target {
            found.push((stack.clone(), symbols.clone()));
            if found.len() >= MAX_WAYS {
                break;
            }
        }
        for (symbol, to) in &automaton.states[top as usize].edges {
            let Some(text) = texts.of(*symbol) else {
                continue;
            };
            if visits[*to as usize] >= MAX_WAYS || cost + text.len() > MAX_WORDS {
                continue;
            }
            let (mut stack, mut symbols) = (stack.clone(), symbols.clone());
            stack.push(*to);
            symbols.push(*symbol);
            heap.push(Reverse((cost + text.len(), stack, symbols)));
        }
    }
    found
}

/// What a stack can become on a terminal.
#[derive(Default)]
struct Moves {
    /// After its reductions, the terminal shifted.
    shifted: Vec<Vec<u32>>,
    /// After some of its reductions, nothing shifted.
    reduced: Vec<Vec<u32>>,
    /// Whether it can accept (at the end of the text).
    accepts: bool,
}

/// Follows every choice of actions on a terminal; the first action may be given.
fn moves(bnf: &Bnf, automaton: &Automaton, stack: &[u32], term: Term, first: Option<Act>) -> Moves {
    let mut moves = Moves::default();
    let mut todo = vec![(stack.to_vec(), first)];
    let mut seen: BTreeSet<Vec<u32>> = BTreeSet::new();
    while let Some((stack, forced)) = todo.pop() {
        let Some(&top) = stack.last() else { continue };
        let acts = match forced {
            Some(act) => vec![act],
            None => {
                moves.reduced.push(stack.clone());
                automaton.actions(top, term)
            }
        };
        for act in acts {
            match act {
                Act::Shift(to) => {
                    let mut next = stack.clone();
                    next.push(to);
                    moves.shifted.push(next);
                }
                Act::Reduce(Rule(0)) => moves.accepts = true,
                Act::Reduce(rule) => {
                    let production = &bnf.productions[rule.index()];
                    let Some(keep) = stack.len().checked_sub(production.rhs.len()) else {
                        continue;
                    };
                    let mut next = stack[..keep].to_vec();
                    let to = next
                        .last()
                        .and_then(|top| automaton.goto(*top, production.lhs));
                    let Some(to) = to else { continue };
                    next.push(to);
                    if next.len() <= 4 * MAX_WORDS
                        && seen.len() < MAX_FORKS
                        && seen.insert(next.clone())
                    {
                        todo.push((next, None));
                    }
                }
            }
        }
    }
    moves
}

fn find_witness(
    grammar: &Grammar,
    bnf: &Bnf,
    automaton: &Automaton,
    texts: &Texts,
    cell: &Cell,
) -> Option<Witness> {
    for (stack, symbols) in ways(automaton, texts, cell.state) {
        let mut words: Vec<Term> = Vec::new();
        for symbol in symbols {
            words.extend(texts.of(symbol)?);
        }
        let found = follow(bnf, automaton, texts, cell, &stack, words);
        if let Some(witness) = found.and_then(|words| confirm(grammar, bnf, texts, cell, &words)) {
            return Some(witness);
        }
    }
    None
}

/// A sentence that begins with `words` and is accepted by both actions of the cell.
fn follow(
    bnf: &Bnf,
    automaton: &Automaton,
    texts: &Texts,
    cell: &Cell,
    stack: &[u32],
    words: Vec<Term>,
) -> Option<Vec<Term>> {
    let a = moves(bnf, automaton, stack, cell.term, Some(cell.a));
    let b = moves(bnf, automaton, stack, cell.term, Some(cell.b));
    if cell.term == automaton.end() {
        return (a.accepts && b.accepts).then_some(words);
    }
    let mut words = words;
    words.push(cell.term);
    type Pair = (Vec<u32>, Vec<u32>);
    let mut heap: BinaryHeap<Reverse<(usize, Vec<Term>, Pair)>> = BinaryHeap::new();
    let mut seen: BTreeSet<Pair> = BTreeSet::new();
    // Short sentences first, and shallow stacks, which are nearer to their end.
    let cost = |words: &[Term], x: &[u32], y: &[u32]| words.len() + (x.len() + y.len()) / 2;
    for x in &a.shifted {
        for y in &b.shifted {
            let pair = (x.clone(), y.clone());
            if seen.insert(pair.clone()) {
                heap.push(Reverse((cost(&words, x, y), words.clone(), pair)));
            }
        }
    }
    let symbols: Vec<(Symbol, Vec<Term>)> = (0..bnf.terminals.len())
        .map(|t| Symbol::T(Term(t as u16)))
        .chain((0..bnf.nonterminals.len()).map(|n| Symbol::N(Nt(n as u16))))
        .filter_map(|symbol| Some((symbol, texts.of(symbol)?)))
        .filter(|(_, text)| !text.is_empty())
        .collect();
    for _ in 0..MAX_PAIRS {
        let Reverse((_, words, (x, y))) = heap.pop()?;
        let end = automaton.end();
        if moves(bnf, automaton, &x, end, None).accepts
            && moves(bnf, automaton, &y, end, None).accepts
        {
            return Some(words);
        }
        if words.len() >= MAX_WORDS {
            continue;
        }
        // Moves depend on the first word alone.
        let mut by_word: BTreeMap<Term, (Moves, Moves)> = BTreeMap::new();
        for (symbol, text) in &symbols {
            let word = text[0];
            let (mx, my) = by_word.entry(word).or_insert_with(|| {
                (
                    moves(bnf, automaton, &x, word, None),
                    moves(bnf, automaton, &y, word, None),
                )
            });
            let after = |moves: &Moves| -> Vec<Vec<u32>> {
                match symbol {
                    Symbol::T(_) => moves.shifted.clone(),
                    Symbol::N(nt) => moves
                        .reduced
                        .iter()
                        .filter_map(|stack| {
                            let to = automaton.goto(*stack.last()?, *nt)?;
                            let mut next = stack.clone();
                            next.push(to);
                            Some(next)
                        })
                        .collect(),
                }
            };
            for x in after(mx) {
                for y in after(my) {
                    let pair = (x.clone(), y);
                    if seen.len() < 40 * MAX_PAIRS && seen.insert(pair.clone()) {
                        let mut words = words.clone();
                        words.extend(text);
                        heap.push(Reverse((cost(&words, &pair.0, &pair.1), words, pair)));
                    }
                }
            }
        }
    }
    None
}

/// Reads the sentence with the chart parser, takes the two readings that part at the cell, chooses
/// values that both allow, and writes them down; `None` when their tokens have no value in common.
fn confirm(
    grammar: &Grammar,
    bnf: &Bnf,
    texts: &Texts,
    cell: &Cell,
    words: &[Term],
) -> Option<Witness> {
    let sentence: Vec<Word> = words
        .iter()
        .map(|term| Word::Lexeme {
            terms: vec![*term],
            start: 0,
            end: 0,
        })
        .collect();
    let chart = Chart::new(grammar, bnf, Nt(0), &sentence, MAX_READINGS).ok()?;
    let mut trees: Vec<Vec<Node>> = Vec::new();
    for rank in 0..MAX_READINGS {
        let mut nodes = Vec::new();
        if chart.walk(rank, false, |node| nodes.push(node)).is_none() {
            break;
        }
        trees.push(nodes);
    }
    let runs: Vec<Vec<Option<Rule>>> = trees.iter().map(|tree| run(bnf, tree)).collect();
    let rule = |act: Act| match act {
        Act::Shift(_) => None,
        Act::Reduce(rule) => Some(rule),
    };
    let wanted = (rule(cell.a), rule(cell.b));
    let pairs = (0..trees.len()).flat_map(|i| (i + 1..trees.len()).map(move |j| (i, j)));
    let parting = |(i, j): &(usize, usize)| {
        let mut both = runs[*i].iter().zip(&runs[*j]);
        let at = both.find(|(a, b)| a != b);
        at.is_some_and(|(a, b)| (*a, *b) == wanted || (*b, *a) == wanted)
    };
    // Further ambiguities of the sentence may push the pair out of reach; any two will do then.
    let (i, j) = pairs.clone().find(parting).or(pairs.clone().next())?;
    let trees = [trees.swap_remove(j), trees.swap_remove(i)];
    let tokens: Vec<Vec<Option<TokenId>>> = trees
        .iter()
        .map(|tree| word_tokens(grammar, bnf, tree, words.len()))
        .collect();
    let written: Vec<String> = words
        .iter()
        .enumerate()
        .map(|(i, term)| match (tokens[0][i], tokens[1][i]) {
            (Some(a), Some(b)) => common_value(grammar, texts, *term, a, b),
            _ => Some(texts.term[term.index()].clone()),
        })
        .collect::<Option<_>>()?;
    let reading = |tree: &[Node]| bracketed(grammar, bnf, tree, &written);
    Some(Witness {
        text: written.join(" "),
        readings: [reading(&trees[0]), reading(&trees[1])],
    })
}

/// What the parser does for a reading: reductions, and `None` for words.
fn run(bnf: &Bnf, tree: &[Node]) -> Vec<Option<Rule>> {
    let mut out = Vec::new();
    // Rules not finished, with the number of symbols still to come.
    let mut open: Vec<(Rule, usize)> = Vec::new();
    for node in tree {
        match node {
            Node::Word(..) => out.push(None),
            Node::Rule(rule) => {
                open.push((*rule, bnf.productions[rule.index()].rhs.len()));
                if open.last().is_some_and(|(_, left)| *left > 0) {
                    continue;
                }
            }
        }
        // A word or an empty rule is finished; so may be what it ends.
        if matches!(node, Node::Word(..))
            && let Some((_, left)) = open.last_mut()
        {
            *left -= 1;
        }
        while let Some((rule, 0)) = open.last() {
            out.push(Some(*rule));
            open.pop();
            if let Some((_, left)) = open.last_mut() {
                *left -= 1;
            }
        }
    }
    out
}

/// A text that is a value of both tokens.
fn common_value(
    grammar: &Grammar,
    texts: &Texts,
    term: Term,
    a: TokenId,
    b: TokenId,
) -> Option<String> {
    let (a, b) = (&grammar.token(a).domain, &grammar.token(b).domain);
    if matches!(a, Domain::Text { .. }) {
        return Some(texts.term[term.index()].clone());
    }
    (0..a.count()?.min(MAX_VALUES))
        .map(|index| {
            let mut text = String::new();
            super::values::write_value(a, index, &mut text);
            text
        })
        .find(|text| super::values::value_index(b, text).is_some())
}

/// The token that each word is in a reading.
fn word_tokens(grammar: &Grammar, bnf: &Bnf, tree: &[Node], words: usize) -> Vec<Option<TokenId>> {
    let mut tokens = vec![None; words];
    // What stands at each symbol still to come, last first.
    let mut expected: Vec<Option<NtId>> = vec![None];
    for node in tree {
        let at = expected.pop().flatten();
        match node {
            Node::Word(index, _) => {
                if let Some(NonterminalKind::Token(token)) =
                    at.map(|nt| grammar.nonterminal(nt).kind)
                {
                    tokens[*index] = Some(token);
                }
            }
            Node::Rule(rule) => {
                let production = &bnf.productions[rule.index()];
                for part in production.rhs.iter().rev() {
                    expected.push(match part.child {
                        Some((_, nt)) => Some(item_of(grammar, nt)),
                        None => at,
                    });
                }
            }
        }
    }
    tokens
}

/// A reading as the text with a bracket and a name around every node: `[Add [Lit 1] + [Lit 2]]`.
fn bracketed(grammar: &Grammar, bnf: &Bnf, tree: &[Node], words: &[String]) -> String {
    enum Piece {
        Symbol,
        Close,
    }
    let mut out = String::new();
    let mut todo = vec![Piece::Symbol];
    let mut nodes = tree.iter();
    while let Some(piece) = todo.pop() {
        if matches!(piece, Piece::Close) {
            out.push(']');
            continue;
        }
        let spaced = |out: &mut String, text: &str| {
            if !out.is_empty() && !out.ends_with('[') {
                out.push(' ');
            }
            out.push_str(text);
        };
        match nodes.next() {
            None => break,
            Some(Node::Word(index, _)) => spaced(&mut out, &words[*index]),
            Some(Node::Rule(rule)) => {
                let production = &bnf.productions[rule.index()];
                if let Action::Node { production: id, .. } = production.action {
                    spaced(&mut out, "[");
                    out.push_str(&grammar.production(id).name);
                    todo.push(Piece::Close);
                }
                todo.extend(production.rhs.iter().map(|_| Piece::Symbol));
            }
        }
    }
    out
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
