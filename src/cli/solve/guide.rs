//! `tdc solve --model`: the file that is meant, opened.
//!
//! In: arguments, a language. Out: [`Opened`]. Afterwards the file holds a policy for this language; anything else was
//! refused before a search began.

use std::path::{Path, PathBuf};

use serde_json::json;
use tdc::model::checkpoint::About;
use tdc::search::neural::Neural;

use super::super::failure::Failure;
use super::super::input::Language;
use super::{Args, Model};

/// An opened model.
pub struct Opened<'a> {
    path: PathBuf,
    about: About,
    neural: Neural<'a>,
}

/// Opens what `--model` says.
pub fn open<'a>(args: &Args, language: &'a Language) -> Result<Option<Opened<'a>>, Failure> {
    let Some(named) = &args.model else {
        return Ok(None);
    };
    let automatic = named == Path::new("auto");
    let path = match automatic {
        true => args.grammar.with_extension("small.safetensors"),
        false => named.clone(),
    };
    if automatic && !path.exists() {
        return Err(Failure::input(format!(
            "--model auto: there is no {}; `tdc train {} -o DIR` makes a model, and --model DIR/best.safetensors \
             uses it",
            path.display(),
            args.grammar.display()
        )));
    }
    let opened = Neural::open(&path, &language.compiled, usize::from(args.threads));
    let (about, neural) = opened.map_err(|error| Failure::input(error.to_string()))?;
    Ok(Some(Opened {
        path,
        about,
        neural,
    }))
}

impl Opened<'_> {
    /// What guides by it, and what reports say of it.
    pub fn model(&self) -> Model<'_> {
        Model {
            guide: &self.neural,
            about: json!({
                "file": self.path,
                "preset": self.about.preset,
                "trained": self.about.trained,
            }),
        }
    }
}
