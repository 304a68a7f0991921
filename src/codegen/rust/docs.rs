//! Documentation of a grammar as documentation in Rust.
//!
//! In: the text behind `///` in a `.tdg` file. Out: lines of Rust documentation. Afterwards rustdoc
//! and clippy have nothing to say about them: what would be a link or a tag by accident is escaped,
//! names with capitals in the middle stand in backticks, and no block becomes a test.

/// The lines of a documentation comment, without `///`.
pub(super) fn lines(docs: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut fence = false;
    for line in docs.lines() {
        let line = line.replace('\t', "    ");
        let line = line.trim_end();
        if line.trim_start().starts_with("```") {
            // A block without a language would be a test.
            let opens_plain = !fence && line.trim_start().trim_start_matches('`').is_empty();
            out.push(match opens_plain {
                true => format!("{line}text"),
                false => line.to_owned(),
            });
            fence = !fence;
        } else if fence {
            out.push(line.to_owned());
        } else {
            // Four spaces would begin a block of code.
            let indent = line.len() - line.trim_start().len();
            let line = &line[indent.saturating_sub(3).min(indent)..];
            out.push(prose(line));
        }
    }
    if fence {
        out.push("```".to_owned());
    }
    while out.last().is_some_and(String::is_empty) {
        out.pop();
    }
    out
}

/// A line outside of blocks.
fn prose(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for (index, part) in line.split('`').enumerate() {
        if index > 0 {
            out.push('`');
        }
        // Every second part stands between backticks, if they pair.
        let is_code = index % 2 == 1 && line.matches('`').count() > index;
        match is_code {
            true => out.push_str(part),
            false => out.push_str(&plain(part)),
        }
    }
    out
}

fn plain(text: &str) -> String {
    let is_link = text.contains("](");
    let mut out = String::with_capacity(text.len());
    for (index, word) in text.split(' ').enumerate() {
        if index > 0 {
            out.push(' ');
        }
        let core = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '_');
        let at = word.find(core).unwrap_or(0);
        let (before, after) = (&word[..at], &word[at + core.len()..]);
        if !is_link && is_code_like(core) {
            out.push_str(&escaped(before));
            out.push_str(&format!("`{core}`"));
            out.push_str(&escaped(after));
        } else if word.contains("://") {
            out.push_str(&format!("<{word}>"));
        } else if is_link {
            out.push_str(word);
        } else {
            out.push_str(&escaped(word));
        }
    }
    out
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '[' | ']' | '<' | '>') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// What clippy takes for a name of a program: `RoundBox`, `round_box`, `std::vec`.
fn is_code_like(word: &str) -> bool {
    let camel = word.split(|c: char| !c.is_alphanumeric()).any(|part| {
        part.chars().filter(char::is_ascii_uppercase).count() > 1
            && part.chars().any(|c| c.is_ascii_lowercase())
    });
    !word.is_empty() && (camel || word.contains('_') || word.contains("::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rustdoc_would_misread_is_escaped() {
        for (from, to) in [
            (
                "A disc of radius `r` about (`x`, `y`).",
                "A disc of radius `r` about (`x`, `y`).",
            ),
            ("TinySVG: [see] <there>", "`TinySVG`: \\[see\\] \\<there\\>"),
            ("CSG2D and JSON", "CSG2D and JSON"),
            ("a [link](there.html) stays", "a [link](there.html) stays"),
            ("a stray ` tick_mark", "a stray ` `tick_mark`"),
            ("see http://x.org/a", "see <http://x.org/a>"),
        ] {
            assert_eq!(lines(from), [to]);
        }
        assert_eq!(lines("a\n\n     b\n"), ["a", "", "   b"]);
        assert_eq!(lines("```\nx[0]"), ["```text", "x[0]", "```"]);
    }
}
