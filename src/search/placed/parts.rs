//! Parts that can be placed: what draws something and has nothing below it that does.
//!
//! In: a grammar, pieces of programs. Out: their sprites. Afterwards a sprite is kept until too many are.

// Only looked up by key, never walked through: order does not matter.
#[allow(clippy::disallowed_types)]
use std::collections::HashMap;
use std::rc::Rc;

use rand::RngExt;
use rustc_hash::FxBuildHasher;

use crate::Compiled;
use crate::grammar::expr::Type;
use crate::grammar::ids::ProdId;
use crate::grammar::ir::{CanvasMode, Domain, NonterminalKind, ProductionKind};
use crate::render::bits::{Bits, Sprite};
use crate::sample::Rng;
use crate::scene::piece::Pieces;
use crate::scene::{Bounds, Content, Layer, Region};
use crate::tree::{Node, Program};

/// A token of a part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) production: ProdId,
    /// Number of values.
    pub(super) count: u32,
    /// Whether neighbours are alike.
    pub(super) ordered: bool,
}

/// A production that draws, all of whose children are tokens.
#[derive(Clone, Debug)]
pub(super) struct Kind {
    pub(super) production: ProdId,
    pub(super) tokens: Vec<Token>,
}

/// What parts a language has.
#[derive(Clone, Debug)]
pub struct Kinds {
    pub(super) all: Vec<Kind>,
}

impl Kinds {
    /// Those of a language whose programs are drawings made of parts that have tokens only; `None`
    /// for others.
    pub fn new(compiled: &Compiled) -> Option<Kinds> {
        let grammar = &compiled.grammar;
        let canvas = grammar.canvas.as_ref()?;
        if !matches!(canvas.mode, CanvasMode::Rgb { .. }) || grammar.observe.is_some() {
            return None;
        }
        let mut all: Vec<Kind> = Vec::new();
        for nonterminal in &grammar.nonterminals {
            let NonterminalKind::Sort { sort, .. } = nonterminal.kind else {
                continue;
            };
            if grammar.sorts[sort.index()].draw != Some(Type::Drawing) {
                continue;
            }
            for id in &nonterminal.productions {
                let production = grammar.production(*id);
                let known = all.iter().any(|kind| kind.production == *id);
                if known || !matches!(production.kind, ProductionKind::Node(_)) {
                    continue;
                }
                let tokens = production.children.iter().map(|child| {
                    let id = *grammar.nonterminal(child.nt).productions.first()?;
                    let ProductionKind::Token(token) = grammar.production(id).kind else {
                        return None;
                    };
                    let domain = &grammar.token(token).domain;
                    Some(Token {
                        production: id,
                        count: domain.count()?,
                        ordered: !matches!(domain, Domain::Finite(_)),
                    })
                });
                if let Some(tokens) = tokens.collect::<Option<Vec<Token>>>() {
                    all.push(Kind {
                        production: *id,
                        tokens,
                    });
                }
            }
        }
        (!all.is_empty()).then_some(Kinds { all })
    }
}

/// A part: which kind it is, and the values of its tokens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Part {
    pub(super) kind: u32,
    pub(super) values: smallvec::SmallVec<[u32; 8]>,
}

impl Part {
    /// The same part with another value for a token.
    pub(in crate::search) fn with(&self, token: usize, value: u32) -> Part {
        let mut part = self.clone();
        if let Some(old) = part.values.get_mut(token) {
            *old = value;
        }
        part
    }
}

/// What is known of a part.
#[derive(Debug)]
pub struct Look {
    /// Its pixels about its origin.
    pub sprite: Sprite,
    /// The bounds that it is laid out by, about its origin.
    pub bounds: Bounds,
    /// What it draws about its origin.
    pub(super) regions: Vec<Region>,
    pub(super) layers: Vec<Layer>,
    /// Whether nothing at all is painted.
    hidden: bool,
}

