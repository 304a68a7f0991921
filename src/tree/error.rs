//! What is wrong with a program's text, in the user's words.
//!
//! In: the parser's stack at the mistake. Out: [`ProgramError`]. Afterwards it says where, what is
//! there, and what could be there instead: sorts and tokens rather than single words where a sort
//! or token may begin.

use crate::diag::Diagnostic;
use crate::diag::codes::{E0901, E0902, E0903, E0904};
use crate::grammar::ids::{NtId, TokenId};
use crate::grammar::ir::{Domain, Grammar, NonterminalKind};
use crate::grammar::syntax::Syntax;
use crate::grammar::syntax::bnf::{NtKind, Rule, Symbol, Term, Terminal};
use crate::grammar::syntax::lr::Act;
use crate::grammar::syntax::values::write_value;
use crate::source::{FileId, Span};

use super::parse::MAX_PROGRAM_BYTES;

/// Most steps of the parser that are tried out for one expected word.
const MAX_STEPS: usize = 4_000;
/// Most expected things named.
const MAX_NAMED: usize = 8;

/// Why a text is not a program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct ProgramError {
    /// First byte of what is wrong, in the program's text.
    pub start: usize,
    /// One past its last byte; the same as `start` at the end of the text.
    pub end: usize,
    /// What is wrong.
    pub kind: ProgramErrorKind,
}

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProgramErrorKind {
    /// A word where another must stand.
    #[error("expected {}, found {}", list(expected), found.as_ref().map_or("the end of the program".to_string(), |f| format!("`{}`", shorten(f))))]
    Unexpected {
        /// The word, `None` at the end of the text.
        found: Option<String>,
        /// What could stand here.
        expected: Vec<String>,
        /// Whether the word would fit a text token that is expected, but is reserved.
        reserved: bool,
    },
    /// A text no word begins like.
    #[error("{}", unknown(found))]
    Unknown {
        /// A character, or the letters and digits from there on.
        found: String,
        /// What could stand here.
        expected: Vec<String>,
        /// The quoted word nearest to it.
        nearest: Option<String>,
    },
    /// A number outside its token's domain.
    #[error("`{}` is not {expected}", shorten(found))]
    Value {
        /// As written.
        found: String,
        /// The token with its domain.
        expected: String,
        /// The nearest value it has.
        nearest: Option<String>,
    },
    /// A text longer than [`MAX_PROGRAM_BYTES`].
    #[error("the program has {bytes} bytes; {MAX_PROGRAM_BYTES} is the most")]
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// A text in which finding the ends of words takes too long.
    #[error("the ends of the program's words take too long to find")]
    TooCostly,
}

impl ProgramError {
    /// As a diagnostic; the program's text begins at byte `base` of `file`.
    pub fn diagnostic(&self, file: FileId, base: usize) -> Diagnostic {
        let span = Span::new(file, base + self.start, base + self.end);
        let message = self.to_string();
        match &self.kind {
            ProgramErrorKind::Unexpected {
                expected, reserved, ..
            } => {
                let diagnostic =
                    Diagnostic::new(E0901, span, message, format!("expected {}", list(expected)));
                if *reserved {
                    diagnostic.note("this word belongs to the language and cannot be a text here")
                } else {
                    diagnostic
                }
            }
            ProgramErrorKind::Unknown {
                expected, nearest, ..
            } => {
                let label = format!("expected {}", list(expected));
                let diagnostic = Diagnostic::new(E0903, span, message, label);
                match nearest {
                    Some(word) => diagnostic
                        .help(format!("did you mean `{word}`?"))
                        .fix(span, word.clone()),
                    None => diagnostic,
                }
            }
            ProgramErrorKind::Value {
                expected, nearest, ..
            } => {
                let diagnostic =
                    Diagnostic::new(E0902, span, message, format!("expected {expected}"));
                match nearest {
                    Some(value) => diagnostic
                        .help(format!("the nearest value is {value}"))
                        .fix(span, value.clone()),
                    None => diagnostic,
                }
            }
            ProgramErrorKind::TooLarge { .. } | ProgramErrorKind::TooCostly => {
                Diagnostic::new(E0904, span, message, "")
            }
        }
    }
}

