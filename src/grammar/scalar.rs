//! The meaning of intrinsics on numbers, truth values, points and colours.
//!
//! In: an intrinsic and constant operands. Out: a constant. Afterwards every number is finite:
//! what would not be (a division by zero, the root of a negative number) is 0. Constants are folded
//! and programs are drawn by these same functions, so both agree to the last bit; what the
//! processor's library computes differently from machine to machine comes from `libm`.

use std::f64::consts::PI;

use super::expr::{Builtin, Value};

/// Greatest magnitude of a length, a coordinate or a factor in a scene.
pub const MAX_MAGNITUDE: f64 = 1e6;

/// The number itself, or 0 when it is not finite.
pub fn finite(x: f64) -> f64 {
    // Adding 0 turns -0 into 0.
    if x.is_finite() { x + 0.0 } else { 0.0 }
}

/// The number as geometry takes it: finite, and at most [`MAX_MAGNITUDE`] either way.
pub fn limited(x: f64) -> f64 {
    finite(x).clamp(-MAX_MAGNITUDE, MAX_MAGNITUDE)
}

/// A whole number of pixels: half away from zero. What is within a millionth of a half counts as
/// one, so that sums of fractions round alike in whichever order they were added.
pub fn whole(x: f64) -> i32 {
    const GRID: f64 = (1u64 << 20) as f64;
    // In range: the magnitude is at most 1e6.
    ((limited(x) * GRID).round() / GRID).round() as i32
}

/// Cosine and sine of an angle in degrees, exact at multiples of 90.
pub fn cos_sin(degrees: f64) -> (f64, f64) {
    let turn = finite(degrees).rem_euclid(360.0);
    if turn == 0.0 || turn == 360.0 {
        (1.0, 0.0)
    } else if turn == 90.0 {
        (0.0, 1.0)
    } else if turn == 180.0 {
        (-1.0, 0.0)
    } else if turn == 270.0 {
        (0.0, -1.0)
    } else {
        let radians = turn * (PI / 180.0);
        (libm::cos(radians), libm::sin(radians))
    }
}

/// The intrinsic's value; `None` when it does not take such operands, which typed code never asks.
pub fn apply(builtin: Builtin, args: &[Value]) -> Option<Value> {
    applied(builtin, args, |x| Some(finite(x)))
}

/// [`apply`], but `None` where arithmetic gives no number: a division by zero, the root of a
/// negative number, more than a number can be.
pub fn apply_strictly(builtin: Builtin, args: &[Value]) -> Option<Value> {
    applied(builtin, args, |x| x.is_finite().then_some(x + 0.0))
}

fn applied(builtin: Builtin, args: &[Value], finite: impl Fn(f64) -> Option<f64>) -> Option<Value> {
    use Value::{Bool, Color, Num, Point};
    Some(match (builtin, args) {
        (Builtin::Not, [Bool(a)]) => Bool(!a),
        (Builtin::Eq, [a, b]) => Bool(a == b),
        (Builtin::Ne, [a, b]) => Bool(a != b),
        (Builtin::Lt, [Num(a), Num(b)]) => Bool(a < b),
        (Builtin::Le, [Num(a), Num(b)]) => Bool(a <= b),
        (Builtin::Gt, [Num(a), Num(b)]) => Bool(a > b),
        (Builtin::Ge, [Num(a), Num(b)]) => Bool(a >= b),
        (_, [Num(a)]) => Num(finite(unary(builtin, *a)?)?),
        (Builtin::Point, [Num(x), Num(y)]) => Point(*x, *y),
        (Builtin::PointX, [Point(x, _)]) => Num(*x),
        (Builtin::PointY, [Point(_, y)]) => Num(*y),
        (_, [Num(a), Num(b)]) => Num(finite(binary(builtin, *a, *b)?)?),
        (Builtin::Neg, [Point(x, y)]) => Point(-x, -y),
        (Builtin::Add, [Point(x, y), Point(u, v)]) => Point(finite(x + u)?, finite(y + v)?),
        (Builtin::Sub, [Point(x, y), Point(u, v)]) => Point(finite(x - u)?, finite(y - v)?),
        (Builtin::Mul, [Point(x, y), Num(k)] | [Num(k), Point(x, y)]) => {
            Point(finite(x * k)?, finite(y * k)?)
        }
        (Builtin::Div, [Point(x, y), Num(k)]) => Point(finite(x / k)?, finite(y / k)?),
        (Builtin::Rgb, [Num(r), Num(g), Num(b)]) => Color([byte(*r), byte(*g), byte(*b), 255]),
        (Builtin::Hsl, [Num(h), Num(s), Num(l)]) => Color(hsl(*h, *s, *l)),
        (Builtin::Mix, [Color(a), Color(b), Num(t)]) => Color(mix(*a, *b, *t)),
        (Builtin::Alpha, [Color([r, g, b, a]), Num(k)]) => {
            Color([*r, *g, *b, byte(f64::from(*a) * k.clamp(0.0, 1.0))])
        }
        _ => return None,
    })
}

