//! What a run is: all that its weights depend on, and what they do not depend on.
//!
//! In: settings. Out: [`Plan`], [`How`], the rate of a step. Afterwards two runs of equal plans have equal
//! weights after as many steps.

use serde::{Deserialize, Serialize};

use super::RunError;
use crate::model::ops::AdamOptions;
use crate::train::Options;

/// How the learning rate goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// It stays.
    Constant,
    /// Down to a tenth by the last step, as half a period of the cosine. A run without an end has none,
    /// and its rate stays.
    #[default]
    Cosine,
}

/// What is left of the rate in the end.
const FLOOR: f64 = 0.1;

/// All that weights depend on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// What examples are like.
    pub examples: Options,
    /// The seed of the weights.
    pub seed: u64,
    /// Examples a step, of all workers together.
    pub batch: usize,
    /// Workers that share a batch.
    pub workers: usize,
    /// The learning rate.
    pub rate: f64,
    /// How it goes.
    pub schedule: Schedule,
    /// Steps over which it rises from 0.
    pub warm_up: u64,
    /// Steps in all; none means until it is stopped.
    pub steps: Option<u64>,
    /// The greatest norm of gradients.
    pub clip: Option<f64>,
    /// Examples that are kept apart, to measure by.
    pub held_out: usize,
}

impl Plan {
    /// The paper's batch and rate, with what examples are like.
    pub fn new(examples: Options) -> Plan {
        Plan {
            examples,
            seed: 0,
            batch: 32,
            workers: 1,
            rate: 3e-4,
            schedule: Schedule::default(),
            warm_up: 100,
            steps: None,
            clip: Some(1.0),
            held_out: 128,
        }
    }

    /// The rate of a step, counted from 0.
    pub fn rate_at(&self, step: u64) -> f64 {
        let rising = match self.warm_up {
            0 => 1.0,
            warm_up => ((step + 1) as f64 / warm_up as f64).min(1.0),
        };
        let falling = match (self.schedule, self.steps) {
            (Schedule::Cosine, Some(steps)) if steps > self.warm_up => {
                let done = step.saturating_sub(self.warm_up) as f64;
                let part = (done / (steps - self.warm_up) as f64).min(1.0);
                let half = 0.5 + 0.5 * libm::cos(std::f64::consts::PI * part);
                FLOOR + (1.0 - FLOOR) * half
            }
            _ => 1.0,
        };
        self.rate * rising * falling
    }

    /// The optimiser's settings.
    pub(super) fn adam(&self) -> AdamOptions {
        AdamOptions {
            clip: self.clip,
            ..AdamOptions::default()
        }
    }

    /// The numbers of the examples of a batch that a worker takes.
    pub(super) fn share(&self, batch: u64, worker: usize) -> std::ops::Range<u64> {
        let from = batch.wrapping_mul(self.batch as u64);
        let at = |worker: usize| from.wrapping_add((self.batch * worker / self.workers) as u64);
        at(worker)..at(worker + 1)
    }

    pub(super) fn check(&self) -> Result<(), RunError> {
        match self.workers == 0 || self.batch < self.workers {
            true => Err(RunError::Workers {
                workers: self.workers,
                batch: self.batch,
            }),
            false => Ok(()),
        }
    }

    /// What differs from the plan that a run was begun with, but for what may change on the way.
    pub(super) fn differences(&self, before: &Plan) -> Vec<String> {
        let now = Plan {
            rate: before.rate,
            schedule: before.schedule,
            warm_up: before.warm_up,
            steps: before.steps,
            clip: before.clip,
            ..self.clone()
        };
        let (Ok(now), Ok(before)) = (serde_json::to_value(&now), serde_json::to_value(before))
        else {
            return Vec::new();
        };
        let mut out = Vec::new();
        differences("", &before, &now, &mut out);
        out
    }
}

