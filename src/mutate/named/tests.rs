//! Named mutators of the shipped grammars and of small ones.

use std::collections::BTreeSet;

use super::*;
use crate::compiled::Compiled;
use crate::grammar::ir::{MutateSpec, NodeChoice, Procedure, SampleSpec, SizeMetric};
use crate::mutate::obstacle::Obstacle;
use crate::sample::testing::{CSG, MOVES, enumerate, grammar, inside, sampler};
use crate::sample::{Sampler, seeded, stream};
use crate::tree::diff::PathMode;
use crate::tree::{Layout, edit};

/// The shipped grammars.
fn shipped() -> Vec<Compiled> {
    let mut paths: Vec<_> = std::fs::read_dir("grammars")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "tdg"))
        .collect();
    paths.sort();
    let load = |path: &std::path::PathBuf| Compiled::load(path).unwrap_or_else(|e| panic!("{e}"));
    paths.iter().map(load).collect()
}

/// The positions that a mutator may replace, written from its documentation alone.
fn allowed(grammar: &Grammar, name: NamedMutator, program: &Program) -> BTreeSet<usize> {
    let nts = edit::positions(grammar, program);
    let nodes = program.nodes();
    match name {
        NamedMutator::Replace { sort, .. } => (0..nodes.len())
            .filter(|at| grammar.sort(sort).levels.contains(&nts[*at]))
            .collect(),
        NamedMutator::Field { production, child } => {
            let mut out = BTreeSet::new();
            for at in 0..nodes.len() {
                if nodes[at].production != production {
                    continue;
                }
                let mut field = at + 1;
                for _ in 0..child {
                    field += nodes[field].len as usize;
                }
                out.insert(field);
                // Behind each item of a list stands the rest of it.
                while grammar.production(nodes[field].production).kind == ProductionKind::Cons {
                    field += 1;
                    field += nodes[field].len as usize;
                    out.insert(field);
                }
            }
            out
        }
    }
}

/// What holds of every edit that a named mutator proposes.
fn holds(mutator: &Mutator<'_>, name: NamedMutator, program: &Program, edit: &Edit) {
    let grammar = mutator.sampler().grammar();
    let what = name.name(grammar);
    let small = mutator.spec().small;
    let old = Layout::new(grammar).extract(program, edit.position);
    assert!(
        old.size() <= small && edit.replacement.size() <= small,
        "{what}"
    );
    assert_ne!(old, edit.replacement, "{what}");
    assert!(
        allowed(grammar, name, program).contains(&edit.position),
        "{what} at {}",
        edit.position
    );
    if let NamedMutator::Replace { production, .. } = name {
        assert_eq!(edit.replacement.nodes()[0].production, production, "{what}");
    }
    let after = edit::apply(grammar, program, edit);
    assert!(after.is_valid(grammar), "{what}: {after:?}");
    assert_ne!(after, *program, "{what}");
    let back = edit::inverse(grammar, program, edit);
    assert_eq!(edit::apply(grammar, &after, &back), *program, "{what}");
}

#[test]
fn names_are_unique_and_found_again() {
    for compiled in shipped() {
        let grammar = &compiled.grammar;
        let all = NamedMutator::all(grammar);
        let names: BTreeSet<String> = all.iter().map(|name| name.name(grammar)).collect();
        assert_eq!(names.len(), all.len(), "{}", grammar.name);
        let fields = |id: &ProdId| 1 + grammar.production(*id).children.len();
        let sorts = grammar.sorts.iter().flat_map(|sort| &sort.productions);
        assert_eq!(all.len(), sorts.map(fields).sum::<usize>());
        for name in all {
            assert_eq!(NamedMutator::find(grammar, &name.name(grammar)), Some(name));
        }
        assert_eq!(NamedMutator::find(grammar, "Shape::mutate"), None);
    }
}

#[test]
fn names_that_would_collide_do_not() {
    let text = r#"
        language l
        start A
        sample size 1..=3
        token N = 0..=9
        sort A {
            @primitive HTTPServer = "s" n:N
            @primitive HttpServer = "t" n:N
            @primitive Http_Server = "u" n:N
            Same = "(" a:A b:B ")"
        }
        sort B { @primitive Same = "b" n:N }
    "#;
    let compiled = Compiled::from_text("l", text).unwrap_or_else(|e| panic!("{e}"));
    let grammar = &compiled.grammar;
    let all = NamedMutator::all(grammar);
    let names: Vec<String> = all.iter().map(|name| name.name(grammar)).collect();
    assert_eq!(
        names,
        [
            "A::replace_HTTPServer",
            "A::replace_HttpServer",
            "A::replace_Http_Server",
            "A::replace_same",
            "HTTPServer::mutate_n",
            "HttpServer::mutate_n",
            "Http_Server::mutate_n",
            "A::Same::mutate_a",
            "A::Same::mutate_b",
            "B::replace_same",
            "B::Same::mutate_n",
        ]
    );
}

