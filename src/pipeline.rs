//! The spine: every stage from a grammar file to a checked language, in order.
//!
//! In: a path or a text. Out: an [`Outcome`]. Afterwards either every stage passed and there is a
//! [`Compiled`], or the diagnostics hold at least one error. Each stage reports all it finds; the
//! next one runs only when there was no error.

use std::path::Path;

use crate::compiled::{CompileError, Compiled, Outcome};
use crate::diag::Sink;
use crate::grammar::inside::Inside;
use crate::grammar::load::{Loaded, ModuleId, load_path, load_str};
use crate::grammar::resolve::{self, Resolved};
use crate::grammar::syntax::Syntax;
use crate::grammar::{check, extend, info, rules};
use crate::source::SourceMap;
use crate::tree::examples;

/// Compiles the grammar file at `path`.
pub fn compile_path(path: &Path) -> Outcome {
    let name = path.file_stem().map(|stem| stem.to_string_lossy());
    run(&name.unwrap_or_default(), |sources, sink| {
        load_path(path, sources, sink)
    })
}

/// Compiles a grammar given as text; diagnostics call it `name`.
pub fn compile_str(name: &str, text: &str) -> Outcome {
    run(name, |sources, sink| load_str(name, text, sources, sink))
}

impl Compiled {
    /// Compiles the grammar file at `path`.
    ///
    /// # Errors
    ///
    /// When the grammar does not check; the error shows the diagnostics.
    pub fn load(path: impl AsRef<Path>) -> Result<Compiled, CompileError> {
        compile_path(path.as_ref()).into_result()
    }

    /// Compiles a grammar given as text; diagnostics call it `name`.
    ///
    /// # Errors
    ///
    /// When the grammar does not check; the error shows the diagnostics.
    pub fn from_text(name: &str, text: &str) -> Result<Compiled, CompileError> {
        compile_str(name, text).into_result()
    }
}

fn run(name: &str, load: impl FnOnce(&mut SourceMap, &mut Sink) -> Loaded) -> Outcome {
    let mut sources = SourceMap::new();
    let mut sink = Sink::new();
    let loaded = load(&mut sources, &mut sink);
    let compiled = stages(name, &loaded, &mut sink);
    Outcome {
        sources,
        diagnostics: sink.sorted(),
        compiled: compiled.filter(|_| !sink.has_errors()),
    }
}

fn stages(name: &str, loaded: &Loaded, sink: &mut Sink) -> Option<Compiled> {
    passed(sink)?;
    let units = extend::flatten(loaded, sink)?;
    let is_std = |id: ModuleId| loaded.module(id).is_std;
    let resolved = resolve::resolve(&units, is_std, name, sink);
    passed(sink)?;
    let Resolved { mut grammar, scope } = resolved?;
    let info = info::info(&grammar);
    check::check(
        &grammar,
        &info,
        check::SettingSpans::of(units.first()?),
        sink,
    );
    passed(sink)?;
    // These two do not need each other: mistakes of both are told at once.
    let syntax = Syntax::build(&grammar, sink);
    let inside = Inside::build(&grammar, sink);
    passed(sink)?;
    let syntax = syntax?;
    let rules = rules::rules(&grammar, &syntax, &scope, sink);
    examples::check(&mut grammar, &syntax, sink);
    passed(sink)?;
    Some(Compiled {
        grammar,
        info,
        syntax,
        inside: inside?,
        rules,
    })
}

/// Goes on only when no error was found so far.
fn passed(sink: &Sink) -> Option<()> {
    (!sink.has_errors()).then_some(())
}
