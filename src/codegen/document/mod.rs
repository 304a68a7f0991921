//! The IR as a document for other programs: the whole language as JSON.
//!
//! In: a compiled language. Out: [`Document`], which serializes to what `tdc compile --emit ir`
//! writes and [`SCHEMA`] describes. Afterwards every id has its name beside it, every enumeration
//! is tagged by a field, and the order is that of the grammar file, so the same grammar gives the
//! same bytes.
//!
//! These types are not those of [`crate::grammar::ir`], on purpose: the compiler's own types may
//! change with any release, a published format may not. [`VERSION`] rises when a field goes or
//! changes its meaning; new fields may come at any time, so readers skip what they do not know.
//!
//! The schema is made from these types and their documentation by the tests, and is not needed
//! to build.

mod build;
mod expr;
mod rules;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::build::document;
pub use self::expr::{Arm, Body, Case, Expr, ExprKind, Function, Value};
pub use self::rules::{Equation, Metavariable, Pattern, PatternNode, Rewrite, Stands};
use crate::grammar::expr::Builtin;
use crate::grammar::ir::{NodeChoice, ObserveModel, Procedure, SizeMetric};

/// The version of the format that this release writes.
pub const VERSION: u32 = 1;

/// What [`Document::format`] says.
pub const FORMAT: &str = "tdc-ir";

/// The JSON Schema (draft 2020-12) of a [`Document`].
pub const SCHEMA: &str = include_str!("../../../book/src/ir.schema.json");

/// A language: its syntax, its distribution, its pictures, its rules.
///
/// A program is a tree of nodes. A node's kind is a production; what may stand at a place is a
/// nonterminal, which lists its productions. Ids count from 0 and are places in the lists of this
/// document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Document {
    /// Tells this format from others: always `tdc-ir`.
    #[cfg_attr(test, schemars(extend("const" = FORMAT)))]
    pub format: String,
    /// The version of the format. It rises when a field goes or changes its meaning; fields that
    /// a reader does not know are to be skipped.
    #[cfg_attr(test, schemars(extend("const" = VERSION)))]
    pub version: u32,
    /// The program that wrote this, with its version.
    pub generator: String,
    /// The language's name.
    pub name: String,
    /// Its documentation: Markdown, possibly empty, as everywhere in this document.
    pub docs: String,
    /// The nonterminal of whole programs.
    pub start: Ref,
    /// The picture's size and kind; `null` when programs draw nothing.
    pub canvas: Option<Canvas>,
    /// When a picture counts as matched.
    pub goal: Option<Goal>,
    /// How programs are sampled.
    pub sample: Sample,
    /// How programs are mutated.
    pub mutate: Mutate,
    /// What the size of a program is.
    pub size: SizeMetric,
    /// What a solver sees instead of the picture.
    pub observe: Option<Observe>,
    /// Tokens: the leaves that carry a value.
    pub tokens: Vec<Token>,
    /// Sorts: what a grammar file declares as one kind of thing.
    pub sorts: Vec<Sort>,
    /// Productions: those of sorts in the order of the file, then one per token, then those of
    /// lists and options.
    pub productions: Vec<Production>,
    /// Nonterminals: what may stand at a place of a program.
    pub nonterminals: Vec<Nonterminal>,
    /// The quoted words, each once.
    pub literals: Vec<String>,
    /// Functions of the draw language, callees before callers.
    pub functions: Vec<Function>,
    /// Rewrite rules.
    pub rewrites: Vec<Rewrite>,
    /// Example programs.
    pub examples: Vec<Example>,
}

/// An id with its name, for those who read along.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Ref {
    /// Place in the list of what it names.
    pub id: u32,
    /// Its name there.
    pub name: String,
}

/// The picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Canvas {
    /// Pixels across.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub width: u32,
    /// Pixels down.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub height: u32,
    /// Red, green and blue of the background; `null` when a pixel holds ink only (its coverage,
    /// one channel).
    pub background: Option<[u8; 3]>,
    /// Whether the finished drawing is moved to the middle, by whole pixels.
    pub centred: bool,
}

