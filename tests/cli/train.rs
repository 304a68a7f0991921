//! Training: train.

use std::time::Duration;

use super::*;

/// A language on a small canvas, so that steps are short.
const DOTS: &str = "language dots\nuse std.shape.{disc}\nuse std.transform.{shift}\nstart A\n\
    canvas 32 x 32 ink\nsample size 1..=3\nmutate small 2\ntoken N = 0..=7\n\
    sort A { @primitive Dot = \"dot\" n:N m:N  Both = \"(\" a:A \"+\" b:A \")\" }\n\
    draw A -> Region { Dot => disc(3) |> shift(4 * n, 4 * m)  Both => a + b }\n";

/// A folder with the language in it.
pub(super) fn dots() -> TempDir {
    let folder = folder();
    fs::write(folder.path().join("dots.tdg"), DOTS).expect("written");
    folder
}

const SMALL: [&str; 11] = [
    "train",
    "dots.tdg",
    "--preset",
    "tiny",
    "--batch",
    "4",
    "--held-out",
    "4",
    "--schedule",
    "constant",
    "--format",
];

pub(super) fn train(folder: &Path, to: &str, more: &[&str]) -> Output {
    let args = [&SMALL[..], &["json", "-o", to], more].concat();
    tdc_in(folder, &args, b"")
}

/// What follows a safetensors file's header: the numbers.
fn numbers(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).expect("a checkpoint");
    let (length, rest) = bytes.split_first_chunk::<8>().expect("a header");
    let length = usize::try_from(u64::from_le_bytes(*length)).expect("a length");
    rest[length..].to_vec()
}

fn rows(folder: &Path) -> Vec<Value> {
    let text = fs::read_to_string(folder.join("metrics.jsonl")).unwrap_or_default();
    // The last line may be on its way.
    let lines = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    lines.collect()
}

#[test]
fn train_writes_a_run_for_every_kind_of_model() {
    let folder = dots();
    for (predict, more) in [
        ("policy", &["--workers", "2", "--canonical"][..]),
        ("policy", &["--no-path", "--no-current-image", "--rho", "0"]),
        ("autoregressive", &["--size", "1..=2"]),
        ("value", &["--no-noise", "--sigma-small", "3"]),
    ] {
        let to = format!("{predict}{}", more.len());
        let steps = ["--predict", predict, "--steps", "3", "--log-every", "2"];
        let output = train(folder.path(), &to, &[&steps[..], more].concat());
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        let report = &json_lines(&stdout(&output))[0];
        has_keys(
            report,
            &[
                "language",
                "preset",
                "predicts",
                "ending",
                "step",
                "examples",
                "seconds",
                "examples_per_second",
                "waiting_share",
                "last",
                "best",
                "model",
            ],
        );
        assert_eq!(report["predicts"], predict);
        assert_eq!(report["examples"], 12);
        let files = [
            "best.safetensors",
            "curve.png",
            "curve.svg",
            "last.safetensors",
            "metrics.jsonl",
        ];
        holds_exactly(&folder.path().join(&to), &files);
        let rows = rows(&folder.path().join(&to));
        assert_eq!(rows.len(), 2);
        has_keys(
            &rows[1],
            &[
                "step",
                "examples",
                "seconds",
                "loss",
                "position_accuracy",
                "token_accuracy",
                "whole_accuracy",
                "examples_per_second",
                "waiting_share",
                "learning_rate",
                "gradient_norm",
                "left_out",
                "held_out",
            ],
        );
        assert!(rows[1]["held_out"]["loss"].as_f64().is_some());
    }
}

