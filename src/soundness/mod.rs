//! Whether rewrite rules hold: both sides of random instances, drawn and compared.
//!
//! In: a [`Compiled`] language and [`Options`]. Out: a [`Report`] on each rule, with a
//! [`Counterexample`] for those whose sides draw different pictures. Afterwards nothing is proved:
//! a rule that passes was not seen to fail. Same seed, same report.
//!
//! Half of the instances are drawn alone, half within programs of the language, because a rule must
//! hold wherever its sort may stand: under a move, cut out of something, among neighbours that are
//! arranged by bounds. Besides those made up (`guess`) there are those that sampled programs and
//! examples contain (`places`). What counts as a difference is for `judge` to say.
//!
//! Programs of a language without `canvas` draw nothing. Then only whether rules can apply at all
//! is looked at.

mod guess;
mod judge;
mod places;
mod report;
#[cfg(test)]
mod tests;

pub use judge::{Difference, FAINT, Judge, NoPicture, SOLID, STRAY};

use std::ops::ControlFlow;

use crate::compiled::Compiled;
use crate::grammar::ir::Grammar;
use crate::grammar::rules::Rule;
use crate::rewrite::{Bindings, Bound, Direction, Plan, build};
use crate::sample::{Rng, below, stream};
use crate::tree::{Program, print};
use guess::Guesser;
use places::{Place, Places};

/// How much is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Instances of each rule.
    pub instances: u32,
    /// Seed of all that is drawn at random.
    pub seed: u64,
}

impl Options {
    /// What is looked at unless said otherwise: [`INSTANCES`], less on a canvas of more than
    /// 512 x 512 pixels, but [`FEWEST`] at least.
    pub fn of(grammar: &Grammar) -> Options {
        let pixels = grammar.canvas.as_ref().map_or(1, |canvas| {
            u64::from(canvas.width).saturating_mul(u64::from(canvas.height))
        });
        let most = u64::from(INSTANCES) * 512 * 512;
        let instances = most / pixels.max(1);
        Options {
            instances: instances.clamp(u64::from(FEWEST), u64::from(INSTANCES)) as u32,
            seed: 0,
        }
    }
}

/// Instances of a rule unless said otherwise.
pub const INSTANCES: u32 = 100;

/// Fewest instances of a rule unless said otherwise.
pub const FEWEST: u32 = 10;

/// Guesses for one instance, before it is given up.
const GUESSES: usize = 400;

/// Of all guesses for a rule, this many must have failed before it is called one that never
/// applies; those of [`GUESSES`] for each instance together are more.
const FEW: u64 = 2_000;

/// What came of testing a language's rules.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Whether programs of the language have pictures.
    pub draws: bool,
    /// Each rule, in the order of `Compiled::rules`; shorter when the caller broke off.
    pub rules: Vec<RuleReport>,
}

/// What came of testing a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleReport {
    /// Its name.
    pub name: String,
    /// Instances whose sides were drawn and compared.
    pub instances: u32,
    /// Instances that have no picture, or one too large.
    pub undrawn: u32,
    /// Of the instances, those whose sides differ.
    pub differing: u32,
    /// Programs of the language's own sampler, and examples, that the rule applies to.
    pub matched: u32,
    /// Bindings that were guessed.
    pub guesses: u64,
    /// Greatest difference of a channel among instances that agree, of 255: what anti-aliasing
    /// makes of it.
    pub edges: u8,
    /// The shortest of the instances that differ.
    pub counterexample: Option<Counterexample>,
}

impl RuleReport {
    /// Whether no instance was found at all.
    pub fn never_applies(&self) -> bool {
        self.instances + self.undrawn + self.matched == 0 && self.guesses >= FEW
    }
}

/// An instance whose sides draw different pictures.
#[derive(Clone, Debug, PartialEq)]
pub struct Counterexample {
    /// Metavariables and what they stand for, printed.
    pub bindings: Vec<(String, String)>,
    /// The left side.
    pub left: Program,
    /// The right side.
    pub right: Program,
    /// Whole programs that have the one and the other, when the sides do not stand alone.
    pub within: Option<(Program, Program)>,
    /// How the pictures differ.
    pub difference: Difference,
}

