//! The snapshots of a language as a folder of files, for review in a pull request.
//!
//! In: a language, [`SnapshotOptions`], a folder. Out: [`Finding`]s: what differs from the folder,
//! is missing there, or is left over. Afterwards, when accepted, the folder holds exactly these
//! snapshots; a file is written under a temporary name and renamed. A picture that differs has
//! expected, difference and actual side by side in `NAME.diff.png`; [`accept`] clears that away.
//!
//! | file | holds |
//! |---|---|
//! | `samples.txt` | random programs |
//! | `mutations.txt` | small changes of random programs |
//! | `mutators.txt` | one change by each named mutator of the language |
//! | `paths.txt` | edit paths |
//! | `pictures/example-NAME.svg` | the grammar's examples |
//! | `pictures/sample-N.svg` | the programs of `samples.txt` |
//!
//! Files of other names are left alone. The first line of each text says the seed and the count,
//! so that a later run can use the same ([`recorded`]).

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::golden::{how, panel_path, read, triptych, write};
use super::{Drawing, MAX_COUNT, SnapshotError};
use crate::compiled::Compiled;
use crate::grammar::ir::{Canvas, CanvasMode};
use crate::mutate::named::NamedMutator;
use crate::render::{Picture, image, raster};

/// How snapshots are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotOptions {
    /// Where all random numbers come from.
    pub seed: u64,
    /// How many samples, mutations and pictures, and a quarter as many paths; 1 to
    /// [`MAX_COUNT`].
    pub count: u32,
}

impl Default for SnapshotOptions {
    fn default() -> SnapshotOptions {
        SnapshotOptions { seed: 0, count: 8 }
    }
}

/// A file as it should be.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Its name in the folder, with `/`: `pictures/sample-1.svg`.
    pub name: String,
    /// What it holds.
    pub text: String,
    /// Of a picture, what it is drawn from.
    drawing: Option<(Drawing, Canvas)>,
}

/// How a file of the folder stands to what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// As it should be.
    Same,
    /// It holds this instead.
    Changed {
        /// What it holds.
        before: String,
        /// Of a picture, how the pixels differ, in words.
        pixels: Option<String>,
        /// Of a picture, the panels of expected, difference and actual; or why there are none.
        panels: Option<Result<PathBuf, String>>,
    },
    /// Not there.
    Missing,
    /// There, but no snapshot has this name any more.
    Stale,
}

/// A file and its state.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Its name in the folder, with `/`.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// What it should hold; `None` when it is stale.
    pub text: Option<String>,
    /// How it stands.
    pub state: State,
}

/// A reading or writing of a file that did not work.
#[derive(Debug, thiserror::Error)]
#[error("cannot {what} {}: {error}", path.display())]
pub struct FileError {
    /// `read`, `write`, `remove`.
    pub what: &'static str,
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub error: io::Error,
}

const TEXTS: [&str; 4] = ["samples.txt", "mutations.txt", "mutators.txt", "paths.txt"];
const SAMPLES: &str = TEXTS[0];
const PICTURES: &str = "pictures";
/// Nested deeper, an SVG is not drawn for comparison: the reader recurses.
const MAX_NESTED: usize = 200;

