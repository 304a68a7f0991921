//! The document against its schema and its grammars.

use std::path::Path;

use schemars::generate::SchemaSettings;

use super::*;
use crate::Compiled;

/// The schema of the types, as it is published.
fn schema() -> String {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings.into_generator().into_root_schema_for::<Document>();
    schema.insert("title".into(), "The IR of a tdc language".into());
    serde_json::to_string_pretty(&schema).expect("JSON") + "\n"
}

/// `TDC_UPDATE=1` writes it anew.
#[test]
fn the_published_schema_is_that_of_the_types() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("book/src/ir.schema.json");
    let schema = schema();
    if std::env::var_os("TDC_UPDATE").is_some() {
        std::fs::write(&path, &schema).expect("written");
    }
    let published = std::fs::read_to_string(&path).expect("the schema is there");
    assert!(
        published == schema,
        "book/src/ir.schema.json is not that of the types; TDC_UPDATE=1 writes it"
    );
    // Everything is described.
    let value: serde_json::Value = serde_json::from_str(&schema).expect("JSON");
    for (name, def) in value["$defs"].as_object().expect("definitions") {
        for (field, property) in def["properties"].as_object().into_iter().flatten() {
            assert!(property["description"].is_string(), "{name}.{field}");
        }
    }
}

fn each(mut check: impl FnMut(&str, &Compiled)) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("grammars");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("grammars") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|e| e == "tdg") {
            let compiled = Compiled::load(&path).unwrap_or_else(|e| panic!("{e}"));
            check(&path.display().to_string(), &compiled);
            count += 1;
        }
    }
    assert!(count >= 8, "the shipped grammars are there");
}

#[test]
fn a_document_is_read_back_as_itself() {
    each(|name, compiled| {
        let written = document(compiled);
        let text = serde_json::to_string(&written).expect("JSON");
        let read: Document = serde_json::from_str(&text).expect("a document");
        assert_eq!(read, written, "{name}");
    });
}
