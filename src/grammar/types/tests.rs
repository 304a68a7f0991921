//! Typing of single expressions; what is said about mistakes is kept in `snapshots/compile`.

use super::*;
use crate::grammar::expr::{Builtin, Case};
use crate::grammar::ids::ProdId;
use crate::meta::parser;
use crate::source::FileId;

/// The function that `text` declares, as it is written.
fn written(text: &str) -> ast::Fn {
    let mut sink = Sink::new();
    let file = parser::parse(FileId(0), text, &mut sink);
    assert!(sink.is_empty(), "{text}: {:?}", sink.sorted());
    for item in file.items {
        if let ast::ItemKind::Fn(written) = item.kind {
            return written;
        }
    }
    panic!("{text} declares no function")
}

/// A scope with some of the standard library, a token `Kind` and a sort `Op`.
fn scope() -> Scope {
    let mut scope = Scope::new();
    let mut sink = Sink::new();
    scope.add_enum(
        "Kind",
        Cases::Token(vec!["round".to_string(), "square".to_string()]),
    );
    let ops = [("Add", ProdId(4)), ("Sub", ProdId(5))];
    scope.add_enum(
        "Op",
        Cases::Sort(ops.map(|(name, id)| (name.to_string(), id)).to_vec()),
    );
    for text in [
        "builtin fn pi() -> Num",
        "builtin fn disc_of() -> Num",
        "builtin fn ellipse(rx: Num, ry: Num) -> Region",
        "builtin fn fill(region: Region, color: Color) -> Drawing",
        "builtin fn shift(region: Region, dx: Num, dy: Num) -> Region",
        "builtin fn shift(drawing: Drawing, dx: Num, dy: Num) -> Drawing",
        "builtin fn count(items: [Any]) -> Num",
        "builtin fn count(text: Text) -> Num",
        "builtin fn union_of(regions: [Region]) -> Region",
        "fn twice(n: Num) -> Num = 2 * n",
        "fn pick(kind: Kind, other: Num?) -> Num = 1",
    ] {
        let function = written(text);
        if let Some(signature) = signature(&function, FnId(7), &scope, &mut sink) {
            scope.add_function(&function.name.text, signature.clone());
            scope.add_function(format!("m.{}", function.name.text), signature);
        }
    }
    let unknown: Vec<_> = sink.sorted().iter().map(|d| d.code).collect();
    assert_eq!(unknown, [codes::E0617], "only disc_of is not there");
    scope
}

/// Checks `fn f(PARAMS) -> RESULT = BODY`; the codes of what is reported, or the function.
fn check(text: &str) -> Result<FnDef, Vec<&'static str>> {
    let mut sink = Sink::new();
    let scope = scope();
    let function = written(text);
    signature(&function, FnId(0), &scope, &mut sink);
    let checked = check_fn(&function, &[], &scope, &mut sink);
    assert_eq!(checked.is_none(), sink.has_errors(), "{text}");
    match checked {
        Some(def) if sink.is_empty() => Ok(def),
        _ => Err(sink.sorted().iter().map(|d| d.code.as_str()).collect()),
    }
}

fn body(text: &str) -> Expr {
    match check(text) {
        Ok(def) => def.body,
        Err(codes) => panic!("{text}: {codes:?}"),
    }
}

#[test]
fn constants_are_computed_at_once() {
    let number = |text: &str| match body(text).kind {
        ExprKind::Const(Value::Num(x)) => x,
        other => panic!("{other:?}"),
    };
    assert_eq!(number("fn f() -> Num = 1 + 2 * 3 ^ 2 - 7 mod 4"), 16.0);
    assert_eq!(number("fn f() -> Num = -(1, 2).y"), -2.0);
    assert_eq!(number("fn f() -> Num = pi / pi() + m.pi / 0"), 1.0);
    let color = |text: &str| match body(text).kind {
        ExprKind::Const(Value::Color(color)) => color,
        other => panic!("{other:?}"),
    };
    assert_eq!(color("fn f() -> Color = orange"), [255, 165, 0, 255]);
    assert_eq!(color("fn f() -> Color = none"), [0; 4]);
    assert_eq!(
        color("fn f() -> Color = #12345678"),
        [0x12, 0x34, 0x56, 0x78]
    );
}

