//! Applying rules to an e-graph until nothing new comes, or enough has.
//!
//! In: an e-graph, the ways of a language, limits. Out: [`Grown`]: why it stopped, and which rule
//! added how many nodes. Afterwards the e-graph is clean. Everything but a limit on time is the same
//! on every machine.

use std::rc::Rc;
use std::time::{Duration, Instant};

use egg::{Id, Language};
use rustc_hash::{FxHashMap, FxHashSet};
use serde::Serialize;

use super::find::{self, Bind, Binds, Key, Match};
use super::graph::Graph;
use super::make;
use super::proof::Trace;
use super::shape::Way;
use super::term::{Kids, Op, Term};
use super::texts::Texts;
use crate::grammar::ir::Grammar;

/// When to stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most nodes of an e-graph beside those of the program.
    pub nodes: usize,
    /// Most times that all rules are gone through in one e-graph.
    pub iterations: usize,
    /// Most steps of matching, over all e-graphs: as good as a limit on time, and the same on every
    /// machine. Some ten million take a second.
    pub steps: u64,
    /// Most time. Results depend on the machine then.
    pub time: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            nodes: 1_000,
            iterations: 30,
            steps: u64::MAX,
            time: None,
        }
    }
}

impl Limits {
    /// Those of canonical forms, which are made by the million.
    pub fn canonical() -> Limits {
        Limits {
            nodes: 120,
            ..Limits::default()
        }
    }
}

/// Why no more rules were applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// No rule says anything new: what was found is the least program that the rules prove equal.
    Saturated,
    /// The limit on nodes.
    Nodes,
    /// The limit on iterations.
    Iterations,
    /// The limit on time.
    Time,
    /// The limit on steps, or a rule's matches or arithmetic took more of them than they may.
    Effort,
}

/// What came of applying rules.
#[derive(Clone, Debug)]
pub(crate) struct Grown {
    pub stop: StopReason,
    /// Times that all rules were gone through.
    pub iterations: usize,
    /// Nodes that each way added.
    pub by_way: Vec<usize>,
}

/// What rules are applied to.
pub(crate) struct Field<'a, 'c> {
    pub grammar: &'c Grammar,
    pub ways: &'a [Way<'c>],
    pub graph: &'a mut Graph,
    pub texts: &'a mut Texts,
    /// What explanations are made from, when they are asked for.
    pub trace: Option<&'a mut Trace>,
}

/// What was spent on a program, over all e-graphs.
#[derive(Debug)]
pub(crate) struct Effort {
    pub started: Instant,
    pub steps: u64,
}

impl Effort {
    pub(crate) fn new() -> Effort {
        Effort {
            started: Instant::now(),
            steps: 0,
        }
    }

    /// The limit that is reached, if one is.
    pub(crate) fn spent(&self, limits: &Limits) -> Option<StopReason> {
        if self.steps >= limits.steps {
            return Some(StopReason::Effort);
        }
        let out = limits
            .time
            .is_some_and(|most| self.started.elapsed() >= most);
        out.then_some(StopReason::Time)
    }
}

/// Applies all ways again and again.
pub(crate) fn saturate(field: &mut Field<'_, '_>, limits: &Limits, effort: &mut Effort) -> Grown {
    let mut grown = Grown {
        stop: StopReason::Iterations,
        iterations: 0,
        by_way: vec![0; field.ways.len()],
    };
    field.graph.rebuild();
    let most_operands = leaves(field.graph);
    let most_nodes = field.graph.nodes().len().saturating_add(limits.nodes);
    let mut found: Vec<Match> = Vec::new();
    // What was made of a match is there already, and what was not allowed never is: values stand in
    // classes of their own.
    let mut done: FxHashSet<(usize, Id, Binds, Kids)> = FxHashSet::default();
    let mut taken_up = TakenUp::default();
    let mut memory = Memory {
        allowed: vec![FxHashMap::default(); field.ways.len()],
        refused: vec![FxHashSet::default(); field.ways.len()],
    };
    while grown.iterations < limits.iterations {
        grown.iterations += 1;
        let before = (field.graph.nodes().len(), field.graph.number_of_classes());
        let mut whole = true;
        let mut matches = Vec::new();
        if let Some(trace) = &mut field.trace {
            trace.look(field.graph);
        }
        for (index, way) in field.ways.iter().enumerate() {
            let (all, steps) = find::search(
                field.graph,
                way,
                &memory.refused[index],
                field.trace.is_some(),
                &mut found,
            );
            whole &= all;
            effort.steps += u64::from(steps);
            for found in found.drain(..) {
                let key = (
                    index,
                    found.class,
                    found.binds.clone(),
                    found.others.clone(),
                );
                if !done.contains(&key) {
                    matches.push((index, found, key));
                }
            }
            if let Some(stop) = effort.spent(limits) {
                grown.stop = stop;
                return grown;
            }
        }
        for (index, found, key) in matches {
            let nodes = field.graph.nodes().len();
            let (all, fits) = apply(field, &mut memory, index, &found);
            whole &= all;
            if fits {
                done.insert(key);
            }
            grown.by_way[index] += field.graph.nodes().len() - nodes;
            effort.steps += 1;
            let stop = if field.graph.nodes().len() > most_nodes {
                StopReason::Nodes
            } else if let Some(stop) = effort.spent(limits) {
                stop
            } else {
                continue;
            };
            field.graph.rebuild();
            grown.stop = stop;
            return grown;
        }
        field.graph.rebuild();
        let room = most_nodes.saturating_sub(field.graph.nodes().len());
        let all = flatten(field, most_operands, room, &mut taken_up);
        field.graph.rebuild();
        if !all {
            grown.stop = StopReason::Nodes;
            return grown;
        }
        let after = (field.graph.nodes().len(), field.graph.number_of_classes());
        if before == after {
            grown.stop = match whole {
                true => StopReason::Saturated,
                false => StopReason::Effort,
            };
            return grown;
        }
    }
    grown
}

