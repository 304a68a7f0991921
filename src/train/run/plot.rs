//! A run's curves: its loss, and how much comes out right.
//!
//! In: [`Row`]s. Out: SVG text that needs nothing else, for light and dark pages; the same curves as a PNG. Afterwards
//! there are no more points than a picture shows: rows in between are averaged.

use std::fmt::Write;

use super::metrics::Row;

use crate::grammar::ir::{Canvas, CanvasMode};
use crate::render::image::encode_png;
use crate::render::svg::{escape, number};
use crate::render::{panels, raster};

/// Of each of the two charts, axes included.
const SIZE: [f64; 2] = [760.0, 300.0];
const LEFT: f64 = 64.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 34.0;
const HEAD: f64 = 56.0;
/// Points of a curve at most.
const POINTS: usize = 300;

const STYLE: &str = "
    svg { color-scheme: light dark; --paper: #fff; --text: #1b1f24; --soft: #5b6570; --line: #e4e7eb; --a: #0b62c4; --b: #b3470e; --c: #1c7c3c }
    @media (prefers-color-scheme: dark) { svg { --paper: #14171b; --text: #e6e9ec; --soft: #9aa5b1; --line: #2b3138; --a: #78b4ff; --b: #ffab78; --c: #7bd695 } }
    text { font: 13px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; fill: var(--soft) }
    .title { font-size: 18px; font-weight: 600; fill: var(--text) }
    .paper { fill: var(--paper) }
    .line { stroke: var(--line); fill: none }
    .curve { stroke-width: 2; fill: none; stroke-linejoin: round }
    .apart { stroke-dasharray: 5 4 }
    .a { stroke: var(--a) } .b { stroke: var(--b) } .c { stroke: var(--c) }
";

/// A curve: its name, its class, whether it is of examples kept apart, its points.
struct Curve {
    name: &'static str,
    class: char,
    apart: bool,
    points: Vec<(f64, f64)>,
}

/// One of the two charts.
struct Chart {
    curves: Vec<Curve>,
    /// The last step.
    last: f64,
    /// The lowest and the highest value; logarithmic for losses.
    range: (f64, f64),
    logarithmic: bool,
}

fn charts(rows: &[Row]) -> [Chart; 2] {
    let last = rows.last().map_or(1.0, |row| row.step.max(1) as f64);
    let of = |get: &dyn Fn(&Row) -> Option<f64>| {
        let points: Vec<(f64, f64)> = rows
            .iter()
            .filter_map(|row| Some((row.step as f64, get(row).filter(|y| y.is_finite())?)))
            .collect();
        thinned(&points)
    };
    let curve = |name, class, apart, points| Curve {
        name,
        class,
        apart,
        points,
    };
    let apart = |get: fn(&super::HeldOut) -> Option<f64>| {
        of(&move |row: &Row| row.held_out.as_ref().and_then(get))
    };
    let loss = vec![
        curve("loss", 'a', false, of(&|row| Some(row.loss))),
        curve("held out", 'b', true, apart(|h| Some(h.loss))),
    ];
    let right = vec![
        curve("position", 'a', false, of(&|row| row.position_accuracy)),
        curve("", 'a', true, apart(|h| h.position_accuracy)),
        curve("token", 'b', false, of(&|row| row.token_accuracy)),
        curve("", 'b', true, apart(|h| h.token_accuracy)),
        curve("whole", 'c', false, of(&|row| row.whole_accuracy)),
        curve("", 'c', true, apart(|h| h.whole_accuracy)),
    ];
    let values = loss.iter().flat_map(|c| &c.points).map(|p| p.1);
    let above = values.filter(|y| *y > 0.0);
    let (low, high) = above.fold((f64::MAX, 0.0f64), |(low, high), y| {
        (low.min(y), high.max(y))
    });
    let range = match low <= high {
        true => (low * 0.9, high * 1.1),
        false => (0.1, 1.0),
    };
    let chart = |curves, range, logarithmic| Chart {
        curves,
        last,
        range,
        logarithmic,
    };
    [chart(loss, range, true), chart(right, (0.0, 1.0), false)]
}

/// At most [`POINTS`] points, each the mean of as many.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let each = points.len().div_ceil(POINTS).max(1);
    let mean = |part: &[(f64, f64)]| {
        let sum = part.iter().map(|p| p.1).sum::<f64>();
        let x = part.last().map_or(0.0, |p| p.0);
        (x, sum / part.len().max(1) as f64)
    };
    points.chunks(each).map(mean).collect()
}

impl Chart {
    fn x(&self, step: f64) -> f64 {
        LEFT + (step / self.last).clamp(0.0, 1.0) * (SIZE[0] - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        let (low, high) = self.range;
        let at = match self.logarithmic {
            true => libm::log(value.max(low) / low) / libm::log(high / low),
            false => (value - low) / (high - low),
        };
        SIZE[1] - BOTTOM - at.clamp(0.0, 1.0) * (SIZE[1] - TOP - BOTTOM)
    }

    fn path(&self, curve: &Curve) -> String {
        let mut out = String::new();
        for (i, (x, y)) in curve.points.iter().enumerate() {
            let letter = if i == 0 { 'M' } else { 'L' };
            let _ = write!(out, "{letter}{} {}", num(self.x(*x)), num(self.y(*y)));
        }
        // A single point is shown as a dash.
        if curve.points.len() == 1 {
            out.push_str("h6");
        }
        out
    }

    /// Where lines go across, and what stands beside them.
    fn ticks(&self) -> Vec<(f64, String)> {
        if !self.logarithmic {
            let fifth = |i: u32| (f64::from(i) / 5.0, format!("{} %", 20 * i));
            return (0..=5).map(fifth).collect();
        }
        let (low, high) = self.range;
        let part = |i: u32| low * libm::pow(high / low, f64::from(i) / 4.0);
        (0..=4).map(|i| (part(i), short(part(i)))).collect()
    }
}

/// The curves of a run.
pub fn svg(title: &str, rows: &[Row]) -> String {
    let [width, height] = [SIZE[0], HEAD + 2.0 * SIZE[1]];
    let about = rows.last().map_or(String::new(), |row| {
        format!(
            "step {}, {} examples, {} s; solid: training, dashed: held out",
            row.step,
            row.examples,
            number(row.seconds, 0)
        )
    });
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\">\n  <title>{title}</title>\n  <style>{STYLE}  </style>\n  \
         <rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>\n  <text class=\"title\" x=\"{LEFT}\" \
         y=\"28\">{title}</text>\n  <text x=\"{LEFT}\" y=\"48\">{about}</text>\n",
        title = escape(title),
    );
    for (nth, chart) in charts(rows).iter().enumerate() {
        let down = HEAD + nth as f64 * SIZE[1];
        let _ = writeln!(out, "  <g transform=\"translate(0 {down})\">");
        for (value, label) in chart.ticks() {
            let y = chart.y(value);
            let _ = writeln!(
                out,
                "    <path class=\"line\" d=\"M{LEFT} {}H{}\"/><text x=\"{}\" y=\"{}\" text-anchor=\"end\">{label}</text>",
                num(y),
                SIZE[0] - RIGHT,
                LEFT - 10.0,
                num(y + 4.5),
            );
        }
        for quarter in 0..=4u32 {
            let step = chart.last * f64::from(quarter) / 4.0;
            let _ = writeln!(
                out,
                "    <text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                num(chart.x(step)),
                SIZE[1] - BOTTOM + 22.0,
                number(step, 0)
            );
        }
        let mut labels = Vec::new();
        for curve in chart.curves.iter().filter(|c| !c.points.is_empty()) {
            let apart = if curve.apart { " apart" } else { "" };
            let _ = writeln!(
                out,
                "    <path class=\"curve {}{apart}\" d=\"{}\"/>",
                curve.class,
                chart.path(curve)
            );
            if let Some((_, value)) = curve.points.last().filter(|_| !curve.name.is_empty()) {
                let value = match chart.logarithmic {
                    true => short(*value),
                    false => format!("{} %", number(100.0 * value, 1)),
                };
                labels.push((
                    chart.y(curve.points.last().map_or(0.0, |p| p.1)),
                    curve.name,
                    value,
                ));
            }
        }
        // Labels keep apart from each other, from top to bottom.
        labels.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut free = f64::MIN;
        for (y, name, value) in labels {
            let y = y.max(free);
            free = y + 16.0;
            let _ = writeln!(
                out,
                "    <text x=\"{}\" y=\"{}\">{name} {value}</text>",
                SIZE[0] - RIGHT + 8.0,
                num(y + 4.5),
            );
        }
        out.push_str("  </g>\n");
    }
    out.push_str("</svg>\n");
    out
}

/// The same curves as a PNG, with the last values in words; none before there are rows.
pub fn png(rows: &[Row]) -> Option<Vec<u8>> {
    let canvas = Canvas {
        width: SIZE[0] as u32,
        height: SIZE[1] as u32,
        mode: CanvasMode::Rgb {
            background: [255; 3],
        },
        centred: false,
    };
    let row = rows.last()?;
    let percent = |share: Option<f64>| share.map_or("-".to_owned(), |s| number(100.0 * s, 1));
    let labels = [
        format!("step {}  loss {}", row.step, short(row.loss)),
        format!(
            "position {} %  token {} %  whole {} %",
            percent(row.position_accuracy),
            percent(row.token_accuracy),
            percent(row.whole_accuracy)
        ),
    ];
    let mut pictures = Vec::new();
    for chart in charts(rows) {
        let mut text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\">\
             <rect width=\"{w}\" height=\"{h}\" fill=\"#fff\"/>",
            w = SIZE[0],
            h = SIZE[1]
        );
        for (value, _) in chart.ticks() {
            let (y, right) = (num(chart.y(value)), SIZE[0] - RIGHT);
            let _ = write!(text, "<path d=\"M{LEFT} {y}H{right}\" stroke=\"#e4e7eb\"/>");
        }
        for curve in chart.curves.iter().filter(|c| !c.points.is_empty()) {
            let color = match curve.class {
                'a' => "#0b62c4",
                'b' => "#b3470e",
                _ => "#1c7c3c",
            };
            let dash = if curve.apart {
                " stroke-dasharray=\"5 4\""
            } else {
                ""
            };
            let path = chart.path(curve);
            let _ = write!(
                text,
                "<path d=\"{path}\" stroke=\"{color}\" stroke-width=\"2\" fill=\"none\"{dash}/>"
            );
        }
        text.push_str("</svg>");
        pictures.push(raster::svg_pixels(&text, &canvas).ok()?);
    }
    let shown: Vec<_> = labels.iter().map(String::as_str).zip(&pictures).collect();
    Some(encode_png(&panels::sheet(&shown, 1)))
}

fn num(x: f64) -> String {
    number(x, 1)
}

/// Three digits.
fn short(value: f64) -> String {
    let digits = match value {
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 1.0 => 2,
        v if v >= 0.1 => 3,
        _ => 5,
    };
    number(value, digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::run::HeldOut;

    fn rows(count: u64) -> Vec<Row> {
        let row = |i: u64| Row {
            step: 10 * i,
            loss: 5.0 / i as f64,
            position_accuracy: Some(1.0 - 1.0 / i as f64),
            token_accuracy: Some(0.5),
            held_out: i.is_multiple_of(3).then_some(HeldOut {
                loss: 4.0,
                ..HeldOut::default()
            }),
            ..Row::default()
        };
        (1..=count).map(row).collect()
    }

    #[test]
    fn curves_are_drawn_with_few_points() {
        let text = svg("a < b", &rows(1000));
        assert!(text.contains("a &lt; b") && !text.contains("a < b"));
        let curves: Vec<&str> = text.lines().filter(|l| l.contains("\"curve")).collect();
        // Losses, places and tokens; nothing is said of whole ones.
        assert_eq!(curves.len(), 4, "{text}");
        assert!(curves.iter().all(|c| c.matches('L').count() < POINTS));
        assert!(text.contains("step 10000") && text.contains("token 50 %"));
    }

    #[test]
    fn there_is_a_picture_of_every_record() {
        for rows in [rows(0), rows(1), rows(4)] {
            let text = svg("t", &rows);
            assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
            assert_eq!(png(&rows).is_some(), !rows.is_empty());
        }
        let wrong = [Row {
            loss: f64::NAN,
            ..Row::default()
        }];
        assert!(!svg("t", &wrong).contains("NaN"));
    }
}
