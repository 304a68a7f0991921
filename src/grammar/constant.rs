//! Expressions that need no picture: constants of a grammar, conditions of its rewrite rules.
//!
//! In: a typed expression and the values of its slots. Out: its value, or nothing when it makes a
//! region or a drawing, looks into a choice, or takes too many steps. Operations mean the same as
//! in drawing: both use `scalar`.

use super::expr::{Case, Expr, ExprKind, FnDef, Value};
use super::scalar;

/// Most operations of one evaluation. Functions that call others several times each can ask for
/// more than would ever finish.
const MAX_STEPS: u32 = 1_000_000;

/// The value of an expression whose slots from 0 hold `slots`. `fns` is `Grammar::fns`.
pub fn evaluate(expr: &Expr, slots: &[Value], fns: &[FnDef]) -> Option<Value> {
    let mut steps = MAX_STEPS;
    value(expr, &mut slots.to_vec(), fns, &mut steps)
}

fn value(expr: &Expr, slots: &mut Vec<Value>, fns: &[FnDef], steps: &mut u32) -> Option<Value> {
    *steps = steps.checked_sub(1)?;
    match &expr.kind {
        ExprKind::Const(value) => Some(*value),
        ExprKind::Slot(slot) => slots.get(usize::from(*slot)).copied(),
        ExprKind::Call(id, args) => {
            let def = fns.get(id.index())?;
            let mut inner = Vec::with_capacity(usize::from(def.slots));
            for arg in args {
                inner.push(value(arg, slots, fns, steps)?);
            }
            value(&def.body, &mut inner, fns, steps)
        }
        ExprKind::Builtin(builtin, args) => {
            let mut values = Vec::with_capacity(args.len());
            for arg in args {
                values.push(value(arg, slots, fns, steps)?);
            }
            scalar::apply(*builtin, &values)
        }
        ExprKind::If(condition, yes, no) => match value(condition, slots, fns, steps)? {
            Value::Bool(true) => value(yes, slots, fns, steps),
            Value::Bool(false) => value(no, slots, fns, steps),
            _ => None,
        },
        ExprKind::Match(on, arms) => {
            let on = value(on, slots, fns, steps)?;
            let (_, body) = arms.iter().find(|(case, _)| match (case, &on) {
                (Case::Any, _) => true,
                (Case::Num(a), Value::Num(b)) => a == b,
                (Case::Bool(a), Value::Bool(b)) => a == b,
                _ => false,
            })?;
            value(body, slots, fns, steps)
        }
        ExprKind::Let(slot, bound, body) => {
            let bound = value(bound, slots, fns, steps)?;
            let slot = usize::from(*slot);
            if slots.len() <= slot {
                slots.resize(slot + 1, Value::Bool(false));
            }
            slots[slot] = bound;
            value(body, slots, fns, steps)
        }
        // An absent value cannot stand in a slot here, so the left side is there.
        ExprKind::Else(left, _) => value(left, slots, fns, steps),
        ExprKind::List(_) => None,
    }
}
