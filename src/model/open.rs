//! Model files, opened as what they hold.
//!
//! In: a path and a language. Out: [`Model`], by what the file says of itself: its architecture and what it predicts.
//! Afterwards the model only answers: it cannot be trained on. A file that is missing, cut off, for another language
//! or of another purpose was refused with a reason.

use std::path::Path;

use super::checkpoint::{About, CheckpointError};
use super::config::Architecture;
use super::decode::Decoder;
use super::learner::Predicts;
use super::nodes::{NodesDecoder, Small};
use super::paper::{Paper, PaperDecoder, Scorer, Writer};
use crate::compiled::Compiled;

/// A trained model, ready to be asked.
pub enum Model<'c> {
    /// Proposes edits.
    Policy(Box<dyn Decoder + Send + 'c>),
    /// Writes whole programs.
    Autoregressive(Box<Writer<'c>>),
    /// Says how many edits it is to a target.
    Value(Box<Scorer>),
}

/// Opens a model file for a language; gives what it says of itself, too.
///
/// # Errors
///
/// When there is no such file, or it is not whole, or it is for another language.
pub fn open<'c>(
    path: &Path,
    compiled: &'c Compiled,
) -> Result<(About, Model<'c>), CheckpointError> {
    let (about, stored) = About::read(path, compiled)?;
    let broken = |why: String| CheckpointError::Broken {
        path: path.to_owned(),
        why,
    };
    let net = |error: super::net::NetError| broken(error.to_string());
    let model = match (&about.config, about.predicts) {
        (Architecture::Nodes(_), Predicts::Policy) => {
            let model = Small::frozen(&about, compiled, stored).map_err(net)?;
            let decoder = NodesDecoder::new(model, compiled);
            Model::Policy(Box::new(decoder.map_err(|e| broken(e.to_string()))?))
        }
        (Architecture::Nodes(_), predicts) => {
            let what = predicts.what();
            return Err(broken(format!(
                "a network of nodes does not predict {what}"
            )));
        }
        (Architecture::Paper(_), predicts) => {
            let model = Paper::frozen(&about, stored).map_err(net)?;
            let built = match predicts {
                Predicts::Policy => {
                    PaperDecoder::new(model, compiled).map(|own| Model::Policy(Box::new(own)))
                }
                Predicts::Autoregressive => {
                    Writer::new(model, compiled).map(|own| Model::Autoregressive(Box::new(own)))
                }
                Predicts::Value => {
                    Scorer::new(model, compiled).map(|own| Model::Value(Box::new(own)))
                }
            };
            built.map_err(|e| broken(e.to_string()))?
        }
    };
    Ok((about, model))
}

/// [`open`] for a policy.
///
/// # Errors
///
/// As [`open`], and when the file holds something else.
pub fn open_policy<'c>(
    path: &Path,
    compiled: &'c Compiled,
) -> Result<(About, Box<dyn Decoder + Send + 'c>), CheckpointError> {
    match open(path, compiled)? {
        (about, Model::Policy(own)) => Ok((about, own)),
        (about, _) => Err(purpose(path, &about, Predicts::Policy)),
    }
}

/// [`open`] for an autoregressive model.
///
/// # Errors
///
/// As [`open`], and when the file holds something else.
pub fn open_writer<'c>(
    path: &Path,
    compiled: &'c Compiled,
) -> Result<(About, Box<Writer<'c>>), CheckpointError> {
    match open(path, compiled)? {
        (about, Model::Autoregressive(own)) => Ok((about, own)),
        (about, _) => Err(purpose(path, &about, Predicts::Autoregressive)),
    }
}

/// [`open`] for a value.
///
/// # Errors
///
/// As [`open`], and when the file holds something else.
pub fn open_value(
    path: &Path,
    compiled: &Compiled,
) -> Result<(About, Box<Scorer>), CheckpointError> {
    match open(path, compiled)? {
        (about, Model::Value(own)) => Ok((about, own)),
        (about, _) => Err(purpose(path, &about, Predicts::Value)),
    }
}

