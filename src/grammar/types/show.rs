//! Types and signatures as diagnostics say them, and the usual ways from one type to another.

use crate::grammar::expr::Type;

use super::scope::{Cases, Function, Scope};

/// `a Num`, `an optional Num`, `a list of Region`, `text`.
pub(super) fn a_type(ty: &Type) -> String {
    match ty {
        Type::List(of) if **of == Type::Error => "an empty list".to_string(),
        Type::List(of) => format!("a list of {of}"),
        Type::Optional(of) => format!("an optional {of}"),
        Type::Text => "a text".to_string(),
        Type::Enum(name) => format!("a choice of `{name}`"),
        other => format!("a {other}"),
    }
}

/// `shift(r: Region, dx: Num, dy: Num) -> Region`
pub(super) fn signature(name: &str, function: &Function) -> String {
    let params: Vec<String> = function
        .params
        .iter()
        .map(|(name, ty)| format!("{name}: {ty}"))
        .collect();
    format!("{name}({}) -> {}", params.join(", "), function.result)
}

/// What to write to get from the type that is there to the one that is wanted.
pub(super) fn way_between(found: &Type, wanted: &Type, scope: &Scope) -> Option<String> {
    Some(match (found, wanted) {
        (Type::Region, Type::Drawing) => {
            "paint it: `fill(region, color)` or `stroke(region, width, color)` of std.paint"
                .to_string()
        }
        (Type::Drawing, Type::Region) => {
            "a painted drawing does not become a region again; build the region first and paint \
             it last"
                .to_string()
        }
        (Type::Optional(of), _) if super::check::fits(of, wanted) => {
            "say what stands in when there is none: `value ?? other`".to_string()
        }
        (Type::Optional(of), _) => return way_between(of, wanted, scope),
        (Type::List(of), Type::Region) if **of == Type::Region => {
            "`union_of(list)` of std.shape joins them".to_string()
        }
        (Type::List(of), Type::Drawing) if **of == Type::Drawing => {
            "`stack(list)` of std.paint paints them one over the other".to_string()
        }
        (Type::List(of), Type::Num) if **of == Type::Num => {
            "`sum(list)` adds them and `count(list)` counts them, both of std.math".to_string()
        }
        (Type::List(_) | Type::Text, Type::Num) => {
            "`count(value)` of std.math gives its length".to_string()
        }
        (_, Type::List(of)) if super::check::fits(found, of) => {
            "put it into a list: `[value]`".to_string()
        }
        (Type::Enum(name), _) => {
            let cases = match scope.cases(name) {
                Some(Cases::Token(texts)) => texts.iter().map(|t| format!("{t:?}")).collect(),
                Some(Cases::Sort(names)) => names.iter().map(|(n, _)| n.clone()).collect(),
                None => Vec::new(),
            };
            let arms: Vec<String> = cases.iter().map(|case| format!("{case} => ...")).collect();
            format!(
                "choose by it: `match value {{ {} }}`",
                shorten(&arms, ", ", 4)
            )
        }
        (Type::Bool, Type::Num) => "write `if value then 1 else 0`".to_string(),
        (Type::Num, Type::Bool) => "compare it: `value > 0`".to_string(),
        (Type::Num, Type::Color) => {
            "a colour is `#rrggbb`, a name such as `orange`, or `rgb(r, g, b)` of std.color"
                .to_string()
        }
        (Type::Num, Type::Point) => "a point is written `(x, y)`".to_string(),
        (Type::Point, Type::Num) => "take one of its numbers: `p.x` or `p.y`".to_string(),
        _ => return None,
    })
}

/// The first few of a list, and how many more there are.
pub(super) fn shorten(items: &[String], separator: &str, most: usize) -> String {
    let shown = items
        .iter()
        .take(most)
        .cloned()
        .collect::<Vec<_>>()
        .join(separator);
    if items.len() > most {
        format!("{shown}{separator}...")
    } else {
        shown
    }
}
