//! Pixels in memory.

use crate::grammar::ir::{Canvas, CanvasMode};

/// A picture: ink (one channel, 255 is full ink) or colour (red, green, blue). A default one has no
/// pixels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Picture {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// 1 for ink, 3 for colour.
    pub channels: u8,
    /// `width * height * channels` bytes, row by row from the top.
    pub data: Vec<u8>,
}

impl Picture {
    /// A picture of one value in every byte: 0 is no ink, or black.
    pub fn filled(width: u32, height: u32, channels: u8, value: u8) -> Picture {
        let len = width as usize * height as usize * usize::from(channels);
        Picture {
            width,
            height,
            channels,
            data: vec![value; len],
        }
    }

    /// The empty picture of a canvas: no ink, or its background.
    pub fn blank(canvas: &Canvas) -> Picture {
        match canvas.mode {
            CanvasMode::Ink => Picture::filled(canvas.width, canvas.height, 1, 0),
            CanvasMode::Rgb { background } => {
                let pixels = canvas.width as usize * canvas.height as usize;
                Picture {
                    width: canvas.width,
                    height: canvas.height,
                    channels: 3,
                    data: background.repeat(pixels),
                }
            }
        }
    }

    /// Number of pixels.
    pub fn pixels(&self) -> usize {
        self.width as usize * self.height as usize
    }

    /// Whether both have the same width, height and channels.
    pub fn same_shape(&self, other: &Picture) -> bool {
        (self.width, self.height, self.channels) == (other.width, other.height, other.channels)
    }

    /// The pixel in column `x` and row `y` as people see it: ink is black on white.
    pub fn rgb(&self, x: u32, y: u32) -> [u8; 3] {
        if x >= self.width || y >= self.height {
            return [255; 3];
        }
        let at = (y as usize * self.width as usize + x as usize) * usize::from(self.channels);
        match self.data.get(at..at + usize::from(self.channels)) {
            Some(&[r, g, b]) => [r, g, b],
            Some(&[ink]) => [255 - ink; 3],
            _ => [255; 3],
        }
    }
}
