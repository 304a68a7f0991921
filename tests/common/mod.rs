//! What several tests need.
#![allow(dead_code)] // not every test uses all of it

use std::path::PathBuf;

use tdc::Compiled;
use tdc::grammar::ids::{NtId, ProdId};
use tdc::grammar::ir::{Grammar, ProductionKind, SizeMetric};

/// The shipped grammars, by name.
pub fn shipped() -> Vec<(String, Compiled)> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir("grammars")
        .expect("the folder of grammars")
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|e| e == "tdg"))
        .collect();
    paths.sort();
    assert!(paths.len() >= 8, "the shipped grammars are there");
    paths
        .iter()
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy();
            let compiled = Compiled::load(path).unwrap_or_else(|e| panic!("{name}: {e}"));
            (name.into_owned(), compiled)
        })
        .collect()
}

/// One of them.
pub fn grammar(name: &str) -> Compiled {
    Compiled::load(format!("grammars/{name}.tdg")).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// A tree as a list of node kinds and values in preorder.
pub type Kinds = Vec<(ProdId, u32)>;

/// Every tree of a nonterminal, of size `size` at most and with `nodes` nodes at most, and its weight;
/// where `values` is false, tokens have no values and their nodes are left out. Written from the
/// grammar alone, to be compared with what the sampler does.
pub fn trees(
    grammar: &Grammar,
    nt: NtId,
    size: u32,
    nodes: usize,
    values: bool,
) -> Vec<(Kinds, u32, f64)> {
    assert_ne!(grammar.size, SizeMetric::Depth);
    let mut out = Vec::new();
    for id in &grammar.nonterminal(nt).productions {
        let production = grammar.production(*id);
        let cost = production.cost(grammar.size);
        if let ProductionKind::Token(token) = production.kind {
            let count = grammar.token(token).domain.count().expect("no texts here");
            if cost > size || (values && nodes == 0) {
                continue;
            }
            match values {
                true => {
                    out.extend((0..count).map(|v| (vec![(*id, v)], cost, 1.0 / f64::from(count))))
                }
                false => out.push((vec![], cost, 1.0)),
            }
            continue;
        }
        if cost > size || nodes == 0 {
            continue;
        }
        let mut rows = vec![(vec![(*id, 0)], cost, production.weight)];
        for child in &production.children {
            let mut next = Vec::new();
            for (kinds, used, weight) in rows {
                let left = nodes.saturating_sub(kinds.len());
                for (tree, own, by) in trees(grammar, child.nt, size - used, left, values) {
                    next.push(([kinds.clone(), tree].concat(), used + own, weight * by));
                }
            }
            rows = next;
        }
        out.extend(rows);
    }
    out
}

/// The tail probability of the chi-square statistic of `counts` against `expected`. Cells that
/// expect less than 5 are merged. The distribution is Wilson and Hilferty's approximation.
pub fn chi_square(counts: &[f64], expected: &[f64]) -> f64 {
    let mut cells: Vec<(f64, f64)> = Vec::new();
    let mut rest = (0.0, 0.0);
    for (count, expected) in counts.iter().zip(expected) {
        match *expected < 5.0 {
            true => rest = (rest.0 + count, rest.1 + expected),
            false => cells.push((*count, *expected)),
        }
    }
    if rest.1 >= 5.0 {
        cells.push(rest);
    } else if let Some(last) = cells.last_mut() {
        *last = (last.0 + rest.0, last.1 + rest.1);
    }
    assert!(cells.len() > 1, "nothing to compare");
    let statistic: f64 = cells.iter().map(|(c, e)| (c - e) * (c - e) / e).sum();
    let freedom = cells.len() as f64 - 1.0;
    let variance = 2.0 / (9.0 * freedom);
    upper_tail(((statistic / freedom).cbrt() - (1.0 - variance)) / variance.sqrt())
}

/// Of the standard normal distribution (Abramowitz and Stegun 7.1.26, good to 1e-7).
fn upper_tail(z: f64) -> f64 {
    let x = z.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let series = 0.254_829_592
        + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429)));
    let upper = 0.5 * t * series * libm::exp(-x * x);
    if z > 0.0 { upper } else { 1.0 - upper }
}

/// Runs `work` on `0..n` in one piece per thread and gives the results in order.
pub fn parallel<T: Send>(n: u64, work: impl Fn(std::ops::Range<u64>) -> T + Sync) -> Vec<T> {
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let piece = n.div_ceil(threads).max(1);
    let work = &work;
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads)
            .map(|i| scope.spawn(move || work(i * piece..((i + 1) * piece).min(n).max(i * piece))))
            .collect();
        let join = |handle: std::thread::ScopedJoinHandle<'_, T>| match handle.join() {
            Ok(value) => value,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        handles.into_iter().map(join).collect()
    })
}
