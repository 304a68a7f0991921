//! A module laid over the modules it `extends`: one [`Unit`] a module, bases folded in.
//!
//! In: [`Loaded`]. Out: a [`Unit`] for every module. Afterwards no `extends` is left, each
//! declaration stands once, and what the module says twice has a diagnostic.
//!
//! What a module says counts more than what its base says:
//!
//! - `canvas`, `goal`, `sample`, `mutate`, `size`, `observe` and `start` replace the base's, each
//!   as a whole; `language` and the file's own documentation are never inherited;
//! - a `token`, `fn` or `example` replaces the base's of that name;
//! - in a `sort` that the base has too, a production replaces the base's of that name, in its
//!   place (if both are plain, or both in tables of one fixity; otherwise the old one goes and
//!   the new one stands where the module puts it). New productions come after the base's, new
//!   tables after (so tighter than) the base's tables;
//! - in a `draw` of a sort that the base draws too, arms replace and add; the type is the
//!   module's;
//! - in a `rewrite` of the same sort, a rule replaces the base's of that name;
//! - a `use` adds names; a name the module declares or imports hides the base's import of it.
//!
//! `without A, B` removes the base's productions of those names, in whichever sorts they are,
//! with their draw arms. Examples and rules of the base that no longer parse are then left out.

mod merge;
mod own;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::load::{Loaded, ModuleId};
use crate::diag::Sink;
use crate::meta::ast::{self, Name};
use crate::source::{FileId, Span};

/// A declaration with its documentation.
#[derive(Clone, Debug)]
pub(crate) struct Decl<T> {
    /// Lines of `///`.
    pub(crate) docs: Vec<String>,
    /// The whole declaration.
    pub(crate) span: Span,
    /// What it declares.
    pub(crate) item: T,
}

/// A `use` with the module it names.
#[derive(Clone, Debug)]
pub(crate) struct Import {
    /// What it says.
    pub(crate) used: ast::Use,
    /// The whole `use`.
    pub(crate) span: Span,
    /// `None` where a diagnostic says why.
    pub(crate) target: Option<ModuleId>,
}

/// A module after `extends`.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    /// The file of the module itself.
    pub(crate) file: FileId,
    /// The file's documentation.
    pub(crate) docs: Vec<String>,
    /// `language`.
    pub(crate) language: Option<Name>,
    /// `start`.
    pub(crate) start: Option<Name>,
    /// `canvas`.
    pub(crate) canvas: Option<Decl<ast::Canvas>>,
    /// `goal`.
    pub(crate) goal: Option<Decl<ast::Goal>>,
    /// `sample`.
    pub(crate) sample: Option<Decl<ast::Sample>>,
    /// `mutate`.
    pub(crate) mutate: Option<Decl<ast::Mutate>>,
    /// `size`.
    pub(crate) size: Option<Name>,
    /// `observe`.
    pub(crate) observe: Option<Decl<ast::Observe>>,
    /// `use`; the module's own first, then its base's.
    pub(crate) imports: Vec<Import>,
    /// `token`.
    pub(crate) tokens: Vec<Decl<ast::Token>>,
    /// `sort`.
    pub(crate) sorts: Vec<Decl<ast::Sort>>,
    /// `draw`, one a sort.
    pub(crate) draws: Vec<Decl<ast::Draw>>,
    /// `fn`; a builtin may have several of one name.
    pub(crate) fns: Vec<Decl<ast::Fn>>,
    /// `rewrite`, one a sort.
    pub(crate) rewrites: Vec<Decl<ast::Rewrite>>,
    /// `example`.
    pub(crate) examples: Vec<Decl<ast::Example>>,
    /// Whether something of a base was removed or replaced, or programs are of another sort, so that the base's examples and
    /// rules may be left out when they no longer parse.
    pub(crate) changed: bool,
}

impl Unit {
    /// Where the module begins: what to point at when something is missing.
    pub(crate) fn home(&self) -> Span {
        let whole = Span::new(self.file, 0, 0);
        self.language.as_ref().map_or(whole, |name| name.span)
    }
}

/// The units of all modules, by [`ModuleId`]. `None` when a file is too large to go on with;
/// other mistakes leave the rest usable.
pub(crate) fn flatten(loaded: &Loaded, sink: &mut Sink) -> Option<Vec<Unit>> {
    let mut fit = true;
    for module in &loaded.modules {
        fit &= own::fits(&module.ast, sink);
    }
    if !fit {
        return None;
    }
    let mut units: BTreeMap<usize, Unit> = BTreeMap::new();
    // Bases first. `load` left no circle and no chain longer than its limit.
    fn build(at: usize, loaded: &Loaded, units: &mut BTreeMap<usize, Unit>, sink: &mut Sink) {
        if units.contains_key(&at) {
            return;
        }
        let module = &loaded.modules[at];
        let (mut unit, extends) = own::own(loaded, ModuleId(at), sink);
        if let Some((extends, target)) = extends
            && let Some(base) = target
        {
            build(base.0, loaded, units, sink);
            if let Some(base) = units.get(&base.0) {
                unit = merge::merge(unit, base.clone(), extends, sink);
            }
        }
        debug_assert_eq!(unit.file, module.file);
        units.insert(at, unit);
    }
    for at in 0..loaded.modules.len() {
        build(at, loaded, &mut units, sink);
    }
    Some(units.into_values().collect())
}

type Extends<'a> = (&'a ast::Extends, Option<ModuleId>);
