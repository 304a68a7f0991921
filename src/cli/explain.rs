//! `tdc explain`: the page of a diagnostic code.

use serde_json::json;
use tdc::diag::codes::{self, Code};

use super::Outcome;
use super::failure::Failure;
use super::output::Out;
use super::shell::Shell;

/// Explain a diagnostic code; without one, list them all
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tdc explain E0107
  tdc explain            list of all codes

JSON, one object a code: code, severity, title, page (Markdown; left out in the list).")]
pub struct Args {
    /// The code, such as E0107
    code: Option<String>,
}

pub fn run(shell: &Shell, args: &Args) -> Outcome {
    let mut out = Out::open(None)?;
    match &args.code {
        None => {
            for entry in codes::TABLE {
                let code = entry.code;
                if shell.json() {
                    out.json(&json!({
                        "code": code,
                        "severity": code.severity(),
                        "title": entry.title,
                    }))?;
                } else {
                    out.line(&format!("{}  {}", shell.bold(code.as_str()), entry.title))?;
                }
            }
        }
        Some(text) => {
            let code = Code::find(text).ok_or_else(|| {
                Failure::input(format!(
                    "there is no code `{text}`; `tdc explain` lists those there are"
                ))
            })?;
            let entry = code.entry();
            if shell.json() {
                out.json(&json!({
                    "code": code,
                    "severity": code.severity(),
                    "title": entry.title,
                    "page": entry.page,
                }))?;
            } else {
                out.line(entry.page.trim_end())?;
            }
        }
    }
    out.finish()
}
