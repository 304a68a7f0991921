//! Languages over languages, written to a folder of their own.

use std::fs;

use crate::compiled::{Compiled, Outcome};
use crate::pipeline;

const BASE: &str = r#"
    //! The base.
    language base
    use ./tools.{one}
    start Expr
    size nodes
    sample size 1..=9
    token Number = 0..=9
    sort Expr {
        Lit   = value:Number
        Paren = "(" inner:Expr ")"
        infix left { Add = "+"  Sub = "-" }
        infix left { Mul = "*" }
    }
    sort Unused { Unused = "unused" }
    draw Expr -> Num {
        Lit => value * one()
        Paren => inner
        Add => left + right
        Sub => left - right
        Mul => left * right
    }
    example sum = `1 + 2`
    example difference = `1 - 2`
"#;

fn outcome(derived: &str) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("base.tdg", BASE);
    write("tools.tdg", "fn one() -> Num = 1\nfn two() -> Num = 2");
    write("derived.tdg", derived);
    pipeline::compile_path(&folder.path().join("derived.tdg"))
}

fn compile(derived: &str) -> Compiled {
    let outcome = outcome(derived);
    outcome
        .into_result()
        .unwrap_or_else(|error| panic!("{error}"))
}

/// Productions of a sort with their levels.
fn productions(compiled: &Compiled, sort: &str) -> Vec<(String, u8)> {
    let grammar = &compiled.grammar;
    let sort = grammar.sorts.iter().find(|s| s.name == sort).unwrap();
    let ids = sort.productions.iter();
    ids.map(|id| grammar.production(*id))
        .map(|p| (p.name.clone(), p.level))
        .collect()
}

fn named(list: &[(&str, u8)]) -> Vec<(String, u8)> {
    list.iter()
        .map(|(name, level)| ((*name).to_owned(), *level))
        .collect()
}

#[test]
fn nothing_said_changes_nothing() {
    let compiled = compile("language derived extends base");
    assert_eq!(compiled.grammar.name, "derived");
    assert_eq!(compiled.grammar.sample.max, 9);
    let all = [("Lit", 2), ("Paren", 2), ("Add", 0), ("Sub", 0), ("Mul", 1)];
    assert_eq!(productions(&compiled, "Expr"), named(&all));
    let examples: Vec<&String> = compiled.grammar.examples.keys().collect();
    assert_eq!(examples, ["sum", "difference"]);
    assert!(compiled.grammar.docs.is_empty());
}

#[test]
fn productions_arms_and_tables_merge() {
    let compiled = compile(
        r#"
        language derived
        extends base
        sample size 1..=5
        sort Expr {
            Neg = "neg" of:Expr
            Lit = "no" value:Number
            infix left { Mul = "x"  Div = "/" }
        }
        draw Expr -> Num { Neg => -of  Div => left / right  Add => left + right + 1 }
        "#,
    );
    // `Lit` and `Mul` are replaced in their places; `Neg` comes after the base's plain ones, and
    // `Div` in a table after (so tighter than) the base's.
    let all = [
        ("Lit", 3),
        ("Paren", 3),
        ("Add", 0),
        ("Sub", 0),
        ("Mul", 1),
        ("Neg", 3),
        ("Div", 2),
    ];
    assert_eq!(productions(&compiled, "Expr"), named(&all));
    assert_eq!(compiled.grammar.sample.max, 5);
    assert!(compiled.grammar.literals.contains(&"x".to_owned()));
    assert!(!compiled.grammar.literals.contains(&"*".to_owned()));
    let grammar = &compiled.grammar;
    let drawn = grammar.sorts[0].productions.iter();
    assert!(
        drawn
            .map(|id| grammar.production(*id))
            .all(|p| p.draw.is_some())
    );
}

#[test]
fn what_is_left_out_is_gone() {
    let compiled = compile("language derived extends base without Sub, Mul");
    let all = [("Lit", 1), ("Paren", 1), ("Add", 0)];
    assert_eq!(productions(&compiled, "Expr"), named(&all));
    let wrong = outcome("language derived extends base without Div");
    assert!(wrong.diagnostics.iter().any(|d| d.code.as_str() == "E0201"));
}

#[test]
fn tokens_and_functions_are_replaced() {
    let compiled = compile(
        r#"
        language derived
        extends base
        use ./tools.{two}
        token Number = 0..=4
        fn one() -> Num = two() / two()
        "#,
    );
    assert_eq!(compiled.grammar.tokens[0].domain.count(), Some(5));
    let names: Vec<&str> = compiled
        .grammar
        .fns
        .iter()
        .map(|f| f.name.as_str())
        .collect();
    // The base's arms now call the new `one`; the module's own is still checked.
    assert_eq!(names, ["two", "one", "one"]);
}

#[test]
fn warnings_are_about_the_file_itself() {
    let derived = outcome("language derived extends base use ./tools as t token Own = 0..=3");
    let codes: Vec<&str> = derived
        .diagnostics
        .iter()
        .map(|d| d.code.as_str())
        .collect();
    assert_eq!(codes, ["W0204", "W0302"], "`Unused` is the base's");
}
