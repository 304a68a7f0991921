//! `tdc new`: a first grammar.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::Outcome;
use super::failure::Failure;
use super::output::{self, Out};
use super::shell::Shell;

/// The grammar, with `@name@` where its name goes and `@file@` for its file.
const TEMPLATE: &str = include_str!("new.tdg");

/// Write a commented grammar that already checks and draws
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tdc new icons              writes icons.tdg
  tdc new games/chess        writes games/chess.tdg; the folder must be there

JSON, one object: file, language.")]
pub struct Args {
    /// Name of the language, or a path that ends in it
    #[arg(value_name = "NAME")]
    name: PathBuf,

    /// Replace a file that is there already
    #[arg(long)]
    force: bool,
}

pub fn run(shell: &Shell, args: &Args) -> Outcome {
    let path = match args.name.extension() {
        Some(extension) if extension == "tdg" => args.name.clone(),
        Some(_) => {
            return Err(Failure::usage(format!(
                "{} should end in .tdg, or in nothing",
                args.name.display()
            )));
        }
        None => args.name.with_extension("tdg"),
    };
    let name = language_name(&path)?;
    if path.exists() && !args.force {
        return Err(Failure::input(format!(
            "{} is there already; --force replaces it",
            path.display()
        )));
    }
    let file = path.display().to_string();
    let text = TEMPLATE.replace("@name@", &name).replace("@file@", &file);
    output::write_file(&path, text.as_bytes())?;
    let mut out = Out::open(None)?;
    if shell.json() {
        out.json(&json!({ "file": file, "language": name }))?;
    } else {
        out.line(&format!("wrote {file}"))?;
        shell.say(&format!("next: tdc check {file}"));
    }
    out.finish()
}

/// The file's stem as a name of a language.
fn language_name(path: &Path) -> Result<String, Failure> {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy());
    let name = stem.unwrap_or_default().replace(['-', ' '], "_");
    let fits = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if fits {
        Ok(name)
    } else {
        Err(Failure::usage(format!(
            "`{name}` cannot be a language's name: letters, digits and _, a letter first"
        )))
    }
}
