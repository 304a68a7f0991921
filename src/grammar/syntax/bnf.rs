//! The context-free grammar behind a language's concrete syntax.
//!
//! In: [`Grammar`]. Out: [`Bnf`], plain productions over terminals and nonterminals. Afterwards
//! its derivations and the language's programs correspond one to one, so that a sentence with two
//! derivations is a text with two readings.
//!
//! What differs from the IR, and why:
//! - a list is `L -> item | L separator item`, left-recursive for a shallow parser stack, although
//!   programs hold cons lists; all lists of one item and separator share `L`, whatever their least
//!   number of items and weight, so that the parser need not foresee which of them it is in;
//! - an option or a list that may be empty is written out: a production with k of them becomes 2^k
//!   ones. A parser then decides what is missing when it sees what follows instead of before, which
//!   spares many conflicts. Past [`MAX_VARIANTS`] the rest become nonterminals that may be empty;
//! - integer, real and text tokens are terminals in place, so that two tokens written alike do not
//!   compete; a finite token is a nonterminal over its quoted values.

use std::collections::BTreeMap;

use crate::grammar::ids::{LiteralId, NtId, ProdId, TokenId};
use crate::grammar::ir::{Domain, Grammar, NonterminalKind, SyntaxItem};
use crate::source::Span;

/// Most productions that one production of the language is written out into.
const MAX_VARIANTS: u32 = 16;

/// A terminal of [`Bnf::terminals`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Term(pub u16);

/// A nonterminal of [`Bnf::nonterminals`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Nt(pub u16);

/// A production of [`Bnf::productions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Rule(pub u32);

impl Term {
    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl Nt {
    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl Rule {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A terminal or a nonterminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Symbol {
    T(Term),
    N(Nt),
}

/// What a terminal stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Terminal {
    /// A quoted terminal.
    Literal(LiteralId),
    /// Every integer token.
    Int,
    /// Every real token.
    Real,
    /// The text tokens with this pattern; the first of them.
    Text(TokenId),
}

/// What a nonterminal stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NtKind {
    /// The start, followed by the end of the text.
    Start,
    /// A nonterminal of the grammar: a sort at a level, or a finite token.
    Of(NtId),
    /// One item or more; shared by all lists of these.
    List(Symbol, Option<LiteralId>),
    /// One of these or nothing.
    Maybe(Symbol),
}

/// A production.
#[derive(Clone, Debug)]
pub(crate) struct Production {
    pub lhs: Nt,
    pub rhs: Vec<Part>,
    /// Whether printing glues what follows to the last part (or to what stands before an empty
    /// right side).
    pub glue_end: bool,
    pub action: Action,
}

/// A part of a right side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub symbol: Symbol,
    /// Which child of the production it is, and of which nonterminal of the grammar.
    pub child: Option<(u16, NtId)>,
    /// Whether printing leaves no space before it.
    pub glue: bool,
}

/// What a derivation step means for the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// The whole program.
    Start,
    /// From one binding strength to a tighter one: no node.
    Pass,
    /// A node of this production. Bit i of `absent`: child i is empty; of `maybe`: child i is
    /// a [`NtKind::Maybe`].
    Node {
        production: ProdId,
        absent: u64,
        maybe: u64,
    },
    /// The finite token's value of this index.
    Finite { production: ProdId, value: u32 },
    /// The first item of a list.
    First,
    /// One more item.
    More,
    /// A `Maybe` that is there.
    Present,
    /// A `Maybe` that is empty.
    Absent,
}

/// The grammar.
#[derive(Clone, Debug)]
pub(crate) struct Bnf {
    pub terminals: Vec<Terminal>,
    pub nonterminals: Vec<NtKind>,
    /// Production 0 is the start's.
    pub productions: Vec<Production>,
    /// The productions of each nonterminal.
    pub of: Vec<Vec<Rule>>,
    /// The symbol each nonterminal of the grammar is written as; for lists and options that of the
    /// filled one.
    pub symbol: Vec<Option<Symbol>>,
    /// The terminal of each literal.
    pub literal: Vec<Term>,
    /// The terminal of each integer, real or text token.
    pub token: Vec<Option<Term>>,
}

