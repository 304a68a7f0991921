//! Work that is done ahead on several threads and handed out in order.
//!
//! In: what a thread does with a [`Worker`]. Out: items 0, 1, 2 and so on, without end.
//! Afterwards the items come in order whatever the number of threads; at most `ahead` of them wait;
//! each is made in the buffer of an earlier one. Dropping [`Ahead`] stops the threads and waits for
//! them. A thread that panics, or ends by itself, ends the whole: nobody waits for what it took.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

/// The consumer's side.
#[derive(Debug)]
pub(super) struct Ahead<T> {
    shared: Arc<Shared<T>>,
    threads: Vec<JoinHandle<()>>,
    lent: Option<T>,
}

#[derive(Debug)]
struct Shared<T> {
    state: Mutex<State<T>>,
    /// A worker may take an item.
    room: Condvar,
    /// The item that the consumer waits for is there.
    ready: Condvar,
}

#[derive(Debug)]
struct State<T> {
    /// The item that is taken next by a worker.
    next: u64,
    /// The item that is handed out next.
    wanted: u64,
    /// Item `n` waits in slot `n % slots.len()`.
    slots: Vec<Option<T>>,
    /// Buffers that have been given back.
    spare: Vec<T>,
    /// No item is taken any more.
    stopped: bool,
}

impl<T> Shared<T> {
    /// Nothing panics while the lock is held, so what it guards is in order.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stop(&self) {
        self.lock().stopped = true;
        self.room.notify_all();
        self.ready.notify_all();
    }
}

/// A worker's side.
pub(super) struct Worker<T> {
    shared: Arc<Shared<T>>,
}

