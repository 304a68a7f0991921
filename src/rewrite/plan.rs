//! The other side's metavariables: computed by `where`, allowed by `if`.
//!
//! In: a [`Rule`] and the [`Bindings`] of the side that was matched. Out: the bindings of the other
//! side too, in every way the rule allows. A rule does not fire where a computed value leaves its
//! token's domain, where arithmetic has no value (a division by zero, the root of a negative
//! number), where its condition is false, or where the computation takes more than [`MAX_STEPS`]
//! steps. So nothing here panics or hangs, whatever the rule.
//!
//! From right to left, values that only the left side has are found by trying those of their
//! tokens; there may be several, and all are given, in the order of the tokens' values.

use std::ops::ControlFlow;

use super::instance::{Bindings, Bound, Direction};
use crate::grammar::constant::{Slot, reckon};
use crate::grammar::expr::{Expr, ExprKind, Value};
use crate::grammar::ir::{Domain, Grammar};
use crate::grammar::pattern::{Pattern, PatternNode};
use crate::grammar::rules::Rule;
use crate::grammar::syntax::Stands;

/// Most operations of one [`Plan::complete`], values tried included.
pub const MAX_STEPS: u32 = 200_000;

/// How a rule's bindings are completed in one direction. Making it is done once a rule.
#[derive(Clone, Debug)]
pub struct Plan<'c> {
    grammar: &'c Grammar,
    rule: &'c Rule,
    steps: Vec<Step>,
    /// No order of computing and trying gives every metavariable of the other side a value.
    stuck: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The equation of this index gives its metavariable's value.
    Compute(usize),
    /// The equation of this index must agree with its metavariable's value.
    Agree(usize),
    /// The condition must hold.
    Holds,
    /// Each value of this metavariable's token, of which there are so many, is tried.
    Try(u16, u32),
}

/// What [`Plan::complete`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completed {
    /// Every way to complete the bindings was given; there may be none.
    All,
    /// The caller stopped.
    Stopped,
    /// [`MAX_STEPS`] were used up; ways that were not come to are missing.
    GaveUp,
}

