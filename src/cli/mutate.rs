//! `tdc mutate`: small random changes of a program.

use std::ops::Range;
use std::path::PathBuf;

use serde_json::json;
use tdc::grammar::ir::NodeChoice;
use tdc::mutate::Mutator;
use tdc::sample;
use tdc::tree::{Edit, edit};

use super::Outcome;
use super::failure::Failure;
use super::input::{self, Language, OutputArg, ProgramSource};
use super::output::Out;
use super::shell::{self, Shell};

/// Change a program at random
///
/// A mutation replaces a small part (sigma at most --small) by another small part of the same
/// kind. Each mutation starts from the program given.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tdc mutate grammars/csg2d.tdg '(+ (Circle 3 4 5) (Circle 2 9 9))' -n 5
  tdc mutate grammars/csg2d.tdg '(Circle 3 4 5)' -n 3 --chain    each from the one before
  tdc sample grammars/arith.tdg -n 9 | tdc mutate grammars/arith.tdg - --bare

JSON, one object a mutation: before, after, position (the node replaced), old, new (the parts), \
old_span, new_span ([start, end) in bytes of before and after).")]
pub struct Args {
    /// The grammar file
    grammar: PathBuf,

    #[command(flatten)]
    program: ProgramSource,

    /// How many mutations of each program
    #[arg(short, default_value_t = 1, value_name = "N")]
    n: u64,

    /// Seed: the same seed gives the same mutations everywhere
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,

    /// How the part is chosen, instead of what the grammar says
    #[arg(long, value_enum, value_name = "HOW")]
    by: Option<ChoiceArg>,

    /// Greatest size of what is replaced and of its replacement
    #[arg(long, value_name = "N")]
    small: Option<u32>,

    /// Each mutation starts from the one before
    #[arg(long)]
    chain: bool,

    /// Only the mutated programs, one a line
    #[arg(long)]
    bare: bool,

    #[command(flatten)]
    output: OutputArg,
}

/// How the part to replace is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ChoiceArg {
    /// A size among those of the candidates, then one of that size
    Size,
    /// A production among those of the candidates, then one of its nodes
    Rule,
    /// Any candidate
    Node,
}

pub fn run(shell: &Shell, args: &Args) -> Outcome {
    let mut language = input::language(shell, &args.grammar)?;
    let mut spec = language.compiled.grammar.mutate;
    spec.small = args.small.unwrap_or(spec.small);
    spec.choice = match args.by {
        Some(ChoiceArg::Size) => NodeChoice::Size,
        Some(ChoiceArg::Rule) => NodeChoice::Rule,
        Some(ChoiceArg::Node) => NodeChoice::Node,
        None => spec.choice,
    };
    let sources = args.program.read()?;
    // Parsed first: the mutator borrows the language.
    let programs = sources
        .iter()
        .map(|source| language.parse(shell, source))
        .collect::<Result<Vec<_>, _>>()?;
    let compiled = &language.compiled;
    let mutator = Mutator::new(compiled, spec).map_err(|e| Failure::input(e.to_string()))?;
    let mut out = Out::open(args.output.output.as_deref())?;
    let mut rng = sample::seeded(args.seed);
    let mut first = true;
    for (source, mut program) in sources.iter().zip(programs) {
        for _ in 0..args.n {
            if shell::stopped() {
                out.finish()?;
                return Err(Failure::Stopped);
            }
            let Some(edit) = mutator.propose(&program, &mut rng) else {
                return Err(Failure::input(format!(
                    "no part of {} of size {} or less has another program to become; \
                     a greater --small may help",
                    source.name, spec.small
                )));
            };
            let after = edit::apply(&compiled.grammar, &program, &edit);
            let change = Change::new(&language, &program, &edit, &after);
            if shell.json() {
                out.json(&json!({
                    "before": change.before,
                    "after": change.after,
                    "position": edit.position,
                    "old": change.old(),
                    "new": change.new_part(),
                    "old_span": [change.old_span.start, change.old_span.end],
                    "new_span": [change.new_span.start, change.new_span.end],
                }))?;
            } else if args.bare {
                out.line(&change.after)?;
            } else {
                if !first {
                    out.line("")?;
                }
                out.line(&change.before)?;
                out.line(&shell.accent(&carets(&change.before, &change.old_span)))?;
                out.line(&change.after_shown(shell))?;
            }
            first = false;
            if args.chain {
                program = after;
            }
        }
    }
    out.finish()
}

/// An edit with the texts around it.
pub struct Change {
    /// Text before.
    pub before: String,
    /// Text after.
    pub after: String,
    /// The part replaced, in `before`.
    pub old_span: Range<usize>,
    /// What replaced it, in `after`.
    pub new_span: Range<usize>,
}

impl Change {
    /// The texts of a program, its edit, and the program after it.
    pub fn new(
        language: &Language,
        before: &tdc::tree::Program,
        edit: &Edit,
        after: &tdc::tree::Program,
    ) -> Change {
        let (before, old) = language.text_spans(before);
        let (after, new) = language.text_spans(after);
        let span = |spans: Vec<Range<usize>>| spans.get(edit.position).cloned().unwrap_or(0..0);
        Change {
            before,
            after,
            old_span: span(old),
            new_span: span(new),
        }
    }

    /// The part replaced.
    pub fn old(&self) -> &str {
        self.before.get(self.old_span.clone()).unwrap_or("")
    }

    /// What replaced it.
    pub fn new_part(&self) -> &str {
        self.after.get(self.new_span.clone()).unwrap_or("")
    }

    /// The text after, its new part emphasised.
    pub fn after_shown(&self, shell: &Shell) -> String {
        let Range { start, end } = self.new_span;
        let (head, rest) = self.after.split_at(start.min(self.after.len()));
        let (new, tail) = rest.split_at((end - start).min(rest.len()));
        format!("{head}{}{tail}", shell.bold(new))
    }
}

/// Carets under a part of a line; one for a part without text.
pub fn carets(text: &str, span: &Range<usize>) -> String {
    let columns = |range: Range<usize>| text.get(range).map_or(0, |part| part.chars().count());
    format!(
        "{}{}",
        " ".repeat(columns(0..span.start)),
        "^".repeat(columns(span.clone()).max(1))
    )
}
