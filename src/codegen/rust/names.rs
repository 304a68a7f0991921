//! What things are called in Rust.
//!
//! In: the names of a grammar. Out: type names, field names, method names. Afterwards they are valid,
//! styled as Rust is, and distinct where Rust wants them distinct. Names that are fine stay as they
//! are; what changes the rest depends on the grammar alone:
//!
//! - case: types as `RoundBox`, fields as `round_box`;
//! - words of Rust: fields become raw (`r#type`), or get a `_` where Rust allows no raw ones;
//! - a production that shares its name with a sort, a token, another production or a type of Rust's
//!   prelude gets its sort's name in front: `ElseElse`, `ExprString`;
//! - what still collides is numbered in the order of the file: `Shape`, `Shape2`.

use std::collections::BTreeSet;

use crate::grammar::ids::{ProdId, SortId, TokenId};
use crate::grammar::ir::{Grammar, ProductionKind};
use crate::mutate::named::snake_case;

/// Types and traits that every module of Rust knows without asking.
const PRELUDE: &[&str] = &[
    "AsMut",
    "AsRef",
    "AsyncFn",
    "AsyncFnMut",
    "AsyncFnOnce",
    "Box",
    "Clone",
    "Copy",
    "Default",
    "DoubleEndedIterator",
    "Drop",
    "Eq",
    "Err",
    "ExactSizeIterator",
    "Extend",
    "Fn",
    "FnMut",
    "FnOnce",
    "From",
    "FromIterator",
    "Into",
    "IntoIterator",
    "Iterator",
    "None",
    "Ok",
    "Option",
    "Ord",
    "PartialEq",
    "PartialOrd",
    "Result",
    "Send",
    "Sized",
    "Some",
    "String",
    "Sync",
    "ToOwned",
    "ToString",
    "TryFrom",
    "TryInto",
    "Unpin",
    "Vec",
];

/// Reserved words that may be written as `r#word`.
const WORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let",
    "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return",
    "static", "struct", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use",
    "virtual", "where", "while", "yield",
];

/// Reserved words that may not.
const STRICT: &[&str] = &["crate", "self", "Self", "super"];

/// The names of a grammar's types.
#[derive(Debug)]
pub(super) struct Names {
    taken: BTreeSet<String>,
    sorts: Vec<String>,
    tokens: Vec<String>,
    /// By production; empty for those without a type.
    productions: Vec<String>,
    family: String,
}

impl Names {
    pub(super) fn new(grammar: &Grammar) -> Names {
        let mut names = Names {
            taken: BTreeSet::new(),
            sorts: Vec::new(),
            tokens: Vec::new(),
            productions: vec![String::new(); grammar.productions.len()],
            family: String::new(),
        };
        for sort in &grammar.sorts {
            let name = names.fresh(type_name(&sort.name));
            names.sorts.push(name);
        }
        for token in &grammar.tokens {
            let name = names.fresh(type_name(&token.name));
            names.tokens.push(name);
        }
        names.family = names.fresh(format!("{}Tree", type_name(&grammar.name)));
        for (index, sort) in grammar.sorts.iter().enumerate() {
            for id in &sort.productions {
                if is_single(grammar, SortId::from_index(index)) {
                    names.productions[id.index()] = names.sorts[index].clone();
                    continue;
                }
                let production = grammar.production(*id);
                if production.children.is_empty() {
                    continue;
                }
                let own = type_name(&production.name);
                let shared = is_shared(grammar, *id)
                    || names.taken.contains(&own)
                    || PRELUDE.contains(&own.as_str());
                // `Self_` and the like lose their mark within a longer name.
                let sort = names.sorts[index].trim_end_matches('_');
                let name = match shared {
                    true => format!("{sort}{}", own.trim_end_matches('_')),
                    false => own,
                };
                names.productions[id.index()] = names.fresh(name);
            }
        }
        names
    }

    /// This name, or a numbered one; no other type gets it.
    pub(super) fn fresh(&mut self, name: String) -> String {
        unique(name, "", &mut self.taken)
    }

    /// The type of a sort.
    pub(super) fn sort(&self, id: SortId) -> &str {
        &self.sorts[id.index()]
    }

    /// The type of a token.
    pub(super) fn token(&self, id: TokenId) -> &str {
        &self.tokens[id.index()]
    }

    /// The struct of a production; empty for one without fields, unless it is its sort.
    pub(super) fn production(&self, id: ProdId) -> &str {
        &self.productions[id.index()]
    }

    /// The trait of the language's sorts.
    pub(super) fn family(&self) -> &str {
        &self.family
    }

    /// A name of `tdc::typed`, as the module has to write it: behind `typed::` when a type of the
    /// grammar has that name.
    pub(super) fn engine(&self, name: &str) -> String {
        match self.taken.contains(name) {
            true => format!("typed::{name}"),
            false => name.to_owned(),
        }
    }

    /// Whether a type of the grammar has this name.
    pub(super) fn is_taken(&self, name: &str) -> bool {
        self.taken.contains(name)
    }

    /// A name of Rust's prelude, as the module has to write it: in full when a type of the
    /// grammar has that name.
    pub(super) fn std(&self, name: &'static str) -> String {
        if !self.taken.contains(name) {
            return name.to_owned();
        }
        let home = match name {
            "Box" => "boxed",
            "Vec" => "vec",
            "Option" => "option",
            "Some" | "None" => "option::Option",
            "Result" => "result",
            "Ok" | "Err" => "result::Result",
            "From" => "convert",
            _ => "string",
        };
        format!("::std::{home}::{name}")
    }
}

