//! A module laid over the modules it `extends`: one [`Unit`] a module, bases folded in.
//!
//! In: [`Loaded`]. Out: a [`Unit`] for every module. Afterwards no `extends` is left, each
//! declaration stands once, and what the module says twice has a diagnostic.
//!
//! What a module says counts more than what its base says:
//!
//! - `canvas`, `goal`, `sample`, `mutate`, `size`, `observe` and `start` replace the base's, each
//!   as a whole; `language` and the file's own documentation are never inherited;
//! - a `token`, `fn` or `example` replaces the base's of that name;
//! - in a `sort` that the base has too, a production replaces the base's of that name, in its
//!   place (if both are plain, or both in tables of one fixity; otherwise the old one goes and
//!   the new one stands where the module puts it). New productions come after the base's, new
//!   tables after (so tighter than) the base's tables;
//! - in a `draw` of a sort that the base draws too, arms replace and add; the type is the
//!   module's;
//! - in a `rewrite` of the same sort, a rule replaces the base's of that name;
//! - a `use` adds names; a name the module declares or imports hides the base's import of it.
//!
//! `without A, B` removes the base's productions of those names, in whichever sorts they are,
//! with their draw arms. Examples and rules of the base that no longer parse are then left out.

use std::collections::{BTreeMap, BTreeSet};

use super::load::{Loaded, ModuleId};
use crate::diag::codes::{E0005, E0201, E0202};
use crate::diag::nearest;
use crate::diag::{Diagnostic, Sink};
use crate::meta::ast::{self, ItemKind, Name, SortMember};
use crate::source::{FileId, Span};

/// A declaration with its documentation.
#[derive(Clone, Debug)]
pub(crate) struct Decl<T> {
    /// Lines of `///`.
    pub(crate) docs: Vec<String>,
    /// The whole declaration.
    pub(crate) span: Span,
    /// What it declares.
    pub(crate) item: T,
}

/// A `use` with the module it names.
#[derive(Clone, Debug)]
pub(crate) struct Import {
    /// What it says.
    pub(crate) used: ast::Use,
    /// The whole `use`.
    pub(crate) span: Span,
    /// `None` where a diagnostic says why.
    pub(crate) target: Option<ModuleId>,
}

/// A module after `extends`.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    /// The file of the module itself.
    pub(crate) file: FileId,
    /// The file's documentation.
    pub(crate) docs: Vec<String>,
    /// `language`.
    pub(crate) language: Option<Name>,
    /// `start`.
    pub(crate) start: Option<Name>,
    /// `canvas`.
    pub(crate) canvas: Option<Decl<ast::Canvas>>,
    /// `goal`.
    pub(crate) goal: Option<Decl<ast::Goal>>,
    /// `sample`.
    pub(crate) sample: Option<Decl<ast::Sample>>,
    /// `mutate`.
    pub(crate) mutate: Option<Decl<ast::Mutate>>,
    /// `size`.
    pub(crate) size: Option<Name>,
    /// `observe`.
    pub(crate) observe: Option<Decl<ast::Observe>>,
    /// `use`; the module's own first, then its base's.
    pub(crate) imports: Vec<Import>,
    /// `token`.
    pub(crate) tokens: Vec<Decl<ast::Token>>,
    /// `sort`.
    pub(crate) sorts: Vec<Decl<ast::Sort>>,
    /// `draw`, one a sort.
    pub(crate) draws: Vec<Decl<ast::Draw>>,
    /// `fn`; a builtin may have several of one name.
    pub(crate) fns: Vec<Decl<ast::Fn>>,
    /// `rewrite`, one a sort.
    pub(crate) rewrites: Vec<Decl<ast::Rewrite>>,
    /// `example`.
    pub(crate) examples: Vec<Decl<ast::Example>>,
    /// Whether something of a base was removed or replaced, so that the base's examples and
    /// rules may be left out when they no longer parse.
    pub(crate) changed: bool,
}

impl Unit {
    /// Where the module begins: what to point at when something is missing.
    pub(crate) fn home(&self) -> Span {
        let whole = Span::new(self.file, 0, 0);
        self.language.as_ref().map_or(whole, |name| name.span)
    }
}

/// The units of all modules, by [`ModuleId`]. `None` when a file is too large to go on with;
/// other mistakes leave the rest usable.
pub(crate) fn flatten(loaded: &Loaded, sink: &mut Sink) -> Option<Vec<Unit>> {
    let mut fit = true;
    for module in &loaded.modules {
        fit &= fits(&module.ast, sink);
    }
    if !fit {
        return None;
    }
    let mut units: BTreeMap<usize, Unit> = BTreeMap::new();
    // Bases first. `load` left no circle and no chain longer than its limit.
    fn build(at: usize, loaded: &Loaded, units: &mut BTreeMap<usize, Unit>, sink: &mut Sink) {
        if units.contains_key(&at) {
            return;
        }
        let module = &loaded.modules[at];
        let (mut unit, extends) = own(loaded, ModuleId(at), sink);
        if let Some((extends, target)) = extends
            && let Some(base) = target
        {
            build(base.0, loaded, units, sink);
            if let Some(base) = units.get(&base.0) {
                unit = merge(unit, base.clone(), extends, sink);
            }
        }
        debug_assert_eq!(unit.file, module.file);
        units.insert(at, unit);
    }
    for at in 0..loaded.modules.len() {
        build(at, loaded, &mut units, sink);
    }
    Some(units.into_values().collect())
}

