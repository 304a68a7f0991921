//! From syntax tree to text: the formatter.
//!
//! In: a tree of a file without errors. Out: its text. Afterwards the text reads back as the same
//! tree, comments and documentation included, and printing it again gives the same text. Four
//! spaces a level; lines up to 100 columns where they can be broken; `=`, `=>` and comments in
//! columns within a group of lines; at most one empty line between groups. The author's line
//! breaks are kept between productions, operands and rules.

mod expr;
mod sort;
mod writer;

use expr::{behind, expr, flat};
use writer::{STEP, WIDTH, Writer};

use super::ast::{
    Canvas, Domain, Draw, Extends, File, FiniteValue, Fn, Goal, Item, ItemKind, Kernel, Number,
    Observe, Range, Rewrite, Rule, Text, Token, Type, TypeKind, Use, UseWhat,
};
use super::parser::parse;
use super::token::{escape, escape_slashes};
use crate::diag::Sink;

/// The text of a tree. Declarations that could not be read are left out, so a file with errors
/// should not be printed.
pub fn print(file: &File) -> String {
    let mut text = lay_out(file);
    // A comment in an odd place is moved, and so may join or part a group of lines: what is
    // printed is what printing does not change any more.
    for _ in 0..4 {
        let again = lay_out(&parse(file.span.file, &text, &mut Sink::new()));
        if again == text {
            break;
        }
        text = again;
    }
    text
}

fn lay_out(file: &File) -> String {
    let mut w = Writer::new(file);
    for line in &file.docs {
        doc(&mut w, "//!", line, 0);
    }
    if let Some(last) = file.docs.len().checked_sub(1) {
        w.documented(last);
    }
    let mut padding = paddings(&w, &file.items);
    let mut before: Option<&Item> = None;
    for item in &file.items {
        if matches!(item.kind, ItemKind::Error) {
            continue;
        }
        let tall = is_tall(&w, item);
        let after_tall = before.is_some_and(|before| is_tall(&w, before));
        if before.is_some() && (after_tall || (tall && !w.comment_due(item.span.start))) {
            w.blank_next();
        }
        w.begin(item.span.start, item.docs.len(), 0);
        for line in &item.docs {
            doc(&mut w, "///", line, 0);
        }
        print_item(&mut w, item, padding.remove(0));
        w.ended(item.span.end);
        before = Some(item);
    }
    w.finish()
}

fn doc(w: &mut Writer<'_>, mark: &str, line: &str, indent: usize) {
    let space = if line.is_empty() { "" } else { " " };
    w.push(&format!("{mark}{space}{line}"));
    w.newline(indent);
}

/// Whether a declaration is printed as a block of lines.
fn is_tall(w: &Writer<'_>, item: &Item) -> bool {
    match &item.kind {
        ItemKind::Sort(sort) => sort::one_line(w, sort, item.span).is_none(),
        ItemKind::Draw(draw) => !draw.arms.is_empty(),
        ItemKind::Rewrite(rewrite) => !rewrite.rules.is_empty(),
        _ => false,
    }
}

/// Whether an empty line separates two things of the source, the second one documented.
fn apart(w: &Writer<'_>, end: u32, start: u32, docs: usize) -> bool {
    w.line_of(start).saturating_sub(docs) > w.line_of(end.saturating_sub(1)) + 1
}

/// Width of the first words of each readable declaration: equal within a group of settings or
/// tokens on neighbouring lines.
fn paddings(w: &Writer<'_>, items: &[Item]) -> Vec<usize> {
    let items: Vec<&Item> = items
        .iter()
        .filter(|item| !matches!(item.kind, ItemKind::Error))
        .collect();
    let lead = |item: &Item| match &item.kind {
        ItemKind::Start(_) => (1, 5),
        ItemKind::Canvas(_) | ItemKind::Sample(_) | ItemKind::Mutate(_) => (1, 6),
        ItemKind::Goal(_) | ItemKind::Size(_) => (1, 4),
        ItemKind::Token(token) => (2, token.name.text.chars().count()),
        _ => (0, 0),
    };
    let mut widths = Vec::new();
    let groups = items.chunk_by(|a, b| {
        let same = lead(a).0 == lead(b).0 && lead(a).0 != 0;
        same && !apart(w, a.span.end, b.span.start, b.docs.len())
    });
    for group in groups {
        let width = group.iter().map(|item| lead(item).1).max().unwrap_or(0);
        widths.extend(group.iter().map(|_| width));
    }
    widths
}