/// When a picture counts as matched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(test, derive(JsonSchema))]
pub enum Goal {
    /// Intersection over union of the ink at threshold 0.5.
    Iou {
        /// Least value that counts.
        #[cfg_attr(test, schemars(range(min = 0, max = 1)))]
        least: f64,
    },
    /// Share of pixels that agree in every channel.
    Pixels {
        /// Greatest difference of a channel that still agrees, of 1.
        #[cfg_attr(test, schemars(range(min = 0, max = 1)))]
        within: f64,
        /// Least share of pixels that counts.
        #[cfg_attr(test, schemars(range(min = 0, max = 1)))]
        share: f64,
    },
}

/// How programs are sampled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Sample {
    /// The procedure.
    pub procedure: Procedure,
    /// Least size.
    pub min: u32,
    /// Greatest size.
    pub max: u32,
    /// Whether the size is drawn by weight rather than uniformly.
    pub by_weight: bool,
}

/// How programs are mutated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Mutate {
    /// Greatest size of what is replaced and of its replacement.
    pub small: u32,
    /// How the node is chosen.
    pub choice: NodeChoice,
}

/// An observation model with its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Observe {
    /// Which model.
    pub model: ObserveModel,
    /// Its settings by name: the least and the greatest value of a draw.
    pub settings: BTreeMap<String, (f64, f64)>,
}

/// A token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Token {
    /// Its place in this list.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub docs: String,
    /// Its values.
    pub domain: Domain,
    /// Number of values; `null` for texts. Values are counted from 0 in the order of the domain.
    pub count: Option<u32>,
    /// How a value moves when it is mutated.
    pub kernel: Kernel,
    /// Its production.
    pub production: Ref,
    /// What draw arms see of it.
    #[serde(rename = "type")]
    pub ty: Type,
}

/// A type of the draw language, as a grammar file writes it: `Num`, `Bool`, `Color`, `Point`,
/// `Region`, `Drawing`, `Text`; the name of a token or sort that only `match` looks into; `[T]` for
/// a list, `T?` for an option.
pub type Type = String;

/// The values of a token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(test, derive(JsonSchema))]
pub enum Domain {
    /// Whole numbers `lo, lo + step, ..., hi`, all as likely.
    Int {
        /// Least.
        lo: i64,
        /// Greatest.
        hi: i64,
        /// Distance of neighbours.
        #[cfg_attr(test, schemars(range(min = 1)))]
        step: i64,
    },
    /// Numbers `lo, lo + step, ..., hi`, all as likely.
    Real {
        /// Least.
        lo: f64,
        /// Greatest.
        hi: f64,
        /// Distance of neighbours.
        #[cfg_attr(test, schemars(extend("exclusiveMinimum" = 0)))]
        step: f64,
        /// Places after the point that tell all values apart.
        decimals: u8,
    },
    /// These values, by weight.
    Finite {
        /// The values.
        #[cfg_attr(test, schemars(length(min = 1)))]
        values: Vec<FiniteValue>,
    },
    /// Texts that match a regular expression as a whole.
    Text {
        /// The regular expression, in the syntax of Rust's `regex` crate.
        pattern: String,
        /// Least sampled length in characters; any length is read.
        min_len: u32,
        /// Greatest sampled length in characters.
        max_len: u32,
    },
}

/// A value of a finite token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct FiniteValue {
    /// How it is written.
    pub text: String,
    /// Its place among the literals.
    pub literal: u32,
    /// Its weight.
    #[cfg_attr(test, schemars(extend("exclusiveMinimum" = 0)))]
    pub weight: f64,
    /// What draw arms see; `null` when only `match` looks into the token.
    pub value: Option<Value>,
}

/// How a token's value moves when it is mutated. The outcome always differs from the start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(test, derive(JsonSchema))]
pub enum Kernel {
    /// Drawn afresh.
    Uniform,
    /// A step from a normal distribution, rounded to the grid and kept in range by folding back.
    Normal {
        /// Standard deviation in the token's own units.
        #[cfg_attr(test, schemars(extend("exclusiveMinimum" = 0)))]
        deviation: f64,
    },
}

