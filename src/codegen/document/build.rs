//! Builds the document of a language.
//!
//! In: a compiled language. Out: [`Document`].

use super::expr::{self, Value};
use super::{
    Canvas, Child, Document, Domain, Example, FORMAT, FiniteValue, Goal, Kernel, Mutate,
    Nonterminal, NonterminalKind, Observe, Production, ProductionKind, Ref, Sample, Sort,
    SyntaxItem, Token, VERSION, rules,
};
use crate::Compiled;
use crate::grammar::ids::{FnId, NtId, ProdId, SortId, TokenId};
use crate::grammar::ir::{self, Grammar};

/// The document of a language.
pub fn document(compiled: &Compiled) -> Document {
    let grammar = &compiled.grammar;
    Document {
        format: FORMAT.to_owned(),
        version: VERSION,
        generator: concat!("tdc ", env!("CARGO_PKG_VERSION")).to_owned(),
        name: grammar.name.clone(),
        docs: grammar.docs.clone(),
        start: nonterminal_ref(grammar, grammar.start),
        canvas: grammar.canvas.as_ref().map(canvas),
        goal: grammar.goal.as_ref().map(goal),
        sample: Sample {
            procedure: grammar.sample.procedure,
            min: grammar.sample.min,
            max: grammar.sample.max,
            by_weight: grammar.sample.by_weight,
        },
        mutate: Mutate {
            small: grammar.mutate.small,
            choice: grammar.mutate.choice,
        },
        size: grammar.size,
        observe: grammar.observe.as_ref().map(|observe| Observe {
            model: observe.model,
            settings: observe
                .settings
                .iter()
                .map(|(name, range)| (name.clone(), *range))
                .collect(),
        }),
        tokens: list(&grammar.tokens, |id, it| token(grammar, id, it)),
        sorts: list(&grammar.sorts, |id, it| sort(grammar, id, it)),
        productions: list(&grammar.productions, |id, it| production(grammar, id, it)),
        nonterminals: list(&grammar.nonterminals, |id, it| nonterminal(grammar, id, it)),
        literals: grammar.literals.clone(),
        functions: list(&grammar.fns, |id, it| expr::function(grammar, id, it)),
        rewrites: rules::rewrites(compiled),
        examples: grammar
            .examples
            .iter()
            .map(|(name, example)| Example {
                name: name.clone(),
                docs: example.docs.clone(),
                program: example.program.text.clone(),
            })
            .collect(),
    }
}

fn list<T, U>(items: &[T], mut make: impl FnMut(usize, &T) -> U) -> Vec<U> {
    let items = items.iter().enumerate();
    items.map(|(id, item)| make(id, item)).collect()
}

/// An index as the document writes it; ids have 16 bits.
pub(super) fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

fn name_of(id: usize, name: impl Into<String>) -> Ref {
    Ref {
        id: number(id),
        name: name.into(),
    }
}

pub(super) fn nonterminal_ref(grammar: &Grammar, id: NtId) -> Ref {
    name_of(id.index(), grammar.nonterminal_name(id))
}

pub(super) fn production_ref(grammar: &Grammar, id: ProdId) -> Ref {
    name_of(id.index(), &grammar.production(id).name)
}

pub(super) fn sort_ref(grammar: &Grammar, id: SortId) -> Ref {
    name_of(id.index(), &grammar.sort(id).name)
}

pub(super) fn token_ref(grammar: &Grammar, id: TokenId) -> Ref {
    name_of(id.index(), &grammar.token(id).name)
}

pub(super) fn function_ref(grammar: &Grammar, id: FnId) -> Ref {
    name_of(id.index(), &grammar.function(id).name)
}

fn canvas(canvas: &ir::Canvas) -> Canvas {
    Canvas {
        width: canvas.width,
        height: canvas.height,
        background: match canvas.mode {
            ir::CanvasMode::Ink => None,
            ir::CanvasMode::Rgb { background } => Some(background),
        },
        centred: canvas.centred,
    }
}

fn goal(goal: &ir::Goal) -> Goal {
    match *goal {
        ir::Goal::Iou(least) => Goal::Iou { least },
        ir::Goal::Pixels { within, share } => Goal::Pixels { within, share },
    }
}

fn token(grammar: &Grammar, id: usize, token: &ir::Token) -> Token {
    Token {
        id: number(id),
        name: token.name.clone(),
        docs: token.docs.clone(),
        domain: domain(&token.domain),
        count: token.domain.count(),
        kernel: match token.kernel {
            ir::Kernel::Uniform => Kernel::Uniform,
            ir::Kernel::Normal(deviation) => Kernel::Normal { deviation },
        },
        production: production_ref(grammar, token.production),
        ty: token.ty.to_string(),
    }
}

