//! Small grammars for unit tests, written in one line.
//!
//! `sorts("C:16 | S = *Circle C C / *Quad C / Comb Op S S | Op = Add / Sub", metric, max)`: parts between
//! bars are tokens (`name:count`, `name~`: text) or sorts; a star marks a primitive, `@w` behind a name its
//! weight, a child `X*w` a list with continuation weight w, `X?` an option. The first sort is the start.

use indexmap::IndexMap;

use super::{Rng, Sampler, TextSource, below};
use crate::diag::Sink;
use crate::grammar::expr::Type;
use crate::grammar::ids::{NtId, ProdId, SortId, TokenId};
use crate::grammar::inside::Inside;
use crate::grammar::ir::*;
use crate::source::{FileId, Span};
use crate::tree::Program;

pub(crate) const SPAN: Span = Span {
    file: FileId(0),
    start: 0,
    end: 0,
};

/// csg2d with small domains.
pub(crate) const CSG: &str = "Coord:2 | Angle:2 | Shape = *Circle Coord / *Quad Coord Angle / Combine Op Shape Shape | Op = Add / Sub";
/// Zero-size recursion, a list and an option.
pub(crate) const MOVES: &str =
    "N:2 | S = *Dot N / *Bar T? / Move@0.25 S N / Row@0.1 S*0.5 / Pair@0.2 S S | T = A / B@2";

fn production(name: &str, kind: ProductionKind, weight: f64, primitive: bool) -> Production {
    Production {
        name: name.to_string(),
        docs: String::new(),
        span: SPAN,
        kind,
        children: Vec::new(),
        syntax: Vec::new(),
        weight,
        primitive,
        price: u32::from(primitive),
        level: 0,
        draw: None,
    }
}

/// The grammar, window `1..=max`, sigma_small 2.
pub(crate) fn grammar(text: &str, size: SizeMetric, max: u32) -> Grammar {
    let parts: Vec<&str> = text.split('|').map(str::trim).collect();
    let (sorts, tokens): (Vec<&str>, Vec<&str>) = parts.iter().partition(|p| p.contains('='));
    let mut out = Grammar {
        name: "test".to_string(),
        docs: String::new(),
        span: SPAN,
        start: NtId(0),
        canvas: None,
        goal: None,
        sample: SampleSpec {
            procedure: Procedure::Exact,
            min: 1,
            max,
            by_weight: false,
            span: SPAN,
        },
        mutate: MutateSpec {
            small: 2,
            choice: NodeChoice::Size,
            span: SPAN,
        },
        size,
        observe: None,
        tokens: Vec::new(),
        sorts: Vec::new(),
        productions: Vec::new(),
        nonterminals: Vec::new(),
        literals: Vec::new(),
        fns: Vec::new(),
        rewrites: Vec::new(),
        examples: IndexMap::new(),
    };
    let mut names: Vec<&str> = Vec::new();
    for (index, sort) in sorts.iter().enumerate() {
        let name = sort.split('=').next().unwrap().trim();
        names.push(name);
        out.nonterminals.push(Nonterminal {
            kind: NonterminalKind::Sort {
                sort: SortId(index as u16),
                level: 0,
            },
            productions: Vec::new(),
        });
        out.sorts.push(Sort {
            name: name.to_string(),
            docs: String::new(),
            span: SPAN,
            productions: Vec::new(),
            levels: vec![NtId(index as u16)],
            draw: None,
        });
    }
    for (index, sort) in sorts.iter().enumerate() {
        for alternative in sort.split('=').nth(1).unwrap().split('/') {
            let head = alternative.split_whitespace().next().unwrap();
            let (head, weight) = head.split_once('@').unwrap_or((head, "1"));
            let id = ProdId(out.productions.len() as u16);
            out.productions.push(production(
                head.trim_start_matches('*'),
                ProductionKind::Node(SortId(index as u16)),
                weight.parse().unwrap(),
                head.starts_with('*'),
            ));
            out.nonterminals[index].productions.push(id);
            out.sorts[index].productions.push(id);
        }
    }
    for (index, token) in tokens.iter().enumerate() {
        let id = ProdId(out.productions.len() as u16);
        let token_id = TokenId(index as u16);
        let (name, domain) = match token.split_once(':') {
            Some((name, count)) => {
                let hi = count.parse::<i64>().unwrap() - 1;
                (name, Domain::Int { lo: 0, hi, step: 1 })
            }
            None => (
                token.trim_end_matches('~'),
                Domain::Text {
                    pattern: "[ab]{1,2}".to_string(),
                    min_len: 1,
                    max_len: 2,
                },
            ),
        };
        names.push(name);
        out.productions.push(production(
            name,
            ProductionKind::Token(token_id),
            1.0,
            false,
        ));
        out.nonterminals.push(Nonterminal {
            kind: NonterminalKind::Token(token_id),
            productions: vec![id],
        });
        out.tokens.push(Token {
            name: name.to_string(),
            docs: String::new(),
            span: SPAN,
            domain,
            kernel: Kernel::Uniform,
            production: id,
            ty: Type::Num,
        });
    }
    let mut next = 0;
    for sort in &sorts {
        for alternative in sort.split('=').nth(1).unwrap().split('/') {
            for child in alternative.split_whitespace().skip(1) {
                let base = child.split(['*', '?']).next().unwrap();
                let item = names.iter().position(|name| *name == base).unwrap();
                let item = NtId(item as u16);
                let nt = if let Some((_, weight)) = child.split_once('*') {
                    let weight = weight.parse().unwrap_or(1.0);
                    hidden(&mut out, item, Some(weight))
                } else if child.ends_with('?') {
                    hidden(&mut out, item, None)
                } else {
                    item
                };
                out.productions[next].children.push(Child {
                    name: child.to_string(),
                    nt,
                });
            }
            next += 1;
        }
    }
    out.mutate.small = crate::grammar::inside::least_small(&out).max(2);
    out
}

