//! What terms need to know of their grammar, in rows.
//!
//! In: a grammar and its laws. Out: [`Tables`], and what a term costs ([`Cost`]). Afterwards whether
//! a term may stand in a place is a comparison of two small numbers.
//!
//! Where a sort has operator tables, its productions bind loosely or tightly. A place *needs* a
//! binding strength, a production *has* one; both count from 0 within the sort, and every sort
//! without tables has 0 only.

use std::ops::{Add, AddAssign};

use crate::compiled::Compiled;
use crate::grammar::ids::{NtId, ProdId};
use crate::grammar::ir::{
    Domain, Grammar, NonterminalKind, ProductionKind, SizeMetric, SyntaxItem,
};
use crate::grammar::syntax::values::write_value;

use super::laws::{self, Law};
use super::term::Op;
use super::texts::Texts;

/// What a program costs: simplifying looks for the least, compared in this order. It adds up over
/// the nodes, and a tree always costs more than each of its parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Cost {
    /// The sum of what productions cost: what `@cost` says, else 1 for a `@primitive` and nothing for
    /// others.
    pub price: u64,
    /// Nodes without those of lists and options.
    pub nodes: u64,
    /// Characters of its words, spaces not counted; a separator counts once for each item.
    pub letters: u64,
    /// All nodes.
    #[serde(skip)]
    pub(crate) all: u64,
}

impl Add for Cost {
    type Output = Cost;

    fn add(mut self, other: Cost) -> Cost {
        self += other;
        self
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Cost) {
        self.price = self.price.saturating_add(other.price);
        self.nodes = self.nodes.saturating_add(other.nodes);
        self.letters = self.letters.saturating_add(other.letters);
        self.all = self.all.saturating_add(other.all);
    }
}

impl Cost {
    fn times(self, n: usize) -> Cost {
        let n = n as u64;
        Cost {
            price: self.price.saturating_mul(n),
            nodes: self.nodes.saturating_mul(n),
            letters: self.letters.saturating_mul(n),
            all: self.all.saturating_mul(n),
        }
    }
}

/// A law with what it means for terms.
#[derive(Clone, Debug)]
pub(crate) struct Operator {
    /// The law.
    pub law: Law,
    /// What the fields of its operands need.
    pub needs: [u8; 2],
    /// Whether operands are bracketed to the left, `((a b) c)`, instead of `(a (b c))`.
    pub left: bool,
    /// What the operator costs between two operands, its fixed fields included.
    pub cost: Cost,
    /// The strength it has.
    pub strength: u8,
}

impl Operator {
    /// How many operands may bind more loosely than most places need.
    pub fn loose_places(&self, operands: usize) -> usize {
        let [first, second] = self.needs;
        match (self.left, first.cmp(&second)) {
            (_, std::cmp::Ordering::Equal) => operands,
            // One place of the one field, all others of the other.
            (true, std::cmp::Ordering::Less) | (false, std::cmp::Ordering::Greater) => 1,
            (true, std::cmp::Ordering::Greater) | (false, std::cmp::Ordering::Less) => {
                operands.saturating_sub(1)
            }
        }
    }

    /// What an operand needs to stand in any place, and in the loosest.
    pub fn tight_and_loose(&self) -> (u8, u8) {
        let [a, b] = self.needs;
        (a.max(b), a.min(b))
    }
}

#[derive(Clone, Copy, Debug)]
struct Row {
    strength: u8,
    first: u32,
    arity: u32,
    cost: Cost,
    is_text: bool,
    is_token: bool,
}

/// Rows by production and by nonterminal.
#[derive(Clone, Debug)]
pub(crate) struct Tables {
    rows: Vec<Row>,
    /// What the children of all productions need, one production after another.
    kids: Vec<u8>,
    needs: Vec<u8>,
    /// Printed lengths of tokens' values, by production, where they are few.
    letters: Vec<Vec<u32>>,
    domains: Vec<Option<Domain>>,
    /// Operators whose operands are multisets.
    pub operators: Vec<Operator>,
}

/// Most values of a token whose lengths are kept.
const MOST_LENGTHS: u32 = 4096;

impl Tables {
    /// The tables of a language.
    pub fn new(compiled: &Compiled) -> Tables {
        let grammar = &compiled.grammar;
        let needs: Vec<u8> = grammar
            .nonterminal_ids()
            .map(|nt| need(grammar, nt))
            .collect();
        let mut tables = Tables {
            rows: Vec::with_capacity(grammar.productions.len()),
            kids: Vec::new(),
            needs,
            letters: Vec::new(),
            domains: Vec::new(),
            operators: Vec::new(),
        };
        for id in grammar.production_ids() {
            tables.add_row(compiled, id);
        }
        for law in laws::find(grammar, &compiled.rules) {
            tables.add_operator(law);
        }
        tables
    }

