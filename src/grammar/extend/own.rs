//! What a module itself says, before its base is laid under it.
//!
//! In: a parsed file. Out: its [`Unit`]. Afterwards each thing is said once; the first time
//! counts.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::{Decl, Extends, Import, Unit};
use crate::diag::codes::{E0005, E0202};
use crate::diag::{Diagnostic, Sink};
use crate::grammar::load::{Loaded, ModuleId};
use crate::meta::ast::{self, ItemKind, Name, SortMember};
use crate::source::Span;

/// Most declarations, productions, arms and rules of a file.
const MAX_PARTS: usize = 20_000;

/// Most symbols of a file's productions, and values of its finite tokens.
const MAX_SYMBOLS: usize = 200_000;

/// Most fields of a production.
const MAX_FIELDS: usize = 256;

/// Whether a file is small enough for the rest of the compiler, where some work grows with the
/// square of these numbers.
pub(super) fn fits(file: &ast::File, sink: &mut Sink) -> bool {
    let before = sink.len();
    let mut parts = file.items.len();
    let mut symbols = 0;
    let mut count = |production: &ast::Production, sink: &mut Sink| {
        symbols += production.symbols.len();
        let fields = production.symbols.iter();
        let fields = fields.filter(|symbol| matches!(symbol, ast::Symbol::Field(_)));
        if fields.count() > MAX_FIELDS {
            let name = &production.name;
            let message = format!("`{}` has more than {MAX_FIELDS} fields", name.text);
            sink.push(Diagnostic::new(E0005, name.span, message, ""));
        }
    };
    for item in &file.items {
        match &item.kind {
            ItemKind::Sort(sort) => {
                parts += sort.members.len();
                for member in &sort.members {
                    match member {
                        SortMember::Production(production) => count(production, sink),
                        SortMember::Table(table) => {
                            parts += table.productions.len();
                            table.productions.iter().for_each(|p| count(p, sink));
                        }
                    }
                }
            }
            ItemKind::Draw(draw) => parts += draw.arms.len(),
            ItemKind::Rewrite(rewrite) => parts += rewrite.rules.len(),
            _ => {}
        }
    }
    for item in &file.items {
        match &item.kind {
            ItemKind::Token(token) => {
                if let ast::Domain::Finite(values) = &token.domain {
                    symbols += values.len();
                }
            }
            ItemKind::Use(used) => {
                if let ast::UseWhat::Names(names) = &used.what {
                    parts += names.len();
                }
            }
            ItemKind::Extends(extends) => parts += extends.without.len(),
            _ => {}
        }
    }
    if parts > MAX_PARTS || symbols > MAX_SYMBOLS {
        sink.push(
            Diagnostic::new(
                E0005,
                Span::new(file.span.file, 0, 0),
                "this file declares too much",
                "",
            )
            .note(format!(
                "{parts} declarations, productions, arms and rules (at most {MAX_PARTS}), \
                 {symbols} symbols (at most {MAX_SYMBOLS})"
            )),
        );
    }
    sink.len() == before
}

