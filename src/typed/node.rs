//! How typed trees become nodes and nodes become typed trees.
//!
//! In: a [`Node`] type of a generated module. Out: nodes in preorder through a [`Writer`], a value
//! from a [`Reader`], a part replaced through a [`Splice`]. Afterwards the first thing that keeps
//! a tree from being a program is known, and nothing has gone deeper than [`MAX_DEPTH`].
//!
//! Depth is counted where recursion has to pass: in boxes and lists.

use super::language::{Engine, Kind, Slot};
use super::{Error, MAX_DEPTH};
use crate::grammar::ids::{NtId, ProdId};
use crate::grammar::ir::SizeMetric;
use crate::tree::program::Node as ProgramNode;
use crate::tree::{Edit, Program};

/// What may stand at a place of a program: a nonterminal.
#[derive(Clone, Copy, Debug)]
pub struct Place(pub(super) NtId);

/// The places of a production's children, in order.
#[derive(Clone, Debug)]
pub struct Children<'a>(std::slice::Iter<'a, NtId>);

impl Children<'_> {
    /// The next child's place. Past the last one it is a place where nothing fits.
    #[inline]
    #[must_use]
    pub fn place(&mut self) -> Place {
        Place(self.0.next().copied().unwrap_or(NtId(u16::MAX)))
    }
}

