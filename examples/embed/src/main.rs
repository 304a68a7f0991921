//! Makes badges, first with the generated types and then with no generated code at all.

use std::error::Error;

use embed::badge::{Badge, Paint, Star};
use tdc::mutate::Mutator;
use tdc::render::svg::{self, SvgOptions};
use tdc::{Compiled, sample, scene, tree};

fn main() -> Result<(), Box<dyn Error>> {
    typed()?;
    dynamic()
}

/// The language as Rust types: a badge is a struct, a mark an enum.
fn typed() -> Result<(), Box<dyn Error>> {
    let mut badge: Badge = "round sea 44 star sun 5 40 rim ink 46".parse()?;
    badge.marks.push(
        Star {
            paint: Paint::Snow,
            points: 7.try_into()?,
            outer: 20.try_into()?,
        }
        .into(),
    );
    println!("by hand:   {badge}");

    let mut rng = sample::seeded(7);
    let change = badge.mutate(&mut rng)?;
    println!("mutated:   {badge}");
    badge.apply(&change.inverse)?;
    println!("and back:  {badge}");
    println!("at random: {}", Badge::random(&mut rng)?);
    println!("as SVG:    {} bytes", badge.to_svg()?.len());
    Ok(())
}

/// The same language read when the program runs, as nodes in an array: for grammars that are not
/// known when the crate is built.
fn dynamic() -> Result<(), Box<dyn Error>> {
    let language = Compiled::load(concat!(env!("CARGO_MANIFEST_DIR"), "/grammars/badge.tdg"))?;
    let badge = language.parse("round sea 44 star sun 5 40 rim ink 46")?;
    let mutator = Mutator::new(&language, language.grammar.mutate)?;
    let mut rng = sample::seeded(7);
    let edit = mutator
        .propose(&badge, &mut rng)
        .ok_or("nothing can change")?;
    let mutant = tree::edit::apply(&language.grammar, &badge, &edit);
    println!("dynamic:   {}", language.print(&mutant));
    let picture = scene::eval::lower(&language.grammar, &mutant)?;
    let svg = svg::write(&picture, &SvgOptions::default())?;
    println!("as SVG:    {} bytes", svg.len());
    Ok(())
}
