//! Functions: which ones a grammar needs, in what order, and what their names mean where.
//!
//! In: [`Unit`]s and [`Names`]. Out: `FnDef`s, callees before callers, and a [`Scope`] for every
//! module. Afterwards no function calls itself, directly or through others.

use std::collections::{BTreeMap, BTreeSet};

use super::names::{Entity, Names, mentioned};
use crate::diag::codes::{E0315, W0302};
use crate::diag::{Diagnostic, Sink};
use crate::grammar::expr::{Expr, ExprKind, FnDef, Type, Value};
use crate::grammar::extend::Unit;
use crate::grammar::ids::FnId;
use crate::grammar::load::ModuleId;
use crate::grammar::types::{self, Cases, Function, Scope};
use crate::meta::ast;
use crate::source::Span;

/// A function's declaration: its module and place among the module's functions.
type FnKey = (ModuleId, usize);

/// Functions and scopes.
pub(super) struct Functions {
    /// Those with a body, callees before callers.
    pub(super) fns: Vec<FnDef>,
    /// What each module's expressions can name; empty for modules that are not `live`.
    pub(super) scopes: Vec<Scope>,
}

/// Checks every function of the `live` modules and those they call. `enums` are the grammar's
/// types that only `match` looks into.
pub(super) fn functions(
    units: &[Unit],
    names: &[Names],
    live: &[ModuleId],
    enums: &[(String, Cases)],
    sink: &mut Sink,
) -> Functions {
    let order = order(units, names, live, sink);
    let ids: BTreeMap<FnKey, FnId> = order
        .iter()
        .enumerate()
        .map(|(i, key)| (*key, FnId::from_index(i)))
        .collect();
    let mut bare = Scope::new();
    for (name, cases) in enums {
        bare.add_enum(name.clone(), cases.clone());
    }
    for (name, module) in crate::grammar::stdlib::functions() {
        bare.add_elsewhere(name, module);
    }
    let mut signatures: BTreeMap<FnKey, Option<Function>> = BTreeMap::new();
    let mut scopes: Vec<Scope> = vec![Scope::new(); units.len()];
    let mut wanted: Vec<ModuleId> = live.to_vec();
    wanted.extend(order.iter().map(|(module, _)| *module));
    wanted.sort();
    wanted.dedup();
    for module in &wanted {
        let mut scope = bare.clone();
        let mut add = |name: String, module: ModuleId, text: &str, sink: &mut Sink| {
            for (i, function) in units[module.0].fns.iter().enumerate() {
                if function.item.name.text != text {
                    continue;
                }
                let key = (module, i);
                let signature = signatures.entry(key).or_insert_with(|| {
                    // A builtin has no id; it ignores this one.
                    let id = ids.get(&key).copied().unwrap_or(FnId(0));
                    types::signature(&function.item, id, &bare, sink)
                });
                if let Some(signature) = signature {
                    scope.add_function(name.clone(), signature.clone());
                }
            }
        };
        for (name, entity) in names[module.0].iter() {
            if let Entity::Fn(of, i) = entity {
                let text = &units[of.0].fns[i].item.name.text;
                add(name.to_owned(), of, text, sink);
            }
        }
        for (alias, of) in names[module.0].modules() {
            let mut seen = BTreeSet::new();
            for function in &units[of.0].fns {
                let text = &function.item.name.text;
                if seen.insert(text) {
                    add(format!("{alias}.{text}"), of, text, sink);
                }
            }
        }
        scopes[module.0] = scope;
    }
    let mut fns = Vec::with_capacity(order.len());
    let mut spans: Vec<Span> = Vec::with_capacity(order.len());
    for (module, i) in order {
        let function = &units[module.0].fns[i];
        let scope = &scopes[module.0];
        let checked = types::check_fn(&function.item, &function.docs, scope, sink);
        fns.push(checked.unwrap_or_else(|| stand_in(&function.item)));
        spans.push(function.item.name.span);
    }
    types::check_nesting(&fns, &spans, sink);
    Functions { fns, scopes }
}

/// Stands where a function with a mistake would, so that ids stay right; never evaluated.
fn stand_in(function: &ast::Fn) -> FnDef {
    FnDef {
        name: function.name.text.clone(),
        docs: String::new(),
        params: Vec::new(),
        result: Type::Error,
        slots: 0,
        body: Expr {
            kind: ExprKind::Const(Value::Num(0.0)),
            ty: Type::Error,
        },
    }
}

