//! What a language is, in a table: for `tdc check`, for machines, and for the gallery page.
//!
//! In: a compiled language. Out: [`Summary`], which serializes with stable keys. Afterwards
//! everything in it is text and numbers, without ids.

use serde::Serialize;

use super::count::counts;
use super::ebnf::{part_source, production_parts};
use crate::Compiled;
use crate::grammar::ir::{
    Canvas, CanvasMode, Goal, Grammar, Kernel, MutateSpec, NodeChoice, Observe, ObserveModel,
    Procedure, SampleSpec, SizeMetric,
};

/// A language in a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Its name.
    pub language: String,
    /// The file's documentation.
    pub docs: String,
    /// The start sort.
    pub start: String,
    /// `128 x 128 ink`; `null` when programs draw nothing.
    pub canvas: Option<String>,
    /// `iou >= 0.99`
    pub goal: Option<String>,
    /// `size 2..=8`
    pub sample: String,
    /// `small 2 by size`
    pub mutate: String,
    /// What size means: `primitives`, `nodes`, `depth`.
    pub size: &'static str,
    /// `hand_drawn(jitter: 0.2..=0.2)`
    pub observe: Option<String>,
    /// Sorts, in the order of the file.
    pub sorts: Vec<SortRow>,
    /// Tokens, in the order of the file.
    pub tokens: Vec<TokenRow>,
    /// Number of programs of each size of the sample window; empty when it is not known.
    pub programs: Vec<SizeRow>,
    /// Names of rewrite rules.
    pub rewrites: Vec<String>,
    /// Examples.
    pub examples: Vec<ExampleRow>,
}

/// A sort.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SortRow {
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub docs: String,
    /// Its productions.
    pub productions: Vec<ProductionRow>,
}

/// A production.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProductionRow {
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub docs: String,
    /// Whether it counts as a primitive.
    pub primitive: bool,
    /// What `@cost` says, where it is not what primitives and others cost anyway.
    pub cost: Option<u32>,
    /// Its weight.
    pub weight: f64,
    /// Its concrete syntax, as the file writes it.
    pub syntax: String,
}

/// A token.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TokenRow {
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub docs: String,
    /// Number of values; `null` for texts.
    pub values: Option<u32>,
    /// Which values, as the file says it.
    pub domain: String,
    /// How a value moves: `uniform`, `normal(0.05)`.
    pub kernel: String,
}

/// Programs of one size.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SizeRow {
    /// The size.
    pub size: u32,
    /// How many there are, texts counted as one; `null` when there is no end of them.
    pub programs: Option<f64>,
}

/// An example.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExampleRow {
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub docs: String,
    /// Its program, as written.
    pub program: String,
}

/// The table of a language.
pub fn summary(compiled: &Compiled) -> Summary {
    let grammar = &compiled.grammar;
    Summary {
        language: grammar.name.clone(),
        docs: grammar.docs.clone(),
        start: grammar.nonterminal_name(grammar.start),
        canvas: grammar.canvas.as_ref().map(canvas_text),
        goal: grammar.goal.as_ref().map(goal_text),
        sample: sample_text(&grammar.sample),
        mutate: mutate_text(grammar.mutate),
        size: match grammar.size {
            SizeMetric::Primitives => "primitives",
            SizeMetric::Nodes => "nodes",
            SizeMetric::Depth => "depth",
        },
        observe: grammar.observe.as_ref().map(observe_text),
        sorts: sorts(grammar),
        tokens: tokens(grammar),
        programs: counts(grammar)
            .into_iter()
            .map(|(size, programs)| SizeRow {
                size,
                programs: programs.is_finite().then_some(programs),
            })
            .collect(),
        rewrites: grammar.rewrites.iter().map(|r| r.name.clone()).collect(),
        examples: grammar
            .examples
            .iter()
            .map(|(name, example)| ExampleRow {
                name: name.clone(),
                docs: example.docs.clone(),
                program: example.program.text.clone(),
            })
            .collect(),
    }
}

fn sorts(grammar: &Grammar) -> Vec<SortRow> {
    let rows = grammar.sorts.iter().map(|sort| SortRow {
        name: sort.name.clone(),
        docs: sort.docs.clone(),
        productions: sort
            .productions
            .iter()
            .map(|id| {
                let production = grammar.production(*id);
                let parts = production_parts(grammar, *id);
                let texts: Vec<String> = parts.iter().map(part_source).collect();
                ProductionRow {
                    name: production.name.clone(),
                    docs: production.docs.clone(),
                    primitive: production.primitive,
                    cost: (production.price != u32::from(production.primitive))
                        .then_some(production.price),
                    weight: production.weight,
                    syntax: texts.join(" "),
                }
            })
            .collect(),
    });
    rows.collect()
}

fn tokens(grammar: &Grammar) -> Vec<TokenRow> {
    let rows = grammar.tokens.iter().map(|token| TokenRow {
        name: token.name.clone(),
        docs: token.docs.clone(),
        values: token.domain.count(),
        domain: token.domain.text(),
        kernel: match token.kernel {
            Kernel::Uniform => "uniform".into(),
            Kernel::Normal(deviation) => format!("normal({deviation})"),
        },
    });
    rows.collect()
}

/// `128 x 128 rgb on #ffffff, centred`
pub fn canvas_text(canvas: &Canvas) -> String {
    let mode = match canvas.mode {
        CanvasMode::Ink => "ink".to_owned(),
        CanvasMode::Rgb {
            background: [r, g, b],
        } => format!("rgb on #{r:02x}{g:02x}{b:02x}"),
    };
    let centred = if canvas.centred { ", centred" } else { "" };
    format!("{} x {} {mode}{centred}", canvas.width, canvas.height)
}

/// `iou >= 0.99`
pub fn goal_text(goal: &Goal) -> String {
    match goal {
        Goal::Iou(least) => format!("iou >= {least}"),
        Goal::Pixels { within, share } => format!("pixels within {within} share {share}"),
    }
}

fn sample_text(sample: &SampleSpec) -> String {
    let procedure = match sample.procedure {
        Procedure::Exact => "",
        Procedure::Frontier => "frontier ",
    };
    let by = if sample.by_weight { " by weight" } else { "" };
    format!("{procedure}size {}..={}{by}", sample.min, sample.max)
}

fn mutate_text(mutate: MutateSpec) -> String {
    let by = match mutate.choice {
        NodeChoice::Size => "size",
        NodeChoice::Rule => "rule",
        NodeChoice::Node => "node",
    };
    format!("small {} by {by}", mutate.small)
}

fn observe_text(observe: &Observe) -> String {
    let model = match observe.model {
        ObserveModel::HandDrawn => "hand_drawn",
    };
    let settings: Vec<String> = observe
        .settings
        .iter()
        .map(|(name, (lo, hi))| {
            if lo == hi {
                format!("{name}: {lo}")
            } else {
                format!("{name}: {lo}..={hi}")
            }
        })
        .collect();
    format!("{model}({})", settings.join(", "))
}
