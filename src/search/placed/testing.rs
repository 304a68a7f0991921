//! Parts of a program where the program has them.

use super::parts::{Gallery, Kinds, Part};
use super::run::{Flat, Placed};
use crate::Compiled;
use crate::render::bits::Bits;
use crate::scene::{Content, eval};
use crate::tree::Program;

/// The parts of a program that can be seen, in their places; what covers something has to be painted
/// after it.
pub(in crate::search) fn flat_of(
    compiled: &Compiled,
    kinds: &Kinds,
    bits: Bits,
    program: &Program,
) -> Flat {
    let scene = eval::lower(&compiled.grammar, program).unwrap();
    let Content::Layers(layers) = scene.content else {
        panic!("no layers");
    };
    let mut layers = layers.into_iter();
    let mut gallery = Gallery::new(compiled, kinds, bits);
    let mut parts: Vec<Placed> = Vec::new();
    for (at, node) in program.nodes().iter().enumerate() {
        let kind = kinds
            .all
            .iter()
            .position(|k| k.production == node.production);
        let Some(kind) = kind else {
            continue;
        };
        let tokens = &program.subtree(at)[1..];
        let part = Part {
            kind: kind as u32,
            values: tokens.iter().map(|token| token.value).collect(),
        };
        let look = gallery.look(&part);
        // Each layer of a part is where the part is.
        let own: Vec<_> = layers.by_ref().take(look.layers.len()).collect();
        if let Some(layer) = own.first()
            && !look.is_hidden()
        {
            parts.push(Placed {
                part,
                at: layer.offset,
                look,
            });
        }
    }
    let under = parts.iter().enumerate().map(|(over, b)| {
        let below = parts[..over].iter().enumerate();
        let below = below.filter(|(_, a)| a.look.sprite.overlaps(a.at, &b.look.sprite, b.at));
        below.fold(0, |mask, (index, _)| mask | 1 << index)
    });
    Flat {
        under: under.collect(),
        parts,
        wrong: 0,
    }
}
