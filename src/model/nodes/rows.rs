//! Programs and replacements as rows of a model: which rows of its tables each node and each token is the sum of.
//!
//! In: a vocabulary, programs, replacements. Out: [`Rows`], numbers of table rows. Afterwards a node's row says what it
//! is, what it is a child of and as which child, how deep it stands and in which place; a token's row what was
//! written before it, for which child of which production it is, and how many were written.

use crate::model::ops::Bags;
use crate::model::tokens::{EDIT, Vocabulary};
use crate::tree::Program;

/// Depths that are told apart; all below are one.
const DEPTHS: u32 = 16;

/// Where what is said of nodes and tokens stands in a model's tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Tokens that are no places.
    words: u32,
    /// Children of all productions, and the root.
    slots: u32,
    /// Most nodes of a program.
    nodes: u32,
    /// Most tokens of a replacement.
    tokens: u32,
}

impl Sizes {
    /// Rows of the table of nodes.
    pub fn node_rows(self) -> usize {
        (2 * self.words + self.slots + DEPTHS + self.nodes) as usize
    }

    /// Rows of the table of written tokens.
    pub fn token_rows(self) -> usize {
        (self.words + self.slots + self.tokens) as usize
    }

    /// Tokens that can be written.
    pub fn words(self) -> usize {
        self.words as usize
    }
}

/// Says which rows.
#[derive(Clone, Debug)]
pub struct Rows<'c> {
    /// The language's tokens.
    pub vocabulary: Vocabulary<'c>,
    sizes: Sizes,
    /// For each production the slot of its first child.
    slots: Vec<u32>,
}

impl<'c> Rows<'c> {
    /// For programs of at most so many nodes and replacements of at most so many tokens.
    pub fn new(vocabulary: Vocabulary<'c>, nodes: usize, tokens: usize) -> Rows<'c> {
        let grammar = &vocabulary.compiled().grammar;
        // Slot 0 is the root's.
        let mut next = 1;
        let mut slots = Vec::new();
        for id in grammar.production_ids() {
            slots.push(next);
            next += vocabulary.layout().children(id).len() as u32;
        }
        Rows {
            sizes: Sizes {
                words: vocabulary.words() as u32,
                slots: next,
                nodes: nodes as u32,
                tokens: tokens as u32,
            },
            vocabulary,
            slots,
        }
    }

    /// How large tables must be.
    pub fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// Appends a bag for each node; gives the slots of all nodes.
    pub fn nodes(&self, program: &Program, bags: &mut Bags) -> Vec<u32> {
        let Sizes {
            words,
            slots: count,
            nodes: most,
            ..
        } = self.sizes;
        let mut slots = Vec::with_capacity(program.len());
        // Where open subtrees end, the first token of their roots, the slot of their next child.
        let mut open: Vec<(usize, u32, u32)> = Vec::new();
        let mut own = Vec::new();
        for (at, node) in program.nodes().iter().enumerate() {
            while open.last().is_some_and(|(end, ..)| *end <= at) {
                open.pop();
            }
            let depth = (open.len() as u32).min(DEPTHS - 1);
            own.clear();
            self.vocabulary
                .encode_nodes(program, std::slice::from_ref(node), &mut own);
            // Texts are as long as they like; what they weigh is bounded.
            let weight = (4.0 / own.len().max(1) as f32).min(1.0);
            for token in &own {
                bags.rows.push(*token);
                bags.weights.push(weight);
            }
            let slot = match open.last_mut() {
                Some((_, above, slot)) => {
                    bags.rows.push(words + *above);
                    bags.weights.push(1.0);
                    *slot += 1;
                    *slot - 1
                }
                None => 0,
            };
            let place = (at as u32).min(most - 1);
            for row in [slot, count + depth, count + DEPTHS + place] {
                bags.rows.push(2 * words + row);
                bags.weights.push(1.0);
            }
            bags.ends.push(bags.rows.len() as u32);
            slots.push(slot);
            let first = own.first().copied().unwrap_or(0);
            let children = self.slots.get(node.production.index()).copied();
            open.push((at + node.len as usize, first, children.unwrap_or(0)));
        }
        slots
    }

    /// What is written in a slot, from nothing on.
    pub fn pen(&self, slot: u32) -> Pen {
        Pen {
            due: vec![slot],
            last: EDIT,
            count: 0,
        }
    }

    /// Appends the bag of the next token.
    pub fn token(&self, pen: &Pen, bags: &mut Bags) {
        let Sizes {
            words,
            slots,
            tokens,
            ..
        } = self.sizes;
        let slot = pen.due.last().copied().unwrap_or(0);
        let count = pen.count.min(tokens - 1);
        bags.rows
            .extend([pen.last, words + slot, words + slots + count]);
        bags.weights.extend([1.0; 3]);
        bags.ends.push(bags.rows.len() as u32);
    }

    /// Goes on behind a token that was written.
    pub fn write(&self, pen: &mut Pen, token: u32) {
        pen.last = token;
        pen.count += 1;
        let Some(production) = self.vocabulary.ends_node(token) else {
            return;
        };
        pen.due.pop();
        // Tokens of the language have no children.
        let Some(production) = production else {
            return;
        };
        let children = self.vocabulary.layout().children(production).len() as u32;
        let first = self.slots.get(production.index()).copied().unwrap_or(0);
        pen.due.extend((first..first + children).rev());
    }
}

/// Where writing is.
#[derive(Clone, Debug)]
pub struct Pen {
    /// Slots that are still to be filled, the next one last.
    due: Vec<u32>,
    last: u32,
    count: u32,
}
