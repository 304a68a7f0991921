//! Commands about programs: parse, print, sample, mutate, path.

use super::*;

#[test]
fn parse_and_print_undo_each_other() {
    for name in [
        "csg2d.tdg",
        "tinysvg.tdg",
        "json.tdg",
        "arith.tdg",
        "imp.tdg",
        "street.tdg",
    ] {
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
        assert_eq!(
            run(&["print", &grammar, "-", "--from", "tree"], &trees),
            samples,
            "{name}"
        );
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
    let line = &json_lines(&ok(&[
        "parse",
        &grammar("csg2d.tdg"),
        DONUT,
        "--format",
        "json",
    ]))[0];
    let circle = |r: u32| serde_json::json!({"Circle": {"r": r, "x": 8, "y": 8}});
    let tree = serde_json::json!({"Combine": {"op": "Sub", "a": circle(6), "b": circle(3)}});
    assert_eq!(line["tree"], tree);
    assert_eq!(
        (line["size"].as_u64(), line["nodes"].as_u64()),
        (Some(2), Some(10))
    );
}

#[test]
fn wrong_trees_are_told_by_their_place() {
    let csg = grammar("csg2d.tdg");
    for (tree, place) in [
        (r#"{"Circle": {"r": 3, "x": 4, "y": 16}}"#, "$.Circle.y"),
        (r#"{"Circle": {"r": 3, "x": 4}}"#, "$.Circle.y"),
        (
            r#"{"Circle": {"r": 3, "x": 4, "y": 5, "z": 6}}"#,
            "$.Circle.z",
        ),
        (r#"{"Ring": {}}"#, "$"),
        ("[1, 2]", "$"),
        (
            r#"{"Combine": {"op": "Add", "a": 3, "b": 4}}"#,
            "$.Combine.a",
        ),
    ] {
        let output = tdc(&["print", &csg, tree, "--from", "tree"]);
        assert_eq!(code(&output), 1, "{tree}");
        assert!(
            stderr(&output).contains(place),
            "{tree}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn programs_come_from_arguments_files_and_standard_input() {
    let folder = folder();
    let csg = grammar("csg2d.tdg");
    fs::write(
        folder.path().join("two.txt"),
        "(Circle 1 2 3)\n\n(Circle 4  5 6)\n",
    )
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
    let output = tdc_in(
        folder.path(),
        &["parse", &csg, "-"],
        b"(Circle 1)\n(Circle 1 2 3)\nx\n",
    );
    assert_eq!(code(&output), 1);
    let told = stderr(&output);
    assert!(
        told.contains("<stdin>:1") && told.contains("<stdin>:3"),
        "{told}"
    );
    assert!(!told.contains("<stdin>:2"), "{told}");
    // None at all.
    assert_eq!(
        code(&tdc_in(folder.path(), &["parse", &csg, "-"], b"\n\n")),
        1
    );
}

#[test]
fn samples_are_the_same_for_a_seed_and_stay_in_the_window() {
    let csg = grammar("csg2d.tdg");
    let args = [
        "sample", &csg, "-n", "50", "--size", "3..=4", "--format", "json",
    ];
    let first = ok(&args);
    assert_eq!(first, ok(&args));
    let lines = json_lines(&first);
    assert_eq!(lines.len(), 50);
    for line in &lines {
        has_keys(line, &["program", "size", "nodes"]);
        assert!((3..=4).contains(&line["size"].as_u64().expect("a number")));
    }
    let other = ok(&[
        "sample", &csg, "-n", "50", "--size", "3..=4", "--format", "json", "--seed", "1",
    ]);
    assert_ne!(first, other);
    // More programs begin with the same ones.
    let few = ok(&["sample", &csg, "-n", "3", "--seed", "9"]);
    assert!(ok(&["sample", &csg, "-n", "6", "--seed", "9"]).starts_with(&few));
    let frontier = ok(&[
        "sample",
        &csg,
        "-n",
        "3",
        "--seed",
        "9",
        "--procedure",
        "frontier",
    ]);
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
    let output = tdc_in(
        folder.path(),
        &["sample", &csg, "-n", "20", "-o", "p.txt"],
        b"",
    );
    assert_eq!(code(&output), 0);
    assert!(output.stdout.is_empty());
    holds_exactly(folder.path(), &["p.txt"]);
    let text = fs::read_to_string(folder.path().join("p.txt")).expect("text");
    assert_eq!(text.lines().count(), 20);
    // A folder that is not there.
    let output = tdc_in(folder.path(), &["sample", &csg, "-o", "no/p.txt"], b"");
    assert_eq!(code(&output), 1);
    // Wrong input leaves the old file as it was.
    let output = tdc_in(
        folder.path(),
        &["print", &csg, "(Circle", "-o", "p.txt"],
        b"",
    );
    assert_eq!(code(&output), 1);
    holds_exactly(folder.path(), &["p.txt"]);
}

#[test]
fn mutations_say_what_they_change() {
    let csg = grammar("csg2d.tdg");
    let lines = json_lines(&ok(&[
        "mutate", &csg, DONUT, "-n", "30", "--format", "json",
    ]));
    assert_eq!(lines.len(), 30);
    for line in &lines {
        has_keys(
            line,
            &[
                "before", "after", "position", "old", "new", "old_span", "new_span",
            ],
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
    assert!(
        bare.lines()
            .eq(lines.iter().map(|l| l["after"].as_str().expect("text")))
    );
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
fn bench_measures_every_operator_of_any_language() {
    for (name, draws) in [("csg2d.tdg", true), ("json.tdg", false)] {
        let args = ["bench", &grammar(name), "--time", "0.02", "--threads", "2"];
        let table = ok(&args);
        assert!(
            table.contains("sample") && table.contains("2 threads"),
            "{table}"
        );
        assert_eq!(table.contains("resvg"), draws, "{table}");
        assert!(table.contains("training examples"), "{table}");
        let mut args = args.to_vec();
        args.extend(["--format", "json"]);
        let report = json_lines(&ok(&args)).swap_remove(0);
        let redraw = &report["edit_redraw_us"];
        assert!(redraw["p99"].as_f64() >= redraw["p50"].as_f64(), "{report}");
        assert_eq!(draws, redraw["p50"].as_f64() > Some(0.0), "{report}");
        for cores in ["one_core", "all_cores"] {
            let figures = report[cores].as_object().expect("figures");
            let mut keys = vec![
                "sample_per_s",
                "mutate_per_s",
                "path_per_s",
                "parse_per_s",
                "print_per_s",
                "example_per_s",
            ];
            if draws {
                keys.extend([
                    "scene_per_s",
                    "render_per_s",
                    "resvg_per_s",
                    "edit_render_per_s",
                    "bits_render_per_s",
                    "bits_edit_per_s",
                    "simplify_per_s",
                ]);
            }
            let mut found: Vec<&str> = figures.keys().map(String::as_str).collect();
            found.sort_unstable();
            keys.sort_unstable();
            assert_eq!(found, keys);
            assert!(
                figures.values().all(|rate| rate.as_f64() > Some(0.0)),
                "{figures:?}"
            );
        }
    }
    let tables = ok(&["bench", &grammar("rainbow.tdg"), "--grow", "--time", "0.01"]);
    for row in ["| 2000 |", "| 1024 x 1024 |", "| threads |"] {
        assert!(tables.contains(row), "{tables}");
    }
    let refused = tdc(&["bench", &grammar("csg2d.tdg"), "--time", "0"]);
    assert_eq!(code(&refused), 2);
}

#[test]
fn simplify_gives_the_least_program_and_the_way_there() {
    let csg = grammar("csg2d.tdg");
    let long = format!("(+ {DONUT} (Circle 0 3 4))");
    assert_eq!(ok(&["simplify", &csg, &long]).trim(), DONUT);
    assert_eq!(ok(&["simplify", &csg, &long, "--canonical"]).trim(), DONUT);
    let steps = ok(&["simplify", &csg, &long, "--explain"]);
    let lines: Vec<&str> = steps.lines().collect();
    assert_eq!((lines[0], lines[lines.len() - 1]), (&*long, DONUT));
    assert!(
        lines
            .iter()
            .skip(1)
            .step_by(2)
            .all(|l| l.starts_with("  = "))
    );
    let args = ["simplify", &csg, &long, "--explain", "--format", "json"];
    let object = json_lines(&ok(&args)).swap_remove(0);
    assert_eq!(object["before"], *long);
    assert_eq!(object["after"], DONUT);
    assert_eq!(object["cost"]["price"], 2);
    assert_eq!(object["cost_before"]["price"], 3);
    assert_eq!(object["stop"], "saturated");
    let steps = object["steps"].as_array().expect("steps");
    assert_eq!(steps[steps.len() - 1]["program"], DONUT);
    assert!(steps.iter().all(|s| s["rules"][0]["rule"].is_string()));
    // Many programs; none without rules; nonsense.
    let three = tdc_in(
        Path::new("."),
        &["simplify", &csg, "-"],
        b"(Circle 1 2 3)\n\n(Circle 1 2 3)\n",
    );
    assert_eq!(stdout(&three), "(Circle 1 2 3)\n(Circle 1 2 3)\n");
    let json_grammar = grammar("json.tdg");
    let none = tdc(&["simplify", &json_grammar, "[1, 2]"]);
    assert_eq!((code(&none), stdout(&none).trim()), (0, "[1, 2]"));
    assert!(
        stderr(&none).contains("no rewrite rules"),
        "{}",
        stderr(&none)
    );
    for wrong in [["--time", "0"], ["--time", "x"], ["--nodes", "-1"]] {
        let refused = tdc(&["simplify", &csg, DONUT, wrong[0], wrong[1]]);
        assert_eq!(code(&refused), 2, "{wrong:?}");
    }
    assert_eq!(code(&tdc(&["simplify", &csg, "(Circle"])), 1);
}

#[test]
fn simplify_says_which_rule_explodes() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("l.tdg");
    let text = "language l\nstart E\nsize nodes\nsample size 1..=3\ntoken N = 0..=9\n\
        sort E { Lit = n:N  Two = \"(\" a:E b:E \")\" }\n\
        rewrite E { grow: `(?a ?b)` => `(?a (?b ?b))` }\n";
    fs::write(&path, text).expect("written");
    let path = path.display().to_string();
    let args = [
        "simplify",
        &path,
        "(1 2)",
        "--nodes",
        "200",
        "--iterations",
        "1000",
    ];
    let output = tdc(&args);
    assert_eq!((code(&output), stdout(&output).trim()), (0, "(1 2)"));
    let said = stderr(&output);
    assert!(
        said.contains("--nodes") && said.contains("`grow` grew most"),
        "{said}"
    );
}

/// Minimising asks `grep`, which every system with a `sh` has.
#[cfg(unix)]
mod minimising {
    use super::*;

    const LARGE: &str =
        "(+ (Quad 3 4 5 6 45) (- (Circle 9 8 7) (+ (Circle 2 2 2) (Quad 1 1 1 1 90))))";

    #[test]
    fn minimise_keeps_what_the_command_needs() {
        let csg2d = grammar("csg2d.tdg");
        let check = ["--check", "grep -q 'Circle [5-9]'"];
        let text = ok(&[&["minimise", &csg2d, LARGE], &check[..]].concat());
        assert_eq!(text, "(Circle 5 0 0)\n");
        let json = ["--threads", "3", "--format", "json"];
        let lines = json_lines(&ok(
            &[&["minimise", &csg2d, LARGE], &check[..], &json].concat()
        ));
        let keys = [
            "program", "size", "nodes", "length", "before", "checks", "timeouts", "seconds", "stop",
        ];
        has_keys(&lines[0], &keys);
        assert_eq!(lines[0]["program"], "(Circle 5 0 0)");
        assert_eq!(lines[0]["stop"], "minimal");
        assert_eq!(lines[0]["before"]["nodes"], 26);
        // The file and the variable hold the program too; -o takes the result.
        let folder = folder();
        let out = folder.path().join("small.txt");
        let out = out.to_str().expect("UTF-8");
        let check = "grep -q Quad {} && grep -q Circle \"$TDC_PROGRAM\"";
        ok(&["minimise", &csg2d, LARGE, "--check", check, "-o", out]);
        let text = std::fs::read_to_string(out).expect("written");
        assert_eq!(text, "(+ (Circle 0 0 0) (Quad 0 0 0 0 0))\n");
    }

    #[test]
    fn minimise_tells_why_there_is_nothing_to_keep() {
        let csg2d = grammar("csg2d.tdg");
        let failing = |check: &str, more: &[&str]| {
            let output = tdc(&[&["minimise", &csg2d, LARGE, "--check", check], more].concat());
            assert_eq!(code(&output), 1);
            stderr(&output)
        };
        let told = failing("echo so it says; exit 7", &[]);
        assert!(
            told.contains("exit code 7") && told.contains("| so it says"),
            "{told}"
        );
        let told = failing("no-such-command {}", &[]);
        assert!(told.contains("no such command"), "{told}");
        let told = failing("sleep 60 | cat", &["--timeout", "0.1"]);
        assert!(told.contains("longer than 0.1 seconds"), "{told}");
        let limited = tdc(&[
            "minimise", &csg2d, LARGE, "--check", "true", "--checks", "1",
        ]);
        assert_eq!(code(&limited), 0);
        assert!(stderr(&limited).contains("stopped by --checks"));
    }
}

#[test]
fn programs_have_several_lines_where_they_are_indented() {
    let folder = folder();
    let csg = grammar("csg2d.tdg");
    let long = "(+ (- (Circle 6 8 8) (Circle 3 8 8)) (- (Circle 6 2 2) (Quad 3 3 2 5 45)))";
    let lines = ok(&["print", &csg, long, "--width", "40"]);
    assert_eq!(
        lines,
        "(+\n  (- (Circle 6 8 8) (Circle 3 8 8))\n  (- (Circle 6 2 2) (Quad 3 3 2 5 45)))\n"
    );
    let file = folder.path().join("programs.txt");
    let path = file.display().to_string();
    let write = |text: &str| fs::write(&file, text).expect("a file");
    // One of several lines, one of one, one of several again; and it is one program for a path.
    write(&format!("{lines}{DONUT}\n\n{lines}"));
    let printed = ok(&["print", &csg, &path]);
    assert_eq!(printed, format!("{long}\n{DONUT}\n{long}\n"));
    assert_eq!(ok(&["simplify", &csg, &path]).lines().count(), 3);
    write(&lines);
    assert_eq!(ok(&["render", &csg, &path]), ok(&["render", &csg, long]));
    assert!(ok(&["path", &csg, &path, long]).starts_with('0'));
    let check = ["minimise", &csg, &path, "--check", "grep -q Quad"];
    assert!(ok(&check).contains("Quad"));
    // Programs of their own that are indented, and one program that is not.
    write(&format!("{DONUT}\n  {DONUT}\n{DONUT} )\n"));
    let output = tdc(&["print", &csg, &path]);
    assert_eq!(code(&output), 1);
    let told = stderr(&output);
    assert!(told.contains("programs.txt:1:2:3"), "{told}");
    assert!(
        told.contains("note: ") && told.contains("at the margin"),
        "{told}"
    );
    write(&lines.replace("\n  ", "\n"));
    let told = stderr(&tdc(&["print", &csg, &path]));
    assert_eq!(told.matches("--whole takes it so").count(), 1, "{told}");
    assert_eq!(ok(&["print", &csg, &path, "--whole"]).trim_end(), long);
    // Programs that are wrong as they stand have no such note.
    write(&format!("{DONUT}\n(Circle 3 4\n"));
    let told = stderr(&tdc(&["print", &csg, &path]));
    assert!(!told.contains("note: "), "{told}");
}
