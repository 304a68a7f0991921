//! Whatever is edited, the picture is the one drawn from scratch.

use rand::{Rng, RngExt as _};

use super::super::coverage::Engine;
use super::super::testing::{Build, canvas, random_ink, random_layers, random_region, rng};
use super::super::{Picture, RenderError};
use crate::Compiled;
use crate::grammar::ir::CanvasMode;
use crate::mutate::{Mutator, Scratch};
use crate::sample::{Sampler, stream};
use crate::scene::eval::lower;
use crate::scene::live::Live;
use crate::scene::testing::pictures;
use crate::scene::{Content, Layer, Paint, Region, RegionId, Scene};
use crate::tree::{Edit, Program};

/// A scene with versions, edited at random. Slots that are no longer used are empty, and used
/// again: operands then stand behind what uses them.
struct Edited {
    scene: Scene,
    versions: Vec<u64>,
    next: u64,
}

fn operands(region: &Region) -> Vec<RegionId> {
    match region {
        Region::Union(a, b) | Region::Difference(a, b) | Region::Intersection(a, b) => {
            vec![*a, *b]
        }
        Region::Transform(a, _) => vec![*a],
        _ => Vec::new(),
    }
}

impl Edited {
    fn new(scene: Scene) -> Edited {
        let count = scene.regions.len() as u64;
        Edited {
            scene,
            versions: (1..=count).collect(),
            next: count + 1,
        }
    }

    fn roots(&self) -> Vec<RegionId> {
        match &self.scene.content {
            Content::Ink(root) => vec![*root],
            Content::Layers(layers) => layers.iter().map(|layer| layer.region).collect(),
        }
    }

    fn used(&self) -> Vec<bool> {
        let mut used = vec![false; self.scene.regions.len()];
        let mut stack = self.roots();
        while let Some(id) = stack.pop() {
            if !std::mem::replace(&mut used[id.0 as usize], true) {
                stack.extend(operands(&self.scene.regions[id.0 as usize]));
            }
        }
        used
    }

    /// Gives new versions to a slot and to all that hold it.
    fn touch(&mut self, slot: usize) {
        let mut touched = vec![false; self.scene.regions.len()];
        let mut stack = vec![slot];
        while let Some(slot) = stack.pop() {
            if std::mem::replace(&mut touched[slot], true) {
                continue;
            }
            self.versions[slot] = self.next;
            self.next += 1;
            let holds = |region: &Region| operands(region).contains(&RegionId(slot as u32));
            let above = self.scene.regions.iter().enumerate();
            stack.extend(above.filter(|(_, r)| holds(r)).map(|(i, _)| i));
        }
    }

    /// Empties the slots that are not used.
    fn sweep(&mut self) {
        for (slot, used) in self.used().into_iter().enumerate() {
            if !used && self.scene.regions[slot] != Region::Empty {
                self.scene.regions[slot] = Region::Empty;
                self.versions[slot] = self.next;
                self.next += 1;
            }
        }
    }

    /// Puts a region into a free slot, or a new one.
    fn put(&mut self, region: Region) -> RegionId {
        self.put_beside(region, &[])
    }

    /// Not into a slot that is taken but not yet used.
    fn put_beside(&mut self, region: Region, taken: &[RegionId]) -> RegionId {
        let mut used = self.used();
        taken.iter().for_each(|id| used[id.0 as usize] = true);
        let free =
            (0..used.len()).find(|slot| !used[*slot] && self.scene.regions[*slot] == Region::Empty);
        let slot = free.unwrap_or(used.len());
        if slot == used.len() {
            self.scene.regions.push(region);
            self.versions.push(0);
        } else {
            self.scene.regions[slot] = region;
        }
        self.versions[slot] = self.next;
        self.next += 1;
        RegionId(slot as u32)
    }

    /// Another region for a slot: a small formula whose parts lie in slots of their own.
    fn graft(&mut self, rng: &mut impl Rng, slot: usize) {
        let mut build = Build::default();
        let leaves = rng.random_range(1..4usize);
        let root = random_region(rng, &mut build, leaves, true);
        let mut placed: Vec<RegionId> = Vec::new();
        let parts = build.0.len();
        for (i, mut region) in build.0.into_iter().enumerate() {
            let at = |id: &mut RegionId| *id = placed[id.0 as usize];
            match &mut region {
                Region::Union(a, b) | Region::Difference(a, b) | Region::Intersection(a, b) => {
                    at(a);
                    at(b);
                }
                Region::Transform(a, _) => at(a),
                _ => {}
            }
            if i + 1 == parts {
                assert_eq!(root.0 as usize, i);
                self.scene.regions[slot] = region;
            } else {
                let id = self.put_beside(region, &placed);
                placed.push(id);
            }
        }
        self.touch(slot);
        self.sweep();
    }

