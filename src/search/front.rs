//! The front of size against error: for each size the best program, as long as it is better than
//! all smaller ones.
//!
//! In: programs with their scores, from any number of runs. Out: [`Point`]s by size. Afterwards each
//! point is better than the one before it by what a unit of size has to be worth; merged in the order
//! of their runs, fronts come to the same whatever the threads.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::search::Value;
use crate::tree::Program;

/// A program that no smaller one is as good as.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Point {
    /// Its size, as the grammar counts.
    pub size: u32,
    /// Its score: lower is better.
    pub score: f64,
    /// Whether it meets the goal.
    pub solved: bool,
    /// The program.
    pub program: Program,
}

impl Point {
    /// What meets the goal is better than what does not, then the score counts.
    fn is_as_good_as(&self, solved: bool, score: f64) -> bool {
        match (self.solved, solved) {
            (true, false) => true,
            (false, true) => false,
            _ => self.score <= score,
        }
    }
}

/// The front so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Front {
    /// Each better than all of smaller size.
    points: BTreeMap<u32, Point>,
}

impl Front {
    /// From points.
    pub(super) fn of(points: Vec<Point>) -> Front {
        let points = points.into_iter().map(|point| (point.size, point));
        Front {
            points: points.collect(),
        }
    }

    /// Takes a program if no smaller one and none of its size is as good; says whether. What is larger
    /// and not better goes.
    pub(super) fn offer(&mut self, program: &Program, score: f64, solved: bool) -> bool {
        let size = program.size();
        if !self.takes(size, score, solved) {
            return false;
        }
        let point = Point {
            size,
            score,
            solved,
            program: program.clone(),
        };
        self.points
            .retain(|at, other| *at < size || !point.is_as_good_as(other.solved, other.score));
        self.points.insert(size, point);
        true
    }

    /// Whether a program may be taken by its score alone: whether it meets the goal takes longer to say.
    pub(super) fn may_take(&self, size: u32, score: f64) -> bool {
        let below = self.points.range(..=size).next_back();
        !below.is_some_and(|(_, point)| point.score <= score)
    }

    /// Whether a program would be taken.
    fn takes(&self, size: u32, score: f64, solved: bool) -> bool {
        let below = self.points.range(..=size).next_back();
        !below.is_some_and(|(_, point)| point.is_as_good_as(solved, score))
    }

    /// Takes the programs of another front. Of equals those that are here stay.
    pub(super) fn merge(&mut self, other: &Front) {
        for point in other.points.values() {
            self.offer(&point.program, point.score, point.solved);
        }
    }

    /// Makes all programs smaller where that is possible, from the largest on: `smaller` gives those to
    /// try. Says how many were tried.
    pub(super) fn shorten(
        &mut self,
        value: &mut dyn Value,
        smaller: &dyn Fn(&Program) -> Vec<Program>,
    ) -> u64 {
        let (mut from, mut tried) = (u32::MAX, 0);
        while let Some((size, point)) = self.points.range(..from).next_back() {
            from = *size;
            let size = *size;
            let programs = smaller(&point.program);
            let scores = value.score(&programs.iter().collect::<Vec<_>>());
            tried += programs.len() as u64;
            for (program, score) in programs.iter().zip(scores) {
                if !self.may_take(program.size(), score) {
                    continue;
                }
                let solved = value.solved(program, score);
                // A better one of the same size is looked at again.
                if self.offer(program, score, solved) && program.size() >= size {
                    from = from.max(program.size().saturating_add(1));
                }
            }
        }
        tried
    }

    /// The points by size, without those that are better than smaller ones by less than `price` a
    /// unit of size. What meets the goal first stays.
    pub(super) fn points(self, price: f64) -> Vec<Point> {
        let mut out: Vec<Point> = Vec::new();
        for point in self.points.into_values() {
            let worth = out.last().is_none_or(|last| {
                let more = f64::from(point.size - last.size);
                (point.solved && !last.solved) || last.score - point.score > price * more
            });
            if worth {
                out.push(point);
            }
        }
        out
    }
}

/// Prices of a unit of size that fall and rise again, so that a search is at all sizes by turns. Each
/// turn is twice as long as the one before, up to a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cycle {
    /// The highest: hardly anything is worth it.
    pub high: f64,
    /// The lowest.
    pub low: f64,
    /// Evaluations of the first turn.
    pub first: u64,
}

/// How many times as long as the first a turn is at most.
const LONGEST: u64 = 16;

impl Cycle {
    /// For a target of which `weight` pixels differ from the empty canvas, in a language whose least
    /// program has size `least`.
    pub fn for_weight(weight: f64, least: u32) -> Cycle {
        let unit = weight.max(64.0) / f64::from(least.max(1));
        Cycle {
            high: unit / 8.0,
            low: unit / 4000.0,
            first: 200_000,
        }
    }

