//! An Earley parser that keeps the smallest derivations.
//!
//! In: words with the terminals each may be, or metavariables. Out: [`Chart`]. Afterwards
//! [`Chart::walk`] gives the derivation with the fewest steps, and further ones when the
//! sentence is ambiguous. Works for every grammar, with left recursion, empty productions and
//! cycles, in cubic time: meant for sentences of a page at most, not for programs at large.
//!
//! An item's links say how it was reached: the item before it and what it moved over. Smallest
//! derivations are found by relaxing links until nothing changes; since every rule costs a step, a
//! derivation is dearer than its parts, which makes cycles harmless and reading out finite.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::assemble::Step;
use super::bnf::{Action, Bnf, Nt, NtKind, Rule, Symbol, Term};
use crate::grammar::ids::{NtId, SortId, TokenId};
use crate::grammar::ir::{Grammar, NonterminalKind};

/// Most items of a chart.
const MAX_ITEMS: usize = 400_000;
/// Most links of a chart.
const MAX_LINKS: usize = 2_000_000;

/// A word of the sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// A lexeme with the terminals it may be, and its bytes.
    Lexeme {
        terms: Vec<Term>,
        start: u32,
        end: u32,
    },
    /// The metavariable of this index: stands for any sort or token, or only for this one.
    Hole(u32, Option<Stands>),
}

/// What a metavariable stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stands {
    /// A program of a sort.
    Sort(SortId),
    /// A value of a token.
    Token(TokenId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Item {
    rule: Rule,
    dot: u16,
    origin: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    /// The word before the item's end.
    Word,
    /// A complete item.
    Node(u32),
}

#[derive(Clone, Copy, Debug)]
struct Link {
    before: u32,
    over: Over,
}

/// One of an item's smallest derivations: its steps, by which link, and which of the derivations
/// of the item before and of the item moved over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Best {
    cost: u32,
    link: u32,
    before: u8,
    over: u8,
}

#[derive(Debug)]
struct Entry {
    item: Item,
    end: u32,
    links: Vec<Link>,
    best: Vec<Best>,
}

/// The items of a sentence.
#[derive(Debug)]
pub(crate) struct Chart<'a> {
    grammar: &'a Grammar,
    bnf: &'a Bnf,
    words: &'a [Word],
    entries: Vec<Entry>,
    /// Complete items of the goal over the whole sentence, with their derivations, smallest first.
    roots: Vec<(Best, u32)>,
    /// How many words could be read before nothing fitted any more.
    reached: usize,
}

/// The sentence is too long or too ambiguous to chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMuch;

struct Builder<'a> {
    grammar: &'a Grammar,
    bnf: &'a Bnf,
    words: &'a [Word],
    entries: Vec<Entry>,
    known: BTreeMap<(Item, u32), u32>,
    /// Per end: items before a nonterminal, and complete ones by nonterminal and origin.
    waiting: Vec<BTreeMap<Nt, Vec<u32>>>,
    complete: Vec<BTreeMap<(Nt, u32), Vec<u32>>>,
    predicted: BTreeSet<Nt>,
    todo: Vec<u32>,
    links: usize,
}

