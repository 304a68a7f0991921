//! The moves of the training-free search, all read off the compiled grammar.
//!
//! In: a program. Out: groups of edits, each group one kind of change at one place. Afterwards
//! every edited program is valid and at most [`Moves::max_size`] large.
//!
//! The kinds are those that research on CSG2D and TinySVG found worth having, in the terms of any
//! grammar: all values of one number; small steps of neighbouring numbers; another random part;
//! the paper's mutation; a part wrapped in a production that has room for it (insertion); a part
//! replaced by one of its own children (deletion); children changing places, or another
//! production over the same children.

mod wrap;

use rand::RngExt;

use crate::Compiled;
use crate::grammar::ids::{NtId, ProdId};
use crate::grammar::ir::{Domain, NonterminalKind};
use crate::mutate::Mutator;
use crate::sample::Rng;
use crate::search::chance::weighted;
use crate::search::{Policy, Proposal};
use crate::tree::{Edit, Layout, Program};

/// Most values of one token that are looked at in one sweep.
const SWEEP: usize = 48;

/// A policy without a model.
pub struct Moves<'a> {
    compiled: &'a Compiled,
    mutator: &'a Mutator<'a>,
    layout: &'a Layout,
    /// Greatest size of an edited program.
    max_size: u32,
    /// For each nonterminal the productions with room for one of its parts: which, and where.
    wraps: Vec<Vec<(ProdId, usize)>>,
    /// For each nonterminal: what its positions can be swept over.
    sweeps: Vec<Sweep>,
    /// For each nonterminal whether its parts are worth another random draw.
    redraw: Vec<bool>,
    /// For each production whether its parts are left out of sweeps and steps.
    left_out: Vec<bool>,
}

/// What can stand at a position without children.
#[derive(Clone, Debug, PartialEq)]
enum Sweep {
    /// Nothing to choose.
    No,
    /// A token's values: how many, and whether neighbours are alike.
    Values { count: u32, ordered: bool },
    /// Productions without children, as in an operator sort.
    Productions(Vec<ProdId>),
}

/// A kind of move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Sweep,
    Step,
    Redraw,
    Mutate,
    Wrap,
    Hoist,
    Rearrange,
}

/// Kinds by weight.
const KINDS: [(Kind, u32); 7] = [
    (Kind::Sweep, 26),
    (Kind::Step, 24),
    (Kind::Redraw, 10),
    (Kind::Mutate, 10),
    (Kind::Wrap, 12),
    (Kind::Hoist, 9),
    (Kind::Rearrange, 9),
];

/// Where everything in a program stands.
struct Map {
    /// Nonterminal of each position.
    nts: Vec<NtId>,
    /// Parent of each position; the root's is itself.
    parents: Vec<usize>,
    /// Whether a position is left to another search.
    left_out: Vec<bool>,
}

impl<'a> Moves<'a> {
    /// The moves of a grammar, for programs of at most this size; new parts are the
    /// mutator's.
    pub fn new(compiled: &'a Compiled, mutator: &'a Mutator<'a>, max_size: u32) -> Moves<'a> {
        let grammar = &compiled.grammar;
        let wraps = grammar
            .nonterminals
            .iter()
            .map(|nt| {
                let mut wraps = Vec::new();
                for id in &nt.productions {
                    let children = &grammar.production(*id).children;
                    for (index, child) in children.iter().enumerate() {
                        let inner = &grammar.nonterminal(child.nt).productions;
                        if inner.iter().any(|p| nt.productions.contains(p)) {
                            wraps.push((*id, index));
                        }
                    }
                }
                wraps
            })
            .collect();
        let sweeps: Vec<Sweep> = grammar
            .nonterminals
            .iter()
            .map(|nt| match nt.kind {
                NonterminalKind::Token(token) => {
                    let domain = &grammar.token(token).domain;
                    match domain.count() {
                        Some(count) if count > 1 => Sweep::Values {
                            count,
                            ordered: !matches!(domain, Domain::Finite(_)),
                        },
                        _ => Sweep::No,
                    }
                }
                _ => {
                    let bare = |id: &&ProdId| grammar.production(**id).children.is_empty();
                    let all: Vec<ProdId> = nt.productions.iter().filter(bare).copied().collect();
                    if all.len() > 1 {
                        Sweep::Productions(all)
                    } else {
                        Sweep::No
                    }
                }
            })
            .collect();
        let redraw = grammar
            .nonterminals
            .iter()
            .map(|nt| {
                let token = matches!(nt.kind, NonterminalKind::Token(_));
                let bare = |id: &ProdId| grammar.production(*id).children.is_empty();
                !token && !nt.productions.iter().all(bare)
            })
            .collect();
        Moves {
            compiled,
            mutator,
            layout: mutator.sampler().layout(),
            max_size,
            wraps,
            sweeps,
            redraw,
            left_out: vec![false; grammar.productions.len()],
        }
    }

    /// Leaves the parts of some productions out of sweeps and steps: something else looks after
    /// their numbers.
    #[must_use]
    pub(super) fn without(mut self, left_out: Vec<bool>) -> Moves<'a> {
        self.left_out = left_out;
        self
    }