fn print_item(w: &mut Writer<'_>, item: &Item, pad: usize) {
    let at = item.span.start;
    let end = item.span.end.saturating_sub(1);
    let head = |word: &str| format!("{word:pad$} ");
    match &item.kind {
        ItemKind::Language(name) => setting(w, "language ", &[(&name.text, name.span.start)]),
        ItemKind::Start(name) => setting(w, &head("start"), &[(&name.text, name.span.start)]),
        ItemKind::Size(name) => setting(w, &head("size"), &[(&name.text, name.span.start)]),
        ItemKind::Use(import) => print_use(w, import, end),
        ItemKind::Extends(extends) => print_extends(w, extends),
        ItemKind::Canvas(canvas) => {
            w.push(&head("canvas"));
            print_canvas(w, canvas);
        }
        ItemKind::Goal(goal) => {
            w.push(&head("goal"));
            match goal {
                Goal::Iou(least) => {
                    w.word(&format!("iou >= {}", least.text), least.span.start, STEP)
                }
                Goal::Pixels { within, share } => {
                    let text = format!("pixels within {}", within.text);
                    w.word(&text, within.span.start, STEP);
                    w.word(&format!(" share {}", share.text), share.span.start, STEP);
                }
            }
        }
        ItemKind::Sample(sample) => {
            let mut words = Vec::new();
            let window = sample
                .window
                .as_ref()
                .map(|r| (format!("size {}", range(r)), r.span.start));
            words.extend(
                sample
                    .frontier
                    .map(|span| ("frontier".to_string(), span.start)),
            );
            words.extend(window);
            words.extend(
                sample
                    .by_weight
                    .map(|span| ("by weight".to_string(), span.start)),
            );
            settings(w, &head("sample"), &words);
        }
        ItemKind::Mutate(mutate) => {
            let mut words = Vec::new();
            let small = mutate.small.as_ref();
            words.extend(small.map(|n| (format!("small {}", n.text), n.span.start)));
            words.extend(
                mutate
                    .by
                    .as_ref()
                    .map(|by| (format!("by {}", by.text), by.span.start)),
            );
            settings(w, &head("mutate"), &words);
        }
        ItemKind::Observe(observe) => print_observe(w, observe, end),
        ItemKind::Token(token) => print_token(w, token, pad),
        ItemKind::Sort(sort) => sort::print(w, sort, item.span),
        ItemKind::Draw(draw) => print_draw(w, draw, end),
        ItemKind::Fn(function) => print_fn(w, function),
        ItemKind::Rewrite(rewrite) => print_rewrite(w, rewrite, end),
        ItemKind::Example(example) => {
            w.push(&format!("example {} =", example.name.text));
            w.word(
                &format!(" `{}`", example.program.text),
                example.program.span.start,
                STEP,
            );
            w.ended(example.program.span.end);
        }
        ItemKind::Error => w.word("", at, 0),
    }
}

fn setting(w: &mut Writer<'_>, head: &str, words: &[(&String, u32)]) {
    let words: Vec<_> = words
        .iter()
        .map(|(text, at)| ((*text).clone(), *at))
        .collect();
    settings(w, head, &words);
}

fn settings(w: &mut Writer<'_>, head: &str, words: &[(String, u32)]) {
    w.push(head);
    for (n, (text, at)) in words.iter().enumerate() {
        if n > 0 {
            w.push(" ");
        }
        w.word(text, *at, STEP);
    }
}

/// `inner, inner` on one line or `inner,` on a line each, then the bracket that stood at `end`.
fn bracketed(w: &mut Writer<'_>, all: &[(String, u32)], end: u32, close: &str, tail: usize) {
    let text = all
        .iter()
        .map(|(text, _)| text.as_str())
        .collect::<Vec<_>>()
        .join(", ");
    let start = all.first().map_or(end, |(_, at)| *at);
    let fits = w.column() + text.chars().count() + close.len() + tail <= WIDTH;
    if fits && !w.comment_within(start, end) && !w.comment_due(start) {
        w.push(&text);
    } else {
        for (text, at) in all {
            w.newline(STEP);
            w.word(text, *at, STEP);
            w.push(",");
        }
        w.close(end, 0);
    }
    w.push(close);
}

fn print_use(w: &mut Writer<'_>, import: &Use, end: u32) {
    w.word(
        &format!("use {}", import.path.text),
        import.path.span.start,
        STEP,
    );
    match &import.what {
        UseWhat::Plain => {}
        UseWhat::Module(name) => w.word(&format!(" as {}", name.text), name.span.start, STEP),
        UseWhat::Names(names) => {
            let one = |(name, alias): &(super::ast::Name, Option<super::ast::Name>)| {
                let text = match alias {
                    Some(alias) => format!("{} as {}", name.text, alias.text),
                    None => name.text.clone(),
                };
                (text, name.span.start)
            };
            w.push(".{");
            bracketed(w, &names.iter().map(one).collect::<Vec<_>>(), end, "}", 0);
        }
    }
}

