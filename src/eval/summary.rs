//! How a solver did on many targets.
//!
//! In: [`Record`]s. Out: [`Summary`]: the share solved within each of a row of times, medians, how short
//! programs are; as JSON and as a table. Afterwards a target that was not solved counts as one that
//! takes for ever. Times are wall-clock times.

use std::fmt::Write;

use serde::Serialize;

use super::attempt::Record;

/// Digits of the times that are asked about, in every power of ten.
const STEPS: [u8; 2] = [1, 3];
/// The least of them in seconds, as a power of ten.
const FIRST: i32 = -2;
/// Least evaluations that are asked about, as a power of ten.
const FIRST_EVALUATIONS: i32 = 3;
/// The same of expansions.
const FIRST_EXPANSIONS: i32 = 1;
/// Cells of a full bar.
const BAR: f64 = 30.0;

/// How many were solved within a limit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Within {
    /// Seconds, evaluations or expansions.
    pub limit: f64,
    /// Targets solved within.
    pub solved: usize,
    /// Their share of all.
    pub share: f64,
}

/// How a solver did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Number of targets.
    pub targets: usize,
    /// Of them solved.
    pub solved: usize,
    /// Their share.
    pub share: f64,
    /// What `seconds` counts.
    pub clock: &'static str,
    /// The share solved within so many seconds.
    pub within_seconds: Vec<Within>,
    /// The share solved within so many evaluations.
    pub within_evaluations: Vec<Within>,
    /// The share solved within so many expansions; empty unless asked for ([`Summary::with_expansions`]).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub within_expansions: Vec<Within>,
    /// Half of the targets are solved within; `None` when fewer than half are.
    pub median_seconds: Option<f64>,
    /// Nine of ten are solved within.
    pub p90_seconds: Option<f64>,
    /// Half of the targets are solved within so many evaluations.
    pub median_evaluations: Option<f64>,
    /// Seconds of all searches together.
    pub total_seconds: f64,
    /// Mean of what the goal measures, over all targets that have it.
    pub mean_metric: Option<f64>,
    /// Mean intersection over union.
    pub mean_iou: Option<f64>,
    /// Mean number of primitives of what was found.
    pub mean_primitives: Option<f64>,
    /// Mean number of primitives of the true programs, where they are known.
    pub mean_true_primitives: Option<f64>,
    /// Of the solved targets whose true program is known: the share for which what was found has no
    /// more primitives.
    pub no_longer: Option<f64>,
}

impl Summary {
    /// With the share solved within so many expansions. `limit` is how many each search had.
    pub fn with_expansions(mut self, records: &[Record], limit: Option<u64>) -> Summary {
        let solved = records.iter().filter(|record| record.solved);
        let mut expansions: Vec<f64> = solved.map(|r| r.expansions as f64).collect();
        expansions.sort_by(f64::total_cmp);
        let most = records.iter().map(|r| r.expansions).max().unwrap_or(0);
        let limits = limits(FIRST_EXPANSIONS, limit.unwrap_or(most) as f64);
        self.within_expansions = within(&expansions, records.len(), &limits);
        self
    }
}

