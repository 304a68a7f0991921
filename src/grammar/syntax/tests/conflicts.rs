//! Grammars that are refused, with their witnesses.

use super::*;

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
