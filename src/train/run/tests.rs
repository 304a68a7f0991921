//! Runs of a tiny model: what is bit-equal to what, and what is kept when something goes wrong.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::model::config::{NodesConfig, Preset};
use crate::model::learner::Predicts;
use crate::model::nodes::Small;
use crate::model::paper::Paper;
use crate::train::Options;

/// A run of a narrow model on pictures of 16 pixels.
fn language() -> Arc<Compiled> {
    let text = "language dots\nuse std.shape.{disc}\nuse std.transform.{shift}\nstart A\ncanvas 16 x 16 ink\n\
        sample size 1..=3\nmutate small 2\ntoken N = 0..=7\n\
        sort A { @primitive Dot = \"dot\" n:N m:N  Both = \"(\" a:A \"+\" b:A \")\" }\n\
        draw A -> Region { Dot => disc(2) |> shift(2 * n, 2 * m)  Both => a + b }\n";
    Arc::new(Compiled::from_text("dots", text).unwrap_or_else(|e| panic!("{e}")))
}

fn paper(about: &About, origin: Origin) -> Result<Paper, NetError> {
    match origin {
        Origin::Seed(seed) => Paper::seeded(about, seed),
        Origin::Stored(stored) => Paper::stored(about, stored),
    }
}

fn about(compiled: &Compiled, predicts: Predicts) -> About {
    let mut config = Preset::Tiny.config();
    config.encoder.shrink = 1;
    config.encoder.stem = 4;
    for stage in &mut config.encoder.stages {
        stage.channels = 8;
    }
    config.decoder.width = 16;
    config.encoder.outputs = 16;
    About::new(compiled, predicts, "tiny", config).unwrap()
}

fn run(folder: &Path, steps: u64) -> Run<'static, Paper> {
    let compiled = language();
    let options = Options {
        seed: 3,
        ..Options::of(&compiled)
    };
    Run {
        about: about(&compiled, Predicts::Policy),
        plan: Plan {
            batch: 4,
            rate: 1e-2,
            warm_up: 3,
            schedule: Schedule::Constant,
            steps: Some(steps),
            held_out: 8,
            ..Plan::new(options)
        },
        how: How {
            threads: 2,
            log: Every::Steps(4),
            save: Every::Steps(10),
            ..How::default()
        },
        folder: folder.to_owned(),
        resume: false,
        make: &paper,
        compiled,
    }
}

fn go(run: &Run<'_, Paper>) -> Result<Report, RunError> {
    train(run, &AtomicBool::new(false), &mut |_| {})
}

/// Weights and moments of the checkpoint.
fn state(folder: &Path) -> (BTreeMap<String, Vec<f32>>, Vec<u8>) {
    let bytes = std::fs::read(folder.join(LAST)).unwrap();
    let (about, mut stored) = About::from_bytes(Path::new(LAST), &bytes).unwrap();
    let beside = std::mem::take(&mut stored.beside);
    let model = Paper::stored(&about, stored).unwrap();
    let weights = model.weights().to_bytes(&BTreeMap::new()).unwrap();
    (beside, weights)
}

fn rows(folder: &Path) -> Vec<Row> {
    read_metrics(&folder.join(METRICS)).unwrap()
}

