//! Rules of numbers and texts.
//!
//! In: a word. Out: the rules that match it. Afterwards a text of the form `"..."` whose inside
//! has escapes or may hold line ends is matched by its ends, with the escapes marked; any other is
//! one match, which is as long as can be.

use serde_json::{Value, json};

use super::oniguruma::regex;
use super::{Word, names, order};
use crate::codegen::re::{Re, alt, cat, repeat};
use crate::grammar::ir::Grammar;

/// The rules of a word.
pub(super) fn rules(grammar: &Grammar, word: &Word) -> Vec<Value> {
    let scope = names::word(grammar, grammar.token(word.token), &word.re);
    if let Some(quoted) = Quoted::of(&word.re) {
        return vec![quoted.rule(grammar, &scope)];
    }
    let re = order::greedy(&word.re);
    vec![json!({ "name": scope, "match": regex(&re) })]
}

/// A text between marks that its inside cannot begin with.
struct Quoted {
    open: Re,
    inside: Vec<Re>,
    close: Re,
}

impl Quoted {
    fn of(re: &Re) -> Option<Quoted> {
        let Re::Cat(parts) = re else { return None };
        let at = parts.iter().position(|part| !is_text(part))?;
        let Re::Repeat {
            of,
            min: 0,
            max: None,
        } = &parts[at]
        else {
            return None;
        };
        let (open, close) = (&parts[..at], &parts[at + 1..]);
        if open.is_empty() || close.is_empty() || !close.iter().all(is_text) {
            return None;
        }
        let inside = match of.as_ref() {
            Re::Alt(ways) => ways.clone(),
            one => vec![one.clone()],
        };
        let close = cat(close.to_vec());
        let clash = meets(&of.first(), &close.first()) || of.is_nullable();
        let worth = has_line_end(of) || inside.iter().any(is_escape);
        (!clash && worth).then(|| Quoted {
            open: cat(open.to_vec()),
            inside,
            close,
        })
    }

    fn rule(&self, grammar: &Grammar, scope: &str) -> Value {
        let name = &grammar.name;
        let (escapes, plain): (Vec<Re>, Vec<Re>) = self.inside.iter().cloned().partition(is_escape);
        let mut patterns = Vec::new();
        if !escapes.is_empty() {
            let scope = format!("constant.character.escape.{name}");
            patterns.push(json!({ "name": scope, "match": regex(&alt(escapes)) }));
        }
        if !plain.is_empty() {
            patterns.push(json!({ "match": regex(&repeat(alt(plain), 1, None)) }));
        }
        let inside = alt(self.inside.clone());
        // What stands on one line is known to end before it begins.
        let ahead = if has_line_end(&inside) {
            String::new()
        } else {
            let rest = cat(vec![repeat(inside, 0, None), self.close.clone()]);
            format!("(?={})", regex(&rest))
        };
        json!({
            "name": scope,
            "begin": format!("{}{ahead}", regex(&self.open)),
            "end": regex(&self.close),
            "beginCaptures": { "0": { "name": format!("punctuation.definition.string.begin.{name}") } },
            "endCaptures": { "0": { "name": format!("punctuation.definition.string.end.{name}") } },
            "patterns": patterns,
        })
    }
}

/// One character and no other.
fn is_text(re: &Re) -> bool {
    matches!(re, Re::Chars(ranges) if matches!(ranges.as_slice(), [(lo, hi)] if lo == hi))
}

/// Whether it begins with a backslash.
fn is_escape(re: &Re) -> bool {
    matches!(re, Re::Cat(_)) && re.first() == [('\\', '\\')]
}

fn meets(a: &[(char, char)], b: &[(char, char)]) -> bool {
    let apart = |(lo, hi): &(char, char), (from, to): &(char, char)| hi < from || to < lo;
    a.iter().any(|x| b.iter().any(|y| !apart(x, y)))
}

fn has_line_end(re: &Re) -> bool {
    match re {
        Re::Chars(ranges) => meets(ranges, &[('\n', '\n')]),
        Re::Cat(parts) | Re::Alt(parts) => parts.iter().any(has_line_end),
        Re::Repeat { of, .. } => has_line_end(of),
    }
}
