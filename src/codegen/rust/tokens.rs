//! Types of tokens.
//!
//! In: a token. Out: a type whose values are exactly the token's: a number in a range, an enum, or a
//! text that has been looked at.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::Generator;
use super::names::{unique, value_name};
use super::text::{NotRust, doc_line, documented};
use crate::grammar::ids::TokenId;
use crate::grammar::ir::{Domain, FiniteValue};

impl Generator<'_> {
    /// The type of a token.
    pub(super) fn token(&mut self, id: TokenId) -> Result<(), NotRust> {
        let grammar = self.model.grammar;
        let token = grammar.token(id);
        let place = self.place(token.span);
        let values = match &token.domain {
            Domain::Finite(_) => format!("The token `{}`.", token.name),
            domain => format!("The token `{}`: {}.", token.name, shown(domain)),
        };
        let docs = documented(&token.docs, &values, &place);
        let name = self.model.names.token(id).to_owned();
        match &token.domain {
            Domain::Int { lo, hi, step } => self.int(&name, &docs, *lo, *hi, *step),
            Domain::Real {
                lo,
                hi,
                step,
                decimals,
            } => self.real(&name, &docs, [*lo, *hi, *step], *decimals, &token.domain),
            Domain::Finite(values) => self.finite(&name, &docs, values),
            Domain::Text { pattern, .. } => self.text(&name, &docs, pattern, token.production.0),
        }
    }

    fn int(
        &mut self,
        name: &str,
        docs: &[String],
        lo: i64,
        hi: i64,
        step: i64,
    ) -> Result<(), NotRust> {
        let derive = self
            .serde
            .derive("Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash");
        let serde = self.serde.through("i64");
        self.module
            .item(docs, &format!("{derive} {serde} pub struct {name}(i64);"))?;
        let (least, most) = (int(lo), int(hi));
        let off = match (step, lo) {
            (1, _) => String::new(),
            (_, 0) => format!(" if value % {} == 0", int(step)),
            _ if lo < 0 => format!(
                " if (value + {}) % {} == 0",
                int_of(lo.unsigned_abs()),
                int(step)
            ),
            _ => format!(" if (value - {least}) % {} == 0", int(step)),
        };
        let [some, none, option] = self.options();
        let range = match step {
            1 => format!("`{lo}..={hi}`"),
            _ => format!("`{lo}..={hi}` in steps of {step}"),
        };
        self.module.item(
            &[],
            &format!(
                "impl {name} {{
                    /// The least value.
                    pub const MIN: {name} = {name}({least});
                    /// The greatest value.
                    pub const MAX: {name} = {name}({most});

                    /// A value of {range}; `None` for other numbers.
                    #[must_use]
                    pub const fn new(value: i64) -> {option}<{name}> {{
                        match value {{
                            {least}..={most}{off} => {some}({name}(value)),
                            _ => {none},
                        }}
                    }}

                    /// The number.
                    #[must_use]
                    pub const fn get(self) -> i64 {{
                        self.0
                    }}
                }}"
            ),
        )
    }

    fn real(
        &mut self,
        name: &str,
        docs: &[String],
        [lo, hi, step]: [f64; 3],
        decimals: u8,
        domain: &Domain,
    ) -> Result<(), NotRust> {
        let derive = self
            .serde
            .derive("Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash");
        let serde = self.serde.through("f64");
        self.module
            .item(docs, &format!("{derive} {serde} pub struct {name}(u32);"))?;
        let [_, _, option] = self.options();
        let last = domain.count().map_or(0, |count| count.saturating_sub(1));
        let last = int_of(last.into());
        self.module.item(
            &[],
            &format!(
                "impl {name} {{
                    const GRID: typed::Grid = typed::Grid {{
                        lo: {}, hi: {}, step: {}, decimals: {decimals},
                    }};

                    /// The least value.
                    pub const MIN: {name} = {name}(0);
                    /// The greatest value.
                    pub const MAX: {name} = {name}({last});

                    /// A value of `{lo}..={hi}` in steps of {step}; `None` for other numbers.
                    #[must_use]
                    pub fn new(value: f64) -> {option}<{name}> {{
                        {name}::GRID.steps(value).map({name})
                    }}

                    /// The number.
                    #[must_use]
                    pub fn get(self) -> f64 {{
                        {name}::GRID.number(self.0)
                    }}
                }}",
                float(lo),
                float(hi),
                float(step),
            ),
        )
    }

    fn finite(
        &mut self,
        name: &str,
        docs: &[String],
        values: &[FiniteValue],
    ) -> Result<(), NotRust> {
        let mut taken = BTreeSet::new();
        let names: Vec<String> = values
            .iter()
            .map(|value| unique(value_name(&value.text), "", &mut taken))
            .collect();
        let mut variants = String::new();
        let mut arms = String::new();
        let mut all = String::new();
        for (value, variant) in values.iter().zip(&names) {
            let text = &value.text;
            let tick = if text.contains('`') { "``" } else { "`" };
            let rename = self.serde.renamed(variant, text);
            let doc = doc_line(&format!("{tick}{text}{tick}"));
            let _ = write!(variants, "{doc}{rename}{variant},");
            let _ = write!(arms, "{name}::{variant} => {text:?},");
            let _ = write!(all, "{name}::{variant},");
        }
        let derive = self
            .serde
            .derive("Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash");
        let lint = variant_lint(name, &names);
        self.module.item(
            docs,
            &format!("{derive} {lint} pub enum {name} {{ {variants} }}"),
        )?;
        self.module.item(
            &[],
            &format!(
                "impl {name} {{
                    /// Every value, in the order of the grammar.
                    pub const ALL: [{name}; {}] = [{all}];

                    /// How it is written.
                    #[must_use]
                    pub const fn as_str(self) -> &'static str {{
                        match self {{ {arms} }}
                    }}
                }}",
                values.len(),
            ),
        )
    }

    fn text(
        &mut self,
        name: &str,
        docs: &[String],
        pattern: &str,
        production: u16,
    ) -> Result<(), NotRust> {
        let derive = self
            .serde
            .derive("Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash");
        let serde = self.serde.through("::std::string::String");
        let boxed = self.model.names.std("Box");
        let error = self.model.names.engine("Error");
        let [ok, result] = [self.model.names.std("Ok"), self.model.names.std("Result")];
        self.module.item(
            docs,
            &format!("{derive} {serde} pub struct {name}({boxed}<str>);"),
        )?;
        let tick = if pattern.contains('`') { "``" } else { "`" };
        let matches = doc_line(&format!(
            "A text that matches {tick}/{pattern}/{tick} and is not a word of the language itself."
        ));
        self.module.item(
            &[],
            &format!(
                "impl {name} {{
                    {matches}
                    ///
                    /// # Errors
                    ///
                    /// When the text is not one of these.
                    pub fn new(text: &str) -> {result}<{name}, {error}> {{
                        typed::is_text(&LANGUAGE, {production}, text)?;
                        {ok}({name}(text.into()))
                    }}

                    /// The text.
                    #[must_use]
                    pub fn as_str(&self) -> &str {{
                        &self.0
                    }}
                }}"
            ),
        )
    }

    /// `Some`, `None` and `Option`, as the module has to write them.
    fn options(&self) -> [String; 3] {
        ["Some", "None", "Option"].map(|name| self.model.names.std(name))
    }
}

