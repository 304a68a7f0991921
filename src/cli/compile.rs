//! `tdc compile`: a language in other forms.

use std::path::{Path, PathBuf};

use serde_json::json;
use tdc::codegen::rust::{RustOptions, Serde};
use tdc::codegen::{document, ebnf, gallery, railroad, rust, summary, textmate};
use tdc::diag::Sink;
use tdc::source::{Origin, SourceMap};
use tdc::tree::json as tree;

use super::failure::Failure;
use super::input::{self, Language, Source};
use super::output::{Folder, Out};
use super::shell::Shell;

/// Write a language in other forms: Rust, JSON, EBNF, diagrams, editor colours, a gallery page
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tdc compile grammars/csg2d.tdg -o out/csg2d     then open out/csg2d/index.html
  tdc compile grammars/json.tdg --emit ebnf       to standard output
  tdc compile icons.tdg -o out/ --emit ir,scene,gallery
  tdc compile icons.tdg -o src/ --emit rust       a module, src/icons.rs
  tdc compile icons.tdg -o src/ --emit rust --check

Files in the output folder: LANGUAGE.rs (rust), index.html (gallery), railroad.html (railroad), \
grammar.ebnf (ebnf), LANGUAGE.tmLanguage.json (textmate), ir.json (ir), ir.schema.json (schema), \
tokens.txt, ast.json, grammar.txt, info.json, scene.json (the examples' scenes). Without --emit: \
rust, ir, ebnf, railroad, textmate, gallery.

JSON, one object: language (as in `tdc check`), files (paths written; with --check those looked \
at), and with --check differ (file, and line of the first difference, null when the file is \
missing).")]
pub struct Args {
    /// The grammar file
    grammar: PathBuf,

    /// Write files into this folder, which is made
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,

    /// What to write; without -o one kind, to standard output
    #[arg(long, value_enum, value_delimiter = ',', value_name = "KINDS")]
    emit: Vec<Emit>,

    /// Write nothing; exit 3 when a file in the output folder is not as it would be written. Layout of
    /// Rust does not count, so `cargo fmt` may have been over it
    #[arg(long, requires = "output")]
    check: bool,

    /// Derive serde's traits in Rust, always or when the given feature of your crate is on
    #[arg(long, value_name = "FEATURE", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    serde: Option<String>,

    /// Seed of the gallery's samples
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,
}

/// A form of a language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Emit {
    /// The words of the grammar file
    Tokens,
    /// The grammar file's syntax tree (JSON)
    Ast,
    /// The resolved grammar: what may stand where
    Grammar,
    /// What is derived from it: sizes, reachability (JSON)
    Info,
    /// The whole language for other programs (JSON)
    Ir,
    /// A module with types and operators (Rust)
    Rust,
    /// The JSON Schema of `ir`, the same for every language
    Schema,
    /// The grammar as EBNF, in the W3C's notation
    Ebnf,
    /// A page of syntax diagrams (HTML)
    Railroad,
    /// Colours for programs in editors: a TextMate grammar (JSON)
    Textmate,
    /// The scenes of the examples (JSON)
    Scene,
    /// A page with samples, mutations and an edit path (HTML)
    Gallery,
}

impl Emit {
    /// The name of its file, for a language of this name.
    fn file(self, language: &str) -> String {
        let name = match self {
            Emit::Tokens => "tokens.txt",
            Emit::Ast => "ast.json",
            Emit::Grammar => "grammar.txt",
            Emit::Info => "info.json",
            Emit::Ir => "ir.json",
            Emit::Rust => return format!("{language}.rs"),
            Emit::Schema => "ir.schema.json",
            Emit::Ebnf => "grammar.ebnf",
            Emit::Railroad => "railroad.html",
            Emit::Textmate => return format!("{language}.tmLanguage.json"),
            Emit::Scene => "scene.json",
            Emit::Gallery => "index.html",
        };
        name.to_owned()
    }
}

