//! Rules that hold are let pass, rules that do not are found, with any seed.

use super::*;

fn shipped(name: &str) -> String {
    std::fs::read_to_string(format!("grammars/{name}.tdg")).unwrap()
}

/// A language with one rule only.
fn with_rule(language: &str, sort: &str, rule: &str) -> Compiled {
    let text = format!("{language}\nrewrite {sort} {{\nplanted: {rule}\n}}\n");
    let mut compiled = Compiled::from_text("t", &text).unwrap_or_else(|e| panic!("{rule}\n{e}"));
    compiled.rules.retain(|rule| rule.name == "planted");
    assert_eq!(compiled.rules.len(), 1);
    compiled
}

fn tested(compiled: &Compiled, instances: u32, seed: u64) -> Report {
    test(compiled, Options { instances, seed }, |_, _| {
        ControlFlow::Continue(())
    })
}

/// Each planted rule is found within its number of instances, whatever the seed.
fn found(language: &str, sort: &str, rules: &[(u32, &str)]) {
    let text = shipped(language);
    let mut missed = String::new();
    for (instances, rule) in rules {
        let compiled = with_rule(&text, sort, rule);
        for seed in 0..4 {
            let report = tested(&compiled, *instances, seed);
            if report.holds() {
                missed += &format!("seed {seed}: {rule}: {:?}\n", report.rules);
            }
        }
    }
    assert!(missed.is_empty(), "\n{missed}");
}

#[test]
fn unsound_rules_of_regions_are_found() {
    let rules = [
        (100, "`(- ?a ?b)` => `(- ?b ?a)`"),
        (100, "`(- ?a (- ?b ?c))` => `(- (- ?a ?b) ?c)`"),
        // Off by one, in a length, a place, an angle, a condition.
        (
            100,
            "`(Circle ?r ?x ?y)` => `(Circle ?s ?x ?y)` where s = r - 1",
        ),
        (
            100,
            "`(Quad ?x ?y ?w ?h ?t)` => `(Quad ?x ?y ?w ?k ?t)` where k = h + 1",
        ),
        (
            100,
            "`(+ ?a (Circle ?r ?x ?y))` => `(+ ?a (Circle ?r ?x ?z))` where z = y - 1",
        ),
        (
            100,
            "`(Quad ?x ?y ?w ?h ?t)` => `(Quad ?x ?y ?h ?w ?u)` where u = (t + 135) mod 360",
        ),
        (
            100,
            "`(+ (Circle ?r ?x ?y) (Circle ?s ?u ?v))` => `(Circle ?r ?x ?y)` \
               if s <= r and (u - x) ^ 2 + (v - y) ^ 2 <= (r - s + 1) ^ 2",
        ),
        (
            100,
            "`(- (Circle ?r ?x ?y) (Circle ?s ?u ?v))` => `(Circle ?r ?x ?y)` \
               if (u - x) ^ 2 + (v - y) ^ 2 >= (r + s - 1) ^ 2",
        ),
        // At the edge of the canvas only.
        (
            100,
            "`(Circle ?r ?x ?y)` => `(Circle 15 8 8)` \
               if max(x, 14 - x) ^ 2 + max(y, 14 - y) ^ 2 <= r ^ 2",
        ),
        // Only where shapes overlap.
        (100, "`(+ (- ?a ?b) ?c)` => `(- (+ ?a ?c) ?b)`"),
        // Only where they do not touch.
        (
            400,
            "`(+ (Quad ?x ?y ?w ?h 0) (Quad ?u ?y ?p ?h 0))` => `(Quad ?z ?y ?k ?h 0)` \
               where from = min(x - w / 2, u - p / 2), k = max(x + w / 2, u + p / 2) - from, \
               z = from + k / 2 if 2 * abs(u - x) <= w + p + 2",
        ),
        // At one value of one token: one in twenty, and often hidden.
        (
            400,
            "`(Circle ?r ?x ?y)` => `(Circle ?s ?x ?y)` where s = if x == 11 then r + 1 else r",
        ),
        (
            400,
            "`(Quad ?x ?y ?w ?h ?t)` => `(Quad ?x ?y ?w ?h ?u)` \
               where u = if h == 13 then (t + 90) mod 360 else t",
        ),
        // At one pair of values: one in 256, and more are needed.
        (
            1000,
            "`(Circle ?r ?x ?y)` => `(Circle ?s ?x ?y)` \
                where s = if x == 11 and y == 3 then r + 1 else r",
        ),
    ];
    found("csg2d", "Shape", &rules);
}