impl Look {
    /// Whether it cannot be seen anywhere, though it takes room.
    pub fn is_hidden(&self) -> bool {
        self.hidden
    }
}

/// Bytes of sprites that are kept.
const KEPT: usize = 64 << 20;

/// Draws parts.
pub(in crate::search) struct Gallery<'a> {
    pub(super) kinds: &'a Kinds,
    pieces: Pieces<'a>,
    bits: Bits,
    #[allow(clippy::disallowed_types)]
    known: HashMap<Part, Rc<Look>, FxBuildHasher>,
    bytes: usize,
    program: Program,
}

impl<'a> Gallery<'a> {
    pub(in crate::search) fn new(
        compiled: &'a Compiled,
        kinds: &'a Kinds,
        bits: Bits,
    ) -> Gallery<'a> {
        Gallery {
            kinds,
            pieces: Pieces::new(&compiled.grammar),
            bits,
            #[allow(clippy::disallowed_types)]
            known: HashMap::default(),
            bytes: 0,
            program: Program::default(),
        }
    }

    /// What a part looks like; nothing when that cannot be told.
    pub(in crate::search) fn look(&mut self, part: &Part) -> Rc<Look> {
        if let Some(look) = self.known.get(part) {
            return Rc::clone(look);
        }
        self.kinds.write(part, &mut self.program);
        let look = match self.pieces.layers(&self.program) {
            Ok((scene, bounds)) => {
                let sprite = self.bits.sprite(scene).unwrap_or_default();
                let flat = bounds.width() == 0.0 || bounds.height() == 0.0;
                let layers = match &scene.content {
                    Content::Layers(layers) => layers.clone(),
                    Content::Ink(_) => Vec::new(),
                };
                Look {
                    hidden: layers.is_empty() || (flat && sprite.is_empty()),
                    regions: scene.regions.clone(),
                    layers,
                    sprite,
                    bounds,
                }
            }
            Err(_) => Look {
                sprite: Sprite::default(),
                bounds: Bounds::EMPTY,
                regions: Vec::new(),
                layers: Vec::new(),
                hidden: false,
            },
        };
        if self.bytes > KEPT {
            self.known.clear();
            self.bytes = 0;
        }
        self.bytes += look.sprite.bytes() + 512;
        let look = Rc::new(look);
        self.known.insert(part.clone(), Rc::clone(&look));
        look
    }
}

impl Kinds {
    pub(super) fn of(&self, part: &Part) -> &Kind {
        &self.all[part.kind as usize]
    }

    /// For each token of a part how many values it has.
    pub(in crate::search) fn counts(&self, part: &Part) -> Vec<u32> {
        self.of(part).tokens.iter().map(|t| t.count).collect()
    }

    /// Whether a production makes parts.
    pub(in crate::search) fn has(&self, production: ProdId) -> bool {
        self.all.iter().any(|kind| kind.production == production)
    }

    /// The production of a part.
    pub(in crate::search) fn production(&self, part: &Part) -> ProdId {
        self.of(part).production
    }

    /// A random part.
    pub(in crate::search) fn random(&self, rng: &mut Rng) -> Part {
        let kind = rng.random_range(0..self.all.len());
        let tokens = self.all[kind].tokens.iter();
        Part {
            kind: kind as u32,
            values: tokens.map(|t| rng.random_range(0..t.count)).collect(),
        }
    }

    /// Writes a part as a program of its own; sizes are left to whoever puts it somewhere.
    pub(in crate::search) fn write(&self, part: &Part, program: &mut Program) {
        let kind = self.of(part);
        program.texts.clear();
        program.nodes.clear();
        program.nodes.push(Node {
            production: kind.production,
            value: 0,
            len: kind.tokens.len() as u32 + 1,
            size: 0,
        });
        for (token, value) in kind.tokens.iter().zip(&part.values) {
            program.nodes.push(Node {
                production: token.production,
                value: *value,
                len: 1,
                size: 0,
            });
        }
    }
}
