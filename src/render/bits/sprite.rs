//! Sprites: small pictures that can stand anywhere, and what they are worth where they stand.
//!
//! In: the layers that a part of a program draws on its own. Out: [`Sprite`], its pixels by colour in
//! runs, about the part's own origin. Then a [`Ground`]: a target in colours and, between sprites that lie
//! below and others that lie above, a hole. Afterwards the cost of the picture with any sprite
//! anywhere in the hole is a sum over its runs of two numbers each; and for all places of a sprite
//! at once it is a few additions of rows.

use multiversion::multiversion;

use super::runs::{Found, PlacedRuns};
use super::{Bits, Palette};
use crate::render::Picture;
use crate::scene::{Content, Layer, Paint, Region, Scene, shape_bounds};

/// A row of pixels of one colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    y: i16,
    from: i16,
    to: i16,
    code: u8,
}

/// A box of whole pixels, right and bottom excluded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Left.
    pub left: i32,
    /// Top.
    pub top: i32,
    /// Right.
    pub right: i32,
    /// Bottom.
    pub bottom: i32,
}

impl Extent {
    /// From left to right, in pixels.
    pub fn width(self) -> i32 {
        self.right - self.left
    }

    /// From top to bottom, in pixels.
    pub fn height(self) -> i32 {
        self.bottom - self.top
    }

    /// Around both.
    #[must_use]
    pub fn around(self, other: Extent) -> Extent {
        Extent {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    /// Moved.
    #[must_use]
    pub fn shifted(self, (dx, dy): (i32, i32)) -> Extent {
        Extent {
            left: self.left + dx,
            top: self.top + dy,
            right: self.right + dx,
            bottom: self.bottom + dy,
        }
    }

    /// Whether they have pixels in common.
    pub fn meets(self, other: Extent) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }
}

/// The pixels of a part, by colour.
#[derive(Clone, Debug, Default)]
pub struct Sprite {
    runs: Vec<Run>,
    extent: Extent,
    /// For each colour the number of pixels.
    counts: Vec<u32>,
}

impl Sprite {
    /// The box around its pixels.
    pub fn extent(&self) -> Extent {
        self.extent
    }

    /// Whether it has no pixels.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Pixels of a colour of the palette.
    pub fn count(&self, code: u8) -> u32 {
        self.counts.get(usize::from(code)).copied().unwrap_or(0)
    }

    /// Whether the two have a pixel in common where they are.
    pub fn overlaps(&self, at: (i32, i32), other: &Sprite, there: (i32, i32)) -> bool {
        if !self.extent.shifted(at).meets(other.extent.shifted(there)) {
            return false;
        }
        let (dx, dy) = (there.0 - at.0, there.1 - at.1);
        let mut theirs = other.runs.as_slice();
        self.runs.iter().any(|run| {
            let (y, from, to) = (i32::from(run.y), i32::from(run.from), i32::from(run.to));
            while let Some((first, rest)) = theirs.split_first()
                && i32::from(first.y) + dy < y
            {
                theirs = rest;
            }
            let row = theirs.iter().take_while(|run| i32::from(run.y) + dy == y);
            let mut row = row.map(|run| (i32::from(run.from) + dx, i32::from(run.to) + dx));
            row.any(|(start, end)| start < to && from < end)
        })
    }

