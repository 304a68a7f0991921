//! Badges: a small picture language, and what Rust can do with it.

/// The language of `grammars/badge.tdg`: its types, parser, printer, sampler, mutators and pictures.
pub mod badge {
    tdc::include_grammar!("badge");
}
