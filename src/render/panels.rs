//! Pictures set side by side for people to compare, and sheets of many.
//!
//! In: [`Picture`]s of any size. Out: one colour picture: framed panels on light paper, small
//! pictures enlarged by whole factors, a label above each in letters of our own (labels are short
//! words; a character without a letter leaves a gap).

use super::Picture;

/// Around and between panels.
const MARGIN: u32 = 12;
/// From a panel to its label.
const GAP: u32 = 6;
const PAPER: [u8; 3] = [0xf6, 0xf6, 0xf4];
const FRAME: [u8; 3] = [0xc8, 0xc8, 0xc4];
const LETTER: [u8; 3] = [0x40, 0x40, 0x40];
/// What differs between colour pictures.
const SPOT: [u8; 3] = [0xd6, 0x28, 0x28];
/// Pixels for each dot of a letter.
const DOT: u32 = 2;
const LETTER_HEIGHT: u32 = 7;
/// Panels are enlarged to at least this many pixels across where a whole factor does it.
const COMFORTABLE: u32 = 256;

/// The panels in a row, in order, labels above; an empty label takes no room if all are empty.
pub fn side_by_side(panels: &[(&str, &Picture)]) -> Picture {
    sheet(panels, panels.len())
}

/// The panels in rows of `columns`.
pub fn sheet(panels: &[(&str, &Picture)], columns: usize) -> Picture {
    let columns = columns.max(1);
    let widest = panels.iter().map(|p| p.1.width).max().unwrap_or(0);
    let tallest = panels.iter().map(|p| p.1.height).max().unwrap_or(0);
    let zoom = (COMFORTABLE / widest.max(tallest).max(1)).clamp(1, 8);
    let zoom = if panels.len() > 12 { 1 } else { zoom };
    let label = if panels.iter().all(|p| p.0.is_empty()) {
        0
    } else {
        LETTER_HEIGHT * DOT + GAP
    };
    let (cell_w, cell_h) = (widest * zoom + 2, tallest * zoom + 2 + label);
    let rows = panels.len().div_ceil(columns) as u32;
    let across = panels.len().min(columns) as u32;
    let width = across * (cell_w + MARGIN) + MARGIN;
    let height = rows * (cell_h + MARGIN) + MARGIN;
    let mut page = Page(Picture {
        width,
        height,
        channels: 3,
        data: PAPER.repeat(width as usize * height as usize),
    });
    for (i, (name, picture)) in panels.iter().enumerate() {
        let x = MARGIN + (i % columns) as u32 * (cell_w + MARGIN);
        let y = MARGIN + (i / columns) as u32 * (cell_h + MARGIN);
        page.text(name, x + 1, y, cell_w);
        page.panel(picture, x, y + label, zoom);
    }
    page.0
}

/// Where two pictures differ. Ink: grey where both have it, red where only `target` has it, blue
/// where only `result` has it. Colour: the absolute difference, darker the more.
/// Pictures of different shape give `result` as it is.
pub fn difference(target: &Picture, result: &Picture) -> Picture {
    if !target.same_shape(result) {
        return result.clone();
    }
    let mut data = Vec::with_capacity(target.pixels() * 3);
    if target.channels == 1 {
        for (a, b) in target.data.iter().zip(&result.data) {
            let (both, red, blue) = ((*a).min(*b), a.saturating_sub(*b), b.saturating_sub(*a));
            // From white, each takes away the light of the other colours.
            let grey = 255 - u32::from(both) * 70 / 255;
            let less = |amount: u32| (grey.saturating_sub(amount)) as u8;
            let (red, blue) = (u32::from(red), u32::from(blue));
            data.extend([
                less(blue * 220 / 255 + red * 30 / 255),
                less(red * 210 / 255 + blue * 140 / 255),
                less(red * 210 / 255 + blue * 30 / 255),
            ]);
        }
    } else {
        let pairs = target.data.iter().zip(&result.data);
        data.extend(pairs.map(|(a, b)| 255 - a.abs_diff(*b)));
    }
    Picture {
        width: target.width,
        height: target.height,
        channels: 3,
        data,
    }
}

/// Where two pictures differ, such that no difference is faint. Ink: as [`difference`]. Colour: the
/// result in pale grey, and what differs in red, the stronger the more.
/// Pictures of different shape give `result` as it is.
pub fn spotted(target: &Picture, result: &Picture) -> Picture {
    if target.channels == 1 || !target.same_shape(result) {
        return difference(target, result);
    }
    let mut out = result.clone();
    for (pixel, before) in out
        .data
        .chunks_exact_mut(3)
        .zip(target.data.chunks_exact(3))
    {
        let far = pixel.iter().zip(before).map(|(a, b)| a.abs_diff(*b));
        let far = u32::from(far.max().unwrap_or(0));
        let light: u32 = pixel.iter().map(|c| u32::from(*c)).sum::<u32>() / 3;
        let pale = 255 - (255 - light) / 4;
        // In 256ths of the way to red.
        let way = if far == 0 { 0 } else { 110 + far * 146 / 255 };
        for (c, red) in pixel.iter_mut().zip(SPOT) {
            *c = ((pale * (256 - way) + u32::from(red) * way) / 256).min(255) as u8;
        }
    }
    out
}

