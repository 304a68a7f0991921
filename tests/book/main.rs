//! The book and the README are true: their grammars check, their commands print what they show,
//! their pictures are what those commands draw, and the book builds without a warning or a
//! broken link.
//!
//! `TDC_UPDATE=1 cargo test --test book` writes the outputs and pictures anew; read the diff.
//!
//! What a page may hold:
//!
//! - a `tdg` block is a whole file and checks without a remark; lines that begin with `# ` are
//!   part of it but hidden in the book. `tdg,file=NAME` also puts it where the page's commands
//!   find it. `tdg,fails` must be refused, `tdg,warns` must be remarked on. On the page of a code
//!   a block must bring that code, unless it says `tdg,mended`. `tdg,part` is not checked;
//! - a `console` block runs each `$ tdc ...` and compares what it prints: standard output, then
//!   standard error. A line `...` stands for any lines, `[..]` inside a line for anything.
//!   `console,exit=N` expects that exit code, 0 otherwise. `console,shown` is not run. A comment
//!   `<!-- $ tdc ... -->` runs unseen;
//! - a picture `pictures/NAME.svg` must be a file `NAME.svg` that a command of the page wrote.

mod blocks;
mod build;
mod run;
mod stdlib;

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn updating() -> bool {
    std::env::var_os("TDC_UPDATE").is_some()
}

/// Every page of the book, sorted, and the README.
fn pages() -> Vec<PathBuf> {
    let mut found = vec![root().join("README.md")];
    let mut folders = vec![root().join("book/src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the book can be read") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn fail_if_any(breaches: Vec<String>) {
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n\n"));
}

#[test]
fn pages_are_true() {
    let mut breaches = stdlib::check();
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page is UTF-8");
        let name = page.strip_prefix(root()).expect("below the root");
        let mut bench = run::Bench::new(name);
        let updated = bench.run(&text);
        breaches.append(&mut bench.breaches);
        if updating() && updated != text {
            fs::write(&page, updated).expect("a page can be written");
        }
    }
    fail_if_any(breaches);
}

#[test]
fn the_book_builds_without_a_warning() {
    fail_if_any(build::build());
}
