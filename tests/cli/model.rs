//! Solving with a trained model: solve --model.

use super::train::{dots, train};
use super::*;

/// A folder with a language, a model of it, and pictures.
fn world() -> TempDir {
    let folder = dots();
    trained(folder.path(), "run", &["--steps", "2"]);
    let tasks = ["tasks", "dots.tdg", "-n", "3", "--seed", "1", "-o", "set"];
    let output = tdc_in(folder.path(), &tasks, b"");
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    // One of the set is a picture of its own.
    let set = folder.path().join("set");
    let text = fs::read_to_string(set.join("tasks.jsonl")).expect("text");
    let name = json_lines(&text)[0]["target"].clone();
    let name = name.as_str().expect("text");
    fs::create_dir(folder.path().join("pictures")).expect("a folder");
    fs::copy(set.join(name), folder.path().join("pictures/a.png")).expect("copied");
    folder
}

fn trained(folder: &Path, to: &str, more: &[&str]) {
    let output = train(folder, to, more);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
}

fn solve(folder: &Path, more: &[&str]) -> Output {
    let args = ["solve", "dots.tdg", "--format", "json"];
    tdc_in(folder, &[&args[..], more].concat(), b"")
}

#[test]
fn models_solve_pictures_folders_and_sets() {
    let folder = world();
    let folder = folder.path();
    let model = ["--model", "run/best.safetensors"];
    let report = |threads: &str, search: &str| {
        let args = ["--target", "pictures/a.png", "--expansions", "60"];
        let more = ["--search", search, "--threads", threads];
        let output = solve(folder, &[&model[..], &args, &more].concat());
        assert!([0, 3].contains(&code(&output)), "{}", stderr(&output));
        let mut report = json_lines(&stdout(&output)).remove(0);
        assert_eq!(report["model"]["file"], "run/best.safetensors");
        assert_eq!(report["model"]["preset"], "tiny");
        assert_eq!(report["model"]["trained"]["steps"], 2);
        assert_eq!(report["search"], search);
        assert_eq!(report["expansions_limit"], 60);
        assert!(report["expansions"].as_u64() <= Some(60));
        assert!(report["expansions_per_second"].as_f64() > Some(0.0));
        let taken = ["seconds", "total_seconds", "expansions_per_second"];
        for key in [&taken[..], &["threads", "merged"]].concat() {
            report[key].take();
        }
        report
    };
    for search in ["beam", "rollouts"] {
        assert_eq!(report("1", search), report("2", search));
    }
    // Beside the grammar, a model needs no name.
    fs::copy(
        folder.join("run/best.safetensors"),
        folder.join("dots.small.safetensors"),
    )
    .expect("copied");
    let args = ["--model", "auto", "--search", "rollouts"];
    let limits = ["--expansions", "40", "-o", "many"];
    let target = ["--target", "pictures"];
    let output = solve(folder, &[&args[..], &limits, &target].concat());
    assert!([0, 3].contains(&code(&output)), "{}", stderr(&output));
    let text = fs::read_to_string(folder.join("many/run.json")).expect("text");
    let run: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(run["model"]["file"], "dots.small.safetensors");
    let page = fs::read_to_string(folder.join("many/index.html")).expect("text");
    assert!(page.contains("Solved with a trained model by one thread"));
    assert!(page.contains("at most 40 expansions each"), "{page}");
    let text = fs::read_to_string(folder.join("many/a/report.json")).expect("text");
    let one: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(one["model"], run["model"]);

    let to = ["--tasks", "set", "-o", "out", "--search", "beam"];
    let set = |limit: &str| {
        let limits = ["--expansions", limit, "--jobs", "2"];
        solve(folder, &[&model[..], &to, &limits].concat())
    };
    let output = set("50");
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let summary = json_lines(&stdout(&output)).remove(0);
    let within = summary["within_expansions"].as_array().expect("rows");
    let limits: Vec<_> = within.iter().map(|row| row["limit"].as_f64()).collect();
    assert_eq!(limits, [10.0, 30.0, 50.0].map(Some));
    let last = within.last().expect("a row");
    assert_eq!(last["solved"], summary["solved"]);
    let results = fs::read_to_string(folder.join("out/results.jsonl")).expect("text");
    let counts = json_lines(&results)
        .iter()
        .map(|line| line["expansions"].as_u64())
        .collect::<Vec<_>>();
    assert_eq!(counts.len(), 3);
    // A start may be the target by chance.
    assert!(counts.iter().all(|n| *n <= Some(50)), "{counts:?}");
    assert!(counts.iter().any(|n| *n > Some(0)), "{counts:?}");
    // It goes on with the same model only.
    assert_eq!(code(&set("50")), 0);
    trained(folder, "run", &["--steps", "3", "--resume"]);
    fs::copy(
        folder.join("run/last.safetensors"),
        folder.join("run/best.safetensors"),
    )
    .expect("copied");
    let other = set("50");
    assert_eq!(code(&other), 1);
    assert!(stderr(&other).contains("model"), "{}", stderr(&other));
}

#[test]
fn models_that_cannot_help_are_refused_before_the_search() {
    let folder = world();
    let folder = folder.path();
    let says = |more: &[&str], exit: i32, words: &str| {
        let args = ["--target", "pictures/a.png", "-o", "never"];
        let output = solve(folder, &[&args[..], more].concat());
        let told = stderr(&output);
        assert_eq!(code(&output), exit, "{more:?}: {told}");
        assert!(told.contains(words), "{more:?}: {told}");
        assert!(!folder.join("never").exists(), "{more:?}");
    };
    let beam = |file: &'static str| ["--search", "beam", "--model", file];
    let model = "run/best.safetensors";
    says(&["--model", model], 2, "--search beam or");
    says(&["--search", "rollouts"], 2, "needs a --model");
    says(&["--expansions", "9"], 2, "--expansions needs");
    says(
        &beam("none.safetensors"),
        1,
        "cannot read the model none.safetensors",
    );
    says(&beam("auto"), 1, "dots.small.safetensors; `tdc train");
    says(&beam("dots.tdg"), 1, "not a whole model file");
    let bytes = fs::read(folder.join(model)).expect("a model");
    fs::write(folder.join("half"), &bytes[..bytes.len() / 2]).expect("written");
    says(&beam("half"), 1, "not a whole model file");
    trained(folder, "value", &["--predict", "value", "--steps", "1"]);
    says(&beam("value/last.safetensors"), 1, "value");
    let circle = png(folder, "circle.png", "(Circle 4 8 8)");
    let csg = grammar("csg2d.tdg");
    let args = [
        "solve",
        &csg,
        "--target",
        &circle.display().to_string(),
        "--search",
        "beam",
    ];
    let output = tdc_in(folder, &[&args[..], &["--model", model]].concat(), b"");
    assert_eq!(code(&output), 1);
    let told = stderr(&output);
    assert!(
        told.contains("trained for another language than this"),
        "{told}"
    );
}
