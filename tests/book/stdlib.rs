//! The page of the standard library, made from `stdlib/*.tdg`.

use std::fmt::Write;
use std::fs;

use crate::{root, updating};

const INTRO: &str = "# The standard library

These modules are part of `tdc`. Their text is in `stdlib/`, written in the same language; what it
calls `builtin` is built in.
";

/// What is wrong with the page; with `TDC_UPDATE` it is written anew.
pub(crate) fn check() -> Vec<String> {
    let path = root().join("book/src/language/stdlib.md");
    let page = page();
    if fs::read_to_string(&path).is_ok_and(|old| old.replace("\r\n", "\n") == page) {
        return Vec::new();
    }
    if updating() {
        fs::write(&path, page).expect("a page can be written");
        return Vec::new();
    }
    vec!["language/stdlib.md is not made from stdlib/; TDC_UPDATE=1 writes it".to_string()]
}

fn page() -> String {
    let mut files: Vec<_> = fs::read_dir(root().join("stdlib"))
        .expect("the standard library")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    let mut page = INTRO.to_string();
    for file in files {
        let name = file.file_stem().expect("a name").to_string_lossy();
        let text = fs::read_to_string(&file).expect("a module is UTF-8");
        write!(page, "\n## std.{name}\n\n{}", module(&text)).expect("a string");
    }
    page
}

/// A module's documentation and functions. Functions that one line of documentation stands
/// before are items of a list; those without any are named together.
fn module(text: &str) -> String {
    let mut intro = String::new();
    let mut list = String::new();
    let mut bare = Vec::new();
    let mut docs = Vec::new();
    for line in text.lines() {
        let line = line.trim_end();
        if let Some(doc) = line.strip_prefix("//!") {
            intro.push_str(doc.trim_start());
            intro.push('\n');
        } else if let Some(doc) = line.strip_prefix("///") {
            docs.push(doc.trim());
        } else if let Some(rest) = line
            .strip_prefix("builtin fn ")
            .or_else(|| line.strip_prefix("fn "))
        {
            let signature = rest.split(" =").next().unwrap_or(rest);
            if docs.is_empty() {
                let name = signature.split('(').next().unwrap_or(signature);
                bare.push(format!("`{name}`"));
            } else {
                let docs = docs.join(" ");
                writeln!(list, "- `{signature}`: {docs}").expect("a string");
            }
            docs.clear();
        }
    }
    let mut out = format!("{intro}\n{list}");
    if !bare.is_empty() {
        writeln!(out, "- {}", bare.join(", ")).expect("a string");
    }
    out
}

#[test]
fn modules_become_lists() {
    let text = "//! Intro.\n\n/// A disc.\n/// Round.\nfn disc(r: Num) -> Region = ellipse(r, r)\nbuiltin fn red() -> Color\n";
    assert_eq!(
        module(text),
        "Intro.\n\n- `disc(r: Num) -> Region`: A disc. Round.\n- `red`\n"
    );
}
