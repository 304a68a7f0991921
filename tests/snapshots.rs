//! What every shipped grammar's sampler, mutators, paths and pictures do, held as snapshots; and the
//! macros of `tdc::testing`, used as a user's crate uses them.
//!
//! `snapshots/grammars/<grammar>/` is what `tdc snap grammars/*.tdg --snapshots snapshots/grammars`
//! keeps; `TDC_UPDATE=1 cargo test --test snapshots` writes it anew, golden pictures of the macros
//! included. `cargo insta review` accepts their texts in `snapshots/testing/`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tdc::Compiled;
use tdc::mutate::named::NamedMutator;
use tdc::testing::{
    self,
    folder::{self, State},
};

mod common;

/// The module of csg2d.
#[allow(dead_code)] // of a whole module this uses its language
pub mod generated {
    include!("../snapshots/generated/csg2d.rs");
}

const HOME: &str = "snapshots/grammars";

fn updating() -> bool {
    std::env::var_os("TDC_UPDATE").is_some()
}

#[test]
fn shipped_grammars_do_what_they_did() {
    let mut wrong = Vec::new();
    let mut names = BTreeSet::new();
    for (name, compiled) in common::shipped() {
        let home = Path::new(HOME).join(&name);
        let options = folder::recorded(&home).unwrap_or_default();
        let snapshots = folder::draw(&compiled, options, &mut |_, _| true)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let findings = folder::compare(&home, &snapshots).expect("the snapshots can be read");
        if updating() {
            folder::accept(&findings).expect("the snapshots can be written");
        } else {
            for finding in findings {
                let what = match finding.state {
                    State::Same => continue,
                    State::Missing => "is missing".to_owned(),
                    State::Stale => "is stale".to_owned(),
                    State::Changed { panels, .. } => match panels {
                        Some(Ok(panels)) => format!("differs; see {}", panels.display()),
                        _ => "differs".to_owned(),
                    },
                };
                wrong.push(format!("{} {what}", finding.path.display()));
            }
        }
        // The kept file itself, whatever drew it.
        let text = fs::read_to_string(home.join("mutators.txt")).unwrap_or_default();
        holds_every_mutator(&name, &compiled, &text);
        names.insert(name);
    }
    for entry in fs::read_dir(HOME).expect("the snapshots are there") {
        let name = entry.expect("an entry").file_name();
        if !names.contains(name.to_string_lossy().as_ref()) {
            wrong.push(format!(
                "{HOME}/{} is of no grammar",
                name.to_string_lossy()
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "\n{}\n`tdc snap grammars/*.tdg --snapshots {HOME}` tells more, TDC_UPDATE=1 accepts\n",
        wrong.join("\n")
    );
}

/// Every named mutator is in the text: with a change, or among those that can never do anything.
fn holds_every_mutator(name: &str, compiled: &Compiled, text: &str) {
    let grammar = &compiled.grammar;
    for named in NamedMutator::all(grammar) {
        let title = named.name(grammar);
        let shown = text.contains(&format!("\n\n{title}\n    "));
        let never = text
            .split_once("\nNever:\n")
            .is_some_and(|(_, list)| list.contains(&format!("{title}: ")));
        assert!(shown != never, "{name}: {title}");
    }
}

/// Grammars of every shape, not only those that are shipped.
#[test]
fn whatever_compiles_has_snapshots() {
    let entries = fs::read_dir("tests/compile/pass").expect("the cases");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "tdg"));
    paths.sort();
    assert!(paths.len() >= 4);
    for path in paths {
        let name = path.display();
        let compiled = Compiled::load(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let options = folder::SnapshotOptions { seed: 1, count: 3 };
        let snapshots = folder::draw(&compiled, options, &mut |_, _| true);
        let snapshots = snapshots.unwrap_or_else(|error| panic!("{name}: {error}"));
        let text = |wanted: &str| {
            let found = snapshots.iter().find(|snapshot| snapshot.name == wanted);
            found
                .map(|snapshot| snapshot.text.clone())
                .expect("it is there")
        };
        holds_every_mutator(&name.to_string(), &compiled, &text("mutators.txt"));
        assert!(!text("mutators.txt").contains("finds nothing"), "{name}");
    }
}

/// Snapshots of this project lie in `snapshots/`; a user leaves this out.
fn here(test: impl FnOnce()) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots/testing");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(test);
}

#[test]
fn samples_by_macro() {
    let csg2d = common::grammar("csg2d");
    here(|| {
        tdc::assert_samples!(&csg2d, seed = 7, count = 4);
        tdc::assert_samples!(&csg2d, seed = 8, count = 2, @r"
        1   (- (+ (- (Quad 6 12 9 6 0) (- (Circle 2 8 11) (+ (Quad 9 3 12 5 135) (Circle 3 5 6))))
              (Circle 3 9 3)) (Quad 12 10 10 2 0))
        2   (+ (+ (- (+ (+ (Quad 12 1 3 3 270) (+ (Circle 10 4 12) (- (Quad 3 1 2 12 0) (Circle 10 0 15))))
              (Circle 2 15 11)) (Circle 4 11 9)) (Quad 9 14 11 9 45)) (Circle 7 3 3))
        ");
    });
}

/// The language that a generated module carries is the one that its grammar makes.
#[test]
fn generated_modules_have_the_same_snapshots() {
    let (written, carried) = (common::grammar("csg2d"), generated::LANGUAGE.compiled());
    let carried = carried.expect("it is of this version");
    assert_eq!(
        testing::mutators(&written, 3, 2),
        testing::mutators(carried, 3, 2)
    );
    here(|| tdc::assert_samples!("samples_by_macro", carried, seed = 7, count = 4));
}

#[test]
fn mutations_by_macro() {
    let json = common::grammar("json");
    here(|| {
        tdc::assert_mutations!("json_mutations", &json, seed = 7, count = 4);
        tdc::assert_mutations!(
            "json_keys",
            &json,
            by = "Member::mutate_key",
            seed = 7,
            count = 2
        );
        tdc::assert_mutations!(&json, by = "Value::replace_null", seed = 7, count = 2);
    });
}

#[test]
fn mutators_by_macro() {
    let arith = common::grammar("arith");
    here(|| tdc::assert_mutators!(&arith, seed = 1, count = 2));
}

#[test]
fn paths_by_macro() {
    let rainbow = common::grammar("rainbow");
    here(|| tdc::assert_paths!("rainbow_paths", &rainbow, seed = 7, count = 2));
}

#[test]
fn pictures_by_macro() {
    let street = common::grammar("street");
    here(|| {
        tdc::assert_pictures!(&street, seed = 7, count = 1);
        tdc::assert_pixels!(&street, seed = 7, count = 2);
        tdc::assert_pixels!("at_dusk", &street, seed = 8, count = 1);
    });
}

#[test]
#[should_panic(
    expected = "`json` has no mutator `Member::mutate_kez`; `Member::mutate_key` is near"
)]
fn a_wrong_name_is_told() {
    let json = common::grammar("json");
    tdc::assert_mutations!(&json, by = "Member::mutate_kez", seed = 7, count = 1);
}

#[test]
#[should_panic(expected = "a count of 0 is out of range")]
fn a_wrong_count_is_told() {
    let json = common::grammar("json");
    tdc::assert_samples!(&json, seed = 7, count = 0);
}

#[test]
#[should_panic(expected = "`json` has no `canvas`")]
fn a_language_without_pictures_has_none() {
    let json = common::grammar("json");
    tdc::assert_pixels!(&json, seed = 7, count = 1);
}
