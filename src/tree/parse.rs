//! From text to programs.
//!
//! In: text. Out: [`Program`] or [`ProgramError`]. Afterwards the program's text, printed, is read
//! as the same program again.
//!
//! Everything is iterative and linear in the text, so nesting is bounded by memory alone; texts
//! longer than [`MAX_PROGRAM_BYTES`] are refused.

use super::error::{ProgramError, ProgramErrorKind, describe_token, expected, nearest};
use super::layout::Layout;
use super::program::{Node, Program};
use crate::compiled::Compiled;
use crate::diag::nearest as nearest_word;
use crate::grammar::ids::{NtId, ProdId, TokenId};
use crate::grammar::ir::Grammar;
use crate::grammar::syntax::Syntax;
use crate::grammar::syntax::assemble::{Emit, Step, Work, assemble};
use crate::grammar::syntax::bnf::{Rule, Term};
use crate::grammar::syntax::lexer::{Budget, LexError};
use crate::grammar::syntax::lr::Act;

/// Longest program text in bytes (16 MiB).
pub const MAX_PROGRAM_BYTES: usize = 16 << 20;

/// Reads a whole program.
///
/// # Errors
///
/// When the text is not a program of the language; the error says where and why.
pub fn parse(grammar: &Grammar, syntax: &Syntax, text: &str) -> Result<Program, ProgramError> {
    Parser::new(grammar, syntax).parse(text)
}

impl Compiled {
    /// Reads a whole program.
    ///
    /// # Errors
    ///
    /// When the text is not a program of the language; the error says where and why.
    pub fn parse(&self, text: &str) -> Result<Program, ProgramError> {
        parse(&self.grammar, &self.syntax, text)
    }

    /// A parser for many programs, which is faster than [`Compiled::parse`] for short ones.
    pub fn parser(&self) -> Parser<'_> {
        Parser::new(&self.grammar, &self.syntax)
    }
}

/// Reads programs one after another with the same buffers, which is faster for short ones.
#[derive(Debug)]
pub struct Parser<'a> {
    grammar: &'a Grammar,
    syntax: &'a Syntax,
    layout: Layout,
    stack: Vec<u32>,
    steps: Vec<Step>,
    work: Vec<Work>,
}