/// What a module itself says.
pub(super) fn own<'a>(
    loaded: &'a Loaded,
    id: ModuleId,
    sink: &mut Sink,
) -> (Unit, Option<Extends<'a>>) {
    let module = loaded.module(id);
    let mut unit = Unit {
        file: module.file,
        docs: module.ast.docs.clone(),
        language: None,
        start: None,
        canvas: None,
        goal: None,
        sample: None,
        mutate: None,
        size: None,
        observe: None,
        imports: Vec::new(),
        tokens: Vec::new(),
        sorts: Vec::new(),
        draws: Vec::new(),
        fns: Vec::new(),
        rewrites: Vec::new(),
        examples: Vec::new(),
        changed: false,
    };
    let mut extends: Option<Extends<'a>> = None;
    // What was said already, by kind and name.
    let mut said: BTreeMap<(&str, &str), Span> = BTreeMap::new();
    let mut once = |kind: &'static str, name: &'a str, span: Span, sink: &mut Sink| -> bool {
        match said.entry((kind, name)) {
            Entry::Vacant(entry) => {
                entry.insert(span);
                true
            }
            Entry::Occupied(first) => {
                let what = match (kind, name) {
                    (kind, "") => format!("`{kind}` is said twice"),
                    ("name", name) => format!("`{name}` is declared twice"),
                    (kind, name) => format!("there are two `{kind}` of `{name}`"),
                };
                sink.push(
                    Diagnostic::new(E0202, span, what, "the second time")
                        .label(*first.get(), "the first time"),
                );
                false
            }
        }
    };
    for (item, link) in module.ast.items.iter().zip(&module.links) {
        let docs = || item.docs.clone();
        let span = item.span;
        macro_rules! decl {
            ($item:expr) => {
                Decl {
                    docs: docs(),
                    span,
                    item: $item.clone(),
                }
            };
        }
        match &item.kind {
            ItemKind::Language(name) => {
                if once("language", "", span, sink) {
                    unit.language = Some(name.clone());
                    // Documentation of the `language` line belongs to the file.
                    unit.docs.extend(docs());
                }
            }
            ItemKind::Use(used) => unit.imports.push(Import {
                used: used.clone(),
                span,
                target: *link,
            }),
            ItemKind::Extends(said) => {
                if once("extends", "", span, sink) {
                    extends = Some((said, *link));
                }
            }
            ItemKind::Start(name) => {
                if once("start", "", span, sink) {
                    unit.start = Some(name.clone());
                }
            }
            ItemKind::Canvas(canvas) => {
                if once("canvas", "", span, sink) {
                    unit.canvas = Some(decl!(canvas));
                }
            }
            ItemKind::Goal(goal) => {
                if once("goal", "", span, sink) {
                    unit.goal = Some(decl!(goal));
                }
            }
            ItemKind::Sample(sample) => {
                if once("sample", "", span, sink) {
                    unit.sample = Some(decl!(sample));
                }
            }
            ItemKind::Mutate(mutate) => {
                if once("mutate", "", span, sink) {
                    unit.mutate = Some(decl!(mutate));
                }
            }
            ItemKind::Size(name) => {
                if once("size", "", span, sink) {
                    unit.size = Some(name.clone());
                }
            }
            ItemKind::Observe(observe) => {
                if once("observe", "", span, sink) {
                    unit.observe = Some(decl!(observe));
                }
            }
            ItemKind::Token(token) => {
                if once("name", &token.name.text, token.name.span, sink) {
                    unit.tokens.push(decl!(token));
                }
            }
            ItemKind::Sort(sort) => {
                if once("name", &sort.name.text, sort.name.span, sink) {
                    unit.sorts.push(decl!(sort));
                }
            }
            ItemKind::Fn(function) => {
                // A builtin's overloads are declared one by one.
                let overload = module.is_std
                    && function.builtin
                    && unit
                        .fns
                        .iter()
                        .any(|f| f.item.builtin && f.item.name.text == function.name.text);
                if overload || once("name", &function.name.text, function.name.span, sink) {
                    unit.fns.push(decl!(function));
                }
            }
            ItemKind::Draw(draw) => {
                if once("draw", &draw.sort.text, draw.sort.span, sink) {
                    unit.draws.push(decl!(draw));
                }
            }
            ItemKind::Rewrite(rewrite) => {
                let same = |r: &&mut Decl<ast::Rewrite>| r.item.sort.text == rewrite.sort.text;
                match unit.rewrites.iter_mut().find(same) {
                    Some(first) => first.item.rules.extend(rewrite.rules.iter().cloned()),
                    None => unit.rewrites.push(decl!(rewrite)),
                }
            }
            ItemKind::Example(example) => {
                if once("example", &example.name.text, example.name.span, sink) {
                    unit.examples.push(decl!(example));
                }
            }
            ItemKind::Error => {}
        }
    }
    inside(&mut unit, sink);
    (unit, extends)
}

/// Names said twice inside sorts, draws and rewrites; the first one counts.
fn inside(unit: &mut Unit, sink: &mut Sink) {
    for sort in &mut unit.sorts {
        let owner = sort.item.name.text.clone();
        let mut seen = Seen::new(format!("`{owner}`"), "productions");
        sort.item.members.retain_mut(|member| match member {
            SortMember::Production(production) => seen.first(&production.name, sink),
            SortMember::Table(table) => {
                table.productions.retain(|p| seen.first(&p.name, sink));
                true
            }
        });
    }
    for draw in &mut unit.draws {
        let mut seen = Seen::new(format!("`draw {}`", draw.item.sort.text), "arms for");
        draw.item
            .arms
            .retain(|arm| seen.first(&arm.production, sink));
    }
    for rewrite in &mut unit.rewrites {
        let mut seen = Seen::new(format!("`rewrite {}`", rewrite.item.sort.text), "rules");
        rewrite
            .item
            .rules
            .retain(|rule| seen.first(&rule.name, sink));
    }
}

/// Names met so far in one declaration.
struct Seen {
    owner: String,
    what: &'static str,
    names: BTreeMap<String, Span>,
}

impl Seen {
    fn new(owner: String, what: &'static str) -> Seen {
        Seen {
            owner,
            what,
            names: BTreeMap::new(),
        }
    }

    /// Whether the name is new; otherwise says so.
    fn first(&mut self, name: &Name, sink: &mut Sink) -> bool {
        if let Some(first) = self.names.get(&name.text) {
            let message = format!("{} has two {} `{}`", self.owner, self.what, name.text);
            sink.push(
                Diagnostic::new(E0202, name.span, message, "the second time")
                    .label(*first, "the first time"),
            );
            return false;
        }
        self.names.insert(name.text.clone(), name.span);
        true
    }
}