    /// Bytes of it.
    pub fn bytes(&self) -> usize {
        self.runs.len() * size_of::<Run>() + size_of::<Sprite>()
    }
}

/// Widest canvas: sums over rows have 16 bits.
const WIDEST: u32 = 4000;

/// Longest side of a sprite, in sides of the canvas.
const LONGEST: f64 = 2.0;

/// What is painted so far: rows from the top, each a list of runs from left to right.
#[derive(Debug, Default)]
struct Rows {
    top: i32,
    rows: Vec<Vec<(i32, i32, u8)>>,
}

impl Rows {
    fn paint(&mut self, y: i32, from: i32, to: i32, code: u8) {
        if self.rows.is_empty() {
            self.top = y;
        }
        if y < self.top {
            let more = (self.top - y) as usize;
            self.rows.splice(0..0, (0..more).map(|_| Vec::new()));
            self.top = y;
        }
        let at = (y - self.top) as usize;
        if at >= self.rows.len() {
            self.rows.resize_with(at + 1, Vec::new);
        }
        let row = &mut self.rows[at];
        let mut next = Vec::with_capacity(row.len() + 2);
        for (a, b, under) in row.drain(..) {
            if a < from {
                next.push((a, b.min(from), under));
            }
            if b > to {
                next.push((a.max(to), b, under));
            }
        }
        next.push((from, to, code));
        next.sort_unstable();
        *row = next;
    }
}

impl Bits {
    /// The pixels of a scene of layers, wherever it is put by whole pixels. `None` when layers are
    /// more than single shapes, or larger than a canvas or two.
    pub fn sprite(&mut self, scene: &Scene) -> Option<Sprite> {
        let Content::Layers(layers) = &scene.content else {
            return None;
        };
        let mut rows = Rows::default();
        for layer in layers {
            let (found, code) = self.whole_layer(scene, layer)?;
            let Found::Runs(PlacedRuns { runs, dx, dy }) = found else {
                continue;
            };
            let runs = self.store.runs(runs);
            let (dx, dy) = (dx + layer.offset.0, dy + layer.offset.1);
            for stratum in runs.strata() {
                let (starts, ends) = stratum.runs((0, stratum.rows()));
                let left = runs.area.left + dx;
                for ((from, to), y) in starts.iter().zip(ends).zip(stratum.top + dy..) {
                    if from < to {
                        rows.paint(y, left + i32::from(*from), left + i32::from(*to), code);
                    }
                }
            }
        }
        let mut sprite = Sprite::default();
        for (row, y) in rows.rows.iter().zip(rows.top..) {
            for (from, to, code) in row {
                let extent = Extent {
                    left: *from,
                    top: y,
                    right: *to,
                    bottom: y + 1,
                };
                sprite.extent = match sprite.runs.is_empty() {
                    true => extent,
                    false => sprite.extent.around(extent),
                };
                sprite.runs.push(Run {
                    y: i16::try_from(y).ok()?,
                    from: i16::try_from(*from).ok()?,
                    to: i16::try_from(*to).ok()?,
                    code: *code,
                });
                let code = usize::from(*code);
                if sprite.counts.len() <= code {
                    sprite.counts.resize(code + 1, 0);
                }
                sprite.counts[code] += (to - from) as u32;
            }
        }
        Some(sprite)
    }

    /// The runs of a layer wherever it is, and its colour.
    fn whole_layer(&mut self, scene: &Scene, layer: &Layer) -> Option<(Found, u8)> {
        let Region::Shape { shape, at } = scene.regions.get(layer.region.0 as usize)? else {
            return None;
        };
        let bounds = shape_bounds(shape, at);
        let most = LONGEST * f64::from(self.layout.width.max(self.layout.height));
        let sides = [bounds.x0, bounds.y0, bounds.x1, bounds.y1];
        if !sides.iter().all(|side| side.abs() <= most) {
            return None;
        }
        Some(match layer.paint {
            Paint::Fill(color) => (
                self.store.shape(shape, at, 0.0),
                self.target.palette.code_of_paint(color),
            ),
            Paint::Stroke { color, width } => {
                let (found, only_here) = self.draw_edge(scene, layer, width).ok()?;
                if only_here.is_some() {
                    return None;
                }
                (found, self.target.palette.code_of_paint(color))
            }
        })
    }
}

/// What a pixel of another colour than the target's costs, in the units of a ground.
pub const WHOLE: u32 = 8;

/// A target in colours, and a hole between what lies below and what lies above.
///
/// A pixel of another colour than the target's costs [`WHOLE`]. On an edge, where the target's colours
/// are blended, one is cheaper as it is nearer to the blend, and the nearest costs nothing.
#[derive(Clone, Debug)]
pub struct Ground {
    width: i32,
    height: i32,
    /// For each colour of the palette, what it costs at each pixel.
    costs: Vec<Vec<u8>>,
    /// For each pixel the colour that costs nothing.
    target: Vec<u8>,
    /// What the picture costs at each pixel without anything in the hole.
    now: Vec<u8>,
    /// 1 where the hole can be seen.
    seen: Vec<u8>,
    wrong: u32,
    tables: Vec<Table>,
    /// Columns before and behind those of the canvas.
    margin: i32,
    sums: Vec<i32>,
    /// The number of the hole.
    hole: u64,
}

/// What pixels of one colour are worth: row by row, for each column and one past the last, the sum over
/// the pixels before it, with margins as if nothing were there.
#[derive(Clone, Debug, Default)]
struct Table {
    /// The hole that it is about.
    hole: u64,
    before: Vec<i16>,
}

/// What a sprite is worth in all places where it can be seen.
#[derive(Clone, Copy, Debug)]
pub struct Scan<'a> {
    /// The place of the first value.
    pub first: (i32, i32),
    /// Places in a row.
    pub across: usize,
    /// For each place by how much the cost changes with the sprite there.
    pub values: &'a [i32],
}

