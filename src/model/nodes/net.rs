//! The network that reads programs node by node.
//!
//! In: [`Input`]: pictures, the rows of all nodes of all programs, their glimpses. Out: [`Read`], what it makes of each
//! node and of the pictures; from that, scores of places and of tokens. Afterwards nothing was padded: programs stand one
//! behind the other, and attention stays within each.
//!
//! A few convolutions make of the pictures a grid of tokens. Each layer then lets nodes look at each other, both ways, and
//! at the grid. A place is one of the nodes, so its score is one number a node. What is written there is
//! written by a smaller transformer, token by token, which looks at the grid too and has the node's row added to each
//! of its own.
//!
//! Projections to queries, keys and scores have no bias: one that is the same for all options of a softmax has no
//! gradient.

use std::sync::Arc;

use candle_core::{Result, Tensor};

use super::rows::Sizes;
use crate::model::config::NodesConfig;
use crate::model::decoder::{Affine, Built, Norm};
use crate::model::ops::{
    Bags, Conv, Segments, Window, avg_pool, bag, conv2d, embed, gelu, linear, mix,
    ragged_attention, relu,
};
use crate::model::weights::{Builder, Start};
use crate::render::bits::GLIMPSE;

/// Deviation of fresh rows of tables, as GPT-2 has it.
const DEVIATION: f64 = 0.02;

/// Pixels of the grid on a side: of a picture that was averaged down and halved three times.
pub fn grid(config: &NodesConfig, pixels: usize, longest: usize) -> usize {
    let side = pixels.div_ceil(shrink(config, longest));
    (0..3).fold(side, |side: usize, _| side.div_ceil(2))
}

/// How many pixels on a side become one.
fn shrink(config: &NodesConfig, longest: usize) -> usize {
    longest.div_ceil(config.pixels).max(1)
}

/// A projection without a bias.
#[derive(Clone, Debug)]
struct Map(Tensor);

impl Map {
    fn new(b: &mut Builder, name: &str, [inputs, outputs]: [usize; 2], scale: f64) -> Built<Map> {
        let deviation = scale / (inputs as f64).sqrt();
        let shape = [outputs, inputs];
        Ok(Map(b.var(name, &shape, Start::Normal(deviation))?))
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        linear(x, &self.0, None)
    }
}

#[derive(Clone, Debug)]
struct Layer {
    heads: usize,
    norms: [Norm; 3],
    own: [Map; 3],
    other: [Map; 3],
    up: Affine,
    down: Affine,
}

impl Layer {
    /// `layers`: how many of them add up.
    fn new(b: &mut Builder, width: usize, heads: usize, layers: usize) -> Built<Layer> {
        let last = 1.0 / (3.0 * layers as f64).sqrt();
        let inside = 1.0 / (width as f64).sqrt();
        let attention = |b: &mut Builder, name: &str| -> Built<[Map; 3]> {
            b.within(name, |b| {
                Ok([
                    Map::new(b, "query", [width, width], 1.0)?,
                    Map::new(b, "keys", [width, 2 * width], 1.0)?,
                    Map::new(b, "out", [width, width], last)?,
                ])
            })
        };
        Ok(Layer {
            heads,
            norms: [
                Norm::new(b, "norm1", width)?,
                Norm::new(b, "norm2", width)?,
                Norm::new(b, "norm3", width)?,
            ],
            own: attention(b, "own")?,
            other: attention(b, "picture")?,
            up: Affine::new(b, "up", [width, 4 * width], inside)?,
            down: Affine::new(b, "down", [4 * width, width], last * inside / 2.0)?,
        })
    }

    fn forward(
        &self,
        x: &Tensor,
        own: &Arc<Segments>,
        picture: &Tensor,
        other: &Arc<Segments>,
    ) -> Result<Tensor> {
        let [query, keys, out] = &self.own;
        let seen = self.norms[0].forward(x)?;
        let (q, kv) = (query.forward(&seen)?, keys.forward(&seen)?);
        let seen = ragged_attention(&q, &kv, self.heads, Arc::clone(own))?;
        let x = mix(&out.forward(&seen)?, 1.0, x)?;
        let [query, keys, out] = &self.other;
        let q = query.forward(&self.norms[1].forward(&x)?)?;
        let kv = keys.forward(picture)?;
        let seen = ragged_attention(&q, &kv, self.heads, Arc::clone(other))?;
        let x = mix(&out.forward(&seen)?, 1.0, &x)?;
        let wide = gelu(&self.up.forward(&self.norms[2].forward(&x)?)?)?;
        mix(&self.down.forward(&wide)?, 1.0, &x)
    }
}

