//! Diagnostics: what is wrong, where, why, and what to do.
//!
//! Every stage reports into a [`Sink`]; nothing here prints. [`codes`] holds the table of
//! stable codes with their pages, [`render`] alone knows ariadne, [`json`] gives the same
//! content to machines.

pub mod codes;
pub mod json;
pub mod nearest;
pub mod render;

use serde::Serialize;

use crate::source::Span;
pub use codes::Code;
pub use nearest::nearest;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing is built while one of these stands.
    Error,
    /// Built all the same.
    Warning,
}

/// A place with a remark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// The remark, in the lower case and without a full stop.
    pub message: String,
}

/// A change that would mend the mistake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// What to replace.
    pub span: Span,
    /// With what.
    pub replacement: String,
}

/// One mistake or remark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable code, such as `E0107`; its severity follows from its first letter.
    pub code: Code,
    /// What is wrong, one sentence without a full stop.
    pub message: String,
    /// The place it is about.
    pub primary: Label,
    /// Other places that explain it.
    pub secondary: Vec<Label>,
    /// Why it is wrong, and facts such as witnesses.
    pub notes: Vec<String>,
    /// What to do.
    pub help: Option<String>,
    /// The mend, when it can be written down.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// A diagnostic with its message and primary place; `label` may be empty.
    pub fn new(
        code: Code,
        span: Span,
        message: impl Into<String>,
        label: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic {
            code,
            message: message.into(),
            primary: Label {
                span,
                message: label.into(),
            },
            secondary: Vec::new(),
            notes: Vec::new(),
            help: None,
            fix: None,
        }
    }

    /// Adds another place.
    #[must_use]
    pub fn label(mut self, span: Span, message: impl Into<String>) -> Diagnostic {
        self.secondary.push(Label {
            span,
            message: message.into(),
        });
        self
    }

    /// Adds a reason or a fact.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Diagnostic {
        self.notes.push(note.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    /// Says which text would mend it.
    #[must_use]
    pub fn fix(mut self, span: Span, replacement: impl Into<String>) -> Diagnostic {
        self.fix = Some(Fix {
            span,
            replacement: replacement.into(),
        });
        self
    }

    /// Error or warning, by the code's first letter.
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }
}

/// Collects diagnostics.
#[derive(Clone, Debug, Default)]
pub struct Sink {
    list: Vec<Diagnostic>,
    /// How many were not kept.
    more: usize,
}

/// Most diagnostics a [`Sink`] keeps. Nobody reads more, and looking for doubles would take the
/// square of their number.
const MOST: usize = 1000;

impl Sink {
    /// An empty sink.
    pub fn new() -> Sink {
        Sink::default()
    }

    /// Takes one in. The same code at the same place is kept once, and no more than a thousand
    /// altogether.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        let seen = self.list.iter().any(|d| {
            d.code == diagnostic.code
                && d.primary.span == diagnostic.primary.span
                && d.message == diagnostic.message
        });
        if seen {
            return;
        }
        // The first error is kept in any case: it decides what happens next.
        let first_error = diagnostic.severity() == Severity::Error && !self.has_errors();
        if self.list.len() < MOST || first_error {
            self.list.push(diagnostic);
        } else {
            self.more += 1;
        }
    }

    /// Whether an error is among them.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|d| d.severity() == Severity::Error)
    }

    /// Number of diagnostics.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Those collected, in the order of their places.
    pub fn sorted(&self) -> Vec<Diagnostic> {
        let mut list = self.list.clone();
        list.sort_by_key(|d| (d.primary.span, d.code));
        if let (Some(last), true) = (list.last_mut(), self.more > 0) {
            let note = format!(
                "{} more mistakes are not shown; mend these first",
                self.more
            );
            last.notes.push(note);
        }
        list
    }

    /// Moves everything from `other` in.
    pub fn append(&mut self, other: Sink) {
        for diagnostic in other.list {
            self.push(diagnostic);
        }
        self.more += other.more;
    }
}
