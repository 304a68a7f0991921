//! What models read and write: programs and edits as numbers.
//!
//! In: a compiled language. Out: [`Vocabulary`]; sequences of tokens and what they say; with [`Walk`], which token
//! may come next. Afterwards encoding and decoding are inverse, and whatever a walk was led to is an edit that
//! can be applied.
//!
//! # Tokens
//!
//! Programs are their nodes in preorder (ENGINE.md). A node is one token: its production, or, for a token
//! of the language, its value. Two kinds of nodes take more: a value out of more than
//! [`RADIX`] is written digit by digit, the coarsest first, so that real numbers are bins with their
//! resolution; a text is its bytes and a token that ends it. Places of nodes are counted in nodes, whatever they take.
//!
//! An edit is `EDIT`, the place of a node, the nodes that stand there afterwards, `END`. A program on its own is
//! the same without a place.

pub mod batch;
pub mod mask;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use crate::compiled::Compiled;
use crate::compiled::fingerprint::Fingerprint;
use crate::grammar::ids::{ProdId, TokenId};
use crate::grammar::ir::ProductionKind;
use crate::grammar::syntax::TextSampler;
use crate::tree::{Edit, Layout, Node, Program};

pub use mask::{Illegal, Walk};

/// Values that have a token each; of more, digits do.
pub const RADIX: u32 = 256;

/// Fills up shorter sequences of a batch.
pub const PAD: u32 = 0;
/// An edit begins.
pub const EDIT: u32 = 1;
/// An edit ends.
pub const END: u32 = 2;
/// A text ends.
const TEXT_END: u32 = 3;
/// Bytes of texts follow, where a language has texts.
const BYTES: u32 = 4;

/// What a token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Pad,
    Edit,
    End,
    TextEnd,
    Byte(u8),
    /// A node that is whole with this, and its value.
    Node(ProdId, u32),
    /// A digit of a value, counted from the coarsest.
    Digit(ProdId, u32, u32),
    /// A text begins.
    Text(ProdId),
    /// The place of a node.
    Place(u32),
}

/// How the nodes of a production are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// One token, of so many from the first on.
    One { first: u32, count: u32 },
    /// Digits, each of [`RADIX`] but the first, which has `top`.
    Digits {
        first: u32,
        count: u32,
        places: u32,
        top: u32,
    },
    /// A token, bytes, the end.
    Text { first: u32, token: TokenId },
}

/// The tokens of a language.
#[derive(Clone, Debug)]
pub struct Vocabulary<'c> {
    compiled: &'c Compiled,
    layout: Layout,
    /// By production.
    spellings: Vec<Spelling>,
    /// The first token of every production, ascending.
    firsts: Vec<(u32, ProdId)>,
    /// The token of place 0.
    places: u32,
    /// Places that have a token.
    most: u32,
}

/// What a sequence of tokens does not say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// A token that stands for something else.
    #[error("token {0} cannot stand here")]
    Token(usize),
    /// Not all of a program, or more.
    #[error("these tokens are not one whole program")]
    Whole,
    /// More nodes than places have tokens.
    #[error("a program of {0} nodes: the model knows {1} places")]
    Long(usize, u32),
}

impl<'c> Vocabulary<'c> {
    /// The tokens of a language, with places for programs of so many nodes.
    pub fn new(compiled: &'c Compiled, places: u32) -> Vocabulary<'c> {
        let grammar = &compiled.grammar;
        let has_texts = grammar.production_ids().any(|id| grammar.is_text(id));
        let mut next = if has_texts { BYTES + 256 } else { TEXT_END };
        let (mut spellings, mut firsts) = (Vec::new(), Vec::new());
        for id in grammar.production_ids() {
            let first = next;
            let spelling = match grammar.production(id).kind {
                ProductionKind::Token(token) => match grammar.token(token).domain.count() {
                    None => Spelling::Text { first, token },
                    Some(count) => digits(first, count),
                },
                _ => Spelling::One { first, count: 1 },
            };
            next += spelling.width();
            firsts.push((first, id));
            spellings.push(spelling);
        }
        Vocabulary {
            compiled,
            layout: Layout::new(grammar),
            spellings,
            firsts,
            places: next,
            most: places,
        }
    }

    /// Number of tokens.
    pub fn len(&self) -> usize {
        (self.places + self.most) as usize
    }

    /// Number of tokens that are no places; they come first.
    pub fn words(&self) -> usize {
        self.places as usize
    }

    /// Never: there are always tokens.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The language.
    pub fn compiled(&self) -> &'c Compiled {
        self.compiled
    }

