//! Draw arms: which sort is drawn where, and what its arms see.
//!
//! In: `draw` blocks of all modules, sorts and tokens of the grammar. Out: a `DrawArm` for each
//! production of a drawn sort. Afterwards every such production has one, or a diagnostic says why
//! not.

use std::collections::BTreeMap;

use super::names::{self, Names};
use super::sorts::Tables;
use super::{Called, Entity, Included};
use crate::diag::codes::{E0202, E0314};
use crate::diag::{Diagnostic, Sink};
use crate::grammar::expr::Type;
use crate::grammar::extend::Unit;
use crate::grammar::ids::{NtId, ProdId};
use crate::grammar::ir::{NonterminalKind, Sort, Token};
use crate::grammar::load::ModuleId;
use crate::grammar::types::{self, Cases, Scope};
use crate::meta::ast;
use crate::source::Span;

/// A `draw` block of a sort of the grammar.
pub(super) struct Drawn<'a> {
    pub(super) module: ModuleId,
    pub(super) decl: &'a ast::Draw,
}

/// The `draw` block of each sort that has one, by sort.
pub(super) fn draws<'a>(
    units: &'a [Unit],
    names: &[Names],
    included: &Included,
    live: &[ModuleId],
    sink: &mut Sink,
) -> BTreeMap<usize, Drawn<'a>> {
    let mut drawn: BTreeMap<usize, Drawn<'a>> = BTreeMap::new();
    for module in live {
        for draw in &units[module.0].draws {
            let decl = &draw.item;
            let Some(entity) = names[module.0].expect(&decl.sort, units, false, sink) else {
                continue;
            };
            let Some(sort) = included.sort(entity) else {
                continue;
            };
            if let Some(first) = drawn.get(&sort.index()) {
                let message = format!("`{}` is drawn twice", decl.sort.text);
                sink.push(
                    Diagnostic::new(E0202, decl.sort.span, message, "the second time")
                        .label(first.decl.sort.span, "the first time"),
                );
                continue;
            }
            let module = *module;
            drawn.insert(sort.index(), Drawn { module, decl });
        }
    }
    drawn
}

/// The types that only `match` looks into: finite tokens without values, sorts without arms.
pub(super) fn enums(
    units: &[Unit],
    included: &Included,
    called: &Called,
    sorts: &[Sort],
    drawn: &BTreeMap<usize, Drawn<'_>>,
    tables: &Tables,
) -> Vec<(String, Cases)> {
    let mut enums = Vec::new();
    for (entity, name) in included.tokens.iter().zip(&called.tokens) {
        let Entity::Token(module, i) = entity else {
            continue;
        };
        if let ast::Domain::Finite(values) = &units[module.0].tokens[*i].item.domain
            && values.iter().all(|value| value.value.is_none())
        {
            let texts = values.iter().map(|value| value.text.text.clone()).collect();
            enums.push((name.clone(), Cases::Token(texts)));
        }
    }
    for (i, sort) in sorts.iter().enumerate() {
        if !drawn.contains_key(&i) {
            let name = |id: &ProdId| (tables.productions[id.index()].name.clone(), *id);
            let cases = sort.productions.iter().map(name).collect();
            enums.push((sort.name.clone(), Cases::Sort(cases)));
        }
    }
    enums
}

/// What a draw arm sees of a child.
fn seen_as(nt: NtId, sorts: &[Sort], tokens: &[Token], tables: &Tables) -> Type {
    match &tables.nonterminals[nt.index()].kind {
        NonterminalKind::Sort { sort, .. } => {
            let sort = &sorts[sort.index()];
            match &sort.draw {
                Some(ty) => ty.clone(),
                None => Type::Enum(sort.name.clone()),
            }
        }
        NonterminalKind::Token(token) => tokens[token.index()].ty.clone(),
        NonterminalKind::List { item, .. } => {
            Type::List(Box::new(seen_as(*item, sorts, tokens, tables)))
        }
        NonterminalKind::Optional { item } => {
            Type::Optional(Box::new(seen_as(*item, sorts, tokens, tables)))
        }
    }
}

/// Checks the draw arms and gives them to their productions.
pub(super) fn arms(
    drawn: &BTreeMap<usize, Drawn<'_>>,
    sorts: &[Sort],
    tokens: &[Token],
    tables: &mut Tables,
    scopes: &[Scope],
    sink: &mut Sink,
) {
    for (i, draw) in drawn {
        let sort = &sorts[*i];
        let expected = sort.draw.as_ref().unwrap_or(&Type::Error);
        let mut missing: Vec<(String, Span)> = Vec::new();
        for id in &sort.productions {
            let production = &tables.productions[id.index()];
            let arm = |arm: &&ast::DrawArm| arm.production.text == production.name;
            let Some(arm) = draw.decl.arms.iter().find(arm) else {
                missing.push((production.name.clone(), production.span));
                continue;
            };
            let fields: Vec<(String, Type)> = production
                .children
                .iter()
                .map(|child| {
                    let ty = seen_as(child.nt, sorts, tokens, tables);
                    (child.name.clone(), ty)
                })
                // A field that was reported already is no mistake of the arm's.
                .chain(
                    tables
                        .unknown
                        .get(id)
                        .into_iter()
                        .flatten()
                        .map(|name| (name.clone(), Type::Error)),
                )
                .collect();
            let scope = &scopes[draw.module.0];
            let checked = types::check_arm(&fields, &arm.body, expected, scope, sink);
            tables.productions[id.index()].draw = checked;
        }
        report_missing(draw.decl, &missing, sink);
        for arm in &draw.decl.arms {
            let known = || {
                let ids = sort.productions.iter();
                ids.map(|id| tables.productions[id.index()].name.as_str())
            };
            if !known().any(|name| name == arm.production.text) {
                let message = format!(
                    "`{}` has no production `{}`",
                    sort.name, arm.production.text
                );
                sink.push(names::unknown(&arm.production, message, known()));
            }
        }
    }
}

fn report_missing(draw: &ast::Draw, missing: &[(String, Span)], sink: &mut Sink) {
    if missing.is_empty() {
        return;
    }
    let list: Vec<String> = missing
        .iter()
        .map(|(name, _)| format!("`{name}`"))
        .collect();
    // A production added to a base's sort: it is what to mend, not the base's `draw`.
    let added = missing
        .iter()
        .find(|(_, span)| span.file != draw.sort.span.file);
    let place = added.map_or(draw.sort.span, |(_, span)| *span);
    let mut diagnostic = Diagnostic::new(
        E0314,
        place,
        format!(
            "`draw {}` has no arm for {}",
            draw.sort.text,
            list.join(", ")
        ),
        "every production needs an arm",
    );
    for (_, span) in missing.iter().take(4).filter(|(_, span)| *span != place) {
        diagnostic = diagnostic.label(*span, "not drawn");
    }
    if added.is_some() {
        let help = format!(
            "add `draw {} -> ... {{ ... }}` with what is new",
            draw.sort.text
        );
        diagnostic = diagnostic.help(help);
    }
    sink.push(diagnostic);
}