    /// The price after so many evaluations of a run.
    pub(super) fn price(&self, evaluations: u64) -> f64 {
        let (mut at, mut length) = (evaluations, self.first.max(1));
        let longest = length.saturating_mul(LONGEST);
        while at >= length && length < longest {
            at -= length;
            length *= 2;
        }
        // 1 at the ends of a turn, 0 in its middle.
        let part = libm::fabs(2.0 * (at % length) as f64 / length as f64 - 1.0);
        // What costs nothing has no place among prices that fall by factors.
        let low = self.low.max(self.high / 1e5).max(f64::MIN_POSITIVE);
        low * libm::pow((self.high / low).max(1.0), part)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::Compiled;

    fn chain() -> Compiled {
        let text = "language chain start Word sample size 1..=12
            sort Word { Last = bit:Bit  More = bit:Bit rest:Word }
            sort Bit { @primitive Zero = \"0\"  @primitive One = \"1\" }";
        Compiled::from_text("chain", text).unwrap_or_else(|e| panic!("{e}"))
    }

    /// All is as good as the best.
    struct Fixed;

    impl Value for Fixed {
        fn score(&mut self, states: &[&Program]) -> Vec<f64> {
            vec![2.0; states.len()]
        }
        fn solved(&mut self, _: &Program, _: f64) -> bool {
            false
        }
        fn renders(&self) -> u64 {
            0
        }
    }

    fn told(points: &[Point]) -> Vec<(u32, f64, bool)> {
        let tell = |p: &Point| (p.size, p.score, p.solved);
        points.iter().map(tell).collect()
    }

    #[test]
    fn only_what_is_better_than_all_smaller_stays() {
        let compiled = chain();
        let program = |text: &str| compiled.parse(text).expect("a program");
        let mut front = Front::default();
        assert!(front.offer(&program("0 0 0"), 5.0, false));
        assert!(!front.offer(&program("0 0 0 0"), 5.0, false));
        assert!(front.offer(&program("0 0 0 0"), 4.9, false));
        assert!(front.offer(&program("0"), 9.0, false));
        // The same size: the first stays, a better one takes its place.
        assert!(!front.offer(&program("1"), 9.0, false));
        assert!(front.offer(&program("1 1 1"), 4.0, false));
        assert_eq!(
            told(&front.clone().points(0.0)),
            [(1, 9.0, false), (3, 4.0, false)]
        );
        // What meets the goal is better whatever its score.
        assert!(front.offer(&program("0 1"), 4.5, true));
        let points = front.clone().points(0.0);
        assert_eq!(told(&points), [(1, 9.0, false), (2, 4.5, true)]);
        assert!(front.offer(&program("0 1 1 1"), 1.0, true));
        // Two units more for 3.5.
        assert_eq!(front.clone().points(1.7).len(), 3);
        assert_eq!(front.clone().points(1.8).len(), 2);
        // Whatever the price, what meets the goal is shown.
        assert_eq!(
            told(&front.points(100.0)),
            [(1, 9.0, false), (2, 4.5, true)]
        );
    }

    #[test]
    fn fronts_are_merged_in_their_order_and_shortened() {
        let compiled = chain();
        let program = |text: &str| compiled.parse(text).expect("a program");
        let mut first = Front::default();
        first.offer(&program("0 0"), 3.0, false);
        let mut second = Front::default();
        second.offer(&program("1 1"), 3.0, false);
        second.offer(&program("1 1 1"), 2.0, false);
        first.merge(&second);
        let points = first.clone().points(0.0);
        assert_eq!(points[0].program, program("0 0"));
        assert_eq!(points.len(), 2);
        // All of them come down to one digit.
        let one = program("1");
        let seen = RefCell::new(Vec::new());
        let tried = first.shorten(&mut Fixed, &|program| {
            seen.borrow_mut().push(program.size());
            vec![one.clone(), program.clone()]
        });
        assert_eq!((tried, seen.into_inner()), (4, vec![3, 1]));
        assert_eq!(told(&first.points(0.0)), [(1, 2.0, false)]);
    }

    #[test]
    fn prices_fall_and_rise() {
        let cycle = Cycle {
            high: 100.0,
            low: 1.0,
            first: 10,
        };
        let near = |at: u64, price: f64| {
            let found = cycle.price(at);
            assert!((found - price).abs() < 1e-9, "{at}: {found}");
        };
        near(0, 100.0);
        near(5, 1.0);
        // The next turn is twice as long.
        near(10, 100.0);
        near(20, 1.0);
        near(30, 100.0);
        for at in (0..100_000).step_by(7).chain([u64::MAX]) {
            assert!((1.0..=100.0 + 1e-9).contains(&cycle.price(at)));
        }
        let free = Cycle { low: 0.0, ..cycle };
        assert!(free.price(5) >= 0.0 && free.price(0) <= 100.0 + 1e-9);
    }
}
