//! The SVG writer: text that a designer would open and go on with.
//!
//! In: a [`Scene`]. Out: SVG 1.1 with real `<circle>`, `<rect rx>`, `<polygon>` and so on, their
//! transforms worked into plain numbers wherever a number will do. Afterwards: unions are plain
//! siblings; differences and intersections are masks with readable ids (`cut-1`, `keep-1`) in
//! `<defs>`, one mask for a whole chain `a - b - c`; numbers have three decimals at most; no text
//! of the user's is in it but the title, which is escaped.

use std::collections::VecDeque;
use std::fmt::Write;

use super::RenderError;
use super::image::Fit;
use super::place::{Form, Placed, Primitive};
use super::plan::{self, Kind, List, NodeId, Plan};
use super::{contour, outline};
use crate::grammar::ir::{Canvas, CanvasMode};
use crate::scene::{Content, Layer, Paint, Scene};

/// How a scene is written.
#[derive(Clone, Debug, Default)]
pub struct SvgOptions {
    /// No rectangle in the background.
    pub transparent: bool,
    /// Shown by browsers as a tooltip and read by screen readers: the program, for instance.
    pub title: Option<String>,
    /// The picture that it shall lie over, when that is not the canvas itself.
    pub onto: Option<Onto>,
}

/// A picture that a canvas was laid onto: the SVG then has that picture's width and height.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Onto {
    /// Width and height of the picture.
    pub size: [f64; 2],
    /// From the canvas to the picture.
    pub fit: Fit,
}

impl SvgOptions {
    /// What opens and closes the canvas within the picture that it lies over.
    pub(crate) fn group(&self, canvas: &Canvas) -> (String, &'static str) {
        let Some(Onto { fit, size }) = self.onto else {
            return (String::new(), "");
        };
        let [sx, sy, dx, dy] = [fit.sx, fit.sy, fit.dx, fit.dy].map(|x| number(x, 6));
        let [w, h] = [canvas.width, canvas.height].map(f64::from);
        let (right, lower) = (fit.dx + fit.sx * w, fit.dy + fit.sy * h);
        // Half a unit of the last place written.
        let off = 1e-3;
        let covers =
            fit.dx <= off && fit.dy <= off && right >= size[0] - off && lower >= size[1] - off;
        if covers {
            let open = format!("  <g transform=\"matrix({sx} 0 0 {sy} {dx} {dy})\">\n");
            return (open, "  </g>\n");
        }
        // Shapes end where the canvas ends.
        let open = format!(
            "  <svg x=\"{dx}\" y=\"{dy}\" width=\"{}\" height=\"{}\" viewBox=\"0 0 {w} {h}\" \
             preserveAspectRatio=\"none\">\n",
            number(fit.sx * w, 6),
            number(fit.sy * h, 6),
        );
        (open, "  </svg>\n")
    }
}

/// Deeper elements are not indented further: a scene 10,000 deep would be mostly spaces.
const DEEPEST_INDENT: usize = 12;

/// Writes a scene as SVG.
pub fn write(scene: &Scene, options: &SvgOptions) -> Result<String, RenderError> {
    let plan = plan::lower(scene)?;
    write_plan(scene, &plan, options)
}

