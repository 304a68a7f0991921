//! From a program to its scene, by the grammar's draw arms.
//!
//! In: a checked grammar and a program of it. Out: [`Scene`]. Afterwards every number is finite
//! and of magnitude at most 1e6, and placements of drawings are whole pixels, half a pixel rounded
//! away from zero. The time is linear in the program; nothing recurs on its depth. Drawing is a
//! catamorphism: a node's value depends on its subtree only.

use super::affine::{self, Affine};
use super::parts::{BLANK, EMPTY, EVERYTHING, Finish, Join, Painted, Parts, Raw, Steps};
use super::{Content, Paint, Scene, shapes};
use crate::grammar::expr::{Builtin, Case, Expr, ExprKind, Value};
use crate::grammar::ids::ProdId;
use crate::grammar::ir::{CanvasMode, Domain, Grammar, Production, ProductionKind};
use crate::grammar::scalar::{self, limited, whole};
use crate::tree::{Node, Program};

/// Operations allowed for a program, and for each of its nodes on top.
const MAX_STEPS: u64 = 50_000_000;
const STEPS_PER_NODE: u64 = 1000;

/// Why a program has no picture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDrawable {
    /// The grammar has no `canvas`.
    #[error("the language has no `canvas`, so its programs are not pictures")]
    NoCanvas,
    /// The start sort has no `draw` arms, or not of the kind the canvas shows.
    #[error("the start sort does not draw what the canvas shows")]
    NoDraw,
    /// The draw code does too much: chains of functions that call others several times.
    #[error("drawing this program takes more than {0} steps")]
    TooMuchWork(u64),
    /// The picture has too many parts: drawings that hold others several times, nested.
    #[error("the picture has more than {0} parts")]
    TooManyParts(usize),
}

/// The scene of a program. For many programs keep a [`Workspace`] and use [`lower_in`].
pub fn lower(grammar: &Grammar, program: &Program) -> Result<Scene, NotDrawable> {
    lower_in(&mut Workspace::new(), grammar, program)
}

/// Memory that is kept from one program to the next.
#[derive(Debug, Default)]
pub struct Workspace {
    /// Values of the subtrees whose parent is still to come, the next in preorder on top.
    values: Vec<V>,
    slots: Vec<V>,
    cells: Vec<Cell>,
    parts: Parts,
    finish: Finish,
}

impl Workspace {
    /// An empty workspace.
    pub fn new() -> Workspace {
        Workspace::default()
    }
}

/// The scene of a program, reusing the workspace's memory. Programs of different grammars may
/// share one.
pub fn lower_in(
    workspace: &mut Workspace,
    grammar: &Grammar,
    program: &Program,
) -> Result<Scene, NotDrawable> {
    let canvas = grammar.canvas.as_ref().ok_or(NotDrawable::NoCanvas)?;
    workspace.values.clear();
    workspace.slots.clear();
    workspace.cells.clear();
    workspace.parts.clear();
    workspace.finish.clear();
    let nodes = program.nodes();
    let budget = MAX_STEPS.saturating_add(STEPS_PER_NODE.saturating_mul(nodes.len() as u64));
    let mut evaluator = Evaluator {
        grammar,
        texts: program.texts(),
        slots: &mut workspace.slots,
        cells: &mut workspace.cells,
        parts: &mut workspace.parts,
        steps: Steps::new(budget),
    };
    // Children come after their parent in preorder, so from the back they come first.
    for node in nodes.iter().rev() {
        let value = evaluator.node(node, &mut workspace.values)?;
        workspace.values.push(value);
    }
    let mut steps = evaluator.steps;
    let root = workspace.values.pop().ok_or(NotDrawable::NoDraw)?;

    let (parts, finish) = (&workspace.parts, &mut workspace.finish);
    let bounds = match root {
        V::Region(region) if canvas.centred => parts.region_bounds(region, &mut steps)?,
        V::Drawing(drawing) => parts.bounds_of(drawing),
        _ => super::Bounds::EMPTY,
    };
    let mut offset = (0, 0);
    if canvas.centred && bounds.is_finite() {
        let (x, y) = bounds.center();
        offset = (
            whole(f64::from(canvas.width) / 2.0 - x),
            whole(f64::from(canvas.height) / 2.0 - y),
        );
    }
    let content = match (root, canvas.mode) {
        (V::Region(region), CanvasMode::Ink) => {
            let by = affine::shift(f64::from(offset.0), f64::from(offset.1));
            Content::Ink(parts.finish(region, &by, finish)?)
        }
        (V::Drawing(drawing), CanvasMode::Rgb { .. }) => {
            Content::Layers(parts.layers(drawing, offset, finish)?)
        }
        _ => return Err(NotDrawable::NoDraw),
    };
    Ok(Scene {
        canvas: canvas.clone(),
        regions: std::mem::take(&mut finish.regions),
        content,
    })
}

