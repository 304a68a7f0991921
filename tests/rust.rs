//! Generated Rust, as text: the modules in `snapshots/generated/` are what the generator writes.
//!
//! `tests/generated` compiles and runs them. `UPDATE_RUST=1 cargo test --test rust` writes them
//! again; read the difference.

#![cfg(feature = "codegen")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use tdc::codegen::rust::{RustOptions, Serde, rust};
use tdc::pipeline::compile_path;

const HOME: &str = "snapshots/generated";

/// Names that are not fine in Rust, and shapes that need boxes.
const HOSTILE: &str = "tests/compile/pass/hostile_names.tdg";

fn grammars() -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir("grammars")
        .expect("the folder of grammars")
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|e| e == "tdg"))
        .collect();
    paths.sort();
    assert!(paths.len() >= 9, "the shipped grammars are there");
    paths
}

fn module(path: &Path, options: &RustOptions) -> String {
    let outcome = compile_path(path);
    let said = tdc::diag::render::render_all(&outcome.diagnostics, &outcome.sources, false);
    let compiled = outcome
        .compiled
        .as_ref()
        .unwrap_or_else(|| panic!("{said}"));
    rust(compiled, &outcome.sources, options).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// What is kept: names of files and their texts.
fn expected() -> Vec<(String, String)> {
    let mut all = Vec::new();
    let stem = |path: &Path| {
        path.file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned()
    };
    for path in grammars() {
        let text = module(&path, &RustOptions::default());
        all.push((format!("{}.rs", stem(&path)), text));
    }
    let path = Path::new(HOSTILE);
    all.push((
        format!("{}.rs", stem(path)),
        module(path, &RustOptions::default()),
    ));
    for path in [
        Path::new("grammars/mandala.tdg"),
        Path::new("grammars/json.tdg"),
        path,
    ] {
        let options = RustOptions { serde: Serde::On };
        all.push((format!("{}_serde.rs", stem(path)), module(path, &options)));
    }
    all
}

#[test]
fn modules_are_as_they_were() {
    let all = expected();
    let update = std::env::var_os("UPDATE_RUST").is_some();
    let mut changed = Vec::new();
    for (name, text) in &all {
        let path = Path::new(HOME).join(name);
        if update {
            fs::create_dir_all(HOME).expect("a folder");
            fs::write(&path, text).expect("written");
        } else if fs::read_to_string(&path).ok().as_ref() != Some(text) {
            changed.push(name.as_str());
        }
    }
    assert!(
        changed.is_empty(),
        "other Rust is generated for {changed:?}; UPDATE_RUST=1 writes it"
    );
    let names: BTreeSet<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    for entry in fs::read_dir(HOME).expect("the folder is there") {
        let name = entry.expect("readable").file_name();
        let name = name.to_string_lossy();
        assert!(names.contains(name.as_ref()), "{name} is of no grammar");
    }
}

#[test]
fn a_condition_on_serde_is_written() {
    let serde = Serde::Feature("serde".to_owned());
    let text = module(Path::new("grammars/csg2d.tdg"), &RustOptions { serde });
    assert!(text.contains("feature = \"serde\""), "{text}");
    assert!(!text.contains("#[serde("), "only under the condition");
}
