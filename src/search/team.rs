//! A team: threads that do one thing after another together.
//!
//! In: what a member does, and what the lead does between. Out: the lead's result. Afterwards all threads have
//! ended. Nobody starts a turn before the lead says so, and the lead goes on when all have done theirs; so the
//! lead may change what members only read, and the other way round, without anyone waiting for a lock.
//!
//! Turns take tens of microseconds to a few milliseconds. So who waits looks for a while whether it is time,
//! lets others go first for a while longer, and only then sleeps.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::{Scope, Thread};

/// How often who waits looks, and then how often it lets other threads go first, before it sleeps.
const LOOKS: u32 = 200;
const YIELDS: u32 = 400;

/// The turn after the last.
const END: u64 = u64::MAX;

/// Lets `lead` have turns taken: each call of what it is given has every member from 0 to `size - 1` do
/// `work` once, at the same time, and comes back when all are done. The lead itself is member 0.
pub(super) fn together<R>(
    size: usize,
    work: &(dyn Fn(usize) + Sync),
    lead: impl FnOnce(&dyn Fn()) -> R,
) -> R {
    let others = size.max(1) - 1;
    let team = Team {
        lead: std::thread::current(),
        others: OnceLock::new(),
        turn: AtomicU64::new(0),
        left: AtomicUsize::new(0),
        broken: AtomicBool::new(false),
    };
    std::thread::scope(|scope| {
        let threads = (1..=others).map_while(|member| team.hire(scope, member, work));
        let threads: Vec<Thread> = threads.collect();
        // Where no more threads can be had, the lead does what they would.
        let hired = threads.len();
        let _ = team.others.set(threads);
        let _end = Ending(&team);
        lead(&|| {
            team.begin(hired);
            work(0);
            (hired + 1..=others).for_each(work);
            wait(|| team.left.load(Ordering::Acquire) == 0 || team.is_broken());
        })
    })
}

struct Team {
    lead: Thread,
    others: OnceLock<Vec<Thread>>,
    /// The number of the turn.
    turn: AtomicU64,
    /// Members that have not done it yet.
    left: AtomicUsize,
    /// A member has panicked: nobody waits for it.
    broken: AtomicBool,
}

impl Team {
    fn hire<'scope, 'env>(
        &'scope self,
        scope: &'scope Scope<'scope, 'env>,
        member: usize,
        work: &'scope (dyn Fn(usize) + Sync),
    ) -> Option<Thread> {
        let turns = move || {
            let mut done = 0;
            loop {
                wait(|| self.turn.load(Ordering::Acquire) != done);
                done = self.turn.load(Ordering::Acquire);
                if done == END {
                    return;
                }
                let _done = Done(self);
                work(member);
            }
        };
        let handle = std::thread::Builder::new()
            .spawn_scoped(scope, turns)
            .ok()?;
        Some(handle.thread().clone())
    }

    fn begin(&self, hired: usize) {
        self.left.store(hired, Ordering::Release);
        self.turn.fetch_add(1, Ordering::AcqRel);
        self.wake();
    }

    fn wake(&self) {
        self.others
            .get()
            .into_iter()
            .flatten()
            .for_each(Thread::unpark);
    }

    fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Acquire)
    }
}

/// Says that a member has done its part, or cannot.
struct Done<'t>(&'t Team);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.broken.store(true, Ordering::Release);
        }
        if self.0.left.fetch_sub(1, Ordering::AcqRel) == 1 || self.0.is_broken() {
            self.0.lead.unpark();
        }
    }
}

/// Lets the others end when the lead does, in whatever way.
struct Ending<'t>(&'t Team);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.turn.store(END, Ordering::Release);
        self.0.wake();
    }
}

/// Waits until it is time.
fn wait(is_time: impl Fn() -> bool) {
    for look in 0..LOOKS + YIELDS {
        if is_time() {
            return;
        }
        match look < LOOKS {
            true => std::hint::spin_loop(),
            false => std::thread::yield_now(),
        }
    }
    while !is_time() {
        std::thread::park();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::time::Duration;

    #[test]
    fn every_member_takes_every_turn() {
        for size in [0, 1, 2, 5] {
            let counts: Vec<Mutex<u32>> = (0..size.max(1)).map(|_| Mutex::new(0)).collect();
            let work = |member: usize| {
                if member == 3 {
                    // The others sleep.
                    std::thread::sleep(Duration::from_millis(1));
                }
                *counts[member].lock().unwrap() += 1;
            };
            let seen = together(size, &work, |turn| {
                for done in 1..=20 {
                    turn();
                    assert!(counts.iter().all(|count| *count.lock().unwrap() == done));
                }
                20
            });
            assert_eq!(seen, 20);
        }
    }

    #[test]
    fn a_panic_ends_the_team_and_is_heard() {
        let heard = std::panic::catch_unwind(|| {
            together(3, &|member| assert_ne!(member, 2), |turn| (turn(), turn()))
        });
        assert!(heard.is_err());
        let heard = std::panic::catch_unwind(|| together(3, &|_| (), |_| panic!("the lead")));
        assert!(heard.is_err());
    }
}