pub fn run(shell: &Shell, args: &Args) -> super::Outcome {
    // Words and syntax tree exist of files that do not check.
    let early = |emit: &Emit| matches!(emit, Emit::Tokens | Emit::Ast);
    if args.output.is_none() && !args.emit.is_empty() && args.emit.iter().all(early) {
        return print_early(shell, args);
    }
    let mut language = input::language(shell, &args.grammar)?;
    let table = summary::summary(&language.compiled);
    let kinds = if args.emit.is_empty() {
        vec![
            Emit::Rust,
            Emit::Ir,
            Emit::Ebnf,
            Emit::Railroad,
            Emit::Textmate,
            Emit::Gallery,
        ]
    } else {
        args.emit.clone()
    };
    let mut out = Out::open(None)?;
    let mut files = Vec::new();
    let name = language.compiled.grammar.name.clone();
    if let Some(path) = args.output.as_ref().filter(|_| args.check) {
        let mut texts = Vec::new();
        for kind in &kinds {
            let text = emit(shell, &mut language, args, *kind)?;
            texts.push((path.join(kind.file(&name)), text));
        }
        return compare(shell, args, &table, &texts);
    }
    if let Some(path) = &args.output {
        let folder = Folder::create(path)?;
        for kind in &kinds {
            let text = emit(shell, &mut language, args, *kind)?;
            let file = kind.file(&name);
            folder.add(&file, text.as_bytes())?;
            files.push(path.join(file).display().to_string());
        }
        folder.finish()?;
    } else if !args.emit.is_empty() {
        for kind in &kinds {
            out.text(&emit(shell, &mut language, args, *kind)?)?;
        }
        return out.finish();
    }
    if shell.json() {
        out.json(&json!({ "language": table, "files": files }))?;
    } else {
        out.text(&super::check::text(shell, &args.grammar, &table))?;
        if files.is_empty() {
            shell.say("nothing written: name a folder with -o, or a form with --emit");
        }
        for file in &files {
            shell.say(&format!("wrote {file}"));
        }
    }
    out.finish()
}

/// Says which files are not as they would be written.
fn compare(
    shell: &Shell,
    args: &Args,
    table: &summary::Summary,
    texts: &[(PathBuf, String)],
) -> super::Outcome {
    let mut differ = Vec::new();
    for (path, text) in texts {
        let found = match std::fs::read(path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                differ.push(json!({ "file": path.display().to_string(), "line": null }));
                shell.say(&format!("{}: is missing", path.display()));
                continue;
            }
            Err(error) => return Err(Failure::file(path, "read", &error)),
        };
        let is_rust = path.extension().is_some_and(|ending| ending == "rs");
        if is_rust && rust::is_same(&found, text) {
            continue;
        }
        if let Some((line, found, wanted)) = first_difference(&found, text) {
            differ.push(json!({ "file": path.display().to_string(), "line": line }));
            shell.say(&format!(
                "{}:{line}: differs\n  is         {found}\n  should be  {wanted}",
                path.display()
            ));
        }
    }
    let mut out = Out::open(None)?;
    if shell.json() {
        let files: Vec<String> = texts.iter().map(|(p, _)| p.display().to_string()).collect();
        out.json(&json!({ "language": table, "files": files, "differ": differ }))?;
    }
    out.finish()?;
    if differ.is_empty() {
        shell.say("up to date");
        return Ok(());
    }
    shell.say(&format!("write them again: {}", command(args)));
    Err(Failure::Differs)
}

/// The command that writes what `--check` looked at.
fn command(args: &Args) -> String {
    let mut words = vec!["tdc compile".to_owned(), args.grammar.display().to_string()];
    if let Some(path) = &args.output {
        words.push(format!("-o {}", path.display()));
    }
    if !args.emit.is_empty() {
        let kinds = args
            .emit
            .iter()
            .filter_map(clap::ValueEnum::to_possible_value);
        let kinds: Vec<String> = kinds.map(|kind| kind.get_name().to_owned()).collect();
        words.push(format!("--emit {}", kinds.join(",")));
    }
    match args.serde.as_deref() {
        None => {}
        Some("") => words.push("--serde".to_owned()),
        Some(feature) => words.push(format!("--serde={feature}")),
    }
    if args.seed != 0 {
        words.push(format!("--seed {}", args.seed));
    }
    words.join(" ")
}

/// The first line that differs, counted from 1, and what it is in both texts.
fn first_difference(found: &str, wanted: &str) -> Option<(usize, String, String)> {
    if found == wanted {
        return None;
    }
    let (mut found, mut wanted) = (found.split('\n'), wanted.split('\n'));
    for line in 1.. {
        let (have, want) = (found.next(), wanted.next());
        if have != want {
            let shown = |text: Option<&str>| match text {
                Some(text) => shortened(text),
                None => "(the end of the file)".to_owned(),
            };
            return Some((line, shown(have), shown(want)));
        }
    }
    None
}

/// A line, cut where it gets too long to show.
fn shortened(line: &str) -> String {
    const MOST: usize = 100;
    let mut text: String = line.chars().take(MOST).collect();
    if text.len() < line.len() {
        text.push_str("...");
    }
    text
}

fn print_early(shell: &Shell, args: &Args) -> super::Outcome {
    let mut out = Out::open(None)?;
    let mut wrong = false;
    for kind in &args.emit {
        let (text, errors) = early(shell, &args.grammar, *kind)?;
        wrong |= errors;
        out.text(&text)?;
    }
    out.finish()?;
    if wrong {
        Err(Failure::Diagnosed)
    } else {
        Ok(())
    }
}

