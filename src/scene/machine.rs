//! Straight code, run.
//!
//! In: [`Code`] and the values of a node's children. Out: the node's value, the same to the last bit as
//! the tree of the draw arm gives.

use super::affine::{self, Affine};
use super::code::{Code, MOST_NUMBERS, Op, Source};
use super::eval::NotDrawable;
use super::interpret::{Evaluator, MAX_CORNERS};
use super::value::{V, number};
use super::{Paint, shapes};
use crate::grammar::expr::{Builtin, Value};
use crate::grammar::scalar::{self, finite, limited, whole};

impl Evaluator<'_> {
    /// Runs straight code; the first child lies last.
    pub(super) fn run(&mut self, code: &Code, children: &[V]) -> Result<V, NotDrawable> {
        self.steps.take(code.ops.len() as u64)?;
        self.memory.stack.clear();
        if code.values > 0 {
            self.memory.kept.resize(usize::from(code.values), V::Absent);
        }
        if code.numbers > 0 {
            self.memory.numbers.resize(usize::from(code.numbers), 0.0);
        }
        let child = |at: u8| {
            let at = children.len().wrapping_sub(usize::from(at) + 1);
            children.get(at).copied().unwrap_or(V::Absent)
        };
        // The compiler saw to it that this is enough; the remainder saves a check.
        let mut numbers = [0.0f64; MOST_NUMBERS];
        let mut top = 0usize;
        macro_rules! push {
            ($x:expr) => {{
                let x = $x;
                numbers[top % MOST_NUMBERS] = x;
                top += 1;
            }};
        }
        macro_rules! pop {
            () => {{
                top = top.wrapping_sub(1);
                numbers[top % MOST_NUMBERS]
            }};
        }
        let mut at = 0usize;
        while let Some(op) = code.ops.get(at) {
            at += 1;
            match op {
                Op::Number(x) => push!(*x),
                Op::Child(i) => push!(child(*i).num()),
                Op::Scaled(i, by) => push!(finite(child(*i).num() * by)),
                Op::Truth(i) => push!(truth(matches!(child(*i), V::Bool(true)))),
                Op::Numbered(i) => push!(self.memory.numbers[usize::from(*i)]),
                Op::KeepNumber(i) => self.memory.numbers[usize::from(*i)] = pop!(),
                Op::Neg => push!(finite(-pop!())),
                Op::Add => {
                    let (b, a) = (pop!(), pop!());
                    push!(finite(a + b));
                }
                Op::Sub => {
                    let (b, a) = (pop!(), pop!());
                    push!(finite(a - b));
                }
                Op::Mul => {
                    let (b, a) = (pop!(), pop!());
                    push!(finite(a * b));
                }
                Op::Div => {
                    let (b, a) = (pop!(), pop!());
                    push!(finite(a / b));
                }
                Op::Unary(Builtin::Not) => push!(truth(pop!() == 0.0)),
                Op::Unary(builtin) => push!(apply(*builtin, &[Value::Num(pop!())])),
                Op::Binary(builtin) => {
                    let (b, a) = (pop!(), pop!());
                    push!(apply(*builtin, &[Value::Num(a), Value::Num(b)]));
                }
                Op::Compare(builtin) => {
                    let (b, a) = (pop!(), pop!());
                    push!(truth(match builtin {
                        Builtin::Lt => a < b,
                        Builtin::Le => a <= b,
                        Builtin::Gt => a > b,
                        Builtin::Ge => a >= b,
                        Builtin::Ne => a != b,
                        _ => a == b,
                    }));
                }
                Op::Width => {
                    let drawing = self.pop().drawing();
                    push!(limited(self.memory.parts.bounds_of(drawing).width()));
                }
                Op::Height => {
                    let drawing = self.pop().drawing();
                    push!(limited(self.memory.parts.bounds_of(drawing).height()));
                }
                Op::Value(value) => self.memory.stack.push(*value),
                Op::Load(i) => self.memory.stack.push(child(*i)),
                Op::Loaded(i) => {
                    let value = self.memory.kept[usize::from(*i)];
                    self.memory.stack.push(value);
                }
                Op::Keep(i) => self.memory.kept[usize::from(*i)] = self.pop(),
                Op::Ellipse => {
                    let (ry, rx) = (pop!(), pop!());
                    let shape = self.shape(Some(shapes::ellipse(rx, ry)));
                    self.memory.stack.push(shape);
                }
                Op::Box => {
                    let (h, w) = (pop!(), pop!());
                    let shape = self.shape(Some(shapes::rounded_box(w, h, 0.0)));
                    self.memory.stack.push(shape);
                }
                Op::RoundedBox => {
                    let (r, h, w) = (pop!(), pop!(), pop!());
                    let shape = self.shape(Some(shapes::rounded_box(w, h, r)));
                    self.memory.stack.push(shape);
                }
                Op::Regular => {
                    self.steps.take(MAX_CORNERS)?;
                    let (r, n) = (pop!(), pop!());
                    let shape = self.shape(shapes::regular(n, r));
                    self.memory.stack.push(shape);
                }
                Op::Star => {
                    self.steps.take(2 * MAX_CORNERS)?;
                    let (inner, outer, n) = (pop!(), pop!(), pop!());
                    let shape = self.shape(shapes::star(n, outer, inner));
                    self.memory.stack.push(shape);
                }
                Op::Shift(fresh) => {
                    let (dy, dx) = (pop!(), pop!());
                    let moved = match self.pop() {
                        V::Drawing(drawing) => self.place(drawing, dx, dy),
                        of => self.map_made(of, &affine::shift(dx, dy), *fresh),
                    };
                    self.memory.stack.push(moved);
                }
                Op::Turn(fresh) => {
                    let by = self.memory.turn(pop!());
                    let of = self.pop();
                    let turned = self.map_made(of, &by, *fresh);
                    self.memory.stack.push(turned);
                }
                Op::Scale(fresh) => {
                    let (sy, sx) = (pop!(), pop!());
                    let of = self.pop();
                    let scaled = self.map_made(of, &affine::scale(sx, sy), *fresh);
                    self.memory.stack.push(scaled);
                }
                Op::Join(how) => {
                    let (b, a) = (self.pop(), self.pop());
                    let joined = self.join(*how, a, b);
                    self.memory.stack.push(joined);
                }
                Op::Fill => {
                    let (color, of) = (self.pop().color(), self.pop());
                    let painted = self.paint(of, color, Paint::Fill)?;
                    self.memory.stack.push(painted);
                }
                Op::Stroke => {
                    let (color, of) = (self.pop().color(), self.pop());
                    let painted = self.stroke(of, pop!(), color)?;
                    self.memory.stack.push(painted);
                }
                Op::Over => {
                    let (below, above) = (self.pop().drawing(), self.pop().drawing());
                    let both = V::Drawing(self.memory.parts.over(below, above));
                    self.memory.stack.push(both);
                }
                Op::Next(below) => {
                    let (b, a) = (self.pop().drawing(), self.pop().drawing());
                    let both = self.next_to(a, b, pop!(), *below);
                    self.memory.stack.push(both);
                }
                Op::Nudge => {
                    let (dy, dx) = (whole(pop!()), whole(pop!()));
                    let drawing = self.pop().drawing();
                    let moved = V::Drawing(self.memory.parts.nudge(drawing, dx, dy));
                    self.memory.stack.push(moved);
                }
                Op::Place => {
                    let (dy, dx) = (pop!(), pop!());
                    let drawing = self.pop().drawing();
                    let moved = self.place(drawing, dx, dy);
                    self.memory.stack.push(moved);
                }
                Op::Unless(to) => {
                    if pop!() == 0.0 {
                        at = *to as usize;
                    }
                }
                Op::Jump(to) => at = *to as usize,
                Op::Switch(from, cases) => {
                    let on = match from {
                        Source::Child(i) => child(*i),
                        Source::Kept(i) => self.memory.kept[usize::from(*i)],
                        Source::Number => number(pop!()),
                    };
                    match cases.iter().find(|(case, _)| on.matches(case)) {
                        Some((_, to)) => at = *to as usize,
                        None => return Ok(V::Absent),
                    }
                }
            }
        }
        Ok(self.pop())
    }

    fn pop(&mut self) -> V {
        self.memory.stack.pop().unwrap_or(V::Absent)
    }

    /// Maps a region; one that was made just before and is nowhere else is mapped in its place.
    fn map_made(&mut self, of: V, by: &Affine, fresh: bool) -> V {
        match of {
            V::Region(region) if fresh => V::Region(self.memory.parts.map_made(region, by)),
            _ => self.map(of, by),
        }
    }
}

fn truth(x: bool) -> f64 {
    f64::from(u8::from(x))
}

/// An intrinsic of numbers.
fn apply(builtin: Builtin, args: &[Value]) -> f64 {
    match scalar::apply(builtin, args) {
        Some(Value::Num(x)) => x,
        _ => 0.0,
    }
}
