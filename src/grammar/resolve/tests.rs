//! Grammars as they come out of `resolve`, and of `extends`.

use crate::compiled::Compiled;
use crate::diag::Sink;
use crate::grammar::ids::{NtId, ProdId};
use crate::grammar::ir::{Domain, Grammar, NonterminalKind, SizeMetric, SyntaxItem};
use crate::grammar::{extend, load};
use crate::pipeline;
use crate::source::SourceMap;

fn compile(text: &str) -> Compiled {
    Compiled::from_text("test", text).unwrap_or_else(|error| panic!("{error}"))
}

/// The grammar before the checks of its syntax.
fn resolved(text: &str) -> Grammar {
    let (mut sources, mut sink) = (SourceMap::new(), Sink::new());
    let loaded = load::load_str("test", text, &mut sources, &mut sink);
    let units = extend::flatten(&loaded, &mut sink).unwrap();
    let is_std = |id| loaded.module(id).is_std;
    let resolved = super::resolve(&units, is_std, "test", &mut sink);
    assert!(sink.is_empty(), "{:?}", sink.sorted());
    resolved.unwrap().grammar
}

/// Codes of all diagnostics, in the order of the text.
fn codes(text: &str) -> Vec<&'static str> {
    let outcome = pipeline::compile_str("test", text);
    outcome
        .diagnostics
        .iter()
        .map(|d| d.code.as_str())
        .collect()
}

/// A sort's production by its name.
fn production(compiled: &Compiled, name: &str) -> ProdId {
    let grammar = &compiled.grammar;
    grammar
        .production_ids()
        .find(|id| grammar.production(*id).name == name)
        .unwrap()
}

/// Names of the productions that may stand at a child of a production.
fn may_stand(compiled: &Compiled, name: &str, child: usize) -> Vec<String> {
    let grammar = &compiled.grammar;
    let nt = grammar.production(production(compiled, name)).children[child].nt;
    let ids = grammar.nonterminal(nt).productions.iter();
    ids.map(|id| grammar.production(*id).name.clone()).collect()
}

const ARITH: &str = r#"
    language arith
    start Expr
    token Number = 0..=9
    sort Expr {
        Lit   = value:Number
        Paren = "(" inner:Expr ")"
        Abs   = "|" inner:Expr "|"
        Index = of:Expr "[" at:Expr "]"
        infix left  { Add = "+"  Sub = "-" }
        infix none  { Less = "<" }
        prefix      { Neg = "-" of:Expr }
        infix right { Pow = "^" }
    }
"#;

#[test]
fn operators_take_what_binds_tightly_enough() {
    let compiled = compile(&ARITH.replace("\"-\" of", "\"~\" of"));
    let plain = ["Lit", "Paren", "Abs", "Index"];
    let with = |more: &[&str]| {
        let mut all: Vec<String> = plain.iter().map(|s| (*s).to_owned()).collect();
        all.extend(more.iter().map(|s| (*s).to_owned()));
        all
    };
    let all = with(&["Add", "Sub", "Less", "Neg", "Pow"]);
    // Left: the left operand binds as tightly, the right one tighter.
    assert_eq!(may_stand(&compiled, "Add", 0), all);
    assert_eq!(
        may_stand(&compiled, "Add", 1),
        with(&["Less", "Neg", "Pow"])
    );
    // None: both tighter. Right: the other way round. Prefix: as tightly.
    assert_eq!(may_stand(&compiled, "Less", 0), with(&["Neg", "Pow"]));
    assert_eq!(may_stand(&compiled, "Less", 1), with(&["Neg", "Pow"]));
    assert_eq!(may_stand(&compiled, "Pow", 0), plain);
    assert_eq!(may_stand(&compiled, "Pow", 1), with(&["Pow"]));
    assert_eq!(may_stand(&compiled, "Neg", 0), with(&["Neg", "Pow"]));
    // Plain productions: at an edge the tightest, between other things anything.
    assert_eq!(may_stand(&compiled, "Paren", 0), all);
    assert_eq!(may_stand(&compiled, "Index", 0), plain);
    assert_eq!(may_stand(&compiled, "Index", 1), all);
}

#[test]
fn operands_of_lists_and_next_to_absent_parts() {
    // Not a language anybody can read; what counts here are the levels.
    let grammar = resolved(
        r#"
        language l
        start E
        sort N { N = "n" }
        sort M { M = "m" }
        sort E {
            A    = "a"
            Tup  = "(" items:E* sep "," ")"
            Seq  = "{" items:E* "}"
            Opt  = "do" n:N? of:E "end"
            Edge = m:M? of:E "!"
            infix left { Add = "+" }
        }
        "#,
    );
    let item = |name: &str, child: usize| {
        let mut productions = grammar.productions.iter();
        let production = productions.find(|p| p.name == name).unwrap();
        let nt = production.children[child].nt;
        let level = |nt: NtId| match grammar.nonterminal(nt).kind {
            NonterminalKind::Sort { level, .. } => level,
            _ => panic!("not a sort"),
        };
        match grammar.nonterminal(nt).kind {
            NonterminalKind::List { item, .. } => level(item),
            _ => level(nt),
        }
    };
    assert_eq!(item("Tup", 0), 0);
    assert_eq!(item("Seq", 0), 1, "neighbours without a separator");
    assert_eq!(item("Opt", 1), 0, "between other things");
    assert_eq!(
        item("Edge", 1),
        1,
        "the edge, when the part before it is absent"
    );
}

