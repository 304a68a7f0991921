//! Model files: weights, and all that one must know to use them.
//!
//! In: [`About`] and weights, or the path of a file and the language it should be for. Out: the file's bytes, or
//! its weights with what they are. Afterwards a file that was read is whole, of this format, and for this
//! language and its tokens; anything else was refused with a reason.
//!
//! A file is safetensors; what the weights are stands among its remarks as one JSON object, `model`.
//! A model depends on what programs are and draw, not on a language's rules, examples, goal and window, so
//! the fingerprint is [`Compiled::drawing_fingerprint`].

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::config::Architecture;
use super::learner::Predicts;
use super::tokens::Vocabulary;
use super::weights::{Stored, Weights, WeightsError};
use crate::compiled::Compiled;
use crate::grammar::ir::CanvasMode;

/// Counted up whenever an older file would be misread.
const FORMAT: u32 = 2;
/// The remark.
const REMARK: &str = "model";

/// What weights are, and how they came about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// The version of the file format.
    pub format: u32,
    /// What the model predicts.
    pub predicts: Predicts,
    /// The preset its sizes are from.
    pub preset: String,
    /// Its architecture and sizes.
    pub config: Architecture,
    /// The language's name.
    pub language: String,
    /// The language's [`Compiled::drawing_fingerprint`].
    pub language_fingerprint: String,
    /// Places that have a token.
    pub places: u32,
    /// Tokens of the vocabulary.
    pub tokens: usize,
    /// The vocabulary's fingerprint.
    pub vocabulary_fingerprint: String,
    /// The greatest size of what it writes: of replacements (sigma_small), or of whole programs.
    pub size: u32,
    /// Height, width and channels of its pictures.
    pub canvas: [usize; 3],
    /// Whether it is shown the current picture; otherwise an empty canvas stands in for it.
    pub sees_current: bool,
    /// How it was trained, for people and for those who do it again.
    pub trained: BTreeMap<String, serde_json::Value>,
}

/// Why there is no such model.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// No file, or none that can be read.
    #[error("cannot read the model {}: {why}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
    /// A file that cannot be written. What was there before is still there.
    #[error("cannot write {}: {why}; an older file of this name is as it was", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
    /// Half a file, or something else altogether.
    #[error(
        "{} is not a whole model file: {why}\nif it was copied or downloaded, it may have been cut off \
         on the way",
        path.display()
    )]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Weights that nothing is known of.
    #[error("{} holds weights, but not those of a tdc model: it does not say what they are", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Another version.
    #[error(
        "{} is of format {found}, and this tdc reads format {FORMAT}: {}",
        path.display(),
        if *found > FORMAT { "a newer tdc wrote it" } else { "train it again with this version" }
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// Another language.
    #[error(
        "{} was trained for another language than this:\n  the model's  {} {}\n  this one     {} {}{}",
        path.display(), of[0].0, of[0].1, of[1].0, of[1].1,
        if of[0].0 == of[1].0 {
            "\nthe grammar's programs or drawings have changed since; train a model for it as it is now"
        } else {
            ""
        }
    )]
    Language {
        /// The file.
        path: PathBuf,
        /// Name and fingerprint of the model's language and of the one at hand.
        of: [(String, String); 2],
    },
    /// Other tokens.
    #[error(
        "{} was trained with other tokens for {language} than this tdc has:\n  the model's  {}\n  \
         this one's   {}",
        path.display(), fingerprints[0], fingerprints[1]
    )]
    Vocabulary {
        /// The file.
        path: PathBuf,
        /// The language's name.
        language: String,
        /// The model's fingerprint and the one at hand.
        fingerprints: [String; 2],
    },
    /// A language that cannot have a model.
    #[error(
        "{0} draws nothing, and models learn from pictures: its grammar needs a `canvas` and `draw` code \
         (`tdc explain` and the book's chapter on drawing say how)"
    )]
    NoPictures(String),
    /// A model of something else.
    #[error(
        "{} predicts {}, and a model that predicts {} is needed here: train one with `tdc train --predict {}`",
        path.display(), is.what(), wanted.what(), wanted.name()
    )]
    Purpose {
        /// The file.
        path: PathBuf,
        /// What it predicts.
        is: Predicts,
        /// What was asked for.
        wanted: Predicts,
    },
    /// Something else about the weights.
    #[error(transparent)]
    Weights(#[from] WeightsError),
}

