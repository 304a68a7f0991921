//! Checks that need the whole grammar: sorts that never finish or are never reached, weights that
//! choose nothing, settings that do not fit the grammar.
//!
//! In: a resolved [`Grammar`] and its [`GrammarInfo`]. Out: diagnostics. Afterwards, if none is an
//! error, every nonterminal has a finite tree, the smallest program is of practical size, and
//! canvas, goal, observation and drawing fit each other.

use super::expr::Type;
use super::extend::Unit;
use super::ids::{NtId, SortId};
use super::info::{GrammarInfo, INFINITE, components};
use super::ir::{
    CanvasMode, Domain, Goal, Grammar, NonterminalKind, Procedure, Production, ProductionKind,
};
use crate::diag::codes::{E0301, E0316, E0703, E0704, W0302, W0307};
use crate::diag::{Diagnostic, Sink};
use crate::source::Span;

/// Most nodes of the smallest program.
const MAX_SMALLEST: u32 = 100_000;

/// Where the settings of the root unit stand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SettingSpans {
    /// `canvas`.
    pub(crate) canvas: Option<Span>,
    /// `goal`.
    pub(crate) goal: Option<Span>,
    /// `observe`.
    pub(crate) observe: Option<Span>,
    /// The name after `start`.
    pub(crate) start: Option<Span>,
}

impl SettingSpans {
    /// Those of a unit.
    pub(crate) fn of(unit: &Unit) -> SettingSpans {
        SettingSpans {
            canvas: unit.canvas.as_ref().map(|decl| decl.span),
            goal: unit.goal.as_ref().map(|decl| decl.span),
            observe: unit.observe.as_ref().map(|decl| decl.span),
            start: unit.start.as_ref().map(|name| name.span),
        }
    }
}

/// Runs every check.
pub(crate) fn check(grammar: &Grammar, info: &GrammarInfo, at: SettingSpans, sink: &mut Sink) {
    endless(grammar, info, sink);
    unreached(grammar, info, sink);
    weights(grammar, sink);
    pictures(grammar, at, sink);
    let least = info.nonterminal(grammar.start).least.nodes;
    if least != INFINITE && least > MAX_SMALLEST {
        let span = at.start.unwrap_or(grammar.span);
        let about = if least == INFINITE - 1 {
            "more than 4 thousand million".to_owned()
        } else {
            least.to_string()
        };
        sink.push(
            Diagnostic::new(E0316, span, "even the smallest program is too large", "").note(
                format!("it has {about} nodes; at most {MAX_SMALLEST} are allowed"),
            ),
        );
    }
}

/// Sorts whose every tree would be infinite. One diagnostic for each circle of them; sorts that
/// only hold such a sort are not its cause.
fn endless(grammar: &Grammar, info: &GrammarInfo, sink: &mut Sink) {
    let never = |nt: NtId| info.nonterminal(nt).least.nodes == INFINITE;
    let edges: Vec<Vec<NtId>> = grammar
        .nonterminal_ids()
        .map(|nt| {
            let productions = grammar.nonterminal(nt).productions.iter();
            productions
                .flat_map(|id| grammar.production(*id).children.iter().map(|c| c.nt))
                .collect()
        })
        .collect();
    for circle in components(&edges) {
        let inside = |nt: NtId| circle.binary_search(&nt).is_ok();
        // What would finish if everything outside the circle did?
        let mut finishes: Vec<NtId> = Vec::new();
        loop {
            let before = finishes.len();
            for nt in &circle {
                let ends = |production: &Production| {
                    let mut children = production.children.iter();
                    children.all(|c| !inside(c.nt) || finishes.contains(&c.nt))
                };
                let mut productions = grammar.nonterminal(*nt).productions.iter();
                if !finishes.contains(nt) && productions.any(|id| ends(grammar.production(*id))) {
                    finishes.push(*nt);
                }
            }
            if finishes.len() == before {
                break;
            }
        }
        let mut guilty: Vec<SortId> = circle
            .iter()
            .filter(|nt| never(**nt) && !finishes.contains(nt))
            .filter_map(|nt| match grammar.nonterminal(*nt).kind {
                NonterminalKind::Sort { sort, .. } => Some(sort),
                _ => None,
            })
            .collect();
        guilty.sort();
        guilty.dedup();
        report_endless(grammar, info, &guilty, sink);
    }
}

