//! What commands read: grammars, programs, numbers.

use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use tdc::Compiled;
use tdc::compiled::Outcome;
use tdc::diag::{Diagnostic, Severity};
use tdc::pipeline;
use tdc::source::{Origin, SourceMap};
use tdc::tree::Program;

use super::failure::Failure;
use super::shell::Shell;

/// Longest program text or list of programs in bytes (256 MiB).
const MAX_INPUT_BYTES: u64 = 256 << 20;

/// Longest time that can be asked for: a year.
const MOST_SECONDS: f64 = 366.0 * 86400.0;

/// A time on the command line, above 0.
pub fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.001..=MOST_SECONDS).contains(&seconds) => Ok(seconds),
        _ => Err("a number of seconds is needed, such as 30 or 0.5".to_owned()),
    }
}

/// A grammar that checked, with the sources its diagnostics point into.
pub struct Language {
    /// Every text read so far.
    pub sources: SourceMap,
    /// The language.
    pub compiled: Compiled,
    /// Whether it was said how files are divided into programs.
    divided: bool,
}

/// Compiles a grammar file; its diagnostics are shown.
pub fn language(shell: &Shell, path: &Path) -> Result<Language, Failure> {
    let Outcome {
        sources,
        diagnostics,
        compiled,
    } = pipeline::compile_path(path);
    show(shell, &sources, &diagnostics);
    match compiled {
        Some(compiled) => Ok(Language {
            sources,
            compiled,
            divided: false,
        }),
        None => Err(Failure::Diagnosed),
    }
}

/// Shows diagnostics on standard error.
pub fn show(shell: &Shell, sources: &SourceMap, diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics {
        if shell.json() {
            shell.note(&tdc::diag::json::to_json(diagnostic, sources).to_string());
        } else {
            let text = tdc::diag::render::render(diagnostic, sources, shell.color);
            shell.note(text.trim_end_matches('\n'));
        }
    }
    let errors = count(diagnostics, Severity::Error);
    if errors > 0 {
        let ending = if errors == 1 { "" } else { "s" };
        shell.say(&format!(
            "{errors} error{ending}; `tdc explain CODE` tells more"
        ));
    }
}

/// Number of diagnostics of a severity.
pub fn count(diagnostics: &[Diagnostic], severity: Severity) -> usize {
    let of = |d: &&Diagnostic| d.severity() == severity;
    diagnostics.iter().filter(of).count()
}

/// Where programs come from.
#[derive(Debug, clap::Args)]
pub struct ProgramSource {
    /// A program, a file of programs, or - for standard input, one program a line.
    ///
    /// A line that is indented more than the first of a program goes on with it. What is the name
    /// of a file is read as a file; a space in front makes it a program.
    #[arg(value_name = "PROGRAM", allow_hyphen_values = true)]
    pub program: String,

    /// Take the whole file or standard input as one program, line ends included
    #[arg(long)]
    pub whole: bool,
}

/// A text that should be a program, and what to call it.
pub struct Source {
    /// `<argument>`, `programs.txt:3`, `<stdin>:1`.
    pub name: String,
    /// The text.
    pub text: String,
    /// All of the file, when the program is one of several.
    file: Option<Rc<str>>,
}

impl Source {
    /// A text that is no part of a file.
    pub fn alone(name: String, text: String) -> Source {
        let file = None;
        Source { name, text, file }
    }
}

impl ProgramSource {
    /// The texts, in order; empty lines are left out.
    pub fn read(&self) -> Result<Vec<Source>, Failure> {
        read_sources(&self.program, self.whole)
    }
}

/// Texts of an argument, a file, or standard input.
pub fn read_sources(argument: &str, whole: bool) -> Result<Vec<Source>, Failure> {
    let path = Path::new(argument);
    let (name, text) = if argument == "-" {
        ("<stdin>".to_owned(), read_stdin()?)
    } else if path.is_file() {
        (argument.to_owned(), read_text(path)?)
    } else {
        let name = "<argument>".to_owned();
        return Ok(vec![Source::alone(name, argument.to_owned())]);
    };
    if whole {
        return Ok(vec![Source::alone(name, text)]);
    }
    let programs = programs(&text);
    let file: Option<Rc<str>> = (programs.len() > 1).then(|| text.as_str().into());
    let sources: Vec<Source> = programs
        .into_iter()
        .map(|(line, text)| Source {
            name: format!("{name}:{line}"),
            text,
            file: file.clone(),
        })
        .collect();
    if sources.is_empty() {
        return Err(Failure::input(format!("{name} holds no program")));
    }
    Ok(sources)
}

/// The programs of a file: the number of the first line, the text. A line that is indented more than the
/// first of a program goes on with it; an empty line ends it.
fn programs(text: &str) -> Vec<(usize, String)> {
    let mut programs: Vec<(usize, String)> = Vec::new();
    // How far the first line of the program is indented, while it may go on.
    let mut first = None;
    for (index, line) in text.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        if indent == line.len() {
            first = None;
            continue;
        }
        match (first, programs.last_mut()) {
            (Some(first), Some((_, program))) if indent > first => {
                program.push('\n');
                program.push_str(line);
            }
            _ => {
                first = Some(indent);
                programs.push((index + 1, line.to_owned()));
            }
        }
    }
    programs
}

/// A file's text, when it is UTF-8 and not too long.
pub fn read_text(path: &Path) -> Result<String, Failure> {
    let file = std::fs::File::open(path).map_err(|e| Failure::file(path, "read", &e))?;
    limited(file, &path.display().to_string())
}

fn read_stdin() -> Result<String, Failure> {
    limited(std::io::stdin().lock(), "<stdin>")
}