/// `a, b or c`.
fn list(items: &[String]) -> String {
    let more = items.len().saturating_sub(MAX_NAMED);
    let mut named: Vec<String> = items.iter().take(MAX_NAMED).cloned().collect();
    if more > 0 {
        named.push(format!("{more} other things"));
    }
    match named.as_slice() {
        [] => "nothing more".to_string(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

fn unknown(found: &str) -> String {
    if found.chars().nth(1).is_some() {
        return format!("`{}` is not a word of the language", shorten(found));
    }
    let shown: String = found
        .chars()
        .map(|c| match c.is_control() {
            true => c.escape_default().to_string(),
            false => c.to_string(),
        })
        .collect();
    format!("no word of the language begins with `{shown}`")
}

fn shorten(text: &str) -> String {
    if text.chars().count() <= 40 {
        return text.to_string();
    }
    let start: String = text.chars().take(40).collect();
    format!("{start}...")
}

/// What could stand where the parser is.
pub(crate) fn expected(grammar: &Grammar, syntax: &Syntax, stack: &[u32]) -> Vec<String> {
    let (mut sorts, mut words) = (Vec::new(), Vec::new());
    for index in 0..syntax.tables.terms {
        let term = Term(index as u16);
        let Some(state) = accepted(syntax, stack, term) else {
            continue;
        };
        if term == syntax.tables.end() {
            push(&mut words, "the end of the program".to_string());
            continue;
        }
        match describe(grammar, syntax, state, term) {
            (true, name) => push(&mut sorts, name),
            (false, name) => push(&mut words, name),
        }
    }
    sorts.append(&mut words);
    sorts
}

fn push(to: &mut Vec<String>, name: String) {
    if !to.contains(&name) {
        to.push(name);
    }
}

/// The state that shifts this terminal (or accepts at the end) after the reductions it asks for;
/// `None` when the terminal is a mistake here. Exact, although the tables' own look-aheads may
/// hold more than this context allows.
pub(crate) fn accepted(syntax: &Syntax, stack: &[u32], term: Term) -> Option<u32> {
    let tables = &syntax.tables;
    // The stack without its end, and what was put on it since.
    let mut below = stack.len();
    let mut above: Vec<u32> = Vec::new();
    let mut state = *stack.last()?;
    for _ in 0..MAX_STEPS {
        match tables.action(state, term)? {
            Act::Shift(_) | Act::Reduce(Rule(0)) => return Some(state),
            Act::Reduce(rule) => {
                let (lhs, len) = tables.rules[rule.index()];
                let len = usize::from(len);
                let own = above.len().min(len);
                above.truncate(above.len() - own);
                below = below.checked_sub(len - own)?;
                let top = match above.last() {
                    Some(top) => *top,
                    None => *stack.get(below.checked_sub(1)?)?,
                };
                state = tables.goto(top, lhs);
                above.push(state);
            }
        }
    }
    Some(state)
}

/// What a terminal that a state shifts is the beginning of, and whether that is a sort or token.
fn describe(grammar: &Grammar, syntax: &Syntax, state: u32, term: Term) -> (bool, String) {
    for item in &syntax.tables.kernels[state as usize] {
        let rhs = &syntax.bnf.productions[item.rule.index()].rhs;
        let Some(part) = rhs.get(usize::from(item.dot)) else {
            continue;
        };
        match part.symbol {
            Symbol::T(own) if own == term => {
                if let Some((_, nt)) = part.child {
                    return (true, describe_nt(grammar, nt));
                }
            }
            Symbol::N(nt) if syntax.firsts.first[nt.index()].has(term.index()) => {
                let mut symbol = part.symbol;
                // A list or an option is named after its item.
                while let Symbol::N(nt) = symbol {
                    match syntax.bnf.nonterminals[nt.index()] {
                        NtKind::Of(nt) => return (true, describe_nt(grammar, nt)),
                        NtKind::List(item, _) | NtKind::Maybe(item) => symbol = item,
                        NtKind::Start => break,
                    }
                }
                if let Some((_, nt)) = part.child {
                    return (true, describe_nt(grammar, nt));
                }
            }
            _ => {}
        }
    }
    let own = matches!(syntax.bnf.terminals[term.index()], Terminal::Literal(_));
    let name = syntax.bnf.term_name(grammar, term);
    (!own, if own { name } else { with_article(&name) })
}

fn describe_nt(grammar: &Grammar, nt: NtId) -> String {
    match grammar.nonterminal(nt).kind {
        NonterminalKind::Sort { sort, .. } => with_article(&grammar.sort(sort).name),
        NonterminalKind::Token(token) => describe_token(grammar, token),
        NonterminalKind::List { item, .. } | NonterminalKind::Optional { item } => {
            describe_nt(grammar, item)
        }
    }
}

/// A token with its domain: `a Coord (0..=15)`.
pub(crate) fn describe_token(grammar: &Grammar, token: TokenId) -> String {
    let token = grammar.token(token);
    let name = with_article(&token.name);
    match &token.domain {
        Domain::Int { lo, hi, step: 1 } => format!("{name} ({lo}..={hi})"),
        Domain::Int { lo, hi, step } => format!("{name} ({lo}..={hi} step {step})"),
        Domain::Real { lo, hi, step, .. } => format!("{name} ({lo}..={hi} step {step})"),
        Domain::Finite(values) => {
            let named: Vec<&str> = values.iter().take(6).map(|v| v.text.as_str()).collect();
            let dots = if values.len() > 6 { ", ..." } else { "" };
            format!("{name} ({}{dots})", named.join(", "))
        }
        Domain::Text { .. } => name,
    }
}

fn with_article(name: &str) -> String {
    if name.starts_with("an ") || name.starts_with("a ") {
        name.to_string()
    } else if name.starts_with(['A', 'E', 'I', 'O', 'a', 'e', 'i', 'o']) {
        format!("an {name}")
    } else {
        format!("a {name}")
    }
}

/// The value of a numeric domain nearest to a number, as written.
pub(crate) fn nearest(domain: &Domain, found: &str) -> Option<String> {
    let count = domain.count()?;
    let value: f64 = found.parse().ok()?;
    let (lo, step) = match *domain {
        Domain::Int { lo, step, .. } => (lo as f64, step as f64),
        Domain::Real { lo, step, .. } => (lo, step),
        _ => return None,
    };
    // Casting a float to an integer saturates.
    let index = ((value - lo) / step).round().max(0.0) as u32;
    let mut text = String::new();
    write_value(domain, index.min(count.saturating_sub(1)), &mut text);
    Some(text)
}