fn report_endless(grammar: &Grammar, info: &GrammarInfo, guilty: &[SortId], sink: &mut Sink) {
    let Some(first) = guilty.first() else {
        return;
    };
    // A sort whose loosest level finishes is fine, whatever its tighter ones do.
    let finishes = |id: SortId| {
        let loosest = grammar.sort(id).levels.first();
        loosest.is_some_and(|nt| info.nonterminal(*nt).least.nodes != INFINITE)
    };
    if guilty.iter().all(|id| finishes(*id)) {
        return;
    }
    let sort = grammar.sort(*first);
    if sort.productions.is_empty() {
        sink.push(
            Diagnostic::new(
                E0301,
                sort.span,
                format!("`{}` has no production", sort.name),
                "nothing can be written here",
            )
            .help("add a production, or remove the sort and the fields that hold it"),
        );
        return;
    }
    let names: Vec<String> = guilty
        .iter()
        .map(|id| format!("`{}`", grammar.sort(*id).name))
        .collect();
    let message = match names.as_slice() {
        [one] => format!("{one} can never finish"),
        more => format!("{} can never finish", more.join(" and ")),
    };
    let mut diagnostic =
        Diagnostic::new(E0301, sort.span, message, "every way to write it goes on");
    let productions = guilty.iter().flat_map(|id| &grammar.sort(*id).productions);
    for id in productions.take(6) {
        let production = grammar.production(*id);
        let needs = production
            .children
            .iter()
            .find(|child| info.nonterminal(child.nt).least.nodes == INFINITE);
        if let Some(child) = needs {
            diagnostic = diagnostic.label(
                production.span,
                format!(
                    "needs `{}`, again {}",
                    child.name,
                    article(&grammar.nonterminal_name(child.nt))
                ),
            );
        }
    }
    sink.push(diagnostic.help(format!(
        "add a production to `{}` that ends, or make a field optional with `?`",
        sort.name
    )));
}

/// The name with `a` or `an` before it.
fn article(name: &str) -> String {
    let vowel = name.starts_with(['a', 'e', 'i', 'o', 'u', 'A', 'E', 'I', 'O', 'U']);
    format!("{} {name}", if vowel { "an" } else { "a" })
}

/// Sorts and tokens of the file itself that no program can hold.
fn unreached(grammar: &Grammar, info: &GrammarInfo, sink: &mut Sink) {
    let mut report = |span: Span, name: &str, reached: bool| {
        if !reached && span.file == grammar.span.file {
            let message = format!("no program can hold `{name}`");
            sink.push(Diagnostic::new(
                W0302,
                span,
                message,
                "not reached from `start`",
            ));
        }
    };
    for (id, nt) in grammar.nonterminal_ids().zip(&grammar.nonterminals) {
        match nt.kind {
            NonterminalKind::Token(token) => {
                let token = grammar.token(token);
                report(token.span, &token.name, info.nonterminal(id).reachable);
            }
            NonterminalKind::Sort { sort, level: 0 } => {
                let sort = grammar.sort(sort);
                let mut levels = sort.levels.iter();
                let reached = levels.any(|nt| info.nonterminal(*nt).reachable);
                report(sort.span, &sort.name, reached);
            }
            _ => {}
        }
    }
}