/// Whether a sort has one production, called like the sort: then both are one struct.
pub(super) fn is_single(grammar: &Grammar, id: SortId) -> bool {
    let sort = grammar.sort(id);
    match sort.productions.as_slice() {
        [only] => grammar.production(*only).name == sort.name,
        _ => false,
    }
}

/// Whether a production of another sort has the same name.
fn is_shared(grammar: &Grammar, id: ProdId) -> bool {
    let name = &grammar.production(id).name;
    grammar.production_ids().any(|other| {
        let production = grammar.production(other);
        other != id
            && matches!(production.kind, ProductionKind::Node(_))
            && production.name == *name
    })
}

/// `name`, or the first of `name2`, `name3`, ... that is not taken; taken from now on. `between`
/// stands before the number.
pub(super) fn unique(name: String, between: &str, taken: &mut BTreeSet<String>) -> String {
    let stem = name.trim_end_matches('_').to_owned();
    let mut candidate = name;
    let mut number = 2u32;
    while !taken.insert(candidate.clone()) {
        candidate = format!("{stem}{between}{number}");
        number += 1;
    }
    candidate
}

/// A name in the case of types: `round_box` as `RoundBox`, `HTTP` as `Http`.
pub(super) fn type_name(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for word in name.split('_').filter(|word| !word.is_empty()) {
        let mut letters = word.chars();
        out.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        out.push_str(letters.as_str());
    }
    if out.len() > 2 && !out.chars().any(|c| c.is_ascii_lowercase()) {
        let rest = out.split_off(1).to_ascii_lowercase();
        out.push_str(&rest);
    }
    match out.chars().next() {
        None => out.push('X'),
        Some(first) if first.is_ascii_digit() => out.insert(0, 'N'),
        _ => {}
    }
    if STRICT.contains(&out.as_str()) {
        out.push('_');
    }
    out
}

/// A name in the case of fields and functions, without regard to reserved words.
pub(super) fn plain_name(name: &str) -> String {
    let snake = snake_case(name);
    let words: Vec<&str> = snake.split('_').filter(|word| !word.is_empty()).collect();
    let mut out = words.join("_");
    match out.chars().next() {
        None => out.push('x'),
        Some(first) if first.is_ascii_digit() => out.insert(0, 'n'),
        _ => {}
    }
    out
}

/// A plain name as an identifier.
pub(super) fn identifier(plain: &str) -> String {
    if STRICT.contains(&plain) {
        format!("{plain}_")
    } else if WORDS.contains(&plain) {
        format!("r#{plain}")
    } else {
        plain.to_owned()
    }
}

/// The name of a finite token's value, made from its text: `red` is `Red`, `+` is `Plus`.
pub(super) fn value_name(text: &str) -> String {
    let mut words = String::new();
    for c in text.chars() {
        match spelled(c) {
            Some(word) => {
                words.push('_');
                words.push_str(word);
                words.push('_');
            }
            None if c.is_ascii_alphanumeric() || c == '_' => words.push(c),
            None => words.push_str(&format!("_U{:x}_", u32::from(c))),
        }
    }
    type_name(&words)
}

/// What a sign is called.
fn spelled(c: char) -> Option<&'static str> {
    Some(match c {
        '!' => "Bang",
        '"' => "Quote",
        '#' => "Hash",
        '$' => "Dollar",
        '%' => "Percent",
        '&' => "And",
        '\'' => "Tick",
        '(' => "Open",
        ')' => "Close",
        '*' => "Star",
        '+' => "Plus",
        ',' => "Comma",
        '-' => "Minus",
        '.' => "Dot",
        '/' => "Slash",
        ':' => "Colon",
        ';' => "Semicolon",
        '<' => "Less",
        '=' => "Equals",
        '>' => "Greater",
        '?' => "Question",
        '@' => "At",
        '[' => "OpenSquare",
        '\\' => "Backslash",
        ']' => "CloseSquare",
        '^' => "Caret",
        '`' => "Backtick",
        '{' => "OpenBrace",
        '|' => "Pipe",
        '}' => "CloseBrace",
        '~' => "Tilde",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases() {
        for (from, to) in [
            ("Shape", "Shape"),
            ("round_box", "RoundBox"),
            ("HTTP", "Http"),
            ("HTTPServer", "HTTPServer"),
            ("IO", "IO"),
            ("_", "X"),
            ("_1", "N1"),
            ("Self", "Self_"),
            ("self", "Self_"),
        ] {
            assert_eq!(type_name(from), to);
        }
        for (from, to) in [
            ("fooBar", "foo_bar"),
            ("__x__y", "x_y"),
            ("type", "r#type"),
            ("Self", "self_"),
            ("_", "x"),
            ("_1", "n1"),
        ] {
            assert_eq!(identifier(&plain_name(from)), to);
        }
        for (from, to) in [
            ("red", "Red"),
            ("+", "Plus"),
            ("<=", "LessEquals"),
            ("not-in", "NotMinusIn"),
            ("3d", "N3d"),
            ("\u{e9}", "Ue9"),
            ("else", "Else"),
            ("Self", "Self_"),
            ("NONE", "None"),
        ] {
            assert_eq!(value_name(from), to);
        }
    }

    #[test]
    fn numbers_where_names_collide() {
        let mut taken = BTreeSet::new();
        let mut next = |name: &str| unique(name.to_owned(), "", &mut taken);
        assert_eq!(next("A"), "A");
        assert_eq!(next("A"), "A2");
        assert_eq!(next("A2"), "A22");
        assert_eq!(next("A"), "A3");
    }
}
