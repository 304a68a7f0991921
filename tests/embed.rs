//! The crate in `examples/embed` is built, tested and run as its users would.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where nested builds go: beside this test's own, kept between runs.
fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("embed")
}

fn cargo(crate_dir: &Path, arguments: &[&str]) -> Output {
    // What cargo sets for this test is not meant for another crate.
    let inherited = std::env::vars().filter(|(name, _)| {
        (name.starts_with("CARGO") && name != "CARGO_HOME") || name == "OUT_DIR"
    });
    let mut command = Command::new(env!("CARGO"));
    for (name, _) in inherited {
        command.env_remove(name);
    }
    command
        .args(arguments)
        .current_dir(crate_dir)
        .env("CARGO_TARGET_DIR", target())
        .env("INSTA_UPDATE", if updating() { "always" } else { "no" })
        .output()
        .expect("cargo can be started")
}

fn updating() -> bool {
    std::env::var_os("TDC_UPDATE").is_some()
}

fn text(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!(
        "{}\n{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(err)
    )
}

/// The example's versions of crates are tdc's own, so that nothing else has to be fetched.
fn lock(crate_dir: &Path) {
    let place = crate_dir.join("Cargo.lock");
    std::fs::copy(root().join("Cargo.lock"), place).expect("a lock file");
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name");
        if path.is_dir() && name != "target" {
            copy(&path, &to.join(name));
        } else if path.is_file() {
            std::fs::copy(&path, to.join(name)).expect("a copy");
        }
    }
}

/// One test: its parts build the same crate and would wait for each other.
#[test]
fn the_embedding_crate_builds_tests_and_runs() {
    let example = root().join("examples/embed");
    lock(&example);
    let tested = cargo(&example, &["test"]);
    assert!(tested.status.success(), "{}", text(&tested));
    assert!(!text(&tested).contains("warning:"), "{}", text(&tested));
    // Its program was built beside its tests. `cargo run` would build everything once more, with
    // the features that only tests do not need.
    let program = target()
        .join("debug")
        .join(format!("embed{}", std::env::consts::EXE_SUFFIX));
    let ran = Command::new(program).output().expect("the program");
    assert!(ran.status.success(), "{}", text(&ran));
    let said = text(&ran);
    for part in [
        "by hand:   round sea 44",
        "mutated:",
        "and back:  round sea 44",
        "dynamic:",
    ] {
        assert!(said.contains(part), "{said}");
    }

    // A crate like it, to make changes in.
    let folder = tempfile::tempdir().expect("a folder");
    let own = folder.path().join("embed");
    copy(&example, &own);
    let manifest = own.join("Cargo.toml");
    let absolute = std::fs::read_to_string(&manifest).expect("a manifest");
    let absolute = absolute.replace("\"../..\"", &format!("{:?}", root()));
    std::fs::write(&manifest, absolute).expect("a manifest");
    let built = cargo(&own, &["test", "--no-run"]);
    assert!(built.status.success(), "{}", text(&built));

    // Nothing changed: nothing is built. An imported grammar changed: the crate is.
    let idle = cargo(&own, &["test", "--no-run"]);
    assert!(!text(&idle).contains("Compiling"), "{}", text(&idle));
    let palette = own.join("grammars/palette.tdg");
    let colours = std::fs::read_to_string(&palette).expect("a grammar");
    std::fs::write(&palette, colours.replace("#22313f", "#000000")).expect("a grammar");
    let again = cargo(&own, &["test", "--no-run"]);
    assert!(text(&again).contains("Compiling embed"), "{}", text(&again));
    assert!(!text(&again).contains("Compiling tdc"), "{}", text(&again));

    // A mistake in it fails the build and is shown with its place.
    std::fs::write(&palette, colours.replace("token Paint", "token Pain")).expect("a grammar");
    let broken = cargo(&own, &["test", "--no-run"]);
    let said = text(&broken);
    assert!(!broken.status.success(), "{said}");
    assert!(
        said.contains("badge.tdg:") && said.contains("Paint"),
        "{said}"
    );
}
