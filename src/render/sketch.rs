//! The hand-drawn observation: what a scene looks like sketched with a pen (paper, appendix C,
//! after Wood et al. 2012, "Sketchy rendering for information visualization").
//!
//! In: a scene, the settings of `observe hand_drawn`, random numbers. Out: a [`Sketch`]: pen
//! strokes along the outlines of the finished regions, as SVG or as a [`Picture`]. Same seed,
//! same strokes.
//!
//! Every point of every line and curve is moved by normal noise. A line goes through a point near
//! its half and one near its three quarters, moved too, on a Catmull-Rom spline; often the pen is
//! lifted at a corner, and the next line starts from a point of its own. Curves are sampled at
//! equal distances, each sample moved, and splined. The stroke around a closed curve starts
//! anywhere, and where it ends it misses its start or runs past it.
//!
//! Units: `jitter` (standard deviation of the noise) and `stroke` (width of the pen) are in 32nds
//! of the shorter side of the canvas, as in the released code: at 128 pixels, 1 is 4 pixels, so
//! `jitter: 0.2` is 0.8 pixels and `stroke: 0.05..0.5` a pen of 0.2 to 2 pixels.

use std::fmt::Write;

use kurbo::{
    BezPath, ParamCurve as _, ParamCurveArclen as _, ParamCurveDeriv as _, PathSeg, Point, Vec2,
};
use rand::{Rng, RngExt as _};

use super::coverage::{self, check_canvas};
use super::svg::{self, SvgOptions, number};
use super::{Picture, RenderError, contour, outline, plan};
use crate::grammar::ir::{Canvas, CanvasMode, Observe};
use crate::scene::{Content, Layer, Paint, Scene};

/// Units across the shorter side of a canvas.
pub(crate) const UNITS: f64 = 32.0;

/// Distance of the samples on a curve, in units.
const SAMPLE: f64 = 3.0;

/// A curve turns a corner where its direction changes by more than this (cosine).
const CORNER: f64 = 0.95;

/// How the pen moves; all lengths in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SketchOptions {
    /// Standard deviation of the noise on each point.
    pub jitter: f64,
    /// Width of the pen.
    pub width: f64,
}

impl SketchOptions {
    /// Draws the settings for one picture from the ranges of `observe`.
    pub fn draw(observe: &Observe, canvas: &Canvas, rng: &mut impl Rng) -> SketchOptions {
        let unit = unit(canvas);
        let mut setting = |name: &str, otherwise: (f64, f64)| {
            let (low, high) = observe.settings.get(name).copied().unwrap_or(otherwise);
            (low + (high - low) * rng.random::<f64>()) * unit
        };
        SketchOptions {
            jitter: setting("jitter", (0.2, 0.2)),
            width: setting("stroke", (0.05, 0.5)),
        }
    }
}

/// Pixels in a unit of `jitter` and `stroke`.
fn unit(canvas: &Canvas) -> f64 {
    f64::from(canvas.width.min(canvas.height)) / UNITS
}

/// A drawing in pen.
#[derive(Clone, Debug)]
pub struct Sketch {
    canvas: Canvas,
    width: f64,
    strokes: Vec<(BezPath, [u8; 3])>,
}

/// Sketches a scene. The same scene gives another sketch with every state of `rng`.
pub fn sketch(
    scene: &Scene,
    options: SketchOptions,
    rng: &mut impl Rng,
) -> Result<Sketch, RenderError> {
    check_canvas(&scene.canvas)?;
    let plan = plan::lower(scene)?;
    let layers: &[Layer] = match &scene.content {
        Content::Ink(_) => &[],
        Content::Layers(layers) => layers,
    };
    let mut pen = Pen {
        jitter: options.jitter,
        sample: SAMPLE * unit(&scene.canvas),
        rng,
        strokes: Vec::new(),
    };
    let mut strokes = Vec::new();
    for (i, root) in plan.roots.iter().enumerate() {
        let Some(root) = *root else { continue };
        let color = match layers.get(i).map(|layer| layer.paint) {
            None => [0; 3],
            Some(Paint::Fill([.., 0]) | Paint::Stroke { color: [.., 0], .. }) => continue,
            Some(Paint::Fill([r, g, b, _])) => [r, g, b],
            Some(Paint::Stroke { color, .. }) => [color[0], color[1], color[2]],
        };
        for contour in contour::contours(&outline::of_node(&plan, root)) {
            pen.contour(&contour);
        }
        strokes.extend(pen.strokes.drain(..).map(|path| (path, color)));
    }
    Ok(Sketch {
        canvas: scene.canvas.clone(),
        width: options.width,
        strokes,
    })
}

