//! Programs, pictures and labels as the inputs of a network of nodes.
//!
//! In: programs with their pictures and targets; lessons. Out: [`Input`], and [`Labels`]. Afterwards a place is
//! labelled with every place at which the edit path could begin, and what is written at each of them is a label too.

use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::net::{Input, Writing};
use super::rows::Rows;
use crate::compiled::Compiled;
use crate::model::checkpoint::About;
use crate::model::config::NodesConfig;
use crate::model::learner::{Collated, Collator, Lesson};
use crate::model::ops::{Bags, Options, Rows as Targets};
use crate::model::tokens::batch::{BatchError, planes};
use crate::model::tokens::mask::{Bounds, Walk};
use crate::model::tokens::{EDIT, END, Vocabulary};
use crate::mutate::Mutator;
use crate::render::Picture;
use crate::render::bits::{GLIMPSE, Glimpses, Seen};
use crate::sample::{Filler, Scratch, stream};
use crate::tree::diff::{Path, PathMode, PathScratch};
use crate::tree::{Edit, Program};

/// Of the seeds of what fills edits.
const FILL: u64 = 0x6669_6c6c;
/// Tokens of an edit besides its replacement: `EDIT`, the place, `END`.
pub(super) const AROUND: usize = 3;
/// Most places of a lesson at which what is written is a label too.
const WRITTEN: usize = 8;

/// A program that is edited, what it shows, and what is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Scenery<'a> {
    /// The program.
    pub program: &'a Program,
    /// Its picture.
    pub picture: &'a [u8],
    /// The target's picture.
    pub target: &'a [u8],
}

/// Makes inputs of one language.
#[derive(Debug)]
pub struct Desk<'c> {
    pub(super) rows: Rows<'c>,
    pub(super) bounds: Bounds,
    about: About,
    config: NodesConfig,
    glimpses: Glimpses<'c>,
    seen: Seen,
    /// The picture of an empty canvas.
    blank: Vec<u8>,
    /// The target that glimpses are aimed at.
    aimed: Option<Picture>,
}

impl<'c> Desk<'c> {
    /// For a model of this language.
    ///
    /// # Errors
    ///
    /// When the language draws nothing.
    pub fn new(
        about: &About,
        config: &NodesConfig,
        compiled: &'c Compiled,
    ) -> Result<Desk<'c>, BatchError> {
        let vocabulary = Vocabulary::new(compiled, about.places);
        let bounds = Bounds::new(&vocabulary, about.size);
        let glimpses = Glimpses::new(&compiled.grammar);
        Ok(Desk {
            rows: Rows::new(vocabulary, config.context, config.tokens),
            bounds,
            blank: about.blank(compiled),
            about: about.clone(),
            config: config.clone(),
            glimpses: glimpses.map_err(|e| BatchError::Language(e.to_string()))?,
            seen: Seen::default(),
            aimed: None,
        })
    }

    /// Most tokens of an edit.
    pub(super) fn most(&self) -> usize {
        self.config.tokens + AROUND
    }

    /// Whether the network can read a program.
    pub fn fits(&self, program: &Program) -> bool {
        program.len() <= self.config.context
    }

    /// What the network reads; also the slot of each node.
    ///
    /// # Errors
    ///
    /// When a picture has another size than the language's.
    pub fn input(&mut self, of: &[Scenery<'_>]) -> Result<(Input, Vec<u32>), BatchError> {
        let mut bags = Bags::default();
        let (mut ends, mut slots) = (Vec::new(), Vec::new());
        let (mut glimpses, mut glimpse_of) = (Vec::new(), Vec::new());
        for one in of {
            slots.extend(self.rows.nodes(one.program, &mut bags));
            ends.push(slots.len() as u32);
            self.see(one)?;
            let from = (glimpses.len() / GLIMPSE) as u32;
            let bytes = self.seen.glimpses.iter();
            glimpses.extend(bytes.map(|byte| f32::from(*byte) / 255.0));
            glimpse_of.extend(self.seen.of.iter().map(|number| from + number));
        }
        let pairs = of.iter().map(|one| match self.about.sees_current {
            true => (one.target, one.picture),
            false => (one.target, &self.blank[..]),
        });
        let count = glimpses.len() / GLIMPSE;
        let input = Input {
            planes: planes(self.about.canvas, pairs)?,
            bags: Arc::new(bags),
            ends,
            glimpses: Tensor::from_vec(glimpses, (count, GLIMPSE), &Device::Cpu)?,
            glimpse_of: glimpse_of.into(),
        };
        Ok((input, slots))
    }

    /// Looks at a program's nodes. One that cannot be drawn shows nothing, and without the current picture
    /// nothing is to be seen of it.
    fn see(&mut self, one: &Scenery<'_>) -> Result<(), BatchError> {
        let [height, width, channels] = self.about.canvas;
        let wanted = height * width * channels;
        if one.target.len() != wanted {
            return Err(BatchError::Picture {
                is: one.target.len(),
                wanted,
            });
        }
        if !self.about.sees_current {
            self.seen.glimpses.clear();
            self.seen.glimpses.resize(GLIMPSE, 0);
            self.seen.of.clear();
            self.seen.of.resize(one.program.len(), 0);
            return Ok(());
        }
        if self.aimed.as_ref().is_none_or(|own| own.data != one.target) {
            let picture = Picture {
                width: width as u32,
                height: height as u32,
                channels: channels as u8,
                data: one.target.to_vec(),
            };
            let aimed = self.glimpses.aim(&picture);
            aimed.map_err(|e| BatchError::Language(e.to_string()))?;
            self.aimed = Some(picture);
        }
        // Blank then.
        let _ = self.glimpses.see(one.program, &mut self.seen);
        Ok(())
    }

    /// The nodes of a program that can be edited, each with the walk that stands before its replacement; empty
    /// when none can.
    pub(super) fn walk<'w>(&'w self, program: &'w Program) -> (Walk<'w>, Vec<u32>) {
        let mut walk = Walk::edit(&self.rows.vocabulary, &self.bounds, program, self.most());
        let places = match walk.push(EDIT) {
            Ok(()) => walk.legal(),
            Err(_) => Vec::new(),
        };
        let vocabulary = &self.rows.vocabulary;
        let places = places.into_iter().filter_map(|t| vocabulary.place_of(t));
        (walk, places.collect())
    }
}

