//! Sets are what they say, and folders hold them.

use std::path::Path;

use super::files::{Loaded, ReadError};
use super::*;
use crate::render::metric;

fn shipped(name: &str) -> Compiled {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("grammars");
    Compiled::load(folder.join(format!("{name}.tdg"))).unwrap()
}

fn set(compiled: &Compiled, kind: Kind, count: usize, seed: u64) -> Result<TaskSet, TaskError> {
    let options = Options {
        kind,
        count,
        seed,
        window: None,
    };
    make(compiled, options, &AtomicBool::new(false), &mut |_| {})
}

fn written(set: &TaskSet, compiled: &Compiled) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in set.files(compiled) {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

#[test]
fn programs_draw_their_pictures_and_none_is_there_twice() {
    for name in ["csg2d", "tinysvg", "rainbow"] {
        let compiled = shipped(name);
        let set = set(&compiled, Kind::Ordinary, 24, 5).unwrap();
        let blank = Picture::blank(compiled.grammar.canvas.as_ref().unwrap());
        for (at, task) in set.tasks.iter().enumerate() {
            let scene = crate::scene::eval::lower(&compiled.grammar, &task.program).unwrap();
            assert_eq!(raster::rasterize(&scene).unwrap(), task.picture, "{name}");
            assert_ne!(task.picture, blank);
            assert!(set.tasks[..at].iter().all(|t| t.picture != task.picture));
            assert_eq!(task.observed, None);
        }
    }
}

#[test]
fn a_hard_set_is_the_hardest_twentieth_of_what_is_drawn() {
    let compiled = shipped("csg2d");
    let hard = set(&compiled, Kind::Hard, 32, 5).unwrap();
    assert_eq!(hard.pool, LEAST_POOL);
    assert!(hard.tasks.iter().all(|t| t.lz4_bytes >= hard.threshold));
    // Counted again from the definition.
    let ordinary = set(&compiled, Kind::Ordinary, 1000, 6).unwrap();
    let above = ordinary
        .tasks
        .iter()
        .filter(|t| t.lz4_bytes >= hard.threshold);
    let share = above.count() as f64 / 1000.0;
    assert!((0.02..0.09).contains(&share), "{share}");
    let mean =
        |set: &TaskSet| set.tasks.iter().map(|t| t.program.len()).sum::<usize>() / set.tasks.len();
    assert!(mean(&hard) > mean(&ordinary));
}

#[test]
fn sketches_are_observed_and_the_truth_is_kept() {
    let compiled = shipped("csg2d_sketch");
    let set = set(&compiled, Kind::Ordinary, 40, 1).unwrap();
    for task in &set.tasks {
        let observed = task.observed.as_ref().unwrap();
        // Of these 40, the outlines of some that come by lie outside the canvas.
        assert!(observed.data.iter().any(|ink| *ink > 0));
        assert!(metric::iou(observed, &task.picture) < 0.9);
    }
    let folder = written(&set, &compiled);
    let loaded = Loaded::read(folder.path(), &compiled).unwrap();
    let task = loaded.task(&compiled, &loaded.lines[2]).unwrap();
    assert_eq!(Some(&task.target), set.tasks[2].observed.as_ref());
    assert_eq!(task.truth, set.tasks[2].picture);
}

#[test]
fn the_seed_decides_and_the_fingerprint_tells() {
    let compiled = shipped("csg2d");
    let one = set(&compiled, Kind::Ordinary, 12, 3).unwrap();
    assert_eq!(set(&compiled, Kind::Ordinary, 12, 3).unwrap(), one);
    let other = set(&compiled, Kind::Ordinary, 12, 4).unwrap();
    assert_ne!(other.fingerprint, one.fingerprint);
    let longer = set(&compiled, Kind::Ordinary, 13, 3).unwrap();
    assert_eq!(longer.tasks[..12], one.tasks);
    assert_ne!(longer.fingerprint, one.fingerprint);
}

#[test]
fn a_folder_gives_back_what_was_written() {
    let compiled = shipped("rainbow");
    let set = set(&compiled, Kind::Ordinary, 12, 3).unwrap();
    let folder = written(&set, &compiled);
    let loaded = Loaded::read(folder.path(), &compiled).unwrap();
    assert_eq!(loaded.index, set.index(&compiled));
    for (task, line) in set.tasks.iter().zip(&loaded.lines) {
        let read = loaded.task(&compiled, line).unwrap();
        assert_eq!(read.target, task.picture);
        assert_eq!(read.program.as_ref(), Some(&task.program));
        assert_eq!(line.size, task.program.size());
    }
}

#[test]
fn damaged_folders_are_refused() {
    let compiled = shipped("csg2d");
    let set = set(&compiled, Kind::Ordinary, 3, 3).unwrap();
    let read = |change: &dyn Fn(&Path)| {
        let folder = written(&set, &compiled);
        change(folder.path());
        Loaded::read(folder.path(), &compiled).and_then(|loaded| {
            let tasks = loaded.lines.iter().map(|line| loaded.task(&compiled, line));
            tasks.collect::<Result<Vec<_>, _>>()
        })
    };
    let replaced = |file: &'static str, from: &'static str, to: &'static str| {
        move |folder: &Path| {
            let path = folder.join(file);
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.contains(from), "{text}");
            std::fs::write(path, text.replace(from, to)).unwrap();
        }
    };
    assert_eq!(read(&|_| {}).unwrap().len(), 3);
    let gone = read(&|folder| std::fs::remove_file(folder.join("1.png")).unwrap());
    assert!(matches!(gone, Err(ReadError::File { .. })));
    let format = read(&replaced("index.json", "\"format\": 1", "\"format\": 7"));
    assert!(matches!(format, Err(ReadError::Format(7))));
    let outside = read(&replaced("tasks.jsonl", "\"1.png\"", "\"../1.png\""));
    assert!(matches!(outside, Err(ReadError::Malformed { line: 2, .. })));
    let broken = read(&|folder| std::fs::write(folder.join("0.png"), b"\x89PNG").unwrap());
    assert!(matches!(broken, Err(ReadError::Picture { .. })));
    let short = read(&|folder| std::fs::write(folder.join("tasks.jsonl"), b"").unwrap());
    assert!(matches!(short, Err(ReadError::Malformed { .. })));
    let folder = written(&set, &compiled);
    let other = Loaded::read(folder.path(), &shipped("tinysvg"));
    assert!(matches!(other, Err(ReadError::OtherLanguage(..))));
}

