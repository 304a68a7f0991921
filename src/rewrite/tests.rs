//! Simplifying against rules applied to programs one by one, without e-graphs.

use std::collections::{BTreeSet, VecDeque};
use std::ops::ControlFlow;

use rand::RngExt;

use super::*;
use crate::compiled::Compiled;
use crate::mutate::Mutator;
use crate::sample::{Rng, Sampler, stream};
use crate::tree::{Edit, Layout, Program, edit};

/// Shapes that are added and subtracted, with laws that need each other.
const SHAPES: &str = r#"
    language shapes
    start Shape
    sample size 1..=5
    token Coord = 0..=3
    token Angle = 0..=270 step 90
    sort Op { Add = "+"   Sub = "-" }
    sort Shape {
        @primitive Dot = "." r:Coord
        @primitive Box = "%" w:Coord h:Coord t:Angle
        Combine        = "(" op:Op a:Shape b:Shape ")"
    }
    rewrite Shape {
        commute:   `(+ ?a ?b)` <=> `(+ ?b ?a)`
        associate: `(+ (+ ?a ?b) ?c)` <=> `(+ ?a (+ ?b ?c))`
        twice:     `(- (- ?a ?b) ?c)` <=> `(- ?a (+ ?b ?c))`
        square:    `% ?w ?h ?t` <=> `% ?h ?w ?u` where u = (t + 90) mod 360
        same:      `(+ ?a ?a)` => `?a`
        add_dot:   `(+ ?a .0)` => `?a`
        cut_dot:   `(- ?a .0)` => `?a`
        from_dot:  `(- .0 ?a)` => `.0`
        spread:    `(- (+ ?a ?b) ?c)` <=> `(+ (- ?a ?c) (- ?b ?c))`
        absorb:    `(+ ?a (- ?a ?b))` => `?a`
        refill:    `(+ (- ?a ?b) ?b)` <=> `(+ ?a ?b)`
        inside:    `(+ .?r .?s)` => `.?r` if r >= s
        gone:      `(- .?r .?s)` => `.0` if r <= s
    }"#;

/// Operators of several strengths, a law among them, texts and lists.
const SUMS: &str = r#"
    language sums
    start E
    size nodes
    sample size 1..=9
    token N = 0..=3
    token Name = /[a-z]+/ length 1..=2
    sort E {
        Lit = n:N   Var = name:Name   Paren = "(" inner:E ")"   List = "[" items:E* sep "," "]"
        infix left { Add = "+"   Sub = "-" }
        infix left { Mul = "*" }
        prefix { Neg = "-" ~ of:E }
    }
    rewrite E {
        commute:   `?a + ?b` <=> `?b + ?a`
        associate: `?a + ?b + ?c` <=> `?a + ?c + ?b`
        zero:      `?a + 0` => `?a`
        one:       `?a * 1` => `?a`
        times:     `?a * 0` => `0`
        swap:      `?a * ?b` <=> `?b * ?a`
        minus:     `--?a` => `?a`
        open:      `(?a)` => `?a`
        close:     `?a * (?b + ?c)` <=> `?a * ?b + ?a * ?c`
        numbers:   `?x:N + ?y:N` => `?z:N` where z = x + y
        named:     `x * ?a` => `y * ?a`
        pair:      `[?a, ?b]` => `[?b, ?a, 1]`
    }"#;

fn compile(text: &str) -> Compiled {
    Compiled::from_text("l", text).unwrap_or_else(|error| panic!("{error}"))
}

/// Programs of the language's own window.
fn programs(compiled: &Compiled, count: u64) -> Vec<Program> {
    let mutator = Mutator::new(compiled, compiled.grammar.mutate).unwrap();
    let sampler = mutator.sampler();
    (0..count)
        .map(|i| sampler.sample(&mut stream(3, i)))
        .collect()
}

fn simplifier(compiled: &Compiled) -> Simplifier<'_> {
    Simplifier::new(compiled).with_limits(Limits {
        nodes: 250,
        ..Limits::default()
    })
}

