//! Tests of trained policies in a search: what is asked, what becomes of trouble, that threads do not matter.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::*;
use crate::model::checkpoint::write_whole;
use crate::model::config::Preset;
use crate::model::learner::Learner as _;
use crate::model::learner::Predicts;
use crate::model::nodes::Small;
use crate::sample::stream;
use crate::scene::eval::lower;
use crate::search::solver::{Method, Solver};
use crate::search::{Limits, Report, StopReason};
use crate::tree::Edit;

fn csg2d() -> Compiled {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    Compiled::load(root.join("grammars/csg2d.tdg")).unwrap()
}

fn picture(compiled: &Compiled, text: &str) -> Picture {
    let program = compiled.parse(text).unwrap();
    let scene = lower(&compiled.grammar, &program).unwrap();
    Engine::new().draw(&scene).unwrap().clone()
}

/// What was asked: how, and of which programs.
type Asked = Arc<Mutex<Vec<(&'static str, Vec<Program>)>>>;

/// Proposes the target everywhere, until it breaks off.
struct Scripted {
    edit: Edit,
    asked: Asked,
    calls: usize,
}

impl Scripted {
    fn answer(
        &mut self,
        how: &'static str,
        states: &[State<'_>],
        k: usize,
    ) -> Result<Vec<Ranked>, DecodeError> {
        let programs = states.iter().map(|state| state.program.clone()).collect();
        self.asked.lock().unwrap().push((how, programs));
        self.calls = self.calls.checked_sub(1).ok_or(DecodeError::NoTarget)?;
        Ok(vec![vec![(self.edit.clone(), -1.0); k]; states.len()])
    }
}

impl Decoder for Scripted {
    fn aim(&mut self, target: &[u8]) -> Result<(), DecodeError> {
        assert_eq!(target.len(), 128 * 128);
        Ok(())
    }

    fn best(&mut self, states: &[State<'_>], k: usize) -> Result<Vec<Ranked>, DecodeError> {
        self.answer("best", states, k)
    }

    fn sample(
        &mut self,
        states: &[State<'_>],
        k: usize,
        _: &mut Rng,
    ) -> Result<Vec<Ranked>, DecodeError> {
        self.answer("sample", states, k)
    }
}

#[test]
fn each_state_is_read_once_and_asked_for_other_edits_afterwards() {
    let csg2d = csg2d();
    let programs = ["(Circle 6 8 8)", "(Circle 5 8 8)", "(Circle 6 8 8)"];
    let programs = programs.map(|text| csg2d.parse(text).unwrap());
    let states: Vec<&Program> = programs.iter().collect();
    let asked = Asked::default();
    let edit = Edit {
        position: 0,
        replacement: programs[1].clone(),
    };
    let decoder = Scripted {
        edit: edit.clone(),
        asked: Arc::clone(&asked),
        calls: 3,
    };
    let target = picture(&csg2d, "(Circle 4 4 4)");
    let decoder = Mutex::new(Some(decoder));
    let make = || match decoder.lock().unwrap().take() {
        Some(decoder) => Ok(Box::new(decoder) as Owned<'_>),
        None => Err("there is one".to_owned()),
    };
    let guide = Neural::new(&csg2d, 1, Box::new(make)).unwrap();
    let mut policy = NeuralPolicy::new(&guide, &target, Manner::Best);
    let mut rng = stream(1, 1);
    let answers = policy.propose(&states[..1], 2, &mut rng);
    let proposal = Proposal { edit, score: -1.0 };
    assert_eq!(answers, [[proposal.clone(), proposal]]);
    let answers = policy.propose(&states, 1, &mut rng);
    assert_eq!(answers.iter().map(Vec::len).collect::<Vec<_>>(), [1; 3]);
    let told = std::mem::take(&mut *asked.lock().unwrap());
    let [first, second, _] = programs.clone();
    let wanted = [
        ("best", vec![first.clone()]),
        ("best", vec![second.clone()]),
        ("sample", vec![first.clone(), first]),
    ];
    assert_eq!(told, wanted);
    // Trouble is kept: nothing is asked any more.
    assert_eq!(policy.trouble(), None);
    let answers = policy.propose(&states[1..2], 1, &mut rng);
    assert_eq!(answers, [Vec::new()]);
    let trouble = policy.trouble().unwrap().to_owned();
    assert!(trouble.contains("before it was told a target"), "{trouble}");
    assert_eq!(
        policy.propose(&states, 1, &mut rng),
        [(); 3].map(|()| Vec::new())
    );
    assert_eq!(asked.lock().unwrap().len(), 1);
}

/// A model file, and the folder that goes with it.
fn file(compiled: &Compiled) -> (tempfile::TempDir, PathBuf) {
    let config = Preset::Tiny.architecture(Predicts::Policy);
    let about = About::new(compiled, Predicts::Policy, "tiny", config).unwrap();
    let small = Small::seeded(&about, compiled, 5).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    write_whole(&path, &about.to_bytes(small.weights()).unwrap()).unwrap();
    (folder, path)
}

fn solve(target: &Picture, method: Method, threads: usize, expansions: u64) -> Report {
    let csg2d = csg2d();
    let (_folder, path) = file(&csg2d);
    let (_, guide) = Neural::open(&path, &csg2d, threads).unwrap();
    let mut solver = Solver::new(&csg2d, target, 16).unwrap();
    solver.options.threads = threads;
    solver.method = method;
    solver.beam = 8;
    solver.set_guide(&guide).unwrap();
    let limits = Limits {
        expansions: Some(expansions),
        ..Limits::default()
    };
    let never = AtomicBool::new(false);
    solver.search(&limits, &never, &|_| {}).unwrap()
}

#[test]
fn searches_expand_as_often_as_they_may_and_the_same_on_every_number_of_threads() {
    let target = picture(&csg2d(), "(- (Quad 8 8 9 6 0) (Circle 3 9 7))");
    for (method, expansions) in [(Method::Beam, 30), (Method::Rollouts, 70)] {
        let one = solve(&target, method, 1, expansions);
        assert_eq!(one.stop, StopReason::Expansions);
        assert_eq!((one.expansions, one.trouble), (expansions, None));
        let two = solve(&target, method, 2, expansions);
        assert_eq!(
            (two.program, two.evaluations),
            (one.program, one.evaluations)
        );
        assert_eq!(two.score, one.score);
    }
}

#[test]
fn a_target_that_the_model_cannot_read_is_told() {
    let wrong = Picture::filled(128, 127, 1, 0);
    let csg2d = csg2d();
    let (_folder, path) = file(&csg2d);
    let (_, guide) = Neural::open(&path, &csg2d, 1).unwrap();
    let policy = guide.policy(&wrong, Manner::Best);
    assert!(policy.trouble().is_some_and(|told| told.contains("16256")));
    // What could not take its target is not used again: another one is read, and the file is gone.
    let right = Picture::filled(128, 128, 1, 0);
    std::fs::remove_file(&path).unwrap();
    let gone = guide.policy(&right, Manner::Best);
    assert!(
        gone.trouble()
            .is_some_and(|told| told.contains("cannot read"))
    );
}