impl<'a> Chart<'a> {
    /// Reads the words as `goal` and keeps this many derivations.
    pub fn new(
        grammar: &'a Grammar,
        bnf: &'a Bnf,
        goal: Nt,
        words: &'a [Word],
        keep: usize,
    ) -> Result<Chart<'a>, TooMuch> {
        let mut builder = Builder {
            grammar,
            bnf,
            words,
            entries: Vec::new(),
            known: BTreeMap::new(),
            waiting: vec![BTreeMap::new(); words.len() + 1],
            complete: vec![BTreeMap::new(); words.len() + 1],
            predicted: BTreeSet::new(),
            todo: Vec::new(),
            links: 0,
        };
        let mut reached = 0;
        builder.predict(goal, 0);
        let mut next: Vec<(Item, u32)> = Vec::new();
        for end in 0..=words.len() {
            if end > 0 {
                builder.predicted.clear();
                for (item, before) in std::mem::take(&mut next) {
                    builder.add(
                        item,
                        end as u32,
                        Some(Link {
                            before,
                            over: Over::Word,
                        }),
                    );
                }
                if builder.todo.is_empty() {
                    break;
                }
            }
            reached = end;
            while let Some(id) = builder.todo.pop() {
                if builder.entries.len() > MAX_ITEMS || builder.links > MAX_LINKS {
                    return Err(TooMuch);
                }
                if let Some(moved) = builder.process(id, end as u32) {
                    next.push((moved, id));
                }
            }
        }
        let mut chart = Chart {
            grammar,
            bnf,
            words,
            roots: Vec::new(),
            reached,
            entries: builder.entries,
        };
        chart.relax(keep)?;
        if reached == words.len() {
            let goals = builder.complete[words.len()].get(&(goal, 0));
            for &id in goals.into_iter().flatten() {
                let best = &chart.entries[id as usize].best;
                chart.roots.extend(best.iter().map(|b| (*b, id)));
            }
            chart
                .roots
                .sort_by_key(|(best, id)| (best.cost, *id, *best));
        }
        Ok(chart)
    }

    /// Number of words that begin some sentence.
    pub fn reached(&self) -> usize {
        self.reached
    }

    /// What could stand behind the words that were read: quoted words, and the names of sorts and
    /// tokens.
    pub fn expected(&self) -> Vec<String> {
        let mut found = BTreeSet::new();
        for entry in &self.entries {
            let begun = entry.item.dot > 0 || self.reached == 0;
            if entry.end as usize != self.reached || !begun {
                continue;
            }
            let rhs = &self.bnf.productions[entry.item.rule.index()].rhs;
            if let Some(part) = rhs.get(usize::from(entry.item.dot)) {
                found.insert(match part.child {
                    Some((_, nt)) => self.grammar.nonterminal_name(item_of(self.grammar, nt)),
                    None => self.bnf.symbol_name(self.grammar, part.symbol),
                });
            }
        }
        found.into_iter().collect()
    }

    fn relax(&mut self, keep: usize) -> Result<(), TooMuch> {
        // Costs only sink, so this ends; the bound is for safety.
        for _ in 0..1_000 {
            let mut changed = false;
            for id in 0..self.entries.len() {
                let entry = &self.entries[id];
                let mut best: Vec<Best> = Vec::new();
                if entry.item.dot == 0 {
                    best.push(Best {
                        cost: 1,
                        link: 0,
                        before: 0,
                        over: 0,
                    });
                }
                for (index, link) in (0u32..).zip(&entry.links) {
                    let one = [Best {
                        cost: 0,
                        link: 0,
                        before: 0,
                        over: 0,
                    }];
                    let over = match link.over {
                        Over::Word => one.as_slice(),
                        Over::Node(node) => &self.entries[node as usize].best,
                    };
                    for (i, a) in (0u8..).zip(&self.entries[link.before as usize].best) {
                        for (j, b) in (0u8..).zip(over) {
                            best.push(Best {
                                cost: a.cost.saturating_add(b.cost),
                                link: index,
                                before: i,
                                over: j,
                            });
                        }
                    }
                }
                best.sort_unstable();
                best.truncate(keep);
                if best != self.entries[id].best {
                    self.entries[id].best = best;
                    changed = true;
                }
            }
            if !changed {
                return Ok(());
            }
        }
        Err(TooMuch)
    }

    /// The derivation of a rank (0 the smallest) as steps in preorder with the
    /// children from the last to the first, which `assemble` walks; `None` when there is none.
    pub fn steps(&self, rank: usize) -> Option<Vec<Step>> {
        let mut steps = Vec::new();
        self.walk(rank, true, |over| match over {
            Node::Rule(rule) => {
                let action = self.bnf.productions[rule.index()].action;
                if !matches!(action, Action::Start | Action::Pass) {
                    steps.push(Step::Rule(rule));
                }
            }
            Node::Word(index, symbol) => match (&self.words[index], symbol) {
                (Word::Hole(hole, _), _) => steps.push(Step::Hole(*hole)),
                (Word::Lexeme { start, end, .. }, Symbol::T(term)) => {
                    let word = !matches!(
                        self.bnf.terminals[term.index()],
                        super::bnf::Terminal::Literal(_)
                    );
                    if word {
                        steps.push(Step::Word(*start, *end));
                    }
                }
                _ => {}
            },
        })?;
        // `assemble` walks steps backwards.
        steps.reverse();
        Some(steps)
    }

    /// Walks a derivation in preorder, children from left to right or from right to left.
    pub fn walk(&self, rank: usize, mirrored: bool, mut visit: impl FnMut(Node)) -> Option<()> {
        let (best, id) = self.roots.get(rank)?;
        let mut todo = vec![Todo::Entry(*id, *best)];
        while let Some(next) = todo.pop() {
            let (mut id, mut best) = match next {
                Todo::Word(index, symbol) => {
                    visit(Node::Word(index, symbol));
                    continue;
                }
                Todo::Entry(id, best) => (id, best),
            };
            let rule = self.entries[id as usize].item.rule;
            visit(Node::Rule(rule));
            let first = todo.len();
            loop {
                let entry = &self.entries[id as usize];
                let Some(link) = entry.links.get(best.link as usize) else {
                    break;
                };
                if entry.item.dot == 0 {
                    break;
                }
                let dot = usize::from(entry.item.dot) - 1;
                let symbol = self.bnf.productions[rule.index()].rhs[dot].symbol;
                todo.push(match link.over {
                    Over::Word => Todo::Word(entry.end as usize - 1, symbol),
                    Over::Node(node) => Todo::Entry(
                        node,
                        *self.entries[node as usize]
                            .best
                            .get(usize::from(best.over))?,
                    ),
                });
                id = link.before;
                best = *self.entries[id as usize]
                    .best
                    .get(usize::from(best.before))?;
            }
            // They were found from the last to the first, so the first is on top.
            if mirrored {
                todo[first..].reverse();
            }
        }
        Some(())
    }
}

