//! A set of tasks as a folder.
//!
//! In: [`TaskSet`], or a folder. Out: files, or [`Loaded`]. A folder holds `index.json` (what the set
//! is), `tasks.jsonl` (an object a task), a PNG for each task's target and, where the language has
//! `observe`, one of the true picture; `overview.png` shows the first of them. Afterwards what is
//! read is what was written: a program that the language reads, a picture of its canvas's size. File
//! names in an index that lead out of the folder are refused.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Kind, Task, TaskSet};
use crate::compiled::Compiled;
use crate::eval::primitives;
use crate::render::image::{self, ImageError};
use crate::render::{Picture, panels};
use crate::tree::Program;

/// Counted up whenever an older folder would be misread.
const FORMAT: u32 = 1;
/// Pictures in the overview, and how many in a row.
const OVERVIEW: (usize, usize) = (64, 16);
/// Longest list of tasks in bytes.
const MOST_BYTES: u64 = 1 << 30;

/// What a set is: `index.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Index {
    /// Of this file.
    pub format: u32,
    /// Language, kind, number of tasks and fingerprint.
    pub name: String,
    /// The language's name.
    pub language: String,
    /// The language's fingerprint: it changes with anything in the grammar.
    pub language_fingerprint: String,
    /// The set's fingerprint: it changes with programs, pictures and the goal.
    pub fingerprint: String,
    /// Ordinary or hard.
    pub set: Kind,
    /// Number of tasks.
    pub tasks: usize,
    /// Seed of everything random.
    pub seed: u64,
    /// Least and greatest size of the programs drawn.
    pub sizes: (u32, u32),
    /// Pictures that the percentile was taken over; 0 for an ordinary set.
    pub pool: usize,
    /// Least LZ4 bytes of a picture; 0 for an ordinary set.
    pub lz4_threshold: usize,
    /// The language's goal, as in the grammar.
    pub goal: Option<String>,
    /// Width, height and channels of the pictures.
    pub canvas: (u32, u32, u8),
    /// Whether targets are observed, not true pictures.
    pub observed: bool,
}

/// A task: a line of `tasks.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Its number in the set, with zeros in front.
    pub name: String,
    /// The program.
    pub program: String,
    /// Its `@primitive` nodes.
    pub primitives: usize,
    /// Its size, as the grammar counts.
    pub size: u32,
    /// Its nodes.
    pub nodes: usize,
    /// Bytes that LZ4 makes of the true picture.
    pub lz4_bytes: usize,
    /// Which of the seed's random programs it is.
    pub draw: u64,
    /// The file of the target.
    pub target: String,
    /// The file of the true picture, where the target is an observed one.
    pub truth: Option<String>,
}

impl TaskSet {
    /// What the set is.
    pub fn index(&self, compiled: &Compiled) -> Index {
        let grammar = &compiled.grammar;
        let short = self.fingerprint.get(..8).unwrap_or_default();
        let kind = match self.options.kind {
            Kind::Ordinary => "ordinary",
            Kind::Hard => "hard",
        };
        let first = self.tasks.first();
        Index {
            format: FORMAT,
            name: format!("{}-{kind}-{}-{short}", grammar.name, self.tasks.len()),
            language: grammar.name.clone(),
            language_fingerprint: compiled.fingerprint(),
            fingerprint: self.fingerprint.clone(),
            set: self.options.kind,
            tasks: self.tasks.len(),
            seed: self.options.seed,
            sizes: self.window,
            pool: self.pool,
            lz4_threshold: self.threshold,
            goal: grammar
                .goal
                .as_ref()
                .map(crate::codegen::summary::goal_text),
            canvas: first.map_or((0, 0, 0), |task| {
                let picture = task.target();
                (picture.width, picture.height, picture.channels)
            }),
            observed: grammar.observe.is_some(),
        }
    }

    /// The names and bytes of the folder's files; the index comes last.
    pub fn files<'a>(
        &'a self,
        compiled: &'a Compiled,
    ) -> impl Iterator<Item = (String, Vec<u8>)> + 'a {
        let digits = (self.tasks.len().max(1) - 1).to_string().len();
        let name = move |at: usize| format!("{at:0digits$}");
        let pictures = self.tasks.iter().enumerate().flat_map(move |(at, task)| {
            let name = name(at);
            let truth = task.observed.as_ref();
            let truth = truth.map(|_| (truth_of(&name), image::encode_png(&task.picture)));
            [(target_of(&name), image::encode_png(task.target()))]
                .into_iter()
                .chain(truth)
        });
        let lines = std::iter::once_with(move || {
            let lines = self.tasks.iter().enumerate();
            let texts = lines.map(|(at, task)| {
                let line = line(compiled, task, name(at));
                serde_json::to_string(&line).unwrap_or_default() + "\n"
            });
            ("tasks.jsonl".to_owned(), texts.collect::<String>().into())
        });
        let last = std::iter::once_with(move || {
            let text = serde_json::to_string_pretty(&self.index(compiled)).unwrap_or_default();
            ("index.json".to_owned(), format!("{text}\n").into())
        });
        let overview = std::iter::once_with(|| {
            let first = self.tasks.iter().take(OVERVIEW.0);
            let panels: Vec<_> = first.map(|task| ("", task.target())).collect();
            let sheet = panels::sheet(&panels, OVERVIEW.1);
            ("overview.png".to_owned(), image::encode_png(&sheet))
        });
        pictures.chain(overview).chain(lines).chain(last)
    }
}

fn target_of(name: &str) -> String {
    format!("{name}.png")
}

