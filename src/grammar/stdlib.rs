//! The embedded standard library: `.tdg` source under `stdlib/`, one file a module.
//!
//! In: a dotted name. Out: its text. A module is added by writing its file and naming it here.

macro_rules! modules {
    ($($name:ident)*) => {
        /// Every module: its dotted name and its text.
        pub(crate) const MODULES: &[(&str, &str)] = &[$((
            concat!("std.", stringify!($name)),
            include_str!(concat!("../../stdlib/", stringify!($name), ".tdg")),
        )),*];
    };
}

modules! { color cover layout math paint shape transform }

/// The text of a module.
pub(crate) fn find(name: &str) -> Option<&'static str> {
    MODULES
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| *text)
}

/// Every function with its module, so that a diagnostic can say which `use` is missing. Read off
/// the lines that declare them: the modules themselves need not be loaded for that.
pub(crate) fn functions() -> impl Iterator<Item = (&'static str, &'static str)> {
    MODULES.iter().flat_map(|(module, text)| {
        text.lines().filter_map(move |line| {
            let line = line.strip_prefix("builtin ").unwrap_or(line);
            let name = line.strip_prefix("fn ")?.split('(').next()?.trim();
            Some((name, *module))
        })
    })
}