#[test]
fn unsound_rules_of_drawings_are_found() {
    let rules = [
        // A border's width, off by one: a seventh of a pixel on either side.
        (
            100,
            "`(Rectangle ?w ?h ?f ?s ?b)` => `(Rectangle ?w ?h ?f ?s ?c)` where c = b - 1",
        ),
        (
            100,
            "`(Ellipse ?w ?h ?f ?s 4)` => `(Ellipse ?w ?h ?f ?s 3)`",
        ),
        (
            400,
            "`(Rectangle ?w ?h ?f ?s ?b)` => `(Rectangle ?w ?h ?f ?s ?c)` \
               where c = if b == 7 then 6 else b",
        ),
        // Two moves are not always their sum: lengths are rounded to whole pixels.
        (
            100,
            "`(Move (Move ?a + ?x + 0) + ?u + 0)` => `(Move ?a + ?z + 0)` where z = x + u",
        ),
        // Nothing is painted either way, but neighbours are put elsewhere.
        (
            100,
            "`(Rectangle ?w ?h none none 0)` => `(Rectangle ?h ?w none none 0)`",
        ),
        (
            100,
            "`(Rectangle ?w 0 ?f ?s ?b)` => `(Rectangle 0 0 none none 0)`",
        ),
        (
            100,
            "`(Arrange ?d ?a (Rectangle 0 0 none none 0) 0)` => `?a`",
        ),
        // Off the canvas, unless moved or arranged.
        (
            100,
            "`(Move (Move (Move (Rectangle 1 1 ?f none 0) + 9 ?s 0) + 9 ?t 0) + 2 ?u 0)` \
               => `(Rectangle 1 1 none none 0)`",
        ),
        // The order of painting, where borders or moved parts overlap.
        (
            100,
            "`(Arrange h ?a ?b 0)` => `(Arrange h (Move ?b + 9 + 0) (Move ?a - 9 + 0) 0)`",
        ),
        // White is nothing on white only.
        (
            100,
            "`(Rectangle ?w ?h white none 0)` => `(Rectangle ?w ?h none none 0)`",
        ),
        // Groupings that differ where a middle lies between pixels.
        (
            300,
            "`(Arrange ?d (Arrange ?d ?a ?b ?g) ?c ?k)` => `(Arrange ?d ?a (Arrange ?d ?b ?c ?k) ?g)`",
        ),
    ];
    found("tinysvg", "Object", &rules);
}

#[test]
fn opacity_and_reckoned_colours_are_looked_at() {
    let language = r#"
        language glass
        use std.shape.{box}
        use std.paint.{fill}
        use std.color.{rgb, alpha}
        start Pane
        canvas 40 x 40 rgb on white, centred
        goal pixels within 0.01 share 0.99
        sample size 1..=2
        token Tone = 0..=15
        sort Pane {
            @primitive Pane = "pane" tone:Tone clear:Tone
            Two = "(" a:Pane b:Pane ")"
        }
        draw Pane -> Drawing {
            Pane => fill(box(20, 20), alpha(rgb(17 * tone, 0, 90), 1 - clear / 16))
            Two => a + b
        }
    "#;
    let off = [
        "`pane ?t ?c` => `pane ?u ?c` where u = t - 1",
        "`pane ?t ?c` => `pane ?t ?d` where d = c + 1",
        "`(?a ?b)` => `(?b ?a)`",
        "`(?a ?a)` => `?a`",
    ];
    for rule in off {
        let compiled = with_rule(language, "Pane", rule);
        assert!(!tested(&compiled, 100, 0).holds(), "{rule}");
    }
    let compiled = with_rule(language, "Pane", "`(?a (?b ?c))` <=> `((?a ?b) ?c)`");
    assert!(tested(&compiled, 300, 0).holds());
}

