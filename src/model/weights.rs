//! The weights of a model by name: made from a seed, or read from a file.
//!
//! In: a seed, or the bytes of a safetensors file; names, shapes and beginnings, asked for one after another by
//! the parts of a model. Out: variables, and [`Weights`] that keep them in that order. Afterwards the same seed
//! gives the same weights on every machine, and a file was read only if it has these weights and no others.
//!
//! A weight is drawn from a generator of its own, chosen by the seed and its place in the order.

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor, Var};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::sample::{self, unit};

/// Why there are no weights.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// Not a file of weights, or half of one.
    #[error("this is not a whole safetensors file: {0}")]
    File(String),
    /// One that should be there.
    #[error("the file has no `{0}`")]
    Missing(String),
    /// One that no part of the model asks for.
    #[error("the file has `{0}`, which this model does not have")]
    Extra(String),
    /// Another shape or element type.
    #[error("`{name}` is {is} in the file, but {wanted} in this model")]
    Shape {
        /// Which.
        name: String,
        /// In the file.
        is: String,
        /// In the model.
        wanted: String,
    },
    /// Something that candle says.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

/// What a weight is before training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Start {
    /// All the same.
    Constant(f64),
    /// From a normal distribution about 0 of this deviation.
    Normal(f64),
}

/// Variables by name, in the order in which the model asked for them.
#[derive(Clone, Debug, Default)]
pub struct Weights {
    names: Vec<String>,
    vars: Vec<Var>,
}

impl Weights {
    /// Their names.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The variables.
    pub fn vars(&self) -> &[Var] {
        &self.vars
    }

    /// The variable of a name.
    pub fn get(&self, name: &str) -> Option<&Var> {
        let at = self.names.iter().position(|own| own == name)?;
        self.vars.get(at)
    }

    /// How many numbers there are in all.
    pub fn count(&self) -> usize {
        self.vars.iter().map(|var| var.elem_count()).sum()
    }

    /// A safetensors file, in `f32`, with these remarks.
    ///
    /// # Errors
    ///
    /// When a variable cannot be read.
    pub fn to_bytes(&self, remarks: &BTreeMap<String, String>) -> Result<Vec<u8>, WeightsError> {
        self.to_bytes_with(remarks, &[])
    }

    /// [`Weights::to_bytes`], and rows of numbers that are no weights of the model: what an optimiser remembers,
    /// say. A reader of the weights does not see them.
    ///
    /// # Errors
    ///
    /// When a variable cannot be read.
    pub fn to_bytes_with(
        &self,
        remarks: &BTreeMap<String, String>,
        beside: &[(&str, &[f32])],
    ) -> Result<Vec<u8>, WeightsError> {
        let mut bytes = Vec::new();
        let le = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect();
        for (name, var) in self.names.iter().zip(&self.vars) {
            let flat = var.to_dtype(DType::F32)?.flatten_all()?;
            let values: Vec<f32> = flat.to_vec1()?;
            let data: Vec<u8> = le(&values);
            bytes.push((name.clone(), var.dims().to_vec(), data));
        }
        for (name, values) in beside {
            bytes.push((format!("{BESIDE}{name}"), vec![values.len()], le(values)));
        }
        let file = |error: safetensors::SafeTensorError| WeightsError::File(error.to_string());
        let mut views = Vec::new();
        for (name, shape, data) in &bytes {
            let view = TensorView::new(Dtype::F32, shape.clone(), data).map_err(file)?;
            views.push((name.clone(), view));
        }
        // The library writes the remarks in the order of a hash table; one remark has one order.
        let all = serde_json::to_string(remarks).unwrap_or_default();
        let info = std::iter::once((REMARKS.to_string(), all)).collect();
        safetensors::serialize(views, Some(info)).map_err(file)
    }
}

/// The one entry of a file's metadata: a JSON object of remarks.
const REMARKS: &str = "tdc";
/// What the names of rows begin with that are no weights.
const BESIDE: &str = "beside/";

/// The tensors of a file, and its remarks.
#[derive(Clone, Debug)]
pub struct Stored {
    tensors: BTreeMap<String, Tensor>,
    /// What was said beside them.
    pub remarks: BTreeMap<String, String>,
    /// Rows of numbers that are no weights.
    pub beside: BTreeMap<String, Vec<f32>>,
}