#[test]
fn lists_and_options_are_productions() {
    let compiled = compile(
        r#"
        language l
        start S
        size nodes
        sample size 1..=12
        sort S { S = "s" many:X* sep "," ";" some:X+ @weight(0.5) ";" maybe:X? }
        sort X { X = "x" }
        "#,
    );
    let grammar = &compiled.grammar;
    let s = grammar.production(production(&compiled, "S"));
    let kinds: Vec<_> = s
        .children
        .iter()
        .map(|child| {
            let nt = grammar.nonterminal(child.nt);
            let shape = nt.productions.iter().map(|id| {
                let production = grammar.production(*id);
                (
                    production.name.as_str(),
                    production.children.len(),
                    production.weight,
                )
            });
            shape.collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(kinds[0], [("Nil", 0, 1.0), ("Cons", 2, 1.0)]);
    assert_eq!(kinds[1], [("Cons", 2, 1.0)]);
    assert_eq!(kinds[2], [("None", 0, 1.0), ("Some", 1, 1.0)]);
    let some = grammar.nonterminal(s.children[1].nt).productions[0];
    let rest = grammar.production(some).children[1].nt;
    let further = grammar.nonterminal(rest).productions[1];
    assert_eq!(grammar.production(further).weight, 0.5);
    assert_eq!(grammar.production(further).children[1].nt, rest);
    let children = s.syntax.iter();
    let children = children.filter(|item| matches!(item, SyntaxItem::Child(_)));
    assert_eq!(children.count(), 3);
}

#[test]
fn every_length_of_a_list_has_its_programs() {
    // One program of each size: the number of items is the size less one.
    let compiled = compile(
        r#"
        language l
        start S
        size nodes
        sample size 2..=20
        sort S { S = items:X+ }
        sort X { X = "x" }
        "#,
    );
    let start = compiled.grammar.start;
    for size in 2..=20 {
        assert_eq!(compiled.inside.weight(start, size).to_f64(), 1.0, "{size}");
    }
    assert!(compiled.inside.weight(start, 1).is_zero());
}

#[test]
fn numbers_and_their_ends() {
    let compiled = compile(
        r#"
        language l
        start S
        token A = -4..4
        token B = 0..=10 step 4
        token C = real 0..=1 step 0.1
        token D = real 0..1 step 0.25 ~ normal(0.5)
        token E = real -0.125..=0.125 step 0.125
        sort S { P = "p" a:A b:B c:C d:D e:E }
        "#,
    );
    let ends = |i: usize| {
        let domain = &compiled.grammar.tokens[i].domain;
        let count = domain.count().unwrap();
        (
            count,
            domain.number(0).unwrap(),
            domain.number(count - 1).unwrap(),
        )
    };
    assert_eq!(ends(0), (8, -4.0, 3.0));
    assert_eq!(ends(1), (3, 0.0, 8.0));
    assert_eq!(ends(2), (11, 0.0, 1.0));
    assert_eq!(ends(3), (4, 0.0, 0.75));
    assert_eq!(ends(4), (3, -0.125, 0.125));
    assert!(matches!(
        compiled.grammar.tokens[4].domain,
        Domain::Real { decimals: 3, .. }
    ));
}

#[test]
fn settings_have_defaults() {
    let compiled = compile("language l start S sort S { A = \"a\" B = \"b\" of:S }");
    let grammar = &compiled.grammar;
    assert_eq!((grammar.sample.min, grammar.sample.max), (1, 8));
    assert_eq!(grammar.size, SizeMetric::Nodes);
    assert_eq!(grammar.mutate.small, 2);
    let counted = "language l start S sort S { @primitive A = \"a\" B = \"b\" x:S y:S z:S }";
    let counted = compile(counted);
    assert_eq!(counted.grammar.size, SizeMetric::Primitives);
    // `B` holds three primitives at least, and mutation must be able to bring it in.
    assert_eq!(counted.grammar.mutate.small, 3);
    assert_eq!(compile("start S sort S { A = \"a\" }").grammar.name, "test");
}

#[test]
fn every_independent_mistake_is_told() {
    let text = r#"
        language l
        start T
        token A = 9..=0
        sort S { P = "p" a:B  P = "q"  @weight(0) Q = "" }
        example e = `p`
        example e = `q`
    "#;
    let mut found = codes(text);
    found.sort();
    assert_eq!(
        found,
        [
            "E0201", "E0201", "E0202", "E0202", "E0303", "E0306", "E0311"
        ]
    );
}
