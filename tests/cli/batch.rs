//! Pictures from outside, one and many: solve.

use super::*;

const SVG: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" width="24" height="12">
    <circle cx="6" cy="6" r="4" fill="#345"/><text y="9">no font</text></svg>"##;

fn solve(folder: &Path, grammar_name: &str, more: &[&str]) -> Output {
    let grammar = grammar(grammar_name);
    let args = ["solve", &grammar, "--evaluations", "3000"];
    tdc_in(folder, &[&args[..], more].concat(), b"")
}

/// A folder of pictures, two of which are none.
fn pictures(folder: &Path) -> PathBuf {
    let icons = folder.join("icons");
    fs::create_dir(&icons).expect("made");
    png(&icons, "disc.png", "(Circle 4 8 8)");
    png(&icons, "same.png", "(Quad 8 8 4 4 0)");
    fs::write(icons.join("same.svg"), SVG).expect("written");
    fs::write(icons.join("a <b> & \"c\".png"), b"").expect("written");
    fs::write(icons.join("cut.jpg"), [0xff, 0xd8, 0xff, 0xe0]).expect("written");
    fs::write(icons.join("readme.txt"), b"x").expect("written");
    icons
}

#[test]
fn a_folder_is_solved_and_gone_on_with() {
    let folder = folder();
    let icons = pictures(folder.path());
    let run = || {
        let more = [
            "--target", "icons", "-o", "out", "--jobs", "2", "--format", "json",
        ];
        let output = solve(folder.path(), "csg2d.tdg", &more);
        assert_eq!(code(&output), 3, "{}", stderr(&output));
        json_lines(&stdout(&output))
    };
    let first = run();
    let out = folder.path().join("out");
    let top = [
        "disc",
        "index.html",
        "results.jsonl",
        "run.json",
        "same.png",
        "same.svg",
        "summary.json",
    ];
    holds_exactly(&out, &top);
    let names: Vec<&str> = first.iter().filter_map(|r| r["target"].as_str()).collect();
    let wanted = [
        "a <b> & \"c\".png",
        "cut.jpg",
        "disc.png",
        "same.png",
        "same.svg",
    ];
    assert_eq!(names, wanted);
    assert!(first[0]["error"].as_str().expect("text").contains("empty"));
    assert!(first[1]["error"].as_str().expect("text").contains("JPEG"));
    assert_eq!(first[2]["solved"], true);
    // What was done to a picture is said.
    let notes = first[4]["notes"].to_string();
    assert!(
        notes.contains("fonts") && notes.contains("24 x 12"),
        "{notes}"
    );
    // The page names files that are there, and text is text.
    let page = fs::read_to_string(out.join("index.html")).expect("text");
    assert!(!page.contains("<b>") && page.contains("a &lt;b&gt; &amp;"));
    let parts = page.split("src=\"").skip(1);
    let sources: Vec<&str> = parts.filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(sources.len(), 9);
    assert!(
        sources.iter().all(|source| out.join(source).is_file()),
        "{sources:?}"
    );
    // The result has the size of the original.
    let svg = fs::read_to_string(out.join("same.svg/result.svg")).expect("text");
    assert!(
        svg.contains("width=\"24\" height=\"12\" viewBox=\"0 0 24 12\""),
        "{svg}"
    );

    // Again: nothing is done twice, not even what took a moment.
    assert_eq!(run(), first);
    // One result lost, one picture changed: these two and no other.
    fs::remove_dir_all(out.join("disc")).expect("removed");
    png(&icons, "same.png", "(Quad 8 8 4 4 45)");
    let third = run();
    assert_ne!(third[3]["fingerprint"], first[3]["fingerprint"]);
    assert_eq!(third[2]["program"], first[2]["program"]);
    assert_eq!(third[4], first[4]);
    assert!(out.join("disc/program.txt").is_file());
}

#[test]
fn what_is_done_to_a_picture_is_said() {
    let folder = folder();
    fs::write(folder.path().join("a.svg"), SVG).expect("written");
    let said = |more: &[&str]| {
        let output = solve(folder.path(), "csg2d.tdg", more);
        assert_eq!(code(&output), 3, "{}", stderr(&output));
        stderr(&output)
    };
    let plain = said(&["--target", "a.svg"]);
    assert!(plain.contains("note: text is left out"), "{plain}");
    assert!(plain.contains("scaled by 5.3333"), "{plain}");
    let cover = said(&["--target", "a.svg", "--fit", "cover", "--margin", "4"]);
    assert!(cover.contains("scaled by 10 and"), "{cover}");
    let cut = said(&["--target", "a.svg", "--threshold", "0.5"]);
    assert!(cut.contains("opaque"), "{cut}");
    // An empty picture is a target too, and is called one.
    let white = SVG.replace("<circle", "<none");
    fs::write(folder.path().join("w.svg"), white).expect("written");
    let output = solve(
        folder.path(),
        "csg2d.tdg",
        &["--target", "w.svg", "-o", "w"],
    );
    assert!(stderr(&output).contains("blank"), "{}", stderr(&output));
    assert!(folder.path().join("w/program.txt").is_file());
}

#[test]
fn colours_that_a_grammar_cannot_paint_are_said() {
    let folder = folder();
    let svg = SVG.replace("r=\"4\"", "r=\"40\"");
    fs::write(folder.path().join("a.svg"), svg).expect("written");
    let output = solve(folder.path(), "tinysvg.tdg", &["--target", "a.svg"]);
    assert!(
        stderr(&output).contains("cannot paint"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn solve_says_what_it_cannot_take() {
    let folder = folder();
    let target = png(folder.path(), "a.png", DONUT).display().to_string();
    let refused = |grammar: &str, more: &[&str], exit: i32, reason: &str| {
        let output = solve(folder.path(), grammar, more);
        assert_eq!(code(&output), exit, "{more:?}: {}", stderr(&output));
        assert!(
            stderr(&output).contains(reason),
            "{more:?}: {}",
            stderr(&output)
        );
    };
    refused("json.tdg", &["--target", &target], 1, "draw");
    refused("csg2d.tdg", &["--target", "none.png"], 1, "none.png");
    fs::create_dir(folder.path().join("empty")).expect("made");
    refused(
        "csg2d.tdg",
        &["--target", "empty", "-o", "o"],
        1,
        "holds no .png",
    );
    refused("csg2d.tdg", &["--target", "empty"], 2, "-o DIR");
    refused(
        "csg2d.tdg",
        &["--target", &target, "--threshold", "2"],
        2,
        "0 to 1",
    );
    refused(
        "csg2d.tdg",
        &["--target", &target, "--margin=-1"],
        2,
        "pixels",
    );
    refused(
        "csg2d.tdg",
        &["--target", &target, "--outline"],
        2,
        "--output",
    );
}
