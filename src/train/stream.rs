//! Examples in batches, made on other threads.
//!
//! In: a compiled language, [`Options`], [`StreamOptions`]. Out: [`Batch`]es in order, without end.
//! Afterwards batch `n` holds examples `first + n * batch` and on, the same for every number of
//! threads; batches are used again, so memory stays as it is.

use std::sync::Arc;
use std::thread::available_parallelism;

use super::ahead::{Ahead, Worker};
use super::examples::{Example, ExampleError, Maker, Options};
use crate::compiled::Compiled;

/// How a [`Stream`] goes about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamOptions {
    /// Threads that make examples; 0 counts as 1.
    pub threads: usize,
    /// Examples in a batch; 0 counts as 1.
    pub batch: usize,
    /// Batches that may wait to be used; 0 counts as 1.
    pub ahead: usize,
    /// The first example: a run that goes on where another stopped begins here.
    pub first: u64,
}

impl Default for StreamOptions {
    /// All of the machine's threads, the paper's batches of 32, two waiting for each thread.
    fn default() -> StreamOptions {
        let threads = available_parallelism().map_or(1, usize::from);
        StreamOptions {
            threads,
            batch: 32,
            ahead: 2 * threads,
            first: 0,
        }
    }
}

/// Examples with consecutive numbers.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Batch {
    /// The examples, in order.
    pub examples: Vec<Example>,
}

/// A batch as threads hand it in.
#[derive(Debug, Default)]
struct Item {
    batch: Batch,
    error: Option<ExampleError>,
}

/// Examples without end, for one consumer. Dropping it stops its threads.
///
/// ```
/// use std::sync::Arc;
/// use tdc::Compiled;
/// use tdc::train::{Options, Stream, StreamOptions};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let csg2d = Arc::new(Compiled::load("grammars/csg2d.tdg")?);
/// let options = Options::of(&csg2d);
/// let mut stream = Stream::new(csg2d, options, &StreamOptions::default())?;
/// for _ in 0..3 {
///     for example in &stream.next()?.examples {
///         assert!(example.edit.position < example.tokens().len());
///         assert_eq!(example.start_picture.pixels(), 128 * 128);
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Stream {
    ahead: Ahead<Item>,
    failed: Option<ExampleError>,
}

impl Stream {
    /// Starts making examples.
    ///
    /// # Errors
    ///
    /// As [`Maker::new`]; or when no thread can be started.
    pub fn new(
        compiled: Arc<Compiled>,
        options: Options,
        how: &StreamOptions,
    ) -> Result<Stream, ExampleError> {
        // What is wrong with the options is told here, not by the first batch.
        Maker::new(&compiled, options.clone())?;
        let (size, first) = (how.batch.max(1), how.first);
        let work = move |worker: &Worker<Item>| {
            let Ok(mut maker) = Maker::new(&compiled, options.clone()) else {
                return;
            };
            while let Some((number, mut item)) = worker.take() {
                let from = first.wrapping_add(number.wrapping_mul(size as u64));
                item.error = fill(&mut maker, from, size, &mut item.batch).err();
                worker.put(number, item);
            }
        };
        let ahead = Ahead::start(how.threads, how.ahead, work)
            .map_err(|error| ExampleError::NoThread(error.to_string()))?;
        Ok(Stream {
            ahead,
            failed: None,
        })
    }

    /// The next batch, waiting for it if need be. The stream takes it back at the next call.
    ///
    /// # Errors
    ///
    /// As [`Maker::make_into`], for the first example of the batch that could not be made; or when
    /// a thread has broken off. Every later call gives the same error.
    #[allow(clippy::should_implement_trait)] // an iterator cannot lend what it gives
    pub fn next(&mut self) -> Result<&Batch, ExampleError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        match self.ahead.next() {
            Some(Item { batch, error: None }) => Ok(batch),
            Some(Item {
                error: Some(error), ..
            }) => Err(self.failed.insert(error.clone()).clone()),
            None => Err(self.failed.insert(ExampleError::BrokenOff).clone()),
        }
    }
}

fn fill(
    maker: &mut Maker<'_>,
    from: u64,
    size: usize,
    batch: &mut Batch,
) -> Result<(), ExampleError> {
    batch.examples.resize_with(size, Example::default);
    for (index, example) in (0..).zip(&mut batch.examples) {
        maker.make_into(from.wrapping_add(index), example)?;
    }
    Ok(())
}
