//! Which nonterminals have another program to offer.

use crate::grammar::ir::{Grammar, ProductionKind, SizeMetric};

/// By nonterminal: whether it has two programs of size `small` at most. `varied` says whether a
/// token, by its index, has two values.
///
/// Programs are counted by size, up to two, until the counts stand still: zero-size recursion
/// makes them infinite, which two stands for.
pub(super) fn offers(grammar: &Grammar, small: u32, varied: impl Fn(usize) -> bool) -> Vec<bool> {
    let sizes = small as usize + 1;
    let mut counts = vec![vec![0u8; sizes]; grammar.nonterminals.len()];
    let mut changed = true;
    while changed {
        changed = false;
        for (index, nt) in grammar.nonterminals.iter().enumerate() {
            let mut sum = vec![0u8; sizes];
            for id in &nt.productions {
                let production = grammar.production(*id);
                let cost = production.cost(grammar.size) as usize;
                // Counts of the children so far, by size.
                let mut so_far = vec![0u8; sizes];
                so_far[0] = match production.kind {
                    ProductionKind::Token(token) => 1 + u8::from(varied(token.index())),
                    _ => 1,
                };
                for child in &production.children {
                    so_far = combine(&so_far, &counts[child.nt.index()], grammar.size);
                }
                for size in cost..sizes {
                    sum[size] = (sum[size] + so_far[size - cost]).min(2);
                }
            }
            if sum != counts[index] {
                counts[index] = sum;
                changed = true;
            }
        }
    }
    counts
        .iter()
        .map(|row| row.iter().map(|count| u32::from(*count)).sum::<u32>() >= 2)
        .collect()
}

fn combine(left: &[u8], right: &[u8], metric: SizeMetric) -> Vec<u8> {
    let mut out = vec![0u8; left.len()];
    for (a, x) in left.iter().enumerate().filter(|(_, x)| **x > 0) {
        for (b, y) in right.iter().enumerate().filter(|(_, y)| **y > 0) {
            let size = match metric {
                SizeMetric::Depth => a.max(b),
                _ => a + b,
            };
            if let Some(slot) = out.get_mut(size) {
                *slot = (*slot + x * y).min(2);
            }
        }
    }
    out
}