/// A convolution with rectified results.
#[derive(Clone, Debug)]
struct Filter {
    weight: Tensor,
    bias: Tensor,
    conv: Conv,
}

impl Filter {
    fn new(
        b: &mut Builder,
        name: &str,
        [inputs, outputs]: [usize; 2],
        stride: usize,
    ) -> Built<Filter> {
        b.within(name, |b| {
            let deviation = (2.0 / (9.0 * inputs as f64)).sqrt();
            let shape = [outputs, 3, 3, inputs];
            Ok(Filter {
                weight: b.var("weight", &shape, Start::Normal(deviation))?,
                bias: b.var("bias", &[outputs], Start::Constant(0.0))?,
                conv: Conv::square(3, stride),
            })
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        conv2d(x, &self.weight, &self.bias, self.conv)
    }

    fn rectified(mut self) -> Filter {
        self.conv = self.conv.rectified();
        self
    }
}

/// Programs and pictures, as the network takes them.
#[derive(Clone, Debug)]
pub struct Input {
    /// Target, current picture and difference: `(programs, height, width, planes)`.
    pub planes: Tensor,
    /// Of the table's rows, what each node of each program is the sum of.
    pub bags: Arc<Bags>,
    /// Where the nodes of each program end.
    pub ends: Vec<u32>,
    /// All glimpses: `(glimpses, bytes)`, from 0 to 1.
    pub glimpses: Tensor,
    /// The glimpse of each node.
    pub glimpse_of: Arc<[u32]>,
}

/// What the network makes of an input.
#[derive(Clone, Debug)]
pub struct Read {
    /// `(nodes, width)`.
    pub nodes: Tensor,
    /// `(programs * grid, width)`.
    pub picture: Tensor,
    grid: usize,
}

/// Tokens to be written, of several sequences.
#[derive(Clone, Debug, Default)]
pub struct Writing {
    /// Of the table's rows, what each row is the sum of.
    pub bags: Bags,
    /// Where each sequence ends.
    pub ends: Vec<u32>,
    /// Where the rows of each program end.
    pub programs: Vec<u32>,
    /// The node at which each row's sequence is written.
    pub at: Vec<u32>,
}

/// The network.
#[derive(Clone, Debug)]
pub struct Net {
    shrink: usize,
    filters: Vec<Filter>,
    deep: [Filter; 2],
    places: Tensor,
    picture: Norm,
    table: Tensor,
    glimpse: [Affine; 2],
    layers: Vec<Layer>,
    norm: Norm,
    pointer: Map,
    tokens: Tensor,
    place: Map,
    writers: Vec<Layer>,
    last: Norm,
    head: Map,
}

impl Net {
    pub(super) fn new(
        b: &mut Builder,
        config: &NodesConfig,
        [height, width, channels]: [usize; 3],
        sizes: Sizes,
    ) -> Built<Net> {
        let d = config.width;
        let longest = height.max(width);
        let cells = grid(config, height, longest) * grid(config, width, longest);
        let table =
            |b: &mut Builder, name: &str, rows| b.var(name, &[rows, d], Start::Normal(DEVIATION));
        let mut inputs = 3 * channels;
        let mut filters = Vec::new();
        for (number, outputs) in config.channels.into_iter().chain([d]).enumerate() {
            let name = format!("picture.{number}");
            filters.push(Filter::new(b, &name, [inputs, outputs], 2)?.rectified());
            inputs = outputs;
        }
        let layers = |b: &mut Builder, part: &str, count: usize| {
            let of = |layer| {
                b.within(&format!("{part}.{layer}"), |b| {
                    Layer::new(b, d, config.heads, count)
                })
            };
            (0..count).map(of).collect::<Built<Vec<_>>>()
        };
        Ok(Net {
            shrink: shrink(config, longest),
            filters,
            deep: [
                Filter::new(b, "picture.deep1", [d, d], 1)?.rectified(),
                Filter::new(b, "picture.deep2", [d, d], 1)?,
            ],
            places: table(b, "picture.places", cells)?,
            picture: Norm::new(b, "picture.norm", d)?,
            table: table(b, "nodes.table", sizes.node_rows())?,
            glimpse: [
                Affine::new(b, "glimpse.up", [GLIMPSE, d], 2.0 / (GLIMPSE as f64).sqrt())?,
                Affine::new(b, "glimpse.down", [d, d], 0.5 / (d as f64).sqrt())?,
            ],
            layers: layers(b, "nodes", config.layers)?,
            norm: Norm::new(b, "nodes.norm", d)?,
            pointer: Map::new(b, "pointer", [d, 1], 1.0)?,
            tokens: table(b, "writer.table", sizes.token_rows())?,
            place: Map::new(b, "writer.place", [d, d], 1.0)?,
            writers: layers(b, "writer", config.writers)?,
            last: Norm::new(b, "writer.norm", d)?,
            head: Map::new(b, "head", [d, sizes.words()], 0.5)?,
        })
    }

    /// Reads programs and pictures.
    ///
    /// # Errors
    ///
    /// When they are not of the sizes that the network was made for.
    pub fn read(&self, input: &Input) -> Result<Read> {
        let mut x = match self.shrink {
            1 => input.planes.clone(),
            by => avg_pool(&input.planes, Window::square(by, by, 0).ceil())?,
        };
        for filter in &self.filters {
            x = filter.forward(&x)?;
        }
        let deep = self.deep[1].forward(&self.deep[0].forward(&x)?)?;
        let x = relu(&mix(&deep, 1.0, &x)?, 1.0)?;
        let (programs, height, width, d) = x.dims4()?;
        let cells = height * width;
        let rows = x.reshape((programs * cells, d))?;
        let places: Vec<u32> = (0..programs).flat_map(|_| 0..cells as u32).collect();
        let places = embed(&self.places, places)?;
        let picture = self.picture.forward(&mix(&rows, 1.0, &places)?)?;

        let [up, down] = &self.glimpse;
        let glimpses = down.forward(&gelu(&up.forward(&input.glimpses)?)?)?;
        let glimpses = embed(&glimpses, Arc::clone(&input.glimpse_of))?;
        let mut x = mix(&bag(&self.table, Arc::clone(&input.bags))?, 1.0, &glimpses)?;
        let own = Arc::new(Segments::own(input.ends.clone(), false));
        let other = Arc::new(over(&input.ends, cells));
        for layer in &self.layers {
            x = layer.forward(&x, &own, &picture, &other)?;
        }
        Ok(Read {
            nodes: self.norm.forward(&x)?,
            picture,
            grid: cells,
        })
    }

    /// A score for each of these nodes.
    ///
    /// # Errors
    ///
    /// When a node is not there.
    pub fn places(&self, read: &Read, nodes: &[u32]) -> Result<Tensor> {
        let rows = embed(&read.nodes, nodes.to_vec())?;
        self.pointer.forward(&rows)?.flatten_all()
    }

    /// Scores over the vocabulary of what each row of some sequences is followed by.
    ///
    /// # Errors
    ///
    /// When a row is not there.
    pub fn tokens(&self, read: &Read, writing: &Writing) -> Result<Tensor> {
        let rows = self.written(read, writing)?;
        self.head.forward(&self.last.forward(&rows)?)
    }

    /// [`Net::tokens`], of these rows alone.
    ///
    /// # Errors
    ///
    /// As [`Net::tokens`].
    pub fn next_tokens(
        &self,
        read: &Read,
        writing: &Writing,
        rows: impl Into<Arc<[u32]>>,
    ) -> Result<Tensor> {
        let rows = embed(&self.written(read, writing)?, rows)?;
        self.head.forward(&self.last.forward(&rows)?)
    }

    fn written(&self, read: &Read, writing: &Writing) -> Result<Tensor> {
        let at = self
            .place
            .forward(&embed(&read.nodes, writing.at.clone())?)?;
        let mut x = mix(&bag(&self.tokens, writing.bags.clone())?, 1.0, &at)?;
        let own = Arc::new(Segments::own(writing.ends.clone(), true));
        let other = Arc::new(over(&writing.programs, read.grid));
        for layer in &self.writers {
            x = layer.forward(&x, &own, &read.picture, &other)?;
        }
        Ok(x)
    }
}

/// Rows that end there look at as many cells each.
fn over(ends: &[u32], cells: usize) -> Segments {
    Segments {
        queries: ends.to_vec(),
        keys: (1..=ends.len()).map(|end| (end * cells) as u32).collect(),
        causal: false,
    }
}