#[test]
fn a_run_learns_and_leaves_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = run(folder.path(), 160);
    run.plan.batch = 16;
    run.about = about(&run.compiled, Predicts::Value);
    let report = go(&run).unwrap();
    assert_eq!(report.ending, Ending::Steps);
    assert_eq!((report.state.step, report.state.examples), (160, 2560));
    let rows = rows(folder.path());
    assert!(rows.windows(2).all(|pair| pair[0].step < pair[1].step));
    let (first, last) = (rows[0], rows[rows.len() - 1]);
    assert!(last.loss < 0.5 * first.loss, "{first:?} {last:?}");
    let held_out: Vec<f64> = rows
        .iter()
        .filter_map(|r| r.held_out)
        .map(|h| h.loss)
        .collect();
    assert_eq!(held_out.len(), 16);
    let best = held_out.iter().copied().fold(f64::MAX, f64::min);
    assert_eq!(report.state.best.unwrap().1.loss, best);
    for name in [LAST, BEST] {
        // Both are model files.
        let (about, stored) = About::read(&folder.path().join(name), &run.compiled).unwrap();
        assert!(about.trained.contains_key("plan"));
        Paper::stored(&about, stored).unwrap();
    }
    for name in ["curve.svg", "curve.png"] {
        assert!(folder.path().join(name).is_file(), "{name}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 5);
}

#[test]
fn a_run_that_was_cut_off_ends_in_the_same_weights() {
    for predicts in [Predicts::Policy, Predicts::Autoregressive, Predicts::Value] {
        let (whole, parts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let of = |folder: &Path| {
            let mut run = run(folder, 23);
            run.about = about(&run.compiled, predicts);
            run
        };
        go(&of(whole.path())).unwrap();
        // Stopped between checkpoints, on one thread.
        let mut part = of(parts.path());
        part.how.threads = 1;
        let stop = AtomicBool::new(false);
        let mut at_seven = |seen: &Seen| stop.store(seen.step >= 7, Ordering::SeqCst);
        let report = train(&part, &stop, &mut at_seven).unwrap();
        assert_eq!((report.ending, report.state.step), (Ending::Stopped, 7));
        // Then lost after a checkpoint, in the middle of a line of the record.
        let mut part = of(parts.path());
        (part.resume, part.plan.steps) = (true, Some(18));
        part.how.save = Every::Steps(5);
        let kept = std::sync::Mutex::new(None);
        let mut keep = |seen: &Seen| {
            if seen.step == 13 {
                *kept.lock().unwrap() = Some(std::fs::read(parts.path().join(LAST)).unwrap());
            }
        };
        train(&part, &AtomicBool::new(false), &mut keep).unwrap();
        let last = kept.into_inner().unwrap().unwrap();
        std::fs::write(parts.path().join(LAST), last).unwrap();
        let record = parts.path().join(METRICS);
        let mut text = std::fs::read_to_string(&record).unwrap();
        text.push_str("{\"step\":19,\"exam");
        std::fs::write(&record, text).unwrap();
        let mut part = of(parts.path());
        part.resume = true;
        let report = go(&part).unwrap();
        assert_eq!(report.state.step, 23);
        assert_eq!(report.state.examples, 4 * 23);
        assert_eq!(state(whole.path()), state(parts.path()), "{predicts:?}");
        let steps: Vec<u64> = rows(parts.path()).iter().map(|row| row.step).collect();
        assert!(steps.is_sorted_by(|a, b| a < b), "{steps:?}");
        assert_eq!(steps.last(), Some(&23));
    }
}

#[test]
fn a_last_row_is_measured_and_written_once() {
    let folder = tempfile::tempdir().unwrap();
    let report = go(&run(folder.path(), 8)).unwrap();
    let rows = rows(folder.path());
    assert_eq!(rows.iter().map(|r| r.step).collect::<Vec<_>>(), [4, 8]);
    assert!(rows[1].held_out.is_some() && rows[1].loss > 0.0);
    assert_eq!(report.last, Some(rows[1]));
}

#[test]
fn what_is_no_number_stops_and_leaves_the_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    go(&run(folder.path(), 10)).unwrap();
    let before = state(folder.path());
    let mut wild = run(folder.path(), 30);
    (wild.resume, wild.plan.rate) = (true, 1e38);
    let error = go(&wild).unwrap_err();
    let RunError::NoNumber {
        step, checkpoint, ..
    } = &error
    else {
        panic!("{error}");
    };
    assert!(*step > 10 && *checkpoint == 10, "{error}");
    assert!(
        error.to_string().contains("checkpoint is that of step 10"),
        "{error}"
    );
    assert_eq!(state(folder.path()), before);
}

#[test]
fn folders_that_do_not_fit_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut fresh = run(folder.path(), 2);
    fresh.resume = true;
    assert!(matches!(go(&fresh), Err(RunError::Nothing(_))));
    fresh.resume = false;
    go(&fresh).unwrap();
    let bytes = std::fs::read(folder.path().join(LAST)).unwrap();
    assert!(matches!(go(&fresh), Err(RunError::Taken { step: 2, .. })));
    let mut other = run(folder.path(), 4);
    other.resume = true;
    other.plan.batch = 8;
    other.about.sees_current = false;
    let error = go(&other).unwrap_err().to_string();
    for what in ["batch: 4 then, 8 now", "sees_current: true then, false now"] {
        assert!(error.contains(what), "{error}");
    }
    // A checkpoint that was cut off, and one without what is needed to go on.
    let last = folder.path().join(LAST);
    let mut same = run(folder.path(), 4);
    same.resume = true;
    for cut in [0, 7, 100, bytes.len() - 1] {
        std::fs::write(&last, &bytes[..cut]).unwrap();
        let error = go(&same).unwrap_err();
        assert!(
            matches!(&error, RunError::Checkpoint(e) if matches!(**e, CheckpointError::Broken { .. })),
            "{cut}: {error}"
        );
    }
    std::fs::copy(folder.path().join(BEST), &last).unwrap();
    assert!(matches!(go(&same), Err(RunError::NoRun(_))));
    std::fs::write(&last, &bytes).unwrap();
    go(&same).unwrap();
}

