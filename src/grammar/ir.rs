//! The resolved grammar: what every later stage reads.
//!
//! In: `ast::File`s through `resolve`. Out: [`Grammar`]. Afterwards every id is valid, draw
//! code is well-typed, and nothing is looked up by name again.
//!
//! A program is a tree of *nodes*. A node's kind is a [`Production`] ([`ProdId`]); what may stand
//! at a position is a [`Nonterminal`] ([`NtId`]), a list of productions. Every production has a
//! fixed number of children, each with its nonterminal:
//!
//! - a sort's production has its fields as children, in the order they are written;
//! - a token is one production without children whose nodes carry a value;
//! - `X*` is a cons list: `Nil`, or `Cons` of an item and the rest; `X+` is a `Cons` whose rest
//!   is an `X*`; `X?` is `None` or `Some` of an item. These productions are *hidden*: they have no
//!   text of their own;
//! - a sort with operator tables has a nonterminal for each binding strength, so that a program
//!   whose text would need brackets to be read back does not exist. `Sort@k` holds the productions
//!   with `level >= k`; there is no node for passing from one strength to another.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::expr::{DrawArm, FnDef, Type, Value};
use super::ids::{FnId, LiteralId, NtId, ProdId, SortId, TokenId};
use crate::source::Span;

/// A whole language.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Grammar {
    /// Its name.
    pub name: String,
    /// The file's documentation.
    pub docs: String,
    /// Where its `language` line stands.
    #[serde(skip)]
    pub span: Span,
    /// What a program is.
    pub start: NtId,
    /// Its picture, when programs draw.
    pub canvas: Option<Canvas>,
    /// When a picture counts as matched.
    pub goal: Option<Goal>,
    /// How programs are sampled.
    pub sample: SampleSpec,
    /// How programs are mutated.
    pub mutate: MutateSpec,
    /// What size means.
    pub size: SizeMetric,
    /// What the solver sees instead of the picture.
    pub observe: Option<Observe>,
    /// Tokens.
    pub tokens: Vec<Token>,
    /// Sorts.
    pub sorts: Vec<Sort>,
    /// Productions: those of sorts first, in the order of the file, then one per token, then the
    /// hidden ones of lists and options.
    pub productions: Vec<Production>,
    /// Nonterminals.
    pub nonterminals: Vec<Nonterminal>,
    /// Distinct quoted terminals.
    pub literals: Vec<String>,
    /// Functions with a body, callees before callers.
    pub fns: Vec<FnDef>,
    /// Rewrite rules.
    pub rewrites: Vec<RewriteDef>,
    /// Examples, by name.
    pub examples: IndexMap<String, ExampleDef>,
}

impl Grammar {
    /// The production of an id.
    pub fn production(&self, id: ProdId) -> &Production {
        &self.productions[id.index()]
    }

    /// The nonterminal of an id.
    pub fn nonterminal(&self, id: NtId) -> &Nonterminal {
        &self.nonterminals[id.index()]
    }

    /// The token of an id.
    pub fn token(&self, id: TokenId) -> &Token {
        &self.tokens[id.index()]
    }

    /// The sort of an id.
    pub fn sort(&self, id: SortId) -> &Sort {
        &self.sorts[id.index()]
    }

    /// The function of an id.
    pub fn function(&self, id: FnId) -> &FnDef {
        &self.fns[id.index()]
    }

    /// A quoted terminal's text.
    pub fn literal(&self, id: LiteralId) -> &str {
        &self.literals[id.index()]
    }

    /// What users call a nonterminal: `Shape`, `Coord`, `list of Member`, `optional Else`.
    pub fn nonterminal_name(&self, id: NtId) -> String {
        match &self.nonterminal(id).kind {
            NonterminalKind::Sort { sort, .. } => self.sort(*sort).name.clone(),
            NonterminalKind::Token(token) => self.token(*token).name.clone(),
            NonterminalKind::List { item, .. } => {
                format!("list of {}", self.nonterminal_name(*item))
            }
            NonterminalKind::Optional { item } => {
                format!("optional {}", self.nonterminal_name(*item))
            }
        }
    }

