//! Types of sorts and productions, with their operators.
//!
//! In: a sort. Out: an enum and a struct for each production with fields, or one struct where both are
//! the same; the engine's operators as methods of the sort; a mutator for each production and
//! field.

use std::fmt::Write;

use super::Generator;
use super::docs;
use super::model::Holds;
use super::serde::Serde;
use super::text::{NotRust, doc_line, documented};
use super::tokens::variant_lint;
use crate::grammar::ids::{ProdId, SortId};
use crate::grammar::ir::{Production, ProductionKind, SizeMetric, SyntaxItem};
use crate::mutate::named::NamedMutator;

/// What is said of every named mutator.
const MUTATOR_ERRORS: &str = "\
    ///
    /// # Errors
    ///
    /// When nothing in the tree can change so, or the tree is not a program.";

impl Generator<'_> {
    /// The types of a sort.
    pub(super) fn sort(&mut self, id: SortId) -> Result<(), NotRust> {
        let grammar = self.model.grammar;
        let sort = grammar.sort(id);
        let name = self.model.names.sort(id).to_owned();
        if let Some(only) = sort
            .productions
            .first()
            .filter(|_| self.model.is_single(id))
        {
            let production = grammar.production(*only);
            // The sort's words are about what it is, the production's about how it is written.
            let text = match (sort.docs.trim(), production.docs.trim()) {
                (sort, own) if own.is_empty() || sort == own => sort.to_owned(),
                ("", own) => own.to_owned(),
                (sort, own) => format!("{sort}\n\n{own}"),
            };
            let place = self.place(production.span);
            let docs = documented(&text, &format!("The sort `{}`.", sort.name), &place);
            self.product(*only, &docs)?;
        } else {
            self.sum(id, &name)?;
        }
        let operators = self.operators(id, &name);
        self.module
            .item(&[], &format!("impl {name} {{ {operators} }}"))?;
        for production in &sort.productions {
            if self.model.fields[production.index()].is_empty() {
                continue;
            }
            if !self.model.is_single(id) {
                let own = grammar.production(*production);
                let place = self.place(own.span);
                let docs = documented(&own.docs, &self.written(own), &place);
                self.product(*production, &docs)?;
            }
            self.field_mutators(*production)?;
        }
        Ok(())
    }

    /// The type behind a variant; `None` when it has no fields.
    pub(super) fn variant_type(&self, id: ProdId) -> Option<String> {
        let name = self.model.names.production(id);
        match (name.is_empty(), self.model.boxed[id.index()]) {
            (true, _) => None,
            (false, true) => Some(format!("{}<{name}>", self.model.names.std("Box"))),
            (false, false) => Some(name.to_owned()),
        }
    }

    fn sum(&mut self, id: SortId, name: &str) -> Result<(), NotRust> {
        let grammar = self.model.grammar;
        let sort = grammar.sort(id);
        let mut variants = String::new();
        let mut names = Vec::new();
        for production in &sort.productions {
            let own = grammar.production(*production);
            let lines = documented(&own.docs, &self.written(own), "");
            let variant = &self.model.variants[production.index()];
            // Without the place, which the struct has; a variant without one has it itself.
            let kept = lines.len() - 2;
            let mut lines = lines[..kept].to_vec();
            let of = self.variant_type(*production);
            if of.is_none() {
                lines.push(String::new());
                lines.push(format!("`{}`", self.place(own.span)));
            }
            variants.extend(lines.iter().map(|line| doc_line(line)));
            variants.push_str(&self.serde.renamed(variant, &own.name));
            let _ = match of {
                Some(of) => write!(variants, "{variant}({of}),"),
                None => write!(variants, "{variant},"),
            };
            names.push(variant.clone());
        }
        let copy = if self.model.is_plain(id) {
            "Copy, "
        } else {
            ""
        };
        let derive = self
            .serde
            .derive(&format!("Clone, {copy}Debug, PartialEq, Eq, Hash"));
        let lint = variant_lint(name, &names);
        let place = self.place(sort.span);
        let docs = documented(&sort.docs, &format!("The sort `{}`.", sort.name), &place);
        self.module.item(
            &docs,
            &format!("{derive} {lint} pub enum {name} {{ {variants} }}"),
        )
    }

    fn product(&mut self, id: ProdId, docs: &[String]) -> Result<(), NotRust> {
        let name = self.model.names.production(id).to_owned();
        let is_single = match self.model.grammar.production(id).kind {
            ProductionKind::Node(sort) => self.model.is_single(sort),
            _ => false,
        };
        let tagged = is_single && self.serde != Serde::Off;
        let mut fields = String::new();
        for field in &self.model.fields[id.index()] {
            fields.push_str(&doc_line(&self.field_docs(field.holds)));
            if !tagged {
                fields.push_str(&self.serde.renamed(&field.name, &field.source));
            }
            let ty = self.model.field_type(field.holds);
            let _ = write!(fields, "pub {}: {ty},", field.name);
        }
        let (copy, body) = match fields.is_empty() {
            true => ("Copy, ", ";".to_owned()),
            false => ("", format!("{{ {fields} }}")),
        };
        let derive = self
            .serde
            .derive(&format!("Clone, {copy}Debug, PartialEq, Eq, Hash"));
        let item = format!("pub struct {name} {body}");
        match tagged {
            true => self.tagged(id, &name, docs, &derive, &item),
            false => self.module.item(docs, &format!("{derive} {item}")),
        }
    }

    /// A struct that is a sort, seen by serde as an enum of one variant: the form every tree of a
    /// sort has as JSON.
    fn tagged(
        &mut self,
        id: ProdId,
        name: &str,
        docs: &[String],
        derive: &str,
        item: &str,
    ) -> Result<(), NotRust> {
        let form = self.model.names.fresh(format!("{name}Form"));
        let from = self.model.names.std("From");
        let [through, condition] = self.serde.through_form(&form);
        self.module
            .item(docs, &format!("{derive} {through} {item}"))?;
        let mut fields = String::new();
        let mut list = String::new();
        for field in &self.model.fields[id.index()] {
            let ty = self.model.field_type(field.holds);
            let rename = self.serde.renamed(&field.name, &field.source);
            let _ = write!(fields, "{rename} {}: {ty},", field.name);
            let _ = write!(list, "{},", field.name);
        }
        let (fields, list) = match fields.is_empty() {
            true => (String::new(), String::new()),
            false => (format!("{{ {fields} }}"), format!("{{ {list} }}")),
        };
        let source = &self.model.grammar.production(id).name;
        let variant = &self.model.variants[id.index()];
        let rename = self.serde.renamed(variant, source);
        let items = [
            format!(
                "#[doc = \" What serde sees of a [`{name}`].\"]
                #[derive(Clone, serde::Serialize, serde::Deserialize)]
                enum {form} {{ {rename} {variant} {fields} }}"
            ),
            format!(
                "impl {from}<{form}> for {name} {{
                    fn from(form: {form}) -> {name} {{
                        let {form}::{variant} {list} = form;
                        {name} {list}
                    }}
                }}"
            ),
            format!(
                "impl {from}<{name}> for {form} {{
                    fn from(node: {name}) -> {form} {{
                        let {name} {list} = node;
                        {form}::{variant} {list}
                    }}
                }}"
            ),
        ];
        for item in items {
            self.module.item(&[], &format!("{condition}{item}"))?;
        }
        Ok(())
    }

    /// What is said about a field: what is said about its type.
    fn field_docs(&self, holds: Holds) -> String {
        let item = holds.item();
        let name = self.model.item(item);
        match holds {
            Holds::List(_) => format!("A list of [`{name}`]."),
            Holds::Option(_) | Holds::BoxedOption(_) => format!("An optional [`{name}`]."),
            _ => {
                let text = match item {
                    super::model::Item::Sort(id) => &self.model.grammar.sort(id).docs,
                    super::model::Item::Token(id) => &self.model.grammar.token(id).docs,
                };
                let lines = docs::lines(text);
                let first: Vec<String> = lines.into_iter().take_while(|l| !l.is_empty()).collect();
                match first.is_empty() {
                    true => format!("Of [`{name}`]."),
                    false => first.join(" "),
                }
            }
        }
    }

    /// The methods of a sort.
    fn operators(&self, id: SortId, name: &str) -> String {
        let grammar = self.model.grammar;
        let result = self.model.names.std("Result");
        let string = self.model.names.std("String");
        let vec = self.model.names.std("Vec");
        let [error, mutation, rng, edit, program, scene] =
            ["Error", "Mutation", "Rng", "Edit", "Program", "Scene"]
                .map(|name| self.model.names.engine(name));
        let range = match self.model.names.is_taken("RangeInclusive") {
            true => "::std::ops::RangeInclusive",
            false => "RangeInclusive",
        };
        let is_start = self.start() == Some(id);
        let sort = &grammar.sort(id).name;
        let counted = match grammar.size {
            SizeMetric::Primitives => "in primitives",
            SizeMetric::Nodes => "in nodes",
            SizeMetric::Depth => "its depth",
        };
        // What is a copy anyway goes into a conversion by value, as Rust's own types do.
        let (taken, lent) = match self.model.is_plain(id) {
            true => ("self", "&self"),
            false => ("&self", "self"),
        };
        let mut out = String::new();
        if is_start {
            out.push_str(&self.mutators(name));
        }
        let _ = write!(
            out,
            "/// The tree that a text stands for.
            ///
            /// # Errors
            ///
            /// When the text is no `{sort}`; the error says where and why.
            pub fn parse(text: &str) -> {result}<{name}, {error}> {{
                typed::Tree::parse(text)
            }}
            "
        );
        if is_start {
            let _ = write!(
                out,
                "/// A random program as the grammar says: {}.
                ///
                /// # Errors
                ///
                /// When the one drawn is nested too deeply for a typed tree.
                pub fn random(rng: &mut {rng}) -> {result}<{name}, {error}> {{
                    typed::Tree::random(rng)
                }}
                ",
                self.window(),
            );
        }
        let _ = write!(
            out,
            "/// A random tree. Its size ({counted}) is uniform among those of `sizes` that exist.
            ///
            /// # Errors
            ///
            /// When no tree has such a size.
            pub fn sample(
                rng: &mut {rng},
                sizes: {range}<u32>,
            ) -> {result}<{name}, {error}> {{
                typed::Tree::sample(rng, sizes)
            }}

            /// Changes a small part, and says what changed and how to change it back.
            ///
            /// # Errors
            ///
            /// When no part can change, or the tree is not a program.
            pub fn mutate(&mut self, rng: &mut {rng}) -> {result}<{mutation}, {error}> {{
                typed::Tree::mutate(self, rng)
            }}
            "
        );
        for production in &grammar.sort(id).productions {
            let own = &grammar.production(*production).name;
            let step = &self.model.steps[production.index()];
            let family = self.model.names.family();
            let _ = write!(
                out,
                "/// Puts a small `{own}` where another small `{sort}` stands in the tree.
                {MUTATOR_ERRORS}
                pub fn replace_{step}(
                    tree: &mut impl {family},
                    rng: &mut {rng},
                ) -> {result}<{mutation}, {error}> {{
                    tree.replace_with({}, rng)
                }}
                ",
                production.0,
            );
        }
        let _ = write!(
            out,
            "/// Applies an edit, and gives the one that takes it back.
            ///
            /// # Errors
            ///
            /// When the edit does not fit the tree, which is then as it was.
            pub fn apply(&mut self, edit: &{edit}) -> {result}<{edit}, {error}> {{
                typed::Tree::apply(self, edit)
            }}

            /// Small edits that lead to another tree, one after the other.
            ///
            /// # Errors
            ///
            /// When one of the trees is not a program.
            pub fn edit_path(
                &self,
                target: &{name},
                rng: &mut {rng},
            ) -> {result}<{vec}<{mutation}>, {error}> {{
                typed::Tree::edit_path(self, target, rng)
            }}

            /// The size, {counted}.
            #[must_use]
            pub fn size(&self) -> u32 {{
                typed::Tree::size(self)
            }}

            /// The tree as the engine's program.
            ///
            /// # Errors
            ///
            /// When its text would be read as another tree, or it is nested too deeply.
            pub fn to_program({taken}) -> {result}<{program}, {error}> {{
                typed::Tree::to_program({lent})
            }}

            /// The tree of the engine's program.
            ///
            /// # Errors
            ///
            /// When the program is no `{sort}`, or nested too deeply.
            pub fn from_program(program: &{program}) -> {result}<{name}, {error}> {{
                typed::Tree::from_program(program)
            }}
            "
        );
        if is_start && grammar.canvas.is_some() {
            let _ = write!(
                out,
                "/// What the program draws.
                ///
                /// # Errors
                ///
                /// When the tree is not a program, or too much to draw.
                pub fn scene(&self) -> {result}<{scene}, {error}> {{
                    typed::Tree::scene(self)
                }}

                /// The picture as SVG.
                ///
                /// # Errors
                ///
                /// When the tree is not a program, or too much to draw.
                pub fn to_svg({taken}) -> {result}<{string}, {error}> {{
                    typed::Tree::to_svg({lent})
                }}
                "
            );
        }
        out
    }

    /// The table of all named mutators, for trees of the start sort.
    fn mutators(&self, name: &str) -> String {
        let grammar = self.model.grammar;
        let mut rows = String::new();
        for mutator in NamedMutator::all(grammar) {
            let path = match mutator {
                NamedMutator::Replace { sort, production } => format!(
                    "{}::replace_{}",
                    self.model.names.sort(sort),
                    self.model.steps[production.index()]
                ),
                NamedMutator::Field { production, child } => format!(
                    "{}::mutate_{}",
                    self.model.names.production(production),
                    self.model.fields[production.index()]
                        .get(child)
                        .map_or("", |field| &field.plain)
                ),
            };
            let _ = write!(rows, "({:?}, {path}),", mutator.name(grammar));
        }
        format!(
            "/// Every mutator of the language that has a name, under that name.
            pub const MUTATORS: &'static [(&'static str, typed::Mutator<{name}>)] = &[{rows}];
            "
        )
    }

    /// How a production is written, for one without documentation: `left + right`.
    fn written(&self, production: &Production) -> String {
        let grammar = self.model.grammar;
        let words = production.syntax.iter().filter_map(|item| match item {
            SyntaxItem::Literal(literal) => Some(grammar.literal(*literal)),
            SyntaxItem::Child(index) => {
                let child = production.children.get(usize::from(*index));
                child.map(|child| child.name.as_str())
            }
            SyntaxItem::Glue => None,
        });
        let text = words.collect::<Vec<_>>().join(" ");
        match text.is_empty() || text.contains('`') {
            true => format!("The production `{}`.", production.name),
            false => format!("`{text}`"),
        }
    }

    /// The language's own window of sizes, in words.
    fn window(&self) -> String {
        let spec = self.model.grammar.sample;
        let counted = match self.model.grammar.size {
            SizeMetric::Primitives => "size, in primitives,",
            SizeMetric::Nodes => "size, in nodes,",
            SizeMetric::Depth => "depth",
        };
        format!("its {counted} is {} to {}", spec.min, spec.max)
    }

    fn field_mutators(&mut self, id: ProdId) -> Result<(), NotRust> {
        let grammar = self.model.grammar;
        let production = &grammar.production(id).name;
        let name = self.model.names.production(id);
        let result = self.model.names.std("Result");
        let family = self.model.names.family();
        let [error, mutation, rng] =
            ["Error", "Mutation", "Rng"].map(|name| self.model.names.engine(name));
        let mut methods = String::new();
        for (index, field) in self.model.fields[id.index()].iter().enumerate() {
            let (source, plain) = (&field.source, &field.plain);
            let _ = write!(
                methods,
                "/// Changes `{source}` of one of the tree's nodes `{production}`.
                {MUTATOR_ERRORS}
                pub fn mutate_{plain}(
                    tree: &mut impl {family},
                    rng: &mut {rng},
                ) -> {result}<{mutation}, {error}> {{
                    tree.mutate_field::<{name}>({index}, rng)
                }}
                ",
            );
        }
        let item = format!("impl {name} {{ {methods} }}");
        self.module.item(&[], &item)
    }
}
