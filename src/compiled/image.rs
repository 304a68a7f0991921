//! A compiled language as a text, for programs that carry their language with them.
//!
//! In: [`Compiled`]. Out: its image, and from an image the language again. Afterwards the language
//! of an image is the one it was made from, but for places in source files, which it has not:
//! no `.tdg` file is read, resolved or checked again. The image holds the resolved grammar and
//! the rewrite rules as JSON; tables are derived anew, which is quicker than reading them.

use serde::{Deserialize, Serialize};

use super::Compiled;
use crate::diag::Sink;
use crate::grammar::info;
use crate::grammar::inside::Inside;
use crate::grammar::ir::{Grammar, MutateSpec, NodeChoice, Procedure, SampleSpec};
use crate::grammar::rules::Rule;
use crate::grammar::syntax::Syntax;

/// Counted up whenever an older image would be misread.
const FORMAT: u32 = 1;

/// Lines of an image are about this long, in bytes.
const LINE: usize = 96;

/// Why a text is not an image of a language.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// Not what [`Compiled::to_image`] writes.
    #[error("not an image of a compiled language: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Of another version of the format.
    #[error(
        "an image of format {found}, and this tdc reads format {FORMAT}: generate the code again \
         with this version of tdc"
    )]
    Version {
        /// The format of the image.
        found: u32,
    },
    /// Well-formed, but no compiled language looks like that.
    #[error("an image of a damaged language: {0}")]
    Damaged(String),
}

#[derive(Serialize)]
struct Written<'a> {
    format: u32,
    grammar: &'a Grammar,
    rules: &'a [Rule],
}

#[derive(Deserialize)]
struct Format {
    format: u32,
}

#[derive(Deserialize)]
struct Read {
    grammar: Grammar,
    rules: Vec<Rule>,
}

impl Compiled {
    /// The language as a text: one JSON object, broken into lines.
    pub fn to_image(&self) -> String {
        let written = Written {
            format: FORMAT,
            grammar: &self.grammar,
            rules: &self.rules,
        };
        // Maps with keys that are not strings are all that could fail, and there are none.
        let text = serde_json::to_string(&written).unwrap_or_default();
        broken(&text)
    }

    /// The image of what programs are and what they draw, without what says how they are sampled, changed,
    /// rewritten and judged. Nothing can be made of it but a fingerprint.
    pub(super) fn drawing_image(&self) -> String {
        let mut grammar = self.grammar.clone();
        grammar.rewrites.clear();
        grammar.examples.clear();
        grammar.goal = None;
        grammar.docs.clear();
        grammar
            .tokens
            .iter_mut()
            .for_each(|token| token.docs.clear());
        grammar.sorts.iter_mut().for_each(|sort| sort.docs.clear());
        for production in &mut grammar.productions {
            production.docs.clear();
            production.weight = 1.0;
        }
        grammar.sample = SampleSpec {
            procedure: Procedure::Exact,
            min: 0,
            max: 0,
            by_weight: false,
            span: grammar.sample.span,
        };
        grammar.mutate = MutateSpec {
            small: 0,
            choice: NodeChoice::Size,
            span: grammar.mutate.span,
        };
        serde_json::to_string(&grammar).unwrap_or_default()
    }

    /// The language of an image.
    ///
    /// # Errors
    ///
    /// When the text is not an image, or one of another version.
    pub fn from_image(text: &str) -> Result<Compiled, ImageError> {
        let Format { format } = read(text)?;
        if format != FORMAT {
            return Err(ImageError::Version { found: format });
        }
        let Read { grammar, rules } = read(text)?;
        let mut sink = Sink::new();
        let info = info::info(&grammar);
        let syntax = Syntax::build(&grammar, &mut sink);
        let inside = Inside::build(&grammar, &mut sink);
        let (Some(syntax), Some(inside)) = (syntax, inside) else {
            let said = sink.sorted().into_iter().next();
            return Err(ImageError::Damaged(
                said.map_or_else(String::new, |said| said.message),
            ));
        };
        Ok(Compiled {
            grammar,
            info,
            syntax,
            inside,
            rules,
        })
    }
}

/// Reads JSON of any depth: draw code may nest far deeper than serde_json's own limit.
fn read<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(text);
    reader.disable_recursion_limit();
    let value = T::deserialize(serde_stacker::Deserializer::new(&mut reader))?;
    reader.end()?;
    Ok(value)
}

