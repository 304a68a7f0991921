//! Where the pixels of a bit plane are.
//!
//! In: the size of a canvas. Out: the words of pixels, rows and blocks.

use super::Palette;
use crate::render::Picture;

/// Rows are taken by so many at once: loops over them need no special case for the last few.
pub(super) const STEP: i32 = 32;

/// The next whole step up to which rows are taken.
pub(super) fn up(row: i32) -> i32 {
    down(row + STEP - 1)
}

/// The last whole step from which rows are taken.
pub(super) fn down(row: i32) -> i32 {
    row & -STEP
}

/// Where the pixels of a picture are: words of 64 pixels beside each other; words that stand one
/// below the other follow each other, column after column, plane after plane. So what is done to a
/// stack of rows is done to words in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) width: i32,
    pub(super) height: i32,
    /// Columns of words.
    pub(super) columns: u32,
    /// Rows of a column: those of the canvas and, below them, as many as make whole [`STEP`]s.
    pub(super) stack: i32,
    /// Words of a plane.
    pub(super) plane: usize,
    pub(super) planes: usize,
}

impl Layout {
    /// Sides beyond what a canvas may have count as that.
    pub(super) fn new(width: u32, height: u32, planes: usize) -> Layout {
        let side = |x: u32| i32::try_from(x).unwrap_or(i32::MAX);
        let columns = width.div_ceil(64);
        let stack = up(side(height).min(i32::MAX - STEP));
        Layout {
            width: side(width),
            height: side(height),
            columns,
            stack,
            plane: columns as usize * stack as usize,
            planes,
        }
    }

    /// Words of a column.
    pub(super) fn column(&self) -> usize {
        self.stack as usize
    }

    /// The word of a pixel within a plane.
    pub(super) fn word(&self, x: usize, y: usize) -> usize {
        x / 64 * self.column() + y
    }

    /// Words of rows in a column.
    #[inline(always)]
    pub(super) fn rows(&self, column: u32, rows: Rows) -> std::ops::Range<usize> {
        let start = column as usize * self.column();
        start + rows.0 as usize..start + rows.1 as usize
    }

    /// Pixels across in the words of a column.
    #[inline(always)]
    pub(super) fn across(&self, column: u32) -> i32 {
        (self.width - 64 * column as i32).min(64)
    }

    /// Planes as people see them.
    pub(super) fn picture(&self, words: &[u64], palette: &Palette) -> Picture {
        let ink = self.planes == 1 && *palette == Palette::ink();
        let (width, height) = (self.width.unsigned_abs(), self.height.unsigned_abs());
        let mut picture = Picture::filled(width, height, if ink { 1 } else { 3 }, 0);
        let channels = usize::from(picture.channels);
        for (at, pixel) in picture.data.chunks_exact_mut(channels).enumerate() {
            let (x, y) = (at % width as usize, at / width as usize);
            let code = (0..self.planes).fold(0u8, |code, plane| {
                let word = words[plane * self.plane + self.word(x, y)];
                code | ((word >> (x % 64) & 1) as u8) << plane
            });
            match pixel {
                [only] => *only = 255 * code,
                _ => pixel.copy_from_slice(&palette.color(code)),
            }
        }
        picture
    }
}

/// Rows from one up to another.
pub(super) type Rows = (i32, i32);

/// A box of words: columns of words from one up to another, and rows, in whole steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) columns: (u32, u32),
    pub(super) rows: Rows,
}

impl Block {
    pub(super) const EMPTY: Block = Block {
        columns: (0, 0),
        rows: (0, 0),
    };

    pub(super) fn is_empty(self) -> bool {
        self.columns.0 >= self.columns.1 || self.rows.0 >= self.rows.1
    }

    /// All of a canvas.
    pub(super) fn all(layout: &Layout) -> Block {
        Block {
            columns: (0, layout.columns),
            rows: (0, layout.stack),
        }
    }

    /// Around both.
    pub(super) fn hull(self, other: Block) -> Block {
        if self.is_empty() {
            return other;
        }
        if other.is_empty() {
            return self;
        }
        Block {
            columns: (
                self.columns.0.min(other.columns.0),
                self.columns.1.max(other.columns.1),
            ),
            rows: (self.rows.0.min(other.rows.0), self.rows.1.max(other.rows.1)),
        }
    }

    /// In both.
    pub(super) fn meet(self, other: Block) -> Block {
        let both = Block {
            columns: (
                self.columns.0.max(other.columns.0),
                self.columns.1.min(other.columns.1),
            ),
            rows: (self.rows.0.max(other.rows.0), self.rows.1.min(other.rows.1)),
        };
        if both.is_empty() { Block::EMPTY } else { both }
    }

    /// Its rows in a column.
    #[inline(always)]
    pub(super) fn rows_at(self, column: u32) -> Rows {
        if (self.columns.0..self.columns.1).contains(&column) {
            self.rows
        } else {
            (0, 0)
        }
    }
}