impl Stored {
    /// Reads a file's bytes.
    ///
    /// # Errors
    ///
    /// When they are not a whole file, or not of `f32`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Stored, WeightsError> {
        let file = |error: safetensors::SafeTensorError| WeightsError::File(error.to_string());
        let all = SafeTensors::deserialize(bytes).map_err(file)?;
        let (_, info) = SafeTensors::read_metadata(bytes).map_err(file)?;
        let info = info.metadata().as_ref();
        let remarks = match info.and_then(|info| info.get(REMARKS)) {
            Some(text) => {
                serde_json::from_str(text).map_err(|e| WeightsError::File(e.to_string()))?
            }
            None => BTreeMap::new(),
        };
        let (mut tensors, mut beside) = (BTreeMap::new(), BTreeMap::new());
        for (name, view) in all.iter() {
            if view.dtype() != Dtype::F32 {
                return Err(WeightsError::Shape {
                    name: name.to_string(),
                    is: format!("{:?}", view.dtype()),
                    wanted: "F32".to_string(),
                });
            }
            let (each, _) = view.data().as_chunks::<4>();
            let values: Vec<f32> = each.iter().map(|b| f32::from_le_bytes(*b)).collect();
            if let Some(name) = name.strip_prefix(BESIDE) {
                beside.insert(name.to_string(), values);
                continue;
            }
            let tensor = Tensor::from_vec(values, view.shape(), &Device::Cpu)?;
            tensors.insert(name.to_string(), tensor);
        }
        Ok(Stored {
            tensors,
            remarks,
            beside,
        })
    }
}

/// Where weights come from.
#[derive(Debug)]
enum Source {
    Seed(u64),
    File(BTreeMap<String, Tensor>),
}

/// Hands out the weights of a model, part by part.
#[derive(Debug)]
pub(super) struct Builder {
    source: Source,
    dtype: DType,
    /// Whether they are variables.
    learns: bool,
    weights: Weights,
    prefix: Vec<String>,
}

impl Builder {
    /// Fresh ones.
    pub(super) fn seeded(seed: u64, dtype: DType) -> Builder {
        Builder::of(Source::Seed(seed), dtype)
    }

    /// Those of a file.
    pub(super) fn stored(stored: Stored, dtype: DType) -> Builder {
        Builder::of(Source::File(stored.tensors), dtype)
    }

    /// Those of a file, which will not change: [`Builder::finish`] gives none to learn.
    pub(super) fn frozen(stored: Stored, dtype: DType) -> Builder {
        Builder {
            learns: false,
            ..Builder::stored(stored, dtype)
        }
    }

    /// Whether the weights will change.
    pub(super) fn learns(&self) -> bool {
        self.learns
    }

    fn of(source: Source, dtype: DType) -> Builder {
        Builder {
            source,
            dtype,
            learns: true,
            weights: Weights::default(),
            prefix: Vec::new(),
        }
    }

    /// Within a part of this name.
    pub(super) fn within<T>(&mut self, part: &str, of: impl FnOnce(&mut Builder) -> T) -> T {
        self.prefix.push(part.to_string());
        let out = of(self);
        self.prefix.pop();
        out
    }

    /// A weight.
    pub(super) fn var(
        &mut self,
        name: &str,
        shape: &[usize],
        start: Start,
    ) -> Result<Tensor, WeightsError> {
        let parts = self.prefix.iter().map(String::as_str).chain([name]);
        let name = parts.collect::<Vec<_>>().join(".");
        let tensor = match &mut self.source {
            Source::Seed(seed) => {
                let place = self.weights.vars.len() as u64;
                fresh(*seed, place, shape, start)?
            }
            Source::File(tensors) => {
                let Some(tensor) = tensors.remove(&name) else {
                    return Err(WeightsError::Missing(name));
                };
                if tensor.dims() != shape {
                    return Err(WeightsError::Shape {
                        name,
                        is: format!("{:?}", tensor.dims()),
                        wanted: format!("{shape:?}"),
                    });
                }
                tensor
            }
        };
        let tensor = tensor.to_dtype(self.dtype)?;
        if !self.learns {
            return Ok(tensor);
        }
        let var = Var::from_tensor(&tensor)?;
        let out = var.as_tensor().clone();
        self.weights.names.push(name);
        self.weights.vars.push(var);
        Ok(out)
    }

