//! Results on disk, as they come.
//!
//! In: a folder, what all its results share, [`Record`]s. Out: the records of earlier runs.
//! Afterwards `run.json` says how the results were come by, and `results.jsonl` holds an object a
//! target: in the order in which they came while the run goes on, in the order of the targets when it
//! is finished. A run that is broken off anywhere leaves whole records, and the next one goes on from
//! there; results of other settings are never mixed in.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::attempt::Record;

const RUN: &str = "run.json";
const RESULTS: &str = "results.jsonl";

/// Why results cannot be kept in a folder.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file cannot be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// There are results of another run.
    #[error(
        "{} holds results of another run: {differs}; choose another folder, or remove that one",
        path.display()
    )]
    OtherRun {
        /// The folder.
        path: PathBuf,
        /// What is not the same.
        differs: String,
    },
    /// Not what tdc writes.
    #[error("{}: not as tdc wrote it: {error}", path.display())]
    Malformed {
        /// Which.
        path: PathBuf,
        /// Why.
        error: serde_json::Error,
    },
}

/// A folder of results.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    file: File,
    records: Vec<Record>,
}

impl Store {
    /// Opens a folder for results that share `run`, and makes it if need be.
    ///
    /// # Errors
    ///
    /// When it cannot be written, or holds the results of a run that is not the same.
    pub fn open(folder: &Path, run: &Map<String, Value>) -> Result<Store, StoreError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |error| StoreError::File { path, error }
        };
        std::fs::create_dir_all(folder).map_err(failed(folder))?;
        let (run_path, results_path) = (folder.join(RUN), folder.join(RESULTS));
        let mut records = Vec::new();
        match std::fs::read_to_string(&run_path) {
            Ok(text) => {
                let before: Map<String, Value> =
                    serde_json::from_str(&text).map_err(|error| StoreError::Malformed {
                        path: run_path.clone(),
                        error,
                    })?;
                if let Some(differs) = difference(&before, run) {
                    return Err(StoreError::OtherRun {
                        path: folder.to_owned(),
                        differs,
                    });
                }
                records = read(&results_path).map_err(failed(&results_path))?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(&run_path)(error)),
        }
        // What was broken off within a line is dropped, and every line ends.
        write_lines(folder, &records).map_err(failed(&results_path))?;
        let text = serde_json::to_string_pretty(run).unwrap_or_default();
        write_whole(folder, RUN, format!("{text}\n").as_bytes()).map_err(failed(&run_path))?;
        let mut options = OpenOptions::new();
        let file = options.append(true).open(&results_path);
        Ok(Store {
            file: file.map_err(failed(&results_path))?,
            folder: folder.to_owned(),
            records,
        })
    }

    /// The records so far.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Adds a record; it is on disk afterwards.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn add(&mut self, record: Record) -> Result<(), StoreError> {
        let line = line(&record);
        let write = |file: &mut File| {
            file.write_all(line.as_bytes())?;
            file.flush()
        };
        write(&mut self.file).map_err(|error| StoreError::File {
            path: self.folder.join(RESULTS),
            error,
        })?;
        self.records.push(record);
        Ok(())
    }

    /// Keeps the records of the targets in `order`, the last of each, in that order; returns them.
    ///
    /// # Errors
    ///
    /// When they cannot be written.
    pub fn finish<'n>(
        self,
        order: impl Iterator<Item = &'n str>,
    ) -> Result<Vec<Record>, StoreError> {
        let mut last = std::collections::BTreeMap::new();
        for record in self.records {
            last.insert(record.target.clone(), record);
        }
        let records: Vec<Record> = order.filter_map(|name| last.remove(name)).collect();
        write_lines(&self.folder, &records).map_err(|error| StoreError::File {
            path: self.folder.join(RESULTS),
            error,
        })?;
        Ok(records)
    }
}

/// The first thing in which two runs differ.
fn difference(before: &Map<String, Value>, now: &Map<String, Value>) -> Option<String> {
    let none = Value::Null;
    let keys = before.keys().chain(now.keys());
    let mut differs = keys.filter_map(|key| {
        let (was, is) = (
            before.get(key).unwrap_or(&none),
            now.get(key).unwrap_or(&none),
        );
        (was != is).then(|| format!("{key} was {was} and is {is}"))
    });
    differs.next()
}

/// The whole lines of a file; none when it is not there.
fn read(path: &Path) -> io::Result<Vec<Record>> {
    let text = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        text => text?,
    };
    let whole = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    Ok(whole.collect())
}

fn line(record: &Record) -> String {
    serde_json::to_string(record).unwrap_or_default() + "\n"
}

fn write_lines(folder: &Path, records: &[Record]) -> io::Result<()> {
    let text: String = records.iter().map(line).collect();
    write_whole(folder, RESULTS, text.as_bytes())
}

/// Writes a file that is whole or not there.
fn write_whole(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".tdc-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.persist(folder.join(name))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(time: f64) -> Map<String, Value> {
        let value = serde_json::json!({ "format": 1, "time": time });
        value.as_object().unwrap().clone()
    }

    fn record(target: &str, evaluations: u64) -> Record {
        Record {
            target: target.to_owned(),
            evaluations,
            ..Record::default()
        }
    }

    fn names(records: &[Record]) -> Vec<&str> {
        records.iter().map(|r| r.target.as_str()).collect()
    }

    #[test]
    fn a_broken_run_is_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("a/b");
        let mut store = Store::open(&inside, &run(1.0)).unwrap();
        store.add(record("y", 1)).unwrap();
        store.add(record("x", 2)).unwrap();
        drop(store);
        // Broken off in the middle of a line.
        let path = inside.join(RESULTS);
        let mut text = std::fs::read_to_string(&path).unwrap();
        text.push_str("{\"target\":\"z\",\"sol");
        std::fs::write(&path, text).unwrap();
        let mut store = Store::open(&inside, &run(1.0)).unwrap();
        assert_eq!(names(store.records()), ["y", "x"]);
        store.add(record("z", 3)).unwrap();
        store.add(record("x", 4)).unwrap();
        let records = store.finish(["x", "y", "z", "w"].into_iter()).unwrap();
        assert_eq!(names(&records), ["x", "y", "z"]);
        assert_eq!(records[0].evaluations, 4);
        assert_eq!(read(&path).unwrap(), records);
    }

    #[test]
    fn other_settings_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        Store::open(folder.path(), &run(1.0)).unwrap();
        let error = Store::open(folder.path(), &run(2.0)).unwrap_err();
        assert!(
            error.to_string().contains("time was 1.0 and is 2.0"),
            "{error}"
        );
        std::fs::write(folder.path().join(RUN), "{").unwrap();
        let error = Store::open(folder.path(), &run(1.0)).unwrap_err();
        assert!(matches!(error, StoreError::Malformed { .. }));
    }
}
