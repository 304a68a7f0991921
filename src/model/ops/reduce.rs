//! Sums over several workers: the hook for training on more than one device.
//!
//! In: each worker's buffer, of one length. Out: in every buffer the sum of all. Afterwards all workers have
//! the same bytes: the sum is taken in the order of the workers.
//!
//! Gradients live in one flat buffer, so one call is all that data-parallel training needs. Here are the
//! worker that is alone, and workers that are threads of this process; NCCL or MPI would be a third.

use std::fmt::Debug;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Why there is no sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReduceError {
    /// A worker has ended, so nobody may wait for it.
    #[error("another worker of this training run has ended")]
    Left,
    /// Buffers of different lengths.
    #[error("workers of one training run have {0} and {1} numbers to add up")]
    Length(usize, usize),
}

/// A worker among others that do the same.
pub trait AllReduce: Debug + Send {
    /// Which one, from 0.
    fn rank(&self) -> usize;
    /// How many there are.
    fn workers(&self) -> usize;
    /// Replaces the buffer by the sum over all workers; waits for them.
    ///
    /// # Errors
    ///
    /// When a worker has ended or brings another length. Then `buffer` is as it was.
    fn sum(&mut self, buffer: &mut [f32]) -> Result<(), ReduceError>;
}

/// The only worker: a sum is what it has.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl AllReduce for Alone {
    fn rank(&self) -> usize {
        0
    }

    fn workers(&self) -> usize {
        1
    }

    fn sum(&mut self, _: &mut [f32]) -> Result<(), ReduceError> {
        Ok(())
    }
}

/// A worker on a thread of this process, one of a [`group`].
#[derive(Debug)]
pub struct Member {
    rank: usize,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    turned: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// What each worker brought to this round.
    brought: Vec<Option<Vec<f32>>>,
    /// What has been made of the round before, and who has not taken it yet.
    sum: Result1,
    waiting: usize,
    round: u64,
    left: bool,
}

type Result1 = Option<Result<Arc<Vec<f32>>, ReduceError>>;

/// So many workers, at least one; each goes to a thread of its own.
pub fn group(workers: usize) -> Vec<Member> {
    let workers = workers.max(1);
    let shared = Arc::new(Shared {
        state: Mutex::new(State {
            brought: vec![None; workers],
            ..State::default()
        }),
        turned: Condvar::new(),
    });
    let member = |rank| Member {
        rank,
        shared: Arc::clone(&shared),
    };
    (0..workers).map(member).collect()
}

fn add_up(brought: &mut [Option<Vec<f32>>]) -> Result<Arc<Vec<f32>>, ReduceError> {
    let mut all = brought.iter_mut().filter_map(Option::take);
    let mut sum = all.next().unwrap_or_default();
    let mut wrong = None;
    for other in all {
        if other.len() != sum.len() {
            wrong = Some(ReduceError::Length(sum.len(), other.len()));
            continue;
        }
        for (sum, value) in sum.iter_mut().zip(other) {
            *sum += value;
        }
    }
    wrong.map_or_else(|| Ok(Arc::new(sum)), Err)
}

impl AllReduce for Member {
    fn rank(&self) -> usize {
        self.rank
    }

    fn workers(&self) -> usize {
        let state = self.shared.state.lock();
        state.unwrap_or_else(PoisonError::into_inner).brought.len()
    }

    fn sum(&mut self, buffer: &mut [f32]) -> Result<(), ReduceError> {
        let lock = self.shared.state.lock();
        let mut state = lock.unwrap_or_else(PoisonError::into_inner);
        let wait = |state| {
            let turned = self.shared.turned.wait(state);
            turned.unwrap_or_else(PoisonError::into_inner)
        };
        // The round before ends when everybody has its sum.
        while state.waiting > 0 && !state.left {
            state = wait(state);
        }
        if state.left {
            return Err(ReduceError::Left);
        }
        state.brought[self.rank] = Some(buffer.to_vec());
        let round = state.round;
        if state.brought.iter().all(Option::is_some) {
            state.sum = Some(add_up(&mut state.brought));
            state.waiting = state.brought.len();
            state.round += 1;
            self.shared.turned.notify_all();
        }
        while state.round == round {
            if state.left {
                return Err(ReduceError::Left);
            }
            state = wait(state);
        }
        let sum = state.sum.clone().unwrap_or(Err(ReduceError::Left));
        state.waiting -= 1;
        if state.waiting == 0 {
            state.sum = None;
            self.shared.turned.notify_all();
        }
        drop(state);
        buffer.copy_from_slice(&sum?);
        Ok(())
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let lock = self.shared.state.lock();
        lock.unwrap_or_else(PoisonError::into_inner).left = true;
        self.shared.turned.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_the_sum() {
        for workers in [1, 2, 5] {
            let threads: Vec<_> = group(workers)
                .into_iter()
                .map(|mut member| {
                    std::thread::spawn(move || {
                        let mut sums = Vec::new();
                        for round in 0..50 {
                            let mut buffer = vec![member.rank() as f32 + round as f32; 3];
                            member.sum(&mut buffer).unwrap();
                            sums.push(buffer);
                        }
                        // Nobody ends while others are at it: the next round is its own.
                        (member, sums)
                    })
                })
                .collect();
            let all: Vec<_> = threads.into_iter().map(|t| t.join().unwrap()).collect();
            for (member, sums) in &all {
                assert_eq!(member.workers(), workers);
                for (round, sum) in sums.iter().enumerate() {
                    let want = (0..workers).map(|rank| rank + round).sum::<usize>() as f32;
                    assert_eq!(sum, &vec![want; 3]);
                }
            }
        }
    }

    #[test]
    fn nobody_waits_for_who_has_left() {
        let mut members = group(2);
        let mut stays = members.remove(0);
        let waits = std::thread::spawn(move || stays.sum(&mut [1.0]));
        drop(members);
        assert_eq!(waits.join().unwrap(), Err(ReduceError::Left));
    }

    #[test]
    fn lengths_must_agree() {
        let threads: Vec<_> = group(2)
            .into_iter()
            .map(|mut member| {
                std::thread::spawn(move || {
                    let mut buffer = vec![1.0; 2 + member.rank()];
                    let sum = member.sum(&mut buffer);
                    (member, sum, buffer)
                })
            })
            .collect();
        for thread in threads {
            let (member, sum, buffer) = thread.join().unwrap();
            assert_eq!(sum, Err(ReduceError::Length(2, 3)));
            assert_eq!(buffer, vec![1.0; 2 + member.rank()]);
        }
    }
}
