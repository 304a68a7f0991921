//! The command line, run as a process: exit codes, JSON keys, whole files, bad input.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

mod bad_input;
mod batch;
mod language;
#[cfg(feature = "learn")]
mod model;
mod pictures;
mod programs;
mod rules;
mod snap;
mod tasks;
#[cfg(feature = "learn")]
mod train;

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
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
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
