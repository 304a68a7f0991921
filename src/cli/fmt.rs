//! `tdc fmt`: grammar files in their one layout.

use std::path::PathBuf;

use serde_json::json;
use tdc::diag::Sink;
use tdc::source::{Origin, SourceMap};

use super::Outcome;
use super::failure::Failure;
use super::input;
use super::output::{self, Out};
use super::shell::Shell;

/// Lay out grammar files; comments stay
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tdc fmt icons.tdg               lay the file out again, in place
  tdc fmt --check grammars/*.tdg  exit 1 when a file would change
  tdc fmt - < icons.tdg           from standard input to standard output

JSON, one object a file: file, changed.")]
pub struct Args {
    /// Grammar files; - for standard input
    #[arg(value_name = "GRAMMAR", required = true)]
    files: Vec<PathBuf>,

    /// Change nothing; exit 1 when a file would change
    #[arg(long)]
    check: bool,
}

pub fn run(shell: &Shell, args: &Args) -> Outcome {
    let mut out = Out::open(None)?;
    let (mut broken, mut different) = (false, false);
    for path in &args.files {
        let piped = path.as_os_str() == "-";
        let (name, text) = if piped {
            let sources = input::read_sources("-", true)?;
            let text = sources.into_iter().map(|s| s.text).collect::<String>();
            ("<stdin>".to_owned(), text)
        } else {
            (path.display().to_string(), input::read_text(path)?)
        };
        let mut sources = SourceMap::new();
        let mut sink = Sink::new();
        let id = sources.add(&name, text.as_str(), Origin::Memory);
        let file = tdc::meta::parser::parse(id, &text, &mut sink);
        let broken_here = sink.has_errors();
        input::show(shell, &sources, &sink.sorted());
        if broken_here {
            broken = true;
            continue;
        }
        let laid_out = tdc::meta::printer::print(&file);
        let changed = laid_out != text;
        different |= changed;
        if piped && !args.check {
            out.text(&laid_out)?;
            continue;
        }
        if changed && !args.check {
            output::write_file(path, laid_out.as_bytes())?;
        }
        if shell.json() {
            out.json(&json!({ "file": name, "changed": changed }))?;
        } else if changed && args.check {
            out.line(&format!("{name} would change"))?;
        } else if changed {
            out.line(&format!("{name} laid out"))?;
        }
    }
    out.finish()?;
    if broken || (args.check && different) {
        return Err(Failure::Diagnosed);
    }
    Ok(())
}
