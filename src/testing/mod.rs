//! Snapshots of a language: what its sampler, mutators, edit paths and pictures do, as text and
//! pictures that people review.
//!
//! In: a [`Compiled`] language, a seed, a count. Out: text, SVG, PNG. Afterwards the same language,
//! seed and count give the same bytes on every machine, so that a change of the grammar shows as a
//! difference. Nothing here needs a test framework.
//!
//! # In Rust
//!
//! The macros compare with [insta](https://insta.rs), which the crate that uses them brings as its
//! own dev-dependency: they expand to `insta::assert_snapshot!` there, so that its version, its
//! settings, its folder of snapshots and `cargo insta review` are the user's own.
//!
//! ```
//! # fn main() {
//! # // Compares with what is in the repository's `snapshots/`.
//! # let mut settings = insta::Settings::clone_current();
//! # settings.set_snapshot_path("../snapshots/testing");
//! # settings.bind(|| {
//! let csg2d = tdc::Compiled::load("grammars/csg2d.tdg").unwrap();
//! tdc::assert_samples!(&csg2d, seed = 7, count = 2, @r"
//! 1   (- (Quad 14 1 1 1 0) (+ (+ (+ (Circle 15 11 9) (+
//!       (- (Quad 5 5 10 3 90) (- (Circle 14 13 11) (Quad 3 3 11 5 315))) (Circle 0 9 2)))
//!       (Quad 2 4 10 14 0)) (Circle 3 9 10)))
//! 2   (+ (Circle 3 12 4) (+ (Quad 1 7 4 15 45) (Circle 5 10 3)))
//! ");
//! # });
//! # }
//! ```
//!
//! | macro | shows |
//! |---|---|
//! | [`assert_samples!`] | random programs |
//! | [`assert_mutations!`] | small changes: program, the part replaced, result |
//! | [`assert_mutators!`] | what each named mutator of the language does |
//! | [`assert_paths!`] | edit paths |
//! | [`assert_pictures!`] | pictures as SVG text |
//! | [`assert_pixels!`] | pictures as PNG files, compared pixel by pixel |
//!
//! [`assert_samples!`]: crate::assert_samples
//! [`assert_mutations!`]: crate::assert_mutations
//! [`assert_mutators!`]: crate::assert_mutators
//! [`assert_paths!`]: crate::assert_paths
//! [`assert_pictures!`]: crate::assert_pictures
//! [`assert_pixels!`]: crate::assert_pixels
//!
//! # Without Rust
//!
//! `tdc snap` keeps the same as a folder of files ([`folder`]).
//!
//! # With anything else
//!
//! The functions of this module give the texts as strings.

mod drawing;
pub mod folder;
pub mod golden;
mod lines;
mod macros;
mod programs;

use crate::compiled::Compiled;
use crate::diag::nearest::nearest;
use crate::grammar::inside::SizeError;
use crate::mutate::Mutator;
use crate::mutate::named::NamedMutator;
use crate::render::RenderError;
use crate::sample;
use crate::scene::eval::NotDrawable;
use crate::tree::diff::{PathError, PathMode};
use crate::tree::{Edit, Program, edit};

pub use drawing::{Drawing, drawings, examples};
use lines::Shown;
use programs::{Source, found, source};

/// Most programs, mutations, paths or pictures of one snapshot.
pub const MAX_COUNT: u32 = 1000;

