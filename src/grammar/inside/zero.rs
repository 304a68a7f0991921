//! Cycles that add no size: which nonterminals form them, and what their weights sum up to.
//!
//! In: for a group of nonterminals that can each be reached from each other without adding size,
//! the polynomials of their zero-size productions. Out: the least solution and the matrix
//! `(I - M)^-1` that sums all ways around the cycles, or the place where the sum turned out
//! infinite.
//!
//! Why this is right: the polynomials have no negative coefficients, so Newton's method from 0
//! rises monotonically to the least solution when there is one, and below it the derivative `M`
//! has spectral radius below 1 (Esparza, Kiefer, Luttenberger 2010; Etessami, Yannakakis 2009).
//! For a matrix without negative entries that is the case exactly if `(I - M) x = 1` has a
//! positive solution `x`. So an iterate that fails this test proves the sum infinite.

use crate::grammar::ids::ProdId;

/// Iterations after which Newton's method has long converged, or never will.
const MAX_ITERATIONS: usize = 200;
/// Expected steps around a cycle past which a sum counts as infinite: rounding decides there.
const MAX_STEPS: f64 = 1e9;

/// A summand of one nonterminal's polynomial.
#[derive(Clone, Debug)]
pub(crate) struct Term {
    /// The nonterminal, by its index in the group.
    pub row: usize,
    /// The production it comes from.
    pub production: ProdId,
    /// Its weight times the weights of children outside the group.
    pub factor: f64,
    /// Children inside the group.
    pub children: Vec<usize>,
}

/// The polynomials of a group.
#[derive(Clone, Debug, Default)]
pub(crate) struct System {
    /// Number of nonterminals.
    pub size: usize,
    /// All summands.
    pub terms: Vec<Term>,
}

/// A square matrix, row by row.
pub(crate) type Matrix = Vec<Vec<f64>>;

impl System {
    fn values(&self, x: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.size];
        for term in &self.terms {
            out[term.row] += term.factor * term.children.iter().map(|c| x[*c]).product::<f64>();
        }
        out
    }

    /// The derivative of a summand by its child at `index`.
    pub(crate) fn slope(term: &Term, index: usize, x: &[f64]) -> f64 {
        let others = term.children.iter().enumerate();
        let product: f64 = others
            .filter(|(other, _)| *other != index)
            .map(|(_, child)| x[*child])
            .product();
        term.factor * product
    }

    /// The derivative at `x`.
    pub(crate) fn derivative(&self, x: &[f64]) -> Matrix {
        let mut out = vec![vec![0.0; self.size]; self.size];
        for term in &self.terms {
            for (index, child) in term.children.iter().enumerate() {
                out[term.row][*child] += System::slope(term, index, x);
            }
        }
        out
    }

    /// The least solution and [`sum_of_powers`] of the derivative there; or the point where the
    /// sum is known to be infinite.
    pub(crate) fn solve(&self) -> Result<(Vec<f64>, Matrix), Vec<f64>> {
        let mut x = vec![0.0; self.size];
        for _ in 0..MAX_ITERATIONS {
            let Some(inverse) = sum_of_powers(&self.derivative(&x)) else {
                return Err(x);
            };
            let gap: Vec<f64> = self
                .values(&x)
                .iter()
                .zip(&x)
                .map(|(value, at)| (value - at).max(0.0))
                .collect();
            let step = times(&inverse, &gap);
            if step.iter().any(|s| !s.is_finite()) {
                return Err(x);
            }
            let still = step.iter().zip(&x).all(|(s, at)| *s <= 1e-15 * at);
            for (at, s) in x.iter_mut().zip(&step) {
                *at += s;
            }
            if still {
                return Ok((x, inverse));
            }
        }
        Err(x)
    }
}

/// Matrix times vector.
pub(crate) fn times(matrix: &Matrix, vector: &[f64]) -> Vec<f64> {
    matrix
        .iter()
        .map(|row| row.iter().zip(vector).map(|(m, v)| m * v).sum())
        .collect()
}

/// `I + M + M^2 + ... = (I - M)^-1`, `None` when that sum is infinite. `M` has no negative
/// entries; neither has the result.
pub(crate) fn sum_of_powers(m: &Matrix) -> Option<Matrix> {
    let n = m.len();
    // Gauss-Jordan with partial pivoting on [I - M | I].
    let mut a: Matrix = (0..n)
        .map(|i| {
            let mut row: Vec<f64> = m[i].iter().map(|v| -v).collect();
            row[i] += 1.0;
            row.extend((0..n).map(|j| f64::from(u8::from(i == j))));
            row
        })
        .collect();
    for column in 0..n {
        let pivot =
            (column..n).max_by(|x, y| a[*x][column].abs().total_cmp(&a[*y][column].abs()))?;
        a.swap(column, pivot);
        let scale = a[column][column];
        if scale == 0.0 || !scale.is_finite() {
            return None;
        }
        for value in &mut a[column] {
            *value /= scale;
        }
        let pivot_row = a[column].clone();
        for (row, values) in a.iter_mut().enumerate() {
            let factor = values[column];
            if row != column && factor != 0.0 {
                for (value, above) in values.iter_mut().zip(&pivot_row) {
                    *value -= factor * above;
                }
            }
        }
    }
    let inverse: Matrix = a
        .into_iter()
        .map(|row| row[n..].iter().map(|v| v.max(0.0)).collect())
        .collect();
    // The sum is at least the identity, so a row that sums to less was negative somewhere.
    let tame = inverse.iter().all(|row| {
        let sum: f64 = row.iter().sum();
        (0.999..=MAX_STEPS).contains(&sum)
    });
    (tame && certified(m, &inverse)).then_some(inverse)
}

