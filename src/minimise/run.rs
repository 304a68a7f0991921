//! One program made small.
//!
//! In: candidates, a check. Out: the smallest program that passed. Afterwards no program was checked
//! twice, and which program was found does not depend on the number of threads: of the candidates
//! that are checked at the same time the first that passes is taken, as if they had been checked
//! one after another.

use std::sync::atomic::Ordering;
use std::time::Instant;

use indexmap::IndexMap;

use super::{Cost, MinimiseError, Minimised, Minimiser, Options, Status, Stop, plainest};
use crate::grammar::ids::NtId;
use crate::grammar::ir::{Domain, NonterminalKind};
use crate::sample::stream;
use crate::tree::{Edit, Program};

/// Programs whose outcome is remembered.
const MEMORY: usize = 1 << 18;

/// Why the work ends early.
enum Halt<E> {
    Stop(Stop),
    Check(E),
}

type Check<'r, E> = &'r (dyn Fn(&Program, &str) -> Result<bool, E> + Sync);

struct Run<'r, 'c, E> {
    of: &'r Minimiser<'c>,
    options: &'r Options<'r>,
    check: Check<'r, E>,
    watch: &'r mut dyn FnMut(Status),
    began: Instant,
    best: Program,
    cost: Cost,
    /// Texts that were checked, and whether they passed.
    known: IndexMap<Box<str>, bool>,
    checks: u64,
}

/// A candidate that is worth a check.
struct Candidate {
    program: Program,
    text: String,
    cost: Cost,
}

pub(super) fn minimise<E: Send>(
    of: &Minimiser<'_>,
    program: &Program,
    options: &Options<'_>,
    check: Check<'_, E>,
    watch: &mut dyn FnMut(Status),
) -> Result<Minimised, MinimiseError<E>> {
    let text = of.compiled.print(program);
    let before = of.cost(program, &text);
    if !check(program, &text).map_err(MinimiseError::Check)? {
        return Err(MinimiseError::Fails);
    }
    let mut run = Run {
        of,
        options,
        check,
        watch,
        began: Instant::now(),
        best: program.clone(),
        cost: before,
        known: IndexMap::from([(text.into(), true)]),
        checks: 1,
    };
    let stop = match run.all() {
        Ok(()) => Stop::Minimal,
        Err(Halt::Stop(stop)) => stop,
        Err(Halt::Check(error)) => return Err(MinimiseError::Check(error)),
    };
    Ok(Minimised {
        before,
        after: run.cost,
        checks: run.checks,
        stop,
        program: run.best,
    })
}

impl<E: Send> Run<'_, '_, E> {
    /// Everything, until nothing helps. What is cheap and takes much away comes first.
    fn all(&mut self) -> Result<(), Halt<E>> {
        loop {
            while self.parts(&mut |of, program, at, nt| of.shrunk(program, at, nt))? {}
            if self.leaves()? {
                continue;
            }
            if self.parts(&mut |of, program, at, nt| of.rewritten(program, at, nt))? {
                continue;
            }
            let mut rng = stream(self.options.seed, self.checks);
            if !self.parts(&mut |of, program, at, nt| of.drawn(program, at, nt, &mut rng))? {
                return Ok(());
            }
        }
    }

    fn positions(&self) -> Vec<NtId> {
        let root = self.of.compiled.grammar.start;
        self.of.layout.positions(root, &self.best)
    }

