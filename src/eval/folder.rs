//! What is written of one search: the files of its folder.
//!
//! In: a target, an [`Attempt`]. Out: names and bytes. Afterwards `program.txt` holds the program on
//! lines of 100 columns, `result.svg` has an element a primitive and lies over the original picture, `outline.svg`
//! holds plain paths without overlap, `pareto` has a program for each size when that was asked for, and the trajectory and its pictures show how the program came
//! about, the first program tried first.

use std::path::Path;

use serde_json::json;

use super::attempt::{Attempt, AttemptError, draw};
use super::front;
use super::summary::short;
use crate::compiled::Compiled;
use crate::render::image::{animation, encode_png};
use crate::render::outline::outline_svg;
use crate::render::svg::{self, SvgOptions};
use crate::render::{Picture, panels};
use crate::scene::eval::lower;
use crate::tree::Program;

/// Frames of the filmstrip and how many in a row, the target counted.
const STRIP: (usize, usize) = (12, 6);
/// Frames of the animation at most.
const FRAMES: usize = 48;
/// How long a frame of the animation stays, and the last, in milliseconds.
const DELAY: (u16, u16) = (120, 2500);

/// How the files are to be.
#[derive(Clone, Debug, Default)]
pub struct Options<'a> {
    /// Whether there is an `outline.svg`.
    pub outline: bool,
    /// What the target is called.
    pub name: &'a str,
    /// How SVGs are written, and the original that they lie over; the title is the program.
    pub svg: SvgOptions,
}

/// The names and bytes of the files.
///
/// # Errors
///
/// When what was found cannot be drawn.
pub fn files(
    compiled: &Compiled,
    target: &Picture,
    attempt: &Attempt,
    options: &Options<'_>,
) -> Result<Vec<(String, Vec<u8>)>, AttemptError> {
    let report = &attempt.report;
    let text = compiled.print(&report.program);
    let scene = lower(&compiled.grammar, &report.program)?;
    let svg_options = SvgOptions {
        title: Some(text.clone()),
        ..options.svg.clone()
    };
    let mut out = vec![
        ("program.txt", one_file(compiled, &report.program)),
        ("result.svg", svg::write(&scene, &svg_options)?.into_bytes()),
    ];
    if options.outline {
        let outline = outline_svg(&scene, &svg_options)?;
        out.push(("outline.svg", outline.into_bytes()));
    }
    let difference = panels::difference(target, &attempt.picture);
    let triptych = panels::side_by_side(&[
        ("target", target),
        ("difference", &difference),
        ("result", &attempt.picture),
    ]);
    out.push(("target.png", encode_png(target)));
    out.push(("result.png", encode_png(&attempt.picture)));
    out.push(("difference.png", encode_png(&difference)));
    out.push(("triptych.png", encode_png(&triptych)));
    out.push((
        "trajectory.jsonl",
        trajectory(compiled, attempt).into_bytes(),
    ));
    let steps = steps(compiled, attempt);
    out.push(("filmstrip.png", encode_png(&filmstrip(target, &steps))));
    if let Some(film) = film(target, &steps) {
        out.push(("search.png", film));
    }
    let mut out: Vec<(String, Vec<u8>)> = out.into_iter().map(|(n, b)| (n.to_owned(), b)).collect();
    if !attempt.front.is_empty() {
        // Where the picture lies says nothing.
        let name = Path::new(options.name)
            .file_name()
            .map(|n| n.to_string_lossy());
        let name = name.unwrap_or_default();
        let files = front::files(compiled, &name, target, &attempt.front, &options.svg)?;
        out.extend(files.into_iter().map(|(n, b)| (format!("pareto/{n}"), b)));
    }
    Ok(out)
}

/// Columns of the lines of a file that holds one program.
const COLUMNS: usize = 100;

/// A file that holds one program.
pub(super) fn one_file(compiled: &Compiled, program: &Program) -> Vec<u8> {
    let text = compiled.print_lines(program, COLUMNS);
    format!("{text}\n").into_bytes()
}

/// An object for each improvement.
fn trajectory(compiled: &Compiled, attempt: &Attempt) -> String {
    let lines = attempt.report.trajectory.iter().map(|step| {
        let line = json!({
            "evaluations": step.evaluations,
            "seconds": step.seconds,
            "score": step.score,
            "size": step.program.size(),
            "program": compiled.print(&step.program),
        });
        format!("{line}\n")
    });
    lines.collect()
}

/// What was drawn at a time.
struct Step {
    seconds: f64,
    picture: Picture,
}

/// The pictures of the trajectory, as many as are shown, and what came of them in the end.
fn steps(compiled: &Compiled, attempt: &Attempt) -> Vec<Step> {
    let all = &attempt.report.trajectory;
    let shown = spread(all.len(), FRAMES - 1);
    let drawn = |program: &Program| draw(compiled, program).ok();
    let mut steps: Vec<Step> = shown
        .into_iter()
        .filter_map(|at| {
            Some(Step {
                seconds: all[at].seconds,
                picture: drawn(&all[at].program)?,
            })
        })
        .collect();
    if steps
        .last()
        .is_none_or(|last| last.picture != attempt.picture)
    {
        steps.push(Step {
            seconds: attempt.seconds,
            picture: attempt.picture.clone(),
        });
    }
    steps
}

/// At most `most` of `count` numbers, the first and the last among them, evenly spread.
fn spread(count: usize, most: usize) -> Vec<usize> {
    if count <= most {
        return (0..count).collect();
    }
    let last = most.max(2) - 1;
    (0..=last).map(|at| at * (count - 1) / last).collect()
}

/// Some of the steps in rows, and the target.
fn filmstrip(target: &Picture, steps: &[Step]) -> Picture {
    let shown = spread(steps.len(), STRIP.0 - 1);
    let labels: Vec<String> = shown
        .iter()
        .map(|at| format!("{} s", short(steps[*at].seconds)))
        .collect();
    let frames = shown.iter().zip(&labels);
    let mut panels: Vec<(&str, &Picture)> = frames
        .map(|(at, label)| (label.as_str(), &steps[*at].picture))
        .collect();
    panels.push(("target", target));
    panels::sheet(&panels, STRIP.1)
}

/// The steps beside the target, one after the other.
fn film(target: &Picture, steps: &[Step]) -> Option<Vec<u8>> {
    let frames: Vec<Picture> = steps
        .iter()
        .map(|step| panels::side_by_side(&[("target", target), ("search", &step.picture)]))
        .collect();
    animation(&frames, DELAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_spread_from_first_to_last() {
        assert_eq!(spread(0, 5), [0; 0]);
        assert_eq!(spread(3, 5), [0, 1, 2]);
        assert_eq!(spread(9, 5), [0, 2, 4, 6, 8]);
        assert_eq!(spread(100, 2), [0, 99]);
        assert_eq!(spread(100, 1), [0, 99]);
    }
}
