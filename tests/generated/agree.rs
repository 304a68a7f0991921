//! Typed and dynamic operators agree, for every shipped grammar.

use std::fmt::{Debug, Display};

use tdc::grammar::ids::NtId;
use tdc::mutate::Mutator;
use tdc::mutate::named::NamedMutator;
use tdc::sample::{Sampler, stream};
use tdc::tree::diff::PathMode;
use tdc::tree::{Edit, edit};
use tdc::typed::{Error, Tree};

/// Programs of each grammar.
const COUNT: u64 = 100_000;

/// Of so many programs one has its edit applied again and taken back, and one in ten of these gets
/// an edit path.
const APPLIED: u64 = 10;

fn agree<T>(named: &[(&str, tdc::typed::Mutator<T>)])
where
    T: Tree + Display + Debug + Clone + PartialEq,
{
    let compiled = T::language().compiled().expect("the language");
    let grammar = &compiled.grammar;
    let sampler = Sampler::new(compiled, grammar.sample).expect("a sampler");
    let mutator = Mutator::new(compiled, grammar.mutate).expect("a mutator");
    let all = NamedMutator::all(grammar);
    let called: Vec<String> = all.iter().map(|by| by.name(grammar)).collect();
    let table: Vec<&str> = named.iter().map(|(name, _)| *name).collect();
    assert_eq!(table, called, "one method for each named mutator");
    let mut changed = vec![0u32; named.len()];
    let mut parser = compiled.parser();
    let mut last: Option<T> = None;
    for seed in 0..COUNT {
        let program = sampler.sample(&mut stream(seed, 0));
        let tree = T::random(&mut stream(seed, 0)).expect("a tree");
        assert_eq!(tree.to_program().expect("a program"), program);
        let text = compiled.print(&program);
        assert_eq!(tree.to_string(), text);
        assert_eq!(parser.parse(&text).expect("its text"), program);
        assert_eq!(T::parse(&text).expect("its text"), tree);
        assert_eq!(T::from_program(&program).expect("its tree"), tree);
        assert_eq!(tree.size(), program.size());
        let edited = |edit: &Edit| {
            let mut after = program.clone();
            mutator.sampler().layout().apply(&mut after, edit);
            after
        };
        let mut typed = tree.clone();
        let dynamic = mutator.propose(&program, &mut stream(seed, 1));
        match typed.mutate(&mut stream(seed, 1)) {
            Ok(done) => {
                let edit = dynamic.expect("the same edit");
                assert_eq!(done.edit, edit);
                assert_eq!(typed.to_program().expect("a program"), edited(&edit));
                if seed % APPLIED == 0 {
                    assert_eq!(done.inverse, edit::inverse(grammar, &program, &edit));
                    let mut again = tree.clone();
                    assert_eq!(again.apply(&done.edit).expect("it fits"), done.inverse);
                    assert_eq!(again, typed);
                    assert_eq!(again.apply(&done.inverse).expect("it fits"), done.edit);
                    assert_eq!(again, tree);
                }
            }
            Err(Error::NothingToChange) => assert_eq!(dynamic, None),
            Err(error) => panic!("{text}: {error}"),
        }
        // One named mutator after the other.
        let index = usize::try_from(seed).expect("small") % named.len();
        let mut typed = tree.clone();
        let dynamic = mutator.propose_named(all[index], &program, &mut stream(seed, 2));
        match (named[index].1)(&mut typed, &mut stream(seed, 2)) {
            Ok(done) => {
                changed[index] += 1;
                let edit = dynamic.expect("the same edit");
                assert_eq!(done.edit, edit, "{}", called[index]);
                assert_eq!(typed.to_program().expect("a program"), edited(&edit));
            }
            Err(Error::NothingToChange) => assert_eq!(dynamic, None, "{}", called[index]),
            Err(error) => panic!("{text}: {error}"),
        }
        if seed % (10 * APPLIED) == 0
            && let Some(source) = last.replace(tree)
        {
            path(
                &mutator,
                &source,
                last.as_ref().expect("just put there"),
                seed,
            );
        }
    }
    // Some mutators can do nothing: their production is too large for sigma_small.
    for (count, by) in changed.iter().zip(&all) {
        if let NamedMutator::Replace { production, .. } = by
            && compiled.info.production(*production).size <= grammar.mutate.small
            && compiled
                .grammar
                .sorts
                .iter()
                .any(|sort| sort.productions.len() > 1 && sort.productions.contains(production))
        {
            assert!(*count > 0, "{} never did anything", by.name(grammar));
        }
    }
}

