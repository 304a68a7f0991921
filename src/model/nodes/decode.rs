//! What a network of nodes thinks should be edited, in order of probability or by chance.
//!
//! In: a target, states. Out: edits, each with its probability. Afterwards a probability is that of the place times
//! those of the tokens, each among what is legal there; so those of all edits of a state sum to 1.
//!
//! Pictures and programs are read once for a call. Then all replacements of all states are written at the same time,
//! a token a round; what has one way to go on goes on without the network. The best ones are found by a beam as wide
//! as what is asked for.

use super::desk::{Desk, Scenery};
use super::net::{Read, Writing};
use super::rows::Pen;
use super::small::Small;
use crate::compiled::Compiled;
use crate::model::choose::{Choice, Next, logs, nexts as behind};
use crate::model::decode::{DecodeError, Decoder, Ranked, State};
use crate::model::ops::Bags;
use crate::model::tokens::END;
use crate::model::tokens::batch::BatchError;
use crate::model::tokens::mask::Walk;
use crate::sample::Rng;

/// A [`Small`] that is asked for edits.
#[derive(Debug)]
pub struct NodesDecoder<'c> {
    model: Small,
    desk: Desk<'c>,
    target: Option<Vec<u8>>,
}

/// An edit on its way.
#[derive(Clone)]
struct Draft<'w> {
    /// The natural logarithm of its probability so far.
    log: f64,
    walk: Walk<'w>,
    pen: Pen,
    /// The rows of what is written.
    bags: Bags,
    /// The node, among those of all states.
    at: u32,
    done: bool,
}