/// What is to be learnt of an input.
#[derive(Clone, Debug, Default)]
pub struct Labels {
    /// The nodes that can be edited, program after program.
    pub open: Vec<u32>,
    /// Which of them should be.
    pub options: Arc<Options>,
    /// The sum over programs of the logarithm of how many of them should be: what is paid for them at least.
    pub least: f64,
    /// What is written, and where.
    pub writing: Writing,
    /// The next token of each row.
    pub targets: Arc<Targets>,
    /// The sequences of each program: where they end among all.
    pub sequences: Vec<u32>,
}

/// A batch of a network of nodes.
#[derive(Clone, Debug)]
pub struct NodesBatch {
    /// What it reads.
    pub input: Input,
    /// What it learns.
    pub labels: Labels,
}

/// Makes batches of lessons.
pub(super) struct Maker<'c> {
    desk: Desk<'c>,
    mutator: Mutator<'c>,
    path: PathScratch,
    scratch: Scratch,
}

impl<'c> Maker<'c> {
    pub(super) fn new(
        about: &About,
        config: &NodesConfig,
        compiled: &'c Compiled,
    ) -> Result<Maker<'c>, BatchError> {
        let mut spec = compiled.grammar.mutate;
        spec.small = about.size;
        let mutator = Mutator::new(compiled, spec);
        Ok(Maker {
            desk: Desk::new(about, config, compiled)?,
            mutator: mutator.map_err(|e| BatchError::Language(e.to_string()))?,
            path: PathScratch::default(),
            scratch: Scratch::default(),
        })
    }

    /// All edits that are as good as the lesson's, which is the first.
    fn edits(&mut self, lesson: &Lesson<'_>) -> Vec<Edit> {
        let mut edits = vec![lesson.edit.clone()];
        if !lesson.on_path {
            return edits;
        }
        let sampler = self.mutator.sampler();
        let mut path = Path::new_in(
            std::mem::take(&mut self.path),
            sampler.layout(),
            sampler.inside(),
            self.desk.about.size,
            PathMode::Plain,
            lesson.start,
            lesson.target,
        );
        let mut rng = stream(FILL, lesson.index);
        let scratch = std::mem::take(&mut self.scratch);
        let mut fill = Filler::new_in(scratch, sampler, &mut rng);
        let mut sites = Vec::new();
        path.sites(&mut sites);
        // The first site is the lesson's.
        for site in sites.into_iter().skip(1) {
            let mut edit = Edit::default();
            if path.propose_at(site, &mut fill, &mut edit) {
                edits.push(edit);
            }
        }
        self.scratch = fill.into_scratch();
        self.path = path.into_scratch();
        edits
    }

    /// The tokens of a replacement.
    fn tokens(&self, edit: &Edit) -> Vec<u32> {
        let mut tokens = Vec::new();
        self.desk
            .rows
            .vocabulary
            .encode(&edit.replacement, &mut tokens);
        tokens
    }
}

