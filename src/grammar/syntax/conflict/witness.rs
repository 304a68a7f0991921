//! Sentences with two readings.
//!
//! In: the automaton and a conflicting cell. Out: a [`Witness`], found by following both choices at
//! once on two stacks, by whole symbols with their shortest texts, until both accept the same
//! sentence. Afterwards the chart parser has confirmed that the sentence has both readings.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use super::super::bnf::{Action, Bnf, Nt, Rule, Symbol, Term, Terminal};
use super::super::chart::{Chart, Node, Word, item_of};
use super::super::lexer::{Lexer, START, State};
use super::super::lr::{Act, Automaton};
use super::*;

use crate::grammar::ids::{NtId, TokenId};
use crate::grammar::ir::{Domain, Grammar, NonterminalKind};

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

/// Shortest texts.
pub(super) struct Texts {
    /// Per terminal a text that is lexed as it.
    pub(super) term: Vec<String>,
    /// Per nonterminal a shortest sentence, `None` when it has none.
    nt: Vec<Option<Vec<Term>>>,
}

impl Texts {
    pub(super) fn new(grammar: &Grammar, bnf: &Bnf, lexer: &Lexer) -> Texts {
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

    pub(super) fn of(&self, symbol: Symbol) -> Option<Vec<Term>> {
        match symbol {
            Symbol::T(term) => Some(vec![term]),
            Symbol::N(nt) => self.nt[nt.index()].clone(),
        }
    }
}

/// An ambiguous sentence.
pub(super) struct Witness {
    pub(super) text: String,
    pub(super) readings: [String; 2],
}

/// Stacks that lead to a state, with the symbols on the way; shortest sentences first.
pub(super) fn ways(
    automaton: &Automaton,
    texts: &Texts,
    target: u32,
) -> Vec<(Vec<u32>, Vec<Symbol>)> {
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

pub(super) fn find_witness(
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
pub(super) fn confirm(
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
pub(super) fn run(bnf: &Bnf, tree: &[Node]) -> Vec<Option<Rule>> {
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
pub(super) fn common_value(
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
            super::super::values::write_value(a, index, &mut text);
            text
        })
        .find(|text| super::super::values::value_index(b, text).is_some())
}

/// The token that each word is in a reading.
pub(super) fn word_tokens(
    grammar: &Grammar,
    bnf: &Bnf,
    tree: &[Node],
    words: usize,
) -> Vec<Option<TokenId>> {
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
pub(super) fn bracketed(grammar: &Grammar, bnf: &Bnf, tree: &[Node], words: &[String]) -> String {
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