struct Page(Picture);

impl Page {
    fn dot(&mut self, x: u32, y: u32, color: [u8; 3]) {
        if x < self.0.width && y < self.0.height {
            let at = (y as usize * self.0.width as usize + x as usize) * 3;
            self.0.data[at..at + 3].copy_from_slice(&color);
        }
    }

    fn panel(&mut self, picture: &Picture, x: u32, y: u32, zoom: u32) {
        let (w, h) = (picture.width * zoom, picture.height * zoom);
        for i in 0..w + 2 {
            self.dot(x + i, y, FRAME);
            self.dot(x + i, y + h + 1, FRAME);
        }
        for j in 0..h + 2 {
            self.dot(x, y + j, FRAME);
            self.dot(x + w + 1, y + j, FRAME);
        }
        for j in 0..h {
            for i in 0..w {
                let color = picture.rgb(i / zoom, j / zoom);
                self.dot(x + 1 + i, y + 1 + j, color);
            }
        }
    }

    fn text(&mut self, text: &str, x: u32, y: u32, room: u32) {
        let step = 6 * DOT;
        for (i, c) in (0u32..).zip(text.chars()) {
            let left = x + i * step;
            if (i + 1) * step > room {
                return;
            }
            for (row, bits) in (0u32..).zip(letter(c)) {
                for column in 0..5u32 {
                    if bits >> (4 - column) & 1 == 0 {
                        continue;
                    }
                    for dy in 0..DOT {
                        for dx in 0..DOT {
                            self.dot(left + column * DOT + dx, y + row * DOT + dy, LETTER);
                        }
                    }
                }
            }
        }
    }
}

