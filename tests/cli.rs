//! The command line, run as a process: exit codes, JSON keys, whole files, bad input.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const DONUT: &str = "(- (Circle 6 8 8) (Circle 3 8 8))";

fn grammar(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("grammars").join(name).display().to_string()
}

/// Runs `tdc` in a folder with something on standard input.
fn tdc_in(folder: &Path, args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tdc"))
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("tdc starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_vec();
    // In a thread, since both pipes can fill; a command that reads nothing closes its end.
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().expect("tdc ends");
    writer.join().expect("the writer ends");
    output
}

fn tdc(args: &[&str]) -> Output {
    tdc_in(Path::new("."), args, b"")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("no signal")
}

#[track_caller]
fn ok(args: &[&str]) -> String {
    let output = tdc(args);
    assert_eq!(code(&output), 0, "{args:?}: {}", stderr(&output));
    stdout(&output)
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn json_lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect()
}

#[track_caller]
fn has_keys(value: &Value, keys: &[&str]) {
    for key in keys {
        assert!(value.get(key).is_some(), "no `{key}` in {value}");
    }
}

/// Nothing but these, and no temporary file left over.
#[track_caller]
fn holds_exactly(folder: &Path, names: &[&str]) {
    let mut found: Vec<String> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    found.sort();
    let mut names: Vec<&str> = names.to_vec();
    names.sort_unstable();
    assert_eq!(found, names);
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// A program's PNG in a folder.
fn png(folder: &Path, name: &str, program: &str) -> PathBuf {
    let path = folder.join(name);
    ok(&[
        "render",
        &grammar("csg2d.tdg"),
        program,
        "-o",
        &path.display().to_string(),
    ]);
    path
}

#[test]
fn every_subcommand_has_a_help_with_examples() {
    for name in [
        "new", "check", "compile", "fmt", "parse", "print", "sample", "mutate", "path", "render",
        "solve", "explain",
    ] {
        let help = ok(&[name, "--help"]);
        assert!(help.contains("Examples:"), "{name}");
        assert!(help.contains(&format!("tdc {name}")), "{name}");
    }
}

#[test]
fn a_wrong_command_line_gives_2() {
    let csg = grammar("csg2d.tdg");
    let wrong: &[&[&str]] = &[
        &[],
        &["frobnicate"],
        &["sample"],
        &["sample", &csg, "-n", "many"],
        &["sample", &csg, "--size", "8..=2"],
        &["sample", &csg, "--size", "99999999999999999999"],
        &["sample", &csg, "-n", "99999999999999999999999"],
        &["render", &csg, DONUT, "-o", "picture.gif"],
        &["render", &csg, DONUT, "-o", "picture.svg", "--scale", "2"],
        &["render", &csg, DONUT, "-o", "picture.png", "--scale", "100000"],
        &["solve", &csg],
        &["solve", &csg, "--target", "x.png", "--time", "NaN"],
        &["solve", &csg, "--target", "x.png", "--time", "1e300"],
        &["solve", &csg, "--target", "x.png", "--threads", "0"],
        &["path", &csg, "-", "-"],
        &["new", "7"],
        &["check", &csg, "--format", "xml"],
    ];
    for args in wrong {
        let output = tdc(args);
        assert_eq!(code(&output), 2, "{args:?}: {}", stderr(&output));
        assert!(!output.stderr.is_empty(), "{args:?} says nothing");
        assert!(output.stdout.is_empty(), "{args:?} writes results");
    }
}

#[test]
fn new_writes_a_grammar_that_works() {
    let folder = folder();
    let run = |args: &[&str]| {
        let output = tdc_in(folder.path(), args, b"");
        assert_eq!(code(&output), 0, "{args:?}: {}", stderr(&output));
        stdout(&output)
    };
    assert_eq!(run(&["new", "my-icons"]), "wrote my-icons.tdg\n");
    holds_exactly(folder.path(), &["my-icons.tdg"]);
    let table = run(&["check", "my-icons.tdg"]);
    assert!(table.contains("my_icons"), "{table}");
    run(&["fmt", "--check", "my-icons.tdg"]);
    // Nothing worth a remark either.
    let checked = tdc_in(folder.path(), &["check", "my-icons.tdg"], b"");
    assert_eq!(stderr(&checked), "");
    // What its head promises works.
    run(&["sample", "my-icons.tdg", "-n", "5"]);
    run(&["render", "my-icons.tdg", "(cut (disc 16 16 12) (disc 16 16 6))", "-o", "ring.svg"]);
    run(&["compile", "my-icons.tdg", "-o", "out"]);
    holds_exactly(&folder.path().join("out"), &["index.html", "grammar.ebnf", "ir.json"]);
    // It replaces nothing unasked.
    let again = tdc_in(folder.path(), &["new", "my-icons"], b"");
    assert_eq!(code(&again), 1);
    run(&["new", "my-icons", "--force"]);
}

#[test]
fn check_tells_of_the_language_and_of_mistakes() {
    let text = ok(&["check", &grammar("csg2d.tdg")]);
    for part in ["csg2d", "Circle", "128 x 128 ink", "iou >= 0.99", "donut"] {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
    let lines = json_lines(&ok(&["check", &grammar("json.tdg"), "--format", "json"]));
    assert_eq!(lines.len(), 1);
    has_keys(&lines[0], &["file", "ok", "errors", "warnings", "diagnostics", "language"]);
    has_keys(
        &lines[0]["language"],
        &[
            "language", "docs", "start", "canvas", "goal", "sample", "mutate", "size", "observe",
            "sorts", "tokens", "programs", "rewrites", "examples",
        ],
    );
    assert_eq!(lines[0]["ok"], true);

    let folder = folder();
    fs::write(folder.path().join("bad.tdg"), "start Nowhere\nsort A { B = x:Missing }\n")
        .expect("written");
    let output = tdc_in(folder.path(), &["check", "bad.tdg"], b"");
    assert_eq!(code(&output), 1);
    assert!(output.stdout.is_empty());
    // Plain text where there is no terminal.
    assert!(!stderr(&output).contains('\x1b'));
    let output = tdc_in(folder.path(), &["check", "bad.tdg", "--format", "json"], b"");
    assert_eq!(code(&output), 1);
    let lines = json_lines(&stdout(&output));
    assert_eq!(lines[0]["ok"], false);
    let found = lines[0]["diagnostics"].as_array().expect("a list");
    assert_eq!(lines[0]["errors"], found.iter().filter(|d| d["severity"] == "error").count());
    for diagnostic in found {
        has_keys(diagnostic, &["code", "severity", "message"]);
    }
}

/// Number of programs of sizes 1 and 2 by hand: 16^3 circles, 16^4 * 8 quads; two operators.
#[test]
fn check_counts_programs() {
    let lines = json_lines(&ok(&["check", &grammar("csg2d.tdg"), "--format", "json"]));
    let rows = lines[0]["language"]["programs"].as_array().expect("rows");
    let one = 16f64.powi(3) + 16f64.powi(4) * 8.0;
    let two = 2.0 * one * one;
    assert_eq!(rows[0]["size"], 2);
    assert_eq!(rows[0]["programs"].as_f64(), Some(two));
    // Three: the left or the right part is the larger one.
    assert_eq!(rows[1]["programs"].as_f64(), Some(2.0 * 2.0 * one * two));
}

#[test]
fn compile_writes_whole_folders() {
    let folder = folder();
    let out = folder.path().join("deep/er/csg");
    let path = out.display().to_string();
    ok(&["compile", &grammar("csg2d.tdg"), "-o", &path]);
    holds_exactly(&out, &["index.html", "grammar.ebnf", "ir.json"]);
    let page = fs::read_to_string(out.join("index.html")).expect("a page");
    assert!(page.contains("prefers-color-scheme"));
    assert!(page.matches("<svg").count() > 30, "few pictures");
    // Nothing is loaded from elsewhere. (The SVG name space is a name, not an address.)
    let addresses = page.replace("http://www.w3.org/2000/svg", "");
    assert!(!addresses.contains("http://") && !addresses.contains("https://"));
    assert!(!addresses.contains("<script src") && !addresses.contains("@import"));
    // Ids are those of one page.
    let mut ids: Vec<&str> = page
        .match_indices(" id=\"")
        .map(|(at, _)| page[at + 5..].split('"').next().expect("an id"))
        .collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "an id occurs twice");
    for (at, _) in page.match_indices("href=\"#") {
        let to = page[at + 7..].split('"').next().expect("an id");
        assert!(ids.contains(&to), "{to} leads nowhere");
    }
    // Again, over what is there, and beside what is not its own.
    fs::write(out.join("mine.txt"), "mine").expect("written");
    ok(&["compile", &grammar("csg2d.tdg"), "-o", &path]);
    holds_exactly(&out, &["index.html", "grammar.ebnf", "ir.json", "mine.txt"]);
    assert_eq!(fs::read_to_string(out.join("index.html")).expect("a page"), page);
    // A file is in the way.
    let taken = out.join("mine.txt").display().to_string();
    assert_eq!(code(&tdc(&["compile", &grammar("csg2d.tdg"), "-o", &taken])), 1);
}

#[test]
fn compile_emits_every_stage() {
    for kind in ["tokens", "ast", "grammar", "info", "ir", "ebnf", "scene", "gallery"] {
        let text = ok(&["compile", &grammar("csg2d.tdg"), "--emit", kind]);
        assert!(!text.is_empty(), "{kind}");
        if ["ast", "info", "ir", "scene"].contains(&kind) {
            let value: Value = serde_json::from_str(&text).expect("JSON");
            assert!(value.is_object() || value.is_array());
        }
    }
    let ebnf = ok(&["compile", &grammar("json.tdg"), "--emit", "ebnf"]);
    assert!(ebnf.contains("Value"), "{ebnf}");
    assert!(ebnf.contains("(Member (\",\" Member)*)?"), "{ebnf}");
    // Binding strengths are rules of their own.
    let ebnf = ok(&["compile", &grammar("arith.tdg"), "--emit", "ebnf"]);
    assert!(ebnf.contains("Expr_1"), "{ebnf}");
}

#[test]
fn every_shipped_grammar_compiles() {
    let folder = folder();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("grammars");
    for entry in fs::read_dir(root).expect("grammars") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|e| e == "tdg") {
            let out = folder.path().join(path.file_stem().expect("a name"));
            ok(&["compile", &path.display().to_string(), "-o", &out.display().to_string()]);
        }
    }
}