/// Whether `x = inverse * 1` has `(I - M) x > 0`: the proof that the powers of `M` have a sum.
fn certified(m: &Matrix, inverse: &Matrix) -> bool {
    let x = times(inverse, &vec![1.0; m.len()]);
    let back = times(m, &x);
    x.iter().zip(&back).all(|(at, image)| at - image > 0.0)
}

/// The groups of mutually reachable vertices of a directed graph, what is reached first. A group
/// is cyclic when it has an edge inside. Tarjan's algorithm with its own stack.
pub(crate) fn components(edges: &[Vec<usize>]) -> Vec<(Vec<usize>, bool)> {
    const NONE: usize = usize::MAX;
    let n = edges.len();
    let mut order = vec![NONE; n];
    let mut low = vec![0; n];
    let mut on_stack = vec![false; n];
    let mut stack = Vec::new();
    let mut calls: Vec<(usize, usize)> = Vec::new();
    let mut out = Vec::new();
    let mut next = 0;
    for root in 0..n {
        if order[root] != NONE {
            continue;
        }
        calls.push((root, 0));
        while let Some((v, edge)) = calls.pop() {
            if edge == 0 {
                order[v] = next;
                low[v] = next;
                next += 1;
                stack.push(v);
                on_stack[v] = true;
            } else {
                let w = edges[v][edge - 1];
                if on_stack[w] {
                    low[v] = low[v].min(low[w]);
                }
            }
            match edges[v].get(edge) {
                Some(&w) => {
                    calls.push((v, edge + 1));
                    if order[w] == NONE {
                        calls.push((w, 0));
                    }
                }
                None if low[v] == order[v] => {
                    let mut group = Vec::new();
                    while let Some(w) = stack.pop() {
                        on_stack[w] = false;
                        group.push(w);
                        if w == v {
                            break;
                        }
                    }
                    group.sort_unstable();
                    let cyclic = group.len() > 1 || edges[v].contains(&v);
                    out.push((group, cyclic));
                }
                None => {}
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(row: usize, factor: f64, children: &[usize]) -> Term {
        Term {
            row,
            production: ProdId(0),
            factor,
            children: children.to_vec(),
        }
    }

    #[test]
    fn a_geometric_series() {
        let system = System {
            size: 1,
            terms: vec![term(0, 2.0, &[]), term(0, 0.75, &[0])],
        };
        let (x, inverse) = system.solve().unwrap();
        assert!((x[0] - 8.0).abs() < 1e-12);
        assert!((inverse[0][0] - 4.0).abs() < 1e-12);
    }

    #[test]
    fn the_least_of_two_solutions() {
        // x = 0.2 + x^2 has the solutions 0.2764 and 0.7236.
        let system = System {
            size: 1,
            terms: vec![term(0, 0.2, &[]), term(0, 1.0, &[0, 0])],
        };
        let (x, _) = system.solve().unwrap();
        assert!((x[0] - (1.0 - (1.0f64 - 0.8).sqrt()) / 2.0).abs() < 1e-12);
    }

    #[test]
    fn what_has_no_sum_is_refused() {
        for terms in [
            vec![term(0, 1.0, &[]), term(0, 1.0, &[0])],
            vec![term(0, 1.0, &[]), term(0, 1.2, &[0])],
            vec![term(0, 0.3, &[]), term(0, 1.0, &[0, 0])],
        ] {
            assert!(System { size: 1, terms }.solve().is_err());
        }
        // Two nonterminals around each other: 2 * 0.6 > 1, 2 * 0.4 < 1.
        for (factor, finite) in [(0.6, false), (0.4, true)] {
            let terms = vec![term(0, 1.0, &[]), term(0, factor, &[1]), term(1, 2.0, &[0])];
            assert_eq!(System { size: 2, terms }.solve().is_ok(), finite);
        }
    }

    #[test]
    fn groups_come_after_what_they_reach() {
        let edges = vec![vec![1], vec![2], vec![1, 3], vec![], vec![4, 0]];
        let groups = components(&edges);
        assert_eq!(
            groups,
            vec![
                (vec![3], false),
                (vec![1, 2], true),
                (vec![0], false),
                (vec![4], true)
            ]
        );
    }
}
