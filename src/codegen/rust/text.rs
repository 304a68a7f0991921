//! Rust text under construction.
//!
//! In: items as Rust without regard to layout. Out: [`Module`], the text of a module. Afterwards it is
//! laid out by prettyplease, with an empty line between items and between methods.

use super::docs;

/// A module's items.
#[derive(Debug, Default)]
pub(super) struct Module {
    text: String,
}

/// A text that is not Rust: a defect of the generator.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the generated code is not Rust, which is a defect of tdc: {message}\n{item}")]
pub struct NotRust {
    message: String,
    item: String,
}

impl Module {
    /// Adds one item, with the documentation of the grammar and further lines of documentation.
    pub(super) fn item(&mut self, docs: &[String], item: &str) -> Result<(), NotRust> {
        let mut source = String::new();
        for line in docs {
            source.push_str(&doc_line(line));
        }
        source.push_str(item);
        let file: syn::File = syn::parse_str(&source).map_err(|error| NotRust {
            message: error.to_string(),
            item: source.clone(),
        })?;
        let laid_out = prettyplease::unparse(&file);
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(&spaced(&laid_out));
        Ok(())
    }

    /// Adds text as it is.
    pub(super) fn verbatim(&mut self, text: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(text);
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}

/// A line of documentation as an attribute, which can hold any text.
pub(super) fn doc_line(line: &str) -> String {
    let space = if line.is_empty() { "" } else { " " };
    format!("#[doc = {:?}]\n", format!("{space}{line}"))
}

/// The documentation of something in the grammar, and where it stands.
pub(super) fn documented(text: &str, or: &str, place: &str) -> Vec<String> {
    let mut lines = docs::lines(text);
    if lines.is_empty() {
        lines.push(or.to_owned());
    }
    lines.push(String::new());
    lines.push(format!("`{place}`"));
    lines
}

/// With an empty line behind each method, constant and inner module.
fn spaced(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    let mut before = "";
    for line in text.lines() {
        let (last, this) = (before.trim_end(), line.trim_start());
        let starts = ["///", "#[", "pub ", "fn ", "impl"];
        let ends = last.ends_with('}') || last.ends_with(';');
        let same = before.len() - before.trim_start().len() == line.len() - this.len();
        if ends && same && starts.iter().any(|start| this.starts_with(start)) {
            out.push('\n');
        }
        out.push_str(line);
        out.push('\n');
        before = line;
    }
    out
}
