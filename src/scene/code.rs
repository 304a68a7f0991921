//! Draw arms as straight code.
//!
//! In: a checked grammar. Out: [`Arms`]: for each production what its value is made by. Arms that reckon,
//! draw shapes, move, join and paint become a row of operations on two stacks, calls of functions
//! written out in place; what walks lists stays a tree for [`Evaluator`] to walk. Both ways give
//! the same values to the last bit. Code only jumps forwards, so an arm costs at most its length.

use super::parts::Join;
use super::value::V;
use crate::grammar::expr::{Builtin, Case, Expr, ExprKind, Type, Value};
use crate::grammar::ids::TokenId;
use crate::grammar::ir::{Domain, Grammar, ProductionKind};

/// Most operations of an arm; what would be longer is walked.
const MOST_OPS: usize = 500;

/// Most numbers on the stack at once.
pub(super) const MOST_NUMBERS: usize = 16;

/// Most values of a token that are listed.
const MOST_LISTED: u32 = 4096;

/// What each production's value is made by.
#[derive(Debug)]
pub(super) struct Arms {
    all: Vec<Arm>,
}

/// What a production's value is made by.
#[derive(Debug)]
pub(super) struct Arm {
    /// Number of children.
    pub(super) children: usize,
    pub(super) does: Does,
}

#[derive(Debug)]
pub(super) enum Does {
    /// A token's value, by its index.
    Values(Box<[V]>),
    /// A number of a token with many values.
    Number(TokenId),
    /// Only `match` looks into it.
    Choice,
    Code(Code),
    /// All others: as the tree says.
    Walk,
}

/// Straight code.
#[derive(Debug, Default)]
pub(super) struct Code {
    pub(super) ops: Vec<Op>,
    /// Numbers and values that are kept by name.
    pub(super) numbers: u16,
    pub(super) values: u16,
}

/// An operation. Numbers have a stack of their own, truth is 1 and 0 on it.
#[derive(Clone, Debug)]
pub(super) enum Op {
    Number(f64),
    Child(u8),
    /// A child's number times a constant.
    Scaled(u8, f64),
    Truth(u8),
    Numbered(u16),
    KeepNumber(u16),
    Neg,
    Add,
    Sub,
    Mul,
    Div,
    /// Others that take one number or two.
    Unary(Builtin),
    Binary(Builtin),
    Compare(Builtin),
    Width,
    Height,
    Value(V),
    Load(u8),
    Loaded(u16),
    Keep(u16),
    Ellipse,
    Box,
    RoundedBox,
    Regular,
    Star,
    /// Whether what it moves was made just before, for nothing else.
    Shift(bool),
    Turn(bool),
    Scale(bool),
    Join(Join),
    Fill,
    /// Width from the numbers; region, colour.
    Stroke,
    Over,
    /// One next to the other, the gap from the numbers: below when true.
    Next(bool),
    Nudge,
    Place,
    /// Goes on elsewhere when the number is 0.
    Unless(u32),
    Jump(u32),
    Switch(Source, Box<[(Case, u32)]>),
}

/// Where a `match` finds what it looks at.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    Child(u8),
    Kept(u16),
    Number,
}

impl Arms {
    pub(super) fn new(grammar: &Grammar) -> Arms {
        let all = grammar
            .productions
            .iter()
            .map(|production| Arm {
                children: production.children.len(),
                does: match production.kind {
                    ProductionKind::Token(token) => of_token(grammar, token),
                    ProductionKind::Node(_) => match &production.draw {
                        None => Does::Choice,
                        Some(arm) => {
                            let slots = usize::from(arm.slots);
                            compile(grammar, &arm.body, production.children.len(), slots)
                                .map_or(Does::Walk, Does::Code)
                        }
                    },
                    _ => Does::Walk,
                },
            })
            .collect();
        Arms { all }
    }

    #[inline]
    pub(super) fn get(&self, production: usize) -> Option<&Arm> {
        self.all.get(production)
    }
}

fn of_token(grammar: &Grammar, id: TokenId) -> Does {
    let token = grammar.token(id);
    match &token.domain {
        Domain::Text { .. } => Does::Walk,
        Domain::Finite(all) => Does::Values(
            (0u32..)
                .zip(all)
                .map(|(index, value)| match value.value {
                    Some(value) => value.into(),
                    None => V::Choice(token.production, index),
                })
                .collect(),
        ),
        domain => match domain.count() {
            Some(count) if count <= MOST_LISTED => Does::Values(
                (0..count)
                    .map(|index| V::Num(domain.number(index).unwrap_or(0.0)))
                    .collect(),
            ),
            _ => Does::Number(id),
        },
    }
}

