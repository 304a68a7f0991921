//! `tdc snap`: snapshots of what a language's sampler, mutators, paths and pictures do.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;
use similar::{Algorithm, ChangeTag, TextDiff};
use tdc::testing::folder::{self, Finding, SnapshotOptions, State};
use tdc::testing::{MAX_COUNT, SnapshotError};

use super::Outcome;
use super::failure::Failure;
use super::input::{self, Language};
use super::output::Out;
use super::progress::Progress;
use super::shell::{self, Shell};

/// Compare what a language does with what was accepted before
///
/// Draws random programs, mutations (what each named mutator does, too), edit paths and pictures,
/// and compares them with the files of a folder that is kept beside the grammar, under version
/// control. A change of the grammar shows as a difference there, for review.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tdc snap icons.tdg --accept       write snapshots/icons/: what the language does now
  tdc snap icons.tdg                show what is different since; exit 3 when something is
  tdc snap grammars/*.tdg --snapshots snapshots/grammars

Files of snapshots/GRAMMAR/: samples.txt, mutations.txt, mutators.txt, paths.txt, and for \
languages that draw pictures/*.svg. A picture that differs leaves expected, difference and \
actual side by side in pictures/*.diff.png, until it is accepted. Seed and number are those of \
the accepted snapshots.

JSON, one object a file: grammar, file, state (same, changed, missing, stale; with --accept what \
it was before), diff (unified, null when there is none), pixels (how a picture differs, or \
null), panels (the PNG that shows it, or null).")]
pub struct Args {
    /// Grammar files
    #[arg(value_name = "GRAMMAR", required = true)]
    files: Vec<PathBuf>,

    /// Keep things as they are now: write new and changed files, remove stale ones
    #[arg(long)]
    accept: bool,

    /// How many samples, mutations and pictures, 1 to 1000, and a quarter as many paths
    /// [default: as accepted, or 8]
    #[arg(short, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_COUNT)))]
    n: Option<u32>,

    /// Seed, 0 to 18446744073709551615 [default: as accepted, or 0]
    #[arg(long, value_name = "N", value_parser = seed)]
    seed: Option<u64>,

    /// The folder of snapshots, instead of `snapshots/` beside the grammar; each grammar has a
    /// folder of its own in it
    #[arg(long, value_name = "DIR")]
    snapshots: Option<PathBuf>,
}

fn seed(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| format!("a seed is a whole number from 0 to {}", u64::MAX))
}

/// Most lines of one file's differences; JSON has all of them.
const MOST_LINES: usize = 120;
/// Unchanged lines around a change.
const CONTEXT: usize = 2;
/// After so long a difference is found in larger pieces.
const PATIENCE: Duration = Duration::from_secs(2);

pub fn run(shell: &Shell, args: &Args) -> Outcome {
    let homes: Vec<PathBuf> = args.files.iter().map(|path| home(args, path)).collect();
    for (index, home) in homes.iter().enumerate() {
        if let Some(first) = homes[..index].iter().position(|other| other == home) {
            return Err(Failure::usage(format!(
                "{} and {} would share the snapshots in {}",
                args.files[first].display(),
                args.files[index].display(),
                home.display()
            )));
        }
    }
    let mut out = Out::open(None)?;
    let (mut wrong, mut differ) = (false, false);
    for path in &args.files {
        // A grammar that does not check leaves its snapshots as they are.
        let found =
            input::language(shell, path).and_then(|language| one(shell, args, path, &language));
        match found {
            Ok((home, options, findings)) => {
                differ |= !args.accept && findings.iter().any(|f| f.state != State::Same);
                if shell.json() {
                    json(&mut out, path, &findings)?;
                } else {
                    let told = text(shell, args, path, &home, options, &findings);
                    out.text(&told)?;
                }
            }
            Err(Failure::Diagnosed) => wrong = true,
            Err(Failure::Input(message)) => {
                shell.error(&message);
                wrong = true;
            }
            Err(other) => {
                out.finish()?;
                return Err(other);
            }
        }
    }
    out.finish()?;
    match (wrong, differ) {
        (true, _) => Err(Failure::Diagnosed),
        (false, true) => Err(Failure::Differs),
        (false, false) => Ok(()),
    }
}

/// The findings of one grammar, after they were accepted where that is asked for.
fn one(
    shell: &Shell,
    args: &Args,
    path: &Path,
    language: &Language,
) -> Result<(PathBuf, SnapshotOptions, Vec<Finding>), Failure> {
    let home = home(args, path);
    let before = folder::recorded(&home).unwrap_or_default();
    let options = SnapshotOptions {
        seed: args.seed.unwrap_or(before.seed),
        count: args.n.unwrap_or(before.count),
    };
    let mut progress = None;
    let snapshots = folder::draw(&language.compiled, options, &mut |done, total| {
        let bar = progress.get_or_insert_with(|| Progress::new(shell, "snapshots", total));
        bar.set(done, "");
        !shell::stopped()
    });
    drop(progress);
    let snapshots = snapshots.map_err(|error| match error {
        SnapshotError::Stopped => Failure::Stopped,
        error => Failure::input(format!("{}: {error}", path.display())),
    })?;
    let failed = |error: folder::FileError| Failure::input(error.to_string());
    let findings = folder::compare(&home, &snapshots).map_err(failed)?;
    if args.accept {
        folder::accept(&findings).map_err(failed)?;
    }
    Ok((home, options, findings))
}

/// The folder of a grammar's snapshots.
fn home(args: &Args, path: &Path) -> PathBuf {
    let folder = match &args.snapshots {
        Some(folder) => folder.clone(),
        None => path.with_file_name("snapshots"),
    };
    // A path without a name is no grammar either, and said to be none when it is read.
    folder.join(path.file_stem().unwrap_or_default())
}

fn json(out: &mut Out, grammar: &Path, findings: &[Finding]) -> Outcome {
    for finding in findings {
        let (state, diff, pixels, panels) = match &finding.state {
            State::Same => ("same", None, None, None),
            State::Missing => ("missing", None, None, None),
            State::Stale => ("stale", None, None, None),
            State::Changed {
                before,
                pixels,
                panels,
            } => {
                let after = finding.text.as_deref().unwrap_or("");
                let diff = compared(before, after)
                    .unified_diff()
                    .context_radius(CONTEXT)
                    .header("accepted", "now")
                    .to_string();
                let panels = panels.as_ref().and_then(|p| p.as_ref().ok());
                let panels = panels.map(|path| path.display().to_string());
                ("changed", Some(diff), pixels.as_ref(), panels)
            }
        };
        out.json(&json!({
            "grammar": grammar.display().to_string(),
            "file": finding.path.display().to_string(),
            "state": state,
            "diff": diff,
            "pixels": pixels,
            "panels": panels,
        }))?;
    }
    Ok(())
}

/// What there is to say about a grammar: each difference, and a line at the end.
fn text(
    shell: &Shell,
    args: &Args,
    grammar: &Path,
    home: &Path,
    options: SnapshotOptions,
    findings: &[Finding],
) -> String {
    let of = |wanted: fn(&State) -> bool| findings.iter().filter(move |f| wanted(&f.state));
    let changed = of(|s| matches!(s, State::Changed { .. })).count();
    let missing = of(|s| *s == State::Missing).count();
    let stale = of(|s| *s == State::Stale).count();
    let total = findings.len() - stale;
    let (home, grammar) = (home.display(), grammar.display());
    let mut out = String::new();
    if args.accept && missing == total && stale == 0 {
        let _ = writeln!(out, "{grammar}: wrote {total} snapshots into {home}");
        return out;
    }
    if args.accept {
        for finding in findings {
            let what = match &finding.state {
                State::Same => continue,
                State::Stale => "removed",
                State::Missing | State::Changed { .. } => "wrote",
            };
            let _ = writeln!(out, "{what} {}", finding.path.display());
        }
        let _ = match changed + missing + stale {
            0 => writeln!(out, "{grammar}: all {total} snapshots are as they were"),
            _ => writeln!(out, "{grammar}: {total} snapshots in {home}"),
        };
        return out;
    }
    if missing == total && stale == 0 {
        let _ = writeln!(
            out,
            "{grammar}: there are no snapshots in {home} yet; write them with\n  {}",
            command(args, &grammar.to_string(), options)
        );
        return out;
    }
    for finding in findings {
        let path = shell.bold(&finding.path.display().to_string());
        match &finding.state {
            State::Same => {}
            State::Missing => {
                let _ = writeln!(out, "{path} is missing\n");
            }
            State::Stale => {
                let _ = writeln!(out, "{path} is stale: there is no such snapshot any more\n");
            }
            State::Changed {
                before,
                pixels,
                panels,
            } => {
                let what = pixels.as_deref().unwrap_or("differs");
                let _ = writeln!(out, "{path} {what}");
                match panels {
                    Some(Ok(panels)) => {
                        let _ = writeln!(out, "see {}", panels.display());
                    }
                    Some(Err(why)) => {
                        let _ = writeln!(out, "{why}");
                    }
                    None => {}
                }
                difference(
                    shell,
                    before,
                    finding.text.as_deref().unwrap_or(""),
                    &mut out,
                );
                out.push('\n');
            }
        }
    }
    let mut counts = Vec::new();
    for (count, what) in [(changed, "changed"), (missing, "missing"), (stale, "stale")] {
        if count > 0 {
            counts.push(format!("{count} {what}"));
        }
    }
    let _ = if counts.is_empty() {
        writeln!(out, "{grammar}: all {total} snapshots are as they were")
    } else {
        writeln!(
            out,
            "{grammar}: {} of {total} snapshots; keep things as they are now with\n  {}",
            counts.join(", "),
            command(args, &grammar.to_string(), options)
        )
    };
    out
}

/// The command that accepts.
fn command(args: &Args, grammar: &str, options: SnapshotOptions) -> String {
    let mut out = format!("tdc snap {} --accept", quoted(grammar));
    if args.seed.is_some() {
        let _ = write!(out, " --seed {}", options.seed);
    }
    if args.n.is_some() {
        let _ = write!(out, " -n {}", options.count);
    }
    if let Some(folder) = &args.snapshots {
        let _ = write!(out, " --snapshots {}", quoted(&folder.to_string_lossy()));
    }
    out
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./:\\+,@".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

fn compared<'t>(before: &'t str, after: &'t str) -> TextDiff<'t, 't, 't, str> {
    TextDiff::configure()
        .algorithm(Algorithm::Patience)
        .timeout(PATIENCE)
        .diff_lines(before, after)
}

/// Changed lines with a few around them, what is new in a line emphasised.
fn difference(shell: &Shell, before: &str, after: &str, out: &mut String) {
    let diff = compared(before, after);
    let (mut shown, mut hidden) = (0, 0);
    for (index, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if index > 0 && shown < MOST_LINES {
            let _ = writeln!(out, "  {}", shell.dim("..."));
        }
        for op in group {
            for change in diff.iter_inline_changes(op) {
                if shown == MOST_LINES {
                    hidden += usize::from(change.tag() != ChangeTag::Equal);
                    continue;
                }
                shown += 1;
                let mut line = String::new();
                for (emphasised, part) in change.iter_strings_lossy() {
                    let part = part.trim_end_matches('\n');
                    line.push_str(&match (change.tag(), emphasised) {
                        (ChangeTag::Equal, _) => shell.dim(part),
                        (ChangeTag::Delete, false) => shell.removed(part),
                        (ChangeTag::Delete, true) => shell.removed_word(part),
                        (ChangeTag::Insert, false) => shell.added(part),
                        (ChangeTag::Insert, true) => shell.added_word(part),
                    });
                }
                let sign = match change.tag() {
                    ChangeTag::Equal => " ".to_owned(),
                    ChangeTag::Delete => shell.removed("-"),
                    ChangeTag::Insert => shell.added("+"),
                };
                let _ = writeln!(out, "{}", format!("{sign} {line}").trim_end());
            }
        }
    }
    if hidden > 0 {
        let ending = if hidden == 1 { "" } else { "s" };
        let _ = writeln!(out, "  ... and {hidden} more line{ending}");
    }
}