impl<'a> Parser<'a> {
    /// A parser of the grammar's whole programs.
    pub fn new(grammar: &'a Grammar, syntax: &'a Syntax) -> Parser<'a> {
        Parser {
            grammar,
            syntax,
            layout: Layout::new(grammar),
            stack: Vec::new(),
            steps: Vec::new(),
            work: Vec::new(),
        }
    }

    /// Reads a whole program.
    ///
    /// # Errors
    ///
    /// When the text is not a program of the language; the error says where and why.
    pub fn parse(&mut self, text: &str) -> Result<Program, ProgramError> {
        let mut out = Program::default();
        self.parse_into(text, &mut out)?;
        Ok(out)
    }

    /// [`Parser::parse`] into a used program: no allocation once the buffers have grown, but for
    /// the strings of text tokens.
    ///
    /// # Errors
    ///
    /// As [`Parser::parse`]. Then `out` holds nothing of use.
    pub fn parse_into(&mut self, text: &str, out: &mut Program) -> Result<(), ProgramError> {
        if text.len() > MAX_PROGRAM_BYTES {
            return Err(ProgramError {
                start: 0,
                end: 0,
                kind: ProgramErrorKind::TooLarge { bytes: text.len() },
            });
        }
        self.derive(text)?;
        let steps = std::mem::take(&mut self.steps);
        let done = self.assemble_into(&steps, text, out);
        self.steps = steps;
        done
    }

    /// The program of a derivation.
    #[cfg(test)]
    pub(crate) fn assemble(&mut self, steps: &[Step], text: &str) -> Result<Program, ProgramError> {
        let mut out = Program::default();
        self.assemble_into(steps, text, &mut out)?;
        Ok(out)
    }

    fn assemble_into(
        &mut self,
        steps: &[Step],
        text: &str,
        program: &mut Program,
    ) -> Result<(), ProgramError> {
        program.nodes.clear();
        program.texts.clear();
        program.nodes.reserve(steps.len() * 2);
        let mut out = Nodes {
            nodes: &mut program.nodes,
            texts: &mut program.texts,
            mistake: None,
        };
        let whole = assemble(
            self.grammar,
            &self.syntax.bnf,
            &self.syntax.forms,
            self.grammar.start,
            steps,
            text,
            &mut self.work,
            &mut out,
        );
        if let Some((token, start, end)) = out.mistake {
            return Err(value_error(self.grammar, token, start, end, text));
        }
        program.nodes.reverse();
        program.texts.reverse();
        let whole = self.layout.annotate(program) && whole;
        debug_assert!(whole, "the steps of a parse are a derivation");
        Ok(())
    }

    /// Runs the tables over the text and leaves the steps of its derivation.
    fn derive(&mut self, text: &str) -> Result<(), ProgramError> {
        let syntax = self.syntax;
        let tables = &syntax.tables;
        self.steps.clear();
        self.stack.clear();
        self.stack.push(0);
        let end = [tables.end()];
        let mut budget = Budget::of(text);
        let mut at = 0;
        let mut state = 0u32;
        loop {
            let (start, stop, terms) = match syntax.lexer.next(text, at, &mut budget) {
                Ok(Some(lexeme)) => (lexeme.start, lexeme.end, lexeme.terms),
                Ok(None) => (text.len(), text.len(), end.as_slice()),
                Err(error) => return Err(self.lex_error(error, text)),
            };
            at = stop;
            loop {
                let Some((term, act)) = choose(syntax, state, terms) else {
                    return Err(self.unexpected(start, stop, terms, text));
                };
                match act {
                    Act::Shift(to) => {
                        if syntax.is_word[term.index()] {
                            self.steps.push(Step::Word(start as u32, stop as u32));
                        }
                        self.stack.push(to);
                        state = to;
                        break;
                    }
                    Act::Reduce(Rule(0)) => return Ok(()),
                    Act::Reduce(rule) => {
                        if syntax.is_step[rule.index()] {
                            self.steps.push(Step::Rule(rule));
                        }
                        let (lhs, len) = tables.rules[rule.index()];
                        let keep = self.stack.len() - usize::from(len);
                        self.stack.truncate(keep);
                        state = tables.goto(self.stack[keep - 1], lhs);
                        self.stack.push(state);
                    }
                }
            }
        }
    }

    fn lex_error(&self, error: LexError, text: &str) -> ProgramError {
        match error {
            LexError::Unknown(start) => {
                let rest = &text[start..];
                let letters = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
                let first = rest.chars().next().map_or(0, char::len_utf8);
                let end = letters.unwrap_or(rest.len()).max(first);
                let found = rest[..end].to_string();
                let words = self.grammar.literals.iter().map(String::as_str);
                ProgramError {
                    start,
                    end: start + end,
                    kind: ProgramErrorKind::Unknown {
                        nearest: nearest_word(&found, words).map(str::to_string),
                        found,
                        expected: expected(self.grammar, self.syntax, &self.stack),
                    },
                }
            }
            LexError::TooCostly(start) => ProgramError {
                start,
                end: start,
                kind: ProgramErrorKind::TooCostly,
            },
        }
    }

    fn unexpected(&self, start: usize, end: usize, terms: &[Term], text: &str) -> ProgramError {
        let found = text.get(start..end).filter(|t| !t.is_empty());
        let reserved = terms.first().is_some_and(|term| {
            let texts = self.syntax.lexer.reserved(*term);
            texts
                .iter()
                .any(|t| super::error::accepted(self.syntax, &self.stack, *t).is_some())
        });
        ProgramError {
            start,
            end,
            kind: ProgramErrorKind::Unexpected {
                found: found.map(str::to_string),
                expected: expected(self.grammar, self.syntax, &self.stack),
                reserved,
            },
        }
    }
}

/// The action on a lexeme that may be any of these terminals. Where several act they act alike,
/// which `conflict` made sure of.
#[inline]
fn choose(syntax: &Syntax, state: u32, terms: &[Term]) -> Option<(Term, Act)> {
    terms
        .iter()
        .find_map(|term| Some((*term, syntax.tables.action(state, *term)?)))
}

fn value_error(
    grammar: &Grammar,
    token: TokenId,
    start: u32,
    end: u32,
    text: &str,
) -> ProgramError {
    let (start, end) = (start as usize, end as usize);
    let found = text.get(start..end).unwrap_or("").to_string();
    ProgramError {
        start,
        end,
        kind: ProgramErrorKind::Value {
            nearest: nearest(&grammar.token(token).domain, &found),
            expected: describe_token(grammar, token),
            found,
        },
    }
}

/// Collects nodes in reverse.
struct Nodes<'a> {
    nodes: &'a mut Vec<Node>,
    texts: &'a mut Vec<Box<str>>,
    /// The mistake nearest to the beginning: they come from the end.
    mistake: Option<(TokenId, u32, u32)>,
}

impl Emit for Nodes<'_> {
    #[inline]
    fn node(&mut self, production: ProdId, value: u32) {
        self.nodes.push(Node {
            production,
            value,
            len: 0,
            size: 0,
        });
    }

    fn text(&mut self, production: ProdId, text: &str) {
        self.node(production, 0);
        self.texts.push(text.into());
    }

    fn hole(&mut self, _: u32, _: NtId) {}

    fn mistake(&mut self, token: TokenId, start: u32, end: u32) {
        self.mistake = Some((token, start, end));
    }
}
