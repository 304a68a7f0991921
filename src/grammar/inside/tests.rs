//! Inside weights against enumeration.

use super::*;
use crate::diag::{Diagnostic, Sink};
use crate::sample::testing::{CSG, MOVES, enumerate, grammar};

const NESTED: &str = "N:2 | S = *Dot N / Two S S / Three S? S S / Row S* Op | Op = A / B@3";

#[test]
fn tables_agree_with_enumeration() {
    use SizeMetric::{Depth, Nodes, Primitives};
    // Trees of size `size` have at most `nodes` nodes in these.
    for (text, metric, size, nodes) in [
        (CSG, Primitives, 2, 9),
        (CSG, Nodes, 7, 7),
        (CSG, Depth, 2, 9),
        (NESTED, Nodes, 5, 16),
        ("S = Leaf / Un S / Bi S S", Depth, 4, 15),
    ] {
        let grammar = grammar(text, metric, 8);
        let inside = Inside::grown(&grammar, size).unwrap();
        for at in 0..=size {
            let trees = enumerate(&grammar, grammar.start, at, nodes);
            let sum: f64 = trees.iter().map(|(_, weight)| weight).sum();
            let table = inside.weight(grammar.start, at).to_f64();
            let gap = (sum - table).abs();
            assert!(gap <= 1e-9 * sum, "{text} {metric:?} {at}: {sum} {table}");
        }
    }
}

#[test]
fn zero_size_cycles_are_summed_to_the_end() {
    let grammar = grammar(
        "N:2 | S = *Dot N / Move@0.25 S N",
        SizeMetric::Primitives,
        3,
    );
    let inside = Inside::grown(&grammar, 3).unwrap();
    let weight = inside.weight(grammar.start, 1).to_f64();
    assert!((weight - 4.0 / 3.0).abs() < 1e-12);
}

#[test]
fn catalan_numbers_past_the_range_of_f64() {
    // The weight of size n is Catalan(n - 1); neighbours' ratio is (4n - 6) / n.
    let grammar = grammar("S = *Dot / Two S S", SizeMetric::Primitives, 4);
    let inside = Inside::grown(&grammar, 1200).unwrap();
    for n in [2u32, 3, 10, 700, 1200] {
        let ratio = inside
            .weight(grammar.start, n)
            .share(inside.weight(grammar.start, n - 1));
        let exact = (4.0 * f64::from(n) - 6.0) / f64::from(n);
        assert!((ratio - exact).abs() < 1e-9 * exact, "{n}: {ratio} {exact}");
    }
}

fn report(text: &str, metric: SizeMetric, window: (u32, u32), small: u32) -> Vec<Diagnostic> {
    let mut grammar = grammar(text, metric, 8);
    (grammar.sample.min, grammar.sample.max) = window;
    grammar.mutate.small = small;
    let mut sink = Sink::new();
    assert!(Inside::build(&grammar, &mut sink).is_none());
    sink.sorted()
}

/// The last number in the help of an infinite sum is a weight that works, and the limit before
/// it is right: checked with the grammar itself.
#[test]
fn infinite_sums_name_the_cycle_and_a_weight_that_works() {
    use SizeMetric::{Depth, Primitives};
    let cases = [
        (
            "N:2 | S = *Dot N / Move@1.2 S N",
            Primitives,
            "each `Move` around a `S` multiplies the weight by 1.2 and adds no size",
            "the weight of `Move` is below 1:",
        ),
        (
            "N:2 | S = *Dot N / Row N*",
            Primitives,
            "each further element multiplies the weight by 1 and adds no size",
            "weighs less than 1:",
        ),
        (
            "S = *Dot / Wrap@2 T | T = Back@3 S / *Bar",
            Primitives,
            "this way around multiplies the weight by 6 and adds no size",
            "is below 0.",
        ),
        (
            "S = Empty@0.3 / Two S S / *Dot",
            Primitives,
            "each `Two` around a `S` multiplies the weight by",
            "the weight of `Two` is below 0.8333:",
        ),
        (
            "S = Leaf / Row S*",
            Depth,
            "each further element multiplies the weight by 2 and adds no depth",
            "weighs less than 0.5:",
        ),
    ];
    for (text, metric, label, help) in cases {
        let found = report(text, metric, (1, 3), 2);
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!(found[0].code.as_str(), "E0410");
        assert!(
            found[0].primary.message.starts_with(label),
            "{:#?}",
            found[0]
        );
        let said = found[0].help.as_deref().unwrap_or_default();
        assert!(said.contains(help), "{said}");
    }
}

#[test]
fn a_group_with_several_ways_around_is_summed() {
    let found = report(
        "S = *Dot / A@0.6 S / B@0.6 S",
        SizeMetric::Primitives,
        (1, 3),
        2,
    );
    let text = format!("{found:?}");
    assert!(text.contains("other ways around add to it: `B`"), "{text}");
    assert!(text.contains("the weight of `A` is below 0.4"), "{text}");
}

#[test]
fn empty_windows_list_what_exists() {
    let found = report("S = Pair D D | D = *Dot", SizeMetric::Primitives, (3, 5), 2);
    assert_eq!(found[0].code.as_str(), "E0411");
    assert!(
        found[0].notes[0].starts_with("sizes that exist: 2 (looked"),
        "{found:?}"
    );
    let found = report("S = *Dot / Two S S S", SizeMetric::Primitives, (2, 2), 3);
    assert!(found[0].notes[0].contains("1, 3, 5, ..., 65"), "{found:?}");
    assert_eq!(found[0].help.as_deref(), Some("write `sample size 1..=1`"));
}

#[test]
fn sizes_past_all_bounds_are_refused() {
    let found = report("S = *Dot / Two S S", SizeMetric::Primitives, (2, 5000), 2);
    assert_eq!(found[0].code.as_str(), "E0412");
    let found = report("S = Leaf / Fork S S", SizeMetric::Depth, (1, 60), 2);
    assert_eq!(found[0].code.as_str(), "E0412");
}

#[test]
fn sigma_small_must_let_every_production_in() {
    let text = "S = *Dot / Three S S S";
    let found = report(text, SizeMetric::Primitives, (1, 5), 2);
    assert_eq!(found[0].code.as_str(), "E0413");
    assert!(
        found[0].message.contains("`Three`, whose least size is 3"),
        "{found:?}"
    );
    assert_eq!(least_small(&grammar(text, SizeMetric::Primitives, 5)), 3);
    // The only production of its sort need not fit.
    let alone = grammar("S = Three D D D | D = *A / *B", SizeMetric::Primitives, 5);
    assert_eq!(least_small(&alone), 1);
}

#[test]
fn moves_have_programs_of_every_size() {
    let grammar = grammar(MOVES, SizeMetric::Primitives, 6);
    let inside = Inside::grown(&grammar, 6).unwrap();
    let sizes: Vec<u32> = inside.sizes(grammar.start).collect();
    assert_eq!(sizes, [0, 1, 2, 3, 4, 5, 6]);
}
