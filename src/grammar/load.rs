//! Reads a grammar file and everything it builds on.
//!
//! In: a path, or a text. Out: [`Loaded`]: every file that `use` and `extends` reach, parsed,
//! with each import tied to the module it names. Afterwards there is no circle of imports,
//! every file lay in the root file's folder (or below it) or in the standard library, and
//! what could not be read has a diagnostic.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use super::stdlib;
use crate::diag::codes::{E0001, E0002, E0003, E0004, E0005};
use crate::diag::nearest;
use crate::diag::{Diagnostic, Sink};
use crate::meta::ast::{self, ItemKind};
use crate::source::{FileId, MAX_SOURCE_BYTES, Origin, SourceMap, Span};

/// Most modules one grammar may be made of.
const MAX_MODULES: usize = 256;

/// Longest chain of modules, each importing the next.
const MAX_CHAIN: usize = 64;

/// Most `use` lines of a file.
const MAX_IMPORTS: usize = 1000;

/// A module of [`Loaded`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ModuleId(pub(crate) usize);

/// A parsed file with its imports followed.
#[derive(Debug)]
pub(crate) struct Module {
    /// Its text.
    pub(crate) file: FileId,
    /// What it says.
    pub(crate) ast: ast::File,
    /// For each item of `ast` the module that its `use` or `extends` names; `None` for other
    /// items and where a diagnostic says why.
    pub(crate) links: Vec<Option<ModuleId>>,
    /// Whether it belongs to the standard library.
    pub(crate) is_std: bool,
}

/// Everything a grammar is made of; module 0 is the root.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    /// The modules, in the order they were met.
    pub(crate) modules: Vec<Module>,
}

impl Loaded {
    /// The module of an id.
    pub(crate) fn module(&self, id: ModuleId) -> &Module {
        &self.modules[id.0]
    }
}

/// Loads the grammar file at `path`.
pub(crate) fn load_path(path: &Path, sources: &mut SourceMap, sink: &mut Sink) -> Loaded {
    let name = path.display().to_string();
    match read(path) {
        Ok(text) => {
            let folder = match path.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => parent,
                _ => Path::new("."),
            };
            let folder = folder.canonicalize().ok();
            let key = path.canonicalize().unwrap_or_else(|_| path.to_owned());
            let file = sources.add(name, text, Origin::Disk(key.clone()));
            load(file, Key::Disk(key), folder, sources, sink)
        }
        Err(why) => {
            let file = sources.add(name.as_str(), "", Origin::Disk(path.to_owned()));
            let mut diagnostic = Diagnostic::new(
                E0001,
                Span::new(file, 0, 0),
                format!("cannot read {name}: {why}"),
                "",
            );
            if let Some(near) = near_file(path) {
                diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
            }
            sink.push(diagnostic);
            Loaded::default()
        }
    }
}

/// Loads a grammar given as text. It has no folder, so it can import from the standard library
/// only.
pub(crate) fn load_str(name: &str, text: &str, sources: &mut SourceMap, sink: &mut Sink) -> Loaded {
    let file = sources.add(name, text, Origin::Memory);
    if text.len() as u64 > MAX_SOURCE_BYTES {
        sink.push(Diagnostic::new(
            E0001,
            Span::new(file, 0, 0),
            format!("cannot read {name}: {}", too_large()),
            "",
        ));
        return Loaded::default();
    }
    load(file, Key::Memory, None, sources, sink)
}

/// What a module is known by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    /// The text given by the caller.
    Memory,
    /// The canonical path.
    Disk(PathBuf),
    /// A name of the standard library.
    Std(String),
}

/// The walk over imports: modules on `chain` are being read, `known` ones were met.
struct Loader<'a> {
    sources: &'a mut SourceMap,
    sink: &'a mut Sink,
    /// The project: the root file's folder, canonical.
    folder: Option<PathBuf>,
    loaded: Loaded,
    known: BTreeMap<Key, ModuleId>,
    chain: Vec<Step>,
}

/// A module whose imports are being followed.
struct Step {
    module: ModuleId,
    /// The next item to look at.
    item: usize,
    /// The import that led here.
    from: Span,
}

fn load(
    file: FileId,
    key: Key,
    folder: Option<PathBuf>,
    sources: &mut SourceMap,
    sink: &mut Sink,
) -> Loaded {
    let mut loader = Loader {
        sources,
        sink,
        folder,
        loaded: Loaded::default(),
        known: BTreeMap::new(),
        chain: Vec::new(),
    };
    loader.enter(file, key, false, Span::new(file, 0, 0));
    loader.walk();
    loader.loaded
}

