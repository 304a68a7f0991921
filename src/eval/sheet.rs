//! A contact sheet: targets, what was found for them, and how they differ, on one page.
//!
//! In: [`Card`]s. Out: HTML with its style inside, for light and dark screens, which shows everything
//! without scripts and without a network. Afterwards no text of a target's or a program's is
//! anything but text.

use std::fmt::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::attempt::Record;
use super::summary::{Summary, short};
use crate::codegen::html::escape;
use crate::render::image::encode_png;
use crate::render::{Picture, panels};

/// A target and what was found.
#[derive(Clone, Debug)]
pub struct Card {
    /// What was found.
    pub record: Record,
    /// Where its pictures are: addresses for `src`, with what they show.
    pub pictures: Vec<(&'static str, String)>,
    /// Files to go on with: addresses, with what they are called.
    pub links: Vec<(&'static str, String)>,
}

/// The address of a picture that is part of the page.
pub fn inside(picture: &Picture) -> String {
    let png = STANDARD.encode(encode_png(picture));
    format!("data:image/png;base64,{png}")
}

/// Target, difference and result as parts of the page; without a result the target alone.
pub fn pictures(target: &Picture, result: Option<&Picture>) -> Vec<(&'static str, String)> {
    let mut out = vec![("target", inside(target))];
    if let Some(result) = result {
        out.push(("difference", inside(&panels::difference(target, result))));
        out.push(("result", inside(result)));
    }
    out
}

/// The address of a file beside the page: what has a meaning in addresses is written in hexadecimals.
pub fn beside(path: &[&str]) -> String {
    let parts = path.iter().map(|part| {
        let letters = part.bytes().map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        });
        letters.collect::<String>()
    });
    parts.collect::<Vec<_>>().join("/")
}

/// The page.
pub fn sheet(title: &str, about: &str, plot: &str, summary: &Summary, cards: &[Card]) -> String {
    let title = escape(title);
    let mut body = format!(
        "<header>\n<h1>{title}</h1>\n<p>{}</p>\n<dl>\n",
        escape(about)
    );
    for (name, value) in facts(summary) {
        let _ = writeln!(
            body,
            "<div><dt>{name}</dt><dd>{}</dd></div>",
            escape(&value)
        );
    }
    body.push_str("</dl>\n</header>\n<main>\n");
    if !plot.is_empty() {
        let _ = writeln!(body, "<figure class=\"plot\">{plot}</figure>");
    }
    body.push_str("<div class=\"cards\">\n");
    for card in cards {
        put(&mut body, card);
    }
    body.push_str("</div>\n</main>\n");
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"generator\" content=\"tdc {}\">\n<title>{title}</title>\n\
         <style>\n{}</style>\n</head>\n<body>\n{body}</body>\n</html>\n",
        env!("CARGO_PKG_VERSION"),
        include_str!("sheet.css"),
    )
}

fn facts(summary: &Summary) -> Vec<(&'static str, String)> {
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let mut out = vec![(
        "Solved",
        format!("{} of {}", summary.solved, summary.targets),
    )];
    let mut optional = |name, value: Option<String>| {
        if let Some(value) = value {
            out.push((name, value));
        }
    };
    optional("Mean IoU", summary.mean_iou.map(|iou| format!("{iou:.4}")));
    let median = summary.median_seconds.map(|s| format!("{} s", short(s)));
    optional("Median time", median);
    optional(
        "Mean primitives",
        summary.mean_primitives.map(|n| format!("{n:.1}")),
    );
    let truth = summary.mean_true_primitives.map(|n| format!("{n:.1}"));
    optional("In the true programs", truth);
    optional("No longer than true", summary.no_longer.map(percent));
    out
}

fn put(body: &mut String, card: &Card) {
    let record = &card.record;
    let (class, state) = match (record.solved, &record.error) {
        (true, _) => ("solved", "solved"),
        (false, None) => ("open", "not solved"),
        (false, Some(_)) => ("failed", "no result"),
    };
    let _ = write!(
        body,
        "<article class=\"{class}\">\n<h2>{}<span>{state}</span></h2>\n<div class=\"row\">",
        escape(&record.target)
    );
    for (what, address) in &card.pictures {
        let address = escape(address);
        let label = format!("{what} of {}", escape(&record.target));
        let _ = write!(
            body,
            "<figure><a href=\"{address}\"><img src=\"{address}\" alt=\"{label}\" loading=\"lazy\"></a>\
             <figcaption>{what}</figcaption></figure>"
        );
    }
    body.push_str("</div>\n<p class=\"facts\">");
    let mut facts = Vec::new();
    if let Some(iou) = record.iou {
        facts.push(format!("IoU {iou:.4}"));
    }
    if let Some(found) = record.primitives {
        facts.push(match record.true_primitives {
            Some(truth) => format!("{found} primitives (true program: {truth})"),
            None => format!("{found} primitives"),
        });
    }
    if record.error.is_none() {
        facts.push(format!("{} s", short(record.seconds)));
        facts.push(format!("{} programs tried", record.evaluations));
    }
    let spans = facts
        .iter()
        .map(|fact| format!("<span>{}</span>", escape(fact)));
    body.push_str(&spans.collect::<String>());
    body.push_str("</p>\n");
    for note in &record.notes {
        let _ = writeln!(body, "<p class=\"note\">{}</p>", escape(note));
    }
    if let Some(error) = &record.error {
        let _ = writeln!(body, "<p class=\"error\">{}</p>", escape(error));
    }
    if let Some(program) = &record.program {
        let _ = writeln!(body, "<pre>{}</pre>", escape(program));
    }
    if !card.links.is_empty() {
        let links = card
            .links
            .iter()
            .map(|(name, address)| format!("<a href=\"{}\">{}</a>", escape(address), escape(name)));
        let _ = writeln!(body, "<p class=\"links\">{}</p>", links.collect::<String>());
    }
    body.push_str("</article>\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::summary::summary;

    #[test]
    fn text_stays_text() {
        let record = Record {
            target: "<script>alert(1)</script>\".png".to_owned(),
            program: Some("a & <b>".to_owned()),
            notes: vec!["<i>".to_owned()],
            error: Some("<u>".to_owned()),
            ..Record::default()
        };
        let card = Card {
            pictures: vec![("target", beside(&["a \"b", "<c>.png"]))],
            links: vec![("SVG", "x\"><script>".to_owned())],
            record: record.clone(),
        };
        let page = sheet("<t>", "<a>", "", &summary(&[record], None), &[card]);
        for bad in [
            "<script>alert",
            "<b>",
            "<i>",
            "<u>",
            "<t>",
            "<a>",
            "\"><script",
        ] {
            assert!(!page.contains(bad), "{bad}");
        }
        assert!(page.contains("src=\"a%20%22b/%3Cc%3E.png\""));
        assert!(page.contains("a &amp; &lt;b&gt;"));
    }

    #[test]
    fn pictures_are_inside() {
        let picture = Picture::filled(2, 2, 1, 255);
        let all = pictures(&picture, Some(&picture));
        assert_eq!(all.len(), 3);
        assert!(
            all.iter()
                .all(|(_, at)| at.starts_with("data:image/png;base64,iVBORw0KGgo"))
        );
        assert_eq!(pictures(&picture, None).len(), 1);
    }
}
