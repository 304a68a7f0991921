//! Small grammars for unit tests, in a notation of lines.
//!
//! ```text
//! token Coord int 0 15 1        token Ratio real 0 1 0.25 2
//! token Color finite red blue   token Name text 1 4 [a-z]+
//! sort Shape
//!   Circle = "(" "Circle" r:Coord ")"
//!   Poly   = "[" points:Coord* sep "," "]" ~ close:Color?
//!   table left
//!   Add = "+"
//! ```
//!
//! The first sort is the start; size is the number of nodes. Quoted words hold no spaces.

use indexmap::IndexMap;

use crate::diag::{Diagnostic, Sink};
use crate::grammar::expr::Type;
use crate::grammar::ids::{LiteralId, NtId, ProdId, SortId, TokenId};
use crate::grammar::ir::*;
use crate::grammar::syntax::Syntax;
use crate::source::{FileId, Span};

/// A span that tells test diagnostics apart: line `n`.
fn line(n: usize) -> Span {
    Span::new(FileId(0), n, n + 1)
}

struct Builder<'a> {
    grammar: Grammar,
    sorts: Vec<&'a str>,
    tokens: Vec<&'a str>,
    hidden: Vec<(NonterminalKind, NtId)>,
}

/// The grammar written in these lines.
pub(crate) fn grammar(text: &str) -> Grammar {
    let lines: Vec<(usize, &str)> = text
        .lines()
        .map(str::trim)
        .enumerate()
        .filter(|(_, l)| !l.is_empty())
        .collect();
    let names = |kind: &str| -> Vec<&str> {
        lines
            .iter()
            .filter_map(|(_, l)| l.strip_prefix(kind)?.split_whitespace().next())
            .collect()
    };
    let mut builder = Builder {
        grammar: empty(),
        sorts: names("sort "),
        tokens: names("token "),
        hidden: Vec::new(),
    };
    builder.build(&lines);
    builder.grammar
}

/// The grammar and its syntax, which must be sound.
pub(crate) fn language(text: &str) -> (Grammar, Syntax) {
    let grammar = grammar(text);
    let mut sink = Sink::new();
    let syntax = Syntax::build(&grammar, &mut sink);
    assert!(sink.is_empty(), "{:#?}", sink.sorted());
    (grammar, syntax.unwrap())
}

/// The diagnostics of a grammar whose syntax is not sound.
pub(crate) fn mistakes(text: &str) -> Vec<Diagnostic> {
    let mut sink = Sink::new();
    let syntax = Syntax::build(&grammar(text), &mut sink);
    assert!(syntax.is_none() && sink.has_errors(), "{text}");
    sink.sorted()
}

fn empty() -> Grammar {
    Grammar {
        name: "test".to_string(),
        docs: String::new(),
        span: line(0),
        start: NtId(0),
        canvas: None,
        goal: None,
        sample: SampleSpec {
            procedure: Procedure::Exact,
            min: 1,
            max: 20,
            by_weight: false,
            span: line(0),
        },
        mutate: MutateSpec {
            small: 2,
            choice: NodeChoice::Size,
            span: line(0),
        },
        size: SizeMetric::Nodes,
        observe: None,
        tokens: Vec::new(),
        sorts: Vec::new(),
        productions: Vec::new(),
        nonterminals: Vec::new(),
        literals: Vec::new(),
        fns: Vec::new(),
        rewrites: Vec::new(),
        examples: IndexMap::new(),
    }
}

