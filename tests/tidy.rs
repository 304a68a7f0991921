//! The house rules that a test can hold (CONTRIBUTING.md, ARCHITECTURE.md).
//!
//! Each test collects every breach before it fails, so that one run shows them all.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms of `src/`, in the order of imports: a room may use those before it. Two rooms that
/// share a line do not know each other.
const ORDER: &[&[&str]] = &[
    &["source"],
    &["diag"],
    &["meta"],
    &["grammar"],
    &["compiled"],
    &["tree"],
    &["sample"],
    &["mutate", "scene"],
    &["rewrite"],
    &["pipeline"],
    &["render"],
    &["model"],
    &["soundness"],
    &["typed"],
    &["search", "minimise"],
    &["train"],
    &["bench"],
    &["codegen", "testing"],
    &["eval"],
    &["build", "cli"],
];

/// Crates that only some files may name.
const CONFINED: &[(&str, &[&str])] = &[
    ("ariadne", &["src/diag/render.rs"]),
    ("chumsky", &["src/meta/"]),
    ("resvg", &["src/render/raster.rs"]),
    ("usvg", &["src/render/raster.rs"]),
    ("png", &["src/render/"]),
    ("lz4_flex", &["src/eval/"]),
    ("zune_jpeg", &["src/render/image/"]),
    ("base64", &["src/eval/"]),
    ("sha2", &["src/compiled/"]),
    ("linesweeper", &["src/render/"]),
    ("lrtable", &["src/grammar/syntax/"]),
    ("cfgrammar", &["src/grammar/syntax/"]),
    ("egg", &["src/rewrite/"]),
    ("candle_core", &["src/model/", "src/train/"]),
    ("candle_nn", &["src/model/", "src/train/"]),
    ("gemm", &["src/model/ops/product.rs"]),
    ("rayon", &["src/model/ops/"]),
    ("safetensors", &["src/model/"]),
    ("clap", &["src/cli/", "src/main.rs"]),
    ("indicatif", &["src/cli/"]),
    ("ctrlc", &["src/cli/"]),
    ("process_wrap", &["src/cli/"]),
    ("similar", &["src/cli/"]),
    ("syn", &["src/codegen/rust/"]),
    ("prettyplease", &["src/codegen/rust/"]),
    // The macros of `testing` name it in the crate that uses them; tdc itself does not.
    ("insta", &["src/testing/"]),
    ("unicode_width", &["src/testing/"]),
];

/// What may stand at the top level.
const TOP: &[&str] = &[
    ".cargo",
    ".ci",
    ".config",
    ".github",
    ".gitattributes",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "benches",
    "book",
    "clippy.toml",
    "deny.toml",
    "examples",
    "fuzz",
    "grammars",
    "rust-toolchain.toml",
    "rustfmt.toml",
    "snapshots",
    "src",
    "stdlib",
    "tests",
];

const MOST_LINES: usize = 600;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder with this extension, sorted, as paths from the root.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.expect("a folder can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == extension) {
                found.push(path.strip_prefix(root()).expect("below").to_path_buf());
            }
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(root().join(path)).expect("a source file is UTF-8")
}