impl Collator for Maker<'_> {
    type Batch = NodesBatch;

    fn collate(&mut self, lessons: &[Lesson<'_>]) -> Result<Collated<NodesBatch>, BatchError> {
        let fits = |l: &&Lesson<'_>| {
            self.desk.fits(l.start) && self.tokens(l.edit).len() <= self.desk.config.tokens
        };
        let kept: Vec<Lesson<'_>> = lessons.iter().filter(fits).copied().collect();
        let left_out = lessons.len() - kept.len();
        if kept.is_empty() {
            return Ok(Collated {
                batch: None,
                left_out,
            });
        }
        let scenes = kept.iter().map(|l| Scenery {
            program: l.start,
            picture: l.start_picture,
            target: l.target_picture,
        });
        let scenes: Vec<Scenery<'_>> = scenes.collect();
        let (input, slots) = self.desk.input(&scenes)?;
        let mut taker = Taker::default();
        let mut from = 0;
        for (lesson, end) in kept.iter().zip(&input.ends) {
            let edits = self.edits(lesson);
            let tokens: Vec<Vec<u32>> = edits.iter().map(|e| self.tokens(e)).collect();
            let pairs: Vec<_> = edits.iter().zip(&tokens).collect();
            taker.take(&self.desk, lesson.start, from, &slots, &pairs)?;
            from = *end;
        }
        Ok(Collated {
            batch: Some(NodesBatch {
                input,
                labels: taker.finish(),
            }),
            left_out,
        })
    }
}

/// Labels on their way.
#[derive(Default)]
struct Taker {
    labels: Labels,
    options: Options,
    targets: Vec<u32>,
    weights: Vec<f32>,
    legal: Vec<bool>,
}

impl Taker {
    /// The labels of a program whose nodes begin at `from`; the first edit must be legal, others are left out
    /// when they are not.
    fn take(
        &mut self,
        desk: &Desk<'_>,
        program: &Program,
        from: u32,
        slots: &[u32],
        edits: &[(&Edit, &Vec<u32>)],
    ) -> Result<(), BatchError> {
        let vocabulary = &desk.rows.vocabulary;
        let (walk, open) = desk.walk(program);
        let mut right = vec![false; open.len()];
        let mut row = vec![false; vocabulary.len()];
        let mut own = 0;
        for (number, (edit, tokens)) in edits.iter().enumerate() {
            let place = u32::try_from(edit.position).unwrap_or(u32::MAX);
            let at = open.binary_search(&place).ok();
            let token = vocabulary.place(place);
            let (Some(at), Some(token)) = (at, token) else {
                if number == 0 {
                    // The walk says what is wrong with it.
                    walk.clone().push(token.unwrap_or(END))?;
                }
                continue;
            };
            if own >= WRITTEN {
                right[at] = true;
                continue;
            }
            let mut walk = walk.clone();
            walk.push(token)?;
            let slot = slots.get(from as usize + edit.position);
            let mut pen = desk.rows.pen(slot.copied().unwrap_or(0));
            let begun = self.targets.len();
            let writing = &mut self.labels.writing;
            let mut wrong = None;
            for token in tokens.iter() {
                walk.legal_row(&mut row);
                if let Err(illegal) = walk.push(*token) {
                    wrong = Some(illegal);
                    break;
                }
                desk.rows.token(&pen, &mut writing.bags);
                desk.rows.write(&mut pen, *token);
                writing.at.push(from + place);
                self.targets.push(*token);
                self.legal.extend_from_slice(&row[..vocabulary.words()]);
            }
            if let Some(illegal) = wrong {
                self.targets.truncate(begun);
                writing.at.truncate(begun);
                self.legal.truncate(begun * vocabulary.words());
                writing.bags.ends.truncate(begun);
                let last = writing.bags.ends.last().map_or(0, |end| *end as usize);
                writing.bags.rows.truncate(last);
                writing.bags.weights.truncate(last);
                if number == 0 {
                    return Err(illegal.into());
                }
                continue;
            }
            right[at] = true;
            writing.ends.push(self.targets.len() as u32);
            own += 1;
        }
        // All sequences of a program count as one.
        let share = 1.0 / own.max(1) as f32;
        self.weights.resize(self.targets.len(), share);
        self.labels
            .sequences
            .push(self.labels.writing.ends.len() as u32);
        self.labels.writing.programs.push(self.targets.len() as u32);
        let count = right.iter().filter(|right| **right).count().max(1) as f64;
        self.labels.least += libm::log(count);
        self.labels
            .open
            .extend(open.iter().map(|place| from + place));
        let weights = right.iter().map(|right| match right {
            true => (1.0 / count) as f32,
            false => 0.0,
        });
        self.options.weights.extend(weights);
        self.options.ends.push(self.options.weights.len() as u32);
        Ok(())
    }

    fn finish(self) -> Labels {
        let mut labels = self.labels;
        labels.options = Arc::new(self.options);
        labels.targets = Arc::new(Targets {
            targets: self.targets,
            weights: self.weights,
            legal: Some(self.legal),
        });
        labels
    }
}
