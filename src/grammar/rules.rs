//! Rewrite rules: both sides read, metavariables typed, computations checked.
//!
//! In: the [`RewriteDef`]s of a [`Grammar`], its [`Syntax`], and what expressions may name. Out:
//! [`Rule`]s. Afterwards both sides are patterns of the rule's sort, every metavariable stands for
//! one sort or token, and whoever applies a rule finds a value for each one.
//!
//! A metavariable may stand in places of different binding strength on the two sides (`?a + ?b`
//! has its right operand bound tighter than its left): a rule applies only where the program found
//! for it fits the place it is put into, which [`PatternNode::Meta`] tells.
//!
//! `where u = ...` gives `?u` a value when it stands on the side that is made; on the side that is
//! matched it is a condition. So a rule that holds both ways may leave metavariables of the left
//! side out on the right, if they are numbers of a computation: from right to left their values are
//! found by trying those of their tokens.

use serde::{Deserialize, Serialize};

use super::expr::{DrawArm, Type};
use super::ids::SortId;
use super::ir::{Domain, Grammar, NonterminalKind, Quote, RewriteDef};
use super::pattern::{self, Names, Pattern, PatternNode, place};
use super::syntax::{Stands, Syntax};
use super::types::{self, Scope};
use crate::diag::codes::{E0802, E0803, E0804, E0805};
use crate::diag::{Diagnostic, Sink};
use crate::meta::ast;
use crate::source::Span;

/// A rewrite rule.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub docs: String,
    /// The whole rule.
    #[serde(skip)]
    pub span: Span,
    /// The sort of both sides.
    pub sort: SortId,
    /// Left side.
    pub left: Pattern,
    /// Right side.
    pub right: Pattern,
    /// Whether it also holds from right to left.
    pub both_ways: bool,
    /// Its metavariables: index i is slot i of the computations.
    pub metas: Vec<Meta>,
    /// Equations, in order: a metavariable and its value, computed from those before it.
    pub lets: Vec<(u16, DrawArm)>,
    /// When it holds.
    pub condition: Option<DrawArm>,
}

/// A metavariable.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Meta {
    /// Its name, without `?`.
    pub name: String,
    /// What it stands for; `None` for a name of `where` that stands on neither side.
    pub stands: Option<Stands>,
    /// Its type in computations.
    pub ty: Type,
}

/// Reads and checks all rules; those with mistakes are reported and left out. Inherited rules that
/// no longer fit the language are left out silently.
pub fn rules(grammar: &Grammar, syntax: &Syntax, scope: &Scope, sink: &mut Sink) -> Vec<Rule> {
    grammar
        .rewrites
        .iter()
        .filter_map(|def| {
            let mut own = Sink::new();
            let rule = rule(grammar, syntax, scope, def, &mut own);
            if def.droppable && rule.is_none() {
                return None;
            }
            sink.append(own);
            rule
        })
        .collect()
}

fn rule(
    grammar: &Grammar,
    syntax: &Syntax,
    scope: &Scope,
    def: &RewriteDef,
    sink: &mut Sink,
) -> Option<Rule> {
    let mut names = Names::default();
    for quote in [&def.left, &def.right] {
        if let Err(error) = pattern::collect(grammar, &quote.text, &mut names) {
            let span = place(quote, error.start, error.end);
            sink.push(Diagnostic::new(E0803, span, error.message, "said here"));
            return None;
        }
    }
    let left = side(grammar, syntax, def, &def.left, &mut names, sink);
    let on_left = names.len();
    // What `where` computes comes before what only the right side has, so that computations
    // see everything they may use in the first slots.
    for (name, _) in &def.lets {
        names.add(&name.text);
    }
    let right = side(grammar, syntax, def, &def.right, &mut names, sink);
    let (left, right) = (left?, right?);
    let metas = metas(grammar, def, &names, [&left, &right], sink)?;
    let lets = computations(grammar, scope, def, &names, on_left, metas, sink)?;
    let rule = Rule {
        name: def.name.clone(),
        docs: def.docs.clone(),
        span: def.span,
        sort: def.sort,
        left,
        right,
        both_ways: def.both_ways,
        metas: lets.metas,
        lets: lets.lets,
        condition: lets.condition,
    };
    bound(grammar, def, &rule, sink).then_some(rule)
}

