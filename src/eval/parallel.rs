//! Work on many things at the same time.
//!
//! In: a number of items, a number of workers. Out: results, each handed over as it comes.
//! Afterwards every item that was begun is done; after a stop no further one is begun.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Does `work` on `0..count`, in order, by so many workers, and hands each result to `done`, one at a
/// time. When `done` says `false`, or `interrupt` is set, no further item is begun.
pub fn each<T: Send>(
    count: usize,
    workers: usize,
    interrupt: &AtomicBool,
    work: &(dyn Fn(usize) -> T + Sync),
    done: &mut (dyn FnMut(usize, T) -> bool + Send),
) {
    let next = AtomicUsize::new(0);
    let stopped = AtomicBool::new(false);
    let done = Mutex::new(done);
    let worker = || {
        while !stopped.load(Ordering::SeqCst) && !interrupt.load(Ordering::SeqCst) {
            let item = next.fetch_add(1, Ordering::SeqCst);
            if item >= count {
                return;
            }
            let result = work(item);
            let Ok(mut done) = done.lock() else { return };
            if !done(item, result) {
                stopped.store(true, Ordering::SeqCst);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..workers.clamp(1, count.max(1)) {
            scope.spawn(worker);
        }
        worker();
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_done_once() {
        for workers in [0, 1, 3, 50] {
            let mut seen = vec![0; 20];
            let square = |item: usize| item * item;
            let still = AtomicBool::new(false);
            each(20, workers, &still, &square, &mut |item, result| {
                assert_eq!(result, item * item);
                seen[item] += 1;
                true
            });
            assert_eq!(seen, [1; 20], "{workers}");
        }
    }

    #[test]
    fn a_stop_ends_it() {
        let mut count = 0;
        let still = AtomicBool::new(false);
        each(1000, 4, &still, &|item| item, &mut |_, _| {
            count += 1;
            count < 5
        });
        // Those that were under way come in.
        assert!((5..9).contains(&count), "{count}");
        let pressed = AtomicBool::new(true);
        each(9, 2, &pressed, &|_| (), &mut |_, _| unreachable!());
    }
}