    /// Whether nodes of this production carry a text: values of a token that cannot be counted.
    pub fn is_text(&self, id: ProdId) -> bool {
        match self.production(id).kind {
            ProductionKind::Token(token) => self.token(token).domain.count().is_none(),
            _ => false,
        }
    }

    /// All production ids.
    pub fn production_ids(&self) -> impl Iterator<Item = ProdId> + use<> {
        (0..self.productions.len()).map(ProdId::from_index)
    }

    /// All nonterminal ids.
    pub fn nonterminal_ids(&self) -> impl Iterator<Item = NtId> + use<> {
        (0..self.nonterminals.len()).map(NtId::from_index)
    }
}

/// What programs are drawn on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Canvas {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Ink or colours.
    pub mode: CanvasMode,
    /// Whether the finished drawing is centred by its bounds, by whole pixels.
    pub centred: bool,
}

/// What a pixel holds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum CanvasMode {
    /// Coverage, one channel: the start sort draws a `Region`.
    Ink,
    /// Colour over this background: the start sort draws a `Drawing`.
    Rgb {
        /// Red, green, blue.
        background: [u8; 3],
    },
}

/// When a picture counts as matched.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Goal {
    /// Intersection over union of the ink at threshold 0.5 is at least this.
    Iou(f64),
    /// At least `share` of all pixels agree within `within` (of 1) in every channel.
    Pixels {
        /// Greatest difference of a channel.
        within: f64,
        /// Share of pixels.
        share: f64,
    },
}

/// How programs are sampled.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SampleSpec {
    /// The exact sampler, or the reference's procedure.
    pub procedure: Procedure,
    /// Least size.
    pub min: u32,
    /// Greatest size.
    pub max: u32,
    /// Whether the size is drawn by weight rather than uniformly.
    pub by_weight: bool,
    /// Where it is said; the `language` line when it is not.
    #[serde(skip)]
    pub span: Span,
}

/// A sampling procedure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Procedure {
    /// Inside tables: exactly the weighted grammar conditioned on the size.
    Exact,
    /// The released reference's biased frontier expansion.
    Frontier,
}

/// How programs are mutated.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MutateSpec {
    /// sigma_small: greatest size of what is replaced and of its replacement.
    pub small: u32,
    /// How the node is chosen.
    pub choice: NodeChoice,
    /// Where it is said; the `language` line when it is not.
    #[serde(skip)]
    pub span: Span,
}

/// How a mutation chooses its node: `by size`, `by rule` or `by node`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum NodeChoice {
    /// A uniform size class among the candidates, then a uniform node of it.
    Size,
    /// A uniform production among the candidates, then a uniform node of it (appendix A's text).
    Rule,
    /// A uniform candidate (section 3.1).
    Node,
}

/// What size means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum SizeMetric {
    /// Number of nodes whose production is `@primitive`.
    Primitives,
    /// Number of nodes that are not hidden.
    Nodes,
    /// Longest chain of nodes that are not hidden and not tokens.
    Depth,
}

/// An observation model with its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observe {
    /// Which model.
    pub model: ObserveModel,
    /// Its settings, each a range a draw is made from; every one of the model's is here.
    pub settings: IndexMap<String, (f64, f64)>,
}

/// The observation models there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum ObserveModel {
    /// Sketchy outline strokes (appendix C; Wood et al. 2012).
    HandDrawn,
}

/// A token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Token {
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub docs: String,
    /// Where it is declared.
    #[serde(skip)]
    pub span: Span,
    /// Its values.
    pub domain: Domain,
    /// How a value moves when it is mutated.
    pub kernel: Kernel,
    /// Its production.
    pub production: ProdId,
    /// The type draw arms see.
    pub ty: Type,
}

