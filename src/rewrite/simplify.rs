//! The least program that the rules prove equal.
//!
//! In: a program. Out: [`Simplified`], or its canonical form, or a chain of [`Step`]s from the one to
//! the other. Afterwards the result is a program of the language that costs no more than the one
//! given. It depends on the program, the rules and the limits alone, unless time is one of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use egg::Id;

use super::expr::Arena;
use super::graph::{Graph, Known};
use super::instance::Direction;
use super::make::Made;
use super::proof::{Link, Prover, Trace};
use super::saturate::{Effort, Field, Limits, StopReason, saturate};
use super::shape::{Way, ways};
use super::tables::{Cost, Tables};
use super::term::{Op, Term};
use super::texts::Texts;
use crate::compiled::Compiled;
use crate::tree::Program;

/// Applies a language's rules to programs.
///
/// Making one reads the rules, which takes about as long as one canonical form; what it holds never
/// changes. So a search or a training run makes one and uses it for all its programs, from as many
/// threads as it has:
///
/// ```
/// use std::collections::HashMap;
///
/// let compiled = tdc::Compiled::from_text(
///     "sums",
///     "language sums
///      start S
///      sample size 1..=3
///      token N = 0..=9
///      sort S { @primitive Number = n:N   Sum = \"(\" a:S \"+\" b:S \")\" }
///      rewrite S { swap: `(?a + ?b)` <=> `(?b + ?a)`   zero: `(?a + 0)` => `?a` }",
/// )?;
/// let simplifier = tdc::rewrite::Simplifier::new(&compiled);
/// let mut seen = HashMap::new();
/// for text in ["(1 + 2)", "(2 + 1)", "((0 + 2) + 1)", "(1 + 1)"] {
///     let program = compiled.parse(text).map_err(|error| error.to_string())?;
///     // Programs are compared and hashed as they are; no text is needed.
///     seen.entry(simplifier.canonical(&program)).or_insert(text);
/// }
/// assert_eq!(seen.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Simplifier<'c> {
    compiled: &'c Compiled,
    tables: Arc<Tables>,
    /// Texts of the rules.
    texts: Texts,
    ways: Vec<Way<'c>>,
    limits: Limits,
}

/// What came of simplifying a program.
#[derive(Clone, Debug)]
pub struct Simplified {
    /// The program.
    pub program: Program,
    /// What it costs.
    pub cost: Cost,
    /// What the one given costs.
    pub before: Cost,
    /// Why the last round stopped.
    pub stop: StopReason,
    /// Times that all rules were gone through, over all rounds.
    pub iterations: usize,
    /// Most nodes that an e-graph had.
    pub nodes: usize,
    /// Nodes that each rule added, over all rounds, most first; rules that added none are left out.
    pub growth: Vec<Growth>,
}

/// What a rule added to e-graphs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Growth {
    /// The rule's name.
    pub rule: String,
    /// Which side was matched.
    pub direction: Direction,
    /// Nodes.
    pub nodes: usize,
}

/// A step of an explanation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What makes it right.
    pub by: By,
    /// The program after it.
    pub program: Program,
}

/// What makes a step right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// This rule at one place. Beside that, operands may have changed places and brackets where
    /// rules let them.
    Rule(String, Direction),
    /// Operands changed places and brackets by these rules.
    Order(Vec<String>),
    /// These rules in this order: the programs between cannot be written in the language.
    Several(Vec<(String, Direction)>),
    /// The rules, in more steps than an explanation has room for.
    Many,
}

impl<'c> Simplifier<'c> {
    /// For the rules of a language.
    pub fn new(compiled: &'c Compiled) -> Simplifier<'c> {
        let tables = Tables::new(compiled);
        let mut texts = Texts::default();
        let ways = ways(compiled, &tables, &mut texts);
        Simplifier {
            compiled,
            tables: Arc::new(tables),
            texts,
            ways,
            limits: Limits::default(),
        }
    }

    /// With other limits.
    pub fn with_limits(mut self, limits: Limits) -> Simplifier<'c> {
        self.limits = limits;
        self
    }

    /// Whether there is any rule to apply.
    pub fn has_rules(&self) -> bool {
        !self.ways.is_empty() || !self.tables.operators.is_empty()
    }

    /// The least program that the rules prove equal, as far as the limits allow.
    pub fn simplify(&self, program: &Program) -> Simplified {
        let mut run = self.run(program, &self.limits, false);
        run.finish(program)
    }