/// What values a token has, in a few characters of documentation.
fn shown(domain: &Domain) -> String {
    let text = domain.text();
    match text.contains('`') {
        true => format!("`` {text} ``"),
        false => format!("`{text}`"),
    }
}

/// An integer with `_` between groups of three digits.
pub(super) fn int(value: i64) -> String {
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{}", int_of(value.unsigned_abs()))
}

fn int_of(value: u64) -> String {
    grouped(&value.to_string())
}

/// A number as Rust writes it, with `_` between groups of three digits.
pub(super) fn float(value: f64) -> String {
    let text = format!("{value:?}");
    let (number, exponent) = match text.split_once('e') {
        Some((number, exponent)) => (number, Some(exponent)),
        None => (text.as_str(), None),
    };
    let (sign, number) = match number.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", number),
    };
    let mut out = sign.to_owned();
    match number.split_once('.') {
        Some((whole, part)) => {
            out.push_str(&grouped(whole));
            out.push('.');
            let reversed: String = part.chars().rev().collect();
            out.extend(grouped(&reversed).chars().rev());
        }
        None => out.push_str(&grouped(number)),
    }
    if let Some(exponent) = exponent {
        out.push('e');
        out.push_str(exponent);
    }
    out
}

/// Digits in groups of three from the end; up to five stay together.
fn grouped(digits: &str) -> String {
    if digits.len() <= 5 {
        return digits.to_owned();
    }
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push('_');
        }
        out.push(digit);
    }
    out
}

/// Lets variants be named alike where the grammar does so. Clippy looks at enums of three variants
/// and more.
pub(super) fn variant_lint(name: &str, variants: &[String]) -> &'static str {
    let words = |name: &str| -> Vec<String> {
        let mut words: Vec<String> = Vec::new();
        for c in name.chars() {
            match words.last_mut() {
                Some(word) if !c.is_ascii_uppercase() => word.push(c),
                _ => words.push(c.to_string()),
            }
        }
        words
    };
    let split: Vec<Vec<String>> = variants.iter().map(|v| words(v)).collect();
    let shared = |pick: &dyn Fn(&Vec<String>) -> Option<String>| {
        let first = split.first().and_then(pick);
        first.is_some() && split.iter().all(|words| pick(words) == first)
    };
    let alike = shared(&|words| words.first().cloned()) || shared(&|words| words.last().cloned());
    let repeats = variants
        .iter()
        .any(|variant| variant.starts_with(name) || variant.ends_with(name));
    match variants.len() >= 3 && (alike || repeats) {
        true => "#[allow(clippy::enum_variant_names, reason = \"named as in the grammar\")]",
        false => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(int(99_999), "99999");
        assert_eq!(int(-1_234_567), "-1_234_567");
        assert_eq!(float(0.5), "0.5");
        assert_eq!(float(-1_234_567.25), "-1_234_567.25");
        assert_eq!(float(0.123_456_7), "0.123_456_7");
        assert_eq!(float(1e-7), "1e-7");
    }
}
