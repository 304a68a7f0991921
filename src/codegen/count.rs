//! How many programs of each size a language has.
//!
//! In: a grammar. Out: for each size of its sample window the number of programs, as a float:
//! exact up to 2^53, infinite where a recursion adds no size. Texts count as one.

use crate::grammar::ids::NtId;
use crate::grammar::ir::{Grammar, ProductionKind, SizeMetric};

/// Largest window that is counted: tables are quadratic in it.
const MOST: u32 = 64;

/// Size and number of programs; empty when the window is too large.
pub(crate) fn counts(grammar: &Grammar) -> Vec<(u32, f64)> {
    let (min, max) = (grammar.sample.min, grammar.sample.max);
    if max > MOST {
        return Vec::new();
    }
    let table = Table::new(grammar, max as usize);
    (min..=max)
        .map(|size| (size, table.exactly(grammar.start, size as usize)))
        .collect()
}

/// For each nonterminal the number of trees of each size; for depths, of at most each size.
struct Table<'a> {
    grammar: &'a Grammar,
    rows: Vec<Vec<f64>>,
}

impl<'a> Table<'a> {
    fn new(grammar: &'a Grammar, max: usize) -> Table<'a> {
        let mut table = Table {
            grammar,
            rows: vec![vec![0.0; max + 1]; grammar.nonterminals.len()],
        };
        for size in 0..=max {
            table.fill(size);
        }
        table
    }

    /// Numbers at one size, those of smaller sizes being known. Trees of this size that hold one
    /// another with nothing added are reached by going round once for each nonterminal; what
    /// still grows then grows for ever.
    fn fill(&mut self, size: usize) {
        let rounds = self.rows.len() + 1;
        for round in 0..=rounds {
            let mut changed = false;
            for index in 0..self.rows.len() {
                let new = self.one(NtId::from_index(index), size);
                let old = self.rows[index][size];
                if new != old {
                    changed = true;
                    self.rows[index][size] = if round == rounds { f64::INFINITY } else { new };
                }
            }
            if !changed {
                return;
            }
        }
        // Infinity spreads to whatever holds it.
        for _ in 0..rounds {
            for index in 0..self.rows.len() {
                self.rows[index][size] = self.one(NtId::from_index(index), size);
            }
        }
    }

    fn one(&self, nt: NtId, size: usize) -> f64 {
        let grammar = self.grammar;
        let mut sum = 0.0;
        for id in &grammar.nonterminal(nt).productions {
            let production = grammar.production(*id);
            let values = match production.kind {
                ProductionKind::Token(token) => grammar.token(token).domain.count().unwrap_or(1),
                _ => 1,
            };
            let Some(left) = size.checked_sub(production.cost(grammar.size) as usize) else {
                continue;
            };
            let children = production
                .children
                .iter()
                .map(|child| &self.rows[child.nt.index()]);
            let trees = if grammar.size == SizeMetric::Depth {
                children.fold(1.0, |product, row| times(product, row[left]))
            } else {
                let mut ways = vec![0.0; left + 1];
                ways[0] = 1.0;
                for row in children {
                    let mut next = vec![0.0; left + 1];
                    for (a, x) in ways.iter().enumerate() {
                        for (b, y) in row[..=left - a].iter().enumerate() {
                            next[a + b] += times(*x, *y);
                        }
                    }
                    ways = next;
                }
                ways[left]
            };
            sum += times(f64::from(values), trees);
        }
        sum
    }

    fn exactly(&self, nt: NtId, size: usize) -> f64 {
        let row = &self.rows[nt.index()];
        match (self.grammar.size, size) {
            (SizeMetric::Depth, 1..) if row[size].is_finite() => row[size] - row[size - 1],
            _ => row[size],
        }
    }
}

/// A product in which nothing times infinity is nothing.
fn times(a: f64, b: f64) -> f64 {
    if a == 0.0 || b == 0.0 { 0.0 } else { a * b }
}

/// A count for people: all digits while they are few, otherwise a power of ten.
pub fn count_text(count: f64) -> String {
    if !count.is_finite() {
        return "no end".into();
    }
    if count < 1e6 {
        return format!("{count:.0}");
    }
    // `{:e}` rounds and carries by itself: 9.96e5 becomes 1.0e6.
    format!("{count:.1e}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Compiled;

    fn counted(text: &str) -> Vec<(u32, f64)> {
        let compiled = Compiled::from_text("test", text);
        counts(&compiled.unwrap_or_else(|e| panic!("{e}")).grammar)
    }

    #[test]
    fn binary_trees_are_counted_by_catalan_numbers() {
        let found = counted(
            "language t start T sample size 1..=6 mutate small 2
             sort T { @primitive Leaf = \"x\"  Node = \"(\" a:T b:T \")\" }",
        );
        let catalan = [1.0, 1.0, 2.0, 5.0, 14.0, 42.0];
        assert!(found.iter().map(|row| row.1).eq(catalan), "{found:?}");
    }

    #[test]
    fn depths_are_counted_exactly() {
        // f(d) of at most depth d: f(d) = 1 + f(d-1)^2; exactly: the differences.
        let found = counted(
            "language t start T sample size 1..=4 size depth mutate small 2
             sort T { Leaf = \"x\"  Node = \"(\" a:T b:T \")\" }",
        );
        let wanted = [1.0, 1.0, 3.0, 21.0];
        assert!(found.iter().map(|row| row.1).eq(wanted), "{found:?}");
    }

    #[test]
    fn recursion_without_size_has_no_end() {
        let found = counted(
            "language t start T sample size 1..=2 mutate small 2
             sort T { @primitive Leaf = \"x\"  @weight(0.1) Same = \"s\" a:T  Two = \"(\" a:T b:T \")\" }",
        );
        assert!(found.iter().all(|row| row.1.is_infinite()), "{found:?}");
    }

    #[test]
    fn large_counts_are_powers_of_ten() {
        assert_eq!(count_text(532480.0), "532480");
        assert_eq!(count_text(9.97e11), "1.0e12");
        assert_eq!(count_text(f64::INFINITY), "no end");
    }
}