impl Counterexample {
    /// The two whole programs.
    pub fn programs(&self) -> (&Program, &Program) {
        match &self.within {
            Some((left, right)) => (left, right),
            None => (&self.left, &self.right),
        }
    }
}

/// Tests all rules. `progress` is told after each instance how many of how many are done, and may
/// break off.
pub fn test(
    compiled: &Compiled,
    options: Options,
    mut progress: impl FnMut(u64, u64) -> ControlFlow<()>,
) -> Report {
    let guesser = Guesser::new(compiled);
    let places = Places::new(compiled, &guesser, options.seed);
    let mut judge = Judge::new(compiled);
    let mut report = Report {
        draws: judge.is_some(),
        rules: Vec::new(),
    };
    let all = u64::from(options.instances) * compiled.rules.len() as u64;
    for (index, rule) in compiled.rules.iter().enumerate() {
        let done = u64::from(options.instances) * index as u64;
        let mut run = Run {
            compiled,
            rule,
            guesser: &guesser,
            places: &places,
            contexts: places.of(rule.sort),
            judge: judge.as_mut(),
            report: RuleReport::new(rule),
        };
        // A rule has a seed of its own by its name, so that others come and go without changing
        // what is found for it.
        let seed = options.seed ^ hash(&rule.name);
        let whole = run.all(options.instances, seed, &mut |k| progress(done + k, all));
        report.rules.push(run.report);
        if whole.is_break() {
            break;
        }
    }
    report
}

/// FNV-1a.
fn hash(text: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}

impl RuleReport {
    fn new(rule: &Rule) -> RuleReport {
        RuleReport {
            name: rule.name.clone(),
            instances: 0,
            undrawn: 0,
            differing: 0,
            matched: 0,
            guesses: 0,
            edges: 0,
            counterexample: None,
        }
    }
}

/// A rule under test.
struct Run<'r, 'c> {
    compiled: &'c Compiled,
    rule: &'c Rule,
    guesser: &'r Guesser<'c>,
    places: &'r Places<'c>,
    /// Where its sort stands in programs.
    contexts: Vec<Place>,
    judge: Option<&'r mut Judge<'c>>,
    report: RuleReport,
}

