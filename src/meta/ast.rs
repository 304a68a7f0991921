//! The syntax tree of a `.tdg` file, as written: names are unresolved, every part has a span.
//!
//! In: nothing but what the parser saw. Out: [`File`]. Afterwards the tree holds everything
//! the file said, comments included, so that the printer can give it back.
//!
//! Concrete syntax (`,*` = separated by commas, a last one allowed; commas between arms are
//! optional):
//!
//! ```text
//! file       := innerdoc* item*
//! item       := doc* ( language | use | extends | start | canvas | goal | sample | mutate
//!                    | size | observe | token | sort | draw | fn | rewrite | example )
//! language   := "language" NAME
//! use        := "use" path ( "." "{" (NAME ("as" NAME)?),* "}" | "as" NAME )?
//! path       := "std" ("." NAME)+  |  "./" or "../" file path without ".tdg"
//! extends    := "extends" (NAME | path) ("without" NAME,*)?
//! start      := "start" NAME
//! canvas     := "canvas" INT "x" INT ("ink" | "rgb" ("on" expr)?) ("," "centred")?
//! goal       := "goal" ( "iou" ">=" NUM | "pixels" "within" NUM "share" NUM )
//! sample     := "sample" "frontier"? ("size" range)? ("by" "weight")?
//! mutate     := "mutate" ("small" INT)? ("by" ("size" | "rule" | "node"))?
//! size       := "size" ("primitives" | "nodes" | "depth")
//! observe    := "observe" NAME "(" (NAME ":" (range | NUM)),* ")"
//! token      := "token" NAME "=" domain ("~" NAME ("(" NUM,* ")")?)?
//! domain     := range ("step" NUM)?                                integers
//!             | "real" range "step" NUM
//!             | (STRING ("->" expr)? weight?) separated by "|"     finite
//!             | REGEX ("length" range)?                            text, /.../
//! weight     := "@weight" "(" NUM ")"
//! range      := "-"? NUM ("..=" | "..") "-"? NUM
//! sort       := "sort" NAME "{" (production | table)* "}"
//! table      := ("infix" ("left" | "right" | "none") | "prefix" | "postfix") "{" production* "}"
//! cost       := "@cost" "(" INT ")"
//! production := doc* ("@primitive" | weight | cost)* NAME ("=" symbol*)?
//! symbol     := STRING | "~" | NAME ":" NAME (("*" | "+") ("sep" STRING)? weight? | "?")?
//! draw       := "draw" NAME "->" type "{" (NAME "=>" expr ","?)* "}"
//! fn         := "builtin"? "fn" NAME "(" (NAME ":" type),* ")" "->" type ("=" expr)?
//! type       := "Num" | "Bool" | "Color" | "Point" | "Region" | "Drawing" | "[" type "]" | type "?"
//! rewrite    := "rewrite" NAME "{" rule* "}"
//! rule       := doc* NAME ":" QUOTE ("=>" | "<=>") QUOTE ("where" (NAME "=" expr),*)? ("if" expr)?
//! example    := "example" NAME "=" QUOTE
//! expr       := pipe; loosest first:  |>   ??   or   and   == != < <= > >=   + -  &
//!               * / mod   unary - not   ^   call, literal
//!             | "if" expr "then" expr "else" expr
//!             | "match" expr "{" (pattern "=>" expr ","?)* "}"
//!             | "let" NAME "=" expr "in" expr
//! literal    := NUM | "true" | "false" | "#" hex | STRING | NAME | NAME "(" expr,* ")"
//!             | "(" expr ")" | "(" expr "," expr ")" a point | "[" expr,* "]" | expr "." NAME
//! pattern    := NAME | STRING | "-"? NUM | "_"
//! ```
//!
//! `// ...` is a comment, `/// ...` documents the next item, production or rule, `//! ...` the
//! file. STRING is `"..."` with the escapes of JSON; REGEX is `/.../` with `\/` for a slash;
//! QUOTE is `` `...` ``. A NAME starts with a letter or `_`. A table's production may use two
//! operands: in an infix table its symbols are the operator's literals only, and its fields are
//! `left` and `right`; in a prefix table literals then `NAME ":" NAME`; in a postfix table the
//! reverse.

mod expr;

use serde::Serialize;

use crate::source::Span;
pub use expr::{BinaryOp, Expr, ExprKind, MatchArm, Pattern, PatternKind, UnaryOp};

/// A name with its place.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Name {
    /// The text.
    pub text: String,
    /// The place.
    pub span: Span,
}

/// A number with its place. The text is kept, so that printing changes nothing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Number {
    /// As written, `-` included.
    pub text: String,
    /// Its value; finite.
    pub value: f64,
    /// The place.
    pub span: Span,
}

/// A string, quote or regular expression, unescaped, with its place.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Text {
    /// The value: what the delimiters enclose, escapes undone.
    pub text: String,
    /// The place, delimiters included.
    pub span: Span,
}

