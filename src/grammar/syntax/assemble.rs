//! From a derivation to the nodes of a program.
//!
//! In: the steps of a derivation in postorder, as an LR parser makes them. Out: the nodes in
//! reverse preorder, through [`Emit`]. Afterwards lists are cons lists and every value is an index
//! into its token's domain; values outside it are reported and stand as index 0.
//!
//! The steps are walked backwards, which meets a node before its children and the children from the
//! last to the first: what each step must be follows from what its parent expects, so hidden nodes
//! get the right productions although lists share one nonterminal in the [`Bnf`].

use super::bnf::{Action, Bnf, Rule};
use super::values::value_index;
use crate::grammar::ids::{NtId, ProdId, TokenId};
use crate::grammar::ir::{Domain, Grammar, NonterminalKind, ProductionKind};

/// A step of a derivation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A rule is used; never one whose action is `Start` or `Pass`.
    Rule(Rule),
    /// A number or text stands here, from byte to byte.
    Word(u32, u32),
    /// The metavariable of this index stands here.
    Hole(u32),
}

/// Takes nodes in reverse preorder.
pub(crate) trait Emit {
    /// A node with its value.
    fn node(&mut self, production: ProdId, value: u32);
    /// A text token's node.
    fn text(&mut self, production: ProdId, text: &str);
    /// A metavariable that stands for a nonterminal.
    fn hole(&mut self, index: u32, nt: NtId);
    /// A value outside its token's domain.
    fn mistake(&mut self, token: TokenId, start: u32, end: u32);
}

/// How a nonterminal is assembled.
#[derive(Clone, Copy, Debug)]
enum Form {
    Sort,
    Token(TokenId),
    List {
        item: NtId,
        /// Production of the first item's node, and of the others'.
        first: ProdId,
        more: ProdId,
        nil: ProdId,
    },
    Optional {
        item: NtId,
        some: ProdId,
        none: ProdId,
    },
}

/// The forms of all nonterminals.
#[derive(Clone, Debug)]
pub(crate) struct Forms {
    forms: Vec<Form>,
    /// Per production its children's nonterminals.
    children: Vec<Vec<NtId>>,
    may_be_empty: Vec<bool>,
}

impl Forms {
    /// The forms of a grammar; `None` when a hidden production is missing, which `check` excludes.
    pub fn new(grammar: &Grammar) -> Option<Forms> {
        let find = |nt: NtId, kind: ProductionKind| {
            let of = &grammar.nonterminal(nt).productions;
            of.iter()
                .copied()
                .find(|p| grammar.production(*p).kind == kind)
        };
        let form = |nt: NtId| {
            Some(match grammar.nonterminal(nt).kind {
                NonterminalKind::Sort { .. } => Form::Sort,
                NonterminalKind::Token(token) => Form::Token(token),
                NonterminalKind::List { item, .. } => {
                    let first = find(nt, ProductionKind::Cons)?;
                    let rest = grammar.production(first).children.get(1)?.nt;
                    Form::List {
                        item,
                        first,
                        more: find(rest, ProductionKind::Cons)?,
                        nil: find(rest, ProductionKind::Nil)?,
                    }
                }
                NonterminalKind::Optional { item } => Form::Optional {
                    item,
                    some: find(nt, ProductionKind::Some)?,
                    none: find(nt, ProductionKind::None)?,
                },
            })
        };
        Some(Forms {
            forms: grammar.nonterminal_ids().map(form).collect::<Option<_>>()?,
            children: grammar
                .productions
                .iter()
                .map(|p| p.children.iter().map(|c| c.nt).collect())
                .collect(),
            may_be_empty: grammar
                .nonterminals
                .iter()
                .map(|n| {
                    matches!(
                        n.kind,
                        NonterminalKind::List { min: 0, .. } | NonterminalKind::Optional { .. }
                    )
                })
                .collect(),
        })
    }
}

/// What is still to be done, last first.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    /// This nonterminal, and it is not an empty list or option.
    Filled(NtId),
    /// This nonterminal, with a step that says whether it is there.
    Maybe(NtId),
    /// This nonterminal, empty.
    Empty(NtId),
    /// The items of a list, its end emitted.
    Items(NtId),
    /// A node whose children are emitted.
    Emit(ProdId),
}

