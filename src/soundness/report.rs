//! What is said about rules that were tested: diagnostics, and pictures of counterexamples.
//!
//! In: a [`Report`]. Out: E0806 and W0806 at the rules' places, panels. Afterwards a rule without
//! a diagnostic was not seen to fail.

use super::judge::{Judge, NoPicture};
use super::{Counterexample, Report, RuleReport};
use crate::compiled::Compiled;
use crate::diag::Diagnostic;
use crate::diag::codes::{E0806, W0806};
use crate::grammar::ir::Grammar;
use crate::grammar::rules::Rule;
use crate::grammar::syntax::Stands;
use crate::grammar::syntax::values::write_value;
use crate::render::{Picture, panels};
use crate::tree::{Program, print};

/// Longest program in a diagnostic, in characters.
const LONGEST: usize = 400;

/// A token's value as it is printed.
pub(super) fn value_text(grammar: &Grammar, stands: Stands, value: u32) -> String {
    let mut text = String::new();
    if let Stands::Token(token) = stands {
        write_value(&grammar.token(token).domain, value, &mut text);
    }
    text
}

impl Report {
    /// What is wrong: a rule whose sides differ, a rule that never applies.
    pub fn diagnostics(&self, compiled: &Compiled) -> Vec<Diagnostic> {
        let rules = compiled.rules.iter().zip(&self.rules);
        let said = rules.filter_map(|(rule, report)| match &report.counterexample {
            Some(found) => Some(differs(compiled, rule, report, found)),
            None if report.never_applies() => Some(idle(rule, report)),
            None => None,
        });
        said.collect()
    }

    /// Whether no rule has a counterexample.
    pub fn holds(&self) -> bool {
        self.rules.iter().all(|rule| rule.counterexample.is_none())
    }
}

fn differs(
    compiled: &Compiled,
    rule: &Rule,
    report: &RuleReport,
    found: &Counterexample,
) -> Diagnostic {
    let text = |program: &Program| {
        let text = print(&compiled.grammar, &compiled.syntax, program);
        match text.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{} ...", &text[..end]),
            None => text,
        }
    };
    let mut diagnostic = Diagnostic::new(
        E0806,
        rule.span,
        format!("rule `{}` does not hold", rule.name),
        "its sides can draw different pictures",
    );
    let bindings = found.bindings.iter();
    let bindings: Vec<String> = bindings
        .map(|(name, value)| format!("`?{name}` is `{value}`"))
        .collect();
    let with = match bindings.is_empty() {
        true => "such as these".to_string(),
        false => bindings.join(", "),
    };
    let (left, right) = found.programs();
    let place = match found.within {
        Some(_) => " (the sides stand within a larger program)",
        None => "",
    };
    diagnostic = diagnostic
        .note(format!("where {with}{place}:"))
        .note(format!("left:  {}", text(left)))
        .note(format!("right: {}", text(right)))
        .note(format!(
            "{}; so do {} of {} instances",
            how(found),
            report.differing,
            report.instances
        ));
    diagnostic.help(
        "say with `if` for which values the rule holds, or mend a side; `tdc check -o DIR` writes \
         both pictures",
    )
}

fn how(found: &Counterexample) -> String {
    match found.difference.pixels {
        0 => "the pictures differ in colour".to_string(),
        1 => "the pictures differ in one pixel".to_string(),
        n => format!("the pictures differ in {n} pixels"),
    }
}

fn idle(rule: &Rule, report: &RuleReport) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        W0806,
        rule.span,
        format!("rule `{}` never applied", rule.name),
        format!(
            "not in sampled programs, and not for any of {} guesses of what its metavariables are",
            report.guesses
        ),
    );
    match (rule.condition.is_some(), rule.lets.is_empty()) {
        (true, _) => diagnostic.help("look whether its `if` can be true"),
        (false, false) => {
            diagnostic.help("look whether its `where` can stay among the values of the tokens")
        }
        _ => diagnostic,
    }
}

impl Counterexample {
    /// The pictures of both sides, and where they differ.
    ///
    /// # Errors
    ///
    /// When one cannot be drawn.
    pub fn panels(&self, compiled: &Compiled) -> Result<Picture, NoPicture> {
        let (left, right) = self.programs();
        let [left, right] = match Judge::new(compiled) {
            Some(mut judge) => judge.pictures(left, right)?,
            None => [Picture::default(), Picture::default()],
        };
        let difference = panels::spotted(&left, &right);
        Ok(panels::side_by_side(&[
            ("left", &left),
            ("right", &right),
            ("difference", &difference),
        ]))
    }
}