fn unary(builtin: Builtin, a: f64) -> Option<f64> {
    Some(match builtin {
        Builtin::Neg => -a,
        Builtin::Abs => a.abs(),
        Builtin::Floor => a.floor(),
        Builtin::Ceil => a.ceil(),
        Builtin::Round => a.round(),
        Builtin::Sqrt => a.sqrt(),
        Builtin::Sin => cos_sin(a).1,
        Builtin::Cos => cos_sin(a).0,
        Builtin::Tan => {
            let (cos, sin) = cos_sin(a);
            sin / cos
        }
        _ => return None,
    })
}

fn binary(builtin: Builtin, a: f64, b: f64) -> Option<f64> {
    Some(match builtin {
        Builtin::Add => a + b,
        Builtin::Sub => a - b,
        Builtin::Mul => a * b,
        Builtin::Div => a / b,
        // From 0 to below |b|, also of a negative number: (-90) mod 360 is 270.
        Builtin::Mod => a.rem_euclid(b),
        Builtin::Pow => libm::pow(a, b),
        Builtin::Min => a.min(b),
        Builtin::Max => a.max(b),
        Builtin::Atan2 => libm::atan2(a, b) * (180.0 / PI),
        _ => return None,
    })
}

/// A channel, rounded and kept in range.
fn byte(x: f64) -> u8 {
    x.round().clamp(0.0, 255.0) as u8
}

fn hsl(hue: f64, saturation: f64, lightness: f64) -> [u8; 4] {
    let (s, l) = (saturation.clamp(0.0, 1.0), lightness.clamp(0.0, 1.0));
    let reach = s * l.min(1.0 - l);
    let channel = |n: f64| {
        let k = (n + hue / 30.0).rem_euclid(12.0);
        byte(255.0 * (l - reach * (k - 3.0).min(9.0 - k).clamp(-1.0, 1.0)))
    };
    [channel(0.0), channel(8.0), channel(4.0), 255]
}