impl<'c> Plan<'c> {
    /// The plan of a rule of this grammar.
    pub fn new(grammar: &'c Grammar, rule: &'c Rule, direction: Direction) -> Plan<'c> {
        let (matched, made) = direction.sides(rule);
        let mut known = vec![false; rule.metas.len()];
        for index in metas(matched) {
            known[usize::from(index)] = true;
        }
        let mut plan = Plan {
            grammar,
            rule,
            steps: Vec::new(),
            stuck: false,
        };
        let mut pending: Vec<usize> = (0..rule.lets.len()).collect();
        let mut condition = rule.condition.as_ref();
        loop {
            pending.retain(|&at| {
                let (slot, arm) = &rule.lets[at];
                if unknown(&arm.body, &known).is_some() {
                    return true;
                }
                let place = &mut known[usize::from(*slot)];
                let step = match std::mem::replace(place, true) {
                    true => Step::Agree(at),
                    false => Step::Compute(at),
                };
                plan.steps.push(step);
                false
            });
            if condition.is_some_and(|arm| unknown(&arm.body, &known).is_none()) {
                condition = None;
                plan.steps.push(Step::Holds);
            }
            // What stands before the first pending equation is done, so what it lacks is on the
            // side that is made.
            let lacks = (pending.first())
                .and_then(|at| unknown(&rule.lets[*at].1.body, &known))
                .or_else(|| condition.and_then(|arm| unknown(&arm.body, &known)))
                .or_else(|| metas(made).find(|index| !known[usize::from(*index)]));
            let Some(slot) = lacks else { break };
            let Some(count) = plan.values(slot) else {
                plan.stuck = true;
                break;
            };
            known[usize::from(slot)] = true;
            plan.steps.push(Step::Try(slot, count));
        }
        plan
    }

    /// The rule.
    pub fn rule(&self) -> &'c Rule {
        self.rule
    }

    /// Whether completing asks for nothing and finds nothing: every binding that fits will do.
    pub fn is_free(&self) -> bool {
        self.steps.is_empty() && !self.stuck
    }

    /// The metavariables for subtrees that computations look into, so that their roots matter.
    pub fn looks_into(&self) -> Vec<u16> {
        let bodies = self.rule.lets.iter().map(|(_, arm)| arm);
        let mut found: Vec<u16> = Vec::new();
        for arm in bodies.chain(&self.rule.condition) {
            slots(&arm.body, &mut found);
        }
        found.retain(|slot| matches!(self.stands(*slot), Some(Stands::Sort(_))));
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Number of values to try for a metavariable.
    fn values(&self, slot: u16) -> Option<u32> {
        match self.stands(slot)? {
            Stands::Token(token) => self.grammar.token(token).domain.count(),
            Stands::Sort(_) => None,
        }
    }

    fn stands(&self, slot: u16) -> Option<Stands> {
        self.rule.metas.get(usize::from(slot))?.stands
    }

    /// Completes the bindings of the matched side in every way the rule's equations and condition
    /// allow, and gives each to `each` until that breaks off. `bindings` are as before afterwards.
    ///
    /// Metavariables of the matched side must be bound to what they stand for; whether subtrees
    /// fit the places they are put into is for [`build`](super::instance::build) to say.
    pub fn complete(
        &self,
        bindings: &mut Bindings,
        mut each: impl FnMut(&Bindings) -> ControlFlow<()>,
    ) -> Completed {
        if self.stuck {
            return Completed::All;
        }
        let slots = (0..self.rule.metas.len())
            .map(|i| self.slot(i as u16, bindings.get(i as u16)))
            .collect();
        let mut run = Run {
            plan: self,
            slots,
            left: MAX_STEPS,
            each: &mut each,
        };
        match run.steps(0, bindings) {
            ControlFlow::Continue(()) => Completed::All,
            ControlFlow::Break(Some(())) => Completed::Stopped,
            ControlFlow::Break(None) => Completed::GaveUp,
        }
    }

    /// [`Plan::complete`] for the first way only: whether there is one. Then `bindings` are it.
    pub fn complete_once(&self, bindings: &mut Bindings) -> bool {
        if self.is_free() {
            return true;
        }
        let mut found = None;
        self.complete(bindings, |way| {
            found = Some(way.clone());
            ControlFlow::Break(())
        });
        match found {
            Some(way) => {
                *bindings = way;
                true
            }
            None => false,
        }
    }

    /// What computations see of a metavariable.
    fn slot(&self, index: u16, bound: Option<&Bound>) -> Slot {
        let (Some(stands), Some(bound)) = (self.stands(index), bound) else {
            return Slot::Unknown;
        };
        let own = u32::from(index);
        match (stands, bound) {
            (Stands::Sort(_), Bound::Tree(tree)) => match tree.nodes().first() {
                Some(root) => Slot::Choice(root.production, own),
                None => Slot::Unknown,
            },
            (Stands::Sort(_), Bound::Elsewhere { root, .. }) => Slot::Choice(*root, own),
            (Stands::Token(_), Bound::Text(text)) => {
                Slot::Text(u32::try_from(text.chars().count()).unwrap_or(u32::MAX), own)
            }
            (Stands::Token(token), Bound::Value(value)) => {
                let token = self.grammar.token(token);
                match &token.domain {
                    Domain::Finite(all) => match all.get(*value as usize).map(|v| v.value) {
                        Some(Some(constant)) => Slot::Value(constant),
                        Some(None) => Slot::Choice(token.production, *value),
                        None => Slot::Unknown,
                    },
                    domain => match domain.number(*value) {
                        Some(number) => Slot::Value(Value::Num(number)),
                        None => Slot::Unknown,
                    },
                }
            }
            _ => Slot::Unknown,
        }
    }

    /// What a metavariable of this index stands for when its equation gives this.
    fn bound(&self, index: u16, computed: Slot, bindings: &Bindings) -> Option<Bound> {
        let token = match self.stands(index)? {
            Stands::Token(token) => self.grammar.token(token),
            // A subtree is one of those there are.
            Stands::Sort(_) => match computed {
                Slot::Choice(_, from) => return bindings.get(u16::try_from(from).ok()?).cloned(),
                _ => return None,
            },
        };
        match (&token.domain, computed) {
            (Domain::Text { .. }, Slot::Text(_, from)) => {
                bindings.get(u16::try_from(from).ok()?).cloned()
            }
            (Domain::Finite(_), Slot::Choice(production, value)) => {
                (production == token.production).then_some(Bound::Value(value))
            }
            (Domain::Finite(all), Slot::Value(value)) => {
                let at = all
                    .iter()
                    .position(|v| v.value.is_some_and(|v| equal(v, value)))?;
                Some(Bound::Value(u32::try_from(at).ok()?))
            }
            (domain, Slot::Value(Value::Num(number))) => {
                Some(Bound::Value(index_of(domain, number)?))
            }
            _ => None,
        }
    }
}

