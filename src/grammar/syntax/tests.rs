//! Tables, conflicts, spaces and samplers on small grammars.

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

#[test]
fn words_that_share_a_text_at_one_place_are_reported() {
    let diagnostic = only(
        r#"
        token Name text 1 3 [a-z]+
        token Hex text 1 3 [0-9a-f]+
        sort Top
          A = name:Name
          B = hex:Hex
    "#,
    );
    assert_eq!(diagnostic.code.as_str(), "E0503");
    assert!(
        diagnostic.message.starts_with("`a` can be Name or Hex"),
        "{diagnostic:#?}"
    );
    // At different places they may overlap.
    let (grammar, syntax) = language(
        r##"
        token Name text 1 3 [a-z]+
        token Hex text 1 3 [0-9a-f]+
        sort Top
          A = name:Name
          B = "#" ~ hex:Hex
    "##,
    );
    for text in ["abc", "#abc", "#12"] {
        let program = parse(&grammar, &syntax, text).unwrap();
        assert_eq!(print(&grammar, &syntax, &program), text);
    }
}

#[test]
fn unsafe_glue_is_reported() {
    let diagnostic = only(
        r#"
        token N int -9 9 1
        sort E
          Lit = n:N
          Neg = "-" ~ of:E
    "#,
    );
    assert_eq!(diagnostic.code.as_str(), "E0504");
    assert!(diagnostic.notes[0].contains("`-0`"), "{diagnostic:#?}");
    let all = mistakes(
        r#"
        token A text 1 2 [a-z]+
        sort Top
          Top = a:A ~ b:A
    "#,
    );
    assert!(all.iter().any(|d| d.code.as_str() == "E0504"), "{all:#?}");
    // A word that runs on over a space.
    let diagnostic = only(
        r#"
        token A text 1 2 [a-z][a-z ]*
        sort Top
          Top = a:A b:A
    "#,
    );
    assert_eq!(diagnostic.code.as_str(), "E0504");
    assert!(
        diagnostic.message.contains("with a space"),
        "{diagnostic:#?}"
    );
}

#[test]
fn brackets_get_a_space_where_they_need_one() {
    let text = r#"
        sort Top
          Call = "f" "(" a:Top? ")"
          Unit = "()"
          Array = "[" a:Inner "]"
        sort Inner
          Inner = "[" a:Top "]"
          Double = "[["
    "#;
    identity(text, "f ( )");
    identity(text, "f (f (()))");
    identity(text, "[ [[]");
    identity(text, "[ [()]]");
}

#[test]
fn unusable_words_are_reported() {
    for (text, code) in [
        ("token A text 1 2 \\s?a\n sort T\n T = a:A", "E0505"),
        ("token A text 5 6 ab?\n sort T\n T = a:A", "E0506"),
        ("token A text 1 6 é+\n sort T\n T = a:A", "E0506"),
        (
            "token A text 1 6 ab?\n sort T\n T = a:A\n U = \"a\" \"ab\"",
            "E0506",
        ),
        (
            "token A text 1 2 (\\w{1,500}){1,500}\n sort T\n T = a:A",
            "E0507",
        ),
    ] {
        let all = mistakes(text);
        assert!(
            all.iter().any(|d| d.code.as_str() == code),
            "{text}\n{all:#?}"
        );
    }
}

/// States may double with every production (a textbook case); the tables must give up in time.
#[test]
fn exploding_tables_are_refused() {
    let mut text = String::from("sort S\n");
    for i in 0..40 {
        text.push_str(&format!("  P{i} = \"a{i}\" rest:X{i}\n"));
    }
    for i in 0..40 {
        text.push_str(&format!("sort X{i}\n"));
        for j in 0..40 {
            if i != j {
                text.push_str(&format!("  Q{i}x{j} = \"a{j}\" rest:X{i}\n"));
            }
        }
        text.push_str(&format!("  R{i} = \"b{i}\"\n"));
    }
    let mut sink = Sink::new();
    Syntax::build(&grammar(&text), &mut sink);
}

#[test]
fn texts_are_sampled_uniformly_by_length_then_by_string() {
    let (_, syntax) = language(
        r#"
        token A text 1 3 [ab]|[abc]{2}|x{3}|if
        sort T
          T = a:A
          U = "b" "if"
    "#,
    );
    let sampler = syntax.sampler(TokenId(0)).unwrap();
    assert_eq!(sampler.lengths(), [1, 2, 3]);
    assert_eq!(
        [1, 2, 3].map(|n| sampler.count(n)),
        // "b" and "if" are reserved.
        [1.0, 9.0, 1.0]
    );
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let mut counts = std::collections::BTreeMap::new();
    for _ in 0..33_000 {
        *counts.entry(sampler.sample(&mut rng)).or_insert(0u32) += 1;
    }
    assert_eq!(counts.len(), 11);
    for (text, count) in counts {
        let expected = if text.len() == 2 { 33_000 / 27 } else { 11_000 };
        let off = f64::from(count) - f64::from(expected);
        // Five standard deviations.
        assert!(
            off.abs() < 5.0 * f64::from(expected).sqrt(),
            "{text}: {count}"
        );
    }
}

