//! The concrete syntax of a checked grammar.
//!
//! In: [`Grammar`]. Out: [`Syntax`]: a lexer, LR(1) tables, the spaces of printing, and samplers
//! of text tokens. Afterwards every text has at most one reading, and every program printed by
//! `tree::print` is read back by `tree::parse` as itself: what would break this has been
//! reported with a witness (E05xx).
//!
//! [`bnf`] writes the grammar as plain productions, [`lexer`] makes one automaton of all words,
//! [`lr`] the tables, [`conflict`] explains why there are none, [`spacing`] decides where printing
//! needs spaces, [`text`] draws strings, [`chart`] parses with any of it, slowly: for witnesses,
//! patterns and tests; [`assemble`] turns derivations into nodes.

pub(crate) mod assemble;
mod bits;
pub(crate) mod bnf;
pub(crate) mod chart;
mod conflict;
pub(crate) mod lexer;
pub(crate) mod lr;
mod spacing;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod text;
pub(crate) mod values;

use self::assemble::Forms;
use self::bits::Bits;
use self::bnf::{Action, Bnf, Terminal};
use self::lexer::Lexer;
use self::lr::{Automaton, Firsts, Overlap, Tables};
use self::spacing::Spacing;
use self::text::TextError;
use super::ids::{LiteralId, ProdId, TokenId};
use super::ir::{Domain, Grammar, NonterminalKind};
use crate::diag::codes::{E0506, E0507};
use crate::diag::{Diagnostic, Sink};

pub use self::bnf::Term;
pub use self::chart::Stands;
pub use self::text::TextSampler;

/// Most literals, tokens, nonterminals and productions together.
const MAX_PARTS: usize = 20_000;
/// Most fields of a production.
const MAX_FIELDS: usize = 64;
/// Most words of the table of which terminals can still end where.
const MAX_ENDS: usize = 8 << 20;

/// Everything that reading and printing programs needs.
#[derive(Clone, Debug)]
pub struct Syntax {
    pub(crate) bnf: Bnf,
    pub(crate) lexer: Lexer,
    pub(crate) tables: Tables,
    pub(crate) forms: Forms,
    pub(crate) firsts: Firsts,
    /// Per terminal: whether its text matters to the program.
    pub(crate) is_word: Vec<bool>,
    /// Per rule: whether it is a step of `assemble`.
    pub(crate) is_step: Vec<bool>,
    spacing: Spacing,
    separators: Vec<Option<LiteralId>>,
    samplers: Vec<Option<TextSampler>>,
}

impl Syntax {
    /// Derives the syntax, or reports why programs could not be read and printed.
    pub fn build(grammar: &Grammar, sink: &mut Sink) -> Option<Syntax> {
        if !fits(grammar, sink) {
            return None;
        }
        let forms = Forms::new(grammar)?;
        let bnf = Bnf::new(grammar);
        let lexer = Lexer::build(grammar, &bnf, sink)?;
        let terms = bnf.terminals.len();
        if lexer.states().saturating_mul(terms.div_ceil(64)) > MAX_ENDS {
            sink.push(too_large(grammar, "too many words and too long patterns"));
            return None;
        }
        let ends = lexer.ends(terms);
        let samplers = samplers(grammar, &bnf, &lexer, &ends, sink);
        let spacing = Spacing::build(grammar, &bnf, &lexer, &ends, sink);
        let Ok(automaton) = Automaton::build(&bnf, &overlap(&lexer, terms)) else {
            sink.push(too_large(grammar, "its parser has too many states"));
            return None;
        };
        let firsts = Firsts::new(&bnf);
        let decided = conflict::report(grammar, &bnf, &lexer, &automaton, &firsts, sink);
        let (samplers, spacing) = (samplers?, spacing?);
        if !decided {
            return None;
        }
        Some(Syntax {
            tables: Tables::new(&bnf, &automaton),
            is_word: bnf
                .terminals
                .iter()
                .map(|t| !matches!(t, Terminal::Literal(_)))
                .collect(),
            is_step: steps(&bnf),
            bnf,
            lexer,
            forms,
            firsts,
            spacing,
            separators: separators(grammar),
            samplers,
        })
    }

    /// The syntax of texts that stand for another nonterminal: `grammar` is the one this syntax was
    /// built for, but for its start, which can be reached from the old one. `None` when that
    /// start's tables are too large or would hold two actions in a cell; for a sort that a checked
    /// grammar's start reaches they never do: whatever follows it in a program takes the place of
    /// the end of the text, and there the tables tell all readings apart.
    pub(crate) fn restarted(&self, grammar: &Grammar) -> Option<Syntax> {
        let bnf = Bnf::new(grammar);
        let automaton = Automaton::build(&bnf, &overlap(&self.lexer, bnf.terminals.len())).ok()?;
        let decided = (0..automaton.states.len() as u32).all(|state| {
            let mut terms = (0..automaton.terms).map(|term| Term(term as u16));
            terms.all(|term| automaton.actions(state, term).len() <= 1)
        });
        if !decided {
            return None;
        }
        Some(Syntax {
            tables: Tables::new(&bnf, &automaton),
            firsts: Firsts::new(&bnf),
            is_step: steps(&bnf),
            bnf,
            ..self.clone()
        })
    }