fn side(
    grammar: &Grammar,
    syntax: &Syntax,
    def: &RewriteDef,
    quote: &Quote,
    names: &mut Names,
    sink: &mut Sink,
) -> Option<Pattern> {
    let sort = grammar.sort(def.sort);
    let nt = *sort.levels.first()?;
    match pattern::read(grammar, syntax, nt, &quote.text, names) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            sink.push(
                Diagnostic::new(
                    E0802,
                    place(quote, error.start, error.end),
                    format!("this is not a pattern of {}: {}", sort.name, error.message),
                    "cannot be read on",
                )
                .label(quote.span, format!("a side of rule `{}`", def.name))
                .help("patterns are programs in which `?name` stands for a sort or a token"),
            );
            None
        }
    }
}

/// What each metavariable stands for, by all its places.
fn metas(
    grammar: &Grammar,
    def: &RewriteDef,
    names: &Names,
    sides: [&Pattern; 2],
    sink: &mut Sink,
) -> Option<Vec<Meta>> {
    let mut stands: Vec<Option<Stands>> = vec![None; names.len()];
    let mut told = vec![false; names.len()];
    let mut sound = true;
    for (pattern, quote) in sides.into_iter().zip([&def.left, &def.right]) {
        for node in &pattern.nodes {
            let PatternNode::Meta(index, nt) = node else {
                continue;
            };
            let here = match grammar.nonterminal(*nt).kind {
                NonterminalKind::Sort { sort, .. } => Stands::Sort(sort),
                NonterminalKind::Token(token) => Stands::Token(token),
                _ => continue,
            };
            let before = &mut stands[usize::from(*index)];
            match before {
                Some(before) if *before != here => {
                    if !std::mem::replace(&mut told[usize::from(*index)], true) {
                        sound = false;
                    } else {
                        continue;
                    }
                    let name = names.name(usize::from(*index));
                    sink.push(
                        Diagnostic::new(
                            E0803,
                            quote.span,
                            format!(
                                "`?{name}` stands for {} and for {}",
                                stand_name(grammar, *before),
                                stand_name(grammar, here)
                            ),
                            "in this pattern",
                        )
                        .help(format!(
                            "take two names, or say which is meant: `?{name}:{}`",
                            stand_name(grammar, here)
                        )),
                    );
                }
                _ => *before = Some(here),
            }
        }
    }
    let meta = |(index, stands): (usize, Option<Stands>)| Meta {
        name: names.name(index).to_string(),
        ty: match stands {
            Some(Stands::Sort(sort)) => Type::Enum(grammar.sort(sort).name.clone()),
            Some(Stands::Token(token)) => grammar.token(token).ty.clone(),
            None => Type::Error,
        },
        stands,
    };
    sound.then(|| stands.into_iter().enumerate().map(meta).collect())
}

fn stand_name(grammar: &Grammar, stands: Stands) -> &str {
    match stands {
        Stands::Sort(sort) => &grammar.sort(sort).name,
        Stands::Token(token) => &grammar.token(token).name,
    }
}

struct Computations {
    metas: Vec<Meta>,
    lets: Vec<(u16, DrawArm)>,
    condition: Option<DrawArm>,
}

/// Types `where` and `if`.
fn computations(
    grammar: &Grammar,
    scope: &Scope,
    def: &RewriteDef,
    names: &Names,
    on_left: usize,
    mut metas: Vec<Meta>,
    sink: &mut Sink,
) -> Option<Computations> {
    let mut sound = true;
    let mut lets: Vec<(u16, DrawArm)> = Vec::new();
    // The first so many have a value: those of the left side, then those computed.
    let mut known = on_left;
    for (name, body) in &def.lets {
        let Some(index) = names.find(&name.text) else {
            continue;
        };
        if lets.iter().any(|(other, _)| usize::from(*other) == index) {
            sound = false;
            sink.push(Diagnostic::new(
                E0805,
                name.span,
                format!("`{}` is computed twice", name.text),
                "here again",
            ));
            continue;
        }
        let fields = fields(&metas[..known]);
        known = known.max(index + 1);
        let Some(arm) = types::check_expr(&fields, body, scope, sink) else {
            sound = false;
            continue;
        };
        let own = &mut metas[index];
        if own.stands.is_none() {
            own.ty = arm.body.ty.clone();
        } else if !fits(&own.ty, &arm.body.ty) {
            sound = false;
            let stands = own.stands.map_or("", |s| stand_name(grammar, s));
            sink.push(
                Diagnostic::new(
                    E0805,
                    body.span,
                    format!(
                        "`{}` is {}, which no {stands} can be",
                        name.text, arm.body.ty
                    ),
                    format!("of type {}", arm.body.ty),
                )
                .note(format!(
                    "`?{}` stands for {stands}, of type {}",
                    name.text, own.ty
                )),
            );
        }
        lets.push((index as u16, arm));
    }
    let mut condition = None;
    if let Some(body) = &def.condition {
        let fields = fields(&metas[..known]);
        match types::check_expr(&fields, body, scope, sink) {
            Some(arm) if fits(&Type::Bool, &arm.body.ty) => condition = Some(arm),
            Some(arm) => {
                sound = false;
                sink.push(Diagnostic::new(
                    E0805,
                    body.span,
                    format!("a condition is true or false, and this is {}", arm.body.ty),
                    format!("of type {}", arm.body.ty),
                ));
            }
            None => sound = false,
        }
    }
    sound.then_some(Computations {
        metas,
        lets,
        condition,
    })
}