    /// Changes when a token is another one: a checkpoint's must be the one at hand.
    pub fn fingerprint(&self) -> String {
        let mut fingerprint = Fingerprint::new();
        for token in 0..self.len() as u32 {
            fingerprint.add(self.describe(token).as_bytes());
        }
        fingerprint.finish()
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(super) fn spelling(&self, production: ProdId) -> Spelling {
        self.spellings[production.index()]
    }

    pub(super) fn sampler(&self, token: TokenId) -> Option<&'c TextSampler> {
        self.compiled.syntax.sampler(token)
    }

    /// Whether a token is the place of a node.
    pub(super) fn is_place(&self, token: u32) -> bool {
        matches!(self.meaning(token), Some(Meaning::Place(_)))
    }

    /// The token of a place.
    pub(super) fn place(&self, place: u32) -> Option<u32> {
        (place < self.most).then(|| self.places + place)
    }

    /// The place that a token says.
    pub(super) fn place_of(&self, token: u32) -> Option<u32> {
        match self.meaning(token)? {
            Meaning::Place(place) => Some(place),
            _ => None,
        }
    }

    /// Whether a token is the last one of a node; and of which production, unless of a value or a text.
    pub(super) fn ends_node(&self, token: u32) -> Option<Option<ProdId>> {
        match self.meaning(token)? {
            Meaning::Node(id, _) => Some(Some(id)),
            Meaning::TextEnd => Some(None),
            Meaning::Digit(id, place, _) => match self.spelling(id) {
                Spelling::Digits { places, .. } if place + 1 == places => Some(None),
                _ => None,
            },
            _ => None,
        }
    }

    pub(super) fn meaning(&self, token: u32) -> Option<Meaning> {
        Some(match token {
            PAD => Meaning::Pad,
            EDIT => Meaning::Edit,
            END => Meaning::End,
            _ if token >= self.places => {
                let place = token - self.places;
                return (place < self.most).then_some(Meaning::Place(place));
            }
            _ => {
                let after = self.firsts.partition_point(|(first, _)| *first <= token);
                let Some((first, id)) = after.checked_sub(1).map(|at| self.firsts[at]) else {
                    return Some(match token {
                        TEXT_END => Meaning::TextEnd,
                        byte => Meaning::Byte((byte - BYTES) as u8),
                    });
                };
                let offset = token - first;
                match self.spelling(id) {
                    Spelling::One { .. } => Meaning::Node(id, offset),
                    Spelling::Text { .. } => Meaning::Text(id),
                    Spelling::Digits { top, .. } if offset < top => Meaning::Digit(id, 0, offset),
                    Spelling::Digits { top, .. } => {
                        let offset = offset - top;
                        Meaning::Digit(id, 1 + offset / RADIX, offset % RADIX)
                    }
                }
            }
        })
    }

    /// What a token says, for people.
    pub fn describe(&self, token: u32) -> String {
        let name = |id: ProdId| {
            let production = self.compiled.grammar.production(id);
            match production.is_hidden() {
                // Every list has its own.
                true => format!("{}#{}", production.name, id.0),
                false => production.name.clone(),
            }
        };
        match self.meaning(token) {
            None => "?".to_string(),
            Some(Meaning::Pad) => "pad".to_string(),
            Some(Meaning::Edit) => "edit".to_string(),
            Some(Meaning::End) => "end".to_string(),
            Some(Meaning::TextEnd) => "end of text".to_string(),
            Some(Meaning::Byte(byte)) => format!("byte {:?}", char::from(byte)),
            Some(Meaning::Node(id, value)) => format!("{} {value}", name(id)),
            Some(Meaning::Digit(id, place, digit)) => {
                format!("{} digit {place}: {digit}", name(id))
            }
            Some(Meaning::Text(id)) => format!("{} text", name(id)),
            Some(Meaning::Place(place)) => format!("at {place}"),
        }
    }

    /// Appends the tokens of a program.
    pub fn encode(&self, program: &Program, out: &mut Vec<u32>) {
        self.encode_nodes(program, program.nodes(), out);
    }

    pub(super) fn encode_nodes(&self, program: &Program, nodes: &[Node], out: &mut Vec<u32>) {
        for node in nodes {
            match self.spelling(node.production) {
                Spelling::One { first, .. } => out.push(first + node.value),
                Spelling::Digits {
                    first, places, top, ..
                } => {
                    for place in 0..places {
                        let digit = node.value / RADIX.pow(places - 1 - place);
                        out.push(match place {
                            0 => first + digit,
                            _ => first + top + (place - 1) * RADIX + digit % RADIX,
                        });
                    }
                }
                Spelling::Text { first, .. } => {
                    out.push(first);
                    let text = program.texts().get(node.value as usize);
                    let bytes = text.iter().flat_map(|text| text.bytes());
                    out.extend(bytes.map(|byte| BYTES + u32::from(byte)));
                    out.push(TEXT_END);
                }
            }
        }
    }

