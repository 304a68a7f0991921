//! LR(1) tables.
//!
//! In: a [`Bnf`] and which of its terminals overlap. Out: [`Automaton`] (item sets, all actions)
//! and from it [`Tables`]. Afterwards, when no cell holds two actions, the tables accept exactly
//! the sentences of the grammar, each with its one derivation; states are numbered in the same
//! order on every run.
//!
//! Why not lrtable, the obvious library: its item sets and edges are standard hash maps, so state
//! numbers and conflict lists differ from run to run, and diagnostics must not; a hostile grammar
//! can make its construction exponential and there is no way to stop it; it gives up with an
//! error on accept/reduce conflicts; and it knows nothing of terminals that share a text. The
//! method is the same: Pager's minimal LR(1) ("A practical general method for constructing LR(k)
//! parsers", Acta Informatica 7, 1977), full LR(1) power with about as many states as LALR(1).
//! lrtable serves the tests as an independent judge.

use std::collections::{BTreeMap, VecDeque};

use super::bits::Bits;
use super::bnf::{Bnf, Nt, Rule, Symbol, Term};

/// Most states; a large programming language has about 1,000.
const MAX_STATES: usize = 20_000;
/// Most words of look-ahead sets touched: seconds of work.
const MAX_WORK: usize = 400_000_000;
/// Most cells of the tables.
const MAX_CELLS: usize = 1 << 24;

/// A rule with a place in its right side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Item {
    pub rule: Rule,
    pub dot: u16,
}

/// What to do on a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Act {
    Shift(u32),
    /// By this rule; the start rule accepts.
    Reduce(Rule),
}

/// Item sets with edges. Terminals are those of the grammar and, last, the end of the text.
#[derive(Clone, Debug)]
pub(crate) struct Automaton {
    pub states: Vec<ItemSet>,
    pub terms: usize,
}

/// A state.
#[derive(Clone, Debug)]
pub(crate) struct ItemSet {
    /// Its kernel, sorted.
    pub kernel: Vec<Item>,
    looks: Vec<Bits>,
    pub edges: BTreeMap<Symbol, u32>,
    /// Rules to reduce by, with the terminals to reduce on.
    pub reduces: Vec<(Rule, Bits)>,
}

/// The tables are too large or too much work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

/// FIRST sets.
#[derive(Clone, Debug)]
pub(crate) struct Firsts {
    pub first: Vec<Bits>,
    /// Per rule and dot: the first terminals of what follows the symbol at the dot, and whether
    /// that may be empty.
    after: Vec<Vec<(Bits, bool)>>,
}

impl Firsts {
    pub fn new(bnf: &Bnf) -> Firsts {
        let terms = bnf.terminals.len() + 1;
        let mut first = vec![Bits::new(terms); bnf.nonterminals.len()];
        let mut empty = vec![false; bnf.nonterminals.len()];
        loop {
            let mut changed = false;
            for production in &bnf.productions {
                let (bits, all) = Firsts::of(&first, &empty, production.rhs.iter(), terms);
                let lhs = production.lhs.index();
                changed |= first[lhs].union(&bits);
                changed |= all && !std::mem::replace(&mut empty[lhs], true);
            }
            if !changed {
                break;
            }
        }
        let after = bnf
            .productions
            .iter()
            .map(|p| {
                (0..p.rhs.len())
                    .map(|dot| Firsts::of(&first, &empty, p.rhs[dot + 1..].iter(), terms))
                    .collect()
            })
            .collect();
        Firsts { first, after }
    }

    fn of<'a>(
        first: &[Bits],
        empty: &[bool],
        parts: impl Iterator<Item = &'a super::bnf::Part>,
        terms: usize,
    ) -> (Bits, bool) {
        let mut bits = Bits::new(terms);
        for part in parts {
            match part.symbol {
                Symbol::T(term) => {
                    bits.insert(term.index());
                    return (bits, false);
                }
                Symbol::N(nt) => {
                    bits.union(&first[nt.index()]);
                    if !empty[nt.index()] {
                        return (bits, false);
                    }
                }
            }
        }
        (bits, true)
    }
}

/// Which terminals share a text with which, each with itself; `None` when none does.
pub(crate) type Overlap = Option<Vec<Bits>>;

