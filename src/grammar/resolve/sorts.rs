//! Sorts: their productions and the nonterminals they are made of.
//!
//! In: `ast::Sort`s and the ids of what their fields name. Out: `Production`s and `Nonterminal`s
//! (see `ir`). Afterwards lists and options are productions like any other, and every operator
//! has its binding strength.

use std::collections::BTreeMap;

use indexmap::IndexSet;

use super::numbers::{price, weight};
use crate::diag::codes::{E0005, E0202, E0310, E0311};
use crate::diag::{Diagnostic, Sink};
use crate::grammar::ids::{LiteralId, NtId, ProdId, SortId};
use crate::grammar::ir::{
    Child, Nonterminal, NonterminalKind, Production, ProductionKind, SyntaxItem,
};
use crate::meta::ast::{self, Field, Fixity, Repeat, SortMember, Symbol, Text};
use crate::source::Span;

/// Most productions of a grammar, tokens, lists and options included.
pub(super) const MAX_PRODUCTIONS: usize = 4096;

/// Most operator tables of a sort.
const MAX_TABLES: usize = 64;

/// The distinct quoted terminals.
#[derive(Debug, Default)]
pub(super) struct Literals {
    texts: IndexSet<String>,
}

impl Literals {
    /// The id of a quoted terminal, which has to be visible.
    pub(super) fn intern(&mut self, text: &Text, sink: &mut Sink) -> LiteralId {
        if text.text.is_empty() {
            sink.push(
                Diagnostic::new(E0311, text.span, "a quoted terminal is empty", "")
                    .help("leave it out; a production may be written without any terminal"),
            );
        } else if let Some(bad) = text
            .text
            .chars()
            .find(|c| c.is_whitespace() || c.is_control())
        {
            sink.push(
                Diagnostic::new(
                    E0311,
                    text.span,
                    format!("a quoted terminal holds the character {bad:?}"),
                    "",
                )
                .note("white space separates terminals, so it cannot be part of one")
                .help("write two terminals: `\"end\" \"if\"`"),
            );
        }
        LiteralId::from_index(self.texts.insert_full(text.text.clone()).0)
    }

    /// The texts, by id.
    pub(super) fn finish(self) -> Vec<String> {
        self.texts.into_iter().collect()
    }
}

/// What a field may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// A sort; its operands' strength depends on where they stand.
    Sort(SortId),
    /// A token.
    Token(NtId),
}

/// A list: what it holds, its separator, its least number, and the weight of a further item.
type ListKey = (NtId, Option<LiteralId>, u8, u64);

/// Productions and nonterminals as they grow.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) productions: Vec<Production>,
    pub(super) nonterminals: Vec<Nonterminal>,
    pub(super) literals: Literals,
    /// The nonterminals of each sort, loosest first.
    pub(super) levels: Vec<Vec<NtId>>,
    /// Fields whose sort or token is not known, by production: draw arms may name them.
    pub(super) unknown: BTreeMap<ProdId, Vec<String>>,
    lists: BTreeMap<ListKey, NtId>,
    options: BTreeMap<NtId, NtId>,
    /// Lists and options wait here until the productions of sorts and tokens have their ids.
    hidden: Vec<Hidden>,
}

/// A list or option whose productions are not made yet.
#[derive(Clone, Copy, Debug)]
struct Hidden {
    nt: NtId,
    span: Span,
    kind: HiddenKind,
}

#[derive(Clone, Copy, Debug)]
enum HiddenKind {
    /// An item, or none.
    Option { item: NtId },
    /// Nothing, or an item (of this weight) and the same list again.
    Any { item: NtId, weight: f64 },
    /// An item and the rest.
    Some { item: NtId, rest: NtId },
}

/// A production of a sort, out of its table.
struct Flat<'a> {
    production: &'a ast::Production,
    /// Its table's fixity and place.
    table: Option<(Fixity, u8)>,
}