/// A value that has nodes: a sort, a token, a list, an option.
pub trait Node: Sized {
    /// Writes the nodes of `self`, which stands at this place.
    fn write(&self, at: Place, to: &mut Writer<'_>);

    /// Reads the next nodes; `None` when they are of another kind, or nested too deeply.
    fn read(from: &mut Reader<'_>) -> Option<Self>;

    /// Walks over the nodes of `self` towards the place of an edit; true when it has been reached.
    fn splice(&mut self, at: &mut Splice<'_>) -> bool;
}

/// The fields of a production.
pub trait Fields: Sized {
    /// The production's id.
    const PRODUCTION: u16;

    /// Writes the fields; `at` are their places.
    fn write_fields(&self, at: Children<'_>, to: &mut Writer<'_>);

    /// Reads the fields.
    fn read_fields(from: &mut Reader<'_>) -> Option<Self>;

    /// Walks over the fields.
    fn splice_fields(&mut self, at: &mut Splice<'_>) -> bool;
}

/// What keeps a tree from being a program.
#[derive(Clone, Copy, Debug)]
enum Problem {
    Brackets(ProdId, NtId),
    EmptyList(NtId),
    TooDeep,
}

/// Takes the nodes of a tree. Lengths and sizes are filled in on the way: a node's size is what has
/// been added since it was begun.
#[derive(Debug)]
pub struct Writer<'a> {
    engine: &'a Engine,
    program: &'a mut Program,
    /// Sum of what all nodes so far add to the size.
    size: u32,
    depth: usize,
    problem: Option<Problem>,
}

impl<'a> Writer<'a> {
    /// Nodes go into this program, which is emptied.
    pub(super) fn new(engine: &'a Engine, program: &'a mut Program) -> Writer<'a> {
        program.nodes.clear();
        program.texts.clear();
        Writer {
            engine,
            program,
            size: 0,
            depth: 0,
            problem: None,
        }
    }

    /// Completes the program: lengths and sizes.
    pub(super) fn finish(self) -> Result<(), Error> {
        // A depth is not a sum.
        if self.engine.layout.metric() == SizeMetric::Depth {
            self.engine.layout.annotate(self.program);
        }
        let Some(problem) = self.problem else {
            return Ok(());
        };
        let grammar = self.engine.grammar();
        Err(match problem {
            Problem::Brackets(production, place) => Error::Brackets {
                production: grammar.production(production).name.as_str().into(),
                place: match self.engine.slots.get(place.index()) {
                    Some(Slot::Sort { level, .. }) if *level > 0 => {
                        let name = self.engine.name(place);
                        let least = grammar.production_ids().find(|id| {
                            let production = grammar.production(*id);
                            let of = &grammar.nonterminal(place).productions;
                            production.level == *level && of.contains(id)
                        });
                        let least = least.map_or("", |id| &grammar.production(id).name);
                        format!("an operand that binds like `{least}` or tighter ({name})").into()
                    }
                    _ => self.engine.name(place),
                },
            },
            Problem::EmptyList(list) => {
                let of = match grammar.nonterminal(list).kind {
                    crate::grammar::ir::NonterminalKind::List { item, .. } => item,
                    _ => list,
                };
                Error::EmptyList {
                    item: self.engine.name(of),
                }
            }
            Problem::TooDeep => Error::TooDeep,
        })
    }

    /// A node without fields.
    #[inline]
    pub fn unit(&mut self, id: u16, at: Place) {
        self.begin(id, at);
    }

    /// A node with fields.
    #[inline]
    pub fn node<P: Fields>(&mut self, node: &P, at: Place) {
        let (first, before) = (self.program.nodes.len(), self.size);
        if let Some(children) = self.begin(P::PRODUCTION, at) {
            node.write_fields(children, self);
            self.end(first, before);
        }
    }

    /// A node of a production; gives its children's places.
    #[inline]
    fn begin(&mut self, id: u16, at: Place) -> Option<Children<'a>> {
        let engine = self.engine;
        let row = engine.rows.get(usize::from(id))?;
        match (row.kind, engine.slots.get(at.0.index())) {
            (
                Kind::Sort { sort, level },
                Some(Slot::Sort {
                    sort: other,
                    level: least,
                }),
            ) if sort == *other && level >= *least => {}
            _ => self.fail(Problem::Brackets(ProdId(id), at.0)),
        }
        self.push(ProdId(id), 0, row.cost);
        Some(Children(engine.layout.children(ProdId(id)).iter()))
    }

    /// Completes the node that was begun at `first`, when the sizes added up to `before`.
    #[inline]
    fn end(&mut self, first: usize, before: u32) {
        let (len, size) = (self.program.nodes.len() - first, self.size - before);
        if let Some(node) = self.program.nodes.get_mut(first) {
            node.len = len as u32;
            node.size = size;
        }
    }

    /// A number's or a finite token's node.
    #[inline]
    pub fn token(&mut self, id: u16, value: u32) {
        let row = self.engine.rows.get(usize::from(id));
        if let Some(row) = row.filter(|row| matches!(row.kind, Kind::Token(_))) {
            self.push(ProdId(id), value, row.cost);
        }
    }

    /// A text token's node.
    #[inline]
    pub fn text(&mut self, id: u16, text: &str) {
        let rank = self.program.texts.len() as u32;
        self.token(id, rank);
        self.program.texts.push(text.into());
    }

    /// A node; what it adds to the size is `cost`.
    #[inline]
    fn push(&mut self, production: ProdId, value: u32, cost: u32) {
        self.size = self.size.saturating_add(cost);
        self.program.nodes.push(ProgramNode {
            production,
            value,
            len: 1,
            size: cost,
        });
    }

    /// The end of a list.
    fn nil(&mut self, place: NtId) {
        let engine = self.engine;
        match engine.slots.get(place.index()) {
            Some(Slot::List { nil: Some(nil), .. }) => self.push(*nil, 0, 0),
            Some(Slot::List { nil: None, cons }) => {
                self.fail(Problem::EmptyList(place));
                // So that it can be shown all the same: the end of the list behind a first item.
                let rest = engine.layout.children(*cons).get(1);
                let rest = rest.and_then(|nt| engine.slots.get(nt.index()));
                if let Some(Slot::List { nil: Some(nil), .. }) = rest {
                    self.push(*nil, 0, 0);
                }
            }
            _ => {}
        }
    }

    #[cold]
    fn fail(&mut self, problem: Problem) {
        self.problem.get_or_insert(problem);
    }

    /// One level down; false when that is too deep.
    #[inline]
    fn enter(&mut self) -> bool {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            self.fail(Problem::TooDeep);
        }
        self.depth <= MAX_DEPTH
    }
}

/// Gives the nodes of a program, one after the other.
#[derive(Debug)]
pub struct Reader<'a> {
    engine: &'a Engine,
    program: &'a Program,
    next: usize,
    depth: usize,
    too_deep: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(engine: &'a Engine, program: &'a Program) -> Reader<'a> {
        Reader {
            engine,
            program,
            next: 0,
            depth: 0,
            too_deep: false,
        }
    }

    /// The whole program as a value.
    pub(super) fn whole<T: Node>(mut self) -> Option<Result<T, Error>> {
        match T::read(&mut self) {
            Some(tree) => Some(Ok(tree)),
            None if self.too_deep => Some(Err(Error::TooDeep)),
            None => None,
        }
    }

    /// The next node's production.
    #[inline]
    pub fn production(&mut self) -> Option<u16> {
        let node = self.program.nodes.get(self.next)?;
        self.next += 1;
        Some(node.production.0)
    }

    /// The fields of a production, as a value of its sort.
    #[inline]
    pub fn fields<P: Fields, S>(&mut self, wrap: impl FnOnce(P) -> S) -> Option<S> {
        P::read_fields(self).map(wrap)
    }

    /// The value of the next node, which is of this token.
    #[inline]
    pub fn token(&mut self, id: u16) -> Option<u32> {
        let node = self.program.nodes.get(self.next)?;
        self.next += 1;
        (node.production.0 == id).then_some(node.value)
    }

    /// The text of the next node, which is of this token.
    #[inline]
    pub fn text(&mut self, id: u16) -> Option<&'a str> {
        let rank = self.token(id)?;
        self.program.texts.get(rank as usize).map(|text| &**text)
    }

    #[inline]
    fn kind(&mut self) -> Option<Kind> {
        let id = self.production()?;
        self.engine.rows.get(usize::from(id)).map(|row| row.kind)
    }

    #[inline]
    fn enter(&mut self) -> Option<()> {
        self.depth += 1;
        self.too_deep |= self.depth > MAX_DEPTH;
        (self.depth <= MAX_DEPTH).then_some(())
    }
}

/// Walks to the place of an edit and puts its replacement there.
#[derive(Debug)]
pub struct Splice<'a> {
    /// Nodes before the place.
    left: usize,
    replacement: Reader<'a>,
    done: bool,
}