fn truth_of(name: &str) -> String {
    format!("{name}-true.png")
}

fn line(compiled: &Compiled, task: &Task, name: String) -> Line {
    Line {
        program: compiled.print(&task.program),
        primitives: primitives(&compiled.grammar, &task.program),
        size: task.program.size(),
        nodes: task.program.len(),
        lz4_bytes: task.lz4_bytes,
        draw: task.draw,
        target: target_of(&name),
        truth: task.observed.as_ref().map(|_| truth_of(&name)),
        name,
    }
}

/// Why a folder is not a set of tasks for a language.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A file is missing, too long, or not text.
    #[error("cannot read {}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// Not what [`TaskSet::files`] writes.
    #[error("{}, line {line}: {error}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1 on.
        line: usize,
        /// What is wrong.
        error: String,
    },
    /// Of another version.
    #[error("the set is of format {0}, and this tdc reads format {FORMAT}: make it again")]
    Format(u32),
    /// For pictures of another kind.
    #[error("the set was made for {0}, whose pictures are not those of {1}")]
    OtherLanguage(String, String),
    /// A file that is no picture.
    #[error("{}: {error}", path.display())]
    Picture {
        /// Which.
        path: PathBuf,
        /// Why.
        error: ImageError,
    },
}

/// A task that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadedTask {
    /// Its line in the list.
    pub line: Line,
    /// The program it was made from; `None` when the language has changed and no longer reads it.
    pub program: Option<Program>,
    /// What a solver is given.
    pub target: Picture,
    /// What the program draws: the target where nothing is between.
    pub truth: Picture,
}

/// A set that was read. Pictures are read one by one, by [`Loaded::task`].
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// What the set is.
    pub index: Index,
    /// Its tasks.
    pub lines: Vec<Line>,
    folder: PathBuf,
}

impl Loaded {
    /// Reads the index and the list of a folder, and checks that the pictures are for the language.
    ///
    /// # Errors
    ///
    /// When something is missing or not as it was written.
    pub fn read(folder: &Path, compiled: &Compiled) -> Result<Loaded, ReadError> {
        let path = folder.join("index.json");
        let malformed = |path: &Path, line: usize, error: String| ReadError::Malformed {
            path: path.to_owned(),
            line,
            error,
        };
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let text = text(&path)?;
        let wrong = |e: serde_json::Error| malformed(&path, e.line(), e.to_string());
        let Format { format } = serde_json::from_str(&text).map_err(wrong)?;
        if format != FORMAT {
            return Err(ReadError::Format(format));
        }
        let index: Index = serde_json::from_str(&text).map_err(wrong)?;
        let grammar = &compiled.grammar;
        let blank = grammar.canvas.as_ref().map(Picture::blank);
        let canvas = blank.map(|blank| (blank.width, blank.height, blank.channels));
        if canvas != Some(index.canvas) {
            return Err(ReadError::OtherLanguage(
                index.language,
                grammar.name.clone(),
            ));
        }
        let path = folder.join("tasks.jsonl");
        let mut lines = Vec::new();
        for (number, text) in self::text(&path)?.lines().enumerate() {
            let line: Line = serde_json::from_str(text)
                .map_err(|error| malformed(&path, number + 1, error.to_string()))?;
            let files = [Some(&line.target), line.truth.as_ref()];
            if files.into_iter().flatten().any(|name| !is_plain(name)) || !is_plain(&line.name) {
                let error = "a file's name must not lead out of the folder";
                return Err(malformed(&path, number + 1, error.to_owned()));
            }
            lines.push(line);
        }
        if lines.len() != index.tasks {
            let error = format!("{} tasks, and the index says {}", lines.len(), index.tasks);
            return Err(malformed(&path, lines.len(), error));
        }
        Ok(Loaded {
            index,
            lines,
            folder: folder.to_owned(),
        })
    }

    /// Reads a task's pictures.
    ///
    /// # Errors
    ///
    /// When a file is missing, no picture, or not of the canvas's size.
    pub fn task(&self, compiled: &Compiled, line: &Line) -> Result<LoadedTask, ReadError> {
        let target = self.picture(compiled, &line.target)?;
        let truth = match &line.truth {
            Some(name) => self.picture(compiled, name)?,
            None => target.clone(),
        };
        Ok(LoadedTask {
            program: compiled.parse(&line.program).ok(),
            line: line.clone(),
            target,
            truth,
        })
    }

    fn picture(&self, compiled: &Compiled, name: &str) -> Result<Picture, ReadError> {
        let path = self.folder.join(name);
        let bytes = std::fs::read(&path).map_err(|error| ReadError::File {
            path: path.clone(),
            error,
        })?;
        let failed = |error| ReadError::Picture {
            path: path.clone(),
            error,
        };
        let Some(canvas) = &compiled.grammar.canvas else {
            return Ok(Picture::default());
        };
        let target = image::read_target(&bytes, canvas).map_err(failed)?;
        if !target.fit.is_identity() {
            let (width, height) = (canvas.width, canvas.height);
            return Err(failed(ImageError::Broken(format!(
                "it is not {width} x {height} pixels"
            ))));
        }
        Ok(target.picture)
    }
}

/// Whether a name from an index is a file of the folder itself.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', ':'])
}

fn text(path: &Path) -> Result<String, ReadError> {
    let failed = |error: std::io::Error| ReadError::File {
        path: path.to_owned(),
        error,
    };
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut text = String::new();
    let mut limited = file.take(MOST_BYTES);
    limited.read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}