    /// Whether a text is one whole word that can stand for a token.
    pub(crate) fn reads_as(&self, token: TokenId, text: &str) -> bool {
        let mut budget = lexer::Budget::of(text);
        match self.lexer.next(text, 0, &mut budget) {
            Ok(Some(word)) => {
                word.start == 0
                    && word.end == text.len()
                    && word.terms.contains(&self.token_term(token))
            }
            _ => false,
        }
    }

    /// The sampler of a text token; `None` for other tokens.
    pub fn sampler(&self, token: TokenId) -> Option<&TextSampler> {
        self.samplers.get(token.index())?.as_ref()
    }

    /// Whether a space is printed between two words, no `~` being there.
    #[inline]
    pub fn space(&self, before: Term, after: Term) -> bool {
        self.spacing.between(before, after)
    }

    /// The terminal of a literal.
    #[inline]
    pub fn literal_term(&self, literal: LiteralId) -> Term {
        self.bnf.literal[literal.index()]
    }

    /// The terminal of an integer, real or text token (the first one of a finite token's is not
    /// asked for; it has none of its own).
    #[inline]
    pub fn token_term(&self, token: TokenId) -> Term {
        self.bnf.token[token.index()].unwrap_or(Term(0))
    }

    /// What stands before the item of a `Cons` that is not its list's first.
    #[inline]
    pub fn separator(&self, cons: ProdId) -> Option<LiteralId> {
        self.separators[cons.index()]
    }

    /// Number of parser states, for summaries.
    pub fn states(&self) -> usize {
        self.tables.states()
    }
}

/// Per rule: whether it is a step of `assemble`.
fn steps(bnf: &Bnf) -> Vec<bool> {
    let is_step = |p: &bnf::Production| !matches!(p.action, Action::Start | Action::Pass);
    bnf.productions.iter().map(is_step).collect()
}

/// Reports grammars far larger than people write.
fn fits(grammar: &Grammar, sink: &mut Sink) -> bool {
    let parts = grammar.literals.len()
        + grammar.tokens.len()
        + grammar.nonterminals.len()
        + grammar.productions.len();
    if parts > MAX_PARTS {
        sink.push(too_large(
            grammar,
            &format!("{parts} words, tokens and productions; {MAX_PARTS} is the most"),
        ));
        return false;
    }
    for production in &grammar.productions {
        if production.children.len() > MAX_FIELDS {
            sink.push(Diagnostic::new(
                E0507,
                production.span,
                format!("`{}` has more than {MAX_FIELDS} fields", production.name),
                "declared here",
            ));
            return false;
        }
    }
    true
}

fn too_large(grammar: &Grammar, why: &str) -> Diagnostic {
    Diagnostic::new(
        E0507,
        grammar.span,
        format!("the syntax of `{}` is too large", grammar.name),
        "in this language",
    )
    .note(why.to_string())
}

/// Which terminals share a text.
fn overlap(lexer: &Lexer, terms: usize) -> Overlap {
    let sets = lexer.overlaps();
    if sets.is_empty() {
        return None;
    }
    let mut overlap: Vec<Bits> = (0..=terms)
        .map(|term| {
            let mut own = Bits::new(terms + 1);
            own.insert(term);
            own
        })
        .collect();
    for (set, _) in sets {
        for a in set {
            for b in set {
                overlap[a.index()].insert(b.index());
            }
        }
    }
    Some(overlap)
}

/// The separator of the list that each `Cons` belongs to.
fn separators(grammar: &Grammar) -> Vec<Option<LiteralId>> {
    let mut separators = vec![None; grammar.productions.len()];
    for nonterminal in &grammar.nonterminals {
        if let NonterminalKind::List { separator, .. } = nonterminal.kind {
            for production in &nonterminal.productions {
                separators[production.index()] = separator;
            }
        }
    }
    separators
}

fn samplers(
    grammar: &Grammar,
    bnf: &Bnf,
    lexer: &Lexer,
    ends: &[Bits],
    sink: &mut Sink,
) -> Option<Vec<Option<TextSampler>>> {
    let mut sound = true;
    let samplers = grammar
        .tokens
        .iter()
        .enumerate()
        .map(|(index, token)| {
            let Domain::Text {
                pattern,
                min_len,
                max_len,
            } = &token.domain
            else {
                return None;
            };
            let term = bnf.token[index]?;
            match TextSampler::new(lexer, ends, term, *min_len, *max_len) {
                Ok(sampler) => Some(sampler),
                Err(error) => {
                    sound = false;
                    let diagnostic = Diagnostic::new(
                        E0506,
                        token.span,
                        match error {
                            TextError::Nothing { .. } => format!(
                                "no text of `{}` has a length in {min_len}..={max_len}",
                                token.name
                            ),
                            TextError::TooLong { .. } => {
                                format!("`{}` asks for texts that are too long", token.name)
                            }
                        },
                        "declared here",
                    );
                    sink.push(match error {
                        TextError::Nothing {
                            exists: Some(length),
                        } => diagnostic
                            .note(format!(
                                "the shortest text of /{pattern}/ has length {length}"
                            ))
                            .help("change the `length` of the token"),
                        TextError::Nothing { exists: None } => diagnostic
                            .note("texts are sampled from printable ASCII characters")
                            .note("quoted words of the language are reserved and do not count"),
                        TextError::TooLong { most } => {
                            diagnostic.note(format!("length {most} is the most for this pattern"))
                        }
                    });
                    None
                }
            }
        })
        .collect();
    sound.then_some(samplers)
}
