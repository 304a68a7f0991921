//! Expressions: on one line where they fit, broken where the author broke them or must be.

use super::writer::{STEP, WIDTH, Writer};
use crate::meta::ast::{BinaryOp, Expr, ExprKind, MatchArm, Name, Pattern, PatternKind, UnaryOp};
use crate::meta::token::escape;

/// On one line.
pub(super) fn flat(e: &Expr) -> String {
    let list = |all: &[Expr]| all.iter().map(flat).collect::<Vec<_>>().join(", ");
    match &e.kind {
        ExprKind::Number(_, text) | ExprKind::Name(text) => text.clone(),
        ExprKind::Bool(value) => value.to_string(),
        ExprKind::Color(channels) => color(*channels),
        ExprKind::Str(text) => format!("\"{}\"", escape(text)),
        ExprKind::Call(name, args) => format!("{}({})", name.text, list(args)),
        ExprKind::Pipe(left, name, args) => {
            format!("{} |> {}({})", flat(left), name.text, list(args))
        }
        ExprKind::Member(of, name) => format!("{}.{}", flat(of), name.text),
        ExprKind::Unary(op, of) => format!("{}{}", prefix(*op), flat(of)),
        ExprKind::Binary(op, a, b) => format!("{} {} {}", flat(a), infix(*op), flat(b)),
        ExprKind::If(c, a, b) => format!("if {} then {} else {}", flat(c), flat(a), flat(b)),
        ExprKind::Match(on, arms) if arms.is_empty() => format!("match {} {{}}", flat(on)),
        ExprKind::Match(on, arms) => {
            let arm = |arm: &MatchArm| format!("{} => {}", pattern(&arm.pattern), flat(&arm.body));
            let arms: Vec<String> = arms.iter().map(arm).collect();
            format!("match {} {{ {} }}", flat(on), arms.join(", "))
        }
        ExprKind::Let(name, a, b) => format!("let {} = {} in {}", name.text, flat(a), flat(b)),
        ExprKind::Point(x, y) => format!("({}, {})", flat(x), flat(y)),
        ExprKind::List(all) => format!("[{}]", list(all)),
        ExprKind::Paren(inner) => format!("({})", flat(inner)),
        ExprKind::Error => String::new(),
    }
}

fn color([r, g, b, a]: [u8; 4]) -> String {
    match a {
        255 => format!("#{r:02x}{g:02x}{b:02x}"),
        _ => format!("#{r:02x}{g:02x}{b:02x}{a:02x}"),
    }
}

fn prefix(op: UnaryOp) -> &'static str {
    match op {
        UnaryOp::Neg => "-",
        UnaryOp::Not => "not ",
    }
}

fn infix(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Else => "??",
        BinaryOp::Or => "or",
        BinaryOp::And => "and",
        BinaryOp::Eq => "==",
        BinaryOp::Ne => "!=",
        BinaryOp::Lt => "<",
        BinaryOp::Le => "<=",
        BinaryOp::Gt => ">",
        BinaryOp::Ge => ">=",
        BinaryOp::Add => "+",
        BinaryOp::Sub => "-",
        BinaryOp::Meet => "&",
        BinaryOp::Mul => "*",
        BinaryOp::Div => "/",
        BinaryOp::Mod => "mod",
        BinaryOp::Pow => "^",
    }
}

pub(super) fn pattern(p: &Pattern) -> String {
    match &p.kind {
        PatternKind::Name(text) | PatternKind::Number(_, text) => text.clone(),
        PatternKind::Str(text) => format!("\"{}\"", escape(text)),
        PatternKind::Any => "_".to_string(),
    }
}

/// Whether the author broke an expression at a place where breaks are kept, or a comment does.
fn broken(w: &Writer<'_>, e: &Expr) -> bool {
    let (start, end) = (e.span.start, e.span.end);
    if w.same_line(start, end.saturating_sub(1)) {
        return false;
    }
    if w.comment_within(start, end) {
        return true;
    }
    let apart = |a: &Expr, b: &Expr| !w.same_line(a.span.end.saturating_sub(1), b.span.start);
    let any = |all: &[Expr]| all.iter().any(|e| broken(w, e));
    let opened = |all: &[Expr]| {
        all.first()
            .is_some_and(|first| !w.same_line(start, first.span.start))
    };
    match &e.kind {
        ExprKind::Match(_, arms) => !arms.is_empty(),
        ExprKind::Binary(_, a, b) => apart(a, b) || broken(w, a) || broken(w, b),
        ExprKind::Pipe(left, name, args) => {
            let split = !w.same_line(left.span.end.saturating_sub(1), name.span.start);
            split || broken(w, left) || any(args)
        }
        ExprKind::Call(_, all) | ExprKind::List(all) => opened(all) || any(all),
        ExprKind::Member(of, _) | ExprKind::Unary(_, of) | ExprKind::Paren(of) => broken(w, of),
        ExprKind::If(c, a, b) => apart(a, b) || broken(w, c) || broken(w, a) || broken(w, b),
        ExprKind::Let(_, a, b) => apart(a, b) || broken(w, a) || broken(w, b),
        ExprKind::Point(a, b) => broken(w, a) || broken(w, b),
        _ => false,
    }
}

