//! The IR against its published schema, with an outside validator.

use jsonschema::Validator;
use serde_json::{Value, json};
use tdc::Compiled;
use tdc::codegen::document::{SCHEMA, document};

use crate::common::{grammar, shipped};

fn validator() -> Validator {
    let schema: Value = serde_json::from_str(SCHEMA).expect("JSON");
    assert!(jsonschema::meta::is_valid(&schema), "not a schema");
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    jsonschema::validator_for(&schema).expect("a schema")
}

fn ir(compiled: &Compiled) -> Value {
    serde_json::to_value(document(compiled)).expect("JSON")
}

#[test]
fn the_ir_of_every_shipped_grammar_fits_the_schema() {
    let validator = validator();
    for (name, compiled) in shipped() {
        let ir = ir(&compiled);
        let errors: Vec<String> = validator
            .iter_errors(&ir)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{name}\n{}", errors.join("\n"));
    }
}

#[test]
fn a_damaged_ir_is_refused() {
    let validator = validator();
    let whole = ir(&grammar("tinysvg"));
    assert!(validator.is_valid(&whole));
    let damages: &[(&str, Value)] = &[
        ("/format", json!("something else")),
        ("/version", json!(2)),
        ("/name", json!(7)),
        ("/start", json!(0)),
        ("/size", json!("Primitives")),
        ("/canvas/width", json!(0)),
        ("/canvas/background", json!([255, 255])),
        ("/canvas/background/0", json!(256)),
        ("/goal/kind", json!("nearly")),
        ("/goal/share", json!(1.5)),
        ("/tokens/0/domain/kind", json!("range")),
        ("/tokens/0/domain/step", json!(0)),
        ("/tokens/1/domain/values", json!([])),
        ("/tokens/1/domain/values/0/weight", json!(0)),
        ("/tokens/1/domain/values/0/value/value", json!([1, 2, 3])),
        ("/sorts/0/levels", json!([])),
        ("/productions/0/weight", json!(-1)),
        ("/productions/0/kind", json!("leaf")),
        ("/productions/0/sort", Value::Null),
        ("/productions/0/syntax/0/kind", json!("word")),
        ("/productions/0/draw/code/op", json!("jump")),
        ("/functions/0/body/code/builtin", json!("explode")),
        (
            "/nonterminals/0/productions/0",
            json!({ "name": "Rectangle" }),
        ),
        ("/rewrites/0/left/nodes/0/production/id", json!(-1)),
        ("/examples", json!({})),
    ];
    for (at, value) in damages {
        let mut ir = whole.clone();
        let place = ir.pointer_mut(at).unwrap_or_else(|| panic!("no {at}"));
        assert_ne!(place, value, "{at} is no damage");
        *place = value.clone();
        assert!(!validator.is_valid(&ir), "{at} = {value} is accepted");
    }
    for field in whole.as_object().expect("an object").keys() {
        let mut ir = whole.clone();
        ir.as_object_mut().expect("an object").remove(field);
        assert!(!validator.is_valid(&ir), "without {field} it is accepted");
    }
}

/// What a schema cannot say: an id leads to the thing whose name stands beside it.
#[test]
fn ids_lead_to_what_they_are_named() {
    for (name, compiled) in shipped() {
        let ir = ir(&compiled);
        let mut seen = 0;
        references(&ir, "", &mut |key, id, called| {
            let list = match key {
                "start" | "levels" | "nonterminal" | "item" => "nonterminals",
                "sort" => "sorts",
                "token" => "tokens",
                "production" | "productions" => "productions",
                "function" => "functions",
                other => panic!("{name}: what is {other}?"),
            };
            assert_eq!(ir[list][id]["name"], called, "{name}: {key} {id}");
            assert_eq!(ir[list][id]["id"], id, "{name}: {key} {id}");
            seen += 1;
        });
        assert!(seen > 20, "{name}: {seen} references");
        for production in ir["productions"].as_array().expect("a list") {
            for item in production["syntax"].as_array().expect("a list") {
                if let Some(literal) = item["literal"].as_u64() {
                    assert_eq!(ir["literals"][literal as usize], item["text"], "{name}");
                }
                if let Some(child) = item["child"].as_u64() {
                    let child = &production["children"][child as usize];
                    assert_eq!(child["name"], item["name"], "{name}");
                }
            }
        }
    }
}

/// Every object of an id and a name only, with the field that holds it.
fn references(value: &Value, key: &str, found: &mut impl FnMut(&str, usize, &str)) {
    match value {
        Value::Object(fields) => {
            if let (2, Some(id), Some(name)) =
                (fields.len(), value["id"].as_u64(), value["name"].as_str())
            {
                found(key, id as usize, name);
            }
            for (key, value) in fields {
                references(value, key, found);
            }
        }
        Value::Array(items) => {
            for item in items {
                references(item, key, found);
            }
        }
        _ => {}
    }
}
