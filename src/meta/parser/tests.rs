//! What the parser reads, and what it says.

use super::*;
use crate::meta::ast::*;

fn read(text: &str) -> (File, Vec<Diagnostic>) {
    let mut sink = Sink::new();
    let file = parse(FileId(0), text, &mut sink);
    (file, sink.sorted())
}

fn clean(text: &str) -> File {
    let (file, errors) = read(text);
    assert!(errors.is_empty(), "{text}\n{errors:#?}");
    file
}

const CSG: &str = r##"//! CSG2D: shapes added and subtracted in the plane (Kapur et al. 2024, appendix B.1).
language csg2d

use std.shape.{disc, box}
use std.transform.{turn, shift}

start  Shape
canvas 128 x 128 ink                  // one coverage channel; `rgb on white` for colour
goal   iou >= 0.99
sample size 2..=8                     // size = number of @primitive nodes
mutate small 2                        // sigma_small of the paper

/// A coordinate on the 16-step grid.
token Coord = 0..=15
token Angle = 0..=315 step 45
token T = real -1..=1e3 step 0.01 ~ normal(0.05)
token C = "red" -> red | "none" -> none @weight(3) | "x"

sort Op { Add = "+"   Sub = "-" }

sort Shape {
    @primitive Circle = "(" "Circle" r:Coord x:Coord y:Coord ")"
    @primitive Quad   = "(" "Quad" x:Coord y:Coord w:Coord h:Coord theta:Angle ")"
    /// Two of them.
    @weight(2) Combine           = "(" op:Op a:Shape b:Shape ")"
}

draw Shape -> Region {
    Circle => disc(8 * r) |> shift(8 * x, 8 * y)
    Quad   => box(8 * w, 8 * h) |> turn(theta) |> shift(8 * x, 8 * y)
    Combine => match op { Add => a + b, Sub => a - b }
}