impl<'c> Run<'_, 'c> {
    fn grammar(&self) -> &'c Grammar {
        &self.compiled.grammar
    }

    fn all(
        &mut self,
        instances: u32,
        seed: u64,
        progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let rule = self.rule;
        let directions = Direction::of(rule);
        let plans: Vec<(Direction, Plan<'c>)> = directions
            .iter()
            .map(|d| (*d, Plan::new(self.grammar(), rule, *d)))
            .collect();
        let mut left = instances;
        // A quarter from real programs.
        let most = (instances as usize / 4).div_ceil(plans.len().max(1));
        for (direction, plan) in &plans {
            let (found, programs) = self.places.find(plan, *direction, most);
            self.report.matched = self.report.matched.max(programs);
            for instance in found {
                self.judge(&instance.bindings, Some(instance.place));
                left = left.saturating_sub(1);
                progress(u64::from(instances - left))?;
            }
        }
        let mut failed = 0u64;
        for k in 0..left {
            let rng = &mut stream(seed, u64::from(k));
            // A rule whose first instances were not found by so many guesses has none.
            if failed >= 10 * GUESSES as u64 && self.report.instances == 0 {
                break;
            }
            let (direction, plan) = &plans[k as usize % plans.len()];
            let nth = k as usize / plans.len();
            let Some(bindings) = self.guess(plan, *direction, nth, rng) else {
                failed += GUESSES as u64;
                continue;
            };
            let alone = k % 4 < 2;
            let place = match self.contexts.len() {
                0 => None,
                n => self.contexts.get(below(rng, n as u32) as usize).copied(),
            };
            self.judge(&bindings, place.filter(|_| !alone));
            progress(u64::from(instances - left + k + 1))?;
        }
        ControlFlow::Continue(())
    }

    /// Bindings by which the rule applies.
    fn guess(
        &mut self,
        plan: &Plan<'c>,
        direction: Direction,
        nth: usize,
        rng: &mut Rng,
    ) -> Option<Bindings> {
        let (matched, _) = direction.sides(self.rule);
        for at in 0..GUESSES {
            self.report.guesses += 1;
            // The certain value of this guess may be one for which the rule does not hold.
            let certain = (at < GUESSES / 2).then_some(nth);
            let mut bindings = self.guesser.guess(self.rule, matched, certain, rng)?;
            let mut ways: Vec<Bindings> = Vec::new();
            plan.complete(&mut bindings, |way| {
                ways.push(way.clone());
                match ways.len() {
                    8 => ControlFlow::Break(()),
                    _ => ControlFlow::Continue(()),
                }
            });
            if let 1.. = ways.len() {
                let way = ways.swap_remove(below(rng, ways.len() as u32) as usize);
                if self.sides(&way).is_some() {
                    return Some(way);
                }
            }
        }
        None
    }

    fn sides(&self, bindings: &Bindings) -> Option<(Program, Program)> {
        let left = build(self.grammar(), &self.rule.left, bindings)?;
        let right = build(self.grammar(), &self.rule.right, bindings)?;
        Some((left, right))
    }

    /// Draws and compares both sides at a place, or alone; what cannot stand alone stands at some
    /// place all the same.
    fn judge(&mut self, bindings: &Bindings, place: Option<Place>) {
        let Some((left, right)) = self.sides(bindings) else {
            return;
        };
        let whole = self.places.is_whole(&left) && self.places.is_whole(&right);
        let put = |place: Place| {
            Some((
                self.places.put(place, &left)?,
                self.places.put(place, &right)?,
            ))
        };
        let within = match (place, whole) {
            (None, true) => None,
            (Some(place), _) => put(place),
            (None, false) => self.contexts.iter().find_map(|place| put(*place)),
        };
        if within.is_none() && !whole {
            self.report.undrawn += 1;
            return;
        }
        let Some(judge) = self.judge.as_mut() else {
            self.report.undrawn += 1;
            return;
        };
        // A whole program is replaced when the place is its root.
        let within = within.filter(|(a, _)| a.len() > left.len());
        let (a, b) = within.as_ref().map_or((&left, &right), |(a, b)| (a, b));
        let Ok(difference) = judge.compare(a, b) else {
            self.report.undrawn += 1;
            return;
        };
        self.report.instances += 1;
        if !difference.counts() {
            self.report.edges = self.report.edges.max(difference.worst);
            return;
        }
        self.report.differing += 1;
        let length = |l: &Program, r: &Program, within: &Option<(Program, Program)>| {
            let around = within.as_ref().map_or(0, |(a, _)| a.len());
            (around, l.len() + r.len())
        };
        let known = self.report.counterexample.as_ref();
        let shorter = known.is_none_or(|known| {
            length(&left, &right, &within) < length(&known.left, &known.right, &known.within)
        });
        if shorter {
            self.report.counterexample = Some(Counterexample {
                bindings: self.told(bindings),
                left,
                right,
                within,
                difference,
            });
        }
    }

    /// What each metavariable stands for, as text.
    fn told(&self, bindings: &Bindings) -> Vec<(String, String)> {
        let mut told = Vec::new();
        for (meta, index) in self.rule.metas.iter().zip(0u16..) {
            let text = match (bindings.get(index), meta.stands) {
                (Some(Bound::Tree(tree)), _) => print(self.grammar(), &self.compiled.syntax, tree),
                (Some(Bound::Text(text)), _) => text.to_string(),
                (Some(Bound::Value(value)), Some(stands)) => {
                    report::value_text(self.grammar(), stands, *value)
                }
                _ => continue,
            };
            told.push((meta.name.clone(), text));
        }
        told
    }
}