fn hidden(out: &mut Grammar, item: NtId, list: Option<f64>) -> NtId {
    let nt = NtId(out.nonterminals.len() as u16);
    let first = ProdId(out.productions.len() as u16);
    let (empty, full, kind) = match list {
        Some(_) => (
            production("Nil", ProductionKind::Nil, 1.0, false),
            production("Cons", ProductionKind::Cons, list.unwrap(), false),
            NonterminalKind::List {
                item,
                separator: None,
                min: 0,
            },
        ),
        None => (
            production("None", ProductionKind::None, 1.0, false),
            production("Some", ProductionKind::Some, 1.0, false),
            NonterminalKind::Optional { item },
        ),
    };
    out.productions.push(empty);
    out.productions.push(full);
    let children = &mut out.productions.last_mut().unwrap().children;
    children.push(Child {
        name: "item".to_string(),
        nt: item,
    });
    if list.is_some() {
        children.push(Child {
            name: "tail".to_string(),
            nt,
        });
    }
    out.nonterminals.push(Nonterminal {
        kind,
        productions: vec![first, ProdId(first.0 + 1)],
    });
    nt
}

/// The tables, which must be sound.
pub(crate) fn inside(grammar: &Grammar) -> Inside {
    let mut sink = Sink::new();
    Inside::build(grammar, &mut sink).unwrap_or_else(|| panic!("{:#?}", sink.sorted()))
}

/// Strings of `[ab]{1,2}`.
#[derive(Debug)]
pub(crate) struct Letters;

impl TextSource for Letters {
    fn text(&self, _: TokenId, rng: &mut Rng) -> String {
        (0..=below(rng, 2))
            .map(|_| ['a', 'b'][below(rng, 2) as usize])
            .collect()
    }
    fn probability(&self, _: TokenId, text: &str) -> f64 {
        0.5 / f64::from(1u8 << text.len())
    }
    fn is_single(&self, _: TokenId) -> bool {
        false
    }
}

pub(crate) fn sampler<'c>(grammar: &'c Grammar, inside: &'c Inside) -> Sampler<'c> {
    Sampler::from_parts(grammar, inside, &Letters, grammar.sample).unwrap()
}