/// A comment that is not documentation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comment {
    /// Everything after `//`.
    pub text: String,
    /// The place.
    pub span: Span,
    /// Whether nothing stands before it on its line.
    pub own_line: bool,
}

/// A whole file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct File {
    /// Lines of `//!`, without the marker and one space.
    pub docs: Vec<String>,
    /// Everything declared, in order.
    pub items: Vec<Item>,
    /// Plain comments, in order.
    pub comments: Vec<Comment>,
    /// The whole text.
    pub span: Span,
    /// Where each line starts: the printer keeps some of the author's line breaks.
    #[serde(skip)]
    pub lines: Vec<u32>,
}

/// One declaration.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Item {
    /// Lines of `///` before it.
    pub docs: Vec<String>,
    /// What it declares.
    pub kind: ItemKind,
    /// The declaration without its docs.
    pub span: Span,
}

/// What an item declares.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum ItemKind {
    /// `language csg2d`
    Language(Name),
    /// `use std.shape.{disc, box}`
    Use(Use),
    /// `extends tinysvg without Move`
    Extends(Extends),
    /// `start Shape`
    Start(Name),
    /// `canvas 128 x 128 ink`
    Canvas(Canvas),
    /// `goal iou >= 0.99`
    Goal(Goal),
    /// `sample size 2..=8`
    Sample(Sample),
    /// `mutate small 2 by size`
    Mutate(Mutate),
    /// `size nodes`
    Size(Name),
    /// `observe hand_drawn(jitter: 0.2)`
    Observe(Observe),
    /// `token Coord = 0..=15`
    Token(Token),
    /// `sort Shape { ... }`
    Sort(Sort),
    /// `draw Shape -> Region { ... }`
    Draw(Draw),
    /// `fn twice(x: Num) -> Num = 2 * x`
    Fn(Fn),
    /// `rewrite Shape { ... }`
    Rewrite(Rewrite),
    /// ``example donut = `...` ``
    Example(Example),
    /// Something that could not be read; a diagnostic says why.
    Error,
}

/// A module path.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Path {
    /// As written: `std.shape`, `./mine`, or a bare name (only after `extends`).
    pub text: String,
    /// The place.
    pub span: Span,
}

/// `use`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Use {
    /// Which module.
    pub path: Path,
    /// What of it.
    pub what: UseWhat,
}

/// What a `use` brings in.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum UseWhat {
    /// `.{a, b as c}`: these names.
    Names(Vec<(Name, Option<Name>)>),
    /// `as m`: the module, its names reached as `m.name`.
    Module(Name),
    /// Nothing said: the module under its own last name.
    Plain,
}

/// `extends`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Extends {
    /// The language built on.
    pub base: Path,
    /// Productions left out (with their draw arms, rules and examples that need them).
    pub without: Vec<Name>,
}

/// `canvas`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Canvas {
    /// Pixels across.
    pub width: Number,
    /// Pixels down.
    pub height: Number,
    /// `None`: ink. `Some(background)`: rgb.
    pub rgb: Option<Option<Expr>>,
    /// Whether the finished drawing is centred by its bounds.
    pub centred: bool,
}

/// `goal`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Goal {
    /// `iou >= t`
    Iou(Number),
    /// `pixels within e share s`
    Pixels {
        /// Greatest difference of a channel, in 0..=1.
        within: Number,
        /// Share of pixels that must agree.
        share: Number,
    },
}

/// A range of numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Range {
    /// First.
    pub lo: Number,
    /// Last, or one past it.
    pub hi: Number,
    /// `..=` rather than `..`.
    pub inclusive: bool,
    /// The place.
    pub span: Span,
}

/// `sample`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sample {
    /// `frontier` was said.
    pub frontier: Option<Span>,
    /// `size A..=B`.
    pub window: Option<Range>,
    /// `by weight` was said.
    pub by_weight: Option<Span>,
}

/// `mutate`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mutate {
    /// `small N`.
    pub small: Option<Number>,
    /// `by size|rule|node`.
    pub by: Option<Name>,
}

/// `observe`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Observe {
    /// The model's name.
    pub model: Name,
    /// Its settings; a single number is a range of one value.
    pub settings: Vec<(Name, Range)>,
}

/// `token`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Token {
    /// Its name.
    pub name: Name,
    /// Its values.
    pub domain: Domain,
    /// `~ normal(0.05)`.
    pub kernel: Option<Kernel>,
}

/// The values of a token.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Domain {
    /// `0..=315 step 45`
    Int {
        /// Least and greatest.
        range: Range,
        /// Distance of neighbours.
        step: Option<Number>,
    },
    /// `real 0..=1 step 0.01`
    Real {
        /// Least and greatest.
        range: Range,
        /// Resolution.
        step: Number,
    },
    /// `"red" -> red | "none" -> none`
    Finite(Vec<FiniteValue>),
    /// `/[a-z]+/ length 1..=8`
    Text {
        /// The regular expression.
        pattern: Text,
        /// Length in characters when sampled.
        length: Option<Range>,
    },
    /// Could not be read; a diagnostic says why.
    Error,
}