impl Automaton {
    /// Builds the automaton. Item sets merge only when no conflict can come of it, two terminals
    /// that share a text counting as one.
    pub fn build(bnf: &Bnf, overlap: &Overlap) -> Result<Automaton, TooLarge> {
        let terms = bnf.terminals.len() + 1;
        let firsts = Firsts::new(bnf);
        let mut work = 0usize;
        let mut end = Bits::new(terms);
        end.insert(terms - 1);
        let mut states = vec![ItemSet {
            kernel: vec![Item {
                rule: Rule(0),
                dot: 0,
            }],
            looks: vec![end],
            edges: BTreeMap::new(),
            reduces: Vec::new(),
        }];
        let mut by_kernel: BTreeMap<Vec<Item>, Vec<u32>> = BTreeMap::new();
        by_kernel.insert(states[0].kernel.clone(), vec![0]);
        let mut todo = VecDeque::from([0u32]);
        let mut waiting = vec![true];
        while let Some(id) = todo.pop_front() {
            waiting[id as usize] = false;
            let (next, reduces) = successors(bnf, &firsts, &states[id as usize], &mut work);
            let state = &mut states[id as usize];
            state.reduces = reduces;
            state.edges.clear();
            if work > MAX_WORK {
                return Err(TooLarge);
            }
            for (symbol, items) in next {
                let (kernel, looks): (Vec<Item>, Vec<Bits>) = items.into_iter().unzip();
                let known = by_kernel.entry(kernel.clone()).or_default();
                work += known.len() * looks.len() * looks.first().map_or(0, Bits::words);
                let covers = |s: &&u32| {
                    let have = &states[**s as usize].looks;
                    looks.iter().zip(have).all(|(new, old)| new.within(old))
                };
                let fits = |s: &&u32| compatible(&states[**s as usize].looks, &looks, overlap);
                let target = match known.iter().find(covers) {
                    Some(&same) => same,
                    None => match known.iter().find(fits).copied() {
                        Some(close) => {
                            for (have, new) in states[close as usize].looks.iter_mut().zip(&looks) {
                                have.union(new);
                            }
                            if !std::mem::replace(&mut waiting[close as usize], true) {
                                todo.push_back(close);
                            }
                            close
                        }
                        None => {
                            let fresh = states.len() as u32;
                            known.push(fresh);
                            states.push(ItemSet {
                                kernel,
                                looks,
                                edges: BTreeMap::new(),
                                reduces: Vec::new(),
                            });
                            waiting.push(true);
                            todo.push_back(fresh);
                            if states.len() > MAX_STATES {
                                return Err(TooLarge);
                            }
                            fresh
                        }
                    },
                };
                states[id as usize].edges.insert(symbol, target);
            }
        }
        let automaton = Automaton {
            states: reachable(states),
            terms,
        };
        let cells = automaton.states.len() * (terms + bnf.nonterminals.len());
        if cells > MAX_CELLS {
            return Err(TooLarge);
        }
        Ok(automaton)
    }

    /// Every action of a state on a terminal, the shift first.
    pub fn actions(&self, state: u32, term: Term) -> Vec<Act> {
        let state = &self.states[state as usize];
        let shift = state.edges.get(&Symbol::T(term)).map(|to| Act::Shift(*to));
        let reduces = state
            .reduces
            .iter()
            .filter(|(_, on)| on.has(term.index()))
            .map(|(rule, _)| Act::Reduce(*rule));
        shift.into_iter().chain(reduces).collect()
    }

    /// The state after a nonterminal.
    pub fn goto(&self, state: u32, nt: Nt) -> Option<u32> {
        self.states[state as usize]
            .edges
            .get(&Symbol::N(nt))
            .copied()
    }

    /// The end of the text.
    pub fn end(&self) -> Term {
        Term(u16::try_from(self.terms - 1).unwrap_or(u16::MAX))
    }
}

type Successors = BTreeMap<Symbol, Vec<(Item, Bits)>>;

/// Closes a state and moves over every symbol.
fn successors(
    bnf: &Bnf,
    firsts: &Firsts,
    state: &ItemSet,
    work: &mut usize,
) -> (Successors, Vec<(Rule, Bits)>) {
    let mut next: BTreeMap<Symbol, BTreeMap<Item, Bits>> = BTreeMap::new();
    let mut reduces: BTreeMap<Rule, Bits> = BTreeMap::new();
    let mut closure: BTreeMap<Nt, Bits> = BTreeMap::new();
    let mut todo: Vec<Nt> = Vec::new();
    let predict =
        |item: Item, look: &Bits, closure: &mut BTreeMap<Nt, Bits>, todo: &mut Vec<Nt>| {
            let rhs = &bnf.productions[item.rule.index()].rhs;
            let dot = usize::from(item.dot);
            let Some(Symbol::N(nt)) = rhs.get(dot).map(|p| p.symbol) else {
                return;
            };
            let (first, empty) = &firsts.after[item.rule.index()][dot];
            let mut bits = first.clone();
            if *empty {
                bits.union(look);
            }
            match closure.get_mut(&nt) {
                Some(have) => {
                    if have.union(&bits) && !todo.contains(&nt) {
                        todo.push(nt);
                    }
                }
                None => {
                    closure.insert(nt, bits);
                    todo.push(nt);
                }
            }
        };
    for (item, look) in state.kernel.iter().zip(&state.looks) {
        predict(*item, look, &mut closure, &mut todo);
    }
    while let Some(nt) = todo.pop() {
        let Some(look) = closure.get(&nt).cloned() else {
            continue;
        };
        for &rule in &bnf.of[nt.index()] {
            *work += look.words() + 4;
            predict(Item { rule, dot: 0 }, &look, &mut closure, &mut todo);
        }
    }
    let kernel = state
        .kernel
        .iter()
        .copied()
        .zip(state.looks.iter().cloned());
    let closed = closure.iter().flat_map(|(nt, look)| {
        bnf.of[nt.index()].iter().map(move |rule| {
            (
                Item {
                    rule: *rule,
                    dot: 0,
                },
                look.clone(),
            )
        })
    });
    for (item, look) in kernel.chain(closed) {
        *work += look.words();
        let rhs = &bnf.productions[item.rule.index()].rhs;
        match rhs.get(usize::from(item.dot)) {
            Some(part) => {
                let item = Item {
                    dot: item.dot + 1,
                    ..item
                };
                next.entry(part.symbol).or_default().insert(item, look);
            }
            None => match reduces.get_mut(&item.rule) {
                Some(have) => {
                    have.union(&look);
                }
                None => {
                    reduces.insert(item.rule, look);
                }
            },
        }
    }
    let next = next
        .into_iter()
        .map(|(symbol, items)| (symbol, items.into_iter().collect()))
        .collect();
    (next, reduces.into_iter().collect())
}

