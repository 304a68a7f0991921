//! Why a command did not end well, and the exit code for it.

use std::io;

/// Why a command did not end well.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The input is wrong; the message has not been shown yet.
    #[error("{0}")]
    Input(String),
    /// The input is wrong; diagnostics have been shown.
    #[error("diagnosed")]
    Diagnosed,
    /// The command line is wrong in a way that clap cannot see.
    #[error("{0}")]
    Usage(String),
    /// No program was found that meets the goal; what was found has been written.
    #[error("not solved")]
    Unsolved,
    /// Something is not as it was accepted; what differs has been shown.
    #[error("not as accepted")]
    Differs,
    /// Whoever read the results has closed the pipe, as `| head` does.
    #[error("the reader is gone")]
    ReaderGone,
    /// Ctrl-C; what was finished has been written.
    #[error("stopped")]
    Stopped,
}

impl Failure {
    /// The input is wrong.
    pub fn input(message: impl Into<String>) -> Failure {
        Failure::Input(message.into())
    }

    /// The command line is wrong.
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure::Usage(message.into())
    }

    /// Something went wrong with a file.
    pub fn file(path: &std::path::Path, what: &str, error: &io::Error) -> Failure {
        Failure::Input(format!("cannot {what} {}: {error}", path.display()))
    }

    /// What is still to be told, if anything.
    pub fn message(&self) -> Option<String> {
        match self {
            Failure::Input(_) | Failure::Usage(_) => Some(self.to_string()),
            _ => None,
        }
    }

    /// The process's exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Failure::ReaderGone => 0,
            Failure::Input(_) | Failure::Diagnosed => 1,
            Failure::Usage(_) => 2,
            Failure::Unsolved | Failure::Differs => 3,
            Failure::Stopped => 130,
        }
    }
}

/// Errors of writing results: files are dealt with where they are opened.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::ReaderGone,
            _ => Failure::Input(format!("cannot write: {error}")),
        }
    }
}
