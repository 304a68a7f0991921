//! Tables, conflicts, spaces and samplers on small grammars.

mod conflicts;
mod oracle;

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::bnf::{Nt, Symbol, Terminal};
use super::chart::{Chart, Word};
use super::lexer::Budget;
use super::testing::{grammar, language, mistakes};
use super::*;
use crate::grammar::ids::TokenId;
use crate::tree::{Program, parse, print, print_spans};

pub(super) const CSG: &str = r#"
    token Coord int 0 15 1
    token Angle int 0 315 45
    sort Shape
      Circle = "(" "Circle" r:Coord x:Coord y:Coord ")"
      Quad = "(" "Quad" x:Coord y:Coord w:Coord h:Coord theta:Angle ")"
      Combine = "(" op:Op a:Shape b:Shape ")"
    sort Op
      Add = "+"
      Sub = "-"
"#;

pub(super) const ARITH: &str = r#"
    token Number int 0 999 1
    token Variable finite x y z
    sort Expr
      Lit = value:Number
      Var = name:Variable
      Paren = "(" inner:Expr ")"
      table left
      Add = "+"
      Sub = "-"
      table left
      Mul = "*"
      Div = "/"
      table prefix
      Neg = "-" ~ of:Expr
      table right
      Pow = "^"
"#;

