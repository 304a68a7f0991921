//! `tdc print`: programs in their canonical text.

use std::path::PathBuf;

use serde_json::{Value, json};
use tdc::tree::{Program, json as tree};

use super::Outcome;
use super::failure::Failure;
use super::input::{self, Language, OutputArg, ProgramSource, Source};
use super::output::Out;
use super::shell::{self, Shell};

/// Deepest nesting of a JSON tree that is read; the JSON library recurses.
const DEEPEST: usize = 40_000;

/// Print programs in their canonical form
///
/// A program is its text, or its tree as `tdc parse --format json` writes it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tdc print grammars/csg2d.tdg '( Circle 3   4 5 )'
  tdc print grammars/csg2d.tdg long.txt --width 80
  tdc parse grammars/csg2d.tdg donut.txt --format json | tdc print grammars/csg2d.tdg -
  tdc print grammars/csg2d.tdg '{\"Circle\": {\"r\": 3, \"x\": 4, \"y\": 5}}'

JSON, one object a program: program, size, nodes.")]
pub struct Args {
    /// The grammar file
    grammar: PathBuf,

    #[command(flatten)]
    program: ProgramSource,

    /// What the input is; auto takes it for text, or else for a tree
    #[arg(long, value_enum, default_value_t, value_name = "KIND")]
    from: From,

    /// Break programs into lines of at most so many columns, where their words allow it
    #[arg(long, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(1..))]
    width: Option<u16>,

    #[command(flatten)]
    output: OutputArg,
}

/// What the input is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum From {
    /// Text if it is a program, a tree otherwise
    #[default]
    Auto,
    /// Program text
    Text,
    /// JSON trees
    Tree,
}

pub fn run(shell: &Shell, args: &Args) -> Outcome {
    let mut language = input::language(shell, &args.grammar)?;
    let sources = args.program.read()?;
    let mut out = Out::open(args.output.output.as_deref())?;
    let mut wrong = false;
    for source in &sources {
        if shell::stopped() {
            out.finish()?;
            return Err(Failure::Stopped);
        }
        match read(shell, &mut language, source, args.from) {
            Ok(program) => {
                let text = language.text(&program);
                if shell.json() {
                    out.json(&json!({
                        "program": text,
                        "size": program.size(),
                        "nodes": program.len(),
                    }))?;
                } else {
                    out.line(&match args.width {
                        Some(width) => language.compiled.print_lines(&program, usize::from(width)),
                        None => text,
                    })?;
                }
            }
            Err(Failure::Input(message)) => {
                shell.error(&message);
                wrong = true;
            }
            Err(_) => wrong = true,
        }
    }
    out.finish()?;
    if wrong {
        return Err(Failure::Diagnosed);
    }
    Ok(())
}

fn read(
    shell: &Shell,
    language: &mut Language,
    source: &Source,
    from: From,
) -> Result<Program, Failure> {
    let json_like = source.text.trim_start().starts_with(['{', '"', '[']);
    let tree = match from {
        From::Text => false,
        From::Tree => true,
        From::Auto => json_like && !language.reads(&source.text),
    };
    if !tree {
        return language.parse(shell, source);
    }
    let value = json_value(source)?;
    // What `tdc parse` writes has the tree beside other things.
    let value = match &value {
        Value::Object(object) if object.contains_key("program") => {
            object.get("tree").unwrap_or(&value)
        }
        _ => &value,
    };
    let grammar = &language.compiled.grammar;
    let program = tree::from_json(grammar, value)
        .map_err(|error| Failure::input(format!("{}: {error}", source.name)))?;
    // Strings may hold what their tokens do not allow: only the parser can tell.
    let text = language.text(&program);
    let printed = Source::alone(format!("{} (printed)", source.name), text);
    let read = language.parse(shell, &printed)?;
    if read != program {
        return Err(Failure::input(format!(
            "{}: a string of this tree is not one its token allows",
            source.name
        )));
    }
    Ok(program)
}

/// JSON text as a value, unless it is nested too deeply.
fn json_value(source: &Source) -> Result<Value, Failure> {
    let (mut depth, mut deepest) = (0usize, 0usize);
    let (mut in_string, mut escaped) = (false, false);
    for byte in source.text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    if deepest > DEEPEST {
        return Err(Failure::input(format!(
            "{}: a tree nested {deepest} deep; at most {DEEPEST} is read",
            source.name
        )));
    }
    let mut reader = serde_json::Deserializer::from_str(&source.text);
    reader.disable_recursion_limit();
    let value =
        serde::Deserialize::deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| Failure::input(format!("{}: not a JSON tree: {error}", source.name)))
}
