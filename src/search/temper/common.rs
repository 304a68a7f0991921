//! What the replicas of a run share: what they have found, and what they go by.
//!
//! In: the [`News`] of replicas that have met, one after another. Out: whether the run goes on. Afterwards what is
//! shared is the same whichever thread each replica was on.

// Only asked whether something is there: order does not matter.
#[allow(clippy::disallowed_types)]
use std::collections::HashSet;

use rustc_hash::FxBuildHasher;

use super::replica::{Look, News};
use super::world::World;
use crate::search::StopReason;
use crate::search::rounds::Round;
use crate::search::runs::Track;
use crate::tree::Program;

/// Programs that are remembered to have been tested.
const MOST_TESTED: usize = 1 << 20;

/// By how much size is dearer once the goal is met.
const DEARER: f64 = 4.0;

/// A program that meets the goal was found, and a shorter one is looked for.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Shorten {
    size: u32,
    /// Its wrong pixels on bit planes.
    wrong: f64,
    /// Evaluations after which the search ends.
    until: u64,
}

/// What is shared.
pub(super) struct Common<'a> {
    world: &'a World<'a>,
    pub(super) track: Track<'a>,
    /// The price of a unit of size now.
    pub(super) price: f64,
    /// The least energy so far, on bit planes, and by how much that of programs may be greater that
    /// are looked at on the anti-aliased picture.
    pub(super) least: f64,
    pub(super) slack: f64,
    /// Wrong pixels and size of the program with the least energy.
    champion: (f64, u32),
    /// When it was found, in evaluations.
    improved: u64,
    /// When the front is wanted: the fewest wrong pixels of programs of each size or a smaller one.
    pub(super) leasts: Vec<f64>,
    /// Whether something was found that meets the goal, unless the front is wanted.
    pub(super) solved: bool,
    round: Round,
    /// Where the goal ends the search, and not rounds.
    shorten: Option<Shorten>,
    /// Programs that were looked at on the anti-aliased picture, by hash.
    #[allow(clippy::disallowed_types)]
    tested: HashSet<u64, FxBuildHasher>,
}

impl<'a> Common<'a> {
    pub(super) fn new(world: &'a World<'a>, track: Track<'a>) -> Common<'a> {
        Common {
            world,
            track,
            price: world.options.price,
            least: f64::INFINITY,
            slack: 1.0,
            champion: (f64::INFINITY, 0),
            improved: 0,
            leasts: Vec::new(),
            solved: false,
            round: Round::default(),
            shorten: None,
            #[allow(clippy::disallowed_types)]
            tested: HashSet::default(),
        }
    }

    /// Begins a round; what the last one knew is forgotten.
    pub(super) fn afresh(&mut self, round: u32) {
        let options = self.world.options;
        self.round = options.rounds.round(round, self.track.evaluations());
        self.price = match options.pareto {
            None => options.price,
            Some(cycle) => cycle.price(self.track.evaluations()),
        };
        (self.least, self.slack) = (f64::INFINITY, 1.0);
        self.champion = (f64::INFINITY, 0);
        self.improved = self.track.evaluations();
        self.leasts.clear();
        self.tested.clear();
    }

    /// Whether the round is over.
    pub(super) fn is_over(&self) -> bool {
        self.track.evaluations() >= self.round.end || self.is_stuck()
    }

    /// Whether there is little hope left. What is met, sketches and fronts have rules of their own.
    fn is_stuck(&self) -> bool {
        let options = self.world.options;
        // Where programs are assembled, what comes afterwards is for the last small changes.
        let took = match self.world.finder {
            Some(_) => 0,
            None => self.improved.saturating_sub(self.round.began),
        };
        !self.solved
            && options.pareto.is_none()
            && options.rounds.patience == 0
            && self.track.evaluations().saturating_sub(self.improved) > took.max(options.stall)
    }

    /// Whether all was done to make shorter what meets the goal.
    pub(super) fn is_settled(&self) -> bool {
        self.shorten
            .is_some_and(|shorten| self.track.evaluations() >= shorten.until)
    }

    pub(super) fn price(&self, program: &Program) -> f64 {
        self.price * f64::from(program.size())
    }

    /// The size of what meets the goal: from then on what is smaller is wanted.
    pub(super) fn known_size(&self) -> u32 {
        self.shorten.map_or(u32::MAX, |shorten| shorten.size)
    }

    /// Whether a program is as small as what meets the goal, and nearer to the target.
    pub(super) fn refines(&self, size: u32, wrong: f64) -> bool {
        let better = |known: Shorten| size == known.size && wrong < known.wrong;
        self.shorten.is_some_and(better)
    }

    /// Whether a program was looked at on the anti-aliased picture.
    pub(super) fn has_seen(&self, hash: u64) -> bool {
        self.tested.contains(&hash)
    }

    /// Lowers the price as the run goes on, and raises it when only size is left to be won.
    pub(super) fn reprice(&mut self) {
        let options = self.world.options;
        let spent = self.track.evaluations() - self.round.began;
        let halves = spent as f64 / options.halves.max(1) as f64;
        self.price = match (options.pareto, self.shorten) {
            (Some(cycle), _) => cycle.price(self.track.evaluations()),
            (None, Some(_)) => options.price * DEARER,
            (None, None) => options.price * libm::exp2(-halves).max(0.1),
        };
        self.least = self.champion.0 + self.price * f64::from(self.champion.1);
    }

    /// Hears what happened to the replicas, in their order.
    ///
    /// # Errors
    ///
    /// Why the run is to stop, when it is.
    pub(super) fn hear<'n>(
        &mut self,
        news: impl Iterator<Item = &'n mut News>,
    ) -> Result<(), StopReason> {
        let before = self.slack;
        let mut stop = None;
        for news in news {
            let began = self.track.evaluations();
            self.track.count(news.spent, news.steps);
            if let Some(champion) = news.champion
                && champion.energy < self.least
                && champion.size < self.known_size()
            {
                self.least = champion.energy;
                self.champion = (champion.wrong, champion.size);
                self.improved = began + champion.spent;
            }
            self.slack *= news.slack / before;
            self.merge_leasts(&news.leasts);
            let stopped = news.stop;
            for look in news.looks.drain(..) {
                self.take(look)?;
            }
            stop = stop.or(stopped);
        }
        self.slack = self.slack.max(1.0);
        stop.map_or(Ok(()), Err)
    }