impl About {
    /// What a fresh model of these sizes for a language is.
    ///
    /// # Errors
    ///
    /// When the language has no pictures.
    pub fn new(
        compiled: &Compiled,
        predicts: Predicts,
        preset: &str,
        config: impl Into<Architecture>,
    ) -> Result<About, CheckpointError> {
        let canvas = canvas(compiled)?;
        let config = config.into();
        let places = u32::try_from(config.context()).unwrap_or(u32::MAX);
        let vocabulary = Vocabulary::new(compiled, places);
        let grammar = &compiled.grammar;
        Ok(About {
            format: FORMAT,
            predicts,
            preset: preset.to_owned(),
            language: grammar.name.clone(),
            language_fingerprint: compiled.drawing_fingerprint(),
            places,
            tokens: vocabulary.len(),
            vocabulary_fingerprint: vocabulary.fingerprint(),
            size: match predicts {
                Predicts::Autoregressive => grammar.sample.max,
                _ => grammar.mutate.small,
            },
            canvas,
            sees_current: predicts != Predicts::Autoregressive,
            trained: BTreeMap::new(),
            config,
        })
    }

    /// Bytes of an empty canvas.
    pub fn blank(&self, compiled: &Compiled) -> Vec<u8> {
        let [height, width, channels] = self.canvas;
        match compiled.grammar.canvas.as_ref().map(|canvas| canvas.mode) {
            Some(CanvasMode::Rgb { background }) => background.repeat(height * width),
            _ => vec![0; height * width * channels],
        }
    }

    /// A model file.
    ///
    /// # Errors
    ///
    /// When a weight cannot be read.
    pub fn to_bytes(&self, weights: &Weights) -> Result<Vec<u8>, WeightsError> {
        weights.to_bytes(&self.remarks())
    }

    /// What stands beside the weights.
    pub fn remarks(&self) -> BTreeMap<String, String> {
        let text = serde_json::to_string(self).unwrap_or_default();
        BTreeMap::from([(REMARK.to_owned(), text)])
    }

    /// Reads a file's bytes; `path` is for messages.
    ///
    /// # Errors
    ///
    /// When they are no whole model file of this format.
    pub fn from_bytes(path: &Path, bytes: &[u8]) -> Result<(About, Stored), CheckpointError> {
        let broken = |why: String| CheckpointError::Broken {
            path: path.to_owned(),
            why,
        };
        let stored = Stored::from_bytes(bytes).map_err(|error| broken(error.to_string()))?;
        let Some(remark) = stored.remarks.get(REMARK) else {
            return Err(CheckpointError::Foreign {
                path: path.to_owned(),
            });
        };
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let read = |error: serde_json::Error| broken(format!("what it says of itself: {error}"));
        let Version { format } = serde_json::from_str(remark).map_err(read)?;
        if format != FORMAT {
            return Err(CheckpointError::Version {
                path: path.to_owned(),
                found: format,
            });
        }
        let about = serde_json::from_str(remark).map_err(read)?;
        Ok((about, stored))
    }

    /// Reads a model file for a language.
    ///
    /// # Errors
    ///
    /// When there is none, or it is for something else.
    pub fn read(path: &Path, compiled: &Compiled) -> Result<(About, Stored), CheckpointError> {
        let bytes = std::fs::read(path).map_err(|why| CheckpointError::Read {
            path: path.to_owned(),
            why,
        })?;
        let (about, stored) = About::from_bytes(path, &bytes)?;
        about.check(path, compiled)?;
        Ok((about, stored))
    }