/// Sums records up. `limit` is the time that each search had, in seconds.
pub fn summary(records: &[Record], limit: Option<f64>) -> Summary {
    let solved: Vec<&Record> = records.iter().filter(|record| record.solved).collect();
    let mut seconds: Vec<f64> = solved.iter().map(|r| r.seconds).collect();
    let mut evaluations: Vec<f64> = solved.iter().map(|r| r.evaluations as f64).collect();
    seconds.sort_by(f64::total_cmp);
    evaluations.sort_by(f64::total_cmp);
    let slowest = records.iter().map(|r| r.seconds).fold(0.0, f64::max);
    let most = records.iter().map(|r| r.evaluations).max().unwrap_or(0);
    let known: Vec<(usize, usize)> = solved
        .iter()
        .filter_map(|r| r.primitives.zip(r.true_primitives))
        .collect();
    let of = |get: &dyn Fn(&Record) -> Option<f64>| mean(records.iter().filter_map(get));
    Summary {
        targets: records.len(),
        solved: solved.len(),
        share: share(solved.len(), records.len()),
        clock: "wall",
        within_seconds: within(
            &seconds,
            records.len(),
            &limits(FIRST, limit.unwrap_or(slowest)),
        ),
        within_evaluations: within(
            &evaluations,
            records.len(),
            &limits(FIRST_EVALUATIONS, most as f64),
        ),
        within_expansions: Vec::new(),
        median_seconds: quantile(&seconds, records.len(), 0.5),
        p90_seconds: quantile(&seconds, records.len(), 0.9),
        median_evaluations: quantile(&evaluations, records.len(), 0.5),
        total_seconds: records.iter().map(|r| r.total_seconds.max(r.seconds)).sum(),
        mean_metric: of(&|r| r.metric),
        mean_iou: of(&|r| r.iou),
        mean_primitives: of(&|r| r.primitives.map(|n| n as f64)),
        mean_true_primitives: of(&|r| r.true_primitives.map(|n| n as f64)),
        no_longer: match known.len() {
            0 => None,
            n => Some(share(
                known.iter().filter(|(found, truth)| found <= truth).count(),
                n,
            )),
        },
    }
}