    /// All weights, once every part has asked for its own.
    pub(super) fn finish(self) -> Result<Weights, WeightsError> {
        if let Source::File(left) = self.source
            && let Some((name, _)) = left.into_iter().next()
        {
            return Err(WeightsError::Extra(name));
        }
        Ok(self.weights)
    }
}

fn fresh(seed: u64, place: u64, shape: &[usize], start: Start) -> candle_core::Result<Tensor> {
    let count: usize = shape.iter().product();
    let values = match start {
        Start::Constant(value) => vec![value as f32; count],
        Start::Normal(deviation) => {
            let mut rng = sample::stream(seed, place);
            let mut values = Vec::with_capacity(count + 1);
            while values.len() < count {
                // Box and Muller 1958: two at a time.
                let far = (-2.0 * libm::log(1.0 - unit(&mut rng))).sqrt() * deviation;
                let (sin, cos) = libm::sincos(std::f64::consts::TAU * unit(&mut rng));
                values.extend([(far * cos) as f32, (far * sin) as f32]);
            }
            values.truncate(count);
            values
        }
    };
    Tensor::from_vec(values, shape, &Device::Cpu)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(builder: &mut Builder) -> Result<(), WeightsError> {
        builder.within("a", |b| b.var("w", &[3, 2], Start::Normal(0.5)))?;
        builder.var("b", &[300], Start::Normal(2.0))?;
        builder.var("c", &[2], Start::Constant(1.0)).map(|_| ())
    }

    fn built(mut builder: Builder) -> Result<Weights, WeightsError> {
        parts(&mut builder)?;
        builder.finish()
    }

    fn bytes(weights: &Weights) -> Vec<u8> {
        let remarks = [("for", "tests"), ("and", "more")];
        let remarks = remarks.map(|(k, v)| (k.to_string(), v.to_string()));
        weights.to_bytes(&remarks.into_iter().collect()).unwrap()
    }

    #[test]
    fn a_seed_gives_the_same_weights_and_another_seed_others() {
        let of = |seed| bytes(&built(Builder::seeded(seed, DType::F32)).unwrap());
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
        let weights = built(Builder::seeded(1, DType::F32)).unwrap();
        assert_eq!(weights.names(), ["a.w", "b", "c"]);
        assert_eq!(weights.count(), 308);
        let b: Vec<f32> = weights.get("b").unwrap().to_vec1().unwrap();
        let square = b.iter().map(|v| v * v).sum::<f32>() / 300.0;
        assert!((square - 4.0).abs() < 1.0, "{square}");
    }

    #[test]
    fn files_come_back_whole() {
        let weights = built(Builder::seeded(1, DType::F32)).unwrap();
        let file = bytes(&weights);
        let stored = Stored::from_bytes(&file).unwrap();
        assert_eq!(stored.remarks["for"], "tests");
        let again = built(Builder::stored(stored, DType::F32)).unwrap();
        assert_eq!(bytes(&again), file);
    }

    #[test]
    fn files_of_something_else_are_refused() {
        let file = bytes(&built(Builder::seeded(1, DType::F32)).unwrap());
        for cut in [0, 7, 100, file.len() - 1] {
            assert!(matches!(
                Stored::from_bytes(&file[..cut]),
                Err(WeightsError::File(_))
            ));
        }
        let build = |of: &dyn Fn(&mut Builder) -> Result<(), WeightsError>| {
            let mut builder = Builder::stored(Stored::from_bytes(&file).unwrap(), DType::F32);
            of(&mut builder)?;
            builder.finish()
        };
        let error = build(&|b| b.var("d", &[1], Start::Constant(0.0)).map(|_| ())).unwrap_err();
        assert_eq!(error.to_string(), "the file has no `d`");
        let error = build(&|b| b.var("b", &[30, 10], Start::Constant(0.0)).map(|_| ()));
        let error = error.unwrap_err().to_string();
        assert_eq!(
            error,
            "`b` is [300] in the file, but [30, 10] in this model"
        );
        let error = build(&|_| Ok(())).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the file has `a.w`, which this model does not have"
        );
    }
}