#[test]
fn train_goes_on_after_a_kill_to_the_same_weights() {
    let folder = dots();
    let args = [&SMALL[..], &["json", "-o", "cut", "--save-every", "3"]].concat();
    let mut child = Command::new(env!("CARGO_BIN_EXE_tdc"))
        .args(&args)
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("tdc starts");
    // It has no end of its own.
    let cut = folder.path().join("cut");
    while rows(&cut).len() < 3 {
        assert_eq!(child.try_wait().expect("a process"), None);
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
    let written = rows(&cut).len() as u64 * 3;
    let steps = (written + 5).to_string();
    let limit = ["--steps", &steps, "--threads", "2"];
    let output = train(folder.path(), "cut", &[&limit[..], &["--resume"]].concat());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let output = train(folder.path(), "whole", &limit);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let of = |name: &str| numbers(&folder.path().join(name).join("last.safetensors"));
    assert_eq!(of("cut"), of("whole"));
    let steps: Vec<u64> = rows(&cut)
        .iter()
        .filter_map(|r| r["step"].as_u64())
        .collect();
    assert!(steps.is_sorted_by(|a, b| a < b), "{steps:?}");
}

#[cfg(unix)]
#[test]
fn train_says_where_it_was_stopped() {
    let folder = dots();
    let args = [&SMALL[..10], &["-o", "run", "--log-every", "2"]].concat();
    let child = Command::new(env!("CARGO_BIN_EXE_tdc"))
        .args(&args)
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("tdc starts");
    let run = folder.path().join("run");
    while rows(&run).is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let pid = child.id().to_string();
    let killed = Command::new("kill").args(["-INT", &pid]).status();
    assert!(killed.expect("kill runs").success());
    let output = child.wait_with_output().expect("tdc ends");
    assert_eq!(code(&output), 130, "{}", stderr(&output));
    assert!(stderr(&output).contains("--resume"), "{}", stderr(&output));
    let last = rows(&run).pop().expect("a row");
    assert!(last["held_out"]["loss"].is_number());
    // The checkpoint is that of the last row.
    let step = last["step"].as_u64().expect("a step");
    let steps = (step + 1).to_string();
    let output = train(folder.path(), "run", &["--resume", "--steps", &steps]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(rows(&run).pop().expect("a row")["step"], step + 1);
}

#[cfg(unix)]
#[test]
fn train_keeps_the_checkpoint_when_the_disk_is_full() {
    let folder = dots();
    let output = train(folder.path(), "run", &["--steps", "2"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let last = folder.path().join("run/last.safetensors");
    let before = fs::read(&last).expect("a checkpoint");
    // No file may grow beyond 100 blocks; without the trap the system would end the process.
    let args = [&SMALL[..10], &["-o", "run", "--resume", "--steps", "4"]].concat();
    let script = format!(
        "trap '' XFSZ; ulimit -f 100; exec '{}' {}",
        env!("CARGO_BIN_EXE_tdc"),
        args.join(" ")
    );
    let output = Command::new("sh")
        .args(["-c", &script])
        .current_dir(folder.path())
        .output()
        .expect("sh runs");
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    let told = stderr(&output);
    assert!(
        told.contains("safetensors") && told.contains("as it was"),
        "{told}"
    );
    assert_eq!(fs::read(&last).expect("a checkpoint"), before);
    let output = train(folder.path(), "run", &["--resume", "--steps", "4"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
}

#[test]
fn train_says_what_it_cannot_do() {
    let folder = dots();
    fs::write(
        folder.path().join("other.tdg"),
        DOTS.replace("disc(3)", "disc(2)"),
    )
    .expect("written");
    let says = |to: &str, more: &[&str], exit: i32, words: &str| {
        let output = train(folder.path(), to, more);
        let told = stderr(&output);
        assert_eq!(code(&output), exit, "{more:?}: {told}");
        assert!(told.contains(words), "{more:?}: {told}");
    };
    says(
        "run",
        &["--device", "cuda:0", "--steps", "1"],
        1,
        "--device cpu",
    );
    says("run", &["--device", "tpu", "--steps", "1"], 2, "cuda:0");
    says("run", &["--resume"], 1, "no run to go on with");
    says("run", &["--lr", "0"], 2, "above 0");
    says("run", &["--workers", "9", "--steps", "1"], 1, "9 workers");
    says("run", &["--sigma-small", "1000"], 1, "");
    let both = ["--predict", "value", "--no-current-image"];
    says("run", &both, 2, "nothing to compare");
    // Nothing has been written so far.
    holds_exactly(folder.path(), &["dots.tdg", "other.tdg"]);
    says("run", &["--steps", "2"], 0, "");
    says(
        "run",
        &["--steps", "2"],
        1,
        "at step 2: go on with --resume",
    );
    says(
        "run",
        &["--resume", "--steps", "4", "--rho", "0.5"],
        1,
        "examples.rho: 0.2 then, 0.5 now",
    );
    says(
        "run",
        &["--resume", "--steps", "900", "--lr", "1e38"],
        1,
        "last good checkpoint is that of step 2",
    );
    let last = folder.path().join("run/last.safetensors");
    let bytes = fs::read(&last).expect("a checkpoint");
    let other = [
        "train",
        "other.tdg",
        "--preset",
        "tiny",
        "-o",
        "run",
        "--resume",
    ];
    let output = tdc_in(folder.path(), &other, b"");
    assert_eq!(code(&output), 1);
    assert!(
        stderr(&output).contains("another language"),
        "{}",
        stderr(&output)
    );
    fs::write(&last, &bytes[..bytes.len() / 2]).expect("written");
    says(
        "run",
        &["--resume", "--steps", "3"],
        1,
        "not a whole model file",
    );
    fs::write(&last, "hello").expect("written");
    says(
        "run",
        &["--resume", "--steps", "3"],
        1,
        "not a whole model file",
    );
    let json = tdc(&["train", &grammar("json.tdg"), "--steps", "1", "-o", "never"]);
    assert_eq!(code(&json), 1);
    assert!(stderr(&json).contains("draws nothing"), "{}", stderr(&json));
}
