//! What is said about texts that are no programs (`E09xx`), and what hostile texts do.

use std::path::PathBuf;

use tdc::diag::render::render_all;
use tdc::source::{Origin, SourceMap};

/// Every line of `tests/programs/<grammar>/mistakes.txt` is a text with a mistake; what is said
/// about it is kept in `snapshots/programs/`.
#[test]
fn mistakes_in_programs_say_exactly_this() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../snapshots/programs");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let mut files = 0;
    for (name, compiled) in super::languages() {
        let file = format!(
            "{}/tests/programs/{name}/mistakes.txt",
            env!("CARGO_MANIFEST_DIR")
        );
        let Ok(lines) = std::fs::read_to_string(PathBuf::from(file)) else {
            continue;
        };
        files += 1;
        let mut said = String::new();
        for line in lines.lines() {
            let error = compiled.parse(line).expect_err(line);
            let mut sources = SourceMap::new();
            let id = sources.add("program", line, Origin::Memory);
            said += &render_all(&[error.diagnostic(id, 0)], &sources, false);
        }
        settings.bind(|| insta::assert_snapshot!(name.as_str(), said));
    }
    assert_eq!(files, 3);
}

#[test]
fn texts_that_are_too_large_are_refused() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../snapshots/programs");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let json = super::language("json");
    let text = " ".repeat(tdc::tree::parse::MAX_PROGRAM_BYTES + 1);
    let error = json.parse(&text).unwrap_err();
    let mut sources = SourceMap::new();
    let id = sources.add("program", "", Origin::Memory);
    let said = render_all(&[error.diagnostic(id, 0)], &sources, false);
    settings.bind(|| insta::assert_snapshot!("too_large", said));
}

#[test]
fn ten_thousand_brackets_are_read() {
    let json = super::language("json");
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let program = json.parse(&deep).unwrap();
    assert_eq!(json.print(&program), deep);
    assert!(json.parse(&deep[1..]).is_err());
    assert!(json.parse(&deep[..deep.len() - 1]).is_err());
}

/// Random bytes and damaged programs give an error or a program, never a panic.
#[test]
fn any_text_is_read_or_refused() {
    use rand::RngExt;
    use tdc::sample::{Sampler, stream};
    for (name, compiled) in super::languages() {
        let sampler = Sampler::new(&compiled, compiled.grammar.sample).unwrap();
        let mut parser = compiled.parser();
        for item in 0..400 {
            let mut rng = stream(9, item);
            let mut bytes = compiled.print(&sampler.sample(&mut rng)).into_bytes();
            for _ in 0..rng.random_range(1..4u8) {
                let at = rng.random_range(0..bytes.len());
                match rng.random_range(0..3u8) {
                    0 => bytes[at] = rng.random(),
                    1 => drop(bytes.remove(at)),
                    _ => bytes.truncate(at + 1),
                }
                if bytes.is_empty() {
                    bytes.push(b' ');
                }
            }
            let text = String::from_utf8_lossy(&bytes);
            match parser.parse(&text) {
                Ok(program) => assert!(program.is_valid(&compiled.grammar), "{name}: {text}"),
                Err(error) => {
                    assert!(error.start <= error.end && error.end <= text.len());
                    assert!(text.is_char_boundary(error.start) && text.is_char_boundary(error.end));
                    assert!(!error.to_string().is_empty());
                }
            }
        }
    }
}