/// A sort.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Sort {
    /// Its place in this list.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub docs: String,
    /// Its productions, in the order of the file.
    pub productions: Vec<Ref>,
    /// Its nonterminals by binding strength, the loosest first; one unless it has operator tables.
    #[cfg_attr(test, schemars(length(min = 1)))]
    pub levels: Vec<Ref>,
    /// What its draw arms give; `null` when it has none.
    pub draw: Option<Type>,
}

/// A production: a kind of node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Production {
    /// Its place in this list.
    pub id: u32,
    /// Its name; `Nil`, `Cons`, `None`, `Some` for those of lists and options.
    pub name: String,
    /// Its documentation.
    pub docs: String,
    /// What kind of node it makes.
    #[serde(flatten)]
    pub kind: ProductionKind,
    /// Its children, in order.
    pub children: Vec<Child>,
    /// Its concrete syntax; empty for tokens (a node is written as its value), lists and options.
    pub syntax: Vec<SyntaxItem>,
    /// Its weight when programs are sampled.
    #[cfg_attr(test, schemars(extend("exclusiveMinimum" = 0)))]
    pub weight: f64,
    /// Whether a node counts in the size `primitives`.
    pub primitive: bool,
    /// What a node adds to the first part of a program's cost when it is simplified.
    #[serde(default)]
    pub cost: u32,
    /// Binding strength, 0 the loosest; equal to the number of operator tables of its sort for
    /// productions that are not in one.
    pub level: u8,
    /// What it draws; `null` when its sort does not draw.
    pub draw: Option<Body>,
}

/// What kind of node a production makes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(test, derive(JsonSchema))]
pub enum ProductionKind {
    /// A production of a sort.
    Node {
        /// The sort.
        sort: Ref,
    },
    /// A token's value.
    Token {
        /// The token.
        token: Ref,
    },
    /// The empty list.
    Nil,
    /// An item and the rest of a list.
    Cons,
    /// No item.
    None,
    /// An item.
    Some,
}

/// A child of a production.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Child {
    /// The field's name; `head`, `tail` and `item` in lists and options.
    pub name: String,
    /// What may stand there.
    pub nonterminal: Ref,
}

/// A part of a production's concrete syntax.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(test, derive(JsonSchema))]
pub enum SyntaxItem {
    /// A quoted word.
    Literal {
        /// Its text.
        text: String,
        /// Its place among the literals.
        literal: u32,
    },
    /// A child.
    Child {
        /// Its place among the children.
        child: u32,
        /// Its name.
        name: String,
    },
    /// No space is printed here.
    Glue,
}

/// What may stand at a place of a program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Nonterminal {
    /// Its place in this list.
    pub id: u32,
    /// What people call it: `Shape`, `list of Member`. The binding strengths of a sort share a
    /// name.
    pub name: String,
    /// Where it comes from.
    #[serde(flatten)]
    pub kind: NonterminalKind,
    /// Its productions, in the order of their ids.
    #[cfg_attr(test, schemars(length(min = 1)))]
    pub productions: Vec<Ref>,
}

/// Where a nonterminal comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(test, derive(JsonSchema))]
pub enum NonterminalKind {
    /// A sort's productions of this binding strength or a tighter one.
    Sort {
        /// The sort.
        sort: Ref,
        /// Least binding strength.
        level: u8,
    },
    /// A token.
    Token {
        /// The token.
        token: Ref,
    },
    /// A list: `Nil`, or `Cons` of an item and the rest.
    List {
        /// What it holds.
        item: Ref,
        /// The word between items.
        separator: Option<String>,
        /// Least number of items. The rest of a list is a list with 0.
        #[cfg_attr(test, schemars(range(max = 1)))]
        min: u8,
    },
    /// An option: `None`, or `Some` of an item.
    Optional {
        /// What it may hold.
        item: Ref,
    },
}

/// An example program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Example {
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub docs: String,
    /// The program, as written.
    pub program: String,
}
