//! What canonical forms merge, and what they cost: `cargo bench --bench merging`.
//!
//! Training targets are drawn from the language's window; states are those that a beam search looks at:
//! mutations of 64 programs, which are mutations of one program. The table counts programs that
//! are different as they stand, and those that are still different in canonical form. A second table
//! has training examples: how many pairs of a start and a target are different, and how many starts
//! mean the same as their targets, so that there is nothing to learn from them. A third one
//! has the time of single canonical forms, of programs of one size. A fourth one has the laws of union
//! and difference as egg's own rewrites, commutativity and associativity among them, against the
//! same laws with operands as multisets.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use egg::{AstSize, Extractor, RecExpr, Rewrite, Runner, SymbolLang, rewrite};
use tdc::Compiled;
use tdc::mutate::Mutator;
use tdc::rewrite::{Limits, Simplifier, StopReason};
use tdc::sample::{Sampler, stream};
use tdc::train::{Example, Maker, Options};
use tdc::tree::{Program, edit};

/// Training targets.
const TARGETS: u64 = 4_000;
/// Programs that are timed one by one.
const SINGLE: u64 = 500;
/// Beams, programs in a beam, mutations of each.
const BEAMS: u64 = 4;
const BEAM: u64 = 64;
const WIDTH: u64 = 16;
/// Programs of each size for the comparison with egg's own rules.
const SETS: u64 = 40;

fn main() {
    println!("| language | programs | number | different | canonical | microseconds each |");
    println!("|---|---|---:|---:|---:|---:|");
    for name in ["csg2d", "rainbow", "tinysvg"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("grammars/{name}.tdg"));
        let compiled = match Compiled::load(&path) {
            Ok(compiled) => compiled,
            Err(error) => {
                eprintln!("{error}");
                std::process::exit(1);
            }
        };
        let sampler = match Sampler::new(&compiled, compiled.grammar.sample) {
            Ok(sampler) => sampler,
            Err(error) => {
                eprintln!("{error}");
                std::process::exit(1);
            }
        };
        let targets: Vec<Program> = (0..TARGETS)
            .map(|item| sampler.sample(&mut stream(0, item)))
            .collect();
        row(&compiled, "training targets", &[targets]);
        let Ok(mutator) = Mutator::with_sampler(sampler, compiled.grammar.mutate) else {
            continue;
        };
        let mutated = |program: &Program, item: u64| {
            let change = mutator.propose(program, &mut stream(1, item))?;
            Some(edit::apply(&compiled.grammar, program, &change))
        };
        let beams: Vec<Vec<Program>> = (0..BEAMS)
            .map(|beam| {
                let root = mutator.sampler().sample(&mut stream(2, beam));
                let first = (0..BEAM).filter_map(|i| mutated(&root, beam * BEAM + i));
                first
                    .enumerate()
                    .flat_map(|(at, parent)| {
                        let from = (beam * BEAM + at as u64) * WIDTH;
                        (0..WIDTH)
                            .filter_map(|i| mutated(&parent, from + i))
                            .collect::<Vec<_>>()
                    })
                    .collect()
            })
            .collect();
        row(&compiled, "states of beams", &beams);
    }
    println!(
        "\n| language | targets | pairs | different | canonical | start means target | microseconds each |"
    );
    println!("|---|---|---:|---:|---:|---:|---:|");
    for name in ["csg2d", "rainbow", "tinysvg"] {
        for canonical in [false, true] {
            if let Err(error) = pairs(name, canonical) {
                eprintln!("{error}");
            }
        }
    }
    println!("\n| language | size | mean, milliseconds | median | 99 of 100 | worst |");
    println!("|---|---:|---:|---:|---:|---:|");
    for size in [2, 4, 8, 16] {
        for name in ["csg2d", "tinysvg"] {
            times(name, size);
        }
    }
    println!(
        "\n| size | plain: nodes | milliseconds | saturated | names left \
         | multisets: nodes | milliseconds | saturated | names left |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    let compiled = match Compiled::from_text("laws", LAWS) {
        Ok(compiled) => compiled,
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(1);
        }
    };
    for size in 2..=8 {
        if against_plain_rules(&compiled, size).is_none() {
            eprintln!("no programs of size {size}");
        }
    }
}