#[test]
fn fmt_lays_out_and_is_idempotent() {
    let folder = folder();
    let path = folder.path().join("a.tdg");
    let untidy = "language   a\nstart A   // here\nsample size 1..=1\nsize nodes\nsort A{B=\"b\"}\n";
    fs::write(&path, untidy).expect("written");
    let run = |args: &[&str]| tdc_in(folder.path(), args, b"");
    assert_eq!(code(&run(&["fmt", "--check", "a.tdg"])), 1);
    assert_eq!(fs::read_to_string(&path).expect("text"), untidy);
    assert_eq!(code(&run(&["fmt", "a.tdg"])), 0);
    let tidy = fs::read_to_string(&path).expect("text");
    assert!(tidy.contains("// here"), "{tidy}");
    assert_eq!(code(&run(&["fmt", "--check", "a.tdg"])), 0);
    holds_exactly(folder.path(), &["a.tdg"]);
    let piped = tdc_in(folder.path(), &["fmt", "-"], untidy.as_bytes());
    assert_eq!(stdout(&piped), tidy);
    // A file that cannot be read stays as it is.
    fs::write(&path, "sort {{{").expect("written");
    assert_eq!(code(&run(&["fmt", "a.tdg"])), 1);
    assert_eq!(fs::read_to_string(&path).expect("text"), "sort {{{");
}

