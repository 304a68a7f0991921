//! Grammar files nobody would write: whatever the bytes, compiling ends soon, with a language or
//! with an error, and every diagnostic can be shown.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rand::{Rng, RngExt, SeedableRng};
use tdc::diag::render::render_all;
use tdc::pipeline::{compile_path, compile_str};

/// Far more than any of these takes; less than a hang.
const SOON: Duration = Duration::from_secs(60);

/// Compiles, and checks what has to hold whatever the text. Whether there is a language.
fn compiles(text: &str) -> bool {
    let begun = Instant::now();
    let outcome = compile_str("hostile", text);
    assert_eq!(outcome.compiled.is_some(), !outcome.has_errors());
    for diagnostic in &outcome.diagnostics {
        let mut places = vec![diagnostic.primary.span];
        places.extend(diagnostic.secondary.iter().map(|label| label.span));
        places.extend(diagnostic.fix.iter().map(|fix| fix.span));
        for span in places {
            let text = &outcome.sources.file(span.file).text;
            assert!(text.get(span.range()).is_some(), "{diagnostic:?}");
        }
    }
    let few = &outcome.diagnostics[..outcome.diagnostics.len().min(3)];
    render_all(few, &outcome.sources, false);
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    outcome.compiled.is_some()
}

/// The shipped grammars, each with its base written into it by hand where it has one.
fn shipped() -> Vec<String> {
    let mut paths: Vec<_> = fs::read_dir("grammars")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "tdg"))
        .collect();
    paths.sort();
    let texts = paths.iter().map(|path| fs::read_to_string(path).unwrap());
    texts.filter(|text| !text.contains("\nextends ")).collect()
}

/// Words of a text: runs of letters and digits, runs of spaces, single signs.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut begin = 0;
    let kind = |c: char| {
        if c.is_alphanumeric() {
            0
        } else if c.is_whitespace() {
            1
        } else {
            2
        }
    };
    let mut last = None;
    for (at, c) in text.char_indices() {
        if last.is_some_and(|l| l != kind(c) || l == 2) {
            words.push(&text[begin..at]);
            begin = at;
        }
        last = Some(kind(c));
    }
    words.push(&text[begin..]);
    words
}

/// Some words removed, doubled, exchanged or replaced.
fn mutated(words: &[&str], rng: &mut impl Rng) -> String {
    const ODD: &[&str] = &[
        "",
        "0",
        "-1",
        "99999999999999999999",
        "1e400",
        "..=",
        "{",
        "}",
        "(",
        "@weight(0)",
        "\"\"",
        "*",
        "?",
        "sort",
        "token",
        "draw",
        "use",
        "extends",
        "`",
        "/",
        "\u{0}",
        "é",
        "~",
        "start",
        "infix left {",
        "Shape",
        "_",
        "|>",
        "real",
        "step",
        "\\",
        "//",
        "///",
        "\n",
    ];
    let mut words: Vec<&str> = words.to_vec();
    for _ in 0..rng.random_range(1..=4) {
        let at = rng.random_range(0..words.len());
        let other = rng.random_range(0..words.len());
        match rng.random_range(0..5) {
            0 => words[at] = "",
            1 => words.insert(at, words[other]),
            2 => words.swap(at, other),
            3 => words[at] = words[other],
            _ => words[at] = ODD[rng.random_range(0..ODD.len())],
        }
    }
    words.concat()
}

#[test]
fn damaged_grammars_are_told_what_is_wrong() {
    let mut rng = rand_xoshiro::Xoshiro256PlusPlus::seed_from_u64(7);
    let shipped = shipped();
    assert!(shipped.len() >= 6);
    let words: Vec<Vec<&str>> = shipped.iter().map(|text| words(text)).collect();
    let mut good = 0;
    for _ in 0..600 {
        let words = &words[rng.random_range(0..words.len())];
        good += u32::from(compiles(&mutated(words, &mut rng)));
    }
    // Some damage is to a comment or a number: not everything is an error.
    assert!(good > 0);
}

#[test]
fn any_bytes_are_answered() {
    let mut rng = rand_xoshiro::Xoshiro256PlusPlus::seed_from_u64(8);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bytes.tdg");
    for _ in 0..200 {
        let mut bytes = vec![0; rng.random_range(0..300)];
        rng.fill_bytes(&mut bytes);
        fs::write(&path, &bytes).unwrap();
        let outcome = compile_path(&path);
        assert!(outcome.has_errors());
        let lossy = String::from_utf8_lossy(&bytes);
        assert!(!compiles(&lossy));
    }
    assert!(compile_path(Path::new("/dev/null/none")).has_errors());
    assert!(compile_path(Path::new("grammars")).has_errors());
    assert!(compile_path(Path::new("")).has_errors());
}

/// A text of about `size` bytes: `part(i)` for i = 0, 1, ...
fn long(begin: &str, part: impl Fn(usize) -> String, end: &str, size: usize) -> String {
    let mut text = begin.to_owned();
    let mut i = 0;
    while text.len() < size {
        text += &part(i);
        i += 1;
    }
    text + end
}

#[test]
fn long_files_end_soon() {
    const SIZE: usize = 2 << 20;
    let head = "language l start S sort S { A = \"a\" }\n";
    for text in [
        long(
            head,
            |i| format!("sort S{i} {{ A = \"a\" x:S{} }}\n", i + 1),
            "",
            SIZE,
        ),
        long(head, |i| format!("token T{i} = 9..=0\n"), "", SIZE),
        long(
            head,
            |i| format!("fn f{i}() -> Num = f{}()\n", i + 1),
            "",
            SIZE,
        ),
        long(
            "start S sort S {",
            |i| format!(" P{i} = \"p{i}\"\n"),
            "}",
            SIZE,
        ),
        long("start S sort S { P = ", |i| format!(" f{i}:S?"), "}", SIZE),
        long(
            "start S token T = ",
            |i| format!("\"v{i}\" | "),
            "\"x\" sort S { A = t:T }",
            SIZE,
        ),
        long(
            "start S sort S {",
            |i| format!("infix left {{ P{i} = \"p{i}\" }}\n"),
            "}",
            SIZE,
        ),
        long(head, |_| "sort S { }\n".to_owned(), "", SIZE),
        long(head, |_| "use ./x as y\n".to_owned(), "", SIZE),
        long(head, |_| "use std.color.{red}\n".to_owned(), "", SIZE),
        long(head, |_| "§ ".to_owned(), "", SIZE),
        long(head, |_| "(".to_owned(), "", SIZE),
        long("language ", |_| "l".to_owned(), " start lll", SIZE),
        long("start S token T = /", |_| "(a|".to_owned(), "/", SIZE),
        long(
            "start S token T = /",
            |_| "(a{1000}){1000}".to_owned(),
            "/ sort S { A = t:T }",
            2000,
        ),
    ] {
        let begun = Instant::now();
        assert!(!compiles(&text), "{}", &text[..60]);
        println!("{:?}: {:?}...", begun.elapsed(), &text[..40]);
    }
}

#[test]
fn sizes_that_explode_are_refused() {
    // Each sort holds the next one twice: the smallest program has 2^60 nodes.
    let mut text = "language l start S0 sort S60 { A = \"a\" }\n".to_owned();
    for i in 0..60 {
        let next = i + 1;
        let _ = writeln!(text, "sort S{i} {{ A = \"a\" x:S{next} y:S{next} }}");
    }
    assert!(!compiles(&text));
    // Endless lists of endless lists, at no size.
    assert!(!compiles(
        "language l start S sort S { @primitive P = \"p\"  L = \"(\" of:S* \")\" }"
    ));
}
