#[test]
fn scratch() {
    for name in [
        "calls",
        "operators",
        "patterns",
        "functions",
        "constants",
        "deep_calls",
    ] {
        let path = format!(
            "{}/tests/compile/fail/{name}.tdg",
            env!("CARGO_MANIFEST_DIR")
        );
        let out = crate::pipeline::compile_path(std::path::Path::new(&path));
        for d in &out.diagnostics {
            println!("{}", crate::diag::render::render(d, &out.sources, false));
        }
    }
}
