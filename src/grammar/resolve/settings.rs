//! Settings: `canvas`, `goal`, `sample`, `mutate`, `size`, `observe`.
//!
//! In: a [`Unit`]. Out: [`Settings`], defaults filled in. Whether they fit each other and the
//! grammar is for `check` to say.

use indexmap::IndexMap;

use super::names::unknown;
use super::numbers::{empty, whole_in, whole_range};
use crate::diag::codes::{E0702, E0705};
use crate::diag::{Diagnostic, Sink};
use crate::grammar::extend::{Decl, Unit};
use crate::grammar::inside::MAX_SIZE;
use crate::grammar::ir::{
    Canvas, CanvasMode, Goal, MutateSpec, NodeChoice, Observe, ObserveModel, Procedure, SampleSpec,
    SizeMetric,
};
use crate::meta::ast::{self, Number};
use crate::source::Span;

/// Greatest side of a canvas in pixels.
const MAX_SIDE: u32 = 4096;

/// Least and greatest.
type Bounds = (f64, f64);

/// The settings of the hand-drawn model, each with its default range and the least and greatest
/// that make sense.
pub(crate) const HAND_DRAWN: &[(&str, Bounds, Bounds)] = &[
    ("jitter", (0.2, 0.2), (0.0, 64.0)),
    ("stroke", (0.05, 0.5), (0.01, 64.0)),
];

/// What a unit sets.
pub(super) struct Settings {
    pub(super) canvas: Option<Canvas>,
    pub(super) goal: Option<Goal>,
    pub(super) sample: SampleSpec,
    /// Without `small N`: sigma_small 2.
    pub(super) mutate: MutateSpec,
    pub(super) size: SizeMetric,
    pub(super) observe: Option<Observe>,
}

/// Resolves the settings. `color` gives a constant colour; `primitives` says whether a
/// production is `@primitive`.
pub(super) fn settings(
    unit: &Unit,
    primitives: bool,
    mut color: impl FnMut(&ast::Expr, &mut Sink) -> Option<[u8; 4]>,
    sink: &mut Sink,
) -> Settings {
    Settings {
        canvas: unit
            .canvas
            .as_ref()
            .and_then(|c| canvas(&c.item, &mut color, sink)),
        goal: unit.goal.as_ref().and_then(|g| goal(&g.item, sink)),
        sample: sample(unit.sample.as_ref(), unit.home(), sink),
        mutate: mutate(unit.mutate.as_ref(), unit.home(), sink),
        size: size(unit.size.as_ref(), primitives, sink),
        observe: unit.observe.as_ref().and_then(|o| observe(&o.item, sink)),
    }
}

fn canvas(
    canvas: &ast::Canvas,
    color: &mut impl FnMut(&ast::Expr, &mut Sink) -> Option<[u8; 4]>,
    sink: &mut Sink,
) -> Option<Canvas> {
    let limits = (1, MAX_SIDE);
    let width = whole_in(&canvas.width, limits, E0702, "a canvas's width", sink);
    let height = whole_in(&canvas.height, limits, E0702, "a canvas's height", sink);
    let mode = match &canvas.rgb {
        None => CanvasMode::Ink,
        Some(None) => CanvasMode::Rgb {
            background: [255; 3],
        },
        Some(Some(expr)) => {
            let [r, g, b, a] = color(expr, sink)?;
            if a != 255 {
                sink.push(Diagnostic::new(
                    E0702,
                    expr.span,
                    "a canvas's background cannot be seen through",
                    "this colour is not opaque",
                ));
            }
            CanvasMode::Rgb {
                background: [r, g, b],
            }
        }
    };
    Some(Canvas {
        width: width?,
        height: height?,
        mode,
        centred: canvas.centred,
    })
}

fn goal(goal: &ast::Goal, sink: &mut Sink) -> Option<Goal> {
    let share = |number: &Number, what: &str, zero: bool, sink: &mut Sink| {
        let fits = number.value <= 1.0 && (number.value > 0.0 || (zero && number.value == 0.0));
        if !fits {
            let range = if zero {
                "from 0 to 1"
            } else {
                "above 0 and at most 1"
            };
            sink.push(Diagnostic::new(
                E0702,
                number.span,
                format!("{what} must be {range}"),
                "",
            ));
        }
        fits.then_some(number.value)
    };
    match goal {
        ast::Goal::Iou(number) => share(number, "the threshold", false, sink).map(Goal::Iou),
        ast::Goal::Pixels {
            within,
            share: part,
        } => {
            let within = share(within, "the greatest difference of a channel", true, sink);
            let part = share(part, "the share of pixels", false, sink);
            Some(Goal::Pixels {
                within: within?,
                share: part?,
            })
        }
    }
}

