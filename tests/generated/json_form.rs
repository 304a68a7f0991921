//! Trees as JSON, through serde: the form that `tdc parse --format json` gives.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tdc::sample::stream;
use tdc::tree::json::to_json;
use tdc::typed::Tree;

use crate::{hostile_names_serde, json_serde, mandala_serde};

fn same_form<T: Tree + Serialize + DeserializeOwned + PartialEq + Debug>() {
    let grammar = &T::language().compiled().expect("the language").grammar;
    for seed in 0..5_000 {
        let tree = T::random(&mut stream(seed, 0)).expect("a tree");
        let typed = serde_json::to_value(&tree).expect("JSON");
        let text = to_json(grammar, &tree.to_program().expect("a program"));
        let mut dynamic: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        as_floats(&typed, &mut dynamic);
        assert_eq!(typed, dynamic, "{text}");
        let back: T = serde_json::from_str(&text).expect("a tree");
        assert_eq!(back, tree);
    }
}

/// Serde writes a real number as `3.0` where the dynamic form has `3`.
fn as_floats(typed: &serde_json::Value, dynamic: &mut serde_json::Value) {
    use serde_json::Value;
    match (typed, dynamic) {
        (Value::Number(a), Value::Number(b)) if a.is_f64() => {
            if let Some(n) = b.as_f64().and_then(serde_json::Number::from_f64) {
                *b = n;
            }
        }
        (Value::Array(a), Value::Array(b)) => a.iter().zip(b).for_each(|(a, b)| as_floats(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.values()
                .zip(b.values_mut())
                .for_each(|(a, b)| as_floats(a, b));
        }
        _ => {}
    }
}

#[test]
fn trees_have_the_dynamic_form() {
    same_form::<json_serde::Value>();
    same_form::<mandala_serde::Mandala>();
    same_form::<hostile_names_serde::Self_>();
}

#[test]
fn values_are_looked_at() {
    use json_serde::{Text, Value};
    assert!(serde_json::from_str::<Text>("\"\\\"ok\\\"\"").is_ok());
    let error = serde_json::from_str::<Text>("\"no quotes\"").expect_err("not a text");
    assert!(error.to_string().contains("is not a Text"), "{error}");
    let error =
        serde_json::from_str::<Value>(r#"{"Num":{"number":"1e9999"}}"#).expect_err("not a number");
    assert!(error.to_string().contains("is not a Number"), "{error}");
    let error = serde_json::from_str::<mandala_serde::Fold>("5").expect_err("not on the grid");
    assert_eq!(error.to_string(), "`5` is not a Fold (4..=12 step 2)");
    assert!(serde_json::from_str::<mandala_serde::Hue>("\"teal\"").is_ok());
    assert!(serde_json::from_str::<mandala_serde::Hue>("\"Teal\"").is_err());
}