    /// The same program for programs that the rules prove equal, as far as
    /// [`Limits::canonical`] allow, whatever the limits of this simplifier. It takes a millisecond or
    /// two for a program of 8 primitives: worth it for states that a model is to look at or that are
    /// kept, too long for those of which a picture costs a microsecond.
    pub fn canonical(&self, program: &Program) -> Program {
        let limits = Limits::canonical();
        let mut run = self.run(program, &limits, false);
        run.finish(program).program
    }

    /// A chain from a program to its [`Simplifier::simplify`]d form; empty when that is itself.
    pub fn explain(&self, program: &Program) -> Vec<Step> {
        let run = self.run(program, &self.limits, true);
        run.explain(program)
    }

    fn run<'a>(&'a self, program: &Program, limits: &'a Limits, explaining: bool) -> Run<'a, 'c> {
        let mut run = Run {
            simplifier: self,
            limits,
            texts: self.texts.clone(),
            arena: Arena::default(),
            start: None,
            now: None,
            stop: StopReason::Saturated,
            iterations: 0,
            nodes: 0,
            by_way: vec![0; self.ways.len()],
            chain: explaining.then(Vec::new),
        };
        let tables = &self.tables;
        run.start = run.arena.add_program(tables, &mut run.texts, program);
        run.now = run.start;
        run.rounds();
        run
    }
}

/// A program on its way.
struct Run<'a, 'c> {
    simplifier: &'a Simplifier<'c>,
    limits: &'a Limits,
    texts: Texts,
    arena: Arena,
    start: Option<Id>,
    now: Option<Id>,
    stop: StopReason,
    iterations: usize,
    nodes: usize,
    by_way: Vec<usize>,
    /// The links so far, when they are asked for; `None` within for a round that has no chain.
    chain: Option<Vec<Option<Link>>>,
}

/// Most rounds: each starts from something less than the one before.
const MOST_ROUNDS: usize = 50;

impl Run<'_, '_> {
    /// Rounds of growing an e-graph from the least program so far, until it stays the least.
    fn rounds(&mut self) {
        let mut effort = Effort::new();
        for _ in 0..MOST_ROUNDS {
            let before = self.now;
            self.round(&mut effort);
            if self.now == before || self.stop == StopReason::Saturated {
                return;
            }
            if let Some(stop) = effort.spent(self.limits) {
                self.stop = stop;
                return;
            }
        }
    }

    fn round(&mut self, effort: &mut Effort) {
        let Some(from) = self.now else { return };
        let tables = &self.simplifier.tables;
        let explaining = self.chain.is_some();
        let mut graph = Graph::new(Known::new(tables.clone(), explaining));
        let (root, _) = add(&mut graph, &self.arena, from);
        let mut trace = explaining.then(Trace::default);
        let mut field = Field {
            grammar: &self.simplifier.compiled.grammar,
            ways: &self.simplifier.ways,
            graph: &mut graph,
            texts: &mut self.texts,
            trace: trace.as_mut(),
        };
        let grown = saturate(&mut field, self.limits, effort);
        self.stop = grown.stop;
        self.iterations += grown.iterations;
        self.nodes = self.nodes.max(graph.nodes().len());
        for (sum, own) in self.by_way.iter_mut().zip(grown.by_way) {
            *sum += own;
        }
        let need = tables.need(self.simplifier.compiled.grammar.start);
        let least = super::extract::least(&graph, &self.texts, &mut self.arena, root, need);
        // The program itself is among those of its class.
        let Some(least) = least else { return };
        if let (Some(chain), Some(trace)) = (&mut self.chain, &trace)
            && least != from
        {
            let (_, nodes) = add(&mut graph, &self.arena, least);
            let target = made(&self.arena, &nodes, least, 0);
            let mut prover = Prover::new(&graph, &self.texts, trace, &mut self.arena);
            match target.and_then(|target| prover.chain(root, &target)) {
                Some(links) => chain.extend(links.into_iter().map(Some)),
                None => chain.push(None),
            }
        }
        self.now = Some(least);
    }

    fn program(&self, id: Id) -> Option<Program> {
        let grammar = &self.simplifier.compiled.grammar;
        let tables = &self.simplifier.tables;
        self.arena.program(grammar, tables, &self.texts, id)
    }

