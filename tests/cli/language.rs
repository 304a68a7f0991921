//! Commands about a language as a whole: new, check, compile, fmt, explain.

use super::*;

#[test]
fn every_subcommand_has_a_help_with_examples() {
    let names = subcommands();
    assert!(names.len() > 12 && names.contains(&"solve".to_owned()));
    for name in names {
        let help = ok(&[&name, "--help"]);
        assert!(help.contains("Examples:"), "{name}");
        assert!(help.contains(&format!("tdc {name}")), "{name}");
    }
}

/// Names of the subcommands, as the help lists them.
fn subcommands() -> Vec<String> {
    let help = ok(&["--help"]);
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    // Further lines of what a command does stand further in.
    let names = lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let names = names.filter(|name| !name.is_empty() && *name != "help");
    names.map(str::to_owned).collect()
}

#[test]
fn help_flows_into_the_width_of_the_terminal() {
    for columns in ["80", "100"] {
        let width: usize = columns.parse().expect("a number");
        for name in subcommands() {
            let mut command = Command::new(env!("CARGO_BIN_EXE_tdc"));
            let output = command.args([&name, "--help"]).env("COLUMNS", columns);
            let output = output.output().expect("it runs");
            let help = String::from_utf8(output.stdout).expect("text");
            let lines: Vec<&str> = help.lines().collect();
            for pair in lines.windows(2) {
                let (line, next) = (pair[0], pair[1]);
                let long = line.chars().count();
                assert!(long <= width, "{name} at {columns}: {line}");
                // Text at the margin is prose; what follows would have been put into the line.
                let prose = |line: &str| !line.starts_with(' ') && !line.is_empty();
                let word = next.split(' ').next().unwrap_or_default();
                if prose(line) && prose(next) {
                    let room = width - long;
                    assert!(room <= word.chars().count(), "{name} at {columns}: {line}");
                }
            }
        }
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
        &[
            "render",
            &csg,
            DONUT,
            "-o",
            "picture.png",
            "--scale",
            "100000",
        ],
        &["solve", &csg],
        &["solve", &csg, "--target", "x.png", "--time", "NaN"],
        &["solve", &csg, "--target", "x.png", "--time", "1e300"],
        &["solve", &csg, "--target", "x.png", "--threads", "0"],
        &[
            "solve", &csg, "--target", "x.png", "--search", "beam", "--beam", "0",
        ],
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
fn options_of_beams_need_a_beam() {
    let csg = grammar("csg2d.tdg");
    for (option, search) in [
        (&["--beam", "8"][..], &[][..]),
        (&["--beam", "8"], &["--search", "anneal"]),
        (&["--canonical"], &["--search", "temper"]),
    ] {
        let mut args = vec!["solve", &csg, "--target", "x.png"];
        args.extend(option);
        args.extend(search);
        let output = tdc(&args);
        assert_eq!(code(&output), 2, "{args:?}");
        let expected = format!("{} needs --search beam", option[0]);
        assert!(stderr(&output).contains(&expected), "{}", stderr(&output));
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
    run(&[
        "render",
        "my-icons.tdg",
        "(cut (disc 16 16 12) (disc 16 16 6))",
        "-o",
        "ring.svg",
    ]);
    run(&["compile", "my-icons.tdg", "-o", "out"]);
    holds_exactly(
        &folder.path().join("out"),
        &[
            "my_icons.rs",
            "index.html",
            "railroad.html",
            "grammar.ebnf",
            "my_icons.tmLanguage.json",
            "ir.json",
        ],
    );
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
    has_keys(
        &lines[0],
        &[
            "file",
            "ok",
            "errors",
            "warnings",
            "diagnostics",
            "language",
            "rules",
        ],
    );
    has_keys(
        &lines[0]["language"],
        &[
            "language", "docs", "start", "canvas", "goal", "sample", "mutate", "size", "observe",
            "sorts", "tokens", "programs", "rewrites", "examples",
        ],
    );
    assert_eq!(lines[0]["ok"], true);

    let folder = folder();
    fs::write(
        folder.path().join("bad.tdg"),
        "start Nowhere\nsort A { B = x:Missing }\n",
    )
    .expect("written");
    let output = tdc_in(folder.path(), &["check", "bad.tdg"], b"");
    assert_eq!(code(&output), 1);
    assert!(output.stdout.is_empty());
    // Plain text where there is no terminal.
    assert!(!stderr(&output).contains('\x1b'));
    let output = tdc_in(
        folder.path(),
        &["check", "bad.tdg", "--format", "json"],
        b"",
    );
    assert_eq!(code(&output), 1);
    let lines = json_lines(&stdout(&output));
    assert_eq!(lines[0]["ok"], false);
    let found = lines[0]["diagnostics"].as_array().expect("a list");
    assert_eq!(
        lines[0]["errors"],
        found.iter().filter(|d| d["severity"] == "error").count()
    );
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
    holds_exactly(
        &out,
        &[
            "csg2d.rs",
            "index.html",
            "railroad.html",
            "grammar.ebnf",
            "csg2d.tmLanguage.json",
            "ir.json",
        ],
    );
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
    holds_exactly(
        &out,
        &[
            "csg2d.rs",
            "index.html",
            "railroad.html",
            "grammar.ebnf",
            "csg2d.tmLanguage.json",
            "ir.json",
            "mine.txt",
        ],
    );
    assert_eq!(
        fs::read_to_string(out.join("index.html")).expect("a page"),
        page
    );
    // A file is in the way.
    let taken = out.join("mine.txt").display().to_string();
    assert_eq!(
        code(&tdc(&["compile", &grammar("csg2d.tdg"), "-o", &taken])),
        1
    );
}

#[test]
fn compile_emits_every_stage() {
    for kind in [
        "tokens", "ast", "grammar", "info", "ir", "schema", "rust", "ebnf", "railroad", "textmate",
        "scene", "gallery",
    ] {
        let text = ok(&["compile", &grammar("csg2d.tdg"), "--emit", kind]);
        assert!(!text.is_empty(), "{kind}");
        if ["ast", "info", "ir", "schema", "textmate", "scene"].contains(&kind) {
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
fn compile_check_tells_what_is_not_as_it_would_be() {
    let folder = folder();
    let grammar = grammar("csg2d.tdg");
    let run = |more: &[&str]| {
        let args = [
            &["compile", &grammar, "-o", "out", "--emit", "rust,ebnf"],
            more,
        ]
        .concat();
        tdc_in(folder.path(), &args, b"")
    };
    let missing = run(&["--check"]);
    assert_eq!(code(&missing), 3);
    assert!(
        stderr(&missing).contains("csg2d.rs: is missing"),
        "{}",
        stderr(&missing)
    );
    assert!(!folder.path().join("out").exists(), "nothing is written");
    assert_eq!(code(&run(&[])), 0);
    let same = run(&["--check"]);
    assert_eq!(code(&same), 0, "{}", stderr(&same));

    let path = folder.path().join("out/csg2d.rs");
    // Another layout is no difference, other words in a comment of the grammar are.
    let text = fs::read_to_string(&path).expect("a module");
    fs::write(&path, text.replace("pub r: Coord,", "pub r:\n\n    Coord,")).expect("written");
    assert_eq!(code(&run(&["--check"])), 0);
    fs::write(&path, text.replace("A shape in the plane", "A shape")).expect("written");
    assert_eq!(code(&run(&["--check"])), 3);
    fs::write(&path, text).expect("written");
    let text = fs::read_to_string(&path).expect("a module");
    fs::write(&path, text.replace("pub struct Circle", "pub struct Disc")).expect("written");
    let changed = run(&["--check"]);
    assert_eq!(code(&changed), 3);
    let said = stderr(&changed);
    let line = text
        .lines()
        .position(|line| line.starts_with("pub struct Circle"))
        .expect("it is there")
        + 1;
    assert!(
        said.contains(&format!("csg2d.rs:{line}: differs")),
        "{said}"
    );
    assert!(
        said.contains("pub struct Disc") && said.contains("pub struct Circle"),
        "{said}"
    );
    assert!(
        said.contains(&format!("tdc compile {grammar} -o out --emit rust,ebnf")),
        "{said}"
    );
    assert!(
        fs::read_to_string(&path)
            .expect("a module")
            .contains("pub struct Disc")
    );
    let json = run(&["--check", "--format", "json"]);
    assert_eq!(code(&json), 3);
    let lines = json_lines(&stdout(&json));
    has_keys(&lines[0], &["language", "files", "differ"]);
    assert_eq!(lines[0]["differ"][0]["line"], line);
    // What was written with other options differs.
    assert_eq!(code(&run(&[])), 0);
    assert_eq!(code(&run(&["--check", "--serde=serde"])), 3);
    assert_eq!(code(&run(&["--serde=serde"])), 0);
    assert_eq!(code(&run(&["--serde=serde", "--check"])), 0);
    // A grammar that does not check leaves what is there.
    let before = fs::read_to_string(&path).expect("a module");
    fs::write(
        folder.path().join("bad.tdg"),
        "language csg2d\nstart Nothing\n",
    )
    .expect("written");
    let bad = tdc_in(folder.path(), &["compile", "bad.tdg", "-o", "out"], b"");
    assert_eq!(code(&bad), 1);
    assert_eq!(fs::read_to_string(&path).expect("a module"), before);
    assert_eq!(code(&tdc(&["compile", &grammar, "--check"])), 2);
}

#[test]
fn every_shipped_grammar_compiles() {
    let folder = folder();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("grammars");
    for entry in fs::read_dir(root).expect("grammars") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|e| e == "tdg") {
            let out = folder.path().join(path.file_stem().expect("a name"));
            ok(&[
                "compile",
                &path.display().to_string(),
                "-o",
                &out.display().to_string(),
            ]);
        }
    }
}

#[test]
fn fmt_lays_out_and_is_idempotent() {
    let folder = folder();
    let path = folder.path().join("a.tdg");
    let untidy =
        "language   a\nstart A   // here\nsample size 1..=1\nsize nodes\nsort A{B=\"b\"}\n";
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
fn colours_only_where_they_are_wanted() {
    let output = tdc(&["check", &grammar("csg2d.tdg")]);
    assert!(!stdout(&output).contains('\x1b'));
    let output = tdc(&["parse", &grammar("csg2d.tdg"), "(Circle"]);
    assert!(!stderr(&output).contains('\x1b'));
}
