//! What can be done with a typed tree of a sort.
//!
//! In: trees of generated types. Out: other trees, edits, text, scenes, programs. Afterwards a tree
//! that an operation refused is as it was. Every operation is the engine's, on the program of the
//! tree: buffers are kept from one call to the next, and of a mutated tree only the part that changes
//! is built anew.

use std::cell::Cell;
use std::fmt;
use std::ops::RangeInclusive;

use super::language::Engine;
use super::node::{Fields, Node, Place, Reader, Splice, Writer};
use super::{Error, Language};
use crate::grammar::ids::{NtId, ProdId};
use crate::grammar::ir::ProductionKind;
use crate::mutate::Scratch as MutateScratch;
use crate::mutate::named::NamedMutator;
use crate::render::svg::{self, SvgOptions};
use crate::sample::{Rng, Scratch as SampleScratch};
use crate::scene::{Scene, eval};
use crate::tree::diff::PathMode;
use crate::tree::print::print_into;
use crate::tree::{Edit, Program};

/// An edit of a tree, and the edit that takes it back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Mutation {
    /// What was changed.
    pub edit: Edit,
    /// What changes it back.
    pub inverse: Edit,
}

/// A named mutator of trees of one sort, such as `Circle::mutate_r`.
pub type Mutator<T> = fn(&mut T, &mut Rng) -> Result<Mutation, Error>;

/// A sort of a generated module. Its types have these methods as their own.
pub trait Tree: Node {
    /// Its nonterminal in the grammar.
    const NONTERMINAL: u16;

    /// Its language.
    fn language() -> &'static Language;

    /// The tree that a text stands for.
    ///
    /// # Errors
    ///
    /// When the text is not one of this sort; the error says where and why.
    fn parse(text: &str) -> Result<Self, Error> {
        let engine = Self::language().engine()?;
        let program = engine.parse(root::<Self>(), text)?;
        read(engine, &program)
    }

    /// A random tree: its size is uniform among those that exist in `sizes`, and among the trees of
    /// a size each is as likely as its weight says.
    ///
    /// # Errors
    ///
    /// When no tree has such a size, or the one drawn is nested too deeply.
    fn sample(rng: &mut Rng, sizes: RangeInclusive<u32>) -> Result<Self, Error> {
        let engine = Self::language().engine()?;
        let sampler = engine.sampler_for(&sizes)?;
        with_scratch(|scratch| {
            let Scratch {
                program, sample, ..
            } = scratch;
            let nt = root::<Self>();
            if !sampler.sample_nt_into(nt, sizes.clone(), sample, rng, program) {
                let inside = sampler.inside();
                let exist: Vec<u32> = inside.sizes(nt).collect();
                return Err(Error::Size(Box::new(
                    crate::grammar::inside::SizeError::Missing {
                        what: format!("`{}`", engine.name(nt)),
                        wanted: sizes.clone(),
                        exist: crate::grammar::inside::ranges(&exist),
                    },
                )));
            }
            read(engine, program)
        })
    }

    /// A random program as the grammar's `sample` line says. For the start sort; for another sort
    /// it is an error.
    ///
    /// # Errors
    ///
    /// When the one drawn is nested too deeply.
    fn random(rng: &mut Rng) -> Result<Self, Error> {
        let engine = Self::language().engine()?;
        if engine.grammar().start != root::<Self>() {
            return Err(engine.other_sort(engine.grammar().start));
        }
        let sampler = engine.sampler()?;
        with_scratch(|scratch| {
            sampler.sample_into(&mut scratch.sample, rng, &mut scratch.program);
            read(engine, &scratch.program)
        })
    }

    /// Changes a small part of the tree, as the grammar's `mutate` line says.
    ///
    /// # Errors
    ///
    /// When no part can change, or the tree is not a program; the tree is then as it was.
    fn mutate(&mut self, rng: &mut Rng) -> Result<Mutation, Error> {
        mutate(self, |mutator, program, scratch, edit| {
            mutator.propose_into(program, scratch, rng, edit)
        })
    }

