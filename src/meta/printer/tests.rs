//! Printing changes nothing but the layout, and does so once.

use std::fs;
use std::path::Path;

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use serde_json::Value;

use super::print;
use crate::diag::Sink;
use crate::meta::ast::File;
use crate::meta::lexer::{ITEM_WORDS, lex};
use crate::meta::parser::parse;
use crate::meta::token::{Kind, Lead};
use crate::source::FileId;

/// The shipped grammars and the standard library.
pub(crate) fn shipped() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = Vec::new();
    for folder in ["grammars", "stdlib"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "tdg") {
                let text = fs::read_to_string(&path).unwrap();
                all.push((path.display().to_string(), text));
            }
        }
    }
    all.sort();
    assert!(all.len() > 10);
    all
}

fn read(text: &str) -> File {
    let mut sink = Sink::new();
    let file = parse(FileId(0), text, &mut sink);
    assert!(!sink.has_errors(), "{text}\n{:#?}", sink.sorted());
    file
}

/// A tree without places.
fn bare(file: &File) -> Value {
    let mut value = serde_json::to_value(file).unwrap();
    strip(&mut value);
    value
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(map) if map.contains_key("start") && map.contains_key("end") => {
            *value = Value::Bool(true);
        }
        Value::Object(map) => {
            map.remove("own_line");
            map.values_mut().for_each(strip);
        }
        Value::Array(all) => all.iter_mut().for_each(strip),
        _ => {}
    }
}

/// Prints, reads back, prints again; gives what was printed.
fn check(text: &str) -> String {
    let tree = read(text);
    let printed = print(&tree);
    let again = read(&printed);
    assert_eq!(
        bare(&tree),
        bare(&again),
        "--- from\n{text}\n--- printed\n{printed}"
    );
    let twice = print(&again);
    assert_eq!(printed, twice, "--- from\n{text}");
    assert!(
        !printed.contains(" \n") && !printed.contains("\n\n\n"),
        "{printed}"
    );
    printed
}

#[test]
fn shipped_files_read_back() {
    for (_, text) in shipped() {
        check(&text);
    }
}

/// The tokens of a text with any white space and comments between them.
fn shuffled(text: &str, rng: &mut Xoshiro256PlusPlus, wild: bool) -> String {
    let lexed = lex(FileId(0), text, &mut Sink::new());
    let mut out = String::new();
    let mut docs = lexed.docs.iter().peekable();
    while let Some(doc) = docs.next_if(|doc| doc.inner) {
        out += &format!("//! {}\n", doc.text);
    }
    let mut weighed = false;
    for pair in lexed.tokens.windows(2) {
        let (token, next) = (pair[0], pair[1]);
        let word = &text[token.span.range()];
        let inner_word = ITEM_WORDS.contains(&word) && token.lead != Lead::Item;
        // The weight of a repetition stands on its line, and a keyword at the start of a line
        // may seem to start a declaration.
        let stay =
            inner_word || (weighed && [Kind::At, Kind::Str].contains(&token.kind)) || word == "sep";
        if !stay {
            if docs
                .peek()
                .is_some_and(|doc| doc.span.start < token.span.start)
            {
                out.push('\n');
            }
            while let Some(doc) = docs.next_if(|doc| doc.span.start < token.span.start) {
                out += &format!("/// {}\n", doc.text);
            }
            let last = if wild { 14 } else { 6 };
            match rng.random_range(0..=last) {
                0 | 1 => out += "\n",
                2 => out += "\n\n\n",
                7 => out += "// c\n",
                8 => out += "\n  // own\n",
                9 => out += "\n// own\n\n\n  // two\n",
                _ => {}
            }
        }
        out += word;
        out.push(' ');
        weighed = matches!(token.kind, Kind::Star | Kind::Plus)
            || (weighed && (word == "sep" || token.kind == Kind::Str && next.kind == Kind::At));
        let _ = next;
    }
    out
}

