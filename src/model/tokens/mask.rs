//! Which token may come next.
//!
//! In: a program or none, a bound on the replacement's size, a bound on tokens. Out: [`Walk`], one token at a
//! time. Afterwards there is a legal token until the walk is done; it is done after `END`, within its tokens;
//! what it was led to is of its place's nonterminal, within the size, and differs from what stood there.
//!
//! The stack holds the nonterminals that are expected. Beside each stands the least number of tokens that ends
//! everything below it, by what is left of the size: so a production is legal exactly if some way from it
//! ends in time. A replacement that has followed the old subtree so far is kept from following it through: at the
//! last token that had another choice, the old one is not legal.

use crate::grammar::ids::{NtId, ProdId};
use crate::grammar::ir::SizeMetric;
use crate::tree::{Edit, Program};

use super::{BYTES, EDIT, END, Meaning, RADIX, Reader, Spelling, TEXT_END, Vocabulary};

/// No way ends.
const NEVER: u32 = u32::MAX;

/// What may be chosen within a size: the least tokens of everything.
#[derive(Clone, Debug)]
pub struct Bounds {
    small: u32,
    metric: SizeMetric,
    /// By production and size, the least tokens of a subtree of at most this size.
    productions: Vec<Vec<u32>>,
    nonterminals: Vec<Vec<u32>>,
}

impl Bounds {
    /// For replacements of a size up to `small`.
    pub fn new(v: &Vocabulary<'_>, small: u32) -> Bounds {
        let grammar = &v.compiled().grammar;
        let metric = grammar.size;
        let sizes = small as usize + 1;
        let mut out = Bounds {
            small,
            metric,
            productions: vec![vec![NEVER; sizes]; grammar.productions.len()],
            nonterminals: vec![vec![NEVER; sizes]; grammar.nonterminals.len()],
        };
        loop {
            let mut changed = false;
            for id in grammar.production_ids() {
                let row = out.production(v, id);
                changed |= row != out.productions[id.index()];
                out.productions[id.index()] = row;
            }
            for nt in grammar.nonterminal_ids() {
                let own = &grammar.nonterminal(nt).productions;
                for size in 0..sizes {
                    let rows = own.iter().map(|id| out.productions[id.index()][size]);
                    out.nonterminals[nt.index()][size] = rows.min().unwrap_or(NEVER);
                }
            }
            if !changed {
                return out;
            }
        }
    }

    fn production(&self, v: &Vocabulary<'_>, id: ProdId) -> Vec<u32> {
        let own = match v.spelling(id) {
            Spelling::One { .. } => 1,
            Spelling::Digits { places, .. } => places,
            Spelling::Text { token, .. } => {
                let least = v.sampler(token).and_then(|sampler| sampler.least(0, 0));
                least.map_or(NEVER, |bytes| bytes.saturating_add(2))
            }
        };
        let mut row = vec![0; self.small as usize + 1];
        for child in v.layout().children(id) {
            row = self.join(&row, &self.nonterminals[child.index()]);
        }
        let cost = v.layout().cost(id) as usize;
        (0..row.len())
            .map(|size| {
                size.checked_sub(cost)
                    .map_or(NEVER, |left| row[left].saturating_add(own))
            })
            .collect()
    }

    /// Two parts side by side: sizes add up, or for depths each has all of it.
    fn join(&self, a: &[u32], b: &[u32]) -> Vec<u32> {
        let whole = |size: usize| match self.metric {
            SizeMetric::Depth => a[size].saturating_add(b[size]),
            _ => {
                let ways = (0..=size).map(|own| a[own].saturating_add(b[size - own]));
                ways.min().unwrap_or(NEVER)
            }
        };
        (0..a.len()).map(whole).collect()
    }
}

/// A nonterminal that is expected.
#[derive(Clone, Debug)]
struct Due {
    nt: NtId,
    /// Most size it may have; with sums, the whole rest's, which only the topmost one's says.
    size: u32,
    /// Least tokens of what is below it on the stack: by what is left of the size with sums,
    /// one number for depths.
    below: Vec<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    Edit,
    Place,
    /// A node, the topmost of the stack; `END` when there is none.
    Node,
    Digits(ProdId, u32, u32),
    /// A text: its production, where in the automaton, how many bytes.
    Text(ProdId, u32, u32),
    Done,
}

