//! Where printing needs spaces.
//!
//! In: a [`Bnf`] with its [`Lexer`]. Out: [`Spacing`]. Afterwards every printed program is lexed
//! into the words it was printed from: no word, directly followed by what printing may put behind
//! it, is the beginning of a longer word.
//!
//! Printing puts one space between words, but none at a `~`, and none behind an opening or before
//! a closing bracket, comma or semicolon (by a literal's last or first character). Where leaving
//! it out by that last rule would be unsafe the space is kept; elsewhere an unsafe place is an
//! error.
//!
//! A word is unsafe when, from a state of the lexer in which it ends, reading on through the space
//! (if any), the next word, and whatever may follow that, comes to another state in which some word
//! ends: the longest match would not have stopped where printing meant. The search runs the lexer
//! twice at once, over the whole text and over the current word; which words may follow which is
//! taken from the grammar by pairs.

use std::collections::{BTreeMap, BTreeSet};

use super::bits::Bits;
use super::bnf::{Bnf, Rule, Symbol, Term, Terminal};
use super::lexer::{DEAD, Lexer, Paths, START, State};
use crate::diag::codes::{E0504, E0507};
use crate::diag::{Diagnostic, Sink};
use crate::grammar::ir::Grammar;

/// Most pairs of lexer states looked at.
const MAX_WORK: usize = 4_000_000;
/// Most unsafe places reported.
const MAX_REPORTS: usize = 8;

/// Where printing needs spaces.
#[derive(Clone, Debug)]
pub(crate) struct Spacing {
    opens: Vec<bool>,
    closes: Vec<bool>,
    /// Pairs with a bracket that need a space all the same.
    kept: BTreeSet<(Term, Term)>,
}

impl Spacing {
    /// Whether a space stands between two words, no `~` being there.
    #[inline]
    pub fn between(&self, a: Term, b: Term) -> bool {
        if self.opens[a.index()] || self.closes[b.index()] {
            !self.kept.is_empty() && self.kept.contains(&(a, b))
        } else {
            true
        }
    }

    fn default(grammar: &Grammar, bnf: &Bnf) -> Spacing {
        let literal = |test: fn(&str) -> bool| {
            bnf.terminals
                .iter()
                .map(|t| match t {
                    Terminal::Literal(id) => test(grammar.literal(*id)),
                    _ => false,
                })
                .collect()
        };
        Spacing {
            opens: literal(|text| text.ends_with(['(', '[', '{'])),
            closes: literal(|text| text.starts_with([')', ']', '}', ',', ';'])),
            kept: BTreeSet::new(),
        }
    }

    /// Decides all spaces, and reports places that no choice of them makes safe.
    pub fn build(
        grammar: &Grammar,
        bnf: &Bnf,
        lexer: &Lexer,
        ends: &[Bits],
        sink: &mut Sink,
    ) -> Option<Spacing> {
        let pairs = Pairs::new(bnf);
        let mut spacing = Spacing::default(grammar, bnf);
        let (paths, samples) = (lexer.paths(), lexer.samples());
        loop {
            let mut search = Search {
                lexer,
                paths: &paths,
                ends,
                gaps: Search::gaps(&pairs, &spacing),
                visits: Vec::new(),
                seen: BTreeSet::new(),
                found: BTreeMap::new(),
            };
            if !search.run(&samples) {
                sink.push(
                    Diagnostic::new(
                        E0507,
                        grammar.span,
                        "whether printed words stay apart is too much work to find out",
                        "in this language",
                    )
                    .help("use fewer token patterns that can run on over spaces and other words"),
                );
                return None;
            }
            let found = search.found;
            let before = spacing.kept.len();
            for (a, gap, b) in found.keys() {
                if *gap == Gap::Bracket {
                    spacing.kept.insert((*a, *b));
                }
            }
            if spacing.kept.len() > before {
                // A space more can make other places safe, or be unsafe itself: look again.
                continue;
            }
            if found.is_empty() {
                return Some(spacing);
            }
            report(grammar, bnf, &found, sink);
            return None;
        }
    }
}

