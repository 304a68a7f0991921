//! The front of size against error as files and as a table.
//!
//! In: a report with a front. Out: [`Row`]s, the files of the folder `pareto`: for each size the program,
//! its SVG and its picture, `front.json`, `front.svg` (size against error, with the pictures) and
//! `sheet.png`. Afterwards the rows are in the order of their sizes, and each program's picture is
//! the reference picture.

use std::fmt::Write;

use serde::Serialize;

use super::attempt::{AttemptError, draw};
use super::folder::one_file;
use super::{primitives, sheet};
use crate::codegen::html::escape;
use crate::compiled::Compiled;
use crate::render::image::encode_png;
use crate::render::svg::{self, SvgOptions, number};
use crate::render::{Picture, metric, panels};
use crate::scene::eval::lower;
use crate::search::Report;

/// A size and the best program of it.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Its size, as the grammar counts.
    pub size: u32,
    /// The search's score: wrong pixels; for a sketch a distance.
    pub score: f64,
    /// Whether it meets the goal.
    pub solved: bool,
    /// What the goal measures, where the target tells it.
    pub metric: Option<f64>,
    /// Intersection over union of the ink.
    pub iou: Option<f64>,
    /// `@primitive` nodes of the program.
    pub primitives: usize,
    /// Nodes of the program.
    pub nodes: usize,
    /// The program.
    pub program: String,
    /// What its files are called, before the ending.
    pub file: String,
    /// What it draws.
    #[serde(skip)]
    pub picture: Picture,
}

/// The rows of a report's front.
///
/// # Errors
///
/// When a program cannot be drawn.
pub fn rows(
    compiled: &Compiled,
    target: &Picture,
    report: &Report,
) -> Result<Vec<Row>, AttemptError> {
    let grammar = &compiled.grammar;
    // What is observed does not tell every pixel.
    let truth = grammar.observe.is_none().then_some(target);
    let row = |point: &crate::search::front::Point| {
        let picture = draw(compiled, &point.program)?;
        let iou = truth.map(|truth| metric::iou(&picture, truth));
        let by_goal = match (&grammar.goal, truth) {
            (Some(goal), Some(truth)) => Some(metric::goal_score(goal, &picture, truth)),
            _ => iou,
        };
        Ok(Row {
            size: point.size,
            score: point.score,
            solved: point.solved,
            metric: by_goal,
            iou,
            primitives: primitives(grammar, &point.program),
            nodes: point.program.len(),
            program: compiled.print(&point.program),
            file: format!("size-{}", point.size),
            picture,
        })
    };
    report.front.iter().map(row).collect()
}

/// The rows as lines: size, error, what the goal measures, program. A star is where the goal is met.
pub fn table(rows: &[Row]) -> String {
    let measured = rows.iter().any(|row| row.metric.is_some());
    let head = if measured { "    goal " } else { "" };
    let mut out = format!("{:>5}  {:>9}{head}  program\n", "size", "wrong");
    for row in rows {
        let star = if row.solved { "*" } else { " " };
        let metric = match row.metric {
            Some(metric) => format!("  {metric:.4}{star}"),
            None if measured => " ".repeat(9),
            None => String::new(),
        };
        let _ = writeln!(
            out,
            "{:>5}  {:>9.1}{metric}  {}",
            row.size, row.score, row.program
        );
    }
    out
}

/// The names and bytes of the files in `pareto`.
///
/// # Errors
///
/// When a program cannot be drawn.
pub fn files(
    compiled: &Compiled,
    title: &str,
    target: &Picture,
    rows: &[Row],
    options: &SvgOptions,
) -> Result<Vec<(String, Vec<u8>)>, AttemptError> {
    let mut out = Vec::new();
    for row in rows {
        let Ok(program) = compiled.parse(&row.program) else {
            continue;
        };
        let scene = lower(&compiled.grammar, &program)?;
        let options = SvgOptions {
            title: Some(row.program.clone()),
            ..options.clone()
        };
        let svg = svg::write(&scene, &options)?;
        out.push((format!("{}.txt", row.file), one_file(compiled, &program)));
        out.push((format!("{}.svg", row.file), svg.into_bytes()));
        out.push((format!("{}.png", row.file), encode_png(&row.picture)));
    }
    let json = serde_json::to_string_pretty(rows).unwrap_or_default();
    out.push(("front.json".to_owned(), format!("{json}\n").into_bytes()));
    out.push(("front.svg".to_owned(), plot(title, rows).into_bytes()));
    out.push(("sheet.png".to_owned(), encode_png(&contact(target, rows))));
    Ok(out)
}