impl Bnf {
    /// Writes the grammar's syntax out.
    pub fn new(grammar: &Grammar) -> Bnf {
        let mut bnf = Bnf {
            terminals: Vec::new(),
            nonterminals: Vec::new(),
            productions: Vec::new(),
            of: Vec::new(),
            symbol: vec![None; grammar.nonterminals.len()],
            literal: Vec::new(),
            token: vec![None; grammar.tokens.len()],
        };
        for index in 0..grammar.literals.len() {
            let term = bnf.terminal(Terminal::Literal(LiteralId::from_index(index)));
            bnf.literal.push(term);
        }
        bnf.add_tokens(grammar);
        let mut builder = Builder {
            grammar,
            bnf,
            known: BTreeMap::new(),
            todo: Vec::new(),
        };
        builder.start();
        builder.bnf
    }

    fn terminal(&mut self, terminal: Terminal) -> Term {
        self.terminals.push(terminal);
        Term(u16::try_from(self.terminals.len() - 1).unwrap_or(u16::MAX))
    }

    fn add_tokens(&mut self, grammar: &Grammar) {
        let (mut int, mut real) = (None, None);
        let mut texts: BTreeMap<&str, Term> = BTreeMap::new();
        for (index, token) in grammar.tokens.iter().enumerate() {
            let term = match &token.domain {
                Domain::Int { .. } => *int.get_or_insert_with(|| self.terminal(Terminal::Int)),
                Domain::Real { .. } => *real.get_or_insert_with(|| self.terminal(Terminal::Real)),
                Domain::Finite(_) => continue,
                Domain::Text { pattern, .. } => *texts
                    .entry(pattern)
                    .or_insert_with(|| self.terminal(Terminal::Text(TokenId::from_index(index)))),
            };
            self.token[index] = Some(term);
        }
    }

    /// Where a production of this one is declared, when it is.
    pub fn span(&self, grammar: &Grammar, rule: Rule) -> Span {
        let production = &self.productions[rule.index()];
        match production.action {
            Action::Node { production, .. } | Action::Finite { production, .. } => {
                grammar.production(production).span
            }
            _ => self.nt_span(grammar, production.lhs),
        }
    }

    /// Where a nonterminal is declared.
    fn nt_span(&self, grammar: &Grammar, nt: Nt) -> Span {
        match self.nonterminals[nt.index()] {
            NtKind::Start => grammar.span,
            NtKind::Of(nt) => match grammar.nonterminal(nt).kind {
                NonterminalKind::Sort { sort, .. } => grammar.sort(sort).span,
                NonterminalKind::Token(token) => grammar.token(token).span,
                _ => grammar.span,
            },
            NtKind::List(symbol, _) | NtKind::Maybe(symbol) => match symbol {
                Symbol::N(inner) => self.nt_span(grammar, inner),
                Symbol::T(term) => match self.terminals[term.index()] {
                    Terminal::Text(token) => grammar.token(token).span,
                    _ => grammar.span,
                },
            },
        }
    }

    /// What users call a production: `Shape.Circle`, `list of Shape`.
    pub fn rule_name(&self, grammar: &Grammar, rule: Rule) -> String {
        let production = &self.productions[rule.index()];
        match production.action {
            Action::Node { production: id, .. } => {
                let name = &grammar.production(id).name;
                match grammar.production(id).kind {
                    crate::grammar::ir::ProductionKind::Node(sort) => {
                        format!("{}.{name}", grammar.sort(sort).name)
                    }
                    _ => name.clone(),
                }
            }
            _ => self.nt_name(grammar, production.lhs),
        }
    }

    /// What users call a nonterminal.
    pub fn nt_name(&self, grammar: &Grammar, nt: Nt) -> String {
        match self.nonterminals[nt.index()] {
            NtKind::Start => "the whole program".to_string(),
            NtKind::Of(nt) => grammar.nonterminal_name(nt),
            NtKind::List(item, _) => format!("list of {}", self.symbol_name(grammar, item)),
            NtKind::Maybe(item) => format!("optional {}", self.symbol_name(grammar, item)),
        }
    }

    /// What users call a symbol.
    pub fn symbol_name(&self, grammar: &Grammar, symbol: Symbol) -> String {
        match symbol {
            Symbol::N(nt) => self.nt_name(grammar, nt),
            Symbol::T(term) => self.term_name(grammar, term),
        }
    }