/// Every program that a rule makes of a program at one place.
fn by_rule(
    compiled: &Compiled,
    rule: &Rule,
    direction: Direction,
    program: &Program,
) -> Vec<Program> {
    let grammar = &compiled.grammar;
    let layout = Layout::new(grammar);
    let (matched, made) = direction.sides(rule);
    let plan = Plan::new(grammar, rule, direction);
    let places = layout.positions(grammar.start, program);
    let mut out = Vec::new();
    for (position, place) in places.into_iter().enumerate() {
        let mut bindings = Bindings::new(rule);
        if !lay(grammar, &layout, matched, program, position, &mut bindings) {
            continue;
        }
        plan.complete(&mut bindings, |bindings| {
            if let Some(replacement) = build(grammar, made, bindings)
                && replacement.is_valid_as(grammar, place)
            {
                out.push(edit::apply(
                    grammar,
                    program,
                    &Edit {
                        position,
                        replacement,
                    },
                ));
            }
            ControlFlow::Continue(())
        });
    }
    out
}

/// Every way a rule is allowed to be used, or forbidden from being used, by its arrows.
fn all_ways(compiled: &Compiled) -> Vec<(&Rule, Direction)> {
    let of = |rule| {
        Direction::of(rule)
            .iter()
            .map(move |direction| (rule, *direction))
    };
    compiled.rules.iter().flat_map(of).collect()
}

/// All programs that rules of these names make of one, in any number of steps. `None` when they are
/// many.
fn closure(compiled: &Compiled, names: &[&str], program: &Program) -> Option<BTreeSet<String>> {
    let mut seen = BTreeSet::from([compiled.print(program)]);
    let mut pending = VecDeque::from([program.clone()]);
    while let Some(program) = pending.pop_front() {
        for (rule, direction) in all_ways(compiled) {
            if names.contains(&rule.name.as_str()) {
                for made in by_rule(compiled, rule, direction, &program) {
                    if seen.insert(compiled.print(&made)) {
                        pending.push_back(made);
                    }
                }
            }
        }
        if seen.len() > 2_000 {
            return None;
        }
    }
    Some(seen)
}

/// A walk along rules, away from a program: what it comes to is equal.
fn scramble(compiled: &Compiled, program: &Program, steps: usize, rng: &mut Rng) -> Program {
    let ways = all_ways(compiled);
    let mut now = program.clone();
    for _ in 0..steps {
        let (rule, direction) = ways[rng.random_range(0..ways.len())];
        let made = by_rule(compiled, rule, direction, &now);
        if !made.is_empty() {
            now = made[rng.random_range(0..made.len())].clone();
        }
    }
    now
}

#[test]
fn terms_are_their_programs() {
    for text in [SHAPES, SUMS] {
        let compiled = compile(text);
        let tables = tables::Tables::new(&compiled);
        assert_eq!(tables.operators.len(), 1);
        for program in programs(&compiled, 300) {
            let mut texts = texts::Texts::default();
            let mut arena = expr::Arena::default();
            let id = arena.add_program(&tables, &mut texts, &program).unwrap();
            let back = arena
                .program(&compiled.grammar, &tables, &texts, id)
                .unwrap();
            assert!(back.is_valid(&compiled.grammar));
            // The same but for the order of operands; a second time nothing changes.
            let again = arena.add_program(&tables, &mut texts, &back).unwrap();
            assert_eq!(id, again, "{}", compiled.print(&back));
            assert_eq!(back.len(), program.len());
            if program.len() < 14 {
                let same = closure(&compiled, &["commute", "associate"], &program);
                assert!(same.unwrap().contains(&compiled.print(&back)));
            }
        }
    }
}

#[test]
fn results_are_programs_that_cost_no_more() {
    for text in [SHAPES, SUMS] {
        let compiled = compile(text);
        let simplifier = simplifier(&compiled);
        let mut shorter = 0;
        for program in programs(&compiled, 200) {
            let out = simplifier.simplify(&program);
            assert!(out.program.is_valid(&compiled.grammar));
            assert_eq!(
                compiled.parse(&compiled.print(&out.program)).unwrap(),
                out.program
            );
            assert!(out.cost <= out.before);
            shorter += u32::from(out.cost < out.before);
            let again = simplifier.simplify(&out.program);
            assert_eq!(again.program, out.program, "{}", compiled.print(&program));
        }
        assert!(shorter > 40, "{shorter}");
    }
}

