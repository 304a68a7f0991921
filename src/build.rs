//! Grammars in a crate's build script.
//!
//! In: the path of a `.tdg` file, from a `build.rs`. Out: the language's Rust module in `OUT_DIR`,
//! for [`include_grammar!`](crate::include_grammar) to take in. Afterwards cargo runs the script
//! again when any file the grammar was read from changes, and only the languages that changed are
//! written again. What is wrong with a grammar is shown by cargo with its place in the `.tdg` file;
//! the module of an earlier build then stays as it was.
//!
//! ```no_run
//! // In the `main` of build.rs:
//! tdc::build::compile("grammars/csg2d.tdg");
//! ```

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::codegen::rust::{NotRust, RustOptions, Serde, rust};
use crate::compiled::Outcome;
use crate::diag::render::render;
use crate::diag::{Diagnostic, Severity};
use crate::pipeline::compile_path;
use crate::source::{Origin, SourceMap};

/// Compiles the grammar file at `path`, which is relative to the crate's folder, into the module
/// that [`include_grammar!`](crate::include_grammar) names by the file's stem. A mistake in the
/// grammar, or a file that cannot be written, fails the build with its reason.
pub fn compile(path: impl AsRef<Path>) {
    Config::new().compile(path);
}

/// How grammars are compiled, for scripts that want something else than [`compile`].
#[derive(Clone, Debug, Default)]
pub struct Config {
    options: RustOptions,
    folder: Option<PathBuf>,
}

/// A module written, or found up to date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// Where it is.
    pub path: PathBuf,
    /// Whether it was written now; otherwise nothing it is made from had changed.
    pub is_new: bool,
    /// The files it is made from, the grammar first, then what it imports. Modules of the
    /// standard library are part of tdc and not among them.
    pub inputs: Vec<PathBuf>,
}

/// Why there is no module.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The grammar does not check.
    #[error("{}", first_line(.0))]
    Grammar(Box<Outcome>),
    /// A file cannot be read or written.
    #[error("cannot write {}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// There is no folder to write to.
    #[error("OUT_DIR is not set: call this from a build script, or name a folder with `out_dir`")]
    NoFolder,
    /// A path without a name.
    #[error("{} does not name a grammar file", .0.display())]
    NoName(PathBuf),
    /// A defect of tdc.
    #[error(transparent)]
    NotRust(#[from] NotRust),
}

impl Config {
    /// What [`compile`] does.
    pub fn new() -> Config {
        Config::default()
    }

    /// Derives of serde's traits for the generated types: see [`Serde`].
    #[must_use]
    pub fn serde(mut self, serde: Serde) -> Config {
        self.options.serde = serde;
        self
    }

    /// Writes modules into this folder rather than `OUT_DIR`.
    #[must_use]
    pub fn out_dir(mut self, folder: impl Into<PathBuf>) -> Config {
        self.folder = Some(folder.into());
        self
    }

    /// Compiles the grammar file at `path` and tells cargo about it.
    pub fn compile(&self, path: impl AsRef<Path>) {
        let path = path.as_ref();
        let (outcome, result) = self.stages(path);
        let mut said = Vec::new();
        let inputs = match &result {
            Ok(module) => module.inputs.clone(),
            Err(_) => vec![path.to_owned()],
        };
        for input in inputs {
            said.push(format!("cargo::rerun-if-changed={}", input.display()));
        }
        let outcome = match &result {
            Err(BuildError::Grammar(outcome)) => Some(outcome.as_ref()),
            _ => outcome.as_ref(),
        };
        if let Some(outcome) = outcome {
            for diagnostic in &outcome.diagnostics {
                said.extend(directives(diagnostic, &outcome.sources));
            }
        }
        match result {
            Ok(_) | Err(BuildError::Grammar(_)) => {}
            Err(error) => said.push(format!("cargo::error={error}")),
        }
        // A build script speaks to cargo through its standard output; when that is closed there is
        // nobody to tell.
        let mut out = io::stdout().lock();
        for line in said {
            let _ = writeln!(out, "{line}");
        }
    }

