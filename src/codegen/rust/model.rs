//! The types of a grammar, before they are written.
//!
//! In: a [`Grammar`] and its [`Names`]. Out: [`Model`]: variants, fields, boxes. Afterwards every type
//! has a finite size, and no variant of an enum is much larger than the others.

use std::collections::BTreeSet;

use super::names::{Names, identifier, is_single, plain_name, type_name, unique};
use crate::grammar::ids::{NtId, ProdId, SortId, TokenId};
use crate::grammar::info::components;
use crate::grammar::ir::{Domain, Grammar, NonterminalKind};

/// Bytes by which clippy lets a variant be larger than the next one, with a margin.
const UNEVEN: usize = 160;

/// The types of a grammar.
#[derive(Debug)]
pub(super) struct Model<'a> {
    pub(super) grammar: &'a Grammar,
    pub(super) names: Names,
    /// By production.
    pub(super) fields: Vec<Vec<Field>>,
    /// By production: its variant's name.
    pub(super) variants: Vec<String>,
    /// By production: whether its variant holds a box.
    pub(super) boxed: Vec<bool>,
    /// By production: `circle` of `replace_circle`.
    pub(super) steps: Vec<String>,
}

/// A field of a production.
#[derive(Debug)]
pub(super) struct Field {
    /// As the grammar calls it.
    pub(super) source: String,
    /// As Rust calls it.
    pub(super) name: String,
    /// The same within a longer name: never raw.
    pub(super) plain: String,
    /// What it holds.
    pub(super) holds: Holds,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    One(Item),
    Boxed(Item),
    Option(Item),
    BoxedOption(Item),
    List(Item),
}

/// What a field is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Sort(SortId),
    Token(TokenId),
}

impl Holds {
    pub(super) fn item(self) -> Item {
        match self {
            Holds::One(item)
            | Holds::Boxed(item)
            | Holds::Option(item)
            | Holds::BoxedOption(item)
            | Holds::List(item) => item,
        }
    }
}

