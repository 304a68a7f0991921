//! Outside commands that say yes or no to a program.
//!
//! In: a command line of the shell, a program's text. Out: [`Answer`]. Afterwards the command and
//! all it started have ended, its files are gone, and nothing it wrote was shown.

use std::io::Write;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use process_wrap::std::{ChildWrapper, CommandWrap};

/// Most bytes of what a command wrote that are quoted.
const QUOTED: usize = 2000;

/// A command that is asked about programs.
pub struct Asked {
    line: String,
    timeout: Duration,
}

/// What a command said.
pub enum Answer {
    /// It ended with exit code 0.
    Yes,
    /// It ended otherwise: how, and the end of what it wrote.
    No(ExitStatus, String),
    /// It ran too long, or the work was to stop.
    Ended,
}

impl Asked {
    /// A command line; `{}` in it stands for the name of a file with the program.
    pub fn new(line: &str, timeout: Duration) -> Asked {
        Asked {
            line: line.to_owned(),
            timeout,
        }
    }

    /// Asks about a program.
    ///
    /// # Errors
    ///
    /// When there is no shell, or no room for its files.
    pub fn ask(&self, text: &str, stop: &AtomicBool) -> std::io::Result<Answer> {
        let folder = tempfile::Builder::new().prefix("tdc-").tempdir()?;
        let program = folder.path().join("program.txt");
        std::fs::File::create(&program)?.write_all(format!("{text}\n").as_bytes())?;
        let written = folder.path().join("output.txt");
        let output = std::fs::File::create(&written)?;
        let mut command = shell(&self.line.replace("{}", &quoted(&program)));
        command
            .env("TDC_PROGRAM", &program)
            .stdin(std::fs::File::open(&program)?)
            .stderr(Stdio::from(output.try_clone()?))
            .stdout(Stdio::from(output));
        let mut command = CommandWrap::from(command);
        #[cfg(unix)]
        command.wrap(process_wrap::std::ProcessGroup::leader());
        #[cfg(windows)]
        command.wrap(process_wrap::std::JobObject);
        let mut child = command.spawn()?;
        match self.wait(child.as_mut(), stop)? {
            Some(status) if status.success() => Ok(Answer::Yes),
            Some(status) => Ok(Answer::No(status, last_of(&written))),
            None => Ok(Answer::Ended),
        }
    }

    /// Waits for the end, or brings it about.
    fn wait(
        &self,
        child: &mut dyn ChildWrapper,
        stop: &AtomicBool,
    ) -> std::io::Result<Option<ExitStatus>> {
        let began = Instant::now();
        let mut pause = Duration::from_micros(200);
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(Some(status));
            }
            if began.elapsed() >= self.timeout || stop.load(Ordering::Relaxed) {
                child.start_kill()?;
                child.wait()?;
                return Ok(None);
            }
            std::thread::sleep(pause);
            pause = (2 * pause).min(Duration::from_millis(10));
        }
    }
}

#[cfg(unix)]
fn shell(line: &str) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(line);
    command
}

#[cfg(windows)]
fn shell(line: &str) -> Command {
    let mut command = Command::new("cmd");
    command.arg("/C").arg(line);
    command
}

/// A file's name as one word of a command line.
fn quoted(path: &Path) -> String {
    let name = path.display().to_string();
    match cfg!(windows) {
        true => format!("\"{name}\""),
        false => format!("'{}'", name.replace('\'', r"'\''")),
    }
}

/// The end of what a command wrote.
fn last_of(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap_or_default();
    let from = bytes.len().saturating_sub(QUOTED);
    String::from_utf8_lossy(&bytes[from..]).trim().to_owned()
}