fn sample(sample: Option<&Decl<ast::Sample>>, home: Span, sink: &mut Sink) -> SampleSpec {
    let mut spec = SampleSpec {
        procedure: Procedure::Exact,
        min: 1,
        max: 8,
        by_weight: false,
        span: sample.map_or(home, |decl| decl.span),
    };
    let Some(Decl { item: sample, .. }) = sample else {
        return spec;
    };
    if let (Some(frontier), Some(by_weight)) = (sample.frontier, sample.by_weight) {
        sink.push(
            Diagnostic::new(
                E0705,
                by_weight,
                "`frontier` knows no weights",
                "cannot go together",
            )
            .label(frontier, "with this")
            .note("the reference's procedure draws the size uniformly and ignores weights"),
        );
    }
    if sample.frontier.is_some() {
        spec.procedure = Procedure::Frontier;
    }
    spec.by_weight = sample.by_weight.is_some();
    if let Some(window) = &sample.window
        && let Some((lo, hi)) = whole_range(window, sink)
    {
        match (u32::try_from(lo), u32::try_from(hi)) {
            (Ok(lo), Ok(hi)) if hi <= MAX_SIZE => (spec.min, spec.max) = (lo, hi),
            _ => sink.push(Diagnostic::new(
                E0702,
                window.span,
                format!("sizes of programs go from 0 to {MAX_SIZE}"),
                "",
            )),
        }
    }
    spec
}

fn mutate(mutate: Option<&Decl<ast::Mutate>>, home: Span, sink: &mut Sink) -> MutateSpec {
    let mut spec = MutateSpec {
        small: 2,
        choice: NodeChoice::Size,
        span: mutate.map_or(home, |decl| decl.span),
    };
    let Some(Decl { item: mutate, .. }) = mutate else {
        return spec;
    };
    if let Some(small) = &mutate.small
        && let Some(small) = whole_in(small, (0, MAX_SIZE), E0702, "`small`", sink)
    {
        spec.small = small;
    }
    if let Some(by) = &mutate.by {
        match by.text.as_str() {
            "size" => spec.choice = NodeChoice::Size,
            "rule" => spec.choice = NodeChoice::Rule,
            "node" => spec.choice = NodeChoice::Node,
            other => sink.push(unknown(
                by,
                format!("mutations do not choose their node by `{other}`"),
                ["size", "rule", "node"],
            )),
        }
    }
    spec
}

fn size(size: Option<&ast::Name>, primitives: bool, sink: &mut Sink) -> SizeMetric {
    let default = if primitives {
        SizeMetric::Primitives
    } else {
        SizeMetric::Nodes
    };
    let Some(name) = size else {
        return default;
    };
    match name.text.as_str() {
        "primitives" => {
            if !primitives {
                sink.push(
                    Diagnostic::new(
                        E0705,
                        name.span,
                        "no production is `@primitive`",
                        "so every program has size 0",
                    )
                    .help("mark the productions that count with `@primitive`, or say `size nodes`"),
                );
            }
            SizeMetric::Primitives
        }
        "nodes" => SizeMetric::Nodes,
        "depth" => SizeMetric::Depth,
        other => {
            sink.push(unknown(
                name,
                format!("size is not measured in `{other}`"),
                ["primitives", "nodes", "depth"],
            ));
            default
        }
    }
}

fn observe(observe: &ast::Observe, sink: &mut Sink) -> Option<Observe> {
    if observe.model.text != "hand_drawn" {
        sink.push(unknown(
            &observe.model,
            format!("there is no observation model `{}`", observe.model.text),
            ["hand_drawn"],
        ));
        return None;
    }
    let mut settings: IndexMap<String, (f64, f64)> = HAND_DRAWN
        .iter()
        .map(|(name, default, _)| ((*name).to_owned(), *default))
        .collect();
    let mut said: IndexMap<&str, &ast::Name> = IndexMap::new();
    for (name, range) in &observe.settings {
        let Some((_, _, (least, greatest))) = HAND_DRAWN.iter().find(|row| row.0 == name.text)
        else {
            let message = format!("`hand_drawn` has no setting `{}`", name.text);
            sink.push(unknown(name, message, HAND_DRAWN.iter().map(|row| row.0)));
            continue;
        };
        if let Some(first) = said.insert(&name.text, name) {
            sink.push(
                Diagnostic::new(
                    crate::diag::codes::E0202,
                    name.span,
                    format!("`{}` is set twice", name.text),
                    "the second time",
                )
                .label(first.span, "the first time"),
            );
        }
        let (lo, hi) = (range.lo.value, range.hi.value);
        if lo > hi {
            sink.push(empty(range, true));
        } else if lo < *least || hi > *greatest {
            sink.push(Diagnostic::new(
                E0702,
                range.span,
                format!("`{}` goes from {least} to {greatest}", name.text),
                "",
            ));
        } else {
            settings.insert(name.text.clone(), (lo, hi));
        }
    }
    Some(Observe {
        model: ObserveModel::HandDrawn,
        settings,
    })
}