/// A value of the draw language.
#[derive(Clone, Copy, Debug)]
enum V {
    Scalar(Value),
    Region(Raw),
    Drawing(Painted),
    /// A node that only `match` looks into.
    Choice(ProdId, u32),
    /// The rank of a text among the program's.
    Text(u32),
    /// A list by its first cell.
    List(u32),
    /// An optional value that is not there.
    Absent,
}

/// An item of a list and the cell of the next.
#[derive(Clone, Copy, Debug)]
struct Cell {
    item: V,
    next: u32,
}

/// No cell: the end of a list.
const NIL: u32 = u32::MAX;

impl V {
    // What is typed gives what is asked for; the other arms are for programs that were put
    // together by hand against their grammar.

    fn num(self) -> f64 {
        match self {
            V::Scalar(Value::Num(x)) => x,
            _ => 0.0,
        }
    }

    fn point(self) -> (f64, f64) {
        match self {
            V::Scalar(Value::Point(x, y)) => (x, y),
            _ => (0.0, 0.0),
        }
    }

    fn color(self) -> [u8; 4] {
        match self {
            V::Scalar(Value::Color(color)) => color,
            _ => [0; 4],
        }
    }

    fn region(self) -> Raw {
        match self {
            V::Region(region) => region,
            _ => EMPTY,
        }
    }

    fn drawing(self) -> Painted {
        match self {
            V::Drawing(drawing) => drawing,
            _ => BLANK,
        }
    }
}

fn number(x: f64) -> V {
    V::Scalar(Value::Num(x))
}

struct Evaluator<'a> {
    grammar: &'a Grammar,
    texts: &'a [Box<str>],
    /// Frames of slots, one on the other.
    slots: &'a mut Vec<V>,
    cells: &'a mut Vec<Cell>,
    parts: &'a mut Parts,
    steps: Steps,
}

