//! What every name means, unit by unit.
//!
//! In: [`Unit`]s. Out: [`Names`]: for each unit its own and its imported names. Afterwards names
//! declared twice, imported from where they are not, or imported for nothing have a diagnostic.

use std::cell::Cell;
use std::collections::BTreeMap;

use crate::diag::codes::{E0201, E0202, E0203, W0204};
use crate::diag::nearest;
use crate::diag::{Diagnostic, Sink};
use crate::grammar::extend::Unit;
use crate::grammar::load::ModuleId;
use crate::meta::ast::{self, ExprKind, Name, UseWhat};
use crate::source::Span;

/// Something declared: its unit, and its place among the unit's declarations of that kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Entity {
    /// A token.
    Token(ModuleId, usize),
    /// A sort.
    Sort(ModuleId, usize),
    /// A function; of several builtins of one name, the first.
    Fn(ModuleId, usize),
}

impl Entity {
    /// What users call such a thing.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Entity::Token(..) => "a token",
            Entity::Sort(..) => "a sort",
            Entity::Fn(..) => "a function",
        }
    }
}

/// A name in a unit.
#[derive(Clone, Debug)]
struct Bound {
    /// `None` when its import failed, which was reported.
    entity: Option<Entity>,
    span: Span,
    imported: bool,
    used: Cell<bool>,
}

/// A module in a unit, reached as `m.name`.
#[derive(Clone, Debug)]
struct Alias {
    module: Option<ModuleId>,
    span: Span,
    used: Cell<bool>,
}

/// The names of one unit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    names: BTreeMap<String, Bound>,
    aliases: BTreeMap<String, Alias>,
}

/// The names of all units, by [`ModuleId`].
pub(crate) fn bind(units: &[Unit], sink: &mut Sink) -> Vec<Names> {
    let own: Vec<BTreeMap<&str, (Entity, Span)>> = (0..units.len())
        .map(|id| declared(ModuleId(id), &units[id]))
        .collect();
    let mut all = Vec::with_capacity(units.len());
    for unit in units {
        let mut names = Names::default();
        for (name, (entity, span)) in &own[all.len()] {
            let bound = Bound {
                entity: Some(*entity),
                span: *span,
                imported: false,
                used: Cell::new(false),
            };
            names.names.insert((*name).to_owned(), bound);
        }
        for import in &unit.imports {
            let inherited = import.span.file != unit.file;
            match &import.used.what {
                UseWhat::Names(list) => {
                    for (name, renamed) in list {
                        let entity = import
                            .target
                            .and_then(|target| find(&own[target.0], name, import, sink));
                        let local = renamed.as_ref().unwrap_or(name);
                        names.add(local, entity, inherited, sink);
                    }
                }
                UseWhat::Module(alias) => {
                    names.add_alias(
                        alias.text.clone(),
                        alias.span,
                        import.target,
                        inherited,
                        sink,
                    );
                }
                UseWhat::Plain => {
                    let path = &import.used.path;
                    let last = path.text.rsplit(['.', '/']).next().unwrap_or("");
                    names.add_alias(last.to_owned(), path.span, import.target, inherited, sink);
                }
            }
        }
        all.push(names);
    }
    all
}

fn declared(id: ModuleId, unit: &Unit) -> BTreeMap<&str, (Entity, Span)> {
    let mut names = BTreeMap::new();
    for (i, d) in unit.tokens.iter().enumerate() {
        let name = &d.item.name;
        names.insert(name.text.as_str(), (Entity::Token(id, i), name.span));
    }
    for (i, d) in unit.sorts.iter().enumerate() {
        let name = &d.item.name;
        names.insert(name.text.as_str(), (Entity::Sort(id, i), name.span));
    }
    for (i, d) in unit.fns.iter().enumerate() {
        let name = &d.item.name;
        names
            .entry(name.text.as_str())
            .or_insert((Entity::Fn(id, i), name.span));
    }
    names
}