/// Why a token was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("token {0} is not legal here")]
pub struct Illegal(pub u32);

/// An edit on its way.
#[derive(Clone, Debug)]
pub struct Walk<'w> {
    v: &'w Vocabulary<'w>,
    bounds: &'w Bounds,
    /// What is edited; none when a whole program is written.
    program: Option<&'w Program>,
    positions: Vec<NtId>,
    stage: Stage,
    /// Tokens that may still come.
    left: u32,
    stack: Vec<Due>,
    reader: Reader,
    position: usize,
    /// The tokens that stood at the place, while all so far were these; how many so far; the last of
    /// them that had another choice.
    old: Option<(Vec<u32>, usize, usize)>,
}

impl<'w> Walk<'w> {
    /// An edit of a program in at most so many tokens, `EDIT` and `END` among them.
    pub fn edit(
        v: &'w Vocabulary<'w>,
        bounds: &'w Bounds,
        program: &'w Program,
        tokens: usize,
    ) -> Walk<'w> {
        let positions = v.layout().positions(v.layout().start(), program);
        Walk::begin(v, bounds, Some(program), positions, tokens)
    }

    /// A whole program in at most so many tokens, `EDIT` and `END` among them.
    pub fn program(v: &'w Vocabulary<'w>, bounds: &'w Bounds, tokens: usize) -> Walk<'w> {
        Walk::begin(v, bounds, None, Vec::new(), tokens)
    }

    fn begin(
        v: &'w Vocabulary<'w>,
        bounds: &'w Bounds,
        program: Option<&'w Program>,
        positions: Vec<NtId>,
        tokens: usize,
    ) -> Walk<'w> {
        Walk {
            v,
            bounds,
            program,
            positions,
            stage: Stage::Edit,
            left: u32::try_from(tokens).unwrap_or(NEVER - 1),
            stack: Vec::new(),
            reader: Reader::default(),
            position: 0,
            old: None,
        }
    }

    /// Whether `END` has come.
    pub fn is_done(&self) -> bool {
        self.stage == Stage::Done
    }

    /// The edit, once it is done; of a whole program one at place 0.
    pub fn finish(self) -> Option<Edit> {
        if !self.is_done() {
            return None;
        }
        Some(Edit {
            position: self.position,
            replacement: self.reader.finish(self.v)?,
        })
    }

    /// Every legal token, ascending. None when there is no edit at all, or when it is done.
    pub fn legal(&self) -> Vec<u32> {
        let mut out = Vec::new();
        match self.stage {
            Stage::Edit if self.can_begin() => out.push(EDIT),
            Stage::Edit | Stage::Done => {}
            Stage::Place => {
                let places = 0..self.positions.len() as u32;
                let open = places.filter(|place| self.offers(*place as usize));
                out.extend(open.map_while(|place| self.v.place(place)));
            }
            _ => {
                self.open(&mut out);
                if let Some((old, at, last)) = &self.old
                    && at == last
                {
                    out.retain(|token| *token != old[*at]);
                }
            }
        }
        out
    }

    /// [`Walk::legal`] as a row of truths, one for each token of the vocabulary.
    pub fn legal_row(&self, out: &mut [bool]) {
        out.fill(false);
        for token in self.legal() {
            if let Some(open) = out.get_mut(token as usize) {
                *open = true;
            }
        }
    }

    /// Takes a token.
    ///
    /// # Errors
    ///
    /// When it is not legal; then nothing has changed.
    pub fn push(&mut self, token: u32) -> Result<(), Illegal> {
        if self.legal().binary_search(&token).is_err() {
            return Err(Illegal(token));
        }
        self.take(token).ok_or(Illegal(token))
    }

    fn can_begin(&self) -> bool {
        match self.program {
            Some(_) => (0..self.positions.len()).any(|place| self.offers(place)),
            None => self.root(self.v.layout().start(), self.left, 2).is_some(),
        }
    }

    /// A walk that stands before the first node of a replacement, when it can end within its tokens, of
    /// which `used` go to what is around it.
    fn root(&self, nt: NtId, left: u32, used: u32) -> Option<Walk<'w>> {
        let size = self.bounds.small;
        let least = self.bounds.nonterminals[nt.index()][size as usize];
        if least.saturating_add(used) > left {
            return None;
        }
        let width = match self.bounds.metric {
            SizeMetric::Depth => 1,
            _ => size as usize + 1,
        };
        let below = vec![0; width];
        let mut walk = Walk::begin(self.v, self.bounds, None, Vec::new(), 0);
        // `END` is kept for the end.
        walk.left = left - used;
        walk.stack.push(Due { nt, size, below });
        walk.stage = Stage::Node;
        Some(walk)
    }

    /// Whether something else can stand at a place.
    fn offers(&self, place: usize) -> bool {
        let before = u32::from(self.stage == Stage::Edit);
        let Some(nt) = self.positions.get(place) else {
            return false;
        };
        if u32::try_from(place)
            .ok()
            .and_then(|place| self.v.place(place))
            .is_none()
        {
            return false;
        }
        let Some(mut walk) = self.root(*nt, self.left, before + 2) else {
            return false;
        };
        // The old subtree is followed until there is another choice.
        for token in self.old_tokens(place) {
            let legal = walk.legal();
            if legal.len() > 1 || legal.first() != Some(&token) {
                return !legal.is_empty();
            }
            if walk.take(token).is_none() {
                return false;
            }
        }
        false
    }

    fn old_tokens(&self, place: usize) -> Vec<u32> {
        let mut old = Vec::new();
        if let Some(program) = self.program {
            self.v
                .encode_nodes(program, program.subtree(place), &mut old);
        }
        old
    }

    /// Takes a legal token.
    fn take(&mut self, token: u32) -> Option<()> {
        let meaning = self.v.meaning(token)?;
        match (&self.stage, meaning) {
            (Stage::Edit, Meaning::Edit) => {
                self.left -= 1;
                match self.program {
                    Some(_) => self.stage = Stage::Place,
                    None => self.enter(self.v.layout().start(), 1)?,
                }
                return Some(());
            }
            (Stage::Place, Meaning::Place(place)) => {
                let place = place as usize;
                let nt = *self.positions.get(place)?;
                let old = self.old_tokens(place);
                self.position = place;
                self.enter(nt, 2)?;
                self.old = self.last_choice(&old).map(|last| (old, 0, last));
                return Some(());
            }
            (Stage::Node, Meaning::End) => {
                self.stage = Stage::Done;
                return Some(());
            }
            _ => {}
        }
        self.old = match self.old.take() {
            Some((old, at, last)) if old.get(at) == Some(&token) => Some((old, at + 1, last)),
            _ => None,
        };
        self.left = self.left.checked_sub(1)?;
        match meaning {
            Meaning::Digit(id, place, digit) => {
                let so_far = match self.stage {
                    Stage::Digits(_, _, so_far) => so_far,
                    _ => 0,
                };
                let value = so_far.checked_mul(RADIX)?.checked_add(digit)?;
                self.stage = Stage::Digits(id, place + 1, value);
            }
            Meaning::Text(id) => self.stage = Stage::Text(id, 0, 0),
            Meaning::Byte(byte) => {
                let Stage::Text(id, state, used) = self.stage else {
                    return None;
                };
                let Spelling::Text { token, .. } = self.v.spelling(id) else {
                    return None;
                };
                let to = self.v.sampler(token)?.step(state, byte)?;
                self.stage = Stage::Text(id, to, used + 1);
            }
            _ => {}
        }
        if let Some(id) = self.reader.read(self.v, meaning)? {
            self.stage = Stage::Node;
            self.expand(id)?;
        }
        Some(())
    }

    /// Stands before the first node of a replacement.
    fn enter(&mut self, nt: NtId, used: u32) -> Option<()> {
        let walk = self.root(nt, self.left, used)?;
        (self.left, self.stack, self.stage) = (walk.left, walk.stack, walk.stage);
        Some(())
    }

    /// The last of the old tokens at which there was another choice; `None` when they could not be
    /// followed through anyway.
    fn last_choice(&self, old: &[u32]) -> Option<usize> {
        let mut walk = self.clone();
        walk.old = None;
        let mut last = None;
        for (at, token) in old.iter().enumerate() {
            let legal = walk.legal();
            if legal.binary_search(token).is_err() {
                return None;
            }
            if legal.len() > 1 {
                last = Some(at);
            }
            walk.take(*token)?;
        }
        last
    }

    /// The topmost nonterminal has become a node of this production.
    fn expand(&mut self, id: ProdId) -> Option<()> {
        let due = self.stack.pop()?;
        let left = due.size.checked_sub(self.v.layout().cost(id))?;
        let mut below = due.below;
        for nt in self.v.layout().children(id).iter().rev() {
            let row = &self.bounds.nonterminals[nt.index()];
            let more = match self.bounds.metric {
                SizeMetric::Depth => vec![below[0].saturating_add(row[left as usize])],
                _ => self.bounds.join(&below, row),
            };
            self.stack.push(Due {
                nt: *nt,
                size: left,
                below: std::mem::replace(&mut below, more),
            });
        }
        // With sums, what is left is left for all.
        if self.bounds.metric != SizeMetric::Depth
            && let Some(top) = self.stack.last_mut()
        {
            top.size = left;
        }
        Some(())
    }

    /// The least tokens that end everything when the topmost becomes this production.
    fn least(&self, due: &Due, id: ProdId) -> u32 {
        let row = &self.bounds.productions[id.index()];
        let size = due.size as usize;
        match self.bounds.metric {
            SizeMetric::Depth => row[size].saturating_add(due.below[0]),
            _ => {
                let ways = (0..=size).map(|own| row[own].saturating_add(due.below[size - own]));
                ways.min().unwrap_or(NEVER)
            }
        }
    }

    /// The least tokens of all that is expected.
    fn rest(&self) -> u32 {
        // The topmost is the node at hand; what is below it is expected after it.
        let Some(due) = self.stack.last() else {
            return 0;
        };
        match self.bounds.metric {
            SizeMetric::Depth => due.below[0],
            // A token of the language costs what it costs at once.
            _ => due.below[due.size.saturating_sub(self.cost()) as usize],
        }
    }

    /// What the node at hand adds to the size.
    fn cost(&self) -> u32 {
        match self.stage {
            Stage::Digits(id, ..) | Stage::Text(id, ..) => self.v.layout().cost(id),
            _ => 0,
        }
    }

    /// The legal tokens of a replacement.
    fn open(&self, out: &mut Vec<u32>) {
        match self.stage {
            Stage::Node => {
                let Some(due) = self.stack.last() else {
                    out.push(END);
                    return;
                };
                let grammar = &self.v.compiled().grammar;
                for id in &grammar.nonterminal(due.nt).productions {
                    let least = self.least(due, *id);
                    // `NEVER` is more than there ever are.
                    if least > self.left || least == NEVER {
                        continue;
                    }
                    match self.v.spelling(*id) {
                        Spelling::One { first, count } => out.extend(first..first + count),
                        Spelling::Digits { first, top, .. } => out.extend(first..first + top),
                        Spelling::Text { first, .. } => out.push(first),
                    }
                }
                // By production they ascend already, but for levels of one sort.
                out.sort_unstable();
            }
            Stage::Digits(id, place, so_far) => {
                let Spelling::Digits {
                    first,
                    count,
                    places,
                    top,
                } = self.v.spelling(id)
                else {
                    return;
                };
                let below = u64::from(RADIX).pow(places - 1 - place);
                let fits = |digit: &u32| {
                    let value = u64::from(so_far) * u64::from(RADIX) + u64::from(*digit);
                    value * below < u64::from(count)
                };
                let block = first + top + (place - 1) * RADIX;
                out.extend((0..RADIX).filter(fits).map(|digit| block + digit));
            }
            Stage::Text(id, state, used) => {
                let Spelling::Text { token, .. } = self.v.spelling(id) else {
                    return;
                };
                let Some(sampler) = self.v.sampler(token) else {
                    return;
                };
                // The end of the text, and what comes after it.
                let after = self.rest().saturating_add(1);
                if sampler.least(state, used) == Some(0) {
                    out.push(TEXT_END);
                }
                for (to, bytes) in sampler.steps(state) {
                    let more = sampler.least(*to, used + 1);
                    let more = more.map_or(NEVER, |more| more.saturating_add(after + 1));
                    if more <= self.left {
                        out.extend(bytes.iter().map(|byte| BYTES + u32::from(*byte)));
                    }
                }
                out.sort_unstable();
            }
            Stage::Edit | Stage::Place | Stage::Done => {}
        }
    }
}
