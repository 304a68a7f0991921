//! Patterns of `match`: which cases they name, whether every case is covered, and whether every
//! arm can be reached.

use crate::diag::{Diagnostic, codes, nearest};
use crate::grammar::expr::{Case, Type};
use crate::meta::ast::{MatchArm, Pattern, PatternKind};
use crate::source::Span;

use super::check::Checker;
use super::scope::Cases;
use super::show;

/// The cases a type has.
enum Domain {
    /// These, as patterns are written, with what each becomes.
    Few(Vec<(String, Case)>),
    /// Numbers: any amount.
    Numbers,
    /// A mistake was reported: nothing is known.
    Unknown,
}

impl Checker<'_> {
    /// The case of each arm, `None` for one that was reported.
    pub(super) fn patterns(
        &mut self,
        span: Span,
        on: Span,
        ty: &Type,
        arms: &[MatchArm],
    ) -> Vec<Option<Case>> {
        let domain = self.domain(on, ty);
        let mut seen: Vec<(Case, Span)> = Vec::new();
        let mut cases = Vec::with_capacity(arms.len());
        let mut unclear = matches!(domain, Domain::Unknown);
        for arm in arms {
            let at = arm.pattern.span;
            let case = self.case(&arm.pattern, &domain, ty);
            unclear |= case.is_none();
            let earlier = case.as_ref().and_then(|case| {
                let same = |(other, _): &&(Case, Span)| *other == *case || *other == Case::Any;
                seen.iter().find(same).map(|(_, span)| *span)
            });
            if let Some(earlier) = earlier {
                self.report(
                    Diagnostic::new(
                        codes::E0612,
                        at,
                        "this arm is never reached",
                        "an earlier arm takes this case",
                    )
                    .label(earlier, "this one")
                    .help("take one of the two away"),
                );
            } else if case == Some(Case::Any) && !unclear && left_out(&domain, &seen).is_none() {
                self.report(
                    Diagnostic::new(
                        codes::W0601,
                        at,
                        "`_` is never reached",
                        "the arms before it take every case",
                    )
                    .help("take this arm away"),
                );
            }
            if let Some(case) = &case {
                seen.push((case.clone(), at));
            }
            cases.push(case);
        }
        let open = !seen.iter().any(|(case, _)| *case == Case::Any);
        if let (true, false, Some(missing)) = (open, unclear, left_out(&domain, &seen)) {
            let mut diagnostic = Diagnostic::new(
                codes::E0611,
                on,
                format!("this `match` does not say what happens for {missing}"),
                show::a_type(ty),
            )
            .help(format!(
                "add an arm for {missing}, or `_ => ...` for the rest"
            ));
            if arms.is_empty() {
                diagnostic = diagnostic.label(span, "no arms");
            }
            self.report(diagnostic);
        }
        cases
    }

    fn domain(&mut self, on: Span, ty: &Type) -> Domain {
        match ty {
            Type::Error => Domain::Unknown,
            Type::Num => Domain::Numbers,
            Type::Bool => Domain::Few(vec![
                ("true".to_string(), Case::Bool(true)),
                ("false".to_string(), Case::Bool(false)),
            ]),
            Type::Enum(name) => match self.scope.cases(name) {
                Some(Cases::Token(texts)) => Domain::Few(
                    (texts.iter().zip(0u32..))
                        .map(|(text, i)| (format!("{text:?}"), Case::Index(i)))
                        .collect(),
                ),
                Some(Cases::Sort(names)) => Domain::Few(
                    (names.iter())
                        .map(|(name, id)| (name.clone(), Case::Production(*id)))
                        .collect(),
                ),
                None => Domain::Unknown,
            },
            other => {
                let mut diagnostic = Diagnostic::new(
                    codes::E0609,
                    on,
                    format!("`match` cannot look into {}", show::a_type(other)),
                    show::a_type(other),
                )
                .note(
                    "`match` takes a choice (a token whose values are texts without `->`, or a \
                     sort without `draw`), a Num or a Bool",
                );
                let help = match other {
                    Type::Optional(_) => Some("`value ?? other` deals with absent values"),
                    Type::Color | Type::Point => Some("compare with `if value == ... then ...`"),
                    Type::Region | Type::Drawing => {
                        Some("what a part draws is all an arm sees of it, not how it was written")
                    }
                    _ => None,
                };
                if let Some(help) = help {
                    diagnostic = diagnostic.help(help);
                }
                self.report(diagnostic);
                Domain::Unknown
            }
        }
    }

    fn case(&mut self, pattern: &Pattern, domain: &Domain, ty: &Type) -> Option<Case> {
        let written = match &pattern.kind {
            PatternKind::Any => return Some(Case::Any),
            PatternKind::Name(name) => name.clone(),
            PatternKind::Str(text) => format!("{text:?}"),
            PatternKind::Number(value, text) => match domain {
                // Adding 0 makes -0 and 0 one case.
                Domain::Numbers => return Some(Case::Num(value + 0.0)),
                _ => text.clone(),
            },
        };
        let known = match domain {
            Domain::Unknown => return None,
            Domain::Few(cases) => cases.as_slice(),
            Domain::Numbers => &[],
        };
        if let Some((_, case)) = known.iter().find(|(name, _)| *name == written) {
            return Some(case.clone());
        }
        let mut diagnostic = Diagnostic::new(
            codes::E0610,
            pattern.span,
            format!("{} is never `{written}`", show::a_type(ty)),
            "no such case",
        );
        let names: Vec<String> = known.iter().map(|(name, _)| name.clone()).collect();
        diagnostic = if known.is_empty() {
            diagnostic.note("a pattern for a Num is a number or `_`")
        } else {
            diagnostic.note(format!("its cases: {}", names.join(", ")))
        };
        // A text without its quotes, or a name with them, is the nearest there is.
        let bare = |text: &str| text.trim_matches('"').to_string();
        let near = (names.iter())
            .find(|name| bare(name) == bare(&written))
            .map(String::as_str)
            .or_else(|| nearest(&written, names.iter().map(String::as_str)));
        if let Some(near) = near {
            diagnostic = diagnostic
                .help(format!("did you mean `{near}`?"))
                .fix(pattern.span, near);
        }
        self.report(diagnostic);
        None
    }
}

/// The cases no pattern names, as users write them; `None` when all are covered.
fn left_out(domain: &Domain, seen: &[(Case, Span)]) -> Option<String> {
    match domain {
        Domain::Unknown => None,
        Domain::Numbers => Some("other numbers".to_string()),
        Domain::Few(cases) => {
            let missing: Vec<String> = cases
                .iter()
                .filter(|(_, case)| seen.iter().all(|(other, _)| other != case))
                .map(|(name, _)| format!("`{name}`"))
                .collect();
            (!missing.is_empty()).then(|| show::shorten(&missing, ", ", 6))
        }
    }
}