    /// Changes a field of one of the tree's nodes of a production.
    ///
    /// # Errors
    ///
    /// As [`Tree::mutate`].
    fn mutate_field<P: Fields>(&mut self, child: usize, rng: &mut Rng) -> Result<Mutation, Error> {
        let by = NamedMutator::Field {
            production: ProdId(P::PRODUCTION),
            child,
        };
        mutate(self, |mutator, program, scratch, edit| {
            mutator.propose_named_into(by, program, scratch, rng, edit)
        })
    }

    /// Puts a small tree with this production at its root where another small tree of the
    /// production's sort stands.
    ///
    /// # Errors
    ///
    /// As [`Tree::mutate`].
    fn replace_with(&mut self, production: u16, rng: &mut Rng) -> Result<Mutation, Error> {
        let engine = Self::language().engine()?;
        let production = ProdId(production);
        let known = engine.grammar().productions.get(production.index());
        let Some(ProductionKind::Node(sort)) = known.map(|production| production.kind) else {
            return Err(Error::NothingToChange);
        };
        let by = NamedMutator::Replace { sort, production };
        mutate(self, |mutator, program, scratch, edit| {
            mutator.propose_named_into(by, program, scratch, rng, edit)
        })
    }

    /// Applies an edit, and gives the one that takes it back.
    ///
    /// # Errors
    ///
    /// When the edit does not fit the tree, which is then as it was.
    fn apply(&mut self, edit: &Edit) -> Result<Edit, Error> {
        let engine = Self::language().engine()?;
        let program = self.to_program()?;
        let places = engine.layout.positions(root::<Self>(), &program);
        let misfit = || Error::OtherPlace {
            sort: engine.name(root::<Self>()),
            position: edit.position,
        };
        let place = *places.get(edit.position).ok_or_else(misfit)?;
        if !engine.is_valid(place, &edit.replacement) {
            return Err(misfit());
        }
        let inverse = Edit {
            position: edit.position,
            replacement: engine.layout.extract(&program, edit.position),
        };
        splice(engine, self, edit)?;
        Ok(inverse)
    }

    /// The size of the tree, in what the grammar counts.
    fn size(&self) -> u32 {
        let Ok(engine) = Self::language().engine() else {
            return 0;
        };
        with_scratch(|scratch| {
            // A tree that is not a program has a size all the same.
            let _ = write(engine, self, &mut scratch.program);
            scratch.program.size()
        })
    }

    /// Small edits that lead from this tree to another one, each with the edit that takes it back.
    ///
    /// # Errors
    ///
    /// When one of the trees is not a program, or edits as small as the grammar says do not lead
    /// everywhere.
    fn edit_path(&self, target: &Self, rng: &mut Rng) -> Result<Vec<Mutation>, Error> {
        let engine = Self::language().engine()?;
        let (source, target) = (self.to_program()?, target.to_program()?);
        let mutator = engine.mutator(root::<Self>())?;
        let steps = mutator.path(&source, &target, PathMode::Plain, rng)?;
        let step = |step: crate::tree::diff::Step| {
            let edit = |replacement| Edit {
                position: step.position,
                replacement,
            };
            Mutation {
                edit: edit(step.new),
                inverse: edit(step.old),
            }
        };
        Ok(steps.map(step).collect())
    }

    /// The tree as a program of the dynamic API.
    ///
    /// # Errors
    ///
    /// When it is not one: an operator that needs brackets, an empty list of one item or more, or
    /// nesting past [`MAX_DEPTH`](super::MAX_DEPTH).
    fn to_program(&self) -> Result<Program, Error> {
        let engine = Self::language().engine()?;
        let mut program = Program::default();
        write(engine, self, &mut program)?;
        Ok(program)
    }

    /// The tree of a program of the dynamic API.
    ///
    /// # Errors
    ///
    /// When the program is not one of this sort, or nested too deeply.
    fn from_program(program: &Program) -> Result<Self, Error> {
        let engine = Self::language().engine()?;
        if !engine.is_valid(root::<Self>(), program) {
            return Err(engine.other_sort(root::<Self>()));
        }
        read(engine, program)
    }

