//! JSON, against serde_json.

use serde_json::Value;
use tdc::sample::{Sampler, stream};

const DOCUMENTS: &[&str] = &[
    r#"{
        "name": "tdc", "version": [0, 1, 0], "ok": true, "nothing": null,
        "text": "quotes \" and \\ and \/ and \u00e9 and \ud83d\ude00 and tab\t",
        "unicode": "žluťoučký 😀", "empty": [{}, [], ""],
        "numbers": [0, -0, 12.5, -3.25e-7, 6.02E23, 1e+2]
    }"#,
    "[[[[[[[[[[]]]]]]]]]]",
    r#"  [ 1 , { "a" : { "b" : [ true , false , null ] } } ]  "#,
    "\"alone\"",
    "-12.75",
    r#"{"features": [{"type": "Feature", "geometry": {"type": "Point", "coordinates": [125.6, 10.1]}, "properties": {"name": "Dinagat Islands", "tags": []}}]}"#,
];

#[test]
fn documents_keep_their_meaning() {
    let json = super::language("json");
    for text in DOCUMENTS {
        let program = json.parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        let printed = json.print(&program);
        let before: Value = serde_json::from_str(text).unwrap();
        let after: Value = serde_json::from_str(&printed).unwrap();
        assert_eq!(before, after, "{printed}");
        assert_eq!(json.parse(&printed), Ok(program));
    }
}

#[test]
fn samples_are_json() {
    let json = super::language("json");
    let sampler = Sampler::new(&json, json.grammar.sample).unwrap();
    for item in 0..10_000 {
        let text = json.print(&sampler.sample(&mut stream(3, item)));
        if let Err(error) = serde_json::from_str::<Value>(&text) {
            panic!("{text}: {error}");
        }
    }
}

/// What serde_json refuses is refused, and the place is the same within a word.
#[test]
fn broken_documents_are_refused() {
    let json = super::language("json");
    for text in [
        "",
        "[",
        "]",
        "[1,]",
        "{\"a\":}",
        "{\"a\" 1}",
        "{1: 2}",
        "[1 2]",
        "tru",
        "nulll",
        "\"open",
        "01",
        "1.",
        ".5",
        "+1",
        "{\"a\": 1,}",
        "[1] 2",
        "'a'",
        "\"\\x\"",
        "{\"a\": \"b\" \"c\"}",
        "[1, 2",
        "{,}",
        "[,1]",
        "\"a\nb\"",
    ] {
        assert!(serde_json::from_str::<Value>(text).is_err(), "{text}");
        assert!(json.parse(text).is_err(), "{text}");
    }
}