/// The index of a number in a domain of numbers; `None` when it is not one of its values. Sums of
/// fractions miss their value by a little, so a millionth of a step is forgiven.
fn index_of(domain: &Domain, number: f64) -> Option<u32> {
    let (lo, step) = match domain {
        Domain::Int { lo, step, .. } => (*lo as f64, *step as f64),
        Domain::Real { lo, step, .. } => (*lo, *step),
        _ => return None,
    };
    let at = ((number - lo) / step).round();
    if !(at >= 0.0 && at < f64::from(domain.count()?)) {
        return None;
    }
    let at = at as u32;
    ((domain.number(at)? - number).abs() <= step * 1e-6).then_some(at)
}

/// Whether two values are the same; numbers may differ by a rounding.
fn equal(a: Value, b: Value) -> bool {
    match (a, b) {
        (Value::Num(a), Value::Num(b)) => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0),
        _ => a == b,
    }
}

/// The metavariables of a pattern, one for each place.
fn metas(pattern: &Pattern) -> impl Iterator<Item = u16> {
    pattern.nodes.iter().filter_map(|node| match node {
        PatternNode::Meta(index, _) => Some(*index),
        PatternNode::Node(..) => None,
    })
}

/// The first slot an expression looks at whose value is not known.
fn unknown(body: &Expr, known: &[bool]) -> Option<u16> {
    let mut found = Vec::new();
    slots(body, &mut found);
    let lacks = |slot: &u16| known.get(usize::from(*slot)) == Some(&false);
    found.into_iter().find(lacks)
}

/// Adds the slots an expression looks at, less those it fills itself.
fn slots(body: &Expr, found: &mut Vec<u16>) {
    fn walk(expr: &Expr, found: &mut Vec<u16>, own: &mut Vec<u16>) {
        match &expr.kind {
            ExprKind::Const(_) => {}
            ExprKind::Slot(slot) => {
                if !own.contains(slot) {
                    found.push(*slot);
                }
            }
            ExprKind::Call(_, args) | ExprKind::Builtin(_, args) | ExprKind::List(args) => {
                args.iter().for_each(|arg| walk(arg, found, own));
            }
            ExprKind::If(a, b, c) => [a, b, c].iter().for_each(|e| walk(e, found, own)),
            ExprKind::Else(a, b) => [a, b].iter().for_each(|e| walk(e, found, own)),
            ExprKind::Let(slot, bound, body) => {
                walk(bound, found, own);
                own.push(*slot);
                walk(body, found, own);
                own.pop();
            }
            ExprKind::Match(on, arms) => {
                walk(on, found, own);
                arms.iter().for_each(|(_, body)| walk(body, found, own));
            }
        }
    }
    walk(body, found, &mut Vec::new());
}

struct Run<'p, 'c, F> {
    plan: &'p Plan<'c>,
    slots: Vec<Slot>,
    /// Steps that may still be taken.
    left: u32,
    each: &'p mut F,
}

