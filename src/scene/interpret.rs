//! The value of a node of a program, by its production's draw arm.
//!
//! In: a node and the values of its children. Out: a [`V`], with regions and drawings built in
//! [`Parts`]. Afterwards the value depends on the node's subtree only, every number is finite, and
//! what was spent has been taken from the budget.

use super::affine::{self, Affine};
use super::code::{Arms, Does};
use super::eval::NotDrawable;
use super::parts::{BLANK, EMPTY, EVERYTHING, Join, Kind, Made, Painted, Parts, Steps};
use super::slots::Slots;
use super::value::{V, number};
use super::{Paint, shapes};
use crate::grammar::expr::{Builtin, Expr, ExprKind, Value};
use crate::grammar::ir::{Domain, Grammar, Production, ProductionKind};
use crate::grammar::scalar::{self, finite, limited, whole};
use crate::tree::Node;

/// An item of a list and the cell of the next.
#[derive(Clone, Copy, Debug)]
struct Cell {
    item: V,
    next: u32,
}

/// No cell: the end of a list.
const NIL: u32 = u32::MAX;

pub(super) struct Evaluator<'a> {
    pub(super) grammar: &'a Grammar,
    pub(super) texts: &'a [Box<str>],
    pub(super) memory: &'a mut Memory,
    pub(super) steps: Steps,
    /// Why a number could not be had.
    pub(super) failed: Option<NotDrawable>,
}

/// What evaluation builds and where it keeps what it is about.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Frames of slots, one on the other.
    slots: Vec<V>,
    cells: Slots<Cell>,
    pub(super) parts: Parts,
    /// Values of straight code: a stack, and those with names.
    pub(super) stack: Vec<V>,
    pub(super) kept: Vec<V>,
    pub(super) numbers: Vec<f64>,
    /// Turns that were reckoned before: by a hash of the angle, the angle and its turn.
    turns: Vec<(f64, Affine)>,
}

/// Turns remembered; a power of two.
const TURNS: usize = 64;

impl Memory {
    /// Forgets everything but the memory. With `logs`, what is built from now on is written down.
    pub(super) fn clear(&mut self, logs: bool) {
        self.slots.clear();
        self.cells.clear();
        self.parts.clear(logs);
    }

    /// [`affine::turn`]; languages have few angles, and sines take as long as a whole arm.
    pub(super) fn turn(&mut self, degrees: f64) -> Affine {
        if self.turns.is_empty() {
            self.turns.resize(TURNS, (0.0, affine::turn(0.0)));
        }
        let hash = degrees.to_bits().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58;
        let known = &mut self.turns[hash as usize % TURNS];
        // As bits: NaN is an angle like any other here.
        if known.0.to_bits() != degrees.to_bits() {
            *known = (degrees, affine::turn(degrees));
        }
        known.1
    }

    /// Gives up what nothing refers to any more.
    pub(super) fn free(&mut self, made: Made) {
        match made.what() {
            (Kind::Cell, at) => self.cells.free(at),
            _ => self.parts.free(made),
        }
    }
}

