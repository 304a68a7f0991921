//! Parallel tempering on drawn programs: the search that `tdc solve` does for pictures.
//!
//! In: a compiled picture language, a target, limits. Out: a [`Report`](crate::search::Report). Afterwards
//! the best program is there whatever stopped the search (see `runs`).
//!
//! A run holds some replicas at temperatures from cold to hot, each a program that is kept drawn as bit
//! planes. Its energy is the number of wrong pixels and a price per unit of size. A step either
//! looks for a better part for a hole (see `holes`), puts a new part in, or tries edits of other
//! kinds (see [`moves`](super::moves)), and goes on by Metropolis's rule or the heat bath. After some
//! steps the replicas meet: neighbours may change temperatures, and each hears what the others found. What
//! is best so far is tested against the language's goal on the anti-aliased picture.
//!
//! Between two meetings a replica depends on nothing but itself and what was shared at the last one. So
//! the threads of a run's team share the replicas out, and a run is the same for every number of them.

mod common;
mod options;
mod replica;
mod starts;
mod steps;
mod world;

pub(super) use options::LEAST_WEIGHT;
pub use options::Options;
pub(super) use world::World;

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard};

use rand::{RngExt, SeedableRng};

use common::Common;
use replica::{Hand, Replica};
use starts::Start;

use crate::render::bits::{Bits, Lean};
use crate::sample::Rng;
use crate::search::StopReason;
use crate::search::chance::metropolis;
use crate::search::moves::Moves;
use crate::search::runs::{Run, Track};
use crate::search::target::Judge;
use crate::search::team::together;
use crate::tree::Program;

/// Most threads that a run of so many replicas has a use for: each should have two at least, because some take
/// longer than others.
pub(super) fn most_threads(options: &Options) -> usize {
    (options.replicas / 2).max(1)
}

/// A run that is set up.
pub(super) struct Runner<'a> {
    world: &'a World<'a>,
    stage: Stage<'a>,
    rng: Rng,
    /// Where there is a finder: for what it finds.
    judge: Option<Judge<'a>>,
}

/// What the threads of a team work with.
struct Stage<'a> {
    /// One for each thread. Nobody ever waits for one: between turns the lead has them.
    hands: Vec<Mutex<Hand<'a>>>,
    /// Read in turns, changed between them.
    shared: RwLock<Shared<'a>>,
}

struct Shared<'a> {
    common: Common<'a>,
    turn: Turn,
}

/// What is done in a turn.
enum Turn {
    /// Replicas are begun, the first of them perhaps with this program.
    Begin(Option<Program>),
    /// Replicas take steps.
    GoOn,
}

impl<'a> Runner<'a> {
    /// A run by so many threads, or the track that it would have taken; `tools` makes what each of them works with.
    #[allow(clippy::result_large_err)] // the caller goes on with the track
    pub(super) fn new(
        world: &'a World<'a>,
        threads: usize,
        tools: impl Fn() -> Option<(Bits, Moves<'a>, Judge<'a>)>,
        track: Track<'a>,
    ) -> Result<Runner<'a>, Track<'a>> {
        let hand = |_| {
            let (bits, moves, judge) = tools()?;
            Some(Mutex::new(Hand::new(world, bits, moves, judge)))
        };
        let hands: Option<Vec<_>> = (0..threads.max(1)).map(hand).collect();
        let Some(hands) = hands else {
            return Err(track);
        };
        let finder = world.finder.as_ref();
        Ok(Runner {
            world,
            rng: Rng::seed_from_u64(track.seed(world.seed)),
            judge: finder.map(|finder| Judge::new(finder.compiled, finder.picture)),
            stage: Stage {
                hands,
                shared: RwLock::new(Shared {
                    common: Common::new(world, track),
                    turn: Turn::GoOn,
                }),
            },
        })
    }

    /// Runs until something stops it. `start` draws a program to start from.
    pub(super) fn run(self, start: Start<'_>) -> Run {
        let Runner {
            world,
            stage,
            rng,
            judge,
        } = self;
        let (stop, judged) = together(
            stage.hands.len(),
            &|member| stage.work(member, start),
            |turn| {
                let mut lead = Lead {
                    world,
                    stage: &stage,
                    turn,
                    rng,
                    judge,
                    ladder: Vec::new(),
                };
                let stop = lead.temper(start);
                (stop, lead.judge.map_or(0, |judge| judge.renders()))
            },
        );
        let renders = stage.hands().iter().map(|hand| hand.renders()).sum::<u64>();
        let shared = stage.shared.into_inner();
        let common = shared.unwrap_or_else(PoisonError::into_inner).common;
        let stop = match stop {
            Err(_) if common.solved => StopReason::Solved,
            Ok(stop) | Err(stop) => stop,
        };
        common.track.end(stop, judged + renders)
    }
}

impl<'a> Stage<'a> {
    /// Takes a member's part in a turn.
    fn work(&self, member: usize, start: Start<'_>) {
        let shared = self.shared.read().unwrap_or_else(PoisonError::into_inner);
        let Some(hand) = self.hands.get(member) else {
            return;
        };
        let mut hand = hand.lock().unwrap_or_else(PoisonError::into_inner);
        let common = &shared.common;
        match &shared.turn {
            Turn::Begin(given) => {
                let given = given.as_ref().filter(|_| member == 0);
                hand.begin(common, given, start);
            }
            Turn::GoOn => hand.go_on(common),
        }
    }

