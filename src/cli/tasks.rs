//! `tdc tasks`: test sets of pictures with programs that draw them.

use std::path::PathBuf;

use serde_json::json;
use tdc::eval::tasks::{self, Kind, Options, TaskError};

use super::Outcome;
use super::failure::Failure;
use super::input::{self, SizeRange};
use super::output::{Folder, Out};
use super::progress::Progress;
use super::shell::{self, Shell};

/// Make a test set: pictures, and programs that draw them
///
/// The paper's test sets for any picture language. An ordinary set is random programs with
/// pictures that are not blank; a hard one those whose pictures compress least: at the 95th
/// percentile or above in bytes after LZ4, of a pool of 20 pictures a task and 4096 at least. No two
/// tasks of a set share a picture. Grammars with an `observe` setting get an observed picture as
/// target, and the true one beside it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tdc tasks grammars/csg2d.tdg --set hard -n 256 --seed 1 -o out/hard
  tdc solve grammars/csg2d.tdg --tasks out/hard --time 10 -o out/solved

The same options give the same set on every machine. Files in the folder, which appears when all \
are there: index.json (what the set is, and its fingerprint), tasks.jsonl (an object a task: \
name, program, primitives, size, nodes, lz4_bytes, draw, target, truth), a PNG a task, \
overview.png.

JSON, one object, as in index.json: name, language, language_fingerprint, fingerprint, set, \
tasks, seed, sizes, pool, lz4_threshold, goal, canvas, observed.")]
pub struct Args {
    /// The grammar file
    grammar: PathBuf,

    /// Which pictures the set takes
    #[arg(long = "set", value_enum, default_value_t, value_name = "SET")]
    kind: SetArg,

    /// How many tasks
    #[arg(short, default_value_t = 256, value_name = "N")]
    n: usize,

    /// Seed of the random programs
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,

    /// Sizes of the programs, instead of the grammar's window
    #[arg(long, value_name = "A..=B")]
    size: Option<SizeRange>,

    /// The folder of the set, which is made; files that are there already give way
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

/// Which pictures a set takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum SetArg {
    /// Random programs as they come
    #[default]
    Ordinary,
    /// The pictures that compress least
    Hard,
}

pub fn run(shell: &Shell, args: &Args) -> Outcome {
    let language = input::language(shell, &args.grammar)?;
    // Made before the work, so that a folder that cannot be written is known at once.
    let folder = Folder::create(&args.output)?;
    let options = Options {
        kind: match args.kind {
            SetArg::Ordinary => Kind::Ordinary,
            SetArg::Hard => Kind::Hard,
        },
        count: args.n,
        seed: args.seed,
        window: args.size.map(|size| (size.min, size.max)),
    };
    let mut progress = Progress::new(shell, "drawing", 1000);
    let made = tasks::make(
        &language.compiled,
        options,
        shell::stop_flag(),
        &mut |done| progress.set(done, ""),
    );
    let set = made.map_err(|error| match error {
        TaskError::Stopped => Failure::Stopped,
        error => Failure::input(format!("{}: {error}", args.grammar.display())),
    })?;
    let mut progress = Progress::new(shell, "writing", set.tasks.len() as u64);
    for (name, bytes) in set.files(&language.compiled) {
        if shell::stopped() {
            return Err(Failure::Stopped);
        }
        folder.add(&name, &bytes)?;
        progress.add(1);
    }
    folder.finish()?;
    let index = set.index(&language.compiled);
    let mut out = Out::open(None)?;
    if shell.json() {
        out.json(&json!(index))?;
        return out.finish();
    }
    let sizes = set.tasks.iter().map(|task| u64::from(task.program.size()));
    let mean = sizes.sum::<u64>() as f64 / set.tasks.len() as f64;
    let least = match index.lz4_threshold {
        0 => String::new(),
        bytes => format!(", pictures of {bytes} bytes and more after LZ4"),
    };
    out.line(&format!(
        "{}: {} tasks of mean size {mean:.1}{least}; see {}",
        index.name,
        index.tasks,
        args.output.display()
    ))?;
    out.finish()
}