/// Laws of sets; the names of things are numbers.
const LAWS: &str = r#"
language laws
start Set
sample size 2..=8
token Name = 0..=15
sort Set {
    @primitive Set = name:Name
    Both = "(" "+" a:Set b:Set ")"
    Less = "(" "-" a:Set b:Set ")"
}
rewrite Set {
    commute:   `(+ ?a ?b)` <=> `(+ ?b ?a)`
    associate: `(+ (+ ?a ?b) ?c)` <=> `(+ ?a (+ ?b ?c))`
    again:     `(+ ?a ?a)` => `?a`
    twice:     `(- (- ?a ?b) ?c)` <=> `(- ?a (+ ?b ?c))`
    absorb:    `(+ ?a (- ?a ?b))` => `?a`
    fill:      `(+ ?a (- ?b ?a))` => `(+ ?a ?b)`
    undo:      `(- (+ ?a ?b) ?a)` => `(- ?b ?a)`
    spare:     `(- ?a (- ?b ?a))` => `?a`
    common:    `(- ?a (- ?a ?b))` <=> `(- ?b (- ?b ?a))`
    factor:    `(+ (- ?a ?c) (- ?b ?c))` => `(- (+ ?a ?b) ?c)`
    deepen:    `(- (- ?a ?b) (- ?c ?b))` => `(- ?a (+ ?b ?c))`
}
"#;

/// The same for egg.
fn laws() -> Vec<Rewrite<SymbolLang, ()>> {
    let mut rules = vec![
        rewrite!("commute"; "(+ ?a ?b)" => "(+ ?b ?a)"),
        rewrite!("again"; "(+ ?a ?a)" => "?a"),
        rewrite!("absorb"; "(+ ?a (- ?a ?b))" => "?a"),
        rewrite!("fill"; "(+ ?a (- ?b ?a))" => "(+ ?a ?b)"),
        rewrite!("undo"; "(- (+ ?a ?b) ?a)" => "(- ?b ?a)"),
        rewrite!("spare"; "(- ?a (- ?b ?a))" => "?a"),
        rewrite!("common"; "(- ?a (- ?a ?b))" => "(- ?b (- ?b ?a))"),
        rewrite!("factor"; "(+ (- ?a ?c) (- ?b ?c))" => "(- (+ ?a ?b) ?c)"),
        rewrite!("deepen"; "(- (- ?a ?b) (- ?c ?b))" => "(- ?a (+ ?b ?c))"),
    ];
    rules.extend(rewrite!("associate"; "(+ (+ ?a ?b) ?c)" <=> "(+ ?a (+ ?b ?c))"));
    rules.extend(rewrite!("twice"; "(- (- ?a ?b) ?c)" <=> "(- ?a (+ ?b ?c))"));
    rules
}

/// Most nodes that rules may add, and times that they are gone through.
const NODES: usize = 20_000;
const ROUNDS: usize = 30;

/// What growing e-graphs from programs of one size came to.
#[derive(Default)]
struct Grown {
    programs: usize,
    saturated: usize,
    nodes: usize,
    seconds: f64,
    size: usize,
}

impl Grown {
    fn row(&self) -> String {
        let each = |sum: f64| sum / self.programs.max(1) as f64;
        format!(
            "{:.0} | {:.2} | {:.0} % | {:.2}",
            each(self.nodes as f64),
            1e3 * each(self.seconds),
            100.0 * each(self.saturated as f64),
            each(self.size as f64)
        )
    }
}

/// Random programs of a size by egg's own rules, and by rules on multisets.
fn against_plain_rules(compiled: &Compiled, size: u32) -> Option<()> {
    let mut spec = compiled.grammar.sample;
    (spec.min, spec.max) = (size, size);
    let sampler = Sampler::new(compiled, spec).ok()?;
    let limits = Limits {
        nodes: NODES,
        iterations: ROUNDS,
        ..Limits::default()
    };
    let simplifier = Simplifier::new(compiled).with_limits(limits);
    let rules = laws();
    let (mut plain, mut multisets) = (Grown::default(), Grown::default());
    for item in 0..SETS {
        let program = sampler.sample(&mut stream(4, item));
        let began = Instant::now();
        let done = simplifier.simplify(&program);
        multisets.seconds += began.elapsed().as_secs_f64();
        multisets.programs += 1;
        multisets.nodes += done.nodes;
        multisets.saturated += usize::from(done.stop == StopReason::Saturated);
        multisets.size += leaves(&compiled.print(&done.program));

        let expr: RecExpr<SymbolLang> = compiled.print(&program).parse().ok()?;
        let began = Instant::now();
        let runner = Runner::default()
            .with_expr(&expr)
            .with_node_limit(NODES)
            .with_iter_limit(ROUNDS)
            .with_time_limit(std::time::Duration::from_secs(60))
            .run(&rules);
        let (_, least) = Extractor::new(&runner.egraph, AstSize).find_best(*runner.roots.first()?);
        plain.seconds += began.elapsed().as_secs_f64();
        plain.programs += 1;
        plain.nodes += runner.egraph.nodes().len();
        plain.saturated += usize::from(matches!(
            runner.stop_reason,
            Some(egg::StopReason::Saturated)
        ));
        plain.size += leaves(&least.to_string());
    }
    println!("| {size} | {} | {} |", plain.row(), multisets.row());
    Some(())
}

