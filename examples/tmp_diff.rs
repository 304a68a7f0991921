use tdc::Compiled;
use tdc::render::coverage::Engine;
use tdc::scene::eval::lower;
use tdc::scene::live::Live;
fn main() {
    let compiled = Compiled::load(std::path::Path::new("grammars/mandala.tdg")).unwrap();
    for text in [
        "coral 10 crescents between 5.5 at 1",
        "coral 4 crescents between 5.5 at 1",
        "coral 4 crescents upright 5.5 at 1",
        "rose 10 crescents between 10 at 1",
    ] {
        let program = compiled.parse(text).unwrap();
        let mut live = Live::new(&compiled.grammar).unwrap();
        live.set(&program).unwrap();
        let mut e = Engine::new();
        let a = e.redraw(live.scene(), live.versions()).unwrap().clone();
        let b = Engine::new().draw(live.scene()).unwrap();
        let c = Engine::new()
            .draw(&lower(&compiled.grammar, &program).unwrap())
            .unwrap();
        let d = |x: &tdc::render::Picture, y: &tdc::render::Picture| {
            let v: Vec<_> = x
                .data
                .iter()
                .zip(&y.data)
                .enumerate()
                .filter(|(_, (p, q))| p != q)
                .map(|(i, (p, q))| (i / 3 % 128, i / 3 / 128, *p, *q))
                .collect();
            (v.len(), v.into_iter().take(6).collect::<Vec<_>>())
        };
        println!(
            "{text}: redraw/draw live {:?}; live/lower {:?}",
            d(&a, &b),
            d(&b, &c)
        );
        let (rl, rw) = (
            tdc::render::raster::rasterize(live.scene()).unwrap(),
            tdc::render::raster::rasterize(&lower(&compiled.grammar, &program).unwrap()).unwrap(),
        );
        println!(
            "resvg live/lower {:?}; live: resvg/mine {:?}; lower: resvg/mine {:?}",
            d(&rl, &rw),
            d(&rl, &b),
            d(&rw, &c)
        );
        if text.contains("coral 10 crescents") {
            println!(
                "{:?}\n{:?}",
                live.scene(),
                lower(&compiled.grammar, &program).unwrap()
            );
        }
    }
}
