//! Counting calls against the clock.
//!
//! In: an operation, a time. Out: [`Figure`]. Afterwards the figure is the median over slices, so
//! that what else the machine did in one of them does not count.

use std::time::{Duration, Instant};

/// Slices of a measurement.
const SLICES: u32 = 9;
/// Calls between two looks at the clock.
const BATCH: u32 = 32;

/// Calls a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure(pub f64);

/// Calls `operation` for `time`, after a tenth of that to warm up.
pub(super) fn rate(time: Duration, operation: &mut dyn FnMut()) -> Figure {
    slice(time / 10, operation);
    let mut slices: Vec<f64> = (0..SLICES)
        .map(|_| slice(time / SLICES, operation))
        .collect();
    slices.sort_by(f64::total_cmp);
    Figure(slices[slices.len() / 2])
}

fn slice(time: Duration, operation: &mut dyn FnMut()) -> f64 {
    let start = Instant::now();
    let mut calls = 0u64;
    loop {
        for _ in 0..BATCH {
            operation();
        }
        calls += u64::from(BATCH);
        let elapsed = start.elapsed();
        if elapsed >= time {
            return calls as f64 / elapsed.as_secs_f64();
        }
    }
}

/// Most memory this process has held, in bytes. Linux tells; elsewhere `None`.
pub(super) fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}
