//! Rules of a small language, fired at programs written out.

use std::fmt::Write as _;

use super::*;
use crate::compiled::Compiled;
use crate::grammar::ids::ProdId;
use crate::rewrite::instance::{build, lay};
use crate::tree::{Layout, parse, print};

const HEAD: &str = r#"
language t
use std.math.{sqrt, min, max, count}
start S
sample size 1..=4
token D = 0..=9
token Big = 0..=1000000
token R = real 0..=1 step 0.1
token W = "red" -> 1 | "rot" -> 1 | "blue" -> 2
token K = "h" | "v"
token T = /[a-z]+/ length 1..=5
fn deep(x: Num) -> Num = x + 1
sort S {
    @primitive Two = "two" a:D b:D
    @primitive One = "one" a:D
    @primitive Large = "large" n:Big
    @primitive Real = "real" a:R
    @primitive Word = "word" w:W
    @primitive Way = "way" k:K
    @primitive Text = "text" t:T
    Pair = "(" l:S r:S ")"
    @weight(0.5) Not = "not" s:S
}
"#;

fn compile(rules: &str) -> Compiled {
    Compiled::from_text("t", &format!("{HEAD}\nrewrite S {{\n{rules}\n}}\n")).unwrap()
}

/// All that the first rule makes of a program, one a line.
fn fire(compiled: &Compiled, direction: Direction, program: &str) -> String {
    let grammar = &compiled.grammar;
    let rule = &compiled.rules[0];
    let (matched, made) = direction.sides(rule);
    let program = parse(grammar, &compiled.syntax, program).unwrap();
    let layout = Layout::new(grammar);
    let mut bindings = Bindings::new(rule);
    if !lay(grammar, &layout, matched, &program, 0, &mut bindings) {
        return "does not match".to_string();
    }
    let before = bindings.clone();
    let mut out = String::new();
    let done = Plan::new(grammar, rule, direction).complete(&mut bindings, |way| {
        assert_eq!(build(grammar, matched, way).as_ref(), Some(&program));
        match build(grammar, made, way) {
            Some(made) => write!(out, "{}; ", print(grammar, &compiled.syntax, &made)).unwrap(),
            None => out.push_str("unfit; "),
        }
        ControlFlow::Continue(())
    });
    assert_eq!(bindings, before);
    if done != Completed::All {
        write!(out, "{done:?}").unwrap();
    }
    out
}

#[test]
fn what_is_computed_must_be_in_its_domain() {
    let c = compile("sum: `two ?a ?b` => `one ?c` where c = a + b");
    assert_eq!(fire(&c, Direction::Forward, "two 4 5"), "one 9; ");
    assert_eq!(fire(&c, Direction::Forward, "two 5 5"), "");
    let c = compile("half: `one ?a` => `one ?c` where c = a / 2");
    assert_eq!(fire(&c, Direction::Forward, "one 6"), "one 3; ");
    assert_eq!(fire(&c, Direction::Forward, "one 7"), "");
    let c = compile("down: `one ?a` => `one ?c` where c = a - 1");
    assert_eq!(fire(&c, Direction::Forward, "one 0"), "");
}

#[test]
fn what_has_no_value_does_not_fire() {
    let c = compile("ratio: `two ?a ?b` => `one ?c` where c = a / b");
    assert_eq!(fire(&c, Direction::Forward, "two 8 2"), "one 4; ");
    assert_eq!(fire(&c, Direction::Forward, "two 8 0"), "");
    let c = compile("root: `two ?a ?b` => `one ?c` where c = sqrt(a - b)");
    assert_eq!(fire(&c, Direction::Forward, "two 9 5"), "one 2; ");
    assert_eq!(fire(&c, Direction::Forward, "two 5 9"), "");
    let c = compile("mod: `two ?a ?b` => `one ?a` if a mod b == 0");
    assert_eq!(fire(&c, Direction::Forward, "two 6 3"), "one 6; ");
    assert_eq!(fire(&c, Direction::Forward, "two 6 4"), "");
    assert_eq!(fire(&c, Direction::Forward, "two 6 0"), "");
    // What is not asked for does no harm.
    let c = compile("lazy: `two ?a ?b` => `one ?a` if b == 0 or a / b > 2");
    assert_eq!(fire(&c, Direction::Forward, "two 6 0"), "one 6; ");
}

#[test]
fn from_right_to_left_values_are_tried() {
    let c = compile("sum: `two ?a ?b` <=> `one ?c` where c = a + b");
    assert_eq!(
        fire(&c, Direction::Backward, "one 3"),
        "two 0 3; two 1 2; two 2 1; two 3 0; "
    );
    let c = compile("less: `two ?a ?b` <=> `one ?c` where d = a * b, c = d + 1 if a < b");
    assert_eq!(fire(&c, Direction::Backward, "one 7"), "two 1 6; two 2 3; ");
    assert_eq!(fire(&c, Direction::Forward, "two 2 3"), "one 7; ");
    assert_eq!(fire(&c, Direction::Forward, "two 3 2"), "");
}

#[test]
fn an_equation_for_what_is_matched_is_a_condition() {
    let c = compile("twice: `two ?a ?b` => `one ?a` where b = a + a");
    assert_eq!(fire(&c, Direction::Forward, "two 2 4"), "one 2; ");
    assert_eq!(fire(&c, Direction::Forward, "two 2 5"), "");
}

