//! What `tdc compile` writes for other programs, read by other programs.

#[path = "../common/mod.rs"]
mod common;
mod ebnf;
mod railroad;
mod schema;
mod textmate;
mod w3c;