fn print_extends(w: &mut Writer<'_>, extends: &Extends) {
    w.word(
        &format!("extends {}", extends.base.text),
        extends.base.span.start,
        STEP,
    );
    for (n, name) in extends.without.iter().enumerate() {
        let text = match n {
            0 => format!(" without {}", name.text),
            _ => {
                w.push(",");
                format!(" {}", name.text)
            }
        };
        if w.column() + text.len() + 1 > WIDTH {
            w.newline(STEP);
        }
        w.word(&text, name.span.start, STEP);
    }
}

fn print_canvas(w: &mut Writer<'_>, canvas: &Canvas) {
    w.word(&canvas.width.text, canvas.width.span.start, STEP);
    w.word(
        &format!(" x {}", canvas.height.text),
        canvas.height.span.start,
        STEP,
    );
    match &canvas.rgb {
        None => w.push(" ink"),
        Some(None) => w.push(" rgb"),
        Some(Some(background)) => {
            w.push(" rgb on ");
            expr(w, background, STEP, 0);
        }
    }
    if canvas.centred {
        w.push(", centred");
    }
}

fn print_observe(w: &mut Writer<'_>, observe: &Observe, end: u32) {
    w.word(
        &format!("observe {}(", observe.model.text),
        observe.model.span.start,
        STEP,
    );
    let one = |(name, value): &(super::ast::Name, Range)| {
        let value = match value.lo.span == value.hi.span {
            true => value.lo.text.clone(),
            false => range(value),
        };
        (format!("{}: {value}", name.text), name.span.start)
    };
    bracketed(
        w,
        &observe.settings.iter().map(one).collect::<Vec<_>>(),
        end,
        ")",
        0,
    );
}

fn print_token(w: &mut Writer<'_>, token: &Token, pad: usize) {
    w.push(&format!("token {:pad$} =", token.name.text));
    // Further values stand below the first, their bars below the `=`.
    let hang = "token ".len() + pad + 1;
    match &token.domain {
        Domain::Int { range: r, step } => {
            w.word(&format!(" {}", range(r)), r.span.start, STEP);
            if let Some(step) = step {
                w.word(&format!(" step {}", step.text), step.span.start, STEP);
            }
        }
        Domain::Real { range: r, step } => {
            w.word(&format!(" real {}", range(r)), r.span.start, STEP);
            w.word(&format!(" step {}", step.text), step.span.start, STEP);
        }
        Domain::Finite(values) => finite(w, values, hang),
        Domain::Text { pattern, length } => {
            w.word(&format!(" {}", regex(pattern)), pattern.span.start, STEP);
            if let Some(length) = length {
                w.word(
                    &format!(" length {}", range(length)),
                    length.span.start,
                    STEP,
                );
            }
        }
        Domain::Error => {}
    }
    if let Some(kernel) = &token.kernel {
        w.word(
            &format!(" ~ {}", kernel_text(kernel)),
            kernel.name.span.start,
            STEP,
        );
    }
}

fn finite(w: &mut Writer<'_>, values: &[FiniteValue], hang: usize) {
    let mut end = None;
    for value in values {
        let at = value.text.span.start;
        let kept = end.is_some_and(|end| !w.same_line(end, at));
        let mut text = string(&value.text);
        let mut stop = value.text.span.end;
        let comment = value
            .value
            .as_ref()
            .is_some_and(|e| w.comment_within(at, e.span.end));
        if let Some(e) = &value.value {
            stop = e.span.end;
            text += " -> ";
            if !comment {
                text += &flat(e);
            }
        }
        let weight = value.weight.as_ref().map(|weight| {
            stop = weight.span.end + 1;
            format!(" @weight({})", weight.text)
        });
        if !comment {
            text += weight.as_deref().unwrap_or("");
        }
        let bar = end.is_some();
        if kept || (bar && w.column() + 3 + text.chars().count() > WIDTH) {
            w.newline(hang);
        }
        w.word(if bar { " | " } else { " " }, at, hang);
        w.push(&text);
        if let (true, Some(e)) = (comment, &value.value) {
            expr(w, e, hang + STEP, 0);
            w.push(weight.as_deref().unwrap_or(""));
        }
        end = Some(stop.saturating_sub(1));
    }
}

fn print_draw(w: &mut Writer<'_>, draw: &Draw, end: u32) {
    w.push(&format!("draw {} -> ", draw.sort.text));
    w.word(&ty(&draw.ty), draw.ty.span.start, STEP);
    w.push(" {");
    w.opened();
    let groups = draw
        .arms
        .chunk_by(|a, b| !apart(w, a.body.span.end, b.production.span.start, 0))
        .collect::<Vec<_>>();
    for group in groups {
        let length = |name: &str| name.chars().count();
        let width = group
            .iter()
            .map(|arm| length(&arm.production.text))
            .max()
            .unwrap_or(0);
        for arm in group {
            w.begin(arm.production.span.start, 0, STEP);
            w.push(&format!("{:width$} =>", arm.production.text));
            behind(w, &arm.body, STEP, 0);
            w.ended(arm.body.span.end);
        }
    }
    if !draw.arms.is_empty() || w.comment_due(end) {
        w.close(end, 0);
    }
    w.push("}");
}

