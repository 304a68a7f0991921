//! Which operators are commutative and associative, read off the rules.
//!
//! In: the rules of a language. Out: [`Law`]s. Afterwards the operands of such an operator need not
//! be swapped and bracketed in all ways, of which there are more than programs of eight operands
//! can pay for: they are kept as a multiset, and the other rules are matched on multisets.
//!
//! An operator is a production with two fields for operands and fixed programs in all others, as
//! `(+ ?a ?b)` is. Commutative is what has a rule `(+ ?a ?b) => (+ ?b ?a)` without equations or
//! conditions; together with it, any rule that brackets three operands in another way makes it
//! associative.

use crate::grammar::ids::ProdId;
use crate::grammar::ir::Grammar;
use crate::grammar::pattern::{Pattern, PatternNode};
use crate::grammar::rules::Rule;

/// An operator whose operands may change places and brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Law {
    /// Its production.
    pub production: ProdId,
    /// The other fields, by position, with the only program that makes it this operator.
    pub fixed: Vec<(usize, Vec<(ProdId, u32)>)>,
    /// The fields of its operands, by position.
    pub holes: [usize; 2],
    /// The rule that swaps operands.
    pub commute: usize,
    /// The rule that brackets them in another way.
    pub associate: usize,
}

/// The laws that hold among the rules.
pub(crate) fn find(grammar: &Grammar, rules: &[Rule]) -> Vec<Law> {
    let mut found: Vec<Law> = Vec::new();
    for (commute, rule) in rules.iter().enumerate() {
        let Some((skeleton, [a, b])) = operator(grammar, &rule.left) else {
            continue;
        };
        let swapped = operator(grammar, &rule.right);
        if !is_plain(rule) || swapped != Some((skeleton.clone(), [b, a])) {
            continue;
        }
        let (production, fixed, holes) = skeleton.clone();
        let known = |law: &Law| law.production == production && law.fixed == fixed;
        if found.iter().any(known) || loose(grammar, rules, production, &fixed) {
            continue;
        }
        let mut others = rules.iter().enumerate();
        let brackets = others.find(|(_, rule)| rebrackets(grammar, rule, &skeleton));
        if let Some((associate, _)) = brackets {
            found.push(Law {
                production,
                fixed,
                holes,
                commute,
                associate,
            });
        }
    }
    found
}

/// A production, its fixed fields, and the fields of its operands.
type Skeleton = (ProdId, Vec<(usize, Vec<(ProdId, u32)>)>, [usize; 2]);

fn is_plain(rule: &Rule) -> bool {
    rule.lets.is_empty() && rule.condition.is_none()
}

/// Where the children of a pattern's node begin.
pub(crate) fn children(grammar: &Grammar, pattern: &Pattern, at: usize) -> Vec<usize> {
    let Some(PatternNode::Node(production, _)) = pattern.nodes.get(at) else {
        return Vec::new();
    };
    let mut next = at + 1;
    let mut starts = Vec::new();
    for _ in &grammar.production(*production).children {
        starts.push(next);
        next = end(grammar, pattern, next);
    }
    starts
}

/// Where the subtree at a place of a pattern ends.
fn end(grammar: &Grammar, pattern: &Pattern, at: usize) -> usize {
    let mut open = 1usize;
    let mut next = at;
    while open > 0 {
        match pattern.nodes.get(next) {
            Some(PatternNode::Node(production, _)) => {
                open += grammar.production(*production).children.len();
            }
            Some(PatternNode::Meta(..)) => {}
            None => return next,
        }
        open -= 1;
        next += 1;
    }
    next
}

/// The node at a place as an operator on two things, each the place where it begins.
fn operator_at(
    grammar: &Grammar,
    pattern: &Pattern,
    at: usize,
    is_operand: impl Fn(usize) -> bool,
) -> Option<(Skeleton, [usize; 2])> {
    let Some(PatternNode::Node(production, _)) = pattern.nodes.get(at) else {
        return None;
    };
    let mut fixed = Vec::new();
    let mut operands = Vec::new();
    for (index, start) in children(grammar, pattern, at).into_iter().enumerate() {
        if is_operand(start) {
            operands.push((index, start));
            continue;
        }
        let mut kinds = Vec::new();
        for node in pattern.nodes.get(start..end(grammar, pattern, start))? {
            match node {
                PatternNode::Node(production, value) => kinds.push((*production, *value)),
                PatternNode::Meta(..) => return None,
            }
        }
        fixed.push((index, kinds));
    }
    match operands.as_slice() {
        // Texts are told by their rank in the pattern, which is no part of an operator.
        [(i, a), (j, b)] if pattern.texts.is_empty() => {
            Some(((*production, fixed, [*i, *j]), [*a, *b]))
        }
        _ => None,
    }
}

/// A pattern that is an operator on two different metavariables.
fn operator(grammar: &Grammar, pattern: &Pattern) -> Option<(Skeleton, [u16; 2])> {
    let meta = |at: usize| meta_at(pattern, at);
    let (skeleton, [a, b]) = operator_at(grammar, pattern, 0, |at| meta(at).is_some())?;
    let (a, b) = (meta(a)?, meta(b)?);
    (a != b).then_some((skeleton, [a, b]))
}

fn meta_at(pattern: &Pattern, at: usize) -> Option<u16> {
    match pattern.nodes.get(at) {
        Some(PatternNode::Meta(index, _)) => Some(*index),
        _ => None,
    }
}

