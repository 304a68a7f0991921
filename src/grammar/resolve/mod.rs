//! From syntax trees to the grammar: every name is looked up here, once.
//!
//! In: the [`Unit`]s of a grammar's modules, unit 0 the root. Out: [`Resolved`]: the [`Grammar`]
//! and the scope that its rewrite rules are checked in. Afterwards ids replace names, draw code
//! is well-typed, defaults are filled in; what is wrong has a diagnostic, and then the grammar
//! is not to be used.
//!
//! The grammar holds the root's sorts and tokens and those of other modules that their fields
//! reach, with their draw arms; other modules' settings, rules and examples stay behind.

mod arms;
mod functions;
mod names;
mod numbers;
mod settings;
mod sorts;
#[cfg(test)]
mod tests;
mod tokens;

use std::collections::BTreeMap;

use indexmap::IndexMap;

use self::functions::Functions;
use self::names::{Entity, Names};
use self::settings::Settings;
use self::sorts::{MAX_PRODUCTIONS, Of, Tables};
use self::tokens::{Meaning, Surroundings};
use super::expr::{FnDef, Type, Value};
use super::extend::Unit;
use super::ids::{LiteralId, NtId, SortId, TokenId};
use super::inside;
use super::ir::{
    ExampleDef, Grammar, NonterminalKind, Production, ProductionKind, Quote, RewriteDef, Sort,
    Token,
};
use super::load::ModuleId;
use super::types::{self, Scope};
use crate::diag::codes::{E0005, E0202, E0701};
use crate::diag::{Diagnostic, Sink};
use crate::meta::ast::{self, Field, SortMember};
use crate::source::Span;

/// A grammar and what its rules may name.
pub(crate) struct Resolved {
    /// The grammar.
    pub(crate) grammar: Grammar,
    /// What expressions of the root module can name.
    pub(crate) scope: Scope,
}

/// The root module.
const ROOT: ModuleId = ModuleId(0);

/// Sorts and tokens of the grammar, in the order of their ids.
#[derive(Default)]
struct Included {
    sorts: Vec<Entity>,
    tokens: Vec<Entity>,
    ids: BTreeMap<Entity, usize>,
}

impl Included {
    fn add(&mut self, entity: Entity) {
        let list = match entity {
            Entity::Sort(..) => &mut self.sorts,
            Entity::Token(..) => &mut self.tokens,
            Entity::Fn(..) => return,
        };
        if let std::collections::btree_map::Entry::Vacant(slot) = self.ids.entry(entity) {
            slot.insert(list.len());
            list.push(entity);
        }
    }

    fn sort(&self, entity: Entity) -> Option<SortId> {
        match entity {
            Entity::Sort(..) => self.ids.get(&entity).copied().map(SortId::from_index),
            _ => None,
        }
    }
}