#[test]
fn shipped_rules_hold_with_other_seeds() {
    for name in ["csg2d", "tinysvg"] {
        let compiled = Compiled::from_text("t", &shipped(name)).unwrap();
        for seed in 1..4 {
            let report = tested(&compiled, 100, seed);
            let said = report.diagnostics(&compiled);
            assert!(said.is_empty(), "seed {seed}: {said:#?}");
            for rule in &report.rules {
                assert_eq!(rule.undrawn, 0, "{rule:?}");
                assert!(rule.instances >= 50, "{rule:?}");
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_report() {
    let compiled = with_rule(&shipped("csg2d"), "Shape", "`(- ?a ?b)` => `(- ?b ?a)`");
    let report = tested(&compiled, 30, 9);
    assert_eq!(report, tested(&compiled, 30, 9));
    assert_ne!(report, tested(&compiled, 30, 10));
}

#[test]
fn counterexamples_are_short_and_true() {
    let compiled = with_rule(&shipped("csg2d"), "Shape", "`(- ?a ?b)` => `(- ?b ?a)`");
    let report = tested(&compiled, 100, 0);
    let found = report.rules[0].counterexample.as_ref().unwrap();
    assert_eq!(found.within, None);
    assert_eq!(found.left.size(), 2, "{found:?}");
    let (left, right) = found.programs();
    let difference = Judge::new(&compiled).unwrap().compare(left, right).unwrap();
    assert_eq!(difference, found.difference);
    assert!(difference.counts());
    let panels = found.panels(&compiled).unwrap();
    assert!(panels.width > 3 * 128 && panels.height >= 128);
}

#[test]
fn what_cannot_apply_is_told() {
    let rule = "`(Circle ?r ?x ?y)` => `(Circle ?r ?z ?y)` where z = x + 16";
    let compiled = with_rule(&shipped("csg2d"), "Shape", rule);
    let report = tested(&compiled, 100, 0);
    assert!(report.holds() && report.rules[0].never_applies());
    let said = report.diagnostics(&compiled);
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].code.as_str(), "W0806");
    // Nothing was looked at, nothing is said.
    assert!(tested(&compiled, 0, 0).diagnostics(&compiled).is_empty());
}

#[test]
fn a_caller_may_break_off() {
    let compiled = Compiled::from_text("t", &shipped("csg2d")).unwrap();
    let mut calls = 0;
    let options = Options::of(&compiled.grammar);
    let report = test(&compiled, options, |done, all| {
        calls += 1;
        assert!(done <= all);
        match calls {
            150 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    });
    assert_eq!(report.rules.len(), 2);
}

#[test]
fn languages_of_every_kind_are_tested() {
    let head = "use std.shape.{box, disc}\nuse std.transform.{shift}\ncanvas 40 x 40 ink\n\
                token N = 0..=9\n";
    let shapes = "sort Leaf { Dot = \"dot\" x:N y:N }\n\
                  sort Tree { Tip = of:Leaf Fork = \"(\" l:Tree r:Tree \")\" }\n\
                  draw Leaf -> Region { Dot => disc(3) |> shift(4 * x, 4 * y) }\n\
                  draw Tree -> Region { Tip => of Fork => l + r }\n";
    let good = "rewrite Leaf { planted: `dot ?x ?y` <=> `dot ?x ?z` where z = y + 0 }\n";
    let bad = "rewrite Leaf { planted: `dot ?x ?y` => `dot ?y ?x` }\n";
    for settings in [
        "start Tree\nsize nodes\nsample size 4..=20\n",
        "start Tree\nsize depth\nsample size 2..=4\n",
        "start Tree\nsize nodes\nsample size 4..=20 by weight\n",
        "start Tree\nsize nodes\nsample frontier size 4..=20\n",
    ] {
        // The rule's sort is not where programs start: it is drawn within them.
        let language = format!("language l\n{settings}{head}{shapes}");
        for (rule, holds) in [(good, true), (bad, false)] {
            let compiled = Compiled::from_text("l", &format!("{language}{rule}"))
                .unwrap_or_else(|e| panic!("{settings}\n{e}"));
            let report = tested(&compiled, 60, 0);
            assert_eq!(report.holds(), holds, "{settings}{rule}{report:?}");
            assert_eq!(report.rules[0].instances, 60, "{settings}{rule}{report:?}");
        }
    }
    // Texts, fractions, lists, a canvas of one pixel, one of many.
    for size in ["1 x 1", "600 x 2000"] {
        let text = format!(
            r#"
            language l
            use std.shape.{{box}}
            use std.math.{{count}}
            start S
            size nodes
            canvas {size} ink
            sample size 3..=12
            token R = real 0..=1 step 0.25
            token T = /[a-z]+/ length 1..=4
            sort S {{ S = "s" parts:Part+ sep "," }}
            sort Part {{ Box = "box" w:R h:R   Name = "name" t:T }}
            draw S -> Region {{ S => union_of(parts) }}
            draw Part -> Region {{ Box => box(200 * w, 200 * h)  Name => box(count(t), count(t)) }}
            rewrite Part {{
                turn: `box ?w ?h` => `box ?h ?w`
                same: `name ?t` => `name ?u` where u = t
                wide: `name ?t` => `box ?w ?w` where w = count(t) / 200 if count(t) > 100
            }}
            "#
        )
        .replace("use std.shape.{box}", "use std.shape.{box, union_of}");
        let compiled = Compiled::from_text("l", &text).unwrap_or_else(|e| panic!("{e}"));
        let options = Options::of(&compiled.grammar);
        let report = test(&compiled, options, |_, _| ControlFlow::Continue(()));
        assert_eq!(report.holds(), size == "1 x 1", "{report:?}");
        assert!(report.rules[1].instances > 0, "{report:?}");
        assert!(report.rules[2].never_applies(), "{report:?}");
    }
}