impl Sketch {
    /// As SVG, a path a stroke of the pen.
    pub fn svg(&self, options: &SvgOptions) -> String {
        let mut out = svg::open(&self.canvas, options);
        let (group, end) = options.group(&self.canvas);
        out.push_str(&group);
        if !options.transparent {
            let paper = match self.canvas.mode {
                CanvasMode::Ink => [255; 3],
                CanvasMode::Rgb { background } => background,
            };
            let fill = svg::color(paper);
            let _ = writeln!(out, r#"  <rect width="100%" height="100%" fill="{fill}"/>"#);
        }
        let width = number(self.width, 3);
        let _ = writeln!(
            out,
            r##"  <g fill="none" stroke="#000" stroke-width="{width}" stroke-linecap="round" stroke-linejoin="round">"##
        );
        for (path, color) in &self.strokes {
            let d = contour::path_data(path);
            let paint = if *color == [0; 3] {
                String::new()
            } else {
                format!(r#" stroke="{}""#, svg::color(*color))
            };
            let _ = writeln!(out, r#"    <path d="{d}"{paint}/>"#);
        }
        let _ = write!(out, "  </g>\n{end}</svg>\n");
        out
    }

    /// As pixels: the pen is ink.
    pub fn picture(&self) -> Picture {
        coverage::draw_pen(&self.canvas, &self.strokes, self.width)
    }
}

struct Pen<'a, R> {
    jitter: f64,
    sample: f64,
    rng: &'a mut R,
    strokes: Vec<BezPath>,
}

/// A stretch of a contour drawn in one go.
enum Stretch {
    Line(Point, Point),
    Curve(Vec<PathSeg>),
}

impl<R: Rng> Pen<'_, R> {
    /// A normally distributed number: twelve uniform ones have a variance of 1, and unlike
    /// logarithms they add up to the same bits on every machine.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.rng.random::<f64>()).sum::<f64>() - 6.0
    }

    /// A point moved; `room` is the length of what it belongs to, so that small things keep
    /// their shape.
    fn moved(&mut self, p: Point, room: f64) -> Point {
        let by = self.jitter.min(room / 6.0);
        p + Vec2::new(self.normal(), self.normal()) * by
    }

    fn contour(&mut self, contour: &BezPath) {
        let segments: Vec<PathSeg> = contour.segments().collect();
        if segments.is_empty() {
            return;
        }
        let n = segments.len();
        let corner = |i: usize| turns(&segments[(i + n - 1) % n], &segments[i]);
        let Some(start) = (0..n).find(|i| corner(*i)) else {
            self.around(&segments);
            return;
        };
        let mut stretches: Vec<Stretch> = Vec::new();
        for k in 0..n {
            let i = (start + k) % n;
            match (&segments[i], stretches.last_mut()) {
                (PathSeg::Line(line), _) => stretches.push(Stretch::Line(line.p0, line.p1)),
                (curve, Some(Stretch::Curve(run))) if !corner(i) => run.push(*curve),
                (curve, _) => stretches.push(Stretch::Curve(vec![*curve])),
            }
        }
        let mut from: Option<Point> = None;
        for stretch in stretches {
            let points = match stretch {
                Stretch::Line(a, b) => self.line(a, b, from),
                Stretch::Curve(run) => self.curve(&run, from),
            };
            let end = points.last().copied();
            self.strokes.push(spline(&points));
            // Half of the time the pen stays down and goes on from where it is.
            from = end.filter(|_| self.rng.random_bool(0.5));
        }
    }

    fn line(&mut self, a: Point, b: Point, from: Option<Point>) -> Vec<Point> {
        let length = a.distance(b);
        let half = (0.5 + 0.05 * self.normal()).clamp(0.4, 0.6);
        let most = (0.75 + 0.05 * self.normal()).clamp(0.66, 0.9);
        vec![
            from.unwrap_or_else(|| self.moved(a, length)),
            self.moved(a.lerp(b, half), length),
            self.moved(a.lerp(b, most), length),
            self.moved(b, length),
        ]
    }

    fn curve(&mut self, run: &[PathSeg], from: Option<Point>) -> Vec<Point> {
        let length: f64 = run.iter().map(|s| s.arclen(0.01)).sum();
        let steps = (length / self.sample).round().clamp(3.0, 1e4);
        let mut points = Vec::new();
        for k in 0..=steps as usize {
            let p = along(run, length * k as f64 / steps);
            points.push(match from {
                Some(from) if k == 0 => from,
                _ => self.moved(p, length),
            });
        }
        points
    }

    /// A closed curve without corners: the pen lifts off near where it came down, short of it or
    /// past it.
    fn around(&mut self, segments: &[PathSeg]) {
        let length: f64 = segments.iter().map(|s| s.arclen(0.01)).sum();
        let start = self.rng.random::<f64>() * length;
        let past = (0.02 * length * self.normal()).clamp(-0.04 * length, 0.08 * length);
        let drawn = length + past;
        let steps = (drawn / self.sample).round().clamp(6.0, 1e4);
        let points: Vec<Point> = (0..=steps as usize)
            .map(|k| {
                let at = (start + drawn * k as f64 / steps) % length;
                let p = along(segments, at);
                self.moved(p, length / 3.0)
            })
            .collect();
        self.strokes.push(spline(&points));
    }
}

/// The point at a distance along segments in a row.
fn along(segments: &[PathSeg], mut at: f64) -> Point {
    let mut end = Point::ZERO;
    for segment in segments {
        let length = segment.arclen(0.01);
        if at <= length {
            return segment.eval(segment.inv_arclen(at.max(0.0), 0.01));
        }
        at -= length;
        end = segment.end();
    }
    end
}