/// JSON with line breaks after commas, for people who open the file it stands in.
fn broken(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / LINE + 2);
    let (mut line, mut quoted, mut escaped) = (0, false, false);
    for letter in text.chars() {
        out.push(letter);
        line += letter.len_utf8();
        if quoted {
            quoted = escaped || letter != '"';
            escaped = !escaped && letter == '\\';
        } else if letter == '"' {
            quoted = true;
        } else if letter == ',' && line >= LINE {
            out.push('\n');
            line = 0;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::compile_path;
    use crate::sample::{Sampler, stream};
    use std::path::Path;

    fn shipped() -> Vec<Compiled> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("grammars");
        let mut paths: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|e| e == "tdg"))
            .collect();
        paths.sort();
        assert!(paths.len() >= 9);
        let compiled = paths.iter().map(|path| compile_path(path).into_result());
        compiled.map(|c| c.unwrap()).collect()
    }

    #[test]
    fn the_language_of_an_image_is_the_one_it_was_made_from() {
        for original in shipped() {
            let image = original.to_image();
            let again = Compiled::from_image(&image).unwrap();
            let name = &original.grammar.name;
            assert_eq!(again.to_image(), image, "{name}");
            assert_eq!(again.rules.len(), original.rules.len());
            let one = Sampler::new(&original, original.grammar.sample).unwrap();
            let two = Sampler::new(&again, again.grammar.sample).unwrap();
            for item in 0..200 {
                let program = one.sample(&mut stream(5, item));
                assert_eq!(two.sample(&mut stream(5, item)), program, "{name}");
                let text = original.print(&program);
                assert_eq!(again.print(&program), text, "{name}");
                assert_eq!(again.parse(&text).unwrap(), program, "{name}");
                assert_eq!(
                    crate::scene::eval::lower(&again.grammar, &program).ok(),
                    crate::scene::eval::lower(&original.grammar, &program).ok(),
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn numbers_are_kept_to_the_last_bit() {
        let text = "language l\nstart S\ncanvas 8 x 8 ink\nuse std.shape.{disc}\n\
                    token N = real 0..=1 step 0.1 ~ normal(0.123456789012345678)\n\
                    sort S { @primitive D = n:N }\n\
                    draw S -> Region { D => disc(n * 0.1 + 0.2 + 1e-17) }\n";
        let original = Compiled::from_text("l", text).unwrap();
        let again = Compiled::from_image(&original.to_image()).unwrap();
        assert_eq!(
            again.grammar.tokens[0].kernel,
            original.grammar.tokens[0].kernel
        );
        assert_eq!(again.to_image(), original.to_image());
    }

    #[test]
    fn deep_draw_code_survives() {
        let deep = format!("{}r{}", "(1 + ".repeat(90), ")".repeat(90));
        let text = format!(
            "language l\nstart S\ncanvas 8 x 8 ink\nuse std.shape.{{disc}}\ntoken R = 1..=4\n\
             sort S {{ @primitive D = r:R }}\ndraw S -> Region {{ D => disc({deep}) }}\n"
        );
        let original = Compiled::from_text("l", &text).unwrap();
        assert!(Compiled::from_image(&original.to_image()).is_ok());
    }

    #[test]
    fn what_is_no_image_is_refused_with_a_reason() {
        let original = shipped().swap_remove(0);
        let image = original.to_image();
        for text in [
            "",
            "{}",
            "[]",
            &image[..image.len() / 2],
            &format!("{image} x"),
        ] {
            assert!(matches!(
                Compiled::from_image(text),
                Err(ImageError::Malformed(_))
            ));
        }
        let older = image.replacen(&format!("\"format\":{FORMAT}"), "\"format\":0", 1);
        let error = Compiled::from_image(&older).unwrap_err();
        assert!(error.to_string().contains("generate the code again"));
    }

    #[test]
    fn lines_are_short_and_nothing_is_lost() {
        let text = serde_json::to_string(&vec!["a,\\\"b,"; 100]).unwrap();
        let lines = broken(&text);
        assert_eq!(lines.replace('\n', ""), text);
        assert!(lines.lines().all(|line| line.len() < LINE + 20));
    }
}
