//! Makes brackets pair before the parser sees them.
//!
//! In: the tokens of a file. Out: tokens in which every bracket has its partner, none nested more
//! than [`DEEPEST`] deep, and diagnostics `E0106` and `E0108`. Afterwards a bracket that is not
//! closed is closed by an invented token (its span is empty), and one that closes nothing is
//! gone. A file whose brackets pair is not changed.

use super::token::{Kind, Lead, Source, Token};
use crate::diag::{Diagnostic, codes};
use crate::source::Span;

/// The deepest that brackets and expressions may be nested.
pub(crate) const DEEPEST: usize = 200;

/// Pairs the brackets. The layout of the text says where a missing one belongs.
pub(crate) fn pair(
    source: Source<'_>,
    tokens: Vec<Token>,
    report: &mut dyn FnMut(Diagnostic),
) -> Vec<Token> {
    if pairs(&tokens) {
        return tokens;
    }
    let mut repair = Repair {
        source,
        open: Vec::new(),
        out: Vec::with_capacity(tokens.len() + 8),
        report,
    };
    repair.run(&tokens);
    repair.out
}

fn pairs(tokens: &[Token]) -> bool {
    let mut open = Vec::new();
    for token in tokens {
        if let Some(closer) = token.kind.closer() {
            open.push(closer);
            if open.len() > DEEPEST {
                return false;
            }
        } else if token.kind.closes() && open.pop() != Some(token.kind) {
            return false;
        }
    }
    open.is_empty()
}

struct Open {
    closer: Kind,
    token: Token,
    /// Indentation of its line.
    indent: usize,
}

struct Repair<'a> {
    source: Source<'a>,
    open: Vec<Open>,
    out: Vec<Token>,
    report: &'a mut dyn FnMut(Diagnostic),
}

impl Repair<'_> {
    fn run(&mut self, tokens: &[Token]) {
        let mut indent = 0;
        // Too deep: everything up to the next declaration is left out.
        let mut skipping = false;
        for &token in tokens {
            if token.first {
                indent = self.source.column(token.span.start);
            }
            if token.item() || token.kind == Kind::End {
                // A declaration no deeper than an open bracket's line ends what is open.
                let keep = match token.kind {
                    Kind::End => 0,
                    _ => self
                        .open
                        .iter()
                        .position(|open| open.indent >= indent)
                        .unwrap_or(self.open.len()),
                };
                self.close_down_to(keep, !skipping, self.out.len());
                skipping &= keep > 0;
            }
            if skipping {
                continue;
            }
            if let Some(closer) = token.kind.closer() {
                if self.open.len() == DEEPEST {
                    skipping = true;
                    (self.report)(too_deep(token.span));
                    continue;
                }
                self.open.push(Open {
                    closer,
                    token,
                    indent,
                });
            } else if token.kind.closes() {
                if !self.close(token, indent) {
                    continue;
                }
            } else if token.kind == Kind::FatArrow {
                self.arm();
            } else if token.kind == Kind::Arrow {
                self.result();
            }
            self.out.push(token);
        }
    }

    /// Handles a closing bracket; false when it closes nothing.
    fn close(&mut self, token: Token, indent: usize) -> bool {
        let fits = |open: &Open| open.closer == token.kind;
        let inner = self.open.iter().rposition(fits);
        // A `}` at the start of a line to the left of the innermost block's line belongs to the
        // block whose line starts where it stands.
        let by_layout = || {
            let top = self.open.last()?;
            let leftmost = token.kind == Kind::RBrace && token.first && indent < top.indent;
            leftmost.then(|| {
                self.open
                    .iter()
                    .rposition(|o| fits(o) && o.indent == indent)
            })?
        };
        match by_layout().or(inner) {
            Some(at) => {
                self.close_down_to(at + 1, true, self.out.len());
                self.open.pop();
                true
            }
            None if self
                .open
                .last()
                .is_some_and(|top| top.closer != Kind::RBrace)
                && token.kind != Kind::RBrace =>
            {
                self.wrong_kind(token);
                false
            }
            None => {
                let mut error = Diagnostic::new(
                    codes::E0106,
                    token.span,
                    format!("{} closes nothing", token.kind.shown()),
                    "no bracket is open here that it could close",
                );
                if let Some(top) = self.open.last() {
                    error = error.label(
                        top.token.span,
                        format!(
                            "the innermost open bracket waits for {}",
                            top.closer.shown()
                        ),
                    );
                }
                (self.report)(error.help("leave it out").fix(token.span, ""));
                false
            }
        }
    }

    /// Reports a bracket closed by one of another kind, and closes it with the right one.
    fn wrong_kind(&mut self, token: Token) {
        let Some(open) = self.open.pop() else { return };
        let closer = open.closer.shown();
        (self.report)(
            Diagnostic::new(
                codes::E0106,
                token.span,
                format!(
                    "{} cannot close {}",
                    token.kind.shown(),
                    open.token.kind.shown()
                ),
                format!("expected {closer}"),
            )
            .label(open.token.span, "opened here")
            .fix(token.span, closer.trim_matches('`')),
        );
        self.out.push(Token {
            kind: open.closer,
            span: Span {
                end: token.span.start,
                ..token.span
            },
            ..token
        });
    }

    /// An arm's `=>` never stands directly inside round or square brackets: those were not closed
    /// before the arm's pattern. Nor does an arm start a line to the left of its own block.
    fn arm(&mut self) {
        let Some(at) = self.out.len().checked_sub(1) else {
            return;
        };
        let pattern = self.out[at];
        let brace = |open: &Open| open.closer == Kind::RBrace;
        let Some(mut block) = self.open.iter().rposition(brace) else {
            return;
        };
        if pattern.first {
            let column = self.source.column(pattern.span.start);
            while self.open[block].indent >= column
                && let Some(outer) = self.open[..block].iter().rposition(brace)
            {
                block = outer;
            }
        }
        self.close_down_to(block + 1, true, at);
    }

    /// Nor does `->`: what stands before it, parameters say, was not closed.
    fn result(&mut self) {
        let brace = |open: &Open| open.closer == Kind::RBrace;
        let block = self.open.iter().rposition(brace);
        self.close_down_to(block.map_or(0, |block| block + 1), true, self.out.len());
    }

    /// Closes all but the outermost `keep` brackets with invented tokens put at `at`.
    fn close_down_to(&mut self, keep: usize, report: bool, at: usize) {
        while self.open.len() > keep {
            let Some(open) = self.open.pop() else { return };
            let place = match at.checked_sub(1).and_then(|last| self.out.get(last)) {
                Some(last) => last.span.after(),
                None => open.token.span.after(),
            };
            let invented = Token {
                kind: open.closer,
                first: false,
                lead: Lead::Nothing,
                span: place,
            };
            // Inner ones are closed first, so each goes behind those before it.
            let behind = self.out[at..].iter().take_while(|t| t.invented()).count();
            self.out.insert(at + behind, invented);
            if report {
                (self.report)(unclosed(&open, place));
            }
        }
    }
}

fn unclosed(open: &Open, place: Span) -> Diagnostic {
    let closer = open.closer.shown().trim_matches('`');
    Diagnostic::new(
        codes::E0106,
        open.token.span,
        format!("{} is not closed", open.token.kind.shown()),
        format!("its `{closer}` is missing"),
    )
    .label(place, format!("`{closer}` seems to belong here"))
    .fix(place, closer)
}

pub(crate) fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::new(
        codes::E0108,
        span,
        format!("nested more than {DEEPEST} deep"),
        "one level too many",
    )
    .help("name a part of it with `fn` or `let`")
}
