//! `tdc parse`: from a program's text to its tree.

use std::fmt::Write;
use std::path::PathBuf;

use tdc::grammar::ir::{Grammar, NonterminalKind, ProductionKind};
use tdc::tree::{Layout, Program, json};

use super::Outcome;
use super::failure::Failure;
use super::input::{self, OutputArg, ProgramSource};
use super::output::Out;
use super::shell::{self, Shell};

/// Show the tree of a program
///
/// Each line is a node: its position (as mutations and edit paths count), its field, its kind.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tdc parse grammars/csg2d.tdg '(+ (Circle 3 4 5) (Circle 2 9 9))'
  tdc parse grammars/json.tdg data.json --whole --format json
  tdc sample grammars/arith.tdg -n 3 | tdc parse grammars/arith.tdg -

JSON, one object a program: program (as printed), size, nodes, tree. In the tree a node is \
{\"Circle\": {\"r\": 3, ...}}, or \"Add\" without fields; lists are arrays; no option is null.")]
pub struct Args {
    /// The grammar file
    grammar: PathBuf,

    #[command(flatten)]
    program: ProgramSource,

    #[command(flatten)]
    output: OutputArg,
}

pub fn run(shell: &Shell, args: &Args) -> Outcome {
    let mut language = input::language(shell, &args.grammar)?;
    let sources = args.program.read()?;
    let mut out = Out::open(args.output.output.as_deref())?;
    let several = sources.len() > 1;
    let mut wrong = false;
    for (index, source) in sources.iter().enumerate() {
        if shell::stopped() {
            out.finish()?;
            return Err(Failure::Stopped);
        }
        // Every program is looked at, so that one run tells of all mistakes.
        let Ok(program) = language.parse(shell, source) else {
            wrong = true;
            continue;
        };
        let grammar = &language.compiled.grammar;
        if shell.json() {
            out.line(&format!(
                "{{\"program\":{},\"size\":{},\"nodes\":{},\"tree\":{}}}",
                serde_json::Value::from(language.text(&program)),
                program.size(),
                program.len(),
                json::to_json(grammar, &program),
            ))?;
        } else {
            if several {
                let gap = if index == 0 { "" } else { "\n" };
                out.line(&format!("{gap}{}", shell.dim(&source.name)))?;
            }
            out.text(&indented(shell, grammar, &program))?;
        }
    }
    out.finish()?;
    if wrong {
        return Err(Failure::Diagnosed);
    }
    Ok(())
}

/// The tree, a node a line.
fn indented(shell: &Shell, grammar: &Grammar, program: &Program) -> String {
    /// What is still to be shown: a position, how deep, under which field.
    struct Task {
        at: usize,
        depth: usize,
        field: String,
    }
    let width = program.len().to_string().len();
    let nts = Layout::new(grammar).positions(grammar.start, program);
    let mut out = String::new();
    let mut line = |at: usize, depth: usize, field: &str, what: &str| {
        let field = if field.is_empty() {
            String::new()
        } else {
            format!("{}: ", shell.dim(field))
        };
        // A tree 10,000 deep would be mostly spaces.
        let indent = "  ".repeat(depth.min(60));
        let position = shell.dim(&format!("{at:>width$}"));
        let _ = writeln!(out, "{position}  {indent}{field}{what}");
    };
    let mut tasks = vec![Task {
        at: 0,
        depth: 0,
        field: String::new(),
    }];
    while let Some(Task { at, depth, field }) = tasks.pop() {
        let node = program.nodes()[at];
        let production = grammar.production(node.production);
        match production.kind {
            ProductionKind::Token(token) => {
                let token = grammar.token(token);
                let text = json::token_text(&token.domain, node.value, program);
                let what = format!("{} {}", shell.accent(&text), shell.dim(&token.name));
                line(at, depth, &field, &what);
            }
            ProductionKind::Node(_) => {
                let size = match node.size {
                    size if production.children.is_empty() && size <= 1 => String::new(),
                    size => shell.dim(&format!(" (size {size})")),
                };
                line(
                    at,
                    depth,
                    &field,
                    &format!("{}{size}", shell.bold(&production.name)),
                );
                let children = json::children(program, at, production.children.len());
                for (child, info) in children.into_iter().zip(&production.children).rev() {
                    tasks.push(Task {
                        at: child,
                        depth: depth + 1,
                        field: info.name.clone(),
                    });
                }
            }
            ProductionKind::None => line(at, depth, &field, &shell.dim("nothing")),
            ProductionKind::Some => tasks.push(Task {
                at: at + 1,
                depth,
                field,
            }),
            ProductionKind::Nil => line(at, depth, &field, &shell.dim("no items")),
            ProductionKind::Cons => {
                let items = json::list_items(grammar, program, at);
                let of = match grammar.nonterminal(nts[at]).kind {
                    NonterminalKind::List { item, .. } => grammar.nonterminal_name(item),
                    _ => String::new(),
                };
                line(
                    at,
                    depth,
                    &field,
                    &shell.dim(&format!("{} x {of}", items.len())),
                );
                for (index, item) in items.into_iter().enumerate().rev() {
                    tasks.push(Task {
                        at: item,
                        depth: depth + 1,
                        field: format!("[{index}]"),
                    });
                }
            }
        }
    }
    out
}