impl<'a> Splice<'a> {
    pub(super) fn new(engine: &'a Engine, edit: &'a Edit) -> Splice<'a> {
        Splice {
            left: edit.position,
            replacement: Reader::new(engine, &edit.replacement),
            done: false,
        }
    }

    /// Whether the replacement stands in its place, and if not, whether it was too deep.
    pub(super) fn outcome(self) -> Result<(), Option<Error>> {
        match (self.done, self.replacement.too_deep) {
            (true, _) => Ok(()),
            (false, true) => Err(Some(Error::TooDeep)),
            (false, false) => Err(None),
        }
    }

    /// At the next node: whether it is the place. Otherwise the walk goes on behind it.
    #[inline]
    pub fn is_here(&mut self) -> bool {
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                false
            }
            None => true,
        }
    }

    /// Puts the replacement into the place, when it is of the right kind. Always true: the walk
    /// is over.
    pub fn replace<T: Node>(&mut self, place: &mut T) -> bool {
        if let Some(new) = T::read(&mut self.replacement) {
            *place = new;
            self.done = true;
        }
        true
    }
}

impl<P: Fields> Fields for Box<P> {
    const PRODUCTION: u16 = P::PRODUCTION;

    fn write_fields(&self, at: Children<'_>, to: &mut Writer<'_>) {
        (**self).write_fields(at, to);
    }

    fn read_fields(from: &mut Reader<'_>) -> Option<Self> {
        P::read_fields(from).map(Box::new)
    }

    fn splice_fields(&mut self, at: &mut Splice<'_>) -> bool {
        (**self).splice_fields(at)
    }
}

impl<T: Node> Node for Box<T> {
    fn write(&self, at: Place, to: &mut Writer<'_>) {
        if to.enter() {
            (**self).write(at, to);
        }
        to.depth -= 1;
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        from.enter()?;
        let inner = T::read(from).map(Box::new);
        from.depth -= 1;
        inner
    }

    fn splice(&mut self, at: &mut Splice<'_>) -> bool {
        at.replacement.depth += 1;
        let over = (**self).splice(at);
        at.replacement.depth = at.replacement.depth.saturating_sub(1);
        over
    }
}

impl<T: Node> Node for Option<T> {
    fn write(&self, at: Place, to: &mut Writer<'_>) {
        let Some(Slot::Optional { none, some }) = to.engine.slots.get(at.0.index()) else {
            return;
        };
        match self {
            None => to.push(*none, 0, 0),
            Some(item) => {
                let (first, before) = (to.program.nodes.len(), to.size);
                to.push(*some, 0, 0);
                let mut children = Children(to.engine.layout.children(*some).iter());
                item.write(children.place(), to);
                to.end(first, before);
            }
        }
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        match from.kind()? {
            Kind::None => Some(None),
            Kind::Some => T::read(from).map(Some),
            _ => None,
        }
    }

    fn splice(&mut self, at: &mut Splice<'_>) -> bool {
        if at.is_here() {
            return at.replace(self);
        }
        match self {
            Some(item) => item.splice(at),
            None => false,
        }
    }
}

impl<T: Node> Node for Vec<T> {
    fn write(&self, at: Place, to: &mut Writer<'_>) {
        let engine = to.engine;
        let mut place = at.0;
        let (first, before) = (to.program.nodes.len(), to.size);
        if to.enter() {
            for item in self {
                let Some(Slot::List { cons, .. }) = engine.slots.get(place.index()) else {
                    break;
                };
                to.push(*cons, 0, 0);
                let mut children = Children(engine.layout.children(*cons).iter());
                item.write(children.place(), to);
                place = children.place().0;
            }
            to.nil(place);
            // The list behind each item, in the same order.
            let mut cons = first;
            let (end, mut left) = (to.program.nodes.len(), to.size - before);
            for _ in self {
                let head = to.program.nodes.get(cons + 1).copied();
                let (Some(node), Some(head)) = (to.program.nodes.get_mut(cons), head) else {
                    break;
                };
                node.len = (end - cons) as u32;
                node.size = left;
                left = left.saturating_sub(head.size);
                cons += 1 + head.len as usize;
            }
        }
        to.depth -= 1;
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        from.enter()?;
        let mut items = Vec::new();
        loop {
            match from.kind()? {
                Kind::Nil => break,
                Kind::Cons => items.push(T::read(from)?),
                _ => return None,
            }
        }
        from.depth -= 1;
        Some(items)
    }

    fn splice(&mut self, at: &mut Splice<'_>) -> bool {
        let mut index = 0;
        loop {
            // The node of the list behind the first `index` items.
            if at.is_here() {
                if let Some(rest) = Self::read(&mut at.replacement) {
                    self.truncate(index);
                    self.extend(rest);
                    at.done = true;
                }
                return true;
            }
            let Some(item) = self.get_mut(index) else {
                return false;
            };
            at.replacement.depth += 1;
            let over = item.splice(at);
            at.replacement.depth = at.replacement.depth.saturating_sub(1);
            if over {
                return true;
            }
            index += 1;
        }
    }
}
