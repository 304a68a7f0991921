//! Glimpses: what each node of a program has to do with the picture, small.
//!
//! In: a grammar that draws, a target's picture, programs. Out: [`Seen`], for each node three small pictures: where
//! the node shows and the target agrees, where it shows and the target does not, and where it does not show but
//! could, as the target has it. Afterwards every node has a glimpse: what draws nothing itself, a number say,
//! has that of the nearest node above it which does.
//!
//! They are read off the draw algebra. A node whose value is a region is drawn twice more, as nothing and as all
//! of the plane ([`Live::fill`]): where these two pictures differ, the node decides. It shows where the program's
//! own picture is the one of the whole plane. A node whose value is a drawing is drawn once more without its
//! layers, which take the room they took, so that nothing moves in a layout; it could show anywhere, so it has no third
//! picture. Where pictures depend on the bounds of regions, a region has no glimpse of its own.
//!
//! All of this is on bit planes, colours told apart by the palette. Of a sketch the strokes are the target's ink: what
//! agrees is then what lies under strokes.

use super::{Bits, Layout, Target, loops};
use crate::grammar::expr::Type;
use crate::grammar::ids::NtId;
use crate::grammar::ir::{Grammar, NonterminalKind};
use crate::render::{Picture, RenderError};
use crate::scene::eval::NotDrawable;
use crate::scene::live::Filling;
use crate::scene::{Content, Live};
use crate::tree::{Edit, Program};

/// Cells of a glimpse, down and across.
pub const GLIMPSE_SIDE: usize = 16;
/// Pictures of a glimpse: right, wrong, missing.
pub const GLIMPSE_PLANES: usize = 3;
/// Bytes of a glimpse.
pub const GLIMPSE: usize = GLIMPSE_PLANES * GLIMPSE_SIDE * GLIMPSE_SIDE;

/// The glimpses of a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Glimpses of [`GLIMPSE`] bytes each, plane after plane, row after row: which share of a cell's pixels it is,
    /// 255 for all of them. The first is blank.
    pub glimpses: Vec<u8>,
    /// For each node the number of its glimpse.
    pub of: Vec<u32>,
}

impl Seen {
    /// The glimpse of a node; blank past the end.
    pub fn at(&self, node: usize) -> &[u8] {
        let number = self.of.get(node).map_or(0, |number| *number as usize);
        self.glimpses
            .chunks_exact(GLIMPSE)
            .nth(number)
            .unwrap_or(&[])
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.glimpses.len() / GLIMPSE
    }
}

/// What a node can draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Drawn {
    Region,
    Drawing,
}

/// Draws glimpses, keeping its buffers between programs.
#[derive(Debug)]
pub struct Glimpses<'g> {
    grammar: &'g Grammar,
    live: Live<'g>,
    bits: Option<Bits>,
    layout: crate::tree::Layout,
    /// For each nonterminal whether it stands for something drawn.
    draws: Vec<Option<Drawn>>,
    cells: Cells,
    edit: Edit,
    /// Planes of the program, without a node, with all of it.
    own: Vec<u64>,
    without: Vec<u64>,
    all: Vec<u64>,
    /// What is right, wrong and missing.
    planes: [Vec<u64>; GLIMPSE_PLANES],
}