/// The least program among all that rules lead to, found by going through them.
#[test]
fn the_least_program_is_found() {
    let compiled = compile(SHAPES);
    let simplifier = simplifier(&compiled);
    let names: Vec<&str> = compiled
        .rules
        .iter()
        .map(|rule| rule.name.as_str())
        .collect();
    // `refill` backwards makes programs grow for ever; without it there are few.
    let names: Vec<&str> = names.into_iter().filter(|name| *name != "refill").collect();
    let mut looked = 0;
    for program in programs(&compiled, 120) {
        if program.size() > 3 {
            continue;
        }
        let Some(all) = closure(&compiled, &names, &program) else {
            continue;
        };
        looked += 1;
        let out = simplifier.simplify(&program);
        for other in all {
            let other = compiled.parse(&other).unwrap();
            let other = simplifier.simplify(&other);
            assert!(out.cost <= other.before);
            assert_eq!(compiled.print(&out.program), compiled.print(&other.program));
        }
    }
    assert!(looked > 20);
}

#[test]
fn equal_programs_have_one_canonical_form() {
    let compiled = compile(SHAPES);
    let simplifier = simplifier(&compiled);
    let mut differ = Vec::new();
    for (index, program) in programs(&compiled, 150).iter().enumerate() {
        let mut rng = stream(4, index as u64);
        let other = scramble(&compiled, program, 12, &mut rng);
        let (a, b) = (simplifier.canonical(program), simplifier.canonical(&other));
        if a != b {
            differ.push([
                compiled.print(program),
                compiled.print(&a),
                compiled.print(&b),
            ]);
        }
    }
    assert!(differ.len() <= 1, "{differ:#?}");
}

/// Every step of an explanation is one application of its rule, up to the order of operands.
#[test]
fn explanations_can_be_followed() {
    for (text, most, count) in [(SHAPES, 4, 150), (SUMS, 7, 300)] {
        let compiled = compile(text);
        let simplifier = simplifier(&compiled);
        let laws = ["commute", "associate"];
        let (mut steps, mut unwritten, mut large) = (0, 0, 0);
        for program in programs(&compiled, count) {
            if program.size() > most {
                continue;
            }
            let chain = simplifier.explain(&program);
            let out = simplifier.simplify(&program).program;
            assert_eq!(chain.last().map_or(&program, |step| &step.program), &out);
            let mut before = program;
            for step in chain {
                assert!(step.program.is_valid(&compiled.grammar));
                let (start, end) = (
                    closure(&compiled, &laws, &before),
                    closure(&compiled, &laws, &step.program),
                );
                match (&step.by, start, end) {
                    (By::Rule(name, direction), Some(start), Some(end)) => {
                        let rule = compiled.rules.iter().find(|r| r.name == *name).unwrap();
                        // What holds one way only is followed against its arrow from its end.
                        let (from, to, direction) = match direction {
                            Direction::Backward if !rule.both_ways => {
                                (end, start, Direction::Forward)
                            }
                            direction => (start, end, *direction),
                        };
                        let reached = from.iter().any(|from| {
                            let from = compiled.parse(from).unwrap();
                            let made = by_rule(&compiled, rule, direction, &from);
                            made.iter().any(|made| to.contains(&compiled.print(made)))
                        });
                        let (from, to) = (compiled.print(&before), compiled.print(&step.program));
                        assert!(reached, "{from} to {to} by {name} {direction:?}");
                        steps += 1;
                    }
                    (By::Order(_), Some(start), _) => {
                        assert!(start.contains(&compiled.print(&step.program)));
                    }
                    (By::Several(_), ..) => unwritten += 1,
                    (By::Many, ..) => panic!("not explained: {}", compiled.print(&before)),
                    _ => large += 1,
                }
                before = step.program;
            }
        }
        assert!(steps > 60, "{steps}");
        assert!(unwritten * 10 < steps, "{unwritten} beside {steps}");
        assert!(large * 10 < steps, "{large} beside {steps}");
    }
}

