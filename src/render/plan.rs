//! What is drawn, in the fewest plain terms: the one place that turns regions into shapes with
//! numbers.
//!
//! In: a `Scene`. Out: a [`Plan`]: shapes whose numbers are final (transforms worked in, rounded
//! as they are written), under a tree of unions and products. Afterwards
//!
//! - chains are flat: `a + b + c` is one union, `a - b - c` one product;
//! - nothing empty is left, and the whole plane stands only where it shows;
//! - every node's id is greater than its children's, so one pass upwards sees children first.
//!
//! A product is `base * keeps * (1 - cuts)`, which covers differences and intersections of any
//! nesting; both are the same whatever their order.

use super::RenderError;
use super::place::{Affine, IDENTITY, Primitive, compose, place};
use crate::scene::{Content, Layer, Region, RegionId, Scene, Shape};

/// Most shapes a drawing may have once shared regions are written out.
pub const MAX_SHAPES: usize = 250_000;

/// Most regions a drawing may have once shared ones are written out.
pub(crate) const MAX_VISITS: usize = 4 * MAX_SHAPES;

/// A node of a [`Plan`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NodeId(u32);

impl NodeId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// Siblings, linked through [`Node::next`], so that joining two lists costs nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct List {
    first: Option<NodeId>,
    last: Option<NodeId>,
}

impl List {
    const EMPTY: List = List {
        first: None,
        last: None,
    };

    fn one(node: NodeId) -> List {
        List {
            first: Some(node),
            last: Some(node),
        }
    }

    pub(crate) fn is_empty(self) -> bool {
        self.first.is_none()
    }
}

/// A node: coverage in the plane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    next: Option<NodeId>,
}

/// What a node covers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// The whole plane.
    All,
    /// A shape, index into [`Plan::shapes`].
    Shape(u32),
    /// Any of two or more; none of them a union.
    Union(List),
    /// The base inside every keep and outside every cut. The base and the keeps are never
    /// products; keeps are never the whole plane; cuts are never unions.
    Product {
        base: NodeId,
        keeps: List,
        cuts: List,
    },
}

/// A scene's shapes and how they combine.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) nodes: Vec<Node>,
    pub(crate) shapes: Vec<Primitive>,
    /// One for ink, one for each layer; `None` shows nothing.
    pub(crate) roots: Vec<Option<NodeId>>,
}

/// Lowers a scene.
pub(crate) fn lower(scene: &Scene) -> Result<Plan, RenderError> {
    let mut plan = Plan::default();
    let mut budget = MAX_VISITS;
    match &scene.content {
        Content::Ink(region) => {
            let root = plan.region(&scene.regions, *region, IDENTITY, &mut budget)?;
            plan.roots.push(root);
        }
        Content::Layers(layers) => {
            for Layer { region, offset, .. } in layers {
                let (x, y) = *offset;
                let at = [1.0, 0.0, 0.0, 1.0, f64::from(x), f64::from(y)];
                let root = plan.region(&scene.regions, *region, at, &mut budget)?;
                plan.roots.push(root);
            }
        }
    }
    Ok(plan)
}

/// Lowers one region in a map.
pub(crate) fn lower_region(
    regions: &[Region],
    region: RegionId,
    at: Affine,
) -> Result<(Plan, Option<NodeId>), RenderError> {
    let mut plan = Plan::default();
    let mut budget = MAX_VISITS;
    let root = plan.region(regions, region, at, &mut budget)?;
    Ok((plan, root))
}

enum Task {
    Visit(RegionId, Affine),
    Union,
    Difference,
    Intersection,
}

impl Plan {
    /// The node.
    pub(crate) fn kind(&self, id: NodeId) -> Kind {
        self.nodes[id.index()].kind
    }