fn print_fn(w: &mut Writer<'_>, function: &Fn) {
    let head = if function.builtin { "builtin fn" } else { "fn" };
    w.word(
        &format!("{head} {}(", function.name.text),
        function.name.span.start,
        STEP,
    );
    let result = ty(&function.result);
    let one = |(name, of): &(super::ast::Name, Type)| {
        (format!("{}: {}", name.text, ty(of)), name.span.start)
    };
    let params: Vec<_> = function.params.iter().map(one).collect();
    // The bracket stands before the result.
    bracketed(
        w,
        &params,
        function.result.span.start.saturating_sub(1),
        ")",
        result.len() + 6,
    );
    w.word(&format!(" -> {result}"), function.result.span.start, STEP);
    if let Some(body) = &function.body {
        w.push(" =");
        behind(w, body, 0, 0);
    }
}

fn print_rewrite(w: &mut Writer<'_>, rewrite: &Rewrite, end: u32) {
    w.push(&format!("rewrite {} {{", rewrite.sort.text));
    w.opened();
    let groups = rewrite
        .rules
        .chunk_by(|a, b| !apart(w, a.span.end, b.span.start, b.docs.len()))
        .collect::<Vec<_>>();
    for group in groups {
        let width = group
            .iter()
            .map(|rule| rule.name.text.chars().count())
            .max()
            .unwrap_or(0);
        for rule in group {
            w.begin(rule.span.start, rule.docs.len(), STEP);
            for line in &rule.docs {
                doc(w, "///", line, STEP);
            }
            print_rule(w, rule, width);
            w.ended(rule.span.end);
        }
    }
    if !rewrite.rules.is_empty() || w.comment_due(end) {
        w.close(end, 0);
    }
    w.push("}");
}

fn print_rule(w: &mut Writer<'_>, rule: &Rule, width: usize) {
    let arrow = if rule.both_ways { "<=>" } else { "=>" };
    let name = format!("{}:", rule.name.text);
    let mut rest = format!(" {arrow} `{}`", rule.right.text);
    for (n, (name, value)) in rule.lets.iter().enumerate() {
        let word = if n == 0 { " where" } else { "," };
        rest += &format!("{word} {} = {}", name.text, flat(value));
    }
    if let Some(condition) = &rule.condition {
        rest += &format!(" if {}", flat(condition));
    }
    let (start, end) = (rule.span.start, rule.span.end);
    let whole = w.same_line(start, end.saturating_sub(1))
        && !w.comment_within(start, end)
        && STEP + width + 4 + rule.left.text.chars().count() + rest.chars().count() <= WIDTH;
    let (hang, deep) = (2 * STEP, 3 * STEP);
    let width = width + 1;
    w.push(&format!("{name:width$} "));
    w.word(&format!("`{}`", rule.left.text), rule.left.span.start, hang);
    if whole {
        w.push(&rest);
        return;
    }
    w.newline(hang);
    w.word(
        &format!("{arrow} `{}`", rule.right.text),
        rule.right.span.start,
        hang,
    );
    for (n, (name, value)) in rule.lets.iter().enumerate() {
        if n > 0 {
            w.push(",");
        }
        w.newline(if n == 0 { hang } else { deep });
        w.word(if n == 0 { "where " } else { "" }, name.span.start, hang);
        w.push(&format!("{} = ", name.text));
        expr(w, value, deep, 1);
    }
    if let Some(condition) = &rule.condition {
        w.newline(hang);
        w.word("if ", condition.span.start, hang);
        expr(w, condition, deep, 0);
    }
}

fn string(text: &Text) -> String {
    format!("\"{}\"", escape(&text.text))
}

fn regex(text: &Text) -> String {
    format!("/{}/", escape_slashes(&text.text))
}

fn range(r: &Range) -> String {
    let dots = if r.inclusive { "..=" } else { ".." };
    format!("{}{dots}{}", r.lo.text, r.hi.text)
}

fn kernel_text(kernel: &Kernel) -> String {
    let numbers = |all: &[Number]| {
        all.iter()
            .map(|n| n.text.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    match kernel.args.as_slice() {
        [] => kernel.name.text.clone(),
        args => format!("{}({})", kernel.name.text, numbers(args)),
    }
}

fn ty(t: &Type) -> String {
    match &t.kind {
        TypeKind::Name(name) => name.clone(),
        TypeKind::List(of) => format!("[{}]", ty(of)),
        TypeKind::Optional(of) => format!("{}?", ty(of)),
    }
}

#[cfg(test)]
mod tests;
