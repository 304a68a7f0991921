//! Parts of a diagram, on top of the `railroad` crate's layout.
//!
//! In: texts and other parts. Out: nodes, and of a whole diagram SVG for use inside a page.
//! Afterwards widths are known without a font: texts are set in a monospaced one and stretched to
//! the width that was reckoned with.

use railroad::svg::{Element, HDir};
use railroad::{
    Choice, Diagram, Empty, Link, Node, NodeGeometry, Optional, Repeat, Sequence, SimpleEnd,
    SimpleStart, Stack,
};

use crate::codegen::html::escape;

/// A part of a diagram.
pub(super) type Dyn = Box<dyn Node>;

/// Width of a character.
const COLUMN: i64 = 8;
/// Space at both sides of a label's text.
const PADDING: i64 = 10;
/// Height of a label.
const HEIGHT: i64 = 26;
/// Height of the line above a part that names it.
const NAME: i64 = 17;
/// Width from which a row is broken.
const WIDEST: i64 = 1040;

/// A box with a text, and before it the name of a field.
struct Label {
    class: &'static str,
    field: String,
    text: String,
}

/// Columns of a text; from the East Asian scripts on a character may be twice as wide.
fn columns(text: &str) -> i64 {
    let columns = text.chars().map(|c| if c < '\u{2e80}' { 1 } else { 2 });
    columns.sum::<i64>().max(1)
}

impl Label {
    fn field_width(&self) -> i64 {
        if self.field.is_empty() {
            0
        } else {
            (columns(&self.field) + 1) * COLUMN
        }
    }
}

fn text(class: &str, x: i64, y: i64, width: i64, text: &str) -> Element {
    Element::new("text")
        .set("class", class)
        .set("x", &x)
        .set("y", &y)
        .set("textLength", &width)
        .set("lengthAdjust", "spacingAndGlyphs")
        .text(text)
}

impl Node for Label {
    fn entry_height(&self) -> i64 {
        HEIGHT / 2
    }

    fn height(&self) -> i64 {
        HEIGHT
    }

    fn width(&self) -> i64 {
        2 * PADDING + self.field_width() + columns(&self.text) * COLUMN
    }

    fn draw(&self, x: i64, y: i64, _: HDir) -> Element {
        let radius = if self.class == "terminal" { 13 } else { 5 };
        let base = y + HEIGHT / 2 + 4;
        let mut group = Element::new("g").set("class", self.class).add(
            Element::new("rect")
                .set("x", &x)
                .set("y", &y)
                .set("width", &self.width())
                .set("height", &HEIGHT)
                .set("rx", &radius),
        );
        if !self.field.is_empty() {
            let width = columns(&self.field) * COLUMN;
            group = group.add(text("field", x + PADDING, base, width, &self.field));
        }
        let from = x + PADDING + self.field_width();
        group.add(text(
            "own",
            from,
            base,
            columns(&self.text) * COLUMN,
            &self.text,
        ))
    }
}

/// A part with a name above it that leads to what is said of it.
struct Named {
    inner: Dyn,
    name: String,
    to: String,
}

impl Node for Named {
    fn entry_height(&self) -> i64 {
        self.inner.entry_height() + NAME
    }

    fn height(&self) -> i64 {
        self.inner.height() + NAME
    }

    fn width(&self) -> i64 {
        self.inner.width().max(columns(&self.name) * 7)
    }

    fn draw(&self, x: i64, y: i64, direction: HDir) -> Element {
        // In a proportional font, which is narrower than reckoned.
        let name = Element::new("text")
            .set("class", "name")
            .set("x", &x)
            .set("y", &(y + NAME - 6))
            .text(&self.name);
        let name = Element::new("a").set("href", &self.to).add(name);
        let inner = self.inner.draw(x, y + NAME, direction);
        let mut group = Element::new("g").add(name).add(inner);
        // The way on, when the name is wider.
        let (inner, whole) = (self.inner.width(), self.width());
        if inner < whole {
            let path = railroad::svg::PathData::new(direction)
                .move_to(x + inner, y + self.entry_height())
                .horizontal(whole - inner);
            group = group.add(path.into_path());
        }
        group
    }

    fn compute_geometry(&self) -> NodeGeometry {
        NodeGeometry {
            entry_height: self.entry_height(),
            height: self.height(),
            width: self.width(),
            children: Vec::new(),
        }
    }
}

/// A box with a text.
pub(super) fn label(class: &'static str, field: &str, text: &str) -> Dyn {
    Box::new(Label {
        class,
        field: field.to_owned(),
        text: text.to_owned(),
    })
}

/// A part that leads to a rule's diagram.
pub(super) fn link(inner: Dyn, rule: &str) -> Dyn {
    Box::new(Link::new(inner, format!("#rule-{rule}")))
}

/// A part with a name above it.
pub(super) fn named(inner: Dyn, name: &str, to: &str) -> Dyn {
    Box::new(Named {
        inner,
        name: name.to_owned(),
        to: to.to_owned(),
    })
}

/// Parts one after the other, in several rows when they are too wide for one.
pub(super) fn row(mut parts: Vec<Dyn>) -> Dyn {
    match parts.len() {
        0 => return Box::new(Empty),
        1 => return parts.remove(0),
        _ => {}
    }
    let mut rows: Vec<Sequence<Dyn>> = Vec::new();
    let (mut row, mut width) = (Vec::new(), 0);
    for part in parts {
        if width + part.width() > WIDEST && !row.is_empty() {
            rows.push(Sequence::new(std::mem::take(&mut row)));
            width = 0;
        }
        width += part.width() + COLUMN;
        row.push(part);
    }
    let last = Sequence::new(row);
    if rows.is_empty() {
        return Box::new(last);
    }
    rows.push(last);
    Box::new(Stack::new(rows))
}

/// One of these.
pub(super) fn choice(mut ways: Vec<Dyn>) -> Dyn {
    if ways.len() == 1 {
        return ways.remove(0);
    }
    Box::new(Choice::new(ways))
}

/// There or not.
pub(super) fn optional(inner: Dyn) -> Dyn {
    Box::new(Optional::new(inner))
}

/// Once or more, with this between.
pub(super) fn repeat(inner: Dyn, between: Option<Dyn>) -> Dyn {
    let between = between.unwrap_or_else(|| Box::new(Empty));
    Box::new(Repeat::new(inner, between))
}

/// A whole diagram.
pub(super) fn svg(inner: Dyn, about: &str) -> String {
    let line: Vec<Dyn> = vec![Box::new(SimpleStart), inner, Box::new(SimpleEnd)];
    let mut diagram = Diagram::new(Sequence::new(line));
    for (name, value) in [
        ("width", diagram.width().to_string()),
        ("height", diagram.height().to_string()),
        ("role", "img".to_owned()),
        ("aria-label", escape(about)),
    ] {
        diagram.attr(name.to_owned()).or_insert(value);
    }
    diagram.to_string()
}