/// Whether there is a corner between two segments in a row: between lines always.
fn turns(a: &PathSeg, b: &PathSeg) -> bool {
    if matches!(a, PathSeg::Line(_)) || matches!(b, PathSeg::Line(_)) {
        return true;
    }
    let direction = |s: &PathSeg, end: bool| {
        let c = s.to_cubic();
        let d = c.deriv().eval(if end { 1.0 } else { 0.0 }).to_vec2();
        if d.hypot() > 1e-9 {
            d.normalize()
        } else {
            Vec2::ZERO
        }
    };
    direction(a, true).dot(direction(b, false)) < CORNER
}

/// A Catmull-Rom spline through all of the points.
fn spline(points: &[Point]) -> BezPath {
    let mut path = BezPath::new();
    let Some(first) = points.first() else {
        return path;
    };
    path.move_to(*first);
    for i in 1..points.len() {
        let before = points[i.saturating_sub(2)];
        let (a, b) = (points[i - 1], points[i]);
        let after = points.get(i + 1).copied().unwrap_or(b);
        path.curve_to(a + (b - before) / 6.0, b - (after - a) / 6.0, b);
    }
    path
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;

    use super::super::testing::{Build, canvas, random_ink, rng};
    use super::*;
    use crate::grammar::ir::ObserveModel;
    use crate::scene::Region;

    const PEN: SketchOptions = SketchOptions {
        jitter: 0.8,
        width: 1.2,
    };

    fn ring() -> Scene {
        let mut build = Build::default();
        let (outer, inner) = (build.disc(40.0, 64.0, 64.0), build.disc(20.0, 64.0, 64.0));
        let ring = build.add(Region::Difference(outer, inner));
        build.ink(ring)
    }

    #[test]
    fn the_seed_decides_the_sketch() {
        let draw = |seed| sketch(&ring(), PEN, &mut rng(seed)).unwrap().picture();
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn a_circle_is_one_stroke_with_loose_ends() {
        for seed in 0..20 {
            let sketch = sketch(&ring(), PEN, &mut rng(seed)).unwrap();
            assert_eq!(sketch.strokes.len(), 2);
            for ((path, _), radius) in sketch.strokes.iter().zip([40.0, 20.0]) {
                let points: Vec<Point> = path
                    .elements()
                    .iter()
                    .filter_map(|e| e.end_point())
                    .collect();
                let off = |p: &Point| (p.distance(Point::new(64.0, 64.0)) - radius).abs();
                assert!(points.iter().all(|p| off(p) < 6.0 * PEN.jitter), "{seed}");
                assert_ne!(points.first(), points.last());
            }
        }
    }

    #[test]
    fn a_line_goes_through_two_points_between() {
        let mut build = Build::default();
        let square = build.rect(64.0, 64.0, 64.0, 64.0, 0.0);
        let sketch = sketch(&build.ink(square), PEN, &mut rng(3)).unwrap();
        assert_eq!(sketch.strokes.len(), 4);
        for (path, _) in &sketch.strokes {
            assert_eq!(path.elements().len(), 4);
        }
    }

    #[test]
    fn strokes_keep_near_the_outline() {
        let still = SketchOptions {
            jitter: 0.0,
            width: 1.0,
        };
        for seed in 0..50 {
            let scene = random_ink(seed, false);
            let sketch = sketch(&scene, still, &mut rng(seed)).unwrap();
            let plan = plan::lower(&scene).unwrap();
            let Some(root) = plan.roots[0] else { continue };
            let outline = outline::of_node(&plan, root);
            for (path, _) in &sketch.strokes {
                for point in path.elements().iter().filter_map(|e| e.end_point()) {
                    use kurbo::ParamCurveNearest as _;
                    let near = outline
                        .segments()
                        .map(|s| s.nearest(point, 1e-3).distance_sq);
                    assert!(near.fold(f64::MAX, f64::min) < 0.01, "{seed}");
                }
            }
        }
    }

    #[test]
    fn settings_are_in_units_of_the_canvas() {
        let canvas = canvas(CanvasMode::Ink);
        let observe = Observe {
            model: ObserveModel::HandDrawn,
            settings: IndexMap::from([
                ("jitter".to_owned(), (0.2, 0.2)),
                ("stroke".to_owned(), (0.05, 0.5)),
            ]),
        };
        let mut rng = rng(5);
        for _ in 0..100 {
            let options = SketchOptions::draw(&observe, &canvas, &mut rng);
            assert!((options.jitter - 0.8).abs() < 1e-12);
            assert!((0.2..=2.0).contains(&options.width));
        }
    }

    #[test]
    fn svg_and_picture_show_the_same_strokes() {
        let sketch = sketch(&ring(), PEN, &mut rng(9)).unwrap();
        let text = sketch.svg(&SvgOptions::default());
        let reference = super::super::raster::svg_pixels(&text, &sketch.canvas).unwrap();
        let share = super::super::metric::share_within(&reference, &sketch.picture(), 0.02);
        assert!(share > 0.999, "{share}");
    }
}