/// Resolves the root unit. `stem` is the file's name, for a
/// language that does not name itself; `is_std`
/// tells which modules are the standard library's.
pub(crate) fn resolve(
    units: &[Unit],
    is_std: impl Fn(ModuleId) -> bool,
    stem: &str,
    sink: &mut Sink,
) -> Option<Resolved> {
    let root = units.first()?;
    let names = names::bind(units, sink);
    let included = include(units, &names, sink);
    if too_large(units, &included, root, sink) {
        return None;
    }
    let called = called(units, &names, &included, sink);

    let mut tables = Tables::default();
    for (i, entity) in included.sorts.iter().enumerate() {
        tables.add_levels(SortId::from_index(i), sort_of(units, *entity), sink);
    }
    let token_nts: Vec<NtId> = (0..included.tokens.len())
        .map(|i| tables.nonterminal(NonterminalKind::Token(TokenId::from_index(i))))
        .collect();
    let mut sorts = Vec::with_capacity(included.sorts.len());
    for (i, entity) in included.sorts.iter().enumerate() {
        let (module, decl) = (module_of(*entity), sort_decl(units, *entity));
        let of = |field: &Field| match names[module.0].get(&field.of.text, units)?? {
            entity @ Entity::Sort(..) => included.sort(entity).map(Of::Sort),
            entity @ Entity::Token(..) => Some(Of::Token(token_nts[*included.ids.get(&entity)?])),
            Entity::Fn(..) => None,
        };
        let id = SortId::from_index(i);
        let productions = tables.add_sort(id, &decl.item, of, sink);
        sorts.push(Sort {
            name: called.sorts[i].clone(),
            docs: decl.docs.join("\n"),
            span: decl.item.name.span,
            productions,
            levels: tables.levels[i].clone(),
            draw: None,
        });
    }

    let live = live(units, is_std);
    let drawn = arms::draws(units, &names, &included, &live, sink);
    let enums = arms::enums(units, &included, &called, &sorts, &drawn, &tables);
    let Functions { fns, scopes } = functions::functions(units, &names, &live, &enums, sink);
    for (i, draw) in &drawn {
        let ty = types::ty(&draw.decl.ty, &scopes[draw.module.0], sink);
        sorts[*i].draw = Some(ty);
    }
    let tokens = tokens(
        units,
        &included,
        &called,
        &token_nts,
        &mut tables,
        &scopes,
        &fns,
        sink,
    );
    tables.add_hidden();
    arms::arms(&drawn, &sorts, &tokens, &mut tables, &scopes, sink);

    let primitives = tables.productions.iter().any(|p| p.primitive);
    let scope = &scopes[ROOT.0];
    let color = |expr: &ast::Expr, sink: &mut Sink| match types::check_const(
        expr,
        Some(&Type::Color),
        scope,
        &fns,
        sink,
    )? {
        Value::Color(color) => Some(color),
        _ => None,
    };
    let settings = settings::settings(root, primitives, color, sink);
    let start = start(root, units, &names, &included, &tables, sink);
    let rewrites = rewrites(root, units, &names, &included, sink);
    let examples = examples(root);
    functions::report_unused(ROOT, units, &names, sink);
    for module in &live {
        functions::uses(&units[module.0], &mut |text| names[module.0].mention(text));
        names[module.0].report_unused(sink);
    }
    let limit = tables.productions.len().max(tables.nonterminals.len());
    if limit > 4 * MAX_PRODUCTIONS {
        report_too_large(root, sink);
        return None;
    }

    let Settings {
        canvas,
        goal,
        sample,
        mutate,
        size,
        observe,
    } = settings;
    let mut grammar = Grammar {
        name: match &root.language {
            Some(name) => name.text.clone(),
            None => name_from(stem),
        },
        docs: root.docs.join("\n"),
        span: root.home(),
        start: start?,
        canvas,
        goal,
        sample,
        mutate,
        size,
        observe,
        tokens,
        sorts,
        productions: tables.productions,
        nonterminals: tables.nonterminals,
        literals: tables.literals.finish(),
        fns,
        rewrites,
        examples,
    };
    if root.mutate.as_ref().is_none_or(|m| m.item.small.is_none()) {
        // A grammar that does not say gets 2 as in the paper, or what mutation needs at least.
        grammar.mutate.small = grammar.mutate.small.max(inside::least_small(&grammar));
    }
    Some(Resolved {
        grammar,
        scope: scope.clone(),
    })
}

fn module_of(entity: Entity) -> ModuleId {
    match entity {
        Entity::Sort(module, _) | Entity::Token(module, _) | Entity::Fn(module, _) => module,
    }
}

fn sort_decl(units: &[Unit], entity: Entity) -> &super::extend::Decl<ast::Sort> {
    match entity {
        Entity::Sort(module, i) | Entity::Token(module, i) | Entity::Fn(module, i) => {
            &units[module.0].sorts[i]
        }
    }
}

fn sort_of(units: &[Unit], entity: Entity) -> &ast::Sort {
    &sort_decl(units, entity).item
}

/// A sort's productions, those of its tables among them.
fn productions(sort: &ast::Sort) -> impl Iterator<Item = &ast::Production> {
    sort.members.iter().flat_map(|member| match member {
        SortMember::Production(production) => std::slice::from_ref(production).iter(),
        SortMember::Table(table) => table.productions.iter(),
    })
}