impl Scan<'_> {
    /// The place of a value.
    pub fn place(&self, index: usize) -> (i32, i32) {
        (
            self.first.0 + (index % self.across) as i32,
            self.first.1 + (index / self.across) as i32,
        )
    }
}

impl Ground {
    /// A ground for a target picture, in the colours of a palette; `None` when it is too wide.
    pub fn new(palette: &Palette, picture: &Picture) -> Option<Ground> {
        if picture.channels != 3 || picture.width > WIDEST || picture.pixels() == 0 {
            return None;
        }
        let colors = palette.colors();
        let far = |a: [u8; 3], b: [u8; 3]| -> u32 {
            a.iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(b))).sum()
        };
        // Colours that are told apart are at least so far apart.
        let mut apart = 3 * 255;
        for (index, a) in colors.iter().enumerate() {
            for b in &colors[..index] {
                apart = apart.min(far(*a, *b).max(1));
            }
        }
        let mut costs = vec![Vec::with_capacity(picture.pixels()); palette.len()];
        let mut target = Vec::with_capacity(picture.pixels());
        let mut at_pixel = Vec::new();
        for pixel in picture.data.chunks_exact(3) {
            let pixel = [pixel[0], pixel[1], pixel[2]];
            at_pixel.clear();
            at_pixel.extend(colors.iter().map(|color| far(*color, pixel)));
            let nearest = (0..colors.len()).min_by_key(|code| at_pixel[*code]);
            let least = at_pixel.iter().copied().min().unwrap_or(0);
            target.push(nearest.unwrap_or(0) as u8);
            // A colour that is none of the palette's is nowhere near.
            at_pixel.resize(palette.len(), least + apart);
            for (costs, far) in costs.iter_mut().zip(&at_pixel) {
                let farther = (far - least).min(apart);
                costs.push(((farther * WHOLE + apart / 2) / apart) as u8);
            }
        }
        let pixels = target.len();
        Some(Ground {
            width: picture.width.cast_signed(),
            height: picture.height.cast_signed(),
            target,
            now: vec![0; pixels],
            seen: vec![1; pixels],
            wrong: 0,
            tables: vec![Table::default(); costs.len()],
            costs,
            margin: picture.width.cast_signed(),
            sums: Vec::new(),
            hole: 0,
        })
    }

    /// Columns and rows.
    pub fn size(&self) -> (i32, i32) {
        (self.width, self.height)
    }

    /// What these sprites cost, each over those before it.
    pub fn draw<'s>(&mut self, sprites: impl Iterator<Item = (&'s Sprite, (i32, i32))>) -> u32 {
        self.open(sprites, std::iter::empty())
    }

    /// Makes a hole over some sprites and under others, and says what the picture costs with
    /// nothing in it.
    pub fn open<'s>(
        &mut self,
        below: impl Iterator<Item = (&'s Sprite, (i32, i32))>,
        above: impl Iterator<Item = (&'s Sprite, (i32, i32))>,
    ) -> u32 {
        self.hole += 1;
        self.now.copy_from_slice(&self.costs[0]);
        self.seen.fill(1);
        for (sprite, at) in below {
            for (code, cells) in cells(sprite, at, (self.width, self.height)) {
                let costs = &self.costs[usize::from(code)];
                self.now[cells.clone()].copy_from_slice(&costs[cells]);
            }
        }
        for (sprite, at) in above {
            for (code, cells) in cells(sprite, at, (self.width, self.height)) {
                let costs = &self.costs[usize::from(code)];
                self.now[cells.clone()].copy_from_slice(&costs[cells.clone()]);
                self.seen[cells].fill(0);
            }
        }
        self.wrong = sum(&self.now);
        self.wrong
    }

    /// What the picture costs with nothing in the hole.
    pub fn wrong(&self) -> u32 {
        self.wrong
    }

    /// By how much that changes with a sprite in the hole.
    pub fn worth(&mut self, sprite: &Sprite, (dx, dy): (i32, i32)) -> i32 {
        self.prepare(sprite);
        let stride = self.stride();
        let mut sum = 0;
        for run in &sprite.runs {
            let y = i32::from(run.y) + dy;
            if !(0..self.height).contains(&y) {
                continue;
            }
            let column = |x: i16| (i32::from(x) + dx).clamp(0, self.width) + self.margin;
            let row = &self.tables[usize::from(run.code)].before[y as usize * stride..];
            sum += i32::from(row[column(run.to) as usize]);
            sum -= i32::from(row[column(run.from) as usize]);
        }
        sum
    }

    /// The same for all places in which the sprite can be seen; `None` when it is too wide, or has no
    /// pixels.
    pub fn scan(&mut self, sprite: &Sprite) -> Option<Scan<'_>> {
        let extent = sprite.extent;
        if sprite.is_empty() || extent.width() > self.width {
            return None;
        }
        self.prepare(sprite);
        let stride = self.stride();
        // So that the last column is over the first of the canvas, and the other way round.
        let first = (1 - extent.right, 1 - extent.bottom);
        let across = (self.width + extent.width() - 1) as usize;
        let down = (self.height + extent.height() - 1) as usize;
        self.sums.clear();
        self.sums.resize(across * down, 0);
        for run in &sprite.runs {
            let before = &self.tables[usize::from(run.code)].before;
            // The row of places that has this run in the canvas's first row.
            let top = -i32::from(run.y) - first.1;
            let rows = before.chunks_exact(stride);
            let from = (self.margin + i32::from(run.from) + first.0) as usize;
            let to = (self.margin + i32::from(run.to) + first.0) as usize;
            let sums = self.sums.chunks_exact_mut(across).skip(top.max(0) as usize);
            for (sums, row) in sums.zip(rows) {
                add_difference(sums, &row[to..to + across], &row[from..from + across]);
            }
        }
        Some(Scan {
            first,
            across,
            values: &self.sums,
        })
    }

    /// A pixel that is wrong and can be mended, chosen by `pick` from so many: the colour that it
    /// should have, and where it is.
    pub fn blot(&self, pick: impl FnOnce(u32) -> u32) -> Option<(u8, (i32, i32))> {
        let pixels = self.now.iter().zip(&self.seen);
        let wrong = |(now, seen): (&u8, &u8)| 2 * u32::from(*now) > WHOLE && *seen == 1;
        let count = pixels.clone().filter(|p| wrong(*p)).count() as u32;
        if count == 0 {
            return None;
        }
        let wanted = pick(count).min(count - 1) as usize;
        let (at, _) = pixels.enumerate().filter(|(_, p)| wrong(*p)).nth(wanted)?;
        let place = (at as i32 % self.width, at as i32 / self.width);
        Some((self.target[at], place))
    }

    /// The box around the pixels of a colour in the target that hang together with one of them in rows
    /// and columns.
    pub fn patch(&self, code: u8, (x, y): (i32, i32)) -> Extent {
        let is = |x: i32, y: i32| {
            (0..self.width).contains(&x)
                && (0..self.height).contains(&y)
                && self.target[(y * self.width + x) as usize] == code
        };
        let run = |dx: i32, dy: i32| (1..).find(|n| !is(x + n * dx, y + n * dy)).unwrap_or(1);
        Extent {
            left: x - run(-1, 0) + 1,
            top: y - run(0, -1) + 1,
            right: x + run(1, 0),
            bottom: y + run(0, 1),
        }
    }

    fn stride(&self) -> usize {
        (self.width + 2 * self.margin + 1) as usize
    }

    /// Makes the tables of a sprite's colours.
    fn prepare(&mut self, sprite: &Sprite) {
        let stride = self.stride();
        let colors = sprite.counts.iter().enumerate();
        for (code, _) in colors.filter(|(_, count)| **count > 0) {
            let table = &mut self.tables[code];
            if table.hole == self.hole {
                continue;
            }
            table.hole = self.hole;
            table.before.resize(stride * self.height as usize, 0);
            let width = self.width as usize;
            let rows = table.before.chunks_exact_mut(stride);
            let pixels = self.costs[code].chunks_exact(width);
            let pixels = pixels.zip(self.now.chunks_exact(width));
            let pixels = pixels.zip(self.seen.chunks_exact(width));
            for (out, ((costs, now), seen)) in rows.zip(pixels) {
                let margin = self.margin as usize;
                let mut sum = 0i16;
                let cells = costs.iter().zip(now).zip(seen);
                for (out, ((cost, now), seen)) in out[margin + 1..].iter_mut().zip(cells) {
                    let change = i16::from(*cost) - i16::from(*now);
                    sum += change * i16::from(*seen);
                    *out = sum;
                }
                out[margin + width + 1..].fill(sum);
            }
        }
    }
}

