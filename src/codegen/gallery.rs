//! The gallery page: a language at a glance, in one file that needs no network.
//!
//! In: a compiled language and a seed. Out: HTML with its style and pictures inside. Afterwards
//! the same language and seed give the same bytes. Languages without pictures get the same page
//! with programs as text only.

use std::fmt::Write;
use std::ops::Range;

use super::ebnf::{self, Alternative, Part};
use super::html::{counted, escape, inline, inlined_svg, marked, paragraphs, power_of_ten};
use super::summary::{Summary, summary};
use crate::Compiled;
use crate::mutate::Mutator;
use crate::render::Picture;
use crate::render::coverage::Engine;
use crate::render::svg::{self, SvgOptions};
use crate::sample::{self, Rng, Sampler};
use crate::scene::eval;
use crate::tree::diff::PathMode;
use crate::tree::{self, Edit, Program, edit};

/// How the page is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Seed of its samples, mutations and path.
    pub seed: u64,
    /// The grammar file as the user wrote it, for the commands in the footer.
    pub file: String,
    /// The page of railroad diagrams as this page names it, when there is one.
    pub railroad: Option<String>,
}

/// Most rows of sizes on the wall.
const ROWS: usize = 8;
/// Programs in a row with pictures, and without.
const PER_ROW: (usize, usize) = (9, 3);
/// Draws until a picture that shows something is given up.
const TRIES: usize = 20;
/// Mutations shown.
const MUTATIONS: usize = 6;
/// Frames of the filmstrip: a longer path is looked for again.
const FRAMES: usize = 24;

/// The page.
pub fn gallery(compiled: &Compiled, options: &Options) -> String {
    let mut page = Page {
        compiled,
        table: summary(compiled),
        options,
        rng: sample::seeded(options.seed),
        engine: Engine::new(),
        pictures: 0,
        body: String::new(),
    };
    page.header();
    page.examples();
    page.samples();
    page.mutations();
    page.path();
    page.grammar();
    page.footer();
    let title = escape(&page.table.language);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"generator\" content=\"tdc {}\">\n<title>{title}</title>\n\
         <style>\n{}</style>\n</head>\n<body>\n{}</body>\n</html>\n",
        env!("CARGO_PKG_VERSION"),
        include_str!("gallery.css"),
        page.body
    )
}

struct Page<'a> {
    compiled: &'a Compiled,
    table: Summary,
    options: &'a Options,
    rng: Rng,
    engine: Engine,
    /// Pictures so far: each has ids of its own.
    pictures: usize,
    body: String,
}

impl<'a> Page<'a> {
    fn put(&mut self, html: &str) {
        self.body.push_str(html);
        self.body.push('\n');
    }

    fn draws(&self) -> bool {
        self.compiled.grammar.canvas.is_some()
    }

