//! A module's declarations laid over those of its base, by the rules of [`super`].

use std::collections::BTreeSet;

use super::{Decl, Unit};
use crate::diag::codes::E0201;
use crate::diag::nearest;
use crate::diag::{Diagnostic, Sink};
use crate::meta::ast::{self, SortMember};

/// `unit` laid over `base`.
pub(super) fn merge(
    mut unit: Unit,
    mut base: Unit,
    extends: &ast::Extends,
    sink: &mut Sink,
) -> Unit {
    let mut changed = base.changed | remove(&mut base, extends, sink);
    // Programs of another sort: the base's examples are none of them.
    changed |= unit.start.is_some();
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