impl<T: Default> Worker<T> {
    /// The number of an item that nobody else makes, and a buffer for it; `None` when it is time
    /// to end. Waits while enough items are there.
    pub(super) fn take(&self) -> Option<(u64, T)> {
        let mut state = self.shared.lock();
        loop {
            if state.stopped {
                return None;
            }
            if state.next - state.wanted < state.slots.len() as u64 {
                let number = state.next;
                state.next += 1;
                return Some((number, state.spare.pop().unwrap_or_default()));
            }
            let waiting = self.shared.room.wait(state);
            state = waiting.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Hands in a finished item.
    pub(super) fn put(&self, number: u64, item: T) {
        let mut state = self.shared.lock();
        let slot = (number % state.slots.len() as u64) as usize;
        state.slots[slot] = Some(item);
        if number == state.wanted {
            self.shared.ready.notify_one();
        }
    }
}

impl<T> Drop for Worker<T> {
    /// Also in a panic: the consumer must not wait for an item that never comes.
    fn drop(&mut self) {
        self.shared.stop();
    }
}

impl<T: Default + Send + 'static> Ahead<T> {
    /// Starts so many threads, one at least; at most `ahead` items wait, one at least. `work`
    /// takes items until there are none.
    ///
    /// # Errors
    ///
    /// When no thread can be started. Some are enough.
    pub(super) fn start(
        threads: usize,
        ahead: usize,
        work: impl Fn(&Worker<T>) + Send + Sync + 'static,
    ) -> std::io::Result<Ahead<T>> {
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                next: 0,
                wanted: 0,
                slots: (0..ahead.max(1)).map(|_| None).collect(),
                spare: Vec::new(),
                stopped: false,
            }),
            room: Condvar::new(),
            ready: Condvar::new(),
        });
        let work = Arc::new(work);
        let mut running = Vec::new();
        for number in 0..threads.max(1) {
            let (worker_shared, work) = (Arc::clone(&shared), Arc::clone(&work));
            // The worker is made on its thread: one that never runs must not stop the others.
            let body = move || {
                let worker = Worker {
                    shared: worker_shared,
                };
                work(&worker);
            };
            match Builder::new().name(format!("ahead-{number}")).spawn(body) {
                Ok(thread) => running.push(thread),
                Err(error) if running.is_empty() => return Err(error),
                Err(_) => break,
            }
        }
        Ok(Ahead {
            shared,
            threads: running,
            lent: None,
        })
    }

    /// The next item, until the call after; `None` when a worker has broken off.
    pub(super) fn next(&mut self) -> Option<&T> {
        let mut state = self.shared.lock();
        state.spare.extend(self.lent.take());
        loop {
            let slot = (state.wanted % state.slots.len() as u64) as usize;
            if let Some(item) = state.slots[slot].take() {
                state.wanted += 1;
                drop(state);
                self.shared.room.notify_one();
                return Some(self.lent.insert(item));
            }
            if state.stopped {
                return None;
            }
            let waiting = self.shared.ready.wait(state);
            state = waiting.unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<T> Drop for Ahead<T> {
    fn drop(&mut self) {
        self.shared.stop();
        for thread in self.threads.drain(..) {
            // A panic has been told to whoever asked for the next item.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};

    use super::*;

    /// Counts threads that are in their work.
    struct Running(Arc<AtomicUsize>);

    impl Running {
        fn new(count: &Arc<AtomicUsize>) -> Running {
            count.fetch_add(1, SeqCst);
            Running(Arc::clone(count))
        }
    }

    impl Drop for Running {
        fn drop(&mut self) {
            self.0.fetch_sub(1, SeqCst);
        }
    }

    fn squares(worker: &Worker<Vec<u64>>) {
        while let Some((number, mut item)) = worker.take() {
            item.clear();
            // Later items are quicker, so that they are done before earlier ones.
            for _ in 0..1000 - 100 * (number % 10) {
                std::thread::yield_now();
            }
            item.push(number * number);
            worker.put(number, item);
        }
    }

    #[test]
    fn items_come_in_order() {
        for threads in [0, 1, 2, 5] {
            for waiting in [0, 1, 3, 16] {
                let mut ahead = Ahead::start(threads, waiting, squares).unwrap();
                for number in 0..200u64 {
                    assert_eq!(ahead.next().unwrap(), &[number * number]);
                }
            }
        }
    }

    #[test]
    fn dropping_ends_the_threads() {
        for taken in [0, 1, 7] {
            let count = Arc::new(AtomicUsize::new(0));
            let inner = Arc::clone(&count);
            let mut ahead = Ahead::start(4, 2, move |worker: &Worker<Vec<u64>>| {
                let _running = Running::new(&inner);
                squares(worker);
            })
            .unwrap();
            for _ in 0..taken {
                ahead.next().unwrap();
            }
            drop(ahead);
            assert_eq!(count.load(SeqCst), 0);
        }
    }

    #[test]
    fn workers_wait_for_the_consumer_and_buffers_come_back() {
        const WAITING: u64 = 3;
        let given = Arc::new(AtomicU64::new(0));
        let (too_far, seen) = (Arc::new(AtomicU64::new(0)), Arc::clone(&given));
        let far = Arc::clone(&too_far);
        let made = Arc::new(AtomicUsize::new(0));
        #[derive(Default)]
        struct Buffer(Option<usize>);
        let count = Arc::clone(&made);
        let work = move |worker: &Worker<Buffer>| {
            while let Some((number, mut buffer)) = worker.take() {
                // The consumer counts what it got after it got it.
                if number >= seen.load(SeqCst) + 1 + WAITING {
                    far.fetch_add(1, SeqCst);
                }
                let fresh = || count.fetch_add(1, SeqCst);
                buffer.0.get_or_insert_with(fresh);
                worker.put(number, buffer);
            }
        };
        let mut ahead = Ahead::start(2, WAITING as usize, work).unwrap();
        for number in 0..500 {
            ahead.next().unwrap();
            given.store(number + 1, SeqCst);
        }
        drop(ahead);
        assert_eq!(too_far.load(SeqCst), 0);
        // Those that wait, one for the consumer.
        assert!(made.load(SeqCst) <= WAITING as usize + 1, "{made:?}");
    }

    #[test]
    fn a_panic_is_no_hang() {
        for threads in [1, 3] {
            let mut ahead = Ahead::start(threads, 4, |worker: &Worker<Vec<u64>>| {
                while let Some((number, mut item)) = worker.take() {
                    assert!(number != 9, "on purpose");
                    item.clear();
                    item.push(number);
                    worker.put(number, item);
                }
            })
            .unwrap();
            let mut wanted = 0;
            while let Some(item) = ahead.next() {
                assert_eq!(item, &[wanted]);
                wanted += 1;
            }
            assert!(wanted <= 9, "{wanted}");
            assert!(ahead.next().is_none());
        }
        // A worker that gives up by itself.
        let mut ahead = Ahead::start(2, 4, |_: &Worker<Vec<u64>>| {}).unwrap();
        assert!(ahead.next().is_none());
    }
}