/// Every tree of a nonterminal of size `size`, with at most `nodes` nodes, and its weight, texts by
/// their probability. Written without the tables, to be compared with them.
pub(crate) fn enumerate(
    grammar: &Grammar,
    nt: NtId,
    size: u32,
    nodes: usize,
) -> Vec<(Program, f64)> {
    let trees = all(grammar, nt, nodes, size);
    trees
        .into_iter()
        .filter(|(p, _)| p.size() == size)
        .collect()
}

/// Nodes, texts, weight, and the size left.
type Partial = (Vec<(ProdId, u32)>, Vec<Box<str>>, f64, u32);

fn all(grammar: &Grammar, nt: NtId, nodes: usize, size: u32) -> Vec<(Program, f64)> {
    if nodes == 0 {
        return Vec::new();
    }
    let mut out = Vec::new();
    for id in &grammar.nonterminal(nt).productions {
        let production = grammar.production(*id);
        let Some(left) = size.checked_sub(production.cost(grammar.size)) else {
            continue;
        };
        // Nodes, texts, weight, and the size left for further children.
        let mut roots: Vec<Partial> = Vec::new();
        match production.kind {
            ProductionKind::Token(token) => match grammar.token(token).domain.count() {
                Some(count) => {
                    for value in 0..count {
                        roots.push((vec![(*id, value)], vec![], 1.0 / f64::from(count), left));
                    }
                }
                None => {
                    for text in ["a", "b", "aa", "ab", "ba", "bb"] {
                        let p = Letters.probability(token, text);
                        roots.push((vec![(*id, 0)], vec![text.into()], p, left));
                    }
                }
            },
            _ => roots.push((vec![(*id, 0)], vec![], production.weight, left)),
        }
        for child in &production.children {
            let mut next = Vec::new();
            for (kinds, texts, weight, left) in &roots {
                for (tree, own) in all(grammar, child.nt, nodes - kinds.len(), *left) {
                    let left = match grammar.size {
                        SizeMetric::Depth => *left,
                        _ => left - tree.size(),
                    };
                    let mut kinds = kinds.clone();
                    let mut texts = texts.clone();
                    kinds.extend(tree.nodes().iter().map(|n| (n.production, n.value)));
                    texts.extend(tree.texts().iter().cloned());
                    next.push((kinds, texts, weight * own, left));
                }
            }
            roots = next;
        }
        for (kinds, texts, weight, _) in roots {
            let mut program = Program {
                nodes: kinds
                    .iter()
                    .map(|(production, value)| crate::tree::Node {
                        production: *production,
                        value: *value,
                        len: 0,
                        size: 0,
                    })
                    .collect(),
                texts,
            };
            assert!(program.annotate(grammar));
            out.push((program, weight));
        }
    }
    out
}

/// The chi-square statistic's tail probability: `counts` against `expected`, cells below 5
/// merged into one. Wilson and Hilferty's cube-root approximation of the distribution.
pub(crate) fn chi_square(counts: &[f64], expected: &[f64]) -> f64 {
    let (mut cells, mut rest) = (Vec::new(), (0.0, 0.0));
    for (count, expected) in counts.iter().zip(expected) {
        if *expected < 5.0 {
            rest = (rest.0 + count, rest.1 + expected);
        } else {
            cells.push((*count, *expected));
        }
    }
    if rest.1 >= 5.0 {
        cells.push(rest);
    } else if let Some(last) = cells.last_mut() {
        *last = (last.0 + rest.0, last.1 + rest.1);
    }
    assert!(cells.len() > 1, "nothing to compare");
    let statistic: f64 = cells.iter().map(|(c, e)| (c - e) * (c - e) / e).sum();
    let freedom = cells.len() as f64 - 1.0;
    let variance = 2.0 / (9.0 * freedom);
    let z = ((statistic / freedom).cbrt() - (1.0 - variance)) / variance.sqrt();
    tail(z)
}

/// The upper tail of the standard normal distribution (Abramowitz and Stegun 7.1.26).
fn tail(z: f64) -> f64 {
    let x = z.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let series = 0.254_829_592
        + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429)));
    let upper = 0.5 * t * series * libm::exp(-x * x);
    if z > 0.0 { upper } else { 1.0 - upper }
}