#[test]
fn rules_that_explode_are_named() {
    let compiled = compile(
        r#"language l
        start E
        size nodes
        sample size 1..=3
        token N = 0..=9
        sort E { Lit = n:N   Two = "(" a:E b:E ")" }
        rewrite E {
            grow: `(?a ?b)` => `(?a (?b ?b))`
            dull: `(1 ?a)` => `(2 ?a)`
        }"#,
    );
    let program = compiled.parse("(1 2)").unwrap();
    let with = |nodes, iterations| {
        let limits = Limits {
            nodes,
            iterations,
            ..Limits::default()
        };
        Simplifier::new(&compiled)
            .with_limits(limits)
            .simplify(&program)
    };
    let out = with(500, 1_000);
    assert_eq!(out.program, program);
    assert_eq!(out.stop, StopReason::Nodes);
    assert!(out.nodes <= 520, "{}", out.nodes);
    assert_eq!(out.growth[0].rule, "grow");
    let out = with(500, 3);
    assert_eq!((out.stop, out.iterations), (StopReason::Iterations, 3));
}

#[test]
fn time_is_a_limit() {
    let compiled = compile(SHAPES);
    let program = compiled.parse("(+ .1 (- .2 (+ .0 .1)))").unwrap();
    let limits = Limits {
        time: Some(std::time::Duration::ZERO),
        ..Limits::default()
    };
    let out = Simplifier::new(&compiled)
        .with_limits(limits)
        .simplify(&program);
    assert_eq!((out.stop, out.iterations), (StopReason::Time, 1));
}

#[test]
fn deep_and_broken_programs_do_no_harm() {
    let compiled = compile(SHAPES);
    let simplifier = simplifier(&compiled);
    for op in ["+", "-"] {
        let deep = format!("({op} .1 ").repeat(5_000) + ".2" + &")".repeat(5_000);
        let deep = compiled.parse(&deep).unwrap();
        let out = simplifier.simplify(&deep);
        assert!(out.program.is_valid(&compiled.grammar));
        let last = simplifier
            .explain(&deep)
            .pop()
            .map_or(deep, |step| step.program);
        assert_eq!(last, out.program);
    }
    let empty = Program::default();
    assert_eq!(simplifier.canonical(&empty), empty);
}