fn fits(w: &Writer<'_>, text: &str, from: usize, tail: usize) -> bool {
    let _ = w;
    from + text.chars().count() + tail <= WIDTH
}

/// Writes what stands behind `=` or `=>`, on the same line if it can be. `tail` is the width of
/// what follows on its last line.
pub(super) fn behind(w: &mut Writer<'_>, e: &Expr, indent: usize, tail: usize) {
    let text = flat(e);
    let unbroken = !broken(w, e);
    if unbroken && fits(w, &text, w.column() + 1, tail) {
        w.push(" ");
        w.word(&text, e.span.start, indent + STEP);
    } else if opens(e) && !(unbroken && fits(w, &text, indent + STEP, tail)) {
        w.push(" ");
        expr(w, e, indent, tail);
    } else {
        w.newline(indent + STEP);
        expr(w, e, indent + STEP, tail);
    }
}

/// Whether a broken expression ends its first line with a bracket.
fn opens(e: &Expr) -> bool {
    matches!(
        e.kind,
        ExprKind::Match(..) | ExprKind::Call(..) | ExprKind::List(_)
    )
}

/// Writes an expression at the place reached. Its further lines are indented by `indent`.
pub(super) fn expr(w: &mut Writer<'_>, e: &Expr, indent: usize, tail: usize) {
    let text = flat(e);
    if !broken(w, e) && fits(w, &text, w.column(), tail) {
        w.word(&text, e.span.start, indent);
        return;
    }
    let end = e.span.end.saturating_sub(1);
    match &e.kind {
        ExprKind::Binary(..) | ExprKind::Pipe(..) => chain(w, e, indent, tail),
        ExprKind::Call(name, args) => call(w, name, args, end, indent),
        ExprKind::List(all) => {
            w.word("[", e.span.start, indent);
            listed(w, all, end, indent);
            w.push("]");
        }
        ExprKind::Match(on, arms) => matching(w, e.span.start, on, arms, end, indent),
        ExprKind::If(c, a, b) => {
            w.word("if ", e.span.start, indent);
            expr(w, c, indent + STEP, 5);
            if w.column() + 6 + flat(a).chars().count() > WIDTH {
                w.newline(indent);
            } else {
                w.push(" ");
            }
            w.push("then ");
            expr(w, a, indent + STEP, 0);
            w.newline(indent);
            w.word("else ", b.span.start, indent);
            expr(w, b, indent, tail);
        }
        ExprKind::Let(name, a, b) => {
            w.word("let ", e.span.start, indent);
            w.word(&name.text, name.span.start, indent);
            w.push(" = ");
            expr(w, a, indent + STEP, 3);
            w.push(" in");
            w.newline(indent);
            expr(w, b, indent, tail);
        }
        ExprKind::Unary(op, of) => {
            w.word(prefix(*op), e.span.start, indent);
            expr(w, of, indent, tail);
        }
        ExprKind::Member(of, name) => {
            expr(w, of, indent, 1 + name.text.len());
            w.word(&format!(".{}", name.text), name.span.start, indent);
        }
        ExprKind::Paren(inner) => {
            w.word("(", e.span.start, indent);
            expr(w, inner, indent + STEP, tail + 1);
            w.word(")", end, indent);
        }
        ExprKind::Point(x, y) => {
            w.word("(", e.span.start, indent);
            expr(w, x, indent + STEP, 1);
            w.push(", ");
            expr(w, y, indent + STEP, tail + 1);
            w.word(")", end, indent);
        }
        _ => w.word(&text, e.span.start, indent),
    }
}

/// A link of a chain: what joins it to those before, and itself.
enum Link<'a> {
    First(&'a Expr),
    Infix(&'static str, &'a Expr),
    Pipe(&'a Name, &'a [Expr], u32),
}