#[test]
fn capitals_begin_words() {
    for (name, expected) in [
        ("Circle", "circle"),
        ("RoundedBox", "rounded_box"),
        ("HTTPServer", "http_server"),
        ("A", "a"),
        ("AB", "ab"),
        ("Box2", "box2"),
        ("Vec2D", "vec2_d"),
        ("already_snake", "already_snake"),
        ("Half_Way", "half_way"),
        ("", ""),
        ("ÄrgerÖl", "ärger_öl"),
    ] {
        assert_eq!(snake_case(name), expected, "{name}");
    }
}

/// Every mutator of every shipped grammar, under each choice of the node.
#[test]
fn edits_do_what_their_name_says() {
    for compiled in shipped() {
        let grammar = &compiled.grammar;
        // From the least programs on: some mutators have nothing small in the language's window.
        let window = SampleSpec {
            min: 0,
            ..grammar.sample
        };
        let sampler = || Sampler::new(&compiled, window).unwrap();
        let all = NamedMutator::all(grammar);
        let mut seen = vec![0; all.len()];
        for choice in [NodeChoice::Size, NodeChoice::Rule, NodeChoice::Node] {
            let spec = MutateSpec {
                choice,
                ..grammar.mutate
            };
            let mutator = Mutator::with_sampler(sampler(), spec).unwrap();
            let (mut scratch, mut edit) = (Scratch::default(), Edit::default());
            for seed in 0..150 {
                let mut rng = stream(seed, 1);
                let program = mutator.sampler().sample(&mut rng);
                for (name, seen) in all.iter().zip(&mut seen) {
                    if mutator.propose_named_into(
                        *name,
                        &program,
                        &mut scratch,
                        &mut rng,
                        &mut edit,
                    ) {
                        holds(&mutator, *name, &program, &edit);
                        *seen += 1;
                    }
                }
            }
        }
        let mutator = Mutator::with_sampler(sampler(), grammar.mutate).unwrap();
        for (name, seen) in all.iter().zip(seen) {
            let obstacle = mutator.obstacle(*name);
            assert_eq!(
                obstacle.is_none(),
                seen > 0,
                "{}: {} of 450, {obstacle:?}",
                name.name(grammar),
                seen
            );
        }
    }
}

/// Whether a mutator can do anything, by trying every small program there is, and what it makes of
/// them.
#[test]
fn obstacles_are_exact_and_nothing_is_left_out() {
    // `U` and its field have one tree; `T` is too large to be put anywhere; `V` is nowhere.
    let odd = "N:2 | O:1 | P = Top S T? / Tip S | S = *Dot N / Pair S S / *Hold U / *One O \
               / *Bag U*0.5 | U = Unit O | T = Tree S S | V = *Void N";
    let large = "N:2 | P = Top S T | S = *Dot N / *Bar | T = Tree S S S";
    for (text, metric, size, nodes) in [
        (CSG, SizeMetric::Primitives, 3, 9),
        (MOVES, SizeMetric::Primitives, 2, 6),
        (odd, SizeMetric::Primitives, 3, 11),
        (large, SizeMetric::Primitives, 4, 12),
        (odd, SizeMetric::Nodes, 5, 10),
        (CSG, SizeMetric::Depth, 2, 9),
    ] {
        let mut grammar = grammar(text, metric, size.max(6));
        grammar.sample.min = 0;
        let small = grammar.mutate.small;
        let inside = inside(&grammar);
        let mutator = Mutator::with_sampler(sampler(&grammar, &inside), grammar.mutate).unwrap();
        let programs: Vec<Program> = (0..=size)
            .flat_map(|size| enumerate(&grammar, grammar.start, size, nodes))
            .map(|(program, _)| program)
            .collect();
        assert!(programs.len() > 20);
        let step = programs.len().div_ceil(400);
        for name in NamedMutator::all(&grammar) {
            let mut reached = BTreeSet::new();
            let mut possible = BTreeSet::new();
            for (index, program) in programs.iter().step_by(step).enumerate() {
                let mut rng = stream(9, index as u64);
                for _ in 0..8 {
                    if let Some(edit) = mutator.propose_named(name, program, &mut rng) {
                        holds(&mutator, name, program, &edit);
                        reached.insert((index, edit.position));
                    }
                }
                // What has an alternative, found by enumeration.
                let nts = edit::positions(&grammar, program);
                for at in allowed(&grammar, name, program) {
                    if program.nodes()[at].size > small {
                        continue;
                    }
                    let old = Layout::new(&grammar).extract(program, at);
                    let others = (0..=small).any(|size| {
                        let trees = enumerate(&grammar, nts[at], size, 9);
                        trees.iter().any(|(tree, _)| {
                            let root = tree.nodes()[0].production;
                            let fits = match name {
                                NamedMutator::Replace { production, .. } => root == production,
                                NamedMutator::Field { .. } => true,
                            };
                            fits && *tree != old
                        })
                    });
                    if others {
                        possible.insert((index, at));
                    }
                }
            }
            let what = name.name(&grammar);
            assert!(reached.is_subset(&possible), "{what}");
            // Every program with a possibility gets an edit.
            let programs_of = |set: &BTreeSet<(usize, usize)>| -> BTreeSet<usize> {
                set.iter().map(|(index, _)| *index).collect()
            };
            assert_eq!(programs_of(&reached), programs_of(&possible), "{what}");
            let obstacle = mutator.obstacle(name);
            assert_eq!(
                obstacle.is_none(),
                !possible.is_empty(),
                "{what} {obstacle:?}"
            );
        }
    }
}