    /// Compiles the grammar file at `path` and tells nobody: for other build tools than cargo.
    ///
    /// # Errors
    ///
    /// When the grammar does not check, or a file cannot be written; the module of an earlier
    /// call then stays as it was.
    pub fn run(&self, path: impl AsRef<Path>) -> Result<Module, BuildError> {
        self.stages(path.as_ref()).1
    }

    /// The module, and what was said of a grammar that checks.
    fn stages(&self, path: &Path) -> (Option<Outcome>, Result<Module, BuildError>) {
        let target = match self.target(path) {
            Ok(target) => target,
            Err(error) => return (None, Err(error)),
        };
        let mut outcome = compile_path(path);
        let Some(compiled) = outcome.compiled.take() else {
            return (None, Err(BuildError::Grammar(Box::new(outcome))));
        };
        let stamp = Stamp::new(&outcome.sources, &self.options);
        let inputs = inputs(&outcome.sources);
        if stamp.stands_beside(&target) {
            let module = Module {
                path: target,
                is_new: false,
                inputs,
            };
            return (Some(outcome), Ok(module));
        }
        let text = match rust(&compiled, &outcome.sources, &self.options) {
            Ok(text) => text,
            Err(error) => return (Some(outcome), Err(error.into())),
        };
        let written = write(&target, text.as_bytes()).and_then(|()| stamp.write_beside(&target));
        let result = written.map(|()| Module {
            path: target,
            is_new: true,
            inputs,
        });
        (Some(outcome), result)
    }

    fn target(&self, path: &Path) -> Result<PathBuf, BuildError> {
        let stem = path
            .file_stem()
            .ok_or_else(|| BuildError::NoName(path.to_owned()))?;
        let folder = match &self.folder {
            Some(folder) => folder.clone(),
            None => std::env::var_os("OUT_DIR")
                .map(PathBuf::from)
                .ok_or(BuildError::NoFolder)?,
        };
        Ok(folder.join(stem).with_extension("rs"))
    }
}

/// What a module was made from. It stands beside the module, so that a build after a change of one
/// grammar leaves the modules of the others untouched, and what depends on them too.
#[derive(Serialize, Deserialize, PartialEq, Eq)]
struct Stamp {
    tdc: String,
    options: String,
    /// Names and whole texts: they are short, and nothing else tells surely that nothing changed.
    sources: Vec<(String, String)>,
}

impl Stamp {
    fn new(sources: &SourceMap, options: &RustOptions) -> Stamp {
        let all = sources.files();
        Stamp {
            tdc: env!("CARGO_PKG_VERSION").to_owned(),
            options: format!("{options:?}"),
            sources: all
                .map(|(_, file)| (file.name.clone(), file.text.to_string()))
                .collect(),
        }
    }

    fn place(module: &Path) -> PathBuf {
        module.with_extension("stamp.json")
    }

    fn stands_beside(&self, module: &Path) -> bool {
        let text = fs::read(Stamp::place(module)).unwrap_or_default();
        let older: Option<Stamp> = serde_json::from_slice(&text).ok();
        older.as_ref() == Some(self) && module.is_file()
    }

    fn write_beside(&self, module: &Path) -> Result<(), BuildError> {
        let text = serde_json::to_vec(self).unwrap_or_default();
        write(&Stamp::place(module), &text)
    }
}

/// The files on disk that a grammar was read from.
fn inputs(sources: &SourceMap) -> Vec<PathBuf> {
    let on_disk = sources.files().filter_map(|(_, file)| match &file.origin {
        Origin::Disk(path) => Some(path.clone()),
        _ => None,
    });
    on_disk.collect()
}

/// A diagnostic as lines for cargo: errors with their excerpt, others in one line.
fn directives(diagnostic: &Diagnostic, sources: &SourceMap) -> Vec<String> {
    let kind = match diagnostic.severity() {
        Severity::Error => "error",
        _ => "warning",
    };
    let mut lines = vec![format!("cargo::{kind}={}", headline(diagnostic, sources))];
    if kind == "error" {
        let text = render(diagnostic, sources, false);
        lines.extend(text.lines().map(|line| format!("cargo::{kind}={line}")));
    }
    lines
}