/// The ways in which conditions let a match be completed: what they bind.
type Allowed = Rc<[Vec<(usize, Bind)>]>;

/// What equations and conditions say of values that were looked at, by way: the same shapes meet in
/// many sums.
struct Memory {
    /// What other metavariables stand for then, in each way that is allowed.
    allowed: Vec<FxHashMap<Key, Allowed>>,
    /// Where none is.
    refused: Vec<FxHashSet<Key>>,
}

/// Makes the other side of a match and says that both are the same. Gives whether all ways to make it
/// were looked at, and whether each fitted its place, which may come later.
fn apply(
    field: &mut Field<'_, '_>,
    memory: &mut Memory,
    index: usize,
    found: &Match,
) -> (bool, bool) {
    let Field {
        grammar,
        ways,
        graph,
        texts,
        trace,
    } = field;
    let way = &ways[index];
    let key = find::key(&way.reads, &found.binds);
    if memory.refused[index].contains(&key) {
        return (true, true);
    }
    let known = way
        .settled
        .then(|| memory.allowed[index].get(&key).cloned());
    let (all, whole) = match known.flatten() {
        Some(all) => (all, true),
        None => {
            let (all, whole) = make::complete(grammar, graph, texts, way, found);
            let more = |binds: &Binds| {
                let both = binds.iter().zip(&found.binds).enumerate();
                let new = both.filter(|(_, (_, old))| old.is_none());
                new.filter_map(|(at, (new, _))| Some((at, new.clone()?)))
                    .collect()
            };
            let all: Allowed = all.iter().map(more).collect();
            if way.settled && whole {
                if all.is_empty() {
                    memory.refused[index].insert(key);
                } else {
                    memory.allowed[index].insert(key, all.clone());
                }
            }
            (all, whole)
        }
    };
    // A subtree that is looked into can get a new root.
    let mut fits = way.looks_into.is_empty();
    for more in all.iter() {
        let mut binds = found.binds.clone();
        for (at, bind) in more {
            binds[*at] = Some(bind.clone());
        }
        let Some(made) = make::make(graph, way, &binds, &found.others) else {
            fits = false;
            continue;
        };
        match trace {
            Some(trace) => trace.apply(graph, way, found, &made),
            None => {
                graph.union(found.class, made.id());
            }
        }
    }
    (whole, fits)
}

/// How many different nodes have no subtree but values of tokens: no node gets more operands.
fn leaves(graph: &Graph) -> usize {
    let tables = &graph.analysis.tables;
    let token = |id: &Id| match graph.id_to_node(*id).op {
        Op::Node(production, _) => tables.is_token(production),
        Op::Many(_) => false,
    };
    let leaf = |id: &Id| !token(id) && graph.id_to_node(*id).kids.iter().all(token);
    (0..graph.nodes().len()).map(Id::from).filter(leaf).count()
}

/// Nodes whose operand at a place was taken up, and the node that it was.
type TakenUp = FxHashSet<(Term, usize, Term)>;

/// Takes the operands of operands up into the node above, where both are of one law, unless that was
/// done. False when there is no room for so many nodes.
fn flatten(field: &mut Field<'_, '_>, most: usize, room: usize, done: &mut TakenUp) -> bool {
    let mut all = true;
    let graph = &mut *field.graph;
    let mut found: Vec<(Id, Term, usize, Term)> = Vec::new();
    'laws: for at in 0..graph.analysis.tables.operators.len() {
        let op = Op::Many(at as u16);
        let Some(classes) = graph.classes_for_op(&op) else {
            continue;
        };
        for class in classes {
            for node in graph[class].iter().filter(|node| node.op == op) {
                for (place, kid) in node.children().iter().enumerate() {
                    // An operand that is the whole would be taken up for ever.
                    if *kid == class || (place > 0 && node.kids[place - 1] == *kid) {
                        continue;
                    }
                    for inner in graph[*kid].iter().filter(|inner| inner.op == op) {
                        if node.kids.len() + inner.kids.len() - 1 > most
                            || !done.insert((node.clone(), place, inner.clone()))
                        {
                            continue;
                        }
                        if found.len() >= room {
                            all = false;
                            break 'laws;
                        }
                        found.push((class, node.clone(), place, inner.clone()));
                    }
                }
            }
        }
    }
    if let Some(trace) = &mut field.trace {
        trace.look(graph);
    }
    for (class, node, place, inner) in found {
        let mut kids: Kids = node.kids.clone();
        kids.remove(place);
        kids.extend_from_slice(&inner.kids);
        let id = graph.add_uncanonical(Term::new(node.op, kids));
        match &mut field.trace {
            Some(trace) => trace.flatten(graph, &node, place, &inner, id),
            None => {
                graph.union(class, id);
            }
        }
    }
    all
}