impl Loader<'_> {
    /// Parses a text, makes it a module, and puts it on the chain.
    fn enter(&mut self, file: FileId, key: Key, is_std: bool, from: Span) -> ModuleId {
        let text = self.sources.file(file).text.clone();
        let ast = crate::meta::parser::parse(file, &text, self.sink);
        let module = ModuleId(self.loaded.modules.len());
        let imports = ast.items.iter();
        let imports = imports.filter(|item| matches!(item.kind, ItemKind::Use(_)));
        let too_many = imports.skip(MAX_IMPORTS).map(|item| item.span).next();
        if let Some(span) = too_many {
            self.sink.push(
                Diagnostic::new(E0005, span, "this file imports too much", "one too many")
                    .note(format!("at most {MAX_IMPORTS} imports in a file")),
            );
        }
        self.loaded.modules.push(Module {
            file,
            links: vec![None; ast.items.len()],
            ast,
            is_std,
        });
        self.known.insert(key, module);
        self.chain.push(Step {
            module,
            item: if too_many.is_some() { usize::MAX } else { 0 },
            from,
        });
        module
    }

    /// Follows every import, depth first.
    fn walk(&mut self) {
        while let Some(step) = self.chain.last_mut() {
            let (module, item) = (step.module, step.item);
            step.item = step.item.saturating_add(1);
            let ast = &self.loaded.modules[module.0].ast;
            let Some(entry) = ast.items.get(item) else {
                self.chain.pop();
                continue;
            };
            let path = match &entry.kind {
                ItemKind::Use(used) => used.path.clone(),
                ItemKind::Extends(extends) => extends.base.clone(),
                _ => continue,
            };
            let link = self.follow(module, &path);
            self.loaded.modules[module.0].links[item] = link;
        }
    }

    /// The module that `path`, written in `from`, names; reads it if it is new.
    fn follow(&mut self, from: ModuleId, path: &ast::Path) -> Option<ModuleId> {
        let (key, shown) = self.locate(from, path)?;
        if let Some(&module) = self.known.get(&key) {
            if let Some(at) = self.chain.iter().position(|step| step.module == module) {
                self.report_cycle(at, path);
                return None;
            }
            return Some(module);
        }
        if self.chain.len() >= MAX_CHAIN || self.loaded.modules.len() >= MAX_MODULES {
            self.sink.push(
                Diagnostic::new(
                    E0005,
                    path.span,
                    "this grammar is made of too many modules",
                    "not read any more",
                )
                .note(format!(
                    "at most {MAX_MODULES} modules, and at most {MAX_CHAIN} in a chain of imports"
                )),
            );
            return None;
        }
        let text = match &key {
            Key::Std(name) => stdlib::find(name).unwrap_or_default().to_owned(),
            Key::Memory => return None,
            Key::Disk(file) => match read_regular(file) {
                Ok(text) => text,
                Err(why) => {
                    let message = format!("cannot read `{}`: {why}", path.text);
                    self.sink
                        .push(Diagnostic::new(E0001, path.span, message, "named here"));
                    return None;
                }
            },
        };
        let (origin, is_std) = match &key {
            Key::Std(name) => (Origin::Std(name.clone()), true),
            Key::Disk(file) => (Origin::Disk(file.clone()), false),
            Key::Memory => (Origin::Memory, false),
        };
        let file = self.sources.add(shown, text, origin);
        Some(self.enter(file, key, is_std, path.span))
    }

    /// Where a written path leads, and what diagnostics shall call that file.
    fn locate(&mut self, from: ModuleId, path: &ast::Path) -> Option<(Key, String)> {
        let written = path.text.as_str();
        if written == "std" || written.starts_with("std.") {
            if stdlib::find(written).is_some() {
                return Some((Key::Std(written.to_owned()), written.to_owned()));
            }
            let names = || stdlib::MODULES.iter().map(|(name, _)| *name);
            let mut diagnostic = Diagnostic::new(
                E0002,
                path.span,
                format!("the standard library has no module `{written}`"),
                "",
            )
            .note(format!("it has {}", names().collect::<Vec<_>>().join(", ")));
            if let Some(near) = nearest(written, names()) {
                diagnostic = diagnostic
                    .help(format!("did you mean `{near}`?"))
                    .fix(path.span, near);
            }
            self.sink.push(diagnostic);
            return None;
        }
        if self.loaded.modules[from.0].is_std {
            self.leaves(path, "the standard library imports only from itself");
            return None;
        }
        let source = self.sources.file(self.loaded.modules[from.0].file);
        let (Some(folder), Origin::Disk(beside)) = (self.folder.clone(), source.origin.clone())
        else {
            self.sink.push(
                Diagnostic::new(
                    E0002,
                    path.span,
                    format!("there is no file `{written}` here"),
                    "this grammar was given as text, so it has no folder",
                )
                .help("write the grammar to a file, or import from `std` only"),
            );
            return None;
        };
        let here = beside.parent().unwrap_or(&folder);
        let relative = PathBuf::from(format!("{written}.tdg"));
        let Some(target) = lexical(here, &relative) else {
            self.leaves(path, "an import is a path relative to its own file");
            return None;
        };
        if !target.starts_with(&folder) {
            self.leaves(path, "an import stays in the root file's folder and below");
            return None;
        }
        let Ok(real) = target.canonicalize() else {
            let mut diagnostic = Diagnostic::new(
                E0002,
                path.span,
                format!("there is no file `{}`", relative.display()),
                "looked up beside the file that says it",
            );
            if let Some(near) = near_file(&target) {
                let near = near.trim_end_matches(".tdg");
                let mended = match written.rfind('/') {
                    Some(slash) => format!("{}{near}", &written[..=slash]),
                    None => near.to_owned(),
                };
                diagnostic = diagnostic
                    .help(format!("did you mean `{mended}`?"))
                    .fix(path.span, mended);
            }
            self.sink.push(diagnostic);
            return None;
        };
        if !real.starts_with(&folder) {
            self.leaves(path, "the file is a link that leads out of the folder");
            return None;
        }
        let shown = self.shown(&folder, &real);
        Some((Key::Disk(real), shown))
    }

    /// A path as the user would write it: the root file's folder as written, then the rest.
    fn shown(&self, folder: &Path, real: &Path) -> String {
        let rest = real.strip_prefix(folder).unwrap_or(real);
        let root = self.sources.file(self.loaded.modules[0].file);
        match Path::new(&root.name).parent() {
            Some(parent) => parent.join(rest).display().to_string(),
            None => rest.display().to_string(),
        }
    }

    fn leaves(&mut self, path: &ast::Path, why: &str) {
        self.sink.push(
            Diagnostic::new(
                E0004,
                path.span,
                format!("`{}` leaves the project folder", path.text),
                why,
            )
            .note("a grammar reads only files of its own folder, folders below it, and `std`"),
        );
    }

    /// The import `path`, in the last module of the chain, leads back to `chain[at]`.
    fn report_cycle(&mut self, at: usize, path: &ast::Path) {
        let name = |step: &Step| {
            let file = self.loaded.module(step.module).file;
            self.sources.file(file).name.clone()
        };
        let mut names: Vec<String> = self.chain[at..].iter().map(name).collect();
        names.push(names[0].clone());
        let mut diagnostic = Diagnostic::new(
            E0003,
            path.span,
            "imports go round in a circle",
            "this one closes the circle",
        )
        .note(names.join(" -> "));
        for step in &self.chain[at + 1..] {
            diagnostic = diagnostic.label(step.from, "and this one is on it");
        }
        self.sink.push(
            diagnostic.help("move what both files need into a third one that imports neither"),
        );
    }
}