#[test]
fn parse_and_print_undo_each_other() {
    for name in ["csg2d.tdg", "tinysvg.tdg", "json.tdg", "arith.tdg", "imp.tdg", "street.tdg"] {
        let grammar = grammar(name);
        let samples = ok(&["sample", &grammar, "-n", "40", "--seed", "3"]);
        let run = |args: &[&str], input: &str| {
            let output = tdc_in(Path::new("."), args, input.as_bytes());
            assert_eq!(code(&output), 0, "{name} {args:?}: {}", stderr(&output));
            stdout(&output)
        };
        assert_eq!(run(&["print", &grammar, "-"], &samples), samples, "{name}");
        let trees = run(&["parse", &grammar, "-", "--format", "json"], &samples);
        for (line, program) in json_lines(&trees).iter().zip(samples.lines()) {
            has_keys(line, &["program", "size", "nodes", "tree"]);
            assert_eq!(line["program"], program);
        }
        assert_eq!(run(&["print", &grammar, "-", "--from", "tree"], &trees), samples, "{name}");
    }
}

#[test]
fn parse_shows_positions_and_fields() {
    let text = ok(&["parse", &grammar("csg2d.tdg"), DONUT]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 10, "{text}");
    assert!(lines[0].contains("0  Combine"), "{text}");
    assert!(lines[1].contains("op: Sub"), "{text}");
    assert!(lines[2].contains("a: Circle"), "{text}");
    assert!(lines[3].contains("r: 6 Coord"), "{text}");
    let line = &json_lines(&ok(&["parse", &grammar("csg2d.tdg"), DONUT, "--format", "json"]))[0];
    let circle = |r: u32| serde_json::json!({"Circle": {"r": r, "x": 8, "y": 8}});
    let tree = serde_json::json!({"Combine": {"op": "Sub", "a": circle(6), "b": circle(3)}});
    assert_eq!(line["tree"], tree);
    assert_eq!((line["size"].as_u64(), line["nodes"].as_u64()), (Some(2), Some(10)));
}

