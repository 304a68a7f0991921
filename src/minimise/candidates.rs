//! Programs that may be smaller than a given one.
//!
//! In: a program, a place in it. Out: edits, the most promising first. Afterwards every edited
//! program is valid; whether it costs less is for the caller to see.

use super::{Minimiser, plainest};
use crate::Compiled;
use crate::grammar::ids::{NtId, ProdId};
use crate::grammar::ir::{Domain, NonterminalKind, ProductionKind};
use crate::rewrite::Direction;
use crate::rewrite::instance::{Bindings, build, lay};
use crate::sample::{Rng, Sampler};
use crate::tree::{Edit, Layout, Program};

/// Most descendants that are tried in the place of a part.
const HOISTS: usize = 24;

/// Random parts that are tried at a place.
const DRAWS: usize = 4;

/// Strings that are drawn to find a short one of a text token.
const STRINGS: u64 = 16;

/// For each nonterminal its smallest part by number of nodes, of plainest tokens; `None` where a
/// text has no string.
pub(super) fn least(compiled: &Compiled, layout: &Layout) -> Vec<Option<Program>> {
    let grammar = &compiled.grammar;
    let mut least: Vec<Option<Program>> = vec![None; grammar.nonterminals.len()];
    // Each round settles what is built of what was settled before: no more rounds than
    // nonterminals.
    loop {
        let mut better = false;
        for (at, nt) in grammar.nonterminals.iter().enumerate() {
            for production in &nt.productions {
                let Some(found) = smallest_by(compiled, layout, nt.kind, *production, &least)
                else {
                    continue;
                };
                let known = least[at].as_ref();
                if known.is_none_or(|known| found.len() < known.len()) {
                    least[at] = Some(found);
                    better = true;
                }
            }
        }
        if !better {
            return least;
        }
    }
}

/// For each production without children its place among those of its sort, else 0.
pub(super) fn places(compiled: &Compiled) -> Vec<u64> {
    let grammar = &compiled.grammar;
    let mut places = vec![0; grammar.productions.len()];
    for nt in &grammar.nonterminals {
        for (place, production) in (0..).zip(&nt.productions) {
            let node = grammar.production(*production);
            // A sort may have several nonterminals, of which some have fewer productions.
            if node.children.is_empty() && matches!(node.kind, ProductionKind::Node(_)) {
                let known = &mut places[production.index()];
                *known = place.max(*known);
            }
        }
    }
    places
}

fn smallest_by(
    compiled: &Compiled,
    layout: &Layout,
    kind: NonterminalKind,
    production: ProdId,
    least: &[Option<Program>],
) -> Option<Program> {
    let grammar = &compiled.grammar;
    if let NonterminalKind::Token(token) = kind {
        let domain = &grammar.token(token).domain;
        if let Domain::Text { .. } = domain {
            let texts = &compiled.syntax as &dyn crate::sample::TextSource;
            let drawn = (0..STRINGS).map(|i| texts.text(token, &mut crate::sample::stream(0, i)));
            let short = drawn.min_by(|a, b| (a.len(), a).cmp(&(b.len(), b)))?;
            return Program::from_preorder(grammar, [(production, 0)], vec![short.into()]);
        }
        return Program::from_preorder(grammar, [(production, plainest(domain))], Vec::new());
    }
    let mut kinds = vec![(production, 0)];
    let mut texts: Vec<Box<str>> = Vec::new();
    for child in &grammar.production(production).children {
        let part = least[child.nt.index()].as_ref()?;
        push(layout, part, &mut kinds, &mut texts);
    }
    Program::from_preorder(grammar, kinds, texts)
}

/// Puts a part behind others.
fn push(
    layout: &Layout,
    part: &Program,
    kinds: &mut Vec<(ProdId, u32)>,
    texts: &mut Vec<Box<str>>,
) {
    for node in part.nodes() {
        let text = layout.is_text(node.production);
        let value = match text {
            true => texts.len() as u32,
            false => node.value,
        };
        if let Some(text) = part.texts().get(node.value as usize).filter(|_| text) {
            texts.push(text.clone());
        }
        kinds.push((node.production, value));
    }
}

