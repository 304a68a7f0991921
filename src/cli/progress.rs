//! Progress on standard error: a bar on a terminal, a line now and then elsewhere.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::shell::Shell;

/// Nothing is shown before this: quick work needs no bar.
const QUIET: Duration = Duration::from_millis(1500);
/// Between two lines when standard error is not a terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(10);

/// Progress of one piece of work.
pub struct Progress {
    what: &'static str,
    total: u64,
    done: u64,
    started: Instant,
    last: Instant,
    live: bool,
    bar: Option<ProgressBar>,
    silent: bool,
}

impl Progress {
    /// Work of `total` steps; of nobody knows how many with 0.
    pub fn new(shell: &Shell, what: &'static str, total: u64) -> Progress {
        let now = Instant::now();
        Progress {
            what,
            total,
            done: 0,
            started: now,
            last: now,
            live: shell.live,
            bar: None,
            silent: shell.json() && !shell.live,
        }
    }

    /// `steps` more are done.
    pub fn add(&mut self, steps: u64) {
        self.set(self.done + steps, "");
    }

    /// So many are done; `remark` is shown beside.
    pub fn set(&mut self, done: u64, remark: &str) {
        self.done = done;
        if self.silent || self.started.elapsed() < QUIET {
            return;
        }
        if self.live {
            let bar = self.bar.get_or_insert_with(|| {
                let (bar, style) = match self.total {
                    0 => (ProgressBar::no_length(), "{prefix}  {elapsed}  {wide_msg}"),
                    total => {
                        let style = "{prefix} {wide_bar} {percent:>3} %  {elapsed}  {msg}";
                        (ProgressBar::new(total), style)
                    }
                };
                if let Ok(style) = ProgressStyle::with_template(style) {
                    bar.set_style(style.progress_chars("━━╌"));
                }
                bar.set_prefix(self.what);
                bar
            });
            bar.set_message(remark.to_owned());
            match self.total {
                // Nothing else would draw it again.
                0 => bar.tick(),
                total => bar.set_position(done.min(total)),
            }
        } else if self.last.elapsed() >= BETWEEN_LINES {
            self.last = Instant::now();
            let percent = (100 * done.min(self.total)).checked_div(self.total);
            let remark = if remark.is_empty() {
                String::new()
            } else {
                format!(", {remark}")
            };
            match percent {
                Some(percent) => eprintln!("{}: {percent} %{remark}", self.what),
                None => eprintln!("{}{remark}", self.what),
            }
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
