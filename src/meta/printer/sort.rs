//! Sorts: productions in columns, several on a line where the author put them so.

use super::writer::{STEP, WIDTH, Writer};
use super::{apart, doc, string};
use crate::meta::ast::{Field, Fixity, Production, Repeat, Sort, SortMember, Symbol, Table};
use crate::source::Span;

/// Between productions on one line.
const GAP: &str = "   ";

/// The text of a sort that the author wrote on one line, where it fits there.
pub(super) fn one_line(w: &Writer<'_>, sort: &Sort, span: Span) -> Option<String> {
    let all: Option<Vec<&Production>> = sort
        .members
        .iter()
        .map(|member| match member {
            SortMember::Production(p) => Some(p),
            SortMember::Table(_) => None,
        })
        .collect();
    let head = format!("sort {}", sort.name.text);
    one_line_block(w, &head, &all?, span, 0)
}

fn one_line_block(
    w: &Writer<'_>,
    head: &str,
    all: &[&Production],
    span: Span,
    indent: usize,
) -> Option<String> {
    let end = span.end.saturating_sub(1);
    if all.is_empty() && !w.comment_within(span.start, end) {
        return Some(format!("{head} {{}}"));
    }
    let plain = w.same_line(span.start, end)
        && !w.comment_within(span.start, end)
        && all.iter().all(|p| p.docs.is_empty());
    let texts: Vec<String> = all.iter().map(|p| production(p)).collect();
    let text = format!("{head} {{ {} }}", texts.join(GAP));
    (plain && indent + text.chars().count() <= WIDTH).then_some(text)
}

pub(super) fn print(w: &mut Writer<'_>, sort: &Sort, span: Span) {
    if let Some(text) = one_line(w, sort, span) {
        w.push(&text);
        return;
    }
    w.push(&format!("sort {} {{", sort.name.text));
    w.opened();
    let mut at = 0;
    while at < sort.members.len() {
        let rest = &sort.members[at..];
        let productions: Vec<&Production> = rest.iter().map_while(as_production).collect();
        if productions.is_empty() {
            let tables: Vec<&Table> = rest.iter().map_while(as_table).collect();
            at += tables.len();
            print_tables(w, &tables);
        } else {
            at += productions.len();
            print_productions(w, &productions, STEP);
        }
    }
    w.close(span.end.saturating_sub(1), 0);
    w.push("}");
}

fn as_production(member: &SortMember) -> Option<&Production> {
    match member {
        SortMember::Production(p) => Some(p),
        SortMember::Table(_) => None,
    }
}

fn as_table(member: &SortMember) -> Option<&Table> {
    match member {
        SortMember::Table(table) => Some(table),
        SortMember::Production(_) => None,
    }
}

fn print_tables(w: &mut Writer<'_>, tables: &[&Table]) {
    let groups: Vec<&[&Table]> = tables
        .chunk_by(|a, b| !apart(w, a.span.end, b.span.start, 0))
        .collect();
    for group in groups {
        let line = |w: &Writer<'_>, table: &Table, head: &str| {
            let all: Vec<&Production> = table.productions.iter().collect();
            one_line_block(w, head, &all, table.span, STEP)
        };
        // The braces of tables on one line stand below each other.
        let short = group
            .iter()
            .filter(|table| line(w, table, fixity(table.fixity)).is_some());
        let width = short
            .map(|table| fixity(table.fixity).len())
            .max()
            .unwrap_or(0);
        for table in group {
            w.begin(table.span.start, 0, STEP);
            let head = fixity(table.fixity);
            match line(w, table, &format!("{head:width$}"))
                .filter(|_| line(w, table, head).is_some())
            {
                Some(text) => w.push(&text),
                None => {
                    w.push(&format!("{head} {{"));
                    w.opened();
                    let all: Vec<&Production> = table.productions.iter().collect();
                    print_productions(w, &all, 2 * STEP);
                    w.close(table.span.end.saturating_sub(1), STEP);
                    w.push("}");
                }
            }
            w.ended(table.span.end);
        }
    }
}

fn fixity(fixity: Fixity) -> &'static str {
    match fixity {
        Fixity::InfixLeft => "infix left",
        Fixity::InfixRight => "infix right",
        Fixity::InfixNone => "infix none",
        Fixity::Prefix => "prefix",
        Fixity::Postfix => "postfix",
    }
}