    /// Tries replacements of every part, large ones first. True when the program got smaller.
    fn parts(
        &mut self,
        edits: &mut dyn FnMut(&Minimiser<'_>, &Program, usize, NtId) -> Vec<Edit>,
    ) -> Result<bool, Halt<E>> {
        let mut smaller = false;
        // Parts that were tried already: those larger than this, and of the same length before it.
        let mut done: Option<(u32, usize)> = None;
        loop {
            let positions = self.positions();
            let mut order: Vec<(u32, usize)> = (self.best.nodes().iter())
                .enumerate()
                .map(|(at, node)| (node.len, at))
                .filter(|(len, at)| {
                    done.is_none_or(|(past, last)| *len < past || (*len == past && *at > last))
                })
                .collect();
            order.sort_by_key(|(len, at)| (std::cmp::Reverse(*len), *at));
            let mut changed = false;
            for (len, at) in order {
                done = Some((len, at));
                let candidates = edits(self.of, &self.best, at, positions[at]);
                if self.first_of(candidates.into_iter())? {
                    changed = true;
                    break;
                }
            }
            if !changed {
                return Ok(smaller);
            }
            smaller = true;
        }
    }

    /// Tries plainer leaves everywhere. True when there was one.
    fn leaves(&mut self) -> Result<bool, Halt<E>> {
        let before = self.cost;
        let mut at = 0;
        // Replacing a leaf leaves all others where they are.
        let positions = self.positions();
        while at < positions.len() {
            let grammar = &self.of.compiled.grammar;
            if let NonterminalKind::Token(token) = grammar.nonterminal(positions[at]).kind {
                match &grammar.token(token).domain {
                    Domain::Text { .. } => self.text(at)?,
                    Domain::Finite(_) => {
                        for value in 0..self.best.nodes()[at].value {
                            if self.value(at, value)? {
                                break;
                            }
                        }
                    }
                    domain => self.number(at, plainest(domain))?,
                }
            } else {
                let plainer = self.of.plainer(&self.best, at, positions[at]);
                self.first_of(plainer.into_iter())?;
            }
            at += 1;
        }
        Ok(self.cost < before)
    }

    /// The plainest value that passes, as far as passing depends on being far enough from it.
    fn number(&mut self, at: usize, plainest: u32) -> Result<(), Halt<E>> {
        let mut fails = i64::from(plainest);
        let mut passes = i64::from(self.best.nodes()[at].value);
        if fails == passes || self.value(at, plainest)? {
            return Ok(());
        }
        while fails.abs_diff(passes) > 1 {
            let middle = (fails + passes) / 2;
            if self.value(at, middle as u32)? {
                passes = middle;
            } else {
                fails = middle;
            }
        }
        Ok(())
    }

    /// Leaves out characters of a text: halves, quarters, ... single ones.
    fn text(&mut self, at: usize) -> Result<(), Halt<E>> {
        let length = |best: &Program| {
            let text = best.texts().get(best.nodes()[at].value as usize);
            text.map_or(0, |text| text.chars().count())
        };
        let mut step = length(&self.best);
        while step > 0 {
            let mut from = 0;
            while from < length(&self.best) {
                let cut = self.of.cut(&self.best, at, (from, from + step));
                if !self.first_of(cut.into_iter())? {
                    from += step;
                }
            }
            step /= 2;
        }
        Ok(())
    }

    fn value(&mut self, at: usize, value: u32) -> Result<bool, Halt<E>> {
        let edit = self.of.valued(&self.best, at, value);
        self.first_of(edit.into_iter())
    }

    /// Takes the first edit that makes the program cheaper and passes. True when there is one.
    fn first_of(&mut self, edits: impl Iterator<Item = Edit>) -> Result<bool, Halt<E>> {
        let mut waiting: Vec<Candidate> = Vec::new();
        for edit in edits {
            let program = self.of.edited(&self.best, &edit);
            let text = self.of.compiled.print(&program);
            let cost = self.of.cost(&program, &text);
            let failed = self.known.get(text.as_str()) == Some(&false);
            let twice = waiting.iter().any(|other| other.text == text);
            if cost >= self.cost || failed || twice {
                continue;
            }
            waiting.push(Candidate {
                program,
                text,
                cost,
            });
            if waiting.len() >= self.options.threads.max(1) && self.take(&mut waiting)? {
                return Ok(true);
            }
        }
        self.take(&mut waiting)
    }

    /// Checks candidates, all at once, and takes the first that passes.
    fn take(&mut self, waiting: &mut Vec<Candidate>) -> Result<bool, Halt<E>> {
        let mut room = waiting.len() as u64;
        if let Some(most) = self.options.limits.checks {
            room = room.min(most.saturating_sub(self.checks));
        }
        if self.options.stop.load(Ordering::Relaxed) {
            return Err(Halt::Stop(Stop::Interrupted));
        }
        let late = |time| self.began.elapsed() >= time;
        if !waiting.is_empty() && self.options.limits.time.is_some_and(late) {
            return Err(Halt::Stop(Stop::Time));
        }
        if !waiting.is_empty() && room == 0 {
            return Err(Halt::Stop(Stop::Checks));
        }
        let batch = &waiting[..room as usize];
        let (known, check) = (&self.known, self.check);
        let outcome = |candidate: &Candidate| match known.get(candidate.text.as_str()) {
            Some(passed) => Ok(*passed),
            None => check(&candidate.program, &candidate.text),
        };
        let outcomes: Vec<Result<bool, E>> = match batch {
            [only] => vec![outcome(only)],
            _ => std::thread::scope(|scope| {
                let outcome = &outcome;
                let threads: Vec<_> = (batch.iter())
                    .map(|candidate| scope.spawn(move || outcome(candidate)))
                    .collect();
                // A check that panics has not passed.
                threads
                    .into_iter()
                    .map(|thread| thread.join().unwrap_or(Ok(false)))
                    .collect()
            }),
        };
        let cut_short = (room as usize) < waiting.len();
        // What a set flag killed says nothing.
        if self.options.stop.load(Ordering::Relaxed) {
            return Err(Halt::Stop(Stop::Interrupted));
        }
        for (candidate, outcome) in std::mem::take(waiting).into_iter().zip(outcomes) {
            let passed = outcome.map_err(Halt::Check)?;
            // What comes after the first that passes would not have been checked one by one: it
            // is forgotten, so that the number of threads makes no difference.
            if self.known.len() < MEMORY {
                self.known.insert(candidate.text.into(), passed);
            }
            self.checks += 1;
            if passed {
                self.best = candidate.program;
                self.cost = candidate.cost;
            }
            (self.watch)(Status {
                cost: self.cost,
                checks: self.checks,
            });
            if passed {
                return Ok(true);
            }
        }
        match cut_short {
            true => Err(Halt::Stop(Stop::Checks)),
            false => Ok(false),
        }
    }
}
