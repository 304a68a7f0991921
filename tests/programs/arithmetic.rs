//! Arithmetic, against a parser of another kind: Dijkstra's two stacks, written from the table of
//! strengths in `grammars/arith.tdg` alone.

use tdc::Compiled;
use tdc::sample::{Sampler, stream};

/// Reads `text` into full brackets: `1 + 2 * 3` is `(1+(2*3))`.
fn two_stacks(text: &str) -> Option<String> {
    // Strength, and whether to the right; `~` is the minus in front.
    let strength = |op: char| match op {
        '+' | '-' => (1, false),
        '*' | '/' => (2, false),
        '~' => (3, true),
        _ => (4, true),
    };
    fn fold(values: &mut Vec<String>, op: char) -> Option<()> {
        let right = values.pop()?;
        let value = if op == '~' {
            format!("(~{right})")
        } else {
            format!("({}{op}{right})", values.pop()?)
        };
        values.push(value);
        Some(())
    }
    let (mut values, mut ops): (Vec<String>, Vec<char>) = (Vec::new(), Vec::new());
    let mut wants_value = true;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            ' ' => {}
            '0'..='9' if wants_value => {
                let mut number = String::from(c);
                while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                    number.push(digit);
                }
                // `007` is 7.
                values.push(number.parse::<u64>().ok()?.to_string());
                wants_value = false;
            }
            'x' | 'y' | 'z' if wants_value => {
                values.push(c.to_string());
                wants_value = false;
            }
            '(' if wants_value => ops.push('('),
            ')' if !wants_value => loop {
                match ops.pop()? {
                    '(' => {
                        let inner = values.pop()?;
                        values.push(format!("[{inner}]"));
                        break;
                    }
                    op => fold(&mut values, op)?,
                }
            },
            '-' if wants_value => {
                // A sign behind `^` needs brackets in this language.
                if ops.last() == Some(&'^') {
                    return None;
                }
                ops.push('~');
            }
            '+' | '-' | '*' | '/' | '^' if !wants_value => {
                let (own, right) = strength(c);
                while let Some(&top) = ops.last().filter(|top| **top != '(') {
                    let (other, _) = strength(top);
                    if other < own || (other == own && right) {
                        break;
                    }
                    ops.pop();
                    fold(&mut values, top)?;
                }
                ops.push(c);
                wants_value = true;
            }
            _ => return None,
        }
    }
    if wants_value {
        return None;
    }
    while let Some(op) = ops.pop() {
        if op == '(' {
            return None;
        }
        fold(&mut values, op)?;
    }
    (values.len() == 1).then(|| values.remove(0))
}

/// The same from tdc's program: its nodes in preorder, folded from the back.
fn bracketed(arith: &Compiled, text: &str) -> Option<String> {
    let program = arith.parse(text).ok()?;
    let (printed, spans) = tdc::tree::print_spans(&arith.grammar, &arith.syntax, &program);
    let mut values: Vec<String> = Vec::new();
    for (node, span) in program.nodes().iter().zip(&spans).rev() {
        let value = match arith.grammar.production(node.production).name.as_str() {
            "Number" | "Variable" => printed[span.clone()].to_string(),
            "Lit" | "Var" => continue,
            "Paren" => format!("[{}]", values.pop()?),
            "Neg" => format!("(~{})", values.pop()?),
            name => {
                let op = match name {
                    "Add" => '+',
                    "Sub" => '-',
                    "Mul" => '*',
                    "Div" => '/',
                    _ => '^',
                };
                format!("({}{op}{})", values.pop()?, values.pop()?)
            }
        };
        values.push(value);
    }
    (values.len() == 1).then(|| values.remove(0))
}

#[test]
fn operators_bind_as_elsewhere() {
    let arith = super::language("arith");
    for (text, brackets) in [
        ("1+2*3", "(1+(2*3))"),
        ("1-2-3", "((1-2)-3)"),
        ("2^3^2", "(2^(3^2))"),
        ("-2^2", "(~(2^2))"),
        ("-x*y", "((~x)*y)"),
        ("(1+2)*3", "([(1+2)]*3)"),
    ] {
        assert_eq!(bracketed(&arith, text).as_deref(), Some(brackets), "{text}");
        assert_eq!(two_stacks(text).as_deref(), Some(brackets), "{text}");
    }
}

#[test]
fn samples_and_damaged_samples_are_read_alike() {
    let arith = super::language("arith");
    let sampler = Sampler::new(&arith, arith.grammar.sample).unwrap();
    let (mut read, mut refused) = (0, 0);
    for item in 0..5_000u64 {
        let mut text = arith.print(&sampler.sample(&mut stream(5, item)));
        assert_eq!(bracketed(&arith, &text), two_stacks(&text), "{text}");
        // Another character somewhere.
        let at = (item as usize * 7) % text.len();
        let other = ["+", "-", "*", "^", "(", ")", "1", " "][item as usize % 8];
        text.replace_range(at..=at, other);
        // Numbers past 999 are words of the language but no values.
        if text
            .split(|c: char| !c.is_ascii_digit())
            .any(|n| n.len() > 3)
        {
            continue;
        }
        let (a, b) = (bracketed(&arith, &text), two_stacks(&text));
        assert_eq!(a, b, "{text}");
        *(if a.is_some() { &mut read } else { &mut refused }) += 1;
    }
    assert!(read > 500 && refused > 500, "{read} {refused}");
}