/// What stands between two words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    /// Nothing, because of a `~`.
    Glue,
    /// Nothing, because of a bracket or comma.
    Bracket,
    Space,
}

/// Which terminals follow which in some program, by whether a `~` is between them.
struct Pairs {
    /// `after[glued][a]`
    after: [Vec<Bits>; 2],
}

impl Pairs {
    fn new(bnf: &Bnf) -> Pairs {
        let ends = WordEnds::new(bnf);
        let mut after = [0, 1].map(|_| vec![Bits::new(ends.terms); ends.terms]);
        for production in 0..bnf.productions.len() {
            ends.pairs(bnf, Rule(production as u32), |glued, a, following| {
                after[usize::from(glued)][a].union(following);
            });
        }
        Pairs { after }
    }
}

/// First and last terminals of nonterminals. Index 1 of a pair: with a `~` outside of them (before
/// the first, behind the last), 0: without.
struct WordEnds {
    terms: usize,
    first: Vec<[Bits; 2]>,
    last: Vec<[Bits; 2]>,
    /// Whether it may be empty, without and with a `~` in it.
    empty: Vec<[bool; 2]>,
}

impl WordEnds {
    fn new(bnf: &Bnf) -> WordEnds {
        let terms = bnf.terminals.len();
        let none = [Bits::new(terms), Bits::new(terms)];
        let mut ends = WordEnds {
            terms,
            first: vec![none.clone(); bnf.nonterminals.len()],
            last: vec![none; bnf.nonterminals.len()],
            empty: vec![[false; 2]; bnf.nonterminals.len()],
        };
        loop {
            let mut changed = false;
            for production in &bnf.productions {
                let lhs = production.lhs.index();
                let mut open = [true, false];
                for part in &production.rhs {
                    open = glue(open, part.glue);
                    let first = ends.sets(&ends.first, part.symbol);
                    changed |= add(&mut ends.first[lhs], open, &first);
                    open = ends.pass(open, part.symbol);
                }
                open = glue(open, production.glue_end);
                for (have, open) in ends.empty[lhs].iter_mut().zip(open) {
                    changed |= open && !std::mem::replace(have, true);
                }
                let mut open = glue([true, false], production.glue_end);
                for part in production.rhs.iter().rev() {
                    let last = ends.sets(&ends.last, part.symbol);
                    changed |= add(&mut ends.last[lhs], open, &last);
                    open = glue(ends.pass(open, part.symbol), part.glue);
                }
            }
            if !changed {
                return ends;
            }
        }
    }

    fn sets(&self, of: &[[Bits; 2]], symbol: Symbol) -> [Bits; 2] {
        match symbol {
            Symbol::N(nt) => of[nt.index()].clone(),
            Symbol::T(term) => {
                let mut one = Bits::new(self.terms);
                one.insert(term.index());
                [one, Bits::new(self.terms)]
            }
        }
    }

    /// What is still open behind a symbol that may be empty.
    fn pass(&self, open: [bool; 2], symbol: Symbol) -> [bool; 2] {
        match symbol {
            Symbol::T(_) => [false; 2],
            Symbol::N(nt) => {
                let empty = self.empty[nt.index()];
                [
                    open[0] && empty[0],
                    open[1] && (empty[0] || empty[1]) || open[0] && empty[1],
                ]
            }
        }
    }

    /// Calls back with every terminal that a right side puts before others, and those.
    fn pairs(&self, bnf: &Bnf, rule: Rule, mut found: impl FnMut(bool, usize, &Bits)) {
        let nothing = || [Bits::new(self.terms), Bits::new(self.terms)];
        let mut before = nothing();
        for part in &bnf.productions[rule.index()].rhs {
            if part.glue {
                let free = before[0].clone();
                before[1].union(&free);
                before[0].clear();
            }
            let first = self.sets(&self.first, part.symbol);
            let mut next = self.sets(&self.last, part.symbol);
            for (g, set) in before.iter().enumerate() {
                for (h, first) in first.iter().enumerate() {
                    if !first.is_empty() {
                        set.iter().for_each(|a| found(g | h == 1, a, first));
                    }
                }
                if let Symbol::N(nt) = part.symbol {
                    for h in 0..2 {
                        if self.empty[nt.index()][h] {
                            next[g | h].union(set);
                        }
                    }
                }
            }
            before = next;
        }
    }
}