/// The values of a token. A node carries a value as a `u32` index:
/// for `Int` and `Real` the number of steps above `lo`, for `Finite` the position,
/// for `Text` the rank among the program's texts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Domain {
    /// `lo, lo + step, ..., <= hi`, uniformly.
    Int {
        /// Least.
        lo: i64,
        /// Greatest, reached exactly.
        hi: i64,
        /// Distance of neighbours, positive.
        step: i64,
    },
    /// `lo, lo + step, ..., <= hi`, uniformly; a value is printed with `decimals` places at most.
    Real {
        /// Least.
        lo: f64,
        /// Greatest.
        hi: f64,
        /// Resolution, positive.
        step: f64,
        /// Places after the point that tell all values apart.
        decimals: u8,
    },
    /// These values, by weight.
    Finite(Vec<FiniteValue>),
    /// Strings of a regular language: when sampled, the length in characters is uniform among
    /// those of the window that exist, the string uniform among the printable ASCII ones of
    /// that length (and never a quoted terminal of the grammar).
    Text {
        /// The regular expression.
        pattern: String,
        /// Least sampled length in characters.
        min_len: u32,
        /// Greatest sampled length in characters.
        max_len: u32,
    },
}

impl Domain {
    /// Number of values, `None` for texts.
    pub fn count(&self) -> Option<u32> {
        match self {
            Domain::Int { lo, hi, step } => {
                let steps = hi.checked_sub(*lo)?.checked_div(*step)?;
                u32::try_from(steps).ok()?.checked_add(1)
            }
            Domain::Real { lo, hi, step, .. } => {
                // A hundredth of a step forgives that 1 / 0.01 is not exactly 100.
                let steps = ((hi - lo) / step + 0.01).floor();
                (steps >= 0.0 && steps < f64::from(u32::MAX)).then_some(steps as u32 + 1)
            }
            Domain::Finite(values) => u32::try_from(values.len()).ok(),
            Domain::Text { .. } => None,
        }
    }

    /// The values in a few characters, as a `.tdg` file says them: `0..=315 step 45`.
    pub fn text(&self) -> String {
        match self {
            Domain::Int { lo, hi, step: 1 } => format!("{lo}..={hi}"),
            Domain::Int { lo, hi, step } => format!("{lo}..={hi} step {step}"),
            Domain::Real { lo, hi, step, .. } => format!("real {lo}..={hi} step {step}"),
            Domain::Finite(values) => {
                let texts: Vec<String> = values.iter().map(|v| format!("{:?}", v.text)).collect();
                texts.join(" | ")
            }
            Domain::Text {
                pattern,
                min_len,
                max_len,
            } => format!("/{pattern}/ length {min_len}..={max_len}"),
        }
    }

    /// The number at an index of `Int` or `Real`.
    pub fn number(&self, index: u32) -> Option<f64> {
        match self {
            Domain::Int { lo, step, .. } => Some((lo + i64::from(index) * step) as f64),
            Domain::Real {
                lo, step, decimals, ..
            } => {
                let raw = lo + f64::from(index) * step;
                // Rounding to the printed places makes print-then-parse exact.
                let scale = 10f64.powi(i32::from(*decimals));
                Some((raw * scale).round() / scale)
            }
            _ => None,
        }
    }
}

/// A value of a finite token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FiniteValue {
    /// How it is written.
    pub text: String,
    /// The same as a quoted terminal.
    pub literal: LiteralId,
    /// Its weight, positive.
    pub weight: f64,
    /// What draw arms see; `None`: the token is an enumeration, seen by `match` only.
    pub value: Option<Value>,
}

/// How a token's value moves when it is mutated. The outcome always differs from the start.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Kernel {
    /// Drawn afresh from the token's distribution.
    Uniform,
    /// A step from a normal distribution of this standard deviation, in the token's own units,
    /// rounded to the grid and kept in range by folding back.
    Normal(f64),
}

/// A sort.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sort {
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub docs: String,
    /// Where it is declared.
    #[serde(skip)]
    pub span: Span,
    /// Its productions, in the order of the file.
    pub productions: Vec<ProdId>,
    /// Its nonterminals, loosest binding first; one unless it has operator tables.
    pub levels: Vec<NtId>,
    /// What its draw arms give; `None` when it has none (seen by `match` only).
    pub draw: Option<Type>,
}

