//! The page of railroad diagrams: its links, and its diagrams in an outside reader of SVG.

use tdc::codegen::railroad::{Options, railroad};

use crate::common::{grammar, shipped};

fn page(name: &str) -> String {
    railroad(&grammar(name), &Options::default())
}

/// What stands between two marks, each time.
fn between<'a>(text: &'a str, from: &str, to: &str) -> Vec<&'a str> {
    text.match_indices(from)
        .map(|(at, _)| {
            let rest = &text[at + from.len()..];
            &rest[..rest.find(to).expect("its end")]
        })
        .collect()
}

#[test]
fn every_sort_and_token_of_every_shipped_grammar_has_a_diagram() {
    for (name, compiled) in shipped() {
        let page = railroad(&compiled, &Options::default());
        let mut ids = between(&page, " id=\"", "\"");
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "{name}: an id occurs twice");
        for to in between(&page, "href=\"#", "\"") {
            assert!(ids.contains(&to), "{name}: {to} leads nowhere");
        }
        let grammar = &compiled.grammar;
        let names = grammar.sorts.iter().map(|s| &s.name);
        for rule in names.chain(grammar.tokens.iter().map(|t| &t.name)) {
            assert!(
                ids.contains(&format!("rule-{rule}").as_str()),
                "{name}: {rule}"
            );
        }
        // Nothing is loaded from elsewhere; name spaces are names.
        let inside = page.replace("http://www.w3.org/", "");
        assert!(
            !inside.contains("http://") && !inside.contains("https://"),
            "{name}"
        );
        assert!(
            !inside.contains("<script") && !inside.contains("@import"),
            "{name}"
        );

        let diagrams = between(&page, "<svg ", "</svg>");
        assert_eq!(diagrams.len(), grammar.sorts.len() + grammar.tokens.len());
        for diagram in diagrams {
            let svg = format!("<svg {diagram}</svg>");
            let tree = usvg::Tree::from_str(&svg, &usvg::Options::default());
            let tree = tree.unwrap_or_else(|error| panic!("{name}: {error}\n{svg}"));
            // Everything is within the picture.
            let (size, drawn) = (tree.size(), tree.root().abs_bounding_box());
            assert!(
                drawn.left() >= 0.0 && drawn.top() >= 0.0,
                "{name}: {drawn:?}"
            );
            assert!(drawn.right() <= size.width(), "{name}: {drawn:?} {size:?}");
            assert!(
                drawn.bottom() <= size.height(),
                "{name}: {drawn:?} {size:?}"
            );
        }
        // The same again.
        assert_eq!(page, railroad(&compiled, &Options::default()));
    }
}

#[test]
fn words_stand_in_their_diagrams() {
    let page = page("imp");
    for literal in &grammar("imp").grammar.literals {
        let literal = literal.replace('<', "&lt;").replace('>', "&gt;");
        assert!(page.contains(&format!("\n{literal}</text>")), "{literal}");
    }
}

#[test]
fn operators_are_in_a_table() {
    let page = page("arith");
    let table = between(&page, "<table", "</table>");
    assert_eq!(table.len(), 1);
    let kinds: Vec<&str> = between(table[0], "<tr><td>", "</td>");
    assert_eq!(kinds, ["infix left", "infix left", "prefix", "infix right"]);
    let names: Vec<&str> = between(table[0], "</code></td><td>", "</td>");
    assert_eq!(names, ["Add, Sub", "Mul, Div", "Neg", "Pow"]);
    assert!(!self::page("csg2d").contains("<table"));
}

#[test]
fn the_gallery_is_linked_where_there_is_one() {
    let options = Options {
        gallery: Some("index.html".into()),
    };
    let compiled = grammar("street");
    assert!(railroad(&compiled, &options).contains("href=\"index.html\""));
    assert!(!page("street").contains("index.html"));
    // Colours are shown.
    assert!(page("street").contains("background:#c8553dff"));
}
