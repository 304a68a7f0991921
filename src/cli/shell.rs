//! The terminal: format, colour, messages, ctrl-C.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// How results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, with stable keys.
    Json,
}

/// What commands need to know about the terminal.
#[derive(Debug)]
pub struct Shell {
    /// How results are written.
    pub format: Format,
    /// Whether standard error shows colours.
    pub color: bool,
    /// Whether standard output shows colours.
    pub color_out: bool,
    /// Whether standard error is a terminal that can redraw a line.
    pub live: bool,
}

impl Shell {
    /// Looks at the terminal and at `NO_COLOR`.
    pub fn new(format: Format) -> Shell {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty())
            || std::env::var_os("TERM").is_some_and(|v| v == "dumb");
        let live = std::io::stderr().is_terminal();
        Shell {
            format,
            color: live && !plain,
            color_out: std::io::stdout().is_terminal() && !plain,
            live,
        }
    }

    /// Whether results are JSON.
    pub fn json(&self) -> bool {
        self.format == Format::Json
    }

    /// A mistake, on standard error.
    pub fn error(&self, message: &str) {
        if self.json() {
            let object = serde_json::json!({ "severity": "error", "message": message });
            self.note(&object.to_string());
        } else if self.color {
            self.note(&format!("\x1b[1;31merror\x1b[0m: {message}"));
        } else {
            self.note(&format!("error: {message}"));
        }
    }

    /// A line on standard error. That nobody reads it is no reason to stop.
    pub fn note(&self, line: &str) {
        let _ = writeln!(std::io::stderr().lock(), "{line}");
    }

    /// A remark for people only, on standard error.
    pub fn say(&self, line: &str) {
        if !self.json() {
            self.note(line);
        }
    }

    /// Emphasis on standard output.
    pub fn bold(&self, text: &str) -> String {
        self.paint(text, "1")
    }

    /// De-emphasis on standard output.
    pub fn dim(&self, text: &str) -> String {
        self.paint(text, "2")
    }

    /// A change, on standard output.
    pub fn accent(&self, text: &str) -> String {
        self.paint(text, "36")
    }

    /// What was there before, on standard output.
    pub fn removed(&self, text: &str) -> String {
        self.paint(text, "31")
    }

    /// The words of it that are gone.
    pub fn removed_word(&self, text: &str) -> String {
        self.paint(text, "1;31")
    }

    /// What is there now, on standard output.
    pub fn added(&self, text: &str) -> String {
        self.paint(text, "32")
    }

    /// The words of it that are new.
    pub fn added_word(&self, text: &str) -> String {
        self.paint(text, "1;32")
    }

    fn paint(&self, text: &str, style: &str) -> String {
        if self.color_out && !text.is_empty() {
            format!("\x1b[{style}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

static STOP: AtomicBool = AtomicBool::new(false);

/// From now on the first ctrl-C asks the work to stop, and the second ends the process.
pub fn catch_interrupt() {
    // It fails only where there are no signals; then ctrl-C works as ever.
    let _ = ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
    });
}

/// Set by ctrl-C.
pub fn stop_flag() -> &'static AtomicBool {
    &STOP
}

/// Whether ctrl-C was pressed.
pub fn stopped() -> bool {
    STOP.load(Ordering::Relaxed)
}