pub(crate) fn write_plan(
    scene: &Scene,
    plan: &Plan,
    options: &SvgOptions,
) -> Result<String, RenderError> {
    let mut writer = Writer {
        plan,
        body: String::new(),
        masks: VecDeque::new(),
        cuts: 0,
        keeps: 0,
        all: r#"width="100%" height="100%""#.to_owned(),
        within: String::new(),
    };
    if options.onto.is_some() {
        // Shares would be of the picture that the canvas lies over.
        let (w, h) = (scene.canvas.width, scene.canvas.height);
        writer.all = format!(r#"width="{w}" height="{h}""#);
        writer.within = format!(r#" x="0" y="0" {}"#, writer.all);
    }
    match &scene.content {
        Content::Ink(_) => {
            if let Some(root) = plan.roots.first().copied().flatten() {
                writer.nodes([root], None, 1, Style::Inherited);
            }
        }
        Content::Layers(layers) => writer.layers(layers),
    }
    let body = std::mem::take(&mut writer.body);
    writer.write_masks();
    let defs = std::mem::take(&mut writer.body);

    let mut out = open(&scene.canvas, options);
    if !defs.is_empty() {
        let _ = write!(out, "  <defs>\n{defs}  </defs>\n");
    }
    if !options.transparent {
        let paper = match scene.canvas.mode {
            CanvasMode::Ink => [255; 3],
            CanvasMode::Rgb { background } => background,
        };
        let fill = color(paper);
        let _ = writeln!(out, r#"  <rect width="100%" height="100%" fill="{fill}"/>"#);
    }
    let (group, end) = options.group(&scene.canvas);
    out.push_str(&group);
    out.push_str(&body);
    out.push_str(end);
    out.push_str("</svg>\n");
    Ok(out)
}

/// The opening tag of a canvas, and the title.
pub(crate) fn open(canvas: &Canvas, options: &SvgOptions) -> String {
    let size = match &options.onto {
        None => [f64::from(canvas.width), f64::from(canvas.height)],
        Some(onto) => onto.size,
    };
    let [w, h] = size.map(num);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\">\n"
    );
    if let Some(title) = &options.title {
        let _ = writeln!(out, "  <title>{}</title>", escape(title));
    }
    out
}

/// A colour in the fewest digits.
pub(crate) fn color([r, g, b]: [u8; 3]) -> String {
    if [r, g, b].iter().all(|x| x % 17 == 0) {
        format!("#{:x}{:x}{:x}", r / 17, g / 17, b / 17)
    } else {
        format!("#{r:02x}{g:02x}{b:02x}")
    }
}

/// A number with at most `places` decimals and none that say nothing.
pub(crate) fn number(x: f64, places: usize) -> String {
    let mut text = format!("{x:.places$}");
    if text.contains('.') {
        let kept = text.trim_end_matches('0').trim_end_matches('.').len();
        text.truncate(kept);
    }
    if text == "-0" {
        text.remove(0);
    }
    text
}

fn num(x: f64) -> String {
    number(x, 3)
}

pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\t' | '\n' | '\r' => out.push(' '),
            // XML has no place for other control characters.
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// What shapes are painted with.
#[derive(Clone, Debug, PartialEq)]
enum Style {
    /// Filled with what the parents say; lines are drawn in black.
    Inherited,
    /// The same, lines in this colour.
    Lines(String),
    /// On the element itself: attributes for filled shapes, and for lines.
    Own { filled: String, drawn: String },
}

impl Style {
    fn filled(&self) -> &str {
        match self {
            Style::Own { filled, .. } => filled,
            _ => "",
        }
    }

    fn drawn(&self) -> String {
        match self {
            Style::Inherited => r##" fill="none" stroke="#000""##.to_owned(),
            Style::Lines(color) => format!(r#" fill="none" stroke="{color}""#),
            Style::Own { drawn, .. } => drawn.clone(),
        }
    }
}

/// A mask still to be written.
enum MaskJob {
    /// Shows what is outside these.
    Cut { id: usize, cuts: List },
    /// Shows what is inside the first of these, and of the others, and outside the cuts.
    Keep { id: usize, keeps: List, cuts: List },
}

struct Writer<'a> {
    plan: &'a Plan,
    body: String,
    masks: VecDeque<MaskJob>,
    cuts: usize,
    keeps: usize,
    /// All of the canvas, as attributes of a rectangle.
    all: String,
    /// The same for a mask, where its own default is not meant.
    within: String,
}

enum Task {
    Node {
        node: NodeId,
        mask: Option<String>,
        depth: usize,
    },
    Close(usize),
}

impl Writer<'_> {
    fn indent(&mut self, depth: usize) {
        for _ in 0..depth.min(DEEPEST_INDENT) {
            self.body.push_str("  ");
        }
    }

    /// Writes nodes as siblings; `mask` goes on each of them (there is one when there is a mask).
    fn nodes(
        &mut self,
        nodes: impl IntoIterator<Item = NodeId>,
        mask: Option<String>,
        depth: usize,
        style: Style,
    ) {
        let mut tasks: Vec<Task> = Vec::new();
        let first = nodes.into_iter().map(|node| Task::Node {
            node,
            mask: mask.clone(),
            depth,
        });
        tasks.extend(first);
        tasks.reverse();
        while let Some(task) = tasks.pop() {
            match task {
                Task::Close(depth) => {
                    self.indent(depth);
                    self.body.push_str("</g>\n");
                }
                Task::Node { node, mask, depth } => {
                    self.node(node, mask, depth, &style, &mut tasks)
                }
            }
        }
    }

    fn node(
        &mut self,
        node: NodeId,
        mask: Option<String>,
        depth: usize,
        style: &Style,
        tasks: &mut Vec<Task>,
    ) {
        match self.plan.kind(node) {
            Kind::All => {
                self.indent(depth);
                let mask = mask_attribute(mask.as_deref());
                let filled = style.filled();
                let _ = writeln!(self.body, r#"<rect {all}{filled}{mask}/>"#, all = self.all);
            }
            Kind::Shape(index) => {
                let Some(primitive) = self.plan.shapes.get(index as usize) else {
                    return;
                };
                self.shape(primitive, mask.as_deref(), depth, style);
            }
            Kind::Union(list) => {
                let mut inner = depth;
                if mask.is_some() {
                    self.indent(depth);
                    let mask = mask_attribute(mask.as_deref());
                    let _ = writeln!(self.body, "<g{mask}>");
                    tasks.push(Task::Close(depth));
                    inner += 1;
                }
                let from = tasks.len();
                tasks.extend(self.plan.list(list).map(|node| Task::Node {
                    node,
                    mask: None,
                    depth: inner,
                }));
                tasks[from..].reverse();
            }
            Kind::Product { base, keeps, cuts } => {
                let id = self.mask(keeps, cuts);
                // A product is never the base of a product, so its mask has no rival.
                if let Some(outer) = mask {
                    self.indent(depth);
                    let outer = mask_attribute(Some(&outer));
                    let _ = writeln!(self.body, "<g{outer}>");
                    tasks.push(Task::Close(depth));
                }
                tasks.push(Task::Node {
                    node: base,
                    mask: Some(id),
                    depth,
                });
            }
        }
    }

    /// Takes a mask's name and puts it on the list.
    fn mask(&mut self, keeps: List, cuts: List) -> String {
        if keeps.is_empty() {
            self.cuts += 1;
            let id = self.cuts;
            self.masks.push_back(MaskJob::Cut { id, cuts });
            format!("cut-{id}")
        } else {
            self.keeps += 1;
            let id = self.keeps;
            self.masks.push_back(MaskJob::Keep { id, keeps, cuts });
            format!("keep-{id}")
        }
    }

    /// Writes the masks on the list, and those they need in turn.
    fn write_masks(&mut self) {
        while let Some(job) = self.masks.pop_front() {
            self.indent(2);
            // Units of the canvas: the default ones would clip close to the shape.
            match job {
                MaskJob::Cut { id, cuts } => {
                    let _ = writeln!(
                        self.body,
                        r#"<mask id="cut-{id}" maskUnits="userSpaceOnUse"{}>"#,
                        self.within
                    );
                    self.indent(3);
                    let _ = writeln!(self.body, r##"<rect {} fill="#fff"/>"##, self.all);
                    let nodes: Vec<NodeId> = self.plan.list(cuts).collect();
                    self.nodes(nodes, None, 3, Style::Inherited);
                }
                MaskJob::Keep { id, keeps, cuts } => {
                    let _ = writeln!(
                        self.body,
                        r##"<mask id="keep-{id}" maskUnits="userSpaceOnUse"{} fill="#fff">"##,
                        self.within
                    );
                    let rest = self.plan.rest(keeps);
                    let mask =
                        (!rest.is_empty() || !cuts.is_empty()).then(|| self.mask(rest, cuts));
                    let first = self.plan.first(keeps);
                    self.nodes(first, mask, 3, Style::Lines("#fff".to_owned()));
                }
            }
            self.indent(2);
            self.body.push_str("</mask>\n");
        }
    }

    fn shape(&mut self, primitive: &Primitive, mask: Option<&str>, depth: usize, style: &Style) {
        // A mask on a turned element would turn with it.
        let wrap = mask.is_some() && primitive.placed != Placed::Plain;
        let mut depth = depth;
        let mask = mask_attribute(mask);
        if wrap {
            self.indent(depth);
            let _ = writeln!(self.body, "<g{mask}>");
            depth += 1;
        }
        self.indent(depth);
        self.body.push('<');
        self.body.push_str(&element(primitive));
        if matches!(primitive.form, Form::Polyline { .. }) {
            self.body.push_str(&style.drawn());
        } else {
            self.body.push_str(style.filled());
        }
        if !wrap {
            self.body.push_str(&mask);
        }
        self.body.push_str("/>\n");
        if wrap {
            self.indent(depth - 1);
            self.body.push_str("</g>\n");
        }
    }

    fn layers(&mut self, layers: &[Layer]) {
        let mut at = 0;
        while let Some(layer) = layers.get(at) {
            let root = self.plan.roots.get(at).copied().flatten();
            at += 1;
            let Some(root) = root else {
                continue;
            };
            match layer.paint {
                Paint::Fill([.., 0]) => {}
                Paint::Fill([r, g, b, alpha]) => {
                    // A fill and the stroke right over it are one element.
                    let outlined = layers.get(at).and_then(|next| match next.paint {
                        Paint::Stroke { color, width }
                            if (next.region, next.offset) == (layer.region, layer.offset)
                                && self.strokes_as_itself(root) =>
                        {
                            Some(stroke_attributes(color, width))
                        }
                        _ => None,
                    });
                    if outlined.is_some() {
                        at += 1;
                    }
                    let outlined = outlined.unwrap_or_default();
                    self.filled_layer(root, color([r, g, b]), alpha, &outlined);
                }
                Paint::Stroke { color, width } => self.stroked_layer(root, color, width),
            }
        }
    }

    /// Whether a stroke on the node's own element gives the stroke of the region.
    fn strokes_as_itself(&self, node: NodeId) -> bool {
        match self.plan.kind(node) {
            Kind::Shape(index) => self.plan.shapes.get(index as usize).is_some_and(|shape| {
                !matches!(shape.form, Form::Polyline { .. })
                    && !matches!(shape.placed, Placed::Skewed(_))
            }),
            _ => false,
        }
    }

    fn filled_layer(&mut self, root: NodeId, color: String, alpha: u8, outlined: &str) {
        let opacity = opacity(alpha);
        let alone = match self.plan.kind(root) {
            Kind::All | Kind::Shape(_) => true,
            Kind::Union(_) => false,
            Kind::Product { base, .. } => !matches!(self.plan.kind(base), Kind::Union(_)),
        };
        if alone {
            let faint = |what: &str| match &opacity {
                Some(o) => format!(r#" {what}-opacity="{o}""#),
                None => String::new(),
            };
            let style = Style::Own {
                filled: format!(r#" fill="{color}"{}{outlined}"#, faint("fill")),
                drawn: format!(r#" fill="none" stroke="{color}"{}"#, faint("stroke")),
            };
            self.nodes([root], None, 1, style);
            return;
        }
        // Members overlap: their common opacity belongs to the group.
        let faint = opacity.map_or_else(String::new, |o| format!(r#" opacity="{o}""#));
        let _ = writeln!(self.body, r#"  <g fill="{color}"{faint}>"#);
        self.nodes([root], None, 2, Style::Lines(color));
        self.body.push_str("  </g>\n");
    }

    fn stroked_layer(&mut self, root: NodeId, color: [u8; 4], width: f64) {
        let [.., alpha] = color;
        if alpha == 0 || num(width) == "0" {
            return;
        }
        let stroke = stroke_attributes(color, width);
        if self.strokes_as_itself(root) {
            let style = Style::Own {
                filled: format!(r#" fill="none"{stroke}"#),
                drawn: String::new(),
            };
            self.nodes([root], None, 1, style);
            return;
        }
        let path = outline::of_node(self.plan, root);
        if !path.elements().is_empty() {
            let d = contour::path_data(&path);
            let _ = writeln!(self.body, r#"  <path d="{d}" fill="none"{stroke}/>"#);
        }
    }
}

/// `fill-opacity` and the like: enough digits to give the byte back.
fn opacity(alpha: u8) -> Option<String> {
    (alpha < 255).then(|| number(f64::from(alpha) / 255.0, 4))
}

pub(crate) fn stroke_attributes([r, g, b, alpha]: [u8; 4], width: f64) -> String {
    let mut out = format!(r#" stroke="{}""#, color([r, g, b]));
    if let Some(o) = opacity(alpha) {
        let _ = write!(out, r#" stroke-opacity="{o}""#);
    }
    if num(width) != "1" {
        let _ = write!(out, r#" stroke-width="{}""#, num(width));
    }
    out
}

fn mask_attribute(mask: Option<&str>) -> String {
    mask.map_or_else(String::new, |id| format!(r#" mask="url(#{id})""#))
}

/// A shape's tag name, geometry and transform.
fn element(primitive: &Primitive) -> String {
    let mut out = match &primitive.form {
        Form::Ellipse { cx, cy, rx, ry } if rx == ry => {
            format!(
                r#"circle cx="{}" cy="{}" r="{}""#,
                num(*cx),
                num(*cy),
                num(*rx)
            )
        }
        Form::Ellipse { cx, cy, rx, ry } => format!(
            r#"ellipse cx="{}" cy="{}" rx="{}" ry="{}""#,
            num(*cx),
            num(*cy),
            num(*rx),
            num(*ry)
        ),
        Form::Rect { x, y, w, h, rx, ry } => {
            let mut out = format!(
                r#"rect x="{}" y="{}" width="{}" height="{}""#,
                num(*x),
                num(*y),
                num(*w),
                num(*h)
            );
            if *rx > 0.0 && *ry > 0.0 {
                let _ = write!(out, r#" rx="{}""#, num(*rx));
                if rx != ry {
                    let _ = write!(out, r#" ry="{}""#, num(*ry));
                }
            }
            out
        }
        Form::Polygon(points) => format!(r#"polygon points="{}""#, point_list(points)),
        Form::Polyline { points, width } => format!(
            r#"polyline points="{}" stroke-width="{}" stroke-linecap="round" stroke-linejoin="round""#,
            point_list(points),
            num(*width)
        ),
    };
    match primitive.placed {
        Placed::Plain => {}
        Placed::Turned { degrees, cx, cy } => {
            let _ = write!(
                out,
                r#" transform="rotate({} {} {})""#,
                num(degrees),
                num(cx),
                num(cy)
            );
        }
        Placed::Skewed(m) => {
            let parts: Vec<String> = m.iter().map(|x| number(*x, 6)).collect();
            let _ = write!(out, r#" transform="matrix({})""#, parts.join(" "));
        }
    }
    out
}

fn point_list(points: &[(f64, f64)]) -> String {
    let pairs: Vec<String> = points
        .iter()
        .map(|(x, y)| format!("{},{}", num(*x), num(*y)))
        .collect();
    pairs.join(" ")
}