impl Tables {
    /// Makes a sort's nonterminals, one for each binding strength.
    pub(super) fn add_levels(&mut self, id: SortId, sort: &ast::Sort, sink: &mut Sink) {
        let mut tables = 0;
        for member in &sort.members {
            if let SortMember::Table(table) = member {
                tables += 1;
                if tables == MAX_TABLES + 1 {
                    sink.push(Diagnostic::new(
                        E0005,
                        table.span,
                        format!(
                            "`{}` has more than {MAX_TABLES} operator tables",
                            sort.name.text
                        ),
                        "",
                    ));
                }
            }
        }
        let levels = (0..=tables.min(MAX_TABLES) as u8)
            .map(|level| self.nonterminal(NonterminalKind::Sort { sort: id, level }))
            .collect();
        self.levels.push(levels);
    }

    /// A new nonterminal, without productions yet.
    pub(super) fn nonterminal(&mut self, kind: NonterminalKind) -> NtId {
        self.nonterminals.push(Nonterminal {
            kind,
            productions: Vec::new(),
        });
        NtId::from_index(self.nonterminals.len() - 1)
    }

    /// Adds a production to its nonterminals.
    pub(super) fn add(&mut self, production: Production, of: &[NtId]) -> ProdId {
        let id = ProdId::from_index(self.productions.len());
        self.productions.push(production);
        for nt in of {
            self.nonterminals[nt.index()].productions.push(id);
        }
        id
    }

    /// Makes a sort's productions. `of` tells what a field names; `None`: it was reported.
    pub(super) fn add_sort(
        &mut self,
        id: SortId,
        sort: &ast::Sort,
        of: impl Fn(&Field) -> Option<Of>,
        sink: &mut Sink,
    ) -> Vec<ProdId> {
        let levels = self.levels[id.index()].clone();
        let tightest = levels.len() - 1;
        let mut flat = Vec::new();
        let mut tables = 0u8;
        for member in &sort.members {
            match member {
                SortMember::Production(production) => flat.push(Flat {
                    production,
                    table: None,
                }),
                SortMember::Table(table) => {
                    let at = tables.min(MAX_TABLES as u8 - 1);
                    flat.extend(table.productions.iter().map(|production| Flat {
                        production,
                        table: Some((table.fixity, at)),
                    }));
                    tables = tables.saturating_add(1);
                }
            }
        }
        let mut ids = Vec::with_capacity(flat.len());
        for Flat { production, table } in flat {
            let (children, syntax) = match table {
                None => self.plain(id, production, &of, sink),
                Some((fixity, at)) => self.operator(id, production, fixity, at, &of, sink),
            };
            let level = table.map_or(tightest, |(_, at)| usize::from(at));
            let made = Production {
                name: production.name.text.clone(),
                docs: production.docs.join("\n"),
                span: production.span,
                kind: ProductionKind::Node(id),
                children,
                syntax,
                weight: weight(production.weight.as_ref(), sink),
                primitive: production.primitive.is_some(),
                price: price(production, sink),
                level: level as u8,
                draw: None,
            };
            let made = self.add(made, &levels[..=level]);
            let unknown: Vec<String> = production
                .symbols
                .iter()
                .filter_map(|symbol| match symbol {
                    Symbol::Field(field) if of(field).is_none() => Some(field.name.text.clone()),
                    _ => None,
                })
                .collect();
            if !unknown.is_empty() {
                self.unknown.insert(made, unknown);
            }
            ids.push(made);
        }
        ids
    }