impl<F: FnMut(&Bindings) -> ControlFlow<()>> Run<'_, '_, F> {
    /// Goes on from a step. Breaks with `None` when the steps are used up.
    fn steps(&mut self, from: usize, bindings: &mut Bindings) -> ControlFlow<Option<()>> {
        let plan = self.plan;
        // What this call has bound is given back at the end, so that the next try starts afresh.
        let mut filled: Vec<u16> = Vec::new();
        let flow = self.until_try(from, bindings, &mut filled);
        for slot in filled {
            self.slots[usize::from(slot)] = Slot::Unknown;
            bindings.of[usize::from(slot)] = None;
        }
        debug_assert_eq!(self.slots.len(), plan.rule.metas.len());
        flow
    }

    fn until_try(
        &mut self,
        from: usize,
        bindings: &mut Bindings,
        filled: &mut Vec<u16>,
    ) -> ControlFlow<Option<()>> {
        let plan = self.plan;
        for (at, step) in plan.steps.iter().enumerate().skip(from) {
            match *step {
                Step::Compute(equation) => {
                    let Some(computed) = self.reckon(equation)? else {
                        return ControlFlow::Continue(());
                    };
                    let slot = plan.rule.lets[equation].0;
                    let mut held = computed;
                    if plan.stands(slot).is_some() {
                        let Some(bound) = plan.bound(slot, computed, bindings) else {
                            return ControlFlow::Continue(());
                        };
                        held = plan.slot(slot, Some(&bound));
                        bindings.set(slot, bound);
                    }
                    self.slots[usize::from(slot)] = held;
                    filled.push(slot);
                }
                Step::Agree(equation) => {
                    let slot = plan.rule.lets[equation].0;
                    let Some(computed) = self.reckon(equation)? else {
                        return ControlFlow::Continue(());
                    };
                    if !self.agree(slot, computed, bindings) {
                        return ControlFlow::Continue(());
                    }
                }
                Step::Holds => {
                    let Some(arm) = &plan.rule.condition else {
                        continue;
                    };
                    let holds = self.value(&arm.body)?;
                    if holds != Some(Slot::Value(Value::Bool(true))) {
                        return ControlFlow::Continue(());
                    }
                }
                Step::Try(slot, count) => {
                    filled.push(slot);
                    for value in 0..count {
                        let Some(left) = self.left.checked_sub(1) else {
                            return ControlFlow::Break(None);
                        };
                        self.left = left;
                        let bound = Bound::Value(value);
                        self.slots[usize::from(slot)] = plan.slot(slot, Some(&bound));
                        bindings.set(slot, bound);
                        self.steps(at + 1, bindings)?;
                    }
                    return ControlFlow::Continue(());
                }
            }
        }
        (self.each)(bindings).map_break(Some)
    }

    fn reckon(&mut self, equation: usize) -> ControlFlow<Option<()>, Option<Slot>> {
        let plan = self.plan;
        self.value(&plan.rule.lets[equation].1.body)
    }

    fn value(&mut self, body: &Expr) -> ControlFlow<Option<()>, Option<Slot>> {
        let fns = &self.plan.grammar.fns;
        match reckon(body, &mut self.slots, fns, &mut self.left) {
            None if self.left == 0 => ControlFlow::Break(None),
            value => ControlFlow::Continue(value),
        }
    }

    /// Whether a computed value is the one a metavariable has.
    fn agree(&self, slot: u16, computed: Slot, bindings: &Bindings) -> bool {
        let held = self.slots[usize::from(slot)];
        match (held, computed) {
            (Slot::Value(held), Slot::Value(computed)) => equal(held, computed),
            (Slot::Text(_, a), Slot::Text(_, b)) => same(bindings, a, b),
            (Slot::Choice(p, a), Slot::Choice(q, b)) => match self.plan.stands(slot) {
                Some(Stands::Sort(_)) => same(bindings, a, b),
                _ => p == q && a == b,
            },
            _ => false,
        }
    }
}

/// Whether two metavariables stand for the same.
fn same(bindings: &Bindings, a: u32, b: u32) -> bool {
    let get = |i: u32| u16::try_from(i).ok().and_then(|i| bindings.get(i));
    match (get(a), get(b)) {
        (Some(Bound::Elsewhere { id: a, .. }), Some(Bound::Elsewhere { id: b, .. })) => a == b,
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