    fn edit(&mut self, rng: &mut impl Rng) {
        let used: Vec<usize> = {
            let used = self.used();
            (0..used.len()).filter(|slot| used[*slot]).collect()
        };
        if let Content::Layers(layers) = &mut self.scene.content
            && (layers.is_empty() || rng.random_bool(0.5))
        {
            let count = layers.len();
            let at = rng.random_range(0..=count);
            match rng.random_range(0..6u32) {
                0 if at < count => {
                    layers.remove(at);
                    self.sweep();
                }
                1 if at < count => layers[at].offset.0 += rng.random_range(-9..9),
                2 if at < count => {
                    let shade = rng.random_range(0..=255u32) as u8;
                    layers[at].paint = Paint::Fill([shade, 255 - shade, 70, shade | 15]);
                }
                3 if at < count => {
                    let width = 0.3 + 5.0 * rng.random::<f64>();
                    layers[at].paint = Paint::Stroke {
                        color: [9, 90, 190, 200],
                        width,
                    };
                }
                4 if count > 1 && at < count => layers.swap(at, count / 2),
                5 if at < count => {
                    let mut copy = layers[at].clone();
                    copy.offset.1 -= 11;
                    layers.insert(at, copy);
                }
                _ => {
                    let region = self.put(Region::Everything);
                    let layer = Layer {
                        region,
                        offset: (3, -4),
                        paint: Paint::Fill([1, 2, 200, 90]),
                    };
                    if let Content::Layers(layers) = &mut self.scene.content {
                        layers.insert(at, layer);
                    }
                    self.graft(rng, region.0 as usize);
                }
            }
            return;
        }
        let slot = used[rng.random_range(0..used.len())];
        match (rng.random_range(0..4u32), self.scene.regions[slot].clone()) {
            (0, Region::Union(a, b)) => self.scene.regions[slot] = Region::Difference(a, b),
            (0, Region::Difference(a, b)) => self.scene.regions[slot] = Region::Intersection(b, a),
            (0, Region::Intersection(a, b)) => {
                self.scene.regions[slot] = Region::Union(a, a.max(b))
            }
            (1, Region::Transform(inner, mut at)) => {
                at[4] += f64::from(rng.random_range(-40..40));
                self.scene.regions[slot] = Region::Transform(inner, at);
            }
            (1, Region::Shape { shape, mut at }) => {
                at[5] += 4.0 * rng.random::<f64>() - 2.0;
                self.scene.regions[slot] = Region::Shape { shape, at };
            }
            _ => return self.graft(rng, slot),
        }
        self.touch(slot);
        self.sweep();
    }
}

/// What is outside the damage is as it was.
fn damage_holds_all(engine: &Engine, before: &Picture, after: &Picture) {
    let damage = engine.damage();
    for y in 0..after.height {
        for x in 0..after.width {
            let inside = (damage.left..damage.right).contains(&x)
                && (damage.top..damage.bottom).contains(&y);
            assert!(
                inside || before.rgb(x, y) == after.rgb(x, y),
                "({x}, {y}) {damage:?}"
            );
        }
    }
}

fn follow(name: &str, budget: usize, seeds: u64, scene: impl Fn(u64) -> Scene) {
    let mut engine = Engine::with_budget(budget);
    let mut scratch = Engine::new();
    let (mut edits, mut small) = (0u64, 0u64);
    for seed in 0..seeds {
        let mut rng = rng(seed ^ 0x5eed);
        let mut edited = Edited::new(scene(seed));
        engine.forget();
        let mut before: Option<Picture> = None;
        for step in 0..20 {
            let found = engine
                .redraw(&edited.scene, &edited.versions)
                .unwrap()
                .clone();
            let wanted = scratch.draw(&edited.scene).unwrap();
            assert_eq!(found, wanted, "{name} {seed} {step}: {:?}", edited.scene);
            assert!(
                engine.kept_bytes() <= budget,
                "{name} {seed} {step}: {}",
                engine.kept_bytes()
            );
            if let Some(before) = &before {
                damage_holds_all(&engine, before, &found);
                let damage = engine.damage();
                let pixels =
                    u64::from(damage.right - damage.left) * u64::from(damage.bottom - damage.top);
                edits += 1;
                small += u64::from(pixels < 128 * 64);
            }
            before = Some(found);
            edited.edit(&mut rng);
        }
    }
    println!("{name}: {edits} edits, {small} of them damage less than half of the picture");
    assert!(small * 5 > edits, "{name}: {small} of {edits}");
}