    /// The members of a list, in order.
    pub(crate) fn list(&self, list: List) -> impl Iterator<Item = NodeId> + '_ {
        let mut at = list.first;
        std::iter::from_fn(move || {
            let node = at?;
            at = if list.last == Some(node) {
                None
            } else {
                self.nodes[node.index()].next
            };
            Some(node)
        })
    }

    /// A list without its first member.
    pub(crate) fn rest(&self, list: List) -> List {
        match list.first {
            Some(first) if list.last != Some(first) => List {
                first: self.nodes[first.index()].next,
                last: list.last,
            },
            _ => List::EMPTY,
        }
    }

    /// The first member.
    pub(crate) fn first(&self, list: List) -> Option<NodeId> {
        list.first
    }

    /// All node ids, children before what holds them.
    pub(crate) fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len() as u32).map(NodeId)
    }

    /// Whether each node up to `root` is part of it; flattening leaves some behind.
    pub(crate) fn used(&self, root: NodeId) -> Vec<bool> {
        let mut used = vec![false; root.index() + 1];
        let mut stack = vec![root];
        while let Some(node) = stack.pop() {
            used[node.index()] = true;
            match self.kind(node) {
                Kind::All | Kind::Shape(_) => {}
                Kind::Union(list) => stack.extend(self.list(list)),
                Kind::Product { base, keeps, cuts } => {
                    stack.push(base);
                    stack.extend(self.list(keeps));
                    stack.extend(self.list(cuts));
                }
            }
        }
        used
    }

    /// How deeply a reader of the SVG has to nest for each node, masks included.
    pub(crate) fn depths(&self) -> Vec<u32> {
        let mut depths = vec![1u32; self.nodes.len()];
        for id in self.ids() {
            let deepest = |list: List| {
                let all = self.list(list).map(|n| depths[n.index()]);
                all.max().unwrap_or(0)
            };
            let depth = match self.kind(id) {
                Kind::All | Kind::Shape(_) => 1,
                Kind::Union(list) => deepest(list).saturating_add(1),
                Kind::Product { base, keeps, cuts } => {
                    let mut below = depths[base.index()];
                    let mut level = 1u32;
                    for keep in self.list(keeps) {
                        below = below.max(depths[keep.index()].saturating_add(level));
                        level = level.saturating_add(1);
                    }
                    below = below.max(deepest(cuts).saturating_add(level));
                    below.saturating_add(1)
                }
            };
            depths[id.index()] = depth;
        }
        depths
    }

    fn region(
        &mut self,
        regions: &[Region],
        root: RegionId,
        at: Affine,
        budget: &mut usize,
    ) -> Result<Option<NodeId>, RenderError> {
        let mut tasks = vec![Task::Visit(root, at)];
        let mut values: Vec<Option<NodeId>> = Vec::new();
        while let Some(task) = tasks.pop() {
            let value = match task {
                Task::Visit(id, at) => {
                    *budget = budget.checked_sub(1).ok_or(RenderError::TooManyShapes)?;
                    let region = regions.get(id.0 as usize).unwrap_or(&Region::Empty);
                    let (join, a, b) = match *region {
                        Region::Empty => {
                            values.push(None);
                            continue;
                        }
                        Region::Everything => {
                            let node = self.node(Kind::All);
                            values.push(Some(node));
                            continue;
                        }
                        Region::Shape { ref shape, at: own } => {
                            let node = self.shape(shape, &compose(&at, &own))?;
                            values.push(node);
                            continue;
                        }
                        Region::Transform(inner, own) => {
                            tasks.push(Task::Visit(inner, compose(&at, &own)));
                            continue;
                        }
                        Region::Union(a, b) => (Task::Union, a, b),
                        Region::Difference(a, b) => (Task::Difference, a, b),
                        Region::Intersection(a, b) => (Task::Intersection, a, b),
                    };
                    tasks.push(join);
                    tasks.push(Task::Visit(b, at));
                    tasks.push(Task::Visit(a, at));
                    continue;
                }
                // Operands were pushed left first.
                Task::Union => {
                    let (b, a) = (values.pop().flatten(), values.pop().flatten());
                    self.union(a, b)
                }
                Task::Difference => {
                    let (b, a) = (values.pop().flatten(), values.pop().flatten());
                    self.difference(a, b)
                }
                Task::Intersection => {
                    let (b, a) = (values.pop().flatten(), values.pop().flatten());
                    a.zip(b).map(|(a, b)| self.intersection(a, b))
                }
            };
            values.push(value);
        }
        Ok(values.pop().flatten())
    }

    fn node(&mut self, kind: Kind) -> NodeId {
        let id = NodeId(self.nodes.len() as u32);
        self.nodes.push(Node { kind, next: None });
        id
    }

    fn shape(&mut self, shape: &Shape, at: &Affine) -> Result<Option<NodeId>, RenderError> {
        if self.shapes.len() >= MAX_SHAPES {
            return Err(RenderError::TooManyShapes);
        }
        let Some(primitive) = place(shape, at) else {
            return Ok(None);
        };
        let index = self.shapes.len() as u32;
        self.shapes.push(primitive);
        Ok(Some(self.node(Kind::Shape(index))))
    }

    fn join(&mut self, a: List, b: List) -> List {
        match (a.last, b.first) {
            (Some(last), Some(first)) => {
                self.nodes[last.index()].next = Some(first);
                List {
                    first: a.first,
                    last: b.last,
                }
            }
            (Some(_), None) => a,
            _ => b,
        }
    }

    /// The members of a union, or the node alone.
    fn members(&self, node: NodeId) -> List {
        match self.kind(node) {
            Kind::Union(list) => list,
            _ => List::one(node),
        }
    }

    /// A node that covers what any of a list covers.
    fn any(&mut self, list: List) -> Option<NodeId> {
        if list.first == list.last {
            list.first
        } else {
            Some(self.node(Kind::Union(list)))
        }
    }

    fn union(&mut self, a: Option<NodeId>, b: Option<NodeId>) -> Option<NodeId> {
        let (Some(a), Some(b)) = (a, b) else {
            return a.or(b);
        };
        if matches!(self.kind(a), Kind::All) {
            return Some(a);
        }
        if matches!(self.kind(b), Kind::All) {
            return Some(b);
        }
        let (left, right) = (self.members(a), self.members(b));
        let list = self.join(left, right);
        Some(self.node(Kind::Union(list)))
    }

    /// A node as base, keeps and cuts.
    fn factors(&self, node: NodeId) -> (NodeId, List, List) {
        match self.kind(node) {
            Kind::Product { base, keeps, cuts } => (base, keeps, cuts),
            _ => (node, List::EMPTY, List::EMPTY),
        }
    }

    fn difference(&mut self, a: Option<NodeId>, b: Option<NodeId>) -> Option<NodeId> {
        let (a, Some(b)) = (a?, b) else {
            return a;
        };
        if matches!(self.kind(b), Kind::All) {
            return None;
        }
        // Taking away all but something keeps that something.
        let (other, keeps, cuts) = self.factors(b);
        if matches!(self.kind(other), Kind::All) && keeps.is_empty() {
            let kept = self.any(cuts)?;
            return Some(self.intersection(a, kept));
        }
        let (base, keeps, cuts) = self.factors(a);
        let members = self.members(b);
        let cuts = self.join(cuts, members);
        Some(self.node(Kind::Product { base, keeps, cuts }))
    }

    fn intersection(&mut self, a: NodeId, b: NodeId) -> NodeId {
        let (base_a, keeps_a, cuts_a) = self.factors(a);
        let (base_b, keeps_b, cuts_b) = self.factors(b);
        let a_is_all = matches!(self.kind(base_a), Kind::All);
        let b_is_all = matches!(self.kind(base_b), Kind::All);
        // A product whose base is the whole plane has no keeps: the first would be its base.
        let base = if a_is_all { base_b } else { base_a };
        let keeps = if a_is_all || b_is_all {
            self.join(keeps_a, keeps_b)
        } else {
            let more = self.join(List::one(base_b), keeps_b);
            self.join(keeps_a, more)
        };
        let cuts = self.join(cuts_a, cuts_b);
        if keeps.is_empty() && cuts.is_empty() {
            return base;
        }
        self.node(Kind::Product { base, keeps, cuts })
    }
}