/// Productions on lines of their own, their `=` in a column, except those that share a line.
fn print_productions(w: &mut Writer<'_>, all: &[&Production], indent: usize) {
    let rows = rows(w, all, indent);
    let groups: Vec<&[&[&Production]]> = rows
        .chunk_by(|a, b| match (a.last(), b.first()) {
            (Some(a), Some(b)) => !apart(w, a.span.end, b.span.start, b.docs.len()),
            _ => false,
        })
        .collect();
    for group in groups {
        let single = group
            .iter()
            .filter(|row| row.len() == 1)
            .flat_map(|row| row.iter());
        let written = single.filter(|p| !p.symbols.is_empty());
        let width = written.map(|p| head(p).chars().count()).max().unwrap_or(0);
        for row in group {
            let Some(first) = row.first() else { continue };
            w.begin(first.span.start, first.docs.len(), indent);
            for line in &first.docs {
                doc(w, "///", line, indent);
            }
            match row {
                [only] => print_production(w, only, width, indent),
                row => {
                    let texts: Vec<String> = row.iter().map(|p| production(p)).collect();
                    w.push(&texts.join(GAP));
                }
            }
            if let Some(last) = row.last() {
                w.ended(last.span.end);
            }
        }
    }
}

/// Productions that stood on one line and still fit there.
fn rows<'p, 'a>(
    w: &Writer<'_>,
    all: &'p [&'a Production],
    indent: usize,
) -> Vec<&'p [&'a Production]> {
    let lines = all.chunk_by(|a, b| {
        let end = a.span.end.saturating_sub(1);
        w.same_line(end, b.span.start) && b.docs.is_empty() && !w.comment_within(end, b.span.start)
    });
    let mut rows = Vec::new();
    for line in lines {
        let inside = |p: &&Production| w.comment_within(p.span.start, p.span.end);
        let width: usize = line
            .iter()
            .map(|p| production(p).chars().count() + GAP.len())
            .sum();
        if line.len() > 1 && (indent + width > WIDTH + GAP.len() || line.iter().any(inside)) {
            rows.extend(line.chunks(1));
        } else {
            rows.push(line);
        }
    }
    rows
}

fn head(p: &Production) -> String {
    let mut text = String::new();
    if p.primitive.is_some() {
        text += "@primitive ";
    }
    if let Some(weight) = &p.weight {
        text += &format!("@weight({}) ", weight.text);
    }
    if let Some(cost) = &p.cost {
        text += &format!("@cost({}) ", cost.text);
    }
    text + &p.name.text
}

/// On one line.
fn production(p: &Production) -> String {
    let mut text = head(p);
    for (n, symbol) in p.symbols.iter().enumerate() {
        text += if n == 0 { " = " } else { " " };
        text += &self::symbol(symbol).0;
    }
    text
}

fn print_production(w: &mut Writer<'_>, p: &Production, width: usize, indent: usize) {
    let hang = indent + STEP;
    let head = head(p);
    w.word("", p.name.span.start, indent);
    if p.symbols.is_empty() {
        w.push(&head);
        return;
    }
    w.push(&format!("{head:width$} ="));
    let mut end = None;
    for symbol in &p.symbols {
        let (text, span) = self::symbol(symbol);
        let kept = end.is_some_and(|end| !w.same_line(end, span.start));
        if kept || w.column() + 1 + text.chars().count() > WIDTH {
            w.newline(hang);
        }
        w.word(&format!(" {text}"), span.start, hang);
        end = Some(span.end.saturating_sub(1));
    }
}

fn symbol(symbol: &Symbol) -> (String, Span) {
    match symbol {
        Symbol::Literal(text) => (string(text), text.span),
        Symbol::Glue(span) => ("~".to_string(), *span),
        Symbol::Field(field) => (self::field(field), field.span),
    }
}

fn field(field: &Field) -> String {
    let mut text = format!("{}:{}", field.name.text, field.of.text);
    match &field.repeat {
        Repeat::One => {}
        Repeat::Optional => text.push('?'),
        Repeat::Many {
            min,
            separator,
            weight,
        } => {
            text.push(if *min == 0 { '*' } else { '+' });
            if let Some(separator) = separator {
                text += &format!(" sep {}", string(separator));
            }
            if let Some(weight) = weight {
                text += &format!(" @weight({})", weight.text);
            }
        }
    }
    text
}
