//! What a module's expressions can name: functions, builtins, and the types `match` looks into.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::grammar::expr::{Builtin, Type, Value};
use crate::grammar::ids::{FnId, ProdId};
use crate::source::Span;

/// What a function's name stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// A function with a body, `Grammar::fns` at this index.
    Fn(FnId),
    /// An intrinsic.
    Builtin(Builtin),
    /// A constant of the standard library: `pi`, `red`.
    Const(Value),
}

/// A function as its callers see it. A name may have several (overloads), told apart by the
/// types of their parameters; one without parameters is also a value: `pi`.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// Names and types of its parameters.
    pub params: Vec<(String, Type)>,
    /// What it gives.
    pub result: Type,
    /// What is called.
    pub target: Target,
    /// Where it is declared, for diagnostics.
    pub span: Option<Span>,
}

/// The cases of a type that only `match` looks into.
#[derive(Clone, Debug, PartialEq)]
pub enum Cases {
    /// A finite token without values: its texts; case i is `Case::Index(i)`.
    Token(Vec<String>),
    /// A sort without draw arms: its productions.
    Sort(Vec<(String, ProdId)>),
}

/// The names a module's expressions can use. Colour names of CSS, and `none`, are known
/// everywhere without being declared here; a declaration, a field, a parameter or a `let` of the
/// same name goes before them.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    functions: BTreeMap<String, Vec<Function>>,
    enums: BTreeMap<String, Cases>,
    elsewhere: BTreeMap<String, String>,
    used: RefCell<BTreeSet<String>>,
}

impl Scope {
    /// A scope without names.
    pub fn new() -> Scope {
        Scope::default()
    }

    /// Adds a function under the name expressions use: `disc`, or `m.disc` through a module.
    /// A name added before gets one more overload. Whether two functions of one name are a
    /// mistake is for the caller to say, see [`Scope::functions`].
    pub fn add_function(&mut self, name: impl Into<String>, function: Function) {
        self.functions
            .entry(name.into())
            .or_default()
            .push(function);
    }

    /// The overloads of a name; empty when there is none.
    pub fn functions(&self, name: &str) -> &[Function] {
        self.functions.get(name).map_or(&[], Vec::as_slice)
    }

    /// Adds the cases of `Type::Enum(name)`.
    pub fn add_enum(&mut self, name: impl Into<String>, cases: Cases) {
        self.enums.insert(name.into(), cases);
    }

    /// The cases of `Type::Enum(name)`.
    pub fn cases(&self, name: &str) -> Option<&Cases> {
        self.enums.get(name)
    }

    /// Says that `module` has a function `name` which is not imported here: when an expression
    /// uses the name all the same, the diagnostic tells which `use` is missing.
    pub fn add_elsewhere(&mut self, name: impl Into<String>, module: impl Into<String>) {
        self.elsewhere.insert(name.into(), module.into());
    }

    /// Names of functions that expressions checked so far have used, as written (`m.disc`).
    /// What was imported and is not among them is an unused import.
    pub fn used(&self) -> BTreeSet<String> {
        self.used.borrow().clone()
    }

    pub(super) fn mark_used(&self, name: &str) {
        if !self.used.borrow().contains(name) {
            self.used.borrow_mut().insert(name.to_string());
        }
    }

    pub(super) fn module_of(&self, name: &str) -> Option<&str> {
        self.elsewhere.get(name).map(String::as_str)
    }

    pub(super) fn elsewhere_names(&self) -> impl Iterator<Item = &str> {
        self.elsewhere.keys().map(String::as_str)
    }

    pub(super) fn function_names(&self) -> impl Iterator<Item = &str> {
        self.functions.keys().map(String::as_str)
    }

    pub(super) fn enum_names(&self) -> impl Iterator<Item = &str> {
        self.enums.keys().map(String::as_str)
    }
}
