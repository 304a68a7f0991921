//! What a round starts from.
//!
//! In: a run about to begin a round. Out: a program that was put together for the target, where the
//! language allows it. Afterwards the run has at least some program, whatever stopped it.

use crate::sample::Rng;
use crate::search::StopReason;
use crate::search::temper::Lead;
use crate::tree::Program;

/// Draws a program to start from.
pub(super) type Start<'s> = &'s (dyn Fn(&mut Rng) -> Option<Program> + Sync);

impl Lead<'_, '_> {
    /// A program that the finder puts together, if there is one.
    ///
    /// # Errors
    ///
    /// Why the run is to stop, when it is.
    pub(super) fn find(&mut self, start: Start<'_>) -> Result<Option<Program>, StopReason> {
        let (Some(finder), Some(judge)) = (&self.world.finder, &mut self.judge) else {
            return Ok(None);
        };
        let common = &mut self.stage.shared().common;
        if let Some(program) = start(&mut self.rng) {
            common.track.spend(1)?;
            let (score, _) = judge.judge(&program);
            let energy = score + common.price(&program);
            common.track.offer(&program, score, energy);
        }
        finder.attempt(&mut common.track, judge, &mut self.rng)
    }
}
