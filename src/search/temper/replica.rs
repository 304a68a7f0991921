//! A replica: a program at a temperature, and the steps it takes until it meets the others again.
//!
//! In: what the replicas share ([`Common`]), which stands still meanwhile. Out: the replica after some steps, and
//! its [`News`]. Afterwards these depend on the replica and on what was shared, not on what other replicas did or
//! on which thread.

use std::hash::BuildHasher;

use rand::RngExt;
use rustc_hash::FxBuildHasher;

use super::common::Common;
use super::starts::Start;
use super::steps::Step;
use super::world::World;
use crate::grammar::ids::NtId;
use crate::grammar::ir::SizeMetric;
use crate::render::bits::{Bits, Lean, Planes};
use crate::sample::Rng;
use crate::scene::Live;
use crate::search::StopReason;
use crate::search::chance::{boltzmann, metropolis};
use crate::search::fill::Filler;
use crate::search::moves::{Kind, Moves};
use crate::search::target::Judge;
use crate::tree::{Edit, Program};

/// Small changes after a choice among all places: there is little left to be won.
const FEW_NUDGES: u32 = 4;

/// Evaluations that take as long as a look at the anti-aliased picture.
const LOOK: u64 = 20;

/// A program at a temperature.
pub(super) struct Replica<'a> {
    pub(super) live: Live<'a>,
    planes: Planes,
    rng: Rng,
    /// Wrong pixels.
    pub(super) wrong: f64,
    pub(super) energy: f64,
    pub(super) temperature: f64,
    pub(super) news: News,
}

/// What a replica has to tell when it meets the others.
#[derive(Default)]
pub(super) struct News {
    /// Evaluations since the last time, and how many it may take.
    pub(super) spent: u64,
    pub(super) allowance: u64,
    /// Steps since the last time.
    pub(super) steps: u64,
    /// The least energy that is known to it.
    least: f64,
    /// Wrong pixels, size and energy of a program of its own with that energy, and after how many evaluations.
    pub(super) champion: Option<Champion>,
    /// See [`Common::slack`].
    pub(super) slack: f64,
    /// See [`Common::leasts`].
    pub(super) leasts: Vec<f64>,
    /// What was looked at on the anti-aliased picture.
    pub(super) looks: Vec<Look>,
    /// Why it goes no further.
    pub(super) stop: Option<StopReason>,
}

/// A program of the least energy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Champion {
    pub(super) wrong: f64,
    pub(super) size: u32,
    pub(super) energy: f64,
    /// Evaluations since the replicas met.
    pub(super) spent: u64,
}

/// A program that was looked at on the anti-aliased picture.
pub(super) struct Look {
    pub(super) hash: u64,
    pub(super) program: Program,
    /// Wrong pixels on bit planes.
    pub(super) wrong: f64,
    /// In pixels.
    pub(super) score: f64,
    /// Whether it meets the goal.
    pub(super) solved: bool,
}

impl<'a> Replica<'a> {
    /// One that has no program yet; `None` for a language without pictures.
    pub(super) fn new(world: &World<'a>, temperature: f64, rng: Rng) -> Option<Replica<'a>> {
        Some(Replica {
            live: Live::new(&world.compiled.grammar).ok()?,
            planes: Planes::default(),
            rng,
            wrong: f64::INFINITY,
            energy: f64::INFINITY,
            temperature,
            news: News::default(),
        })
    }
}

impl News {
    /// Begins a turn.
    fn begin(&mut self, common: &Common<'_>) {
        (self.spent, self.steps) = (0, 0);
        (self.least, self.slack) = (common.least, common.slack);
        (self.champion, self.stop) = (None, None);
        self.looks.clear();
        self.leasts.clone_from(&common.leasts);
    }

    /// What was done so far, in evaluations: a look at the anti-aliased picture takes as long as many.
    fn work(&self) -> u64 {
        self.spent + LOOK * self.looks.len() as u64
    }

    fn has_solved(&self) -> bool {
        self.looks.last().is_some_and(|look| look.solved)
    }

