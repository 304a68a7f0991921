//! `tdc render`: pictures of programs.

use std::path::{Path, PathBuf};

use serde_json::json;
use tdc::render::sketch::SketchOptions;
use tdc::render::svg::SvgOptions;
use tdc::render::{RenderError, image, outline, raster, sketch, svg};
use tdc::sample::{self, Rng};
use tdc::scene::{Scene, eval};
use tdc::tree::Program;

use super::Outcome;
use super::failure::Failure;
use super::input::{self, Language, ProgramSource};
use super::output::{self, Out};
use super::progress::Progress;
use super::shell::{self, Shell};

/// Draw programs as SVG or PNG
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tdc render grammars/csg2d.tdg '(- (Circle 6 8 8) (Circle 3 8 8))' -o donut.svg
  tdc render grammars/csg2d.tdg donut.txt -o donut.png --scale 4
  tdc render grammars/csg2d.tdg donut.txt --outline > cut.svg      one path, for a plotter
  tdc render grammars/csg2d_sketch.tdg donut.txt --observe -o sketch.png --seed 3
  tdc sample grammars/street.tdg -n 20 | tdc render grammars/street.tdg - -o 'street-{}.png'

JSON, one object a picture: program, file (null on standard output), kind (svg or png), width, \
height.")]
pub struct Args {
    /// The grammar file
    grammar: PathBuf,

    #[command(flatten)]
    program: ProgramSource,

    /// The picture's file, .svg or .png; {} stands for the program's number; without it SVG
    /// goes to standard output
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,

    /// Regions as single paths without overlap, for CAD and plotters (SVG only)
    #[arg(long, conflicts_with = "observe")]
    outline: bool,

    /// What the solver sees: the picture through the grammar's observation model
    #[arg(long)]
    observe: bool,

    /// Seed of the observation
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,

    /// Pixels of the PNG for one pixel of the canvas
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..=64))]
    scale: Option<u32>,

    /// No background
    #[arg(long)]
    transparent: bool,
}

/// What kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Svg,
    Png,
}

impl Kind {
    fn of(path: Option<&Path>) -> Result<Kind, Failure> {
        let Some(path) = path.filter(|path| *path != Path::new("-")) else {
            return Ok(Kind::Svg);
        };
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("svg") => Ok(Kind::Svg),
            Some("png") => Ok(Kind::Png),
            _ => Err(Failure::usage(format!(
                "{} should end in .svg or .png",
                path.display()
            ))),
        }
    }
}

pub fn run(shell: &Shell, args: &Args) -> Outcome {
    let kind = Kind::of(args.output.as_deref())?;
    if kind == Kind::Png && args.outline {
        return Err(Failure::usage(
            "--outline writes SVG: end the file's name in .svg",
        ));
    }
    if kind == Kind::Svg && args.scale.is_some() {
        return Err(Failure::usage("--scale is for PNG: an SVG has every size"));
    }
    let mut language = input::language(shell, &args.grammar)?;
    if args.observe && language.compiled.grammar.observe.is_none() {
        return Err(Failure::input(format!(
            "{} has no `observe` setting, so there is nothing between drawing and solver",
            args.grammar.display()
        )));
    }
    let sources = args.program.read()?;
    let pattern = args.output.as_deref().map(Path::to_string_lossy);
    let numbered = pattern.as_ref().is_some_and(|p| p.contains("{}"));
    if sources.len() > 1 && !numbered {
        return Err(Failure::usage(format!(
            "{} programs need {{}} in the name of the output: -o 'picture-{{}}.svg'",
            sources.len()
        )));
    }
    let mut out = Out::open(None)?;
    let mut rng = sample::seeded(args.seed);
    let mut progress = Progress::new(shell, "drawing", sources.len() as u64);
    let digits = sources.len().to_string().len();
    for (index, source) in sources.iter().enumerate() {
        if shell::stopped() {
            return Err(Failure::Stopped);
        }
        let program = language.parse(shell, source)?;
        let bytes = picture(&language, &program, args, kind, &mut rng)?;
        let path = pattern
            .as_ref()
            .map(|p| PathBuf::from(p.replace("{}", &format!("{:0digits$}", index + 1))));
        match &path {
            Some(path) if path != Path::new("-") => output::write_file(path, &bytes)?,
            _ if !shell.json() => out.bytes(&bytes)?,
            _ => {}
        }
        if shell.json() {
            let canvas = language.compiled.grammar.canvas.as_ref();
            let side = |of: fn(&tdc::grammar::ir::Canvas) -> u32| {
                canvas.map_or(0, of).saturating_mul(args.scale.unwrap_or(1))
            };
            out.json(&json!({
                "program": language.text(&program),
                "file": path.as_ref().map(|p| p.display().to_string()),
                "kind": if kind == Kind::Svg { "svg" } else { "png" },
                "width": side(|c| c.width),
                "height": side(|c| c.height),
            }))?;
        }
        progress.add(1);
    }
    out.finish()
}

/// The bytes of a program's picture.
fn picture(
    language: &Language,
    program: &Program,
    args: &Args,
    kind: Kind,
    rng: &mut Rng,
) -> Result<Vec<u8>, Failure> {
    let scene = scene(language, program)?.scaled(args.scale.unwrap_or(1));
    let failed = |error: RenderError| Failure::input(error.to_string());
    let options = SvgOptions {
        transparent: args.transparent,
        title: Some(language.text(program)),
        ..SvgOptions::default()
    };
    if let (true, Some(observe)) = (args.observe, &language.compiled.grammar.observe) {
        let pen = SketchOptions::draw(observe, &scene.canvas, rng);
        let sketch = sketch::sketch(&scene, pen, rng).map_err(failed)?;
        return Ok(match kind {
            Kind::Svg => sketch.svg(&options).into_bytes(),
            Kind::Png => image::encode_png(&sketch.picture()),
        });
    }
    let text = match kind {
        Kind::Svg if args.outline => outline::outline_svg(&scene, &options),
        Kind::Svg => svg::write(&scene, &options),
        Kind::Png => {
            let picture = raster::rasterize(&scene).map_err(failed)?;
            return Ok(image::encode_png(&picture));
        }
    };
    Ok(text.map_err(failed)?.into_bytes())
}

/// A program's scene; the error says why it has none.
pub fn scene(language: &Language, program: &Program) -> Result<Scene, Failure> {
    eval::lower(&language.compiled.grammar, program)
        .map_err(|error| Failure::input(format!("cannot draw: {error}")))
}
