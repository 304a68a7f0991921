//! `tdc check` on rewrite rules.

use std::fs;

use crate::{code, folder, grammar, has_keys, json_lines, ok, stderr, stdout, tdc};

const WRONG: &str = r#"
language wrong
use std.shape.{disc}
use std.transform.{shift}
start Shape
canvas 64 x 64 ink
sample size 1..=3
token N = 0..=7
sort Shape {
    @primitive Disc = "(" "Disc" r:N x:N y:N ")"
    Both = "(" "+" a:Shape b:Shape ")"
    Less = "(" "-" a:Shape b:Shape ")"
}
draw Shape -> Region {
    Disc => disc(8 * r) |> shift(8 * x, 8 * y)
    Both => a + b
    Less => a - b
}
rewrite Shape {
    swap: `(+ ?a ?b)` <=> `(+ ?b ?a)`
    undo: `(- (+ ?a ?b) ?b)` => `?a`
}
"#;

#[test]
fn counterexamples_are_told_and_drawn() {
    let folder = folder();
    let path = folder.path().join("wrong.tdg");
    fs::write(&path, WRONG).expect("a file");
    let path = path.display().to_string();
    let out = folder.path().join("deep/pictures");
    let output = tdc(&["check", &path, "-o", &out.display().to_string()]);
    assert_eq!(code(&output), 1);
    assert_eq!(stdout(&output), "");
    let said = stderr(&output);
    for part in [
        "E0806",
        "rule `undo` does not hold",
        "left:",
        "right:",
        "wrote",
    ] {
        assert!(said.contains(part), "no {part} in\n{said}");
    }
    assert!(!said.contains("swap`"), "{said}");
    let names: Vec<_> = fs::read_dir(&out)
        .expect("the folder")
        .map(|entry| entry.expect("a file").file_name())
        .collect();
    assert_eq!(names, ["wrong.undo.png"]);
    let picture = fs::read(out.join("wrong.undo.png")).expect("a picture");
    assert!(picture.starts_with(b"\x89PNG"));

    // Not looked at, nothing is said.
    assert!(ok(&["check", &path, "--instances", "0"]).contains("rewrites"));

    let output = tdc(&["check", &path, "--format", "json", "--seed", "3"]);
    assert_eq!(code(&output), 1);
    let line = &json_lines(&stdout(&output))[0];
    assert_eq!(line["ok"], false);
    assert_eq!(line["errors"], 1);
    assert_eq!(line["diagnostics"][0]["code"], "E0806");
    let rules = line["rules"].as_array().expect("rules");
    assert_eq!(rules.len(), 2);
    let keys = [
        "name",
        "instances",
        "undrawn",
        "differing",
        "matched",
        "edges",
        "counterexample",
    ];
    has_keys(&rules[0], &keys);
    assert_eq!(rules[0]["instances"], 100);
    assert!(rules[0]["counterexample"].is_null());
    let found = &rules[1]["counterexample"];
    has_keys(found, &["bindings", "left", "right", "programs", "pixels"]);
    // The programs can be drawn, and are what the sides say.
    let [left, right] = ["left", "right"].map(|side| found[side].as_str().expect("a program"));
    assert_eq!(found["bindings"]["a"], right);
    assert!(left.ends_with(&format!("{})", found["bindings"]["b"].as_str().expect("b"))));
    for program in [left, right] {
        let picture = folder.path().join("side.svg").display().to_string();
        ok(&["render", &path, &format!(" {program}"), "-o", &picture]);
    }
}

#[test]
fn the_same_seed_says_the_same() {
    let args = [
        "check",
        &grammar("tinysvg.tdg"),
        "--format",
        "json",
        "--seed",
        "5",
    ];
    assert_eq!(ok(&args), ok(&args));
}

#[test]
fn what_draws_nothing_is_not_tested() {
    let text = ok(&["check", &grammar("arith.tdg")]);
    assert!(text.contains("no rule: programs draw nothing"), "{text}");
}