    /// Whether it is for this language; `path` is for messages.
    ///
    /// # Errors
    ///
    /// When it is for another one.
    pub fn check(&self, path: &Path, compiled: &Compiled) -> Result<(), CheckpointError> {
        let own = compiled.drawing_fingerprint();
        let name = &compiled.grammar.name;
        if own != self.language_fingerprint {
            return Err(CheckpointError::Language {
                path: path.to_owned(),
                of: [
                    (self.language.clone(), self.language_fingerprint.clone()),
                    (name.clone(), own),
                ],
            });
        }
        let broken = |why: String| CheckpointError::Broken {
            path: path.to_owned(),
            why,
        };
        // Sizes come from a file: nothing is built from them before they are checked.
        self.config.check().map_err(|e| broken(e.to_string()))?;
        let context = u32::try_from(self.config.context()).unwrap_or(u32::MAX);
        if self.places > context {
            let places = self.places;
            return Err(broken(format!("{places} places for {context} tokens")));
        }
        let vocabulary = Vocabulary::new(compiled, self.places);
        let fingerprint = vocabulary.fingerprint();
        if fingerprint != self.vocabulary_fingerprint || vocabulary.len() != self.tokens {
            return Err(CheckpointError::Vocabulary {
                path: path.to_owned(),
                language: name.clone(),
                fingerprints: [self.vocabulary_fingerprint.clone(), fingerprint],
            });
        }
        match canvas(compiled)? == self.canvas {
            true => Ok(()),
            false => Err(broken(format!("pictures of {:?}", self.canvas))),
        }
    }
}

/// Height, width and channels of a language's pictures.
fn canvas(compiled: &Compiled) -> Result<[usize; 3], CheckpointError> {
    let canvas = compiled.grammar.canvas.as_ref();
    let canvas =
        canvas.ok_or_else(|| CheckpointError::NoPictures(compiled.grammar.name.clone()))?;
    let channels = match canvas.mode {
        CanvasMode::Ink => 1,
        CanvasMode::Rgb { .. } => 3,
    };
    Ok([canvas.height as usize, canvas.width as usize, channels])
}

