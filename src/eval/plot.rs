//! The share solved over time as a picture.
//!
//! In: [`Record`]s, a title. Out: SVG text that needs nothing else, for light and dark pages. Time runs
//! on a logarithmic axis, because the first hundredth of a second matters as much as the last ten.

use std::fmt::Write;

use super::attempt::Record;
use super::summary::short;
use crate::codegen::html::escape;
use crate::render::svg::number;

/// Of the picture, and of the axes within it.
const SIZE: [f64; 2] = [760.0, 440.0];
const LEFT: f64 = 64.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 78.0;
const BOTTOM: f64 = 58.0;

const STYLE: &str = "
    svg { color-scheme: light dark; --paper: #fff; --text: #1b1f24; --soft: #5b6570; --line: #e4e7eb; --curve: #0b62c4 }
    @media (prefers-color-scheme: dark) { svg { --paper: #14171b; --text: #e6e9ec; --soft: #9aa5b1; --line: #2b3138; --curve: #78b4ff } }
    text { font: 13px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; fill: var(--soft) }
    .title { font-size: 18px; font-weight: 600; fill: var(--text) }
    .paper { fill: var(--paper) }
    .line { stroke: var(--line); fill: none }
    .curve { stroke: var(--curve); stroke-width: 2.5; fill: none; stroke-linejoin: round }
    .under { fill: var(--curve); opacity: .09 }
    .dot { fill: var(--curve) }
    .mark { fill: var(--text); font-weight: 600 }
";

/// Share of the targets solved within a time, up to `limit` seconds.
pub fn solved_over_time(title: &str, records: &[Record], limit: Option<f64>) -> String {
    let solved = records.iter().filter(|record| record.solved);
    let mut times: Vec<f64> = solved.map(|record| record.seconds).collect();
    times.sort_by(f64::total_cmp);
    let slowest = records.iter().map(|r| r.seconds).fold(0.0, f64::max);
    let axes = Axes::new(times.first().copied(), limit.unwrap_or(slowest));
    let share = |solved: usize| solved as f64 / records.len().max(1) as f64;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" \
         role=\"img\">\n  <title>{title}: share solved over time</title>\n  <style>{STYLE}  </style>\n  \
         <rect class=\"paper\" width=\"{w}\" height=\"{h}\"/>\n  <text class=\"title\" x=\"{LEFT}\" \
         y=\"32\">{title}</text>\n  <text x=\"{LEFT}\" y=\"54\">{} of {} solved; share over wall-clock \
         seconds</text>\n",
        times.len(),
        records.len(),
        title = escape(title),
        w = SIZE[0],
        h = SIZE[1],
    );
    axes.draw(&mut out);
    // A step up for each target.
    let at = |time: f64, share: f64| format!("{} {}", num(axes.x(time)), num(axes.y(share)));
    let mut path = format!("M{}", at(axes.from, 0.0));
    for (nth, time) in times.iter().enumerate() {
        let (x, y) = (num(axes.x(*time)), num(axes.y(share(nth + 1))));
        let _ = write!(path, "H{x}V{y}");
    }
    let _ = write!(path, "H{}", num(axes.x(axes.to)));
    let floor = num(axes.y(0.0));
    let _ = write!(
        out,
        "  <path class=\"under\" d=\"{path}V{floor}Z\"/>\n  <path class=\"curve\" d=\"{path}\"/>\n"
    );
    // The whole powers of ten are told in figures.
    for time in axes.powers().chain([axes.to]) {
        let y = share(times.partition_point(|t| *t <= time));
        let label = format!("{} %", number(100.0 * y, 1));
        let (x, y) = (axes.x(time), axes.y(y));
        // To the left of the curve, which rises; below it where it is at the top.
        let (left, up) = match y < TOP + 20.0 {
            true => (8.0, 20.0),
            false => (6.0, -8.0),
        };
        let _ = writeln!(
            out,
            "  <circle class=\"dot\" cx=\"{}\" cy=\"{}\" r=\"3.5\"/>\n  <text class=\"mark\" x=\"{}\" y=\"{}\" \
             text-anchor=\"end\">{label}</text>",
            num(x),
            num(y),
            num(x - left),
            num(y + up)
        );
    }
    out.push_str("</svg>\n");
    out
}

fn num(x: f64) -> String {
    number(x, 1)
}

/// Time across by powers of ten, share upwards.
struct Axes {
    from: f64,
    to: f64,
}

impl Axes {
    fn new(first: Option<f64>, last: f64) -> Axes {
        let to = if last > 0.0 && last.is_finite() {
            last
        } else {
            1.0
        };
        let first = first.unwrap_or(to).clamp(1e-6, to);
        // From a power of ten that leaves all of the curve in sight, two powers at least.
        let from = libm::pow(
            10.0,
            libm::floor(libm::log10(first)).min(libm::floor(libm::log10(to)) - 2.0),
        );
        Axes { from, to }
    }

    fn x(&self, time: f64) -> f64 {
        let at = libm::log(time.max(self.from) / self.from) / libm::log(self.to / self.from);
        LEFT + at.clamp(0.0, 1.0) * (SIZE[0] - LEFT - RIGHT)
    }

    fn y(&self, share: f64) -> f64 {
        SIZE[1] - BOTTOM - share * (SIZE[1] - TOP - BOTTOM)
    }

    /// The powers of ten between the ends.
    fn powers(&self) -> impl Iterator<Item = f64> + '_ {
        let first = libm::round(libm::log10(self.from)) as i32;
        (first + 1..40)
            .map(|power| libm::pow(10.0, f64::from(power)))
            .take_while(|power| *power < self.to * 0.7)
    }

    fn draw(&self, out: &mut String) {
        for fifth in 0..=5 {
            let share = f64::from(fifth) / 5.0;
            let (y, right) = (self.y(share), SIZE[0] - RIGHT);
            let _ = writeln!(
                out,
                "  <path class=\"line\" d=\"M{LEFT} {y}H{right}\"/>\n  <text x=\"{}\" y=\"{}\" \
                 text-anchor=\"end\">{} %</text>",
                LEFT - 10.0,
                num(y + 4.5),
                20 * fifth,
                y = num(y),
            );
        }
        let (top, floor) = (num(self.y(1.0)), num(self.y(0.0)));
        for time in [self.from]
            .into_iter()
            .chain(self.powers())
            .chain([self.to])
        {
            let x = self.x(time);
            let anchor = if time == self.to { "end" } else { "middle" };
            let _ = writeln!(
                out,
                "  <path class=\"line\" d=\"M{x} {top}V{floor}\"/>\n  <text x=\"{x}\" y=\"{}\" \
                 text-anchor=\"{anchor}\">{} s</text>",
                num(SIZE[1] - BOTTOM + 24.0),
                short(time),
                x = num(x),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(solved: bool, seconds: f64) -> Record {
        Record {
            solved,
            seconds,
            ..Record::default()
        }
    }

    #[test]
    fn the_curve_rises_with_every_target() {
        let records = [record(true, 0.02), record(true, 0.3), record(false, 10.0)];
        let svg = solved_over_time("a < b", &records, Some(10.0));
        assert!(svg.contains("a &lt; b") && !svg.contains("a < b"));
        let curve = svg.lines().find(|line| line.contains("\"curve\"")).unwrap();
        assert_eq!(curve.matches('V').count(), 2, "{curve}");
        // A third, two thirds, in figures at the powers of ten.
        assert!(
            svg.contains(">33.3 %<") && svg.contains(">66.7 %<"),
            "{svg}"
        );
        for records in [&[][..], &[record(true, 0.0)], &[record(false, 0.0)]] {
            let svg = solved_over_time("", records, None);
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }
}