    /// By how much a program is worse than the best on bit planes: than the best of all, or, when the
    /// front is wanted, than the best that are not larger.
    fn behind(&mut self, pareto: bool, energy: f64, wrong: f64, size: u32) -> f64 {
        if !pareto {
            return energy - self.least;
        }
        let size = size as usize;
        if self.leasts.len() <= size {
            let last = self.leasts.last().copied().unwrap_or(f64::INFINITY);
            self.leasts.resize(size + 1, last);
        }
        let behind = wrong - self.leasts[size];
        for least in self.leasts[size..]
            .iter_mut()
            .take_while(|least| **least > wrong)
        {
            *least = wrong;
        }
        behind
    }
}

/// What one thread works with, on one replica after another.
pub(super) struct Hand<'a> {
    world: &'a World<'a>,
    moves: Moves<'a>,
    filler: Filler<'a>,
    bits: Bits,
    judge: Judge<'a>,
    edit: Edit,
    part: Program,
    energies: Vec<f64>,
    fits: bool,
    pub(super) replicas: Vec<Replica<'a>>,
}

impl<'a> Hand<'a> {
    pub(super) fn new(
        world: &'a World<'a>,
        bits: Bits,
        moves: Moves<'a>,
        judge: Judge<'a>,
    ) -> Hand<'a> {
        Hand {
            world,
            moves,
            filler: Filler::new(world.compiled, &world.holes),
            bits,
            judge,
            edit: Edit::default(),
            part: Program::default(),
            energies: Vec::new(),
            fits: world.holes.any(),
            replicas: Vec::new(),
        }
    }

    /// Sets what is preferred of a sketch's picture and its negative.
    pub(super) fn lean(&mut self, to: Lean) {
        self.bits.lean(to);
    }

    /// Programs that were drawn on the anti-aliased picture.
    pub(super) fn renders(&self) -> u64 {
        self.judge.renders()
    }

    /// Has each of its replicas start from the best of some random programs, and of one that is given.
    pub(super) fn begin(&mut self, common: &Common<'_>, given: Option<&Program>, start: Start<'_>) {
        self.each(common, |hand, replica| {
            hand.first(common, replica, given, start)
        });
    }

    /// Has each of its replicas take its steps.
    pub(super) fn go_on(&mut self, common: &Common<'_>) {
        self.each(common, |hand, replica| {
            // Time goes with evaluations, so replicas take about as long as each other. A step
            // without any is one nevertheless, or this might not end.
            let mut work = 0;
            while work < hand.world.options.turn {
                let before = replica.news.work();
                hand.step(common, replica)?;
                work += (replica.news.work() - before).max(1);
                // What is known now is to be known to the others before it goes on.
                if replica.news.has_solved() {
                    break;
                }
            }
            Ok(())
        });
    }

    fn each(
        &mut self,
        common: &Common<'_>,
        work: impl Fn(&mut Hand<'a>, &mut Replica<'a>) -> Result<(), StopReason>,
    ) {
        let mut replicas = std::mem::take(&mut self.replicas);
        for replica in &mut replicas {
            replica.news.begin(common);
            self.bits.lend(&mut replica.planes);
            replica.news.stop = work(self, replica).err();
            self.bits.lend(&mut replica.planes);
        }
        self.replicas = replicas;
    }

    fn first(
        &mut self,
        common: &Common<'_>,
        replica: &mut Replica<'_>,
        given: Option<&Program>,
        start: Start<'_>,
    ) -> Result<(), StopReason> {
        let mut best: Option<(Program, f64)> = None;
        let mut stop = Ok(());
        for number in 0..self.world.options.starts.max(1) {
            let program = match given {
                Some(given) if number == 0 => Some(given.clone()),
                _ => start(&mut replica.rng),
            };
            let Some(program) = program else {
                continue;
            };
            stop = spend(common, &mut replica.news, 1);
            if stop.is_err() {
                break;
            }
            let drawn = replica.live.set(&program).is_ok();
            let energy = match drawn.then(|| self.bits.redraw(&replica.live)) {
                Some(Ok(wrong)) => wrong as f64 + common.price(&program),
                _ => continue,
            };
            if best.as_ref().is_none_or(|(_, least)| energy < *least) {
                best = Some((program, energy));
            }
        }
        // Whatever stops it, the best so far is told.
        let Some((program, energy)) = best else {
            return stop.and(Err(StopReason::Exhausted));
        };
        let set = replica.live.set(&program).is_ok();
        let (true, Ok(wrong)) = (set, self.bits.redraw(&replica.live)) else {
            return Err(StopReason::Exhausted);
        };
        (replica.wrong, replica.energy) = (wrong as f64, energy);
        self.note(common, replica);
        stop
    }

    fn step(&mut self, common: &Common<'_>, replica: &mut Replica<'_>) -> Result<(), StopReason> {
        replica.news.steps += 1;
        let step = if self.fits {
            Step::any(&mut replica.rng)
        } else {
            Step::Edit(self.moves.any(&mut replica.rng))
        };
        let changed = match step {
            Step::Tune => self.atom(common, replica, false)?,
            Step::Replace => self.atom(common, replica, true)?,
            Step::Insert => self.insert(common, replica)?,
            Step::Edit(kind) => self.try_edits(common, replica, kind)?,
        };
        if changed {
            self.note(common, replica);
        }
        Ok(())
    }

    /// Looks at a program on the anti-aliased picture, which says how good it is and whether it meets
    /// the goal, if it is among the best on bit planes: there it may have a few more wrong pixels
    /// than others and still be the better one. How many more is set so that this takes a small and
    /// steady share of the time.
    fn note(&mut self, common: &Common<'_>, replica: &mut Replica<'_>) {
        let (program, news) = (replica.live.program(), &mut replica.news);
        let (energy, wrong, size) = (replica.energy, replica.wrong, program.size());
        if size >= common.known_size() {
            if !common.refines(size, wrong) {
                return;
            }
        } else {
            let pareto = self.world.options.pareto.is_some();
            let behind = news.behind(pareto, energy, wrong, size);
            if energy < news.least {
                news.least = energy;
                news.champion = Some(Champion {
                    wrong,
                    size,
                    energy,
                    spent: news.spent,
                });
            }
            if behind.max(0.0) > news.slack {
                news.slack *= 1.01;
                return;
            }
        }
        let hash = FxBuildHasher.hash_one(program);
        if common.has_seen(hash) || news.looks.iter().any(|look| look.hash == hash) {
            return;
        }
        news.slack = (news.slack * 0.93).max(1.0);
        let (score, solved) = self.judge.judge(program);
        news.looks.push(Look {
            hash,
            program: program.clone(),
            wrong,
            score,
            solved,
        });
    }

    /// Changes an atom or puts another in its place.
    fn atom(
        &mut self,
        common: &Common<'_>,
        replica: &mut Replica<'_>,
        another: bool,
    ) -> Result<bool, StopReason> {
        let program = replica.live.program();
        let holes = &self.world.holes;
        let nts = self.moves.nonterminals(program);
        let Some(position) = holes.part(program, &nts, &mut replica.rng) else {
            return Ok(false);
        };
        let mut edit = std::mem::take(&mut self.edit);
        edit.position = position;
        let layout = self.world.layout;
        layout.extract_into(program, position, &mut edit.replacement);
        let nt = another.then_some(nts[position]);
        let found = self.fill(common, replica, &mut edit, 0, nt);
        self.edit = edit;
        found
    }

    /// Puts a new atom into the program, beside what is there.
    fn insert(
        &mut self,
        common: &Common<'_>,
        replica: &mut Replica<'_>,
    ) -> Result<bool, StopReason> {
        let program = replica.live.program();
        let holes = &self.world.holes;
        let wanted = |nt| holes.may_hold_parts(nt);
        let found = self.moves.insertion(program, &wanted, &mut replica.rng);
        let Some((mut edit, node, nt)) = found else {
            return Ok(false);
        };
        // Where a layer is added, its shape is looked for.
        let Some((node, nt)) = holes.region_in(&edit.replacement, node, nt) else {
            return Ok(false);
        };
        self.fill(common, replica, &mut edit, node, Some(nt))
    }

    /// Looks for another atom in the place of one and, by Metropolis's rule, puts it in. Without a
    /// nonterminal only its numbers are changed.
    fn fill(
        &mut self,
        common: &Common<'_>,
        replica: &mut Replica<'_>,
        edit: &mut Edit,
        atom: usize,
        nt: Option<NtId>,
    ) -> Result<bool, StopReason> {
        let options = self.world.options;
        let (bits, filler, rng) = (&mut self.bits, &mut self.filler, &mut replica.rng);
        let temperature = replica.temperature;
        let Ok(opened) = filler.open(bits, &mut replica.live, edit, atom) else {
            return Err(StopReason::Exhausted);
        };
        let Some(hole) = opened else {
            spend(common, &mut replica.news, filler.looked())?;
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
        spend(common, &mut replica.news, filler.looked())?;
        let error = filler.error();
        if hole == 0 {
            edit.replacement.clone_from(filler.piece());
        } else {
            let layout = self.world.layout;
            layout.splice(&mut edit.replacement, hole, filler.piece());
        }
        let Some(size) = self.size_after(common, replica.live.program(), edit) else {
            return Ok(false);
        };
        let energy = error + common.price * f64::from(size);
        // What was only tuned has gone by its own rule already.
        if nt.is_some() && !metropolis(energy - replica.energy, temperature, &mut replica.rng) {
            return Ok(false);
        }
        self.apply(common, replica, edit)
    }

    /// The size of an edited program; `None` when it is too large.
    fn size_after(&mut self, common: &Common<'_>, program: &Program, edit: &Edit) -> Option<u32> {
        let old = program.nodes().get(edit.position)?.size;
        let size = match self.world.layout.metric() {
            SizeMetric::Depth => {
                self.part.clone_from(program);
                self.world.layout.apply(&mut self.part, edit);
                self.part.size()
            }
            _ => program.size().saturating_sub(old) + edit.replacement.size(),
        };
        let most = self.world.options.max_size;
        let most = most.min(common.known_size().saturating_sub(1));
        (size <= most.max(program.size())).then_some(size)
    }

    /// Makes an edit. False when it cannot be drawn.
    fn apply(
        &mut self,
        common: &Common<'_>,
        replica: &mut Replica<'_>,
        edit: &Edit,
    ) -> Result<bool, StopReason> {
        if replica.live.apply(edit).is_err() {
            return Ok(false);
        }
        let Ok(wrong) = self.bits.redraw(&replica.live) else {
            return Err(StopReason::Exhausted);
        };
        replica.wrong = wrong as f64;
        replica.energy = replica.wrong + common.price(replica.live.program());
        Ok(true)
    }

    /// Scores edits of one kind and goes on from one of them or from where it is.
    fn try_edits(
        &mut self,
        common: &Common<'_>,
        replica: &mut Replica<'_>,
        kind: Kind,
    ) -> Result<bool, StopReason> {
        let width = self.world.options.width;
        let program = replica.live.program();
        let edits = self.moves.of_kind(kind, program, width, &mut replica.rng);
        spend(common, &mut replica.news, edits.len() as u64)?;
        self.energies.clear();
        for edit in &edits {
            let energy = match self.size_after(common, replica.live.program(), edit) {
                Some(size) if replica.live.propose(edit).is_ok() => {
                    match self.bits.redraw(&replica.live) {
                        Ok(wrong) => wrong as f64 + common.price * f64::from(size),
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
        match boltzmann(&self.energies, replica.temperature, &mut replica.rng) {
            Some(index) if index < edits.len() => self.apply(common, replica, &edits[index]),
            _ => Ok(false),
        }
    }
}

/// Takes evaluations from what a replica may take.
fn spend(common: &Common<'_>, news: &mut News, count: u64) -> Result<(), StopReason> {
    common.track.check()?;
    if news.allowance.saturating_sub(news.spent) < count {
        return Err(StopReason::Evaluations);
    }
    news.spent += count;
    Ok(())
}