#[test]
fn edited_ink_is_as_drawn_from_scratch() {
    follow("grid", 64 << 20, 150, |seed| random_ink(seed, false));
    follow("free", 64 << 20, 150, |seed| random_ink(seed, true));
}

#[test]
fn edited_layers_are_as_drawn_from_scratch() {
    follow("layers", 64 << 20, 150, random_layers);
}

#[test]
fn a_small_budget_changes_no_picture() {
    for budget in [0, 10_000, 200_000] {
        follow("ink on a budget", budget, 25, |seed| random_ink(seed, true));
        follow("layers on a budget", budget, 25, random_layers);
    }
}

/// An ink scene under a shift by whole pixels that changes with every edit, as one that is kept
/// in the middle of its canvas.
#[test]
fn a_shift_of_the_whole_combines_nothing_anew() {
    let mut engine = Engine::new();
    for seed in 0..60 {
        let mut edited = Edited::new(random_ink(seed, seed % 2 == 0));
        let Content::Ink(inner) = edited.scene.content else {
            unreachable!()
        };
        let root = edited.put(Region::Transform(inner, [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]));
        edited.scene.content = Content::Ink(root);
        engine.forget();
        for step in 0..12i32 {
            let (x, y) = (
                f64::from(step * 7 % 40 - 20),
                f64::from(step * 11 % 60 - 30),
            );
            let slot = root.0 as usize;
            edited.scene.regions[slot] = Region::Transform(inner, [1.0, 0.0, 0.0, 1.0, x, y]);
            edited.touch(slot);
            let found = engine
                .redraw(&edited.scene, &edited.versions)
                .unwrap()
                .clone();
            assert_eq!(
                found,
                Engine::new().draw(&edited.scene).unwrap(),
                "{seed} {step}"
            );
        }
    }
}

/// Sequences of edits over all languages that draw; each is a program and a few small mutations,
/// some of them taken back.
const SEQUENCES: u64 = 10_000;

#[test]
fn edited_programs_are_as_drawn_from_scratch() {
    let languages = pictures();
    let each = SEQUENCES.div_ceil(languages.len() as u64);
    let threads = 2;
    std::thread::scope(|scope| {
        for from in 0..threads {
            let languages = &languages;
            scope.spawn(move || {
                // One engine for all languages, so that what it keeps is a mixture in the long run.
                let budget = if from == 0 {
                    super::super::coverage::BUDGET
                } else {
                    3 << 20
                };
                let (mut engine, mut scratch) = (Engine::with_budget(budget), Engine::new());
                for language in languages {
                    let sampler = Sampler::new(language, language.grammar.sample).unwrap();
                    let mutator = Mutator::new(language, language.grammar.mutate).unwrap();
                    for item in (from..each).step_by(threads as usize) {
                        let tools = (&sampler, &mutator);
                        sequence(language, tools, item, budget, (&mut engine, &mut scratch));
                    }
                }
            });
        }
    });
}

fn sequence(
    compiled: &Compiled,
    (sampler, mutator): (&Sampler<'_>, &Mutator<'_>),
    item: u64,
    budget: usize,
    (engine, from_scratch): (&mut Engine, &mut Engine),
) {
    let mut rng = stream(77, item);
    let (mut scratch, mut edit) = (Scratch::default(), Edit::default());
    let mut live = Live::new(&compiled.grammar).unwrap();
    live.set(&sampler.sample(&mut rng)).unwrap();
    let mut check = |live: &Live<'_>, program: &Program| {
        let found = engine.redraw(live.scene(), live.versions()).unwrap();
        let scene = lower(&compiled.grammar, program).unwrap();
        let wanted = from_scratch.draw(&scene).unwrap();
        let text = || format!("{}: {}", compiled.grammar.name, compiled.print(program));
        assert!(*found == wanted, "{}", text());
        assert!(engine.kept_bytes() <= budget, "{}", text());
    };
    check(&live, live.program());
    for step in 0..4 {
        if !mutator.propose_into(live.program(), &mut scratch, &mut rng, &mut edit) {
            continue;
        }
        let mut edited = live.program().clone();
        sampler.layout().apply(&mut edited, &edit);
        live.propose(&edit).unwrap();
        check(&live, &edited);
        if step % 3 == 1 {
            live.reject();
            check(&live, live.program());
        } else {
            live.accept();
        }
    }
}