    /// Greatest size of an edited program.
    pub fn max_size(&self) -> u32 {
        self.max_size
    }

    /// Every edit that replaces a part by one of its own children.
    pub fn simpler(&self, program: &Program) -> Vec<Edit> {
        let map = self.map(program);
        self.hoists(program, &map)
            .map(|(position, child)| self.hoisted(program, position, child))
            .collect()
    }

    fn group(&self, program: &Program, k: usize, rng: &mut Rng) -> Vec<Edit> {
        let map = self.map(program);
        // A kind may have nothing to offer for this program; some other will.
        for _ in 0..16 {
            let edits = self.edits(self.any(rng), program, &map, k, rng);
            if !edits.is_empty() {
                return edits;
            }
        }
        Vec::new()
    }

    /// A kind of edits, by weight.
    pub(super) fn any(&self, rng: &mut Rng) -> Kind {
        weighted(&KINDS, rng)
    }

    /// At most `k` edits of a kind, at one place; none when the program has no place for it.
    pub(super) fn of_kind(
        &self,
        kind: Kind,
        program: &Program,
        k: usize,
        rng: &mut Rng,
    ) -> Vec<Edit> {
        self.edits(kind, program, &self.map(program), k, rng)
    }

    fn edits(
        &self,
        kind: Kind,
        program: &Program,
        map: &Map,
        k: usize,
        rng: &mut Rng,
    ) -> Vec<Edit> {
        match kind {
            Kind::Sweep => self.sweep(program, map, k, rng),
            Kind::Step => self.step(program, map, k, rng),
            Kind::Redraw => self.redraw(program, map, k, rng),
            Kind::Mutate => self.mutate(program, k.min(4), rng),
            Kind::Wrap => self.wrap(program, map, k, rng),
            Kind::Hoist => self.hoist(program, map, k, rng),
            Kind::Rearrange => self.rearrange(program, map, k, rng),
        }
    }

    /// The nonterminal at each position.
    pub(super) fn nonterminals(&self, program: &Program) -> Vec<NtId> {
        self.layout.positions(self.layout.start(), program)
    }

    fn map(&self, program: &Program) -> Map {
        let nts = self.layout.positions(self.layout.start(), program);
        let mut parents = vec![0; program.len()];
        let mut left_out = vec![false; program.len()];
        for (at, node) in program.nodes().iter().enumerate() {
            let below = left_out[at] || self.left_out[node.production.index()];
            for child in self.children(program, at) {
                parents[child] = at;
                left_out[child] = below;
            }
        }
        Map {
            nts,
            parents,
            left_out,
        }
    }