/// A path as written in rules, with `/` on every system.
fn slashed(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

/// A module without its tests, which stand at its end.
fn shipped(text: &str) -> &str {
    text.split_once("\n#[cfg(test)]\nmod ")
        .map_or(text, |(before, _)| before)
}

/// The code of a module without its tests and comments.
fn code(text: &str) -> String {
    shipped(text)
        .lines()
        .map(|line| line.split_once("//").map_or(line, |(before, _)| before))
        .collect::<Vec<_>>()
        .join("\n")
}

fn name_at(text: &str) -> &str {
    let end = text
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    &text[..end]
}

/// The rooms named after `crate::`, single or in braces.
fn rooms_used(code: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let Some(list) = rest.strip_prefix('{') else {
            rooms.insert(name_at(rest).to_string());
            continue;
        };
        let mut depth = 1;
        let mut fresh = true;
        for (i, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' => fresh = true,
                _ if depth == 1 && fresh && !c.is_whitespace() => {
                    rooms.insert(name_at(&list[i..]).to_string());
                    fresh = false;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    rooms
}

fn rank(room: &str) -> Option<usize> {
    ORDER.iter().position(|rooms| rooms.contains(&room))
}

fn room_of(path: &Path) -> String {
    let inside = path.strip_prefix("src").expect("a file of src");
    let first = inside.iter().next().expect("a name").to_string_lossy();
    first.trim_end_matches(".rs").to_string()
}

fn fail_if_any(breaches: Vec<String>) {
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

#[test]
fn imports_run_one_way() {
    let mut breaches = Vec::new();
    for path in files("src", "rs") {
        let room = room_of(&path);
        // A room's tests may use what comes later, as those at a file's end may.
        if room == "lib"
            || room == "main"
            || path.ends_with("tests.rs")
            || path.to_string_lossy().contains("/tests/")
        {
            continue;
        }
        let Some(own) = rank(&room) else {
            breaches.push(format!(
                "{}: room `{room}` is not in the order",
                path.display()
            ));
            continue;
        };
        for used in rooms_used(&code(&read(&path))) {
            // `crate::Compiled` and the like are re-exports of the root.
            let used = if used == "Compiled" {
                "compiled".to_string()
            } else {
                used
            };
            match rank(&used) {
                Some(other) if other < own || used == room => {}
                Some(_) => breaches.push(format!(
                    "{}: `{room}` comes before `{used}` and must not use it",
                    path.display()
                )),
                None => {}
            }
        }
    }
    fail_if_any(breaches);
}

#[test]
fn crates_stay_in_their_rooms() {
    let mut breaches = Vec::new();
    for path in files("src", "rs") {
        let name = slashed(&path);
        let code = code(&read(&path));
        for (krate, places) in CONFINED {
            let allowed = places
                .iter()
                .any(|place| name == *place || (place.ends_with('/') && name.starts_with(place)));
            let path_start = format!("{krate}::");
            let used = code.match_indices(&path_start).any(|(at, _)| {
                let before = code[..at].chars().next_back();
                !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
            });
            if used && !allowed {
                breaches.push(format!(
                    "{name}: `{krate}` belongs in {}",
                    places.join(", ")
                ));
            }
        }
    }
    fail_if_any(breaches);
}

#[test]
fn modules_are_documented_and_short() {
    let mut breaches = Vec::new();
    for path in files("src", "rs").into_iter().chain(files("tests", "rs")) {
        let text = read(&path);
        if !text.starts_with("//!") {
            breaches.push(format!("{}: begins without `//!`", path.display()));
        }
        let lines = shipped(&text).lines().count();
        if lines > MOST_LINES {
            breaches.push(format!("{}: {lines} lines, split it", path.display()));
        }
    }
    fail_if_any(breaches);
}

#[test]
fn the_top_level_keeps_its_shape() {
    let mut breaches = Vec::new();
    for entry in fs::read_dir(root()).expect("the root can be read") {
        let name = entry.expect("an entry").file_name();
        let name = name.to_string_lossy();
        // Ignored by git: builds and results.
        if [".git", "target", "out"].contains(&name.as_ref()) {
            continue;
        }
        if !TOP.contains(&name.as_ref()) {
            breaches.push(format!("{name}: not a thing of the top level"));
        }
    }
    fail_if_any(breaches);
}

#[test]
fn every_page_is_in_the_summary() {
    let summary = read(Path::new("book/src/SUMMARY.md"));
    let mut breaches = Vec::new();
    for path in files("book/src", "md") {
        let page = slashed(path.strip_prefix("book/src").expect("a page"));
        if page != "SUMMARY.md" && summary.matches(&format!("({page})")).count() != 1 {
            breaches.push(format!("book/src/{page}: not once in SUMMARY.md"));
        }
    }
    fail_if_any(breaches);
}

/// With `TDC_UPDATE` set, writes the list of code pages at the end of SUMMARY.md anew.
#[test]
fn code_pages_carry_their_title() {
    let path = Path::new("book/src/SUMMARY.md");
    let mut breaches = Vec::new();
    let mut list = String::new();
    for entry in tdc::diag::codes::TABLE {
        let code = entry.code.as_str();
        let title = format!("# {code}: {}", entry.title);
        if entry.page.lines().next() != Some(title.as_str()) {
            breaches.push(format!("codes/{code}.md: the first line must be `{title}`"));
        }
        list.push_str(&format!("- [{code}: {}](codes/{code}.md)\n", entry.title));
    }
    let summary = read(path);
    let marker = "- [Diagnostic codes](codes/README.md)\n";
    let (before, after) = summary.split_once(marker).expect("the list of codes");
    if after != list {
        if std::env::var_os("TDC_UPDATE").is_some() {
            fs::write(root().join(path), format!("{before}{marker}{list}")).expect("written");
        } else {
            breaches.push(format!(
                "SUMMARY.md must end in this (TDC_UPDATE=1 writes it):\n{list}"
            ));
        }
    }
    let codes: Vec<_> = tdc::diag::codes::TABLE.iter().map(|e| e.code).collect();
    if !codes.is_sorted() {
        breaches.push("src/diag/codes.rs: the table is not sorted".to_string());
    }
    fail_if_any(breaches);
}

/// The book's page of the syntax is the module documentation of `meta/ast.rs`.
#[test]
fn the_book_has_the_syntax_as_it_is() {
    let docs: String = read(Path::new("src/meta/ast.rs"))
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line)))
        .collect();
    let from = docs.find("```text").expect("the syntax");
    let page = read(Path::new("book/src/language/grammar.md"));
    assert!(
        page.ends_with(&docs[from..]),
        "book/src/language/grammar.md must end in the module documentation of src/meta/ast.rs"
    );
}

#[test]
fn no_tabs_and_no_trailing_space() {
    let mut breaches = Vec::new();
    for (folder, extension) in [
        ("grammars", "tdg"),
        ("stdlib", "tdg"),
        ("book/src", "md"),
        ("src", "rs"),
    ] {
        for path in files(folder, extension) {
            for (number, line) in read(&path).lines().enumerate() {
                if line.contains('\t') || line.ends_with(' ') {
                    breaches.push(format!("{}:{}", path.display(), number + 1));
                }
            }
        }
    }
    fail_if_any(breaches);
}

#[test]
fn the_rules_see_what_they_should() {
    let used = rooms_used("use crate::{diag::{Sink, codes}, tree::Program};\ncrate::scene::x()");
    assert_eq!(
        used.into_iter().collect::<Vec<_>>(),
        ["diag", "scene", "tree"]
    );
    let shipped = code("use a; // crate::cli\n#[cfg(test)]\nmod tests { use crate::cli; }");
    assert!(rooms_used(&shipped).is_empty());
    assert!(rank("source") < rank("cli") && rank("mutate") == rank("scene"));
}
