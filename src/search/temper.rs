//! Parallel tempering on drawn programs: the search that `tdc solve` does for pictures.
//!
//! In: a compiled picture language, a target, limits. Out: a [`Report`](crate::search::Report). Afterwards
//! the best program is there whatever stopped the search (see `runs`).
//!
//! A run holds some replicas at temperatures from cold to hot, each a program that is kept drawn as bit
//! planes. Its energy is the number of wrong pixels and a price per unit of size. A step either
//! looks for a better part for a hole (see `holes`), puts a new part in, or tries edits of other
//! kinds (see [`moves`](super::moves)), and goes on by Metropolis's rule or the heat bath. After each
//! round neighbouring replicas may change places. What is best so far is tested against the
//! language's goal on the anti-aliased picture.

mod options;
mod starts;
mod steps;

pub use options::Options;
use starts::Start;
use steps::Step;

// Only asked whether something is there: order does not matter.
#[allow(clippy::disallowed_types)]
use std::collections::HashSet;
use std::hash::BuildHasher;

use rand::{RngExt, SeedableRng};
use rustc_hash::FxBuildHasher;

use crate::Compiled;
use crate::grammar::ids::NtId;
use crate::grammar::ir::SizeMetric;
use crate::render::bits::{Bits, Lean, Planes};
use crate::sample::Rng;
use crate::scene::Live;
use crate::search::StopReason;
use crate::search::chance::{boltzmann, metropolis};
use crate::search::fill::Filler;
use crate::search::holes::Holes;
use crate::search::layouts::Finder;
use crate::search::moves::{Kind, Moves};
use crate::search::rounds::Round;
use crate::search::runs::{Run, Track};
use crate::search::target::Judge;
use crate::tree::{Edit, Layout, Program};

/// Small changes after a choice among all places: there is little left to be won.
const FEW_NUDGES: u32 = 4;

/// Programs that are remembered to have been tested.
const MOST_TESTED: usize = 1 << 20;

/// What is the same for all runs of a search.
pub(super) struct World<'a> {
    pub(super) compiled: &'a Compiled,
    pub(super) layout: &'a Layout,
    pub(super) holes: Holes<'a>,
    pub(super) options: &'a Options,
    pub(super) seed: u64,
    /// Looks for programs to start from.
    pub(super) finder: Option<Finder<'a>>,
}

/// A program at a temperature.
struct Replica<'a> {
    live: Live<'a>,
    planes: Planes,
    /// Wrong pixels.
    wrong: f64,
    energy: f64,
    temperature: f64,
}

/// A program that meets the goal was found, and a shorter one is looked for.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Shorten {
    size: u32,
    /// Evaluations after which the search ends.
    until: u64,
}

/// By how much size is dearer once the goal is met.
const DEARER: f64 = 4.0;

/// A run under way.
pub(super) struct Runner<'a> {
    world: &'a World<'a>,
    moves: Moves<'a>,
    filler: Filler<'a>,
    bits: Bits,
    rng: Rng,
    track: Track<'a>,
    judge: Judge<'a>,
    edit: Edit,
    part: Program,
    energies: Vec<f64>,
    fits: bool,
    /// The price of a unit of size now.
    price: f64,
    /// The least energy so far, on bit planes, and by how much that of programs may be greater that
    /// are looked at on the anti-aliased picture.
    least: f64,
    slack: f64,
    /// Wrong pixels and size of the program with the least energy.
    champion: (f64, u32),
    /// When it was found, in evaluations.
    improved: u64,
    /// When the front is wanted: the fewest wrong pixels of programs of each size or a smaller one.
    leasts: Vec<f64>,
    /// Whether something was found that meets the goal, unless the front is wanted.
    solved: bool,
    round: Round,
    /// Where the goal ends the search, and not rounds.
    shorten: Option<Shorten>,
    /// Programs that were looked at on the anti-aliased picture, by hash.
    #[allow(clippy::disallowed_types)]
    tested: HashSet<u64, FxBuildHasher>,
}

