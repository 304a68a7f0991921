//! From a flat chain of operands and operators to a tree, by precedence and without recursion.

use crate::meta::ast::{BinaryOp, Expr, ExprKind, Name, UnaryOp};
use crate::meta::brackets::DEEPEST;
use crate::meta::token::Kind;
use crate::source::Span;

/// An expression with the height of its tree.
#[derive(Clone)]
pub(super) struct Deep {
    pub(super) expr: Expr,
    pub(super) height: usize,
}

impl Deep {
    pub(super) fn new(kind: ExprKind, span: Span, inner: usize) -> Deep {
        Deep {
            expr: Expr { kind, span },
            height: inner + 1,
        }
    }

    pub(super) fn boxed(self) -> Box<Expr> {
        Box::new(self.expr)
    }
}

pub(super) fn split(all: Vec<Deep>) -> (Vec<Expr>, usize) {
    let height = all.iter().map(|deep| deep.height).max().unwrap_or(0);
    (all.into_iter().map(|deep| deep.expr).collect(), height)
}

/// A piece of a chain of operators.
#[derive(Clone)]
pub(super) enum Piece {
    Prefix(UnaryOp, Span),
    Operand(Deep),
    Infix(BinaryOp),
    Pipe(Name, Vec<Expr>, usize, Span),
}

pub(super) fn infix_op(kind: Kind, text: &str) -> Option<BinaryOp> {
    Some(match kind {
        Kind::Else => BinaryOp::Else,
        Kind::EqEq => BinaryOp::Eq,
        Kind::NotEq => BinaryOp::Ne,
        Kind::Lt => BinaryOp::Lt,
        Kind::Le => BinaryOp::Le,
        Kind::Gt => BinaryOp::Gt,
        Kind::Ge => BinaryOp::Ge,
        Kind::Plus => BinaryOp::Add,
        Kind::Minus => BinaryOp::Sub,
        Kind::Amp => BinaryOp::Meet,
        Kind::Star => BinaryOp::Mul,
        Kind::Slash => BinaryOp::Div,
        Kind::Percent => BinaryOp::Mod,
        Kind::Caret => BinaryOp::Pow,
        Kind::AndAnd => BinaryOp::And,
        Kind::OrOr => BinaryOp::Or,
        Kind::Name => match text {
            "or" => BinaryOp::Or,
            "and" => BinaryOp::And,
            "mod" => BinaryOp::Mod,
            _ => return None,
        },
        _ => return None,
    })
}

const PIPE_POWER: u8 = 1;
const PREFIX_POWER: u8 = 8;

/// How strongly an operator binds, and whether it groups to the right.
fn power(op: BinaryOp) -> (u8, bool) {
    use BinaryOp::*;
    match op {
        Else => (2, true),
        Or => (3, false),
        And => (4, false),
        Eq | Ne | Lt | Le | Gt | Ge => (5, false),
        Add | Sub | Meet => (6, false),
        Mul | Div | Mod => (7, false),
        Pow => (9, true),
    }
}

enum Waiting {
    Prefix(UnaryOp, Span),
    Infix(BinaryOp),
}

/// Puts a chain into a tree; the place where it gets too deep otherwise.
pub(super) fn tree(pieces: Vec<Piece>) -> Result<Deep, Span> {
    let mut operands: Vec<Deep> = Vec::new();
    let mut waiting: Vec<Waiting> = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Prefix(op, place) => waiting.push(Waiting::Prefix(op, place)),
            Piece::Operand(operand) => operands.push(operand),
            Piece::Infix(op) => {
                let (power, right) = power(op);
                reduce(&mut operands, &mut waiting, power, right)?;
                waiting.push(Waiting::Infix(op));
            }
            Piece::Pipe(name, args, height, place) => {
                reduce(&mut operands, &mut waiting, PIPE_POWER, false)?;
                if let Some(left) = operands.pop() {
                    let whole = left.expr.span.to(place);
                    let height = left.height.max(height);
                    let kind = ExprKind::Pipe(left.boxed(), name, args);
                    operands.push(checked(Deep::new(kind, whole, height), place)?);
                }
            }
        }
    }
    reduce(&mut operands, &mut waiting, 0, false)?;
    // A chain starts with an operand, so one is left.
    let nowhere = Span::new(crate::source::FileId(0), 0, 0);
    let whole = operands.pop().ok_or(nowhere)?;
    let place = whole.expr.span;
    checked(whole, place)
}

/// Applies the waiting operators that bind more strongly than the one that comes.
fn reduce(
    operands: &mut Vec<Deep>,
    waiting: &mut Vec<Waiting>,
    coming: u8,
    right: bool,
) -> Result<(), Span> {
    while let Some(last) = waiting.last() {
        let held = match last {
            Waiting::Prefix(..) => PREFIX_POWER,
            Waiting::Infix(op) => power(*op).0,
        };
        if held < coming || (held == coming && right) {
            break;
        }
        let (Some(op), Some(b)) = (waiting.pop(), operands.pop()) else {
            break;
        };
        let built = match op {
            Waiting::Prefix(op, place) => {
                let (whole, height) = (place.to(b.expr.span), b.height);
                (
                    Deep::new(ExprKind::Unary(op, b.boxed()), whole, height),
                    place,
                )
            }
            Waiting::Infix(op) => {
                let Some(a) = operands.pop() else { break };
                let whole = a.expr.span.to(b.expr.span);
                let (height, place) = (a.height.max(b.height), b.expr.span);
                let kind = ExprKind::Binary(op, a.boxed(), b.boxed());
                (Deep::new(kind, whole, height), place)
            }
        };
        operands.push(checked(built.0, built.1)?);
    }
    Ok(())
}

fn checked(deep: Deep, place: Span) -> Result<Deep, Span> {
    if deep.height > DEEPEST {
        return Err(place);
    }
    Ok(deep)
}