/// The links of operators that bind equally strongly, from the left.
fn links(e: &Expr) -> Vec<Link<'_>> {
    let level = |op: BinaryOp| match op {
        BinaryOp::Add | BinaryOp::Sub | BinaryOp::Meet => 1,
        BinaryOp::Mul | BinaryOp::Div | BinaryOp::Mod => 2,
        BinaryOp::Or => 3,
        BinaryOp::And => 4,
        BinaryOp::Else => 5,
        BinaryOp::Pow => 6,
        _ => 7,
    };
    let mut found = Vec::new();
    let mut at = e;
    let mut own = None;
    loop {
        match &at.kind {
            ExprKind::Binary(op, a, b) if own.is_none_or(|own| own == level(*op)) => {
                own = Some(level(*op));
                found.push(Link::Infix(infix(*op), b));
                at = a;
            }
            ExprKind::Pipe(left, name, args) if own.is_none_or(|own| own == 0) => {
                own = Some(0);
                found.push(Link::Pipe(name, args, at.span.end.saturating_sub(1)));
                at = left;
            }
            _ => break,
        }
    }
    found.push(Link::First(at));
    found.reverse();
    found
}

fn chain(w: &mut Writer<'_>, e: &Expr, indent: usize, tail: usize) {
    let links = links(e);
    // The author's breaks are kept; where there are none, every link gets a line.
    let mut end = 0;
    let mut kept = Vec::new();
    for link in &links {
        let (start, stop) = match link {
            Link::First(e) => (end, e.span.end),
            Link::Infix(_, e) => (e.span.start, e.span.end),
            Link::Pipe(name, _, stop) => (name.span.start, *stop + 1),
        };
        kept.push(end > 0 && !w.same_line(end.saturating_sub(1), start));
        end = stop;
    }
    let all = !kept.contains(&true);
    let last = links.len() - 1;
    for (n, (link, kept)) in links.iter().zip(kept).enumerate() {
        let tail = if n == last { tail } else { 0 };
        let text = match link {
            Link::First(e) => flat(e),
            Link::Infix(op, e) => format!(" {op} {}", flat(e)),
            Link::Pipe(name, args, _) => format!(
                " |> {}({})",
                name.text,
                args.iter().map(flat).collect::<Vec<_>>().join(", ")
            ),
        };
        if n > 0 && (all || kept || !fits(w, &text, w.column(), tail)) {
            w.newline(indent);
        }
        match link {
            Link::First(e) => expr(w, e, indent + STEP, 0),
            Link::Infix(op, e) => {
                w.word(&format!(" {op} "), e.span.start, indent);
                expr(w, e, indent + STEP, tail);
            }
            Link::Pipe(name, args, end) => {
                w.word(" |> ", name.span.start, indent);
                call(w, name, args, *end, indent);
            }
        }
    }
}

/// A call; its arguments share the line or have one each.
fn call(w: &mut Writer<'_>, name: &Name, args: &[Expr], end: u32, indent: usize) {
    w.word(&format!("{}(", name.text), name.span.start, indent);
    let text = args.iter().map(flat).collect::<Vec<_>>().join(", ");
    let split = args
        .first()
        .is_some_and(|first| !w.same_line(name.span.start, first.span.start));
    let whole = !split
        && !args.iter().any(|arg| broken(w, arg))
        && !w.comment_within(name.span.end, end)
        && fits(w, &text, w.column(), 1);
    if whole {
        w.push(&text);
    } else {
        listed(w, args, end, indent);
    }
    w.push(")");
}

/// `a,` on a line each, up to the closing bracket at `end`.
fn listed(w: &mut Writer<'_>, all: &[Expr], end: u32, indent: usize) {
    for e in all {
        w.newline(indent + STEP);
        expr(w, e, indent + STEP, 1);
        w.push(",");
    }
    w.close(end, indent);
}

fn matching(w: &mut Writer<'_>, start: u32, on: &Expr, arms: &[MatchArm], end: u32, indent: usize) {
    w.word("match ", start, indent);
    expr(w, on, indent + STEP, 2);
    w.push(" {");
    let patterns: Vec<String> = arms.iter().map(|arm| pattern(&arm.pattern)).collect();
    let width = patterns
        .iter()
        .map(|p| p.chars().count())
        .max()
        .unwrap_or(0);
    for (arm, pattern) in arms.iter().zip(patterns) {
        w.opened();
        w.begin(arm.pattern.span.start, 0, indent + STEP);
        w.push(&format!("{pattern:width$} =>"));
        behind(w, &arm.body, indent + STEP, 1);
        w.push(",");
        w.ended(arm.body.span.end);
    }
    w.close(end, indent);
    w.push("}");
}
