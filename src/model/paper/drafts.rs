//! Edits and programs as the transformer writes them, token by token.
//!
//! In: sequences that were read up to `EDIT`, each with its pictures' embedding and its walk. Out: what is written
//! behind each, with its probability. Afterwards a probability is the product of those of the tokens, each among
//! what is legal there.
//!
//! What stands in front is read once, all of it together, and its keys and values are kept. Then all drafts of all
//! sequences are written at the same time, a token a round; what has one way to go on goes on without a choice.

use candle_core::Tensor;
use indexmap::IndexMap;

use crate::model::choose::{Choice, Next, nexts};
use crate::model::decode::{DecodeError, Ranked};
use crate::model::decoder::{Cache, Decoder as Transformer};
use crate::model::ops::{Sight, embed};
use crate::model::tokens::mask::Walk;
use crate::model::tokens::{END, PAD};

/// What is read before anything is written.
pub(super) struct Root<'w> {
    /// Its walk, behind `EDIT`.
    pub(super) walk: Walk<'w>,
    /// Its tokens, the last of which is `EDIT`.
    pub(super) tokens: Vec<u32>,
    /// Which of the embeddings it belongs to.
    pub(super) image: u32,
}

/// An edit on its way.
#[derive(Clone)]
struct Draft<'w> {
    /// The natural logarithm of its probability so far.
    log: f64,
    walk: Walk<'w>,
    /// The rows of its tokens in the cache.
    rows: Vec<u32>,
    /// Tokens that the transformer has not read.
    unread: Vec<u32>,
    done: bool,
}

/// Behind each root up to `k` edits.
pub(super) fn write(
    transformer: &Transformer,
    images: &Tensor,
    roots: &[Root<'_>],
    k: usize,
    choice: &mut Choice<'_>,
) -> Result<Vec<Ranked>, DecodeError> {
    let length = roots.iter().map(|root| root.tokens.len()).max();
    let length = length.unwrap_or(0);
    if length == 0 || k == 0 {
        return Ok(roots.iter().map(|_| Vec::new()).collect());
    }
    let mut tokens = Vec::with_capacity(roots.len() * length);
    for root in roots {
        tokens.extend(&root.tokens);
        tokens.resize(tokens.len() + length - root.tokens.len(), PAD);
    }
    let own: Vec<u32> = roots.iter().map(|root| root.image).collect();
    let (hidden, mut cache) = transformer.read(&embed(images, own)?, &tokens, length)?;
    let last = roots.iter().enumerate();
    let last = last.map(|(number, root)| (number * length + root.tokens.len() - 1) as u32);
    let scores = transformer.scores(&hidden, last.collect())?;
    let mut drafts = Vec::new();
    for (root, row) in roots.iter().zip(rows(&scores)?) {
        let first = Draft {
            log: 0.0,
            walk: root.walk.clone(),
            rows: Vec::new(),
            unread: Vec::new(),
            done: false,
        };
        let chosen = choice.out_of(nexts(0, first.walk.legal(), &row, 0.0), k);
        let chosen = chosen
            .into_iter()
            .map(|(_, token, log)| first.with(token, log));
        drafts.push(chosen.flatten().collect::<Vec<_>>());
    }
    while drafts.iter().flatten().any(|draft| !draft.done) {
        let (scores, of) = read(transformer, &mut cache, roots, &mut drafts)?;
        let mut of = of.into_iter();
        for own in &mut drafts {
            let behind = own.iter().enumerate().map(|(number, draft)| {
                if draft.done {
                    return Vec::new();
                }
                let row = of.next().and_then(|at| scores.get(at));
                let row = row.map_or(&[][..], |row| row);
                nexts(number, draft.walk.legal(), row, draft.log)
            });
            let behind: Vec<Vec<Next>> = behind.collect();
            let stand: Vec<(f64, bool)> = own.iter().map(|d| (d.log, d.done)).collect();
            let chosen = choice.behind(&stand, behind, k).into_iter();
            let chosen = chosen.filter_map(|(number, token, log)| {
                let draft = own.get(number)?;
                match draft.done {
                    true => Some(draft.clone()),
                    false => draft.with(token, log),
                }
            });
            *own = chosen.collect();
        }
    }
    let finish = |own: Vec<Draft<'_>>| {
        let own = own.into_iter();
        let mut own: Ranked = own
            .filter_map(|d| Some((d.walk.finish()?, d.log)))
            .collect();
        choice.order(&mut own);
        own
    };
    Ok(drafts.into_iter().map(finish).collect())
}

/// The transformer reads what is new of all drafts that are not done; gives scores, and for each of these drafts which
/// of them are those behind it. Drafts of a state that say the same so far are read once.
fn read(
    transformer: &Transformer,
    cache: &mut Cache,
    roots: &[Root<'_>],
    drafts: &mut [Vec<Draft<'_>>],
) -> Result<(Vec<Vec<f32>>, Vec<usize>), DecodeError> {
    let (mut tokens, mut places, mut last) = (Vec::new(), Vec::new(), Vec::new());
    let mut row = cache.rows() as u32;
    // Whose scores are whose; which drafts are read, and how much of them was before.
    let (mut of, mut read) = (Vec::new(), Vec::new());
    for (number, (root, own)) in roots.iter().zip(&mut *drafts).enumerate() {
        // Rows belong to one beginning each: the last one says all before it.
        let mut known: IndexMap<(Option<u32>, Vec<u32>), (u32, usize)> = IndexMap::new();
        for (at, draft) in own.iter_mut().enumerate().filter(|(_, d)| !d.done) {
            let unread = std::mem::take(&mut draft.unread);
            let count = unread.len() as u32;
            let before = draft.rows.len();
            let entry = known.entry((draft.rows.last().copied(), unread));
            let (first, scores) = *entry.or_insert_with_key(|(_, unread)| {
                let first = row;
                row += count;
                tokens.extend(unread);
                let place = root.tokens.len() + before;
                places.extend(place..place + unread.len());
                last.push(tokens.len().saturating_sub(1) as u32);
                read.push((number, at, before));
                (first, last.len() - 1)
            });
            draft.rows.extend(first..first + count);
            of.push(scores);
        }
    }
    let mut sights = Vec::with_capacity(tokens.len());
    for (number, at, before) in read {
        let root = roots.get(number).map_or(0, |root| root.tokens.len());
        let first = cache.sequence(number, root);
        let draft = drafts.get(number).and_then(|own| own.get(at));
        let seen = draft.map_or(&[][..], |draft| &draft.rows);
        sights.extend((before..seen.len()).map(|at| Sight {
            first: first.clone(),
            others: seen.get(..=at).unwrap_or(&[]),
        }));
    }
    let hidden = transformer.go_on(cache, &tokens, &places, &sights)?;
    Ok((rows(&transformer.scores(&hidden, last)?)?, of))
}

fn rows(scores: &Tensor) -> Result<Vec<Vec<f32>>, DecodeError> {
    Ok(scores.to_vec2()?)
}

impl<'w> Draft<'w> {
    /// A token further, and on as long as there is one way.
    fn with(&self, token: u32, log: f64) -> Option<Draft<'w>> {
        let mut draft = self.clone();
        draft.log = log;
        draft.take(token)?;
        while !draft.done {
            match draft.walk.legal()[..] {
                [only] => draft.take(only)?,
                _ => break,
            }
        }
        Some(draft)
    }

    fn take(&mut self, token: u32) -> Option<()> {
        self.walk.push(token).ok()?;
        match token {
            END => self.done = true,
            _ => self.unread.push(token),
        }
        Some(())
    }
}
