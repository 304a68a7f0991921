//! Pens along outlines.
//!
//! In: a shape with its numbers, or a region. Out: a [`Line`], what the SVG's `stroke` is. A plain
//! shape is stroked as itself; anything else along the outline that a sweep finds.

use tiny_skia::{Path, Stroke, Transform};

use super::paths::{self, Area};
use super::place::{Affine, Form, Placed, Primitive};
use super::{RenderError, contour, outline, plan};
use crate::scene::{Region, RegionId};

/// A path to be drawn along.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) path: Path,
    pub(crate) stroke: Stroke,
    pub(crate) transform: Transform,
    /// The pixels it may touch.
    pub(crate) area: Area,
}

/// Whether a stroke on the shape's own element is the stroke of its region.
pub(crate) fn is_own(shape: &Primitive) -> bool {
    !matches!(shape.form, Form::Polyline { .. }) && !matches!(shape.placed, Placed::Skewed(_))
}

/// Along a shape that [`is_own`]; nothing when there is nothing to see.
pub(crate) fn own(shape: &Primitive, width: f64) -> Option<Line> {
    line(
        paths::path(&shape.form)?,
        paths::transform(&shape.placed),
        width,
    )
}

/// Along the outline of a region in a map. Errors: too many shapes.
pub(crate) fn of_region(
    regions: &[Region],
    region: RegionId,
    at: Affine,
    width: f64,
) -> Result<Option<Line>, RenderError> {
    let (plan, root) = plan::lower_region(regions, region, at)?;
    let Some(root) = root else {
        return Ok(None);
    };
    let path = contour::skia_path(&outline::of_node(&plan, root));
    Ok(path.and_then(|path| line(path, Transform::identity(), width)))
}

fn line(path: Path, transform: Transform, width: f64) -> Option<Line> {
    // As the SVG says it: three decimals.
    let width = ((width * 1e3).round() / 1e3) as f32;
    if width <= 0.0 {
        return None;
    }
    let bounds = path.clone().transform(transform)?.bounds();
    // A mitred corner reaches four half widths out at most.
    let reach = width * 2.0 + 2.0;
    let area = Area {
        x0: (bounds.left() - reach).floor() as i32,
        y0: (bounds.top() - reach).floor() as i32,
        x1: (bounds.right() + reach).ceil() as i32,
        y1: (bounds.bottom() + reach).ceil() as i32,
    };
    let stroke = Stroke {
        width,
        ..Stroke::default()
    };
    Some(Line {
        path,
        stroke,
        transform,
        area,
    })
}
