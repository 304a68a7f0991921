//! Test sets: tasks.

use super::*;

#[test]
fn tasks_writes_a_set_that_is_the_same_again() {
    let folder = folder();
    let run = |to: &str, set: &str| {
        let args = [
            "tasks",
            &grammar("csg2d_sketch.tdg"),
            "--set",
            set,
            "-n",
            "12",
            "--seed",
            "3",
            "-o",
            to,
            "--format",
            "json",
        ];
        let output = tdc_in(folder.path(), &args, b"");
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        json_lines(&stdout(&output)).remove(0)
    };
    let (one, two, hard) = (run("a", "ordinary"), run("b", "ordinary"), run("c", "hard"));
    assert_eq!(one, two);
    assert_ne!(one["fingerprint"], hard["fingerprint"]);
    assert!(hard["lz4_threshold"].as_u64() > Some(100));
    has_keys(
        &one,
        &[
            "format",
            "name",
            "language",
            "language_fingerprint",
            "fingerprint",
            "set",
            "tasks",
            "seed",
            "sizes",
            "pool",
            "lz4_threshold",
            "goal",
            "canvas",
            "observed",
        ],
    );
    assert_eq!(one["observed"], true);
    let at = |name: &str| folder.path().join("a").join(name);
    let index = fs::read_to_string(at("index.json")).expect("text");
    assert_eq!(serde_json::from_str::<Value>(&index).expect("JSON"), one);
    let lines = json_lines(&fs::read_to_string(at("tasks.jsonl")).expect("text"));
    assert_eq!(lines.len(), 12);
    let mut names = vec!["index.json", "overview.png", "tasks.jsonl"];
    for line in &lines {
        let field = |name: &str| line[name].as_str().expect("text");
        names.extend([field("target"), field("truth")]);
        // The true picture is what the program draws.
        let drawn = folder.path().join("drawn.png");
        let drawn_as = drawn.display().to_string();
        let csg = grammar("csg2d_sketch.tdg");
        ok(&["render", &csg, field("program"), "-o", &drawn_as]);
        assert_eq!(
            fs::read(drawn).expect("a file"),
            fs::read(at(field("truth"))).expect("a file")
        );
    }
    holds_exactly(&folder.path().join("a"), &names);
}

#[test]
fn tasks_says_what_it_cannot_do() {
    let folder = folder();
    let to = folder.path().join("set").display().to_string();
    let output = tdc(&["tasks", &grammar("json.tdg"), "-o", &to]);
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains("draw"), "{}", stderr(&output));
    let none = tdc(&["tasks", &grammar("csg2d.tdg"), "-n", "0", "-o", &to]);
    assert_eq!(code(&none), 1);
    let sizes = ["--size", "90000", "-n", "1", "-o", &to];
    let csg = grammar("csg2d.tdg");
    let large = tdc(&[&["tasks", &csg], &sizes[..]].concat());
    assert_eq!(code(&large), 1, "{}", stderr(&large));
    holds_exactly(folder.path(), &[]);
}