fn half(p: Point, xs: [Num]?) -> Num = if p.x > 1 and not true then -p.x ^ 2 else m.f(p, #ff0000) ?? 3
builtin fn abs(x: Num) -> Num

rewrite Shape {
    commute: `(+ ?a ?b)` <=> `(+ ?b ?a)`
    twice:   `(- (- ?a ?b) ?c)` <=> `(- ?a (+ ?b ?c))`
    square:  `(Quad ?x ?y ?w ?h ?t)` => `(Quad ?x ?y ?h ?w ?u)` where u = (t + 90) mod 360 if t > 3
}

example donut = `(- (Circle 8 8 8) (Circle 4 8 8))`
observe hand_drawn(jitter: 0.2, stroke: 0.05..0.5)
"##;

const JSON: &str = r##"language json
extends ../base/tiny without Move, Other
use ./mine as m
use ./dir/other.{a, b as c,}
start Value
sample frontier size 1..=40 by weight
mutate small 2 by rule
size  nodes
canvas 128 x 64 rgb on white, centred
goal pixels within 0.005 share 0.99
token Text   = /"([^"\\\x00-\x1f]|\\["\\\/bfnrt])*"/   length 0..=12
token Number = /-?(0|[1-9][0-9]{0,8})(\.[0-9]{1,4})?/

sort Value {
    Object = "{" members:Member* sep "," "}"
    Array  = "[" items:Value+ sep "," @weight(0.5) "]" size:Value?
    Str    = text:Text
    True = "true"   False = "false"   Null = "null"
    Empty
}
sort Member { Member = key:Text ~ ":" value:Value }     // ~ : no space when printed

sort Expr {
    Neg   = "-" ~ of:Expr
    infix left  { Add = "+"   Sub = "-" }
    infix right { Pow = "^" }
    prefix { Not = "not" of:Expr }
    postfix { Fact = of:Expr "!" }
}
"##;

#[test]
fn the_examples_of_the_language_are_read() {
    let csg = clean(CSG);
    assert_eq!(csg.items.len(), 20);
    assert_eq!(csg.docs.len(), 1);
    assert_eq!(csg.comments.len(), 3);
    let json = clean(JSON);
    assert_eq!(json.items.len(), 15);
}

fn body(text: &str) -> String {
    let file = clean(&format!("fn f() -> Num = {text}"));
    match &file.items[0].kind {
        ItemKind::Fn(f) => show(f.body.as_ref().unwrap()),
        other => panic!("{other:?}"),
    }
}

fn show(e: &Expr) -> String {
    use ExprKind::*;
    match &e.kind {
        Number(_, t) => t.clone(),
        Name(n) => n.clone(),
        Call(n, args) => format!(
            "{}({})",
            n.text,
            args.iter().map(show).collect::<Vec<_>>().join(",")
        ),
        Pipe(a, n, args) => format!(
            "[{}|>{}({})]",
            show(a),
            n.text,
            args.iter().map(show).collect::<Vec<_>>().join(",")
        ),
        Member(a, n) => format!("{}.{}", show(a), n.text),
        Unary(op, a) => format!("[{op:?} {}]", show(a)),
        Binary(op, a, b) => format!("[{} {op:?} {}]", show(a), show(b)),
        If(c, a, b) => format!("[if {} {} {}]", show(c), show(a), show(b)),
        Let(n, a, b) => format!("[let {} {} {}]", n.text, show(a), show(b)),
        Match(a, arms) => format!(
            "[match {} {}]",
            show(a),
            arms.iter()
                .map(|a| show(&a.body))
                .collect::<Vec<_>>()
                .join(",")
        ),
        Point(a, b) => format!("({},{})", show(a), show(b)),
        List(all) => format!("[{}]", all.iter().map(show).collect::<Vec<_>>().join(",")),
        Paren(a) => format!("({})", show(a)),
        other => format!("{other:?}"),
    }
}

#[test]
fn operators_bind_as_the_table_says() {
    for (text, tree) in [
        ("1 + 2 * 3", "[1 Add [2 Mul 3]]"),
        ("1 - 2 - 3", "[[1 Sub 2] Sub 3]"),
        ("2 ^ 3 ^ 4", "[2 Pow [3 Pow 4]]"),
        ("-a ^ 2", "[Neg [a Pow 2]]"),
        ("-a * b", "[[Neg a] Mul b]"),
        ("2 ^ -1 * 3", "[[2 Pow [Neg 1]] Mul 3]"),
        (
            "a ?? b or c and d == e + f",
            "[a Else [b Or [c And [d Eq [e Add f]]]]]",
        ),
        ("a ?? b ?? c", "[a Else [b Else c]]"),
        ("a + b |> f(c) |> g", "[[[a Add b]|>f(c)]|>g()]"),
        ("not a and b", "[[Not a] And b]"),
        ("a & b mod c", "[a Meet [b Mod c]]"),
        ("if a then b else c + 1", "[if a b [c Add 1]]"),
        ("1 + if a then b else c |> f()", "[1 Add [if a b [c|>f()]]]"),
        ("let x = 1 in x + 1", "[let x 1 [x Add 1]]"),
        (
            "match a { 1 => b, -2 => c \"x\" => d _ => (e) } + 1",
            "[[match a b,c,d,(e)] Add 1]",
        ),
        ("(1, 2).x", "(1,2).x"),
        ("m.f(1).x", "m.f(1).x"),
        ("[1, 2,]", "[1,2]"),
        ("a - -b", "[a Sub [Neg b]]"),
    ] {
        assert_eq!(body(text), tree, "{text}");
    }
}

#[test]
fn docs_reach_what_they_stand_before() {
    let csg = clean(CSG);
    let token = csg
        .items
        .iter()
        .find(|item| matches!(&item.kind, ItemKind::Token(t) if t.name.text == "Coord"));
    assert_eq!(token.unwrap().docs, ["A coordinate on the 16-step grid."]);
    let ItemKind::Sort(sort) = &csg.items[13].kind else {
        panic!("{:?}", csg.items[13])
    };
    let SortMember::Production(combine) = &sort.members[2] else {
        panic!()
    };
    assert_eq!(combine.docs, ["Two of them."]);
}

#[test]
fn a_half_typed_file_keeps_the_rest() {
    let (file, errors) = read(
        "language l\nstart S\ntoken A =\nsort S {\n    One = \"a\" x:\n    Two = \"b\"\n\nfn f() -> Num = (1 +\nexample e = `a`\n",
    );
    assert_eq!(errors.len(), 4, "{errors:#?}");
    let named = |found: fn(&ItemKind) -> bool| file.items.iter().any(|item| found(&item.kind));
    assert!(named(|kind| matches!(kind, ItemKind::Fn(_))));
    assert!(named(|kind| matches!(kind, ItemKind::Example(_))));
    let ItemKind::Sort(sort) = &file.items[3].kind else {
        panic!()
    };
    assert!(matches!(sort.members.last(), Some(SortMember::Production(p)) if p.name.text == "Two"));
}

#[test]
fn at_most_a_hundred_mistakes_are_told() {
    let (_, errors) = read(&"token ;\n".repeat(5000));
    assert_eq!(errors.len(), 100);
    let last = errors.last().unwrap();
    assert!(last.notes[0].contains("more mistakes"), "{last:?}");
}

/// Texts that are hard to read: deep, long, unclosed, of odd bytes.
fn hard(size: usize) -> Vec<String> {
    let head = "fn f(x: Num) -> Num = ";
    let mut all: Vec<String> = [
        "(",
        "[",
        "{",
        ")",
        "}",
        "([{",
        "()",
        "- ",
        "not ",
        "if x then x else ",
        "let y = x in ",
        "match x { _ => ",
        "f(",
        "x.",
        "x + ",
        "x ^ ",
        "x |> f ",
        "x |> f(",
        "\"",
        "`",
        "/",
        "\\",
        "\u{0}",
        "\u{feff}",
        "\r\n",
        "\u{e9}",
        ";",
        "'",
        "|",
        "0.",
        "1e",
        "..",
        "=> ",
        "-> ",
        ": ",
        "@",
        "#",
        "/// d\n",
        "// c\n",
        "a:",
        "`a\n",
        "\"\\ud800",
        "{ a => ",
    ]
    .iter()
    .flat_map(|piece| {
        let many = piece.repeat(size / piece.len());
        [
            many.clone(),
            format!("{head}{many}"),
            format!("sort S {{ A = {many}"),
        ]
    })
    .collect();
    all.push(format!("fn f(x: {}Num", "[".repeat(size)));
    all.push("language l\n".repeat(size / 11));
    all.push("sort S {\n".repeat(size / 9));
    all
}

#[test]
fn hard_texts_end() {
    for text in hard(1 << 14) {
        let start = std::time::Instant::now();
        let (_, errors) = read(&text);
        assert!(errors.len() <= 100);
        let start_of = &text[..text.char_indices().nth(40).map_or(text.len(), |(at, _)| at)];
        assert!(start.elapsed().as_secs() < 10, "{start_of:?}");
    }
}

/// Spans of the tree and of diagnostics lie inside the text, on characters.
fn sound(text: &str) {
    let (file, errors) = read(text);
    let whole = |span: Span| text.get(span.range()).is_some();
    assert!(file.items.iter().all(|item| whole(item.span)));
    for error in &errors {
        assert!(whole(error.primary.span), "{error:?}");
        assert!(
            error.secondary.iter().all(|label| whole(label.span)),
            "{error:?}"
        );
        assert!(
            error.fix.as_ref().is_none_or(|fix| whole(fix.span)),
            "{error:?}"
        );
        assert!(!error.message.is_empty());
    }
}

#[test]
fn no_text_makes_the_parser_panic() {
    use rand::{RngExt, SeedableRng};
    let mut rng = rand_xoshiro::Xoshiro256PlusPlus::seed_from_u64(3);
    let pieces = [
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "\"",
        "`",
        "/",
        "//",
        "///",
        "=",
        "=>",
        "<=>",
        "->",
        ":",
        "..=",
        "~",
        "|",
        "|>",
        "@",
        "#",
        "?",
        "\\",
        "\n",
        "\r",
        " ",
        "\u{0}",
        "\u{e9}",
        "\u{1f600}",
        "sort ",
        "token ",
        "match ",
        "if ",
        "let ",
        "infix left ",
        "sep ",
        "where ",
        "0",
        "1e9",
        ".5",
        ";",
        "'",
        "\nuse ",
        "\ndraw S -> Region {",
        "@weight(",
        "\u{feff}",
        "\\ud83d",
        "not ",
        "-",
    ];
    let shipped = [CSG, JSON];
    for round in 0..1500 {
        let mut text: Vec<char> = match round % 3 {
            0 => Vec::new(),
            _ => shipped[round % 2].chars().collect(),
        };
        if round % 3 == 1 {
            text.truncate(rng.random_range(0..=text.len()));
        }
        for _ in 0..rng.random_range(1..40usize) {
            let at = rng.random_range(0..=text.len());
            let piece = pieces[rng.random_range(0..pieces.len())];
            match rng.random_range(0..3u32) {
                0 => {
                    let end = (at + rng.random_range(0..8usize)).min(text.len());
                    text.drain(at..end);
                }
                1 => {
                    text.splice(at..at, piece.chars());
                }
                _ => {
                    let c = char::from(rng.random_range(0..=255u8));
                    text.insert(at, c);
                }
            }
        }
        sound(&text.into_iter().collect::<String>());
    }
}

#[test]
fn every_beginning_of_a_file_can_be_read() {
    for text in [CSG, JSON] {
        for (at, _) in text.char_indices() {
            sound(&text[..at]);
        }
    }
}