/// The root's sorts and tokens, then what their fields reach in other modules.
fn include(units: &[Unit], names: &[Names], sink: &mut Sink) -> Included {
    let mut included = Included::default();
    for i in 0..units[0].sorts.len() {
        included.add(Entity::Sort(ROOT, i));
    }
    for i in 0..units[0].tokens.len() {
        included.add(Entity::Token(ROOT, i));
    }
    let mut next = 0;
    while let Some(entity) = included.sorts.get(next).copied() {
        next += 1;
        let module = module_of(entity);
        for production in productions(sort_of(units, entity)) {
            for symbol in &production.symbols {
                if let ast::Symbol::Field(field) = symbol
                    && let Some(of) = names[module.0].expect(&field.of, units, true, sink)
                {
                    included.add(of);
                }
            }
        }
        // `start` may name an imported sort.
        if next == included.sorts.len()
            && let Some(start) = &units[0].start
            && let Some(Some(entity @ Entity::Sort(..))) = names[0].get(&start.text, units)
        {
            included.add(entity);
        }
    }
    if let (true, Some(start)) = (included.sorts.is_empty(), &units[0].start)
        && let Some(Some(entity @ Entity::Sort(..))) = names[0].get(&start.text, units)
    {
        included.add(entity);
    }
    included
}

/// Whether there are more productions than the engine's tables are made for.
fn too_large(units: &[Unit], included: &Included, root: &Unit, sink: &mut Sink) -> bool {
    let count: usize = included
        .sorts
        .iter()
        .map(|entity| 1 + productions(sort_of(units, *entity)).count())
        .sum();
    if count + included.tokens.len() <= MAX_PRODUCTIONS {
        return false;
    }
    report_too_large(root, sink);
    true
}

fn report_too_large(root: &Unit, sink: &mut Sink) {
    sink.push(
        Diagnostic::new(E0005, root.home(), "this grammar is too large", "").note(format!(
            "at most {MAX_PRODUCTIONS} sorts, tokens and productions, lists and options apart"
        )),
    );
}

/// What sorts and tokens are called in the grammar.
struct Called {
    sorts: Vec<String>,
    tokens: Vec<String>,
}

/// Names: what the root calls it, otherwise its own; each once.
fn called(units: &[Unit], names: &[Names], included: &Included, sink: &mut Sink) -> Called {
    let mut taken: BTreeMap<String, Span> = BTreeMap::new();
    let mut call = |entity: &Entity| {
        let own = match entity {
            Entity::Sort(module, i) => &units[module.0].sorts[*i].item.name,
            Entity::Token(module, i) => &units[module.0].tokens[*i].item.name,
            Entity::Fn(module, i) => &units[module.0].fns[*i].item.name,
        };
        let name = if module_of(*entity) == ROOT {
            own.text.as_str()
        } else {
            names[0].name_of(*entity).unwrap_or(&own.text)
        };
        if let Some(first) = taken.insert(name.to_owned(), own.span) {
            let message = format!("the grammar would have two things called `{name}`");
            sink.push(
                Diagnostic::new(E0202, own.span, message, "one")
                    .label(first, "the other")
                    .help("import one of them under another name: `{a as b}`"),
            );
        }
        name.to_owned()
    };
    Called {
        sorts: included.sorts.iter().map(&mut call).collect(),
        tokens: included.tokens.iter().map(&mut call).collect(),
    }
}

/// The root and the modules that it, or one it uses, `use`s; not the standard library.
fn live(units: &[Unit], is_std: impl Fn(ModuleId) -> bool) -> Vec<ModuleId> {
    let mut live = vec![ROOT];
    let mut next = 0;
    while let Some(module) = live.get(next).copied() {
        next += 1;
        for import in &units[module.0].imports {
            if let Some(target) = import.target
                && !is_std(target)
                && !live.contains(&target)
            {
                live.push(target);
            }
        }
    }
    live
}

/// The literals and constants that a token needs.
struct TokenSurroundings<'a> {
    tables: &'a mut Tables,
    scope: &'a Scope,
    fns: &'a [FnDef],
}

impl Surroundings for TokenSurroundings<'_> {
    fn literal(&mut self, text: &ast::Text, sink: &mut Sink) -> LiteralId {
        self.tables.literals.intern(text, sink)
    }

    fn constant(
        &mut self,
        expr: &ast::Expr,
        expected: Option<&Type>,
        sink: &mut Sink,
    ) -> Option<Value> {
        types::check_const(expr, expected, self.scope, self.fns, sink)
    }
}