#[test]
fn what_cannot_be_made_is_said() {
    let without = set(&shipped("json"), Kind::Ordinary, 3, 0);
    assert_eq!(without, Err(TaskError::NoCanvas));
    let csg = shipped("csg2d");
    assert_eq!(set(&csg, Kind::Hard, 0, 0), Err(TaskError::Count(0)));
    // Two pictures, one of them blank.
    let text = "language l\nstart S\ncanvas 8 x 8 ink\nuse std.shape.{disc}\n\
                use std.transform.{shift}\ntoken R = 0..=1\nsort S { @primitive D = r:R }\n\
                draw S -> Region { D => disc(r * 3) |> shift(4, 4) }\n";
    let tiny = Compiled::from_text("l", text).unwrap();
    assert_eq!(set(&tiny, Kind::Ordinary, 1, 0).unwrap().tasks.len(), 1);
    assert!(matches!(
        set(&tiny, Kind::Ordinary, 3, 0),
        Err(TaskError::TooFew {
            found: 1,
            wanted: 3,
            ..
        })
    ));
    let options = Options {
        kind: Kind::Hard,
        count: 3,
        seed: 0,
        window: None,
    };
    let stopped = make(&csg, options, &AtomicBool::new(true), &mut |_| {});
    assert_eq!(stopped, Err(TaskError::Stopped));
}
