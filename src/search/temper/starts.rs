//! What a round starts from.
//!
//! In: a run about to begin a round. Out: a program that was put together for the target, where the
//! language allows it. Afterwards the run has at least some program, whatever stopped it.

use crate::sample::Rng;
use crate::search::StopReason;
use crate::search::temper::Runner;
use crate::tree::Program;

/// Draws a program to start from.
pub(super) type Start<'s> = &'s dyn Fn(&mut Rng) -> Option<Program>;

impl Runner<'_> {
    /// A program that the finder puts together, if there is one.
    ///
    /// # Errors
    ///
    /// Why the run is to stop, when it is.
    pub(super) fn find(&mut self, start: Start<'_>) -> Result<Option<Program>, StopReason> {
        let Some(finder) = &self.world.finder else {
            return Ok(None);
        };
        if let Some(program) = start(&mut self.rng) {
            self.track.spend(1)?;
            let (score, _) = self.judge.judge(&program);
            let energy = score + self.price(&program);
            self.track.offer(&program, score, energy);
        }
        finder.attempt(&mut self.track, &mut self.judge, &mut self.rng)
    }
}