/// Why there is no snapshot.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SnapshotError {
    /// Nothing, or more than anyone reviews.
    #[error("a count of {0} is out of range: a snapshot shows 1 to {MAX_COUNT}")]
    Count(u32),
    /// The language has no such mutator.
    #[error("`{language}` has no mutator `{name}`{hint}")]
    NoMutator {
        /// The language's name.
        language: String,
        /// What was asked for.
        name: String,
        /// What may have been meant.
        hint: String,
    },
    /// The language draws nothing.
    #[error("`{0}` has no `canvas`, so its programs have no pictures")]
    NoCanvas(String),
    /// The sizes of the language cannot be sampled.
    #[error(transparent)]
    Size(#[from] SizeError),
    /// The language's sigma_small leads nowhere.
    #[error(transparent)]
    Path(#[from] PathError),
    /// It was told to stop.
    #[error("stopped")]
    Stopped,
    /// A program has no scene.
    #[error("cannot draw `{program}`: {why}")]
    Scene {
        /// The program.
        program: String,
        /// Why.
        why: NotDrawable,
    },
    /// A scene has no picture.
    #[error("cannot draw `{program}`: {why}")]
    Picture {
        /// The program.
        program: String,
        /// Why.
        why: RenderError,
    },
}

/// Random programs, drawn as `tdc sample --seed SEED -n COUNT` draws them.
///
/// # Errors
///
/// When the count is not within 1 to [`MAX_COUNT`].
pub fn samples(compiled: &Compiled, seed: u64, count: u32) -> Result<String, SnapshotError> {
    check_count(count)?;
    let source = source(compiled, compiled.grammar.sample)?;
    let mut out = String::new();
    for index in 0..count {
        let program = source.program(seed, index.into());
        Shown::new(compiled, &program).write(&numbered(index + 1), &mut out);
    }
    Ok(out)
}

/// Small changes by the language's mutator, each of a random program of the smaller sizes: the
/// program, carets under the part that is replaced, and the result.
///
/// # Errors
///
/// When the count is not within 1 to [`MAX_COUNT`].
pub fn mutations(compiled: &Compiled, seed: u64, count: u32) -> Result<String, SnapshotError> {
    check_count(count)?;
    let (source, mutator) = (small_programs(compiled)?, mutator(compiled)?);
    let mut out = String::new();
    for index in 0..count {
        let program = source.program(seed, index.into());
        let mut rng = sample::stream(!seed, index.into());
        separate(&mut out);
        match mutator.propose(&program, &mut rng) {
            Some(edit) => change(compiled, &numbered(index + 1), &program, &edit, &mut out),
            None => {
                Shown::new(compiled, &program).write(&numbered(index + 1), &mut out);
                out.push_str(" => nothing small can change\n");
            }
        }
    }
    Ok(out)
}

/// What the named mutator does, `count` times: `Circle::mutate_r`
/// ([`NamedMutator`]). Programs are drawn until it finds something to change; of a mutator that
/// can never do anything it is said why.
///
/// # Errors
///
/// When the language has no such mutator, or the count is not within 1 to [`MAX_COUNT`].
pub fn mutations_by(
    compiled: &Compiled,
    name: &str,
    seed: u64,
    count: u32,
) -> Result<String, SnapshotError> {
    check_count(count)?;
    let grammar = &compiled.grammar;
    let Some(named) = NamedMutator::find(grammar, name) else {
        let all = NamedMutator::all(grammar).into_iter();
        let names: Vec<String> = all.map(|named| named.name(grammar)).collect();
        let near = nearest(name, names.iter().map(String::as_str));
        let hint = near.map(|near| format!("; `{near}` is near"));
        return Err(SnapshotError::NoMutator {
            language: grammar.name.clone(),
            name: name.to_owned(),
            hint: hint.unwrap_or_default(),
        });
    };
    let (mutator, finder) = (mutator(compiled)?, programs::Finder::new(compiled)?);
    let mut out = String::new();
    by_name(&finder, &mutator, named, seed, count, &mut out);
    Ok(out)
}

/// What each named mutator of the language does, `count` times each, under its name; those that
/// can never do anything come last, with the reason.
///
/// # Errors
///
/// When the count is not within 1 to [`MAX_COUNT`].
pub fn mutators(compiled: &Compiled, seed: u64, count: u32) -> Result<String, SnapshotError> {
    mutators_with(compiled, seed, count, &mut |_, _| true)
}

/// [`mutators`] that tells how many are done of how many, and stops early when told `false`.
pub(crate) fn mutators_with(
    compiled: &Compiled,
    seed: u64,
    count: u32,
    progress: &mut dyn FnMut(usize, usize) -> bool,
) -> Result<String, SnapshotError> {
    check_count(count)?;
    let (mutator, finder) = (mutator(compiled)?, programs::Finder::new(compiled)?);
    let all = NamedMutator::all(&compiled.grammar);
    let (mut out, mut never) = (String::new(), String::new());
    for (index, named) in all.iter().enumerate() {
        if !progress(index, all.len()) {
            return Err(SnapshotError::Stopped);
        }
        match mutator.obstacle(*named) {
            None => by_name(&finder, &mutator, *named, seed, count, &mut out),
            Some(why) => {
                let name = named.name(&compiled.grammar);
                never.push_str(&format!("{name}: {why}\n"));
            }
        }
    }
    if !never.is_empty() {
        separate(&mut out);
        out.push_str("Never:\n");
        out.push_str(&never);
    }
    Ok(out)
}

/// Edit paths by the language's mutator, from one random program of the smaller sizes to another:
/// each step with carets under the part that is replaced next.
///
/// # Errors
///
/// When the count is not within 1 to [`MAX_COUNT`].
pub fn paths(compiled: &Compiled, seed: u64, count: u32) -> Result<String, SnapshotError> {
    check_count(count)?;
    let (source, mutator) = (small_programs(compiled)?, mutator(compiled)?);
    let grammar = &compiled.grammar;
    let mut out = String::new();
    for index in 0..u64::from(count) {
        let mut program = source.program(seed, 2 * index);
        let target = source.program(seed, 2 * index + 1);
        let mut rng = sample::stream(!seed, index);
        let steps: Vec<_> = mutator
            .path(&program, &target, PathMode::Plain, &mut rng)?
            .collect();
        separate(&mut out);
        let ending = if steps.len() == 1 { "" } else { "s" };
        out.push_str(&format!("{}: {} step{ending}\n", index + 1, steps.len()));
        for (number, step) in steps.into_iter().enumerate() {
            let label = place(compiled, &program, step.position);
            let shown = Shown::new(compiled, &program);
            shown.write_marked(&numbered(number as u32), step.position, &label, &mut out);
            let edit = Edit {
                position: step.position,
                replacement: step.new,
            };
            program = edit::apply(grammar, &program, &edit);
            if program == target {
                Shown::new(compiled, &program).write(&numbered(number as u32 + 1), &mut out);
            }
        }
    }
    Ok(out)
}

/// Pictures of random programs as SVG text, one behind the other. With an observation model they
/// are what the solver sees.
///
/// # Errors
///
/// When the language has no canvas, a program cannot be drawn, or the count is not within 1 to
/// [`MAX_COUNT`].
pub fn pictures(compiled: &Compiled, seed: u64, count: u32) -> Result<String, SnapshotError> {
    let all = drawings(compiled, seed, count)?;
    Ok(all.iter().map(|drawing| drawing.svg.as_str()).collect())
}

/// What one named mutator does, under its name.
fn by_name(
    finder: &programs::Finder<'_>,
    mutator: &Mutator<'_>,
    named: NamedMutator,
    seed: u64,
    count: u32,
    out: &mut String,
) {
    let compiled = finder.compiled;
    let name = named.name(&compiled.grammar);
    separate(out);
    out.push_str(&name);
    if let Some(why) = mutator.obstacle(named) {
        out.push_str(&format!(" never does anything: {why}\n"));
        return;
    }
    out.push('\n');
    let examples = found(finder, mutator, named, &name, seed, count);
    if examples.is_empty() {
        let tried = programs::TRIES;
        out.push_str(&format!("    finds nothing to do in {tried} programs\n"));
    }
    for (index, (program, edit)) in examples.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        change(compiled, "    ", program, edit, out);
    }
}

