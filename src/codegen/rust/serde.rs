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

/// Attributes of a type, as Rust text.
pub(super) struct Attributes(pub(super) String);

impl Serde {
    /// An attribute, under the feature's condition.
    fn attribute(&self, inner: &str) -> String {
        match self {
            Serde::Off => String::new(),
            Serde::On => format!("#[{inner}]\n"),
            Serde::Feature(name) => format!("#[cfg_attr(feature = {name:?}, {inner})]\n"),
        }
    }

    /// The derives.
    pub(super) fn derived(&self) -> Attributes {
        Attributes(self.attribute("derive(serde::Serialize, serde::Deserialize)"))
    }

    /// The derives of a number, through a type of Rust.
    pub(super) fn through(&self, number: &str) -> String {
        let Attributes(derived) = self.derived();
        let way = format!("serde(into = {number:?}, try_from = {number:?})");
        derived + &self.attribute(&way)
    }

    /// The derives of a text.
    pub(super) fn through_text(&self) -> String {
        let Attributes(derived) = self.derived();
        derived
            + &self.attribute(
                "serde(into = \"std::string::String\", try_from = \"std::string::String\")",
            )
    }

    /// The derives of a struct that goes through another type, and the condition on that type.
    pub(super) fn through_form(&self, form: &str) -> [String; 2] {
        let Attributes(derived) = self.derived();
        let way = format!("serde(from = {form:?}, into = {form:?})");
        let condition = match self {
            Serde::Feature(name) => format!("#[cfg(feature = {name:?})]\n"),
            _ => String::new(),
        };
        [derived + &self.attribute(&way), condition]
    }

    /// The attribute of a field or variant whose name in the grammar is another one.
    pub(super) fn renamed(&self, name: &str, source: &str) -> String {
        match name.trim_start_matches("r#") == source {
            true => String::new(),
            false => self.attribute(&format!("serde(rename = {source:?})")),
        }
    }
}
