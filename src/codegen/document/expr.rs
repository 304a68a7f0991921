//! Draw code of the document: typed expressions, their constants, and functions.
//!
//! In: [`crate::grammar::expr`] with the grammar that its ids point into. Out: the document's
//! types. Afterwards what `match` looks at is named as in the grammar file.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::build::{function_ref, production_ref};
use super::{Builtin, Ref, Type};
use crate::grammar::expr as ir;
use crate::grammar::ir::{Domain, Grammar};

/// A constant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
#[cfg_attr(test, derive(JsonSchema))]
pub enum Value {
    /// A number.
    Num(f64),
    /// A truth value.
    Bool(bool),
    /// Red, green, blue, alpha; alpha 0 is `none`.
    Color([u8; 4]),
    /// A point in pixels.
    Point([f64; 2]),
}

/// A function of the draw language.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Function {
    /// Its place in this list.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub docs: String,
    /// Types of its parameters; parameter i is slot i.
    pub params: Vec<Type>,
    /// Type of its result.
    pub result: Type,
    /// Its body.
    pub body: Body,
}

/// Code with its variables, which are numbered slots.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Body {
    /// Number of slots: first the parameters (of a draw arm: what each child draws or is worth),
    /// then those that `let` fills.
    pub slots: u32,
    /// The code.
    pub code: Expr,
}

/// A typed expression.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Expr {
    /// What it does.
    #[serde(flatten)]
    pub kind: ExprKind,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: Type,
}

/// What an expression does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
#[cfg_attr(test, derive(JsonSchema))]
pub enum ExprKind {
    /// A constant.
    Const {
        /// The constant.
        value: Value,
    },
    /// The value in a slot.
    Slot {
        /// The slot.
        slot: u32,
    },
    /// A function's value.
    Call {
        /// The function.
        function: Ref,
        /// What it is given.
        args: Vec<Expr>,
    },
    /// An intrinsic's value. Operators are intrinsics: `a + b` on regions is `union`. Lengths are
    /// in pixels, angles in degrees, clockwise. A result that is not finite is 0.
    Builtin {
        /// The intrinsic.
        builtin: Builtin,
        /// What it is given.
        args: Vec<Expr>,
    },
    /// One of two; only that one is evaluated.
    If {
        /// Which.
        condition: Box<Expr>,
        /// When it holds.
        then: Box<Expr>,
        /// When it does not.
        otherwise: Box<Expr>,
    },
    /// The first arm whose case fits; one always does.
    Match {
        /// What is looked at.
        on: Box<Expr>,
        /// The arms.
        arms: Vec<Arm>,
    },
    /// Fills a slot, then goes on.
    Let {
        /// The slot.
        slot: u32,
        /// What is put there.
        value: Box<Expr>,
        /// What comes then.
        body: Box<Expr>,
    },
    /// A list.
    List {
        /// Its items.
        items: Vec<Expr>,
    },
    /// An optional value, or another one when it is not there.
    Else {
        /// The optional value.
        value: Box<Expr>,
        /// The other one.
        fallback: Box<Expr>,
    },
}

/// An arm of `match`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Arm {
    /// When it is taken.
    pub case: Case,
    /// What it gives.
    pub body: Expr,
}

/// When an arm of `match` is taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(test, derive(JsonSchema))]
pub enum Case {
    /// A node of this production.
    Production {
        /// The production.
        production: Ref,
    },
    /// A value of a finite token.
    Value {
        /// Its place among the token's values.
        index: u32,
        /// How it is written.
        text: String,
    },
    /// This number.
    Num {
        /// The number.
        value: f64,
    },
    /// This truth value.
    Bool {
        /// The truth value.
        value: bool,
    },
    /// Always.
    Any,
}

pub(super) fn value(value: &ir::Value) -> Value {
    match *value {
        ir::Value::Num(x) => Value::Num(x),
        ir::Value::Bool(x) => Value::Bool(x),
        ir::Value::Color(rgba) => Value::Color(rgba),
        ir::Value::Point(x, y) => Value::Point([x, y]),
    }
}

pub(super) fn function(grammar: &Grammar, id: usize, def: &ir::FnDef) -> Function {
    Function {
        id: super::build::number(id),
        name: def.name.clone(),
        docs: def.docs.clone(),
        params: def.params.iter().map(ir::Type::to_string).collect(),
        result: def.result.to_string(),
        body: Body {
            slots: def.slots.into(),
            code: expr(grammar, &def.body),
        },
    }
}

pub(super) fn body(grammar: &Grammar, arm: &ir::DrawArm) -> Body {
    Body {
        slots: arm.slots.into(),
        code: expr(grammar, &arm.body),
    }
}

fn expr(grammar: &Grammar, from: &ir::Expr) -> Expr {
    let one = |inner: &ir::Expr| Box::new(expr(grammar, inner));
    let all = |list: &[ir::Expr]| list.iter().map(|e| expr(grammar, e)).collect();
    let kind = match &from.kind {
        ir::ExprKind::Const(constant) => ExprKind::Const {
            value: value(constant),
        },
        ir::ExprKind::Slot(slot) => ExprKind::Slot {
            slot: (*slot).into(),
        },
        ir::ExprKind::Call(id, args) => ExprKind::Call {
            function: function_ref(grammar, *id),
            args: all(args),
        },
        ir::ExprKind::Builtin(builtin, args) => ExprKind::Builtin {
            builtin: *builtin,
            args: all(args),
        },
        ir::ExprKind::If(condition, then, otherwise) => ExprKind::If {
            condition: one(condition),
            then: one(then),
            otherwise: one(otherwise),
        },
        ir::ExprKind::Match(on, arms) => ExprKind::Match {
            on: one(on),
            arms: arms
                .iter()
                .map(|(when, then)| Arm {
                    case: case(grammar, &on.ty, when),
                    body: expr(grammar, then),
                })
                .collect(),
        },
        ir::ExprKind::Let(slot, value, then) => ExprKind::Let {
            slot: (*slot).into(),
            value: one(value),
            body: one(then),
        },
        ir::ExprKind::List(items) => ExprKind::List { items: all(items) },
        ir::ExprKind::Else(value, fallback) => ExprKind::Else {
            value: one(value),
            fallback: one(fallback),
        },
    };
    Expr {
        kind,
        ty: from.ty.to_string(),
    }
}

fn case(grammar: &Grammar, on: &ir::Type, case: &ir::Case) -> Case {
    match *case {
        ir::Case::Production(id) => Case::Production {
            production: production_ref(grammar, id),
        },
        ir::Case::Index(index) => Case::Value {
            index,
            text: finite_text(grammar, on, index).unwrap_or_default(),
        },
        ir::Case::Num(value) => Case::Num { value },
        ir::Case::Bool(value) => Case::Bool { value },
        ir::Case::Any => Case::Any,
    }
}

/// How a value of the finite token of this type is written.
fn finite_text(grammar: &Grammar, ty: &ir::Type, index: u32) -> Option<String> {
    let ir::Type::Enum(name) = ty else {
        return None;
    };
    let token = grammar.tokens.iter().find(|token| token.name == *name)?;
    match &token.domain {
        Domain::Finite(values) => Some(values.get(index as usize)?.text.clone()),
        _ => None,
    }
}
