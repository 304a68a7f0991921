//! Batches, made ahead of the model on threads of their own.
//!
//! In: a language, a [`Plan`], a model's recipe. Out: batches 0, 1, 2 and so on, as the model takes them, and how long
//! it waited for them. Afterwards batch `n` is the same for every number of threads.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::RunError;
use super::plan::Plan;
use crate::compiled::Compiled;
use crate::model::learner::{Lesson, Recipe};
use crate::train::ahead::{Ahead, Worker};
use crate::train::{Example, ExampleError, Labels, Maker, Options, Origin};

/// Batches that wait, beside one for each thread.
const WAITING: usize = 2;
/// Of the seed of examples that are kept apart.
const HELD_OUT: u64 = 0x6865_6c64;

/// A batch as a thread hands it in.
#[derive(Debug)]
pub(super) struct Item<B> {
    /// What goes into the model; none when all its examples were left out.
    pub(super) batch: Option<B>,
    /// Examples that are too long for the model.
    pub(super) left_out: u64,
    error: Option<Mistake>,
}

impl<B> Default for Item<B> {
    fn default() -> Item<B> {
        Item {
            batch: None,
            left_out: 0,
            error: None,
        }
    }
}

/// Why there is no batch.
#[derive(Clone, Debug)]
enum Mistake {
    Example(ExampleError),
    Batch(String),
}

impl From<Mistake> for RunError {
    fn from(mistake: Mistake) -> RunError {
        match mistake {
            Mistake::Example(error) => RunError::Examples(error),
            Mistake::Batch(error) => RunError::Batch(error),
        }
    }
}

/// One worker's shares of the batches.
pub(super) struct Feed<B> {
    ahead: Ahead<Item<B>>,
    /// How long batches were waited for.
    pub(super) waited: Duration,
}

impl<B: Send + Sync + 'static> Feed<B> {
    /// From a batch on.
    pub(super) fn new<R: Recipe<Batch = B>>(
        compiled: &Arc<Compiled>,
        plan: &Plan,
        recipe: R,
        worker: usize,
        first: u64,
        threads: usize,
    ) -> Result<Feed<B>, RunError> {
        let (compiled, plan) = (Arc::clone(compiled), plan.clone());
        let threads = threads.max(1);
        let work = move |queue: &Worker<Item<B>>| {
            let mut desk = Desk::new(&compiled, &plan.examples, &recipe);
            while let Some((number, mut item)) = queue.take() {
                let range = plan.share(first + number, worker);
                match &mut desk {
                    Ok(desk) => desk.fill(range, &mut item),
                    Err(mistake) => item.error = Some(mistake.clone()),
                }
                queue.put(number, item);
            }
        };
        let ahead = Ahead::start(threads, threads + WAITING, work);
        Ok(Feed {
            ahead: ahead.map_err(|e| ExampleError::NoThread(e.to_string()))?,
            waited: Duration::ZERO,
        })
    }

    /// The next batch, until the call after.
    pub(super) fn next(&mut self) -> Result<&Item<B>, RunError> {
        let begun = Instant::now();
        let item = self.ahead.next();
        self.waited += begun.elapsed();
        let item = item.ok_or(RunError::BrokenOff)?;
        match &item.error {
            Some(mistake) => Err(mistake.clone().into()),
            None => Ok(item),
        }
    }
}

/// What a thread makes batches with.
struct Desk<'c, B> {
    maker: Maker<'c>,
    collator: Box<dyn crate::model::learner::Collator<Batch = B> + 'c>,
    examples: Vec<Example>,
}

impl<'c, B: Send + Sync + 'static> Desk<'c, B> {
    fn new<R: Recipe<Batch = B>>(
        compiled: &'c Compiled,
        options: &Options,
        recipe: &R,
    ) -> Result<Desk<'c, B>, Mistake> {
        let collator = recipe.collator(compiled);
        Ok(Desk {
            maker: Maker::new(compiled, options.clone()).map_err(Mistake::Example)?,
            collator: collator.map_err(|e| Mistake::Batch(e.to_string()))?,
            examples: Vec::new(),
        })
    }

    fn fill(&mut self, range: std::ops::Range<u64>, item: &mut Item<B>) {
        *item = Item::default();
        if let Err(mistake) = self.collate(range, item) {
            item.error = Some(mistake);
        }
    }

    fn collate(&mut self, range: std::ops::Range<u64>, item: &mut Item<B>) -> Result<(), Mistake> {
        let count = (range.end - range.start) as usize;
        self.examples.resize_with(count, Example::default);
        for (index, example) in range.zip(&mut self.examples) {
            let made = self.maker.make_into(index, example);
            made.map_err(Mistake::Example)?;
        }
        let paths = self.maker.options().labels == Labels::Path;
        let lessons: Vec<Lesson<'_>> = self.examples.iter().map(|e| lesson(e, paths)).collect();
        let made = self.collator.collate(&lessons);
        let made = made.map_err(|e| Mistake::Batch(e.to_string()))?;
        item.batch = made.batch;
        item.left_out = made.left_out as u64;
        Ok(())
    }
}

/// An example as a model sees it; `paths` says whether labels of noised starts are first edits of paths.
fn lesson(example: &Example, paths: bool) -> Lesson<'_> {
    Lesson {
        index: example.index,
        target: &example.target,
        start: &example.start,
        edit: &example.edit,
        on_path: paths || example.origin == Origin::Fresh,
        distance: example.distance,
        target_picture: &example.target_picture.data,
        start_picture: &example.start_picture.data,
    }
}

/// Batches of examples that no training sees: those of another seed.
pub(super) fn held_out<R: Recipe>(
    compiled: &Compiled,
    plan: &Plan,
    recipe: &R,
) -> Result<Vec<R::Batch>, RunError> {
    let options = Options {
        seed: plan.examples.seed ^ HELD_OUT,
        ..plan.examples.clone()
    };
    let mut desk = Desk::new(compiled, &options, recipe)?;
    let mut out = Vec::new();
    let (count, batch) = (plan.held_out as u64, plan.batch.max(1));
    for from in (0..count).step_by(batch) {
        let mut item = Item::default();
        desk.collate(from..count.min(from + batch as u64), &mut item)?;
        out.extend(item.batch);
    }
    Ok(out)
}