    /// Positions of a node's children.
    fn children<'p>(
        &self,
        program: &'p Program,
        at: usize,
    ) -> impl Iterator<Item = usize> + use<'p> {
        let mut child = at + 1;
        (0..self.layout.arity(program.nodes()[at].production)).map(move |_| {
            let here = child;
            child += program.nodes()[here].len as usize;
            here
        })
    }

    /// All values of one token, or of one sort of bare words.
    fn sweep(&self, program: &Program, map: &Map, k: usize, rng: &mut Rng) -> Vec<Edit> {
        let can = |at: &usize| match &self.sweeps[map.nts[*at].index()] {
            Sweep::No => false,
            Sweep::Values { .. } => true,
            Sweep::Productions(all) => all.contains(&program.nodes()[*at].production),
        };
        let can = |at: &usize| !map.left_out[*at] && can(at);
        let Some(at) = pick((0..program.len()).filter(can), rng) else {
            return Vec::new();
        };
        let node = program.nodes()[at];
        match &self.sweeps[map.nts[at].index()] {
            Sweep::No => Vec::new(),
            Sweep::Productions(all) => all
                .iter()
                .filter(|id| **id != node.production)
                .take(k)
                .filter_map(|id| self.leaf(at, *id, 0))
                .collect(),
            Sweep::Values { count, .. } => {
                let k = k.min(SWEEP);
                let others = u32::min(count - 1, u32::try_from(k).unwrap_or(u32::MAX));
                // With more values than fit, a run of them from a random one on, around the end.
                let first = if others == count - 1 {
                    node.value + 1
                } else {
                    rng.random_range(0..*count)
                };
                (0..others)
                    .map(|i| ((u64::from(first) + u64::from(i)) % u64::from(*count)) as u32)
                    .filter(|value| *value != node.value)
                    .filter_map(|value| self.leaf(at, node.production, value))
                    .collect()
            }
        }
    }

    fn leaf(&self, position: usize, id: ProdId, value: u32) -> Option<Edit> {
        Some(Edit {
            position,
            replacement: self.build(&[(id, value)], &[])?,
        })
    }

    /// One or two numbers of the same parent, one or more steps up or down each.
    fn step(&self, program: &Program, map: &Map, k: usize, rng: &mut Rng) -> Vec<Edit> {
        let count = |at: usize| match self.sweeps[map.nts[at].index()] {
            Sweep::Values {
                count,
                ordered: true,
            } => Some(count),
            _ => None,
        };
        let can = |at: &usize| !map.left_out[*at] && count(*at).is_some();
        let Some(a) = pick((0..program.len()).filter(can), rng) else {
            return Vec::new();
        };
        let parent = map.parents[a];
        let siblings = self
            .children(program, parent)
            .filter(|at| *at != a && count(*at).is_some());
        let b = pick(siblings, rng).unwrap_or(a);
        // Long scales need longer steps too.
        let stride = |at: usize, rng: &mut Rng| {
            let longest = count(at).unwrap_or(1).ilog2().saturating_sub(2);
            i64::from(1u32 << rng.random_range(0..=longest))
        };
        let (da, db) = (stride(a, rng), stride(b, rng));
        let both = a != b;
        let mut edits = Vec::new();
        for (i, j) in STEPS {
            if (j != 0 && !both) || edits.len() >= k {
                continue;
            }
            let moved = |at: usize, by: i64| {
                let value = i64::from(program.nodes()[at].value) + by;
                let last = i64::from(count(at)?) - 1;
                (0..=last).contains(&value).then_some(value as u32)
            };
            let (Some(x), Some(y)) = (moved(a, i * da), moved(b, j * db)) else {
                continue;
            };
            let mut replacement = self.layout.extract(program, parent);
            // With `a == b` the second write must not undo the first.
            if both {
                replacement.nodes[b - parent].value = y;
            }
            replacement.nodes[a - parent].value = x;
            edits.push(Edit {
                position: parent,
                replacement,
            });
        }
        edits
    }

    /// One part drawn again, several times.
    fn redraw(&self, program: &Program, map: &Map, k: usize, rng: &mut Rng) -> Vec<Edit> {
        let small = self.compiled.grammar.mutate.small;
        let nodes = program.nodes();
        let can = |at: &usize| self.redraw[map.nts[*at].index()] && nodes[*at].size <= small;
        let Some(position) = pick((0..program.len()).filter(can), rng) else {
            return Vec::new();
        };
        let cap = nodes[position].size.max(1).min(small);
        (0..k)
            .filter_map(|_| {
                let replacement = self.random(map.nts[position], cap, rng)?;
                Some(Edit {
                    position,
                    replacement,
                })
            })
            .filter(|edit| self.fits(program, edit))
            .collect()
    }

    /// The paper's mutation.
    fn mutate(&self, program: &Program, k: usize, rng: &mut Rng) -> Vec<Edit> {
        (0..k)
            .filter_map(|_| self.mutator.propose(program, rng))
            .filter(|edit| self.fits(program, edit))
            .collect()
    }

    /// Parts that may be replaced by one of their own children: deletion of the rest of them.
    fn hoist(&self, program: &Program, map: &Map, k: usize, rng: &mut Rng) -> Vec<Edit> {
        let mut places: Vec<_> = self.hoists(program, map).collect();
        take(&mut places, k, rng)
            .map(|(position, child)| self.hoisted(program, position, child))
            .filter(|edit| self.fits(program, edit))
            .collect()
    }

    /// Pairs of a position and a child of it that may stand there instead.
    fn hoists(&self, program: &Program, map: &Map) -> impl Iterator<Item = (usize, usize)> {
        (0..program.len()).flat_map(|at| {
            let allowed = &self.compiled.grammar.nonterminal(map.nts[at]).productions;
            self.children(program, at)
                .filter(|child| allowed.contains(&program.nodes()[*child].production))
                .map(move |child| (at, child))
        })
    }

    fn hoisted(&self, program: &Program, position: usize, child: usize) -> Edit {
        Edit {
            position,
            replacement: self.layout.extract(program, child),
        }
    }

    /// Two children change places, or another production holds the same children.
    fn rearrange(&self, program: &Program, map: &Map, k: usize, rng: &mut Rng) -> Vec<Edit> {
        let grammar = &self.compiled.grammar;
        let mut edits = Vec::new();
        let mut places: Vec<usize> = (0..program.len())
            .filter(|at| program.nodes()[*at].len > 1)
            .collect();
        for at in take(&mut places, 4, rng) {
            let id = program.nodes()[at].production;
            let production = grammar.production(id);
            let children: Vec<usize> = self.children(program, at).collect();
            for other in &grammar.nonterminal(map.nts[at]).productions {
                let same = grammar.production(*other).children.iter();
                if *other != id
                    && same
                        .map(|c| c.nt)
                        .eq(production.children.iter().map(|c| c.nt))
                {
                    let mut replacement = self.layout.extract(program, at);
                    replacement.nodes[0].production = *other;
                    if self.layout.annotate(&mut replacement) {
                        edits.push(Edit {
                            position: at,
                            replacement,
                        });
                    }
                }
            }
            for i in 0..children.len() {
                for j in i + 1..children.len() {
                    if production.children[i].nt == production.children[j].nt {
                        edits.extend(self.swapped(program, at, &children, i, j));
                    }
                }
            }
        }
        edits.retain(|edit| self.fits(program, edit));
        let kept: Vec<Edit> = take(&mut edits, k, rng).collect();
        kept
    }

    fn swapped(
        &self,
        program: &Program,
        position: usize,
        children: &[usize],
        i: usize,
        j: usize,
    ) -> Option<Edit> {
        if self.layout.same(program, children[i], program, children[j]) {
            return None;
        }
        let mut replacement = Program::default();
        replacement.nodes.push(program.nodes()[position]);
        for index in 0..children.len() {
            let from = match index {
                _ if index == i => j,
                _ if index == j => i,
                _ => index,
            };
            self.layout
                .append(program, children[from], &mut replacement);
        }
        self.layout.annotate(&mut replacement).then_some(Edit {
            position,
            replacement,
        })
    }

    /// A random part of at most this size, if there is one.
    fn random(&self, nt: NtId, cap: u32, rng: &mut Rng) -> Option<Program> {
        self.mutator.sampler().sample_nt(nt, 0..=cap, rng)
    }

    fn build(&self, kinds: &[(ProdId, u32)], texts: &[Box<str>]) -> Option<Program> {
        Program::from_preorder(
            &self.compiled.grammar,
            kinds.iter().copied(),
            texts.to_vec(),
        )
    }

    /// Whether the edited program changes and stays within the greatest size.
    fn fits(&self, program: &Program, edit: &Edit) -> bool {
        let old = program.nodes()[edit.position];
        let sum = program.size().saturating_sub(old.size) + edit.replacement.size();
        // For a depth the sum is no bound; the search looks at the edited program itself.
        sum <= self.max_size.max(program.size())
            && !(old.len as usize == edit.replacement.len()
                && self
                    .layout
                    .same(program, edit.position, &edit.replacement, 0))
    }
}

