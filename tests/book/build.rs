//! Builds the book into `target/` and looks for warnings and broken links.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use mdbook_driver::MDBook;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::root;

/// Collects what mdBook warns of.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // Levels compare by how much they let through: WARN and ERROR pass.
        *metadata.level() <= Level::WARN
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        self.0.lock().expect("not poisoned").push(message.0);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// Builds the book. What comes back is wrong with it.
pub(crate) fn build() -> Vec<String> {
    // Beside the test binary's own build, so that no folder of the repository is written.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("book");
    let warnings = Warnings::default();
    let result = tracing::subscriber::with_default(warnings.clone(), || {
        let mut book = MDBook::load(root().join("book"))?;
        book.config.build.build_dir = target.clone();
        book.config.build.create_missing = false;
        book.build()
    });
    let mut breaches = warnings.0.lock().expect("not poisoned").clone();
    if let Err(error) = result {
        breaches.push(format!("{error:?}"));
        return breaches;
    }
    breaches.extend(broken_links(&target));
    breaches
}

/// Links to files and headings that are not there.
fn broken_links(site: &Path) -> Vec<String> {
    let mut breaches = Vec::new();
    for page in html_files(site) {
        // It joins all pages; their links are looked at on the pages themselves.
        if page.ends_with("print.html") {
            continue;
        }
        let text = fs::read_to_string(&page).expect("a page is UTF-8");
        // The navigation lists every chapter, which the build made itself.
        let main = text
            .split_once("<main>")
            .and_then(|(_, rest)| rest.split_once("</main>"))
            .map_or("", |(main, _)| main);
        for link in attributes(main, "href").chain(attributes(main, "src")) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (file, fragment) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                page.clone()
            } else {
                page.parent().expect("a folder").join(file)
            };
            let there = target.is_file()
                && (fragment.is_empty()
                    || fs::read_to_string(&target)
                        .is_ok_and(|text| text.contains(&format!("id=\"{fragment}\""))));
            if !there {
                let page = page.strip_prefix(site).expect("below").display();
                breaches.push(format!("{page}: broken link {link}"));
            }
        }
    }
    breaches
}

fn html_files(site: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![site.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the built book") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "html") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The values of an attribute, in order.
fn attributes<'a>(html: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let start = format!(" {name}=\"");
    let mut rest = html;
    std::iter::from_fn(move || {
        let (_, after) = rest.split_once(&start)?;
        let (value, left) = after.split_once('"')?;
        rest = left;
        Some(value)
    })
}