fn glue(open: [bool; 2], glue: bool) -> [bool; 2] {
    if glue {
        [false, open[0] || open[1]]
    } else {
        open
    }
}

fn add(to: &mut [Bits; 2], open: [bool; 2], from: &[Bits; 2]) -> bool {
    let mut changed = false;
    for g in 0..2 {
        if open[g] {
            for h in 0..2 {
                changed |= to[g | h].union(&from[h]);
            }
        }
    }
    changed
}

/// The lexer over the whole text and over the current word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    whole: State,
    word: State,
    /// The word before the current one, and the gap between them.
    before: Term,
    gap: Gap,
    /// The first word, the gap behind it, and the word behind that once it is complete.
    origin: (Term, Gap, Option<Term>),
}

/// How a place was come to.
struct Visit {
    place: Place,
    /// The visit before, or the lexer state in which the first word ended.
    from: Result<usize, State>,
    /// Bytes since.
    text: Vec<u8>,
}

/// A text that is printed as several words and lexed otherwise.
struct Witness {
    /// Up to where the lexer would read the first word.
    read: String,
    /// As what.
    read_as: Term,
    /// The first word, as printed.
    meant: String,
    /// The whole.
    text: String,
}

struct Search<'a> {
    lexer: &'a Lexer,
    paths: &'a Paths,
    ends: &'a [Bits],
    /// Per terminal and gap: what follows.
    gaps: Vec<[Bits; 3]>,
    visits: Vec<Visit>,
    seen: BTreeSet<Place>,
    found: BTreeMap<(Term, Gap, Term), Witness>,
}

const GAPS: [Gap; 3] = [Gap::Glue, Gap::Bracket, Gap::Space];

