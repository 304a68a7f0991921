//! `tdc snap`: the first run, accepting, differences in text and pictures, bad input.

use super::*;

/// A folder with csg2d and its snapshots, `count` of each.
fn accepted(count: &str) -> TempDir {
    let folder = folder();
    fs::copy(grammar("csg2d.tdg"), folder.path().join("csg2d.tdg")).expect("copied");
    let args = ["snap", "csg2d.tdg", "--accept", "-n", count, "--seed", "3"];
    let output = tdc_in(folder.path(), &args, b"");
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    folder
}

fn edit(folder: &TempDir, from: &str, to: &str) {
    let path = folder.path().join("csg2d.tdg");
    let text = fs::read_to_string(&path).expect("the grammar");
    assert!(text.contains(from), "{from}");
    fs::write(path, text.replace(from, to)).expect("written");
}

fn snap(folder: &TempDir, more: &[&str]) -> Output {
    let args = [&["snap", "csg2d.tdg"], more].concat();
    tdc_in(folder.path(), &args, b"")
}

/// All files below a folder with what they hold.
fn held(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut out = Vec::new();
    let mut pending = vec![folder.to_path_buf()];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                pending.push(path);
            } else {
                let bytes = fs::read(&path).expect("a file");
                out.push((path.display().to_string(), bytes));
            }
        }
    }
    out.sort();
    out
}