/// What a production costs decides before the number of nodes does, in any of its places.
#[test]
fn the_grammar_says_what_is_cheap() {
    let text = |big: &str, pair: &str| {
        format!(
            "language costs\nstart S\nsample size 1..=6\n
             sort S {{ @primitive {big} Big = \"big\"  @primitive Dot = \".\"  {pair} Pair = \"(\" a:S b:S \")\" }}
             rewrite S {{ split: `big` <=> `(. (. .))` }}"
        )
    };
    for (big, pair, program, least) in [
        // One primitive against three.
        ("", "", "(big (. (. .)))", "(big big)"),
        // As dear as the three: fewer nodes then.
        ("@cost(3)", "", "(big (. (. .)))", "(big big)"),
        ("@cost(4)", "", "(big (. (. .)))", "((. (. .)) (. (. .)))"),
        ("@cost(4)", "@cost(1)", "(big (. (. .)))", "(big big)"),
        ("@cost(0)", "", "(. (. (. (. .))))", "(. (. big))"),
    ] {
        let compiled = compile(&text(big, pair));
        let simplifier = Simplifier::new(&compiled);
        let given = compiled.parse(program).unwrap();
        let done = simplifier.simplify(&given);
        assert_eq!(compiled.print(&done.program), least, "{big} {pair}");
        assert_eq!(simplifier.canonical(&given), done.program);
        let price = |program: &Program| {
            let nodes = program.nodes().iter();
            let prices = nodes.map(|n| u64::from(compiled.grammar.production(n.production).price));
            prices.sum::<u64>()
        };
        assert_eq!(done.cost.price, price(&done.program));
        assert_eq!(done.before.price, price(&given));
    }
}

/// One simplifier serves all threads, and gives each the same.
#[test]
fn threads_share_a_simplifier() {
    let compiled = compile(SHAPES);
    let simplifier = Simplifier::new(&compiled);
    let all = programs(&compiled, 40);
    let forms = || -> Vec<Program> { all.iter().map(|p| simplifier.canonical(p)).collect() };
    let here = forms();
    std::thread::scope(|scope| {
        let threads = [scope.spawn(forms), scope.spawn(forms)];
        for thread in threads {
            assert_eq!(thread.join().unwrap(), here);
        }
    });
}

/// What operands as multisets are for: rules for order alone make a node of every way to split every
/// part of a sum.
#[test]
fn sums_are_one_node_where_plain_rules_make_thousands() {
    let compiled = compile(
        r#"language sums
        start S
        sample size 1..=8
        token N = 0..=9
        sort S { @primitive Number = n:N   Sum = "(" "+" a:S b:S ")" }
        rewrite S {
            commute:   `(+ ?a ?b)` <=> `(+ ?b ?a)`
            associate: `(+ (+ ?a ?b) ?c)` <=> `(+ ?a (+ ?b ?c))`
        }"#,
    );
    let simplifier = Simplifier::new(&compiled);
    for n in 2..=8u32 {
        let text = (1..n).fold("0".to_owned(), |sum, next| format!("(+ {sum} {next})"));
        let done = simplifier.simplify(&compiled.parse(&text).unwrap());
        assert_eq!(done.stop, StopReason::Saturated);
        // A number is a node above its token.
        assert_eq!(done.nodes, 2 * n as usize + 1, "{text}");
        let rules: Vec<egg::Rewrite<egg::SymbolLang, ()>> = vec![
            egg::rewrite!("commute"; "(+ ?a ?b)" => "(+ ?b ?a)"),
            egg::rewrite!("left"; "(+ (+ ?a ?b) ?c)" => "(+ ?a (+ ?b ?c))"),
            egg::rewrite!("right"; "(+ ?a (+ ?b ?c))" => "(+ (+ ?a ?b) ?c)"),
        ];
        let runner = egg::Runner::default()
            .with_expr(&text.parse().unwrap())
            .with_node_limit(100_000)
            .with_time_limit(std::time::Duration::from_secs(600))
            .run(&rules);
        let plain = runner.egraph.total_number_of_nodes();
        assert_eq!(
            plain,
            n as usize + 3usize.pow(n) - 2usize.pow(n + 1) + 1,
            "{text}"
        );
    }
}

#[test]
fn the_limit_on_nodes_holds_for_long_sums() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/grammars/csg2d.tdg");
    let compiled = Compiled::load(path).unwrap_or_else(|e| panic!("{e}"));
    let mut spec = compiled.grammar.sample;
    (spec.min, spec.max) = (60, 60);
    let sampler = Sampler::new(&compiled, spec).expect("programs");
    // Most operands are taken up from one sum into another: many ways for each.
    for item in 0..4 {
        let program = sampler.sample(&mut stream(1, item));
        let limits = Limits {
            nodes: 2_000,
            ..Limits::default()
        };
        let done = Simplifier::new(&compiled)
            .with_limits(limits)
            .simplify(&program);
        assert!(done.cost < done.before);
        // What the last match adds comes on top.
        let most = program.len() + 2_000 + 200;
        assert!(done.nodes <= most, "{item}: {} nodes", done.nodes);
    }
}

#[test]
fn the_limit_on_steps_is_the_same_every_time() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/grammars/csg2d.tdg");
    let compiled = Compiled::load(path).unwrap_or_else(|e| panic!("{e}"));
    let mut spec = compiled.grammar.sample;
    (spec.min, spec.max) = (30, 30);
    let sampler = Sampler::new(&compiled, spec).expect("programs");
    let program = sampler.sample(&mut stream(1, 2));
    let with = |steps| {
        let limits = Limits {
            steps,
            ..Limits::default()
        };
        let simplifier = Simplifier::new(&compiled).with_limits(limits);
        simplifier.simplify(&program)
    };
    let (none, few, all) = (with(0), with(2_000), with(u64::MAX));
    assert_eq!((none.stop, none.cost), (StopReason::Effort, none.before));
    assert_eq!(few.stop, StopReason::Effort);
    assert!(few.iterations < all.iterations);
    assert_eq!((few.program, few.iterations), {
        let again = with(2_000);
        (again.program, again.iterations)
    });
    assert!(all.cost < all.before);
}