#[test]
fn any_layout_reads_back() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
    for (name, text) in shipped() {
        let tree = bare(&read(&text));
        for round in 0..12 {
            let other = shuffled(&text, &mut rng, round % 3 != 0);
            let mut same = bare(&read(&other));
            let mut tree = tree.clone();
            same["comments"].take();
            tree["comments"].take();
            assert_eq!(tree, same, "{name}\n{other}");
            check(&other);
        }
    }
}

#[test]
fn the_layout_is_this() {
    let ugly = r##"//! Doc.
// first
language   ugly
use std.shape . { disc,box as b , }
start   S
canvas 128 x 64 rgb   on  #FFAA00 , centred // wide
goal pixels within 0.005 share 0.99
sample frontier size 2 ..= 8 by weight // small


mutate small 2 by rule
// about tokens
/// One.
token A = 0 ..= 15   step 5
token LongName = "a" -> 1 | "b"->2 @weight ( 3 ) | "c" // last
token R = real -1..=1 step 0.5 ~ normal ( 0.5,1 )
token T = /a\/[b]/ length 1..=3
sort Op { Add = "+" Sub="-" }
sort S { @cost(7) @weight(2) @primitive Circle = "(" r : A ")"
  // odd
  Quad="\"q\\"  xs : S * sep "," @weight(0.5) ~ y:A? // trailing
  /// Documented.
  Bare infix left { Plus="+" } infix right{Pow="^"}

  prefix { Neg = "-" ~ of:S
  } // end
  // before the brace
}
draw S -> [ Drawing ] ? {
  Circle=>disc( 8*r )|>shift( 1 ,2 )  Quad => match r { 0=>a,1 => -b
    _ => c }, Plus => a_long_function_name(first_argument, second_argument) + another_function_name(third_argument)
  Pow => a
    + b - c
    // why
    + d
}
fn f(x:Num,y:[Num])->Num=if x>1 then let z = 2 in z else not (x,y) . x
builtin fn g ( ) -> Num
rewrite S { a : `x` => `y` where u = 1 , v = 2 if u > v
  longer: `x` <=> `y` }
example e = `(  x )`
// the end"##;
    let nice = r##"//! Doc.
// first
language ugly
use std.shape.{disc, box as b}
start  S
canvas 128 x 64 rgb on #ffaa00, centred  // wide
goal   pixels within 0.005 share 0.99
sample frontier size 2..=8 by weight     // small

mutate small 2 by rule
// about tokens
/// One.
token A        = 0..=15 step 5
token LongName = "a" -> 1 | "b" -> 2 @weight(3) | "c"  // last
token R        = real -1..=1 step 0.5 ~ normal(0.5, 1)
token T        = /a\/[b]/ length 1..=3
sort Op { Add = "+"   Sub = "-" }

sort S {
    @primitive @weight(2) @cost(7) Circle = "(" r:A ")"
    // odd
    Quad = "\"q\\" xs:S* sep "," @weight(0.5) ~ y:A?  // trailing
    /// Documented.
    Bare
    infix left  { Plus = "+" }
    infix right { Pow = "^" }

    prefix {
        Neg = "-" ~ of:S
    }  // end
    // before the brace
}

draw S -> [Drawing]? {
    Circle => disc(8 * r) |> shift(1, 2)
    Quad   => match r {
        0 => a,
        1 => -b,
        _ => c,
    }
    Plus   =>
        a_long_function_name(first_argument, second_argument)
        + another_function_name(third_argument)
    Pow    =>
        a
        + b - c
        // why
        + d
}

fn f(x: Num, y: [Num]) -> Num = if x > 1 then let z = 2 in z else not (x, y).x
builtin fn g() -> Num

rewrite S {
    a:      `x` => `y` where u = 1, v = 2 if u > v
    longer: `x` <=> `y`
}

example e = `(  x )`
// the end
"##;
    assert_eq!(check(ugly), nice);
}
