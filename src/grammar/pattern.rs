//! Patterns: programs with metavariables, as rewrite rules write them.
//!
//! In: the text of a quote. Out: [`Pattern`]. Afterwards it is a program of the language in which
//! some subtrees are metavariables, each with the nonterminal it stands for there.
//!
//! `?name` stands for any sort or token that fits. Of several readings the one with the fewest
//! nodes is taken, so `?a + 0` reads `?a` as an expression, not as a number inside of one;
//! `?a:Number` says which is meant.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ids::{NtId, ProdId, TokenId};
use super::ir::{Grammar, NonterminalKind, Quote};
use super::syntax::assemble::{Emit, assemble};
use super::syntax::bnf::{Nt, Symbol};
use super::syntax::chart::{Chart, Word};
use super::syntax::lexer::{Budget, LexError, is_space};
use super::syntax::{Stands, Syntax};
use crate::source::Span;

/// Most words of a pattern.
const MAX_WORDS: usize = 1_000;

/// A program with metavariables.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pattern {
    /// Its nodes, in preorder.
    pub nodes: Vec<PatternNode>,
    /// The strings of its text tokens, in preorder: the k-th text node has value k.
    pub texts: Vec<Box<str>>,
}

/// A node of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PatternNode {
    /// A node of this kind and value; its children follow.
    Node(ProdId, u32),
    /// The metavariable of this index, in a place of this nonterminal.
    Meta(u16, NtId),
}

/// Names of metavariables in the order of their first use, with what is said of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    names: Vec<String>,
    /// By `?name:Sort`.
    said: BTreeMap<String, Stands>,
}

impl Names {
    /// Number of names so far.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// The name of an index.
    pub fn name(&self, index: usize) -> &str {
        &self.names[index]
    }

    /// The index of a name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|n| n == name)
    }

    /// The index of a name, new if need be.
    pub fn add(&mut self, name: &str) -> usize {
        self.find(name).unwrap_or_else(|| {
            self.names.push(name.to_string());
            self.names.len() - 1
        })
    }
}

/// Why a quote is no pattern.
#[derive(Clone, Debug)]
pub(crate) struct PatternError {
    /// Bytes of the quote's text.
    pub start: usize,
    pub end: usize,
    pub message: String,
}

/// Notes what the quote's `?name:Sort` say; a name said to be two things is an error.
pub(crate) fn collect(
    grammar: &Grammar,
    text: &str,
    names: &mut Names,
) -> Result<(), PatternError> {
    let mut at = 0;
    while let Some(offset) = text[at..].find('?') {
        let start = at + offset;
        at = start + 1;
        let Some(hole) = hole(grammar, text, start) else {
            continue;
        };
        at = hole.end;
        let Some(stands) = hole.stands else { continue };
        let before = names.said.insert(hole.name.to_string(), stands);
        if before.is_some_and(|before| before != stands) {
            return Err(PatternError {
                start,
                end: hole.end,
                message: format!("`?{}` is said to be two different things", hole.name),
            });
        }
    }
    Ok(())
}

/// `?name` or `?name:Sort` in a text.
struct Hole<'a> {
    name: &'a str,
    stands: Option<Stands>,
    end: usize,
}

fn hole<'a>(grammar: &Grammar, text: &'a str, start: usize) -> Option<Hole<'a>> {
    let rest = text.get(start..)?.strip_prefix('?')?;
    let name = word(rest)?;
    let mut end = start + 1 + name.len();
    // A colon belongs to the metavariable only before a sort's or token's name, so that
    // `?key:?value` stays what it is.
    let said = rest[name.len()..].strip_prefix(':').and_then(word);
    let stands = said.and_then(|said| {
        let sort = grammar.sorts.iter().position(|s| s.name == said);
        let token = grammar.tokens.iter().position(|t| t.name == said);
        let stands = sort
            .map(|i| Stands::Sort(super::ids::SortId::from_index(i)))
            .or(token.map(|i| Stands::Token(TokenId::from_index(i))))?;
        end += 1 + said.len();
        Some(stands)
    });
    Some(Hole { name, stands, end })
}

/// The name a text begins with.
fn word(text: &str) -> Option<&str> {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        .then(|| {
            let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            &text[..end.unwrap_or(text.len())]
        })
}

/// Splits a quote into words.
fn words(
    grammar: &Grammar,
    syntax: &Syntax,
    text: &str,
    names: &mut Names,
) -> Result<Vec<Word>, PatternError> {
    let mut words = Vec::new();
    let mut budget = Budget::of(text);
    let mut at = 0;
    loop {
        while text.as_bytes().get(at).is_some_and(|b| is_space(*b)) {
            at += 1;
        }
        if let Some(hole) = hole(grammar, text, at) {
            let index = names.add(hole.name);
            let stands = names.said.get(hole.name).copied();
            words.push(Word::Hole(index as u32, stands));
            at = hole.end;
        } else {
            match syntax.lexer.next(text, at, &mut budget) {
                Ok(None) => return Ok(words),
                Ok(Some(lexeme)) => {
                    words.push(Word::Lexeme {
                        terms: lexeme.terms.to_vec(),
                        start: lexeme.start as u32,
                        end: lexeme.end as u32,
                    });
                    at = lexeme.end;
                }
                Err(LexError::Unknown(start) | LexError::TooCostly(start)) => {
                    let found = text[start..].chars().next().unwrap_or(' ');
                    return Err(PatternError {
                        start,
                        end: start + found.len_utf8(),
                        message: format!(
                            "no word of the language begins with `{}`",
                            found.escape_debug()
                        ),
                    });
                }
            }
        }
        if words.len() > MAX_WORDS {
            return Err(PatternError {
                start: at,
                end: at,
                message: format!("a pattern has {MAX_WORDS} words at most"),
            });
        }
    }
}

