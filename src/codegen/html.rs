//! Small helpers for writing HTML: escaping, marked source, and pictures that can share a page.

use std::fmt::Write;
use std::ops::Range;

/// Text as HTML text or as a quoted attribute's value.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ => out.push(c),
        }
    }
    out
}

/// Source text with the bytes of `mark` highlighted.
pub(crate) fn marked(text: &str, mark: Option<Range<usize>>) -> String {
    let parts = mark.and_then(|range| {
        Some((
            text.get(..range.start)?,
            text.get(range.clone())?,
            text.get(range.end..)?,
        ))
    });
    match parts {
        Some((before, inside, after)) => {
            format!(
                "{}<mark>{}</mark>{}",
                escape(before),
                escape(inside),
                escape(after)
            )
        }
        None => escape(text),
    }
}

/// Documentation as paragraphs: an empty line separates them, `code` in backticks is set as code.
pub(crate) fn paragraphs(docs: &str) -> String {
    let mut out = String::new();
    for paragraph in docs.split("\n\n").filter(|p| !p.trim().is_empty()) {
        let _ = writeln!(out, "<p>{}</p>", inline(paragraph.trim()));
    }
    out
}

/// A line of documentation with `code` set as code.
pub(crate) fn inline(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('`') {
        let Some((code, after)) = behind.split_once('`') else {
            break;
        };
        let _ = write!(out, "{}<code>{}</code>", escape(before), escape(code));
        rest = after;
    }
    out + &escape(rest)
}

/// An SVG file's text for use inside a page: no XML header, and its ids get `prefix`, since ids
/// are shared by the whole page.
pub(crate) fn inlined_svg(svg: &str, prefix: &str, label: &str) -> String {
    let Some(start) = svg.find("<svg") else {
        return String::new();
    };
    let mut out = format!("<svg role=\"img\" aria-label=\"{}\"", escape(label));
    let mut rest = &svg[start + "<svg".len()..];
    // The writer's references: `id="a"`, `url(#a)`, `href="#a"`.
    while let Some((at, marker)) = ["id=\"", "url(#", "href=\"#"]
        .iter()
        .filter_map(|marker| rest.find(marker).map(|at| (at, *marker)))
        .min()
    {
        let behind = at + marker.len();
        out.push_str(&rest[..behind]);
        out.push_str(prefix);
        rest = &rest[behind..];
    }
    out.push_str(rest.trim_end());
    out
}

/// `1 sort`, `2 sorts`.
pub(super) fn counted(count: usize, what: &str) -> String {
    if count == 1 {
        format!("1 {what}")
    } else {
        format!("{count} {what}s")
    }
}

/// A count with its power of ten set as one.
pub(super) fn power_of_ten(count: f64) -> String {
    let text = super::count::count_text(count);
    match text.split_once('e') {
        Some((digits, power)) => format!("{digits}·10<sup>{power}</sup>"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_leave_its_place() {
        assert_eq!(escape("<b a=\"&\">"), "&lt;b a=&quot;&amp;&quot;&gt;");
        assert_eq!(marked("a<b>c", Some(1..4)), "a<mark>&lt;b&gt;</mark>c");
        // A range that is not on character boundaries marks nothing.
        assert_eq!(marked("ä", Some(1..2)), "ä");
        assert_eq!(inline("a `b<` c ` d"), "a <code>b&lt;</code> c ` d");
    }

    #[test]
    fn ids_of_pictures_on_one_page_do_not_meet() {
        let svg =
            "<?xml version=\"1.0\"?>\n<svg w=\"1\"><mask id=\"m0\"/><g mask=\"url(#m0)\"/></svg>\n";
        assert_eq!(
            inlined_svg(svg, "p7-", "a"),
            "<svg role=\"img\" aria-label=\"a\" w=\"1\"><mask id=\"p7-m0\"/><g mask=\"url(#p7-m0)\"/></svg>"
        );
    }
}
