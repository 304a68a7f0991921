fn main() {
    for p in std::env::args().skip(1) {
        println!("=== {p}");
        let t = std::time::Instant::now();
        let o = tdc::pipeline::compile_path(std::path::Path::new(&p));
        let el = t.elapsed();
        for d in &o.diagnostics {
            let f = d.primary.span.file;
            let (l, c) = o.sources.line_column(f, d.primary.span.start);
            println!(
                "{}: {} ({}:{l}:{c}) [{}]",
                d.code,
                d.message,
                o.sources.file(f).name,
                d.primary.message
            );
            for s in &d.secondary {
                let (l, c) = o.sources.line_column(s.span.file, s.span.start);
                println!("      @{l}:{c} {}", s.message);
            }
            for n in &d.notes {
                println!("      = {n}");
            }
            if let Some(h) = &d.help {
                println!("      help: {h}");
            }
            if let Some(h) = &d.fix {
                println!(
                    "      fix: {:?} -> {:?}",
                    o.sources.text(h.span),
                    h.replacement
                );
            }
        }
        println!("compiled: {} in {el:?}", o.compiled.is_some());
        if let Some(c) = o.compiled {
            for s in tdc::grammar::info::summary(&c.grammar, &c.info) {
                println!("   {s:?}");
            }
        }
    }
}
