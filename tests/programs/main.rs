//! Programs of every grammar in `grammars/`: what is printed is read back as the same program.

mod arithmetic;
mod json;
mod mistakes;

use std::path::PathBuf;

use tdc::Compiled;
use tdc::sample::{Sampler, stream};

/// The shipped grammars, by name.
fn languages() -> Vec<(String, Compiled)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("grammars");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "tdg"))
        .collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let compiled = Compiled::load(&path).unwrap_or_else(|e| panic!("{name}: {e}"));
            (name, compiled)
        })
        .collect()
}

fn language(name: &str) -> Compiled {
    let file = format!("{}/grammars/{name}.tdg", env!("CARGO_MANIFEST_DIR"));
    Compiled::load(file).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn printed_samples_are_read_back() {
    for (name, compiled) in languages() {
        let sampler = Sampler::new(&compiled, compiled.grammar.sample).unwrap();
        let mut parser = compiled.parser();
        for item in 0..2_000 {
            let program = sampler.sample(&mut stream(11, item));
            let text = compiled.print(&program);
            let read = parser.parse(&text);
            assert_eq!(read.as_ref(), Ok(&program), "{name}: {text}");
            assert!(program.is_valid(&compiled.grammar), "{name}: {text}");
        }
    }
}

#[test]
fn examples_are_printed_back() {
    for (name, compiled) in languages() {
        assert!(!compiled.grammar.examples.is_empty(), "{name} has examples");
        for (example, def) in &compiled.grammar.examples {
            let program = compiled.parse(&def.program.text).unwrap();
            let printed = compiled.print(&program);
            assert_eq!(compiled.parse(&printed), Ok(program), "{name}: {example}");
        }
    }
}

#[test]
fn spans_hold_the_subtrees_texts() {
    for (name, compiled) in languages() {
        let sampler = Sampler::new(&compiled, compiled.grammar.sample).unwrap();
        for item in 0..50 {
            let program = sampler.sample(&mut stream(12, item));
            let (text, spans) =
                tdc::tree::print_spans(&compiled.grammar, &compiled.syntax, &program);
            assert_eq!(text, compiled.print(&program));
            for (at, span) in spans.iter().enumerate() {
                let layout = tdc::tree::Layout::new(&compiled.grammar);
                let part = layout.extract(&program, at);
                // Inside a list the text of a tail begins with a separator.
                let alone = compiled.print(&part);
                assert!(
                    text[span.clone()].ends_with(&alone),
                    "{name}: {text}: node {at}"
                );
            }
        }
    }
}
