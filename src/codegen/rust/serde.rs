//! Derives of serde.
//!
//! In: [`Serde`], whether and when. Out: attributes. Afterwards the JSON of a tree is the one
//! `tree::json` writes, and reading one back looks at every value of a token.

/// Whether generated types can be serialised.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Serde {
    /// They cannot.
    #[default]
    Off,
    /// They can; the crate that holds them depends on `serde` with its `derive`.
    On,
    /// They can when this feature of that crate is on.
    Feature(String),
}

impl Serde {
    /// An attribute, under the feature's condition.
    fn attribute(&self, inner: &str) -> String {
        match self {
            Serde::Off => String::new(),
            Serde::On => format!("#[{inner}]\n"),
            Serde::Feature(name) => format!("#[cfg_attr(feature = {name:?}, {inner})]\n"),
        }
    }

    /// The derives of a type: these, and serde's.
    pub(super) fn derive(&self, list: &str) -> String {
        match self {
            Serde::Off => format!("#[derive({list})]\n"),
            Serde::On => format!("#[derive({list}, serde::Serialize, serde::Deserialize)]\n"),
            Serde::Feature(_) => {
                let own = self.attribute("derive(serde::Serialize, serde::Deserialize)");
                format!("#[derive({list})]\n{own}")
            }
        }
    }

    /// That a token goes through a type of Rust, which is looked at when it comes back.
    pub(super) fn through(&self, ty: &str) -> String {
        self.attribute(&format!("serde(into = {ty:?}, try_from = {ty:?})"))
    }

    /// That a struct goes through another type, and the condition on that type.
    pub(super) fn through_form(&self, form: &str) -> [String; 2] {
        let condition = match self {
            Serde::Feature(name) => format!("#[cfg(feature = {name:?})]\n"),
            _ => String::new(),
        };
        let way = format!("serde(from = {form:?}, into = {form:?})");
        [self.attribute(&way), condition]
    }

    /// The attribute of a field or variant whose name in the grammar is another one.
    pub(super) fn renamed(&self, name: &str, source: &str) -> String {
        match name.trim_start_matches("r#") == source {
            true => String::new(),
            false => self.attribute(&format!("serde(rename = {source:?})")),
        }
    }
}