impl<'a> Model<'a> {
    pub(super) fn new(grammar: &'a Grammar) -> Model<'a> {
        let mut model = Model {
            grammar,
            names: Names::new(grammar),
            fields: Vec::new(),
            variants: vec![String::new(); grammar.productions.len()],
            boxed: vec![false; grammar.productions.len()],
            steps: vec![String::new(); grammar.productions.len()],
        };
        let cycle = cycles(grammar);
        for id in grammar.production_ids() {
            let fields = fields(grammar, id, &cycle);
            model.fields.push(fields);
        }
        for sort in &grammar.sorts {
            let (mut variants, mut steps) = (BTreeSet::new(), BTreeSet::new());
            for id in &sort.productions {
                let name = &grammar.production(*id).name;
                model.variants[id.index()] = unique(type_name(name), "", &mut variants);
                model.steps[id.index()] = unique(plain_name(name), "_", &mut steps);
            }
        }
        model.box_large_variants(&cycle);
        model
    }

    /// Whether a sort is one struct.
    pub(super) fn is_single(&self, id: SortId) -> bool {
        is_single(self.grammar, id)
    }

    /// Whether a sort is an enum without fields: a copy is as cheap as a reference.
    pub(super) fn is_plain(&self, id: SortId) -> bool {
        let mut ids = self.grammar.sort(id).productions.iter();
        ids.all(|id| self.fields[id.index()].is_empty())
    }

    /// Whether a value is passed around as a copy.
    pub(super) fn is_copy(&self, item: Item) -> bool {
        match item {
            Item::Sort(id) => self.is_plain(id),
            Item::Token(id) => self.grammar.token(id).domain.count().is_some(),
        }
    }

    /// The type of an item.
    pub(super) fn item(&self, item: Item) -> &str {
        match item {
            Item::Sort(id) => self.names.sort(id),
            Item::Token(id) => self.names.token(id),
        }
    }

    /// The type of a field.
    pub(super) fn field_type(&self, holds: Holds) -> String {
        let item = self.item(holds.item());
        let std = |name| self.names.std(name);
        match holds {
            Holds::One(_) => item.to_owned(),
            Holds::Boxed(_) => format!("{}<{item}>", std("Box")),
            Holds::Option(_) => format!("{}<{item}>", std("Option")),
            Holds::BoxedOption(_) => format!("{}<{}<{item}>>", std("Option"), std("Box")),
            Holds::List(_) => format!("{}<{item}>", std("Vec")),
        }
    }

    /// Puts variants into boxes that are far larger than the other ones of their sort. Sorts come
    /// after those they hold, so that the sizes of their fields are known.
    fn box_large_variants(&mut self, cycle: &Cycles) {
        let mut sizes = vec![0usize; self.grammar.sorts.len()];
        for members in &cycle.order {
            for nt in members {
                let sort = SortId::from_index(nt.index());
                let ids = &self.grammar.sort(sort).productions;
                let mut variants: Vec<(usize, ProdId)> = ids
                    .iter()
                    .map(|id| (self.production_size(*id, &sizes), *id))
                    .collect();
                variants.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
                if self.is_single(sort) {
                    sizes[sort.index()] = variants.first().map_or(0, |v| v.0);
                    continue;
                }
                let mut largest = 0;
                while largest + 1 < variants.len()
                    && variants[largest].0 > variants[largest + 1].0.max(8) + UNEVEN
                {
                    self.boxed[variants[largest].1.index()] = true;
                    largest += 1;
                }
                sizes[sort.index()] = 8 + variants.get(largest).map_or(0, |v| v.0);
            }
        }
    }

    /// About how many bytes a production's fields take.
    fn production_size(&self, id: ProdId, sizes: &[usize]) -> usize {
        let field = |field: &Field| match field.holds {
            Holds::Boxed(_) | Holds::BoxedOption(_) => 8,
            Holds::List(_) => 24,
            Holds::One(item) => self.item_size(item, sizes),
            Holds::Option(item) => 8 + self.item_size(item, sizes),
        };
        self.fields[id.index()].iter().map(field).sum()
    }

    fn item_size(&self, item: Item, sizes: &[usize]) -> usize {
        match item {
            Item::Sort(id) => sizes[id.index()],
            Item::Token(id) => match self.grammar.token(id).domain {
                Domain::Int { .. } => 8,
                Domain::Real { .. } => 4,
                Domain::Finite(_) => 1,
                Domain::Text { .. } => 16,
            },
        }
    }
}

/// Which sorts hold themselves without a list in between.
struct Cycles {
    /// Strongly connected sorts, after those they hold.
    order: Vec<Vec<NtId>>,
    /// By sort: its place in `order`.
    of: Vec<usize>,
}

fn cycles(grammar: &Grammar) -> Cycles {
    let edges: Vec<Vec<NtId>> = grammar
        .sorts
        .iter()
        .map(|sort| {
            let ids = sort.productions.iter();
            let children = ids.flat_map(|id| &grammar.production(*id).children);
            let mut held: Vec<NtId> = children
                .filter_map(|child| match shape(grammar, child.nt) {
                    (Item::Sort(sort), false, _) => Some(NtId::from_index(sort.index())),
                    _ => None,
                })
                .collect();
            held.sort();
            held.dedup();
            held
        })
        .collect();
    let order = components(&edges);
    let mut of = vec![0; edges.len()];
    for (index, members) in order.iter().enumerate() {
        for member in members {
            of[member.index()] = index;
        }
    }
    Cycles { order, of }
}

/// What a child holds: an item, whether a list of them, whether it may be missing.
fn shape(grammar: &Grammar, nt: NtId) -> (Item, bool, bool) {
    match grammar.nonterminal(nt).kind {
        NonterminalKind::Sort { sort, .. } => (Item::Sort(sort), false, false),
        NonterminalKind::Token(token) => (Item::Token(token), false, false),
        NonterminalKind::List { item, .. } => (shape(grammar, item).0, true, false),
        NonterminalKind::Optional { item } => (shape(grammar, item).0, false, true),
    }
}

fn fields(grammar: &Grammar, id: ProdId, cycle: &Cycles) -> Vec<Field> {
    let production = grammar.production(id);
    let crate::grammar::ir::ProductionKind::Node(owner) = production.kind else {
        return Vec::new();
    };
    let mut taken = BTreeSet::new();
    let children = production.children.iter();
    children
        .map(|child| {
            let (item, list, optional) = shape(grammar, child.nt);
            let within = match item {
                Item::Sort(sort) => cycle.of[sort.index()] == cycle.of[owner.index()],
                Item::Token(_) => false,
            };
            let plain = unique(plain_name(&child.name), "_", &mut taken);
            Field {
                source: child.name.clone(),
                name: identifier(&plain),
                plain,
                holds: match (list, optional, within) {
                    (true, _, _) => Holds::List(item),
                    (_, true, true) => Holds::BoxedOption(item),
                    (_, true, false) => Holds::Option(item),
                    (_, _, true) => Holds::Boxed(item),
                    _ => Holds::One(item),
                },
            }
        })
        .collect()
}