/// A value of a finite token.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FiniteValue {
    /// How it is written.
    pub text: Text,
    /// What draw arms see.
    pub value: Option<Expr>,
    /// Its weight.
    pub weight: Option<Number>,
}

/// How a token's value moves when mutated.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Kernel {
    /// `normal` or `uniform`.
    pub name: Name,
    /// Its numbers.
    pub args: Vec<Number>,
}

/// `sort`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sort {
    /// Its name.
    pub name: Name,
    /// Productions and operator tables, in order.
    pub members: Vec<SortMember>,
}

/// A member of a sort.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum SortMember {
    /// A production.
    Production(Production),
    /// A table of operators that bind equally strongly; later tables bind tighter.
    Table(Table),
}

/// An operator table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Table {
    /// Where operands stand.
    pub fixity: Fixity,
    /// Its operators.
    pub productions: Vec<Production>,
    /// The place.
    pub span: Span,
}

/// Where a table's operands stand, and how infix operators associate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Fixity {
    /// `a - b - c` is `(a - b) - c`.
    InfixLeft,
    /// `a ^ b ^ c` is `a ^ (b ^ c)`.
    InfixRight,
    /// `a < b < c` is a mistake.
    InfixNone,
    /// Before its operand.
    Prefix,
    /// Behind its operand.
    Postfix,
}

/// A production.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Production {
    /// Lines of `///` before it.
    pub docs: Vec<String>,
    /// `@primitive` was said.
    pub primitive: Option<Span>,
    /// `@weight(w)`.
    pub weight: Option<Number>,
    /// `@cost(n)`.
    pub cost: Option<Number>,
    /// Its name.
    pub name: Name,
    /// Its concrete syntax.
    pub symbols: Vec<Symbol>,
    /// Attributes, name and syntax.
    pub span: Span,
}

/// A part of a production's concrete syntax.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Symbol {
    /// A quoted terminal.
    Literal(Text),
    /// `~`: no space here when printed.
    Glue(Span),
    /// A field.
    Field(Field),
}

/// A field of a production.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Field {
    /// Its name.
    pub name: Name,
    /// The sort or token it holds.
    pub of: Name,
    /// Whether it repeats.
    pub repeat: Repeat,
    /// The whole field.
    pub span: Span,
}

/// Whether and how a field repeats.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Repeat {
    /// Exactly one.
    One,
    /// `?`: one or none.
    Optional,
    /// `*` or `+`.
    Many {
        /// Least number, 0 or 1.
        min: u8,
        /// `sep ","`.
        separator: Option<Text>,
        /// `@weight(w)`: the weight of each element beyond the least number.
        weight: Option<Number>,
    },
}

/// `draw`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Draw {
    /// The sort drawn.
    pub sort: Name,
    /// What its arms give.
    pub ty: Type,
    /// One per production.
    pub arms: Vec<DrawArm>,
}

/// An arm of `draw`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DrawArm {
    /// The production.
    pub production: Name,
    /// What it draws; its fields' names are in scope.
    pub body: Expr,
}

/// `fn`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fn {
    /// `builtin` was said: the standard library's name for an intrinsic.
    pub builtin: bool,
    /// Its name.
    pub name: Name,
    /// Parameters.
    pub params: Vec<(Name, Type)>,
    /// Result.
    pub result: Type,
    /// `None` for a builtin.
    pub body: Option<Expr>,
}

/// A type as written.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Type {
    /// Which.
    pub kind: TypeKind,
    /// The place.
    pub span: Span,
}

/// The form of a type.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum TypeKind {
    /// `Num`, `Region`, ...
    Name(String),
    /// `[T]`
    List(Box<Type>),
    /// `T?`
    Optional(Box<Type>),
}

/// `rewrite`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rewrite {
    /// The sort both sides belong to.
    pub sort: Name,
    /// The rules.
    pub rules: Vec<Rule>,
}

/// An equation between programs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rule {
    /// Lines of `///` before it.
    pub docs: Vec<String>,
    /// Its name.
    pub name: Name,
    /// Left side, in the language's own syntax with `?metavariables`.
    pub left: Text,
    /// `<=>` rather than `=>`.
    pub both_ways: bool,
    /// Right side.
    pub right: Text,
    /// `where u = ...`
    pub lets: Vec<(Name, Expr)>,
    /// `if ...`
    pub condition: Option<Expr>,
    /// The whole rule.
    pub span: Span,
}

/// `example`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Example {
    /// Its name.
    pub name: Name,
    /// A program.
    pub program: Text,
}
