//! Visitors.
//!
//! In: the types of a grammar. Out: an inner module `visit` with the traits `Visit` and `VisitMut`, a
//! method for each type, and a function for each type that has parts, which visits them.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::Generator;
use super::model::{Holds, Item};
use super::names::{plain_name, unique};
use super::text::NotRust;
use crate::grammar::ids::{SortId, TokenId};

/// A type that is visited.
struct Visited {
    /// Its name.
    name: String,
    /// `circle` of `visit_circle`.
    step: String,
    /// Whether it is handed over as a copy.
    copied: bool,
    /// What its parts are: a match or calls, with `{visit}`, `{mut}` and the like still open.
    parts: Option<Parts>,
}

enum Parts {
    /// Variants: their names, and the struct behind each.
    Sum(Vec<(String, Option<usize>)>),
    /// Fields: their names and what they hold.
    Product(Vec<(String, Holds)>),
}

impl Generator<'_> {
    /// The module of visitors.
    pub(super) fn visit(&mut self) -> Result<(), NotRust> {
        let visited = self.visited();
        let mut body = String::new();
        for mutable in [false, true] {
            let (name, what) = match mutable {
                false => ("Visit", "Visits the parts of a tree."),
                true => ("VisitMut", "Visits the parts of a tree, to change them."),
            };
            let _ = write!(
                body,
                "/// {what}\n///\n/// A method that is not overridden goes on to the parts below.\n\
                 pub trait {name} {{"
            );
            for one in &visited {
                let (step, argument) = (&one.step, one.argument(mutable));
                let suffix = if mutable { "_mut" } else { "" };
                let inner = match one.parts {
                    Some(_) => format!("walk_{step}{suffix}(self, node);"),
                    None => "let _ = node;".to_owned(),
                };
                let _ = write!(
                    body,
                    "/// Visits one [`{}`](super::{}).
                    fn visit_{step}{suffix}(&mut self, node: {argument}) {{ {inner} }}\n",
                    one.name, one.name,
                );
            }
            body.push_str("}\n");
        }
        for mutable in [false, true] {
            for one in &visited {
                if let Some(parts) = &one.parts {
                    body.push_str(&self.walk(&visited, one, parts, mutable));
                }
            }
        }
        self.module.item(
            &["Visitors: override the methods of the types that you look for.".to_owned()],
            &format!("pub mod visit {{ {body} }}"),
        )
    }

    fn walk(&self, visited: &[Visited], one: &Visited, parts: &Parts, mutable: bool) -> String {
        let (name, step) = (&one.name, &one.step);
        let (bound, suffix, by) = match mutable {
            false => ("Visit", "", "&"),
            true => ("VisitMut", "_mut", "&mut "),
        };
        let mut body = String::new();
        match parts {
            Parts::Sum(variants) => {
                let mut units = Vec::new();
                body.push_str("match node {");
                for (variant, of) in variants {
                    match of.and_then(|of| visited.get(of)) {
                        Some(of) => {
                            let call = format!("visit.visit_{}{suffix}(node)", of.step);
                            let _ = write!(body, "super::{name}::{variant}(node) => {call},");
                        }
                        None => units.push(format!("super::{name}::{variant}")),
                    }
                }
                if !units.is_empty() {
                    let _ = write!(body, "{} => {{}}", units.join(" | "));
                }
                body.push('}');
            }
            Parts::Product(fields) => {
                for (field, holds) in fields {
                    let item = holds.item();
                    let Some(of) = visited.get(self.place_of(item)) else {
                        continue;
                    };
                    let copied = !mutable && of.copied;
                    let call = |value: &str| format!("visit.visit_{}{suffix}({value});", of.step);
                    let (one, each) = match copied {
                        true => (call(&format!("node.{field}")), call("*item")),
                        false => (call(&format!("{by}node.{field}")), call("item")),
                    };
                    let _ = match holds {
                        Holds::One(_) => write!(body, "{one}"),
                        Holds::Boxed(_) if copied => {
                            write!(body, "{}", call(&format!("*node.{field}")))
                        }
                        Holds::Boxed(_) => write!(body, "{one}"),
                        Holds::Option(_) | Holds::BoxedOption(_) => {
                            write!(body, "if let Some(item) = {by}node.{field} {{ {each} }}")
                        }
                        Holds::List(_) => write!(body, "for item in {by}node.{field} {{ {each} }}"),
                    };
                }
            }
        }
        format!(
            "/// Visits the parts of one [`{name}`](super::{name}).
            pub fn walk_{step}{suffix}<V: {bound} + ?Sized>(visit: &mut V, node: {by}super::{name}) {{
                {body}
            }}\n"
        )
    }

    /// Every type: sorts with their productions, then tokens. The places in this list are those
    /// of [`Generator::place_of`].
    fn visited(&self) -> Vec<Visited> {
        let grammar = self.model.grammar;
        let names = &self.model.names;
        let mut taken = BTreeSet::new();
        let mut step = |name: &str| unique(plain_name(name), "_", &mut taken);
        let mut all = Vec::new();
        for (index, sort) in grammar.sorts.iter().enumerate() {
            let id = SortId::from_index(index);
            let parts = match self.model.is_single(id) {
                true => sort.productions.first().map(|id| self.product_parts(*id)),
                false => Some(Parts::Sum(Vec::new())),
            };
            let copied = self.model.is_plain(id);
            all.push(Visited {
                name: names.sort(id).to_owned(),
                step: step(names.sort(id)),
                copied,
                parts: parts.filter(|_| !copied),
            });
        }
        for (index, _) in grammar.tokens.iter().enumerate() {
            let id = TokenId::from_index(index);
            all.push(Visited {
                name: names.token(id).to_owned(),
                step: step(names.token(id)),
                copied: self.model.is_copy(Item::Token(id)),
                parts: None,
            });
        }
        for (index, sort) in grammar.sorts.iter().enumerate() {
            let id = SortId::from_index(index);
            if self.model.is_single(id) || self.model.is_plain(id) {
                continue;
            }
            let mut variants = Vec::new();
            for production in &sort.productions {
                let name = names.production(*production);
                let variant = self.model.variants[production.index()].clone();
                if name.is_empty() {
                    variants.push((variant, None));
                    continue;
                }
                variants.push((variant, Some(all.len())));
                all.push(Visited {
                    name: name.to_owned(),
                    step: step(name),
                    copied: false,
                    parts: Some(self.product_parts(*production)),
                });
            }
            if let Some(one) = all.get_mut(index) {
                one.parts = Some(Parts::Sum(variants));
            }
        }
        all
    }

    fn product_parts(&self, id: crate::grammar::ids::ProdId) -> Parts {
        let fields = self.model.fields[id.index()].iter();
        Parts::Product(fields.map(|f| (f.name.clone(), f.holds)).collect())
    }

    /// Where an item's type is in the list of those visited.
    fn place_of(&self, item: Item) -> usize {
        match item {
            Item::Sort(id) => id.index(),
            Item::Token(id) => self.model.grammar.sorts.len() + id.index(),
        }
    }
}

impl Visited {
    fn argument(&self, mutable: bool) -> String {
        let name = &self.name;
        match (mutable, self.copied) {
            (true, _) => format!("&mut super::{name}"),
            (false, true) => format!("super::{name}"),
            (false, false) => format!("&super::{name}"),
        }
    }
}