    fn merge_leasts(&mut self, other: &[f64]) {
        let last = |leasts: &[f64]| leasts.last().copied().unwrap_or(f64::INFINITY);
        let (own_last, other_last) = (last(&self.leasts), last(other));
        let len = self.leasts.len().max(other.len());
        self.leasts.resize(len, own_last);
        let other = other.iter().copied().chain(std::iter::repeat(other_last));
        for (least, other) in self.leasts.iter_mut().zip(other) {
            *least = least.min(other);
        }
    }

    /// Takes a program that was looked at for the best, if it is.
    fn take(&mut self, look: Look) -> Result<(), StopReason> {
        if self.tested.len() >= MOST_TESTED {
            self.tested.clear();
        }
        self.tested.insert(look.hash);
        let (program, score, solved) = (&look.program, look.score, look.solved);
        let size = program.size();
        let energy = score + self.world.options.price * f64::from(size);
        // Another replica may have been faster; then there is at most something to refine.
        if size >= self.known_size() {
            if let Some(known) = &mut self.shorten
                && size == known.size
                && solved
                && self.track.offer(program, score, energy)
            {
                known.wrong = known.wrong.min(look.wrong);
            }
            return Ok(());
        }
        // Nothing that meets the goal gives way to what does not.
        if !solved && self.solved {
            return Ok(());
        }
        if self.world.options.pareto.is_some() {
            self.track.offer(program, score, energy);
            self.track.place(program, score, solved);
            return Ok(());
        }
        if !solved {
            self.track.offer(program, score, energy);
            return Ok(());
        }
        let (rounds, now) = (self.world.options.rounds, self.track.evaluations());
        if rounds.patience > 0 {
            let better = self.track.offer(program, score, energy);
            if !better && !self.solved {
                self.track.take(program, score, energy);
            }
            self.solved = true;
            self.track.meet();
            self.round = rounds.met(self.round, now).ok_or(StopReason::Solved)?;
            return Ok(());
        }
        self.track.take(program, score, energy);
        self.solved = true;
        self.track.meet();
        self.track.settle();
        let until = match self.shorten {
            Some(shorten) => shorten.until,
            None => now + now.max(self.world.options.shorten),
        };
        let wrong = look.wrong;
        self.shorten = Some(Shorten { size, wrong, until });
        // The best of those that are shorter.
        self.least = f64::INFINITY;
        self.champion = (f64::INFINITY, 0);
        self.slack = self.slack.max(self.world.options.cold);
        Ok(())
    }
}