/// `base` followed by `relative`, `.` and `..` resolved in the text; `None` if it is absolute
/// or climbs above the root.
fn lexical(base: &Path, relative: &Path) -> Option<PathBuf> {
    let mut path = base.to_owned();
    for part in relative.components() {
        match part {
            Component::CurDir => {}
            Component::Normal(name) => path.push(name),
            Component::ParentDir => {
                if !path.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(path)
}

/// The `.tdg` file beside a missing one with the nearest name.
fn near_file(missing: &Path) -> Option<String> {
    let wanted = missing.file_name()?.to_str()?;
    let folder = match missing.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .ok()?
        .take(1000)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".tdg"))
        .collect();
    names.sort();
    nearest(wanted, names.iter().map(String::as_str)).map(str::to_owned)
}

fn too_large() -> String {
    format!(
        "it is larger than {} MiB, and a grammar is written by hand",
        MAX_SOURCE_BYTES >> 20
    )
}

/// Like [`read`], of ordinary files only: an import shall not wait for a pipe.
fn read_regular(path: &Path) -> Result<String, String> {
    match std::fs::metadata(path) {
        Ok(data) if data.is_file() => read(path),
        Ok(data) if data.is_dir() => Err("it is a folder".to_owned()),
        Ok(_) => Err("it is not an ordinary file".to_owned()),
        Err(error) => Err(describe(&error)),
    }
}

/// The text of a file, or why there is none.
fn read(path: &Path) -> Result<String, String> {
    if path.is_dir() {
        return Err("it is a folder".to_owned());
    }
    let file = File::open(path).map_err(|error| describe(&error))?;
    let mut bytes = Vec::new();
    file.take(MAX_SOURCE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| describe(&error))?;
    if bytes.len() as u64 > MAX_SOURCE_BYTES {
        return Err(too_large());
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at]
            .iter()
            .filter(|b| **b == b'\n')
            .count()
            + 1;
        format!("it is not UTF-8 text (line {line}, byte {at} of the file)")
    })
}