    /// `text` for pages without pictures: their layout differs.
    fn kind(&self) -> &'static str {
        if self.draws() { "pictures" } else { "text" }
    }

    fn parse(&self, text: &str) -> Option<Program> {
        tree::parse(&self.compiled.grammar, &self.compiled.syntax, text).ok()
    }

    fn text(&self, program: &Program) -> String {
        tree::print(&self.compiled.grammar, &self.compiled.syntax, program)
    }

    fn text_spans(&self, program: &Program) -> (String, Vec<Range<usize>>) {
        tree::print_spans(&self.compiled.grammar, &self.compiled.syntax, program)
    }

    /// A program's picture, if it has one.
    fn picture(&mut self, program: &Program, label: &str) -> Option<String> {
        let scene = eval::lower(&self.compiled.grammar, program).ok()?;
        let svg = svg::write(&scene, &SvgOptions::default()).ok()?;
        self.pictures += 1;
        let prefix = format!("p{}-", self.pictures);
        let svg = inlined_svg(&svg, &prefix, label);
        Some(format!("<span class=\"pic\">{svg}</span>"))
    }

    fn header(&mut self) {
        let table = &self.table;
        let mut facts: Vec<(&str, String)> = vec![("Programs are", table.start.clone())];
        let mut optional = |name, value: &Option<String>| {
            if let Some(value) = value {
                facts.push((name, value.clone()));
            }
        };
        optional("Canvas", &table.canvas);
        optional("Goal", &table.goal);
        optional("Observed", &table.observe);
        facts.push(("Sampled", table.sample.clone()));
        facts.push(("Size counts", table.size.to_owned()));
        facts.push(("Mutated", table.mutate.clone()));
        let productions: usize = table.sorts.iter().map(|s| s.productions.len()).sum();
        let (sorts, tokens) = (table.sorts.len(), table.tokens.len());
        facts.push((
            "Grammar",
            format!(
                "{}, {}, {}",
                counted(sorts, "sort"),
                counted(productions, "production"),
                counted(tokens, "token")
            ),
        ));
        let facts: String = facts
            .iter()
            .map(|(name, value)| format!("<div><dt>{name}</dt><dd>{}</dd></div>\n", escape(value)))
            .collect();
        let html = format!(
            "<header>\n<h1>{}</h1>\n<div class=\"docs\">{}</div>\n<dl class=\"facts card\">\n{facts}</dl>\n</header>",
            escape(&table.language),
            paragraphs(&table.docs),
        );
        self.put(&html);
        let mut links = vec![
            ("samples", "Samples"),
            ("mutations", "Mutations"),
            ("path", "Edit path"),
            ("grammar", "Grammar"),
        ];
        if !self.table.examples.is_empty() {
            links.insert(0, ("examples", "Examples"));
        }
        let links: String = links
            .iter()
            .map(|(id, name)| format!("<li><a href=\"#{id}\">{name}</a></li>"))
            .collect();
        self.put(&format!(
            "<nav aria-label=\"Sections\"><ul>{links}</ul></nav>\n<main>"
        ));
    }

    fn examples(&mut self) {
        if self.table.examples.is_empty() {
            return;
        }
        self.section("examples", "Examples", "Programs from the grammar file.");
        let kind = self.kind();
        self.put(&format!("<div class=\"examples {kind}\">"));
        for example in self.table.examples.clone() {
            let program = self.parse(&example.program);
            let picture = program
                .as_ref()
                .and_then(|program| self.picture(program, &example.name));
            let docs = example
                .docs
                .lines()
                .map(str::trim)
                .collect::<Vec<_>>()
                .join(" ");
            let source = program.as_ref().map_or(example.program, |p| self.text(p));
            let html = format!(
                "<figure class=\"card\">{}<figcaption><strong>{}</strong><p>{}</p><pre>{}</pre></figcaption></figure>",
                picture.unwrap_or_default(),
                escape(&example.name),
                inline(&docs),
                escape(&source)
            );
            self.put(&html);
        }
        self.put("</div>\n</section>");
    }

    fn samples(&mut self) {
        let compiled = self.compiled;
        let spec = compiled.grammar.sample;
        self.section(
            "samples",
            "Samples",
            if self.draws() {
                "Random programs, smallest first; almost empty and almost full pictures are left out. Point at a picture, or move to it with the tab key, to see its program."
            } else {
                "Random programs, smallest first."
            },
        );
        self.sizes();
        // Sizes spread over the window, both ends included.
        let existing: Vec<u32> = (spec.min..=spec.max)
            .filter(|size| self.sampler(*size, *size).is_some())
            .take(256)
            .collect();
        let rows = ROWS.min(existing.len());
        let per_row = if self.draws() { PER_ROW.0 } else { PER_ROW.1 };
        let kind = self.kind();
        for row in 0..rows {
            let at = row * (existing.len() - 1) / (rows.max(2) - 1);
            let size = existing[at];
            let Some(sampler) = self.sampler(size, size) else {
                continue;
            };
            let programs: Vec<Program> = (0..per_row).map(|_| self.visible(&sampler)).collect();
            self.put(&format!(
                "<h3>Size {size}</h3>\n<div class=\"wall {kind}\">"
            ));
            for program in programs {
                let source = escape(&self.text(&program));
                let html = match self.picture(&program, "sample") {
                    Some(picture) => format!(
                        "<figure class=\"card\" tabindex=\"0\">{picture}<figcaption class=\"source\"><pre>{source}</pre></figcaption></figure>"
                    ),
                    None => format!("<figure class=\"card\"><pre>{source}</pre></figure>"),
                };
                self.put(&html);
            }
            self.put("</div>");
        }
        self.put("</section>");
    }

    /// Bars for how many programs there are of each size, by their powers of ten.
    fn sizes(&mut self) {
        let rows: Vec<(u32, f64)> = self
            .table
            .programs
            .iter()
            .filter_map(|row| Some((row.size, row.programs?)))
            .filter(|(_, count)| *count >= 1.0)
            .collect();
        let most = rows
            .iter()
            .map(|(_, count)| count.log10())
            .fold(0.0, f64::max);
        if rows.len() < 2 || most <= 0.0 || rows.len() > 16 {
            return;
        }
        let mut html = String::from(
            "<div class=\"sizes card\" role=\"img\" aria-label=\"Number of programs of each size\">",
        );
        for (size, count) in rows {
            let height = (72.0 * count.log10() / most).round();
            let _ = write!(
                html,
                "<div><b>{}</b><i style=\"height:{height}px\"></i>size {size}</div>",
                power_of_ten(count)
            );
        }
        html.push_str("</div>");
        self.put(&html);
    }

    fn sampler(&self, min: u32, max: u32) -> Option<Sampler<'a>> {
        let mut spec = self.compiled.grammar.sample;
        (spec.min, spec.max) = (min, max);
        Sampler::new(self.compiled, spec).ok()
    }

    fn mutations(&mut self) {
        let compiled = self.compiled;
        let spec = compiled.grammar.mutate;
        self.section(
            "mutations",
            "Mutations",
            &format!(
                "A mutation replaces one part of size {} or less by another part of the same kind.",
                spec.small
            ),
        );
        let kind = self.kind();
        self.put(&format!("<div class=\"changes {kind}\">"));
        let (Some(sampler), Ok(mutator)) = (self.middle_sampler(), Mutator::new(compiled, spec))
        else {
            self.put("</div>\n</section>");
            return;
        };
        for _ in 0..MUTATIONS {
            // Of a few, one that is seen.
            let mut shown = None;
            for _ in 0..12 {
                let before = self.visible(&sampler);
                let Some(change) = mutator.propose(&before, &mut self.rng) else {
                    continue;
                };
                let after = edit::apply(&compiled.grammar, &before, &change);
                let seen = !self.draws() || self.looks(&before) != self.looks(&after);
                shown = Some((before, change, after));
                if seen {
                    break;
                }
            }
            let Some((before, change, after)) = shown else {
                continue;
            };
            let side = |page: &mut Self, program: &Program, label| {
                let (text, spans) = page.text_spans(program);
                let mark = spans.get(change.position).cloned();
                let picture = page.picture(program, label).unwrap_or_default();
                format!("<div>{picture}<pre>{}</pre></div>", marked(&text, mark))
            };
            let (left, right) = (side(self, &before, "before"), side(self, &after, "after"));
            self.put(&format!(
                "<div class=\"change {kind} card\">{left}<div class=\"arrow\" aria-hidden=\"true\">→</div>{right}</div>"
            ));
        }
        self.put("</div>\n</section>");
    }

    /// A random program whose picture shows something, if a few tries find one.
    fn visible(&mut self, sampler: &Sampler) -> Program {
        let mut program = sampler.sample(&mut self.rng);
        for _ in 0..TRIES {
            if self.shows(&program) {
                break;
            }
            program = sampler.sample(&mut self.rng);
        }
        program
    }

    /// Whether enough of a picture differs from the empty canvas, and not nearly all of it.
    /// Always, without a canvas.
    fn shows(&mut self, program: &Program) -> bool {
        let Some(canvas) = &self.compiled.grammar.canvas else {
            return true;
        };
        let Ok(scene) = eval::lower(&self.compiled.grammar, program) else {
            return false;
        };
        let Ok(picture) = self.engine.draw(&scene) else {
            return false;
        };
        let blank = Picture::blank(canvas);
        let channels = usize::from(picture.channels.max(1));
        let pixels = picture.data.chunks_exact(channels);
        let drawn = pixels
            .zip(blank.data.chunks_exact(channels))
            .filter(|(a, b)| a != b)
            .count();
        let share = drawn as f64 / picture.pixels().max(1) as f64;
        // A colour picture may well be painted all over; ink all over is a black square.
        share > 0.01 && (channels > 1 || share < 0.9)
    }

    /// The SVG text, to see whether two programs look alike.
    fn looks(&self, program: &Program) -> Option<String> {
        let scene = eval::lower(&self.compiled.grammar, program).ok()?;
        svg::write(&scene, &SvgOptions::default()).ok()
    }

    /// A sampler of programs neither small nor large.
    fn middle_sampler(&self) -> Option<Sampler<'a>> {
        let spec = self.compiled.grammar.sample;
        let middle = spec.min + (spec.max - spec.min) / 3;
        self.sampler(
            spec.min.max(middle.saturating_sub(1)),
            middle.max(spec.min) + 1,
        )
        .or_else(|| self.sampler(spec.min, spec.max))
    }

    fn path(&mut self) {
        let compiled = self.compiled;
        self.section(
            "path",
            "Edit path",
            "From one program to another by small edits. Every program on the way is complete; the part that has just been replaced is marked.",
        );
        let Some(found) = self.find_path() else {
            self.put("<p>No path was found.</p>\n</section>");
            return;
        };
        let (from, steps) = found;
        let kind = self.kind();
        self.put(&format!(
            "<ol class=\"film {kind}\" tabindex=\"0\" aria-label=\"Edit path\">"
        ));
        let mut program = from;
        self.frame(&program, None, "start");
        let last = steps.len();
        for (index, step) in steps.iter().enumerate() {
            program = edit::apply(&compiled.grammar, &program, step);
            let label = if index + 1 == last {
                format!("step {} of {last}, arrived", index + 1)
            } else {
                format!("step {} of {last}", index + 1)
            };
            self.frame(&program, Some(step.position), &label);
        }
        self.put("</ol>\n</section>");
    }

    fn find_path(&mut self) -> Option<(Program, Vec<Edit>)> {
        let compiled = self.compiled;
        let mutator = Mutator::new(compiled, compiled.grammar.mutate).ok()?;
        let sampler = self.middle_sampler()?;
        let mut best: Option<(Program, Vec<Edit>)> = None;
        for _ in 0..12 {
            let (from, to) = (self.visible(&sampler), self.visible(&sampler));
            let steps: Vec<Edit> = mutator
                .path(&from, &to, PathMode::Plain, &mut self.rng)
                .ok()?
                // Far more than is shown: such a path is not chosen anyway.
                .take(4 * FRAMES)
                .map(|step| Edit {
                    position: step.position,
                    replacement: step.new,
                })
                .collect();
            let length = |steps: &[Edit]| match steps.len() {
                // Long enough to tell something, short enough to be looked at.
                n if n <= FRAMES => n,
                n => FRAMES.saturating_sub(n - FRAMES),
            };
            if best
                .as_ref()
                .is_none_or(|(_, old)| length(&steps) > length(old))
            {
                best = Some((from, steps));
            }
        }
        best
    }

    fn frame(&mut self, program: &Program, changed: Option<usize>, label: &str) {
        let (text, spans) = self.text_spans(program);
        let mark = changed.and_then(|at| spans.get(at).cloned());
        let picture = self.picture(program, label).unwrap_or_default();
        self.put(&format!(
            "<li class=\"card\"><div class=\"step\">{label}</div>{picture}<pre>{}</pre></li>",
            marked(&text, mark)
        ));
    }

    fn grammar(&mut self) {
        self.section(
            "grammar",
            "Grammar",
            "The concrete syntax as EBNF; names lead to their rules.",
        );
        if let Some(page) = &self.options.railroad {
            let link = format!(
                "<p><a href=\"{}\">As railroad diagrams</a></p>",
                escape(page)
            );
            self.put(&link);
        }
        let mut html = String::from("<dl class=\"grammar card\">\n");
        for rule in ebnf::rules(&self.compiled.grammar) {
            let _ = write!(
                html,
                "<div class=\"rule\" id=\"rule-{name}\"><dt>{name}</dt><dd>",
                name = escape(&rule.name)
            );
            if !rule.docs.trim().is_empty() {
                let _ = write!(html, "<div class=\"docs\">{}</div>", paragraphs(&rule.docs));
            }
            if rule.token.is_some() {
                let texts: Vec<String> = rule.alternatives.iter().map(|a| self.parts(a)).collect();
                let _ = write!(html, "<code class=\"tok\">{}</code>", texts.join(" | "));
            } else {
                for (index, alternative) in rule.alternatives.iter().enumerate() {
                    html.push_str(&self.alternative(index, alternative));
                }
            }
            html.push_str("</dd></div>\n");
        }
        html.push_str("</dl>");
        self.put(&html);
        self.put("</section>");
    }

    fn alternative(&self, index: usize, alternative: &Alternative) -> String {
        let bar = if index == 0 { "::=" } else { "|" };
        let (mut name, mut note) = (String::new(), String::new());
        if let Some(id) = alternative.production {
            let production = self.compiled.grammar.production(id);
            name = escape(&production.name);
            if production.weight != 1.0 {
                let _ = write!(name, " · weight {}", production.weight);
            }
            if production.primitive {
                name.push_str(" · primitive");
            }
            if !production.docs.trim().is_empty() {
                let docs = production.docs.lines().map(str::trim).collect::<Vec<_>>();
                note = format!("<span class=\"note\">{}</span>", inline(&docs.join(" ")));
            }
        }
        format!(
            "<div class=\"alt\"><span class=\"bar\">{bar}</span><code>{}</code><span class=\"name\">{name}</span>{note}</div>",
            self.parts(alternative)
        )
    }

    fn parts(&self, alternative: &Alternative) -> String {
        let parts: Vec<String> = alternative
            .parts
            .iter()
            .map(|part| self.part(part))
            .collect();
        if parts.is_empty() {
            "<span class=\"field\">nothing</span>".into()
        } else {
            parts.join(" ")
        }
    }

    fn part(&self, part: &Part) -> String {
        match part {
            Part::Literal(_) => {
                format!(
                    "<span class=\"lit\">{}</span>",
                    escape(&ebnf::part_text(part))
                )
            }
            Part::Terminal(text) => format!("<span class=\"tok\">{}</span>", escape(text)),
            Part::Rule { name, field, .. } => {
                let token = self.table.tokens.iter().any(|token| token.name == *name);
                let class = if token { " class=\"tok\"" } else { "" };
                let field = if field.is_empty() {
                    String::new()
                } else {
                    format!("<span class=\"field\">{}:</span>", escape(field))
                };
                let name = escape(name);
                format!("{field}<a{class} href=\"#rule-{name}\">{name}</a>")
            }
            Part::Repeat {
                item,
                separator,
                sign,
            } => {
                let item_html = self.part(item);
                match separator {
                    None => format!("{item_html}{sign}"),
                    Some(separator) => format!(
                        "{item_html}{sign} <span class=\"field\">sep</span> <span class=\"lit\">{}</span>",
                        escape(&ebnf::part_text(&Part::Literal(separator.clone())))
                    ),
                }
            }
        }
    }

    fn footer(&mut self) {
        let file = escape(&self.options.file);
        let seed = self.options.seed;
        self.put(&format!(
            "</main>\n<footer>Written by tdc {} with seed {seed}. \
             More: <code>tdc sample {file} -n 20</code>, <code>tdc mutate {file} PROGRAM</code>, \
             <code>tdc path {file} FROM TO</code>.</footer>",
            env!("CARGO_PKG_VERSION")
        ));
    }

    fn section(&mut self, id: &str, title: &str, about: &str) {
        self.put(&format!(
            "<section id=\"{id}\">\n<h2>{title}</h2>\n<p>{}</p>",
            escape(about)
        ));
    }
}