/// Reads a quote as a pattern of `nt`. Metavariables not in `names` yet are added.
pub(crate) fn read(
    grammar: &Grammar,
    syntax: &Syntax,
    nt: NtId,
    text: &str,
    names: &mut Names,
) -> Result<Pattern, PatternError> {
    let words = words(grammar, syntax, text, names)?;
    let own = match grammar.nonterminal(nt).kind {
        NonterminalKind::Sort { sort, .. } => Some(Stands::Sort(sort)),
        NonterminalKind::Token(token) => Some(Stands::Token(token)),
        _ => None,
    };
    if let [Word::Hole(index, only)] = words.as_slice()
        && (only.is_none() || *only == own)
    {
        return Ok(Pattern {
            nodes: vec![PatternNode::Meta(*index as u16, nt)],
            texts: Vec::new(),
        });
    }
    let Some(Symbol::N(goal)) = syntax.bnf.symbol[nt.index()] else {
        return Err(whole(text, "a pattern is a program of a sort"));
    };
    read_words(grammar, syntax, nt, goal, &words, text)
}

fn read_words(
    grammar: &Grammar,
    syntax: &Syntax,
    nt: NtId,
    goal: Nt,
    words: &[Word],
    text: &str,
) -> Result<Pattern, PatternError> {
    let Ok(chart) = Chart::new(grammar, &syntax.bnf, goal, words, 1) else {
        return Err(whole(text, "the pattern has too many readings to look at"));
    };
    let Some(steps) = chart.steps(0) else {
        let (start, end) = match words.get(chart.reached()) {
            Some(Word::Lexeme { start, end, .. }) => (*start as usize, *end as usize),
            // A metavariable's place is not kept; the quote says enough.
            Some(Word::Hole(..)) => (0, text.len()),
            None => (text.len(), text.len()),
        };
        let expected = chart.expected();
        let expected = match expected.as_slice() {
            [] => "the end of the pattern".to_string(),
            names => names[..names.len().min(8)].join(", "),
        };
        let found = text.get(start..end).filter(|t| !t.is_empty());
        let found = found.map_or("the end of the pattern".to_string(), |t| format!("`{t}`"));
        return Err(PatternError {
            start,
            end,
            message: format!("expected {expected}, found {found}"),
        });
    };
    let mut nodes = Nodes {
        grammar,
        nodes: Vec::new(),
        texts: Vec::new(),
        mistake: None,
    };
    let read = assemble(
        grammar,
        &syntax.bnf,
        &syntax.forms,
        nt,
        &steps,
        text,
        &mut Vec::new(),
        &mut nodes,
    );
    if let Some((token, start, end)) = nodes.mistake {
        let (start, end) = (start as usize, end as usize);
        let found = text.get(start..end).unwrap_or("");
        return Err(PatternError {
            start,
            end,
            message: format!("`{found}` is not a value of {}", grammar.token(token).name),
        });
    }
    if !read {
        return Err(whole(text, "the pattern cannot be read"));
    }
    nodes.nodes.reverse();
    nodes.texts.reverse();
    let mut rank = 0;
    for node in &mut nodes.nodes {
        if let PatternNode::Node(production, value) = node
            && grammar.is_text(*production)
        {
            *value = rank;
            rank += 1;
        }
    }
    Ok(Pattern {
        nodes: nodes.nodes,
        texts: nodes.texts,
    })
}

fn whole(text: &str, message: &str) -> PatternError {
    PatternError {
        start: 0,
        end: text.len(),
        message: message.to_string(),
    }
}

/// Collects nodes in reverse.
struct Nodes<'a> {
    grammar: &'a Grammar,
    nodes: Vec<PatternNode>,
    texts: Vec<Box<str>>,
    mistake: Option<(TokenId, u32, u32)>,
}

impl Emit for Nodes<'_> {
    fn node(&mut self, production: ProdId, value: u32) {
        self.nodes.push(PatternNode::Node(production, value));
    }

    fn text(&mut self, production: ProdId, text: &str) {
        debug_assert!(self.grammar.is_text(production));
        self.node(production, 0);
        self.texts.push(text.into());
    }

    fn hole(&mut self, index: u32, nt: NtId) {
        self.nodes.push(PatternNode::Meta(index as u16, nt));
    }

    fn mistake(&mut self, token: TokenId, start: u32, end: u32) {
        self.mistake = Some((token, start, end));
    }
}

/// The place of bytes of a quote's text in its file.
pub(crate) fn place(quote: &Quote, start: usize, end: usize) -> Span {
    let span = quote.span;
    // Between backticks, unless something was escaped: then the whole quote.
    if span.end.saturating_sub(span.start) as usize == quote.text.len() + 2 {
        let base = span.start as usize + 1;
        Span::new(span.file, base + start, base + end)
    } else {
        span
    }
}
