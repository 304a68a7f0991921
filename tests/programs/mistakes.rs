//! Diagnostics of programs: one case a code (`E09xx`), and what hostile texts do.

use tdc::source::FileId;

fn told(language: &str, text: &str) -> (String, String) {
    let compiled = super::language(language);
    let error = compiled.parse(text).unwrap_err();
    let diagnostic = error.diagnostic(FileId(0), 0);
    (diagnostic.code.to_string(), diagnostic.message)
}

/// `// case: E0901`
#[test]
fn a_word_in_the_wrong_place() {
    let (code, message) = told("csg2d", "(Circle 1 2)");
    assert_eq!(code, "E0901");
    assert_eq!(message, "expected a Coord (0..=15), found `)`");
    let (_, message) = told("json", "{\"a\" 1}");
    assert_eq!(message, "expected `:`, found `1`");
    let (_, message) = told("imp", "x := ;");
    assert_eq!(message, "expected an Expr, found `;`");
}

/// `// case: E0902`
#[test]
fn a_value_outside_its_token() {
    let (code, message) = told("csg2d", "(Circle 1 2 16)");
    assert_eq!(code, "E0902");
    assert_eq!(message, "`16` is not a Coord (0..=15)");
}

/// `// case: E0903`
#[test]
fn a_character_no_word_begins_with() {
    let (code, message) = told("csg2d", "(Circle 1 2 \u{7f})");
    assert_eq!(code, "E0903");
    assert_eq!(message, "no word of the language begins with `\\u{7f}`");
}

/// `// case: E0904`
#[test]
fn a_text_that_is_too_large() {
    let (code, _) = told("json", &" ".repeat(tdc::tree::parse::MAX_PROGRAM_BYTES + 1));
    assert_eq!(code, "E0904");
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