/// Assembles the program whose derivation from `nt` is `steps`. False when the steps are no such
/// derivation, which only a mistake in the caller can cause.
#[allow(clippy::too_many_arguments)] // tables, input, and two buffers that the caller reuses
pub(crate) fn assemble<E: Emit>(
    grammar: &Grammar,
    bnf: &Bnf,
    forms: &Forms,
    nt: NtId,
    steps: &[Step],
    text: &str,
    work: &mut Vec<Work>,
    out: &mut E,
) -> bool {
    let mut steps = steps.iter().rev().copied();
    work.clear();
    work.push(expect(forms, nt));
    while let Some(next) = work.pop() {
        let done = match next {
            Work::Emit(production) => {
                out.node(production, 0);
                true
            }
            Work::Empty(nt) => {
                match forms.forms[nt.index()] {
                    Form::List { nil, .. } => out.node(nil, 0),
                    Form::Optional { none, .. } => out.node(none, 0),
                    _ => return false,
                }
                true
            }
            Work::Maybe(nt) => match steps.next().map(|s| action(bnf, s)) {
                Some(Some(Action::Present)) => {
                    work.push(Work::Filled(nt));
                    true
                }
                Some(Some(Action::Absent)) => {
                    work.push(Work::Empty(nt));
                    true
                }
                _ => false,
            },
            Work::Items(nt) => {
                let Form::List {
                    item, first, more, ..
                } = forms.forms[nt.index()]
                else {
                    return false;
                };
                match steps.next().map(|s| action(bnf, s)) {
                    Some(Some(Action::First)) => {
                        work.extend([Work::Emit(first), expect(forms, item)]);
                        true
                    }
                    Some(Some(Action::More)) => {
                        work.extend([Work::Items(nt), Work::Emit(more), expect(forms, item)]);
                        true
                    }
                    _ => false,
                }
            }
            Work::Filled(nt) => match forms.forms[nt.index()] {
                Form::Sort => match steps.next() {
                    Some(Step::Rule(rule)) => sort(bnf, forms, rule, work),
                    Some(Step::Hole(index)) => {
                        out.hole(index, nt);
                        true
                    }
                    _ => false,
                },
                Form::Token(token) => match steps.next() {
                    Some(Step::Word(start, end)) => {
                        word(grammar, token, text, start, end, out);
                        true
                    }
                    Some(Step::Hole(index)) => {
                        out.hole(index, nt);
                        true
                    }
                    Some(step) => match action(bnf, step) {
                        Some(Action::Finite { production, value }) => {
                            out.node(production, value);
                            true
                        }
                        _ => false,
                    },
                    None => false,
                },
                Form::List { nil, .. } => {
                    out.node(nil, 0);
                    work.push(Work::Items(nt));
                    true
                }
                Form::Optional { item, some, .. } => {
                    work.extend([Work::Emit(some), expect(forms, item)]);
                    true
                }
            },
        };
        if !done {
            return false;
        }
    }
    steps.next().is_none()
}

fn action(bnf: &Bnf, step: Step) -> Option<Action> {
    match step {
        Step::Rule(rule) => Some(bnf.productions[rule.index()].action),
        _ => None,
    }
}

/// A nonterminal outside a production's own fields: an item, or the whole program.
fn expect(forms: &Forms, nt: NtId) -> Work {
    if forms.may_be_empty[nt.index()] {
        Work::Maybe(nt)
    } else {
        Work::Filled(nt)
    }
}

fn sort(bnf: &Bnf, forms: &Forms, rule: Rule, work: &mut Vec<Work>) -> bool {
    let Action::Node {
        production,
        absent,
        maybe,
    } = bnf.productions[rule.index()].action
    else {
        return false;
    };
    work.push(Work::Emit(production));
    let children = &forms.children[production.index()];
    if absent | maybe == 0 {
        work.extend(children.iter().map(|nt| Work::Filled(*nt)));
        return true;
    }
    for (index, &nt) in children.iter().enumerate() {
        let bit = 1u64.checked_shl(index as u32).unwrap_or(0);
        work.push(if absent & bit != 0 {
            Work::Empty(nt)
        } else if maybe & bit != 0 {
            Work::Maybe(nt)
        } else {
            Work::Filled(nt)
        });
    }
    true
}

fn word<E: Emit>(grammar: &Grammar, token: TokenId, text: &str, start: u32, end: u32, out: &mut E) {
    let lexeme = text.get(start as usize..end as usize).unwrap_or("");
    let of = grammar.token(token);
    if let Domain::Text { .. } = of.domain {
        out.text(of.production, lexeme);
        return;
    }
    match value_index(&of.domain, lexeme) {
        Some(value) => out.node(of.production, value),
        None => {
            out.mistake(token, start, end);
            out.node(of.production, 0);
        }
    }
}