/// Functions with a body that the live modules declare or use, callees before callers.
fn order(units: &[Unit], names: &[Names], live: &[ModuleId], sink: &mut Sink) -> Vec<FnKey> {
    let mut roots: Vec<FnKey> = Vec::new();
    for module in live {
        let unit = &units[module.0];
        roots.extend((0..unit.fns.len()).map(|i| (*module, i)));
        uses(unit, &mut |text| {
            roots.extend(callees(text, *module, units, names));
        });
    }
    // Depth first with a stack of its own: a chain of calls may be longer than the machine's.
    let mut finished: BTreeMap<FnKey, bool> = BTreeMap::new();
    let mut stack: Vec<(FnKey, Vec<FnKey>)> = Vec::new();
    let mut order = Vec::new();
    for root in roots {
        let mut entering = Some(root);
        loop {
            if let Some(key) = entering.take() {
                match finished.get(&key) {
                    Some(true) => {}
                    Some(false) => {
                        let on = stack.iter().skip_while(|(open, _)| *open != key);
                        let on: Vec<&ast::Name> = on
                            .map(|((module, i), _)| &units[module.0].fns[*i].item.name)
                            .collect();
                        report_circle(&on, sink);
                    }
                    None => {
                        let function = &units[key.0.0].fns[key.1].item;
                        finished.insert(key, function.body.is_none());
                        if let Some(body) = &function.body {
                            let mut calls = Vec::new();
                            mentioned(body, &mut params(function), &mut |text| {
                                calls.extend(callees(text, key.0, units, names));
                            });
                            calls.reverse();
                            stack.push((key, calls));
                        }
                    }
                }
            }
            let Some((key, calls)) = stack.last_mut() else {
                break;
            };
            entering = calls.pop();
            if entering.is_none() {
                finished.insert(*key, true);
                order.push(*key);
                stack.pop();
            }
        }
    }
    order
}

/// The function that a name means, if it means one.
fn callees(text: &str, module: ModuleId, units: &[Unit], names: &[Names]) -> Option<FnKey> {
    match names[module.0].get(text, units) {
        Some(Some(Entity::Fn(of, i))) => Some((of, i)),
        _ => None,
    }
}

fn params(function: &ast::Fn) -> Vec<String> {
    let names = function.params.iter();
    names.map(|(name, _)| name.text.clone()).collect()
}

fn report_circle(on: &[&ast::Name], sink: &mut Sink) {
    let Some(first) = on.first() else {
        return;
    };
    let mut chain: Vec<&str> = on.iter().map(|name| name.text.as_str()).collect();
    chain.push(&first.text);
    let mut diagnostic = Diagnostic::new(
        E0315,
        first.span,
        format!("`{}` calls itself", first.text),
        "",
    )
    .note(format!(
        "{}; functions do not recurse, so that drawing always ends",
        chain.join(" -> ")
    ));
    for name in &on[1..] {
        diagnostic = diagnostic.label(name.span, "through this one");
    }
    sink.push(diagnostic);
}

/// Calls `found` with every name that a unit's draw arms, constants and rules take from their
/// surroundings; functions' bodies are not among them.
pub(super) fn uses(unit: &Unit, found: &mut impl FnMut(&str)) {
    for token in &unit.tokens {
        if let ast::Domain::Finite(values) = &token.item.domain {
            for value in values.iter().filter_map(|v| v.value.as_ref()) {
                mentioned(value, &mut Vec::new(), found);
            }
        }
    }
    if let Some(canvas) = &unit.canvas
        && let Some(Some(background)) = &canvas.item.rgb
    {
        mentioned(background, &mut Vec::new(), found);
    }
    for draw in &unit.draws {
        let sort = unit
            .sorts
            .iter()
            .find(|sort| sort.item.name.text == draw.item.sort.text);
        for arm in &draw.item.arms {
            let mut locals = fields(sort.map(|sort| &sort.item), &arm.production.text);
            mentioned(&arm.body, &mut locals, found);
        }
    }
    for rule in unit.rewrites.iter().flat_map(|r| &r.item.rules) {
        // Metavariables are not known yet; a use too many costs a warning at most.
        let mut locals: Vec<String> = Vec::new();
        for (name, expr) in &rule.lets {
            mentioned(expr, &mut locals, found);
            locals.push(name.text.clone());
        }
        if let Some(condition) = &rule.condition {
            mentioned(condition, &mut locals, found);
        }
    }
}

/// The names of a production's fields.
fn fields(sort: Option<&ast::Sort>, name: &str) -> Vec<String> {
    let mut result = vec!["left".to_owned(), "right".to_owned()];
    let Some(sort) = sort else {
        return result;
    };
    let mut add = |production: &ast::Production| {
        if production.name.text == name {
            for symbol in &production.symbols {
                if let ast::Symbol::Field(field) = symbol {
                    result.push(field.name.text.clone());
                }
            }
        }
    };
    for member in &sort.members {
        match member {
            ast::SortMember::Production(production) => add(production),
            ast::SortMember::Table(table) => table.productions.iter().for_each(&mut add),
        }
    }
    result
}

/// Warns of functions of a unit that nothing calls.
pub(super) fn report_unused(root: ModuleId, units: &[Unit], names: &[Names], sink: &mut Sink) {
    let unit = &units[root.0];
    let mut used: BTreeSet<FnKey> = BTreeSet::new();
    uses(unit, &mut |text| {
        used.extend(callees(text, root, units, names));
    });
    // A call counts when the caller counts; functions are few, so asking again is cheap.
    let mut open: Vec<FnKey> = used.iter().copied().collect();
    while let Some((module, i)) = open.pop() {
        let function = &units[module.0].fns[i].item;
        if let Some(body) = &function.body {
            mentioned(body, &mut params(function), &mut |text| {
                if let Some(callee) = callees(text, module, units, names)
                    && used.insert(callee)
                {
                    open.push(callee);
                }
            });
        }
    }
    for (i, function) in unit.fns.iter().enumerate() {
        if !used.contains(&(root, i)) {
            let name = &function.item.name;
            let message = format!("`{}` is never called", name.text);
            sink.push(Diagnostic::new(W0302, name.span, message, "not needed"));
        }
    }
}