    fn add_row(&mut self, compiled: &Compiled, id: ProdId) {
        let grammar = &compiled.grammar;
        let production = grammar.production(id);
        let first = self.kids.len() as u32;
        for child in &production.children {
            let need = self.need(child.nt);
            self.kids.push(need);
        }
        let literal = |item: &SyntaxItem| match item {
            SyntaxItem::Literal(literal) => grammar.literal(*literal).chars().count() as u64,
            SyntaxItem::Child(_) | SyntaxItem::Glue => 0,
        };
        let separator = compiled.syntax.separator(id);
        let letters = production.syntax.iter().map(literal).sum::<u64>()
            + separator.map_or(0, |s| grammar.literal(s).chars().count() as u64);
        let domain = match production.kind {
            ProductionKind::Token(token) => Some(grammar.token(token).domain.clone()),
            _ => None,
        };
        let count = domain.as_ref().and_then(Domain::count);
        let lengths = match (&domain, count) {
            (Some(domain), Some(count)) if count <= MOST_LENGTHS => {
                (0..count).map(|value| length(domain, value)).collect()
            }
            _ => Vec::new(),
        };
        self.letters.push(lengths);
        self.rows.push(Row {
            strength: strength(grammar, id),
            first,
            arity: production.children.len() as u32,
            cost: Cost {
                price: u64::from(production.price),
                nodes: u64::from(production.cost(SizeMetric::Nodes)),
                letters,
                all: 1,
            },
            is_text: grammar.is_text(id),
            is_token: domain.is_some(),
        });
        self.domains.push(domain);
    }

    fn add_operator(&mut self, law: Law) {
        let [i, j] = law.holes;
        let kids = self.kids(law.production);
        let (Some(&first), Some(&second)) = (kids.get(i), kids.get(j)) else {
            return;
        };
        let strength = self.strength(Op::Node(law.production, 0));
        // To the right where both will do.
        let left = strength < second;
        if left && strength < first {
            return;
        }
        let texts = Texts::default();
        let mut cost = self.cost(Op::Node(law.production, 0), &texts);
        for (_, kinds) in &law.fixed {
            for (production, value) in kinds {
                cost += self.cost(Op::Node(*production, *value), &texts);
            }
        }
        self.operators.push(Operator {
            law,
            needs: [first, second],
            left,
            cost,
            strength,
        });
    }

    fn row(&self, production: ProdId) -> &Row {
        &self.rows[production.index()]
    }

    /// What a place of this nonterminal needs.
    pub fn need(&self, nt: NtId) -> u8 {
        self.needs.get(nt.index()).copied().unwrap_or(0)
    }

    /// What the children of a production need.
    pub fn kids(&self, production: ProdId) -> &[u8] {
        let row = self.row(production);
        &self.kids[row.first as usize..(row.first + row.arity) as usize]
    }

    /// Number of children.
    pub fn arity(&self, production: ProdId) -> usize {
        self.row(production).arity as usize
    }

    /// The strength a term has.
    pub fn strength(&self, op: Op) -> u8 {
        match op {
            Op::Node(production, _) => self.row(production).strength,
            Op::Many(at) => self.operator(at).strength,
        }
    }

    /// An operator by its index.
    pub fn operator(&self, at: u16) -> &Operator {
        &self.operators[usize::from(at)]
    }

    /// Whether nodes of this production carry a text.
    pub fn is_text(&self, production: ProdId) -> bool {
        self.row(production).is_text
    }

    /// Whether nodes of this production are values of a token.
    pub fn is_token(&self, production: ProdId) -> bool {
        self.row(production).is_token
    }

    /// What a node costs without its children; an operator, between two operands.
    pub fn cost(&self, op: Op, texts: &Texts) -> Cost {
        match op {
            Op::Many(at) => self.operator(at).cost,
            Op::Node(production, value) => {
                let row = self.row(production);
                if !row.is_token {
                    return row.cost;
                }
                let known = self.letters[production.index()].get(value as usize);
                let letters = match (known, &self.domains[production.index()]) {
                    (Some(letters), _) => *letters,
                    (None, Some(Domain::Text { .. })) => texts.get(value).chars().count() as u32,
                    (None, Some(domain)) => length(domain, value),
                    (None, None) => 0,
                };
                Cost {
                    letters: u64::from(letters),
                    ..row.cost
                }
            }
        }
    }

    /// What an operator costs among so many operands.
    pub fn cost_among(&self, at: u16, operands: usize) -> Cost {
        self.operator(at).cost.times(operands.saturating_sub(1))
    }
}

fn length(domain: &Domain, value: u32) -> u32 {
    let mut text = String::new();
    write_value(domain, value, &mut text);
    text.chars().count() as u32
}

fn need(grammar: &Grammar, nt: NtId) -> u8 {
    match grammar.nonterminal(nt).kind {
        NonterminalKind::Sort { sort, .. } => {
            let at = grammar.sort(sort).levels.iter().position(|own| *own == nt);
            u8::try_from(at.unwrap_or(0)).unwrap_or(u8::MAX)
        }
        _ => 0,
    }
}

/// How many binding strengths of its sort a production has, less one.
fn strength(grammar: &Grammar, id: ProdId) -> u8 {
    match grammar.production(id).kind {
        ProductionKind::Node(sort) => {
            let holds = |nt: &&NtId| grammar.nonterminal(**nt).productions.contains(&id);
            let count = grammar.sort(sort).levels.iter().filter(holds).count();
            u8::try_from(count.saturating_sub(1)).unwrap_or(u8::MAX)
        }
        _ => 0,
    }
}
