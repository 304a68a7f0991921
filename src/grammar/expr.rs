//! The typed draw language: what `draw` arms and `fn` bodies become.
//!
//! In: `ast::Expr` through `types`. Out: [`Expr`] trees in which every name is a slot or an id
//! and every operation's types are known. Afterwards evaluation cannot fail: division by zero
//! gives 0, and a number that is not finite becomes 0 (LANGUAGE, "draw").

use serde::{Deserialize, Serialize};

use super::ids::{FnId, ProdId};

/// A type of the draw language.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Type {
    /// A number.
    Num,
    /// True or false.
    Bool,
    /// A colour, possibly `none`.
    Color,
    /// A point in pixels.
    Point,
    /// Ink coverage.
    Region,
    /// Painted layers with bounds.
    Drawing,
    /// A finite token without values or a sort without draw arms: only `match` looks into it.
    /// Holds its name.
    Enum(String),
    /// A text token's string: nothing can be drawn from it yet but its length.
    Text,
    /// Values of a repeated field.
    List(Box<Type>),
    /// Value of an optional field.
    Optional(Box<Type>),
    /// A mistake already reported.
    Error,
}

impl std::fmt::Display for Type {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Type::Num => f.write_str("Num"),
            Type::Bool => f.write_str("Bool"),
            Type::Color => f.write_str("Color"),
            Type::Point => f.write_str("Point"),
            Type::Region => f.write_str("Region"),
            Type::Drawing => f.write_str("Drawing"),
            Type::Enum(name) => f.write_str(name),
            Type::Text => f.write_str("Text"),
            Type::List(of) => write!(f, "[{of}]"),
            Type::Optional(of) => write!(f, "{of}?"),
            Type::Error => f.write_str("Any"),
        }
    }
}

/// A constant value, such as a finite token's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// A number, finite.
    Num(f64),
    /// A truth value.
    Bool(bool),
    /// Red, green, blue, alpha; alpha 0 is `none`.
    Color([u8; 4]),
    /// A point.
    Point(f64, f64),
}

impl Value {
    /// Its type.
    pub fn ty(&self) -> Type {
        match self {
            Value::Num(_) => Type::Num,
            Value::Bool(_) => Type::Bool,
            Value::Color(_) => Type::Color,
            Value::Point(..) => Type::Point,
        }
    }
}

/// A function with a body.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FnDef {
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub docs: String,
    /// Parameter types; parameter i is slot i.
    pub params: Vec<Type>,
    /// Result type.
    pub result: Type,
    /// Number of slots, parameters included.
    pub slots: u16,
    /// The body.
    pub body: Expr,
}

/// What a production draws. Child i's value is slot i.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DrawArm {
    /// Number of slots, children included.
    pub slots: u16,
    /// The body.
    pub body: Expr,
}

/// A typed expression.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Expr {
    /// Which.
    pub kind: ExprKind,
    /// Its type.
    pub ty: Type,
}

/// The form of a typed expression.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ExprKind {
    /// A constant.
    Const(Value),
    /// A child's, parameter's or `let`'s value.
    Slot(u16),
    /// A call of a function with a body.
    Call(FnId, Vec<Expr>),
    /// A call of an intrinsic, operators included (`a + b` on regions is `union`).
    Builtin(Builtin, Vec<Expr>),
    /// `if`; only the branch taken is evaluated. Also `and`, `or`.
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `match` on a production or finite value. Arms are exhaustive.
    Match(Box<Expr>, Vec<(Case, Expr)>),
    /// `let`: evaluates the first into the slot, then the second.
    Let(u16, Box<Expr>, Box<Expr>),
    /// A list.
    List(Vec<Expr>),
    /// `a ?? b`
    Else(Box<Expr>, Box<Expr>),
}

/// What an arm of `match` matches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Case {
    /// A node of this production.
    Production(ProdId),
    /// The finite token's value at this index.
    Index(u32),
    /// This number.
    Num(f64),
    /// This truth value.
    Bool(bool),
    /// Anything.
    Any,
}

/// Intrinsics of the draw language, operators included. Lengths are in pixels, angles in degrees,
/// clockwise on screen.
// The standard library gives them names and documentation, `types` their overloads, `scene::eval`
// their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[allow(missing_docs)] // those without a remark are named as what they are
pub enum Builtin {
    // Numbers. Every result that is not finite is 0; x / 0 and x mod 0 are 0.
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
    Neg,
    Abs,
    Min,
    Max,
    Floor,
    Ceil,
    Round,
    Sqrt,
    Sin,
    Cos,
    Tan,
    Atan2,
    // Truth values.
    Not,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    // Points.
    Point,
    PointX,
    PointY,
    // Colours: rgb(r, g, b) of 0..=255, hsl(h degrees, s, l of 0..=1), mix(a, b, t), alpha(c, a).
    Rgb,
    Hsl,
    Mix,
    Alpha,
    // Lists.
    Count,
    Sum,
    // Regions. Shapes are centred at the origin; a length below 0 counts as 0.
    /// `ellipse(rx, ry)`
    Ellipse,
    /// `box(w, h)`
    Box,
    /// `rounded_box(w, h, r)`
    RoundedBox,
    /// `polygon([Point])`, filled by the nonzero rule
    Polygon,
    /// `regular(n, r)`: n corners on a circle of radius r, the first on top; fewer than 3: nothing
    Regular,
    /// `star(n, outer, inner)`: n points, the first on top
    Star,
    /// `segment(a: Point, b: Point, width)`, round ends
    Segment,
    /// `polyline([Point], width)`, round ends and joins
    Polyline,
    /// `empty()`
    Empty,
    /// `everything()`: the whole plane
    Everything,
    Union,
    Difference,
    Intersection,
    /// `union_of([Region])`
    UnionAll,
    // Placement, of regions and of drawings.
    /// `shift(r, dx, dy)`; a drawing moves by whole pixels, as with `place`
    Shift,
    /// `turn(r, degrees)` about the origin
    Turn,
    /// `scale(r, sx, sy)` about the origin
    Scale,
    /// `mirror_x(r)`: x becomes -x
    MirrorX,
    /// `mirror_y(r)`: y becomes -y
    MirrorY,
    // Drawings: layers, painted in order, and bounds used for layout.
    /// `fill(r: Region, c: Color) -> Drawing`; bounds are the region's
    Fill,
    /// `stroke(r: Region, width, c: Color) -> Drawing`: along the outline, half inside; bounds are
    /// the region's, strokes do not change them
    Stroke,
    /// `blank() -> Drawing`: no layers, empty bounds
    Blank,
    /// `over(a, b)`: a painted over b (`b + a`); bounds are their union
    Over,
    /// `stack([Drawing])`: later ones over earlier ones
    Stack,
    /// `beside(a, b, gap)`: b to the right of a, centres level, offset in whole pixels
    Beside,
    /// `above(a, b, gap)`: b below a, centres aligned, offset in whole pixels
    Above,
    /// `nudge(d, dx, dy)`: the layers move by whole pixels, the bounds stay
    Nudge,
    /// `place(d, dx, dy)`: layers and bounds move by whole pixels
    Place,
    /// Width of a drawing's bounds.
    Width,
    /// Height of a drawing's bounds.
    Height,
}
