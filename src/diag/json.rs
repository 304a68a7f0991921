//! Diagnostics as JSON: the same content as the text, for machines.
//!
//! In: diagnostics and the source map. Out: one object a diagnostic with stable keys. Lines and
//! columns count from one, columns in characters; `start` and `end` are bytes.

use serde_json::{Value, json};

use super::{Diagnostic, Label};
use crate::source::SourceMap;

/// One object a line.
pub fn to_json_lines(list: &[Diagnostic], sources: &SourceMap) -> String {
    list.iter()
        .map(|diagnostic| format!("{}\n", to_json(diagnostic, sources)))
        .collect()
}

/// The object of a diagnostic, with the keys `code`, `severity`, `message`, the primary place
/// (`file`, `line`, `column`, `end_line`, `end_column`, `start`, `end`, `label`), `labels` (other
/// places, with the same keys), `notes`, `help`, and `fix` (`file`, `start`, `end`,
/// `replacement`); `help` and `fix` are null where there is none.
pub fn to_json(diagnostic: &Diagnostic, sources: &SourceMap) -> Value {
    let mut object = json!({
        "code": diagnostic.code,
        "severity": diagnostic.severity(),
        "message": diagnostic.message,
    });
    let place = place(&diagnostic.primary, sources);
    if let (Value::Object(object), Value::Object(place)) = (&mut object, place) {
        object.extend(place);
        let labels = diagnostic
            .secondary
            .iter()
            .map(|label| self::place(label, sources));
        object.insert("labels".into(), labels.collect());
        object.insert("notes".into(), json!(diagnostic.notes));
        object.insert("help".into(), json!(diagnostic.help));
        let fix = diagnostic.fix.as_ref().map(|fix| {
            json!({
                "file": sources.file(fix.span.file).name,
                "start": fix.span.start,
                "end": fix.span.end,
                "replacement": fix.replacement,
            })
        });
        object.insert("fix".into(), json!(fix));
    }
    object
}

fn place(label: &Label, sources: &SourceMap) -> Value {
    let span = label.span;
    let (line, column) = sources.line_column(span.file, span.start);
    let (end_line, end_column) = sources.line_column(span.file, span.end);
    json!({
        "file": sources.file(span.file).name,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "start": span.start,
        "end": span.end,
        "label": label.message,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::codes;
    use crate::source::{Origin, Span};

    #[test]
    fn keys_are_stable() {
        let mut sources = SourceMap::new();
        let file = sources.add("a.tdg", "é = 1;\nx\n", Origin::Memory);
        let semi = Span::new(file, 6, 7);
        let diagnostic = Diagnostic::new(codes::E0105, semi, "`;` is not used", "this")
            .label(Span::new(file, 8, 9), "that")
            .note("why")
            .help("leave it out")
            .fix(semi, "");
        let expected = json!({
            "code": "E0105", "severity": "error", "message": "`;` is not used",
            "file": "a.tdg", "line": 1, "column": 6, "end_line": 1, "end_column": 7,
            "start": 6, "end": 7, "label": "this",
            "labels": [{
                "file": "a.tdg", "line": 2, "column": 1, "end_line": 2, "end_column": 2,
                "start": 8, "end": 9, "label": "that",
            }],
            "notes": ["why"], "help": "leave it out",
            "fix": {"file": "a.tdg", "start": 6, "end": 7, "replacement": ""},
        });
        assert_eq!(to_json(&diagnostic, &sources), expected);
        assert_eq!(to_json_lines(&[diagnostic], &sources).lines().count(), 1);
    }
}
