//! A scene that is edited and drawn again.
//!
//! In: scenes whose regions have versions. Out: the picture that drawing from scratch gives, to the
//! byte, and the rectangle in which it differs from the one before. Afterwards the engine knows
//! what it has shown: ink by the value of its root, colours by their layers. Of the layers those at
//! the bottom and at the top that have not changed are kept; what lay or now lies between them is
//! the damage, and only there is anything painted.

use super::compose::{Tools, moved};
use super::coverage::{
    Engine, check_canvas, clear, color_of, full_row, lay, show_ink, stroke, wash,
};
use super::paths::Area;
use super::value::{Offset, Value};
use super::{Picture, RenderError};
use crate::grammar::ir::{Canvas, CanvasMode};
use crate::scene::{Content, Layer, Paint, Region, RegionId, Scene};

/// A rectangle of pixels, right and bottom excluded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    /// First column.
    pub left: u32,
    /// First row.
    pub top: u32,
    /// The column after the last.
    pub right: u32,
    /// The row after the last.
    pub bottom: u32,
}

impl Damage {
    /// Whether no pixel is inside.
    pub fn is_empty(&self) -> bool {
        self.left >= self.right || self.top >= self.bottom
    }

    fn of(area: Area) -> Damage {
        let side = |x: i32| u32::try_from(x).unwrap_or(0);
        Damage {
            left: side(area.x0),
            top: side(area.y0),
            right: side(area.x1),
            bottom: side(area.y1),
        }
    }
}

/// What was shown last.
#[derive(Debug)]
pub(super) struct Shown {
    picture: Picture,
    canvas: Option<Canvas>,
    ink: Value,
    layers: Vec<Seen>,
    next: Vec<Seen>,
    damage: Area,
    /// Bytes of the lines of layers.
    bytes: usize,
}

impl Default for Shown {
    fn default() -> Shown {
        Shown {
            picture: Picture::filled(0, 0, 1, 0),
            canvas: None,
            ink: Value::constant(false),
            layers: Vec::new(),
            next: Vec::new(),
            damage: Area::EMPTY,
            bytes: 0,
        }
    }
}

impl Shown {
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// A layer as it was shown.
#[derive(Debug)]
struct Seen {
    region: RegionId,
    version: u64,
    offset: Offset,
    paint: Paint,
    /// The part of the canvas that it touches.
    area: Area,
    /// The ink of a stroke that cannot be had from the rasters.
    line: Option<Value>,
}

impl Seen {
    fn is(&self, layer: &Layer, versions: &[u64]) -> bool {
        self.version != 0
            && self.region == layer.region
            && self.version == version(versions, layer.region)
            && self.offset == layer.offset
            && self.paint == layer.paint
    }
}

/// 0, which is no version, for a region that has none.
fn version(versions: &[u64], region: RegionId) -> u64 {
    versions.get(region.0 as usize).copied().unwrap_or(0)
}

impl Engine {
    /// Draws a scene that was perhaps drawn before by this engine, and combines only what has
    /// changed since; where it changed, [`damage`](Engine::damage) says.
    ///
    /// `versions` has a number for each region. As long as a region has the same number it is
    /// the same region, with all that it is made of: so an edit gives new numbers to the regions it
    /// changes and to those that hold them. Numbers are not 0, and none is given to another region
    /// or in another scene, unless [`forget`](Engine::forget) is called between. Regions without a
    /// number are drawn anew. Operands may stand behind what uses them.
    ///
    /// Errors: too many shapes, a canvas of more than [`MAX_PIXELS`](super::coverage::MAX_PIXELS).
    pub fn redraw(&mut self, scene: &Scene, versions: &[u64]) -> Result<&Picture, RenderError> {
        match self.bring_up_to_date(scene, versions) {
            Ok(damage) => {
                self.shown.damage = damage;
                Ok(&self.shown.picture)
            }
            Err(error) => {
                self.shown.canvas = None;
                Err(error)
            }
        }
    }

    /// Where the picture of the last [`redraw`](Engine::redraw) may differ from the one before it;
    /// all of it after the first and after errors.
    pub fn damage(&self) -> Damage {
        Damage::of(self.shown.damage)
    }

    /// Forgets the scene that was drawn last by [`redraw`](Engine::redraw).
    pub fn forget(&mut self) {
        self.kept.forget(&mut self.pool);
        self.shown.canvas = None;
    }