pub(super) const JSON: &str = r#"
    token Text text 2 6 "([^"\\\x00-\x1f]|\\["\\\/bfnrt])*"
    token Number text 1 8 -?(0|[1-9][0-9]{0,8})(\.[0-9]{1,4})?
    sort Value
      Object = "{" members:Member* sep "," "}"
      Array = "[" items:Value* sep "," "]"
      Str = text:Text
      Num = number:Number
      True = "true"
      False = "false"
      Null = "null"
    sort Member
      Member = key:Text ~ ":" value:Value
"#;

const LISTS: &str = r#"
    token N int -5 5 1
    token R real -1 1 0.25 2
    token Name text 1 3 [a-z]+
    sort Top
      Top = "top" a:N* b:Item+ sep ";" c:Opt? d:R* sep "," "|" e:N? f:Name? "end"
    sort Item
      Item = name:Name "=" value:N? "."
    sort Opt
      Opt = "<" ~ inner:Name* ~ ">"
"#;

fn names(grammar: &Grammar, program: &Program) -> String {
    let name = |n: &crate::tree::Node| grammar.production(n.production).name.clone();
    let all: Vec<String> = program.nodes().iter().map(name).collect();
    all.join(" ")
}

fn identity(text: &str, program: &str) {
    let (grammar, syntax) = language(text);
    let parsed = parse(&grammar, &syntax, program).unwrap_or_else(|e| panic!("{program}: {e}"));
    assert!(parsed.is_valid(&grammar));
    let printed = print(&grammar, &syntax, &parsed);
    assert_eq!(printed, program);
    assert_eq!(parse(&grammar, &syntax, &printed).unwrap(), parsed);
}

#[test]
fn reads_and_prints_csg() {
    identity(
        CSG,
        "(- (Circle 8 8 8) (+ (Quad 1 2 3 4 315) (Circle 4 8 15)))",
    );
    let (grammar, syntax) = language(CSG);
    let program = parse(&grammar, &syntax, "(+(Circle 1 2 3)\n\t(Circle 4 5 6))").unwrap();
    assert_eq!(
        names(&grammar, &program),
        "Combine Add Circle Coord Coord Coord Circle Coord Coord Coord"
    );
    assert_eq!(program.size(), 10);
}

#[test]
fn operators_bind_as_their_tables_say() {
    let (grammar, syntax) = language(ARITH);
    for (text, expected) in [
        ("1 + 2 * 3", "Add Lit Number Mul Lit Number Lit Number"),
        ("1 - 2 - 3", "Sub Sub Lit Number Lit Number Lit Number"),
        (
            "x ^ y ^ z",
            "Pow Var Variable Pow Var Variable Var Variable",
        ),
        ("-x ^ 2", "Neg Pow Var Variable Lit Number"),
        ("--x * 1", "Mul Neg Neg Var Variable Lit Number"),
        (
            "(1 + 2) * 3",
            "Mul Paren Add Lit Number Lit Number Lit Number",
        ),
    ] {
        let program = parse(&grammar, &syntax, text).unwrap();
        assert_eq!(names(&grammar, &program), expected, "{text}");
        assert_eq!(print(&grammar, &syntax, &program), text);
    }
    assert!(parse(&grammar, &syntax, "2 ^ -3").is_err());
}

#[test]
fn lists_and_options_become_hidden_nodes() {
    let (grammar, syntax) = language(LISTS);
    let program = parse(&grammar, &syntax, "top a = . | end").unwrap();
    assert_eq!(
        names(&grammar, &program),
        "Top Nil Cons Item Name None Nil None Nil None None"
    );
    identity(
        LISTS,
        "top 1 -2 a = 3 .; b = . <x y> 0.25, -1, 0.5 | 5 abc end",
    );
    identity(LISTS, "top a = . <> | end");
}

#[test]
fn reads_and_prints_json() {
    identity(
        JSON,
        r#"{"a": [1, -2.5, {}, []], "b\n": {"c": null}, "d": "x, y"}"#,
    );
    identity(JSON, "[]");
}

#[test]
fn spans_cover_each_nodes_text() {
    let (grammar, syntax) = language(ARITH);
    let program = parse(&grammar, &syntax, "1 + (x * 22)").unwrap();
    let (text, spans) = print_spans(&grammar, &syntax, &program);
    let parts: Vec<&str> = spans.iter().map(|s| &text[s.clone()]).collect();
    assert_eq!(
        parts,
        [
            "1 + (x * 22)",
            "1",
            "1",
            "(x * 22)",
            "x * 22",
            "x",
            "x",
            "22",
            "22"
        ]
    );
}

#[test]
fn deep_programs_need_no_stack() {
    let (grammar, syntax) = language(ARITH);
    let deep = format!("{}1{}", "(".repeat(100_000), ")".repeat(100_000));
    let program = parse(&grammar, &syntax, &deep).unwrap();
    assert_eq!(print(&grammar, &syntax, &program), deep);
    let open = "(".repeat(100_000);
    assert!(parse(&grammar, &syntax, &open).is_err());
    let right = format!("{}1", "1 ^ ".repeat(100_000));
    assert_eq!(
        parse(&grammar, &syntax, &right).map(|p| p.len()),
        Ok(300_002)
    );
    // The mistake is behind a hundred thousand reductions that the last word asks for.
    assert!(parse(&grammar, &syntax, &format!("{right} )")).is_err());
}

#[test]
fn long_texts_take_linear_time_or_are_refused() {
    let (grammar, syntax) = language(CSG);
    let text = " ".repeat(crate::tree::parse::MAX_PROGRAM_BYTES + 1);
    assert!(parse(&grammar, &syntax, &text).is_err());
    // Every lexeme looks ahead to the end of the text.
    let (grammar, syntax) = language(
        r#"
        token Far text 2 4 a+b
        sort Top
          Top = items:Item*
        sort Item
          A = "a"
          B = far:Far
    "#,
    );
    let text = "a".repeat(100_000);
    let error = parse(&grammar, &syntax, &text).unwrap_err();
    assert_eq!(
        error.diagnostic(crate::source::FileId(0), 0).code.as_str(),
        "E0904"
    );
    assert_eq!(parse(&grammar, &syntax, "a a aab a").unwrap().len(), 11);
}

#[test]
fn mistakes_in_programs_are_told_in_the_users_words() {
    let told = |language_text: &str, program: &str| {
        let (grammar, syntax) = language(language_text);
        let error = parse(&grammar, &syntax, program).unwrap_err();
        format!("{}: {error}", error.start)
    };
    assert_eq!(
        told(CSG, "(Circle 1 2"),
        "11: expected a Coord (0..=15), found the end of the program"
    );
    assert_eq!(
        told(CSG, "(Circle 1 2 16)"),
        "12: `16` is not a Coord (0..=15)"
    );
    assert_eq!(
        told(CSG, "(Quad 1 2 3 4 50)"),
        "14: `50` is not an Angle (0..=315 step 45)"
    );
    assert_eq!(
        told(CSG, ""),
        "0: expected a Shape, found the end of the program"
    );
    assert_eq!(
        told(CSG, "(Circle 1 2 3) x"),
        "15: no word of the language begins with `x`"
    );
    assert_eq!(
        told(CSG, "(Circle 1 2 3))"),
        "14: expected the end of the program, found `)`"
    );
    assert_eq!(
        told(CSG, "(+ (Circle 1 2 3) 4)"),
        "18: expected a Shape, found `4`"
    );
    assert_eq!(told(ARITH, "1 + * 2"), "4: expected an Expr, found `*`");
    assert_eq!(
        told(ARITH, "(1 2)"),
        "3: expected `)`, `+`, `-`, `*`, `/` or `^`, found `2`"
    );
    assert_eq!(
        told(CSG, "(Circle 99999999999999999999 2 3)"),
        "8: `99999999999999999999` is not a Coord (0..=15)"
    );
    let (grammar, syntax) = language(CSG);
    let error = parse(&grammar, &syntax, "(Quad 1 2 3 4 50)").unwrap_err();
    let diagnostic = error.diagnostic(crate::source::FileId(0), 100);
    assert_eq!(diagnostic.fix.unwrap().replacement, "45");
    assert_eq!(diagnostic.primary.span.start, 114);
}

#[test]
fn reserved_words_are_explained() {
    let (grammar, syntax) = language(
        r#"
        token Name text 1 4 [a-z]+
        sort Top
          Let = "let" name:Name
    "#,
    );
    let error = parse(&grammar, &syntax, "let let").unwrap_err();
    let diagnostic = error.diagnostic(crate::source::FileId(0), 0);
    assert!(diagnostic.notes[0].contains("belongs to the language"));
}

fn only(text: &str) -> Diagnostic {
    let mut all = mistakes(text);
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

#[test]
fn an_operator_without_a_table_is_ambiguous() {
    let diagnostic = only(
        r#"
        token N int 0 9 1
        sort E
          Lit = n:N
          Add = a:E "+" b:E
    "#,
    );
    assert_eq!(diagnostic.code.as_str(), "E0501");
    assert!(
        diagnostic.message.contains("`0 + 0 + 0`"),
        "{diagnostic:#?}"
    );
    let readings = diagnostic.notes.join("\n");
    assert!(
        readings.contains("[Add [Add [Lit 0] + [Lit 0]] + [Lit 0]]"),
        "{readings}"
    );
    assert!(
        readings.contains("[Add [Lit 0] + [Add [Lit 0] + [Lit 0]]]"),
        "{readings}"
    );
    assert!(diagnostic.help.unwrap().contains("infix"));
}

#[test]
fn a_dangling_else_is_ambiguous() {
    let diagnostic = only(
        r#"
        sort S
          If = "if" then:S otherwise:Else?
          Skip = "skip"
        sort Else
          Else = "else" body:S
    "#,
    );
    assert_eq!(diagnostic.code.as_str(), "E0501");
    assert!(
        diagnostic.message.contains("`if if skip else skip`"),
        "{diagnostic:#?}"
    );
}

#[test]
fn empty_items_and_hidden_left_recursion_are_ambiguous() {
    for text in [
        // The empty item of a list.
        "sort Top\n Top = items:Item*\n sort Item\n Item =",
        // An option of something that may be empty.
        "sort Top\n Top = item:Item?\n sort Item\n Item = \n X = \"x\"",
        // A unit cycle.
        "sort A\n X = \"x\"\n Same = a:B\n sort B\n Back = a:A",
        // Hidden left recursion.
        "sort A\n X = \"x\"\n More = e:Opt? a:A \"y\"\n sort Opt\n Opt = \"o\"\n Empty =",
        // Two productions with the same text.
        "sort A\n X = \"x\"\n Y = \"x\"",
        // Two lists next to each other.
        "sort A\n Two = a:B* b:B*\n sort B\n B = \"b\"",
    ] {
        let all = mistakes(text);
        assert!(
            all.iter().any(|d| d.code.as_str() == "E0501"),
            "{text}\n{all:#?}"
        );
    }
}

#[test]
fn long_look_ahead_is_told_apart_from_ambiguity() {
    let diagnostic = only(
        r#"
        sort Top
          X = a:A "c" "d"
          Y = b:B "c" "e"
        sort A
          A = "a"
        sort B
          B = "a"
    "#,
    );
    assert_eq!(diagnostic.code.as_str(), "E0502");
    assert!(diagnostic.message.contains("after `a`"), "{diagnostic:#?}");
    assert!(diagnostic.message.contains("`c`"), "{diagnostic:#?}");
}

#[test]
fn lists_of_different_least_length_do_not_compete() {
    // One word after the items tells; a parser that had to choose the kind of list first
    // would fail.
    language(
        r#"
        sort Top
          X = a:B* "x"
          Y = a:B+ "y"
        sort B
          B = "b"
    "#,
    );
    // The optional word in front is decided late.
    language(
        r#"
        token Name text 1 3 [a-z]+
        sort Top
          Field = vis:Vis? name:Name ":"
          Assign = name:Name "="
        sort Vis
          Pub = "pub"
    "#,
    );
}