fn path<T: Tree + Debug + Clone + PartialEq>(
    mutator: &Mutator<'_>,
    source: &T,
    target: &T,
    seed: u64,
) {
    let [from, to] = [source, target].map(|tree| tree.to_program().expect("a program"));
    let mut rng = stream(seed, 3);
    let steps = mutator
        .path(&from, &to, PathMode::Plain, &mut rng)
        .expect("a path");
    let dynamic: Vec<_> = steps.collect();
    let typed = source
        .edit_path(target, &mut stream(seed, 3))
        .expect("a path");
    assert_eq!(typed.len(), dynamic.len());
    let mut current = source.clone();
    for (step, other) in typed.iter().zip(&dynamic) {
        assert_eq!(step.edit.position, other.position);
        assert_eq!(step.edit.replacement, other.new);
        assert_eq!(step.inverse.replacement, other.old);
        assert_eq!(current.apply(&step.edit).expect("it fits"), step.inverse);
    }
    assert_eq!(current, *target);
    for step in typed.iter().rev() {
        current.apply(&step.inverse).expect("it fits");
    }
    assert_eq!(current, *source);
}

/// A sort on its own: what `Sampler::sample_nt` and a mutator with that root give.
fn sort_agrees<T: Tree + Display + Debug + Clone + PartialEq>() {
    let compiled = T::language().compiled().expect("the language");
    let grammar = &compiled.grammar;
    let root = NtId(T::NONTERMINAL);
    let sampler = Sampler::new(compiled, grammar.sample).expect("a sampler");
    let mutator = Mutator::new(compiled, grammar.mutate)
        .expect("a mutator")
        .with_root(root);
    // Past the language's own window the tables are other ones.
    let mut spec = grammar.sample;
    spec.max += 3;
    let wider = Sampler::new(compiled, spec).expect("a sampler");
    let mut trees: Vec<T> = Vec::new();
    for seed in 0..2_000 {
        let sampler = if seed % 10 == 0 { &wider } else { &sampler };
        let end = sampler.spec().max;
        let program = sampler
            .sample_nt(root, 0..=end, &mut stream(seed, 0))
            .expect("a tree");
        let tree = T::sample(&mut stream(seed, 0), 0..=end).expect("a tree");
        assert_eq!(tree.to_program().expect("a program"), program);
        let text = compiled.print(&program);
        assert_eq!(tree.to_string(), text);
        assert_eq!(
            T::parse(&text).unwrap_or_else(|e| panic!("{text}: {e}")),
            tree
        );
        let mut typed = tree.clone();
        let dynamic = mutator.propose(&program, &mut stream(seed, 1));
        let done = typed.mutate(&mut stream(seed, 1)).ok();
        assert_eq!(done.map(|done| done.edit), dynamic);
        trees.push(tree);
    }
    for (seed, pair) in (0..).zip(trees.windows(2).take(200)) {
        path(&mutator, &pair[0], &pair[1], seed);
    }
}

macro_rules! languages {
    ($($name:ident: $start:ident $(, $sort:ident)*;)*) => {$(
        mod $name {
            use super::{agree, sort_agrees};
            use crate::$name as language;

            #[test]
            fn programs_agree() {
                agree::<language::$start>(language::$start::MUTATORS);
            }

            #[test]
            fn sorts_agree() {
                sort_agrees::<language::$start>();
                $(sort_agrees::<language::$sort>();)*
            }
        }
    )*};
}

languages! {
    arith: Expr;
    csg2d: Shape, Op;
    csg2d_sketch: Shape, Op;
    hostile_names: Self_, Vec, Option, Some, Result, Result2, Uneven;
    imp: Program, Stmt, Block, Else, Param, Call, Expr;
    json: Value, Member;
    mandala: Mandala, Ring;
    rainbow: Object;
    street: Street, Row, Lot, Roof;
    tinysvg: Object;
}