impl Minimiser<'_> {
    fn may_stand(&self, nt: NtId, production: ProdId) -> bool {
        let nt = self.compiled.grammar.nonterminal(nt);
        nt.productions.contains(&production)
    }

    /// A part replaced by the smallest of its kind, or by one of its own descendants: the
    /// smallest first, then those that take little away, so that one item of a list can go, or two,
    /// or four.
    pub(super) fn shrunk(&self, program: &Program, at: usize, nt: NtId) -> Vec<Edit> {
        let mut edits = Vec::new();
        let part = program.subtree(at);
        if let Some(least) = &self.least[nt.index()]
            && least.len() < part.len()
        {
            edits.push(Edit {
                position: at,
                replacement: least.clone(),
            });
        }
        let mut inside: Vec<usize> = (at + 1..at + part.len())
            .filter(|inner| self.may_stand(nt, program.nodes()[*inner].production))
            .collect();
        inside.sort_by_key(|inner| program.nodes()[*inner].len);
        let count = inside.len();
        let chosen: Vec<usize> = if count <= HOISTS {
            inside
        } else {
            let half = HOISTS / 2;
            // From the large end 1, 2, 4, ... away, largest steps first.
            let steps = (0..half)
                .map(|i| 1usize << i)
                .filter(|step| *step < count - half);
            let far: Vec<usize> = steps.map(|step| inside[count - step]).rev().collect();
            inside[..half].iter().copied().chain(far).collect()
        };
        edits.extend(chosen.into_iter().map(|inner| Edit {
            position: at,
            replacement: self.layout.extract(program, inner),
        }));
        edits
    }

    /// A part replaced by random ones that are no larger.
    pub(super) fn drawn(&self, program: &Program, at: usize, nt: NtId, rng: &mut Rng) -> Vec<Edit> {
        let kind = self.compiled.grammar.nonterminal(nt).kind;
        let size = program.nodes()[at].size;
        if matches!(kind, NonterminalKind::Token(_)) {
            return Vec::new();
        }
        let sampler: &Sampler<'_> = &self.sampler;
        let drawn = (0..DRAWS).filter_map(|_| sampler.sample_nt(nt, 0..=size, rng));
        drawn
            .map(|replacement| Edit {
                position: at,
                replacement,
            })
            .collect()
    }

    /// A part rewritten by each of the grammar's rules that fits.
    pub(super) fn rewritten(&self, program: &Program, at: usize, nt: NtId) -> Vec<Edit> {
        let grammar = &self.compiled.grammar;
        let mut edits = Vec::new();
        for (plan, direction) in &self.plans {
            let (matched, made) = Direction::sides(*direction, plan.rule());
            let mut bindings = Bindings::new(plan.rule());
            if !lay(grammar, &self.layout, matched, program, at, &mut bindings)
                || !plan.complete_once(&mut bindings)
            {
                continue;
            }
            let Some(replacement) = build(grammar, made, &bindings) else {
                continue;
            };
            let root = replacement.nodes().first().map(|node| node.production);
            if root.is_some_and(|root| self.may_stand(nt, root)) {
                edits.push(Edit {
                    position: at,
                    replacement,
                });
            }
        }
        edits
    }

    /// A leaf replaced by the leaves of its sort that come before it.
    pub(super) fn plainer(&self, program: &Program, at: usize, nt: NtId) -> Vec<Edit> {
        let grammar = &self.compiled.grammar;
        let own = program.nodes()[at].production;
        if !grammar.production(own).children.is_empty() {
            return Vec::new();
        }
        let nt = grammar.nonterminal(nt).productions.iter();
        let before = nt.filter(|other| {
            grammar.production(**other).children.is_empty()
                && self.places[other.index()] < self.places[own.index()]
        });
        before
            .filter_map(|other| {
                Some(Edit {
                    position: at,
                    replacement: Program::from_preorder(grammar, [(*other, 0)], Vec::new())?,
                })
            })
            .collect()
    }

    /// A token with another value.
    pub(super) fn valued(&self, program: &Program, at: usize, value: u32) -> Option<Edit> {
        let production = program.nodes()[at].production;
        let grammar = &self.compiled.grammar;
        Some(Edit {
            position: at,
            replacement: Program::from_preorder(grammar, [(production, value)], Vec::new())?,
        })
    }

    /// A text with characters `from..to` left out, where the language still reads it as itself.
    pub(super) fn cut(
        &self,
        program: &Program,
        at: usize,
        (from, to): (usize, usize),
    ) -> Option<Edit> {
        let node = program.nodes()[at];
        let text = program.texts().get(node.value as usize)?;
        let kept = text.chars().enumerate();
        let cut: String = kept
            .filter_map(|(i, c)| (i < from || i >= to).then_some(c))
            .collect();
        let grammar = &self.compiled.grammar;
        let replacement =
            Program::from_preorder(grammar, [(node.production, 0)], vec![cut.into()])?;
        let edit = Edit {
            position: at,
            replacement,
        };
        let edited = self.edited(program, &edit);
        let read = self.compiled.parse(&self.compiled.print(&edited));
        (read.as_ref() == Ok(&edited)).then_some(edit)
    }

    /// A program after an edit.
    pub(super) fn edited(&self, program: &Program, edit: &Edit) -> Program {
        let mut edited = program.clone();
        self.layout.apply(&mut edited, edit);
        edited
    }
}