impl Search<'_> {
    fn gaps(pairs: &Pairs, spacing: &Spacing) -> Vec<[Bits; 3]> {
        let terms = pairs.after[0].len();
        (0..terms)
            .map(|a| {
                let mut gaps = [
                    pairs.after[1][a].clone(),
                    Bits::new(terms),
                    Bits::new(terms),
                ];
                for b in pairs.after[0][a].iter() {
                    let space = spacing.between(Term(a as u16), Term(b as u16));
                    gaps[if space { 2 } else { 1 }].insert(b);
                }
                gaps
            })
            .collect()
    }

    /// Finds every unsafe place; false when it is too much work.
    fn run(&mut self, samples: &[u8]) -> bool {
        for state in 1..self.lexer.states() as State {
            for &term in self.lexer.accepts(state) {
                self.behind(state, Err(state), Vec::new(), term, None);
            }
        }
        let mut at = 0;
        while at < self.visits.len() {
            if at > MAX_WORK / samples.len().max(1) {
                return false;
            }
            let place = self.visits[at].place;
            let allowed = self.gaps[place.before.index()][place.gap as usize].clone();
            for &byte in samples {
                let whole = self.lexer.step(place.whole, byte);
                let word = self.lexer.step(place.word, byte);
                if whole == DEAD || word == DEAD {
                    continue;
                }
                let mut hope = allowed.clone();
                hope.intersect(&self.ends[word as usize]);
                if hope.is_empty() {
                    continue;
                }
                let next = Place {
                    whole,
                    word,
                    ..place
                };
                if let Some(&read_as) = self.lexer.accepts(whole).first() {
                    self.unsafe_place(at, vec![byte], next, &hope, read_as);
                    continue;
                }
                self.visit(next, Ok(at), vec![byte]);
                for &term in self.lexer.accepts(word) {
                    if allowed.has(term.index()) {
                        let (a, gap, b) = place.origin;
                        let origin = (a, gap, Some(b.unwrap_or(term)));
                        self.behind(whole, Ok(at), vec![byte], term, Some(origin));
                    }
                }
            }
            at += 1;
        }
        true
    }

    /// Goes on behind a complete word.
    fn behind(
        &mut self,
        whole: State,
        from: Result<usize, State>,
        text: Vec<u8>,
        word: Term,
        origin: Option<(Term, Gap, Option<Term>)>,
    ) {
        for gap in GAPS {
            let allowed = &self.gaps[word.index()][gap as usize];
            if allowed.is_empty() {
                continue;
            }
            let mut text = text.clone();
            let mut to = whole;
            if gap == Gap::Space {
                to = self.lexer.step(whole, b' ');
                text.push(b' ');
                if to == DEAD {
                    continue;
                }
            }
            let place = Place {
                whole: to,
                word: START,
                before: word,
                gap,
                origin: origin.unwrap_or((word, gap, None)),
            };
            match self.lexer.accepts(to).first() {
                Some(&read_as) if gap == Gap::Space => {
                    let hope = allowed.clone();
                    let id = self.visits.len();
                    self.visits.push(Visit { place, from, text });
                    self.unsafe_place(id, Vec::new(), place, &hope, read_as);
                }
                _ => self.visit(place, from, text),
            }
        }
    }

    fn visit(&mut self, place: Place, from: Result<usize, State>, text: Vec<u8>) {
        if self.seen.insert(place) {
            self.visits.push(Visit { place, from, text });
        }
    }

    fn unsafe_place(
        &mut self,
        from: usize,
        last: Vec<u8>,
        place: Place,
        hope: &Bits,
        read_as: Term,
    ) {
        let (a, gap, b) = place.origin;
        let candidates: Vec<Term> = match b {
            Some(b) => vec![b],
            None => hope.iter().map(|b| Term(b as u16)).collect(),
        };
        for b in candidates {
            if self.found.contains_key(&(a, gap, b)) {
                continue;
            }
            let mut pieces = vec![last.clone()];
            let mut at = from;
            let first = loop {
                let visit = &self.visits[at];
                pieces.push(visit.text.clone());
                match visit.from {
                    Ok(before) => at = before,
                    Err(state) => break state,
                }
            };
            let meant = self.paths.to(first);
            let mut text = meant.clone();
            text.extend(pieces.into_iter().rev().flatten());
            let read = text.clone();
            let word = hope
                .iter()
                .map(|t| Term(t as u16))
                .find(|t| place.origin.2.is_some() || *t == b);
            if let Some(rest) = word.and_then(|t| self.lexer.finish(place.word, t)) {
                text.extend(rest);
            }
            let string = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            self.found.insert(
                (a, gap, b),
                Witness {
                    read: string(&read),
                    read_as,
                    meant: string(&meant),
                    text: string(&text),
                },
            );
        }
    }
}

fn report(
    grammar: &Grammar,
    bnf: &Bnf,
    found: &BTreeMap<(Term, Gap, Term), Witness>,
    sink: &mut Sink,
) {
    let ends = WordEnds::new(bnf);
    for ((a, gap, b), witness) in found.iter().take(MAX_REPORTS) {
        let mut span = None;
        for rule in (0..bnf.productions.len()).map(|i| Rule(i as u32)) {
            ends.pairs(bnf, rule, |glued, before, following| {
                let here = glued == (*gap == Gap::Glue) && before == a.index();
                if here && following.has(b.index()) {
                    span.get_or_insert_with(|| bnf.span(grammar, rule));
                }
            });
        }
        let (first, second) = (bnf.term_name(grammar, *a), bnf.term_name(grammar, *b));
        let side = match gap {
            Gap::Space => "with a space between them",
            _ => "without a space between them",
        };
        let help = match gap {
            Gap::Glue => "leave the `~` out, so that a space is printed here",
            _ => "change the pattern of the longer word so that it cannot run on into the next",
        };
        sink.push(
            Diagnostic::new(
                E0504,
                span.unwrap_or(grammar.span),
                format!("{first} and {second} are printed {side} and would not be read back"),
                "printed side by side here",
            )
            .note(format!(
                "`{}` is printed for `{}` and what follows, but its longest first word is `{}`, \
                 read as {}",
                witness.text,
                witness.meant,
                witness.read,
                bnf.term_name(grammar, witness.read_as),
            ))
            .help(help),
        );
    }
}
