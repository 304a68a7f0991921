//! Counting calls against the clock.
//!
//! In: an operation, a time. Out: calls a second, or the time of single calls. Afterwards a rate is
//! the median over slices, so that what else the machine did in one of them does not count.

use std::time::{Duration, Instant};

use serde::Serialize;

/// Slices of a measurement.
const SLICES: u32 = 9;
/// The clock is looked at so often in a slice.
const LOOKS: u32 = 32;
/// Single calls that are timed at most.
const SINGLE: usize = 1 << 20;

/// How long single calls take, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Percentiles {
    /// Half of the calls take at most this.
    pub p50: f64,
    /// All but one call in a hundred take at most this.
    pub p99: f64,
}

/// Calls of `operation` a second, over `time`, after a tenth of that to warm up.
pub(super) fn rate(time: Duration, operation: &mut dyn FnMut()) -> f64 {
    // So many calls between two looks at the clock that looking costs nothing.
    let mut calls = 1;
    let mut run = |time: Duration| {
        let start = Instant::now();
        let (mut done, mut elapsed) = (0, Duration::ZERO);
        while elapsed < time {
            for _ in 0..calls {
                operation();
            }
            done += calls;
            let before = elapsed;
            elapsed = start.elapsed();
            if elapsed - before < time / (2 * LOOKS) {
                calls *= 2;
            } else if elapsed - before > time / LOOKS && calls > 1 {
                calls /= 2;
            }
        }
        done as f64 / elapsed.as_secs_f64()
    };
    run(time / 10);
    median((0..SLICES).map(|_| run(time / SLICES)).collect())
}

/// Calls a second of an operation in `rounds` that makes so many `calls` at once; what `prepare`
/// does before each does not count.
pub(super) fn rate_of_rounds<T>(
    time: Duration,
    calls: usize,
    state: &mut T,
    mut prepare: impl FnMut(&mut T),
    mut round: impl FnMut(&mut T),
) -> f64 {
    let mut run = |time: Duration| {
        let (mut done, mut elapsed) = (0, Duration::ZERO);
        while elapsed < time {
            prepare(state);
            let start = Instant::now();
            round(state);
            elapsed += start.elapsed();
            done += calls;
        }
        done as f64 / elapsed.as_secs_f64()
    };
    run(time / 10);
    median((0..SLICES).map(|_| run(time / SLICES)).collect())
}

/// The times of single calls, in rounds of so many `calls`; what `prepare` does before each round
/// does not count.
pub(super) fn single<T>(
    time: Duration,
    calls: usize,
    state: &mut T,
    mut prepare: impl FnMut(&mut T),
    mut call: impl FnMut(&mut T, usize),
) -> Percentiles {
    let mut times: Vec<Duration> = Vec::new();
    let began = Instant::now();
    while times.is_empty() || (began.elapsed() < time && times.len() < SINGLE) {
        prepare(state);
        for nth in 0..calls {
            let start = Instant::now();
            call(state, nth);
            times.push(start.elapsed());
        }
    }
    times.sort_unstable();
    let at = |share: f64| {
        let index = (share * (times.len() - 1) as f64).round() as usize;
        times[index].as_secs_f64() * 1e6
    };
    Percentiles {
        p50: at(0.5),
        p99: at(0.99),
    }
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// Most memory this process has held, in bytes. Linux tells; elsewhere `None`.
pub(super) fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}
