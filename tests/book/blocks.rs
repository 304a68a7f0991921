//! Pages cut into blocks.
//!
//! In: the text of a page. Out: [`Part`]s that, joined, give the text back.

/// A piece of a page.
pub(crate) enum Part {
    /// Lines outside of code blocks.
    Prose(String),
    /// A fenced block.
    Code(Code),
}

/// A fenced block.
pub(crate) struct Code {
    /// The line that opens it, as written.
    pub(crate) open: String,
    /// Its lines.
    pub(crate) body: String,
    /// The line that closes it, as written.
    pub(crate) close: String,
    /// Line number of `open`, from 1.
    pub(crate) line: usize,
}

impl Code {
    /// The words of the info string: language first.
    pub(crate) fn info(&self) -> impl Iterator<Item = &str> {
        self.open
            .trim()
            .trim_start_matches('`')
            .split(',')
            .map(str::trim)
    }

    /// Its language.
    pub(crate) fn language(&self) -> &str {
        self.info().next().unwrap_or("")
    }

    /// Whether a word is given.
    pub(crate) fn has(&self, word: &str) -> bool {
        self.info().skip(1).any(|w| w == word)
    }

    /// The value of `word=value`.
    pub(crate) fn value(&self, word: &str) -> Option<&str> {
        self.info()
            .skip(1)
            .find_map(|w| w.strip_prefix(word)?.strip_prefix('='))
    }
}

/// Cuts a page. A block without an end runs to the end of the page.
pub(crate) fn cut(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut prose = String::new();
    let mut lines = text.split_inclusive('\n').enumerate();
    while let Some((number, line)) = lines.next() {
        let fence: String = line
            .trim_start()
            .chars()
            .take_while(|c| *c == '`')
            .collect();
        if fence.len() < 3 {
            prose.push_str(line);
            continue;
        }
        parts.push(Part::Prose(std::mem::take(&mut prose)));
        let mut body = String::new();
        let mut close = String::new();
        for (_, line) in lines.by_ref() {
            if line.trim() == fence {
                close = line.to_string();
                break;
            }
            body.push_str(line);
        }
        parts.push(Part::Code(Code {
            open: line.to_string(),
            body,
            close,
            line: number + 1,
        }));
    }
    parts.push(Part::Prose(prose));
    parts
}

/// The commands in `<!-- $ tdc ... -->` comments.
pub(crate) fn hidden_commands(prose: &str) -> Vec<&str> {
    prose
        .split("<!-- $ ")
        .skip(1)
        .filter_map(|rest| rest.split_once(" -->").map(|(command, _)| command))
        .collect()
}

/// The names of pictures shown: `pictures/NAME`.
pub(crate) fn pictures(prose: &str) -> Vec<String> {
    prose
        .split("pictures/")
        .skip(1)
        .map(|rest| {
            let end = rest
                .find(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c)))
                .unwrap_or(rest.len());
            rest[..end].to_string()
        })
        .filter(|name| name.contains('.'))
        .collect()
}

/// A command line cut into words: quotes of both kinds, backslash, no variables.
pub(crate) fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(q), _) if c == q => quote = None,
            (Some('"') | None, '\\') => {
                word.get_or_insert_default().extend(chars.next());
            }
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// Whether `actual` is what `expected` shows: a line `...` is any lines, `[..]` anything inside
/// a line. Space at the end of lines does not count.
pub(crate) fn matches(expected: &[&str], actual: &[&str]) -> bool {
    match (expected.split_first(), actual.split_first()) {
        (None, None) => true,
        (Some((&"...", rest)), _) => {
            matches(rest, actual) || (!actual.is_empty() && matches(expected, &actual[1..]))
        }
        (Some((line, rest)), Some((got, others))) => {
            line_matches(line.trim_end(), got.trim_end()) && matches(rest, others)
        }
        _ => false,
    }
}

fn line_matches(expected: &str, actual: &str) -> bool {
    let Some((first, rest)) = expected.split_once("[..]") else {
        return expected == actual;
    };
    let Some(mut left) = actual.strip_prefix(first) else {
        return false;
    };
    let mut pieces = rest.split("[..]").peekable();
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return left.ends_with(piece);
        }
        match left.find(piece) {
            Some(at) => left = &left[at + piece.len()..],
            None => return false,
        }
    }
    true
}

#[test]
fn pages_are_cut_and_joined() {
    let text =
        "a\n```tdg,file=x.tdg\nlanguage x\n```\nb <!-- $ tdc new y -->\n![p](pictures/q.svg)\n";
    let parts = cut(text);
    let mut joined = String::new();
    for part in &parts {
        match part {
            Part::Prose(prose) => joined.push_str(prose),
            Part::Code(code) => {
                assert_eq!(
                    (code.language(), code.value("file"), code.line),
                    ("tdg", Some("x.tdg"), 2)
                );
                joined.push_str(&format!("{}{}{}", code.open, code.body, code.close));
            }
        }
    }
    assert_eq!(joined, text);
    assert_eq!(hidden_commands(text), ["tdc new y"]);
    assert_eq!(pictures(text), ["q.svg"]);
}

#[test]
fn commands_are_cut_into_words() {
    assert_eq!(
        words(r#"tdc parse x.tdg '(+ 1 "2")' "a \" b" c\ d ''"#),
        ["tdc", "parse", "x.tdg", r#"(+ 1 "2")"#, "a \" b", "c d", ""]
    );
}

#[test]
fn outputs_are_compared() {
    assert!(matches(&["a", "...", "z"], &["a", "b", "c", "z"]));
    assert!(matches(&["...", "z"], &["z"]));
    assert!(!matches(&["a", "..."], &["b"]));
    assert!(matches(
        &["took [..] s, [..] renders"],
        &["took 1.2 s, 40 renders"]
    ));
    assert!(!matches(&["took [..] s"], &["took 1.2 m"]));
    assert!(!matches(&["a"], &["a", "b"]));
}