/// The entity that a `use` names in its module.
fn find(
    own: &BTreeMap<&str, (Entity, Span)>,
    name: &Name,
    import: &crate::grammar::extend::Import,
    sink: &mut Sink,
) -> Option<Entity> {
    if let Some((entity, _)) = own.get(name.text.as_str()) {
        return Some(*entity);
    }
    let message = format!("`{}` has no `{}`", import.used.path.text, name.text);
    sink.push(unknown(name, message, own.keys().copied()));
    None
}

/// The diagnostic of a name that means nothing.
pub(crate) fn unknown<'a>(
    name: &Name,
    message: String,
    known: impl IntoIterator<Item = &'a str>,
) -> Diagnostic {
    let diagnostic = Diagnostic::new(E0201, name.span, message, "not known");
    match nearest(&name.text, known) {
        Some(near) => diagnostic
            .help(format!("did you mean `{near}`?"))
            .fix(name.span, near),
        None => diagnostic,
    }
}

impl Names {
    fn add(&mut self, name: &Name, entity: Option<Entity>, inherited: bool, sink: &mut Sink) {
        if let Some(first) = self.names.get(&name.text) {
            if !inherited {
                let message = format!("`{}` is declared twice", name.text);
                sink.push(
                    Diagnostic::new(E0202, name.span, message, "imported here")
                        .label(first.span, "the first time")
                        .help("import it under another name: `{a as b}`"),
                );
            }
            return;
        }
        let bound = Bound {
            entity,
            span: name.span,
            imported: true,
            used: Cell::new(inherited || entity.is_none()),
        };
        self.names.insert(name.text.clone(), bound);
    }

    fn add_alias(
        &mut self,
        name: String,
        span: Span,
        module: Option<ModuleId>,
        inherited: bool,
        sink: &mut Sink,
    ) {
        if let Some(first) = self.aliases.get(&name) {
            if !inherited {
                let message = format!("two modules are called `{name}`");
                sink.push(
                    Diagnostic::new(E0202, span, message, "the second")
                        .label(first.span, "the first")
                        .help("import one of them under another name: `use ... as name`"),
                );
            }
            return;
        }
        let alias = Alias {
            module,
            span,
            used: Cell::new(inherited || module.is_none()),
        };
        self.aliases.insert(name, alias);
    }

    /// What a name means, dotted ones included; counts as a use of it. `Some(None)`: an import
    /// that failed, which was reported.
    pub(crate) fn get(&self, text: &str, all: &[Unit]) -> Option<Option<Entity>> {
        if let Some((module, name)) = text.split_once('.') {
            let alias = self.aliases.get(module)?;
            alias.used.set(true);
            let Some(id) = alias.module else {
                return Some(None);
            };
            let entity = declared_one(id, &all[id.0], name)?;
            return Some(Some(entity));
        }
        let bound = self.names.get(text)?;
        bound.used.set(true);
        Some(bound.entity)
    }

    /// Marks every name an expression mentions as used.
    pub(crate) fn mention(&self, text: &str) {
        if let Some((module, _)) = text.split_once('.') {
            if let Some(alias) = self.aliases.get(module) {
                alias.used.set(true);
            }
        } else if let Some(bound) = self.names.get(text) {
            bound.used.set(true);
        }
    }