#[test]
fn trying_ends() {
    let c = compile("root: `large ?n` <=> `one ?c` where c = sqrt(sqrt(sqrt(n)))");
    let found = fire(&c, Direction::Backward, "one 2");
    assert_eq!(found, "large 256; GaveUp");
    assert_eq!(fire(&c, Direction::Forward, "large 256"), "one 2; ");
}

#[test]
fn long_computations_end() {
    let mut text = String::from(HEAD);
    for i in 1..40 {
        let before = if i == 1 {
            "deep".to_string()
        } else {
            format!("f{}", i - 1)
        };
        writeln!(text, "fn f{i}(x: Num) -> Num = {before}(x) + {before}(x)").unwrap();
    }
    text.push_str("rewrite S { far: `one ?a` => `one ?c` where c = f39(a) }");
    let c = Compiled::from_text("t", &text).unwrap();
    assert_eq!(fire(&c, Direction::Forward, "one 2"), "GaveUp");
}

#[test]
fn fractions_find_their_value() {
    let c = compile("three: `real ?a` => `real ?c` where c = a * 3");
    assert_eq!(fire(&c, Direction::Forward, "real 0.1"), "real 0.3; ");
    assert_eq!(fire(&c, Direction::Forward, "real 0.4"), "");
    let c = compile("third: `real ?a` => `real ?c` where c = a / 3");
    assert_eq!(fire(&c, Direction::Forward, "real 0.9"), "real 0.3; ");
    assert_eq!(fire(&c, Direction::Forward, "real 0.1"), "");
}

#[test]
fn words_texts_and_choices() {
    // Two words with one value are one to arithmetic; the first is written.
    let c = compile("next: `word ?w` => `word ?v` where v = w + 1");
    assert_eq!(fire(&c, Direction::Forward, "word rot"), "word blue; ");
    assert_eq!(fire(&c, Direction::Forward, "word blue"), "");
    let c = compile("same: `(word ?w word ?v)` => `word ?w` where v = w");
    assert_eq!(
        fire(&c, Direction::Forward, "(word red word rot)"),
        "word red; "
    );
    assert_eq!(fire(&c, Direction::Forward, "(word red word blue)"), "");
    let c = compile("len: `text ?t` => `one ?n` where n = count(t)");
    assert_eq!(fire(&c, Direction::Forward, "text abcd"), "one 4; ");
    let c = compile("copy: `(text ?t text ?u)` => `text ?v` where v = t, u = v");
    assert_eq!(
        fire(&c, Direction::Forward, "(text ab text ab)"),
        "text ab; "
    );
    assert_eq!(fire(&c, Direction::Forward, "(text ab text ac)"), "");
    let c = compile("way: `(way ?k ?s)` => `?s` if k == \"v\"");
    assert_eq!(fire(&c, Direction::Forward, "(way v one 1)"), "one 1; ");
    assert_eq!(fire(&c, Direction::Forward, "(way h one 1)"), "");
    let c = compile("choose: `(way ?k way ?l)` => `way ?m` where m = if k == \"v\" then l else k");
    assert_eq!(fire(&c, Direction::Forward, "(way v way h)"), "way h; ");
    assert_eq!(fire(&c, Direction::Forward, "(way h way v)"), "way h; ");
}

#[test]
fn computations_see_the_kind_of_a_subtree() {
    let rule = "kind: `(?a ?b)` => `?c` where \
                c = match a { One => b, Pair => a, _ => if true then a else b }";
    let c = compile(rule);
    let plan = Plan::new(&c.grammar, &c.rules[0], Direction::Forward);
    assert_eq!(plan.looks_into(), [0, 1]);
    assert_eq!(fire(&c, Direction::Forward, "(one 1 two 1 2)"), "two 1 2; ");
    assert_eq!(fire(&c, Direction::Forward, "(two 1 2 one 1)"), "two 1 2; ");
    // Known by its root and a number only.
    let one = c
        .grammar
        .productions
        .iter()
        .position(|p| p.name == "One")
        .unwrap();
    let root = ProdId::from_index(one);
    let mut bindings = Bindings::new(&c.rules[0]);
    bindings.set(0, Bound::Elsewhere { root, id: 7 });
    bindings.set(1, Bound::Elsewhere { root, id: 9 });
    assert!(plan.complete_once(&mut bindings));
    assert_eq!(bindings.get(2), Some(&Bound::Elsewhere { root, id: 9 }));
    assert_eq!(build(&c.grammar, &c.rules[0].right, &bindings), None);
}

#[test]
fn places_that_bind_tighter_refuse() {
    let c = Compiled::from_text(
        "t",
        r#"
        language t
        start E
        size nodes
        sample size 1..=9
        token N = 0..=9
        sort E {
            Lit = n:N
            Paren = "(" of:E ")"
            infix left { Add = "+" }
            infix left { Mul = "*" }
        }
        rewrite E { swap: `?a + ?b` => `?b + ?a` }
        "#,
    )
    .unwrap();
    assert_eq!(fire(&c, Direction::Forward, "1 + 2 * 3"), "2 * 3 + 1; ");
    assert_eq!(fire(&c, Direction::Forward, "1 + 2 + 3"), "unfit; ");
}
