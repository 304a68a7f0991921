//! Many targets: the habits that test sets and folders of pictures share.
//!
//! In: names, work on each. Out: records, in the order of the names. Afterwards each record was on disk as
//! soon as it was there, and what was there before was not done again.

use std::path::Path;

use serde_json::{Map, Value};
use tdc::eval::attempt::Record;
use tdc::eval::parallel;
use tdc::eval::store::{Store, StoreError};

use super::super::failure::Failure;
use super::super::progress::Progress;
use super::super::shell::{self, Shell};

/// What is done.
pub struct Work<'a> {
    /// What the records share.
    pub run: &'a Map<String, Value>,
    /// The targets.
    pub names: Vec<String>,
    /// How many are worked on at the same time.
    pub jobs: usize,
    /// Whether a record of an earlier run stands.
    pub stands: &'a dyn Fn(usize, &Record) -> bool,
    /// Makes a record; a message ends the run.
    pub one: &'a (dyn Fn(usize) -> Result<Record, String> + Sync),
}

/// Does what is still to be done, keeping records in `to`.
pub fn records(shell: &Shell, to: &Path, work: &Work<'_>) -> Result<Vec<Record>, Failure> {
    let failed = |error: StoreError| Failure::input(error.to_string());
    let mut store = Store::open(to, work.run).map_err(failed)?;
    let all = work.names.iter().enumerate();
    let todo: Vec<usize> = all
        .filter(|(at, name)| {
            let last = store.records().iter().rev().find(|r| r.target == **name);
            !last.is_some_and(|r| !r.is_unfinished() && (work.stands)(*at, r))
        })
        .map(|(at, _)| at)
        .collect();
    let mut count = work.names.len() - todo.len();
    if count > 0 {
        shell.say(&format!(
            "{count} of {} were there already",
            work.names.len()
        ));
    }
    let stop = shell::stop_flag();
    let mut progress = Progress::new(shell, "solving", work.names.len() as u64);
    let mut solved = store.records().iter().filter(|r| r.solved).count();
    let mut trouble = None;
    let one = |at: usize| (work.one)(todo[at]);
    parallel::each(todo.len(), work.jobs, stop, &one, &mut |_, result| {
        let added = result.map_err(Failure::input).and_then(|record| {
            if record.error.is_some() && shell::stopped() {
                return Ok(());
            }
            solved += usize::from(record.solved);
            count += 1;
            progress.set(count as u64, &format!("{solved} of {count} solved"));
            store.add(record).map_err(failed)
        });
        match added {
            Ok(()) => true,
            Err(error) => {
                trouble = Some(error);
                false
            }
        }
    });
    match trouble {
        Some(trouble) => Err(trouble),
        None => store
            .finish(work.names.iter().map(String::as_str))
            .map_err(failed),
    }
}