/// A system error in plain words.
fn describe(error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        ErrorKind::PermissionDenied => "it may not be opened".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// Codes of what loading `root` in a folder of these files reports.
    fn codes(files: &[(&str, &[u8])], root: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        load_codes(&folder.path().join(root))
    }

    fn load_codes(path: &Path) -> Vec<String> {
        let mut sink = Sink::new();
        load_path(path, &mut SourceMap::new(), &mut sink);
        let all = sink.sorted();
        all.iter().map(|d| d.code.to_string()).collect()
    }

    #[test]
    fn files_that_cannot_be_read_say_why() {
        assert_eq!(codes(&[], "none.tdg"), ["E0001"]);
        assert_eq!(codes(&[("a/b.tdg", b"")], "a"), ["E0001"]);
        assert_eq!(codes(&[("a.tdg", b"\xff\xfe")], "a.tdg"), ["E0001"]);
        let large = vec![b' '; usize::try_from(MAX_SOURCE_BYTES).unwrap() + 1];
        assert_eq!(codes(&[("a.tdg", &large)], "a.tdg"), ["E0001"]);
    }

    #[test]
    fn a_missing_root_offers_its_neighbour() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("csg2d.tdg"), "").unwrap();
        let mut sink = Sink::new();
        load_path(
            &folder.path().join("cgs2d.tdg"),
            &mut SourceMap::new(),
            &mut sink,
        );
        let help = sink.sorted()[0].help.clone();
        assert_eq!(help.as_deref(), Some("did you mean `csg2d.tdg`?"));
    }

    #[test]
    fn circles_and_diamonds() {
        let circle: &[(&str, &[u8])] = &[
            ("a.tdg", b"use ./b as b"),
            ("b.tdg", b"use ./c as c"),
            ("c.tdg", b"use ./a as a"),
        ];
        assert_eq!(codes(circle, "a.tdg"), ["E0003"]);
        assert_eq!(codes(&[("a.tdg", b"extends a")], "a.tdg"), ["E0003"]);
        let diamond: &[(&str, &[u8])] = &[
            ("a.tdg", b"use ./b as b\nuse ./c as c"),
            ("b.tdg", b"use ./d/d as d"),
            ("c.tdg", b"use ./d/d as d"),
            ("d/d.tdg", b""),
        ];
        assert!(codes(diamond, "a.tdg").is_empty());
    }

    #[test]
    fn long_chains_end() {
        let name = |i: usize| format!("m{i}.tdg");
        let text = |i: usize| format!("use ./m{} as next", i + 1);
        let files: Vec<(String, String)> = (0..100).map(|i| (name(i), text(i))).collect();
        let files: Vec<(&str, &[u8])> = files
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_bytes()))
            .collect();
        assert_eq!(codes(&files, "m0.tdg"), ["E0005"]);
    }

    #[test]
    fn the_project_folder_is_not_left() {
        let files: &[(&str, &[u8])] = &[
            ("secret.tdg", b""),
            ("in/a.tdg", b"use ../secret as s"),
            ("in/b.tdg", b"use ./deep/c as c"),
            ("in/deep/c.tdg", b"use ../a2 as a"),
            ("in/a2.tdg", b""),
        ];
        assert_eq!(codes(files, "in/a.tdg"), ["E0004"]);
        assert!(codes(files, "in/b.tdg").is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn links_do_not_leave_it_either() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("in");
        fs::create_dir(&inside).unwrap();
        fs::write(folder.path().join("secret.tdg"), "").unwrap();
        fs::write(
            inside.join("a.tdg"),
            "use ./link as s\nuse ./folder/secret as t",
        )
        .unwrap();
        std::os::unix::fs::symlink("../secret.tdg", inside.join("link.tdg")).unwrap();
        std::os::unix::fs::symlink("..", inside.join("folder")).unwrap();
        assert_eq!(load_codes(&inside.join("a.tdg")), ["E0004", "E0004"]);
    }

    #[test]
    fn texts_import_from_std_only() {
        let text = "use std.color.{mix}\nuse ./b as b\nuse std.colour as c\nextends base";
        let mut sink = Sink::new();
        let loaded = load_str("text", text, &mut SourceMap::new(), &mut sink);
        let all = sink.sorted();
        let codes: Vec<&str> = all.iter().map(|d| d.code.as_str()).collect();
        assert_eq!(codes, ["E0002", "E0002", "E0002"]);
        assert!(loaded.modules.len() == 2 && loaded.modules[1].is_std);
    }
}