#[test]
fn the_first_run_says_what_to_do() {
    let folder = folder();
    fs::copy(grammar("csg2d.tdg"), folder.path().join("csg2d.tdg")).expect("copied");
    let output = snap(&folder, &["-n", "2"]);
    assert_eq!(code(&output), 3);
    let text = stdout(&output);
    assert!(
        text.contains("no snapshots in snapshots/csg2d yet"),
        "{text}"
    );
    assert!(
        text.contains("tdc snap csg2d.tdg --accept -n 2\n"),
        "{text}"
    );
    // Nothing was written.
    holds_exactly(folder.path(), &["csg2d.tdg"]);

    let output = snap(&folder, &["-n", "2", "--accept"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let home = folder.path().join("snapshots/csg2d");
    holds_exactly(
        &home,
        &[
            "mutations.txt",
            "mutators.txt",
            "paths.txt",
            "pictures",
            "samples.txt",
        ],
    );
    holds_exactly(
        &home.join("pictures"),
        &[
            "example-donut.svg",
            "example-house.svg",
            "example-key.svg",
            "example-moon.svg",
            "sample-1.svg",
            "sample-2.svg",
        ],
    );
    // What was accepted is what there is; the count is remembered.
    let output = snap(&folder, &[]);
    assert_eq!(code(&output), 0, "{}", stdout(&output));
    assert_eq!(
        stdout(&output),
        "csg2d.tdg: all 10 snapshots are as they were\n"
    );
    let samples = fs::read_to_string(home.join("samples.txt")).expect("text");
    assert!(
        samples.starts_with("# csg2d, seed 0: 2 samples\n\n1   "),
        "{samples}"
    );
}

#[test]
fn seed_and_count_are_remembered() {
    let folder = accepted("3");
    let before = held(folder.path());
    assert_eq!(code(&snap(&folder, &[])), 0);
    assert_eq!(code(&snap(&folder, &["--seed", "3", "-n", "3"])), 0);
    let output = snap(&folder, &["--seed", "4"]);
    assert_eq!(code(&output), 3);
    assert!(stdout(&output).contains("tdc snap csg2d.tdg --accept --seed 4\n"));
    // More of the same: new ones at the end, nothing else.
    let lines = json_lines(&stdout(&snap(&folder, &["-n", "4", "--format", "json"])));
    for line in lines {
        let file = line["file"].as_str().expect("a path");
        let state = line["state"].as_str().expect("a state");
        let expected = match file.rsplit('/').next() {
            Some("samples.txt" | "mutations.txt") => "changed",
            Some("sample-4.svg") => "missing",
            _ => "same",
        };
        assert_eq!(state, expected, "{file}");
        if state == "changed" {
            let diff = line["diff"].as_str().expect("a diff");
            let gone: Vec<&str> = diff.lines().filter(|l| l.starts_with('-')).collect();
            // The header of the diff, and the line that says how many.
            assert_eq!(gone.len(), 2, "{diff}");
        }
    }
    let after = held(folder.path());
    let text = |all: &[(String, Vec<u8>)]| -> Vec<(String, Vec<u8>)> {
        let kept = |(name, _): &&(String, Vec<u8>)| !name.ends_with(".diff.png");
        all.iter().filter(kept).cloned().collect()
    };
    assert_eq!(text(&after), text(&before), "comparing changes no snapshot");
}

#[test]
fn a_weight_in_the_grammar_is_a_difference() {
    let folder = accepted("8");
    edit(&folder, "@primitive Quad ", "@weight(0.1) @primitive Quad ");
    let output = snap(&folder, &[]);
    assert_eq!(code(&output), 3, "{}", stderr(&output));
    let text = stdout(&output);
    assert!(
        text.contains("snapshots/csg2d/samples.txt differs\n"),
        "{text}"
    );
    assert!(
        text.lines()
            .any(|line| line.starts_with("- ") && line.contains("(Quad ")),
        "{text}"
    );
    assert!(
        text.lines()
            .any(|line| line.starts_with("+ ") && line.contains("(Circle ")),
        "{text}"
    );
    assert!(!text.contains('\x1b'), "no colours in a pipe");
    assert!(text.contains("tdc snap csg2d.tdg --accept\n"), "{text}");
    // Of a long difference the end is left out; JSON has it all.
    assert!(text.contains("more lines\n"), "{text}");
    let lines = json_lines(&stdout(&snap(&folder, &["--format", "json"])));
    let of = |line: &&Value| line["file"] == "snapshots/csg2d/mutators.txt";
    let diff = lines.iter().find(of).expect("the mutators")["diff"].to_string();
    assert!(diff.matches("\\n").count() > 120, "{diff}");
    // Examples are drawn as before.
    assert!(!text.contains("example-"), "{text}");

    let output = snap(&folder, &["--accept"]);
    assert_eq!(code(&output), 0);
    assert!(stdout(&output).contains("wrote snapshots/csg2d/samples.txt\n"));
    assert_eq!(code(&snap(&folder, &[])), 0);
    let names = held(folder.path());
    assert!(
        names
            .iter()
            .all(|(name, _)| !name.contains(".diff.") && !name.contains(".tdc-"))
    );
}

#[test]
fn a_picture_that_differs_has_three_panels() {
    let folder = accepted("2");
    edit(&folder, "disc(8 * r)", "disc(7 * r)");
    let output = snap(&folder, &[]);
    assert_eq!(code(&output), 3);
    let text = stdout(&output);
    let panel = "snapshots/csg2d/pictures/example-donut.diff.png";
    assert!(text.contains(&format!("see {panel}\n")), "{text}");
    assert!(text.contains("example-donut.svg differs in "), "{text}");
    assert!(
        text.contains(r#"r="48""#) && text.contains(r#"r="42""#),
        "{text}"
    );
    // Programs are what they were.
    assert!(!text.contains(".txt"), "{text}");
    let bytes = fs::read(folder.path().join(panel)).expect("the panels");
    let image = tdc::render::image::decode_png(&bytes).expect("a PNG");
    assert!(image.width > 3 * 128, "three pictures side by side");

    let lines = json_lines(&stdout(&snap(&folder, &["--format", "json"])));
    let donut = lines
        .iter()
        .find(|line| line["panels"] == panel)
        .expect("the donut");
    has_keys(
        donut,
        &["grammar", "file", "state", "diff", "pixels", "panels"],
    );
    assert_eq!(donut["state"], "changed");
    assert!(donut["diff"].as_str().expect("a diff").contains("@@"));
    assert!(
        lines
            .iter()
            .any(|line| line["state"] == "same" && line["diff"].is_null())
    );

    // As it was, the panels go; accepted, they go too.
    edit(&folder, "disc(7 * r)", "disc(8 * r)");
    assert_eq!(code(&snap(&folder, &[])), 0);
    assert!(!folder.path().join(panel).exists());
    edit(&folder, "disc(8 * r)", "disc(7 * r)");
    assert_eq!(code(&snap(&folder, &[])), 3);
    assert_eq!(code(&snap(&folder, &["--accept"])), 0);
    assert!(!folder.path().join(panel).exists());
}

#[test]
fn what_is_missing_or_stale_is_told_and_mended() {
    let folder = accepted("3");
    let home = folder.path().join("snapshots/csg2d");
    fs::remove_file(home.join("paths.txt")).expect("removed");
    fs::write(home.join("pictures/example-gone.svg"), "<svg/>").expect("written");
    fs::write(home.join("pictures/mine.svg"), "<svg/>").expect("written");
    let output = snap(&folder, &[]);
    assert_eq!(code(&output), 3);
    let text = stdout(&output);
    assert!(
        text.contains("snapshots/csg2d/paths.txt is missing\n"),
        "{text}"
    );
    assert!(
        text.contains("pictures/example-gone.svg is stale"),
        "{text}"
    );
    assert!(!text.contains("mine.svg"), "{text}");
    assert!(text.contains("1 missing, 1 stale"), "{text}");
    let lines = json_lines(&stdout(&snap(&folder, &["--format", "json"])));
    let states = |state: &str| lines.iter().filter(|line| line["state"] == state).count();
    assert_eq!((states("missing"), states("stale")), (1, 1));
    let output = snap(&folder, &["--accept"]);
    assert!(stdout(&output).contains("removed snapshots/csg2d/pictures/example-gone.svg\n"));
    // What was mended is told to machines as it was before.
    fs::remove_file(home.join("mutators.txt")).expect("removed");
    let output = snap(&folder, &["--accept", "--format", "json"]);
    assert_eq!(code(&output), 0);
    let lines = json_lines(&stdout(&output));
    let mended: Vec<&Value> = lines
        .iter()
        .filter(|line| line["state"] != "same")
        .collect();
    assert_eq!(mended.len(), 1);
    assert_eq!(mended[0]["file"], "snapshots/csg2d/mutators.txt");
    assert_eq!(mended[0]["state"], "missing");
    assert!(home.join("paths.txt").exists() && home.join("pictures/mine.svg").exists());
    assert_eq!(code(&snap(&folder, &[])), 0);
}

#[test]
fn several_grammars_in_a_folder_of_ones_choice() {
    let folder = folder();
    let (csg, json) = (grammar("csg2d.tdg"), grammar("json.tdg"));
    let args = ["snap", &csg, &json, "--snapshots", "kept here", "-n", "1"];
    let output = tdc_in(folder.path(), &args, b"");
    assert_eq!(code(&output), 3);
    assert!(stdout(&output).contains("--snapshots 'kept here'\n"));
    let output = tdc_in(folder.path(), &[&args[..], &["--accept"]].concat(), b"");
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    holds_exactly(folder.path(), &["kept here"]);
    holds_exactly(&folder.path().join("kept here"), &["csg2d", "json"]);
    // A language without pictures has none.
    holds_exactly(
        &folder.path().join("kept here/json"),
        &["mutations.txt", "mutators.txt", "paths.txt", "samples.txt"],
    );
    // Two of one name would write over each other.
    fs::create_dir(folder.path().join("other")).expect("a folder");
    fs::copy(&csg, folder.path().join("other/csg2d.tdg")).expect("copied");
    let args = ["snap", &csg, "other/csg2d.tdg", "--snapshots", "kept here"];
    let output = tdc_in(folder.path(), &args, b"");
    assert_eq!(code(&output), 2);
    assert!(
        stderr(&output).contains("would share"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn bad_input_leaves_snapshots_as_they_are() {
    let folder = accepted("2");
    let before = held(&folder.path().join("snapshots"));
    edit(&folder, "start  Shape", "start  Shapes");
    for more in [&[][..], &["--accept"]] {
        let output = snap(&folder, more);
        assert_eq!(code(&output), 1);
        assert!(stderr(&output).contains("Shapes"), "{}", stderr(&output));
        assert_eq!(held(&folder.path().join("snapshots")), before);
    }
    // The others are looked at all the same, and the worse exit code counts.
    let json = grammar("json.tdg");
    let args = ["snap", "csg2d.tdg", &json, "--snapshots", "kept"];
    let output = tdc_in(folder.path(), &args, b"");
    assert_eq!(code(&output), 1);
    assert!(stdout(&output).contains("no snapshots in kept/json yet"));
    assert_eq!(code(&tdc_in(folder.path(), &["snap", "gone.tdg"], b"")), 1);
    // Out of range.
    for (option, value, said) in [
        ("-n", "0", "1..=1000"),
        ("-n", "1001", "1..=1000"),
        ("-n", "-1", "1..=1000"),
        ("-n", "many", "invalid"),
        ("--seed", "-1", "from 0 to 18446744073709551615"),
        (
            "--seed",
            "18446744073709551616",
            "from 0 to 18446744073709551615",
        ),
        ("--seed", "x", "from 0 to 18446744073709551615"),
    ] {
        let argument = format!("{option}={value}");
        let output = tdc(&["snap", &json, &argument]);
        assert_eq!(code(&output), 2, "{argument}");
        assert!(
            stderr(&output).contains(said),
            "{argument}: {}",
            stderr(&output)
        );
    }
    assert_eq!(code(&tdc(&["snap"])), 2);
    // A file where the folder should be.
    fs::write(folder.path().join("taken"), "").expect("written");
    let args = ["snap", &json, "--snapshots", "taken", "--accept"];
    let output = tdc_in(folder.path(), &args, b"");
    assert_eq!(code(&output), 1);
    assert!(
        stderr(&output).contains("taken/json"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_count_that_nobody_recorded_is_the_usual_one() {
    let folder = accepted("2");
    let samples = folder.path().join("snapshots/csg2d/samples.txt");
    fs::write(&samples, "# csg2d, seed 3: 99999 samples\n").expect("written");
    let output = snap(&folder, &["--format", "json"]);
    assert_eq!(code(&output), 3);
    let lines = json_lines(&stdout(&output));
    let names = |state: &str| lines.iter().filter(|line| line["state"] == state).count();
    assert_eq!(names("missing"), 6, "samples 3 to 8");
    assert!(names("changed") > 0);
}
