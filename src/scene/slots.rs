//! Places that are taken, given up and taken again.
//!
//! In: things. Out: the number of a place for each. Afterwards a place holds what was put there
//! last; memory is kept.

/// Things in numbered places.
#[derive(Debug)]
pub(super) struct Slots<T> {
    all: Vec<T>,
    free: Vec<u32>,
}

impl<T> Default for Slots<T> {
    fn default() -> Slots<T> {
        Slots {
            all: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<T> Slots<T> {
    /// Forgets everything but the memory.
    pub(super) fn clear(&mut self) {
        self.all.clear();
        self.free.clear();
    }

    /// Puts a thing in a free place: the one given up last, or a new one.
    #[inline]
    pub(super) fn put(&mut self, thing: T) -> u32 {
        if let Some(at) = self.free.pop() {
            self.all[at as usize] = thing;
            return at;
        }
        self.all.push(thing);
        // Evaluation stops long before: each part costs a step.
        u32::try_from(self.all.len() - 1).unwrap_or(u32::MAX)
    }

    /// Gives up a place.
    #[inline]
    pub(super) fn free(&mut self, at: u32) {
        self.free.push(at);
    }

    pub(super) fn get(&self, at: u32) -> Option<&T> {
        self.all.get(at as usize)
    }

    /// Number of places, taken or not.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }
}

impl<T> std::ops::Index<u32> for Slots<T> {
    type Output = T;

    #[inline]
    fn index(&self, at: u32) -> &T {
        &self.all[at as usize]
    }
}

impl<T> std::ops::IndexMut<u32> for Slots<T> {
    #[inline]
    fn index_mut(&mut self, at: u32) -> &mut T {
        &mut self.all[at as usize]
    }
}