#[test]
fn operators_and_overloads_go_by_the_types() {
    let which = |text: &str| match body(text).kind {
        ExprKind::Builtin(builtin, _) => builtin,
        other => panic!("{other:?}"),
    };
    assert_eq!(which("fn f(a: Num, b: Num) -> Num = a + b"), Builtin::Add);
    assert_eq!(
        which("fn f(a: Region, b: Region) -> Region = a + b"),
        Builtin::Union
    );
    assert_eq!(
        which("fn f(a: Region, b: Region) -> Region = a - b"),
        Builtin::Difference
    );
    assert_eq!(
        which("fn f(a: Region, b: Region) -> Region = a & b"),
        Builtin::Intersection
    );
    assert_eq!(
        which("fn f(a: Point, b: Num) -> Point = b * a"),
        Builtin::Mul
    );
    assert_eq!(
        which("fn f(a: Region) -> Region = a |> shift(1, 2)"),
        Builtin::Shift
    );
    assert_eq!(
        which("fn f(a: Drawing) -> Drawing = m.shift(a, 1, 2)"),
        Builtin::Shift
    );
    assert_eq!(which("fn f(a: [Color]) -> Num = count(a)"), Builtin::Count);
    assert_eq!(which("fn f(a: Text) -> Num = count(a)"), Builtin::Count);
    assert_eq!(which("fn f() -> Region = union_of([])"), Builtin::UnionAll);
    // The right drawing is painted over the left one.
    match body("fn f(a: Drawing, b: Drawing) -> Drawing = a + b").kind {
        ExprKind::Builtin(Builtin::Over, args) => {
            assert!(matches!(args[0].kind, ExprKind::Slot(1)), "{args:?}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn values_and_functions_have_separate_names() {
    let def = check("fn f(fill: Color, shift: Region) -> Drawing = fill(shift(shift, 1, 1), fill)");
    assert!(def.is_ok(), "{def:?}");
    // A colour's name can be a parameter's.
    assert!(matches!(
        body("fn f(red: Num) -> Num = red").kind,
        ExprKind::Slot(0)
    ));
}

#[test]
fn lets_take_slots_one_after_another_and_give_them_back() {
    let def =
        check("fn f(a: Num) -> Num = (let b = a + 1 in let c = b * b in c) + (let d = a in d)")
            .expect("it checks");
    assert_eq!(def.slots, 3);
    assert_eq!(
        constant::evaluate(&def.body, &[Value::Num(2.0)], &[]),
        Some(Value::Num(11.0))
    );
}

#[test]
fn choices_become_cases() {
    let arms = |text: &str| match body(text).kind {
        ExprKind::Match(_, arms) => arms.into_iter().map(|(case, _)| case).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        arms("fn f(k: Kind) -> Num = match k { \"square\" => 1, \"round\" => 2 }"),
        [Case::Index(1), Case::Index(0)]
    );
    assert_eq!(
        arms("fn f(op: Op) -> Num = match op { Sub => 1, _ => 2 }"),
        [Case::Production(ProdId(5)), Case::Any]
    );
    assert_eq!(
        arms("fn f(n: Num) -> Num = match n { -1 => 1, 2.5 => 2, _ => 3 }"),
        [Case::Num(-1.0), Case::Num(2.5), Case::Any]
    );
    assert_eq!(
        arms("fn f(k: Kind) -> Bool = k == \"square\""),
        [Case::Index(1), Case::Any]
    );
    assert_eq!(
        arms("fn f(k: Kind) -> Bool = \"round\" != k"),
        [Case::Index(0), Case::Any]
    );
}

#[test]
fn optional_places_take_plain_values() {
    assert!(check("fn f(k: Kind) -> Num = pick(k, 3)").is_ok());
    assert!(check("fn f(k: Kind, n: Num?) -> Num = pick(k, n) + (n ?? 4)").is_ok());
    assert!(check("fn f(c: Bool, n: Num?) -> Num? = if c then 1 else n").is_ok());
    let either = "fn f(c: Bool, n: Num?) -> Num = (if c then 1 else n) ?? 2";
    assert!(check(either).is_ok(), "{:?}", check(either));
    assert_eq!(check("fn f(n: Num?) -> Num = n").err(), Some(vec!["E0607"]));
    assert_eq!(
        check("fn f(k: Kind, n: Num?) -> Num = twice(n)").err(),
        Some(vec!["E0605"])
    );
}

#[test]
fn each_mistake_is_told_once() {
    let said = |text: &str| check(text).err().unwrap_or_default();
    // What follows from a mistake is not one.
    assert_eq!(
        said("fn f() -> Num = unknown + 1 * unknown"),
        ["E0602", "E0602"]
    );
    assert_eq!(said("fn f() -> Num = twice(unknown(3)) ^ 2"), ["E0602"]);
    assert_eq!(
        said("fn f(p: Point) -> Num = twice(p, p) + p.z"),
        ["E0604", "E0613"]
    );
    assert_eq!(said("fn f(a: Nmu) -> Num = a + 1"), ["E0601"]);
    assert_eq!(
        said("fn f(a: Region) -> Drawing = a |> shift(true, 1) |> fill(red)"),
        ["E0605"]
    );
    assert_eq!(
        said("fn f(k: Kind) -> Num = match k { \"rund\" => 1 }"),
        ["E0610"]
    );
    assert_eq!(
        said("fn f(n: Num) -> Num = if n then 1 else red"),
        ["E0607", "E0607"]
    );
    // An unknown name keeps a `let` from being called unused.
    assert_eq!(said("fn f() -> Num = let size = 1 in sise"), ["E0602"]);
    assert_eq!(said("fn f() -> Num = let size = 1 in 2"), ["W0602"]);
}

#[test]
fn the_nearest_name_is_proposed_with_its_fix() {
    let fix = |text: &str| {
        let mut sink = Sink::new();
        check_fn(&written(text), &[], &scope(), &mut sink);
        let list = sink.sorted();
        list.first()
            .and_then(|d| d.fix.clone())
            .map(|fix| fix.replacement)
    };
    assert_eq!(
        fix("fn f(radius: Num) -> Num = raduis"),
        Some("radius".to_string())
    );
    assert_eq!(
        fix("fn f() -> Region = elipse(1, 2)"),
        Some("ellipse".to_string())
    );
    assert_eq!(fix("fn f() -> Color = purpel"), Some("purple".to_string()));
    assert_eq!(
        fix("fn f(k: Kind) -> Bool = k == \"sqare\""),
        Some("\"square\"".to_string())
    );
    assert_eq!(fix("fn f() -> Num = zzzzz"), None);
}

#[test]
fn uses_and_calls_are_known() {
    let scope = scope();
    let mut sink = Sink::new();
    let function = written("fn f(n: Num) -> Num = twice(n) + m.pi + count([n])");
    let def = check_fn(&function, &[], &scope, &mut sink).expect("it checks");
    let used: Vec<String> = scope.used().into_iter().collect();
    assert_eq!(used, ["count", "m.pi", "twice"]);
    assert_eq!(calls(&def.body), [FnId(7)]);
}

#[test]
fn constants_may_use_functions_but_no_regions() {
    let scope = scope();
    let value = |text: &str| {
        let mut sink = Sink::new();
        let twice = check_fn(
            &written("fn twice(n: Num) -> Num = 2 * n"),
            &[],
            &scope,
            &mut sink,
        );
        // `twice` has id 7 in the scope.
        let fns = vec![twice.expect("it checks"); 8];
        let written = written(&format!("fn f() -> Num = {text}"));
        let found = check_const(
            &written.body.expect("a body"),
            None,
            &scope,
            &fns,
            &mut sink,
        );
        found.ok_or_else(|| {
            sink.sorted()
                .iter()
                .map(|d| d.code.as_str())
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(
        value("if twice(3) > 5 then (1, twice(2)) else (0, 0)"),
        Ok(Value::Point(1.0, 4.0))
    );
    assert_eq!(
        value("let x = 3 in match x { 3 => true, _ => false }"),
        Ok(Value::Bool(true))
    );
    assert_eq!(value("ellipse(1, 2)"), Err(vec!["E0618"]));
    assert_eq!(value("[1, 2]"), Err(vec!["E0618"]));
    assert_eq!(value("unknown"), Err(vec!["E0602"]));
}
