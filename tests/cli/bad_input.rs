//! Bad input, closed pipes, ctrl-C: a diagnostic and an exit code, never a panic or a half file.

use super::*;

#[test]
fn bad_grammars_give_1() {
    let folder = folder();
    let nested = format!("const = {}", "(".repeat(10_000));
    let deep_fn = format!(
        "fn f() -> Num = {}1{}",
        "(".repeat(10_000),
        ")".repeat(10_000)
    );
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
    assert_eq!(
        code(&tdc_in(folder.path(), &["check", "missing.tdg"], b"")),
        1
    );
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
            assert_eq!(
                code(&output),
                1,
                "{command} {:.40}: {}",
                text,
                stderr(&output)
            );
            assert!(!output.stderr.is_empty());
        }
    }
    // On standard input any bytes can come.
    let bytes: Vec<u8> = (0u8..=255).cycle().take(3000).collect();
    assert_eq!(
        code(&tdc_in(Path::new("."), &["parse", &csg, "-"], &bytes)),
        1
    );
    let tree = "[".repeat(1_000_000);
    let output = tdc_in(
        Path::new("."),
        &["print", &csg, "-", "--from", "tree"],
        tree.as_bytes(),
    );
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
    assert_eq!(
        code(&tdc_in(
            folder.path(),
            &["solve", &json, "--target", "good.png"],
            b""
        )),
        1
    );
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
        .args([
            "solve",
            &grammar("csg2d.tdg"),
            "--invert",
            "--max-size",
            "1",
            "--time",
            "300",
        ])
        .args(["--target", &target.display().to_string(), "-o", "out"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("tdc starts");
    std::thread::sleep(std::time::Duration::from_secs(3));
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .expect("kill")
            .success()
    );
    let status = child.wait().expect("tdc ends");
    assert_eq!(status.code(), Some(3));
    let report = fs::read_to_string(folder.path().join("out/report.json")).expect("a report");
    let report: Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(report["stop_reason"], "interrupted");

    // A stream to a file: what was drawn is there, whole lines.
    let mut child = Command::new(env!("CARGO_BIN_EXE_tdc"))
        .args([
            "sample",
            &grammar("csg2d.tdg"),
            "-n",
            "1000000000",
            "-o",
            "many.txt",
        ])
        .current_dir(folder.path())
        .spawn()
        .expect("tdc starts");
    std::thread::sleep(std::time::Duration::from_secs(2));
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .expect("kill")
            .success()
    );
    assert_eq!(child.wait().expect("tdc ends").code(), Some(130));
    let many = fs::File::open(folder.path().join("many.txt")).expect("a file");
    let last = BufReader::new(many)
        .lines()
        .map_while(Result::ok)
        .last()
        .expect("lines");
    assert!(last.starts_with('(') && last.ends_with(')'), "{last}");
}