#[test]
fn long_texts_do_not_overflow_counts() {
    let (_, syntax) = language("token A text 400 400 [a-z]+\n sort T\n T = a:A");
    let sampler = syntax.sampler(TokenId(0)).unwrap();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let text = sampler.sample(&mut rng);
    assert_eq!(text.len(), 400);
    assert!(text.bytes().all(|b| b.is_ascii_lowercase()));
    let distinct: std::collections::BTreeSet<u8> = text.bytes().collect();
    assert_eq!(distinct.len(), 26);
}

/// Random short sentences, and what one random word changes of them: the tables and the chart
/// parser must agree on which are programs, and on the programs.
#[test]
fn tables_agree_with_the_chart_parser() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
    for text in [CSG, ARITH, JSON, LISTS] {
        let (grammar, syntax) = language(text);
        let words: Vec<String> = (0..syntax.bnf.terminals.len())
            .map(|i| match &syntax.bnf.terminals[i] {
                Terminal::Literal(literal) => grammar.literal(*literal).to_string(),
                Terminal::Int => "1".to_string(),
                Terminal::Real => "0.5".to_string(),
                Terminal::Text(token) => syntax.sampler(*token).unwrap().sample(&mut rng),
            })
            .collect();
        let (mut accepted, mut refused) = (0, 0);
        for _ in 0..600 {
            let mut sentence = derive(&syntax, &mut rng);
            if rng.random_bool(0.5) && !sentence.is_empty() {
                let at = rng.random_range(0..sentence.len());
                match rng.random_range(0..3u8) {
                    0 => drop(sentence.remove(at)),
                    1 => sentence[at] = rng.random_range(0..words.len()),
                    _ => sentence.insert(at, rng.random_range(0..words.len())),
                }
            }
            let written: Vec<&str> = sentence.iter().map(|t| words[*t].as_str()).collect();
            let written = written.join(" ");
            let by_tables = parse(&grammar, &syntax, &written);
            let by_chart = chart_parse(&grammar, &syntax, &written);
            match by_tables {
                Ok(program) => {
                    accepted += 1;
                    assert_eq!(by_chart, vec![program.clone()], "{written}");
                    let printed = print(&grammar, &syntax, &program);
                    assert_eq!(parse(&grammar, &syntax, &printed), Ok(program), "{written}");
                }
                Err(error) => {
                    refused += 1;
                    assert!(by_chart.is_empty(), "{written}: {error}");
                }
            }
        }
        assert!(accepted > 100 && refused > 50, "{accepted} {refused}");
    }
}

/// Every reading the chart parser has, two at most.
fn chart_parse(grammar: &Grammar, syntax: &Syntax, text: &str) -> Vec<Program> {
    let (mut words, mut at, mut budget) = (Vec::new(), 0, Budget::of(text));
    while let Some(lexeme) = syntax.lexer.next(text, at, &mut budget).unwrap() {
        at = lexeme.end;
        words.push(Word::Lexeme {
            terms: lexeme.terms.to_vec(),
            start: lexeme.start as u32,
            end: lexeme.end as u32,
        });
    }
    let chart = Chart::new(grammar, &syntax.bnf, Nt(0), &words, 2).unwrap();
    (0..2)
        .filter_map(|rank| chart.steps(rank))
        .filter_map(|steps| {
            // What is outside its token's domain is no program.
            let mut parser = crate::tree::Parser::new(grammar, syntax);
            parser.assemble(&steps, text).ok()
        })
        .collect()
}

/// A random sentence, as terminals.
fn derive(syntax: &Syntax, rng: &mut Xoshiro256PlusPlus) -> Vec<usize> {
    loop {
        let mut todo = vec![Symbol::N(Nt(0))];
        let mut sentence = Vec::new();
        while let Some(symbol) = todo.pop() {
            match symbol {
                Symbol::T(term) => sentence.push(term.index()),
                Symbol::N(nt) => {
                    let of = &syntax.bnf.of[nt.index()];
                    let rule = of[rng.random_range(0..of.len())];
                    let rhs = &syntax.bnf.productions[rule.index()].rhs;
                    todo.extend(rhs.iter().rev().map(|p| p.symbol));
                }
            }
            if sentence.len() + todo.len() > 40 {
                break;
            }
        }
        if todo.is_empty() {
            return sentence;
        }
    }
}
