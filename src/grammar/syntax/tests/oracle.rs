//! The tables against lrtable, an independent maker of LR(1) tables: on random grammars both find
//! conflicts or neither does.

use cfgrammar::yacc::{YaccGrammar, YaccKind, YaccOriginalActionKind};
use lrtable::{Minimiser, from_yacc};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::super::bnf::{Action, Bnf, Nt, NtKind, Part, Production, Rule, Symbol, Term, Terminal};
use super::super::lr::Automaton;
use crate::grammar::ids::LiteralId;

/// A random grammar of a few short productions; nonterminal 1 is the user's start.
fn random(rng: &mut Xoshiro256PlusPlus) -> Bnf {
    let (terms, nts) = (rng.random_range(2..5u16), rng.random_range(1..5u16));
    let mut bnf = Bnf {
        terminals: (0..terms)
            .map(|t| Terminal::Literal(LiteralId(t)))
            .collect(),
        nonterminals: vec![NtKind::Start; usize::from(nts) + 1],
        productions: Vec::new(),
        of: vec![Vec::new(); usize::from(nts) + 1],
        symbol: Vec::new(),
        literal: Vec::new(),
        token: Vec::new(),
    };
    let mut add = |lhs: u16, rhs: Vec<Symbol>, action| {
        let part = |symbol| Part {
            symbol,
            child: None,
            glue: false,
        };
        bnf.of[usize::from(lhs)].push(Rule(bnf.productions.len() as u32));
        bnf.productions.push(Production {
            lhs: Nt(lhs),
            rhs: rhs.into_iter().map(part).collect(),
            glue_end: false,
            action,
        });
    };
    add(0, vec![Symbol::N(Nt(1))], Action::Start);
    for lhs in 1..=nts {
        for _ in 0..rng.random_range(1..4u8) {
            let len = rng.random_range(0..4u8);
            let symbol = |rng: &mut Xoshiro256PlusPlus| {
                if rng.random_bool(0.6) {
                    Symbol::T(Term(rng.random_range(0..terms)))
                } else {
                    Symbol::N(Nt(rng.random_range(1..=nts)))
                }
            };
            let rhs = (0..len).map(|_| symbol(rng)).collect();
            add(lhs, rhs, Action::Pass);
        }
    }
    bnf
}

/// The same grammar as yacc writes it.
fn yacc(bnf: &Bnf) -> String {
    let mut text = String::from("%start N1\n%%\n");
    for (nt, of) in bnf.of.iter().enumerate().skip(1) {
        let bodies: Vec<String> = of
            .iter()
            .map(|rule| {
                let rhs = &bnf.productions[rule.index()].rhs;
                let symbols = rhs.iter().map(|p| match p.symbol {
                    Symbol::T(term) => format!("'t{}'", term.0),
                    Symbol::N(nt) => format!("N{}", nt.0),
                });
                symbols.collect::<Vec<_>>().join(" ")
            })
            .collect();
        text.push_str(&format!("N{nt}: {};\n", bodies.join(" | ")));
    }
    text
}

#[test]
fn conflicts_are_those_that_lrtable_finds() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
    let (mut clean, mut torn) = (0, 0);
    for _ in 0..3_000 {
        let bnf = random(&mut rng);
        let text = yacc(&bnf);
        // lrtable wants every rule to be used.
        let kind = YaccKind::Original(YaccOriginalActionKind::NoAction);
        let Ok(grammar) = YaccGrammar::<u32>::new_with_storaget(kind, &text) else {
            continue;
        };
        let theirs = match from_yacc(&grammar, Minimiser::Pager) {
            Ok((_, table)) => table.conflicts().is_some(),
            // A conflict between accepting and reducing.
            Err(_) => true,
        };
        let ours = Automaton::build(&bnf, &None).unwrap();
        let ours = (0..ours.states.len() as u32)
            .any(|s| (0..ours.terms).any(|t| ours.actions(s, Term(t as u16)).len() > 1));
        assert_eq!(ours, theirs, "{text}");
        *(if ours { &mut torn } else { &mut clean }) += 1;
    }
    assert!(clean > 100 && torn > 100, "{clean} {torn}");
}