/// Names in a text.
fn leaves(text: &str) -> usize {
    let words = text.split(|c: char| !c.is_ascii_digit());
    words.filter(|word| !word.is_empty()).count()
}

/// Training examples of a language, with targets as drawn or canonical.
fn pairs(name: &str, canonical: bool) -> Result<(), Box<dyn std::error::Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("grammars/{name}.tdg"));
    let compiled = Compiled::load(&path)?;
    let options = Options {
        canonical,
        pictures: false,
        ..Options::of(&compiled)
    };
    let simplifier = Simplifier::new(&compiled);
    let mut maker = Maker::new(&compiled, options)?;
    let began = Instant::now();
    let examples: Result<Vec<Example>, _> = (0..TARGETS).map(|index| maker.make(index)).collect();
    let examples = examples?;
    let each = 1e6 * began.elapsed().as_secs_f64() / TARGETS as f64;
    let (mut different, mut merged) = (BTreeSet::new(), BTreeSet::new());
    let mut same = 0;
    for example in &examples {
        let texts = [&example.start, &example.target].map(|p| compiled.print(p));
        different.insert(texts);
        let forms = [&example.start, &example.target].map(|p| simplifier.canonical(p));
        same += u64::from(forms[0] == forms[1]);
        merged.insert(forms.map(|p| compiled.print(&p)));
    }
    println!(
        "| {name} | {} | {TARGETS} | {} | {} | {same} | {each:.0} |",
        if canonical { "canonical" } else { "as drawn" },
        different.len(),
        merged.len(),
    );
    Ok(())
}

/// The time of single canonical forms of random programs of a size.
fn times(name: &str, size: u32) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("grammars/{name}.tdg"));
    let Ok(compiled) = Compiled::load(&path) else {
        return;
    };
    let mut spec = compiled.grammar.sample;
    (spec.min, spec.max) = (size, size);
    let Ok(sampler) = Sampler::new(&compiled, spec) else {
        return;
    };
    let simplifier = Simplifier::new(&compiled);
    let mut times: Vec<f64> = (0..SINGLE)
        .map(|item| {
            let program = sampler.sample(&mut stream(3, item));
            let began = Instant::now();
            std::hint::black_box(simplifier.canonical(&program));
            1e3 * began.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[(share * (times.len() - 1) as f64) as usize];
    let mean = times.iter().sum::<f64>() / times.len() as f64;
    println!(
        "| {name} | {size} | {mean:.2} | {:.2} | {:.2} | {:.2} |",
        at(0.5),
        at(0.99),
        at(1.0)
    );
}

/// Programs are compared within each set.
fn row(compiled: &Compiled, what: &str, sets: &[Vec<Program>]) {
    let simplifier = Simplifier::new(compiled);
    let (mut number, mut different, mut canonical) = (0, 0, 0);
    let mut seconds = 0.0;
    for set in sets {
        number += set.len();
        let texts: BTreeSet<String> = set.iter().map(|p| compiled.print(p)).collect();
        different += texts.len();
        let began = Instant::now();
        let forms: Vec<Program> = set.iter().map(|p| simplifier.canonical(p)).collect();
        seconds += began.elapsed().as_secs_f64();
        let texts: BTreeSet<String> = forms.iter().map(|p| compiled.print(p)).collect();
        canonical += texts.len();
    }
    let each = 1e6 * seconds / number.max(1) as f64;
    println!(
        "| {} | {what} | {number} | {different} | {canonical} | {each:.0} |",
        compiled.grammar.name
    );
}