/// What a slot stands for.
#[derive(Clone, Copy, Debug)]
enum Bind {
    Unset,
    Child(u8),
    Number(u16),
    Value(u16),
    Const(Value),
}

struct Compiler<'g> {
    grammar: &'g Grammar,
    code: Code,
    /// Numbers on the stack here.
    depth: usize,
}

fn compile(grammar: &Grammar, body: &Expr, children: usize, slots: usize) -> Option<Code> {
    let mut env = vec![Bind::Unset; slots.max(children)];
    for (child, bind) in env.iter_mut().enumerate().take(children) {
        *bind = Bind::Child(u8::try_from(child).ok()?);
    }
    let mut compiler = Compiler {
        grammar,
        code: Code::default(),
        depth: 0,
    };
    if is_number(&body.ty) {
        // Its value is wanted whole; few arms are numbers.
        return None;
    }
    compiler.value(body, &mut env)?;
    Some(compiler.code)
}

fn is_number(ty: &Type) -> bool {
    matches!(ty, Type::Num | Type::Bool)
}

impl Compiler<'_> {
    fn emit(&mut self, op: Op) -> Option<()> {
        let (takes, gives) = match &op {
            Op::Number(_) | Op::Child(_) | Op::Scaled(..) | Op::Truth(_) | Op::Numbered(_) => {
                (0, 1)
            }
            Op::KeepNumber(_) | Op::Unless(_) | Op::Turn(_) | Op::Next(_) | Op::Stroke => (1, 0),
            Op::Switch(Source::Number, _) => (1, 0),
            Op::Neg | Op::Unary(_) => (1, 1),
            Op::Add | Op::Sub | Op::Mul | Op::Div | Op::Binary(_) | Op::Compare(_) => (2, 1),
            Op::Width | Op::Height => (0, 1),
            Op::Ellipse | Op::Box | Op::Regular => (2, 0),
            Op::RoundedBox | Op::Star => (3, 0),
            Op::Shift(_) | Op::Scale(_) | Op::Nudge | Op::Place => (2, 0),
            _ => (0, 0),
        };
        self.depth = self.depth.checked_sub(takes)? + gives;
        if self.depth > MOST_NUMBERS || self.code.ops.len() >= MOST_OPS {
            return None;
        }
        self.code.ops.push(op);
        Some(())
    }

    fn here(&self) -> u32 {
        self.code.ops.len() as u32
    }

    fn aim(&mut self, jump: usize) {
        let here = self.here();
        if let Some(Op::Jump(to) | Op::Unless(to)) = self.code.ops.get_mut(jump) {
            *to = here;
        }
    }

    /// Code that leaves a number, or truth.
    fn number(&mut self, expr: &Expr, env: &mut Vec<Bind>) -> Option<()> {
        match &expr.kind {
            ExprKind::Const(Value::Num(x)) => self.emit(Op::Number(*x)),
            ExprKind::Const(Value::Bool(x)) => self.emit(Op::Number(f64::from(u8::from(*x)))),
            ExprKind::Const(_) => None,
            ExprKind::Slot(slot) => match *env.get(usize::from(*slot))? {
                Bind::Child(child) if expr.ty == Type::Bool => self.emit(Op::Truth(child)),
                Bind::Child(child) => self.emit(Op::Child(child)),
                Bind::Number(at) => self.emit(Op::Numbered(at)),
                Bind::Const(Value::Num(x)) => self.emit(Op::Number(x)),
                Bind::Const(Value::Bool(x)) => self.emit(Op::Number(f64::from(u8::from(x)))),
                _ => None,
            },
            ExprKind::Builtin(builtin, args) => self.reckon(*builtin, args, env),
            _ => self.control(expr, env, true).map(|_| ()),
        }
    }

    fn reckon(&mut self, builtin: Builtin, args: &[Expr], env: &mut Vec<Bind>) -> Option<()> {
        if let (Builtin::Width | Builtin::Height, [drawing]) = (builtin, args) {
            self.value(drawing, env)?;
            return self.emit(match builtin {
                Builtin::Width => Op::Width,
                _ => Op::Height,
            });
        }
        if !args.iter().all(|arg| is_number(&arg.ty)) {
            return None;
        }
        if let (Builtin::Mul, [a, b]) = (builtin, args)
            && let Some((child, by)) = scaled(a, b, env).or_else(|| scaled(b, a, env))
        {
            return self.emit(Op::Scaled(child, by));
        }
        for arg in args {
            self.number(arg, env)?;
        }
        use Builtin as B;
        self.emit(match (builtin, args.len()) {
            (B::Neg, 1) => Op::Neg,
            (B::Add, 2) => Op::Add,
            (B::Sub, 2) => Op::Sub,
            (B::Mul, 2) => Op::Mul,
            (B::Div, 2) => Op::Div,
            (B::Lt | B::Le | B::Gt | B::Ge | B::Eq | B::Ne, 2) => Op::Compare(builtin),
            (B::Not | B::Abs | B::Floor | B::Ceil | B::Round | B::Sqrt, 1) => Op::Unary(builtin),
            (B::Sin | B::Cos | B::Tan, 1) => Op::Unary(builtin),
            (B::Mod | B::Pow | B::Min | B::Max | B::Atan2, 2) => Op::Binary(builtin),
            _ => return None,
        })
    }

    /// Code that leaves any other value; says whether it was made just there, for nothing else.
    fn value(&mut self, expr: &Expr, env: &mut Vec<Bind>) -> Option<bool> {
        match &expr.kind {
            ExprKind::Const(value) => self.emit(Op::Value((*value).into()))?,
            ExprKind::Slot(slot) => match *env.get(usize::from(*slot))? {
                Bind::Child(child) => self.emit(Op::Load(child))?,
                Bind::Value(at) => self.emit(Op::Loaded(at))?,
                Bind::Const(value) => self.emit(Op::Value(value.into()))?,
                Bind::Unset | Bind::Number(_) => return None,
            },
            ExprKind::Builtin(builtin, args) => return self.draw(*builtin, args, env),
            _ => return self.control(expr, env, false),
        }
        Some(false)
    }

    fn numbers(&mut self, args: &[Expr], env: &mut Vec<Bind>) -> Option<()> {
        args.iter().try_for_each(|arg| self.number(arg, env))
    }

    fn draw(&mut self, builtin: Builtin, args: &[Expr], env: &mut Vec<Bind>) -> Option<bool> {
        use Builtin as B;
        let op = match (builtin, args) {
            (B::Ellipse | B::Box | B::RoundedBox | B::Regular | B::Star, _) => {
                self.numbers(args, env)?;
                self.emit(match builtin {
                    B::Ellipse => Op::Ellipse,
                    B::Box => Op::Box,
                    B::RoundedBox => Op::RoundedBox,
                    B::Regular => Op::Regular,
                    _ => Op::Star,
                })?;
                return Some(true);
            }
            (B::Shift | B::Turn | B::Scale, [of, by @ ..]) => {
                let fresh = self.value(of, env)? && of.ty == Type::Region;
                self.numbers(by, env)?;
                self.emit(match builtin {
                    B::Shift => Op::Shift(fresh),
                    B::Turn => Op::Turn(fresh),
                    _ => Op::Scale(fresh),
                })?;
                return Some(fresh);
            }
            (B::MirrorX | B::MirrorY, [of]) => {
                let fresh = self.value(of, env)? && of.ty == Type::Region;
                let (x, y) = match builtin {
                    B::MirrorX => (-1.0, 1.0),
                    _ => (1.0, -1.0),
                };
                self.emit(Op::Number(x))?;
                self.emit(Op::Number(y))?;
                self.emit(Op::Scale(fresh))?;
                return Some(fresh);
            }
            (B::Empty, []) => Op::Value(V::EMPTY),
            (B::Everything, []) => Op::Value(V::EVERYTHING),
            (B::Blank, []) => Op::Value(V::BLANK),
            (B::Union | B::Difference | B::Intersection, [a, b]) => {
                self.value(a, env)?;
                self.value(b, env)?;
                Op::Join(match builtin {
                    B::Union => Join::Union,
                    B::Difference => Join::Difference,
                    _ => Join::Intersection,
                })
            }
            (B::Fill, [of, color]) => {
                self.value(of, env)?;
                self.value(color, env)?;
                Op::Fill
            }
            (B::Stroke, [of, width, color]) => {
                self.value(of, env)?;
                self.number(width, env)?;
                self.value(color, env)?;
                Op::Stroke
            }
            (B::Over, [above, below]) => {
                self.value(above, env)?;
                self.value(below, env)?;
                Op::Over
            }
            (B::Beside | B::Above, [a, b, gap]) => {
                self.value(a, env)?;
                self.value(b, env)?;
                self.number(gap, env)?;
                Op::Next(builtin == B::Above)
            }
            (B::Nudge | B::Place, [of, dx, dy]) => {
                self.value(of, env)?;
                self.number(dx, env)?;
                self.number(dy, env)?;
                if builtin == B::Nudge {
                    Op::Nudge
                } else {
                    Op::Place
                }
            }
            _ => return None,
        };
        self.emit(op)?;
        Some(false)
    }

    /// Leaves a number or a value, as asked for.
    fn either(&mut self, expr: &Expr, env: &mut Vec<Bind>, number: bool) -> Option<bool> {
        if number {
            self.number(expr, env)?;
            return Some(false);
        }
        self.value(expr, env)
    }

    fn control(&mut self, expr: &Expr, env: &mut Vec<Bind>, number: bool) -> Option<bool> {
        match &expr.kind {
            ExprKind::Call(id, args) => {
                let def = self.grammar.function(*id);
                let mut inner = Vec::new();
                for arg in args {
                    let bind = self.bind(arg, env)?;
                    inner.push(bind);
                }
                inner.resize(usize::from(def.slots).max(inner.len()), Bind::Unset);
                self.either(&def.body, &mut inner, number)
            }
            ExprKind::Let(slot, value, body) => {
                let bind = self.bind(value, env)?;
                *env.get_mut(usize::from(*slot))? = bind;
                self.either(body, env, number)?;
                // A name may be used twice.
                Some(false)
            }
            ExprKind::If(condition, yes, no) => {
                self.number(condition, env)?;
                let depth = self.depth - 1;
                let skip = self.code.ops.len();
                self.emit(Op::Unless(0))?;
                self.either(yes, env, number)?;
                let end = self.code.ops.len();
                self.emit(Op::Jump(0))?;
                self.aim(skip);
                self.depth = depth;
                self.either(no, env, number)?;
                self.aim(end);
                Some(false)
            }
            ExprKind::Match(on, arms) => self.choose(on, arms, env, number),
            _ => None,
        }
    }

    fn choose(
        &mut self,
        on: &Expr,
        arms: &[(Case, Expr)],
        env: &mut Vec<Bind>,
        number: bool,
    ) -> Option<bool> {
        let bind = self.bind(on, env)?;
        let from = match bind {
            Bind::Child(child) => Source::Child(child),
            Bind::Value(at) => Source::Kept(at),
            Bind::Number(at) => {
                self.emit(Op::Numbered(at))?;
                Source::Number
            }
            Bind::Const(value) => {
                let known = V::from(value);
                let (_, body) = arms.iter().find(|(case, _)| known.matches(case))?;
                self.either(body, env, number)?;
                return Some(false);
            }
            Bind::Unset => return None,
        };
        let switch = self.code.ops.len();
        self.emit(Op::Switch(from, Box::new([])))?;
        let depth = self.depth;
        let mut targets = Vec::new();
        let mut ends = Vec::new();
        for (case, body) in arms {
            targets.push((case.clone(), self.here()));
            self.depth = depth;
            self.either(body, env, number)?;
            ends.push(self.code.ops.len());
            self.emit(Op::Jump(0))?;
        }
        for end in ends {
            self.aim(end);
        }
        self.depth = depth + usize::from(number);
        self.code.ops[switch] = Op::Switch(from, targets.into());
        Some(false)
    }

    /// Keeps an expression's value for when it is asked for by name.
    fn bind(&mut self, expr: &Expr, env: &mut Vec<Bind>) -> Option<Bind> {
        match &expr.kind {
            ExprKind::Slot(slot) => return env.get(usize::from(*slot)).copied(),
            ExprKind::Const(value) => return Some(Bind::Const(*value)),
            _ => {}
        }
        if is_number(&expr.ty) {
            self.number(expr, env)?;
            let at = self.code.numbers;
            self.code.numbers += 1;
            self.emit(Op::KeepNumber(at))?;
            return Some(Bind::Number(at));
        }
        self.value(expr, env)?;
        let at = self.code.values;
        self.code.values += 1;
        self.emit(Op::Keep(at))?;
        Some(Bind::Value(at))
    }
}

/// A child and a constant to multiply its number by.
fn scaled(child: &Expr, by: &Expr, env: &[Bind]) -> Option<(u8, f64)> {
    let constant = |expr: &Expr| match &expr.kind {
        ExprKind::Const(Value::Num(x)) => Some(*x),
        ExprKind::Slot(slot) => match env.get(usize::from(*slot))? {
            Bind::Const(Value::Num(x)) => Some(*x),
            _ => None,
        },
        _ => None,
    };
    match &child.kind {
        ExprKind::Slot(slot) => match env.get(usize::from(*slot))? {
            Bind::Child(child) => Some((*child, constant(by)?)),
            _ => None,
        },
        _ => None,
    }
}
