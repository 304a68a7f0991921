//! Results: standard output, files, folders.
//!
//! A file is written under a temporary name in its own folder and renamed when it is whole; a
//! folder likewise, file by file when it exists already. An interrupted run leaves no half file.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tempfile::{NamedTempFile, TempDir};

use super::failure::Failure;

/// A stream of results: standard output, or a file that appears when it is finished.
pub struct Out {
    to: To,
    /// Standard output is flushed after every line when someone may be watching.
    eager: bool,
}

enum To {
    Stdout(BufWriter<io::Stdout>),
    File(BufWriter<NamedTempFile>, PathBuf),
}

impl Out {
    /// A stream to `path`, or to standard output without one or for `-`.
    pub fn open(path: Option<&Path>) -> Result<Out, Failure> {
        let to = match path {
            Some(path) if path != Path::new("-") => {
                let file = temporary(path).map_err(|e| Failure::file(path, "write", &e))?;
                To::File(BufWriter::new(file), path.to_owned())
            }
            _ => To::Stdout(BufWriter::new(io::stdout())),
        };
        Ok(Out {
            eager: io::IsTerminal::is_terminal(&io::stdout()),
            to,
        })
    }

    /// One line of text.
    pub fn line(&mut self, line: &str) -> Result<(), Failure> {
        self.text(line)?;
        self.text("\n")?;
        if self.eager {
            self.writer().flush()?;
        }
        Ok(())
    }

    /// Text as it is.
    pub fn text(&mut self, text: &str) -> Result<(), Failure> {
        self.bytes(text.as_bytes())
    }

    /// Bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.writer().write_all(bytes)?;
        Ok(())
    }

    /// One JSON object on a line.
    pub fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string(value).map_err(io::Error::other)?;
        self.line(&text)
    }

    /// Ends the stream; a file gets its name now.
    pub fn finish(self) -> Result<(), Failure> {
        match self.to {
            To::Stdout(mut out) => out.flush()?,
            To::File(out, path) => {
                let failed = |e: &io::Error| Failure::file(&path, "write", e);
                let file = out.into_inner().map_err(|e| failed(e.error()))?;
                file.persist(&path).map_err(|e| failed(&e.error))?;
            }
        }
        Ok(())
    }

    fn writer(&mut self) -> &mut dyn Write {
        match &mut self.to {
            To::Stdout(out) => out,
            To::File(out, _) => out,
        }
    }
}

/// Writes a whole file.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let write = || -> io::Result<()> {
        let mut file = temporary(path)?;
        file.write_all(bytes)?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(|e| Failure::file(path, "write", &e))
}

/// A folder of results that appears when it is finished.
pub struct Folder {
    path: PathBuf,
    temporary: TempDir,
}

impl Folder {
    /// Starts a folder that will be `path`; its parents are made.
    pub fn create(path: &Path) -> Result<Folder, Failure> {
        if path.exists() && !path.is_dir() {
            return Err(Failure::input(format!(
                "cannot write {}: it is a file, and a folder is needed",
                path.display()
            )));
        }
        let parent = folder_of(path);
        let make = || -> io::Result<TempDir> {
            fs::create_dir_all(parent)?;
            let mut builder = tempfile::Builder::new();
            builder.prefix(".tdc-");
            #[cfg(unix)]
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
            builder.tempdir_in(parent)
        };
        Ok(Folder {
            path: path.to_owned(),
            temporary: make().map_err(|e| Failure::file(path, "make", &e))?,
        })
    }

    /// Adds a file; `name` may lie in folders of this one, by `/`.
    pub fn add(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.temporary.path().join(name);
        let write = || {
            fs::create_dir_all(folder_of(&path))?;
            fs::write(&path, bytes)
        };
        write().map_err(|e| Failure::file(&self.path.join(name), "write", &e))
    }

    /// Gives the folder, or each of its files, its name.
    pub fn finish(self) -> Result<(), Failure> {
        let rename = || -> io::Result<()> {
            if !self.path.exists() {
                let from = self.temporary.keep();
                return fs::rename(from, &self.path);
            }
            let mut names: Vec<_> = fs::read_dir(self.temporary.path())?
                .map(|entry| entry.map(|e| e.file_name()))
                .collect::<io::Result<_>>()?;
            names.sort();
            for name in names {
                let (from, to) = (self.temporary.path().join(&name), self.path.join(&name));
                if from.is_dir() && to.is_dir() {
                    // It takes the place of the old one, which goes with the temporary folder.
                    let mut old = name;
                    old.push(".old");
                    fs::rename(&to, self.temporary.path().join(old))?;
                }
                fs::rename(from, to)?;
            }
            Ok(())
        };
        let path = self.path.clone();
        rename().map_err(|e| Failure::file(&path, "write", &e))
    }
}

/// A temporary file beside `path`, with the rights a new file has.
fn temporary(path: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".tdc-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder_of(path))
}

/// The folder a path lies in.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}