type Extends<'a> = (&'a ast::Extends, Option<ModuleId>);

/// Most declarations, productions, arms and rules of a file.
const MAX_PARTS: usize = 20_000;

/// Most symbols of a file's productions, and values of its finite tokens.
const MAX_SYMBOLS: usize = 200_000;

/// Most fields of a production.
const MAX_FIELDS: usize = 256;

/// Whether a file is small enough for the rest of the compiler, where some work grows with the
/// square of these numbers.
fn fits(file: &ast::File, sink: &mut Sink) -> bool {
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
fn own<'a>(loaded: &'a Loaded, id: ModuleId, sink: &mut Sink) -> (Unit, Option<Extends<'a>>) {
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
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(span);
                true
            }
            std::collections::btree_map::Entry::Occupied(first) => {
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
        let mut seen = Seen::new(format!("`{owner}`"), "production");
        sort.item.members.retain_mut(|member| match member {
            SortMember::Production(production) => seen.first(&production.name, sink),
            SortMember::Table(table) => {
                table.productions.retain(|p| seen.first(&p.name, sink));
                true
            }
        });
    }
    for draw in &mut unit.draws {
        let mut seen = Seen::new(format!("`draw {}`", draw.item.sort.text), "arm for");
        draw.item
            .arms
            .retain(|arm| seen.first(&arm.production, sink));
    }
    for rewrite in &mut unit.rewrites {
        let mut seen = Seen::new(format!("`rewrite {}`", rewrite.item.sort.text), "rule");
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
            let message = format!(
                "{} has two {}{} `{}`",
                self.owner,
                self.what,
                if self.what.contains(' ') { "" } else { "s" },
                name.text
            );
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

/// `unit` laid over `base`.
fn merge(mut unit: Unit, mut base: Unit, extends: &ast::Extends, sink: &mut Sink) -> Unit {
    let mut changed = base.changed | remove(&mut base, extends, sink);
    unit.start = unit.start.or(base.start);
    unit.canvas = unit.canvas.or(base.canvas);
    unit.goal = unit.goal.or(base.goal);
    unit.sample = unit.sample.or(base.sample);
    unit.mutate = unit.mutate.or(base.mutate);
    unit.size = unit.size.or(base.size);
    unit.observe = unit.observe.or(base.observe);
    unit.imports.append(&mut base.imports);

    // A name declared anew as another kind of thing takes the old thing's place.
    let names = |unit: &Unit| -> [BTreeSet<String>; 3] {
        [
            unit.tokens
                .iter()
                .map(|d| d.item.name.text.clone())
                .collect(),
            unit.sorts
                .iter()
                .map(|d| d.item.name.text.clone())
                .collect(),
            unit.fns.iter().map(|d| d.item.name.text.clone()).collect(),
        ]
    };
    let [tokens, sorts, fns] = names(&unit);
    let before = (base.tokens.len(), base.sorts.len());
    base.tokens
        .retain(|d| !sorts.contains(&d.item.name.text) && !fns.contains(&d.item.name.text));
    base.sorts
        .retain(|d| !tokens.contains(&d.item.name.text) && !fns.contains(&d.item.name.text));
    base.fns
        .retain(|d| !sorts.contains(&d.item.name.text) && !tokens.contains(&d.item.name.text));
    changed |= before != (base.tokens.len(), base.sorts.len());

    changed |= overlay(&mut unit.tokens, base.tokens, |t| &t.name.text, |_, _| true);
    overlay(&mut unit.fns, base.fns, |f| &f.name.text, |_, _| true);
    overlay(
        &mut unit.examples,
        base.examples,
        |e| &e.name.text,
        |_, _| true,
    );
    changed |= overlay(
        &mut unit.sorts,
        base.sorts,
        |s| &s.name.text,
        |new, old| merge_sort(&mut new.item, old.item),
    );
    overlay(
        &mut unit.draws,
        base.draws,
        |d| &d.sort.text,
        |new, old| {
            over(&mut new.item.arms, old.item.arms, |arm| {
                &arm.production.text
            })
        },
    );
    overlay(
        &mut unit.rewrites,
        base.rewrites,
        |r| &r.sort.text,
        |new, old| over(&mut new.item.rules, old.item.rules, |rule| &rule.name.text),
    );
    unit.changed = changed;
    unit
}

/// Removes what `without` names; whether anything was.
fn remove(base: &mut Unit, extends: &ast::Extends, sink: &mut Sink) -> bool {
    let mut removed = false;
    for name in &extends.without {
        let mut from: Vec<String> = Vec::new();
        for sort in &mut base.sorts {
            let mut hit = false;
            sort.item.members.retain_mut(|member| match member {
                SortMember::Production(production) => {
                    let same = production.name.text == name.text;
                    hit |= same;
                    !same
                }
                SortMember::Table(table) => {
                    let before = table.productions.len();
                    table.productions.retain(|p| p.name.text != name.text);
                    hit |= table.productions.len() < before;
                    !table.productions.is_empty()
                }
            });
            if hit {
                from.push(sort.item.name.text.clone());
            }
        }
        for draw in &mut base.draws {
            if from.contains(&draw.item.sort.text) {
                draw.item
                    .arms
                    .retain(|arm| arm.production.text != name.text);
            }
        }
        removed |= !from.is_empty();
        if from.is_empty() {
            let known = base.sorts.iter().flat_map(|sort| {
                sort.item.members.iter().flat_map(|member| match member {
                    SortMember::Production(p) => std::slice::from_ref(p).iter(),
                    SortMember::Table(table) => table.productions.iter(),
                })
            });
            let mut diagnostic = Diagnostic::new(
                E0201,
                name.span,
                format!("`{}` has no production `{}`", extends.base.text, name.text),
                "nothing to leave out",
            );
            if let Some(near) = nearest(&name.text, known.map(|p| p.name.text.as_str())) {
                diagnostic = diagnostic
                    .help(format!("did you mean `{near}`?"))
                    .fix(name.span, near);
            }
            sink.push(diagnostic);
        }
    }
    removed
}

/// Puts `base` before `own`; where both have a name, `join` folds the old one into the new one
/// and the result keeps the old one's place. Whether any `join` changed the old meaning.
fn overlay<T>(
    own: &mut Vec<Decl<T>>,
    base: Vec<Decl<T>>,
    name: impl Fn(&T) -> &String,
    mut join: impl FnMut(&mut Decl<T>, Decl<T>) -> bool,
) -> bool {
    let mut changed = false;
    let mut new = std::mem::take(own);
    for old in base {
        match new.iter().position(|d| name(&d.item) == name(&old.item)) {
            Some(at) => {
                let mut joined = new.remove(at);
                if joined.docs.is_empty() {
                    joined.docs.clone_from(&old.docs);
                }
                changed |= join(&mut joined, old);
                own.push(joined);
            }
            None => own.push(old),
        }
    }
    own.append(&mut new);
    changed
}

/// Puts `base` before `own`, `own` replacing what has the same name in its place. Whether
/// anything was replaced.
fn over<T>(own: &mut Vec<T>, base: Vec<T>, name: impl Fn(&T) -> &String) -> bool {
    let mut replaced = false;
    let mut new = std::mem::take(own);
    for old in base {
        match new.iter().position(|item| name(item) == name(&old)) {
            Some(at) => {
                own.push(new.remove(at));
                replaced = true;
            }
            None => own.push(old),
        }
    }
    own.append(&mut new);
    replaced
}

/// Folds a base's sort into the module's; whether a production was replaced.
fn merge_sort(new: &mut ast::Sort, old: ast::Sort) -> bool {
    let mut replaced = false;
    let mut own = std::mem::take(&mut new.members);
    for mut member in old.members {
        match &mut member {
            SortMember::Production(production) => {
                let (name, mut plain) = (production.name.text.clone(), None);
                replaced |= mentions(&own, &name);
                own.retain_mut(|m| match m {
                    SortMember::Production(p) if p.name.text == name => {
                        plain = Some(p.clone());
                        false
                    }
                    _ => true,
                });
                if let Some(plain) = plain {
                    *production = plain;
                } else if mentions(&own, &name) {
                    continue;
                }
            }
            SortMember::Table(table) => {
                let fixity = table.fixity;
                table.productions.retain_mut(|production| {
                    let name = production.name.text.clone();
                    replaced |= mentions(&own, &name);
                    for m in &mut own {
                        if let SortMember::Table(t) = m
                            && t.fixity == fixity
                            && let Some(at) = t.productions.iter().position(|p| p.name.text == name)
                        {
                            *production = t.productions.remove(at);
                            return true;
                        }
                    }
                    !mentions(&own, &name)
                });
                if table.productions.is_empty() {
                    continue;
                }
            }
        }
        new.members.push(member);
    }
    own.retain(|m| !matches!(m, SortMember::Table(t) if t.productions.is_empty()));
    new.members.append(&mut own);
    replaced
}

fn mentions(members: &[SortMember], name: &str) -> bool {
    members.iter().any(|member| match member {
        SortMember::Production(production) => production.name.text == name,
        SortMember::Table(table) => table.productions.iter().any(|p| p.name.text == name),
    })
}