fn purpose(path: &Path, about: &About, wanted: Predicts) -> CheckpointError {
    CheckpointError::Purpose {
        path: path.to_owned(),
        is: about.predicts,
        wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::super::checkpoint::write_whole;
    use super::super::config::Preset;
    use super::super::learner::Learner as _;
    use super::*;

    fn grammar(name: &str) -> Compiled {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        Compiled::load(root.join("grammars").join(name)).unwrap()
    }

    /// The bytes of a fresh model.
    fn bytes(compiled: &Compiled, predicts: Predicts, paper: bool) -> Vec<u8> {
        let config = match paper {
            true => Preset::Tiny.config().into(),
            false => Preset::Tiny.architecture(predicts),
        };
        let about = About::new(compiled, predicts, "tiny", config).unwrap();
        match about.config {
            Architecture::Nodes(_) => {
                let model = Small::seeded(&about, compiled, 1).unwrap();
                about.to_bytes(model.weights()).unwrap()
            }
            Architecture::Paper(_) => {
                let model = Paper::seeded(&about, 1).unwrap();
                about.to_bytes(model.weights()).unwrap()
            }
        }
    }

    fn said<T>(result: Result<T, CheckpointError>) -> String {
        result.err().map(|e| e.to_string()).unwrap_or_default()
    }

    #[test]
    fn files_are_opened_as_what_they_hold() {
        use Predicts::{Autoregressive, Policy, Value};
        let csg2d = grammar("csg2d.tdg");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        for (predicts, paper) in [
            (Policy, false),
            (Policy, true),
            (Autoregressive, true),
            (Value, true),
        ] {
            write_whole(&path, &bytes(&csg2d, predicts, paper)).unwrap();
            let (about, model) = open(&path, &csg2d).unwrap();
            assert_eq!(about.predicts, predicts);
            let held = match model {
                Model::Policy(_) => Policy,
                Model::Autoregressive(_) => Autoregressive,
                Model::Value(_) => Value,
            };
            assert_eq!(held, predicts);
            for (wanted, said) in [
                (Policy, said(open_policy(&path, &csg2d))),
                (Autoregressive, said(open_writer(&path, &csg2d))),
                (Value, said(open_value(&path, &csg2d))),
            ] {
                let of = |p: Predicts| said.contains(p.what());
                match wanted == predicts {
                    true => assert_eq!(said, ""),
                    false => assert!(
                        of(wanted) && of(predicts) && said.contains(wanted.name()),
                        "{said}"
                    ),
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        let (csg2d, rainbow) = (grammar("csg2d.tdg"), grammar("rainbow.tdg"));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        assert!(said(open(&path, &csg2d)).starts_with("cannot read the model "));
        for paper in [false, true] {
            let whole = bytes(&csg2d, Predicts::Policy, paper);
            write_whole(&path, &whole[..whole.len() / 2]).unwrap();
            assert!(said(open(&path, &csg2d)).contains("cut off"));
            write_whole(&path, &whole).unwrap();
            let said = said(open_policy(&path, &rainbow));
            for language in [&csg2d, &rainbow] {
                assert!(said.contains(&language.drawing_fingerprint()), "{said}");
            }
        }
        // A network of nodes that says it predicts something else; weights of other sizes.
        let config = Preset::Tiny.architecture(Predicts::Policy);
        let about = About::new(&csg2d, Predicts::Policy, "tiny", config).unwrap();
        let model = Small::seeded(&about, &csg2d, 1).unwrap();
        let mut other = about.clone();
        other.predicts = Predicts::Value;
        write_whole(&path, &other.to_bytes(model.weights()).unwrap()).unwrap();
        let error = said(open(&path, &csg2d));
        assert!(
            error.contains("does not predict numbers of edits"),
            "{error}"
        );
        let mut other = about;
        if let Architecture::Nodes(config) = &mut other.config {
            config.layers += 1;
        }
        write_whole(&path, &other.to_bytes(model.weights()).unwrap()).unwrap();
        let error = said(open(&path, &csg2d));
        assert!(error.contains("the file has no `"), "{error}");
    }
}