impl Evaluator<'_> {
    /// A node's value from its children's, which lie on top of `values`, the first on top.
    pub(super) fn node(&mut self, node: &Node, values: &mut Vec<V>) -> Result<V, NotDrawable> {
        let grammar = self.grammar;
        let production = grammar.production(node.production);
        let first = values
            .len()
            .checked_sub(production.children.len())
            .ok_or(NotDrawable::NoDraw)?;
        let value = match production.kind {
            ProductionKind::Node(_) => self.arm(node, production, &values[first..])?,
            ProductionKind::Token(token) => match &grammar.token(token).domain {
                domain @ (Domain::Int { .. } | Domain::Real { .. }) => {
                    number(domain.number(node.value).unwrap_or(0.0))
                }
                Domain::Finite(all) => match all.get(node.value as usize).and_then(|v| v.value) {
                    Some(value) => value.into(),
                    None => V::Choice(node.production, node.value),
                },
                Domain::Text { .. } => self.text(node.value)?,
            },
            ProductionKind::Nil => V::List(NIL),
            ProductionKind::Cons => match values[first..] {
                [V::List(next), item] => self.cons(item, next),
                _ => V::List(NIL),
            },
            ProductionKind::None => V::Absent,
            ProductionKind::Some => values.last().copied().unwrap_or(V::Absent),
        };
        values.truncate(first);
        Ok(value)
    }

    /// [`Evaluator::node`], by arms that were prepared.
    pub(super) fn node_by(
        &mut self,
        arms: &Arms,
        node: &Node,
        values: &mut Vec<V>,
    ) -> Result<V, NotDrawable> {
        let Some(arm) = arms.get(node.production.index()) else {
            return self.node(node, values);
        };
        let value = match &arm.does {
            Does::Values(all) => match all.get(node.value as usize) {
                Some(value) => *value,
                None => return self.node(node, values),
            },
            Does::Number(token) => {
                let domain = &self.grammar.token(*token).domain;
                number(domain.number(node.value).unwrap_or(0.0))
            }
            Does::Choice => V::Choice(node.production, 0),
            Does::Code(code) => {
                let first = values.len().checked_sub(arm.children);
                let children = first.and_then(|first| values.get(first..));
                self.run(code, children.ok_or(NotDrawable::NoDraw)?)?
            }
            Does::Walk => return self.node(node, values),
        };
        let first = values.len().checked_sub(arm.children);
        values.truncate(first.ok_or(NotDrawable::NoDraw)?);
        Ok(value)
    }

    pub(super) fn stroke(&mut self, of: V, width: f64, color: [u8; 4]) -> Result<V, NotDrawable> {
        let width = limited(width);
        let color = if width > 0.0 { color } else { [0; 4] };
        self.paint(of, color, |color| Paint::Stroke { color, width })
    }

    fn text(&mut self, rank: u32) -> Result<V, NotDrawable> {
        let text = self.texts.get(rank as usize).map_or("", |text| text);
        self.steps.take(text.len() as u64)?;
        Ok(V::Text(
            u32::try_from(text.chars().count()).unwrap_or(u32::MAX),
        ))
    }

    fn cons(&mut self, item: V, next: u32) -> V {
        let at = self.memory.cells.put(Cell { item, next });
        self.memory.parts.made(Made::new(Kind::Cell, at));
        V::List(at)
    }

    fn arm(
        &mut self,
        node: &Node,
        production: &Production,
        children: &[V],
    ) -> Result<V, NotDrawable> {
        let Some(arm) = &production.draw else {
            return Ok(V::Choice(node.production, 0));
        };
        self.memory.slots.clear();
        self.memory.slots.extend(children.iter().rev());
        self.memory.slots.resize(usize::from(arm.slots), V::Absent);
        let value = self.eval(&arm.body, 0)?;
        match self.failed.take() {
            Some(why) => Err(why),
            None => Ok(value),
        }
    }

    /// A number. Most of what draw arms do is to reckon: this goes without the detour through
    /// [`V`]. What fails below is remembered until the arm is done.
    fn num(&mut self, expr: &Expr, base: usize) -> f64 {
        match &expr.kind {
            ExprKind::Const(Value::Num(x)) => return *x,
            ExprKind::Slot(slot) => return self.memory.slots[base + usize::from(*slot)].num(),
            ExprKind::Builtin(builtin, args) => match (builtin, &args[..]) {
                (Builtin::Mul, [a, b]) => return finite(self.num(a, base) * self.num(b, base)),
                (Builtin::Div, [a, b]) => return finite(self.num(a, base) / self.num(b, base)),
                (Builtin::Add, [a, b]) => return finite(self.num(a, base) + self.num(b, base)),
                (Builtin::Sub, [a, b]) => return finite(self.num(a, base) - self.num(b, base)),
                (Builtin::Neg, [a]) => return finite(-self.num(a, base)),
                _ => {}
            },
            _ => {}
        }
        match self.eval(expr, base) {
            Ok(value) => value.num(),
            Err(why) => {
                self.failed.get_or_insert(why);
                0.0
            }
        }
    }

    /// The number an argument is, 0 when it is missing.
    fn num_at(&mut self, args: &[Expr], at: usize, base: usize) -> f64 {
        args.get(at).map_or(0.0, |arg| self.num(arg, base))
    }

    /// An argument's value.
    fn at(&mut self, args: &[Expr], at: usize, base: usize) -> Result<V, NotDrawable> {
        args.get(at)
            .map_or(Ok(V::Absent), |arg| self.eval(arg, base))
    }

    fn eval(&mut self, expr: &Expr, base: usize) -> Result<V, NotDrawable> {
        self.steps.take(1)?;
        match &expr.kind {
            ExprKind::Const(value) => Ok((*value).into()),
            ExprKind::Slot(slot) => Ok(self.memory.slots[base + usize::from(*slot)]),
            ExprKind::Builtin(builtin, args) => self.builtin(*builtin, args, base),
            ExprKind::Call(id, args) => {
                let grammar = self.grammar;
                let def = grammar.function(*id);
                let inner = self.memory.slots.len();
                for arg in args {
                    let value = self.eval(arg, base)?;
                    self.memory.slots.push(value);
                }
                self.memory
                    .slots
                    .resize(inner + usize::from(def.slots), V::Absent);
                let value = self.eval(&def.body, inner)?;
                self.memory.slots.truncate(inner);
                Ok(value)
            }
            ExprKind::If(condition, yes, no) => match self.eval(condition, base)? {
                V::Bool(true) => self.eval(yes, base),
                _ => self.eval(no, base),
            },
            ExprKind::Match(on, arms) => {
                let on = self.eval(on, base)?;
                let body = arms.iter().find(|(case, _)| on.matches(case));
                match body {
                    Some((_, body)) => self.eval(body, base),
                    None => Ok(V::Absent),
                }
            }
            ExprKind::Let(slot, value, body) => {
                let value = self.eval(value, base)?;
                self.memory.slots[base + usize::from(*slot)] = value;
                self.eval(body, base)
            }
            ExprKind::List(items) => {
                // Built from the back; no item can see another.
                let mut next = NIL;
                for item in items.iter().rev() {
                    let item = self.eval(item, base)?;
                    if let V::List(cell) = self.cons(item, next) {
                        next = cell;
                    }
                }
                Ok(V::List(next))
            }
            ExprKind::Else(left, right) => match self.eval(left, base)? {
                V::Absent => self.eval(right, base),
                value => Ok(value),
            },
        }
    }

    fn builtin(&mut self, builtin: Builtin, args: &[Expr], base: usize) -> Result<V, NotDrawable> {
        // Shapes and maps take numbers, which need no `V`.
        match builtin {
            Builtin::Ellipse => {
                let (rx, ry) = (self.num_at(args, 0, base), self.num_at(args, 1, base));
                return Ok(self.shape(Some(shapes::ellipse(rx, ry))));
            }
            Builtin::Box => {
                let (w, h) = (self.num_at(args, 0, base), self.num_at(args, 1, base));
                return Ok(self.shape(Some(shapes::rounded_box(w, h, 0.0))));
            }
            Builtin::RoundedBox => {
                let (w, h) = (self.num_at(args, 0, base), self.num_at(args, 1, base));
                let r = self.num_at(args, 2, base);
                return Ok(self.shape(Some(shapes::rounded_box(w, h, r))));
            }
            Builtin::Shift => {
                let of = self.at(args, 0, base)?;
                let (dx, dy) = (self.num_at(args, 1, base), self.num_at(args, 2, base));
                return Ok(match of {
                    V::Drawing(drawing) => self.place(drawing, dx, dy),
                    _ => self.map(of, &affine::shift(dx, dy)),
                });
            }
            Builtin::Turn => {
                let of = self.at(args, 0, base)?;
                let degrees = self.num_at(args, 1, base);
                let by = self.memory.turn(degrees);
                return Ok(self.map(of, &by));
            }
            Builtin::Scale => {
                let of = self.at(args, 0, base)?;
                let (sx, sy) = (self.num_at(args, 1, base), self.num_at(args, 2, base));
                return Ok(self.map(of, &affine::scale(sx, sy)));
            }
            _ => {}
        }
        let mut given = [V::Absent; 3];
        for (place, arg) in given.iter_mut().zip(args) {
            *place = self.eval(arg, base)?;
        }
        let [a, b, c] = given;
        Ok(match builtin {
            Builtin::Count => number(self.count(a)?),
            Builtin::Sum => {
                let mut sum = 0.0;
                let mut list = a;
                while let Some((item, rest)) = self.next(list)? {
                    sum = scalar::finite(sum + item.num());
                    list = rest;
                }
                number(sum)
            }
            Builtin::Polygon => {
                let points = self.points(a)?;
                self.shape(shapes::polygon(points.into_iter()))
            }
            Builtin::Regular => {
                self.steps.take(MAX_CORNERS)?;
                self.shape(shapes::regular(a.num(), b.num()))
            }
            Builtin::Star => {
                self.steps.take(2 * MAX_CORNERS)?;
                self.shape(shapes::star(a.num(), b.num(), c.num()))
            }
            Builtin::Segment => self.line([a.point(), b.point()].into_iter(), c.num()),
            Builtin::Polyline => {
                let points = self.points(a)?;
                self.line(points.into_iter(), b.num())
            }
            Builtin::Empty => V::Region(EMPTY),
            Builtin::Everything => V::Region(EVERYTHING),
            Builtin::Union => self.join(Join::Union, a, b),
            Builtin::Difference => self.join(Join::Difference, a, b),
            Builtin::Intersection => self.join(Join::Intersection, a, b),
            Builtin::UnionAll => {
                let mut all = V::Region(EMPTY);
                let mut list = a;
                while let Some((item, rest)) = self.next(list)? {
                    all = self.join(Join::Union, all, item);
                    list = rest;
                }
                all
            }
            Builtin::MirrorX => self.map(a, &affine::scale(-1.0, 1.0)),
            Builtin::MirrorY => self.map(a, &affine::scale(1.0, -1.0)),
            Builtin::Fill => self.paint(a, b.color(), Paint::Fill)?,
            Builtin::Stroke => self.stroke(a, b.num(), c.color())?,
            Builtin::Blank => V::Drawing(BLANK),
            Builtin::Over => V::Drawing(self.memory.parts.over(b.drawing(), a.drawing())),
            Builtin::Stack => {
                let mut all = BLANK;
                let mut list = a;
                while let Some((item, rest)) = self.next(list)? {
                    all = self.memory.parts.over(all, item.drawing());
                    list = rest;
                }
                V::Drawing(all)
            }
            Builtin::Beside => self.next_to(a.drawing(), b.drawing(), c.num(), false),
            Builtin::Above => self.next_to(a.drawing(), b.drawing(), c.num(), true),
            Builtin::Nudge => {
                let (dx, dy) = (whole(b.num()), whole(c.num()));
                V::Drawing(self.memory.parts.nudge(a.drawing(), dx, dy))
            }
            Builtin::Place => self.place(a.drawing(), b.num(), c.num()),
            Builtin::Width => number(limited(self.memory.parts.bounds_of(a.drawing()).width())),
            Builtin::Height => number(limited(self.memory.parts.bounds_of(a.drawing()).height())),
            _ => scalar_of(builtin, &given[..args.len().min(3)]),
        })
    }

    /// The first item of a list and the rest.
    fn next(&mut self, list: V) -> Result<Option<(V, V)>, NotDrawable> {
        let V::List(cell) = list else {
            return Ok(None);
        };
        self.steps.take(1)?;
        let cell = self.memory.cells.get(cell);
        Ok(cell.map(|cell| (cell.item, V::List(cell.next))))
    }

    fn count(&mut self, of: V) -> Result<f64, NotDrawable> {
        if let V::Text(length) = of {
            return Ok(f64::from(length));
        }
        let mut count = 0.0;
        let mut list = of;
        while let Some((_, rest)) = self.next(list)? {
            count += 1.0;
            list = rest;
        }
        Ok(count)
    }

    fn points(&mut self, mut list: V) -> Result<Vec<(f64, f64)>, NotDrawable> {
        let mut points = Vec::new();
        while let Some((item, rest)) = self.next(list)? {
            points.push(item.point());
            list = rest;
        }
        Ok(points)
    }

    pub(super) fn shape(&mut self, shape: Option<super::Shape>) -> V {
        V::Region(shape.map_or(EMPTY, |shape| self.memory.parts.shape(shape)))
    }

    fn line(&mut self, points: impl Iterator<Item = (f64, f64)>, width: f64) -> V {
        match shapes::polyline(points, width) {
            Some((shape, (x, y))) => {
                let line = self.shape(Some(shape));
                self.map(line, &affine::shift(x, y))
            }
            None => V::Region(EMPTY),
        }
    }

    pub(super) fn join(&mut self, how: Join, a: V, b: V) -> V {
        V::Region(self.memory.parts.join(how, a.region(), b.region()))
    }

    pub(super) fn map(&mut self, of: V, by: &Affine) -> V {
        match of {
            V::Drawing(drawing) => V::Drawing(self.memory.parts.map_drawing(drawing, by)),
            _ => V::Region(self.memory.parts.map(of.region(), by)),
        }
    }

    pub(super) fn place(&mut self, drawing: Painted, dx: f64, dy: f64) -> V {
        let (dx, dy) = (whole(dx), whole(dy));
        V::Drawing(self.memory.parts.place(drawing, dx, dy))
    }

    pub(super) fn paint(
        &mut self,
        region: V,
        color: [u8; 4],
        paint: impl Fn([u8; 4]) -> Paint,
    ) -> Result<V, NotDrawable> {
        let paint = (color[3] > 0).then(|| paint(color));
        let drawing = self
            .memory
            .parts
            .paint(region.region(), paint, &mut self.steps)?;
        Ok(V::Drawing(drawing))
    }

    /// The second to the right of the first or below it, `gap` between their bounds, centres in
    /// line. A drawing without bounds is no neighbour: the other stays where it is.
    pub(super) fn next_to(&mut self, first: Painted, second: Painted, gap: f64, below: bool) -> V {
        let (a, b) = (
            self.memory.parts.bounds_of(first),
            self.memory.parts.bounds_of(second),
        );
        let mut second = second;
        if !a.is_empty() && !b.is_empty() {
            let (ax, ay) = a.center();
            let (bx, by) = b.center();
            let (dx, dy) = if below {
                (ax - bx, a.y1 + gap - b.y0)
            } else {
                (a.x1 + gap - b.x0, ay - by)
            };
            second = self.memory.parts.place(second, whole(dx), whole(dy));
        }
        V::Drawing(self.memory.parts.over(first, second))
    }
}

/// What the corners of a regular polygon cost at most.
pub(super) const MAX_CORNERS: u64 = 1000;

fn scalar_of(builtin: Builtin, args: &[V]) -> V {
    let mut values = [Value::Num(0.0); 3];
    for (value, arg) in values.iter_mut().zip(args) {
        match *arg {
            V::Num(x) => *value = Value::Num(x),
            V::Bool(x) => *value = Value::Bool(x),
            V::Color(color) => *value = Value::Color(color),
            V::Point(x, y) => *value = Value::Point(x, y),
            _ => {}
        }
    }
    let value = scalar::apply(builtin, &values[..args.len()]);
    value.unwrap_or(Value::Num(0.0)).into()
}
