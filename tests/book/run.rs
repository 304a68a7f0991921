//! Runs what a page says, in a folder of its own.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::blocks::{self, Code, Part};
use crate::{root, updating};

/// A folder in which a page's commands run: the shipped grammars lie in `grammars/`.
pub(crate) struct Bench {
    page: PathBuf,
    folder: tempfile::TempDir,
    blocks: usize,
    /// What is not true, a paragraph each.
    pub(crate) breaches: Vec<String>,
}

/// What a command did.
struct Outcome {
    printed: String,
    code: Option<i32>,
}

impl Bench {
    /// A fresh folder for a page, whose path is from the root.
    pub(crate) fn new(page: &Path) -> Bench {
        let folder = tempfile::tempdir().expect("a folder");
        let grammars = folder.path().join("grammars");
        fs::create_dir(&grammars).expect("a folder");
        for entry in fs::read_dir(root().join("grammars")).expect("the grammars") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name");
            fs::copy(&path, grammars.join(name)).expect("a copy");
        }
        Bench {
            page: page.to_path_buf(),
            folder,
            blocks: 0,
            breaches: Vec::new(),
        }
    }

    /// Runs a page from top to bottom and gives its text with the outputs that really came.
    pub(crate) fn run(&mut self, text: &str) -> String {
        let mut updated = String::new();
        let mut shown = Vec::new();
        for part in blocks::cut(text) {
            match part {
                Part::Prose(prose) => {
                    for command in blocks::hidden_commands(&prose) {
                        let outcome = self.command(command);
                        if outcome.code != Some(0) {
                            self.breach(0, &format!("$ {command}\n{}", outcome.printed));
                        }
                    }
                    shown.extend(blocks::pictures(&prose));
                    updated.push_str(&prose);
                }
                Part::Code(code) => {
                    let body = match code.language() {
                        "tdg" => self.grammar(&code),
                        "console" if !code.has("shown") => self.console(&code),
                        _ => code.body.clone(),
                    };
                    updated.push_str(&code.open);
                    updated.push_str(&body);
                    updated.push_str(&code.close);
                }
            }
        }
        shown.sort();
        shown.dedup();
        for name in shown {
            self.picture(&name);
        }
        updated
    }

    fn breach(&mut self, line: usize, what: &str) {
        let page = self.page.display();
        self.breaches.push(format!("{page}:{line}: {what}"));
    }

    /// Checks a grammar block.
    fn grammar(&mut self, code: &Code) -> String {
        let body = code.body.clone();
        if code.has("part") {
            return body;
        }
        self.blocks += 1;
        let name = code
            .value("file")
            .map_or_else(|| format!("block{}.tdg", self.blocks), str::to_string);
        let file: String = body
            .split_inclusive('\n')
            .map(|line| {
                if line.trim_end() == "#" {
                    "\n"
                } else {
                    line.strip_prefix("# ").unwrap_or(line)
                }
            })
            .collect();
        fs::write(self.folder.path().join(&name), file).expect("a file");
        let outcome = self.command(&format!("tdc check {name}"));
        let remarked = outcome.printed.contains("[E")
            || outcome.printed.contains("[W")
            || outcome.code != Some(0);
        if let Some(own) = self.own_code().filter(|_| !code.has("mended")) {
            if !outcome.printed.contains(&format!("[{own}]")) {
                self.breach(
                    code.line,
                    &format!("{own} is not among the remarks:\n{}", outcome.printed),
                );
            }
            return body;
        }
        let refused = outcome.code == Some(1);
        if refused != code.has("fails") || remarked != (code.has("fails") || code.has("warns")) {
            let verb = if remarked { "should not" } else { "should" };
            self.breach(
                code.line,
                &format!("tdc check {verb} remark on this:\n{}", outcome.printed),
            );
        }
        body
    }

    /// The code a page is about.
    fn own_code(&self) -> Option<String> {
        let stem = self.page.file_stem()?.to_str()?;
        let about_a_code = self.page.parent()?.ends_with("codes") && stem != "README";
        about_a_code.then(|| stem.to_string())
    }

    /// Runs the commands of a block and compares what they print.
    fn console(&mut self, code: &Code) -> String {
        let expected_code = code
            .value("exit")
            .map_or(Some(0), |text| Some(text.parse().expect("exit=NUMBER")));
        let mut updated = String::new();
        let mut commands: Vec<(usize, String, Vec<&str>)> = Vec::new();
        for (i, line) in code.body.lines().enumerate() {
            if let Some(command) = line.strip_prefix("$ ") {
                commands.push((code.line + 1 + i, command.to_string(), Vec::new()));
            } else if let Some((_, command, output)) = commands.last_mut() {
                // A command goes on after a backslash at the end of its line.
                if output.is_empty() && command.ends_with('\\') {
                    command.push('\n');
                    command.push_str(line);
                } else {
                    output.push(line);
                }
            }
        }
        for (line, command, expected) in commands {
            let outcome = self.command(&command.replace("\\\n", ""));
            let actual: Vec<&str> = outcome.printed.lines().collect();
            let same = blocks::matches(&expected, &actual);
            if outcome.code != expected_code {
                let got = outcome.code;
                self.breach(
                    line,
                    &format!("$ {command}\nexit code {got:?}\n{}", outcome.printed),
                );
            } else if !same && !updating() {
                self.breach(
                    line,
                    &format!(
                        "$ {command}\n--- shown\n{}\n--- printed\n{}",
                        expected.join("\n"),
                        outcome.printed
                    ),
                );
            }
            writeln!(updated, "$ {command}").expect("a string");
            let lines = if same { expected } else { actual };
            for line in lines {
                writeln!(updated, "{}", line.trim_end()).expect("a string");
            }
        }
        updated
    }

    /// Compares a picture of the book with the file of that name a command wrote.
    fn picture(&mut self, name: &str) {
        let kept = root().join("book/src/pictures").join(name);
        let Ok(drawn) = fs::read(self.folder.path().join(name)) else {
            self.breach(0, &format!("no command of the page writes {name}"));
            return;
        };
        if updating() {
            fs::create_dir_all(kept.parent().expect("a folder")).expect("a folder");
            fs::write(&kept, &drawn).expect("a picture can be written");
        } else if fs::read(&kept).ok().as_deref() != Some(&drawn) {
            self.breach(0, &format!("pictures/{name} is not what its command draws"));
        }
    }

    /// Runs `tdc ...`, or `cargo run ... -- ...`, which is the same program built already.
    fn command(&mut self, line: &str) -> Outcome {
        let mut words = blocks::words(line);
        if words.first().is_some_and(|word| word == "cargo")
            && let Some(at) = words.iter().position(|word| word == "--")
        {
            words.splice(..=at, ["tdc".to_string()]);
        }
        if words.first().is_none_or(|word| word != "tdc") {
            return Outcome {
                printed: format!("only tdc can be run here: {line}\n"),
                code: None,
            };
        }
        let output = Command::new(env!("CARGO_BIN_EXE_tdc"))
            .args(&words[1..])
            .current_dir(self.folder.path())
            .env("NO_COLOR", "1")
            .env("COLUMNS", "100")
            .stdin(Stdio::null())
            .output()
            .expect("tdc runs");
        let mut printed = String::from_utf8_lossy(&output.stdout).into_owned();
        printed.push_str(&String::from_utf8_lossy(&output.stderr));
        Outcome {
            printed,
            code: output.status.code(),
        }
    }
}
