use std::time::Instant;
use tdc::Compiled;
use tdc::mutate::{Mutator, Scratch};
use tdc::render::Picture;
use tdc::render::coverage::Engine;
use tdc::sample::{Sampler, stream};
use tdc::scene::eval::{Workspace, lower_in};
use tdc::scene::live::Live;
use tdc::tree::Edit;
fn main() {
    for name in std::env::args().skip(1) {
        let compiled =
            Compiled::load(std::path::Path::new(&format!("grammars/{name}.tdg"))).unwrap();
        let sampler = Sampler::new(&compiled, compiled.grammar.sample).unwrap();
        let mutator = Mutator::new(&compiled, compiled.grammar.mutate).unwrap();
        let programs: Vec<_> = (0..2048)
            .map(|i| sampler.sample(&mut stream(1, i)))
            .collect();
        let mut scratch = Scratch::default();
        let mut edit = Edit::default();
        let mut live = Live::new(&compiled.grammar).unwrap();
        let mut engine = Engine::new();
        for round in 0..3 {
            for mode in 0..3 {
                let mut rng = stream(7, round);
                let mut time = std::time::Duration::ZERO;
                let mut n = 0u64;
                let mut area = 0u64;
                while time.as_secs_f64() < 0.4 {
                    live.set(&programs[n as usize / 8 % 2048]).unwrap();
                    engine.redraw(live.scene(), live.versions()).unwrap();
                    for _ in 0..8 {
                        n += 1;
                        if !mutator.propose_into(live.program(), &mut scratch, &mut rng, &mut edit)
                        {
                            continue;
                        }
                        if mode == 2 {
                            // from scratch into
                        }
                        let t = Instant::now();
                        live.apply(&edit).unwrap();
                        if mode >= 1 {
                            engine.redraw(live.scene(), live.versions()).unwrap();
                        }
                        time += t.elapsed();
                        if mode == 2 {
                            let d = engine.damage();
                            area += u64::from(d.right - d.left) * u64::from(d.bottom - d.top);
                        }
                    }
                }
                println!(
                    "{name} mode {mode}: {:.0}/s  area {:.0} kept {}",
                    n as f64 / time.as_secs_f64(),
                    area as f64 / n as f64,
                    engine.kept_bytes()
                );
            }
        }
        let mut ws = Workspace::new();
        let scenes: Vec<_> = programs
            .iter()
            .map(|p| lower_in(&mut ws, &compiled.grammar, p).unwrap())
            .collect();
        let mut pic = Picture::filled(0, 0, 1, 0);
        for _ in 0..3 {
            let t = Instant::now();
            for s in &scenes {
                engine.draw_into(s, &mut pic).unwrap();
            }
            println!(
                "{name} draw_into only: {:.0}/s",
                2048.0 / t.elapsed().as_secs_f64()
            );
        }
    }
}