/// A production: a node kind.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Production {
    /// `Circle`, `Coord`, or `Nil`, `Cons`, `None`, `Some`.
    pub name: String,
    /// Its documentation.
    pub docs: String,
    /// Where it is declared.
    #[serde(skip)]
    pub span: Span,
    /// What kind of node.
    pub kind: ProductionKind,
    /// Its children, in order: names (`head`, `tail`, `item` for hidden ones) and nonterminals.
    pub children: Vec<Child>,
    /// Its concrete syntax; empty for tokens and hidden productions.
    pub syntax: Vec<SyntaxItem>,
    /// Its weight, positive and finite.
    pub weight: f64,
    /// What one node adds to `SizeMetric::Primitives`, 0 or 1.
    pub primitive: bool,
    /// What one node adds to the first part of what a program costs when it is simplified: what
    /// `@cost` says, or 1 for a primitive and 0 for others.
    pub price: u32,
    /// Binding strength, 0 loosest; equal to the number of tables for a plain production.
    pub level: u8,
    /// What it draws, when its sort does.
    pub draw: Option<DrawArm>,
}

impl Production {
    /// Whether the production has no text and is not counted by `SizeMetric::Nodes`.
    pub fn is_hidden(&self) -> bool {
        !matches!(
            self.kind,
            ProductionKind::Node(_) | ProductionKind::Token(_)
        )
    }

    /// What one node adds to the size: to the sum over the subtree, or for `Depth` to the
    /// greatest of its children's. 0 or 1.
    pub fn cost(&self, metric: SizeMetric) -> u32 {
        match metric {
            SizeMetric::Primitives => u32::from(self.primitive),
            SizeMetric::Nodes => u32::from(!self.is_hidden()),
            SizeMetric::Depth => u32::from(matches!(self.kind, ProductionKind::Node(_))),
        }
    }
}

/// What kind of node a production makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProductionKind {
    /// A production of a sort.
    Node(SortId),
    /// A token's value.
    Token(TokenId),
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
pub struct Child {
    /// The field's name.
    pub name: String,
    /// What may stand there.
    pub nt: NtId,
}

/// A part of a production's concrete syntax.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SyntaxItem {
    /// A quoted terminal.
    Literal(LiteralId),
    /// The child of this index; each child occurs once, in order.
    Child(u16),
    /// No space here when printed.
    Glue,
}

/// What may stand at a position.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Nonterminal {
    /// Where it comes from.
    pub kind: NonterminalKind,
    /// Its productions, in the order of their ids.
    pub productions: Vec<ProdId>,
}

/// Where a nonterminal comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum NonterminalKind {
    /// A sort at a binding strength: its productions with `level >=` this.
    Sort {
        /// The sort.
        sort: SortId,
        /// Least binding strength.
        level: u8,
    },
    /// A token.
    Token(TokenId),
    /// A list.
    List {
        /// What it holds.
        item: NtId,
        /// What stands between items.
        separator: Option<LiteralId>,
        /// Least number of items, 0 or 1. The rest of a list is the one with 0.
        min: u8,
    },
    /// An option.
    Optional {
        /// What it may hold.
        item: NtId,
    },
}

/// A rewrite rule; its sides are parsed by the `rewrite` room, which needs the finished grammar.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RewriteDef {
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub docs: String,
    /// The whole rule.
    #[serde(skip)]
    pub span: Span,
    /// The sort of both sides.
    pub sort: SortId,
    /// Left side, as written.
    pub left: Quote,
    /// Right side, as written.
    pub right: Quote,
    /// Whether it also holds from right to left.
    pub both_ways: bool,
    /// `where` computations, unresolved until the metavariables' types are known.
    #[serde(skip)]
    pub lets: Vec<(crate::meta::ast::Name, crate::meta::ast::Expr)>,
    /// `if` condition, likewise.
    #[serde(skip)]
    pub condition: Option<crate::meta::ast::Expr>,
    /// Inherited through an `extends` that removed or replaced something: silently dropped when a
    /// side no longer parses.
    #[serde(skip)]
    pub droppable: bool,
}

/// Program text inside a `.tdg` file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Quote {
    /// The text between the backticks.
    pub text: String,
    /// Where it stands, backticks included.
    #[serde(skip)]
    pub span: Span,
}

/// An example.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExampleDef {
    /// Its documentation.
    pub docs: String,
    /// Its program, as written.
    pub program: Quote,
    /// Inherited through an `extends` that removed or replaced something: silently dropped when
    /// it no longer parses.
    #[serde(skip)]
    pub droppable: bool,
}