/// `grammars/csg2d.tdg:12:5: E0301: there is no sort or token `Shap``
fn headline(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    let span = diagnostic.primary.span;
    let (line, column) = sources.line_column(span.file, span.start);
    let name = &sources.file(span.file).name;
    let (code, message) = (diagnostic.code, &diagnostic.message);
    format!("{name}:{line}:{column}: {code}: {message}")
}

fn first_line(outcome: &Outcome) -> String {
    let mut errors = outcome.diagnostics.iter();
    let first = errors.find(|diagnostic| diagnostic.severity() == Severity::Error);
    first.map_or_else(String::new, |first| headline(first, &outcome.sources))
}

/// Writes a file under a temporary name and renames it, so that no half file is ever seen.
fn write(path: &Path, bytes: &[u8]) -> Result<(), BuildError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let whole = || -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    whole().map_err(|error| BuildError::File {
        path: path.to_owned(),
        error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMON: &str = "token Digit = 0..=9\n";
    const A: &str =
        "language a\nuse ./common.{Digit}\nstart S\nsort S { @primitive One = d:Digit }\n";
    const B: &str =
        "language b\nstart S\nsort S { @primitive One = \"one\"  Two = \"(\" l:S r:S \")\" }\n";

    fn folder() -> (tempfile::TempDir, Config) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("common", COMMON), ("a", A), ("b", B)] {
            fs::write(folder.path().join(name).with_extension("tdg"), text).unwrap();
        }
        let config = Config::new().out_dir(folder.path().join("out"));
        (folder, config)
    }

    #[test]
    fn exactly_the_dependents_of_a_changed_file_are_written_again() {
        let (folder, config) = folder();
        let run = || {
            ["a", "b"].map(|name| {
                let path = folder.path().join(name).with_extension("tdg");
                config.run(path).unwrap()
            })
        };
        assert!(run().iter().all(|module| module.is_new));
        assert!(run().iter().all(|module| !module.is_new));
        // Touched, but not changed.
        fs::write(folder.path().join("common.tdg"), COMMON).unwrap();
        assert!(run().iter().all(|module| !module.is_new));
        fs::write(folder.path().join("common.tdg"), "token Digit = 0..=8\n").unwrap();
        let [a, b] = run();
        assert!(a.is_new && !b.is_new);
        assert_eq!(a.inputs.len(), 2);
        assert_eq!(b.inputs.len(), 1);
        // A module that was deleted comes back; another option is another module.
        fs::remove_file(&b.path).unwrap();
        assert!(run()[1].is_new);
        let config = config.clone().serde(Serde::On);
        assert!(config.run(folder.path().join("b.tdg")).unwrap().is_new);
    }

    #[test]
    fn a_grammar_with_mistakes_leaves_the_module_as_it_was() {
        let (folder, config) = folder();
        let path = folder.path().join("b.tdg");
        let module = config.run(&path).unwrap();
        let before = fs::read_to_string(&module.path).unwrap();
        fs::write(&path, B.replace("l:S", "l:Shap")).unwrap();
        let error = config.run(&path).unwrap_err();
        assert!(error.to_string().contains("b.tdg:3:"), "{error}");
        assert!(error.to_string().contains("Shap"), "{error}");
        assert_eq!(fs::read_to_string(&module.path).unwrap(), before);
        let BuildError::Grammar(outcome) = error else {
            panic!("{error}");
        };
        let lines = directives(&outcome.diagnostics[0], &outcome.sources);
        assert!(lines.len() > 2 && lines.iter().all(|line| line.starts_with("cargo::error=")));
    }

    #[test]
    fn what_cannot_be_written_is_told() {
        let (folder, _) = folder();
        let config = Config::new().out_dir(folder.path().join("a.tdg"));
        let error = config.run(folder.path().join("b.tdg")).unwrap_err();
        assert!(matches!(error, BuildError::File { .. }), "{error}");
        let missing = Config::new().out_dir(folder.path());
        assert!(missing.run(folder.path().join("none.tdg")).is_err());
        assert!(missing.run("..").is_err());
    }
}
