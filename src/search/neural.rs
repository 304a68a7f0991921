//! Trained policies as policies of a search.
//!
//! In: a model file, a target. Out: [`NeuralPolicy`]. Afterwards every edit is legal, the target was read
//! once, and what went wrong in the model is kept and told ([`Policy::trouble`]), never swallowed.
//!
//! All states of a question go through the network together. A state that stands there twice is read once where
//! the best edits are wanted. Whoever asks about a state again has tried those, and gets drawn ones.

#[cfg(test)]
mod tests;

// Only asked whether something is there: order does not matter.
#[allow(clippy::disallowed_types)]
use std::collections::HashSet;
use std::hash::BuildHasher;
use std::path::Path;
use std::sync::Mutex;

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use crate::Compiled;
use crate::model::checkpoint::{About, CheckpointError};
use crate::model::decode::{DecodeError, Decoder, Ranked, State};
use crate::model::open::open_policy;
use crate::model::ops::Threads;
use crate::render::Picture;
use crate::render::coverage::Engine;
use crate::sample::Rng;
use crate::scene::eval::{Workspace, lower_in};
use crate::search::{Guide, Manner, Policy, Proposal};
use crate::tree::Program;

/// States that go through the network at the same time: more take memory and save nothing.
const TOGETHER: usize = 128;
/// Programs that are remembered.
const REMEMBERED: usize = 1 << 20;

/// Makes decoders, or says why it cannot.
type Make<'a> = Box<dyn Fn() -> Result<Owned<'a>, String> + Send + Sync + 'a>;
type Owned<'a> = Box<dyn Decoder + Send + 'a>;

/// A trained model, to guide searches of its language.
pub struct Neural<'a> {
    compiled: &'a Compiled,
    threads: Threads,
    make: Make<'a>,
    /// Decoders that no policy has now: there are as many as there ever were policies at the same time.
    idle: Mutex<Vec<Owned<'a>>>,
}

/// Why a model cannot guide.
#[derive(Debug, thiserror::Error)]
pub enum NeuralError {
    /// No policy for this language.
    #[error(transparent)]
    Checkpoint(Box<CheckpointError>),
    /// No threads.
    #[error("cannot start threads for the model: {0}")]
    Threads(#[from] std::io::Error),
}

impl<'a> Neural<'a> {
    /// Opens a model file. The network has so many threads; results do not depend on their number.
    ///
    /// # Errors
    ///
    /// When it holds no policy for this language, or threads cannot be started.
    pub fn open(
        path: &Path,
        compiled: &'a Compiled,
        threads: usize,
    ) -> Result<(About, Neural<'a>), NeuralError> {
        let read = |path: &Path| open_policy(path, compiled);
        let (about, first) = read(path).map_err(|e| NeuralError::Checkpoint(Box::new(e)))?;
        let (path, wanted) = (path.to_owned(), about.clone());
        let make = move || match read(&path) {
            Ok((about, decoder)) if about == wanted => Ok(decoder),
            Ok(_) => Err(format!(
                "{} was another model when it was opened first",
                path.display()
            )),
            Err(error) => Err(error.to_string()),
        };
        let neural = Neural::new(compiled, threads, Box::new(make))?;
        neural.give_back(first);
        Ok((about, neural))
    }

    /// Guides by what `make` makes.
    ///
    /// # Errors
    ///
    /// When threads cannot be started.
    pub fn new(
        compiled: &'a Compiled,
        threads: usize,
        make: Make<'a>,
    ) -> Result<Neural<'a>, NeuralError> {
        Ok(Neural {
            compiled,
            threads: Threads::new(threads)?,
            make,
            idle: Mutex::new(Vec::new()),
        })
    }

    fn take(&self) -> Result<Owned<'a>, String> {
        let idle = self.idle.lock().ok().and_then(|mut idle| idle.pop());
        idle.map_or_else(|| (self.make)(), Ok)
    }

    fn give_back(&self, decoder: Owned<'a>) {
        if let Ok(mut idle) = self.idle.lock() {
            idle.push(decoder);
        }
    }
}

impl Guide for Neural<'_> {
    fn policy<'p>(&'p self, target: &'p Picture, manner: Manner) -> Box<dyn Policy + 'p> {
        Box::new(NeuralPolicy::new(self, target, manner))
    }
}

/// A trained policy that knows its target.
pub struct NeuralPolicy<'p, 'a> {
    guide: &'p Neural<'a>,
    /// None when it could not be made.
    decoder: Option<Owned<'a>>,
    manner: Manner,
    workspace: Workspace,
    engine: Engine,
    /// Hashes of states whose best edits were given.
    #[allow(clippy::disallowed_types)]
    given: HashSet<u64, FxBuildHasher>,
    trouble: Option<String>,
}

impl Drop for NeuralPolicy<'_, '_> {
    fn drop(&mut self) {
        if let Some(decoder) = self.decoder.take() {
            self.guide.give_back(decoder);
        }
    }
}