    /// A production outside of tables.
    fn plain(
        &mut self,
        id: SortId,
        production: &ast::Production,
        of: &impl Fn(&Field) -> Option<Of>,
        sink: &mut Sink,
    ) -> (Vec<Child>, Vec<SyntaxItem>) {
        let tightest = self.levels[id.index()].len() - 1;
        let visible: Vec<&Symbol> = production
            .symbols
            .iter()
            .filter(|symbol| !matches!(symbol, Symbol::Glue(_)))
            .collect();
        // Next to an edge or to another operand of the sort only the tightest can stand without
        // changing how the text is read; between other things any operand can.
        let exposed_to = |symbols: &mut dyn Iterator<Item = &&Symbol>| {
            for symbol in symbols {
                match symbol {
                    Symbol::Field(field) if of(field) == Some(Of::Sort(id)) => return true,
                    Symbol::Field(field) => match &field.repeat {
                        // It may be absent, and then its neighbour is next.
                        Repeat::Optional | Repeat::Many { min: 0, .. } => {}
                        _ => return false,
                    },
                    _ => return false,
                }
            }
            true
        };
        let mut children: Vec<Child> = Vec::new();
        let mut names: BTreeMap<&str, Span> = BTreeMap::new();
        let mut syntax = Vec::with_capacity(production.symbols.len());
        let mut at = 0;
        for symbol in &production.symbols {
            match symbol {
                Symbol::Glue(_) => syntax.push(SyntaxItem::Glue),
                Symbol::Literal(text) => {
                    syntax.push(SyntaxItem::Literal(self.literals.intern(text, sink)));
                    at += 1;
                }
                Symbol::Field(field) => {
                    let exposed = exposed_to(&mut visible[..at].iter().rev())
                        || exposed_to(&mut visible[at + 1..].iter())
                        || matches!(
                            &field.repeat,
                            Repeat::Many {
                                separator: None,
                                ..
                            }
                        );
                    at += 1;
                    if let Some(first) = names.insert(&field.name.text, field.name.span) {
                        let message = format!(
                            "`{}` has two fields `{}`",
                            production.name.text, field.name.text
                        );
                        sink.push(
                            Diagnostic::new(E0202, field.name.span, message, "the second time")
                                .label(first, "the first time"),
                        );
                    }
                    let Some(meaning) = of(field) else {
                        continue;
                    };
                    let item = match meaning {
                        Of::Token(nt) => nt,
                        Of::Sort(sort) if sort == id && exposed => {
                            self.levels[id.index()][tightest]
                        }
                        Of::Sort(sort) => self.levels[sort.index()][0],
                    };
                    let nt = self.repeated(item, field, sink);
                    syntax.push(SyntaxItem::Child(children.len() as u16));
                    children.push(Child {
                        name: field.name.text.clone(),
                        nt,
                    });
                }
            }
        }
        (children, syntax)
    }

    /// A production of an operator table.
    fn operator(
        &mut self,
        id: SortId,
        production: &ast::Production,
        fixity: Fixity,
        at: u8,
        of: &impl Fn(&Field) -> Option<Of>,
        sink: &mut Sink,
    ) -> (Vec<Child>, Vec<SyntaxItem>) {
        let level = |k: u8| {
            let levels = &self.levels[id.index()];
            levels[usize::from(k).min(levels.len() - 1)]
        };
        let child = |name: &str, nt| Child {
            name: name.to_owned(),
            nt,
        };
        let (here, tighter) = (level(at), level(at + 1));
        let (shape, operands) = match fixity {
            Fixity::InfixLeft => ("an infix", Some((here, tighter))),
            Fixity::InfixRight => ("an infix", Some((tighter, here))),
            Fixity::InfixNone => ("an infix", Some((tighter, tighter))),
            Fixity::Prefix => ("a prefix", None),
            Fixity::Postfix => ("a postfix", None),
        };
        let mut children = Vec::new();
        let mut syntax = Vec::new();
        if let Some((left, right)) = operands {
            children = vec![child("left", left), child("right", right)];
            syntax.push(SyntaxItem::Child(0));
        }
        let mut mistake: Option<(Span, &str)> = None;
        let mut literals = 0;
        for (i, symbol) in production.symbols.iter().enumerate() {
            match symbol {
                Symbol::Glue(_) => syntax.push(SyntaxItem::Glue),
                Symbol::Literal(text) => {
                    literals += 1;
                    syntax.push(SyntaxItem::Literal(self.literals.intern(text, sink)));
                }
                Symbol::Field(field) => {
                    let edge = match fixity {
                        Fixity::Prefix => i + 1 == production.symbols.len(),
                        Fixity::Postfix => i == 0,
                        _ => false,
                    };
                    let meaning = of(field);
                    if operands.is_some() {
                        mistake = Some((field.span, "its operands are not written"));
                    } else if !edge || field.repeat != Repeat::One {
                        mistake = Some((field.span, "its operand stands alone at the edge"));
                    } else if meaning.is_some() && meaning != Some(Of::Sort(id)) {
                        mistake = Some((field.of.span, "its operand is of the sort itself"));
                    } else {
                        syntax.push(SyntaxItem::Child(0));
                        children.push(child(&field.name.text, here));
                    }
                }
            }
        }
        if mistake.is_none() && literals == 0 {
            mistake = Some((production.span, "an operator has a quoted terminal"));
        }
        if mistake.is_none() && children.is_empty() {
            mistake = Some((production.span, "its operand is missing"));
        }
        if let Some((span, why)) = mistake {
            let help = match fixity {
                Fixity::Prefix => "write `Neg = \"-\" of:Expr`",
                Fixity::Postfix => "write `Factorial = of:Expr \"!\"`",
                _ => "write `Add = \"+\"`: the fields are called `left` and `right`",
            };
            sink.push(
                Diagnostic::new(
                    E0310,
                    span,
                    format!("`{}` is not {shape} operator", production.name.text),
                    why,
                )
                .help(help),
            );
        }
        if operands.is_some() {
            syntax.push(SyntaxItem::Child(1));
        }
        (children, syntax)
    }