/// Five by seven dots, a row a number, the leftmost dot the highest of five bits.
#[rustfmt::skip]
fn letter(c: char) -> [u8; 7] {
    match c.to_ascii_lowercase() {
        'a' => [0, 0, 0b01110, 0b00001, 0b01111, 0b10001, 0b01111],
        'b' => [0b10000, 0b10000, 0b11110, 0b10001, 0b10001, 0b10001, 0b11110],
        'c' => [0, 0, 0b01110, 0b10000, 0b10000, 0b10001, 0b01110],
        'd' => [0b00001, 0b00001, 0b01111, 0b10001, 0b10001, 0b10001, 0b01111],
        'e' => [0, 0, 0b01110, 0b10001, 0b11111, 0b10000, 0b01110],
        'f' => [0b00110, 0b01001, 0b01000, 0b11100, 0b01000, 0b01000, 0b01000],
        'g' => [0, 0, 0b01111, 0b10001, 0b01111, 0b00001, 0b11110],
        'h' => [0b10000, 0b10000, 0b11110, 0b10001, 0b10001, 0b10001, 0b10001],
        'i' => [0b00100, 0, 0b01100, 0b00100, 0b00100, 0b00100, 0b01110],
        'j' => [0b00010, 0, 0b00110, 0b00010, 0b00010, 0b10010, 0b01100],
        'k' => [0b10000, 0b10000, 0b10010, 0b10100, 0b11000, 0b10100, 0b10010],
        'l' => [0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110],
        'm' => [0, 0, 0b11010, 0b10101, 0b10101, 0b10101, 0b10101],
        'n' => [0, 0, 0b11110, 0b10001, 0b10001, 0b10001, 0b10001],
        'o' => [0, 0, 0b01110, 0b10001, 0b10001, 0b10001, 0b01110],
        'p' => [0, 0, 0b11110, 0b10001, 0b11110, 0b10000, 0b10000],
        'q' => [0, 0, 0b01111, 0b10001, 0b01111, 0b00001, 0b00001],
        'r' => [0, 0, 0b10110, 0b11001, 0b10000, 0b10000, 0b10000],
        's' => [0, 0, 0b01111, 0b10000, 0b01110, 0b00001, 0b11110],
        't' => [0b01000, 0b01000, 0b11100, 0b01000, 0b01000, 0b01001, 0b00110],
        'u' => [0, 0, 0b10001, 0b10001, 0b10001, 0b10011, 0b01101],
        'v' => [0, 0, 0b10001, 0b10001, 0b10001, 0b01010, 0b00100],
        'w' => [0, 0, 0b10001, 0b10101, 0b10101, 0b10101, 0b01010],
        'x' => [0, 0, 0b10001, 0b01010, 0b00100, 0b01010, 0b10001],
        'y' => [0, 0, 0b10001, 0b10001, 0b01111, 0b00001, 0b01110],
        'z' => [0, 0, 0b11111, 0b00010, 0b00100, 0b01000, 0b11111],
        '0' => [0b01110, 0b10001, 0b10011, 0b10101, 0b11001, 0b10001, 0b01110],
        '1' => [0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110],
        '2' => [0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111],
        '3' => [0b11110, 0b00001, 0b00001, 0b01110, 0b00001, 0b00001, 0b11110],
        '4' => [0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010],
        '5' => [0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110],
        '6' => [0b00110, 0b01000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110],
        '7' => [0b11111, 0b00001, 0b00010, 0b00100, 0b01000, 0b01000, 0b01000],
        '8' => [0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110],
        '9' => [0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00010, 0b01100],
        '.' => [0, 0, 0, 0, 0, 0b01100, 0b01100],
        ',' => [0, 0, 0, 0, 0b01100, 0b00100, 0b01000],
        ':' => [0, 0b01100, 0b01100, 0, 0b01100, 0b01100, 0],
        '-' => [0, 0, 0, 0b11111, 0, 0, 0],
        '_' => [0, 0, 0, 0, 0, 0, 0b11111],
        '+' => [0, 0b00100, 0b00100, 0b11111, 0b00100, 0b00100, 0],
        '=' => [0, 0, 0b11111, 0, 0b11111, 0, 0],
        '/' => [0b00001, 0b00001, 0b00010, 0b00100, 0b01000, 0b10000, 0b10000],
        '%' => [0b11000, 0b11001, 0b00010, 0b00100, 0b01000, 0b10011, 0b00011],
        '(' => [0b00010, 0b00100, 0b01000, 0b01000, 0b01000, 0b00100, 0b00010],
        ')' => [0b01000, 0b00100, 0b00010, 0b00010, 0b00010, 0b00100, 0b01000],
        '#' => [0b01010, 0b01010, 0b11111, 0b01010, 0b11111, 0b01010, 0b01010],
        _ => [0; 7],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_stand_in_rows_with_room_for_labels() {
        let picture = Picture::filled(128, 128, 1, 255);
        let row = side_by_side(&[("target", &picture), ("result", &picture)]);
        assert_eq!((row.width, row.height), (2 * 270 + 12, 278 + 2 * 12));
        let bare = side_by_side(&[("", &picture), ("", &picture)]);
        assert_eq!(bare.height, 258 + 2 * 12);
        // Ink is black inside its frame.
        assert_eq!(bare.rgb(12, 12), FRAME);
        assert_eq!(bare.rgb(13, 13), [0; 3]);
        let many: Vec<_> = (0..13).map(|_| ("", &picture)).collect();
        let sheet = sheet(&many, 4);
        assert_eq!((sheet.width, sheet.height), (4 * 142 + 12, 4 * 142 + 12));
    }

    #[test]
    fn nothing_to_show_is_a_small_page() {
        assert_eq!(side_by_side(&[]).width, MARGIN);
    }

    #[test]
    fn differences_are_white_where_there_are_none() {
        let a = Picture::filled(4, 4, 1, 0);
        assert!(difference(&a, &a).data.iter().all(|b| *b == 255));
        let mut b = a.clone();
        b.data[0] = 255;
        let [r, _, blue] = difference(&a, &b).rgb(0, 0);
        assert!(blue > 200 && r < 60, "only the result has it: blue");
        let [r, _, blue] = difference(&b, &a).rgb(0, 0);
        assert!(r > 200 && blue < 60, "only the target has it: red");
        let c = Picture::filled(4, 4, 3, 9);
        assert!(difference(&c, &c).data.iter().all(|b| *b == 255));
    }

    #[test]
    fn no_difference_of_colours_is_faint() {
        let a = Picture::filled(4, 4, 3, 120);
        let pale = spotted(&a, &a);
        assert!(pale.data.iter().all(|b| *b > 200 && *b < 255));
        let mut b = a.clone();
        b.data[0] += 3;
        let shown = spotted(&a, &b);
        let [r, g, blue] = shown.rgb(0, 0);
        assert!(r > g + 50 && r > blue + 50, "{r} {g} {blue}");
        assert_eq!(shown.data[3..], pale.data[3..]);
        b.data[0] = 255;
        let [_, stronger, _] = spotted(&a, &b).rgb(0, 0);
        assert!(stronger < g);
        assert_eq!(spotted(&a, &Picture::filled(1, 1, 3, 7)).pixels(), 1);
        let ink = Picture::filled(4, 4, 1, 0);
        assert_eq!(spotted(&ink, &ink), difference(&ink, &ink));
    }
}