fn share(part: usize, of: usize) -> f64 {
    part as f64 / of.max(1) as f64
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), v| (sum + v, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

/// 0.01, 0.03, 0.1 and so on below `last`, then `last` itself.
fn limits(first: i32, last: f64) -> Vec<f64> {
    // Read, not reckoned: 0.3 is 0.3.
    let read = |step: u8, power: i32| format!("{step}e{power}").parse::<f64>().ok();
    let all = (first..40).flat_map(|power| STEPS.into_iter().filter_map(move |s| read(s, power)));
    let mut out: Vec<f64> = all.take_while(|limit| *limit < last * 0.999).collect();
    if last > 0.0 && last.is_finite() {
        out.push(last);
    }
    out
}

fn within(sorted: &[f64], of: usize, limits: &[f64]) -> Vec<Within> {
    let counted = limits.iter().enumerate().map(|(at, limit)| {
        // A search looks at the clock now and then: what was solved at all was within its limit.
        let solved = match at + 1 == limits.len() {
            true => sorted.len(),
            false => sorted.partition_point(|value| value <= limit),
        };
        Within {
            limit: *limit,
            solved,
            share: share(solved, of),
        }
    });
    counted.collect()
}

/// The value that this share of all stays at or below; the others take for ever.
fn quantile(sorted: &[f64], of: usize, at: f64) -> Option<f64> {
    let index = (at * of as f64).ceil() as usize;
    sorted.get(index.checked_sub(1)?).copied()
}

impl Summary {
    /// As a table for people.
    pub fn table(&self) -> String {
        let mut out = String::new();
        let _ = writeln!(out, "{:>10}  {:>12}", "within", "solved");
        for row in &self.within_seconds {
            let bar = "━".repeat((row.share * BAR).round() as usize);
            let line = format!(
                "{:>8} s  {:>5} {:>6.1} %  {bar}",
                short(row.limit),
                row.solved,
                100.0 * row.share
            );
            let _ = writeln!(out, "{}", line.trim_end());
        }
        if !self.within_expansions.is_empty() {
            let _ = writeln!(out, "{:>10}  {:>12}", "expansions", "solved");
        }
        for row in &self.within_expansions {
            let bar = "━".repeat((row.share * BAR).round() as usize);
            let (limit, percent) = (row.limit, 100.0 * row.share);
            let line = format!("{limit:>10}  {:>5} {percent:>6.1} %  {bar}", row.solved);
            let _ = writeln!(out, "{}", line.trim_end());
        }
        let mut facts = vec![format!("{} of {} solved", self.solved, self.targets)];
        if let Some(median) = self.median_seconds {
            facts.push(format!("median {} s", short(median)));
        }
        if let Some(p90) = self.p90_seconds {
            facts.push(format!("nine of ten within {} s", short(p90)));
        }
        let _ = writeln!(out, "{} (wall-clock time)", facts.join(", "));
        let mut facts = Vec::new();
        if let Some(iou) = self.mean_iou {
            facts.push(format!("mean IoU {iou:.4}"));
        }
        if let Some(found) = self.mean_primitives {
            facts.push(format!("{found:.1} primitives on average"));
        }
        if let Some(truth) = self.mean_true_primitives {
            facts.push(format!("{truth:.1} in the true programs"));
        }
        if let Some(no_longer) = self.no_longer {
            let percent = 100.0 * no_longer;
            facts.push(format!(
                "{percent:.1} % of the solved no longer than the true one"
            ));
        }
        if !facts.is_empty() {
            let _ = writeln!(out, "{}", facts.join(", "));
        }
        out
    }
}

/// A number in three digits.
pub(super) fn short(value: f64) -> String {
    match value {
        v if v <= 0.0 || !v.is_finite() => "0".to_owned(),
        v if v >= 100.0 => format!("{v:.0}"),
        v => {
            let digits = (2.0 - libm::floor(libm::log10(v))).clamp(0.0, 6.0) as usize;
            crate::render::svg::number(v, digits)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(solved: bool, seconds: f64, primitives: usize) -> Record {
        Record {
            solved,
            seconds,
            evaluations: (seconds * 1e6) as u64,
            primitives: Some(primitives),
            true_primitives: Some(4),
            iou: Some(if solved { 1.0 } else { 0.5 }),
            ..Record::default()
        }
    }

    #[test]
    fn what_is_not_solved_takes_for_ever() {
        let records = [
            record(true, 0.004, 4),
            record(true, 0.02, 3),
            record(true, 2.0, 5),
            record(false, 10.0, 9),
        ];
        let summary = summary(&records, Some(10.0));
        let rows: Vec<_> = summary
            .within_seconds
            .iter()
            .map(|w| (w.limit, w.solved))
            .collect();
        assert_eq!(
            rows,
            [
                (0.01, 1),
                (0.03, 2),
                (0.1, 2),
                (0.3, 2),
                (1.0, 2),
                (3.0, 3),
                (10.0, 3)
            ]
        );
        assert_eq!(summary.median_seconds, Some(0.02));
        assert_eq!(summary.p90_seconds, None);
        assert_eq!(summary.no_longer, Some(2.0 / 3.0));
        assert_eq!(summary.mean_iou, Some(0.875));
        assert_eq!(summary.within_evaluations[0].limit, 1000.0);
        let table = summary.table();
        assert!(
            table.contains("    0.03 s      2   50.0 %  ━━━━━━━━━━━━━━━\n"),
            "{table}"
        );
        assert!(table.contains("median 0.02 s"), "{table}");
    }

    #[test]
    fn expansions_are_counted_like_times() {
        let mut records = [
            record(true, 1.0, 4),
            record(true, 1.0, 4),
            record(false, 1.0, 4),
        ];
        records[0].expansions = 8;
        records[1].expansions = 70;
        records[2].expansions = 100;
        let summary = summary(&records, None).with_expansions(&records, Some(100));
        let rows = summary.within_expansions.iter();
        let rows: Vec<_> = rows.map(|w| (w.limit, w.solved)).collect();
        assert_eq!(rows, [(10.0, 1), (30.0, 1), (100.0, 2)]);
        let table = summary.table();
        assert!(
            table.contains("\n        30      1   33.3 %  ━━━━━━━━━━\n"),
            "{table}"
        );
    }

    #[test]
    fn nothing_at_all_is_no_trouble() {
        let none = summary(&[], None);
        assert_eq!(
            (none.share, none.median_seconds, none.no_longer),
            (0.0, None, None)
        );
        assert!(none.within_seconds.is_empty());
        let all = summary(&[record(true, 0.0, 1)], None);
        assert_eq!(all.within_seconds, []);
        assert_eq!(all.share, 1.0);
    }

    #[test]
    fn numbers_are_short() {
        let all = [0.0, 0.014, 0.0123456, 0.5, 12.3456, 1234.5].map(short);
        assert_eq!(all, ["0", "0.014", "0.0123", "0.5", "12.3", "1234"]);
    }
}
