//! A value network as what guides a search.
//!
//! In: a trained [`Scorer`], a target. Out: [`NeuralValue`]. Afterwards a score is the number of edits that the network
//! sees between a program's picture and the target, at least [`LEAST`] unless the two are the same; whether the goal
//! is met is never left to the network.

use super::Value;
use super::target::Judge;
use crate::compiled::Compiled;
use crate::model::decode::DecodeError;
use crate::model::paper::Scorer;
use crate::render::Picture;
use crate::render::coverage::Engine;
use crate::scene::eval::{Workspace, lower_in};
use crate::tree::Program;

/// The score of another picture that the network takes for the target.
pub const LEAST: f64 = 1e-3;
/// The score of what cannot be drawn: farther than any network says.
pub const FAR: f64 = 1e9;

/// Scores by a value network.
pub struct NeuralValue<'a> {
    compiled: &'a Compiled,
    scorer: Scorer,
    target: &'a Picture,
    judge: Judge<'a>,
    workspace: Workspace,
    engine: Engine,
    renders: u64,
    failed: Option<DecodeError>,
}

impl<'a> NeuralValue<'a> {
    /// Scores against `target`, which has the canvas's size and channels.
    ///
    /// # Errors
    ///
    /// When it has not.
    pub fn new(
        compiled: &'a Compiled,
        mut scorer: Scorer,
        target: &'a Picture,
    ) -> Result<NeuralValue<'a>, DecodeError> {
        scorer.aim(&target.data)?;
        Ok(NeuralValue {
            compiled,
            scorer,
            target,
            judge: Judge::new(compiled, target),
            workspace: Workspace::new(),
            engine: Engine::new(),
            renders: 0,
            failed: None,
        })
    }

    /// What went wrong first in the network, if anything did: what it could not score is [`FAR`].
    pub fn failed(&mut self) -> Option<DecodeError> {
        self.failed.take()
    }

    fn draw(&mut self, program: &Program) -> Option<Picture> {
        self.renders += 1;
        let scene = lower_in(&mut self.workspace, &self.compiled.grammar, program).ok()?;
        self.engine.draw(&scene).ok()
    }
}

impl Value for NeuralValue<'_> {
    fn score(&mut self, states: &[&Program]) -> Vec<f64> {
        let pictures: Vec<Option<Picture>> = states.iter().map(|state| self.draw(state)).collect();
        let drawn: Vec<&[u8]> = pictures.iter().flatten().map(|own| &own.data[..]).collect();
        let scores = self.scorer.score(&drawn).unwrap_or_else(|error| {
            self.failed.get_or_insert(error);
            Vec::new()
        });
        let mut scores = scores.into_iter();
        let score = |picture: &Option<Picture>| {
            let Some(picture) = picture else {
                return FAR;
            };
            let score = scores.next().filter(|score| score.is_finite());
            match picture.data == self.target.data {
                true => 0.0,
                false => score.map_or(FAR, |score| score.clamp(LEAST, FAR)),
            }
        };
        pictures.iter().map(score).collect()
    }

    fn solved(&mut self, state: &Program, _score: f64) -> bool {
        self.judge.judge(state).1
    }

    fn renders(&self) -> u64 {
        self.renders + self.judge.renders()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::model::checkpoint::About;
    use crate::model::config::Preset;
    use crate::model::learner::Predicts;
    use crate::model::paper::Paper;
    use crate::sample::{Sampler, stream};

    #[test]
    fn the_network_guides_and_the_goal_decides() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let csg2d = Compiled::load(root.join("grammars/csg2d.tdg")).unwrap();
        let about = About::new(&csg2d, Predicts::Value, "tiny", Preset::Tiny.config()).unwrap();
        let scorer = Scorer::new(Paper::seeded(&about, 2).unwrap(), &csg2d).unwrap();
        let sampler = Sampler::new(&csg2d, csg2d.grammar.sample).unwrap();
        let programs: Vec<_> = (0..4)
            .map(|at| sampler.sample(&mut stream(5, at)))
            .collect();
        let draw = |program| {
            let scene = crate::scene::eval::lower(&csg2d.grammar, program).unwrap();
            Engine::new().draw(&scene).unwrap()
        };
        let pictures: Vec<Picture> = programs.iter().map(draw).collect();
        let small = Picture::filled(2, 2, 1, 0);
        assert!(NeuralValue::new(&csg2d, scorer.clone(), &small).is_err());
        let mut plain = scorer.clone();
        plain.aim(&pictures[0].data).unwrap();
        let data: Vec<&[u8]> = pictures.iter().map(|p| &p.data[..]).collect();
        let wanted = plain.score(&data).unwrap();
        let mut value = NeuralValue::new(&csg2d, scorer, &pictures[0]).unwrap();
        let states: Vec<&Program> = programs.iter().collect();
        let scores = value.score(&states);
        assert_eq!(scores[0], 0.0);
        for (score, wanted) in scores.iter().zip(&wanted).skip(1) {
            assert_eq!(*score, wanted.max(LEAST));
        }
        assert_eq!(value.renders(), 4);
        assert!(value.solved(&programs[0], 0.0));
        // Whatever the network says.
        assert!(!value.solved(&programs[1], 0.0));
        assert!(value.failed().is_none());
        assert!(value.score(&[]).is_empty());
    }
}