/// The runs of a sprite that are on the canvas: colours, and where they are in a picture.
fn cells<'s>(
    sprite: &'s Sprite,
    (dx, dy): (i32, i32),
    (width, height): (i32, i32),
) -> impl Iterator<Item = (u8, std::ops::Range<usize>)> + use<'s> {
    sprite.runs.iter().filter_map(move |run| {
        let y = i32::from(run.y) + dy;
        let from = (i32::from(run.from) + dx).clamp(0, width);
        let to = (i32::from(run.to) + dx).clamp(0, width);
        ((0..height).contains(&y) && from < to).then(|| {
            let row = y * width;
            (run.code, (row + from) as usize..(row + to) as usize)
        })
    })
}

#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl",
    "x86_64+avx2+bmi1+bmi2+popcnt"
))]
fn add_difference(sums: &mut [i32], plus: &[i16], minus: &[i16]) {
    for ((sum, plus), minus) in sums.iter_mut().zip(plus).zip(minus) {
        *sum += i32::from(*plus) - i32::from(*minus);
    }
}

#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl",
    "x86_64+avx2+bmi1+bmi2+popcnt"
))]
fn sum(bytes: &[u8]) -> u32 {
    // So many bytes at most, each at most `WHOLE`, are less than 2^16.
    let chunks = bytes.chunks(4096);
    chunks
        .map(|chunk| u32::from(chunk.iter().map(|b| u16::from(*b)).sum::<u16>()))
        .sum()
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};

    use super::*;
    use crate::Compiled;
    use crate::sample::Rng;
    use crate::scene::piece::Pieces;
    use crate::scene::testing::pictures;
    use crate::tree::Program;

    /// A sprite and where it is.
    type At = (Sprite, (i32, i32));

    fn tinysvg() -> Compiled {
        let mut all = pictures();
        let at = all.iter().position(|c| c.grammar.name == "tinysvg");
        all.swap_remove(at.unwrap())
    }

    fn part(compiled: &Compiled, rng: &mut Rng) -> Program {
        let colors = ["red", "green", "white", "black", "none"];
        let text = format!(
            "({} {} {} {} {} {})",
            ["Rectangle", "Ellipse"][rng.random_range(0..2)],
            rng.random_range(1..10),
            rng.random_range(1..10),
            colors[rng.random_range(0..5)],
            colors[rng.random_range(0..5)],
            rng.random_range(0..10),
        );
        compiled.parse(&text).unwrap()
    }

    /// A scene of parts in places, and their sprites.
    fn scattered(
        compiled: &Compiled,
        bits: &mut Bits,
        count: usize,
        rng: &mut Rng,
    ) -> (Scene, Vec<At>) {
        let mut pieces = Pieces::new(&compiled.grammar);
        let mut regions = Vec::new();
        let mut layers = Vec::new();
        let mut sprites = Vec::new();
        for _ in 0..count {
            let at = (rng.random_range(-10..138), rng.random_range(-10..138));
            let part = part(compiled, rng);
            let (scene, _) = pieces.layers(&part).unwrap();
            sprites.push((bits.sprite(scene).unwrap(), at));
            let Content::Layers(own) = &scene.content else {
                unreachable!()
            };
            for layer in own {
                let mut layer = layer.clone();
                layer.region.0 += regions.len() as u32;
                layer.offset = (layer.offset.0 + at.0, layer.offset.1 + at.1);
                layers.push(layer);
            }
            regions.extend_from_slice(&scene.regions);
        }
        let scene = Scene {
            canvas: compiled.grammar.canvas.clone().unwrap(),
            regions,
            content: Content::Layers(layers),
        };
        (scene, sprites)
    }

    fn set_up(compiled: &Compiled, rng: &mut Rng) -> (Bits, Ground) {
        let canvas = compiled.grammar.canvas.as_ref().unwrap();
        let blank = Picture::blank(canvas);
        let mut bits = Bits::new(super::super::Target::new(&compiled.grammar, &blank)).unwrap();
        let (scene, _) = scattered(compiled, &mut bits, 5, rng);
        bits.draw(&scene).unwrap();
        // Pixels of pure colours: each costs nothing or a whole.
        let target = bits.picture();
        let target_bits = super::super::Target::new(&compiled.grammar, &target);
        let ground = Ground::new(target_bits.palette(), &target).unwrap();
        (Bits::new(target_bits).unwrap(), ground)
    }

    #[test]
    fn sprites_in_their_places_are_the_picture() {
        let compiled = tinysvg();
        let mut rng = Rng::seed_from_u64(1);
        for _ in 0..40 {
            let (mut bits, mut ground) = set_up(&compiled, &mut rng);
            let (scene, sprites) = scattered(&compiled, &mut bits, 6, &mut rng);
            let wrong = bits.draw(&scene).unwrap();
            let cost = ground.draw(sprites.iter().map(|(sprite, at)| (sprite, *at)));
            assert_eq!(u64::from(cost), wrong * u64::from(WHOLE));
        }
    }

    #[test]
    fn what_a_sprite_is_worth_in_a_hole_is_what_drawing_it_there_changes() {
        let compiled = tinysvg();
        let mut rng = Rng::seed_from_u64(2);
        for _ in 0..40 {
            let (mut bits, mut ground) = set_up(&compiled, &mut rng);
            let (_, mut sprites) = scattered(&compiled, &mut bits, 6, &mut rng);
            let all = |sprites: &[At], ground: &mut Ground| {
                ground.draw(sprites.iter().map(|(sprite, at)| (sprite, *at)))
            };
            for level in 0..sprites.len() {
                let whole = all(&sprites, &mut ground);
                let (below, above) = (&sprites[..level], &sprites[level + 1..]);
                let without = ground.open(
                    below.iter().map(|(sprite, at)| (sprite, *at)),
                    above.iter().map(|(sprite, at)| (sprite, *at)),
                );
                let (sprite, at) = sprites[level].clone();
                let worth = ground.worth(&sprite, at);
                assert_eq!(i64::from(without) + i64::from(worth), i64::from(whole));
                // And in every place at once.
                let Some(scan) = ground.scan(&sprite) else {
                    assert!(sprite.is_empty());
                    continue;
                };
                let places: Vec<_> = (0..scan.values.len())
                    .step_by(331)
                    .map(|index| (scan.place(index), scan.values[index]))
                    .collect();
                for (place, value) in places {
                    assert_eq!(ground.worth(&sprite, place), value, "{place:?}");
                }
                sprites[level].1.0 += 3;
            }
        }
    }

    #[test]
    fn sprites_overlap_where_they_have_a_pixel_in_common() {
        let compiled = tinysvg();
        let mut rng = Rng::seed_from_u64(3);
        let (mut bits, _) = set_up(&compiled, &mut rng);
        let (_, sprites) = scattered(&compiled, &mut bits, 60, &mut rng);
        let pixels = |(sprite, at): &At| {
            let cells = cells(sprite, (at.0 + 100, at.1 + 100), (400, 400));
            cells
                .flat_map(|(_, cells)| cells)
                .collect::<std::collections::BTreeSet<_>>()
        };
        let mut both = [0, 0];
        for a in &sprites {
            for b in &sprites {
                let common = !pixels(a).is_disjoint(&pixels(b));
                assert_eq!(a.0.overlaps(a.1, &b.0, b.1), common);
                both[usize::from(common)] += 1;
            }
        }
        assert!(both[0] > 100 && both[1] > 100, "{both:?}");
    }
}