/// In proportion, each colour counting as much as it covers: halfway from nothing to red is red
/// at half opacity, not a dark red.
fn mix(a: [u8; 4], b: [u8; 4], t: f64) -> [u8; 4] {
    let t = t.clamp(0.0, 1.0);
    let (cover_a, cover_b) = (f64::from(a[3]) * (1.0 - t), f64::from(b[3]) * t);
    let cover = cover_a + cover_b;
    if cover <= 0.0 {
        return [0; 4];
    }
    let channel = |i: usize| byte((f64::from(a[i]) * cover_a + f64::from(b[i]) * cover_b) / cover);
    [channel(0), channel(1), channel(2), byte(cover)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use Value::{Bool, Color, Num, Point};

    fn num(builtin: Builtin, args: &[f64]) -> f64 {
        let args: Vec<Value> = args.iter().map(|x| Num(*x)).collect();
        match apply(builtin, &args) {
            Some(Num(x)) => x,
            other => panic!("{builtin:?} gave {other:?}"),
        }
    }

    #[test]
    fn what_is_not_finite_is_zero() {
        assert_eq!(num(Builtin::Div, &[1.0, 0.0]), 0.0);
        assert_eq!(num(Builtin::Div, &[0.0, 0.0]), 0.0);
        assert_eq!(num(Builtin::Mod, &[7.0, 0.0]), 0.0);
        assert_eq!(num(Builtin::Sqrt, &[-1.0]), 0.0);
        assert_eq!(num(Builtin::Pow, &[-8.0, 0.5]), 0.0);
        assert_eq!(num(Builtin::Pow, &[10.0, 400.0]), 0.0);
        assert_eq!(num(Builtin::Mul, &[1e300, 1e300]), 0.0);
        assert_eq!(num(Builtin::Tan, &[90.0]), 0.0);
        assert_eq!(
            apply(Builtin::Div, &[Point(1.0, 2.0), Num(0.0)]),
            Some(Point(0.0, 0.0))
        );
        assert_eq!(limited(f64::NAN), 0.0);
        assert_eq!(limited(-1e9), -1e6);
    }

    #[test]
    fn quarter_turns_are_exact() {
        for (degrees, cos, sin) in [
            (0.0, 1.0, 0.0),
            (90.0, 0.0, 1.0),
            (180.0, -1.0, 0.0),
            (-90.0, 0.0, -1.0),
            (3690.0, 0.0, 1.0),
            (f64::INFINITY, 1.0, 0.0),
        ] {
            assert_eq!(cos_sin(degrees), (cos, sin), "{degrees}");
        }
        // A tiny negative angle has remainder 360 exactly, after rounding.
        assert_eq!(cos_sin(-1e-20), (1.0, 0.0));
        assert_eq!(num(Builtin::Atan2, &[1.0, 0.0]), 90.0);
        assert!((num(Builtin::Sin, &[30.0]) - 0.5).abs() < 1e-15);
    }

    #[test]
    fn remainders_are_not_negative() {
        assert_eq!(num(Builtin::Mod, &[-90.0, 360.0]), 270.0);
        assert_eq!(num(Builtin::Mod, &[405.0, 360.0]), 45.0);
    }

    #[test]
    fn whole_pixels_round_halves_away_from_zero() {
        assert_eq!(whole(2.5), 3);
        assert_eq!(whole(-2.5), -3);
        assert_eq!(whole(2.4999999999), 3);
        assert_eq!(whole(2.49), 2);
        assert_eq!(whole(f64::NAN), 0);
        assert_eq!(whole(1e30), 1_000_000);
    }

    #[test]
    fn colours() {
        let hsl = |h, s, l| apply(Builtin::Hsl, &[Num(h), Num(s), Num(l)]);
        assert_eq!(hsl(0.0, 1.0, 0.5), Some(Color([255, 0, 0, 255])));
        assert_eq!(hsl(120.0, 1.0, 0.25), Some(Color([0, 128, 0, 255])));
        assert_eq!(hsl(-120.0, 1.0, 0.5), Some(Color([0, 0, 255, 255])));
        assert_eq!(hsl(77.0, 0.0, 1.0), Some(Color([255, 255, 255, 255])));
        let red = Color([255, 0, 0, 255]);
        let none = Color([0; 4]);
        assert_eq!(
            apply(Builtin::Mix, &[none, red, Num(0.5)]),
            Some(Color([255, 0, 0, 128]))
        );
        assert_eq!(apply(Builtin::Mix, &[none, none, Num(0.5)]), Some(none));
        assert_eq!(
            apply(Builtin::Alpha, &[red, Num(0.5)]),
            Some(Color([255, 0, 0, 128]))
        );
        assert_eq!(
            apply(Builtin::Rgb, &[Num(1e9), Num(-5.0), Num(2.5)]),
            Some(Color([255, 0, 3, 255]))
        );
        assert_eq!(apply(Builtin::Eq, &[red, none]), Some(Bool(false)));
    }
}