#[test]
fn wrong_trees_are_told_by_their_place() {
    let csg = grammar("csg2d.tdg");
    for (tree, place) in [
        (r#"{"Circle": {"r": 3, "x": 4, "y": 16}}"#, "$.Circle.y"),
        (r#"{"Circle": {"r": 3, "x": 4}}"#, "$.Circle.y"),
        (r#"{"Circle": {"r": 3, "x": 4, "y": 5, "z": 6}}"#, "$.Circle.z"),
        (r#"{"Ring": {}}"#, "$"),
        ("[1, 2]", "$"),
        (r#"{"Combine": {"op": "Add", "a": 3, "b": 4}}"#, "$.Combine.a"),
    ] {
        let output = tdc(&["print", &csg, tree, "--from", "tree"]);
        assert_eq!(code(&output), 1, "{tree}");
        assert!(stderr(&output).contains(place), "{tree}: {}", stderr(&output));
    }
}

#[test]
fn programs_come_from_arguments_files_and_standard_input() {
    let folder = folder();
    let csg = grammar("csg2d.tdg");
    fs::write(folder.path().join("two.txt"), "(Circle 1 2 3)\n\n(Circle 4  5 6)\n")
        .expect("written");
    let output = tdc_in(folder.path(), &["print", &csg, "two.txt"], b"");
    assert_eq!(stdout(&output), "(Circle 1 2 3)\n(Circle 4 5 6)\n");
    let output = tdc_in(folder.path(), &["print", &csg, "-"], b"(Circle 1 2 3)\n");
    assert_eq!(stdout(&output), "(Circle 1 2 3)\n");
    // One program over several lines.
    let split = b"(Circle 1\n 2 3)\n";
    let output = tdc_in(folder.path(), &["print", &csg, "-", "--whole"], split);
    assert_eq!(stdout(&output), "(Circle 1 2 3)\n");
    // A program that begins with a sign is no option.
    assert_eq!(ok(&["print", &grammar("arith.tdg"), "-1"]), "-1\n");
    // Every wrong line is told, with its number.
    let output = tdc_in(folder.path(), &["parse", &csg, "-"], b"(Circle 1)\n(Circle 1 2 3)\nx\n");
    assert_eq!(code(&output), 1);
    let told = stderr(&output);
    assert!(told.contains("<stdin>:1") && told.contains("<stdin>:3"), "{told}");
    assert!(!told.contains("<stdin>:2"), "{told}");
    // None at all.
    assert_eq!(code(&tdc_in(folder.path(), &["parse", &csg, "-"], b"\n\n")), 1);
}

#[test]
fn samples_are_the_same_for_a_seed_and_stay_in_the_window() {
    let csg = grammar("csg2d.tdg");
    let args = ["sample", &csg, "-n", "50", "--size", "3..=4", "--format", "json"];
    let first = ok(&args);
    assert_eq!(first, ok(&args));
    let lines = json_lines(&first);
    assert_eq!(lines.len(), 50);
    for line in &lines {
        has_keys(line, &["program", "size", "nodes"]);
        assert!((3..=4).contains(&line["size"].as_u64().expect("a number")));
    }
    let other = ok(&["sample", &csg, "-n", "50", "--size", "3..=4", "--format", "json", "--seed", "1"]);
    assert_ne!(first, other);
    // More programs begin with the same ones.
    let few = ok(&["sample", &csg, "-n", "3", "--seed", "9"]);
    assert!(ok(&["sample", &csg, "-n", "6", "--seed", "9"]).starts_with(&few));
    let frontier = ok(&["sample", &csg, "-n", "3", "--seed", "9", "--procedure", "frontier"]);
    assert_ne!(few, frontier);
    // No program is that small.
    let output = tdc(&["sample", &csg, "--size", "0"]);
    assert_eq!(code(&output), 1);
    assert!(!output.stderr.is_empty());
}

#[test]
fn results_go_to_a_whole_file() {
    let folder = folder();
    let csg = grammar("csg2d.tdg");
    let output = tdc_in(folder.path(), &["sample", &csg, "-n", "20", "-o", "p.txt"], b"");
    assert_eq!(code(&output), 0);
    assert!(output.stdout.is_empty());
    holds_exactly(folder.path(), &["p.txt"]);
    let text = fs::read_to_string(folder.path().join("p.txt")).expect("text");
    assert_eq!(text.lines().count(), 20);
    // A folder that is not there.
    let output = tdc_in(folder.path(), &["sample", &csg, "-o", "no/p.txt"], b"");
    assert_eq!(code(&output), 1);
    // Wrong input leaves the old file as it was.
    let output = tdc_in(folder.path(), &["print", &csg, "(Circle", "-o", "p.txt"], b"");
    assert_eq!(code(&output), 1);
    holds_exactly(folder.path(), &["p.txt"]);
}

#[test]
fn mutations_say_what_they_change() {
    let csg = grammar("csg2d.tdg");
    let lines = json_lines(&ok(&["mutate", &csg, DONUT, "-n", "30", "--format", "json"]));
    assert_eq!(lines.len(), 30);
    for line in &lines {
        has_keys(
            line,
            &["before", "after", "position", "old", "new", "old_span", "new_span"],
        );
        assert_eq!(line["before"], DONUT);
        assert_ne!(line["after"], DONUT);
        let part = |text: &str, span: &str| {
            let text = line[text].as_str().expect("text");
            let at = |i: usize| line[span][i].as_u64().expect("a number") as usize;
            text[at(0)..at(1)].to_owned()
        };
        assert_eq!(line["old"], part("before", "old_span"));
        assert_eq!(line["new"], part("after", "new_span"));
    }
    let text = ok(&["mutate", &csg, DONUT, "-n", "1"]);
    let shown: Vec<&str> = text.lines().collect();
    assert_eq!(shown.len(), 3);
    assert!(shown[1].trim().chars().all(|c| c == '^'), "{text}");
    let bare = ok(&["mutate", &csg, DONUT, "-n", "30", "--bare"]);
    assert!(bare.lines().eq(lines.iter().map(|l| l["after"].as_str().expect("text"))));
    for by in ["size", "rule", "node"] {
        ok(&["mutate", &csg, DONUT, "--by", by, "--small", "1"]);
    }
}

#[test]
fn paths_arrive() {
    let csg = grammar("csg2d.tdg");
    let samples = ok(&["sample", &csg, "-n", "20", "--seed", "5"]);
    let programs: Vec<&str> = samples.lines().collect();
    for pair in programs.chunks_exact(2) {
        for strict in [false, true] {
            let mut args = vec!["path", &csg, pair[0], pair[1], "--format", "json"];
            if strict {
                args.push("--strict");
            }
            let lines = json_lines(&ok(&args));
            for line in &lines {
                has_keys(line, &["step", "position", "old", "new", "program"]);
            }
            assert_eq!(lines.last().expect("a step")["program"], pair[1]);
        }
    }
    assert_eq!(ok(&["path", &csg, DONUT, DONUT, "--format", "json"]), "");
}

#[test]
fn render_writes_svg_and_png() {
    let folder = folder();
    let csg = grammar("csg2d.tdg");
    let svg = ok(&["render", &csg, DONUT]);
    assert!(svg.contains("<svg"), "{svg}");
    let outline = ok(&["render", &csg, DONUT, "--outline"]);
    assert!(outline.contains("<path") && !outline.contains("<mask"), "{outline}");
    let run = |args: &[&str]| {
        let output = tdc_in(folder.path(), args, b"");
        assert_eq!(code(&output), 0, "{args:?}: {}", stderr(&output));
        stdout(&output)
    };
    run(&["render", &csg, DONUT, "-o", "a.svg"]);
    assert_eq!(fs::read_to_string(folder.path().join("a.svg")).expect("text"), svg);
    let lines = run(&["render", &csg, DONUT, "-o", "a.png", "--scale", "3", "--format", "json"]);
    has_keys(&json_lines(&lines)[0], &["program", "file", "kind", "width", "height"]);
    assert_eq!(png_size(&folder.path().join("a.png")), (384, 384));
    run(&["render", &csg, DONUT, "-o", "b.png"]);
    assert_eq!(png_size(&folder.path().join("b.png")), (128, 128));
    let two = format!("{DONUT}\n(Circle 3 4 5)\n");
    let output = tdc_in(folder.path(), &["render", &csg, "-", "-o", "n-{}.svg"], two.as_bytes());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    holds_exactly(folder.path(), &["a.svg", "a.png", "b.png", "n-1.svg", "n-2.svg"]);
    // Sketches: seeded, and different for another seed.
    let sketch = grammar("csg2d_sketch.tdg");
    let observed = |seed| run(&["render", &sketch, DONUT, "--observe", "--seed", seed]);
    assert_eq!(observed("1"), observed("1"));
    assert_ne!(observed("1"), observed("2"));
    assert_eq!(code(&tdc(&["render", &csg, DONUT, "--observe"])), 1);
    // Languages without pictures.
    assert_eq!(code(&tdc(&["render", &grammar("json.tdg"), "[1, 2]"])), 1);
}

/// Width and height from a PNG's header.
fn png_size(path: &Path) -> (u32, u32) {
    let bytes = fs::read(path).expect("a file");
    assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    (number(16), number(20))
}

#[test]
fn solve_finds_a_simple_program() {
    let folder = folder();
    let target = png(folder.path(), "target.png", "(- (Circle 6 8 8) (Quad 8 8 4 3 0))");
    let out = folder.path().join("found");
    let text = ok(&[
        "solve",
        &grammar("csg2d.tdg"),
        "--target",
        &target.display().to_string(),
        "-o",
        &out.display().to_string(),
        "--evaluations",
        "200000",
        "--format",
        "json",
    ]);
    let report = &json_lines(&text)[0];
    has_keys(
        report,
        &[
            "solved", "stop", "program", "size", "nodes", "score", "goal", "goal_score", "iou",
            "seed", "threads", "max_size", "seconds", "evaluations", "expansions", "renders",
            "trajectory", "grammar", "target",
        ],
    );
    assert_eq!(report["solved"], true);
    assert!(report["iou"].as_f64().expect("a number") >= 0.99);
    holds_exactly(
        &out,
        &[
            "program.txt", "report.json", "result.png", "result.svg", "side_by_side.png",
            "target.png",
        ],
    );
    let program = fs::read_to_string(out.join("program.txt")).expect("text");
    assert_eq!(report["program"], program.trim_end());
    // The program draws what was written beside it.
    let again = png(folder.path(), "again.png", program.trim_end());
    assert_eq!(
        fs::read(again).expect("a file"),
        fs::read(out.join("result.png")).expect("a file")
    );
}

#[test]
fn solve_is_the_same_for_every_number_of_threads() {
    let folder = folder();
    let target = png(folder.path(), "target.png", "(+ (Circle 3 4 5) (Quad 10 9 5 3 45))");
    let solve = |threads: &str, evaluations: &str| {
        let output = tdc(&[
            "solve",
            &grammar("csg2d.tdg"),
            "--target",
            &target.display().to_string(),
            "--evaluations",
            evaluations,
            "--threads",
            threads,
            "--seed",
            "4",
            "--format",
            "json",
        ]);
        let mut report = json_lines(&stdout(&output)).remove(0);
        let map = report.as_object_mut().expect("an object");
        map.remove("seconds");
        map.remove("threads");
        for step in map["trajectory"].as_array_mut().expect("a list") {
            step.as_object_mut().expect("an object").remove("seconds");
        }
        (code(&output), report)
    };
    assert_eq!(solve("1", "60000"), solve("3", "60000"));
    // Too few to get anywhere: not solved, the best is given all the same.
    let (code, report) = solve("2", "50");
    assert_eq!(code, 3);
    assert_eq!(report["stop"], "evaluations");
    assert!(report["program"].is_string());
}

#[test]
fn solve_reads_sketches() {
    let folder = folder();
    let sketch = grammar("csg2d_sketch.tdg");
    let target = folder.path().join("sketch.png").display().to_string();
    ok(&["render", &sketch, "(Circle 5 8 8)", "--observe", "-o", &target]);
    let output = tdc(&[
        "solve", &sketch, "--target", &target, "--evaluations", "30000", "--max-size", "2",
        "--format", "json",
    ]);
    let report = &json_lines(&stdout(&output))[0];
    assert_eq!(report["solved"], true, "{report}");
    assert!(report["goal_score"].is_null());
}

#[test]
fn explain_knows_every_code() {
    let list = json_lines(&ok(&["explain", "--format", "json"]));
    assert!(!list.is_empty());
    for entry in &list {
        has_keys(entry, &["code", "severity", "title"]);
    }
    let code_text = list[0]["code"].as_str().expect("text");
    let page = ok(&["explain", code_text]);
    assert!(page.contains(code_text), "{page}");
    assert_eq!(page, ok(&["explain", &code_text.to_lowercase()]));
    assert_eq!(code(&tdc(&["explain", "E9999"])), 1);
}

#[test]
fn bad_grammars_give_1() {
    let folder = folder();
    let nested = format!("const = {}", "(".repeat(10_000));
    let deep_fn = format!("fn f() -> Num = {}1{}", "(".repeat(10_000), ")".repeat(10_000));
    let huge = "token T = 0..=999999999999999999999999999999999999999999";
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("nonsense", (0u8..=255).cycle().take(5000).collect()),
        ("not-utf8", vec![0xff, 0xfe, 0x00, 0x41]),
        ("empty", Vec::new()),
        ("nested", nested.into_bytes()),
        ("deep", deep_fn.into_bytes()),
        ("huge", huge.as_bytes().to_vec()),
        ("open", b"sort A { B = \"".to_vec()),
        ("nul", b"language a\0b".to_vec()),
    ];
    for (name, bytes) in cases {
        let file = format!("{name}.tdg");
        fs::write(folder.path().join(&file), bytes).expect("written");
        let output = tdc_in(folder.path(), &["check", &file], b"");
        assert_eq!(code(&output), 1, "{name}: {}", stderr(&output));
        assert!(!output.stderr.is_empty(), "{name}");
        let output = tdc_in(folder.path(), &["fmt", "--check", &file], b"");
        assert!(code(&output) <= 1, "{name}: {}", stderr(&output));
    }
    assert_eq!(code(&tdc_in(folder.path(), &["check", "missing.tdg"], b"")), 1);
    assert_eq!(code(&tdc_in(folder.path(), &["check", "."], b"")), 1);
}

#[test]
fn bad_programs_give_1() {
    let csg = grammar("csg2d.tdg");
    let deep_open = "(+ ".repeat(10_000);
    let brackets = "(".repeat(10_000);
    for text in [
        "",
        " ",
        "(Circle",
        "(Circle 3 4 99999999999999999999999999)",
        "(Circle 3 4 NaN)",
        "(Circle 3 4 5) (Circle 3 4 5)",
        "\u{1F600}",
        deep_open.as_str(),
        brackets.as_str(),
    ] {
        for command in ["parse", "print", "mutate", "render"] {
            let output = tdc(&[command, &csg, text]);
            assert_eq!(code(&output), 1, "{command} {:.40}: {}", text, stderr(&output));
            assert!(!output.stderr.is_empty());
        }
    }
    // On standard input any bytes can come.
    let bytes: Vec<u8> = (0u8..=255).cycle().take(3000).collect();
    assert_eq!(code(&tdc_in(Path::new("."), &["parse", &csg, "-"], &bytes)), 1);
    let tree = "[".repeat(1_000_000);
    let output = tdc_in(Path::new("."), &["print", &csg, "-", "--from", "tree"], tree.as_bytes());
    assert_eq!(code(&output), 1, "{}", stderr(&output));
}

#[test]
fn deep_programs_work() {
    let depth = 10_000;
    let deep = format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
    let arith = grammar("arith.tdg");
    let run = |args: &[&str], input: &str| {
        let output = tdc_in(Path::new("."), args, input.as_bytes());
        assert_eq!(code(&output), 0, "{args:?}: {:.300}", stderr(&output));
        stdout(&output)
    };
    let printed = run(&["print", &arith, "-"], &deep);
    assert_eq!(printed.trim_end(), deep);
    let tree = run(&["parse", &arith, "-", "--format", "json"], &deep);
    assert_eq!(run(&["print", &arith, "-"], &tree), printed);
    run(&["parse", &arith, "-"], &deep);
    run(&["mutate", &arith, "-"], &deep);
    let csg = grammar("csg2d.tdg");
    let csg_depth = 2_000;
    let many = format!(
        "{}(Circle 1 2 3){}",
        "(+ ".repeat(csg_depth),
        " (Circle 1 2 3))".repeat(csg_depth)
    );
    run(&["render", &csg, "-"], &many);
}

#[test]
fn bad_pictures_give_1() {
    let folder = folder();
    let csg = grammar("csg2d.tdg");
    let good = fs::read(png(folder.path(), "good.png", DONUT)).expect("a file");
    // A header that promises 100,000 x 100,000 pixels.
    let mut bomb = good.clone();
    bomb[16..20].copy_from_slice(&100_000u32.to_be_bytes());
    bomb[20..24].copy_from_slice(&100_000u32.to_be_bytes());
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("noise", (0u8..=255).cycle().take(5000).collect()),
        ("cut", good[..good.len() / 2].to_vec()),
        ("bomb", bomb),
        ("text", b"not a picture".to_vec()),
    ];
    for (name, bytes) in cases {
        let file = format!("{name}.png");
        fs::write(folder.path().join(&file), bytes).expect("written");
        let args = ["solve", &csg, "--target", &file, "--time", "1", "-o", "out"];
        let output = tdc_in(folder.path(), &args, b"");
        assert_eq!(code(&output), 1, "{name}: {}", stderr(&output));
        assert!(!folder.path().join("out").exists(), "{name} left a folder");
    }
    let missing = ["solve", &csg, "--target", "missing.png"];
    assert_eq!(code(&tdc_in(folder.path(), &missing, b"")), 1);
    // A language that draws nothing.
    let json = grammar("json.tdg");
    assert_eq!(code(&tdc_in(folder.path(), &["solve", &json, "--target", "good.png"], b"")), 1);
}

#[test]
fn a_closed_pipe_is_no_mistake() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tdc"))
        .args(["sample", &grammar("csg2d.tdg"), "-n", "1000000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("tdc starts");
    // The reader goes at once, as `head` does.
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("tdc ends");
    assert_eq!(code(&output), 0);
    assert_eq!(stderr(&output), "");
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_what_is_finished() {
    use std::io::{BufRead, BufReader};

    let folder = folder();
    let target = png(folder.path(), "target.png", DONUT);
    // A goal out of reach: a light-on-dark picture with one primitive.
    let mut child = Command::new(env!("CARGO_BIN_EXE_tdc"))
        .args(["solve", &grammar("csg2d.tdg"), "--invert", "--max-size", "1", "--time", "300"])
        .args(["--target", &target.display().to_string(), "-o", "out"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("tdc starts");
    std::thread::sleep(std::time::Duration::from_secs(3));
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().expect("kill").success());
    let status = child.wait().expect("tdc ends");
    assert_eq!(status.code(), Some(3));
    let report = fs::read_to_string(folder.path().join("out/report.json")).expect("a report");
    let report: Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(report["stop"], "interrupted");

    // A stream to a file: what was drawn is there, whole lines.
    let mut child = Command::new(env!("CARGO_BIN_EXE_tdc"))
        .args(["sample", &grammar("csg2d.tdg"), "-n", "1000000000", "-o", "many.txt"])
        .current_dir(folder.path())
        .spawn()
        .expect("tdc starts");
    std::thread::sleep(std::time::Duration::from_secs(2));
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().expect("kill").success());
    assert_eq!(child.wait().expect("tdc ends").code(), Some(130));
    let many = fs::File::open(folder.path().join("many.txt")).expect("a file");
    let last = BufReader::new(many).lines().map_while(Result::ok).last().expect("lines");
    assert!(last.starts_with('(') && last.ends_with(')'), "{last}");
}

#[test]
fn colours_only_where_they_are_wanted() {
    let output = tdc(&["check", &grammar("csg2d.tdg")]);
    assert!(!stdout(&output).contains('\x1b'));
    let output = tdc(&["parse", &grammar("csg2d.tdg"), "(Circle"]);
    assert!(!stderr(&output).contains('\x1b'));
}