    fn finish(&mut self, given: &Program) -> Simplified {
        let cost = |id: Option<Id>| id.map_or_else(Cost::default, |id| self.arena.cost(id));
        let mut growth: Vec<Growth> = Vec::new();
        for (way, nodes) in self.simplifier.ways.iter().zip(&self.by_way) {
            if *nodes > 0 {
                growth.push(Growth {
                    rule: self.simplifier.compiled.rules[way.rule].name.clone(),
                    direction: way.direction,
                    nodes: *nodes,
                });
            }
        }
        growth.sort_by_key(|growth| std::cmp::Reverse(growth.nodes));
        Simplified {
            program: self
                .now
                .and_then(|id| self.program(id))
                .unwrap_or_else(|| given.clone()),
            cost: cost(self.now),
            before: cost(self.start),
            stop: self.stop,
            iterations: self.iterations,
            nodes: self.nodes,
            growth,
        }
    }

    fn explain(mut self, given: &Program) -> Vec<Step> {
        let mut steps = Vec::new();
        let chain = self.chain.take().unwrap_or_default();
        let mut last = given.clone();
        if let Some(ordered) = self.start.and_then(|id| self.program(id))
            && ordered != last
        {
            last = ordered.clone();
            steps.push(Step {
                by: By::Order(self.laws(self.start)),
                program: ordered,
            });
        }
        let name = |(rule, direction): (usize, Direction)| {
            (self.simplifier.compiled.rules[rule].name.clone(), direction)
        };
        let grammar = &self.simplifier.compiled.grammar;
        let mut unwritten: Vec<(String, Direction)> = Vec::new();
        let mut gap = false;
        for link in chain {
            let Some(link) = link else {
                gap = true;
                continue;
            };
            unwritten.push(name(link.by));
            let Some(program) = self.program(link.term).filter(|p| p.is_valid(grammar)) else {
                continue;
            };
            if program == last {
                continue;
            }
            last = program.clone();
            let mut by = std::mem::take(&mut unwritten);
            let by = match (std::mem::take(&mut gap), by.pop()) {
                (true, _) | (_, None) => By::Many,
                (false, Some(only)) if by.is_empty() => By::Rule(only.0, only.1),
                (false, Some(last)) => {
                    by.push(last);
                    By::Several(by)
                }
            };
            steps.push(Step { by, program });
        }
        if let Some(end) = self.now.and_then(|id| self.program(id))
            && end != last
        {
            steps.push(Step {
                by: By::Many,
                program: end,
            });
        }
        steps
    }

    /// The names of the rules that let operands of a term change places and brackets.
    fn laws(&self, root: Option<Id>) -> Vec<String> {
        let rules = &self.simplifier.compiled.rules;
        let mut pending: Vec<Id> = root.into_iter().collect();
        let mut seen = BTreeSet::new();
        let mut found = BTreeSet::new();
        while let Some(id) = pending.pop() {
            if !seen.insert(id) {
                continue;
            }
            let term = self.arena.term(id);
            pending.extend(&term.kids);
            if let Op::Many(at) = term.op {
                let law = &self.simplifier.tables.operator(at).law;
                found.extend([law.commute, law.associate]);
            }
        }
        found
            .into_iter()
            .map(|rule| rules[rule].name.clone())
            .collect()
    }
}

/// Adds a term of the arena to an e-graph. Gives the node of it and of each of its parts.
fn add(graph: &mut Graph, arena: &Arena, root: Id) -> (Id, BTreeMap<Id, Id>) {
    let mut done: BTreeMap<Id, Id> = BTreeMap::new();
    let mut pending = vec![root];
    let mut last = root;
    while let Some(&at) = pending.last() {
        if done.contains_key(&at) {
            pending.pop();
            continue;
        }
        let term = arena.term(at);
        let before = pending.len();
        pending.extend(term.kids.iter().filter(|kid| !done.contains_key(kid)));
        if pending.len() > before {
            continue;
        }
        let kids = term
            .kids
            .iter()
            .filter_map(|kid| done.get(kid).copied())
            .collect();
        last = graph.add_uncanonical(Term::new(term.op, kids));
        done.insert(at, last);
        pending.pop();
    }
    (last, done)
}

/// Deepest term whose links are looked for.
const MOST_DEPTH: u32 = 500;

/// A term as it was added. `None` when it is too deep to be explained.
fn made(arena: &Arena, nodes: &BTreeMap<Id, Id>, at: Id, depth: u32) -> Option<Made> {
    if depth > MOST_DEPTH {
        return None;
    }
    let term = arena.term(at);
    let parts = term
        .kids
        .iter()
        .map(|kid| made(arena, nodes, *kid, depth + 1));
    Some(Made::Node(
        *nodes.get(&at)?,
        term.op,
        parts.collect::<Option<_>>()?,
    ))
}