    fn bring_up_to_date(&mut self, scene: &Scene, versions: &[u64]) -> Result<Area, RenderError> {
        let canvas = check_canvas(&scene.canvas)?;
        let fresh = self.shown.canvas.as_ref() != Some(&scene.canvas);
        if fresh {
            // Values are clipped to their canvas.
            self.kept.forget(&mut self.pool);
            self.shown.canvas = None;
            self.shown.layers.clear();
            self.shown.bytes = 0;
            clear(&scene.canvas, &mut self.shown.picture);
        }
        let regions = scene.regions.as_slice();
        self.kept.begin(regions.len());
        let damage = match &scene.content {
            Content::Ink(root) => self.ink_again(regions, versions, *root, canvas, fresh)?,
            Content::Layers(layers) => {
                let CanvasMode::Rgb { background } = scene.canvas.mode else {
                    // No lowered scene: drawn as `draw` does.
                    let mut picture =
                        std::mem::replace(&mut self.shown.picture, Picture::filled(0, 0, 1, 0));
                    let drawn = self.draw_into(scene, &mut picture);
                    self.shown.picture = picture;
                    return drawn.map(|()| canvas);
                };
                self.layers_again(regions, versions, layers, canvas, fresh, background)?
            }
        };
        self.kept.end(versions, &mut self.pool);
        if fresh {
            self.shown.canvas = Some(scene.canvas.clone());
            return Ok(canvas);
        }
        Ok(damage)
    }

    fn ink_again(
        &mut self,
        regions: &[Region],
        versions: &[u64],
        root: RegionId,
        canvas: Area,
        fresh: bool,
    ) -> Result<Area, RenderError> {
        self.kept.survey(regions, Some(versions), root, true)?;
        let mut tools = Tools {
            rasters: &mut self.rasters,
            pool: &mut self.pool,
            canvas,
        };
        let value = self.kept.value(regions, root, (0, 0), &mut tools);
        let before = std::mem::replace(&mut self.shown.ink, value);
        let value = &self.shown.ink;
        let damage = if fresh || before.outside != value.outside {
            canvas
        } else if before.is_same(value) {
            Area::EMPTY
        } else {
            before.area.join(value.area).meet(canvas)
        };
        show_ink(value, &mut self.shown.picture, damage);
        self.pool.give(before);
        Ok(damage)
    }

    fn layers_again(
        &mut self,
        regions: &[Region],
        versions: &[u64],
        layers: &[Layer],
        canvas: Area,
        fresh: bool,
        background: [u8; 3],
    ) -> Result<Area, RenderError> {
        for layer in layers {
            let filled = matches!(layer.paint, Paint::Fill(_));
            self.kept
                .survey(regions, Some(versions), layer.region, filled)?;
        }
        let mut tools = Tools {
            rasters: &mut self.rasters,
            pool: &mut self.pool,
            canvas,
        };
        let shown = &mut self.shown;
        let old = shown.layers.iter().zip(layers);
        let below = old
            .take_while(|(seen, layer)| seen.is(layer, versions))
            .count();
        let (old, new) = (&shown.layers[below..], &layers[below..]);
        let both = old.iter().rev().zip(new.iter().rev());
        let above = both
            .take_while(|(seen, layer)| seen.is(layer, versions))
            .count();
        let (old, new) = (below..below + old.len() - above, &new[..new.len() - above]);

        let mut damage = if fresh { canvas } else { Area::EMPTY };
        for seen in &shown.layers[old.clone()] {
            damage = damage.join(seen.area);
            shown.bytes -= seen.line.as_ref().map_or(0, Value::size);
        }
        for layer in new {
            let value = ink_of(&mut self.kept, regions, layer, &mut tools);
            let area = if value.outside {
                canvas
            } else {
                value.area.meet(canvas)
            };
            damage = damage.join(area);
            let simple = matches!(layer.paint, Paint::Fill(_))
                || matches!(
                    regions.get(layer.region.0 as usize),
                    Some(Region::Shape { .. })
                );
            let keep = !simple && shown.bytes + value.size() <= self.lines;
            shown.bytes += if keep { value.size() } else { 0 };
            shown.next.push(Seen {
                region: layer.region,
                version: version(versions, layer.region),
                offset: layer.offset,
                paint: layer.paint,
                area,
                line: keep.then_some(value),
            });
        }
        for seen in shown.layers.splice(old, shown.next.drain(..)) {
            if let Some(line) = seen.line {
                tools.pool.give(line);
            }
        }
        if damage.is_empty() {
            return Ok(damage);
        }
        full_row(&mut self.full, canvas);
        wash(background, &mut shown.picture, damage);
        for (seen, layer) in shown.layers.iter().zip(layers) {
            if seen.area.meet(damage).is_empty() {
                continue;
            }
            let value = match &seen.line {
                Some(line) => line.clone(),
                None => ink_of(&mut self.kept, regions, layer, &mut tools),
            };
            lay(
                &value,
                color_of(&layer.paint),
                &mut shown.picture,
                damage,
                &self.full,
            );
            tools.pool.give(value);
        }
        Ok(damage)
    }
}

/// The ink of a layer in the canvas's frame.
fn ink_of(
    kept: &mut super::compose::Composer,
    regions: &[Region],
    layer: &Layer,
    tools: &mut Tools<'_>,
) -> Value {
    match layer.paint {
        Paint::Fill(_) => kept
            .value(regions, layer.region, layer.offset, tools)
            .shifted(moved(layer.offset, (0, 0))),
        // The survey has counted its shapes already.
        Paint::Stroke { width, .. } => stroke(regions, layer.region, layer.offset, width, tools)
            .unwrap_or_else(|_| Value::constant(false)),
    }
}

#[cfg(test)]
mod tests;