/// The snapshots of a language. `progress` is told how much is done of how much, and stops it by
/// `false`.
///
/// # Errors
///
/// When the count is out of range, a program cannot be drawn, or it was stopped.
pub fn draw(
    compiled: &Compiled,
    options: SnapshotOptions,
    progress: &mut dyn FnMut(u64, u64) -> bool,
) -> Result<Vec<Snapshot>, SnapshotError> {
    let SnapshotOptions { seed, count } = options;
    super::check_count(count)?;
    let grammar = &compiled.grammar;
    let mutators = NamedMutator::all(grammar).len() as u64;
    let pictures = grammar.canvas.as_ref().map_or(0, |_| u64::from(count));
    let total = 3 + mutators + pictures;
    let mut done = 0;
    let mut step = |more: u64| {
        done += more;
        match progress(done, total) {
            true => Ok(()),
            false => Err(SnapshotError::Stopped),
        }
    };
    let header = |what: &str| format!("# {}, seed {seed}: {what}\n\n", grammar.name);
    let plural = |count: u32, what: &str| match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    };
    let mut out = Vec::new();
    let mut text = |name: &str, what: &str, text: String| {
        out.push(Snapshot {
            name: name.to_owned(),
            text: header(what) + &text,
            drawing: None,
        });
    };
    step(0)?;
    let [samples, mutations, each, paths] = TEXTS;
    let what = plural(count, "sample");
    text(samples, &what, super::samples(compiled, seed, count)?);
    step(1)?;
    let what = plural(count, "mutation");
    text(mutations, &what, super::mutations(compiled, seed, count)?);
    step(1)?;
    let mut told = 0;
    let all = super::mutators_with(compiled, seed, 1, &mut |index, _| {
        let more = index as u64 - told;
        told = index as u64;
        step(more).is_ok()
    })?;
    text(each, "what each mutator does", all);
    step(mutators - told)?;
    let few = count.div_ceil(4);
    let what = plural(few, "path");
    text(paths, &what, super::paths(compiled, seed, few)?);
    step(1)?;
    let Some(canvas) = &grammar.canvas else {
        return Ok(out);
    };
    let mut taken = BTreeSet::new();
    let mut picture = |drawing: Drawing| {
        // Some file systems do not tell `Moon` from `moon`.
        let mut name = drawing.name.clone();
        for number in 2.. {
            if taken.insert(name.to_lowercase()) {
                break;
            }
            name = format!("{}-{number}", drawing.name);
        }
        out.push(Snapshot {
            name: format!("{PICTURES}/{name}.svg"),
            text: drawing.svg.clone(),
            drawing: Some((drawing, canvas.clone())),
        });
    };
    super::examples(compiled)?
        .into_iter()
        .for_each(&mut picture);
    for drawing in super::drawing::each(compiled, seed, count)? {
        picture(drawing?);
        step(1)?;
    }
    Ok(out)
}

/// The options of the snapshots that a folder holds, when it holds any.
pub fn recorded(folder: &Path) -> Option<SnapshotOptions> {
    let bytes = read(&folder.join(SAMPLES)).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let (_, said) = text.lines().next()?.rsplit_once(", seed ")?;
    let (seed, count) = said.split_once(": ")?;
    let count = count.split(' ').next()?.parse().ok()?;
    Some(SnapshotOptions {
        seed: seed.parse().ok()?,
        count: Some(count).filter(|count| (1..=MAX_COUNT).contains(count))?,
    })
}

/// How the files of a folder stand to what they should be, those that are stale last. Panels of
/// pictures that differ are written, those of others removed.
///
/// # Errors
///
/// When a file is there but cannot be read.
pub fn compare(folder: &Path, snapshots: &[Snapshot]) -> Result<Vec<Finding>, FileError> {
    let mut out = Vec::new();
    for snapshot in snapshots {
        let path = folder.join(&snapshot.name);
        let state = match kept(&path)? {
            None => State::Missing,
            Some(before) if before == snapshot.text => State::Same,
            Some(before) => changed(&path, before, snapshot),
        };
        if !matches!(state, State::Changed { .. }) {
            drop(fs::remove_file(panel_path(&path)));
        }
        out.push(Finding {
            name: snapshot.name.clone(),
            path,
            text: Some(snapshot.text.clone()),
            state,
        });
    }
    let left = stale(folder, snapshots);
    out.extend(left.into_iter().map(|name| Finding {
        path: folder.join(&name),
        name,
        text: None,
        state: State::Stale,
    }));
    Ok(out)
}