    /// All names with what they mean, in alphabetical order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Entity)> {
        self.names
            .iter()
            .filter_map(|(name, bound)| Some((name.as_str(), bound.entity?)))
    }

    /// All module aliases.
    pub(crate) fn modules(&self) -> impl Iterator<Item = (&str, ModuleId)> {
        self.aliases
            .iter()
            .filter_map(|(name, alias)| Some((name.as_str(), alias.module?)))
    }

    /// The local name of an entity, if the unit has one.
    pub(crate) fn name_of(&self, entity: Entity) -> Option<&str> {
        self.names
            .iter()
            .find(|(_, bound)| bound.entity == Some(entity))
            .map(|(name, _)| name.as_str())
    }

    /// The entity that a field, `start`, `draw` or `rewrite` names, if it is of a kind that may
    /// stand there; otherwise says what is wrong.
    pub(crate) fn expect(
        &self,
        name: &Name,
        all: &[Unit],
        token_too: bool,
        sink: &mut Sink,
    ) -> Option<Entity> {
        let (wanted, known_as) = if token_too {
            ("a sort or a token", "sort or token")
        } else {
            ("a sort", "sort")
        };
        match self.get(&name.text, all) {
            Some(Some(entity)) => match entity {
                Entity::Sort(..) => return Some(entity),
                Entity::Token(..) if token_too => return Some(entity),
                _ => sink.push(Diagnostic::new(
                    E0203,
                    name.span,
                    format!("`{}` is {}, not {wanted}", name.text, entity.kind()),
                    format!("{wanted} is needed here"),
                )),
            },
            Some(None) => {}
            None => {
                let known = self.iter().filter(|(_, entity)| match entity {
                    Entity::Sort(..) => true,
                    Entity::Token(..) => token_too,
                    Entity::Fn(..) => false,
                });
                let message = format!("there is no {known_as} `{}`", name.text);
                sink.push(unknown(name, message, known.map(|(name, _)| name)));
            }
        }
        None
    }

    /// Warns of imports that nothing used.
    pub(crate) fn report_unused(&self, sink: &mut Sink) {
        let names = self
            .names
            .iter()
            .filter(|(_, b)| b.imported && !b.used.get());
        let names = names.map(|(name, bound)| (name, bound.span));
        let aliases = self.aliases.iter().filter(|(_, a)| !a.used.get());
        let aliases = aliases.map(|(name, alias)| (name, alias.span));
        for (name, span) in names.chain(aliases) {
            let message = format!("`{name}` is imported and never used");
            sink.push(Diagnostic::new(W0204, span, message, "not needed"));
        }
    }
}

fn declared_one(id: ModuleId, unit: &Unit, name: &str) -> Option<Entity> {
    let token = unit.tokens.iter().position(|d| d.item.name.text == name);
    let sort = || unit.sorts.iter().position(|d| d.item.name.text == name);
    let function = || unit.fns.iter().position(|d| d.item.name.text == name);
    token
        .map(|i| Entity::Token(id, i))
        .or_else(|| sort().map(|i| Entity::Sort(id, i)))
        .or_else(|| function().map(|i| Entity::Fn(id, i)))
}

/// Calls `found` with every name that an expression takes from its surroundings, dotted ones
/// included; `locals` are the names that mean something nearer: parameters and fields.
pub(crate) fn mentioned(expr: &ast::Expr, locals: &mut Vec<String>, found: &mut impl FnMut(&str)) {
    // The parser bounds how deeply expressions nest, so recursion is safe.
    match &expr.kind {
        ExprKind::Number(..)
        | ExprKind::Bool(_)
        | ExprKind::Color(_)
        | ExprKind::Str(_)
        | ExprKind::Error => {}
        ExprKind::Name(name) => {
            if !locals.contains(name) {
                found(name);
            }
        }
        ExprKind::Call(name, args) => {
            found(&name.text);
            for arg in args {
                mentioned(arg, locals, found);
            }
        }
        ExprKind::Pipe(first, name, args) => {
            mentioned(first, locals, found);
            found(&name.text);
            for arg in args {
                mentioned(arg, locals, found);
            }
        }
        ExprKind::Member(of, name) => {
            if let ExprKind::Name(module) = &of.kind
                && !locals.contains(module)
            {
                found(&format!("{module}.{}", name.text));
            }
            mentioned(of, locals, found);
        }
        ExprKind::Unary(_, of) | ExprKind::Paren(of) => mentioned(of, locals, found),
        ExprKind::Binary(_, a, b) | ExprKind::Point(a, b) => {
            mentioned(a, locals, found);
            mentioned(b, locals, found);
        }
        ExprKind::Let(name, value, body) => {
            mentioned(value, locals, found);
            locals.push(name.text.clone());
            mentioned(body, locals, found);
            locals.pop();
        }
        ExprKind::If(a, b, c) => {
            mentioned(a, locals, found);
            mentioned(b, locals, found);
            mentioned(c, locals, found);
        }
        ExprKind::Match(of, arms) => {
            mentioned(of, locals, found);
            for arm in arms {
                mentioned(&arm.body, locals, found);
            }
        }
        ExprKind::List(items) => {
            for item in items {
                mentioned(item, locals, found);
            }
        }
    }
}