/// Writes a file that is whole or not there: under another name, onto the disk, then renamed.
///
/// # Errors
///
/// When it cannot be written, as on a full disk. Then an older file is as it was.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), CheckpointError> {
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".tdc-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let write = || -> std::io::Result<()> {
        let mut file = builder.tempfile_in(folder)?;
        file.write_all(bytes)?;
        // Without this a machine that stops may have the new name and not the new bytes.
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(|why| CheckpointError::Write {
        path: path.to_owned(),
        why,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::config::Preset;
    use crate::model::learner::Learner;
    use crate::model::paper::Paper;

    fn grammar(name: &str) -> Compiled {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        Compiled::load(root.join("grammars").join(name)).unwrap()
    }

    fn about(compiled: &Compiled, predicts: Predicts) -> About {
        About::new(compiled, predicts, "tiny", Preset::Tiny.config()).unwrap()
    }

    /// A model file in a folder that goes with it.
    fn file(of: impl Fn(&mut About)) -> (tempfile::TempDir, PathBuf, Vec<u8>) {
        let csg2d = grammar("csg2d.tdg");
        let model = Paper::seeded(&about(&csg2d, Predicts::Policy), 1).unwrap();
        let mut about = model.about.clone();
        of(&mut about);
        let bytes = about.to_bytes(model.weights()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        write_whole(&path, &bytes).unwrap();
        (folder, path, bytes)
    }

    #[test]
    fn a_model_comes_back_as_it_was() {
        let csg2d = grammar("csg2d.tdg");
        for predicts in [Predicts::Policy, Predicts::Autoregressive, Predicts::Value] {
            let model = Paper::seeded(&about(&csg2d, predicts), 7).unwrap();
            let bytes = model.about.to_bytes(model.weights()).unwrap();
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("m");
            write_whole(&path, &bytes).unwrap();
            let (about, stored) = About::read(&path, &csg2d).unwrap();
            assert_eq!(about, model.about);
            let again = Paper::stored(&about, stored).unwrap();
            assert_eq!(about.to_bytes(again.weights()).unwrap(), bytes);
        }
    }

    #[test]
    fn what_is_not_there_is_refused() {
        let csg2d = grammar("csg2d.tdg");
        let error = About::read(Path::new("no/such.safetensors"), &csg2d).unwrap_err();
        let error = error.to_string();
        assert!(
            error.starts_with("cannot read the model no/such.safetensors: "),
            "{error}"
        );
    }

    #[test]
    fn what_is_cut_off_is_refused() {
        let (_folder, path, bytes) = file(|_| ());
        let csg2d = grammar("csg2d.tdg");
        for cut in [0, 1, 8, 100, bytes.len() / 2, bytes.len() - 1] {
            write_whole(&path, &bytes[..cut]).unwrap();
            let error = About::read(&path, &csg2d).unwrap_err();
            assert!(matches!(error, CheckpointError::Broken { .. }), "{cut}");
            assert!(error.to_string().contains("cut off"), "{error}");
        }
        // Other bytes after the end are none of ours.
        write_whole(&path, &[&bytes[..], b"more"].concat()).unwrap();
        assert!(About::read(&path, &csg2d).is_err());
    }

    #[test]
    fn other_formats_and_weights_of_others_are_refused() {
        let csg2d = grammar("csg2d.tdg");
        for (format, said) in [(FORMAT + 1, "newer tdc"), (0, "train it again")] {
            let (_folder, path, _) = file(|about| about.format = format);
            let error = About::read(&path, &csg2d).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
            assert!(error.contains(&format!("format {format}")), "{error}");
        }
        let (_folder, path, _) = file(|_| ());
        let model = Paper::seeded(&about(&csg2d, Predicts::Value), 1).unwrap();
        let bytes = model.weights().to_bytes(&BTreeMap::new()).unwrap();
        write_whole(&path, &bytes).unwrap();
        let error = About::read(&path, &csg2d).unwrap_err();
        assert!(matches!(error, CheckpointError::Foreign { .. }), "{error}");
    }

    #[test]
    fn other_languages_are_refused_with_both_fingerprints() {
        let (_folder, path, _) = file(|_| ());
        let (csg2d, rainbow) = (grammar("csg2d.tdg"), grammar("rainbow.tdg"));
        let error = About::read(&path, &rainbow).unwrap_err().to_string();
        for language in [&csg2d, &rainbow] {
            let of = format!(
                "{} {}",
                language.grammar.name,
                language.drawing_fingerprint()
            );
            assert!(error.contains(&of), "{error}");
        }
        // The same name, but drawn in another way; and another example, which is no other language.
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(root.join("grammars/csg2d.tdg")).unwrap();
        let other = text.replacen("disc(8 * r)", "disc(7 * r)", 1);
        assert_ne!(other, text);
        let other = Compiled::from_text("csg2d", &other).unwrap();
        let error = About::read(&path, &other).unwrap_err().to_string();
        assert!(error.contains("have changed since"), "{error}");
        let other = text.replacen("goal   iou >= 0.99", "goal   iou >= 0.98", 1);
        assert_ne!(other, text);
        let other = Compiled::from_text("csg2d", &other).unwrap();
        assert!(About::read(&path, &other).is_ok());
    }

    #[test]
    fn other_tokens_are_refused_with_both_fingerprints() {
        let (_folder, path, _) = file(|about| about.vocabulary_fingerprint = "12345678".to_owned());
        let csg2d = grammar("csg2d.tdg");
        let error = About::read(&path, &csg2d).unwrap_err().to_string();
        let own = about(&csg2d, Predicts::Policy).vocabulary_fingerprint;
        assert!(
            error.contains("12345678") && error.contains(&own),
            "{error}"
        );
        let (_folder, path, _) = file(|about| about.places = 1 << 30);
        assert!(matches!(
            About::read(&path, &csg2d),
            Err(CheckpointError::Broken { .. })
        ));
    }

    #[test]
    fn sizes_that_the_weights_do_not_have_are_refused() {
        let (_folder, path, _) = file(|about| {
            let mut config = Preset::Tiny.config();
            config.decoder.layers = 3;
            about.config = config.into();
        });
        let csg2d = grammar("csg2d.tdg");
        let (about, stored) = About::read(&path, &csg2d).unwrap();
        let error = Paper::stored(&about, stored).unwrap_err().to_string();
        assert!(
            error.contains("the file has no `decoder.blocks.2"),
            "{error}"
        );
    }

    #[test]
    fn languages_without_pictures_have_no_models() {
        let json = grammar("json.tdg");
        let error = About::new(&json, Predicts::Policy, "tiny", Preset::Tiny.config());
        let error = error.unwrap_err();
        assert!(matches!(error, CheckpointError::NoPictures(_)), "{error}");
    }

    #[test]
    fn an_older_file_stays_when_the_new_one_cannot_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m");
        std::fs::create_dir(&path).unwrap();
        std::fs::write(path.join("inside"), "x").unwrap();
        let error = write_whole(&path, b"new").unwrap_err().to_string();
        assert!(error.starts_with("cannot write"), "{error}");
        assert!(path.join("inside").is_file());
        // Nothing is left beside it.
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