impl<'a> Runner<'a> {
    pub(super) fn new(
        world: &'a World<'a>,
        bits: Bits,
        moves: Moves<'a>,
        judge: Judge<'a>,
        track: Track<'a>,
    ) -> Runner<'a> {
        Runner {
            world,
            moves,
            filler: Filler::new(world.compiled, &world.holes),
            bits,
            rng: Rng::seed_from_u64(track.seed(world.seed)),
            track,
            judge,
            edit: Edit::default(),
            part: Program::default(),
            energies: Vec::new(),
            fits: world.holes.any(),
            price: world.options.price,
            least: f64::INFINITY,
            slack: 1.0,
            champion: (f64::INFINITY, 0),
            leasts: Vec::new(),
            solved: false,
            round: Round::default(),
            improved: 0,
            shorten: None,
            #[allow(clippy::disallowed_types)]
            tested: HashSet::default(),
        }
    }

    /// Runs until something stops it. `start` draws a program to start from.
    pub(super) fn run(mut self, start: &dyn Fn(&mut Rng) -> Option<Program>) -> Run {
        let stop = match self.temper(start) {
            Err(_) if self.solved => StopReason::Solved,
            Ok(stop) | Err(stop) => stop,
        };
        let renders = self.judge.renders();
        self.track.end(stop, renders)
    }

    fn temper(&mut self, start: Start<'_>) -> Result<StopReason, StopReason> {
        for round in 0.. {
            self.afresh(round);
            self.round(start)?;
            if self.solved && round + 1 >= self.world.options.rounds.count {
                break;
            }
        }
        Ok(StopReason::Solved)
    }

    /// Begins a round; what the last one knew is forgotten.
    fn afresh(&mut self, round: u32) {
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
        self.bits.lean(match round % 2 {
            0 => Lean::Free,
            _ => Lean::Inked,
        });
    }

    fn round(&mut self, start: Start<'_>) -> Result<(), StopReason> {
        let mut replicas = self.begin(start)?;
        while self.track.evaluations() < self.round.end && !self.is_stuck() {
            for replica in &mut replicas {
                self.bits.lend(&mut replica.planes);
                let mut done = Ok(());
                for _ in 0..self.world.options.steps {
                    done = self.step(replica);
                    if done.is_err() {
                        break;
                    }
                }
                self.bits.lend(&mut replica.planes);
                done?;
            }
            self.exchange(&mut replicas);
            self.reprice(&mut replicas);
            if self
                .shorten
                .is_some_and(|shorten| self.track.evaluations() >= shorten.until)
            {
                return Err(StopReason::Solved);
            }
            self.track.tell();
        }
        Ok(())
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
            && self.track.evaluations() - self.improved > took.max(options.stall)
    }

    /// Each replica starts from the best of some random programs.
    fn begin(&mut self, start: Start<'_>) -> Result<Vec<Replica<'a>>, StopReason> {
        let options = self.world.options;
        let found = self.find(start)?;
        let count = options.replicas.max(1);
        let ratio = (options.hot / options.cold).max(1.0);
        let mut replicas = Vec::new();
        for index in 0..count {
            let part = index as f64 / (count.max(2) - 1) as f64;
            let Ok(live) = Live::new(&self.world.compiled.grammar) else {
                return Err(StopReason::Exhausted);
            };
            let mut replica = Replica {
                live,
                planes: Planes::default(),
                wrong: f64::INFINITY,
                energy: f64::INFINITY,
                temperature: options.cold * libm::pow(ratio, part),
            };
            self.bits.lend(&mut replica.planes);
            let mut best: Option<(Program, f64)> = None;
            for number in 0..options.starts.max(1) {
                let program = match number {
                    0 if found.is_some() => found.clone(),
                    _ => start(&mut self.rng),
                };
                let Some(program) = program else {
                    continue;
                };
                self.track.spend(1)?;
                let drawn = replica.live.set(&program).is_ok();
                let energy = match drawn.then(|| self.bits.redraw(&replica.live)) {
                    Some(Ok(wrong)) => wrong as f64 + self.price(&program),
                    _ => continue,
                };
                if best.as_ref().is_none_or(|(_, least)| energy < *least) {
                    best = Some((program, energy));
                }
            }
            let Some((program, energy)) = best else {
                return Err(StopReason::Exhausted);
            };
            let set = replica.live.set(&program).is_ok();
            let drawn = self.bits.redraw(&replica.live);
            self.bits.lend(&mut replica.planes);
            let (true, Ok(wrong)) = (set, drawn) else {
                return Err(StopReason::Exhausted);
            };
            replica.wrong = wrong as f64;
            replica.energy = energy;
            self.offer(&replica)?;
            replicas.push(replica);
        }
        Ok(replicas)
    }

    fn price(&self, program: &Program) -> f64 {
        self.price * f64::from(program.size())
    }

    /// Lowers the price as the run goes on, and raises it when only size is left to be won; energies
    /// that are known are those at the new one.
    fn reprice(&mut self, replicas: &mut [Replica<'_>]) {
        let options = self.world.options;
        let spent = self.track.evaluations() - self.round.began;
        let halves = spent as f64 / options.halves.max(1) as f64;
        self.price = match (options.pareto, self.shorten) {
            (Some(cycle), _) => cycle.price(self.track.evaluations()),
            (None, Some(_)) => options.price * DEARER,
            (None, None) => options.price * libm::exp2(-halves).max(0.1),
        };
        for replica in replicas {
            replica.energy = replica.wrong + self.price(replica.live.program());
        }
        self.least = self.champion.0 + self.price * f64::from(self.champion.1);
    }

    /// Looks at a program on the anti-aliased picture, which says how good it is and whether it meets
    /// the goal, if it is among the best on bit planes: there it may have a few more wrong pixels
    /// than others and still be the better one. How many more is set so that this takes a small and
    /// steady share of the time.
    fn offer(&mut self, replica: &Replica<'_>) -> Result<(), StopReason> {
        let size = replica.live.program().size();
        let known = self.shorten.map_or(u32::MAX, |shorten| shorten.size);
        if size >= known {
            return Ok(());
        }
        if replica.energy < self.least {
            self.least = replica.energy;
            self.champion = (replica.wrong, size);
            self.improved = self.track.evaluations();
        }
        if self.behind(replica) > self.slack {
            self.slack *= 1.01;
            return Ok(());
        }
        let program = replica.live.program();
        let hash = FxBuildHasher.hash_one(program);
        if self.tested.len() >= MOST_TESTED {
            self.tested.clear();
        }
        if !self.tested.insert(hash) {
            return Ok(());
        }
        self.slack = (self.slack * 0.93).max(1.0);
        let (score, solved) = self.judge.judge(program);
        let energy = score + self.world.options.price * f64::from(program.size());
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
        self.shorten = Some(Shorten { size, until });
        // The best of those that are shorter.
        self.least = f64::INFINITY;
        self.champion = (f64::INFINITY, 0);
        self.slack = self.slack.max(self.world.options.cold);
        Ok(())
    }

    /// By how much a program is worse than the best on bit planes: than the best of all, or, when the
    /// front is wanted, than the best that are not larger.
    fn behind(&mut self, replica: &Replica<'_>) -> f64 {
        if self.world.options.pareto.is_none() {
            return replica.energy - self.least;
        }
        let size = replica.live.program().size() as usize;
        if self.leasts.len() <= size {
            let last = self.leasts.last().copied().unwrap_or(f64::INFINITY);
            self.leasts.resize(size + 1, last);
        }
        let behind = replica.wrong - self.leasts[size];
        for least in self.leasts[size..]
            .iter_mut()
            .take_while(|least| **least > replica.wrong)
        {
            *least = replica.wrong;
        }
        behind
    }

    fn step(&mut self, replica: &mut Replica<'_>) -> Result<(), StopReason> {
        self.track.expand();
        let step = if self.fits {
            Step::any(&mut self.rng)
        } else {
            Step::Edit(self.moves.any(&mut self.rng))
        };
        let changed = match step {
            Step::Tune => self.atom(replica, false)?,
            Step::Replace => self.atom(replica, true)?,
            Step::Insert => self.insert(replica)?,
            Step::Edit(kind) => self.try_edits(replica, kind)?,
        };
        if changed {
            self.offer(replica)?;
        }
        Ok(())
    }

    /// Changes an atom or puts another in its place.
    fn atom(&mut self, replica: &mut Replica<'_>, another: bool) -> Result<bool, StopReason> {
        let program = replica.live.program();
        let holes = &self.world.holes;
        let nts = self.moves.nonterminals(program);
        let Some(position) = holes.part(program, &nts, &mut self.rng) else {
            return Ok(false);
        };
        let mut edit = std::mem::take(&mut self.edit);
        edit.position = position;
        let layout = self.world.layout;
        layout.extract_into(program, position, &mut edit.replacement);
        let nt = another.then_some(nts[position]);
        let found = self.fill(replica, &mut edit, 0, nt);
        self.edit = edit;
        found
    }

    /// Puts a new atom into the program, beside what is there.
    fn insert(&mut self, replica: &mut Replica<'_>) -> Result<bool, StopReason> {
        let program = replica.live.program();
        let holes = &self.world.holes;
        let wanted = |nt| holes.may_hold_parts(nt);
        let found = self.moves.insertion(program, &wanted, &mut self.rng);
        let Some((mut edit, node, nt)) = found else {
            return Ok(false);
        };
        // Where a layer is added, its shape is looked for.
        let Some((node, nt)) = holes.region_in(&edit.replacement, node, nt) else {
            return Ok(false);
        };
        self.fill(replica, &mut edit, node, Some(nt))
    }

    /// Looks for another atom in the place of one and, by Metropolis's rule, puts it in. Without a
    /// nonterminal only its numbers are changed.
    fn fill(
        &mut self,
        replica: &mut Replica<'_>,
        edit: &mut Edit,
        atom: usize,
        nt: Option<NtId>,
    ) -> Result<bool, StopReason> {
        let options = self.world.options;
        let (bits, filler, rng) = (&mut self.bits, &mut self.filler, &mut self.rng);
        let temperature = replica.temperature;
        let Ok(opened) = filler.open(bits, &mut replica.live, edit, atom) else {
            return Err(StopReason::Exhausted);
        };
        let Some(hole) = opened else {
            self.track.spend(filler.looked())?;
            return Ok(false);
        };
        match nt {
            Some(nt) => {
                if !filler.draw(bits, nt, options.draws, temperature, rng) {
                    return Ok(false);
                }
            }
            None => filler.keep(bits),
        }
        // By turns: each number on its own, or two of them together.
        let nudges = if filler.resample(bits, temperature, rng) {
            FEW_NUDGES
        } else {
            if nt.is_none() && rng.random_range(0..2) == 0 {
                filler.sweep_pair(bits, temperature, rng);
            } else {
                filler.sweep(bits, temperature, rng);
            }
            options.nudges
        };
        for _ in 0..nudges {
            filler.nudge(bits, temperature, rng);
        }
        self.track.spend(filler.looked())?;
        let error = filler.error();
        if hole == 0 {
            edit.replacement.clone_from(filler.piece());
        } else {
            let layout = self.world.layout;
            layout.splice(&mut edit.replacement, hole, filler.piece());
        }
        let Some(size) = self.size_after(replica.live.program(), edit) else {
            return Ok(false);
        };
        let energy = error + self.price * f64::from(size);
        // What was only tuned has gone by its own rule already.
        if nt.is_some() && !metropolis(energy - replica.energy, temperature, &mut self.rng) {
            return Ok(false);
        }
        self.apply(replica, edit)
    }

    /// The size of an edited program; `None` when it is too large.
    fn size_after(&mut self, program: &Program, edit: &Edit) -> Option<u32> {
        let old = program.nodes().get(edit.position)?.size;
        let size = match self.world.layout.metric() {
            SizeMetric::Depth => {
                self.part.clone_from(program);
                self.world.layout.apply(&mut self.part, edit);
                self.part.size()
            }
            _ => program.size().saturating_sub(old) + edit.replacement.size(),
        };
        let most = match self.shorten {
            None => self.world.options.max_size,
            Some(shorten) => shorten.size.saturating_sub(1),
        };
        (size <= most.max(program.size())).then_some(size)
    }

    /// Makes an edit. False when it cannot be drawn, or changes nothing.
    fn apply(&mut self, replica: &mut Replica<'_>, edit: &Edit) -> Result<bool, StopReason> {
        if replica.live.apply(edit).is_err() {
            return Ok(false);
        }
        let Ok(wrong) = self.bits.redraw(&replica.live) else {
            return Err(StopReason::Exhausted);
        };
        replica.wrong = wrong as f64;
        replica.energy = replica.wrong + self.price(replica.live.program());
        Ok(true)
    }

    /// Scores edits of one kind and goes on from one of them or from where it is.
    fn try_edits(&mut self, replica: &mut Replica<'_>, kind: Kind) -> Result<bool, StopReason> {
        let width = self.world.options.width;
        let program = replica.live.program();
        let edits = self.moves.of_kind(kind, program, width, &mut self.rng);
        self.track.spend(edits.len() as u64)?;
        self.energies.clear();
        for edit in &edits {
            let energy = match self.size_after(replica.live.program(), edit) {
                Some(size) if replica.live.propose(edit).is_ok() => {
                    match self.bits.redraw(&replica.live) {
                        Ok(wrong) => wrong as f64 + self.price * f64::from(size),
                        Err(_) => f64::INFINITY,
                    }
                }
                _ => f64::INFINITY,
            };
            self.energies.push(energy);
        }
        replica.live.reject();
        // Past the last: to stay.
        self.energies.push(replica.energy);
        match boltzmann(&self.energies, replica.temperature, &mut self.rng) {
            Some(index) if index < edits.len() => self.apply(replica, &edits[index]),
            _ => Ok(false),
        }
    }

    /// Neighbouring replicas change places by Metropolis's rule.
    fn exchange(&mut self, replicas: &mut [Replica<'_>]) {
        for index in 1..replicas.len() {
            let (left, right) = replicas.split_at_mut(index);
            let (Some(a), Some(b)) = (left.last_mut(), right.first_mut()) else {
                continue;
            };
            let gain = (a.energy - b.energy) * (1.0 / a.temperature - 1.0 / b.temperature);
            if metropolis(-gain, 1.0, &mut self.rng) {
                std::mem::swap(a, b);
                std::mem::swap(&mut a.temperature, &mut b.temperature);
            }
        }
    }
}