/// The leaves in which two JSON values differ.
pub(super) fn differences(
    name: &str,
    before: &serde_json::Value,
    now: &serde_json::Value,
    out: &mut Vec<String>,
) {
    match (before.as_object(), now.as_object()) {
        (Some(before), Some(now)) => {
            for (key, value) in before {
                let other = now.get(key).unwrap_or(&serde_json::Value::Null);
                let dot = if name.is_empty() { "" } else { "." };
                differences(&format!("{name}{dot}{key}"), value, other, out);
            }
        }
        _ if before != now => out.push(format!("{name}: {before} then, {now} now")),
        _ => {}
    }
}

/// How often something is done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Every {
    /// After so many steps.
    Steps(u64),
    /// After so many seconds.
    Seconds(f64),
}

impl Every {
    /// Whether it is time.
    pub(super) fn is_due(self, steps: u64, seconds: f64) -> bool {
        match self {
            Every::Steps(each) => steps >= each.max(1),
            Every::Seconds(each) => steps > 0 && seconds >= each,
        }
    }
}

/// What weights do not depend on.
#[derive(Clone, Debug, PartialEq)]
pub struct How {
    /// Threads of all workers together; each has as many threads again that make examples, which wait most
    /// of the time. 0 counts as 1.
    pub threads: usize,
    /// Seconds in all, of earlier parts of the run too.
    pub seconds: Option<f64>,
    /// How often a row is written.
    pub log: Every,
    /// How often a checkpoint is written.
    pub save: Every,
}

impl Default for How {
    /// On all threads; a row every 10 seconds, a checkpoint every 5 minutes.
    fn default() -> How {
        How {
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            seconds: None,
            log: Every::Seconds(10.0),
            save: Every::Seconds(300.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compiled::Compiled;

    fn plan() -> Plan {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/grammars/csg2d.tdg");
        Plan::new(Options::of(&Compiled::load(path).unwrap()))
    }

    #[test]
    fn rates_rise_and_fall() {
        let mut plan = Plan {
            rate: 1.0,
            warm_up: 10,
            steps: Some(110),
            ..plan()
        };
        let at = |plan: &Plan, step| (plan.rate_at(step) * 1e6).round() / 1e6;
        assert_eq!([0, 4, 9, 10].map(|s| at(&plan, s)), [0.1, 0.5, 1.0, 1.0]);
        assert_eq!([60, 110, 500].map(|s| at(&plan, s)), [0.55, FLOOR, FLOOR]);
        plan.schedule = Schedule::Constant;
        assert_eq!(at(&plan, 110), 1.0);
        plan.schedule = Schedule::Cosine;
        plan.steps = None;
        assert_eq!(at(&plan, 1_000_000), 1.0);
        plan.warm_up = 0;
        assert_eq!(at(&plan, 0), 1.0);
    }

    #[test]
    fn workers_share_every_example_once() {
        for (batch, workers) in [(32, 1), (32, 2), (7, 3), (5, 5)] {
            let plan = Plan {
                batch,
                workers,
                ..plan()
            };
            let mut all = Vec::new();
            for n in 0..3 {
                for worker in 0..workers {
                    all.extend(plan.share(n, worker));
                }
            }
            assert!(all.into_iter().eq(0..3 * batch as u64));
        }
        let none = Plan {
            batch: 2,
            workers: 3,
            ..plan()
        };
        assert!(none.check().is_err());
    }

    #[test]
    fn plans_differ_in_what_weights_depend_on() {
        let one = plan();
        let rates = Plan {
            rate: 1.0,
            steps: Some(3),
            ..one.clone()
        };
        assert_eq!(rates.differences(&one), [""; 0]);
        let mut other = Plan {
            batch: 64,
            ..one.clone()
        };
        other.examples.rho = 0.5;
        let told = other.differences(&one).join("\n");
        assert!(told.contains("batch: 32 then, 64 now"), "{told}");
        assert!(told.contains("examples.rho: 0.2 then, 0.5 now"), "{told}");
    }
}
