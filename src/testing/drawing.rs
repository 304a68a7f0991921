//! Pictures of a language's examples and samples.
//!
//! In: a language with a canvas. Out: [`Drawing`]s: a name, a program, SVG, and pixels when they
//! are asked for. With an observation model a drawing is what the solver sees.

use super::programs::source;
use super::{SnapshotError, check_count};
use crate::compiled::Compiled;
use crate::render::sketch::{Sketch, SketchOptions, sketch};
use crate::render::svg::{self, SvgOptions};
use crate::render::{Picture, RenderError, raster};
use crate::sample;
use crate::scene::{Scene, eval};
use crate::tree::Program;

/// A picture of a program.
#[derive(Clone, Debug)]
pub struct Drawing {
    /// `example-donut`, `sample-1`; fit for a file's name.
    pub name: String,
    /// The program's text.
    pub program: String,
    /// The picture as SVG, the program as its title.
    pub svg: String,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Scene(Scene),
    Sketch(Sketch),
}

impl Drawing {
    /// The picture of one program. `seed` is that of the observation, where there is one.
    ///
    /// # Errors
    ///
    /// When the program cannot be drawn.
    pub fn new(
        compiled: &Compiled,
        name: impl Into<String>,
        program: &Program,
        seed: u64,
    ) -> Result<Drawing, SnapshotError> {
        let grammar = &compiled.grammar;
        let text = compiled.print(program);
        if grammar.canvas.is_none() {
            return Err(SnapshotError::NoCanvas(grammar.name.clone()));
        }
        let failed = |why: RenderError| SnapshotError::Picture {
            program: text.clone(),
            why,
        };
        let scene = eval::lower(grammar, program).map_err(|why| SnapshotError::Scene {
            program: text.clone(),
            why,
        })?;
        let options = SvgOptions {
            title: Some(text.clone()),
            ..SvgOptions::default()
        };
        let (svg, what) = match &grammar.observe {
            Some(observe) => {
                let mut rng = sample::seeded(seed);
                let pen = SketchOptions::draw(observe, &scene.canvas, &mut rng);
                let sketch = sketch(&scene, pen, &mut rng).map_err(failed)?;
                (sketch.svg(&options), What::Sketch(sketch))
            }
            None => (
                svg::write(&scene, &options).map_err(failed)?,
                What::Scene(scene),
            ),
        };
        Ok(Drawing {
            name: name.into(),
            program: text,
            svg,
            what,
        })
    }

    /// The picture as pixels.
    ///
    /// # Errors
    ///
    /// When the canvas is too large.
    pub fn pixels(&self) -> Result<Picture, SnapshotError> {
        match &self.what {
            What::Scene(scene) => raster::rasterize(scene).map_err(|why| SnapshotError::Picture {
                program: self.program.clone(),
                why,
            }),
            What::Sketch(sketch) => Ok(sketch.picture()),
        }
    }
}

/// The pictures of `count` random programs, the same as those of [`samples`](super::samples).
///
/// # Errors
///
/// When the language has no canvas, a program cannot be drawn, or the count is not within 1 to
/// [`MAX_COUNT`](super::MAX_COUNT).
pub fn drawings(compiled: &Compiled, seed: u64, count: u32) -> Result<Vec<Drawing>, SnapshotError> {
    each(compiled, seed, count)?.collect()
}

/// [`drawings`] one by one.
pub(crate) fn each(
    compiled: &Compiled,
    seed: u64,
    count: u32,
) -> Result<impl Iterator<Item = Result<Drawing, SnapshotError>>, SnapshotError> {
    check_count(count)?;
    let source = source(compiled, compiled.grammar.sample)?;
    let draw = move |index: u32| {
        let program = source.program(seed, index.into());
        let name = format!("sample-{}", index + 1);
        Drawing::new(compiled, name, &program, u64::from(index))
    };
    Ok((0..count).map(draw))
}

/// The pictures of the grammar's examples, in the order of the file.
///
/// # Errors
///
/// When the language has no canvas or an example cannot be drawn.
pub fn examples(compiled: &Compiled) -> Result<Vec<Drawing>, SnapshotError> {
    let examples = compiled.grammar.examples.iter();
    let programs = examples.filter_map(|(name, example)| {
        // A checked grammar's examples can be read.
        let program = compiled.parse(&example.program.text).ok()?;
        Some((name, program))
    });
    programs
        .map(|(name, program)| Drawing::new(compiled, format!("example-{name}"), &program, 0))
        .collect()
}