impl Evaluator<'_> {
    /// A node's value from its children's, which lie on top of `values`, the first on top.
    fn node(&mut self, node: &Node, values: &mut Vec<V>) -> Result<V, NotDrawable> {
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
                    Some(value) => V::Scalar(value),
                    None => V::Choice(node.production, node.value),
                },
                Domain::Text { .. } => V::Text(node.value),
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

    fn cons(&mut self, item: V, next: u32) -> V {
        self.cells.push(Cell { item, next });
        V::List(u32::try_from(self.cells.len() - 1).unwrap_or(NIL))
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
        self.slots.clear();
        self.slots.extend(children.iter().rev());
        self.slots.resize(usize::from(arm.slots), V::Absent);
        self.eval(&arm.body, 0)
    }

    fn eval(&mut self, expr: &Expr, base: usize) -> Result<V, NotDrawable> {
        self.steps.take(1)?;
        match &expr.kind {
            ExprKind::Const(value) => Ok(V::Scalar(*value)),
            ExprKind::Slot(slot) => Ok(self.slots[base + usize::from(*slot)]),
            ExprKind::Builtin(builtin, args) => self.builtin(*builtin, args, base),
            ExprKind::Call(id, args) => {
                let grammar = self.grammar;
                let def = grammar.function(*id);
                let inner = self.slots.len();
                for arg in args {
                    let value = self.eval(arg, base)?;
                    self.slots.push(value);
                }
                self.slots.resize(inner + usize::from(def.slots), V::Absent);
                let value = self.eval(&def.body, inner)?;
                self.slots.truncate(inner);
                Ok(value)
            }
            ExprKind::If(condition, yes, no) => match self.eval(condition, base)? {
                V::Scalar(Value::Bool(true)) => self.eval(yes, base),
                _ => self.eval(no, base),
            },
            ExprKind::Match(on, arms) => {
                let on = self.eval(on, base)?;
                let body = arms.iter().find(|(case, _)| matches(case, on));
                match body {
                    Some((_, body)) => self.eval(body, base),
                    None => Ok(V::Absent),
                }
            }
            ExprKind::Let(slot, value, body) => {
                let value = self.eval(value, base)?;
                self.slots[base + usize::from(*slot)] = value;
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
            Builtin::Ellipse => self.shape(Some(shapes::ellipse(a.num(), b.num()))),
            Builtin::Box => self.shape(Some(shapes::rounded_box(a.num(), b.num(), 0.0))),
            Builtin::RoundedBox => self.shape(Some(shapes::rounded_box(a.num(), b.num(), c.num()))),
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
            Builtin::Shift => match a {
                V::Drawing(_) => self.place(a, b, c),
                _ => self.map(a, &affine::shift(b.num(), c.num())),
            },
            Builtin::Turn => self.map(a, &affine::turn(b.num())),
            Builtin::Scale => self.map(a, &affine::scale(b.num(), c.num())),
            Builtin::MirrorX => self.map(a, &affine::scale(-1.0, 1.0)),
            Builtin::MirrorY => self.map(a, &affine::scale(1.0, -1.0)),
            Builtin::Fill => self.paint(a, b.color(), Paint::Fill)?,
            Builtin::Stroke => {
                let width = limited(b.num());
                let color = if width > 0.0 { c.color() } else { [0; 4] };
                self.paint(a, color, |color| Paint::Stroke { color, width })?
            }
            Builtin::Blank => V::Drawing(BLANK),
            Builtin::Over => V::Drawing(self.parts.over(b.drawing(), a.drawing())),
            Builtin::Stack => {
                let mut all = BLANK;
                let mut list = a;
                while let Some((item, rest)) = self.next(list)? {
                    all = self.parts.over(all, item.drawing());
                    list = rest;
                }
                V::Drawing(all)
            }
            Builtin::Beside => self.next_to(a.drawing(), b.drawing(), c.num(), false),
            Builtin::Above => self.next_to(a.drawing(), b.drawing(), c.num(), true),
            Builtin::Nudge => {
                let (dx, dy) = (whole(b.num()), whole(c.num()));
                V::Drawing(self.parts.nudge(a.drawing(), dx, dy))
            }
            Builtin::Place => self.place(a, b, c),
            Builtin::Width => number(limited(self.parts.bounds_of(a.drawing()).width())),
            Builtin::Height => number(limited(self.parts.bounds_of(a.drawing()).height())),
            _ => scalar_of(builtin, &given[..args.len().min(3)]),
        })
    }

    /// The first item of a list and the rest.
    fn next(&mut self, list: V) -> Result<Option<(V, V)>, NotDrawable> {
        let V::List(cell) = list else {
            return Ok(None);
        };
        self.steps.take(1)?;
        let cell = self.cells.get(cell as usize);
        Ok(cell.map(|cell| (cell.item, V::List(cell.next))))
    }

    fn count(&mut self, of: V) -> Result<f64, NotDrawable> {
        if let V::Text(rank) = of {
            let text = self.texts.get(rank as usize).map_or("", |text| text);
            self.steps.take(text.len() as u64)?;
            return Ok(text.chars().count() as f64);
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

    fn shape(&mut self, shape: Option<super::Shape>) -> V {
        V::Region(shape.map_or(EMPTY, |shape| self.parts.shape(shape)))
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

    fn join(&mut self, how: Join, a: V, b: V) -> V {
        V::Region(self.parts.join(how, a.region(), b.region()))
    }

    fn map(&mut self, of: V, by: &Affine) -> V {
        match of {
            V::Drawing(drawing) => V::Drawing(self.parts.map_drawing(drawing, by)),
            _ => V::Region(self.parts.map(of.region(), by)),
        }
    }

    fn place(&mut self, drawing: V, dx: V, dy: V) -> V {
        let (dx, dy) = (whole(dx.num()), whole(dy.num()));
        V::Drawing(self.parts.place(drawing.drawing(), dx, dy))
    }

    fn paint(
        &mut self,
        region: V,
        color: [u8; 4],
        paint: impl Fn([u8; 4]) -> Paint,
    ) -> Result<V, NotDrawable> {
        let paint = (color[3] > 0).then(|| paint(color));
        let drawing = self.parts.paint(region.region(), paint, &mut self.steps)?;
        Ok(V::Drawing(drawing))
    }

    /// The second to the right of the first or below it, `gap` between their bounds, centres in
    /// line. A drawing without bounds is no neighbour: the other stays where it is.
    fn next_to(&mut self, first: Painted, second: Painted, gap: f64, below: bool) -> V {
        let (a, b) = (self.parts.bounds_of(first), self.parts.bounds_of(second));
        let mut second = second;
        if !a.is_empty() && !b.is_empty() {
            let (ax, ay) = a.center();
            let (bx, by) = b.center();
            let (dx, dy) = if below {
                (ax - bx, a.y1 + gap - b.y0)
            } else {
                (a.x1 + gap - b.x0, ay - by)
            };
            second = self.parts.place(second, whole(dx), whole(dy));
        }
        V::Drawing(self.parts.over(first, second))
    }
}

/// What the corners of a regular polygon cost at most.
const MAX_CORNERS: u64 = 1000;

fn matches(case: &Case, on: V) -> bool {
    match (case, on) {
        (Case::Any, _) => true,
        (Case::Production(wanted), V::Choice(production, _)) => *wanted == production,
        (Case::Index(wanted), V::Choice(_, index)) => *wanted == index,
        (Case::Num(wanted), V::Scalar(Value::Num(x))) => *wanted == x,
        (Case::Bool(wanted), V::Scalar(Value::Bool(x))) => *wanted == x,
        _ => false,
    }
}

fn scalar_of(builtin: Builtin, args: &[V]) -> V {
    let mut values = [Value::Num(0.0); 3];
    for (value, arg) in values.iter_mut().zip(args) {
        if let V::Scalar(scalar) = arg {
            *value = *scalar;
        }
    }
    let value = scalar::apply(builtin, &values[..args.len()]);
    V::Scalar(value.unwrap_or(Value::Num(0.0)))
}