/// The pictures in rows, the target first.
fn contact(target: &Picture, rows: &[Row]) -> Picture {
    let labels: Vec<String> = rows
        .iter()
        .map(|row| match row.metric {
            Some(metric) => format!("{}: {metric:.4}", row.size),
            None => format!("{}: {:.1}", row.size, row.score),
        })
        .collect();
    let mut panels = vec![("target", target)];
    let pictures = rows.iter().map(|row| &row.picture);
    panels.extend(labels.iter().map(String::as_str).zip(pictures));
    panels::sheet(&panels, 6)
}

/// Of the plot, of its axes within it, and of a small picture.
const SIZE: [f64; 2] = [760.0, 500.0];
const LEFT: f64 = 76.0;
const RIGHT: f64 = 40.0;
const TOP: f64 = 78.0;
const BOTTOM: f64 = 140.0;
const SMALL: f64 = 56.0;

const STYLE: &str = "
    svg { color-scheme: light dark; --paper: #fff; --text: #1b1f24; --soft: #5b6570; --line: #e4e7eb; --curve: #0b62c4 }
    @media (prefers-color-scheme: dark) { svg { --paper: #14171b; --text: #e6e9ec; --soft: #9aa5b1; --line: #2b3138; --curve: #78b4ff } }
    text { font: 13px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; fill: var(--soft) }
    .title { font-size: 18px; font-weight: 600; fill: var(--text) }
    .paper { fill: var(--paper) }
    .line { stroke: var(--line); fill: none }
    .curve { stroke: var(--curve); stroke-width: 2.5; fill: none; stroke-linejoin: round }
    .dot { fill: var(--curve) }
    .met { fill: var(--paper); stroke: var(--curve); stroke-width: 3 }
    .mark { fill: var(--text); font-weight: 600 }
";

/// Size across, error upwards by powers of ten, the pictures below.
pub fn plot(title: &str, rows: &[Row]) -> String {
    let [w, h] = SIZE;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" \
         role=\"img\">\n  <title>{title}: size against error</title>\n  <style>{STYLE}  </style>\n  \
         <rect class=\"paper\" width=\"{w}\" height=\"{h}\"/>\n  <text class=\"title\" x=\"{LEFT}\" \
         y=\"32\">{title}</text>\n  <text x=\"{LEFT}\" y=\"54\">wrong pixels over size; a ring: the goal \
         is met</text>\n",
        title = escape(title),
    );
    let axes = Axes::new(rows);
    axes.draw(&mut out);
    // From one size to the next the smaller program is the best there is.
    let mut path = String::new();
    for (nth, row) in rows.iter().enumerate() {
        let (x, y) = (num(axes.x(row.size)), num(axes.y(row.score)));
        let _ = match nth {
            0 => write!(path, "M{x} {y}"),
            _ => write!(path, "H{x}V{y}"),
        };
    }
    let _ = writeln!(out, "  <path class=\"curve\" d=\"{path}\"/>");
    let mut free = f64::NEG_INFINITY;
    for row in rows {
        let (x, y) = (axes.x(row.size), axes.y(row.score));
        let (class, r) = match row.solved {
            true => ("met", 5),
            false => ("dot", 4),
        };
        let label = match row.metric {
            Some(metric) => format!("{metric:.3}"),
            None => number(row.score, 0),
        };
        let _ = writeln!(
            out,
            "  <circle class=\"{class}\" cx=\"{}\" cy=\"{}\" r=\"{r}\"><title>{}</title></circle>",
            num(x),
            num(y),
            escape(&row.program)
        );
        // As many as there is room for.
        if x - SMALL / 2.0 < free {
            continue;
        }
        free = x + SMALL / 2.0 + 4.0;
        let scale = SMALL / f64::from(row.picture.width.max(row.picture.height).max(1));
        let [pw, ph] = [row.picture.width, row.picture.height].map(|n| f64::from(n) * scale);
        let _ = writeln!(
            out,
            "  <text class=\"mark\" x=\"{9}\" y=\"{1}\">{label}</text>\n  <image \
             x=\"{2}\" y=\"{3}\" width=\"{4}\" height=\"{5}\" href=\"{6}\"/>\n  <rect class=\"line\" x=\"{2}\" \
             y=\"{3}\" width=\"{4}\" height=\"{5}\"/>\n  <text x=\"{0}\" y=\"{7}\" \
             text-anchor=\"middle\">{8}</text>",
            num(x),
            num(y - 8.0),
            num(x - pw / 2.0),
            num(h - BOTTOM + 34.0),
            num(pw),
            num(ph),
            sheet::inside(&row.picture),
            num(h - BOTTOM + 22.0),
            row.size,
            num(x + 7.0),
        );
    }
    let _ = writeln!(
        out,
        "  <text x=\"{}\" y=\"{}\" text-anchor=\"end\">size</text>\n</svg>",
        num(w - RIGHT),
        num(h - BOTTOM + 40.0 + SMALL + 18.0)
    );
    out
}

fn num(x: f64) -> String {
    number(x, 1)
}

struct Axes {
    sizes: [f64; 2],
    /// Powers of ten.
    errors: [i32; 2],
}

impl Axes {
    fn new(rows: &[Row]) -> Axes {
        let size = |row: Option<&Row>| row.map_or(0.0, |row| f64::from(row.size));
        let (first, last) = (size(rows.first()), size(rows.last()));
        let scores = || rows.iter().map(|row| row.score.max(0.1));
        let power = |x: f64| libm::log10(x.clamp(0.1, 1e12));
        let low = libm::floor(power(scores().fold(f64::INFINITY, f64::min))) as i32;
        let high = libm::ceil(power(scores().fold(0.1, f64::max))) as i32;
        Axes {
            sizes: [first, last.max(first + 1.0)],
            errors: [low.min(high - 1), high],
        }
    }

    fn x(&self, size: u32) -> f64 {
        let [first, last] = self.sizes;
        // Room for half a picture at both ends.
        let (left, right) = (LEFT + SMALL / 2.0 + 6.0, SIZE[0] - RIGHT - SMALL / 2.0);
        left + (f64::from(size) - first) / (last - first) * (right - left)
    }

    fn y(&self, error: f64) -> f64 {
        let [low, high] = self.errors.map(f64::from);
        let at = (libm::log10(error.max(1e-9)) - low) / (high - low);
        SIZE[1] - BOTTOM - at.clamp(0.0, 1.0) * (SIZE[1] - TOP - BOTTOM)
    }

    fn draw(&self, out: &mut String) {
        for power in self.errors[0]..=self.errors[1] {
            let error = libm::pow(10.0, f64::from(power));
            let y = self.y(error);
            let _ = writeln!(
                out,
                "  <path class=\"line\" d=\"M{LEFT} {}H{}\"/>\n  <text x=\"{}\" y=\"{}\" \
                 text-anchor=\"end\">{}</text>",
                num(y),
                num(SIZE[0] - RIGHT),
                num(LEFT - 10.0),
                num(y + 4.5),
                number(error, 1),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(size: u32, score: f64, solved: bool) -> Row {
        Row {
            size,
            score,
            solved,
            metric: Some(0.5),
            iou: None,
            primitives: 1,
            nodes: 1,
            program: format!("<{size}>"),
            file: String::new(),
            picture: Picture::filled(8, 4, 1, 0),
        }
    }

    #[test]
    fn any_front_is_plotted() {
        let all = [
            vec![],
            vec![row(1, 0.0, true)],
            vec![row(3, 1e9, false), row(100_000, 0.0, true)],
            (1..200)
                .map(|n| row(n, 500.0 - f64::from(n), n > 9))
                .collect(),
        ];
        for rows in &all {
            let svg = plot("a < b", rows);
            assert!(svg.contains("a &lt; b") && !svg.contains("<1>"));
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
            let met = rows.iter().filter(|row| row.solved).count();
            assert_eq!(svg.matches("class=\"met\"").count(), met);
            // Pictures do not lie over each other.
            assert!(svg.matches("<image").count() <= 12);
            assert_eq!(table(rows).lines().count(), rows.len() + 1);
        }
    }

    #[test]
    fn the_curve_falls_by_steps() {
        let svg = plot(
            "",
            &[row(1, 100.0, false), row(2, 10.0, false), row(5, 1.0, true)],
        );
        let curve = svg
            .lines()
            .find(|line| line.contains("\"curve\""))
            .expect("a curve");
        assert_eq!(curve.matches('H').count(), 2, "{curve}");
        assert_eq!(svg.matches("<image").count(), 3);
    }
}
