//! Expressions that need no picture: constants of a grammar, computations of its rewrite rules.
//!
//! In: a typed expression and the values of its slots. Out: its value, or nothing when it makes a
//! region or a drawing, looks at what is not known, or takes too many steps. Operations mean the
//! same as in drawing: both use `scalar`. In rewrite rules what has no value in arithmetic has none
//! here either, while constants take 0 for it, as drawing does.

use super::expr::{Builtin, Case, Expr, ExprKind, FnDef, Value};
use super::ids::ProdId;
use super::scalar;

/// Most operations of one evaluation. Functions that call others several times each can ask for
/// more than would ever finish.
const MAX_STEPS: u32 = 1_000_000;

/// The value of an expression whose slots from 0 hold `slots`. `fns` is `Grammar::fns`.
pub fn evaluate(expr: &Expr, slots: &[Value], fns: &[FnDef]) -> Option<Value> {
    let mut steps = MAX_STEPS;
    let mut slots = slots.iter().map(|value| Slot::Value(*value)).collect();
    let mut run = Run {
        fns,
        steps: &mut steps,
        apply: scalar::apply,
    };
    run.value(expr, &mut slots)?.value()
}

/// What a slot of a rewrite rule's computation holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Slot {
    /// A number, a truth value, a colour, a point.
    Value(Value),
    /// What only `match` looks into: a node of this production with this value. For a subtree the
    /// value says which one it is, and no `match` looks at it.
    Choice(ProdId, u32),
    /// A text, by its length in characters, and which one it is.
    Text(u32, u32),
    /// Nothing is known: an expression that looks at it has no value.
    Unknown,
}

impl Slot {
    /// The number, truth value, colour or point.
    pub fn value(self) -> Option<Value> {
        match self {
            Slot::Value(value) => Some(value),
            _ => None,
        }
    }
}

/// The value of a rewrite rule's computation over these slots; `None` also where arithmetic has no
/// value (a division by zero). Takes its steps from `steps`, and is `None` when they are used up.
/// What `slots` holds past its length as it was is not kept.
pub fn reckon(expr: &Expr, slots: &mut Vec<Slot>, fns: &[FnDef], steps: &mut u32) -> Option<Slot> {
    let known = slots.len();
    let mut run = Run {
        fns,
        steps,
        apply: scalar::apply_strictly,
    };
    let value = run.value(expr, slots);
    slots.truncate(known);
    value
}

struct Run<'a> {
    fns: &'a [FnDef],
    steps: &'a mut u32,
    apply: fn(Builtin, &[Value]) -> Option<Value>,
}

impl Run<'_> {
    fn value(&mut self, expr: &Expr, slots: &mut Vec<Slot>) -> Option<Slot> {
        *self.steps = self.steps.checked_sub(1)?;
        match &expr.kind {
            ExprKind::Const(value) => Some(Slot::Value(*value)),
            ExprKind::Slot(slot) => {
                let held = *slots.get(usize::from(*slot))?;
                (held != Slot::Unknown).then_some(held)
            }
            ExprKind::Call(id, args) => {
                let def = self.fns.get(id.index())?;
                let mut inner = Vec::with_capacity(usize::from(def.slots));
                for arg in args {
                    inner.push(self.value(arg, slots)?);
                }
                self.value(&def.body, &mut inner)
            }
            ExprKind::Builtin(Builtin::Count, args) => match args.as_slice() {
                [text] => match self.value(text, slots)? {
                    Slot::Text(length, _) => Some(Slot::Value(Value::Num(f64::from(length)))),
                    _ => None,
                },
                _ => None,
            },
            ExprKind::Builtin(builtin, args) => {
                // No intrinsic on such values takes more than three.
                let mut values = [Value::Bool(false); 3];
                for (place, arg) in values.iter_mut().zip(args) {
                    *place = self.value(arg, slots)?.value()?;
                }
                (self.apply)(*builtin, values.get(..args.len())?).map(Slot::Value)
            }
            ExprKind::If(condition, yes, no) => match self.value(condition, slots)? {
                Slot::Value(Value::Bool(true)) => self.value(yes, slots),
                Slot::Value(Value::Bool(false)) => self.value(no, slots),
                _ => None,
            },
            ExprKind::Match(on, arms) => {
                let on = self.value(on, slots)?;
                let (_, body) = arms.iter().find(|(case, _)| is(on, case))?;
                self.value(body, slots)
            }
            ExprKind::Let(slot, bound, body) => {
                let bound = self.value(bound, slots)?;
                let slot = usize::from(*slot);
                if slots.len() <= slot {
                    slots.resize(slot + 1, Slot::Unknown);
                }
                // What stood there is no field of this expression: its own slots come after them.
                let before = std::mem::replace(slots.get_mut(slot)?, bound);
                let value = self.value(body, slots);
                if let Some(place) = slots.get_mut(slot) {
                    *place = before;
                }
                value
            }
            // An absent value cannot stand in a slot here, so the left side is there.
            ExprKind::Else(left, _) => self.value(left, slots),
            ExprKind::List(_) => None,
        }
    }
}

fn is(value: Slot, case: &Case) -> bool {
    match (case, value) {
        (Case::Any, _) => true,
        (Case::Num(a), Slot::Value(Value::Num(b))) => *a == b,
        (Case::Bool(a), Slot::Value(Value::Bool(b))) => *a == b,
        (Case::Production(a), Slot::Choice(b, _)) => *a == b,
        (Case::Index(a), Slot::Choice(_, b)) => *a == b,
        _ => false,
    }
}