fn domain(domain: &ir::Domain) -> Domain {
    match domain {
        ir::Domain::Int { lo, hi, step } => Domain::Int {
            lo: *lo,
            hi: *hi,
            step: *step,
        },
        ir::Domain::Real {
            lo,
            hi,
            step,
            decimals,
        } => Domain::Real {
            lo: *lo,
            hi: *hi,
            step: *step,
            decimals: *decimals,
        },
        ir::Domain::Finite(values) => Domain::Finite {
            values: values.iter().map(finite_value).collect(),
        },
        ir::Domain::Text {
            pattern,
            min_len,
            max_len,
        } => Domain::Text {
            pattern: pattern.clone(),
            min_len: *min_len,
            max_len: *max_len,
        },
    }
}

fn finite_value(value: &ir::FiniteValue) -> FiniteValue {
    let seen: Option<Value> = value.value.as_ref().map(expr::value);
    FiniteValue {
        text: value.text.clone(),
        literal: value.literal.0.into(),
        weight: value.weight,
        value: seen,
    }
}

fn sort(grammar: &Grammar, id: usize, sort: &ir::Sort) -> Sort {
    Sort {
        id: number(id),
        name: sort.name.clone(),
        docs: sort.docs.clone(),
        productions: productions(grammar, &sort.productions),
        levels: sort
            .levels
            .iter()
            .map(|level| nonterminal_ref(grammar, *level))
            .collect(),
        draw: sort.draw.as_ref().map(ToString::to_string),
    }
}

fn productions(grammar: &Grammar, ids: &[ProdId]) -> Vec<Ref> {
    ids.iter().map(|id| production_ref(grammar, *id)).collect()
}

fn production(grammar: &Grammar, id: usize, production: &ir::Production) -> Production {
    Production {
        id: number(id),
        name: production.name.clone(),
        docs: production.docs.clone(),
        kind: match production.kind {
            ir::ProductionKind::Node(id) => ProductionKind::Node {
                sort: sort_ref(grammar, id),
            },
            ir::ProductionKind::Token(id) => ProductionKind::Token {
                token: token_ref(grammar, id),
            },
            ir::ProductionKind::Nil => ProductionKind::Nil,
            ir::ProductionKind::Cons => ProductionKind::Cons,
            ir::ProductionKind::None => ProductionKind::None,
            ir::ProductionKind::Some => ProductionKind::Some,
        },
        children: production
            .children
            .iter()
            .map(|child| Child {
                name: child.name.clone(),
                nonterminal: nonterminal_ref(grammar, child.nt),
            })
            .collect(),
        syntax: production
            .syntax
            .iter()
            .map(|item| syntax_item(grammar, production, *item))
            .collect(),
        weight: production.weight,
        primitive: production.primitive,
        cost: production.price,
        level: production.level,
        draw: production.draw.as_ref().map(|arm| expr::body(grammar, arm)),
    }
}

fn syntax_item(grammar: &Grammar, production: &ir::Production, item: ir::SyntaxItem) -> SyntaxItem {
    match item {
        ir::SyntaxItem::Literal(id) => SyntaxItem::Literal {
            text: grammar.literal(id).to_owned(),
            literal: id.0.into(),
        },
        ir::SyntaxItem::Child(child) => SyntaxItem::Child {
            child: child.into(),
            name: production
                .children
                .get(usize::from(child))
                .map(|child| child.name.clone())
                .unwrap_or_default(),
        },
        ir::SyntaxItem::Glue => SyntaxItem::Glue,
    }
}

fn nonterminal(grammar: &Grammar, id: usize, nonterminal: &ir::Nonterminal) -> Nonterminal {
    Nonterminal {
        id: number(id),
        name: grammar.nonterminal_name(NtId::from_index(id)),
        kind: match nonterminal.kind {
            ir::NonterminalKind::Sort { sort, level } => NonterminalKind::Sort {
                sort: sort_ref(grammar, sort),
                level,
            },
            ir::NonterminalKind::Token(id) => NonterminalKind::Token {
                token: token_ref(grammar, id),
            },
            ir::NonterminalKind::List {
                item,
                separator,
                min,
            } => NonterminalKind::List {
                item: nonterminal_ref(grammar, item),
                separator: separator.map(|id| grammar.literal(id).to_owned()),
                min,
            },
            ir::NonterminalKind::Optional { item } => NonterminalKind::Optional {
                item: nonterminal_ref(grammar, item),
            },
        },
        productions: productions(grammar, &nonterminal.productions),
    }
}
