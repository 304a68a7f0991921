//! Ids: names are looked up once, in `resolve`; everything later speaks in these.

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident $inner:ty) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl $name {
            /// As an index.
            pub fn index(self) -> usize {
                self.0 as usize
            }

            /// From an index; tables of a grammar are far smaller than the id's range, which
            /// `check` makes sure of.
            pub fn from_index(index: usize) -> $name {
                $name(<$inner>::try_from(index).unwrap_or(<$inner>::MAX))
            }
        }
    };
}

id! {
    /// A sort of the grammar.
    SortId u16
}
id! {
    /// A token of the grammar.
    TokenId u16
}
id! {
    /// A production: a node kind. Tokens, lists and options have productions too.
    ProdId u16
}
id! {
    /// A nonterminal: what may stand at a position of a program.
    NtId u16
}
id! {
    /// A distinct quoted terminal.
    LiteralId u16
}
id! {
    /// A function of the draw language with a body.
    FnId u16
}
