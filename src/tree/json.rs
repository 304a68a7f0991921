//! Programs as JSON trees, the shape serde gives to the enums of the generated AST.
//!
//! In: a program, or a JSON value. Out: the other. Afterwards reading back what was written gives
//! the same program.
//!
//! A production is `{"Circle": {"r": 3, "x": 4, "y": 5}}`, or `"Add"` when it has no fields; a
//! number token is a number, any other token a string; a list is an array; an option that holds
//! nothing is `null`.

use serde_json::Value;

use super::Program;
use crate::grammar::ids::{NtId, ProdId};
use crate::grammar::ir::{Domain, Grammar, NonterminalKind, ProductionKind};

/// Why a JSON value is not a program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at {path}: expected {expected}, found {found}")]
pub struct JsonError {
    /// Where, from the root: `$.Combine.a`.
    pub path: String,
    /// What may stand there.
    pub expected: String,
    /// What stands there, shortened.
    pub found: String,
}

/// The program as JSON text on one line.
pub fn to_json(grammar: &Grammar, program: &Program) -> String {
    enum Task {
        Node(usize),
        Text(&'static str),
        Key(String),
    }
    let mut out = String::new();
    let mut tasks = vec![Task::Node(0)];
    while let Some(task) = tasks.pop() {
        let at = match task {
            Task::Text(text) => {
                out.push_str(text);
                continue;
            }
            Task::Key(key) => {
                out.push_str(&quoted(&key));
                out.push(':');
                continue;
            }
            Task::Node(at) => at,
        };
        let Some(node) = program.nodes().get(at) else {
            continue;
        };
        let production = grammar.production(node.production);
        match production.kind {
            ProductionKind::Token(token) => {
                out.push_str(&token_json(
                    &grammar.token(token).domain,
                    node.value,
                    program,
                ));
            }
            ProductionKind::None => out.push_str("null"),
            ProductionKind::Some => tasks.push(Task::Node(at + 1)),
            ProductionKind::Nil => out.push_str("[]"),
            ProductionKind::Cons => {
                let items = list_items(grammar, program, at);
                out.push('[');
                tasks.push(Task::Text("]"));
                for (index, item) in items.iter().enumerate().rev() {
                    tasks.push(Task::Node(*item));
                    if index > 0 {
                        tasks.push(Task::Text(","));
                    }
                }
            }
            ProductionKind::Node(_) if production.children.is_empty() => {
                out.push_str(&quoted(&production.name));
            }
            ProductionKind::Node(_) => {
                out.push('{');
                out.push_str(&quoted(&production.name));
                out.push_str(":{");
                tasks.push(Task::Text("}}"));
                let children = children(program, at, production.children.len());
                for (index, child) in children.iter().enumerate().rev() {
                    tasks.push(Task::Node(*child));
                    tasks.push(Task::Key(production.children[index].name.clone()));
                    if index > 0 {
                        tasks.push(Task::Text(","));
                    }
                }
            }
        }
    }
    out
}

/// The program a JSON tree stands for. Whether a string matches its token's pattern is not
/// looked at here: printing and parsing tells.
pub fn from_json(grammar: &Grammar, value: &Value) -> Result<Program, JsonError> {
    let mut reader = Reader {
        grammar,
        kinds: Vec::new(),
        texts: Vec::new(),
        path: vec![(0, "$".to_owned())],
    };
    reader.read(value)?;
    let Reader { kinds, texts, .. } = reader;
    Program::from_preorder(grammar, kinds, texts).ok_or_else(|| JsonError {
        path: "$".into(),
        expected: "one whole program".into(),
        found: shortened(value),
    })
}

/// Positions of a node's children.
pub fn children(program: &Program, at: usize, count: usize) -> Vec<usize> {
    let mut child = at + 1;
    (0..count)
        .map(|_| {
            let here = child;
            child += program.nodes()[here].len as usize;
            here
        })
        .collect()
}

/// Positions of the items of the list whose first `Cons` is at `at`.
pub fn list_items(grammar: &Grammar, program: &Program, at: usize) -> Vec<usize> {
    let mut items = Vec::new();
    let mut at = at;
    while grammar.production(program.nodes()[at].production).kind == ProductionKind::Cons {
        items.push(at + 1);
        at += 1 + program.nodes()[at + 1].len as usize;
    }
    items
}

/// A token's value as text, as programs show it.
pub fn token_text(domain: &Domain, value: u32, program: &Program) -> String {
    match domain {
        Domain::Finite(values) => values
            .get(value as usize)
            .map_or_else(String::new, |v| v.text.clone()),
        Domain::Text { .. } => program
            .texts()
            .get(value as usize)
            .map_or_else(String::new, |t| t.to_string()),
        _ => domain.number(value).unwrap_or(0.0).to_string(),
    }
}

fn token_json(domain: &Domain, value: u32, program: &Program) -> String {
    let text = token_text(domain, value, program);
    match domain {
        Domain::Int { .. } | Domain::Real { .. } => text,
        _ => quoted(&text),
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

struct Reader<'a> {
    grammar: &'a Grammar,
    kinds: Vec<(ProdId, u32)>,
    texts: Vec<Box<str>>,
    /// Steps of the paths in use: the step before, and a name.
    path: Vec<(usize, String)>,
}

enum Task<'v> {
    /// A value for a nonterminal.
    One(NtId, &'v Value, usize),
    /// The rest of an array for a list's nonterminal.
    Rest(NtId, &'v [Value], usize, usize),
}

impl Reader<'_> {
    fn read(&mut self, root: &Value) -> Result<(), JsonError> {
        let grammar = self.grammar;
        let mut tasks = vec![Task::One(grammar.start, root, 0)];
        while let Some(task) = tasks.pop() {
            match task {
                Task::Rest(nt, values, index, path) => {
                    let wanted = if values.is_empty() {
                        ProductionKind::Nil
                    } else {
                        ProductionKind::Cons
                    };
                    let cons = self.find(nt, wanted).ok_or_else(|| {
                        self.error(path, "at least one item".into(), &Value::Array(Vec::new()))
                    })?;
                    self.kinds.push((cons, 0));
                    if let (Some((first, rest)), [head, tail]) =
                        (values.split_first(), &grammar.production(cons).children[..])
                    {
                        let step = self.step(path, format!("[{index}]"));
                        tasks.push(Task::Rest(tail.nt, rest, index + 1, path));
                        tasks.push(Task::One(head.nt, first, step));
                    }
                }
                Task::One(nt, value, path) => match grammar.nonterminal(nt).kind {
                    NonterminalKind::List { .. } => {
                        let Value::Array(values) = value else {
                            return Err(self.error(path, "an array".into(), value));
                        };
                        tasks.push(Task::Rest(nt, values, 0, path));
                    }
                    NonterminalKind::Optional { item } => {
                        let wanted = if value.is_null() {
                            ProductionKind::None
                        } else {
                            tasks.push(Task::One(item, value, path));
                            ProductionKind::Some
                        };
                        if let Some(id) = self.find(nt, wanted) {
                            self.kinds.push((id, 0));
                        }
                    }
                    NonterminalKind::Token(token) => {
                        let token = grammar.token(token);
                        let index = self.token(&token.domain, value).ok_or_else(|| {
                            self.error(
                                path,
                                format!("a {} ({})", token.name, token.domain.text()),
                                value,
                            )
                        })?;
                        self.kinds.push((token.production, index));
                    }
                    NonterminalKind::Sort { .. } => {
                        self.node(nt, value, path, &mut tasks)?;
                    }
                },
            }
        }
        Ok(())
    }

    fn node<'v>(
        &mut self,
        nt: NtId,
        value: &'v Value,
        path: usize,
        tasks: &mut Vec<Task<'v>>,
    ) -> Result<(), JsonError> {
        let grammar = self.grammar;
        let (name, fields) = match value {
            Value::String(name) => (name, None),
            Value::Object(object) => match object.iter().next() {
                Some((name, Value::Object(fields))) if object.len() == 1 => (name, Some(fields)),
                _ => return Err(self.error(path, self.choices(nt), value)),
            },
            _ => return Err(self.error(path, self.choices(nt), value)),
        };
        let id = grammar
            .nonterminal(nt)
            .productions
            .iter()
            .copied()
            .find(|id| grammar.production(*id).name == *name)
            .ok_or_else(|| self.error(path, self.choices(nt), value))?;
        let production = grammar.production(id);
        let path = self.step(path, format!(".{name}"));
        self.kinds.push((id, 0));
        if let Some((extra, found)) = fields
            .iter()
            .flat_map(|fields| fields.iter())
            .find(|(key, _)| production.children.iter().all(|child| child.name != **key))
        {
            let step = self.step(path, format!(".{extra}"));
            return Err(self.error(step, "no such field".into(), found));
        }
        for child in production.children.iter().rev() {
            let step = self.step(path, format!(".{}", child.name));
            let field = fields
                .and_then(|fields| fields.get(&child.name))
                // A field left out is an option that holds nothing.
                .unwrap_or(&Value::Null);
            tasks.push(Task::One(child.nt, field, step));
        }
        Ok(())
    }

    fn token(&mut self, domain: &Domain, value: &Value) -> Option<u32> {
        match domain {
            Domain::Int { lo, hi, step } => {
                let number = value.as_i64()?;
                let above = number.checked_sub(*lo)?;
                (number >= *lo && number <= *hi && above % step == 0)
                    .then(|| u32::try_from(above / step).ok())?
            }
            Domain::Real { lo, step, .. } => {
                let number = value.as_f64()?;
                let index = ((number - lo) / step).round();
                let last = f64::from(domain.count()?) - 1.0;
                let near = (lo + index * step - number).abs() <= step * 1e-6;
                (index >= 0.0 && index <= last && near).then_some(index as u32)
            }
            Domain::Finite(values) => {
                let text = value.as_str()?;
                let index = values.iter().position(|v| v.text == text)?;
                u32::try_from(index).ok()
            }
            Domain::Text { .. } => {
                let rank = u32::try_from(self.texts.len()).ok()?;
                self.texts.push(value.as_str()?.into());
                Some(rank)
            }
        }
    }

    fn find(&self, nt: NtId, kind: ProductionKind) -> Option<ProdId> {
        let mut all = self.grammar.nonterminal(nt).productions.iter().copied();
        all.find(|id| self.grammar.production(*id).kind == kind)
    }

    fn choices(&self, nt: NtId) -> String {
        let productions = &self.grammar.nonterminal(nt).productions;
        let names: Vec<&str> = productions
            .iter()
            .map(|id| self.grammar.production(*id).name.as_str())
            .collect();
        format!(
            "a {} ({})",
            self.grammar.nonterminal_name(nt),
            names.join(", ")
        )
    }

    fn step(&mut self, before: usize, name: String) -> usize {
        self.path.push((before, name));
        self.path.len() - 1
    }

    fn error(&self, path: usize, expected: String, found: &Value) -> JsonError {
        let mut names = Vec::new();
        let mut at = path;
        while at != 0 {
            let (before, name) = &self.path[at];
            names.push(name.as_str());
            at = *before;
        }
        names.push("$");
        names.reverse();
        JsonError {
            path: names.concat(),
            expected,
            found: shortened(found),
        }
    }
}

/// A JSON value in at most some forty characters.
fn shortened(value: &Value) -> String {
    let text = match value {
        Value::Array(_) => "an array".to_owned(),
        Value::Object(object) => match object.keys().next() {
            Some(key) => format!("an object with `{key}`"),
            None => "an empty object".to_owned(),
        },
        Value::Null => "nothing".to_owned(),
        other => other.to_string(),
    };
    if text.chars().count() > 40 {
        let start: String = text.chars().take(38).collect();
        format!("{start} ...")
    } else {
        text
    }
}