impl<'a> Builder<'a> {
    fn build(&mut self, lines: &[(usize, &'a str)]) {
        // Tables per sort decide the levels, so they are counted first.
        let mut tables = vec![0u8; self.sorts.len()];
        let mut sort = 0;
        for (_, l) in lines {
            if l.starts_with("sort ") {
                sort += 1;
            } else if l.starts_with("table ") {
                tables[sort - 1] += 1;
            }
        }
        for (index, name) in self.sorts.clone().into_iter().enumerate() {
            let sort = SortId::from_index(index);
            let levels = (0..=tables[index])
                .map(|level| self.nonterminal(NonterminalKind::Sort { sort, level }))
                .collect();
            self.grammar.sorts.push(Sort {
                name: name.to_string(),
                docs: String::new(),
                span: line(0),
                productions: Vec::new(),
                levels,
                draw: None,
            });
        }
        for index in 0..self.tokens.len() {
            self.nonterminal(NonterminalKind::Token(TokenId::from_index(index)));
        }
        let (mut sort, mut table, mut fixity) = (0, 0u8, None);
        let mut todo = Vec::new();
        for &(at, l) in lines {
            let words: Vec<&str> = l.split_whitespace().collect();
            match words[0] {
                "sort" => {
                    sort += 1;
                    self.grammar.sorts[sort - 1].span = line(at);
                    (table, fixity) = (0, None);
                }
                "table" => {
                    table += u8::from(fixity.is_some());
                    fixity = Some(words[1]);
                }
                "token" => todo.push((at, words)),
                _ => self.production(at, sort - 1, fixity, table, tables[sort - 1], &words),
            }
        }
        for (index, (at, words)) in todo.into_iter().enumerate() {
            self.token(at, index, &words);
        }
        for nt in self.grammar.nonterminal_ids() {
            if let NonterminalKind::Sort { sort, level } = self.grammar.nonterminal(nt).kind {
                let of = self.grammar.sort(sort).productions.clone();
                let fits = |p: &ProdId| self.grammar.production(*p).level >= level;
                self.grammar.nonterminals[nt.index()].productions =
                    of.into_iter().filter(fits).collect();
            }
        }
        for (kind, nt) in self.hidden.clone() {
            self.hide(kind, nt);
        }
    }

    fn nonterminal(&mut self, kind: NonterminalKind) -> NtId {
        let at = |n: &Nonterminal| n.kind == kind;
        if let Some(index) = self.grammar.nonterminals.iter().position(at) {
            return NtId::from_index(index);
        }
        self.grammar.nonterminals.push(Nonterminal {
            kind,
            productions: Vec::new(),
        });
        let nt = NtId::from_index(self.grammar.nonterminals.len() - 1);
        if let NonterminalKind::List {
            item, separator, ..
        } = kind
        {
            self.nonterminal(NonterminalKind::List {
                item,
                separator,
                min: 0,
            });
        }
        if matches!(
            kind,
            NonterminalKind::List { .. } | NonterminalKind::Optional { .. }
        ) {
            self.hidden.push((kind, nt));
        }
        nt
    }

    fn push(&mut self, at: usize, name: &str, kind: ProductionKind) -> ProdId {
        self.grammar.productions.push(Production {
            name: name.to_string(),
            docs: String::new(),
            span: line(at),
            kind,
            children: Vec::new(),
            syntax: Vec::new(),
            weight: 1.0,
            primitive: false,
            price: 0,
            level: 0,
            draw: None,
        });
        ProdId::from_index(self.grammar.productions.len() - 1)
    }

    fn hide(&mut self, kind: NonterminalKind, nt: NtId) {
        let child = |nt| Child {
            name: "child".to_string(),
            nt,
        };
        let mut add = |name, kind, children| {
            let id = self.push(0, name, kind);
            self.grammar.productions[id.index()].children = children;
            self.grammar.nonterminals[nt.index()].productions.push(id);
        };
        match kind {
            NonterminalKind::List {
                item,
                separator,
                min,
            } => {
                if min == 0 {
                    add("Nil", ProductionKind::Nil, vec![]);
                }
                let rest = NonterminalKind::List {
                    item,
                    separator,
                    min: 0,
                };
                let rest = self.nonterminal(rest);
                let id = self.push(0, "Cons", ProductionKind::Cons);
                self.grammar.productions[id.index()].children = vec![child(item), child(rest)];
                self.grammar.nonterminals[nt.index()].productions.push(id);
            }
            NonterminalKind::Optional { item } => {
                add("None", ProductionKind::None, vec![]);
                add("Some", ProductionKind::Some, vec![child(item)]);
            }
            _ => {}
        }
    }

    fn literal(&mut self, text: &str) -> LiteralId {
        let known = self.grammar.literals.iter().position(|l| l == text);
        LiteralId::from_index(known.unwrap_or_else(|| {
            self.grammar.literals.push(text.to_string());
            self.grammar.literals.len() - 1
        }))
    }

    fn production(
        &mut self,
        at: usize,
        sort: usize,
        fixity: Option<&str>,
        table: u8,
        tables: u8,
        words: &[&str],
    ) {
        let id = self.push(at, words[0], ProductionKind::Node(SortId::from_index(sort)));
        self.grammar.sorts[sort].productions.push(id);
        let mut parts: Vec<&str> = words.get(2..).unwrap_or(&[]).to_vec();
        let name = self.sorts[sort];
        let (left, right) = (format!("left:{name}"), format!("right:{name}"));
        let levels = match fixity {
            None => (tables, tables),
            Some("left") => (table, table + 1),
            Some("right") => (table + 1, table),
            Some("none") => (table + 1, table + 1),
            Some(_) => (table, table),
        };
        if matches!(fixity, Some("left" | "right" | "none")) {
            parts.insert(0, &left);
            parts.push(&right);
        }
        let (mut children, mut syntax) = (Vec::new(), Vec::new());
        let mut at = 0;
        while at < parts.len() {
            let part = parts[at];
            at += 1;
            if let Some(text) = part.strip_prefix('"') {
                let text = text.strip_suffix('"').unwrap();
                syntax.push(SyntaxItem::Literal(self.literal(text)));
                continue;
            }
            if part == "~" {
                syntax.push(SyntaxItem::Glue);
                continue;
            }
            let (field, of) = part.split_once(':').unwrap();
            let plain = of.trim_end_matches(['*', '+', '?']);
            let mut separator = None;
            if parts.get(at) == Some(&"sep") {
                separator = Some(self.literal(parts[at + 1].trim_matches('"')));
                at += 2;
            }
            let first = syntax.is_empty();
            let last = at == parts.len();
            let nt = self.named(
                plain,
                sort,
                if first { levels.0 } else { levels.1 },
                first || last,
            );
            let nt = match of.chars().last() {
                Some('?') => self.nonterminal(NonterminalKind::Optional { item: nt }),
                Some(c @ ('*' | '+')) => self.nonterminal(NonterminalKind::List {
                    item: nt,
                    separator,
                    min: u8::from(c == '+'),
                }),
                _ => nt,
            };
            syntax.push(SyntaxItem::Child(children.len() as u16));
            children.push(Child {
                name: field.to_string(),
                nt,
            });
        }
        let production = &mut self.grammar.productions[id.index()];
        production.children = children;
        production.syntax = syntax;
        production.level = if fixity.is_some() { table } else { tables };
    }

    fn named(&self, name: &str, own: usize, level: u8, edge: bool) -> NtId {
        if let Some(sort) = self.sorts.iter().position(|s| *s == name) {
            let level = if sort == own && edge { level } else { 0 };
            return self.grammar.sorts[sort].levels[usize::from(level)];
        }
        let token = self.tokens.iter().position(|t| *t == name);
        let kind = NonterminalKind::Token(TokenId::from_index(token.expect(name)));
        let at = |n: &Nonterminal| n.kind == kind;
        NtId::from_index(self.grammar.nonterminals.iter().position(at).unwrap())
    }

    fn token(&mut self, at: usize, index: usize, words: &[&str]) {
        let token = TokenId::from_index(index);
        let production = self.push(at, words[1], ProductionKind::Token(token));
        let kind = NonterminalKind::Token(token);
        let nt = self.nonterminal(kind);
        self.grammar.nonterminals[nt.index()].productions = vec![production];
        let int = |i: usize| words[i].parse::<i64>().unwrap();
        let real = |i: usize| words[i].parse::<f64>().unwrap();
        let domain = match words[2] {
            "int" => Domain::Int {
                lo: int(3),
                hi: int(4),
                step: int(5),
            },
            "real" => Domain::Real {
                lo: real(3),
                hi: real(4),
                step: real(5),
                decimals: int(6) as u8,
            },
            "finite" => Domain::Finite(
                words[3..]
                    .iter()
                    .map(|text| FiniteValue {
                        text: text.to_string(),
                        literal: self.literal(text),
                        weight: 1.0,
                        value: None,
                    })
                    .collect(),
            ),
            _ => Domain::Text {
                pattern: words[5..].join(" "),
                min_len: int(3) as u32,
                max_len: int(4) as u32,
            },
        };
        self.grammar.tokens.push(Token {
            name: words[1].to_string(),
            docs: String::new(),
            span: line(at),
            domain,
            kernel: Kernel::Uniform,
            production,
            ty: Type::Num,
        });
    }
}