#[test]
fn scenes_without_versions_and_on_other_canvases_are_drawn() {
    let mut engine = Engine::new();
    for seed in 0..40u64 {
        let mut scene = if seed % 3 == 0 {
            random_layers(seed)
        } else {
            random_ink(seed, true)
        };
        scene.canvas.width = 40 + 40 * (seed as u32 % 4);
        let found = engine.redraw(&scene, &[]).unwrap().clone();
        assert_eq!(found, Engine::new().draw(&scene).unwrap(), "{seed}");
    }
    // Layers on an ink canvas do not come from programs, but are no reason to fail.
    let mut odd = random_layers(1);
    odd.canvas = canvas(CanvasMode::Ink);
    let found = engine.redraw(&odd, &[]).unwrap().clone();
    assert_eq!(found, Engine::new().draw(&odd).unwrap());
}

#[test]
fn after_an_error_all_is_drawn_anew() {
    let mut engine = Engine::new();
    let mut edited = Edited::new(random_layers(3));
    engine.redraw(&edited.scene, &edited.versions).unwrap();
    let good = edited.scene.clone();
    let loops = edited.put(Region::Empty);
    edited.scene.regions[loops.0 as usize] = Region::Union(loops, loops);
    if let Content::Layers(layers) = &mut edited.scene.content {
        layers.insert(
            0,
            Layer {
                region: loops,
                offset: (0, 0),
                paint: Paint::Fill([1, 2, 3, 255]),
            },
        );
    }
    let error = engine.redraw(&edited.scene, &edited.versions).map(|_| ());
    assert_eq!(error, Err(RenderError::TooManyShapes));
    assert_eq!(engine.draw(&edited.scene), Err(RenderError::TooManyShapes));
    edited.scene.content = good.content.clone();
    let found = engine
        .redraw(&edited.scene, &edited.versions)
        .unwrap()
        .clone();
    assert_eq!(found, Engine::new().draw(&good).unwrap());
    assert_eq!((engine.damage().right, engine.damage().bottom), (128, 128));
}

/// A turn leaves some coordinates a hair below a whole pixel.
#[test]
fn maps_just_below_a_whole_pixel_lose_none() {
    for hair in [-5.551115123125783e-17, 5.551115123125783e-17, 0.0, -1e-12] {
        let mut build = Build::default();
        let (a, b) = (build.disc(9.0, 40.0, 30.0), build.disc(5.0, 44.0, 30.0));
        let moon = build.add(Region::Difference(a, b));
        let turned = build.add(Region::Transform(moon, [hair, 1.0, -1.0, hair, 90.0, hair]));
        let both = build.add(Region::Union(turned, moon));
        let root = build.add(Region::Transform(
            both,
            [-1.0, hair, hair, -1.0, 128.0, 128.0 + hair],
        ));
        let scene = build.ink(root);
        let reference = super::super::raster::rasterize(&scene).unwrap();
        let direct = Engine::new().draw(&scene).unwrap();
        let share = super::super::metric::share_within(&reference, &direct, 2.0 / 255.0);
        assert!(share > 0.999, "{hair}: {share}");
    }
}

#[test]
fn a_shared_region_is_combined_once() {
    // 2^17 paths, and 2^60: the first is drawn, the second refused.
    for (levels, drawn) in [(17, true), (60, false)] {
        let mut build = Build::default();
        let mut root = build.disc(20.0, 64.0, 64.0);
        for _ in 0..levels {
            root = build.add(Region::Union(root, root));
        }
        let scene = build.ink(root);
        let versions: Vec<u64> = (1..=scene.regions.len() as u64).collect();
        let mut engine = Engine::new();
        assert_eq!(engine.draw(&scene).is_ok(), drawn);
        assert_eq!(engine.redraw(&scene, &versions).is_ok(), drawn);
    }
}