    /// The program that tokens say.
    ///
    /// # Errors
    ///
    /// When they do not say exactly one.
    pub fn decode(&self, tokens: &[u32]) -> Result<Program, Unreadable> {
        let mut reader = Reader::default();
        for (at, token) in tokens.iter().enumerate() {
            let meaning = self.meaning(*token).ok_or(Unreadable::Token(at))?;
            reader.read(self, meaning).ok_or(Unreadable::Token(at))?;
        }
        let program = reader.finish(self).ok_or(Unreadable::Whole)?;
        let valid = program.is_valid(&self.compiled.grammar);
        valid.then_some(program).ok_or(Unreadable::Whole)
    }

    /// A program and the edit of it that is to be learnt; gives where the edit's tokens begin.
    ///
    /// # Errors
    ///
    /// When the program has more nodes than places have tokens.
    pub fn encode_edit(
        &self,
        program: &Program,
        edit: &Edit,
        out: &mut Vec<u32>,
    ) -> Result<usize, Unreadable> {
        let place = u32::try_from(edit.position).ok();
        let Some(place) = place.and_then(|place| self.place(place)) else {
            return Err(Unreadable::Long(program.len(), self.most));
        };
        self.encode(program, out);
        let from = out.len();
        out.extend([EDIT, place]);
        self.encode(&edit.replacement, out);
        out.push(END);
        Ok(from)
    }
}

fn digits(first: u32, count: u32) -> Spelling {
    if count <= RADIX {
        return Spelling::One { first, count };
    }
    let (mut places, mut top) = (1, count);
    while top > RADIX {
        top = top.div_ceil(RADIX);
        places += 1;
    }
    Spelling::Digits {
        first,
        count,
        places,
        top,
    }
}

impl Spelling {
    /// Tokens of the vocabulary.
    fn width(self) -> u32 {
        match self {
            Spelling::One { count, .. } => count,
            Spelling::Digits { places, top, .. } => top + (places - 1) * RADIX,
            Spelling::Text { .. } => 1,
        }
    }
}

/// Nodes as their tokens come in.
#[derive(Clone, Debug, Default)]
pub(super) struct Reader {
    nodes: Vec<Node>,
    texts: Vec<Box<str>>,
    /// A value of which some digits are read: how many, and what they say.
    digits: Option<(ProdId, u32, u32)>,
    text: Option<(ProdId, Vec<u8>)>,
}

impl Reader {
    /// Takes a token; gives the node that is whole with it, if one is. `None`: it cannot stand here.
    pub(super) fn read(&mut self, v: &Vocabulary<'_>, token: Meaning) -> Option<Option<ProdId>> {
        match (token, self.digits, &mut self.text) {
            (Meaning::Byte(byte), None, Some((_, text))) => text.push(byte),
            (Meaning::TextEnd, None, Some(_)) => {
                let (id, text) = self.text.take()?;
                let text = String::from_utf8(text).ok()?;
                let rank = self.texts.len() as u32;
                self.texts.push(text.into_boxed_str());
                return Some(Some(self.node(id, rank)));
            }
            (Meaning::Node(id, value), None, None) => return Some(Some(self.node(id, value))),
            (Meaning::Text(id), None, None) => self.text = Some((id, Vec::new())),
            (Meaning::Digit(id, 0, digit), None, None) => self.digits = Some((id, 1, digit)),
            (Meaning::Digit(id, place, digit), Some((own, read, so_far)), None)
                if id == own && place == read =>
            {
                let value = so_far.checked_mul(RADIX)?.checked_add(digit)?;
                let Spelling::Digits { places, count, .. } = v.spelling(id) else {
                    return None;
                };
                if read + 1 < places {
                    self.digits = Some((id, read + 1, value));
                } else {
                    self.digits = None;
                    if value >= count {
                        return None;
                    }
                    return Some(Some(self.node(id, value)));
                }
            }
            _ => return None,
        }
        Some(None)
    }

    fn node(&mut self, production: ProdId, value: u32) -> ProdId {
        self.nodes.push(Node {
            production,
            value,
            len: 1,
            size: 0,
        });
        production
    }

    /// The program that has been read, whole.
    pub(super) fn finish(self, v: &Vocabulary<'_>) -> Option<Program> {
        let mut program = Program {
            nodes: self.nodes,
            texts: self.texts,
        };
        let whole = self.digits.is_none() && self.text.is_none();
        (whole && v.layout.annotate(&mut program)).then_some(program)
    }
}

/// Tokens as a line of text, for people.
pub fn show(vocabulary: &Vocabulary<'_>, tokens: &[u32]) -> String {
    let mut out = String::new();
    for (at, token) in tokens.iter().enumerate() {
        let gap = if at > 0 { ", " } else { "" };
        let _ = write!(out, "{gap}{}", vocabulary.describe(*token));
    }
    out
}