/// Names and types in the order of slots.
fn fields(metas: &[Meta]) -> Vec<(String, Type)> {
    let field = |meta: &Meta| (meta.name.clone(), meta.ty.clone());
    metas.iter().map(field).collect()
}

fn fits(wanted: &Type, found: &Type) -> bool {
    wanted == found || *found == Type::Error || *wanted == Type::Error
}

/// Reports metavariables that get no value.
fn bound(grammar: &Grammar, def: &RewriteDef, rule: &Rule, sink: &mut Sink) -> bool {
    let on = |pattern: &Pattern, index: usize| {
        let here =
            |n: &PatternNode| matches!(n, PatternNode::Meta(i, _) if usize::from(*i) == index);
        pattern.nodes.iter().any(here)
    };
    let computed = |index: usize| rule.lets.iter().any(|(i, _)| usize::from(*i) == index);
    let mut sound = true;
    for (index, meta) in rule.metas.iter().enumerate() {
        let (left, right) = (on(&rule.left, index), on(&rule.right, index));
        if right && !left && !computed(index) {
            sound = false;
            sink.push(
                Diagnostic::new(
                    E0804,
                    def.right.span,
                    format!("`?{}` has no value: it is not on the left", meta.name),
                    "used here",
                )
                .label(def.left.span, "what is matched")
                .help(format!("say `where {} = ...`", meta.name)),
            );
        }
        if rule.both_ways && left && !right && !computed(index) && !solvable(grammar, def, meta) {
            sound = false;
            sink.push(
                Diagnostic::new(
                    E0804,
                    def.left.span,
                    format!(
                        "from right to left `?{}` has no value: it is not on the right",
                        meta.name
                    ),
                    "used here",
                )
                .label(def.right.span, "what is matched")
                .help("write `=>` for a rule that holds from left to right only"),
            );
        }
    }
    sound
}

/// Whether the values of a metavariable can be tried: it is a number or one of a few texts, and a
/// computation speaks of it.
fn solvable(grammar: &Grammar, def: &RewriteDef, meta: &Meta) -> bool {
    let Some(Stands::Token(token)) = meta.stands else {
        return false;
    };
    let few = !matches!(grammar.token(token).domain, Domain::Text { .. });
    few && def.lets.iter().any(|(_, body)| mentions(body, &meta.name))
}

/// Whether an expression names something.
fn mentions(body: &ast::Expr, name: &str) -> bool {
    use ast::ExprKind as E;
    let any = |list: &[ast::Expr]| list.iter().any(|e| mentions(e, name));
    match &body.kind {
        E::Name(own) => own == name,
        E::Number(..) | E::Bool(_) | E::Color(_) | E::Str(_) | E::Error => false,
        E::Call(_, args) | E::List(args) => any(args),
        E::Pipe(first, _, args) => mentions(first, name) || any(args),
        E::Member(of, _) | E::Unary(_, of) | E::Paren(of) => mentions(of, name),
        E::Binary(_, a, b) | E::Point(a, b) | E::Let(_, a, b) => {
            mentions(a, name) || mentions(b, name)
        }
        E::If(a, b, c) => mentions(a, name) || mentions(b, name) || mentions(c, name),
        E::Match(of, arms) => {
            mentions(of, name) || arms.iter().any(|arm| mentions(&arm.body, name))
        }
    }
}