/// Words or syntax tree of the file itself, and whether there were mistakes.
fn early(shell: &Shell, path: &Path, kind: Emit) -> Result<(String, bool), Failure> {
    let text = input::read_text(path)?;
    let mut sources = SourceMap::new();
    let mut sink = Sink::new();
    let id = sources.add(path.display().to_string(), text.as_str(), Origin::Memory);
    let out = if kind == Emit::Tokens {
        let tokens = tdc::meta::lexer::lex(id, &text, &mut sink).tokens;
        let mut out = String::new();
        for token in &tokens {
            let (line, column) = sources.line_column(id, token.span.start);
            out.push_str(&format!("{line}:{column}\t{:?}\n", token.kind));
        }
        out
    } else {
        pretty(&tdc::meta::parser::parse(id, &text, &mut sink))?
    };
    input::show(shell, &sources, &sink.sorted());
    Ok((out, sink.has_errors()))
}

fn emit(
    shell: &Shell,
    language: &mut Language,
    args: &Args,
    kind: Emit,
) -> Result<String, Failure> {
    Ok(match kind {
        Emit::Tokens | Emit::Ast => early(shell, &args.grammar, kind)?.0,
        Emit::Grammar => nonterminals(language),
        Emit::Info => pretty(&language.compiled.info)?,
        Emit::Rust => {
            let serde = match args.serde.as_deref() {
                None => Serde::Off,
                Some("") => Serde::On,
                Some(feature) => Serde::Feature(feature.to_owned()),
            };
            rust::rust(
                &language.compiled,
                &language.sources,
                &RustOptions { serde },
            )
            .map_err(|error| Failure::input(error.to_string()))?
        }
        Emit::Ir => pretty(&document::document(&language.compiled))?,
        Emit::Schema => document::SCHEMA.to_owned(),
        Emit::Ebnf => ebnf::ebnf(&language.compiled),
        Emit::Railroad => {
            let gallery = beside(args, Emit::Gallery, language);
            railroad::railroad(&language.compiled, &railroad::Options { gallery })
        }
        Emit::Textmate => textmate::textmate(&language.compiled),
        Emit::Scene => scenes(shell, language)?,
        Emit::Gallery => {
            let options = gallery::Options {
                seed: args.seed,
                file: args.grammar.display().to_string(),
                railroad: beside(args, Emit::Railroad, language),
            };
            gallery::gallery(&language.compiled, &options)
        }
    })
}

/// The file of another form, when it is written into the same folder.
fn beside(args: &Args, other: Emit, language: &Language) -> Option<String> {
    let written = args.emit.is_empty() || args.emit.contains(&other);
    (args.output.is_some() && written).then(|| other.file(&language.compiled.grammar.name))
}

/// Every nonterminal with its productions, hidden ones too.
fn nonterminals(language: &Language) -> String {
    let grammar = &language.compiled.grammar;
    let mut out = format!("start {}\n", grammar.nonterminal_name(grammar.start));
    for id in grammar.nonterminal_ids() {
        out.push_str(&format!("\n{} ({})\n", grammar.nonterminal_name(id), id.0));
        for production in &grammar.nonterminal(id).productions {
            let p = grammar.production(*production);
            let children = p.children.iter().map(|child| {
                let name = grammar.nonterminal_name(child.nt);
                format!(" {}:{name}({})", child.name, child.nt.0)
            });
            let children: String = children.collect();
            let primitive = if p.primitive { " @primitive" } else { "" };
            let cost = match p.price == u32::from(p.primitive) {
                true => String::new(),
                false => format!(" @cost({})", p.price),
            };
            out.push_str(&format!(
                "    {} {}{children}  weight {}{primitive}{cost}\n",
                production.0, p.name, p.weight
            ));
        }
    }
    out
}

/// The examples' trees and scenes.
fn scenes(shell: &Shell, language: &mut Language) -> Result<String, Failure> {
    let examples: Vec<(String, String)> = language
        .compiled
        .grammar
        .examples
        .iter()
        .map(|(name, example)| (name.clone(), example.program.text.clone()))
        .collect();
    let mut list = Vec::new();
    for (name, text) in examples {
        let source = Source::alone(format!("example {name}"), text);
        let program = language.parse(shell, &source)?;
        let grammar = &language.compiled.grammar;
        let scene = tdc::scene::eval::lower(grammar, &program)
            .map_err(|error| Failure::input(format!("example {name}: {error}")))?;
        let tree: serde_json::Value =
            serde_json::from_str(&tree::to_json(grammar, &program)).unwrap_or_default();
        list.push(json!({ "example": name, "program": source.text, "tree": tree, "scene": scene }));
    }
    pretty(&list)
}

fn pretty(value: &impl serde::Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::input(format!("cannot write JSON: {error}")))?;
    Ok(text + "\n")
}
