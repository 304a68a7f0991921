//! Grammar files that must compile, and files that must not, with everything said about them.
//!
//! `tests/compile/pass/` holds files that compile without a word, as do the shipped grammars.
//! `tests/compile/fail/` holds files whose diagnostics are kept in `snapshots/compile/`; a folder
//! there with a `main.tdg` is one case of several files, other folders hold what the cases import.
//! A new case is a file dropped in; `cargo insta review` accepts what is said about it.

use std::collections::BTreeSet;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use tdc::diag::codes::TABLE;
use tdc::diag::render::render_all;
use tdc::pipeline::{compile_path, compile_str};
use tdc::soundness;

/// Files of a folder, and of those below when `deep`, in a fixed order.
fn files(folder: &str, ending: &str, deep: bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() && deep {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Whether a file compiles and its rules hold, and all that is said about it.
fn said(path: &Path) -> (bool, String) {
    let outcome = compile_path(path);
    let mut diagnostics = outcome.diagnostics;
    let mut holds = false;
    if let Some(compiled) = &outcome.compiled {
        let goes_on = |_, _| ControlFlow::Continue(());
        let options = soundness::Options::of(&compiled.grammar);
        let report = soundness::test(compiled, options, goes_on);
        diagnostics.extend(report.diagnostics(compiled));
        holds = report.holds();
    }
    let text = render_all(&diagnostics, &outcome.sources, false);
    (holds, text)
}

#[test]
fn what_should_compile_compiles_without_a_word() {
    let mut cases = files("tests/compile/pass", "tdg", true);
    cases.extend(files("grammars", "tdg", false));
    assert!(cases.len() >= 8, "the shipped grammars are there");
    let mut wrong = String::new();
    for path in cases {
        let (compiled, text) = said(&path);
        if !compiled || !text.is_empty() {
            wrong += &format!("{}:\n{text}\n", path.display());
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn every_module_of_the_standard_library_can_be_used() {
    let modules = files("stdlib", "tdg", false);
    assert!(!modules.is_empty());
    let mut wrong = String::new();
    for path in modules {
        let stem = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .expect("a plain name");
        let text = format!(
            "language user\nuse std.{stem} as it\nstart S\nsample size 1..=1\nsort S {{ @primitive A = \"a\" }}\n"
        );
        let outcome = compile_str("user", &text);
        if outcome.compiled.is_none() {
            wrong += &render_all(&outcome.diagnostics, &outcome.sources, false);
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn what_should_not_compile_says_exactly_this() {
    let mut cases: Vec<(String, PathBuf)> = Vec::new();
    for path in files("tests/compile/fail", "tdg", false) {
        let stem = path
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        cases.push((stem, path));
    }
    for entry in fs::read_dir("tests/compile/fail").expect("the cases") {
        let folder = entry.expect("a readable folder").path();
        let main = folder.join("main.tdg");
        if main.is_file() {
            let name = folder
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            cases.push((name, main));
        }
    }
    cases.sort();
    assert!(
        cases.windows(2).all(|pair| pair[0].0 != pair[1].0),
        "two cases of one name"
    );

    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots/compile");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let mut silent = Vec::new();
    let mut changed = Vec::new();
    for (name, path) in &cases {
        let (_, text) = said(path);
        if text.is_empty() {
            silent.push(path.display().to_string());
            continue;
        }
        let check = || settings.bind(|| insta::assert_snapshot!(name.as_str(), text));
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(check)).is_err() {
            changed.push(name.as_str());
        }
    }
    assert!(silent.is_empty(), "nothing is said about {silent:?}");
    assert!(
        changed.is_empty(),
        "other things are said about {changed:?}"
    );

    let known: BTreeSet<&str> = cases.iter().map(|(name, _)| name.as_str()).collect();
    let mut left = files("snapshots/compile", "snap", false);
    left.retain(|path| {
        !known.contains(path.file_stem().expect("a name").to_string_lossy().as_ref())
    });
    assert!(left.is_empty(), "snapshots without a case: {left:?}");
}

/// Codes in square brackets, as the diagnostics show them.
fn codes_in(text: &str) -> impl Iterator<Item = &str> {
    text.split('[').skip(1).filter_map(|rest| {
        let code = rest.split_once(']')?.0;
        let digits = code.strip_prefix(['E', 'W'])?;
        (digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit())).then_some(code)
    })
}

#[test]
fn each_code_has_a_page_and_a_case() {
    let table: BTreeSet<String> = TABLE.iter().map(|e| e.code.to_string()).collect();
    let pages: BTreeSet<String> = files("book/src/codes", "md", false)
        .iter()
        .filter_map(|path| path.file_stem())
        .map(|stem| stem.to_string_lossy().into_owned())
        .filter(|stem| stem != "README" && stem != "index")
        .collect();
    let mut cases = BTreeSet::new();
    for path in files("snapshots", "snap", true) {
        let text = fs::read_to_string(&path).expect("a readable snapshot");
        let of_files = path.starts_with("snapshots/compile");
        let found =
            codes_in(&text).filter(|c| of_files || c.starts_with("E09") || c.starts_with("E10"));
        cases.extend(found.map(str::to_string));
    }
    let missing = |of: &BTreeSet<String>| table.difference(of).cloned().collect::<Vec<_>>();
    let unknown = |of: &BTreeSet<String>| of.difference(&table).cloned().collect::<Vec<_>>();
    let report = [
        ("no page in book/src/codes", missing(&pages)),
        ("a page of no code", unknown(&pages)),
        ("no case in snapshots", missing(&cases)),
        ("a case of no code", unknown(&cases)),
    ];
    let wrong: Vec<_> = report
        .iter()
        .filter(|(_, codes)| !codes.is_empty())
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    for entry in TABLE {
        let title = entry.page.lines().next().unwrap_or("");
        assert!(title.starts_with(&format!("# {}: ", entry.code)), "{title}");
    }
}