/// A program, what is replaced, and what comes of it.
fn change(compiled: &Compiled, margin: &str, program: &Program, edit: &Edit, out: &mut String) {
    let label = place(compiled, program, edit.position);
    let after = edit::apply(&compiled.grammar, program, edit);
    let before = Shown::new(compiled, program);
    before.write_marked(margin, edit.position, &label, out);
    let arrow = format!("{:>width$} ", "=>", width = margin.len().max(4) - 1);
    Shown::new(compiled, &after).write_marked(&arrow, edit.position, "", out);
}

/// `node 4, Coord`
fn place(compiled: &Compiled, program: &Program, position: usize) -> String {
    let grammar = &compiled.grammar;
    let nts = edit::positions(grammar, program);
    let kind = nts.get(position).map(|nt| grammar.nonterminal_name(*nt));
    format!("node {position}, {}", kind.unwrap_or_default())
}

/// A number as the margin of a program.
fn numbered(number: u32) -> String {
    format!("{number:<3} ")
}

/// A blank line before what follows, but not at the top.
fn separate(out: &mut String) {
    if !out.is_empty() {
        out.push('\n');
    }
}

fn mutator(compiled: &Compiled) -> Result<Mutator<'_>, SnapshotError> {
    Ok(Mutator::new(compiled, compiled.grammar.mutate)?)
}

/// Programs of the smaller sizes, where a change is seen at a glance.
fn small_programs(compiled: &Compiled) -> Result<Source<'_>, SnapshotError> {
    let small = programs::small_window(compiled.grammar.sample);
    Ok(source(compiled, small).or_else(|_| source(compiled, compiled.grammar.sample))?)
}

fn check_count(count: u32) -> Result<(), SnapshotError> {
    match count {
        1..=MAX_COUNT => Ok(()),
        _ => Err(SnapshotError::Count(count)),
    }
}

/// The book's chapter; its examples are tests.
#[cfg(doctest)]
#[allow(rustdoc::invalid_codeblock_attributes)] // those of `tests/book`
#[doc = include_str!("../../book/src/snapshots.md")]
pub struct Chapter;

#[cfg(test)]
mod tests;