/// Pager's weak compatibility of two item sets with the same kernel.
fn compatible(a: &[Bits], b: &[Bits], overlap: &Overlap) -> bool {
    let meets = |x: &Bits, y: &Bits| match overlap {
        None => x.meets(y),
        Some(shared) => x.iter().any(|t| shared[t].meets(y)),
    };
    for i in 0..a.len() {
        for j in i + 1..a.len() {
            let crossed = meets(&a[i], &b[j]) || meets(&a[j], &b[i]);
            if crossed && !meets(&a[i], &a[j]) && !meets(&b[i], &b[j]) {
                return false;
            }
        }
    }
    true
}

/// Keeps the states that the start leads to, in breadth-first order: a merge may have left some
/// behind.
fn reachable(states: Vec<ItemSet>) -> Vec<ItemSet> {
    let mut number: Vec<Option<u32>> = vec![None; states.len()];
    let mut order = vec![0usize];
    number[0] = Some(0);
    let mut at = 0;
    while at < order.len() {
        for to in states[order[at]].edges.values() {
            let slot = &mut number[*to as usize];
            if slot.is_none() {
                *slot = Some(order.len() as u32);
                order.push(*to as usize);
            }
        }
        at += 1;
    }
    let mut states: Vec<Option<ItemSet>> = states.into_iter().map(Some).collect();
    order
        .into_iter()
        .filter_map(|old| {
            let mut state = states[old].take()?;
            for to in state.edges.values_mut() {
                *to = number[*to as usize].unwrap_or(0);
            }
            Some(state)
        })
        .collect()
}

/// The parser's tables.
#[derive(Clone, Debug)]
pub(crate) struct Tables {
    /// Terminals, the end of the text included.
    pub terms: usize,
    nonterminals: usize,
    /// 0: a mistake; odd: shift; else reduce by the half, less one.
    actions: Vec<u32>,
    /// The state after a nonterminal, 0 where there is none (nothing leads back to the start).
    gotos: Vec<u32>,
    /// Per rule: left side and length.
    pub rules: Vec<(Nt, u16)>,
    /// Per state its kernel, for error messages.
    pub kernels: Vec<Vec<Item>>,
}

impl Tables {
    /// The tables of an automaton without conflicts.
    pub fn new(bnf: &Bnf, automaton: &Automaton) -> Tables {
        let terms = automaton.terms;
        let nonterminals = bnf.nonterminals.len();
        let mut actions = vec![0u32; automaton.states.len() * terms];
        let mut gotos = vec![0u32; automaton.states.len() * nonterminals];
        for (id, state) in automaton.states.iter().enumerate() {
            for (rule, on) in &state.reduces {
                for term in on.iter() {
                    actions[id * terms + term] = (rule.0 + 1) << 1;
                }
            }
            for (symbol, to) in &state.edges {
                match symbol {
                    Symbol::T(term) => actions[id * terms + term.index()] = to << 1 | 1,
                    Symbol::N(nt) => gotos[id * nonterminals + nt.index()] = *to,
                }
            }
        }
        Tables {
            terms,
            nonterminals,
            actions,
            gotos,
            rules: bnf
                .productions
                .iter()
                .map(|p| (p.lhs, p.rhs.len() as u16))
                .collect(),
            kernels: automaton.states.iter().map(|s| s.kernel.clone()).collect(),
        }
    }

    /// What to do in a state on a terminal.
    #[inline]
    pub fn action(&self, state: u32, term: Term) -> Option<Act> {
        let cell = self.actions[state as usize * self.terms + term.index()];
        match cell {
            0 => None,
            _ if cell & 1 == 1 => Some(Act::Shift(cell >> 1)),
            _ => Some(Act::Reduce(Rule((cell >> 1) - 1))),
        }
    }

    /// The state after a nonterminal.
    #[inline]
    pub fn goto(&self, state: u32, nt: Nt) -> u32 {
        self.gotos[state as usize * self.nonterminals + nt.index()]
    }

    /// Number of states.
    pub fn states(&self) -> usize {
        self.kernels.len()
    }

    /// The end of the text.
    pub fn end(&self) -> Term {
        Term(u16::try_from(self.terms - 1).unwrap_or(u16::MAX))
    }
}