impl<'c> NodesDecoder<'c> {
    /// A policy for this language.
    ///
    /// # Errors
    ///
    /// When the language is not the model's.
    pub fn new(model: Small, compiled: &'c Compiled) -> Result<NodesDecoder<'c>, BatchError> {
        Ok(NodesDecoder {
            desk: model.desk(compiled)?,
            model,
            target: None,
        })
    }

    fn edits(
        &mut self,
        states: &[State<'_>],
        k: usize,
        mut choice: Choice<'_>,
    ) -> Result<Vec<Ranked>, DecodeError> {
        let target = self.target.as_ref().ok_or(DecodeError::NoTarget)?;
        let mut out: Vec<Ranked> = states.iter().map(|_| Vec::new()).collect();
        let fits = |(_, state): &(usize, &State<'_>)| self.desk.fits(state.program);
        let read: Vec<(usize, State<'_>)> = states
            .iter()
            .enumerate()
            .filter(fits)
            .map(|(number, state)| (number, *state))
            .collect();
        if read.is_empty() || k == 0 {
            return Ok(out);
        }
        let scenes = read.iter().map(|(_, state)| Scenery {
            program: state.program,
            picture: state.picture,
            target,
        });
        let scenes: Vec<Scenery<'_>> = scenes.collect();
        let (input, slots) = self.desk.input(&scenes)?;
        let seen = self.model.net.read(&input)?;
        let desk = &self.desk;
        let walks: Vec<_> = read
            .iter()
            .map(|(_, state)| desk.walk(state.program))
            .collect();
        let first = |number: usize| number.checked_sub(1).map_or(0, |before| input.ends[before]);
        let open: Vec<u32> = walks
            .iter()
            .enumerate()
            .flat_map(|(number, (_, places))| places.iter().map(move |p| first(number) + p))
            .collect();
        if open.is_empty() {
            return Ok(out);
        }
        let scores: Vec<f32> = self.model.net.places(&seen, &open)?.to_vec1()?;
        let mut left = &scores[..];
        let mut drafts: Vec<Vec<Draft<'_>>> = Vec::new();
        for (number, (walk, places)) in walks.into_iter().enumerate() {
            let (own, others) = left.split_at(places.len());
            left = others;
            let nexts: Vec<Next> = logs(own, 0.0)
                .into_iter()
                .enumerate()
                .map(|(at, log)| (at, 0, log))
                .collect();
            let mut begun = Vec::new();
            for (at, _, log) in choice.out_of(nexts, k) {
                let place = places[at];
                let mut walk = walk.clone();
                let token = desk.rows.vocabulary.place(place);
                let slot = slots.get((first(number) + place) as usize);
                if token.is_none_or(|token| walk.push(token).is_err()) {
                    continue;
                }
                let mut draft = Draft {
                    log,
                    walk,
                    pen: desk.rows.pen(slot.copied().unwrap_or(0)),
                    bags: Bags::default(),
                    at: first(number) + place,
                    done: false,
                };
                draft.settle(desk);
                begun.push(draft);
            }
            drafts.push(begun);
        }
        while drafts.iter().flatten().any(|draft| !draft.done) {
            let scores = self.score(&seen, &drafts)?;
            let mut rows = scores.chunks(desk.rows.sizes().words().max(1));
            for own in &mut drafts {
                let mut nexts: Vec<Vec<Next>> = Vec::new();
                for (number, draft) in own.iter().enumerate() {
                    if draft.done {
                        nexts.push(Vec::new());
                        continue;
                    }
                    let row = rows.next().unwrap_or(&[]);
                    nexts.push(behind(number, draft.walk.legal(), row, draft.log));
                }
                *own = go_on(&mut choice, std::mem::take(own), nexts, k, desk);
            }
        }
        for ((number, _), own) in read.iter().zip(drafts) {
            let edits = own.into_iter();
            let edits = edits.filter_map(|draft| Some((draft.walk.finish()?, draft.log)));
            if let Some(out) = out.get_mut(*number) {
                out.extend(edits);
                // Of equals, the first place.
                choice.order(out);
            }
        }
        Ok(out)
    }

    /// The scores of all tokens behind each draft that is not done, one after the other.
    fn score(&self, seen: &Read, drafts: &[Vec<Draft<'_>>]) -> Result<Vec<f32>, DecodeError> {
        let mut writing = Writing::default();
        let mut last = Vec::new();
        for own in drafts {
            for draft in own.iter().filter(|draft| !draft.done) {
                let bags = &mut writing.bags;
                let from = bags.rows.len() as u32;
                bags.rows.extend(&draft.bags.rows);
                bags.weights.extend(&draft.bags.weights);
                bags.ends
                    .extend(draft.bags.ends.iter().map(|end| from + end));
                self.desk.rows.token(&draft.pen, bags);
                let end = bags.ends.len() as u32;
                writing.ends.push(end);
                writing.at.resize(end as usize, draft.at);
                last.push(end - 1);
            }
            writing.programs.push(writing.bags.ends.len() as u32);
        }
        let scores = self.model.net.next_tokens(seen, &writing, last)?;
        Ok(scores.flatten_all()?.to_vec1()?)
    }
}

/// The drafts of a state, each a token further or done.
fn go_on<'w>(
    choice: &mut Choice<'_>,
    drafts: Vec<Draft<'w>>,
    nexts: Vec<Vec<Next>>,
    k: usize,
    desk: &Desk<'_>,
) -> Vec<Draft<'w>> {
    let stand: Vec<(f64, bool)> = drafts.iter().map(|d| (d.log, d.done)).collect();
    let of = |(number, token, log): Next| {
        let mut draft = drafts.get(number)?.clone();
        if !draft.done {
            draft.log = log;
            draft.take(token, desk)?;
            draft.settle(desk);
        }
        Some(draft)
    };
    let chosen = choice.behind(&stand, nexts, k).into_iter();
    chosen.filter_map(of).collect()
}

impl Draft<'_> {
    fn take(&mut self, token: u32, desk: &Desk<'_>) -> Option<()> {
        self.walk.push(token).ok()?;
        desk.rows.token(&self.pen, &mut self.bags);
        desk.rows.write(&mut self.pen, token);
        Some(())
    }

    /// Goes on as long as there is one way.
    fn settle(&mut self, desk: &Desk<'_>) {
        loop {
            let legal = self.walk.legal();
            match legal[..] {
                [END] => {
                    self.done = self.walk.push(END).is_ok();
                    return;
                }
                [only] if self.take(only, desk).is_some() => {}
                _ => return,
            }
        }
    }
}

impl Decoder for NodesDecoder<'_> {
    fn aim(&mut self, target: &[u8]) -> Result<(), DecodeError> {
        let wanted = self.model.about.canvas.iter().product();
        if target.len() != wanted {
            let is = target.len();
            return Err(BatchError::Picture { is, wanted }.into());
        }
        self.target = Some(target.to_vec());
        Ok(())
    }

    fn best(&mut self, states: &[State<'_>], k: usize) -> Result<Vec<Ranked>, DecodeError> {
        self.edits(states, k, Choice::Best)
    }

    fn sample(
        &mut self,
        states: &[State<'_>],
        k: usize,
        rng: &mut Rng,
    ) -> Result<Vec<Ranked>, DecodeError> {
        self.edits(states, k, Choice::Sample(rng))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{about, grammar, picture};
    use super::*;
    use crate::model::checkpoint::About;
    use crate::model::config::NodesConfig;
    use crate::model::learner::{Learner as _, Lesson, Predicts, Recipe as _};
    use crate::sample::{Sampler, stream};
    use crate::tree::edit::apply;

    fn dots() -> Compiled {
        let text = "language dots\nuse std.shape.{disc}\nuse std.transform.{shift}\nstart A\n\
            canvas 16 x 16 ink\nsample size 1..=3\nmutate small 2\ntoken N = 0..=3\n\
            sort A { @primitive Dot = \"dot\" n:N m:N  Both = \"(\" a:A \"+\" b:A \")\" }\n\
            draw A -> Region { Dot => disc(2) |> shift(4 * n, 4 * m)  Both => a + b }\n";
        Compiled::from_text("dots", text).unwrap_or_else(|e| panic!("{e}"))
    }

    /// All edits there are come out once, and their probabilities are those of the loss and sum to 1.
    #[test]
    fn probabilities_are_those_of_training_and_sum_to_one() {
        let dots = dots();
        let config = NodesConfig {
            pixels: 16,
            channels: [4, 4],
            width: 16,
            heads: 2,
            layers: 1,
            writers: 2,
            context: 16,
            tokens: 8,
        };
        let about = About::new(&dots, Predicts::Policy, "tiny", config).unwrap();
        let small = Small::seeded(&about, &dots, 4).unwrap();
        let programs = ["(dot 1 2 + dot 3 0)", "dot 2 2"].map(|text| dots.parse(text).unwrap());
        let target = dots.parse("(dot 1 1 + dot 3 0)").unwrap();
        let pictures = [&programs[0], &programs[1], &target].map(|p| picture(&dots, p));
        let states: Vec<State<'_>> = (0..2)
            .map(|at| State {
                program: &programs[at],
                picture: &pictures[at].data,
            })
            .collect();
        let mut decoder = NodesDecoder::new(small.clone(), &dots).unwrap();
        assert!(matches!(
            decoder.best(&states, 1),
            Err(DecodeError::NoTarget)
        ));
        assert!(decoder.aim(&[0; 3]).is_err());
        decoder.aim(&pictures[2].data).unwrap();
        let all = decoder.best(&states, 1000).unwrap();
        // A program of two dots at most, of which there are 16 + 16 * 16, becomes another one; a number 3 others.
        assert_eq!([all[0].len(), all[1].len()], [3 * 271 + 4 * 3, 271 + 2 * 3]);
        let recipe = small.recipe();
        let mut collator = recipe.collator(&dots).unwrap();
        for (own, state) in all.iter().zip(&states) {
            let sum: f64 = own.iter().map(|(_, log)| libm::exp(*log)).sum();
            assert!((sum - 1.0).abs() < 1e-6, "{sum}");
            assert!(own.is_sorted_by(|a, b| a.1 >= b.1));
            let edits: indexmap::IndexSet<_> = own.iter().map(|(edit, _)| edit).collect();
            assert_eq!(edits.len(), own.len());
            for (edit, log) in [&own[0], &own[own.len() / 2], &own[own.len() - 1]] {
                let next = apply(&dots.grammar, state.program, edit);
                assert!(next.is_valid(&dots.grammar) && next != *state.program);
                let lesson = Lesson {
                    index: 0,
                    target: &target,
                    start: state.program,
                    edit,
                    on_path: false,
                    distance: 1,
                    target_picture: &pictures[2].data,
                    start_picture: state.picture,
                };
                let batch = collator.collate(&[lesson]).unwrap().batch.unwrap();
                let loss = small.loss(&batch).unwrap().loss.to_scalar::<f32>().unwrap();
                assert!((f64::from(loss) + log).abs() < 1e-4, "{loss} {log}");
            }
        }
        // Fewer are the first of them here, where a beam loses nothing; alone is as together.
        let few = decoder.best(&states[..1], 1).unwrap();
        assert_eq!(few[0].len(), 1);
        // Samples come as often as they are likely.
        let mut rng = stream(1, 2);
        let drawn = decoder.sample(&states[1..], 2000, &mut rng).unwrap();
        assert_eq!(drawn[0].len(), 2000);
        for (edit, log) in &all[1] {
            let of = drawn[0].iter().filter(|(own, _)| own == edit);
            let logs: Vec<f64> = of.map(|(_, log)| *log).collect();
            assert!(logs.iter().all(|own| (own - log).abs() < 1e-5));
            let (wanted, found) = (2000.0 * libm::exp(*log), logs.len() as f64);
            let off = (found - wanted).abs() / libm::sqrt(wanted.max(1.0));
            assert!(off < 5.0, "{found} times, {wanted} expected");
        }
    }

    #[test]
    fn every_language_that_draws_is_edited_legally() {
        for name in ["csg2d", "tinysvg", "icons", "csg2d_sketch", "mandala"] {
            let compiled = grammar(name);
            let small = Small::seeded(&about(&compiled), &compiled, 5).unwrap();
            let mut decoder = NodesDecoder::new(small, &compiled).unwrap();
            let sampler = Sampler::new(&compiled, compiled.grammar.sample).unwrap();
            let mut rng = stream(7, 1);
            let programs: Vec<_> = (0..3).map(|_| sampler.sample(&mut rng)).collect();
            let pictures: Vec<_> = programs.iter().map(|p| picture(&compiled, p)).collect();
            decoder.aim(&pictures[0].data).unwrap();
            let pairs = programs.iter().zip(&pictures);
            let states: Vec<State<'_>> = pairs
                .map(|(program, picture)| State {
                    program,
                    picture: &picture.data,
                })
                .collect();
            let best = decoder.best(&states, 4).unwrap();
            let drawn = decoder.sample(&states, 4, &mut rng).unwrap();
            for (edits, state) in best.iter().chain(&drawn).zip(states.iter().cycle()) {
                assert_eq!(edits.len(), 4, "{name}");
                for (edit, log) in edits {
                    assert!(*log < 0.0 && log.is_finite(), "{name}");
                    let next = apply(&compiled.grammar, state.program, edit);
                    assert!(next.is_valid(&compiled.grammar), "{name}");
                    assert_ne!(&next, state.program, "{name}");
                    let small = compiled.grammar.mutate.small;
                    assert!(edit.replacement.size() <= small, "{name}");
                }
            }
            // The same again, and alone as together.
            let again = decoder.best(&states[1..2], 4).unwrap();
            for ((edit, log), (own, first)) in again[0].iter().zip(&best[1]) {
                assert_eq!(edit, own, "{name}");
                assert!((log - first).abs() < 1e-4, "{name}");
            }
        }
    }
}
