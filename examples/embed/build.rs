//! Turns the grammar into Rust whenever it, or what it imports, changes.

fn main() {
    tdc::build::compile("grammars/badge.tdg");
}