fn limited(from: impl Read, name: &str) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    from.take(MAX_INPUT_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| Failure::input(format!("cannot read {name}: {e}")))?;
    if bytes.len() as u64 > MAX_INPUT_BYTES {
        let most = MAX_INPUT_BYTES >> 20;
        return Err(Failure::input(format!("{name} is longer than {most} MiB")));
    }
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        Failure::input(format!("{name} is not UTF-8 text: byte {at} is wrong"))
    })
}

impl Language {
    /// Parses a program; its diagnostics are shown.
    pub fn parse(&mut self, shell: &Shell, source: &Source) -> Result<Program, Failure> {
        let file = self
            .sources
            .add(&source.name, source.text.as_str(), Origin::Memory);
        let Compiled {
            grammar, syntax, ..
        } = &self.compiled;
        tdc::tree::parse(grammar, syntax, &source.text).map_err(|error| {
            show(shell, &self.sources, &[error.diagnostic(file, 0)]);
            self.note_division(shell, source);
            Failure::Diagnosed
        })
    }

    /// Says how a file is divided into programs, where another way would do and once a run.
    fn note_division(&mut self, shell: &Shell, source: &Source) {
        if self.divided {
            return;
        }
        let several = source.text.lines().count() > 1;
        let note = if several && source.text.lines().all(|line| self.reads(line)) {
            "a line that is indented more than the one above goes on with its program; put programs \
             of their own at the margin"
        } else if source.file.as_ref().is_some_and(|file| self.reads(file)) {
            "all of it is one program: --whole takes it so, and so does indenting all lines but the \
             first"
        } else {
            return;
        };
        self.divided = true;
        shell.say(&format!("note: {}: {note}", source.name));
    }

    /// Whether a text is a program; nothing is shown.
    pub fn reads(&self, text: &str) -> bool {
        let Compiled {
            grammar, syntax, ..
        } = &self.compiled;
        tdc::tree::parse(grammar, syntax, text).is_ok()
    }

    /// The one program of an argument that may not hold several.
    pub fn parse_one(&mut self, shell: &Shell, argument: &str) -> Result<Program, Failure> {
        let sources = read_sources(argument, false)?;
        match &sources[..] {
            [source] => self.parse(shell, source),
            _ => Err(Failure::input(format!(
                "{argument} holds {} programs, and one is needed",
                sources.len()
            ))),
        }
    }

    /// A program's text.
    pub fn text(&self, program: &Program) -> String {
        let Compiled {
            grammar, syntax, ..
        } = &self.compiled;
        tdc::tree::print(grammar, syntax, program)
    }

    /// A program's text, and the bytes each node takes in it.
    pub fn text_spans(&self, program: &Program) -> (String, Vec<Range<usize>>) {
        let Compiled {
            grammar, syntax, ..
        } = &self.compiled;
        tdc::tree::print_spans(grammar, syntax, program)
    }
}

/// `-o PATH`.
#[derive(Debug, clap::Args)]
pub struct OutputArg {
    /// Write the results to this file, which appears when all are there
    #[arg(short, long, value_name = "PATH")]
    pub output: Option<PathBuf>,
}

/// `A..=B` on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeRange {
    /// Least.
    pub min: u32,
    /// Greatest.
    pub max: u32,
}

impl std::str::FromStr for SizeRange {
    type Err = String;

    fn from_str(text: &str) -> Result<SizeRange, String> {
        let number = |part: &str| {
            part.trim()
                .parse::<u32>()
                .map_err(|_| format!("`{part}` is not a size; write `2..=8` or `5`"))
        };
        let (min, max) = if let Some((lo, hi)) = text.split_once("..=") {
            (number(lo)?, number(hi)?)
        } else if let Some((lo, hi)) = text.split_once("..") {
            let hi = number(hi)?;
            let last = hi.checked_sub(1).ok_or("no size is below 0")?;
            (number(lo)?, last)
        } else {
            (number(text)?, number(text)?)
        };
        if min > max {
            return Err(format!("no size lies in {text}"));
        }
        Ok(SizeRange { min, max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_above_nothing_and_below_a_year() {
        for right in ["0.001", "30", "1e3"] {
            assert!(seconds(right).is_ok(), "{right}");
        }
        for wrong in ["0", "-1", "NaN", "inf", "1e300", "1e-300", "ten", ""] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn files_are_divided_by_indentation() {
        let of = |text: &str| {
            let programs = programs(text);
            let told = programs.iter().map(|(line, text)| format!("{line}:{text}"));
            told.collect::<Vec<_>>().join("|")
        };
        assert_eq!(of("a\nb\r\n\n c\n"), "1:a|2:b|4: c");
        assert_eq!(of("a\n  b\n c\nd"), "1:a\n  b\n c|4:d");
        // All of a list may be indented, and an empty line ends a program.
        assert_eq!(of("  a\n    b\n  c"), "1:  a\n    b|3:  c");
        assert_eq!(of("a\n \t\n  b\n\tc\n    d"), "1:a|3:  b|4:\tc\n    d");
        assert_eq!(of("\n \n"), "");
    }

    #[test]
    fn sizes_are_read_as_grammars_write_them() {
        let read = |text: &str| text.parse::<SizeRange>();
        assert_eq!(read("2..=8"), Ok(SizeRange { min: 2, max: 8 }));
        assert_eq!(read("2..8"), Ok(SizeRange { min: 2, max: 7 }));
        assert_eq!(read("5"), Ok(SizeRange { min: 5, max: 5 }));
        assert!(read("8..=2").is_err());
        assert!(read("0..0").is_err());
        assert!(read("99999999999").is_err());
        assert!(read("a..=b").is_err());
    }
}