    fn shared(&self) -> RwLockWriteGuard<'_, Shared<'a>> {
        self.shared.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn hands(&self) -> Vec<MutexGuard<'_, Hand<'a>>> {
        let hands = self.hands.iter();
        hands
            .map(|hand| hand.lock().unwrap_or_else(PoisonError::into_inner))
            .collect()
    }
}

/// All replicas in the order of their numbers: hands have them by turns.
fn replicas<'h, 'a>(hands: &'h mut [MutexGuard<'_, Hand<'a>>]) -> Vec<&'h mut Replica<'a>> {
    let mut all: Vec<(usize, &mut Replica<'a>)> = Vec::new();
    let count = hands.len();
    for (member, hand) in hands.iter_mut().enumerate() {
        let own = hand.replicas.iter_mut().enumerate();
        all.extend(own.map(|(at, replica)| (at * count + member, replica)));
    }
    all.sort_unstable_by_key(|(number, _)| *number);
    all.into_iter().map(|(_, replica)| replica).collect()
}

/// Who says what is done next.
struct Lead<'r, 'a> {
    world: &'a World<'a>,
    stage: &'r Stage<'a>,
    /// Has a turn taken.
    turn: &'r dyn Fn(),
    rng: Rng,
    /// Where there is a finder: for what it finds.
    judge: Option<Judge<'a>>,
    /// The numbers of the replicas from cold to hot.
    ladder: Vec<usize>,
}

impl Lead<'_, '_> {
    fn temper(&mut self, start: Start<'_>) -> Result<StopReason, StopReason> {
        for round in 0.. {
            self.afresh(round);
            self.round(start)?;
            let solved = self.stage.shared().common.solved;
            if solved && round + 1 >= self.world.options.rounds.count {
                break;
            }
        }
        Ok(StopReason::Solved)
    }

    /// Begins a round; what the last one knew is forgotten.
    fn afresh(&mut self, round: u32) {
        self.stage.shared().common.afresh(round);
        for hand in &mut self.stage.hands() {
            hand.lean(match round % 2 {
                0 => Lean::Free,
                _ => Lean::Inked,
            });
        }
    }

    fn round(&mut self, start: Start<'_>) -> Result<(), StopReason> {
        let found = self.find(start)?;
        self.people()?;
        self.take(Turn::Begin(found))?;
        while !self.stage.shared().common.is_over() {
            self.take(Turn::GoOn)?;
            self.exchange();
            self.reprice();
            let shared = self.stage.shared();
            if shared.common.is_settled() {
                return Err(StopReason::Solved);
            }
            shared.common.track.tell();
        }
        Ok(())
    }

    /// Makes the replicas.
    fn people(&mut self) -> Result<(), StopReason> {
        let options = self.world.options;
        let count = options.replicas.max(1);
        let ratio = (options.hot / options.cold).max(1.0);
        let mut hands = self.stage.hands();
        let members = hands.len();
        hands.iter_mut().for_each(|hand| hand.replicas.clear());
        for number in 0..count {
            let part = number as f64 / (count.max(2) - 1) as f64;
            let temperature = options.cold * libm::pow(ratio, part);
            let rng = Rng::seed_from_u64(self.rng.random());
            let replica = Replica::new(self.world, temperature, rng);
            let replica = replica.ok_or(StopReason::Exhausted)?;
            hands[number % members].replicas.push(replica);
        }
        self.ladder = (0..count).collect();
        Ok(())
    }

    /// Has a turn taken, and hears what came of it.
    fn take(&mut self, turn: Turn) -> Result<(), StopReason> {
        let mut shared = self.stage.shared();
        shared.turn = turn;
        let left = shared.common.track.left();
        drop(shared);
        // What is left is shared out to the last evaluation.
        let share = self.ladder.len().max(1) as u64;
        for (number, replica) in (0..).zip(replicas(&mut self.stage.hands())) {
            replica.news.allowance = left / share + u64::from(number < left % share);
        }
        (self.turn)();
        let mut hands = self.stage.hands();
        let mut replicas = replicas(&mut hands);
        let news = replicas.iter_mut().map(|replica| &mut replica.news);
        self.stage.shared().common.hear(news)
    }

    /// Energies that are known are those at the new price.
    fn reprice(&mut self) {
        let common = &mut self.stage.shared().common;
        common.reprice();
        for hand in &mut self.stage.hands() {
            for replica in &mut hand.replicas {
                replica.energy = replica.wrong + common.price(replica.live.program());
            }
        }
    }

    /// Replicas of neighbouring temperatures change them by Metropolis's rule.
    fn exchange(&mut self) {
        let mut hands = self.stage.hands();
        let mut replicas = replicas(&mut hands);
        for step in 1..self.ladder.len() {
            let [cold, hot] = [self.ladder[step - 1], self.ladder[step]];
            let [a, b] =
                [cold, hot].map(|number| (replicas[number].energy, replicas[number].temperature));
            let gain = (a.0 - b.0) * (1.0 / a.1 - 1.0 / b.1);
            if metropolis(-gain, 1.0, &mut self.rng) {
                (replicas[cold].temperature, replicas[hot].temperature) = (b.1, a.1);
                self.ladder.swap(step - 1, step);
            }
        }
    }
}