#[allow(clippy::too_many_arguments)] // one call; a struct would only rename the list
fn tokens(
    units: &[Unit],
    included: &Included,
    called: &Called,
    nts: &[NtId],
    tables: &mut Tables,
    scopes: &[Scope],
    fns: &[FnDef],
    sink: &mut Sink,
) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(included.tokens.len());
    for (i, entity) in included.tokens.iter().enumerate() {
        let Entity::Token(module, at) = entity else {
            continue;
        };
        let decl = &units[module.0].tokens[*at];
        let mut around = TokenSurroundings {
            tables,
            scope: &scopes[module.0],
            fns,
        };
        let Meaning { domain, kernel, ty } = tokens::token(&decl.item, &mut around, sink);
        let ty = match ty {
            // The type goes by the grammar's name, which an import may have changed.
            Type::Enum(_) => Type::Enum(called.tokens[i].clone()),
            ty => ty,
        };
        let name = called.tokens[i].clone();
        let span = decl.item.name.span;
        let production = tables.add(
            Production {
                name: name.clone(),
                docs: decl.docs.join("\n"),
                span,
                kind: ProductionKind::Token(TokenId::from_index(i)),
                children: Vec::new(),
                syntax: Vec::new(),
                weight: 1.0,
                primitive: false,
                price: 0,
                level: 0,
                draw: None,
            },
            &[nts[i]],
        );
        tokens.push(Token {
            name,
            docs: decl.docs.join("\n"),
            span,
            domain,
            kernel,
            production,
            ty,
        });
    }
    tokens
}

fn start(
    root: &Unit,
    units: &[Unit],
    names: &[Names],
    included: &Included,
    tables: &Tables,
    sink: &mut Sink,
) -> Option<NtId> {
    let Some(name) = &root.start else {
        let diagnostic = Diagnostic::new(
            E0701,
            root.home(),
            "no `start` says what a program is",
            "this language has no start",
        );
        sink.push(match root.sorts.last() {
            Some(sort) => diagnostic.help(format!("for example `start {}`", sort.item.name.text)),
            None => diagnostic.help("declare a sort, and name it with `start`"),
        });
        return None;
    };
    let entity = names[0].expect(name, units, false, sink)?;
    let sort = included.sort(entity)?;
    tables.levels[sort.index()].first().copied()
}

fn rewrites(
    root: &Unit,
    units: &[Unit],
    names: &[Names],
    included: &Included,
    sink: &mut Sink,
) -> Vec<RewriteDef> {
    let quote = |text: &ast::Text| Quote {
        text: text.text.clone(),
        span: text.span,
    };
    let mut rewrites = Vec::new();
    for decl in &root.rewrites {
        let Some(entity) = names[0].expect(&decl.item.sort, units, false, sink) else {
            continue;
        };
        let Some(sort) = included.sort(entity) else {
            continue;
        };
        for rule in &decl.item.rules {
            rewrites.push(RewriteDef {
                name: rule.name.text.clone(),
                docs: rule.docs.join("\n"),
                span: rule.span,
                sort,
                left: quote(&rule.left),
                right: quote(&rule.right),
                both_ways: rule.both_ways,
                lets: rule.lets.clone(),
                condition: rule.condition.clone(),
                droppable: root.changed && rule.span.file != root.file,
            });
        }
    }
    rewrites
}

fn examples(root: &Unit) -> IndexMap<String, ExampleDef> {
    let define = |decl: &super::extend::Decl<ast::Example>| ExampleDef {
        docs: decl.docs.join("\n"),
        program: Quote {
            text: decl.item.program.text.clone(),
            span: decl.item.program.span,
        },
        droppable: root.changed && decl.span.file != root.file,
    };
    root.examples
        .iter()
        .map(|decl| (decl.item.name.text.clone(), define(decl)))
        .collect()
}

/// A language without a `language` line is called after its file.
fn name_from(stem: &str) -> String {
    let fits = |c: char| if c.is_alphanumeric() { c } else { '_' };
    let name: String = stem.chars().map(fits).collect();
    if name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
        name
    } else {
        format!("language_{name}")
    }
}