impl<'g> Glimpses<'g> {
    /// For programs of a grammar.
    ///
    /// # Errors
    ///
    /// When it has no canvas.
    pub fn new(grammar: &'g Grammar) -> Result<Glimpses<'g>, NotDrawable> {
        let drawn = |nt: NtId| match grammar.nonterminal(nt).kind {
            NonterminalKind::Sort { sort, .. } => match grammar.sorts[sort.index()].draw {
                Some(Type::Region) => Some(Drawn::Region),
                Some(Type::Drawing) => Some(Drawn::Drawing),
                _ => None,
            },
            _ => None,
        };
        Ok(Glimpses {
            grammar,
            live: Live::new(grammar)?,
            bits: None,
            layout: crate::tree::Layout::new(grammar),
            draws: grammar.nonterminal_ids().map(drawn).collect(),
            cells: Cells::default(),
            edit: Edit::default(),
            own: Vec::new(),
            without: Vec::new(),
            all: Vec::new(),
            planes: Default::default(),
        })
    }

    /// Sets the target: a picture of the canvas's size and channels.
    ///
    /// # Errors
    ///
    /// A picture of more pixels than a canvas may have.
    pub fn aim(&mut self, picture: &Picture) -> Result<(), RenderError> {
        let target = Target::new(self.grammar, picture);
        self.cells = Cells::new(&target.layout);
        match &mut self.bits {
            // What is known of shapes depends on the canvas and the palette alone.
            Some(bits) if bits.layout == target.layout && bits.target.palette == target.palette => {
                bits.target = target;
            }
            bits => *bits = Some(Bits::new(target)?),
        }
        Ok(())
    }

    /// The glimpses of a program; before a target is set, all are blank.
    ///
    /// # Errors
    ///
    /// When the program cannot be drawn. Then all glimpses are blank.
    pub fn see(&mut self, program: &Program, out: &mut Seen) -> Result<(), GlimpseError> {
        out.glimpses.clear();
        out.glimpses.resize(GLIMPSE, 0);
        out.of.clear();
        out.of.resize(program.len(), 0);
        let Some(mut bits) = self.bits.take() else {
            return Ok(());
        };
        let done = self.see_all(&mut bits, program, out);
        self.bits = Some(bits);
        if done.is_err() {
            out.glimpses.truncate(GLIMPSE);
            out.of.fill(0);
        }
        done
    }

    fn see_all(
        &mut self,
        bits: &mut Bits,
        program: &Program,
        out: &mut Seen,
    ) -> Result<(), GlimpseError> {
        self.live.set(program)?;
        bits.redraw(&self.live)?;
        bits.words(self.live.scene(), &mut self.own);
        let nts = self.layout.positions(self.layout.start(), program);
        for (at, nt) in nts.iter().enumerate() {
            let draw = self.draws.get(nt.index()).copied().flatten();
            if let Some(draw) = draw
                && self.fill(bits, program, at, draw)?
            {
                let number = out.count() as u32;
                for plane in &self.planes {
                    self.cells.shrink(plane, &mut out.glimpses);
                }
                // Nodes below that draw something come later and take their own.
                let end = at + program.subtree(at).len();
                if let Some(of) = out.of.get_mut(at..end) {
                    of.fill(number);
                }
            }
        }
        Ok(())
    }

    /// The planes of a node; false when it has none of its own.
    fn fill(
        &mut self,
        bits: &mut Bits,
        program: &Program,
        at: usize,
        draw: Drawn,
    ) -> Result<bool, GlimpseError> {
        let region = draw == Drawn::Region;
        if region && self.live.measures() {
            return Ok(false);
        }
        self.edit.position = at;
        self.layout
            .extract_into(program, at, &mut self.edit.replacement);
        // What a node draws may still be none of the two, and then what is above it says more.
        if self.live.fill(&self.edit, 0, Filling::Nothing).is_err() {
            return Ok(false);
        }
        bits.redraw(&self.live)?;
        bits.words(self.live.scene(), &mut self.without);
        self.live.reject();
        self.all.clone_from(&self.own);
        if region && self.live.fill(&self.edit, 0, Filling::Everything).is_ok() {
            bits.redraw(&self.live)?;
            bits.words(self.live.scene(), &mut self.all);
            self.live.reject();
        }
        let target = &bits.target.words;
        let plane = bits.layout.plane;
        let count = bits.layout.planes;
        let (own, without, all) = (&self.own, &self.without, &self.all);
        let [right, wrong, missing] = &mut self.planes;
        for plane in [&mut *right, wrong, missing] {
            plane.clear();
        }
        for word in 0..plane {
            let differ = |a: &[u64], b: &[u64]| {
                let each = (0..count).map(|which| which * plane + word);
                each.fold(0, |any, at| any | (a[at] ^ b[at]))
            };
            let shows = differ(own, without);
            let off = differ(own, target);
            right.push(shows & !off);
            wrong.push(shows & off);
            missing.push(differ(all, own) & !shows & off & !differ(all, target));
        }
        Ok(true)
    }
}

/// Why a program has no glimpses.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GlimpseError {
    /// Its draw code gives nothing that can be drawn.
    #[error(transparent)]
    NotDrawable(#[from] NotDrawable),
    /// Its scene cannot be drawn.
    #[error(transparent)]
    Render(#[from] RenderError),
}

impl Bits {
    /// All planes of what was drawn last, which was this scene.
    fn words(&self, scene: &crate::scene::Scene, out: &mut Vec<u64>) {
        match scene.content {
            Content::Layers(_) => out.clone_from(&self.picture),
            Content::Ink(_) => {
                out.clear();
                out.resize(self.layout.plane * self.layout.planes, 0);
                if !matches!(self.ink, super::Value::Empty) {
                    loops::paint(out, 1, self.operand(self.ink), &self.layout, 1);
                }
            }
        }
    }
}

/// Which pixels are in which cell.
#[derive(Debug, Default)]
struct Cells {
    /// For each row of pixels the row of cells.
    rows: Vec<usize>,
    /// For each column of words and each column of cells that it has pixels of: both, and which pixels.
    columns: Vec<(usize, usize, u64)>,
    /// For each cell the share of a pixel, of 255.
    share: Vec<f32>,
    /// Words of a column.
    stack: usize,
}

impl Cells {
    fn new(layout: &Layout) -> Cells {
        let (width, height) = (layout.width.max(0) as usize, layout.height.max(0) as usize);
        let cell = |pixel: usize, side: usize| pixel * GLIMPSE_SIDE / side.max(1);
        let rows: Vec<usize> = (0..height).map(|y| cell(y, height)).collect();
        let mut columns: Vec<(usize, usize, u64)> = Vec::new();
        for x in 0..width {
            let (word, across, bit) = (x / 64, cell(x, width), 1 << (x % 64));
            match columns.last_mut() {
                Some((own, column, mask)) if (*own, *column) == (word, across) => *mask |= bit,
                _ => columns.push((word, across, bit)),
            }
        }
        let mut pixels = vec![0u32; GLIMPSE_SIDE * GLIMPSE_SIDE];
        for down in &rows {
            for (_, across, mask) in &columns {
                pixels[down * GLIMPSE_SIDE + across] += mask.count_ones();
            }
        }
        let share = |pixels: &u32| 255.0 / (*pixels).max(1) as f32;
        Cells {
            rows,
            columns,
            share: pixels.iter().map(share).collect(),
            stack: layout.column(),
        }
    }

    /// Appends a plane's cells.
    fn shrink(&self, plane: &[u64], out: &mut Vec<u8>) {
        let mut counts = [0u32; GLIMPSE_SIDE * GLIMPSE_SIDE];
        for (y, down) in self.rows.iter().enumerate() {
            for (word, across, mask) in &self.columns {
                let bits = plane.get(word * self.stack + y).map_or(0, |w| w & mask);
                counts[down * GLIMPSE_SIDE + across] += bits.count_ones();
            }
        }
        let pairs = counts.iter().zip(&self.share);
        out.extend(pairs.map(|(count, share)| (*count as f32 * share).round() as u8));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Compiled;
    use crate::render::coverage::Engine;
    use crate::sample::{Sampler, stream};
    use crate::scene::eval::lower;

    fn grammar(name: &str) -> Compiled {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        Compiled::load(root.join("grammars").join(name)).unwrap()
    }

    fn picture(compiled: &Compiled, program: &Program) -> Picture {
        let scene = lower(&compiled.grammar, program).unwrap();
        Engine::new().draw(&scene).unwrap().clone()
    }

    fn seen(compiled: &Compiled, target: &Picture, program: &Program) -> Seen {
        let mut glimpses = Glimpses::new(&compiled.grammar).unwrap();
        glimpses.aim(target).unwrap();
        let mut out = Seen::default();
        glimpses.see(program, &mut out).unwrap();
        out
    }

    /// Sums of the planes of a node, in whole cells.
    fn sums(seen: &Seen, node: usize) -> [f64; GLIMPSE_PLANES] {
        let glimpse = seen.at(node);
        let side = GLIMPSE / GLIMPSE_PLANES;
        [0, 1, 2].map(|plane| {
            let cells = &glimpse[plane * side..][..side];
            cells.iter().map(|cell| f64::from(*cell)).sum::<f64>() / 255.0
        })
    }

    #[test]
    fn a_disc_says_where_it_is_right_wrong_and_missing() {
        let csg2d = grammar("csg2d.tdg");
        // A cell is a step of the grid: the box is 4 steps wide and high, the target 2 to the right.
        let program = csg2d
            .parse("(+ (Quad 6 8 4 4 0) (Quad 2 2 2 2 0))")
            .unwrap();
        let target = csg2d.parse("(Quad 8 8 4 4 0)").unwrap();
        let seen = seen(&csg2d, &picture(&csg2d, &target), &program);
        // Nodes: sum, operator, first box and its five numbers, second box.
        assert_eq!(sums(&seen, 2), [8.0, 8.0, 8.0]);
        assert_eq!(sums(&seen, 8), [0.0, 4.0, 8.0]);
        assert_eq!(sums(&seen, 0), [8.0, 12.0, 8.0]);
        assert_eq!(seen.of[1], seen.of[0]);
        assert!((3..8).all(|number| seen.of[number] == seen.of[2]));
        // Row 7 of what is right: columns 6 and 7 of the first box, which begins at column 4.
        let row = &seen.at(2)[7 * GLIMPSE_SIDE..][..GLIMPSE_SIDE];
        let wanted: Vec<u8> = (0..16)
            .map(|x| if x == 6 || x == 7 { 255 } else { 0 })
            .collect();
        assert_eq!(row, &wanted[..]);
    }

    #[test]
    fn what_is_cut_out_shows_where_it_cuts() {
        let csg2d = grammar("csg2d.tdg");
        let program = csg2d
            .parse("(- (Quad 8 8 8 8 0) (Quad 8 8 2 2 0))")
            .unwrap();
        let target = csg2d
            .parse("(- (Quad 8 8 8 8 0) (Quad 9 8 2 2 0))")
            .unwrap();
        let seen = seen(&csg2d, &picture(&csg2d, &target), &program);
        assert_eq!(sums(&seen, 8), [2.0, 2.0, 2.0]);
    }

    /// In a layout nothing moves when a part is looked at; colours are told apart.
    #[test]
    fn parts_of_layouts_show_where_they_are_put() {
        for name in ["rainbow.tdg", "tinysvg.tdg"] {
            let compiled = grammar(name);
            let parse = |text: &str| compiled.parse(text).unwrap();
            let of = |first: &str, second: &str| {
                let part = |color: &str| format!("(Rectangle 9 9 {color} none 0)");
                parse(&format!("(Arrange h {} {} 0)", part(first), part(second)))
            };
            let program = of("red", "blue");
            let same = seen(&compiled, &picture(&compiled, &program), &program);
            let other = seen(
                &compiled,
                &picture(&compiled, &of("red", "green")),
                &program,
            );
            let (first, second) = (2, 2 + program.subtree(2).len());
            for node in [first, second] {
                let [right, wrong, missing] = sums(&same, node);
                assert!(
                    right > 10.0 && wrong == 0.0 && missing == 0.0,
                    "{name} {right}"
                );
            }
            assert_eq!(sums(&other, first), sums(&same, first));
            let [right, wrong, _] = sums(&other, second);
            assert!(right == 0.0 && wrong > 10.0, "{name} {right} {wrong}");
        }
    }

    #[test]
    fn every_language_that_draws_has_glimpses_and_they_agree_with_its_pictures() {
        for name in [
            "csg2d",
            "csg2d_sketch",
            "icons",
            "rainbow",
            "tinysvg",
            "flat",
            "mandala",
            "street",
        ] {
            let compiled = grammar(&format!("{name}.tdg"));
            let sampler = Sampler::new(&compiled, compiled.grammar.sample).unwrap();
            let mut glimpses = Glimpses::new(&compiled.grammar).unwrap();
            let mut own = 0;
            for round in 0..6 {
                let mut rng = stream(5, round);
                let (target, program) = (sampler.sample(&mut rng), sampler.sample(&mut rng));
                let (Ok(scene), Ok(_)) = (
                    lower(&compiled.grammar, &target),
                    lower(&compiled.grammar, &program),
                ) else {
                    continue;
                };
                let target = Engine::new().draw(&scene).unwrap().clone();
                glimpses.aim(&target).unwrap();
                let mut out = Seen::default();
                glimpses.see(&program, &mut out).unwrap();
                assert_eq!(out.of.len(), program.len(), "{name}");
                assert!(
                    out.of.iter().all(|of| (*of as usize) < out.count()),
                    "{name}"
                );
                own += out.count() - 1;
                // A used one gives what a fresh one gives.
                assert_eq!(seen(&compiled, &target, &program), out, "{name}");
                // What shows of a node is no more than a cell's pixels.
                for glimpse in out.glimpses.chunks_exact(GLIMPSE) {
                    let side = GLIMPSE / GLIMPSE_PLANES;
                    let (right, rest) = glimpse.split_at(side);
                    let cells = right.iter().zip(rest).zip(&rest[side..]);
                    let most = cells
                        .map(|((a, b), c)| [a, b, c].map(|c| u32::from(*c)).iter().sum::<u32>());
                    assert!(most.max() <= Some(257), "{name}");
                }
            }
            assert!(own > 0, "{name} has no glimpses");
        }
    }

    #[test]
    fn without_a_target_or_a_picture_all_is_blank() {
        let csg2d = grammar("csg2d.tdg");
        let program = csg2d.parse("(Circle 4 8 8)").unwrap();
        let mut glimpses = Glimpses::new(&csg2d.grammar).unwrap();
        let mut out = Seen::default();
        glimpses.see(&program, &mut out).unwrap();
        assert_eq!((out.count(), &out.of[..]), (1, &[0; 4][..]));
        assert!(out.at(0).iter().all(|cell| *cell == 0));
        assert!(Glimpses::new(&grammar("json.tdg").grammar).is_err());
    }
}
