//! Programs made small for checks whose least programs are known.

use std::convert::Infallible;
use std::sync::atomic::AtomicBool;

use super::*;
use crate::sample::stream;

fn language(name: &str) -> Compiled {
    Compiled::load(format!("grammars/{name}.tdg")).expect("it is shipped")
}

fn minimise(
    compiled: &Compiled,
    program: &Program,
    threads: usize,
    limits: Limits,
    check: &(dyn Fn(&str) -> bool + Sync),
) -> Result<Minimised, MinimiseError<Infallible>> {
    let stop = AtomicBool::new(false);
    let options = Options {
        limits,
        threads,
        seed: 0,
        stop: &stop,
    };
    Minimiser::new(compiled).expect("it samples").minimise(
        program,
        &options,
        &|_, text| Ok(check(text)),
        &mut |_| {},
    )
}

fn small(name: &str, program: &str, check: &(dyn Fn(&str) -> bool + Sync)) -> String {
    let compiled = language(name);
    let program = compiled.parse(program).expect("a program");
    let found = minimise(&compiled, &program, 1, Limits::default(), check).expect("passes");
    assert_eq!(found.stop, Stop::Minimal);
    assert!(found.program.is_valid(&compiled.grammar));
    assert!(found.after <= found.before);
    compiled.print(&found.program)
}

#[test]
fn what_the_check_needs_is_left_and_nothing_else() {
    // A part deep inside, with numbers as plain as can be.
    assert_eq!(
        small(
            "csg2d",
            "(+ (Quad 3 4 5 6 45) (- (Circle 9 8 7) (+ (Circle 2 2 2) (Quad 1 1 1 1 90))))",
            &|text| text.contains("Circle"),
        ),
        "(Circle 0 0 0)"
    );
    let radius = |text: &str| -> Option<u32> {
        let (_, rest) = text.split_once("(Circle ")?;
        rest.split(' ').next()?.parse().ok()
    };
    assert_eq!(
        small(
            "csg2d",
            "(- (Circle 13 8 7) (+ (Circle 2 2 2) (Quad 1 1 1 1 90)))",
            &|text| radius(text).is_some_and(|r| r >= 5),
        ),
        "(Circle 5 0 0)"
    );
    // Items of lists, strings.
    assert_eq!(
        small(
            "json",
            r#"{"a": [1, 2, {"key": [true, null, "some text"]}, 4], "b": {"c": 17}}"#,
            &|text| text.contains("null") && text.contains('x'),
        )
        .replace(' ', ""),
        r#"[null,"x"]"#
    );
}

#[test]
fn the_result_is_the_same_for_every_number_of_threads() {
    for name in ["csg2d", "tinysvg", "json", "imp"] {
        let compiled = language(name);
        let sampler = Sampler::new(&compiled, compiled.grammar.sample).expect("it samples");
        for item in 0..12 {
            let program = sampler.sample(&mut stream(4, item));
            // Something that parts take part in, and yet no one part decides.
            let check = |text: &str| text.bytes().map(u32::from).sum::<u32>() % 3 != 1;
            for most in [7, 300] {
                let limits = Limits {
                    checks: Some(most),
                    time: None,
                };
                let one = minimise(&compiled, &program, 1, limits, &check);
                let four = minimise(&compiled, &program, 4, limits, &check);
                assert_eq!(one, four, "{name} {item}");
                let Ok(one) = one else { continue };
                assert!(one.checks <= most);
                assert!(check(&compiled.print(&one.program)));
                assert!(one.program.is_valid(&compiled.grammar));
            }
        }
    }
}

#[test]
fn no_program_is_checked_twice_and_none_that_is_not_smaller() {
    let compiled = language("csg2d");
    let program = compiled
        .parse("(+ (- (Circle 9 8 7) (Quad 3 4 5 6 45)) (+ (Circle 2 2 2) (Quad 1 1 1 1 90)))")
        .expect("a program");
    let seen = std::sync::Mutex::new(Vec::<String>::new());
    let check = |text: &str| {
        seen.lock().expect("one at a time").push(text.to_owned());
        text.contains("Circle") && text.contains("Quad")
    };
    let found = minimise(&compiled, &program, 1, Limits::default(), &check).expect("passes");
    let mut seen = seen.into_inner().expect("nobody waits");
    assert_eq!(seen.len() as u64, found.checks);
    let all = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), all);
    assert_eq!(found.after.size, 2);
    assert_eq!(
        compiled.print(&found.program),
        "(+ (Circle 0 0 0) (Quad 0 0 0 0 0))"
    );
}

#[test]
fn what_fails_from_the_start_and_a_set_flag_are_told() {
    let compiled = language("csg2d");
    let program = compiled.parse("(Circle 1 2 3)").expect("a program");
    let fails = minimise(&compiled, &program, 1, Limits::default(), &|_| false);
    assert_eq!(fails, Err(MinimiseError::Fails));
    let stop = AtomicBool::new(true);
    let options = Options {
        limits: Limits::default(),
        threads: 1,
        seed: 0,
        stop: &stop,
    };
    let minimiser = Minimiser::new(&compiled).expect("it samples");
    let check = |_: &Program, _: &str| Ok::<bool, Infallible>(true);
    let found = minimiser.minimise(&program, &options, &check, &mut |_| {});
    assert_eq!(found.map(|found| found.stop), Ok(Stop::Interrupted));
    // A check that cannot be made is an error, also later.
    let stop = AtomicBool::new(false);
    let options = Options {
        stop: &stop,
        ..options
    };
    let check = |_: &Program, text: &str| match text {
        "(Circle 1 2 3)" => Ok(true),
        _ => Err("no such command"),
    };
    let found = minimiser.minimise(&program, &options, &check, &mut |_| {});
    assert_eq!(found, Err(MinimiseError::Check("no such command")));
}

#[test]
fn every_part_has_a_smallest_one() {
    for name in [
        "csg2d", "tinysvg", "rainbow", "json", "arith", "imp", "street", "mandala",
    ] {
        let compiled = language(name);
        let least = candidates::least(&compiled, &Layout::new(&compiled.grammar));
        for (nt, part) in compiled.grammar.nonterminals.iter().zip(least) {
            let part = part.expect("a part");
            let root = part.nodes()[0].production;
            assert!(nt.productions.contains(&root), "{name}");
        }
    }
}
