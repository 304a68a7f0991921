//! `tdc simplify`: the least program that the rules prove equal.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use tdc::rewrite::{By, Cost, Direction, Growth, Limits, Simplified, Simplifier, Step, StopReason};

use super::Outcome;
use super::failure::Failure;
use super::input::{self, Language, OutputArg, ProgramSource};
use super::output::Out;
use super::progress::Progress;
use super::shell::{self, Shell};

/// Find the least program that the rules prove equal
///
/// The grammar's rewrite rules are applied in all places and in every order that the limits allow.
/// Of all programs they lead to, the one with the fewest primitives is given, or the least by what
/// the grammar's productions cost (@cost); among these the one with the fewest nodes, then with the
/// fewest characters.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tdc simplify grammars/csg2d.tdg '(+ (Circle 0 3 4) (Circle 6 8 8))'
  tdc simplify grammars/csg2d.tdg '(+ (Circle 0 3 4) (Circle 6 8 8))' --explain
  tdc sample grammars/csg2d.tdg -n 9 | tdc simplify grammars/csg2d.tdg - --canonical

JSON, one object a program: before, after, cost_before, cost (price, nodes, letters), stop \
(saturated: nothing more to find; nodes, iterations, time, effort: a limit), iterations, nodes, \
growth (rule, direction, nodes: what each rule added, most first), and with --explain steps \
(rules: rule, direction; program).")]
pub struct Args {
    /// The grammar file
    grammar: PathBuf,

    #[command(flatten)]
    program: ProgramSource,

    /// Show the steps, each by one rule
    #[arg(long)]
    explain: bool,

    /// The canonical form: limits are as everywhere else where programs are compared
    #[arg(long, conflicts_with_all = ["nodes", "iterations", "time"])]
    canonical: bool,

    /// Most nodes that rules may add before the least program is looked for
    #[arg(long, value_name = "N")]
    nodes: Option<usize>,

    /// Most times that all rules are gone through before that
    #[arg(long, value_name = "N")]
    iterations: Option<usize>,

    /// Most seconds for a program; what is found then depends on the machine
    #[arg(long, value_name = "SECONDS", value_parser = input::seconds)]
    time: Option<f64>,

    #[command(flatten)]
    output: OutputArg,
}

pub fn run(shell: &Shell, args: &Args) -> Outcome {
    let mut language = input::language(shell, &args.grammar)?;
    let sources = args.program.read()?;
    // Parsed first: the simplifier borrows the language.
    let programs = sources
        .iter()
        .map(|source| language.parse(shell, source))
        .collect::<Result<Vec<_>, _>>()?;
    let usual = match args.canonical {
        true => Limits::canonical(),
        false => Limits::default(),
    };
    let limits = Limits {
        nodes: args.nodes.unwrap_or(usual.nodes),
        iterations: args.iterations.unwrap_or(usual.iterations),
        steps: usual.steps,
        time: args.time.map(Duration::from_secs_f64),
    };
    let simplifier = Simplifier::new(&language.compiled).with_limits(limits);
    if !simplifier.has_rules() {
        shell.say(&format!(
            "{} has no rewrite rules: programs stay as they are",
            language.compiled.grammar.name
        ));
    }
    let mut out = Out::open(args.output.output.as_deref())?;
    let mut progress = Progress::new(shell, "simplifying", programs.len() as u64);
    for (source, program) in sources.iter().zip(&programs) {
        if shell::stopped() {
            out.finish()?;
            return Err(Failure::Stopped);
        }
        let done = simplifier.simplify(program);
        let steps = args.explain.then(|| simplifier.explain(program));
        let before = language.text(program);
        if shell.json() {
            out.json(&object(&language, &before, &done, steps.as_deref()))?;
        } else {
            match &steps {
                Some(steps) => {
                    out.line(&before)?;
                    for step in steps {
                        out.line(&shell.accent(&format!("  = {}", by(&step.by))))?;
                        out.line(&language.text(&step.program))?;
                    }
                }
                None => out.line(&language.text(&done.program))?,
            }
            if let Some(note) = note(&done) {
                shell.say(&format!("{}: {note}", source.name));
            }
        }
        progress.add(1);
    }
    out.finish()
}

/// What a step is right by, for people.
fn by(by: &By) -> String {
    let one = |rule: &str, direction: Direction| match direction {
        Direction::Forward => rule.to_owned(),
        Direction::Backward => format!("{rule}, from right to left"),
    };
    match by {
        By::Rule(rule, direction) => one(rule, *direction),
        By::Order(rules) => format!("{}: the order of operands", rules.join(" and ")),
        By::Several(rules) => {
            let rules: Vec<String> = rules.iter().map(|(rule, d)| one(rule, *d)).collect();
            format!("{}: between them is no program", rules.join("; "))
        }
        By::Many => "the rules, in more steps than can be shown".to_owned(),
    }
}

/// What a limit kept from being found, and which rule used it up.
fn note(done: &Simplified) -> Option<String> {
    let limit = match done.stop {
        StopReason::Saturated => return None,
        StopReason::Nodes => "the limit of nodes (--nodes)",
        StopReason::Iterations => "the limit of iterations (--iterations)",
        StopReason::Time => "the limit of time (--time)",
        StopReason::Effort => "a limit of steps in matching",
    };
    let mut note = format!("stopped at {limit}, so there may be less");
    if let Some(Growth {
        rule,
        direction,
        nodes,
    }) = done.growth.first()
    {
        let all: usize = done.growth.iter().map(|growth| growth.nodes).sum();
        let how = match direction {
            Direction::Forward => "",
            Direction::Backward => ", from right to left,",
        };
        note.push_str(&format!(
            "; rule `{rule}`{how} grew most: {nodes} of {all} nodes added"
        ));
    }
    Some(note)
}

fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Forward => "forward",
        Direction::Backward => "backward",
    }
}

fn object(language: &Language, before: &str, done: &Simplified, steps: Option<&[Step]>) -> Value {
    let cost = |cost: Cost| {
        json!({
            "price": cost.price,
            "nodes": cost.nodes,
            "letters": cost.letters,
        })
    };
    let growth = done.growth.iter().map(|growth| {
        json!({
            "rule": growth.rule,
            "direction": direction(growth.direction),
            "nodes": growth.nodes,
        })
    });
    let mut object = json!({
        "before": before,
        "after": language.text(&done.program),
        "cost_before": cost(done.before),
        "cost": cost(done.cost),
        "stop": done.stop,
        "iterations": done.iterations,
        "nodes": done.nodes,
        "growth": growth.collect::<Vec<_>>(),
    });
    if let Some(steps) = steps {
        let step = |step: &Step| {
            let one = |(rule, way): &(String, Direction)| json!({ "rule": rule, "direction": direction(*way) });
            let rules: Vec<Value> = match &step.by {
                By::Rule(rule, direction) => vec![one(&(rule.clone(), *direction))],
                By::Order(rules) => rules.iter().map(|rule| json!({ "rule": rule })).collect(),
                By::Several(rules) => rules.iter().map(one).collect(),
                By::Many => Vec::new(),
            };
            json!({ "rules": rules, "program": language.text(&step.program) })
        };
        object["steps"] = steps.iter().map(step).collect();
    }
    object
}