#[test]
fn a_folder_that_cannot_be_written_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = go(&run(&file.join("run"), 1)).unwrap_err();
    assert!(matches!(error, RunError::File { .. }), "{error}");
    let no_one = Plan {
        workers: 5,
        ..run(folder.path(), 1).plan
    };
    let mut run = run(folder.path(), 1);
    run.plan = no_one;
    assert!(matches!(go(&run), Err(RunError::Workers { .. })));
}

#[test]
fn workers_take_the_steps_of_one_with_the_whole_batch() {
    let of = |workers: usize, steps: u64| {
        let folder = tempfile::tempdir().unwrap();
        let mut run = run(folder.path(), steps);
        (run.plan.workers, run.plan.batch) = (workers, 8);
        go(&run).unwrap();
        let rows = rows(folder.path());
        (state(folder.path()), rows, folder)
    };
    // The first moments of the first step are its gradients.
    let moments = |state: &(BTreeMap<String, Vec<f32>>, Vec<u8>)| state.0["first_moments"].clone();
    let (one, alone, _) = of(1, 1);
    for workers in [2, 3] {
        let (two, rows, _) = of(workers, 1);
        let (one, two) = (moments(&one), moments(&two));
        let most = one.iter().fold(0f32, |most, v| most.max(v.abs()));
        assert!(most > 0.0);
        for (a, b) in one.iter().zip(&two) {
            assert!((a - b).abs() <= 1e-5 * most, "{a} {b}");
        }
        let (a, b) = (alone[0], rows[0]);
        assert!((a.loss - b.loss).abs() < 1e-5, "{a:?} {b:?}");
        assert_eq!(
            (
                a.position_accuracy,
                a.token_accuracy,
                a.whole_accuracy,
                a.examples
            ),
            (
                b.position_accuracy,
                b.token_accuracy,
                b.whole_accuracy,
                b.examples
            )
        );
    }
    // Runs of several workers repeat to the bit, and go on.
    let (again, _, folder) = of(2, 12);
    assert_eq!(of(2, 12).0, again);
    let mut more = run(folder.path(), 20);
    (more.plan.workers, more.plan.batch, more.resume) = (2, 8, true);
    go(&more).unwrap();
    assert_eq!(state(folder.path()), of(2, 20).0);
    // All stop when the first is asked to.
    let stop = AtomicBool::new(false);
    let mut soon = |seen: &Seen| stop.store(seen.step >= 25, Ordering::SeqCst);
    more.plan.steps = None;
    let report = train(&more, &stop, &mut soon).unwrap();
    assert_eq!((report.ending, report.state.step), (Ending::Stopped, 26));
}

/// The same for networks of nodes: cut off and gone on with, alone and shared.
#[test]
fn networks_of_nodes_go_on_and_share_batches() {
    let compiled = language();
    let about = {
        let config = NodesConfig {
            pixels: 16,
            channels: [4, 4],
            width: 16,
            heads: 2,
            layers: 1,
            writers: 1,
            context: 16,
            tokens: 8,
        };
        About::new(&compiled, Predicts::Policy, "tiny", config).unwrap()
    };
    let make = |about: &About, origin: Origin| match origin {
        Origin::Seed(seed) => Small::seeded(about, &compiled, seed),
        Origin::Stored(stored) => Small::stored(about, &compiled, stored),
    };
    let of = |folder: &Path, steps: u64, workers: usize, resume: bool| {
        let paper = run(folder, steps);
        let nodes = Run {
            compiled: paper.compiled,
            about: about.clone(),
            plan: Plan {
                workers,
                ..paper.plan
            },
            how: How {
                threads: 1 + workers,
                ..paper.how
            },
            folder: paper.folder,
            resume,
            make: &make,
        };
        train(&nodes, &AtomicBool::new(false), &mut |_| {}).unwrap();
        let bytes = std::fs::read(folder.join(LAST)).unwrap();
        let (about, mut stored) = About::from_bytes(Path::new(LAST), &bytes).unwrap();
        let beside = std::mem::take(&mut stored.beside);
        let model = Small::stored(&about, &compiled, stored).unwrap();
        (beside, model.weights().to_bytes(&BTreeMap::new()).unwrap())
    };
    let folders = [(); 4].map(|()| tempfile::tempdir().unwrap());
    let whole = of(folders[0].path(), 13, 1, false);
    of(folders[1].path(), 6, 1, false);
    assert_eq!(of(folders[1].path(), 13, 1, true), whole);
    // The first moments of the first step are its gradients.
    let one = of(folders[2].path(), 1, 1, false).0;
    let two = of(folders[3].path(), 1, 2, false).0;
    let (one, two) = (&one["first_moments"], &two["first_moments"]);
    let most = one.iter().fold(0f32, |most, v| most.max(v.abs()));
    assert!(most > 0.0);
    for (a, b) in one.iter().zip(two) {
        assert!((a - b).abs() <= 1e-5 * most, "{a} {b}");
    }
}