/// Weights that choose nothing.
fn weights(grammar: &Grammar, sink: &mut Sink) {
    let frontier = grammar.sample.procedure == Procedure::Frontier;
    for production in &grammar.productions {
        let ProductionKind::Node(sort) = production.kind else {
            continue;
        };
        // A weight of 1 is what a production has anyway.
        if production.weight == 1.0 || production.span.file != grammar.span.file {
            continue;
        }
        let sort = grammar.sort(sort);
        let message = format!("the weight of `{}` chooses nothing", production.name);
        if frontier {
            sink.push(
                Diagnostic::new(W0307, production.span, message, "no effect")
                    .note("`sample frontier` is the reference's procedure, which knows no weights"),
            );
        } else if sort.productions.len() == 1 {
            sink.push(
                Diagnostic::new(
                    W0307,
                    production.span,
                    message,
                    format!("the only production of `{}`", sort.name),
                )
                .help(format!(
                    "to make `{}` likelier, weigh the productions that hold it",
                    sort.name
                )),
            );
        }
    }
    for token in &grammar.tokens {
        if let Domain::Finite(values) = &token.domain
            && let [only] = values.as_slice()
            && only.weight != 1.0
            && token.span.file == grammar.span.file
        {
            let message = format!("the weight of \"{}\" chooses nothing", only.text);
            let label = format!("`{}` has no other value", token.name);
            sink.push(Diagnostic::new(W0307, token.span, message, label));
        }
    }
}

/// Canvas, goal, observation and the start sort's drawing fit each other.
fn pictures(grammar: &Grammar, at: SettingSpans, sink: &mut Sink) {
    let goal_at = at.goal.unwrap_or(grammar.span);
    let observe_at = at.observe.unwrap_or(grammar.span);
    let canvas_at = at.canvas.unwrap_or(grammar.span);
    let Some(canvas) = &grammar.canvas else {
        if at.canvas.is_some() {
            // It is there, and what is wrong with it was said.
            return;
        }
        let needs = [
            (grammar.goal.is_some(), goal_at, "goal"),
            (grammar.observe.is_some(), observe_at, "observe"),
        ];
        for (_, span, what) in needs.iter().filter(|need| need.0) {
            let message = format!("`{what}` needs a canvas");
            sink.push(
                Diagnostic::new(E0703, *span, message, "about a picture, and there is none")
                    .help("add for example `canvas 128 x 128 ink`"),
            );
        }
        return;
    };
    let (needed, mode) = match canvas.mode {
        CanvasMode::Ink => (Type::Region, "ink"),
        CanvasMode::Rgb { .. } => (Type::Drawing, "rgb"),
    };
    let shown = if mode == "ink" { "Region" } else { "Drawing" };
    if let NonterminalKind::Sort { sort, .. } = grammar.nonterminal(grammar.start).kind {
        let sort = grammar.sort(sort);
        let place = at.start.unwrap_or(sort.span);
        match &sort.draw {
            Some(Type::Error) => {}
            Some(ty) if *ty == needed => {}
            Some(_) => sink.push(
                Diagnostic::new(
                    E0704,
                    canvas_at,
                    format!(
                        "an `{mode}` canvas shows a `{shown}`, and `{}` draws none",
                        sort.name
                    ),
                    "",
                )
                .label(place, "what a program is")
                .help(format!(
                    "draw `{}` as a `{shown}`, or change the canvas",
                    sort.name
                )),
            ),
            None => sink.push(
                Diagnostic::new(
                    E0704,
                    canvas_at,
                    format!("there is a canvas, and nothing draws `{}`", sort.name),
                    "",
                )
                .label(place, "what a program is")
                .help(format!("add `draw {} -> {shown} {{ ... }}`", sort.name)),
            ),
        }
    }
    if mode == "rgb" && matches!(grammar.goal, Some(Goal::Iou(_))) {
        sink.push(
            Diagnostic::new(E0704, goal_at, "`iou` compares ink", "the canvas is `rgb`")
                .label(canvas_at, "here")
                .help("for colours: `goal pixels within 0.005 share 0.99`"),
        );
    }
    if mode == "rgb" && grammar.observe.is_some() {
        sink.push(
            Diagnostic::new(
                E0704,
                observe_at,
                "`hand_drawn` draws the outline of ink",
                "the canvas is `rgb`",
            )
            .label(canvas_at, "here"),
        );
    }
}