    /// What the tree draws. For the start sort of a language with a canvas.
    ///
    /// # Errors
    ///
    /// When it draws nothing, or is not a program.
    fn scene(&self) -> Result<Scene, Error> {
        let engine = Self::language().engine()?;
        let program = self.to_program()?;
        if engine.grammar().start != root::<Self>() {
            return Err(engine.other_sort(engine.grammar().start));
        }
        Ok(eval::lower(engine.grammar(), &program)?)
    }

    /// Its picture as SVG text.
    ///
    /// # Errors
    ///
    /// When it draws nothing, or is not a program.
    fn to_svg(&self) -> Result<String, Error> {
        Ok(svg::write(&self.scene()?, &SvgOptions::default())?)
    }

    /// Writes the text, for `Display`. A tree that is not a program has a text too, which is read as
    /// another tree or not at all.
    #[doc(hidden)]
    fn display(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let engine = Self::language().engine().map_err(|_| fmt::Error)?;
        with_scratch(|scratch| {
            let Scratch { program, text, .. } = scratch;
            let _ = write(engine, self, program);
            text.clear();
            let compiled = &engine.compiled;
            print_into(&compiled.grammar, &compiled.syntax, program, text);
            f.pad(text)
        })
    }
}

fn root<T: Tree>() -> NtId {
    NtId(T::NONTERMINAL)
}

/// Buffers, kept for each thread.
#[derive(Default)]
struct Scratch {
    program: Program,
    sample: SampleScratch,
    mutate: MutateScratch,
    text: String,
}

/// Nodes and bytes above which buffers are not kept.
const KEPT: usize = 1 << 16;

thread_local! {
    static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

fn with_scratch<T>(work: impl FnOnce(&mut Scratch) -> T) -> T {
    // Taken out, so that a call within a call finds none and makes its own.
    let mut scratch = SCRATCH.take().unwrap_or_default();
    let out = work(&mut scratch);
    if scratch.program.nodes.capacity() <= KEPT && scratch.text.capacity() <= KEPT {
        SCRATCH.set(Some(scratch));
    }
    out
}

fn write<T: Tree>(engine: &Engine, tree: &T, program: &mut Program) -> Result<(), Error> {
    let mut writer = Writer::new(engine, program);
    tree.write(Place(root::<T>()), &mut writer);
    writer.finish()
}

/// The tree of a valid program.
fn read<T: Tree>(engine: &Engine, program: &Program) -> Result<T, Error> {
    Reader::new(engine, program)
        .whole()
        .unwrap_or_else(|| Err(engine.other_sort(root::<T>())))
}

fn splice<T: Tree>(engine: &Engine, tree: &mut T, edit: &Edit) -> Result<(), Error> {
    let mut walk = Splice::new(engine, edit);
    tree.splice(&mut walk);
    walk.outcome().map_err(|error| {
        error.unwrap_or_else(|| Error::OtherPlace {
            sort: engine.name(root::<T>()),
            position: edit.position,
        })
    })
}

fn mutate<T: Tree>(
    tree: &mut T,
    propose: impl FnOnce(
        &crate::mutate::Mutator<'static>,
        &Program,
        &mut MutateScratch,
        &mut Edit,
    ) -> bool,
) -> Result<Mutation, Error> {
    let engine = T::language().engine()?;
    let mutator = engine.mutator(root::<T>())?;
    with_scratch(|scratch| {
        let Scratch {
            program, mutate, ..
        } = scratch;
        write(engine, tree, program)?;
        let mut edit = Edit::default();
        if !propose(mutator, program, mutate, &mut edit) {
            return Err(Error::NothingToChange);
        }
        splice(engine, tree, &edit)?;
        let inverse = Edit {
            position: edit.position,
            replacement: engine.layout.extract(program, edit.position),
        };
        Ok(Mutation { edit, inverse })
    })
}
