//! Colours as numbers: which colour a pixel can have, for pictures of one bit a pixel and plane.
//!
//! In: a grammar and a target picture. Out: [`Palette`]. Where the grammar's draw code takes colours from
//! tokens and constants only, the palette holds exactly these; where it reckons them, it holds
//! the colours that the target shows most of, and a number for all others, which no target has.

use crate::grammar::expr::{Builtin, Expr, ExprKind, Type, Value};
use crate::grammar::ir::{CanvasMode, Domain, Goal, Grammar};
use crate::render::Picture;

/// Most colours: numbers have eight bits.
const MOST: usize = 256;

/// Most colours of a palette that is read off a picture.
const MOST_SEEN: usize = 63;

/// The colours of bit-plane pictures, each with its number; number 0 is the background.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Palette {
    colors: Vec<[u8; 3]>,
    /// The number of every colour that is none of `colors`; `None` when there are no others.
    pub(super) other: Option<u8>,
    /// How far a painted colour may be from one of a palette that was read off a picture.
    within: u8,
}

impl Palette {
    /// No ink, and ink.
    pub fn ink() -> Palette {
        Palette {
            colors: vec![[255; 3], [0; 3]],
            other: None,
            within: 0,
        }
    }

    /// The palette for programs of a grammar that are compared with `target`.
    pub fn new(grammar: &Grammar, target: &Picture) -> Palette {
        let background = match grammar.canvas.as_ref().map(|canvas| canvas.mode) {
            Some(CanvasMode::Rgb { background }) => background,
            _ => return Palette::ink(),
        };
        if let Some(colors) = paintable(grammar, background) {
            return Palette {
                colors,
                other: None,
                within: 0,
            };
        }
        let within = match grammar.goal {
            Some(Goal::Pixels { within, .. }) => (within * 255.0) as u8,
            _ => 0,
        };
        let colors = shown(target, background);
        Palette {
            other: Some(colors.len() as u8),
            colors,
            within: within.max(8),
        }
    }

    /// Number of colours.
    pub fn len(&self) -> usize {
        self.colors.len() + usize::from(self.other.is_some())
    }

    /// The colours that are known, the background first.
    pub fn colors(&self) -> &[[u8; 3]] {
        &self.colors
    }

    /// Whether it holds every colour that programs can paint, whatever the target.
    pub fn is_whole(&self) -> bool {
        self.other.is_none()
    }

    /// Never: there is always a background.
    pub fn is_empty(&self) -> bool {
        self.colors.is_empty()
    }

    /// Bits that tell the colours apart, 1 to 8.
    pub fn planes(&self) -> usize {
        let most = self.len().saturating_sub(1).max(1);
        most.ilog2() as usize + 1
    }

    /// The colour of a number, as people see it.
    pub(super) fn color(&self, code: u8) -> [u8; 3] {
        // What is none of the target's colours is shown in a colour that stands out.
        *self.colors.get(usize::from(code)).unwrap_or(&[255, 0, 255])
    }

    /// The number of a colour that is painted; what can be seen through is taken as painted on the
    /// background.
    pub(super) fn code_of_paint(&self, [r, g, b, alpha]: [u8; 4]) -> u8 {
        let mut color = [r, g, b];
        if alpha < 255 {
            let (alpha, under) = (u32::from(alpha), self.colors[0]);
            for (top, under) in color.iter_mut().zip(under) {
                let sum = u32::from(*top) * alpha + u32::from(under) * (255 - alpha);
                *top = ((sum + 127) / 255) as u8;
            }
        }
        let (code, far) = self.nearest(color, |_| true);
        match self.other {
            Some(other) if far > self.within => other,
            _ => code,
        }
    }

    /// The nearest of some colours, and its greatest distance in a channel.
    pub(super) fn nearest(&self, color: [u8; 3], among: impl Fn(u8) -> bool) -> (u8, u8) {
        let mut best = (0, u32::MAX, u8::MAX);
        for (code, known) in self.colors.iter().enumerate() {
            if !among(code as u8) {
                continue;
            }
            let apart = [0, 1, 2].map(|i| color[i].abs_diff(known[i]));
            let far: u32 = apart.iter().map(|d| u32::from(*d) * u32::from(*d)).sum();
            if far < best.1 {
                best = (code, far, apart.into_iter().max().unwrap_or(0));
            }
        }
        (best.0 as u8, best.2)
    }
}

/// All colours that draw code can paint, the background first; `None` when it reckons colours, or
/// there are too many.
fn paintable(grammar: &Grammar, background: [u8; 3]) -> Option<Vec<[u8; 3]>> {
    let mut colors = vec![background];
    let mut add = |[r, g, b, alpha]: [u8; 4]| match alpha {
        0 => true,
        255 => {
            if !colors.contains(&[r, g, b]) {
                colors.push([r, g, b]);
            }
            colors.len() <= MOST
        }
        _ => false,
    };
    for token in grammar.tokens.iter().filter(|t| t.ty == Type::Color) {
        if let Domain::Finite(all) = &token.domain {
            for value in all {
                if let Some(Value::Color(color)) = value.value
                    && !add(color)
                {
                    return None;
                }
            }
        }
    }
    // Functions may be called from any arm: all that an arm reaches are looked through once.
    let mut seen = vec![false; grammar.fns.len()];
    let mut pending: Vec<&Expr> = grammar
        .productions
        .iter()
        .filter_map(|production| production.draw.as_ref())
        .map(|arm| &arm.body)
        .collect();
    while let Some(expr) = pending.pop() {
        match &expr.kind {
            ExprKind::Const(Value::Color(color)) => {
                if !add(*color) {
                    return None;
                }
            }
            ExprKind::Const(_) | ExprKind::Slot(_) => {}
            ExprKind::Call(id, args) => {
                pending.extend(args);
                if let Some(seen) = seen.get_mut(id.index())
                    && !std::mem::replace(seen, true)
                {
                    pending.push(&grammar.function(*id).body);
                }
            }
            ExprKind::Builtin(builtin, args) => {
                if matches!(
                    builtin,
                    Builtin::Rgb | Builtin::Hsl | Builtin::Mix | Builtin::Alpha
                ) {
                    return None;
                }
                pending.extend(args);
            }
            ExprKind::If(a, b, c) => pending.extend([&**a, &**b, &**c]),
            ExprKind::Match(on, arms) => {
                pending.push(on);
                pending.extend(arms.iter().map(|(_, body)| body));
            }
            ExprKind::Let(_, value, body) => pending.extend([&**value, &**body]),
            ExprKind::List(items) => pending.extend(items),
            ExprKind::Else(a, b) => pending.extend([&**a, &**b]),
        }
    }
    Some(colors)
}

/// The colours that a picture shows most of, the background first.
fn shown(picture: &Picture, background: [u8; 3]) -> Vec<[u8; 3]> {
    let mut all: Vec<[u8; 3]> = picture
        .data
        .chunks_exact(3)
        .map(|p| [p[0], p[1], p[2]])
        .collect();
    let least = (all.len() / 1000).max(4);
    all.sort_unstable();
    let mut counted: Vec<(usize, [u8; 3])> = all
        .chunk_by(|a, b| a == b)
        .filter(|same| same.len() >= least && same[0] != background)
        .map(|same| (same.len(), same[0]))
        .collect();
    counted.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut colors = vec![background];
    colors.extend(counted.iter().take(MOST_SEEN).map(|(_, color)| *color));
    colors
}
