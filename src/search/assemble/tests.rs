//! Programs are assembled from their own parts, and draw the same picture.

use crate::Compiled;
use crate::render::bits::{Bits, Target};
use crate::render::raster;
use crate::sample::{Sampler, stream};
use crate::scene::{eval, testing};
use crate::search::assemble::{Assembler, Combos};
use crate::search::layouts::EFFORTS;
use crate::search::placed::{Flat, Kinds, testing::flat_of};
use crate::search::target::difference;

fn language(name: &str) -> Compiled {
    let mut all = testing::pictures();
    let at = all.iter().position(|c| c.grammar.name == name);
    all.swap_remove(at.unwrap())
}

/// Parts of random programs are put where they were.
fn assembled(name: &str) -> (usize, usize) {
    let compiled = language(name);
    let kinds = Kinds::new(&compiled).unwrap();
    let sampler = Sampler::new(&compiled, compiled.grammar.sample).unwrap();
    let (mut tasks, mut found) = (0, 0);
    for index in 0..30 {
        let program = sampler.sample(&mut stream(8, index));
        let scene = eval::lower(&compiled.grammar, &program).unwrap();
        let picture = raster::rasterize(&scene).unwrap();
        let target = Target::new(&compiled.grammar, &picture);
        let bits = || Bits::new(target.clone()).unwrap();
        let combos = Combos::new(&compiled, &kinds, bits()).unwrap();
        let flat: Flat = flat_of(&compiled, &kinds, bits(), &program);
        let Some(mut assembler) = Assembler::new(&compiled, &kinds, &combos, &flat) else {
            continue;
        };
        tasks += 1;
        // As much as takes no more than moments.
        let programs = EFFORTS[..4].iter().find_map(|effort| {
            let programs = assembler.programs(*effort, &mut || true);
            programs.into_iter().find(|(off, _)| *off == 0)
        });
        let Some((_, other)) = programs else {
            continue;
        };
        found += 1;
        assert!(other.is_valid(&compiled.grammar));
        let again = eval::lower(&compiled.grammar, &other).unwrap();
        let again = raster::rasterize(&again).unwrap();
        // What covers another by less than a pixel may lie under it now.
        let apart = difference(&picture, &again);
        assert!(
            apart < 4.0,
            "{apart} pixels: {} for {}",
            compiled.print(&other),
            compiled.print(&program)
        );
    }
    (tasks, found)
}

#[test]
fn parts_of_tinysvg_are_put_where_they_were() {
    let (tasks, found) = assembled("tinysvg");
    assert!(tasks >= 20, "{tasks}");
    assert_eq!(found, tasks);
}

#[test]
fn parts_of_rainbow_are_put_where_they_were() {
    let (tasks, found) = assembled("rainbow");
    assert!(tasks >= 20, "{tasks}");
    // Where much cannot be seen, more effort is needed.
    assert!(found * 10 >= tasks * 8, "{found} of {tasks}");
}