impl<'p, 'a> NeuralPolicy<'p, 'a> {
    /// Asks a model for edits towards a target.
    pub fn new(guide: &'p Neural<'a>, target: &Picture, manner: Manner) -> NeuralPolicy<'p, 'a> {
        let aimed = guide.take().and_then(|mut decoder| {
            let aimed = guide.threads.work(|| decoder.aim(&target.data));
            aimed.map_err(|e| e.to_string()).map(|()| decoder)
        });
        let (decoder, trouble) = match aimed {
            Ok(decoder) => (Some(decoder), None),
            Err(trouble) => (None, Some(trouble)),
        };
        NeuralPolicy {
            guide,
            decoder,
            manner,
            workspace: Workspace::new(),
            engine: Engine::new(),
            #[allow(clippy::disallowed_types)]
            given: HashSet::default(),
            trouble,
        }
    }

    /// What a program shows; `None` when it cannot be drawn: then there is nothing for a network to see.
    fn picture(&mut self, program: &Program) -> Option<Vec<u8>> {
        let scene = lower_in(&mut self.workspace, &self.guide.compiled.grammar, program).ok()?;
        Some(self.engine.draw(&scene).ok()?.data.clone())
    }

    /// Whether the best edits of a state were given before; from now on they were.
    fn was_given(&mut self, state: &Program) -> bool {
        if self.given.len() >= REMEMBERED {
            self.given.clear();
        }
        !self.given.insert(FxBuildHasher.hash_one(state))
    }

    /// Asks the network; `rng` when edits are to be drawn.
    fn ask(
        &mut self,
        states: &[&Program],
        k: usize,
        mut rng: Option<&mut Rng>,
    ) -> Result<Vec<Ranked>, DecodeError> {
        let mut out = Vec::with_capacity(states.len());
        for states in states.chunks(TOGETHER) {
            let pictures: Vec<Option<Vec<u8>>> =
                states.iter().map(|state| self.picture(state)).collect();
            let pairs = states.iter().zip(&pictures);
            let seen: Vec<State<'_>> = pairs
                .filter_map(|(program, picture)| {
                    let picture = picture.as_deref()?;
                    Some(State { program, picture })
                })
                .collect();
            let decoder = self.decoder.as_mut().ok_or(DecodeError::NoTarget)?;
            let ranked = match &mut rng {
                None => self.guide.threads.work(|| decoder.best(&seen, k)),
                Some(rng) => self.guide.threads.work(|| decoder.sample(&seen, k, rng)),
            };
            let mut ranked = ranked?.into_iter();
            out.extend(pictures.iter().map(|picture| match picture {
                Some(_) => ranked.next().unwrap_or_default(),
                None => Ranked::new(),
            }));
        }
        Ok(out)
    }

    fn answers(
        &mut self,
        states: &[&Program],
        k: usize,
        rng: &mut Rng,
    ) -> Result<Vec<Ranked>, DecodeError> {
        if self.manner == Manner::Drawn {
            return self.ask(states, k, Some(rng));
        }
        // Which states, of those that are different, get their best edits now; the others get drawn ones.
        let mut fresh: IndexMap<&Program, Vec<usize>, FxBuildHasher> = IndexMap::default();
        let mut again = Vec::new();
        for (at, state) in states.iter().enumerate() {
            if let Some(places) = fresh.get_mut(state) {
                places.push(at);
            } else if self.was_given(state) {
                again.push(at);
            } else {
                fresh.insert(state, vec![at]);
            }
        }
        let mut out = vec![Ranked::new(); states.len()];
        let first: Vec<&Program> = fresh.keys().copied().collect();
        for (places, edits) in fresh.values().zip(self.ask(&first, k, None)?) {
            for at in places {
                out[*at].clone_from(&edits);
            }
        }
        let drawn: Vec<&Program> = again.iter().map(|at| states[*at]).collect();
        for (at, edits) in again.iter().zip(self.ask(&drawn, k, Some(rng))?) {
            out[*at] = edits;
        }
        Ok(out)
    }
}

impl Policy for NeuralPolicy<'_, '_> {
    fn propose(&mut self, states: &[&Program], k: usize, rng: &mut Rng) -> Vec<Vec<Proposal>> {
        let answers = match self.trouble {
            None => self.answers(states, k, rng),
            Some(_) => Ok(Vec::new()),
        };
        let mut answers = answers.unwrap_or_else(|error| {
            self.trouble = Some(error.to_string());
            Vec::new()
        });
        answers.resize(states.len(), Ranked::new());
        let proposals = |edits: Ranked| {
            let edits = edits.into_iter();
            edits
                .map(|(edit, score)| Proposal { edit, score })
                .collect()
        };
        answers.into_iter().map(proposals).collect()
    }

    fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }
}