/// A node of a derivation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    Rule(Rule),
    /// The word of this index, read as this symbol.
    Word(usize, Symbol),
}

enum Todo {
    Entry(u32, Best),
    Word(usize, Symbol),
}

impl Builder<'_> {
    fn predict(&mut self, nt: Nt, end: u32) {
        if !self.predicted.insert(nt) {
            return;
        }
        for &rule in &self.bnf.of[nt.index()] {
            let item = Item {
                rule,
                dot: 0,
                origin: end,
            };
            self.add(item, end, None);
        }
    }

    fn add(&mut self, item: Item, end: u32, link: Option<Link>) {
        let id = match self.known.get(&(item, end)) {
            Some(id) => *id,
            None => {
                let id = self.entries.len() as u32;
                self.entries.push(Entry {
                    item,
                    end,
                    links: Vec::new(),
                    best: Vec::new(),
                });
                self.known.insert((item, end), id);
                self.todo.push(id);
                id
            }
        };
        if let Some(link) = link {
            self.links += 1;
            self.entries[id as usize].links.push(link);
        }
    }

    /// Handles an item once; the item after the word that comes next, when it fits.
    fn process(&mut self, id: u32, end: u32) -> Option<Item> {
        let item = self.entries[id as usize].item;
        let production = &self.bnf.productions[item.rule.index()];
        let moved = Item {
            dot: item.dot + 1,
            ..item
        };
        let Some(part) = production.rhs.get(usize::from(item.dot)) else {
            let lhs = production.lhs;
            self.complete[end as usize]
                .entry((lhs, item.origin))
                .or_default()
                .push(id);
            let waiting = self.waiting[item.origin as usize].get(&lhs).cloned();
            for before in waiting.into_iter().flatten() {
                let of = self.entries[before as usize].item;
                let link = Link {
                    before,
                    over: Over::Node(id),
                };
                self.add(
                    Item {
                        dot: of.dot + 1,
                        ..of
                    },
                    end,
                    Some(link),
                );
            }
            return None;
        };
        if let Symbol::N(nt) = part.symbol {
            self.waiting[end as usize].entry(nt).or_default().push(id);
            self.predict(nt, end);
            // Complete already: it was empty.
            let done = self.complete[end as usize].get(&(nt, end)).cloned();
            for node in done.into_iter().flatten() {
                let link = Link {
                    before: id,
                    over: Over::Node(node),
                };
                self.add(moved, end, Some(link));
            }
        }
        let fits = match (self.words.get(end as usize)?, part.symbol) {
            (Word::Lexeme { terms, .. }, Symbol::T(term)) => terms.contains(&term),
            (Word::Lexeme { .. }, Symbol::N(_)) => false,
            (Word::Hole(_, only), Symbol::T(term)) => match part.child {
                // In place, or as an item of a list.
                Some((_, nt)) => self.stands(item_of(self.grammar, nt), *only),
                None => {
                    let word = !matches!(
                        self.bnf.terminals[term.index()],
                        super::bnf::Terminal::Literal(_)
                    );
                    let token = |only| match only {
                        Stands::Token(token) => self.bnf.token[token.index()] == Some(term),
                        Stands::Sort(_) => false,
                    };
                    word && only.is_none_or(token)
                }
            },
            (Word::Hole(_, only), Symbol::N(nt)) => match self.bnf.nonterminals[nt.index()] {
                NtKind::Of(nt) => self.stands(nt, *only),
                _ => false,
            },
        };
        fits.then_some(moved)
    }

    /// Whether a metavariable may stand for a nonterminal.
    fn stands(&self, nt: NtId, only: Option<Stands>) -> bool {
        let own = match self.grammar.nonterminal(nt).kind {
            NonterminalKind::Sort { sort, .. } => Stands::Sort(sort),
            NonterminalKind::Token(token) => Stands::Token(token),
            _ => return false,
        };
        only.is_none_or(|only| only == own)
    }
}

/// What a list or an option holds.
pub(crate) fn item_of(grammar: &Grammar, nt: NtId) -> NtId {
    match grammar.nonterminal(nt).kind {
        NonterminalKind::List { item, .. } | NonterminalKind::Optional { item } => {
            item_of(grammar, item)
        }
        _ => nt,
    }
}