    /// What users call a terminal: `` `(` ``, `Coord or Angle`, `Name`.
    pub fn term_name(&self, grammar: &Grammar, term: Term) -> String {
        match self.terminals.get(term.index()) {
            Some(Terminal::Literal(literal)) => format!("`{}`", grammar.literal(*literal)),
            Some(terminal) => {
                let of: Vec<&str> = grammar
                    .tokens
                    .iter()
                    .zip(&self.token)
                    .filter(|(_, own)| **own == Some(term))
                    .map(|(token, _)| token.name.as_str())
                    .collect();
                match terminal {
                    Terminal::Int if of.len() > 3 => "an integer".to_string(),
                    Terminal::Real if of.len() > 3 => "a number".to_string(),
                    _ => of.join(" or "),
                }
            }
            None => "the end of the text".to_string(),
        }
    }
}

/// Writes productions out, each nonterminal once, in the order of first use.
struct Builder<'a> {
    grammar: &'a Grammar,
    bnf: Bnf,
    known: BTreeMap<NtKind, Nt>,
    todo: Vec<Nt>,
}

impl Builder<'_> {
    fn start(&mut self) {
        let start = self.nonterminal(NtKind::Start);
        self.todo.clear();
        // The start may itself be a list or an option only if a later version of the language
        // allows it; writing it as a child covers that.
        let child = (0, self.grammar.start);
        let (symbol, nullable) = self.symbol(self.grammar.start);
        let symbol = if nullable { self.maybe(symbol) } else { symbol };
        self.production(Production {
            lhs: start,
            rhs: vec![Part {
                symbol,
                child: Some(child),
                glue: false,
            }],
            glue_end: false,
            action: Action::Start,
        });
        // Every nonterminal is written out, reachable or not: patterns and tests parse from any.
        for nt in self.grammar.nonterminal_ids() {
            self.symbol(nt);
        }
        let mut next = 0;
        while next < self.todo.len() {
            let nt = self.todo[next];
            next += 1;
            self.write(nt);
        }
    }

    fn nonterminal(&mut self, kind: NtKind) -> Nt {
        if let Some(&nt) = self.known.get(&kind) {
            return nt;
        }
        let nt = Nt(u16::try_from(self.bnf.nonterminals.len()).unwrap_or(u16::MAX));
        self.bnf.nonterminals.push(kind);
        self.bnf.of.push(Vec::new());
        self.known.insert(kind, nt);
        self.todo.push(nt);
        nt
    }

    fn production(&mut self, production: Production) {
        let rule = Rule(u32::try_from(self.bnf.productions.len()).unwrap_or(u32::MAX));
        if let Some(of) = self.bnf.of.get_mut(production.lhs.index()) {
            of.push(rule);
        }
        self.bnf.productions.push(production);
    }

    fn maybe(&mut self, symbol: Symbol) -> Symbol {
        Symbol::N(self.nonterminal(NtKind::Maybe(symbol)))
    }

    /// The symbol of a nonterminal when it is not empty, and whether it is a list or an option that
    /// may be empty.
    fn symbol(&mut self, nt: NtId) -> (Symbol, bool) {
        let grammar = self.grammar;
        let kind = grammar.nonterminal(nt).kind;
        let nullable = matches!(
            kind,
            NonterminalKind::List { min: 0, .. } | NonterminalKind::Optional { .. }
        );
        if let Some(symbol) = self.bnf.symbol[nt.index()] {
            return (symbol, nullable);
        }
        let symbol = match kind {
            NonterminalKind::Sort { .. } => Symbol::N(self.nonterminal(NtKind::Of(nt))),
            NonterminalKind::Token(token) => match self.bnf.token[token.index()] {
                Some(term) => Symbol::T(term),
                None => Symbol::N(self.nonterminal(NtKind::Of(nt))),
            },
            NonterminalKind::List {
                item, separator, ..
            } => {
                let (item, empty) = self.symbol(item);
                let item = if empty { self.maybe(item) } else { item };
                Symbol::N(self.nonterminal(NtKind::List(item, separator)))
            }
            NonterminalKind::Optional { item } => {
                let (item, empty) = self.symbol(item);
                if empty { self.maybe(item) } else { item }
            }
        };
        self.bnf.symbol[nt.index()] = Some(symbol);
        (symbol, nullable)
    }

    fn write(&mut self, nt: Nt) {
        match self.bnf.nonterminals[nt.index()] {
            NtKind::Start => {}
            NtKind::Of(of) => match self.grammar.nonterminal(of).kind {
                NonterminalKind::Sort { sort, level } => self.write_sort(nt, sort, level),
                NonterminalKind::Token(token) => self.write_finite(nt, token),
                _ => {}
            },
            NtKind::List(item, separator) => {
                let item = part(item);
                self.simple(nt, vec![item], Action::First);
                let mut rhs = vec![part(Symbol::N(nt))];
                if let Some(literal) = separator {
                    rhs.push(part(Symbol::T(self.bnf.literal[literal.index()])));
                }
                rhs.push(item);
                self.simple(nt, rhs, Action::More);
            }
            NtKind::Maybe(symbol) => {
                self.simple(nt, vec![part(symbol)], Action::Present);
                self.simple(nt, Vec::new(), Action::Absent);
            }
        }
    }

    fn simple(&mut self, lhs: Nt, rhs: Vec<Part>, action: Action) {
        self.production(Production {
            lhs,
            rhs,
            glue_end: false,
            action,
        });
    }

    fn write_finite(&mut self, nt: Nt, token: TokenId) {
        let grammar = self.grammar;
        let token = grammar.token(token);
        let Domain::Finite(values) = &token.domain else {
            return;
        };
        for (value, finite) in (0u32..).zip(values) {
            let term = self.bnf.literal[finite.literal.index()];
            let action = Action::Finite {
                production: token.production,
                value,
            };
            self.simple(nt, vec![part(Symbol::T(term))], action);
        }
    }

    fn write_sort(&mut self, nt: Nt, sort: crate::grammar::ids::SortId, level: u8) {
        let grammar = self.grammar;
        let sort = grammar.sort(sort);
        for &production in &sort.productions {
            if grammar.production(production).level == level {
                self.write_node(nt, production);
            }
        }
        if let Some(&tighter) = sort.levels.get(usize::from(level) + 1) {
            let (symbol, _) = self.symbol(tighter);
            self.simple(nt, vec![part(symbol)], Action::Pass);
        }
    }

    /// One production per choice of which of its lists and options are empty.
    fn write_node(&mut self, nt: Nt, id: ProdId) {
        let grammar = self.grammar;
        let production = grammar.production(id);
        let mut variants: Vec<(Vec<Part>, bool, u64)> = vec![(Vec::new(), false, 0)];
        let mut maybe = 0u64;
        for item in &production.syntax {
            match *item {
                SyntaxItem::Glue => variants.iter_mut().for_each(|v| v.1 = true),
                SyntaxItem::Literal(literal) => {
                    let symbol = Symbol::T(self.bnf.literal[literal.index()]);
                    variants.iter_mut().for_each(|v| push(v, symbol, None));
                }
                SyntaxItem::Child(index) => {
                    let Some(child) = production.children.get(usize::from(index)) else {
                        continue;
                    };
                    let at = Some((index, child.nt));
                    let (symbol, nullable) = self.symbol(child.nt);
                    if !nullable {
                        variants.iter_mut().for_each(|v| push(v, symbol, at));
                    } else if variants.len() as u32 * 2 > MAX_VARIANTS {
                        // `check` refuses productions with more than 64 children.
                        maybe |= 1u64.checked_shl(u32::from(index)).unwrap_or(0);
                        let symbol = self.maybe(symbol);
                        variants.iter_mut().for_each(|v| push(v, symbol, at));
                    } else {
                        let mut without = variants.clone();
                        for v in &mut without {
                            v.2 |= 1u64.checked_shl(u32::from(index)).unwrap_or(0);
                        }
                        variants.iter_mut().for_each(|v| push(v, symbol, at));
                        variants.append(&mut without);
                    }
                }
            }
        }
        for (rhs, glue_end, absent) in variants {
            self.production(Production {
                lhs: nt,
                rhs,
                glue_end,
                action: Action::Node {
                    production: id,
                    absent,
                    maybe,
                },
            });
        }
    }
}

fn part(symbol: Symbol) -> Part {
    Part {
        symbol,
        child: None,
        glue: false,
    }
}

fn push(variant: &mut (Vec<Part>, bool, u64), symbol: Symbol, child: Option<(u16, NtId)>) {
    let glue = std::mem::take(&mut variant.1);
    variant.0.push(Part {
        symbol,
        child,
        glue,
    });
}