impl Policy for Moves<'_> {
    fn propose(&mut self, states: &[&Program], k: usize, rng: &mut Rng) -> Vec<Vec<Proposal>> {
        states
            .iter()
            .map(|program| {
                self.group(program, k, rng)
                    .into_iter()
                    .map(|edit| Proposal { edit, score: 0.0 })
                    .collect()
            })
            .collect()
    }
}

/// Steps of two numbers, nearest first.
const STEPS: [(i64, i64); 8] = [
    (1, 0),
    (-1, 0),
    (0, 1),
    (0, -1),
    (1, 1),
    (-1, -1),
    (1, -1),
    (-1, 1),
];

/// One of the items, each as likely as any other.
pub(super) fn pick<T>(items: impl Iterator<Item = T>, rng: &mut Rng) -> Option<T> {
    let mut chosen = None;
    for (index, item) in items.enumerate() {
        if rng.random_range(0..=index) == 0 {
            chosen = Some(item);
        }
    }
    chosen
}

/// At most `k` of the items, at random, in random order.
fn take<'v, T>(
    items: &'v mut Vec<T>,
    k: usize,
    rng: &mut Rng,
) -> impl Iterator<Item = T> + use<'v, T> {
    let wanted = k.min(items.len());
    for at in 0..wanted {
        let other = rng.random_range(at..items.len());
        items.swap(at, other);
    }
    items.drain(..wanted)
}