/// Whether a rule's sides are the operator on the same three metavariables, bracketed differently.
fn rebrackets(grammar: &Grammar, rule: &Rule, skeleton: &Skeleton) -> bool {
    let outer = |pattern: &Pattern| -> Option<(u16, Vec<u16>)> {
        let is_operand = |at: usize| {
            meta_at(pattern, at).is_some()
                || matches!(pattern.nodes.get(at), Some(PatternNode::Node(p, _)) if *p == skeleton.0)
        };
        let (own, places) = operator_at(grammar, pattern, 0, is_operand)?;
        let (alone, pair) = match places.map(|at| meta_at(pattern, at)) {
            [Some(alone), None] => (alone, places[1]),
            [None, Some(alone)] => (alone, places[0]),
            _ => return None,
        };
        let is_meta = |at: usize| meta_at(pattern, at).is_some();
        let (inner, [a, b]) = operator_at(grammar, pattern, pair, is_meta)?;
        let mut all = vec![alone, meta_at(pattern, a)?, meta_at(pattern, b)?];
        all.sort_unstable();
        all.dedup();
        (own == *skeleton && inner == *skeleton && all.len() == 3).then_some((alone, all))
    };
    let (Some((a, of)), Some((b, others))) = (outer(&rule.left), outer(&rule.right)) else {
        return false;
    };
    is_plain(rule) && of == others && a != b
}

/// Whether a rule leaves open which operator of the production it speaks of. Multisets would hide
/// programs from it.
fn loose(
    grammar: &Grammar,
    rules: &[Rule],
    production: ProdId,
    fixed: &[(usize, Vec<(ProdId, u32)>)],
) -> bool {
    let patterns = rules.iter().flat_map(|rule| [&rule.left, &rule.right]);
    patterns.into_iter().any(|pattern| {
        (0..pattern.nodes.len()).any(|at| {
            if !matches!(pattern.nodes.get(at), Some(PatternNode::Node(p, _)) if *p == production) {
                return false;
            }
            let starts = children(grammar, pattern, at);
            fixed.iter().any(|(index, _)| {
                let Some(&start) = starts.get(*index) else {
                    return true;
                };
                let part = pattern.nodes.get(start..end(grammar, pattern, start));
                let open = |node: &PatternNode| matches!(node, PatternNode::Meta(..));
                part.is_none_or(|nodes| nodes.iter().any(open))
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compiled::Compiled;

    fn laws(rules: &str) -> Vec<(String, String)> {
        let text = format!(
            r#"language l
            start E
            size nodes
            sample size 1..=9
            token N = 0..=9
            sort O {{ Add = "+"  Sub = "-" }}
            sort E {{ Lit = n:N   Two = "(" o:O a:E b:E ")"   Or = "[" a:E "|" b:E "]" }}
            rewrite E {{ {rules} }}"#
        );
        let compiled = Compiled::from_text("l", &text).unwrap_or_else(|e| panic!("{e}"));
        let name = |at: usize| compiled.rules[at].name.clone();
        find(&compiled.grammar, &compiled.rules)
            .iter()
            .map(|law| (name(law.commute), name(law.associate)))
            .collect()
    }

    fn pair(a: &str, b: &str) -> (String, String) {
        (a.to_string(), b.to_string())
    }

    #[test]
    fn laws_are_read_off_rules() {
        let both = "c: `(+ ?a ?b)` => `(+ ?b ?a)`  s: `(+ (+ ?a ?b) ?c)` <=> `(+ ?a (+ ?b ?c))`";
        assert_eq!(laws(both), [pair("c", "s")]);
        // Three in any two different brackets, once they may change places.
        let odd = "c: `[?a | ?b]` => `[?b | ?a]`  s: `[[?a | ?b] | ?c]` => `[[?c | ?b] | ?a]`";
        assert_eq!(laws(odd), [pair("c", "s")]);
    }

    #[test]
    fn what_looks_like_a_law_and_is_none() {
        // One alone; the same brackets; different operators; a condition; an operator left open.
        for rules in [
            "c: `(+ ?a ?b)` <=> `(+ ?b ?a)`",
            "s: `(+ (+ ?a ?b) ?c)` <=> `(+ ?a (+ ?b ?c))`",
            "c: `(+ ?a ?b)` <=> `(+ ?b ?a)`  s: `(+ (+ ?a ?b) ?c)` <=> `(+ (+ ?b ?a) ?c)`",
            "c: `(+ ?a ?b)` <=> `(+ ?b ?a)`  s: `(+ (- ?a ?b) ?c)` <=> `(+ ?a (- ?b ?c))`",
            "c: `(+ ?a ?b)` <=> `(- ?b ?a)`  s: `(+ (+ ?a ?b) ?c)` <=> `(+ ?a (+ ?b ?c))`",
            "c: `(+ ?a ?b)` <=> `(+ ?b ?a)` if 1 < 2 \
             s: `(+ (+ ?a ?b) ?c)` <=> `(+ ?a (+ ?b ?c))`",
            "c: `(+ ?a ?b)` <=> `(+ ?b ?a)`  s: `(+ (+ ?a ?b) ?c)` <=> `(+ ?a (+ ?b ?c))` \
             o: `(?o ?a ?a)` => `?a`",
        ] {
            assert_eq!(laws(rules), [], "{rules}");
        }
    }
}