/// Makes the folder as [`compare`] found that it should be: writes what is missing or changed,
/// removes what is stale and all panels.
///
/// # Errors
///
/// When a file cannot be written or removed.
pub fn accept(findings: &[Finding]) -> Result<(), FileError> {
    for finding in findings {
        let path = &finding.path;
        let failed = |what| {
            move |error| FileError {
                what,
                path: path.clone(),
                error,
            }
        };
        match (&finding.state, &finding.text) {
            (State::Same, _) => {}
            (_, Some(text)) => write(path, text.as_bytes()).map_err(failed("write"))?,
            (_, None) => fs::remove_file(path).map_err(failed("remove"))?,
        }
        drop(fs::remove_file(panel_path(path)));
    }
    Ok(())
}

/// What a file holds, with line ends as they were written; `None` when it is not there.
fn kept(path: &Path) -> Result<Option<String>, FileError> {
    match read(path) {
        // Git may have changed line ends.
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).replace("\r\n", "\n"))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(FileError {
            what: "read",
            path: path.to_owned(),
            error,
        }),
    }
}

fn changed(path: &Path, before: String, snapshot: &Snapshot) -> State {
    let Some((drawing, canvas)) = &snapshot.drawing else {
        return State::Changed {
            before,
            pixels: None,
            panels: None,
        };
    };
    let pictures = drawn(&before, canvas).and_then(|expected| {
        let actual = drawing.pixels().map_err(|why| why.to_string())?;
        Ok((expected, actual))
    });
    let (pixels, panels) = match pictures {
        Ok((expected, actual)) => {
            let panel = panel_path(path);
            let bytes = image::encode_png(&triptych(&expected, &actual));
            let written = write(&panel, &bytes)
                .map(|()| panel.clone())
                .map_err(|error| format!("cannot write {}: {error}", panel.display()));
            let pixels = format!("differs {}", how(&expected, &actual));
            (Some(pixels), written)
        }
        Err(why) => (None, Err(why)),
    };
    State::Changed {
        before,
        pixels,
        panels: Some(panels),
    }
}

/// The pixels of a kept SVG, at its own size.
fn drawn(svg: &str, canvas: &Canvas) -> Result<Picture, String> {
    let nested = svg.matches("<mask").count() + svg.matches("<g").count();
    if nested > MAX_NESTED {
        return Err("the kept picture is too deep to be compared pixel by pixel".to_owned());
    }
    let side = |name: &str| -> Option<u32> {
        let (_, rest) = svg.lines().next()?.split_once(name)?;
        let value = rest.split('"').next()?.parse().ok()?;
        Some(value).filter(|side| (1..=8192).contains(side))
    };
    let own = Canvas {
        width: side(" width=\"").unwrap_or(canvas.width),
        height: side(" height=\"").unwrap_or(canvas.height),
        mode: match canvas.mode {
            CanvasMode::Ink => CanvasMode::Ink,
            // The kept picture brings its own background.
            CanvasMode::Rgb { .. } => CanvasMode::Rgb {
                background: [255; 3],
            },
        },
        centred: false,
    };
    raster::svg_pixels(svg, &own).map_err(|_| "the kept picture cannot be read".to_owned())
}

/// Files that were snapshots once.
fn stale(folder: &Path, snapshots: &[Snapshot]) -> Vec<String> {
    let current = |name: &str| snapshots.iter().any(|snapshot| snapshot.name == name);
    let mut left: Vec<String> = TEXTS
        .iter()
        .filter(|name| !current(name) && folder.join(name).is_file())
        .map(|name| (*name).to_owned())
        .collect();
    let mut pictures: Vec<String> = fs::read_dir(folder.join(PICTURES))
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| {
            let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
            let ours = name.starts_with("example-")
                || name.strip_prefix("sample-").is_some_and(|rest| {
                    let number = digits(rest);
                    number > 0 && rest[number..].starts_with('.')
                });
            let of_current = name
                .strip_suffix(".diff.png")
                .is_some_and(|stem| current(&format!("{PICTURES}/{stem}.svg")));
            ours && (name.ends_with(".svg") || name.ends_with(".diff.png")) && !of_current
        })
        .map(|name| format!("{PICTURES}/{name}"))
        .filter(|name| !current(name))
        .collect();
    pictures.sort();
    left.extend(pictures);
    left
}