    /// The nonterminal of a field that holds `item`s.
    fn repeated(&mut self, item: NtId, field: &Field, sink: &mut Sink) -> NtId {
        let span = field.span;
        match &field.repeat {
            Repeat::One => item,
            Repeat::Optional => {
                if let Some(nt) = self.options.get(&item) {
                    return *nt;
                }
                let nt = self.nonterminal(NonterminalKind::Optional { item });
                self.options.insert(item, nt);
                let kind = HiddenKind::Option { item };
                self.hidden.push(Hidden { nt, span, kind });
                nt
            }
            Repeat::Many {
                min,
                separator,
                weight: written,
            } => {
                let separator = separator
                    .as_ref()
                    .map(|text| self.literals.intern(text, sink));
                let weight = weight(written.as_ref(), sink);
                self.list(item, separator, *min, weight, span)
            }
        }
    }

    fn list(
        &mut self,
        item: NtId,
        separator: Option<LiteralId>,
        min: u8,
        weight: f64,
        span: Span,
    ) -> NtId {
        let key = (item, separator, min, weight.to_bits());
        if let Some(nt) = self.lists.get(&key) {
            return *nt;
        }
        let nt = self.nonterminal(NonterminalKind::List {
            item,
            separator,
            min,
        });
        self.lists.insert(key, nt);
        let kind = if min == 0 {
            HiddenKind::Any { item, weight }
        } else {
            let rest = self.list(item, separator, 0, weight, span);
            HiddenKind::Some { item, rest }
        };
        self.hidden.push(Hidden { nt, span, kind });
        nt
    }

    /// Makes the productions of lists and options, after those of sorts and tokens.
    pub(super) fn add_hidden(&mut self) {
        for Hidden { nt, span, kind } in std::mem::take(&mut self.hidden) {
            let mut make = |name: &str, kind, children: &[(&str, NtId)], weight| {
                let production = Production {
                    name: name.to_owned(),
                    docs: String::new(),
                    span,
                    kind,
                    children: children
                        .iter()
                        .map(|(name, nt)| Child {
                            name: (*name).to_owned(),
                            nt: *nt,
                        })
                        .collect(),
                    syntax: Vec::new(),
                    weight,
                    primitive: false,
                    price: 0,
                    level: 0,
                    draw: None,
                };
                self.add(production, &[nt]);
            };
            match kind {
                HiddenKind::Option { item } => {
                    make("None", ProductionKind::None, &[], 1.0);
                    make("Some", ProductionKind::Some, &[("item", item)], 1.0);
                }
                HiddenKind::Any { item, weight } => {
                    make("Nil", ProductionKind::Nil, &[], 1.0);
                    let children = [("head", item), ("tail", nt)];
                    make("Cons", ProductionKind::Cons, &children, weight);
                }
                HiddenKind::Some { item, rest } => {
                    let children = [("head", item), ("tail", rest)];
                    make("Cons", ProductionKind::Cons, &children, 1.0);
                }
            }
        }
    }
}
