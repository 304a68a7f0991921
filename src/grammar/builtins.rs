//! The intrinsics by name, with the types they take.
//!
//! In: a name. Out: its overloads. The standard library's `builtin fn` declarations are checked
//! against this table, so a wrong one is found when the library is loaded; operators (`+`, `mod`,
//! `.x`) are not here but in `types::operators`.

use super::colors;
use super::expr::{Builtin, Type, Value};
use super::types::Target;

/// The type of a parameter or a result.
#[derive(Clone, Copy)]
enum T {
    Num,
    Color,
    Point,
    Region,
    Drawing,
    Text,
    Nums,
    Points,
    Regions,
    Drawings,
    Any,
}

impl T {
    fn ty(self) -> Type {
        let list = |of| Type::List(Box::new(of));
        match self {
            T::Num => Type::Num,
            T::Color => Type::Color,
            T::Point => Type::Point,
            T::Region => Type::Region,
            T::Drawing => Type::Drawing,
            T::Text => Type::Text,
            T::Nums => list(Type::Num),
            T::Points => list(Type::Point),
            T::Regions => list(Type::Region),
            T::Drawings => list(Type::Drawing),
            // `Error` fits everything.
            T::Any => list(Type::Error),
        }
    }
}

const TABLE: &[(&str, Builtin, &[T], T)] = {
    use T::{Any, Color, Drawing, Drawings, Num, Nums, Point, Points, Region, Regions, Text};
    &[
        ("abs", Builtin::Abs, &[Num], Num),
        ("min", Builtin::Min, &[Num, Num], Num),
        ("max", Builtin::Max, &[Num, Num], Num),
        ("floor", Builtin::Floor, &[Num], Num),
        ("ceil", Builtin::Ceil, &[Num], Num),
        ("round", Builtin::Round, &[Num], Num),
        ("sqrt", Builtin::Sqrt, &[Num], Num),
        ("sin", Builtin::Sin, &[Num], Num),
        ("cos", Builtin::Cos, &[Num], Num),
        ("tan", Builtin::Tan, &[Num], Num),
        ("atan2", Builtin::Atan2, &[Num, Num], Num),
        ("count", Builtin::Count, &[Any], Num),
        ("count", Builtin::Count, &[Text], Num),
        ("sum", Builtin::Sum, &[Nums], Num),
        ("rgb", Builtin::Rgb, &[Num, Num, Num], Color),
        ("hsl", Builtin::Hsl, &[Num, Num, Num], Color),
        ("mix", Builtin::Mix, &[Color, Color, Num], Color),
        ("alpha", Builtin::Alpha, &[Color, Num], Color),
        ("ellipse", Builtin::Ellipse, &[Num, Num], Region),
        ("box", Builtin::Box, &[Num, Num], Region),
        ("rounded_box", Builtin::RoundedBox, &[Num, Num, Num], Region),
        ("polygon", Builtin::Polygon, &[Points], Region),
        ("regular", Builtin::Regular, &[Num, Num], Region),
        ("star", Builtin::Star, &[Num, Num, Num], Region),
        ("segment", Builtin::Segment, &[Point, Point, Num], Region),
        ("polyline", Builtin::Polyline, &[Points, Num], Region),
        ("empty", Builtin::Empty, &[], Region),
        ("everything", Builtin::Everything, &[], Region),
        ("union_of", Builtin::UnionAll, &[Regions], Region),
        ("shift", Builtin::Shift, &[Region, Num, Num], Region),
        ("shift", Builtin::Shift, &[Drawing, Num, Num], Drawing),
        ("turn", Builtin::Turn, &[Region, Num], Region),
        ("turn", Builtin::Turn, &[Drawing, Num], Drawing),
        ("scale", Builtin::Scale, &[Region, Num, Num], Region),
        ("scale", Builtin::Scale, &[Drawing, Num, Num], Drawing),
        ("mirror_x", Builtin::MirrorX, &[Region], Region),
        ("mirror_x", Builtin::MirrorX, &[Drawing], Drawing),
        ("mirror_y", Builtin::MirrorY, &[Region], Region),
        ("mirror_y", Builtin::MirrorY, &[Drawing], Drawing),
        ("fill", Builtin::Fill, &[Region, Color], Drawing),
        ("stroke", Builtin::Stroke, &[Region, Num, Color], Drawing),
        ("blank", Builtin::Blank, &[], Drawing),
        ("over", Builtin::Over, &[Drawing, Drawing], Drawing),
        ("stack", Builtin::Stack, &[Drawings], Drawing),
        ("beside", Builtin::Beside, &[Drawing, Drawing, Num], Drawing),
        ("above", Builtin::Above, &[Drawing, Drawing, Num], Drawing),
        ("nudge", Builtin::Nudge, &[Drawing, Num, Num], Drawing),
        ("place", Builtin::Place, &[Drawing, Num, Num], Drawing),
        ("width", Builtin::Width, &[Drawing], Num),
        ("height", Builtin::Height, &[Drawing], Num),
    ]
};

/// One way of calling an intrinsic.
pub(super) struct Overload {
    pub(super) params: Vec<Type>,
    pub(super) result: Type,
    pub(super) target: Target,
}

/// The overloads of a name; none when it is not an intrinsic.
pub(super) fn overloads(name: &str) -> Vec<Overload> {
    let mut found: Vec<Overload> = TABLE
        .iter()
        .filter(|(known, ..)| *known == name)
        .map(|(_, builtin, params, result)| Overload {
            params: params.iter().map(|t| t.ty()).collect(),
            result: result.ty(),
            target: Target::Builtin(*builtin),
        })
        .collect();
    let constant = match name {
        "pi" => Some((Type::Num, Value::Num(std::f64::consts::PI))),
        _ => colors::named(name).map(|color| (Type::Color, Value::Color(color))),
    };
    found.extend(constant.map(|(result, value)| Overload {
        params: Vec::new(),
        result,
        target: Target::Const(value),
    }));
    found
}

/// Every name, colours left out.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    TABLE
        .iter()
        .map(|(name, ..)| *name)
        .chain(std::iter::once("pi"))
}