#[test]
fn obstacles_say_why() {
    let text = "N:2 | O:1 | P = Top S T | S = *Dot N / *Hold U / *One O | U = Unit O | T = Tree S S S | V = *Void N";
    let mut grammar = grammar(text, SizeMetric::Primitives, 6);
    grammar.sample.min = 0;
    grammar.mutate.small = 2;
    let inside = inside(&grammar);
    let mutator = Mutator::with_sampler(sampler(&grammar, &inside), grammar.mutate).unwrap();
    let said: Vec<(String, String)> = NamedMutator::all(&grammar)
        .into_iter()
        .filter_map(|name| Some((name, mutator.obstacle(name)?)))
        .map(|(name, obstacle)| (name.name(&grammar), obstacle.to_string()))
        .collect();
    let expected = [
        (
            "P::replace_top",
            "a Top has size 4 at least, and a mutation has 2 at most",
        ),
        (
            "T::replace_tree",
            "a Tree has size 3 at least, and a mutation has 2 at most",
        ),
        (
            "Top::mutate_T",
            "a T has size 3 at least, and a mutation has 2 at most",
        ),
        ("One::mutate_O", "there is only one O of size 2 or less"),
        ("U::replace_unit", "there is only one U of size 2 or less"),
        ("Unit::mutate_O", "there is only one O of size 2 or less"),
        ("Hold::mutate_U", "there is only one U of size 2 or less"),
        ("V::replace_void", "no program holds a Void"),
        ("Void::mutate_N", "no program holds a Void"),
    ];
    for (name, why) in expected {
        assert!(
            said.contains(&(name.to_owned(), why.to_owned())),
            "{name}: {said:#?}"
        );
    }
    let nothing = NamedMutator::Field {
        production: ProdId(0),
        child: 7,
    };
    assert_eq!(
        mutator.obstacle(nothing),
        Some(Obstacle::NoField { what: "Top".into() })
    );
    let dot = enumerate(&grammar, grammar.start, 4, 12).remove(0).0;
    assert_eq!(mutator.propose_named(nothing, &dot, &mut seeded(1)), None);
}

#[test]
fn a_mutator_can_stand_for_any_sort() {
    for compiled in shipped() {
        let grammar = &compiled.grammar;
        let layout = Layout::new(grammar);
        for nt in grammar.nonterminal_ids() {
            let mutator = Mutator::new(&compiled, grammar.mutate)
                .unwrap()
                .with_root(nt);
            assert_eq!(mutator.root(), nt);
            let sizes = 0..=grammar.mutate.small.max(6);
            let draw = |seed| {
                let sampler = mutator.sampler();
                sampler.sample_nt(nt, sizes.clone(), &mut stream(seed, 2))
            };
            for seed in 0..12 {
                let (Some(a), Some(b)) = (draw(seed), draw(seed + 100)) else {
                    continue;
                };
                let mut rng = stream(seed, 3);
                if let Some(edit) = mutator.propose(&a, &mut rng) {
                    let after = edit::apply(grammar, &a, &edit);
                    assert!(after.is_valid_as(grammar, nt) && after != a);
                }
                for name in NamedMutator::all(grammar) {
                    if let Some(edit) = mutator.propose_named(name, &a, &mut rng) {
                        assert_eq!(mutator.obstacle(name), None, "{}", name.name(grammar));
                        let after = edit::apply(grammar, &a, &edit);
                        assert!(after.is_valid_as(grammar, nt) && after != a);
                    }
                }
                for mode in [PathMode::Plain, PathMode::Strict] {
                    let mut at = a.clone();
                    for step in mutator.path(&a, &b, mode, &mut rng).unwrap() {
                        assert_eq!(layout.extract(&at, step.position), step.old);
                        let edit = Edit {
                            position: step.position,
                            replacement: step.new,
                        };
                        at = edit::apply(grammar, &at, &edit);
                        assert!(
                            at.is_valid_as(grammar, nt),
                            "{}",
                            grammar.nonterminal_name(nt)
                        );
                    }
                    assert_eq!(at, b);
                }
            }
        }
    }
}

#[test]
fn the_references_procedure_does_them_too() {
    let mut compiled = Compiled::load("grammars/csg2d.tdg").unwrap_or_else(|e| panic!("{e}"));
    compiled.grammar.sample.procedure = Procedure::Frontier;
    let mutator = Mutator::new(&compiled, compiled.grammar.mutate).unwrap();
    let mut seen = 0;
    for seed in 0..100 {
        let mut rng = stream(seed, 4);
        let program = mutator.sampler().sample(&mut rng);
        for name in NamedMutator::all(&compiled.grammar) {
            if let Some(edit) = mutator.propose_named(name, &program, &mut rng) {
                holds(&mutator, name, &program, &edit);
                seen += 1;
            }
        }
    }
    assert!(seen > 500, "{seen}");
}
