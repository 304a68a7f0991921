//! What programs on several lines look like, and that they are read back.

use super::*;
use crate::sample::{Sampler, stream};

fn load(name: &str) -> Compiled {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("grammars");
    Compiled::load(folder.join(name)).unwrap_or_else(|e| panic!("{e}"))
}

fn shipped() -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("grammars");
    let files = std::fs::read_dir(folder).expect("a folder");
    let names = files.map(|file| file.expect("a file").file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".tdg")).collect();
    names.sort();
    names
}

#[track_caller]
fn looks(grammar: &str, program: &str, width: usize, expected: &str) {
    let compiled = load(grammar);
    let program = compiled.parse(program).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(compiled.print_lines(&program, width), expected);
}

#[test]
fn parts_that_do_not_fit_begin_lines() {
    let text = "(+ (- (Circle 6 8 8) (Circle 3 8 8)) (Quad 1 2 3 4 45))";
    looks("csg2d.tdg", text, 55, text);
    let one = "(+\n  (- (Circle 6 8 8) (Circle 3 8 8))\n  (Quad 1 2 3 4 45))";
    looks("csg2d.tdg", text, 54, one);
    looks("csg2d.tdg", text, 35, one);
    let two = "(+\n  (-\n    (Circle 6 8 8)\n    (Circle 3 8 8))\n  (Quad 1 2 3 4 45))";
    looks("csg2d.tdg", text, 34, two);
    // Words are not broken.
    looks("csg2d.tdg", "(Circle 3 4 5)", 1, "(Circle\n  3\n  4\n  5)");
}

#[test]
fn lists_operators_and_wrappers_have_their_lines() {
    looks(
        "street.tdg",
        "at dusk: house 2 brick lit gable red, oak 3 green, lamp lit",
        40,
        "at dusk: house 2 brick lit gable red,\n  oak 3 green, lamp lit",
    );
    looks(
        "json.tdg",
        "{\"width\": 3, \"names\": [\"one\", \"two\", \"three\"], \"colour\": {\"é\": 0.5}}",
        40,
        "{\"width\": 3,\n  \"names\": [\"one\", \"two\", \"three\"],\n  \"colour\": {\"é\": 0.5}}",
    );
}

#[test]
fn deep_programs_are_not_mostly_spaces() {
    let compiled = load("csg2d.tdg");
    let text = format!(
        "{}(Circle 1 1 1){}",
        "(+ (Circle 1 2 3) ".repeat(400),
        ")".repeat(400)
    );
    let program = compiled.parse(&text).expect("a program");
    let lines = compiled.print_lines(&program, 60);
    assert!(lines.len() < 5 * text.len(), "{}", lines.len());
    assert_eq!(compiled.parse(&lines), Ok(program));
}

#[test]
fn words_with_spaces_and_line_ends_stay_whole() {
    let text = "language t start E sample size 1..=9
        token Name = /'[a-z \\n]*'/ length 0..=9
        sort E { @primitive Say = \"say\" name:Name  Both = \"(\" a:E b:E \")\" }";
    let compiled = Compiled::from_text("t", text).unwrap_or_else(|e| panic!("{e}"));
    let program = compiled
        .parse("(say 'a b c d' say 'e f g h')")
        .expect("a program");
    assert_eq!(
        compiled.print_lines(&program, 8),
        "(say\n  'a b c d'\n  say\n    'e f g h')"
    );
    let program = compiled
        .parse("(say 'a\nb' say 'e f g h')")
        .expect("a program");
    assert_eq!(compiled.print_lines(&program, 8), compiled.print(&program));
}

#[test]
fn programs_are_read_back_from_their_lines() {
    for name in shipped() {
        let compiled = load(&name);
        let sampler = Sampler::new(&compiled, compiled.grammar.sample).expect("a sampler");
        let mut several = 0;
        for item in 0..150 {
            let width = 1 + (item as usize * 37) % 120;
            let program = sampler.sample(&mut stream(7, item));
            let (flat, text) = (
                compiled.print(&program),
                compiled.print_lines(&program, width),
            );
            assert_eq!(compiled.parse(&text), Ok(program), "{name}: {text}");
            // White space is all that differs, and only where there was some.
            let joined: Vec<&str> = text
                .lines()
                .map(|line| line.trim_start_matches(' '))
                .collect();
            assert_eq!(joined.join(" "), flat, "{name}");
            assert!(
                text.lines().skip(1).all(|line| line.starts_with("  ")),
                "{name}: {text}"
            );
            // A line is too long only where it holds one thing without spaces.
            for line in text.lines().filter(|line| line.chars().count() > width) {
                let quoted = line.contains(['\'', '"']);
                assert!(quoted || !line.trim().contains(' '), "{name}: {text}");
            }
            several += usize::from(text.contains('\n'));
        }
        assert!(several > 10, "{name}: {several}");
    }
}
