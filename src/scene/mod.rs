//! Scenes: resolved geometry and paint, between a program and its pictures.
//!
//! In: a program and its grammar's draw arms (through `eval`). Out: [`Scene`]. Afterwards every
//! number is finite, every region is a small algebra of shapes, and nothing depends on the
//! grammar any more. Units are canvas pixels, y grows downwards.

pub(crate) mod affine;
mod bounds;
mod code;
pub mod eval;
mod interpret;
pub mod live;
mod machine;
mod parts;
pub mod piece;
pub mod probe;
mod shapes;
#[cfg(test)]
mod shipped;
mod slots;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod value;

pub(crate) use bounds::of_shape as shape_bounds;
pub use bounds::{Bounds, bounds};
pub use live::Live;
pub use parts::Single;

use serde::Serialize;

use crate::grammar::ir::Canvas;

/// A picture before it is drawn.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scene {
    /// Its canvas.
    pub canvas: Canvas,
    /// Regions, operands before what uses them: [`RegionId`]s index here.
    pub regions: Vec<Region>,
    /// What is shown.
    pub content: Content,
}

impl Scene {
    /// The same picture on a canvas `k` times as wide and high; 0 counts as 1.
    #[must_use]
    pub fn scaled(mut self, k: u32) -> Scene {
        let k = k.max(1);
        if k == 1 {
            return self;
        }
        let factor = f64::from(k);
        self.canvas.width = self.canvas.width.saturating_mul(k);
        self.canvas.height = self.canvas.height.saturating_mul(k);
        for region in &mut self.regions {
            match region {
                Region::Shape { at, .. } => at.iter_mut().for_each(|x| *x *= factor),
                // Its region is scaled already: only its shift is left.
                Region::Transform(_, at) => at[4..].iter_mut().for_each(|x| *x *= factor),
                _ => {}
            }
        }
        if let Content::Layers(layers) = &mut self.content {
            let whole = i32::try_from(k).unwrap_or(i32::MAX);
            for layer in layers {
                let (x, y) = layer.offset;
                layer.offset = (x.saturating_mul(whole), y.saturating_mul(whole));
                if let Paint::Stroke { width, .. } = &mut layer.paint {
                    *width *= factor;
                }
            }
        }
        self
    }
}

/// A region of a [`Scene`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct RegionId(pub u32);

/// What a scene shows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Content {
    /// Ink on nothing.
    Ink(RegionId),
    /// Layers over the background, painted in order.
    Layers(Vec<Layer>),
}

/// A painted region.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Layer {
    /// What is painted.
    pub region: RegionId,
    /// Where it is placed, in whole pixels: x, y.
    pub offset: (i32, i32),
    /// With what.
    pub paint: Paint,
}

/// Paint.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub enum Paint {
    /// Inside; red, green, blue, alpha.
    Fill([u8; 4]),
    /// Along the outline, half inside.
    Stroke {
        /// Red, green, blue, alpha.
        color: [u8; 4],
        /// In pixels, positive.
        width: f64,
    },
}

/// Coverage in the plane. Combined as coverage: union `a + b - ab`, difference `a (1 - b)`,
/// intersection `ab`.
///
/// Scenes lowered from programs keep every map in the shapes it moves: they hold no `Transform`,
/// and no shape is flat (its map's determinant is not 0). A region that is filled and stroked is
/// one region of two layers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Region {
    /// Nothing.
    Empty,
    /// The whole plane.
    Everything,
    /// A shape where the affine map puts it: `x' = a x + c y + e`, `y' = b x + d y + f`.
    Shape {
        /// The shape, about the origin.
        shape: Shape,
        /// `[a, b, c, d, e, f]`.
        at: [f64; 6],
    },
    /// Either.
    Union(RegionId, RegionId),
    /// The first without the second.
    Difference(RegionId, RegionId),
    /// Both.
    Intersection(RegionId, RegionId),
    /// The region where the affine map puts it (as in `Shape`), for scenes made by hand.
    Transform(RegionId, [f64; 6]),
}

/// A primitive shape, centred at the origin. Lengths are not negative.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Shape {
    /// Radii.
    Ellipse {
        /// Across.
        rx: f64,
        /// Down.
        ry: f64,
    },
    /// A rectangle, with rounded corners when `r` is positive.
    Box {
        /// Width.
        w: f64,
        /// Height.
        h: f64,
        /// Corner radius, at most half of the lesser side.
        r: f64,
    },
    /// Closed, filled by the nonzero rule.
    Polygon(Vec<(f64, f64)>),
    /// A line through points with round ends and joins.
    Polyline {
        /// The points.
        points: Vec<(f64, f64)>,
        /// Its width.
        width: f64,
    },
}
